"""Edits: what is done to a network or its input, against torch and numpy doing the same by hand."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.close import assert_close
from visualizer import cli, edits, export, inputs, load, registry
from visualizer.edits import shift
from visualizer.record import record
from visualizer.record.catalog import open_model
from visualizer.record.cutting import scale
from visualizer.record.tracing import capture
from visualizer.scene import state as does
from visualizer.scene.picture import Focus
from visualizer.scene.state import State, changed, from_json, to_json
from visualizer.trace import Refused
from visualizer.ui import commands
from visualizer.ui.store import Store

TERMS = 1000


@pytest.mark.parametrize("edit", edits.all_edits(), ids=lambda edit: edit.name)
def test_every_edit_says_how_it_is_written_and_what_it_does(edit):
    assert edit.applies_to in (edits.WEIGHTS, edits.MODEL, edits.TEACHER, edits.INPUT)
    assert edit.form.startswith(edit.name)
    assert edit.title[0].isupper()
    assert not edit.about.endswith(".")
    assert (edit.does is not None) == (edit.applies_to == edits.INPUT)
    assert (edit.cuts is not None or edit.draws is not None) == (edit.applies_to == edits.MODEL)


def test_words_are_taken_apart_and_said():
    words = ("untrained", "unit_off:block.0.conv:7", "shift:3,-1", "shift:2")
    assert edits.said(words) == "before training, unit 7 of block.0.conv off, shifted by +3, -1, shifted by +2"
    assert edits.said(words, edits.MODEL) == "unit 7 of block.0.conv off"
    assert edits.said(()) == ""


@pytest.mark.parametrize("words", ["unit_off", "unit_off:conv2", "unit_off:conv2:x", "unit_off:conv2:-1", "shift:",
                                   "shift:a", "shift:1,2,3", "shift:99999", "untrained:3", "layer1:0=0", "",
                                   "dropout:.2"])
def test_words_that_mean_nothing_are_one_sentence(words):
    with pytest.raises(LookupError, match=r"^(The edit|There is no edit) .*\.$"):
        edits.parse(words)


# --- a unit that is off ---------------------------------------------------------------------------------------------

def test_a_channel_is_off_as_if_it_were_zeroed_by_hand():
    opened = open_model("digits_cnn")
    trace = record("digits_cnn", "digit-7", edits=("unit_off:conv2:7",))
    x = torch.from_numpy(trace["input"].output.copy())[None].requires_grad_()
    net = opened.module
    kept = torch.ones(12)
    kept[7] = 0
    conv2 = net.conv2(F.max_pool2d(F.relu(net.conv1(x)), 2))
    off = conv2 * kept[:, None, None]
    scores = net.fc2(F.relu(net.fc1(F.max_pool2d(F.relu(off), 2).flatten(1))))
    loss = F.cross_entropy(scores, torch.tensor([trace.sample.label]))
    found = torch.autograd.grad(loss, (x, conv2, net.conv2.weight))
    assert_close(trace["fc2"].output, scores[0].detach().numpy(), TERMS, what="scores")
    assert_close(trace["conv2"].output, conv2[0].detach().numpy(), TERMS, what="conv2 itself")
    assert not trace["mul"].output[7].any()
    assert trace["conv2"].output[7].any(), "what it would have given is still told"
    assert_close(trace["input"].gradient, found[0][0].numpy(), TERMS, what="gradient of the input")
    assert_close(trace["conv2"].gradient, found[1][0].numpy(), TERMS, what="gradient of conv2")
    assert_close(trace["conv2"].weight_gradients["weight"], found[2].numpy(), TERMS, what="gradient of the weight")
    assert not trace["conv2"].gradient[7].any(), "nothing depends on it"
    assert trace.title.endswith("unit 7 of conv2 off")
    report = trace.check()
    assert report.passed
    assert not report.unverified
    assert record("digits_cnn", "digit-7")["fc2"].output.tolist() != trace["fc2"].output.tolist()


def test_a_unit_can_be_scaled_by_any_number_but_that_of_a_recurrent_layer():
    opened = open_model("digits_cnn")
    x = opened.prepare(np.eye(28, dtype=np.uint8) * 255)
    before = opened.module.conv1(x)
    scale(opened.module, "conv1", 2, 3.0, "It")
    after = opened.module.conv1(x)
    assert torch.equal(after[:, 2], before[:, 2] * 3)
    assert torch.equal(after[:, 3:], before[:, 3:])
    with pytest.raises(Refused, match="only be switched off"):
        scale(nn.ModuleDict({"cell": nn.LSTM(2, 3)}), "cell", 1, 2.0, "It")


@pytest.mark.parametrize(("kind", "cell"), [(nn.RNN, nn.RNNCell), (nn.LSTM, nn.LSTMCell), (nn.GRU, nn.GRUCell)])
def test_a_unit_of_a_recurrent_layer_is_off_as_if_its_state_were_zeroed_at_every_step(kind, cell):
    torch.manual_seed(0)
    whole, by_hand = kind(3, 5, batch_first=True), cell(3, 5)
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        getattr(by_hand, name).data = getattr(whole, f"{name}_l0").data.clone()
    x = torch.randn(1, 6, 3)
    model = nn.ModuleDict({"cell": whole})
    scale(model, "cell", 2, 0.0, "It")
    states, h = [], torch.zeros(1, 5)
    c = torch.zeros(1, 5)
    for step in range(6):
        if kind is nn.LSTM:
            h, c = by_hand(x[:, step], (h, c))
            h[:, 2], c[:, 2] = 0, 0
        else:
            h = by_hand(x[:, step], h)
            h[:, 2] = 0
        states.append(h.detach().clone())
    trace = capture(_Last(whole).eval(), x, 1)
    assert_close(trace["cell"].output, torch.cat(states).numpy(), TERMS, what="states")
    report = trace.check()
    assert report.passed
    assert not report.unverified


class _Last(nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.cell = cell

    def forward(self, x):
        return self.cell(x)[0][:, -1]


def test_a_level_that_reads_backwards_is_named_as_it_is_recorded():
    model = nn.ModuleDict({"rnn": nn.GRU(3, 4, num_layers=2, bidirectional=True)})
    scale(model, "rnn.l1.reverse", 1, 0.0, "It")
    assert not model["rnn"].weight_hh_l1_reverse[9].any()
    assert model["rnn"].weight_hh_l1[9].any()


@pytest.mark.parametrize(("words", "why"), [
    ("unit_off:relu9:0", "has no part 'relu9' whose units can be edited; choose one of conv1, "),
    ("unit_off:conv2:12", "conv2 has no unit 12; it has 0…11"), ("dropout:3", "There is no edit 'dropout'"),
])
def test_what_cannot_be_switched_off_is_one_sentence(words, why):
    with pytest.raises(Refused, match=r"\.$") as refused:
        record("digits_cnn", edits=(words,))
    assert why in str(refused.value)


# --- an input that is shifted ---------------------------------------------------------------------------------------

@pytest.mark.parametrize(("right", "down"), [(3, 0), (-2, 0), (0, 1), (0, -4), (2, -3), (28, 0), (-40, 2), (0, 0)])
def test_pixels_move_and_zeros_come_in(right, down):
    array = np.arange(1, 28 * 20 + 1).reshape(20, 28)
    wanted = np.roll(array, (down, right), (0, 1))
    if right:
        wanted[:, slice(0, right) if right > 0 else slice(max(right, -28), None)] = 0
    if down:
        wanted[slice(0, down) if down > 0 else slice(down, None)] = 0
    matter = edits.Matter(array, inputs.kind("image").grain({}))
    np.testing.assert_array_equal(shift.shifted(matter, right, down), wanted)


def test_the_input_of_a_recording_is_the_shifted_one():
    trace, plain = record("digits_cnn", "digit-7", edits=("shift:3,1",)), record("digits_cnn", "digit-7")
    moved, before = trace["input"].output[0], plain["input"].output[0]
    np.testing.assert_array_equal(moved[1:, 3:], before[:-1, :-3])
    assert (moved[0] == before.min()).all()
    assert trace.sample.name == "digit-7"
    assert trace.sample.title.endswith("shifted by +3, +1")
    assert trace.hashes["input"] != plain.hashes["input"]


def test_steps_come_later():
    trace, plain = record("adding_gru", edits=("shift:2",)), record("adding_gru")
    np.testing.assert_array_equal(trace["input"].output[2:], plain["input"].output[:-2])
    assert not trace["input"].output[:2].any()
    with pytest.raises(Refused, match="one direction"):
        record("adding_gru", edits=("shift:2,1",))


def test_a_text_is_not_shifted():
    with pytest.raises(Refused, match="reads a text"):
        record("char_rnn", edits=("shift:1",))


# --- where it is asked for ------------------------------------------------------------------------------------------

def test_buttons_do_and_take_back():
    trace = load(registry.folder("assets") / "traces" / "digits_cnn.trace")
    state = changed(State(), focus=Focus("conv2", (7, 3, 5)), edits=("untrained",))
    off = does.unit_off(state, trace)
    assert off.edits == ("untrained", "unit_off:conv2:7")
    assert does.unit_off(off, trace).edits == ("untrained",)
    assert does.unit_off(State(), trace) == State()
    moved = does.shifted(does.shifted(off, 1, 0), 1, -1)
    assert moved.edits == ("untrained", "unit_off:conv2:7", "shift:2,-1")
    assert does.shifted(moved, -2, 1).edits == off.edits
    assert from_json(to_json(moved)) == moved
    assert does.fitting_edits(moved, True, True) == ("untrained", "shift:2,-1")
    assert does.fitting_edits(moved, False, True) == ("shift:2,-1",)
    assert does.fitting_edits(moved, False, False) == ()
    assert does.unedited(moved).edits == ()
    assert does.unit_of(Focus("conv2"), trace) is None
    assert does.unit_of(Focus("conv2", (3,), "weight"), trace) is None


def test_a_unit_is_that_of_its_layer_wherever_it_is_pointed_at():
    trace = record("rows_lstm", "digit-7")
    assert does.unit_of(Focus("lstm", (5, 3)), trace) == ("lstm", 3)
    assert does.unit_of(Focus("lstm", (5, 3), "inner.forget"), trace) == ("lstm", 3)
    off = record("digits_cnn", edits=("unit_off:conv2:7",))
    assert does.unit_of(Focus("mul", (7, 1, 1)), off) == ("conv2", 7)


def test_the_command_line_edits_and_pictures_carry_it(tmp_path, capsys):
    wanted = ("unit_off:lstm:7", "shift:3,0")
    path, edited = tmp_path / "a.png", ["--untrained", "--edit", wanted[0], "--edit", wanted[1]]
    assert cli.main(["shot", "rows_lstm", *edited, "-o", str(path)]) == cli.DONE
    assert from_json(export.state_in(path)).edits == ("untrained", *wanted)
    assert cli.main(["shot", str(path), "-o", str(tmp_path / "again.png")]) == cli.DONE
    assert (tmp_path / "again.png").read_bytes() == path.read_bytes()
    trace = str(tmp_path / "a.trace")
    assert cli.main(["record", "digits_cnn", "--edit", "unit_off:conv2:7", "--check", "-o", trace]) == cli.DONE
    capsys.readouterr()
    assert cli.main(["shot", trace, "--edit", wanted[0], "-o", str(path)]) == cli.WRONG_USAGE
    assert "so --edit changes nothing in it" in capsys.readouterr().err
    for bad in ("shift", "dropout:3"):
        assert cli.main(["shot", "digits_cnn", "--edit", bad, "-o", str(path)]) == cli.WRONG_USAGE
        assert capsys.readouterr().err.count("\n") == 1
    assert cli.main(["list", "edits", "--json"]) == cli.DONE
    listed = {entry["name"]: entry["form"] for entry in json.loads(capsys.readouterr().out)}
    assert {"untrained", "unit_off", "shift", "shuffle_rows"} < set(listed)


def test_commands_edit_say_what_is_done_and_one_undo_takes_it_back(qapp):
    trace = load(registry.folder("assets") / "traces" / "digits_cnn.trace")
    said = []
    store = Store(State(), trace)
    desk = SimpleNamespace(store=store, say=lambda *words: said.append(words))
    run = {command.name: command.act for command in commands.commands()}
    run["unit-off"](desk)
    assert store.state.edits == ()
    assert "first" in said.pop()[0]
    store.update(focus=Focus("conv2", (7, 3, 5)))
    run["unit-off"](desk)
    run["shift-right"](desk)
    run["shift-up"](desk)
    assert store.state.edits == ("unit_off:conv2:7", "shift:1,-1")
    assert said[-1][0] == "Now: unit 7 of conv2 off, shifted by +1, -1."
    said[-1][2]()
    assert store.state.edits == ("unit_off:conv2:7", "shift:1")
    run["unedited"](desk)
    assert (store.state.edits, said[-1][0]) == ((), "The network and its input are as they were.")
    store.apply(does.enter_lab)
    run["shift-left"](desk)
    run["unit-off"](desk)
    assert store.state.in_lab
