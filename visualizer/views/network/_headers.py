"""What stands above the columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from itertools import pairwise

import numpy as np

from visualizer import answers
from visualizer.language import counted_as, tr, translated
from visualizer.motions import Frame
from visualizer.said import lengths, of, said, tick
from visualizer.scene import blocks, hops, numbers, parts
from visualizer.scene.columns import (
    Column,
    Plan,
    passages,
)
from visualizer.scene.labels import Labels, cut
from visualizer.scene.lens import OPENED, Pair, lens
from visualizer.scene.picture import (
    Focus,
    Look,
    Mark,
    Text,
    of_layer,
    plain,
)
from visualizer.scene.timeline import Moment
from visualizer.scene.type import width as text_width
from visualizer.size import norm
from visualizer.trace import Trace, remembered
from visualizer.views.network._blocks import PAD, SKIP, block_lines, foot_of, frames, title_boxes
from visualizer.views.network._edges import arc_of
from visualizer.views.network._tiles import reached

BESIDE_ARC = 6.0
"""Between the middle of a column, where an arc comes down, and a name at its right."""


def headers(trace: Trace, plan: Plan, column: Column, moment: Moment, before: Moment, look: Look, frame: Frame,
            arrived: float, named: Collection[str]) -> list[Mark]:
    """Name, shape, and parameters where there are any; on the way back the norm of the gradient. `named` are the layers
    whose names stand in this row."""
    layer = trace[column.layer]
    if column.style == "number":
        return []
    room = _header_room(plan, column, look, named)
    lit = arrived if column.layer == moment.beat.layer else 0.0
    if column.layer == before.beat.layer and before.beat != moment.beat:
        lit = 1 - arrived
    if moment.index == 0 and column.layer == moment.beat.layer:
        lit = 1.0
    marks: list[Mark] = []
    name, short = blocks.title(layer), blocks.short_title(layer)
    name = name if text_width(name, 13, 600, mono=True) <= room else short
    raised = not cut(plain(name), room, 13, 600, mono=True)  # above the names of its neighbours
    if raised and not look.mode.notes and column.style == "passage":
        return []
    for ink, opacity in (("ink", 1 - lit), ("accent-ink", lit)):
        if opacity > 0:
            x = min(column.x, look.size[0] - 8 - text_width(name, 13, 600, mono=True)) if raised else column.x
            marks.append(Text(x, 65 if raised else 80, plain(name), 13, 600, ink,
                              max_width=0 if raised else room, mono=True,
                              focus=Focus(layer.name), opacity=opacity))
    if raised:  # what is said under a name would be taken for its neighbour's
        return marks
    if moment.backward and not before.backward and arrived < 1:
        marks += parts.crossed(_header_lines(trace, plan, column, False, look, named),
                               _header_lines(trace, plan, column, True, look, named), arrived)
    else:
        come = moment.backward and reached(trace, column, moment, frame) == 1
        marks += _header_lines(trace, plan, column, come, look, named)
    return marks


@remembered(64)
def names_of_context(trace: Trace, pair: Pair, look: Look) -> tuple[Mark, ...]:
    """The names of the layers around the pair, each above its own tiles where there is room, the nearest first; off the
    arcs that come down there, and in short only where no other layer is called so."""
    plan = lens(trace, look, passages(trace), pair)
    drawn = [column for column in plan.columns.values() if column.style not in ("hidden", "passage", "number")]
    arcs = [(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)) for skip in plan.skips
            for arc in arc_of(plan, skip, look) for (x0, y0), (x1, y1) in pairwise(arc)]
    rims = [(x, top, x, top + high) for (left, top, wide, high), _ in frames(trace, plan, look)
            for x in (left, left + wide)]
    tiles = [(column.x, column.top, column.x + max(column.width, column.tile[0]),
              column.top + column.height + foot_of(trace[column.layer])) for column in drawn]
    labels = Labels((4, 100 + (OPENED if blocks.is_folded(trace) else 0), look.size[0] - 4, plan.bottom + 12), 3,
                    [*arcs, *rims, *title_boxes(trace, plan, look), *tiles])
    meant = Counter(name for layer in trace.layers for name in {blocks.title(layer), blocks.short_title(layer)})
    order = [column.layer for column in drawn]
    large = [order.index(name) for name in pair.layers if name in order]
    marks: list[Mark] = []
    for _, column in sorted(enumerate(drawn), key=lambda one: min((abs(one[0] - at) for at in large), default=0)):
        if column.layer in pair.layers:
            continue
        above, below = column.top - 7, column.top + column.height + 16
        if foot := foot_of(trace[column.layer]):
            above, below = above - PAD - SKIP, below + foot
        lower = [below + 15 * row for row in (1, 2, 3)]
        spots = [(column.x, y, "start") for y in (above, above - 15, below, above - 30, *lower)]
        before = [(column.x + column.width, y, "end") for y in (above, below, *lower)]
        beside = [(column.middle + BESIDE_ARC, y, "start") for y in (above, above - 15)]
        middles = [(column.middle, y, "middle") for y in (above, above - 15, below)]
        name, short = blocks.title(trace[column.layer]), blocks.short_title(trace[column.layer])
        ways = (short,) if blocks.beside(trace, column.layer) else (name, short) if meant[short] == 1 else (name,)
        marks += labels.put(ways, [*spots, *beside, *middles, *before], 12, 500, "ink-2", mono=True,
                            focus=Focus(column.layer), group=of_layer(column.layer))
    return tuple(marks)


def _header_lines(trace: Trace, plan: Plan, column: Column, backward: bool, look: Look,
                  named: Collection[str]) -> list[Mark]:
    """The first of the ways to say each line that fits: up to the next column that has such a line itself; a
    second line not on the cells, which begin high on a low slide."""
    marks = list[Mark]()
    first = _header_room(plan, column, look, named)
    for number, choices in enumerate(_under_the_name(trace, column, backward, look, first)):
        if backward and number == 0 and column.style != "bars" and not _says_norm(trace, plan, look, named, column):
            choices = choices[1:]
        room = first if number == 0 else _second_line_room(trace, plan, column, look, named)
        words = next((words for words in choices if text_width(words, 12) <= room), None)
        if words is not None and not (number and 97 + 16 * number > column.top):
            marks.append(Text(column.x, 97 + 16 * number, plain(words), 12, 400, "ink-2"))
    return marks


def _says_norm(trace: Trace, plan: Plan, look: Look, named: Collection[str], column: Column) -> bool:
    """Whether the word norm stands before the number of a column: before all of them where it has room at each, else
    before the first alone, as the name of their row."""
    sizes = {each: tr("norm {value}").format(value=numbers.significant(size, 3)) for each in plan.columns.values()
             if each.layer in named and each.style not in ("number", "hidden", "bars", "passage")
             and (size := parts.norms(trace).get(each.layer)) is not None}
    first = min(sizes, key=lambda each: each.x, default=column)
    return column.layer == first.layer or column not in sizes or all(
        text_width(words, 12) <= _header_room(plan, each, look, named) for each, words in sizes.items())


def _under_the_name(trace: Trace, column: Column, backward: bool, look: Look, room: float) -> list[tuple[str, ...]]:
    """The lines under a name, each in several ways, the longest first; the range of its colours stands in the first
    where there is room."""
    layer = trace[column.layer]
    roomy = look.size[0] >= 1000
    lines: list[tuple[str, ...]] = []
    if column.style == "bars":
        lines.append(answers.heading(trace, layer.name, backward))
    elif backward:
        size = parts.norms(trace).get(layer.name)
        symbols = hops.of_symbols(trace, layer)
        claim = of("norm of gradient" if symbols is None else "norm of gradient of symbols", layer)
        if symbols is not None:
            size = norm(symbols)
        lines.append((tr("no gradient"), tr("none"), "–") if size is None else (
            tr("norm {value}").format(value=said(numbers.significant(size, 3), *claim)),
            *(said(numbers.significant(size, digits), *claim) for digits in (3, 2, 1))))
    else:
        shape, layer_s = lengths(layer), "" if look.scope == "network" else layer.name
        most = said(numbers.significant(parts.layer_scale(trace, layer, look), 3), "high end of a scale", layer_s,
                    array="values")
        reach = f"±{most}" \
            if column.style in ("maps", "units") and look.scope != "unit" and parts.coloured(layer) else ""
        whole = f"{shape}, {reach}" if reach else shape
        lines.append((whole, shape, shape.replace(" ", ""), lengths(layer, 1).replace(" ", "")))
        if column.ranking:
            counted = {"shown": len(column.shown), "count": said(str(column.total), "how many maps", layer.name)}
            lines.append((tr("{shown} of {count} by {ranking} size").format(
                ranking=translated(column.ranking), **counted), tr("{shown} of {count}").format(**counted)))
        elif column.style == "maps" and layer.output.ndim > 3:
            deep = int(np.prod(layer.shape[1:-2]))
            which = {"n": tick(str(deep // 2), deep // 2, 0, deep - 1),
                     "count": said(str(deep), "slices of a map", layer.name)}
            lines.append((tr("slice {n} of {count} of each").format(**which),
                          tr("slice {n} of {count}").format(**which)))
        elif layer.unexplained:
            lines.append((tr("unexplained"),))
        elif layer.kind == blocks.KIND and roomy:
            lines.append(block_lines(layer))
        elif column.factor > 1:
            colours = column.style == "picture" and layer.is_input and layer.shape[0] == 3
            words = tr("mean of {factor} × {factor}") if colours else tr("largest of {factor} × {factor}")
            lines.append((words.format(factor=column.factor),
                          tr("of {factor}×{factor}").format(factor=column.factor)))
        elif text_width(whole, 12) > room and reach:
            lines.append((reach,))
        elif layer.parameters and roomy:
            lines.append((counted_as(layer.parameters, tr("{count} param"), tr("{count} params")).format(
                count=said(numbers.count(layer.parameters), "how many parameters", layer.name)),))
    return lines


def _header_room(plan: Plan, column: Column, look: Look, named: Collection[str]) -> float:
    """Width until the next header: a kernel column counts as one."""
    starts = sorted([*(other.x for other in plan.columns.values() if other.layer in named
                       and other.style not in ("number", "hidden")), *plan.kernel_x.values()])
    return _until(starts, column, look)


def _second_line_room(trace: Trace, plan: Plan, column: Column, look: Look, named: Collection[str]) -> float:
    """Width until the next column that says two things under its name."""
    return _until([other.x for other in plan.columns.values() if other.layer in named
                   and other.style not in ("number", "hidden", "passage")
                   and len(_under_the_name(trace, other, False, look, other.width)) > 1], column, look)


def _until(starts: Iterable[float], column: Column, look: Look) -> float:
    return min((x for x in starts if x > column.x + 1), default=look.size[0] - 8) - column.x - 6
