"""Sums of products over named indices, as Einstein wrote them: outer products, products of matrices, bilinear layers.

y[k] = Σ a[i, …]·b[j, …]·…: indices that the output lacks are summed over. torch's equation names them by letters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from visualizer import said
from visualizer.kinds import Box, Cost, Inputs, Kind, Taps, Terms, _words
from visualizer.kinds._broadcast import box_read, read_by, readers_of
from visualizer.kinds._dims import batch_of, full_shape
from visualizer.kinds._taps import Cells, Numbers, added, gradient_taps, grid_of, one, taps
from visualizer.language import english, listed, tr, translated
from visualizer.trace import Array, Cell, Layer

Settings = Mapping[str, Any]
Names = tuple[str, ...]


@dataclass(frozen=True)
class Contraction:
    """One way to write such a sum."""

    name: str
    title: str
    calls: Mapping[str, str]
    equation: Callable[[Layer, Inputs], str]
    """`ij,jk->ik`, of the factors with their batch axes."""
    says: str
    factors: int | None = None
    """How many of its inputs are factors, the last ones; what stands before is added. None for all."""
    weights: tuple[str, ...] = ()
    """Weights that are a factor too, between the inputs as the equation says."""


@dataclass(frozen=True, eq=False)
class _Factor:
    """One factor with its batch axis, and where its numbers are."""

    values: Array
    letters: str
    which: int | None
    """Which input it is; None for a weight."""
    batch: int | None = None

    def cells(self, at: Mapping[str, Cells]) -> Cells:
        """The cells that it has there, without the batch axis."""
        found = np.column_stack([np.zeros(0) if not self.letters else np.asarray(
            at[letter] if self.values.shape[number] > 1 else np.zeros_like(at[letter]))
            for number, letter in enumerate(self.letters)] or [np.zeros((len(next(iter(at.values()), [0])), 0))])
        return np.delete(found, self.batch, axis=1).astype(np.int64) if self.batch is not None \
            else found.astype(np.int64)

    def at(self, at: Mapping[str, Cells]) -> Numbers:
        index = tuple(np.asarray(at[letter] if self.values.shape[number] > 1 else np.zeros_like(at[letter]), np.int64)
                      for number, letter in enumerate(self.letters))
        found: Numbers = np.asarray(self.values[index], dtype=np.float64)
        return found


@dataclass(frozen=True, eq=False)
class _Sum:
    """The factors, the letters of the output, and how many values each letter has."""

    factors: tuple[_Factor, ...]
    output: str
    sizes: Mapping[str, int]
    batch: int | None
    """Which letter of the output the layer does not have, because it is the batch."""

    def over(self, fixed: Mapping[str, int]) -> dict[str, Cells]:
        """Every value of all letters that are not fixed."""
        letters = list(self.sizes)
        cells = grid_of(*([fixed[letter]] if letter in fixed else np.arange(self.sizes[letter]) for letter in letters))
        return {letter: cells[:, number] for number, letter in enumerate(letters)}

    def fixed_by(self, cell: Cell) -> dict[str, int]:
        full = cell if self.batch is None else (*cell[:self.batch], 0, *cell[self.batch:])
        return dict(zip(self.output, full, strict=True))

    def output_cells(self, at: Mapping[str, Cells]) -> Cells:
        count = len(next(iter(at.values()))) if at else 1
        letters = [letter for number, letter in enumerate(self.output) if number != self.batch]
        return np.column_stack([at[letter] for letter in letters]).astype(np.int64) if letters \
            else np.zeros((count, 0), dtype=np.int64)


def product_terms(contraction: Contraction, layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """Every product that this number is a sum of: one factor, weighed by all others."""
    found = _sum(contraction, layer, inputs)
    at = found.over(found.fixed_by(cell))
    first, *others = sorted(found.factors, key=lambda factor: factor.which is None)
    alpha, beta = _scales(layer)
    weights = np.full(len(next(iter(at.values()))) if at else 1, alpha)
    for factor in others:
        weights = weights * factor.at(at)
    met = others[0] if len(others) == 1 else None
    named = met is not None and met.which is not None
    assert first.which is not None
    read = taps(inputs[first.which], "output", first.cells(at), weights,
                weight=inputs[met.which].name if named and met is not None and met.which is not None else "",
                weight_cells=met.cells(at) if named and met is not None else None)
    start = _start(contraction, layer, inputs, cell, beta)
    bias = _bias(contraction, layer, cell)
    return added(*start, read, bias=bias, bias_name="" if bias is None else "bias",
                 formula="y = Σ a·b" if len(found.factors) > 1 else "y = Σ a")


def product_backward(contraction: Contraction, layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """The gradient of every sum that this number was part of, times all other factors there."""
    alpha, beta = _scales(layer)
    found = _sum(contraction, layer, inputs)
    mine = next((factor for factor in found.factors if factor.which == which), None)
    if mine is None:
        cells, grid = readers_of(cell, inputs[which].shape, layer.shape, batch_of(layer.settings, which))
        return added(gradient_taps(layer, cells, beta, grid), formula="∂L/∂c = β·∂L/∂y")
    return _handed(found, mine, layer, cell, alpha)


def _handed(found: _Sum, mine: _Factor, layer: Layer, cell: Cell, alpha: float) -> Terms:
    full = cell if mine.batch is None else (*cell[:mine.batch], 0, *cell[mine.batch:])
    fixed: dict[str, int] = {}
    for number, (letter, index) in enumerate(zip(mine.letters, full, strict=True)):
        if mine.values.shape[number] == 1 and found.sizes[letter] > 1:
            continue  # used again along this index
        if fixed.setdefault(letter, index) != index:
            return added(gradient_taps(layer, np.zeros((0, layer.output.ndim), dtype=np.int64), np.zeros(0)),
                         formula="∂L/∂a = 0")  # not on the diagonal that is read
    at = found.over(fixed)
    weights = np.full(len(next(iter(at.values()))) if at else 1, alpha)
    for factor in found.factors:
        if factor is not mine:
            weights = weights * factor.at(at)
    return added(gradient_taps(layer, found.output_cells(at), weights), formula="∂L/∂a = Σ ∂L/∂y·b")


def product_weight(contraction: Contraction, layer: Layer, inputs: Inputs, name: str, cell: Cell) -> Terms:
    """The gradient of every sum in which the weight was a factor, times the other factors there."""
    if name == "bias":
        cells = grid_of(*map(np.arange, layer.shape[:-1]), [cell[0]])
        return added(gradient_taps(layer, cells), formula="∂L/∂b = Σ ∂L/∂y")
    found = _sum(contraction, layer, inputs)
    mine = next(factor for factor in found.factors if factor.which is None)
    return _handed(found, mine, layer, cell, 1.0)


def product_box(contraction: Contraction, layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    """Along the indices of the output what it sees, along all others everything."""
    found = _sum(contraction, layer, inputs)
    mine = next((factor for factor in found.factors if factor.which == which), None)
    if mine is None:
        return box_read(box, inputs[which].shape, batch_of(layer.settings, which))
    full = box if found.batch is None else (*box[:found.batch], (0, 0), *box[found.batch:])
    ends = dict(zip(found.output, full, strict=True))
    seen = [(0, 0) if mine.values.shape[number] == 1 else ends.get(letter, (0, found.sizes[letter] - 1))
            for number, letter in enumerate(mine.letters)]
    return tuple(seen if mine.batch is None else seen[:mine.batch] + seen[mine.batch + 1:])


def product_cost(contraction: Contraction, layer: Layer, inputs: Inputs) -> Cost:
    try:
        found = _sum(contraction, layer, inputs)
    except (LookupError, ValueError):
        return Cost(layer.parameters, 0)
    return Cost(layer.parameters, int(np.prod(list(found.sizes.values()))) * max(len(found.factors) - 1, 0))


def product_sentence(contraction: Contraction, layer: Layer, inputs: Inputs) -> str:
    found = _sum(contraction, layer, inputs)
    summed = int(np.prod([size for letter, size in found.sizes.items() if letter not in found.output]))
    return _words.fixed(translated(contraction.says), layer).format(
        source=listed([source.name for source in inputs]), after=_words.shape(layer),
        products=_words.some(summed, "product", *said.of("products in each sum", layer)),
        equation=str(contraction.equation(layer, inputs)).replace("->", " → ").replace(",", ", ").strip())


def product_short(layer: Layer, inputs: Inputs) -> str:
    return " · ".join(f"({said.lengths(source) or '1'})" for source in inputs)


def _sum(contraction: Contraction, layer: Layer, inputs: Inputs) -> _Sum:
    """The factors by letters; LookupError where the equation does not fit what was read."""
    equation = contraction.equation(layer, inputs)
    sides = equation.replace(" ", "").split("->")
    given = sides[0].split(",")
    first = len(inputs) - (contraction.factors or len(inputs))
    factors, place, next_input = [], 0, first
    for number, letters in enumerate(given):
        name = contraction.weights[place] if place < len(contraction.weights) and number == 1 else ""
        if name:
            factors.append(_Factor(layer.weights[name], letters, None))
            place += 1
            continue
        source, batch = inputs[next_input], batch_of(layer.settings, next_input)
        values = source.output.reshape(full_shape({"batch": batch}, source))
        if contraction.weights and "..." not in letters and values.ndim > len(letters):
            raise LookupError(tr("{layer} has more axes than are explained.").format(layer=layer.name))
        factors.append(_Factor(values, letters, next_input, batch))
        next_input += 1
    factors = _without_dots(factors, sides[-1] if len(sides) > 1 else "")
    letters = "".join(factor.letters for factor in factors)
    dots = "".join(sorted({letter for letter in letters if letter.isupper() and letter in _DOTS}))
    if len(sides) > 1:
        output = sides[1].replace("...", dots)
    else:
        output = dots + "".join(sorted(letter for letter in set(letters) - set(dots) if letters.count(letter) == 1))
    sizes: dict[str, int] = {}
    for factor in factors:
        for letter, size in zip(factor.letters, factor.values.shape, strict=True):
            sizes[letter] = max(sizes.get(letter, 1), size)
    lost = len(output) - layer.output.ndim
    batch = None
    if lost:
        ones = [number for number, letter in enumerate(output) if sizes[letter] == 1]
        named = [number for number in ones if any(
            factor.batch is not None and factor.letters[factor.batch] == output[number] for factor in factors)]
        batch = (named or ones)[0]
    if lost not in (0, 1) or tuple(sizes[letter] for number, letter in enumerate(output) if number != batch) \
            != layer.shape:
        raise LookupError(tr("{layer} does not make {shape} by {equation}, which is not explained."
                             ).format(layer=layer.name, shape=layer.shape, equation=equation))
    return _Sum(tuple(factors), output, sizes, batch)


_DOTS = "QRSTUVWXYZ"
"""What axes that are meant by `...` are called, the last one Z."""


def _without_dots(factors: list[_Factor], output: str) -> list[_Factor]:
    found = []
    for factor in factors:
        letters = factor.letters
        if "..." in letters:
            count = factor.values.ndim - (len(letters) - 3)
            letters = letters.replace("...", _DOTS[len(_DOTS) - count:])
        found.append(_Factor(factor.values, letters, factor.which, factor.batch))
    return found


def _start(contraction: Contraction, layer: Layer, inputs: Inputs, cell: Cell, beta: float) -> tuple[Taps, ...]:
    """What the products are added to."""
    if contraction.factors is None or len(inputs) == contraction.factors:
        return ()
    place = read_by(one(cell), inputs[0].shape, batch_of(layer.settings, 0))
    return (taps(inputs[0], "output", place, beta),)


def _bias(contraction: Contraction, layer: Layer, cell: Cell) -> float | None:
    return float(layer.weights["bias"][cell[-1]]) if contraction.weights and "bias" in layer.weights else None


def _scales(layer: Layer) -> tuple[float, float]:
    return float(layer.settings.get("alpha", 1.0)), float(layer.settings.get("beta", 1.0))


# --- equations --------------------------------------------------------------------------------------------------------

def _as_written(layer: Layer, inputs: Inputs) -> str:
    """torch also takes numbers for letters; these are not explained."""
    equation = layer.settings.get("equation")
    if not isinstance(equation, str) or any(letter in _DOTS for letter in equation):
        raise LookupError(tr("{layer} has no equation in small letters.").format(layer=layer.name))
    return equation


def _summed_dims(layer: Layer, inputs: Inputs) -> str:
    """tensordot: these axes of the one with those of the other."""
    counts = [len(full_shape({"batch": batch_of(layer.settings, which)}, source))
              for which, source in enumerate(inputs)]
    left, right = list("abcdefgh"[:counts[0]]), list("ijklmnop"[:counts[1]])
    dims = layer.settings.get("dims", 2)
    ours, theirs = (range(counts[0] - dims, counts[0]), range(dims)) if isinstance(dims, int) else \
        (dims if isinstance(dims[0], tuple) else ((dims[0],), (dims[1],)))
    if "dims_other" in layer.settings:
        ours, theirs = dims, layer.settings["dims_other"]
    for one_dim, other in zip(ours, theirs, strict=True):
        right[other] = left[one_dim]
    kept = [letter for letter in left + right if (left + right).count(letter) == 1]
    return f"{''.join(left)},{''.join(right)}->{''.join(kept)}"


def _bilinear_equation(layer: Layer, inputs: Inputs) -> str:
    lead = "abcdefg"[:len(full_shape({"batch": batch_of(layer.settings, 0)}, inputs[0])) - 1]
    return f"{lead}i,kij,{lead}j->{lead}k"



def contracts(layer: Layer) -> bool:
    """Whether its numbers are sums of products of the last two layers that it reads; what stands before is added."""
    return multiplies(layer) or written(layer) or layer.kind == "addmv"


def multiplies(layer: Layer) -> bool:
    """Whether it multiplies rows of the last but one that it reads by columns of the last."""
    return layer.kind in ("matmul", "addmm", "baddbmm")


def written(layer: Layer) -> bool:
    """Whether an equation says which products it adds up."""
    return layer.kind == "einsum"


EINSUM = english("Products of {source} are added up, {products} each, as {equation} says: {after} in all.")
CONTRACTIONS = (
    Contraction("einsum", english("sum of products"), {"einsum": "equation operands"}, _as_written, EINSUM),
    Contraction("tensordot", english("sum of products"), {"tensordot": "input other dims dims_other"}, _summed_dims,
                EINSUM),
    Contraction("outer", english("outer product"), dict.fromkeys(("outer", "ger"), "input vec2"),
                lambda layer, inputs: "i,j->ij", english("Each number of one of {source} meets each of the other: "
                                                         "{after} in all.")),
    Contraction("inner", english("inner product"), {"inner": "input other"},
                lambda layer, inputs: "...i,...i->..." if inputs[1].output.ndim == 1 else "ai,bi->ab", EINSUM),
    Contraction("vdot", english("inner product"), {"vdot": "input other", "linalg_vecdot": "x y"},
                lambda layer, inputs: "...i,...i->...", EINSUM),
    Contraction("baddbmm", english("matrix product and sum"), {"baddbmm": "input batch1 batch2 beta alpha"},
                lambda layer, inputs: "aij,ajk->aik",
                english("Rows times columns of {source}, {products} each, are added to the first: {after} in all."), 2),
    Contraction("addbmm", english("matrix product and sum"), {"addbmm": "input batch1 batch2 beta alpha"},
                lambda layer, inputs: "aij,ajk->ik",
                english("Rows times columns of {source}, {products} each, are added to the first: {after} in all."), 2),
    Contraction("addmv", english("matrix product and sum"), {"addmv": "input mat vec beta alpha"},
                lambda layer, inputs: "ij,j->i",
                english("Rows times columns of {source}, {products} each, are added to the first: {after} in all."), 2),
    Contraction("addr", english("outer product and sum"), {"addr": "input vec1 vec2 beta alpha"},
                lambda layer, inputs: "i,j->ij",
                english("Each number of one meets each of the other of {source}, and is added to the first: {after} in "
                        "all."), 2),
    Contraction("bilinear", english("bilinear layer"), {"bilinear": "input1 input2 weight bias"}, _bilinear_equation,
                english("Each output weighs every product of a number of one and a number of the other of {source}, "
                        "{products}, and adds them up: {after} in all."), weights=("weight",)),
)


def _axes(contraction: Contraction, settings: Settings, inputs: tuple[Names, ...], shape: tuple[int, ...]) -> Names:
    """Each letter is called as where it was read."""
    if contraction.weights:
        return (*inputs[0][:-1], "unit")
    equation = settings.get("equation") if contraction.name == "einsum" else {
        "outer": "i,j->ij", "baddbmm": "aij,ajk->aik"}.get(contraction.name)
    if not isinstance(equation, str) or "->" not in equation or "..." in equation:
        return ()
    sides = equation.replace(" ", "").split("->")
    names: dict[str, str] = {}
    given = inputs[len(inputs) - (contraction.factors or len(inputs)):]
    for letters, axes in zip(sides[0].split(","), given, strict=True):
        for letter, name in zip(letters, axes, strict=True):
            if names.get(letter, "axis").startswith("axis"):
                names[letter] = name
    found = [names[letter] for letter in sides[1]]
    return tuple(name if found.count(name) == 1 or name == "unit" else f"axis{number}"
                 for number, name in enumerate(found))


def _kind(contraction: Contraction) -> Kind:
    return Kind(contraction.name, contraction.title, contraction.calls, partial(_axes, contraction),
                partial(product_terms, contraction), partial(product_backward, contraction),
                partial(product_box, contraction), partial(product_sentence, contraction),
                partial(product_weight, contraction) if contraction.weights else None,
                partial(product_cost, contraction), short=product_short,
                role="weighted" if contraction.weights else "")


KINDS = tuple(map(_kind, CONTRACTIONS))
