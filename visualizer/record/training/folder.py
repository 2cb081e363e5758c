"""A run on the disk: a folder that plays as a film, as one that `visualizer.watch` wrote, and from which it can go on.

At every checkpoint the recording of the chosen input is written, `step-165.trace`, and then the run as far as it is,
`training.run`. Each file is whole or not there, so a run that is cut off is kept up to its last checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch

from visualizer import registry
from visualizer.language import tr
from visualizer.record.training import Kept, Learner, News, advance, at_the_end, begin, kept, recorded, resumed
from visualizer.trace import SUFFIX, Refused
from visualizer.train import Checkpoint, Course, Run
from visualizer.train import kept as files


def started(folder: Path, model: str, course: Course, *, sample: str = "", data: str = "") -> tuple[Run, Learner]:
    """A run that is written into a folder, with its checkpoint 0; Refused if something lies in the folder already."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(tr("Something lies in {folder} already, and two trainings make no film; name another folder, or "
                         "go on with --resume.").format(folder=folder))
    run, learner = begin(model, course, sample=sample, data=data)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise registry.NotWritten(folder, error) from error
    _write(folder, run, learner, run.checkpoints)
    return run, learner


def taken_up(folder: Path) -> tuple[Run, Learner]:
    """The run of a folder, as far as it was kept; Refused where there is none, or it can go no further."""
    run, arrays = files.read(folder / files.NAME)
    if run.stopped:
        raise Refused(tr("The training in {folder} ended at update {count}, where a number was none; begin another one "
                         "with a smaller learning rate.").format(folder=folder, count=run.step))
    last = run.checkpoints[-1]
    weights = {name: torch.tensor(array) for name, array in last.weights.items()}
    moments = {name: torch.tensor(array) for name, array in arrays.items()}
    run = run.until(last.step)
    return run, resumed(run, Kept(last.step, weights, moments))


def written(folder: Path, run: Run, learner: Learner, upto: int) -> Iterator[Run]:
    """Train until there are `upto` updates, and write every checkpoint; yields the run after every update.

    Raises NotWritten where the disk is full: what was written before stays as it is.
    """
    for news in advance(run, learner, upto):
        if learner.step == upto and not news.checkpoints:
            news = News(news.updates, (at_the_end(learner),), news.named)
        run = run.grown(*news)
        if news.checkpoints or run.stopped:
            _write(folder, run, learner, news.checkpoints)
        yield run


def _write(folder: Path, run: Run, learner: Learner, checkpoints: tuple[Checkpoint, ...]) -> None:
    for each in checkpoints:
        registry.write_whole(folder / f"step-{each.step}{SUFFIX}", recorded(run, each).to_bytes(compress=False))
    state: Mapping[str, torch.Tensor] = kept(learner).moments
    arrays = {name: tensor.numpy() for name, tensor in state.items()}
    registry.write_whole(folder / files.NAME, files.to_bytes(run, arrays))
