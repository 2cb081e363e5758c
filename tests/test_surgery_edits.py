"""Cuts of a network: against plain torch with hooks, changed weights and steps made by hand."""

import copy

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from tests.close import assert_close
from visualizer import edits
from visualizer.record import record
from visualizer.record.catalog import open_model
from visualizer.record.run import given_of
from visualizer.trace import Refused

TERMS = 1000


def _given(opened, sample="digit-2148"):
    return opened.prepare(given_of(opened, sample).raw)


def _hooked(path, does, sample="digit-2148", name="digits_cnn"):
    """What torch answers while a hook stands on a part."""
    opened = open_model(name)
    hook = opened.module.get_submodule(path).register_forward_hook(lambda module, given, output: does(output.clone()))
    with torch.no_grad():
        found = opened.module(_given(opened, sample))[0].numpy()
    hook.remove()
    return found


def _stated(change, name="digits_cnn"):
    """What torch answers with other weights in its state_dict."""
    opened = open_model(name)
    state = copy.deepcopy(opened.module.state_dict())
    change(state)
    opened.module.load_state_dict(state)
    with torch.no_grad():
        return opened.module(_given(opened))[0].numpy()


def _scores(*words, name="digits_cnn"):
    trace = record(name, "digit-2148", edits=words)
    report = trace.check()
    assert report.passed
    assert not report.unverified
    return trace["fc2" if name == "digits_cnn" else "fc"].output


def _times(unit, factor, others=1.0):
    def does(output):
        factors = torch.full((output.shape[1],), others)
        factors[unit] = factor
        return output * factors[:, None, None]
    return does


@pytest.mark.parametrize(("words", "does"), [
    ("unit_scaled:conv1:1=0.5", _times(1, 0.5)), ("unit_scaled:conv1:4=-2", _times(4, -2.0)),
    ("unit_only:conv1:2", _times(2, 1.0, 0.0)), ("replaced:conv1:3=zero", _times(3, 0.0)),
])
def test_units_are_as_loud_as_is_said(words, does):
    assert_close(_scores(words), _hooked("conv1", does), TERMS, what=words)


def test_a_number_is_added_to_a_channel_and_another_curve_stands_behind_it():
    def more(output):
        output[:, 4] += 0.75
        return output
    assert_close(_scores("bias:conv2:4=0.75"), _hooked("conv2", more), TERMS)
    opened = open_model("digits_cnn")
    before = F.conv2d(_given(opened), opened.module.conv1.weight, opened.module.conv1.bias,
                      padding=opened.module.conv1.padding)
    for curve, does in (("none", lambda x: x), ("tanh", torch.tanh), ("leaky", lambda x: F.leaky_relu(x, 0.1))):
        wanted = _hooked("relu1", lambda output, does=does: does(before.detach()))
        assert_close(_scores(f"activation:relu1={curve}"), wanted, TERMS)
    with pytest.raises(Refused, match="conv1 is no curve"):
        record("digits_cnn", "digit-2148", edits=("activation:conv1=tanh",))
    with pytest.raises(Refused, match="has a bias for each gate"):
        record("rows_lstm", "digit-2148", edits=("bias:lstm:1=1",))


@pytest.mark.parametrize("words", ["swapped:conv1:1,4", "swapped:conv2:0,7", "swapped:fc1:2,47"])
def test_two_units_that_change_places_with_what_reads_them_change_no_answer(words):
    assert_close(_scores(words), _scores(), TERMS)
    layer, unit, other = "conv1" if "conv1" in words else "conv2" if "conv2" in words else "fc1", *map(
        int, words.rpartition(":")[2].split(","))
    there, here = (record("digits_cnn", "digit-2148", edits=done)[layer].output for done in ((words,), ()))
    assert_close(there[unit], here[other], TERMS)
    assert np.abs(here[unit] - here[other]).max() > 1e-2


def test_units_that_nothing_dense_reads_do_not_change_places():
    with pytest.raises(Refused, match="choose another layer"):
        record("digits_cnn", "digit-2148", edits=("swapped:fc2:0,1",))


