"""Recurrent calls taken apart: the gates, states and gradients that torch's RNN, LSTM and GRU keep to themselves.

torch computes a whole sequence in one call. It tells the outputs, and the gradient that came to them from outside:
not dL/dh_t, which also holds what every later step hands back. From these two each level and direction is taken apart
here, in closed form. That this is what the module did is checked every time: each output is made once more from its
gates, and the gradients of the weights that follow from all this are compared with autograd's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from visualizer import reasons
from visualizer.record import through_time
from visualizer.record.through_time import Came, Tensors
from visualizer.trace import Array

FUSED = {"lstm": "lstm", "gru": "gru", "rnn_tanh": "rnn", "rnn_relu": "rnn"}
"""Torch's calls for whole sequences -> the kind that explains them; `aten.lstm.input` takes what `_VF.lstm` takes."""
CELLS = {f"{call}_cell": f"{kind}_cell" for call, kind in FUSED.items()}
"""Torch's calls for a single step."""
CALLS = FUSED | CELLS

TOLERANCES = {"float64": (1e-12, 1e-10), "float16": (1e-2, 1e-2), "bfloat16": (5e-2, 5e-2)}
"""By precision, how far outputs, and gradients of weights, may be from torch's; other types as float32. Where more is
added up for a gate than torch itself can add without a larger rounding error, outputs may differ by that."""
SHAKEN = 8.0
"""So many times what moving the last digits does may a gradient be off: a step back rounds four slopes and four
products, in torch and here."""
OF_FLOAT32 = (1e-6, 1e-5)


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a recurrent function, or several calls of a cell that follow each other."""

    name: str
    """`lstm`, `gru`, `rnn_tanh` or `rnn_relu`."""
    data: Tensor
    """(rows, features): what step 0 of every sequence reads, then step 1, and so on."""
    sizes: tuple[int, ...]
    """How many sequences each step has; they are sorted by length, longest first."""
    initial: tuple[Tensor, ...]
    """Hidden state, and cell state of an LSTM, before the first step: (levels · directions, sequences, unit)."""
    weights: tuple[Tensors, ...]
    """For every level and direction: weight_ih, weight_hh, bias_ih, bias_hh, weight_hr, as far as there are."""
    levels: int = 1
    directions: int = 1
    dropout: float = 0.0
    """Probability with which the outputs of every level but the last are dropped; 0 outside training."""
    packed: Tensor | None = None
    """`sizes` as torch was given them, if the sequences were packed."""
    batch_first: bool = False
    precision: str = "float32"
    """In which torch computed it."""

    @property
    def sequences(self) -> int:
        return self.sizes[0]

    @property
    def drops(self) -> bool:
        """Whether random numbers were drawn."""
        return self.dropout > 0 and self.levels > 1

    def rows(self, sequence: int) -> Tensor | slice:
        """Which rows belong to one of the sequences, in the order of its steps."""
        if self.sequences == 1:
            return slice(None)
        starts = np.cumsum((0, *self.sizes[:-1])).tolist()
        return torch.tensor([start + sequence for start, size in zip(starts, self.sizes, strict=True)
                             if sequence < size])


@dataclass(frozen=True, eq=False)
class Direction:
    """One level and direction of a call, over one sequence. Step t is what was read at place t, in both directions."""

    level: int
    reverse: bool
    suffix: str
    """What tells it from the others of the call: `.l0`, `.l0.reverse`; empty for the only one."""
    output: Array
    """(step, unit): h_t."""
    inner: Mapping[str, Array]
    """(step, unit) each. LSTM: input forget candidate output_gate cell hidden, and `unprojected` if h_t is projected;
    GRU: reset update new hidden; RNN: preactivation hidden."""
    gradient: Array | None = None
    """(step, unit): dL/dh_t, all of it; None if nothing flowed back."""
    inner_gradients: Mapping[str, Array] = field(default_factory=dict)
    """dL/d each of `inner`, all of it. Of gates also before their sigmoid or tanh, as `forget_preactivation`, and in a
    GRU of what r is multiplied with, as `hidden_new`; of states also the part from outside, not through the next step,
    as `hidden_direct`, and what is left before the first step, as `initial_hidden` (1, unit)."""
    weight_gradients: Mapping[str, Array] = field(default_factory=dict)
    """By torch's names, what `inner_gradients` imply; summed over all sequences of the call."""
    module_error: float = 0.0
    """Largest difference between an output made from its gates and torch's, relative to the largest output (or 1)."""
    module_rounding: float = 0.0
    """How large that may be because of the rounding of sums, in torch and here."""
    gradient_error: float | None = None
    """Largest difference between an implied gradient of a weight and autograd's, relative to the largest in it."""
    gradient_rounding: float = 0.0
    """How large that may be because of the last digits of gates and states, in torch and here."""
    dropped: Array | None = None
    """(step, unit): what the next level read in place of the output, if there was dropout between them."""
    dropped_gradient: Array | None = None
    precision: str = "float32"
    """In which torch computed it; numpy has no `bfloat16`, and its arrays are wider then."""

    @property
    def unverified(self) -> str:
        """One sentence if this is not what torch computed, else nothing. NaN agrees with nothing."""
        outputs, gradients = _tolerances(self.precision)
        outputs = max(outputs, self.module_rounding)
        if not self.module_error <= outputs:
            return reasons.OUTPUTS_DIFFER.format(error=f"{self.module_error:.1e}", most=f"{outputs:.0e}")
        gradients = max(gradients, SHAKEN * self.gradient_rounding)
        if self.gradient_error is not None and not self.gradient_error <= gradients:
            return reasons.GRADIENTS_DIFFER.format(error=f"{self.gradient_error:.1e}", most=f"{gradients:.0e}")
        return ""


