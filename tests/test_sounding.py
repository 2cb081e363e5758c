"""Hearing and recording, with Qt's multimedia as if it were installed: what goes to the loudspeaker, what is kept."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import soundfile
from PySide6.QtCore import QByteArray, QObject, Qt, Signal

from visualizer.record import pass_of
from visualizer.scene.picture import Focus
from visualizer.scene.state import State, changed
from visualizer.ui import devices, sounding
from visualizer.ui.sounding import Sounding, cut, loudest, packed, unpacked
from visualizer.ui.store import Store
from visualizer.ui.tones import Tones


class Format:
    SampleFormat = SimpleNamespace(Int16=SimpleNamespace(name="Int16"))

    def __init__(self) -> None:
        self.held = {}

    def __getattr__(self, name: str):
        key = name.removeprefix("set")
        key = key[0].lower() + key[1:]
        return (lambda value: self.held.update({key: value})) if name.startswith("set") else lambda: self.held[key]


class Microphone(QObject):
    readyRead = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.heard = b""

    def readAll(self) -> QByteArray:
        data, self.heard = self.heard, b""
        return QByteArray(data)


@pytest.fixture
def media(monkeypatch: pytest.MonkeyPatch, tmp_path, qapp):
    """What was played (rate, samples), and the microphone that is listened to."""
    module, played, microphone = ModuleType("PySide6.QtMultimedia"), [], Microphone()
    device = SimpleNamespace(isFormatSupported=lambda form: True, preferredFormat=Format)

    class Sink:
        def __init__(self, device, form, parent) -> None:
            self.form = form

        def start(self, buffer) -> None:
            played.append((self.form.sampleRate(), np.frombuffer(bytes(buffer.data().data()), "<i2") / 32768))

        def stop(self) -> None:
            pass

    module.QAudioFormat, module.QAudioSink = Format, Sink
    module.QAudioSource = lambda device, form, parent: SimpleNamespace(start=lambda: microphone, stop=lambda: None)
    module.QMediaDevices = SimpleNamespace(audioOutputs=lambda: [device], defaultAudioOutput=lambda: device,
                                           audioInputs=lambda: [device], defaultAudioInput=lambda: device)
    monkeypatch.setitem(sys.modules, "PySide6.QtMultimedia", module)
    granted = SimpleNamespace(checkPermission=lambda permission: Qt.PermissionStatus.Granted)
    monkeypatch.setattr(devices, "QCoreApplication", SimpleNamespace(instance=lambda: granted))
    monkeypatch.setattr(sounding.registry, "state_folder", lambda: tmp_path)
    return SimpleNamespace(played=played, microphone=microphone, module=module)


@pytest.fixture
def desk(qapp):
    trace = pass_of("spoken_digits").trace
    store = Store(changed(State(), model="spoken_digits", sample=trace.sample.name, view="listen",
                          at="gru.forward[12]"), trace)
    made = Sounding(store, store)
    said, files = [], []
    made.said.connect(said.append)
    made.recorded.connect(files.append)
    return SimpleNamespace(store=store, sounding=made, said=said, files=files, wave=trace.layers[0].output)


def test_the_part_under_the_cursor_is_heard_or_all(media, desk) -> None:
    desk.sounding.play(True)
    desk.sounding.play(False)
    (rate, part), (_, whole) = media.played
    assert (rate, len(part), len(whole)) == (8000, 1600, 8000)
    middle = 99.5 + 11 * 320
    own = desk.wave[round(middle - 800):round(middle + 800)]
    assert np.corrcoef(part, own)[0, 1] > 0.99
    assert np.abs(whole).max() == pytest.approx(0.8, abs=1e-3)
    assert part[0] == 0


def test_what_plays_is_heard_along_from_its_step_on(media, desk) -> None:
    desk.sounding.toggle()
    assert "heard along" in desk.said[-1]
    for step in (13, 14, 15):
        desk.store.apply(lambda state, step=step: changed(state, at=f"gru.forward[{step}]@0.5", playing=True))
    assert len(media.played) == 1
    start = round(99.5 + 12 * 320)
    assert len(media.played[0][1]) == 8000 - start
    desk.store.apply(lambda state: changed(state, at="gru.forward[3]@0.5"))
    assert len(media.played) == 2
    desk.store.apply(lambda state: changed(state, playing=False))
    desk.store.apply(lambda state: changed(state, at="gru.backward[3]", playing=True))
    assert len(media.played) == 2


def test_the_loudest_second_of_what_is_said_is_kept(media, desk) -> None:
    desk.sounding.record()
    assert "2.5 s" in desk.said[-1]
    word = 0.3 * np.sin(np.arange(8000) / 3)
    for part in (np.zeros(20_000), word, np.zeros(20_000)):
        media.microphone.heard += packed(part, 1, "Int16")
        media.microphone.readyRead.emit()
    kept, rate = soundfile.read(desk.files[0])
    assert (rate, len(kept)) == (16_000, 16_000)
    assert np.sum(kept ** 2) == pytest.approx(np.sum(word ** 2), rel=1e-3)


def test_silence_and_a_microphone_that_is_taken_are_said(media, desk) -> None:
    desk.sounding.record()
    desk.sounding.record()
    assert "no sound above −60 dB" in desk.said[-1]
    media.module.QAudioSource = lambda *_: SimpleNamespace(start=lambda: None, stop=lambda: None)
    desk.sounding.record()
    assert "another app" in desk.said[-1]
    assert not desk.files


def test_without_a_loudspeaker_one_is_told_to_connect_one(media, desk) -> None:
    media.module.QMediaDevices.audioOutputs = list
    desk.sounding.toggle()
    desk.sounding.play(False)
    assert not desk.sounding.on
    assert not media.played
    assert all("No loudspeaker" in sentence for sentence in desk.said)
    assert len(desk.said) == 2


def test_without_the_module_and_without_a_sound_one_sentence_is_said(desk, monkeypatch, qapp) -> None:
    monkeypatch.setitem(sys.modules, "PySide6.QtMultimedia", None)
    for act in (lambda: desk.sounding.play(True), desk.sounding.toggle, desk.sounding.record):
        act()
        assert "pip install" in desk.said[-1]
    assert not desk.sounding.on
    trace = pass_of("digits_cnn").trace
    other = Store(changed(State(), model="digits_cnn"), trace)
    silent = Sounding(other, other)
    said = []
    silent.said.connect(said.append)
    silent.play(False)
    silent.record()
    assert all("reads sounds" in sentence for sentence in said)
    assert len(said) == 2


@pytest.mark.parametrize("kind", list(sounding.WIDTHS))
def test_bytes_of_every_format_come_back(kind: str) -> None:
    sound = np.linspace(-1, 0.99, 50)
    np.testing.assert_allclose(unpacked(packed(sound, 2, kind), 2, kind), sound, atol=0.01 if kind == "UInt8" else 1e-4)


def test_parts_fade_and_the_loudest_stretch_is_found() -> None:
    part = cut(np.ones(1000), 1000, 100, 300)
    assert part[0] == 0 == part[-1]
    assert part.max() == pytest.approx(0.8)
    assert not cut(np.zeros(100), 100, 0, 100).any()
    sound = np.zeros(100)
    sound[40:50] = 1
    assert loudest(sound, 10).tolist() == [1.0] * 10
    assert len(loudest(sound, 500)) == 100


# --- numbers as tones -----------------------------------------------------------------------------------------------

@pytest.fixture
def tones(media, qapp):
    trace = pass_of("rows_lstm").trace
    store = Store(changed(State(), model="rows_lstm", view="hidden_state", at="lstm.forward[3]",
                          focus=Focus("lstm", (0, 7))), trace)
    sounding = Sounding(store, store)
    made, said = Tones(store, sounding, store), []
    sounding.said.connect(said.append)
    made.said.connect(said.append)
    values = np.asarray(trace["lstm"].inner["hidden"], np.float64)[:, 7]
    return SimpleNamespace(store=store, tones=made, said=said, hertz=440 * 2 ** values)


def loudest_hertz(heard: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(heard, 480_000)))) / 10


def test_nothing_is_heard_until_it_is_asked_for_then_each_beat_where_one_goes(media, tones) -> None:
    tones.store.apply(lambda state: changed(state, at="lstm.forward[4]"))
    assert not media.played
    tones.tones.toggle()
    tones.store.apply(lambda state: changed(state, at="lstm.forward[9]"))
    tones.store.apply(lambda state: changed(state, at="lstm.forward[9]@0.3"))
    assert [rate for rate, _ in media.played] == [48_000] * 2
    assert [loudest_hertz(heard) for _, heard in media.played] == pytest.approx(tones.hertz[[3, 8]].tolist(), abs=1)
    assert "Unit 7 of lstm over 28 steps" in tones.said[0]
    tones.tones.toggle()
    tones.store.apply(lambda state: changed(state, at="lstm.forward[10]"))
    assert len(media.played) == 2


def test_the_whole_curve_is_heard_and_said(media, tones) -> None:
    tones.tones.play()
    (_, heard), = media.played
    for step in (0, 9, 27):
        part = heard[round(0.15 * step * 48_000):][:7200]
        assert loudest_hertz(part) == pytest.approx(tones.hertz[step], abs=1)
    assert tones.said == ["Unit 7 of lstm over 28 steps: pitch = value, 440 Hz = 0, 880 Hz = 1, hollow below 0."]


def test_while_it_plays_tones_come_with_their_beats_without_a_new_start_at_each(media, tones) -> None:
    tones.tones.toggle()
    media.played.clear()
    times = tones.store.timeline
    start = times.find("lstm.forward[5]@0")
    for passed in (0.0, 0.1, 0.5, 0.9, 1.3):
        moment = times.after(start, passed)
        tones.store.apply(lambda state, moment=moment: changed(state, at=moment.address, playing=True))
    assert len(media.played) == 1
    settled = float(times.pace(start.index).seconds)
    part = media.played[0][1][round(settled * 48_000):][:10_000]
    assert loudest_hertz(part) == pytest.approx(tones.hertz[4], abs=1)
    tones.store.apply(lambda state: changed(state, at="lstm.forward[20]@0.5"))
    assert len(media.played) == 2


def test_without_a_loudspeaker_no_tone_is_an_error(media, tones) -> None:
    media.module.QMediaDevices.audioOutputs = list
    tones.tones.toggle()
    tones.tones.play()
    assert not tones.tones.on
    assert sum("No loudspeaker" in sentence for sentence in tones.said) == 2
