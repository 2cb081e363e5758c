"""What a state hands on to later states: singular values of products of step Jacobians, their bounds, and exponents."""

from __future__ import annotations

import numpy as np

from visualizer.kinds import _steps
from visualizer.kinds.jacobian import step_jacobian
from visualizer.kinds.sizes import spectrum
from visualizer.record import origins
from visualizer.record.gradients import largest_singular
from visualizer.record.studies import Pass, Study, Work
from visualizer.record.studies.flow import in_float64
from visualizer.trace import Array


def run(again: Pass) -> Work:
    """For each layer with steps, by its name: `NAME/values` (lag, value) the singular values of ∂s_T/∂s_{T−lag}, of the
    last step back to before the first, largest first, and so from lag 0, the identity; `NAME/norms` (step,) the largest
    singular value of each step's Jacobian; `NAME/bound` one number a step that none of them exceeds, γ σ_max(W_hh), of
    an RNN alone; `NAME/exponents` (value,) the Lyapunov exponents over all steps, largest first; `NAME/spectrum` of an
    RNN."""
    yield 0.0, "again in float64"
    trace = in_float64(again)
    layers = origins.recurrent(trace)
    found: dict[str, Array] = {}
    for number, layer in enumerate(layers):
        inputs, name = trace.inputs(layer), layer.name
        order = origins.in_order(layer, np.arange(_steps.steps(layer)))
        jacobians = [step_jacobian(layer, inputs, int(step)) for step in order]
        product = np.eye(len(jacobians[0]))
        values = [np.ones(len(product))]
        for lag, jacobian in enumerate(reversed(jacobians), start=1):
            yield (number + lag / len(order)) / len(layers), f"{name}: {lag} steps back"
            product = product @ jacobian
            known = np.isfinite(product).all()  # where a number is none, nothing can be said of the product
            values.append(np.linalg.svd(product, compute_uv=False) if known else np.full(len(product), np.nan))
        found[f"{name}/values"] = np.array(values)
        found[f"{name}/norms"] = origins.in_order(layer, largest_singular(np.stack(jacobians)))
        found[f"{name}/exponents"] = exponents(jacobians)
        if not _steps.family(layer).kept[0]:
            found[f"{name}/spectrum"] = spectrum(layer)
    return found


def exponents(jacobians: list[Array]) -> Array:
    """Lyapunov exponents: the mean logarithm of how far each step stretches directions kept apart by QR (Benettin and
    others 1980; for recurrent networks Engelken 2023). A direction that is lost entirely has −∞."""
    frame, grown = np.eye(len(jacobians[0])), np.zeros(len(jacobians[0]))
    for jacobian in jacobians:
        frame, upper = np.linalg.qr(jacobian @ frame)
        with np.errstate(divide="ignore"):
            grown = grown + np.log(np.abs(np.diag(upper)))
    return -np.sort(-grown / len(jacobians))


STUDY = Study("jacobian", "what a state hands on to later states",
              lambda trace: bool(origins.recurrent(trace)), run)
