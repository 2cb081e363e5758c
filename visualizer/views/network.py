"""The network: every map of every layer side by side, forwards, and the gradient on its way back through them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from visualizer import answers, kinds
from visualizer.answers import _column
from visualizer.language import english, tr, translated
from visualizer.scene import colour, hops, numbers, parts
from visualizer.scene.columns import (
    ARC,
    Column,
    Plan,
    arrange,
    kernel_cell,
    lanes_height,
    scrolled,
    short_name,
)
from visualizer.scene.labels import Labels, cut
from visualizer.scene.picture import (
    TITLE,
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
    Table,
    Text,
    grouped,
    of_layer,
    plain,
    rich,
    unmarked,
)
from visualizer.scene.reading import reading
from visualizer.scene.steps import arrived, read
from visualizer.scene.subject import strongest, subject
from visualizer.scene.telling import answered
from visualizer.scene.timeline import Moment, ease, in_beat, progress, timeline
from visualizer.scene.type import bounds
from visualizer.scene.type import width as text_width
from visualizer.trace import Cell, Layer, Trace, remembered
from visualizer.views import WHOLE, View

MOST_CURVES = 700
"""More lines than this between two columns become one pale wedge."""
MOST_KERNELS = 16


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """All columns, the subject's sources and kernels lit, the lanes below."""
    times = timeline(trace)
    before, share = parts.crossing(moment, times)
    inner = _column.inner(trace, look)
    plan = scrolled(arrange(trace, inner, _passages(trace)), before.beat.layer, moment.beat.layer, share, inner)
    about = _subject(trace, moment, focus)
    shown = moment if share >= 0.5 else before
    said = _sentence(trace, moment, about)

    still: list[Mark] = [*parts.sentence(look, said), *_edges_of(trace, plan, look, inner),
                         *_left_out(trace, plan, look),
                         *_legend(trace, shown, _subject(trace, shown, focus), plan, look)]
    moving: list[Mark] = []
    turning = moment.backward and not before.backward
    for column in plan.columns.values():
        if column.style == "hidden":
            continue
        target = moving if plan.deep or turning or column.layer in (moment.beat.layer, before.beat.layer) else still
        own = of_layer(column.layer)
        target += grouped(own, _column_marks(trace, column, moment, before, look))
        target += grouped(own, _headers(trace, plan, column, moment, before, inner))
    if before.beat != moment.beat:
        moving += parts.faded(_subject_marks(trace, plan, before, _subject(trace, before, focus), look, 1.0), 1 - share)
    moving += parts.faded(_subject_marks(trace, plan, moment, about, look, progress(moment.phase, 0, 0.667)), share)
    for answer, place in _column.places(trace, look, plan.top, plan.bottom):
        still += _column.heads(trace, look, answer, place)
        seen = _reached(trace, plan.columns[answer.layer], moment)
        moving += parts.faded(_column.drawing(trace, look, answer, place), seen)
    lane_still, lane_moving = parts.lanes(trace, times, moment, look, _places(trace, plan, look))
    return Picture(look.size, tuple(still + lane_still), tuple(moving + lane_moving), look.theme,
                   caption=unmarked(said), table=_table(trace, moment, about))


def _left_out(trace: Trace, plan: Plan, look: Look) -> list[Mark]:
    """Which columns are seen, where they scroll; beside the loss."""
    if not plan.left_out:
        return []
    below = Labels((0, 0, *look.size), 8)
    for column in plan.columns.values():
        for text in _loss(trace, column, look) if column.style == "number" else ():
            below.take(bounds(text))
    return [*below.put((tr("{left_out}; the others scroll past as the beats go on").format(left_out=plan.left_out),
                        plan.left_out),
                       [(look.size[0] / 2, plan.bottom + 15, "middle")], 12, 500, "ink-2", group=TITLE)]


# --- what is looked at ----------------------------------------------------------------------------------------------

def _subject(trace: Trace, moment: Moment, focus: Focus | None) -> Focus:
    """What the moment is about, as far as columns show it: the whole column of the input, and of a layer's steps."""
    about = subject(trace, moment, focus)
    whole = about.array != "output" or len(about.cell) < (2 if moment.beat.step is not None else 1) \
        or (trace[about.layer].is_input and (focus is None or focus.layer != about.layer))
    return Focus(about.layer) if whole else about


def _cell(trace: Trace, subject: Focus, backward: bool) -> Cell:
    """The marked cell: the focused one, or the strongest of what is focused."""
    layer = trace[subject.layer]
    if len(subject.cell) == layer.output.ndim:
        return subject.cell
    return strongest(layer, backward, subject.cell[:1])


@remembered(16)
def _passages(trace: Trace) -> frozenset[str]:
    return frozenset(layer.name for layer in trace.layers if (kind := kinds.of(layer)) is not None and kind.moves_only)


