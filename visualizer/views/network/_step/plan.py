"""Where a step stands: the sequence on top, the symbol and what it is turned into at the left, then the columns of the
equation, the answers at the right. Pure arithmetic on shapes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from visualizer import kinds
from visualizer.scene import projector, step_inputs
from visualizer.scene.boxes import whole
from visualizer.scene.columns import lanes_height
from visualizer.scene.picture import Look
from visualizer.scene.reading import Reading
from visualizer.scene.stepbeat import When
from visualizer.scene.type import width
from visualizer.trace import Trace, remembered

KEYS = {"lstm": ("hidden_before", "cell_before", "forget", "input", "candidate", "cell", "output_gate", "hidden"),
        "gru": ("reset", "hidden_before", "update", "new", "hidden"),
        "rnn": ("hidden_before", "preactivation", "hidden")}
"""The columns of each family, in the order in which their numbers read as one equation."""
DRAWN = 1104.0
"""The width at which it is drawn; it shrinks with the picture."""
LABELS = 112.0
"""Room at the left for the names of the lanes; the sequence begins there too, so that its steps stand over theirs."""
LEAST_CELL = 5.0
WIDEST, LEAST_SUB = 84.0, 8.0
LOWEST, NARROWEST = 2.0, 2.0
"""Pixels of a cell where there are very many units."""


@dataclass(frozen=True)
class Strip:
    """The sequence: its steps side by side, a window of them where not all have room."""

    x: float
    pitch: float
    tile: float
    count: int
    first: float
    """The step at its left edge; between two while it goes on."""
    top: float
    high: float
    lane: tuple[float, float]
    """Tops of the two lanes."""

    def left(self, step: float) -> float:
        return self.x + (step - self.first) * self.pitch

    def seen(self, step: float) -> float:
        """How much of a step lies in the window, 0 … 1."""
        inside = min(step - self.first + 1, self.first + self.count - step, 1.0)
        return max(0.0, (inside - 0.7) / 0.3)

    @property
    def end(self) -> float:
        return self.x + self.count * self.pitch


@dataclass(frozen=True)
class Plan:
    """The places of one drawing."""

    columns: Mapping[str, float]
    """Left edge of each."""
    wide: float
    """Of a column."""
    pitch: float
    sub: int
    rows: int
    """Units in each of the `sub` columns side by side."""
    cell: float
    """Height of a unit."""
    top: float
    frame: tuple[float, float, float, float]
    """Left, top, width, height."""
    strip: Strip
    token: tuple[float, float, float, float]
    source: step_inputs.StepInputs | None
    read: tuple[float, float]
    """Left and width of what is read."""
    answers: tuple[float, float]
    """Left and right."""
    heads: float
    """Baseline of the names of the columns."""
    roomy: bool
    size: tuple[int, int]

    @property
    def sub_wide(self) -> float:
        return (self.wide - (self.sub - 1)) / self.sub

    @property
    def bottom(self) -> float:
        """Under the last unit."""
        return self.top + self.rows * self.cell

    @property
    def numbers(self) -> float:
        """Baseline of the row of numbers."""
        return self.bottom + 19

    def cell_at(self, key: str, unit: int, x: float | None = None) -> tuple[float, float, float, float]:
        """Where a unit stands in a column."""
        across, down = divmod(unit, self.rows)
        left = self.columns[key] if x is None else x
        return left + across * (self.sub_wide + 1), self.top + down * self.cell, self.sub_wide, self.cell

    def middle(self, key: str) -> float:
        return self.columns[key] + self.wide / 2


@remembered(16)
def source_of(trace: Trace, shown: Reading) -> step_inputs.StepInputs | None:
    """What the steps read, where it is numbers or rows of a picture."""
    return step_inputs.inputs_of(trace, shown, kinds.receptive_field)


def plan(trace: Trace, shown: Reading, look: Look, now: When) -> Plan:
    """The places in a picture of this size."""
    size, desk = look.size, look.mode.lanes
    small = min(1.0, size[0] / DRAWN)
    roomy = desk and size[1] >= 700
    source = source_of(trace, shown)
    strip = _strip(shown, look, now, source)
    under = strip.top + strip.high + (15 if roomy else 0)
    frame_top = under + (34 if desk else 8)
    heads = frame_top + (22 if roomy else 17)
    top = heads + (28 if desk else 20)
    bottom = size[1] - lanes_height(look) - (50 if roomy else 36 if desk else 30)
    token_wide = max(28.0, 44 * small)
    picture = source is not None and source.kind != "numbers"
    if picture and source is not None:
        across = source.values.shape[1 if source.upright else 0] if source.kind == "rows" else 28
        token_wide = across * max(look.pixel, whole(96 * small / across, look.pixel))
    read_x = 20 + token_wide + (30 if picture else 44) * small
    read_wide = max(14.0, 34 * small)
    right = size[0] - 18
    answers = right - max(124.0, 214 * small)
    left = read_x + read_wide + max(22.0, 46 * small)
    frame_right = answers - max(14.0, 34 * small)
    keys, pad = KEYS[shown.family.name], 12 * small
    pitch = (frame_right - left - 2 * pad) / len(keys)
    gap = max(14.0, 26 * small) if len(keys) > 5 else 66 * small
    wide = whole(max(16.0, min(WIDEST, pitch - gap)), look.pixel)
    units = max(values.shape[1] for values in shown.layer.inner.values())
    sub, rows, cell = _grid(units, wide, bottom - top, look.pixel)
    columns = {key: float(round(left + pad + pitch * place + (pitch - wide) / 2)) for place, key in enumerate(keys)}
    frame = (left, frame_top, frame_right - left, top + rows * cell + 30 - frame_top)
    middle = top + rows * cell / 2
    return Plan(columns, wide, pitch, sub, rows, cell, top, frame, strip,
                (20.0, middle - token_wide / 2, token_wide, token_wide), source, (read_x, read_wide),
                (answers, right), heads, roomy, size)


TALLEST, FEW = 14.0, 200.0
"""Height of a unit at most; and of a column, where they are few."""


def _grid(units: int, wide: float, room: float, pixel: float) -> tuple[int, int, float]:
    """(columns side by side, units in each, height of a unit): the fewest with cells high enough to be seen."""
    found: list[tuple[int, int, float]] = []
    for sub in range(1, max(2, int(wide // NARROWEST) + 1)):
        rows = math.ceil(units / sub)
        cell = min(max(TALLEST, FEW / rows), room / rows)
        found.append((sub, rows, whole(cell, pixel) if cell >= pixel else cell))
        wanted = LEAST_CELL if wide / sub >= LEAST_SUB else LOWEST * pixel
        if found[-1][2] >= wanted:
            return found[-1]
    wider = [one for one in found if wide / one[0] >= LEAST_SUB]
    best = max(wider or found, key=lambda one: one[2])
    return best if best[2] >= LOWEST * pixel else max(found, key=lambda one: one[2])


def _strip(shown: Reading, look: Look, now: When, source: step_inputs.StepInputs | None) -> Strip:
    desk = look.mode.lanes
    high = 34.0 if desk and look.size[1] >= 700 else 26.0 if desk else 22.0
    top = 66.0 if desk else projector.begins(look, 62)
    longest = max(width(word, 13, 600, mono=len(word) < 3) for word in shown.words)
    x = LABELS if desk else 28.0
    room = look.size[0] - x - (56 if desk else 28)
    least = min(96.0, max(26.0, longest + 10))
    if source is not None and source.kind == "rows":
        least = 26.0
    pitch = max(least, min(40.0 if longest < 30 else 110.0, room / shown.steps))
    count = min(shown.steps, int(room / pitch))
    pitch = min(max(40.0, pitch), room / count)
    place = now.step + (now.coming - now.step) * now.slide if now.coming >= 0 and now.step >= 0 else \
        float(max(now.step, now.coming))
    first = min(max(0.0, place - (count - 1) // 2), shown.steps - count)
    lanes = look.size[1] - lanes_height(look)
    lane = (lanes + 37, lanes + 74) if look.size[1] >= 700 else (lanes + 34, lanes + 64)
    return Strip(x, pitch, pitch - (5 if pitch < 60 else 7), count, first, top, high, lane)
