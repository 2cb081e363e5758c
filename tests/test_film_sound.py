"""The sound of a film: where in it the steps are heard, and that a video holds it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from visualizer import sight
from visualizer.export import film as films
from visualizer.export.film import Film, between
from visualizer.export.film._sound import RATE, track
from visualizer.record import pass_of
from visualizer.scene.picture import Look
from visualizer.scene.state import Place
from visualizer.trace import Trace


@pytest.fixture(scope="module")
def trace() -> Trace:
    return pass_of("spoken_digits").trace


def stretch(trace: Trace, first: str, last: str, **settings) -> Film:
    look = Look(size=(320, 240))
    start, end = between(sight.times(trace, Place(view="listen", look=look)), first, last)
    return Film(trace, "listen", None, look, start, end, **settings)


def test_each_step_is_heard_when_it_is_seen(trace: Trace) -> None:
    """Resampled by a Fourier transform: what is heard at the middle of a step is the sound at the middle of its
    frame."""
    film = stretch(trace, "transpose.forward", f"gru.forward[{trace['gru'].shape[0]}]")
    heard, wave = track(film), trace.layers[0].output.astype(np.float64)
    assert len(heard) == round(float(film.seconds) * RATE)
    whole = np.fft.rfft(wave)
    fine = np.fft.irfft(np.pad(whole, (0, len(wave) * 3 + 1 - len(whole))), len(wave) * 6) * 6
    for step in (9, 12, 15):
        begins = film.times.starts[film.times.find(f"gru.forward[{step + 1}]").index] - film.start
        at = round(float(begins) * RATE)
        own = fine[round((99.5 + step * 320 - 160) * 6):][:1920]
        part = heard[at:at + 1920]
        assert np.corrcoef(part, own)[0, 1] > 0.98
    begins = film.times.starts[film.times.find("gru.forward[1]").index] - film.start
    assert not heard[:round(float(begins) * RATE)].any()


def test_what_goes_at_another_speed_has_no_sound(trace: Trace) -> None:
    film = stretch(trace, "gru.forward[2]", "gru.forward[9]")
    assert track(film) is not None
    assert track(replace(film, speed=Fraction(2))) is None
    assert track(replace(film, look=Look(size=(320, 240), knobs=(("pace", "slowly"),)))) is None
    assert track(stretch(trace, "conv1.forward", "conv2.forward")) is None
    assert track(Film(pass_of("digits_cnn").trace, look=Look(size=(320, 240)))) is None


@pytest.mark.parametrize("ending", [".mp4", ".webm"])
def test_a_video_holds_the_sound(ending: str, trace: Trace, tmp_path) -> None:
    av = pytest.importorskip("av")
    film = stretch(trace, "gru.forward[8]", "gru.forward[14]", fps=Fraction(10))
    path = films.save(film, tmp_path / f"a{ending}")
    with av.open(str(path)) as made:
        assert [stream.type for stream in made.streams] == ["video", "audio"]
        samples = np.concatenate([frame.to_ndarray().ravel() for frame in made.decode(audio=0)]).astype(np.float64)
    heard = track(film)
    assert len(samples) == pytest.approx(len(heard), abs=4000)
    assert np.abs(samples).max() > 0.1 * (32767 if np.abs(samples).max() > 2 else 1)
    assert films.save(film, tmp_path / f"b{ending}").read_bytes() == path.read_bytes()
