"""Numbers that are heard: their pitch, their loudness and when they come, measured in the samples by a Fourier
transform."""

from __future__ import annotations

import wave
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from visualizer import cli, registry, sight, sonify, views
from visualizer.export import film as films
from visualizer.export.film import Film, between
from visualizer.export.film._sound import track
from visualizer.record import pass_of
from visualizer.scene.picture import Focus, Look, Scale
from visualizer.scene.reading import layers, reading, top_of
from visualizer.scene.state import Place
from visualizer.sonify import RATE, Heard, Melody, Tone, samples
from visualizer.trace import Refused, Trace, load
from visualizer.views.microscope._slide import said

SIGNED = Scale("activation", "values", "", -2.0, 2.0)
SIZES = Scale("gradient", "size", "", 1e-6, 1.0, log=True)
SMALL = Look(size=(640, 480))


@pytest.fixture(scope="module")
def rows() -> Trace:
    return pass_of("rows_lstm").trace


@pytest.fixture(scope="module")
def digits() -> Trace:
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


def looked_at(trace: Trace, view: str, at: str = "", focus: Focus | None = None):
    place = Place(view=view, at=at, focus=focus, look=SMALL)
    return trace, sight.sight(trace, place), sight.times(trace, place)


def peak(wave_of: np.ndarray) -> float:
    """The strongest frequency in Hz, to a tenth of one."""
    size = np.abs(np.fft.rfft(wave_of.astype(np.float64), RATE * 10))
    return float(np.argmax(size)) / 10


def part(wave_of: np.ndarray, tone: Tone) -> np.ndarray:
    return wave_of[round(tone.second * RATE):round((tone.second + tone.seconds) * RATE)]


# --- pitch and loudness ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("value", "scale", "hertz", "loudness"), [
    (-2.0, SIGNED, 220, 1.0), (-1.0, SIGNED, 440 / np.sqrt(2), 0.55), (0.0, SIGNED, 440, 0.1), (2.0, SIGNED, 880, 1.0),
    (-np.inf, SIGNED, 220, 1.0), (1e30, SIGNED, 880, 1.0), (1.0, SIZES, 880, 1.0), (1e-3, SIZES, 440, 0.55),
    (1e-9, SIZES, 220, 0.1), (0.0, SIZES, 220, 0.1), (np.inf, SIZES, 880, 1.0),
    (0.5, Scale("pixel", "probability", "", 0.0, 1.0), 440 * np.sqrt(2), 0.55),
    (3.0, replace(SIGNED, low=0, high=0), 440, 0.1),
])
def test_the_wave_has_the_pitch_and_the_loudness_of_the_value(value, scale, hertz, loudness):
    made = sonify._melody([(0.1, Heard(1.0, value, scale))], 0.5, "It")
    heard = samples(made)
    own = part(heard, made.tones[0])
    assert peak(own) == pytest.approx(hertz, abs=1)
    inside = own[1000:-1000].astype(np.float64)
    assert np.sqrt(np.mean(inside ** 2)) == pytest.approx(0.6 * loudness / np.sqrt(2), rel=0.02)
    assert not heard[:round(0.1 * RATE)].any()
    assert len(heard) == RATE // 2


def test_below_zero_it_is_hollow_and_as_loud():
    above, below = (samples(Melody((Tone(0.0, 0.25, 300.0, 0.5, negative),), 0.25, "")) for negative in (False, True))
    sizes = [np.abs(np.fft.rfft(each.astype(np.float64))) for each in (above, below)]
    first, third = 75, 225  # 300 and 900 Hz in 4 Hz each
    assert sizes[1][third] / sizes[1][first] == pytest.approx(sonify.HOLLOW, rel=0.02)
    assert sizes[0][third] < 1e-3 * sizes[0][first]
    assert np.sqrt(np.mean(above ** 2)) == pytest.approx(np.sqrt(np.mean(below ** 2)), rel=1e-3)


def test_nothing_clicks_and_the_same_is_heard_twice():
    tones = [Tone(0.05 * index, 0.05, 220.0 + 50 * index, 1.0, index % 2 == 0) for index in range(12)]
    made = Melody(tuple(tones), 0.7, "")
    heard = samples(made)
    assert heard.tobytes() == samples(made).tobytes()
    assert np.abs(heard).max() <= 1
    steepest = 0.6 * 2 * np.pi * (3 * 770) / RATE
    assert np.abs(np.diff(heard)).max() < steepest
    for tone in made.tones:
        assert abs(heard[round(tone.second * RATE)]) < 1e-3


