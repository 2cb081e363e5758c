"""What it costs to know how large the gradient is everywhere: the pass once more in float64, and every size kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

from tests.benchmarks import Measured, Row
from visualizer import record
from visualizer.record.studies import Pass, measure

MODELS = (("digits_cnn", "digit-2148", 8), ("rows_gru", "digit-2148", 4), ("char_lstm", "wherefore art thou", 4))


def sizes() -> Iterator[Row]:
    """The study of the gradient's size against a plain forward and backward pass in float64."""
    for model, sample, repeat in MODELS:
        again = record.pass_of(model, sample)
        yield Row(f"{again.trace.title}: the gradient everywhere in float64", _study(again, "flow"), _plain(again),
                  "a plain forward and backward pass in float64", 8.0, repeat=repeat)


def step_by_step() -> Iterator[Row]:
    """The split by the loss that it came from, for all steps, against that many plain backward passes."""
    again = record.pass_of("char_lstm", "wherefore art thou")
    steps = len(again.trace["lstm"].output)
    yield Row(f"{again.trace.title}: {steps} losses told apart", _study(again, "bptt"), _plain(again, steps),
              f"{steps} plain forward and backward passes in float64", 2.0, repeat=2)


def _study(again: Pass, name: str) -> Measured:
    def run() -> None:
        for _ in measure(name, again):
            pass

    return run


def _plain(again: Pass, times: int = 1) -> Measured:
    import copy

    model, (x,) = copy.deepcopy(again.model).double(), again.inputs
    x = x.double() if x.is_floating_point() else x
    loss: Callable[..., Any] = nn.functional.cross_entropy

    def run() -> None:
        for _ in range(times):
            answer = model(x)
            scores = answer.reshape(-1, answer.shape[-1])
            model.zero_grad()
            loss(scores, torch.zeros(len(scores), dtype=torch.long)).backward()

    return run
