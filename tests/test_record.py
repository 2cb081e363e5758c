"""capture: bit-equal to plain torch on models of every habit, honest about gaps, and the model left as it was."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.close import assert_close
from visualizer import inputs, registry
from visualizer.kinds import all_kinds
from visualizer.record import capture, open_model, record
from visualizer.trace import Refused, Trace, load

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        yield
    torch.set_num_threads(before)


# --- the oracle: torch alone ----------------------------------------------------------------------------------------

def own(model: nn.Module) -> nn.Module:
    """Every parameter random and different, so that each can be told by its numbers."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.5)
    return model


def plain(model: nn.Module, x: torch.Tensor, target: int | None):
    """Answer, loss, gradient of the input and of every parameter, from torch alone (on a copy; seed 0)."""
    model = copy.deepcopy(model)
    leaf = x.clone()
    if leaf.is_floating_point():
        leaf.requires_grad_()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        returned = model(leaf.clone())
    answer = next(tensor for tensor in flat(returned) if tensor.is_floating_point())
    loss = answer.flatten()[int(answer.argmax())] if target is None else F.cross_entropy(answer, torch.tensor([target]))
    wanted = [tensor for tensor in (leaf, *model.parameters()) if tensor.requires_grad]
    found = dict(zip(map(id, wanted), torch.autograd.grad(loss, wanted, allow_unused=True), strict=True))
    gradients = {name: found.get(id(parameter)) for name, parameter in model.named_parameters()}
    return answer.detach(), loss.detach(), found.get(id(leaf)), gradients


def flat(value):
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [tensor for item in value for tensor in flat(item)]


def assert_is_plain_torch(model: nn.Module, x: torch.Tensor, target: int | None = None, **more) -> Trace:
    """Answer, objective, and every gradient of the trace have the bits of plain torch. Returns the trace."""
    answer, loss, input_gradient, gradients = plain(model, x, target)
    trace = capture(model, x, target, **more)
    last = next(layer for layer in reversed(trace.layers) if layer.name in trace[trace.layers[-1].name].reads)
    assert np.array_equal(last.output.ravel(), answer.numpy().ravel())
    assert trace.objective.value == loss.item()
    if input_gradient is not None:
        assert np.array_equal(trace["input"].gradient.ravel(), input_gradient.numpy().ravel())
    found = gradients_of_weights(trace, model)
    for name, gradient in gradients.items():
        if gradient is None:
            assert name not in found, name
        else:
            assert np.array_equal(found[name], gradient.numpy()), name
    return trace


def gradients_of_weights(trace: Trace, model: nn.Module) -> dict[str, np.ndarray]:
    """The shares of every parameter added in the order in which torch comes back: from the last layer to the first."""
    found: dict[str, np.ndarray] = {}
    for layer in reversed(trace.layers):
        for key, gradient in layer.weight_gradients.items():
            if key in layer.settings.get("computed", ()):
                continue  # no parameter; its gradient goes on to those that it is made of
            array = layer.weights[key]
            (name,) = [name for name, parameter in model.named_parameters()
                       if parameter.shape == array.shape and np.array_equal(parameter.detach().numpy(), array)]
            found[name] = found[name] + gradient if name in found else gradient
    return found


# --- models of every habit ------------------------------------------------------------------------------------------

class Block(nn.Module):
    """A residual block, in place as torchvision writes it or out of place."""

    def __init__(self, inplace: bool) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.conv2, self.bn2 = nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4)
        self.relu, self.inplace = nn.ReLU(inplace=inplace), inplace

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.inplace:
            y += x
        else:
            y = y + x
        return self.relu(y)


class ResNet(nn.Module):
    def __init__(self, inplace: bool) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.blocks = nn.Sequential(Block(inplace), Block(inplace))
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        x = self.blocks(F.relu(self.stem(x), inplace=self.blocks[0].inplace))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(6, 4), nn.Linear(6, 4), nn.Linear(8, 3)

    def forward(self, x):
        return self.c(torch.cat([F.relu(self.a(x)), torch.tanh(self.b(x))], 1))


class Reused(nn.Module):
    def __init__(self, times: int) -> None:
        super().__init__()
        self.first, self.relu, self.middle, self.last = nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 5), nn.Linear(5, 3)
        self.times = times

    def forward(self, x):
        x = self.relu(self.first(x))
        for _ in range(self.times):
            x = self.relu(self.middle(x))
        return self.last(x)


