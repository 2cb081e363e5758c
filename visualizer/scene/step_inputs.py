"""What each step of a recurrent layer reads, where it is more than a word: a row of a picture, a window of it, numbers.

Which it is, is found by comparing the numbers that the layer read with those that were given to the network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from visualizer.language import english
from visualizer.scene import colour
from visualizer.scene.parts import polygon
from visualizer.scene.picture import Focus, Image, Look, Mark, Path, Points, Rect, Scale
from visualizer.scene.reading import Reading, first_level
from visualizer.trace import Cell, Trace, remembered

Field = Callable[[Trace, str, Cell], Mapping[str, tuple[tuple[int, int], ...]]]
"""`kinds.receptive_field`: for every earlier layer the box of cells that one cell can see."""
MOST_FEATURES = 64
AHEAD = (("stage", 0.7), ("hatch", 1.0))
"""What lies over the rows to come, and how much of it is seen."""


@dataclass(frozen=True, eq=False)
class StepInputs:
    """What all steps read."""

    kind: str
    """`rows` of a picture, one a step; `windows` of its columns; or `numbers`, given as they are."""
    values: NDArray[np.float64]
    """(step, value) of rows and numbers; (row, column) of the picture that windows are cut out of."""
    windows: tuple[tuple[int, int], ...] = ()
    """First and last column that each step sees; beyond the edges of the picture lies padding."""
    of: str = ""
    """The layer that numbers stand in."""
    upright: bool = True
    """Whether a step reads a row of the picture; else it reads a column."""

    @cached_property
    def largest(self) -> float:
        return colour.largest(self.values) or 1.0


@remembered(16)
def inputs_of(trace: Trace, shown: Reading, field: Field) -> StepInputs | None:
    """What the steps of a layer read of the network's input; None where a word or a symbol says it all."""
    first, source = trace.layers[0], first_level(trace, shown.layer)
    if first.axes == ("step", "unit") and len(first.output) == shown.total and first.shape[1] <= MOST_FEATURES:
        return StepInputs("numbers", np.asarray(first.output, np.float64), of=first.name)
    if first.axes != ("channel", "row", "column") or first.shape[0] != 1 or source.output.ndim != 2:
        return None
    picture = np.asarray(first.output[0], np.float64)
    for upright, lines in ((True, picture), (False, picture.T)):
        if lines.shape == source.shape and np.array_equal(lines, source.output):
            return StepInputs("rows", lines, upright=upright)
    boxes = [field(trace, source.name, (step, 0)).get(first.name) for step in range(len(source.output))]
    windows = tuple(box[-1] for box in boxes if box is not None)
    seen_whole = all(low <= 0 and high >= picture.shape[1] - 1 for low, high in windows)
    return None if len(windows) != shown.total or seen_whole else StepInputs("windows", picture, windows)


@remembered(16)
def shades(read: StepInputs) -> NDArray[np.uint8]:
    """Palette entries of all values: pixels on their own range, numbers on a symmetric one."""
    if read.kind == "numbers":
        return colour.signed(read.values, read.largest)
    return colour.unit(read.values, *colour.reach(read.values))


@remembered(16)
def scale_of(read: StepInputs) -> Scale:
    """What the entries of `shades` stand for."""
    if read.kind == "numbers":
        return Scale("activation", english("values"), english("what is read"), -read.largest, read.largest)
    return Scale("pixel", english("pixels"), english("what is read"), float(np.min(read.values)),
                 float(np.max(read.values)))


def lines(read: StepInputs, steps: range, x: float, y: float, cell: tuple[float, float], pitch: float, name: str,
          opacity: float = 1.0) -> Mark:
    """Rows of a picture, each standing upright in its own column."""
    return Image(x, y, cell, np.ascontiguousarray(shades(read)[steps.start:steps.stop, :, None]), "pixel", len(steps),
                 (pitch, 0), focus=Focus(name), indices=tuple(steps), opacity=opacity, scale=scale_of(read))


