"""Claims: how they are read and judged, what each of them measures, and the measures against numbers from outside."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from PySide6.QtCore import QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot
from torch import nn

from visualizer import card, claims, edits, inputs, registry, views
from visualizer.claims import Claim, Expected, Number
from visualizer.cli import main
from visualizer.engine.client import Engine
from visualizer.record import measures
from visualizer.record.measures import Data, measure
from visualizer.record.run import given_of, record
from visualizer.scene import claimpage
from visualizer.scene.picture import Look, Picture, Rect, Text, box_of
from visualizer.scene.state import State, from_json, to_json
from visualizer.scene.type import bounds
from visualizer.trace import Refused
from visualizer.ui.buttons import Button
from visualizer.ui.claimsheet import ClaimSheet
from visualizer.ui.commands import commands
from visualizer.ui.keysheet import Blank, KeySheet

SHARED = Path(os.environ.get("VISUALIZER_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
ALL = claims.claims()
DEMONSTRATED = [claim for claim in ALL if not claim.unshown]
TEXT = """---
row: C1
title: A title
verdict: right
---

> “Words of the article”

## Measured

| number | measure | 400 shipped | 10,000 | elsewhere |
|---|---|---|---|---|
| one | `parameters conv 3 16 3` | 448 | 448 | 448 |
| other | `field 5` | 66.4 % | — | |

## Decides

- `one` > 2 × `other`

## Correction

