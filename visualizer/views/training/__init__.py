"""Training: how the weights came about, update by update, as a film of its checkpoints: curves, the first layer's
weights, how large gradients and steps were in each layer, and what was answered meanwhile."""

from __future__ import annotations

from fractions import Fraction

from visualizer.language import english, tr
from visualizer.said import said
from visualizer.scene import logchart, numbers, parts
from visualizer.scene.boxes import Box
from visualizer.scene.picture import (
    LANE,
    Choice,
    Focus,
    Line,
    Look,
    Mark,
    Picture,
    Rect,
    Table,
    Text,
    grouped,
    plain,
    unmarked,
)
from visualizer.scene.projector import begins
from visualizer.scene.reel import CUT
from visualizer.scene.timeline import UPDATE, Beat, Moment, Pace, Timeline
from visualizer.scene.type import width
from visualizer.trace import Trace
from visualizer.train import kept, seen
from visualizer.views import AT, WHOLE, View
from visualizer.views.training._page import page as _page
from visualizer.views.training._rows import WEIGHTS, Row, rows, stops
from visualizer.views.training._run import Axis, Film, film, path

TOP, HEAD, FOOT, GAP = 66.0, 24.0, 56.0, 14.0
"""Where the rows begin under the sentence, what is written over them, the axis below, and what lies between them."""


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """Everything that is known of the training, over one axis of updates, with the cursor at a checkpoint."""
    found = film(trace, place_at(moment))
    if found is None:
        return logchart.unmeasured(look, tr("Training"), tr("How the weights came about"))
    words = sentence(found)
    axis, top = _axis(found, look), begins(look, TOP)
    marks = [*parts.sentence(look, words), *_above(found, axis, look, top)]
    bottom = look.size[1] - (FOOT if look.mode.lanes else 40.0)
    still: list[Mark] = []
    shown = _fitting(rows(found, axis, look), bottom - top - HEAD)
    marks += stops(found, axis, Box(axis.left, top + HEAD - 6, axis.right, bottom), lambda place: "")
    y = top + HEAD
    for row, high in shown:
        kept_marks, moving = row.draw(Box(axis.left, y, axis.right, y + high))
        still, marks = still + kept_marks, marks + moving
        y += high + GAP
    x = axis.x(found.now)
    marks.append(Line(((x, top + HEAD - 6), (x, bottom + 20)), "accent", 1.5))
    return Picture(look.size, tuple(still), (*marks, *_foot(found, axis, look, bottom)), look.theme,
                   caption=unmarked(words), table=_table(found))


def place_at(moment: Moment) -> int:
    """Which checkpoint is seen: the one that is on its way has not come yet, and nothing lies between two."""
    if moment.beat.doing != UPDATE:
        return 0
    return moment.index if moment.phase == 1 else max(0, moment.index - 1)


def beats(trace: Trace) -> tuple[Beat, ...]:
    """One for each checkpoint."""
    held = trace.studies.get(seen.STUDY)
    return tuple(_beat(trace, step) for step in (map(int, held["kept"]) if held else kept.steps_of(trace)))


def _beat(trace: Trace, step: int) -> Beat:
    return Beat(trace.layers[0].name, doing=UPDATE, number=step, quick=True, words=english("the weights move"))


def sentence(film: Film) -> str:
    """How far the loss has come, and how many answers are right."""
    now, right = film.place, film.percent("held_right", film.place) if film.classes else ""
    first, here = film.number("held_loss", 0, digits=3), film.number("held_loss", now, digits=3)
    if now == 0:
        return tr("Before the first update the loss is {{{here}}}, and {right} of the held-out rows are answered "
                  "right.").format(here=here, right=right) if right else \
            tr("Before the first update the loss is {{{here}}}.").format(here=here)
    step = said(numbers.count(film.now), "updates", step=film.now)
    last = said(numbers.count(film.last), "updates", step=film.last)
    less = film.value("held_loss", now) < film.value("held_loss", 0)
    if right:
        words = tr("After {step} of {last} updates the loss has fallen from {first} to {here}, and {{{right}}} of the "
                   "held-out rows are answered right.") if less else \
            tr("After {step} of {last} updates the loss has risen from {first} to {here}, and {{{right}}} of the "
               "held-out rows are answered right.")
    else:
        words = tr("After {step} of {last} updates the loss has fallen from {first} to {{{here}}}.") if less else \
            tr("After {step} of {last} updates the loss has risen from {first} to {{{here}}}.")
    return words.format(step=step, last=last, first=first, here=here, right=right)


