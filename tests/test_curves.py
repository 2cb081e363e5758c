"""Curves: right answers by strength, counted in batches, against recordings made one by one and numpy by hand."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from visualizer import answers, cli, curve, edits, inputs, registry
from visualizer.curve import Curve, Point
from visualizer.engine.requests import REQUESTS
from visualizer.record import open_model, record
from visualizer.record.curves import Data, _Counting, blank, data_of, measured, remembering
from visualizer.scene.accuracy import curves_marks, plot, strength_at
from visualizer.scene.picture import Line, Look, Rect, Text
from visualizer.trace import Refused

SHARED = Path(os.environ.get("VISUALIZER_DATA", Path(__file__).parents[2] / "shared" / "data"))


def all_of(steps):
    """What a generator yields, and what it returns."""
    found = []
    while True:
        try:
            found.append(next(steps))
        except StopIteration as end:
            return found, end.value


def few(model, count):
    """A model and the first of its bundled inputs."""
    opened = open_model(model)
    data = data_of(opened)
    return opened, replace(data, given=data.given[:count])


def one_by_one(opened, data, words):
    """Right answers and all of them, from recordings."""
    right = of = 0
    for given in data.given:
        trace = record(opened, given.sample.name, edits=words)
        answer = trace.answers[0]
        if opened.name == "crnn_strip":
            wrong = dict(answers.score(trace, answer))["symbols that are wrong"]
            right, of = right + (wrong == 0), of + 1
        elif opened.name == "char_rnn":
            aims = [aim for aim in trace["loss"].settings["target"] if aim >= 0]
            share = dict(answers.score(trace, answer))["share of steps that are right"]
            right, of = right + round(share * len(aims)), of + len(aims)
        else:
            values = trace[answer.layer].output
            right += int(values.reshape(-1, values.shape[-1])[-1].argmax()) == trace.sample.label
            of += 1
    return right, of


@pytest.mark.parametrize(("model", "count", "words", "strengths"), [
    ("lenet_mnist", 12, ("shift:8,8",), (0, 3)), ("rows_lstm", 12, ("erase:0.9,3",), (0.3,)),
    ("mlp_mnist", 12, ("unit_off:fc1:3", "rotate:90"), (20,)), ("crnn_strip", 6, ("erase:0.9",), (0, 0.4)),
    ("char_rnn", 3, ("substitute:2,e", "erase:0.9"), (0, 0.2)), ("sentiment_gru", 10, ("shuffle_words:1",), (1,)),
    ("surname_gru", 10, ("reverse",), (0, 1))])
def test_a_batch_counts_what_recordings_one_by_one_answer(model, count, words, strengths):
    from visualizer.record.run import opened_with

    _, data = few(model, count)
    opened = opened_with(model, words)
    _, whole = all_of(measured(opened, words, data))
    assert whole.complete
    assert whole.points[0].inputs == count
    for strength in strengths:
        grown = [edits.at(word, strength) if word.partition(":")[0] == whole.grows else word for word in words]
        grown = [word for word in grown if word != "reverse" or strength]
        point = whole.at(strength)
        assert (point.right, point.of) == one_by_one(opened, data, tuple(grown))


def test_what_loses_ink_over_the_frame_is_counted_as_numpy_counts_it():
    opened, data = few("digits_cnn", 60)
    _, found = all_of(measured(opened, ("shift:4,4",), data))
    for point in found.points:
        away = int(point.strength)
        lost = [bool(given.raw[:, 28 - away:].any() or given.raw[28 - away:].any()) for given in data.given]
        assert point.cut == sum(lost)
        assert point.whole_of == 60 - point.cut
        assert point.lost == pytest.approx(np.mean(lost))
    _, alone = all_of(measured(opened, ("shift:4,4",), replace(data, given=tuple(
        given for given in data.given if not (given.raw[:, 24:].any() or given.raw[24:].any())))))
    assert (alone.at(4).right, alone.at(4).of) == (found.at(4).whole_right, found.at(4).whole_of)


def test_the_direction_is_part_of_a_curve():
    opened, data = few("lenet_mnist", 1)
    assert blank(opened, ("shift:2,2",), data).edits == blank(opened, ("shift:5,5",), data).edits == ("shift:8,8",)
    assert blank(opened, ("shift:0,-3",), data).edits == ("shift:0,-8",)
    assert blank(opened, ("rotate:-20",), data).edits == ("rotate:-90",)
    both = blank(opened, ("shift:2,2", "rotate:20"), data, "shift")
    assert (both.edits, both.grows) == (("shift:8,8", "rotate:20"), "shift")


def test_a_standard_error_is_that_of_independent_answers():
    point = Point(3, 30, 40)
    drawn = np.repeat([1.0, 0.0], [30, 10])
    assert point.error == pytest.approx(drawn.std() / np.sqrt(40))
    assert np.isnan(Point(3, 0, 0).share)
    assert np.isnan(Point(3, 0, 0).error)


class Mixing(nn.Module):
    """Subtracts the mean of its batch: no batch answers as one input does."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(784, 10)

    def forward(self, x):
        x = x.flatten(1)
        return self.fc(x - x.mean(0) * (len(x) > 1))


