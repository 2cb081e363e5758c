"""lab: a number of the gradient laboratory, at any setting of its knobs."""

from __future__ import annotations

import re

import numpy as np

from visualizer import lab
from visualizer.claims import Number
from visualizer.record import gradients
from visualizer.record.measures import Data, Measure

FIT = ("half_life", "factor", "fit", "since", "until")
"""What stands in the fit of a curve, in this order."""
NAME = re.compile(r"(?P<name>[a-z_.]+?)(?:\[(?P<at>\d+(?:,\d+)?)\])?")


def _run(data: Data, what: str, *knobs: str) -> Number:
    """`rnn.half_life`, `rnn.mean[20]` steps back, `hidden.factor`, `weight.mean[19]`, `steepest[0]`: an array of the
    study by its name, and which number of it; the mean over its seeds where it has one each."""
    study = gradients.measure(lab.from_knobs(_pair(each) for each in knobs))
    found = NAME.fullmatch(what)
    name, at = (found["name"], found["at"]) if found else ("", None)
    curve, _, of = name.rpartition(".")
    if of in FIT and f"{curve}.fit" in study:
        return Number(float(study[f"{curve}.fit"][FIT.index(of)]))
    if name not in study:
        raise ValueError(f"the laboratory measures no {what}; it measures {', '.join(study)}")
    values = np.asarray(study[name], np.float64)
    if at is not None:
        values = values[tuple(map(int, at.split(",")))]
    elif values.ndim == 1 and of in ("weight_norm", "at_loss"):
        values = np.exp(np.log(values).mean())
    if values.ndim:
        raise ValueError(f"{what} is not one number; say which, such as {name}[0]")
    return Number(float(values))


def _pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals:
        raise ValueError(f"{word} turns no knob; write gain=0.9")
    return name, value


MEASURE = Measure("lab", "lab NAME [KNOB=VALUE …]", "a number of the gradient laboratory at a setting of its knobs",
                  _run)
