"""The panel in which a film is chosen, and the process that makes it: what is on screen is what is filmed."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageSequence
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMenu

from tests.recorded import recorded as read
from tests.toys import toy
from visualizer import app, cli, export, paint
from visualizer.door import card_of
from visualizer.inputs import samples
from visualizer.scene.picture import Focus, Look
from visualizer.scene.state import State, changed, from_json, over_inputs
from visualizer.ui import filming, style
from visualizer.ui.filming import Job, Wish, arguments, filmed, first_input
from visualizer.ui.saving import pictured
from visualizer.ui.store import Store
from visualizer.ui.window import Window

Key, Modifier = Qt.Key, Qt.KeyboardModifier
SMALL = Look(size=(640, 480))


@pytest.fixture
def window(qtbot):
    """On the middle of the toy's way back, so that from here to the end is short."""
    where = changed(State(), model="toy", sample="two", at="relu.backward", focus=Focus("conv", (1,)))
    style.wear(app.application(), "light")
    opened = Window(Store(where, toy()))
    qtbot.addWidget(opened)
    opened.resize(1100, 780)
    with qtbot.waitSignal(opened.painted, timeout=5000), qtbot.waitExposed(opened):
        opened.show()
    opened.activateWindow()
    yield opened
    if opened.film_panel is not None and opened.film_panel.job is not None:
        opened.film_panel.job._leave()


def choose(panel, **rows):
    for name, number in rows.items():
        QTest.mouseClick(getattr(panel, name).buttons[number], Qt.MouseButton.LeftButton)


def made(qtbot, panel, path):
    """The sentence with which a film ends."""
    with qtbot.waitSignal(panel.said, timeout=60_000) as told:
        panel.start(path)
    return told.args[0]


def test_the_key_shows_the_panel_and_esc_puts_it_away(window):
    QTest.keyClick(window.stage, Key.Key_E, Modifier.ControlModifier | Modifier.ShiftModifier)
    panel = window.film_panel
    assert panel.isVisible()
    assert panel.focusWidget() is panel.stretch.buttons[0]
    assert window.rect().contains(panel.geometry())
    for _, segments in panel.rows:
        assert segments.accessibleName()
        assert all(panel.rect().contains(segments.geometry()) for _ in segments.buttons)
        assert all(button.accessibleName() for button in segments.buttons)
    assert panel.go.isVisible()
    assert not panel.stop.isVisible()
    QTest.keyClick(window.focusWidget(), Key.Key_Escape)
    assert not panel.isVisible()
    assert window.focusWidget() is window.stage


def test_the_panel_says_how_long_the_film_is_and_why_there_can_be_none(window, monkeypatch):
    window.run("film")
    panel = window.film_panel
    choose(panel, form=names(panel).index("gif"), rate=1, size_row=0)
    whole, good = panel.words()
    assert good
    assert whole == f"{float(filmed((toy(),), pictured(window.store), panel.wish()).seconds):.1f} s, " \
                    f"{filmed((toy(),), pictured(window.store), panel.wish()).count:,} frames"
    choose(panel, stretch=3)
    here, _ = panel.words()
    assert float(here.split()[0]) < float(whole.split()[0])
    assert panel.accessibleDescription() == here
    choose(panel, rate=2)
    assert panel.words() == ("A GIF shows at most 50 frames a second; choose 50 or fewer.", False)
    assert not panel.go.isEnabled()
    choose(panel, form=names(panel).index("apng"))
    assert panel.go.isEnabled()


def test_what_is_on_screen_is_filmed_beside_the_window_and_opens_where_it_begins(window, qtbot, tmp_path):
    window.run("film")
    panel = window.film_panel
    choose(panel, stretch=3, form=names(panel).index("apng"), size_row=0, rate=0, speed=3)
    film = filmed((toy(),), pictured(window.store), panel.wish())
    told = []
    with qtbot.waitSignal(panel.said, timeout=60_000) as said:
        panel.start(tmp_path / "a.apng")
        panel.job.progress.connect(lambda done, of: told.append((done, of)))
        folder = panel.job.folder
        assert panel.stop.isVisible()
        assert not panel.go.isVisible()
        window.run("first")  # one goes on meanwhile; the film stays what it was
    size = (tmp_path / "a.apng").stat().st_size / 1e6
    assert said.args[0] == f"Saved as a.apng: {film.count:,} frames, {float(film.seconds):.1f} s, {size:.1f} MB."
    assert window.message.words == said.args[0]
    assert told[-1] == (film.count, film.count)
    assert not folder.exists()
    assert panel.go.isVisible()
    opened = from_json(export.state_in(tmp_path / "a.apng"))
    assert (opened.model, opened.at, opened.focus) == ("toy", "relu.backward@0", Focus("conv", (1,)))
    with Image.open(tmp_path / "a.apng") as image:
        last = np.array([frame.convert("RGB") for frame in ImageSequence.Iterator(image)][-1])
    exact = paint.render(film.picture(film.count - 1)).convertToFormat(QImage.Format.Format_RGBA8888)
    exact = np.array(exact.constBits()).reshape(*last.shape[:2], 4)[..., :3]
    assert np.array_equal(last, exact)