def test_a_network_that_mixes_its_batch_is_asked_one_by_one():
    torch.manual_seed(0)
    opened, data = few("digits_cnn", 8)
    mixing = replace(opened, module=Mixing().eval())
    counting = _Counting(mixing, ("shift:2",), data)
    _, point = all_of(counting.point(["shift:2"], 2.0))
    assert counting.together is False
    assert (point.right, point.of) == one_by_one(replace(mixing, name="mlp_mnist"), data, ("shift:2",))


def test_a_curve_that_was_interrupted_keeps_what_it_has_and_goes_on(monkeypatch, tmp_path):
    monkeypatch.setenv(registry.STATE_FOLDER, str(tmp_path))
    opened, data = few("mlp_mnist", 20)
    steps = remembering(opened, ("shift:1,1",), data)
    while len(next(steps)[1].points) < 3:
        pass
    steps.close()
    counted = []
    real = opened.module.forward
    monkeypatch.setattr(opened.module, "forward", lambda x: counted.append(len(x)) or real(x))
    found, whole = all_of(remembering(opened, ("shift:5,5",), data))
    assert len(found[0][1].points) >= 4
    assert whole.complete
    assert sum(counted) == 20 * 6 + 2, "the first three are known; a first batch is compared with two alone"
    counted.clear()
    _, again = all_of(remembering(opened, ("shift:3,3",), data))
    assert again == whole
    assert counted == []
    all_of(remembering(opened, ("shift:3,0",), data))
    assert counted
    path = next((tmp_path / "curves").iterdir())
    path.write_text('{"points": [{"strength": 1, "right": 5, "of": 1}]}')
    assert all_of(remembering(opened, ("shift:3,3",), data))[1].complete


@pytest.mark.parametrize(("model", "words", "why"), [
    ("adding_gru", ("shift:2",), "are one number, which are near or far, never right or wrong"),
    ("digits_cnn", (), "Nothing is done to the input"), ("digits_cnn", ("unit_off:conv2:1",), "Nothing is done"),
    ("char_rnn", ("rotate:20",), "which the edit rotate does not apply to"), ("digits_cnn", ("nothing",), "no edit")])
def test_what_cannot_be_counted_is_one_sentence(model, words, why):
    opened, data = few(model, 2)
    with pytest.raises(Refused, match=r"\.$") as refused:
        all_of(measured(opened, words, data))
    assert why in str(refused.value)