# --- columns --------------------------------------------------------------------------------------------------------

def _column_marks(trace: Trace, column: Column, moment: Moment, before: Moment, look: Look) -> list[Mark]:
    """One column as this moment shows it: still empty, being uncovered, or whole; fading over at the turning point."""
    share = _reached(trace, column, moment)
    if moment.backward and not before.backward and moment.phase < 1:
        turned = ease(moment.phase)
        old = parts.faded(_uncovered(trace, column, before, look, 1.0), 1 - turned)
        return old + parts.faded(_uncovered(trace, column, moment, look, share), turned)
    return _uncovered(trace, column, moment, look, share)


def _reached(trace: Trace, column: Column, moment: Moment) -> float:
    """How much of a column has been computed, 0 … 1. A layer's steps come one by one: see `_steps_to_come`."""
    order = [layer.name for layer in trace.layers]
    here, own = order.index(moment.beat.layer), order.index(column.layer)
    if moment.backward and hops.of_symbols(trace, trace[column.layer]) is not None:
        own += 1  # symbols have no beat of their own: they are seen as their embedding is
    if in_beat(trace[column.layer], moment):
        return 1.0 if moment.beat.step is not None else progress(moment.phase, 0.667, 1.0)
    if own == here:
        return progress(moment.phase, 0.667, 1.0)
    passed = own > here if moment.backward else own < here
    return 1.0 if passed else 0.0


def _uncovered(trace: Trace, column: Column, moment: Moment, look: Look, shown: float) -> list[Mark]:
    """A column of which a share is uncovered, from the top; where it has no values yet, its empty outline."""
    if column.style == "passage":
        return []
    if column.style == "number":
        return [*_loss(trace, column, look)] if shown == 1 or moment.backward else []
    if column.style == "bars":
        way = moment.backward if shown > 0 else None
        return parts.faded(answers.column(trace, column, way, look), shown if shown > 0 else 1.0)
    return [*(_outline(column) if shown < 1 else []), *_body(trace, column, moment, look, shown)]


def _outline(column: Column) -> list[Mark]:
    """Where values will stand: empty tiles."""
    if column.style == "units":
        return [Rect(column.x, column.top, column.width, column.height, stroke="rule", inside=True)]
    boxes = [box for index in column.shown if (box := column.box(index)) is not None]
    corners = [((x, y), (x + wide, y), (x + wide, y + high), (x, y + high)) for x, y, wide, high in boxes]
    return [Path(tuple(map(parts.polygon, corners)), stroke="rule")] if corners else []


def _steps_to_come(trace: Trace, layer: Layer, moment: Moment) -> NDArray[np.bool_] | None:
    """(step, unit): which values of a layer of steps are not computed yet; None where all are."""
    if not in_beat(layer, moment) or moment.beat.step is None or not (layer.inner and layer.axes == ("step", "unit")):
        return None
    shown = reading(trace, layer.name)
    reach = (arrived if moment.backward else read)(trace, shown, moment)
    done = np.array([reach.of(step) >= 0.667 for step in range(shown.steps)])
    return None if done.all() else np.broadcast_to(~done[:, None], layer.shape)


def _body(trace: Trace, column: Column, moment: Moment, look: Look, shown: float) -> list[Mark]:
    """The tiles of a column, uncovered as far as it has been computed; what is covered still answers to a click."""
    backward = moment.backward
    to_come = _steps_to_come(trace, trace[column.layer], moment)
    marks = parts.tiles(trace, column, look, backward, shown, to_come)
    if shown == 1 and look.signs:
        marks += parts.glyphs(trace, column, look, backward)
    elif shown == 1 and min(column.cell) >= 20 and column.style == "units":
        marks += _signs(trace, column, backward, look)
    return marks


def _signs(trace: Trace, column: Column, backward: bool, look: Look) -> list[Mark]:
    """Plus or minus in cells large enough."""
    layer = trace[column.layer]
    values = layer.gradient if backward else layer.output
    if values is None:
        return []
    shades, palette = parts.entries(trace, layer, look, backward)
    marks: list[Mark] = []
    for unit in column.shown:
        box = column.box(unit)
        if box is not None and values[unit] != 0 and np.isfinite(values[unit]):
            ink = colour.ink_on(f"{palette}:{shades[unit]}", look.theme)
            marks.append(Text(box[0] + box[2] / 2, box[1] + box[3] / 2 + 5,
                              plain("+" if values[unit] > 0 else "−"), 14, 600, ink, "middle"))
    return marks


