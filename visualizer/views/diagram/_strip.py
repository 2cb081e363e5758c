"""The unrolled steps below the drawing: what was read, what was expected, and each gate and state of the same unit."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np

from visualizer.language import tr, translated
from visualizer.scene import colour, gatesigns, numbers
from visualizer.scene.cellnumbers import Pick, Values
from visualizer.scene.colour import ZERO
from visualizer.scene.labels import row_name
from visualizer.scene.picture import Focus, Group, Image, Line, Mark, Path, Points, Rect, Run, Text, grouped, plain
from visualizer.scene.reading import Reading, foretells, label
from visualizer.scene.type import width
from visualizer.trace import remembered
from visualizer.views.diagram._parts import ink_of
from visualizer.views.diagram._plan import Strip
from visualizer.views.diagram._scene import Scene

DECADES = 3
"""Powers of ten below the largest gradient that a bar of the strip spans."""


@dataclass(frozen=True)
class _Once:
    """What is made once for all frames in which it is the same: while a step plays only what the band touches moves."""

    about: tuple[Hashable, ...]
    """All that it depends on, beside the reading."""
    make: Callable[[], Any] = field(compare=False)


@remembered(64)
def _kept(shown: Reading, once: _Once) -> Any:
    return once.make()


def draw(sc: Scene, answers: Values | None, done: range, known: range) -> tuple[list[Mark], list[Mark]]:
    """(still, moving): all steps; those that have not been read, or reached on the way back, are hatched."""
    strip = sc.plan.strip
    if strip is None:
        return [], []
    steps = range(strip.first, min(strip.first + strip.count, sc.shown.total))
    still: list[Mark] = [Line(((0, strip.top), (sc.look.size[0], strip.top)), "hair"),
                         *_name(strip, strip.words + strip.words_high / 2 + 4, tr("reads"))]
    here = sc.when.coming if sc.when.slide >= 0.5 else sc.when.step
    others = tuple(step for step in steps if step != here)
    still += _kept(sc.shown, _Once(("reads", strip, others, here), lambda: _reads(sc, strip, others, here)))
    marks = [*_band(sc, strip), *_reads(sc, strip, tuple(step for step in steps if step == here), here)]
    back = sc.back is not None
    if strip.expects and answers is not None and not back:
        still += _name(strip, strip.expects + 12, tr("expects next") if foretells(sc.trace) else tr("says"))
        far, near = _parted(sc, strip, steps)
        still += _kept(sc.shown, _Once(("expects", strip, far, done, known),
                                       lambda: _expects(sc, strip, far, answers, done, known)))
        marks += _expects(sc, strip, near, answers, done, known)
    for key, top in strip.rows:
        standing, moving = (_back_row if back else _row)(sc, strip, key, top, steps, done)
        still, marks = still + standing, marks + moving
    own = Group(tr("all steps"), Focus(sc.shown.layer.name))
    return grouped(own, still), grouped(own, marks)


def _place(sc: Scene) -> float:
    """The step that the band stands on; it goes on while the step slides."""
    when = sc.when
    here = when.step
    if when.coming >= 0 and here >= 0:
        return here + (when.coming - here) * when.slide
    return here


def _band(sc: Scene, strip: Strip) -> list[Mark]:
    if sc.when.step < 0:
        return []
    place = _place(sc)
    x = strip.left(place)
    if not strip.x - 4 <= x <= strip.left(strip.first + strip.count):
        return []
    return [Rect(x - 3, strip.words - 6, strip.tile + 6, strip.bottom - strip.words + 6, "tint", radius=7)]


def _parted(sc: Scene, strip: Strip, steps: range) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(far, near): steps that stand still while one plays; that one, and those that the band touches."""
    x = strip.left(_place(sc))
    near = {step for step in steps if step == sc.when.step
            or x - 4 - strip.tile < strip.left(step) < x + strip.tile + 4}
    return tuple(step for step in steps if step not in near), tuple(sorted(near))


