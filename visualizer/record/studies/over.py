"""What a network makes of many inputs: the output and the gates of every layer, for each of them."""

from __future__ import annotations

import numpy as np

from visualizer import answers, inputs
from visualizer.language import tr
from visualizer.over import BESIDE, MOST_NUMBERS, SEPARATOR
from visualizer.record.run import edited, given_of, prepared, reads_of
from visualizer.record.studies import Pass, Study, Work
from visualizer.record.tracing import capture
from visualizer.trace import Array, Refused, Trace


def suits(trace: Trace) -> bool:
    """Whether it reads anything that others could stand beside."""
    return "lab" not in trace.studies and bool(trace.fed)


def run(again: Pass) -> Work:
    """`words`, `titles` and `answers` of the inputs, as UTF-8 with a sign between them; `labels`, −1 where none is
    known; and by layer `conv2:output`, `lstm:inner.forget`, of each input: what is shorter is filled up with NaN.

    Inputs that do not fit are left out, and so are those after the first millions of numbers.
    """
    if again.opened is None or again.opened.prepare is None:
        raise Refused(tr("Only a model that says how its input is made can be run over other inputs; record it from "
                         "its file."))
    opened, said = again.opened, reads_of(again.opened)
    batch = (again.others or inputs.samples(inputs.of(said).name, said).words)[:BESIDE]
    words: list[str] = []
    titles: list[str] = []
    answered: list[str] = []
    labels: list[int] = []
    values: dict[str, list[Array]] = {}
    numbers = 0
    for number, word in enumerate(batch):
        yield number / len(batch), f"input {number + 1} of {len(batch)}"
        try:
            given = edited(given_of(opened, word), again.edits, opened)
            x = prepared(opened, given.raw)
        except (Refused, LookupError):
            continue
        trace = capture(again.model, x, objective="none", labels=opened.labels, answer=answers.told(again.trace))
        found = {f"{layer.name}:{key}": array for layer in trace
                 for key, array in (("output", layer.output),
                                    *((f"inner.{name}", inner) for name, inner in layer.inner.items()))}
        numbers += sum(array.size for array in found.values())
        if words and numbers > MOST_NUMBERS:
            break
        for key, array in found.items():
            values.setdefault(key, []).append(np.asarray(array, np.float32))
        words.append(word)
        titles.append(given.sample.title or given.sample.name)
        answered.append(answers.short(trace))
        labels.append(-1 if given.sample.label is None else given.sample.label)
    return {"words": written(words), "titles": written(titles), "answers": written(answered),
            "labels": np.array(labels, np.int64),
            **{key: stacked(arrays) for key, arrays in values.items() if len(arrays) == len(words)}}


def written(words: list[str]) -> Array:
    """Words as numbers, since a study holds nothing else."""
    return np.frombuffer(SEPARATOR.join(word.replace(SEPARATOR, " ") for word in words).encode(), np.uint8)


def stacked(arrays: list[Array]) -> Array:
    """All of them in one, each as large as the largest, filled up with NaN."""
    shape = tuple(max(sizes) for sizes in zip(*(array.shape for array in arrays), strict=True))
    stacked = np.full((len(arrays), *shape), np.nan, np.float32)
    for number, array in enumerate(arrays):
        stacked[(number, *(slice(size) for size in array.shape))] = array
    return stacked


STUDY = Study("over", "what it makes of other inputs", suits, run)
