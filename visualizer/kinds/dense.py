"""Products of matrices and vectors: dense layers, embeddings, matmul."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from visualizer import said
from visualizer.kinds import Box, Cost, Inputs, Kind, Terms, _words
from visualizer.kinds._broadcast import box_read, read_by, readers_of
from visualizer.kinds._taps import Cells, added, copied, gradient_taps, grid_of, one, taps
from visualizer.language import english, tr
from visualizer.trace import Cell, Layer

SUM = "y = Σ w·x + b"


# --- linear: y = W·x + b, W is (out, in) ----------------------------------------------------------------------------

def linear_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """Every number of the input times its weight, plus the bias."""
    weight = layer.weights["weight"]
    *lead, out = cell
    ins = np.arange(weight.shape[1])
    read = taps(inputs[0], "output", grid_of(*([i] for i in lead), ins), weight[out], weight="weight",
                weight_cells=grid_of([out], ins))
    bias = layer.weights.get("bias")
    return added(read, bias=None if bias is None else float(bias[out]), bias_name="" if bias is None else "bias",
                 formula=SUM)


def linear_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """Every output's gradient, times the weight with which it met this number."""
    weight = layer.weights["weight"]
    *lead, into = cell
    outs = np.arange(len(weight))
    read = gradient_taps(layer, grid_of(*([i] for i in lead), outs), weight[:, into], weight="weight",
                         weight_cells=grid_of(outs, [into]))
    return added(read, formula="∂L/∂x = Σ ∂L/∂y·w")


def linear_weight(layer: Layer, inputs: Inputs, name: str, cell: Cell) -> Terms:
    """The gradient of its output times the number that it met; summed over steps, if there are any."""
    lead = [np.arange(size) for size in layer.shape[:-1]]
    cells = grid_of(*lead, [cell[0]])
    if name == "bias":
        return added(gradient_taps(layer, cells), formula="∂L/∂b = Σ ∂L/∂y")
    met = grid_of(*lead, [cell[1]])
    return added(gradient_taps(layer, cells, taps(inputs[0], "output", met).values, weight=inputs[0].name,
                               weight_cells=met), formula="∂L/∂w = Σ ∂L/∂y·x")


def linear_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    return (*box[:-1], (0, inputs[0].shape[-1] - 1))


def linear_cost(layer: Layer, inputs: Inputs) -> Cost:
    """One multiply-accumulate for each weight, at each step."""
    return Cost(layer.parameters, layer.output.size * inputs[0].shape[-1])