def _reads(sc: Scene, strip: Strip, steps: tuple[int, ...], now: int) -> list[Mark]:
    layer = sc.shown.layer.name
    marks: list[Mark] = []
    seen = sc.shown.words[strip.first:strip.first + strip.count]
    size = next((size for size in (13, 12, 11) if all(_short(word, size, strip.tile) for word in seen)), 0)
    sparse, size = not size, size or 11  # every fifth number, where not all of them find room
    for step in steps:
        x = strip.left(step)
        if step >= sc.shown.steps:
            marks.append(Rect(x, strip.words, strip.tile, strip.words_high, "hatch", "tile-border", 1, inside=True))
            continue
        word, here = sc.shown.words[step], step == now
        said = _short(word, size, strip.tile)
        if here:
            said = said or word.rpartition(" ")[2]
        elif sparse and word.isdecimal():
            said = word if int(word) % 5 == 0 and abs(step - now) > 1 else ""
        wide = max(strip.tile, width(said, size, 600, mono=_mono(said)) + 6) if here else strip.tile
        x -= (wide - strip.tile) / 2
        marks.append(Rect(x, strip.words, wide, strip.words_high, "accent-fill" if here else "sunk",
                          radius=min(5, strip.tile / 3), focus=Focus(layer, (step,))))
        if said:
            marks.append(Text(x + wide / 2, strip.words + strip.words_high / 2 + 4.5, plain(said), size, 600,
                              "on-accent" if here else "ink", "middle", mono=_mono(said)))
    return marks


def _short(word: str, size: int, tile: float) -> str:
    """What a step reads as it fits a tile: of `row 12` the number alone; empty where not even that fits."""
    return next((words for words in (word, word.rpartition(" ")[2])
                 if width(words, size, 600, mono=_mono(words)) <= tile - 2), "")


def _mono(words: str) -> bool:
    return len(words) < 3 and not words.isdecimal()


def _expects(sc: Scene, strip: Strip, steps: tuple[int, ...], answers: Values, done: range, known: range) -> list[Mark]:
    """The likeliest answer after each step; in the accent where it turned out right."""
    trace = sc.trace
    tells = foretells(trace)
    marks: list[Mark] = []
    for step in steps:
        share = 1.0 if step in done and step != sc.when.step else sc.done("answer") if step == sc.when.step else 0.0
        share = share if step in known else 0.0
        if step >= len(answers):
            continue
        x = strip.left(step)
        if share < 1:
            marks.append(Rect(x, strip.expects + 2, strip.tile, 14, "hatch"))
            continue
        best = int(np.argmax(answers[step]))
        right = tells and step + 1 < sc.shown.steps and label(trace, best) == sc.shown.words[step + 1]
        name = label(trace, best)
        if width(name, 12, 600, mono=True) <= strip.pitch - 5:
            marks.append(Text(x + strip.tile / 2, strip.expects + 12, plain(name), 12, 600 if right else 400,
                              "accent-ink" if right else "ink-2", "middle", mono=True))
        marks += [Rect(x, strip.expects + 17, strip.tile, 3, "sunk"),
                  Rect(x, strip.expects + 17, max(1.0, strip.tile * float(answers[step][best])), 3,
                       "accent" if right else "ink-2")]
    return marks


def _name(strip: Strip, y: float, words: str, under: str = "", key: str = "") -> list[Mark]:
    """What a row is, at its left, with the sign of its gate."""
    x = strip.x - 14
    room = x - (28 if key else 4)
    sign = gatesigns.sign(key, x - min(room, width(words, 12, 600)) - 15, y - 4, 17) if key else []
    return [*row_name(x, y, plain(words), room), *sign,
            *(row_name(x, y + 12.5, plain(under), x - 4, 11, 400, "ink-2") if under else ())]


def _row(sc: Scene, strip: Strip, key: str, top: float, steps: range, done: range) -> tuple[list[Mark], list[Mark]]:
    """(still, moving): a gate as levels from 0 to 1, or a state as bars about zero; the mean, or the chosen unit, as a
    thin line."""
    part, high = sc.shown.family.quantities[key], strip.row_high
    name = "shown" if key == "hidden" and "shown" in sc.forward.arrays else key
    values = sc.forward.series(name, sc.pick)
    others = sc.forward.series(name, Pick(sc.pick.unit, not sc.pick.all))
    most = 1.0 if part.gate or (key != "cell" and sc.shown.squashed) else sc.full["line"]
    now = sc.when.step
    known = [step for step in steps if step in done and (step != now or sc.row_known(key))]
    scale = f", ±{numbers.significant(most, 2)}" if not part.gate else ""
    state = tr("before projection y") if sc.shown.projected else tr("state h")
    words = {"cell": tr("memory c"), "hidden": state}.get(key, translated(part.tab).lower())
    still = _name(strip, top + high / 2 + 4, words + (scale if not part.gate and high < 20 and key == "cell" else ""),
                  key=key if part.sign else "")
    zero = top + high if part.gate else top + high / 2

    def tall(value: float) -> float:
        share = min(1.0, max(-1.0, value / most)) if isfinite(value) else 0.0
        return high * share if part.gate else high / 2 * share

    far, marks = _levels(sc, strip, known, steps, top, high, key, lambda step: tall(float(values[step])), zero,
                         lambda step: tall(float(others[step])), "" if part.gate else "value",
                         lambda step: float(values[step]))
    if now >= 0 and now in known and sc.when.slide == 0:
        value = float(values[now])
        marks.append(Text(strip.left(strip.first + strip.count) + 8, top + high / 2 + 4.5,
                          plain(numbers.number(value)), 12, 600, "ink" if part.gate else ink_of(value)))
    return still + far, marks