def _loss(trace: Trace, column: Column, look: Look) -> list[Text]:
    layer = trace[column.layer]
    if trace.readers(layer.name):  # it goes into another number, which stands at the same place
        return []
    words = answers.cost(trace, layer)[0] or f"`{layer.name}` = **{numbers.number(float(layer.output), 3)}**"
    y = look.size[1] - lanes_height(look) - 12
    return [Text(column.x + column.width, y, rich(words), 12, 400, "ink-2", "end", focus=Focus(layer.name))]


# --- headers --------------------------------------------------------------------------------------------------------

def _headers(trace: Trace, plan: Plan, column: Column, moment: Moment, before: Moment, look: Look) -> list[Mark]:
    """Name, shape, and parameters where there are any; on the way back the norm of the gradient."""
    layer = trace[column.layer]
    if column.style == "number":
        return []
    room = _header_room(plan, column, look)
    share = ease(moment.phase)
    lit = share if column.layer == moment.beat.layer else 0.0
    if column.layer == before.beat.layer and before.beat != moment.beat:
        lit = 1 - share
    if moment.index == 0 and column.layer == moment.beat.layer:
        lit = 1.0
    marks: list[Mark] = []
    name = layer.name if text_width(layer.name, 13, 600, mono=True) <= room else short_name(layer.name)
    raised = not cut(plain(name), room, 13, 600, mono=True)  # above the names of its neighbours
    if raised and look.projector and column.style == "passage":
        return []
    for ink, opacity in (("ink", 1 - lit), ("accent-ink", lit)):
        if opacity > 0:
            marks.append(Text(column.x, 65 if raised else 80, plain(name), 13, 600, ink,
                              max_width=0 if raised else room, mono=True,
                              focus=Focus(layer.name), opacity=opacity))
    if raised:  # what is said under a name would be taken for its neighbour's
        return marks
    if moment.backward and not before.backward and moment.phase < 1:
        marks += parts.crossed(_header_lines(trace, plan, column, False, look),
                               _header_lines(trace, plan, column, True, look), share)
    else:
        come = moment.backward and _reached(trace, column, moment) > 0
        marks += _header_lines(trace, plan, column, come, look)
    return marks


def _header_lines(trace: Trace, plan: Plan, column: Column, backward: bool, look: Look) -> list[Mark]:
    """The first of the ways to say each line that fits: up to the next column that has such a line itself."""
    marks = list[Mark]()
    for number, choices in enumerate(_under_the_name(trace, column, backward, look)):
        room = _header_room(plan, column, look) if number == 0 else _second_line_room(trace, plan, column, look)
        words = next((words for words in choices if text_width(words, 12) <= room), None)
        if words is not None:
            marks.append(Text(column.x, 97 + 16 * number, plain(words), 12, 400, "ink-2"))
    return marks


def _under_the_name(trace: Trace, column: Column, backward: bool, look: Look) -> list[tuple[str, ...]]:
    """The lines under a name, each in several ways, the longest first."""
    layer = trace[column.layer]
    roomy = look.size[0] >= 1000
    lines: list[tuple[str, ...]] = []
    if column.style == "bars":
        lines.append(answers.heading(trace, layer.name, backward))
    elif backward:
        norm = parts.norms(trace).get(layer.name)
        symbols = hops.of_symbols(trace, layer)
        if symbols is not None:
            norm = float(np.linalg.norm(symbols))
        lines.append((tr("no gradient"), tr("none"), "–") if norm is None else (
            tr("norm {value}").format(value=numbers.significant(norm, 3)),
            *(numbers.significant(norm, digits) for digits in (3, 2, 1))))
    else:
        shape = numbers.shape(layer.shape)
        lines.append((shape, shape.replace(" ", ""), numbers.shape(layer.shape[1:]).replace(" ", "")))
        if column.ranking:
            counted = {"shown": len(column.shown), "count": column.total}
            lines.append((tr("{shown} of {count} by {ranking} size").format(
                ranking=translated(column.ranking), **counted), tr("{shown} of {count}").format(**counted)))
        elif layer.unexplained:
            lines.append((tr("unexplained"),))
        elif column.factor > 1:
            lines.append((tr("largest of {factor} × {factor}").format(factor=column.factor),
                          tr("of {factor}×{factor}").format(factor=column.factor)))
        elif layer.parameters and roomy:
            lines.append((tr("{count} params").format(count=numbers.count(layer.parameters)),))
    return lines


def _header_room(plan: Plan, column: Column, look: Look) -> float:
    """Width until the next header: a kernel column counts as one."""
    starts = sorted([*(other.x for other in plan.columns.values() if other.style not in ("number", "hidden")),
                     *plan.kernel_x.values()])
    return _until(starts, column, look)


def _second_line_room(trace: Trace, plan: Plan, column: Column, look: Look) -> float:
    """Width until the next column that says two things under its name."""
    return _until([other.x for other in plan.columns.values() if other.style not in ("number", "hidden", "passage")
                   and len(_under_the_name(trace, other, False, look)) > 1], column, look)


