"""Reader: one network of a comparison, with what it does at a moment and what is known of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from visualizer import answers, edits, kinds, titles
from visualizer.comparison import path
from visualizer.comparison.path import EXACT
from visualizer.costs import Measured
from visualizer.curve import Curve, Point
from visualizer.decay import decay
from visualizer.kinds import jacobian
from visualizer.kinds.pixels import mean_overlap
from visualizer.kinds.waiting import computes
from visualizer.language import tr
from visualizer.scene.reading import Reading, layers, reading, visible
from visualizer.scene.sofar import so_far
from visualizer.scene.step_inputs import StepInputs, inputs_of
from visualizer.scene.timeline import Moment
from visualizer.size import norm
from visualizer.trace import Answer, Layer, Refused, Trace, remembered

Values = NDArray[np.float64]
MOST, FEWEST = 4, 2
"""So many networks are compared."""
COVERING = 0.3
"""While so much of a beat passes, what was made before it is still shown whole; then the new uncovers."""
MOST_PRODUCTS, QUICK_PRODUCTS = 8_000_000, 400_000
"""Steps times squared width: what a state recalls of each step is not worked out beyond that; beyond the other only
where time stands still, for it would hold up a frame."""


@dataclass(frozen=True)
class Reader:
    """One network, and what it made of an input."""

    trace: Trace
    before: Trace | None = None
    """What it made of the input as it was, where something is done to it."""
    measured: Measured | None = None
    name: str = ""
    """What tells it from the others; its title where that is enough."""
    edits: tuple[str, ...] = ()
    """What was done to the network or its input first."""
    curve: Curve | None = None
    """How often it is right, by the strength of what is done to the input, as far as that was counted."""
    model: str = ""
    """The name or path with which it can be run once more; empty for a recording."""


    @property
    def strength(self) -> float | None:
        """How strongly that is done now which the curve grows by; None where there is no curve or no such edit."""
        grown = () if self.curve is None else [words for words in self.edits
                                               if words.partition(":")[0] == self.curve.grows]
        for words in grown:
            edit, arguments = edits.parse(words)
            return 1.0 if edit.strength is None else abs(edit.strength.of(arguments))
        return None

    @property
    def at_strength(self) -> Point | None:
        """What was counted at that strength."""
        return None if self.curve is None or self.strength is None else self.curve.at(self.strength)


@dataclass(frozen=True)
class Now:
    """What one network does at a moment."""

    moment: Moment
    share: float
    """How much of its way is over."""
    done: float
    """How many beats of it."""
    of: int
    layer: str
    """What is shown: the layer that was made last, or of which so much is there that it is seen."""
    uncovered: float
    """How much of that is there, 0 … 1."""
    finished: bool
    """Whether it has answered."""
    step: int
    """How many steps were read; 0 without steps. On the way back the step to which the gradient has come."""
    partial: float
    """How much of the next step is there."""


def named(readers: Sequence[Reader]) -> tuple[Reader, ...]:
    """Each with a name of its own: the title, and where several have that, what they read or a letter."""
    called = [reader.name or reader.trace.title or reader.trace.model for reader in readers]
    twice = {title for title, count in Counter(called).items() if count > 1}
    done = [edits.said(reader.edits, edits.INPUT) or tr("unchanged") for reader in readers]
    inputs = [titles.of(reader.trace.sample) for reader in readers]
    found = []
    for index, (reader, title) in enumerate(zip(readers, called, strict=True)):
        if title in twice:
            same = [place for place, other in enumerate(called) if other == title]
            apart = next((words[index] for words in (done, inputs)
                          if len({words[place] for place in same}) == len(same)), chr(ord("A") + index))
            title = f"{title}, {apart}"
        found.append(replace(reader, name=title))
    return tuple(found)


def check(readers: Sequence[Reader]) -> None:
    """Refused, with one sentence, for fewer than two networks or more than four, or one that computes nothing."""
    if not FEWEST <= len(readers) <= MOST:
        raise Refused(tr("Two to four networks are compared, not {count}; choose some.").format(count=len(readers)))


def one_input(readers: Sequence[Reader]) -> bool:
    """Whether all of them read the same, each on a scale of its own: pixels from 0 to 1, or less their mean."""
    first, *others = [_scaled(reader.trace) for reader in readers]
    return all(other.shape == first.shape and np.allclose(other, first, atol=1e-4) for other in others)


@remembered(1)
def _scaled(trace: Trace) -> Values:
    """The input from 0 to 1; of symbols the numbers that stand for them."""
    values = np.asarray(trace.layers[0].output, np.float64)
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    return (values - low) / (high - low) if values.ndim > 1 and high > low else values


def alike(readers: Sequence[Reader]) -> bool:
    """Whether two networks have the same layers of the same shapes, so that one can be taken from the other."""
    return len(readers) == 2 and readers[0].trace.shapes == readers[1].trace.shapes


# --- what it does now ------------------------------------------------------------------------------------------------

def now(trace: Trace, moment: Moment) -> Now:
    """What a network does at a moment."""
    direction = moment.beat.direction
    known = path.way(trace, direction)
    done = min(known.done(moment), float(len(known)))
    whole = int(done + EXACT)
    phase = done - whole
    under_way = phase > EXACT and whole < len(known)
    beat = known.beats[min(whole, len(known) - 1)] if under_way or not whole else known.beats[whole - 1]
    last = known.beats[whole - 1] if whole else None
    if under_way and beat.step is None and phase < COVERING and last is not None:
        shown, uncovered = last.layer, 1.0
    elif under_way and beat.step is None:
        shown, uncovered = beat.layer, (phase - COVERING) / (1 - COVERING) if last is not None else phase
    else:
        shown, uncovered = beat.layer, 1.0 if whole or beat.step is not None else 0.0
    step, partial = _steps_done(trace, known, whole, phase if under_way else 0.0)
    return Now(moment, min(1.0, done / len(known)) if len(known) else 1.0, done, len(known), _told(trace, shown),
               uncovered, path.finished(trace, moment), step, partial)


def _told(trace: Trace, layer: str) -> str:
    """What is shown of a layer: scores of classes stand as bars beside it, so what they are made of; a recurrent layer
    stands for what only picks from it."""
    scores = {name for answer in trace.answers for name in (answer.layer, *trace[answer.layer].reads)}
    while layer in scores and (trace[layer].output.ndim == 1 or _over_steps(trace, layer)):
        before = [read for read in trace[layer].reads if not trace[read].is_input]
        if not before:
            break
        layer = before[0]
    while trace[layer].reads and not computes(trace, trace[layer]) and not trace[trace[layer].reads[0]].is_input:
        layer = trace[layer].reads[0]
    return layer


def _over_steps(trace: Trace, layer: str) -> bool:
    return trace[layer].axes[:1] == ("step",) and bool(layers(trace))


def _steps_done(trace: Trace, known: path.Way, whole: int, phase: float) -> tuple[int, float]:
    """How many steps of the recurrent layer that runs last were read."""
    steps = [place for place, beat in enumerate(known.beats) if beat.step is not None]
    if not steps:
        return 0, 0.0
    before = [place for place in steps if place < whole]
    if not before:
        return 0, phase if whole in steps else 0.0
    step = known.beats[before[-1]].step or 0
    return step, phase if whole in steps and known.beats[whole].layer == known.beats[before[-1]].layer else 0.0


def recurrent(trace: Trace) -> Reading | None:
    """The layer that hides time and runs last; None in a network without one."""
    found = layers(trace)
    return reading(trace, found[-1].name) if found else None


def at_steps(trace: Trace, seen: Now) -> Reading | None:
    """The steps of a recurrent layer, where they are what is shown now."""
    found = [layer.name for layer in layers(trace)]
    if seen.layer in found:
        return reading(trace, seen.layer)
    return None


def step_inputs(trace: Trace) -> StepInputs | None:
    """What its steps read of the input, where that is a row or a window of a picture."""
    shown = recurrent(trace)
    return None if shown is None else inputs_of(trace, shown, kinds.receptive_field)


# --- what it would answer --------------------------------------------------------------------------------------------

def answer_of(trace: Trace) -> Answer | None:
    """The answer that is a choice among labels: one, or the last of one at each step."""
    for answer in trace.answers:
        made = answers.of(answer)
        if made is not None and made.along is not None and answer.labels and trace[answer.layer].output.ndim in (1, 2) \
                and kinds.shares(trace[answer.layer]) and not (made.ends or answer.kind == "string"):
            return answer
    return None


def answered(trace: Trace) -> tuple[Values, tuple[int, ...]] | None:
    """What is answered at the end, (class,), and the first indices of those numbers in their layer; None where it is no
    choice among labels."""
    answer = answer_of(trace)
    if answer is None:
        return None
    values = np.asarray(trace[answer.layer].output, np.float64)
    return (values, ()) if values.ndim == 1 else (values[-1], (len(values) - 1,))


@remembered(1)
def guesses(trace: Trace) -> Values | None:
    """(step, class): what it would answer if it had to stop there; None where that cannot be told."""
    shown = recurrent(trace)
    found = None if shown is None or shown.reverse else so_far(trace, shown)
    answer = answer_of(trace)
    if found is None or not found.shares or answer is None or found.values.shape[1] != len(answer.labels):
        return None
    return found.values


def guess(trace: Trace, seen: Now) -> Values | None:
    """What it would answer now, having read some of its steps."""
    found = guesses(trace)
    if found is None or seen.finished or not 0 < seen.step <= len(found) or seen.moment.backward:
        return None
    answer: Values = found[seen.step - 1]
    return answer


def label(trace: Trace, index: int) -> str:
    """The name of a class; one that is not seen, a space, as a sign."""
    answer = answer_of(trace)
    return "" if answer is None else visible(answers.label(answer, index))


# --- what it is ------------------------------------------------------------------------------------------------------

@remembered(1)
def kept(trace: Trace) -> int:
    """Bytes of all numbers that one forward pass makes and the way back needs: outputs, gates and states."""
    arrays = {id(array): int(array.nbytes) for layer in trace.layers if not layer.is_input
              for array in (layer.output, *layer.inner.values())}
    return sum(arrays.values())


@remembered(1)
def half_life(trace: Trace) -> float | None:
    """In how many steps the gradient halves; infinite where it does not within the steps there are, None without
    steps."""
    shown = recurrent(trace)
    if shown is None or shown.norms is None:
        return None
    back = shown.norms[shown.entered:] if shown.reverse else shown.norms[:shown.entered + 1][::-1]
    line = decay(back)
    return None if line is None else line.half_life if line.decays else float("inf")


@remembered(4)
def largest_unit(trace: Trace, name: str) -> tuple[int, ...]:
    """The cell of a layer with the largest value: whose receptive field is shown where nobody has chosen one."""
    values = np.nan_to_num(np.asarray(trace[name].output, np.float64))
    return tuple(int(index) for index in np.unravel_index(int(np.argmax(values)), values.shape))


@remembered(64)
def field(trace: Trace, name: str, cell: tuple[int, ...]) -> tuple[tuple[int, int], ...] | None:
    """(first, last) along each axis of the input that one number of a layer sees, clipped to it."""
    first = trace.layers[0]
    box = kinds.receptive_field(trace, name, cell).get(first.name)
    if box is None:
        return None
    return tuple((max(0, low), min(size - 1, high)) for (low, high), size in zip(box, first.shape, strict=False))


@remembered(1)
def by_pixel(trace: Trace) -> Answer | None:
    """The answer with a class for each pixel."""
    return next((answer for answer in trace.answers if (made := answers.of(answer)) is not None
                 and made.along == ("row", "column")), None)


@remembered(1)
def overlap(trace: Trace) -> float | None:
    """Of a class for each pixel the mean overlap with the truth; None where that is not known or there is nothing."""
    answer = by_pixel(trace)
    return None if answer is None else mean_overlap(answer, trace[answer.layer].output)


PHASES = 16
"""Pixels beside each other see more or less, by how they lie to the windows of pools: so many are asked."""


@remembered(1)
def sees(trace: Trace) -> int | None:
    """How many rows of the input a pixel of such an answer sees at most, were the input large enough."""
    answer = by_pixel(trace)
    if answer is None:
        return None
    rows, columns = trace[answer.layer].shape[1:]
    first = max(0, min(rows // 2, rows - PHASES))
    found = [kinds.receptive_field(trace, answer.layer, (0, row, columns // 2)).get(trace.layers[0].name)
             for row in range(first, min(rows, first + PHASES))]
    return max((box[-2][1] - box[-2][0] + 1 for box in found if box is not None), default=None)


@remembered(64)
def recalls(trace: Trace, name: str, step: int, settled: bool = True) -> Values | None:
    """(step,): ‖∂h / ∂(what a step read)‖ of the state after `step` steps; None where it is no closed form, or too much
    for a moment that is not `settled`."""
    layer = trace[name]
    if len(layer.output) * layer.shape[1] ** 2 > (MOST_PRODUCTS if settled else QUICK_PRODUCTS):
        return None
    try:
        return jacobian.recalls(layer, trace.inputs(layer), step - 1)
    except (LookupError, ValueError, KeyError):
        return None


@remembered(32)
def change(trace: Trace, before: Trace, name: str, steps: int) -> float | None:
    """‖after − before‖ / ‖before‖ of a layer, of its first `steps` where it has such; None where it was nothing."""
    if name not in before or before[name].shape != trace[name].shape:
        return None
    one, other = (np.asarray(found[name].output, np.float64) for found in (trace, before))
    if steps:
        one, other = one[:steps], other[:steps]
    size = norm(other.ravel())
    return norm((one - other).ravel()) / size if size > 0 else None


def shown_array(layer: Layer, backward: bool) -> Values:
    """What is seen of a layer: its numbers, or their gradient; NaN where none came back."""
    if not backward:
        return np.asarray(layer.output, np.float64)
    return np.full(layer.shape, np.nan) if layer.gradient is None else np.asarray(layer.gradient, np.float64)
