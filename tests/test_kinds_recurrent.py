"""Terms of recurrent layers: every gate, state and gradient from what made it; cost, Jacobians, words."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from visualizer import kinds
from visualizer.kinds import Terms, jacobian, recurrent
from visualizer.record import capture
from visualizer.trace import Layer, Trace

torch.set_num_threads(1)
COVERS = {"rnn", "lstm", "gru", "rnn_cell", "lstm_cell", "gru_cell", "state", "cell_state", "both_directions",
          "pack_padded_sequence", "pad_packed_sequence", "index_select"}


class Net(nn.Module):
    """A recurrent module, what is done with it, and a dense layer of three classes."""

    def __init__(self, rnn: nn.Module, forward: Callable[[Any, Tensor], Tensor], width: int) -> None:
        super().__init__()
        self.rnn, self.fc, self.does = rnn, nn.Linear(width, 3), forward

    def forward(self, x: Tensor) -> Tensor:
        return self.does(self, x)


def every_step(net: Net, x: Tensor) -> Tensor:
    """All outputs and the last states are read."""
    output, last = net.rnn(x)
    total = sum(state.sum() for state in last) if isinstance(last, tuple) else last.sum()
    return net.fc(output.tanh()).mean(1) * (1 + 0.1 * total)


def stepped(net: Net, x: Tensor) -> Tensor:
    state, states = None, []
    for t in range(x.shape[1]):
        state = net.rnn(x[:, t], state)
        states.append(state[0] if isinstance(state, tuple) else state)
    return net.fc(torch.stack(states, 1).mean(1) + (state[1] if isinstance(state, tuple) else state))


def alone(net: Net, x: Tensor) -> Tensor:
    """Each step reads what was made from the one before, so every call is a layer of its own."""
    state, read = None, x[:, 0]
    for t in range(3):
        state = net.rnn(read, state)
        read = x[:, t + 1] + (state[0] if isinstance(state, tuple) else state)[:, :3]
    return net.fc(read.repeat(1, 2)[:, :5])


def packed(net: Net, x: Tensor) -> Tensor:
    short = pack_padded_sequence(x, torch.tensor([4]), batch_first=True, enforce_sorted=False)
    output, _ = pad_packed_sequence(net.rnn(short)[0], batch_first=True, padding_value=0.5, total_length=6)
    return net.fc(output.mean(1))


CASES: dict[str, tuple[Callable[[], nn.Module], Callable[[Any, Tensor], Tensor], int]] = {
    "lstm": (lambda: nn.LSTM(3, 5, batch_first=True), every_step, 5),
    "lstm, both ways": (lambda: nn.LSTM(3, 5, 2, batch_first=True, bidirectional=True), every_step, 10),
    "lstm, projected": (lambda: nn.LSTM(3, 5, 2, batch_first=True, bidirectional=True, proj_size=4), every_step, 8),
    "lstm, no bias": (lambda: nn.LSTM(3, 5, batch_first=True, bias=False), every_step, 5),
    "lstm, dropout": (lambda: nn.LSTM(3, 5, 2, batch_first=True, dropout=0.3), every_step, 5),
    "lstm, packed": (lambda: nn.LSTM(3, 5, batch_first=True, bidirectional=True), packed, 10),
    "gru": (lambda: nn.GRU(3, 5, batch_first=True), every_step, 5),
    "gru, both ways": (lambda: nn.GRU(3, 5, 2, batch_first=True, bidirectional=True), every_step, 10),
    "gru, no bias": (lambda: nn.GRU(3, 5, batch_first=True, bias=False), every_step, 5),
    "rnn": (lambda: nn.RNN(3, 5, batch_first=True), every_step, 5),
    "rnn, relu": (lambda: nn.RNN(3, 5, 2, batch_first=True, bidirectional=True, nonlinearity="relu"), every_step, 10),
    "lstm cell": (lambda: nn.LSTMCell(3, 5), stepped, 5),
    "gru cell": (lambda: nn.GRUCell(3, 5, bias=False), stepped, 5),
    "rnn cell": (lambda: nn.RNNCell(3, 5, nonlinearity="relu"), stepped, 5),
    "lstm cell alone": (lambda: nn.LSTMCell(3, 5), alone, 5),
    "gru cell alone": (lambda: nn.GRUCell(3, 5), alone, 5),
    "rnn cell alone": (lambda: nn.RNNCell(3, 5), alone, 5),
}


@cache
def trace_of(case: str) -> Trace:
    torch.manual_seed(2)
    make, forward, width = CASES[case]
    net = Net(make(), forward, width).train()
    for parameter in net.parameters():
        nn.init.uniform_(parameter, -0.7, 0.7)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "LSTM with projections is not supported with oneDNN")
        return capture(net, torch.randn(1, 6, 3), 1, "float64")


def timed(trace: Trace) -> list[Layer]:
    found = [layer for layer in trace if layer.inner]
    assert found
    return found


def holds_together(terms: Terms) -> None:
    """The result is what the taps say."""
    total = sum(float(taps.products.sum()) for taps in terms.taps) + (terms.bias or 0.0)
    if terms.op == "sum":
        assert terms.result == pytest.approx(total, abs=1e-12)
    if terms.op in ("product", "copy"):
        assert terms.result == pytest.approx(total, abs=1e-12)
        assert len(terms.taps) == 1
    if terms.op == "gate":
        assert dict(terms.met)["a"] == pytest.approx(total, abs=1e-12)
        assert terms.result in (pytest.approx(np.tanh(total)), pytest.approx(1 / (1 + np.exp(-total))), max(total, 0.0))
    for taps in terms.taps:
        assert len(taps.cells) == len(taps.values) == len(taps.weights) == np.prod(taps.grid or (1,))
        assert taps.weight_cells is None or len(taps.weight_cells) == len(taps.values)


def read_again(trace: Trace, layer: Layer, terms: Terms) -> None:
    """Values stand where the taps say, and so do the factors that were read from a weight of the layer."""
    for taps in terms.taps:
        source = trace[taps.source]
        for number, (cell, value, factor) in enumerate(zip(taps.cells, taps.values, taps.weights, strict=True)):
            if taps.inside is None or taps.inside[number]:
                assert array(source, taps.array)[tuple(cell)] == value
            if taps.weight.startswith("weight_"):
                assert taps.weight_cells is not None
                assert layer.weights[taps.weight][tuple(taps.weight_cells[number])] == factor


def array(layer: Layer, name: str) -> Any:
    group, _, key = name.partition(".")
    return getattr(layer, group)[key] if key else getattr(layer, group)


@pytest.mark.parametrize("case", CASES)
def test_every_number_of_every_layer_agrees_with_its_terms(case: str) -> None:
    """Outputs, gates, states, their gradients, those of what was read and of every weight."""
    report = trace_of(case).check()
    assert report.worst < 1e-12, report
    unexplained = {layer.name for layer in trace_of(case) if layer.output.dtype.kind in "iu"}
    assert set(report.unverified) <= unexplained


@pytest.mark.parametrize("case", CASES)
def test_all_cells_of_gates_and_states_are_made_by_their_terms(case: str) -> None:
    trace = trace_of(case)
    for layer in timed(trace):
        for key, values in layer.inner.items():
            for step, unit in np.ndindex(values.shape):
                terms = kinds.inner_terms(trace, layer.name, key, step, unit)
                assert terms.result == pytest.approx(values[step, unit], abs=1e-13), (layer.name, key)
                holds_together(terms)
                read_again(trace, layer, terms)


@pytest.mark.parametrize("case", CASES)
def test_all_gradients_of_gates_and_states_are_made_by_their_terms(case: str) -> None:
    trace = trace_of(case)
    for layer in timed(trace):
        for key, values in layer.inner_gradients.items():
            if key.endswith("_direct"):
                with pytest.raises(LookupError, match="came from outside"):
                    kinds.inner_backward_terms(trace, layer.name, key, 0, 0)
                continue
            for step, unit in np.ndindex(values.shape):
                terms = kinds.inner_backward_terms(trace, layer.name, key, step, unit)
                assert terms.result == pytest.approx(values[step, unit], abs=1e-13), (layer.name, key)
                holds_together(terms)
                if key.startswith(("hidden", "cell", "initial")):
                    read_again(trace, layer, terms)


@pytest.mark.parametrize("case", CASES)
def test_all_gradients_of_states_inputs_and_weights_are_sums_of_their_terms(case: str) -> None:
    trace = trace_of(case)
    for layer in trace:
        readers = [reader for reader in trace.readers(layer.name) if reader.kind in COVERS]
        if layer.gradient is None or not (layer.inner or readers):
            continue
        for cell in np.ndindex(layer.shape):
            handed = kinds.backward_terms(trace, layer.name, cell)
            total = sum(terms.result for _, terms in handed)
            assert total == pytest.approx(layer.gradient[cell], abs=1e-13), layer.name
            for name, terms in handed:
                if trace[name].kind in COVERS:
                    holds_together(terms)
        for name, gradient in layer.weight_gradients.items() if layer.inner else ():
            for cell in np.ndindex(gradient.shape):
                terms = kinds.weight_terms(trace, layer.name, name, cell)
                assert terms.result == pytest.approx(gradient[cell], abs=1e-12), (layer.name, name)
                holds_together(terms)


def test_dl_dh_is_what_readers_hand_back_and_what_the_next_step_hands_back() -> None:
    trace = trace_of("lstm")
    names = [name for name, _ in kinds.backward_terms(trace, "rnn", (2, 1))]
    assert names == ["rnn.h_n", "rnn.c_n", "tanh", "rnn"]
    assert [name for name, _ in kinds.backward_terms(trace, "rnn", (5, 1))] == ["rnn.h_n", "rnn.c_n", "tanh"]


def test_a_gate_shows_its_sum_its_two_biases_and_where_everything_was_read() -> None:
    trace = trace_of("lstm")
    layer = trace["rnn"]
    terms = kinds.inner_terms(trace, "rnn", "forget", 3, 2)
    of_x, of_h = terms.taps
    assert (of_x.source, of_x.array, of_x.weight) == ("input", "output", "weight_ih")
    assert (of_h.source, of_h.array, of_h.weight) == ("rnn", "inner.hidden", "weight_hh")
    assert of_x.cells.tolist() == [[3, 0], [3, 1], [3, 2]]
    assert of_h.cells.tolist() == [[2, unit] for unit in range(5)]
    assert of_h.weight_cells.tolist() == [[5 + 2, unit] for unit in range(5)]
    steps = dict(terms.met)
    assert steps["bias_ih"] == layer.weights["bias_ih"][7]
    assert terms.bias == steps["bias_ih"] + steps["bias_hh"]
    assert terms.result == pytest.approx(1 / (1 + np.exp(-steps["a"])))
    first = kinds.inner_terms(trace, "rnn", "forget", 0, 2).taps[1]
    assert first.cells.tolist() == [[-1, unit] for unit in range(5)]
    assert first.inside is not None
    assert not first.inside.any()
    assert not first.values.any()


def test_a_reverse_direction_starts_at_the_last_place() -> None:
    trace = trace_of("gru, both ways")
    terms = kinds.inner_terms(trace, "rnn.l0.reverse", "reset", 5, 0)
    assert terms.taps[1].cells[0].tolist() == [6, 0]
    assert kinds.inner_terms(trace, "rnn.l1.reverse", "reset", 2, 0).taps[2].cells[0].tolist() == [3, 0]
    assert [taps.source for taps in kinds.inner_terms(trace, "rnn.l1", "reset", 2, 0).taps] == \
        ["rnn.l0", "rnn.l0.reverse", "rnn.l1"]


def test_asking_for_what_is_not_there_says_what_there_is() -> None:
    trace = trace_of("gru")
    with pytest.raises(LookupError, match=r"rnn has no 'forget'; it has reset, update, new, hidden\."):
        kinds.inner_terms(trace, "rnn", "forget", 0, 0)
    with pytest.raises(LookupError, match=r"no reset at step 6, unit 0; it has steps 0…5 and units 0…4"):
        kinds.inner_terms(trace, "rnn", "reset", 6, 0)
    with pytest.raises(LookupError, match="rnn has no gradient 'cell'"):
        kinds.inner_backward_terms(trace, "rnn", "cell", 0, 0)
    with pytest.raises(LookupError, match="fc has no gates"):
        kinds.inner_terms(trace, "fc", "reset", 0, 0)


# --- what it costs --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("module", "steps", "parameters", "macs"), [
    (lambda: nn.LSTM(32, 128, 2), 64, 215_040, 13_631_488),
    (lambda: nn.GRU(32, 128), 64, 62_208, 3_932_160),
    (lambda: nn.RNN(10, 20), 1, 640, 600),
    (lambda: nn.LSTM(10, 20), 1, 2_560, 2_400),
    (lambda: nn.GRU(10, 20), 1, 1_920, 1_800),
])
def test_parameters_count_both_biases_and_products_those_of_the_matrices(module: Any, steps: int, parameters: int,
                                                                         macs: int) -> None:
    rnn = module()
    trace = capture(Net(rnn, lambda net, x: net.fc(net.rnn(x)[0][-1]), rnn.hidden_size),
                    torch.randn(steps, 1, rnn.input_size), 1)
    costs = [recurrent.cost(layer, trace.inputs(layer)) for layer in timed(trace)]
    assert sum(cost.parameters for cost in costs) == parameters == sum(p.numel() for p in rnn.parameters())
    assert sum(cost.macs for cost in costs) == macs
    for layer, cost in zip(timed(trace), costs, strict=True):
        assert recurrent.step_cost(layer).macs * steps == cost.macs


# --- Jacobians ------------------------------------------------------------------------------------------------------

JACOBIANS = ["lstm", "lstm, both ways", "lstm, projected", "gru", "gru, both ways", "rnn",
             "rnn, relu", "gru cell", "lstm cell", "gru cell alone"]


@pytest.mark.parametrize("case", JACOBIANS)
def test_the_jacobian_of_a_step_is_autograds(case: str) -> None:
    trace = trace_of(case)
    for layer in timed(trace):
        states = ("hidden", "cell") if layer.kind.startswith("lstm") else ("hidden",)
        for step in range(len(layer.inner["hidden"])):
            before = tuple(torch.tensor(state_before(trace, layer, state, step)) for state in states)
            x = torch.tensor(read_at(trace, layer, step))
            blocks = torch.autograd.functional.jacobian(partial(after, layer, x), before)
            wanted = torch.cat([torch.cat(list(row), 1) for row in blocks], 0).numpy()
            found = jacobian.step_jacobian(layer, trace.inputs(layer), step)
            assert found.shape == wanted.shape
            assert np.abs(found - wanted).max() < 1e-14


def state_before(trace: Trace, layer: Layer, state: str, step: int) -> Any:
    """Straight from the arrays: the neighbouring step, or what it starts from."""
    values = layer.inner[state]
    earlier = step + 1 if layer.settings["reverse"] else step - 1
    if 0 <= earlier < len(values):
        return values[earlier]
    if layer.settings.get(f"initial_{state}") == "read":
        return trace[layer.reads[1 if state == "hidden" else 2]].output
    return np.zeros_like(values[0])


def read_at(trace: Trace, layer: Layer, step: int) -> Any:
    if layer.settings.get("one_by_one"):
        return trace[layer.reads[step]].output
    sources = trace.inputs(layer)[:layer.settings["sequences"]]
    return np.concatenate([source.output.reshape(len(layer.inner["hidden"]), -1)[step] for source in sources])


def after(layer: Layer, x: Tensor, h: Tensor, c: Tensor | None = None) -> tuple[Tensor, ...]:
    """One step by torch's own cells; a projected LSTM by its equations, because there is no such cell."""
    weights = {name: torch.tensor(value) for name, value in layer.weights.items()}
    named = [weights.get(name) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    name = layer.kind.removesuffix("_cell")
    if name == "rnn":
        name = f"rnn_{layer.settings['nonlinearity']}"
    if c is None:
        return (getattr(torch, f"{name}_cell")(x[None], h[None], *named)[0],)
    if "weight_hr" not in weights:
        return tuple(state[0] for state in torch.lstm_cell(x[None], (h[None], c[None]), *named))
    i, f, g, o = (named[0] @ x + named[2] + named[1] @ h + named[3]).chunk(4)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return weights["weight_hr"] @ (o.sigmoid() * c.tanh()), c


@pytest.mark.parametrize("case", ["lstm", "lstm, projected", "gru", "rnn", "rnn, relu", "gru cell"])
def test_the_product_of_jacobians_carries_a_gradient_from_the_last_step_to_the_first(case: str) -> None:
    """(J_T ⋯ J_1)ᵀ times the gradient at the end is the gradient before the first step, if nothing came between."""
    make, _, width = CASES[case]
    torch.manual_seed(4)
    forward = stepped_to_the_end if case.endswith("cell") else to_the_end
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "LSTM with projections is not supported with oneDNN")
        trace = capture(Net(make(), forward, width), torch.randn(1, 6, 3), 1, "float64")
    for layer in timed(trace)[-1:]:
        start, end = (5, 0) if layer.settings["reverse"] else (0, 5)
        keys = ("hidden", "cell") if layer.kind == "lstm" else ("hidden",)
        last = np.concatenate([state_gradient(layer, key, end) for key in keys])
        first = np.concatenate([layer.inner_gradients[f"initial_{key}"][0] for key in keys])
        product = jacobian.jacobian_product(layer, trace.inputs(layer), None, end)
        assert np.abs(product.T @ last - first).max() < 1e-15
        halves = (jacobian.jacobian_product(layer, trace.inputs(layer), 3, end)
                  @ jacobian.jacobian_product(layer, trace.inputs(layer), start, 3)
                  @ jacobian.step_jacobian(layer, trace.inputs(layer), start))
        assert np.abs(halves - product).max() < 1e-15
        assert np.array_equal(jacobian.jacobian_product(layer, trace.inputs(layer), 2, 2), np.eye(len(product)))
        with pytest.raises(ValueError, match="comes before"):
            jacobian.jacobian_product(layer, trace.inputs(layer), end, start)
    with pytest.raises(IndexError, match="no step 6; it has 0…5"):
        jacobian.step_jacobian(timed(trace)[0], trace.inputs(timed(trace)[0]), 6)


