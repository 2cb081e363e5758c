"""What a card says: its one sentence, and the names of cells."""

from __future__ import annotations

import numpy as np

from visualizer import kinds
from visualizer.kinds import Terms, pointwise
from visualizer.scene import numbers
from visualizer.trace import Cell, Layer, Trace

CURVES = frozenset(kind.name for kind in pointwise.KINDS if "dropout" not in kind.name and not kind.moves_only)
"""Operations that are one function of one number: they have a curve."""


def cell_words(trace: Trace, name: str, cell: Cell) -> str:
    """`(3, 5)` of a map, `channel 0 (1, 2)`, `unit 17`; through a flatten the place it came from."""
    layer = trace[name]
    if len(cell) == 3:
        return f"ch {cell[0]} ({cell[1]}, {cell[2]})"
    if len(cell) == 1:
        return f"{layer.axes[0] if layer.axes else 'number'} {cell[0]}"
    return f"({', '.join(map(str, cell))})"


def where(layer: Layer, cell: Cell) -> str:
    if len(cell) == 3:
        return f"channel {cell[0]}, pixel ({cell[1]}, {cell[2]})"
    if not cell:
        return ""
    return ", ".join(f"{axis} {index}" for axis, index in zip(layer.axes, cell, strict=True))


def plain_sentence(layer: Layer, cell: Cell, value: float, prefix: str = "") -> str:
    return f"{prefix}{layer.name}, {where(layer, cell)}, is {{{numbers.significant(value, 4)}}}."


def forward_sentence(trace: Trace, layer: Layer, cell: Cell, value: float, terms: Terms) -> str:
    count = sum(len(taps.values) for taps in terms.taps)
    said = numbers.number(value) if abs(value) >= 0.01 or value == 0 else numbers.significant(value, 3)
    if not np.isfinite(value):
        return f"{layer.name}, {where(layer, cell)}, is {{{said}}}: not a finite number, so its terms are not either."
    if layer.kind in ("cross_entropy", "nll_loss") and trace.objective.target is not None:
        target = trace.objective.target
        return f"The loss is −ln of the share of {_class(trace, (target,))}: {{{numbers.number(value, 4)}}}."
    if terms.op == "max":
        return f"The largest of {count} numbers goes on: {{{said}}}; the other {count - 1} do not."
    kind = kinds.of(layer)
    if terms.op == "copy" or (kind is not None and kind.moves_only):
        source = terms.taps[0]
        came = cell_words(trace, source.source, tuple(int(i) for i in source.cells[0]))
        return f"Nothing is computed: {layer.name} {where(layer, cell)} is {source.source} {came}, {{{said}}}."
    if layer.kind in CURVES:
        x = float(terms.taps[0].values[0])
        tail = ""
        if layer.kind == "relu":
            tail = ": it is above zero, so ReLU keeps it" if x > 0 else ": it is not above zero, so ReLU makes it 0"
        return f"{numbers.number(x)} goes in, {{{said}}} comes out{tail}."
    if layer.kind == "softmax":
        return (f"{numbers.percent(value)} of the exponentials belong to {_class(trace, cell)}: p = "
                f"{{{numbers.number(value, 3)}}}.")
    if layer.output.ndim == 0:
        return f"{layer.name} is {{{numbers.number(value, 4)}}}."
    if terms.op == "sum" and count > 1:
        follows = trace.readers(layer.name)
        tail = ""
        if len(follows) == 1 and follows[0].kind == "relu":
            tail = ". ReLU keeps it, because it is above zero" if value > 0 else \
                ". ReLU makes it 0, because it is not above zero"
        what = "pixel" if len(cell) == 3 else "number"
        bias = ", plus the bias," if terms.bias is not None else ""
        return f"{numbers.count(count)} products{bias} make one {what}: {{{said}}}{tail}."
    return f"{layer.name}, {where(layer, cell)}, is {{{said}}}."


def _class(trace: Trace, cell: Cell) -> str:
    return f"class {trace.labels[cell[0]] if cell and cell[0] < len(trace.labels) else cell}"


def hands_sentence(value: float) -> str:
    if value == 0:
        return ("This number hands back {0}: nothing downstream depends on it here, so its weights and inputs get "
                "nothing from it.")
    return (f"It hands back {{{gradient_words(value)}}}: each weight gets it times the input it saw, each input gets "
            "it times the weight it met.")


def arrival_sentence(layer: Layer, cell: Cell, value: float, arrived: tuple[tuple[str, Terms], ...]) -> str:
    count = sum(len(taps.values) for _, terms in arrived for taps in terms.taps)
    readers = ", ".join(name for name, _ in arrived)
    if not arrived:
        return f"∂L/∂{layer.name} at {where(layer, cell) or 'its one number'} is {{{gradient_words(value)}}}."
    terms = f"{numbers.count(count)} term{'s' if count != 1 else ''}"
    return f"∂L/∂{layer.name} at {where(layer, cell)} is {{{gradient_words(value)}}}: {terms} handed back by {readers}."


def gradient_words(value: float) -> str:
    return numbers.signed(value, 4) if abs(value) >= 1e-3 or value == 0 else numbers.power(value)
