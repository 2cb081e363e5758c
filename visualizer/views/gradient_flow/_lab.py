"""The laboratory drawn: the curves on a log axis with its floor, a strip for each, and the gradient that travels back
through them. What it has not come to is not there: no curve, and hatched cells."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from visualizer.decay import ONE_PERCENT
from visualizer.language import english, tr, translated
from visualizer.scene import colour, numbers, parts
from visualizer.scene.labels import Box, Labels
from visualizer.scene.picture import (
    BEAT,
    LANE,
    SENTENCE,
    Flight,
    Focus,
    Group,
    Image,
    Line,
    Look,
    Mark,
    Path,
    Picture,
    Points,
    Rect,
    Run,
    Stop,
    Table,
    Text,
    box_of,
    changed,
    grouped,
    plain,
    rich,
    unmarked,
)
from visualizer.scene.timeline import Moment
from visualizer.scene.type import bounds, width, wrap
from visualizer.trace import Trace, remembered
from visualizer.views.gradient_flow._lab_facts import (
    Lane,
    Reached,
    Study,
    Values,
    counted,
    headline,
    reached,
    second_line,
    share,
    stops,
    study,
)

CURVES, STRIPS = Group(english("size of the gradient by step")), Group(english("gradient and what each step keeps"))
BOTTOMS, TOPS = (-3, -6, -12, -18, -30), (0, 1, 3, 6, 12, 18, 30, 60, 300)
"""Powers of ten at which the axis may end: it never follows the data so closely that vanishing cannot be seen."""
STRIP_DECADES = 4
NARROW_STRIP, WIDE_STRIP, WIDEST = 6.0, 16.0, 64.0
"""Pixels a step below which the cells of a strip touch, above which they would stand out of the frame, and the widest
cell."""


@dataclass(frozen=True)
class Chart:
    """Where the chart and the strips stand."""

    left: float
    right: float
    top: float
    bottom: float
    pitch: float
    low: int
    """Power of ten at the bottom of the chart."""
    high: int
    strips: tuple[float, ...]
    """y of the top of each strip."""
    ends: float
    """y of the last line."""
    brief: bool = False
    """For an audience: cells and what is left, no more."""

    @property
    def cell(self) -> float:
        """Height of a cell."""
        return SMALL_CELL if self.brief else CELL_HEIGHT

    @property
    def foot(self) -> float:
        """y of the bottom of the last strip."""
        return self.strips[-1] + (SMALL_CELL if self.brief else STRIP_HEIGHT)

    def x(self, back: float) -> float:
        return self.right - back * self.pitch

    def y(self, value: float) -> float:
        """Of a share; values beyond the axis stand at its ends."""
        if not value > 0:
            return self.bottom
        power = math.log10(value) if math.isfinite(value) else self.high
        power = min(max(power, self.low), self.high)
        return self.bottom - (power - self.low) / (self.high - self.low) * (self.bottom - self.top)


def draw(trace: Trace, moment: Moment, look: Look) -> Picture:
    """All lanes of a setting as far as the gradient has come; the one pinned beside it as thin dashes behind."""
    found, against = study(trace), study(trace, "against")
    if found is None:
        raise LookupError(tr("This recording holds no curves of the laboratory; choose another view."))
    here, laid = reached(trace, found, moment), _laid(trace, look)
    frame, x = laid.frame, laid.frame.x(here.there)
    said, second = headline(found, here), second_line(found, here, against)
    moving = [*_headline(said, look, laid.type), *grouped(SENTENCE, _second(second, look))]
    if here.flows:
        moving += grouped(CURVES, _until(laid.chart, frame.left if here.whole else x, here.whole))
    faint = _faintness(look)
    moving += grouped(STRIPS, _strips(frame, found, against, here, faint))
    moving += grouped(CURVES, _cursor(frame, found, here, laid.lines))
    first = " ".join(part for part in said if part)
    return Picture(look.size, laid.still, tuple(moving), look.theme, caption=f"{first} {unmarked(second)}",
                   table=_table(found, against))


@dataclass(frozen=True, eq=False)
class Laid:
    """A setting laid out once for all moments."""

    frame: Chart
    still: tuple[Mark, ...]
    chart: tuple[Mark, ...]
    """All curves with what is written on them, whole."""
    lines: tuple[Box, ...]
    """Where curves pass: no words stand there."""
    type: float
    """Size of the number in the headline."""


@remembered(8)
def _laid(trace: Trace, look: Look) -> Laid:
    found, against = study(trace), study(trace, "against")
    assert found is not None
    frame = _frame(found, against, look)
    lines = [box for one in (found, against) if one is not None for lane in one.lanes
             for box in _along(frame, lane.mean)]
    lines.append((frame.left, frame.y(ONE_PERCENT) - 2, frame.right, frame.y(ONE_PERCENT) + 2))
    taken = Labels((frame.left, frame.top - 12, frame.right + 100, frame.bottom), taken=list(lines))
    still = [*grouped(LANE, _places(frame, trace, found)), *grouped(CURVES, _grid(frame, found, taken))]
    chart = [*(_pinned(frame, against, taken) if against else ()), *_curves(frame, found, taken)]
    still += [*grouped(STRIPS, _names(frame, found)), *grouped(LANE, _ends(frame, found))]
    return Laid(frame, tuple(still), tuple(_faded(chart, _faintness(look))), tuple(taken.taken),
                _largest_type(found, look))


def _faintness(look: Look) -> float:
    return 0.3 if look.knob("curves", "shown") == "faint" else 1.0


def _until(marks: Iterable[Mark], x: float, whole: bool) -> list[Mark]:
    """As much of a chart as stands to the right of x: lines and hatching end there, the rest is there or is not."""
    found: list[Mark] = []
    for mark in marks:
        if isinstance(mark, Line):
            points = _cut_at(mark.points, x)
            found += [mark if points is mark.points else changed(mark, points=points)] if len(points) > 1 else []
            continue
        left, _, wide, _ = box_of(mark)
        if isinstance(mark, Rect) and mark.fill == "hatch":
            found += [changed(mark, x=max(left, x), width=left + wide - max(left, x))] if left + wide > x else []
        elif whole or left >= x:
            found.append(mark)
    return found


def _cut_at(points: Points, x: float) -> Points:
    """The points of a line that comes from the right, up to x."""
    if points[-1][0] >= x:
        return points
    count = bisect_right(points, -x, key=lambda point: -point[0])
    if not count:
        return ()
    (right, y), (left, end) = points[count - 1], points[count]
    return (*points[:count], (x, y + (end - y) * (right - x) / (right - left))) if right > x else points[:count]


def _places(frame: Chart, trace: Trace, found: Study) -> list[Mark]:
    """Under chart and strips, the place of every step: a click goes there, and a drag along them."""
    half = min(frame.pitch, WIDEST) / 2
    return [Rect(frame.x(back) - half, frame.top - 10, 2 * half, frame.foot - frame.top + 10,
                 focus=Focus(beat.layer, array=BEAT), holds=Stop(beat.address, glides=False),
                 tip=(tr("{distance} back") if found.unit == "step" else tr("{distance} below the last")).format(
                     distance=counted(back, found.unit)))
            for back, beat in stops(trace, found).items()]


def _frame(found: Study, against: Study | None, look: Look) -> Chart:
    left, right = 124.0, look.size[0] - 140.0
    count = max(found.count, against.count if against else 0)
    lanes = [*found.lanes, *(against.lanes if against else ())]
    low, high = _axis(np.concatenate([lane.mean for lane in lanes]))
    tall = look.size[1] >= 700
    first, apart = (250, 74) if tall else (214, 62)
    bottom = look.size[1] - (304 if tall else 262)
    strips = tuple(float(look.size[1] - (first - apart * number)) for number in range(len(found.lanes)))
    if look.projector:
        strips = tuple(look.size[1] - 66.0 + 22 * number for number in range(len(found.lanes)))
        bottom = round(strips[0] - 34)
    pitch = (right - left) / count
    if pitch > WIDE_STRIP:  # cells stand around their step, within the frame
        right -= min(pitch / 2, WIDEST / 2)
    return Chart(left, right, 144, bottom, pitch, low, high, strips, look.size[1] - 18, look.projector)


def _axis(values: Values) -> tuple[int, int]:
    drawn = values[np.isfinite(values) & (values > 0)]
    least, most = (float(drawn.min()), float(drawn.max())) if drawn.size else (1.0, 1.0)
    low = next((power for power in BOTTOMS if 10.0 ** power <= least), BOTTOMS[-1])
    return low, next((power for power in TOPS if 10.0 ** power >= most * (1 - 1e-9)), TOPS[-1])


# --- words ----------------------------------------------------------------------------------------------------------

def _largest_type(found: Study, look: Look) -> float:
    """Of the numbers in the headlines: one size for all steps, in which the longest of them fits."""
    last = found.count - 1
    said = [headline(found, Reached(back, back, last, True)) for back in range(found.count)]
    for large in (56.0, 44.0, 34.0, 28.0):
        ends = [box_of(marks[-1]) for words in said if (marks := _headline(words, look, large))]
        if max(left + wide for left, _, wide, _ in ends) <= look.size[0] - 16:
            break
    return large


def _headline(said: tuple[str, str, str], look: Look, large: float) -> list[Mark]:
    return parts.headline(look, *said, size=min(26, 0.6 * large), large=large)


def _second(said: str, look: Look) -> list[Mark]:
    lines = wrap(rich(said), 15, look.size[0] - 48, 400)[:2]
    first = 97 if len(lines) == 1 else 90
    return [Text(24, first + 20 * number, line, 15, 400, "ink-2") for number, line in enumerate(lines)]


# --- the chart ------------------------------------------------------------------------------------------------------

def _grid(frame: Chart, found: Study, taken: Labels) -> list[Mark]:
    """Axes, the 1 % line, and everything below it shaded."""
    one = frame.y(ONE_PERCENT)
    title = (Run(tr("∥∂L/∂state∥, share of the last step (log)")),) if found.unit == "step" else \
        (Run(tr("share of the last layer (log)")),)
    marks: list[Mark] = [Rect(frame.left, one, frame.right - frame.left, frame.bottom - one, "wedge"),
                         Text(frame.left, frame.top - 14, title, 12, 500, "ink-2")]
    span = frame.high - frame.low
    every = next(step for step in (1, 3, 6, 12, 30, 60) if span / step <= 6)
    for power in range(frame.low, frame.high + 1):
        if power % every == 0:
            y = frame.y(10.0 ** power)
            marks += [Line(((frame.left, y), (frame.right, y)), "hair"),
                      Text(frame.left - 10, y + 4, plain(numbers.power_of_ten(power)), 12, 400, "ink-2",
                           "end")]
    marks.append(Line(((frame.left, one), (frame.right, one)), "ink-2", 1.25, dashed=True))
    loss_y = frame.y(1.0)
    marks += [Text(frame.right + 14, loss_y + 4, plain(tr("the loss") if found.unit == "step" else tr("last layer")),
                   13, 600)]
    if one - loss_y > 15:
        marks.append(Text(frame.right + 14, one + 4, plain("1 %"), 13, 600))
    unit = tr("steps back") if found.unit == "step" else tr("layers down")
    marks.append(Text(frame.left - 10, frame.bottom + 20, plain(unit), 12, 500, "ink-2", "end"))
    shaded = Text(frame.right - 10, frame.bottom - 10,
                  plain(tr("shaded: below 1 % of the gradient at the loss")), 12, 400, "ink-2", "end")
    if frame.bottom - one > 40:
        marks.append(shaded)
    taken.taken += [bounds(mark) for mark in marks if isinstance(mark, Text)]
    return marks


def _ticks(frame: Chart, count: int) -> range:
    steps = (step for step in (1, 2, 5, 10, 20, 50, 100) if step * frame.pitch >= 80)
    return range(0, count, next(steps, max(1, count)))  # in very little room only the first


def _curves(frame: Chart, found: Study, taken: Labels) -> list[Mark]:
    """Five seeds faint, their mean on top; a ring where less than one in a hundred is left; names on the lines."""
    marks: list[Mark] = []
    for lane in found.lanes:
        marks += [Line(points, lane.token, 1, opacity=0.28) for seed in lane.seeds
                  for points in _drawn(frame, seed) if len(points) > 1]
    for lane in reversed(found.lanes):
        marks += _mean(frame, lane)
    for lane in found.lanes:
        marks += _range_marks(frame, lane, found.lanes.index(lane), taken)
    marks.append(_ring(frame.x(0), frame.y(1), 4.5, "stage", "ink", 1.75))
    for lane in found.lanes:
        marks += _crossed(frame, lane, found.unit, taken)
    for lane in found.lanes:
        marks += _named(frame, lane, taken)
    return marks


def _mean(frame: Chart, lane: Lane) -> list[Mark]:
    pieces = [points for points in _drawn(frame, lane.mean) if len(points) > 1]
    if lane.style == "dash":
        return [Line(points, lane.token, 2.25, dashed=True) for points in pieces]
    marks: list[Mark] = [Line(points, lane.token, 3 if lane.style == "solid" else 2.25) for points in pieces]
    if lane.style == "ring":
        every = _ticks(frame, len(lane.mean)).step
        marks += [_ring(frame.x(back), frame.y(float(lane.mean[back])), 4.5, "stage", lane.token, 1.75)
                  for back in range(every, len(lane.mean), every) if _on_axis(frame, float(lane.mean[back]))]
    return marks


def _drawn(frame: Chart, values: Values) -> list[Points]:
    """The stretches of a curve that lie on the axis, cut where it leaves it at the bottom or leaves the range."""
    if np.isfinite(values).all() and values.min() >= 10.0 ** frame.low and values.max() <= 10.0 ** frame.high:
        heights = (np.log10(values) - frame.low) / (frame.high - frame.low) * (frame.bottom - frame.top)
        across = frame.right - np.arange(len(values)) * frame.pitch
        return [tuple(zip(across.tolist(), (frame.bottom - heights).tolist(), strict=True))]  # the usual one, at once
    pieces: list[list[tuple[float, float]]] = [[]]
    before: float | None = None
    for back, value in enumerate(values.tolist()):
        if _on_axis(frame, value):
            if not pieces[-1] and before is not None and 0 < before < 10.0 ** frame.low:
                pieces[-1].append(_cut(frame, back - 1, before, value))
            pieces[-1].append((frame.x(back), frame.y(value)))
        elif pieces[-1]:
            if 0 < value < 10.0 ** frame.low and before is not None:
                pieces[-1].append(_cut(frame, back - 1, before, value))
            pieces.append([])
        before = value if math.isfinite(value) else None
    return [tuple(piece) for piece in pieces if piece]


def _cut(frame: Chart, back: int, before: float, after: float) -> tuple[float, float]:
    """Where a straight stretch meets the bottom of the axis."""
    a, b = math.log10(before), math.log10(after)
    return frame.x(back + (frame.low - a) / (b - a)), frame.bottom


def _on_axis(frame: Chart, value: float) -> bool:
    return math.isfinite(value) and 10.0 ** frame.low <= value <= 10.0 ** frame.high * 1.000001


def _range_marks(frame: Chart, lane: Lane, row: int, taken: Labels) -> list[Mark]:
    """Hatched where a value lies below the axis or beyond the range of the numbers; never a silent zero."""
    low = lane.mean < 10.0 ** frame.low
    marks: list[Mark] = []
    last = len(lane.mean) - 1 if lane.beyond is None else lane.beyond - 1
    below = np.flatnonzero(low[:last + 1])
    if below.size:
        first = int(below[0])
        y = frame.bottom - 8 * (row + 1)
        marks.append(Rect(frame.x(last) - 2, y, frame.x(first) - frame.x(last) + 4, 6, "hatch"))
        words = tr("{lane} below {value} from {first} on").format(
            lane=translated(lane.name), value=numbers.power_of_ten(frame.low), first=first)
        if lane.zeros:
            words += tr(", exactly 0 from {step} on").format(step=int(np.argmax(lane.mean == 0)))
        x = frame.x(first)
        spots = [(x - 8, y - 6, "end"), (x - 60, y - 6, "end"), (x + 6, y + 6, "start"),
                 (x + 20, y + 6, "start"), (x + 60, y - 24, "start"),
                 (frame.left + 6, y - 6, "start")]
        marks += taken.put(words, spots, 12, 600, _ink(lane))
    if lane.beyond is not None:
        x = frame.x(lane.beyond)
        y = frame.top + 8 * row
        marks.append(Rect(frame.left, y, max(4.0, x - frame.left), 6, "hatch"))
        spots = [(x - 8, y + 22, "end"), (x + 14, y + 10, "start"),
                 (frame.left + 8, y + 22, "start"), (x - 8, y + 40, "end")]
        marks += taken.put(tr("{lane} beyond range from {first} on").format(lane=translated(lane.name),
                                                                            first=lane.beyond), spots,
                           12, 600, _ink(lane))
    return marks


def _crossed(frame: Chart, lane: Lane, unit: str, taken: Labels) -> list[Mark]:
    """A ring where a curve crosses 1 %, with its step."""
    if lane.one_percent is None or lane.one_percent < 1 or lane.palette != "gradient":
        return []
    back = lane.one_percent
    before, after = float(lane.mean[back - 1]), float(lane.mean[back])
    if not (before > 0 and after > 0):
        return []
    part = (math.log(ONE_PERCENT) - math.log(before)) / (math.log(after) - math.log(before))
    x, y = frame.x(back - 1 + min(max(part, 0), 1)), frame.y(ONE_PERCENT)
    words = counted(back, unit)
    spots = [(x - 8, y - 9, "end"), (x + 8, y + 18, "start"), (x - 8, y + 18, "end"),
             (x + 8, y - 9, "start")]
    marks: list[Mark] = [_ring(x, y, 5, "stage", lane.token, 2.25)]
    return marks + taken.put(words, spots, 13, 600, _ink(lane))


def _along(frame: Chart, mean: Values) -> list[Box]:
    """The places that a curve passes through: no words stand there."""
    boxes = []
    pieces = max(1, round(frame.pitch / 10))
    for points in _drawn(frame, mean):
        for (x1, y1), (x2, y2) in itertools.pairwise(points):
            for piece in range(pieces):
                a, b = (y1 + (y2 - y1) * share / pieces for share in (piece, piece + 1))
                left = x1 + (x2 - x1) * (piece + 1) / pieces
                boxes.append((left, min(a, b) - 1.5, left + (x1 - x2) / pieces, max(a, b) + 1.5))
    return boxes


def _named(frame: Chart, lane: Lane, taken: Labels) -> list[Mark]:
    """The name of a lane beside its curve."""
    seen = [back for back in range(len(lane.mean)) if _on_axis(frame, float(lane.mean[back]))]
    if len(seen) < 2:
        return []
    spots = []
    for part in (0.78, 0.88, 0.66, 0.55, 0.95, 0.42):
        back = seen[min(int(part * len(seen)), len(seen) - 1)]
        x, y = frame.x(back), frame.y(float(lane.mean[back]))
        above = [(x, y - 12, "middle"), (x - 10, y - 10, "end")]
        below = [(x + 8, y + 24, "middle"), (x + 12, y + 20, "start")]
        spots += below + above if lane.style == "dash" else above + below
    return [*taken.put(translated(lane.name), spots, 14, 600, _ink(lane))]


def _pinned(frame: Chart, against: Study, taken: Labels) -> list[Mark]:
    """The setting to compare with: thin dashes, each with an A at its end."""
    marks: list[Mark] = []
    for lane in against.lanes:
        for points in _drawn(frame, lane.mean):
            if len(points) > 1:
                marks.append(Line(points, lane.token, 1.25, dashed=True, opacity=0.85))
        ends = [points[-1] for points in _drawn(frame, lane.mean)]
        if ends:
            x, y = ends[0]
            spots = [(x + right, y + down, "start")
                     for right, down in ((4, -6), (12, -14), (4, 16), (30, -8), (30, 18))]
            marks += taken.put(f"A {translated(lane.name)}", spots, 11, 600, _ink(lane))
    return marks


# --- strips ---------------------------------------------------------------------------------------------------------

def _names(frame: Chart, found: Study) -> list[Mark]:
    """What stands left of each strip."""
    marks: list[Mark] = []
    for lane, y in zip(found.lanes, frame.strips, strict=False):
        if frame.brief:
            marks.append(Text(frame.left - 14, y + 12, plain(translated(lane.name)), 13, 600, _ink(lane), "end"))
            continue
        what = tr("gradient") if lane.palette == "gradient" else tr("size")
        marks += [Text(frame.left - 14, y + 17, plain(translated(lane.name)), 14, 600, _ink(lane), "end"),
                  Text(frame.left - 22 - width(translated(lane.name), 14, 600), y + 17, plain(what), 12, 400,
                       "ink-2", "end"),
                  Text(frame.left - 14, y + 45,
                       plain(tr("kept per step") if found.unit == "step" else tr("kept per layer")), 12, 400, "ink-2",
                       "end")]
    return marks


def _strips(frame: Chart, found: Study, against: Study | None, here: Reached, faint: float) -> list[Mark]:
    """For each lane the gradient as cells, as far as it has come, and under it how much each step keeps; beside it what
    is left. An arrow, as thick as that, goes on."""
    marks: list[Mark] = []
    for number, (lane, y) in enumerate(zip(found.lanes, frame.strips, strict=False)):
        count = here.back + 1 if here.flows else 0
        cells: list[Mark] = _cells(frame, lane, y, count)
        if count > 1 and not frame.brief:
            cells.append(_bars(frame, lane.kept, y, "rule", range(count - 1)))
        marks += _faded(cells, faint)
        if not here.flows:
            continue
        marks += _frontier(frame, found, lane, here, y)
        x = frame.right + 14 + _overhang(frame)
        left, down = share(float(lane.mean[here.back])), 12 if frame.brief else 17
        marks.append(Text(x, y + down, plain(left), 14, 600, _ink(lane)))
        if frame.brief:
            continue
        if kept := _kept_words(found, lane, here):
            marks.append(Text(x, y + 45, kept, 14, 400, "ink-2"))
        if against is not None and here.back < against.count:
            left = share(float(against.lanes[number].mean[here.back]))
            marks.append(Text(x, y + 31, plain(f"A {left}"), 12, 400, "ink-2"))
    return marks


def _overhang(frame: Chart) -> float:
    """How far the first cell stands out to the right of its step."""
    return min(frame.pitch, WIDEST) / 2 if frame.pitch > WIDE_STRIP else 0.0


def _kept_words(found: Study, lane: Lane, here: Reached) -> tuple[Run, ...]:
    """What the step that was reached kept; in the end what a step keeps, all together."""
    if here.whole:
        if not lane.gone and not math.isfinite(lane.factor):
            return (Run(tr("beyond range"), weight=600, color="ink"),)
        words = tr(" a step") if found.unit == "step" else tr(" a layer")
        return Run(f"× {numbers.number(0 if lane.gone else lane.factor)}", weight=600, color="ink"), Run(words)
    if not here.back or not math.isfinite(kept := float(lane.kept[here.back - 1])):
        return ()
    words = tr(" this step") if found.unit == "step" else tr(" this layer")
    return Run(f"× {numbers.number(kept)}", weight=600, color="ink"), Run(words)


def _frontier(frame: Chart, found: Study, lane: Lane, here: Reached, y: float) -> list[Mark]:
    """A frame around where the gradient is, the bar of what its step kept, and the arrow that goes on."""
    wide, x = _cell_width(frame), frame.x(here.there)
    marks: list[Mark] = []
    if here.back and here.back <= len(lane.kept) and not frame.brief:
        marks.append(_bars(frame, lane.kept, y, "accent", (here.back - 1,)))
    left, value = x - wide / 2 - 2, _height(lane.mean, here.there)
    marks.append(Rect(left, y - 2, wide + 4, frame.cell + 4, "", "accent", 2, radius=4))
    if here.there >= here.last or not 0 < value < math.inf or lane.palette != "gradient":
        return marks
    thick = THINNEST + (THICKEST - THINNEST) * min(1.0, max(0.0, 1 + math.log10(value) / STRIP_DECADES))
    tip, middle = max(left - ARROW, frame.x(here.last) - wide / 2), y + frame.cell / 2
    head = min(left - tip, 3 + thick)
    ends = [Focus(lane.name.lower(), (here.last - back,)) for back in (here.back, here.back + 1)]
    holds = Flight(ends[0], ends[1], float(lane.mean[here.back]), here.there - here.back, True) \
        if found.unit == "step" else None
    if left - tip > head:
        marks.append(Line(((left, middle), (tip + head, middle)), "gradient-mark", thick, holds=holds))
    if head > 1:
        marks.append(Path((parts.polygon(((tip, middle), (tip + head, middle - head), (tip + head, middle + head))),),
                          fill="gradient-mark", holds=holds))
    return marks


def _cells(frame: Chart, lane: Lane, y: float, count: int) -> list[Mark]:
    """The first `count` of them amber by size on four decades from the largest down, an empty outline below; hatched
    what has not been reached, and what is beyond the range."""
    finite = lane.mean[np.isfinite(lane.mean)]
    most = float(finite.max()) if finite.size else 1.0
    most = most if most > 0 else 1.0
    floor = most * 10.0 ** -STRIP_DECADES
    entries = colour.magnitude(lane.mean, floor, most)
    if lane.palette == "activation":
        entries = np.where(entries > 0, 128 + entries // 2, 0).astype(np.uint8)
    wide, there = _cell_width(frame), np.arange(len(entries)) < count
    hatched = ~there | ~np.isfinite(lane.mean)
    left = frame.x(len(entries) - 1) - wide / 2
    return [Image(left, y, (wide, frame.cell), np.where(there, entries, 0).astype(np.uint8)[::-1, None, None],
                  lane.palette, len(entries), (frame.pitch, 0), hatched=hatched[::-1, None, None],
                  border="rule" if frame.pitch >= NARROW_STRIP else "")]


def _cell_width(frame: Chart) -> float:
    gap = 2.0 if frame.pitch >= NARROW_STRIP else 0.0
    return min(max(1.0, frame.pitch - gap), WIDEST)


KEPT_HEIGHT, MOST_KEPT = 16.0, 1.5
CELL_HEIGHT, STRIP_HEIGHT, SMALL_CELL = 24.0, 58.0, 14.0
"""Of a cell, of a strip with what each step keeps, and of a cell for an audience, without that."""
THINNEST, THICKEST, ARROW = 1.0, 7.0, 18.0
"""Pixels of the arrow that goes on: as thin as this where 10⁻⁴ is left or less, as thick where all is; and its length.
"""


def _bars(frame: Chart, kept: Values, y: float, fill: str, shown: Iterable[int]) -> Path:
    """One bar between two steps: 16 px keep all of it; what grows is taller, up to half as much again."""
    wide = max(1.0, frame.pitch - (3 if frame.pitch >= NARROW_STRIP else 1))
    bars = []
    for back in shown:
        value = float(kept[back])
        if math.isfinite(value) and value > 0:
            high = KEPT_HEIGHT * min(value, MOST_KEPT)
            bars.append(_outline(frame.x(back + 0.5) - wide / 2, y + 54 - high, wide, high))
    return Path(tuple(bars), "", 1, fill)


def _outline(x: float, y: float, wide: float, high: float) -> Points:
    """A rectangle as one closed outline of a Path."""
    corners = ((x + wide, y), (x + wide, y + high), (x, y + high), (x, y))
    points: list[tuple[float, float]] = [(x, y)]
    for corner in corners:
        points += [points[-1], corner, corner]
    return tuple(points)


# --- cursor, ends ---------------------------------------------------------------------------------------------------

def _cursor(frame: Chart, found: Study, here: Reached, lines: tuple[Box, ...]) -> list[Mark]:
    """A line through everything, and a dot with its value on each curve."""
    x = frame.x(here.there)
    marks: list[Mark] = [Line(((x, frame.top - 10), (x, frame.bottom + 4)), "accent", 1.5)]
    marks.append(Line(((x, frame.bottom + 28), (x, frame.foot)), "accent", 1.5))
    ticks = [back for back in _ticks(frame, found.count) if abs(frame.x(back) - x) > 26]
    marks += [Text(frame.x(back), frame.bottom + 20, plain(str(back)), 12, 400, "ink-2", "middle")
              for back in ticks]
    marks.append(Text(x, frame.bottom + 20, plain(str(here.back)), 12, 700, "accent-ink", "middle"))
    if not here.flows:
        return marks
    order = sorted(((lane, _height(lane.mean, here.there)) for lane in found.lanes), key=lambda pair: -pair[1])
    drawn = [(lane, value) for lane, value in order if math.isfinite(value)]
    marks += [_ring(x, frame.y(value), 5, lane.token, "stage", 1.5) for lane, value in drawn if _on_axis(frame, value)]
    if frame.brief:
        return marks  # the values stand beside the strips
    room = (x - frame.left - WORDS) / FADE  # near the left end they fade over to the other side of the cursor
    if here.whole or room < 0:
        return marks + parts.faded(_between_lines(frame, here, drawn, x, lines), 1.0 if here.whole else -room)
    return marks + parts.faded(_in_the_gap(frame, here, drawn, x), room)


WORDS, FADE = 84.0, 40.0
"""Width that a value takes beside its dot, and along which it fades."""


def _in_the_gap(frame: Chart, here: Reached, drawn: list[tuple[Lane, float]], x: float) -> list[Mark]:
    """The values left of their dots, where no curve has come to yet: each at the height of its own, or as near as the
    ones above it let it."""
    marks: list[Mark] = []
    one = frame.y(ONE_PERCENT)
    dots = [max(frame.y(value), frame.top) for _, value in drawn]
    up = min(9.0, max(0.0, dots[0] + 16 * (len(dots) - 1) - dots[-1]) / 2) if dots else 0.0  # as far as they crowd
    heights = [y + 4 - up for y in dots]
    heights = [y if not one - 5 < y < one + 14 else one - 5 if y < one + 4 else one + 14 for y in heights]
    low = frame.bottom - 26.0  # what is shaded is said under that
    for place in range(1, len(heights)):
        y = max(heights[place], heights[place - 1] + 16)
        heights[place] = one + 14 if one - 5 < y < one + 14 else y
    for place in reversed(range(len(heights))):
        low = heights[place] = min(heights[place], low)
        low -= 16
    for (lane, _), y in zip(drawn, heights, strict=True):
        words = share(float(lane.mean[here.back]))
        wide = width(words, 13, 600)
        marks += [Rect(x - 14 - wide, y - 11, wide + 4, 14, "wedge" if y > one + 4 else "stage"),  # no line through it
                  Text(x - 12, y, plain(words), 13, 600, _ink(lane), "end")]
    return marks


def _between_lines(frame: Chart, here: Reached, drawn: list[tuple[Lane, float]], x: float, lines: tuple[Box, ...]
                   ) -> list[Mark]:
    """The values where the curves leave room for them."""
    taken = Labels((frame.left, frame.top - 12, frame.right + 100, frame.bottom), taken=list(lines))
    dots, above = [frame.y(value) for _, value in drawn], 0.0
    marks: list[Mark] = []

    def nearest(height: float) -> float:
        """The dot that words at this height are taken to belong to."""
        return min(dots, key=lambda dot: abs(dot - height))

    for number, (lane, value) in enumerate(drawn):
        y = frame.y(value)
        heights = (20, 36, 52, -8, -24) if number == len(drawn) - 1 else (-8, 18, -24, 34, 50)
        spots = [(x + 10, y + up, "start") for up in heights]
        spots += [(x - 10, y + up, "end") for up in (-8, 20, 36)]
        said = taken.put(share(float(lane.mean[here.back])),
                         [spot for spot in spots if spot[1] >= above and nearest(spot[1] - 4) == y], 13, 600,
                         _ink(lane))
        # values stand in the order of their curves
        above = max([above, *(mark.y + 12 for mark in said if isinstance(mark, Text))])
        marks += said
    return marks


def _height(mean: Values, there: float) -> float:
    """The mean between two steps, straight on the log axis."""
    low = min(int(there), len(mean) - 1)
    high = min(low + 1, len(mean) - 1)
    a, b = float(mean[low]), float(mean[high])
    part = there - low
    if not (a > 0 and b > 0 and math.isfinite(a) and math.isfinite(b)):
        return a if part < 0.5 else b
    return math.exp(math.log(a) * (1 - part) + math.log(b) * part)


ENDS = ((english("the gradient travels this way"),
         english("largest of each strip (log); outline: less; hatched: not reached")),
        (english("the gradient travels this way"), english("largest of each strip (log); outline: less")),
        (english("the gradient travels this way"), english("largest (log)")),
        (english("travels this way"), english("largest (log)")), ("", english("largest")))
"""The words of the last line, the first that fit."""


def _ends(frame: Chart, found: Study) -> list[Mark]:
    """Which way the gradient travels, and the scale of the strips."""
    if frame.brief:
        return []
    y = frame.ends
    ramp = np.arange(256, dtype=np.uint8)[None, None]
    low = f"10{_superscript(-STRIP_DECADES)}"
    wide = 120
    room = frame.right - 180 - (frame.left + 38 + wide)
    ends = [(translated(travels), translated(scale)) for travels, scale in ENDS]
    travels, scale = next((pair for pair in ends if width(pair[0], 12) + width(pair[1], 11) <= room), ends[-1])
    return [
        Text(frame.right - 156, y + 4, plain(travels), 12, 400, "ink-2", "end"),
        Line(((frame.right - 144, y), (frame.right, y)), "gradient-mark", 2),
        Line(((frame.right - 138, y - 4), (frame.right - 144, y), (frame.right - 138, y + 4)),
             "gradient-mark", 2),
        Text(frame.left, y + 4, plain(low), 11, 400, "ink-2"),
        Image(frame.left + 30, y - 4, (wide / 256, 8), ramp, "gradient"),
        Text(frame.left + 38 + wide, y + 4, plain(scale), 11, 400, "ink-2"),
    ]


def _faded(marks: list[Mark], faint: float) -> list[Mark]:
    return marks if faint == 1 else [replace(mark, opacity=mark.opacity * faint) for mark in marks]


def _superscript(power: int) -> str:
    return numbers.power_of_ten(power).removeprefix("10") if power <= -3 else ""


def _ring(x: float, y: float, radius: float, fill: str, stroke: str, stroke_width: float) -> Rect:
    return Rect(x - radius, y - radius, 2 * radius, 2 * radius, fill, stroke, stroke_width, radius=radius)


def _ink(lane: Lane) -> str:
    """The colour of words about a lane: dark enough to read."""
    return {"series-rnn": "gradient-text", "positive-bar": "positive-text"}.get(lane.token, lane.token)


# --- table ----------------------------------------------------------------------------------------------------------

@remembered(4)
def _table(found: Study, against: Study | None) -> Table:
    """One row a step: what is left of each, and what the step keeps; the pinned setting behind."""
    first = "steps_back" if found.unit == "step" else "layers_down"
    names = [("gradient_norm_" if lane.palette == "gradient" else "") + _plain_name(lane.name) for lane in found.lanes]
    columns = [first, *names, *(f"kept_{_plain_name(lane.name)}" for lane in found.lanes)]
    columns += [f"pinned_{name}" for name in names] if against else []
    rows = []
    for back in range(found.count):
        row: list[float | int] = [back, *(float(lane.mean[back]) for lane in found.lanes)]
        row += [float(lane.kept[back]) if back < len(lane.kept) else math.nan for lane in found.lanes]
        if against:
            row += [float(lane.mean[back]) if back < len(lane.mean) else math.nan for lane in against.lanes]
        rows.append(tuple(row))
    return Table(tuple(columns), tuple(rows))


def _plain_name(name: str) -> str:
    return {"∂L/∂h": "hidden", "∂L/∂W": "weight"}.get(name, name.lower())
