"""Is it true? Sampled cells of every layer, recomputed from their Terms in float64 and compared with torch's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from visualizer.kinds import Inputs, Report, Terms, asked, handed_back, of
from visualizer.trace import Array, Cell, Layer, Trace

TOLERANCE = {"float64": 1e-10, "float32": 1e-5, "float16": 1e-2, "bfloat16": 5e-2}
CELLS = 24
"""Most cells compared of one array; smaller arrays are compared whole."""
WEIGHT_CELLS = 8
CANCELLED = 0.1
"""A gradient may be the small rest of large terms that cancel, and torch rounds those terms; its error is measured
against the largest gradient of the array or a tenth of the sizes of its own terms, whichever is more."""
Compare = Callable[[Cell], tuple[float, float]]
"""A cell -> the number recomputed, and the sum of the sizes of its terms."""


def check(trace: Trace) -> Report:
    """Compare outputs, gradients and weight gradients; layers that cannot be compared are named with the reason.

    Errors of outputs are relative to the largest value of the array, or to 1; errors of gradients to the largest
    gradient. NaN never agrees with anything: a layer that makes one has the error ∞, one that was given one is named;
    so with ∞. Only −∞, as masks of attention are, agrees with −∞.
    """
    errors: dict[str, float] = {}
    gradient_errors: dict[str, float] = {}
    unverified: dict[str, str] = {}
    for layer in trace.layers:
        error, why = _forward(trace, layer)
        if error is not None:
            errors[layer.name] = max(error, _inside(trace, layer))
        backward, why_not = _backward(trace, layer)
        if backward is not None:
            gradient_errors[layer.name] = backward
        differs = layer.why if layer.why.startswith("Unverified") else ""
        reason = " ".join(part for part in (differs, why, why_not) if part)
        if reason:
            unverified[layer.name] = reason
    return Report(errors, gradient_errors, unverified, TOLERANCE.get(trace.dtype, TOLERANCE["float32"]))


def cells_of(array: Array, most: int = CELLS) -> list[Cell]:
    """Every cell of a small array; of a large one its first, last, largest, smallest, all corners, and a spread.

    Always the same cells for the same numbers.
    """
    if array.size <= most:
        return [tuple(map(int, cell)) for cell in np.ndindex(array.shape)]
    flat = array.ravel()
    chosen = {0: None, array.size - 1: None, int(np.argmax(flat)): None, int(np.argmin(flat)): None}
    for corner in np.ndindex((2,) * min(array.ndim, 3)):
        ends = [(size - 1) * end for size, end in zip(array.shape[-3:], corner, strict=True)]
        chosen[int(np.ravel_multi_index((*(size // 2 for size in array.shape[:-3]), *ends), array.shape))] = None
    for step in range(most):  # the golden ratio spreads any number of places evenly
        chosen[int(array.size * (step * 0.6180339887498949 % 1))] = None
    return [tuple(map(int, np.unravel_index(place, array.shape))) for place in list(chosen)[:most]]


def _forward(trace: Trace, layer: Layer) -> tuple[float | None, str]:
    """The error of a layer's output, or why it has none."""
    kind = of(layer)
    inputs = trace.inputs(layer)
    if layer.kind in ("input", "parameter", "constant"):
        return None, ""  # given, not computed
    if kind is None:
        return None, layer.why or f"No explanation of the operation {layer.kind} is known."
    strange = next((source.name for source in inputs if _strange(source.output)), None)
    if strange is not None:
        return None, f"It read NaN or infinity from {strange}."
    if _strange(layer.output):
        return np.inf, ""
    largest = max(1.0, _largest(layer.output))

    def recompute(cell: Cell) -> tuple[float, float]:
        return asked(kind.terms, layer, inputs, cell).result, largest

    return _worst(layer.output, recompute, 1.0, CELLS)


def _inside(trace: Trace, layer: Layer) -> float:
    """The error of its gates and states, if it has any."""
    kind = of(layer)
    if kind is None or kind.inner_terms is None:
        return 0.0
    return max(_cells_of_inner(layer, trace.inputs(layer), key, array, kind.inner_terms, 1.0)
               for key, array in layer.inner.items())


def _inside_backward(trace: Trace, layer: Layer) -> float:
    """The error of the gradients of its gates and states; what came from outside, its readers tell."""
    kind = of(layer)
    if kind is None or kind.inner_backward_terms is None:
        return 0.0
    return max(_cells_of_inner(layer, trace.inputs(layer), key, array, kind.inner_backward_terms, CANCELLED)
               for key, array in layer.inner_gradients.items() if not key.endswith("_direct"))


def _cells_of_inner(layer: Layer, inputs: Inputs, key: str, array: Array, terms_of: Callable[..., Terms],
                    share: float) -> float:
    def recompute(cell: Cell) -> tuple[float, float]:
        terms = asked(terms_of, layer, inputs, key, *cell)
        return terms.result, 1.0 if share == 1.0 else _size(terms)

    error, _ = _worst(array, recompute, share, CELLS)
    return error or 0.0


