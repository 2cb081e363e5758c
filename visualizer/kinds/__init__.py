"""What one operation computes: where each number came from, and where each gradient came from.

Numpy only. Each file of this folder names its operations in a tuple `KINDS`; the recorder, the views, the microscope
and the tests find them there. Everything is recomputed in float64 from the Trace, so that comparing it with what
torch recorded means something.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from visualizer import reasons, registry
from visualizer.language import tr
from visualizer.trace import Cell, Layer, Trace

Inputs = tuple[Layer, ...]
Values = NDArray[np.floating]
Box = tuple[tuple[int, int], ...]
"""For each axis the first and the last index, both included; may reach below 0 or past the end, into padding."""
NOTHING: Box = ((0, -1),)
"""The box of an input that is not seen at all: one part of a concatenation, a place that a stride leaps over."""


@dataclass(frozen=True, eq=False)
class Taps:
    """Numbers that were read from one array, each with the weight it was multiplied by."""

    source: str
    """Name of the layer they were read from; the layer's own name when they come from its gradient or `inner`."""
    cells: NDArray[np.int64]
    """(n, axes of the source array): where each number sits. Cells of padding lie outside the array."""
    values: NDArray[np.float64]
    """(n,): the numbers; 0 (or −inf for max-pool) where `inside` is False."""
    weights: NDArray[np.float64]
    """(n,): their factors; ones where nothing is multiplied."""
    array: str = "output"
    """Which array of the source: `output`, `gradient`, `weights.weight`, `inner.forget`, `inner_gradients.cell`, …"""
    weight: str = ""
    """Where the factors were read from: the name of a weight of the layer that computes, or of a layer (what a weight
    met, the other matrix of a product); empty when they are derived (a slope, a share)."""
    weight_cells: NDArray[np.int64] | None = None
    """(n, axes of the weight, or of that layer's output)."""
    inside: NDArray[np.bool_] | None = None
    """(n,): False marks padding. None when there is none."""
    grid: tuple[int, ...] = ()
    """How the n taps are laid out for the eye, slowest first: `(channel, row, column)` of a window."""

    @property
    def products(self) -> NDArray[np.float64]:
        return self.values * self.weights


@dataclass(frozen=True, eq=False)
class Terms:
    """Where one number came from: what was read, how it was put together, and what that makes."""

    op: str
    """`sum` Σ value·weight + bias · `gate`, a function of such a sum · `max` · `product` · `function` of one number ·
    `share` (softmax) · `copy`."""
    taps: tuple[Taps, ...]
    result: float
    """The number, recomputed in float64 from the taps."""
    bias: float | None = None
    bias_name: str = ""
    formula: str = ""
    """In the field's own symbols: `y = Σ w·x + b`."""
    met: tuple[tuple[str, float], ...] = ()
    """Numbers met on the way, in order: `("mean", 0.2), ("variance", 1.3)`, or `("slope", 1.0)`."""
    winner: int | None = None
    """For `max`: which tap (of the first Taps) won; ties go to the first in row-major order, as in torch."""


@dataclass(frozen=True)
class Cost:
    """What one operation costs: its own parameters, and multiply-accumulates (torch's FLOP counter says twice that)."""

    parameters: int
    macs: int


@dataclass(frozen=True)
class Flat:
    """Where a curve is flat, so that hardly any gradient, or none, passes: which values lie there."""

    rule: str
    """In words, of a value: `beyond ±0.9`."""
    low: float
    high: float
    """What lies below the one or above the other is in the flat part."""
    range: tuple[float, float]
    """Between which numbers all values lie."""
    dies: bool = False
    """Whether the flat part passes nothing at all, as that of a ReLU: a unit that is always there is dead. Its edge
    belongs to it."""

    def holds(self, values: Values) -> NDArray[np.bool_]:
        """Which values lie in the flat part."""
        return values <= self.low if self.dies else (values < self.low) | (values > self.high)

    def share(self, values: Values) -> float:
        return float(np.mean(self.holds(values)))


