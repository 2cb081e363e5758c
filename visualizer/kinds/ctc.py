"""The loss of a network that spells without being told where each symbol stands: −ln of all ways to spell it, together.

Connectionist temporal classification; formulas: Graves, Fernández, Gomez, Schmidhuber 2006, "Connectionist temporal
classification", ICML, section 4. A way lays the symbols along the steps, each repeated as often as one likes, with
blanks between them where one likes, and with at least one between two that are equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from visualizer import said
from visualizer.kinds import Box, Inputs, Kind, Terms, _words
from visualizer.kinds._taps import Numbers, added, gradient_taps, grid_of, one, taps, whole
from visualizer.language import english, tr
from visualizer.trace import Cell, Layer, remembered


def ctc_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """All scores, because every share is one of its step; the ways are added up by the forward algorithm."""
    found = _passes(layer, inputs[0])
    steps, classes = inputs[0].shape
    read = taps(inputs[0], "output", grid_of(range(steps), range(classes)), grid=(steps, classes))
    return Terms("function", (read,), -found.logarithm * _scale(layer), formula=english("L = −ln Σ over ways Π pₜ"),
                 met=((english("ways to spell it"), found.ways),
                      (english("Σ over ways"), float(np.exp(found.logarithm)))))


def ctc_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """The share that a class got at a step, less the share of the ways that use it there."""
    found = _passes(layer, inputs[0])
    p, through = float(np.exp(found.logarithms[cell])), float(found.shares[cell])
    # two terms, because they nearly cancel where the answer is nearly right: float32 rounds each of them
    slopes = np.array([p, -through] if through else [p]) * _scale(layer)
    return added(gradient_taps(layer, np.repeat(one(()), len(slopes), axis=0), slopes),
                 formula=english("∂L/∂z = p − share of the ways through here"),
                 met=(("p", p), (english("ways through here"), through)))


def ways_of(layer: Layer, scores: Layer) -> tuple[Numbers, float, float]:
    """(step, class) what part of the ways goes through each symbol; their probability together; their number."""
    found = _passes(layer, scores)
    return found.shares, float(np.exp(found.logarithm)), found.ways


def ctc_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    return whole(inputs[0].shape)


def ctc_sentence(layer: Layer, inputs: Inputs) -> str:
    spelled = " ".join(_words.count(symbol, *said.of("setting", layer, (place,), "target"))
                       for place, symbol in enumerate(layer.settings["target"]))
    found = _passes(layer, inputs[0])
    words = tr("The loss is −ln of the probability that {steps} spell {spelled}, all {ways} ways together: −ln {share} "
               "= {loss}.")
    return words.format(
        steps=_words.some(inputs[0].shape[0], "step", *said.axis(inputs[0], 0)), spelled=spelled,
        ways=_words.value(found.ways, *said.of("ways to spell it", layer)),
        share=_words.value(float(np.exp(found.logarithm)), *said.of("chance to spell it", layer)),
        loss=_words.value(float(layer.output) / _scale(layer), *said.of("−ln of the chance to spell it", layer)))


@dataclass(frozen=True, eq=False)
class _Passes:
    """What the forward and the backward pass over the steps found."""

    logarithms: Numbers
    """(step, class): ln of the share of each class."""
    logarithm: float
    """ln of the sum over all ways."""
    shares: Numbers
    """(step, class): what part of that sum belongs to ways that have this class at this step."""
    ways: float
    """How many there are."""


@remembered(4)
def _passes(layer: Layer, scores: Layer) -> _Passes:
    """The sums over ways up to each step, and from each step on; every cell of the scores needs the same ones."""
    z = scores.output.astype(np.float64)
    logarithms = z - z.max(axis=1, keepdims=True)
    logarithms = logarithms - np.log(np.exp(logarithms).sum(axis=1, keepdims=True))
    blank = int(layer.settings["blank"])
    symbols = np.full(2 * len(layer.settings["target"]) + 1, blank)
    symbols[1::2] = layer.settings["target"]
    chosen = logarithms[:, symbols]
    before, after = _forward(chosen, symbols), _forward(chosen[::-1, ::-1], symbols[::-1])[::-1, ::-1]
    total = float(np.logaddexp.reduce(before[-1, -2:]))
    through = np.exp(before + after - chosen - total)  # both passes count the step itself
    shares = np.zeros(z.shape)
    for place, symbol in enumerate(symbols):
        shares[:, symbol] += through[:, place]
    ways = _forward(np.zeros(chosen.shape), symbols)
    return _Passes(logarithms, total, shares, float(np.rint(np.exp(np.logaddexp.reduce(ways[-1, -2:])))))


def _forward(logarithms: Numbers, symbols: Any) -> Numbers:
    """(step, place): ln of the sum over all ways to begin that have reached this place of blank, symbol, blank, …

    A way stays, goes on by one place, or leaps over the blank between two symbols that differ.
    """
    steps, places = logarithms.shape
    leaps = np.zeros(places, dtype=bool)
    leaps[3::2] = symbols[3::2] != symbols[1:-2:2]
    found = np.full((steps, places), -np.inf)
    found[0, :2] = logarithms[0, :2]
    for step in range(1, steps):
        stays = found[step - 1]
        on = np.concatenate([[-np.inf], stays[:-1]])
        leap = np.where(leaps, np.concatenate([[-np.inf, -np.inf], stays[:-2]]), -np.inf)
        found[step] = np.logaddexp(np.logaddexp(stays, on), leap) + logarithms[step]
    return found


def _scale(layer: Layer) -> float:
    """torch's mean divides by how many symbols are spelled."""
    return 1.0 if layer.settings.get("reduction", "mean") == "sum" else 1.0 / len(layer.settings["target"])


def _axes(settings: Mapping[str, Any], inputs: tuple[tuple[str, ...], ...], shape: tuple[int, ...]) -> tuple[str, ...]:
    return ()


KINDS = (
    Kind("ctc_loss", english("CTC loss"), {}, _axes, ctc_terms, ctc_backward, ctc_box, ctc_sentence,
         short=lambda layer, inputs: tr("spells {symbols}").format(
             symbols=" ".join(map(str, layer.settings["target"]))), role="loss",
         label="symbols", sums_paths=True),
)
