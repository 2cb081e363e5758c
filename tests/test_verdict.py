"""The verdict as a table: on the command line, for programs, and behind the window's badge."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from torch import nn

from tests.recorded import recorded
from visualizer import cli, record
from visualizer.engine.requests import REQUESTS
from visualizer.scene import verdict
from visualizer.ui.checksheet import CheckSheet
from visualizer.ui.inspector import Badge, badge_words
from visualizer.ui.store import Store


def wrong(name: str = "fc"):
    trace = recorded("surname_gru")
    output = np.array(trace[name].output) * 1.5
    return replace(trace, layers=tuple(replace(layer, output=output) if layer.name == name else layer
                                       for layer in trace))


def test_every_array_stands_in_a_row_with_what_it_was_compared_with():
    trace = recorded("surname_gru")
    report = trace.check()
    lines = verdict.lines(trace, report)
    assert len(lines) == len(report.rows) > 20
    told = {(line.layer, line.what): line for line in lines}
    assert told["fc", "values"].against == "its terms, from " + trace["fc"].reads[0]
    assert told["gru", "update"].agrees
    assert told["gru", "∂L/∂ weight_hh"].against == "the sum over all places where it was used"
    assert told["loss", "∂L/∂a"].against == "1, where the way back starts"
    assert verdict.summary(report).startswith(f"{len(lines)} of {len(lines)} arrays agree")


def test_nan_that_has_to_be_there_is_told_by_verdict_and_badge():
    class Root(nn.Module):
        def forward(self, x):
            return x.sqrt() * 2

    trace = record.capture(Root(), torch.tensor([[-1.0, 4.0]]), objective="logit:1")
    report = trace.check()
    assert report.passed
    assert np.isnan(trace["input"].gradient[0])  # ½ / √−1
    assert report.strange == ("input", "sqrt")
    assert "NaN or infinity stands in input, sqrt, as it has to" in verdict.summary(report)
    assert badge_words(trace, report) == ("Verified in float64", "NaN or infinity in 2 layers")


def test_what_differs_is_in_its_row_and_in_the_exit_status(tmp_path, capsys):
    path = wrong().save(tmp_path / "wrong.trace")
    assert cli.main(["check", str(path)]) == cli.NOT_DONE
    said = capsys.readouterr().out
    row = next(line for line in said.splitlines() if line.startswith("fc ") and "values" in line)
    assert "differs" in row
    assert cli.main(["check", str(path), "--json"]) == cli.NOT_DONE
    told = json.loads(capsys.readouterr().out)
    assert not told["passed"]
    assert next(each["layer"] for each in told["arrays"] if each["agrees"] is False) == "fc"


def test_what_is_right_ends_with_0_and_says_how_much_is_explained(capsys):
    assert cli.main(["check", "digits_cnn", "--json"]) == cli.DONE
    told = json.loads(capsys.readouterr().out)
    assert told["passed"]
    assert told["explained"] == told["executed"] == 12
    assert all(0 < each["cells"] <= each["size"] for each in told["arrays"])


def test_a_recording_from_a_file_is_checked_by_the_engine_as_it_is():
    steps = REQUESTS["check_recording"](trace=wrong())
    assert next(steps) == (0.0, "checking")  # where it gives way to a newer request
    with pytest.raises(StopIteration) as ended:
        next(steps)
    assert "fc" in ended.value.value["report"].disagreeing


def test_the_sheet_tells_all_of_it_scrolls_and_closes(qtbot):
    trace = wrong()
    below = QWidget()
    below.resize(900, 500)
    sheet = CheckSheet(trace, trace.check(), below)
    sheet.setGeometry(0, 0, 900, 500)
    qtbot.addWidget(below)
    below.show()
    assert "fc, values: differs" in sheet.accessibleDescription()
    assert sheet.whole() > sheet.height()
    QTest.keyClick(sheet, Qt.Key.Key_End)
    assert sheet.scrolled == pytest.approx(sheet.whole() - sheet.height() + 24)
    with qtbot.waitSignal(sheet.closed):
        QTest.keyClick(sheet, Qt.Key.Key_Escape)


@pytest.mark.parametrize("by", ["mouse", "key"])
def test_the_badge_opens_it(qtbot, by):
    trace = recorded("surname_gru")
    below = QWidget()
    badge = Badge(Store(trace=trace, report=trace.check()), below)
    qtbot.addWidget(below)
    below.show()
    badge.resize(240, 56)
    with qtbot.waitSignal(badge.opened):
        if by == "mouse":
            QTest.mouseClick(badge, Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
        else:
            QTest.keyClick(badge, Qt.Key.Key_Return)
