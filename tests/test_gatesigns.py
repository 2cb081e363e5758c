"""Signs of gates, levels, valves and wires: one way of drawing each, whatever the view; and when a step does what."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import pytest

from tests.recorded import recorded
from visualizer.kinds.gates import FAMILIES
from visualizer.scene import colour, gatesigns, stepbeat, wires
from visualizer.scene.picture import Focus, Image, Look, Path, Rect, Text, box_of
from visualizer.scene.reading import layers, reading
from visualizer.scene.timeline import Beat, Moment, Pace, timeline
from visualizer.ui import page as pages
from visualizer.views import find
from visualizer.views import picture as picture_of

SIGNED = [(name, row) for name, family in FAMILIES.items() for row in family.rows if row.sign]


def test_every_gate_has_a_sign_of_its_own_within_its_cell() -> None:
    for name, family in FAMILIES.items():
        shapes = [row.sign for row in family.rows if row.sign]
        assert len(set(shapes)) == len(shapes), name
        assert all(row.sign for row in family.rows if row.gate), name
    wanted = {"f": "diamond", "i": "circle", "g": "hexagon", "o": "square", "r": "diamond", "z": "square",
              "n": "hexagon"}
    assert {row.symbol: row.sign for _, row in SIGNED} == wanted


@pytest.mark.parametrize(("name", "row"), SIGNED)
def test_a_sign_is_a_shape_and_its_letter_in_neutral_ink(name: str, row) -> None:
    marks = gatesigns.sign(row.key, 50, 50)
    [letter] = [mark for mark in marks if isinstance(mark, Text)]
    assert letter.plain == row.symbol
    assert letter.size >= 11
    inks = {mark.fill for mark in marks if isinstance(mark, Rect | Path)}
    assert inks == {gatesigns.INK}
    for theme in ("light", "dark", "projector"):
        assert colour.contrast(colour.resolve(theme, gatesigns.INK), colour.resolve(theme, "stage")) > 4.5
        red, green, blue, _ = colour.resolve(theme, gatesigns.INK)
        assert max(red, green, blue) - min(red, green, blue) < 40, "a neutral ink has no hue"


def test_what_has_no_gate_has_no_sign() -> None:
    assert gatesigns.sign("hidden", 5, 5) == gatesigns.sign("preactivation", 5, 5) == []


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_valve_lets_that_share_of_what_comes_through(share: float) -> None:
    marks = gatesigns.valve(100, 100, share, came=20, ink="positive-bar")
    through = sum(mark.height for mark in marks if isinstance(mark, Rect) and mark.fill == "positive-bar")
    assert through == pytest.approx(20 * share)
    gauge = [mark for mark in marks if isinstance(mark, Rect) and mark.fill == "ink"]
    ground = next(mark for mark in marks if isinstance(mark, Rect) and mark.fill == "sunk")
    assert sum(mark.height for mark in gauge) == pytest.approx(ground.height * share)


def test_a_balance_shows_the_sign_by_its_side_and_by_its_ink() -> None:
    middle = 70.0
    for value, ink in ((0.5, "positive-bar"), (-0.5, "negative-bar")):
        [bar] = [mark for mark in gatesigns.balance(20, 0, 100, 8, value, 1.0)
                 if isinstance(mark, Rect) and mark.fill == ink]
        assert bar.width == pytest.approx(25)
        assert (bar.x >= middle) == (value > 0)


def test_what_flows_comes_from_its_start_and_never_goes_back() -> None:
    way = ((0.0, 0.0), (100.0, 0.0), (100.0, 80.0), (160.0, 80.0))
    assert wires.length(way) == 240
    for before, after in pairwise(range(25)):
        shorter, longer = wires.part_of(way, before / 24), wires.part_of(way, after / 24)
        assert longer[0] == way[0]
        assert wires.length(shorter) < wires.length(longer)
    assert wires.part_of(way, 1.0) == way
    marks = wires.flow(way, wires.Flow(12, "positive-bar", 0.4), Look())
    boxes = [box_of(mark) for mark in marks if isinstance(mark, Rect)]
    assert {min(wide, high) for _, _, wide, high in boxes} == {12}
    assert boxes[0][:2] == (0, -6)
    assert boxes[-1][0] + boxes[-1][2] == pytest.approx(160)
    assert not wires.flow(way, wires.Flow(12, "positive-bar"), Look(), 0.0)


# --- the beat of a step ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("backward", [False, True])
def test_a_step_is_full_and_nothing_in_it_overlaps(backward: bool) -> None:
    stretches = [stepbeat.stretch(name, backward) for name in ("slide", *stepbeat.names(backward))]
    assert stretches[0][0] == 0
    assert stretches[-1][1] == pytest.approx(1)
    assert all(one[1] == pytest.approx(other[0]) for one, other in pairwise(stretches))
    with pytest.raises(LookupError):
        stepbeat.stretch("nothing", backward)


@pytest.mark.parametrize(("slow", "seconds"), [(False, 0.6), (True, 2.4)])
def test_a_step_slides_for_a_third_of_a_second_and_then_takes_its_time(slow: bool, seconds: float) -> None:
    pace = stepbeat.pace(slow, backward=False)
    assert float(pace.second(0.19)) == pytest.approx(0.35)
    assert float(pace.seconds) == pytest.approx(0.35 + seconds)
    for phase in (0.0, 0.1, 0.2, 0.5, 1.0):
        assert pace.phase(pace.second(phase)) == pytest.approx(phase)
    phases = [pace.phase(Fraction(frame, 60)) for frame in range(int(pace.seconds * 60) + 2)]
    assert phases == sorted(phases)
    assert phases[-1] == 1


def test_a_pace_that_goes_evenly_is_as_it_was() -> None:
    pace = Pace(Fraction(3, 5), Fraction(1, 4))
    assert [pace.phase(Fraction(k, 10)) for k in range(7)] == pytest.approx([k / 6 for k in range(7)])


def test_things_that_happen_in_a_step_come_one_after_the_other() -> None:
    beat = Beat("lstm", "forward", 3)
    for frame in range(101):
        shares = [stepbeat.of(Moment(beat, frame / 100)).of(name) for name in stepbeat.names(False)]
        assert shares == sorted(shares, reverse=True)
        assert sum(0 < share < 1 for share in shares) <= 1
    assert stepbeat.of(Moment(beat, 1.0)).eased("answer") == 1
    assert math.isclose(stepbeat.of(Moment(beat, 0.095)).eased("slide"), 0.5)


# --- the same in every view -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("model", ["char_lstm", "char_gru"])
@pytest.mark.parametrize("view", ["diagram", "unrolled", "gates", "cell", "saturation", "microscope"])
def test_every_view_tells_a_gate_by_the_same_sign(model: str, view: str) -> None:
    """The shape and the letter, as one function draws them; and no gate is filled with a hue."""
    found = find(view)
    trace = recorded(model, "text:wherefore art thou", studies=found.studies)
    name = layers(trace)[0].name
    about = Focus(name, (8, 3), f"inner.{reading(trace, name).family.gates[0].key}") if view == "microscope" else None
    picture = picture_of(found, trace, timeline(trace).find(f"{name}.forward[9]"), about, Look((1104, 796)))
    letters = {mark.plain for mark in picture if isinstance(mark, Text) and mark.color == "stage"
               and mark.runs[0].italic}
    wanted = {row.symbol for row in reading(trace, name).family.rows if row.gate}
    assert letters & wanted if view in ("microscope", "saturation") else wanted <= letters
    hued = [mark for mark in picture if isinstance(mark, Image) and mark.palette in ("activation", "weight")
            and mark.scale is not None and mark.focus is not None and (mark.scale.low, mark.scale.high) == (-1.0, 1.0)
            and mark.focus.array in {f"inner.{row.key}" for row in reading(trace, name).family.gates}]
    assert not hued, "blue and red are values"


def test_the_inspector_shows_the_sign_of_a_gate() -> None:
    trace = recorded("char_lstm", "text:wherefore art thou")
    drawn = pages.page(trace, timeline(trace).find("lstm.forward[9]"), Focus("lstm", (8, 3), "inner.forget"), Look())
    assert [mark for mark in drawn if isinstance(mark, Text) and mark.plain == "f" and mark.color == "stage"]
