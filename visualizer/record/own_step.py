"""recording: one sample of a training step that somebody else makes, with its real batch and its real loss.

The step runs as it is. While the model runs in it every number of the whole batch is kept, and hooks in autograd's
graph hear what flows back when `backward` is called. The same model has run over the one sample alone just before, as
in `capture`: that tells what its layers are, and along which axis each number of the batch is that of the sample. Its
own numbers, which dropout and batch norm make others than in the batch, are then replaced by those of the batch.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.graph import get_gradient_edge
from torch.jit import ScriptModule
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.overrides import TorchFunctionMode

from visualizer import reasons
from visualizer.kinds import OF_ALL, SAMPLES
from visualizer.record import layers
from visualizer.record.arguments import Arguments
from visualizer.record.calls import Event, Recording, readable
from visualizer.record.objectives import aim
from visualizer.record.tracing import (
    BUDGET,
    Wanted,
    as_written,
    first_line,
    handed_back,
    left_as_found,
    made_with,
    named_answers,
    outputs,
    recordable,
)
from visualizer.record.weights import Hashes, Known, seen_by_numpy, to_numpy, weights_of
from visualizer.trace import UNEXPLAINED, Array, Input, Layer, Refused, Sample, Trace

NO_CLASS = -100
"""The target that torch's losses leave out."""


class Seen:
    """What was seen of a step; its recordings are there as soon as `backward` has been called."""

    def __init__(self) -> None:
        self.traces: tuple[Trace, ...] = ()
        """One recording for each time that the model ran and something flowed back through it, in that order."""
        self._why = "The model did not run inside the block; call it there, with gradients on."

    @property
    def trace(self) -> Trace:
        """The last of them. Raises Refused with one sentence where there is none."""
        if not self.traces:
            raise Refused(self._why)
        return self.traces[-1]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """How a notebook shows it: as its last recording, or why there is none."""
        return self.traces[-1]._repr_mimebundle_(include, exclude) if self.traces else {"text/plain": self._why}


@contextmanager
def recording(model: nn.Module, sample: int = 0, *, axis: int = 0, labels: Sequence[str] = (), answer: Any = None,
              name: str = "", title: str = "", facts: Mapping[str, Any] | None = None, budget: int = BUDGET
              ) -> Iterator[Seen]:
    """`with visualizer.recording(model) as seen:` around a training step; then `seen.trace` is that step as one
    `sample` of its batch had it.

    Its values are those of the step, with its dropout and the batch norms of the whole batch; its gradients are those
    of the loss on which the step calls `backward`, of the whole batch (of a scaled loss the scaled ones). The gradients
    of weights are those of all samples, and marked so. `axis` counts the samples in what the model reads first. The
    step itself is the same with and without. A model that runs several times has as many `seen.traces`. Where the step
    cannot be recorded it goes on, and `seen.trace` raises Refused with one sentence; an error of the step passes
    through. Raises Refused where the model itself cannot be recorded. Other options: those of `capture`.
    """
    running = recordable(model)
    if isinstance(running, ScriptModule):
        raise Refused("The model is compiled code (TorchScript), which hides its steps; record the Python module that "
                      "it was made from.")
    seen = Seen()
    wish = Wanted("loss", None, tuple(labels), None, {"kind": answer} if isinstance(answer, str) else answer, None)
    steps = _Steps(running, sample, axis, wish, budget, seen,
                   {"model": name or type(model).__name__, "title": title or name or type(model).__name__,
                    "facts": dict(facts or {})})
    with as_written(), steps:
        yield seen


# --- the step, as it runs -------------------------------------------------------------------------------------------

