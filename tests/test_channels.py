"""Which channels are shown first, against numpy on what was recorded."""

from __future__ import annotations

import numpy as np
import pytest

from tests.recorded import recorded
from visualizer import draw
from visualizer.record import pass_of, with_study
from visualizer.scene.channels import by_change, ranked


@pytest.mark.parametrize(("by", "score"), [
    ("first", lambda layer: -np.arange(len(layer.output))),
    ("mean", lambda layer: np.abs(layer.output).mean((1, 2))), ("max", lambda layer: np.abs(layer.output).max((1, 2))),
    ("gradient", lambda layer: np.abs(layer.gradient).mean((1, 2)))])
def test_channels_stand_in_the_order_of_what_they_are_ranked_by(by: str, score) -> None:
    layer = recorded("digits_cnn")["conv2"]
    values = np.asarray(score(layer), np.float64)[list(ranked(layer, by))]
    assert (np.diff(values) <= 0).all()


def test_by_change_is_by_what_a_change_of_the_input_moved() -> None:
    before = recorded("digits_cnn")["conv2"].output.astype(np.float64)
    trace = with_study(pass_of("digits_cnn", edits=("shift:3,0",)), "unedited")
    moved = np.abs(trace["conv2"].output - before).mean((1, 2))
    order = by_change(trace, trace["conv2"])
    assert sorted(order) == list(range(12))
    assert (np.diff(moved[list(order)]) <= 0).all()
    assert order != ranked(trace["conv2"], "mean")
    picture = draw(trace, view="feature_maps", at="conv2.forward", ranking="change", size=(400, 300))
    plain = draw(trace, view="feature_maps", at="conv2.forward", ranking="mean", size=(400, 300))
    assert picture.dump() != plain.dump()


def test_where_nothing_was_changed_nothing_is_ranked_by_it() -> None:
    trace = recorded("digits_cnn", studies=("unedited",))
    assert by_change(trace, trace["conv2"]) == ()
    assert draw(trace, view="feature_maps", at="conv2.forward", ranking="change").dump() == \
        draw(trace, view="feature_maps", at="conv2.forward").dump()
