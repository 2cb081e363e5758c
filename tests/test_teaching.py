"""A lesson in the window: predicted before it is seen, kept, left and come back to, by keys alone and by the mouse."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtTest import QTest

from tests.test_comparison import trace_of
from tests.test_window import opened
from visualizer import lesson as lessons
from visualizer import quiz, registry
from visualizer.lesson import page as lessonpage
from visualizer.lesson import progress as does
from visualizer.lesson import shelf
from visualizer.lesson.progress import Progress
from visualizer.scene.picture import Focus, Look, Rect, Text
from visualizer.scene.state import Place, State, changed, moment_of
from visualizer.scene.timeline import timeline
from visualizer.trace import load
from visualizer.ui import kept, teaching
from visualizer.ui.commands.presenting import BLACK
from visualizer.ui.player import Player
from visualizer.ui.presenter import for_room
from visualizer.ui.store import Store

Key = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture(scope="module")
def digits():
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


@pytest.fixture(scope="module")
def pooling():
    return shelf.find("pooling")


@pytest.fixture
def window(qtbot, digits):
    teaching._measured.clear()
    kept.remember(teaching.NAME, {})
    made = opened(qtbot, Store(State(), digits))
    made.teaching.now = lambda: "10:42"
    made.open_lesson("pooling")
    return made


def press(window, key, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(window.stage, key, modifier)


def words(picture):
    return " ".join("".join(run.text for run in mark.runs) for mark in picture if isinstance(mark, Text))


# --- progress: pure functions ---------------------------------------------------------------------------------------

def test_a_lesson_is_gone_through_forth_and_back_and_a_prediction_stays(pooling):
    at = does.forward(Progress("pooling"), pooling)
    assert (at.step, at.revealed) == (1, False)
    assert does.is_locked(at, pooling)
    at = does.answered(does.answered(at, pooling, 1, "10:41"), pooling, 4, "10:42")
    assert at.answers == ((1, 4, "10:42"),)
    assert not does.is_locked(at, pooling)
    at = does.forward(at, pooling)
    assert (at.step, at.revealed, at.seen) == (1, True, (1,))
    assert does.answered(at, pooling, 2) == at, "what was seen is predicted no more"
    back = does.backward(at, pooling)
    assert (back.step, back.revealed) == (1, False)
    assert does.answered(back, pooling, 2) == back
    assert not does.is_locked(back, pooling)
    assert does.backward(does.to(at, pooling, 2), pooling) == at, "back from the next step is behind the reveal"
    assert does.backward(Progress("pooling"), pooling) == Progress("pooling")


def test_votes_are_counted_while_a_question_is_open_and_never_below_none(pooling):
    at = does.to(Progress("pooling"), pooling, 1)
    for number, by in ((2, 1), (2, 1), (3, 1), (1, -1), (9, 1), (0, 1)):
        at = does.voted(at, pooling, number, by)
    assert at.tally(1) == (0, 2, 1, 0, 0)
    seen = does.forward(at, pooling)
    assert does.voted(seen, pooling, 1) == seen
    assert does.voted(does.voted(does.voted(at, pooling, 2, -1), pooling, 2, -1), pooling, 3, -1).votes == ()


def test_every_lesson_ends_after_as_many_presses_as_it_has_steps_and_questions():
    for it in shelf.shelf().lessons:
        at, presses = Progress(it.name), 0
        while not at.ended:
            at, presses = does.forward(does.answered(at, it, 1), it), presses + 1
        assert presses == len(it.steps) + len(it.questions), it.name


@pytest.mark.parametrize("plain", [None, [], {"step": 99, "seen": [3, "x", -1, 99], "answers": [[2, 9, "a"], [0, 1, ""],
                                   [2, 1], [2, True, ""]], "votes": [[2, [1]], [2, [1, 2, 3, "x"]], 7]},
                                   {"step": "1", "revealed": True}])
def test_what_was_kept_badly_is_no_progress_and_no_error(pooling, plain):
    at = does.of_plain(pooling, plain)
    assert (at.step, at.revealed, at.answers, at.votes) == (0, False, (), ())


def test_what_was_kept_comes_back_whole(pooling):
    at = Progress("pooling", 2, True, (1, 2), ((1, 4, "10:42"), (2, 1, "")), ((2, (3, 0, 1, 0, 0)),), (0,))
    assert does.of_plain(pooling, json.loads(json.dumps(does.to_plain(at)))) == at
    before = json.loads(json.dumps(does.to_plain(at)).replace("[3, 0, 1, 0, 0]", "[3, 0, 1, 0]"))
    assert does.of_plain(pooling, before) == at, "a class that was counted before “not sure” was offered"


def test_whoever_is_not_sure_says_so_and_is_neither_right_nor_wrong(pooling):
    at = does.to(Progress("pooling"), pooling, 1)
    question = pooling.steps[1].question
    unsure = len(question.answers) + 1
    assert does.answered(at, pooling, unsure + 1) == at
    at = does.answered(does.voted(does.voted(at, pooling, unsure), pooling, question.right), pooling, unsure, "10:42")
    assert not does.is_locked(at, pooling)
    assert f"{unsure}: not sure" in lessonpage.spoken(lessonpage.Page(pooling, at))
    page = lessonpage.Page(pooling, does.forward(at, pooling))
    assert lessonpage.chosen_words(page) == "You were not sure; it is the largest of them."
    assert lessonpage.tally_words(page) == "1 of 2 chose the right answer."
    assert not any("not sure" in answer.words for item in quiz.items(pooling) for answer in item.answers)


# --- pages ----------------------------------------------------------------------------------------------------------

def test_no_page_tells_the_answer_before_its_reveal():
    for it in shelf.shelf().lessons:
        for index, _ in it.questions:
            page = lessonpage.Page(it, Progress(it.name, index - 1))
            told = page.bare(it.steps[index - 1].reveal[0])
            for picture in (lessonpage.panel(page, 308, Look()),
                            lessonpage.slide(page, Look((1920, 1080), "projector"), lambda size: None)):
                assert told not in picture.caption, it.name
                assert told not in words(picture), it.name
                assert not any(isinstance(mark, Rect) and mark.fill == "tint" for mark in picture), it.name
            seen = replace(page, progress=replace(page.progress, revealed=True, seen=(index - 1,)))
            assert told in lessonpage.panel(seen, 308, Look()).caption
            assert any(isinstance(mark, Rect) and mark.fill == "tint" for mark in lessonpage.panel(seen, 308, Look()))


def test_a_prediction_stands_beside_what_was_measured(pooling):
    at = does.forward(does.answered(does.to(Progress("pooling"), pooling, 2), pooling, 1, "10:42"), pooling)
    page = lessonpage.Page(pooling, at)
    said = lessonpage.panel(page, 308, Look()).caption
    assert "You predicted 0 %; it is about 40 %." in said
    right = lessonpage.Page(pooling, replace(at, answers=((2, 3, ""),)))
    assert "You predicted about 40 %, and so it is." in lessonpage.panel(right, 308, Look()).caption
    drawn = words(lessonpage.panel(page, 308, Look()))
    assert "10:42" in drawn
    assert "Pooling is thought to make a network indifferent" in drawn, "the misconception behind it is said"


def test_numbers_are_said_to_be_measured_once_they_are_and_a_wrong_one_is_told(pooling):
    from visualizer.claims import Number

    at = replace(Progress("pooling", 2), revealed=True, seen=(2,))
    page = lessonpage.Page(pooling, at)
    assert "0 of 2 are measured" in lessonpage.measured_words(page)[0]
    met = {each.words: Number(each.expected.value) for each in pooling.steps[2].quantities}
    assert lessonpage.measured_words(replace(page, found=met)) == ("Measured on this computer.", "")
    wrong = {words: Number(0.9) for words in met}
    _, why = lessonpage.measured_words(replace(page, found=wrong))
    assert "90 % measured, 39 ± 1 % expected" in why
    drawn = words(lessonpage.panel(replace(page, found=wrong), 308, Look()))
    assert "90 % measured" in drawn.replace("  ", " ")


@pytest.mark.parametrize("size", [(1920, 1080), (1024, 768)])
def test_everything_on_a_slide_is_on_the_screen_and_no_answer_lies_on_another(size):
    for it in shelf.shelf().lessons:
        for index in range(len(it.steps)):
            for revealed in (False, True):
                at = Progress(it.name, index, revealed and it.steps[index].question is not None, (index,))
                picture = lessonpage.slide(lessonpage.Page(it, at), Look(size, "projector"), lambda size: None)
                boxes = [mark for mark in picture if isinstance(mark, Rect) and mark.focus is not None]
                for mark in picture:
                    if isinstance(mark, Text):
                        assert 0 <= mark.x <= size[0], (it.name, index)
                        assert 0 < mark.y <= size[1], (it.name, index, "".join(run.text for run in mark.runs))
                for one in boxes:
                    assert one.x >= 0
                    assert one.x + one.width <= size[0]
                    for other in boxes:
                        apart = one is other or one.x + one.width <= other.x or other.x + other.width <= one.x \
                            or one.y + one.height <= other.y or other.y + other.height <= one.y
                        assert apart, (it.name, index)


# --- the window -----------------------------------------------------------------------------------------------------

def test_a_whole_lesson_is_taken_by_the_page_keys_and_digits_alone(window, pooling):
    store, taught = window.store, window.teaching
    assert (store.state.lesson, store.state.step) == ("pooling", 0)
    assert store.state.place.at == "relu1.forward"
    press(window, Key.Key_PageDown)
    assert store.state.step == 1
    press(window, Key.Key_PageDown)
    assert not taught.progress.revealed, "first predict"
    press(window, Key.Key_1)
    press(window, Key.Key_PageDown)
    assert taught.progress.revealed
    assert store.state.view == "microscope", "the reveal shows another place"
    press(window, Key.Key_PageUp)
    assert not taught.progress.revealed
    assert store.state.view == "network"
    while taught.on:
        if taught.locked:
            press(window, Key.Key_2)
        press(window, Key.Key_PageDown)
    assert "That was" in window.message.words
    assert [number for _, number, _ in taught.progress.answers] == [1, 2, 2, 2, 2]
    assert store.state.lesson == ""
    assert teaching.begun() is None, "what is at its end is not gone on with"


def test_buttons_do_the_same(window):
    panel, question = window.panes.lesson, window.panes.question
    QTest.mouseClick(panel.next, Qt.MouseButton.LeftButton)
    assert question.isVisible()
    assert not panel.next.isEnabled(), "the reveal is locked"
    QTest.mouseClick(question.buttons[2], Qt.MouseButton.LeftButton)
    assert window.teaching.progress.answers == ((1, 3, "10:42"),)
    assert panel.next.isEnabled()
    assert question.buttons[2].isChecked()
    QTest.mouseClick(panel.next, Qt.MouseButton.LeftButton)
    assert [button.is_right for button in question.buttons] == [False, True, False, False, False]
    assert not question.buttons[0].isEnabled()
    QTest.mouseClick(panel.back, Qt.MouseButton.LeftButton)
    assert not any(button.is_right for button in question.buttons), "hidden again"
    QTest.mouseClick(panel.close_button, Qt.MouseButton.LeftButton)
    assert not panel.isVisible()
    assert window.rail.isVisible()


def test_only_what_the_step_leaves_can_be_changed_and_the_rest_is_hidden(window):
    store = window.store
    before = store.state
    assert not window.rail.isVisible()
    assert not window.top.views
    assert not window.transport.inputs.isVisible()
    window.run("next-view")
    assert store.state.view == before.view
    assert "leaves the view as it is" in window.message.words
    window.run("unit-off")
    assert store.state.edits == before.edits
    window.run("next")
    assert store.state.at != before.at, "the moment is left to whoever learns"


def test_whoever_went_astray_is_brought_back_by_one_key(window):
    store, home = window.store, window.store.state
    press(window, Key.Key_F11, SHIFT)
    assert window.teaching.free
    window.run("next-view")
    store.update(focus=Focus("conv2", (1,)), sample="digit-61")
    assert window.teaching.astray
    assert window.top.views
    assert window.rail.isVisible()
    assert window.panes.lesson.around.text() == "Back to the step"
    press(window, Key.Key_F11)
    assert not window.teaching.free
    assert not lessons.touched(home, store.state)
    assert not window.rail.isVisible()


def test_what_is_opened_elsewhere_is_left_to_that_and_the_lesson_stays(window):
    card = next(card for card in window_cards() if card.name == "network-lenet_mnist")
    window.open_card(card)
    assert window.store.state.model == "lenet_mnist"
    assert window.taught
    press(window, Key.Key_F11)
    assert window.store.state.model == "digits_cnn"


def window_cards():
    from visualizer import start

    return start.networks()


def test_a_place_is_remembered_and_gone_on_with(window, qtbot, digits):
    press(window, Key.Key_PageDown)
    press(window, Key.Key_3)
    window.run("lesson-leave")
    it, at = teaching.begun()
    assert (it.name, at.step, at.answers) == ("pooling", 1, ((1, 3, "10:42"),))
    other = opened(qtbot, Store(State(), digits))
    other.go_to_start()
    rows = [row for row in other.panes.start.rail.rows if row.text() == it.title]
    assert [row.below for row in rows] == ["step 2 of 7"]
    QTest.mouseClick(rows[0], Qt.MouseButton.LeftButton)
    assert not other.starting
    assert (other.teaching.progress.step, other.teaching.progress.answer(1)) == (1, (3, "10:42"))


def test_a_session_brings_its_lesson_back(qtbot, digits, pooling):
    kept.remember(teaching.NAME, {})
    state = lessons.state_of(pooling, 0, State())
    made = opened(qtbot, Store(state, digits))
    assert made.taught
    assert made.teaching.lesson.name == "pooling"
    assert made.panes.lesson.isVisible()
    missing = opened(qtbot, Store(replace(state, lesson="no-such"), digits))
    assert not missing.taught


def test_an_action_completes_a_step(window, pooling):
    step = replace(pooling.steps[0], done=(("focus", "relu1:2"),), touch=("focus", "time"))
    window.teaching.begin(replace(pooling, steps=(step, *pooling.steps[1:])), Progress("pooling"))
    assert not does.is_complete(window.teaching.progress, window.teaching.lesson)
    assert "To do" in words(window.panes.lesson.words.picture)
    window.store.update(focus=Focus("relu1", (2,)))
    assert does.is_complete(window.teaching.progress, window.teaching.lesson)
    window.store.update(focus=Focus("relu1", (1,)))
    assert does.is_complete(window.teaching.progress, window.teaching.lesson), "what was done is done"


class Measures(QObject):
    """An engine that answers when it is told to."""

    answered, refused, failed = Signal(int, str, object), Signal(int, str), Signal(int, str)

    def __init__(self):
        super().__init__()
        self.asked = []

    def request(self, name, /, **arguments):
        self.asked.append((name, arguments["words"]))
        return len(self.asked) - 1


def test_numbers_are_measured_here_one_after_the_other(window, pooling):
    engine = Measures()
    window.engine = engine
    window.teaching.begin(pooling, Progress("pooling"))
    all_words = list(dict.fromkeys(each.words for each in pooling.quantities))
    for number in range(len(all_words)):
        assert [words for _, words in engine.asked] == all_words[:number + 1]
        if number == 1:
            engine.refused.emit(number, "no")
        else:
            engine.answered.emit(number, "measure", {"value": 0.25, "error": 0.0, "of": 400})
    assert set(teaching._measured) == {*all_words} - {all_words[1]}
    window.teaching.to(2)
    assert window.teaching.page.filled("{two}") == "{25 %}"
    teaching._measured.clear()


@pytest.mark.parametrize("size", [(1600, 900), (1280, 800), (1024, 768), (960, 640)])
def test_words_question_and_stage_have_room_in_every_window(window, size):
    window.resize(*size)
    press(window, Key.Key_PageDown)
    panel, question, stage = window.panes.lesson, window.panes.question, window.stage
    assert stage.width() >= 896 or size[0] < 960
    assert question.geometry().left() >= panel.geometry().right(), "nothing of the question is covered"
    assert question.geometry().bottom() < stage.geometry().top() + 1
    assert stage.height() >= 300
    for one in question.buttons:
        assert question.rect().contains(one.geometry())
    if panel.lies_over:
        wide = panel.width()
        window.run("lesson-panel")
        assert panel.width() < wide
        assert panel.fold.isVisible()
        window.run("lesson-panel")
        assert panel.width() == wide


def test_the_steps_stand_by_name_under_the_stage_and_a_click_goes_there(window, pooling):
    window.resize(1600, 900)
    line = window.panes.line
    assert line.isVisible()
    assert window.stage.geometry().bottom() < line.geometry().top()
    assert [button.text() for button in line.buttons] == [step.title for step in pooling.steps]
    assert [button.isEnabled() for button in line.buttons] == [True, True, *[False] * 5]
    line.buttons[1].click()
    assert window.teaching.progress.step == 1
    assert [button.isChecked() for button in line.buttons].index(True) == 1
    assert "where you are" in line.buttons[1].accessibleName()
    line.buttons[4].click()
    assert window.teaching.progress.step == 1, "it is not reached yet"
    window.teaching.answer(2)
    press(window, Key.Key_PageDown)
    press(window, Key.Key_PageDown)
    line.buttons[0].setFocus()
    QTest.keyClick(line.buttons[0], Key.Key_Return)
    assert window.teaching.progress.step == 0
    assert [button.accessibleName().rpartition(", ")[2] for button in line.buttons[:3]] == [
        "where you are", "done", "to come"]
    window.teaching.leave()
    assert not line.isVisible()


def test_lessons_stand_on_the_start_screen_and_are_found(window):
    window.run("lessons")
    cards = window.panes.start.page.cards
    assert [button.card.lesson for button in cards] == [it.name for it in shelf.shelf().lessons]
    window.panes.start.search("strength without place")
    (found,) = [button for button in window.panes.start.page.cards if button.card.lesson]
    found.click()
    assert window.teaching.lesson.name == "pooling"
    assert not window.starting


def test_a_lesson_that_is_not_there_is_one_sentence(window):
    assert not window.teaching.open("no-such-lesson")
    assert "There is no lesson" in window.message.words
    assert window.teaching.lesson.name == "pooling", "the one that is open stays"


def test_undo_does_not_lead_out_of_the_lesson(window):
    window.run("next")
    window.run("undo")
    assert window.store.state.lesson == "pooling"


# --- before a room --------------------------------------------------------------------------------------------------

@pytest.fixture
def room(window):
    QTest.keyClick(window.stage, Key.Key_F5, SHIFT)
    assert window.presenting
    window.presenter.audience.resize(1920, 1080)
    yield window.presenter
    if window.presenting:
        window.presenter.leave()


def click(room, *keys):
    for key in keys:
        QTest.keyClick(room.audience, key)


def test_a_class_is_asked_counted_and_told_by_the_clicker_and_digits_alone(window, room):
    taught = window.teaching
    click(room, Key.Key_PageDown)
    assert "What does it make of them?" in room.picture.caption
    click(room, Key.Key_2, Key.Key_2, Key.Key_1, Key.Key_Plus, Key.Key_Minus, Key.Key_9)
    assert taught.progress.tally(1) == (1, 2, 0, 0, 0)
    assert taught.progress.answers == (), "a vote is no prediction of one's own"
    assert room.typed == "", "a digit is no number of a beat while a question is open"
    told = taught.page.bare(taught.lesson.steps[1].reveal[0])
    assert told not in room.picture.caption
    click(room, Key.Key_PageDown)
    assert told in room.picture.caption
    assert "2 of 3 chose the right answer" in room.picture.caption
    click(room, Key.Key_2)
    assert taught.progress.tally(1) == (1, 2, 0, 0, 0), "the votes before the reveal stay as they were"
    click(room, Key.Key_PageUp, Key.Key_PageUp)
    assert (taught.progress.step, taught.progress.revealed) == (0, False)


def test_without_any_vote_the_second_press_reveals(window, room):
    click(room, Key.Key_PageDown, Key.Key_PageDown)
    assert not window.teaching.progress.revealed
    assert "Once more reveals it" in words(room.picture), "said where the room's picture covers the window"
    click(room, Key.Key_PageDown)
    assert window.teaching.progress.revealed


def test_behind_the_last_step_the_room_sees_black_and_no_picture_that_nobody_asked_for(window, room):
    while window.teaching.on:
        assert not room.blank
        click(room, Key.Key_PageDown)
    assert room.blank == BLACK
    assert window.presenting
    click(room, Key.Key_PageDown)
    assert not room.blank, "any key brings the picture back"


def test_a_click_on_the_slide_answers_and_goes_to_a_step(window, room):
    click(room, Key.Key_PageDown)
    assert not hit(room, Focus("5", (), lessonpage.STEP)), "what is not reached yet is not offered"
    assert hit(room, Focus("2", (), lessonpage.ANSWER))
    assert window.teaching.progress.tally(1) == (0, 1, 0, 0, 0)
    assert hit(room, Focus("1", (), lessonpage.STEP))
    assert window.teaching.progress.step == 0
    click(room, Key.Key_B)
    assert room.blank == BLACK
    assert hit(room, Focus("2", (), lessonpage.STEP))
    assert (room.blank, window.teaching.progress.step) == ("", 0), "the first click brings the picture back"


def hit(room, focus):
    """Click with the mouse on what has that focus, if there is such a thing."""
    mark = next((mark for mark in (*room.picture.still, *room.picture.moving) if getattr(mark, "focus", None) == focus),
                None)
    if mark is None:
        return False
    at = QPointF(mark.x + mark.width / 2, mark.y + mark.height / 2) * room.audience.zoom + room.audience.corner
    QTest.mouseClick(room.audience, Qt.MouseButton.LeftButton, pos=at.toPoint())
    return True


def test_the_black_key_and_the_dot_blank_and_never_answer(window, room):
    click(room, Key.Key_PageDown, Key.Key_B)
    assert room.blank
    click(room, Key.Key_PageDown)
    assert not room.blank
    assert not window.teaching.progress.revealed, "the press that brings the picture back does nothing else"
    click(room, Key.Key_Period)
    assert room.blank
    click(room, Key.Key_B)
    assert window.teaching.progress.votes == window.teaching.progress.answers == ()


def test_leaving_the_room_leaves_the_lesson_where_it_is_and_answers_are_ones_own_again(window, room):
    click(room, Key.Key_PageDown, Key.Key_3)
    room.leave()
    assert window.teaching.progress.step == 1
    press(window, Key.Key_4)
    assert window.teaching.progress.answer(1)[0] == 4
    assert window.teaching.progress.tally(1) == (0, 0, 1, 0, 0)


def test_a_projector_that_is_unplugged_half_way_takes_nothing_and_comes_back_where_one_has_gone_to(window, room):
    click(room, Key.Key_PageDown, Key.Key_2, Key.Key_1, Key.Key_PageDown)
    assert window.teaching.progress.revealed
    before, screen = window.teaching.progress, room.audience.shown_on
    room.screen_removed(screen)
    assert not window.presenting
    assert window.isVisible()
    assert window.panes.lesson.isVisible()
    assert window.teaching.progress == before
    press(window, Key.Key_PageDown)
    assert window.teaching.progress.step == 2, "the clicker goes on in the window"
    room.screen_added(screen)
    assert window.presenting
    assert window.teaching.page.step.question.words.split("?")[0] in room.picture.caption
    assert window.teaching.voting, "the class is asked again"
    click(room, Key.Key_3)
    assert window.teaching.progress.tally(2) == (0, 0, 1, 0, 0)
    assert window.teaching.progress.tally(1) == (1, 1, 0, 0, 0)
    room.leave()
    room.screen_added(screen)
    assert not window.presenting, "who has ended it is not shown to a room again"


def test_the_questions_of_a_lesson_are_written_for_a_learning_platform_from_the_window(qtbot, digits, tmp_path,
                                                                                         monkeypatch):
    shown = opened(qtbot, Store(State(), digits))
    path, offered = tmp_path / "asked.gift", []
    monkeypatch.setattr(shown, "ask_for_name",
                        lambda title, name, kinds: offered.append((name, kinds)) or (str(path), ""))
    shown.run("lesson-quiz")
    assert "Open a lesson first" in shown.message.words
    shown.open_lesson("parallel-or-sequential")
    shown.run("lesson-quiz")
    assert offered == [("parallel-or-sequential.gift", "CSV (*.csv);;GIFT (*.gift *.txt);;QTI 2.1 (*.zip)")]
    qtbot.waitUntil(lambda: "Saved as asked.gift" in shown.message.words, timeout=60000)
    assert path.read_text().count("::") == 6


def test_from_the_start_screen_one_key_of_the_clicker_begins_a_lesson_before_a_room(qtbot, digits):
    kept.change(teaching.NAME, lambda known: {})
    shown = opened(qtbot, Store(State(), digits))
    shown.go_to_start()
    QTest.keyClick(shown, Key.Key_F5)
    assert not shown.starting
    assert shown.presenting
    assert shown.teaching.lesson.number == 1, "nothing was begun: the first of the course"
    QTest.keyClick(shown.presenter.audience, Key.Key_PageDown)
    QTest.keyClick(shown.presenter.audience, Key.Key_F5)
    QTest.keyClick(shown.presenter.audience, Key.Key_Escape)
    shown.go_to_start()
    QTest.keyClick(shown, Key.Key_F5)
    assert (shown.teaching.lesson.number, shown.teaching.progress.step) == (1, 1), "where it was left"
    shown.presenter.leave()


def test_the_card_of_a_lesson_says_how_far_one_came(qtbot, digits, window):
    press(window, Key.Key_PageDown)
    shown = opened(qtbot, Store(State(), digits))
    shown.show_lessons()
    said = {card.text(): card.reached() for card in shown.panes.start.page.cards if card.card.lesson}
    assert said.pop("Pooling: strength without place") == "step 2 of 7"
    assert not any(said.values())
    window.teaching.to(6)
    window.teaching.forward()
    shown.panes.start.page.show_kind("Lessons")
    (card,) = (card for card in shown.panes.start.page.cards if card.card.lesson == "pooling")
    assert card.reached() == "Done"
    assert "Done" in card.accessibleName()


def test_the_speaker_has_notes_next_step_and_time(window, room, pooling):
    click(room, Key.Key_PageDown)
    room.show_speaker()
    assert room.pace == (0, pooling.pace[1])
    room.seconds = 33
    assert room.pace[0] == 33
    coming = room.coming()
    assert room.window.teaching.page.bare(pooling.steps[1].reveal[0]) in coming.caption
    assert not room.window.teaching.progress.revealed, "what comes is shown to the speaker alone"
    room.speaker.notes.setPlainText("wait here")
    click_next = next(button for button in room.speaker.buttons if button.text() == "Next")
    window.teaching.answer(2)
    click_next.click()
    assert window.teaching.progress.revealed
    assert room.speaker.notes.toPlainText() == "wait here", "one step, one note, before its reveal and behind it"
    click(room, Key.Key_PageDown)
    assert room.speaker.notes.toPlainText() == "", "notes are kept by the step"
    window.teaching.backward()
    assert room.speaker.notes.toPlainText() == "wait here"
    assert not room.speaker.file.isVisible(), "a lesson that came with the app is not written to"


def test_notes_come_back_with_the_lesson_and_go_into_the_file_of_ones_own(window, room, tmp_path):
    path = tmp_path / "mine.md"
    path.write_text(MINE, encoding="utf-8")
    shelf.look_in(tmp_path)
    try:
        window.open_lesson("mine")
        room.show_speaker()
        room.speaker.notes.setPlainText("ask twice")
        window.teaching.again()
        window.teaching.forward()
        room.speaker.notes.setPlainText("and wait\nlong")
        window.teaching.leave()
        window.open_lesson("mine")
        assert (window.teaching.progress.step, room.speaker.notes.toPlainText()) == (1, "and wait\nlong")
        assert room.speaker.file.isVisible()
        room.speaker.file.click()
        assert path.read_text(encoding="utf-8") == MINE.replace("### Notes\n\nBe brief.\n", (
            "### Notes\n\nBe brief.\n\nask twice\n")) + "\n### Notes\n\nand wait\nlong\n"
        assert "mine.md" in window.message.words
        assert room.speaker.notes.toPlainText() == ""
        assert "and wait" in window.teaching.page.step.notes
        room.speaker.notes.setPlainText("# no")
        room.speaker.file.click()
        assert "The notes are not in the file: line " in window.message.words
        assert "# no" not in path.read_text(encoding="utf-8")
    finally:
        shelf.suppose_nothing()


MINE = """---
format: 1
title: Mine
---