def unroll(call: Call, outputs: Sequence[Tensor], gradients: Sequence[Tensor | None] = (), *,
           weight_gradients: Sequence[Mapping[str, Tensor]] | None = None, random: Tensor | None = None,
           sequence: int = 0) -> tuple[Direction, ...]:
    """Take a call apart, level by level, forward before reverse.

    `outputs` is what the call handed back (output, h_n, and c_n of an LSTM) and `gradients` what flowed back to each,
    None where nothing did. `weight_gradients` are autograd's, by level and direction, with which the implied ones are
    compared. `random` is the state of the random numbers before the call, needed only where there was dropout between
    levels: LookupError if it is missing then. `sequence` is the place of one of several in the batch; packed ones are
    counted from the longest.
    """
    ends = _ends(call, outputs, gradients)
    with torch.no_grad(), np.errstate(all="ignore"):
        return _take_apart(call, ends, _levels(call, ends.output, random), weight_gradients, sequence)


def unroll_cells(calls: Sequence[Call], outputs: Sequence[Sequence[Tensor]],
                 gradients: Sequence[Sequence[Tensor | None]] = (), outside: Sequence[Sequence[bool]] = (), *,
                 sequence: int = 0) -> Direction:
    """Take calls of a cell apart, each of which starts from what the one before handed back.

    For each call: `outputs` are h, and c of an LSTM; `gradients` what autograd found for them, all of dL/dh_t and
    dL/dc_t; `outside` whether anything but the next call handed a part of that back. Autograd tells of the weights
    only the sum over all steps, so they are compared by `gradient_error`.
    """
    call = _joined(calls)
    ends = _ends_of_cells(outputs, gradients, outside)
    with torch.no_grad(), np.errstate(all="ignore"):
        return _take_apart(call, ends, [_Level(_computable(call.data), ends.output)], None, sequence)[0]


def gradient_error(found: Sequence[Direction], autograd: Mapping[str, Tensor]) -> float:
    """How far the gradients of weights that these imply together are from autograd's, relative to its largest."""
    implied = {name: torch.tensor(sum(one.weight_gradients[name] for one in found)) for name in autograd}
    return _largest(_difference(implied[name], _computable(theirs)) for name, theirs in autograd.items())