def test_a_weight_has_the_name_that_a_recording_gives_it():
    trace = record("crnn_strip", edits=("weight:lstm.l0.reverse.weight_ih:3,2=0.5",))
    plain = record("crnn_strip", edits=("weight:lstm.weight_ih_l0_reverse:3,2=0.5",))
    assert trace["lstm.l0.reverse"].weights["weight_ih"][3, 2] == 0.5
    assert np.array_equal(trace["fc"].output, plain["fc"].output)


def test_a_channel_stands_at_its_mean_over_the_inputs_that_ship():
    opened = open_model("digits_cnn")
    from visualizer import inputs
    facts = opened.card["input"]
    words = inputs.candidates("", inputs.of(facts), facts).words[:100]
    assert len(words) == 100
    with torch.no_grad():
        maps = torch.cat([opened.module.conv1(_given(opened, word)) for word in words])

    def does(output):
        output[:, 1] = maps[:, 1].mean()
        return output
    assert_close(_scores("replaced:conv1:1=mean"), _hooked("conv1", does), TERMS, what="mean")


def test_a_layer_stands_as_with_another_input():
    opened = open_model("digits_cnn")
    with torch.no_grad():
        other = opened.module.conv2(F.max_pool2d(F.relu(opened.module.conv1(_given(opened, "digit-7"))), 2))
        answer = opened.module(_given(opened, "digit-7"))[0].numpy()
    assert_close(_scores("replaced:conv2=digit-7"), answer, TERMS, what="all of a layer is all of its answer")

    def does(output):
        output[:, 5] = other[:, 5]
        return output
    assert_close(_scores("replaced:conv2:5=digit-7"), _hooked("conv2", does), TERMS, what="one channel")


@pytest.mark.parametrize(("words", "parameter", "place", "value"), [
    ("weight:conv2.weight:7,0,1,2=0.5", "conv2.weight", (7, 0, 1, 2), 0.5),
    ("weight:conv1.bias:2=-1.5", "conv1.bias", (2,), -1.5),
    ("weight:fc1.weight:30=0", "fc1.weight", (30,), 0.0),
    ("connection_off:conv2:7,3", "conv2.weight", (7, 3), 0.0),
    ("connection_off:fc2:9,30", "fc2.weight", (9, 30), 0.0),
])
def test_weights_are_what_is_said(words, parameter, place, value):
    def change(state):
        state[parameter][place] = value
    assert_close(_scores(words), _stated(change), TERMS, what=words)


def test_the_model_itself_is_left_as_it_was():
    before = _scores()
    _scores("weight:conv2.weight:7,0,1,2=0.5", "replaced:conv1:1=mean", "unit_only:conv2:3")
    assert np.array_equal(_scores(), before)


# --- recurrent layers -------------------------------------------------------------------------------------------------

def _by_hand(name, held=None, at=0, states=None, unit=slice(None), off=None):
    """Rows LSTM or GRU, step by step from its equations, with a gate at a value or another state after a step."""
    opened = open_model(name)
    layer = opened.module.lstm if name == "rows_lstm" else opened.module.gru
    own, back = layer.weight_ih_l0.detach(), layer.weight_hh_l0.detach().clone()
    size = layer.hidden_size
    if off is not None:
        back.view(-1, size, size)[:, off[0], off[1]] = 0
    h, c = torch.zeros(size), torch.zeros(size)
    for step, x in enumerate(_given(opened)[0, 0], 1):
        x_part, h_part = own @ x + layer.bias_ih_l0.detach(), back @ h + layer.bias_hh_l0.detach()
        if name == "rows_lstm":
            i, f, g, o = (x_part + h_part).chunk(4)
            gates = {"input": i.sigmoid(), "forget": f.sigmoid(), "output": o.sigmoid()}
            if held:
                gates[held[0]][unit] = held[1]
            c = gates["forget"] * c + gates["input"] * g.tanh()
            h = gates["output"] * c.tanh()
        else:
            (ra, za, na), (rb, zb, nb) = x_part.chunk(3), h_part.chunk(3)
            gates = {"reset": (ra + rb).sigmoid(), "update": (za + zb).sigmoid()}
            if held:
                gates[held[0]][unit] = held[1]
            h = (1 - gates["update"]) * (na + gates["reset"] * nb).tanh() + gates["update"] * h
        if step == at:
            h, c = (torch.zeros(size), torch.zeros(size)) if states is None else states
    return opened.module.fc(h).detach().numpy()


