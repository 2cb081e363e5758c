"""The sound of a film: its numbers as tones where these are asked for; else that of a model of sounds, heard while its
steps are read at the speed at which it was recorded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer import sonify
from visualizer.export.film import Film
from visualizer.inputs.audio import resampled
from visualizer.scene.sound import sound_of
from visualizer.scene.timeline import FORWARD
from visualizer.sonify import RATE

LOUD = 0.8
"""How loud the loudest is: 1 is all that there is."""
OFF = 0.01
"""By what share a step may take longer or shorter than its sound and still be heard with it."""


def track(film: Film) -> NDArray[np.float32] | None:
    """(sample,) as long as the film; None where nothing is to be heard: no sound was read, or not at its own speed."""
    if film.sound:
        return sonify.samples(film.melody, RATE)
    if film.over is not None or film.readers or film.reel or len(film.places) > 1:
        return None
    sound = sound_of(film.trace)
    if sound is None or not sound.rate or not np.abs(sound.wave).max(initial=0.0) > 0:
        return None
    rate, times = sound.rate, film.times
    heard = np.zeros(round(float(film.seconds) * RATE), np.float32)
    wave = resampled(np.nan_to_num(sound.wave), rate, RATE) * (LOUD / float(np.abs(sound.wave).max()))
    found = False
    for index, beat in enumerate(times.beats):
        clock = sound.clocks.get(beat.layer)
        if beat.step is None or beat.direction != FORWARD or clock is None or \
                film.trace[beat.layer].settings.get("reverse", False):
            continue
        lasts = clock.hop / rate
        seen = float(times.pace(index).seconds / film.speed)
        if abs(seen - lasts) > OFF * lasts:
            return None
        to = round(float((times.starts[index] - film.start) / film.speed) * RATE)
        first = round((clock.middle(beat.step - 1) - clock.hop / 2) / rate * RATE)
        count = round(lasts * RATE)
        low = max(0, -to, -first)
        high = min(count, len(heard) - to, len(wave) - first)
        if high > low:
            heard[to + low:to + high] = wave[first + low:first + high]
            found = True
    return heard if found else None
