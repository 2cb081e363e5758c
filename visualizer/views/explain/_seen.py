"""What was measured of an answer, and what of it is looked at."""


from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer import answers
from visualizer.kinds import attribution
from visualizer.kinds.attribution import METHODS, STUDY, Ends, Wish
from visualizer.language import english, tr
from visualizer.said import found, said
from visualizer.scene import numbers
from visualizer.scene.picture import (
    Focus,
    Look,
)
from visualizer.scene.reading import visible
from visualizer.scene.timeline import Moment
from visualizer.trace import Arrays, Trace

TOP, LEFT, GAP = 74.0, 24.0, 24.0
WALK, BEATS = "walk", 64
"""The beats of the path from the baseline to the input, and of the window that walks over it."""
NAMES = {"gradient": english("Gradient"), "times_input": english("Gradient × input"),
         "integrated": english("Integrated"), "smooth": english("SmoothGrad"), "grad_cam": english("Grad-CAM"),
         "guided": english("Guided"), "deeplift": english("DeepLIFT"), "occlusion": english("Occlusion"),
         "left_out": english("Left out")}
SHORT = {"gradient": english("g"), "times_input": english("g×x"), "integrated": english("int"), "smooth": english("SG"),
         "grad_cam": english("CAM"), "guided": english("gui"), "deeplift": english("DL"), "occlusion": english("occ"),
         "left_out": english("out")}
"""What stands over a column of the agreement."""
ANSWERS = {
    "gradient": english("If I change this place a little?"),
    "times_input": english("How much does this place give, if all were a straight line?"),
    "integrated": english("What made it this answer and not that of the baseline?"),
    "smooth": english("If I change this place a little, whatever the noise?"),
    "grad_cam": english("Where, roughly?"),
    "guided": english("Which lines does it see? It shows them whatever the answer is: with other weights behind them "
                      "it changes little."),
    "deeplift": english("How does this answer differ from that of the baseline?"),
    "occlusion": english("What if this window were gone?"),
    "left_out": english("What if this place were gone?")}
FIRST = ("integrated", "gradient", "grad_cam", "times_input", "occlusion", "left_out", "smooth", "deeplift", "guided")
"""Those that get a column, as far as there is room."""
RANDOM = "random"
MARKED = 2
"""Which of the numbers of erased places the sentence is about."""
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Seen:
    """What was measured, and what of it is looked at."""

    trace: Trace
    ends: Ends
    name: str
    """Of the study."""
    arrays: Arrays
    wish: Wish
    method: str
    shown: tuple[str, ...]
    """The methods that have a column."""
    now: int
    """How many beats of the walk lie behind."""
    place: tuple[int, ...] | None
    """The one that is marked."""
    inserts: bool
    pair: tuple[str, str] | None
    """Two methods whose ranks are compared place by place."""

    def map(self, method: str, control: bool = False) -> Values:
        """A map as it is at this beat: the one that is walked through is filled up to there."""
        key = f"{'control' if control else 'maps'}/{method}"
        values = np.asarray(self.arrays[key], np.float64)
        if control or method != self.method or self.now >= BEATS:
            return values
        if method == "integrated":
            return np.asarray(self.arrays["path"][self.frame], np.float64)
        return values

    @property
    def methods(self) -> tuple[str, ...]:
        return tuple(method for method in METHODS if f"maps/{method}" in self.arrays)

    @property
    def frame(self) -> int:
        """Which of the maps of the path."""
        return round(self.now / BEATS * (len(self.arrays["path_at"]) - 1))

    @property
    def windows(self) -> int:
        """How many windows have been hidden."""
        return round(self.now / BEATS * np.asarray(self.arrays["windows"]).size)

    @property
    def ink(self) -> NDArray[np.bool_]:
        return np.asarray(self.arrays["ink"])

    @property
    def counts(self) -> list[int]:
        return [int(count) for count in self.arrays["counts"]]

    @property
    def label(self) -> str:
        """What is explained: a class, or the answer."""
        return self.named("class") if self.ends.chooses else tr("the answer")

    def named(self, key: str) -> str:
        """What the class of a number that was measured is called."""
        return self.value(class_name(self.trace, int(self.arrays[key])), key, quantity="label chosen")

    def value(self, words: str, key: str, *cell: int, quantity: str = "value") -> str:
        return said(words, *found(quantity, self.name, key, *cell))

    def chance(self, value: float, key: str, *cell: int) -> str:
        """A probability, or the number that is answered."""
        return self.value(numbers.percent(value) if self.ends.chooses else numbers.number(value), key, *cell)

    def likeness(self, method: str) -> tuple[float | None, float | None]:
        """With the map of random weights: of sizes everywhere, and with signs inside the ink."""
        one, other = self.arrays[f"maps/{method}"], self.arrays.get(f"control/{method}")
        if other is None:
            return None, None
        return attribution.likeness_everywhere(one, other), attribution.likeness(one, other, self.ink)


def class_name(trace: Trace, number: int) -> str:
    """What a class is called."""
    of = next(each for each in trace.answers if each.chooses or each.kind in attribution.NUMBERED)
    return visible(answers.label(of, number))


def wish_of(look: Look) -> Wish:
    """What the knobs ask for."""
    usual, word = Wish(), look.knob("class", "")
    return Wish(int(word) if word.isdecimal() else -1, look.knob("contrast", "off") == "on",
                look.knob("scored", usual.score), look.knob("baseline", usual.baseline),
                int(look.knob("path", str(usual.path))), int(look.knob("hidden", str(usual.window))))


def seen_at(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Seen | None:
    ends, wish = attribution.ends(trace), wish_of(look)
    words = wish.words
    name = f"{STUDY}:{words}" if words else STUDY
    if ends is None or name not in trace.studies:
        return None
    arrays = trace.studies[name]
    known = [method for method in METHODS if f"maps/{method}" in arrays]
    method = look.knob("method", "integrated")
    method = method if method in known else "integrated"
    long = len(ends.places) == 2 and ends.places[1] > 2 * ends.places[0]
    room = 3 if look.size[0] < 860 or not look.mode.charts or long else 5
    first = [each for each in FIRST if each in known and each != method][:room - 1]
    shown = tuple(each for each in METHODS if each == method or each in first)
    number = moment.beat.number if moment.beat.doing == WALK else BEATS
    inside = focus is not None and focus.layer == ends.read.name and len(focus.cell) >= len(ends.places)
    place = None
    if inside and focus is not None:
        place = focus.cell[-2:] if len(ends.places) == 2 else focus.cell[:1]
    one, _, other = look.knob("pair", "").partition(",")
    pair = (one, other) if {one, other} <= set(known) and one != other else None
    return Seen(trace, ends, name, arrays, wish, method, shown, min(BEATS, number), place,
                look.knob("curve", "erase") == "insert", pair)