def to_the_end(net: Net, x: Tensor) -> Tensor:
    """Only the last state that each direction of the last level makes is read."""
    _, last = net.rnn(x)
    hidden = last[0] if isinstance(last, tuple) else last
    both = 2 if net.rnn.bidirectional else 1
    return net.fc(hidden[-both:].reshape(1, -1))


def stepped_to_the_end(net: Net, x: Tensor) -> Tensor:
    state = None
    for t in range(x.shape[1]):
        state = net.rnn(x[:, t], state)
    return net.fc(state)


def state_gradient(layer: Layer, key: str, step: int) -> Any:
    """From outside: what the product starts from. For c that is nothing, its way through h is in the Jacobian."""
    found = layer.inner_gradients.get(f"{key}_direct")
    return np.zeros_like(layer.inner[key][step]) if found is None else found[step]


def test_the_straight_way_from_state_to_state_is_the_forget_gate_or_the_update_gate() -> None:
    lstm, gru = trace_of("lstm")["rnn"], trace_of("gru")["rnn"]
    assert np.array_equal(jacobian.kept_straight(lstm), lstm.inner["forget"])
    assert np.array_equal(jacobian.kept_straight(gru), gru.inner["update"])
    step = jacobian.step_jacobian(lstm, trace_of("lstm").inputs(lstm), 3)
    assert np.array_equal(np.diag(step[5:, 5:]), lstm.inner["forget"][3])
    with pytest.raises(LookupError, match="made anew"):
        jacobian.kept_straight(trace_of("rnn")["rnn"])


