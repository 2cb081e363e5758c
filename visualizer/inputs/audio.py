"""Sounds: WAV, FLAC, Ogg and MP3 files, made mono and brought to the model's own rate; values −1 … 1, one a sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.inputs import (
    MICROPHONE,
    THUMBNAILS,
    Facts,
    Given,
    Grain,
    InputKind,
    Item,
    Offer,
    Pixels,
    Settled,
    _numbered,
    _offers,
)
from visualizer.inputs._files import checked
from visualizer.language import english, numeral, tr
from visualizer.manifest import Input
from visualizer.trace import Array, Refused, Sample

Sound = NDArray[np.float64]
"""(sample,), −1 … 1."""
MOST = 480_000
"""Samples, ten seconds at 48 kHz: a recording of more would take minutes and gigabytes."""
MOST_READ = 4_000_000
"""Samples of all channels at whatever rate, as the file says: each takes some fifty bytes while it is read."""
FORMATS = ("WAV", "WAVEX", "RF64", "W64", "FLAC", "OGG", "MP3")
"""What libsndfile may take a file for."""
SUFFIXES = (".wav", ".wave", ".flac", ".ogg", ".mp3")
QUIET = 1e-3
"""What is nowhere louder is called silence: 60 dB below the loudest that a file can hold."""
SLOWEST, FASTEST = 100, 1_000_000
"""Samples a second: what is beyond is damage."""
HIGH, WIDE = 32, 128
"""Rows and columns of a thumbnail."""


def read(word: str, facts: Facts) -> Given:
    """A file of any depth and rate; raises Refused with one sentence."""
    path = Path(word)
    channels, rate = _opened(path)
    sound = channels.mean(axis=1)
    wanted = int(facts.get("rate", rate))
    made = resampled(sound, rate, wanted)
    if len(made) > MOST:
        raise Refused(tr("{file} has {count} samples at {rate} Hz, more than {most}; choose a shorter stretch.").format(
            file=path.name, count=numeral(f"{len(made):,}"), rate=numeral(f"{wanted:,}"), most=numeral(f"{MOST:,}")))
    done = f" at {wanted:,} Hz" if wanted == rate else f", {rate:,} Hz brought to {wanted:,} Hz"
    done += f", the mean of {channels.shape[1]} channels" if channels.shape[1] > 1 else ""
    loudest = float(np.abs(sound).max(initial=0.0))
    done += "" if loudest >= QUIET else ", silence: no sound above −60 dB"
    return Given(Sample(word, f"{path.name}, {len(sound) / rate:.3g} s{done}"), made)


def bundled(item: Item) -> Given:
    """A file beside the list."""
    found = read(str(item.folder / str(item.about["file"])), {})
    said = item.about.get("label")
    return Given(Sample(item.name, item.in_words, item.label), found.raw, tuple(said) if isinstance(said, list) else ())


def thumbnail(raw: Any) -> Pixels | None:
    """The waveform: from its smallest to its largest value in each of 128 stretches; (32, 128)."""
    sound = np.asarray(raw, np.float64)
    sound = sound.mean(axis=0) if sound.ndim == 2 else sound
    if sound.ndim != 1 or not sound.size:
        return None
    known = np.nan_to_num(sound)
    edges = np.linspace(0, len(known), min(WIDE, len(known)) + 1).astype(int)
    low = np.minimum.reduceat(known, edges[:-1])
    high = np.maximum.reduceat(known, edges[:-1])
    top = max(float(np.abs(known).max()), 1e-12)
    rows = (HIGH - 1) / 2 * (1 - np.linspace(1, -1, HIGH))  # 0 at the top
    upper, lower = ((HIGH - 1) / 2 * (1 - edge / top) for edge in (high, low))
    inked = (rows[:, None] >= upper - 0.5) & (rows[:, None] <= lower + 0.5)
    return inked.astype(np.uint8) * 255


def resampled(sound: Sound, rate: int, wanted: int) -> Sound:
    """At another rate, by soxr: what lies above half of a lower rate is left out, not folded down."""
    if wanted == rate or not len(sound):
        return sound
    import soxr  # type: ignore[import-untyped]  # with soundfile it takes a moment that no window without sounds should wait for

    count = max(1, round(len(sound) * wanted / rate))
    made = np.asarray(soxr.resample(sound, rate, wanted), np.float64)[:count]
    return np.pad(made, (0, count - len(made)))


def _opened(path: Path) -> tuple[Sound, int]:
    """Its channels (sample, channel), and its rate."""
    checked(path, tr("choose a shorter stretch"))
    import soundfile  # type: ignore[import-untyped]

    try:
        with soundfile.SoundFile(str(path)) as file:
            rate, channels, frames = int(file.samplerate), int(file.channels), int(file.frames)
            if file.format not in FORMATS:
                raise ValueError(file.format_info)
            if frames * channels > MOST_READ:
                raise Refused(tr("{file} has {count} samples, too many to be read; choose a shorter stretch.").format(
                    file=path.name, count=numeral(f"{frames * channels:,}")))
            values = file.read(frames, dtype="float64", always_2d=True)
    except (soundfile.SoundFileError, OSError, ValueError, RuntimeError) as error:
        why = str(error).rpartition(": ")[2].partition(". ")[0].strip().rstrip(".") or tr("cut off")
        raise Refused(tr("{file} is no sound that can be read ({why}); save it as WAV or FLAC.").format(
            file=path.name, why=why)) from error
    if not len(values) or not rate:
        raise Refused(tr("{file} holds no sound; save it again as WAV or FLAC.").format(file=path.name))
    if not SLOWEST <= rate <= FASTEST:
        raise Refused(tr("{file} says that it has {rate} samples a second; save it with {least} to {most}.").format(
            file=path.name, rate=numeral(f"{rate:,}"), least=numeral(f"{SLOWEST:,}"), most=numeral(f"{FASTEST:,}")))
    return values, rate


def steps(facts: Facts, raw: Any, frames: int) -> tuple[str, ...]:
    """When the middle of each step is, where the model's card says how many samples a step is and how they are seen;
    else the steps have numbers."""
    by, rate = facts.get("samples_per_step"), facts.get("rate")
    if not by or not rate:
        return _numbered(facts, raw, frames)
    seen = facts.get("spectrogram")
    first = seen["window"] / 2 if isinstance(seen, Mapping) and "window" in seen else by / 2
    return tuple(f"{(first + step * by) / rate:.2f} s" for step in range(frames))


def notes(facts: Facts, raw: Any, title: str) -> tuple[str, ...]:
    """Of a sound that lasts longer than the model listens."""
    shape, rate = facts.get("shape") or (), facts.get("rate")
    if not rate or not shape or not isinstance(shape[-1], int) or not isinstance(raw, np.ndarray) or \
            len(raw) <= shape[-1]:
        return ()
    words = english("The sound lasts {lasts} s and {title} listens for {wanted} s: what comes behind is cut off.")
    return (words.format(lasts=numeral(f"{len(raw) / rate:.3g}"), title=title,
                         wanted=numeral(f"{shape[-1] / rate:.3g}")),)


def grain(facts: Facts) -> Grain:
    """Values one after the other, −1 … 1."""
    return Grain(("step",), "step", english("value"), english("values"), span=(-1, 1))


LONG = 1_000
"""So many numbers in one row are taken for a sound."""
RATE = 16_000
"""Samples a second of most models that read sounds."""


def suits(offer: Offer, told: Input) -> bool:
    """Whether it is one long row of numbers, or where a person says so any row."""
    long = [size for size in offer.sizes if size != 1]
    row = offer.floats and bool(offer.sizes) and len(long) <= 1
    return row and (bool(told.kind or told.rate) or (bool(long) and (long[0] or 0) >= LONG))


def settled(offer: Offer, told: Input, preset: Input) -> Settled:
    """Its rate is asked where nobody says it."""
    rate = told.rate or preset.rate
    return Settled(replace(told, rate=rate or RATE, scale=told.scale or "−1 … 1"), () if rate else ("rate",))


def fed(raw: Any, offer: Offer, said: Input, facts: Facts) -> Array:
    """A waveform as long as the model reads: cut, or with silence behind it."""
    sound = np.asarray(raw)
    if sound.ndim != 1:
        return sound
    place = next((axis for axis, size in enumerate(offer.sizes) if size != 1), len(offer.sizes) - 1)
    wanted = offer.sizes[place]
    if wanted is not None:
        sound = np.pad(sound[:wanted], (0, max(0, wanted - len(sound))))
    if said.scale == "0 … 1":
        sound = (sound + 1) / 2
    found = _offers.normalised(sound[..., None], said)[..., 0]
    return found.reshape([-1 if axis == place else 1 for axis in range(len(offer.sizes))])


INPUT = InputKind(
    "audio", english("sounds"), english("a sound"), english("frame"), SUFFIXES, read=read, bundled=bundled,
    thumbnail=thumbnail, steps=steps, notes=notes, view="listen", blank=english("silence"),
    choosers=(THUMBNAILS, MICROPHONE), grain=grain, suits=suits, settled=settled, fed=fed,
    facts=lambda offer, said: {"rate": said.rate})
