"""A lesson that is written is read as it was; what somebody has done becomes a lesson that the checker accepts."""

from __future__ import annotations

import pytest
from PySide6.QtTest import QTest

from tests.test_window import opened
from visualizer import registry
from visualizer.lesson import reading, shelf, writing
from visualizer.scene.picture import Focus
from visualizer.scene.state import State, changed
from visualizer.trace import load
from visualizer.ui import kept, teaching
from visualizer.ui.store import Store


@pytest.mark.parametrize("it", shelf.shelf("").lessons, ids=lambda it: it.name)
def test_every_lesson_is_read_as_it_was_written(it):
    found, problems = reading.parse(it.name, writing.text_of(it), it.path)
    assert problems == ()
    for one, other in zip(found.steps, it.steps, strict=True):
        if one.borrowed[0]:
            assert one.borrowed == other.borrowed
            continue
        for name in ("title", "text", "shown", "revealed", "touch", "done", "question", "reveal", "decides", "notes",
                     "claim", "seconds"):
            assert getattr(one, name) == getattr(other, name), (one.title, name)
        for own, like in zip(one.quantities, other.quantities, strict=True):
            assert (own.name, own.words) == (like.name, like.words)
            assert own.expected.value == pytest.approx(like.expected.value)
            assert own.expected.error == pytest.approx(like.expected.error, rel=0.1, abs=1e-9)
    for name in ("title", "genre", "language", "number", "seconds", "goal", "chapter", "text"):
        assert getattr(found, name) == getattr(it, name), name


def test_what_somebody_comes_to_is_a_step_and_a_closer_look_belongs_to_it():
    state = changed(State(), sample="digit-2148", at="conv1.forward")
    steps = writing.with_place((), state)
    steps = writing.with_place(steps, changed(state, at="relu1.forward", focus=Focus("relu1", (2,))))
    assert len(steps) == 1
    assert steps[0].shown.places[0].focus == Focus("relu1", (2,))
    steps = writing.with_place(steps, changed(state, view="microscope"))
    steps = writing.with_place(steps, changed(state, view="microscope", edits=("shift:1,0",)))
    steps = writing.with_place(steps, changed(state, model="lenet_mnist"))
    assert [step.shown.places[0].recipe.name for step in steps] == ["digits_cnn"] * 3 + ["lenet_mnist"]


def test_what_is_wrong_with_words_is_told_with_its_line(tmp_path):
    step = writing.step_of(changed(State(), sample="digit-2148"))
    text, problems = writing.checked("Mine", [("One", "A {number}.", step)], tmp_path / "mine.md")
    assert [each.line for each in problems] == [text.split("\n").index("A {number}.") + 1]
    assert writing.checked("Mine", [("", "Words.", step)], tmp_path / "mine.md")[1] == ()
    assert writing.file_name("Strength, without place!") == "strength-without-place.md"


# --- in the window --------------------------------------------------------------------------------------------------

@pytest.fixture
def window(qtbot):
    digits = load(registry.folder("assets") / "traces" / "digits_cnn.trace")
    made = opened(qtbot, Store(changed(State(), sample="digit-2148", at="conv1.forward"), digits))
    made.run("lesson-record")
    return made


def test_a_lesson_is_recorded_worded_tried_and_saved(window, monkeypatch, tmp_path):
    writer, panel = window.writing, window.panes.writer
    assert panel.isVisible()
    assert window.stage.geometry().left() >= panel.geometry().right()
    window.store.update(at="relu1.forward", focus=Focus("relu1", (3,)))
    QTest.keyClicks(panel.lesson_title, "Mine")
    QTest.keyClicks(panel.title, "See it")
    QTest.keyClicks(panel.body, "A map is seen.")
    window.store.update(view="microscope")
    assert [draft.title for draft in writer.drafts] == ["See it", ""]
    assert panel.body.toPlainText() == "", "the words of the next step"
    panel.ask.click()
    panel.buttons["lesson-pause"].click()
    window.store.update(view="network")
    assert len(writer.drafts) == 2, "what is done in a pause is no step"
    window.run("lesson-try")
    assert window.teaching.progress.step == 1
    assert window.store.state.view == "microscope"
    assert window.panes.question.isVisible()
    assert not panel.isVisible()
    assert kept.remembered(teaching.NAME).get(teaching.LAST) != teaching.TRIED
    window.run("lesson-try")
    assert not window.taught
    assert panel.isVisible()
    path = tmp_path / "mine.md"
    monkeypatch.setattr(window, "ask_for_name", lambda *given: (str(path), ""))
    window.run("lesson-save")
    found, problems = reading.read(path)
    assert problems == ()
    assert (found.title, [step.title for step in found.steps]) == ("Mine", ["See it", "Step 2"])
    assert found.steps[0].shown.places[0].focus == Focus("relu1", (3,))
    assert found.steps[0].text == ("A map is seen.",)
    assert found.steps[1].question is not None
    assert "Saved as" in window.message.words


