"""Quantities of the terms that one number is made of, worked out from the recording with numpy alone: the part of
tests/quantities.py about what the microscope shows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.quantities import array, gradient, quantity
from visualizer.trace import Trace


def _around(trace: Trace, said: Any) -> np.ndarray:
    return array(trace, said._replace(cell=())).ravel()


@quantity("less the largest")
def less_the_largest(trace: Trace, said: Any) -> float:
    values = _around(trace, said)
    return float(values[said.cell[0]] - values.max())


quantity("exponential")(lambda trace, said: float(np.exp(array(trace, said))))
quantity("exponential less the largest")(lambda trace, said: float(np.exp(less_the_largest(trace, said))))
quantity("share by softmax")(lambda trace, said: float(np.exp(less_the_largest(trace, said)) / total(trace, said)))
quantity("logarithm of the share")(lambda trace, said: float(less_the_largest(trace, said)
                                                            - np.log(total(trace, said))))
quantity("label as a number")(lambda trace, said: float(said.cell == (trace.objective.target,)))


@quantity("sum of exponentials")
def total(trace: Trace, said: Any) -> float:
    values = _around(trace, said)
    return float(np.exp(values - values.max()).sum())


@quantity("gradient handed back")
def handed_back(trace: Trace, said: Any) -> float:
    """Of the one that read it all that it got; of several what softmax hands on."""
    readers = [reader for reader in trace.readers(said.layer) if reader.gradient is not None or reader.kind == "loss"]
    if len(readers) <= 1:
        return float(gradient(trace, said).ravel()[0])
    reader = next(reader for reader in readers if reader.kind in ("softmax", "log_softmax"))
    came, p = np.asarray(reader.gradient, np.float64).ravel(), np.exp(_around(trace, said))
    p /= p.sum()
    at = said.cell[0]
    return float(p[at] * (came[at] - came @ p) if reader.kind == "softmax" else came[at] - p[at] * came.sum())


quantity("factor")(lambda trace, said: float(said.array))


@quantity("product in a unit")
def product(trace: Trace, said: Any) -> float:
    """A value that was read times what it met there; both stand in the recording, or the second is a plain factor."""
    unit, what, read, kind, layer, cell, held = said.array.split("|")
    value = 0.0 if what == "zero" else float((gradient if what == "gradient" else array)(
        trace, said._replace(array=read)))
    there = said._replace(layer=layer, cell=tuple(map(int, filter(None, cell.split(",")))), array=held)
    weight = {"factor": lambda: float(held), "zero": lambda: 0.0, "value": lambda: float(array(trace, there)),
              "gradient": lambda: float(gradient(trace, there))}[kind]()
    return value * weight / float(unit)
