"""Cuts: a channel that gives zeros, a weight that is another, a gate that stands open, a state that is replaced.

What is done to the output of a part is a step of the model that is recorded like any other, behind that part. The unit
of a recurrent layer has no step of its own: with all weights and biases of its candidate at zero, its state starts at
zero and stays there, at every step, which is the same and keeps the layer what it is. A gate is held in the same way,
by a bias so large that nothing else counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from visualizer import inputs
from visualizer.edits.cuts import (
    MEAN,
    ZERO,
    Added,
    Bent,
    Cut,
    Gate,
    Put,
    Replaced,
    Restarted,
    Scaled,
    Swapped,
    Unwired,
)
from visualizer.language import tr
from visualizer.record.catalog import Opened
from visualizer.trace import Array, Refused

CANDIDATE = {"LSTM": 2, "GRU": 2, "RNN": 0, "LSTMCell": 2, "GRUCell": 2, "RNNCell": 0}
"""Which block of rows of its stacked weights makes what a recurrent layer would write."""
GATES = {"LSTM": {"input": 0, "forget": 1, "output": 3}, "GRU": {"reset": 0, "update": 1}}
"""Which block of rows makes a gate, by the names that recordings have for them."""
HELD = 120.0
"""The bias of a gate that is held: the sigmoid of it is 1 to the last bit, that of its negative 0 to 52 digits."""
OVER = 100
"""Inputs of which a mean is taken, at most."""


def cut(module: nn.Module, wanted: Cut, opened: Opened) -> None:
    """Have one cut done to a copy of the model that is opened; Refused if it has no such part, unit, gate or place."""
    if isinstance(wanted, Scaled):
        scale(module, wanted.layer, wanted.unit, wanted.factor, opened.title, wanted.others)
    elif isinstance(wanted, Put):
        put(module, wanted, opened.title)
    elif isinstance(wanted, Unwired):
        unwire(module, wanted, opened.title)
    elif isinstance(wanted, Gate):
        hold(module, wanted, opened.title)
    elif isinstance(wanted, Replaced):
        instead(module, wanted, opened)
    elif isinstance(wanted, Added):
        add(module, wanted, opened.title)
    elif isinstance(wanted, Bent):
        bend(module, wanted, opened.title)
    elif isinstance(wanted, Swapped):
        swap(module, wanted, opened)
    else:
        restart(module, wanted, opened)


# --- units ------------------------------------------------------------------------------------------------------------

def scale(module: nn.Module, layer: str, unit: int, factor: float, title: str, others: float = 1.0) -> None:
    """Have what one channel or unit of a part of the model gives multiplied, and what every other one gives; Refused if
    there is no such part or unit."""
    path, part, level, backwards = _part(module, layer, title)
    if type(part).__name__ in CANDIDATE:
        if {factor, others} - {0.0, 1.0}:
            raise Refused(tr("A unit of {path} goes from step to step, so it can only be switched off."
                             ).format(path=path))
        _within(unit, int(part.hidden_size), path)  # type: ignore[arg-type]
        for each in range(int(part.hidden_size)):  # type: ignore[arg-type]
            if (factor if each == unit else others) == 0:
                _rows(part, CANDIDATE[type(part).__name__], each, level, backwards, path)
    else:
        def kept(output: Tensor, axis: int) -> Tensor:
            _within(unit, output.shape[axis], path)
            factors = np.full(_along(output, axis), float(others))
            factors.flat[unit] = factor
            return output * _like(factors, output)

        _behind(part, path, kept)


def add(module: nn.Module, wanted: Added, title: str) -> None:
    """Add a number to what one channel or unit gives; Refused where there is none."""
    path, part, _, _ = _part(module, wanted.layer, title)
    if type(part).__name__ in CANDIDATE:
        raise Refused(tr("A unit of {path} has a bias for each gate; set one of them: {example}."
                         ).format(path=path, example=f"weight:{path}.bias_ih_l0:ROW=VALUE"))

    def added(output: Tensor, axis: int) -> Tensor:
        _within(wanted.unit, output.shape[axis], path)
        amounts = np.zeros(_along(output, axis))
        amounts.flat[wanted.unit] = wanted.amount
        return output + _like(amounts, output)

    _behind(part, path, added)


def _part(module: nn.Module, layer: str, title: str) -> tuple[str, nn.Module, int, bool]:
    """Path, module, level and direction of a layer such as `lstm.l1.reverse`."""
    parts = {path: part for path, part in module.named_modules() if path and not [*part.children()]}
    path, backwards = layer.removesuffix(".reverse"), layer.endswith(".reverse")
    name, dot, level = path.rpartition(".l")
    if dot and level.isdecimal() and name in parts and path not in parts:
        found, number = name, int(level)
    else:
        found, number, backwards = (path, 0, True) if backwards and path in parts else (layer, 0, False)
    if found not in parts:
        raise Refused(tr("{model} has no part {layer!r} whose units can be edited; choose one of {known}."
                         ).format(model=title, layer=layer, known=", ".join(parts) or tr("none")))
    return found, parts[found], number, backwards


def _rows(part: nn.Module, block: int, unit: int | None, level: int, backwards: bool, path: str,
          bias: float = 0.0) -> None:
    """A block of rows of a recurrent layer, or the row of one unit, reads nothing; what it has instead is a bias."""
    size = int(part.hidden_size)  # type: ignore[arg-type]
    if unit is not None:
        _within(unit, size, path)
    ending = "" if type(part).__name__.endswith("Cell") else f"_l{level}{'_reverse' if backwards else ''}"
    rows = slice(block * size, (block + 1) * size) if unit is None else block * size + unit
    if bias and getattr(part, f"bias_ih{ending}", None) is None:
        raise Refused(tr("{path} has no biases, by which a gate is held.").format(path=path))
    with torch.no_grad():
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            stacked = getattr(part, f"{name}{ending}", None)
            if stacked is not None:
                stacked[rows] = bias if name == "bias_ih" else 0
            elif name.startswith("weight"):
                refused = tr("{path} has no layer {level} backwards; choose another.") if backwards else \
                    tr("{path} has no layer {level}; choose another.")
                raise Refused(refused.format(path=path, level=level + 1))


def _behind(part: nn.Module, path: str, does: Callable[[Tensor, int], Tensor]) -> None:
    """Have something done to what a part gives, as a step behind it, along its channels or units."""
    number = part.register_forward_hook(_Behind(path, does)).id
    part.register_forward_pre_hook(lambda module, given: module._forward_hooks.move_to_end(number))  # so that the
    # layer is over when its hook comes: the layer keeps its name, and what is done is a step behind it


class _Behind:
    """A hook on what a module gives."""

    def __init__(self, path: str, does: Callable[[Tensor, int], Tensor]) -> None:
        self.path, self.does = path, does

    def __call__(self, module: nn.Module, given: Any, output: Any) -> Tensor:
        if not isinstance(output, Tensor):
            raise Refused(tr("{path} gives more than one array, so no unit of it can be edited; choose another."
                             ).format(path=self.path))
        return self.does(output, _axis(module, output))


def _axis(module: nn.Module, output: Tensor) -> int:
    """That of its channels or units."""
    return 1 if output.ndim >= 4 or isinstance(module, nn.modules.conv._ConvNd | nn.BatchNorm1d) else output.ndim - 1


def _along(output: Tensor, axis: int) -> list[int]:
    return [output.shape[axis] if place == axis else 1 for place in range(output.ndim)]


def _like(array: Any, output: Tensor) -> Tensor:
    return torch.from_numpy(array.astype(str(output.dtype).removeprefix("torch.")))


def _within(unit: int, count: int, path: str) -> None:
    if not 0 <= unit < count:
        raise Refused(tr("{path} has no unit {unit}; it has 0…{last}.").format(path=path, unit=unit, last=count - 1))


# --- weights ----------------------------------------------------------------------------------------------------------

def put(module: nn.Module, wanted: Put, title: str) -> None:
    """Set a number of a weight, a bias or a kernel; Refused if there is no such place."""
    known = dict(module.named_parameters(remove_duplicate=False))
    found = known.get(wanted.parameter)
    if found is None:
        found = _as_recorded(module, wanted.parameter, title)
    if found is None:
        raise Refused(tr("{model} has no weight {name}; choose one of {known}.").format(
            model=title, name=repr(wanted.parameter), known=", ".join(known) or tr("none")))
    if len(wanted.place) > found.ndim or any(at >= size for at, size in zip(wanted.place, found.shape, strict=False)):
        raise Refused(tr("{name} has no place {place}; it has {shape}, counted from 0.").format(
            name=wanted.parameter, place=", ".join(map(str, wanted.place)), shape=" × ".join(map(str, found.shape))))
    with torch.no_grad():
        found[wanted.place] = wanted.value


def _as_recorded(module: nn.Module, name: str, title: str) -> nn.Parameter | None:
    """A parameter by the name that a recording has for it: of a recurrent layer `lstm.l0.reverse.weight_ih`."""
    layer, _, weight = name.rpartition(".")
    with suppress(Refused):
        _, part, level, backwards = _part(module, layer, title)
        found = getattr(part, f"{weight}_l{level}{'_reverse' if backwards else ''}", None)
        return found if isinstance(found, nn.Parameter) else None
    return None


def unwire(module: nn.Module, wanted: Unwired, title: str) -> None:
    """Set every weight from one unit to another to 0; Refused if there are none."""
    path, part, level, backwards = _part(module, wanted.layer, title)
    kind = type(part).__name__
    with torch.no_grad():
        if kind in CANDIDATE:
            size = int(part.hidden_size)  # type: ignore[arg-type]
            _within(wanted.to, size, path)
            _within(wanted.source, size, path)
            ending = "" if kind.endswith("Cell") else f"_l{level}{'_reverse' if backwards else ''}"
            getattr(part, f"weight_hh{ending}")[wanted.to::size, wanted.source] = 0
            return
        weight = getattr(part, "weight", None)
        if not isinstance(weight, Tensor) or weight.ndim < 2 or isinstance(part, nn.Embedding) \
                or getattr(part, "groups", 1) != 1 or getattr(part, "transposed", False):
            raise Refused(tr("{path} has no weights that go from one unit to another; choose a dense layer, a "
                             "convolution or a recurrent layer.").format(path=path))
        _within(wanted.to, weight.shape[0], path)
        _within(wanted.source, weight.shape[1], path)
        weight[wanted.to, wanted.source] = 0


def hold(module: nn.Module, wanted: Gate, title: str) -> None:
    """Hold a gate open or shut; Refused where there is none of that name."""
    path, part, level, backwards = _part(module, wanted.layer, title)
    gates = GATES.get(type(part).__name__.removesuffix("Cell"), {})
    if wanted.gate not in gates:
        refused = tr("{path} has no gate {gate}; choose one of {known}.") if gates else \
            tr("{path} has no gate {gate}; choose a layer of the kind LSTM or GRU.")
        raise Refused(refused.format(path=path, gate=repr(wanted.gate), known=", ".join(gates)))
    _rows(part, gates[wanted.gate], wanted.unit, level, backwards, path, HELD if wanted.open else -HELD)


# --- curves, and places -----------------------------------------------------------------------------------------------

CURVES: dict[str, Callable[[], nn.Module]] = {"none": nn.Identity, "leaky": lambda: nn.LeakyReLU(0.1), "relu": nn.ReLU,
                                              "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
"""Each of `cuts.BENDS`."""


def bend(module: nn.Module, wanted: Bent, title: str) -> None:
    """Put another curve in place of that of a part; Refused where it is no part of its own."""
    path, part, _, _ = _part(module, wanted.layer, title)
    if getattr(nn.modules.activation, type(part).__name__, None) is not type(part) \
            or isinstance(part, nn.MultiheadAttention | nn.Softmax | nn.LogSoftmax):
        curves = [name for name, each in module.named_modules() if isinstance(each, nn.ReLU | nn.Tanh | nn.Sigmoid)]
        refused = tr("{path} is no curve that could be replaced; choose one of {known}.") if curves else \
            tr("{path} is no curve that could be replaced; {model} has none as a part of its own.")
        raise Refused(refused.format(path=path, known=", ".join(curves), model=title))
    parent, _, own = path.rpartition(".")
    setattr(module.get_submodule(parent), own, CURVES[wanted.curve]())


def swap(module: nn.Module, wanted: Swapped, opened: Opened) -> None:
    """Let two channels or units change places in what makes them, and in the next part that reads them; Refused where
    that is not the only one, so that other answers would come."""
    path, part, _, _ = _part(module, wanted.layer, opened.title)
    if type(part).__name__ not in ("Conv1d", "Conv2d", "Conv3d", "Linear") or getattr(part, "groups", 1) != 1:
        raise Refused(tr("Units of {path} cannot change places; choose a dense layer or a convolution."
                         ).format(path=path))
    count = int(part.weight.shape[0])  # type: ignore[index, union-attr, arg-type]
    for unit in (wanted.one, wanted.other):
        _within(unit, count, path)
    parts = [each for each in module.modules() if not [*each.children()]]
    behind = parts[parts.index(part) + 1:]
    before = _answers(module, opened)
    _exchange(part, wanted, 0, 1)
    for each in behind:
        if isinstance(each, nn.modules.batchnorm._BatchNorm) and each.num_features == count:
            _exchange(each, wanted, 0, 1)
        elif isinstance(each, nn.modules.conv._ConvNd | nn.Linear):
            width = int(each.weight.shape[1])
            if width % count == 0 and getattr(each, "groups", 1) == 1:
                _exchange(each, wanted, 1, width // count)
                if all(torch.allclose(*pair, rtol=1e-3, atol=1e-4, equal_nan=True)
                       for pair in zip(before, _answers(module, opened), strict=True)):
                    return
            break
    raise Refused(tr("What reads {path} is not one dense layer or convolution behind it, so nothing can change places "
                     "there; choose another layer.").format(path=path))


def _answers(module: nn.Module, opened: Opened) -> list[Tensor]:
    """What it gives to the first input that ships."""
    from visualizer.record.run import given_of, prepared
    from visualizer.record.tracing import outputs

    x = prepared(opened, given_of(opened, "").raw)
    with torch.no_grad():
        return [each for _, each in outputs(module(*(x if isinstance(x, tuple) else (x,))))]


def _exchange(part: nn.Module, wanted: Swapped, axis: int, each: int) -> None:
    """Rows or columns of two units, so many of each, in all that a part holds along that axis."""
    held = [tensor for name, tensor in (*part.named_parameters(), *part.named_buffers())
            if tensor.ndim > axis and (axis == 0 or name == "weight")]
    for tensor in held:
        order = torch.arange(tensor.shape[axis])
        one, other = (slice(unit * each, (unit + 1) * each) for unit in (wanted.one, wanted.other))
        order[one], order[other] = order[other].clone(), order[one].clone()
        with torch.no_grad():
            tensor.copy_(tensor.index_select(axis, order))


# --- states -----------------------------------------------------------------------------------------------------------

def instead(module: nn.Module, wanted: Replaced, opened: Opened) -> None:
    """Put something else in place of what a part gives; Refused if there is no such part or unit, or no such thing."""
    path, part, _, _ = _part(module, wanted.layer, opened.title)
    if type(part).__name__ in CANDIDATE:
        raise Refused(tr("{path} goes from step to step; write {example} to replace its state.").format(
            path=path, example=f"state_at:{path}:STEP={wanted.by}"))
    there = [output.detach().numpy() for _, output in _runs(opened, path, wanted.by)] if wanted.by != ZERO else []

    def replaced(output: Tensor, axis: int) -> Tensor:
        unit = wanted.unit
        if unit is not None:
            _within(unit, output.shape[axis], path)
        kept = np.ones(_along(output, axis)) if unit is not None else np.zeros([1] * output.ndim)
        kept.flat[unit or 0] = 0
        left = output * _like(kept, output)
        if wanted.by == ZERO:
            return left
        found = _means(there, axis) if wanted.by == MEAN else there[0]
        if wanted.by != MEAN and found.shape != output.shape:
            raise Refused(tr("{path} gives {there} to {other} and {here} here; choose an input of the same size."
                             ).format(path=path, there=_sides(found), other=wanted.by, here=_sides(output)))
        return left + _like(found * (1 - kept), output)

    _behind(part, path, replaced)


def _means(there: Sequence[Array], axis: int) -> Array:
    """Of each channel or unit, over its places and then over the inputs."""
    arrays = [each.astype(np.float64) for each in there]
    others = tuple(place for place in range(arrays[0].ndim) if place != axis)
    found: Array = np.mean([each.mean(others, keepdims=True) for each in arrays], axis=0)
    return found


def _sides(tensor: Tensor | Array) -> str:
    return " × ".join(map(str, tensor.shape[1:]))


def _runs(opened: Opened, path: str, by: str) -> list[tuple[Any, Any]]:
    """(what was fed to a part, what it gave) for the input of that name, or for those that ship where it is the mean;
    of the model as it was opened."""
    from visualizer.record.run import given_of, prepared, reads_of

    facts = reads_of(opened)
    words: Sequence[str] = (by,)
    if by == MEAN:
        words = inputs.candidates("", inputs.of(facts), facts).words[:OVER]
    found: list[tuple[Any, Any]] = []
    hook = opened.module.get_submodule(path).register_forward_hook(
        lambda module, given, output: found.append((given, output)))
    try:
        for word in words:
            with suppress(*((Refused, LookupError) if by == MEAN else ())), torch.no_grad():
                x = prepared(opened, given_of(opened, word).raw)
                opened.module(*(x if isinstance(x, tuple) else (x,)))
    except LookupError as error:
        raise Refused(str(error.args[0])) from error
    finally:
        hook.remove()
    if not found:
        raise Refused(tr("{model} does not come to {path} with any of its inputs, so nothing can stand there."
                         ).format(model=opened.title, path=path))
    return found


def restart(module: nn.Module, wanted: Restarted, opened: Opened) -> None:
    """Put something else in place of the state after a step; Refused where there is no such state."""
    path, part, _, _ = _part(module, wanted.layer, opened.title)
    if type(part).__name__ not in (*GATES, "RNN") or part.bidirectional:
        raise Refused(tr("{path} has no state that goes from step to step in one direction; choose another layer."
                         ).format(path=path))
    states = []
    for given, _ in _runs(opened, path, wanted.by) if wanted.by != ZERO else ():
        x, *first = given
        if _steps(part, x) >= wanted.step:
            with torch.no_grad():
                states.append(_state(opened.module.get_submodule(path)(_cut(part, x, 0, wanted.step), *first)[1]))
    if wanted.by != ZERO and not states:
        raise Refused(tr("{path} makes no {count} steps with what should stand in its place; choose an earlier one."
                         ).format(path=path, count=wanted.step))
    kind = type(part)
    part.stopped_at, part.path = wanted.step, path  # type: ignore[assignment]
    part.goes_on_from = [torch.stack(each).mean(0) for each in zip(*states, strict=True)]  # type: ignore[assignment]
    part.__class__ = type(kind.__name__, (_Restarted, kind), {})


class _Restarted(nn.RNNBase):
    """A recurrent layer that is run up to a step, and goes on from another state."""

    stopped_at: int
    path: str
    goes_on_from: list[Tensor]
    """Hidden state and cell; none for zero."""

    def forward(self, x: Any, first: Any = None) -> Any:  # type: ignore[override]
        if not isinstance(x, Tensor) or _steps(self, x) <= self.stopped_at:
            raise Refused(tr("{path} makes {count} steps here; replace its state after an earlier one than the last."
                             ).format(path=self.path, count=_steps(self, x) if isinstance(x, Tensor) else 0))
        start, state = super().forward(_cut(self, x, 0, self.stopped_at), first)
        states = _state(state)
        found = [torch.zeros_like(each) for each in states] if not self.goes_on_from else \
            [each.to(state.dtype) for each, state in zip(self.goes_on_from, states, strict=True)]
        end, state = super().forward(_cut(self, x, self.stopped_at, None),
                                     tuple(found) if isinstance(state, tuple) else found[0])
        return torch.cat([start, end], _time(self, x)), state


def _state(found: Any) -> tuple[Tensor, ...]:
    return found if isinstance(found, tuple) else (found,)


def _time(part: Any, x: Tensor) -> int:
    return 1 if x.ndim == 3 and part.batch_first else 0


def _steps(part: Any, x: Tensor) -> int:
    return int(x.shape[_time(part, x)]) if isinstance(x, Tensor) else 0


def _cut(part: Any, x: Tensor, start: int, end: int | None) -> Tensor:
    return x[:, start:end] if _time(part, x) else x[start:end]
