"""The laboratory seen: the laws of views on its recordings, what its sentences say, and what its file holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt

from tests.test_layout import SIZES as LAYOUTS
from tests.test_layout import faults
from tests.test_views import SIZES, box, corners
from visualizer import lab as knobs
from visualizer.lab import Lab
from visualizer.record.gradients import sweep
from visualizer.record.lab import record_lab
from visualizer.scene.picture import Line, Look, Picture, Rect, Stop, Text
from visualizer.scene.recipe import lab_recipe
from visualizer.scene.state import State, changed
from visualizer.scene.timeline import Moment, timeline
from visualizer.trace import Arrays, Trace, from_bytes
from visualizer.ui.stage import Stage
from visualizer.ui.store import Store
from visualizer.views import find
from visualizer.views import picture as picture_of
from visualizer.views.gradient_flow import _lab_facts as lab_facts
from visualizer.views.gradient_flow._swept import crossing

LABS = {
    "usual": (Lab(), None), "short": (Lab(steps=10), None), "long": (Lab(steps=200), Lab(gain=1.2, bias=0)),
    "sigmoid": (Lab(cell="sigmoid", steps=100), None),
    "overflow": (Lab(cell="linear", gain=1.5, steps=200, precision="float32"), None),
    "zeros": (Lab(gain=0.5, input=0.1, steps=200, precision="float32"), None),
    "every": (Lab(loss="every"), None), "nothing": (Lab(gain=0.0), None),
    "deep": (Lab(experiment="depth"), Lab(experiment="depth", init="he")),
    "shallow": (Lab(experiment="depth", layers=2), None),
    "residual": (Lab(experiment="depth", layers=50, residual="on"), None),
    "cliff": (Lab(experiment="cliff"), None),
}


@pytest.fixture(scope="module", params=list(LABS))
def trace(request: pytest.FixtureRequest) -> Trace:
    wanted, against = LABS[request.param]
    return record_lab(wanted, against)


def pictures(trace: Trace, look: Look) -> list[Picture]:
    view = find("landscape" if "surface" in trace.studies["lab"] else "gradient_flow")
    times = timeline(trace)
    return [picture_of(view, trace, times.at(times.starts[index] + times.pace(index).seconds / 2 * halves), None, look)
            for index in range(0, len(times.beats), max(1, len(times.beats) // 8)) for halves in (1, 2)]


@pytest.mark.matrix(spine=("usual",), sample=11)
@pytest.mark.parametrize("size", list(SIZES))
def test_nothing_stands_outside_the_frame_and_texts_keep_apart(trace: Trace, size: str) -> None:
    look = SIZES[size]
    for picture in pictures(trace, look):
        for mark in picture:
            for x, y in corners(mark):
                assert -1 <= x <= look.size[0] + 1, (mark, picture.caption)
                assert -1 <= y <= look.size[1] + 1, (mark, picture.caption)
        texts = [mark for mark in picture if isinstance(mark, Text)]
        assert min(mark.size for mark in texts) >= 11 * look.text_scale - 1e-9
        for index, one in enumerate(texts):
            for other in texts[index + 1:]:
                assert not overlap(box(one), box(other)), (one.plain, other.plain, picture.caption)


def swept(lab: Lab, name: str) -> Trace:
    """A recording with a knob of it swept, as the engine sends it."""
    about, found = knobs.knob(name), list(sweep(lab, name, 5))
    recorded = record_lab(lab)
    arrays = {"values": np.array([value for value, _ in found]), "factors": np.array([kept for _, kept in found]),
              "knob": np.array(knobs.knobs().index(about))}
    return replace(recorded, studies={**recorded.studies, "sweep": arrays})


@pytest.mark.parametrize(("lab", "name"), [(Lab(steps=20), "gain"), (Lab(steps=20), "bias"), (Lab(gain=0.0), "input"),
                                           (Lab(experiment="depth", layers=8), "layers")])
def test_what_a_sweep_found_fills_the_stage_until_it_is_put_away(lab: Lab, name: str) -> None:
    trace, view = swept(lab, name), find("gradient_flow")
    moment, sweep = timeline(trace).settled(2), trace.studies["sweep"]
    hidden = picture_of(view, trace, moment, None, Look((1104, 796)))
    assert hidden.dump() == picture_of(view, record_lab(lab), moment, None, Look((1104, 796))).dump()
    for size, look in LAYOUTS.items():
        shown = picture_of(view, trace, moment, None, replace(look, knobs=(("sweep", "shown"),)))
        assert not (found := list(faults(shown, look.text_scale))), f"{size}: {found[:4]}"
        assert [row[0] for row in shown.table.rows] == sweep["values"].tolist()
        np.testing.assert_array_equal([row[1:] for row in shown.table.rows], sweep["factors"])
        lines = [mark for mark in shown if isinstance(mark, Line) and mark.color.startswith("series-")]
        known = [int(np.isfinite(lane).sum()) for lane in sweep["factors"].T]
        assert [len(line.points) for line in lines] == [count for count in known if count > 1]
        wide = max(x for line in lines for x, _ in line.points) - min(x for line in lines for x, _ in line.points)
        assert wide > 0.55 * look.size[0], "as wide as the stage"
        for line, factors in zip(lines, [lane for lane in sweep["factors"].T if np.isfinite(lane).sum() > 1],
                                 strict=True):
            heights, kept = np.array([y for _, y in line.points]), np.minimum(factors[np.isfinite(factors)], 2.0)
            assert np.ptp(heights) < 1e-9 or np.corrcoef(heights, kept)[0, 1] < -0.999999, "height is what is kept"


@pytest.mark.parametrize(("values", "found"), [
    ([0.5, 0.9, 1.1, 1.4], (1.0, 2.0)), ([0.5, 0.9, 0.95, 0.99], None), ([1.2, 1.1, 1.3, 1.4], None),
    ([0.5, 1.1, 0.9, 1.4], None), ([1.2, 0.9, 0.8, 0.7], None),
])
def test_where_shrinking_turns_into_growing_is_said_only_if_it_does_once(values: list[float],
                                                                         found: tuple[float, float] | None) -> None:
    assert crossing(np.arange(4.0), np.array(values)) == found


def in_the_end(trace: Trace) -> Moment:
    """The gradient has come all the way."""
    times = timeline(trace)
    return times.settled(len(times.beats) - 1)


def overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] - 1 and other[0] < one[2] - 1 and one[1] < other[3] - 1 and other[1] < one[3] - 1


def test_every_picture_says_something_and_has_a_table(trace: Trace) -> None:
    for picture in pictures(trace, Look()):
        assert picture.caption.endswith(".")
        assert len(picture.table.rows) > 1
        assert len({len(row) for row in picture.table.rows} | {len(picture.table.columns)}) == 1


@pytest.mark.matrix(spine=("usual", "cliff", "deep"), sample=2, each=False)
def test_one_beat_goes_over_into_the_next(trace: Trace) -> None:
    """What moves stands at the start of a beat where it stood at the end of the one before."""
    view = find("landscape" if "surface" in trace.studies["lab"] else "gradient_flow")
    times = timeline(trace)
    for index in range(1, min(len(times.beats), 40)):
        end = view.draw(trace, times.settled(index - 1), None, Look())
        start = view.draw(trace, times.at(times.starts[index]), None, Look())
        if times.beats[index].direction == times.beats[index - 1].direction:
            assert cursor(end) == pytest.approx(cursor(start), abs=0.51), times.beats[index]


@pytest.mark.matrix(spine=("usual",), sample=3, each=False)
def test_what_the_gradient_has_not_come_to_is_not_there(trace: Trace) -> None:
    """The same picture whatever the later steps hold; names may stand elsewhere, they keep off the whole curve."""
    if "surface" in trace.studies["lab"]:
        pytest.skip("a ball, no gradient that travels")
    view, found = find("gradient_flow"), lab_facts.study(trace)
    for share in (0.0, 0.3, 0.7):
        back = int(share * (found.count - 1))
        at = timeline(trace).find(lab_facts.stops(trace, found)[back].address)
        other = replace(trace, studies={**trace.studies, "lab": turned_after(trace.studies["lab"], back, found.count)})
        here, there = (view.draw(one, at, None, Look()) for one in (trace, other))
        assert here.caption == there.caption
        shown = [[mark for mark in picture if not isinstance(mark, Text)] for picture in (here, there)]
        assert shown[0] == shown[1]


def turned_after(arrays: Arrays, back: int, count: int) -> dict[str, np.ndarray]:
    """The same curves up to a step, and what comes after it the other way round."""
    found = dict(arrays)
    for name, array in arrays.items():
        first = back + (not name.endswith(".kept"))
        if name.endswith((".mean", ".kept", ".seeds")) and array.shape[-1] >= count - 1:
            found[name] = np.concatenate([array[..., :first], array[..., first:][..., ::-1]], axis=-1)
    return found


def cursor(picture: Picture) -> float:
    """x of the cursor: of the ball, or of the line."""
    balls = [mark.x for mark in picture.moving if isinstance(mark, Rect) and mark.width > 12]
    if balls:
        return balls[0]
    found = [mark for mark in picture.moving if isinstance(mark, Line) and mark.color == "accent"]
    if found and len(found[0].points) == 2 and found[0].points[0][0] == found[0].points[1][0]:
        return float(found[0].points[0][0])
    return 0.0


def test_the_table_holds_the_numbers_that_were_measured() -> None:
    trace = record_lab(Lab(steps=20))
    picture = find("gradient_flow").draw(trace, timeline(trace).settled(0), None, Look())
    assert picture.table.columns[:4] == ("steps_back", "gradient_norm_rnn", "gradient_norm_gru", "gradient_norm_lstm")
    column = [row[1] for row in picture.table.rows]
    assert np.array_equal(column, trace.studies["lab"]["rnn.mean"])


@pytest.mark.parametrize(("lab", "words"), [
    (Lab(input=0.1, steps=100), "The RNN forgets half every 4.4 steps."),
    (Lab(cell="linear", matrix="orthogonal", gain=1.0, input=0.1),
     "The RNN’s gradient does not decay in these 60 steps."),
    (Lab(cell="relu", matrix="positive", gain=1.1, steps=100, input=0.1), "The RNN’s gradient grows by 1.10 a step."),
    (Lab(gain=0.0), "The RNN’s gradient is exactly 0 from 1 step back on."),
    (Lab(experiment="depth", norm="batch"), "The gradient grows by 1.21 a layer."),
])
def test_the_headline_says_what_happens(lab: Lab, words: str) -> None:
    trace = record_lab(lab)
    picture = find("gradient_flow").draw(trace, in_the_end(trace), None, Look())
    assert picture.caption.startswith(words)


def test_what_leaves_the_range_is_named_with_its_step_and_never_drawn_as_zero() -> None:
    lost = record_lab(LABS["overflow"][0])
    step = int(lost.studies["lab"]["rnn.beyond"])
    words = [mark.plain for mark in pictures(lost, Look())[-1] if isinstance(mark, Text)]
    assert f"RNN beyond range from {step} on" in words
    small = record_lab(LABS["zeros"][0])
    words = [mark.plain for mark in pictures(small, Look())[-1] if isinstance(mark, Text)]
    first = int(np.argmax(small.studies["lab"]["rnn.mean"] == 0))
    assert any(f"exactly 0 from {first} on" in said for said in words)


def test_the_pinned_curves_stand_behind_the_present_ones() -> None:
    trace = record_lab(Lab(), Lab(gain=1.5))
    picture = find("gradient_flow").draw(trace, in_the_end(trace), None, Look())
    assert "Pinned as A: RNN forgets half every" in picture.caption
    assert "pinned_gradient_norm_rnn" in picture.table.columns


@pytest.mark.parametrize("steps", [10, 60, 200])
def test_a_click_in_the_chart_or_on_a_strip_goes_to_its_step(steps: int, qtbot) -> None:
    trace = record_lab(Lab(steps=steps))
    stage = Stage(Store(changed(State(), recipe=lab_recipe({"steps": str(steps)}), view="gradient_flow"), trace))
    qtbot.addWidget(stage)
    stage.resize(1100, 780)
    stage.show()
    for back, height in ((steps // 2, 0.4), (2, 0.75)):
        place = next(mark for mark in stage.picture.still if isinstance(mark, Rect) and isinstance(mark.holds, Stop)
                     and mark.holds.address == f"rnn.backward[{steps - back}]")
        spot = QPointF(place.x + place.width / 2, place.y + place.height * height)
        qtbot.mouseClick(stage, Qt.MouseButton.LeftButton, pos=spot.toPoint())
        assert stage.store.state.at == f"rnn.backward[{steps - back}]"


def test_curves_about_to_be_replaced_are_faint() -> None:
    trace = record_lab(Lab())
    view, moment = find("gradient_flow"), in_the_end(trace)
    faint = view.draw(trace, moment, None, Look(knobs=(("curves", "faint"),)))
    strong = view.draw(trace, moment, None, Look())
    assert max(mark.opacity for mark in faint.moving if getattr(mark, "color", "") == "series-rnn") == 0.3
    assert max(mark.opacity for mark in strong.moving if getattr(mark, "color", "") == "series-rnn") == 1.0


def test_cells_that_run_beside_each_other_share_their_beats() -> None:
    trace = record_lab(Lab(steps=10))
    times = timeline(trace)
    assert {beat.layer for beat in times.beats} == {"input", "rnn", "read_rnn", "loss"}
    moment = times.find("rnn.backward[3]")
    for name in ("unrolled", "hidden_state", "gates"):
        picture = find(name).draw(trace, moment, None, Look())
        assert picture.caption
    from visualizer.scene.picture import Focus
    from visualizer.scene.reading import here, reading
    assert here(trace, moment, reading(trace, "gru")) == 3
    assert "GRU" in find("unrolled").draw(trace, times.find("rnn.forward[3]"), Focus("gru", (2,)), Look()).caption \
        or find("unrolled").draw(trace, times.find("rnn.forward[3]"), Focus("gru", (2,)), Look()).caption


def test_the_rewind_takes_sixty_milliseconds_a_step() -> None:
    times = timeline(record_lab(Lab(steps=10)))
    late, early = (times.second_of(times.find(f"rnn.backward[{step}]")) for step in (9, 4))
    assert early - late == pytest.approx(5 * 0.06)


@pytest.mark.matrix(spine=("usual", "cliff", "deep"), sample=2, each=False)
def test_the_recording_survives_its_file(trace: Trace) -> None:
    again = from_bytes(trace.to_bytes())
    assert again.facts["lab"] == trace.facts["lab"]
    for name, arrays in trace.studies.items():
        for key, array in arrays.items():
            assert np.array_equal(again.studies[name][key], array, equal_nan=True)
    look = Look()
    assert [one.dump() for one in pictures(again, look)[:3]] == [one.dump() for one in pictures(trace, look)[:3]]


def test_the_page_of_facts_says_why() -> None:
    for lab in (Lab(gain=1.5), Lab(experiment="depth", init="xavier", layers=50), Lab(experiment="cliff")):
        trace = record_lab(lab)
        view = find("landscape" if lab.experiment == "cliff" else "gradient_flow")
        page = view.page and view.page(trace, timeline(trace).settled(0), None, Look())
        assert page is not None
        said = " ".join(str(value) for _, value in page.table.rows)
        assert {"time": "would explode if the network were linear", "depth": "which looks healthy",
                "cliff": "26.0 at its steepest"}[lab.experiment] in said