@dataclass(frozen=True)
class Curve:
    """One function of one number."""

    name: str
    """As torch calls it: `sigmoid`."""
    value: Callable[[Values], Values]
    slope: Callable[[Any], Any]
    """Its derivative, from the value y that came out: numbers or arrays."""
    words: str
    """`σ({})`, of what goes in."""
    slope_words: str
    """`{0}·(1 − {0})`, of what came out."""
    flat: Flat | None = None
    steepest: float = 1.0
    """The largest slope that it has."""

    def backward(self, value: str = "y") -> str:
        """`∂L/∂a = ∂L/∂y·y·(1 − y)`."""
        return self.times.format(value, self.slope_words.format(value))

    times: str = "∂L/∂a = ∂L/∂{0}·{1}"


ROLES = {
    "weighted": "a sum of what it reads, weighted: dense layers and convolutions",
    "curve": "one function of one number",
    "largest": "the largest of a window; only the winner hands its gradient on",
    "mean": "a mean; its gradient is shared out",
    "norm": "normalising by mean and spread",
    "shares": "shares of a whole, or their logarithms",
    "loss": "one number from an answer and what it should be",
    "picked": "one number of an answer, to be differentiated",
    "sum": "two layers added",
    "product": "two layers multiplied, place by place",
    "join": "parts side by side",
    "table": "a row of a table for each symbol",
    "dropout": "numbers left out by chance while training",
    "recurrent": "hides time: gates and states step by step",
    "state": "a state of a recurrent layer after a step",
    "directions": "a recurrent layer forwards and one in reverse, side by side",
    "packed": "a sequence without its padding",
}


@dataclass(frozen=True)
class Kind:
    """One operation. `Layer.kind` is its `name`."""

    name: str
    title: str
    """What a person calls it: `convolution`."""
    calls: Mapping[str, str]
    """Torch call name -> its argument names in order, separated by spaces (`input weight bias stride …`).

    The recorder binds arguments by these names. Parameters and buffers whose argument is called `weight…`, `bias…` or
    `running_…` become `weights`, all other tensors `reads`, in the order of the call; a list of tensors is read one
    after another. Plain values become `settings` as the user wrote them, so a dim counts the batch axis: `batch` says
    which axis of the first input that was (0 if missing, None if there was none). If a call is given more values than
    names, the last name takes the rest as a tuple (`view(1, -1)`). If it returns several tensors, `part` says which
    one this is. `relu` speaks for `relu_` too. A name whose arguments stand in another order in `torch` than in
    `torch.nn.functional` is listed a second time as `torch.batch_norm`: exported programs call that one. `pow(input,
    exponent)` speaks for calls in which just these arguments are tensors, where most have others, and
    `interpolate[area]` for those with that `mode`."""
    axes: Callable[[Mapping[str, Any], tuple[tuple[str, ...], ...], tuple[int, ...]], tuple[str, ...]]
    """(settings, axes of each input, shape of the output) -> axes of the output. All with `batch` among the axes
    while recording."""
    terms: Callable[[Layer, Inputs, Cell], Terms]
    """(layer, inputs, cell of its output) -> where that number came from."""
    backward_terms: Callable[[Layer, Inputs, int, Cell], Terms]
    """(layer, inputs, which input, cell of that input) -> what this layer hands back to it: taps over
    `layer.gradient`, each with the local derivative as its weight. `result` is dObjective/d that input cell, as far
    as it came through this layer."""
    source_box: Callable[[Layer, Inputs, int, Box], Box]
    """(layer, inputs, which input, box of output cells) -> box of input cells they can see: one hop of the receptive
    field."""
    sentence: Callable[[Layer, Inputs], str]
    """One plain sentence with this layer's own numbers in it: what it does."""
    weight_terms: Callable[[Layer, Inputs, str, Cell], Terms] | None = None
    """(layer, inputs, weight name, cell of it) -> dObjective/d that weight, as a sum over the places it was used."""
    cost: Callable[[Layer, Inputs], Cost] = lambda layer, inputs: Cost(layer.parameters, 0)
    flat: Callable[[Layer], Mapping[str, Flat]] = lambda layer: {}
    """layer -> where it is flat, so that hardly any gradient, or none, passes: by key of `inner`, its output under an
    empty key."""
    role: str = ""
    """What it is, one of ROLES; empty for what is none of these."""
    slide: str = ""
    """Which slide of the microscope fits it: `share` of a whole, `curve` of one number. Empty where that is told by the
    terms themselves: a window, a long sum, a few numbers."""
    back: str = ""
    """What it does with a whole gradient on its way back, in a few words: `to the winner of each window`."""
    curve: Curve | None = None
    """What it makes of each number, if that is one of the curves whose slope can be told from what came out."""
    sums_paths: bool = False
    """Whether what it hands back are exponentials of sums as large as its own value, in whose last digit they are
    rounded: a loss over many paths."""
    logarithms: bool = False
    """Whether its numbers are logarithms of shares: a log-softmax gives them, a negative log-likelihood reads them."""
    label: str = ""
    """Of a loss, what it is measured against: a `class`, `numbers`, `symbols`."""
    weight_axis: int = 0
    """Which axis of its weight counts the channels that come out."""
    wants: tuple[str, ...] = ()
    """The axes of one sample that it reads, where its name alone settles them: the input of a model is named by what
    reads it first."""
    moves_only: bool = False
    """True if it computes nothing and only lays numbers out anew: flatten, reshape, permute, dropout in eval."""
    tells_places: bool = False
    """Whether its second output, whole numbers beside values, is explained too: where these were found."""
    complex: bool = False
    """Whether it reads or makes complex numbers: their real and imaginary parts are the last axis of what is kept, and
    no axis of those that its `axes` names."""
    short: Callable[[Layer, Inputs], str] = lambda layer, inputs: ""
    """A few words for a header: `3 × 3, 6 → 12 channels`."""
    over_steps: str = ""
    """Of what makes one step alone, the name of the kind that makes one after the other."""
    own_terms: Callable[[Layer, Inputs, Cell], Terms] | None = None
    """(layer, inputs, cell of its output) -> what the layer hands back to its own output, beside its readers: to h_t
    what step t + 1 hands back."""
    inner_terms: Callable[[Layer, Inputs, str, int, int], Terms] | None = None
    """(layer, inputs, key of `inner`, step, unit) -> where that gate or state came from."""
    inner_backward_terms: Callable[[Layer, Inputs, str, int, int], Terms] | None = None
    """(layer, inputs, key of `inner_gradients`, step, unit) -> where that gradient came from."""


