"""What a file may ask for, by name; one file a family, and nothing that is not listed in one of them is ever run."""

from __future__ import annotations

from visualizer.record.formats.onnx.operators import (  # noqa: F401
    attention,
    chance,
    matrices,
    norms,
    pointwise,
    quantised,
    recurrent,
    shapes,
    signal,
    windows,
)
from visualizer.record.formats.onnx.operators._table import TABLE, Operator, TooLarge

__all__ = ["CONTROL", "TABLE", "Operator", "TooLarge"]
CONTROL = frozenset({"If", "Loop", "Scan", "SequenceMap"})
"""Those that run a graph inside: the module runs it."""