def test_inputs_without_a_right_answer_are_one_sentence():
    opened, data = few("digits_cnn", 3)
    nameless = tuple(replace(given, sample=replace(given.sample, label=None)) for given in data.given)
    with pytest.raises(Refused, match="not known of these inputs"):
        all_of(measured(opened, ("shift:2",), Data(nameless, "pictures")))


def test_a_network_that_reads_one_size_says_so_behind_the_first_point():
    opened, data = few("digits_cnn", 3)
    _, found = all_of(measured(opened, ("pad:8",), data))
    assert [point.strength for point in found.points] == [0]
    assert found.complete
    assert "cannot read a picture of 32 × 28" in found.why
    assert found.why.endswith(".")


def test_a_curve_crosses_as_plain_values():
    opened, data = few("mlp_mnist", 4)
    _, found = all_of(measured(opened, ("blur:4",), data))
    assert curve.from_plain(json.loads(json.dumps(found.plain()))) == found
    for bad in ({}, {**found.plain(), "points": [1]}, {**found.plain(), "strengths": ["a"]}):
        with pytest.raises((KeyError, TypeError, ValueError)):
            curve.from_plain(bad)


def test_the_engine_streams_a_curve(monkeypatch, tmp_path):
    monkeypatch.setenv(registry.STATE_FOLDER, str(tmp_path))
    held = tmp_path / "names"
    held.mkdir()
    (held / "few.csv").write_text("label,a\n" + "".join(f"{label},{','.join(['0'] * 784)}\n" for label in (1, 8)))
    steps, answer = all_of(REQUESTS["curve"]("mlp_mnist", ["shift:2,0"], source=str(held / "few.csv")))
    partial = [curve.from_plain(json.loads(words)) for _, words in steps]
    assert [len(each.points) for each in partial] == sorted(len(each.points) for each in partial)
    assert partial[-1] == curve.from_plain(answer["curve"])
    assert [share for share, _ in steps] == sorted(share for share, _ in steps)
    assert steps[-1][0] == 1


@pytest.mark.skipif(not (SHARED / "mnist" / "mnist.npz").is_file(), reason="needs the data")
@pytest.mark.parametrize(("model", "expected"), [
    ("lenet_mnist", {(2, 2): 85.2, (4, 4): 17.9, (0, 4): 58.0, (4, 0): 79.6}),
    ("mlp_mnist", {(2, 2): 56.5, (4, 4): 7.6}),
    ("rows_lstm", {(2, 2): 91.5, (4, 4): 44.0, (0, 4): 86.1, (4, 0): 64.2}), ("rows_rnn", {(2, 2): 50.6, (4, 4): 5.0})])
def test_ten_thousand_digits_are_answered_as_they_were_when_this_was_planned(model, expected):
    opened = open_model(model)
    data = data_of(opened, str(SHARED))
    assert len(data.given) == 10_000
    counting = _Counting(opened, ("shift:4,4",), data)
    for (right, down), share in expected.items():
        point = all_of(counting.point([f"shift:{right},{down}"], 4.0))[1]
        assert round(100 * point.share, 1) == share
        if (right, down) == (4, 4):
            assert round(100 * point.lost) == 61
            assert point.whole_of == 3875


# --- drawn ----------------------------------------------------------------------------------------------------------

def drawn(shares, title="CNN", cut=0):
    strengths = tuple(map(float, range(9)))
    points = tuple(Point(at, round(400 * share), 400, cut * int(at), round(200 * share), 200, 400)
                   for at, share in zip(strengths, shares, strict=False))
    return Curve(title, title, ("shift:8,8",), "shift", strengths, points, 0.1, 400, "digits")