def _until(starts: Iterable[float], column: Column, look: Look) -> float:
    return min((x for x in starts if x > column.x + 1), default=look.size[0] - 8) - column.x - 6


# --- edges ----------------------------------------------------------------------------------------------------------

def _edges_of(trace: Trace, plan: Plan, look: Look, inner: Look) -> tuple[Mark, ...]:
    """The edges of a plan: where columns do not scroll they are the same for every moment."""
    return tuple(_edges(trace, plan, look)) if plan.deep else _still_edges(trace, look, inner)


@remembered(8)
def _still_edges(trace: Trace, look: Look, inner: Look) -> tuple[Mark, ...]:
    return tuple(_edges(trace, arrange(trace, inner, _passages(trace)), look))


def _edges(trace: Trace, plan: Plan, look: Look) -> list[Mark]:
    """What feeds what: curves between maps, straight lines where one feeds one, a wedge where all feed all, and arcs
    above the columns where a layer reads one that stands further back."""
    wedges: list[Points] = []
    curves: list[Points] = []
    for column in plan.columns.values():
        if column.style in ("passage", "number", "hidden"):
            continue
        for source in _sources(trace, plan, column):
            how = _wiring(trace, source, column)
            if (source.layer, column.layer) in plan.skips:
                continue
            if how == "wedge":
                wedges.append(_wedge(source, column))
            else:
                pairs = _pairs(source, column, how)
                curves += [_curve(*_ends(source, a, column, b)) for a, b in pairs]
    marks: list[Mark] = []
    if wedges:
        marks.append(Path(tuple(wedges), fill="wedge"))
    if curves:
        marks.append(Path(tuple(curves), stroke="edge", width=1))
    arcs = [arc for skip in plan.skips for arc in _arc(plan, skip, look)]
    if arcs:
        marks.append(Path(tuple(arcs), stroke="rule", width=1.5))
    return marks


def _arc(plan: Plan, skip: tuple[str, str], look: Look) -> list[Points]:
    """Up from a column, along above those between, and down with an arrow to the column that reads it.

    In a deep network the arc ends at the rim of what is seen, if one of its ends has scrolled past.
    """
    (source, target) = (plan.columns[name] for name in skip)
    seen = [column for column in plan.columns.values() if column.style != "hidden" and column.layer not in plan.fixed]
    if not seen or (source.style == "hidden" and target.style == "hidden" and
                    (target.x < seen[0].x or source.x > seen[-1].x)):
        return []
    rim = seen[0].x - 12, seen[-1].x + seen[-1].width + 12
    gone = source.style == "hidden", target.style == "hidden"
    x0, x1 = (min(max(column.middle, rim[0]), rim[1]) for column in (source, target))
    y, bend = plan.top - (10 + ARC * plan.skips[skip]), 5
    if x1 - x0 < 2 * bend:
        return []
    start, end = ((x0, source.top - 6), (x1, target.top - 7))
    outline: list[tuple[float, float]] = [(x0, y)] if gone[0] else [start, start, (x0, y + bend), (x0, y + bend)]
    if not gone[0]:
        outline += [(x0, y), (x0, y), (x0 + bend, y)]
    here = outline[-1]
    along = (x1 if gone[1] else x1 - bend, y)
    outline += [here, along, along]
    if gone[1]:
        return [tuple(outline)]
    outline += [(x1, y), (x1, y), (x1, y + bend), (x1, y + bend), end, end]
    tip = tuple((x1 + dx, end[1] + dy) for dx, dy in ((-3.5, -4), (0, 0), (3.5, -4)))
    return [tuple(outline), (tip[0], tip[0], tip[1], tip[1], tip[1], tip[2], tip[2])]


def _sources(trace: Trace, plan: Plan, column: Column) -> Iterator[Column]:
    """The drawn columns a column reads, seen through passages."""
    for name in trace[column.layer].reads:
        source = plan.columns[name]
        if source.style == "passage" and trace[name].reads:
            yield from _sources(trace, plan, source)
        elif source.style not in ("passage", "hidden"):
            yield source


def _wiring(trace: Trace, source: Column, column: Column) -> str:
    """`all` every map to every map · `one` row to row · `wedge`."""
    layer, other = trace[column.layer], trace[source.layer]
    weight = layer.weights.get("weight")
    drawn = len(source.shown) * len(column.shown)
    if weight is not None and weight.ndim >= 3 and int(layer.settings.get("groups", 1)) == 1:
        return "all" if drawn <= MOST_CURVES else "wedge"
    if weight is not None and weight.ndim == 2:
        return "wedge"
    same = source.total == column.total and source.shown == column.shown
    if same and layer.output.ndim == other.output.ndim and len(column.shown) <= 64:
        return "one"
    return "wedge" if source.total > 1 or column.total > 1 else "one"


