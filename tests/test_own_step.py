"""A training step of one's own: values and gradients of one sample are those that torch had in that very step, and the
step is the same as without anybody who looks."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.optim import optimizer as of_torch

import visualizer
from visualizer import kinds
from visualizer.kinds import OF_ALL
from visualizer.motions import dense, norm
from visualizer.trace import Refused, Trace

BATCH = 5


class Pictures(nn.Module):
    """Batch norms in two and in one dimension, dropout, a ReLU in place."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.pool = nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.MaxPool2d(2)
        self.drop, self.fc, self.norm1 = nn.Dropout(0.4), nn.Linear(36, 8), nn.BatchNorm1d(8)
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(functional.relu(self.norm(self.conv(x)), inplace=True))
        return self.head(torch.tanh(self.norm1(self.fc(self.drop(x.flatten(1))))))


class Rows(nn.Module):
    """A recurrent net that answers behind its last step; `first` says whether batches or steps come first."""

    def __init__(self, kind: type[nn.RNNBase], first: bool = True) -> None:
        super().__init__()
        self.rnn, self.head, self.first = kind(4, 6, batch_first=first), nn.Linear(6, 3), first

    def forward(self, x: Tensor) -> Tensor:
        made, _ = self.rnn(x)
        return self.head(made[:, -1] if self.first else made[-1])


class Steps(nn.Module):
    """A cell in a loop."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.head = nn.LSTMCell(4, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        state = None
        for step in x.unbind(1):
            state = self.cell(step, state)
        return self.head(state[0])


class Folded(nn.Module):
    """Samples and steps joined into rows, the steps of each sample side by side or the samples of each step."""

    def __init__(self, samples_first: bool) -> None:
        super().__init__()
        self.first, self.one, self.head = samples_first, nn.Linear(4, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        laid = x if self.first else x.transpose(0, 1)
        rows = torch.relu(self.one(laid.reshape(-1, 4))).view(*laid.shape[:2], 6)
        return self.head(rows.mean(1 if self.first else 0))


class Twice(nn.Module):
    """Both views of each sample behind each other, one layer used twice, a parameter that is read as it is."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.head, self.gain = nn.Linear(4, 4), nn.Linear(4, 3), nn.Parameter(torch.tensor([1.0, 2, 3, 4]))

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, 0] * self.gain
        both = torch.tanh(self.one(torch.cat([x, x.flip(1)])))
        first, second = both.chunk(2)
        return self.head(self.one(first * second))


def pictures(count: int = BATCH) -> Tensor:
    return torch.randn(count, 2, 6, 6)


def rows(count: int = BATCH) -> Tensor:
    return torch.randn(count, 7, 4)


@dataclass(frozen=True)
class Case:
    made: Callable[[], nn.Module]
    x: Callable[[], Tensor]
    axis: int = 0
    around: Callable[[], object] = nullcontext
    gates: bool = False


CASES = {
    "batch norm, dropout": Case(Pictures, pictures),
    "one sample": Case(lambda: nn.Sequential(nn.Conv2d(2, 4, 3), nn.Flatten(), nn.Linear(64, 3)), lambda: pictures(1)),
    "lstm": Case(lambda: Rows(nn.LSTM), rows, gates=True),
    "gru, steps first": Case(lambda: Rows(nn.GRU, False), lambda: rows().transpose(0, 1), axis=1, gates=True),
    "cells": Case(Steps, rows, gates=True),
    "folded": Case(lambda: Folded(True), rows),
    "folded, steps first": Case(lambda: Folded(False), rows),
    "twice": Case(Twice, rows),
    "attention": Case(lambda: nn.Sequential(nn.TransformerEncoderLayer(4, 2, 8, 0.3, batch_first=True), nn.Flatten(),
                                            nn.Linear(28, 3)), rows),
    "autocast": Case(lambda: nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3)), pictures,
                     around=lambda: torch.autocast("cpu", torch.bfloat16)),
    "group norm": Case(lambda: nn.Sequential(nn.Conv2d(2, 4, 3), nn.GroupNorm(2, 4), nn.InstanceNorm2d(4), nn.Flatten(),
                                             nn.Linear(64, 3)), pictures),
}


