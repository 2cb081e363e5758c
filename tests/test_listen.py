"""The view of sounds: when frames are, what its spectrogram is, what is said, and what stands where."""

from __future__ import annotations

import wave
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch

from tests.quantities_of_sound import middle
from tests.test_sentences import page_of, texts_of, true, unclaimed
from visualizer import capture, draw
from visualizer.record import pass_of
from visualizer.said import listening
from visualizer.scene.picture import Focus, Image, Line, Look, Rect, Text
from visualizer.scene.sound import hertz, mel, sound_of, spectrogram_of, stages, way
from visualizer.scene.timeline import timeline
from visualizer.trace import Input, Refused, Trace, forget
from visualizer.ui.words import tip
from visualizer.views import find

torch.set_num_threads(1)
MOMENTS = {
    "spoken_digits": ("input.forward", "spectrogram.conv1d.forward", "spectrogram.div.forward", "conv2.forward",
                      "gru.forward[1]", "gru.forward[12]", "gru.forward[25]", "loss.forward", "gru.backward[9]",
                      "input.backward"),
    "spoken_strings": ("gru.l0.forward[7]", "gru.l0.reverse.forward[9]", "softmax.forward", "input.backward"),
}


@pytest.fixture(scope="module")
def heard() -> dict[str, Trace]:
    return {name: pass_of(name).trace for name in MOMENTS}


