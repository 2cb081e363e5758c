"""Recording: sees every torch call of a running model, and keeps what it read, what came out, and where it stands.

An Event is one tensor that one call made. Events are joined by the identity of tensors, which are kept alive while
recording; a tensor that is written to in place gets a new Event, so that every edge leads to the numbers that were
truly read. With each Event its place in autograd's graph is kept, as it is in that moment: the gradient is asked for
there, and nothing is hung on the model's own tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from itertools import chain, count
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch._C._functorch import peek_interpreter_stack
from torch.autograd.function import BackwardCFunction
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.jit import ScriptModule
from torch.overrides import TorchFunctionMode

from visualizer import advance, kinds, reasons
from visualizer.kinds import Kind
from visualizer.language import numeral, tr
from visualizer.record import axes, composites, unroll
from visualizer.record.weights import Hashed, Known, Weights, to_numpy
from visualizer.trace import Array, Refused

SILENT = frozenset({
    "size", "dim", "ndimension", "numel", "nelement", "stride", "storage_offset", "is_contiguous", "is_floating_point",
    "is_complex", "is_signed", "element_size", "get_device", "data_ptr", "__len__", "__set__", "__format__",
    "__repr__", "__hash__", "requires_grad_", "retain_grad", "register_hook", "backward", "is_same_size",
})
"""Calls that compute no number: they only ask about a tensor, or set a flag."""
PROPERTIES = frozenset({"T", "mT", "H", "mH", "data", "real", "imag", "grad"})
"""Properties that are tensors made of it; every other tells something about it."""
FROM_NOTHING = frozenset({
    "zeros_like", "ones_like", "full_like", "empty_like", "rand_like", "randn_like", "new_zeros", "new_ones",
    "new_full", "new_empty", "new_tensor", "zeros", "ones", "full", "rand", "randn",
})
"""Calls that take nothing but shape and type from the tensor they are given."""
SHAPED_IN_PLACE = frozenset({
    "squeeze_", "unsqueeze_", "transpose_", "swapaxes_", "swapdims_", "t_", "resize_", "resize_as_", "as_strided_",
    "set_", "detach_", "requires_grad_", "rename_", "share_memory_",
})
"""Calls that change how a tensor is laid out, and none of its numbers."""
DRAWN = frozenset({"normal_", "uniform_", "exponential_", "random_", "bernoulli_", "log_normal_", "geometric_"})
"""Calls that fill a tensor with chance, whatever it held."""
CHANCE = frozenset({*(name.rstrip("_") for name in DRAWN), "multinomial", "poisson"})
WEIGHT_NAMES = ("weight", "bias", "running_")
"""Arguments that begin so are weights of the operation; every other tensor is something that it reads."""
RECURRENT = frozenset({*unroll.FUSED, *unroll.CELLS})
LOOK_INSIDE = ("{path} is compiled code (TorchScript) and is recorded as one step; record the Python module that it "
               "was made from to look inside.")

UNREGISTERED = "parameter"

AS_WRITTEN = frozenset({int, float, bool, str, type(None)})
"""Types of values that are settings as they stand."""
DTYPES = {dtype: str(dtype).removeprefix("torch.") for dtype in (
    torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128)}
PLAIN = frozenset({*AS_WRITTEN, torch.dtype, torch.device, torch.Size, slice})
"""Types of values in which no tensor hides."""

Operands = dict[int, tuple[Tensor, int]]
"""id of each tensor among the arguments of a call -> it, and its version before: a write makes that another."""
Again = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
"""A function and its arguments."""


class Caller(NamedTuple):
    """Which module makes a call: its path, whether it has no parts, and which run of which module that is."""

    path: str = ""
    leaf: bool = False
    scope: int = 0


@dataclass(eq=False, slots=True)
class Event:
    """One tensor that one call made, with its batch axis still there."""

    call: str
    number: int
    """Counts calls; the outputs of one call share it."""
    output: Array | None
    """None until the call has been made."""
    kind_name: str = "unexplained"
    kind: Kind | None = None
    """The kind that explains it."""
    named_by: Kind | None = None
    """The kind that names its axes; it may fail to explain its numbers."""
    place: Caller | None = None
    name: str = ""
    """Given when it is not to be made from place and call."""
    index: int = 0
    """Which of the outputs of its call."""
    axes: tuple[str, ...] | None = None
    """None until they are named, after the model has run."""
    why: str = ""
    reads: tuple[Event, ...] = ()
    like: Event | None = None
    """One whose axes it has: what the composite was given that it came out of."""
    readers: int = 0
    asked: bool = False
    """Whether anybody asked for it: what was put into a tensor through a view may be looked at by nobody."""
    settings: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, tuple[Tensor, Array]] = field(default_factory=dict)
    again: Again | None = None
    """The call itself, to make it once more: for the share of a weight that is used twice."""
    random: Tensor | None = None
    """State of the random numbers before a recurrent call that draws some."""
    tensor: Tensor | None = None
    version: int = 0
    dtype: str = ""
    """As torch calls it, `bfloat16`; empty for whole numbers."""
    edge: GradientEdge | None = None
    """Its place in autograd's graph; None if autograd does not follow it."""
    gradient: Tensor | None = None
    whole: Callable[[], bool] | None = None
    """Of an input: whether its first axis holds parts of one sample, and not one sample each."""

    @property
    def complex(self) -> bool:
        """Whether torch has its numbers as complex ones."""
        return self.dtype.startswith("complex")

    @property
    def shape(self) -> tuple[int, ...]:
        """As torch has it: a complex number counts as one."""
        shape = () if self.output is None else self.output.shape
        return tuple(shape[:-1] if self.complex else shape)

    def as_tensor(self) -> Tensor:
        """The numbers as torch had them."""
        found = torch.tensor(self.output)
        return torch.view_as_complex(found) if self.complex else found

    def speaks(self, kind: Kind | None) -> None:
        """Let another kind speak for this call, if there is one that knows it better."""
        if kind is not None:
            self.kind = self.named_by = kind
            self.kind_name = kind.name

    def add_weight(self, name: str, tensor: Tensor, array: Array) -> str:
        """Under that name, or with a prime behind it if there is one already; tells which."""
        while name in self.weights:
            name += "'"
        self.weights[name] = tensor, array
        return name


