"""The levels: in goes down the path, out goes up it, one name at a time, from wherever one stands."""

from __future__ import annotations

from functools import lru_cache

import pytest

from tests.test_layout import moments
from visualizer import record, sight, views
from visualizer.lab import Lab
from visualizer.record.lab import record_lab
from visualizer.scene.state import State, changed, moment_of
from visualizer.scene.subject import NUMBER
from visualizer.scene.timeline import timeline
from visualizer.trace import Trace
from visualizer.ui import levels, words

LAB = "lab"


@lru_cache(maxsize=2)
def recording(model: str) -> Trace:
    return record_lab(Lab()) if model == LAB else record.pass_of(model, "").trace


def path(trace: Trace, state: State) -> tuple[str, ...]:
    """What the crumbs say."""
    return tuple(name for name, _ in words.path(trace, levels.standing(sight.sight(trace, state))))


@pytest.mark.matrix(spine=("digits_cnn-network", "char_lstm-unrolled", "char_lstm-microscope", "lab-gradient_flow"),
                    sample=20)
@pytest.mark.parametrize("view", [view.name for view in views.all_views()])
@pytest.mark.parametrize("model", ["digits_cnn", "mlp_mnist", "char_lstm", "rows_gru", "crnn_strip", LAB])
def test_out_goes_up_the_path_by_one_name_at_a_time_and_never_beside_it(model: str, view: str) -> None:
    trace, names = recording(model), tuple(found.name for found in views.all_views() if found.suits(recording(model)))
    if view not in names:
        pytest.skip(f"{view} has nothing to show of {model}")
    for moment in moments(timeline(trace)):
        state = changed(State(), view=view, at=moment.address)
        for _ in range(5):
            deeper = levels.into(state, trace, moment_of(state, timeline(trace)), frozenset(names))
            assert len(path(trace, deeper)) >= len(path(trace, state)), "in never leads out"
            state = deeper
        steps = 0
        while not levels.at_top(state, names):
            before, seen = path(trace, state), sight.sight(trace, state)
            state, was = levels.out(state, trace, seen, names, view), state
            assert path(trace, state) == before[:-1]
            left = seen.view.wants == NUMBER and sight.suiting(state.view, trace).wants != NUMBER
            assert left or state.view == was.view
            steps += 1
        assert path(trace, state) == (trace.title or trace.model,)
        assert steps, "there was something to come out of"
        assert levels.out(state, trace, sight.sight(trace, state), names) == state, "above it is nothing of the network"
