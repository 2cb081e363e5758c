"""The view of a training: what it shows of runs that are made by hand, and of those that come with the app."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from tests import quantities_of_training  # noqa: F401  (its quantities are known once they are there)
from tests.test_sentences import true, unclaimed
from visualizer import record, sight
from visualizer.said import listening
from visualizer.scene import projector
from visualizer.scene.picture import Choice, Image, Line, Look, Picture, Rect, Stop, Text
from visualizer.scene.state import Place, State, to_pin
from visualizer.trace import Trace, forget
from visualizer.train import DEAD, EXPLODED, NOT_A_NUMBER, Checkpoint, Named, Run, Update, kept, seen
from visualizer.ui.stage import moment_at
from visualizer.views import find, picture
from visualizer.views.training._run import BINS, Axis, binned

SIZES = ((1104, 796), (870, 664), (992, 624), (700, 560))


def made(**changed: object) -> Run:
    """Ten updates of two layers and one activation, with checkpoints after 0, 1, 3 and 10: each number can be told
    from where it stands."""
    updates = tuple(Update(step, 2 / step, step / 10, (0.1 * step, 10.0 ** -step), (0.01, 0.001 * step), (1.0, 2.0),
                           (0.1 * step,), (0.05 * step,), (1.0 + step,), (0.1, 0.9)) for step in range(1, 11))
    checkpoints = tuple(Checkpoint(step, 2.5 - 0.2 * step, 0.1 + 0.08 * step, (0.5, 0.5), {
        "conv1.weight": np.full((2, 1, 3, 3), step, np.float32), "fc2.weight": np.eye(3, dtype=np.float32) * (1 + step),
    }) for step in (0, 1, 3, 10))
    run = Run("digits_cnn", sample="digit-2148", about="3,500 digits, 500 others held out", layers=("conv1", "fc2"),
              activations=("relu1",), labels=("0", "1"), updates=updates, checkpoints=checkpoints)
    return replace(run, **changed)


@pytest.fixture(scope="module")
def bare() -> Trace:
    return record.record("digits_cnn", "digit-2148")


@pytest.fixture(scope="module")
def shipped(bare: Trace) -> Trace:
    return record.with_study(record.pass_of("digits_cnn", "digit-2148"), seen.STUDY)


@pytest.fixture(scope="module")
def lstm() -> Trace:
    return record.with_study(record.pass_of("adding_lstm"), seen.STUDY)


def at(trace: Trace, place: int, look: Look | None = None) -> Picture:
    moment = sight.times(trace, Place(view="training")).settled(place)
    return picture(find("training"), trace, moment, None, look or Look())


def beside(trace: Trace, run: Run) -> Trace:
    return replace(trace, studies={seen.STUDY: seen.arrays(run)})


def texts(drawn: Picture) -> list[str]:
    return [mark.plain for mark in drawn if isinstance(mark, Text)]


def test_the_arrays_hold_the_run_and_its_words() -> None:
    run = made(named=(Named(7, DEAD, "relu1", 0.7),))
    held = seen.arrays(run)
    assert held["loss"].tolist() == [2 / step for step in range(1, 11)]
    assert held["gradient"].shape == (10, 2)
    assert held["gradient"][4, 1] == 1e-5
    assert held["kept"].tolist() == [0, 1, 3, 10]
    assert held["weights/conv1.weight"].shape == (4, 2, 1, 3, 3)
    assert held["answered"].tolist() == list(range(11))
    assert held["named"].tolist() == [[7, 0.7]]
    assert seen.words_of(held).plain() == replace(run, updates=(), checkpoints=()).plain()


def test_it_is_told_at_each_checkpoint_and_nothing_lies_between_two(bare: Trace) -> None:
    trace = beside(bare, made())
    times = sight.times(trace, Place(view="training"))
    assert [beat.address for beat in times.beats] == ["input.update", *(f"input.update[{step}]" for step in (1, 3, 10))]
    shown = find("training")
    captions = [picture(shown, trace, times.find(word), None, Look()).caption
                for word in ("input.update", "input.update[3]", "input.update[10]@0.5", "input.update[10]")]
    assert captions[0] == "Before the first update the loss is 2.50, and 10.0 % of the held-out rows are answered " \
                          "right."
    assert captions[1] == captions[2] == "After 3 of 10 updates the loss has fallen from 2.50 to 1.90, and 34.0 % of " \
                                         "the held-out rows are answered right."
    assert "0.500, and 90.0 %" in captions[3]
    assert picture(shown, bare, times.settled(0), None, Look()).caption != captions[0]
    rows = at(trace, 0).table.rows
    assert [row[0] for row in rows] == [0, 1, 3, 10]
    assert rows[2][1:5] == (pytest.approx(1.9), pytest.approx(0.34), 2 / 3, pytest.approx(0.3))


def test_the_values_at_the_right_are_those_at_the_cursor(bare: Trace) -> None:
    trace = beside(bare, made())
    for place, step in ((1, 1), (2, 3), (3, 10)):
        said = texts(at(trace, place))
        assert f"at {step}" in said
        assert f"{0.1 * step:.2g}".ljust(4, "0") in said or f"{0.1 * step:.2f}" in said or "1.0" in said
    first = texts(at(trace, 0))
    assert not any(word.startswith("at ") for word in first)
    assert "–" in first  # no gradient was measured before the first update


def test_a_map_shows_in_each_piece_the_last_update_that_had_come(bare: Trace) -> None:
    from visualizer.views.training._run import binned

    run = made()
    for log in (True, False):
        axis = Axis(100, 340, 10, log)
        found = binned(axis, run.column("step"), run.columns("gradient"))
        assert found.shape == (2, BINS)
        assert np.isnan(found[0, 0])  # before the first update
        for piece, step in enumerate(axis.middles()):
            came = [update for update in run.updates if update.step <= step + 1e-9]
            assert not came or found[0, piece] == came[-1].gradient[0]
            assert axis.x(step) == pytest.approx(100 + 240 * (piece + 0.5) / BINS)
    drawn = at(beside(bare, run), 3)
    assert any(isinstance(mark, Image) and mark.values.shape == (1, 2, BINS) for mark in drawn)


def test_filters_have_one_scale_over_all_checkpoints(bare: Trace) -> None:
    drawn = at(beside(bare, made()), 1)
    strips = [mark for mark in drawn if isinstance(mark, Image) and mark.values.shape == (2, 3, 3)]
    assert len(strips) == 4
    assert {mark.scale.high for mark in strips} == {10.0}
    shades = sorted(int(mark.values[0, 0, 0]) for mark in strips)
    assert shades[0] == 128
    assert shades[-1] == 255
    assert shades[2] == pytest.approx(128 + 0.3 * 127, abs=1)


def test_what_goes_wrong_is_named_when_it_begins(bare: Trace) -> None:
    run = made(named=(Named(3, DEAD, "relu1", 0.7), Named(10, EXPLODED, "conv1", 200.0), Named(10, NOT_A_NUMBER, "",
                                                                                              float("nan"))))
    trace = beside(bare, run)
    for place, there in ((1, set()), (2, {"relu1 dead"}), (3, {"relu1 dead", "conv1 exploded", "no number"})):
        assert {"relu1 dead", "conv1 exploded", "no number"} & set(texts(at(trace, place))) == there
    times = sight.times(trace, Place(view="training"))
    page = find("training").page(trace, times.settled(2), None, Look())
    assert "From update 3 on 70 % of the units of relu1 are dead" in " ".join(texts(page))


def test_a_weight_is_chosen_for_its_path_and_the_axis_is_turned(shipped: Trace) -> None:
    drawn = at(shipped, 9)
    chosen = [mark.holds for mark in drawn if isinstance(mark, Rect) and isinstance(mark.holds, Choice)]
    assert {each.word for each in chosen if each.knob == "axis"} == {"log", "linear"}
    assert Choice("weight", "3,0,2,2") in chosen
    assert len([each for each in chosen if each.knob == "weight"]) == 150
    turned = at(shipped, 9, Look(knobs=(("weight", "3,0,2,2"), ("axis", "linear"))))
    assert "conv1 [3, 0, 2, 2]" in texts(turned)
    assert "1,000" in texts(turned)
    assert any(isinstance(mark, Rect) and isinstance(mark.holds, Stop) and mark.holds.address == "input.update[562]"
               for mark in drawn)


def test_the_answer_to_another_input_is_that_of_the_weights_of_each_checkpoint(shipped: Trace) -> None:
    """Worked out with plain torch from the file."""
    import torch
    from torch.nn import functional

    other = record.with_study(record.pass_of("digits_cnn", "digit-3"), seen.STUDY).studies[seen.STUDY]
    assert other["answer"].shape == (len(other["kept"]), 10)
    run = kept.stored("digits_cnn")
    trace = record.record("digits_cnn", "digit-3")
    w = {name: torch.tensor(array) for name, array in run.checkpoints[9].weights.items()}
    x = torch.tensor(np.array(trace.layers[0].output)).reshape(1, 1, 28, 28)
    x = functional.max_pool2d(functional.conv2d(x, w["conv1.weight"], w["conv1.bias"],
                                                padding=_padding(trace, "conv1")).relu(), 2)
    x = functional.max_pool2d(functional.conv2d(x, w["conv2.weight"], w["conv2.bias"],
                                                padding=_padding(trace, "conv2")).relu(), 2)
    x = functional.linear(x.flatten(1), w["fc1.weight"], w["fc1.bias"]).relu()
    chances = functional.linear(x, w["fc2.weight"], w["fc2.bias"]).softmax(1)[0]
    np.testing.assert_allclose(other["answer"][9], chances.numpy(), atol=1e-6)
    assert shipped.studies[seen.STUDY]["answer"].shape == (109, 10)


def _padding(trace: Trace, name: str) -> int:
    found = trace[name].settings.get("padding", 0)
    return found if isinstance(found, int) else found[0]


@pytest.mark.parametrize("name", ["shipped", "lstm"])
def test_every_number_of_the_view_and_of_its_page_is_true(name: str, request: pytest.FixtureRequest) -> None:
    trace, shown = request.getfixturevalue(name), find("training")
    times = sight.times(trace, Place(view="training"))
    for place in (0, 9, len(times.beats) - 1):
        for look in (Look(), Look(knobs=(("axis", "linear"),), size=(992, 624))):
            forget(trace)
            with listening(placing=True) as heard:
                drawn = picture(shown, trace, times.settled(place), None, look)
                page = shown.page(trace, times.settled(place), None, look)
                tips = [mark.tip for mark in drawn if isinstance(mark, Rect) and mark.tip]
                said = [*texts(drawn), *texts(page), *tips]
            wrong = [claim for claim in heard if not true(trace, claim)]
            assert not wrong, wrong[:3]
            assert len(heard) > 40
            loose = unclaimed(trace, said, heard)
            assert not loose, loose[:5]


@pytest.mark.parametrize("name", ["shipped", "lstm"])
def test_everything_lies_inside_the_picture_and_no_rows_lie_over_each_other(name: str,
                                                                            request: pytest.FixtureRequest) -> None:
    from visualizer.scene.type import bounds

    trace = request.getfixturevalue(name)
    for look in (*(Look(size=size) for size in SIZES), projector.look_for(Look(), (1920, 1080))):
        for place in (0, 9, 15):
            drawn = at(trace, place, look)
            wide, high = look.size
            for mark in drawn:
                if isinstance(mark, Text):
                    left, top, right, bottom = bounds(mark)
                    assert left >= -1, (look.size, mark.plain)
                    assert right <= wide + 1, (look.size, mark.plain)
                    assert top >= -1, mark.plain
                    assert bottom <= high + 1, (look.size, mark.plain)


def test_it_is_offered_where_a_run_comes_with_the_app_or_lies_beside(bare: Trace) -> None:
    shown = find("training")
    assert shown.suits(bare)
    assert shown.suits(record.record("mlp_small"))  # which can be trained in a short time
    other = record.record("deep_relu")
    assert not shown.suits(other)
    assert shown.suits(replace(other, studies={seen.STUDY: seen.arrays(made())}))


# --- while it goes on -------------------------------------------------------------------------------------------------

def growing(bare: Trace) -> Trace:
    """Ten updates of forty, with another run behind from the third on, and one that is pinned."""
    held = {**seen.arrays(made()), "goal": np.array(40)}
    other = seen.arrays(made(checkpoints=tuple(replace(each, held_loss=3.0) for each in made().checkpoints)))
    both = seen.beside(seen.beside(held, seen.BEHIND, other, 3), seen.PINNED, other)
    return replace(bare, studies={seen.STUDY: both})


def test_what_is_not_known_yet_is_hatched_and_other_runs_stay_behind_as_dashes(bare: Trace) -> None:
    drawn = at(growing(bare), 3)
    axis = Axis(168, 1104 - 104, 40)
    hatched = [mark for mark in drawn if isinstance(mark, Rect) and mark.fill == "hatch"]
    assert {round(mark.x, 3) for mark in hatched} == {round(axis.x(10), 3)}
    assert {round(mark.x + mark.width, 3) for mark in hatched} == {axis.right}
    maps = [mark for mark in drawn if isinstance(mark, Image) and mark.values.shape[-1] == BINS]
    middles = axis.middles()
    for mark in maps:
        assert mark.hatched[0][:, middles > 11].all()
        assert not mark.hatched[0][:, (middles > 1) & (middles < 10)].any()
    dashed = [mark for mark in drawn if isinstance(mark, Line) and mark.dashed and len(mark.points) > 1
              and mark.points[0][0] != mark.points[-1][0]]
    assert [len(mark.points) for mark in dashed] == [2, 4, 2, 4]  # loss and right answers: behind from 3 on, A whole
    assert dashed[0].points[0][0] == pytest.approx(axis.x(3))
    assert len({round(y, 3) for _, y in dashed[1].points}) == 1  # its held-out loss is the same everywhere
    assert texts(drawn).count("A") == 2
    assert not [mark for mark in at(beside(bare, made()), 3) if isinstance(mark, Rect) and mark.fill == "hatch"]


def test_the_cursor_is_dragged_over_every_row_and_every_row_tells_its_value(bare: Trace) -> None:
    trace = beside(bare, made())
    drawn, times = at(trace, 0), sight.times(trace, Place(view="training"))
    places = [mark for mark in drawn if isinstance(mark, Rect) and isinstance(mark.holds, Stop)]
    tops = sorted({mark.y for mark in places})
    assert len(tops) > 8
    axis = Axis(168, 1104 - 104, 10)
    for top in tops:
        row = [mark for mark in places if mark.y == top and mark.tip]
        y = top + 2
        for step in (0, 1, 3, 10):
            found = moment_at(drawn, times, times.settled(0), axis.x(step), y)
            assert found is not None
            assert found.beat.number == step
        assert not row or all(mark.tip for mark in row)
    tips = {mark.tip for mark in places}
    assert "after 3 updates: held-out loss 1.9, 34.0 % right" in tips
    assert "gradient ‖∂L/∂W‖ conv1, update 3: 0.30" in tips
    assert "after 3 updates: 1 with 90.0 %" in tips


def test_what_exploded_takes_no_colours_from_what_was_before(bare: Trace) -> None:
    run = made()
    huge = tuple(replace(each, gradient=(1e9, 1e9)) if each.step > 6 else each for each in run.updates)
    kept_ = (*run.checkpoints[:3], replace(run.checkpoints[3], weights={
        name: array * 1000 for name, array in run.checkpoints[3].weights.items()}))
    sound, blown = (made(updates=huge, checkpoints=kept_, named=named) for named in ((), (Named(7, EXPLODED, "conv1",
                                                                                             1e10),)))
    for run, top, weight in ((sound, 1e9, 10_000.0), (blown, 0.6, 3.0)):
        drawn = at(beside(bare, run), 3)
        scales = [mark.scale for mark in drawn if isinstance(mark, Image) and mark.scale is not None]
        assert next(scale.high for scale in scales if scale.quantity.startswith("gradient")) == pytest.approx(top)
        assert {scale.high for scale in scales if scale.quantity == "weights"} == {weight}
    assert "≥ 3.00" in texts(drawn)


def test_where_a_number_is_none_the_rest_is_hatched_and_the_last_checkpoint_says_so(bare: Trace) -> None:
    run = made(named=(Named(11, NOT_A_NUMBER, "", float("nan")),), stopped=True)
    run = run.grown(updates=(replace(run.updates[-1], step=11, loss=float("nan")),))
    trace = beside(bare, run)
    assert "no number" in texts(at(trace, 3))
    assert "no number" not in texts(at(trace, 2))
    assert any(isinstance(mark, Rect) and mark.fill == "hatch" and mark.width > 10 for mark in at(trace, 3))


def test_a_network_that_was_never_trained_here_stands_before_its_first_update() -> None:
    trace = record.with_study(record.pass_of("mlp_small", "digit-2148"), seen.STUDY)
    held, drawn = trace.studies[seen.STUDY], at(trace, 0)
    assert (held["kept"].tolist(), len(held["step"]), held["answer"].shape) == ([0], 0, (1, 10))
    assert drawn.caption.startswith("Before the first update the loss is 2.3")
    assert "weights of fc1" in texts(drawn)
    pictures = [mark for mark in drawn if isinstance(mark, Image) and mark.values.shape == (4, 28, 28)]
    assert len(pictures) == 1
    assert find("training").page(trace, sight.times(trace, Place(view="training")).settled(0), None, Look()) is not None


def test_digits_go_to_before_now_and_best(shipped: Trace) -> None:
    shown, held = find("training"), shipped.studies[seen.STUDY]
    best = int(held["kept"][np.argmin(held["held_loss"])])
    assert [shown.digit(shipped, number) for number in (1, 2, 3, 4)] == [
        ("at", "input.update"), ("at", ""), ("at", f"input.update[{best}]"), None]
    times = sight.times(shipped, Place(view="training"))
    state = State((Place(view="training", at="input.update[178]"),))
    before = to_pin(state, "input.update", times)
    assert before.at == "input.update"
    assert to_pin(to_pin(before, f"input.update[{best}]", times), "", times).at == "input.update[178]"
    assert to_pin(state, "", times).at == times.beats[-1].address


def test_every_recipe_says_its_data_in_the_language_that_is_spoken() -> None:
    from visualizer.language import speaking
    from visualizer.record import training
    from visualizer.record.catalog import source_of
    from visualizer.train.about import about

    for name in training.trainable():
        source = source_of(name)
        said = source.live.task(source.prepare, None).about
        assert about(said) == said
        with speaking("de"):
            assert "zurückgehalten" in about(said)
            assert not re.search(r"\d,\d", about(said))
    assert about("rows of somebody else") == "rows of somebody else"


@pytest.mark.parametrize("goal", [1, 2000])
def test_before_the_first_update_only_the_first_piece_of_a_strip_is_known(goal):
    found = binned(Axis(0.0, 240.0, goal), np.array([0.0]), np.array([[0.5]]), last=0)
    assert found[0, 0] == 0.5
    assert np.isnan(found[0, 1:]).all()
