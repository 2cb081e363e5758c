"""The lane of steps under the views of recurrent layers: what was read when, and how much gradient came back there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from visualizer.language import tr
from visualizer.said import said
from visualizer.scene import numbers
from visualizer.scene.boxes import whole
from visualizer.scene.columns import lanes_height
from visualizer.scene.labels import by_a_dot
from visualizer.scene.parts import not_yet, ring
from visualizer.scene.picture import (
    LANE,
    Focus,
    Image,
    Line,
    Look,
    Mark,
    Points,
    Rect,
    Run,
    Scale,
    Stops,
    Text,
    grouped,
    plain,
)
from visualizer.scene.reading import (
    Reading,
    here,
    layers,
    number_said,
    read_said,
    reading,
    step_said,
    steps_said,
    without_gradient,
)
from visualizer.scene.timeline import Moment, in_beat, timeline
from visualizer.scene.type import width
from visualizer.trace import Trace, remembered

DECADES = 6
PITCH = 120.0
"""Steps stand this far apart at most."""
LEFT, RIGHT = 132.0, 60.0


@dataclass(frozen=True)
class Span:
    """Where steps stand from left to right: the same x in the picture and in its lane."""

    x: float
    pitch: float
    count: int
    pixel: float = 1.0
    """One pixel of the screen."""

    def left(self, step: float) -> float:
        """Left edge of a step, from 0."""
        return self.x + step * self.pitch

    def middle(self, step: float) -> float:
        return self.x + (step + 0.5) * self.pitch

    @property
    def end(self) -> float:
        return self.x + self.count * self.pitch

    @property
    def share(self) -> int:
        """How many steps share a column, so that none is narrower than a pixel."""
        return max(1, math.ceil(self.pixel / self.pitch - 1e-9))


def span(shown: Reading, look: Look, left: float = LEFT, right: float = RIGHT) -> Span:
    """All steps side by side; whole pixels a step where there are at least two for each."""
    room = max(look.pixel, look.size[0] - (left + right))
    pitch = min(PITCH, room / shown.total)
    return Span(left, whole(pitch, look.pixel) if pitch >= 2 * look.pixel else pitch, shown.total, look.pixel)


@dataclass(frozen=True)
class Reach:
    """How far a layer's steps have come: some are done, one is under way."""

    done: range
    """Steps, from 0, that are done; they lie side by side."""
    now: int = -1
    """The step under way; −1 where there is none."""
    share: float = 0.0
    """How much of it is done, 0 … 1."""

    def of(self, step: int) -> float:
        """How much of one step is done, 0 … 1."""
        return 1.0 if step in self.done else self.share if step == self.now else 0.0


def read(trace: Trace, shown: Reading, moment: Moment) -> Reach:
    """Which steps have been read; on the way back all have been."""
    if moment.backward or not in_beat(shown.layer, moment):
        return Reach(range(shown.steps if moment.backward or here(trace, moment, shown) else 0))
    return _reached(shown, here(trace, moment, shown), moment.phase, from_end=shown.reverse)


def arrived(trace: Trace, shown: Reading, moment: Moment) -> Reach:
    """To which steps the gradient has come."""
    if not moment.backward or shown.gradients is None:
        return Reach(range(0))
    if not in_beat(shown.layer, moment):
        order = [layer.name for layer in trace.layers]
        passed = order.index(moment.beat.layer) < order.index(shown.layer.name)
        return Reach(range(shown.steps if passed else 0))
    return _reached(shown, here(trace, moment, shown), moment.phase, from_end=not shown.reverse)


def _reached(shown: Reading, number: int, phase: float, from_end: bool) -> Reach:
    """Up to step `number` (from 1), itself as far as the phase has come, in one order or the other."""
    whole = phase >= 1
    done = range(number - whole, shown.steps) if from_end else range(number - 1 + whole)
    return Reach(done) if whole else Reach(done, number - 1, phase)


def answered(trace: Trace, shown: Reading, moment: Moment) -> range:
    """The steps after which all other recurrent layers have read, too: what the network says there can be known."""
    reached = [read(trace, reading(trace, other.name), moment).done for other in layers(trace)
               if other.name != shown.layer.name]
    first, last = max([0, *(one.start for one in reached)]), min([shown.total, *(one.stop for one in reached)])
    return range(first, max(first, last))


