"""How the weights came about: the longer training of a network that comes with the app, as arrays; of one that comes
without, but can be trained in a short time, what stands there before the first update.

What is answered to the chosen input is computed anew with the weights of each checkpoint, unless it is the input to
which the training itself watched the answer.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from visualizer import registry
from visualizer.language import english
from visualizer.record.studies import Pass, Study, Work
from visualizer.trace import OF_RUN
from visualizer.train import Checkpoint, Numbers, Run, in_force, kept, seen


def run(again: Pass) -> Work:
    """What `train.seen.arrays` tells."""
    run_of = registry.module("record.training.weights").run_of
    found = run_of(again.trace.model, again.trace.facts.get(OF_RUN)) or _begun(again.trace.model)
    x = again.inputs[0] if isinstance(again.inputs, tuple) else again.inputs
    if found.sample == again.trace.sample.name or not isinstance(x, Tensor):
        yield 0.5, "answers"
        arrays = seen.arrays(found)
    else:
        answers = []
        for number, answer in enumerate(_answers(found, x)):
            yield number / len(found.checkpoints) / 2, "answers"
            answers.append(answer)
        steps = np.array([each.step for each in found.checkpoints], float)
        arrays = seen.arrays(found, steps, np.stack(answers))
    gated = next((layer for layer in again.trace if any(key in layer.inner for key in seen.GATES)), None)
    if gated is None or not isinstance(x, Tensor):
        return arrays
    names, means = [key for key in gated.inner if key in seen.GATES], []
    for number, each in enumerate(found.checkpoints):
        yield 0.5 + number / len(found.checkpoints) / 2, "gates"
        means.append(_means(found, each, x, gated.name, names))
    return arrays | {"gates": np.array(means), "gates_named": np.frombuffer("\n".join(names).encode(), np.uint8)}


def _means(found: Run, checkpoint: Checkpoint, x: Tensor, layer: str, names: list[str]) -> list[float]:
    """How far each gate of a layer is open with the weights of a checkpoint, over all steps and units."""
    from visualizer.record.tracing import capture

    opened = registry.module("record.training.weights").opened_at(found, checkpoint)
    trace = capture(opened.module, x, objective="none", name=found.model)
    return [float(np.mean(trace[layer].inner[name], dtype=float)) for name in names]


def _begun(model: str) -> Run:
    from visualizer.record.training import begin

    return begin(model)[0]


def _answers(found: Run, x: Tensor) -> Iterator[Numbers]:
    """A probability for each class, or the number, with the weights of each checkpoint."""
    from visualizer.record.training import first_rows
    from visualizer.record.training.network import drawn

    net = drawn(found.model, in_force(found.course, 0), first_rows(found.model, found.data)).eval()
    for each in found.checkpoints:
        net.load_state_dict({name: torch.tensor(array) for name, array in each.weights.items()})
        with torch.no_grad():
            last = net(x)[0]
        last = last[-1] if last.ndim == 2 else last
        yield (last.softmax(-1) if found.labels else last).numpy().astype(float)


STUDY = Study(seen.STUDY, english("the training"), kept.suits, run)