def whole(read: StepInputs, x: float, y: float, pixel: float, done: int, now: int, over: list[Mark]) -> list[Mark]:
    """The picture that is read row by row: what was read, the row under way outlined, rows to come hatched; `over` lies
    over the pixels."""
    entries = shades(read) if read.upright else shades(read).T
    rows, columns = entries.shape
    marks: list[Mark] = [Image(x, y, (pixel, pixel), np.ascontiguousarray(entries[None]), "pixel",
                               scale=scale_of(read)), *over]
    wide, high = columns * pixel, rows * pixel
    gone = done * pixel
    if read.upright and gone < high:
        marks += [Rect(x, y + gone, wide, high - gone, color, opacity=seen) for color, seen in AHEAD]
    elif not read.upright and gone < wide:
        marks += [Rect(x + gone, y, wide - gone, high, color, opacity=seen) for color, seen in AHEAD]
    if now >= 0 and read.upright:
        marks.append(Rect(x - 2, y + now * pixel - 2, wide + 4, pixel + 4, "", "accent", 2))
    elif now >= 0:
        marks.append(Rect(x + now * pixel - 2, y - 2, pixel + 4, high + 4, "", "accent", 2))
    return marks


def bars(read: StepInputs, steps: range, x: float, y: float, wide: float, high: float, pitch: float,
         name: str) -> list[Mark]:
    """The numbers that steps read, as bars around a zero line, blue upwards and red downwards; as cells where there
    are too many for bars."""
    count = read.values.shape[1]
    each, middle = wide / count, y + high / 2
    if each < 3:
        return [Image(x, y, (wide, high / count), np.ascontiguousarray(shades(read)[steps.start:steps.stop, :, None]),
                      "activation", len(steps), (pitch, 0), focus=Focus(name), indices=tuple(steps),
                      scale=scale_of(read))]
    strokes: dict[str, list[Points]] = {"positive-bar": [], "negative-bar": []}
    for index, step in enumerate(steps):
        for place, tall in enumerate(_heights(read)[step].tolist()):
            left, end = x + index * pitch + place * each, middle - tall * high / 2
            if tall:
                strokes["positive-bar" if tall > 0 else "negative-bar"].append(
                    polygon(((left, middle), (left + each - 1, middle), (left + each - 1, end), (left, end))))
    marks: list[Mark] = [Rect(x + index * pitch, middle - 0.5, wide, 1, "rule") for index in range(len(steps))]
    return marks + [Path(tuple(curves), fill=color) for color, curves in strokes.items() if curves]


def bars_on(read: StepInputs, steps: range, grounds: NDArray[np.uint8], x: float, y: float, wide: float, high: float,
            pitch: float, look: Look) -> list[Mark]:
    """The same bars over cells of the gradient palette, each in the ink that is read on its ground (step, value)."""
    each, middle = wide / read.values.shape[1], y + high / 2
    strokes: dict[str, list[Points]] = {}
    for index, step in enumerate(steps):
        for place, tall in enumerate(_heights(read)[step].tolist()):
            left, end = x + index * pitch + place * each, middle - tall * high / 2
            if abs(end - middle) >= 1:
                strokes.setdefault(colour.ink_on(f"gradient:{int(grounds[index, place])}", look.theme), []).append(
                    polygon(((left + each * 0.25, middle), (left + each * 0.75, middle), (left + each * 0.75, end),
                             (left + each * 0.25, end))))
    return [Path(tuple(curves), fill=ink) for ink, curves in strokes.items()]


@remembered(16)
def _heights(read: StepInputs) -> NDArray[np.float64]:
    """(step, value): −1 … 1 of the largest size; what is no finite number has none."""
    heights: NDArray[np.float64] = np.nan_to_num(read.values / read.largest, nan=0.0, posinf=1.0, neginf=-1.0)
    return heights
