"""What a number in a sentence may claim to be, worked out from the recording alone: the oracle of test_sentences.

Nothing of the project is imported but the nouns of the recording, and which operations are the gates of a layer that
was written by hand; every function takes (trace, said) and gives the
number that should have been written. A quantity is named as a person would say it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np

from visualizer.scene.chains import chains
from visualizer.trace import Layer, Trace

QUANTITIES: dict[str, Callable[[Trace, Any], float]] = {}
"""Name -> how it is worked out."""


def quantity(name: str) -> Callable[[Callable[[Trace, Any], float]], Callable[[Trace, Any], float]]:
    def added(work: Callable[[Trace, Any], float]) -> Callable[[Trace, Any], float]:
        assert name not in QUANTITIES, name
        QUANTITIES[name] = work
        return work

    return added


TEXTS: dict[str, Callable[[Trace, Any], str]] = {}
"""The same of what is a word or a text itself, and has to stand there letter by letter."""


def words(name: str) -> Callable[[Callable[[Trace, Any], str]], Callable[[Trace, Any], str]]:
    def added(work: Callable[[Trace, Any], str]) -> Callable[[Trace, Any], str]:
        assert name not in TEXTS, name
        TEXTS[name] = work
        return work

    return added


# --- layers -----------------------------------------------------------------------------------------------------------

def layer_of(trace: Trace, name: str) -> Layer:
    """A layer of the recording; `d.steps` is made of the call `d` of a cell, the one that starts from its state, and so
    on, or of the operations of gates that were written by hand."""
    if name in trace:
        return trace[name]
    first = name.removesuffix(".steps")
    return _calls(trace, first) if trace[first].inner else _by_hand(trace, name)


@lru_cache(maxsize=4)
def _by_hand(trace: Trace, name: str) -> Layer:
    """The layer as the project puts it together, if all its gates and states, and what came back to them, are numbers
    that stand in the recording side by side."""
    layer: Layer = next(chain.trace[name] for chain in chains(trace) if chain.name == name)
    outputs = [each.output.ravel() for each in trace]
    gradients = [each.gradient.ravel() for each in trace if each.gradient is not None]
    for key, rows in layer.inner.items():
        assert all(_stands(row, outputs) for row in rows), (name, key)
    for key, rows in layer.inner_gradients.items():
        made = "direct" in key or "initial" in key  # what is left of a sum, or goes into one
        assert made or all(_stands(row, gradients) or not row.any() for row in rows), (name, key)
    return layer


def _stands(row: np.ndarray, arrays: list[np.ndarray]) -> bool:
    """Whether numbers stand side by side in one of some arrays, as far as another order of adding up allows."""
    near = 1e-6 * float(np.abs(row).max(initial=0.0))
    return any(np.isclose(np.lib.stride_tricks.sliding_window_view(array, row.size), row, 1e-5, near, True).all(
        axis=1).any() for array in arrays if array.size >= row.size)


def _calls(trace: Trace, first: str) -> Layer:
    """All calls of a module, if what the later ones start from is made of what the earlier ones made; what other layers
    made of it between the steps is handed back as the project says, which test_chains compares with torch."""
    module, dot, level = first.partition(".l") if first.rpartition(".l")[2].isdigit() else (first, "", "")
    calls = [layer for layer in trace.layers if layer.kind == trace[first].kind and re.fullmatch(
        re.escape(module) + r"(#\d+)?" + re.escape(dot + level), layer.name)]
    grads = {key: np.concatenate([call.inner_gradients.get(key, 0 * array) for call in calls])
             for each in calls for key, array in each.inner_gradients.items()}
    begins = {state: [call.reads[1 + (state == "cell" and call.settings.get("initial_hidden") == "read")]
                      if call.settings.get(f"initial_{state}") == "read" else "" for call in calls]
              for state in ("hidden", "cell")}
    made = {name: trace[_origin(trace, name)] for names in begins.values() for name in names if name}
    changed = any(name and call.name != made[name].name and not (
        made[name].kind.endswith("state") and call.name in made[name].reads)
        for names in begins.values() for call, name in zip(calls, names[1:], strict=False))
    if changed:
        own = next(chain.trace[chain.name] for chain in chains(trace) if chain.name == f"{first}.steps")
        grads |= {key: own.inner_gradients[key] for key in grads if key.endswith("_direct")}
    for state in () if changed else ("hidden", "cell"):  # from outside comes what the next call does not hand back
        if f"{state}_direct" in grads and f"initial_{state}" in grads:
            grads[f"{state}_direct"] = grads[f"{state}_direct"] - np.concatenate(
                [*(call.inner_gradients.get(f"initial_{state}", np.zeros((1, grads[state].shape[1])))
                   for call in calls[1:]), np.zeros((1, grads[state].shape[1]))])
    starts = sum(calls[0].settings.get(f"initial_{state}") == "read" for state in ("hidden", "cell"))
    return replace(calls[0], kind=calls[0].kind.removesuffix("_cell"), axes=("step", "unit"), gradient=None,
                   output=np.concatenate([call.inner["hidden"] for call in calls]),
                   settings={**calls[0].settings, "one_by_one": True, "begins": begins},
                   reads=(*(call.reads[0] for call in calls), *calls[0].reads[len(calls[0].reads) - starts:]),
                   inner={key: np.concatenate([call.inner[key] for call in calls]) for key in calls[0].inner},
                   inner_gradients={key: array for key, array in grads.items() if not key.startswith("initial_")})


def _origin(trace: Trace, name: str) -> str:
    """The layer whose numbers another hands on as they are."""
    layer = trace[name]
    while len(layer.reads) == 1 and not layer.weights and np.array_equal(layer.output.ravel(),
                                                                          trace[layer.reads[0]].output.ravel()):
        layer = trace[layer.reads[0]]
    return layer.name


# --- arrays -----------------------------------------------------------------------------------------------------------

def array(trace: Trace, said: Any) -> np.ndarray:
    """The array that is spoken of, in float64, cut down to the cell and the step that are named."""
    found = np.asarray(whole_array(trace, said), np.float64)
    if said.step is not None:
        found = found[said.step]
    return found[said.cell] if said.cell else found


def whole_array(trace: Trace, said: Any) -> np.ndarray:
    """All of it: of a layer, or `studies jacobian lstm/values`, what a study measured."""
    if said.array.startswith("studies "):
        _, study, key = said.array.split(" ", 2)
        return _flow(trace, key) if study == "flow" and key not in trace.studies.get("flow", {}) else \
            np.asarray(trace.studies[study][key])
    return np.asarray(_named(layer_of(trace, said.layer), said.array or "output"))


def _flow(trace: Trace, key: str) -> np.ndarray:
    """Sizes of what was recorded itself, layer by layer, where they were not measured once more in float64."""
    def together(arrays: Any) -> float:
        parts = [np.asarray(array, np.float64).ravel() for name, array in arrays.items()
                 if "bias" not in name and not name.startswith("initial")]
        return norm(np.concatenate(parts)) if parts else np.nan

    def stretch(layer: Layer) -> float:
        weight = np.asarray(layer.weights.get("weight", np.zeros(0)), np.float64)
        return float(np.linalg.norm(weight, 2)) if weight.ndim == 2 else np.nan

    if "/" in key:  # step by step
        name, _, what = key.rpartition("/")
        layer = layer_of(trace, name)
        if what == "spectrum":
            matrix = np.asarray(layer.weights["weight_hh"], np.float64)
            return np.array([np.abs(np.linalg.eigvals(matrix)).max(), np.linalg.norm(matrix, 2)])
        rows = layer.inner_gradients[{"last": "hidden", "last_cell": "cell"}.get(what, what)]
        return np.array([norm(np.asarray(row, np.float64)) for row in rows])
    of = {"gradient": lambda layer: np.nan if layer.gradient is None else norm(np.asarray(layer.gradient, np.float64)),
          "weight_gradient": lambda layer: together(layer.weight_gradients),
          "spread": lambda layer: float(np.asarray(layer.output, np.float64).std()), "stretch": stretch}
    return np.array([of[key](layer) if layer.output.ndim or key == "stretch" else np.nan for layer in trace])


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
    return whole_array(trace, said).shape[said.cell[0]]


quantity("last index of axis")(lambda trace, said: length(trace, said) - 1)


@quantity("index")
def index(trace: Trace, said: Any) -> float:
    """Row 3, channel 7: the last of the indices in `cell`, which must lie inside; they count from 0 on the screen."""
    shape = _named(layer_of(trace, said.layer), said.array or "output").shape
    assert all(0 <= i < n for i, n in zip(said.cell, shape, strict=False)), said
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
    layer = layer_of(trace, name)
    if layer.inner:
        return len(layer.inner["hidden"])
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
quantity("objective")(lambda trace, said: trace.objective.value)
quantity("setting")(lambda trace, said: _setting(trace, said))


def _setting(trace: Trace, said: Any) -> float:
    """A plain value of the operation, named by `array`; of several the one at `cell`."""
    found = layer_of(trace, said.layer).settings[said.array]
    return float(found[said.cell[0]] if said.cell and isinstance(found, tuple | list) else found)


# --- axes and colours -------------------------------------------------------------------------------------------------

@quantity("tick")
def tick(trace: Trace, said: Any) -> float:
    """`array` is the number and the two ends of its axis, which it lies between."""
    value, low, high = map(float, re.split(" in | … ", said.array))
    assert low <= value <= high, said
    return value


quantity("low end of a scale")(lambda trace, said: _scale(trace, said)[0])
quantity("high end of a scale")(lambda trace, said: _scale(trace, said)[1])


def _scale(trace: Trace, said: Any) -> tuple[float, float]:
    """What the first and the last colour stand for; `array` is what is coloured, of one layer or of all."""
    if said.array in MEASURED:
        study, key, decades = MEASURED[said.array]
        of = re.sub("^W_hh of |, by where it entered$", "", said.layer) + "/" if study == "bptt" else ""
        if study == "bptt" or said.layer in ("what is read", "leaving a step out"):
            top = _top(trace.studies[study][f"{of}{key}"]) or 1.0
            return top * 10.0 ** -decades if decades else -top, top
    if said.array == "probability":
        return 0.0, 1.0
    if said.array == "pixels":
        found = _finite(layer_of(trace, said.layer).output)
        return found.min(), found.max()
    if said.array == "size of the gradient":
        top = max((_top(layer.gradient) for layer in trace if layer.output.ndim and layer.gradient is not None),
                  default=0.0)
        for layer in trace:  # what symbols were turned into, each as a whole
            if layer.is_input and layer.gradient is None and layer.output.ndim == 1:
                tables = (table for table in trace.readers(layer.name)
                          if table.kind == "embedding" and table.gradient is not None)
                top = max([top, *(norm(np.asarray(row, np.float64)) for table in tables for row in table.gradient)])
        return (top or 1.0) / 1000, top or 1.0
    layers = [layer_of(trace, said.layer)] if said.layer else [layer for layer in trace if not layer.is_input]
    if said.array == "size of ∂L/∂w":
        top = _top(layers[0].weight_gradients["weight"]) or 1.0
        return top / 1000, top
    top = max(_top(layer.weights["weight"] if said.array == "weights" else layer.output) for layer in layers
              if layer.output.ndim or said.array == "weights") or 1.0
    return -top, top


MEASURED = {"size of the gradient": ("connectivity", "gradient", 4),
            "change of the logit": ("connectivity", "change", 0),
            "size of G": ("bptt", "corner", 4), "size of ∂L/∂h": ("bptt", "from", 6)}
"""What is coloured of what a study measured: its array, and over how many powers of ten, or to either side of 0."""
quantity("decades")(lambda trace, said: MEASURED[said.array][2])


def _finite(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, np.float64)[np.isfinite(values)]


def _top(values: np.ndarray) -> float:
    return float(np.abs(_finite(values)).max(initial=0.0))


# --- words ------------------------------------------------------------------------------------------------------------

WORDS = {"no": 0, "none": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
         "nine": 9}
RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
NUMBER = re.compile(r"(?P<digits>[+−-]?[\d,]*\.?\d+)(?: × 10(?P<power>[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+))?(?P<percent> ?%)?")


def read(text: str) -> tuple[float, float]:
    """The number that words stand for, and half of its last digit: how far the true one may be from it."""
    plain = text.strip()
    if plain.startswith("≈"):  # beside others, of which the last digit is as small
        return read(plain[1:])[0], 0.05
    if plain.lower() in WORDS:
        return WORDS[plain.lower()], 0.0
    if plain.removesuffix(" %") in ("NaN", "∞", "+∞", "−∞"):
        return float(plain.removesuffix(" %").replace("∞", "inf").replace("−", "-")), 0.0
    if alone := re.fullmatch(r"10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", plain):  # on an axis
        return 10.0 ** int(alone[1].translate(RAISED)), 0.0
    if "/" in plain:
        above, below = map(float, plain.split("/"))
        return above / below, 0.0
    found = NUMBER.fullmatch(plain)
    assert found, f"{text!r} is no number"
    digits = Decimal(found["digits"].replace(",", "").replace("−", "-"))
    scale = Decimal(10) ** int((found["power"] or "⁰").translate(RAISED)) / (100 if found["percent"] else 1)
    places = digits.as_tuple().exponent
    return float(digits * scale), float(Decimal(10) ** int(places) * scale / 2)


def worked_out(trace: Trace, said: Any) -> float | str:
    """What should have been said."""
    return TEXTS[said.quantity](trace, said) if said.quantity in TEXTS else \
        float(QUANTITIES[said.quantity](trace, said))


def agrees(trace: Trace, said: Any) -> bool:
    """Whether what was said is true, as far as its digits go; the last one may be rounded either way, for torch and
    numpy add in another order."""
    right = worked_out(trace, said)
    if isinstance(right, str):
        return right == said.text
    number, half = read(said.text)
    if not np.isfinite(right) or not np.isfinite(number):
        return right == number or (np.isnan(right) and np.isnan(number))
    return abs(right - number) <= half * 1.001 + 2e-6 * abs(right)
