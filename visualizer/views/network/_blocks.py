"""Blocks in the network: the card that a closed one stands on, the frame round an open one, and what is said of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from visualizer.language import counted_as, tr
from visualizer.motions._marks import progress
from visualizer.said import lengths, said, size
from visualizer.scene import blocks, numbers
from visualizer.scene.blocks import KIND, KNOB, Folded, Opened
from visualizer.scene.columns import ARC, PADDING, Column, Plan
from visualizer.scene.labels import Labels
from visualizer.scene.lens import OPENED
from visualizer.scene.picture import Choice, Focus, Group, Look, Mark, Path, Rect, Text, grouped, of_layer, plain
from visualizer.scene.timeline import Moment
from visualizer.scene.type import width
from visualizer.scene.wires import chevron
from visualizer.trace import Layer, Trace

Box = tuple[float, float, float, float]
PAD, BEHIND, FOOT = 4.0, 3.0, 12.0
"""Between the maps of a closed block and the rim of its card; how far the cards of others that are alike look out; the
height of the strip under the maps that opens it."""
SKIP = 6.0
"""How high over its card runs the way round the inside of a residual block."""
CLOSES, BAR = 34.0, 150.0
"""The width of what closes an open block, with what stands before the next name; and that of a colour bar."""
AROUND = 8.0
"""Between the columns of an open block and its frame."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What is seen folded, and at which moment of the whole recording."""

    fold: Folded
    moment: Moment

    @property
    def within(self) -> int:
        """On the way back through a closed block: how many of its layers have their gradient."""
        return self.fold.handing_on(self.moment)

    def toggles(self, look: Look, name: str) -> Choice:
        """The choice that opens a closed block or closes an open one."""
        place = blocks.places(self.fold.whole)[self.moment.beat.layer]
        return Choice(KNOB, blocks.toggled(self.fold.whole, look, place, name).word)


def plate(trace: Trace, column: Column, moment: Moment, look: Look, seen: Seen | None) -> list[Mark]:
    """What a closed block stands on, with the strip that opens it; several that are alike on two. It is lit while it
    computes or hands on."""
    layer = trace[column.layer]
    if seen is None or layer.kind != KIND or column.style in ("hidden", "passage", "number"):
        return []
    x, y = column.x - PAD, column.top - PAD
    wide, high = column.width + 2 * PAD, column.height + 2 * PAD + FOOT
    lit = column.layer == moment.beat.layer
    ink = "rule" if not lit else "gradient-mark" if moment.backward else "accent"
    marks: list[Mark] = []
    if int(layer.settings["times"]) > 1:
        marks.append(Rect(x + BEHIND, y - BEHIND, wide, high, "sunk", "rule", 1, radius=6))
    name = blocks.title(layer)
    marks.append(Rect(x, y, wide, high, "sunk", ink, 1.5, radius=6, focus=Focus(layer.name),
                      tip=tr("{block}: {count} layers in it").format(block=name, count=layers_said(layer))))
    if layer.settings["adds"] == 1:  # one way round all of it, not one round each of several blocks in it
        marks.append(_around(x + 5, x + wide - 5, y))
    foot = y + high - FOOT - 1
    marks.append(chevron((column.x + column.width / 2, foot + FOOT / 2), (0.0, 1.0), 4.0, "ink-2"))
    marks.append(Rect(x, foot, wide, FOOT + 1, focus=Focus(layer.name),
                      holds=seen.toggles(look, str(layer.settings[KIND])),
                      tip=tr("Open {block}").format(block=name)))
    return grouped(of_layer(layer.name), marks)


def foot_of(layer: Layer) -> float:
    """How far the card of a closed block reaches below its maps; 0 for any other layer."""
    return FOOT + PAD if layer.kind == KIND else 0.0


def _around(left: float, right: float, top: float) -> Mark:
    """A way round the inside of a block, which is added to what comes out."""
    y, end = top - SKIP, top - 1.5
    corners = ((left, end), (left, y), (right, y), (right, end))
    line = tuple(point for a, b in pairwise(corners) for point in (a, b, b))
    tip = ((right - 3, end - 3.5), (right, end), (right + 3, end - 3.5))
    return Path(((corners[0], *line), (tip[0], tip[0], tip[1], tip[1], tip[1], tip[2], tip[2])), stroke="ink-2",
                width=1.25)


