"""What one drawing of a step is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from visualizer.scene.cellnumbers import Backward, Forward, Pick, Values
from visualizer.scene.picture import Focus, Look
from visualizer.scene.reading import Reading
from visualizer.scene.sofar import SoFar
from visualizer.scene.stepbeat import When
from visualizer.scene.timeline import Moment
from visualizer.size import norm
from visualizer.trace import Layer, Trace, remembered
from visualizer.views.network._step.plan import Plan

APPEARS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "lstm": {"forget": ("gates",), "input": ("gates",), "candidate": ("gates",), "output_gate": ("gates",),
             "cell": ("keep", "add"), "hidden": ("show",)},
    "gru": {"reset": ("gates",), "update": ("gates",), "new": ("keep",), "hidden": ("add", "show")},
    "rnn": {"preactivation": ("gates", "keep"), "hidden": ("add", "show")},
}
"""During what of a step each column comes into being."""
RETURNS: Mapping[str, Mapping[str, str]] = {
    "lstm": {"hidden": "arrive", "output_gate": "output", "cell": "output", "cell_before": "memory",
             "forget": "gates", "input": "gates", "candidate": "gates", "hidden_before": "weights"},
    "gru": {"hidden": "arrive", "new": "output", "update": "output", "reset": "gates", "hidden_before": "weights"},
    "rnn": {"hidden": "arrive", "preactivation": "output", "hidden_before": "weights"},
}
"""The same of the gradients."""


@dataclass(frozen=True, eq=False)
class Scene:
    """One drawing."""

    trace: Trace
    moment: Moment
    shown: Reading
    forward: Forward
    back: Backward | None
    plan: Plan
    look: Look
    when: When
    unit: int
    chosen: bool
    """Whether a person has chosen it."""
    answers: SoFar | None
    known: range
    """The steps after which an answer can be known at all."""
    seen: range
    """The steps that are done."""

    @property
    def layer(self) -> Layer:
        return self.shown.layer

    @property
    def step(self) -> int:
        """The step that is drawn, from 0: before the first is there, the one that comes."""
        return self.when.step if self.when.step >= 0 else max(0, self.when.coming)

    @property
    def before(self) -> int:
        """The step that was read before it; may lie outside."""
        return self.step + 1 if self.shown.reverse else self.step - 1

    @property
    def going(self) -> float:
        """How much is still seen of a step that makes room for the next."""
        return 1.0 - min(1.0, 2 * self.when.slide)

    def done(self, name: str) -> float:
        return self.when.shares.get(name, 0.0) if self.when.step >= 0 else 0.0

    def share(self, key: str) -> float:
        """How far a column has come into being."""
        return self._shares.get(key, 1.0)

    @cached_property
    def _shares(self) -> Mapping[str, float]:
        return {key: sum(map(self.done, stages)) / len(stages)
                for key, stages in APPEARS[self.shown.family.name].items()}

    def returned(self, key: str) -> float:
        """How far the gradient of a column has come."""
        return self.done(RETURNS[self.shown.family.name][key])

    def row(self, key: str) -> Values:
        """(unit,): what stands in a column."""
        found: Values = self.forward.arrays[key][self.step]
        return found

    def owns(self, key: str) -> bool:
        """Whether one number of a column is the chosen unit's own: of a state that was projected none is, for each of
        its numbers is made of all units."""
        return not (self.shown.projected and key in ("hidden", "hidden_before"))

    def value(self, key: str) -> float:
        """The number of the chosen unit."""
        assert self.owns(key), key
        return float(self.row(key)[self.unit])

    def most(self, key: str) -> float:
        """The largest size that its colours reach: 1 where a tanh or σ made it."""
        state = key.removesuffix("_before")
        if state in ("candidate", "new") or (state == "hidden" and self.shown.squashed):
            return 1.0
        return largest(self.forward, state)

    def size(self, key: str) -> float:
        """Of the gradient in a column: the norm over all units, or of the chosen one its size."""
        row = self.gradient(key)
        return abs(float(row[self.unit])) if self.chosen and self.owns(key) else norm(row)

    def gradient(self, key: str) -> Values:
        """(unit,): the gradient that a column holds."""
        back = self.back
        assert back is not None
        if key == "cell_before":
            found: Values = back.arrays["kept"][self.step]
        elif key == "hidden_before":
            found = back.arrays["ways"][self.step]
        elif key == "preactivation":
            found = back.arrays["preactivation.leaves"][self.step]
        elif key in back.arrays:
            found = back.arrays[key][self.step]
        else:
            found = back.arrays[f"{key}.arrives"][self.step]
        return found

    def kept(self, key: str) -> float:
        """Which share of the gradient of a state goes on to the step before; NaN where none came."""
        pick = Pick(self.unit, not self.chosen)
        back = self.back
        assert back is not None
        return back.kept("kept" if key == "cell" else "ways", key, self.step, pick)

    def focus(self, key: str, unit: int | None = None) -> Focus:
        """Where a number, or the whole column, stands in the recording."""
        state = key.removesuffix("_before")
        step = self.step
        if key.endswith("_before") and 0 <= self.before < self.shown.steps:
            step = self.before
        cell = (step,) if unit is None else (step, unit)
        return Focus(self.layer.name, cell) if state == "hidden" else Focus(self.layer.name, cell, f"inner.{state}")


@remembered(64)
def largest(forward: Forward, key: str) -> float:
    """The largest size of a number at any step."""
    values = np.abs(forward.arrays[key])
    return float(np.max(values, where=np.isfinite(values), initial=0.0)) or 1.0
