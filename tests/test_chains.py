"""Calls of a cell with other layers between them: seen as the recurrent layer that they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import visualizer
from tests.networks import NETWORKS
from tests.test_wirings import lines_add_up
from tests.wirings import ROWS
from visualizer.kinds.gates import family_of
from visualizer.scene.cellnumbers import backward, forward
from visualizer.scene.chains import chains
from visualizer.scene.picture import Focus, Look, Text
from visualizer.scene.reading import reading, tabs
from visualizer.scene.timeline import timeline
from visualizer.trace import Sample, Trace
from visualizer.views import find, picture

CELLS = {"lstm": nn.LSTMCell, "gru": nn.GRUCell, "rnn": nn.RNNCell}
VIEWS = ("unrolled", "cell", "diagram", "gates", "hidden_state", "trajectory", "bptt", "jacobian", "gradient_flow")


class Greedy(nn.Module):
    """An encoder whose last state a decoder starts from, which reads the word that it chose before."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.encoder, self.cell = nn.GRU(3, 4, batch_first=True), CELLS[kind](3, 4)
        self.words, self.out = nn.Embedding(5, 3), nn.Linear(4, 5)
        self.kept: list[torch.Tensor] = []
        self.read: list[torch.Tensor] = []

    def forward(self, read: torch.Tensor) -> torch.Tensor:
        state = self.encoder(read)[1][0]
        kept = (state, torch.zeros_like(state)) if isinstance(self.cell, nn.LSTMCell) else state
        word, answers = torch.zeros(1, dtype=torch.long), []
        self.kept, self.read = [], []
        for _ in range(4):
            self.read.append(self.words(word))
            self.kept.append(state)
            kept = self.cell(self.read[-1], kept)
            state = kept[0] if isinstance(kept, tuple) else kept
            answers.append(self.out(state))
            word = answers[-1].argmax(1)
        self.kept.append(state)
        return torch.stack(answers, 1)


def greedy(kind: str) -> tuple[Trace, Greedy, torch.Tensor]:
    torch.manual_seed(3)
    model, read = Greedy(kind).eval(), torch.randn(1, 6, 3)
    return visualizer.capture(model, read), model, read


@pytest.mark.parametrize("kind", CELLS)
def test_a_decoder_that_reads_its_own_answers_is_one_layer_of_steps(kind: str) -> None:
    trace, model, read = greedy(kind)
    (chain,) = chains(trace)
    assert chain.calls == ("cell", "cell#2", "cell#3", "cell#4")
    shown = reading(chain.trace, chain.name)
    model.double()
    model(read.double())
    units, states = 4, torch.cat(model.kept).detach().numpy()
    assert np.abs(shown.states - states[1:]).max() < 1e-6
    assert np.abs(shown.start - states[0]).max() < 1e-6
    weights = {name: one.detach().numpy() for name, one in model.cell.named_parameters()}
    known = {key: np.asarray(values, np.float64) for key, values in shown.layer.inner.items()}
    for block, key in enumerate(ROWS[kind]):
        at = slice(block * units, (block + 1) * units)
        of_state, bias = states[:-1] @ weights["weight_hh"][at].T, weights["bias_ih"][at] + weights["bias_hh"][at]
        if key == "new":
            of_state = known["reset"] * (of_state + weights["bias_hh"][at])
            bias = weights["bias_ih"][at]
        known[f"{key}.read"] = torch.cat(model.read).detach().numpy() @ weights["weight_ih"][at].T
        known[f"{key}.state"], known[f"{key}.bias"] = of_state, np.tile(bias, (4, 1))
    for step in range(4):
        for key, _ in tabs(shown):
            lines_add_up(chain.trace, shown, key, step, known)


@pytest.mark.parametrize("kind", CELLS)
def test_what_came_back_to_each_step_is_autograds(kind: str) -> None:
    trace, model, read = greedy(kind)
    (chain,) = chains(trace)
    asked = np.unravel_index(int(np.argmax(trace["stack"].output)), trace["stack"].shape)
    model.double()
    answers = model(read.double())
    states = model.kept[1:]
    found = torch.autograd.grad(answers[0][tuple(asked)], states, allow_unused=True, materialize_grads=True)
    layer = chain.trace[chain.name]
    assert layer.gradient is not None
    assert np.abs(layer.gradient - torch.cat(found).numpy()).max() < 1e-6
    own = layer.inner_gradients["hidden_direct"].any(axis=1)
    assert own.tolist() == [step == asked[0] for step in range(4)]
    back = backward(chain.trace, reading(chain.trace, chain.name))
    assert back is not None
    assert back.error < 1e-5


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_every_view_of_steps_draws_it_and_leads_back_to_its_calls(kind: str) -> None:
    trace, _, _ = greedy(kind)
    times = timeline(trace)
    for name in VIEWS:
        view = find(name)
        assert view.suits(trace), name
        for address in ("cell#2.forward", "argmax#2.forward", "cell.backward", "input.forward", "input.backward"):
            drawn = picture(view, trace, times.find(address), Focus("cell#3"), Look())
            assert drawn.caption
            assert all(mark.focus is None or mark.focus.layer in trace for mark in drawn), (name, address)