def test_a_film_is_cancelled_and_nothing_is_left(window, qtbot, tmp_path):
    window.run("film")
    panel = window.film_panel
    choose(panel, form=names(panel).index("apng"), size_row=3, rate=2, speed=0)
    (tmp_path / "a.apng").write_bytes(b"old")
    panel.start(tmp_path / "a.apng")
    folder = panel.job.folder
    qtbot.waitUntil(lambda: panel.done[0] > 0, timeout=60_000)
    window.run("film")  # put away, it goes on
    assert window.message.words == "The film is being made; Ctrl+Shift+E shows how far it is."
    window.run("film")
    assert " of " in panel.words()[0]
    with qtbot.waitSignal(panel.said, timeout=60_000) as said:
        panel.stop.click()
    assert said.args == ["The film was stopped; a.apng was not written."]
    assert (tmp_path / "a.apng").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.apng"]
    assert not folder.exists()


def test_why_a_film_was_not_made_is_said_in_one_sentence(window, qtbot, tmp_path):
    window.run("film")
    choose(window.film_panel, form=names(window.film_panel).index("gif"))
    missing = tmp_path / "nowhere"
    said = made(qtbot, window.film_panel, missing / "a.gif")
    assert said == f"The film was not made: There is no folder {missing}; make it first, or choose another."


def test_a_process_that_dies_is_told(window, qtbot, tmp_path):
    window.run("film")
    panel = window.film_panel
    choose(panel, form=names(panel).index("apng"), size_row=3, rate=2)
    with qtbot.waitSignal(panel.said, timeout=60_000) as said:
        panel.start(tmp_path / "a.apng")
        qtbot.waitUntil(lambda: panel.done[0] > 0, timeout=60_000)
        panel.job.process.kill()
    assert said.args == ["The film was not made: its process ended unexpectedly; try again."]
    assert list(tmp_path.iterdir()) == []


def test_the_window_may_close_while_a_film_is_made(qtbot, tmp_path):
    job = Job((toy(),), changed(State(), model="toy"), Wish(form="apng", scale=3.0, fps=60), tmp_path / "a.apng")
    with qtbot.waitSignal(job.progress, timeout=60_000):
        pass
    job._leave()
    assert job.process.state() == job.process.ProcessState.NotRunning
    assert list(tmp_path.iterdir()) == []
    assert not job.folder.exists()


@pytest.mark.matrix(sample=4)
@pytest.mark.parametrize("stretch", range(4))
@pytest.mark.parametrize("wish", [Wish(form="apng", scale=0, fps=15), Wish(form="gif", scale=1.5, speed=0.5)])
def test_the_command_line_is_told_the_same_film(stretch, wish, tmp_path, capsys):
    wish, where = replace(wish, stretch=stretch, fps=1), changed(State(), model="toy", at="fc.forward", look=SMALL)
    toy().save(tmp_path / "toy.trace")
    (tmp_path / "a.session").write_text(filming.to_json(where))
    film = filmed((toy(),), where, wish)
    assert cli.main(["film", str(tmp_path / "a.session"), "--numbers", str(tmp_path / "toy.trace"), "--json", "-o",
                     str(tmp_path / f"a.{wish.form}"), *arguments((toy(),), where, wish)]) == cli.DONE
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["frames"], told["seconds"]) == (film.count, float(film.seconds))
    with Image.open(told["file"]) as image:
        assert image.size == film.size
    assert from_json(export.state_in(told["file"])).at == film.moment(0).address


def test_a_name_is_asked_for_and_gets_the_ending_of_its_format(window, monkeypatch, tmp_path):
    window.run("film")
    panel, asked = window.film_panel, []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda parent, title, name, kinds:
                        asked.append((name, kinds)) or (str(tmp_path / "mine"), ""))
    monkeypatch.setattr(panel, "start", asked.append)
    choose(panel, form=names(panel).index("webp"))
    panel.go.click()
    choose(panel, form=names(panel).index("folder"))
    panel.go.click()
    assert asked == [("toy.webp", "Animated WebP (*.webp)"), tmp_path / "mine.webp", ("toy-film", ""),
                     tmp_path / "mine"]


@pytest.mark.skipif(importlib.util.find_spec("av") is not None, reason="PyAV is installed")
def test_without_pyav_the_panel_says_how_to_get_it(window):
    window.run("film")
    words, good = window.film_panel.words()
    assert not good
    assert "pip install 'av>=18'" in words


