"""shift: the input moved by whole pixels or steps; nothing comes in where it left."""

import numpy as np

from visualizer.edits import INPUT, NUMBERS, PAD, PLANE, Arguments, Edit, Grain, Knob, Matter, Strength, of_knobs
from visualizer.language import english, tr
from visualizer.trace import Array

MOST = 10_000
"""Pixels or steps; whatever is shifted further is gone."""


def _said(right: int, down: int) -> str:
    return tr("shifted by {right}, {down}").format(right=f"{right:+d}", down=f"{down:+d}") if down else \
        tr("shifted by {right}").format(right=f"{right:+d}")


def shifted(matter: Matter, right: int, down: int) -> Array:
    """Pictures to the right and down; of steps each comes so many later."""
    if matter.grain.has(PLANE):
        return _moved(_moved(matter.array, down, matter.axis("row"), matter.grain.empty),
                      right, matter.axis("column"), matter.grain.empty)
    if down:
        raise ValueError(tr("steps have one direction only; write shift:N"))
    return _moved(matter.array, right, matter.along, matter.grain.empty)


def _moved(array: Array, by: int, axis: int, empty: float) -> Array:
    moved = np.full_like(array, empty)
    length = array.shape[axis]
    if abs(by) < length:
        to, source = [slice(None)] * array.ndim, [slice(None)] * array.ndim
        to[axis] = slice(max(by, 0), length + min(by, 0))
        source[axis] = slice(max(-by, 0), length - max(by, 0))
        moved[tuple(to)] = array[tuple(source)]
    return moved


def _leaves(shape: tuple[int, ...], grain: Grain, right: int, down: int) -> Array:
    gone = np.zeros(shape, bool)
    ways = ((right, "column"), (down, "row")) if grain.has(PLANE) else ((right, grain.along),)
    for by, name in ways:
        axis = grain.axes.index(name)
        edge = [slice(None)] * len(shape)
        edge[axis] = slice(max(shape[axis] - by, 0), None) if by > 0 else slice(0, min(-by, shape[axis]))
        gone[tuple(edge)] = True
    return gone


def _far(arguments: Arguments) -> float:
    return float(max(abs(arguments[0]), abs(arguments[1])))


def _as_far(arguments: Arguments, strength: float) -> Arguments:
    """As far in the same direction, by whole pixels."""
    far = _far(arguments)
    right, down = (arguments[0] / far, arguments[1] / far) if far else (1.0, 0.0)
    return round(right * strength), round(down * strength)


EDIT = Edit("shift", english("Move"), INPUT, "shift:RIGHT,DOWN or shift:STEPS",
            english("the input moved by whole pixels or steps"),
            of_knobs(Knob("RIGHT", None, -MOST, MOST), Knob("DOWN", 0, -MOST, MOST)), _said, needs=NUMBERS,
            does=shifted, strength=Strength(english("distance"), "px", tuple(map(float, range(9))), 3, of=_far,
                                            at=_as_far),
            beside=PAD, leaves=_leaves, order=1)