def _levels(sc: Scene, strip: Strip, known: list[int], steps: range, top: float, high: float, key: str,
            tall: Callable[[int], float], zero: float, other: Callable[[int], float] | None, kind: str,
            value: Callable[[int], float]) -> tuple[list[Mark], list[Mark]]:
    """(still, moving): bars of all known steps as few marks; hatching where a step has none; and what a click there
    leads to."""
    read = set(known)
    far, near = _parted(sc, strip, steps)

    def drawn(some: tuple[int, ...]) -> list[Mark]:
        return _some_levels(sc, strip, tuple(step for step in some if step in read), some, top, high, key, tall, zero,
                            other, kind, value)

    about = ("levels", strip, sc.pick, top, key, far, frozenset(read.intersection(far)), sc.back is None,
             sc.full["line"])
    return _kept(sc.shown, _Once(about, lambda: drawn(far))), drawn(near)


def _some_levels(sc: Scene, strip: Strip, known: tuple[int, ...], steps: tuple[int, ...], top: float, high: float,
                 key: str, tall: Callable[[int], float], zero: float, other: Callable[[int], float] | None, kind: str,
                 value: Callable[[int], float]) -> list[Mark]:
    layer, now = sc.shown.layer.name, sc.when.step
    grounds: list[Points] = []
    bars: dict[str, list[Points]] = {}
    lines: list[Points] = []
    for step in known:
        x = strip.left(step)
        grounds.append(_area(x, top, strip.tile, high))
        reach = tall(step)
        reach = reach if abs(reach) >= 0.75 else 0.75 * (-1 if value(step) < 0 else 1)
        ink = "gradient-mark" if kind == "gradient" else gatesigns.tone(value(step)) if kind == "value" else \
            "accent" if step == now else "rule"
        bars.setdefault(ink, []).append(_area(x, min(zero, zero - reach), strip.tile, abs(reach)))
        if other is not None:
            level = zero - other(step)
            lines.append(_area(x, level - 0.6, strip.tile, 1.2))
    marks: list[Mark] = [Path(tuple(grounds), fill="sunk")] if grounds else []
    marks += [Path(tuple(curves), fill=ink) for ink, curves in bars.items()]
    marks += [Path(tuple(lines), fill="ink")] if lines else []
    there = set(known)
    missing = [step for step in steps if step not in there]
    for run in _runs(missing):
        count = len(run)
        marks.append(Image(strip.left(run[0]), top, (strip.tile, high), np.full((count, 1, 1), ZERO, np.uint8), "pixel",
                           count, (strip.pitch, 0), border="", hatched=np.ones((count, 1, 1), bool)))
    unit = sc.pick.unit
    part = "output" if key == "hidden" else f"inner.{key}"
    if key in sc.shown.layer.inner:
        for step in steps:
            if step < sc.shown.steps:
                cell = (step,) if sc.pick.all else (step, min(unit, sc.shown.layer.inner[key].shape[1] - 1))
                marks.append(Rect(strip.left(step), top, strip.tile, high, focus=Focus(layer, cell, part)))
    return marks


def _runs(steps: list[int]) -> list[list[int]]:
    """Steps that lie side by side."""
    found: list[list[int]] = []
    for step in steps:
        if found and found[-1][-1] == step - 1:
            found[-1].append(step)
        else:
            found.append([step])
    return found


def _area(x: float, y: float, wide: float, high: float) -> Points:
    right, low = x + wide, y + high
    return ((x, y), (x, y), (right, y), (right, y), (right, y), (right, low), (right, low), (right, low), (x, low),
            (x, low), (x, low), (x, y), (x, y))  # as `parts.polygon`, of which there are hundreds here


# --- backwards --------------------------------------------------------------------------------------------------------

