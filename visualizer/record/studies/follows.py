"""Which units follow a pattern over the inputs that ship: the correlation of each with it, and that of units with
random weights."""

from __future__ import annotations

import numpy as np
from torch import nn

from visualizer import answers, inputs
from visualizer.inputs import Given
from visualizer.kinds import units
from visualizer.kinds.units import DRAWN, FOLLOWS, Values
from visualizer.language import tr
from visualizer.record.catalog import Opened
from visualizer.record.run import given_of, reads_of, steps_of
from visualizer.record.studies import Pass, Study, Work
from visualizer.record.studies.excites import MOST_INPUTS, each_input, shipped
from visualizer.record.studies.explain import randomised
from visualizer.record.tracing import capture
from visualizer.trace import Array, Refused, Trace


def run(again: Pass) -> Work:
    """By layer `NAME` (unit,): Pearson's correlation of each unit with the pattern over all steps of all inputs, or
    with one number for each input; `control/NAME` with random weights. `pattern` (step,) that of this input, or
    (input,) where nothing is read step by step, and then `values/NAME` (unit, input) what it is the correlation of;
    `inputs` and `numbers`, over how many it is; `chosen` 1 where the chosen input is none of those that ship, and is
    counted among them. A drawn curve is compared with inputs of as many steps."""
    opened = shipped(again)
    usual = units.names(again.trace)[0]
    words = again.words or usual
    here = again.trace
    own = _pattern(here, here.sample.steps, here.sample.label, words)
    rows: dict[str, list[Values]] = {}
    wanted: list[Values] = []
    drawn = randomised(again.model)
    count = 0
    chosen = _chosen(again, opened)
    for share, given, x in (*chosen, *((share, given_of(opened, word), x) for share, word, x in each_input(opened))):
        yield share, tr("inputs")
        both = [_captured(again, opened, model, x) for model in (again.model, drawn)]
        symbols = given.sample.steps or steps_of(reads_of(opened), given.raw, both[0])
        try:
            wanted.append(np.atleast_1d(_pattern(both[0], symbols, given.sample.label, words)))
        except Refused:
            if words.startswith(DRAWN):
                continue
            raise
        count += 1
        for key, trace in zip(("", "control/"), both, strict=True):
            for name, values in _of_units(trace).items():
                rows.setdefault(key + name, []).append(values)
    if not count:
        raise Refused(tr("None of the inputs that ship with this network has as many steps as the curve that was "
                         "drawn."))
    asked = np.concatenate(wanted)
    found: dict[str, Array] = {name: units.correlation(np.concatenate(each, 1), asked) for name, each in rows.items()
                               if len(each) == count}
    if not units.steps_read(here):
        own = asked
        found |= {f"values/{name}": np.concatenate(each, 1).astype(np.float32) for name, each in rows.items()
                  if "/" not in name}
    return {**found, "pattern": own, "inputs": np.array(count), "numbers": np.array(np.isfinite(asked).sum()),
            "chosen": np.array(len(chosen))}


def _chosen(again: Pass, opened: Opened) -> tuple[tuple[float, Given, object], ...]:
    """The chosen input, where it is none of those that ship: a text that was typed, a file, a drawing."""
    said = reads_of(opened)
    if again.given is None or again.given.sample.name in inputs.samples(inputs.of(said).name, said).words[:MOST_INPUTS]:
        return ()
    return ((0.0, again.given, again.inputs),)


def _pattern(trace: Trace, symbols: tuple[str, ...], label: int | None, words: str) -> Values:
    if units.steps_read(trace):
        return units.pattern(words, units.of_steps(trace, symbols))
    known = {name: np.array([value]) for name, value in units.of_input(trace, label).items()}
    return units.pattern(words, known)


def _of_units(trace: Trace) -> dict[str, Values]:
    """(unit, step) of layers that go as many steps as are read, or (unit, 1) the mean over all of its places."""
    count = units.steps_read(trace)
    found = {}
    for layer in units.layers(trace):
        values = units.by_unit(layer).astype(np.float64)
        if not count:
            found[layer.name] = values.mean(1, keepdims=True)
        elif units.stepwise(layer) and values.shape[1] == count:
            found[layer.name] = values
    return found


def _captured(again: Pass, opened: Opened, model: nn.Module, x: object) -> Trace:
    return capture(model, x, objective="none", labels=opened.labels, answer=answers.told(again.trace))


def suits(trace: Trace) -> bool:
    """Whether it has units."""
    return "lab" not in trace.studies and bool(trace.fed) and bool(units.layers(trace))


STUDY = Study(FOLLOWS, "which units follow a pattern", suits, run)
