"""Sonify: numbers that are heard instead of seen. One file, one thing that can be heard, found by its `AUDIBLE`.

A value is a tone. Its pitch is the value on the scale of the colours: zero is 440 Hz, the strongest colours are an
octave below and above it. Its loudness is the size, and zero is still heard. What is below zero sounds hollow as well,
so that no sign hangs on pitch alone; one loudspeaker is enough. A size on a logarithmic scale goes from 220 to 880 Hz.
What is not there is silent. Tones come when the picture shows their numbers.
"""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite, log
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from visualizer import registry
from visualizer.language import tr
from visualizer.scene import numbers
from visualizer.scene.picture import Scale
from visualizer.scene.timeline import Moment, Timeline
from visualizer.sight import Sight
from visualizer.trace import Trace

Samples = NDArray[np.float32]
"""(sample,): −1 … 1."""
RATE = 48_000
"""Samples a second: every encoder and every loudspeaker takes so many."""
ZERO, OCTAVES = 440.0, 1.0
"""Hz of the middle of a scale, and how many octaves its ends lie from it."""
FAINTEST, LOUD = 0.1, 0.6
"""Loudness of zero, 20 dB below the end of the scale; and how far the loudest swings: 1 is all that there is."""
HOLLOW = 0.4
"""Strength of the third harmonic, which tones below zero have and others have not."""
EDGE = 0.008
"""Seconds in which a tone swells and fades, so that it does not click."""
LONGEST, SHORTEST = 0.25, 0.03
"""Seconds of a tone; what follows its neighbour faster is no tone any more, and is left out."""
APART, MOST_SECONDS = 0.15, 8.0
"""Seconds from one tone to the next where a curve is heard as a whole, and how long that lasts at most."""


@dataclass(frozen=True)
class Heard:
    """A number that is heard, and when in its beat it is known."""

    phase: float
    value: float | None
    """None for what is not there."""
    scale: Scale
    """That of the colours in which it is seen."""


@dataclass(frozen=True)
class Audible:
    """One thing that can be heard."""

    name: str
    """`state`, as it is asked for."""
    title: str
    """`State`, for a person to choose."""
    words: Callable[[Trace, Sight], str]
    """What it is of: `Unit 5 of lstm over 40 steps`. Raises Refused, with one sentence, where there is nothing."""
    heard: Callable[[Trace, Sight, Moment], tuple[Heard, ...]]
    """(trace, what is looked at, a settled beat) -> its numbers in this beat, by their phases."""
    order: int = 50
    """Place among the others, smallest first."""
    in_beat: bool = False
    """Whether it is over with its beat, and that of another beat is another curve."""
    fits: Callable[[Trace, Sight], bool] = lambda trace, seen: False
    """Whether it is what one wants to hear of what is looked at."""


@dataclass(frozen=True)
class Tone:
    """One number."""

    second: float
    """When it begins."""
    seconds: float
    hertz: float
    loudness: float
    """0 … 1."""
    negative: bool = False


@dataclass(frozen=True)
class Melody:
    """Numbers one after the other."""

    tones: tuple[Tone, ...]
    seconds: float
    caption: str
    """What is heard and how it is read, in a sentence."""


# --- what can be heard ----------------------------------------------------------------------------------------------

def audibles() -> tuple[Audible, ...]:
    """All that are found in this folder."""
    return tuple(sorted((module.AUDIBLE for module in registry.modules("sonify")), key=lambda each: each.order))


def find(name: str) -> Audible:
    """The one of that name; raises LookupError with one sentence."""
    for each in audibles():
        if each.name == name:
            return each
    raise LookupError(tr("There is nothing called {name!r} to be heard; choose one of {known}."
                         ).format(name=name, known=", ".join(each.name for each in audibles())))


def fitting(trace: Trace, seen: Sight) -> Audible:
    """What is heard of what is looked at where nobody chose: a running sum, a gradient on its way back, or a state."""
    return next(each for each in audibles() if each.fits(trace, seen))


# --- tones ----------------------------------------------------------------------------------------------------------

def melody(audible: Audible, trace: Trace, seen: Sight, times: Timeline, lasts: Fraction,
           speed: Fraction = Fraction(1)) -> Melody:
    """What is heard from the moment that is looked at on, so many seconds of the timeline long.

    Refused where there is nothing to be heard.
    """
    what = audible.words(trace, seen)
    known = [(float(second / speed), each) for second, each in _onwards(audible, trace, seen, times, lasts)]
    return _melody(known, float(lasts / speed), what)


def whole(audible: Audible, trace: Trace, seen: Sight, times: Timeline) -> Melody:
    """All of it as one curve, evenly and fast, however long its beats are."""
    what = audible.words(trace, seen)
    beats = (seen.moment.index,) if audible.in_beat else range(len(times.beats))
    known = [each for index in beats for each in audible.heard(trace, seen, times.settled(index))]
    apart = min(APART, MOST_SECONDS / max(1, len(known)))
    return _melody([(apart * index, each) for index, each in enumerate(known)], apart * len(known) + LONGEST, what)


def at(audible: Audible, trace: Trace, seen: Sight, times: Timeline) -> Melody | None:
    """The one tone of the moment that is looked at; None where nothing became known just then."""
    here = [each for each in audible.heard(trace, seen, times.settled(seen.moment.index))
            if abs(each.phase - seen.moment.phase) < 1e-9]
    return _melody([(0.0, here[-1])], LONGEST, audible.words(trace, seen)) if here else None


def hertz(value: float, scale: Scale) -> float:
    """The pitch of a value; what is infinite or beyond the scale has that of its end."""
    share = _share(value, scale)
    return float(ZERO * 2.0 ** (OCTAVES * (2 * share - 1 if scale.log else share)))


