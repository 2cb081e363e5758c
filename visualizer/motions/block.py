"""A closed block: its layers compute one after the other, unseen; with the last of them its output uncovers.

On the way back it hands on a gradient like everything that has no motion of its own.
"""

from __future__ import annotations

import numpy as np

from visualizer.language import tr
from visualizer.motions import CAMERA, SETTLE, Frame, Motion, Setting, part_of, places, window
from visualizer.scene import blocks
from visualizer.scene.blocks import EACH, LAST
from visualizer.trace import Layer, Trace


def suits(layer: Layer) -> bool:
    return layer.kind == blocks.KIND


def forward(setting: Setting) -> Frame:
    """Nothing is seen of it but how many of its layers have computed; its output uncovers in reading order."""
    layer, count = setting.layer, blocks.beats(setting.layer)
    last = (count - 1) * EACH
    number = min(count, int(setting.second / EACH) + 1)
    covered = np.ones(layer.shape, bool)
    if setting.second >= last:
        found = places(layer)
        covered = found.covered(int(found.count * part_of(setting.second - last, CAMERA, LAST - CAMERA - SETTLE)))
    done = min(count, int((setting.second + 1e-6) / EACH)) if setting.second < last else count - bool(covered.any())
    words = tr("{block} computes: {{{n} of {count}}} layers.").format(
        block=blocks.title(layer), n=blocks.layer_said(layer, number), count=blocks.count_said(layer))
    return Frame(covered, None, (), words, (done, count), blocks.progress_said(layer, number))


def seconds(trace: Trace, layer: Layer, back: str) -> float:
    return window.seconds(trace, layer, back) if back else blocks.seconds(blocks.beats(layer))


MOTION = Motion("block", suits, forward, window.backward, seconds, order=1)