class DictOutput(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        y = self.fc(x)
        return OrderedDict(places=y.argmax(1), logits=y, more=[y * 2])


class DataDependent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc, self.yes, self.no = nn.Linear(6, 6), nn.Linear(6, 3), nn.Linear(6, 3)

    def forward(self, x):
        x = self.fc(x)
        while x.abs().max() > 0.5:
            x = x * 0.5
        return self.yes(x) if x.sum() > 0 else self.no(x)


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 2 * x * gradient


class Custom(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(6, 4), nn.Linear(4, 3)

    def forward(self, x):
        return self.b(Square.apply(self.a(x)))


class SetItem(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(6, 4), nn.Linear(4, 3)

    def forward(self, x):
        y = self.a(x)
        y[:, 0] = 0
        y[:, 1] = x[:, 2]
        y[:, 2:].mul_(3)
        return self.b(y)


class NoGrad(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x):
        with torch.no_grad():
            scale = self.a(x).abs().amax(1, keepdim=True)
        return self.b(x / scale)


class Tied(nn.Module):
    def __init__(self, by_matmul: bool) -> None:
        super().__init__()
        self.embed, self.mix, self.by_matmul = nn.Embedding(7, 4), nn.Linear(4, 4), by_matmul

    def forward(self, tokens):
        h = self.mix(self.embed(tokens)).mean(1)
        return h @ self.embed.weight.t() if self.by_matmul else F.linear(h, self.embed.weight)


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.ones(6)), nn.Parameter(torch.zeros(1, 6))
        self.register_buffer("mean", torch.arange(6.0))
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        return self.fc(self.scale * (x - self.mean) + self.shift * self.scale)


class Dropped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.drop, self.fc2 = nn.Linear(6, 20), nn.Dropout(0.5), nn.Linear(20, 3)

    def forward(self, x):
        h = torch.tanh(self.fc1(x))
        return self.fc2(self.drop(h) + h)


class Packed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.fc = nn.LSTM(3, 4, 2, bidirectional=True, batch_first=True), nn.Linear(8, 2)

    def forward(self, x):
        packed = nn.utils.rnn.pack_padded_sequence(x, [5], batch_first=True)
        y, _ = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return self.fc(y.mean(1))


class CellLoop(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell, self.fc = nn.LSTMCell(3, 4), nn.Linear(4, 2)

    def forward(self, x):
        state = None
        for step in range(x.shape[1]):
            state = self.cell(x[:, step], state)
        return self.fc(state[0])


class LastState(nn.Module):
    def __init__(self, kind: type[nn.Module]) -> None:
        super().__init__()
        self.rnn, self.fc = kind(3, 4), nn.Linear(4, 2)

    def forward(self, x):
        states = self.rnn(x.transpose(0, 1))[1]
        return self.fc(states[-1])


class ThroughNumpy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc, self.kept = nn.Linear(6, 2), torch.arange(6.0)

    def forward(self, x):
        return self.fc(x * float(x.detach().numpy().mean()) + self.kept.to(x))


class Zoo(nn.Module):
    """In place, masked, split and stacked, normalised by hand, with a weight used in another way."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(6, 6), nn.Linear(6, 2)

    def forward(self, x):
        y = self.a(x)
        y.mul_(2)
        y += x
        y[:, 1:3] = 0
        y = torch.where(y > 0, y, y * 0.1).clamp(max=3)
        one, other = y.split(3, 1)
        y = torch.stack([one, other], 1).flatten(1)
        y = (y - y.mean()) / (y.std() + 1e-5)
        z = torch.einsum("bi,ij->bj", y, self.a.weight)
        return self.b(z.softmax(-1) * torch.sigmoid(y).sqrt())


class WritesOut(nn.Module):
    def forward(self, x):
        made = torch.empty_like(x)
        torch.mul(x.detach(), 2, out=made)
        return x + made


class FixedKernels(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("blur", torch.ones(1, 1, 3, 3) / 9)
        self.fc = nn.Linear(36, 2)

    def forward(self, x):
        edges = F.conv2d(F.conv2d(x, self.blur), torch.eye(3, dtype=x.dtype)[None, None], padding=1)
        return self.fc(edges.flatten(1))


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.place = nn.Parameter(torch.zeros(1, 1, 6)), nn.Parameter(torch.zeros(1, 5, 6))
        self.norm, self.q, self.out = nn.LayerNorm(6), nn.Linear(6, 6), nn.Linear(6, 2)

    def forward(self, x):
        x = self.norm(torch.cat([self.first.expand(len(x), -1, -1), x], 1) + self.place)
        q = self.q(x)
        return self.out(((q @ x.transpose(-2, -1) / 6 ** 0.5).softmax(-1) @ x)[:, 0])


class SmallUNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.GroupNorm(2, 4), nn.SiLU(), nn.AvgPool2d(2))
        self.up, self.out = nn.ConvTranspose2d(4, 2, 2, 2), nn.Conv2d(3, 1, 1)

    def forward(self, x):
        return self.out(torch.cat([self.up(self.down(x)), x], 1))


X6 = torch.linspace(-1, 2, 6).reshape(1, 6)
IMAGE = torch.linspace(-1, 1, 3 * 8 * 8).reshape(1, 3, 8, 8).sin()
TOKENS = torch.tensor([[1, 3, 3, 6]])
STEPS = torch.linspace(-1, 1, 15).reshape(1, 5, 3).cos()
GREY = IMAGE[:, :1]
MODELS = {
    "functional and cat": (Functional, X6, 1),
    "reused twice": (lambda: Reused(2), X6, 1),
    "reused three times": (lambda: Reused(3), X6, 2),
    "dict output": (DictOutput, X6, 0),
    "data-dependent": (DataDependent, X6, 1),
    "custom autograd function": (Custom, X6, 1),
    "set item and writes through views": (SetItem, X6, 1),
    "no_grad section": (NoGrad, X6, 1),
    "tied by linear": (lambda: Tied(False), TOKENS, 5),
    "tied by matmul": (lambda: Tied(True), TOKENS, 5),
    "parameters added and multiplied": (Scaled, X6, 1),
    "dropout off, skipped over": (lambda: Dropped().eval(), X6, 1),
    "dropout on": (Dropped, X6, 1),
    "weight_norm": (lambda: nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(6, 4)), nn.Linear(4, 3)),
                    X6, 1),
    "residual, in place, train": (lambda: ResNet(True), IMAGE, 3),
    "residual, in place, eval": (lambda: ResNet(True).eval(), IMAGE, 3),
    "transformer layer": (lambda: nn.Sequential(nn.TransformerEncoderLayer(6, 2, 8, batch_first=True)),
                          X6.reshape(1, 1, 6).repeat(1, 4, 1), None),
    "transformer layer, eval": (lambda: nn.Sequential(nn.TransformerEncoderLayer(6, 2, 8, batch_first=True)).eval(),
                                X6.reshape(1, 1, 6).repeat(1, 4, 1), None),
    "packed": (Packed, STEPS, 1),
    "a loop over a cell": (CellLoop, STEPS, 1),
    "last state of a GRU": (lambda: LastState(nn.GRU), STEPS, 1),
    "last state of an RNN": (lambda: LastState(nn.RNN), STEPS, 1),
    "through numpy": (ThroughNumpy, X6, 1),
    "a zoo": (Zoo, X6, 1),
    "out=": (WritesOut, X6, None),
    "fixed kernels": (FixedKernels, GREY, 1),
    "attention by hand": (Attention, torch.linspace(-1, 1, 24).reshape(1, 4, 6).sin(), 1),
    "down and up": (SmallUNet, GREY, None),
    "spectral_norm": (lambda: nn.Sequential(nn.utils.parametrizations.spectral_norm(nn.Linear(6, 4)), nn.Linear(4, 3)),
                      X6, 1),
    "instance norm, PReLU": (lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.InstanceNorm2d(2, affine=True), nn.PReLU(),
                                                   nn.Flatten(), nn.Linear(72, 2)), GREY, 1),
    "no target": (Functional, X6, None),
    "one lone layer": (lambda: nn.Linear(6, 3), X6, 1),
    "unbatched": (lambda: nn.Linear(6, 3), X6[0], None),
    "convolution, unbatched": (lambda: nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU()), IMAGE[0], None),
}


@pytest.mark.parametrize("name", MODELS)
def test_answers_and_gradients_have_the_bits_of_plain_torch(name: str) -> None:
    build, x, target = MODELS[name]
    trace = assert_is_plain_torch(own(build()), x, target)
    assert trace.has_backward
    for layer in trace:
        assert layer.gradient is not None or layer.why, layer.name
        assert "batch" not in layer.axes
        assert len(layer.axes) == layer.output.ndim


AT_ONCE = [name for name in registry.models() if "objective" not in registry.card(name)]
"""Bundled models that read a picture at once; those that read step by step have their tests in test_record_run.py."""


@pytest.mark.parametrize("name", AT_ONCE)
def test_bundled_models_have_the_bits_of_plain_torch(name: str) -> None:
    opened = open_model(name)
    for sample in inputs.all_samples("image")[:5]:
        x = opened.prepare(inputs.raw(sample.name))
        trace = assert_is_plain_torch(opened.module, x, sample.label, labels=opened.labels)
        assert not [layer.name for layer in trace if layer.kind == "unexplained"]


@pytest.mark.parametrize("name", AT_ONCE)
def test_every_number_of_a_bundled_model_agrees_with_its_own_terms(name: str) -> None:
    report = record(name).check()
    assert not report.unverified
    assert report.passed, report.worst
    print(f"{name}: worst {report.worst:.3g}")


@pytest.mark.parametrize("name", MODELS)
def test_what_is_explained_agrees_with_its_terms(name: str) -> None:
    """Settings, reads and shares of gradients are what the kinds take them for."""
    build, x, target = MODELS[name]
    trace = capture(own(build()).double(), x.double() if x.is_floating_point() else x, target)
    report = trace.check()
    assert report.passed, {**report.errors, **report.gradient_errors}
    assert report.tolerance <= 1e-9
    explained = {layer.name for layer in trace if layer.kind not in ("unexplained", "input", "constant", "parameter")}
    assert explained <= set(report.errors) | set(report.unverified)


def test_values_and_gradients_of_an_in_place_net_equal_its_out_of_place_twin() -> None:
    inplace, twin = own(ResNet(True)).eval(), ResNet(False).eval()
    twin.load_state_dict(inplace.state_dict())
    one, other = capture(inplace, IMAGE, 3), capture(twin, IMAGE, 3)
    assert [layer.name for layer in one] == [layer.name for layer in other]
    for a, b in zip(one, other, strict=True):
        assert a.reads == b.reads
        assert np.array_equal(a.output, b.output), a.name
        assert (a.gradient is None) == (b.gradient is None), a.name
        assert a.gradient is None or np.array_equal(a.gradient, b.gradient), a.name


def test_gradients_inside_are_those_that_torch_retains() -> None:
    model = own(ResNet(False)).eval()
    kept = {}

    def keep(name, module, given, returned):
        returned.retain_grad()
        kept[name] = returned

    for name, module in model.named_modules():
        if name in ("stem", "fc") or name.endswith(("conv1", "conv2", "bn1", "bn2")):
            module.register_forward_hook(lambda m, g, r, name=name: keep(name, m, g, r))
    F.cross_entropy(model(IMAGE.clone().requires_grad_()), torch.tensor([3])).backward()
    trace = capture(model, IMAGE, 3)
    assert len(kept) == 10
    for name, tensor in kept.items():
        assert np.array_equal(trace[name].output, tensor.detach().numpy()[0]), name
        assert np.array_equal(trace[name].gradient, tensor.grad.numpy()[0]), name


# --- names, edges, axes ---------------------------------------------------------------------------------------------

def test_layers_are_named_by_module_and_call() -> None:
    names = [layer.name for layer in capture(own(Reused(2)), X6, 1)]
    assert names == ["input", "first", "relu", "middle", "relu#2", "middle#2", "relu#3", "last", "softmax", "loss"]
    names = [layer.name for layer in capture(own(Functional()), X6, 1)]
    assert names == ["input", "a", "relu", "b", "tanh", "cat", "c", "softmax", "loss"]
    names = [layer.name for layer in capture(own(ResNet(True)).eval(), IMAGE, 3)]
    assert names[:7] == ["input", "stem", "relu", "blocks.0.conv1", "blocks.0.bn1", "blocks.0.relu", "blocks.0.conv2"]
    assert names[8:10] == ["blocks.0.add", "blocks.0.relu#2"]


def test_edges_lead_to_the_numbers_that_were_read() -> None:
    trace = capture(own(ResNet(True)).eval(), IMAGE, 3)
    assert trace["blocks.0.add"].reads == ("blocks.0.bn2", "relu")
    assert trace["blocks.1.conv1"].reads == ("blocks.0.relu#2",)
    assert trace["blocks.1.add"].reads == ("blocks.1.bn2", "blocks.0.relu#2")
    trace = capture(own(Functional()), X6, 1)
    assert trace["cat"].reads == ("relu", "tanh")


def test_weights_of_a_reused_module_are_one_array_with_a_share_of_the_gradient_for_each_use() -> None:
    model = own(Reused(2))
    trace = capture(model, X6, 1)
    one, other = trace["middle"], trace["middle#2"]
    assert one.weights["weight"] is other.weights["weight"]
    assert not np.array_equal(one.weight_gradients["weight"], other.weight_gradients["weight"])
    assert trace.parameters == sum(parameter.numel() for parameter in model.parameters())
    for layer in (one, other):
        (read,) = trace.inputs(layer)
        assert np.allclose(layer.weight_gradients["weight"], np.outer(layer.gradient, read.output), atol=1e-7)


def test_a_parameter_that_is_added_or_multiplied_is_a_layer_of_its_own() -> None:
    trace = capture(own(Scaled()), X6, 1)
    kinds = {layer.name: layer.kind for layer in trace}
    assert kinds["scale"] == kinds["shift"] == "parameter"
    assert kinds["mean"] == "constant"
    assert trace["mul"].reads == ("scale", "sub")
    assert trace["scale"].weights["value"] is trace["scale"].output
    assert trace["mean"].gradient is None
    assert trace["mean"].why
    assert trace.parameters == sum(parameter.numel() for parameter in Scaled().parameters())


def test_writes_through_views_are_steps_of_their_own() -> None:
    trace = capture(own(SetItem()), X6, 1)
    assert trace["b"].reads == ("written",)
    assert trace["written"].reads == ("setitem#2", "mul")
    assert trace["setitem"].output[0] == 0
    assert trace["setitem#2"].output[1] == X6[0, 2]
    assert np.array_equal(trace["written"].output[2:], trace["setitem#2"].output[2:] * 3)


def test_axes_of_images_steps_and_classes_are_named() -> None:
    trace = capture(nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 4)).eval(), IMAGE, 1)
    assert [layer.axes for layer in trace][:3] == [("channel", "row", "column")] * 3
    assert trace["3"].axes == trace["softmax"].axes == ("class",)
    assert capture(nn.Conv1d(3, 2, 3), torch.randn(1, 3, 9))["input"].axes == ("channel", "step")
    assert capture(nn.LSTM(3, 2, batch_first=True), torch.randn(1, 9, 3))["input"].axes == ("step", "unit")
    assert capture(nn.LSTM(3, 2), torch.randn(9, 1, 3))["input"].axes == ("step", "unit")
    assert capture(nn.Embedding(9, 3), TOKENS)["embedding"].axes == ("step", "unit")
    assert capture(nn.Linear(6, 3), X6)["linear"].axes == ("unit",)


def test_outputs_of_one_call_are_layers_of_their_own() -> None:
    class Parts(nn.Module):
        def forward(self, x):
            one, other = x.chunk(2, 1)
            values, _ = other.max(1)
            return one * values

    trace = capture(Parts(), X6)
    assert [layer.name for layer in trace][1:5] == ["chunk", "chunk[1]", "max", "max[1]"]
    assert trace["mul"].reads == ("chunk", "max")
    assert trace["max[1]"].gradient is None
    assert "Whole numbers" in trace["max[1]"].why
    assert np.array_equal(trace["chunk[1]"].output, X6[0, 3:])


# --- objectives -----------------------------------------------------------------------------------------------------

def test_a_target_gives_softmax_and_loss() -> None:
    trace = capture(own(Functional()), X6, 2)
    assert [layer.name for layer in trace][-2:] == ["softmax", "loss"]
    assert trace["loss"].reads == trace["softmax"].reads == ("c",)
    assert trace["softmax"].gradient is None
    assert "logits directly" in trace["softmax"].why
    assert trace["loss"].gradient == 1
    assert trace["loss"].settings["target"] == 2
    assert trace.answer is trace["softmax"]
    assert (trace.objective.kind, trace.objective.target) == ("cross_entropy", 2)
    p = trace.answer.output.astype(np.float64)
    assert np.allclose(trace["c"].gradient, p - np.eye(3)[2], atol=1e-6)


@pytest.mark.parametrize("last", [nn.LogSoftmax(1), nn.Softmax(1)])
def test_a_closing_softmax_takes_the_negative_log_likelihood(last: nn.Module) -> None:
    model = nn.Sequential(own(Functional()), last)
    trace = capture(model, X6, 2)
    x = X6.clone().requires_grad_()
    returned = model(x)
    loss = F.nll_loss(returned if isinstance(last, nn.LogSoftmax) else returned.log(), torch.tensor([2]))
    (gradient,) = torch.autograd.grad(loss, x)
    assert trace.objective.kind == "negative_log_likelihood"
    assert trace.objective.value == loss.item()
    assert np.array_equal(trace["input"].gradient, gradient.numpy()[0])
    assert trace["loss"].kind == "nll_loss"
    assert trace.answer is not None
    assert trace.answer.output.sum() == pytest.approx(1, abs=1e-6)
    assert trace["0.c"].axes == ("class",)


def test_one_logit_is_differentiated_when_asked() -> None:
    model = own(Functional())
    trace = capture(model, X6, 2, labels=("a", "b", "c"), objective="logit:1")
    x = X6.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model(x)[0, 1], x)
    assert np.array_equal(trace["input"].gradient, gradient.numpy()[0])
    assert (trace.objective.kind, trace.objective.target) == ("logit", 1)
    assert trace.objective.value == trace["c"].output[1] == trace["logit"].output
    assert trace["c"].gradient.tolist() == [0, 1, 0]
    assert trace["logit"].kind == "logit"
    assert trace.answer is not None


def test_without_a_target_the_largest_output_is_differentiated_and_named() -> None:
    trace = capture(own(Functional()), X6)
    assert trace.objective.target == int(trace["c"].output.argmax())
    assert trace.answer is None


def test_nothing_is_differentiated_when_nothing_is_wanted() -> None:
    trace = capture(own(Functional()), X6, objective="none")
    assert not trace.has_backward
    assert trace.objective.kind == "none"
    assert all(layer.why for layer in trace)


@pytest.mark.parametrize(("more", "words"), [
    ({"target": 3}, "0 to 2"),
    ({"objective": "logit:9"}, "logit:0 to logit:2"),
    ({"objective": "logits"}, "logit:N"),
    ({"labels": ("a", "b")}, "one label for each output"),
    ({"dtype": "float8"}, "float32 or float64"),
])
def test_an_objective_that_does_not_fit_is_refused_in_one_sentence(more: dict, words: str) -> None:
    with pytest.raises(Refused, match=words):
        capture(own(Functional()), X6, **more)


# --- gaps are said, not filled --------------------------------------------------------------------------------------

def test_a_custom_autograd_function_is_named_in_the_notes() -> None:
    trace = capture(own(Custom()), X6, 1)
    assert any("Square" in note for note in trace.notes)
    assert trace["Square"].kind == "unexplained"
    assert "a" in trace["Square"].reads
    assert trace["b"].reads == ("Square",)
    assert np.array_equal(trace["Square"].output, trace["a"].output ** 2)
    assert np.allclose(trace["a"].gradient, 2 * trace["a"].output * trace["Square"].gradient)


def test_no_gradient_is_none_with_a_reason_never_zeros() -> None:
    trace = capture(own(NoGrad()), X6, 1)
    assert trace["a"].gradient is None
    assert "without autograd" in trace["a"].why
    assert not trace["a"].weight_gradients
    trace = capture(own(Tied(False)), TOKENS, 5)
    assert trace["input"].gradient is None
    assert "Whole numbers" in trace["input"].why


def test_frozen_weights_have_no_gradient_and_say_so() -> None:
    model = own(Functional())
    model.a.requires_grad_(False)
    trace = assert_is_plain_torch(model, X6, 1)
    assert not trace["a"].weight_gradients
    assert "frozen" in trace["a"].why
    assert trace["a"].gradient is not None


def test_a_fused_recurrent_layer_is_taken_apart_and_its_own_gradient_is_not_dl_dh() -> None:
    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.fc = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 2)

        def forward(self, x):
            return self.fc(self.lstm(x)[0][:, -1])

    trace = assert_is_plain_torch(own(Last()), torch.randn(1, 6, 3), 1)
    lstm = trace["lstm"]
    assert (lstm.kind, lstm.axes, lstm.shape, lstm.reads) == ("lstm", ("step", "unit"), (6, 4), ("input",))
    assert not lstm.why
    assert set(lstm.weights) == {"weight_ih", "weight_hh", "bias_ih", "bias_hh"}
    assert (np.abs(lstm.gradient).max(axis=1) > 0).all()


def test_constants_made_inside_are_layers_so_that_reads_are_complete() -> None:
    class Adds(nn.Module):
        def forward(self, x):
            return x * torch.tensor([1.0, 2, 3, 4, 5, 6]) + torch.ones(6)

    trace = capture(Adds(), X6)
    assert trace["mul"].reads == ("input", "constant")
    assert trace["add"].reads == ("mul", "constant#2")
    assert trace["constant"].output.tolist() == [1, 2, 3, 4, 5, 6]


# --- the model is left as it was found ------------------------------------------------------------------------------

def state_of(model: nn.Module):
    return ({name: tensor.clone() for name, tensor in model.state_dict(keep_vars=True).items()},
            [(part.training, len(part._forward_hooks), len(part._forward_pre_hooks)) for part in model.modules()],
            [(parameter.requires_grad, parameter.grad) for parameter in model.parameters()], torch.get_rng_state())


def assert_as_before(model: nn.Module, before) -> None:
    values, flags, gradients, random = before
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, values[name]), name
    _, flags_now, gradients_now, random_now = state_of(model)
    assert flags_now == flags
    assert gradients_now == gradients
    assert torch.equal(random, random_now)


@pytest.mark.parametrize("training", [True, False])
def test_buffers_flags_gradients_and_random_numbers_are_left_as_found(training: bool) -> None:
    model = own(nn.Sequential(ResNet(True), nn.Dropout(0.5))).train(training)
    before, x = state_of(model), IMAGE.clone()
    buffers = [id(buffer) for buffer in model.buffers()]
    capture(model, x, 3)
    assert_as_before(model, before)
    assert [id(buffer) for buffer in model.buffers()] == buffers
    assert torch.equal(x, IMAGE)
    assert not x.requires_grad


def test_an_input_that_is_written_to_in_place_is_left_as_found() -> None:
    class Writes(nn.Module):
        def forward(self, x):
            x += 1
            return x.relu_()

    x = X6.clone()
    trace = capture(Writes(), x)
    assert torch.equal(x, X6)
    assert np.array_equal(trace["input"].output, X6[0])
    assert np.array_equal(trace["add"].output, X6[0] + 1)
    assert trace["relu"].reads == ("add",)


def test_hooks_are_gone_and_buffers_restored_after_an_exception() -> None:
    class Fails(ResNet):
        def forward(self, x):
            super().forward(x)
            raise KeyError("in the middle")

    model = own(Fails(True))
    before = state_of(model)
    with pytest.raises(KeyError, match="in the middle"):
        capture(model, IMAGE, 3)
    assert_as_before(model, before)
    torch.ones(2) + 1  # the mode is off again, so this call must not reach a recording
    assert not torch.overrides._get_current_function_mode_stack()


def test_an_exception_caught_inside_the_model_leaves_names_right() -> None:
    class Tries(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.wrong, self.right = nn.Linear(5, 3), nn.Linear(6, 3)

        def forward(self, x):
            try:
                return self.wrong(x)
            except RuntimeError:
                return F.relu(self.right(x))

    assert [layer.name for layer in capture(Tries(), X6)][:3] == ["input", "right", "relu"]


def test_a_models_own_hooks_stay_and_work() -> None:
    model = own(Functional())
    handle = model.a.register_forward_hook(lambda module, given, returned: returned * 2)
    assert_is_plain_torch(model, X6, 1)
    assert len(model.a._forward_hooks) == 1
    handle.remove()


def test_it_works_under_no_grad_and_inference_mode() -> None:
    model = own(Functional())
    wanted = capture(model, X6, 1)
    for off in (torch.no_grad, torch.inference_mode):
        with off():
            assert capture(model, X6.clone(), 1).digest == wanted.digest


# --- precision, repetition, size ------------------------------------------------------------------------------------

def test_double_precision_runs_on_a_copy() -> None:
    model = own(ResNet(True)).eval()
    trace = capture(model, IMAGE, 3, dtype="float64")
    assert {layer.output.dtype for layer in trace} == {np.dtype("float64")}
    assert trace.dtype == "float64"
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    _, loss, gradient, _ = plain(copy.deepcopy(model).double(), IMAGE.double(), 3)
    assert trace.objective.value == loss.item()
    assert np.array_equal(trace["input"].gradient, gradient.numpy()[0])


@pytest.mark.parametrize("name", ["dropout on", "residual, in place, train", "data-dependent"])
def test_the_same_input_gives_the_same_bytes(name: str) -> None:
    build, x, target = MODELS[name]
    model = own(build())
    first = capture(model, x, target).to_bytes()
    torch.rand(3)
    assert capture(model, x, target).to_bytes() == first
    if name == "dropout on":
        assert capture(model, x, target, seed=1).to_bytes() != first


def test_changed_weights_are_noticed_however_they_were_written() -> None:
    model = own(Functional())
    before = capture(model, X6, 1)
    again = capture(model, X6, 1)
    assert again["a"].weights["weight"] is before["a"].weights["weight"]
    model.a.weight.data[0, 0] += 1
    after = capture(model, X6, 1)
    assert after["a"].weights["weight"][0, 0] == model.a.weight[0, 0]
    assert after.hashes["weights"] != before.hashes["weights"]
    assert before["a"].weights["weight"][0, 0] != model.a.weight[0, 0]


def test_a_batch_is_refused_in_one_sentence() -> None:
    for model, x in ((own(Functional()), X6.repeat(2, 1)), (ResNet(True), IMAGE.repeat(3, 1, 1, 1)),
                     (nn.LSTM(3, 2), torch.zeros(5, 4, 3))):
        with pytest.raises(Refused, match="one is recorded at a time") as caught:
            capture(model, x)
        assert_one_sentence(caught.value)


def test_too_much_is_refused_before_it_is_kept() -> None:
    model = own(Functional())
    with pytest.raises(Refused, match="MiB") as caught:
        capture(model, X6, 1, budget=500)
    assert_one_sentence(caught.value)
    grown = nn.Sequential(*[nn.Flatten(0), nn.Unflatten(0, (1, 6)), nn.Linear(6, 6)] * 3)
    with pytest.raises(Refused, match="MiB"):
        capture(grown, X6, budget=6 * 7 * 4 * 2 + 6 * 4 * 2 * 9)
    assert not any(module._forward_hooks for module in grown.modules())
    assert len(capture(grown, X6, budget=6 * 7 * 4 * 2 + 6 * 4 * 2 * 10 + 8).layers) == 11


def test_several_inputs_are_layers_of_their_own() -> None:
    class Two(nn.Module):
        def forward(self, x, y):
            return x * y

    trace = capture(Two(), (X6, X6 + 1))
    assert trace["mul"].reads == ("input", "input[1]")
    assert np.array_equal(trace["input"].gradient != 0, trace["input[1]"].gradient != 0)


def test_versions_and_hashes_are_kept() -> None:
    trace = capture(own(Functional()), X6, 1)
    assert set(trace.versions) == {"visualizer", "torch", "numpy", "python"}
    assert trace.versions["torch"] == torch.__version__
    assert set(trace.hashes) == {"weights", "input"}
    assert all(len(value) == 64 for value in trace.hashes.values())
    assert capture(own(Functional()), X6, 1).hashes["weights"] != trace.hashes["weights"]


@pytest.mark.parametrize("name", MODELS)
def test_parameters_are_counted_once_as_torch_counts_them(name: str) -> None:
    build, x, target = MODELS[name]
    model = own(build())
    trace = capture(model, x, target)
    used = {id(p): p.numel() for p in model.parameters()}
    missing = {"data-dependent": 21}.get(name, 0)  # the head that was not taken
    assert trace.parameters == sum(used.values()) - missing


def test_settings_are_plain_and_survive_saving(tmp_path: Path) -> None:
    for name, (build, x, target) in MODELS.items():
        trace = capture(own(build()), x, target)
        again = load(trace.save(tmp_path / "some.trace"))
        assert again.digest == trace.digest, name
        for one, other in zip(trace, again, strict=True):
            assert dict(one.settings) == dict(other.settings)


def test_every_kind_that_a_call_names_is_found() -> None:
    named = {layer.kind for build, x, target in MODELS.values() for layer in capture(own(build()), x, target)}
    known = {kind.name for kind in all_kinds()}
    assert named <= known | {"input", "constant", "parameter", "unexplained"}
    assert {"linear", "relu", "conv2d", "add", "cat", "cross_entropy", "softmax"} <= named


# --- the shipped recordings -----------------------------------------------------------------------------------------

def test_shipped_recordings_are_what_would_be_recorded_today(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "visualizer.record", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == sorted(path.name for path in (ROOT / "assets" / "traces").glob("*.trace"))
    for name in made:
        shipped, again = load(ROOT / "assets" / "traces" / name), load(tmp_path / name)
        assert [layer.name for layer in shipped] == [layer.name for layer in again]
        terms = sum(weight[0].size for layer in shipped for weight in layer.weights.values())  # one unit of each layer
        for one, other in zip(shipped, again, strict=True):
            assert (one.kind, one.axes, one.reads, one.why) == (other.kind, other.axes, other.reads, other.why)
            assert dict(one.settings) == dict(other.settings)
            assert_close(other.output, one.output, terms, what=one.name)
            assert (one.gradient is None) == (other.gradient is None)
            if one.gradient is not None:
                assert_close(other.gradient, one.gradient, 2 * terms, what=f"the gradient of {one.name}")
            for key in one.weights:
                assert np.array_equal(one.weights[key], other.weights[key])
        same_build = dict(shipped.versions) == dict(again.versions)
        assert not same_build or shipped.hashes == again.hashes


def assert_one_sentence(error: Exception) -> None:
    words = str(error)
    assert words.endswith(".")
    assert ". " not in words
    assert "\n" not in words


@pytest.mark.parametrize("model", ["digits_cnn", "lenet_mnist", "mlp_mnist"])
def test_every_shipped_digit_is_verified_however_sure_the_model_is(model: str, some: Any) -> None:
    """Where p is nearly 1 the gradient p − 1 is a small rest of two rounded numbers: that is no error of the terms."""
    for name, in some([(sample.name,) for sample in inputs.all_samples("image")[:60]], sample=8, each=False):
        report = record(model, name).check()
        assert report.passed, f"{name}: {report.worst}"
