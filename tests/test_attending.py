"""Attention found in recordings and its view, against loops written out in torch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

import visualizer
from tests.networks import NETWORKS
from visualizer import draw
from visualizer.kinds.attention import attentions
from visualizer.record import pass_of
from visualizer.scene.attending import came_back, come, place_words, step_words
from visualizer.scene.picture import Focus
from visualizer.scene.timeline import timeline
from visualizer.views import find

NUMBER = "number-2508"


@pytest.fixture(scope="module")
def decoded():
    return pass_of("numbers_german", NUMBER)


def by_hand(model, ids):
    """The decoder of the recipe, symbol after symbol and number after number."""
    with torch.no_grad():
        memory, state = model.read(ids)
        last, shares, contexts = torch.full((1, 1), model.begin), [], []
        while len(shares) < model.longest:
            hidden, state = model.decoder(model.target(last), state)
            query = [sum(float(w) * float(h) for w, h in zip(row, hidden[0, 0], strict=True))
                     for row in model.query.weight]
            scores = [sum(q * float(m) for q, m in zip(query, place, strict=True)) / math.sqrt(len(query))
                      for place in memory[0]]
            exps = [math.exp(score - max(scores)) for score in scores]
            row = [each / sum(exps) for each in exps]
            context = [sum(share * float(place[unit]) for share, place in zip(row, memory[0], strict=True))
                       for unit in range(memory.shape[2])]
            mixed = torch.tanh(model.mix(torch.cat([torch.tensor([[context]]), hidden], 2)))
            last = model.fc(mixed).argmax(2)
            shares.append(row)
            contexts.append(context)
            if int(last) == model.end:
                break
    return np.array(shares), np.array(contexts)


def test_shares_and_what_is_added_up_are_those_of_plain_loops(decoded):
    (found,) = attentions(decoded.trace)
    shares, contexts = by_hand(decoded.model, decoded.inputs[0])
    np.testing.assert_allclose(found.weights[0], shares, atol=1e-5)
    np.testing.assert_allclose(np.concatenate(found.contexts), contexts, atol=1e-5)
    assert place_words(decoded.trace, found) == ("two", "thousand", "five", "hundred", "eight")
    assert step_words(decoded.trace, found) == ("zwei", "tausend", "fünf", "hundert", "acht", "(end)")


def test_told_it_is_one_attention_with_all_steps():
    told = pass_of("numbers_german", NUMBER, edits=("told",)).trace
    (found,) = attentions(told)
    assert found.weights.shape == (1, 6, 5)
    (free,) = attentions(pass_of("numbers_german", NUMBER).trace)
    np.testing.assert_allclose(found.weights, free.weights, atol=1e-5)  # it says what it is told


FOUND = {"attention_pooling": (1, 1, 5), "attention_additive": (1, 3, 5), "attention_heads_by_hand": (2, 5, 5),
         "attention_scaled_dot_product_masked": (1, 5, 5), "attention_multihead_across": (2, 3, 5),
         "attention_over_places": (1, 9, 9), "transformer_language_model": (2, 5, 5), "graph_attention": (1, 5, 5),
         "attention_linear": None, "mlp_plain": None}


@pytest.mark.parametrize("name", [name for name in FOUND if name in NETWORKS])
def test_attention_is_found_whatever_it_is_made_of(name):
    model, x, target = NETWORKS[name]()
    trace = visualizer.capture(model, x, target, **NETWORKS[name].capture)
    found = attentions(trace)
    assert bool(found) == (FOUND[name] is not None) == find("attention").suits(trace)
    for each in found:
        assert each.weights.shape == FOUND[name]
        np.testing.assert_allclose(each.weights.sum(2), 1, atol=1e-5)


def test_that_of_torch_s_own_module_is_what_it_hands_out():
    torch.manual_seed(0)
    module, x = nn.MultiheadAttention(8, 2, batch_first=True).eval(), torch.randn(1, 5, 8)
    model = Looks(module)
    _, shares = module(x, x, x, average_attn_weights=False)
    (found,) = attentions(visualizer.capture(model, x))
    np.testing.assert_allclose(found.weights, shares[0].detach().numpy(), atol=1e-6)


class Looks(nn.Module):
    def __init__(self, attention):
        super().__init__()
        self.attention, self.last = attention, nn.Linear(8, 3)

    def forward(self, x):
        return self.last(self.attention(x, x, x)[0].mean(1))


class Einsum(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.last = nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, x, keep=None):
        shares = torch.einsum("bqd,bkd->bqk", self.q(x), x).softmax(-1)
        if keep is not None:
            keep.append(shares)
        return self.last(torch.einsum("bqk,bkd->bqd", shares, x).mean(1))


def test_what_comes_back_to_the_shares_is_that_of_autograd():
    torch.manual_seed(1)
    model, x, kept = Einsum(), torch.randn(1, 4, 8), []
    (found,) = attentions(visualizer.capture(model, x, target=1))
    loss = torch.nn.functional.cross_entropy(model(x, kept), torch.tensor([1]))
    (back,) = torch.autograd.grad(loss, kept)
    np.testing.assert_allclose(found.gradients, back.numpy(), rtol=1e-4, atol=1e-8)


def test_nothing_is_there_before_its_time(decoded):
    trace = decoded.trace
    (found,) = attentions(trace)
    times = timeline(trace)
    for at, rows in (("decoder#3.forward", 2), ("attention#3.forward", 3), ("softmax.forward", 6)):
        moment = times.find(at)
        np.testing.assert_array_equal(come(trace, found, moment), np.arange(6) < rows)
        words = draw(trace, "attention", at)
        shown = {mark.runs[0].text for mark in words if type(mark).__name__ == "Text"}
        assert ("fünf" in shown) == (rows > 3), "the symbol is not said yet where its shares are"
    back = times.find("attention#3.backward")
    np.testing.assert_array_equal(came_back(trace, found, back), np.arange(6) >= 2)


def test_a_row_that_is_looked_at_is_opened_and_the_table_has_every_share(decoded):
    (found,) = attentions(decoded.trace)
    picture = draw(decoded.trace, "attention", "softmax.forward", Focus("attention#2", (0, 3)))
    assert picture.caption.startswith("“tausend” takes 90 %")
    assert picture.table.rows[5][:3] == (2, "tausend", "two")
    np.testing.assert_allclose([row[3] for row in picture.table.rows], found.weights.ravel())
