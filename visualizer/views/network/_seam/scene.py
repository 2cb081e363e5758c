"""How far a seam has come at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from visualizer import answers, kinds
from visualizer.motions import CAMERA, March, march, march_seconds
from visualizer.scene import steps as reach
from visualizer.scene.picture import Focus, Look
from visualizer.scene.reading import Reading, reading
from visualizer.scene.timeline import Moment
from visualizer.trace import Layer, Trace
from visualizer.views.network._seam.plan import Plan, Seam, seam_of

SHORT = CAMERA + 1.2
"""Seconds of a beat in which only the names of axes change, or two states are laid side by side."""


def seconds(trace: Trace, moment: Moment) -> float:
    """How long a beat of a seam takes that is no step."""
    seam = seam_of(trace)
    assert seam is not None
    return march_seconds(seam.count) if _marches(seam, moment) else SHORT


def _marches(seam: Seam, moment: Moment) -> bool:
    """Whether something goes from step to step in a beat."""
    name = moment.beat.layer
    return name == (seam.maps if moment.backward else seam.chain[0]) or name in seam.after[-1:] or (
        name in seam.after and not moment.backward)


@dataclass(frozen=True, eq=False)
class Scene:
    """One drawing."""

    trace: Trace
    seam: Seam
    plan: Plan
    moment: Moment
    focus: Focus | None
    look: Look

    @property
    def backward(self) -> bool:
        return self.moment.backward

    @property
    def second(self) -> float:
        return self.moment.phase * seconds(self.trace, self.moment)

    @cached_property
    def march(self) -> March:
        """The steps that are done in a beat that goes over them."""
        return march(self.seam.count, self.second) if _marches(self.seam, self.moment) and self.moment.phase < 1 else \
            March(self.seam.count if self.moment.phase >= 1 else 0)

    @cached_property
    def begun(self) -> frozenset[str]:
        """The layers whose beat is over, in the direction of the beat."""
        names = [layer.name for layer in self.trace.layers]
        here = names.index(self.moment.beat.layer)
        return frozenset(names[here + 1:] if self.backward else names[:here])

    def readings(self, lane: str) -> Reading:
        return reading(self.trace, lane)

    def lane(self, name: str) -> tuple[range, int, float]:
        """(steps of a lane that are done, the one that is under way or −1, how far that one is)."""
        shown = self.readings(name)
        found = reach.arrived(self.trace, shown, self.moment) if self.backward else \
            reach.read(self.trace, shown, self.moment)
        return found.done, found.now, found.share

    @property
    def lifting(self) -> bool:
        """Whether columns are on their way."""
        return self.moment.beat.layer == (self.seam.maps if self.backward else self.seam.chain[0]) or (
            self.backward and self.moment.beat.layer in self.seam.chain)

    @property
    def answering(self) -> bool:
        """Whether answers are just coming."""
        return not self.backward and self.moment.beat.layer in self.seam.after[-1:]

    @cached_property
    def lifted(self) -> range:
        """The columns that have become steps; on the way back those that have been laid down again."""
        name, count = self.moment.beat.layer, self.seam.count
        if self.backward:
            if name != self.seam.maps:
                return range(0)
            return range(count - self.march.done, count)
        if name == self.seam.chain[0]:
            return range(self.march.done)
        return range(count)

    @cached_property
    def answered(self) -> range:
        """The steps whose answer is there."""
        if not self.seam.after:
            return range(0)
        last = self.seam.after[-1]
        if self.backward or last in self.begun:
            return range(self.seam.count)
        return range(self.march.done) if self.moment.beat.layer == last else range(0)

    @cached_property
    def step(self) -> int:
        """The step that is looked at, from 0; −1 where it is none."""
        beat = self.moment.beat
        if beat.step is not None:
            return beat.step - 1
        if self.focus is not None and self.moment.phase == 1 and self.focus.cell and \
                self.focus.layer in (*self.seam.lanes, *self.seam.after, self.seam.steps_layer) and \
                self.focus.cell[0] < self.seam.count:
            return int(self.focus.cell[0])
        if not _marches(self.seam, self.moment) or self.moment.phase >= 1:
            return -1
        done = self.march.done if self.march.slow else self.march.done - 1
        if not 0 <= done < self.seam.count or self.second < CAMERA:
            return -1
        return self.seam.count - 1 - done if self.backward else done

    @property
    def maps(self) -> Layer:
        return self.trace[self.seam.maps]

    @cached_property
    def sees(self) -> tuple[int, int] | None:
        """The columns of the picture that the looked-at step's column sees, clipped to it."""
        if self.step < 0:
            return None
        first = self.trace.layers[0]
        box = kinds.receptive_field(self.trace, self.seam.maps, (0, 0, self.step)).get(first.name)
        if box is None:
            return None
        low, high = box[-1]
        return max(0, low), min(first.shape[-1] - 1, high)

    @cached_property
    def path(self) -> tuple[int, ...]:
        """The likeliest answer of every step."""
        found = next((self.trace[name] for name in reversed(self.seam.after)
                      if answers.at(self.trace, name) is not None), None)
        return () if found is None else tuple(int(index) for index in np.argmax(found.output, axis=-1))

    def gradient_known(self, name: str) -> bool:
        """Whether a layer has its gradient by now."""
        return self.backward and (name in self.begun or (name == self.moment.beat.layer and self.moment.phase >= 1))