def step(model: nn.Module, x: Tensor, truth: Tensor, around: Callable[[], object] = nullcontext) -> Tensor:
    """One step as people write it."""
    optimizer = torch.optim.SGD(model.parameters(), 0.5, momentum=0.9)
    optimizer.zero_grad()
    with around():
        loss = functional.cross_entropy(model(x).float(), truth)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1e-3)
    optimizer.step()
    return loss.detach()


def by_torch(model: nn.Module, x: Tensor, truth: Tensor, around: Callable[[], object]):
    """The same forward and backward pass without us: what came out of each module, and its gradient."""
    made: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[..., Tensor | None]:
        def hook(module: nn.Module, given: object, returned: object) -> Tensor | None:
            if isinstance(returned, Tensor) and returned.requires_grad:
                returned.retain_grad()
                made.setdefault(name, returned)
                return returned.clone()  # what is written to in place from here on is another
            return None

        return hook

    for name, module in model.named_modules():
        if name and not isinstance(module, nn.MultiheadAttention):
            module.register_forward_hook(keep(name))
    x = x.clone().requires_grad_()
    with around():
        loss = functional.cross_entropy(model(x).float(), truth)
    loss.backward()
    return made, x.grad, {name: weight.grad for name, weight in model.named_parameters()}, loss


@pytest.mark.parametrize("name", CASES)
def test_it_has_the_numbers_of_that_step(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    torch.manual_seed(3)
    model, x = case.made().train(), case.x()
    count = x.shape[case.axis]
    sample, truth = count - 1 if count == 1 else 3, torch.randint(0, 3, (count,))
    alone, listened = copy.deepcopy(model), copy.deepcopy(model)
    torch.manual_seed(7)
    without = step(alone, x, truth, case.around)
    torch.manual_seed(7)
    made, x_gradient, weight_gradients, loss = by_torch(listened, x, truth, case.around)
    torch.manual_seed(7)
    with visualizer.recording(model, sample, axis=case.axis) as seen:
        step(model, x, truth, case.around)
    trace = seen.trace
    chance = torch.rand(1)

    # the step is the same with and without
    exact = name != "attention"  # which is recorded step by step, where torch has one for all
    for one, other in zip(alone.state_dict().values(), model.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other, rtol=0 if exact else 1e-5, atol=0 if exact else 1e-6)
    torch.manual_seed(7)
    step(alone, x, truth, case.around)
    assert torch.equal(chance, torch.rand(1))

    # every number is the one that torch had
    def close(ours, theirs) -> None:
        theirs = theirs.detach().float().numpy()
        np.testing.assert_allclose(np.asarray(ours, np.float32).reshape(theirs.shape), theirs, rtol=2e-5, atol=2e-7)

    assert trace.objective.value == pytest.approx(float(without)) == pytest.approx(loss.item())
    assert trace.sample.label == truth[sample]
    close(trace["input"].output, x.select(case.axis, sample))
    close(trace["input"].gradient, x_gradient.select(case.axis, sample))
    compared = 0
    for path, tensor in made.items():
        if path in trace and tensor.shape[:1] == (count,) and tensor.grad is not None:
            close(trace[path].output, tensor[sample])
            close(trace[path].gradient, tensor.grad[sample])
            compared += 1
    assert compared >= 1
    held = {f"{layer.name.removesuffix('.batch_norm')}.{key}": (layer, key) for layer in trace
            for key in layer.weight_gradients}
    for path, gradient in weight_gradients.items():
        if path in held:
            layer, key = held[path]
            close(layer.weight_gradients[key], gradient)
            assert count == 1 or key in layer.settings[OF_ALL]
    assert held or name == "twice"

    # its numbers come apart into terms, and it is a recording like others
    report = trace.check()
    assert report.passed, [row for row in report.rows if not row.agrees]
    compared = [row for row in report.rows if row.quantity == "gradient" and row.error is not None]
    assert len(compared) >= 2
    if case.gates:
        assert any(layer.inner and layer.inner_gradients for layer in trace)
    trace.save(tmp_path / "step.trace")
    assert visualizer.load(tmp_path / "step.trace").digest == trace.digest
    assert visualizer.draw(trace).caption


def a_step(model: nn.Module, x: Tensor) -> None:
    model(x).square().mean().backward()


def two_layers() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))


