"""Presenting: keys from any widget, screens that come and go, and what a room can read, measured on the marks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QSpinBox

from tests.test_stage import hover
from tests.test_views import box
from visualizer import app as the_app
from visualizer import record, registry
from visualizer.export import state_in
from visualizer.scene import colour, projector, spotlight
from visualizer.scene import state as does
from visualizer.scene.picture import BEAT, Focus, Image, Line, Look, Path, Rect, Text, rich
from visualizer.scene.state import State, changed, from_json, to_json
from visualizer.scene.timeline import timeline
from visualizer.trace import Refused, load
from visualizer.ui import style
from visualizer.ui.commands.exporting import export_to
from visualizer.ui.player import Player
from visualizer.ui.presenter import for_room
from visualizer.ui.speaker import clock_words
from visualizer.ui.store import Store
from visualizer.ui.window import Window
from visualizer.views import all_views, find
from visualizer.views import picture as picture_of

Key, LEFT = Qt.Key, Qt.MouseButton.LeftButton
SHIFT = Qt.KeyboardModifier.ShiftModifier
SIZES = ((1024, 768), (1920, 1080), (3840, 2160))


@pytest.fixture(scope="module")
def digits():
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


@pytest.fixture(scope="module")
def characters():
    return record.record("char_lstm", "")


@pytest.fixture
def window(qtbot, digits):
    style.wear(the_app.application(), "light")
    made = Window(Store(changed(State(), at="conv2.forward", focus=Focus("conv2", (7,))), digits))
    qtbot.addWidget(made)
    made.resize(1600, 900)
    with qtbot.waitSignal(made.painted, timeout=5000), qtbot.waitExposed(made):
        made.show()
    made.stage.refresh()
    yield made
    if made.presenting:
        made.presenter.leave()


@pytest.fixture
def presenting(window):
    QTest.keyClick(window, Key.Key_F5, SHIFT)
    assert window.presenting
    window.presenter.audience.resize(1920, 1080)
    return window.presenter


@pytest.fixture
def two_screens(window):
    """Two screens, as far as this machine has them: the one there is, and the same once more."""
    screen = QGuiApplication.primaryScreen()
    window.presenter.screens = lambda: [screen, Twin()]
    window.presenter.screens()
    return window


class Twin:
    """A screen that is not the window's; whatever is asked of it is asked of the real one."""

    def __getattr__(self, name):
        return getattr(QGuiApplication.primaryScreen(), name)


def again(window):
    """F5 in the window, when it has the keyboard again."""
    QApplication.processEvents()
    QTest.keyClick(window, Key.Key_F5)
    assert window.presenting


def beat(window):
    return window.store.moment.beat.address


# --- keys -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("field", [QSpinBox, QLineEdit, QPlainTextEdit])
def test_the_clicker_works_whatever_field_has_the_keyboard(window, field):
    made = field(window)
    made.show()
    made.setFocus()
    QTest.keyClick(window, Key.Key_F5, SHIFT)
    presenter, before = window.presenter, beat(window)
    QTest.keyClick(made, Key.Key_PageDown)
    assert beat(window) != before
    QTest.keyClick(made, Key.Key_PageUp)
    assert beat(window) == before
    for key, color in ((Key.Key_Period, "#000000"), (Key.Key_B, "#000000"), (Key.Key_W, "#FFFFFF")):
        QTest.keyClick(made, key)
        assert presenter.blank == color
        QTest.keyClick(made, key)
        assert presenter.blank == ""
    for key, there in ((Key.Key_End, "input.backward"), (Key.Key_Home, "softmax.backward"),
                       (Key.Key_Home, "input.forward"),
                       (Key.Key_Right, "conv1.forward"), (Key.Key_Space, "relu1.forward"),
                       (Key.Key_Left, "conv1.forward"), (Key.Key_Backspace, "input.forward")):
        QTest.keyClick(made, key)
        assert beat(window) == there, key
    words = made.text() if not isinstance(made, QPlainTextEdit) else made.toPlainText()
    assert words in ("", "0"), "nothing of it was typed into the field"
    QTest.keyClick(made, Key.Key_Escape)
    assert not window.presenting


