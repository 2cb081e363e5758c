"""The loss of a network that answers with a number: the square of how far off it is, or the mean of such squares.

Formula: Goodfellow, Bengio, Courville 2016, Deep Learning, section 5.1.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from visualizer import said
from visualizer.kinds import Box, Inputs, Kind, Terms, _words
from visualizer.kinds._dims import same_but_ones
from visualizer.kinds._taps import Cells, Numbers, added, gradient_taps, one, ravel, taps, unravel, whole
from visualizer.language import english, tr
from visualizer.trace import Cell, Layer


def mse_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """What was answered, less what was wanted, times itself; the mean of that where there are several numbers."""
    cells = _counted(layer, inputs, cell)
    read = taps(inputs[0], "output", cells)
    wanted = _wanted(layer, inputs, cells)
    squares = (read.values - wanted) ** 2
    result = float(squares.sum()) * _share(layer, inputs)
    if len(cells) == 1:
        return Terms("function", (read,), result, formula="L = (y − target)²", met=(
            (english("answered"), float(read.values[0])), (english("wanted"), float(wanted[0])),
            (english("difference"), float(read.values[0] - wanted[0]))))
    return Terms("function", (read,), result, formula="L = Σ (y − target)² / n", met=(
        (english("numbers that count"), float(len(cells))), (english("largest (y − target)²"), float(squares.max()))))


def costs(layer: Layer, inputs: Inputs) -> tuple[Cells, Numbers]:
    """(cells, what each adds): every answer, and its squared difference as a part of the loss."""
    cells = _counted(layer, inputs, ())
    differences = taps(inputs[0], "output", cells).values - _wanted(layer, inputs, cells)
    return cells, differences ** 2 * _share(layer, inputs)


def mse_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """Twice the difference, as a share of the mean; with the other sign for a target that was itself computed."""
    answered = float(inputs[0].output[cell])
    wanted = float(_wanted(layer, inputs, one(cell))[0])
    sign = -1.0 if which else 1.0
    # two terms, because they nearly cancel where the answer is nearly right: float32 rounds each of them
    slopes = np.array([answered, -wanted]) * (2 * sign * _share(layer, inputs))
    place = cell if layer.output.ndim else ()
    return added(gradient_taps(layer, np.repeat(one(place), 2, axis=0), slopes), formula="∂L/∂y = 2 (y − target) / n",
                 met=((english("answered"), answered), (english("wanted"), wanted)))


def mse_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    return box if layer.output.ndim else whole(inputs[which].shape)


def mse_sentence(layer: Layer, inputs: Inputs) -> str:
    if layer.output.ndim:
        return tr("The loss is the square of how far each number is off; here it is {spread}.").format(
            spread=_words.spread(layer))
    count = inputs[0].output.size
    if count > 1:
        words = tr("The loss is the square of how far the answer is off, summed over {numbers}: {loss}.") \
            if layer.settings.get("reduction") == "sum" else \
            tr("The loss is the square of how far the answer is off, averaged over {numbers}: {loss}.")
        return words.format(numbers=_words.some(count, "number", *said.size(inputs[0])), loss=_words.one(layer))
    answered = float(inputs[0].output.reshape(()))
    wanted = float(_wanted(layer, inputs, np.zeros((1, inputs[0].output.ndim), dtype=np.int64))[0])
    return tr("The loss is the square of how far the answer {answered} is off the wanted {wanted}: {difference}² = "
              "{loss}.").format(
                                answered=_words.one(inputs[0]), loss=_words.one(layer),
                                wanted=_words.value(wanted, *said.of("number wanted", layer)),
                                difference=_words.value(answered - wanted, *said.of("how far off", layer)))


def mse_short(layer: Layer, inputs: Inputs) -> str:
    target = layer.settings.get("target")
    return tr("target {target}").format(target=_words.value(
        float(target), *said.of("setting", layer, array="target"))) if isinstance(target, int | float) else ""


def halves_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """Half the square of every answer's distance from the target, added up: of the last step, or of all of them."""
    read = [taps(source, "output", _steps_counted(layer, source)) for source in inputs]
    squares = np.concatenate([(one.values - float(layer.settings["target"])) ** 2 for one in read])
    return Terms("function", tuple(read), 0.5 * float(squares.sum()), formula="L = ½ Σ (y − target)²",
                 met=((english("numbers that count"), float(squares.size)),
                      (english("largest (y − target)²"), float(squares.max()))))


