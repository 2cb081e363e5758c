"""Modules that run what a file says is done in them, one step after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from torch import nn


class Runs(Protocol):
    """One run of a graph."""

    def every(self, steps: Sequence[Any]) -> None:
        """One step after the other."""


class Inside(nn.Module):
    """One of the modules; it does what the file says is done in it."""

    called = ""
    """The class that it had."""

    def forward(self, run: Runs, steps: Sequence[Any]) -> None:
        run.every(steps)


class LSTM(nn.LSTM):
    forward = Inside.forward  # type: ignore[assignment]


class GRU(nn.GRU):
    forward = Inside.forward  # type: ignore[assignment]


class RNN(nn.RNN):
    forward = Inside.forward  # type: ignore[assignment]


LAYERS: Mapping[str, Any] = {"LSTM": LSTM, "GRU": GRU, "RNN": RNN}
GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


def sized(layer: nn.RNNBase) -> None:
    """Let a recurrent layer know its weights, and say the sizes that they have."""
    weights = [layer._parameters[each] for each in layer._flat_weights_names]
    shapes = {name: tuple(weight.shape) for name, weight in layer._parameters.items() if weight is not None}
    layer._flat_weights = weights
    layer.input_size, layer.hidden_size = shapes["weight_ih_l0"][1], shapes["weight_ih_l0"][0] // GATES[layer.mode]
    layer.proj_size = shapes["weight_hr_l0"][0] if layer.proj_size else 0