def block_lines(layer: Layer) -> tuple[str, ...]:
    """What stands under the shape of a closed block, the longest first."""
    times, inner = layer.settings["inside"]
    alike = said(str(times), "how many blocks that are alike", str(layer.settings["first"]),
                 array=str(layer.settings["last"])) if times else ""
    made = f"{alike} × {inner}" if times and inner else tr("{count} alike").format(count=alike) if times else \
        str(layer.settings["made"])
    counted = tr("{count} layers").format(count=layers_said(layer))
    params = counted_as(int(layer.settings["parameters"]), tr("{count} param"), tr("{count} params")).format(
        count=blocks.parameters_said(layer))
    return (*((f"{made}, {counted}, {params}", f"{made}, {counted}") if made else ()), f"{counted}, {params}", counted)


def layers_said(layer: Layer) -> str:
    """How many layers stand in a closed block."""
    return said(str(layer.settings["layers"]), "how many layers of a block", str(layer.settings["first"]),
                array=str(layer.settings["last"]))


def done_said(layer: Layer) -> str:
    """The sentence of a closed block whose layers have all computed."""
    made = str(layer.settings["made"])
    of = tr("{layer} is done: {count} layers, {params} parameters.").format(
        layer=f"{blocks.title(layer)} ({made})" if made else blocks.title(layer), count=layers_said(layer),
        params=blocks.parameters_said(layer))
    several = int(layer.settings["leaves"]) > 1
    out = (tr("Of those that are read outside the last, {name}, gives {shape} = {{{count} numbers}}.") if several else
           tr("Its last one, {name}, gives {shape} = {{{count} numbers}}.")).format(
        name=layer.name, shape=lengths(layer), count=said(numbers.count(layer.output.size), *size(layer)))
    return f"{of} {out}"


def within_said(trace: Trace, moment: Moment, seen: Seen | None) -> str:
    """The sentence while gradient goes back through a closed block, unseen."""
    if seen is None or not seen.within:
        return ""
    layer = trace[moment.beat.layer]
    return tr("The gradient goes back through {block}: {{{n} of {count}}} of its layers have theirs.").format(
        block=blocks.title(layer), n=blocks.layer_said(layer, seen.within), count=blocks.count_said(layer))


def handing_on(trace: Trace, plan: Plan, moment: Moment, seen: Seen | None, look: Look) -> list[Mark]:
    """How far the gradient has come through a closed block, under it and beside the colour bar."""
    if seen is None or not seen.within:
        return []
    layer, column = trace[moment.beat.layer], plan.columns[moment.beat.layer]
    x = min(max(PADDING, column.x) + BAR, look.size[0] - PADDING - BAR)
    return progress(x, 90.0, plan.bottom + 7, seen.within / blocks.beats(layer), "gradient-mark",
                    blocks.progress_said(layer, seen.within))


def open_marks(trace: Trace, plan: Plan, look: Look, seen: Seen | None) -> list[Mark]:
    """A frame round what is seen of each open block in which no other one is open; over it the way to it from the
    outside, each part of which closes one."""
    if seen is None or plan.strip:
        return []
    marks: list[Mark] = []
    titles = Labels((4.0, 0.0, look.size[0] - 4.0, look.size[1]), 6)
    drawn = frames(trace, plan, look)
    for box, way in sorted(drawn, key=lambda one: seen.moment.beat.layer not in _layers(seen.fold.whole, one[1][-1])):
        left, top, wide, high = box
        marks += grouped(Group(way[-1].name), [Rect(left, top, wide, high, "", "rule", 1, radius=8),
                                               *_title(way, left + 10, top + 15, left + wide, titles, seen, look)])
    return marks