class _Steps(TorchFunctionMode):
    """While it is entered, the model's own forward is recorded, and what is done with its answer is listened to."""

    def __init__(self, model: nn.Module, sample: int, axis: int, wish: Wanted, budget: int, seen: Seen,
                 said: dict[str, Any]) -> None:
        super().__init__()
        self.model, self.sample, self.axis, self.wish, self.budget = model, sample, axis, wish, budget
        self.seen, self.said = seen, said
        self.runs: list[_Run] = []
        self.loss = float("nan")
        """On which `backward` was called last."""
        self._busy = False
        self._around = ExitStack()

    def __enter__(self) -> _Steps:
        forward, own = self.model.forward, vars(self.model).get("forward")
        self.model.forward = lambda *args, **kwargs: self._run(forward, args, kwargs)  # type: ignore[method-assign]
        if own is None:
            self._around.callback(vars(self.model).pop, "forward")
        else:
            self._around.callback(setattr, self.model, "forward", own)
        self._around.callback(register_optimizer_step_pre_hook(lambda *_: self._finish()).remove)
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._around.close()
        self._finish()
        for run in self.runs:
            run.forget()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func is functional.cross_entropy or func is functional.nll_loss:
            self._told(*args[:2], **{name: kwargs[name] for name in ("input", "target") if name in kwargs})
        returned = func(*args, **kwargs)
        if func is Tensor.backward:
            self.loss = float(args[0].detach().float().sum())
            self._finish()
        return returned

    def _told(self, input: Tensor, target: Tensor) -> None:
        """A loss of classes tells which of them is right."""
        for run in self.runs:
            run.told(input, target)

    def _run(self, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._busy or not torch.is_grad_enabled():
            if not self.runs and not self._busy:
                self.seen._why = "The model ran without gradients inside the block; leave out torch.no_grad()."
            return forward(*args, **kwargs)
        self._busy = True
        try:
            return self._seen(forward, Arguments(args, kwargs))
        finally:
            self._busy = False

    def _seen(self, forward: Callable[..., Any], given: Arguments) -> Any:
        before = _chance(), weights_of(self.model)
        try:
            run = _Run(self, forward, given)
        except Refused as refused:
            self.seen._why = str(refused)
            return forward(*given.positions, **given.keywords)
        try:
            returned = run.of_the_batch(forward, given)
        except Refused as refused:  # too many numbers: the step is made all the same, and as it would have been
            self.seen._why = str(refused)
            run.forget()
            before[1].restore_buffers()
            for generator, state in before[0]:
                generator.set_state(state)
            return forward(*given.positions, **given.keywords)
        self.runs.append(run)
        if not self.seen.traces:
            self.seen._why = ("Nothing flowed back through the model inside the block; call backward() of its loss "
                              "there.")
        return returned

    def _finish(self) -> None:
        """Everything that flowed back becomes recordings, while the weights are still those of the step."""
        if self._busy:
            return
        self._busy = True
        try:
            for run in [run for run in self.runs if run.came]:
                self.runs.remove(run)
                try:
                    with torch.inference_mode(False), torch.enable_grad():
                        self.seen.traces = (*self.seen.traces, run.trace(self.loss, self.said, self.wish))
                except (Refused, LookupError, RuntimeError, TypeError, ValueError) as error:
                    self.seen._why = str(error) if isinstance(error, Refused) else (
                        f"The step could not be recorded ({first_line(error).rstrip('.')}); record one sample of it "
                        "with visualizer.capture(model, x[:1]).")
                finally:
                    run.forget()
        finally:
            self._busy = False


class _Alone(Recording):
    """One sample alone, on whose way a batch norm in training finds ready statistics: those of a batch of one are none.

    They are put in later, with all other numbers.
    """

    def step(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], **how: Any) -> Any:
        if func is functional.batch_norm:
            bound = NORMED.bind(*args, **kwargs)
            bound.apply_defaults()
            found = bound.arguments
            if found["training"]:
                channels = found["input"].shape[1]
                found |= {"running_mean": self._ready("running_mean", torch.zeros(channels)),
                          "running_var": self._ready("running_var", torch.ones(channels)), "training": False}
                args, kwargs = tuple(found.values()), {}
        return super().step(func, args, kwargs, **how)

    def _ready(self, name: str, tensor: Tensor) -> Tensor:
        self._weights[id(tensor)] = Known(name, tensor, False, tensor._version, to_numpy(tensor))
        return tensor


NORMED = inspect.signature(functional.batch_norm)


