"""A sequence in a batch of different lengths: packed without its padding, padded again, and put in order by length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from visualizer import said
from visualizer.kinds import Box, Inputs, Kind, Terms, _words
from visualizer.kinds._dims import axis_of
from visualizer.kinds._taps import added, copied, gradient_taps, one, taps
from visualizer.language import english, tr
from visualizer.trace import Cell, Layer

Axes = tuple[str, ...]


def packed_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """The same number; steps past the length of the sequence are left out. Beside it stands how many sequences are as
    long as that."""
    if layer.settings.get("part") == 1:
        return _counted(inputs[1], cell[0], english("y_t = how many lengths are above t"))
    return copied(taps(inputs[0], "output", one(cell)), "y_t = x_t")


def packed_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    if layer.settings.get("part") == 1:
        return added(formula=english("∂L/∂n = 0: lengths are whole numbers"))
    if which or cell[0] >= len(layer.output):
        return added(formula=english("∂L/∂x_t = 0: the step is left out"))
    return copied(gradient_taps(layer, one(cell)), "∂L/∂x_t = ∂L/∂y_t")


def padded_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """The same number, and the padding value after the last step. Beside it stands how long each sequence is."""
    if layer.settings.get("part") == 1:
        return _counted(inputs[1], cell[0] if cell else 0, english("y_n = in how many steps more than n are read"))
    outside = float(layer.settings.get("padding_value", 0.0))
    return copied(taps(inputs[0], "output", one(cell), outside=outside), "y_t = x_t")


def padded_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    if which or layer.settings.get("part") == 1:
        return added(formula=english("∂L/∂n = 0: lengths are whole numbers"))
    return copied(gradient_taps(layer, one(cell)), "∂L/∂x_t = ∂L/∂y_t")


def _counted(lengths: Layer, above: int, formula: str) -> Terms:
    read = taps(lengths, "output", np.arange(lengths.output.size)[:, None] if lengths.shape else one(()))
    return Terms("function", (read,), float((read.values > above).sum()), formula=formula)


def same_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    counts = layer.settings.get("part") == 1
    if which:
        return tuple((0, size - 1 if counts else -1) for size in inputs[which].shape)
    return tuple((0, -1) for _ in inputs[0].shape) if counts else box


def packed_sentence(layer: Layer, inputs: Inputs) -> str:
    if layer.settings.get("part") == 1:
        return tr("How many sequences are still read at each step of {source}.").format(source=inputs[0].name)
    left_out = len(inputs[0].output) - len(layer.output)
    words = tr("The sequence is packed: {steps} of {source} is read, {others} of padding left out.") \
        if len(layer.output) == 1 else \
        tr("The sequence is packed: {steps} of {source} are read, {others} of padding left out.")
    return words.format(steps=_words.some(len(layer.output), "step", *said.axis(layer, 0)), source=inputs[0].name,
                        others=_words.some(left_out, "step", *said.of("how many fewer", layer)))


def padded_sentence(layer: Layer, inputs: Inputs) -> str:
    if layer.settings.get("part") == 1:
        return tr("How many steps of {source} the sequence has: {count}.").format(source=inputs[0].name,
                                                                                 count=_words.one(layer))
    more = len(layer.output) - len(inputs[0].output)
    return tr("The {steps} of {source} are padded again with {others} of {value}.").format(
        steps=_words.some(len(inputs[0].output), "step", *said.axis(inputs[0], 0)), source=inputs[0].name,
        others=_words.some(more, "step", *said.of("how many more", layer)),
        value=_words.value(layer.settings.get("padding_value", 0.0),
                           *said.of("plain operand", layer, array="padding_value")))


def _packed_axes(settings: Mapping[str, Any], inputs: tuple[Axes, ...], shape: tuple[int, ...]) -> Axes:
    return ("step", *(axis for axis in inputs[0] if axis not in ("batch", "step")))[:len(shape)]


def _padded_axes(settings: Mapping[str, Any], inputs: tuple[Axes, ...], shape: tuple[int, ...]) -> Axes:
    if settings.get("part") == 1:
        return ("batch",)
    return ("batch", "step", *inputs[0][1:]) if settings.get("batch_first") else ("step", "batch", *inputs[0][1:])


# --- index_select: slices in another order ----------------------------------------------------------------------------

def chosen_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """The number in the slice that the index names."""
    return copied(taps(inputs[0], "output", one(_source(layer, inputs, cell))), "y_i = x_{index_i}")


def chosen_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """Every slice that was read from this one."""
    if which:
        return added(formula=english("∂L/∂index = 0: places are whole numbers"))
    axis = _axis(layer, inputs)
    if axis is None:
        return copied(gradient_taps(layer, one(cell)), "∂L/∂x = ∂L/∂y")
    places = np.flatnonzero(inputs[1].output == cell[axis])
    cells = np.array([(*cell[:axis], place, *cell[axis + 1:]) for place in places], dtype=np.int64)
    return added(gradient_taps(layer, cells.reshape(len(places), len(cell))),
                 formula=english("∂L/∂x_j = Σ ∂L/∂y_i where index_i = j"))


def chosen_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    axis = _axis(layer, inputs)
    if which or axis is None:
        return tuple((0, -1) for _ in inputs[which].shape) if which else box
    low, high = box[axis]
    index = inputs[1].output[low:high + 1]
    return (*box[:axis], (int(index.min()), int(index.max())), *box[axis + 1:])


def chosen_sentence(layer: Layer, inputs: Inputs) -> str:
    return tr("Slices of {source} are put in another order, or some of them left out: {slices} of the shape {shape} in "
              "all.").format(source=inputs[0].name, shape=_words.shape(layer),
                             slices=_words.some(inputs[1].output.size, "slice", *said.size(inputs[1])))


def _axis(layer: Layer, inputs: Inputs) -> int | None:
    return axis_of(layer.settings, int(layer.settings["dim"]), inputs[0].output.ndim)


def _source(layer: Layer, inputs: Inputs, cell: Cell) -> Cell:
    axis = _axis(layer, inputs)
    return cell if axis is None else (*cell[:axis], int(inputs[1].output[cell[axis]]), *cell[axis + 1:])


def _chosen_axes(settings: Mapping[str, Any], inputs: tuple[Axes, ...], shape: tuple[int, ...]) -> Axes:
    return inputs[0]


KINDS = (
    Kind("pack_padded_sequence", english("packing"), {"_pack_padded_sequence": "input lengths batch_first"},
         _packed_axes,
         packed_terms, packed_backward, same_box, packed_sentence, moves_only=True, role="packed",
         tells_places=True),
    Kind("pad_packed_sequence", english("padding again"),
         {"_pad_packed_sequence": "data batch_sizes batch_first padding_value total_length"}, _padded_axes,
         padded_terms, padded_backward, same_box, padded_sentence, moves_only=True, tells_places=True),
    Kind("index_select", english("choice of slices"), {"index_select": "input dim index"}, _chosen_axes, chosen_terms,
         chosen_backward, chosen_box, chosen_sentence, moves_only=True),
)
