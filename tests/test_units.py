"""What excites a unit, an input made for it, units that follow a pattern: each against a plain loop or formula."""

from __future__ import annotations

import copy
from functools import cache

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from torch import Tensor

from tests import quantities_of_explain  # noqa: F401  (its quantities are known once they are there)
from tests.test_sentences import texts_of, true, unclaimed
from visualizer import inputs, record
from visualizer.inputs import TYPED
from visualizer.kinds import units
from visualizer.record.catalog import Opened
from visualizer.record.run import given_of, prepared, reads_of
from visualizer.record.studies import Pass, ascent, excites
from visualizer.record.studies.explain import randomised
from visualizer.said import listening
from visualizer.scene.picture import Choice, Entry, Focus, Image, Look, Rect, Text, ToInput
from visualizer.scene.state import State, changed
from visualizer.trace import Refused, Trace
from visualizer.ui.choices import Choices
from visualizer.ui.store import Store
from visualizer.views import find

torch.set_num_threads(1)
FEW = 24


@cache
def pass_of(name: str, sample: str = "") -> Pass:
    return record.pass_of(name, sample)


@cache
def measured(name: str, *studies: str) -> Trace:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(excites, "MOST_INPUTS", FEW)
        return record.with_study(pass_of(name), *studies)


def shipped(again: Pass) -> list[tuple[str, Tensor]]:
    said = reads_of(again.opened)
    return [(word, prepared(again.opened, given_of(again.opened, word).raw))
            for word in inputs.samples(inputs.of(said).name, said).words[:FEW]]


# --- which inputs excite it -------------------------------------------------------------------------------------------

def test_the_inputs_that_excite_a_channel_are_those_of_a_plain_loop_with_their_fields() -> None:
    again = pass_of("digits_cnn")
    found = measured("digits_cnn", "excites").studies["excites"]
    kept: list[Tensor] = []
    hook = again.model.conv2.register_forward_hook(lambda module, read, made: kept.append(made[0].detach()))
    words, read = [], []
    with torch.no_grad():
        for word, x in shipped(again):
            again.model(x)
            words.append(word)
            read.append(x[0].numpy())
    hook.remove()
    names = bytes(found["words"]).decode().split("\0")
    for unit in range(12):
        best = np.array([float(made[unit].max()) for made in kept])
        order = np.argsort(-best, kind="stable")[:9]
        np.testing.assert_allclose(found["conv2:best"][unit], best[order], rtol=1e-6)
        assert [names[place] for place in found["conv2:input"][unit]] == [words[at] for at in order]
        for rank, at in enumerate(order):
            row, column = found["conv2:cell"][unit, rank]
            assert float(kept[at][unit, row, column]) == pytest.approx(best[at])
            np.testing.assert_array_equal(found["reads"][found["conv2:input"][unit, rank]], read[at])
            low, high = found["conv2:low"][unit, rank], found["conv2:high"][unit, rank]
            assert _alone(again.model, read[at], unit, int(row), int(column), low, high) == pytest.approx(
                best[at], abs=1e-5)


def _alone(model: torch.nn.Module, read: np.ndarray, unit: int, row: int, column: int, low: np.ndarray,
           high: np.ndarray) -> float:
    """The number when all that lies outside its field is another."""
    other = np.random.default_rng(1).standard_normal(read.shape).astype(np.float32)
    other[:, low[0]:high[0] + 1, low[1]:high[1] + 1] = read[:, low[0]:high[0] + 1, low[1]:high[1] + 1]
    with torch.no_grad():
        seen = model.pool1(model.relu1(model.conv1(torch.from_numpy(other)[None])))
        return float(model.conv2(seen)[0, unit, row, column])


