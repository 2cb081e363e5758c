"""The network: the layers side by side, forwards, and the gradient on its way back through them.

Under the lens the layers that a beat reads and the one that it writes stand large; without it all stand as they are.
How a beat moves is said by a file of `motions`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from visualizer import kinds, motions
from visualizer.answers import _column
from visualizer.language import english, tr
from visualizer.motions import CAMERA, RESTS, SETTLE, Frame, Setting, followed, part_of, smooth
from visualizer.motions._marks import progress
from visualizer.scene import numbers, parts, stepbeat
from visualizer.scene.blocks import KIND, KNOB, Folded, fold_at, short_title, title
from visualizer.scene.columns import PADDING, Plan, arrange, passages, scrolled
from visualizer.scene.labels import Labels, fitting
from visualizer.scene.lens import Pair, camera, lens, pair_of, swapped
from visualizer.scene.picture import (
    TITLE,
    Focus,
    Group,
    Line,
    Look,
    Mark,
    Picture,
    Rect,
    Table,
    grouped,
    of_layer,
    unmarked,
)
from visualizer.scene.telling import answered, read_to_the_end
from visualizer.scene.timeline import Moment, Pace, Timeline, own_pace, timeline
from visualizer.scene.type import bounds
from visualizer.trace import Trace, remembered
from visualizer.views import WHOLE, View
from visualizer.views.network import _seam, _step
from visualizer.views.network._blocks import Seen, handing_on, open_marks, plate, within_said
from visualizer.views.network._edges import edges_of
from visualizer.views.network._headers import headers, names_of_context
from visualizer.views.network._subject import kernels_of, subject_marks, subject_of
from visualizer.views.network._tiles import column_marks, loss, reached, uncovered
from visualizer.views.network._words import sentence_of

NAMED = 90.0
"""The width of a name in the title of the colour bar, beside which the progress of a beat stands."""
LEAST_WHOLE = 480.0
"""Pixels of a picture in which all layers have room side by side."""
STRIP = Group(english("all layers"))
"""What stands small along the bottom for a room, of the layers that stand large above."""


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The columns as far as they are computed, what moves over them, the lanes below; a step of a recurrent layer as
    its step, a closed block as one column. Where another block opens, one picture fades into the other."""
    fold = fold_at(trace, moment, look)
    before = timeline(trace).settled(moment.index - 1) if moment.index else moment
    left = fold if before is moment else fold_at(trace, before, look)
    coming = 1.0 if left is fold else part_of(moment.phase * float(pace(trace, moment, focus, look).seconds), 0.0,
                                              CAMERA)
    if coming < 1:
        one, other = (_folded(trace, folded, at, focus, look) for folded, at in ((left, before), (fold, moment)))
        shown = other if coming >= 0.5 else one
        return Picture(look.size, (), tuple(parts.crossed(one, other, smooth(coming))), look.theme,
                       caption=shown.caption, table=shown.table)
    return _folded(trace, fold, moment, focus, look)


