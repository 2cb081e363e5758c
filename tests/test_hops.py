"""Why a gradient became shorter on its way through a layer: the reasons are of the layer, and of its numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.gradient_toys import Steps, given, residual, tower
from visualizer import record
from visualizer.scene import hops, parts
from visualizer.scene.picture import Image, Look
from visualizer.scene.timeline import timeline
from visualizer.trace import Trace
from visualizer.views import find


def told(trace: Trace, name: str, kept: float = 0.5, stretch: float = 2.0) -> str:
    (reader,) = hops.handers(trace, name)
    return hops.reason(trace, trace[name], reader, kept, stretch)


@pytest.mark.parametrize(("kind", "words"), [(nn.ReLU, "ReLU lets the gradient through at"),
                                             (nn.Sigmoid, "slope of a sigmoid is at most 1/4"),
                                             (nn.Tanh, "slope of tanh is at most 1")])
def test_nonlinearities_are_named_with_their_own_slope(kind: type[nn.Module], words: str) -> None:
    _, again = tower(kind, 2)
    assert words in told(again.trace, "fc1")
    values = torch.tensor(again.trace["fc1"].output, requires_grad=True)
    made: Tensor = kind()(values)
    slope = torch.autograd.grad(made.sum(), values)[0].mean()
    assert (f"{float(slope) * 100:.0f} %" if kind is nn.ReLU else f"{float(slope):.2f}") in told(again.trace, "fc1")


def test_weights_pools_and_norms_are_named() -> None:
    _, again = tower(nn.Tanh, 2)
    assert "2.0 times at most" in told(again.trace, "act1")
    skip = residual().trace
    assert "Normalising rescales" in told(skip, "convs.0")
    assert "evenly among 64 values" in told(skip, "relu#4", 0.125)


def test_a_skip_is_named_only_where_there_is_one() -> None:
    skip = residual().trace
    assert "the skip hands one of them on whole" in hops.added(skip, "relu")
    assert hops.added(skip, "stem") == ""


def test_what_a_cut_part_reads_was_handed_nothing() -> None:
    _, again, _ = Steps.example("GRU")
    assert hops.handers(again.trace, again.trace.answer.name if again.trace.answer else "fc") is not None
    assert [layer.name for layer in hops.handers(again.trace, "input")] == ["rnn"]


# --- symbols ----------------------------------------------------------------------------------------------------------

class Reader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.fc = nn.Embedding(5, 4), nn.Linear(4, 3)

    def forward(self, ids: Tensor) -> Tensor:
        answer: Tensor = self.fc(self.embedding(ids).tanh().sum(1))
        return answer


def test_symbols_have_the_gradient_of_their_embedding_by_finite_differences() -> None:
    """∥∂L/∂e_t∥, each of its numbers from moving that one entry by a little, in double precision."""
    torch.manual_seed(0)
    model, ids = Reader().eval().double(), torch.tensor([[1, 3, 2]])
    again = given(model, ids, target=1)
    sizes = hops.of_symbols(again.trace, again.trace["input"])
    assert sizes is not None

    def loss(step: int, unit: int, by: float) -> float:
        vectors = model.embedding(ids).detach().clone()
        vectors[0, step, unit] += by
        return float(nn.functional.cross_entropy(model.fc(vectors.tanh().sum(1)), torch.tensor([1])).detach())

    moved = np.array([[(loss(step, unit, 1e-6) - loss(step, unit, -1e-6)) / 2e-6 for unit in range(4)]
                      for step in range(3)])
    assert sizes == pytest.approx(np.linalg.norm(moved, axis=1), rel=1e-6)


def test_a_text_is_coloured_by_what_its_symbols_would_change() -> None:
    torch.manual_seed(0)
    again = given(Reader().eval(), torch.tensor([[1, 3, 2]]), target=1, labels=("a", "b", "c"))
    trace = again.trace
    picture = find("network").draw(trace, timeline(trace).find("embedding.backward"), None, Look())
    (column,) = [mark for mark in picture if isinstance(mark, Image) and mark.focus is not None
                 and mark.focus.layer == "input"]
    assert column.palette == "gradient"
    assert column.hatched is None
    sizes = hops.of_symbols(trace, trace["input"])
    assert sizes is not None
    assert np.argsort(column.values.ravel()).tolist() == np.argsort(sizes).tolist()
    assert f"number {int(np.argmax(sizes)) + 1} would change the loss most" in picture.caption
    assert parts.largest_gradient(trace) >= float(sizes.max())


def test_numbers_that_are_no_symbols_have_no_such_gradient() -> None:
    trace = record.record("digits_cnn", "digit-2148")
    assert hops.of_symbols(trace, trace["input"]) is None
    assert hops.of_symbols(trace, trace["conv1"]) is None
