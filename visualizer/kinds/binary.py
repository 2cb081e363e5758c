"""The loss of a network that answers yes or no for each of many numbers: binary cross entropy, from chances or logits.

Formula: Goodfellow, Bengio, Courville 2016, Deep Learning, section 6.2.2.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from visualizer import said
from visualizer.kinds import Box, Inputs, Kind, Terms, _words
from visualizer.kinds._dims import same_but_ones
from visualizer.kinds._taps import Cells, Numbers, added, gradient_taps, look, one, taps, unravel, whole
from visualizer.language import english, tr
from visualizer.trace import Cell, Layer

LEAST_LN = -100.0
"""torch takes no logarithm of a chance to be less."""


def binary_terms(from_logits: bool, layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """−ln of the chance given to what is right, yes or no; the mean of that where there are several numbers."""
    cells = _counted(layer, inputs, cell)
    read, wanted = taps(inputs[0], "output", cells), _wanted(layer, inputs, cells)
    yes, no = _logarithms(from_logits, read.values)
    costs = -(wanted * yes + (1 - wanted) * no)
    formula = "L = −t·ln p − (1 − t)·ln(1 − p)" if len(cells) == 1 else "L = −Σ (t·ln p + (1 − t)·ln(1 − p)) / n"
    return Terms("function", (read,), float(costs.sum()) * _share(layer, inputs), formula=formula, met=(
        (english("numbers that count"), float(len(cells))), (english("largest −ln p of what is right"),
                                                             float(costs.max()))))


def costs(from_logits: bool, layer: Layer, inputs: Inputs) -> tuple[Cells, Numbers]:
    """(cells, what each adds): every answer, and −ln of the chance that it gives to what is right, as a part of the
    loss."""
    cells = _counted(layer, inputs, ())
    yes, no = _logarithms(from_logits, taps(inputs[0], "output", cells).values)
    wanted = _wanted(layer, inputs, cells)
    return cells, -(wanted * yes + (1 - wanted) * no) * _share(layer, inputs)


def binary_backward(from_logits: bool, layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """p − t for a logit; for a chance that divided by p·(1 − p); what was wanted gets the logit itself, turned."""
    value = float(inputs[0].output[cell])
    wanted = float(_wanted(layer, inputs, one(cell))[0])
    yes, no = (float(each[0]) for each in _logarithms(from_logits, np.array([value])))
    p, place = (float(np.exp(yes)) if from_logits else value), cell if layer.output.ndim else ()
    if which:
        slopes, formula = np.array([-yes, no]), "∂L/∂t = (ln(1 − p) − ln p) / n"
    elif from_logits:
        slopes, formula = np.array([p, -wanted]), "∂L/∂z = (p − t) / n"
    else:
        slopes = np.array([p, -wanted]) / max(p * (1 - p), 1e-12)
        formula = "∂L/∂p = (p − t) / (p·(1 − p)·n)"
    # two terms, because they nearly cancel where the answer is nearly right: float32 rounds each of them
    return added(gradient_taps(layer, np.repeat(one(place), 2, axis=0), slopes * _share(layer, inputs)),
                 formula=formula, met=(("p", p), (english("wanted"), wanted)))


def binary_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    return box if layer.output.ndim else whole(inputs[which].shape)


def binary_sentence(layer: Layer, inputs: Inputs) -> str:
    count, loss = inputs[0].output.size, layer.output
    if loss.ndim:
        return tr("The loss of each number is −ln of the chance that it gives to what is right; here it is "
                  "{spread}.").format(spread=_words.spread(layer))
    if count == 1:
        words = tr("The loss is −ln of the chance given to what is right: {loss}.")
    elif layer.settings.get("reduction") == "sum":
        words = tr("The loss is −ln of the chance given to what is right, yes or no, summed over {numbers}: {loss}.")
    else:
        words = tr("The loss is −ln of the chance given to what is right, yes or no, averaged over {numbers}: {loss}.")
    return words.format(numbers=_words.some(count, "number", *said.size(inputs[0])), loss=_words.one(layer))


def _logarithms(from_logits: bool, values: Numbers) -> tuple[Numbers, Numbers]:
    """ln p and ln(1 − p)."""
    if from_logits:
        return -np.logaddexp(0, -values), -np.logaddexp(0, values)
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(values), LEAST_LN), np.maximum(np.log1p(-values), LEAST_LN)


def _counted(layer: Layer, inputs: Inputs, cell: Cell) -> Cells:
    """The numbers that go into one cell of the loss."""
    return one(cell) if layer.output.ndim else unravel(np.arange(inputs[0].output.size), inputs[0].shape)


def _wanted(layer: Layer, inputs: Inputs, cells: Cells) -> Numbers:
    """What was wanted of these cells, which the loss read second."""
    weighed = layer.weights or any(layer.settings.get(name) is not None for name in ("weight", "pos_weight"))
    if len(inputs) != 2 or weighed or not same_but_ones(inputs[1].shape, inputs[0].shape):
        raise LookupError(tr("{layer} does not say plainly what was wanted, so it cannot be taken apart."
                             ).format(layer=layer.name))
    return look(inputs[1].output.reshape(inputs[0].shape), cells)[0]


def _share(layer: Layer, inputs: Inputs) -> float:
    """With what each number counts: one in as many as there are for the mean, else whole."""
    return 1.0 / inputs[0].output.size if layer.settings.get("reduction", "mean") == "mean" else 1.0


def _axes(settings: Mapping[str, Any], inputs: tuple[tuple[str, ...], ...], shape: tuple[int, ...]) -> tuple[str, ...]:
    return inputs[0] if shape else ()


def _kind(name: str, title: str, arguments: str, from_logits: bool) -> Kind:
    return Kind(name, title, {name: arguments}, _axes, partial(binary_terms, from_logits),
                partial(binary_backward, from_logits), binary_box, binary_sentence, role="loss", label="numbers",
                back=english("probability − label") if from_logits else "")


KINDS = (
    _kind("binary_cross_entropy", english("binary cross entropy"),
          "input target weight size_average reduce reduction", False),
    _kind("binary_cross_entropy_with_logits", english("binary cross entropy of logits"),
          "input target weight size_average reduce reduction pos_weight", True),
)
