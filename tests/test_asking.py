"""Opening a model file in the window: what is asked, what comes of the answers, and that nothing goes wrong twice."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPlainTextEdit, QWidget
from torch import nn

from tests.test_one_door import Engine
from visualizer import manifest, opening, survey
from visualizer.engine.requests import REQUESTS
from visualizer.language import speaking
from visualizer.manifest import Manifest
from visualizer.scene import modelpage
from visualizer.scene.modelpage import ARCHITECTURE, INPUT, Found, Page
from visualizer.scene.picture import Image, Look, Text, box_of, rich
from visualizer.scene.state import State
from visualizer.scene.type import bounds
from visualizer.survey import Check, Class, Opens, Row, Seen, Survey
from visualizer.trace import Refused
from visualizer.ui.asking import Asking, lists
from visualizer.ui.buttons import Button, Segments
from visualizer.ui.modelsheet import MenuButton, ModelSheet
from visualizer.ui.recorder import Recorder
from visualizer.ui.running import App
from visualizer.ui.store import Store
from visualizer.ui.what_if import Field

SIZES = [(1600, 900), (1366, 768), (1024, 768), (960, 640)]


class Tiny(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4 * 36, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(torch.relu(self.conv(x)).flatten(1))


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A program that reads pictures, as torch.export writes it."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("exported") / "tiny.pt2"
    torch.export.save(torch.export.export(Tiny().eval(), (torch.rand(1, 3, 8, 8),)), path)
    return path


@pytest.fixture
def tiny(exported, tmp_path):
    path = tmp_path / "tiny.pt2"
    path.write_bytes(exported.read_bytes())
    return path


def toy(**changes) -> Survey:
    """What is known of a small network that reads pictures in colour."""
    fed = np.linspace(-2, 2, 3 * 8 * 8).reshape(3, 8, 8)
    return replace(Survey(
        "/none/animals.pt2", "animals", "program of torch.export", 495_343, "4c8c" * 16, 40,
        rows=(Row("conv", "conv2d", "3 × 3, 3 → 4", (4, 6, 6), parameters=112, adds=3888),
              Row("block", shape=(4, 6, 6), group=True, parameters=20),
              Row("block.norm", "batch_norm", "in evaluation", (4, 6, 6), parameters=8, depth=1),
              Row("block.scale", "mul", "", (4, 6, 6), parameters=12, depth=1),
              Row("roll", "roll", "moved by 1", (4, 6, 6), taken=False),
              Row("fc", "linear", "144 → 5", (5,), parameters=725, adds=720)),
        parameters=857, adds=4608, dtype="float32",
        told=Manifest(kind="image", shape=(3, 8, 8), scale="0 … 1", colours="RGB", fit="crop", layout="channels first",
                      labels=("cat", "dog", "emu", "fox", "gnu"), answer="classes"),
        asked=("scale", "colours", "mean"), outputs=((5,),), labelled=5, found="/none/animals.txt",
        seen=(Seen("cat", np.zeros((20, 30, 3), np.uint8), fed, ("red", "green", "blue"), survey.ranges(fed, 0)),),
        views=(Opens("network", "Network", True, "every map"), Opens("gates", "Gates", False, "no gates")),
        checks=(Check("no code"), Check("no infinity", False)), whole=("roll",)), **changes)


# --- what is asked --------------------------------------------------------------------------------------------------

def test_nothing_is_asked_where_the_file_says_all_or_it_was_said_before():
    assert opening.is_clear(toy(asked=()))
    assert opening.is_clear(toy(kept="/none/animals.pt2.visualizer.json"))
    assert not opening.is_clear(toy())
    assert not opening.is_clear(toy(asked=(), runs=True))
    assert opening.is_clear(toy(asked=(), runs=True, agreed=True))
    assert not opening.is_clear(toy(kept="/none/x.json", why="It does not fit.")), "what was said does not help"


def test_what_the_file_does_not_say_is_marked_until_it_is_answered():
    at = opening.begun(toy())
    asked = {each.name: each for each in opening.questions(at)}
    assert {name for name, each in asked.items() if each.open} == {"scale", "colours", "preset"}
    assert not any(each.answered for each in asked.values())
    assert at.step == INPUT
    assert opening.page(at).progress[INPUT] == (modelpage.ASKED, "3 answers proposed")
    at = opening.answered(at, "scale", "0 … 255")
    scale = next(each for each in opening.questions(at) if each.name == "scale")
    assert (scale.open, scale.answered) == (True, True)
    assert opening.page(at).progress[INPUT][1] == "2 answers proposed"


@pytest.mark.parametrize(("name", "word", "field", "value"), [
    ("scale", "−1 … 1", "scale", "−1 … 1"), ("colours", "BGR", "colours", "BGR"), ("fit", "pad", "fit", "pad"),
    ("preset", "imagenet", "mean", (0.485, 0.456, 0.406)), ("preset", "mnist", "divisor", (0.3081,)),
    ("mean", "0.5, 0.4 0.3", "mean", (0.5, 0.4, 0.3)), ("shape", "3 × ? × 32", "shape", (3, None, 32)),
    ("shape", "3, 32, 32", "shape", (3, 32, 32)), ("alphabet", "ab\\na", "alphabet", ("a", "b", "\n")),
    ("labels", ["x", "y"], "labels", ("x", "y")), ("rate", "16000", "rate", 16000),
    ("answer", "mask", "answer", "mask"),
    ("arguments", "classes=10, wide=False", "arguments", {"classes": 10, "wide": False}),
    ("wiring", ("Linear(3, 4)", "ReLU()"), "wiring", ("Linear(3, 4)", "ReLU()")),
    ("blank", "3", "settings", {"blank": 3})])
def test_an_answer_is_said_in_the_manifest(name, word, field, value):
    assert getattr(opening.answered(opening.begun(toy()), name, word).said, field) == value


@pytest.mark.parametrize(("name", "word"), [
    ("shape", "wide"), ("shape", "0 × 3"), ("mean", "half"), ("divisor", "0"), ("rate", "fast"), ("arguments", "10"),
    ("arguments", "x=__import__('os')"), ("arguments", "x="), ("weights", "../../etc/passwd"), ("blank", "none"),
    ("scale", "0 … 7")])
def test_what_is_no_answer_is_said_in_one_sentence(name, word):
    with pytest.raises(Refused, match=r"no answer to that \(.*\)\.$"):
        opening.answered(opening.begun(toy()), name, word)


def test_of_several_inputs_each_is_asked_for_itself():
    inputs = {"image": manifest.Input(kind="image", shape=(3, 8, 8), scale="0 … 1"),
              "facts": manifest.Input(kind="tensor", shape=(5,))}
    at = opening.begun(toy(told=Manifest(kind="several", inputs=inputs), asked=("image.scale",)))
    assert opening.page(at).inputs == ("image", "facts")
    at = opening.answered(at, "image.scale", "0 … 255")
    assert at.said.inputs["image"].scale == "0 … 255"
    names = {each.name for each in opening.questions(opening.turned(at, "input", 1))}
    assert "facts.kind" in names
    assert "image.scale" not in names


def test_a_program_is_asked_about_in_plain_words():
    code = toy(file="/none/net.py", rows=(), told=Manifest(), asked=("name",), runs=True, outputs=(), labelled=0,
               choices=(Class("Net", (("classes", ""), ("wide", "False"))), Class("model", made=True)))
    page = opening.page(opening.begun(code))
    assert "is a program: it runs when you press" in page.sentence
    assert (page.act, page.runs, page.badge[0]) == ("Run this program", True, "This file is a program")
    asked = {each.name: each for each in page.questions}
    assert dict(asked["name"].choices) == {"Net": "Net", "model": "model"}
    assert asked["arguments"].open, "one of them has no usual value"
    made = opening.answered(opening.begun(code), "name", "model")
    assert "arguments" not in {each.name for each in opening.questions(made)}, "it is there already"
    run = opening.page(opening.begun(replace(code, agreed=True, rows=toy().rows)))
    assert run.act == "Run it once and open"


def test_a_wiring_is_a_list_of_lines_and_the_wrong_one_is_marked():
    lines = ("Conv2d(3, 4, 3)", "ReLU()", "Linear(7, 5)")
    at = opening.begun(toy(told=replace(toy().told, wiring=lines), asked=("wiring",), rows=(),
                           why="line 3 does not fit: 144 numbers come and 7 are read."))
    page = opening.page(at)
    assert [line for line, _, _ in page.lines] == list(lines)
    assert [bool(wrong) for _, _, wrong in page.lines] == [False, False, True]
    assert page.progress[ARCHITECTURE][0] == modelpage.WRONG


# --- what is seen ---------------------------------------------------------------------------------------------------

def test_the_sentence_counts_and_takes_no_name_for_markup():
    said = opening.sentence(toy(file="/none/a_b_*c*.pt2"))
    assert "857" in said
    assert "5 operations; 4 can be taken apart" in said
    assert "a_b_*c*.pt2" in "".join(run.text for run in rich(said))


def test_a_long_list_is_folded_until_it_is_seen_at_once():
    blocks = [found for block in range(12) for found in (
        Found(f"b{block}", is_group=True), *(Found(f"l{layer}", depth=1) for layer in range(4)))]
    folded = modelpage.usual_folds(blocks)
    assert len(modelpage.shown_of(blocks, folded)) == 12
    assert modelpage.usual_folds(blocks[:20]) == frozenset()
    at = opening.turned(opening.begun(toy()), "row", 1)
    assert [opening.page(at).found[index].name for index in modelpage.shown_of(opening.page(at).found, at.folded)] == [
        "conv", "block", "roll", "fc"]


@pytest.mark.parametrize("shape", [(44_000,), (3, 224, 224), (1, 28, 28), (12, 6), (7, 5, 9, 9), (1,), (2, 4000),
                                   (43_844, 1), (500, 300, 3)])
def test_an_input_of_any_shape_is_seen_whole_and_small(shape):
    fed = np.random.default_rng(0).normal(size=shape)
    at = opening.begun(toy(seen=(Seen("x", None, fed, (), survey.ranges(fed, None)),)))
    laid = modelpage.asked(opening.page(at), Look(size=(470, 300)))
    tiles = [mark for mark in laid.picture if isinstance(mark, Image)]
    assert tiles
    for tile in tiles:
        assert all(side == int(side) for side in tile.cell)
        assert tile.x + tile.tile_size[0] <= 470
        assert 16 <= tile.tile_size[1] <= 96 + 16
    if len(shape) < 3 or shape[0] <= 4:  # else not all of it is shown
        assert max(np.abs(tile.values.astype(int) - 128).max() for tile in tiles) == 127, "the strongest is seen"


@pytest.mark.parametrize("language", ["", "de"])
@pytest.mark.parametrize("wide", [420, 520, 900])
def test_nothing_leaves_the_page_and_no_words_lie_on_others(wide, language):
    with speaking(language):
        page = opening.page(opening.begun(toy()))
        for part in (modelpage.found, modelpage.asked, modelpage.facts, modelpage.head):
            laid = part(page, Look(size=(wide, 300), language=language))
            high = laid.picture.size[1]
            texts = [mark for mark in laid.picture if isinstance(mark, Text)]
            for mark in laid.picture:
                x, y, broad, tall = box_of(mark)
                assert x >= -1, mark
                assert x + broad <= wide + 1.5, mark
                assert y + tall <= high + 1, mark
            for number, one in enumerate(texts):
                for other in texts[number + 1:]:
                    assert not _over(bounds(one), bounds(other)), (one.plain, other.plain)
            for name, (x, y, broad, tall) in laid.places.items():
                assert x + broad <= wide + 1, name
                assert not name.startswith("label:") or y + tall <= high


def _over(one, other) -> bool:
    return one[0] < other[2] - 1 and other[0] < one[2] - 1 and one[1] < other[3] - 1 and other[1] < one[3] - 1


# --- the sheet ------------------------------------------------------------------------------------------------------

class Desk(QWidget):
    """A window with the sheet in it, and what it said."""

    def __init__(self, page: Page, size=(1600, 900)) -> None:
        super().__init__()
        self.resize(*size)
        self.sheet = ModelSheet(page, Look(), self, lists())
        self.sheet.setGeometry(self.rect())
        self.heard: list[tuple[str, object]] = []
        for signal in ("answered", "turned"):
            getattr(self.sheet, signal).connect(lambda name, word, signal=signal: self.heard.append((name, word)))
        for signal in ("wanted", "closed", "another"):
            getattr(self.sheet, signal).connect(lambda signal=signal: self.heard.append((signal, None)))
        self.sheet.labels_wanted.connect(lambda word: self.heard.append(("list", word)))


@pytest.fixture
def desk(qtbot):
    def made(page=None, size=(1600, 900)):
        found = Desk(page or opening.page(opening.begun(toy())), size)
        qtbot.addWidget(found)
        found.show()
        found.sheet.setFocus()
        return found
    return made


@pytest.mark.parametrize("size", SIZES)
def test_every_control_has_a_name_a_tip_and_a_place_of_its_own(desk, size):
    sheet = desk(size=size).sheet
    assert set(sheet.controls) == {each.name for each in sheet.page.questions}
    for name, control in sheet.controls.items():
        for widget in control.buttons if isinstance(control, Segments) else [control]:
            assert widget.accessibleName(), name
            assert widget.toolTip(), name
    boxes = [control.geometry() for control in sheet.controls.values()]
    assert not any(one.intersects(other) for number, one in enumerate(boxes) for other in boxes[number + 1:])
    buttons = [button for button in sheet.findChildren(Button) if button.isVisible()]
    assert all(button.accessibleName() and (button.toolTip() or button.text()) for button in buttons)
    assert sheet.rect().contains(sheet.run.geometry())
    assert not sheet.run.geometry().intersects(sheet.cancel.geometry())


def test_enter_opens_escape_cancels_and_tab_goes_through_every_question(desk):
    at = desk()
    QTest.keyClick(at.sheet, Qt.Key.Key_Return)
    QTest.keyClick(at.sheet, Qt.Key.Key_Escape)
    assert at.heard == [("wanted", None), ("closed", None)]
    seen = []
    for _ in range(40):
        QTest.keyClick(at.focusWidget() or at.sheet, Qt.Key.Key_Tab)
        seen.append(at.focusWidget())
    reached = {name for name, control in at.sheet.controls.items()
               if control in seen or any(button in seen for button in getattr(control, "buttons", ()))}
    assert reached == set(at.sheet.controls)
    assert {at.sheet.run, at.sheet.cancel} <= set(seen)
    at.heard.clear()
    control = at.sheet.controls["scale"]
    assert isinstance(control, Segments)
    control.buttons[0].setFocus()
    QTest.keyClick(control.buttons[0], Qt.Key.Key_Return)
    assert at.heard == [("wanted", None)], "Enter on a choice opens, too"


def test_each_answer_is_told(desk):
    at = desk()
    sheet = at.sheet
    scale = sheet.controls["scale"]
    assert isinstance(scale, Segments)
    QTest.mouseClick(scale.buttons[1], Qt.MouseButton.LeftButton)
    preset = sheet.controls["preset"]
    assert isinstance(preset, MenuButton)
    preset.picked.emit("imagenet")
    field = sheet.controls["shape"]
    assert isinstance(field, Field)
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "3, 9, 9")
    QTest.keyClick(field, Qt.Key.Key_Return)
    sheet._label_buttons[2].click()
    assert at.heard == [("scale", "0 … 255"), ("preset", "imagenet"), ("shape", "3, 9, 9"), ("labels", ())]


def test_labels_are_renamed_in_place_and_edited_as_a_text(desk):
    at = desk()
    sheet = at.sheet
    x, y, _, high = sheet.asked.laid.places["label:1"]
    QTest.mouseClick(sheet.asked.canvas, Qt.MouseButton.LeftButton, pos=QPoint(round(x + 10), round(y + high / 2)))
    assert sheet.renaming is not None
    index, field = sheet.renaming
    assert (index, field.text()) == (1, "dog")
    field.setText("hound")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert at.heard[-1] == ("labels", ("cat", "hound", "emu", "fox", "gnu"))
    assert sheet.renaming is not None
    assert sheet.renaming[0] == 2, "the next one"
    QTest.keyClick(sheet.renaming[1], Qt.Key.Key_Escape)
    assert sheet.renaming is None
    assert at.heard[-1][0] == "labels", "the sheet stays"
    sheet.edit_labels()
    assert sheet.editor is not None
    sheet.editor.text.setPlainText("one\ntwo\n\nthree")
    sheet.editor.take.click()
    assert at.heard[-1] == ("labels", ("one", "two", "three"))
    sheet.edit_labels()
    QTest.keyClick(sheet.findChild(QPlainTextEdit), Qt.Key.Key_Escape)
    assert sheet.editor is None
    assert ("closed", None) not in at.heard, "only the text was put away"


def test_a_wiring_is_edited_line_by_line(desk):
    lines = ("Conv2d(3, 4, 3)", "ReLU()")
    at = desk(opening.page(opening.begun(toy(told=replace(toy().told, wiring=lines), asked=("wiring",)))))
    field = at.sheet.controls["line:1"]
    assert isinstance(field, Field)
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "Tanh()")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert at.heard[-1] == ("wiring", ("Conv2d(3, 4, 3)", "Tanh()"))
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert "line:2" in at.sheet.controls, "Enter once more adds a line"


def test_the_keys_are_shown_and_put_away(desk):
    at = desk()
    QTest.keyClick(at.sheet, Qt.Key.Key_F1)
    assert at.focusWidget() is not at.sheet
    QTest.keyClick(at.focusWidget(), Qt.Key.Key_A)
    assert at.focusWidget() is at.sheet
    assert at.heard == []


@pytest.mark.parametrize("seed", [0, 1])
def test_random_clicks_and_keys_leave_it_whole(desk, seed):
    at = desk(size=SIZES[seed])
    draw = random.Random(seed)
    state = [opening.begun(toy())]

    def follow(name, word):
        try:
            state[0] = opening.answered(state[0], name, word)
        except Refused as error:
            state[0] = replace(state[0], problem=str(error))
        at.sheet.show_page(opening.page(state[0]))

    def turn(name, word):
        state[0] = opening.turned(state[0], name, word)
        at.sheet.show_page(opening.page(state[0]))

    at.sheet.answered.connect(follow)
    at.sheet.turned.connect(turn)
    keys = [Qt.Key.Key_Tab, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_A,
            Qt.Key.Key_Escape, Qt.Key.Key_PageDown, Qt.Key.Key_F1, Qt.Key.Key_Backspace]
    for _ in range(150):
        if draw.random() < 0.5:
            point = QPoint(draw.randrange(at.width()), draw.randrange(at.height()))
            target = at.childAt(point) or at.sheet
            if not isinstance(target, MenuButton) and target is not at.sheet._label_buttons[1]:
                QTest.mouseClick(target, Qt.MouseButton.LeftButton, pos=QPointF(target.mapFrom(at, point)).toPoint())
        elif not isinstance(now := at.focusWidget() or at.sheet, MenuButton) and now is not at.sheet._label_buttons[1]:
            QTest.keyClick(now, draw.choice(keys))
        if draw.random() < 0.05:
            at.resize(*draw.choice(SIZES))
            at.sheet.setGeometry(at.rect())
    at.sheet.grab()
    assert at.sheet.page.name == "animals.pt2"


# --- between the file and the sheet ----------------------------------------------------------------------------------

class Surveying(Engine):
    """The engine without a process of its own, which looks at files, too."""

    def work(self):
        while self.waiting:
            number, name, wishes = self.waiting.pop(0)
            if name in ("survey", "describe", "record"):
                try:
                    check = {"check": False} if name == "record" else {}
                    self.answered.emit(number, name, REQUESTS[name](**{**wishes, **check}))
                except Refused as error:
                    self.refused.emit(number, str(error))


@pytest.fixture
def joined():
    recorder = Recorder(Store(State()), Surveying())
    asking = Asking(recorder)
    asking.pages, asking.sentences, asking.ends = [], [], []
    asking.shown.connect(asking.pages.append)
    asking.over.connect(lambda: asking.ends.append(1))
    for speaker in (asking, recorder):
        speaker.said.connect(asking.sentences.append)
    return asking


def test_a_file_that_leaves_questions_is_asked_about_run_once_and_opened(joined, tiny):
    joined.recorder.open(str(tiny))
    assert joined.pages == [], "the window does not wait for the engine"
    joined.engine.work()
    page = joined.pages[-1]
    assert page.name == "tiny.pt2"
    assert [each.name for each in page.found] == ["conv", "relu", "flatten", "fc"]
    assert page.parameters == sum(each.numel() for each in Tiny().parameters())
    before = joined.store.state
    assert before.model != str(tiny), "nothing moved yet"
    joined.answer("scale", "0 … 255")
    joined.engine.work()
    assert joined.opening.survey.told.scale == "0 … 255"
    joined.go()
    joined.engine.work()
    assert joined.ends
    assert joined.store.trace is not None
    assert joined.store.state.model == str(tiny)
    assert manifest.of(tiny).scale == "0 … 255"
    joined.pages.clear()
    joined.recorder.open(str(tiny))
    joined.engine.work()
    assert joined.pages == [], "it was said once"
    assert joined.sentences == []


def test_what_was_said_is_edited_and_the_recording_is_made_anew(joined, tiny):
    manifest.keep(tiny, Manifest(scale="0 … 1", mean=(0.0,), divisor=(1.0,)))
    joined.recorder.open(str(tiny))
    joined.engine.work()
    before = joined.store.trace
    joined.edit()
    joined.engine.work()
    assert joined.pages[-1].act == "Record it anew"
    joined.answer("scale", "0 … 255")
    joined.answer("labels", ("a", "b", "c", "d", "e"))
    joined.engine.work()
    joined.go()
    joined.engine.work()
    after = joined.store.trace
    assert after is not before
    assert not np.allclose(after["input"].output, before["input"].output)
    np.testing.assert_allclose(after["input"].output, 255 * before["input"].output, rtol=1e-5)
    assert after.labels == ("a", "b", "c", "d", "e")
    assert joined.sentences == []


def test_cancel_goes_back_and_keeps_nothing(joined, tiny):
    before = joined.store.state
    joined.recorder.open(str(tiny))
    joined.engine.work()
    joined.answer("scale", "−1 … 1")
    joined.cancel()
    joined.engine.work()
    assert joined.ends
    assert joined.store.state == before
    assert not manifest.beside(tiny).exists()


def test_a_crash_of_the_engine_is_one_sentence_and_the_sheet_stays(joined, tiny):
    joined.recorder.open(str(tiny))
    joined.engine.work()
    joined.answer("scale", "0 … 255")
    number = joined.engine.waiting.pop()[0]
    joined.engine.failed.emit(number, "The engine ended.")
    assert joined.pages[-1].problem == "The engine ended."
    assert joined.pages[-1].found
    joined.answer("scale", "0 … 1")
    joined.engine.work()
    assert joined.pages[-1].problem == ""
    joined.go()
    number, name, _ = joined.engine.waiting.pop()
    assert name == "describe"
    joined.engine.failed.emit(number, "The engine ended again.")
    assert joined.pages[-1].problem == "The engine ended again."
    assert joined.store.state.model != str(tiny)
    assert joined.ends == []


def test_what_takes_long_is_said_on_the_sheet_and_cancel_ends_it(joined, tiny):
    joined.recorder.open(str(tiny))
    joined.engine.work()
    joined.answer("scale", "0 … 255")
    number = joined.engine.waiting[-1][0]
    joined.engine.slow.emit(number, 8.0, 60.0, "conv")
    assert joined.pages[-1].busy == "conv takes long: 8 s; at 60 s it is ended."
    assert not joined.pages[-1].can
    joined.cancel()
    assert joined.engine.waiting == []
    assert joined.ends


def test_where_nothing_can_be_written_it_is_said_where_the_answers_are(joined, tiny, monkeypatch):
    joined.recorder.open(str(tiny))
    joined.engine.work()
    joined.answer("scale", "0 … 255")
    joined.engine.work()
    write = manifest.registry.write_whole

    def not_here(path, data):
        if path.parent == tiny.parent:
            raise manifest.registry.NotWritten(path, PermissionError(13, "no"))
        return write(path, data)

    monkeypatch.setattr(manifest.registry, "write_whole", not_here)
    joined.go()
    joined.engine.work()
    assert joined.ends
    assert len(joined.sentences) == 1
    assert "kept as" in joined.sentences[0]
    assert manifest.of(tiny).scale == "0 … 255"
    manifest.forget(tiny)  # it is kept by the bytes of the file, which the other tests have, too


def test_a_program_that_wants_arguments_leads_to_them(joined, tmp_path):
    path = tmp_path / "net.py"
    path.write_text("from torch import nn\nclass Net(nn.Module):\n    def __init__(self, classes):\n"
                    "        super().__init__()\n        self.fc = nn.Linear(6, classes)\n"
                    "    def forward(self, x):\n        return self.fc(x)\n")
    joined.recorder.open(str(path))
    joined.engine.work()
    assert joined.pages[-1].act == "Run this program"
    joined.go()
    joined.engine.work()
    page = joined.pages[-1]
    assert "classes" in page.problem
    assert (page.act, page.does) == ("Go to “Arguments”", modelpage.MEND)
    joined.answer("arguments", "classes=3")
    joined.engine.work()
    assert joined.pages[-1].problem == ""
    assert joined.pages[-1].act == "Run it once and open"
    joined.go()
    joined.engine.work()
    assert joined.store.state.model == str(path)
    assert joined.store.trace.layers[-1].output.size > 0
    assert joined.sentences == []


def test_what_is_no_model_is_refused_in_a_sentence_and_no_sheet_comes(joined, tmp_path):
    path = tmp_path / "a.pt2"
    path.write_bytes(b"PK\3\4 no more")
    joined.recorder.open(str(path))
    joined.engine.work()
    assert joined.pages == []
    assert len(joined.sentences) == 1


def test_of_what_says_all_of_itself_nothing_can_be_told(joined):
    joined.edit()
    assert len(joined.sentences) == 1
    assert joined.engine.waiting == []


# --- in the window ---------------------------------------------------------------------------------------------------

class Here(Surveying):
    """The engine of a whole app, without a process."""

    def start(self):
        """It is there already."""

    def stop(self):
        """There is nothing to end."""


@pytest.fixture
def app(qtbot):
    made = App()
    made.__dict__["engine"] = Here()
    made.window.resize(1366, 768)
    with qtbot.waitSignal(made.window.painted, timeout=5000):
        made.window.show()
    made.engine.waiting.clear()  # the check of the first picture
    yield made
    made.close()


def dropped_on(window, path):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    window.dropEvent(QDropEvent(QPointF(100, 100), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
                                Qt.KeyboardModifier.NoModifier))


def test_a_dropped_file_shows_the_sheet_which_escape_puts_away_and_enter_opens(app, tiny):
    window, before = app.window, app.store.state
    dropped_on(window, tiny)
    assert window.cover.shown is None, "nothing waits for the engine"
    app.engine.work()
    sheet = window.cover.shown
    assert isinstance(sheet, ModelSheet)
    assert sheet.page.name == "tiny.pt2"
    assert window.focusWidget() is sheet
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert window.cover.shown is None
    assert app.store.state == before
    assert window.focusWidget() is window.stage
    dropped_on(window, tiny)
    app.engine.work()
    QTest.keyClick(window.cover.shown, Qt.Key.Key_Return)
    app.engine.work()
    assert window.cover.shown is None
    assert app.store.state.model == str(tiny)
    assert window.windowTitle().startswith("tiny")
    window.run("tell")
    app.engine.work()
    assert isinstance(window.cover.shown, ModelSheet)
    assert window.cover.shown.page.act == "Record it anew"
    assert manifest.beside(tiny).is_file()


def test_from_the_start_screen_one_goes_back_to_it(app, tiny):
    app.window.go_to_start()
    app.window.open_path(str(tiny))
    app.engine.work()
    assert isinstance(app.window.cover.shown, ModelSheet)
    app.window.cover.shown.cancel.click()
    assert app.window.starting
    app.window.open_path(str(tiny))
    app.engine.work()
    app.window.cover.shown.run.click()
    app.engine.work()
    assert not app.window.starting
    assert app.store.state.model == str(tiny)


def test_the_sheet_comes_again_in_another_language(app, tiny):
    app.window.open_path(str(tiny))
    app.engine.work()
    app.store.update(look=replace(app.store.state.look, language="de"))
    try:
        sheet = app.window.cover.shown
        assert isinstance(sheet, ModelSheet)
        assert sheet.run.text() == "Einmal rechnen und öffnen"
    finally:
        app.store.update(look=replace(app.store.state.look, language=""))


def test_labels_come_from_a_file_that_is_chosen(app, tiny, tmp_path, monkeypatch):
    path = tmp_path / "names.txt"
    path.write_text("a\nb\nc\nd\ne\n")
    app.window.open_path(str(tiny))
    app.engine.work()
    monkeypatch.setattr(app.window, "ask_for_file", lambda title, kinds: str(path))
    app.window.cover.shown.labels_wanted.emit("file")
    app.engine.work()
    assert app.window.cover.shown.page.labels == tuple("abcde")
    app.window.cover.shown.labels_wanted.emit("digits")
    app.engine.work()
    page = app.window.cover.shown.page
    assert page.labels == tuple("0123456789")
    assert "10 labels" in page.problem, "there are five outputs"
    assert page.act == "Take what was proposed"
    app.window.cover.shown.run.click()
    app.engine.work()
    assert (app.window.cover.shown.page.problem, app.window.cover.shown.page.labels) == ("", ())
