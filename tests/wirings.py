"""Recurrent layers in every wiring that torch allows: kind × levels × directions × projection × layout × state × bias.

`make` is a network around one, and `derived` are its gates and states, made anew from its weights in float64.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

UNITS, READ, STEPS = 5, 3, 4


@dataclass(frozen=True)
class Wiring:
    """One setting of everything; `cells` says that the model steps by itself."""

    kind: str
    levels: int = 1
    both: bool = False
    projected: int = 0
    layout: str = "batch_first"
    """`batch_first`, `time_first` or `unbatched`."""
    state: str = "zero"
    """`zero`, `learned` or `read`."""
    bias: bool = True
    cells: bool = False

    def __str__(self) -> str:
        said = (self.kind, f"{self.levels}" if self.levels > 1 else "", "both" if self.both else "",
                "projected" if self.projected else "", self.layout, self.state, "" if self.bias else "no_bias",
                "cells" if self.cells else "")
        return "-".join(part for part in said if part)

    def make(self, seed: int = 0) -> tuple[nn.Module, tuple[Tensor, ...]]:
        """A model that answers three numbers, and what it reads."""
        torch.manual_seed(seed)
        model = (Stepping if self.cells else Fused)(self).eval()
        shape = {"batch_first": (1, STEPS, READ), "time_first": (STEPS, 1, READ), "unbatched": (STEPS, READ)}
        read = [torch.randn(shape[self.layout])]
        return model, (*read, torch.randn(1, 2)) if self.state == "read" else tuple(read)


class Starts(nn.Module):
    """What a layer starts from: as many states as it keeps, learned or made by a layer from the second input."""

    def __init__(self, one: Wiring, count: int) -> None:
        super().__init__()
        self.widths = [one.projected or UNITS, *([UNITS] if one.kind == "lstm" else [])]
        self.count = count
        if one.state == "learned":
            self.learned = nn.ParameterList([torch.randn(count, 1, width) for width in self.widths])
        elif one.state == "read":
            self.made = nn.ModuleList([nn.Linear(2, count * width) for width in self.widths])

    def forward(self, given: Tensor | None) -> list[Tensor] | None:
        """(count, 1, width) each."""
        if hasattr(self, "learned"):
            return list(self.learned)
        if given is None:
            return None
        return [torch.tanh(one(given)).view(self.count, 1, -1) for one in self.made]


class Fused(nn.Module):
    """One call for all steps."""

    def __init__(self, one: Wiring) -> None:
        super().__init__()
        self.one = one
        settings: dict[str, Any] = {"num_layers": one.levels, "bidirectional": one.both, "bias": one.bias,
                                    "batch_first": one.layout == "batch_first"}
        if one.projected:
            settings["proj_size"] = one.projected
        self.starts = Starts(one, one.levels * (1 + one.both))
        self.layer = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[one.kind](READ, UNITS, **settings)
        self.out = nn.Linear((one.projected or UNITS) * (1 + one.both), 3)

    def forward(self, read: Tensor, given: Tensor | None = None) -> Any:
        states = self.starts(given)
        if states is not None and self.one.layout == "unbatched":
            states = [state[:, 0] for state in states]
        hx = None if states is None else tuple(states) if self.one.kind == "lstm" else states[0]
        made = self.layer(read, hx)[0]
        return self.out(made[:, -1] if self.one.layout == "batch_first" else made[-1])


class Stepping(nn.Module):
    """A loop over cells, one above the other."""

    def __init__(self, one: Wiring) -> None:
        super().__init__()
        self.one = one
        cell = {"lstm": nn.LSTMCell, "gru": nn.GRUCell, "rnn": nn.RNNCell}[one.kind]
        self.starts = Starts(one, one.levels)
        self.cells = nn.ModuleList([cell(UNITS if level else READ, UNITS, bias=one.bias)
                                    for level in range(one.levels)])
        self.out = nn.Linear(UNITS, 3)

    def forward(self, read: Tensor, given: Tensor | None = None) -> Any:
        starts, batched = self.starts(given), self.one.layout != "unbatched"
        kept: list[Any] = [None] * len(self.cells)
        if starts is not None:
            for level in range(len(self.cells)):
                one = [state[level] if batched else state[level, 0] for state in starts]
                kept[level] = tuple(one) if self.one.kind == "lstm" else one[0]
        for step in range(STEPS):
            x = read[:, step] if self.one.layout == "batch_first" else read[step]
            for level, cell in enumerate(self.cells):
                kept[level] = cell(x, kept[level])
                x = kept[level][0] if self.one.kind == "lstm" else kept[level]
        return self.out(x)


def every() -> Iterator[Wiring]:
    """All of them: what torch does not allow is left out."""
    for kind, levels, both, projected, layout, state, bias, cells in product(
            ("lstm", "gru", "rnn"), (1, 2), (False, True), (0, 2), ("batch_first", "time_first", "unbatched"),
            ("zero", "learned", "read"), (True, False), (False, True)):
        if (projected and (kind != "lstm" or cells)) or (cells and both):
            continue
        yield Wiring(kind, levels, both, projected, layout, state, bias, cells)


# --- the oracle: torch's equations, from the weights, step by step ----------------------------------------------------

Values = NDArray[np.float64]
ROWS = {"lstm": ("input", "forget", "candidate", "output_gate"), "gru": ("reset", "update", "new"),
        "rnn": ("preactivation",)}
"""Blocks of rows in the order of torch's documentation."""