# --- around the rows --------------------------------------------------------------------------------------------------

def _axis(film: Film, look: Look) -> Axis:
    left, right = ((168.0, 104.0) if look.size[0] >= 800 else (124.0, 84.0)) if look.mode.notes else (140.0, 92.0)
    return Axis(left, look.size[0] - right, film.end, look.knob("axis", "log") == "log")


def _fitting(known: list[Row], room: float) -> list[tuple[Row, float]]:
    """The rows that there is room for, the more important ones first, and how high each is: what is left over they
    share, none higher than it can use."""
    chosen: list[Row] = []
    for row in sorted(known, key=lambda row: row.rank):
        if sum(each.least for each in (*chosen, row)) + GAP * len(chosen) <= room:
            chosen.append(row)
    chosen = [row for row in known if row in chosen]
    left = room - sum(row.least for row in chosen) - GAP * (len(chosen) - 1)
    high = {id(row): row.least for row in chosen}
    for first in (True, False):  # the loss and the weights grow before all others
        growing = [row for row in chosen if (row.rank <= WEIGHTS) == first]
        wanted = sum(row.most - row.least for row in growing)
        share = min(1.0, left / wanted) if wanted else 0.0
        for row in growing:
            high[id(row)] += share * (row.most - row.least)
        left -= share * wanted
    return [(row, high[id(row)]) for row in chosen]


def _above(film: Film, axis: Axis, look: Look, top: float) -> list[Mark]:
    """before, now and best over their lines; how the axis runs; and of when the values at the right are."""
    y, now, best = top + 10, axis.x(film.now), axis.x(int(film.kept[film.best]))
    bottom = look.size[1] - (FOOT if look.mode.lanes else 40.0)
    marks: list[Mark] = [Line(((x, y + 6), (x, bottom)), "ink-2", 1, dashed=True, opacity=0.55)
                         for x in dict.fromkeys((axis.left, best))]
    taken: list[tuple[float, float]] = []

    def beside(x: float, words: str, weight: int, ink: str) -> None:
        """Words right of a line or left of it, where they lie over no others."""
        wide = width(words, 12, weight)
        for start in (x + 5, x - 5 - wide):
            if start >= axis.left and start + wide <= axis.right and \
                    not any(start < end + 8 and begin < start + wide + 8 for begin, end in taken):
                taken.append((start, start + wide))
                marks.append(Text(start, y, plain(words), 12, weight, ink))
                return

    beside(now, tr("now"), 600, "accent-ink")
    value = film.percent("held_right", film.best) if film.classes else film.number("held_loss", film.best)
    words = tr("best {value}").format(value=value) if look.mode.notes else tr("best")
    beside(best, words, 500, "ink-2")
    beside(axis.left, tr("before"), 500, "ink-2")
    if look.mode.notes:
        x = axis.left - 12 - 104
        for word, title in (("log", tr("log")), ("linear", tr("linear"))):
            on = (word == "log") == axis.log
            marks += [Rect(x, y - 13, 50, 19, "tint" if on else "sunk", radius=5),
                      Text(x + 25, y, plain(title), 11, 600 if on else 400, "accent-ink" if on else "ink-2", "middle",
                           max_width=48),
                      Rect(x, y - 13, 50, 19, focus=Focus(film.trace.layers[0].name), holds=Choice("axis", word),
                           tip=tr("updates on a log axis") if word == "log" else tr("updates evenly"))]
            x += 54
    if film.now and look.mode.notes:
        marks.append(Text(look.size[0] - 12, y, plain(tr("at {step}").format(step=said(
            numbers.count(film.now), "updates", step=film.now))), 11, 600, "accent-ink", "end"))
    return marks