class _Run:
    """The model that ran once over the batch, and just before over one sample of it."""

    def __init__(self, steps: _Steps, forward: Callable[..., Any], given: Arguments) -> None:
        """Run it over the one sample. Raises Refused where that cannot be."""
        if any(isinstance(each, PackedSequence) for each in (*given.positions, *given.keywords.values())):
            raise Refused("The model reads packed sequences, of which no single one can be told apart; pack them "
                          "inside of its forward, or record one with visualizer.capture.")
        self.came = False
        """Whether something flowed back through it."""
        self.label: int | None = None
        self._classes = 0
        one = given.one(steps.sample, steps.axis).turned(lambda name, tensor: tensor.detach().clone())
        first = given.tensors[0][1]
        self.count = int(first.shape[steps.axis])
        self.sample = steps.sample % self.count
        self.weights = weights_of(steps.model)
        tensors = [*(known.tensor for known in self.weights.known.values()), *(tensor for _, tensor in one.tensors)]
        self.dtype = next((tensor.dtype for tensor in tensors if tensor.is_floating_point()),
                          torch.get_default_dtype())
        self.alone = _Alone(self.weights, steps.budget)
        self.batch = Recording(self.weights, steps.budget)
        self.given = one
        with left_as_found(self.weights, tensors, 0), _unheard(steps.model), _uncached():
            fed = one.turned(lambda name, tensor: self.alone.feed(tensor))
            try:
                with self.alone:
                    self.returned = forward(*fed.positions, **fed.keywords)
            except Refused:
                raise
            except Exception as error:
                raise Refused(f"The model cannot be run on one sample of its batch ({first_line(error).rstrip('.')}); "
                              "let it take the size of the batch from what it is given.") from error
        self._answers: list[Tensor] = []
        self._heard: list[Any] = []
        self._found: dict[int, Tensor] = {}

    def of_the_batch(self, forward: Callable[..., Any], given: Arguments) -> Any:
        """What the step itself computes, recorded and listened to."""
        handed = given.turned(lambda name, tensor: self.batch.feed(tensor))
        with self.batch:
            returned = forward(*handed.positions, **handed.keywords)
        self._answers = [tensor for _, tensor in outputs(returned)]
        places = self.batch.places
        for number, place in enumerate(places):
            edge = get_gradient_edge(place) if isinstance(place, Tensor) else place
            self._heard.append(edge.node.register_prehook(self._listening(number, edge.output_nr)))
        return returned

    def _listening(self, number: int, output: int) -> Callable[[tuple[Tensor | None, ...]], None]:
        def heard(gradients: tuple[Tensor | None, ...]) -> None:
            self.came = True
            gradient = gradients[output]
            if gradient is not None:
                self._found[number] = gradient.detach().clone()  # which is clipped in its place, a moment later

        return heard

    def told(self, scores: Tensor, target: Tensor) -> None:
        """Take the class of the sample from a loss of the model's own answer."""
        if scores.ndim == 2 and target.ndim == 1 and len(target) == len(scores) == self.count and \
                not target.is_floating_point() and any(_same(scores, each) for each in self._answers):
            label = int(target[self.sample])
            self.label, self._classes = None if label == NO_CLASS else label, scores.shape[1]

    def forget(self) -> None:
        """Let go of the batch and of its graph."""
        for each in self._heard:
            each.remove()
        self._heard, self._answers, self._found = [], [], {}
        del self.alone, self.batch, self.returned

    # --- from the batch to the one sample ---

    def trace(self, loss: float, said: Mapping[str, Any], wish: Wanted) -> Trace:
        """The recording. Raises Refused where the numbers of the sample cannot be told from those of the others."""
        self.batch.came_back([self._found.get(number) for number in range(len(self.batch.places))])
        self._put_in()
        if not wish.labels and self._classes:
            wish = replace(wish, labels=tuple(map(str, range(self._classes))))
        recording = self.alone
        returned = handed_back(recording, self.returned, wish)
        first, *others = returned.values()
        answer = recording.event_of(first)
        if not answer.complex:  # what is made of it, the chances of classes, is made of the numbers of the step
            first.data = answer.as_tensor().to(first.dtype).reshape(first.shape)
        scalar = torch.tensor(loss, requires_grad=True)
        aimed = aim(recording, first, scalar, None, wish.labels, None, wish.said)
        beside = [event for tensor in others if (event := recording.known(tensor)) is not None]
        inputs = [event for event in recording.events if event.kind_name == "input"]
        built, names = layers.build(recording, True, str(self.dtype).removeprefix("torch."))
        read = {names[id(event)]: None for event in (aimed.event, *beside) if event.gradient is not None}
        built = (*self._of_all(built, names), self._loss(loss, tuple(read)))
        there = {layer.name for layer in built}
        fed = tuple(Input(names[id(event)], name=name)
                    for event, (name, _) in zip(inputs, self.given.tensors, strict=True))
        return Trace(
            layers=built, sample=Sample(f"sample-{self.sample}", f"Sample {self.sample} of {self.count}", self.label),
            objective=aimed.goal.objective, labels=wish.labels if self._classes or wish.labels else (),
            dtype=str(self.dtype).removeprefix("torch."), versions=made_with(),
            hashes=Hashes(weights=self.weights.held, input=recording.given), notes=tuple(recording.notes),
            answers=tuple(named_answers(aimed, beside, names, there)), fed=fed if any(dict(self.given.tensors)) else (),
            **{**said, "facts": {**said["facts"], "batch": self.count}})

    def _put_in(self) -> None:
        """The numbers and gradients of the sample, as the batch had them, in the place of those that it had alone."""
        own, all_ = self.alone.events, self.batch.events
        if [(event.call, event.index, event.name) for event in own] != \
                [(event.call, event.index, event.name) for event in all_]:
            raise Refused("The model makes other steps for one sample than for the batch, so they cannot be joined; "
                          "record the sample with visualizer.capture.")
        parts = _Parts(self.sample, self.count)
        for event, whole in zip(own, all_, strict=True):
            assert event.output is not None
            take = parts.of(event, whole)
            if event.call == "batch_norm" and whole.settings.get("training"):
                _normed_together(event, whole, self.count)
            if whole.gradient is not None:
                gradient = seen_by_numpy(whole.gradient.detach())
                event.gradient = torch.tensor(take(gradient))
                if self.count > 1 and gradient.shape == event.output.shape:
                    event.settings[OF_ALL] = ("gradient",)
                    event.settings[SAMPLES] = self.count
            event.output = _kept(take(_array(whole)))
            event.random = None  # by which dropout inside of a recurrent call would be drawn again: for another batch
            if self.count > 1 and take.axis is None and any(parts.cut(read) for read in whole.reads):
                event.kind, event.named_by, event.kind_name = None, None, UNEXPLAINED
                event.settings, event.why = {"call": readable(event.call)}, reasons.OF_SEVERAL.format(count=self.count)

    def _of_all(self, built: Sequence[Layer], names: Mapping[int, str]) -> Iterator[Layer]:
        """The layers with the gradients that their weights have of the whole batch; none where several share one."""
        held = {id(known.array): number for number, known in self.weights.known.items()}
        uses: dict[int, int] = {}
        for layer in built:
            for array in layer.weights.values():
                uses[id(array)] = uses.get(id(array), 0) + 1
        for layer in built:
            found, shared = {}, False
            for key, array in layer.weights.items():
                gradient = self.batch.weight_gradients.get(held.get(id(array), -1))
                if gradient is not None and uses[id(array)] == 1:
                    found[key] = seen_by_numpy(gradient)
                shared = shared or (gradient is not None and uses[id(array)] > 1)
            settings = dict(layer.settings)
            if found and self.count > 1:
                settings |= {SAMPLES: self.count, OF_ALL: (*settings.get(OF_ALL, ()), *found)}
            why = f"{layer.why} {reasons.SHARES}".strip() if shared else layer.why
            yield replace(layer, weight_gradients=found, settings=settings, why=why)

    def _loss(self, loss: float, reads: tuple[str, ...]) -> Layer:
        return Layer("loss", UNEXPLAINED, (), {"call": "loss", SAMPLES: self.count}, reads, np.asarray(loss),
                     np.asarray(1.0), why=reasons.LOSS_OF_ALL.format(count=self.count))


