"""Networks whose gradients are known otherwise: towers of layers, and readers that can be stepped by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from visualizer import record
from visualizer.record.studies import Pass
from visualizer.trace import Arrays, Trace

UNITS = 6


def given(model: nn.Module, x: Tensor, target: Any = None, **known: Any) -> Pass:
    """A recorded pass of a caller's own model."""
    trace = record.capture(model, x, target, name=known.pop("name", "toy"), **known)
    return Pass(trace, model, (x,), target)


def measured(again: Pass, *studies: str) -> Arrays:
    """The arrays of one study."""
    return record.with_study(again, *studies).studies[studies[0]]


def with_studies(again: Pass, *studies: str) -> Trace:
    return record.with_study(again, *studies)


def tower(kind: type[nn.Module], depth: int, width: int = 16, seed: int = 0) -> tuple[nn.Sequential, Pass]:
    """Linear layers and nonlinearities in turn, three classes at the end."""
    torch.manual_seed(seed)
    model = nn.Sequential()
    for index in range(depth):
        model.add_module(f"fc{index + 1}", nn.Linear(width, width))
        model.add_module(f"act{index + 1}", kind())
    model.add_module("out", nn.Linear(width, 3))
    model.eval()
    return model, given(model, torch.randn(1, width), target=1, labels=("a", "b", "c"), name="tower", title="Tower")


class SigmoidTower(nn.Module):
    """So many sigmoids that float32 has nothing left at the first layer."""

    first = "layers.0"

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(32, 32) for _ in range(depth))
        self.out = nn.Linear(32, 3)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x).sigmoid()
        answer: Tensor = self.out(x)
        return answer


class Residual(nn.Module):
    """Convolutions with skips and batch norm, like a small ResNet."""

    def __init__(self, blocks: int = 3) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.convs = nn.ModuleList(nn.Conv2d(4, 4, 3, padding=1) for _ in range(blocks))
        self.norms = nn.ModuleList(nn.BatchNorm2d(4) for _ in range(blocks))
        self.pool, self.out = nn.AdaptiveAvgPool2d(1), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).relu()
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = (x + norm(conv(x))).relu()
        answer: Tensor = self.out(self.pool(x).flatten(1))
        return answer


def residual(blocks: int = 3) -> Pass:
    torch.manual_seed(5)
    return given(Residual(blocks).eval(), torch.randn(1, 1, 8, 8), target=2, labels=("a", "b", "c"), name="residual",
                 title="Residual")


class Steps(nn.Module):
    """A recurrent layer and an answer at every step; the same can be made by hand, one step after the other."""

    def __init__(self, cell: str, both: bool = False) -> None:
        super().__init__()
        self.rnn = {"RNN": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}[cell](3, UNITS, batch_first=True, bidirectional=both)
        self.fc = nn.Linear(UNITS * (1 + both), 3)

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.fc(self.rnn(x)[0])
        return answer

    @classmethod
    def example(cls, cell: str, steps: int = 9, seed: int = 2) -> tuple[Steps, Pass, list[int]]:
        torch.manual_seed(seed)
        model = cls(cell).eval()
        aims = [step % 3 for step in range(steps)]
        return model, given(model, torch.randn(1, steps, 3), target=aims, labels=("a", "b", "c"), name="steps",
                            title="Steps"), aims

    # --- the same under autograd, step by step ---

    def step(self, x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """One step of the same equations, by torch's cell."""
        kind = type(self.rnn).__name__
        call = {"RNN": torch.rnn_tanh_cell, "GRU": torch.gru_cell, "LSTM": torch.lstm_cell}[kind]
        weights = (self.rnn.weight_ih_l0, self.rnn.weight_hh_l0, self.rnn.bias_ih_l0, self.rnn.bias_hh_l0)
        made = call(x, state if kind == "LSTM" else state[0], *weights)  # type: ignore[operator, arg-type]
        return tuple(made) if kind == "LSTM" else (made,)

    def start(self, dtype: torch.dtype = torch.float64) -> tuple[Tensor, ...]:
        return (torch.zeros(1, UNITS, dtype=dtype),) * (2 if isinstance(self.rnn, nn.LSTM) else 1)

    def by_hand(self, x: Tensor, aims: Sequence[int], weight: int = 1) -> tuple[list[float], list[float]]:
        """∥dL/dh_t∥ and ∥dL/dc_t∥ of the mean over the steps whose aim is known, divided by `weight`."""
        state, kept, answers = self.start(), [], []
        for step in range(x.shape[1]):
            state = self.step(x[:, step], state)
            for part in state:
                part.retain_grad()
            kept.append(state)
            answers.append(self.fc(state[0]))
        loss = nn.functional.cross_entropy(torch.cat(answers), torch.tensor(list(aims)), ignore_index=-100) / weight
        self.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        sizes = [[0.0 if part.grad is None else float(part.grad.norm()) for part in state] for state in kept]
        return [one[0] for one in sizes], [one[-1] for one in sizes]

    def cut(self, x: Tensor, aims: Sequence[int], window: int) -> Tensor:
        """dL/dW_hh where each loss goes back through so many steps, because the state before them is detached."""
        self.zero_grad()
        total = torch.zeros_like(self.rnn.weight_hh_l0)  # type: ignore[call-overload]
        states = [self.start()]
        for step in range(x.shape[1]):
            states.append(self.step(x[:, step], states[-1]))
        for origin, aim in enumerate(aims):
            state = tuple(part.detach() for part in states[max(0, origin + 1 - window)])
            for step in range(max(0, origin + 1 - window), origin + 1):
                state = self.step(x[:, step], state)
            loss = nn.functional.cross_entropy(self.fc(state[0]), torch.tensor([aim])) / len(aims)
            total += torch.autograd.grad(loss, self.rnn.weight_hh_l0)[0]  # type: ignore[arg-type]
        return total

    def derivative(self, x: Tensor) -> np.ndarray[Any, Any]:
        """∂(state after all steps) / ∂(state before the first)."""
        def run(flat: Tensor) -> Tensor:
            state = tuple(part[None] for part in flat.split(UNITS))
            for step in range(x.shape[1]):
                state = self.step(x[:, step], state)
            return torch.cat([part[0] for part in state])

        start = torch.cat([part[0] for part in self.start()])
        found = torch.autograd.functional.jacobian(run, start)  # type: ignore[no-untyped-call]
        array: np.ndarray[Any, Any] = found.detach().numpy()
        return array


class Cut(nn.Module):
    """Half of what it reads is detached from the graph."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.out = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.out(self.one(x).relu() + self.two(x).detach())
        return answer


class Bursting(nn.Module):
    """Every layer hands its gradient back 10³⁰ times as large, while its values stay as they are: after eleven of them
    the gradient is beyond the range of float64."""

    def __init__(self, depth: int = 12) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(2, 2, bias=False) for _ in range(depth))
        self.out = nn.Linear(2, 3)
        with torch.no_grad():
            for layer in self.layers:
                layer.weight.copy_(torch.eye(2))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            large = layer(x) * 1e30
            x = large + (x - large).detach()
        answer: Tensor = self.out(x)
        return answer
