"""What goes in and what comes out: every way of handing things to a model, every type of target, every objective, and
modules that do not run as they are written. Plain torch is the oracle."""

from __future__ import annotations

import copy
import warnings
from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import visualizer
from visualizer.cli import parser
from visualizer.export import draw
from visualizer.record import capture, record, study
from visualizer.trace import Refused

X5 = torch.linspace(-1, 1, 5)[None]


def does(forward: Any, **parts: nn.Module) -> nn.Module:
    """A module of these parts with this forward, of which the arguments are known."""
    made = type("Does", (nn.Module,), {"forward": forward})()
    torch.manual_seed(0)
    for name, part in parts.items():
        setattr(made, name, part)
    return made.eval()


def linear(inputs: int = 5, outputs: int = 3) -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(inputs, outputs)


def refused(*given: Any, **more: Any) -> str:
    with pytest.raises(Refused) as caught:
        capture(*given, **more)
    said = str(caught.value)
    assert said.endswith(".")
    assert ". " not in said
    return said


# --- how it is handed over ------------------------------------------------------------------------------------------

Pair = namedtuple("Pair", ["x", "y"])


@dataclass
class Both:
    x: Tensor
    y: Tensor


def sums(m: Any, x: Tensor, y: Tensor) -> Tensor:
    return m.a(x) + 2 * m.a(y)


WAYS = {
    "tuple": (lambda m, x, y: sums(m, x, y), lambda x, y: (x, y), ["", ""]),
    "list": (lambda m, x, y: sums(m, x, y), lambda x, y: [x, y], ["", ""]),
    "keywords": (lambda m, x, *, y: sums(m, x, y), lambda x, y: {"x": x, "y": y}, ["x", "y"]),
    "dict": (lambda m, d: sums(m, d["x"], d["y"]), lambda x, y: {"x": x, "y": y}, ["x", "y"]),
    "list as one": (lambda m, xs: sums(m, *xs), lambda x, y: [x, y], ["", ""]),
    "tuple of a list": (lambda m, xs: sums(m, *xs), lambda x, y: ([x, y],), ["", ""]),
    "named tuple": (lambda m, p: sums(m, p.x, p.y), Pair, ["x", "y"]),
    "dataclass": (lambda m, p: sums(m, p.x, p.y), Both, ["x", "y"]),
    "nested": (lambda m, d, scale: sums(m, d["deep"][0], d["y"]) * scale / 2, lambda x, y: ({"deep": [x], "y": y}, 2),
               ["deep", "y"]),
    "arrays": (lambda m, x, y: sums(m, x, y), lambda x, y: (x.numpy(), y.numpy()[:, ::-1][:, ::-1]), ["", ""]),
}


@pytest.mark.parametrize("way", WAYS)
def test_whatever_shape_it_has_the_model_gets_it(way: str) -> None:
    forward, given, names = WAYS[way]
    model, x, y = does(forward, a=linear()), X5, X5.flip(1) + 0.5
    trace = capture(model, given(x, y), 1)
    xs = x.clone().requires_grad_(), y.clone().requires_grad_()
    loss = F.cross_entropy(sums(model, *xs), torch.tensor([1]))
    gradients = torch.autograd.grad(loss, xs)
    assert trace.objective.value == loss.item()
    assert [fed.name for fed in trace.fed] == names
    for fed, tensor, gradient in zip(trace.fed, xs, gradients, strict=True):
        assert np.array_equal(trace[fed.layer].output, tensor.detach().numpy()[0])
        assert np.array_equal(trace[fed.layer].gradient, gradient.numpy()[0])


def test_keywords_may_stand_beside_it() -> None:
    model = does(lambda m, x, scale=1.0, mask=None: m.a(x * mask) * scale, a=linear())
    mask = torch.tensor([[1.0, 0, 1, 1, 0]])
    trace = capture(model, X5, 1, keywords={"scale": 3.0, "mask": mask})
    assert trace.objective.value == F.cross_entropy(model(X5, 3.0, mask), torch.tensor([1])).item()


