"""Quantities of a training, worked out from the arrays of its study with numpy alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.quantities import quantity
from visualizer.trace import Trace


def _held(trace: Trace) -> Any:
    return trace.studies["training"]


@quantity("mean gate bias")
def mean_gate_bias(trace: Trace, said: Any) -> float:
    """The mean over the units of b_ih + b_hh of one of several gates."""
    checkpoint, gate, gates = said.cell
    both = [np.asarray(_held(trace)[f"weights/{said.layer}.bias_{side}_l0"][checkpoint], np.float64)
            for side in ("ih", "hh")]
    return float(np.split(both[0] + both[1], gates)[gate].mean())


quantity("step of weights")(lambda trace, said: float(
    _held(trace)["moved"][said.cell] / _held(trace)["weights"][said.cell]))


@quantity("way of weights")
def way_of_weights(trace: Trace, said: Any) -> float:
    """‖W − W at first‖ / ‖W at first‖ of a layer, all its weights together."""
    arrays = [np.asarray(array, np.float64) for name, array in _held(trace).items()
              if name.startswith(f"weights/{said.layer}.")]
    squares = [sum(float(((array[at] - minus) ** 2).sum()) for array, minus in pairs) for at, pairs in (
        (said.cell[0], [(array, array[0]) for array in arrays]), (0, [(array, 0.0) for array in arrays]))]
    return float(np.sqrt(squares[0] / squares[1]))