def test_weights_are_those_before_the_step_of_the_optimizer() -> None:
    model, x = two_layers(), torch.randn(BATCH, 4)
    before = model[0].weight.detach().numpy().copy()
    optimizer = torch.optim.SGD(model.parameters(), 1.0)
    with visualizer.recording(model) as seen:
        a_step(model, x)
        optimizer.step()
        np.testing.assert_array_equal(seen.trace["0"].weights["weight"], before)
    assert not np.array_equal(model[0].weight.detach(), before)


def test_gates_are_those_before_the_step_without_a_call_of_backward_on_a_tensor() -> None:
    model, x = Rows(nn.LSTM), rows()
    optimizer = torch.optim.SGD(model.parameters(), 5.0)
    with visualizer.recording(model, 1) as seen:
        torch.autograd.backward(model(x).square().mean())
        optimizer.step()
    assert seen.trace["rnn"].inner
    assert seen.trace.check().passed


def test_a_scaled_loss_has_scaled_gradients() -> None:
    model, x = two_layers(), torch.randn(BATCH, 4)
    with visualizer.recording(model) as plain:
        a_step(model, x)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    with visualizer.recording(model) as scaled:
        scaler.scale(model(x).square().mean()).backward()
    assert scaled.trace.objective.value == pytest.approx(1024 * plain.trace.objective.value)
    np.testing.assert_allclose(scaled.trace["0"].gradient, 1024 * plain.trace["0"].gradient, rtol=1e-5)


def test_each_pass_of_accumulated_gradients_has_its_own_recording() -> None:
    model, parts = two_layers(), torch.randn(3, BATCH, 4)
    with visualizer.recording(model, 2) as seen:
        for part in parts:
            (model(part).square().mean() / 3).backward()
    assert len(seen.traces) == 3
    assert seen.trace is seen.traces[-1]
    for trace, part in zip(seen.traces, parts, strict=True):
        np.testing.assert_array_equal(trace["input"].output, part[2])
        weight = model[0].weight.detach().clone().requires_grad_()
        inner = torch.tanh(functional.linear(part, weight, model[0].bias))
        loss = functional.linear(inner, model[2].weight, model[2].bias).square().mean() / 3
        (gradient,) = torch.autograd.grad(loss, weight)
        np.testing.assert_allclose(trace["0"].weight_gradients["weight"], gradient, rtol=1e-4, atol=1e-8)


def test_two_passes_of_one_loss_are_two_recordings() -> None:
    model, x = two_layers(), torch.randn(BATCH, 4)
    with visualizer.recording(model) as seen:
        (model(x) - model(x.flip(1))).square().mean().backward()
    one, other = seen.traces
    np.testing.assert_allclose(one["2"].gradient, -other["2"].gradient, rtol=1e-5)


def test_what_came_before_the_model_gets_the_same_gradient() -> None:
    """A generator in front of a discriminator that is recorded."""
    model, front = two_layers(), nn.Linear(2, 4)
    x = torch.randn(BATCH, 2)
    a_step(model, front(x))
    gradient, front.weight.grad = front.weight.grad, None
    with visualizer.recording(model) as seen:
        a_step(model, front(x))
    assert torch.equal(front.weight.grad, gradient)
    assert seen.trace["input"].gradient is not None


def test_hooks_of_the_caller_hear_the_step_alone() -> None:
    model, x, heard = two_layers(), torch.randn(BATCH, 4), []
    model[1].register_forward_hook(lambda module, given, returned: heard.append(returned))
    with visualizer.recording(model) as seen:
        a_step(model, x)
    assert [tuple(each.shape) for each in heard] == [(BATCH, 6)]
    assert seen.trace


def test_nothing_is_left_behind() -> None:
    model = Pictures()
    flags = [module.training for module in model.modules()]
    with visualizer.recording(model):
        a_step(model, pictures())
    assert "forward" not in vars(model)
    assert [module.training for module in model.modules()] == flags
    assert all(not hooks for module in model.modules()
               for hooks in (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks))
    assert not of_torch._global_optimizer_pre_hooks
    assert all(not weight._backward_hooks for weight in model.parameters())


