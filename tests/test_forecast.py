"""A forecast that goes on by itself, and its view, against the model's own way of doing it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from visualizer import card, draw
from visualizer.record import pass_of, with_study
from visualizer.scene.picture import Line, Look, Text
from visualizer.scene.timeline import timeline
from visualizer.trace import Trace
from visualizer.views import find
from visualizer.views.forecast import series_of


@pytest.fixture(scope="module")
def foretold() -> Trace:
    return with_study(pass_of("sunspots_lstm", "sunspots-since-1850"), "free")


def test_each_step_goes_on_by_itself_as_the_model_does(foretold: Trace) -> None:
    """The model is asked anew for each start, with all that was measured before."""
    again = pass_of("sunspots_lstm", "sunspots-since-1850")
    ahead = foretold.studies["free"]["ahead"]
    assert len(ahead) == len(again.inputs[0][0]) == 159
    for start in (0, 7, 100, 158):
        with torch.no_grad():
            own = again.model(again.inputs[0][:, :start + 1], ahead.shape[1] - 1)[0, start:, 0]
        np.testing.assert_allclose(ahead[start], own.double().numpy(), rtol=1e-4, atol=1e-3)


def test_the_series_is_what_was_read_and_its_times_are_said(foretold: Trace) -> None:
    series = series_of(foretold)
    assert foretold.sample.steps[0] == "1850"
    assert foretold.sample.steps[-1] == "2008"
    np.testing.assert_array_equal(series.measured, foretold.layers[0].output[:, 0])
    np.testing.assert_array_equal(series.foretold, foretold[series.layer].output[:, 0])


def test_a_model_that_foretells_one_series_opens_on_its_forecast_and_no_other_does() -> None:
    said = {"input": {"kind": "sequence", "shape": [None, 1]}, "answer": {"kind": "numbers", "foretells": 1}}
    assert card.bundled("sunspots_lstm").view == card.of_words("mine", said).view == "forecast"
    for other in (said | {"input": {"kind": "sequence", "shape": [None, 2]}}, said | {"answer": {"kind": "numbers"}}):
        assert card.of_words("mine", other).view == "unrolled"


def test_the_sentence_says_the_forecast_the_truth_and_the_error_left_alone(foretold: Trace) -> None:
    place = foretold.sample.steps.index("1979")
    picture = draw(foretold, view="forecast", at=f"lstm.forward[{place + 1}]")
    series, ahead = series_of(foretold), foretold.studies["free"]["ahead"]
    count = min(ahead.shape[1], 158 - place)
    off = np.abs(ahead[place, :count] - series.measured[place + 1:place + 1 + count]).mean()
    for words in (f"to 1979, the network expects {series.foretold[place]:.1f} for 1980",
                  f"measured was {series.measured[place + 1]:.1f}",
                  f"off by {off:.1f} on average over the next {count}"):
        assert words in picture.caption
    rows = picture.table.rows
    assert rows[place + 1][1:4] == ("1980", series.measured[place + 1], series.foretold[place])


def test_nothing_that_lies_ahead_is_drawn_as_told(foretold: Trace) -> None:
    """What was measured ends at the cursor, in ink; behind it it is dashed; told, nothing goes on by itself."""
    for knobs, lines in (({}, 1), ({"future": "told"}, 0)):
        picture = draw(foretold, view="forecast", at="lstm.forward[80]", **knobs)
        cursor = next(mark for mark in picture.moving if isinstance(mark, Line) and mark.color == "accent"
                      and mark.points[0][0] == mark.points[1][0])
        ink = [mark for mark in picture.moving if isinstance(mark, Line) and mark.color == "ink" and not mark.dashed]
        assert max(x for mark in ink for x, _ in mark.points) <= cursor.points[0][0] + 1e-6
        free = [mark for mark in picture.moving if isinstance(mark, Line) and mark.width == 2.25]
        assert len(free) == lines


def test_on_the_way_back_the_gradient_of_the_forecast_lies_under_the_series(foretold: Trace) -> None:
    assert foretold.objective.kind == "value:158,0"
    picture = draw(foretold, view="forecast", at="lstm.backward[159]")
    assert "the forecast made at 2008" in picture.caption
    again = pass_of("sunspots_lstm", "sunspots-since-1850")
    x = again.inputs[0].clone().requires_grad_()
    again.model(x)[0, -1, 0].backward()
    np.testing.assert_allclose(foretold.layers[0].gradient, x.grad[0].numpy(), rtol=1e-4, atol=1e-7)


def test_a_series_of_ones_own_has_numbers_for_times(tmp_path) -> None:
    table = tmp_path / "own.csv"
    table.write_text("\n".join(str(20 + 10 * (step % 5)) for step in range(40)))
    trace = with_study(pass_of("sunspots_lstm", str(table)), "free")
    assert find("forecast").suits(trace)
    assert "Told everything to" in draw(trace, view="forecast").caption


def test_without_the_study_nothing_is_invented(foretold: Trace) -> None:
    bare = replace(foretold, studies={})
    picture = draw(bare, view="forecast", at="lstm.forward[80]")
    assert "Left alone" not in picture.caption
    assert not any(isinstance(mark, Text) and mark.runs[0].text == "it reads itself" for mark in picture.moving)
    assert not any(isinstance(mark, Line) and mark.width == 2.25 for mark in picture.moving)


def test_both_ways_to_go_on_are_measured_beside_a_plain_guess(foretold: Trace) -> None:
    quality = foretold.facts["quality"]
    page = find("forecast").page(foretold, timeline(foretold).find("lstm.forward[80]"), None, Look())
    printed = {mark.plain for mark in page if isinstance(mark, Text)}
    assert {f"{quality[name]:.2f}" for name in ("RMSE one step ahead", "RMSE of a round foretold from its own values",
                                                "RMSE of the last value")} <= printed