def test_of_a_recurrent_layer_the_steps_are_found_at_which_a_unit_is_largest() -> None:
    again = pass_of("surname_gru")
    found = measured("surname_gru", "excites").studies["excites"]
    states = []
    with torch.no_grad():
        for _, x in shipped(again):
            states.append(again.model.gru(again.model.embedding(x))[0][0].numpy())
    for unit in (0, 17, 63):
        best = np.array([each[:, unit].max() for each in states])
        order = np.argsort(-best, kind="stable")[:9]
        np.testing.assert_allclose(found["gru:best"][unit], best[order], rtol=1e-5, atol=1e-6)
        assert [int(step) for step in found["gru:cell"][unit, :, 0]] == [int(states[at][:, unit].argmax())
                                                                       for at in order]
        along = found["gru:along"][unit, 0]
        np.testing.assert_allclose(along[np.isfinite(along)], states[order[0]][:, unit], rtol=1e-5, atol=1e-6)
        assert found["gru:high"][unit, 0, 0] == found["gru:cell"][unit, 0, 0]


# --- an input made for it ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("control", [False, True])
def test_an_input_is_made_by_the_updates_of_a_plain_loop(control: bool) -> None:
    again = pass_of("lenet_mnist")
    trace = measured("lenet_mnist", "ascent:conv2:3")
    found = trace.studies["ascent:conv2:3"]
    read = trace.layers[0].output
    low, high = float(read.min()), float(read.max())
    assert found["range"].tolist() == [low, high]
    begin = ascent.first(read.shape, low, high)
    assert torch.equal(begin, ascent.first(read.shape, low, high))
    twin = (randomised(again.model) if control else copy.deepcopy(again.model)).double()
    kept: list[Tensor] = []
    hook = twin.conv2.register_forward_hook(lambda module, read, made: kept.append(made))
    x, values = begin.clone(), []
    for number in range(65):
        at = x.clone().requires_grad_()
        twin(at)
        value = kept[-1][0, 3].mean()
        values.append(float(value.detach()))
        if number == 64:
            break
        (slopes,) = torch.autograd.grad(value, at)
        x = x + 0.05 * (high - low) * slopes / slopes.square().mean().sqrt()
        x = (x + 0.01 * (begin - x)).clamp(low, high)
    hook.remove()
    np.testing.assert_allclose(found["control_values" if control else "values"], values, rtol=1e-6, atol=1e-9)
    made = found["control"] if control else found["made"][-1]
    np.testing.assert_allclose(made, x[0].numpy(), rtol=1e-6, atol=1e-6)
    assert values[-1] > values[0]


def test_no_input_is_made_between_symbols() -> None:
    assert measured("surname_gru", "ascent").studies["ascent"] == {}
    shown = find("units").draw(measured("surname_gru", "ascent:gru:3", "excites"), _last("surname_gru"),
                               Focus("gru", (2, 3)), Look(knobs=(("face", "made"),)))
    assert "nothing to climb" in shown.caption


def test_a_unit_that_there_is_not_says_how_one_is_named() -> None:
    with pytest.raises(Refused, match="conv1:0"):
        ascent.asked(pass_of("lenet_mnist").trace, "conv2:999")


# --- units that follow a pattern --------------------------------------------------------------------------------------

def test_units_are_ranked_by_the_correlation_of_the_formula_and_so_are_those_of_random_weights() -> None:
    again = pass_of("char_lstm")
    found = measured("char_lstm", "follows:line").studies["follows:line"]
    for model, key in ((again.model, "lstm"), (randomised(again.model), "control/lstm")):
        states, places = [], []
        for word, x in shipped(again):
            text, place = given_of(again.opened, word).raw, 0
            with torch.no_grad():
                states.append(model.lstm(model.embedding(x))[0][0].numpy())
            for symbol in text:
                place = 0 if symbol == "\n" else place + 1
                places.append(place)
        values = np.concatenate(states).astype(np.float64)
        expected = [np.corrcoef(values[:, unit], places)[0, 1] for unit in range(values.shape[1])]
        np.testing.assert_allclose(found[key], expected, atol=1e-5)
    assert int(found["numbers"]) == len(places)
    assert np.abs(found["lstm"]).max() > 2 * np.abs(found["control/lstm"]).max()