SAMPLES, OF_ALL = "samples", "of_all"
"""Settings of a layer of one sample that was recorded as part of a batch: how many samples that had, and which of its
gradients are those of all of them: names of weights, `gradient` for its own."""


def adds_up(layer: Layer, name: str) -> bool:
    """Whether the gradient of a weight is the sum of what this layer itself has to add to it: it is not where that is
    the gradient of more samples than the one that was recorded."""
    return name not in layer.settings.get(OF_ALL, ())


@cache
def _all() -> tuple[tuple[Kind, ...], dict[str, Kind], dict[str, Kind]]:
    kinds = tuple(kind for module in registry.modules("kinds") for kind in getattr(module, "KINDS", ()))
    return kinds, {kind.name: kind for kind in kinds}, {call: kind for kind in kinds for call in kind.calls}


def all_kinds() -> tuple[Kind, ...]:
    """Every kind found in this folder."""
    return _all()[0]


def of(layer: Layer) -> Kind | None:
    """The kind of a layer; None for the input and for unexplained operations."""
    return _all()[1].get(layer.kind)


def role(layer: Layer) -> str:
    """What a layer is, one of ROLES; empty for the input, for what is unexplained, and for all others."""
    kind = of(layer)
    return "" if kind is None else kind.role


def curve(layer: Layer) -> Curve | None:
    """What it makes of each number, if that is a curve whose slope can be told from what came out."""
    kind = of(layer)
    return None if kind is None else kind.curve


def switches(layer: Layer) -> bool:
    """Whether it stops all that is not above zero, and its gradient with it, as a ReLU does."""
    kind = of(layer)
    return kind is not None and kind.curve is not None and kind.curve.flat is not None and kind.curve.flat.dies


def loses(layer: Layer) -> bool:
    """Whether it stops some of the gradient: where a ReLU is off, where a number won no window."""
    return switches(layer) or role(layer) == "largest"


