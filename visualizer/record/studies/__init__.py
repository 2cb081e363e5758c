"""Studies: what takes more than one pass to know. One file, one study; each is found by its `STUDY`.

A recording is one pass. How the answer changes when a letter is left out, or what the untrained network would have
done, takes further passes of the same model over the same input: a study makes them, a step at a time, and its arrays
are kept in `Trace.studies` under its name.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any, TypeAlias

from torch import Tensor, nn

from visualizer import registry
from visualizer.inputs import Given
from visualizer.language import tr
from visualizer.record.catalog import Opened
from visualizer.record.objectives import Target
from visualizer.record.tracing import BUDGET, asked_about, capture
from visualizer.trace import Arrays, Refused, Trace

Work: TypeAlias = Generator[tuple[float, str], None, Arrays]
"""Yields (share done, words) between its passes, so that it can be stopped there; returns the arrays."""


@dataclass(frozen=True, eq=False)
class Pass:
    """A recorded pass, and all that it takes to make it again."""

    trace: Trace
    model: nn.Module
    """In evaluation mode; a study leaves it as it was."""
    inputs: Any
    """What the model is called with, as `capture` takes it."""
    target: Target = None
    asks: Mapping[str, Any] | None = None
    """Which loss the model asks for, as `capture` takes it."""
    objective: str | Callable[[Any], Tensor] = "loss"
    """What is differentiated, as `capture` takes it."""
    opened: Opened | None = None
    given: Given | None = None
    """Where model and input came from; None for those of a caller's own."""
    others: tuple[str, ...] = ()
    """Inputs beside which it is seen, as recipes name them; none for the bundled ones."""
    edits: tuple[str, ...] = ()
    """What was done to the input, and is done to every other one that is compared with it."""
    keywords: Mapping[str, Any] | None = None
    output: str | None = None
    """Which of several outputs is asked about."""
    answer: Mapping[str, Any] | None = None
    """What kind of answer it is, as `capture` takes it; None where the recording tells."""
    budget: int = BUDGET
    """Bytes that a further recording may hold."""
    samples: tuple[Any, ...] = ()
    """Other inputs of a caller's own, each as `capture` takes it."""
    words: str = ""
    """What a study is asked for, in words of its own; nothing for the usual."""


@dataclass(frozen=True)
class Study:
    """One thing that can be measured about a pass."""

    name: str
    """That of its file."""
    title: str
    """What it measures, for progress and for refusals."""
    suits: Callable[[Trace], bool]
    """Whether it can be measured for this recording."""
    run: Callable[[Pass], Work]


def find(name: str) -> Study:
    """The study of that name, with or without words behind a colon; raises LookupError with one sentence."""
    name = name.partition(":")[0]
    if name not in known():
        raise LookupError(tr("There is no study {name!r}; choose one of {known}."
                             ).format(name=name, known=", ".join(known())))
    return known()[name]


def known() -> dict[str, Study]:
    """Every study by its name."""
    return {module.STUDY.name: module.STUDY for module in registry.modules("record.studies")}


def measure(name: str, again: Pass) -> Work:
    """The arrays of a study of a pass; none where it does not suit. `style:rocket,coffee,1,1,0` asks for one in words
    of its own."""
    study = find(name)
    if not study.suits(again.trace):
        return {}
    return (yield from study.run(replace(again, words=name.partition(":")[2])))


def study(trace: Trace, model: nn.Module, x: Any, *names: str, samples: Iterable[Any] = (), **given: Any) -> Trace:
    """The Trace that `capture(model, x, …)` made, with these studies in it: `study(trace, model, x, "flow")`.

    All that `capture` was given by name is given again: `target`, `objective`, `answer`, …; `samples` are further
    inputs over which `saturation` counts. Raises LookupError for a study that there is not, Refused for one that has
    nothing to measure here, TypeError for a name that `capture` does not know.
    """
    asked = signature(capture).bind(model, x, **given)
    asked.apply_defaults()
    for name in names:
        if not find(name).suits(trace):
            fitting = ", ".join(each for each in known() if find(each).suits(trace)) or "none"
            raise Refused(tr("The study {name!r} finds nothing to measure in this recording; of all studies these do: "
                             "{fitting}.").format(name=name, fitting=fitting))
    wanted = asked.arguments
    objective, answer, output = asked_about(wanted["objective"], wanted["answer"], wanted["output"])
    again = Pass(trace, model, x, wanted["target"], wanted["asks"], objective, keywords=wanted["keywords"],
                 output=output, answer=answer, budget=wanted["budget"], samples=tuple(samples))
    return with_study(again, *names)


def with_study(again: Pass, *names: str) -> Trace:
    """The Trace of a pass with these studies in it, measured to the end."""
    trace = again.trace
    for name in names:
        work = measure(name, again)
        while True:
            try:
                next(work)
            except StopIteration as end:
                trace = replace(trace, studies={**trace.studies, name: end.value})
                break
    return trace