def test_of_what_reads_all_at_once_the_mean_of_a_map_is_compared_over_the_inputs() -> None:
    again = pass_of("digits_cnn")
    words = f"label == {again.trace.sample.label}"
    found = measured("digits_cnn", f"follows:{words}").studies[f"follows:{words}"]
    kept: list[np.ndarray] = []
    hook = again.model.conv2.register_forward_hook(lambda module, read, made: kept.append(
        made[0].detach().numpy().astype(np.float64).mean((1, 2))))
    labels = []
    with torch.no_grad():
        for word, x in shipped(again):
            again.model(x)
            labels.append(given_of(again.opened, word).sample.label == again.trace.sample.label)
    hook.remove()
    expected = [np.corrcoef(np.array(kept)[:, unit], labels)[0, 1] for unit in range(12)]
    np.testing.assert_allclose(found["conv2"], expected, atol=1e-5)


def test_brackets_are_counted_and_a_word_begins_anew() -> None:
    found = units._of_symbols(list("a(b[C] d)\ne"))
    assert found["open"].tolist() == [0, 1, 1, 2, 2, 1, 1, 1, 0, 0, 0]
    assert found["line"].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert found["word"].tolist() == [1, 2, 3, 4, 5, 6, 0, 1, 2, 0, 1]
    assert found["upper"].tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    assert found["vowel"].tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]


def test_a_pattern_is_an_expression_or_a_curve_that_was_drawn() -> None:
    known = {"position": np.arange(5.0), "open": np.array([0.0, 1, 2, 1, 0])}
    assert units.pattern("open > 0", known).tolist() == [0, 1, 1, 1, 0]
    assert units.pattern("position % 2 + 1", known).tolist() == [1, 2, 1, 2, 1]
    np.testing.assert_allclose(units.pattern("sin(position / 4)", known), np.sin(np.arange(5) / 4))
    assert units.pattern("3", known).tolist() == [3] * 5
    assert units.pattern("drawn:01234", known).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("words", ["nobody", "position +", "__import__('os')", "open.__class__", "position ** 9 ** 9",
                                   "drawn:01", "drawn:abcde", "(" * 300, "open > 0 > 1", "'a'"])
def test_what_is_no_pattern_is_refused_in_one_sentence(words: str) -> None:
    with pytest.raises(Refused):
        units.pattern(words, {"position": np.arange(5.0), "open": np.zeros(5)})


def test_what_is_the_same_throughout_correlates_with_nothing() -> None:
    values = np.array([[1.0, 2, 3, 5], [4, 4, 4, 4]])
    found = units.correlation(values, np.array([2.0, 4, 6, 9]))
    assert found[0] == pytest.approx(np.corrcoef(values[0], [2, 4, 6, 9])[0, 1])
    assert np.isnan(found[1])
    assert np.isnan(units.correlation(values, np.ones(4))).all()


# --- the view ---------------------------------------------------------------------------------------------------------

def _last(name: str):  # type: ignore[no-untyped-def]
    trace = pass_of(name).trace
    times = find("units").beats(trace, Look())
    return times.find(find("units").telling(trace, times))


@pytest.mark.parametrize(("name", "focus", "knobs", "studies"), [
    ("digits_cnn", Focus("conv2", (3,)), (), ("excites",)),
    ("digits_cnn", Focus("fc1", (3,)), (("face", "made"),), ("ascent:fc1:3", "excites")),
    ("digits_cnn", Focus("conv1", (1,)), (("face", "pattern"),), ("follows",)),
    ("surname_gru", Focus("gru", (0, 5)), (), ("excites",)),
    ("adding_lstm", None, (), ("excites",)),
    ("char_lstm", None, (("face", "pattern"), ("pattern", "vowel")), ("follows:vowel",))])