def test_keys_belong_to_the_field_again_when_nothing_is_presented(window, presenting):
    field = QLineEdit(window)
    presenting.leave()
    QTest.keyClicks(field, "b.w")
    assert field.text() == "b.w"


def test_while_frozen_one_can_type_and_still_click_on(window, presenting):
    field = QLineEdit(window)
    presenting.toggle_frozen()
    QTest.keyClicks(field, "web 2.")
    assert field.text() == "web 2."
    before = beat(window)
    QTest.keyClick(field, Key.Key_PageDown)
    assert beat(window) != before


def test_escape_only_leaves_full_screen(window, presenting):
    QTest.keyClick(presenting.audience, Key.Key_PageDown)
    presenting.draw(((0.1, 0.1), (0.2, 0.2)))
    before = window.store.state
    audience = presenting.audience
    QTest.keyClick(audience, Key.Key_Escape)
    assert not window.presenting
    assert not audience.isVisible()
    assert window.isVisible()
    assert window.store.state == before
    again(window)
    assert window.store.state == before, "the button of a clicker that alternates F5 and Esc loses nothing"


def test_f5_begins_at_the_first_beat_and_shift_f5_here(window):
    QTest.keyClick(window, Key.Key_F5)
    assert beat(window) == "input.forward"
    window.presenter.leave()
    window.store.update(at="fc1.forward", sample="digit-2149")
    QTest.keyClick(window, Key.Key_F5, SHIFT)
    assert beat(window) == "fc1.forward"


def test_a_number_and_enter_jump_to_that_beat(window, presenting):
    count = len(window.store.timeline.beats)
    for typed, there in (("7", 7), ("12", 12), ("999", count), ("0", 1)):
        for digit in typed:
            QTest.keyClick(presenting.audience, digit)
        assert presenting.typed == typed
        QTest.keyClick(presenting.audience, Key.Key_Return)
        assert window.store.moment.index == there - 1
        assert presenting.typed == ""
    QTest.keyClick(presenting.audience, "5")
    QTest.keyClick(presenting.audience, Key.Key_PageDown)
    assert presenting.typed == "", "any other key forgets what was typed"


def test_any_key_of_the_clicker_brings_a_blank_screen_back_and_does_nothing_else(window, presenting):
    before = beat(window)
    QTest.keyClick(presenting.audience, Key.Key_Period)
    assert presenting.audience.grab().toImage().pixelColor(200, 200).name() == "#000000"
    QTest.keyClick(presenting.audience, Key.Key_PageDown)
    assert presenting.blank == ""
    assert beat(window) == before
    assert presenting.audience.grab().toImage().pixelColor(4, 4).name() == "#ffffff"


def test_over_the_picture_every_other_key_of_the_app_works(window, presenting):
    QTest.keyClick(presenting.audience, Key.Key_R)
    assert beat(window) == "conv2.backward"
    QTest.keyClick(presenting.audience, Key.Key_K)
    assert window.store.state.playing
    QTest.keyClick(presenting.audience, Key.Key_Plus)
    QTest.keyClick(presenting.audience, Key.Key_Equal, Qt.KeyboardModifier.ControlModifier)
    assert presenting.audience.zoom == pytest.approx(1.25)


# --- screens --------------------------------------------------------------------------------------------------------

def test_with_one_screen_the_audience_has_it_all(presenting):
    assert presenting.audience.isFullScreen()
    assert presenting.speaker is None


def test_on_one_screen_what_is_asked_for_lies_over_the_picture_and_no_key_is_lost(window, presenting):
    for key in (Key.Key_F1, Key.Key_E):
        QTest.keyClick(presenting.audience, key)
        sheet = window.cover.shown
        assert sheet.parentWidget() is presenting.audience
        assert sheet.isVisible()
        assert presenting.audience.rect().contains(sheet.geometry())
        QTest.keyClick(sheet, Key.Key_Escape)
        assert window.cover.shown is None
        assert window.presenter.on
        at = window.store.state.at
        QTest.keyClick(presenting.audience, Key.Key_Right)
        assert window.store.state.at != at
    QTest.keyClick(presenting.audience, Key.Key_E)
    window.presenter.leave()
    assert window.cover.shown is None


