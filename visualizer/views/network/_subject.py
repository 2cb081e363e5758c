"""What the moment is about: its outline, its sources with the window it sees in them, and its kernels."""

from __future__ import annotations

from visualizer import kinds
from visualizer.language import tr
from visualizer.said import lengths, said
from visualizer.scene import colour, parts
from visualizer.scene.columns import (
    Column,
    Plan,
    kernel_boxes,
    read_by,
)
from visualizer.scene.lens import Pair
from visualizer.scene.picture import (
    Focus,
    Group,
    Image,
    Line,
    Look,
    Mark,
    Path,
    Rect,
    Text,
    grouped,
    of_layer,
    plain,
)
from visualizer.scene.subject import strongest, subject
from visualizer.scene.timeline import Moment
from visualizer.scene.type import width as text_width
from visualizer.trace import Cell, Trace
from visualizer.views.network._edges import arc_of, curve, ends, pairs_of, sources, wiring


def subject_of(trace: Trace, moment: Moment, focus: Focus | None) -> Focus:
    """What the moment is about, as far as columns show it: the whole column of the input, and of a layer's steps."""
    about = subject(trace, moment, focus)
    whole = about.array != "output" or len(about.cell) < (2 if moment.beat.step is not None else 1) \
        or (trace[about.layer].is_input and (focus is None or focus.layer != about.layer))
    return Focus(about.layer) if whole else about


def cell_of(trace: Trace, subject: Focus, backward: bool) -> Cell:
    """The marked cell: the focused one, or the strongest of what is focused."""
    layer = trace[subject.layer]
    if len(subject.cell) == layer.output.ndim:
        return subject.cell
    return strongest(layer, backward, subject.cell[:1])


def subject_marks(trace: Trace, plan: Plan, moment: Moment, subject: Focus, look: Look, lines: bool) -> list[Mark]:
    """The subject's outline, its sources with the window it sees in them, and, without the lens, the lit lines."""
    column, layer = plan.columns[subject.layer], trace[subject.layer]
    if column.style in ("number", "bars", "passage", "hidden") or layer.output.ndim == 0:
        return []
    if not subject.cell:
        return _frame(column)
    backward = moment.backward
    cell = cell_of(trace, subject, backward)
    boxes = kinds.receptive_field(trace, subject.layer, cell)
    ink = "gradient-mark" if backward else "accent"
    marks: list[Mark] = []
    for source in sources(trace, plan, column):
        pairs = [(a, b) for a, b in pairs_of(source, column, wiring(trace, source, column))
                 if b == subject.cell[0]] if wiring(trace, source, column) != "wedge" else []
        if pairs and lines and (source.layer, column.layer) not in plan.skips:
            marks.append(Path(tuple(curve(*ends(source, a, column, b)) for a, b in pairs), stroke=ink, width=1.5))
        for a, _ in pairs:
            marks += _outlined(trace, source, a, boxes.get(source.layer), look, source.style == "maps")
        if not pairs and source.layer in boxes and source.style in ("maps", "picture"):
            for a in source.shown if len(source.shown) <= 16 else ():
                marks += _outlined(trace, source, a, boxes[source.layer], look, False)
    for skip in plan.skips:
        arc = arc_of(plan, skip, look) if skip[1] == column.layer else []
        marks += [Path(tuple(arc), stroke=ink, width=2)] if arc else []
    first = trace.layers[0]
    image = plan.columns[first.name]
    if image.style == "picture" and first.name in boxes and first.name not in (subject.layer, *layer.reads):
        marks += _outlined(trace, image, 0, boxes[first.name], look, False)
    if lines:
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


def kernels_of(trace: Trace, plan: Plan, pair: Pair, channel: int, with_gradient: bool, look: Look) -> list[Mark]:
    """The kernels of one channel, each on the way from the map it is laid on; with their gradients beside them."""
    layer, column = trace[pair.right], plan.columns[pair.right]
    weight = layer.weights.get("weight")
    if weight is None or weight.ndim != 4 or column.layer not in plan.kernel_x or channel >= len(weight):
        return []
    x, top = plan.kernel_x[column.layer], colour.largest(weight)
    read = read_by(layer, channel)
    marks: list[Mark] = []
    known = layer.weight_gradients.get("weight") if with_gradient else None
    for name in pair.left:
        boxes = kernel_boxes(trace, plan, layer.name, plan.columns[name])
        for tile, (left, upper, wide, high) in boxes.items():
            if tile not in read:
                continue
            place = read.index(tile)
            cell = wide / weight.shape[-1], high / weight.shape[-2]
            about = Focus(layer.name, (channel, place), "weight")
            marks.append(Image(left, upper, cell, colour.signed(weight[channel, place], top)[None], "weight",
                               focus=about, indices=(-1,), scale=parts.weight_scale(
                                   layer.name, top, False, tr("each layer by its own largest"))))
            if known is not None:
                most = colour.largest(known[channel]) or 1.0
                marks.append(Image(left + wide + 5, upper, cell, colour.magnitude(
                    known[channel, place], most * parts.FLOOR, most)[None], "gradient", focus=about,
                    indices=(-1,), scale=parts.weight_scale(layer.name, most, True)))
    if not marks:
        return []
    room = column.x - x - 6
    title = next(words for words in (("w   ∂L/∂w", "w") if known is not None else (tr("kernels"), "w"))
                 if text_width(words, 13, 600, mono=True) <= room or words == "w")
    marks.append(Text(x, 80, plain(title), 13, 600, "ink", mono=True, max_width=room))
    number = said(str(channel), "index", layer.name, (channel,), array="weights.weight")
    under = next((words for words in (tr("of channel {channel}").format(channel=number),
                                      lengths(layer, 1, "weights.weight"),
                                      lengths(layer, 2, "weights.weight").replace(" ", ""))
                  if text_width(words, 12) <= room), "")
    marks.append(Text(x, 97, plain(under), 12, 400, "ink-2"))
    return grouped(Group(tr("kernels of {layer}").format(layer=layer.name), Focus(layer.name, (channel,), "weight")),
                   marks)


def _onward(trace: Trace, plan: Plan, column: Column, channel: int, ink: str) -> list[Mark]:
    """Straight on through the layers that keep the channel: ReLU and pool."""
    marks: list[Mark] = []
    name = column.layer
    while readers := [layer for layer in trace.readers(name) if plan.columns[layer.name].style == column.style]:
        following = plan.columns[readers[0].name]
        if wiring(trace, plan.columns[name], following) != "one" or following.box(channel) is None:
            break
        x0, y0, x1, y1 = ends(plan.columns[name], channel, following, channel)
        marks.append(Line(((x0 + 6, y0), (x1 - 2, y1)), ink, 1.5))
        name = following.layer
    return marks