def test_what_is_not_there_is_silent_and_what_explodes_is_said():
    values = [None, np.nan, 1.0, np.inf, -9.0]
    made = sonify._melody([(0.3 * index, Heard(1.0, value, SIGNED)) for index, value in enumerate(values)], 2.0, "It")
    assert [round(tone.second, 1) for tone in made.tones] == [0.6, 0.9, 1.2]
    assert not samples(made)[:round(0.6 * RATE)].any()
    assert made.caption == ("It: pitch = value, 440 Hz = 0, 880 Hz = 2, hollow below 0. 2 lie beyond the scale and "
                            "sound as its end. 1 are no numbers (NaN) and are silent.")


# --- what is heard --------------------------------------------------------------------------------------------------

def test_a_state_is_heard_step_by_step_on_the_scale_of_its_colours(rows):
    unit, name = 7, layers(rows)[0].name
    trace, seen, times = looked_at(rows, "hidden_state", f"{name}.forward[1]", Focus(name, (0, unit)))
    made = sonify.whole(sonify.find("state"), trace, seen, times)
    values = np.asarray(rows[name].inner["hidden"], np.float64)[:, unit]
    assert [tone.hertz for tone in made.tones] == pytest.approx((440 * 2 ** values).tolist())
    assert [tone.negative for tone in made.tones] == (values < 0).tolist()
    assert made.caption.startswith(f"Unit 7 of {name} over {len(values)} steps: pitch = value, 440 Hz = 0, 880 Hz = 1")
    cell = looked_at(rows, "hidden_state", f"{name}.forward[1]", Focus(name, (0, unit), "inner.cell"))
    top = top_of(reading(rows, name), "cell")
    shares = np.clip(np.asarray(rows[name].inner["cell"], np.float64)[:, unit] / top, -1, 1)
    assert [tone.hertz for tone in sonify.whole(sonify.find("state"), *cell).tones] == \
        pytest.approx((440 * 2 ** shares).tolist())


def test_a_gradient_is_heard_by_its_size_over_six_decades(rows):
    name = layers(rows)[0].name
    trace, seen, times = looked_at(rows, "unrolled", f"{name}.backward[20]")
    assert sonify.fitting(trace, seen).name == "gradient"
    made = sonify.whole(sonify.find("gradient"), trace, seen, times)
    sizes = [np.sqrt(np.square(np.asarray(rows[name].inner_gradients["hidden"][beat.step - 1], np.float64)).sum())
             if beat.step else np.sqrt(np.square(np.asarray(rows[beat.layer].gradient, np.float64)).sum())
             for beat in times.beats if beat.direction == "backward" and rows[beat.layer].gradient is not None]
    shares = np.clip(1 + np.log10(np.array(sizes) / max(sizes)) / 6, 0, 1)
    assert [tone.hertz for tone in made.tones] == pytest.approx((440 * 2 ** (2 * shares - 1)).tolist(), rel=1e-6)
    silent = replace(trace, layers=tuple(replace(layer, gradient=None, inner_gradients={}) for layer in trace.layers))
    with pytest.raises(Refused, match="choose the loss"):
        sonify.whole(sonify.find("gradient"), *looked_at(silent, "unrolled"))


@pytest.mark.parametrize(("at", "cell"), [("fc2.forward", (3,)), ("conv2.forward", (2, 6, 5)),
                                          ("conv1.backward", (0, 5, 5))])