def halves_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """The difference itself; nothing to an answer that does not count."""
    answered, wanted = float(inputs[which].output[cell]), float(layer.settings["target"])
    counts = bool((_steps_counted(layer, inputs[which]) == np.array(cell)).all(axis=1).any())
    slopes = np.array([answered, -wanted]) * float(counts)
    return added(gradient_taps(layer, np.repeat(one(()), 2, axis=0), slopes), formula="∂L/∂y = y − target",
                 met=((english("answered"), answered), (english("wanted"), wanted)))


def halves_sentence(layer: Layer, inputs: Inputs) -> str:
    words = tr("The loss is half the square of how far each answer is off {target} at the last step, added up: "
               "{loss}.") if layer.settings["counts"] == "end" else \
        tr("The loss is half the square of how far each answer is off {target} at every step, added up: {loss}.")
    target = _words.value(float(layer.settings["target"]), *said.of("setting", layer, array="target"))
    return words.format(target=target, loss=_words.one(layer))


def _steps_counted(layer: Layer, source: Layer) -> Cells:
    """The answers of a layer with steps that cost anything."""
    first = source.shape[0] - 1 if layer.settings["counts"] == "end" else 0
    return unravel(np.arange(first * source.shape[1], source.output.size), source.shape)


def _counted(layer: Layer, inputs: Inputs, cell: Cell) -> Cells:
    """The numbers that go into one cell of the loss."""
    shape = inputs[0].shape
    return one(cell) if layer.output.ndim else unravel(np.arange(inputs[0].output.size), shape)


def _wanted(layer: Layer, inputs: Inputs, cells: Cells) -> Numbers:
    """What was wanted of these cells: a plain number for all of them, or what the loss read second."""
    target = inputs[1].output if len(inputs) > 1 else layer.settings.get("target")
    if target is None or layer.settings.get("weight") is not None:
        raise LookupError(tr("{layer} does not say plainly what was wanted, so it cannot be taken apart."
                             ).format(layer=layer.name))
    found = np.asarray(target, dtype=np.float64)
    if found.size == 1:
        return np.full(len(cells), found.reshape(())[()])
    if same_but_ones(found.shape, inputs[0].shape):
        found = found.reshape(inputs[0].shape)
    else:
        raise LookupError(tr("{layer} is aimed at another shape than it was given, which is not explained."
                             ).format(layer=layer.name))
    places = [ravel(tuple(cell), found.shape) for cell in cells.tolist()]
    chosen: Numbers = found.reshape(-1)[places]
    return chosen


def _share(layer: Layer, inputs: Inputs) -> float:
    """With what each square counts: one in as many as there are for the mean, else whole."""
    return 1.0 / inputs[0].output.size if layer.settings.get("reduction", "mean") == "mean" else 1.0


def _axes(settings: Mapping[str, Any], inputs: tuple[tuple[str, ...], ...], shape: tuple[int, ...]) -> tuple[str, ...]:
    return inputs[0] if shape else ()


KINDS = (
    Kind("mse_loss", english("mean squared error"), {"mse_loss": "input target size_average reduce reduction weight"},
         _axes, mse_terms, mse_backward, mse_box, mse_sentence, short=mse_short, role="loss",
         label="numbers"),
    Kind("half_squared_errors", english("half the squared errors"), {}, _axes, halves_terms, halves_backward,
         lambda layer, inputs, which, box: whole(inputs[which].shape), halves_sentence,
         short=lambda layer, inputs: tr("target {target}").format(
             target=_words.value(float(layer.settings["target"]), *said.of("setting", layer, array="target"))),
         role="loss"),
)
"""torch has no call for the second: the laboratory of gradients adds up the errors of its three cells with it."""
