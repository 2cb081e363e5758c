"""What the view shows: a picture, the point it was made of, the layers between, and what was measured around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from visualizer import latent
from visualizer.scene import colour
from visualizer.scene.picture import Focus, Look
from visualizer.scene.timeline import Moment
from visualizer.trace import Answer, Arrays, Cell, Layer, Trace, remembered

Values = NDArray[np.float64]
STUDIES = "points", "latent"
"""What is the same whatever is fed in, and what hangs on the point."""
STEP, BESIDE = 0.1, 0.5
"""The step whose change is predicted, and how far the pictures beside lie, as the study takes them."""
MOVES = 0.01
"""A pixel that changes by more has moved."""
NEAREST = 30
"""So many samples around the point are counted."""
SAME = 1e-4
"""A sample that is so near is the one that was read."""
ACROSS, UP = "across", "up"
"""Knobs: the axes of the plane, from 1."""
RESHAPED = ("reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "view")
"""Kinds that leave numbers in their order."""


@dataclass(frozen=True, eq=False)
class Made:
    """A picture made of a point."""

    answer: Answer
    z: Layer
    stages: tuple[tuple[Layer, ...], ...]
    """The layers from the point to the picture, those of as many numbers that follow each other together."""
    picture: Layer
    studies: Mapping[str, Arrays]
    region: tuple[Layer, Layer] | None
    """Middle and logarithm of the variance of the region in which the point lies."""

    @property
    def study(self) -> Arrays:
        """All that was measured."""
        return {key: array for name in STUDIES for key, array in self.studies.get(name, {}).items()}

    def held(self, key: str) -> str:
        """Where an array stands that was measured, as numbers in words name it."""
        return f"studies {next((name for name in STUDIES if key in self.studies.get(name, {})), STUDIES[0])} {key}"

    @property
    def given(self) -> bool:
        """Whether the point itself is what was fed in."""
        return self.z.is_input

    @property
    def point(self) -> Values:
        return np.asarray(self.z.output, np.float64)

    @property
    def span(self) -> tuple[float, float]:
        """What is white and what is black: 0 and 1 for shares, else what the picture itself has."""
        low, high = colour.reach(self.picture.output)
        return (0.0, 1.0) if 0 <= low and high <= 1 else (low, high)

    def axes(self, look: Look) -> tuple[int, int]:
        """The axes of the plane: the first two unless others have been chosen."""
        count = len(self.point)
        asked = [look.knob(name, "") for name in (ACROSS, UP)]
        across, up = (int(word) - 1 if word.isdecimal() and 0 < int(word) <= count else usual
                      for word, usual in zip(asked, (0, min(1, count - 1)), strict=True))
        return (across, up) if across != up else (across, (across + 1) % count)

    def plane(self, axes: tuple[int, int]) -> NDArray[np.float32] | None:
        """(row, column, …picture): pictures of points of the plane of two axes, the first to the right, the second up;
        None where nobody made them."""
        across, up = axes
        found = self.study.get(f"plane:{across},{up}")
        if found is None and (found := self.study.get(f"plane:{up},{across}")) is not None:
            found = found.swapaxes(0, 1)[::-1, ::-1]
        return found


@remembered(8)
def made_of(trace: Trace) -> Made | None:
    """What a recording shows of this; None where it makes no picture of a point."""
    answer = latent.answer_of(trace)
    layers = () if answer is None else latent.grown(trace, answer)
    if answer is None or len(layers) < 2:
        return None
    stages: list[list[Layer]] = [[layers[0]]]
    for layer in layers[1:]:
        if layer.output.size == stages[-1][-1].output.size and len(stages) > 1:
            stages[-1].append(layer)
        else:
            stages.append([layer])
    return Made(answer, layers[0], tuple(map(tuple, stages)), trace[answer.layer], trace.studies,
                latent.region(trace, answer))


# --- what follows from it -------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Aim:
    """One pixel, and the number of the point that is moved."""

    cell: Cell
    axis: int


@remembered(16)
def aim_of(made: Made, focus: Focus | None) -> Aim | None:
    """The pixel that is looked at, and the number of the point that changes it most; where none has been chosen, the
    two that change most. None where nothing was measured."""
    moved = made.study.get("moved")
    if moved is None:
        return None
    change: Values = np.abs(np.asarray(moved, np.float64) - made.picture.output)
    shape = made.picture.shape
    ends = {layer.name for layer in made.stages[-1] if layer.shape == shape}
    if focus is not None and focus.layer in ends and focus.array == "output" and len(focus.cell) == len(shape):
        return Aim(focus.cell, int(np.argmax([each[focus.cell] for each in change])))
    axis, *cell = (int(index) for index in np.unravel_index(int(np.argmax(change)), change.shape))
    return Aim(tuple(cell), axis)


@dataclass(frozen=True, eq=False)
class Around:
    """What lies around a point among the samples."""

    labels: tuple[tuple[int, int], ...]
    """(label, how many) of the nearest, most first."""
    nearest: float
    """How far away the nearest is."""
    usual: float
    """How far away the nearest other one is from that sample which is the most alone."""

    @property
    def far(self) -> bool:
        """Whether no sample lies so near as the most lonely sample has one."""
        return self.nearest > self.usual


@remembered(8)
def apart(made: Made) -> Values:
    """How far each sample is from the point; infinitely that which is the point itself."""
    found = np.sqrt(((np.asarray(made.study["places"], np.float64) - made.point) ** 2).sum(1))
    return np.where(found < SAME, np.inf, found)


def nearest(made: Made) -> NDArray[np.int64]:
    """The samples around the point, the nearest first."""
    return np.argsort(apart(made), kind="stable")[:NEAREST]


@remembered(8)
def around(made: Made) -> Around | None:
    """None where no samples were encoded."""
    places = made.study.get("places")
    if places is None or len(places) < 3:
        return None
    near = nearest(made)
    labels, counts = np.unique(np.asarray(made.study["labels"])[near], return_counts=True)
    order = sorted(zip(labels.tolist(), counts.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))
    return Around(tuple((int(label), int(count)) for label, count in order if label >= 0), float(apart(made).min()),
                  loneliest(made))


def loneliest(made: Made) -> float:
    """How far away the nearest other sample is from the one that is the most alone."""
    places = np.asarray(made.study["places"], np.float64)
    return _loneliest(places.tobytes(), places.shape[1])


@lru_cache(4)
def _loneliest(numbers: bytes, axes: int) -> float:
    """The same of many points, which are those of the network whatever is drawn."""
    places = np.frombuffer(numbers).reshape(-1, axes)
    between = np.sqrt(((places[:, None] - places[None]) ** 2).sum(2))
    np.fill_diagonal(between, np.inf)
    return float(between.min(1).max())


@remembered(8)
def words_of_samples(made: Made) -> tuple[str, ...]:
    """The names of the samples."""
    found = made.study.get("words")
    return () if found is None else tuple(bytes(np.asarray(found, np.uint8)).decode().split("\0"))


def computed(trace: Trace, moment: Moment, layer: Layer) -> float:
    """How much of a layer is there at a moment of the way forward, 0 … 1; on the way back all of it."""
    if moment.backward:
        return 1.0
    here, place = trace.places[moment.beat.layer], trace.places[layer.name]
    return 1.0 if place < here or layer.is_input else moment.phase if place == here else 0.0


def came(trace: Trace, moment: Moment, layer: Layer) -> float:
    """How much of the gradient of a layer has come at a moment, 0 … 1; none on the way forward."""
    if not moment.backward or layer.gradient is None:
        return 0.0
    here, place = trace.places[moment.beat.layer], trace.places[layer.name]
    return 1.0 if place > here else moment.phase if place == here else 0.0
