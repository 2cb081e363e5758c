"""The recorder: what is opened leads to that exact moment, or says in one sentence what is missing or has changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QObject, Signal

from tests.toys import toy
from visualizer import export, load, registry
from visualizer.scene import session
from visualizer.scene.picture import Focus
from visualizer.scene.state import State, changed, packed, to_json
from visualizer.ui.recorder import Recorder
from visualizer.ui.store import Store


class Quiet(QObject):
    """An engine that keeps what it is asked for, and answers when a test lets it."""

    ready, answered, refused, failed, died = (Signal(object), Signal(int, str, object), Signal(int, str),
                                              Signal(int, str), Signal(str))
    progress, slow = Signal(int, float, str), Signal(int, float, float, str)

    def __init__(self):
        super().__init__()
        self.asked = []

    def request(self, name, /, lane="", **wishes):
        self.asked.append(wishes)
        return len(self.asked)

    def answer(self, trace):
        self.answered.emit(len(self.asked), "record", {"trace": trace})


@pytest.fixture(scope="module")
def digits():
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


@pytest.fixture
def recorder(digits):
    recorder = Recorder(Store(State(), digits), Quiet())
    recorder.sentences = []
    recorder.said.connect(recorder.sentences.append)
    return recorder


def saved(tmp_path, state, trace=None, name="a.session"):
    path = tmp_path / name
    path.write_bytes(session.to_bytes(state, trace))
    return str(path)


def test_a_recording_from_python_comes_back_though_its_file_is_gone(recorder, tmp_path):
    state = changed(State(), model="/tmp/gone/toy.trace", sample="two", view="microscope", at="conv.backward@0.25",
                  focus=Focus("conv", (1, 2, 3)), speed=2.0)
    assert recorder.open(saved(tmp_path, state, toy()))
    assert recorder.store.trace.digest == toy().digest
    now = recorder.store.state
    assert changed(now, look=state.look, left=()) == state
    assert not recorder.store.waiting
    assert recorder.engine.asked == []
    recorder.store.undo()
    assert recorder.store.state.model == "digits_cnn"
    recorder.store.redo()
    assert recorder.store.trace.digest == toy().digest
    assert recorder.sentences == []


def test_a_drawn_digit_comes_back(recorder, tmp_path, digits):
    ink = np.zeros((112, 112), np.uint8)
    ink[20:95, 50:62] = 255
    state = changed(State(), sample="drawn", drawing=packed(ink), at="conv2.forward", focus=Focus("conv2", (3,)))
    drawn = replace(digits, sample=replace(digits.sample, name="drawn"))
    assert recorder.open(saved(tmp_path, state, drawn))
    assert recorder.store.trace.digest == drawn.digest
    assert (recorder.store.state.at, recorder.store.state.focus) == ("conv2.forward", Focus("conv2", (3,)))
    assert recorder.engine.asked[-1]["pixels"].shape == (112, 112), "the engine makes a digit of it"
    assert recorder.open(saved(tmp_path, changed(state, at="conv1.forward"), None, "b.session"))
    assert recorder.store.state.at == "conv1.forward"


def test_a_model_file_that_is_missing_is_named_and_nothing_moves(recorder, tmp_path):
    before = recorder.store.state
    path = tmp_path / "a.session"
    path.write_text(to_json(changed(State(), model="/gone/mine.safetensors"), "ab" * 32), "utf-8")
    assert not recorder.open(str(path))
    sentence, = recorder.sentences
    assert "/gone/mine.safetensors" in sentence
    assert "abababababab" in sentence
    assert recorder.store.state == before


def test_a_model_that_has_changed_since_is_noticed(recorder, tmp_path, digits):
    """Without numbers of its own, the session shows those of the model as it is now, and says so."""
    path = tmp_path / "a.session"
    path.write_text(to_json(changed(State(), sample="digit-3", at="conv2.forward"), "0" * 64), "utf-8")
    assert recorder.open(str(path))
    recorder.engine.answer(replace(digits, sample=replace(digits.sample, name="digit-3")))
    sentence, = recorder.sentences
    assert sentence.startswith("The weights of Digits CNN are not those this was saved with")
    recorder.sentences.clear()
    recorder.store.update(sample="digit-0")
    recorder.engine.answer(replace(digits, sample=replace(digits.sample, name="digit-0")))
    recorder.store.update(sample="digit-3")
    recorder.engine.answer(replace(digits, sample=replace(digits.sample, name="digit-3")))
    assert recorder.sentences == [], "it is said once"


def test_a_changed_model_is_noticed_at_once_where_its_numbers_are_at_hand(recorder, tmp_path):
    path = tmp_path / "a.session"
    path.write_text(to_json(changed(State(), at="conv2.forward"), "0" * 64), "utf-8")
    assert recorder.open(str(path))
    assert recorder.store.state.at == "conv2.forward"
    assert len(recorder.sentences) == 1


def test_the_recording_that_was_saved_stays_where_the_model_has_changed(recorder, tmp_path, digits):
    old = replace(digits, hashes={**digits.hashes, "weights": "1" * 64})
    assert recorder.open(saved(tmp_path, changed(State(), at="conv2.forward"), old))
    assert recorder.store.trace.hashes["weights"] == "1" * 64
    recorder.engine.answer(digits)
    assert recorder.store.trace.hashes["weights"] == "1" * 64
    assert "what is shown is the recording that was saved" in recorder.sentences[0]


def test_the_same_weights_are_no_news(recorder, tmp_path, digits):
    assert recorder.open(saved(tmp_path, changed(State(), at="conv2.forward"), digits))
    recorder.engine.answer(digits)
    assert recorder.sentences == []


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_a_figure_from_a_newer_version_is_one_sentence(recorder, tmp_path, suffix):
    before = recorder.store.state
    newer = to_json(State()).replace('"version": 2', '"version": 7')
    path = export.save(export.draw(toy(), at="conv.forward"), tmp_path / f"a.{suffix}", state_json=newer)
    assert not recorder.open(str(path))
    sentence, = recorder.sentences
    assert "newer Visualizer" in sentence
    assert recorder.store.state == before


@pytest.mark.parametrize("content", [b"PK\x03\x04 cut off", b'{"version": 99}', b"\xff\xfe", b"{}"])
def test_a_damaged_or_newer_session_is_one_sentence_and_nothing_moves(recorder, tmp_path, content):
    before = recorder.store.state
    path = tmp_path / "a.session"
    path.write_bytes(content)
    assert not recorder.open(str(path))
    sentence, = recorder.sentences
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert recorder.store.state == before
    assert path.read_bytes() == content