def linear_sentence(layer: Layer, inputs: Inputs) -> str:
    outs, ins = layer.weights["weight"].shape
    each_of = tr("Each of the {count} outputs").format(
        count=_words.count(outs, *said.axis(layer, 0, "weights.weight"))) if outs > 1 else tr("The one output")
    if layer.output.ndim > 1:
        does = tr("{each} weighs all {numbers} of {source} and adds them up, plus a bias, at each of {places}: "
                  "{weights}.") if "bias" in layer.weights else \
            tr("{each} weighs all {numbers} of {source} and adds them up, at each of {places}: {weights}.")
    else:
        does = tr("{each} weighs all {numbers} of {source} and adds them up, plus a bias: {weights}.") \
            if "bias" in layer.weights else tr("{each} weighs all {numbers} of {source} and adds them up: {weights}.")
    return does.format(each=each_of, source=inputs[0].name,
                       numbers=_words.some(ins, "number", *said.axis(layer, 1, "weights.weight")),
                       places=_words.some(layer.output.size // outs, "place", *said.of("how many rows", layer)),
                       weights=_words.some(outs * ins, "weight", *said.size(layer, "weights.weight")))


def linear_short(layer: Layer, inputs: Inputs) -> str:
    outs, ins = layer.weights["weight"].shape
    return f"{_words.count(ins, *said.axis(layer, 1, 'weights.weight'))} → " \
        f"{_words.count(outs, *said.axis(layer, 0, 'weights.weight'))}"


def _linear_axes(settings: Mapping[str, Any], inputs: tuple[tuple[str, ...], ...],
                 shape: tuple[int, ...]) -> tuple[str, ...]:
    return (*inputs[0][:-1], "unit")


# --- embedding: a row of the table for each token -------------------------------------------------------------------

def embedding_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """One number of the row that belongs to the token."""
    token = int(inputs[0].output[cell[:-1]])
    at = one((token, cell[-1]))
    found = copied(taps(layer, "weights.weight", at, weight_cells=at), english("y = W[token]"))
    return Terms("copy", found.taps, found.result, formula=found.formula, met=(("token", float(token)),))


def embedding_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    raise LookupError(tr("{layer} reads whole numbers, and no gradient flows back to those."
                         ).format(layer=layer.name))


def embedding_weight(layer: Layer, inputs: Inputs, name: str, cell: Cell) -> Terms:
    """The gradient of every place that held this token; the padding token learns nothing."""
    row, unit = cell
    tokens = inputs[0].output
    places = np.argwhere(tokens == row) if row != _padding_row(layer) else np.zeros((0, tokens.ndim))
    share = 1.0 / len(places) if layer.settings.get("scale_grad_by_freq") and len(places) else 1.0
    cells = np.column_stack([places, np.full(len(places), unit)]).astype(np.int64)
    return added(gradient_taps(layer, cells, share), formula=english("∂L/∂W[token] = Σ ∂L/∂y"))


def _padding_row(layer: Layer) -> int | None:
    """The row that stands for nothing. `torch.embedding` writes −1 for none, where others count from the end."""
    row = layer.settings.get("padding_row", -1)
    index = layer.settings.get("padding_idx")
    return (int(row) if row >= 0 else None) if index is None else int(index) % len(layer.weights["weight"])


def embedding_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    return box[:-1]


def embedding_sentence(layer: Layer, inputs: Inputs) -> str:
    rows, units = layer.weights["weight"].shape
    return tr("Each of {tokens} is looked up in a table of {rows} and becomes the {numbers} of its row.").format(
        tokens=_words.some(inputs[0].output.size, "token", *said.size(inputs[0])),
        rows=_words.some(rows, "row", *said.axis(layer, 0, "weights.weight")),
        numbers=_words.some(units, "number", *said.axis(layer, 1, "weights.weight")))


def embedding_short(layer: Layer, inputs: Inputs) -> str:
    rows, units = layer.weights["weight"].shape
    return tr("{rows} rows of {size}").format(rows=_words.count(rows, *said.axis(layer, 0, "weights.weight")),
                                              size=_words.count(units, *said.axis(layer, 1, "weights.weight")))


def _embedding_axes(settings: Mapping[str, Any], inputs: tuple[tuple[str, ...], ...],
                    shape: tuple[int, ...]) -> tuple[str, ...]:
    return (*inputs[0], "unit")


# --- matmul, bmm, mm, addmm: rows of one times columns of the other -------------------------------------------------

@dataclass(frozen=True)
class _Product:
    """(…, i, k) times (…, k, j): the shapes with a row or a column axis given to those that are mere vectors."""

    layer: Layer
    left: Layer
    right: Layer

    @property
    def left_shape(self) -> tuple[int, ...]:
        return self.left.shape if self.left.output.ndim > 1 else (1, *self.left.shape)

    @property
    def right_shape(self) -> tuple[int, ...]:
        return self.right.shape if self.right.output.ndim > 1 else (*self.right.shape, 1)

    @property
    def lead(self) -> tuple[int, ...]:
        """Axes in front of rows and columns, broadcast."""
        return np.broadcast_shapes(self.left_shape[:-2], self.right_shape[:-2])

    def full(self, cell: Any, filled: Any = 0) -> tuple[Any, ...]:
        """An entry for each axis of the output (a cell, a box), with `filled` for an axis that it lacks."""
        entries = list(cell)
        if self.right.output.ndim == 1:
            entries.append(filled)
        if self.left.output.ndim == 1:
            entries.insert(len(entries) - 1, filled)
        return tuple(entries)

    def left_cells(self, lead: Cells, rows: Any, inner: Any) -> Cells:
        cells = np.column_stack(np.broadcast_arrays(*read_by(lead, self.left_shape[:-2]).T, rows, inner))
        return cells[:, -self.left.output.ndim:]

    def right_cells(self, lead: Cells, inner: Any, columns: Any) -> Cells:
        cells = np.column_stack(np.broadcast_arrays(*read_by(lead, self.right_shape[:-2]).T, inner, columns))
        return cells if self.right.output.ndim > 1 else cells[:, :1]

    def output_cells(self, full: Cells) -> Cells:
        kept = [*range(len(self.lead)), *([-2] if self.left.output.ndim > 1 else []),
                *([-1] if self.right.output.ndim > 1 else [])]
        return full[:, kept]


def matmul_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """A row of the left times a column of the right."""
    product = _product(layer, inputs)
    *lead, row, column = product.full(cell)
    inner = np.arange(product.left.shape[-1])
    leads = np.tile(np.array(lead, dtype=np.int64), (len(inner), 1))
    lefts, rights = product.left_cells(leads, row, inner), product.right_cells(leads, inner, column)
    alpha, beta = _factors(layer)
    met = taps(product.right, "output", rights)
    read = taps(product.left, "output", lefts, met.values * alpha, weight=product.right.name, weight_cells=rights)
    if len(inputs) == 2:
        return added(read, formula="y = Σ a·b")
    start = taps(inputs[0], "output", read_by(one(cell), inputs[0].shape, _batch(layer)), beta)
    return added(start, read, formula="y = β·c + α·Σ a·b")


def matmul_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """For a number of the left: all outputs of its row, times what stood across from it on the right; and reversed.

    Where one matrix was used for several others (broadcasting), all of them are added.
    """
    alpha, beta = _factors(layer)
    if len(inputs) == 3 and which == 0:
        cells, grid = readers_of(cell, inputs[0].shape, layer.shape, _batch(layer))
        return added(gradient_taps(layer, cells, beta, grid), formula="∂L/∂c = β·∂L/∂y")
    product = _product(layer, inputs)
    if which == len(inputs) - 2:
        *lead, row, inner = (0, *cell) if product.left.output.ndim == 1 else cell
        leads, _ = readers_of(tuple(lead), product.left_shape[:-2], product.lead)
        columns = np.arange(product.right_shape[-1])
        cells = np.column_stack([np.repeat(leads, len(columns), axis=0), np.full(len(leads) * len(columns), row),
                                 np.tile(columns, len(leads))])
        met, other = product.right_cells(cells[:, :-2], inner, cells[:, -1]), product.right
    else:
        *lead, inner, column = (*cell, 0) if product.right.output.ndim == 1 else cell
        leads, _ = readers_of(tuple(lead), product.right_shape[:-2], product.lead)
        rows = np.arange(product.left_shape[-2])
        cells = np.column_stack([np.repeat(leads, len(rows), axis=0), np.tile(rows, len(leads)),
                                 np.full(len(leads) * len(rows), column)])
        met, other = product.left_cells(cells[:, :-2], cells[:, -2], inner), product.left
    slopes = alpha * taps(other, "output", met).values
    read = gradient_taps(layer, product.output_cells(cells), slopes, weight=other.name, weight_cells=met)
    return added(read, formula="∂L/∂a = Σ ∂L/∂y·b" if other is product.right else "∂L/∂b = Σ ∂L/∂y·a")


def matmul_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    """Rows see rows, columns see columns, and everything between them is summed over."""
    if len(inputs) == 3 and which == 0:
        return box_read(box, inputs[0].shape, _batch(layer))
    product = _product(layer, inputs)
    *lead, row, column = product.full(box, (0, 0))
    between = (0, product.left.shape[-1] - 1)
    if which == len(inputs) - 2:
        return (*box_read(tuple(lead), product.left_shape[:-2]), row, between)[-product.left.output.ndim:]
    seen = (*box_read(tuple(lead), product.right_shape[:-2]), between, column)
    return seen if product.right.output.ndim > 1 else seen[:1]


def matmul_cost(layer: Layer, inputs: Inputs) -> Cost:
    return Cost(layer.parameters, layer.output.size * inputs[-2].shape[-1])


def matmul_sentence(layer: Layer, inputs: Inputs) -> str:
    left, right = inputs[-2:]
    does = tr("Each number is a row of {left} times a column of {right}, added to {third}: {products} each.") \
        if len(inputs) == 3 else tr("Each number is a row of {left} times a column of {right}: {products} each.")
    return does.format(left=left.name, right=right.name, third=inputs[0].name,
                       products=_words.some(left.shape[-1], "product", *said.axis(left, left.output.ndim - 1)))


def matmul_short(layer: Layer, inputs: Inputs) -> str:
    left, right = inputs[-2:]
    return f"({said.lengths(left)}) · ({said.lengths(right)})"


def _matmul_axes(settings: Mapping[str, Any], inputs: tuple[tuple[str, ...], ...],
                 shape: tuple[int, ...]) -> tuple[str, ...]:
    left, right = inputs[-2:]
    longer = left if len(left) >= len(right) else right
    return (*longer[:-2], *left[-2:-1], *(right[-1:] if len(right) > 1 else ()))


def _product(layer: Layer, inputs: Inputs) -> _Product:
    """The two matrices; LookupError if, without a batch axis, they are none whose product is the output."""
    product = _Product(layer, *inputs[-2:])
    try:
        rows, columns = product.left_shape[-2], product.right_shape[-1]
        fits = product.left_shape[-1] == product.right_shape[-2] \
            and product.full(layer.shape, 1) == (*product.lead, rows, columns)
    except ValueError:
        fits = False
    if not fits:
        raise LookupError(tr("{layer} multiplies {shape} with {other} along its batch axis, which is not explained."
                             ).format(layer=layer.name, shape=product.left.shape, other=product.right.shape))
    return product


def _factors(layer: Layer) -> tuple[float, float]:
    return float(layer.settings.get("alpha", 1.0)), float(layer.settings.get("beta", 1.0))


def _batch(layer: Layer) -> int | None:
    found: int | None = layer.settings.get("batch", 0)
    return found


_MATMUL = {"matmul": "input other", "__matmul__": "input other", "mm": "input mat2",
           "bmm": "input mat2", "mv": "input vec", "dot": "input other"}
KINDS = (
    Kind("linear", english("dense layer"), {"linear": "input weight bias"}, _linear_axes, linear_terms, linear_backward,
         linear_box, linear_sentence, linear_weight, linear_cost, short=linear_short, role="weighted",
         back=english("dense layer, turned around")),
    Kind("embedding", english("embedding"),
         {"embedding": "input weight padding_idx max_norm norm_type scale_grad_by_freq sparse",
          "torch.embedding": "weight input padding_row scale_grad_by_freq sparse"}, _embedding_axes,
         embedding_terms, embedding_backward, embedding_box, embedding_sentence, embedding_weight,
         short=embedding_short, role="table", wants=("step",)),
    Kind("matmul", english("matrix product"), _MATMUL, _matmul_axes, matmul_terms, matmul_backward, matmul_box,
         matmul_sentence, cost=matmul_cost, short=matmul_short),
    Kind("addmm", english("matrix product and sum"), {"addmm": "input mat1 mat2 beta alpha"},
         _matmul_axes, matmul_terms, matmul_backward, matmul_box, matmul_sentence, cost=matmul_cost,
         short=matmul_short),
)
