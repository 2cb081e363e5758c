"""Complex numbers: each is two real ones, which stand side by side on a last axis of their own, `part`.

So every number that is shown, added up or differentiated is real: ∂L/∂z is the pair ∂L/∂re, ∂L/∂im, as torch has it.
A call that is given complex numbers is explained by the kind that lists it with `complex ` in front of its name; one
that makes them of real ones by a kind with `parts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import said
from visualizer.kinds import Box, Inputs, Kind, Taps, Terms, _words
from visualizer.kinds._broadcast import box_read, read_by, readers_of
from visualizer.kinds._dims import axis_of, batch_of, longest_names, tuple_of
from visualizer.kinds._elementwise import Operation, operands_of, sentence
from visualizer.kinds._taps import Cells, Numbers, added, gradient_taps, grid_of, one, taps, weighed, whole
from visualizer.language import english, tr, translated
from visualizer.trace import PART, Cell, Layer

Settings = Mapping[str, Any]
Names = tuple[str, ...]
REAL, IMAGINARY = 0, 1


def holds_parts(layer: Layer) -> bool:
    """Whether its numbers are complex."""
    return layer.axes[-1:] == (PART,)


def plain_shape(layer: Layer) -> tuple[int, ...]:
    """Its shape as torch has it, a complex number counted as one."""
    return layer.shape[:-1] if holds_parts(layer) else layer.shape


# --- place by place ---------------------------------------------------------------------------------------------------

def operation_terms(operation: Operation, layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """Both parts of each operand, and what they make."""
    at, part = _split(layer, cell)
    parts, read = _parts(operation, layer, inputs, one(at))
    if not operation.adds:
        result = float(operation.value(*parts, layer.settings)[part][0])
        return Terms("function", tuple(read.values()), result, formula=operation.formula)
    weights = operation.slopes(*parts, layer.settings)[part]
    plain = sum(float(weights[number] * parts[number][0]) for number in range(len(parts)) if number not in read)
    return added(*(weighed(tap, weights[number]) for number, tap in read.items()), bias=plain or None,
                 formula=operation.formula)


def operation_backward(operation: Operation, layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """The gradient of each part that was made, times its slope; over all places where the number was used."""
    source = inputs[which]
    at, part = _split(source, cell)
    places, _ = readers_of(at, plain_shape(source), plain_shape(layer), batch_of(layer.settings, which))
    parts, _ = _parts(operation, layer, inputs, places)
    slopes = operation.slopes(*parts, layer.settings)
    column = 2 * [operand.which for operand in operands_of(operation, layer, inputs)].index(which) + part
    read = [gradient_taps(layer, _with_part(layer, places, made), row[column]) for made, row in enumerate(slopes)]
    return added(*read, formula="∂L/∂a = Σ ∂L/∂y·∂y/∂a")


def operation_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    inside = box[:-1] if holds_parts(layer) else box
    found = box_read(inside, plain_shape(inputs[which]), batch_of(layer.settings, which))
    return (*found, (0, 1)) if holds_parts(inputs[which]) else found


def _parts(operation: Operation, layer: Layer, inputs: Inputs, places: Cells) -> tuple[list[Numbers], dict[int, Taps]]:
    """(re, im) of each operand in these places, and by its number among the parts what was read for it."""
    found: list[Numbers] = []
    read: dict[int, Taps] = {}
    for operand in operands_of(operation, layer, inputs):
        if operand.which is None:
            found += [np.full(len(places), operand.plain), np.full(len(places), operand.imaginary)]
            continue
        source = inputs[operand.which]
        at = read_by(places, plain_shape(source), batch_of(layer.settings, operand.which))
        for part in (REAL, IMAGINARY) if holds_parts(source) else (REAL,):
            read[len(found)] = taps(source, "output", _with_part(source, at, part))
            found.append(read[len(found)].values)
        if not holds_parts(source):
            found.append(np.zeros(len(places)))
    return found, read


def _split(layer: Layer, cell: Cell) -> tuple[Cell, int]:
    """A cell without its part, and which part it is; a real number is its own real part."""
    return (cell[:-1], cell[-1]) if holds_parts(layer) else (cell, REAL)


def _with_part(layer: Layer, places: Cells, part: int) -> Cells:
    """One part of the numbers in these places; the real part of real ones is they themselves."""
    return np.column_stack([places, np.full(len(places), part)]) if holds_parts(layer) else places


def _over(number: Numbers, size: Numbers) -> Numbers:
    """0 where there is nothing to divide by, as torch has it."""
    return np.divide(number, size, out=np.zeros_like(number), where=size > 0)


def _alpha(s: Settings) -> float:
    return float(s.get("alpha", 1.0))


_ONE, _TWO = ("input",), "input other"
OPERATIONS = (
    Operation("magnitude", english("magnitude"), {"complex abs": "input", "complex __abs__": "input"}, "",
              english("The magnitude of each complex number of {a}, without its angle: values lie {spread}."),
              lambda re, im, s: (np.hypot(re, im),),
              lambda re, im, s: ((_over(re, np.hypot(re, im)), _over(im, np.hypot(re, im))),), _ONE,
              formula="y = √(re² + im²)"),
    Operation("angle", english("angle"), {"complex angle": "input"}, "",
              english("The angle of each complex number of {a}, in radians: values lie {spread}."),
              lambda re, im, s: (np.arctan2(im, re),),
              lambda re, im, s: ((_over(-im, np.hypot(re, im) ** 2), _over(re, np.hypot(re, im) ** 2)),), _ONE,
              formula="y = atan2(im, re)"),
    Operation("real_part", english("real part"), {"complex real": "input"}, "",
              english("The real part of each complex number of {a}: values lie {spread}."),
              lambda re, im, s: (re,), lambda re, im, s: ((1.0, 0.0),), _ONE, formula="y = re"),
    Operation("imaginary_part", english("imaginary part"), {"complex imag": "input"}, "",
              english("The imaginary part of each complex number of {a}: values lie {spread}."),
              lambda re, im, s: (im,), lambda re, im, s: ((0.0, 1.0),), _ONE, formula="y = im"),
    Operation("conjugate", english("conjugate"), {"complex conj": "input", "complex conj_physical": "input"}, "",
              english("Each complex number of {a} with the sign of its imaginary part turned."),
              lambda re, im, s: (re, -im), lambda re, im, s: ((1.0, 0.0), (0.0, -1.0)), _ONE,
              formula="y = re − i·im"),
    Operation("complex_mul", english("product"),
              {f"complex {call}": _TWO for call in ("mul", "__mul__", "__rmul__", "multiply")}, "",
              english("{a} and {b} are multiplied as complex numbers: sizes multiply, angles add."),
              lambda a, ia, b, ib, s: (a * b - ia * ib, a * ib + ia * b),
              lambda a, ia, b, ib, s: ((b, -ib, a, -ia), (ib, b, ia, a)), formula="y = a·b"),
    Operation("complex_add", english("sum"),
              {f"complex {call}": f"{_TWO} alpha" for call in ("add", "__add__", "__radd__")},
              "", english("{a} and {b} are added, part by part."),
              lambda a, ia, b, ib, s: (a + _alpha(s) * b, ia + _alpha(s) * ib),
              lambda a, ia, b, ib, s: ((1.0, 0.0, _alpha(s), 0.0), (0.0, 1.0, 0.0, _alpha(s))), formula="y = a + b",
              adds=True),
    Operation("complex_sub", english("difference"),
              {**{f"complex {call}": f"{_TWO} alpha" for call in ("sub", "__sub__", "subtract")},
               **{f"complex {call}": "other input alpha" for call in ("rsub", "__rsub__")}},
              "", english("{b} is taken from {a}, part by part."),
              lambda a, ia, b, ib, s: (a - _alpha(s) * b, ia - _alpha(s) * ib),
              lambda a, ia, b, ib, s: ((1.0, 0.0, -_alpha(s), 0.0), (0.0, 1.0, 0.0, -_alpha(s))), formula="y = a − b",
              adds=True),
)
"""Each takes (re, im) of every operand, where a real number has no imaginary part; makes (re, im), or one real number;
and its slopes are a row for each of these, with a column for each part that it takes."""


# --- two real numbers become one, and back ----------------------------------------------------------------------------

def joined_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """The real part from the first, the imaginary part from the second."""
    source = inputs[cell[-1]]
    at = read_by(one(cell[:-1]), source.shape, batch_of(layer.settings, cell[-1]))
    return added(taps(source, "output", at), formula="y = a + i·b")


def joined_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    places, _ = readers_of(cell, inputs[which].shape, plain_shape(layer), batch_of(layer.settings, which))
    return added(gradient_taps(layer, _with_part(layer, places, which)), formula="∂L/∂a = ∂L/∂y")


def joined_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    return box_read(box[:-1], inputs[which].shape, batch_of(layer.settings, which))


def joined_sentence(layer: Layer, inputs: Inputs) -> str:
    return translated(english("{a} and {b} become the real and the imaginary parts of complex numbers.")).format(
        a=inputs[0].name, b=inputs[-1].name)


def seen_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    return added(taps(inputs[0], "output", one(cell)), formula="y = x")


def seen_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    return added(gradient_taps(layer, one(cell)), formula="∂L/∂x = ∂L/∂y")


def seen_sentence(layer: Layer, inputs: Inputs) -> str:
    return translated(english("The numbers of {a}, their two parts seen side by side.")).format(a=inputs[0].name)


# --- Fourier transforms -----------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Transform:
    """A discrete Fourier transform along some axes: y_k = s·Σ x_n·e^(∓2πi·k·n/N)."""

    name: str
    inverse: bool = False
    from_half: bool = False
    """Whether it reads the half of a spectrum whose other half is its mirror image, and makes real numbers."""


@dataclass(frozen=True, eq=False)
class Plan:
    """One transform, of arrays that have no batch axis."""

    axes: tuple[int, ...]
    sizes: tuple[int, ...]
    """N of each."""
    scale: float


def _plan(transform: Transform, layer: Layer, inputs: Inputs) -> Plan:
    s, source = layer.settings, inputs[0]
    shape, made = plain_shape(source), plain_shape(layer)
    several = transform.name.endswith(("2", "n"))
    dims = s.get("dim", (-2, -1) if transform.name.endswith("2") else None if several else -1)
    lengths = s.get("s" if several else "n")
    if dims is None:
        count = len(tuple_of(lengths)) if lengths is not None else len(shape) + (s.get("batch", 0) is not None)
        dims = tuple(range(-count, 0))
    axes = [axis_of(s, int(dim), len(shape)) for dim in tuple_of(dims)]
    if any(axis is None for axis in axes):
        raise LookupError(tr("{layer} transforms along the axis of samples, which is not explained."
                             ).format(layer=layer.name))
    found = tuple(axis for axis in axes if axis is not None)
    half = transform.from_half or transform.name.startswith("fft_r")
    sizes = [made[axis] if transform.from_half else shape[axis] for axis in found]
    if lengths is not None:
        sizes = [size if length in (None, -1) else int(length)
                 for size, length in zip(sizes, tuple_of(lengths), strict=True)]
    elif half and not transform.from_half:
        sizes = [shape[axis] for axis in found]
    norm = s.get("norm") or "backward"
    total = prod(sizes)
    whole_scale = {"backward": total if transform.inverse else 1, "forward": 1 if transform.inverse else total,
                   "ortho": total ** 0.5}[norm]
    return Plan(found, tuple(sizes), 1 / whole_scale)


def _waves(transform: Transform, plan: Plan, cell: Cell, others: Cells) -> tuple[Numbers, Numbers]:
    """(re, im) of the factor between one cell and others, on either side; k and n play the same part in it."""
    turns = np.zeros(len(others))
    for axis, size in zip(plan.axes, plan.sizes, strict=True):
        turns += cell[axis] * others[:, axis] % size / size
    angle = (1 if transform.inverse else -1) * 2 * np.pi * turns
    return plan.scale * np.cos(angle), plan.scale * np.sin(angle)


def _counts(plan: Plan, places: Cells) -> Numbers:
    """How often a frequency of a half spectrum stands in the whole: twice, but for those that mirror themselves."""
    last, size = places[:, plan.axes[-1]], plan.sizes[-1]
    return np.where((last == 0) | (2 * last == size), 1.0, 2.0)


def _along(plan: Plan, cell: Cell, shape: tuple[int, ...], cut: bool) -> Cells:
    """All cells that differ from one along the transformed axes only; of what is read no more than N."""
    ranges: list[Any] = [[index] for index in cell]
    for axis, size in zip(plan.axes, plan.sizes, strict=True):
        ranges[axis] = np.arange(min(shape[axis], size) if cut else shape[axis])
    return grid_of(*ranges)


def transform_terms(transform: Transform, layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """Every number along the axis times a wave of this frequency."""
    plan, source = _plan(transform, layer, inputs), inputs[0]
    at, part = _split(layer, cell)
    places = _along(plan, at, plain_shape(source), cut=True)
    if transform.from_half:
        places = places[places[:, plan.axes[-1]] <= plan.sizes[-1] // 2]
    re, im = _waves(transform, plan, at, places)
    counts = _counts(plan, places) if transform.from_half else 1.0
    if not holds_parts(source):
        return added(taps(source, "output", places, im if part else re), formula=FORMULA)
    ours, theirs = (im, re) if part else (re, -im)
    return added(taps(source, "output", _with_part(source, places, REAL), counts * ours),
                 taps(source, "output", _with_part(source, places, IMAGINARY), counts * theirs), formula=FORMULA)


def transform_backward(transform: Transform, layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """The gradient of every frequency, times the wave by which this number went into it."""
    plan, source = _plan(transform, layer, inputs), inputs[0]
    at, part = _split(source, cell)
    outside = any(at[axis] >= size for axis, size in zip(plan.axes, plan.sizes, strict=True))
    outside |= transform.from_half and at[plan.axes[-1]] > plan.sizes[-1] // 2
    if outside:
        return added(formula=BACK)
    places = _along(plan, at, plain_shape(layer), cut=False)
    re, im = _waves(transform, plan, at, places)
    count = float(_counts(plan, np.array([at]))[0]) if transform.from_half else 1.0
    if not holds_parts(layer):
        return added(gradient_taps(layer, places, count * (-im if part else re)), formula=BACK)
    ours, theirs = (-im, re) if part else (re, im)
    return added(gradient_taps(layer, _with_part(layer, places, REAL), ours),
                 gradient_taps(layer, _with_part(layer, places, IMAGINARY), theirs), formula=BACK)


def transform_box(transform: Transform, layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    plan, source = _plan(transform, layer, inputs), inputs[0]
    found = list(box[:-1] if holds_parts(layer) else box)
    for axis in plan.axes:
        found[axis] = (0, source.shape[axis] - 1)
    return (*found, (0, 1)) if holds_parts(source) else tuple(found)


def transform_sentence(layer: Layer, inputs: Inputs) -> str:
    return translated(english("How much of each frequency is in {a}: every number times a wave, added up, once for its "
                              "real and once for its imaginary part.")).format(a=inputs[0].name)


def back_sentence(layer: Layer, inputs: Inputs) -> str:
    return translated(english("The waves of {a} added up again, each as strong as its frequency says.")).format(
        a=inputs[0].name)


FORMULA, BACK = "y = Σ x·e^(∓2πi·k·n/N)", "∂L/∂x = Σ ∂L/∂y·∂y/∂x"


# --- spectra of short stretches ---------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Stretches:
    """A short-time transform: where each number of each stretch was read, and its window."""

    read: NDArray[np.int64]
    """(stretch, n): the place in the signal; −1 in padding of zeros."""
    window: Numbers
    """(n,)"""
    first: int
    """Where the given window begins in it."""
    scale: float


def _stretches(layer: Layer, inputs: Inputs) -> Stretches:
    s, length = layer.settings, inputs[0].shape[-1]
    size = int(s["n_fft"])
    hop = int(s.get("hop_length") or size // 4)
    long = int(s.get("win_length") or size)
    first = (size - long) // 2
    window = np.zeros(size)
    window[first:first + long] = inputs[1].output.astype(np.float64) if len(inputs) > 1 else 1.0
    starts = np.arange(layer.shape[-2]) * hop
    read = starts[:, None] + np.arange(size)
    if s.get("center", True):
        read = _into(read - size // 2, length, str(s.get("pad_mode", "reflect")))
    return Stretches(read, window, first, size ** -0.5 if s.get("normalized") else 1.0)


def _into(places: NDArray[np.int64], length: int, mode: str) -> NDArray[np.int64]:
    if mode == "reflect":
        turned = np.abs(places)
        return np.where(turned >= length, 2 * (length - 1) - turned, turned)
    if mode == "replicate":
        return np.clip(places, 0, length - 1)
    if mode == "circular":
        return places % length
    return np.where((places < 0) | (places >= length), -1, places)


def _wave(found: Stretches, frequency: Any, n: Any, part: Any) -> Numbers:
    angle = -2 * np.pi * (np.asarray(frequency) * np.asarray(n) % len(found.window)) / len(found.window)
    wave: Numbers = found.scale * np.where(np.asarray(part) == IMAGINARY, np.sin(angle), np.cos(angle))
    return wave


def stretch_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """A stretch of the signal, faded at both ends by the window, times a wave."""
    found, (*lead, frequency, stretch, part) = _stretches(layer, inputs), cell
    places, n = found.read[stretch], np.arange(len(found.window))
    inside = places >= 0
    weights = (found.window * _wave(found, frequency, n, part))[inside]
    return added(taps(inputs[0], "output", grid_of(*([i] for i in lead), places[inside]), weights), formula=FORMULA)


def stretch_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """The gradient of every frequency of every stretch that it was in."""
    found = _stretches(layer, inputs)
    lead = cell[:-1] if which == 0 else ()
    frequencies, stretches = layer.shape[-3:-1]
    if which == 0:
        stretch, n = np.nonzero(found.read == cell[-1])
        strength = found.window[n]
    else:
        n = np.full(stretches, found.first + cell[-1])
        stretch = np.flatnonzero(found.read[:, n[0]] >= 0)
        n = n[:len(stretch)]
        if inputs[0].output.ndim > 1:
            raise LookupError(tr("{layer} fades several signals by one window, which is not explained."
                                 ).format(layer=layer.name))
        strength = inputs[0].output[found.read[stretch, n]].astype(np.float64)
    cells, weights = [], []
    for frequency in range(frequencies):
        for part in (REAL, IMAGINARY):
            cells.append(np.column_stack([np.full(len(stretch), frequency), stretch, np.full(len(stretch), part)]))
            weights.append(strength * _wave(found, frequency, n, part))
    at = np.concatenate(cells)
    if lead:
        at = np.column_stack([np.tile(np.array(lead, np.int64), (len(at), 1)), at])
    return added(gradient_taps(layer, at, np.concatenate(weights)), formula=BACK)


def stretch_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    if which:
        return whole(inputs[which].shape)
    found = _stretches(layer, inputs)
    low, high = box[-2]
    places = found.read[low:high + 1]
    places = places[places >= 0]
    return (*box[:-3], (int(places.min()), int(places.max())))


def stretch_sentence(layer: Layer, inputs: Inputs) -> str:
    return translated(english("The spectrum of each short stretch of {a}, {count} numbers long.")).format(
        a=inputs[0].name, count=_words.count(
            int(layer.settings["n_fft"]), *said.of("setting", layer, array="n_fft")))


def stretch_axes(settings: Settings, inputs: tuple[Names, ...], shape: tuple[int, ...]) -> Names:
    return (*inputs[0][:-1], "frequency", "step")


# --- the kinds --------------------------------------------------------------------------------------------------------

def _first_axes(settings: Settings, inputs: tuple[Names, ...], shape: tuple[int, ...]) -> Names:
    return inputs[0]


def _of(operation: Operation) -> Kind:
    return Kind(operation.name, operation.title, operation.calls, longest_names, partial(operation_terms, operation),
                partial(operation_backward, operation), operation_box, partial(sentence, operation),
                complex=True)


def _transform(name: str, inverse: bool = False, from_half: bool = False) -> Kind:
    about = Transform(name, inverse, from_half)
    names = "input s dim norm" if name.endswith(("2", "n")) else "input n dim norm"
    real = name.startswith("fft_r")
    calls = {name: names} if real else {f"complex {name}": names} if from_half else {
        name: names, f"complex {name}": names}
    title = english("inverse Fourier transform") if inverse else english("Fourier transform")
    return Kind(name, title, calls, _first_axes, partial(transform_terms, about), partial(transform_backward, about),
                partial(transform_box, about), back_sentence if inverse else transform_sentence, complex=True)


KINDS = (
    *map(_of, OPERATIONS),
    Kind("complex", english("complex numbers"), {"complex": "real imag"}, longest_names, joined_terms, joined_backward,
         joined_box, joined_sentence, complex=True),
    Kind("view_as_real", english("both parts"),
         dict.fromkeys(("complex view_as_real", "view_as_complex", "complex resolve_conj"), "input"),
         lambda settings, inputs, shape: inputs[0] if len(inputs[0]) == len(shape) else (
             (*inputs[0], PART) if len(inputs[0]) < len(shape) else inputs[0][:-1]),
         seen_terms, seen_backward, lambda layer, inputs, which, box: box, seen_sentence, moves_only=True,
         complex=True),
    *(_transform(f"fft_{name}{several}") for name in ("fft", "rfft") for several in ("", "2", "n")),
    *(_transform(f"fft_{name}{several}", True) for name in ("ifft",) for several in ("", "2", "n")),
    *(_transform(f"fft_{name}{several}", True, True) for name in ("irfft",) for several in ("", "2", "n")),
    Kind("stft", english("short-time Fourier transform"), {
        "stft": "input n_fft hop_length win_length window center pad_mode normalized onesided return_complex"},
        stretch_axes, stretch_terms, stretch_backward, stretch_box, stretch_sentence, complex=True),
)
