"""The scene: what was fed in over the grid of its cells, and every box that is there at a moment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from visualizer.answers import label
from visualizer.answers.boxes import Found
from visualizer.kinds import reach
from visualizer.language import tr
from visualizer.said import said
from visualizer.scene import colour, numbers, parts
from visualizer.scene.boxes import Box
from visualizer.scene.labels import Labels
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
    Scale,
    Text,
    grouped,
    plain,
)
from visualizer.scene.timeline import Moment, ease
from visualizer.scene.type import width
from visualizer.trace import Layer, Trace, remembered
from visualizer.views.detect._plan import Plan
from visualizer.views.detect._state import (
    DROPPED,
    DROPS,
    DROPS_NOW,
    GATHERS,
    KEEPS,
    KEPT,
    WAITS,
    Detection,
    Now,
    returned,
    told,
    truths,
)

MOST_DRAWN = 120
"""Boxes that are drawn before the threshold, the surest ones."""
FINEST_GRID = 16
DOT, PITCH = 1.6, 5.0
"""Pixels: how long a dot of a dotted line is, and how far the next one."""


def draw(trace: Trace, found: Detection, moment: Moment, seen: Now, place: Plan, opened: tuple[int, ...] | None,
         aimed: tuple[int, ...] | None, look: Look) -> tuple[list[Mark], list[Mark]]:
    """(still, moving): the picture, its cells, the field of what is being computed, the boxes and the right ones."""
    scene = place.scene
    grounds: list[Mark] = [Rect(scene.left, scene.top, scene.width, scene.height, "", "rule", 1)]
    moving = _ground(trace, found, moment, seen, place)
    moving += _picture(trace, found, seen, moment, place)
    if found.grid is not None and max(found.grid) <= FINEST_GRID and seen.decoded > 0:
        moving += parts.faded(_lines(found.grid, scene), seen.decoded)
    moving += _field(trace, found, moment, seen, place)
    moving += _truth(found, place)
    if seen.decoded > 0:
        moving += _boxes(trace, found, seen, place, aimed)
    if opened is not None and found.grid is not None and seen.decoded > 0:
        wide, high = scene.width / found.grid[1], scene.height / found.grid[0]
        moving.append(Rect(scene.left + opened[1] * wide, scene.top + opened[0] * high, wide, high, "", "accent", 1.5,
                           inside=True, opacity=seen.decoded))
    if look.mode.notes:
        grounds += _legend(scene, found)
    return grounds, grouped(Group(tr("scene"), Focus(found.held.name)), moving)


def _ground(trace: Trace, found: Detection, moment: Moment, seen: Now, place: Plan) -> list[Mark]:
    """Under the picture: how sure each cell is; on the way back the size of the gradient, from cells to pixels."""
    scene, grid = place.scene, found.grid
    if moment.backward:
        return _gradients(trace, found, moment, place)
    if grid is None or seen.decoded <= 0:
        return []
    shares = np.array([each.score for each in found.every]).reshape(grid)
    name = found.held.name
    cell = scene.width / grid[1], scene.height / grid[0]
    return [Image(scene.left, scene.top, cell, colour.signed(shares, 1)[None], "activation-pale", border="",
                  focus=Focus(name), indices=(found.cell((0, 0))[0],),
                  opacity=seen.decoded, scale=Scale("activation-pale", tr("objectness"), name, -1.0, 1.0))]


def _gradients(trace: Trace, found: Detection, moment: Moment, place: Plan) -> list[Mark]:
    """The map that the gradient has reached over the one from which it comes; each by its own largest."""
    scene, marks = place.scene, list[Mark]()
    reached = [(layer, share) for layer in trace.layers[:trace.places[found.held.name] + 1]
               if layer.output.ndim == 3 and layer.has("row", "column")
               and (share := returned(trace, moment, layer.name)) > 0]
    for layer, share in reversed(reached[:2]):
        sizes = sizes_of(layer)
        top = colour.largest(sizes) or 1.0
        rows, columns = sizes.shape
        marks.append(Image(scene.left, scene.top, (scene.width / columns, scene.height / rows),
                           colour.magnitude(sizes, top * parts.FLOOR, top)[None], "gradient-pale", border="",
                           focus=Focus(layer.name) if layer.shape[0] == 1 else None,
                           indices=(0,), rows_shown=ease(share),
                           scale=Scale("gradient-pale", tr("size of the gradient"), layer.name, top * parts.FLOOR, top,
                                       log=True)))
    return marks


@remembered(4)
def sizes_of(layer: Layer) -> NDArray[np.float64]:
    """(row, column): the size of the gradient at each place, over all channels."""
    assert layer.gradient is not None
    sizes: NDArray[np.float64] = np.sqrt(np.square(np.nan_to_num(layer.gradient.astype(np.float64))).sum(axis=0))
    return sizes


def _picture(trace: Trace, found: Detection, seen: Now, moment: Moment, place: Plan) -> list[Mark]:
    """What was fed in; where it is grey nothing is drawn of its ground, so that the cells shine through."""
    layer = trace.layers[0]
    seen_as, ground = _all_shades(layer)
    free = seen.decoded <= 0 and not moment.backward
    low, high = colour.reach(layer.output)
    return [Image(place.scene.left, place.scene.top, (place.pixel, place.pixel), seen_as, "pixel", border="",
                  focus=Focus(layer.name) if free or found.grid is None else None, indices=(0,),
                  covered=None if ground is None else ground[None], blends=3 if layer.shape[0] == 3 else 1,
                  opacity=1.0 if ground is not None or free else 1 - 0.45 * seen.decoded,
                  scale=Scale("pixel", "pixels", layer.name, low, high))]


@remembered(2)
def _all_shades(layer: Layer) -> tuple[NDArray[np.uint8], NDArray[np.bool_] | None]:
    low, high = colour.reach(layer.output)
    if layer.shape[0] == 3:
        return np.ascontiguousarray(np.moveaxis(colour.unit(layer.output, low, high), 0, -1)[None]), None
    made = colour.unit(np.nan_to_num(layer.output.astype(np.float64)).mean(axis=0), low, high)
    return made[None], made == 0


def _lines(grid: tuple[int, int], scene: Box) -> list[Mark]:
    down = [scene.top + scene.height * row / grid[0] for row in range(1, grid[0])]
    across = [scene.left + scene.width * column / grid[1] for column in range(1, grid[1])]
    return [*(Line(((scene.left, y), (scene.right, y)), "hair") for y in down),
            *(Line(((x, scene.top), (x, scene.bottom)), "hair") for x in across)]


def _field(trace: Trace, found: Detection, moment: Moment, seen: Now, place: Plan) -> list[Mark]:
    """While a map is computed: what of the scene the number sees that is being made."""
    layer = trace[moment.beat.layer]
    if moment.backward or moment.beat.doing or seen.decoded > 0 or layer.is_input or moment.phase in (0.0, 1.0) \
            or layer.output.ndim != 3 or not layer.has("row", "column"):
        return []
    rows, columns = layer.shape[1:]
    at = min(rows * columns - 1, int(ease(moment.phase) * rows * columns))
    box = reach.field(trace, layer.name, (0, at // columns, at % columns), trace.layers[0].name)
    if box is None:
        return []
    (top, bottom), (left, right) = reach.inside(box, trace.layers[0])
    scene, pixel = place.scene, place.pixel
    return [Rect(scene.left + left * pixel, scene.top + top * pixel, (right + 1 - left) * pixel,
                 (bottom + 1 - top) * pixel, "", "accent", 2)]


# --- boxes ------------------------------------------------------------------------------------------------------------

def corners(box: Sequence[float], place: Plan) -> tuple[float, float, float, float] | None:
    """Left, top, right, bottom of a box in the picture, cut off at the edges of the scene; None for one outside."""
    scene, pixel = place.scene, place.pixel
    if not all(map(np.isfinite, box)):
        return None
    left, right = (min(max(scene.left + float(edge) * pixel, scene.left), scene.right) for edge in (box[0], box[2]))
    top, bottom = (min(max(scene.top + float(edge) * pixel, scene.top), scene.bottom) for edge in (box[1], box[3]))
    return (left, top, right, bottom) if right - left > 0.5 and bottom - top > 0.5 else None


def outline(box: tuple[float, float, float, float], ink: str, wide: float, dashed: bool = False,
            focus: Focus | None = None, opacity: float = 1.0) -> Mark:
    left, top, right, bottom = box
    return Line(((left, top), (right, top), (right, bottom), (left, bottom), (left, top)), ink, wide, dashed, focus,
                opacity)


def dotted(box: tuple[float, float, float, float], ink: str = "ink") -> Mark:
    """An outline of dots."""
    left, top, right, bottom = box
    dots: list[Points] = []
    for (x, y), (to_x, to_y) in zip(((left, top), (right, top), (right, bottom), (left, bottom)),
                                    ((right, top), (right, bottom), (left, bottom), (left, top)), strict=True):
        long = abs(to_x - x) + abs(to_y - y)
        for start in np.arange(0.0, long, PITCH).tolist():
            ends = [(x + (to_x - x) * at / long, y + (to_y - y) * at / long)
                    for at in (start, min(long, start + DOT))]
            dots.append((ends[0], ends[0], ends[1], ends[1]))
    return Path(tuple(dots), stroke=ink, width=1.6)


def _truth(found: Detection, place: Plan) -> list[Mark]:
    right = found.answer.truth
    if right is None or right.ndim != 2 or right.shape[1] < 4:
        return []
    there = (corners([float(edge) for edge in row[:4]], place) for row in right)
    return [dotted(box) for box in there if box is not None]


def _boxes(trace: Trace, found: Detection, seen: Now, place: Plan, aimed: tuple[int, ...] | None) -> list[Mark]:
    marks: list[Mark] = []
    name = found.held.name
    if seen.passed < 1:
        unlikely = sorted(found.every, key=lambda each: -each.score)[:MOST_DRAWN]
        for each in reversed(unlikely):
            stays = each.score > found.least
            box = corners(_grown(each, found, seen.decoded), place)
            opacity = 1.0 if stays else 0.6 * (1 - seen.passed)
            if box is not None and opacity > 0:
                marks.append(outline(box, "ink-2", 1.25, focus=Focus(name, found.cell(each.place)), opacity=opacity))
        return marks
    state = told(found, seen)
    late = ease(min(1.0, max(0.0, (seen.share - DROPS) / (1 - DROPS)))) if seen.current else 1.0
    chips = Labels((place.scene.left, place.scene.top - 20, place.scene.right, place.scene.bottom))
    words: list[Mark] = []
    for index in sorted(range(len(found.likely)), key=lambda index: (_depth(state[index][0]), -index)):
        each, (what, _) = found.likely[index], state[index]
        box = corners(each.box, place)
        if box is None:
            continue
        focus = Focus(name, found.cell(each.place))
        if what == WAITS:
            marks.append(outline(box, "ink-2", 1.25, focus=focus))
        elif what in (DROPPED, DROPS_NOW):
            marks.append(outline(box, "ink-2", 1.25, True, focus, 0.75 if what == DROPPED else 1 - 0.25 * late))
        elif what == KEEPS:
            risen = ease(min(1.0, seen.share / GATHERS))
            marks += [outline(box, "ink-2", 1.25, focus=focus), outline(box, "stage", 5, opacity=0.8 * risen),
                      outline(box, "accent", 3, focus=focus, opacity=risen)]
        else:
            marks.append(outline(box, "ink", 2.25, focus=focus))
        if what in (KEPT, KEEPS) and seen.share >= (GATHERS if what == KEEPS else 0):
            words += _chip(found, seen, each, what == KEEPS, box, chips)
    if aimed is not None:
        box = corners(found.every[found.number(aimed)].box, place)
        marks += [] if box is None else [outline(box, "gradient-mark", 3, focus=Focus(name, found.cell(aimed)))]
    return marks + words


def _depth(what: str) -> int:
    return (DROPPED, DROPS_NOW, WAITS, KEPT, KEEPS).index(what)


def _grown(each: Found, found: Detection, share: float) -> tuple[float, ...]:
    """A box on its way out of the middle of its cell."""
    if share >= 1:
        return each.box
    middle = ((each.box[0] + each.box[2]) / 2, (each.box[1] + each.box[3]) / 2)
    if found.grid is not None:
        stride = float(found.answer.settings.get("stride", 1))
        middle = ((each.place[1] + 0.5) * stride, (each.place[0] + 0.5) * stride)
    return tuple(middle[edge % 2] + (each.box[edge] - middle[edge % 2]) * share for edge in range(4))


def _chip(found: Detection, seen: Now, each: Found, current: bool, box: tuple[float, float, float, float],
          chips: Labels) -> list[Mark]:
    """What a kept box holds, and how much it overlaps the right one."""
    name = found.held.name
    overlaps = truths(found, seen.beat)
    held = [] if each.label is None else [said(label(found.answer, each.label), "label of a box", name, (each.label,))]
    if each.place in overlaps:
        held.append(tr("IoU {share}").format(share=said(
            numbers.number(overlaps[each.place], 2), "overlap with the truth", name, each.place)))
    else:
        held.append(said(numbers.number(each.score, 2), "score of a place", name, each.place))
    for words in (" ".join(held), held[0]):
        wide = width(words, 12, 600) + 10
        for y in (box[1] - 20, box[3] + 2, box[1] + 2):
            for x in (box[0], max(chips.frame[0] + 2, box[2] - wide)):
                if chips.take((x, y, x + wide, y + 18)):
                    return [Rect(x, y, wide, 18, "accent-fill" if current else "raised",
                                 "" if current else "rule", 1, radius=4, focus=Focus(name, found.cell(each.place))),
                            Text(x + 5, y + 13.3, plain(words), 12, 600, "on-accent" if current else "ink")]
    return []


def _legend(scene: Box, found: Detection) -> list[Mark]:
    """What each kind of line means, as many as have room."""
    marks: list[Mark] = []
    x, y = scene.left, scene.bottom + 17
    kinds = [(tr("kept"), "ink", 2.25, False), (tr("this step"), "accent", 3.0, False),
             (tr("waiting"), "ink-2", 1.25, False), (tr("dropped"), "ink-2", 1.25, True)]
    if found.answer.truth is not None:
        kinds.append((tr("truth"), "", 0.0, False))
    for words, ink, wide, dashed in kinds:
        long = 18.0
        if x + long + 6 + width(words, 12) > scene.right + 8:
            break
        marks += [Line(((x, y - 4), (x + long, y - 4)), ink, wide, dashed)] if ink else \
            [Path(tuple(((x + at, y - 4), (x + at, y - 4), (x + at + DOT, y - 4), (x + at + DOT, y - 4))
                        for at in np.arange(0.0, long, PITCH).tolist()), stroke="ink", width=1.6)]
        marks.append(Text(x + long + 5, y, plain(words), 12, 400, "ink-2"))
        x += long + 5 + width(words, 12) + 14
    return marks


def shades(layer: Layer) -> NDArray[np.uint8]:
    """What was fed in, as it is drawn."""
    return _all_shades(layer)[0]


def crop(trace: Trace, found: Detection, each: Found, x: float, y: float, side: float) -> list[Mark]:
    """What lies in a box, no larger than a square."""
    rows, columns = trace.layers[0].shape[-2:]
    if not np.isfinite(each.box).all():
        return [Rect(x, y, side, side, "hatch")]
    left, top = max(0, int(np.floor(each.box[0]))), max(0, int(np.floor(each.box[1])))
    right, bottom = min(columns, int(np.ceil(each.box[2]))), min(rows, int(np.ceil(each.box[3])))
    if right <= left or bottom <= top:
        return [Rect(x, y, side, side, "hatch")]
    part = np.ascontiguousarray(shades(trace.layers[0])[:, top:bottom, left:right])
    cell = side / max(bottom - top, right - left)
    wide, high = cell * (right - left), cell * (bottom - top)
    low, most = colour.reach(trace.layers[0].output)
    return [Image(x + (side - wide) / 2, y + (side - high) / 2, (cell, cell), part, "pixel",
                  border="tile-border", scale=Scale("pixel", "pixels", trace.layers[0].name, low, most)),
            Rect(x, y, side, side, focus=Focus(found.held.name, found.cell(each.place)))]