@pytest.mark.parametrize(("x", "says"), [
    ((X5,), "x, y (of|, |)"), ({"x": X5, "z": X5}, "takes x, y"), ((X5, X5, X5), "takes x, y"),
    (("a", "b"), "no tensor and no array"), ((np.array(["a"]), X5), "not of numbers")])
def test_what_does_not_go_with_the_model_is_refused_with_its_arguments(x: Any, says: str) -> None:
    model = does(lambda m, x, y: m.a(x), a=linear())
    with pytest.raises(Refused, match=says if says[0] != "x" else "takes x, y"):
        capture(model, x)


# --- types of numbers -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("x", [X5.double().numpy(), X5.double(), X5.half().numpy(), X5.numpy().astype(">f4")],
                         ids=["float64 array", "float64 tensor", "float16", "big endian"])
def test_another_precision_is_cast_and_said(x: Any) -> None:
    trace, wanted = capture(linear(), x, 1), capture(linear(), torch.as_tensor(np.asarray(x, np.float32)), 1)
    assert np.array_equal(trace["linear"].output, wanted["linear"].output)
    assert (x.dtype == np.dtype(">f4")) == (not trace.notes)
    assert all("float32" in note for note in trace.notes)


def test_a_model_that_takes_it_as_it_is_gets_it_so() -> None:
    trace = capture(does(lambda m, x: m.a(x.float()), a=linear()), X5.double(), 1)
    assert trace["input"].output.dtype == np.float64
    assert not trace.notes
    assert not capture(nn.Linear(5, 3).double(), X5.numpy().astype(np.float64), 1).notes


def test_whole_numbers_are_scaled_by_whoever_trained_and_never_cast_in_silence() -> None:
    said = refused(linear(), np.arange(5, dtype=np.uint8)[None], 1)
    assert "uint8" in said
    assert "astype('float32')" in said
    assert "astype('int64')" in refused(nn.Embedding(9, 3), np.array([[1.0, 2.0]]))
    small = capture(nn.Embedding(9, 3), np.array([[1, 2]], np.int16))
    assert np.array_equal(small["input"].output, [1, 2])


# --- targets --------------------------------------------------------------------------------------------------------

def head(*ends: nn.Module) -> nn.Module:
    return nn.Sequential(linear(), *ends).eval()


