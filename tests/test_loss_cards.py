"""The card of a loss of classes: what stands in its columns is what the network really handed back, whatever the loss
is made of."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from visualizer.export import draw
from visualizer.record import capture
from visualizer.scene import numbers
from visualizer.scene.picture import Text

AIM = torch.tensor([1])
LOSSES: dict[str, tuple[Callable[[Tensor], Tensor], str, str]] = {
    "plain": (lambda z: functional.cross_entropy(z, AIM), "fc", "L = −ln p[target]"),
    "smooth": (lambda z: functional.cross_entropy(z, AIM, label_smoothing=0.2), "fc", "L = −Σ a·ln p"),
    "weighted": (lambda z: functional.cross_entropy(z, AIM, torch.tensor([1.0, 3.0, 1.0]), reduction="sum"), "fc",
                 "L = −a·ln p[target]"),
    "twice": (lambda z: 2 * functional.cross_entropy(z, AIM), "fc", "L = −ln p[target]"),
    "logarithms": (lambda z: 3 * functional.nll_loss(functional.log_softmax(z, -1), AIM), "log_softmax",
                   "L = −ln p[target]"),
    "squares": (lambda z: (functional.softmax(z, -1) ** 2).sum(), "fc", ""),
}


@pytest.mark.parametrize("name", list(LOSSES))
def test_the_last_column_on_the_way_back_is_the_recorded_gradient(name: str) -> None:
    objective, read, formula = LOSSES[name]
    torch.manual_seed(0)
    trace = capture(nn.Sequential(nn.Linear(4, 3)), torch.randn(1, 4), objective=objective)
    read = read if read in trace else "0"
    said = [mark.plain for mark in draw(trace, "microscope", f"{read}.backward", card="arrives")
            if isinstance(mark, Text)]
    for value in trace[read].gradient.ravel().tolist():
        assert f"{'+' if value > 0 else ''}{numbers.significant(value, 3)}" in said, (value, said)
    assert not {"p − y", "−y"} & set(said), "no label is known here"
    loss = next((layer for layer in trace if layer.kind in ("cross_entropy", "nll_loss")), None)
    if loss is not None:
        assert formula in [mark.plain for mark in draw(trace, "microscope", f"{loss.name}.forward")
                           if isinstance(mark, Text)]


def test_where_the_label_is_known_it_is_the_probability_less_it() -> None:
    torch.manual_seed(0)
    trace = capture(nn.Sequential(nn.Linear(4, 3)), torch.randn(1, 4), 1)
    said = [mark.plain for mark in draw(trace, "microscope", "0.backward", card="arrives") if isinstance(mark, Text)]
    assert "p − y" in said
    for value in trace["0"].gradient.ravel().tolist():
        assert f"{'+' if value > 0 else ''}{numbers.significant(value, 3)}" in said
