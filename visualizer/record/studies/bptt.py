"""Back-propagation through time, item by item: the part of each step in the gradient of W_hh, and of each loss in the
gradient that arrives at a step; in float64."""

from __future__ import annotations

import numpy as np

from visualizer.kinds.sizes import rows
from visualizer.record import origins
from visualizer.record.studies import Pass, Study, Work
from visualizer.record.studies.flow import in_float64
from visualizer.size import norm
from visualizer.trace import Array, Layer

CORNER = 16
"""So many rows and columns of W_hh are kept as a tile of each step."""
WINDOWS = (1, 2, 5, 10, 20, 50)
"""Truncated back-propagation lets a loss reach so many steps, its own among them."""


def run(again: Pass) -> Work:
    """For each layer with steps, by its name: `NAME/norms` ‖G_t‖ and `NAME/corner` (step, row, column) of G_t; `NAME/
    total` ‖Σ G_t‖ and `NAME/error`, how far Σ G_t lies from autograd's gradient of W_hh, relative to that; `NAME/from`
    (origin, step) ‖∂L_origin/∂h_t‖; `NAME/kept` (window, 2): ‖dL/dW_hh‖ and its distance from the whole, each as a
    share of the whole, when gradient goes back through so many steps only."""
    yield 0.0, "again in float64"
    trace = in_float64(again)
    layers = origins.recurrent(trace)
    found: dict[str, Array] = {}
    for number, layer in enumerate(layers):
        try:
            one = origins.again(trace, layer)
        except LookupError:
            continue
        found |= _items(layer, one)
        split, windowed = np.zeros((one.steps, one.steps)), np.zeros((len(WINDOWS),
                                                                      *one.sequence.weights["weight_hh"].shape))
        for origin in one.entered:
            yield (number + origin / one.steps) / len(layers), f"{layer.name}: from step {origin + 1}"
            back = origins.entering_at(one, origin)
            split[origin, :origin + 1] = rows(back.inner["hidden"].numpy())
            windowed += _windows(one, back.at_hidden.numpy(), origin)
        found[f"{layer.name}/from"] = origins.in_order(layer, origins.in_order(layer, split.T).T)
        total = origins.gradients(one, origins.whole(one))["weight_hh"].numpy()
        found[f"{layer.name}/kept"] = np.array([(norm(part),
                                                 norm(total - part)) for part in windowed]) / (norm(total) or 1)
    return found


def _items(layer: Layer, one: origins.Again) -> dict[str, Array]:
    """G_t = dL/d(sum of W_hh h_{t−1}) h_{t−1}ᵀ, what each step adds to dL/dW_hh."""
    back = origins.whole(one)
    sums, before = back.at_hidden.numpy(), one.sequence.before.numpy()
    norms = rows(sums) * rows(before)  # the norm of an outer product is the product of the norms
    corner = sums[:, :CORNER, None] * before[:, None, :CORNER]
    total, autograd = origins.gradients(one, back)["weight_hh"].numpy(), layer.weight_gradients.get("weight_hh")
    error = np.nan if autograd is None else norm(total - autograd) / (norm(autograd) or 1)
    name = layer.name
    return {f"{name}/norms": origins.in_order(layer, norms), f"{name}/corner": origins.in_order(layer, corner),
            f"{name}/total": np.array(norm(total)), f"{name}/error": np.array(error)}


def _windows(one: origins.Again, sums: Array, origin: int) -> Array:
    """(window, row, column): what one loss gives to dL/dW_hh, if it goes back through so many steps only."""
    before, found, until = one.sequence.before.numpy(), [], origin + 1
    part = np.zeros(one.sequence.weights["weight_hh"].shape)
    for window in WINDOWS:
        since = max(0, origin + 1 - window)
        part = part + sums[since:until].T @ before[since:until]
        found.append(part)
        until = since
    return np.stack(found)


STUDY = Study("bptt", "what each step adds to the gradient of the recurrent weights",
              lambda trace: bool(origins.recurrent(trace)), run)
