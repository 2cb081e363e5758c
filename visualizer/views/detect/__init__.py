"""Objects: the picture, the boxes that every cell proposes, and how few of them are left; and back to the pixels."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from visualizer.answers import label
from visualizer.language import english, tr
from visualizer.scene import parts
from visualizer.scene.picture import Focus, Look, Mark, Picture, Table, unmarked
from visualizer.scene.timeline import FORWARD, REST, Moment, Pace, Timeline, own_pace, timeline
from visualizer.trace import Trace
from visualizer.views import WHOLE, View
from visualizer.views.detect import _panels, _plan, _scene, _state, _strip, _words
from visualizer.views.detect._state import DECODE, LEVELS, MODEL, OVERLAP, SCORE, SUPPRESS, THRESHOLD, Detection, Now

PACE = {DECODE: Fraction(9, 10), SUPPRESS: Fraction(6, 5)}
"""Seconds of what is done with the answer, where it takes longer than a beat."""


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """What is there at a moment; at its very start what was there at the end of the one before."""
    found = _state.detection(trace, look)
    times = timeline(trace).extended(_state.after(trace, look))
    moment = _own(found, times, moment)
    told = moment
    if moment.phase == 0 and moment.index:
        moment = times.settled(moment.index - 1)
    seen = _state.now(trace, found, moment)
    aim = _state.sent_back(trace) if moment.backward else None
    aimed = None if aim is None else aim.place
    opened = _opened(found, moment, seen, focus, aimed)
    wants = "list" if seen.passed > 0 and not moment.backward else "cell"
    place = _plan.plan(trace, found, look, seen.beat, wants)
    words = _words.sentence(trace, found, moment, seen)
    marks: list[Mark] = []
    still, moving = _scene.draw(trace, found, moment, seen, place, opened, aimed, look)
    if place.cell is not None:
        marks += _panels.cell(trace, found, moment, seen, place.cell, opened, look)
    if place.listed is not None:
        marks += _panels.listed(trace, found, moment, seen, place.listed, opened, look)
    marks += _strip.draw(trace, found, moment, seen, place, look)
    kept, going = _strip.lanes(trace, found, told if told.phase else moment, times, seen, place, look)
    return Picture(look.size, tuple(still + kept), tuple(parts.sentence(look, words) + moving + marks + going),
                   look.theme, caption=unmarked(words), table=_table(found, seen))


def _own(found: Detection, times: Timeline, moment: Moment) -> Moment:
    """The same moment in this recording: another one of a reel may have more steps, or none at all."""
    beat = replace(moment.beat, of="")
    if beat.doing == SUPPRESS:
        beat = replace(beat, number=min(beat.number, found.beats)) if found.beats else \
            replace(beat, doing=THRESHOLD, number=0)
    known = times.nearest(beat.address)
    return moment if known is None else replace(known, phase=moment.phase)


def _opened(found: Detection, moment: Moment, seen: Now, focus: Focus | None,
            aimed: tuple[int, ...] | None) -> tuple[int, ...]:
    """The place whose numbers stand open: the one that is looked at, else the one that is kept now, or the surest."""
    if focus is not None and focus.layer == found.held.name and focus.array == "output" \
            and len(focus.cell) == found.values.ndim:
        return found.place(focus.cell)
    if aimed is not None:
        return aimed
    if seen.beat:
        return found.likely[found.of_beat(min(seen.beat, found.beats))[0].kept].place
    return max(found.every, key=lambda each: -math.inf if math.isnan(each.score) else each.score).place


def _table(found: Detection, seen: Now) -> Table:
    """One row for each box above the threshold, once the boxes are there."""
    columns = (tr("place"), tr("what"), tr("score"), tr("left"), tr("top"), tr("right"), tr("bottom"),
               tr("suppression"))
    if seen.decoded < 1 or not found.likely:
        return Table(columns, (("", "", math.nan, math.nan, math.nan, math.nan, math.nan, ""),))
    words = {_state.KEEPS: tr("kept"), _state.KEPT: tr("kept"), _state.DROPPED: tr("dropped"),
             _state.DROPS_NOW: tr("dropped"), _state.WAITS: tr("waiting")}
    return Table(columns, tuple(
        (", ".join(map(str, each.place)), "" if each.label is None else label(found.answer, each.label), each.score,
         *map(float, each.box), words[what])
        for each, (what, _) in zip(found.likely, _state.told(found, seen), strict=True)))


def pace(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Pace:
    """What is done with the answer takes its time."""
    usual = own_pace(moment.beat)
    return Pace(PACE[moment.beat.doing], REST) if moment.beat.doing in PACE else usual


def _telling(trace: Trace, times: Timeline) -> str:
    """The last step of suppression; or the threshold, where nothing passes it."""
    done = [beat.address for beat in times.beats if beat.doing]
    return done[-1] if done else next(beat.address for beat in reversed(times.beats) if beat.direction == FORWARD)


VIEW = View(
    "detect", english("Detect"), english("The boxes that every cell proposes, and which of them are kept."),
    suits=lambda trace: _state.answer_of(trace) is not None, draw=draw, telling=_telling, order=11, pace=pace,
    after=_state.after, group=WHOLE, knobs=((SCORE, (MODEL, *LEVELS)), (OVERLAP, (MODEL, *LEVELS))),
    tries=english("Pull the score down: more boxes come, and suppression drops those that are there twice."),
)