def _back_row(sc: Scene, strip: Strip, key: str, top: float, steps: range, done: range) -> \
        tuple[list[Mark], list[Mark]]:
    """(still, moving): the size of a gradient on a log scale, or what is kept of it on a scale from 0 to 1."""
    back, high = sc.back, strip.row_high
    assert back is not None
    now = sc.when.step
    known = [step for step in steps if step in done and (step != now or sc.back_known(key))]
    if key in ("cell", "hidden"):
        values = _kept(sc.shown, _Once(("size", key, sc.pick), lambda: np.array(
            [back.size(key, step, sc.pick) for step in range(sc.shown.steps)])))
        largest = colour.largest(values) or 1.0
        words = f"∂L/∂{'c' if key == 'cell' else 'h'}, log"
        under = tr("{low} to {high}").format(low=numbers.significant(largest * 10.0 ** -DECADES, 1),
                                             high=numbers.significant(largest, 1))

        def tall(step: int) -> float:
            value = float(values[step])
            return high * max(0.0, 1 + np.log10(value / largest) / DECADES) if value > 0 else 0.0

        kind = "gradient"
    else:
        values = _kept(sc.shown, _Once((key, sc.pick), lambda: np.array(
            [sc.keeps(step) if key == "keeps" else sc.slope(step) for step in range(sc.shown.steps)])))
        full = 1.0 if key == "keeps" else sc.steepest
        words = (tr("memory keeps") if sc.plan.family == "lstm" else tr("state keeps")) if key == "keeps" else \
            tr("slope of {curve}").format(curve="σ" if sc.shown.family.kept[0] else "tanh")
        under = tr("0 to {full}").format(full=numbers.short(full))

        def tall(step: int) -> float:
            value = float(values[step])
            return high * min(1.0, value / full) if np.isfinite(value) else 0.0

        kind = ""
    if high < 24:
        under = ""
    sign = sc.keeper if key in ("keeps", "slopes") else ""
    still = _name(strip, top + high / 2 + (4 if not under else -2), words, under, sign)
    none = [step for step in known if not np.isfinite(values[step])]
    far, marks = _levels(sc, strip, [step for step in known if step not in none], steps, top, high,
                         key if key in ("cell", "hidden") else "", tall, top + high, None, kind, lambda step: 1.0)
    if now >= 0 and now in known and now not in none and sc.when.slide == 0:
        value = float(values[now])
        ways = (numbers.significant(value, 3), numbers.significant(value, 2), numbers.power(value, 0)) if kind else \
            (numbers.number(value),)
        words = next((said for said in ways if width(said, 12, 600) <= 60), ways[-1])
        marks.append(Text(strip.left(strip.first + strip.count) + 8, top + high / 2 + 4.5, (Run(words),), 12, 600,
                          "gradient-text" if kind else "ink"))
    return still + far, marks


def beats(sc: Scene, names: tuple[str, ...], backward: bool) -> list[Mark]:
    """The line of what happens in a step, from left to right, backwards from right to left."""
    plan, names = sc.plan, tuple(map(translated, names))
    if not plan.full or not sc.look.mode.notes:
        return []
    left, right = plan.x_beats, plan.answer_box[0] + 60 * plan.wide
    y = plan.token + plan.token_high / 2
    step = (right - left) / (len(names) - 1)
    if max(width(f"{index} {name}", 12) for index, name in enumerate(names)) + 12 > step:
        return []
    ink = "gradient-mark" if backward else "accent"
    marks: list[Mark] = [Line(((left, y), (right, y)), "rule", 2)]
    keys = tuple(sc.when.shares)
    done = [sc.done(key) if sc.when.step >= 0 and sc.when.slide == 0 else 0.0 for key in keys]
    far = sum(done) - 1 if done[0] >= 1 else -1.0
    if far > 0:
        start, end = (right, right - step * far) if backward else (left, left + step * far)
        marks.append(Line(((start, y), (end, y)), ink, 2))
    for index, (name, share) in enumerate(zip(names, done, strict=True)):
        x = right - step * index if backward else left + step * index
        fill = ink if share >= 1 else "stage"
        marks += [Rect(x - 4.5, y - 4.5, 9, 9, fill, ink if share > 0 else "rule", 1.5, radius=4.5),
                  Text(x, y + 20, plain(f"{index + 1} {name}"), 12, 400, "ink" if 0 < share else "ink-2", "middle")]
    return grouped(Group(tr("what happens in a step")), marks)
