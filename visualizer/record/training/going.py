"""Going: the runs that a process has under way, so that each goes on, is looked at, and branches at any update.

A run is found by its words. Where it has not come so far, or has come further, it is taken up at the nearest
checkpoint before, its own or that of a run that agrees with it up to there, and the updates between are made again: to
the last bit those that they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from visualizer.advance import at as advance_said
from visualizer.language import tr
from visualizer.record.training import (
    Kept,
    Learner,
    News,
    advance,
    at_the_end,
    before_next,
    begin,
    kept,
    looking_at,
    loss_moves,
    resumed,
    use,
)
from visualizer.trace import Refused
from visualizer.train import Checkpoint, Course, Knobs, Run, in_force
from visualizer.train.kept import stored
from visualizer.train.taken_apart import Before

MOST = 4
"""So many runs are kept, the last ones that were asked for."""


@dataclass(frozen=True)
class Words:
    """What tells one run from another."""

    model: str
    course: Course
    sample: str = ""
    data: str = ""
    watched: tuple[str, ...] = ()


@dataclass(eq=False)
class Going:
    """A run under way."""

    run: Run
    learner: Learner
    states: dict[int, Kept] = field(default_factory=dict)
    """By the number of updates: from there it can be taken up."""


_going: dict[Words, Going] = {}


def going(words: Words) -> Going:
    """The run of these words, as far as it has come; a new one stands where it branches off from another."""
    found = _going.pop(words, None) or _watched_elsewhere(words) or _branched(words)
    return _under_way(words, found)


def back_to(words: Words, step: int) -> Going:
    """The run of these words after at most `step` updates: what came then is made once more."""
    found = going(words)
    return found if found.run.step <= step else _under_way(words, _taken_up(words, found, step))


def standing(found: Going) -> News:
    """The checkpoint where it stands, if there is none yet."""
    if found.run.stopped or _exactly(found.run, found.learner.step) is not None:
        return News()
    news = News(checkpoints=(at_the_end(found.learner),))
    found.run = found.run.grown(*news)
    found.states[found.learner.step] = kept(found.learner)
    return news


def onwards(found: Going, upto: int) -> Iterator[News]:
    """Update by update, kept as it goes."""
    if found.run.stopped:
        raise Refused(tr("The training ended at update {count}, where a number was none; go back, and take a smaller "
                         "learning rate.").format(count=found.run.step))
    for news in advance(found.run, found.learner, upto):
        found.run = found.run.grown(*news)
        if news.checkpoints and not found.run.stopped:
            found.states[found.learner.step] = kept(found.learner)
        advance_said(str(found.learner.step))
        yield news


def checkpoint_of(words: Words, step: int) -> tuple[Run, Checkpoint]:
    """All weights after exactly so many updates, which a run has made, or makes now: what is watched of it changes none
    of them."""
    longer = stored(words.model)
    kept_there = None if longer is None or words.data else _exactly(longer, step)
    if longer is not None and kept_there is not None and longer.course == words.course:
        return longer, kept_there
    for other, found in _going.items():
        known = _exactly(found.run, step)
        if known is not None and (other.model, other.data) == (words.model, words.data) and \
                agree(other.course, words.course) >= step:
            return found.run, known
    aside = _aside(words, step)
    return aside.run, at_the_end(aside.learner)


_stood: dict[Words, Going] = {}
"""The run that was made again last to look at one of its updates, with the states that were passed."""


def standing_at(words: Words, step: int) -> Going:
    """A run of these words after exactly `step` updates, beside those under way: made again from the last state that is
    at hand of any run that agrees with it up to there."""
    known = [found for other, found in (*_going.items(), *_stood.items())
             if (other.model, other.data) == (words.model, words.data) and agree(other.course, words.course) >= step]
    nearest = max(known, key=lambda found: max(each for each in found.states if each <= step), default=None)
    at = _taken_up(words, nearest or _begun(words), step)
    use(at.learner, in_force(words.course, step))
    _stood.clear()
    _stood[words] = at
    return at


def in_run(run: Run, step: int) -> tuple[Run, Checkpoint]:
    """The checkpoint of a run after exactly so many updates; Refused where none is kept."""
    return run, _exactly(run, step) or _missing(step)


def longest(model: str, course: Course, data: str = "") -> Run | None:
    """The run of that course that has come furthest; None where none is under way."""
    known = [found.run for words, found in _going.items()
             if (words.model, words.course, words.data) == (model, course, data)]
    return max(known, key=lambda run: run.step, default=None)


def one_update(words: Words, step: int, weight: str, rate: float) -> tuple[Before, Knobs, tuple[float, float]]:
    """What stood there before update `step`, of one weight; its knobs; and from where to where one plain step of `rate`
    moves the loss of its batch."""
    if step < 1:
        raise Refused(tr("Updates are counted from 1; choose one of these."))
    learner = standing_at(words, step - 1).learner
    return before_next(learner, weight), learner.knobs, loss_moves(learner, rate)


# --- where it is taken up -------------------------------------------------------------------------------------------

def agree(one: Course, other: Course) -> float:
    """After how many updates two courses part; infinity where they never do."""
    starts = sorted({start for start, _ in (*one, *other)})
    return next((start for start in starts if in_force(one, start) != in_force(other, start)), float("inf"))


def _under_way(words: Words, found: Going) -> Going:
    """Kept as the one that was asked for last."""
    _going.pop(words, None)
    _going[words] = found
    while len(_going) > MOST:
        del _going[next(iter(_going))]
    return found


def _watched_elsewhere(words: Words) -> Going | None:
    """The run of these words with which only another input was looked at."""
    other = next((each for each in _going if replace(each, sample=words.sample) == words), None)
    if other is None:
        return None
    found = _going.pop(other)
    found.run = looking_at(found.run, found.learner, words.sample)
    return found


def _branched(words: Words) -> Going:
    """A run of these words that stands where it parts from the one it has most in common with."""
    best: tuple[int, Going] | None = None
    for other, found in _going.items():
        if (other.model, other.data, other.watched) != (words.model, words.data, words.watched):
            continue
        last = min(agree(words.course, other.course), found.learner.step)
        if last > 0 and (best is None or last > best[0]):
            best = int(last), found
    return _begun(words) if best is None else _taken_up(words, best[1], best[0])


def _begun(words: Words) -> Going:
    run, learner = begin(words.model, words.course, sample=words.sample, data=words.data, watched=words.watched)
    return Going(run, learner, {0: kept(learner)})


def _taken_up(words: Words, found: Going, step: int) -> Going:
    """A run of these words after `step` updates, made of another that agrees with it up to there."""
    start = max(each for each in found.states if each <= step)
    run = found.run.until(start, words.course)
    again = Going(run, resumed(run, found.states[start]),
                  {each: state for each, state in found.states.items() if each <= start})
    if run.sample != words.sample:
        again.run = looking_at(run, again.learner, words.sample)
    if step > start:
        for _ in onwards(again, step):
            pass
    return again


def _aside(words: Words, step: int) -> Going:
    """The same after `step` updates, beside the one that is under way."""
    return _taken_up(words, _going.get(words) or going(words), step)


def _exactly(run: Run, step: int) -> Checkpoint | None:
    return next((each for each in run.checkpoints if each.step == step), None)


def _missing(step: int) -> Checkpoint:
    raise Refused(tr("No weights are kept after {count} updates; choose one of the checkpoints.").format(count=step))

