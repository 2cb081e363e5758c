"""No input: what is opened to be looked at alone, as weights without wiring are."""

from __future__ import annotations

import numpy as np

from visualizer.inputs import Facts, Given, InputKind
from visualizer.language import english
from visualizer.trace import Sample


def given(word: str, title: str, facts: Facts) -> Given:
    """Nothing, whatever was asked for."""
    return Given(Sample("nothing", english("no input")), np.zeros(1, np.float32))


INPUT = InputKind("nothing", english("nothing"), english("an input"), given=given, whole=True, sign="–", view="filters",
                  order=9)
