"""How large gradients, weights and values of a recording are, layer by layer and step by step, in float64."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from visualizer import kinds
from visualizer.kinds import _steps
from visualizer.size import norm, spectral
from visualizer.trace import Array, Arrays, Layer, Trace

MOST_SQUARE = 1024
"""Largest singular values are computed of matrices with no more rows or columns than this."""


def sizes_of(trace: Trace) -> Arrays:
    """`gradient`, `weight_gradient`, `weight`, `spread`, `stretch`: one number a layer, NaN where there is none; and
    `flowed`, whether gradient came to it at all.

    These are ‖dL/dh‖, ‖dL/dW‖ and ‖W‖ without biases, the standard deviation of the output, and the largest singular
    value of a matrix W. For each layer with steps and gradient also, step by step and by the name of the layer,
    `NAME/hidden` ‖dL/dh_t‖ and `NAME/cell` ‖dL/dc_t‖ of everything that flowed back, `NAME/entered` the sizes of what
    entered, `NAME/last` and `NAME/last_cell` of what came of it where it entered at one step only, and of an RNN
    `NAME/spectrum`: spectral radius and largest singular value of W_hh.
    """
    found: dict[str, Array] = {
        "gradient": np.array([_gradient(layer) for layer in trace]),
        "flowed": np.array([layer.gradient is not None for layer in trace]),
        "weight_gradient": np.array([_together(layer.weight_gradients) for layer in trace]),
        "weight": np.array([_together(layer.learned) for layer in trace]),
        "spread": np.array([_spread(layer) for layer in trace]),
        "stretch": np.array([_stretch(layer) for layer in trace]),
    }
    for layer in trace:
        if layer.axes == ("step", "unit") and "hidden_direct" in layer.inner_gradients:
            found |= {f"{layer.name}/{key}": array for key, array in _through_time(layer).items()}
    return found


def _through_time(layer: Layer) -> dict[str, Array]:
    """What is kept of one layer with steps; rows at the places where they were read."""
    found = {key: rows(layer.inner_gradients[key]) for key in ("hidden", "cell") if key in layer.inner_gradients}
    found["entered"] = rows(layer.inner_gradients["hidden_direct"])
    if "cell_direct" in layer.inner_gradients:
        found["entered"] = np.hypot(found["entered"], rows(layer.inner_gradients["cell_direct"]))
    if np.count_nonzero(found["entered"]) == 1:  # then all is from there
        found |= {last: found[key] for key, last in (("hidden", "last"), ("cell", "last_cell")) if key in found}
    if not _steps.family(layer).kept[0]:
        found["spectrum"] = spectrum(layer)
    return found


def spectrum(layer: Layer) -> Array:
    """Spectral radius and largest singular value of W_hh; NaN where a weight is none."""
    matrix = np.asarray(layer.weights["weight_hh"], np.float64)
    if not np.isfinite(matrix).all():
        return np.full(2, np.nan)
    return np.array([np.abs(np.linalg.eigvals(matrix)).max(), spectral(matrix)])


def rows(array: Array) -> Array:
    """The size of every row."""
    return np.array([norm(row) for row in array])


def _gradient(layer: Layer) -> float:
    return np.nan if layer.gradient is None else norm(layer.gradient)


def _together(arrays: Mapping[str, Any]) -> float:
    """The size of several arrays as one, without biases."""
    parts = [norm(array) for name, array in arrays.items() if "bias" not in name and not name.startswith("initial")]
    return norm(parts) if parts else np.nan


def _spread(layer: Layer) -> float:
    values = np.asarray(layer.output)
    return float(np.std(values, dtype=np.float64)) if values.size > 1 and values.dtype.kind == "f" else np.nan


def _stretch(layer: Layer) -> float:
    matrix = layer.weights.get("weight")
    dense = kinds.role(layer) == "weighted" and matrix is not None and matrix.ndim == 2
    if matrix is None or not dense or max(matrix.shape) > MOST_SQUARE or not np.isfinite(matrix).all():
        return np.nan
    return spectral(matrix)
