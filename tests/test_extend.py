"""Reading on while somebody types: the same numbers as reading all anew, and reading all anew where that is needed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.close import assert_close
from visualizer.record import extend as reading
from visualizer.record import open_model, record
from visualizer.record.catalog import Opened
from visualizer.record.edits import opened_with
from visualizer.record.extend import extend, resumable
from visualizer.trace import Refused, Trace

torch.set_num_threads(1)
NAMES = ("char_gru", "char_lstm", "char_rnn", "sentiment_gru", "surname_gru")
MODELS = {name: open_model(name) for name in NAMES}
PRECISE = {name: open_model(name) for name in NAMES}
for model in PRECISE.values():
    model.module.double()
TERMS = 1000
"""torch adds up one row of a matrix product, some 200 terms, in another order than many; a network carries that on for
a few steps."""
TYPED = {"char": ("But soft!", "But soft! what light through yonder window breaks?"),
         "sentiment": ("a well made film", "a well made film that never bores, but what of it"),
         "surname": ("Mont", "Montgomery")}


def texts(name: str) -> tuple[str, str]:
    return TYPED[name.partition("_")[0]]


def assert_same(one: Trace, other: Trace) -> None:
    """Everything but the last bits of the numbers, and how far the module was from its own steps."""
    assert [layer.name for layer in one] == [layer.name for layer in other]
    for a, b in zip(one, other, strict=True):
        assert (a.kind, a.axes, a.reads, a.why, a.gradient) == (b.kind, b.axes, b.reads, b.why, b.gradient)
        assert _plain(a.settings) == _plain(b.settings)
        assert a.inner.keys() == b.inner.keys()
        for found, wanted in ((a.output, b.output), *((a.inner[key], b.inner[key]) for key in a.inner)):
            assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
            assert_close(found, wanted, TERMS, max(1.0, float(np.abs(wanted).max())), one.dtype)
        for key in a.weights:
            assert np.array_equal(a.weights[key], b.weights[key])
    for field in ("model", "title", "sample", "objective", "labels", "dtype", "seed", "versions", "hashes", "facts",
                  "notes"):
        assert getattr(one, field) == getattr(other, field), field


def _plain(settings: Any) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if not key.startswith("module_")}


class StepInputs:
    """How many steps were really run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.steps: list[int] = []
        honest = reading.capture

        def counted(model: nn.Module, x: Tensor, *given: Any, **settings: Any) -> Trace:
            self.steps.append(x.shape[1])
            return honest(model, x, *given, **settings)

        monkeypatch.setattr(reading, "capture", counted)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> StepInputs:
    return StepInputs(monkeypatch)