def frames(trace: Trace, plan: Plan, look: Look) -> list[tuple[Box, list[Opened]]]:
    """Left, top, width, height of the frame of each open block in which no other one is open, and the open blocks round
    it, the outermost first, itself the last."""
    found, names = blocks.opened(trace), list(plan.columns)
    spans = {block.name: (names.index(block.first), names.index(block.last)) for block in found}
    drawn: list[tuple[Box, list[Opened]]] = []
    for block in found:
        first, last = spans[block.name]
        shown = [column for name in names[first:last + 1] if (column := plan.columns[name]).style
                 not in ("hidden", "passage", "number")]
        if not shown or any(other is not block and _holds(spans[block.name], spans[other.name]) for other in found):
            continue
        left = max(3.0, min(column.x for column in shown) - AROUND)
        right = min(look.size[0] - 3.0, max(column.x + column.width for column in shown) + AROUND)
        top = plan.top - _arcs(plan) - OPENED + 2
        drawn.append(((left, top, right - left, plan.bottom + 1 - top),
                      [other for other in found if _holds(spans[other.name], spans[block.name])]))
    return drawn


def _holds(outer: tuple[int, int], inner: tuple[int, int]) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _layers(trace: Trace, block: Opened) -> frozenset[str]:
    own = blocks.named(trace, block.name)
    return frozenset() if own is None else frozenset(layer.name for layer in trace.layers[own.first:own.last + 1])


def _arcs(plan: Plan) -> float:
    """The height over the columns in which arcs run."""
    return 12 + ARC * (1 + max(plan.skips.values())) if plan.skips else 0.0


def crumbs(way: Sequence[Opened]) -> list[tuple[str, float]]:
    """The names of open blocks within each other, each without that of the one round it unless only a number is left,
    and how wide each is with what closes it."""
    outer = ("", *(f"{block.name}." for block in way))
    short = [block.name.removeprefix(before) for before, block in zip(outer, way, strict=False)]
    names = [block.name if name[:1].isdecimal() else name for name, block in zip(short, way, strict=True)]
    return [(name, width(name, 12, 600, mono=True) + CLOSES) for name in names]


def title_boxes(trace: Trace, plan: Plan, look: Look) -> list[Box]:
    """Left, top, right, bottom of the names over the frames."""
    return [(left, top, left + 10 + sum(wide for _, wide in crumbs(way)), top + OPENED)
            for (left, top, _, _), way in frames(trace, plan, look)]


def _title(way: list[Opened], x: float, y: float, right: float, titles: Labels, seen: Seen, look: Look) -> list[Mark]:
    """`layer3 › layer3.2 Bottleneck, 10 layers`, each name with what closes it; without the outer ones where there is
    no room for them."""
    last, named = way[-1], list(zip(way, crumbs(way), strict=True))
    while len(named) > 1 and x + sum(wide for _, (_, wide) in named) > min(right, look.size[0]) - 4:
        named = named[1:]
    if not titles.take((x, y - 12, x + sum(wide for _, (_, wide) in named), y + 4)):
        return []
    marks: list[Mark] = []
    for number, (block, (name, wide)) in enumerate(named):
        if number:
            marks.append(Text(x - 11, y, plain("›"), 12, 400, "ink-2"))
        marks.append(Text(x, y, plain(name), 12, 600, "ink", mono=True))
        marks.append(chevron((x + wide - CLOSES + 9, y - 4), (0.0, -1.0), 4.0, "ink-2"))
        marks.append(Rect(x - 3, y - 13, wide - CLOSES + 20, 18, focus=Focus(block.last),
                          holds=seen.toggles(look, block.name), tip=tr("Close {block}").format(block=block.name)))
        x += wide
    count = said(str(last.count), "how many layers of a block", *_stretch(seen, last))
    about = counted_as(last.count, tr("{count} layer"), tr("{count} layers")).format(count=count)
    behind = f"{last.made}, {about}" if last.made else about
    if x - 8 + width(behind, 12) < right - 8:
        marks.append(Text(x - 8, y, plain(behind), 12, 400, "ink-2"))
    return marks


def _stretch(seen: Seen, block: Opened) -> tuple[str, tuple[()], None, str]:
    own = blocks.named(seen.fold.whole, block.name)
    layers = seen.fold.whole.layers
    assert own is not None
    return layers[own.first].name, (), None, layers[own.last].name