def test_every_number_of_the_view_is_true(name: str, focus: Focus | None, knobs: tuple[tuple[str, str], ...],
                                          studies: tuple[str, ...]) -> None:
    view, trace, look = find("units"), measured(name, *studies), Look(knobs=knobs)
    assert view.measured(look, trace, focus) == studies
    with listening(placing=True) as heard:
        page = view.page(trace, _last(name), focus, look)
        texts = texts_of(view.draw(trace, _last(name), focus, look), True)
        texts += [mark.plain for mark in page if isinstance(mark, Text)]
    assert len(heard) > 8
    wrong = [claim for claim in set(heard) if not true(trace, claim)]
    assert not wrong, wrong[:3]
    assert not unclaimed(trace, texts, heard)


def test_a_focus_chooses_the_unit_and_what_a_map_was_made_of_leads_to_its_channel() -> None:
    trace = pass_of("digits_cnn").trace
    assert units.chosen(trace, "conv2", (4,)) == (trace["conv2"], 4)
    assert units.chosen(trace, "pool2", (4, 1, 2)) == (trace["conv2"], 4)
    layer, unit = units.chosen(trace)
    assert layer.name == "conv2"
    assert unit == int(trace["conv2"].output.max((1, 2)).argmax())


def test_a_click_on_what_excites_goes_to_that_input_and_a_curve_is_drawn_step_by_step() -> None:
    view, trace = find("units"), measured("digits_cnn", "excites")
    shown = view.draw(trace, _last("digits_cnn"), Focus("conv2", (3,)), Look())
    goes = [mark.holds.word for mark in shown if isinstance(mark, Rect) and isinstance(mark.holds, ToInput)]
    names = bytes(trace.studies["excites"]["words"]).decode().split("\0")
    assert goes == [names[place] for place in trace.studies["excites"]["conv2:input"][3]]
    assert sum(isinstance(mark, Image) for mark in shown) == 2 * len(goes)
    trace = measured("adding_lstm", "follows")
    shown = view.draw(trace, _last("adding_lstm"), None, Look(knobs=(("face", "pattern"),)))
    drawn = [mark.holds.word for mark in shown if isinstance(mark, Rect) and isinstance(mark.holds, Choice)
             and mark.holds.word.startswith(units.DRAWN)]
    assert len(drawn) == 60 * units.HEIGHTS
    assert all(len(word) == len(units.DRAWN) + 60 for word in drawn)


def test_digits_choose_the_face() -> None:
    trace = pass_of("digits_cnn").trace
    assert [find("units").digit(trace, number) for number in (1, 2, 3, 4)] == [
        ("face", "inputs"), ("face", "made"), ("face", "pattern"), None]


def test_the_rail_offers_the_faces_and_a_field_with_the_words_that_it_knows() -> None:
    view, trace = find("units"), pass_of("char_lstm").trace
    shown = view.rail(trace, _last("char_lstm"), None, Look(size=(208, 600)))
    assert [mark.holds for mark in shown if isinstance(mark, Rect)] == [
        Choice("face", "inputs"), Choice("face", "made"), Choice("face", "pattern")]
    shown = view.rail(trace, _last("char_lstm"), None, Look(size=(208, 600), knobs=(
        ("face", "pattern"), ("pattern", "open > 0"))))
    (entry,) = [mark.holds for mark in shown if isinstance(mark, Rect) and isinstance(mark.holds, Entry)]
    assert (entry.knob, entry.word) == ("pattern", "open > 0")
    said = " ".join(mark.plain for mark in shown if isinstance(mark, Text))
    assert "Words: position, line, word, open, vowel, upper, length" in said
    assert view.refuses(trace, "pattern", "opne > 0").startswith("A pattern is an expression of position, line")
    assert view.refuses(trace, "pattern", "open > 0") == ""