@pytest.mark.parametrize("models", [MODELS, PRECISE], ids=["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_reading_on_gives_the_numbers_of_reading_all(name: str, models: dict[str, Opened], read: StepInputs) -> None:
    begun, whole = texts(name)
    before = record(models[name], begun)
    grown = extend(models[name], before, whole)
    assert read.steps == [len(grown.sample.steps) - len(before.sample.steps)]
    assert_same(grown, record(models[name], whole, objective="none"))
    assert grown.check().passed
    assert not grown.check().unverified
    assert not grown.has_backward


@pytest.mark.parametrize("models", [MODELS, PRECISE], ids=["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_symbol_by_symbol_it_stays_the_same(name: str, models: dict[str, Opened], read: StepInputs) -> None:
    """Each extends what the one before has made, and nothing drifts."""
    begun, whole = texts(name)
    grown = record(models[name], begun)
    for end in range(len(begun) + 1, len(whole) + 1):
        grown = extend(models[name], grown, whole[:end])
    assert set(read.steps) == {1}
    assert_same(grown, record(models[name], whole, objective="none"))


def test_a_change_in_the_midst_is_read_from_there_on(read: StepInputs) -> None:
    model = MODELS["char_lstm"]
    before = record(model, "to be or not to be")
    for text, steps in (("to be or nor to be", 7), ("to be or", 1), ("to be or not to be", 1), ("to beware", 4)):
        assert_same(extend(model, before, text), record(model, text, objective="none"))
        assert read.steps.pop() == steps
    assert_same(extend(model, before, "that is"), record(model, "that is", objective="none"))
    assert_same(extend(model, None, "that is"), record(model, "that is", objective="none"))
    assert read.steps == []


def test_with_a_unit_off_it_is_read_on_as_it_is_read_whole(read: StepInputs) -> None:
    model = opened_with("char_lstm", ("unit_off:lstm:3",))
    before = record(model, "to be or not")
    grown = extend(model, before, "to be or not to be", ("unit_off:lstm:3",))
    assert read.steps == [6]
    assert_same(grown, record("char_lstm", "to be or not to be", objective="none", edits=("unit_off:lstm:3",)))
    assert not grown["lstm"].output[:, 3].any()
    assert grown.check().passed


def test_what_is_done_to_an_input_is_refused_for_a_text_as_ever(read: StepInputs) -> None:
    model = MODELS["char_lstm"]
    with pytest.raises(Refused, match="shift"):
        extend(model, record(model, "to be or not"), "to be or not to be", ("shift:1",))


def test_the_model_is_left_as_it_was() -> None:
    model = MODELS["char_lstm"]
    before = record(model, "to be or not")
    extend(model, before, "to be or not to be")
    assert not any(module._forward_pre_hooks for module in model.module.modules())
    assert record(model, "to be or not").digest == before.digest


def test_what_cannot_be_read_is_refused_as_ever() -> None:
    before = record(MODELS["char_lstm"], "to be or not")
    for typed, words in (("to be or not#", "not know '#'"), ("text:", "at least one"), ("digit-3", "is a picture")):
        with pytest.raises(Refused, match=words):
            extend(MODELS["char_lstm"], before, typed)


# --- where all must be read anew ------------------------------------------------------------------------------------

class Net(nn.Module):
    """Characters to logits, in a way that is asked for."""

    def __init__(self, way: str) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            self.way = way
            self.embedding = nn.Embedding(26, 4)
            self.before = nn.Conv1d(4, 4, 3, padding=1)
            self.lstm = nn.LSTM(4, 5, 2, batch_first=True, bidirectional=way == "both")
            self.fc = nn.Linear(10 if way == "both" else 5, 3)
            self.start = nn.Parameter(torch.randn(2, 1, 5))

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embedding(ids)
        if self.way == "conv":
            x = self.before(x.transpose(1, 2)).transpose(1, 2)
        if self.way == "positions":
            x = x + torch.arange(ids.shape[1])[:, None]
        hidden, _ = self.lstm(x, (self.start, self.start)) if self.way == "start" else self.lstm(x)
        if self.way == "mean":
            return self.fc(hidden.mean(1))
        return self.fc(hidden[:, -1] if self.way == "last" else hidden)


def opened(way: str) -> Opened:
    return Opened(way, way, Net(way).eval(), {"input": {"kind": "text", "shape": [None]}}, ("a", "b", "c"),
                  lambda text: torch.tensor([[ord(symbol) - ord("a") for symbol in text]]))


@pytest.mark.parametrize(("way", "steps"), [("plain", [3]), ("last", [3]), ("both", []), ("conv", []), ("mean", []),
                                            ("positions", []), ("start", [])])
def test_only_what_a_state_can_carry_is_read_on(way: str, steps: list[int], read: StepInputs) -> None:
    model = opened(way)
    before = record(model, "abcde", objective="none")
    assert resumable(before) == bool(steps)
    grown = extend(model, before, "abcdexyz")
    assert read.steps == steps
    assert_same(grown, record(model, "abcdexyz", objective="none"))


def test_weights_that_have_changed_are_not_mixed_with_older_ones() -> None:
    model = opened("plain")
    before = record(model, "abcde", objective="none")
    with torch.no_grad():
        model.module.fc.bias.add_(1)
    assert_same(extend(model, before, "abcdexyz"), record(model, "abcdexyz", objective="none"))
