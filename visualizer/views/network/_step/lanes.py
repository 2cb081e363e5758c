"""Under a step: the line of beats, and two lanes over all steps. Forwards what was expected and how surprising what
came was, or how far the state moved; on the way back the size of the gradient, and what each hop keeps."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from visualizer.language import tr
from visualizer.said import said
from visualizer.scene import colour, numbers, parts, steps
from visualizer.scene.labels import row_name
from visualizer.scene.picture import LANE, Focus, Mark, Rect, Run, Stop, Text, grouped, plain
from visualizer.scene.reading import foretells
from visualizer.scene.timeline import Timeline
from visualizer.scene.type import Runs, width
from visualizer.size import norm, norms
from visualizer.views.network._step.answers import claimed, named
from visualizer.views.network._step.scene import Scene

DECADES = 4
"""Powers of ten below the largest gradient that a bar spans."""
TALL = 4.0


def draw(sc: Scene, times: Timeline) -> list[Mark]:
    """Where this step stands among the beats, and its own cells of both lanes."""
    if not sc.look.mode.lanes:
        return steps.line_of_steps(100, sc.look.size[0] - 124, sc.shown, sc.step + 1, sc.moment, sc.look)
    marks = parts.beat_line(sc.trace, times, sc.moment, sc.look, parts.even_places(sc.trace, sc.look))
    for index, (_, cell) in enumerate(_pair(sc)):
        marks += _lane(sc, index, cell, changing(sc))
    return grouped(LANE, marks)


def changing(sc: Scene) -> set[int]:
    """The steps of the lanes that change while this one is computed: its own, and the one whose surprise it is."""
    return {sc.step, sc.before} if sc.when.coming < 0 else set()


def standing(sc: Scene) -> list[Mark]:
    """Both lanes at all other steps."""
    if not sc.look.mode.lanes:
        return []
    marks = _band(sc)
    others = set(range(sc.shown.steps)) - changing(sc)
    for index, (title, cell) in enumerate(_pair(sc)):
        x = sc.plan.strip.x - 14
        marks += row_name(x, sc.plan.strip.lane[index] + 13, title, x - 4)
        marks += _lane(sc, index, cell, others)
    addresses = steps.stops(sc.trace, sc.shown, sc.moment.beat.direction)
    place = sc.plan.strip
    for step in range(sc.shown.steps) if addresses is not None else ():
        if place.seen(step) > 0.9:
            assert addresses is not None
            marks.append(Rect(place.left(step), place.lane[0] - 4, place.pitch,
                              sc.look.size[1] - place.lane[0] + 2, focus=Focus(sc.layer.name, (step,)),
                              holds=Stop(addresses.addresses[step])))
    return grouped(LANE, marks)


Cell = Callable[[Scene, int, float, float], list[Mark]]
"""What a lane shows at a step, from (step, left, top); nothing where it is not known yet."""


def _pair(sc: Scene) -> tuple[tuple[Runs, Cell], tuple[Runs, Cell]]:
    """What the two lanes are."""
    if sc.back is not None:
        return ((Run("∥∂L/∂"), Run("h", italic=True), Run("∥, log")), _gradient), (plain(tr("a hop keeps")), _hop)
    moves: tuple[Runs, Cell] = plain(tr("state moves")), _moves
    if sc.answers is None:
        return moves, (plain(tr("keeps, mean")), _keeps)
    says = tr("expects next") if sc.answers.own and foretells(sc.trace) else \
        tr("says") if sc.answers.own else tr("would say")
    if sc.answers.own and foretells(sc.trace):
        return (plain(says), _expects), (plain(tr("surprise, bits")), _surprise)
    return (plain(says), _expects), moves


def _band(sc: Scene) -> list[Mark]:
    """Under the step that is drawn; it goes on with it."""
    place, when = sc.plan.strip, sc.when
    if when.step < 0:
        return []
    at = when.step + (when.coming - when.step) * when.slide if when.coming >= 0 else float(when.step)
    return [Rect(place.left(at) - 2, place.lane[0] - 5, place.tile + 4, sc.look.size[1] - place.lane[0] + 2, "tint",
                 radius=6)] if place.seen(at) > 0.9 else []


def _lane(sc: Scene, index: int, cell: Cell, which: set[int]) -> list[Mark]:
    place, top = sc.plan.strip, sc.plan.strip.lane[index]
    marks: list[Mark] = []
    first = max(0, int(place.first))
    for step in range(first, min(sc.shown.steps, first + place.count + 2)):
        if step not in which:
            continue
        seen = place.seen(step)
        if seen <= 0:
            continue
        x = place.left(step)
        found = cell(sc, step, x, top)
        marks += parts.faded(found or [Rect(x, top, place.tile, 20, "hatch")], seen)
    return marks


def _bar(sc: Scene, x: float, top: float, share: float, words: str, ink: str, strong: bool, text: str = "ink",
         mono: bool = False) -> list[Mark]:
    """A word or a number, and under it a bar from 0 to 1; hatched where there is no such share."""
    wide = sc.plan.strip.tile
    marks: list[Mark] = [Rect(x, top + 18, wide, TALL, "sunk", radius=1.5)]
    if math.isfinite(share):
        marks.append(Rect(x, top + 18, max(0.75, wide * min(1.0, max(0.0, share))), TALL, ink, radius=1.5))
    else:
        marks.append(Rect(x, top + 18, wide, TALL, "hatch"))
    if words and width(words, 12, 600, mono) <= sc.plan.strip.pitch - 4:
        marks.append(Text(x + wide / 2, top + 12.5, plain(words), 12, 600 if strong else 400, text, "middle",
                          mono=mono))
    return marks


def _here(sc: Scene, step: int, stage: str) -> bool:
    """Whether a step has come as far as to have what a stage makes."""
    if step == sc.step:
        return sc.done(stage) >= 1
    return step in sc.seen


def _expects(sc: Scene, step: int, x: float, top: float) -> list[Mark]:
    assert sc.answers is not None
    if step not in sc.known or not _here(sc, step, "answer") or step >= len(sc.answers.values):
        return []
    row = sc.answers.values[step]
    if not sc.answers.shares:
        value = float(row[0])
        known = sc.answers.values[[one for one in range(sc.shown.steps) if _here(sc, one, "answer")]]
        most = colour.largest(known) or 1.0
        return _bar(sc, x, top, abs(value) / most, said(numbers.number(value), *claimed(sc, "answer", 0, step)),
                    "positive-bar" if value >= 0 else "negative-bar", step == sc.step)
    best = int(np.argmax(row))
    name = named(sc, best)
    tells = sc.answers.own and foretells(sc.trace) and step + 1 < sc.shown.steps and _read(sc, step + 1)
    right = tells and name == sc.shown.words[step + 1]
    fits = width(name, 12, 600, mono=True) <= sc.plan.strip.tile
    return _bar(sc, x, top, float(row[best]), name if fits else name[:3] if sc.plan.strip.tile > 26 else "",
                "accent" if right else "ink-2", right or step == sc.step, "accent-ink" if right else "ink", True)


def _read(sc: Scene, step: int) -> bool:
    """Whether a step's symbol has been seen."""
    return step in sc.seen or (step == sc.step and sc.when.step >= 0 and sc.done("token") > 0.5)