## One

- model: digits_cnn

See.

### Notes

Be brief.

## Two

See more.
"""


def test_what_the_picture_says_of_itself_does_not_compete_with_the_slide(window, room):
    from visualizer.scene.picture import LANE, SENTENCE

    assert not any(getattr(mark, "group", None) in (SENTENCE, LANE) for mark in room.picture)
    assert room.picture.size == room.size()


def test_presenting_again_counts_every_vote_once(window, room):
    click(room, Key.Key_PageDown, Key.Key_1)
    room.leave()
    room.present_here()
    click(room, Key.Key_1)
    assert window.teaching.progress.tally(1) == (2, 0, 0, 0, 0)


def test_another_language_keeps_the_lesson_and_what_is_written(window, qtbot):
    window.run("lesson-record")
    window.writing.write("Mine", "Words.")
    other = opened(qtbot, window.store)
    other.take_over(window)
    assert [draft.title for draft in other.writing.drafts] == ["Mine"]
    assert not window.writing.on


# --- what is played between two steps -------------------------------------------------------------------------------

@pytest.fixture
def two_times(window):
    """A lesson whose second step shows the same at a later time and whose third at an earlier one; and what moves."""
    at = [lessons.Shown((Place(view="network", at=f"{address}.forward"),)) for address in ("conv1", "conv2", "relu1")]
    steps = tuple(lessons.Step(f"{index}", ("It.",), shown, shown) for index, shown in enumerate(at))
    window.teaching.leave()
    window.store.update(view="network", at="conv1.forward", focus=None)
    glides = []
    window.teaching.glide = lambda: lambda owner, seconds, function: glides.append((seconds, function)) or function(0.0)
    window.teaching.begin(lessons.Lesson(teaching.TRIED, "Two", steps), Progress(teaching.TRIED))
    glides.clear()
    return window, glides


def test_a_step_that_shows_a_later_time_is_played_to(two_times):
    window, glides = two_times
    window.teaching.forward()
    (seconds, go), = glides
    times = window.store.timeline
    first, last = (times.second_of(times.find(f"{name}.forward")) for name in ("conv1", "conv2"))
    assert seconds == pytest.approx(float(last - first))
    assert window.store.state.at == "conv1.forward"
    assert window.store.state.step == 1
    go(0.5)
    assert window.store.moment == times.at(first + (last - first) / 2)
    assert not window.teaching.astray
    go(1.0)
    assert window.store.state.at == "conv2.forward"
    assert not window.teaching.astray
    window.teaching.forward()
    assert window.store.state.at == "relu1.forward", "back it goes at once"
    assert len(glides) == 1


def test_whoever_goes_elsewhere_meanwhile_is_left_there(two_times):
    window, glides = two_times
    window.teaching.forward()
    go = glides[0][1]
    go(0.3)
    window.store.update(at="fc1.forward")
    go(0.6)
    assert window.store.state.at == "fc1.forward"
    assert window.teaching.astray
    go(1.0)
    assert window.store.state.at == "fc1.forward"


def test_with_less_motion_one_is_there_at_once(two_times):
    window, _ = two_times
    window.teaching.glide = lambda: Player(window.store).glide
    window.store.update(look=replace(window.store.state.look, reduced_motion=True))
    window.teaching.forward()
    assert window.store.state.at == "conv2.forward"


def test_no_second_line_of_a_heading_lies_on_the_cells_of_a_low_slide():
    trace = trace_of("lenet_mnist")

    def said(size):
        state = changed(State(), model="lenet_mnist", sample=trace.sample, at="conv1.forward")
        return words(for_room(trace, moment_of(state, timeline(trace)), state, size))

    assert "156 params" in said((1920, 756))
    assert "156 params" not in said((1600, 630)), "its cells begin higher there"