A sentence.
"""


# --- reading --------------------------------------------------------------------------------------------------------

def test_a_claim_is_read_whole() -> None:
    claim = claims.parse("a", TEXT)
    assert (claim.row, claim.title, claim.verdict) == ("C1", "A title", claims.RIGHT)
    assert claim.quote == "Words of the article"
    assert claim.numbers[0].words == "parameters conv 3 16 3"
    assert claim.numbers[0].elsewhere == "448"
    assert claim.numbers[1].shipped == Expected(0.664, 0.0, 1, True)
    assert claim.numbers[1].whole is None
    assert claim.decides == ("`one` > 2 × `other`",)
    assert claim.correction == "A sentence."


@pytest.mark.parametrize(("old", "new", "line"), [
    ("---\nrow", "row", "line 1"), ("row: C1", "row: Z1", "line 1"),
    ("verdict: right", "verdict: maybe", "line 1"), ("title: A title\n", "", "line 1"),
    ("verdict: right", "colour: red", "line 4"), ("> “Words", "“Words", "line 6"),
    ("## Decides", "## Decided", "line 16"), ("| 448 | 448 | 448 |", "| ? | 448 | 448 |", "line 13"),
    ("| 66.4 % | — | |", "|", "line 14"), ("`one` > 2", "`none` > 2", "line 18"), ("`one` > 2 ×", "one is", "line 18")])
def test_a_wrong_claim_is_told_by_its_line(old: str, new: str, line: str) -> None:
    assert old in TEXT
    with pytest.raises(ValueError, match=line):
        claims.parse("a", TEXT.replace(old, new))


def test_a_file_that_is_none_is_refused_with_its_name(tmp_path: Path) -> None:
    for name, data in (("a.md", b"\xff\xfe\x00"), ("b.md", b"nothing"), ("c.md", b"x" * (claims.MOST_BYTES + 1))):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(Refused, match=name):
            claims.read(tmp_path / name)


@pytest.mark.parametrize(("cell", "value", "error", "share"), [
    ("17.9 ± 0.4 %", 0.179, 0.004, True), ("448", 448, 0, False), ("50,348,032", 50348032, 0, False),
    ("0.74 ± 0.02", 0.74, 0.02, False), ("−1.5", -1.5, 0, False), ("<= 1e-9", 1e-9, 0, False)])
def test_what_is_expected_is_read_as_it_is_written(cell: str, value: float, error: float, share: bool) -> None:
    found = claims.expected(cell)
    assert found is not None
    assert found.value == pytest.approx(value)
    assert found.error == pytest.approx(error)
    assert found.share is share
    assert found.most is cell.startswith("<=")


def test_a_number_is_met_within_three_standard_errors_and_no_further() -> None:
    wanted = Expected(0.179, 0.004, 1, True)
    assert wanted.met_by(Number(0.179 + 0.0124))
    assert not wanted.met_by(Number(0.179 + 0.0126))
    assert not wanted.met_by(Number(0.179 - 0.0126))
    assert wanted.met_by(Number(0.2, 0.02))
    assert Expected(448.0).met_by(Number(448.4))
    assert not Expected(448.0).met_by(Number(449.0))
    assert Expected(1e-9, most=True).met_by(Number(1e-12))
    assert not Expected(1e-9, most=True).met_by(Number(1e-8))


def test_a_condition_holds_or_does_not() -> None:
    numbers = {"one": Number(0.4, 0.01), "other": Number(1.0), "near": Number(0.42, 0.01)}
    for condition in ("`one` < `other`", "`one` < 0.5 × `other`", "`one` = `near`", "`other` >= 1", "`one` < 41 %"):
        assert claims.holds(condition, numbers), condition
    for condition in ("`one` > `other`", "`one` < 0.3 × `other`", "`one` = `other`", "`other` > 1", "`one` < 39 %"):
        assert not claims.holds(condition, numbers), condition


def test_a_verdict_that_does_not_stand_says_so() -> None:
    claim = claims.parse("a", TEXT)
    assert claims.judged(claim, {"one": Number(448), "other": Number(0.66)}).verdict == "Holds"
    fallen = claims.judged(claim, {"one": Number(1), "other": Number(0.66)})
    assert fallen.verdict == "Measured otherwise"
    assert fallen.broken == claim.decides


# --- those that come with the app -----------------------------------------------------------------------------------

def test_claims_stand_in_the_order_of_the_article() -> None:
    rows = [claim.row for claim in ALL]
    assert len(set(rows)) == len(rows)
    assert rows == sorted(rows, key=lambda row: ("CRX".index(row[0]), int(row[1:])))


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.name)
def test_what_a_claim_names_is_there(claim: Claim) -> None:
    assert claim.quote or claim.implied
    assert claim.misconception
    assert claim.correction
    assert claim.source
    assert bool(claim.unshown) is not bool(claim.numbers)
    assert bool(claim.numbers) is bool(claim.decides)
    assert all(registry.is_bundled(name) for name in claim.models)
    if claim.sample:
        inputs.sample(claim.sample)
    for words in claim.edits:
        edits.parse(words)
    if claim.view and claim.view != "compare":
        views.find(claim.view)
    for number in claim.numbers:
        assert number.words.split()[0] in measures.known()
        assert number.shipped is not None, number.name


@pytest.mark.parametrize("claim", DEMONSTRATED, ids=lambda claim: claim.name)
def test_a_claim_measures_what_it_expects_and_its_verdict_stands(claim: Claim) -> None:
    found = measures.judge(claim.name)
    missed = {each.name: found.numbers[each.name] for each in claim.numbers
              if each.shipped is not None and not each.shipped.met_by(found.numbers[each.name])}
    assert not missed
    assert not found.broken


@pytest.mark.matrix(sample=2, each=False)
@pytest.mark.parametrize("claim", DEMONSTRATED, ids=lambda claim: claim.name)
def test_on_all_test_inputs_it_measures_what_it_expects_of_them(claim: Claim) -> None:
    if not (SHARED / measures.DIGITS).exists():
        pytest.skip("the 10,000 test digits are not there")
    found = measures.judge(claim.name, SHARED)
    missed = {each.name: found.numbers[each.name] for each in claim.numbers
              if each.whole is not None and not each.whole.met_by(found.numbers[each.name])}
    assert not missed
    assert not found.broken


# --- measures against numbers from outside --------------------------------------------------------------------------

def test_counts_are_those_of_the_formulas() -> None:
    assert measure("parameters conv 3 16 3", Data()).value == 16 * (3 * 9 + 1)
    assert measure("parameters dense 3072 16384", Data()).value == (3072 + 1) * 16384
    for cell, gates in (("rnn", 1), ("gru", 3), ("lstm", 4)):
        assert measure(f"parameters {cell} 10 20", Data()).value == gates * (10 * 20 + 20 * 20 + 2 * 20)
    assert measure("cost lenet_mnist macs", Data()).value == 416_520  # LeCun et al. 1998, with padding 2
    assert measure("cost lenet_mnist waits", Data()).value == 11
    assert measure("cost rows_lstm waits", Data()).value == 28 + 1


@pytest.mark.parametrize("depth", [5, 10, 20, 40])
def test_the_used_field_is_that_of_a_sum_of_independent_steps(depth: int) -> None:
    """Each layer adds a step of −1, 0 or 1 with variance 2/3; four standard deviations against 2 n + 1 places."""
    assert measure(f"field {depth}", Data()).value == pytest.approx(4 * np.sqrt(2 / 3 * depth) / (2 * depth + 1))


def test_maps_that_move_along_follow_and_a_global_maximum_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    class Circular(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3, padding=1, padding_mode="circular", bias=False)
            self.whole = nn.AdaptiveMaxPool2d(1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.whole(self.conv(x))  # type: ignore[no-any-return]

    torch.manual_seed(0)
    made = measures.open_model("digits_cnn")
    made = replace(made, module=Circular().eval())
    for module in ("follows", "stays"):
        monkeypatch.setattr(f"visualizer.record.measures.{module}.opened", lambda name: made)
    assert measure("follows any conv 1", Data()).value == pytest.approx(0, abs=0.01)  # a little ink leaves the frame
    assert measure("stays any conv 1", Data()).value > 0.3
    assert measure("stays any whole 1", Data()).value == pytest.approx(0, abs=0.01)


def test_what_the_recipe_measured_lies_where_it_is_measured_here() -> None:
    for model in ("digits_cnn", "lenet_mnist", "spoken_digits"):
        kept, here = measure(f"quality {model} test accuracy", Data()), measure(f"right {model}", Data())
        assert kept.of >= 300
        assert here.value == pytest.approx(kept.value, abs=3 * np.sqrt(kept.value * (1 - kept.value) / here.of))


def test_the_overlap_and_the_ground_are_those_that_are_counted_pixel_by_pixel() -> None:
    made = measures.open_model("scene_segments_near")
    given = [each for name in card.bundled("scene_segments_near").samples
             if (each := given_of(made, name)).truth is not None]
    right = np.stack([each.truth for each in given])
    with torch.no_grad():
        out = made.module(torch.tensor(np.stack([each.raw for each in given])).float()[:, None] / 255)
    said = out.argmax(1).numpy()
    there = [index for index in range(1, 11) if ((right == index) | (said == index)).any()]
    shares = [((right == index) & (said == index)).sum() / ((right == index) | (said == index)).sum()
              for index in there]
    assert measure("iou scene_segments_near", Data()).value == pytest.approx(np.mean(shares), abs=1e-6)
    assert measure("ground scene_segments_near", Data()).value == pytest.approx((right == 0).mean())


def test_boxes_and_blanks_are_those_of_the_numbers_that_came_out() -> None:
    made = measures.open_model("scene_detector")
    raw = given_of(made, "scene-7").raw
    with torch.no_grad():
        out = made.module(torch.tensor(np.asarray(raw)).float()[None, None] / 255)
    assert measure("boxes proposed scene_detector scene-7", Data()).value == out.shape[-1] * out.shape[-2]
    assert measure("boxes likely scene_detector scene-7", Data()).value == int((out[0, 0].sigmoid() > 0.5).sum())
    kept, right = (measure(f"boxes {what} scene_detector scene-7", Data()).value for what in ("kept", "right"))
    assert kept == right == 4
    spelled = record("spoken_strings", "spoken-1358-lucas", objective="none")["softmax"].output
    assert measure("blanks spoken_strings spoken-1358-lucas", Data()).value == (spelled.argmax(-1) == 10).mean()
    with pytest.raises(Refused, match="does not answer with string"):
        measure("blanks digits_cnn digit-2148", Data())
    with pytest.raises(Refused, match="of digits_cnn are known test accuracy"):
        measure("quality digits_cnn of", Data())


def test_words_that_ask_for_no_measure_are_refused_with_how_to_write_them() -> None:
    with pytest.raises(Refused, match="no measure 'nonsense'"):
        measure("nonsense", Data())
    with pytest.raises(Refused, match="write field DEPTH"):
        measure("field deep", Data())
    with pytest.raises(Refused, match="mnist"):
        measure("differs digits_cnn", Data(Path("/nowhere")))
    with pytest.raises(Refused, match=r"nowhere|no inputs"):
        measure("right digits_cnn", Data(Path("/nowhere")))


# --- the command line -----------------------------------------------------------------------------------------------

def test_a_claim_is_measured_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claims", "local-patterns", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["stands"]
    assert all(number["met"] for number in told["numbers"])
    assert main(["claims", "C11"]) == 0
    assert "66.4 %" in capsys.readouterr().out
    assert main(["claims", "nothing"]) == 2
    assert "there are" in capsys.readouterr().err
    assert main(["list", "claims", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(ALL)


# --- the page -------------------------------------------------------------------------------------------------------

def page_of(name: str, **more: Any) -> claimpage.Page:
    return claimpage.Page(ALL, [claim.name for claim in ALL].index(name), **more)


def corners(x: float, y: float, wide: float, high: float) -> tuple[float, float, float, float]:
    return x, y, x + wide, y + high


def words_of(picture: Picture) -> str:
    return " ".join(mark.plain for mark in picture if isinstance(mark, Text))


def test_a_page_shows_what_was_measured_beside_what_is_expected() -> None:
    claim = claims.find("parameter-sharing")
    measured = {claim.name: {number.name: measure(number.words, Data()) for number in claim.numbers}}
    before, after = (claimpage.draw(page_of(claim.name, numbers=numbers), Look((1366, 700)))
                     for numbers in ({}, measured))
    assert "nothing was measured" in words_of(before)
    assert "Measured on this computer" in words_of(after)
    assert "50,348,032" in after.caption
    assert after.table.rows[0][1:4] == (448, 0, 448)
    assert before.table.rows[0][1:4] == ("", "", 448)


def test_a_class_that_is_asked_first_sees_neither_verdict_nor_number() -> None:
    claim = claims.find("parameter-sharing")
    said = words_of(claimpage.draw(page_of(claim.name, asking=True), Look((1366, 700))))
    assert claim.correction[:20] not in said
    assert "448" not in said
    assert "What do you think?" in said


def test_a_number_that_contradicts_the_verdict_changes_it_on_the_page() -> None:
    claim = claims.find("parameter-sharing")
    wrong = {number.name: Number(1.0) for number in claim.numbers}
    picture = claimpage.draw(page_of(claim.name, numbers={claim.name: wrong}), Look((1366, 700)))
    assert "Measured otherwise" in words_of(picture)


@pytest.mark.parametrize("size", [(1600, 780), (1024, 648), (740, 500)])
def test_every_page_stays_within_its_width(size: tuple[int, int]) -> None:
    for claim in ALL:
        for mark in claimpage.draw(page_of(claim.name), Look(size)):
            left, top, right, _ = bounds(mark) if isinstance(mark, Text) else corners(*box_of(mark))
            assert left >= -1, (claim.name, mark)
            assert right <= size[0] + 1, (claim.name, mark)
            assert top >= -1


def test_its_networks_stand_beside_each_other_with_what_is_done_to_their_input() -> None:
    claim = claims.find("shared-over-time")
    state = claimpage.demonstrated(State(), claim)
    assert [place.recipe.name for place in state.places] == list(claim.models)
    assert from_json(to_json(state)) == state


def test_the_sheet_measures_asks_cites_and_leads_to_the_networks(qtbot: QtBot) -> None:
    engine = Answering()
    window = QWidget()
    qtbot.addWidget(window)
    sheet = ClaimSheet(Look(), lambda: cast(Engine, engine), window, "parameter-sharing")
    sheet.resize(1200, 700)
    window.show()
    QTest.keyClick(sheet, Qt.Key.Key_M)
    qtbot.waitUntil(lambda: sheet.page.judged is not None)
    assert engine.wanted == [number.words for number in claims.find("parameter-sharing").numbers]
    assert sheet.page.judged is not None
    assert sheet.page.judged.verdict == "Holds"
    QTest.keyClick(sheet, Qt.Key.Key_C)
    assert "50,348,032" in QGuiApplication.clipboard().text()
    QTest.keyClick(sheet, Qt.Key.Key_A)
    assert sheet.page.asking
    QTest.keyClick(sheet, Qt.Key.Key_Right)
    assert sheet.page.claim.name != "parameter-sharing"
    went: list[Claim] = []
    sheet.wanted.connect(went.append)
    QTest.keyClick(sheet, Qt.Key.Key_Return)
    assert went == [sheet.page.claim]
    row = next(mark for mark in sheet.canvas.picture if isinstance(mark, Rect) and mark.focus is not None)
    QTest.mouseClick(sheet.canvas, Qt.MouseButton.LeftButton, pos=QPoint(round(row.x + 9), round(row.y + 9)))
    assert row.focus is not None
    assert sheet.page.claim.name == row.focus.layer


def test_tab_goes_round_what_lies_on_a_sheet_and_not_to_what_it_covers(qtbot: QtBot) -> None:
    window = QWidget()
    below = QLineEdit(window)
    qtbot.addWidget(window)
    window.resize(1200, 700)
    window.show()
    for made in (lambda: ClaimSheet(Look(), lambda: None, window), lambda: KeySheet(commands(), window),
                 lambda: Blank("black", window)):
        sheet = made()
        sheet.resize(1200, 700)
        sheet.show()
        sheet.setFocus()
        closed: list[bool] = []
        sheet.closed.connect(partial(closed.append, True))
        there = [button for button in sheet.findChildren(Button) if button.isEnabled()]
        for key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            stood = set()
            for _ in range(len(there) + 1):
                QTest.keyClick(window.focusWidget(), key)
                stood.add(window.focusWidget())
            assert stood == {sheet, *there}
            assert below not in stood
        assert bool(closed) == (not there)  # any key closes what has nothing on it
        sheet.hide()


class Answering(QObject):
    """An engine that measures at once."""

    answered, refused, failed = Signal(int, str, object), Signal(int, str), Signal(int, str)

    def __init__(self) -> None:
        super().__init__()
        self.wanted: list[str] = []

    def request(self, name: str, words: str) -> int:
        self.wanted.append(words)
        number = len(self.wanted)
        found = measure(words, Data()).plain
        QTimer.singleShot(0, lambda: self.answered.emit(number, name, found))
        return number