# --- words, boxes ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("case", CASES)
def test_every_layer_says_one_plain_sentence_with_its_own_numbers(case: str) -> None:
    trace = trace_of(case)
    for layer in trace:
        if layer.kind not in COVERS:
            continue
        kind = kinds.of(layer)
        assert kind is not None
        words = kinds.sentence(trace, layer.name)
        assert words.endswith(".")
        assert words[0].isupper()
        for said in (words, kind.short(layer, trace.inputs(layer))):
            assert not set(said) & set("{}-")
            assert "  " not in said
            assert "None" not in said
        assert kind.cost(layer, trace.inputs(layer)).macs >= 0
        for key in layer.inner:
            said = recurrent.inner_sentence(layer, trace.inputs(layer), key, 0, 3)
            assert said.startswith("At step 1 ")
            assert "nit 3" in said
            assert said.endswith(".")


def test_sentences_name_the_shares_that_the_gates_have() -> None:
    inner = {key: np.full((20, 32), 0.5) for key in ("input", "candidate", "output_gate", "cell", "hidden")}
    forget = np.full((20, 32), 0.9)
    forget[16] = 0.2
    forget[16, 29] = 0.3041
    forget[3, 1] = 0.99997
    layer = Layer("lstm", "lstm", ("step", "unit"), {"sequences": 1}, ("x",), inner["hidden"],
                  weights={"weight_ih": np.zeros((128, 4)), "weight_hh": np.zeros((128, 32))},
                  inner={**inner, "forget": forget})
    source = Layer("x", "input", ("step", "unit"), {}, (), np.zeros((20, 4)))
    assert recurrent.inner_sentence(layer, (source,), "forget", 16, 29) == \
        "At step 17 the forget gate keeps 30 % of unit 29's memory."
    assert "keeps 99.997 % of" in recurrent.inner_sentence(layer, (source,), "forget", 3, 1)
    assert recurrent.sentence(layer, (source,)) == (
        "Reads 20 steps of x in order and carries 32 numbers from step to step; its forget gate keeps 87 % of the "
        "memory on average, least at step 17 (20 %).")
    assert recurrent.short(layer, (source,)) == "20 steps, 4 → 32"