def loudness(value: float, scale: Scale) -> float:
    """By its size: `FAINTEST` for zero, 1 at the end of the scale and beyond."""
    return FAINTEST + (1 - FAINTEST) * abs(_share(value, scale))


def _share(value: float, scale: Scale) -> float:
    """Where on its scale a value lies: −1 … 1, or 0 … 1 on a logarithmic one."""
    if scale.log:
        size, low, high = abs(value), scale.low, scale.high
        if size <= low or not 0 < low < high:
            return float(size >= high > 0)
        return min(1.0, log(size / low) / log(high / low)) if isfinite(size) else 1.0
    top = max(abs(scale.low), abs(scale.high))
    return max(-1.0, min(1.0, value / top)) if top > 0 else 0.0


def _onwards(audible: Audible, trace: Trace, seen: Sight, times: Timeline,
             lasts: Fraction) -> Iterator[tuple[Fraction, Heard]]:
    """(seconds of the timeline from the moment on, number), beat by beat until the time is over."""
    start = seen.moment
    second = -times.pace(start.index).second(start.phase)
    for index in range(start.index, len(times.beats)):
        pace = times.pace(index)
        for each in audible.heard(trace, seen, times.settled(index)):
            if 0 <= (here := second + pace.second(each.phase)) <= lasts:
                yield here, each
        second += pace.seconds + pace.rest
        if second > lasts:
            return


def _melody(known: list[tuple[float, Heard]], seconds: float, what: str) -> Melody:
    tones: list[Tone] = []
    last = len(known) - 1
    for index, (second, each) in enumerate(known):
        if each.value is None or each.value != each.value:
            continue
        room = known[index + 1][0] - second if index < last else LONGEST
        if room < SHORTEST and tones and second - tones[-1].second < SHORTEST:
            continue
        tones.append(Tone(second, min(LONGEST, max(SHORTEST, room)), hertz(each.value, each.scale),
                          loudness(each.value, each.scale), each.value < 0 and not each.scale.log))
    return Melody(tuple(tones), seconds, f"{what}: {_read([each for _, each in known])}")


# --- in words -------------------------------------------------------------------------------------------------------

def _read(known: list[Heard]) -> str:
    """How it is to be read, and what of it does not lie on its scale."""
    scales = {(each.scale.log, each.scale.low, each.scale.high) for each in known}
    logs = any(log for log, _, _ in scales)
    largest = float(max((max(abs(low), abs(high)) for _, low, high in scales), default=0.0))
    top = numbers.count(int(largest)) if largest.is_integer() and largest < 1e6 else numbers.significant(largest, 3)
    if logs:
        said = tr("pitch = size on a logarithmic scale, {high} Hz = {top}, {low} Hz = {bottom} or less.").format(
            top=top, bottom=numbers.significant(min(low for _, low, _ in scales), 3), **_ends())
    elif len(scales) > 1:
        words = tr("pitch = value, {zero} Hz = 0, {high} Hz = the end of its own scale, hollow below 0.")
        said = words.format(**_ends())
    else:
        said = tr("pitch = value, {zero} Hz = 0, {high} Hz = {top}, hollow below 0.").format(top=top, **_ends())
    values = [(each.value, each.scale) for each in known if each.value is not None]
    beyond = sum(_beyond(value, scale) for value, scale in values)
    unknown = sum(value != value for value, _ in values)
    if beyond:
        said += " " + tr("{count} lie beyond the scale and sound as its end.").format(count=numbers.count(beyond))
    if unknown:
        said += " " + tr("{count} are no numbers (NaN) and are silent.").format(count=numbers.count(unknown))
    return said


def _ends() -> dict[str, str]:
    low, high = (numbers.count(round(ZERO * 2 ** octaves)) for octaves in (-OCTAVES, OCTAVES))
    return {"low": low, "zero": numbers.count(round(ZERO)), "high": high}


def _beyond(value: float, scale: Scale) -> bool:
    return abs(value) > max(abs(scale.low), abs(scale.high)) * (1 + 1e-6)


# --- samples --------------------------------------------------------------------------------------------------------

def samples(made: Melody, rate: int = RATE) -> Samples:
    """The tones as one wave, as long as the melody: sines, each swelling and fading along a cosine."""
    wave_of = np.zeros(round(made.seconds * rate), np.float64)
    for tone in made.tones:
        start = round(tone.second * rate)
        part = _tone(tone, rate)[:max(0, len(wave_of) - start)]
        wave_of[start:start + len(part)] += part
    return wave_of.astype(np.float32)


def _tone(tone: Tone, rate: int) -> NDArray[np.float64]:
    count = max(1, round(tone.seconds * rate))
    angle = 2 * np.pi * tone.hertz / rate * np.arange(count)
    swing = np.sin(angle)
    if tone.negative and 3 * tone.hertz < rate / 2:  # as strong as without
        swing = (swing + HOLLOW * np.sin(3 * angle)) / np.sqrt(1 + HOLLOW ** 2)
    edge = min(round(EDGE * rate), count // 2)
    rising = (1 - np.cos(np.pi * np.arange(edge) / max(1, edge))) / 2
    swing[:edge] *= rising
    swing[count - edge:] *= rising[::-1]
    return np.asarray(LOUD * tone.loudness * swing)


def save(path: Path, heard: ArrayLike, rate: int = RATE) -> Path:
    """Samples as a WAV file of 16 bits, whole or not at all; raises NotWritten."""
    values = np.clip(np.asarray(heard, np.float64) * 32768, -32768, 32767)
    with registry.whole(path) as beside, wave.open(str(beside), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.rint(values).astype("<i2").tobytes())
    return path
