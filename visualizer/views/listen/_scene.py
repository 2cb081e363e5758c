"""What a picture of a sound is drawn from: the recording, how far it has come, and where everything stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from visualizer.said import said
from visualizer.scene import numbers, steps
from visualizer.scene.boxes import Box, rows, whole
from visualizer.scene.columns import lanes_height
from visualizer.scene.picture import Focus, Look
from visualizer.scene.projector import begins
from visualizer.scene.reading import Reading, Values, directions, guesses, layers, reading, shown_layer
from visualizer.scene.sofar import so_far
from visualizer.scene.sound import Clock, Sound, Spectrogram, Stage, sound_of, spectrogram_of, stages
from visualizer.scene.timeline import Moment, ease, in_beat
from visualizer.trace import Trace, remembered

TOP, GAP = 60.0, 10.0
LEFT, RIGHT = steps.LEFT, 92.0
MOST_STAGES, MOST_CLASSES = 3, 12
MAPS = 2
"""Of a stage so many maps are shown, those that change most."""
MOST_OVER = 1.45
"""So much more than its share a row may take so that its cells are whole pixels."""
SPELLED = 44.0
"""Height of what is spelled, under the frames."""


@dataclass(frozen=True)
class Axis:
    """Samples from left to right."""

    x: float
    per: float
    """Pixels a sample."""
    count: int
    pixel: float

    def at(self, sample: float) -> float:
        """Where the middle of a sample stands."""
        return self.x + (sample + 0.5) * self.per

    @property
    def end(self) -> float:
        return self.x + self.count * self.per

    def span(self, clock: Clock) -> steps.Span:
        """Where the frames of a layer stand."""
        wide = clock.hop * self.per
        return steps.Span(self.at(clock.first) - wide / 2, wide, clock.count, self.pixel)


@dataclass(frozen=True, eq=False)
class Answers:
    """What is answered after each frame."""

    layer: str
    """Where the answers stand; empty where the network gives one at the end only, and these are worked out."""
    values: Values
    """(step, class)"""
    classes: tuple[int, ...]
    """Those that are shown, in their order."""
    blank: int | None
    clock: Clock


@dataclass(frozen=True, eq=False)
class Scene:
    """All of it."""

    trace: Trace
    moment: Moment
    focus: Focus | None
    look: Look
    sound: Sound
    seen: Spectrogram
    axis: Axis
    shown: Reading | None
    """The recurrent layer that is looked at, if there is one."""
    ways: tuple[Reading, ...]
    """The same in both directions, where it is read in both."""
    answers: Answers | None
    boxes: dict[str, Box]
    """`sound`, `spectrogram`, the last layers of the stages, `states`, `answers`, `spelled`."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        return tuple(stage for stage in stages(self.trace) if stage.last in self.boxes)

    def begun(self, name: str) -> float:
        """How much of a layer has been computed, 0 … 1."""
        if self.moment.backward:
            return 1.0
        at, here = self.trace.places[name], self.trace.places[self.moment.beat.layer]
        return 1.0 if at < here else 0.0 if at > here else ease(self.moment.phase)

    def came(self, name: str) -> float:
        """How much of its gradient has come, 0 … 1."""
        if not self.moment.backward or self.trace[name].gradient is None:
            return 0.0
        at, here = self.trace.places[name], self.trace.places[self.moment.beat.layer]
        return 1.0 if at > here else 0.0 if at < here else ease(self.moment.phase)

    @property
    def step(self) -> int:
        """The step that has been read last, from 0; −1 before any."""
        if self.shown is None:
            return -1
        reach = steps.read(self.trace, self.shown, self.moment)
        if not len(reach.done) and reach.now < 0:
            return -1
        return steps.current(self.trace, self.shown, self.moment)

    @property
    def clock(self) -> Clock | None:
        """That of the steps."""
        return None if self.shown is None else self.sound.clocks[self.shown.layer.name]

    @property
    def now(self) -> float | None:
        """The sample at which the cursor stands; None where there is none."""
        if self.clock is not None and self.shown is not None:
            there = self.step >= 0 and (not self.moment.backward or in_beat(self.shown.layer, self.moment))
            return self.clock.middle(self.step) if there else None
        if self.focus is not None and self.focus.layer in self.sound.clocks:
            clock = self.sound.clocks[self.focus.layer]
            if len(self.focus.cell) == len(self.trace[self.focus.layer].shape):
                return clock.middle(self.focus.cell[clock.axis])
        return None

    @property
    def known(self) -> tuple[int, ...]:
        """The steps of which the answer is known: all directions have read them."""
        found = self.answers
        if found is None:
            return ()
        if self.shown is None:
            return tuple(range(len(found.values))) if self.begun(found.layer) > 0 else ()
        done = [set(steps.read(self.trace, one, self.moment).done) for one in self.ways]
        return tuple(sorted(set.intersection(*done)))