class Recording(TorchFunctionMode):
    """While it is entered, every torch call of this thread becomes an Event; hooks on the modules tell their names."""

    def __init__(self, weights: Weights, budget: int) -> None:
        super().__init__()
        self.events: list[Event] = []
        self.notes: list[str] = []
        self.unregistered: list[str] = []
        """Paths of parameters that were met on the way and belong to no module."""
        self.weight_gradients: dict[int, Tensor] = {}
        """id of a parameter -> dObjective/d it, summed over all its uses."""
        self.inside: set[int] = set()
        """ids of the parameters that the model differentiated by itself."""
        self.budget = budget
        self._modules = weights.modules
        self._places = {id(module): (path, isinstance(module, ScriptModule) or not module._modules
                                     or [*module._modules.keys()] == ["parametrizations"])
                        for path, module in weights.modules}
        """id of a module -> its path, and whether it has no parts."""
        self._weights = dict(weights.known)
        self._wanted = [known.tensor for known in weights.known.values() if known.tensor.requires_grad]
        self._newest: dict[int, Event] = {}
        self._writers: dict[int, Event] = {}
        self._views: dict[int, Tensor] = {}
        self._copies: dict[int, Tensor] = {}
        """id of a copy that is written to in the place of a view -> the view."""
        self._alone: list[tuple[Event, Tensor, GradientEdge]] = []
        """What a tensor became through a view, the view, and its place in the graph: what comes back there is handed
        to the layer that made the view's numbers."""
        self._secret: dict[int, Tensor] = {}
        """By its memory, a tensor whose numbers were handed out as `.data`."""
        self._stack = [Caller()]
        self._numbers, self._scopes = count(1), count(1)
        self._asides: list[tuple[Tensor, Event, list[Event]]] = []
        """What the steps of a compiled call made, the Event that holds the numbers of the call itself, the steps."""
        self._bytes = 0
        self._spend(sum([2 * known.array.nbytes for known in weights.known.values()]))

    # --- the model runs ---

    def __enter__(self) -> Recording:
        """Hang one hook before and one behind each module, straight into the tables to which `register_forward_hook`
        adds them: the handles that it makes for each cost more than a small layer does."""
        starts, ends = self._module_starts, self._module_ends
        for _, module in self._modules:
            module._forward_pre_hooks[self] = starts  # type: ignore[index]
            module._forward_hooks[self] = ends  # type: ignore[index]
            module._forward_hooks_always_called[self] = True  # type: ignore[index]
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        for _, module in self._modules:
            for hooks in (module._forward_pre_hooks, module._forward_hooks, module._forward_hooks_always_called):
                hooks.pop(self, None)  # type: ignore[call-overload]

    def _module_starts(self, module: nn.Module, given: Any) -> None:
        self._stack.append(Caller(*self._places[id(module)], next(self._scopes)))

    def _module_ends(self, module: nn.Module, given: Any, returned: Any) -> None:
        if isinstance(module, ScriptModule):
            with torch._C.DisableTorchFunction():  # looking at a tensor is no step of the model
                self._scripted(module, given, returned)
        self._stack.pop()

    def _scripted(self, module: nn.Module, given: Any, returned: Any) -> None:
        """What compiled code made of all that it was given, and of all of its weights, as one step."""
        operands, number = tensors_in(given), next(self._numbers)
        path = self._stack[-1].path
        name = path or str(getattr(module, "original_name", "script"))
        made = [tensor for tensor in tensors_in(returned) if all(tensor is not each for each in operands)]
        for index, tensor in enumerate(made):
            reads = dict.fromkeys([*map(self.event_of, operands), *self._sources(tensor)])
            event = Event("script", number, to_numpy(tensor), place=self._stack[-1], name=name, index=index,
                          why=reasons.SCRIPT,
                          settings={"call": "TorchScript"}, reads=tuple(reads))
            self._derived(event, tensor)
            if not index:
                held = [(key, weight, self._weights[id(weight)]) for key, weight in
                        (*module.named_parameters(), *module.named_buffers())]
                event.weights = {key: (weight, known.array) for key, weight, known in held}
                event.settings["fixed"] = tuple(key for key, _, known in held if not known.learns)
        note = LOOK_INSIDE.format(path=path or "The model")
        if note not in self.notes:
            self.notes.append(note)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self.step(func, args, kwargs or {})

    @property
    def given(self) -> Hashed:
        """The numbers of every input."""
        return Hashed({str(event.index): event.output for event in self.events if event.kind_name == "input"})

    def feed(self, given: Tensor) -> Tensor:
        """What the model is handed in place of `given`: a copy with a gradient, if it can have one."""
        fed = given.clone()
        if fed.is_floating_point() or fed.is_complex():
            fed = fed.requires_grad_().clone()  # a leaf itself must not be written to in place, and models do that
        number = sum(event.kind_name == "input" for event in self.events)
        self._add(Event("input", 0, to_numpy(fed), "input", index=number, name="input"), fed)
        return fed

    def step(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *, name: str = "", kind: str = "",
             settings: Mapping[str, Any] | None = None, plain: Mapping[int, Any] | None = None, why: str = "") -> Any:
        """Make one call and record what came of it.

        `name`, `kind` and `settings` overrule what the call itself tells; `plain` replaces tensors, by id, with plain
        values of the settings.
        """
        if torch.is_inference_mode_enabled():
            # what is made in it tells nobody that it was written to, nor can it be read by what learns
            with torch.inference_mode(False), torch.no_grad():
                return self.step(func, args, kwargs, name=name, kind=kind, settings=settings, plain=plain, why=why)
        call = _call(func, _given_complex(args))
        if not call.makes_numbers or peek_interpreter_stack() is not None:
            return func(*args, **kwargs)
        target = _target(call, args, kwargs)
        if target is not None and self._counts(target):
            return func(*args, **kwargs)
        if target is not None:
            if call.name == "__setitem__" and _is_there(target, *args[1:]):
                return None  # what `x[0] += 1` does in the end: the numbers are there
            steps = composites.documented(call.name.rstrip("_"))
            if self._into(target) or steps is not None:
                return self._write(target, func, steps, args, kwargs)
        if call.name in DRAWN and args and isinstance(args[0], Tensor) and not args[0].requires_grad:
            self._newest.pop(id(args[0]), None)
            return func(*args, **kwargs)
        whole = call.kind is not None and not composites.in_another_form(call.name, args, kwargs)
        if not (whole or name or kind or why) and call.name not in RECURRENT:
            taken_apart = self._taken_apart(func, call.name, args, kwargs)
            if taken_apart is not None:
                return taken_apart
        event = Event(call.name, next(self._numbers), None, call.kind_name, call.kind, call.kind, self._stack[-1], name)
        operands, views = self._bind(event, call.arguments, args, kwargs, plain)
        if not operands:
            return func(*args, **kwargs)
        if views:
            args, kwargs = swapped(args, views), swapped(kwargs, views)
        if call.name in unroll.FUSED:
            event.random = unroll.random_state(call.name, args, kwargs)

        advance.at(self._stack[-1].path or call.name)
        before = None if target is None else target.grad_fn
        returned = func(*args, **kwargs)

        if event.kind is not None and not event.kind.complex and \
                any(each.is_complex() for each in tensors_in(returned)):
            event.kind, event.named_by, event.kind_name = None, None, "unexplained"
            name = readable(event.call)
            event.settings, event.why = {"call": name}, reasons.COMPLEX.format(name=name)
        if event.kind is None and call.name.rstrip("_") in CHANCE:
            event.why = reasons.DRAWN_BY_CHANCE
        elif event.kind is None and call.name == "grad":
            event.why = reasons.DIFFERENTIATED
        if why or kind:
            event.why, event.kind_name, event.settings = why, kind or event.kind_name, dict(settings or event.settings)
        written = {id(tensor): tensor for tensor, version in operands.values() if tensor._version != version}
        if target is not None:
            written = {id(target): target} if id(target) in written else {}
        made = [returned] if isinstance(returned, Tensor) else tensors_in(returned) or list(written.values())
        for index, tensor in enumerate(made):
            if id(tensor) in self._weights:
                continue  # a write to a buffer
            if id(tensor) in operands and id(tensor) not in written:
                if event.kind is None or event.kind.name in ("identity", "cast"):
                    continue  # handed back as it was
                if returned is tensor and self._newest[id(tensor)].readers > 1:
                    returned = tensor = tensor.view_as(tensor)  # else earlier readers would seem to read this call
            if index:
                found = _another_output(event, index, to_numpy(tensor))
            else:  # the first output stands for the whole call
                found, event.output = event, to_numpy(tensor)
                event.again = (func, args, kwargs) if event.weights else None
            if call.name == "grad" and tensor.grad_fn is not None:
                self._differentiated_inside(found, tensor)
            if id(tensor) in written and before is not None and tensor.grad_fn is before:
                _unseen(found)
            self._add(found, tensor)
            if id(tensor) in written:
                self._writers[tensor.untyped_storage().data_ptr()] = found
                self._written_in_secret(tensor, found)
        if call.name == "data":
            self._secret[args[0].untyped_storage().data_ptr()] = args[0]
        return returned

    # --- writes ---

    def _counts(self, target: Tensor) -> bool:
        """Whether it is a buffer of whole numbers, in which a model counts what it has seen: no step of what it
        computes, as that of a batch norm in training."""
        known = self._weights.get(id(target))
        return known is not None and not known.learns and target.dtype in (torch.int64, torch.int32)

    def _into(self, target: Tensor) -> bool:
        """Whether a write to it goes into another tensor that was recorded, of which it is a view."""
        base = target._base
        return base is not None and id(base) in self._newest and id(base) not in self._weights \
            and id(target) in self._newest and not (base.is_leaf and base.requires_grad)

    def _write(self, target: Tensor, func: Any, steps: Callable[..., Any] | None, args: tuple[Any, ...],
               kwargs: dict[str, Any]) -> Any:
        """A write in two steps: what is computed, in a copy of the tensor that is written to, and putting that into the
        tensor of which it is a view. So each has its numbers and its gradient, which autograd has for the second alone.
        A function that is made of others makes its numbers by `steps`."""
        base = target._base if self._into(target) else None
        owner = target if base is None else base
        old, before = self._event_of(owner), owner.grad_fn
        copy = target.clone()
        self._copies[id(copy)] = target
        self._event_of(target)
        instead = tuple(copy if arg is target else arg for arg in args)
        try:
            returned = self.step(func, instead, kwargs) if steps is None else self._seen(steps, instead, kwargs)
        finally:
            del self._copies[id(copy)]
        result = copy if steps is None else returned
        made = self._newest.pop(id(result), None)
        if made is not None:
            target.copy_(result)
            made.version = target._version
            self._newest[id(target)] = made
            unseen = before is not None and owner.grad_fn is before
            if unseen:
                again = Event("written", next(self._numbers), to_numpy(target), place=made.place, like=made,
                              reads=(made,))
                self._derived(_unseen(again), target)
            self._written_in_secret(target, made)
            if base is not None:
                self._put(target, base, old, made, unseen)
        return target if returned is result else returned

    def _put(self, view: Tensor, base: Tensor, old: Event, made: Event, unseen: bool) -> None:
        """What a tensor has become by a write through a view of it."""
        event = Event("written", next(self._numbers), to_numpy(base), place=old.place, like=old, reads=(old, made))
        _lay(event, view, base)
        if unseen:
            _unseen(event)
        self._derived(event, base)
        if base.requires_grad and view.grad_fn is not None and not event.why:
            self._alone.append((event, view, GradientEdge(view.grad_fn, view.output_nr)))

    def _written_in_secret(self, tensor: Tensor, writer: Event) -> None:
        """A write through `.data` is told to nobody."""
        owner = self._secret.get(tensor.untyped_storage().data_ptr()) if self._secret else None
        if owner is None or owner is tensor or owner is tensor._base or id(owner) not in self._newest:
            return
        old = self._newest[id(owner)]
        if owner._version == old.version:
            event = Event("written", next(self._numbers), to_numpy(owner), place=old.place, like=old,
                          reads=(old, writer))
            self._derived(_unseen(event), owner)

    def needed(self) -> list[Event]:
        """All Events but those that nobody looked at: constants, and what was put into a tensor through a view."""
        kept = []
        for event in reversed(self.events):
            if not event.readers and (event.kind_name == "constant" or (event.call == "written" and not event.asked)):
                for read in event.reads:
                    read.readers -= 1
                continue
            kept.append(event)
        return kept[::-1]

    def _taken_apart(self, func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What a composite made, with each of its steps recorded; None where it is one step, or where its steps do not
        make the same numbers."""
        given = tensors_in(args) or tensors_in(kwargs)
        other_form = composites.in_another_form(name, args, kwargs)
        steps = None if other_form else composites.written_out(func)
        if not given:
            return None
        if steps is not None:
            made = self._seen(steps, args, kwargs)
        elif (steps := composites.documented(name)) is not None:
            made = self._beside(func, steps, args, kwargs)
        if steps is None or made is None:
            return None
        found = next(iter(tensors_in(made)), None)
        event, source = self._newest.get(id(found)), self._newest.get(id(given[0]))
        if event is not None and source is not None and event is not source and found.shape == given[0].shape:
            event.like = source
        return made

    def _seen(self, steps: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a function with its calls recorded; the hooks on the modules stay as they are."""
        TorchFunctionMode.__enter__(self)
        try:
            return steps(*args, **kwargs)
        finally:
            TorchFunctionMode.__exit__(self, None, None, None)

    def _beside(self, func: Any, steps: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What torch has compiled into one makes the numbers; its steps run beside it and end in them."""
        state = torch.get_rng_state()
        with torch.no_grad():
            alike = composites.same(partial(func, *args, **kwargs), partial(steps, *args, **kwargs),
                                    partial(torch.set_rng_state, state))
        torch.set_rng_state(state)
        if not alike:
            return None
        first = len(self.events)
        own = self._seen(steps, args, kwargs)
        inner = [event for event in self.events[first:] if event.tensor is not own]
        for event in inner:
            event.settings["beside"] = True
        end = self._newest[id(own)]
        torch.set_rng_state(state)
        made: Tensor = func(*args, **kwargs)
        end.tensor, end.version, end.output, end.edge = made, made._version, to_numpy(made), None
        self._newest[id(made)] = end
        if made.requires_grad:
            self._follow(end, made)
        self._asides.append((own, end, inner))
        return made

    def event_of(self, tensor: Tensor) -> Event:
        """The Event that holds the numbers which `tensor` has now."""
        event = self._event_of(tensor)
        event.asked = True
        return event

    def _event_of(self, tensor: Tensor) -> Event:
        tensor = self._copies.get(id(tensor), tensor)
        event = self._newest.get(id(tensor))
        if event is None:
            return self._hidden(tensor) if tensor.grad_fn is not None else self._constant(tensor)
        if tensor._version != event.version:
            return self._rewritten(tensor, event)
        if tensor.requires_grad and event.edge is None:
            if tensor.grad_fn is not None:
                return self._hidden(tensor, event)
            self._follow(event, tensor)
        return event

    def known(self, tensor: Tensor) -> Event | None:
        """The Event that made a tensor, if one was recorded."""
        event = self._newest.get(id(tensor))
        if event is not None:
            event.asked = True
        return event

    def flow_back(self, scalar: Tensor | None) -> None:
        """Differentiate once: the gradient at the place of every Event, and that of every parameter."""
        if scalar is None:
            return
        try:
            found = torch.autograd.grad(scalar, self.places, allow_unused=True)
        except RuntimeError as error:
            reason = str(error).strip().partition("\n")[0].partition(". ")[0].rstrip(".")
            raise Refused(tr("Autograd cannot go back through the model ({why}); mend that, or record the way forwards "
                             "alone with objective='none'.").format(why=reason)) from error
        self.came_back(found)

    @property
    def places(self) -> list[GradientEdge | Tensor]:
        """Where in autograd's graph a gradient is asked for: of each Event, of each parameter, of each view that was
        written to."""
        return [*(event.edge for event in self.events if event.edge is not None), *self._wanted,
                *(edge for _, _, edge in self._alone)]

    def came_back(self, found: Sequence[Tensor | None]) -> None:
        """Hand the gradients at `places` to what they are the gradients of."""
        followed = [event for event in self.events if event.edge is not None]
        for event, gradient in zip(followed, found, strict=False):
            event.gradient = gradient
        for (event, view, _), gradient in zip(self._alone, found[len(followed) + len(self._wanted):], strict=True):
            if gradient is not None and event.gradient is not None:
                event.gradient, rest_of = _without(event.gradient, gradient, view)
                event.settings["rest_of"] = rest_of
        found = found[:len(followed) + len(self._wanted)]
        for own, end, inner in reversed(self._asides):
            reached = [event for event in inner if event.edge is not None]
            if end.gradient is None or not own.requires_grad or not reached:
                continue
            beside = torch.autograd.grad(own, [event.edge for event in reached], end.gradient, allow_unused=True,
                                         retain_graph=True)
            for event, gradient in zip(reached, beside, strict=True):
                event.gradient = gradient
        self.weight_gradients = {id(tensor): gradient for tensor, gradient in
                                 zip(self._wanted, found[len(followed):], strict=True) if gradient is not None}

    # --- what a call reads ---

    def _bind(self, event: Event, names: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any],
              plain: Mapping[int, Any] | None) -> tuple[Operands, dict[int, Tensor]]:
        """Sort the arguments of a call into settings, reads and weights of its Event, by the names that its kind gives
        them. Returns every tensor among them, and the views that the call gets in the place of parameters."""
        operands: Operands = {}
        views: dict[int, Tensor] = {}
        reads: list[Event] = []
        fixed: list[str] = []
        kind, settings = event.kind, event.settings
        read_as: list[str] = []
        computed: list[tuple[str, Tensor, Event]] = []
        for name, value in _named(names, args, kwargs):
            if type(value) in AS_WRITTEN:
                if value is not None:
                    settings[name] = value
                continue
            tensors = (value,) if isinstance(value, Tensor) else tensors_in(value)
            if not tensors or (plain and id(value) in plain):
                settings[name] = plain[id(value)] if tensors and plain else plain_value(value)
                continue
            weight = kind is not None and name.startswith(WEIGHT_NAMES)
            if name == "index" and type(value) is tuple and len(tensors) < len(value):
                settings[name] = _index_of(value)
            for tensor in tensors:
                version = tensor._version
                operands[id(tensor)] = tensor, version
                known = self._weights.get(id(tensor)) or self._unregistered(tensor)
                if known is not None and (weight or kind is None):
                    array = known.array if known.version == version else self._written(known)
                    key = event.add_weight(name if kind else known.path.rpartition(".")[2], tensor, array)
                    if not known.learns:
                        fixed.append(key)
                    continue
                source = self.event_of(tensor) if known is None else self._parameter(known, views)
                if source.kind_name == "constant" and weight:
                    fixed.append(event.add_weight(name, tensor, source.output))
                    continue
                if source.kind_name == "constant" and event.call in RECURRENT and not source.output.any() \
                        and name in ("argument1", "argument2", "hx"):
                    continue  # the zeros that it starts from
                if weight:
                    computed.append((name, tensor, source))
                    continue
                source.readers += 1
                reads.append(source)
                read_as.append(name)
        for name, tensor, source in computed:  # behind all that it reads otherwise
            source.readers += 1
            reads.append(source)
            key = event.add_weight(name, tensor, source.output)
            fixed.append(key)
            settings["computed"] = (*settings.get("computed", ()), key)
        event.reads = tuple(reads)
        if kind is not None and _in_another_order(read_as, kind):
            settings["read_as"] = tuple(read_as)
        if kind is not None and read_as and (len(read_as) > 1 or read_as[0] != names[0]):
            event.speaks(kinds.by_call(f"{readable(event.call)}({','.join([*read_as, *event.weights])})"))
        if kind is not None and "mode" in settings:
            event.speaks(kinds.by_call(f"{readable(event.call)}[{settings['mode']}]"))
        if event.kind is None:
            event.settings = {"call": readable(event.call)}
            if event.call in RECURRENT:
                event.why = reasons.FUSED
                if event.call in unroll.FUSED:
                    event.settings["batch_first"] = unroll.arguments(event.call, args, kwargs).get("batch_first")
        if fixed and [key for key in fixed if not key.startswith("running_")]:
            event.settings["fixed"] = tuple(fixed)  # a kernel that is no parameter, not only running statistics
        return operands, views

    def _parameter(self, known: Known, views: dict[int, Tensor]) -> Event:
        """A parameter that is read like any other number (added, multiplied) stands as a layer of its own.

        The call gets a view of it, so that the gradient at that view is what came through this layer alone. A buffer
        that is read so is a constant with a name.
        """
        tensor = known.tensor
        view = self._views.get(id(tensor))
        if view is None or view._version != self._newest[id(view)].version:
            with torch.enable_grad():
                view = self._views[id(tensor)] = tensor.view_as(tensor)
            array = known.array if known.version == tensor._version else self._written(known)
            event = Event("parameter", next(self._numbers), array, "constant", name=known.path,
                          axes=axes.of_constant(tensor))
            if known.learns:
                event.kind_name, event.weights = "parameter", {"value": (tensor, array)}
            self._add(event, view)
        views[id(tensor)] = view
        return self._newest[id(view)]

    def _unregistered(self, tensor: Tensor) -> Known | None:
        """A parameter that was found in no module: one that is kept in an object of another kind, or made on the way.
        """
        if not isinstance(tensor, nn.Parameter) or id(tensor) in self._newest:
            return None
        number = sum(known.path.startswith(UNREGISTERED) for known in self._weights.values())
        known = Known(f"{UNREGISTERED}{number}", tensor, True, tensor._version, to_numpy(tensor))
        self._weights[id(tensor)] = known
        self.unregistered.append(known.path)
        if tensor.requires_grad:
            self._wanted.append(tensor)
        return known

    def _constant(self, tensor: Tensor) -> Event:
        """A tensor that no recorded call made: zeros, or numbers that the model keeps outside its parameters."""
        return self._add(Event("constant", next(self._numbers), to_numpy(tensor), "constant", place=self._stack[-1],
                               axes=axes.of_constant(tensor)), tensor)

    def _hidden(self, tensor: Tensor, inside: Event | None = None) -> Event:
        """The result of something that autograd knows and torch's functions do not: a custom autograd function.

        `inside` is the call within it that made these numbers, unknown to autograd.
        """
        name = _title(tensor.grad_fn)
        custom = reasons.CUSTOM if inside is None else reasons.CUSTOM_STEPS
        why = (custom if isinstance(tensor.grad_fn, BackwardCFunction) else reasons.COMPILED).format(name=name)
        reads = dict.fromkeys(self._sources(tensor, custom))
        if inside is not None:
            reads[inside] = None
        event = Event(name, next(self._numbers), to_numpy(tensor), place=inside.place if inside else None,
                      settings={"call": name}, reads=tuple(reads), why=why)
        for known in self._weights_behind(tensor):
            event.add_weight(known.path.rpartition(".")[2], known.tensor, known.array)
        return self._derived(event, tensor)

    def _rewritten(self, tensor: Tensor, old: Event) -> Event:
        """A tensor whose numbers were changed through another tensor that shares its memory: a view of what is known
        shows what stands there now."""
        base = tensor._base
        if base is not None and id(base) in self._newest and not (base.is_leaf and base.requires_grad):
            event = Event("seen_again", next(self._numbers), to_numpy(tensor), place=old.place, like=old,
                          reads=(self._event_of(base),))
            _lay(event, tensor, base)
            return self._derived(event, tensor)
        writer = self._writers.get(tensor.untyped_storage().data_ptr())
        event = Event("rewritten", next(self._numbers), to_numpy(tensor), place=old.place, axes=old.axes,
                      settings={"call": "write through a view"}, reads=(old, writer) if writer else (old,),
                      why=reasons.REWRITTEN)
        if old.edge is not None and old.edge.node is tensor.grad_fn:
            _unseen(event)
        return self._derived(event, tensor)

    def _derived(self, event: Event, tensor: Tensor) -> Event:
        for source in event.reads:
            source.readers += 1
        return self._add(event, tensor)

    def _sources(self, tensor: Tensor, custom: str = reasons.CUSTOM) -> Iterator[Event]:
        """The nearest Events that autograd reaches from `tensor`; every custom function on the way is noted."""
        for found in self._behind(tensor):
            if isinstance(found, Event):
                yield found
                continue
            note = custom.format(name=_title(found))
            if isinstance(found, BackwardCFunction) and note not in self.notes:
                self.notes.append(note)

    def _weights_behind(self, tensor: Tensor) -> list[Known]:
        """The weights that autograd reaches from `tensor` through nothing that was recorded, and that no layer has: a
        gradient that a model makes of its own numbers reaches those of its layers."""
        ends = (getattr(found, "variable", None) for found in self._behind(tensor) if not isinstance(found, Event))
        known = [self._weights[id(end)] for end in ends if id(end) in self._weights]
        used = {id(weight) for event in self.events for weight, _ in event.weights.values()} if known else set()
        return [each for each in {id(each.tensor): each for each in known}.values() if id(each.tensor) not in used]

    def _behind(self, tensor: Tensor) -> Iterator[Any]:
        """The nearest Events that autograd reaches from `tensor`, and its nodes on the way there."""
        known = {event.edge[:2]: event for event in self.events if event.edge is not None}
        seen, waiting = set(), [(tensor.grad_fn, 0)]
        while waiting:
            step = waiting.pop(0)
            if step[0] is None or step in seen:
                continue
            seen.add(step)
            if step in known:
                yield known[step]
                continue
            yield step[0]
            waiting.extend(step[0].next_functions)

    def _differentiated_inside(self, event: Event, tensor: Tensor) -> None:
        """A gradient that the model made of its own numbers, and can be differentiated again: it reads all that its
        graph leads to, and every weight on the way gets a gradient through it that no layer accounts for."""
        for source in self._sources(tensor):
            if source not in event.reads:
                source.readers += 1
                event.reads = (*event.reads, source)
        self.inside |= {id(leaf) for leaf in _leaves(tensor)} & self._weights.keys()

    # --- keeping ---

    def _add(self, event: Event, tensor: Tensor) -> Event:
        """Keep an Event as the newest of its tensor."""
        event.tensor, event.version = tensor, tensor._version
        event.dtype = DTYPES.get(tensor.dtype, "")
        self._newest[id(tensor)] = event
        self.events.append(event)
        self._spend(event.output.nbytes)
        if tensor.requires_grad:
            self._follow(event, tensor)
        return event

    def _follow(self, event: Event, tensor: Tensor) -> None:
        """Keep the place in autograd's graph to which its gradient will come back.

        A view taken without autograd claims to require a gradient and has no such place.
        """
        node = tensor.grad_fn
        if node is not None:
            event.edge = GradientEdge(node, tensor.output_nr)
        elif not tensor._is_view():
            event.edge = get_gradient_edge(tensor)
        else:
            return
        self._spend(event.output.nbytes)

    def _written(self, known: Known) -> Array:
        """The numbers of a weight that was written to; one array for every layer that uses it from then on."""
        array = to_numpy(known.tensor)
        self._weights[id(known.tensor)] = known._replace(version=known.tensor._version, array=array)
        return array

    def _spend(self, number: int) -> None:
        """Count the bytes that are kept; stop before they are too many.

        Counting while it runs needs no second run, and holds for models whose path depends on their numbers.
        """
        self._bytes += number
        if self._bytes > self.budget:
            raise Refused(tr("The numbers of this recording need more than {budget} MiB; use a smaller input or model, "
                             "or allow more with the budget."
                             ).format(budget=numeral(f"{self.budget / (1 << 20):,.0f}")))


def _target(call: _Call, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    """The tensor that a call writes to, as torch names such calls: `add_`, `+=`, `x[0] = …`, `inplace=True`."""
    if not args or not isinstance(args[0], Tensor):
        return None
    name = call.name
    if name.endswith("__"):
        writes = name == "__setitem__" or name in WRITTEN
    elif name.endswith("_"):
        writes = name not in SHAPED_IN_PLACE
    else:
        place = call.arguments.index("inplace") if "inplace" in call.arguments else len(args)
        writes = kwargs.get("inplace") is True or (place < len(args) and args[place] is True)
    return args[0] if writes else None


WRITTEN = frozenset(f"__i{name}__" for name in (
    "add", "sub", "mul", "truediv", "div", "floordiv", "mod", "pow", "and", "or", "xor", "lshift", "rshift"))


def _is_there(target: Tensor, index: Any = None, value: Any = None) -> bool:
    """Whether a value is the very place that it is put into."""
    if not isinstance(value, Tensor) or value._base is None or value._base is not (
            target if target._base is None else target._base) or tensors_in(index):
        return False
    place = target[index]
    return place.data_ptr() == value.data_ptr() and place.shape == value.shape and place.stride() == value.stride()


def _unseen(event: Event) -> Event:
    """What was written without autograd's knowledge has other numbers, and the gradient that it would have had."""
    event.kind, event.named_by, event.kind_name = None, None, "unexplained"
    event.settings, event.why = {"call": "write without autograd"}, reasons.UNSEEN
    return event


def _lay(event: Event, view: Tensor, base: Tensor) -> None:
    """Say where in a tensor a view of it lies, in steps through memory; which tells no place where two share one."""
    if _shares_places(base):
        event.settings, event.why = {"call": "write through a view"}, reasons.REWRITTEN
        return
    event.speaks(kinds.by_call(event.call))
    event.settings = {"sizes": tuple(view.shape), "strides": tuple(view.stride()),
                      "start": view.storage_offset() - base.storage_offset(), "whole": tuple(base.shape),
                      "laid": tuple(base.stride())}


def _shares_places(tensor: Tensor) -> bool:
    """Whether two of its numbers stand in one place of memory, as those of an expanded tensor do."""
    reached = 0
    for stride, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size > 1 and stride <= reached:
            return True
        reached += stride * (size - 1)
    return False


def _without(whole: Tensor, part: Tensor, view: Tensor) -> tuple[Tensor, float]:
    """A gradient without what came back through a view of its tensor; and of how much it is the rest."""
    base = view._base
    assert base is not None
    places = torch.empty_strided(base.shape, base.stride(), dtype=torch.long)
    places.copy_(torch.arange(base.numel()).reshape(base.shape))
    at = places.as_strided(view.shape, view.stride(), view.storage_offset() - base.storage_offset()).reshape(-1)
    rest = whole.reshape(-1).index_add(0, at, part.reshape(-1), alpha=-1)
    return rest.reshape(whole.shape), float(part.abs().max()) if part.numel() else 0.0


def _another_output(first: Event, index: int, output: Array) -> Event:
    """The same call; whole numbers beside values are the places where these were found."""
    settings = {key: value for key, value in first.settings.items() if key != "fixed"}
    event = Event(first.call, first.number, output, first.kind_name, first.kind, first.named_by, first.place,
                  first.name, index, why=first.why, reads=first.reads, settings=settings)
    if event.kind is not None:
        event.settings["part"] = index
        if output.dtype.kind in "iu" and not event.kind.tells_places:
            event.kind, event.named_by, event.kind_name = None, None, "unexplained"
            event.settings, event.why = {"call": readable(event.call)}, reasons.PLACES.format(name=event.call)
    return event


def tensors_in(value: Any) -> list[Tensor]:
    """Every tensor in nested tuples, lists, mappings and dataclasses, in order."""
    if isinstance(value, Tensor):
        return [value]
    if type(value) in PLAIN or (type(value) is tuple and PLAIN.issuperset(map(type, value))):
        return []
    if isinstance(value, (tuple, list)):  # a union of types would be built anew each time
        inside: Iterable[Any] = value
    elif isinstance(value, dict):
        inside = value.values()
    else:
        inside = [getattr(value, name, None) for name in getattr(value, "__dataclass_fields__", ())]
    return [tensor for item in inside if type(item) not in PLAIN for tensor in tensors_in(item)]


def swapped(value: Any, swaps: Mapping[int, Tensor]) -> Any:
    """The same arguments, with other tensors in the places of those named by id."""
    if isinstance(value, Tensor):
        return swaps.get(id(value), value)
    if type(value) in (tuple, list):
        return type(value)(swapped(item, swaps) for item in value)
    if isinstance(value, dict):
        return {key: swapped(item, swaps) for key, item in value.items()}
    return value


def _index_of(items: tuple[Any, ...]) -> tuple[Any, ...]:
    """An index in which tensors stand: each as `("read", number)`, in their order."""
    numbers = count()
    return tuple(("read", next(numbers)) if isinstance(item, Tensor) else plain_value(item) for item in items)


def plain_value(value: Any) -> Any:
    """An argument as JSON can hold it: numbers, words, tuples of them."""
    if type(value) in AS_WRITTEN or (type(value) is tuple and AS_WRITTEN.issuperset(map(type, value))):
        return value
    if isinstance(value, (tuple, list)):
        return tuple(map(plain_value, value))
    if isinstance(value, slice):
        return ("slice", value.start, value.stop, value.step)
    if value is Ellipsis:
        return "..."
    return str(value).removeprefix("torch.")


def readable(call: str) -> str:
    """The name of a call without the underscores that mark it as special or in place."""
    return call.strip("_")


@dataclass(frozen=True, eq=False, slots=True)
class _Call:
    """A torch function: what it is called, the kind that speaks for it, and the names of its arguments."""

    name: str
    kind: Kind | None
    kind_name: str
    arguments: tuple[str, ...]
    makes_numbers: bool
    """From those that it is given."""


_METHOD = type(Tensor.add)


def _given_complex(args: tuple[Any, ...]) -> bool:
    return any(isinstance(value, Tensor) and value.is_complex() for value in args)


@lru_cache(1024)
def _call(func: Any, of_complex: bool = False) -> _Call:
    """What is known of a torch function; a property (`x.T`) goes by its own name, in place or not is the same. One of
    complex numbers is explained only by a kind that says so."""
    name = str(getattr(func, "__name__", func))
    if name == "__get__":
        name = str(getattr(func.__self__, "__name__", name))
        makes_numbers = name in PROPERTIES
    else:
        name = name.partition(".")[0]
        makes_numbers = name not in SILENT and name not in FROM_NOTHING
    method = f"Tensor.{name}" if isinstance(func, _METHOD) else ""
    native = "" if getattr(func, "__module__", "") == "torch.nn.functional" else f"torch.{name}"  # other arguments
    spellings = (method, native, name, name if name.endswith("__") else name.rstrip("_"))
    for spelling in map("complex {}".format, spellings) if of_complex else spellings:
        kind = kinds.by_call(spelling)
        if kind is not None:
            return _Call(name, kind, kind.name, tuple(kind.calls[spelling].split()), makes_numbers)
    return _Call(name, None, "unexplained", (), makes_numbers)


def _named(names: tuple[str, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    """Arguments with their names; more values than names are dimensions given one by one: the last name takes them."""
    if len(args) <= len(names):
        named = zip(names, args, strict=False)
    elif names:
        named = zip(names, (*args[:len(names) - 1], args[len(names) - 1:]), strict=True)
    else:
        named = zip(map("argument{}".format, count()), args, strict=False)
    return chain(named, kwargs.items()) if kwargs else named


def _in_another_order(read_as: list[str], kind: Kind) -> bool:
    """Whether a call takes what it reads in another order than its kind: `torch.rsub(other, input)`."""
    usual = {name: place for place, name in enumerate(next(iter(kind.calls.values()), "").split())}
    places = [usual[name] for name in read_as if name in usual]
    return places != sorted(places)


def _leaves(tensor: Tensor) -> Iterator[Tensor]:
    """Every leaf of autograd's graph that a tensor was made from."""
    seen, waiting = set(), [tensor.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        leaf = getattr(node, "variable", None)
        if leaf is not None:
            yield leaf
        waiting.extend(each for each, _ in node.next_functions)


def _title(node: Any) -> str:
    return type(node).__name__.rstrip("0123456789").removesuffix("Backward")
