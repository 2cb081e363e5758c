"""The left of the view: the plane of pictures with the point in it, and where the samples lie in the same plane."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from visualizer import latent
from visualizer.language import tr
from visualizer.said import constants, said, tick
from visualizer.scene import colour, numbers
from visualizer.scene.boxes import Box, descending
from visualizer.scene.picture import (
    BEAT,
    GHOST,
    Choice,
    Focus,
    Image,
    Line,
    Look,
    Mark,
    Rect,
    Run,
    Scale,
    Text,
    ToInput,
    ToPoint,
    plain,
)
from visualizer.scene.type import width
from visualizer.trace import Trace
from visualizer.views.generate._made import ACROSS, NEAREST, STUDIES, UP, Aim, Made, around, nearest, words_of_samples

TICKS, HEAD = 16.0, 20.0
"""Height of the numbers under the plane, and of a line of words over a part."""
LEAST_CHART = 96.0
"""In less room the samples are not drawn."""
REACH = 3.7
"""The samples are drawn from −3.7 to 3.7, and what lies beyond on the edge."""
RING = 9.0
Places = Callable[[NDArray[np.float64]], tuple[float, float]]
"""Where a point stands."""


def name(axis: int) -> Run:
    """`z₁`, as an index."""
    return Run(f"z{''.join('₀₁₂₃₄₅₆₇₈₉'[int(digit)] for digit in str(axis + 1))}", italic=True)


def axis_words(axis: int) -> str:
    return name(axis).text


def side(made: Made, axes: tuple[int, int], box: Box, look: Look) -> tuple[float, int]:
    """(how wide and high a value of the plane is drawn, the mean of how many values along each side it is)."""
    found = made.plane(axes)
    if found is None:
        return 0.0, 1
    values = max(found.shape[0] * found.shape[-2], found.shape[1] * found.shape[-1])
    most = min(box.width, box.height)
    fitting = next((cell for cell in descending(most / values, look.pixel) if cell * values <= most), 0.0)
    if fitting:
        return fitting, 1
    rows, columns = found.shape[-2:]
    factor = next((each for each in (2, 4, 7, 8, 14, 16) if rows % each == 0 == columns % each
                   and look.pixel * values / each <= most), 0)
    return (look.pixel, factor) if factor else (most / values, 1)


def plane(trace: Trace, made: Made, box: Box, known: bool, look: Look) -> tuple[list[Mark], list[Mark], float]:
    """(still, moving, height): the pictures of a plane, and a ring at the point where that is `known`."""
    axes = made.axes(look)
    found = made.plane(axes)
    across, up = axes
    before, between, after = tr("Plane: | right, | up").split("|")
    title = (Run(before), name(across), Run(between), name(up), Run(after))
    still: list[Mark] = [Text(box.left, box.top + 12, title, 12.5, 600, max_width=box.width)] if look.mode.notes else []
    top, below = box.top + (HEAD if look.mode.notes else 4), TICKS if look.mode.notes else 0.0
    if found is None:
        high = min(box.width, box.bottom - top)
        words = tr("No plane: the model does not tell how it makes a picture of a point.") \
            if made.studies.keys() >= {*STUDIES} else tr("The pictures of other points are being made.")
        return [*still, Rect(box.left, top, high, high, "hatch"),
                Text(box.left, top + high + 14, plain(words), 12, 400, "ink-2", max_width=box.width)], [], \
            top + high + 20 - box.top
    cell, factor = side(made, axes, Box(box.left, top, box.right, box.bottom - below), look)
    shown, (low, high) = _joined(found, factor), made.span
    shades = colour.unit(shown, low, high)
    wide, tall = cell * shades.shape[1], cell * shades.shape[0]
    ticks = np.asarray(made.study["ticks"])
    half = (ticks[1] - ticks[0]) / 2 if len(ticks) > 1 else 1.0
    low_z, high_z = float(ticks[0] - half), float(ticks[-1] + half)
    still.append(Image(box.left, top, (cell, cell), np.ascontiguousarray(shades)[None], "pixel", border="tile-border",
                       scale=Scale("pixel", "pixels", made.picture.name, low, high)))
    still.append(Rect(box.left, top, wide, tall, focus=Focus(made.z.name, array=BEAT),
                      tip=tr("Click or drag: the picture of this point"),
                      holds=ToPoint(tuple(made.point.tolist()), axes, low_z, high_z)))

    def place(point: NDArray[np.float64]) -> tuple[float, float]:
        x, y = ((min(max(float(point[axis]), low_z), high_z) - low_z) / (high_z - low_z) for axis in axes)
        return box.left + x * wide, top + (1 - y) * tall

    for value in (ticks[0], (ticks[0] + ticks[-1]) / 2, ticks[-1]) if look.mode.notes else ():
        x = box.left + (value - low_z) / (high_z - low_z) * wide
        words = tick(numbers.number(value, 0), float(value), low_z, high_z)
        still.append(Text(x, top + tall + 12, plain(words), 11, 400, "ink-2", "middle"))
    moving: list[Mark] = []
    if known:
        x, y = place(made.point)
        moving += [Line(((box.left, y), (box.left + wide, y)), "accent", 1),
                   Line(((x, top), (x, top + tall)), "accent", 1), *_region(made, axes, place),
                   Rect(x - RING, y - RING, 2 * RING, 2 * RING, "stage", "accent", 2, radius=RING),
                   Rect(x - 2.5, y - 2.5, 5, 5, "accent", radius=2.5)]
    moving += _ghost(made, axes, look, place, Box(box.left, top, box.left + wide, top + tall))
    height = top + tall + below - box.top
    if look.mode.notes:
        behind = box.left + width(title, 12.5, 600) + 12
        still += _by_chance(trace, made, (behind, box.left + wide, box.right), box.top + 12)
    if len(made.point) > 2 and look.mode.notes:
        still += _choose(made, axes, box.left, top + tall + TICKS + 12, box.width)
        height += 40
    return still, moving, height


def _by_chance(trace: Trace, made: Made, between: tuple[float, float, float], y: float) -> list[Mark]:
    """Where a click draws a point from the normal distribution around the middle: at the right end of a line, or behind
    what stands in it; nowhere where there is no room."""
    before = trace.sample.name.partition(latent.SEED)[2]
    seed = int(before) + 1 if before.isdecimal() else 1
    words = tr("a point by chance")
    wide = width(words, 11, 500) + 16
    right = max(between[0] + wide, between[1])
    if right > between[2] + 1:
        return []
    return [Rect(right - wide, y - 12, wide, 18, "raised", "rule", 1, radius=5, focus=Focus(made.z.name, array=BEAT),
                 holds=ToInput(f"{latent.MARK}{latent.SEED}{seed}"),
                 tip=tr("Each number is drawn from the standard normal distribution")),
            Text(right - wide / 2, y + 1, plain(words), 11, 500, "ink", "middle")]


def _joined(found: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """All pictures as one, (row, column) or (row, column, colour); the mean of factor × factor values."""
    rows, columns, channels, high, wide = found.shape if found.ndim == 5 else (*found.shape[:2], 1, *found.shape[2:])
    whole = found.reshape(rows, columns, channels, high, wide)
    if factor > 1:
        whole = whole.reshape(rows, columns, channels, high // factor, factor, wide // factor, factor).mean((4, 6))
    joined = whole.transpose(0, 3, 1, 4, 2).reshape(rows * whole.shape[3], columns * whole.shape[4], channels)
    return joined if channels == 3 else joined[:, :, 0]


def _region(made: Made, axes: tuple[int, int], place: Places) -> list[Mark]:
    """One standard deviation around the middle of the region of a picture."""
    if made.region is None:
        return []
    mean, spread = (np.asarray(layer.output, np.float64) for layer in made.region)
    around_it = np.repeat(mean[None], 49, 0)
    turned = np.linspace(0, 2 * math.pi, 49)
    around_it[:, axes[0]] += np.exp(spread[axes[0]] / 2) * np.cos(turned)
    around_it[:, axes[1]] += np.exp(spread[axes[1]] / 2) * np.sin(turned)
    return [Line(tuple(place(point) for point in around_it), "accent", 1.5, dashed=True)]


def _ghost(made: Made, axes: tuple[int, int], look: Look, place: Places, inside: Box) -> list[Mark]:
    """The picture under the pointer, large: that of the nearest place of the plane."""
    found, said_ = made.plane(axes), look.knob(GHOST, "").split(",")
    if found is None or len(said_) != 2:
        return []
    try:
        x, y = (float(word) for word in said_)
    except ValueError:
        return []
    ticks = np.asarray(made.study["ticks"])
    column, row = (int(np.abs(ticks - value).argmin()) for value in (x, y))
    point = made.point.copy()
    point[axes[0]], point[axes[1]] = ticks[column], ticks[row]
    shades = colour.unit(_joined(found[len(ticks) - 1 - row:len(ticks) - row, column:column + 1], 1), *made.span)
    cell = max(look.pixel, math.floor(84 / shades.shape[0] / look.pixel) * look.pixel)
    wide, high = cell * shades.shape[1], cell * shades.shape[0]
    at = place(point)
    left = min(max(at[0] + 14, inside.left + 2), inside.right - wide - 2)
    top = min(max(at[1] - high - 14, inside.top + 2), inside.bottom - high - 18)
    key = made.held("ticks")
    both = [said(numbers.number(float(ticks[each]), 1), "value", array=key, cell=(each,)) for each in (column, row)]
    words = f"({', '.join(both)})"
    return [Rect(left - 4, top - 4, wide + 8, high + 22, "stage", "accent", 1.5, radius=3),
            Image(left, top, (cell, cell), np.ascontiguousarray(shades)[None], "pixel", border="tile-border"),
            Text(left + wide / 2, top + high + 13, plain(words), 11, 500, "ink", "middle")]


def _choose(made: Made, axes: tuple[int, int], x: float, y: float, wide: float) -> list[Mark]:
    """Which two numbers the plane is made of; the others stand in the column of the point."""
    marks: list[Mark] = []
    for row, (knob, chosen, words) in enumerate(((ACROSS, axes[0], "→"), (UP, axes[1], "↑"))):
        at = x + 20
        marks.append(Text(x, y + 20 * row + 4, plain(words), 12, 400, "ink-2"))
        for axis in range(len(made.point)):
            each = min(30.0, (wide - 20) / len(made.point))
            here = axis == chosen
            marks += [Rect(at, y + 20 * row - 10, each - 3, 18, "tint" if here else "", "accent" if here else "rule", 1,
                           radius=4, focus=Focus(made.z.name, array=BEAT), holds=Choice(knob, str(axis + 1)),
                           tip=tr("{axis} along this side").format(axis=axis_words(axis)))]
            if each > 19:
                marks.append(Text(at + each / 2 - 1.5, y + 20 * row + 3, (name(axis),), 11, 600 if here else 400,
                                  "accent-ink" if here else "ink-2", "middle"))
            at += each
    return marks


# --- the samples ------------------------------------------------------------------------------------------------------

def samples(trace: Trace, made: Made, box: Box, known: bool, look: Look) -> tuple[list[Mark], list[Mark]]:
    """(still, moving): every sample as a dot, the medians of the classes as rings with their number, and which classes
    the nearest ones are of."""
    places = made.study.get("places")
    if places is None or box.height < LEAST_CHART or not look.mode.charts:
        return [], []
    axes, labels = made.axes(look), np.asarray(made.study["labels"])
    count = said(numbers.count(len(places)), "length of axis", array=made.held("places"), cell=(0,))
    title = tr("{count} test pictures in the same plane") if labels.max(initial=-1) >= 0 else \
        tr("{count} samples in the same plane")
    still: list[Mark] = [Text(box.left, box.top + 12, plain(title.format(count=count)), 12.5, 600, max_width=box.width)]
    top = box.top + HEAD
    size = min(box.bottom - top - 2, box.width * 0.48)

    def place(point: NDArray[np.float64]) -> tuple[float, float]:
        x, y = ((min(max(float(point[axis]), -REACH), REACH) + REACH) / (2 * REACH) for axis in axes)
        return box.left + x * size, top + (1 - y) * size

    still.append(Rect(box.left, top, size, size, stroke="rule"))
    near = frozenset(nearest(made).tolist()) if known else frozenset[int]()
    moving: list[Mark] = []
    stands = np.clip(np.asarray(places)[:, axes], -REACH, REACH) / (2 * REACH) + 0.5
    for number, (word, (across, up)) in enumerate(zip(words_of_samples(made), stands.tolist(), strict=True)):
        x, y = box.left + across * size, top + (1 - up) * size
        mark = Rect(x - 1.5, y - 1.5, 3, 3, "accent" if number in near else "rule", radius=1.5,
                    focus=Focus(made.z.name, array=BEAT), holds=ToInput(word),
                    tip=tr("{sample}: click to read it").format(sample=said(word, "name of a sample", cell=(number,))))
        (moving if number in near else still).append(mark)
    for label, middle in _pushed(places, labels, place):
        digit = said(str(label), "label of a sample", cell=(label,))
        moving += [Rect(middle[0] - 7, middle[1] - 7, 14, 14, "stage", "ink-2", 1, radius=7),
                   Text(middle[0], middle[1] + 4, plain(digit), 11, 600, "ink", "middle")]
    if known:
        x, y = place(made.point)
        moving += [Line(((x - 7, y), (x + 7, y)), "accent", 2.25), Line(((x, y - 7), (x, y + 7)), "accent", 2.25)]
        moving += _counted(made, Box(box.left + size + 16, top, box.right, box.bottom))
    return still, moving


def _pushed(places: NDArray[np.float64], labels: NDArray[np.int64], place: Places) -> list[tuple[int, list[float]]]:
    """The medians of the classes, each so far from the others that none covers another."""
    found = [(int(label), [*place(np.median(places[labels == label], 0))]) for label in np.unique(labels) if label >= 0]
    for _ in range(40):
        for one in range(len(found)):
            for other in range(one):
                (ax, ay), (bx, by) = found[one][1], found[other][1]
                apart = math.hypot(ax - bx, ay - by)
                if apart < 15:
                    dx, dy = ((ax - bx) / apart, (ay - by) / apart) if apart > 1e-6 else (1.0, 0.0)
                    push = (15 - apart) / 2
                    found[one][1][:] = ax + dx * push, ay + dy * push
                    found[other][1][:] = bx - dx * push, by - dy * push
    return found


def _counted(made: Made, box: Box) -> list[Mark]:
    """Of which classes the nearest samples are."""
    near = around(made)
    if near is None or box.width < 70:
        return []
    marks: list[Mark] = []
    y = box.top
    if near.labels:
        total = sum(count for _, count in near.labels)
        head = tr("Of the {count} nearest").format(count=said(str(min(NEAREST, len(made.study["places"]))),
                                                             "samples that are near"))
        marks.append(Text(box.left, y + 10, plain(head), 12, 400, "ink-2", max_width=box.width))
        y += 18
        most = 3 if made.region is not None else 5
        for label, count in near.labels[:max(1, int((box.bottom - y - 36) // 18))][:most]:
            marks += [Text(box.left, y + 12, plain(said(str(label), "label of a sample", cell=(label,))), 12.5, 600),
                      Rect(box.left + 16, y + 5, max(1.0, (box.width - 46) * count / total), 6, "ink-2", radius=2),
                      Text(box.right, y + 12, plain(said(str(count), "samples of a label that are near",
                                                         cell=(label,))), 12.5, 600, "ink", "end")]
            y += 18
    far = said(numbers.number(near.nearest), "how far the nearest sample is")
    if box.bottom - y >= 16:
        marks.append(Text(box.left, y + 14, plain(tr("nearest: {far}").format(far=far)), 12, 400, "ink-2",
                          max_width=box.width))
    return marks + _divergence(made, Box(box.left, y + 30, box.right, box.bottom))


def _divergence(made: Made, box: Box) -> list[Mark]:
    """How far the region is from the middle, number by number."""
    if made.region is None or box.height < 46:
        return []
    parts_ = latent.nats(*(layer.output for layer in made.region))
    name_ = made.region[0].name
    total = said(numbers.significant(float(parts_.sum())), "nats of a region", name_)
    each = " + ".join(said(numbers.significant(float(value)), "nats of a region", name_, (axis,))
                      for axis, value in enumerate(parts_)) if len(parts_) <= 2 else "Σ"
    return [Text(box.left, box.top + 12, plain(constants(tr("KL = Σ (μ² + σ² − 1 − ln σ²) / 2"))), 11, 400, "ink-2",
                 max_width=box.width),
            Text(box.left, box.top + 30, (Run(f"{each} = "), Run(total, weight=600), Run(tr(" nats"))), 12,
                 max_width=box.width)]


# --- the way back -----------------------------------------------------------------------------------------------------

def slopes(made: Made, box: Box, axes: tuple[int, ...], aim: Aim | None, look: Look) -> list[Mark]:
    """How each pixel changes with each of two numbers of the point: what gets darker, and what gets lighter."""
    found = made.study.get("slopes")
    if found is None:
        return []
    strongest = np.abs(found).max() or 1.0
    high = (box.height - 4) / len(axes) - 54
    rows, columns = found.shape[-2:]
    most = min((box.width - 12) / 2, high)
    cell = most / max(rows, columns)
    cell = next((each for each in descending(cell, look.pixel) if each <= cell), cell)
    marks: list[Mark] = []
    y = box.top
    for axis in axes:
        slope = np.asarray(found[axis], np.float64)
        key = made.held("slopes")
        size = said(numbers.number(float(np.sqrt((slope ** 2).sum()))), "norm", array=key, cell=(axis,))
        head, wide = (Run(tr("∂ pixel / ∂ ")), name(axis)), 2 * cell * columns + 12
        marks.append(Text(box.left, y + 12, head, 12.5, 600))
        if width(head, 12.5, 600) + width(f"∥·∥ {size}", 12, 600) + 8 < wide:
            marks.append(Text(box.left + wide, y + 12, plain(f"∥·∥ {size}"), 12, 600, "gradient-text", "end"))
        for place, (sign, quantity, *ways) in enumerate((
                (1, "largest", tr("+ rises, up to {most}"), tr("+ up to {most}"), "+ {most}"),
                (-1, "smallest", tr("− falls, down to {most}"), tr("− down to {most}"), "{most}"))):
            words = next((way for way in ways if width(way, 11) < cell * columns), ways[-1])
            part = np.clip(sign * slope, 0, None).max(0)
            left, most_ = box.left + place * (cell * columns + 12), float((sign * slope).max()) * sign
            told = words.format(most=said(numbers.number(most_), quantity, array=key, cell=(axis,)))
            marks += [Image(left, y + 18, (cell, cell), colour.unit(part, 0, strongest)[None], "gradient",
                            border="tile-border", focus=Focus(made.picture.name, (0,)) if slope.shape[0] == 1 else None,
                            indices=(-1,), scale=Scale("gradient", "slope", made.picture.name, 0.0, float(strongest))),
                      Text(left, y + 18 + cell * rows + 14, plain(told), 11, 400, "ink-2", max_width=cell * columns)]
            if aim is not None:
                marks += outline(left + aim.cell[-1] * cell, y + 18 + aim.cell[-2] * cell, cell)
        y += cell * rows + 54
    return marks


def outline(x: float, y: float, cell: float, ink: str = "accent") -> list[Mark]:
    """Round one pixel."""
    room = max(cell, 5.0)
    middle = cell / 2
    return [Rect(x + middle - room / 2 - 1, y + middle - room / 2 - 1, room + 2, room + 2, "", "stage", 3),
            Rect(x + middle - room / 2 - 1, y + middle - room / 2 - 1, room + 2, room + 2, "", ink, 1.5)]


