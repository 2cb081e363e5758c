"""tracing: run a model once, forwards and backwards, and keep every number it computed on the way.

The model runs as it is. A `TorchFunctionMode` sees each torch call that it makes, hooks tell which module made it, and
the values are copied at once, because a later in-place operation may overwrite them. In the same moment the place of
each value in autograd's graph is noted, and gradients are asked for at these places. Afterwards the model, its buffers
and the random numbers are as before.
"""

from __future__ import annotations

import copy
import os
import platform
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge
from torch.nn.parameter import is_lazy

import visualizer
from visualizer import answers
from visualizer.language import tr
from visualizer.record import layers, need
from visualizer.record.arguments import Arguments, arguments, casts, converted
from visualizer.record.calls import Event, Recording
from visualizer.record.edits import of_tensor
from visualizer.record.objectives import Aimed, Target, aim, of_an_output, plain_target
from visualizer.record.precision import Precision, in_precision
from visualizer.record.weights import COMPILED, Hashes, Weights, unregistered, weights_of
from visualizer.trace import MODULES, MOST_BYTES, Answer, Array, Input, Layer, Refused, Sample, Trace


def _budget() -> int:
    """A quarter of the memory that there is, between 1 and 2 GiB."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows does not tell
        memory = 0
    return min(max(memory // 4, 1 << 30), MOST_BYTES)


BUDGET = _budget()
"""Bytes of values, gradients and weights that a recording may hold, unless the caller allows more."""
LISTS = ("Sequential", "ModuleList", "ModuleDict", "Inside")
"""Classes of modules that say nothing of what they do."""
MOST_OF_A_NAME = 60


def capture(
    model: nn.Module,
    x: Any,
    target: Any = None,
    dtype: str | None = None,
    *,
    keywords: Mapping[str, Any] | None = None,
    output: str | int | None = None,
    name: str = "",
    title: str = "",
    sample: Sample | None = None,
    labels: Sequence[str] = (),
    facts: Mapping[str, Any] | None = None,
    objective: str | Callable[[Any], Tensor] = "loss",
    asks: Mapping[str, Any] | None = None,
    answer: str | Mapping[str, Any] | None = None,
    seed: int = 0,
    budget: int = BUDGET,
    edits: Sequence[str] = (),
) -> Trace:
    """Record one forward and backward pass of `model` over one sample.

    `x` is a tensor or an array with a batch axis of size 1 (or none, where the model takes that), a tuple of what the
    model takes one after the other, or a dict of it by name; lists and dicts of tensors may stand in it, and `keywords`
    beside it. The objective is the cross entropy against `target`, a class or one for each step or pixel; of an answer
    that ends in a sigmoid the binary one, and of a number the square of how far it is off. `asks` describes another
    loss, as the cards of bundled models do. `objective` names one (`mse`, `mae`, `bce`, `cross_entropy`), or a number
    of the answer: `logit:4` that output, `sum`, `mean`, `none` nothing, and `@12` behind a logit means step 12 alone;
    or it is a function of what the model hands back that makes one number of it. Without a target it is the largest
    output. `dtype="float64"` runs the model in that precision. Random numbers (dropout) are drawn from `seed`. Raises
    Refused if more than one sample is given, if the numbers would need more than `budget` bytes, or if input, target or
    objective do not fit the model.

    `answer` says what kind of answer it is, where that cannot be told from outside: `"mask"`, or with settings
    `{"kind": "boxes", "stride": 8}`; `target` is then the truth, as an array. Of several outputs the first is asked
    about, or the one that `output` names, by key, field or number; a colon does the same in `sum:mask` and `mse:mask`.
    `edits` are done to the input first, as `visualizer list edits` says: `shift=3,0`.
    """
    if edits:
        x, done = of_tensor(edits, x)
        sample = replace(sample, title=f"{sample.title or sample.name}, {done}") if sample else Sample("input", done)
    objective, said, named = asked_about(objective, answer, output)
    wish = Wanted(objective, plain_target(target), tuple(labels), asks, said, named)
    with torch.inference_mode(False), as_written():  # the first also turns gradients on
        model = recordable(model)
        given = arguments(model, x, keywords)
        if dtype is not None:
            given = converted(given, _dtype(dtype))
        with nullcontext(model) if dtype is None else in_precision(model, _dtype(dtype)) as running:
            need.judge(running, given, budget, title or name or type(model).__name__)
            once = partial(_pass, running, wish=wish, seed=seed, budget=budget,
                           precision=None if dtype is None else Precision(_dtype(dtype)))
            done = _in_a_type_that_it_takes(once, running, given, title or name or type(model).__name__)
    weights, recording = done.weights, done.recording
    return Trace(
        model=name or type(model).__name__,
        title=title or name or type(model).__name__,
        layers=done.layers,
        sample=sample or Sample("input", label=wish.target if isinstance(wish.target, int) else None),
        objective=done.aimed.goal.objective,
        labels=tuple(labels),
        dtype=done.dtype,
        seed=seed,
        versions=made_with(),
        hashes=Hashes(weights=weights.held, input=recording.given),
        facts={**(facts or {}), **classes(model)},
        notes=tuple(recording.notes),
        answers=done.answers,
        fed=done.fed,
    )


def classes(model: nn.Module) -> dict[str, Any]:
    """The fact which classes the modules have that hold others; nothing where those only list them."""
    found = {path: str(getattr(module, "called", "") or type(module).__name__)[:MOST_OF_A_NAME]
             for path, module in model.named_modules() if path and any(True for _ in module.children())}
    told = {path: name for path, name in found.items() if name not in LISTS}
    return {MODULES: told} if told else {}


def asked_about(objective: str | Callable[[Any], Tensor], answer: str | Mapping[str, Any] | None,
                output: str | int | None) -> tuple[str | Callable[[Any], Tensor], Mapping[str, Any] | None, str | None]:
    """Objective, what kind of answer it is, and the output that one of the three names."""
    said = {"kind": answer} if isinstance(answer, str) else dict(answer or {})
    named = said.pop("output", None) if output is None else output
    if isinstance(objective, str):
        objective, of = of_an_output(objective)
        named = named if of is None else of
    return objective, said or None, None if named is None else str(named)


def made_with() -> dict[str, str]:
    """The versions of what makes a recording."""
    return {"visualizer": visualizer.__version__, "torch": str(torch.__version__), "numpy": np.__version__,
            "python": platform.python_version()}


@dataclass(frozen=True, eq=False)
class Wanted:
    """What is asked of an answer."""

    objective: str | Callable[[Any], Tensor]
    target: Target
    labels: tuple[str, ...]
    asks: Mapping[str, Any] | None
    said: Mapping[str, Any] | None
    """What kind of answer it is."""
    output: str | None
    """Which of several outputs is asked about; None for the first."""


@dataclass(frozen=True, eq=False)
class Done:
    """One pass that was recorded."""

    weights: Weights
    recording: Recording
    layers: tuple[Layer, ...]
    aimed: Aimed
    answers: tuple[Answer, ...]
    fed: tuple[Input, ...]
    dtype: str
    """The precision of its weights."""


def _pass(model: nn.Module, given: Arguments, wish: Wanted, seed: int, budget: int,
          precision: Precision | None) -> Done:
    """Forwards and backwards once; the model, its input and the random numbers are as before when it is done."""
    weights = weights_of(model)
    everything = [*(known.tensor for known in weights.known.values()), *(tensor for _, tensor in given.tensors)]
    with left_as_found(weights, everything, seed):
        recording = Recording(weights, budget)
        handed = given.turned(lambda name, tensor: recording.feed(tensor))
        with recording, nullcontext() if precision is None else precision:
            returned = model(*handed.positions, **handed.keywords)
            wanted = wish.objective if isinstance(wish.objective, str) else wish.objective(returned)
        inputs = [event for event in recording.events if event.kind_name == "input"]
        for event, (_, tensor) in zip(inputs, given.tensors, strict=True):
            event.whole = partial(_seen_together, model, given, tensor)
        answered = handed_back(recording, returned, wish)
        first, *others = answered.values()
        try:
            aimed = aim(recording, first, wanted, wish.target, wish.labels, wish.asks, wish.said)
        except Refused as error:
            raise Refused(f"{str(error).removesuffix('.')}{_of_several(answered)}.") from error
        recording.flow_back(aimed.goal.scalar)
        beside = [event for tensor in others if (event := recording.known(tensor)) is not None]
        usual = next((tensor.dtype for tensor in everything if tensor.is_floating_point()), torch.get_default_dtype())
        dtype = str(usual).removeprefix("torch.")
        recorded, names = layers.build(recording, aimed.goal.scalar is not None, dtype)
    recording.notes += _beside_the_model(model, weights, recording)
    there = {layer.name for layer in recorded}
    fed = tuple(Input(names[id(event)], name=name)
                for event, (name, _) in zip(inputs, given.tensors, strict=True)) if any(dict(given.tensors)) else ()
    return Done(weights, recording, recorded, aimed, tuple(named_answers(aimed, beside, names, there)), fed, dtype)


class Followed(NamedTuple):
    """Where what a layer made stands in the graph of autograd, its shape with its batch axis, and its numbers."""

    edge: GradientEdge
    shape: tuple[int, ...]
    values: Array


def followed(model: nn.Module, x: Any, keywords: Mapping[str, Any] | None = None, seed: int = 0,
             budget: int = BUDGET) -> dict[str, Followed]:
    """The graph of one pass forwards in float64, by the names of the layers: for gradients of any number by any other.
    """
    with torch.inference_mode(False), as_written():
        model = recordable(model)
        given = converted(arguments(model, x, keywords), torch.float64)
        with in_precision(model, torch.float64) as running:
            weights = weights_of(running)
            everything = [*(known.tensor for known in weights.known.values()), *(each for _, each in given.tensors)]
            with left_as_found(weights, everything, seed):
                recording = Recording(weights, budget)
                handed = given.turned(lambda name, tensor: recording.feed(tensor))
                with recording, Precision(torch.float64):
                    running(*handed.positions, **handed.keywords)
                inputs = [event for event in recording.events if event.kind_name == "input"]
                for event, (_, tensor) in zip(inputs, given.tensors, strict=True):
                    event.whole = partial(_seen_together, running, given, tensor)
                _, names = layers.build(recording, False, "float64")
    return {names[id(event)]: Followed(event.edge, event.output.shape, event.output) for event in recording.events
            if event.edge is not None and event.output is not None and id(event) in names}


def _in_a_type_that_it_takes(once: Callable[[Arguments], Done], model: nn.Module, given: Arguments,
                             called: str) -> Done:
    """A pass over the numbers as they are; in another precision, which is said, where the model takes that alone.

    Raises what the model raises, and Refused where it would take them only as numbers of another kind: whole ones are
    mostly scaled before they become others.
    """
    try:
        return once(given)
    except Refused:
        raise
    except (RuntimeError, TypeError, IndexError, ValueError) as error:
        if "grad" in str(error):
            raise  # of autograd, which whole numbers are none of
        floating = {tensor.dtype for tensor in model.parameters() if tensor.is_floating_point()}
        for cast in casts(given, floating.pop() if len(floating) == 1 else torch.get_default_dtype()):
            was, into = (str(dtype).removeprefix("torch.") for dtype in (cast.was, cast.into))
            if cast.keeps:
                with suppress(RuntimeError, TypeError, IndexError, ValueError):
                    done = once(cast.given)
                    done.recording.notes.append(f"The input was {was}, and the model reads {into}; it was recorded "
                                                f"with the input as {into}.")
                    return done
            elif _runs(model, cast.given):
                raise Refused(tr("The input is {was}, and the model reads {into}; give x.astype('{into}') of an array "
                                 "or x.to(torch.{into}) of a tensor, with the values that it was trained on."
                                 ).format(was=was, into=into)) from error
        if (told := _told(called, given, error)) is not None:
            raise told from error
        raise


def _runs(model: nn.Module, given: Arguments) -> bool:
    weights = weights_of(model)
    with left_as_found(weights, [], 0), torch.no_grad():
        try:
            fed = given.turned(lambda name, tensor: tensor.clone())
            model(*fed.positions, **fed.keywords)
        except Exception:
            return False
        return True


def _told(called: str, given: Arguments, error: Exception) -> Refused | None:
    """A sentence where torch's words lead nowhere; None for the model's own error."""
    said = str(error)
    if "Expected more than 1 value per channel when training" in said:
        return Refused(tr("The model is in training mode, in which a batch norm needs several samples; call "
                          "model.eval() first."))
    if any(words in said for words in OF_SHAPES):
        return Refused(tr("{model} cannot be run on an input of the shape {shape} ({why}); give one of the shape that "
                          "it was made for, with a batch axis of size 1.").format(
            model=called, shape=tr(" and ").join(str(tuple(tensor.shape)) for _, tensor in given.tensors),
            why=first_line(error).rstrip(".")))
    return None


def _seen_together(model: nn.Module, given: Arguments, one: Tensor) -> bool:
    """Whether the rows of one input are parts of one sample: no answer has a row for each, or the first row of one is
    another where the rest of the input is as its first row. Batch norms measure nothing meanwhile: they mix samples."""
    count = len(one)

    def alike(name: str, tensor: Tensor) -> Tensor:
        return tensor[:1].expand_as(tensor).clone() if tensor.ndim and len(tensor) == count else tensor.clone()

    learning = [module for module in model.modules() if module.training]
    weights = weights_of(model)
    with left_as_found(weights, [], 0), torch.no_grad():
        try:
            model.eval()
            answers = []
            for turn in (lambda name, tensor: tensor.clone(), alike):
                fed = given.turned(turn)
                answers.append([tensor for _, tensor in outputs(model(*fed.positions, **fed.keywords))])
        except Exception:
            return False  # it does not run on it, so nothing is known
        finally:
            for module in learning:
                module.training = True
    rows = [(tensor[0], other[0]) for tensor, other in zip(*answers, strict=True)
            if tensor.ndim and len(tensor) == len(other) == count]
    return not all(torch.allclose(first, alone, equal_nan=True) for first, alone in rows) if rows else True


OF_SHAPES = ("mat1 and mat2 shapes cannot be multiplied", "size mismatch", "must match the size", "expected input",
             "Expected input", "Expected 2D", "Expected 3D", "Expected 4D", "is invalid for input of size",
             "input.size(-1) must be equal to input_size", "index out of range in self")
"""Words with which torch says that what it got has another shape than it needs."""


# --- the model, its input, and leaving both as they were -------------------------------------------------------------

def recordable(model: Any) -> nn.Module:
    """The module that runs when `model` is called; Refused, with the way, where no numbers can come of it."""
    if not isinstance(model, nn.Module):
        raise Refused(tr("capture records a torch.nn.Module, and this is a {type}; put what it does into the forward "
                         "of a module, with its layers as attributes.").format(type=type(model).__name__))
    while hasattr(model, COMPILED):
        model = model._orig_mod
    parameters = {id(each): (name, each) for name, each in (*model.named_parameters(), *model.named_buffers())}
    for name, tensor in parameters.values():
        if is_lazy(tensor):
            raise Refused(tr("{name} has no size before its lazy module has run; call model(x) once, and record it "
                             "then.").format(name=name))
        if tensor.is_meta:
            raise Refused(tr("{name} is on the meta device and has no numbers; load its weights first, with "
                             "model.to_empty(device='cpu') and model.load_state_dict(…).").format(name=name))
    return copy.deepcopy(model) if any(tensor.is_inference() for _, tensor in parameters.values()) else model


@contextmanager
def as_written() -> Iterator[None]:
    """What torch.compile was asked to compile runs as it is written, so that its steps can be seen."""
    if "torch._dynamo" not in sys.modules:
        yield
        return
    with torch.compiler.set_stance("force_eager"):
        yield


def _beside_the_model(model: nn.Module, weights: Weights, recording: Recording) -> Iterator[str]:
    """A note on weights that torch does not know as those of the model."""
    beside = [*unregistered(model, weights), *recording.unregistered]
    if beside:
        more = f" and {len(beside) - 2} more" if len(beside) > 2 else ""
        yield (f"{', '.join(beside[:2])}{more} can learn and stand outside model.parameters(), as in a plain list, so "
               "that an optimizer, .to() and state_dict() leave them out; keep modules in nn.ModuleList or "
               "nn.ModuleDict.")


def handed_back(recording: Recording, returned: Any, wish: Wanted) -> dict[str, Tensor]:
    """The floating tensors among what the model handed back, each once and by its name; the first is the one that is
    asked about, which the wish names. Whole numbers alone are an answer from which nothing flows back."""
    every: dict[str, Tensor] = {}
    for name, tensor in outputs(returned):
        if not any(tensor is other for other in every.values()):
            every[name] = tensor
    found = {name: tensor for name, tensor in every.items() if tensor.is_floating_point()} or every
    if not found:
        raise Refused(tr("The model handed back no tensor, so there is nothing to show; return the logits."))
    first = wish.output
    if first is not None:
        if first not in every:
            refused = tr("The model hands back no output {name!r}; name {known}.") if len(found) > 1 else \
                tr("The model hands back no output {name!r}; it hands back one, so name none.")
            raise Refused(refused.format(name=first, known=tr(" or ").join(map(repr, found))))
        found = {first: every[first]} | found
    recording.event_of(next(iter(found.values())))
    if len(found) > 1:
        which = "the first is" if first is None else f"{first!r} is"
        recording.notes.append(f"The model hands back {len(found)} tensors; {which} the one that is asked about.")
    return found


def outputs(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Tensor]]:
    """Every tensor in nested tuples, lists, mappings and dataclasses, by its key, field or number, with a dot between
    those that lie in one another."""
    if isinstance(value, Tensor):
        yield ".".join(path), value
        return
    if isinstance(value, Mapping):
        inside: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, tuple | list):
        inside = zip(getattr(value, "_fields", range(len(value))), value, strict=True)
    elif hasattr(value, "__dataclass_fields__"):
        inside = [(name, getattr(value, name, None)) for name in value.__dataclass_fields__]
    else:  # a distribution, or another object of the model's own
        inside = [(name, item) for name, item in getattr(value, "__dict__", {}).items()
                  if isinstance(item, Tensor) and not name.startswith("_")]
    for name, item in inside:
        yield from outputs(item, (*path, str(name)))


def _of_several(outputs: Mapping[str, Tensor]) -> str:
    """Where there are several outputs, which was asked about, and how another one is."""
    first, *others = outputs
    if not others:
        return ""
    return tr(" (that is output {first!r}; answer={{'output': {other!r}}} asks about another)"
              ).format(first=first, other=others[0])


def named_answers(aimed: Aimed, beside: Sequence[Event], names: Mapping[int, str], there: set[str]) -> Iterator[Answer]:
    """What the model handed back, by the names of layers: never a layer inside it."""
    held = aimed.event if aimed.shares is None else aimed.shares
    returned = names.get(id(aimed.event), "")
    if aimed.named.kind and names.get(id(held)) in there:
        yield replace(aimed.named, layer=names[id(held)], returned="" if held is aimed.event else returned)
    for event in beside:
        axes = tuple(axis for axis in event.axes or () if axis != "batch")
        shape = tuple(size for axis, size in zip(event.axes or (), event.output.shape, strict=True) if axis != "batch")
        kind, name = answers.inferred(axes, shape, event.kind_name, 0), names.get(id(event), "")
        if kind is not None and name in there and name not in (returned, names.get(id(held))):
            yield Answer(name, kind.name)


def _dtype(name: str) -> torch.dtype:
    found = {"float32": torch.float32, "float64": torch.float64}.get(name)
    if found is None:
        raise Refused(tr("The precision {name!r} is not offered; use float32 or float64.").format(name=name))
    return found


@contextmanager
def left_as_found(weights: Weights, everything: Sequence[Tensor], seed: int) -> Iterator[None]:
    """Random numbers start from `seed` inside; afterwards they and every buffer are as they were."""
    devices = {tensor.device.index for tensor in everything if tensor.is_cuda} if torch.cuda.is_initialized() else ()
    generators = (torch.default_generator, *(torch.cuda.default_generators[index] for index in sorted(devices)))
    states = [generator.get_state() for generator in generators]
    try:
        for generator in generators:
            generator.manual_seed(seed)
        yield
    finally:
        for generator, state in zip(generators, states, strict=True):
            generator.set_state(state)
        weights.restore_buffers()


def first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
