"""The axis that a convolution and a recurrent layer share: influence by distance, in shares of the strongest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from visualizer.kinds import reach
from visualizer.kinds.reach import HORIZON, Influence
from visualizer.language import tr
from visualizer.said import said, tick
from visualizer.scene import numbers
from visualizer.scene.boxes import Box
from visualizer.scene.picture import Group, Line, Mark, Rect, Text, grouped, plain
from visualizer.scene.type import width
from visualizer.trace import Trace

FLOOR = 1e-4
"""Shares below are not drawn as bars: a hatched foot says that there is something."""
LEFT, RIGHT, FOOT = 64.0, 16.0, 34.0


def longest(trace: Trace, layer: str) -> float:
    """How far the axis goes: to the other end of what is read, the same for all networks that read it."""
    read = reach.source(trace)
    if read is not None:
        return float(max(read.shape[axis] for axis in reach.places(read)) - 1) or 1.0
    steps = len(trace[layer].output) if layer in trace else max(len(each.output) for each in trace if each.inner)
    return float(max(1, steps - 1))


def draw(found: Influence | None, longest: float, box: Box, edge: float | None, hard: bool, title: str) -> list[Mark]:
    """Bars by distance, shaded beyond the horizon; a line at the edge of what there is: of the field, where it is
    `hard`, behind which there can be nothing, or of what was read."""
    head = 18.0
    scale = Chart(Box(box.left + LEFT, box.top + head, box.right - RIGHT, box.bottom - FOOT), longest)
    chart = scale.box
    caption = Text(box.left, box.top + 6, plain(tr("Influence by distance, of the strongest")), 12, 600,
                   max_width=box.width)
    marks: list[Mark] = [caption]
    end = chart.left if edge is None else min(chart.right, scale.x(edge) + scale.pitch / 2)
    far = end if found is None or not math.isfinite(found.horizon) else scale.x(found.horizon) + scale.pitch / 2
    if far < end - 1:
        marks.append(Rect(far, chart.top, end - far, chart.height, "wedge"))
    marks += _levels(scale)
    if found is None and edge is not None:
        marks.append(Rect(chart.left, chart.top, end - chart.left, chart.height, "hatch"))
    elif found is not None:
        marks += _bars(found, scale)
    if not hard and end < chart.right:
        marks.append(Rect(end, chart.top, chart.right - end, chart.height, "hatch"))
    marks += _ticks(scale, title)
    if edge is not None:
        marks.append(Line(((end, chart.top), (end, chart.bottom)), "accent", 2))
    marks += _says(tr("outside its field: nothing") if hard else tr("not read yet"), end, chart)
    if far < end - 1:
        marks += _says(tr("below 1 %"), far, Box(chart.left, chart.top, end, chart.bottom))
    return grouped(Group(tr("influence by distance")), marks)


@dataclass(frozen=True)
class Chart:
    """Where the axis stands."""

    box: Box
    longest: float

    @property
    def pitch(self) -> float:
        return self.box.width / (self.longest + 1)

    def x(self, distance: float) -> float:
        """The middle of what lies so far away."""
        return self.box.left + min(distance + 0.5, self.longest + 1) * self.pitch

    def y(self, share: float) -> float:
        """On a log axis, no lower than its foot."""
        return self.box.bottom - max(0.0, 1 - math.log10(share) / math.log10(FLOOR)) * self.box.height


def _says(words: str, left: float, chart: Box) -> list[Mark]:
    """A few words at the left of a stretch, on a ground of their own, where there is room."""
    wide = width(words, 12)
    if left + 20 + wide > chart.right:
        return []
    return [Rect(left + 6, chart.top + 4, wide + 10, 19, "stage", radius=4),
            Text(left + 11, chart.top + 18, plain(words), 12, 400, "ink-2")]


def _levels(scale: Chart) -> list[Mark]:
    marks: list[Mark] = []
    for power in (0, -1, -2, -3, -4):
        if scale.box.height < 90 and power in (-1, -3):
            continue
        level = scale.y(10.0 ** power)
        marks.append(Line(((scale.box.left, level), (scale.box.right, level)), "rule" if power == -2 else "hair", 1,
                          power == -2))
        words = numbers.percent(10.0 ** power, max(0, -power - 2))
        marks.append(Text(scale.box.left - 8, level + 4, plain(tick(words, 10.0 ** power, FLOOR, 1.0)), 11, 400,
                          "ink-2", "end"))
    return marks


def _bars(found: Influence, scale: Chart) -> list[Mark]:
    apart = min((float(b - a) for a, b in pairwise(found.distances)), default=1.0)
    wide = max(1.0, scale.pitch * apart - (2 if scale.pitch >= 6 else 0.5))
    marks: list[Mark] = []
    for distance, share in zip(found.distances.tolist(), found.shares.tolist(), strict=True):
        left = max(scale.box.left, scale.x(distance) - wide / 2)
        if not math.isfinite(share) or share == 0 or left >= scale.box.right:
            continue
        top = min(scale.box.bottom - 1, scale.y(share)) if share >= FLOOR else scale.box.bottom - 3
        fill = "hatch" if share < FLOOR else "gradient-mark" if share >= HORIZON else "gradient-line"
        marks.append(Rect(left, top, min(wide, scale.box.right - left), scale.box.bottom - top, fill))
    return marks


def _ticks(scale: Chart, title: str) -> list[Mark]:
    """Distances in round steps, and what they are."""
    chart = scale.box
    every = next((step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000) if step * scale.pitch >= 36), 10**6)
    end = width(title, 12, 500) + 14
    marks: list[Mark] = [Line(((chart.left, chart.bottom), (chart.right, chart.bottom)), "rule"),
                         Text(chart.right, chart.bottom + 18, plain(title), 12, 500, "ink-2", "end")]
    for distance in range(0, int(scale.longest) + 1, every):
        at = scale.x(distance)
        if at + 12 < chart.right - end:
            marks.append(Text(at, chart.bottom + 18, plain(tick(str(distance), distance, 0, scale.longest)), 11, 400,
                              "ink-2", "middle"))
    return marks


def horizon_said(found: Influence, layer: str, cell: tuple[int, ...], step: int | None = None) -> str:
    """The farthest distance with a hundredth of the strongest influence, as a number."""
    return said(numbers.short(found.horizon), "1 % horizon", layer, cell, step)