@remembered(64)
def _gathered(entries: Entries, share: int) -> NDArray[np.uint8]:
    """(row, column): steps that share a column show the value farthest from zero."""
    values = entries.values
    if share == 1:
        return values
    grown = np.pad(values, ((0, 0), (0, -values.shape[1] % share)), mode="edge").reshape(len(values), -1, share)
    far = np.abs(grown.astype(np.int16) - entries.zero).argmax(-1)
    return np.take_along_axis(grown, far[..., None], -1)[..., 0]


@dataclass(frozen=True, eq=False)
class Entries:
    """Palette entries of units over time."""

    values: NDArray[np.uint8]
    """(row, step)."""
    palette: str
    zero: int = 0
    """The entry that stands for nothing: where steps share a column, the one farthest from it is shown."""
    scale: Scale | None = None
    """What the entries stand for."""


def timed_map(entries: Entries, reach: Reach, place: Span, y: float, cell: float, focus: Focus,
              units: tuple[int, ...] = ()) -> list[Mark]:
    """A map of units over time, as far as it has come: what is done, and the column under way from its top.

    `units` says which unit each row is, where they are sorted.
    """
    gathered, share = _gathered(entries, place.share), place.share
    marks: list[Mark] = []
    first, last = reach.done.start // share, -(-reach.done.stop // share)
    if len(reach.done):
        marks.append(Image(place.left(first * share), y, (place.pitch * share, cell),
                           np.ascontiguousarray(gathered[None, :, first:last]), entries.palette, border="",
                           focus=focus if share == 1 and not first else None, indices=(-1,),
                           rows=units or tuple(range(len(gathered))), scale=entries.scale))
    if reach.now >= 0 and reach.share > 0:
        marks.append(Image(place.left(reach.now), y, (place.pitch, cell),
                           np.ascontiguousarray(entries.values[None, :, reach.now:reach.now + 1]), entries.palette,
                           border="", rows_shown=reach.share, scale=entries.scale))
    return marks


def unread(place: Span, y: float, high: float) -> Mark:
    """Hatching under all steps: it is seen where nothing has been read, and where there is only padding."""
    return Rect(place.x, y, place.count * place.pitch, high, "hatch")


@remembered(32)
def stops(trace: Trace, shown: Reading, direction: str) -> Stops | None:
    """The moments of all steps in one direction; a layer that runs beside another one shares its beats. None where
    there are no such beats."""
    times, name = timeline(trace), shown.layer.settings.get("beside", shown.layer.name)
    found = [times.of(name, direction, step + 1) for step in range(shown.steps)]
    addresses = tuple(moment.address for moment in found if moment is not None)
    return Stops(addresses) if len(addresses) == shown.steps else None


def touched(shown: Reading, place: Span, y: float, high: float, array: str = "output",
            holds: Stops | None = None) -> Mark:
    """Nothing that is seen: the steps, to be pointed at."""
    return Image(place.x, y, (place.pitch, high), _nothing(shown.steps), "pixel", shown.steps, opacity=0.0,
                 focus=Focus(shown.layer.name, (), array), holds=holds)


@lru_cache(maxsize=32)
def _nothing(steps: int) -> NDArray[np.uint8]:
    return np.zeros((steps, 1, 1), np.uint8)


def current(trace: Trace, shown: Reading, moment: Moment) -> int:
    """The step (from 0) a view is about; the first one before anything was read."""
    return min(shown.steps, max(1, here(trace, moment, shown))) - 1


def missing(came: range, steps: range) -> list[range]:
    """The steps, of those that are seen, to which the gradient has not come."""
    rest = (range(steps.start, min(steps.stop, came.start)), range(max(steps.start, came.stop), steps.stop)) \
        if len(came) else (steps,)
    return [part for part in rest if len(part)]


def clear(left: float, right: float, within: tuple[float, float], room: float = 88.0) -> tuple[float, float]:
    """Left and right of where the numbers of a gradient stand: where it has come, or a little more where that is too
    narrow for them."""
    if right - left >= room:
        return left, right
    return (max(within[0], right - room), right) if left > within[0] else (left, min(within[1], left + room))