def test_a_frozen_weight_has_no_gradient() -> None:
    model = two_layers()
    model[0].weight.requires_grad_(False)
    with visualizer.recording(model) as seen:
        a_step(model, torch.randn(BATCH, 4))
    assert {*seen.trace["0"].weight_gradients} == {"bias"}


def test_the_terms_of_what_all_samples_made_are_refused() -> None:
    model = Twice()
    with visualizer.recording(model) as seen:
        a_step(model, rows())
    with pytest.raises(LookupError, match="all 5 samples"):
        kinds.weight_terms(seen.trace, "head", "weight", (0, 0))
    with pytest.raises(LookupError, match="all 5 samples"):
        kinds.backward_terms(seen.trace, "gain", (0,))


class Drawing(nn.Module):
    """Draws its code by chance, and hands back three things that its loss reads."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Linear(4, 6), nn.Linear(3, 4)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        mean, spread = self.one(x).chunk(2, 1)
        return {"made": self.other(mean + torch.randn_like(spread) * spread.exp()), "mean": mean, "spread": spread}


class Costly(nn.Module):
    """Makes its own loss, over all samples."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Linear(4, 3)

    def forward(self, x: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        made = self.one(x)
        return functional.cross_entropy(made, truth), made


class Normed(nn.Module):
    """Weights that are computed anew each time, one of them by a state of its own; drops between recurrent levels."""

    def __init__(self) -> None:
        super().__init__()
        normed = nn.utils.parametrizations
        self.one, self.head = normed.weight_norm(nn.Linear(4, 6)), normed.spectral_norm(nn.Linear(6, 3))
        self.rnn = nn.GRU(6, 3, num_layers=2, dropout=0.3, bidirectional=True, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(torch.relu(self.one(x)))[0].mean(1))


@pytest.mark.parametrize(("made", "x", "loss"), [
    (Drawing, (torch.randn(BATCH, 4),), lambda found: sum(each.square().sum() for each in found.values())),
    (Costly, (torch.randn(BATCH, 4), torch.arange(BATCH) % 3), lambda found: found[0]),
    (Normed, (rows(),), lambda found: found.square().mean()),
], ids=["three outputs", "a loss inside", "computed weights"])
def test_what_torch_had_comes_apart_or_is_said_to_be_of_all(made, x, loss) -> None:
    torch.manual_seed(0)
    model = made()
    twin = copy.deepcopy(model)
    torch.manual_seed(1)
    loss(twin(*x)).backward()
    torch.manual_seed(1)
    with visualizer.recording(model, 3) as seen:
        loss(model(*x)).backward()
    report = seen.trace.check()
    assert report.passed, [row for row in report.rows if not row.agrees]
    assert sum(row.error is not None for row in report.rows) >= 3
    for one, other in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-5, atol=1e-7)
    if made is Costly:
        assert seen.trace["cross_entropy"].unexplained
        assert seen.trace["cross_entropy"].output == pytest.approx(seen.trace.objective.value)
    if made is Drawing:
        assert {*seen.trace["loss"].reads} == {"other", "chunk", "chunk[1]"}


