"""The seven laws of motion: that they hold, and that breaking one is noticed. The seventh, that a film, the window and
a shot are the same, is in test_sight.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from tests import motion
from tests.motion import Played, beat
from tests.test_kinds_recurrent import trace_of
from tests.toys import toy
from visualizer import registry
from visualizer.lab import Lab
from visualizer.record.lab import record_lab
from visualizer.scene.picture import Flight, Focus, Image, Look, Picture, Rect, Term, Text, Touch
from visualizer.scene.state import State
from visualizer.scene.timeline import Beat, Moment, Pace, Stretch
from visualizer.trace import Trace, load


@cache
def cnn() -> Trace:
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


@dataclass(frozen=True)
class Case:
    """A beat of a view: what was recorded, where one stands, and at which phases a camera moves everything."""

    trace: Callable[[], Trace]
    view: str
    at: str
    focus: Focus | None = None
    camera: tuple[tuple[float, float], ...] = ()
    look: Look = field(default_factory=Look)
    known: bool = False
    """Whether its own numbers are there when it begins: what hands a gradient on has it."""

    @property
    def played(self) -> Played:
        return beat(self.trace(), self.view, self.at, self.focus, self.look)


@cache
def laboratory() -> Trace:
    return record_lab(Lab())


@cache
def lstm() -> Trace:
    return trace_of("lstm")


def number(at: str, focus: Focus, known: bool = False, trace: Callable[[], Trace] = cnn) -> Case:
    return Case(trace, "microscope", at, focus, known=known)


PIXEL = Focus("conv2", (7, 3, 5))
CASES = {
    "a window": number("conv2.forward", PIXEL),
    "laboratory": Case(laboratory, "gradient_flow", "rnn.backward[40]"),
    "laboratory, forwards": Case(laboratory, "gradient_flow", "rnn.forward[12]"),
    "a window turned over": number("conv2.backward", PIXEL, True),
    "a gradient that arrives": number("pool1.backward", Focus("pool1", (4, 10, 9))),
    "the largest": number("pool1.forward", Focus("pool1", (2, 6, 6))),
    "its gradient": number("relu1.backward", Focus("relu1", (2, 12, 12))),
    "a curve": number("relu1.forward", Focus("relu1", (2, 12, 12))),
    "a curve, backwards": number("conv1.backward", Focus("conv1", (2, 12, 12)), True),
    "a long sum": number("fc1.forward", Focus("fc1", (27,))),
    "a long sum turned over": number("fc1.backward", Focus("fc1", (27,)), True),
    "a place moved": number("flatten.forward", Focus("flatten", (30,))),
    "shares": number("softmax.forward", Focus("softmax", (4,))),
    "a gate": number("rnn.forward[3]", Focus("rnn", (2, 1), "inner.forget"), trace=lstm),
    "a memory": number("rnn.forward[3]", Focus("rnn", (2, 1), "inner.cell"), trace=lstm),
    "a state": number("rnn.forward[3]", Focus("rnn", (2, 1)), trace=lstm),
    "a state, backwards": number("rnn.backward[3]", Focus("rnn", (2, 1)), trace=lstm),
    "a memory, backwards": number("rnn.backward[3]", Focus("rnn", (2, 1), "inner.cell"), trace=lstm),
    "a gate, backwards": number("rnn.backward[3]", Focus("rnn", (2, 1), "inner.forget"), True, trace=lstm),
}


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.mark.matrix(spine=tuple(CASES)[:1], sample=4, each=False)
def test_terms_are_slow_at_first_and_then_fast(case: Case) -> None:
    motion.slow_then_fast(case.played.pace)


@pytest.mark.matrix(spine=tuple(CASES)[:1], sample=2, each=False)
def test_reversed_play_shows_the_same_frames(case: Case) -> None:
    motion.the_same_backwards(case.played, every=25)


@pytest.mark.matrix(spine=("a window", "a long sum", "a gate"), sample=4, each=False)
def test_what_is_outlined_is_what_is_read_and_what_flies_is_a_number(case: Case) -> None:
    if case.view == "gradient_flow":
        pytest.skip("what flies there is the size of a whole gradient: see below")
    motion.causes_touch_effects(case.played, every=9)
    motion.nothing_is_made_up(case.played, every=3)


@pytest.mark.matrix(spine=("a window",), sample=6, each=False)
def test_nothing_is_there_before_its_time(case: Case) -> None:
    motion.nothing_early(case.played, written=lambda phase: case.known)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.view == "microscope"])
def test_the_result_is_the_last_thing_that_is_there(name: str) -> None:
    """No mark holds the finished number, and no sentence says it, before the last of its terms has come."""
    played, case = CASES[name].played, CASES[name]
    stretches = played.pace.stretches
    assert stretches
    before = played.draw(replace(played.moments[0], phase=stretches[-1].end - 0.02 * (stretches[-1].end
                                                                                      - stretches[-1].start)))
    after = played.draw(played.moments[-1])
    made = [[mark for mark in picture if isinstance(mark, Rect | Image) and isinstance(mark.holds, Term)
             and mark.holds.source == mark.holds.target == case.focus] for picture in (before, after)]
    assert made[0] == []
    assert before.caption != after.caption or case.known


@pytest.mark.matrix(spine=("a window", "a long sum"), sample=2, each=False)
def test_no_mark_jumps(case: Case) -> None:
    motion.no_jumps(case.played, case.camera)


def test_the_gradient_goes_evenly_through_the_laboratory_and_its_marks_with_it() -> None:
    """Through several steps: nothing jumps from one to the next, the arrows carry what is left, and it never goes
    back."""
    trace = laboratory()
    steps = [beat(trace, "gradient_flow", f"rnn.backward[{step}]") for step in range(60, 0, -1)]
    whole = Played(trace, steps[0].place, tuple(moment for one in steps for moment in one.moments), steps[0].pace)
    motion.no_jumps(whole)
    motion.never_goes_back(whole, lambda picture: 1 - hatched(picture) / hatched(whole.draw(whole.moments[0])), 9)
    for picture in whole.pictures(11):
        for mark in picture.moving:
            flight = None if isinstance(mark, Text) else mark.holds
            if isinstance(flight, Flight):
                back = len(trace[flight.source.layer].output) - 1 - flight.source.cell[0]
                assert flight.value == trace.studies["lab"][f"{flight.source.layer}.mean"][back]
                assert flight.target.cell[0] == flight.source.cell[0] - 1
    seconds = [one.pace.seconds + one.pace.rest for one in steps]
    assert set(seconds) == {Fraction(3, 50)}


def hatched(picture: Picture) -> float:
    """How many cells of the strips have not been reached."""
    return float(sum(mark.hatched.sum() for mark in picture if isinstance(mark, Image) and mark.hatched is not None))


# --- a broken law is noticed ----------------------------------------------------------------------------------------

def _by_hand(moment: Moment, trace: Trace, *, window: float = 0, value: float = 0, landed: bool = True, jump: float = 0,
             early: bool = False) -> Picture:
    row, column = 2, 1 + round(moment.phase * 2)
    target = Focus("conv", (0, row, column))
    shades = np.zeros((1, 6, 6), np.uint8)
    known = np.arange(36).reshape(6, 6) < 36 * moment.phase
    out = np.where(known | early, trace["conv"].output[0].astype(np.uint8), 0).astype(np.uint8)[None]
    source, share = Focus("input", (0, row, 2)), moment.phase
    flown = Focus("conv", (0, row, 2))
    total = sum(product for where, cell, product in motion.read(toy(), flown, False) if cell == source.cell)
    x = 120 + share * (300 if landed else 400)
    return Picture((600, 200), (), (
        Image(100, 100, (10, 10), shades, focus=Focus("input")), Image(400, 100, (10, 10), out, focus=Focus("conv")),
        Rect(100 + (column - 1) * 10 + window + jump * moment.phase, 110, 30, 30, "", "accent",
             holds=Touch(Focus("input", (0,)), target)),
        Rect(400 + column * 10, 120, 10, 10, "", "accent", holds=Touch(target, target)),
        Rect(x, 120, 10, 10, "stage", holds=Flight(source, flown, total + value, share))))


def by_hand(**broken: float) -> Played:
    class Broken(Played):
        def draw(self, moment: Moment, trace: Trace | None = None) -> Picture:
            return _by_hand(moment, trace or self.trace, **broken)

    moments = tuple(Moment(Beat("conv"), frame / 20, 1) for frame in range(21))
    return Broken(toy(), State(), moments, Pace(Fraction(1), Fraction(0)))


def test_what_is_drawn_by_hand_keeps_the_laws() -> None:
    played = by_hand()
    motion.nothing_early(played)
    assert motion.causes_touch_effects(played, 1) == 42
    assert motion.nothing_is_made_up(played, 1) == 21
    motion.the_same_backwards(played, 1)
    motion.no_jumps(played)


@pytest.mark.parametrize(("law", "broken"), [
    (motion.nothing_early, {"early": True}), (motion.causes_touch_effects, {"window": 10}),
    (motion.nothing_is_made_up, {"value": 1}), (motion.nothing_is_made_up, {"landed": False}),
    (motion.no_jumps, {"jump": 2000}),
])
def test_a_broken_law_is_noticed(law: Callable[[Played], object], broken: dict[str, float]) -> None:
    with pytest.raises(AssertionError):
        law(by_hand(**broken))


def test_a_frame_that_depends_on_the_one_before_is_noticed() -> None:
    drawn: list[float] = []

    class Remembering(Played):
        def draw(self, moment: Moment, trace: Trace | None = None) -> Picture:
            drawn.append(moment.phase)
            return Picture((10, 10), (Rect(0, 0, len(drawn), 1),))

    with pytest.raises(AssertionError):
        motion.the_same_backwards(Remembering(toy(), State(), by_hand().moments, by_hand().pace))


def test_a_pace_that_starts_fast_is_noticed() -> None:
    class Hurried(Pace):
        def second(self, phase: float) -> Fraction:
            return Fraction(phase) * 3

    with pytest.raises(AssertionError):
        motion.slow_then_fast(Hurried(Fraction(1), Fraction(0), (Stretch(0, 1, 50),)))


def test_other_numbers_keep_the_ends_and_what_is_there() -> None:
    values = np.random.default_rng(1).normal(size=(3, 5))
    kept = np.zeros((3, 5), bool)
    kept[0] = True
    other = motion.other_numbers(values, kept)
    assert (other[0] == values[0]).all()
    assert (other[1:] != values[1:]).sum() >= 8
    assert (other[1:].max(), other[1:].min()) == (values[1:].max(), values[1:].min())
    assert (motion.other_numbers(values, True) == values).all()