def test_on_one_screen_the_speaker_s_view_lies_over_the_picture_and_goes_again(window, presenting):
    audience = presenting.audience
    QTest.keyClick(audience, Key.Key_F2)
    speaker = presenting.speaker
    assert speaker.parentWidget() is audience
    assert speaker.geometry() == audience.rect()
    at = window.store.state.at
    QTest.keyClicks(speaker.notes, "Say this")
    assert window.store.state.at == at
    assert "Say this" in [words for _, words in window.store.state.notes]
    speaker.setFocus()
    QTest.keyClick(speaker, Key.Key_V)
    assert presenting.speaker is None
    assert presenting.on
    QTest.keyClick(audience, Key.Key_V)
    QTest.keyClick(presenting.speaker, Key.Key_Escape)
    assert not presenting.on
    assert presenting.speaker is None


def test_on_one_screen_what_stands_in_the_window_ends_presenting(window, presenting):
    QTest.keyClick(presenting.audience, Key.Key_E, Qt.KeyboardModifier.ControlModifier | SHIFT)
    assert not window.presenter.on
    assert window.film_panel.isVisible()


def test_with_two_screens_the_speaker_has_the_first(two_screens, monkeypatch):
    went = []
    monkeypatch.setattr("visualizer.ui.presenter.Audience.go_to", lambda self, screen: went.append(screen))
    QTest.keyClick(two_screens, Key.Key_F5, SHIFT)
    assert isinstance(went[0], Twin)
    speaker = two_screens.presenter.speaker
    assert speaker.isVisible()
    assert speaker.now.picture.caption == two_screens.stage.picture.caption
    assert speaker.next.picture.caption != speaker.now.picture.caption
    QTest.keyClick(speaker, Key.Key_PageDown)
    assert speaker.now.picture.caption == two_screens.stage.picture.caption
    assert not speaker.grab().isNull()


TWO = """
import json, sys
from visualizer import app as the_app, registry
from visualizer.scene.state import State, changed
from visualizer.trace import load
from visualizer.ui import style
from visualizer.ui.store import Store
from visualizer.ui.window import Window
app = the_app.application()
style.wear(app, "light")
store = Store(changed(State(), at="conv2.forward"), load(registry.folder("assets") / "traces" / "digits_cnn.trace"))
window = Window(store)
window.resize(1200, 800)
window.show()
app.processEvents()
window.presenter.present_here()
app.processEvents()
audience, screens = window.presenter.audience, app.screens()
found = [len(screens), audience.screen() is screens[1], audience.isFullScreen(), [audience.width(), audience.height()],
         window.screen() is screens[0], window.presenter.speaker.isVisible(), list(audience.picture.size)]
window.presenter.screen_removed(screens[1])
app.processEvents()
print(json.dumps([*found, window.presenting, window.isVisible(), store.state.at]))
"""


