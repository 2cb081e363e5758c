"""Where the parts of the picture stand: the scene, the opened cell, the list of boxes, the strip of maps, the lanes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from visualizer.answers.boxes import columns_of
from visualizer.scene.boxes import Box, whole
from visualizer.scene.channels import MEAN, ranked
from visualizer.scene.columns import lanes_height
from visualizer.scene.picture import Look
from visualizer.scene.projector import begins
from visualizer.trace import Answer, Layer, Trace, remembered
from visualizer.views.detect._state import DECODE, THRESHOLD, Detection

TOP, GAP, EDGE = 78.0, 32.0, 24.0
LEGEND = 24.0
"""Below the scene."""
NAMES = 100.0
"""Room for the names of the lanes."""
WIDEST, NARROWEST, LEAST = 104.0, 46.0, 24.0
"""From the middle of a tile of the strip to the next, at most and at least; and between steps of suppression."""
TALLEST, TALL = 64.0, 0.11
"""Height of a tile of the strip: that, or in a high picture a share of it."""
PANEL, LIST = 190.0, 184.0
"""The least width of the opened cell, and of the list."""
ENOUGH, MOST = 340.0, 360.0
"""Of width for the opened cell, what is left goes to the list; and the most for that."""


@dataclass(frozen=True)
class Station:
    """Layers that stand as one tile: what weighs, and what follows it pixel by pixel."""

    layers: tuple[str, ...]
    channel: int
    """The map that is shown: of its last layer the one of the largest mean size, of the answer the scores."""


@dataclass(frozen=True)
class Plan:
    """Where everything stands."""

    scene: Box
    pixel: float
    """How large a pixel of what was fed in is."""
    cell: Box | None
    """The opened cell."""
    listed: Box | None
    strip: float | None
    """The top of the tiles; None where there is no room for them."""
    tile: float
    stations: tuple[Station, ...]
    costs: tuple[str, ...]
    """What compares the answer with the truth."""
    x: dict[str, float]
    """The middle of each beat forward on the lanes, by its address."""
    last: float
    """Where the steps of suppression end, and what compares begins."""
    rounds: tuple[int, int]
    """The first and the last of the steps of suppression that have room."""
    apart: float
    """From one such step to the next."""


def plan(trace: Trace, found: Detection, look: Look, current: int, wants: str) -> Plan:
    """The layout; `current` is the step of suppression that must be seen, `wants` the panel that counts where there is
    room for one: `cell` or `list`."""
    wide, high = look.size
    lanes = high - lanes_height(look)
    body = Box(EDGE, begins(look, TOP, 14), wide - EDGE, lanes - 6)
    tile, strip = 0.0, None
    if look.mode.notes and body.height >= 300:
        tile = min(TALLEST, whole((body.height - 250) / 3.4)) if body.height < 470 else \
            max(TALLEST, whole(TALL * body.height))
        strip = body.bottom - tile - 34 if tile >= 22 else None
    stations, x, last, steps, apart, pitch = _along(trace, found, look, current)
    tile = min(tile, whole(pitch - 8))
    upper = Box(body.left, body.top, body.right, body.bottom if strip is None else strip - 26)
    rows, columns = trace.layers[0].shape[-2:]
    legend = LEGEND if look.mode.notes else 0.0
    side = min((upper.height - legend) / rows, 0.44 * upper.width / columns)
    pixel = whole(side, look.pixel) or side
    scene = Box(upper.left, upper.top, upper.left + pixel * columns, upper.top + pixel * rows)
    room = Box(scene.right + GAP, upper.top, upper.right, upper.bottom)
    cell: Box | None = None
    listed: Box | None = None
    if room.width >= PANEL + LIST + GAP:
        share = max(LIST, min(250.0, 0.42 * room.width), min(MOST, room.width - GAP - ENOUGH))
        cell = Box(room.left, room.top, room.right - share - GAP, room.bottom)
        listed = Box(room.right - share, room.top, room.right, room.bottom)
    elif room.width >= 120:
        cell, listed = (room, None) if wants == "cell" else (None, room)
    costs = tuple(layer.name for layer in trace.layers[trace.places[found.held.name] + 1:])
    return Plan(scene, pixel, cell, listed, strip, tile, stations, costs, x, last, steps, apart)


def _along(trace: Trace, found: Detection, look: Look, current: int) -> \
        tuple[tuple[Station, ...], dict[str, float], float, tuple[int, int], float, float]:
    """(stations, x by address, where suppression ends, steps with room, from step to step, from station to station)."""
    left, right = look.mode.sides(NAMES, 20.0)
    room = look.size[0] - left - right
    every = stations(trace, found.answer)
    costs = [layer.name for layer in trace.layers[trace.places[found.held.name] + 1:]]
    others = 2 + bool(costs)
    most = max(2, int(0.7 * room / NARROWEST) - others)
    shown = every if len(every) <= most else (every[0], *every[len(every) - most + 1:])
    fixed = len(shown) + others
    pitch = min(WIDEST, max(NARROWEST, room / (fixed + max(found.beats, 1))))
    rest = room - pitch * fixed
    apart = min(pitch, max(LEAST, rest / max(1, found.beats)))
    fit = max(1, int(rest / apart + 1e-9))
    first = min(max(1, current - fit // 2), max(1, found.beats - fit + 1))
    steps = first, min(found.beats, first + fit - 1)
    x: dict[str, float] = {}
    middle = left + pitch / 2
    for station in shown:
        for place, layer in enumerate(station.layers):
            back = (len(station.layers) - 1 - place) / max(1, len(station.layers)) * pitch * 0.8
            x[f"{layer}.forward"] = middle - back
        middle += pitch
    for doing in (DECODE, THRESHOLD):
        x[f"{found.held.name}.{doing}"] = middle
        middle += pitch
    middle += apart / 2 - pitch / 2
    for number in range(steps[0], steps[1] + 1):
        x[f"{found.held.name}.nms[{number}]"] = middle
        middle += apart
    last = middle - apart / 2
    for place, layer in enumerate(costs):
        x[f"{layer}.forward"] = last + pitch * (0.15 + 0.8 * (place + 1) / len(costs))
    return shown, x, last, steps, apart, pitch


@remembered(4)
def stations(trace: Trace, answer: Answer) -> tuple[Station, ...]:
    """The maps on the way to an answer, each with what follows it pixel by pixel."""
    found: list[list[Layer]] = []
    score = columns_of(answer).index("score")
    for layer in trace.layers[:trace.places[answer.layer] + 1]:
        if layer.output.ndim != 3 or not layer.has("row", "column"):
            continue
        before = found[-1][-1] if found else None
        weighs = any(array.ndim > 2 for array in layer.weights.values())
        if before is None or before.is_input or weighs or layer.shape != before.shape or before.name not in layer.reads:
            found.append([layer])
        else:
            found[-1].append(layer)
    return tuple(Station(tuple(layer.name for layer in each), score if each[-1].name == answer.layer else
                         ranked(each[-1], MEAN)[0]) for each in found)


def x_of(place: Plan, address: str, order: tuple[str, ...]) -> float:
    """Where a beat stands on the lanes; one without a place of its own stands at the next that has one."""
    if address in place.x:
        return place.x[address]
    known = [place.x[each] for each in order[order.index(address):] if each in place.x] if address in order else []
    return known[0] if known else max(place.x.values())


def neighbours(xs: list[float]) -> float:
    """The least distance between two of them."""
    return min((after - before for before, after in pairwise(sorted(xs)) if after > before), default=24.0)