@pytest.mark.parametrize(("words", "name", "wanted"), [
    ("gate_open:lstm:forget", "rows_lstm", {"held": ("forget", 1.0)}),
    ("gate_shut:lstm:input:3", "rows_lstm", {"held": ("input", 0.0), "unit": 3}),
    ("gate_open:lstm:output", "rows_lstm", {"held": ("output", 1.0)}),
    ("gate_shut:gru:reset", "rows_gru", {"held": ("reset", 0.0)}),
    ("gate_open:gru:update:5", "rows_gru", {"held": ("update", 1.0), "unit": 5}),
    ("state_at:lstm:14=zero", "rows_lstm", {"at": 14}), ("state_at:gru:20=zero", "rows_gru", {"at": 20}),
    ("connection_off:lstm:3,4", "rows_lstm", {"off": (3, 4)}),
])
def test_gates_and_states_are_as_if_each_step_were_made_by_hand(words, name, wanted):
    assert_close(_scores(words, name=name), _by_hand(name, **wanted), 4 * TERMS, what=words)


def test_a_state_is_that_of_another_input():
    opened = open_model("rows_lstm")
    with torch.no_grad():
        _, (h, c) = opened.module.lstm(_given(opened, "digit-7")[:, 0, :14])
    assert_close(_scores("state_at:lstm:14=digit-7", name="rows_lstm"),
                 _by_hand("rows_lstm", at=14, states=(h[0, 0], c[0, 0])), 4 * TERMS, what="state")


# --- the input --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("words", "place", "value"), [("pixel:14,13,200", (14, 13), 200), ("step_off:15", 14, 0)])
def test_a_pixel_and_a_step_are_what_is_said(words, place, value):
    opened = open_model("rows_lstm")
    raw = np.array(given_of(opened, "digit-2148").raw)
    raw[place] = value
    with torch.no_grad():
        found = opened.module(opened.prepare(raw))[0].numpy()
    assert_close(_scores(words, name="rows_lstm"), found, TERMS, what=words)


# --- what cannot be done ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("name", "words", "why"), [
    ("digits_cnn", "unit_only:conv2:12", "conv2 has no unit 12; it has 0…11"),
    ("digits_cnn", "weight:conv9.weight:0=1", "has no weight 'conv9.weight'; choose one of conv1.weight"),
    ("digits_cnn", "weight:conv1.weight:0,0,5,0=1", "has no place 0, 0, 5, 0; it has 6 × 1 × 5 × 5"),
    ("digits_cnn", "gate_open:conv1:forget", "choose a layer of the kind LSTM or GRU"),
    ("rows_lstm", "gate_open:lstm:update", "has no gate 'update'; choose one of input, forget, output"),
    ("rows_lstm", "gate_open:lstm:forget:64", "lstm has no unit 64; it has 0…63"),
    ("rows_lstm", "state_at:lstm:28=zero", "makes 28 steps here; replace its state after an earlier one"),
    ("rows_lstm", "replaced:lstm:3=mean", "write state_at:lstm:STEP=mean"),
    ("rows_lstm", "unit_scaled:lstm:3=2", "so it can only be switched off"),
    ("digits_cnn", "replaced:conv1:1=nobody", "nobody"),
    ("digits_cnn", "connection_off:fc2:10,0", "fc2 has no unit 10; it has 0…9"),
    ("digits_cnn", "pixel:28,0,1", "it has 28 × 28 pixels"),
    ("digits_cnn", "step_off:29", "there are only 28"),
])
def test_what_is_not_there_is_named_in_one_sentence(name, words, why):
    with pytest.raises(Refused, match=r"\.$") as refused:
        record(name, "digit-2148", edits=(words,))
    assert why in str(refused.value)


@pytest.mark.parametrize("words", ["weight:conv1.bias:2=nan", "weight:conv1.bias:2=inf", "weight:conv1.bias:-2=1",
                                   "unit_scaled:conv1:2", "gate_open:lstm", "state_at:lstm:0=zero", "replaced:conv1",
                                   "connection_off:conv2:7", "pixel:1,1,x"])
def test_words_that_mean_nothing_are_refused(words):
    with pytest.raises(LookupError, match=r"cannot be read; write "):
        edits.parse(words)