def test_on_two_real_screens_the_audience_has_the_second_and_the_speaker_the_first(tmp_path):
    """Qt's platform without a display takes its screens from a file."""
    screen = {"x": 0, "y": 0, "width": 1600, "height": 900, "logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}
    path = tmp_path / "screens.json"
    path.write_text(json.dumps({"screens": [{**screen, "name": "desk"}, {**screen, "name": "projector", "x": 1600,
                                                                         "width": 1920, "height": 1080}]}))
    done = subprocess.run([sys.executable, "-c", TWO], capture_output=True, text=True, timeout=120, check=False,
                          env={**os.environ, "QT_QPA_PLATFORM": f"offscreen:configfile={path}"})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [2, True, True, [1920, 1080], True, True, [1920, 1080],
                                                        False, True, "conv2.forward"]


def test_a_lost_projector_takes_nothing_with_it(window, presenting):
    presenting.draw(((0.1, 0.1), (0.2, 0.2)))
    QTest.keyClick(presenting.audience, Key.Key_PageDown)
    before, lost = window.store.state, presenting.audience.shown_on
    presenting.screen_removed(lost)
    assert not window.presenting
    assert window.isVisible()
    assert "F5" in window.message.words
    again(window)
    assert window.store.state == before


def test_a_screen_that_goes_but_is_not_the_projector_changes_nothing(window, presenting):
    presenting.screen_removed(Twin())
    assert window.presenting


def test_a_screen_that_comes_is_offered_and_f5_takes_it(window, presenting, monkeypatch):
    went, twin = [], Twin()
    monkeypatch.setattr("visualizer.ui.presenter.Audience.go_to", lambda self, screen: went.append(screen))
    presenting.screen_added(twin)
    assert presenting.offered is twin
    assert not went
    QTest.keyClick(presenting.audience, Key.Key_F5)
    assert went == [twin]
    assert presenting.speaker is not None


# --- freeze, pen, spotlight, alone, known state ---------------------------------------------------------------------

def test_frozen_holds_the_picture_while_the_state_goes_on(window, presenting):
    held = presenting.audience.picture
    QTest.keyClick(presenting.audience, Key.Key_F)
    QTest.keyClick(presenting.audience, Key.Key_PageDown)
    window.store.update(view="filters")
    assert window.store.moment.beat.address == "relu2.forward"
    assert presenting.audience.picture == held
    presenting.draw(((0.1, 0.1), (0.2, 0.2)))
    assert len(pen_lines(presenting)) == 1, "the pen draws on what is seen"
    QTest.keyClick(presenting.audience, Key.Key_F)
    assert not pen_lines(presenting)
    assert presenting.audience.picture.caption == window.stage.picture.caption != held.caption


def pen_lines(presenter):
    return [mark for mark in presenter.audience.picture if isinstance(mark, Line) and mark.color == "pen"]


def test_a_stroke_belongs_to_its_beat(window, presenting):
    audience = presenting.audience
    QTest.keyClick(audience, Key.Key_P)
    QTest.mousePress(audience, LEFT, pos=QPoint(100, 100))
    for x in (150, 200, 260):
        QTest.mouseMove(audience, QPoint(x, 100))
    QTest.mouseRelease(audience, LEFT, pos=QPoint(260, 100))
    first = pen_lines(presenting)
    assert len(first) == 1
    assert first[0].points[0] == pytest.approx((100, 100))
    QTest.keyClick(audience, Key.Key_PageDown)
    assert not pen_lines(presenting)
    presenting.draw(((0.5, 0.5), (0.6, 0.6)))
    presenting.draw(((0.5, 0.6), (0.6, 0.5)))
    QTest.keyClick(audience, Key.Key_PageUp)
    assert pen_lines(presenting) == first
    QTest.keyClick(audience, Key.Key_Z)
    assert not pen_lines(presenting)
    QTest.keyClick(audience, Key.Key_PageDown)
    assert len(pen_lines(presenting)) == 2, "the strokes of another beat are not touched"
    QTest.keyClick(audience, Key.Key_Z, SHIFT)
    assert not pen_lines(presenting)
    window.store.undo()
    assert len(pen_lines(presenting)) == 2


def test_strokes_are_in_an_export_only_by_choice_and_notes_never(window, presenting, tmp_path):
    presenting.draw(((0.1, 0.5), (0.9, 0.5)))
    window.store.apply(lambda state: does.with_note(state, presenting.beat, "my secret"))
    for chosen, lines in ((False, 0), (True, 1)):
        window.store.update(inked=chosen)
        assert sum(isinstance(mark, Line) and mark.color == "pen" for mark in window.shown_picture()) == lines
        path = tmp_path / f"{chosen}.png"
        export_to(window, path)
        found = from_json(state_in(path) or "")
        assert found.notes == ()
        assert len(found.strokes) == lines


def test_the_spotlight_walks_by_keys_and_follows_the_mouse(window, presenting):
    audience = presenting.audience
    QTest.keyClick(audience, Key.Key_O)
    assert presenting.part().focus == Focus("conv2")
    whole = audience._spot()
    order = [part.focus for part in spotlight.parts(presenting.picture)]
    QTest.keyClick(audience, Key.Key_Tab)
    assert presenting.part().focus == order[order.index(Focus("conv2")) + 1]
    here = presenting.part()
    assert presenting.part_name() == (here.group.name if here.focus is None else here.focus.layer)
    QTest.keyClick(audience, Key.Key_Tab, SHIFT)
    assert audience._spot() == whole
    names = set()
    for _ in spotlight.parts(presenting.picture):
        QTest.keyClick(audience, Key.Key_Tab)
        names.add(presenting.part_name())
    assert {"the sentence", "input", "conv2", "softmax"} <= names
    hover(audience, QPoint(300, 300))
    assert audience._spot().center().x() == pytest.approx(300, abs=1)
    image = audience.grab().toImage()
    assert image.pixelColor(4, 4).name() != "#ffffff", "what is outside is dimmed"
    QTest.keyClick(audience, Key.Key_O)
    assert audience.grab().toImage().pixelColor(4, 4).name() == "#ffffff"


def test_hide_everything_but_this(presenting):
    QTest.keyClick(presenting.audience, Key.Key_H)
    layers = {mark.focus.layer for mark in presenting.audience.picture
              if isinstance(mark, Image) and mark.focus is not None}
    assert layers == {"conv2"}
    assert any(isinstance(mark, Text) and "conv2" in mark.plain for mark in presenting.audience.picture)
    QTest.keyClick(presenting.audience, Key.Key_H)
    assert len({mark.focus.layer for mark in presenting.audience.picture
                if isinstance(mark, Image) and mark.focus is not None}) > 1


def test_the_known_state_is_always_the_same_picture_and_can_be_undone(window, presenting):
    seen = set()
    for keys in ((Key.Key_R, Key.Key_O), (Key.Key_N, Key.Key_H, Key.Key_PageDown), (Key.Key_S, Key.Key_B)):
        for key in keys:
            QTest.keyClick(presenting.audience, key)
        presenting.draw(((0.1, 0.1), (0.2, 0.2)))
        before = window.store.state
        QTest.keyClick(presenting.audience, Key.Key_F8)
        seen.add(presenting.audience.picture.dump())
        assert (presenting.blank, presenting.spotlight, presenting.alone) == ("", False, None)
        window.store.undo()
        assert window.store.state == before
    assert len(seen) == 1


def test_zoom_draws_the_picture_larger_and_as_sharp(presenting):
    """A pixel of a map enlarged four times has hard edges: no more colours than before in a row across it."""
    audience = presenting.audience
    presenting.toggle_spotlight()
    for _ in range(6):
        QTest.keyClick(audience, Key.Key_Plus)
        audience.zoom_on(1.25)
    assert audience.zoom > 3
    mark = next(mark for mark in audience.picture if isinstance(mark, Image) and mark.focus == Focus("input"))
    audience.zoom, audience.corner = 4.0, audience.corner * 0
    audience.corner.setX(-mark.x * 4)
    audience.corner.setY(-mark.y * 4)
    audience.keep_inside()
    image = audience.grab().toImage()
    x, y = audience.corner.x() + mark.x * 4, audience.corner.y() + (mark.y + mark.cell[1] * 14.5) * 4
    presenting.toggle_spotlight()
    step = mark.cell[0] * 4
    colors = [image.pixelColor(round(x + step * (column + 0.5)), round(y)).name() for column in range(6)]
    inside = [image.pixelColor(round(x + step * (column + 0.3)), round(y)).name() for column in range(6)]
    assert colors == inside, "each value is one flat cell"


def test_equal_beats_give_equal_pictures(window, digits):
    times = timeline(digits)
    state = window.store.state
    for index in (0, 4, len(times.beats) - 1):
        moment = times.settled(index)
        assert for_room(digits, moment, state, SIZES[1]).dump() == for_room(digits, moment, state, SIZES[1]).dump()


# --- notes and clock ------------------------------------------------------------------------------------------------

def test_notes_are_kept_by_beat_and_in_the_session(window):
    QTest.keyClick(window, Key.Key_F2)
    notes = window.presenter.speaker.notes
    QTest.keyClicks(notes, "Ask first: bigger or smaller?")
    window.run("next")
    assert notes.toPlainText() == ""
    window.run("back")
    assert notes.toPlainText() == "Ask first: bigger or smaller?"
    assert from_json(to_json(window.store.state)).notes == window.store.state.notes != ()
    QTest.keyClick(window, Key.Key_Escape)
    assert window.presenter.speaker is None


def test_while_notes_are_written_letters_are_letters_and_page_keys_go_on(window, presenting):
    presenting.write_notes()
    notes = presenting.speaker.notes
    notes.setFocus()
    QTest.keyClicks(notes, "b. w 7")
    assert notes.toPlainText() == "b. w 7"
    assert presenting.blank == ""
    before = beat(window)
    QTest.keyClick(notes, Key.Key_PageDown)
    assert beat(window) != before


def test_a_saved_state_with_broken_strokes_is_refused():
    good = to_json(replace(State(), strokes=(("b", ((0.1, 0.2), (0.3, 0.4))),)))
    assert from_json(good).strokes == (("b", ((0.1, 0.2), (0.3, 0.4))),)
    for wrong in ('"strokes": 5', '"strokes": [["b", [[1]]]]', '"strokes": [["b", "x"]]', '"notes": [[1, "x"]]'):
        with pytest.raises(Refused):
            from_json('{"version": 1, ' + wrong + "}")


def test_the_clock_tells_each_second_once():
    now, heard = [0], []
    player = Player(Store(), clock=lambda: now[0])
    player.count(heard.append)
    for now[0] in (100, 900, 1000, 1400, 2100, 5000):
        player.tell()
    assert heard == [0, 1, 2, 5]
    player.count(None)
    now[0] = 9000
    player.tell()
    assert heard == [0, 1, 2, 5]
    assert [clock_words(seconds) for seconds in (0, 65, 3725)] == ["0:00", "1:05", "1:02:05"]


# --- what a room can read -------------------------------------------------------------------------------------------

def shown(trace, size, views=None):
    """(name, picture) of views of a trace at a few beats forwards and backwards, for a room of that size."""
    times = timeline(trace)
    count = len(times.beats)
    for view in all_views():
        if view.suits(trace) and (views is None or view.name in views):
            for index in sorted({0, count // 5, count // 3, count // 2 + 2, count - 1}):
                yield f"{view.name} {times.beats[index].address}", for_room(trace, times.settled(index),
                                                                            changed(State(), view=view.name), size)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("model", ["digits", "characters"])
def test_type_lines_and_markers_are_shares_of_the_height(model, size, request):
    trace, high = request.getfixturevalue(model), size[1]
    for name, picture in shown(trace, size):
        texts = [mark for mark in picture if isinstance(mark, Text)]
        assert min(mark.size for mark in texts) >= high / 36 - 1e-6, name
        sentence = [mark for mark in texts if mark.weight == 500 and mark.size == pytest.approx(high / 30)]
        assert sentence, f"{name} has no sentence of 1/30"
        large = [mark for mark in texts if mark.display and mark.y < projector.HEAD * high / 36 / 11]
        assert len(large) <= 1
        assert all(mark.size == pytest.approx(high / 12) for mark in large)
        for mark in picture:
            if isinstance(mark, Line) or (isinstance(mark, Path) and mark.stroke):
                assert mark.width >= 3, f"{name}: {mark}"
            if isinstance(mark, Rect) and mark.focus is None and mark.radius and \
                    mark.width == pytest.approx(2 * mark.radius) == pytest.approx(mark.height):
                assert mark.width >= 10, f"{name}: {mark}"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("model", ["digits", "characters"])
def test_nothing_a_room_sees_overlaps_or_is_cut_off(model, size, request):
    for name, picture in shown(request.getfixturevalue(model), size):
        boxes = [(mark.plain, box(mark)) for mark in picture if isinstance(mark, Text) and mark.opacity > 0.5]
        for index, (words, (x0, y0, x1, y1)) in enumerate(boxes):
            assert x0 >= -1, (name, words)
            assert x1 <= size[0] + 1, (name, words)
            assert y0 >= -1, (name, words)
            assert y1 <= size[1] + 1, (name, words)
            assert not words.endswith("…"), (name, words)
            for other, (u0, v0, u1, v1) in boxes[index + 1:]:
                assert x1 <= u0 + 1 or u1 <= x0 + 1 or y1 <= v0 + 1 or v1 <= y0 + 1, f"{name}: {words!r} and {other!r}"


def test_the_whole_sentence_is_shown_and_its_number_large(digits, characters):
    for trace in (digits, characters):
        for size in SIZES:
            for name, picture in shown(trace, size):
                lines = [mark for mark in picture if isinstance(mark, Text) and mark.size == pytest.approx(size[1] / 30)
                         and mark.y < projector.HEAD * size[1] / 36 / 11]
                said = " ".join(mark.plain for mark in sorted(lines, key=lambda mark: mark.y))
                assert said.replace(" ", "") == picture.caption.replace(" ", ""), name
    picture = for_room(digits, timeline(digits).find("softmax.forward"), State(), SIZES[1])
    assert [mark.plain for mark in picture if isinstance(mark, Text) and mark.display] == ["80.5 %"]


def test_text_in_the_projector_theme_has_seven_to_one(digits, characters):
    for trace in (digits, characters):
        used = {run.color or mark.color for _, picture in shown(trace, SIZES[1]) for mark in picture
                if isinstance(mark, Text) for run in mark.runs}
        on = {"on-accent": "accent-fill"}
        for token in sorted(used):
            if ":" not in token and token != "stage":  # a white sign on a dark cell: tests/test_colour.py
                ground = on.get(token, "stage")
                found = colour.contrast(colour.resolve("projector", token), colour.resolve("projector", ground))
                assert found >= 7, token
    assert colour.contrast(colour.resolve("projector", "pen"), colour.resolve("projector", "stage")) >= 7


def test_a_number_too_wide_for_its_place_is_cut_to_its_first_word():
    look = projector.look_for(Look(), SIZES[0])
    assert projector.first_word("188 of 784") == "188"
    assert projector.first_word("80.5 % of it") == "80.5 %"
    look = look.laid_out
    marks = projector.headline(look, rich("On the way back {193,456 of 784,000} places carry gradient; that is all."))
    assert marks[0].plain == "193,456"
    without = projector.headline(look, rich("Nothing is measured here."))
    assert [mark.display for mark in without] == [False]


def test_every_part_lies_in_the_frame_and_the_beats_are_none(digits):
    for name, picture in shown(digits, SIZES[1]):
        found = spotlight.parts(picture)
        assert found[0].focus is None, name
        assert all(part.focus is None or part.focus.array != BEAT for part in found)
        for part in found:
            assert part.place[0] >= -1, name
            assert part.place[2] <= SIZES[1][0] + 1, name


def test_the_desk_picture_is_not_touched(digits):
    """The look of a room is a choice: without it a view draws what it drew before."""
    view, moment = find("network"), timeline(digits).find("conv2.forward")
    plain = view.draw(digits, moment, None, Look((1920, 1080), "projector"))
    large = picture_of(view, digits, moment, None, projector.look_for(Look(), (1920, 1080)))
    assert sum(isinstance(mark, Text) for mark in plain) > sum(isinstance(mark, Text) for mark in large)