def _pairs(source: Column, column: Column, how: str) -> list[tuple[int, int]]:
    if how == "one":
        return list(zip(source.shown, column.shown, strict=False))
    return [(a, b) for a in source.shown for b in column.shown]


def _ends(source: Column, a: int, column: Column, b: int) -> tuple[float, float, float, float]:
    left, right = source.box(a), column.box(b)
    assert left is not None
    assert right is not None
    return left[0] + left[2] + 1, left[1] + left[3] / 2, right[0] - 1, right[1] + right[3] / 2


def _curve(x0: float, y0: float, x1: float, y1: float) -> Points:
    """From left to right, level at both ends."""
    bend = (x1 - x0) * 0.5
    return (x0, y0), (x0 + bend, y0), (x1 - bend, y1), (x1, y1)


def _wedge(source: Column, column: Column) -> Points:
    x0, x1 = source.x + source.width + 2, column.x - 2
    corners = [(x0, source.top), (x1, column.top), (x1, column.top + column.height), (x0, source.top + source.height)]
    points: list[tuple[float, float]] = [corners[0]]
    for corner in (*corners[1:], corners[0]):
        points += [points[-1], corner, corner]
    return tuple(points)


# --- the subject ----------------------------------------------------------------------------------------------------

def _subject_marks(trace: Trace, plan: Plan, moment: Moment, subject: Focus, look: Look,
                   grown: float) -> list[Mark]:
    """The subject's outline, its sources with the window it sees in them, its kernels, and the lit edges."""
    column, layer = plan.columns[subject.layer], trace[subject.layer]
    if column.style in ("number", "bars", "passage", "hidden") or layer.output.ndim == 0:
        return []
    if not subject.cell:
        return _frame(column)
    backward = moment.backward
    cell = _cell(trace, subject, backward)
    boxes = kinds.receptive_field(trace, subject.layer, cell)
    ink = "gradient-mark" if backward else "accent"
    marks: list[Mark] = []
    for source in _sources(trace, plan, column):
        pairs = [(a, b) for a, b in _pairs(source, column, _wiring(trace, source, column))
                 if b == subject.cell[0]] if _wiring(trace, source, column) != "wedge" else []
        curves = tuple(_grown(_curve(*_ends(source, a, column, b)), grown, backward) for a, b in pairs)
        if curves and grown > 0 and (source.layer, column.layer) not in plan.skips:
            marks.append(Path(curves, stroke=ink, width=1.5))
        for a, _ in pairs:
            marks += _outlined(trace, source, a, boxes.get(source.layer), look, source.style == "maps")
        if not pairs and source.layer in boxes and source.style in ("maps", "picture"):
            for a in source.shown if len(source.shown) <= 16 else ():
                marks += _outlined(trace, source, a, boxes[source.layer], look, False)
        marks += _kernels(trace, plan, column, source, subject.cell[0], backward, look)
    for skip in plan.skips:
        arc = _arc(plan, skip, look) if skip[1] == column.layer else []
        marks += parts.faded([Path(tuple(arc), stroke=ink, width=2)] if arc else [], grown)
    first = trace.layers[0]
    image = plan.columns[first.name]
    if image.style == "picture" and first.name in boxes and first.name not in (subject.layer, *layer.reads):
        marks += _outlined(trace, image, 0, boxes[first.name], look, False)
    marks += _onward(trace, plan, column, subject.cell[0], ink)
    box = column.box(subject.cell[0])
    if box is not None:
        x, y, wide, high = box
        own = of_layer(column.layer)
        marks.append(Rect(x - 5, y - 5, wide + 10, high + 10, "", "stage", 3, inside=True, radius=5, group=own))
        marks.append(Rect(x - 4, y - 4, wide + 8, high + 8, "", "accent", 3, inside=True, radius=4, group=own))
        if len(subject.cell) == layer.output.ndim and layer.output.ndim >= 2 and column.factor == 1:
            row, position = subject.cell[-2:]
            across, down = column.cell
            marks.append(Rect(x + position * across - 1, y + row * down - 1, across + 2, down + 2, "", "ink",
                              1.5, group=own))
    return marks


def _frame(column: Column) -> list[Mark]:
    """A whole column as the subject."""
    return [Rect(column.x - 5, column.top - 5, column.width + 10, column.height + 10, "", "accent", 2, radius=5)]