def _backward(trace: Trace, layer: Layer) -> tuple[float | None, str]:
    """The error of a layer's gradient and of its weights' gradients, or why there is none."""
    found, reasons = [], []
    if layer.gradient is not None:
        error, why = _gradient(trace, layer, layer.gradient)
        found += [error, _inside_backward(trace, layer)] if error is not None else []
        reasons += [f"Its gradient: {why}"] if why else []
    for name, gradient in layer.weight_gradients.items():
        error, why = _weight_gradient(trace, layer, name, gradient)
        found += [error] if error is not None else []
        reasons += [f"The gradient of its {name}: {why}"] if why else []
    return max(found, default=None), " ".join(reasons)


def _gradient(trace: Trace, layer: Layer, gradient: Array) -> tuple[float | None, str]:
    """All layers that read it hand something back; together that is its gradient."""
    handing = [(reader, index) for reader in trace.readers(layer.name) if reader.gradient is not None
               for index, read in enumerate(reader.reads) if read == layer.name]
    kind_here = of(layer)
    own_terms = kind_here.own_terms if kind_here else None
    if not handing and own_terms is None:
        if gradient.size == 1 and layer is _objective(trace):
            return abs(float(gradient.ravel()[0]) - 1.0) if np.isfinite(gradient).all() else np.inf, ""
        return None, "nothing that was recorded handed it back."
    for reader, _ in handing:
        if of(reader) is None:
            return None, f"{reader.name} handed it back, and is unexplained."
        strange = next((source.name for source in trace.inputs(reader) if _strange(source.output)), None)
        if strange is not None or not np.isfinite(_gradient_of(reader)).all():
            return None, f"{reader.name} read NaN or infinity."
    if not np.isfinite(gradient).all():
        return np.inf, ""

    def recompute(cell: Cell) -> tuple[float, float]:
        handed: list[Terms] = []
        for reader, index in handing:
            handed.append(handed_back(reader, trace.inputs(reader), index, cell))
        if own_terms is not None:
            handed.append(asked(own_terms, layer, trace.inputs(layer), cell))
        return sum(terms.result for terms in handed), sum(_size(terms) for terms in handed)

    return _worst(gradient, recompute, CANCELLED, CELLS)


def _weight_gradient(trace: Trace, layer: Layer, name: str, gradient: Array) -> tuple[float | None, str]:
    kind = of(layer)
    if layer.kind == "parameter":
        return None, ""  # it is the gradient of the layer itself
    if kind is None or kind.weight_terms is None:
        return None, "how the weight was used is not explained."
    if layer.gradient is None:
        return None, "no gradient of its output was recorded."
    inputs, weight_terms = trace.inputs(layer), kind.weight_terms
    if not np.isfinite(layer.gradient).all() or any(_strange(source.output) for source in inputs):
        return None, "it read NaN or infinity."
    if not np.isfinite(gradient).all():
        return np.inf, ""

    def recompute(cell: Cell) -> tuple[float, float]:
        terms = asked(weight_terms, layer, inputs, name, cell)
        return terms.result, _size(terms)

    return _worst(gradient, recompute, CANCELLED, WEIGHT_CELLS)


def _worst(array: Array, recompute: Compare, share: float, most: int) -> tuple[float | None, str]:
    """The largest error among sampled cells; cells that cannot be told are left out, and named if all are so."""
    largest = _largest(array)
    worst, compared, why = 0.0, 0, ""
    for cell in cells_of(array, most):
        try:
            result, size = recompute(cell)
        except LookupError as error:
            why = str(error)
            continue
        scale = max(largest, share * size) or 1.0
        recorded = float(array[cell])
        error_here = 0.0 if result == recorded == -np.inf else abs(result - recorded) / scale
        worst = max(worst, error_here if np.isfinite(error_here) else np.inf)
        compared += 1
    if array.size and not compared:
        return None, why
    return worst, ""


def _size(terms: Terms) -> float:
    return float(sum(np.abs(read.products).sum() for read in terms.taps))


def _largest(array: Array) -> float:
    """Of the numbers that are finite."""
    sizes = np.abs(array.astype(np.float64))
    return float(np.max(sizes, where=np.isfinite(sizes), initial=0.0))


def _strange(array: Array) -> bool:
    """Whether there is NaN or ∞ in it; −∞ is what masks of attention are made of, and counts as a number."""
    return not bool((array < np.inf).all())


def _gradient_of(layer: Layer) -> Array:
    assert layer.gradient is not None
    return layer.gradient


def _objective(trace: Trace) -> Layer | None:
    """The layer that everything was differentiated from: the last one that has a gradient."""
    return next((layer for layer in reversed(trace.layers) if layer.gradient is not None), None)