def _foot(film: Film, axis: Axis, look: Look, bottom: float) -> list[Mark]:
    """The updates, and a dot for each checkpoint: the film."""
    line, cursor = look.size[1] - 20.0, axis.x(film.now)
    marks: list[Mark] = []
    if look.mode.lanes:
        end = -100.0
        for step in axis.ticks():
            words = numbers.count(step)
            wide = width(words, 11)
            if axis.x(step) - wide / 2 < end + 8:
                continue
            marks.append(Text(axis.x(step), bottom + 15, plain(said(words, "updates", step=step)), 11, 400, "ink-2",
                              "middle"))
            end = axis.x(step) + wide / 2
        marks += [Text(axis.left - 12, bottom + 15, plain(tr("updates")), 12, 600, "ink", "end"),
                  Text(axis.left - 12, line + 4, plain(tr("film")), 12, 600, "ink", "end")]
    marks += [Line(((axis.left, line), (axis.x(film.last), line)), "rule", 1.5),
              Line(((axis.left, line), (cursor, line)), "accent", 1.5)]
    for place, x in enumerate(axis.xs(film.kept).tolist()):
        done, size = place <= film.place, 4.0
        marks.append(Rect(x - size, line - size, 2 * size, 2 * size, "accent" if done else "stage",
                          "accent" if done else "rule", 1.25, radius=size))
    marks += stops(film, axis, Box(axis.left, line - 12, axis.right, line + 12), film.tips.__getitem__)
    marks += parts.ring(cursor, line, "accent")
    return grouped(LANE, marks)


def _table(film: Film) -> Table:
    """One row for each checkpoint."""
    layers = film.run.layers
    columns = (tr("update"), tr("loss, held out"), tr("right, held out"), tr("loss of the batch"),
               *(tr("gradient of {layer}").format(layer=layer) for layer in layers),
               *(tr("step of {layer}").format(layer=layer) for layer in layers))
    found = []
    for place, step in enumerate(film.kept.tolist()):
        at = int((film.held["step"] <= step).sum()) - 1
        measured: tuple[str | float, ...] = ("–",) * (1 + 2 * len(layers)) if at < 0 else (
            film.value("loss", at), *(float(value) for key in ("gradient", "moved") for value in film.held[key][at]))
        found.append((step, film.value("held_loss", place),
                      film.value("held_right", place) if film.classes else "–", *measured))
    return Table(columns, tuple(found))


def page(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture | None:
    """What the inspector says: before, now and best, and how far the weights have come."""
    found = film(trace, place_at(moment))
    return None if found is None else _page(found, look)


def _telling(trace: Trace, times: Timeline) -> str:
    """Two thirds of the way through the checkpoints: the loss has fallen, and goes on falling."""
    return times.settled(len(times.beats) * 2 // 3).address


def apart(trace: Trace, look: Look) -> tuple[str, tuple[int, ...]] | None:
    """The weight whose path is seen."""
    found = film(trace, 0)
    chosen = None if found is None else path(found, look.knob("weight", ""))
    return None if chosen is None else (chosen[0].removeprefix("weights/"), chosen[1])


def digit(trace: Trace, number: int) -> tuple[str, str] | None:
    """1 goes before the first update, 3 to the best checkpoint, 2 back to where one stood."""
    found = film(trace, 0)
    if found is None or number not in (1, 2, 3):
        return None
    return AT, "" if number == 2 else found.stops[0 if number == 1 else found.best].address


def _pace(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Pace:
    """Each checkpoint stands as long as in a reel of them."""
    return Pace(CUT, Fraction(0))


VIEW = View(
    "training", english("Training"), english("How the weights came about, update by update, as a film of its "
                                             "checkpoints."),
    suits=lambda trace: seen.STUDY in trace.studies or kept.suits(trace), draw=draw,
    telling=_telling, order=47, group=WHOLE, page=page, continuous=False, studies=(seen.STUDY,), instead=beats,
    digit=digit, apart=apart, pace=_pace,
    knobs=(("axis", ("log", "linear")), ("weight", ()), ("course", ()), ("behind", ()), ("pinned", ()), ("now", ())),
    tries=english("Go to the update at which the filters begin to look like strokes."),
)
