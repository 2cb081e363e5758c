"""Where everything of the unrolled cell stands: side by side, folded into one cell, or anywhere between."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from visualizer import kinds
from visualizer.scene import parts, stepbeat, steps
from visualizer.scene.boxes import whole
from visualizer.scene.columns import lanes_height
from visualizer.scene.picture import Look
from visualizer.scene.projector import begins
from visualizer.scene.reading import Reading, directions, here, reading
from visualizer.scene.sofar import SoFar, so_far
from visualizer.scene.step_inputs import StepInputs, inputs_of
from visualizer.scene.timeline import Moment, ease, progress, timeline
from visualizer.trace import Trace, remembered
from visualizer.views.unrolled._saliency import Saliency, come, saliency

LEFT, RIGHT = 132.0, 76.0
WINDOW, MOST_WITHOUT = 18, 40
"""Over 40 steps a window of 18 is cut out of the whole strip."""
MOST_ROWS = 96
TALLEST, FEW = 12.0, 200.0
"""Height of a unit at most; and of all together, where they are few."""
OPENED = 170.0
FOLDED = 190.0
"""Width of the one cell that all steps fold into."""


@dataclass(frozen=True)
class Track:
    """One direction of reading: its rows, from top to bottom."""

    shown: Reading
    weights: float
    """Top of each row; 0 for the weights where there is no room for them."""
    hidden: float
    gates: float
    cell: float
    """Height of a row of the state."""
    per_row: int
    """Units that share a row of the state."""
    order: tuple[int, ...]
    read: steps.Reach
    arrived: steps.Reach
    gate_high: float
    gate_pitch: float
    back: bool = False
    """Whether the gradient is on its way: then its columns are the gradient's, hatched where it has not come."""

    @property
    def rows(self) -> int:
        return -(-self.shown.units // self.per_row)

    @property
    def bottom(self) -> float:
        """Where its state ends."""
        return self.hidden + self.rows * self.cell

    @property
    def end(self) -> float:
        """Where its gates end."""
        count = len(self.shown.gates)
        return self.gates + (count - 1) * self.gate_pitch + self.gate_high if count else self.bottom


@dataclass(frozen=True)
class Plan:
    """Which steps are shown, and where."""

    step: float
    """How many steps have been read, from the left; between two whole numbers while the band moves on."""
    came: int
    reached: int
    share: float
    """The step of the beat before, the one of this beat (from 1), and how far it is from one to the other."""
    start: float
    """First step of the window, from 0."""
    count: int
    x: float
    pitch: float
    tile: float
    inputs_y: float
    inputs_high: float
    expects: float
    """Top of the row of answers; 0 where there is none."""
    lane: float
    tracks: tuple[Track, ...]
    """The forward direction, then the reverse one if there is one."""
    active: int
    """Which of them the beat is about."""
    source: StepInputs | None
    """What is read, where it is more than words."""
    strip: tuple[float, float] | None
    """Top and height of the whole strip, where a window is cut out of it."""
    fold: float
    opened: float
    """Top of the opened cell; 0 where there is no room for it."""
    wide: float
    """Width of the folded cell."""
    saliency: Saliency | None
    """What came back to what is read, if anything did."""
    pulls: tuple[float, ...]
    """How much of it is seen of each step, 0 … 1."""
    answers: SoFar | None
    """What the network says after each step, or would say if it stopped there."""
    beat: stepbeat.Stretches
    """What happens in the step of the beat."""

    @property
    def track(self) -> Track:
        return self.tracks[self.active]

    @property
    def shown(self) -> Reading:
        return self.track.shown

    @property
    def end(self) -> float:
        """Where the columns end."""
        return self.x + self.count * self.pitch

    @property
    def now(self) -> int:
        """The step, from 0, that is spoken of: that of the beat as soon as it has begun."""
        return min(self.shown.steps, max(1, self.reached if self.share > 0 else self.came)) - 1

    @property
    def window(self) -> range:
        """The steps of which anything is seen; padding included."""
        return range(max(0, int(np.floor(self.start))), min(self.shown.total, int(np.ceil(self.start + self.count))))

    @property
    def worded(self) -> float:
        """How much of the words of all columns is seen: they go before anything moves."""
        return 1.0 - progress(self.fold, 0.0, 0.2)

    @property
    def moved(self) -> float:
        """How far the columns have come together, 0 … 1."""
        return progress(self.fold, 0.2, 0.8)

    @property
    def looped(self) -> float:
        """How much of the loop and its words is seen."""
        return progress(self.fold, 0.8, 1.0)

    @property
    def middle(self) -> float:
        """Where the folded cell stands."""
        return self.x + max(self.count * self.pitch, self.wide + self.pitch) / 2

    def open_x(self, step: float) -> float:
        """Left of the tile of a step, from 0, where nothing is folded."""
        return self.x + (step - self.start) * self.pitch

    def box(self, step: float) -> tuple[float, float]:
        """Left and width of a column that folds away."""
        middle = self.open_x(step) + self.tile / 2
        wide = self.tile * (1 - self.moved)
        return middle + (self.middle - middle) * self.moved - wide / 2, wide

    def cell_box(self, step: float) -> tuple[float, float]:
        """Left and width of the column that all others fold into."""
        x, moved = self.open_x(step), self.moved
        return x + (self.middle - self.wide / 2 - x) * moved, self.tile + (self.wide - self.tile) * moved

    def edge(self, step: int) -> float:
        """How much of a step's column is seen at the rim of the window."""
        place = step - self.start
        return min(1.0, max(0.0, 1.0 + 3 * place), max(0.0, 1.0 + 3 * (self.count - 1 - place)))


def plan(trace: Trace, name: str, moment: Moment, look: Look) -> Plan:
    """The plan of a layer and of the one that reads the other way, if there is one."""
    shown = reading(trace, name)
    names = directions(trace, name)
    before, _ = parts.crossing(moment, timeline(trace))
    share = _slid(moment)
    reached, came = here(trace, moment, shown), here(trace, before, shown)
    if abs(reached - came) > 1:
        came = reached
    step = came + (reached - came) * share
    windowed = shown.total > MOST_WITHOUT or (look.projector and shown.total * 40 > look.size[0] - LEFT - RIGHT)
    room = look.size[0] - (LEFT + RIGHT)
    count = min(shown.total, max(4, min(WINDOW, int(room // 40)))) if windowed else shown.total
    pitch = min(_widest(trace, shown), room / count)
    start = step - (2 if shown.reverse else count - 2)  # one step ahead of the band is seen
    start = min(max(0.0, start), float(shown.total - count)) if windowed else 0.0
    tile = pitch - (8 if pitch > 30 else 3)
    source = inputs_of(trace, shown, kinds.receptive_field)
    answers = so_far(trace, shown)
    expects = answers is not None
    by = look.knob("order", "last")
    readings = tuple(reading(trace, each) for each in names)
    if look.projector and len(names) > 1:
        readings = tuple(without_gates(trace, each) for each in names)
    rows = _rows(readings, windowed, expects, source, look)
    tracks = tuple(
        Track(each, *places, _order(each, by, reached), steps.read(trace, each, moment),
              steps.arrived(trace, each, moment), rows.gate_high, rows.gate_pitch,
              moment.backward and each.gradients is not None)
        for each, places in zip(readings, rows.tracks, strict=True))
    pulled = saliency(trace, shown, source)
    return Plan(step, came, reached, share, start, count, LEFT, pitch, tile, rows.inputs_y, rows.inputs_high,
                rows.expects, look.size[1] - lanes_height(look), tracks, names.index(name), source, rows.strip,
                _fold(look), rows.opened, min(FOLDED, room / 4), pulled, come(trace, shown, pulled, moment),
                answers, stepbeat.of(moment))


@remembered(32)
def without_gates(trace: Trace, name: str) -> Reading:
    """A reading whose gates are left out: a room sees the states of two directions, or it sees nothing."""
    return replace(reading(trace, name), gates=())


@remembered(32)
def _widest(trace: Trace, shown: Reading) -> float:
    """How far apart columns stand at most: as far as their words and the names of the answers need."""
    words = max(len(word) for word in shown.words)
    answers = so_far(trace, shown)
    said = max(map(len, trace.labels), default=1) if answers is not None and answers.shares else 1
    return max(float(steps.PITCH), 8.4 * words + 24 if words > 2 else 0.0, 6.8 * (said + 5) + 8 if said > 2 else 0.0)


def _slid(moment: Moment) -> float:
    """How far the band has gone on to the step of the beat: it is there before anything happens in that step."""
    if moment.index == 0:
        return 1.0
    return ease(stepbeat.of(moment).of("slide") if moment.beat.step is not None else moment.phase)


def _fold(look: Look) -> float:
    try:
        return min(1.0, max(0.0, float(look.knob("fold", "0"))))
    except ValueError:
        return 0.0


@dataclass(frozen=True)
class _Rows:
    """Tops and heights, the same for every moment of a recording."""

    inputs_y: float
    inputs_high: float
    expects: float
    tracks: tuple[tuple[float, float, float, float, int], ...]
    """Of each direction: weights, hidden, gates, height of a row of the state, units that share it."""
    gate_high: float
    gate_pitch: float
    strip: tuple[float, float] | None
    opened: float


@remembered(64)
def _rows(readings: tuple[Reading, ...], windowed: bool, expects: bool, source: StepInputs | None, look: Look) -> _Rows:
    """Rows from top to bottom; the opened cell has its place if there is room, the states take what is left."""
    two = len(readings) > 1
    y, bottom = begins(look, 58), look.size[1] - lanes_height(look) - 10
    strip = None
    if windowed and not look.projector:
        tall = bottom - y > 480
        strip = (y + 44, 88 if tall else 56)
        y += 172 if tall else 140
    inputs_y, high = y, _inputs_high(source, bottom - y, look.pixel)
    y += high + 14
    said = 0.0
    if expects:
        said, y = y, y + 46
    gate_high, gate_pitch = (12, 20) if two else (18, 29)
    gates = gate_pitch * len(readings[0].gates) + (8 if two else 16)
    units = readings[0].units
    least = -(-units // max(1, -(-units // MOST_ROWS)))
    opened = 0.0
    needed = OPENED + 8 + 2 * (2 * least + gates + 20) if two else 320 + gates
    if not windowed and bottom - y > needed:
        opened = bottom - OPENED
        bottom = opened - 8
    each = (bottom - y) / len(readings)
    with_weights = not two and each - gates > (220 if not windowed else least + 96)
    tracks = []
    for index in range(len(readings)):
        top = y + each * index
        weights = top if with_weights else 0.0
        top += 54 if with_weights else 18 if two else 0.0
        room = max(look.pixel, y + each * (index + 1) - top - gates)
        rows = min(MOST_ROWS, int(room / look.pixel))  # each at least a pixel of the screen high
        per_row = -(-units // rows)
        count = -(-units // per_row)
        cell = max(look.pixel, whole(min(max(TALLEST, FEW / count), room / count), look.pixel))
        tracks.append((weights, top, top + count * cell + (8 if two else 16), cell, per_row))
    return _Rows(inputs_y, high, said, tuple(tracks), gate_high, gate_pitch, strip, opened)


def _inputs_high(source: StepInputs | None, room: float, pixel: float) -> float:
    """Height of what is read: a word; or a picture of whole pixels a value, with its number under it."""
    if source is None or source.kind == "numbers":
        return 32
    count = source.values.shape[1] if source.kind == "rows" else source.values.shape[0]
    side = max(pixel, whole(min(80, room * 0.14) / count, pixel))
    return float(min(count * side, 112.0)) + 18


@remembered(64)
def _order(shown: Reading, by: str, step: int) -> tuple[int, ...]:
    """Units from the top: by the state at the last step (fixed), at the step shown (`here`), or as they are."""
    if by == "as is":
        return tuple(range(shown.units))
    at = shown.states[max(0, step - 1)] if by == "here" else shown.states[0 if shown.reverse else -1]
    return tuple(int(unit) for unit in np.argsort(-at, kind="stable"))