def test_what_is_shown_of_it_adds_up_to_what_was_recorded() -> None:
    """Films and cards of one sample never claim that its numbers alone make the gradient of a weight."""
    torch.manual_seed(2)
    model = Pictures()
    with visualizer.recording(model, 1) as seen:
        a_step(model, pictures())
    trace = seen.trace
    np.testing.assert_allclose(norm.back_steps(trace, "norm")[2], trace["conv"].gradient, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(norm.back_steps(trace, "norm1")[2], trace["fc"].gradient, rtol=1e-4, atol=1e-7)
    assert {name for name, _ in kinds.terms(trace, "norm", (0, 0, 0)).met} >= {"mean", "variance"}
    share = np.outer(trace["fc"].gradient, trace["drop"].output)
    np.testing.assert_allclose(dense._outer_product(trace, "fc", 1000, None)[0], np.abs(share), rtol=1e-6)
    card = visualizer.draw(trace, view="microscope", at="conv.backward", focus="conv:1,2,2", size=(1100, 700))
    words = {mark.plain for mark in card if hasattr(mark, "plain")}
    assert "added up: a share of ∂L/∂w" in words
    assert not any(word.startswith(("∂L/∂b", "∥∂L/∂w∥")) for word in words)
    for view in ("network", "gradient_flow", "filters", "feature_maps"):
        for at in ("conv.backward@0.5", "norm.backward@0.7", "fc.backward@0.5", "fc.backward"):
            assert visualizer.draw(trace, view=view, at=at).caption


# --- what goes wrong ------------------------------------------------------------------------------------------------

class Fixed(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return (x * torch.ones((), requires_grad=True)).view(BATCH, -1)


class Alike(nn.Module):
    """Compares all samples with each other."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        made = self.one(x)
        return made @ made.T


class Counting(nn.Module):
    """Makes as many steps as there are samples."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(len(x)):
            x = self.one(x)
        return x


class Packed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.GRU(4, 3, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        packed = pack_padded_sequence(x, [7 - index for index in range(len(x))], batch_first=True)
        return pad_packed_sequence(self.rnn(packed)[0], batch_first=True)[0]


@pytest.mark.parametrize(("model", "x", "says"), [
    (Fixed(), torch.randn(BATCH, 4), "take the size of the batch from what it is given"),
    (Alike(), torch.randn(BATCH, 4), "something of several samples together"),
    (Counting(), torch.randn(BATCH, 4), "other steps for one sample"),
    (Packed(), rows(), "visualizer.capture"),
    (two_layers(), torch.randn(2, 4), "There is no sample 4; the model was given 2, 0 to 1."),
], ids=["fixed size", "samples compared", "other steps", "packed", "no such sample"])
def test_a_step_that_cannot_be_recorded_goes_on(model: nn.Module, x: Tensor, says: str) -> None:
    twin = copy.deepcopy(model)
    a_step(twin, x)
    with visualizer.recording(model, 4) as seen:
        a_step(model, x)
    with pytest.raises(Refused) as refused:
        _ = seen.trace
    assert says in str(refused.value)
    assert str(refused.value).endswith(".")
    assert "text/plain" in seen._repr_mimebundle_()
    for one, other in zip(twin.parameters(), model.parameters(), strict=True):
        assert torch.equal(one.grad, other.grad)


def test_too_many_numbers_are_said_and_the_step_goes_on() -> None:
    torch.manual_seed(0)
    model, x, room = Pictures(), pictures(40), 35_000
    twin, still = copy.deepcopy(model), copy.deepcopy(model).eval()
    with visualizer.recording(still, budget=room) as seen:
        a_step(still, x[:1])
    assert seen.trace, "there is room for one sample"
    torch.manual_seed(1)
    a_step(twin, x)
    torch.manual_seed(1)
    with visualizer.recording(model, budget=room) as seen:
        a_step(model, x)
    with pytest.raises(Refused, match="MiB"):
        _ = seen.trace
    assert all(map(torch.equal, twin.state_dict().values(), model.state_dict().values()))
    for one, other in zip(twin.parameters(), model.parameters(), strict=True):
        assert torch.equal(one.grad, other.grad)


@pytest.mark.parametrize(("doing", "says"), [
    (lambda model: None, "did not run"),
    (lambda model: model(torch.randn(2, 4)), "call backward"),
    (lambda model: torch.no_grad()(model)(torch.randn(2, 4)), "no_grad"),
], ids=["nothing", "no backward", "no gradients"])
def test_a_block_in_which_something_is_missing_says_what(doing: Callable[[nn.Module], object], says: str) -> None:
    model = two_layers()
    with visualizer.recording(model) as seen:
        doing(model)
    with pytest.raises(Refused, match=says):
        _ = seen.trace


def test_an_error_of_the_step_passes_through() -> None:
    model = two_layers()
    with pytest.raises(RuntimeError, match="shapes"), visualizer.recording(model) as seen:
        model(torch.randn(2, 5))
    with suppress(ZeroDivisionError), visualizer.recording(model) as seen:
        a_step(model, torch.randn(2, 4))
        raise ZeroDivisionError
    assert "forward" not in vars(model)
    assert isinstance(seen.trace, Trace), "what was done before stands"


def test_what_is_no_module_is_refused_at_once() -> None:
    with pytest.warns(DeprecationWarning, match="jit"):
        compiled = torch.jit.script(nn.Linear(2, 2))
    for model in (compiled, lambda x: x):
        with pytest.raises(Refused), visualizer.recording(model):
            pass
