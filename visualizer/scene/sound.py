"""Sound: the wave that a network was given, when the frames of its layers are, and its spectrogram.

A frame of a layer is what it computes of one stretch of the sound; its time is the middle of that stretch. It is found
hop by hop, from what one frame of a layer reads of the layer before it; a layer that uses the whole sound, as a mean
does, moves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds.reach import windowed
from visualizer.language import tr
from visualizer.said import said
from visualizer.scene import numbers
from visualizer.scene.reading import layers
from visualizer.trace import Cell, Layer, Trace, remembered

Values = NDArray[np.float64]
KIND = "audio"
LEAST_BANDS, LEAST_FRAMES = 8, 4
"""What has fewer rows or columns is no spectrogram."""
SILENT = 0.02
"""Seconds: a shorter stretch of zeros at an end is no padding."""
WINDOW, HOP = 0.025, 0.010
"""Seconds of a stretch, and from one to the next, where no layer says how it hears (Rabiner and Schafer 1978)."""
UNRATED = 400, 160
"""The same in samples where nobody says how many make a second: those of 16 kHz."""
FLOOR = 1e-4
"""Power, as a share of the largest, that counts as silence there: 40 dB less."""
MEL = 700.0, 2595.0
"""Of mel = 2595 log₁₀(1 + f / 700) (O'Shaughnessy 1987)."""


@dataclass(frozen=True)
class Clock:
    """When the frames of a layer are, in samples of the sound."""

    axis: int
    """Which of its axes they lie along."""
    count: int
    first: float = 0.0
    """The middle of the first."""
    hop: float = 1.0
    """From one to the next."""

    def middle(self, frame: float) -> float:
        return self.first + frame * self.hop

    def frame(self, sample: float) -> int:
        """The nearest frame."""
        return int(min(self.count - 1, max(0, round((sample - self.first) / self.hop))))


@dataclass(frozen=True, eq=False)
class Spectrogram:
    """How strong frequencies are over time, as a layer has it or as it is worked out of the wave."""

    values: Values
    """(band, frame), low notes first."""
    clock: Clock
    hertz: Values | None
    """(band,): the middle of each, where it is known."""
    layer: str = ""
    """Which layer it is; empty where no layer has one."""


@dataclass(frozen=True, eq=False)
class Sound:
    """What a network hears."""

    layer: str
    """The layer of the wave."""
    wave: Values
    """(sample,)"""
    rate: int
    """Samples a second; 0 where nobody says."""
    clocks: Mapping[str, Clock]
    """Of every layer that has frames; the wave's, too."""

    @property
    def heard(self) -> range:
        """The samples between padding: stretches of exact zeros at the ends."""
        there = np.flatnonzero(self.wave)
        if not len(there):
            return range(0)
        least = SILENT * (self.rate or 1 / SILENT * UNRATED[1])
        first, last = int(there[0]), int(there[-1]) + 1
        return range(first if first >= least else 0, last if len(self.wave) - last >= least else len(self.wave))

    def seconds(self, sample: float) -> float:
        """When the middle of a sample is; where nobody says the rate, its number, from 1."""
        return (sample + 0.5) / self.rate if self.rate else sample + 1


@remembered(8)
def sound_of(trace: Trace) -> Sound | None:
    """The sound that was fed in; None where none was."""
    reads = trace.facts.get("input", {})
    for fed in trace.fed:
        if fed.kind != KIND or fed.layer not in trace:
            continue
        layer = trace[fed.layer]
        long = [size for size in layer.shape if size != 1]
        if len(long) != 1:
            continue
        told = reads.get("inputs", {}).get(fed.name, reads) if isinstance(reads, Mapping) else {}
        rate = told.get("rate", 0) if isinstance(told, Mapping) else 0
        return Sound(layer.name, np.asarray(layer.output, np.float64).ravel(), int(rate or 0), _clocks(trace, layer))
    return None


def _clocks(trace: Trace, wave: Layer) -> dict[str, Clock]:
    axis = next(axis for axis, size in enumerate(wave.shape) if size != 1)
    found = {wave.name: Clock(axis, wave.shape[axis])}
    for layer in trace.layers:
        inputs = trace.inputs(layer)
        for which, read in enumerate(inputs):
            if read.name in found and layer.output.ndim and layer.name not in found:
                made = _next(layer, inputs, which, found[read.name])
                if made is not None:
                    found[layer.name] = made
    return found


def _next(layer: Layer, inputs: tuple[Layer, ...], which: int, before: Clock) -> Clock | None:
    """The clock of a layer that reads another one; None where its numbers are not of one time each."""
    read = inputs[which]
    for axis in _axes(layer, read, before):
        count = layer.shape[axis]
        if count == before.count and (layer.inner or layer.output.ndim == 1 or not windowed(layer)):
            return Clock(axis, count, before.first, before.hop)
        if not windowed(layer) or count < 2:
            continue
        try:
            ends = [_middle(layer, inputs, which, axis, place, before.axis) for place in (0, 1)]
        except (LookupError, ValueError, IndexError):
            continue
        hop = ends[1] - ends[0]
        if hop > 0:
            return Clock(axis, count, before.middle(ends[0]), hop * before.hop)
    return None


def _axes(layer: Layer, read: Layer, before: Clock) -> list[int]:
    """Along which of its axes time may go on, the likeliest first: that of the same name; counted from the end."""
    name, from_end = read.axes[before.axis], before.axis - len(read.shape)
    named = [axis for axis, each in enumerate(layer.axes) if each in (name, "step")]
    behind = [layer.output.ndim + from_end] if layer.output.ndim + from_end >= 0 else []
    return list(dict.fromkeys([*behind, *named] if windowed(layer) else [*named, *behind]))


def _middle(layer: Layer, inputs: tuple[Layer, ...], which: int, axis: int, place: int, of: int) -> float:
    """The middle of what one frame sees along an axis of a layer that it reads."""
    box = tuple((place, place) if each == axis else (0, size - 1) for each, size in enumerate(layer.shape))
    low, high = kinds.seen(layer, inputs, which, box)[of]
    return (low + high) / 2


# --- the spectrogram -------------------------------------------------------------------------------------------------

@remembered(8)
def way(trace: Trace) -> tuple[Layer, ...]:
    """The layers that make pictures of frequencies over time, from the wave on, before anything that learned reads
    them: the last is the spectrogram; none where the wave itself is read by what learned."""
    sound = sound_of(trace)
    assert sound is not None
    first = next((trace.places[layer.name] for layer in trace.layers if layer.learned), len(trace.layers))
    found = [layer for layer in trace.layers[:first] if layer.name in sound.clocks and _pictured(layer, sound)]
    flat = [layer for layer in found if layer.output.ndim == 2]
    if not found:
        return ()
    last = (flat or found)[-1]
    before, there = {last.name}, [last]
    for layer in reversed(trace.layers[:trace.places[last.name]]):  # side ways, to a mean, are not on it
        reader = there[0]
        main = next((name for name in reader.reads if name in sound.clocks), "")
        if layer.name == main:
            there.insert(0, layer)
            before.add(layer.name)
    return tuple(layer for layer in there if _pictured(layer, sound))


def _pictured(layer: Layer, sound: Sound) -> bool:
    axis = sound.clocks[layer.name].axis
    others = [size for each, size in enumerate(layer.shape) if each != axis and size != 1]
    return len(others) == 1 and others[0] >= LEAST_BANDS and layer.shape[axis] >= LEAST_FRAMES \
        and layer.output.dtype.kind == "f"


def bands_of(layer: Layer, values: Any, clock: Clock) -> Values:
    """(band, frame) of numbers of a layer."""
    moved = np.moveaxis(np.asarray(values, np.float64), clock.axis, -1)
    return moved.reshape(-1, moved.shape[-1])


@remembered(8)
def spectrogram_of(trace: Trace) -> Spectrogram:
    """That of the network, where it makes one; else one worked out of the wave, power in decibels."""
    sound, made = sound_of(trace), way(trace)
    assert sound is not None
    if made:
        layer, clock = made[-1], sound.clocks[made[-1].name]
        values = bands_of(layer, layer.output, clock)
        return Spectrogram(values, clock, hertz_of(trace, layer, len(values)), layer.name)
    window, hop = (max(2, round(part * sound.rate)) for part in (WINDOW, HOP)) if sound.rate else UNRATED
    window = min(window, len(sound.wave))
    count = 1 + (len(sound.wave) - window) // hop
    cuts = np.lib.stride_tricks.sliding_window_view(np.nan_to_num(sound.wave), window)[::hop][:count]
    power = np.abs(np.fft.rfft(cuts * np.hanning(window + 1)[:-1])) ** 2
    top = float(power.max()) or 1.0
    frequencies = np.arange(power.shape[1]) * sound.rate / window
    return Spectrogram(10 * np.log10(power.T / top + FLOOR), Clock(1, count, (window - 1) / 2, hop),
                       frequencies if sound.rate else None)


def hertz_of(trace: Trace, layer: Layer, bands: int) -> Values | None:
    """(band,): the middle of each in Hz, as the model's card says it, or as the bins of a Fourier transform have it."""
    sound = sound_of(trace)
    reads = trace.facts.get("input", {})
    told = reads.get("spectrogram") if isinstance(reads, Mapping) else None
    if isinstance(told, Mapping) and told.get("bands") == bands and \
            layer.name.partition(".")[0] == str(told.get("layer", "")).partition(".")[0]:
        low, high = float(told.get("from", 0)), float(told.get("to", 0))
        if told.get("scale") == "mel":
            return hertz(np.linspace(mel(low), mel(high), bands + 2))[1:-1]
        return np.linspace(low, high, bands)
    if sound is None or not sound.rate:
        return None
    bins = next((each for each in reversed(trace.layers[:trace.places[layer.name] + 1])
                 if isinstance(each.settings.get("n_fft"), int)), None)
    return None if bins is None or bins.settings["n_fft"] // 2 + 1 != bands else \
        np.arange(bands) * sound.rate / bins.settings["n_fft"]


def heard_at(trace: Trace, name: str, cell: Cell) -> str:
    """`0.45 s, 1,250 Hz`: when one number of a layer is, and which notes it is of where that is known; empty of what
    has no time, or where nobody says the rate."""
    sound = sound_of(trace)
    clock = None if sound is None or not sound.rate else sound.clocks.get(name)
    if sound is None or clock is None or len(cell) != trace[name].output.ndim:
        return ""
    words = [tr("{second} s").format(second=said(numbers.number(sound.seconds(clock.middle(cell[clock.axis])), 2),
                                                 "second of a frame", name, step=cell[clock.axis]))]
    seen = spectrogram_of(trace)
    if name == seen.layer and seen.hertz is not None and len(cell) == 2:
        band = cell[1 - clock.axis]
        number = said(numbers.count(round(float(seen.hertz[band]))), "hertz of a band", name, (band,))
        words.append(tr("{number} Hz").format(number=number))
    return ", ".join(words)


def mel(hz: Any) -> Values:
    """Hz as mel."""
    return np.asarray(MEL[1] * np.log10(1 + np.asarray(hz, np.float64) / MEL[0]))


def hertz(mels: Any) -> Values:
    """Mel as Hz."""
    return np.asarray(MEL[0] * (10 ** (np.asarray(mels, np.float64) / MEL[1]) - 1))


# --- what is made of it ----------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Stage:
    """Layers one after the other that make the same maps: what weighs, and what follows it."""

    layers: tuple[str, ...]

    @property
    def last(self) -> str:
        return self.layers[-1]


@remembered(8)
def stages(trace: Trace) -> tuple[Stage, ...]:
    """Of every layer that weighs with a window over time, what it makes, in order, before something reads it that
    weighs again or goes step by step."""
    sound = sound_of(trace)
    assert sound is not None
    found: list[list[str]] = []
    recurrent = {layer.name for layer in layers(trace)}
    for layer in trace.layers:
        if layer.name not in sound.clocks or layer.is_input or layer.output.ndim < 2:
            continue
        if layer.learned and "stride" in layer.settings:
            found.append([layer.name])
        elif found and not layer.learned and layer.name not in recurrent and kinds.role(layer) != "dropout" and \
                found[-1][-1] in layer.reads and len(layer.reads) == 1 and \
                layer.axes == trace[found[-1][0]].axes:
            found[-1].append(layer.name)
        elif found and layer.learned and found[-1][-1] in layer.reads and layer.shape == trace[found[-1][-1]].shape:
            found[-1].append(layer.name)  # a norm
    return tuple(Stage(tuple(names)) for names in found)