def test_curves_stand_where_their_shares_are_with_bars_of_one_standard_error():
    one, other = drawn([1, 0.8, 0.5, 0.25], cut=3), drawn([1, 0.9], "LSTM")
    area = (10, 20, 600, 240)
    marks = curves_marks([one, other], area, Look(), 2.0, inputs.kind("image").grain({}))
    left, top, right, bottom = plot([one, other], area)
    long = [mark for mark in marks if isinstance(mark, Line) and mark.width == 1.75]
    assert [len(line.points) for line in long] == [4, 2]
    x, y = long[0].points[2]
    assert (x, y) == pytest.approx((left + (right - left) * 2 / 8, (top + bottom) / 2))
    bar = next(mark for mark in marks if isinstance(mark, Line) and mark.opacity == 0.6 and mark.points[0][0] == x)
    assert bar.points[1][1] - bar.points[0][1] == pytest.approx(2 * one.at(2).error * (bottom - top))
    words = [mark.plain for mark in marks if isinstance(mark, Text)]
    assert "50.0 % ± 2.5" in words
    assert "Right answers among 400 digits, by distance to the right and down" in words
    assert "2 % lose ink over the frame" in words
    assert "chance 10 %" in words
    hatched = next(mark for mark in marks if isinstance(mark, Rect) and mark.fill == "hatch")
    assert hatched.x == pytest.approx(left + (right - left) / 8), "the second is counted up to 1 only"
    assert strength_at([one], area, x + 3) == 2
    assert strength_at([one], area, -50) == 0


@pytest.mark.parametrize("wide", [240, 380, 420, 700])
def test_no_word_of_a_chart_leaves_its_area(wide):
    from visualizer.scene.type import bounds

    many = [drawn([1, 0.8, 0.5], title) for title in ("LeNet-5", "Rows LSTM", "A network with a long name", "MLP")]
    marks = curves_marks(many, (30, 40, wide, 260), Look(), 1.0)
    for mark in marks:
        if isinstance(mark, Text):
            x0, y0, x1, y1 = bounds(mark)
            assert 30 - 0.5 <= x0
            assert x1 <= 30 + wide + 0.5
            assert 40 - 1 <= y0
            assert y1 <= 300 + 1


def test_curves_that_are_empty_or_have_no_strength_are_drawn():
    assert curves_marks([], (0, 0, 600, 200), Look()) == []
    waiting = drawn([])
    assert any(isinstance(mark, Rect) and mark.fill == "hatch" for mark in
               curves_marks([waiting], (0, 0, 600, 200), Look(), 3.0))
    both = replace(drawn([1, 0.2]), edits=("reverse",), grows="reverse", strengths=(0.0, 1.0))
    said = [mark.plain for mark in curves_marks([both], (0, 0, 600, 200), Look(), 1.0) if isinstance(mark, Text)]
    assert {"unchanged", "changed"} <= set(said)


def test_the_command_line_counts_and_draws(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv(registry.STATE_FOLDER, str(tmp_path))
    held = tmp_path / "few.csv"
    held.write_text("".join(f"{label},{','.join(['9'] * 784)}\n" for label in (1, 8, 8)))
    asked = ["curve", "mlp_mnist", "digits_cnn", "--what-if", "shift=1,0", "--data", str(held)]
    assert cli.main([*asked, "-o", str(tmp_path / "a.csv")]) == cli.DONE
    said = capsys.readouterr().out
    assert "MLP: right answers among 3 pictures of one digit, shift:8" in said
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert lines[0].split(",") == list(curve.COLUMNS)
    assert len(lines) == 1 + 2 * 9
    assert cli.main([*asked, "--json", "-o", str(tmp_path / "a.png")]) == cli.DONE
    plain = json.loads(capsys.readouterr().out)
    assert [curve.from_plain(each).model for each in plain] == ["mlp_mnist", "digits_cnn"]
    assert (tmp_path / "a.png").stat().st_size > 5_000
    assert cli.main(["curve", "adding_gru", "--what-if", "shift=1"]) == cli.REFUSED
    assert cli.main(["curve", "mlp_mnist"]) == cli.REFUSED
    assert cli.main(["curve", "mlp_mnist", "--what-if", "shift=x"]) == cli.WRONG_USAGE
