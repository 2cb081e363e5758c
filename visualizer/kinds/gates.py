"""What stands inside recurrent layers, and its equations: each gate and state once, forwards and backwards.

Equations are torch's: rows of the weights in the order i, f, g, o and r, z, n; two biases; in a GRU r after the
product, and z the gate that keeps. h₋ and c₋ are the states of the step before, a is a sum before its σ or tanh. Names
are the field's: torch's `update` and `new` of a GRU are its update gate and its candidate.

Numbers of a step go by name: the keys of `inner`, and `hidden_before`, `cell_before`, `opened` (tanh c), `hidden_new`
(U h₋ + b of a GRU's candidate). They are single numbers or arrays of any shape, numpy's or torch's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, Protocol

import numpy as np

from visualizer.kinds import Curve, Values
from visualizer.kinds.curves import CURVES, SIGMOID, TANH
from visualizer.language import english, tr, translated
from visualizer.trace import Layer

PREACTIVATION = "_preactivation"


class Numbers(Protocol):
    """Numbers of one step, or of all, by name."""

    def __getitem__(self, key: str, /) -> Any: ...


@dataclass(frozen=True)
class Times:
    """One product of an equation."""

    of: str
    """Forwards what is read, backwards whose gradient: `cell_before`, `new_preactivation`, …"""
    factor: Callable[[Numbers], Any]
    symbol: str
    """What the factor is called: `1 − z`."""
    stands: str = ""
    """The gate or state that the factor is, or mostly depends on; empty for the sum of several."""
    derived: bool = False
    """Whether the factor is what several numbers make, or what is missing to 1: then it stands nowhere by itself."""


@dataclass(frozen=True)
class Quantity:
    """One gate or state of a recurrent layer: what `inner` and `inner_gradients` hold under its key."""

    key: str
    symbol: str
    name: str
    formula: str = ""
    backward: str = ""
    """The formula of its gradient."""
    curve: Curve | None = None
    """What makes it from the sum W x + U h₋ + b; None for what is no function of such a sum."""
    made: tuple[Times, ...] = ()
    """A state: the products that it is the sum of."""
    rounded: Callable[[Numbers], Any] | None = None
    """The same in the order in which torch computes it: then it has torch's own bits."""
    back: Times | None = None
    """What its gradient is, within a step."""
    under: str = ""
    """The gate that U h₋ + b is multiplied with before it is added: r, of a GRU's candidate."""
    means: str = ""
    """What a share of it says of a unit: `it keeps {} of its memory`."""
    sign: str = ""
    """The shape it is told by, with its letter, in every view: `diamond`, `circle`, `hexagon`, `square`; none for
    states and sums."""

    @property
    def gate(self) -> bool:
        """Whether it lies between 0, shut, and 1, open."""
        return self.curve is SIGMOID

    @property
    def tab(self) -> str:
        """Its name where there is room for one word: `Forget`."""
        return TABS.get(self.key) or self.name.capitalize()