@pytest.fixture(scope="module")
def waves() -> Trace:
    """A network that reads the wave itself, and says nothing of its steps."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv1d(1, 6, 64, stride=32), torch.nn.ReLU(), torch.nn.Conv1d(6, 8, 5, stride=2),
                              torch.nn.ReLU(), torch.nn.AdaptiveAvgPool1d(1), torch.nn.Flatten(), torch.nn.Linear(8, 3))
    tone = torch.sin(torch.arange(4000) ** 2 / 9000)[None, None]
    made = capture(net, tone, 1, labels=("a", "b", "c"), facts={"input": {"kind": "audio", "rate": 4000}})
    return replace(made, fed=(replace(made.fed[0], kind="audio"),))


def test_a_frame_is_in_the_middle_of_its_window(heard, waves) -> None:
    """Hop by hop against strides, paddings and kernels; a mean over all of the sound moves nothing."""
    for trace in (*heard.values(), waves):
        sound = sound_of(trace)
        for name, clock in sound.clocks.items():
            if trace[name].shape[clock.axis] > 1 and trace[name].kind != "adaptive_avg_pool1d":
                for frame in (0, clock.count - 1):
                    assert clock.middle(frame) == pytest.approx(middle(trace, name, frame)), name
    assert len(sound_of(heard["spoken_digits"]).clocks) == 30
    assert sound_of(waves).clocks["2"].hop == 64


def test_the_spectrogram_is_that_of_the_network_or_one_of_the_wave(heard, waves) -> None:
    seen = spectrogram_of(heard["spoken_digits"])
    assert seen.layer == "spectrogram.div"
    assert way(heard["spoken_digits"])[0].name == "spectrogram.conv1d"
    assert [stage.last for stage in stages(heard["spoken_digits"])] == ["relu1", "relu2", "relu3"]
    own, wave = spectrogram_of(waves), waves.layers[0].output.ravel()
    assert own.layer == ""
    hann = torch.hann_window(100, dtype=torch.float64)
    power = torch.stft(torch.tensor(wave, dtype=torch.float64), 100, 40, window=hann, center=False,
                       return_complex=True).abs().numpy() ** 2
    np.testing.assert_allclose(own.values, 10 * np.log10(power / power.max() + 1e-4), atol=1e-9)
    assert own.hertz[-1] == 2000


def test_the_layer_of_the_spectrogram_is_the_logarithm_of_mel_bands(heard) -> None:
    """In float64, by Fourier transform and triangles made anew, and made mean 0 and size 1."""
    trace = heard["spoken_digits"]
    wave, seen = trace.layers[0].output.astype(np.float64), spectrogram_of(trace)
    cuts = np.stack([wave[start:start + 200] for start in range(0, len(wave) - 199, 80)])
    power = np.abs(np.fft.rfft(cuts * np.hanning(201)[:-1])) ** 2
    corners, bins = hertz(np.linspace(mel(60), mel(3900), 42)), np.arange(101) * 40.0
    bands = np.array([np.interp(bins, corners[band:band + 3], (0, 1, 0)) for band in range(40)])
    np.testing.assert_allclose(seen.hertz, corners[1:-1])
    strong = power @ bands.T
    np.testing.assert_allclose(trace["spectrogram.matmul"].output.T, strong, rtol=1e-3, atol=1e-3)
    names = [layer.name for layer in way(trace)]
    assert names[-1] == seen.layer
    for hz in (250, 1000, 3000):  # a tone stands in the band of its frequency
        tone = torch.sin(2 * torch.pi * hz * torch.arange(8000) / 8000)[None]
        made = pass_of("spoken_digits").model.spectrogram(tone)[0].mean(1)
        assert abs(seen.hertz[int(made.argmax())] - hz) < 120


@pytest.mark.parametrize("name", list(MOMENTS))
def test_every_number_in_it_is_true(heard, name) -> None:
    trace = heard[name]
    for moment in MOMENTS[name]:
        forget(trace)
        with listening(placing=True) as said:
            texts = texts_of(draw(trace, "listen", moment), True) + page_of(trace, "listen", moment)
        assert not [claim for claim in said if not true(trace, claim)], moment
        assert not unclaimed(trace, texts, said), moment


def test_one_step_after_the_other_and_nothing_before_its_time(heard) -> None:
    trace = heard["spoken_digits"]
    chances = trace["softmax"].output
    for step in (1, 12, 25):
        picture = draw(trace, "listen", f"gru.forward[{step}]")
        best = int(np.argmax(chances[step - 1]))
        assert f"{best}" in picture.caption
        assert f"{chances[step - 1, best]:.0%}".replace("%", " %") in picture.caption
        shown = [mark for mark in picture.moving if isinstance(mark, Image) and mark.focus is not None
                 and mark.focus.layer == "softmax"]
        assert shown[0].values.shape == (1, 10, step)
    assert "softmax" not in {mark.focus.layer for mark in draw(trace, "listen", "conv2.forward").moving
                             if isinstance(mark, Image) and mark.focus is not None}
    cursor = next(mark for mark in draw(trace, "listen", "gru.forward[12]").moving
                  if isinstance(mark, Line) and mark.color == "accent")
    bar = next(mark for mark in draw(trace, "listen", "gru.forward[12]").moving if isinstance(mark, Rect)
               and mark.fill == "accent" and mark.opacity < 0.2)
    assert cursor.points[0][0] == pytest.approx(bar.x + bar.width / 2)


def test_a_step_takes_as_long_as_its_sound_or_as_elsewhere(heard) -> None:
    trace, view = heard["spoken_digits"], find("listen")
    step = timeline(trace).find("gru.forward[3]")
    assert float(view.pace(trace, step, None, Look()).seconds) == pytest.approx(320 / 8000)
    assert float(view.pace(trace, step, None, Look(knobs=(("pace", "slowly"),))).seconds) > 0.3


def test_a_click_on_low_notes_finds_the_low_band(heard) -> None:
    picture = draw(heard["spoken_digits"], "listen", "spectrogram.div.forward")
    seen = next(mark for mark in picture.moving if isinstance(mark, Image) and mark.focus is not None
                and mark.focus.layer == "spectrogram.div")
    bottom = picture.hit(seen.x + 40.5 * seen.cell[0], seen.y + seen.tile_size[1] - 1)
    top = picture.hit(seen.x + 40.5 * seen.cell[0], seen.y + 1)
    assert (bottom.layer, bottom.cell) == ("spectrogram.div", (0, 40))
    assert top.cell == (39, 40)


def test_strings_are_spelled_where_they_are_said_as_the_loss_lays_them(heard) -> None:
    """How surely each symbol lies under each frame: p times how the log likelihood changes with the log chance."""
    trace = heard["spoken_strings"]
    assert "right" in draw(trace, "listen", "loss.forward").caption
    scores = torch.tensor(trace["fc"].output, dtype=torch.float64).log_softmax(1)[:, None].requires_grad_()
    target = tuple(trace["loss"].settings["target"])
    loss = torch.nn.functional.ctc_loss(scores, torch.tensor([target]), (len(scores),), (len(target),), 10, "sum")
    assert float(trace["loss"].output) == pytest.approx(loss.item(), rel=1e-4, abs=1e-5)
    loss.backward()
    peaks = (-scores.grad[:, 0, list(target)]).argmax(0).tolist()
    letters = [mark for mark in draw(trace, "listen", "loss.forward").moving
               if isinstance(mark, Text) and mark.size == 11 and mark.plain in map(str, target)]
    assert [mark.plain for mark in letters] == [str(digit) for digit in dict.fromkeys(target)]
    place = sound_of(trace).clocks["softmax"]
    wide = (letters[1].x - letters[0].x) / (place.middle(peaks[1]) - place.middle(peaks[0]))
    assert wide == pytest.approx(draw_axis(trace), rel=0.05)


def draw_axis(trace: Trace) -> float:
    """Pixels a sample: between two steps of the picture."""
    xs = []
    for step in (2, 3):
        picture = draw(trace, "listen", f"gru.l0.forward[{step}]")
        xs.append(next(mark.points[0][0] for mark in picture.moving if isinstance(mark, Line)
                       and mark.color == "accent"))
    return (xs[1] - xs[0]) / sound_of(trace).clocks["gru.l0"].hop


def test_gradients_of_spectrogram_and_wave_are_those_of_autograd(heard) -> None:
    trace = heard["spoken_digits"]
    again = pass_of("spoken_digits")
    x = again.inputs[0].clone().requires_grad_()
    torch.nn.functional.cross_entropy(again.model(x)[:, -1], torch.tensor([trace.sample.label])).backward()
    np.testing.assert_allclose(trace.layers[0].gradient, x.grad[0].numpy(), rtol=1e-3, atol=1e-6)
    picture = draw(trace, "listen", "input.backward")
    assert "hangs most on the sound at" in picture.caption


def test_a_model_on_waves_and_one_whose_rate_nobody_says_have_a_picture(waves) -> None:
    assert find("listen").suits(waves)
    assert "1.00 s" in draw(waves, "listen", "input.forward").caption
    strange = replace(waves, facts={"input": {"kind": "audio"}})
    assert "nobody says" in draw(strange, "listen", "input.forward").caption
    for moment in ("0.forward", "6.forward", "input.backward"):
        draw(strange, "listen", moment, size=(740, 560))
        draw(waves, "listen", moment, projector=True, size=(1920, 1080))
    other = replace(waves, fed=(Input(waves.layers[0].name, "sequence"),))
    assert not find("listen").suits(other)


def test_silence_is_said(waves) -> None:
    silent = capture(torch.nn.Conv1d(1, 2, 50, stride=25), torch.zeros(1, 1, 1000), objective="sum",
                     facts={"input": {"kind": "audio", "rate": 1000}})
    silent = replace(silent, fed=(replace(silent.fed[0], kind="audio"),))
    assert "there is no sound above it" in draw(silent, "listen", "input.forward").caption


@pytest.mark.parametrize("wish", ["symbol:0", "symbol:1", "logit:8@6"])
def test_one_digit_of_the_string_is_sent_back(wish: str) -> None:
    """The scores of the frames that say it, added up, differentiated by autograd."""
    sent = pass_of("spoken_strings", objective=wish)
    x = sent.inputs[0].clone().requires_grad_()
    scores = sent.model(x)[0]
    path = scores.argmax(1).tolist()
    spelled = [(step, digit) for step, digit in enumerate(path) if digit != 10]
    order = list(dict.fromkeys(digit for _, digit in spelled))
    cells = [(6, 8)] if wish.startswith("logit") else [cell for cell in spelled if cell[1] == order[int(wish[-1])]]
    total = sum(scores[step, digit] for step, digit in cells)
    total.backward()
    assert sent.trace.objective.value == pytest.approx(total.item(), rel=1e-5)
    scale = float(x.grad.abs().max())
    np.testing.assert_allclose(sent.trace.layers[0].gradient, x.grad[0].numpy(), atol=1e-4 * scale)
    assert draw(sent.trace, "listen", "input.backward").caption


def test_a_symbol_that_is_not_read_is_refused() -> None:
    with pytest.raises(Refused, match="There is no symbol 7; 2 are read"):
        pass_of("spoken_strings", objective="symbol:7")


@pytest.mark.parametrize("wish", ["logit:3@24", "logit:3@11"])
def test_one_digit_at_the_end_or_at_a_step_is_sent_back(wish: str) -> None:
    sent = pass_of("spoken_digits", objective=wish)
    x = sent.inputs[0].clone().requires_grad_()
    sent.model(x)[0, int(wish[8:]), 3].backward()
    scale = float(x.grad.abs().max())
    np.testing.assert_allclose(sent.trace.layers[0].gradient, x.grad[0].numpy(), atol=1e-4 * scale)


# --- one's own sounds -------------------------------------------------------------------------------------------------

def wav(path, sound, rate: int):
    soundfile.write(path, sound, rate, subtype="PCM_16")
    return str(path)


def test_what_is_done_to_a_sound_of_ones_own_is_said(tmp_path) -> None:
    """Stereo at 44.1 kHz, too long by far for one digit; silence."""
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(2 * 44_100) / 44_100)
    trace = pass_of("spoken_digits", wav(tmp_path / "a.wav", np.stack([tone, 0.5 * tone], 1), 44_100)).trace
    assert trace.sample.title == "a.wav, 2 s, 44,100 Hz brought to 8,000 Hz, the mean of 2 channels"
    assert any("lasts 2 s" in note and "listens for 1 s" in note for note in trace.notes)
    loud = spectrogram_of(trace)
    assert abs(loud.hertz[int(loud.values.mean(1).argmax())] - 440) < 60
    silent = pass_of("spoken_digits", wav(tmp_path / "b.wav", np.zeros(4000), 8_000)).trace
    assert silent.sample.title.endswith("silence: no sound above −60 dB")
    assert "there is no sound above it" in draw(silent, "listen", "input.forward").caption
    strings = pass_of("spoken_strings", str(tmp_path / "b.wav")).trace
    assert find("listen").suits(strings)
    draw(strings, "listen")


def test_an_hour_a_broken_file_and_a_text_are_one_sentence(tmp_path) -> None:
    with wave.open(str(tmp_path / "hour.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(bytes(3600 * 8000))
    (tmp_path / "text.wav").write_text("hello, I am no sound")
    whole = (tmp_path / "hour.wav").read_bytes()[:3000]
    (tmp_path / "cut.wav").write_bytes(whole[:30])
    for name, words in (("hour", "choose a shorter stretch"), ("text", "no sound that can be read"),
                        ("cut", "no sound that can be read")):
        with pytest.raises(Refused, match=words) as refused:
            pass_of("spoken_digits", str(tmp_path / f"{name}.wav"))
        assert str(refused.value).count(". ") == 0


def test_what_is_pointed_at_is_said_with_its_second_and_its_hertz(heard) -> None:
    trace = heard["spoken_digits"]
    hz = 700 * (10 ** (np.linspace(*(2595 * np.log10(1 + np.array((60, 3900)) / 700)), 42)[13] / 2595) - 1)
    assert tip(trace, Focus("spectrogram.div", (12, 45)), False).partition("\n")[0].endswith(
        f", {(100 + 45 * 80) / 8000:.2f} s, {hz:.0f} Hz")
    assert ", 0.49 s" in tip(trace, Focus("gru", (12, 3)), False)
    assert " s" not in tip(trace, Focus("conv1", (2,)), False).partition("\n")[0]