def scene(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Scene:
    """What is drawn at a moment."""
    sound, seen = sound_of(trace), spectrogram_of(trace)
    assert sound is not None
    shown, ways = _shown(trace, moment, focus, sound)
    answers = _answers(trace, sound, shown)
    axis = _axis(sound, seen, look)
    boxes = _boxes(trace, sound, shown, answers, look)
    return Scene(trace, moment, focus, look, sound, seen, axis, shown, ways, answers, boxes)


def _shown(trace: Trace, moment: Moment, focus: Focus | None, sound: Sound) \
        -> tuple[Reading | None, tuple[Reading, ...]]:
    if not any(layer.name in sound.clocks for layer in layers(trace)):
        return None, ()
    layer = shown_layer(trace, moment, None if focus is None else focus.layer)
    if layer.name not in sound.clocks:
        layer = next(each for each in reversed(layers(trace)) if each.name in sound.clocks)
    return reading(trace, layer.name), tuple(reading(trace, name) for name in directions(trace, layer.name))


def _answers(trace: Trace, sound: Sound, shown: Reading | None) -> Answers | None:
    name = next((answer.layer for answer in trace.answers if answer.layer in sound.clocks
                 and trace[answer.layer].axes == ("step", "class")), "")
    blank = next((int(answer.settings["blank"]) for answer in trace.answers if "blank" in answer.settings), None)
    if name:
        values = guesses(trace)
        clock = sound.clocks[name]
    else:
        found = None if shown is None else so_far(trace, shown)
        if shown is None or found is None or not found.shares:
            return None
        values, clock = found.values, sound.clocks[shown.layer.name]
    if values is None or len(values) != clock.count:
        return None
    order = np.argsort(-np.nan_to_num(values).max(axis=0), kind="stable")[:MOST_CLASSES]
    return Answers(name, values, tuple(sorted(int(index) for index in order)), blank, clock)


def _axis(sound: Sound, seen: Spectrogram, look: Look) -> Axis:
    """The whole sound side by side; whole pixels a frame of its spectrogram where there is one for each."""
    left, right = look.mode.sides(LEFT, RIGHT, 104)
    per = (look.size[0] - left - right) / len(sound.wave)
    frame = per * seen.clock.hop
    if (even := whole(frame, look.pixel)) >= look.pixel:
        per = even / seen.clock.hop
    return Axis(left, per, len(sound.wave), look.pixel)


@remembered(16)
def _boxes(trace: Trace, sound: Sound, shown: Reading | None, answers: Answers | None, look: Look) -> dict[str, Box]:
    """Rows one below the other, each as high as its share; in a room the wave, the spectrogram and the answers."""
    shares: dict[str, float] = {"sound": 0.9, "spectrogram": 2.2}
    if look.mode.charts:
        made = stages(trace)
        few = made if len(made) <= MOST_STAGES else (made[0], *made[-MOST_STAGES + 1:])
        shares |= {stage.last: 1.2 for stage in few}
    if shown is not None:
        shares["states"] = 1.8
    if answers is not None:
        shares["answers"] = 2.0
    box = Box(0, begins(look, TOP), look.size[0], look.size[1] - lanes_height(look) - 6)
    if answers is not None and answers.blank is not None:
        box, below = Box(box.left, box.top, box.right, box.bottom - SPELLED), box.bottom - SPELLED + 4
    room = box.height - GAP * (len(shares) - 1)
    fixed: dict[str, float] = {}
    for name, count in (("states", 0 if shown is None else shown.units * len(directions(trace, shown.layer.name))),
                        ("answers", 0 if answers is None else len(answers.classes))):
        high = shares.get(name, 0.0) * room / sum(shares.values())
        cell = round(high / count / look.pixel) * look.pixel if count else 0.0
        if cell >= look.pixel and count * cell <= MOST_OVER * high:  # whole pixels a unit
            fixed[name] = count * cell
    each = (room - sum(fixed.values())) / sum(share for name, share in shares.items() if name not in fixed)
    sizes = [fixed.get(name, each * share) for name, share in shares.items()]
    found = dict(zip(shares, rows(box, sizes, GAP), strict=True))
    if answers is not None and answers.blank is not None:
        found["spelled"] = Box(box.left, below, box.right, below + SPELLED)
    return found


# --- what several parts say -------------------------------------------------------------------------------------------

def second(sc: Scene, layer: str, frame: int, digits: int = 2) -> str:
    """When a frame of a layer is, in seconds, or at which sample where nobody says how many make one."""
    sample = sc.sound.clocks[layer].middle(frame)
    words = numbers.number(sc.sound.seconds(sample), digits) if sc.sound.rate else numbers.count(round(sample) + 1)
    return said(words, "second of a frame", layer, step=frame)


def unit(sc: Scene) -> str:
    """`s`, or nothing where the rate is not known."""
    return " s" if sc.sound.rate else ""


def liveliest(trace: Trace, name: str) -> tuple[int, ...]:
    """The maps of a layer that change most over time, in their order."""
    sizes = np.nan_to_num(np.asarray(trace[name].output, np.float64)).std(axis=2).max(axis=1)
    return tuple(sorted(int(index) for index in np.argsort(-sizes, kind="stable")[:MAPS]))


@remembered(8)
def of_frames(trace: Trace) -> tuple[str, Clock, Values] | None:
    """(layer, clock, how large) the gradient of each frame of the spectrogram, or of stretches of the wave where no
    layer has one; None where none came back."""
    sound, seen = sound_of(trace), spectrogram_of(trace)
    assert sound is not None
    layer = trace[seen.layer or sound.layer]
    if layer.gradient is None:
        return None
    back = np.nan_to_num(np.asarray(layer.gradient, np.float64))
    if seen.layer:
        moved = np.moveaxis(back, seen.clock.axis, -1).reshape(-1, seen.clock.count)
        return layer.name, seen.clock, np.sqrt((moved ** 2).sum(axis=0))
    hop = max(1, round(seen.clock.hop))
    count = -(-back.size // hop)
    cut = np.pad(back.ravel(), (0, count * hop - back.size)).reshape(count, hop)
    return layer.name, Clock(0, count, (hop - 1) / 2, hop), np.sqrt((cut ** 2).sum(axis=1))


