"""shift: the input moved by whole pixels or steps; zeros come in where it left."""

import numpy as np

from visualizer.edits import INPUT, Edit
from visualizer.language import tr
from visualizer.trace import Array

MOST = 10_000
"""Pixels or steps; whatever is shifted further is gone."""


def _read(words: str) -> tuple[int, int]:
    right, _, down = words.partition(",")
    across, along = int(right), int(down or 0)
    if max(abs(across), abs(along)) > MOST:
        raise ValueError(words)
    return across, along


def _said(right: int, down: int) -> str:
    return tr("shifted by {right}, {down}").format(right=f"{right:+d}", down=f"{down:+d}") if down else \
        tr("shifted by {right}").format(right=f"{right:+d}")


def shifted(array: Array, right: int, down: int) -> Array:
    """Pictures (row, column) to the right and down; steps (step, number) that many steps later."""
    if array.ndim != 2:
        raise ValueError("it has neither rows and columns nor steps")
    return _moved(_moved(array, down, 0), right, 1)


def later(array: Array, steps: int, none: int) -> Array:
    """A table (step, number) so many steps later."""
    if none:
        raise ValueError("steps have one direction only; write shift:N")
    return _moved(array, steps, 0)


def _moved(array: Array, by: int, axis: int) -> Array:
    moved = np.zeros_like(array)
    length = array.shape[axis]
    if abs(by) < length:
        to, source = [slice(None)] * array.ndim, [slice(None)] * array.ndim
        to[axis] = slice(max(by, 0), length + min(by, 0))
        source[axis] = slice(max(-by, 0), length - max(by, 0))
        moved[tuple(to)] = array[tuple(source)]
    return moved


def _of_array(array: Array, steps: bool, right: int, down: int) -> Array:
    return later(array, right, down) if steps else shifted(array, right, down)


EDIT = Edit("shift", "Shift", INPUT, "shift:RIGHT,DOWN or shift:STEPS", "the input moved by whole pixels or steps",
            _read, _said, of_array=_of_array)