def _surprise(sc: Scene, step: int, x: float, top: float) -> list[Mark]:
    """−log₂ p of what came after a step, once it has come."""
    assert sc.answers is not None
    if step not in sc.known or step + 1 >= sc.shown.steps or not _read(sc, step + 1):
        return []
    labels = sc.trace.labels
    came = sc.trace.sample.steps[step + 1]
    if came not in labels:
        return []
    bits = -math.log2(max(float(sc.answers.values[step][labels.index(came)]), 1e-30))
    most = math.log2(max(2, len(labels)))
    return _bar(sc, x, top, bits / most, said(
        numbers.number(bits, 1), *claimed(sc, "bits of surprise at what came", 0, step)), "ink-2", bits > 3)


def _moves(sc: Scene, step: int, x: float, top: float) -> list[Mark]:
    """How far the state of a step lies from the one before."""
    if not _here(sc, step, "show"):
        return []
    far = _distances(sc)
    most = math.sqrt(sc.shown.units) if sc.shown.squashed else colour.largest(far) or 1.0
    words = said(numbers.number(float(far[step]), 1), "how far the state moves", sc.layer.name, step=step,
                 array="inner.hidden")
    return _bar(sc, x, top, float(far[step]) / most, words, "ink-2", step == sc.step)


def _distances(sc: Scene) -> np.ndarray:
    far: np.ndarray = norms(sc.forward.arrays["hidden"] - sc.forward.arrays["hidden_before"], 1)
    return far


def _keeps(sc: Scene, step: int, x: float, top: float) -> list[Mark]:
    """How open the gate is that keeps, the mean of all units; of an RNN how many states are at their ends."""
    if not _here(sc, step, "show"):
        return []
    key = sc.shown.family.kept[0]
    share = float(sc.forward.arrays[key][step].mean()) if key else float(sc.shown.saturation[step])
    claim = ("mean", sc.layer.name, (), step, f"inner.{key}") if key else \
        ("share of saturated units", sc.layer.name, (), step)
    return _bar(sc, x, top, share, said(numbers.number(share), *claim), "ink-2", step == sc.step)


# --- on the way back --------------------------------------------------------------------------------------------------

def _gradient(sc: Scene, step: int, x: float, top: float) -> list[Mark]:
    assert sc.back is not None
    if not _here(sc, step, "arrive"):
        return []
    sizes = norms(sc.back.arrays["hidden"], 1)
    most, size = colour.largest(sizes), float(sizes[step])
    share = max(0.0, 1 + math.log10(size / most) / DECADES) if 0 < size <= most else size
    ways = [numbers.significant(size, 2), numbers.power(size, 0)]
    of = (sc.layer.name, (), step, "inner_gradients.hidden")
    ways = [said(way, "norm", *of) for way in ways]
    if 0 < size < math.inf:  # at least its power of ten
        ways.append(said(numbers.power_of_ten(round(math.log10(size))), "nearest power of ten of the norm", *of))
    words = next((way for way in ways if width(way, 12, 600) <= sc.plan.strip.pitch - 4), "")
    return _bar(sc, x, top, share, words, "gradient-mark", step == sc.step, "gradient-text")


def _hop(sc: Scene, step: int, x: float, top: float) -> list[Mark]:
    """What a step hands to the state before it, as a share of what came: of the memory, where there is one."""
    assert sc.back is not None
    if not _here(sc, step, "pass"):
        return []
    key = "cell" if "cell" in sc.plan.columns else "hidden"
    over = sc.back.arrays["kept" if key == "cell" else "ways"][step]
    came = norm(sc.back.arrays[key][step])
    if not came > 0:
        return _bar(sc, x, top, 0.0, "–", "gradient-mark", False)
    share = norm(over) / came
    words = said(numbers.number(share), "share of the gradient of a state that goes on", sc.layer.name, (), step, key)
    return _bar(sc, x, top, share, f"× {words}" if sc.plan.strip.pitch > 44 else words, "gradient-mark",
                step == sc.step)