def _outlined(trace: Trace, column: Column, channel: int, box: kinds.Box | None, look: Look,
              tile: bool) -> list[Mark]:
    """A source tile outlined, and on it the window that the subject's strongest value sees."""
    place = column.box(channel)
    if place is None:
        return []
    x, y, wide, high = place
    own = of_layer(column.layer)
    marks: list[Mark] = []
    if tile:
        marks.append(Rect(x - 1, y - 1, wide + 2, high + 2, "", "accent", 1.5, radius=1, group=own))
    layer = trace[column.layer]
    if box is None or layer.output.ndim < 2:
        return marks
    (top, bottom), (left, right) = ((max(0, low), min(n - 1, high)) for (low, high), n in
                                    zip(box[-2:], layer.shape[-2:], strict=True))
    if bottom < top or right < left or (bottom - top + 1, right - left + 1) == layer.shape[-2:]:
        return marks
    across, down = column.cell[0] / column.factor, column.cell[1] / column.factor
    marks.append(Rect(x + left * across, y + top * down, (right - left + 1) * across, (bottom - top + 1) * down, "",
                      "accent", 2, group=own))
    return marks


def _kernels(trace: Trace, plan: Plan, column: Column, source: Column, channel: int, backward: bool,
             look: Look) -> list[Mark]:
    """The subject's kernels, each beside the map it is laid on; on the way back their gradients."""
    layer = trace[column.layer]
    weight = layer.weights.get("weight")
    if weight is None or weight.ndim != 4 or column.layer not in plan.kernel_x or channel >= len(weight):
        return []
    values = layer.weight_gradients.get("weight") if backward else weight
    if values is None or source.layer not in layer.reads:
        return []
    own = values[channel]
    x, side = plan.kernel_x[column.layer], kernel_cell(weight.shape[-1])
    top = float(np.max(np.abs(values)))
    if backward:
        shades, palette = colour.magnitude(own, max(top * parts.FLOOR, 1e-300), max(top, 1e-300)), "gradient"
    else:
        shades, palette = colour.signed(own, top), "weight"
    scale = parts.weight_scale(layer.name, top, backward, tr("each layer by its own largest"))
    marks: list[Mark] = []
    for place, index in enumerate(source.shown):
        kernel = place if weight.shape[1] == len(source.shown) else index
        box = source.box(index)
        if box is None or kernel >= len(own) or place >= MOST_KERNELS:
            continue
        y = box[1] + box[3] / 2 - side * weight.shape[-2] / 2
        marks.append(Image(x, round(y), (side, side), shades[kernel][None].copy(), palette,
                           focus=Focus(layer.name, (channel, kernel), "weight"), indices=(-1,), scale=scale))
    shape = numbers.shape(own.shape)
    room = column.x - x - 6
    title = next(words for words in ("∂L/∂w" if backward else tr("kernels"), "w")
                 if text_width(words, 13, 600, mono=True) <= room or words == "w")
    marks.append(Text(x, 80, plain(title), 13, 600, "ink", mono=True, max_width=room))
    words = next((words for words in (shape, shape.replace(" ", ""), numbers.shape(own.shape[1:]).replace(" ", ""))
                  if text_width(words, 12) <= room), "")
    marks.append(Text(x, 97, plain(words), 12, 400, "ink-2"))
    return grouped(Group(tr("kernels of {layer}").format(layer=layer.name), Focus(layer.name, (channel,), "weight")),
                   marks)


def _onward(trace: Trace, plan: Plan, column: Column, channel: int, ink: str) -> list[Mark]:
    """Straight on through the layers that keep the channel: ReLU and pool."""
    marks: list[Mark] = []
    name = column.layer
    while readers := [layer for layer in trace.readers(name) if plan.columns[layer.name].style == column.style]:
        following = plan.columns[readers[0].name]
        if _wiring(trace, plan.columns[name], following) != "one" or following.box(channel) is None:
            break
        x0, y0, x1, y1 = _ends(plan.columns[name], channel, following, channel)
        marks.append(Line(((x0 + 6, y0), (x1 - 2, y1)), ink, 1.5))
        name = following.layer
    return marks


def _grown(curve: Points, share: float, from_the_end: bool) -> Points:
    """The first part of a cubic curve, by de Casteljau; from its end on the way back."""
    if share >= 1:
        return curve
    points = np.array(curve[::-1] if from_the_end else curve)
    kept = [points[0]]
    while len(points) > 1:
        points = points[:-1] + (points[1:] - points[:-1]) * share
        kept.append(points[0])
    return tuple((float(x), float(y)) for x, y in kept)


# --- legend, places, table ------------------------------------------------------------------------------------------

