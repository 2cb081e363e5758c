"""Gates written by hand are recognised where their equations match: with the numbers of torch's own layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import visualizer
from tests.networks import NETWORKS
from visualizer.scene.cellnumbers import forward
from visualizer.scene.chains import Chain, chains
from visualizer.scene.picture import Focus, Look
from visualizer.scene.reading import reading
from visualizer.scene.timeline import timeline
from visualizer.trace import Trace
from visualizer.views import find, picture

BLOCKS = {"lstm": 4, "gru": 3, "rnn": 1}
READ, UNITS, STEPS = 3, 4, 5


class Own(nn.Module):
    """The weights of one of torch's layers in linear layers, and its equations in Python."""

    def __init__(self, kind: str, like: nn.RNNBase, out: nn.Linear, joined: bool) -> None:
        super().__init__()
        rows = BLOCKS[kind] * UNITS
        self.kind, self.joined, self.out = kind, joined, out
        self.w, self.u, self.both = nn.Linear(READ, rows), nn.Linear(UNITS, rows), nn.Linear(READ + UNITS, rows)
        with torch.no_grad():
            for mine, suffix in ((self.w, "ih"), (self.u, "hh")):
                mine.weight.copy_(getattr(like, f"weight_{suffix}_l0"))
                mine.bias.copy_(getattr(like, f"bias_{suffix}_l0"))
            self.both.weight.copy_(torch.cat([self.w.weight, self.u.weight], 1))
            self.both.bias.copy_(self.w.bias + self.u.bias)

    def sums(self, read: Tensor, state: Tensor) -> Tensor:
        return self.both(torch.cat([read, state], 1)) if self.joined else self.w(read) + self.u(state)

    def forward(self, read: Tensor) -> Tensor:
        state = memory = torch.zeros(1, UNITS)
        for step in range(STEPS):
            x = read[:, step]
            if self.kind == "lstm":
                i, f, g, o = self.sums(x, state).chunk(4, 1)
                memory = f.sigmoid() * memory + i.sigmoid() * g.tanh()
                state = o.sigmoid() * memory.tanh()
            elif self.kind == "gru":
                (xr, xz, xn), (hr, hz, hn) = self.w(x).split(UNITS, 1), self.u(state).split(UNITS, 1)
                r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
                state = z * state + (1 - z) * torch.tanh(xn + r * hn)
            else:
                state = torch.tanh(self.sums(x, state))
        return self.out(state)


