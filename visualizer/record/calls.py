"""Recording: sees every torch call of a running model, and keeps what it read, what came out, and the gradient.

An Event is one tensor that one call made. Events are joined by the identity of tensors, which are kept alive while
recording; a tensor that is written to in place gets a new Event, so that every edge leads to the numbers that were
truly read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import BackwardCFunction
from torch.overrides import TorchFunctionMode

from visualizer import kinds
from visualizer.kinds import Kind
from visualizer.record import axes
from visualizer.trace import Array, Refused

SILENT = frozenset({
    "size", "dim", "ndimension", "numel", "nelement", "stride", "storage_offset", "is_contiguous", "is_floating_point",
    "is_complex", "is_signed", "element_size", "get_device", "data_ptr", "type", "__len__", "__set__", "__format__",
    "__repr__", "__hash__", "requires_grad_", "retain_grad", "register_hook", "backward", "is_same_size",
})
"""Calls that compute no number: they only ask about a tensor, or set a flag."""
FROM_NOTHING = frozenset({
    "zeros_like", "ones_like", "full_like", "empty_like", "rand_like", "randn_like", "new_zeros", "new_ones",
    "new_full", "new_empty", "new_tensor",
})
"""Calls that take nothing but shape and type from the tensor they are given."""
WEIGHT_NAMES = ("weight", "bias", "running_")
"""Arguments that begin so are weights of the operation; every other tensor is something that it reads."""
RECURRENT = frozenset({"lstm", "gru", "rnn_tanh", "rnn_relu"})
FUSED = ("A recurrent layer is recorded as a whole: its gates and states are not taken apart, and its gradient is only "
         "what came back to its outputs, not dL/dh of every step.")


Again = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], Mapping[int, Array]]
"""A function, its arguments, and by id the numbers that its tensors held then."""


@dataclass(eq=False)
class Event:
    """One tensor that one call made, with its batch axis still there."""

    call: str
    number: int
    """Counts calls; the outputs of one call share it."""
    output: Array
    axes: tuple[str, ...]
    kind: Kind | None = None
    kind_name: str = "unexplained"
    index: int = 0
    """Which of the outputs of its call."""
    path: str = ""
    """Module that made the call, with `scope` counting the calls of modules, and whether it has no parts."""
    scope: int = 0
    leaf: bool = False
    name: str = ""
    """Given when it is not to be made from path and call."""
    settings: dict[str, Any] = field(default_factory=dict)
    reads: tuple[Event, ...] = ()
    weights: dict[str, Tensor] = field(default_factory=dict)
    weight_arrays: dict[str, Array] = field(default_factory=dict)
    again: Again | None = None
    """The call itself, to make it once more: for the share of a weight that is used twice."""
    tensor: Tensor | None = None
    version: int = 0
    carries: bool = False
    """Whether autograd follows it."""
    gradient: Tensor | None = None
    why: str = ""
    readers: int = 0


class Recording(TorchFunctionMode):
    """While it is entered, every torch call of this thread becomes an Event; hooks on the modules tell their names."""

    def __init__(self, model: nn.Module, budget: int) -> None:
        super().__init__()
        self.events: list[Event] = []
        self.notes: list[str] = []
        self.weight_gradients: dict[int, Tensor] = {}
        """id of a parameter -> dObjective/d it, summed over all its uses."""
        self.budget = budget
        self._model = model
        self._paths = {id(tensor): path for path, tensor in
                       (*model.named_buffers(remove_duplicate=False), *reversed(list(model.named_parameters())))}
        self._parameters = [tensor for tensor in model.parameters() if tensor.requires_grad]
        self._leaves: list[Tensor] = []
        self._newest: dict[int, Event] = {}
        self._nodes: dict[tuple[Any, int], Event] = {}
        self._writers: dict[int, Event] = {}
        self._aliases: dict[int, Tensor] = {}
        self._arrays: dict[tuple[int, int], Array] = {}
        self._stack: list[tuple[str, int, bool]] = []
        self._calls, self._scopes = count(1), count(1)
        self._hooks: list[Any] = []
        self._bytes = 0
        self._spend(sum(tensor.nbytes * (2 if tensor.requires_grad else 1) for tensor in model.state_dict().values()))

    # --- the model runs ---

    def __enter__(self) -> Recording:
        for path, module in self._model.named_modules():
            leaf = not any(name != "parametrizations" for name, _ in module.named_children())
            self._hooks.append(module.register_forward_pre_hook(partial(self._module_starts, path, leaf)))
            self._hooks.append(module.register_forward_hook(self._module_ends, always_call=True))
        super().__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        for hook in self._hooks:
            hook.remove()

    def _module_starts(self, path: str, leaf: bool, module: nn.Module, given: Any) -> None:
        self._stack.append((path, next(self._scopes), leaf))

    def _module_ends(self, module: nn.Module, given: Any, returned: Any) -> None:
        self._stack.pop()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = _name(func)
        if name in SILENT:
            return func(*args, **(kwargs or {}))
        return self.step(func, args, kwargs or {}, call=name)

    def feed(self, given: Tensor) -> Tensor:
        """What the model is handed in place of `given`: a copy with a gradient, if it can have one."""
        if given.is_floating_point() or given.is_complex():
            leaf = given.clone().requires_grad_()
            self._leaves.append(leaf)
            given = leaf
        number = sum(event.kind_name == "input" for event in self.events)
        fed = given.clone()
        event = Event("input", next(self._calls), to_numpy(fed), (), kind_name="input", index=number, name="input")
        self._add(event, fed)
        return fed

    def step(self, func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], *, call: str = "", name: str = "",
             kind: str = "", settings: Mapping[str, Any] | None = None, plain: Mapping[int, Any] | None = None,
             why: str = "") -> Any:
        """Make one call and record what came of it.

        `name`, `kind` and `settings` overrule what the call itself tells; `plain` replaces tensors, by id, with plain
        values of the settings.
        """
        call = call or _name(func)
        operands = list(tensors_in((args, kwargs)))
        if not operands or call in FROM_NOTHING:
            return func(*args, **kwargs)
        versions = [tensor._version for tensor in operands]
        bound = self._bind(call, args, kwargs, plain or {}, kind)
        if bound.swaps:
            args, kwargs = swapped(args, bound.swaps), swapped(kwargs, bound.swaps)

        returned = func(*args, **kwargs)

        written = {id(tensor) for tensor, version in zip(operands, versions, strict=True) if tensor._version != version}
        made = list(tensors_in(returned)) or [tensor for tensor in operands if id(tensor) in written]
        untouched = {id(tensor) for tensor in operands} - written
        number = next(self._calls)
        for index, tensor in enumerate(made):
            if id(tensor) in self._paths or (id(tensor) in untouched and bound.kind is None):
                continue  # a write to a buffer, or the operand itself, handed back as it was
            if id(tensor) in untouched and returned is tensor and self._newest[id(tensor)].readers > 1:
                returned = tensor = tensor.view_as(tensor)  # else who reads it later would seem to read this call
            path, scope, leaf = self._stack[-1] if self._stack else ("", 0, False)
            event = Event(call, number, to_numpy(tensor), (), bound.kind, bound.kind_name, index, path, scope, leaf,
                          name, dict(settings or bound.settings), bound.reads, bound.weights, bound.weight_arrays,
                          why=why or bound.why)
            event.axes = axes.of(event)
            if bound.weights:
                event.again = func, args, dict(kwargs), bound.values
            self._add(event, tensor)
            if id(tensor) in written:
                self._writers[tensor.untyped_storage().data_ptr()] = event
        return returned

    def event_of(self, tensor: Tensor) -> Event:
        """The Event that holds the numbers which `tensor` has now."""
        event = self._newest.get(id(tensor))
        if event is None:
            return self._unseen(tensor)
        if tensor._version != event.version:
            return self._rewritten(tensor, event)
        if tensor.requires_grad and not event.carries:
            if tensor.grad_fn is not None:
                return self._hidden(tensor, (event,))
            self._leaves.append(tensor)
            self._watch(event, tensor)
        return event

    def flow_back(self, scalar: Tensor | None) -> None:
        """Differentiate: the hooks catch the gradient of every Event, here come those of the parameters."""
        if scalar is None:
            return
        self._note_hidden(scalar)
        wanted = [*self._parameters, *self._leaves]
        found = torch.autograd.grad(scalar, wanted, allow_unused=True)
        self.weight_gradients = {id(tensor): gradient for tensor, gradient in zip(wanted, found, strict=True)
                                 if gradient is not None}

    # --- what a call reads ---

    def _bind(self, call: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], plain: Mapping[int, Any],
              forced: str) -> _Bound:
        """Sort the arguments of a call into settings, reads and weights, by the names that its kind gives them."""
        kind = _kind(call)
        names = kind.calls.get(call, kind.calls.get(call.rstrip("_"), "")).split() if kind else []
        arguments = _named(names, args, kwargs)
        bound = _Bound(kind, kind.name if kind else forced or "unexplained")
        computed = ""
        for name, value in arguments:
            if isinstance(value, Tensor) and id(value) in plain:
                bound.settings[name] = plain[id(value)]
                continue
            inside = list(tensors_in(value))
            if not inside:
                if kind is not None and value is not None:
                    bound.settings[name] = plain_value(value)
                continue
            for tensor in inside:
                path = self._paths.get(id(tensor))
                as_weight = name.startswith(WEIGHT_NAMES) if kind else path is not None
                if path is None or not as_weight:
                    source = self._parameter(tensor, path, bound) if path is not None else self.event_of(tensor)
                    if not as_weight and not (call in RECURRENT and source.kind_name == "constant"):
                        bound.reads += (source,)
                        bound.values[id(tensor)] = source.output
                        continue
                    if as_weight and source.kind_name != "constant":
                        bound.reads += (source,)
                        bound.values[id(tensor)] = source.output
                        computed = name
                        continue
                key = name if kind else (path or name).rpartition(".")[2]
                while key in bound.weights:
                    key += "'"
                bound.weights[key] = tensor
                bound.weight_arrays[key] = self._array(tensor)
        if call in RECURRENT and kind is None:
            bound.why = FUSED
        if computed and kind is not None:
            bound.why = f"Its {computed} is itself computed, which the explanation of a {kind.title} does not cover."
            bound.kind, bound.kind_name, bound.settings = None, "unexplained", {}
        if bound.kind is None and bound.kind_name == "unexplained":
            bound.settings = {"call": readable(call)}
        for source in bound.reads:
            source.readers += 1
        return bound

    def _parameter(self, tensor: Tensor, path: str, bound: _Bound) -> Event:
        """A parameter that is read like any other number (added, multiplied) stands as a layer of its own.

        The call gets a view of it, so that the gradient caught there is what came through this layer alone.
        """
        if id(tensor) not in self._aliases:
            with torch.enable_grad():
                alias = tensor.view_as(tensor)
            self._aliases[id(tensor)] = alias
            event = Event("parameter", next(self._calls), self._array(tensor), axes.unnamed(tensor.ndim),
                          kind_name="parameter", name=path, weights={"value": tensor},
                          weight_arrays={"value": self._array(tensor)})
            self._add(event, alias)
        bound.swaps[id(tensor)] = self._aliases[id(tensor)]
        return self._newest[id(self._aliases[id(tensor)])]

    def _unseen(self, tensor: Tensor) -> Event:
        """A tensor that no recorded call made: the result of a custom function, or a constant."""
        if tensor.grad_fn is not None:
            return self._hidden(tensor, ())
        path, scope, _ = self._stack[-1] if self._stack else ("", 0, False)
        event = Event("constant", next(self._calls), to_numpy(tensor), axes.unnamed(tensor.ndim), path=path,
                      scope=scope, kind_name="constant")
        if tensor.requires_grad:
            self._leaves.append(tensor)
        self._add(event, tensor)
        return event

    def _hidden(self, tensor: Tensor, inside: tuple[Event, ...]) -> Event:
        """The result of something autograd knows and torch's functions do not: a custom autograd function."""
        node = tensor.grad_fn
        sources = tuple(dict.fromkeys((*self._sources(node), *inside)))
        path, scope, leaf = self._stack[-1] if self._stack else ("", 0, False)
        event = Event(_title(node), next(self._calls), to_numpy(tensor), (), path=path, scope=scope, leaf=leaf,
                      settings={"call": _title(node)}, reads=sources,
                      why=f"{_title(node)} is a custom autograd function, whose inside is not known.")
        event.axes = axes.of(event)
        for source in sources:
            source.readers += 1
        self._add(event, tensor)
        return event

    def _rewritten(self, tensor: Tensor, old: Event) -> Event:
        """A tensor whose numbers were changed through another tensor that shares its memory."""
        writer = self._writers.get(tensor.untyped_storage().data_ptr())
        reads = (old,) if writer is None else (old, writer)
        event = Event("rewritten", next(self._calls), to_numpy(tensor), old.axes, path=old.path, scope=old.scope,
                      settings={"call": "write through a view"}, reads=reads,
                      why="Its memory was written to through another tensor, a view that shares it.")
        for source in reads:
            source.readers += 1
        self._add(event, tensor)
        return event

    def _sources(self, node: Any) -> Iterator[Event]:
        """The nearest Events that autograd would reach from `node`."""
        seen, waiting = set(), [*node.next_functions]
        while waiting:
            step = waiting.pop(0)
            if step[0] is None or step in seen:
                continue
            seen.add(step)
            if step in self._nodes:
                yield self._nodes[step]
            else:
                waiting.extend(step[0].next_functions)

    # --- keeping ---

    def _add(self, event: Event, tensor: Tensor) -> None:
        """Keep an Event as the newest of its tensor, and catch the gradient that will come back to it."""
        event.tensor, event.version = tensor, tensor._version
        self._newest[id(tensor)] = event
        self.events.append(event)
        self._spend(event.output.nbytes)
        if tensor.requires_grad:
            self._watch(event, tensor)

    def _watch(self, event: Event, tensor: Tensor) -> None:
        event.carries = True
        if tensor.grad_fn is not None:
            self._nodes[tensor.grad_fn, tensor.output_nr] = event
        tensor.register_hook(partial(_catch, event))
        self._spend(event.output.nbytes)

    def _array(self, tensor: Tensor) -> Array:
        """A weight as one read-only array, the same for every layer that uses it."""
        key = id(tensor), tensor._version
        if key not in self._arrays:
            self._arrays[key] = to_numpy(tensor)
            self._arrays[key].flags.writeable = False
        return self._arrays[key]

    def _spend(self, number: int) -> None:
        """Count the bytes that are kept; stop before they are too many.

        Counting while it runs needs no second run, and holds for models whose path depends on their numbers.
        """
        self._bytes += number
        if self._bytes > self.budget:
            raise Refused(f"The numbers of this recording need more than {self.budget / (1 << 20):,.0f} MiB; use a "
                          "smaller input or model, or allow more with the budget.")

    def _note_hidden(self, scalar: Tensor) -> None:
        """Name every custom autograd function on the way back: their insides leave no trace."""
        seen: set[Any] = set()
        waiting: list[Any] = [scalar.grad_fn]
        names: dict[str, None] = {}
        while waiting:
            node = waiting.pop()
            if node is None or node in seen:
                continue
            seen.add(node)
            if isinstance(node, BackwardCFunction):
                names[_title(node)] = None
            waiting.extend(step[0] for step in node.next_functions)
        self.notes += [f"{name} is a custom autograd function: what it does inside could not be recorded, nor checked."
                       for name in sorted(names)]