def test_each_tone_of_a_running_sum_is_what_the_microscope_says_so_far(digits, at, cell):
    layer = at.partition(".")[0]
    trace, seen, times = looked_at(digits, "microscope", at, Focus(layer, cell))
    assert sonify.fitting(trace, seen).name == "sum"
    found = seen.view.sums(trace, seen.moment, seen.focus, seen.look)
    for added in found:
        assert len(added.totals) == added.stretch.terms
        assert added.totals[-1] == pytest.approx(float((digits[layer].gradient if "backward" in at else
                                                        digits[layer].output)[cell]), rel=1e-4)
        for done in (1, len(added.totals) // 2):
            phase = added.stretch.phase(done)
            drawn = views.picture(seen.view, trace, replace(seen.moment, phase=phase), seen.focus, seen.look)
            one = sonify.at(sonify.find("sum"), trace, replace(seen, moment=replace(seen.moment, phase=phase)), times)
            top = np.abs(added.totals).max()
            assert one.tones[0].hertz == pytest.approx(440 * 2 ** (added.totals[done - 1] / top))
            assert said(added.totals[done - 1], seen.moment.backward, 3) in drawn.caption
    assert found or "backward" in at, "forwards every number here is a sum"


def test_how_sure_it_is_rises_to_what_it_answers(rows):
    trace, seen, times = looked_at(rows, "step_outputs")
    made = sonify.whole(sonify.find("answer"), trace, seen, times)
    assert made.tones[-1].loudness == pytest.approx(0.1 + 0.9 * float(np.max(rows["softmax"].output)), abs=1e-3)


def test_what_there_is_to_be_heard_is_found_by_name():
    assert {"state", "gradient", "sum", "answer"} <= {each.name for each in sonify.audibles()}
    with pytest.raises(LookupError, match="choose one of"):
        sonify.find("colour")


# --- in films -------------------------------------------------------------------------------------------------------

def stretch(trace: Trace, view: str, first: str, last: str, **settings) -> Film:
    start, end = between(sight.times(trace, Place(view=view, look=SMALL)), first, last)
    return Film(trace, view, None, SMALL, start, end, **settings)


@pytest.mark.parametrize("speed", [Fraction(1), Fraction(2), Fraction(1, 2)])
def test_tones_come_with_the_frame_that_first_shows_their_number(rows, speed):
    name = layers(rows)[0].name
    film = stretch(rows, "hidden_state", f"{name}.forward[3]", f"{name}.forward[9]", sound="state", speed=speed)
    assert len(film.melody.tones) == 7
    for step, tone in enumerate(film.melody.tones, 3):
        settled = film.times.second_of(film.times.settled(film.times.find(f"{name}.forward[{step}]").index))
        assert tone.second == pytest.approx(float((settled - film.start) / speed), abs=1e-9)
        frame = -(-Fraction(tone.second).limit_denominator(10 ** 6) * film.fps // 1)
        moment = film.moment(int(frame))
        assert (moment.beat.step, moment.phase) == (step, 1.0)
        assert film.moment(int(frame) - 1).phase < 1
    heard = track(film)
    assert len(heard) == round(float(film.seconds) * RATE)
    assert peak(part(heard, film.melody.tones[2])) == pytest.approx(film.melody.tones[2].hertz, abs=1)


def test_a_film_without_sound_has_a_wave_file_beside_it(rows, tmp_path, capsys):
    name = layers(rows)[0].name
    saved = tmp_path / "rows.trace"
    rows.save(saved)
    out = tmp_path / "a.gif"
    asked = ["film", str(saved), "--view", "hidden_state", "--from", f"{name}.forward[3]", "--to", f"{name}.forward[4]",
             "--size", "640x480", "--fps", "5", "--sound", "state", "-o", str(out)]
    assert cli.main(asked) == cli.DONE
    assert "a.wav: Unit " in capsys.readouterr().out
    with wave.open(str(out.with_suffix(".wav"))) as file:
        heard = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    film = stretch(rows, "hidden_state", f"{name}.forward[3]", f"{name}.forward[4]", sound="state", fps=Fraction(5))
    np.testing.assert_allclose(heard, samples(film.melody), atol=1e-4)
    before = out.with_suffix(".wav").read_bytes()
    assert cli.main(asked) == cli.DONE
    assert out.with_suffix(".wav").read_bytes() == before


def test_a_video_holds_the_tones(rows, tmp_path):
    av = pytest.importorskip("av")
    name = layers(rows)[0].name
    film = stretch(rows, "hidden_state", f"{name}.forward[3]", f"{name}.forward[4]", sound="state", fps=Fraction(5))
    path = films.save(film, tmp_path / "a.mp4")
    assert not path.with_suffix(".wav").exists()
    with av.open(str(path)) as made:
        heard = np.concatenate([frame.to_ndarray().ravel() for frame in made.decode(audio=0)])
    tone = film.melody.tones[0]
    late = round((tone.second + 0.03) * RATE)
    assert peak(heard[late:late + round(tone.seconds * RATE) - 3000]) == pytest.approx(tone.hertz, abs=3)


def test_what_cannot_be_heard_is_refused_in_a_sentence(digits, rows, tmp_path):
    gif = films.find("a.gif")
    assert "microscope" in films.refusal(Film(digits, look=SMALL, sound="sum"), gif)
    assert "choose one of" in films.refusal(Film(digits, look=SMALL, sound="colour"), gif)
    forwards = stretch(rows, "hidden_state", "input.forward", "input.forward", sound="gradient")
    with pytest.raises(Refused, match="longer"):
        films.save(forwards, tmp_path / "a.gif")
    assert "one network" in films.refusal(Film(digits, look=SMALL, sound="state", reel=("before", "after")), gif)
