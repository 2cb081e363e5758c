"""How large the gradient is everywhere, in float64: at every layer, at every weight, and at every step in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from visualizer import kinds
from visualizer.answers import told
from visualizer.kinds import _steps
from visualizer.record import origins
from visualizer.record.studies import Pass, Study, Work
from visualizer.record.tracing import capture
from visualizer.size import norm, spectral
from visualizer.trace import Array, Arrays, Layer, Refused, Trace

MOST_SQUARE = 1024
"""Largest singular values are computed of matrices with no more rows or columns than this."""


def run(again: Pass) -> Work:
    """The pass once more in float64, of which the sizes are kept; `sizes` says which arrays there are."""
    yield 0.0, "again in float64"
    trace = in_float64(again)
    if [layer.name for layer in trace] != [layer.name for layer in again.trace]:
        raise Refused("In float64 the model went another way than in the recording, so the two cannot be compared; "
                      "record it in float64.")
    return dict(sizes(trace))


def in_float64(again: Pass) -> Trace:
    """The same pass in float64: at lags where float32 would have rounded to zero, there is still a number."""
    if again.trace.dtype == "float64":
        return again.trace
    return capture(again.model, again.inputs, again.target, "float64", sample=again.trace.sample,
                   labels=again.trace.labels, objective=again.objective, asks=again.asks, seed=again.trace.seed,
                   answer=told(again.trace))


def sizes(trace: Trace) -> Arrays:
    """`gradient`, `weight_gradient`, `weight`, `spread`, `stretch`: one number a layer, NaN where there is none; and
    `flowed`, whether gradient came to it at all.

    These are ‖dL/dh‖, ‖dL/dW‖ and ‖W‖ without biases, the standard deviation of the output, and the largest singular
    value of a matrix W. For each layer with steps and gradient also, step by step and by the name of the layer,
    `NAME/hidden` ‖dL/dh_t‖ and `NAME/cell` ‖dL/dc_t‖ of everything that flowed back; `NAME/last` and `NAME/last_cell`
    of what entered at the last step that had any, alone; `NAME/entered` the sizes of what entered; and of an RNN
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
    for layer in origins.recurrent(trace):
        found |= {f"{layer.name}/{key}": array for key, array in through_time(trace, layer).items()}
    return found


def through_time(trace: Trace, layer: Layer) -> dict[str, Array]:
    """What `sizes` keeps of one layer with steps; rows at the places where they were read."""
    found = {key: rows(layer.inner_gradients[key]) for key in ("hidden", "cell") if key in layer.inner_gradients}
    found["entered"] = rows(layer.inner_gradients["hidden_direct"])
    if "cell_direct" in layer.inner_gradients:
        found["entered"] = np.hypot(found["entered"], rows(layer.inner_gradients["cell_direct"]))
    try:
        one = origins.again(trace, layer)
    except LookupError:
        return found
    if one.entered:
        back = origins.entering_at(one, one.entered[-1]).inner
        for key, name in (("hidden", "last"), ("cell", "last_cell")):
            if key in back:
                part = np.zeros(one.steps)
                part[:one.entered[-1] + 1] = rows(back[key].numpy())
                found[name] = origins.in_order(layer, part)
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


STUDY = Study("flow", "the size of the gradient everywhere, in float64", lambda trace: trace.has_backward, run)