def test_a_lesson_with_a_problem_is_neither_tried_nor_saved(window, monkeypatch, tmp_path):
    window.panes.writer.body.setPlainText("### Question\n\nWhat?\n\n- [ ] one\n")
    window.run("lesson-try")
    assert not window.taught
    assert window.message.words.startswith("line ")
    path = tmp_path / "bad.md"
    monkeypatch.setattr(window, "ask_for_name", lambda *given: (str(path), ""))
    window.run("lesson-save")
    assert not path.exists()
    assert "is not saved" in window.message.words


def test_steps_are_added_removed_and_gone_to(window):
    writer = window.writing
    window.run("lesson-step")
    window.store.update(view="microscope")
    assert (len(writer.drafts), writer.at) == (3, 2)
    writer.go(0)
    assert window.store.state.view == "network"
    assert len(writer.drafts) == 3, "going to a step is no step"
    window.run("lesson-drop")
    assert len(writer.drafts) == 2
    window.run("lesson-record")
    assert not window.panes.writer.isVisible()
    window.run("lesson-record")
    assert len(writer.drafts) == 2, "what was written stays"


def test_a_reveal_has_a_place_of_its_own_where_one_went_from_the_question(window, tmp_path):
    writer, panel = window.writing, window.panes.writer
    panel.ask.click()
    before = writer.drafts[0].shown
    window.store.update(at="relu1.forward")
    window.store.update(view="microscope", focus=Focus("relu1", (3, 4, 5)))
    assert writer.drafts[0].shown == before, "what is asked is asked at its place"
    assert len(writer.drafts) > 1
    panel.buttons["lesson-reveal"].click()
    assert len(writer.drafts) == 1, "the way there is no step"
    path = tmp_path / "mine.md"
    assert writer.save(path), window.message.words
    step = reading.read(path)[0].steps[0]
    assert (step.shown.places[0].view, step.revealed.places[0].view) == ("network", "microscope")
    assert step.revealed.places[0].focus == Focus("relu1", (3, 4, 5))
    assert step.revealed.places[0].at == "relu1.forward"
    window.run("lesson-reveal")
    assert writer.drafts[0].revealed is None, "again: it shows what the step shows"


def test_a_lesson_is_written_in_a_language_and_its_translation_beside_it(window, monkeypatch, tmp_path):
    writer, panel = window.writing, window.panes.writer
    monkeypatch.setattr(type(writer), "folder", tmp_path)
    monkeypatch.setattr(window, "ask_for_name", lambda title, at, kinds: (at, ""))
    QTest.keyClicks(panel.lesson_title, "Mine")
    QTest.keyClicks(panel.body, "A map.")
    window.run("lesson-save")
    assert reading.read(tmp_path / "mine.md")[0].language == ""
    writer.write_in("de")
    assert panel.language.text() == "Deutsch"
    panel.lesson_title.clear()
    QTest.keyClicks(panel.lesson_title, "Meine")
    panel.body.setPlainText("Eine Karte.")
    window.run("lesson-save")
    found, problems = shelf.of_file(tmp_path / "mine.de.md")
    assert (problems, found.language, found.title, found.text, found.steps[0].text) == (
        (), "de", "Meine", (), ("Eine Karte.",))
    window.store.update(view="microscope")
    window.run("lesson-save")
    assert "is not saved" in window.message.words, "a translation has the steps of its lesson"
    writer.write_in("")
    window.run("lesson-save")
    assert len(reading.read(tmp_path / "mine.md")[0].steps) == 2
