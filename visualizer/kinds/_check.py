"""Is it true? Sampled cells of every layer, recomputed from their Terms in float64 and compared with torch's.

An error is a share of a size: of the largest number of its array, of the terms that it is the rest of, or of what the
result itself moves when the numbers that it was made from change in their last digit. That last one asks how much of
the digits a result can have at all: 1 − y² of a saturated tanh is a small rest of two large numbers, and torch rounded
both. How much may be off follows the precision in which torch computed the layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from visualizer import advance, reasons
from visualizer.kinds import OF_ALL, SAMPLES, Compared, Report, Terms, asked, handed_back, of, shares
from visualizer.trace import Array, Cell, Layer, Trace

TOLERANCE = {"float64": 1e-10, "complex128": 1e-10, "float32": 1e-5, "complex64": 1e-5, "float16": 1e-2,
             "bfloat16": 5e-2}
LAST_DIGIT = {"float64": 2.0**-52, "complex128": 2.0**-52, "float32": 2.0**-23, "complex64": 2.0**-23,
              "float16": 2.0**-10, "bfloat16": 2.0**-7}
"""How far apart two neighbouring numbers near 1 are."""
SMALLEST = {"float64": 2.0**-1022, "complex128": 2.0**-1022, "float32": 2.0**-126, "complex64": 2.0**-126,
            "float16": 2.0**-14, "bfloat16": 2.0**-126}
"""The smallest size with all its digits; nearer to 0 numbers stand as far apart as there."""
CELLS = 24
"""Most cells compared of one array; smaller arrays are compared whole."""
WEIGHT_CELLS = 8
GOLDEN = 0.6180339887498949
"""Its multiples spread evenly, whatever their number."""
CANCELLED = 0.1
"""A gradient may be the small rest of large terms that cancel, and torch rounds those terms; its error is measured
against the largest gradient of the array or a tenth of the sizes of its own terms, whichever is more."""


def check(trace: Trace) -> Report:
    """Compare outputs, gradients and weight gradients; layers that cannot be compared are named with the reason.

    Errors of outputs are relative to the largest value of the array, or to 1; errors of gradients to the largest
    gradient. A NaN agrees with a NaN alone, and ∞ with ∞: beside any other number the error is ∞. A layer that was
    given one is named; but −∞, of which masks of attention are made, counts as a number.
    """
    checked = _Checked(trace)
    rows = [row for layer in trace.layers for row in checked.layer(layer)]
    errors: dict[str, float] = {}
    gradient_errors: dict[str, float] = {}
    unverified: dict[str, str] = {}
    allowed: dict[str, float] = {}
    gradient_allowed: dict[str, float] = {}
    for layer in trace.layers:
        if layer.why.startswith("Unverified"):
            unverified[layer.name] = layer.why
    usual = tolerance_of(trace.dtype)
    for row in rows:
        if row.error is None:
            told = unverified.get(row.layer, "")
            unverified[row.layer] = f"{told} {row.why}".strip()
            continue
        found, most = (gradient_errors, gradient_allowed) if row.backward else (errors, allowed)
        found[row.layer] = max(row.error, found.get(row.layer, 0.0))
        if row.allowed != usual:
            most[row.layer] = max(row.allowed, most.get(row.layer, 0.0))
    explained = sum(of(layer) is not None for layer in trace.layers)
    executed = explained + sum(layer.unexplained for layer in trace.layers)
    return Report(errors, gradient_errors, unverified, usual, allowed, gradient_allowed, tuple(rows),
                  (explained, executed))


def tolerance_of(dtype: str) -> float:
    """How far a number that was computed in a precision may be off, as a share of its size."""
    return TOLERANCE.get(dtype, TOLERANCE["float32"])


def cells_of(array: Array, most: int = CELLS) -> list[Cell]:
    """Every cell of a small array; of a large one its first, last, largest, smallest, all corners, and a spread.

    Always the same cells for the same numbers.
    """
    if array.size <= most:
        return [tuple(map(int, cell)) for cell in np.ndindex(array.shape)]
    flat = array.ravel()
    chosen = {0: None, array.size - 1: None, int(np.argmax(flat)): None, int(np.argmin(flat)): None}
    if not np.isfinite(array).all():
        chosen |= dict.fromkeys(np.flatnonzero(~np.isfinite(flat))[[0, -1]].tolist())
    for corner in np.ndindex((2,) * min(array.ndim, 3)):
        ends = [(size - 1) * end for size, end in zip(array.shape[-3:], corner, strict=True)]
        chosen[int(np.ravel_multi_index((*(size // 2 for size in array.shape[:-3]), *ends), array.shape))] = None
    for step in range(most):  # the golden ratio spreads any number of places evenly
        chosen[int(array.size * (step * GOLDEN % 1))] = None
    return [tuple(map(int, np.unravel_index(place, array.shape))) for place in list(chosen)[:most]]


@dataclass(eq=False)
class _Checked:
    """A Trace while it is compared."""

    trace: Trace
    _shaken: dict[str, Layer] = field(default_factory=dict)
    """By name the layers whose numbers are changed in their last digit, made when one is asked for."""

    def layer(self, layer: Layer) -> Iterator[Compared]:
        """One row for each array of a layer."""
        advance.at(layer.name)
        yield from self._forward(layer)
        yield from self._backward(layer)

    # --- forwards ---

    def _forward(self, layer: Layer) -> Iterator[Compared]:
        kind, inputs = of(layer), self.trace.inputs(layer)
        if layer.kind in GIVEN:
            return  # given, not computed
        row = Compared(layer.name, "output", None, tolerance_of(self._dtype(layer)), 0, layer.output.size)
        if kind is None:
            yield row._replace(why=layer.why or reasons.UNEXPLAINED.format(name=layer.kind))
            return
        strange = next((source.name for source in inputs if _strange(source.output)), None)
        if strange is not None:
            yield row._replace(why=reasons.READ_STRANGE.format(name=strange))
            return

        def made(cell: Cell, shaken: bool) -> tuple[float, float]:
            here, *read = self._seen((layer, *inputs), shaken)
            return asked(kind.terms, here, tuple(read), cell).result, 1.0

        output = _compared(row, layer.output, made, 1.0, CELLS, self._dtype(layer))
        yield output
        if kind.inner_terms is not None and output.error is not None:
            for key, array in sorted(layer.inner.items()):
                yield self._inside(layer, f"inner.{key}", key, array, kind.inner_terms, 1.0, row.allowed)

    def _inside(self, layer: Layer, quantity: str, key: str, array: Array, terms_of: Callable[..., Terms], share: float,
                allowed: float) -> Compared:
        """A gate or state, or the gradient of one."""
        inputs = self.trace.inputs(layer)

        def made(cell: Cell, shaken: bool) -> tuple[float, float]:
            here, *read = self._seen((layer, *inputs), shaken)
            terms = asked(terms_of, here, tuple(read), key, *cell)
            return terms.result, 1.0 if share == 1.0 else _size(terms)

        row = Compared(layer.name, quantity, None, allowed, 0, array.size)
        found = _compared(row, array, made, share, CELLS, self._dtype(layer))
        return found._replace(error=found.error or 0.0)

    # --- backwards ---

    def _backward(self, layer: Layer) -> Iterator[Compared]:
        """Its gradient, the gradients of its gates and states, and those of its weights."""
        kind = of(layer)
        if layer.gradient is not None:
            row = self._gradient(layer, layer.gradient)
            yield row
            if row.error is not None and kind is not None and kind.inner_backward_terms is not None:
                for key, array in sorted(layer.inner_gradients.items()):
                    if not key.endswith("_direct"):  # what came from outside, its readers tell
                        yield self._inside(layer, f"inner_gradients.{key}", key, array, kind.inner_backward_terms,
                                           CANCELLED, row.allowed)
        for name, gradient in sorted(layer.weight_gradients.items()):
            if layer.kind != "parameter":  # whose gradient is that of the layer itself
                yield self._weight_gradient(layer, name, gradient)

    def _gradient(self, layer: Layer, gradient: Array) -> Compared:
        """All layers that read it hand something back; together that is its gradient."""
        trace = self.trace
        handing = [(reader, index) for reader in trace.readers(layer.name) if reader.gradient is not None
                   for index, read in enumerate(reader.reads) if read == layer.name]
        dtypes = [self._dtype(layer), *(self._dtype(reader) for reader, _ in handing)]
        row = Compared(layer.name, "gradient", None, max(map(tolerance_of, dtypes)), 0, gradient.size)

        def without(why: str) -> Compared:
            return row._replace(why=reasons.OF_GRADIENT.format(why=why))

        if "gradient" in layer.settings.get(OF_ALL, ()):
            return without(reasons.OF_ALL.format(count=layer.settings[SAMPLES]))
        kind_here = of(layer)
        own_terms = kind_here.own_terms if kind_here else None
        if not handing and own_terms is None:
            if gradient.size == 1 and layer is _objective(trace):
                off = abs(float(gradient.ravel()[0]) - 1.0)
                return row._replace(error=off if np.isfinite(off) else np.inf, cells=1)
            return without(reasons.NOT_HANDED)
        for reader, _ in handing:
            if of(reader) is None:
                return without(reasons.BY_UNEXPLAINED.format(name=reader.name))
            strange = next((source.name for source in trace.inputs(reader) if _strange(source.output)), None)
            if strange is not None or not np.isfinite(_gradient_of(reader)).all():
                return without(reasons.BY_STRANGE.format(name=reader.name))
        rest_of = float(layer.settings.get("rest_of", 0.0))  # what it was told apart from, and rounded with

        def made(cell: Cell, shaken: bool) -> tuple[float, float]:
            handed: list[Terms] = []
            for reader, index in handing:
                here, *read = self._seen((reader, *trace.inputs(reader)), shaken)
                handed.append(handed_back(here, tuple(read), index, cell))
            if own_terms is not None:
                here, *read = self._seen((layer, *trace.inputs(layer)), shaken)
                handed.append(asked(own_terms, here, tuple(read), cell))
            return sum(terms.result for terms in handed), sum(_size(terms) for terms in handed) + rest_of / CANCELLED

        def whole(cell: Cell) -> float:
            beside = any(BESIDE in one.settings for one, _ in handing)
            return max(self._whole(layer, cell, BESIDE_STEPS) if beside else 0.0,
                       sum(self._from_shares(reader, index, cell) for reader, index in handing),
                       sum(self._from_paths(reader, index, cell) for reader, index in handing))

        roughest = max(dtypes, key=lambda dtype: LAST_DIGIT.get(dtype, 0.0))
        found = _compared(row, gradient, made, CANCELLED, CELLS, roughest, whole)
        return found if found.error is not None or not found.why else without(found.why)

    def _whole(self, layer: Layer, cell: Cell, steps: int) -> float:
        """Of what a gradient may be the rest, where steps handed it back whose numbers torch did not use itself.

        What they hand back may be the rest of terms that cancel, and torch, in one step, rounded others.
        """
        total = 0.0
        for reader in self.trace.readers(layer.name):
            if reader.gradient is None or of(reader) is None:
                continue
            for index in [index for index, read in enumerate(reader.reads) if read == layer.name]:
                for taps in handed_back(reader, self.trace.inputs(reader), index, cell).taps:
                    sizes = np.abs(taps.values)
                    if steps and BESIDE in reader.settings and taps.source == reader.name:
                        sizes = np.array([max(float(size), self._whole(reader, tuple(map(int, place)), steps - 1))
                                          for size, place in zip(sizes, taps.cells, strict=True)])
                    total += float((sizes * np.abs(taps.weights)).sum())
        return total

    def _from_paths(self, reader: Layer, index: int, cell: Cell) -> float:
        """What a loss over many paths hands back is the exponential of two sums, up to a frame and from it on, each as
        large as the loss: torch rounds both in their last digit, which is so large a share of their exponential."""
        kind, dtype = of(reader), self._dtype(reader)
        if kind is None or not kind.sums_paths:
            return 0.0
        rounds = 2 * LAST_DIGIT.get(dtype, 0.0) * abs(float(reader.output)) / tolerance_of(dtype)
        return rounds / CANCELLED * _size(handed_back(reader, self.trace.inputs(reader), index, cell))

    def _from_shares(self, reader: Layer, index: int, cell: Cell) -> float:
        """The two numbers of which what a softmax hands back is the rest: p·g and p·Σpg, which torch rounds before it
        takes one from the other. Where one share is nearly all, hardly a digit of it is left."""
        if not shares(reader):
            return 0.0
        total = 0.0
        for taps in handed_back(reader, self.trace.inputs(reader), index, cell).taps:
            if taps.source == reader.name:
                given = np.abs(reader.output[tuple(taps.cells.T)] * taps.values)
                total += abs(float(reader.output[cell])) * float(np.abs(taps.values).max(initial=0.0) + given.sum())
        return total

    def _weight_gradient(self, layer: Layer, name: str, gradient: Array) -> Compared:
        kind, inputs = of(layer), self.trace.inputs(layer)
        row = Compared(layer.name, f"weight_gradients.{name}", None, tolerance_of(self._dtype(layer)), 0, gradient.size)

        def without(why: str) -> Compared:
            return row._replace(why=reasons.OF_WEIGHT.format(name=name, why=why))

        if name in layer.settings.get(OF_ALL, ()):
            return without(reasons.OF_ALL.format(count=layer.settings[SAMPLES]))
        if name in layer.settings.get(DIFFERENTIATED_INSIDE, ()):
            return without(reasons.INSIDE)
        if kind is None or kind.weight_terms is None:
            return without(reasons.USE_UNEXPLAINED)
        if layer.gradient is None:
            return without(reasons.NOT_RECORDED)
        if not np.isfinite(layer.gradient).all() or any(_strange(source.output) for source in inputs):
            return without(reasons.STRANGE)
        weight_terms = kind.weight_terms

        def made(cell: Cell, shaken: bool) -> tuple[float, float]:
            here, *read = self._seen((layer, *inputs), shaken)
            terms = asked(weight_terms, here, tuple(read), name, cell)
            return terms.result, _size(terms)

        found = _compared(row, gradient, made, CANCELLED, WEIGHT_CELLS, self._dtype(layer))
        return found if found.error is not None or not found.why else without(found.why)

    # --- numbers changed in their last digit ---

    def _dtype(self, layer: Layer) -> str:
        return layer.dtype or self.trace.dtype

    def _seen(self, layers: tuple[Layer, ...], shaken: bool) -> tuple[Layer, ...]:
        """The layers as they were recorded, or each of their numbers a last digit larger or smaller."""
        if not shaken:
            return layers
        for layer in layers:
            if layer.name not in self._shaken:
                self._shaken[layer.name] = _shake(layer, LAST_DIGIT.get(self._dtype(layer), 0.0))
        return tuple(self._shaken[layer.name] for layer in layers)


GIVEN = ("input", "parameter", "constant")
"""Kinds of layers that hold what no operation computed."""
BESIDE, BESIDE_STEPS = "beside", 5
"""A setting: a step of what torch computes in one, which ran beside it; and over how many such steps a gradient is
followed to what it is the rest of."""
DIFFERENTIATED_INSIDE = "differentiated_inside"
"""A setting: the weights whose gradient came in part through what the model differentiated itself."""
Made = Callable[[Cell, bool], tuple[float, float]]
"""A cell, and whether from numbers changed in their last digit -> the number recomputed, and the size of its terms."""


def _compared(row: Compared, array: Array, made: Made, share: float, most: int, dtype: str,
              whole: Callable[[Cell], float] = lambda cell: 0.0) -> Compared:
    """The largest error among sampled cells; cells that cannot be told are left out, and named if all are so."""
    largest = max(_largest(array), 1.0 if share == 1.0 else SMALLEST.get(dtype, 0.0))
    digit = LAST_DIGIT.get(dtype)
    worst, compared, why = 0.0, 0, ""
    for cell in cells_of(array, most):
        try:
            result, size = made(cell, False)
        except LookupError as error:
            why = str(error)
            continue
        there = float(array[cell])
        compared += 1
        if not (np.isfinite(result) and np.isfinite(there)):  # NaN beside NaN, and ∞ beside ∞, is what has to be there
            worst = worst if result == there or (np.isnan(result) and np.isnan(there)) else np.inf
            continue
        scale = max(largest, share * size) or 1.0
        off = abs(result - there)
        if not off <= row.allowed * scale and digit:
            scale = max(scale, _moved(made, cell, result) / digit)
            if not off <= row.allowed * scale:
                scale = max(scale, share * whole(cell))
        worst = max(worst, off / scale)
    if array.size and not compared:
        return row._replace(why=why)
    strange = 0 if np.isfinite(array).all() else int((~np.isfinite(array)).sum())
    return row._replace(error=worst, cells=compared,
                        why=reasons.NOT_FINITE.format(count=strange, all=array.size) if strange else "")


def _moved(made: Made, cell: Cell, result: float) -> float:
    """How far a result moves when all that it was made from changes in its last digit; 0 where that is not known."""
    try:
        moved = abs(made(cell, True)[0] - result)
    except LookupError:
        return 0.0
    return moved if np.isfinite(moved) else 0.0


def _shake(layer: Layer, digit: float) -> Layer:
    """Each number a last digit larger or smaller; weights stay, for torch read them as they are."""
    def shake(array: Array) -> Array:
        if array.dtype.kind != "f":
            return array
        up = (np.arange(array.size) * GOLDEN % 1 < 0.5).reshape(array.shape)
        return array.astype(np.float64) * np.where(up, 1 + digit, 1 - digit)

    return replace(layer, output=shake(layer.output),
                   gradient=None if layer.gradient is None else shake(layer.gradient),
                   inner={key: shake(array) for key, array in layer.inner.items()},
                   inner_gradients={key: shake(array) for key, array in layer.inner_gradients.items()})


def _size(terms: Terms) -> float:
    return float(sum(np.abs(read.products).sum() for read in terms.taps))


def _largest(array: Array) -> float:
    """Of the numbers that are finite."""
    sizes = np.abs(array.astype(np.float64))
    return float(sizes.max(initial=0.0, where=np.isfinite(sizes)))


def _gradient_of(layer: Layer) -> Array:
    assert layer.gradient is not None
    return layer.gradient


def _objective(trace: Trace) -> Layer | None:
    """The layer that everything was differentiated from: the last one that has a gradient."""
    return next((layer for layer in reversed(trace.layers) if layer.gradient is not None), None)


def _strange(array: Array) -> bool:
    """Whether NaN or +∞ stands in it: −∞, as in masks of attention, is a number that shares are made of."""
    return not bool((array < np.inf).all())
