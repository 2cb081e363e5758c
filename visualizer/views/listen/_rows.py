"""The rows of the picture, one below the other on one time axis: wave, spectrogram, maps, states, answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.answers.string import written
from visualizer.kinds.ctc import ways_of
from visualizer.language import counted_as, tr
from visualizer.said import said, tick
from visualizer.scene import colour, numbers, parts, steps
from visualizer.scene.boxes import Box, whole
from visualizer.scene.labels import fitting
from visualizer.scene.picture import (
    Focus,
    Group,
    Image,
    Line,
    Mark,
    Path,
    Points,
    Rect,
    Scale,
    Text,
    grouped,
    of_layer,
    plain,
)
from visualizer.scene.reading import Reading, Values, label
from visualizer.scene.sound import bands_of, way
from visualizer.scene.type import width
from visualizer.trace import Layer, Trace, remembered
from visualizer.views.listen._scene import LEFT, Answers, Axis, Scene, liveliest

AXIS_TICKS = (125, 250, 500, 1000, 2000, 4000, 8000, 16000)
"""Hz at which the axis of a spectrogram is written on, octaves."""
FLOOR = 1e-3
"""Gradients of a row are drawn from its largest down to this share of it."""
BETWEEN = 3.0
"""Pixels between two maps."""

Drawn = tuple[list[Mark], list[Mark]]


def all_rows(sc: Scene) -> Drawn:
    """(still, moving) of all rows, and the cursor through them."""
    still: list[Mark] = []
    moving: list[Mark] = []
    draws: list[tuple[str, Callable[[Box], Drawn], Group]] = [
        ("sound", partial(_wave, sc), of_layer(sc.sound.layer)),
        ("spectrogram", partial(_spectrogram, sc),
         of_layer(sc.seen.layer) if sc.seen.layer else Group(tr("spectrogram")))]
    for stage in sc.stages:
        draws.append((stage.last, partial(_maps, sc, stage.layers), of_layer(stage.last)))
    if sc.shown is not None:
        draws.append(("states", partial(_states, sc), of_layer(sc.shown.layer.name)))
    if sc.answers is not None:
        draws.append(("answers", partial(_answers, sc, sc.answers), Group(tr("answers"))))
        if "spelled" in sc.boxes:
            draws.append(("spelled", partial(_spelled, sc, sc.answers), Group(tr("what is spelled"))))
    for name, drawn, group in draws:
        kept, moved = drawn(sc.boxes[name])
        still += grouped(group, kept)
        moving += grouped(group, moved)
    return still, moving + _cursor(sc)


def _cursor(sc: Scene) -> list[Mark]:
    """A line through all rows at the middle of the step, on a band as wide as the step."""
    if sc.now is None:
        return []
    tops = [box.top for box in sc.boxes.values()]
    bottom = max(box.bottom for name, box in sc.boxes.items() if name != "spelled")
    x, wide = sc.axis.at(sc.now), (sc.clock.hop if sc.clock is not None else sc.seen.clock.hop) * sc.axis.per
    return [Rect(x - wide / 2, min(tops) - 3, max(2.0, wide), bottom - min(tops) + 6, "accent", radius=min(4, wide / 2),
                 opacity=0.13),
            Line(((x, min(tops) - 3), (x, bottom + 3)), "accent", 1.5)]


def _name(sc: Scene, box: Box, name: str, below: str = "", mono: bool = False) -> list[Mark]:
    """What stands left of a row."""
    if not sc.look.mode.notes:
        y = (box.top + box.bottom) / 2 + 4
        return [Text(sc.axis.x - 12, y, plain(name), 12, 600, "ink", "end", sc.axis.x - 16)]
    y = (box.top + box.bottom) / 2 + (0 if below and box.height >= 30 else 4)
    marks: list[Mark] = [Text(LEFT - 16, y, plain(name), 13, 600, "ink", "end", LEFT - 20, mono=mono)]
    if below and box.height >= 30:
        marks.append(Text(LEFT - 16, y + 15, plain(below), 11, 400, "ink-2", "end", LEFT - 20))
    return marks


# --- the wave --------------------------------------------------------------------------------------------------------

@remembered(8)
def _outline(trace: Trace, layer: str, axis: Axis, columns: int) -> tuple[Values, Values]:
    """(column,) the smallest and the largest value of what shares a column of pixels."""
    values = np.nan_to_num(np.asarray(trace[layer].output, np.float64).ravel())
    edges = np.unique(np.linspace(0, len(values), columns + 1).astype(int))[:-1]
    return np.minimum.reduceat(values, edges), np.maximum.reduceat(values, edges)


def _wave(sc: Scene, box: Box) -> Drawn:
    """What was heard dark up to the cursor, what comes thin; padding hatched; on the way back its gradient above it."""
    axis, high = sc.axis, box.height
    middle = (box.top + box.bottom) / 2
    rate = tr("{rate} Hz").format(rate=said(numbers.count(sc.sound.rate), "samples a second")) if sc.sound.rate else \
        tr("rate not known")
    still = _name(sc, box, tr("sound"), rate)
    still.append(Line(((axis.x, middle), (axis.end, middle)), "hair"))
    still += _padding(sc, box)
    begun = sc.begun(sc.sound.layer)
    if begun <= 0:
        return still, []
    columns = max(2, min(axis.count, round((axis.end - axis.x) / axis.pixel)))
    low, top = _outline(sc.trace, sc.sound.layer, axis, columns)
    most = max(float(np.abs(low).max()), float(np.abs(top).max())) or 1.0
    pitch, reached = (axis.end - axis.x) / len(low), math.ceil(begun * len(low))
    cursor = len(low) if sc.now is None or sc.moment.backward else \
        min(len(low), math.ceil((axis.at(sc.now) - axis.x) / pitch))
    heard = sc.sound.heard
    start, end = (min(len(low), max(0, round(edge * axis.per / pitch))) for edge in (heard.start, heard.stop))
    reached = min(reached, end)
    cursor = max(cursor, start)
    marks: list[Mark] = []
    for first, last, ink in ((start, min(cursor, reached), "ink"), (cursor, reached, "rule")):
        if last - first > 1:
            upper = [(axis.x + (index + 0.5) * pitch, middle - top[index] / most * high / 2)
                     for index in range(first, last)]
            lower = [(axis.x + (index + 0.5) * pitch, middle - low[index] / most * high / 2 + 0.7)
                     for index in range(first, last)]
            marks.append(Path((parts.polygon([*upper, *lower[::-1]]),), fill=ink))
    came = sc.came(sc.sound.layer)
    if came > 0:
        marks = parts.faded(marks, 0.35)
        marks += _gradient_wave(sc, box, came)
    if sc.look.mode.notes:
        marks.append(Text(axis.end + 8, box.top + 10, plain(tr("up to {most}").format(most=said(
            numbers.significant(most, 2), "largest size", sc.sound.layer))), 11, 400, "ink-2"))
        if came >= 1:
            largest = colour.largest(_gradient_of(sc.trace[sc.sound.layer]))
            marks.append(Text(axis.end + 8, box.bottom - 1, plain(tr("∂ up to {most}").format(most=said(
                numbers.significant(largest, 2), "largest size of gradient", sc.sound.layer))), 11, 400,
                "gradient-text"))
    return still, marks


def _gradient_of(layer: Layer) -> Values:
    assert layer.gradient is not None
    return np.asarray(layer.gradient, np.float64)


def _gradient_wave(sc: Scene, box: Box, came: float) -> list[Mark]:
    """How large the gradient of the samples of each column of pixels is, as bars from the middle to both sides."""
    axis = sc.axis
    sizes = np.abs(np.nan_to_num(_gradient_of(sc.trace[sc.sound.layer]).ravel()))
    columns = max(2, min(len(sizes), round((axis.end - axis.x) / axis.pixel)))
    edges = np.unique(np.linspace(0, len(sizes), columns + 1).astype(int))[:-1]
    tall = np.maximum.reduceat(sizes, edges)
    tall = tall / (float(tall.max()) or 1.0) * box.height / 2 * came
    pitch, middle = (axis.end - axis.x) / len(tall), (box.top + box.bottom) / 2
    upper = [(axis.x + (index + 0.5) * pitch, middle - each) for index, each in enumerate(tall.tolist())]
    lower = [(x, 2 * middle - y) for x, y in reversed(upper)]
    return [Path((parts.polygon([*upper, *lower]),), fill="gradient-mark")]


def _padding(sc: Scene, box: Box) -> list[Mark]:
    """Hatching where nothing was recorded: zeros that only make the sound as long as the network reads."""
    heard = sc.sound.heard
    ends = [(0, heard.start), (heard.stop, len(sc.sound.wave))] if len(heard) else [(0, len(sc.sound.wave))]
    marks: list[Mark] = []
    widest = max(ends, key=lambda end: end[1] - end[0])
    for first, last in ends:
        left, wide = sc.axis.x + first * sc.axis.per, (last - first) * sc.axis.per
        if wide > 1:
            marks.append(Rect(left, box.top, wide, box.height, "hatch"))
            words = tr("padding: no sound") if len(heard) else tr("silence: every number is 0")
            room = width(words, 12) + 14
            if (first, last) == widest and wide > room + 8 and box.height >= 24:
                middle, y = left + wide / 2, (box.top + box.bottom) / 2
                marks += [Rect(middle - room / 2, y - 9, room, 18, "stage", radius=4),
                          Text(middle, y + 4.5, plain(words), 12, 400, "ink-2", "middle")]
    return marks


# --- maps over time --------------------------------------------------------------------------------------------------

def _spectrogram(sc: Scene, box: Box) -> Drawn:
    """The newest picture of frequencies over time on the way to the spectrogram, low notes below; then its gradient."""
    made = way(sc.trace)
    names = [layer.name for layer in made]
    place = sc.axis.span(sc.seen.clock)
    bands = len(sc.seen.values)
    named = tr("spectrogram")
    size = tr("{bands} bands").format(bands=said(str(bands), "how many bands", sc.seen.layer or sc.sound.layer))
    still = _name(sc, box, named, size)
    begun = [layer for layer in made if sc.begun(layer.name) > 0]
    if not begun or len(bands_of(begun[-1], begun[-1].output, sc.sound.clocks[begun[-1].name])) == bands:
        still += _hertz(sc, box, bands)  # else the rows are others than the bands
    if not made:
        low, high = colour.reach(sc.seen.values)
        entries = colour.unit(sc.seen.values, low, high)
        return still, [steps.unread(place, box.top, box.height), *_picture(
            sc, entries, "pixel", place, box, None, sc.begun(sc.sound.layer),
            Scale("pixel", tr("decibels below the loudest"), sc.sound.layer, low, high))]
    return still, [Rect(place.x, box.top, place.end - place.x, box.height, "hatch"), *_newest(sc, names, box),
                   *_of_padding(sc, place, box)]


def _of_padding(sc: Scene, place: steps.Span, box: Box) -> list[Mark]:
    """Hatching over the frames that hear padding alone: those at an end that are all the same."""
    if sc.moment.backward or sc.begun(sc.seen.layer) <= 0 or not len(sc.sound.heard):
        return []
    values, marks = sc.seen.values, list[Mark]()
    first = np.flatnonzero((values != values[:, :1]).any(axis=0))
    last = np.flatnonzero((values != values[:, -1:]).any(axis=0))
    ends = [(0, int(first[0]) if len(first) else 0)] if sc.sound.heard.start > 0 else []
    if sc.sound.heard.stop < len(sc.sound.wave) and len(last):
        ends.append((int(last[-1]) + 1, sc.seen.clock.count))
    for start, stop in ends:
        if stop > start + 1:
            at = (place.left(start), box.top, (stop - start) * place.pitch, box.height)
            marks += [Rect(*at, "stage"), Rect(*at, "hatch")]
    return marks


def _newest(sc: Scene, names: Sequence[str], box: Box) -> list[Mark]:
    """Of layers that follow one another the newest that is computed, over the one before it while it uncovers; on the
    way back the newest to which the gradient has come."""
    backward = sc.moment.backward
    order = names[-1:] if backward else names  # what it hands on to the layers before looks much the same
    shares = [(name, sc.came(name) if backward else sc.begun(name)) for name in order]
    begun = [(name, share) for name, share in shares if share > 0]
    drawn = begun[-2:] if begun and begun[-1][1] < 1 else begun[-1:]
    marks: list[Mark] = []
    for name, share in drawn:
        marks += _layer(sc, name, box, backward, share)
    if drawn and sc.look.mode.notes and drawn[-1][0] != names[-1] and not backward:
        words, x = drawn[-1][0], sc.axis.x + 6
        marks += [Rect(x, box.top + 5, width(words, 12, 500, True) + 10, 18, "stage", radius=4, opacity=0.9),
                  Text(x + 5, box.top + 18, plain(words), 12, 500, "ink", mono=True)]
    return marks


def _layer(sc: Scene, name: str, box: Box, backward: bool, share: float) -> list[Mark]:
    layer, clock = sc.trace[name], sc.sound.clocks[name]
    place = sc.axis.span(clock)
    if layer.output.ndim == 3 and layer.shape[0] > 1:
        return _tiles(sc, layer, place, box, backward, share)
    values = bands_of(layer, layer.gradient if backward else layer.output, clock)
    entries, palette, scale = _coloured(sc, layer, values, backward)
    return _picture(sc, entries, palette, place, box, layer, share, scale)


def _coloured(sc: Scene, layer: Layer, values: Values, backward: bool) -> tuple[NDArray[Any], str, Scale]:
    """Entries of a picture of frequencies: dark where it is strong, once it is a logarithm; signed else."""
    if backward:
        top = colour.largest(values) or 1.0
        return colour.magnitude(values, top * FLOOR, top), "gradient", \
            Scale("gradient", tr("size of the gradient"), layer.name, top * FLOOR, top, log=True)
    made = [each.name for each in way(sc.trace)]
    if layer.name not in made:
        entries, palette = parts.entries_of(sc.trace, layer, sc.look, False, values)
        return entries, palette, parts.scale_of(sc.trace, layer, sc.look, False)
    kinds_so_far = [sc.trace[name].kind for name in made[:made.index(layer.name) + 1]]
    low, high = colour.reach(values)
    if layer.name == made[-1] or low >= 0 or any(kind in ("log", "log10", "log1p", "log2") for kind in kinds_so_far):
        return colour.unit(values, low, high), "pixel", Scale("pixel", tr("values"), layer.name, low, high)
    top = colour.largest(values) or 1.0
    return colour.signed(values, top), "activation", Scale("activation", tr("values"), layer.name, -top, top)


def _picture(sc: Scene, entries: NDArray[Any], palette: str, place: steps.Span, box: Box, layer: Layer | None,
             share: float, scale: Scale) -> list[Mark]:
    """(band, frame) as one map, low notes at the bottom; where there are more bands or frames than pixels the entry
    farthest from zero of those that share one."""
    zero = colour.ZERO if palette == "activation" else 0
    down = max(1, math.ceil(len(entries) / (box.height / sc.look.pixel) - 1e-9))
    across = place.share
    shown = _gathered(entries, down, across, zero)
    rows, each = len(shown), box.height / len(shown)
    maps = 1 if layer is None else layer.shape[0] if layer.output.ndim == 3 else 0
    focus = None if layer is None or down > 1 or across > 1 else Focus(layer.name, (0,) if maps == 1 else ())
    upright = _of_notes(sc, layer)
    shown = shown[::-1] if upright else shown
    order = tuple(range(rows))
    return [Image(place.x, box.top, (place.pitch * across, each), np.ascontiguousarray(shown[None]), palette, border="",
                  focus=focus, indices=(-1,), rows=order[::-1] if upright else (), transposed=upright,
                  rows_shown=share, scale=scale)]


def _of_notes(sc: Scene, layer: Layer | None) -> bool:
    """Whether its rows are frequencies, low ones first; the channels of a layer that learned are none."""
    return layer is None or layer.name in {each.name for each in way(sc.trace)} or layer.output.ndim == 3


def _gathered(entries: NDArray[Any], down: int, across: int, zero: int) -> NDArray[Any]:
    for axis, by in ((0, down), (1, across)):
        if by > 1:
            moved = np.moveaxis(entries, axis, -1)
            grown = np.pad(moved, ((0, 0), (0, -moved.shape[-1] % by)), mode="edge").reshape(len(moved), -1, by)
            far = np.abs(grown.astype(np.int16) - zero).argmax(-1)
            entries = np.moveaxis(np.take_along_axis(grown, far[..., None], -1)[..., 0], -1, axis)
    return entries


def _hertz(sc: Scene, box: Box, bands: int) -> list[Mark]:
    """The axis of frequencies: octaves, and the lowest and highest band where nobody knows how high they are."""
    if not sc.look.mode.notes:
        return []
    marks: list[Mark] = []
    x = sc.axis.end + 8
    if sc.seen.hertz is None:
        ends = ((box.top + 10, bands - 1), (box.bottom - 1, 0))
        return [Text(x, y, plain(tr("band {band}").format(band=tick(str(band), band, 0, bands))), 11, 400, "ink-2")
                for y, band in ends]
    low, high, last = float(sc.seen.hertz[0]), float(sc.seen.hertz[-1]), box.bottom + 20
    for hz in AXIS_TICKS:
        if low <= hz <= high:
            band = float(np.interp(hz, sc.seen.hertz, np.arange(bands)))
            y = box.bottom - (band + 0.5) * box.height / bands
            if y < last - 13 and y > box.top + 3:
                words = tr("{number} Hz").format(number=tick(str(hz), hz, low, high)) if hz < 1000 else \
                    tr("{number} kHz").format(number=tick(numbers.short(hz / 1000), hz / 1000, low / 1000, high / 1000))
                marks += [Line(((sc.axis.end, y), (sc.axis.end + 5, y)), "rule"),
                          Text(x, y + 4, plain(words), 11, 400, "ink-2")]
                last = y
    return marks


def _maps(sc: Scene, names: Sequence[str], box: Box) -> Drawn:
    """What a stage makes: its liveliest maps, or all channels as one map where it has no frequencies."""
    layer = sc.trace[names[-1]]
    place = sc.axis.span(sc.sound.clocks[layer.name])
    flat = layer.output.ndim == 2
    count = said(str(layer.shape[0]), "length of axis", layer.name, (0,))
    still: list[Mark]
    if flat:
        still = _name(sc, box, layer.name, tr("{count} channels").format(count=count), True)
        return still, [Rect(place.x, box.top, place.end - place.x, box.height, "hatch"), *_newest(sc, names, box)]
    shown = liveliest(sc.trace, layer.name)
    still = _name(sc, box, layer.name, tr("{shown} of {count} maps").format(
        shown=said(str(len(shown)), "maps shown", layer.name), count=count), True)
    pitch = (box.height + BETWEEN) / len(shown)
    marks: list[Mark] = []
    for index, channel in enumerate(shown):
        y = box.top + index * pitch
        marks.append(Rect(place.x, y, place.end - place.x, pitch - BETWEEN, "hatch"))
        if sc.look.mode.notes and pitch >= 14:
            still.append(Text(sc.axis.end + 8, y + (pitch - BETWEEN) / 2 + 4, plain(tr("map {map}").format(
                map=said(str(channel), "index", layer.name, (channel,)))), 11, 400, "ink-2"))
    return still, marks + _newest(sc, names, box)


def _tiles(sc: Scene, layer: Layer, place: steps.Span, box: Box, backward: bool, share: float) -> list[Mark]:
    """The maps that a stage shows, one below the other."""
    last = next((stage.last for stage in sc.stages if layer.name in stage.layers), layer.name)
    shown = liveliest(sc.trace, last)
    values = np.asarray(layer.gradient if backward else layer.output, np.float64)[list(shown)]
    if backward:
        top = colour.largest(_gradient_of(layer)) or 1.0
        entries, palette = colour.magnitude(values, top * FLOOR, top), "gradient"
        scale = Scale("gradient", tr("size of the gradient"), layer.name, top * FLOOR, top, log=True)
    else:
        entries, palette = parts.entries_of(sc.trace, layer, sc.look, False, values)
        scale = parts.scale_of(sc.trace, layer, sc.look, False)
    pitch = (box.height + BETWEEN) / len(shown)
    high, rows, across = pitch - BETWEEN, layer.shape[1], place.share
    zero = colour.ZERO if palette == "activation" else 0
    down = max(1, math.ceil(rows / (high / sc.look.pixel) - 1e-9))
    made = np.stack([_gathered(one, down, across, zero)[::-1] for one in entries])
    own = down == across == 1
    return [Image(place.x, box.top, (place.pitch * across, high / made.shape[1]), np.ascontiguousarray(made), palette,
                  pitch=(place.end - place.x, pitch), border="", focus=Focus(layer.name) if own else None,
                  indices=shown, rows=tuple(reversed(range(rows))) if own else (), transposed=own, rows_shown=share,
                  scale=scale)]


# --- states and answers ----------------------------------------------------------------------------------------------

@remembered(32)
def _sorted(shown: Reading, by: str) -> tuple[int, ...]:
    """Units as they are, or by their state when all was read, largest on top."""
    if by == "as is":
        return tuple(range(shown.units))
    last = np.nan_to_num(shown.states[0 if shown.reverse else -1])
    return tuple(int(unit) for unit in np.argsort(-last, kind="stable"))


@remembered(32)
def _entries(shown: Reading, by: str, backward: bool) -> steps.Entries | None:
    order = list(_sorted(shown, by))
    if not backward:
        top = 1.0 if shown.squashed else colour.largest(shown.states) or 1.0
        return steps.Entries(np.ascontiguousarray(colour.signed(shown.states[:, order], top).T), "activation",
                             colour.ZERO, Scale("activation", tr("state"), shown.layer.name, -top, top))
    if shown.gradients is None:
        return None
    sizes = np.abs(shown.gradients[:, order])
    top = colour.largest(sizes) or 1.0
    return steps.Entries(np.ascontiguousarray(colour.magnitude(sizes, top * FLOOR, top).T), "gradient", 0,
                         Scale("gradient", tr("size of the gradient"), shown.layer.name, top * FLOOR, top, log=True))


def _states(sc: Scene, box: Box) -> Drawn:
    """The state of all units after each step, filling as the steps are read; both directions where there are two."""
    assert sc.shown is not None
    backward, by = sc.moment.backward, sc.look.knob("order", "last state")
    units = said(str(sc.shown.units), "how many units", sc.shown.layer.name)
    name = fitting((tr("hidden state"), tr("state")), LEFT - 20, 13, 600)
    still = _name(sc, box, name, numbers.units(sc.shown.units, units))
    marks: list[Mark] = []
    high = (box.height + BETWEEN) / len(sc.ways) - BETWEEN
    for number, one in enumerate(sc.ways):
        y = box.top + number * (high + BETWEEN)
        place = sc.axis.span(sc.sound.clocks[one.layer.name])
        cell = high / one.units
        even = whole(cell, sc.look.pixel)
        cell = even if even >= sc.look.pixel else cell
        entries = _entries(one, by, backward)
        marks.append(steps.unread(place, y, cell * one.units))
        marks.append(steps.touched(one, place, y, cell * one.units))
        if entries is not None:
            reach = steps.arrived(sc.trace, one, sc.moment) if backward else steps.read(sc.trace, one, sc.moment)
            marks += steps.timed_map(entries, reach, place, y, cell, Focus(one.layer.name), _sorted(one, by))
        if len(sc.ways) > 1 and sc.look.mode.notes:
            still.append(Text(sc.axis.end + 8, y + high / 2 + 4, plain(tr("← read back") if one.reverse else
                                                                       tr("read on →")), 11, 400, "ink-2"))
    if len(sc.ways) == 1 and sc.step >= 0 and sc.look.mode.notes and not backward:
        marks += _gates(sc, box)
    return still, marks


def _gates(sc: Scene, box: Box) -> list[Mark]:
    """How open the gates are on average at the step."""
    assert sc.shown is not None
    marks: list[Mark] = []
    room = int(box.height / 30)
    for number, (key, title, values) in enumerate(
            [gate for gate in sc.shown.gates if gate[0] not in ("new", "candidate")][:room]):
        y = box.top + 11 + number * 31
        x = sc.axis.end + 8
        marks += [Text(x, y, plain(title), 11, 400, "ink-2", max_width=sc.look.size[0] - x - 2),
                  Text(x, y + 14, plain(said(numbers.number(float(values[sc.step].mean()), 2), "mean",
                                                           sc.shown.layer.name, (sc.step,), array=f"inner.{key}")), 12,
                       600)]
    return marks


def _answers(sc: Scene, answers: Answers, box: Box) -> Drawn:
    """Classes × steps, as far as they are known: dark is likely; the likeliest of each step framed."""
    place, rows = sc.axis.span(answers.clock), len(answers.classes)
    cell = whole(box.height / rows, sc.look.pixel) or box.height / rows
    title = tr("frames say") if answers.blank is not None else tr("if stopped")
    few = rows < answers.values.shape[1]
    count = said(str(rows), "answers shown")
    below = tr("{count} likeliest").format(count=count) if few else \
        counted_as(rows, tr("{count} answer"), tr("{count} answers")).format(count=count)
    still = _name(sc, Box(box.left, box.top, box.right, box.top + cell * rows), title, below)
    if cell >= (9 if sc.look.mode.notes else 7):
        of = answers.layer or sc.trace.answers[0].layer
        for row, index in enumerate(answers.classes):
            name = tr("blank") if index == answers.blank else said(label(sc.trace, index), "label", of, (index,))
            still.append(Text(sc.axis.x - 9, box.top + (row + 0.5) * cell + 4, plain(name), min(12, cell), 500, "ink-2",
                              "end", 40))
        widest = min(40.0, max(width(mark.plain, 12, 500) for mark in still if isinstance(mark, Text)
                               and mark.weight == 500))
        still = [_aside(mark, sc.axis.x - 22 - widest) if isinstance(mark, Text) and mark.weight != 500 else mark
                 for mark in still]
    known = sc.known
    marks: list[Mark] = [Rect(place.x, box.top, place.end - place.x, cell * rows, "hatch")]
    if sc.moment.backward:
        return still, marks + _pushed(sc, answers, place, box, cell)
    if not known:
        return still, marks
    values = answers.values[np.ix_(known, answers.classes)]
    marks.append(Image(place.left(known[0]), box.top, (place.pitch, cell),
                       np.ascontiguousarray(colour.unit(values.T)[None]), "pixel",
                       focus=Focus(answers.layer) if answers.layer and known[0] == 0 and not few else None,
                       indices=(-1,), transposed=True,
                       scale=Scale("pixel", tr("probability"), tr("the answers"), 0.0, 1.0)))
    if place.pitch >= 4 and cell >= 4:
        for step in known:
            best = int(np.argmax(answers.values[step]))
            if best in answers.classes and best != answers.blank:
                marks.append(Rect(place.left(step) + 0.5, box.top + answers.classes.index(best) * cell + 0.5,
                                  place.pitch - 1, cell - 1, "", "accent", 1.25))
    if sc.look.mode.notes and sc.step in known:
        marks += _top_two(sc, answers, box, cell)
    return still, marks


def _aside(mark: Text, x: float) -> Text:
    """The name of the row, left of the names of the classes."""
    return Text(x, mark.y, mark.runs, mark.size, mark.weight, mark.color, "end", x - 4)


def _top_two(sc: Scene, answers: Answers, box: Box, cell: float) -> list[Mark]:
    row = answers.values[sc.step]
    marks: list[Mark] = []
    for number, index in enumerate(np.argsort(-row, kind="stable")[:2]):
        of = answers.layer or sc.trace.answers[0].layer
        name = tr("blank") if index == answers.blank else said(label(sc.trace, int(index)), "label", of, (index,))
        words = f"{name}: {chance_said(sc, answers, int(index), sc.step)}"
        marks.append(Text(sc.axis.end + 8, box.top + 12 + 16 * number, plain(words), 12, 400 if number else 600,
                          "ink-2" if number else "accent-ink", max_width=sc.look.size[0] - sc.axis.end - 10))
    return marks


def chance_said(sc: Scene, answers: Answers, index: int, step: int, digits: int = 0) -> str:
    """The chance of a class after a step."""
    words = numbers.percent(float(answers.values[step][index]), digits)
    if answers.layer:
        return said(words, "chance", answers.layer, (index,), step, "1")
    assert sc.shown is not None
    return said(words, "chance if stopped", sc.shown.layer.name, (index,), step)


def _pushed(sc: Scene, answers: Answers, place: steps.Span, box: Box, cell: float) -> list[Mark]:
    """On the way back the gradient of what became the chances, once it has come there."""
    if not answers.layer:
        return []
    layer = sc.trace[answers.layer]
    scores = sc.trace.inputs(layer)[0] if kinds.shares(layer) else layer
    if sc.came(scores.name) <= 0 or scores.shape != answers.values.shape:
        return []
    top = colour.largest(_gradient_of(scores)) or 1.0
    values = _gradient_of(scores)[:, list(answers.classes)]
    return [Image(place.x, box.top, (place.pitch, cell),
                  np.ascontiguousarray(colour.magnitude(values.T, top * FLOOR, top)[None]), "gradient",
                  focus=Focus(scores.name) if len(answers.classes) == answers.values.shape[1] else None, indices=(-1,),
                  transposed=True, rows_shown=sc.came(scores.name),
                  scale=Scale("gradient", tr("size of the gradient"), scores.name, top * FLOOR, top, log=True))]


def _spelled(sc: Scene, answers: Answers, box: Box) -> Drawn:
    """Repeats merged and blanks left out: each symbol under the first frame that says it; below it, where the loss
    knows what was said, how surely each of its symbols lies under each frame."""
    place, known = sc.axis.span(answers.clock), sc.known
    y = box.top + 14
    still: list[Mark] = [Text(LEFT - 16, y, plain(tr("spells")), 13, 600, "ink", "end", LEFT - 20)]
    marks: list[Mark] = []
    path = [int(np.argmax(row)) for row in answers.values]
    of = answers.layer or sc.trace.answers[0].layer
    for step in range(answers.clock.count):
        if step not in known:
            marks.append(Rect(place.left(step), box.top, place.pitch, 18, "hatch"))
        elif path[step] != answers.blank and (step - 1 not in known or path[step] != path[step - 1]):
            marks.append(Text(place.middle(step), y + 1, plain(said(label(sc.trace, path[step]), "likeliest label", of,
                                                                    step=step)), 16, 600, "accent-ink", "middle"))
    lines = _alignment(sc.trace)
    if lines is None or not sc.look.mode.notes:
        return still, marks
    still.append(Text(LEFT - 16, box.top + 34, plain(tr("lies at")), 13, 600, "ink", "end", LEFT - 20))
    if len(known) < answers.clock.count:
        marks.append(Rect(place.x, box.top + 22, place.end - place.x, 16, "hatch"))
        return still, marks
    for symbol, shares in lines:
        peak = int(np.argmax(shares))
        marks.append(Path((_hill(place, shares, box.top + 38, 15.0),), fill="tile-border", stroke="ink-2", width=1))
        words = said(label(sc.trace, symbol), "label", of, (symbol,))
        marks.append(Text(place.middle(peak), box.top + 36, plain(words), 11, 600, "ink", "middle"))
    return still, marks


def _hill(place: steps.Span, shares: Values, base: float, high: float) -> Points:
    tops = [(place.middle(step), base - high * float(share)) for step, share in enumerate(shares)]
    return parts.polygon([(place.x, base), *tops, (place.end, base)])


@remembered(8)
def _alignment(trace: Trace) -> list[tuple[int, Values]] | None:
    """Of each symbol that was said: (symbol, (step,) what part of all ways to spell it has that symbol at that step),
    by the forward and backward sums of the loss; each symbol once, however often it is said."""
    loss = next((layer for layer in trace.layers if kinds.label(layer) == "symbols"), None)
    if loss is None:
        return None
    shares, _, _ = ways_of(loss, trace.inputs(loss)[0])
    return [(symbol, shares[:, symbol]) for symbol in dict.fromkeys(written(trace))]