def shares(layer: Layer) -> bool:
    """Whether its numbers are shares of a whole: probabilities."""
    kind = of(layer)
    return kind is not None and kind.role == "shares" and not kind.logarithms


def label(layer: Layer) -> str:
    """Of a loss, what it is measured against: a `class`, `numbers`, `symbols`; else empty."""
    kind = of(layer)
    return "" if kind is None else kind.label


def picks_label(layer: Layer) -> bool:
    """Whether it is a loss that looks at one class: −ln of the probability of the label."""
    return label(layer) == "class"


def label_of(trace: Trace) -> int | None:
    """The class against which the loss is measured; None where none is known: what the network itself answers is no
    label, though a gradient may start there."""
    return trace.objective.target if any(picks_label(layer) for layer in trace) else None


def flat(layer: Layer) -> Mapping[str, Flat]:
    """What of a layer can saturate or die, and where: by key of `inner`, its output under an empty key."""
    kind = of(layer)
    return {} if kind is None else kind.flat(layer)


def macs(trace: Trace) -> int:
    """Multiply-adds of one pass forwards."""
    return sum(kind.cost(layer, trace.inputs(layer)).macs for layer in trace if (kind := of(layer)) is not None)


def by_call(name: str) -> Kind | None:
    """The kind that speaks for a torch call such as `conv2d`; None if no kind does."""
    return _all()[2].get(name)


def terms(trace: Trace, name: str, cell: Cell) -> Terms:
    """Where `trace[name].output[cell]` came from.

    Raises IndexError outside the layer, LookupError where the operation is unexplained.
    """
    layer = trace[name]
    _inside(layer, cell)
    return asked(_explained(layer).terms, layer, trace.inputs(layer), cell)


def backward_terms(trace: Trace, name: str, cell: Cell) -> tuple[tuple[str, Terms], ...]:
    """Where `trace[name].gradient[cell]` came from: one Terms for each layer that read it. Their results add up."""
    layer = trace[name]
    _inside(layer, cell)
    if "gradient" in layer.settings.get(OF_ALL, ()):
        raise LookupError(reasons.told(reasons.OF_GRADIENT.format(
            why=reasons.OF_ALL.format(count=layer.settings[SAMPLES]))))
    handed = []
    for reader in trace.readers(name):
        if reader.gradient is None:
            continue
        for index, read in enumerate(reader.reads):
            if read == name:
                _explained(reader)
                handed.append((reader.name, handed_back(reader, trace.inputs(reader), index, cell)))
    kind = of(layer)
    if kind is not None and kind.own_terms is not None and layer.gradient is not None:
        own = asked(kind.own_terms, layer, trace.inputs(layer), cell)
        handed += [(name, own)] if own.taps else []
    return tuple(handed)