# --- which numbers of the batch are those of the sample -------------------------------------------------------------

@dataclass(frozen=True)
class _Cut:
    """Where the numbers of one sample stand among those of the batch."""

    axis: int | None
    """None where nothing is of one sample alone."""
    rows: tuple[int, ...] = ()
    apart: bool = False
    """Whether its rows lie apart from each other, one for each round of all samples."""

    def __call__(self, whole: Array) -> Array:
        return whole if self.axis is None else np.take(whole, self.rows, self.axis)


class _Parts:
    """Where the sample is in what each call made."""

    def __init__(self, sample: int, count: int) -> None:
        self.sample, self.count = sample, count
        self._cuts: dict[int, _Cut] = {}

    def of(self, alone: Event, whole: Event) -> _Cut:
        """Raises Refused for a call that makes something of several samples together."""
        cuts = list(self._possible(np.shape(alone.output), np.shape(whole.output)))
        if not cuts:
            raise Refused(f"{readable(whole.call)} makes something of several samples together (of the shape "
                          f"{tuple(np.shape(whole.output))}, and {tuple(np.shape(alone.output))} of one), which cannot "
                          "be told apart; record one sample with visualizer.capture.")
        self._cuts[id(whole)] = found = self._likely(cuts, whole) if len(cuts) > 1 else cuts[0]
        return found

    def cut(self, whole: Event) -> bool:
        """Whether only a part of it is of the sample."""
        known = self._cuts.get(id(whole))
        return known is not None and known.axis is not None

    def _possible(self, alone: tuple[int, ...], whole: tuple[int, ...]) -> Iterator[_Cut]:
        if alone == whole:
            yield _Cut(None)
            return
        other = [axis for axis, sizes in enumerate(zip(alone, whole, strict=False)) if sizes[0] != sizes[1]]
        if len(alone) != len(whole) or len(other) != 1 or whole[other[0]] != self.count * alone[other[0]]:
            return
        axis, rows = other[0], alone[other[0]]
        yield _Cut(axis, tuple(range(self.sample * rows, (self.sample + 1) * rows)))
        if rows > 1:
            yield _Cut(axis, tuple(range(self.sample, whole[axis], self.count)), apart=True)

    def _likely(self, cuts: list[_Cut], whole: Event) -> _Cut:
        """Samples that were joined with their steps or places: all rows of one after the other, or one row of each in
        turn. What only moves numbers has those of the sample in what it read; all else is as in what it read."""
        output = _array(whole)
        read = [self._cuts[id(event)](_array(event)) for event in whole.reads if id(event) in self._cuts]
        if read and whole.kind is not None and (whole.kind.moves_only or whole.kind.role == "join"):
            there = np.sort(np.concatenate([each.ravel() for each in read]))
            for cut in cuts:
                if np.array_equal(np.sort(cut(output).ravel()), there, equal_nan=True):
                    return cut
        for event in whole.reads:
            known = self._cuts.get(id(event))
            if known is not None and len(known.rows) == len(cuts[0].rows):
                return cuts[known.apart]
        return cuts[0]