def lane(trace: Trace, shown: Reading, moment: Moment, look: Look, place: Span,
         at_once: bool = False) -> tuple[list[Mark], list[Mark]]:
    """(still, moving): words of the steps, clickable; the size of the gradient of each on a log axis with a floor, as
    far as it has come; all of it `at_once` where a study measured the way back as a whole.
    """
    top = look.size[1] - lanes_height(look)
    now = current(trace, shown, moment)
    if not look.mode.lanes:
        return [], line_of_steps(place.x, place.count * place.pitch, shown, now + 1, moment, look)
    there = touched(shown, place, top + 4, look.size[1] - top - 8, holds=stops(trace, shown, moment.beat.direction))
    came = range(shown.steps) if at_once else arrived(trace, shown, moment).done
    still: list[Mark] = [Line(((0, top), (look.size[0], top)), "hair"), *_ends(shown, place, top, look), there]
    moving: list[Mark] = [Rect(place.left(now), top + 3, max(2.0, place.pitch), look.size[1] - top - 6, "accent",
                               radius=min(6, place.pitch / 2), opacity=0.13)]
    moving += [*_words(shown, place, now, top, look), *_gradient(shown, place, came, top, look),
               *_here(shown, place, now, came, top, look)]
    return grouped(LANE, still), grouped(LANE, moving)


def _ends(shown: Reading, place: Span, top: float, look: Look) -> list[Mark]:
    """The name of the words' row, and the padding, which nobody reads."""
    marks: list[Mark] = [Text(LEFT - 16, top + 22, plain(tr("reads")), 13, 600, "ink", "end")]
    if shown.padded:
        left = place.left(shown.steps)
        marks += [Text(LEFT - 16, top + 37,
                       plain(tr("{steps} of {all} steps").format(steps=steps_said(shown), all=said(
                           str(shown.total), "how many steps with padding", shown.layer.name))), 11, 400,
                       "ink-2", "end"),
                  Rect(left, top + 6, place.end - left, look.size[1] - top - 12, "hatch")]
        if place.end - left > 70:
            marks += [Rect((left + place.end) / 2 - 30, top + 10, 60, 18, "stage", radius=4),
                      Text((left + place.end) / 2, top + 23, plain(tr("padding")), 12, 500, "ink", "middle")]
    return marks


def line_of_steps(x: float, wide: float, shown: Reading, step: float, moment: Moment, look: Look) -> list[Mark]:
    """For a room: how far the steps have come, and nothing else; on the way back what has been walked is amber."""
    y, last = look.size[1] - lanes_height(look) / 2, max(1, shown.steps - 1)
    here_x = x + wide * min(1.0, max(0.0, (step - 1) / last))
    ink = "gradient-mark" if moment.backward else "accent"
    start = x + wide if moment.backward else x
    words = tr("{step} of {all}").format(step=step_said(shown, max(1, round(step)) - 1), all=steps_said(shown))
    return grouped(LANE, [
        Line(((x, y), (x + wide, y)), "rule", 2), Line(((start, y), (here_x, y)), ink, 2),
        *ring(here_x, y, ink),
        Text(x - 16, y + 4.5, plain(words), 12, 500, "ink-2", "end")])


def _words(shown: Reading, place: Span, now: int, top: float, look: Look) -> list[Mark]:
    marks: list[Mark] = []
    brief, every, mono = _brief(shown, place.pitch)
    here = width(shown.words[now], 13, 600, mono) / 2 + 4
    for step in range(shown.steps) if every else (now,):
        chosen = step == now
        word = number_said(shown, step) if not chosen and brief[step] != shown.words[step] else read_said(shown, step)
        if chosen or abs(step - now) * place.pitch > here + width(word, 13, 400, mono) / 2:
            marks.append(Text(place.middle(step), top + 22, plain(word), 13, 600 if chosen else 400,
                              "accent-ink" if chosen else "ink-2", "middle", mono=mono))
    if not every:
        for tick in (0, shown.steps - 1):
            if abs(tick - now) * place.pitch > here + 16:
                marks.append(Text(place.middle(tick), top + 22, plain(number_said(shown, tick)), 11, 400, "ink-2",
                                  "middle"))
    return marks


@remembered(64)
def _brief(shown: Reading, pitch: float) -> tuple[tuple[str, ...], bool, bool]:
    """The words of the steps as they fit, whether they do, and whether they are single symbols.

    Of `row 12` the number alone is said where there is no room for more.
    """
    mono = max(len(word) for word in shown.words) == 1
    numbered = tuple(word.rpartition(" ")[2] if word[-1:].isdigit() else word for word in shown.words)
    for words in (shown.words, numbered):
        if max(width(word, 13, 400, mono) for word in words) + 3 <= pitch:
            return words, True, mono
    return shown.words, False, mono


