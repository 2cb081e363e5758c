"""weights: the network as a training had it after so many updates, opened like any other.

The training is the one in a file, the one of a course, or the longer one that comes with a network. Whatever is
measured of an opened model is measured of it at that update, on any input.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from visualizer import registry
from visualizer.language import counted_as, numeral, tr
from visualizer.record.catalog import Opened, open_model
from visualizer.record.training import begin, first_rows, put, taught
from visualizer.record.training.network import drawn
from visualizer.trace import OF_RUN, Refused
from visualizer.train import Checkpoint, Run, course_of, course_said, in_force, kept

OF_THE_TRAINED = ("quality", "recipe", "trained")
"""What a network's card says of other weights than these."""


def after(model: str, step: int, course: str = "", data: str = "") -> Opened:
    """A bundled network, or the one of a file of a training, after so many updates; Refused with one sentence where
    that is not kept, and cannot be made again."""
    run, found = _kept(model, step, course, data)
    return opened_at(run, found, model if Path(model).suffix == kept.SUFFIX else "", course)


def opened_at(run: Run, checkpoint: Checkpoint, file: str = "", course: str = "") -> Opened:
    """The network of a run with the weights of a checkpoint; `file` and `course` say where the run is found again."""
    opened, knobs = open_model(run.model), in_force(run.course, 0)
    net = drawn(run.model, knobs, first_rows(run.model, run.data))
    try:
        put(net, checkpoint.weights)
    except (KeyError, RuntimeError) as error:
        raise Refused(tr("The weights after {count} updates are not whole; choose another checkpoint.").format(
            count=numeral(f"{checkpoint.step:,}"))) from error
    words = counted_as(checkpoint.step, tr("after {count} update"), tr("after {count} updates"))
    words = words.format(count=numeral(f"{checkpoint.step:,}"))
    card = {name: word for name, word in opened.card.items() if name not in OF_THE_TRAINED}
    said = {"step": checkpoint.step, "file": file, "course": course, "data": run.data}
    return replace(opened, module=net.eval(), title=f"{opened.title}, {words}", card={**card, OF_RUN: said})


def run_of(model: str, said: Mapping[str, Any] | None) -> Run | None:
    """The run that a recording's fact tells of, or that comes with a bundled network; None where there is none."""
    if said is None:
        return kept.stored(model)
    if said.get("file"):
        return kept.of_file(str(said["file"]))
    if not said.get("course"):
        return kept.stored(model)
    from visualizer.record.training import going

    course, data = course_said(str(said["course"])), str(said.get("data", ""))
    return going.longest(model, course, data) or begin(model, course, data=data)[0]


def _kept(model: str, step: int, course: str, data: str) -> tuple[Run, Checkpoint]:
    """The run, and its checkpoint after exactly so many updates."""
    from visualizer.record.training import going

    if Path(model).suffix == kept.SUFFIX:
        return going.in_run(kept.of_file(model), step)
    if model not in registry.models():
        raise Refused(tr("Only a network that comes with the app, or the folder of a training, has weights after so "
                         "many updates; take that away."))
    longer = kept.stored(model)
    if not course and longer is not None:
        return going.in_run(longer, step)
    words = going.Words(model, course_said(course) if course else course_of({}, taught(model)[0]), "", data)
    return going.checkpoint_of(words, step)
