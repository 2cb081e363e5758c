"""Recipes and places: what makes a recording, in plain words; how a State of the first version becomes places."""

import json
from dataclasses import replace

import pytest

from visualizer import lab
from visualizer.scene import state as does
from visualizer.scene.picture import Focus, Look
from visualizer.scene.recipe import LabRecipe, ModelRecipe, from_plain, plain_of, recipe_of
from visualizer.scene.state import Place, State, changed, from_json, to_json

EACH = (ModelRecipe("m.pt", ("digit-1", "text:abc"), "logit:3", ("untrained", "shift:3,0")), ModelRecipe("x", ()),
        LabRecipe((("gain", "1.2"),), "experiment:time gain:0.5"), LabRecipe())


@pytest.mark.parametrize("recipe", EACH)
def test_a_recipe_is_read_back_as_it_was_and_can_be_a_key(recipe):
    again = from_plain(does._tuples(json.loads(json.dumps(plain_of(recipe)))))
    assert again == recipe
    assert {recipe: 1}[again] == 1


def test_the_laboratory_is_a_recipe_and_only_a_word_where_things_are_named():
    assert recipe_of("lab") == LabRecipe()
    assert recipe_of("digits_cnn", "digit-7", ("untrained",)) == ModelRecipe("digits_cnn", ("digit-7",), "loss",
                                                                             ("untrained",))
    assert recipe_of("m.pt").inputs == ()


def test_an_input_is_one_word_whatever_it_is():
    state = changed(State(), sample="drawn", drawing="2x2:abc")
    assert state.recipe.inputs == ("drawn:2x2:abc",)
    assert (state.sample, state.drawing) == ("drawn", "2x2:abc")
    other = changed(state, sample="digit-7")
    assert (other.recipe.inputs, other.sample) == (("digit-7",), "digit-7")
    assert other.drawing == "2x2:abc", "the sheet keeps what was drawn"
    assert changed(other, sample="drawn").recipe == state.recipe
    assert changed(state, sample="").recipe.inputs == ()


def test_a_field_that_there_is_not_is_no_change():
    with pytest.raises(TypeError, match="no field 'interventions'"):
        changed(State(), **{"interventions": ()})


def test_the_laboratory_and_the_model_come_back_as_they_were_left():
    model = changed(State(), model="rows_gru", sample="digit-7", objective="logit:2", edits=("untrained",))
    inside = does.turn_lab(does.enter_lab(model), "gain", "1.5")
    assert inside.in_lab
    again = changed(inside, model="rows_rnn")
    assert again.recipe == ModelRecipe("rows_rnn", ("digit-7",), "logit:2", ("untrained",))
    assert does.lab_of(again)[0].gain == 1.5
    assert does.enter_lab(again).recipe == inside.recipe
    assert from_json(to_json(again)) == again
    beside = changed(inside, sample="digit-3")
    assert (beside.recipe, changed(beside, model="rows_rnn").sample) == (inside.recipe, "digit-3")


def test_only_the_active_place_moves_but_all_are_seen_alike():
    two = replace(State(), places=(Place(), Place(ModelRecipe("rows_gru"), "unrolled")), active=1)
    moved = changed(two, at="gru.forward[3]", focus=Focus("gru"), model="rows_lstm",
                    look=replace(two.look, theme="dark", scope="unit", knobs=(("a", "b"),)))
    assert moved.places[0] == replace(Place(), look=Look(theme="dark"))
    assert (moved.model, moved.at, moved.look.scope) == ("rows_lstm", "gru.forward[3]", "unit")
    assert from_json(to_json(moved)) == moved


# --- what the first version wrote -----------------------------------------------------------------------------------

def first(**fields):
    return from_json(json.dumps({"version": 1} | fields))


def test_a_first_state_has_one_place():
    state = first(model="rows_gru", sample="digit-7", objective="logit:4", interventions=["untrained"],
                  view="microscope", at="gru.forward[3]", focus={"layer": "gru", "cell": [2, 1], "part": "inner.reset"},
                  look={"theme": "dark", "knobs": [["ranking", "max"]]}, speed=2.0, notes=[["a", "b"]])
    assert state.places == (Place(ModelRecipe("rows_gru", ("digit-7",), "logit:4", ("untrained",)), "microscope",
                                  "gru.forward[3]", Focus("gru", (2, 1), "inner.reset"),
                                  Look(theme="dark", knobs=(("ranking", "max"),))),)
    assert (state.speed, state.notes, state.left) == (2.0, (("a", "b"),), ())
    assert first() == State()


def test_a_first_state_of_the_laboratory_has_its_knobs_in_the_recipe():
    pin = lab.pinned(lab.Lab(gain=0.5))
    state = first(model="lab", sample="", view="gradient_flow", at="rnn.backward[40]",
                  look={"knobs": [["against", pin], ["curves", "faint"], ["gain", "1.2"], ["loss", "every"]]})
    assert state.recipe == LabRecipe((("gain", "1.2"), ("loss", "every")), pin)
    assert state.look.knobs == (("curves", "faint"),)
    wanted, against = does.lab_of(state)
    assert (wanted.gain, wanted.loss, against.gain) == (1.2, "every", 0.5)


def test_a_first_state_beside_the_laboratory_keeps_its_knobs_for_when_one_goes_back():
    state = first(model="rows_gru", look={"knobs": [["experiment", "depth"], ["layers", "30"], ["loss", "on"]]})
    assert state.look.knobs == (("loss", "on"),), "the view's own, by its word"
    wanted, _ = does.lab_of(state)
    assert (wanted.experiment, wanted.layers) == ("depth", 30)


def test_a_first_drawing_is_the_input_or_lies_on_the_sheet():
    drawn = first(sample="drawn", drawing="2x2:abc")
    assert drawn.recipe.inputs == ("drawn:2x2:abc",)
    beside = first(sample="digit-7", drawing="2x2:abc")
    assert (beside.recipe.inputs, beside.drawing) == (("digit-7",), "2x2:abc")
    assert first(sample="drawn").sample == "drawn", "and its drawing is asked for in one sentence"
