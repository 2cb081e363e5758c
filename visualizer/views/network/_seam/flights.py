"""What flies over the seam: the column of the maps leaves in packets, one from each column of the grid, and stacks up
to a step; on the way back the step's gradients fly into the maps."""

from __future__ import annotations

import numpy as np

from visualizer.language import tr
from visualizer.scene import parts
from visualizer.scene.picture import Flight, Focus, Group, Image, Mark, Path, Points, Rect, grouped
from visualizer.scene.timeline import ease
from visualizer.views.network._seam.scene import Scene

STAGGER, FLIES = 0.13, 0.58
"""Shares of a slow place: between two packets, and how long each is on its way."""


def draw(sc: Scene) -> list[Mark]:
    """The ways of the column that is on its way, and its packets."""
    moving = sc.moment.beat.layer == (sc.seam.maps if sc.backward else sc.seam.chain[0])
    if not moving or sc.step < 0 or sc.moment.phase >= 1:
        return []
    plan = sc.plan
    packets = range(min(plan.grid[0], -(-sc.maps.shape[0] // plan.grid[1])))
    ink = "gradient-mark" if sc.backward else "accent"
    marks: list[Mark] = [Path(tuple(_way(sc, packet) for packet in packets), stroke=ink, width=1.25)]
    if sc.march.slow:
        for packet in packets:
            marks += _packet(sc, packet, sc.march.share)
    return grouped(Group(tr("column {column}").format(column=sc.step + 1)), marks)


def _ends(sc: Scene, packet: int) -> tuple[tuple[float, float, float, float], tuple[float, float, float, float]]:
    """(left, top, width, height) of a packet on the maps and in its step."""
    plan, maps = sc.plan, sc.maps
    count = min(plan.grid[1], maps.shape[0] - packet * plan.grid[1])
    left, top = plan.tile_at(packet * plan.grid[1])
    cell = plan.tile[0] / maps.shape[-1]
    start = left + sc.step * cell, top, max(2.0, cell), (count - 1) * plan.down + plan.tile[1]
    each = plan.step[1] / maps.shape[0]
    return start, (plan.left(sc.step), plan.step[0] + packet * plan.grid[1] * each, plan.pitch, count * each)


def _way(sc: Scene, packet: int) -> Points:
    """From under the maps to the top of the step."""
    (left, top, wide, high), _ = _ends(sc, packet)
    x, y = left + wide / 2, top + high + 1
    end, foot = sc.plan.left(sc.step + 0.5), sc.plan.step[0] - 2
    return (x, y), (x, y + (foot - y) * 0.7), (end, y + (foot - y) * 0.3), (end, foot)


def _packet(sc: Scene, packet: int, share: float) -> list[Mark]:
    """One packet, so far on its way."""
    began = STAGGER * packet
    flown = min(1.0, max(0.0, (share - began) / FLIES))
    if flown <= 0 or share >= 0.999:
        return []
    there, back = _ends(sc, packet)
    start, end = (back, there) if sc.backward else (there, back)
    eased = ease(flown)
    left, top, wide, high = (a + (b - a) * eased for a, b in zip(start, end, strict=True))
    plan, maps = sc.plan, sc.maps
    first = packet * plan.grid[1]
    channels = range(first, min(first + plan.grid[1], maps.shape[0]))
    source = maps.gradient if sc.backward else maps.output
    if source is None:
        return []
    shades, palette = parts.entries(sc.trace, maps, sc.look, sc.backward)
    column = shades[channels.start:channels.stop, :, sc.step].reshape(1, -1, 1)
    # the strongest value of the packet speaks for it
    values = np.abs(source[channels.start:channels.stop, :, sc.step])
    channel, row = np.unravel_index(int(np.argmax(values)), values.shape)
    cell = (first + int(channel), int(row), sc.step)
    unit = (first + int(channel)) * maps.shape[1] + int(row)  # on the way back it comes from its step
    here = Focus(sc.seam.steps_layer, (sc.step, unit)) if sc.backward else Focus(maps.name, cell)
    flight = Flight(here, here, float(source[cell]), flown, sc.backward)
    ink = "gradient-mark" if sc.backward else "accent"
    return [Rect(left - 1, top - 1, wide + 2, high + 2, "stage", ink, 1.5, radius=1, holds=flight),
            Image(left, top, (wide, high / column.shape[1]), np.ascontiguousarray(column), palette, border="")]
