"""Reduced motion: in every view the states of a beat fade into each other, and nothing travels."""

from dataclasses import replace

import pytest

from tests.recorded import recorded
from visualizer import sight
from visualizer.lab import Lab
from visualizer.record.lab import record_lab
from visualizer.scene.picture import Flight, Image, Look, Rect, Text
from visualizer.scene.state import State, changed
from visualizer.scene.stillness import between
from visualizer.scene.timeline import Moment
from visualizer.views import find
from visualizer.views import picture as picture_of

SIZE = (1280, 720)
CASES = [("digits_cnn", "network", "conv2.forward"), ("digits_cnn", "network", "conv2.backward"),
         ("digits_cnn", "microscope", "conv2.forward"), ("digits_cnn", "microscope", "fc1.backward"),
         ("digits_cnn", "filters", "conv2.forward"), ("digits_cnn", "feature_maps", "pool1.forward"),
         ("digits_cnn", "saturation", "conv2.backward"),
         ("char_lstm", "network", "lstm.forward[9]"), ("char_lstm", "unrolled", "lstm.forward[9]"),
         ("char_lstm", "diagram", "lstm.backward[9]"), ("char_lstm", "microscope", "lstm.forward[9]"),
         ("char_lstm", "gates", "lstm.forward[9]"), ("char_lstm", "gradient_flow", "lstm.backward[9]"),
         ("char_lstm", "diagram", "lstm.forward[9]"),
         ("lab", "gradient_flow", "rnn.backward[9]"), ("lab", "microscope", "rnn.forward[9]")]


def beat(model, view, at):
    studies = tuple(study for study in find(view).studies if study != "before")
    trace = record_lab(Lab(steps=20)) if model == "lab" else recorded(model, studies=studies)
    place = changed(State(), view=view, model=model, look=Look(SIZE, reduced_motion=True))
    times = sight.times(trace, place)
    return trace, times, times.find(at)


def draw(trace, view, moment):
    return picture_of(find(view), trace, moment, None, Look(SIZE, reduced_motion=True))


def places(picture):
    return {(type(mark), mark.x, mark.y) for mark in picture if isinstance(mark, Rect | Image | Text)}


@pytest.mark.parametrize(("model", "view", "at"), CASES)
def test_states_fade_into_each_other_and_nothing_travels(model, view, at):
    """Whatever stands in a picture stands where it does in the state before or in the one to come; what flies has left
    or has landed; halfway between two states that differ both are seen, neither of them whole."""
    trace, times, moment = beat(model, view, at)
    pace, faded = times.pace(moment.index), 0
    frames = max(12, int(pace.seconds * 12))
    for frame in range(frames + 1):
        now = replace(moment, phase=pace.phase(pace.seconds * frame / frames))
        before, after, share = between(pace, now, times)
        one, other, shown = (draw(trace, view, each) for each in (before, after, now))
        assert places(shown) <= places(one) | places(other), now.address
        if share <= 0 or share >= 1:
            assert shown.dump() == (one if share <= 0 else other).dump()
        elif 0.05 < share < 0.95 and one.dump() != other.dump():
            faded += 1
            assert shown.caption == (other if share > 0.5 else one).caption
            assert any(0 < mark.opacity < 1 for mark in shown)
    assert faded


@pytest.mark.parametrize(("model", "view", "at"), CASES)
def test_a_beat_begins_with_the_end_of_the_one_before_and_ends_as_ever(model, view, at):
    trace, times, moment = beat(model, view, at)
    start, end = draw(trace, view, replace(moment, phase=0.0)), draw(trace, view, moment)
    assert start.dump() == draw(trace, view, times.settled(moment.index - 1)).dump()
    assert end.dump() == picture_of(find(view), trace, moment, None, Look(SIZE)).dump()


def test_the_laboratory_and_the_microscope_show_more_than_their_ends():
    trace, times, moment = beat("digits_cnn", "microscope", "conv2.forward")
    ends = times.pace(moment.index).states
    assert len(ends) >= 4, "three slow terms, then all"
    said = [draw(trace, "microscope", Moment(moment.beat, end, moment.index)).dump() for end in ends]
    assert len(set(said)) >= 4
    assert not [mark for end in ends for mark in draw(trace, "microscope", replace(moment, phase=end))
                if isinstance(mark, Rect) and isinstance(mark.holds, Flight) and 0 < mark.holds.share < 1]
