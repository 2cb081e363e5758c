"""Recordings of bundled networks that many tests look at: each made, and each study of it measured, once in a run.

What a test changes it records for itself.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from visualizer import record
from visualizer.record.studies import Pass
from visualizer.trace import Arrays, Trace


@cache
def passed(model: str, sample: str = "", objective: str = "loss") -> Pass:
    """A network that read a sample, and all that it takes to measure more of it."""
    return record.pass_of(model, sample, objective=objective)


@cache
def recorded(model: str, sample: str = "", studies: tuple[str, ...] = (), objective: str = "loss") -> Trace:
    """The recording, with these studies in it."""
    trace = passed(model, sample, objective).trace
    return replace(trace, studies={name: measured(model, sample, objective, name) for name in studies}) \
        if studies else trace


@cache
def measured(model: str, sample: str, objective: str, study: str) -> Arrays:
    return record.with_study(passed(model, sample, objective), study).studies[study]
