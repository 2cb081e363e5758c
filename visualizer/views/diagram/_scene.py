"""What one drawing of the diagram is about: a step of a layer, which units, and how far the beat has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from visualizer.language import tr, translated
from visualizer.said import said
from visualizer.scene import numbers
from visualizer.scene.cellnumbers import Backward, Forward, Pick, Values
from visualizer.scene.picture import Focus, Look, Run
from visualizer.scene.reading import Reading, unit_said
from visualizer.scene.stepbeat import When
from visualizer.scene.steps import read
from visualizer.scene.timeline import Moment
from visualizer.size import norm
from visualizer.trace import Trace
from visualizer.views.diagram._plan import Plan


def seen_steps(trace: Trace, shown: Reading, moment: Moment) -> range:
    """The steps that have been read, up to the one that is being computed."""
    return read(trace, shown, moment).done


@dataclass(frozen=True, eq=False)
class Scene:
    """One drawing."""

    trace: Trace
    shown: Reading
    forward: Forward
    back: Backward | None
    plan: Plan
    look: Look
    when: When
    pick: Pick
    full: Mapping[str, float]
    """What a full bore stands for: of the line, and before the tanh of a GRU."""

    @property
    def step(self) -> int:
        return max(0, self.when.step)

    def done(self, name: str) -> float:
        """How far something that happens has come."""
        return self.when.shares.get(name, 0.0)

    def value(self, name: str) -> float:
        return self.forward.value(name, self.step, self.pick)

    def worded(self, words: str, name: str) -> str:
        """Such a number as it is read."""
        return said(words, "in the cell", self.shown.layer.name, self.chosen, self.step, name)

    def number(self, name: str) -> str:
        """`−0.38`."""
        return self.worded(numbers.number(self.value(name)), name)

    def percent(self, name: str) -> str:
        """`36 %`."""
        return self.worded(numbers.percent(self.value(name), 0), name)

    @property
    def chosen(self) -> tuple[int, ...]:
        """The unit as a cell of its gates; empty where it is all of them."""
        return () if self.pick.all else (self.pick.unit,)

    def tick(self, name: str) -> float:
        """What the thin line shows."""
        return self.forward.compared(name, self.step, self.pick)

    def size(self, name: str) -> float:
        """Of a gradient."""
        return 0.0 if self.back is None else self.back.size(name, self.step, self.pick)

    def size_said(self, name: str, digits: int = 3) -> str:
        """The same as it is read."""
        return self.sized(numbers.significant(self.size(name), digits), name)

    def sized(self, words: str, name: str) -> str:
        """A size of a gradient as it is read."""
        return said(words, "size of gradient in the cell", self.shown.layer.name, self.chosen, self.step, name)

    def thick(self, value: float, scale: str = "line") -> float:
        """Pixels of a flow."""
        return self.plan.bore * min(1.0, abs(value) / self.full[scale])

    def focus(self, key: str, before: bool = False) -> Focus:
        """Where a number stands; of all units the whole step."""
        step = self.step
        if before:
            earlier = step + 1 if self.shown.reverse else step - 1
            step = earlier if 0 <= earlier < self.shown.steps else step
        cell = (step,) if self.pick.all else (step, self.pick.unit)
        wide = self.shown.layer.inner[key].shape[1]
        if not self.pick.all and self.pick.unit >= wide:
            cell = (step,)
        return Focus(self.shown.layer.name, cell) if key == "hidden" else \
            Focus(self.shown.layer.name, cell, f"inner.{key}")

    def named(self, key: str) -> str:
        """What a gate or state is called."""
        return translated(self.shown.family.quantities[key].name)

    def forward_share(self, key: str) -> float:
        """How far a gate has opened: fast first. The candidate of a GRU waits for what its reset gate lets through."""
        if self.when.step < 0:
            return 0.0
        waits = bool(self.shown.family.quantities[key].under)
        share = max(0.0, (self.done("keep") - 0.5) / 0.5) if waits else self.done("gates")
        return 1 - (1 - share) ** 2

    def flows(self, place: str) -> bool:
        """Whether anything has come to a valve."""
        name, after = {"forget": ("keep", 0.4), "input": ("add", 0.3), "output_gate": ("show", 0.6),
                       "reset": ("keep", 0.25), "update": ("add", 0.4), "mix": ("keep", 0.99)}[place]
        return self.when.step >= 0 and self.done(name) >= after

    def known(self, key: str) -> bool:
        """Whether a state of this step has come."""
        return self.done("add" if key == "cell" or self.plan.family == "rnn" else "show") >= 1

    def row_known(self, key: str) -> bool:
        """Whether a gate or state of this step may stand in the strip."""
        part = self.shown.family.quantities[key]
        if key in ("hidden", "cell"):
            return self.known(key)
        return self.done("keep" if part.under else "gates") >= 1

    def back_known(self, key: str) -> bool:
        """The same on the way back."""
        return self.done({"hidden": "arrive", "cell": "output", "keeps": "memory"}.get(key, "weights")) >= 1

    def keeps(self, step: int) -> float:
        """Which share of a gradient the straight line keeps; NaN where none came."""
        assert self.back is not None
        of = "cell" if self.plan.family == "lstm" else "hidden"
        return self.back.kept("kept", of, step, self.pick)

    @property
    def keeper(self) -> str:
        """The gate that keeps a state, or what an RNN is made of."""
        family = self.shown.family
        return family.kept[0] or family.keys[0]

    def slope(self, step: int) -> float:
        """The slope of the curve that the gradient through that gate goes through: the mean of all units, or one's."""
        assert self.back is not None
        found = self.back.arrays[f"{self.keeper}.slope"][step]
        return float(found.mean() if self.pick.all else found[min(self.pick.unit, len(found) - 1)])

    @property
    def steepest(self) -> float:
        """The largest such slope that there can be."""
        curve = self.shown.family.quantities[self.keeper].curve or self.shown.family.quantities["hidden"].curve
        return 1.0 if curve is None else curve.steepest

    def passed_on(self, key: str) -> float:
        """What goes on to a state of the step before: of the memory what its gate kept, of the state what all ways
        bring together, as a vector."""
        assert self.back is not None
        if key == "cell":
            return self.size("kept")
        found = self.back.together(self.step, self.pick)
        if self.plan.family == "gru":
            kept = self.back.arrays["kept"][self.step]
            alone = np.zeros_like(kept)
            alone[self.pick.unit] = kept[self.pick.unit]
            found = found + (kept if self.pick.all else alone)
        return norm(found)

    def read_values(self) -> Values:
        """What the step reads, as numbers."""
        found: Values = self.forward.read[self.step]
        return found

    def answer_focus(self, index: int) -> Focus | None:
        """Where one answer stands in the recording, if it does at every step."""
        for layer in reversed(self.trace.layers):
            if layer.axes == ("step", "class") and self.step < layer.shape[0]:
                return Focus(layer.name, (self.step, index))
        return None

    @property
    def started(self) -> bool:
        """Whether the step that is drawn is the first, which starts from a state of its own."""
        return self.step == (self.shown.steps - 1 if self.shown.reverse else 0)


def indexed(symbol: str, step: int) -> tuple[Run, ...]:
    """`c₁₆`; steps count from 1, the state before the first has 0."""
    return Run(symbol, italic=True), Run(str(step), shift="sub")


def about(sc: Scene) -> str:
    """`unit 87`, or `all 128 units`."""
    return tr("all {count} units").format(count=units_said(sc)) if sc.pick.all else \
        tr("unit {unit}").format(unit=chosen_said(sc))


def units_said(sc: Scene) -> str:
    """How many units there are."""
    return said(numbers.count(sc.shown.width), "how many units", sc.shown.layer.name, array=_gate(sc))


def chosen_said(sc: Scene) -> str:
    """The number of the unit that is shown."""
    return unit_said(sc.shown, sc.pick.unit, _gate(sc))


def _gate(sc: Scene) -> str:
    """An array that has all units: the state has fewer where the layer projects it."""
    return f"inner.{sc.shown.family.keys[0]}"
