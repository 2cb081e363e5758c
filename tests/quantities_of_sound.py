"""Quantities of sounds, worked out from the recording with numpy alone: the part of tests/quantities.py about when the
frames of a layer are, and how their gradient is spread over time.

A frame is where the middle of its window is: i·stride − padding + (kernel − 1) / 2 samples or frames of what it reads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.quantities import layer_of, quantity
from visualizer.trace import Layer, Trace

MOST_ANSWERS, MOST_MAPS = 12, 2


def middle(trace: Trace, name: str, frame: float) -> float:
    """The sample in the middle of what a frame hears, from 0."""
    layer = trace[name]
    if layer.is_input:
        return frame
    read = next(each for each in reversed(trace.inputs(layer)) if each.kind != "constant") \
        if layer.kind == "matmul" else trace.inputs(layer)[0]
    if layer.kind in ("conv1d", "conv2d"):
        stride, padding = (_last(layer.settings.get(key, usual)) for key, usual in (("stride", 1), ("padding", 0)))
        frame = frame * stride - padding + (layer.weights["weight"].shape[-1] - 1) / 2
    return middle(trace, read.name, frame)


def _last(value: Any) -> float:
    return float(value[-1] if isinstance(value, tuple) else value)


def rate(trace: Trace) -> float:
    return float(trace.facts["input"]["rate"])


def _second(trace: Trace, name: str, frame: float) -> float:
    return (middle(trace, name, frame) + 0.5) / rate(trace)


def _wave(trace: Trace) -> np.ndarray:
    return next(layer for layer in trace.layers if layer.is_input).output.ravel()


def _sizes(trace: Trace, name: str) -> np.ndarray:
    """(frame,) of a spectrogram, low notes along its first axis; of a wave in stretches of a hundredth of a second."""
    layer = trace[name]
    if not layer.is_input:
        return np.sqrt((layer.gradient.astype(np.float64) ** 2).reshape(-1, layer.shape[-1]).sum(axis=0))
    hop, wave = round(rate(trace) / 100), layer.gradient.astype(np.float64).ravel()
    return np.array([np.sqrt((wave[first:first + hop] ** 2).sum()) for first in range(0, len(wave), hop)])


def _peak(trace: Trace, said: Any) -> float:
    frame = int(np.argmax(_sizes(trace, said.layer)))
    hop = round(rate(trace) / 100)
    return _second(trace, said.layer, frame * hop + (hop - 1) / 2 if layer_of(trace, said.layer).is_input else frame)


def _between_zeros(trace: Trace) -> float:
    there = np.flatnonzero(_wave(trace))
    return float(there[-1] + 1 - there[0]) / rate(trace)


def _hop(trace: Trace, layer: Layer) -> float:
    return 1000 * (_second(trace, layer.name, 1) - _second(trace, layer.name, 0)) if not layer.is_input else 10.0


def _hertz(trace: Trace, said: Any) -> float:
    """Corners of the bands lie evenly in mel = 2595 log10(1 + f / 700)."""
    about = trace.facts["input"]["spectrogram"]
    corners = np.linspace(*(2595 * np.log10(1 + about[end] / 700) for end in ("from", "to")), about["bands"] + 2)
    return float(700 * (10 ** (corners[said.cell[0] + 1] / 2595) - 1))


quantity("second of a frame")(lambda trace, said: _second(trace, said.layer, said.step))
quantity("second of the largest gradient")(_peak)
quantity("largest gradient of a frame")(lambda trace, said: _sizes(trace, said.layer).max())
quantity("samples a second")(lambda trace, said: rate(trace))
quantity("seconds of the sound")(lambda trace, said: len(_wave(trace)) / rate(trace))
quantity("seconds between zeros")(lambda trace, said: _between_zeros(trace))
quantity("milliseconds from frame to frame")(lambda trace, said: _hop(trace, layer_of(trace, said.layer)))
quantity("milliseconds before")(lambda trace, said: said.cell[0] * _hop(trace, layer_of(trace, said.layer)))
quantity("hertz of a band")(_hertz)
quantity("how many bands")(lambda trace, said: layer_of(trace, said.layer).shape[-2])
quantity("answers shown")(lambda trace, said: min(MOST_ANSWERS, len(trace.labels)))
quantity("maps shown")(lambda trace, said: min(MOST_MAPS, layer_of(trace, said.layer).shape[0]))