@dataclass(frozen=True)
class Family:
    """RNN, LSTM or GRU: what it is made of."""

    name: str
    title: str
    rows: tuple[Quantity, ...]
    """Those that are made of rows of the weights, block by block, in torch's order."""
    states: tuple[Quantity, ...]
    """The states, the one that is handed out last."""
    shown: tuple[str, ...]
    """All of them in the order in which they are shown: gates, then states."""
    kept: tuple[str, str] = ("", "")
    """The gate that keeps a state of the step before, and which; nothing of an RNN, whose state is made anew."""
    under: str = ""
    """The sum of old states that a gate is multiplied with before it is added, if there is one."""

    @cached_property
    def quantities(self) -> dict[str, Quantity]:
        return {one.key: one for one in (*self.rows, *self.states, *OTHERS)}

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Of the rows of the weights, block by block."""
        return tuple(one.key for one in self.rows)

    @cached_property
    def gates(self) -> tuple[Quantity, ...]:
        """Those between 0 and 1, in the order in which they are shown."""
        return tuple(self.quantities[key] for key in self.shown if self.quantities[key].gate)

    @cached_property
    def together(self) -> int:
        """How many rows, from the first on, are a σ or a tanh of nothing but the two sums."""
        alone = [row.curve not in (SIGMOID, TANH) or bool(row.under) for row in self.rows]
        return alone.index(True) if True in alone else len(alone)

    @cached_property
    def through(self) -> tuple[str, ...]:
        """Gates and sums as rows through time, under the states: what makes a state first."""
        return {"lstm": ("output_gate", "forget", "input", "candidate"), "gru": ("update", "new", "reset")}.get(
            self.name, self.keys)

    @cached_property
    def at_read(self) -> tuple[str, ...]:
        """Whose gradients meet the rows of weight_ih, block by block."""
        return tuple(key if key.endswith("preactivation") else key + PREACTIVATION for key in self.keys)

    @cached_property
    def at_hidden(self) -> tuple[str, ...]:
        """The same for weight_hh."""
        return tuple(self.under if one.under else key for one, key in zip(self.rows, self.at_read, strict=True))

    def block(self, key: str) -> int:
        """Which block of rows makes a part."""
        return self.keys.index(key)


TABS = {
    "input": english("Input"), "forget": english("Forget"), "candidate": english("Candidate"),
    "output_gate": english("Output"), "cell": english("Memory"), "hidden": english("State"), "reset": english("Reset"),
    "update": english("Update"), "new": english("Candidate"), "preactivation": english("Sum"),
}
"""What is shown one by one, in one word each."""


# --- the tables -----------------------------------------------------------------------------------------------------

_LSTM = Family(
    "lstm", "LSTM",
    rows=(
        Quantity("input", "i", english("input gate"), "i = σ(W x + U h₋ + b)", "∂L/∂i = ∂L/∂c·g", SIGMOID,
             back=Times("cell", lambda s: s["candidate"], "g", "candidate"),
             means=english("it takes in {} of the candidate"), sign="circle"),
        Quantity("forget", "f", english("forget gate"), "f = σ(W x + U h₋ + b)", "∂L/∂f = ∂L/∂c·c₋", SIGMOID,
             back=Times("cell", lambda s: s["cell_before"], "c₋", "cell_before"),
             means=english("it keeps {} of its memory"), sign="diamond"),
        Quantity("candidate", "g", english("candidate"), "g = tanh(W x + U h₋ + b)", "∂L/∂g = ∂L/∂c·i", TANH,
             back=Times("cell", lambda s: s["input"], "i", "input"), sign="hexagon"),
        Quantity("output_gate", "o", english("output gate"), "o = σ(W x + U h₋ + b)", "∂L/∂o = ∂L/∂h·tanh c", SIGMOID,
             back=Times("hidden", lambda s: s["opened"], "tanh c", "cell"),
             means=english("it shows {} of its memory"), sign="square"),
    ),
    states=(
        Quantity("cell", "c", english("memory"), "c = f·c₋ + i·g", "∂L/∂c = ∂L/∂h·o·(1 − tanh² c) + f₊·∂L/∂c₊",
             made=(Times("cell_before", lambda s: s["forget"], "f", "forget"),
                   Times("input", lambda s: s["candidate"], "g", "candidate")),
             back=Times("hidden", lambda s: s["output_gate"] * (1 - s["opened"] * s["opened"]), "o·(1 − tanh² c)",
                        "output_gate", True)),
        Quantity("hidden", "h", english("state"), "h = o·tanh c", english("∂L/∂h = ∂L/∂h from outside + Σ ∂L/∂a₊·U"),
             made=(Times("output_gate", lambda s: s["opened"], "tanh c", "cell"),)),
    ),
    shown=("forget", "input", "candidate", "output_gate", "cell", "hidden"),
    kept=("forget", "cell"),
)
_GRU = Family(
    "gru", "GRU",
    rows=(
        Quantity("reset", "r", english("reset gate"), "r = σ(W x + U h₋ + b)", "∂L/∂r = ∂L/∂a·(U h₋ + b)", SIGMOID,
             back=Times("new_preactivation", lambda s: s["hidden_new"], "U h₋ + b"),
             means=english("it reads {} of its past"), sign="diamond"),
        Quantity("update", "z", english("update gate"), "z = σ(W x + U h₋ + b)", "∂L/∂z = ∂L/∂h·(h₋ − n)", SIGMOID,
             back=Times("hidden", lambda s: s["hidden_before"] - s["new"], "h₋ − n", "new", True),
             means=english("it keeps {} of its state"), sign="square"),
        Quantity("new", "n", english("candidate"), "n = tanh(W x + b + r·(U h₋ + b))", "∂L/∂n = ∂L/∂h·(1 − z)", TANH,
             back=Times("hidden", lambda s: 1 - s["update"], "1 − z", "update", True), under="reset", sign="hexagon"),
    ),
    states=(
        Quantity("hidden_new", "(U h₋ + b)", english("what r multiplies"), "", "∂L/∂(U h₋ + b) = ∂L/∂a·r",
             back=Times("new_preactivation", lambda s: s["reset"], "r", "reset")),
        Quantity("hidden", "h", english("state"), "h = (1 − z)·n + z·h₋",
             english("∂L/∂h = ∂L/∂h from outside + Σ ∂L/∂a₊·U + z₊·∂L/∂h₊"),
             made=(Times("new", lambda s: 1 - s["update"], "1 − z", "update", True),
                   Times("hidden_before", lambda s: s["update"], "z", "update")),
             rounded=lambda s: (s["hidden_before"] - s["new"]) * s["update"] + s["new"]),
    ),
    shown=("reset", "update", "new", "hidden"),
    kept=("update", "hidden"),
    under="hidden_new",
)
OTHERS = (
    Quantity("unprojected", "y", english("unprojected state"), "h = o·tanh c", "∂L/∂y = Σ ∂L/∂h·W",
         made=_LSTM.states[-1].made),
    Quantity("initial_hidden", "h₀", english("state at the start")),
    Quantity("initial_cell", "c₀", english("memory at the start")),
    Quantity("hidden_direct", "h", english("state from outside")),
    Quantity("cell_direct", "c", english("memory from outside")),
)
"""What only some of them have: an LSTM whose state is projected, a state to start from, what came from outside."""


_RELU_BACK = english("∂L/∂a = ∂L/∂h where h > 0, else 0")
"""What `RELU.backward("h")` puts together, for whoever translates it."""


@lru_cache(maxsize=8)
def _rnn(curve: Curve) -> Family:
    function, summed = curve.words.format("W x + U h₋ + b"), "W x + U h₋ + b"
    return Family(
        "rnn", "RNN",
        rows=(Quantity("preactivation", "a", english("sum"), f"a = {summed}", curve.backward("h"),
                   back=Times("hidden", lambda s: curve.slope(s["hidden"]), curve.slope_words.format("h"), "", True)),),
        states=(Quantity("hidden", "h", english("state"), f"h = {function}", _LSTM.states[-1].backward, curve),),
        shown=("preactivation", "hidden"),
    )


FAMILIES: Mapping[str, Family] = {"lstm": _LSTM, "gru": _GRU, "rnn": _rnn(TANH)}


def family(name: str, nonlinearity: str = "tanh") -> Family:
    """`lstm`, `gru` or `rnn`, this one with the curve that makes its state."""
    return _rnn(CURVES[nonlinearity]) if name == "rnn" else FAMILIES[name]


def family_of(layer: Layer) -> Family | None:
    """What a layer is made of; None if it hides no time."""
    name = layer.kind.removesuffix("_cell")
    return family(name, layer.settings.get("nonlinearity", "tanh")) if name in FAMILIES else None


def quantity(key: str) -> Quantity:
    """A gate, a state or a sum by its key, whatever family it is of; a key that nobody knows is its own name."""
    gate = key.removesuffix(PREACTIVATION)
    found = next((one.quantities[gate] for one in FAMILIES.values() if gate in one.quantities), None)
    if found is None:
        return Quantity(key, key, key.replace("_", " "))
    return found if gate == key else replace(found, key=key, symbol="a", curve=None,
                                                  name=tr("sum of the {gate}").format(gate=translated(found.name)))


def symbol(key: str) -> str:
    """`f` of `forget`; `a` of the sum before any gate."""
    return quantity(key).symbol


def named(key: str) -> str:
    """`forget gate`; `sum of the forget gate` of the sum before it."""
    return translated(quantity(key).name)


# --- forwards -------------------------------------------------------------------------------------------------------

Squash = Callable[[Curve, Any], Any]


def _squash(curve: Curve, sums: Any) -> Any:
    return curve.value(sums)


def gates(one: Family, read: Any, again: Any, squash: Squash = _squash) -> dict[str, Any]:
    """Gates and candidates from W x + b and U h₋ + b, (…, rows) each; of an RNN its sum."""
    units = read.shape[-1] // len(one.rows)
    found: dict[str, Any] = {}
    together = one.together if squash is _squash else 0
    if together:
        made = _at_once(one.name, read[..., :together * units] + again[..., :together * units])
        found = {key: made[..., block * units:(block + 1) * units] for block, key in enumerate(one.keys[:together])}
    for block, row in tuple(enumerate(one.rows))[together:]:
        at = slice(block * units, (block + 1) * units)
        summed = again[..., at]
        if row.under:
            found[one.under], summed = summed, found[row.under] * summed
        total = read[..., at] + summed
        found[row.key] = total if row.curve is None else squash(row.curve, total)
    return found


def _at_once(name: str, sums: Values) -> Values:
    """σ(a) = ½ tanh(a/2) + ½, so one tanh makes all gates; written over their sums."""
    by, plus = _halves(name, sums.shape[-1], sums.dtype.str)
    sums *= by
    np.tanh(sums, sums)
    sums *= by
    sums += plus
    return sums


@lru_cache(maxsize=8)
def _halves(name: str, rows: int, dtype: str) -> tuple[Values, Values]:
    """(rows,) each: ½ and ½ for those that a σ makes, 1 and 0 for those of a tanh."""
    bounds = np.array([row.gate for row in FAMILIES[name].rows[:FAMILIES[name].together]])
    each = rows // len(bounds)
    return (np.repeat(np.where(bounds, 0.5, 1.0), each).astype(dtype),
            np.repeat(np.where(bounds, 0.5, 0.0), each).astype(dtype))


def made(one: Family, key: str, s: Numbers, squash: Squash = _squash) -> Any:
    """A state: the sum of its products, or of an RNN a curve of its sum."""
    state = one.quantities[key]
    if state.curve is not None:
        return squash(state.curve, s["preactivation"])
    if state.rounded is not None:
        return state.rounded(s)
    products = [s[times.of] * times.factor(s) for times in state.made]
    return products[0] if len(products) == 1 else products[0] + products[1]


def memories(one: Family, s: Mapping[str, Any], initial: Any) -> Values:
    """(step, …): c_t of every step, from gates that are all known and the state before the first."""
    entering = s["input"] * s["candidate"]
    before = initial
    for kept, state in zip(s["forget"], entering, strict=True):
        state += kept * before
        before = state
    found: Values = entering
    return found


def run(one: Family, read: Values, recurrent: Values, bias: Values | None) -> dict[str, Values]:
    """All gates and states, (step, seed, unit), where every state is made from the one before, from zero on.

    `read` (step, seed, rows) is W x + b, `recurrent` (seed, rows, unit), `bias` (seed, rows) that of U h₋.
    """
    shape = (*read.shape[:2], recurrent.shape[-1])
    remembers = "cell" in one.quantities
    s: dict[str, Any] = {f"{state.key}_before": np.zeros(shape[1:], read.dtype) for state in one.states}
    kept = {key: np.empty(shape, read.dtype) for key in (*one.keys, *(state.key for state in one.states))}
    for step, driven in enumerate(read):
        again = (recurrent @ s["hidden_before"][:, :, None])[:, :, 0]
        s |= gates(one, driven, again if bias is None else again + bias)
        if remembers:
            s["cell"] = s["cell_before"] = made(one, "cell", s)
            s["opened"] = np.tanh(s["cell"])
        s["hidden"] = s["hidden_before"] = made(one, "hidden", s)
        for key, array in kept.items():
            array[step] = s[key]
    return kept


# --- backwards ------------------------------------------------------------------------------------------------------

def step_back(one: Family, key: str, s: Numbers) -> tuple[str, Any]:
    """(of what, factor): the gradient of a gate, or of the sum before it, is that of what it goes into times this."""
    gate = key.removesuffix(PREACTIVATION)
    found = one.quantities[gate]
    if gate != key and found.curve is not None:
        return gate, found.curve.slope(s[gate])
    assert found.back is not None
    return found.back.of, found.back.factor(s)


def reach(one: Family, s: Numbers) -> dict[str, tuple[str, Any]]:
    """(state, factor) of every gate and sum: its gradient is that of the state of the same step times the factor."""
    found: dict[str, tuple[str, Any]] = {}

    def reached(key: str) -> tuple[str, Any]:
        if key not in found:
            of, factor = step_back(one, key, s)
            if of in ("hidden", "cell"):
                found[key] = of, factor
            else:
                state, so_far = reached(of)
                found[key] = state, so_far * factor
        return found[key]

    for key in (*one.keys, *one.at_read, *one.at_hidden):
        reached(key)
    return found


@dataclass(frozen=True, eq=False)
class Came:
    """What flows back to the states from outside, (step, …, unit), as far as it is known.

    Steps marked whole hold all of it already; the part from outside is then what the next step does not account for.
    These arrays are written to: afterwards they hold that part.
    """

    hidden: Values
    cell: Values | None = None
    whole_hidden: tuple[bool, ...] = ()
    whole_cell: tuple[bool, ...] = ()


def flow(one: Family, s: Mapping[str, Any], recurrent: Values, came: Came, projection: Values | None = None
         ) -> dict[str, Values]:
    """dL/d every gate, state and sum, (step, …, unit), and what is left before the first step, `initial_hidden`.

    `s` holds all steps at once; `recurrent` (…, rows, unit); `projection` W_hr of an LSTM that projects its state.
    """
    reached = reach(one, s)
    slopes = np.stack([reached[key][1] for key in one.at_hidden], -2)
    gate, state = one.kept
    if state == "cell":
        to_cell = step_back(one, "cell", s)[1]
        found = _through_memory(slopes, to_cell, s[gate], recurrent, came, projection)
    else:
        found = _through_states(slopes, s[gate] if gate else None, recurrent, came)
    source = found | {"hidden": found.get("unprojected", found["hidden"])}
    return found | {key: source[state] * factor for key, (state, factor) in reached.items()}


ROUNDED = 8
"""So many last digits of the largest number a sum may be off by rounding: a rest that is no larger is none."""


def rest(whole: Values, known: Values) -> Values:
    """What is left of a gradient without the part that is known; exactly 0 where that is all of it but for rounding."""
    left: Values = whole - known
    least = ROUNDED * np.finfo(whole.dtype).eps * np.abs(whole).max(initial=0.0)
    return np.where(np.abs(left).max(initial=0.0) <= least, 0.0, left).astype(whole.dtype, copy=False)


def _through_states(slopes: Values, kept: Values | None, recurrent: Values, came: Came) -> dict[str, Values]:
    """dL/dh_t of a GRU or RNN, last step first.

    `slopes` (step, …, gate, unit) lead from h_t to every sum that h_{t−1} is in, `kept` straight to h_{t−1}.
    """
    outside = came.hidden
    hidden, sums = np.empty_like(outside), np.empty_like(slopes[0])
    flat, handed = sums.reshape(*sums.shape[:-2], 1, -1), np.zeros((*outside.shape[1:-1], 1, outside.shape[-1]),
                                                                    outside.dtype)
    from_hidden = handed[..., 0, :]
    for step in range(len(outside) - 1, -1, -1):
        state = hidden[step]
        if came.whole_hidden and came.whole_hidden[step]:
            outside[step] = rest(outside[step], from_hidden)
        np.add(outside[step], from_hidden, state)
        np.multiply(slopes[step], state[..., None, :], sums)
        np.matmul(flat, recurrent, handed)
        if kept is not None:
            from_hidden += kept[step] * state
    return {"hidden": hidden, "hidden_direct": outside, "initial_hidden": from_hidden[None]}


def _through_memory(slopes: Values, to_cell: Values, forget: Values, recurrent: Values, came: Came,
                    projection: Values | None) -> dict[str, Values]:
    """dL/dh_t and dL/dc_t of an LSTM, last step first.

    `to_cell` leads from o·tanh c to c, `slopes` (step, …, gate, unit) to every sum: from o·tanh c to the last, the
    output gate's, and from c to the others.
    """
    outside = came.hidden
    outside_cell = np.zeros_like(to_cell) if came.cell is None else came.cell
    hidden, cell, sums = np.empty_like(outside), np.empty_like(to_cell), np.empty_like(slopes[0])
    flat, handed = sums.reshape(*sums.shape[:-2], 1, -1), np.zeros((*outside.shape[1:-1], 1, outside.shape[-1]),
                                                                    outside.dtype)
    of_cell, of_made = sums[..., :-1, :], sums[..., -1, :]
    slopes_of_cell, slopes_of_made = slopes[..., :-1, :], slopes[..., -1, :]
    from_hidden, from_cell = handed[..., 0, :], np.zeros_like(to_cell[0])
    for step in range(len(outside) - 1, -1, -1):
        state, memory = hidden[step], cell[step]
        if came.whole_hidden and came.whole_hidden[step]:
            outside[step] = rest(outside[step], from_hidden)
        np.add(outside[step], from_hidden, state)
        opened = state if projection is None else state @ projection
        np.multiply(opened, to_cell[step], memory)
        memory += from_cell
        if came.cell is not None:
            if came.whole_cell and came.whole_cell[step]:
                outside_cell[step] = rest(outside_cell[step], memory)
            memory += outside_cell[step]
        np.multiply(slopes_of_cell[step], memory[..., None, :], of_cell)
        np.multiply(slopes_of_made[step], opened, of_made)
        np.matmul(flat, recurrent, handed)
        np.multiply(memory, forget[step], from_cell)
    found = {"hidden": hidden, "cell": cell, "hidden_direct": outside, "initial_hidden": from_hidden[None],
             "initial_cell": from_cell[None]}
    if came.cell is not None:
        found["cell_direct"] = outside_cell
    return found if projection is None else found | {"unprojected": hidden @ projection}
