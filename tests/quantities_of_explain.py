"""Quantities of attribution, worked out from the maps of its study with numpy alone: the part of tests/quantities.py
about sums, likeness and agreement. The maps themselves are compared with torch and captum in test_explain."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.quantities import array, quantity, whole_array, words
from tests.quantities_of_steps import _label
from visualizer.trace import Trace

ORDER = ("gradient", "times_input", "integrated", "smooth", "grad_cam", "guided", "deeplift", "occlusion", "left_out")

quantity("sum of a map")(lambda trace, said: array(trace, said).sum())
quantity("what is above 0 of a map")(lambda trace, said: np.maximum(array(trace, said), 0).sum())
quantity("what is below 0 of a map")(lambda trace, said: np.minimum(array(trace, said), 0).sum())
quantity("how many are true")(lambda trace, said: np.count_nonzero(array(trace, said)))
quantity("how many in all")(lambda trace, said: array(trace, said).size)


@quantity("score less that of the baseline")
def less(trace: Trace, said: Any) -> float:
    study = trace.studies[said.array.split(" ", 2)[1]]
    return float(study["score"]) - float(study["blank"])


@quantity("gap of completeness")
def gap(trace: Trace, said: Any) -> float:
    return abs(float(array(trace, said).sum()) - less(trace, said))


@quantity("windows hidden")
def hidden(trace: Trace, said: Any) -> float:
    """Of 64 beats an equal share each."""
    return round(said.step / 64 * np.asarray(trace.studies[said.layer]["windows"]).size)


@words("class that is explained")
def class_that_is_explained(trace: Trace, said: Any) -> str:
    return _label(trace, said.cell[0])


@words("title of what excites")
def title_of_what_excites(trace: Trace, said: Any) -> str:
    return _written(trace, said)[said.cell[0]]


@words("symbol of what excites")
def symbol_of_what_excites(trace: Trace, said: Any) -> str:
    found = [each for each in _written(trace, said)[said.cell[0]].split("\1") if each]
    return {"\n": "↵", " ": "·"}.get(found[said.cell[1]], found[said.cell[1]])


def _written(trace: Trace, said: Any) -> list[str]:
    return bytes(whole_array(trace, said)).decode().split("\0")


@quantity("index of an update")
def index_of_an_update(trace: Trace, said: Any) -> float:
    assert 0 <= said.cell[0] < len(whole_array(trace, said))
    return said.cell[0]


@quantity("likeness everywhere")
def everywhere(trace: Trace, said: Any) -> float:
    one, other, _ = _pair(trace, said)
    return _spearman(np.abs(one).ravel(), np.abs(other).ravel())


@quantity("likeness in the ink")
def in_the_ink(trace: Trace, said: Any) -> float:
    one, other, ink = _pair(trace, said)
    return _spearman(one[ink], other[ink])


@quantity("agreement of maps")
def agreement(trace: Trace, said: Any) -> float:
    study = trace.studies[said.layer]
    known = [name for name in ORDER if f"maps/{name}" in study]
    one, other = (np.asarray(study[f"maps/{known[at]}"])[np.asarray(study["ink"])] for at in said.cell)
    return _spearman(one, other)


def _pair(trace: Trace, said: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    _, study, key = said.array.split(" ", 2)
    control = trace.studies[study][key.replace("maps/", "control/")]
    return whole_array(trace, said), np.asarray(control), np.asarray(trace.studies[study]["ink"])


def _spearman(one: np.ndarray, other: np.ndarray) -> float:
    """Those that are alike share the mean of their ranks."""
    ranks = [np.array([((row < value).sum() + (row <= value).sum() + 1) / 2 for value in row]) for row in (one, other)]
    one, other = (each - each.mean() for each in ranks)
    return float((one * other).sum() / np.sqrt((one * one).sum() * (other * other).sum()))