PIXELS = torch.arange(16).reshape(4, 4) % 3
TARGETS = {
    "numpy int": (head(), X5, np.int64(1), lambda y: F.cross_entropy(y, torch.tensor([1]))),
    "tensor of a class": (head(), X5, torch.tensor([1]), lambda y: F.cross_entropy(y, torch.tensor([1]))),
    "yes or no for each": (head(nn.Sigmoid()), X5, [1, 0, 1],
                           lambda y: F.binary_cross_entropy(y, torch.tensor([[1.0, 0, 1]]))),
    "numbers": (head(), X5, [0.5, -1, 2], lambda y: F.mse_loss(y, torch.tensor([[0.5, -1, 2]]))),
    "numbers of a tensor": (head(), X5, torch.tensor([[0.5, -1, 2]]),
                            lambda y: F.mse_loss(y, torch.tensor([[0.5, -1, 2]]))),
    "a class for each pixel": (nn.Conv2d(1, 3, 1), torch.linspace(0, 1, 16).reshape(1, 1, 4, 4), PIXELS,
                               lambda y: F.cross_entropy(y, PIXELS[None])),
    "a mask": (nn.Conv2d(1, 1, 1), torch.linspace(0, 1, 16).reshape(1, 1, 4, 4), (PIXELS > 1).numpy(),
               lambda y: F.binary_cross_entropy_with_logits(y, (PIXELS > 1).float()[None, None])),
    "a mask of chances": (nn.Sequential(nn.Conv2d(1, 1, 1), nn.Sigmoid()),
                          torch.linspace(0, 1, 16).reshape(1, 1, 4, 4), (PIXELS > 1).long()[None],
                          lambda y: F.binary_cross_entropy(y, (PIXELS > 1).float()[None, None])),
    "numbers of each step": (nn.Linear(5, 2), torch.linspace(-1, 1, 15).reshape(1, 3, 5), np.ones((3, 2)) / 2,
                             lambda y: F.mse_loss(y, torch.full((1, 3, 2), 0.5))),
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_means_the_loss_that_it_is_meant_for(name: str) -> None:
    model, x, target, loss = TARGETS[name]
    trace = capture(model, x, target)
    fed = x.clone().requires_grad_()
    wanted = loss(model(fed))
    wanted.backward()
    assert trace.objective.value == pytest.approx(wanted.item(), rel=1e-6)
    assert trace["input"].gradient == pytest.approx(fed.grad.numpy()[0], rel=1e-5, abs=1e-9)
    assert trace.check().passed


def test_an_answer_of_each_step_is_named_by_its_step() -> None:
    rows = torch.linspace(-1, 1, 15).reshape(1, 3, 5).sin()
    model = nn.Linear(5, 4)
    trace = capture(model, rows, objective="logit:2@1")
    assert trace.objective.value == model(rows)[0, 1, 2].item()
    tagger = nn.Conv1d(5, 4, 1)
    trace = capture(tagger, rows.mT, [3, 0, 1])
    wanted = F.cross_entropy(tagger(rows.mT), torch.tensor([[3, 0, 1]])).item()
    assert trace.objective.value == pytest.approx(wanted, rel=1e-6)


def test_the_last_step_of_an_answer_can_be_looked_at_closely() -> None:
    rows = torch.linspace(-1, 1, 30).reshape(1, 6, 5).sin()
    trace = capture(nn.Linear(5, 3), rows, 1)
    assert trace["loss"].settings["steps"] == (5,)
    said = [" ".join(run.text for run in mark.runs) for mark in draw(trace, view="microscope", at="linear.backward")
            if hasattr(mark, "runs")]
    assert "1 of 6" in said, "of the six places of a unit one carries gradient"
    unit = int(np.abs(trace["linear"].gradient[5]).argmax())
    assert any(f"{abs(float(trace['linear'].weight_gradients['bias'][unit])):.3g}" in words for words in said)
    choice = does(lambda m, x: m.a(x).argmax(1), a=linear())
    assert "nothing is differentiated" in draw(capture(choice, X5), at="argmax.forward").caption


def test_a_target_with_two_meanings_is_refused_with_both() -> None:
    said = refused(head(), X5, [1, 0, 1])
    assert "'bce'" in said
    assert "'mse'" in said
    assert "rows of one length" in refused(head(), X5, [[1, 2], [3]])
    assert "one class for each place" in refused(nn.Conv2d(1, 3, 1), torch.ones(1, 1, 4, 4), np.zeros((3, 3), int))
    assert "not of numbers" in refused(head(), X5, np.array("four"))
    assert "class, a number, a list" in refused(head(), X5, "four")
    choice = does(lambda m, x: m.a(x).argmax(1), a=linear())
    assert "whole numbers" in refused(choice, X5, 1)
    assert any("Nothing flowed back" in note for note in capture(choice, X5).notes)


# --- objectives -----------------------------------------------------------------------------------------------------

def two(m: Any, x: Tensor) -> dict[str, Tensor]:
    made = m.a(x).relu()
    return {"features": made, "mask": m.b(made), "score": m.c(made)[:, 0]}


TWO = does(two, a=linear(5, 4), b=linear(4, 3), c=linear(4, 1))
OBJECTIVES = {
    "sum:mask": ({}, lambda out: out["mask"].sum()), "mean": ({"output": "mask"}, lambda out: out["mask"].mean()),
    "mse:mask": ({"target": [1, 0, 2]}, lambda out: F.mse_loss(out["mask"], torch.tensor([[1.0, 0, 2]]))),
    "mse": ({"target": 0.5, "output": "mask"}, lambda out: F.mse_loss(out["mask"], torch.full((1, 3), 0.5))),
    "mae": ({"target": 2.0, "output": "score"}, lambda out: (out["score"] - 2).abs().mean()),
    "bce": ({"target": [1, 0, 1], "output": "mask"},
            lambda out: F.binary_cross_entropy_with_logits(out["mask"], torch.tensor([[1.0, 0, 1]]))),
    "cross_entropy:mask": ({"target": 2}, lambda out: F.cross_entropy(out["mask"], torch.tensor([2]))),
    "logit:2:mask": ({}, lambda out: out["mask"][0, 2]),
    "loss": ({"target": 1, "output": "mask"}, lambda out: F.cross_entropy(out["mask"], torch.tensor([1]))),
}


@pytest.mark.parametrize("words", OBJECTIVES)
def test_an_objective_in_words_is_the_number_that_torch_makes(words: str) -> None:
    more, number = OBJECTIVES[words]
    trace = capture(TWO, X5, objective=words, **more)
    fed = X5.clone().requires_grad_()
    wanted = number(TWO(fed))
    wanted.backward()
    assert trace.objective.value == pytest.approx(wanted.item(), rel=1e-6)
    assert trace["input"].gradient == pytest.approx(fed.grad.numpy()[0], rel=1e-5)


def test_an_objective_may_be_any_function_of_what_is_handed_back() -> None:
    def wanted(out: dict[str, Tensor]) -> Tensor:
        return out["mask"].square().sum() - out["score"].exp().sum()

    trace = capture(TWO, X5, objective=wanted)
    fed = X5.clone().requires_grad_()
    wanted(TWO(fed)).backward()
    assert np.array_equal(trace["input"].gradient, fed.grad.numpy()[0])
    assert trace.objective.kind == "function"
    assert "square" in {layer.name for layer in trace}
    again = study(trace, TWO, X5, "flow", objective=wanted)
    assert again.studies["flow"]["gradient"][0] == pytest.approx(float(fed.grad.double().norm()), rel=1e-6)
    assert "one real number" in refused(TWO, X5, objective=lambda out: out["mask"])
    assert "a float" in refused(TWO, X5, objective=lambda out: 1.0)


def test_an_objective_that_cannot_be_is_refused_with_a_way() -> None:
    assert "give one" in refused(TWO, X5, objective="mse")
    assert "1.0, that all of them" in refused(TWO, X5, 1, objective="mse:mask")
    assert "'mask'" in refused(TWO, X5, objective="sum:masks")
    assert "lambda" in refused(does(lambda m, x: torch.fft.rfft(m.a(x)), a=linear()), X5)
    once = torch.utils.checkpoint.checkpoint
    assert "objective='none'" in refused(does(lambda m, x: once(m.a, x, use_reentrant=True), a=net()), X5, 1)
    assert "0 to 2" in refused(nn.Conv2d(1, 3, 1), torch.ones(1, 1, 4, 4), PIXELS + 1)


# --- modules that do not run as they are written --------------------------------------------------------------------

def inference(m: Any, x: Tensor) -> Tensor:
    with torch.inference_mode():
        made = torch.zeros(1, 3)
        made += m.a(x)
    return made


class Recurs(nn.Module):
    """Makes its first state by itself, in float32, and casts by name."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.h, self.f = nn.Linear(5 + 6, 6), nn.Linear(6, 3)
        self.eye = torch.eye(6)
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        h = torch.zeros(1, 6)
        self.count += 1
        kept = (x.sum() > 0).float()
        for step in range(x.shape[1]):
            h = torch.tanh(self.h(torch.cat([x[:, step], h], 1)) + h.float() @ self.eye.to(torch.float32))
        return self.f(h) + kept


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3)).eval()


@pytest.mark.parametrize("where", ["whole", "part"])
def test_compiled_modules_are_recorded_as_they_are_written(where: str) -> None:
    made = net()
    wanted = capture(made, X5, 1)
    model = torch.compile(made, backend="eager") if where == "whole" else \
        nn.Sequential(torch.compile(made, backend="eager")).eval()
    trace = capture(model, X5, 1)
    assert [layer.kind for layer in trace] == [layer.kind for layer in wanted]
    assert trace.objective == wanted.objective
    assert all("_orig_mod" not in layer.name for layer in trace)


@pytest.mark.parametrize("how", ["script", "trace"])
def test_torchscript_is_one_step_with_all_of_its_weights(how: str) -> None:
    part = net()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script = torch.jit.script(part) if how == "script" else torch.jit.trace(part, X5)
        model = nn.Sequential(nn.Linear(5, 5), script, nn.Linear(3, 3)).eval()
    trace = capture(model, X5, 1)
    F.cross_entropy(model(X5), torch.tensor([1])).backward()
    assert [layer.name for layer in trace] == ["input", "0", "1", "2", "softmax", "loss"]
    assert trace.parameters == sum(each.numel() for each in model.parameters())
    for name, parameter in model[1].named_parameters():
        assert np.array_equal(trace["1"].weight_gradients[name], parameter.grad.numpy())
    assert any("TorchScript" in note for note in trace.notes)


def test_inference_mode_and_vmap_inside_leave_numbers_and_a_reason() -> None:
    trace = capture(does(inference, a=linear()), X5, 1)
    assert np.array_equal(trace["a"].output, linear()(X5).detach().numpy()[0])
    assert any("Nothing flowed back" in note for note in trace.notes)
    rows = torch.linspace(0, 1, 15).reshape(1, 3, 5)
    mapped = does(lambda m, x: m.b(torch.vmap(lambda row: m.a(row).tanh())(x).mean(1)), a=linear(), b=linear(3, 2))
    trace = capture(mapped, rows, 1)
    F.cross_entropy(mapped(rows), torch.tensor([1])).backward()
    assert any("torch.func" in layer.why for layer in trace)
    found = [layer.weight_gradients["weight"] for layer in trace if layer.weights.get("weight", np.empty(0)).shape
             == (3, 5)]
    assert [np.array_equal(each, mapped.a.weight.grad.numpy()) for each in found] == [True]


def test_a_module_made_in_inference_mode_is_recorded() -> None:
    with torch.inference_mode():
        model = linear()
    assert capture(model, X5, 1)["linear"].weight_gradients["weight"].any()


def test_layers_in_a_plain_list_have_their_gradients_and_a_note() -> None:
    class Hides(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.mods, self.free = [nn.Linear(5, 4), nn.BatchNorm1d(4)], {"scale": nn.Parameter(torch.ones(4))}

        def forward(self, x: Tensor) -> Tensor:
            return self.mods[1](self.mods[0](x)) * self.free["scale"]

    model = Hides().eval()
    model.mods[1].eval()
    trace = capture(model, X5, 1)
    F.cross_entropy(model(X5), torch.tensor([1])).backward()
    assert np.array_equal(trace["mods.0"].weight_gradients["weight"], model.mods[0].weight.grad.numpy())
    assert np.array_equal(trace["free.scale"].gradient, model.free["scale"].grad.numpy())
    assert any("nn.ModuleList" in note for note in trace.notes)
    assert trace.parameters == 5 * 4 + 4 + 2 * 4 + 4
    assert capture(model, X5, 1, "float64")["mods.0"].output.dtype == np.float64
    assert model.mods[0].weight.dtype == torch.float32


def test_layers_that_nothing_holds_have_their_gradients_and_the_same_steps_in_float64() -> None:
    """In lists of lists, in objects of another kind, in a closure."""
    deep, box, closed = [[linear()]], type("Box", (), {"part": linear()})(), linear()
    model = does(lambda m, x: m.deep[0][0](x) + m.box.part(x) + closed(x), deep=deep, box=box)
    trace = capture(model, X5, 1)
    F.cross_entropy(model(X5), torch.tensor([1])).backward()
    wanted = closed.weight.grad.numpy()
    layers = [layer for layer in trace if layer.kind == "linear"]
    assert [np.array_equal(layer.weight_gradients["weight"], wanted) for layer in layers] == [True] * 3
    assert layers[0].name == "deep.0.0"
    assert [layer.name for layer in capture(model, X5, 1, "float64")] == [layer.name for layer in trace]
    assert study(trace, model, X5, "flow", target=1).studies["flow"]["weight_gradient"][1] > 0
    assert closed.weight.dtype == torch.float32


def test_a_state_that_is_given_is_no_batch() -> None:
    model = does(lambda m, x, h: m.f(m.c(x, h)[0][:, -1]), c=nn.GRU(5, 4, 2, batch_first=True), f=linear(4, 2))
    x, h = torch.linspace(-1, 1, 15).reshape(1, 3, 5).sin(), torch.linspace(-1, 1, 8).reshape(2, 1, 4)
    trace = capture(model, (x, h), 1)
    assert trace["input[1]"].axes == ("level", "unit")
    leaf = h.clone().requires_grad_()
    F.cross_entropy(model(x, leaf), torch.tensor([1])).backward()
    assert trace["input[1]"].gradient == pytest.approx(leaf.grad[:, 0].numpy(), rel=1e-5)


@pytest.mark.parametrize(("model", "says"), [
    (nn.LazyLinear(3), "call model\\(x\\) once"), (nn.Linear(5, 3, device="meta"), "load its weights"),
    (lambda x: x, "torch.nn.Module"), (nn.Sequential(nn.Linear(5, 3), nn.BatchNorm1d(3)).train(), "model.eval"),
    (nn.Linear(4, 3), "of the shape that it was made for")])
def test_what_cannot_run_names_the_way(model: Any, says: str) -> None:
    with pytest.raises(Refused, match=says):
        capture(model, X5, 1)


# --- precision and studies ------------------------------------------------------------------------------------------

def test_float64_reaches_what_a_model_makes_by_itself_and_leaves_it_as_it_was() -> None:
    model, x = Recurs().eval(), torch.linspace(-1, 1, 20).reshape(1, 4, 5)
    held = {name: (id(tensor), tensor.clone()) for name, tensor in model.state_dict(keep_vars=True).items()}
    eye = model.eye
    trace = capture(model, x, 1, "float64")
    assert {str(layer.output.dtype) for layer in trace if layer.output.dtype.kind == "f"} == {"float64"}
    h = torch.zeros(1, 6, dtype=torch.float64)
    twin = copy.deepcopy(model).double()
    for step in range(4):
        h = torch.tanh(twin.h(torch.cat([x[:, step].double(), h], 1)) + h @ eye.double())
    wanted = F.cross_entropy(twin.f(h) + float(x.sum() > 0), torch.tensor([1])).item()
    assert trace.objective.value == pytest.approx(wanted, rel=1e-14)
    assert [layer.name for layer in trace] == [layer.name for layer in capture(model, x, 1)]
    assert model.eye is eye
    assert torch.get_default_dtype() == torch.float32
    for name, tensor in model.state_dict(keep_vars=True).items():
        assert id(tensor) == held[name][0]
        assert torch.equal(tensor, held[name][1])


class Loop(nn.Module):
    """A loop over a cell, answering once; `torch_rnn` is the same as one call."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.c, self.f = nn.GRUCell(5, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        h = x.new_zeros(x.shape[0], 6)
        for step in range(x.shape[1]):
            h = self.c(x[:, step], h)
        return self.f(h)

    def torch_rnn(self) -> nn.Module:
        made = does(lambda m, x: m.f(m.c(x)[0][:, -1]), c=nn.GRU(5, 6, batch_first=True), f=self.f)
        made.c.load_state_dict({f"{name}_l0": tensor for name, tensor in self.c.state_dict().items()})
        return made


@pytest.mark.parametrize("alone", [False, True])
def test_connectivity_of_a_loop_over_a_cell_is_that_of_the_same_layer(alone: bool,
                                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    from visualizer.record.studies import connectivity

    if alone:
        monkeypatch.setattr(connectivity, "_takes_several", lambda *_: False)
    model, x = Loop().eval(), torch.linspace(-1, 1, 35).reshape(1, 7, 5).sin()
    found, wanted = (study(capture(each, x, 1), each, x, "connectivity", target=1).studies["connectivity"]
                     for each in (model, model.torch_rnn()))
    for key in ("gradient", "change"):
        assert found[key] == pytest.approx(wanted[key], rel=1e-9, abs=1e-12)


def test_a_study_takes_all_that_capture_takes() -> None:
    """Sizes of gradients are those of the output and the loss that were recorded, against autograd."""
    both = does(lambda m, x: {"aside": m.a(x), "logits": m.b(x)}, a=nn.Linear(5, 2), b=nn.Linear(5, 3)).eval()
    x = X5.clone()
    given = {"target": 2, "answer": {"output": "logits"}, "labels": ("a", "b", "c"), "keywords": {}, "dtype": "float32",
             "name": "both", "seed": 3, "budget": 1 << 20}
    found = study(capture(both, x, **given), both, x, "flow", **given)
    exact = copy.deepcopy(both).double()
    loss = nn.functional.cross_entropy(exact.b(x.double()), torch.tensor([2]))
    (wanted,) = torch.autograd.grad(loss, [exact.b.weight])
    sizes = dict(zip((layer.name for layer in found), found.studies["flow"]["weight_gradient"], strict=True))
    assert sizes["b"] == pytest.approx(float(wanted.norm()), rel=1e-12)
    with pytest.raises(TypeError, match="colour"):
        study(found, both, x, "flow", colour="red")
    with pytest.raises(Refused, match="allow more with the budget"):
        study(found, both, x, "flow", **{**given, "budget": 8})


@pytest.mark.parametrize("name", ["flow", "connectivity", "saturation", "jacobian", "bptt"])
def test_every_study_works_on_what_was_captured(name: str) -> None:
    model, x = Loop().eval(), torch.linspace(-1, 1, 20).reshape(1, 4, 5).sin()
    trace = study(capture(model, x, 1), model, x, name, target=1, **({"samples": [-x]} if name == "saturation" else {}))
    assert trace.studies[name]
    view = {"flow": "gradient_flow"}.get(name, name)
    assert draw(trace, view=view).caption
    if name == "saturation":
        assert int(trace.studies[name]["inputs"]) == 2


def test_a_study_that_has_nothing_to_measure_says_which_do() -> None:
    with pytest.raises(Refused, match=r"of all studies these do: .*\bflow\b"):
        study(capture(net(), X5, 1), net(), X5, "connectivity", target=1)


def test_gradient_flow_right_after_capture_shows_the_recorded_gradients() -> None:
    trace = capture(net(), X5, 1)
    picture = draw(trace, view="gradient_flow", at="0.backward")
    size = float(np.linalg.norm(trace["0"].gradient.astype(np.float64)))
    assert any(f"{size:.2g}" in str(row) for row in picture.table.rows) or f"{size:.2g}" in picture.caption
    assert any("in float32" in str(mark) for mark in picture)


# --- from the command line ------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("words", "wanted"), [
    ("4", 4), ("-1", -1), ("0.5", 0.5), ("1e-3", 0.001), ("1,0,2", [1, 0, 2]), ("[1 0 2]", [1, 0, 2]), ("[3]", [3])])