def gradients_of_weights(call: Call, gradients: Sequence[Tensor | None], random: Tensor | None = None) -> list[Tensors]:
    """Autograd's gradients of the weights through this call alone: torch makes it once more.

    Needed where a weight is used more than once, because autograd then tells only the sum.
    """
    leaves = [{name: weight.requires_grad_() for name, weight in _weights(call, place).items()}
              for place in range(len(call.weights))]
    flat = [weight for named in leaves for weight in named.values()]
    with torch.enable_grad(), _random_numbers(random):
        made = _run(call, _computable(call.data), [_computable(state) for state in call.initial], flat, call.levels,
                    call.dropout)
    came = [None if gradient is None else _computable(gradient) for gradient in gradients]
    if came[0] is not None:
        came[0] = _as_rows(call, came[0])
    pairs = [(one, gradient.reshape(one.shape)) for one, gradient in zip(made, came, strict=True)
             if gradient is not None]
    found = torch.autograd.grad([one for one, _ in pairs], flat, [gradient for _, gradient in pairs],
                                materialize_grads=True, allow_unused=True)
    each = iter(found)
    return [dict(zip(named, each, strict=False)) for named in leaves]


# --- the arguments of a call ----------------------------------------------------------------------------------------

PADDED = ("input", "hx", "params", "has_biases", "num_layers", "dropout", "train", "bidirectional", "batch_first")
PACKED = ("data", "batch_sizes", "hx", "params", "has_biases", "num_layers", "dropout", "train", "bidirectional")
CELL = ("input", "hx", "weight_ih", "weight_hh", "bias_ih", "bias_hh")
SHORT = {"w_ih": "weight_ih", "w_hh": "weight_hh", "b_ih": "bias_ih", "b_hh": "bias_hh"}


