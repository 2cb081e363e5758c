"""What feeds what: lines between the columns, and arcs above them."""

from __future__ import annotations

from collections.abc import Iterator

from visualizer.scene.columns import (
    ARC,
    Column,
    Plan,
    arrange,
    kernel_width,
    passages,
)
from visualizer.scene.lens import Pair
from visualizer.scene.picture import (
    Look,
    Mark,
    Path,
    Points,
)
from visualizer.trace import Trace, remembered

MOST_CURVES = 700
"""More lines than this between two columns become one pale wedge."""


def edges_of(trace: Trace, plan: Plan, look: Look, inner: Look, pair: Pair | None) -> tuple[Mark, ...]:
    """The edges of a plan: where columns do not move they are the same for every moment. Under the lens only a pair has
    any, because lines would run over other maps; what leaps over layers has its arc in both."""
    if pair is not None:
        return tuple(_edges_of_the_pair(trace, plan, look, pair))
    return tuple(_edges(trace, plan, look)) if plan.deep else _still_edges(trace, look, inner)


def _edges_of_the_pair(trace: Trace, plan: Plan, look: Look, pair: Pair) -> list[Mark]:
    right = plan.columns[pair.right]
    marks: list[Mark] = []
    for name in pair.left:
        left = plan.columns[name]
        drawn = all(column.style not in ("hidden", "passage", "number") for column in (left, right))
        if drawn and left.x + left.width < right.x and not kernel_width(trace[right.layer]) and name in {
                source.layer for source in sources(trace, plan, right)} and (name, right.layer) not in plan.skips:
            marks.append(Path((wedge(left, right),), fill="wedge"))
    arcs = [arc for skip in plan.skips for arc in arc_of(plan, skip, look)]
    return [*marks, Path(tuple(arcs), stroke="rule", width=1.5)] if arcs else marks


@remembered(8)
def _still_edges(trace: Trace, look: Look, inner: Look) -> tuple[Mark, ...]:
    return tuple(_edges(trace, arrange(trace, inner, passages(trace)), look))


def _edges(trace: Trace, plan: Plan, look: Look) -> list[Mark]:
    """What feeds what: curves between maps, straight lines where one feeds one, a wedge where all feed all, and arcs
    above the columns where a layer reads one that stands further back."""
    wedges: list[Points] = []
    curves: list[Points] = []
    for column in plan.columns.values():
        if column.style in ("passage", "number", "hidden"):
            continue
        for source in sources(trace, plan, column):
            how = wiring(trace, source, column)
            if (source.layer, column.layer) in plan.skips:
                continue
            if how == "wedge":
                wedges.append(wedge(source, column))
            else:
                pairs = pairs_of(source, column, how)
                curves += [curve(*ends(source, a, column, b)) for a, b in pairs]
    marks: list[Mark] = []
    if wedges:
        marks.append(Path(tuple(wedges), fill="wedge"))
    if curves:
        marks.append(Path(tuple(curves), stroke="edge", width=1))
    arcs = [arc for skip in plan.skips for arc in arc_of(plan, skip, look)]
    if arcs:
        marks.append(Path(tuple(arcs), stroke="rule", width=1.5))
    return marks


def arc_of(plan: Plan, skip: tuple[str, str], look: Look) -> list[Points]:
    """Up from a column, along above those between, and down with an arrow to the column that reads it.

    In a deep network the arc ends at the rim of what is seen, if one of its ends has scrolled past.
    """
    (source, target) = (plan.columns[name] for name in skip)
    seen = [column for column in plan.columns.values() if column.style != "hidden" and column.layer not in plan.fixed]
    if not seen or (source.style == "hidden" and target.style == "hidden" and
                    (target.x < seen[0].x or source.x > seen[-1].x)):
        return []
    rim = max(8.0, seen[0].x - 12), min(look.size[0] - 8.0, seen[-1].x + seen[-1].width + 12)
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


def sources(trace: Trace, plan: Plan, column: Column) -> Iterator[Column]:
    """The drawn columns a column reads, seen through passages."""
    for name in trace[column.layer].reads:
        source = plan.columns[name]
        if source.style == "passage" and trace[name].reads:
            yield from sources(trace, plan, source)
        elif source.style not in ("passage", "hidden"):
            yield source


def wiring(trace: Trace, source: Column, column: Column) -> str:
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


def pairs_of(source: Column, column: Column, how: str) -> list[tuple[int, int]]:
    if how == "one":
        return list(zip(source.shown, column.shown, strict=False))
    return [(a, b) for a in source.shown for b in column.shown]


def ends(source: Column, a: int, column: Column, b: int) -> tuple[float, float, float, float]:
    left, right = source.box(a), column.box(b)
    assert left is not None
    assert right is not None
    return left[0] + left[2] + 1, left[1] + left[3] / 2, right[0] - 1, right[1] + right[3] / 2


def curve(x0: float, y0: float, x1: float, y1: float) -> Points:
    """From left to right, level at both ends."""
    bend = (x1 - x0) * 0.5
    return (x0, y0), (x0 + bend, y0), (x1 - bend, y1), (x1, y1)


def wedge(source: Column, column: Column) -> Points:
    x0, x1 = source.x + source.width + 2, column.x - 2
    corners = [(x0, source.top), (x1, column.top), (x1, column.top + column.height), (x0, source.top + source.height)]
    points: list[tuple[float, float]] = [corners[0]]
    for corner in (*corners[1:], corners[0]):
        points += [points[-1], corner, corner]
    return tuple(points)
