"""Surgery by hand: the list of edits in the rail, numbers that are dragged, typed and painted in the picture, and what
the engine gives back of it, against torch with the weight set by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtTest import QTest

from tests import quantities_of_surgery  # noqa: F401  (its quantities are known once it is there)
from tests.test_sentences import texts_of, true, unclaimed
from tests.test_surgery import CUT, _at, _drawn
from visualizer import registry
from visualizer.engine import requests
from visualizer.kinds._window import windows_of
from visualizer.record import pass_of, ranking, with_study
from visualizer.record.catalog import open_model
from visualizer.record.curves import data_of
from visualizer.record.edits import cut_as, unchanged
from visualizer.record.run import given_of
from visualizer.record.studies.sandbox import convolved, fitted
from visualizer.said import listening, unplaced
from visualizer.scene.picture import Choice, Focus, Image, Look, Picture, Rect, Toggles
from visualizer.scene.state import State, changed
from visualizer.trace import Trace, forget
from visualizer.ui.commands.views import to_digit
from visualizer.ui.editlist import EditList
from visualizer.ui.inspector import Page
from visualizer.ui.recorder import Recorder
from visualizer.ui.stage import Stage
from visualizer.ui.store import Store
from visualizer.ui.tuning import Tuning
from visualizer.views import find
from visualizer.views.surgery import offers


@pytest.fixture(scope="module", autouse=True)
def _apart(tmp_path_factory: pytest.TempPathFactory) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(registry.STATE_FOLDER, str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="module")
def plain() -> Trace:
    return with_study(pass_of("digits_cnn", "digit-2148"), "surgery")


def _page(trace: Trace, focus: Focus | None = None) -> Picture:
    view = find("surgery")
    assert view.page is not None
    found = view.page(trace, _at(trace), focus, Look())
    assert found is not None
    return found


def _store(trace: Trace, *edits: str) -> Store:
    return Store(changed(State(), model="digits_cnn", sample="digit-2148", view="surgery", edits=edits), trace)


# --- what comes back --------------------------------------------------------------------------------------------------

def test_the_engine_answers_an_edit_with_the_numbers_of_torch_and_those_before() -> None:
    word = "weight:conv1.weight:1,0,2,2=0.625"
    trace = requests.record(model="digits_cnn", sample="digit-2148", edits=(word,), check=False,
                            studies=("surgery",))["trace"]
    opened = open_model("digits_cnn")
    assert opened.prepare is not None
    x = opened.prepare(given_of(opened, "digit-2148").raw)
    before = opened.module(x).softmax(-1)[0].detach().numpy()
    with torch.no_grad():
        opened.module.conv1.weight[1, 0, 2, 2] = 0.625  # type: ignore[index, union-attr]
    after = opened.module(x).softmax(-1)[0].detach().numpy()
    assert trace["softmax"].output == pytest.approx(after, rel=1e-5, abs=1e-7)
    assert trace.studies["surgery"]["softmax"] == pytest.approx(before, rel=1e-5, abs=1e-7)


def test_what_was_before_is_worked_out_once_for_a_weight_that_is_dragged(monkeypatch: pytest.MonkeyPatch) -> None:
    from visualizer.record.studies import surgery

    captured = []
    real = surgery.capture
    monkeypatch.setattr(surgery, "capture", lambda *given, **named: captured.append(1) or real(*given, **named))
    for value in (0.11, 0.12, 0.13):
        requests.record(model="mlp_mnist", sample="digit-2148", edits=(f"weight:fc1.bias:0={value}",), check=False,
                        studies=("surgery",))
    assert len(captured) == 1


def test_weights_after_an_undo_are_compared_bit_for_bit() -> None:
    opened = open_model("digits_cnn")
    cut_as(opened, ("weight:conv1.weight:0,0,0,0=5", CUT))
    count = sum(each.numel() for each in opened.module.state_dict().values())
    assert unchanged(opened) == (count, count) == (22_090, 22_090)
    with torch.no_grad():
        opened.module.conv1.weight[0, 0, 0, 0] += 1e-6  # type: ignore[index, union-attr, operator]
        opened.module.fc1.bias[3] = float("nan")  # type: ignore[index, union-attr]
    assert unchanged(opened) == (count - 2, count)


def test_right_answers_with_the_edits_are_counted_and_the_ranking_is_beside_the_others(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "units", lambda opened, of="": ("unit_off:conv1:0", "unit_off:conv1:4"))
    done = ("unit_off:conv1:3", CUT)
    trace = with_study(pass_of("digits_cnn", "digit-2148", edits=done), "surgery", "matters")
    held = trace.studies["matters"]
    opened = open_model("digits_cnn")
    given = data_of(opened).given
    assert opened.prepare is not None
    x, labels = torch.cat([opened.prepare(each.raw) for each in given]), [each.sample.label for each in given]

    def right(*without: int) -> int:
        kept = torch.ones(6)
        kept[list(without)] = 0
        hook = opened.module.conv1.register_forward_hook(  # type: ignore[union-attr]
            lambda module, fed, output: output * kept[:, None, None])
        with torch.no_grad():
            answers = opened.module(x).argmax(1).tolist()
        hook.remove()
        return sum(answer == label for answer, label in zip(answers, labels, strict=True))

    assert held["whole"].tolist() == [right(), 400]
    assert held["now"].tolist() == [right(1, 3), 400]
    assert held["all"].tolist() == [right(3), 400], "all edits but the last are done in any case"
    assert held["units:alone"].tolist() == [right(0, 3), right(3, 4)]
    with listening(placing=True) as heard:
        picture, page = _drawn(trace), _page(trace)
    assert [claim for claim in heard if not true(trace, claim)] == []
    assert f"{100 * (right() - right(1, 3)) / 400:.1f}" in picture.caption
    said = [unplaced(each) for each in texts_of(page, drawn=True)]
    assert f"{right() / 4:.1f} % → {right(1, 3) / 4:.1f} %" in said
    assert "all 22,090 weights compared" in said


def test_where_answers_are_not_counted_the_loss_of_this_input_is_ranked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "units", lambda opened, of="": ("unit_off:conv1:1", "unit_off:conv1:3"))
    again = pass_of("scene_detector")
    trace = with_study(again, "surgery", "matters")
    held = trace.studies["matters"]
    assert held["all"][0] == pytest.approx(float(trace["loss"].output))
    for place, unit in enumerate((1, 3)):
        without = pass_of("scene_detector", edits=(f"unit_off:conv1:{unit}",)).trace
        assert held["units:alone"][place] == pytest.approx(float(without["loss"].output), rel=1e-5)
    with listening(placing=True) as heard:
        texts = texts_of(_drawn(trace), drawn=True)
    assert [claim for claim in heard if not true(trace, claim)] == []
    assert any("loss of this input" in each for each in texts)


def test_bars_come_one_by_one_in_their_own_order_and_are_sorted_at_the_end(
        monkeypatch: pytest.MonkeyPatch, plain: Trace) -> None:
    monkeypatch.setattr(ranking, "units", lambda opened, of="": tuple(f"unit_off:conv1:{unit}" for unit in (0, 2, 4)))
    work = requests.study("matters", model="digits_cnn", sample="digit-2148")
    told: list[dict[str, list[int]]] = []
    while True:
        try:
            words = next(work)[1]
        except StopIteration as end:
            whole = end.value["arrays"]
            break
        told += [json.loads(words)] if words.startswith("{") else []
    grown = [len(each.get("units:alone", ())) for each in told]
    assert {1, 2, 3} <= set(grown)
    assert grown == sorted(grown)
    half = next(each for each in told if len(each.get("units:alone", ())) == 2)
    so_far = replace(plain, studies={**plain.studies, "matters so far": {
        name: np.array(values, np.uint8 if name.endswith(":words") else None) for name, values in half.items()}})

    def order(trace: Trace, sorted_: str) -> list[str]:
        marks = _drawn(trace, Look(knobs=(("sorted", sorted_),))).moving
        found = [(mark.x, mark.holds.edit) for mark in marks if isinstance(mark, Rect)
                 and isinstance(mark.holds, Toggles) and mark.group is not None and mark.group.name == "ranking"]
        return [word for _, word in sorted(found)]

    assert order(so_far, "1") == [f"unit_off:conv1:{unit}" for unit in (0, 2, 4)]
    complete = replace(plain, studies={**plain.studies, "matters": whole})
    assert order(complete, "0") == [f"unit_off:conv1:{unit}" for unit in (0, 2, 4)]
    lost = dict(zip(whole["units:words"].tobytes().decode().split("\n"), whole["units:alone"].tolist(), strict=True))
    assert order(complete, "1") == sorted(lost, key=lambda word: lost[word])


# --- a sandbox layer --------------------------------------------------------------------------------------------------

def test_output_sizes_by_the_formula_are_those_of_torch() -> None:
    met = 0
    for size in (5, 12, 28):
        read = np.ones((size, size), np.float32)
        for kernel in range(1, 8):
            for stride in range(1, 5):
                for padding in range(4):
                    for dilation in range(1, 4):
                        out = convolved(read, np.ones((kernel, kernel), np.float32), stride, padding, dilation)
                        side = windows_of(size, kernel, stride, padding, dilation)
                        assert out.shape == ((side, side) if side > 0 else (0, 0)), (size, kernel, stride, padding)
                        met += 1
    assert met == 3 * 7 * 4 * 4 * 3


@pytest.mark.parametrize(("knobs", "words"), [((), "3,1,0,1"), ((("kernel", "5"), ("stride", "2"), ("padding", "3")),
                                                                "5,2,3,1")])
def test_the_sandbox_is_drawn_with_its_sizes(plain: Trace, knobs: tuple[tuple[str, str], ...], words: str) -> None:
    look = Look(knobs=(("below", "sandbox"), *knobs))
    view = find("surgery")
    assert f"sandbox:{words}" in view.measured(look)
    assert "sandbox" in view.measured(Look()), "while nobody looks at it, it is asked for nothing"
    trace = with_study(pass_of("digits_cnn", "digit-2148"), "surgery", f"sandbox:{words}")
    forget(trace)
    with listening(placing=True) as heard:
        picture = _drawn(trace, look)
    assert [claim for claim in heard if not true(trace, claim)] == []
    pills = {str(value) for value in range(8)}
    left = unclaimed(trace, texts_of(picture, drawn=True), heard)
    assert [text for text in left if text.rpartition(" ")[2] not in pills] == []
    kernel, stride, padding, _ = map(int, words.split(","))
    own = open_model("digits_cnn").module.conv1.weight.detach()[0, 0].numpy()  # type: ignore[union-attr, operator, index]
    wanted = torch.nn.functional.conv2d(
        torch.from_numpy(trace["input"].output[None].copy()), torch.from_numpy(fitted(own, kernel))[None, None],
        stride=stride, padding=padding)[0, 0].numpy()
    assert trace.studies[f"sandbox:{words}"]["out"] == pytest.approx(wanted, abs=1e-6)
    assert {mark.holds for mark in picture.moving if isinstance(mark, Rect) and isinstance(mark.holds, Choice)} >= {
        Choice("kernel", "7"), Choice("stride", "4"), Choice("padding", "2"), Choice("dilation", "3")}


# --- what is offered --------------------------------------------------------------------------------------------------

def test_what_cannot_be_done_says_for_which_networks_it_is(plain: Trace) -> None:
    known = {offer.name: offer for offer in offers.offers(plain, None)}
    assert known["gate"].lacks
    assert not known["gate"].words
    assert known["weight"].words.startswith("weight:conv1.weight:0,0,0,0=")
    lstm = pass_of("rows_lstm", "digit-2148").trace
    known = {offer.name: offer for offer in offers.offers(lstm, None)}
    assert known["gate"].words == "gate_open:lstm:forget"
    assert known["state_at"].words == "state_at:lstm:14=zero"
    assert known["activation"].lacks
    for offer in known.values():
        assert bool(offer.words) != bool(offer.lacks)
        if offer.words:
            pass_of("rows_lstm", "digit-2148", edits=(offer.words,))


def test_an_edit_takes_the_place_of_that_of_the_same(plain: Trace) -> None:
    state = offers.done(State(), "weight:conv1.weight:0,0,0,0=1")
    state = offers.done(offers.done(state, CUT), "weight:conv1.weight:0,0,0,0=2")
    assert state.edits == ("weight:conv1.weight:0,0,0,0=2", CUT)
    assert offers.volume(state, "conv1", 1) == 0
    assert offers.at_volume(state, "conv1", 1, 1.5).edits[1] == "unit_scaled:conv1:1=1.5"
    assert offers.at_volume(state, "conv1", 1, 1.0).edits == state.edits[:1]
    assert offers.by(state, "mean").edits[1] == "replaced:conv1:1=mean"
    assert offers.by(offers.by(state, "digit-51"), "zero").edits[1] == CUT


def test_the_list_switches_removes_and_types(plain: Trace) -> None:
    store = _store(plain, CUT)
    panel = EditList(store)
    panel.show()
    assert [row.listed.words for row in panel.rows] == [(CUT,)]
    QTest.mouseClick(panel.rows[0], Qt.MouseButton.LeftButton)
    assert store.state.edits == ()
    assert [row.listed.on for row in panel.rows] == [False]
    assert all(button.toolTip() for button in (*panel.rows, *panel.kinds, *panel.by.buttons, panel.undo, panel.redo))
    store.undo()
    assert store.state.edits == (CUT,)
    weight = next(button for button in panel.kinds if button.offer.name == "weight")
    QTest.keyClick(weight, Qt.Key.Key_Return)
    assert panel.field.isVisible()
    panel.field.setText("weight:conv1.bias:2=0.5")
    QTest.keyClick(panel.field, Qt.Key.Key_Return)
    assert store.state.edits == (CUT, "weight:conv1.bias:2=0.5")
    assert not panel.field.isVisible()
    refused: list[str] = []
    panel.said.connect(refused.append)
    panel.offer(next(offer for offer in panel.offered if offer.name == "gate"))
    panel.offer(next(offer for offer in panel.offered if offer.name == "bias"))
    panel.field.setText("bias:conv1")
    QTest.keyClick(panel.field, Qt.Key.Key_Return)
    assert len(refused) == 2
    assert panel.field.isVisible()
    store.update(focus=Focus("relu1", (1,)))
    panel.volume.setValue(panel.volume.maximum())
    assert "unit_scaled:conv1:1=2" in store.state.edits
    QTest.keyClick(panel.rows[-1], Qt.Key.Key_Delete)
    assert "weight:conv1.bias:2=0.5" not in store.state.edits
    panel.close()


# --- in the picture ---------------------------------------------------------------------------------------------------

def _tuned(store: Store, trace: Trace) -> tuple[Page, Tuning]:
    page = Page(store)
    page.show_page(_page(trace))
    page.show()
    said: list[str] = []
    return page, Tuning(page, store, said.append)


def _kernel_cell(page: Page) -> QPoint:
    """A point on the weight (0, 0, 1, 2) of conv1."""
    mark = next(mark for mark in page.picture if isinstance(mark, Image) and mark.focus is not None
                and mark.focus.array == "weights.weight")
    return QPoint(round(mark.x + 2.5 * mark.cell[0]), round(mark.y + 1.5 * mark.cell[1]))


def test_a_weight_is_dragged_clicked_and_typed(plain: Trace) -> None:
    store = _store(plain)
    page, tuning = _tuned(store, plain)
    at, own = _kernel_cell(page), float(plain["conv1"].weights["weight"][0, 0, 1, 2])
    number = offers.number_of(plain, Focus("conv1", (0, 0, 1, 2), "weights.weight"))
    assert number is not None
    assert number.value == own
    QTest.mousePress(page, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    for up in (10, 25, 50):
        _move(page, at - QPoint(0, up))
    QTest.mouseRelease(page, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at - QPoint(0, 50))
    assert len(store.state.edits) == 1
    start, _, value = store.state.edits[0].rpartition("=")
    assert start == "weight:conv1.weight:0,0,1,2"
    assert float(value) == pytest.approx(own + 0.5 * number.span, abs=0.01)
    store.undo()
    assert store.state.edits == (), "a drag is one step of undo"
    QTest.mouseClick(page, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assert store.state.edits == ("weight:conv1.weight:0,0,1,2=0",)
    QTest.mouseClick(page, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assert store.state.edits == ()
    QTest.mouseDClick(page, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assert tuning.field is not None
    assert float(tuning.field.text()) == pytest.approx(own, rel=1e-3)
    tuning.field.setText("0,25")
    QTest.keyClick(tuning.field, Qt.Key.Key_Return)
    assert "weight:conv1.weight:0,0,1,2=0.25" in store.state.edits
    page.close()


def _move(page: Page | Stage, to: QPoint) -> None:
    from PySide6.QtCore import QEvent, QPointF
    from PySide6.QtGui import QMouseEvent
    from PySide6.QtWidgets import QApplication

    QApplication.sendEvent(page, QMouseEvent(QEvent.Type.MouseMove, QPointF(to), QPointF(page.mapToGlobal(to)),
                                             Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton,
                                             Qt.KeyboardModifier.NoModifier))


def test_a_weight_is_dragged_among_the_filters_where_a_click_selects(plain: Trace) -> None:
    store = _store(plain)
    store.update(view="filters", focus=Focus("conv1", (0,)))
    stage = Stage(store)
    stage.resize(1104, 796)
    stage.show()
    Tuning(stage, store, lambda sentence: None)
    mark = next(mark for mark in stage.picture if isinstance(mark, Image) and mark.focus is not None
                and mark.focus == Focus("conv1", (3,), "weight"))
    at = QPoint(round(mark.x + 2.5 * mark.cell[0]), round(mark.y + 1.5 * mark.cell[1]))
    QTest.mouseClick(stage, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assert store.state.edits == ()
    assert store.state.focus is not None
    assert store.state.focus.cell[:1] == (3,)
    QTest.mousePress(stage, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    for up in (10, 30):
        _move(stage, at - QPoint(0, up))
    QTest.mouseRelease(stage, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at - QPoint(0, 30))
    assert [word.rpartition("=")[0] for word in store.state.edits] == ["weight:conv1.weight:3,0,1,2"]
    stage.close()


def test_what_a_dragged_weight_passes_is_shown_and_it_ends_where_it_was_let_go(plain: Trace) -> None:
    words = [f"weight:conv1.bias:0={value}" for value in (0.1, 0.2, 0.3)]
    store, engine = _store(plain), Engine()
    recorder = Recorder(store, engine)  # type: ignore[arg-type]
    shown: list[str] = []
    store.trace_changed.connect(lambda trace: shown.append(trace.title))
    for word in words:
        store.apply(lambda state, word=word: offers.done(state, word), gesture="tune")

    def asked() -> list[tuple[int, dict[str, object]]]:
        return [(number, given) for number, (name, given) in enumerate(engine.asked) if name == "record"
                and given.get("lane") is None]

    assert [given["edits"] for _, given in asked()] == [(words[0],)], "one after the other, so that none starves"
    assert asked()[0][1]["studies"] == ("surgery",)
    recorder._answered(asked()[0][0], "record", {"trace": replace(plain, title="passed"), "report": None})
    assert shown == ["passed"]
    assert [given["edits"] for _, given in asked()] == [(words[0],), (words[2],)]
    recorder._answered(asked()[1][0], "record", {"trace": replace(plain, title="let go"), "report": None})
    assert shown[-1] == "let go"
    assert not store.waiting
    store.undo()
    assert store.state.edits == ()


class Engine(QObject):
    """Writes down what it is asked."""

    ready, answered, refused, failed, died, progress, slow = (
        Signal(object), Signal(int, str, object), Signal(int, str), Signal(int, str), Signal(str),
        Signal(int, float, str), Signal(int, float, float, str))

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, dict[str, object]]] = []

    def request(self, name: str, /, **given: object) -> int:
        self.asked.append((name, given))
        return len(self.asked) - 1

    def cancel(self, number: int) -> None:
        self.asked[number] = "cancelled", {}


def test_pixels_of_the_input_are_painted(plain: Trace) -> None:
    store = _store(plain)
    stage = Stage(store)
    stage.resize(1104, 796)
    stage.show()
    tuning = Tuning(stage, store, lambda sentence: None)
    mark = next(mark for mark in stage.picture if isinstance(mark, Image) and mark.palette == "pixel")
    points = [QPoint(round(mark.x + (column + 0.5) * mark.cell[0]), round(mark.y + 2.5 * mark.cell[1]))
              for column in (3, 4, 5)]
    QTest.mousePress(stage, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, points[0])
    for point in points[1:]:
        _move(stage, point)
    QTest.mouseRelease(stage, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, points[-1])
    assert store.state.edits == ("pixel:2,3,255", "pixel:2,4,255", "pixel:2,5,255")
    assert tuning.grip is None
    store.undo()
    assert store.state.edits == ()
    stage.close()


def test_a_digit_shows_one_column_alone_and_the_same_again_all(plain: Trace) -> None:
    class Desk:
        store = _store(plain)

        def view(self) -> object:
            return find("surgery")

    desk = Desk()
    for number, column in ((1, "before"), (2, "after"), (3, "difference"), (3, "all")):
        to_digit(number)(desk)  # type: ignore[arg-type]
        assert desk.store.state.look.knob("column", "all") == column
    wide = [{mark.focus.layer: mark.columns for mark in _drawn(plain, Look(knobs=knobs)).moving
             if isinstance(mark, Image) and mark.focus is not None} for knobs in ((), (("column", "after"),))]
    assert wide[1]["relu2"] > wide[0]["relu2"]


def test_the_tiles_of_a_bar_light_up_with_it_and_a_click_on_it_makes_that_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "units", lambda opened, of="": tuple(f"unit_off:conv1:{unit}" for unit in range(3)))
    trace = with_study(pass_of("digits_cnn", "digit-2148", edits=(CUT,)), "surgery", "matters")
    marks = [mark for mark in _drawn(trace).moving if isinstance(mark, Rect) and isinstance(mark.holds, Toggles)]
    bar = next(mark for mark in marks if mark.holds.instead and mark.holds.edit == "unit_off:conv1:2")  # type: ignore
    tiles = [mark for mark in marks if mark.focus == bar.focus and mark is not bar]
    assert len(tiles) == 3
    assert bar.holds == Toggles("unit_off:conv1:2", instead=(CUT,))