def _normed_together(event: Event, whole: Event, count: int) -> None:
    """Mean and variance that a batch norm measured over the batch, and what it hands back through both of them."""
    values = _array(whole.reads[0]).astype(np.float64)
    others = tuple(axis for axis in range(values.ndim) if axis != 1)
    laid = tuple(-1 if axis == 1 else 1 for axis in range(values.ndim))
    mean, variance = values.mean(axis=others), values.var(axis=others)
    for name, measured in (("running_mean", mean), ("running_var", variance)):
        event.weights[name] = event.weights[name][0], _kept(measured.astype(_array(whole).dtype))
    event.settings[SAMPLES] = count
    if whole.gradient is None:
        return
    gain = event.weights["weight"][1].astype(np.float64) if "weight" in event.weights else np.ones(len(mean))
    came = seen_by_numpy(whole.gradient.detach()).astype(np.float64) * gain.reshape(laid)
    hats = (values - mean.reshape(laid)) / np.sqrt(variance + event.settings.get("eps", 1e-5)).reshape(laid)
    event.settings["handed_by_all"] = (tuple(came.mean(axis=others).tolist()),
                                       tuple((came * hats).mean(axis=others).tolist()))


def _same(scores: Tensor, answer: Tensor) -> bool:
    """Whether a loss was given an answer of the model, perhaps in another precision."""
    return scores is answer or (scores.shape == answer.shape
                                and torch.equal(scores.detach().to(answer.dtype), answer.detach()))


def _array(event: Event) -> Array:
    assert event.output is not None
    return event.output


def _kept(array: Array) -> Array:
    """A copy of its own, so that the rest of the batch can go."""
    copy = np.array(array, order="C")
    copy.flags.writeable = False
    return copy


# --- the model between the two runs ---------------------------------------------------------------------------------

def _chance() -> list[tuple[torch.Generator, Tensor]]:
    cards = torch.cuda.default_generators if torch.cuda.is_initialized() else ()
    return [(generator, generator.get_state()) for generator in (torch.default_generator, *cards)]


@contextmanager
def _unheard(model: nn.Module) -> Iterator[None]:
    """Without the caller's hooks behind modules: those that collect would collect the sample, too."""
    kept = [(module, dict(module._forward_hooks)) for module in model.modules() if module._forward_hooks]
    try:
        for module, _ in kept:
            module._forward_hooks.clear()
        yield
    finally:
        for module, hooks in kept:
            module._forward_hooks.update(hooks)


@contextmanager
def _uncached() -> Iterator[None]:
    """Without the weights that autocast keeps in another precision, together with their place in a graph."""
    was = torch.is_autocast_cache_enabled()
    torch.set_autocast_cache_enabled(False)
    try:
        yield
    finally:
        torch.set_autocast_cache_enabled(was)
