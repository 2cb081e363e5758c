"""What an answer of boxes proposes, what the thresholds leave of it, and how far that has come at a moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer import answers, kinds
from visualizer.answers import boxes
from visualizer.answers.boxes import Found, Round
from visualizer.language import english
from visualizer.scene.picture import Look
from visualizer.scene.timeline import Beat, Moment, ease
from visualizer.trace import Answer, Cell, Layer, Trace, remembered

DECODE, THRESHOLD, SUPPRESS = "decode", "threshold", "nms"
"""What is done with the answer: boxes from numbers, only the sure ones, and of those that overlap only the surest."""
SCORE, OVERLAP, MODEL = "score", "overlap", "model"
LEVELS = tuple(f"{level / 20:.2f}" for level in range(1, 20))
MOST_STEPS = 24
"""So many steps of suppression have a beat of their own; the last of them does all that are left."""
GATHERS, DROPS = 0.4, 0.65
"""Phases of such a step: the kept box shows, then how much it overlaps the others, then what goes."""


@dataclass(frozen=True, eq=False)
class Detection:
    """An answer of boxes at two thresholds."""

    answer: Answer
    held: Layer
    """The layer whose numbers the boxes are made of."""
    every: tuple[Found, ...]
    likely: tuple[Found, ...]
    """Those above the threshold, the surest first."""
    rounds: tuple[Round, ...]
    least: float
    most: float

    @property
    def values(self) -> NDArray[np.float64]:
        return self.held.output

    @property
    def grid(self) -> tuple[int, int] | None:
        """Rows and columns of its cells; None where each box is a row of its own."""
        return (self.values.shape[1], self.values.shape[2]) if self.values.ndim == 3 else None

    @property
    def beats(self) -> int:
        """Of suppression."""
        return min(len(self.rounds), MOST_STEPS)

    @property
    def asked(self) -> str:
        """Both thresholds, as a claim tells them."""
        return f"{self.least!r} {self.most!r}"

    def of_beat(self, number: int) -> tuple[Round, ...]:
        """The steps that a beat of suppression does, counted from 1: one, or all that are left."""
        return self.rounds[number - 1:] if number == self.beats else self.rounds[number - 1:number]

    def kept(self, beats: int) -> tuple[Found, ...]:
        """What is kept after so many beats, as it was found."""
        return tuple(self.likely[step.kept] for number in range(1, beats + 1) for step in self.of_beat(number))

    def left(self, beats: int) -> int:
        """How many boxes there are after so many beats: kept, or waiting."""
        return len(self.likely) - sum(len(step.dropped) for number in range(1, beats + 1)
                                      for step in self.of_beat(number))

    def cell(self, place: tuple[int, ...], label: int | None = None) -> Cell:
        """Where the score of a box stands in the answer, or what is given to one of its labels."""
        return boxes.cell_of(self.answer, self.values, place, label)

    def place(self, cell: Cell) -> tuple[int, ...]:
        """The box that a number of the answer belongs to."""
        return cell[:1] if self.grid is None else cell[1:]

    def number(self, place: tuple[int, ...]) -> int:
        """Its number among all, in the order in which they stand."""
        return place[0] if self.grid is None else place[0] * self.grid[1] + place[1]


@dataclass(frozen=True)
class Now:
    """How far all of it has come."""

    decoded: float
    """How far the boxes have grown out of their cells, 0 … 1."""
    passed: float
    """How far those below the threshold are gone, 0 … 1."""
    beat: int
    """Which beat of suppression there is, or was last; 0 for none."""
    share: float
    """How far it has come; 1 once it is over."""
    over: bool
    """Whether all of it is done: what follows compares it with the truth, or sends something back."""

    @property
    def current(self) -> bool:
        """Whether the beat of suppression is the one that is looked at."""
        return self.beat > 0 and not self.over


def answer_of(trace: Trace) -> Answer | None:
    """The boxes that a model answers with over a picture; None where it gives none."""
    for answer in trace.answers:
        values = trace[answer.layer].output
        if answer.kind == boxes.ANSWER.name and answers.picture_of(trace) is not None and values.dtype.kind == "f" \
                and boxes.fits(answer, values):
            return answer
    return None


def detection(trace: Trace, look: Look) -> Detection:
    """The boxes of a recording at the thresholds of a look, or at those of the model."""
    answer = answer_of(trace)
    assert answer is not None
    words = look.knob(SCORE, MODEL), look.knob(OVERLAP, MODEL)
    usual = boxes.threshold(answer), boxes.most_overlap(answer)
    least, most = (own if word == MODEL else float(word) for word, own in zip(words, usual, strict=True))
    return _detection(trace, least, most)


@remembered(48)
def _detection(trace: Trace, least: float, most: float) -> Detection:
    answer = answer_of(trace)
    assert answer is not None
    every = _every(trace)
    likely = boxes.likely(every, least)
    return Detection(answer, trace[answer.layer], every, likely, boxes.suppressed(likely, most), least, most)


@remembered(1)
def _every(trace: Trace) -> tuple[Found, ...]:
    answer = answer_of(trace)
    assert answer is not None
    return boxes.proposed(answer, trace[answer.layer].output)


def after(trace: Trace, look: Look) -> tuple[Beat, ...]:
    """Boxes from numbers, the threshold, and each step of suppression."""
    found = detection(trace, look)
    name = found.held.name
    return (Beat(name, doing=DECODE, words=english("each cell's numbers become a box")),
            Beat(name, doing=THRESHOLD, words=english("only boxes with a high score stay")),
            *(Beat(name, doing=SUPPRESS, number=number,
                   words=english("keep the surest, drop what overlaps it")) for number in range(1, found.beats + 1)))


def now(trace: Trace, found: Detection, moment: Moment) -> Now:
    """How far all of it has come at a moment."""
    beat = moment.beat
    if beat.doing == DECODE:
        return Now(ease(moment.phase), 0.0, 0, 1.0, False)
    if beat.doing == THRESHOLD:
        return Now(1.0, ease(moment.phase), 0, 1.0, False)
    if beat.doing == SUPPRESS:
        number = min(max(beat.number, 1), found.beats)
        return Now(1.0, 1.0, number, moment.phase, False)
    if moment.backward or trace.places[beat.layer] > trace.places[found.held.name]:
        return Now(1.0, 1.0, found.beats, 1.0, True)
    return Now(0.0, 0.0, 0, 1.0, False)


def come(trace: Trace, moment: Moment, layer: str) -> float:
    """How much of what a layer computes is there, 0 … 1."""
    if trace[layer].is_input:
        return 1.0
    if moment.backward or moment.beat.doing:
        return 1.0 if moment.backward or trace.places[layer] <= trace.places[moment.beat.layer] else 0.0
    apart = trace.places[layer] - trace.places[moment.beat.layer]
    return moment.phase if apart == 0 else float(apart < 0)


def returned(trace: Trace, moment: Moment, layer: str) -> float:
    """How much of its gradient has come back to a layer, 0 … 1."""
    if not moment.backward or trace[layer].gradient is None:
        return 0.0
    apart = trace.places[layer] - trace.places[moment.beat.layer]
    return moment.phase if apart == 0 else float(apart > 0)


# --- what is told of a box --------------------------------------------------------------------------------------------

KEEPS, KEPT, DROPS_NOW, DROPPED, WAITS = "keeps", "kept", "drops", "dropped", "waits"


def told(found: Detection, seen: Now) -> tuple[tuple[str, int], ...]:
    """Of each likely box what has become of it, and in which beat: `keeps` and `drops` in the one that is looked at."""
    state: list[tuple[str, int]] = [(WAITS, 0)] * len(found.likely)
    for number in range(1, seen.beat + 1):
        current = number == seen.beat and seen.current
        for step in found.of_beat(number):
            state[step.kept] = (KEEPS if current else KEPT, number)
            for each in step.dropped:
                if not current or seen.share >= DROPS:
                    state[each] = (DROPS_NOW if current else DROPPED, number)
    return tuple(state)


@remembered(16)
def truths(found: Detection, beats: int) -> dict[tuple[int, ...], float]:
    """By the place of each kept box how much it overlaps the right one that it is nearest to; nothing where the right
    ones are not known."""
    right = found.answer.truth
    if right is None or right.ndim != 2 or right.shape[1] < 4:
        return {}
    rows = [(float(row[0]), float(row[1]), float(row[2]), float(row[3])) for row in right]
    return {each.place: max((boxes.overlap(each.box, row) for row in rows), default=0.0) for each in found.kept(beats)}


@dataclass(frozen=True)
class Verdict:
    """What is kept, against the right boxes."""

    mean: float
    """Of the right ones, how much each is overlapped by the box found for it."""
    right: int
    missing: int
    wrong: int


@remembered(16)
def verdict(found: Detection) -> Verdict | None:
    """How good what is kept at these thresholds is; None where the right boxes are not known."""
    kept = found.kept(found.beats)
    matched = boxes.matched(found.answer, kept)
    if not matched:
        return None
    hit = sum(number is not None and share >= boxes.HALF for number, share in matched)
    return Verdict(sum(share for _, share in matched) / len(matched), hit, len(matched) - hit, len(kept) - hit)


@dataclass(frozen=True)
class Aim:
    """One number of a box that was sent back."""

    place: tuple[int, ...]
    what: str
    """`score`, `left`, `width`, `class`."""
    label: int | None
    """Of a number that is given to a label that label."""


@remembered(1)
def sent_back(trace: Trace) -> Aim | None:
    """What was sent back, if that was a number of a box: at the thresholds of the model, as a wish counts them."""
    answer = answer_of(trace)
    assert answer is not None
    values = trace[answer.layer].output
    wish = boxes.WISH.fullmatch(trace.objective.kind)
    if wish is not None:
        kept = boxes.found(answer, values)
        each = kept[int(wish[1])] if int(wish[1]) < len(kept) else None
        return None if each is None else Aim(each.place, wish[2], each.label if wish[2] == "class" else None)
    number = trace.objective.target
    if kinds.role(trace.layers[-1]) != "picked" or number is None or not 0 <= number < values.size:
        return None
    cell = tuple(int(index) for index in np.unravel_index(number, values.shape))
    at, place = (cell[0], cell[1:]) if values.ndim == 3 else (cell[1], cell[:1])
    columns = boxes.columns_of(answer)
    return Aim(place, "class", at - len(columns)) if at >= len(columns) else Aim(place, columns[at], None)
