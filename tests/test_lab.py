"""Lab: words of knobs become one value, and back; what is bad is refused in one sentence. And the State around it."""

from __future__ import annotations

import pytest

from visualizer import lab
from visualizer.lab import Lab, from_knobs, from_pinned, knob, knobs, of_look, pinned
from visualizer.scene import state as does
from visualizer.scene.picture import Look
from visualizer.scene.state import State, changed, from_json, to_json
from visualizer.trace import Refused


def test_the_words_of_the_issue_make_a_lab() -> None:
    found = from_knobs({"cell": "tanh", "gain": "0.9", "input": "0.1", "steps": "100"})
    assert (found.experiment, found.cell, found.gain, found.input, found.steps) == ("time", "tanh", 0.9, 0.1, 100)


def test_every_knob_goes_from_its_value_to_its_word_and_back() -> None:
    for found in knobs():
        values = found.words or (found.low, found.high, found.default)
        for value in values:
            assert found.read(found.write(value)) == value, found.name
        assert found.about.endswith(".")
        assert found.words or found.low <= float(found.default) <= found.high


@pytest.mark.parametrize("experiment", lab.EXPERIMENTS)
def test_the_words_of_a_lab_give_it_back(experiment: str) -> None:
    one = Lab(experiment=experiment, gain=1.25 if experiment == "time" else 0.9)
    assert from_knobs(one.words()) == one
    assert from_pinned(pinned(one)) == one


def test_a_knob_alone_tells_its_experiment() -> None:
    assert from_knobs({"layers": "5"}).experiment == "depth"
    assert from_knobs({"limit": "1"}).experiment == "cliff"
    assert from_knobs({}).experiment == "time"


@pytest.mark.parametrize(("words", "says"), [
    ({"gain": "9"}, "gain cannot be '9'; give a number from 0 to 2."),
    ({"gain": "nan"}, "give a number from 0 to 2."),
    ({"steps": "10.5"}, "give a whole number from 10 to 200."),
    ({"cell": "gelu"}, "choose one of tanh, relu, linear, sigmoid."),
    ({"gain": "1", "layers": "5"}, "belong to different experiments; name one with experiment="),
])
def test_bad_words_are_refused_in_one_sentence(words: dict[str, str], says: str) -> None:
    with pytest.raises(Refused) as refused:
        from_knobs(words)
    assert says in str(refused.value)
    assert str(refused.value).count(". ") == 0


def test_unknown_knobs_and_broken_pins_are_named() -> None:
    with pytest.raises(LookupError, match="no knob 'rho'; it has experiment, gain"):
        from_knobs({"rho": "1"})
    with pytest.raises(Refused, match="write the knobs to compare with as name:value"):
        from_pinned("gain=0.5")


def test_a_look_holds_a_lab_and_the_one_beside_it_and_knobs_of_views() -> None:
    wanted, against = of_look((("gain", "1.1"), ("against", "gain:0.5"), ("curves", "faint")))
    assert wanted.gain == 1.1
    assert against == Lab(gain=0.5)
    assert of_look(())[1] is None


# --- in the State ---------------------------------------------------------------------------------------------------

def test_entering_the_laboratory_shows_all_of_the_way_back() -> None:
    state = does.enter_lab(changed(State(), playing=True))
    assert (state.model, state.view, state.at, state.playing) == ("lab", "gradient_flow", "rnn.backward[1]", False)
    assert does.enter_lab(state, "cliff").view == "landscape"


def test_turning_a_knob_keeps_the_distance_from_the_loss() -> None:
    state = does.enter_lab(State())
    assert does.turn_lab(state, "steps", "100").at == "rnn.backward[1]", "what has come all the way still has"
    longer = does.turn_lab(changed(state, at="rnn.backward[40]"), "steps", "100")
    assert longer.at == "rnn.backward[80]"
    assert does.lab_of(longer)[0].steps == 100
    assert does.turn_lab(longer, "steps", "10").at == "rnn.backward[1]"


def test_a_knob_back_at_its_default_leaves_no_trace() -> None:
    state = does.turn_lab(does.enter_lab(State()), "gain", "1.5")
    assert ("gain", "1.5") in state.recipe.knobs
    assert "gain" not in dict(does.turn_lab(state, "gain", "0.9").recipe.knobs)


def test_pinning_keeps_the_setting_and_unpinning_lets_it_go() -> None:
    state = does.pin_lab(does.turn_lab(does.enter_lab(State()), "gain", "1.2"))
    turned = does.turn_lab(state, "gain", "0.5")
    wanted, against = does.lab_of(turned)
    assert (wanted.gain, against is not None and against.gain) == (0.5, 1.2)
    assert does.lab_of(does.pin_lab(turned))[1] is None


def test_the_laboratory_survives_being_saved() -> None:
    state = does.pin_lab(does.turn_lab(does.enter_lab(State()), "experiment", "depth"))
    assert from_json(to_json(state)) == state


def test_bad_words_in_a_saved_state_fall_back_to_the_defaults() -> None:
    assert does.lab_of(changed(State(), look=Look(knobs=(("gain", "much"),)))) == (Lab(), None)


def test_a_knob_names_what_it_has() -> None:
    assert knob("clip").read("off") == 0
    with pytest.raises(LookupError, match="no knob 'x'"):
        knob("x")