def _folded(trace: Trace, fold: Folded | None, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The picture with some blocks closed."""
    if fold is None:
        return _whole(trace, moment, focus, look)
    return _whole(fold.trace, fold.moment(moment), fold.focus(focus), look, Seen(fold, moment))


def _whole(trace: Trace, moment: Moment, focus: Focus | None, look: Look, seen: Seen | None = None) -> Picture:
    """The picture of a recording as it is; `seen`: of what it was folded, and at which moment of that."""
    before = timeline(trace).settled(moment.index - 1) if moment.index else moment
    coming = part_of(moment.phase, 0.0, stepbeat.SLIDE) if moment.beat.step is not None else \
        part_of(moment.phase * _seconds(trace, moment), 0.0, CAMERA)
    if coming < 1 and _picture_of(trace, before) != _picture_of(trace, moment):
        one, other = _at(trace, before, focus, look), _at(trace, moment, focus, look, seen)
        shown = other if coming >= 0.5 else one
        return Picture(look.size, (), tuple(parts.crossed(one, other, smooth(coming))), look.theme,
                       caption=shown.caption, table=shown.table)
    return _at(trace, moment, focus, look, seen)


def _picture_of(trace: Trace, moment: Moment) -> str:
    """Which picture a beat has: `seam`, the name of the layer whose step it is, or empty for the columns."""
    if _seam.shown_at(trace, moment):
        return "seam"
    return moment.beat.layer if _step.shown_at(trace, moment) else ""


def _at(trace: Trace, moment: Moment, focus: Focus | None, look: Look, seen: Seen | None = None) -> Picture:
    if _seam.shown_at(trace, moment):
        return _seam.draw(trace, moment, focus, look)
    if _step.shown_at(trace, moment):
        return _step.draw(trace, moment, focus, look)
    return _drawn(trace, moment, focus, look, seen)


def pace(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Pace:
    """As long as the motion of its layer takes; a step of a recurrent layer and a layer of a closed block have paces of
    their own."""
    fold = fold_at(trace, moment, look)
    if fold is not None:
        lasts, last = fold.lasts(moment)
        if lasts:
            return Pace(Fraction(lasts).limit_denominator(1000), Fraction(RESTS if last else 0).limit_denominator(100))
        trace, moment = fold.trace, fold.moment(moment)
    if moment.beat.step is not None:
        return own_pace(moment.beat) if moment.beat.quick else stepbeat.pace(False, moment.backward)
    lasts = _seconds(trace, moment)
    return Pace(Fraction(lasts).limit_denominator(1000), Fraction(RESTS).limit_denominator(100),
                stops=tuple(end / lasts for end in _stops(trace, moment, lasts)))


def _stops(trace: Trace, moment: Moment, lasts: float) -> list[float]:
    """The seconds at which a beat stands in a state that is worth a picture: in each of its turns after the slow
    places, half-way through the others, and at the end."""
    slow = list(itertools.accumulate((CAMERA, *motions.SLOW)))
    found = motions.turns(trace, moment.beat.layer) if moment.backward else ()
    spans = [(turn.start, turn.start + turn.lasts) for turn in found] or [(0.0, lasts)]
    every = [second for start, end in spans
             for second in (*(start + at for at in slow), start + (slow[-1] + end - start) / 2, end) if second <= end]
    return [second for second in every if second < lasts - 1e-9]


@dataclass(frozen=True)
class _Now:
    """Everything that is known of a moment before it is drawn."""

    before: Moment
    """The settled beat before it."""
    second: float
    arrived: float
    """How far the camera has come on its way to the pair, 0 … 1."""
    settled: float
    """How far the beat has come to rest."""
    left: float
    """How far what moves has faded: when the beat comes to rest, or one of its turns does."""
    start: Plan
    """Where everything stood before the camera went."""
    end: Plan
    """Where it will stand when the camera has come."""
    plan: Plan
    pair_before: Pair
    pair: Pair
    setting: Setting | None
    frame: Frame


def _now(trace: Trace, moment: Moment, focus: Focus | None, look: Look, inner: Look) -> _Now:
    times = timeline(trace)
    before = times.settled(moment.index - 1) if moment.index else moment
    if _picture_of(trace, before):  # that picture fades: the camera is there already
        before = moment
    lasts = _seconds(trace, moment)
    second = moment.phase * lasts
    settled = part_of(second, lasts - SETTLE, SETTLE) if moment.phase < 1 else 1.0
    pair_before, pair = pair_of(trace, before.beat), pair_of(trace, moment.beat)
    left, arrived = settled, 1.0 if before is moment else smooth(part_of(second, 0.0, CAMERA))
    turn = motions.turn_at(trace, moment.beat, second) if moment.phase < 1 else None
    if turn is not None:
        second -= turn.start
        pair, left = pair_of(trace, moment.beat, turn.readers[0]), part_of(second, turn.lasts - SETTLE, SETTLE)
        if turn.number:
            last = motions.turns(trace, moment.beat.layer)[turn.number - 1]
            pair_before = pair_of(trace, moment.beat, last.readers[0])
            before, arrived = moment, smooth(part_of(second, 0.0, CAMERA))
        elif before is moment:
            pair_before = pair
    start, end, plan = _plans(trace, before, moment, (pair_before, pair), arrived, inner)
    setting, frame = None, Frame()
    right = plan.columns[pair.right]
    if moment.beat.step is None and moment.phase < 1 and right.style != "hidden":
        columns = tuple(plan.columns[name] for name in pair.left if plan.columns[name].style != "hidden")
        setting = Setting(trace, moment, trace[pair.right], columns, right, plan, subject_of(trace, moment, focus),
                          focus, look, second, turn)
        frame = motions.frame(setting) if columns or not pair.left else Frame()
    return _Now(before, second, arrived, settled, left, start, end, plan, pair_before, pair, setting, frame)


def _named(plan: Plan, now: _Now, lensed: bool) -> tuple[frozenset[str], frozenset[str]]:
    """The layers whose names stand in the row above all columns, before the camera goes and when it has come."""
    return (frozenset(now.pair_before.layers), frozenset(now.pair.layers)) if lensed else \
        (frozenset(plan.columns), frozenset(plan.columns))


def _drawn(trace: Trace, moment: Moment, focus: Focus | None, look: Look, seen: Seen | None) -> Picture:
    times, inner = timeline(trace), _column.inner(trace, look)
    now = _now(trace, moment, focus, look, inner)
    plan, before, frame = now.plan, now.before, now.frame
    about = subject_of(trace, moment, focus)
    said = within_said(trace, moment, seen) or _said(trace, moment, focus, now)
    lensed = _lensed(look)

    still: list[Mark] = [*parts.sentence(look, said)]
    old_edges, new_edges = (edges_of(trace, plan, look, inner, pair if lensed else None)
                            for pair in (now.pair_before, now.pair))
    moving: list[Mark] = [*open_marks(trace, plan, inner, seen), *(new_edges if old_edges == new_edges else
                            parts.crossed(old_edges, new_edges, now.arrived)),
                          *_left_out(trace, plan, inner, lensed),
                          *parts.crossed(_legend(trace, before, focus, plan, inner, now.pair_before),
                                         _legend(trace, moment, focus, plan, inner, now.pair), now.arrived)]
    fading = swapped(now.start, plan) if now.arrived < 1 else frozenset[str]()
    for column in plan.columns.values():
        if column.style == "hidden":
            continue
        own = of_layer(column.layer)
        moving += plate(trace, column, moment, look, seen)
        came = now.start if column.layer in fading else plan
        drawn = [column_marks(trace, of.columns[column.layer], moment, before, look, frame, now.arrived,
                              _channels(trace, now, column.layer, look))
                 for of in ((plan,) if came is plan else (came, plan))]
        moving += grouped(own, drawn[0] if came is plan else parts.crossed(drawn[0], drawn[1], now.arrived))
        old, new = (headers(trace, of, of.columns[column.layer], moment, before, inner, frame, now.arrived, named)
                    if column.layer in named else [] for of, named in zip((came, plan), _named(plan, now, lensed),
                                                                          strict=True))
        moving += grouped(own, new if old == new else parts.crossed(old, new, now.arrived))
    if plan.strip:
        moving += _strip(trace, plan, moment, look, frame, now.pair)
    elif lensed:
        names = names_of_context(trace, now.pair, inner)
        moving += names if now.arrived >= 1 else parts.crossed(names_of_context(
            trace, now.pair_before, inner), names, now.arrived)
    if before.beat != moment.beat and now.arrived < 1:
        moving += parts.faded(subject_marks(trace, plan, before, subject_of(trace, before, focus), look, not lensed),
                              1 - now.arrived)
    if now.pair_before != now.pair and now.arrived < 1:
        moving += parts.faded(_kernels(trace, plan, before, focus, now.pair_before, look), 1 - now.arrived)
    moving += parts.faded(_kernels(trace, plan, moment, focus, now.pair, look), now.arrived)
    moving += parts.faded(frame.marks, now.arrived * (1 - now.left))
    if now.settled > 0:
        moving += parts.faded(subject_marks(trace, plan, moment, about, look, not lensed), now.settled)
    if frame.counted and now.setting is not None:
        moving += parts.faded(_progress(now, plan, inner), now.arrived)
    moving += handing_on(trace, plan, moment, seen, inner)
    for answer, place in _column.places(trace, look, plan.top, plan.bottom):
        still += _column.heads(trace, look, answer, place)
        moving += parts.faded(_column.drawing(trace, look, answer, place),
                              reached(trace, plan.columns[answer.layer], moment, frame))
    lane_still, lane_moving = parts.lanes(trace, times, moment, look, _places(trace, plan, look, lensed))
    return Picture(look.size, tuple(still + lane_still), tuple(moving + lane_moving), look.theme,
                   caption=unmarked(said), table=_table(trace))


def _channels(trace: Trace, now: _Now, name: str, look: Look) -> float:
    """How strong the channels of a picture in colour are: they fade where there is room before the camera goes, or
    when it has come, alone."""
    before, after = (parts.room_for_colours(trace, plan.columns[name], look) for plan in (now.start, now.end))
    return before + (after - before) * now.arrived


def _kernels(trace: Trace, plan: Plan, moment: Moment, focus: Focus | None, pair: Pair, look: Look) -> list[Mark]:
    """Those of the channel that is followed; their gradients, too, when the way back has come through them."""
    if moment.backward:
        channel = followed(trace[pair.right], focus)
    else:
        about = subject_of(trace, moment, focus)
        if about.layer != pair.right or not about.cell:
            return []
        channel = about.cell[0]
    return kernels_of(trace, plan, pair, channel, moment.backward and moment.phase == 1, look)


def _strip(trace: Trace, plan: Plan, moment: Moment, look: Look, frame: Frame, pair: Pair) -> list[Mark]:
    """All layers along the bottom, the pair framed, each with its name."""
    marks: list[Mark] = []
    labels = Labels((0, 0, *look.size), 2)
    base = max(column.top + column.height for column in plan.strip) + 15
    for before, after in itertools.pairwise(plan.strip):
        y = before.top + before.height / 2
        if after.x - 4 > before.x + before.width + 4:
            end = after.x - 4, after.top + after.height / 2
            marks.append(Line(((before.x + before.width + 4, y), end), "rule", 1))
    for column in plan.strip:
        shown, lit = reached(trace, column, moment, frame), column.layer in pair.layers
        marks += grouped(STRIP if lit else of_layer(column.layer),
                         uncovered(trace, column, moment, look, 1.0 if shown == 1 else 0.0, Frame()))
        if lit:
            marks.append(Rect(column.x - 3, column.top - 3, column.width + 6, column.height + 6, "", "accent", 1.5,
                              radius=2, group=STRIP))
        marks += labels.put(short_title(trace[column.layer]), [(column.x, base, "start")], 11, 600 if lit else 400,
                            "accent-ink" if lit else "ink-2", mono=True, focus=Focus(column.layer))
    return marks


# --- where and when -------------------------------------------------------------------------------------------------

def _seconds(trace: Trace, moment: Moment) -> float:
    if moment.beat.step is not None:
        return float(stepbeat.pace(False, moment.backward).seconds)
    if _seam.shown_at(trace, moment):
        return _seam.seconds(trace, moment)
    return motions.seconds(trace, moment.beat, pair_of(trace, moment.beat).right)


def _lensed(look: Look) -> bool:
    """Whether a beat stands large and the rest recedes: asked for, or where all layers have no room side by side."""
    return look.knob("lens", "on") == "on" or look.size[0] < LEAST_WHOLE


def _plans(trace: Trace, before: Moment, moment: Moment, pairs: tuple[Pair, Pair], share: float,
           look: Look) -> tuple[Plan, Plan, Plan]:
    """Where everything stood before the camera went, where it will stand, and where it stands now."""
    if not _lensed(look):
        plan = scrolled(arrange(trace, look, passages(trace)), before.beat.layer, moment.beat.layer, share, look)
        return plan, plan, plan
    start, end = (lens(trace, look, passages(trace), pair) for pair in pairs)
    return start, end, camera(start, end, share)


# --- what is said and counted ---------------------------------------------------------------------------------------

def _said(trace: Trace, moment: Moment, focus: Focus | None, now: _Now) -> str:
    """The sentence of the beat as far as it has come; that of the one before until it begins."""
    if now.setting is None:
        shown = moment if now.arrived >= 0.5 else now.before
        return sentence_of(trace, shown, subject_of(trace, shown, focus))
    if now.second < CAMERA and now.before.beat != moment.beat:
        return sentence_of(trace, now.before, subject_of(trace, now.before, focus))
    done, count = now.frame.done
    if now.settled > 0 or not now.frame.sentence or (count and done >= count):
        return sentence_of(trace, moment, subject_of(trace, moment, focus))
    return now.frame.sentence


def _progress(now: _Now, plan: Plan, look: Look) -> list[Mark]:
    """How far the beat has come, under what is written."""
    done, count = now.frame.done
    written = now.pair.left[0] if now.setting is not None and now.setting.backward else now.pair.right
    column = plan.columns[written]
    legend = plan.columns[now.pair.left[0]].x if now.pair.left else column.x
    x = max(plan.columns[now.pair.right].x if now.setting and now.setting.backward else column.x, legend + 150)
    x = min(x, look.size[0] - PADDING - 150)
    return progress(x, max(90.0, min(column.width, look.size[0] - x - PADDING)), plan.bottom + 7,
                    done / max(1, count), "gradient-mark" if now.setting and now.setting.backward else "accent",
                    now.frame.counted)


def _left_out(trace: Trace, plan: Plan, look: Look, lensed: bool) -> list[Mark]:
    """Which columns are seen, where not all are; beside the loss."""
    if not plan.left_out:
        return []
    if lensed:
        below = Labels((0, 0, *look.size), 8)
        return [*below.put((plan.left_out,), [(look.size[0] - PADDING, plan.bottom + 24, "end")], 12, 500, "ink-2",
                           group=TITLE)]
    below = Labels((0, 0, *look.size), 8)
    for column in plan.columns.values():
        for text in loss(trace, column, look) if column.style == "number" else ():
            below.take(bounds(text))
    return [*below.put((tr("{left_out}; the others scroll past as the beats go on").format(left_out=plan.left_out),
                        plan.left_out),
                       [(look.size[0] / 2, plan.bottom + 15, "middle")], 12, 500, "ink-2", group=TITLE)]


# --- legend, places, table ------------------------------------------------------------------------------------------

def _legend(trace: Trace, moment: Moment, focus: Focus | None, plan: Plan, look: Look, pair: Pair) -> list[Mark]:
    subject = subject_of(trace, moment, focus)
    if _lensed(look):
        first = plan.columns[pair.layers[0]]
        x, y, wide = max(PADDING, min(first.x, look.size[0] - 430)), plan.bottom + (12 if plan.strip else 14), 112.0
    else:
        first = plan.columns[trace.layers[0].name]
        x, y = first.x, plan.bottom - 34
        wide = min([112, *(column.x - x - 12 for column in plan.columns.values() if column.x > x
                           and column.style in ("maps", "units") and column.top + column.height > y - 12)])
    if moment.backward:
        return parts.legend(x, y, wide, look, parts.gradient_scale(trace), tr("Gradient, all layers"))
    layer = trace[subject.layer]
    if look.scope == "unit":
        return parts.legend(x, y, wide, look, parts.VALUES_EACH, tr("Values, per map"))
    if look.scope == "network":
        return parts.legend(x, y, wide, look, parts.value_scale(trace, layer, look), tr("Values, all layers"))
    if layer.is_input or kinds.shares(layer) or layer.output.ndim == 0:
        return parts.legend(x, y, wide, look, parts.VALUES_EACH, tr("Values, per layer"))
    return parts.legend(x, y, wide, look, parts.value_scale(trace, layer, look),
                        tr("Values of {layer}").format(layer=fitting(
                            (title(layer), short_title(layer)), NAMED, 12, 500) or short_title(layer)))


def _places(trace: Trace, plan: Plan, look: Look, lensed: bool) -> dict[str, float]:
    """x of every layer on the lanes: the middle of its column; evenly spread where columns move."""
    if plan.deep or lensed:
        return parts.even_places(trace, look)
    return {layer.name: plan.columns[layer.name].middle + (14 if plan.columns[layer.name].style == "number" else 0)
            - (30 if plan.columns[layer.name].style == "bars" else 0) for layer in trace.layers}


def _table(trace: Trace) -> Table:
    """One row a layer."""
    return Table((tr("layer"), tr("kind"), tr("shape"), tr("parameters"), "min", tr("mean"), "max",
                  tr("share of zeros"), tr("gradient norm")), _rows(trace))


@remembered(1)
def _rows(trace: Trace) -> tuple[tuple[str | float | int, ...], ...]:
    rows: list[tuple[str | float | int, ...]] = []
    for layer in trace.layers:
        norm = parts.norms(trace).get(layer.name)
        rows.append((title(layer), str(layer.settings["made"]) or layer.kind if layer.kind == KIND else layer.kind,
                     numbers.shape(layer.shape),
                     int(layer.settings["parameters"]) if layer.kind == KIND else layer.parameters,
                     float(np.min(layer.output)), float(np.mean(layer.output)), float(np.max(layer.output)),
                     float(np.mean(layer.output == 0)), "" if norm is None else norm))
    return tuple(rows)


def _telling(trace: Trace, times: Timeline) -> str:
    """The answer is there: at the last step, where every step has one of its own; else where all has been gone."""
    return read_to_the_end(trace, times) if _step.answers_itself(trace) else answered(trace, times)


VIEW = View(
    "network", english("Network"), english("Every map of every layer side by side, forwards and backwards."),
    suits=lambda trace: True, draw=draw, order=10, pace=pace,
    telling=_telling, knobs=(("ranking", ("mean", "max", "gradient", "first")), ("lens", ("on", "off")), (KNOB, ())),
    group=WHOLE, tries=english("Press Space to play it, and click any map to see what it was made from."),
)