def test_a_step_sees_what_its_direction_has_read_so_far() -> None:
    trace = trace_of("lstm, both ways")
    assert kinds.receptive_field(trace, "rnn.l0", (2, 1))["input"] == ((0, 2), (0, 2))
    assert kinds.receptive_field(trace, "rnn.l0.reverse", (2, 1))["input"] == ((2, 5), (0, 2))
    assert kinds.receptive_field(trace, "rnn", (2, 7)).get("rnn.l1") is None
    assert kinds.receptive_field(trace, "rnn", (2, 7))["rnn.l1.reverse"] == ((2, 2), (2, 2))
    steps = trace_of("gru cell")
    assert set(kinds.receptive_field(steps, "rnn", (1, 0))) == {"rnn", "getitem", "getitem#2", "input"}
    assert kinds.receptive_field(steps, "rnn", (1, 0))["input"] == ((0, 1), (0, 2))


def test_the_support_of_the_gradient_lies_in_the_receptive_field() -> None:
    torch.manual_seed(0)
    lstm = nn.LSTM(3, 5, 2, bidirectional=True)
    x = torch.randn(6, 1, 3, requires_grad=True)
    trace = capture(Net(lstm, lambda net, x: net.fc(net.rnn(x)[0].mean(0)), 10), x, 1)
    output, _ = lstm(x)
    for cell in ((0, 0), (2, 7), (5, 3)):
        (gradient,) = torch.autograd.grad(output[cell[0], 0, cell[1]], x, retain_graph=True)
        steps = np.flatnonzero(np.abs(gradient[:, 0].numpy()).max(axis=1))
        (low, high), _ = kinds.receptive_field(trace, "rnn", cell)["input"]
        assert low <= steps.min()
        assert steps.max() <= high