def both(kind: str, joined: bool = False) -> tuple[Trace, Trace]:
    """The recording of the model that is written by hand, and of the same with torch's own layer."""
    torch.manual_seed(2)
    layer = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[kind](READ, UNITS, batch_first=True)
    out, read = nn.Linear(UNITS, 3), torch.randn(1, STEPS, READ)

    class Torchs(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.out = layer, out

        def forward(self, read: Tensor) -> Tensor:
            return self.out(self.layer(read)[0][:, -1])

    return visualizer.capture(Own(kind, layer, out, joined).eval(), read, target=1), \
        visualizer.capture(Torchs().eval(), read, target=1)


def only(trace: Trace) -> Chain:
    (chain,) = chains(trace)
    return chain


@pytest.mark.parametrize(("kind", "joined"), [("lstm", False), ("lstm", True), ("gru", False), ("rnn", False),
                                              ("rnn", True)])
def test_its_gates_states_and_gradients_are_those_of_torchs_layer(kind: str, joined: bool) -> None:
    own, torchs = both(kind, joined)
    chain, right = only(own), torchs["layer"]
    found = chain.trace[chain.name]
    assert found.kind == kind
    for name, array in right.inner.items():
        assert np.abs(found.inner[name] - array).max() < 1e-6, name
    for name in ("weight_ih", "weight_hh"):
        assert np.abs(found.weights[name] - right.weights[name]).max() < 1e-6
    assert np.abs(sum(found.weights[name] - right.weights[name] for name in ("bias_ih", "bias_hh"))).max() < 1e-6
    for name, array in right.inner_gradients.items():
        assert np.abs(found.inner_gradients[name] - array).max() < 1e-6, name


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_views_of_steps_draw_it_and_lead_to_the_layers_that_hold_the_gates(kind: str) -> None:
    own, _ = both(kind)
    chain, times = only(own), timeline(own)
    for name in ("unrolled", "cell", "diagram", "gates", "bptt", "gradient_flow"):
        view = find(name)
        assert view.suits(own), name
        for address in (f"{chain.calls[2]}.forward", f"{chain.calls[1]}.backward"):
            drawn = picture(view, own, times.find(address), None, Look())
            assert all(mark.focus is None or mark.focus.layer in own for mark in drawn)
    gate = chain.held_by["forget" if kind == "lstm" else "update"][3]
    drawn = find("gates").draw(own, times.find("input.forward"), Focus(gate), Look())
    assert drawn.caption.startswith("At step 4")
    drawn = find("gates").draw(own, times.find(f"{chain.calls[1]}.forward"), None, Look())
    assert drawn.caption.startswith("At step 2")


CELLS = {"lstm": nn.LSTMCell, "gru": nn.GRUCell, "rnn": nn.RNNCell}


@pytest.mark.parametrize(("name", "kind"), [
    *((f"hand_written_rnn_{how}", "rnn") for how in ("parameters", "einsum", "addmm", "reads_all_first", "baddbmm")),
    *((f"hand_written_lstm_{how}", "lstm") for how in ("one_product", "modules", "gate_by_gate")),
    *((f"hand_written_gru_{how}", "gru") for how in ("lerp", "keeps_and_moves", "moves_by_the_rest"))])
def test_however_it_is_written_torchs_cell_with_the_weights_found_makes_the_same(name: str, kind: str) -> None:
    """States, what comes back to them and to what was read, in float64; and every sum before its curve."""
    model, read, target = NETWORKS[name]()
    trace = visualizer.capture(model, read, target)
    chain = only(trace)
    found, inputs = chain.trace[chain.name], chain.trace.inputs(chain.trace[chain.name])
    assert found.kind == kind
    cell = CELLS[kind](found.weights["weight_ih"].shape[1], found.inner["hidden"].shape[1], **(
        {"nonlinearity": found.settings["nonlinearity"]} if kind == "rnn" else {})).double()
    cell.load_state_dict({key: torch.from_numpy(values.astype(np.float64)) for key, values in found.weights.items()})
    steps = read.shape[1]
    seen = torch.from_numpy(np.concatenate([one.output.reshape(-1) for one in inputs[:steps]]).astype(
        np.float64)).reshape(steps, 1, -1).requires_grad_()
    kept = tuple(torch.zeros(1, cell.hidden_size, dtype=torch.float64) for _ in range(2 if kind == "lstm" else 1))
    made = []
    for step in range(steps):
        new = cell(seen[step], kept if kind == "lstm" else kept[0])
        kept = new if kind == "lstm" else (new,)
        made.append(kept)
    loss = nn.functional.cross_entropy(model.last.double()(made[-1][0]), torch.tensor([target]))
    for which, state in enumerate(("hidden", "cell")[:len(kept)]):
        states = [one[which] for one in made]
        assert np.abs(found.inner[state] - torch.cat(states).detach().numpy()).max() < 1e-6, state
        back = torch.autograd.grad(loss, states, retain_graph=True)
        assert np.abs(found.inner_gradients[state] - torch.cat(back).numpy()).max() < 1e-6, state
    (back,) = torch.autograd.grad(loss, seen)
    assert np.abs(trace["input"].gradient.reshape(-1) - back.numpy().reshape(-1)).max() < 1e-6
    numbers = forward(chain.trace, reading(chain.trace, chain.name)).arrays
    for row in reading(chain.trace, chain.name).family.rows:
        total = numbers[f"{row.key}.sum"]
        assert np.abs((total if row.curve is None else row.curve.value(total)) - found.inner[row.key]).max() < 1e-6
    report = trace.check()
    assert report.passed


@pytest.mark.parametrize("name", ["hand_written_lstm_peepholes", "hand_written_minimal_gated_unit",
                                  "hand_written_gru_reset_before", "hand_written_state_space", "mlp_tied_autoencoder",
                                  "hand_written_gru_swapped", "hand_written_lstm_coupled",
                                  "hand_written_lstm_softsign"])
def test_other_equations_are_not_taken_for_these(name: str) -> None:
    model, read, target = NETWORKS[name]()
    assert not chains(visualizer.capture(model, read, target))


def test_weights_that_change_from_step_to_step_are_not_taken_for_one() -> None:
    class Drifts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w, self.u = nn.Parameter(torch.randn(READ, UNITS)), nn.Parameter(torch.randn(UNITS, UNITS))

        def forward(self, read: Tensor) -> Tensor:
            state = torch.zeros(1, UNITS)
            for step in range(STEPS):
                state = torch.tanh(read[:, step] @ self.w + state @ (self.u * (1 + step / 10)))
            return state

    torch.manual_seed(0)
    assert not chains(visualizer.capture(Drifts().eval(), torch.randn(1, STEPS, READ), target=1))


def test_sums_that_are_not_the_weights_alone_are_not_taken_for_them() -> None:
    class Doubled(Own):
        def sums(self, read: Tensor, state: Tensor) -> Tensor:
            return super().sums(read, state) + 0.01 * read.sum()

    layer = nn.LSTM(READ, UNITS)
    model = Doubled("lstm", layer, nn.Linear(UNITS, 3), False)
    assert not chains(visualizer.capture(model.eval(), torch.randn(1, STEPS, READ), target=1))