def test_a_step_is_chosen_by_its_call_or_by_the_beat() -> None:
    trace, _, _ = greedy("gru")
    view, times = find("gates"), timeline(trace)
    for call, step in (("cell", 1), ("cell#3", 3)):
        share = round(100 * float(trace[call].inner["reset"].mean()))
        for moment, focus in ((times.find(f"{call}.forward"), None), (times.find("input.forward"), Focus(call))):
            drawn = view.draw(trace, moment, focus, Look())
            assert drawn.caption.startswith(f"At step {step}, the reset gate is {share} % open")
    encoder = view.draw(trace, times.find("encoder.forward[2]"), None, Look())
    assert encoder.table.rows[1][2] == pytest.approx(float(trace["encoder"].inner["reset"][1].mean()))
    assert view.telling is not None
    assert view.telling(trace, times) == "cell#4.forward"


def test_two_cells_that_listen_to_each_other_are_a_chain_each() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.other, self.out = nn.GRUCell(4, 4), nn.LSTMCell(4, 4), nn.Linear(4, 3)

        def forward(self, read: torch.Tensor) -> torch.Tensor:
            state, kept = torch.zeros(1, 4), (torch.zeros(1, 4), torch.zeros(1, 4))
            for _ in range(3):
                state = self.one(kept[0] + read, state)
                kept = self.other(state, kept)
            return self.out(kept[0])

    torch.manual_seed(0)
    trace = visualizer.capture(Two().eval(), torch.randn(1, 4), target=1)
    assert [chain.calls for chain in chains(trace)] == [("one", "one#2", "one#3"), ("other", "other#2", "other#3")]
    assert [family_of(chain.trace[chain.name]).name for chain in chains(trace)] == ["gru", "lstm"]


def test_the_gradient_through_the_steps_of_a_decoder_is_its_own() -> None:
    trace, _, _ = greedy("gru")
    drawn = find("gradient_flow").draw(trace, timeline(trace).find("input.backward"), Focus("cell#4"), Look())
    assert "no gradient" not in drawn.caption
    sizes = [np.linalg.norm(np.asarray(trace[call].gradient, np.float64)) for call in ("cell", "cell#2")]
    said = [value for row in drawn.table.rows for value in row if isinstance(value, float)]
    share = sizes[0] / sizes[1]
    assert any(abs(value - share) < 1e-5 for value in said) or all(
        any(abs(value - size) < 1e-6 for value in said) for size in sizes)


class Between(nn.Module):
    """Cells with something on their states between the steps; keeps the states that they made, for autograd."""

    def __init__(self, kind: str, change: str) -> None:
        super().__init__()
        self.cell, self.norm, self.out = CELLS[kind](3, 4), nn.LayerNorm(4), nn.Linear(4, 3)
        self.change = {"norm": self._normed, "residual": lambda new, old: old + new,
                       "zoneout": lambda new, old: 0.25 * old + 0.75 * new,
                       "scaled": lambda new, old: 0.5 * new}[change]
        self.made: list[tuple[torch.Tensor, ...]] = []
        self.begins: list[tuple[torch.Tensor, ...]] = []

    def _normed(self, new: torch.Tensor, old: torch.Tensor) -> torch.Tensor:
        return self.norm(new)

    def forward(self, read: torch.Tensor) -> torch.Tensor:
        kept = tuple(read.new_zeros(1, 4) for _ in range(2 if isinstance(self.cell, nn.LSTMCell) else 1))
        self.made, self.begins, answers = [], [], []
        for step in range(read.shape[1]):
            self.begins.append(kept)
            new = self.cell(read[:, step], kept if len(kept) > 1 else kept[0])
            self.made.append(new if len(kept) > 1 else (new,))
            answers.append(self.out(self.made[-1][0]))
            kept = tuple(map(self.change, self.made[-1], kept))
        return torch.stack(answers, 1)


@pytest.mark.parametrize(("kind", "change"), [("lstm", "norm"), ("gru", "residual"), ("rnn", "norm"),
                                              ("lstm", "zoneout"), ("gru", "scaled")])