def test_what_is_typed_in_the_rail_is_applied_with_enter_or_refused_below_the_field(qtbot) -> None:  # type: ignore[no-untyped-def]
    trace = pass_of("char_lstm").trace
    state = changed(State(), model="char_lstm", sample=trace.sample.name, view="units",
                    look=Look(knobs=(("face", "pattern"),)))
    store = Store(state, trace)
    choices = Choices(store)
    qtbot.addWidget(choices)
    choices.resize(208, 600)
    choices.show()
    field = choices.entry
    assert field is not None
    assert field.text() == "line"
    assert field.accessibleName() == "Pattern"
    assert "open > 0" in field.toolTip()
    assert choices.focusProxy() is field
    assert field.focusPolicy() & Qt.FocusPolicy.TabFocus
    field.setText("opne > 0")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert field.refused.text().startswith("A pattern is an expression of")
    assert field.refused.y() >= field.geometry().bottom()
    assert "pattern" not in dict(store.state.look.knobs)
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert (field.text(), field.refused.text()) == ("line", "")
    field.setText("open > 0")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert dict(store.state.look.knobs)["pattern"] == "open > 0"
    assert field.refused.text() == ""


# --- the chosen input among those that ship ---------------------------------------------------------------------------

BRACKETS = "()[]ab"


class Counting(torch.nn.Module):
    """Its first unit counts the brackets that are open; the others are random."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.embedding = torch.nn.Embedding(len(BRACKETS), 2)
        self.rnn = torch.nn.RNN(2, 4, nonlinearity="relu", batch_first=True)
        self.fc = torch.nn.Linear(4, len(BRACKETS))
        with torch.no_grad():
            self.embedding.weight[:, 0] = torch.tensor([1.0, -1, 1, -1, 0, 0])
            for weight in self.rnn.parameters():
                weight[0] = 0
            self.rnn.weight_ih_l0[0, 0] = self.rnn.weight_hh_l0[0, 0] = 1

    def forward(self, ids: Tensor) -> Tensor:
        return self.fc(self.rnn(self.embedding(ids))[0])  # type: ignore[no-any-return]


def _encoded(text: str) -> Tensor:
    return torch.tensor([[BRACKETS.index(symbol) for symbol in text]])  # ValueError for what it does not know


def test_in_a_typed_text_with_brackets_the_unit_that_counts_them_is_found() -> None:
    opened = Opened("brackets", "Brackets", Counting().eval(), {"input": {
        "kind": "text", "shape": [None], "alphabet": BRACKETS, "prepare": "each character"}}, tuple(BRACKETS), _encoded)
    trace = record.with_study(record.pass_of(opened, f"{TYPED}a(b[a]b(a))ab(a)"), "follows:open")
    found = trace.studies["follows:open"]
    assert found["pattern"].tolist() == [0, 1, 1, 2, 2, 1, 1, 2, 2, 1, 0, 0, 0, 1, 1, 0]
    assert found["rnn"][0] == pytest.approx(1)
    assert found["control/rnn"][0] != pytest.approx(1)
    assert (int(found["inputs"]), int(found["chosen"]), int(found["numbers"])) == (1, 1, 16)
    shown = find("units").draw(trace, _last("char_lstm"), None, Look(knobs=(("face", "pattern"), ("pattern", "open"))))
    assert shown.caption.startswith("rnn 0 follows brackets that are open best, this input of yours counted (1 in all)")


def test_a_typed_text_is_counted_among_the_shipped_inputs_and_a_shipped_one_only_once() -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(excites, "MOST_INPUTS", 2)
        typed, own = (record.with_study(pass_of("char_rnn", word), "follows:line").studies["follows:line"]
                      for word in (f"{TYPED}What now, friend?", ""))
    assert (int(own["chosen"]), int(typed["chosen"])) == (0, 1)
    assert int(typed["inputs"]) == int(own["inputs"]) + 1
    assert int(typed["numbers"]) == int(own["numbers"]) + len("What now, friend?")
    assert np.abs(typed["rnn"] - own["rnn"]).max() > 1e-4