def test_a_target_in_words(words: str, wanted: Any) -> None:
    found = parser().parse_args(["record", "m", "--target", words, "-o", "x"]).target
    assert (found, type(found)) == (wanted, type(wanted))


def test_a_target_in_a_file(tmp_path: Path) -> None:
    def read(name: str) -> Any:
        return parser().parse_args(["record", "m", "--target", str(tmp_path / name), "-o", "x"]).target

    np.save(tmp_path / "a.npy", PIXELS.numpy())
    (tmp_path / "b.csv").write_text("1,2,3\n4,5,6\n")
    (tmp_path / "c.txt").write_text("0.5 1\n")
    assert np.array_equal(read("a.npy"), PIXELS.numpy())
    assert np.array_equal(read("b.csv"), [[1, 2, 3], [4, 5, 6]])
    assert read("b.csv").dtype == np.int64
    assert np.array_equal(read("c.txt"), [0.5, 1])
    np.save(tmp_path / "objects.npy", np.array([{}], object), allow_pickle=True)
    (tmp_path / "rows.csv").write_text("1,2\n3\n")
    for name in ("objects.npy", "rows.csv", "none.npy"):
        with pytest.raises(Refused):
            read(name)


def test_the_objectives_of_the_command_line_reach_the_model() -> None:
    trace = record("digits_cnn", "digit-3", objective="mse", target=[0.0] * 9 + [1.0])
    logits = trace[trace.answers[0].returned or trace.answers[0].layer].output.astype(np.float64)
    assert trace.objective.kind == "mean_squared_error"
    assert trace.objective.value == pytest.approx(float(np.square(logits - np.eye(10)[9]).mean()), rel=1e-5)
    assert record("digits_cnn", "digit-3", objective="sum").objective.value == pytest.approx(float(logits.sum()),
                                                                                           rel=1e-4)
    assert visualizer.capture is capture