def _legend(trace: Trace, moment: Moment, subject: Focus, plan: Plan, look: Look) -> list[Mark]:
    first = plan.columns[trace.layers[0].name]
    x, y = first.x, plan.bottom - 34
    wide = min([112, *(column.x - x - 12 for column in plan.columns.values() if column.x > x
                       and column.style in ("maps", "units") and column.top + column.height > y - 12)])
    if moment.backward:
        return parts.legend(x, y, wide, look, parts.gradient_scale(trace), tr("Gradient, all layers"))
    layer = trace[subject.layer]
    if look.scope == "unit":
        return parts.legend(x, y, wide, look, parts.VALUES_EACH, tr("Values, per map"))
    if look.scope == "network":
        return parts.legend(x, y, wide, look, parts.value_scale(trace, layer, look), tr("Values, all layers"))
    if layer.is_input or kinds.shares(layer) or layer.output.ndim == 0:
        return parts.legend(x, y, wide, look, parts.VALUES_EACH, tr("Values, per layer"))
    return parts.legend(x, y, wide, look, parts.value_scale(trace, layer, look),
                        tr("Values of {layer}").format(layer=layer.name))


def _places(trace: Trace, plan: Plan, look: Look) -> dict[str, float]:
    """x of every layer on the lanes: the middle of its column; evenly spread where columns scroll."""
    if plan.deep:
        return parts.even_places(trace, look)
    return {layer.name: plan.columns[layer.name].middle + (14 if plan.columns[layer.name].style == "number" else 0)
            - (30 if plan.columns[layer.name].style == "bars" else 0) for layer in trace.layers}


def _table(trace: Trace, moment: Moment, subject: Focus) -> Table:
    """One row a layer."""
    return Table((tr("layer"), tr("kind"), tr("shape"), tr("parameters"), "min", tr("mean"), "max",
                  tr("share of zeros"), tr("gradient norm")), _rows(trace))


@remembered(1)
def _rows(trace: Trace) -> tuple[tuple[str | float | int, ...], ...]:
    rows: list[tuple[str | float | int, ...]] = []
    for layer in trace.layers:
        norm = parts.norms(trace).get(layer.name)
        rows.append((layer.name, layer.kind, numbers.shape(layer.shape), layer.parameters,
                     float(np.min(layer.output)), float(np.mean(layer.output)), float(np.max(layer.output)),
                     float(np.mean(layer.output == 0)), "" if norm is None else norm))
    return tuple(rows)


# --- the sentence ---------------------------------------------------------------------------------------------------

def _sentence(trace: Trace, moment: Moment, subject: Focus) -> str:
    layer = trace[subject.layer]
    if layer.output.ndim == 0:
        return _of_the_loss(trace, layer)
    held = answers.at(trace, layer.name)
    began = answers.begins(trace, held) if held is not None and moment.backward else ""
    if began:
        return began
    if held is not None and (layer.axes == ("class",) or (
            not moment.backward and len(subject.cell) < max(1, layer.output.ndim))):
        return answers.sentence(trace, held)
    if moment.backward:
        return _of_the_gradient(trace, layer, subject)
    if layer.is_input:
        return _of_the_input(trace, layer)
    if kinds.role(layer) == "weighted" and layer.has("row", "column") and subject.cell:
        cell = _cell(trace, subject, False)
        value = numbers.number(float(layer.output[cell]))
        if len(subject.cell) == layer.output.ndim:
            return tr("Channel {channel} of {layer} answers {{{value}}} at row {row}, column {column}.").format(
                channel=cell[0], layer=layer.name, value=value, row=cell[-2], column=cell[-1])
        return tr("Channel {channel} of {layer} answers most strongly, {{{value}}}, at row {row}, column "
                  "{column}.").format(channel=cell[0], layer=layer.name, value=value, row=cell[-2], column=cell[-1])
    if kinds.switches(layer) and subject.cell:
        own = layer.output[subject.cell[0]]
        kept = int(np.count_nonzero(own))
        where = (tr("Channel {channel} of {layer}") if own.ndim else tr("Unit {channel} of {layer}")).format(
            channel=subject.cell[0], layer=layer.name)
        return tr("{where}: ReLU keeps {{{kept} of {count}}} values, those above zero, and makes the rest exactly "
                  "0.").format(where=where, kept=numbers.count(kept), count=numbers.count(own.size))
    return kinds.sentence(trace, layer.name)


def _of_the_input(trace: Trace, layer: Layer) -> str:
    title = trace.sample.title or trace.sample.name
    if layer.has("row", "column"):
        lit = int(np.count_nonzero(layer.output > np.min(layer.output)))
        return tr("{title}: {shape} = {{{count} numbers}}, {lit} of them brighter than the background.").format(
            title=title, shape=numbers.shape(layer.shape[-2:]), count=numbers.count(layer.output[0].size),
            lit=numbers.count(lit))
    return tr("{title}: {{{count} numbers}} go in.").format(title=title, count=numbers.count(layer.output.size))


def _of_the_loss(trace: Trace, layer: Layer) -> str:
    value = numbers.number(float(layer.output), 3)
    kind, told = kinds.of(layer), answers.cost(trace, layer)[1]
    if told:
        return told
    if kind is not None and kind.label == "numbers":
        return kinds.sentence(trace, layer.name)
    return tr("What is differentiated: {layer} = {{{value}}}.").format(layer=layer.name, value=value)