def arguments(name: str, args: Sequence[Any], kwargs: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The arguments of a recurrent call by name: nine for sequences, padded or packed, up to six for a cell.

    What it reads is `input`, or `data` if packed; `hx` is always a tuple of states.
    """
    kwargs = kwargs or {}
    packed = "batch_sizes" in kwargs or (len(args) > 3 and isinstance(args[3], tuple | list))
    names = CELL if name in CELLS else PACKED if packed else PADDED
    given = dict(zip(names, args, strict=False)) | {SHORT.get(key, key): value for key, value in kwargs.items()}
    given["hx"] = tuple(given["hx"]) if name.startswith("lstm") else (given["hx"],)
    return given


def call_of(name: str, args: Sequence[Any], kwargs: Mapping[str, Any] | None = None) -> Call:
    """A recurrent call, ready to be taken apart."""
    given = arguments(name, args, kwargs)
    if name in CELLS:
        data = given["input"].reshape(-1, given["input"].shape[-1])
        weights = {key: given[key] for key in CELL[2:] if given.get(key) is not None}
        initial = tuple(state.reshape(1, len(data), -1) for state in given["hx"])
        return Call(name.removesuffix("_cell"), data, (len(data),), initial, (weights,), precision=_name(data.dtype))
    packed = given.get("batch_sizes")
    data = given["input"] if packed is None else given["data"]
    if packed is None:
        data = data.transpose(0, 1) if given["batch_first"] else data
        sizes = (data.shape[1],) * len(data)
    else:
        sizes = tuple(packed.tolist())
    levels, directions = given["num_layers"], 2 if given["bidirectional"] else 1
    flat, count = list(given["params"]), len(given["params"]) // (levels * directions)
    names = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if given["has_biases"] else [])]
    names += ["weight_hr"] * (count - len(names))
    return Call(
        name=name,
        data=data.reshape(sum(sizes), data.shape[-1]),
        sizes=sizes,
        initial=given["hx"],
        weights=tuple(dict(zip(names, flat[first:first + count], strict=True))
                      for first in range(0, len(flat), count)),
        levels=levels,
        directions=directions,
        dropout=float(given["dropout"]) if given["train"] else 0.0,
        packed=packed,
        batch_first=packed is None and bool(given["batch_first"]),
        precision=_name(data.dtype),
    )


def random_state(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tensor | None:
    """What must be kept before a call so that its dropout can be drawn again; None if it draws nothing."""
    if name not in FUSED:
        return None
    given = arguments(name, args, kwargs)
    drops = given["train"] and given["dropout"] > 0 and given["num_layers"] > 1
    return torch.get_rng_state() if drops else None


def _joined(calls: Sequence[Call]) -> Call:
    """Steps of a cell as one sequence."""
    return replace(calls[0], data=torch.cat([call.data for call in calls]),
                   sizes=tuple(size for call in calls for size in call.sizes))


# --- what a call handed back, and what flowed back to it ------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class _Ends:
    """Everything as rows like `Call.data`, or by level and direction: (levels · directions, sequences, unit)."""

    output: Tensor
    last: tuple[Tensor, ...]
    """h_n, and c_n of an LSTM."""
    back: Tensor | None
    """Rows: to the output."""
    back_last: tuple[Tensor | None, ...] = (None, None)
    """To h_n and c_n."""
    back_cell: Tensor | None = None
    """Rows: to the cell states, where the model steps by itself."""
    whole: tuple[tuple[bool, ...], ...] = ((), ())
    """Steps for which that is all of dL/dh_t, and of dL/dc_t."""

    @property
    def flowed(self) -> bool:
        return any(one is not None for one in (self.back, *self.back_last, self.back_cell))


def _ends(call: Call, outputs: Sequence[Tensor], gradients: Sequence[Tensor | None]) -> _Ends:
    made = [_computable(output) for output in outputs]
    came = [None if gradient is None else _computable(gradient) for gradient in gradients] or [None] * len(made)
    return _Ends(_as_rows(call, made[0]), tuple(made[1:]), None if came[0] is None else _as_rows(call, came[0]),
                 tuple(came[1:]))


def _ends_of_cells(outputs: Sequence[Sequence[Tensor]], gradients: Sequence[Sequence[Tensor | None]],
                   outside: Sequence[Sequence[bool]]) -> _Ends:
    """One row for each step; zeros where nothing came from outside."""
    made = [torch.cat([_rows(one) for one in states]) for states in zip(*outputs, strict=True)]
    last = tuple(_rows(one)[None] for one in outputs[-1])
    if not any(one is not None for step in gradients for one in step):
        return _Ends(made[0], last, None)
    back, whole = [], []
    for state, last_one in enumerate(last):
        steps = [step[state] if came[state] else None for step, came in zip(gradients, outside, strict=True)]
        back.append(torch.cat([torch.zeros_like(last_one[0]) if one is None else _rows(one) for one in steps]))
        whole.append(tuple(one is not None for one in steps))
    return _Ends(made[0], last, back[0], back_cell=back[1] if len(back) > 1 else None, whole=(*whole, ())[:2])


def _as_rows(call: Call, tensor: Tensor) -> Tensor:
    if call.packed is None and call.batch_first:
        tensor = tensor.transpose(0, 1)
    return tensor.reshape(sum(call.sizes), tensor.shape[-1])


def _rows(tensor: Tensor) -> Tensor:
    return _computable(tensor).reshape(-1, tensor.shape[-1])


def _weights(call: Call, place: int) -> Tensors:
    return {name: _computable(weight) for name, weight in call.weights[place].items()}


def _computable(tensor: Tensor) -> Tensor:
    """On the processor, at least in float32, without a place in autograd's graph."""
    tensor = tensor.detach().cpu()
    return tensor if tensor.dtype in (torch.float32, torch.float64) else tensor.float()


# --- what every level read and made ---------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class _Level:
    """(rows, features) each."""

    read: Tensor
    made: Tensor
    mask: Tensor | None = None
    """What the next level read is `made` times this."""


def _levels(call: Call, output: Tensor, random: Tensor | None) -> list[_Level]:
    """What passes from level to level torch keeps to itself, so it makes all but the last level once more."""
    if call.drops and random is None:
        raise LookupError(reasons.NO_RANDOM)
    levels, read = [], _computable(call.data)
    with _random_numbers(random):
        for level in range(call.levels - 1):
            made = _once_more(call, level, read)
            mask = functional.dropout(torch.ones_like(made), call.dropout) if call.drops else None
            levels.append(_Level(read, made, mask))
            read = made if mask is None else made * mask
    return [*levels, _Level(read, output)]


def _once_more(call: Call, level: int, read: Tensor) -> Tensor:
    """One level by torch's own function."""
    places = slice(level * call.directions, (level + 1) * call.directions)
    weights = [_computable(weight) for named in call.weights[places] for weight in named.values()]
    made = _run(call, read, [_computable(state[places]) for state in call.initial], weights, 1, 0.0)[0]
    return made.reshape(len(read), -1)


def _run(call: Call, data: Tensor, initial: Sequence[Tensor], weights: list[Tensor], levels: int,
         dropout: float) -> tuple[Tensor, ...]:
    """torch's function for whole sequences, on rows."""
    function: Callable[..., tuple[Tensor, ...]] = getattr(torch._VF, call.name)
    hx = tuple(initial) if call.name == "lstm" else initial[0]
    rest = (weights, "bias_ih" in call.weights[0], levels, dropout, dropout > 0, call.directions == 2)
    if call.packed is not None:
        return function(data, call.packed.cpu(), hx, *rest)
    return function(data.reshape(len(call.sizes), call.sequences, -1), hx, *rest, False)


@contextmanager
def _random_numbers(state: Tensor | None) -> Iterator[None]:
    """Random numbers start from `state` inside, and are as before afterwards."""
    with torch.random.fork_rng(devices=[], enabled=state is not None):
        if state is not None:
            torch.set_rng_state(state)
        yield


# --- level by level, last one first ---------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class _Taken:
    """One direction of a level taken apart over one sequence, in the order in which it goes through it."""

    run: through_time.Sequence
    inner: Tensors
    made: Tensor
    """(step, unit): h_t made from its gates."""
    flow: through_time.Flow | None
    to_weights: Tensors

    @property
    def error(self) -> float:
        """Of every output made from its gates, relative to the largest of torch's, or to 1."""
        return _difference(self.made, self.run.hidden, 1.0)


def _take_apart(call: Call, ends: _Ends, levels: Sequence[_Level],
                weight_gradients: Sequence[Mapping[str, Tensor]] | None, wanted: int) -> tuple[Direction, ...]:
    """Every level and direction, over the wanted sequence.

    Gradients of weights are sums over all sequences, so all of them are taken apart if something flowed back.
    """
    numbers = range(call.sequences) if ends.flowed else (wanted,)
    back = ends.back
    found: list[Direction] = []
    for number, level in reversed(list(enumerate(levels))):
        handed_back = torch.zeros_like(level.read)
        here = []
        for reverse in (False, True)[:call.directions]:
            place = number * call.directions + reverse
            taken = {sequence: _taken(call, place, reverse, sequence, level, ends, back) for sequence in numbers}
            for sequence, one in taken.items():
                if one.flow is not None and number:  # nothing that is asked for lies below the lowest level
                    to_read = one.flow.at_read @ one.run.weights["weight_ih"]
                    handed_back[call.rows(sequence)] += _in_order(reverse, to_read)
            autograd = None if weight_gradients is None else weight_gradients[place]
            here.append(_direction(call, number, reverse, wanted, level, ends, back, taken, autograd))
        found[:0] = here
        back = handed_back if ends.flowed else None
    return tuple(found)


def _taken(call: Call, place: int, reverse: bool, sequence: int, level: _Level, ends: _Ends,
           back: Tensor | None) -> _Taken:
    at, columns = call.rows(sequence), _columns(call, level, reverse)
    run = through_time.Sequence(
        name=call.name,
        weights=_weights(call, place),
        read=_in_order(reverse, level.read[at]),
        hidden=_in_order(reverse, level.made[at, columns]),
        initial=tuple(_computable(state[place, sequence]) for state in call.initial),
        came=_came(place, reverse, sequence, at, columns, level, ends, back) if ends.flowed else None,
    )
    inner, made = through_time.states(run)
    if run.came is None:
        return _Taken(run, inner, made, None, {})
    flow = through_time.flow(run, inner)
    return _Taken(run, inner, made, flow, through_time.weight_gradients(run, inner, flow))


def _came(place: int, reverse: bool, sequence: int, at: Tensor | slice, columns: slice, level: _Level, ends: _Ends,
          back: Tensor | None) -> Came:
    """What the level above, and whoever read the last states, handed back."""
    if back is not None and level.mask is not None:
        back = back * level.mask
    hidden = torch.zeros_like(level.made) if back is None else back
    hidden = _in_order(reverse, hidden[at, columns]).clone()
    cell = None if ends.back_cell is None else ends.back_cell[at].clone()
    last, last_cell = (None if state is None else state[place, sequence] for state in (*ends.back_last, None)[:2])
    if last is not None:
        hidden[-1] += last
    if last_cell is not None:
        cell = last_cell.new_zeros(len(hidden), len(last_cell))
        cell[-1] = last_cell
    return Came(hidden, cell, *ends.whole)


def _direction(call: Call, level: int, reverse: bool, wanted: int, rows: _Level, ends: _Ends, back: Tensor | None,
               taken: Mapping[int, _Taken], autograd: Mapping[str, Tensor] | None) -> Direction:
    def arrays(tensors: Tensors) -> dict[str, Array]:
        return {name: _array(_in_order(reverse, tensor)) for name, tensor in tensors.items()}

    one, place = taken[wanted], level * call.directions + reverse
    at, columns = call.rows(wanted), _columns(call, rows, reverse)
    states = arrays({key: tensor for key, tensor in one.inner.items() if key != "hidden_new"})
    gradients = arrays(one.flow.inner) if one.flow else {}
    implied = {name: torch.stack([each.to_weights[name] for each in taken.values()]).sum(0) for name in one.to_weights}
    last = [(one.run.hidden[-1], ends.last[0][place, wanted])]
    last += [(one.inner["cell"][-1], cell[place, wanted]) for cell in ends.last[1:]]
    error = _largest((one.error, *(_difference(ours, theirs, 1.0) for ours, theirs in last)))
    off = None if autograd is None or not implied else _largest(
        [_difference(implied[name], _computable(theirs)) for name, theirs in autograd.items()])
    doubted = off is not None and off > _tolerances(call.precision)[1]
    return Direction(
        level=level,
        reverse=reverse,
        suffix=f".l{level}{'.reverse' if reverse else ''}" if call.levels * call.directions > 1 else "",
        output=states["hidden"],
        inner=states,
        gradient=gradients.get("hidden"),
        inner_gradients=gradients,
        weight_gradients={name: _array(tensor) for name, tensor in implied.items()},
        module_error=error,
        module_rounding=through_time.rounding(one.run) if error > _tolerances(call.precision)[0] else 0.0,
        gradient_error=off,
        gradient_rounding=max((through_time.gradient_rounding(each.run, each.inner, each.to_weights)
                               for each in taken.values() if each.flow is not None), default=0.0) if doubted else 0.0,
        dropped=None if rows.mask is None else _array((rows.made * rows.mask)[at, columns]),
        dropped_gradient=None if rows.mask is None or back is None else _array(back[at, columns]),
        precision=call.precision,
    )


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _tolerances(precision: str) -> tuple[float, float]:
    return TOLERANCES.get(precision, OF_FLOAT32)


def _difference(ours: Tensor, theirs: Tensor, least: float = 1e-300) -> float:
    """The largest difference, relative to the largest of theirs or to `least`; 0 if all are equal."""
    return float((ours - theirs).abs().max()) / max(float(theirs.abs().max()), least)


def _largest(numbers: Iterable[float]) -> float:
    """The largest; NaN if one of them is."""
    found = list(numbers)
    return float("nan") if any(number != number for number in found) else max(found, default=0.0)


def _columns(call: Call, level: _Level, reverse: bool) -> slice:
    """Where a direction stands among the outputs of its level: forward first."""
    units = level.made.shape[1] // call.directions
    return slice(reverse * units, (reverse + 1) * units)


def _in_order(reverse: bool, tensor: Tensor) -> Tensor:
    """From places to the order of a direction, or back."""
    return tensor.flip(0) if reverse else tensor


def _array(tensor: Tensor) -> Array:
    """Nobody writes to it any more, so it is no copy."""
    array: Array = np.asarray(tensor.numpy(), order="C")
    array.flags.writeable = False
    return array
