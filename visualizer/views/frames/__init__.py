"""A film: its frames, what the network sees of each by itself, the state that goes through them, and what it would
answer after each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from visualizer import answers
from visualizer.language import counted_as, english, tr
from visualizer.said import said
from visualizer.scene import colour, numbers, parts, steps
from visualizer.scene.columns import lanes_height
from visualizer.scene.labels import fitting
from visualizer.scene.picture import (
    Focus,
    Group,
    Image,
    Look,
    Mark,
    Picture,
    Rect,
    Scale,
    Table,
    Text,
    grouped,
    literal,
    plain,
    unmarked,
)
from visualizer.scene.projector import begins
from visualizer.scene.reading import Reading, here, label, step_said, steps_said
from visualizer.scene.sofar import SoFar, claim, so_far
from visualizer.scene.telling import read_to_the_end
from visualizer.scene.timeline import PASSED, Moment, Pace, own_pace
from visualizer.trace import Layer, Trace, remembered
from visualizer.views import WHOLE, View
from visualizer.views.frames._film import Film, channel, film_of

TOP, GAP, LEAST = 72.0, 12.0, 20.0
MOST_CLASSES = 10
Values = NDArray[np.float64]


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """All frames side by side, and under each what is made of it, as far as it has come."""
    film = film_of(trace)
    assert film is not None
    shown = film.shown
    told = _sentence(trace, film, moment)
    brief = _sentence(trace, film, moment, look.size[0] >= 1000)
    place = _span(shown, look)
    now = _frame(film, trace, moment)
    marks: list[Mark] = [*parts.sentence(look, brief)]
    if now is not None:
        bottom = look.size[1] - lanes_height(look)
        marks.append(Rect(place.left(now) - 1, begins(look, TOP) - 6, place.pitch, bottom - begins(look, TOP) + 6,
                          "accent", radius=6, opacity=0.09))
    for row in _rows(trace, film, look):
        marks += grouped(Group(row.name, Focus(row.name)), _drawn(trace, film, moment, focus, row, place, look))
    kept, moving = steps.lane(trace, shown, moment, look, place)
    return Picture(look.size, tuple(kept), (*marks, *moving), look.theme, caption=unmarked(told),
                   table=_table(trace, film))


# --- where things stand -----------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Row:
    """One kind of thing under every frame."""

    what: str
    """`film`, `maps`, `seen`, `state` or `answers`."""
    name: str
    """Of the layer that it is of."""
    top: float
    high: float


def _span(shown: Reading, look: Look) -> steps.Span:
    found = steps.span(shown, look)
    return replace(found, pitch=min(steps.PITCH, (look.size[0] - steps.LEFT - steps.RIGHT) / shown.total))


def _rows(trace: Trace, film: Film, look: Look) -> tuple[Row, ...]:
    top = begins(look, TOP)
    room = look.size[1] - lanes_height(look) - top - 8
    side = _span(film.shown, look).pitch - 8
    wanted = [("film", film.given.name, min(side, 0.2 * room))]
    few = room < 430 or not look.mode.notes
    wanted += [("maps", layer.name, min(side, 0.135 * room)) for layer in film.maps[-1 if few else -2:]]
    if film.seen is not None and not few:
        wanted.append(("seen", film.seen.name, min(72.0, 0.1 * room)))
    answered = so_far(trace, film.shown)
    spare = room - sum(high + GAP for _, _, high in wanted)
    wanted.append(("state", film.shown.layer.name, spare * (0.42 if answered is not None else 0.9) - GAP))
    if answered is not None:
        wanted.append(("answers", trace.answers[0].layer, spare * 0.58 - GAP))
    found, y = [], top
    for what, name, high in wanted:
        if high >= LEAST:
            found.append(Row(what, name, y, high))
            y += high + GAP
    return tuple(found)


# --- how far it has come ----------------------------------------------------------------------------------------------

def _come(trace: Trace, layer: Layer, moment: Moment) -> float:
    """How much of a layer is there, 0 … 1; on the way back how much of its gradient."""
    at, beat = trace.places[layer.name], trace.places[moment.beat.layer]
    if moment.backward and layer.gradient is None:
        return 0.0
    if at == beat:
        return moment.phase
    return float(at > beat if moment.backward else at < beat)


def _frame(film: Film, trace: Trace, moment: Moment) -> int | None:
    """The frame whose step the moment is; None before and after."""
    return steps.current(trace, film.shown, moment) if moment.beat.layer == film.shown.layer.name else None


# --- what is drawn ----------------------------------------------------------------------------------------------------

def _drawn(trace: Trace, film: Film, moment: Moment, focus: Focus | None, row: Row, place: steps.Span,
           look: Look) -> list[Mark]:
    if row.what in ("film", "maps"):
        return _tiles(trace, film, moment, focus, row, place, look)
    if row.what == "seen":
        return _seen(trace, film, moment, row, place, look)
    if row.what == "state":
        return _states(trace, film, moment, row, place, look)
    return _answers(trace, film, moment, row, place, look)


def _named(look: Look, row: Row, name: str, below: str, mono: bool = False) -> list[Mark]:
    y = row.top + min(row.high / 2, 40) - (4 if below and look.mode.notes else -4)
    marks: list[Mark] = [Text(steps.LEFT - 16, y, plain(name), 13, 600, "ink", "end", mono=mono,
                              max_width=steps.LEFT - 24, focus=Focus(row.name) if mono else None)]
    if below and look.mode.notes:
        marks.append(Text(steps.LEFT - 16, y + 15, plain(below), 11, 400, "ink-2", "end", steps.LEFT - 24))
    return marks


def _tiles(trace: Trace, film: Film, moment: Moment, focus: Focus | None, row: Row, place: steps.Span,
           look: Look) -> list[Mark]:
    """One map of each frame."""
    layer, back = trace[row.name], moment.backward
    which = channel(film, layer, focus)
    values = film.of(layer, which, back)
    rows, columns = values.shape[1:]
    cell = row.high / max(rows, columns)
    size = of_shape(layer)
    below = size if row.what == "film" else tr("map {channel} of {count}").format(
        channel=said(str(which), "index", layer.name, _cell(film, which)),
        count=said(str(layer.shape[1 - film.axis]), "length of axis", layer.name, (1 - film.axis,)))
    marks = _named(look, row, tr("film") if row.what == "film" else layer.name, below, row.what == "maps")
    share = _come(trace, layer, moment) * film.frames
    left = place.x + (place.pitch - 8 - cell * columns) / 2
    shades, palette = parts.entries_of(trace, layer, look, back, values)
    focused = {"focus": Focus(layer.name), "folds": ((layer.shape[0] * layer.shape[1], rows, columns), layer.shape)}
    scale = parts.scale_of(trace, layer, look, back)
    tiles = film.tiles(layer, which)
    order = range(film.frames)
    done = int(share) if not back else film.frames * int(share >= film.frames)
    if back and 0 < share < film.frames:
        marks += [Rect(left + frame * place.pitch, row.top, cell * columns, cell * rows, "hatch") for frame in order]
        marks.append(Image(left, row.top, (cell, cell), np.ascontiguousarray(shades), palette, film.frames,
                           (place.pitch, 0), indices=tiles, rows_shown=share / film.frames, scale=scale,
                           **focused))  # type: ignore[arg-type]
        return marks
    if done:
        marks.append(Image(left, row.top, (cell, cell), np.ascontiguousarray(shades[:done]), palette, film.frames,
                           (place.pitch, 0), indices=tiles[:done], scale=scale, **focused))  # type: ignore[arg-type]
    for frame in order[done:]:
        x = left + frame * place.pitch
        marks.append(Rect(x, row.top, cell * columns, cell * rows, "hatch"))
        if frame < share:
            marks.append(Image(x, row.top, (cell, cell), np.ascontiguousarray(shades[frame:frame + 1]), palette,
                               indices=tiles[frame:frame + 1], rows_shown=share - frame, scale=scale,
                               **focused))  # type: ignore[arg-type]
    return marks


def of_shape(layer: Layer) -> str:
    """`16 × 16`: rows and columns."""
    rows, columns = (said(str(layer.shape[axis]), "length of axis", layer.name, (axis,)) for axis in (2, 3))
    return f"{rows} × {columns}"


def _cell(film: Film, which: int) -> tuple[int, ...]:
    return (which,) if film.axis else (0, which)


def _seen(trace: Trace, film: Film, moment: Moment, row: Row, place: steps.Span, look: Look) -> list[Mark]:
    """The numbers that the recurrent layer reads of each frame."""
    layer, back = trace[row.name], moment.backward
    values = np.asarray(layer.gradient if back and layer.gradient is not None else layer.output, np.float64)
    count = values.shape[1]
    marks = _named(look, row, layer.name, counted_as(count, tr("{count} number"), tr("{count} numbers")).format(
        count=said(str(count), "length of axis", layer.name, (1,))), True)
    share = _come(trace, layer, moment) * film.frames
    cell = row.high / count
    shades, palette = parts.entries_of(trace, layer, look, back, values)
    scale = parts.scale_of(trace, layer, look, back)
    done = int(share) if not back else film.frames * int(share >= film.frames)
    if done:
        marks.append(Image(place.x, row.top, (place.pitch - 8, cell), np.ascontiguousarray(shades[:done, :, None]),
                           palette, film.frames, (place.pitch, 0), border="", scale=scale))
    for frame in range(done, film.frames):
        marks.append(Rect(place.left(frame), row.top, place.pitch - 8, row.high, "hatch"))
    return marks


def _states(trace: Trace, film: Film, moment: Moment, row: Row, place: steps.Span, look: Look) -> list[Mark]:
    shown, back = film.shown, moment.backward
    units = shown.units
    cell = row.high / units
    marks = _named(look, row, tr("state"), numbers.units(
        units, said(str(units), "how many units", shown.layer.name)))
    marks.append(steps.unread(place, row.top, cell * units))
    if back:
        values = shown.gradients
        if values is None:
            return marks
        top = parts.largest_gradient(trace)
        shades = colour.magnitude(values, top * parts.FLOOR, top)
        entries = steps.Entries(np.ascontiguousarray(shades.T), "gradient", 0, parts.gradient_scale(trace))
        return marks + steps.timed_map(entries, steps.arrived(trace, shown, moment), place, row.top, cell,
                                       Focus(shown.layer.name, (), "output"))
    reach = steps.read(trace, shown, moment)
    return marks + steps.timed_map(_entries(shown), reach, place, row.top, cell,
                                   Focus(shown.layer.name, (), "output"))


@remembered(16)
def _entries(shown: Reading) -> steps.Entries:
    top = 1.0 if shown.squashed else colour.largest(shown.states) or 1.0
    return steps.Entries(np.ascontiguousarray(colour.signed(shown.states, top).T), "activation", 128,
                         Scale("activation", tr("state"), shown.layer.name, -top, top))


def _answers(trace: Trace, film: Film, moment: Moment, row: Row, place: steps.Span, look: Look) -> list[Mark]:
    """What would be answered if the film ended there: a bar for each class, the likeliest in words."""
    found, shown = so_far(trace, film.shown), film.shown
    assert found is not None
    name = tr("answers") if found.own else tr("would answer")
    marks = _named(look, row, name, tr("if it ended here") if not found.own else "")
    reach = steps.read(trace, shown, moment)
    count = min(MOST_CLASSES, found.values.shape[1])
    order = sorted(np.argsort(-found.values.max(0), kind="stable")[:count].tolist())
    each = (row.high - 20) / count
    for step in range(shown.steps):
        x, wide, done = place.left(step), place.pitch - 8, reach.of(step)
        if done <= 0:
            marks.append(Rect(x, row.top, wide, row.high, "hatch"))
            continue
        best = int(np.argmax(found.values[step]))
        words = fitting((_likeliest(trace, found, shown, step), _likeliest(trace, found, shown, step, brief=True)),
                        wide, 13, 600)
        if words:
            marks.append(Text(x + wide / 2, row.top + 12, plain(words), 13, 600, "accent-ink", "middle",
                              opacity=done))
        for number, index in enumerate(order if found.shares and each >= 4 else ()):
            y, value = row.top + 20 + number * each, float(found.values[step, index])
            names = 16 if wide >= 50 and each >= 11 else 0
            if names:
                marks.append(Text(x + 6, y + each / 2 + 4, plain(said(label(trace, index), *claim(
                    trace, shown, found, "label", index, step))), 11, 400, "ink-2", "middle", 16))
            marks.append(Rect(x + names, y + 1.5, wide - names, each - 3, "sunk", radius=2))
            if value * (wide - names) * done >= 0.5:
                marks.append(Rect(x + names, y + 1.5, (wide - names) * value * done, each - 3,
                                  "accent-fill" if index == best else "ink-2", radius=2))
    return marks


def _likeliest(trace: Trace, found: SoFar, shown: Reading, step: int, brief: bool = False) -> str:
    """`→ 73 %`; in brief `→`."""
    best = int(np.argmax(found.values[step]))
    if not found.shares:
        return said(numbers.number(float(found.values[step, 0])), *claim(trace, shown, found, "answer", 0, step))
    name = said(label(trace, best), *claim(trace, shown, found, "label", best, step))
    if brief:
        return name
    share = said(numbers.percent(float(found.values[step, best]), 0), *claim(trace, shown, found, "chance", best, step))
    return f"{name} {share}"


# --- words ------------------------------------------------------------------------------------------------------------

def _sentence(trace: Trace, film: Film, moment: Moment, whole: bool = True) -> str:
    shown, beat = film.shown, trace.places[moment.beat.layer]
    own = trace.places[shown.layer.name]
    frames = steps_said(shown)
    if moment.backward:
        if beat <= trace.places[film.given.name]:
            return tr("On the way back: the stronger the colour of a pixel of a frame, the more a change of it would "
                      "change what is asked about.")
        if moment.beat.layer != shown.layer.name:
            return tr("On the way back: what came to each of {frames} states goes on to what was seen of its frame."
                      ).format(frames=frames) if beat < own else \
                tr("On the way back: from the answer to the state after the last frame.")
        step = steps.current(trace, shown, moment)
        words = tr("On the way back at frame {step} of {frames}: what is read of this frame, and the state before it, "
                   "get their share.")
        return words.format(step=step_said(shown, step), frames=frames)
    if beat < own:
        return tr("The network looks at each of {frames} frames for itself: no single one shows a movement.").format(
            frames=frames)
    if beat > own and trace.answers:
        found = answers.sentence(trace, trace.answers[0])
        return f"{found} {_measured(trace)}".strip() if whole else found
    step = steps.current(trace, shown, moment)
    if here(trace, moment, shown) == 0:
        return tr("The state of the network goes through {frames} frames, one after the other.").format(frames=frames)
    known = so_far(trace, shown)
    if known is None or moment.phase < 1:
        return tr("Frame {step} of {frames} is read into the state.").format(step=step_said(shown, step), frames=frames)
    if not known.shares:
        return tr("After frame {step} of {frames} the network would answer {{{value}}}.").format(
            step=step_said(shown, step), frames=frames, value=_likeliest(trace, known, shown, step))
    best = int(np.argmax(known.values[step]))
    return tr("After frame {step} of {frames} the network would say “{label}” with {{{share}}}.").format(
        step=step_said(shown, step), frames=frames,
        label=literal(said(label(trace, best), *claim(trace, shown, known, "label", best, step))),
        share=said(numbers.percent(float(known.values[step, best]), 0), *claim(trace, shown, known, "chance", best,
                                                                                step)))


SHUFFLED, LINE = "frames shuffled", "frames shuffled, along the right line"
"""What a card calls the shares of films that are answered rightly with their frames shuffled, and along the right line.
"""


def _measured(trace: Trace) -> str:
    """What shuffled frames cost on films that were measured; empty where the card does not say."""
    quality = trace.facts.get("quality", {})
    right, line = (quality.get(key) for key in (SHUFFLED, LINE)) if hasattr(quality, "get") else (None, None)
    if not isinstance(right, float) or not isinstance(line, float) or not line:
        return ""
    words = tr("With shuffled frames {line} of all films are answered along the right line, and {way} of these the "
               "right way: a coin toss.") if abs(right / line - 0.5) < 0.05 else \
        tr("With shuffled frames {line} of all films are answered along the right line, and {way} of these the right "
           "way.")
    return words.format(line=said(numbers.percent(line, 0), "quality", array=LINE),
                        way=said(numbers.percent(right / line, 0), "share of those along the right line"))


@remembered(4)
def _table(trace: Trace, film: Film) -> Table:
    """One row a frame."""
    known, shown = so_far(trace, film.shown), film.shown
    norms = shown.norms
    rows = []
    for step in range(shown.steps):
        best = int(np.argmax(known.values[step])) if known is not None else 0
        rows.append((step + 1, label(trace, best) if known is not None and known.shares else "",
                     float(known.values[step, best]) if known is not None else float("nan"),
                     float(norms[step]) if norms is not None else float("nan")))
    return Table((tr("step"), tr("would say"), tr("probability"), "∥∂L/∂h∥"), tuple(rows))


# --- time -------------------------------------------------------------------------------------------------------------

def pace(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Pace:
    """The frames go by evenly where they are looked at; what only lays numbers out anew is passed."""
    film = film_of(trace)
    layer = trace[moment.beat.layer]
    if film is None or layer.name == film.shown.layer.name:
        return own_pace(moment.beat)
    if layer in (film.given, *film.maps, film.seen):
        return replace(own_pace(moment.beat), moving=Fraction(6, 5))
    late = trace.places[layer.name] > trace.places[film.shown.layer.name]
    return own_pace(moment.beat) if late and (layer.learned or layer.name == trace.layers[-1].name or any(
        layer.name == answer.layer for answer in trace.answers)) else PASSED


VIEW = View(
    "frames", english("Frames"), english("A film: what is seen of each frame, and the state that goes through them."),
    suits=lambda trace: film_of(trace) is not None, draw=draw, telling=read_to_the_end, pace=pace, order=6,
    group=WHOLE, tries=english("Shuffle or reverse the frames, or hold one of them, and see what it answers then."),
)
