"""watch: while a model is trained, one recording of the same sample every so many steps, in a folder that plays as a
film.

A step is one of an optimizer that holds weights of the model, so accumulated gradients, several passes a step and a
scaler that leaves a step out are counted as the optimizer counts them. Nothing else of the training is touched: each
recording is made behind a step, in evaluation, and afterwards the random numbers, gradients, buffers and flags are what
they were.
"""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook

from visualizer import registry
from visualizer.record.arguments import Arguments, arguments
from visualizer.record.tracing import capture, recordable
from visualizer.trace import SUFFIX, Refused, Trace

MOST = 60
"""Recordings in a folder: as many as the app plays one after the other."""
BUDGET = 1 << 30
"""Bytes of all recordings together, unless the caller allows more."""


class Watch:
    """A training that is watched, until `stop`, the end of the `with` block, or the end of the model."""

    def __init__(self, model: nn.Module, given: Arguments | None, every: int, folder: Path, most: int, budget: int,
                 options: dict[str, Any]) -> None:
        self.folder = folder
        self.every = every
        """Steps from one recording to the next; doubled whenever there are too many recordings."""
        self.steps = 0
        """Steps that were made since it is watched."""
        self._model = weakref.ref(model)
        self._given, self._options = given, options
        self._most, self._budget = most, budget
        self._written: dict[int, int] = {}
        """Step -> bytes of its recording, of those that are still there."""
        self._holds: weakref.WeakKeyDictionary[Optimizer, bool] = weakref.WeakKeyDictionary()
        """Whether an optimizer has weights of this model."""
        self._over = False
        self._hooks = ExitStack()
        self._hooks.callback(setattr, self, "_over", True)
        if given is None:
            reading = model.register_forward_pre_hook(self._reads, with_kwargs=True)
            self._hooks.callback(reading.remove)
        else:
            self._keep(model)
        self._hooks.callback(register_optimizer_step_post_hook(self._stepped).remove)
        weakref.finalize(model, self._hooks.close)

    def step(self) -> None:
        """Count a step, for a loop that changes the weights without an optimizer of torch."""
        self.steps += 1
        if self.steps % self.every == 0:
            self._try()

    def stop(self) -> None:
        """Record the last step, too, and watch no longer; warns where no step was ever seen."""
        if self._written and self.steps not in self._written:
            self._try()
        self._hooks.close()
        if not self.steps:
            warnings.warn("No optimizer made a step with weights of the model that was watched; call step() of what "
                          "watch returned after each step of your own.", stacklevel=2)

    def show(self) -> Any:
        """Open the app on the film so far, as `visualizer.show` does it."""
        return registry.module("app").show(self.folder)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self.stop()
        else:
            self._hooks.close()

    # --- what is heard of the training ---

    def _stepped(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        holds = self._holds.get(optimizer)
        if holds is None:
            model = self._model()
            own = set(map(id, () if model is None else model.parameters()))
            holds = self._holds[optimizer] = any(id(weight) in own for group in optimizer.param_groups
                                                 for weight in group["params"])
        if holds:
            self.step()

    def _reads(self, model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """The first sample that is read in training is the one that is recorded from then on."""
        if not model.training or self._given is not None:
            return
        try:
            self._given = Arguments(args, kwargs).one(0).turned(lambda name, tensor: tensor.detach().clone())
        except Refused as refused:
            self._end(refused)
            return
        self._try()

    # --- recording ---

    def _try(self) -> None:
        """Record; the training goes on where that cannot be done."""
        model = self._model()
        if self._over or model is None or self._given is None:
            return
        try:
            self._keep(model)
        except (Refused, OSError, RuntimeError) as error:
            self._end(error)

    def _end(self, error: Exception) -> None:
        self._hooks.close()
        warnings.warn(f"The training is watched no longer: {error}", stacklevel=2)

    def _keep(self, model: nn.Module) -> None:
        trace = self._recorded(model)
        data = trace.to_bytes(compress=False)  # a tenth smaller would take ten times as long
        self.folder.mkdir(parents=True, exist_ok=True)
        registry.write_whole(self._path(self.steps), data)
        self._written[self.steps] = len(data)
        while len(self._written) > 2 and (len(self._written) > self._most
                                          or sum(self._written.values()) > self._budget):
            self.every *= 2
            for step in [step for step in self._written if step % self.every]:
                self._path(step).unlink(missing_ok=True)
                del self._written[step]

    def _recorded(self, model: nn.Module) -> Trace:
        assert self._given is not None
        given, options = self._given, dict(self._options)
        facts = {**options.pop("facts", {}), "step": self.steps}
        with _in_use(model):
            return capture(model, given.positions, keywords=given.keywords, facts=facts, **options)

    def _path(self, step: int) -> Path:
        return self.folder / f"step-{step}{SUFFIX}"


def watch(model: nn.Module, x: Any = None, target: Any = None, *, every: int = 100, folder: str | Path = "run",
          most: int = MOST, budget: int = BUDGET, **options: Any) -> Watch:
    """Record `x` now and every `every` steps of training into `folder`, which the app plays as a film.

    `with visualizer.watch(model, x, target=4): …` around the loop; without `with` it goes on until `stop()`. `x`,
    `target` and all other options are those of `capture`; without an `x` it is the first sample of the first batch that
    the model reads in training. The model is recorded in evaluation. There are never more than `most` recordings, nor
    more than `budget` bytes of them: before that every second one is taken out, and `every` doubled. Raises Refused
    where the folder has recordings already, and what `capture` raises; a recording that fails later on ends the
    watching with a warning, and not the training.
    """
    folder = Path(folder)
    if every < 1 or most < 2:
        raise Refused("A training is watched every so many steps, 1 or more, and keeps 2 recordings or more; give such "
                      "numbers.")
    if folder.is_dir() and any(folder.glob(f"*{SUFFIX}")):
        raise Refused(f"There are recordings in {folder} already, and two trainings make no film; name another folder, "
                      "or empty it.")
    watched = recordable(model)
    given = None if x is None else arguments(watched, x, options.pop("keywords", None)).turned(
        lambda name, tensor: tensor.detach().clone())
    return Watch(watched, given, every, folder, most, budget, {"target": target, **options})


@contextmanager
def _in_use(model: nn.Module) -> Iterator[None]:
    """Every part in evaluation inside, and without autocast; afterwards each as it was."""
    learning = [module for module in model.modules() if module.training]
    kinds = {"cpu", *(tensor.device.type for tensor in model.parameters())}
    with ExitStack() as without:
        for kind in sorted(kinds):
            if torch.amp.is_autocast_available(kind):
                without.enter_context(torch.autocast(kind, enabled=False))
        try:
            for module in learning:
                module.training = False
            yield
        finally:
            for module in learning:
                module.training = True
