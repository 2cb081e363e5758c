"""What comes out, one file a kind: classes, tokens, string, boxes, mask, segments, picture, numbers, number. No Qt.

A file says how an answer of its kind is said in a sentence, drawn, scored against the truth, and which scalars of it
can be sent back as the objective. The recorder names the answers of a Trace by what the model handed back, never by a
layer inside it: a model's card (`answer`) or whoever calls `capture` says which kind it is, else `suits` tells.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from visualizer import registry
from visualizer.language import tr, translated
from visualizer.trace import Answer, Layer, Refused, Trace

if TYPE_CHECKING:
    from visualizer.scene.columns import Column
    from visualizer.scene.picture import Look, Mark

Values = NDArray[Any]
Axes = tuple[str, ...]
Cell = tuple[int, ...]
Where = tuple[float, float, float, float]
"""x, y, width, height."""
Score = tuple[tuple[str, float | int], ...]
"""(what it is called, how much, or how many): the first says most."""
LOGIT = re.compile(r"logit:(\d{1,9})(?:@(\d{1,9}))?")
SAID = re.compile(r"said:(\d{1,9})(?:,(\d{1,9}))?")
"""A wish for the log probability of a symbol that is said: `said:3` of the likeliest of step 3, `said:3,7` of symbol 7.
"""


@dataclass(frozen=True)
class Scalar:
    """One number made of an answer: `offset` + Σ factor × number; without cells the sum of all numbers."""

    words: str
    """What is asked for: `logit:4`, `box:2.width`, `sum`."""
    cells: tuple[tuple[Cell, float], ...] = ()
    offset: float = 0.0
    factors: Values | None = None
    """Of many numbers in place of cells: the factor of each number of the answer, of its shape."""


@dataclass(frozen=True, eq=False)
class Right:
    """What the numbers of an answer should have been, and how the one is compared with the other; both parts add up."""

    numbers: Values | None = None
    """Of the shape of the answer, compared by squares, added up; those of which nothing is wanted are as they are."""
    chances: Values | None = None
    """0 or 1 for each chance that is given, compared by binary cross entropy."""
    slice: tuple[int, int] | None = None
    """(axis, index): where in the answer these chances stand; None where they are all of it."""
    logits: bool = False
    """Whether they still go through a sigmoid."""
    mean: bool = True
    """Whether the binary cross entropy is averaged, else added up."""


@dataclass(frozen=True, eq=False)
class Bars:
    """How far the bars of an answer have come while they grow."""

    lengths: Values
    """For each number of the answer: of its own track 0 … 1; on the way back what it gets so far."""
    words: tuple[str, ...]
    """What is written beside each, if anything."""
    backward: bool = False


def never(axes: Axes, shape: tuple[int, ...], operation: str, labels: int) -> bool:
    """For a kind that nothing shows from outside: it is one only where a model or a caller says so."""
    return False


def _no_scalar(answer: Answer, values: Values, words: str) -> Scalar | None:
    return None


def _nothing(answer: Answer, values: Values) -> tuple[str, ...]:
    return ()


def _no_score(trace: Trace, answer: Answer) -> Score:
    return ()


def _no_heading(trace: Trace, answer: Answer, backward: bool) -> tuple[str, ...]:
    return ()


def _no_start(trace: Trace, answer: Answer) -> str:
    return ""


def _no_cost(trace: Trace, answer: Answer, loss: Layer) -> tuple[str, str]:
    return "", ""


def _no_target(given: Any, read: Callable[[Any], Values], wanted: Callable[[Any], float] | None) -> Any:
    return given.truth


@dataclass(frozen=True, eq=False)
class AnswerKind:
    """One kind of answer."""

    name: str
    title: str
    """What it is, in words: `boxes around what was found`."""
    suits: Callable[[Axes, tuple[int, ...], str, int], bool]
    """(axes, shape, kind of operation, labels): whether what a model hands back is of this kind, when nobody says."""
    sentence: Callable[[Trace, Answer], str]
    """With the markup of `picture.rich`."""
    draw: Callable[[Trace, Answer, Where, Look], list[Mark]] | None = None
    """The answer within a place; None where the column of its layer says it all."""
    proportion: Callable[[Trace, Answer], float] = lambda trace, answer: 1.0
    """Height of the drawing for a width of 1."""
    score: Callable[[Trace, Answer], Score] = _no_score
    """How good it is, measured against the truth; nothing where the truth is not known."""
    scalar: Callable[[Answer, Values, str], Scalar | None] = _no_scalar
    """What a wish means for these values of the answer; None for a wish of no form that is known. Raises Refused."""
    wishes: Callable[[Answer, Values], tuple[str, ...]] = _nothing
    """Wishes that lead somewhere, the first the one that is taken where nobody wishes."""
    called: Callable[[Trace, Answer, str], str] = lambda trace, answer, wish: ""
    """A wish as a menu says it; empty where it is said as it is written."""
    pointed: Callable[[Answer, Cell], str] = lambda answer, cell: ""
    """The wish for a number of the answer that somebody has chosen; empty for none."""
    loss: str = ""
    """How it is compared with the truth while learning: a loss of `record.objectives`; empty for none, or for what
    `right` says."""
    right: Callable[[Answer, Values, Values], Right] | None = None
    """(answer, its values, the truth) -> what its numbers should have been. Raises Refused where these do not fit."""
    asks: tuple[str, ...] = ()
    """What cards call it in their `objective`."""
    target: Callable[[Any, Callable[[Any], Values], Callable[[Any], float] | None], Any] = _no_target
    """(given, what the model reads of something, what it should answer): the truth of one input."""
    chosen: bool = False
    """Whether another target than that of the input can be asked for."""
    short: Callable[[Trace, Answer], str] = lambda trace, answer: ""
    """What is answered, in a word or two: `9`, `4 0 7`; empty where that cannot be said so shortly."""
    order: int = 5
    """Which kind is asked first whether an answer suits it."""
    column: Callable[[Trace, Answer, Column, bool | None, Look, Bars | None], list[Mark]] | None = None
    """What stands in the column of its layer, for a kind that tiles would not do: the answer, on the way back what it
    hands back, and where neither is known yet (None) the room for it; or how far it has grown."""
    handed_back: Callable[[Trace, Answer], Values | None] = lambda trace, answer: None
    """What is shown there on the way back, as numbers."""
    heading: Callable[[Trace, Answer, bool], tuple[str, ...]] = _no_heading
    """What is said above that column, on either way, the longest first."""
    begins: Callable[[Trace, Answer], str] = _no_start
    """Where the way back starts, with the markup of `picture.rich`; empty where nothing went back from it."""
    cost: Callable[[Trace, Answer, Layer], tuple[str, str]] = _no_cost
    """How a loss was made of it, short and as a sentence; both empty where the loss says that itself."""
    judge: Callable[[Values, Any, Mapping[str, Any]], tuple[int, int]] | None = None
    """(its values, the truth, what the card says) -> how many are right, of how many; (0, 0) where the truth is not
    known. None for answers that are near or far, never right."""
    guess: bool = False
    """Whether a guess among its labels is right as often as one of them is."""
    ends: bool = False
    """Whether it says as many symbols as it likes, so that there may be fewer or more of them than were wanted."""
    before: Callable[[Mapping[str, Any]], int] = lambda settings: 0
    """How many numbers stand before those of the labels, by what is said of the answer: the edges of a box."""
    view: str = ""
    """The view in which models that answer so are first seen; empty for that of what they read. Where it does not suit,
    the first that does is seen."""
    opens: Callable[[Mapping[str, Any], Mapping[str, Any]], bool] = lambda said, read: True
    """Whether they are, by what is said of the answer and of what is read."""
    along: Axes | None = None
    """Along which axes it has a number for every label: none for one choice, `step` for one at each step, `row column`
    for one at each pixel, whose classes come first; None where its numbers have no names."""

    def names(self, shape: Sequence[int]) -> int:
        """How many labels an answer of such a shape has."""
        return 0 if self.along is None or not shape else int(shape[0] if "row" in self.along else shape[-1])


# --- the kinds ------------------------------------------------------------------------------------------------------

@cache
def kinds() -> tuple[AnswerKind, ...]:
    """All kinds, in the order in which they are asked."""
    return tuple(sorted((module.ANSWER for module in registry.modules("answers")),
                        key=lambda each: (each.order, each.name)))


def kind(name: str) -> AnswerKind:
    """The kind of that name; raises LookupError with one sentence."""
    for each in kinds():
        if each.name == name:
            return each
    raise LookupError(tr("There is no kind of answer {name!r}; there are {known}."
                         ).format(name=name, known=", ".join(each.name for each in kinds())))


def of(answer: Answer) -> AnswerKind | None:
    """The kind of an answer; None in a recording that knows a kind which is not there."""
    return next((each for each in kinds() if each.name == answer.kind), None)


def numbers_before(name: str, settings: Mapping[str, Any]) -> int:
    """How many numbers of an answer of that kind belong to no label; 0 for a kind that nobody knows."""
    return next((each.before(settings) for each in kinds() if each.name == name), 0)


def asked(objective: str) -> AnswerKind | None:
    """The kind that a card asks for by its `objective`."""
    return next((each for each in kinds() if objective in each.asks), None)


def inferred(axes: Axes, shape: Sequence[int], operation: str, labels: int) -> AnswerKind | None:
    """The kind of what a model hands back, when nobody says; None where no kind suits."""
    return next((each for each in kinds() if each.suits(axes, tuple(shape), operation, labels)), None)


# --- what is asked of an answer -------------------------------------------------------------------------------------

def at(trace: Trace, layer: str) -> Answer | None:
    """The answer that a layer holds."""
    return next((answer for answer in trace.answers if answer.layer == layer), None)


def drawn(trace: Trace) -> tuple[Answer, ...]:
    """The answers that are drawn beside the network."""
    return tuple(answer for answer in trace.answers if (made := of(answer)) is not None and made.draw is not None)


def column(trace: Trace, place: Column, backward: bool | None, look: Look, bars: Bars | None = None) -> list[Mark]:
    """What the answer of a layer draws in the column of that layer, all of it or as far as it has grown."""
    held = at(trace, place.layer)
    made = None if held is None else _with_column(held)
    if held is None or made is None or made.column is None:
        return []
    return made.column(trace, held, place, backward, look, bars)


def handed_back(trace: Trace, answer: Answer) -> Values | None:
    """The gradient that the column of an answer shows on the way back."""
    made = _with_column(answer)
    return None if made is None else made.handed_back(trace, answer)


def heading(trace: Trace, layer: str, backward: bool) -> tuple[str, ...]:
    """What is said above that column, the longest first."""
    held = at(trace, layer)
    made = None if held is None else _with_column(held)
    return () if held is None or made is None else made.heading(trace, held, backward)


def _with_column(answer: Answer) -> AnswerKind | None:
    """The kind of an answer; shares of a whole that are meant as something else are still drawn as shares."""
    made = of(answer)
    return made if made is not None and made.column is not None else next(
        (each for each in kinds() if each.column is not None), None)


def begins(trace: Trace, answer: Answer) -> str:
    """Where the way back starts, in one sentence."""
    made = of(answer)
    return "" if made is None else made.begins(trace, answer)


def cost(trace: Trace, loss: Layer) -> tuple[str, str]:
    """How a loss was made of an answer, short and as a sentence; both empty where the loss says that itself."""
    found = (made.cost(trace, answer, loss) for answer in trace.answers if (made := of(answer)) is not None)
    return next((words for words in found if any(words)), ("", ""))


def choosing(trace: Trace, layer: Layer) -> Answer | None:
    """The answer whose labels are the names of the numbers of a layer: its own, its logits."""
    return next((answer for answer in trace.answers if (made := of(answer)) is not None and made.along == ()
                 and (layer.axes, layer.shape) == (trace[answer.layer].axes, trace[answer.layer].shape)), None)


def chooses(trace: Trace) -> bool:
    """Whether some answer is a choice among labels."""
    return any(made is not None and made.along is not None for made in map(of, trace.answers))


def stepwise(trace: Trace, steps: int | None = None) -> Answer | None:
    """The answer that chooses among its labels at each step; of so many steps."""
    return next((answer for answer in trace.answers if (made := of(answer)) is not None and made.along == ("step",)
                 and trace[answer.layer].output.ndim == 2 and steps in (None, trace[answer.layer].shape[0])), None)


def sentence(trace: Trace, answer: Answer) -> str:
    """An answer in one sentence, and how good it is where the truth is known."""
    made = of(answer)
    return "" if made is None else made.sentence(trace, answer)


def short(trace: Trace) -> str:
    """What a model answered first, in a word or two; empty where that cannot be said so shortly."""
    first = next(iter(trace.answers), None)
    made = None if first is None else of(first)
    return "" if first is None or made is None else made.short(trace, first)


def score(trace: Trace, answer: Answer) -> Score:
    """How good an answer is."""
    made = of(answer)
    return () if made is None else made.score(trace, answer)


def scalar(answer: Answer, values: Values, words: str) -> Scalar:
    """What a wish means for an answer; raises Refused with one sentence that names wishes which mean something."""
    made = of(answer)
    found = picked(answer, values, words) if made is None else made.scalar(answer, values, words)
    if found is None:
        offered = () if made is None else made.wishes(answer, values)
        raise Refused(tr("The objective {objective} is not known; use loss, none, {others}or logit:N with a number N."
                         ).format(objective=repr(words), others="".join(f"{each}, " for each in offered[:3])))
    return found


def told(trace: Trace) -> Mapping[str, Any] | None:
    """What has to be said of the first answer when the same is recorded once more; nothing where its axes tell it."""
    first = next(iter(trace.answers), None)
    made = None if first is None else of(first)
    if first is None or made is None or made.suits is not never:
        return None
    return {**first.settings, "kind": first.kind, "labels": first.labels}


# --- what kinds share -----------------------------------------------------------------------------------------------

def picked(answer: Answer, values: Values, words: str) -> Scalar | None:
    """`logit:4`: one number of an answer, counted through all of it in row-major order; with `@12` among those of step
    12. Raises Refused for one that there is not."""
    match = LOGIT.fullmatch(words)
    if match is None:
        return None
    index, step = int(match[1]), None if match[2] is None else int(match[2])
    choice = values.reshape(-1) if step is None else values.reshape(-1, values.shape[-1])[step]
    if index >= len(choice):
        refused = tr("There is no output {index}; the model gives {count}, so use logit:0 to logit:{last}.") \
            if step is None else \
            tr("There is no output {index} at step {step}; the model gives {count}, so use logit:0 to logit:{last}.")
        raise Refused(refused.format(index=index, step=step, count=len(choice), last=len(choice) - 1))
    flat = index if step is None else step * values.shape[-1] + index
    return Scalar(words, ((tuple(int(i) for i in np.unravel_index(flat, values.shape)), 1.0),))


def place_of(match: re.Match[str], shape: Sequence[int], what: str) -> Cell:
    """The cell that the numbers of a wish name; Refused with one sentence where there is none."""
    cell = tuple(int(word) for word in match[1].split(","))
    if len(cell) != len(shape) or not all(index < size for index, size in zip(cell, shape, strict=True)):
        size = " × ".join(map(str, shape))
        raise Refused(tr("There is no {what} {number}; there are {size} of them, counted from 0.").format(
            what=translated(what), number=match[1], size=size))
    return cell


def label(answer: Answer, index: int) -> str:
    """The name of a class."""
    return answer.labels[index] if index < len(answer.labels) else str(index)


def picture_of(trace: Trace) -> Values | None:
    """What was fed in as a picture (row, column), its colours averaged; None if it is none."""
    first = trace.layers[0]
    if first.axes != ("channel", "row", "column"):
        return None
    values: Values = np.nan_to_num(first.output.astype(np.float64)).mean(axis=0)
    return values


def maps_of(trace: Trace, answer: Answer) -> Values:
    """The answer as (channel, row, column), one channel where it has none."""
    values = trace[answer.layer].output.astype(np.float64)
    return values if values.ndim == 3 else values.reshape(-1, *values.shape[-2:])
