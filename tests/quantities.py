"""What a number in a sentence may claim to be, worked out from the recording alone: the oracle of test_sentences.

Nothing of the project is imported but the nouns of the recording; every function takes (trace, said) and gives the
number that should have been written. A quantity is named as a person would say it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np

from visualizer.trace import Layer, Trace

QUANTITIES: dict[str, Callable[[Trace, Any], float]] = {}
"""Name -> how it is worked out."""


def quantity(name: str) -> Callable[[Callable[[Trace, Any], float]], Callable[[Trace, Any], float]]:
    def added(work: Callable[[Trace, Any], float]) -> Callable[[Trace, Any], float]:
        assert name not in QUANTITIES, name
        QUANTITIES[name] = work
        return work

    return added


# --- arrays -----------------------------------------------------------------------------------------------------------

def array(trace: Trace, said: Any) -> np.ndarray:
    """The array that is spoken of, in float64, cut down to the cell and the step that are named."""
    layer = trace[said.layer]
    found = _named(layer, said.array or "output")
    found = np.asarray(found, np.float64)
    if said.step is not None:
        found = found[said.step]
    return found[said.cell] if said.cell else found


def gradient(trace: Trace, said: Any) -> np.ndarray:
    """∂L/∂ the array that is spoken of."""
    group, _, key = (said.array or "output").partition(".")
    of = {"output": "gradient", "inner": f"inner_gradients.{key}", "weights": f"weight_gradients.{key}"}.get(
        group, said.array)
    return array(trace, said._replace(array=of))


def _named(layer: Layer, name: str) -> Any:
    if name in ("output", "gradient"):
        return getattr(layer, name)
    group, _, key = name.partition(".")
    return getattr(layer, group)[key]


def norm(values: np.ndarray) -> float:
    top = float(np.abs(values).max(initial=0.0))
    return top * float(np.sqrt(np.square(values / top).sum())) if 0 < top < np.inf else top


# --- counts and places ------------------------------------------------------------------------------------------------

quantity("how many")(lambda trace, said: array(trace, said).size)
quantity("how many above 0")(lambda trace, said: int((array(trace, said) > 0).sum()))
quantity("how many not 0")(lambda trace, said: int(np.count_nonzero(array(trace, said))))
quantity("how many exactly 0")(lambda trace, said: int((array(trace, said) == 0).sum()))
quantity("how many below 0")(lambda trace, said: int((array(trace, said) < 0).sum()))
quantity("share exactly 0")(lambda trace, said: float((array(trace, said) == 0).mean()))
quantity("share below 0")(lambda trace, said: float((array(trace, said) < 0).mean()))
quantity("how many gradients")(lambda trace, said: gradient(trace, said).size)
quantity("how many gradients not 0")(lambda trace, said: int(np.count_nonzero(gradient(trace, said))))


@quantity("how many brighter than the darkest")
def brighter(trace: Trace, said: Any) -> float:
    """Of a picture: numbers above the smallest of all."""
    values = array(trace, said)
    return int((values > values.min()).sum())


@quantity("length of axis")
def length(trace: Trace, said: Any) -> float:
    """`cell` is (number of the axis,)."""
    return trace[said.layer].shape[said.cell[0]]


@quantity("index")
def index(trace: Trace, said: Any) -> float:
    """Row 3, channel 7: the last of the indices in `cell`, which must lie inside; they count from 0 on the screen."""
    assert all(0 <= i < n for i, n in zip(said.cell, trace[said.layer].shape, strict=False)), said
    return said.cell[-1]


@quantity("step")
def step(trace: Trace, said: Any) -> float:
    """Counted from 1 on the screen; it must be one that there is."""
    assert 0 <= said.step < steps(trace, said.layer), said
    return said.step + 1


@quantity("how many steps")
def how_many_steps(trace: Trace, said: Any) -> float:
    return steps(trace, said.layer)


def steps(trace: Trace, name: str) -> int:
    layer = trace[name]
    return layer.shape[layer.axes.index("step")] if "step" in layer.axes else len(trace.sample.steps)


@quantity("how many layers")
def how_many_layers(trace: Trace, said: Any) -> float:
    return len(trace.layers)


# --- values -----------------------------------------------------------------------------------------------------------

quantity("value")(lambda trace, said: float(array(trace, said)))
quantity("gradient")(lambda trace, said: float(gradient(trace, said)))
quantity("largest")(lambda trace, said: float(array(trace, said).max()))
quantity("smallest")(lambda trace, said: float(array(trace, said).min()))
quantity("mean")(lambda trace, said: float(array(trace, said).mean()))
quantity("spread")(lambda trace, said: float(array(trace, said).std()))
quantity("largest size")(lambda trace, said: float(np.abs(array(trace, said)).max()))
quantity("norm")(lambda trace, said: norm(array(trace, said)))
quantity("norm of gradient")(lambda trace, said: norm(gradient(trace, said)))
quantity("largest size of gradient")(lambda trace, said: float(np.abs(gradient(trace, said)).max()))
quantity("word read")(lambda trace, said: float("nan"))
quantity("label")(lambda trace, said: float("nan"))
quantity("objective")(lambda trace, said: trace.objective.value)
quantity("setting")(lambda trace, said: _setting(trace, said))


def _setting(trace: Trace, said: Any) -> float:
    """A plain value of the operation, named by `array`; of several the one at `cell`."""
    found = trace[said.layer].settings[said.array]
    return float(found[said.cell[0]] if said.cell and isinstance(found, tuple | list) else found)


# --- words ------------------------------------------------------------------------------------------------------------

WORDS = {"no": 0, "none": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
         "nine": 9}
RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
NUMBER = re.compile(r"(?P<digits>[+−-]?[\d,]*\.?\d+)(?: × 10(?P<power>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?(?P<percent> ?%)?")


def read(text: str) -> tuple[float, float]:
    """The number that words stand for, and half of its last digit: how far the true one may be from it."""
    plain = text.strip()
    if plain.lower() in WORDS:
        return WORDS[plain.lower()], 0.0
    if plain in ("NaN", "∞", "+∞", "−∞"):
        return float(plain.replace("∞", "inf").replace("−", "-")), 0.0
    found = NUMBER.fullmatch(plain)
    assert found, f"{text!r} is no number"
    digits = Decimal(found["digits"].replace(",", "").replace("−", "-"))
    scale = Decimal(10) ** int((found["power"] or "⁰").translate(RAISED)) / (100 if found["percent"] else 1)
    places = digits.as_tuple().exponent
    return float(digits * scale), float(Decimal(10) ** int(places) * scale / 2)


def agrees(trace: Trace, said: Any) -> bool:
    """Whether what was said is true, as far as its digits go; the last one may be rounded either way, for torch and
    numpy add in another order."""
    if said.quantity == "word read":  # at a step
        return bool(trace.sample.steps[said.step] == said.text)
    if said.quantity == "label":  # of a class, the last index of the cell
        return bool(trace.labels[said.cell[-1]] == said.text)
    number, half = read(said.text)
    right = float(QUANTITIES[said.quantity](trace, said))
    if not np.isfinite(right) or not np.isfinite(number):
        return right == number or (np.isnan(right) and np.isnan(number))
    return abs(right - number) <= half * 1.001 + 2e-6 * abs(right)
