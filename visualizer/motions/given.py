"""What is given to the network: a picture appears as a whole, words drop in one by one, in less than a second."""

from __future__ import annotations

import numpy as np

from visualizer.language import tr
from visualizer.motions import Frame, Motion, Setting, part_of, window
from visualizer.motions._marks import box_of_cells
from visualizer.scene import numbers, parts
from visualizer.scene.columns import symbols
from visualizer.scene.picture import Group, Mark, Text, grouped, plain
from visualizer.scene.timeline import ease
from visualizer.trace import Layer, Trace

BEGINS, APPEARS, RESTS = 0.05, 0.55, 0.20
"""Seconds before anything is seen, in which all of it comes, and in which it then rests."""
DROP = 0.22
"""Seconds in which a word drops to its place."""
HEIGHT = 16.0


def suits(layer: Layer) -> bool:
    return layer.is_input and layer.output.ndim > 0


def forward(setting: Setting) -> Frame:
    """A picture fades in at once; words drop in."""
    words = symbols(setting.trace, setting.layer)
    return _words(setting, words) if words else _whole(setting)


def seconds(trace: Trace, layer: Layer, back: str) -> float:
    return BEGINS + APPEARS + RESTS


def _whole(setting: Setting) -> Frame:
    layer, share = setting.layer, ease(part_of(setting.second, BEGINS, APPEARS))
    if share >= 1:
        return Frame(None, done=(1, 1))
    here = setting.trace, setting.right, setting.look, False
    channels = parts.colours(*here, strength=parts.room_for_colours(*here[:3]))
    marks = parts.faded([*parts.tiles(*here), *channels], share) if share > 0 else []
    return Frame(np.ones(layer.shape, bool), None, tuple(marks), tr("{layer} comes in as a whole.").format(
        layer=layer.name), (0, 1))


def _words(setting: Setting, words: tuple[str, ...]) -> Frame:
    """Each word falls to its place, the first first."""
    layer, column = setting.layer, setting.right
    ends = BEGINS + DROP + (APPEARS - DROP) * np.arange(len(words)) / max(1, len(words) - 1)
    done = int(np.searchsorted(ends, setting.second, side="right"))
    marks: list[Mark] = []
    for step in range(done, len(words)):
        share = ease(part_of(setting.second, float(ends[step]) - DROP, DROP))
        box = box_of_cells(column, layer, (step,), (step,))
        if share <= 0 or box is None:
            continue
        x, y, wide, high = box
        if parts.words_beside(column):
            fallen = y + high / 2 + 4.5 - HEIGHT * (1 - share)
            marks.append(Text(x + wide + 6, fallen, plain(words[step]), 12, 500, "ink", opacity=share))
    return Frame(np.arange(len(words)) >= done, None, tuple(grouped(Group("on the way"), marks)),
                 tr("{done} of {count} are read in.").format(done=numbers.count(done), count=numbers.count(len(words))),
                 (done, len(words)))


MOTION = Motion("given", suits, forward, window.backward, seconds, order=5)