@dataclass(eq=False)
class _Bound:
    """The arguments of one call, sorted."""

    kind: Kind | None
    kind_name: str
    settings: dict[str, Any] = field(default_factory=dict)
    reads: tuple[Event, ...] = ()
    weights: dict[str, Tensor] = field(default_factory=dict)
    weight_arrays: dict[str, Array] = field(default_factory=dict)
    values: dict[int, Array] = field(default_factory=dict)
    """id of a tensor that was read -> the numbers that it held then."""
    swaps: dict[int, Tensor] = field(default_factory=dict)
    """id of a parameter -> the view that the call gets in its place."""
    why: str = ""


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Every tensor in nested tuples, lists, mappings and dataclasses, in order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for item in value:
            yield from tensors_in(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from tensors_in(item)
    elif hasattr(value, "__dataclass_fields__"):
        for name in value.__dataclass_fields__:
            yield from tensors_in(getattr(value, name, None))


def to_numpy(tensor: Tensor) -> Array:
    """A copy of the numbers, C-contiguous; types that numpy lacks become float32."""
    tensor = tensor.detach()
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.dtype is torch.bfloat16 or tensor.dtype.itemsize == 1 and tensor.is_floating_point():
        tensor = tensor.float()
    return np.array(tensor.cpu().resolve_conj().resolve_neg().numpy(), order="C")


def plain_value(value: Any) -> Any:
    """An argument as JSON can hold it: numbers, words, tuples of them."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list):
        return tuple(plain_value(item) for item in value)
    if isinstance(value, slice):
        return ("slice", value.start, value.stop, value.step)
    if value is Ellipsis:
        return "..."
    return str(value).removeprefix("torch.")


def _name(func: Any) -> str:
    """What a torch function is called; a property (`x.T`) by the name of the property."""
    name = str(getattr(func, "__name__", func))
    if name == "__get__":
        return str(getattr(func.__self__, "__name__", name))
    return name.partition(".")[0]


def _kind(call: str) -> Kind | None:
    """The kind that speaks for a call; in place or not is the same operation."""
    return kinds.by_call(call) or (None if call.endswith("__") else kinds.by_call(call.rstrip("_")))


def _named(names: list[str], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Arguments with their names; more values than names are dimensions given one by one: the last name takes them."""
    if names and len(args) > len(names):
        args = (*args[:len(names) - 1], args[len(names) - 1:])
    for number, value in enumerate(args):
        yield (names[number] if number < len(names) else f"argument{number}"), value
    yield from kwargs.items()


def readable(call: str) -> str:
    """The name of a call without the underscores that mark it as special or in place."""
    return call.strip("_")


def _title(node: Any) -> str:
    return type(node).__name__.removesuffix("Backward")


def swapped(value: Any, swaps: Mapping[int, Tensor]) -> Any:
    """The same arguments, with other tensors in the places of those named by id."""
    if isinstance(value, Tensor):
        return swaps.get(id(value), value)
    if type(value) in (tuple, list):
        return type(value)(swapped(item, swaps) for item in value)
    if isinstance(value, dict):
        return {key: swapped(item, swaps) for key, item in value.items()}
    return value


def _catch(event: Event, gradient: Tensor) -> None:
    event.gradient = gradient
