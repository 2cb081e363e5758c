"""Which layers a seam joins, and where its rows stand. Pure arithmetic on shapes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from visualizer import answers, kinds
from visualizer.scene import projector
from visualizer.scene.boxes import whole
from visualizer.scene.columns import lanes_height
from visualizer.scene.picture import Look
from visualizer.scene.reading import layers, reading
from visualizer.trace import Layer, Trace, remembered

LABELS, RIGHT = 132.0, 148.0
"""Room at the left for the names of the rows, at the right for what they are doing."""


@dataclass(frozen=True)
class Seam:
    """What is joined, by the names of its layers."""

    maps: str
    chain: tuple[str, ...]
    """From the maps to the steps: what only moves numbers."""
    lanes: tuple[str, ...]
    """The layers of steps, in the order in which they run."""
    after: tuple[str, ...]
    """What follows along the same steps, the answer last."""
    count: int
    """Of steps."""

    @property
    def steps_layer(self) -> str:
        """The layer in which a step is a step."""
        return self.chain[-1]

    @property
    def forward(self) -> frozenset[str]:
        """The layers whose beats are seen here on the way forward."""
        return frozenset((*self.chain, *self.lanes, *self.after))

    @property
    def back(self) -> frozenset[str]:
        """The same on the way back: the maps get their gradient here."""
        return frozenset((self.maps, *self.chain, *self.lanes, *self.after))

    @property
    def order(self) -> tuple[str, ...]:
        return (self.maps, *self.chain, *self.lanes, *self.after)


@remembered(2)
def seam_of(trace: Trace) -> Seam | None:
    """The seam of a network; None where columns of maps do not become steps."""
    recurrent = layers(trace)
    if not recurrent:
        return None
    chain: list[str] = []
    layer = trace.inputs(recurrent[0])[0]
    while (kind := kinds.of(layer)) is not None and kind.moves_only and len(layer.reads) == 1:
        chain.insert(0, layer.name)
        layer = trace.inputs(layer)[0]
    if not chain or layer.axes != ("channel", "row", "column") or trace.layers[0].axes != layer.axes:
        return None
    steps = layer.shape[-1]
    if any(reading(trace, one.name).total != steps for one in recurrent) or not _by_columns(trace, chain[-1], layer):
        return None
    order = [one.name for one in trace.layers]
    lanes = tuple(one.name for one in recurrent)
    after = tuple(one.name for one in trace.layers[order.index(lanes[0]):]
                  if one.name not in lanes and one.output.ndim == 2 and one.shape[0] == steps)
    return Seam(layer.name, tuple(chain), lanes, after, steps)


def _by_columns(trace: Trace, last: str, maps: Layer) -> bool:
    """Whether each step is made of one column of the maps, in order."""
    shape = trace[last].shape
    if len(shape) != 2 or shape[0] != maps.shape[-1] or shape[1] * shape[0] != maps.output.size:
        return False
    for step in {0, shape[0] // 2, shape[0] - 1}:
        for unit in {0, shape[1] // 2, shape[1] - 1}:
            box = kinds.receptive_field(trace, last, (step, unit)).get(maps.name)
            if box is None or box[-1] != (step, step):
                return False
    return True


@dataclass(frozen=True)
class Plan:
    """The places of one drawing: tops and heights of the rows, and the one x axis."""

    x: float
    pitch: float
    count: int
    """Of steps."""
    picture: tuple[float, float]
    maps: tuple[float, float]
    grid: tuple[int, int]
    """Columns and rows of maps; they fill it column by column, as the steps are put together."""
    tile: tuple[float, float]
    across: float
    """From one column of maps to the next."""
    down: float
    seam: float
    step: tuple[float, float]
    lanes: tuple[tuple[float, float], ...]
    answers: tuple[float, float] | None
    foot: float
    size: tuple[int, int]

    @property
    def wide(self) -> float:
        return self.pitch * self.count

    @property
    def end(self) -> float:
        return self.x + self.wide

    def left(self, step: float) -> float:
        return self.x + step * self.pitch

    def tile_at(self, channel: int) -> tuple[float, float]:
        """Left and top of a map."""
        column, row = divmod(channel, self.grid[1])
        return self.x + column * self.across, self.maps[0] + row * self.down


def plan(trace: Trace, seam: Seam, look: Look) -> Plan:
    """The places in a picture of this size."""
    size, desk = look.size, look.mode.lanes
    top = 62.0 if desk else projector.begins(look, 62)
    bottom = size[1] - lanes_height(look) - (14 if desk else 8)
    room = bottom - top
    labels, right = (LABELS, RIGHT) if desk and size[0] >= 1000 else (108.0, 100.0) if desk else (84.0, 20.0)
    first, maps = trace[trace.layers[0].name], trace[seam.maps]
    pitch = (size[0] - labels - right) / seam.count
    tall = first.shape[-2] / first.shape[-1]
    pitch = min(pitch, (0.3 if desk else 0.38) * room / (tall * seam.count))
    pitch = max(look.pixel, whole(pitch, look.pixel)) if pitch >= 4 * look.pixel else max(look.pixel, pitch)
    wide = pitch * seam.count
    picture = top, wide * tall
    rest = room - picture[1]
    count = maps.shape[0]
    across = 4 if count >= 16 else 2 if count >= 4 else 1
    down = math.ceil(count / across)
    gap, lane_gap = 0.045 * rest, 0.02 * rest
    maps_high = 0.25 * rest
    between = 3.0 if maps_high / down >= 9 else 1.0
    tile = ((wide - (across - 1) * 13) / across, max(look.pixel, maps_high / down - between))
    seam_gap, steps_high = 0.13 * rest, 0.23 * rest
    answered = any(answers.at(trace, name) is not None for name in seam.after)
    high = min(28.0, max(16.0, 0.075 * rest))
    left = rest - gap - maps_high - seam_gap - steps_high - (high + 0.01 * rest) * answered
    lane_high = left / len(seam.lanes) - lane_gap
    y = top + picture[1] + gap
    placed = y, maps_high
    y += maps_high
    middle, y = y + seam_gap / 2, y + seam_gap
    step = y, steps_high
    y += steps_high + lane_gap
    lanes = []
    for _ in seam.lanes:
        lanes.append((y, lane_high))
        y += lane_high + lane_gap
    return Plan(labels, pitch, seam.count, picture, placed, (across, down), tile, tile[0] + 13, tile[1] + between,
                middle, step, tuple(lanes), (y, high) if answered else None, bottom, size)
