"""An input without any batch axis is one sample: that is tried on the model, not guessed from the shape."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import visualizer
from tests.networks import NETWORKS, Does
from visualizer import answers
from visualizer.trace import Refused

JOINED = torch.tensor([[0.5, 0.5, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0], [0.0, 0.0, 0.5, 0.5], [0.5, 0.0, 0.0, 0.5]])


def layers() -> dict[str, nn.Module]:
    torch.manual_seed(4)
    return {"one": nn.Linear(3, 5), "norm": nn.BatchNorm1d(5), "two": nn.Linear(5, 2)}


def test_nodes_of_a_graph_are_one_sample_and_each_has_its_target() -> None:
    model, nodes = Does(lambda m, x, a: m.two(a @ m.one(x).tanh()), **layers()).eval(), torch.randn(4, 3)
    trace = visualizer.capture(model, (nodes, JOINED), target=[1, 0, -100, 1], labels=("no", "yes"))
    model.double()
    read = nodes.double().requires_grad_()
    made = model(read, JOINED.double())
    loss = nn.functional.cross_entropy(made, torch.tensor([1, 0, -100, 1]))
    loss.backward()
    assert trace.objective.value == pytest.approx(loss.item(), rel=1e-6)
    assert trace["input"].axes == ("item", "unit")
    assert trace["two"].axes == ("item", "class")
    assert np.abs(trace["two"].output - made.detach().numpy()).max() < 1e-6
    assert np.abs(trace["input"].gradient - read.grad.numpy()).max() < 1e-6
    assert trace.check().passed
    (answer,) = trace.answers
    kind = answers.of(answer)
    assert kind.name == "items"
    chances = made.softmax(1).detach().numpy()
    right = (chances.argmax(1) == [1, 0, 0, 1])[[0, 1, 3]].mean()
    assert kind.score(trace, answer)[0][1] == pytest.approx(right)
    item, best = np.unravel_index(chances.argmax(), chances.shape)
    assert f"number {item} has the surest answer, “{('no', 'yes')[best]}”" in kind.sentence(trace, answer)


@pytest.mark.parametrize("training", [False, True])
def test_samples_that_do_not_see_each_other_are_refused(training: bool) -> None:
    """A batch norm that is learning mixes samples, and they stay samples."""
    model = Does(lambda m, x: m.two(m.norm(m.one(x)).relu()), **layers()).train(training)
    before = [tensor.clone() for tensor in model.state_dict().values()]
    with pytest.raises(Refused, match="holds 4 samples along its axis 0"):
        visualizer.capture(model, torch.randn(4, 3))
    assert model.training is model.norm.training is training
    assert all(map(torch.equal, before, model.state_dict().values()))


def test_samples_beside_something_that_all_of_them_read_are_refused() -> None:
    model = Does(lambda m, x, table: m.two(torch.softmax(m.one(x) @ table.T, 1) @ table), **layers()).eval()
    with pytest.raises(Refused, match="holds 4 samples"):
        visualizer.capture(model, (torch.randn(4, 3), torch.randn(6, 5)))
    trace = visualizer.capture(model, (torch.randn(1, 3), torch.randn(6, 5)), target=1)
    assert trace["input"].axes == ("unit",)
    assert trace["input[1]"].shape == (6, 5)


def test_one_answer_for_all_rows_makes_them_parts_of_one_sample() -> None:
    for does in (lambda m, x: m.two(m.one(x).amax(0)), lambda m, x: m.two(m.one(x).sum(0, keepdim=True))):
        trace = visualizer.capture(Does(does, **layers()).eval(), torch.randn(6, 3), target=1)
        assert trace["input"].axes == ("item", "unit")
        assert trace["one"].shape == (6, 5)
        assert trace.check().passed


def test_pairs_of_nodes_are_no_samples() -> None:
    model, read, target = NETWORKS["graph_of_edges"]()
    trace = visualizer.capture(model, read, target)
    assert trace["input[1]"].shape == (2, 7)
    assert "batch" not in trace["input[1]"].axes
    assert not trace.check().unverified