def handed_back(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """What a layer hands back to one cell of one of its inputs; to a weight that is itself computed, the gradient of
    that weight. LookupError where the operation is unexplained."""
    kind, weight = _explained(layer), computed_weight(layer, which)
    if not weight:
        return asked(kind.backward_terms, layer, inputs, which, cell)
    if kind.weight_terms is None:
        raise LookupError(tr("How {layer} uses its {weight} is not explained."
                             ).format(layer=layer.name, weight=weight))
    shape = layer.weights[weight].shape
    if len(cell) < len(shape):  # what was computed for a batch of one
        cell = (*cell[:shape.index(1)], 0, *cell[shape.index(1):])
    return asked(kind.weight_terms, layer, inputs, weight, cell)


def computed_weight(layer: Layer, which: int) -> str:
    """Under which name a layer uses one of its inputs as a weight, if it does: a normed or pruned one, a kernel that
    another layer made. These stand behind all other inputs."""
    names: tuple[str, ...] = layer.settings.get("computed", ())
    first = len(layer.reads) - len(names)
    return names[which - first] if names and which >= first else ""


def seen(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    """The box of one input that a box of output cells can see: one hop of the receptive field."""
    if computed_weight(layer, which):
        return tuple((0, size - 1) for size in inputs[which].shape)
    return _explained(layer).source_box(layer, _read(layer, inputs), which, box)


def _read(layer: Layer, inputs: Inputs) -> Inputs:
    """What it reads, without weights that are computed."""
    names = layer.settings.get("computed", ())
    return inputs[:len(inputs) - len(names)] if names else inputs


def place(trace: Trace, taps: Taps, index: int) -> tuple[str, Cell, str]:
    """Where the number of one tap stands: layer, cell and array, as one looks at it (`output`, `weight`,
    `inner.forget`). A gradient stands where its value does, and h where the output that it is."""
    cell = tuple(int(i) for i in taps.cells[index])
    group, _, key = taps.array.partition(".")
    if key == "hidden":
        return taps.source, cell[-trace[taps.source].output.ndim:], "output"
    if group.startswith("inner"):
        return taps.source, cell, f"inner.{key}"
    return taps.source, cell, key or "output"


def inner_terms(trace: Trace, name: str, key: str, step: int, unit: int) -> Terms:
    """Where `trace[name].inner[key][step, unit]` came from."""
    layer = trace[name]
    found = _explained(layer).inner_terms
    if found is None:
        raise LookupError(tr("{name} has no gates and no states.").format(name=name))
    return asked(found, layer, trace.inputs(layer), key, step, unit)


def inner_backward_terms(trace: Trace, name: str, key: str, step: int, unit: int) -> Terms:
    """Where `trace[name].inner_gradients[key][step, unit]` came from."""
    layer = trace[name]
    found = _explained(layer).inner_backward_terms
    if found is None:
        raise LookupError(tr("{name} has no gates and no states.").format(name=name))
    return asked(found, layer, trace.inputs(layer), key, step, unit)


def weight_terms(trace: Trace, name: str, weight: str, cell: Cell) -> Terms:
    """Where `trace[name].weight_gradients[weight][cell]` came from: a sum over the places the weight was used."""
    layer = trace[name]
    kind = _explained(layer)
    if kind.weight_terms is None or weight not in layer.weights:
        raise LookupError(tr("{name} has no weight {weight!r}; it has {known}."
                             ).format(name=name, weight=weight, known=", ".join(layer.weights) or tr("none")))
    if weight in layer.settings.get(OF_ALL, ()):
        raise LookupError(reasons.told(reasons.OF_WEIGHT.format(
            name=weight, why=reasons.OF_ALL.format(count=layer.settings[SAMPLES]))))
    return asked(kind.weight_terms, layer, trace.inputs(layer), weight, cell)


def asked(function: Callable[..., Terms], layer: Layer, inputs: Inputs, *arguments: Any) -> Terms:
    """Ask a kind for Terms; LookupError too where the layer's settings and shapes do not fit what torch documents."""
    try:
        with np.errstate(all="ignore"):  # NaN and infinity are results like others, and are shown
            return function(layer, _read(layer, inputs), *arguments)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise LookupError(tr("{layer} is a {kind} of an unknown form ({why})."
                             ).format(layer=layer.name, kind=layer.kind, why=error)) from error


def receptive_field(trace: Trace, name: str, cell: Cell) -> dict[str, Box]:
    """For every earlier layer the box of cells that `trace[name].output[cell]` can see; the cell itself included.

    Boxes are not clipped: what lies outside the layer is padding. Unexplained layers end the search.
    """
    boxes: dict[str, Box] = {name: tuple((index, index) for index in cell)}
    for layer in reversed(trace.layers[:trace.places[name] + 1]):
        if layer.name not in boxes or of(layer) is None:
            continue
        inputs = trace.inputs(layer)
        for index, read in enumerate(inputs):
            box = seen(layer, inputs, index, boxes[layer.name])
            if any(low > high for low, high in box):
                continue
            boxes[read.name] = _union(boxes[read.name], box) if read.name in boxes else box
    return boxes


def sentence(trace: Trace, name: str) -> str:
    """One plain sentence about a layer, whatever it is."""
    layer = trace[name]
    kind = of(layer)
    if kind is not None:
        return kind.sentence(layer, trace.inputs(layer))
    if layer.kind == "input":
        return tr("This is what the network is given.")
    if layer.kind == "parameter":
        from visualizer import said  # these bring much that finding a kind does without
        from visualizer.kinds import _words

        return tr("{layer} belongs to the model itself: {numbers}, {spread}.").format(
            layer=layer.name, numbers=_words.some(layer.output.size, "number", *said.size(layer)),
            spread=_words.spread(layer))
    return tr("{layer} is unexplained: {why}").format(
        layer=layer.name, why=reasons.told(layer.why) or tr("no description of this operation is known."))


class Compared(NamedTuple):
    """One array of a layer beside what its own Terms make of it."""

    layer: str
    quantity: str
    """`output`, `gradient`, `inner.forget`, `inner_gradients.cell`, `weight_gradients.bias`."""
    error: float | None
    """The largest difference of a cell, as a share of the size of what was compared; None if none could be."""
    allowed: float
    """How much it may be, by the precision in which torch computed it."""
    cells: int
    """How many numbers of it were recomputed."""
    size: int
    """How many it has."""
    why: str = ""
    """Why nothing could be compared."""

    @property
    def backward(self) -> bool:
        """Whether it is a gradient."""
        return "gradient" in self.quantity

    @property
    def agrees(self) -> bool:
        """NaN never does; what could not be compared is no disagreement."""
        return self.error is None or self.error <= self.allowed


@dataclass(frozen=True)
class Report:
    """How far the numbers of a Trace are from their own Terms, recomputed in float64."""

    errors: Mapping[str, float]
    """Layer -> largest difference between Terms and torch, relative to the layer's largest value (or 1)."""
    gradient_errors: Mapping[str, float] = field(default_factory=dict)
    """Layer -> the same for its gradient and the gradients of its weights."""
    unverified: Mapping[str, str] = field(default_factory=dict)
    """Layer -> why nothing could be compared."""
    tolerance: float = 1e-5
    """What is allowed in the precision of the recording."""
    allowed: Mapping[str, float] = field(default_factory=dict)
    """Layer -> what is allowed, where torch computed it in another precision."""
    gradient_allowed: Mapping[str, float] = field(default_factory=dict)
    """Layer -> the same for its gradients."""
    rows: Sequence[Compared] = ()
    """Array by array, in the order of execution."""
    explained: Sequence[int] = (0, 0)
    """How many executed operations are explained, and how many there are."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(Compared(*row) for row in self.rows))
        object.__setattr__(self, "explained", tuple(self.explained))

    @property
    def strange(self) -> tuple[str, ...]:
        """Layers that hold NaN or infinity, as their own Terms do."""
        return tuple(dict.fromkeys(row.layer for row in self.rows if row.error is not None and row.why))

    @property
    def worst(self) -> float:
        return max([*self.errors.values(), *self.gradient_errors.values()], default=0.0)

    @property
    def passed(self) -> bool:
        """Everything that could be compared agrees; NaN never does."""
        return not self.disagreeing

    @property
    def disagreeing(self) -> dict[str, float]:
        """Layer -> its error, where that is more than is allowed."""
        pairs = ((self.errors, self.allowed), (self.gradient_errors, self.gradient_allowed))
        return {name: error for found, allowed in pairs for name, error in found.items()
                if not error <= allowed.get(name, self.tolerance)}


def check(trace: Trace) -> Report:
    """Recompute sampled cells of every layer, forwards and backwards. See `kinds/_check.py`."""
    from visualizer.kinds._check import check as run

    return run(trace)


def _explained(layer: Layer) -> Kind:
    kind = of(layer)
    if kind is None:
        why = reasons.told(layer.why).rstrip(".") or tr("it is the input")
        raise LookupError(tr("{layer} cannot be taken apart: {why}.").format(layer=layer.name, why=why))
    return kind


def _inside(layer: Layer, cell: Cell) -> None:
    if len(cell) != layer.output.ndim or any(not 0 <= i < n for i, n in zip(cell, layer.shape, strict=True)):
        wanted = ", ".join(f"{axis} 0…{n - 1}" for axis, n in zip(layer.axes, layer.shape, strict=True))
        raise IndexError(f"{layer.name} has no cell {tuple(cell)}; it has {wanted or 'one number and no axes'}.")


def _union(one: Box, other: Box) -> Box:
    return tuple((min(a, c), max(b, d)) for (a, b), (c, d) in zip(one, other, strict=True))