def _of_the_gradient(trace: Trace, layer: Layer, subject: Focus) -> str:
    gradient = layer.gradient
    if gradient is None:
        return tr("No gradient reaches {layer}: {why}.").format(
            layer=layer.name, why=layer.why or tr("nothing that the loss depends on goes through it"))
    if layer.is_input:
        row = strongest(layer, True)
        size = numbers.significant(float(np.linalg.norm(gradient)), 3)
        if layer.has("row", "column"):
            return tr("Back at the input: ∥∂L/∂x∥ is {{{size}}}, strongest at row {row}, column {column}; these are "
                      "the pixels that would change the loss.").format(size=size, row=row[-2], column=row[-1])
        return tr("Back at the input: ∥∂L/∂x∥ is {{{size}}}; these are the numbers that would change the loss.").format(
            size=size)
    if not subject.cell:
        alive = int(np.count_nonzero(gradient))
        said = tr("{{{alive} of {count}}} values of {layer} carry gradient; its size ∥∂L/∂{layer}∥ is {size}.").format(
            alive=numbers.count(alive), count=numbers.count(gradient.size), layer=layer.name,
            size=numbers.significant(float(np.linalg.norm(gradient)), 3))
        return f"{said} {_symbols_or_why(trace, layer)}".strip()
    channel = subject.cell[0]
    own = gradient[channel]
    alive, total = int(np.count_nonzero(own)), int(own.size)
    if own.ndim == 0:
        return tr("∂L/∂{layer} of unit {unit} is {{{value}}}.").format(
            layer=layer.name, unit=channel, value=numbers.signed(float(own), 4))
    known = {"alive": numbers.count(alive), "count": numbers.count(total), "channel": channel}
    told = _what_stopped_it(trace, layer, channel)
    if told:
        return tr("On the way back {{{alive} of {count}}} places of channel {channel} carry gradient: {why}.").format(
            why=told, **known)
    said = tr("On the way back {{{alive} of {count}}} places of channel {channel} carry gradient.").format(**known)
    return f"{said} {_symbols_or_why(trace, layer)}".rstrip()


def _symbols_or_why(trace: Trace, layer: Layer) -> str:
    """Of an embedding, which of the symbols read counts most; of another layer, what made its gradient what it is."""
    first = trace.layers[0]
    symbols = hops.of_symbols(trace, first) if first.name in layer.reads and kinds.role(layer) == "table" else None
    if symbols is not None and symbols.any():
        step = int(np.argmax(symbols))
        size = numbers.significant(float(symbols[step]), 2)
        if len(trace.sample.steps) == len(symbols):
            return tr("Of the symbols read, number {n}, “{word}”, would change the loss most: {size}.").format(
                n=step + 1, word=trace.sample.steps[step], size=size)
        return tr("Of the symbols read, number {n} would change the loss most: {size}.").format(n=step + 1, size=size)
    handed = hops.handers(trace, layer.name)
    if len(handed) != 1:
        return hops.added(trace, layer.name)
    norms = parts.norms(trace)
    if not norms.get(handed[0].name, 0.0) > 0:
        return ""
    return hops.reason(trace, layer, handed[0], norms[layer.name] / norms[handed[0].name])


def _what_stopped_it(trace: Trace, layer: Layer, channel: int) -> str:
    """Counted from the trace: what the ReLU and the max-pool after a layer let through in one channel."""
    readers = trace.readers(layer.name)
    if len(readers) != 1:
        return ""
    reader = readers[0]
    if reader.gradient is None or layer.gradient is None:
        return ""
    alive = int(np.count_nonzero(layer.gradient[channel]))
    if kinds.role(reader) == "largest":
        return tr("max-pool hands it to the {count} winners only").format(count=numbers.count(alive))
    if kinds.switches(reader) and reader.shape == layer.shape:
        arriving = int(np.count_nonzero(reader.gradient[channel]))
        pools = [after for after in trace.readers(reader.name) if kinds.role(after) == "largest"]
        said = tr("max-pool passes {count} winners, ReLU stops {stopped} of them") if pools else \
            tr("{count} arrive, ReLU stops {stopped} of them")
        return said.format(count=numbers.count(arriving), stopped=numbers.count(arriving - alive))
    return ""


VIEW = View(
    "network", english("Network"), english("Every map of every layer side by side, forwards and backwards."),
    suits=lambda trace: True, draw=draw, order=10,
    telling=answered, knobs=(("ranking", ("mean", "max", "gradient", "first")),),
    group=WHOLE, tries=english("Press Space to play it, and click any map to see what it was made from."),
)