def names(panel):
    return [form.name for form in panel.forms]


# --- through inputs -------------------------------------------------------------------------------------------------

@pytest.fixture
def digits(qtbot):
    """On a network that takes other inputs."""
    trace = read("digits_cnn")
    where = changed(State(), model="digits_cnn", sample=trace.sample.name, at="conv2.forward")
    style.wear(app.application(), "light")
    opened = Window(Store(where, trace))
    qtbot.addWidget(opened)
    opened.resize(1100, 780)
    with qtbot.waitSignal(opened.painted, timeout=5000), qtbot.waitExposed(opened):
        opened.show()
    opened.activateWindow()
    return opened


def test_a_key_shows_the_panel_for_a_film_through_the_inputs(digits):
    key = Key.Key_E, Modifier.ControlModifier | Modifier.AltModifier
    QTest.keyClick(digits.stage, *key)
    panel = digits.film_panel
    assert panel.wish().over
    assert panel.focusWidget() is panel.through.buttons[1]
    assert panel.chooser.isEnabled()
    assert panel.chooser.accessibleName() == "Which inputs: All inputs"
    assert [button.isHidden() for button in panel.stretch.buttons] == [False, True, True, False]
    inputs = len(digits.store.inputs.words)
    film = filmed((digits.store.trace,), digits.store.state, panel.wish(), digits.store.inputs)
    assert float(film.last) == pytest.approx((inputs - 1) * 0.4 + inputs * 0.6 - 0.6), "0.4 s to the next, 0.6 s there"
    choose(panel, form=[form.name for form in panel.forms].index("gif"))  # which needs nothing that may be missing
    assert panel.words() == (f"{float(film.seconds):.1f} s, {film.count:,} frames", True)
    choose(panel, stretch=3)
    digits.store.update(sample=digits.store.inputs.words[-2])
    assert first_input(digits.store.state, panel.wish(), digits.store.inputs) == inputs - 1
    choose(panel, through=0)
    assert not panel.wish().over
    assert not any(button.isHidden() for button in panel.stretch.buttons)
    QTest.keyClick(panel, *key)
    assert panel.wish().over
    QTest.keyClick(panel, *key)
    assert not panel.isVisible()


def test_all_that_can_be_stepped_through_can_be_filmed(digits, monkeypatch):
    """The menu of the panel is that of the track: the two always go through the same inputs."""
    digits.run("film-inputs")
    popped, menu = [], QMenu()
    monkeypatch.setattr(digits.menus, "pop_inputs", lambda at, below: popped.append(below))
    QTest.mouseClick(digits.film_panel.chooser, Qt.MouseButton.LeftButton)
    assert popped == [True]
    digits.menus.fill_inputs(menu)
    offered = [action.text() for action in menu.actions() if action.text()]
    assert offered == ["All", "Answered wrong", "Least sure first", "Those that excite conv2:2 most", "One class",
                       "The files of a folder …", "The lines of a text, the rows of a table …"]
    digits.store.apply(lambda state: over_inputs(state, "inputs:class=4"))
    digits.film_panel.refresh()
    assert digits.film_panel.chooser.text().startswith("Class 4")
    assert digits.film_panel.words() == ("The inputs are still being read; they can be filmed in a moment.", False)
    assert not digits.film_panel.go.isEnabled()


def test_what_takes_no_other_inputs_says_why_no_film_goes_through_any(window):
    window.run("film-inputs")
    assert window.message.words.startswith("There are no other inputs here")
    window.run("film")
    panel = window.film_panel
    assert not panel.through.buttons[1].isEnabled()
    assert panel.through.buttons[1].toolTip().startswith("There are no other inputs here")
    assert panel.chooser.isHidden()


@pytest.mark.parametrize("stretch", [0, 3])
def test_the_command_line_is_told_the_same_film_through_inputs(stretch, tmp_path, capsys):
    trace = read("digits_cnn")
    found = samples(card_of("digits_cnn").kind)
    known = replace(found, words=found.words[:3], labels=found.labels[:3])
    where = changed(State(), model="digits_cnn", sample=known.words[1], at="conv2.forward", look=SMALL)
    wish = Wish(stretch, "apng", 0.0, 15, 4, over=True)
    trace.save(tmp_path / "0.trace")
    (tmp_path / "a.session").write_text(filming.to_json(where))
    film = filmed((trace,), where, wish, known)
    assert cli.main(["film", str(tmp_path / "a.session"), "--numbers", str(tmp_path / "0.trace"), "--json", "-o",
                     str(tmp_path / "a.apng"), *arguments((trace,), where, wish, known)]) == cli.DONE
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["frames"], told["seconds"]) == (film.count, float(film.seconds))
    opened = from_json(export.state_in(told["file"]))
    assert (opened.sample, opened.at) == (known.words[1 if stretch else 0], "conv2.forward")
