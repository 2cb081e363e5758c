"""Columns: the input with what each network has seen of it, and one column a network with what it computes now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import answers
from visualizer.comparison import words
from visualizer.comparison.frame import Place
from visualizer.comparison.path import EXACT
from visualizer.comparison.reader import (
    Now,
    Reader,
    answer_of,
    answered,
    at_steps,
    change,
    field,
    guess,
    guesses,
    largest_unit,
    recalls,
    shown_array,
    step_inputs,
)
from visualizer.language import english, tr
from visualizer.scene import colour, numbers, parts
from visualizer.scene.boxes import Box, whole
from visualizer.scene.columns import Column, blank_column, passages, sized
from visualizer.scene.lens import large
from visualizer.scene.picture import (
    Focus,
    Group,
    Image,
    Line,
    Look,
    Mark,
    Path,
    Points,
    Rect,
    Run,
    Scale,
    Text,
    changed,
    grouped,
    plain,
    rich,
)
from visualizer.scene.reading import Reading, visible
from visualizer.scene.type import width, wrap
from visualizer.size import norm
from visualizer.trace import Answer, Layer, Trace, remembered

RECALL = 0.26
"""The share of a picture of states that the bars of what they recall take."""
LEAST_SYMBOL = 13.0
"""Symbols that have less height each stand as a text."""
MOST_HATCHED = 64
"""So many tiles that are still to come are hatched one by one."""
MOST_CLASSES, LOWEST = 10, 12.0
"""So many classes have a bar, as far as each is so high."""
NONE, TICK, CROSS = "ink-2", "accent-fill", "negative-text"


# --- the input -------------------------------------------------------------------------------------------------------

def given(reader: Reader, box: Box, look: Look) -> tuple[list[Mark], Box]:
    """The input as all of them get it, and where it stands."""
    trace = reader.trace
    layer = trace.layers[0]
    column = blank_column(trace, layer, box.height, look.pixel, "mean", False)
    if layer.output.ndim == 1 and len(trace.sample.steps) == layer.output.size:
        return _symbols(trace, box)
    if column.style == "picture":
        column = sized(column, layer, box.width, box.height, look.pixel)
    elif layer.output.ndim >= 2:
        column = large(trace, column, box.width, box.height, look.pixel)
    else:
        column = _units(column, layer, box, look)
    column = replace(column, x=box.left, top=box.top)
    place = Box(box.left, box.top, box.left + column.width, box.top + column.height)
    marks = parts.tiles(trace, column, look, False)
    return [*marks, Rect(place.left, place.top, place.width, place.height, stroke="rule", inside=True)], place


def _symbols(trace: Trace, box: Box) -> tuple[list[Mark], Box]:
    """What is read, one symbol below the other as far as there is room, and where; else as a text, whose place has no
    height: its steps are no rows."""
    count = len(trace.sample.steps)
    pitch = min(26.0, box.height / count)
    if pitch < LEAST_SYMBOL:
        lines = _lines_of(trace, box)
        return [Text(box.left, box.top + 18 + 19 * number, plain(line), 13, 400, "ink-2", max_width=box.width)
                for number, line in enumerate(lines)], replace(box, bottom=box.top + 6 + 19 * len(lines))
    return [Text(box.left + 12, box.top + (step + 0.5) * pitch + 4.5, plain(word), min(14.0, pitch - 2), 500,
                 max_width=box.width - 12, focus=Focus(trace.layers[0].name, (step,)))
            for step, word in enumerate(trace.sample.steps)], replace(box, bottom=box.top + pitch * count)


def _text_of(trace: Trace) -> str:
    return "".join(" " if symbol.isspace() else symbol for symbol in trace.sample.steps)


def _lines_of(trace: Trace, box: Box) -> Sequence[str]:
    return wrap(_text_of(trace), 13, box.width)[:11]


def _read_so_far(trace: Trace, place: Box, step: int) -> list[Mark]:
    """Of a text that is read, what has been read, in strong ink over it."""
    marks: list[Mark] = []
    text, at = _text_of(trace), 0
    until = sum(map(len, trace.sample.steps[:step]))
    for number, line in enumerate(_lines_of(trace, place)):
        at = max(at, text.find(line, at))
        read = line[:max(0, until - at)]
        at += len(line)
        if read:
            marks.append(Text(place.left, place.top + 18 + 19 * number, plain(read), 13, 400, "ink",
                              max_width=place.width))
    return marks


def seen_of_it(readers: Sequence[Reader], seen: Sequence[Now], place: Box, active: int, chosen: Focus | None) \
        -> list[Mark]:
    """On the input: how far steps have been read, and what the marked unit of each network sees."""
    marks: list[Mark] = []
    for index, (reader, now) in enumerate(zip(readers, seen, strict=True)):
        strong = index == active
        shown = at_steps(reader.trace, now)
        if shown is not None:
            marks += _row_read(reader.trace, shown, now, place, strong)
        elif reader.trace[now.layer].has("row", "column") and now.uncovered == 1:
            marks += _sees(reader.trace, now, place, strong, chosen if strong else None)
    return marks


def _row_read(trace: Trace, shown: Reading, now: Now, place: Box, strong: bool) -> list[Mark]:
    """The row under the state, or the word, with a line along what was read before."""
    step, found = now.step, step_inputs(trace)
    if not step or shown.reverse:
        return []
    if trace.layers[0].output.ndim == 1 and place.height / shown.total < LEAST_SYMBOL - EXACT:
        return _read_so_far(trace, place, step) if strong else []
    if found is None and trace.layers[0].shape[:1] != (shown.total,):
        return []
    if found is not None and found.kind == "windows" and found.windows:
        first, last = (found.windows[step - 1][side] for side in (0, 1))
        across = place.width / trace.layers[0].shape[-1]
        left, right = (place.left + across * min(max(end, 0), trace.layers[0].shape[-1])
                       for end in (first, last + 1))
        ink = "accent" if strong else "ink"
        return [Rect(left, place.top - 3, right - left, place.height + 6, "", ink, 2, radius=3)]
    upright = found is None or found.kind != "rows" or found.upright
    pitch = (place.height if upright else place.width) / shown.total
    at = (step - 1) * pitch
    ink = "accent" if strong else "ink"
    if upright:
        along = (place.top + at, place.bottom) if now.moment.backward else (place.top, place.top + at + pitch)
        return [Line(((place.left - 7, along[0]), (place.left - 7, along[1])), ink, 3),
                Rect(place.left - 3, place.top + at - 2, place.width + 6, pitch + 4, "", ink, 2, radius=3)]
    return [Rect(place.left + at - 2, place.top - 3, pitch + 4, place.height + 6, "", ink, 2, radius=3)]


def unit_of(trace: Trace, layer: str, chosen: Focus | None) -> tuple[int, ...]:
    """Whose receptive field is shown: the number that was chosen, else the largest of the layer."""
    if chosen is not None and chosen.layer == layer and len(chosen.cell) == trace[layer].output.ndim:
        return chosen.cell
    return largest_unit(trace, layer)


def _sees(trace: Trace, now: Now, place: Box, strong: bool, chosen: Focus | None) -> list[Mark]:
    first = trace.layers[0]
    box = field(trace, now.layer, unit_of(trace, now.layer, chosen))
    if box is None or not first.has("row", "column"):
        return []
    (top, bottom), (left, right) = box[-2:]
    cell = place.width / first.shape[-1], place.height / first.shape[-2]
    x, y = place.left + left * cell[0], place.top + top * cell[1]
    return [Rect(x - 1, y - 1, (right - left + 1) * cell[0] + 2, (bottom - top + 1) * cell[1] + 2, "",
                 "accent" if strong else "ink", 2.5 if strong else 1.5, dashed=not strong, radius=2)]


# --- what a network computes -----------------------------------------------------------------------------------------

def heading(reader: Reader, place: Place, number: int, active: bool) -> list[Mark]:
    """The name of a network, and how it reads."""
    box = place.box
    y = box.top + 17
    head = place.answers.left - 8 if place.answers.top <= place.picture.top else box.right
    small = width(reader.name, 15, 600) > head - box.left
    marks: list[Mark] = [Text(box.left, y, plain(reader.name), 13 if small else 15, 600,
                              "accent-ink" if active else "ink", max_width=head - box.left)]
    left = box.left + width(reader.name, 15, 600) + 10
    how = words.reads_how(reader.trace)
    if left + width(how, 12) <= head:
        marks.append(Text(left, y, plain(how), 12, 400, "ink-2"))
    return marks


@remembered(64)
def column_of(trace: Trace, name: str, box: Box, look: Look) -> Column:
    """The tiles of one layer, as large as they stand in a place."""
    layer = trace[name]
    column = blank_column(trace, layer, box.height, look.pixel, "mean", False)
    if column.style == "picture":
        column = sized(column, layer, box.width, box.height, look.pixel)
    elif layer.output.ndim >= 2 and name not in passages(trace):
        if layer.output.ndim >= 3:
            column = replace(column, sub_columns=_across(len(column.shown), layer.shape[-2], layer.shape[-1], box))
        column = large(trace, column, box.width, box.height, look.pixel)
    else:
        column = _units(replace(column, shown=tuple(range(layer.output.size))), layer, box, look)
    return replace(column, x=float(round(box.left)), top=float(round(box.top)))


def _across(count: int, rows: int, columns: int, box: Box) -> int:
    """How many tiles stand side by side, so that they are as large as they can be."""
    def good(across: int) -> float:
        down = -(-count // across)
        side = min((box.width / across - 8) / columns, (box.height / down - 8) / rows)
        return float(side * (count / (across * down)) ** 0.5)

    return max(range(1, count + 1), key=lambda across: (round(good(across), 6), -across))


def _units(column: Column, layer: Layer, box: Box, look: Look) -> Column:
    """Units as a block of cells, twice as wide as high."""
    count = max(1, layer.output.size)
    area = box.width * 0.8 * min(box.height, box.width)
    side = max(look.pixel, whole(min(36.0, (area / count) ** 0.5), look.pixel))
    gap = 2.0 if side >= 8 else 1.0 if side >= 4 else 0.0
    across = max(1, int((box.width + gap) // side))
    return replace(column, style="units", cell=(side - gap, side - gap), tile=(side - gap, side - gap),
                   pitch=(side, side), sub_columns=across, width=min(across, count) * side - gap)


def computed(index: int, reader: Reader, now: Now, place: Place, look: Look, chosen: Focus | None) -> list[Mark]:
    """What a network computes now: its maps, its units, or its state and what that recalls; what is not there yet is
    hatched."""
    shown = at_steps(reader.trace, now)
    group = Group(reader.name)
    if shown is not None:
        return grouped(group, _states(reader.trace, shown, now, place.picture, look))
    return grouped(group, _tiles(index, reader.trace, now, place.picture, look, chosen))


def _tiles(index: int, trace: Trace, now: Now, box: Box, look: Look, chosen: Focus | None) -> list[Mark]:
    layer, backward = trace[now.layer], now.moment.backward
    column = column_of(trace, now.layer, box, look)
    marks: list[Mark] = []
    if backward and layer.gradient is None:
        return [Rect(column.x, column.top, column.width, column.height, "hatch"),
                *_said_on(Box(column.x, column.top, column.x + max(column.width, 120.0), column.top + column.height),
                          tr("no gradient came back"))]
    if now.uncovered < 1:
        marks += _hatched(column)
    if now.uncovered > 0 and column.style == "units":
        there = max(1, round(now.uncovered * len(column.shown)))
        marks += parts.tiles(trace, replace(column, shown=column.shown[:there]), look, backward)
    elif now.uncovered > 0:
        marks += parts.tiles(trace, column, look, backward, now.uncovered)
    if layer.has("row", "column") and layer.output.ndim >= 3 and now.uncovered == 1:
        cell = unit_of(trace, now.layer, chosen)
        channel = column.box(cell[0])
        if channel is not None:
            marks.append(Rect(channel[0] - 3, channel[1] - 3, channel[2] + 6, channel[3] + 6, "", "accent", 2))
            if column.factor == 1 and column.cell[0] >= 4:
                x, y = (channel[side] + cell[-1 - side] * column.cell[side] for side in (0, 1))
                marks.append(Rect(x - 1, y - 1, column.cell[0] + 2, column.cell[1] + 2, "", "accent", 1.5))
    if layer.output.ndim == 1:
        marks += _next(index, trace, now, box, column, look)
    return marks


def _hatched(column: Column) -> list[Mark]:
    """The place of each tile, and of units that of all of them."""
    if column.style == "units" or len(column.shown) > MOST_HATCHED:
        return [Rect(column.x, column.top, column.width, column.height, "hatch")]
    return [Rect(*box, "hatch") for channel in column.shown or (0,) if (box := column.box(channel)) is not None]


def _next(index: int, trace: Trace, now: Now, box: Box, column: Column, look: Look) -> list[Mark]:
    """Below units the place of those that come next, still hatched."""
    if now.finished or now.moment.backward or now.uncovered < 1:
        return []
    reader = next((other for other in trace.readers(now.layer) if other.output.ndim == 1), None)
    top = column.top + column.height + 40
    if reader is None or top + 44 > box.bottom:
        return []
    high = min(0.5 * column.height, box.bottom - top - 20, 60.0)
    said = tr("{name}: {count} units, next").format(name=reader.name, count=words.claimed(
        index, numbers.count(reader.output.size), "length of axis", reader.name, (0,)))
    return [Rect(column.x, top, column.width, high, "hatch"),
            Text(column.x, top + high + 16, plain(said), 12, 400, "ink-2", max_width=box.width)]


def unread(box: Box) -> list[Mark]:
    """The room for the states and for what they recall, hatched; they are drawn over it."""
    bars = RECALL * box.width
    return [Rect(box.left, box.top, bars, box.height, "hatch"),
            Rect(box.left + bars + 8, box.top, box.width - bars - 8, box.height, "hatch")]


def _states(trace: Trace, shown: Reading, now: Now, box: Box, look: Look) -> list[Mark]:
    """One row a step: how much the state recalls of each, and the states that there are so far."""
    backward = now.moment.backward
    bars = RECALL * box.width
    state = Box(box.left + bars + 8, box.top, box.right, box.bottom)
    pitch = box.height / shown.total
    row = range(now.step - 1, shown.steps) if backward and not shown.reverse else range(0, now.step)
    if shown.reverse:
        row = range(0, now.step) if backward else range(shown.steps - now.step, shown.steps)
    entries, palette = _entries(trace, shown, look, backward)
    marks: list[Mark] = []
    if not len(row) or (backward and not now.step):
        return marks
    cell = (state.width / shown.units, pitch)
    marks.append(Image(state.left, state.top + row.start * pitch, cell,
                       np.ascontiguousarray(entries[None, row.start:row.stop]), palette, border="",
                       focus=Focus(shown.layer.name) if not row.start else None, indices=(-1,),
                       scale=_scale(trace, shown, look, backward)))
    coming = now.step - 2 if backward else now.step
    if now.partial > 0 and 0 <= coming < shown.steps and not shown.reverse:
        marks.append(Image(state.left, state.top + coming * pitch, cell,
                           np.ascontiguousarray(entries[None, coming:coming + 1]), palette, border="",
                           rows_shown=now.partial))
    marks += _recall_bars(trace, shown, now, Box(box.left, box.top, box.left + bars, box.bottom), row)
    at = (now.step - 1) * pitch
    if not shown.reverse:
        marks.append(Rect(box.left - 3, box.top + at - 2, box.width + 6, max(pitch, 3.0) + 4, "",
                          "gradient-mark" if backward else "accent", 2, radius=3))
    return marks


@remembered(8)
def _entries(trace: Trace, shown: Reading, look: Look, backward: bool) -> tuple[NDArray[Any], str]:
    values = shown.states
    if backward:
        values = shown.gradients if shown.gradients is not None else np.full(shown.states.shape, np.nan)
        top = parts.largest_gradient(trace)
        return np.asarray(colour.magnitude(values, top * parts.FLOOR, top)), "gradient"
    return parts.entries_of(trace, shown.layer, look, False, values)


def _scale(trace: Trace, shown: Reading, look: Look, backward: bool) -> Scale:
    return parts.scale_of(trace, shown.layer, look, backward)


def _recall_bars(trace: Trace, shown: Reading, now: Now, box: Box, row: range) -> list[Mark]:
    """Of each step how much the state recalls of it now; on the way back how much gradient came to it."""
    values = shown.norms if now.moment.backward else recalls(trace, shown.layer.name, now.step, not now.partial)
    pitch = box.height / shown.total
    marks: list[Mark] = [Rect(box.left, box.top + row.start * pitch, box.width, len(row) * pitch, "sunk")]
    if values is None or not len(values[row.start:row.stop]) or not np.nanmax(values[row.start:row.stop]) > 0:
        return marks
    top = float(np.nanmax(values[row.start:row.stop]))
    strokes: list[Points] = []
    for step in row:
        reach = box.width * float(values[step]) / top
        y = box.top + step * pitch
        gap = 1.0 if pitch >= 4 else 0.0
        if reach >= 0.5:
            strokes.append(parts.polygon(((box.left, y), (box.left + reach, y), (box.left + reach, y + pitch - gap),
                                          (box.left, y + pitch - gap))))
    return [*marks, Path(tuple(strokes), fill="gradient-mark", focus=None)]


def _said_on(box: Box, said: str) -> list[Mark]:
    room = width(said, 12) + 14
    middle, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return [Rect(middle - room / 2, y - 10, room, 20, "stage", "rule", 1, radius=4),
            Text(middle, y + 4.5, plain(said), 12, 400, "ink-2", "middle")]


def below(index: int, reader: Reader, now: Now, place: Place, look: Look) -> list[Mark]:
    """What it is that is shown, on which scale, and what there is to say of it."""
    box, trace = place.picture, reader.trace
    y = box.bottom + 16
    room = (place.box.right if place.answers.top > box.bottom else place.answers.left - 12) - box.left
    marks: list[Mark] = [Text(box.left, y, rich(words.what(index, trace, now)), 12, 400, "ink-2", max_width=room)]
    shown = at_steps(trace, now)
    scale = _scale(trace, shown, look, now.moment.backward) if shown is not None else \
        parts.scale_of(trace, trace[now.layer], look, now.moment.backward)
    marks += _bar(scale, box.left, y + 7, min(room, 200.0))
    unseen = now.uncovered != 1 or (shown is not None and not now.step)
    changed = None if reader.before is None or now.moment.backward or unseen else \
        change(trace, reader.before, now.layer, now.step if shown is not None else 0)
    reads_on = shown is not None and now.step and not shown.reverse
    kept = recalls(trace, now.layer, now.step, not now.partial) if reads_on else None
    said = "" if now.moment.backward else words.note(index, reader, now, changed, kept)
    wide = place.box.right - box.left if place.answers.top <= box.bottom else room
    if said:
        marks.append(Text(box.left, y + 42, rich(said), 12, 400, "ink-2", max_width=wide))
    return marks


def _bar(scale: Scale, x: float, y: float, wide: float) -> list[Mark]:
    """The colours with what they stand for at both ends."""
    if not scale.high > scale.low:
        return []
    low = numbers.significant(scale.low, 1) if scale.log else numbers.number(scale.low)
    high = numbers.significant(scale.high, 2) if scale.log else numbers.number(scale.high)
    first = 0 if scale.palette in ("pixel", "gradient") else 1
    ramp = np.arange(first, 256, dtype=np.uint8)[None, None]
    left = width(f"≤ {low}" if scale.log else low, 11) + 6
    across = wide - left - width(high, 11) - 6
    if across < 24:
        return []
    return [Text(x, y + 9, plain(f"≤ {low}" if scale.log else low), 11, 400, "ink-2"),
            Image(x + left, y + 1, (across / ramp.shape[-1], 8), ramp, scale.palette, border=""),
            Text(x + left + across + 6, y + 9, plain(high), 11, 400, "ink-2")]


# --- what is answered ------------------------------------------------------------------------------------------------

def classes_of(readers: Sequence[Reader], most: int) -> tuple[str, ...]:
    """The classes that have a bar, the same for all networks that choose among the same: all, or those with the largest
    share anywhere."""
    found: dict[str, float] = {}
    for reader in readers:
        for trace in (reader.trace, *((reader.before,) if reader.before is not None else ())):
            answer, values, on_the_way = answer_of(trace), answered(trace), guesses(trace)
            if answer is None or values is None:
                continue
            shares = values[0] if on_the_way is None else np.maximum(values[0], on_the_way.max(axis=0))
            for name, share in zip(answer.labels, shares, strict=False):
                found[name] = max(found.get(name, 0.0), float(share))
    if len(found) <= most:
        return tuple(found)
    largest = sorted(found, key=lambda name: -found[name])[:most]
    return tuple(name for name in found if name in largest)


def pitch_of(box: Box, bars: int) -> float:
    """How high the row of a class is."""
    return min(24.0, box.height / max(1, bars))


def bars_of(reader: Reader, shown: Sequence[str]) -> int:
    """How many classes of a network have a bar."""
    answer = answer_of(reader.trace)
    return 0 if answer is None else sum(name in answer.labels for name in shown)


def _track(box: Box, own: Sequence[str]) -> Box:
    """Where the bars of the classes run, the names left of it and the percents right."""
    names = min(0.4 * box.width, max(width(name, 12, 600) for name in own)) + 10
    return Box(box.left + names, box.top, max(box.left + names + 20, box.right - 44), box.bottom)


def tracks(reader: Reader, box: Box, shown: Sequence[str]) -> list[Mark]:
    """The names of the classes with room for their bars, and quiet what they were before; all that stays."""
    answer, found = answer_of(reader.trace), answered(reader.trace)
    own = [name for name in shown if answer is not None and name in answer.labels]
    if answer is None or found is None or not own:
        return []
    pitch, track = pitch_of(box, len(own)), _track(box, own)
    was = None if reader.before is None else answered(reader.before)
    truth = reader.trace.sample.label if not found[1] else None
    marks: list[Mark] = []
    for place, name in enumerate(own):
        unit = answer.labels.index(name)
        y = box.top + (place + 0.5) * pitch
        marks += [Text(track.left - 8, y + 4.2, plain(visible(name)), 12, 600 if unit == truth else 400,
                       "ink" if unit == truth else "ink-2", "end", max_width=track.left - box.left - 8),
                  Rect(track.left, y - pitch * 0.36, track.width, pitch * 0.72, "sunk", radius=2,
                       focus=Focus(answer.layer, (*found[1], unit)))]
        if was is not None and unit < len(was[0]) and was[0][unit] * track.width >= 0.5:
            marks.append(Rect(track.left, y - pitch * 0.36, track.width * float(was[0][unit]), pitch * 0.26, "rule",
                              radius=1))
    return marks


def answer_bars(index: int, reader: Reader, now: Now, box: Box, shown: Sequence[str]) -> list[Mark]:
    """A bar for each class on its track: strong what it is once it is answered, open what it would be."""
    trace = reader.trace
    answer, found = answer_of(trace), answered(trace)
    own = [name for name in shown if answer is not None and name in answer.labels]
    if answer is None or found is None or not own:
        return _short_answer(index, reader, now, box)
    pitch, track = pitch_of(box, len(own)), _track(box, own)
    values, so_far = found[0] if now.finished else None, guess(trace, now)
    was = None if reader.before is None else answered(reader.before)
    truth = trace.sample.label if not found[1] else None
    winner = None if values is None else int(np.argmax(values))
    marks: list[Mark] = []
    for place, name in enumerate(own) if values is not None or so_far is not None else ():
        unit = answer.labels.index(name)
        y = box.top + (place + 0.5) * pitch
        strong = unit in (truth, winner)
        high = pitch * (0.42 if was is not None else 0.6)
        top = y - pitch * (0.08 if was is not None else 0.3)
        said = ""
        if values is not None:
            if values[unit] * track.width >= 0.5:
                marks.append(Rect(track.left, top, track.width * float(values[unit]), high,
                                  "accent-fill" if unit == winner else "ink-2", radius=1))
            if values[unit] >= 0.005 or unit in (truth, winner):
                said = words.claimed(index, numbers.percent(float(values[unit]), 0), "value", answer.layer,
                                     (*found[1], unit))
        elif so_far is not None and so_far[unit] * track.width >= 1:
            marks.append(Rect(track.left, top, track.width * float(so_far[unit]), high, "", "ink-2", 1.5, inside=True,
                              radius=1))
        if said:
            marks.append(Text(box.right, y + 4.2, plain(said), 12, 600 if strong else 400,
                              "accent-ink" if unit == winner else "ink-2", "end"))
    return marks


def _short_answer(index: int, reader: Reader, now: Now, box: Box) -> list[Mark]:
    """What is answered, where it is no choice among a few labels."""
    if not now.finished:
        return [Rect(box.left, box.top, box.width, min(box.height, 60.0), "hatch")]
    drawn = next(iter(answers.drawn(reader.trace)), None)
    if drawn is not None:
        return _drawn(reader, drawn, box)
    said = words.told(index, reader.trace, accent=False)
    return [Text(box.left, box.top + 26 + 26 * number, line, 18, 600)
            for number, line in enumerate(wrap(rich(said), 18, box.width, 600)[:3])]


def _drawn(reader: Reader, answer: Answer, box: Box) -> list[Mark]:
    """The answer as its kind draws it, as large as there is room with a few lines below it."""
    made = answers.of(answer)
    assert made is not None
    assert made.draw is not None
    ratio = max(0.05, made.proportion(reader.trace, answer))
    wide = min(box.width, max(24.0, box.height - 70) / ratio)
    marks = made.draw(reader.trace, answer, (box.left, box.top, wide, wide * ratio), Look())
    return [changed(mark, focus=None) for mark in marks]


def answers_head(reader: Reader, place: Place) -> list[Mark]:
    """`Answers`, and what the bars are."""
    box = place.answers
    y = box.top - 10
    if box.top > place.picture.top or box.width < 90:
        return []
    marks: list[Mark] = [Text(box.left, y, plain(tr("Answers")), 12, 600, "ink-2")]
    if reader.before is not None and box.width >= 190:
        x = box.left + width(tr("Answers"), 12, 600) + 10
        for said, color in ((tr("before"), "rule"), (tr("after"), "ink-2")):
            marks += [Text(x, y, plain(said), 12, 400, "ink-2"),
                      Rect(x + width(said, 12) + 5, y - 7, 14, 6, color, radius=1)]
            x += width(said, 12) + 28
    return marks


def verdict(index: int, reader: Reader, now: Now, place: Place, bars: int) -> list[Mark]:
    """One line under the answers: whether they are right, and what they were before."""
    right, said = words.verdict(index, reader, now)
    if not said:
        return []
    box = place.answers
    y = box.top + pitch_of(box, bars) * bars + 18 if bars else box.bottom + 16
    left = box.left
    marks: list[Mark] = []
    if right is not None:
        marks += _sign(left + 8, y - 4.5, right)
        left += 22
    room = box.right - left
    size = 12 if width(said, 13, 600) > room else 13
    lines = wrap(said, size, room, 600)[:2]
    ink = "ink-2" if right is None else "accent-ink" if right else "negative-text"
    return [*marks, *(Text(left, y + 16 * number, plain(line), size, 600 if right is not None else 500, ink,
                           max_width=room) for number, line in enumerate(lines))]


def _sign(x: float, y: float, right: bool) -> list[Mark]:
    """A tick or a cross in a disc: never told by colour alone."""
    marks: list[Mark] = [Rect(x - 7.5, y - 7.5, 15, 15, "accent-fill" if right else "negative-text", radius=7.5)]
    strokes = [((x - 3.4, y + 0.2), (x - 1, y + 2.8), (x + 3.6, y - 2.8))] if right else \
        [((x - 3, y - 3), (x + 3, y + 3)), ((x - 3, y + 3), (x + 3, y - 3))]
    return [*marks, *(Line(points, "stage", 1.8) for points in strokes)]


def in_a_room(index: int, reader: Reader, now: Now, place: Place) -> list[Mark]:
    """For a room: the answer, large, or that there is none yet."""
    box, trace = place.answers, reader.trace
    if not now.finished:
        where = words.step_words(trace, now) or now.layer
        return [Text(box.left, box.top + 18, (Run(where),), 15, 500, "ink-2", max_width=box.width)]
    right, _ = words.verdict(index, reader, now)
    said = words.told(index, trace, accent=False)
    marks: list[Mark] = _sign(box.left + 8, box.top + 13, right) if right is not None else []
    left = box.left + (22 if right is not None else 0)
    return [*marks, Text(left, box.top + 18, rich(said), 15, 600,
                         "ink" if right is None else "accent-ink" if right else "negative-text",
                         max_width=box.right - left)]


# --- what differs ----------------------------------------------------------------------------------------------------

def difference(readers: Sequence[Reader], seen: Sequence[Now], place: Place, look: Look) -> list[Mark]:
    """The second network less the first, of the layer that both have made: on a scale of its own."""
    one, other = (reader.trace for reader in readers[:2])
    now, backward = seen[0], seen[0].moment.backward
    head = Text(place.box.left, place.box.top + 17, plain(tr("Difference")), 15, 600, max_width=place.box.width)
    if seen[1].layer != now.layer:
        return [head, Rect(place.picture.left, place.picture.top, place.picture.width, place.picture.height, "hatch")]
    shown = at_steps(one, now)
    values = _less(one, other, now.layer, backward)
    top = colour.largest(values) or 1.0
    scale = Scale("activation", english("values"), now.layer, -top, top)
    marks: list[Mark] = [head]
    box = place.picture
    if shown is not None:
        steps = min(now.step, seen[1].step)
        pitch, first = box.height / shown.total, steps - 1 if backward else 0
        rows = values[first:] if backward else values[:steps]
        marks.append(Rect(box.left, box.top, box.width, box.height, "hatch"))
        if len(rows):
            marks.append(Image(box.left, box.top + first * pitch, (box.width / shown.units, pitch),
                               colour.signed(rows, top)[None], "activation", border="", scale=scale))
    else:
        column = column_of(one, now.layer, box, look)
        part = min(now.uncovered, seen[1].uncovered)
        if part < 1:
            marks += _hatched(column)
        if part > 0:
            if column.style == "units":
                column, part = replace(column, shown=column.shown[:max(1, round(part * len(column.shown)))]), 1.0
            drawn = parts.tiles(one, column, replace(look, scope="layer"), False, part)
            tiles = _as_tiles(values, column)
            marks += [replace(mark, values=colour.signed(tiles, top), palette="activation", hatched=None, scale=scale,
                              focus=None)
                      for mark in drawn if isinstance(mark, Image)]
    size, own = (norm(np.nan_to_num(found).ravel()) for found in (values, shown_array(one[now.layer], backward)))
    y = box.bottom + 16
    marks.append(Text(box.left, y, rich(tr("`{name}`: {second} less {first}").format(
        name=now.layer, second=readers[1].name, first=readers[0].name)), 12, 400, "ink-2", max_width=box.width))
    marks += _bar(scale, box.left, y + 7, min(box.width, 200.0))
    if own > 0 and now.uncovered == 1:
        marks.append(Text(box.left, y + 42, rich(tr("**{share}** of the size of {first}").format(
            share=words.claimed(0, numbers.percent(size / own, 0), "difference", now.layer),
            first=readers[0].name)), 12, 400, "ink-2", max_width=box.width))
    return marks


@remembered(16)
def _less(one: Trace, other: Trace, name: str, backward: bool) -> NDArray[np.float64]:
    found: NDArray[np.float64] = shown_array(other[name], backward) - shown_array(one[name], backward)
    return found


def _as_tiles(values: NDArray[np.float64], column: Column) -> NDArray[np.float64]:
    """(tile, row, column) of a layer as its column shows it; where cells stand for several, the strongest."""
    if values.ndim == 1:
        return values[list(column.shown)][:, None, None]
    stack = values[list(column.shown)] if values.ndim == 3 else values.reshape(1, *values.shape[-2:])
    factor = column.factor
    if factor == 1:
        return np.ascontiguousarray(stack)
    pad = [(0, 0), *((0, -length % factor) for length in stack.shape[1:])]
    grown = np.pad(stack, pad).reshape(len(stack), -(-stack.shape[1] // factor), factor,
                                       -(-stack.shape[2] // factor), factor).swapaxes(2, 3)
    flat = grown.reshape(*grown.shape[:3], -1)
    return np.take_along_axis(flat, np.abs(flat).argmax(-1)[..., None], -1)[..., 0]


@dataclass(frozen=True)
class Pointed:
    """What somebody points at, to be found in all networks: a pixel of the input, or a cell of what one computes."""

    cell: tuple[int, ...]
    """(row, column) of the input; (step, unit) of a state; (channel, row, column) of maps."""
    index: int = -1
    """Which network it is in; −1 for the input."""


def corresponding(readers: Sequence[Reader], seen: Sequence[Now], pointed: Pointed, place: Box,
                  places: Sequence[Place], look: Look) -> list[Mark]:
    """What corresponds to it: of a pixel its row of the states and its place in the maps; of a step what it reads, and
    the same step of the others; of a place in a map what that sees of the input."""
    if pointed.index < 0:
        return _of_pixel(readers, seen, pointed.cell, place, places, look)
    trace, now = readers[pointed.index].trace, seen[pointed.index]
    shown = at_steps(trace, now)
    if shown is not None and pointed.cell:
        return _of_step(readers, seen, shown, pointed.cell[0], place, places)
    box = field(trace, now.layer, pointed.cell) if len(pointed.cell) == trace[now.layer].output.ndim else None
    first = trace.layers[0]
    if box is None or not first.has("row", "column"):
        return []
    (top, bottom), (left, right) = box[-2:]
    cell = place.width / first.shape[-1], place.height / first.shape[-2]
    return [Rect(place.left + left * cell[0] - 1, place.top + top * cell[1] - 1, (right - left + 1) * cell[0] + 2,
                 (bottom - top + 1) * cell[1] + 2, "tint", "", opacity=0.35),
            Rect(place.left + left * cell[0] - 1, place.top + top * cell[1] - 1, (right - left + 1) * cell[0] + 2,
                 (bottom - top + 1) * cell[1] + 2, "", "accent", 2, dashed=True)]


def _of_step(readers: Sequence[Reader], seen: Sequence[Now], shown: Reading, step: int, place: Box,
             places: Sequence[Place]) -> list[Mark]:
    """A step: what it reads of the input, and the same one wherever there are as many."""
    marks: list[Mark] = []
    first, found = readers[0].trace.layers[0], step_inputs(readers[0].trace)
    if first.shape[:1] == (shown.total,) or (first.has("row", "column") and first.shape[-2] == shown.total
                                             and (found is None or found.upright)):
        pitch = place.height / shown.total
        marks.append(Rect(place.left - 2, place.top + step * pitch - 1, place.width + 4, pitch + 2, "", "accent", 1.5,
                          dashed=True))
    for where in places:
        other = None if where.index < 0 else at_steps(readers[where.index].trace, seen[where.index])
        if other is not None and other.total == shown.total:
            marks.append(_row_of(where.picture, other, step))
    return marks


def _row_of(box: Box, shown: Reading, step: int) -> Mark:
    pitch = box.height / shown.total
    return Rect(box.left - 2, box.top + step * pitch - 1, box.width + 4, pitch + 2, "", "accent", 1.5, dashed=True)


def _of_pixel(readers: Sequence[Reader], seen: Sequence[Now], pixel: tuple[int, ...], place: Box,
              places: Sequence[Place], look: Look) -> list[Mark]:
    first = readers[0].trace.layers[0]
    if not first.has("row", "column"):
        return []
    row, column = pixel
    cell = place.width / first.shape[-1], place.height / first.shape[-2]
    marks: list[Mark] = [Rect(place.left + column * cell[0] - 1.5, place.top + row * cell[1] - 1.5, cell[0] + 3,
                              cell[1] + 3, "", "accent", 2)]
    for where in places:
        if where.index < 0:
            continue
        trace, now = readers[where.index].trace, seen[where.index]
        shown, found, box = at_steps(trace, now), step_inputs(trace), where.picture
        layer = trace[now.layer]
        if shown is not None and found is not None and found.kind == "rows":
            marks.append(_row_of(box, shown, row if found.upright else column))
        elif layer.output.ndim == 3 and layer.has("row", "column") and now.uncovered == 1:
            tiles = column_of(trace, now.layer, box, look)
            y, x = (int(at * size / whole_) for at, size, whole_ in
                    ((row, layer.shape[1], first.shape[-2]), (column, layer.shape[2], first.shape[-1])))
            for channel in tiles.shown:
                left, top, _, _ = tiles.box(channel) or (0.0, 0.0, 0.0, 0.0)
                side = tiles.cell[0] / tiles.factor, tiles.cell[1] / tiles.factor
                marks.append(Rect(left + x * side[0] - 1, top + y * side[1] - 1, max(side[0], 2.0) + 2,
                                  max(side[1], 2.0) + 2, "", "accent", 1.5))
    return marks
