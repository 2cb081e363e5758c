"""Connectivity: the study against finite differences and against runs made by hand, and the view that shows it."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from visualizer import export
from visualizer.record import Pass, capture, pass_of, with_study
from visualizer.record.studies import connectivity
from visualizer.scene import projector
from visualizer.scene.picture import Image, Look, Rect, Text
from visualizer.scene.timeline import timeline
from visualizer.scene.type import bounds
from visualizer.views import connectivity as view
from visualizer.views import picture as picture_of

TEXT = "art thou"


@pytest.fixture(scope="module")
def studied():
    return with_study(pass_of("char_lstm", TEXT), "connectivity")


@pytest.fixture(scope="module")
def made_by_hand():
    """The parts of the same model in float64, and the vectors that its LSTM reads."""
    again = pass_of("char_lstm", TEXT)
    model = copy.deepcopy(again.model).double()
    return model, model.embedding(again.inputs[0]).detach()


def test_gradients_are_those_of_finite_differences(studied, made_by_hand):
    model, read = made_by_hand
    found = studied.studies["connectivity"]
    answer, step, tiny = 6, 4, 1e-6
    slopes = []
    for feature in range(read.shape[2]):
        moved = read.repeat(2, 1, 1)
        moved[0, step, feature] += tiny
        moved[1, step, feature] -= tiny
        with torch.no_grad():
            up, down = model.fc(model.lstm(moved)[0])[:, answer, int(found["choice"][answer])]
        slopes.append(float(up - down) / (2 * tiny))
    assert found["gradient"][answer, step] == pytest.approx(np.linalg.norm(slopes), rel=1e-6)


def test_changes_are_those_of_runs_with_one_step_replaced(studied, made_by_hand):
    model, read = made_by_hand
    found = studied.studies["connectivity"]
    mean = model.embedding.weight.detach().mean(dim=0)
    with torch.no_grad():
        whole = model.fc(model.lstm(read)[0])[0]
        for step in (0, 5):
            without = read.clone()
            without[0, step] = mean
            left = model.fc(model.lstm(without)[0])[0]
            for answer, choice in enumerate(found["choice"]):
                expected = float(whole[answer, choice] - left[answer, choice])
                assert found["change"][answer, step] == pytest.approx(expected, abs=1e-12)


def test_no_answer_of_a_one_way_network_depends_on_what_comes_later(studied):
    found = studied.studies["connectivity"]
    assert not np.triu(found["gradient"], 1).any()
    assert np.abs(np.triu(found["change"], 1)).max() < 1e-12
    assert view.hanging(studied).one_way


def test_a_bidirectional_network_knows_of_later_steps():
    torch.manual_seed(0)

    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.gru = nn.GRU(3, 4, bidirectional=True, batch_first=True)
            self.fc = nn.Linear(8, 2)

        def forward(self, x):
            return self.fc(self.gru(x)[0])

    model, x = Both().eval(), torch.randn(1, 5, 3)
    found = with_study(Pass(capture(model, x, (0, 1, 0, 1, 0)), model, (x,)), "connectivity").studies["connectivity"]
    assert found["gradient"].shape == (5, 5)
    assert np.triu(found["gradient"], 1).any()
    assert int(found["neutral"]) == connectivity.OF_ALL_STEPS


def test_a_model_of_ones_own_is_studied_from_python():
    import visualizer

    again = pass_of("char_rnn", TEXT)
    trace = visualizer.capture(again.model, again.inputs[0], again.target)
    found = visualizer.study(trace, again.model, again.inputs[0], "connectivity", "flow", target=again.target)
    known = with_study(again, "connectivity").studies["connectivity"]
    assert np.array_equal(found.studies["connectivity"]["gradient"], known["gradient"])
    assert set(found.studies) == {"connectivity", "flow"}
    with pytest.raises(LookupError, match="There is no study 'flows'"):
        visualizer.study(trace, again.model, again.inputs[0], "flows")


def test_the_model_is_left_as_it_was():
    again = pass_of("char_rnn", TEXT)
    with_study(again, "connectivity")
    assert next(again.model.parameters()).dtype == torch.float32
    assert not again.model.rnn._forward_pre_hooks


def test_one_answer_for_a_whole_picture_and_a_blank_one_as_stand_in():
    trace = with_study(pass_of("rows_gru"), "connectivity")
    found = trace.studies["connectivity"]
    assert found["gradient"].shape == (1, 28)
    assert int(found["neutral"]) == connectivity.OF_A_BLANK
    rows = trace["input"].output.squeeze()
    blank = [row for row in range(28) if np.ptp(rows[row]) == 0]
    assert blank
    assert np.abs(found["change"][0, blank]).max() < 1e-12, "a blank row in place of a blank row changes nothing"
    assert np.abs(found["change"]).max() > 1


def test_what_is_too_long_or_has_no_steps_is_not_measured():
    assert not connectivity.suits(pass_of("digits_cnn").trace)
    assert not connectivity.suits(pass_of("char_rnn", "a" * (connectivity.MOST_STEPS + 1), objective="none").trace)


def test_rank_correlation_is_spearmans():
    # Worked by hand: ranks 1 2 3 4 5 against 2 1 4 3 5, squared differences 1 1 1 1 0, 1 − 6·4 / (5·24) = 0.8.
    assert view.rank_correlation(np.array([1.0, 2, 3, 4, 5]), np.array([20.0, 10, 40, 30, 50])) == pytest.approx(0.8)
    assert view.rank_correlation(np.array([1.0, 2, 3]), np.array([9.0, 4, 1])) == pytest.approx(-1)
    assert view.rank_correlation(np.array([1.0, 2]), np.array([9.0, 4])) is None
    assert view.rank_correlation(np.array([1.0, 1, 1]), np.array([9.0, 4, 1])) is None
    tied = view.rank_correlation(np.array([1.0, 1, 2]), np.array([1.0, 2, 3]))
    assert tied == pytest.approx(np.corrcoef([1.5, 1.5, 3], [1, 2, 3])[0, 1])


def test_the_picture_prints_what_was_measured(studied):
    picture = export.draw(studied, "connectivity", "lstm.forward[6]")
    found = view.hanging(studied)
    assert [row[2] for row in picture.table.rows] == list(found.gradient[5, :6])
    hardest = int(np.argmax(found.gradient[5, :6]))
    assert f"step {hardest + 1}" in picture.caption
    assert f"{abs(found.change[5, :6]).max():.2f}" in picture.caption
    hatched = [mark for mark in picture if isinstance(mark, Rect) and mark.fill == "hatch"]
    assert len(hatched) == 2, "steps 7 and 8 come after the answer"
    assert sum(isinstance(mark, Image) and mark.values.shape[1:] == (8, 8) for mark in picture) == 2


def test_before_it_is_measured_the_picture_says_so(studied):
    picture = export.draw(pass_of("char_lstm", TEXT).trace, "connectivity")
    assert "Not measured yet" in picture.caption


def test_a_long_text_is_cut_to_the_lines_around_the_answer_and_says_so():
    trace = with_study(pass_of("char_rnn", TEXT * 14), "connectivity")
    picture = export.draw(trace, "connectivity", "rnn.forward[100]", size=(780, 620))
    said = [mark.plain for mark in picture if hasattr(mark, "plain") and mark.plain.startswith("steps ")]
    assert any("of 112" in words for words in said)


def test_a_study_travels_with_the_trace(studied, tmp_path):
    from visualizer.trace import load

    opened = load(studied.save(tmp_path / "a.trace"))
    assert np.array_equal(opened.studies["connectivity"]["change"], studied.studies["connectivity"]["change"])
    assert "connectivity" not in load(pass_of("char_rnn", TEXT).trace.save(tmp_path / "b.trace")).studies


def test_the_engine_and_the_command_line_measure_it_when_it_is_looked_at(studied, tmp_path, capsys):
    from visualizer.cli import main
    from visualizer.engine.requests import REQUESTS

    steps = REQUESTS["study"](name="connectivity", model="char_lstm", sample=f"text:{TEXT}", objective="loss")
    shares = []
    while True:
        try:
            shares.append(next(steps)[0])
        except StopIteration as end:
            answer = end.value
            break
    assert shares == sorted(shares)
    assert answer["study"] == "connectivity"
    assert np.array_equal(answer["arrays"]["gradient"], studied.studies["connectivity"]["gradient"])
    assert main(["data", "char_lstm", "--input", TEXT, "--view", "connectivity", "--at", "lstm.forward[6]",
                 "-o", str(tmp_path / "c.csv")]) == 0
    assert len((tmp_path / "c.csv").read_text().splitlines()) == 7
    capsys.readouterr()


@pytest.mark.parametrize("size", [(1024, 768), (1920, 1080), (3840, 2160)])
def test_a_room_sees_both_maps_large_and_no_words_over_each_other(studied, size):
    look = projector.look_for(Look(), size)
    moment = timeline(studied).find("lstm.forward[6]")
    picture = picture_of(view.VIEW, studied, moment, None, look)
    maps = [mark for mark in picture if isinstance(mark, Image) and mark.scale is not None]
    assert [mark.scale.palette for mark in maps] == ["gradient", "activation"]
    assert all(mark.tile_size[1] > 0.33 * size[1] for mark in maps)
    texts = [(mark.plain, bounds(mark)) for mark in picture if isinstance(mark, Text)]
    assert {"gradient", "left out", "answer 6"} <= {words for words, _ in texts}
    for index, (words, (x0, y0, x1, y1)) in enumerate(texts):
        assert x0 >= 0, words
        assert x1 <= size[0], words
        assert all(x1 <= u0 + 1 or u1 <= x0 + 1 or y1 <= v0 + 1 or v1 <= y0 + 1
                   for _, (u0, v0, u1, v1) in texts[index + 1:]), words
