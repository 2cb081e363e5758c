"""Waiting: what can be computed at once, and what must wait; beside it what that costs in arithmetic and in time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from visualizer import kinds
from visualizer.kinds import waiting
from visualizer.language import english, tr
from visualizer.said import said, tick
from visualizer.scene import numbers, parts
from visualizer.scene.boxes import Box, columns, rows
from visualizer.scene.labels import Labels, fitting
from visualizer.scene.lanes import lanes
from visualizer.scene.parts import faded, polygon
from visualizer.scene.picture import (
    LANE,
    Focus,
    Group,
    Line,
    Look,
    Mark,
    Path,
    Picture,
    Points,
    Rect,
    Table,
    Text,
    grouped,
    of_layer,
    plain,
    unmarked,
)
from visualizer.scene.telling import answered
from visualizer.scene.timeline import Moment, ease, timeline
from visualizer.scene.type import elide, width
from visualizer.trace import Layer, Trace, remembered
from visualizer.views import WHOLE, View

STUDY = "times"
TOP, ROOM_TOP, GAP = 92.0, 108.0, 22.0
NARROW, WIDE = 4.0, 64.0
"""The least and the largest distance of two columns."""
ROW, BARS = 24.0, 0.44
"""Height of a row of the costs, and share of the height that all of them have."""
LEAST_CHART = 120.0
HALF = 0.5
"""Until so much of a beat is over the name of the layer before stands out."""


@dataclass(frozen=True)
class Block:
    """What of one layer is made at once, after so many operations that waited for each other."""

    layer: str
    column: int
    """From 1."""
    size: int
    """How many numbers."""


@dataclass(frozen=True)
class Cost:
    """What one layer costs."""

    layer: str
    macs: int
    milliseconds: float
    """NaN where it has no part of its own, or was not measured."""


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """A column for everything that can be computed at the same time, lit as far as the beats have come."""
    told = _sentence(trace, moment)
    box = parts.body(look, TOP if look.mode.notes else ROOM_TOP).inset(0, 0, 0, 20 if look.mode.notes else 0)
    enough = look.mode.notes and box.height * (1 - BARS) > LEAST_CHART
    needed = min(BARS * box.height, 62 + ROW * len(costs_of)) if (costs_of := costs(trace)) else 0.0
    chart, table = rows(box, (None, needed), GAP) if enough else (box, None)
    still, moving = lanes(trace, moment, look)
    head, graph = rows(chart, (46.0, None), 8)

    def body(at: Moment) -> list[Mark]:
        return [*_clock(trace, at, head), *_lit(trace, at, graph), *_names(trace, graph, _current(trace, at))]

    before, share = parts.crossing(moment, timeline(trace))
    turning = before.backward != moment.backward
    marks = parts.crossed(body(before), body(moment), share) if turning else body(moment)
    unlit = [*_graph(trace, graph), *(_costs(trace, table) if table else [])]
    return Picture(look.size, (*parts.sentence(look, told), *still, *unlit), (*marks, *moving), look.theme,
                   caption=unmarked(told), table=_table(trace))


# --- what waits for what ----------------------------------------------------------------------------------------------

@remembered(2)
def blocks(trace: Trace) -> tuple[Block, ...]:
    """Everything that is computed, by when it can be at the earliest."""
    found = []
    for layer in trace:
        if waiting.computes(trace, layer):
            after = waiting.ready(trace)[layer.name]
            for column in np.unique(after):
                share = int((after == column).sum())
                found.append(Block(layer.name, int(column), layer.output.size * share // len(after)))
    return tuple(found)


def reached(trace: Trace, moment: Moment) -> tuple[float, float]:
    """Up to which column all is done, and how much of what comes next is: on the way back counted from the last."""
    found = _columns(trace)
    total = waiting.waits(trace)
    beats = [beat for beat in timeline(trace).beats if beat.direction == moment.beat.direction]
    index = moment.index - timeline(trace).beats.index(beats[0])
    before, now = (_far(found, beats[:count], total, moment.backward) for count in (index, index + 1))
    return (float(now), 0.0) if moment.phase == 1 else (float(before), ease(moment.phase) * (now - before))


def _far(found: dict[tuple[str, int | None], int], beats: Sequence[object], total: int, backward: bool) -> int:
    columns_of = [found.get((beat.layer, beat.step), 0) for beat in beats]  # type: ignore[attr-defined]
    known = [column for column in columns_of if column]
    if not known:
        return 0
    return total - min(known) + 1 if backward else max(known)


@remembered(2)
def _columns(trace: Trace) -> dict[tuple[str, int | None], int]:
    """(layer, step from 1 or None) -> the column that its beat belongs to; of what computes nothing there is none."""
    found: dict[tuple[str, int | None], int] = {}
    for layer in trace:
        if not waiting.computes(trace, layer):
            continue
        after = waiting.ready(trace)[layer.name]
        found[layer.name, None] = int(after.max())
        found |= {(layer.name, step): int(at) for step, at in enumerate(after.tolist(), 1)}
    return found


# --- the graph --------------------------------------------------------------------------------------------------------

@remembered(2)
def _places(trace: Trace, box: Box) -> dict[tuple[str, int], Box]:
    """Where each block stands, by its layer and its column."""
    total = max(1, waiting.waits(trace))
    pitch = min(WIDE, box.width / total)
    gap = max(0.5, 0.35 * pitch)
    foot, head = 34.0, 26.0
    room = box.height - foot - head
    stacks: dict[int, list[Block]] = {}
    for block in blocks(trace):
        stacks.setdefault(block.column, []).append(block)
    most = max((sum(_tall(block.size) for block in stack) for stack in stacks.values()), default=1.0)
    places: dict[tuple[str, int], Box] = {}
    for column, stack in stacks.items():
        tall = sum(_tall(block.size) for block in stack)
        y = box.top + head + (room - room * tall / most) / 2
        for block in stack:
            high = room * _tall(block.size) / most
            x = box.left + (column - 1) * pitch
            places[block.layer, column] = Box(x, y, x + pitch - gap, y + high - (2 if len(stack) > 1 else 0))
            y += high
    return places


@remembered(2)
def _graph(trace: Trace, box: Box) -> list[Mark]:
    """The blocks before they are lit, and what they read."""
    places = _places(trace, box)
    return [*_edges(trace, places),
            *(Rect(place.left, place.top, place.width, max(2.0, place.height), "sunk", "rule", 1, inside=True,
                   radius=min(3.0, place.width / 4), focus=Focus(name), group=of_layer(name))
              for (name, _), place in places.items())]


def _lit(trace: Trace, moment: Moment, box: Box) -> list[Mark]:
    """The blocks as far as the beats have come."""
    total = max(1, waiting.waits(trace))
    done, share = reached(trace, moment)
    marks: list[Mark] = []
    backward = moment.backward
    ink, bright = ("gradient-line", "gradient-mark") if backward else ("accent", "accent-fill")
    for (name, column), place in _places(trace, box).items():
        turn = total - column + 1 if backward else column
        part = _there(turn, done, share)
        if part > 0:
            now = turn in (math.ceil(done), math.ceil(done + share))
            lit = Rect(place.left, place.top, place.width, max(2.0, place.height), bright if now else ink,
                       radius=min(3.0, place.width / 4), focus=Focus(name), group=of_layer(name))
            marks += faded([lit], part)
    return marks


def _tall(size: int) -> float:
    """On a log scale: one number is seen, too."""
    return 1.0 + math.log2(1 + size)


def _there(turn: int, done: float, share: float) -> float:
    """How much of a column is lit: 1 where it is done, as much as the beat has come where it is under way."""
    if turn <= done:
        return 1.0
    under_way = math.ceil(done + share)
    return min(1.0, share / max(1.0, under_way - done)) if share > 0 and turn <= under_way else 0.0


def _edges(trace: Trace, places: dict[tuple[str, int], Box]) -> list[Mark]:
    """From all that is read to all that is made of it a wedge; from state to state a line."""
    wedges: list[Points] = []
    marks: list[Mark] = []
    for (name, column), place in places.items():
        layer = trace[name]
        if layer.inner and (name, column - 1) in places:
            before = places[name, column - 1]
            y = before.top + before.height / 2
            marks.append(Line(((before.right, y), (place.left, place.top + place.height / 2)), "ink-2", 1.5))
        for read in _sources(trace, layer):
            found = [at for at in range(1, column) if (read, at) in places]
            if found and (len(found) == 1 or not layer.inner):
                before = places[read, found[-1]]
                wedges.append(polygon(((before.right, before.top), (place.left, place.top),
                                       (place.left, place.bottom), (before.right, before.bottom))))
    return [Path(tuple(wedges), fill="wedge"), *marks] if wedges else marks


def _sources(trace: Trace, layer: Layer) -> list[str]:
    """The layers that compute what it reads, behind all that only lays numbers out anew."""
    found: list[str] = []
    ahead = list(layer.reads)
    while ahead:
        read = trace[ahead.pop()]
        if waiting.computes(trace, read):
            found.append(read.name)
        else:
            ahead += read.reads
    return found


def _current(trace: Trace, moment: Moment) -> str:
    """The layer whose name is stressed."""
    return (parts.crossing(moment, timeline(trace))[0] if moment.phase < HALF else moment).beat.layer


@remembered(4)
def _names(trace: Trace, box: Box, current: str) -> list[Mark]:
    """The name of each layer above its first column, and below the columns how many operations have waited."""
    places = _places(trace, box)
    first: dict[str, int] = {}
    for name, column in places:
        first[name] = min(column, first.get(name, column))
    labels = Labels((box.left - 12, box.top - 6, box.right + 20, box.bottom + 4), 6)
    marks: list[Mark] = []
    seen: set[str] = set()
    order = sorted(places, key=lambda key: key[0] != current)
    for name, _ in order:
        if name in seen:
            continue
        seen.add(name)
        place = places[name, first[name]]
        words = elide(name, 12, 120, 500, True)
        end = place.left + width(words, 12, 600, True) + 6
        top = min(other.top for other in places.values() if other.right > place.left - 6 and other.left < end)
        here = name == current
        marks += labels.put(words, [
            (place.left, top - 8, "start"), (place.left, top - 24, "start"), (place.right, top - 8, "end")], 12,
            600 if here else 400, "accent-ink" if here else "ink", mono=True, focus=Focus(name), group=of_layer(name))
    total = max(1, waiting.waits(trace))
    pitch = min(WIDE, box.width / total)
    every = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000) if step * pitch >= 26)
    for column in range(1, total + 1):
        if column == 1 or column % every == 0:
            x = box.left + (column - 0.5) * pitch - 0.175 * pitch
            marks += labels.put(tick(str(column), column, 1, total), [(x, box.bottom - 14, "middle")], 11, 400,
                                "ink-2", group=LANE)
    return marks


# --- the clock, and what it costs -------------------------------------------------------------------------------------

def milliseconds(trace: Trace) -> float:
    """The median of a plain pass forwards; NaN where it was not measured."""
    held = trace.studies.get(STUDY)
    return math.nan if held is None or not len(held["plain"]) else float(np.median(held["plain"]))


@remembered(2)
def costs(trace: Trace) -> tuple[Cost, ...]:
    """Of each layer that computes. A part of the model that is several layers has its time with the first of them."""
    held = trace.studies.get(STUDY, {})
    paths = [key.removesuffix(":ms") for key in held if key.endswith(":ms")]
    found, used = [], set()
    for layer in trace:
        kind = kinds.of(layer)
        if kind is None or not waiting.computes(trace, layer):
            continue
        path = next((path for path in sorted(paths, key=len, reverse=True)
                     if layer.name == path or layer.name.startswith((f"{path}.", f"{path}#"))), None)
        lasted = math.nan if path is None or path in used else float(held[f"{path}:ms"])
        used.add(path)
        found.append(Cost(layer.name, kind.cost(layer, trace.inputs(layer)).macs, lasted))
    return tuple(found)


def elapsed(trace: Trace, moment: Moment) -> float:
    """Milliseconds of a pass so far: as much of the whole as the clocks of its parts say, steps taking equally long."""
    done, share = reached(trace, moment)
    known = [cost for cost in costs(trace) if not math.isnan(cost.milliseconds)]
    over = 0.0
    for cost in known:
        turns = [block.column for block in blocks(trace) if block.layer == cost.layer]
        over += cost.milliseconds * sum(_there(turn, done, share) for turn in turns) / len(turns)
    return milliseconds(trace) * over / (sum(cost.milliseconds for cost in known) or 1.0)


def _place(moment: Moment) -> int | None:
    return None if moment.beat.step is None else moment.beat.step - 1


def _clock(trace: Trace, moment: Moment, box: Box) -> list[Mark]:
    """How many operations have waited for each other so far, and how long a whole pass takes."""
    total, took = waiting.waits(trace), milliseconds(trace)
    count = math.ceil(sum(reached(trace, moment)) - 1e-9)
    left, right = columns(box, (None, None), 24)
    marks: list[Mark] = [
        Text(left.left, left.top + 22, plain(tr("{count} of {total}").format(
            count=said(str(count), "steps that waited", moment.beat.layer, step=_place(moment),
                       array=moment.beat.direction), total=said(str(total), "steps that wait"))), 24, 600,
            "gradient-text" if moment.backward else "accent-ink", display=True),
        Text(left.left, left.top + 42, plain(tr("steps that had to wait for each other")), 12, 400, "ink-2",
             max_width=left.width)]
    if math.isnan(took):
        words, below = "– ms", tr("is being measured") if STUDY not in trace.studies else tr("not measured")
    else:
        held = trace.studies[STUDY]
        whole = said(numbers.significant(took, 3), "milliseconds of a pass")
        brief = tr("{time} ms").format(time=whole)
        words = brief if moment.backward else fitting((tr("about {so_far} of {time} ms").format(
            so_far=numbers.number(elapsed(trace, moment), 2), time=whole), brief), right.width, 24, 600)
        below = tr("a pass forwards, median of {runs} runs on this machine; torch, {threads} thread").format(
            runs=said(str(len(held["plain"])), "timed runs"), threads=said(str(int(held["threads"])), "threads"))
        below = fitting((below, tr("a pass forwards on this machine")), right.width, 12)
    marks += [Text(right.left, right.top + 22, plain(words), 24, 600, "ink", display=True),
              Text(right.left, right.top + 42, plain(below), 12, 400, "ink-2", max_width=right.width)]
    return grouped(Group(tr("clock")), marks)


@remembered(2)
def _costs(trace: Trace, box: Box) -> list[Mark]:
    """Of each layer its multiply-adds and its milliseconds, as bars side by side; the dearest ones where not all have
    room."""
    found = list(costs(trace))
    most = max(1, int((box.height - 46) // ROW))
    shown = found
    if len(found) > most:
        dearest = sorted(found, key=lambda cost: (-np.nan_to_num(cost.milliseconds), -cost.macs))[:most]
        shown = [cost for cost in found if cost in dearest]
    names, macs, times = columns(box, (120.0, None, None), 20)
    head = box.top + 10
    marks: list[Mark] = [Line(((box.left, box.top - 8), (box.right, box.top - 8)), "hair"),
                         Text(macs.left, head, plain(tr("Multiply-adds")), 12, 600, max_width=macs.width),
                         Text(times.left, head, plain(tr("Milliseconds, with a clock at each part")), 12, 600,
                              max_width=times.width)]
    top = max((cost.macs for cost in found), default=0) or 1
    longest = max((cost.milliseconds for cost in found if not math.isnan(cost.milliseconds)), default=0.0) or 1.0
    for number, cost in enumerate(shown):
        y = head + 12 + number * ROW
        group = of_layer(cost.layer)
        marks.append(Text(names.left, y + 12, plain(elide(cost.layer, 12, names.width, 500, True)), 12, 500, mono=True,
                          focus=Focus(cost.layer), group=group))
        marks += _bar(macs, y, cost.macs / top, said(numbers.count(cost.macs), "multiply-adds", cost.layer), group)
        if math.isnan(cost.milliseconds):
            marks.append(Rect(times.left, y + 2, times.width - 84, 12, "hatch", group=group))
        else:
            words = said(numbers.significant(cost.milliseconds, 2), "milliseconds of a part", cost.layer)
            marks += _bar(times, y, cost.milliseconds / longest, words, group)
    foot = head + 12 + len(shown) * ROW + 10
    watched = trace.studies.get(STUDY, {}).get("watched")
    if watched is not None and len(watched) and foot + 8 < box.bottom + 12:
        took = said(numbers.significant(float(np.median(watched)), 3), "milliseconds with clocks")
        words = fitting((tr("The clocks cost time, too: with them a pass takes {time} ms.").format(time=took),
                         tr("with clocks {time} ms").format(time=took)), times.width, 12)
        marks.append(Text(times.left, foot, plain(words), 12, 400, "ink-2", max_width=times.width))
    if len(shown) < len(found) and foot + 8 < box.bottom + 12:
        count = said(str(len(shown)), "layers shown", array=str(len(shown)))
        words = tr("{count} of {total} layers, the dearest").format(
            count=count, total=said(str(len(found)), "layers that compute"))
        marks.append(Text(names.left, foot, plain(words), 12, 400, "ink-2", max_width=times.left - names.left - 8))
    return grouped(Group(tr("what it costs")), marks)


def _bar(box: Box, y: float, share: float, words: str, group: Group) -> list[Mark]:
    room = box.width - 84
    return [Rect(box.left, y + 2, room, 12, "sunk", radius=2, group=group),
            Rect(box.left, y + 2, max(1.0, share * room), 12, "ink-2", radius=2, group=group),
            Text(box.left + room + 8, y + 12.5, plain(words), 12, 500, group=group)]


# --- words ------------------------------------------------------------------------------------------------------------

def _sentence(trace: Trace, moment: Moment) -> str:
    layer = trace[moment.beat.layer]
    total = said(str(waiting.waits(trace)), "steps that wait")
    waits = tr("{{{total}}} steps must wait for each other.").format(total=total)
    if not waiting.computes(trace, layer):
        behind = kinds.role(layer) in ("loss", "shares")
        idle = tr("{layer} is not counted: the answer is there without it.") if behind else \
            tr("{layer} computes nothing.")
        return f"{idle.format(layer=layer.name)} {waits}"
    if layer.inner and moment.beat.step is not None:
        step, other = (said(str(at), "step", layer.name, step=at - 1) for at in (
            moment.beat.step, _neighbour(layer, moment)))
        alone = said(numbers.count(layer.shape[1]), "length of axis", layer.name, (1,))
        if other == step:
            told = tr("Step {step} of {layer} is the first: its {count} numbers are made at once, all others wait.")
            return f"{told.format(step=step, layer=layer.name, count=alone)} {waits}"
        told = tr("Step {step} of {layer} had to wait for step {other}; only its {count} numbers are made at once.")
        return f"{told.format(step=step, other=other, layer=layer.name, count=alone)} {waits}"
    count = said(numbers.count(layer.output.size), "how many", layer.name)
    told = tr("The gradients of {layer}, {count} in all, can be made at once.") if moment.backward else \
        tr("The numbers of {layer}, {count} in all, can be made at once: none reads another of them.")
    return f"{told.format(count=count, layer=layer.name)} {waits}"


def _neighbour(layer: Layer, moment: Moment) -> int:
    """The step that comes before in the order of the beats; itself where there is none."""
    assert moment.beat.step is not None
    falling = bool(layer.settings.get("reverse", False)) != moment.backward
    other = moment.beat.step + (1 if falling else -1)
    return other if 1 <= other <= layer.shape[0] else moment.beat.step


def _table(trace: Trace) -> Table:
    """One row a layer that computes."""
    first = {block.layer: block.column for block in reversed(blocks(trace))}
    last = {block.layer: block.column for block in blocks(trace)}
    size = {block.layer: block.size for block in blocks(trace)}
    found = tuple((cost.layer, first[cost.layer], last[cost.layer], size[cost.layer], cost.macs, cost.milliseconds)
                  for cost in costs(trace) if cost.layer in first)
    empty = ((trace.layers[0].name, 0, 0, 0, 0, math.nan),)
    return Table((tr("layer"), tr("waits for"), tr("done after"), tr("at once"), tr("multiply-adds"), "ms"),
                 found or empty)


VIEW = View(
    "waiting", english("Waiting"),
    english("What can be computed at once and what must wait, with multiply-adds and measured milliseconds."),
    suits=lambda trace: "lab" not in trace.studies and bool(blocks(trace)), draw=draw, telling=answered, order=14,
    group=WHOLE, studies=(STUDY,),
    tries=english("Play it: a convolution lights up whole layers, a recurrent layer one step after the other."),
)