def _gradient(shown: Reading, place: Span, came: range, top: float, look: Look) -> list[Mark]:
    """The gradient of all steps to which it has come."""
    norms = shown.norms
    x = LEFT - 16
    lower = 14 if shown.padded else 0.0
    marks: list[Mark] = [Text(x, top + 56 + lower / 2, (Run("∥∂L/∂"), Run("h", italic=True), Run("t", shift="sub"),
                                                        Run("∥")), 13, 600, "ink", "end"),
                         Text(x, top + 72 + lower / 2, plain(tr("log scale")), 11, 400, "ink-2", "end")]
    if norms is None or not norms.max() > 0:
        why = without_gradient(shown) or tr("it is not a number")
        marks.append(Text(place.x, top + 60, plain(tr("No gradient: {why}").format(why=why)), 12, 400, "ink-2",
                          max_width=look.size[0] - place.x - 20))
        return marks
    high, low = float(norms.max()), float(norms.max()) * 10.0 ** -DECADES
    chart = (top + 42, look.size[1] - 10)
    for part in missing(came, range(shown.steps)):
        marks += not_yet(place.left(part.start), chart[0], len(part) * place.pitch, chart[1] - chart[0],
                         tr("comes on the way back"))
    if not len(came):
        return marks
    first = -(-came.start // place.share)  # steps that share a column come together
    points = _curve(shown, place, *chart)[first:-(-came.stop // place.share)]
    if len(points) > 1:
        marks.append(Line(points, "gradient-line", 1.5))
    for step, (px, py) in enumerate(points if place.pitch >= 8 else (), first):
        marks.append(_dot(px, py, 2.5, norms[step] < low))
    right = place.end + 8
    marks += [Text(right, chart[0] + 4, plain(said(numbers.significant(high, 1), "largest norm of gradient of a step",
                                                  shown.layer.name)), 11, 400, "ink-2"),
              Text(right, chart[1] + 2, plain(floor_said(shown, low)), 11, 400, "ink-2")]
    return marks


def _here(shown: Reading, place: Span, now: int, came: range, top: float, look: Look) -> list[Mark]:
    """The gradient of the current step in numbers; of the last one to which it came, while it is on its way."""
    norms = shown.norms
    if norms is None or not norms.max() > 0 or not len(came):
        return []
    now = min(max(now, came.start), came.stop - 1)
    high, low = float(norms.max()), float(norms.max()) * 10.0 ** -DECADES
    chart = (top + 42, look.size[1] - 10)
    near = int(64 / place.pitch) + 1
    around = range(max(came.start, now - near), min(came.stop, now + near + 1))
    dots = [(place.middle(step), _height(float(norms[step]), high, *chart)) for step in around]
    words = tr("below {least}").format(least=floor_said(shown, low)) if norms[now] < low else said(
        numbers.significant(float(norms[now]), 2), "norm", shown.layer.name, step=now, array="inner_gradients.hidden")
    left, right = clear(place.left(came.start), place.left(came.stop), (place.x, place.end))
    return [_dot(*dots[now - around.start], 4, norms[now] < low),
            *by_a_dot(words, dots, now - around.start, (left, top + 27, right, look.size[1] - 1))]


def floor_said(shown: Reading, low: float, decades: int = DECADES) -> str:
    """The least size that the chart of a gradient over steps draws as it is."""
    return said(numbers.power(low, 0), "floor of the norms of steps", shown.layer.name, array=f"{decades}")


def _dot(x: float, y: float, size: float, below: bool) -> Mark:
    """A value of the gradient; open where it lies below the floor."""
    return Rect(x - size, y - size, 2 * size, 2 * size, "stage" if below else "gradient-mark", "gradient-mark", 1,
                radius=size)


def _height(value: float, high: float, top: float, bottom: float) -> float:
    """y on the log axis, from the largest value down to its floor."""
    share = 1 + math.log10(max(value / high, 10.0 ** -DECADES)) / DECADES
    return bottom - share * (bottom - top)


@remembered(16)
def _curve(shown: Reading, place: Span, top: float, bottom: float) -> Points:
    """The gradient of every step; where steps share a pixel, the largest of them."""
    norms = shown.norms
    assert norms is not None
    share, high = place.share, float(norms.max())
    largest = np.pad(norms, (0, -len(norms) % share)).reshape(-1, share).max(axis=1)
    return tuple((place.x + (index + 0.5) * share * place.pitch, _height(float(value), high, top, bottom))
                 for index, value in enumerate(largest))