def derived(one: Wiring, model: Any, inputs: tuple[Tensor, ...]) -> list[dict[str, Values]]:
    """Of each level and direction, forward before reverse, (step, unit) each: gates and states, and of each gate
    `forget.read` W x, `forget.state` U h₋ (of a GRU's candidate r ⊙ (U h₋ + b)) and `forget.bias`."""
    read = inputs[0].double().numpy().reshape(STEPS, READ)
    with torch.no_grad():
        starts = model.starts(inputs[1] if len(inputs) > 1 else None)
    widths = [one.projected or UNITS, *([UNITS] if one.kind == "lstm" else [])]
    count = one.levels * (1 + one.both)
    states = [np.zeros((count, width)) for width in widths] if starts is None else \
        [state.detach().double().numpy().reshape(count, -1) for state in starts]
    found: list[dict[str, Values]] = []
    for level in range(one.levels):
        sides = []
        for side in range(1 + one.both):
            place = level * (1 + one.both) + side
            made = _direction(one, _weights(model, level, side), read, [state[place] for state in states], bool(side))
            found.append(made)
            sides.append(made["hidden"])
        read = np.concatenate(sides, axis=1)
    return found


def _weights(model: Any, level: int, side: int) -> dict[str, Values]:
    cell = model.cells[level] if hasattr(model, "cells") else model.layer
    suffix = "" if hasattr(model, "cells") else f"_l{level}{'_reverse' * side}"
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
    return {name: getattr(cell, name + suffix).detach().double().numpy() for name in names
            if isinstance(getattr(cell, name + suffix, None), Tensor)}


def _direction(one: Wiring, weights: dict[str, Values], read: Values, states: list[Values], back: bool
               ) -> dict[str, Values]:
    steps: dict[int, dict[str, Values]] = {}
    none = np.zeros(len(weights["weight_hh"]))
    for step in reversed(range(len(read))) if back else range(len(read)):
        here: dict[str, Values] = {"hidden_before": states[0]}
        parts = zip(ROWS[one.kind], *(np.split(part, len(ROWS[one.kind])) for part in (
            weights["weight_ih"] @ read[step], weights["weight_hh"] @ states[0], weights.get("bias_ih", none),
            weights.get("bias_hh", none))), strict=True)
        for key, of_read, of_state, bias, bias_state in parts:
            if key == "new":
                of_state, bias_state = here["reset"] * (of_state + bias_state), 0.0 * bias_state
            here |= {f"{key}.read": of_read, f"{key}.state": of_state, f"{key}.bias": bias + bias_state}
            total = of_read + of_state + bias + bias_state
            here[key] = total if key == "preactivation" else np.tanh(total) if key in ("candidate", "new") else \
                1 / (1 + np.exp(-total))
        if one.kind == "lstm":
            cell = here["forget"] * states[1] + here["input"] * here["candidate"]
            shown = here["output_gate"] * np.tanh(cell)
            here |= {"cell_before": states[1], "cell": cell, "shown": shown,
                     "hidden": weights["weight_hr"] @ shown if "weight_hr" in weights else shown}
        elif one.kind == "gru":
            here["hidden"] = (1 - here["update"]) * here["new"] + here["update"] * states[0]
        else:
            here["hidden"] = np.tanh(here["preactivation"])
        states = [here["hidden"], *([here["cell"]] if "cell" in here else [])]
        steps[step] = here
    return {key: np.stack([steps[step][key] for step in range(len(read))]) for key in steps[0]}
