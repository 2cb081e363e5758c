"""An attention as it is drawn: what its steps and places are called, and how far it has come at a moment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.kinds.attention import Attention, grid_of, maps_of, scored
from visualizer.scene.reading import own_words, visible
from visualizer.scene.timeline import FORWARD, Moment, timeline
from visualizer.trace import Answer, Trace, remembered

Values = NDArray[np.float64]


# --- what its steps and places are called ---------------------------------------------------------------------------

@remembered(16)
def place_words(trace: Trace, attention: Attention) -> tuple[str, ...]:
    """What stands at each place: the symbols that are read, rows and columns of maps, else their numbers."""
    words, count = own_words(trace), attention.places
    if len(words) == count:
        return words
    maps = maps_of(trace, attention)
    if maps is not None:
        columns = grid_of(maps)[1]
        return tuple(f"{place // columns + 1}, {place % columns + 1}" for place in range(count))
    return tuple(str(place + 1) for place in range(count))


@remembered(16)
def step_words(trace: Trace, attention: Attention) -> tuple[str, ...]:
    """What each step is: the symbol that is said at it, or the one that looks, else its number."""
    count = attention.count
    answer = _said_at_steps(trace, attention)
    if answer is not None:
        return tuple(visible(answer.labels[int(index)])
                     for index in np.argmax(trace[answer.layer].output, axis=-1))
    if count == attention.places and grid(trace, attention) is None:
        return place_words(trace, attention)
    return tuple(str(step + 1) for step in range(count))


def _said_at_steps(trace: Trace, attention: Attention) -> Answer | None:
    """The answer that is a symbol at each step."""
    found = (answer for answer in trace.answers if answer.labels and
             trace[answer.layer].shape == (attention.count, len(answer.labels)))
    return next((answer for answer in found if "end" in answer.settings or attention.count != attention.places), None)


def grid(trace: Trace, attention: Attention) -> tuple[int, int] | None:
    """Rows and columns, where the places are those of maps and have no words of their own."""
    maps = None if len(trace.sample.steps) == attention.places else maps_of(trace, attention)
    return None if maps is None else grid_of(maps)


# --- when it is there -----------------------------------------------------------------------------------------------

def come(trace: Trace, attention: Attention, moment: Moment, context: bool = False) -> Values:
    """(step,): how far the shares of each step have come, or what was added up by them, 0 … 1; all on the way back."""
    if moment.backward:
        return np.ones(attention.count)
    return np.array([_share(trace, moment, beat_of(trace, row.context if context else row.layer), row.index, row.of)
                     for row in attention.rows])


def came_back(trace: Trace, attention: Attention, moment: Moment) -> Values:
    """(step,): how far the gradient has come back to the shares of each step, 0 … 1."""
    if not moment.backward or attention.gradients is None:
        return np.zeros(attention.count)
    return np.array([_share(trace, moment, beat_of(trace, row.layer), row.of - 1 - row.index, row.of)
                     for row in attention.rows])


def named(trace: Trace, attention: Attention, moment: Moment) -> NDArray[np.bool_]:
    """(step,): whether it is known what each step is called: a symbol that is said is so once it has been."""
    answer = _said_at_steps(trace, attention)
    if answer is None or moment.backward:
        return np.ones(attention.count, np.bool_)
    return said_so_far(trace, answer, moment) >= 1


def said_so_far(trace: Trace, answer: Answer, moment: Moment) -> Values:
    """(step,): how far the scores of each symbol that is said have come, 0 … 1."""
    if moment.backward:
        return np.ones(len(trace[answer.layer].output))
    return np.array([_share(trace, moment, beat_of(trace, name), row, len(trace[name].output))
                     for name, row in scored(trace, answer)])


@remembered(512)
def beat_of(trace: Trace, name: str) -> str:
    """The layer at whose beat another is computed: itself, or the next one, where it runs beside that."""
    times = timeline(trace)
    after = trace.layers[trace.places[name]:]
    return next((layer.name for layer in after if times.of(layer.name, FORWARD) is not None), name)


def _share(trace: Trace, moment: Moment, beat: str, index: int, of: int) -> float:
    """How much of one of several rows of a layer is there."""
    ahead = trace.places[beat] - trace.places[moment.beat.layer]
    if moment.beat.doing and ahead == 0:
        return 1.0
    if ahead:
        return float(ahead > 0 if moment.backward else ahead < 0)
    return min(1.0, max(0.0, moment.phase * of - index))