def test_index_select_hands_back_to_every_slice_that_it_read() -> None:
    order = torch.tensor([2, 0, 2])
    trace = capture(Net(nn.GRU(3, 5, batch_first=True),
                        lambda net, x: net.fc(net.rnn(torch.index_select(x, 1, order))[0][:, -1]), 5),
                    torch.randn(1, 4, 3), 1, "float64")
    assert trace.check().worst < 1e-12
    assert kinds.receptive_field(trace, "index_select", (1, 2))["input"] == ((0, 0), (2, 2))
    assert (trace["input"].gradient[[1, 3]] == 0).all()
    assert len(kinds.backward_terms(trace, "input", (2, 0))[0][1].taps[0].values) == 2


def test_in_a_gru_r_stands_behind_the_product_with_the_state_and_its_bias() -> None:
    trace = trace_of("gru")
    layer = trace["rnn"]
    terms = kinds.inner_terms(trace, "rnn", "new", 3, 2)
    steps = dict(terms.met)
    before = layer.inner["hidden"][2]
    assert steps["U h₋ + b"] == pytest.approx(layer.weights["weight_hh"][12] @ before + layer.weights["bias_hh"][12])
    assert steps["r"] == layer.inner["reset"][3, 2]
    from_x = layer.weights["weight_ih"][12] @ trace["input"].output[3] + layer.weights["bias_ih"][12]
    assert steps["a"] == pytest.approx(from_x + steps["r"] * steps["U h₋ + b"])
    assert terms.result == pytest.approx(np.tanh(steps["a"]))
    assert terms.bias_name == "bias_ih + r·bias_hh"
