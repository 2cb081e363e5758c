"""The columns of the unrolled cell: what each step reads, what the model says, its state and its gates."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from visualizer.language import tr
from visualizer.said import said, unplaced
from visualizer.scene import colour, numbers, parts, sofar, step_inputs, stepbeat
from visualizer.scene.labels import cut
from visualizer.scene.picture import (
    Focus,
    Image,
    Line,
    Look,
    Mark,
    Path,
    Points,
    Rect,
    Run,
    Scale,
    Text,
    plain,
)
from visualizer.scene.reading import Reading, blank_of, foretells, label, number_said, step_said, word_said
from visualizer.scene.timeline import ease, progress
from visualizer.scene.type import width
from visualizer.trace import Trace, remembered
from visualizer.views.unrolled._plan import Plan, Track

SMALLEST = 11.0
"""Pixels of the smallest words."""
OPENED_BY = stepbeat.stretch("gates", False)
MADE = stepbeat.stretch("keep", False)[0], stepbeat.stretch("show", False)[1]
ANSWERED = stepbeat.stretch("answer", False)
RETURNED = stepbeat.stretch("output", True)[0], stepbeat.stretch("gates", True)[1]
"""From which phase of a step to which its gates open, its state comes out, and the answer moves; and on the way back
its gradient is laid down, when that has hopped over."""
DECADES = 6
"""How many powers of ten below the largest gradient are drawn; smaller ones are printed as below that."""


def columns(trace: Trace, plan: Plan, look: Look) -> list[Mark]:
    """All columns of the window; those at its rim, and those that fold away, fainter."""
    steps = plan.window
    inner = [step for step in steps if plan.edge(step) >= 1]
    marks: list[Mark] = []
    going = 1 - progress(plan.fold, 0.5, 0.8)
    if going > 0:
        for step in (steps.start, steps.stop - 1):
            if 0 < plan.edge(step) < 1:
                marks += parts.faded(_group(trace, plan, range(step, step + 1), look), plan.edge(step) * going)
        if inner:
            marks += parts.faded(_group(trace, plan, range(inner[0], inner[-1] + 1), look), going)
    if plan.fold > 0:
        marks += _folding(trace, plan, look)
    return marks


def _group(trace: Trace, plan: Plan, steps: range, look: Look) -> list[Mark]:
    """Columns side by side."""
    x, wide = plan.box(steps.start)
    pitch = plan.box(steps.start + 1)[0] - x
    marks = _inputs(plan, steps, x, wide, pitch, look, plan.worded)
    if plan.expects and plan.worded > 0:
        marks += parts.faded(_expects(trace, plan, steps, look), plan.worded)
    for track in plan.tracks:
        if track.weights and plan.pitch >= 24:
            marks += _same_weights(track, plan, steps, x, wide, pitch, look)
        marks += state(track, steps, x, wide, pitch)
        marks += gates(track, plan, steps, x, wide, pitch)
    return marks


def _folding(trace: Trace, plan: Plan, look: Look) -> list[Mark]:
    """The one cell that all columns fold into: the step shown, over the one before it while they change."""
    marks: list[Mark] = []
    steps = [max(1, plan.came), max(1, plan.reached)] if plan.share < 1 else [max(1, plan.reached)]
    for number in dict.fromkeys(steps):
        step, coming = number - 1, number == steps[-1] and len(set(steps)) > 1
        going = 1 - progress(plan.share, 0.0, 0.4) if len(set(steps)) > 1 else 1.0
        seen = progress(plan.share, 0.6, 1.0) if coming else going
        seen = 1 - (1 - seen) * min(1.0, 5 * plan.moved)  # side by side, both are seen all the time
        x, wide = plan.cell_box(step)
        one = range(step, step + 1)
        marks += parts.faded(_inputs(plan, one, x, wide, 0.0, look, seen), 1.0 if not coming else seen)
        if plan.expects:
            marks += parts.faded(_expects(trace, plan, one, look, (x, wide)), seen)
        for track in plan.tracks:
            if track.weights and not (coming and plan.moved == 1):
                marks += _same_weights(track, plan, one, x, wide, 0.0, look)
            marks += state(track, one, x, wide, 0.0, bare=coming)
            marks += gates(track, plan, one, x, wide, 0.0, bare=coming)
    return marks


# --- what is read -----------------------------------------------------------------------------------------------------

def _inputs(plan: Plan, steps: range, x: float, wide: float, pitch: float, look: Look, worded: float) -> list[Mark]:
    """What steps read: a picture, numbers, or a word in a box; in the accent for the step of the beat."""
    source = plan.source
    if source is None:
        return _words(plan, steps, x, wide, pitch, look, worded)
    read = plan.track.read
    marks: list[Mark] = []
    known = range(steps.start, min(steps.stop, len(source.values) if source.kind != "windows" else plan.shown.total))
    name = plan.shown.layer.name
    high = plan.inputs_high - (0 if source.kind == "numbers" else 18)
    if source.kind == "numbers":
        marks += [Rect(x + index * pitch, plan.inputs_y, wide, high, "sunk", radius=4, focus=Focus(name, (step,)))
                  for index, step in enumerate(steps) if step < plan.shown.steps]
        marks += step_inputs.bars(source, known, x, plan.inputs_y, wide, high, pitch, name)
        marks += _pulled(plan, known, x, wide, pitch, high, look)
    elif source.kind == "rows":
        cell = (wide, high / source.values.shape[1])
        marks.append(step_inputs.lines(source, known, x, plan.inputs_y, cell, pitch, name, 0.3))
        marks += [Rect(x + index * pitch, plan.inputs_y, wide, high, "hatch", opacity=1 - read.of(step))
                  for index, step in enumerate(known) if read.of(step) < 1]
        done = range(max(known.start, read.done.start), min(known.stop, read.done.stop))
        for some, seen in ((done, 1.0), (range(read.now, read.now + 1), read.share)):
            if len(some) and some.start in known and seen:
                left = x + (some.start - known.start) * pitch
                marks.append(step_inputs.lines(source, some, left, plan.inputs_y, cell, pitch, name, seen))
        marks += _pulled(plan, known, x, wide, pitch, high, look)
    else:
        marks += _windows(plan, known, x, wide, pitch, high, look)
    for index, step in enumerate(steps):
        left = x + index * pitch
        if step >= plan.shown.steps:
            marks.append(Rect(left, plan.inputs_y, wide, high, "hatch", "tile-border", 1, inside=True))
        if source.kind != "numbers":
            marks += parts.faded(_number(plan, step, left, wide, look), worded * (not _folds(plan, step, pitch)))
        marks += parts.faded([Rect(left - 1, plan.inputs_y - 1, wide + 2, high + 2, "", "accent", 2, radius=2)],
                             _lit(plan, step) * (source.kind != "windows"))
    return marks


def _pulled(plan: Plan, steps: range, x: float, wide: float, pitch: float, high: float, look: Look) -> list[Mark]:
    """Over what steps read, the size of the gradient of each of its values, where that has come; numbers keep their
    bars, and a minus where the gradient is negative."""
    found, source = plan.saliency, plan.source
    if found is None or source is None:
        return []
    name, count = plan.shown.layer.name, found.values.shape[1]
    one_row = source.kind == "numbers" and wide / count >= 3
    cell = (wide / count, high) if one_row else (wide, high / count)
    marks: list[Mark] = []
    for some, seen in _alike(steps, plan.pulls):
        left = x + (some.start - steps.start) * pitch
        entries = found.entries[some.start:some.stop]
        shaped = np.ascontiguousarray(entries[:, None, :] if one_row else entries[:, :, None])
        marks.append(Image(left, plan.inputs_y, cell, shaped, "gradient", len(some), (pitch, 0), focus=Focus(name),
                           indices=tuple(some), opacity=seen, scale=found.scale))
        if one_row:
            bars = step_inputs.bars_on(source, some, entries, left, plan.inputs_y, wide, high, pitch, look)
            marks += parts.faded([*bars, *_signs(found.values, some, entries, source.values, left, plan.inputs_y, cell,
                                                 pitch, look)], seen)
    return marks


def _signs(gradient: NDArray[np.float64], steps: range, entries: NDArray[np.uint8], values: NDArray[np.float64],
           x: float, y: float, cell: tuple[float, float], pitch: float, look: Look) -> list[Mark]:
    """A minus on every negative gradient, on the side of the zero line where its number has no bar."""
    if cell[0] < 8:
        return []

    def middle(tile: int, row: int, column: int) -> tuple[float, float]:
        side = 0.75 if values[steps.start + tile, column] >= 0 else 0.25
        return x + tile * pitch + (column + 0.5) * cell[0], y + side * cell[1]

    return parts.minuses(gradient[steps.start:steps.stop, None, :], entries[:, None, :], "gradient", look,
                         min(19.0, cell[0]), middle)


def _alike(steps: range, seen: tuple[float, ...]) -> list[tuple[range, float]]:
    """Neighbouring steps of which equally much is seen; none of which nothing is."""
    found: list[tuple[range, float]] = []
    for step in steps:
        if found and found[-1][1] == seen[step]:
            found[-1] = range(found[-1][0].start, step + 1), seen[step]
        else:
            found.append((range(step, step + 1), seen[step]))
    return [(some, share) for some, share in found if share > 0]


def _windows(plan: Plan, steps: range, x: float, wide: float, pitch: float, high: float, look: Look) -> list[Mark]:
    """The columns of the picture over the steps that they become, and the window that the step of the beat sees."""
    source = plan.source
    assert source is not None
    total, name = source.values.shape[1], plan.shown.layer.name
    rows = source.values.shape[0]
    if not pitch:
        low, last = source.windows[steps.start]
        low, last = max(0, low), min(total - 1, last)
        shown = step_inputs.shades(source)[None, :, low:last + 1]
        cell = (wide / shown.shape[2], high / rows)
        return [Image(x, plan.inputs_y, cell, np.ascontiguousarray(shown), "pixel", scale=step_inputs.scale_of(source)),
                *_came_back(plan, x, cell, low, last + 1)]
    each = total / plan.shown.total
    first, end = int(np.ceil(steps.start * each)), int(np.floor(steps.stop * each))
    left, pixel = x - (pitch - wide) / 2, pitch / each
    shown = step_inputs.shades(source)[None, :, first:end]
    marks: list[Mark] = [
        Image(left + (first - steps.start * each) * pixel, plan.inputs_y, (pixel, high / rows),
              np.ascontiguousarray(shown), "pixel", scale=step_inputs.scale_of(source)),
        *_came_back(plan, left + (first - steps.start * each) * pixel, (pixel, high / rows), first, end),
        Image(left, plan.inputs_y, (pitch, high), np.zeros((len(steps), 1, 1), np.uint8), "pixel", len(steps),
              focus=Focus(name), indices=tuple(steps), opacity=0.0)]
    for number, seen in ((plan.came, 1 - plan.share), (plan.reached, plan.share)):
        if number < 1 or number - 1 not in steps or not seen * plan.worded:
            continue
        low, last = (min(max(0, column), total - 1) for column in source.windows[number - 1])
        a, b = (left + (edge - steps.start * each) * pixel for edge in (max(low, first), min(last + 1, end)))
        marks.append(Rect(a - 1, plan.inputs_y - 2, b - a + 2, high + 4, "", "accent", 2.5, radius=3,
                          opacity=seen * plan.worded))
    return marks


def _came_back(plan: Plan, x: float, cell: tuple[float, float], first: int, end: int) -> list[Mark]:
    """The size of the gradient of every pixel in some columns, when it is known: of all of them at once."""
    found = plan.saliency
    seen = plan.pulls[0]
    if found is None or seen <= 0:
        return []
    return [Image(x, plan.inputs_y, cell, np.ascontiguousarray(found.entries[None, :, first:end]), "gradient",
                  opacity=seen, scale=found.scale)]


def _lit(plan: Plan, step: int) -> float:
    """How much a step is the one of the beat: it hands that over to the next one."""
    if plan.step <= 0:
        return 0.0
    return (plan.share if step + 1 == plan.reached else 0.0) + (1 - plan.share if step + 1 == plan.came else 0.0)


def _folds(plan: Plan, step: int, pitch: float) -> bool:
    """Whether the words of a column are those of the folded cell, which is drawn over the columns."""
    return pitch > 0 and plan.fold > 0 and step + 1 in (max(1, plan.came), max(1, plan.reached))


def _number(plan: Plan, step: int, x: float, wide: float, look: Look) -> list[Mark]:
    """The number of a step under the picture that it reads."""
    y = plan.inputs_y + plan.inputs_high - 3
    if step >= plan.shown.steps:
        return []
    word = number_said(plan.shown, step)
    every = 1 if plan.pitch >= 7 * len(unplaced(word)) + 2 else 5
    lit = _lit(plan, step)
    beside = every > 1 and lit < 1 and 1 in (_lit(plan, step - 1), _lit(plan, step + 1))
    if ((step + 1) % every and lit < 1) or beside:
        return []
    return [Text(x + wide / 2, y, plain(word), 11, 600 if lit == 1 else 400, "accent-ink" if lit == 1 else "ink-2",
                 "middle")]


def _words(plan: Plan, steps: range, x: float, wide: float, pitch: float, look: Look, worded: float) -> list[Mark]:
    """Boxes with the word that each step reads, hatched where there is only padding."""
    y, shown = plan.inputs_y, plan.shown
    real = range(steps.start, min(steps.stop, shown.steps))
    boxes = [Rect(x + (step - steps.start) * pitch, y, wide, 32, "sunk", radius=min(6, wide / 2),
                  focus=Focus(shown.layer.name, (step,))) for step in real]
    marks: list[Mark] = [*boxes, *(
        Rect(x + (step - steps.start) * pitch, y, wide, 32, "hatch", "tile-border", 1, inside=True)
        for step in range(max(steps.start, shown.steps), steps.stop))]
    for step, box in zip(real, boxes, strict=True):
        lit = _lit(plan, step)
        if lit:
            marks.append(replace(box, fill="accent-fill", opacity=lit))
        came, fill = plan.pulls[step], ""
        if plan.saliency is not None and came > 0:
            fill = f"gradient:{int(plan.saliency.entries[step, 0])}"
            marks.append(replace(box, fill=fill, opacity=came, scale=plan.saliency.scale, tip=(
                (tr("Step {step}, “{word}”: the size of its gradient is {values}.") if shown.worded else
                 tr("Step {step}: the size of its gradient is {values}.")).format(
                    step=step_said(shown, step), word=word_said(shown, step) if shown.worded else "",
                    values=plan.saliency.said(step)))))
            marks += parts.faded([replace(box, x=box.x - 1, y=y - 1, width=wide + 2, height=34, fill="",
                                          stroke="accent", stroke_width=2.5)], lit)
        said, size, mono = _fitted(shown.words[step], plan.tile if pitch else wide)
        if not said or _folds(plan, step, pitch):
            continue
        inks = [("ink" if plan.track.read.of(step) else "ink-2", (1 - lit) * (1 - came)),
                ("on-accent", lit * (1 - came)), (colour.ink_on(fill, look.theme) if fill else "ink", came)]
        for color, seen in inks:
            if seen * worded > 0:
                marks.append(Text(box.x + wide / 2, y + 21, plain(said), size, 600, color, "middle",
                                  max(wide, 1.0) - 2 if wide > 4 else 0, mono=mono, opacity=seen * worded))
    return marks


@lru_cache(maxsize=2048)
def _fitted(word: str, wide: float) -> tuple[str, float, bool]:
    """A word as it fits into a box: its number alone where `row 12` is too long, smaller, or nothing."""
    if wide < 7 * len(word) and word[-1:].isdigit():
        word = word.rpartition(" ")[2]
    mono = len(word) <= 2
    size = 16 if mono else min(13, max(SMALLEST, wide / max(1, len(word)) * 1.55))
    if mono and len(word) * 0.62 * size > wide - 2:
        size = (wide - 2) / (0.62 * len(word))
    return (word, size, mono) if size >= SMALLEST and (mono or cut(plain(word), wide - 2, size, 600)) else \
        ("", 0.0, False)


# --- what comes next --------------------------------------------------------------------------------------------------

def _expects(trace: Trace, plan: Plan, steps: range, look: Look, cell: tuple[float, float] | None = None) -> list[Mark]:
    """The likeliest answer after each step: its name, percent and a bar; in the accent when it turned out right."""
    answers, y = plan.answers, plan.expects
    assert answers is not None
    probabilities, claim = answers.values, partial(sofar.claim, trace, plan.shown, answers)
    sunk: list[Points] = []
    marks: list[Mark] = []
    for step in steps:
        if cell is None and _folds(plan, step, plan.pitch):
            continue
        x, wide = cell or (plan.open_x(step), plan.tile)
        known = progress(min(track.read.of(step) for track in plan.tracks), *ANSWERED)
        if known == 0:
            continue
        if not answers.shares:
            words = said(numbers.number(float(probabilities[step][0])), *claim("answer", 0, step))
            marks += _number_said(plan, words, step, x, wide, y, known)
            continue
        best = int(np.argmax(probabilities[step]))
        share = float(probabilities[step][best])
        right = step + 1 < plan.shown.steps and foretells(trace) and label(trace, best) == plan.shown.words[step + 1]
        ink, weight = ("accent-ink", 600) if right else ("ink-2", 400)
        name = said(label(trace, best), *claim("label", best, step))
        blank = best == blank_of(trace)
        if blank and wide < 60:
            marks.append(Rect(x + wide / 2 - 5, y + 3, 10, 10, "hatch", "tile-border", 1, inside=True,
                              opacity=known, focus=Focus(plan.shown.layer.name, (step,)), tip=tr("blank")))
        elif cell or plan.pitch >= (60 if look.projector else 46):
            told: tuple[Run, ...] = (Run(f"{name} ", mono=True), Run(said(
                numbers.percent(share, 0), *claim("chance", best, step))))
            if look.projector and width(told, 11, weight) > plan.pitch - 3 and not cell:
                told = (Run(name),)
            marks.append(Text(x, y + 12, told, 11, weight, ink, max_width=wide + 6, opacity=known))
        elif cut(plain(name), wide, 11, weight, True) and (
                plan.pitch >= 18 or width(label(trace, best), 11, weight, mono=True) <= plan.pitch - 2):
            marks.append(Text(x + wide / 2, y + 12, plain(name), 11, weight, ink, "middle", wide,
                              mono=True, opacity=known))
        if known == 1:
            sunk.append(parts.polygon(((x, y + 19), (x + wide, y + 19), (x + wide, y + 22),
                                       (x, y + 22))))
        marks.append(Rect(x, y + 19, max(1.0, wide * share * ease(known)), 3, "accent" if right else "ink-2",
                          radius=1.5, opacity=known))
    return [Path(tuple(sunk), fill="sunk"), *marks] if sunk else marks


def _number_said(plan: Plan, words: str, step: int, x: float, wide: float, y: float, known: float) -> list[Mark]:
    """The number that the network would answer after a step."""
    if width(words, 11) > plan.pitch - 2 and wide < 60:
        return []
    return [Text(x + wide / 2, y + 12, plain(words), 11, 400, "ink-2", "middle", opacity=known,
                 focus=Focus(plan.shown.layer.name, (step,)))]


def _same_weights(track: Track, plan: Plan, steps: range, x: float, wide: float, pitch: float,
                  look: Look) -> list[Mark]:
    """The same corner of the same recurrent matrix at every step, joined: the repetition is the message."""
    y = track.weights
    shades = _corner(track.shown)
    size = max(shades.shape)
    whole = max(1.0, float(int(min(plan.tile, 34) // size)))
    largest = max(whole, float(int(34 // size)))
    cell = whole * min(1.0, wide / plan.tile) if pitch else whole + (largest - whole) * plan.moved
    side = shades.shape[1] * cell
    left = x + (wide - side) / 2
    marks: list[Mark] = [
        Image(left, y, (cell, cell), np.ascontiguousarray(np.repeat(shades[None], len(steps), 0)), "weight",
              len(steps), (pitch, 0), border="tile-border", focus=Focus(track.shown.layer.name, (), "weight_hh"),
              indices=(-1,) * len(steps), scale=corner_scale(track.shown))]
    if pitch > side + 4 and plan.worded > 0:
        real = [step for step in steps if 0 < step < track.shown.steps]
        ends = [left + (step - steps.start) * pitch for step in real]
        gap, middle = pitch - side, y + side / 2
        strokes = tuple(((end - gap, middle), (end - gap, middle), (end, middle), (end, middle)) for end in ends)
        heads = tuple(parts.polygon(((end, middle), (end - 5, middle - 3), (end - 5, middle + 3)))
                      for end in ends)
        if ends:
            marks += [Path(strokes, stroke="weight-negative-text", opacity=plan.worded),
                      Path(heads, fill="weight-negative-text", opacity=plan.worded)]
    return marks


@remembered(32)
def _corner(shown: Reading) -> NDArray[np.uint8]:
    corner = shown.layer.weights["weight_hh"][:16, :16]
    return colour.signed(corner, colour.largest(corner) or 1.0)


def corner_scale(shown: Reading) -> Scale:
    """What the colours of the corner stand for."""
    top = colour.largest(shown.layer.weights["weight_hh"][:16, :16]) or 1.0
    return Scale("weight", tr("weights"), f"{shown.layer.name}.weight_hh", -top, top, tr("the corner shown"))


def state_scale(shown: Reading) -> Scale:
    """What the colours of the states stand for."""
    top = top_of_states(shown)
    return Scale("activation", tr("values"), f"{shown.layer.name}.hidden", -top, top, tr("one scale for every step"))


def gradient_scale(of: str, values: NDArray[np.float64]) -> Scale:
    """What the colours of the gradients stand for."""
    top = colour.largest(values) or 1.0
    return Scale("gradient", tr("size of the gradient"), of, top * 10.0 ** -DECADES, top,
                 tr("one scale for every step"), True)


# --- state and gates --------------------------------------------------------------------------------------------------

def state(track: Track, steps: range, x: float, wide: float, pitch: float, bare: bool = False) -> list[Mark]:
    """Columns of units: the state, and over it, from the moment it arrives, the gradient; hatched where there is none.

    `bare` leaves out the hatching: something else stands there still.
    """
    y, cell, shown = track.hidden, track.cell, track.shown
    focus = Focus(shown.layer.name)
    here = shades(shown, track.order, track.per_row)
    units = track.order if track.per_row == 1 else ()
    count = len(steps)
    values = np.full((count, track.rows, 1), colour.ZERO, here.dtype)
    real = range(steps.start, min(steps.stop, shown.steps))
    values[:len(real), :, 0] = here[real.start:real.stop]
    missing = np.array([track.back or step not in track.read.done for step in steps])
    marks: list[Mark] = []
    if not (bare and missing.any()):
        hatched = np.ascontiguousarray(np.broadcast_to(missing[:, None, None], values.shape)) if missing.any() else None
        marks.append(Image(x, y, (wide, cell), values, "activation", count, (pitch, 0), hatched=hatched, focus=focus,
                           indices=tuple(steps), rows=units, scale=state_scale(shown)))
    if track.read.now in steps and not track.back:
        marks += _uncovered(here, track.read.now, x + (track.read.now - steps.start) * pitch, y, (wide, cell),
                            progress(track.read.share, *MADE), state_scale(shown), focus)
    back = gradient_shades(shown, track.order, track.per_row)
    if back is None or shown.gradients is None:
        return marks
    came = range(max(steps.start, track.arrived.done.start), min(real.stop, track.arrived.done.stop))
    if len(came):
        marks.append(Image(x + (came.start - steps.start) * pitch, y, (wide, cell),
                           np.ascontiguousarray(back[came.start:came.stop, :, None]), "gradient", len(came), (pitch, 0),
                           focus=focus, indices=tuple(came), rows=units,
                           scale=gradient_scale(f"{shown.layer.name}.hidden", shown.gradients)))
    if track.arrived.now in steps:
        marks += _uncovered(back, track.arrived.now, x + (track.arrived.now - steps.start) * pitch, y, (wide, cell),
                            progress(track.arrived.share, *RETURNED),
                            gradient_scale(f"{shown.layer.name}.hidden", shown.gradients), focus)
    return marks


def _uncovered(entries: NDArray[np.uint8], step: int, x: float, y: float, cell: tuple[float, float], share: float,
               scale: Scale, focus: Focus) -> list[Mark]:
    """The column of a step under way, from the top."""
    if share <= 0:
        return []
    return [Image(x, y, cell, np.ascontiguousarray(entries[step][None, :, None]), scale.palette, focus=focus,
                  indices=(step,), rows_shown=share, scale=scale)]


@remembered(32)
def shades(shown: Reading, order: tuple[int, ...], per_row: int) -> NDArray[np.uint8]:
    """(step, row): palette entries of all states; where several units share a row, of the one farthest from zero."""
    return colour.signed(_shared(shown.states, order, per_row), top_of_states(shown))


@remembered(32)
def gradient_shades(shown: Reading, order: tuple[int, ...], per_row: int) -> NDArray[np.uint8] | None:
    """The same of the gradient, on one scale for all steps."""
    if shown.gradients is None:
        return None
    top = colour.largest(shown.gradients) or 1.0
    return colour.magnitude(_shared(shown.gradients, order, per_row), top * 10.0 ** -DECADES, top)


def _shared(values: NDArray[np.float64], order: tuple[int, ...], per_row: int) -> NDArray[np.float64]:
    """(step, row) in the order of the rows."""
    ordered = values[:, list(order)]
    if per_row == 1:
        return ordered
    padded = np.pad(ordered, ((0, 0), (0, -ordered.shape[1] % per_row))).reshape(len(values), -1, per_row)
    strongest: NDArray[np.float64] = np.take_along_axis(padded, np.abs(padded).argmax(-1)[..., None], -1)[..., 0]
    return strongest


@remembered(32)
def top_of_states(shown: Reading) -> float:
    """tanh states are drawn on −1 … 1 always; those of a ReLU, or of a projection, by their largest."""
    return 1.0 if shown.squashed else colour.largest(shown.states) or 1.0


def gates(track: Track, plan: Plan, steps: range, x: float, wide: float, pitch: float,
          bare: bool = False) -> list[Mark]:
    """How open each gate is on average, as fill levels; on the way back the size of its gradient."""
    marks: list[Mark] = []
    high, read = track.gate_high, track.read
    for index, (key, _, _) in enumerate(track.shown.gates):
        y, means = track.gates + track.gate_pitch * index, _means(track.shown)[key]
        grounds: list[Points] = []
        levels: list[Points] = []
        for place, step in enumerate(steps):
            left, done = x + place * pitch, progress(read.of(step), *OPENED_BY)
            if done == 0 or track.back:
                continue
            grounds.append(_area(left, y, wide, high))
            level = max(1.0, high * float(means[step]) * done)
            levels.append(_area(left, y + high - level, wide, level))
            lit = _lit(plan, step) if track is plan.track else 0.0
            if lit:
                marks.append(Rect(left, y + high - level, wide, level, "accent", radius=1, opacity=lit))
        empty = np.array([track.back or progress(read.of(step), *OPENED_BY) == 0 for step in steps])
        below: list[Mark] = [Path(tuple(grounds), fill="sunk"), Path(tuple(levels), fill="rule")] if grounds else []
        if not (bare and empty.any()):
            below.insert(0, Image(
                x, y, (wide, high), np.full((len(steps), 1, 1), colour.ZERO, np.uint8), "activation", len(steps),
                (pitch, 0), hatched=empty[:, None, None], opacity=1.0 if empty.any() else 0.0,
                focus=Focus(track.shown.layer.name, (), f"inner.{key}"), indices=tuple(steps)))
        marks = [*below, *marks, *_gate_gradient(track, key, steps, x, y, wide, pitch)]
    return marks


def _gate_gradient(track: Track, key: str, steps: range, x: float, y: float, wide: float, pitch: float) -> list[Mark]:
    """The largest gradient of a gate at each step, where it has arrived."""
    entries = _largest(track.shown).get(key)
    if entries is None:
        return []
    scale = gradient_scale(f"{track.shown.layer.name}.{key}", track.shown.layer.inner_gradients[key])
    focus = Focus(track.shown.layer.name, (), f"inner.{key}")
    done = range(max(steps.start, track.arrived.done.start), min(steps.stop, track.arrived.done.stop))
    marks: list[Mark] = []
    if len(done):
        marks.append(Image(x + (done.start - steps.start) * pitch, y, (wide, track.gate_high),
                           np.ascontiguousarray(entries[done.start:done.stop, None, None]), "gradient", len(done),
                           (pitch, 0), focus=focus, indices=tuple(done), scale=scale))
    now = track.arrived.now
    seen = progress(track.arrived.share, *RETURNED)
    if now in steps and seen > 0:
        marks.append(Image(x + (now - steps.start) * pitch, y, (wide, track.gate_high),
                           np.ascontiguousarray(entries[now:now + 1, None, None]), "gradient", focus=focus,
                           indices=(now,), opacity=seen, scale=scale))
    return marks


@remembered(32)
def _means(shown: Reading) -> dict[str, NDArray[np.float64]]:
    return {key: values.mean(axis=1) for key, _, values in shown.gates}


@remembered(32)
def _largest(shown: Reading) -> dict[str, NDArray[np.uint8]]:
    """Palette entries of the largest gradient of each gate at every step, each gate on its own scale."""
    found = {}
    for key, _, _ in shown.gates:
        gradient = shown.layer.inner_gradients.get(key)
        if gradient is not None:
            sizes = np.max(np.abs(np.asarray(gradient, np.float64)), axis=1)
            top = colour.largest(sizes) or 1.0
            found[key] = colour.magnitude(sizes, top * 10.0 ** -DECADES, top)
    return found


def _area(x: float, y: float, wide: float, high: float) -> Points:
    return parts.polygon(((x, y), (x + wide, y), (x + wide, y + high), (x, y + high)))


def joined(track: Track, plan: Plan, look: Look) -> list[Mark]:
    """Arrows from state to state, where the two directions have to be told apart: which step is read after which."""
    y = track.hidden - 9
    opacity = plan.worded
    x, end = plan.x + 6, plan.end - 12
    if opacity <= 0:
        return []
    tip, tail = (x, end) if track.shown.reverse else (end, x)
    back = 6 if track.shown.reverse else -6
    return [Line(((tail, y), (tip, y)), "rule", 1.5, opacity=opacity),
            Path((parts.polygon(((tip, y), (tip + back, y - 4), (tip + back, y + 4))),), fill="ink-2",
                 opacity=opacity)]
