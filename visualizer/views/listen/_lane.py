"""The lane under the picture: what was answered so far, how large the gradient of each frame is, and the seconds."""

from __future__ import annotations

import math

import numpy as np

from visualizer.language import tr
from visualizer.said import said, tick
from visualizer.scene import numbers, parts, steps
from visualizer.scene.columns import lanes_height
from visualizer.scene.lanes import lanes
from visualizer.scene.picture import LANE, Line, Mark, Path, Rect, Text, grouped, plain
from visualizer.scene.reading import label
from visualizer.scene.type import width
from visualizer.views.listen._scene import LEFT, Scene, of_frames

SECONDS = (0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Between two marks of the axis."""
APART = 64.0
"""Pixels between two marks at least."""


def lane(sc: Scene) -> tuple[list[Mark], list[Mark]]:
    """(still, moving). Where nothing goes step by step: the beats, as under other pictures."""
    if sc.shown is None:
        return lanes(sc.trace, sc.moment, sc.look)
    place = sc.axis.span(sc.sound.clocks[sc.shown.layer.name])
    if not sc.look.mode.lanes:
        return [], steps.line_of_steps(place.x, place.end - place.x, sc.shown, sc.step + 1, sc.moment, sc.look)
    high = lanes_height(sc.look)
    top, tall = sc.look.size[1] - high, high >= 112
    said_row = (top + 8, 20.0 if tall else 16.0)
    chart = (top + 36, top + 86) if tall else (top + 30, top + 72)
    still: list[Mark] = [Line(((0, top), (sc.look.size[0], top)), "hair"),
                         steps.touched(sc.shown, place, top + 4, high - 8,
                                       holds=steps.stops(sc.trace, sc.shown, sc.moment.beat.direction))]
    moving: list[Mark] = []
    if sc.now is not None:
        moving.append(Rect(place.left(sc.step), top + 3, max(2.0, place.pitch), high - 6, "accent",
                           radius=min(6, place.pitch / 2), opacity=0.13))
    still += _seconds(sc, top + high - 8)
    moving += _so_far(sc, place, *said_row)
    moving += _gradient(sc, *chart)
    return grouped(LANE, still), grouped(LANE, moving)


def _seconds(sc: Scene, y: float) -> list[Mark]:
    """The axis of time, in seconds; in samples where nobody says how many make one."""
    rate = sc.sound.rate or 1
    lasts = len(sc.sound.wave) / rate
    pixels = (sc.axis.end - sc.axis.x) / lasts
    by = next((step for step in SECONDS if step * pixels >= APART), SECONDS[-1]) if sc.sound.rate else \
        10.0 ** math.ceil(math.log10(APART / pixels))
    marks: list[Mark] = []
    for index in range(int(lasts / by + 1e-9) + 1):
        x = sc.axis.x + index * by * pixels
        words = tick(numbers.short(index * by), index * by, 0, lasts)
        last = (index + 1) * by > lasts + 1e-9
        marks += [Line(((x, y - 15), (x, y - 11)), "rule"),
                  Text(x, y, plain(f"{words} s" if last and sc.sound.rate else words), 11, 400, "ink-2", "middle")]
    return marks


def _so_far(sc: Scene, place: steps.Span, y: float, high: float) -> list[Mark]:
    """The likeliest answer after each step, one stretch as long as it stays."""
    found = sc.answers
    if found is None or sc.shown is None:
        return []
    x = LEFT - 16
    marks: list[Mark] = [Text(x, y + high / 2 + 4.5, plain(tr("says") if found.blank is not None else
                                                           tr("answer so far")), 13, 600, "ink", "end", LEFT - 20)]
    known = sc.known
    best = [int(np.argmax(row)) for row in found.values]
    start = 0
    for step in range(found.clock.count):
        ends = step + 1 == found.clock.count or best[step + 1] != best[step] or (step + 1 in known) != (step in known)
        if not ends:
            continue
        left, wide = place.left(start), (step + 1 - start) * place.pitch
        here = start <= sc.step <= step and sc.now is not None
        if step not in known:
            marks.append(Rect(left, y, wide, high, "hatch"))
        elif best[step] != found.blank:
            marks.append(Rect(left + 0.5, y, wide - 1, high, "tint" if here else "sunk", radius=3))
            words = said(label(sc.trace, best[step]), "likeliest label", found.layer, step=step) if found.layer else \
                said(label(sc.trace, best[step]), "likeliest label if stopped", sc.shown.layer.name, step=step)
            if width(words, 12, 600) + 4 <= wide:
                marks.append(Text(left + wide / 2, y + high / 2 + 4.5, plain(words), 12, 600 if here else 500,
                                  "accent-ink" if here else "ink", "middle"))
        start = step + 1
    return marks


def _gradient(sc: Scene, top: float, bottom: float) -> list[Mark]:
    """How large the gradient of each frame is, as bars, once it has come that far back."""
    x, middle = LEFT - 16, (top + bottom) / 2
    marks: list[Mark] = [Text(x, middle + 1, plain(tr("gradient")), 13, 600, "ink", "end", LEFT - 20),
                         Text(x, middle + 16, plain(tr("by frame, linear")), 11, 400, "ink-2", "end", LEFT - 20)]
    found = of_frames(sc.trace)
    if found is None:
        marks.append(Text(sc.axis.x, middle + 4, plain(tr("nothing flowed back")), 11, 400, "ink-2"))
        return marks
    name, clock, sizes = found
    place = sc.axis.span(clock)
    came = sc.came(name)
    if came <= 0:
        return marks + parts.not_yet(place.x, top, place.end - place.x, bottom - top, tr("comes on the way back"))
    most, high = float(sizes.max()), bottom - top
    bars = []
    for index, size in enumerate(sizes.tolist()):
        tall = size / (most or 1.0) * high * came
        if tall >= 0.25:
            left, right = place.left(index), place.left(index + 1) - min(1.0, place.pitch / 4)
            bars.append(parts.polygon(((left, bottom), (right, bottom), (right, bottom - tall), (left, bottom - tall))))
    if bars:
        marks.append(Path(tuple(bars), fill="gradient-mark"))
    marks.append(Line(((place.x, bottom), (place.end, bottom)), "rule"))
    if came >= 1 and most > 0:
        marks.append(Text(sc.axis.end + 8, top + 10, plain(tr("up to {most}").format(most=said(
            numbers.significant(most, 2), "largest gradient of a frame", name))), 11, 400, "gradient-text"))
    return marks