def test_a_state_that_is_changed_between_the_steps_is_read_as_changed(kind: str, change: str) -> None:
    """h₋ is what a step read, all lines add up, and what comes back is split as autograd splits it."""
    torch.manual_seed(5)
    model, read = Between(kind, change).eval(), torch.randn(1, 4, 3)
    trace = visualizer.capture(model, read, target=[0, 2, 1, 0])
    (chain,) = chains(trace)
    shown = reading(chain.trace, chain.name)
    model.double()
    loss = torch.nn.functional.cross_entropy(model(read.double())[0], torch.tensor([0, 2, 1, 0]))
    made = forward(chain.trace, shown).arrays
    back = backward(chain.trace, shown)
    assert back is not None
    assert back.error < 1e-5
    for which, state in enumerate(("hidden", "cell")[:len(model.made[0])]):
        begins = torch.cat([one[which] for one in model.begins]).detach().numpy()
        assert np.abs(made[f"{state}_before"] - begins).max() < 1e-6
        whole = torch.autograd.grad(loss, [one[which] for one in model.made], retain_graph=True, allow_unused=True,
                                    materialize_grads=True)
        assert np.abs(shown.layer.inner_gradients[state] - torch.cat(whole).numpy()).max() < 1e-6
    answers = [torch.autograd.grad(-model.out(one[0]).log_softmax(1)[0, aim] / 4, one[0], retain_graph=True)[0]
               for one, aim in zip(model.made, (0, 2, 1, 0), strict=True)]
    assert np.abs(back.arrays["own"] - torch.cat(answers).numpy()).max() < 1e-6
    weights = {name: one.detach().numpy() for name, one in model.cell.named_parameters()}
    known = {key: np.asarray(values, np.float64) for key, values in shown.layer.inner.items()}
    before = torch.cat([one[0] for one in model.begins]).detach().numpy()
    for block, key in enumerate(ROWS[kind]):
        at = slice(4 * block, 4 * block + 4)
        of_state, bias = before @ weights["weight_hh"][at].T, weights["bias_ih"][at] + weights["bias_hh"][at]
        if key == "new":
            of_state, bias = known["reset"] * (of_state + weights["bias_hh"][at]), weights["bias_ih"][at]
        known[f"{key}.read"] = read.double().numpy()[0] @ weights["weight_ih"][at].T
        known[f"{key}.state"], known[f"{key}.bias"] = of_state, np.tile(bias, (4, 1))
    for step in range(4):
        for key, _ in tabs(shown):
            lines_add_up(chain.trace, shown, key, step, known)


def test_views_name_what_stands_between_the_steps() -> None:
    model, read, target = NETWORKS["cells_lstm_layer_norm_between"]()
    trace = visualizer.capture(model, read, target)
    times = timeline(trace)
    texts = {name: [text_of(mark) for mark in picture(find(name), trace, times.find("cell#3.forward"), None, Look())
                    if isinstance(mark, Text)] for name in ("unrolled", "cell", "diagram")}
    assert "norm between" in texts["unrolled"]
    assert any("between the steps the state goes through norm" in words for words in texts["cell"])
    assert any("h′2" in words for words in texts["diagram"])
    assert not any(find(name).suits(trace) for name in ("bptt", "jacobian"))


def text_of(mark: Text) -> str:
    return "".join(run.text for run in mark.runs)


@pytest.mark.parametrize("name", ["decoder_gru_one_step_a_call", "decoder_lstm_two_levels_one_step_a_call",
                                  "decoder_gru_one_hot"])
def test_a_decoder_names_its_steps_by_the_words_that_it_read(name: str) -> None:
    model, read, target = NETWORKS[name]()
    trace = visualizer.capture(model, read, target, **NETWORKS[name].capture)
    chosen = [int(layer.output.item()) for layer in trace.layers if layer.kind == "argmax"]
    first = 2 if name.startswith("decoder_lstm") else 0
    read_words = tuple(trace.labels[number] for number in (first, *chosen[:-1]))
    for chain in chains(trace):
        shown = reading(chain.trace, chain.name)
        assert shown.words == read_words
        assert f"“{read_words[1]}”" in find("gates").draw(
            trace, timeline(trace).find("argmax.forward"), Focus(chain.calls[1]), Look()).caption
        back = backward(chain.trace, shown)
        assert back is not None
        assert back.error < 1e-5
    model, read, target = NETWORKS[name]()
    unnamed = visualizer.capture(model, read, target)
    assert reading(chains(unnamed)[0].trace, chains(unnamed)[0].name).words == tuple(
        str(step + 1) for step in range(len(read_words)))


def test_a_word_that_was_given_is_the_one_of_the_sample() -> None:
    model, read, target = NETWORKS["decoder_encoder_argmax"]()
    sample = Sample("text", steps=tuple("vwxyz"))
    trace = visualizer.capture(model, read, target, labels=tuple("abcdefg"), sample=sample)
    (chain,) = chains(trace)
    chosen = ["abcdefg"[int(trace[name].output.item())] for name in ("argmax", "argmax#2")]
    assert reading(chain.trace, chain.name).words == ("z", *chosen)
