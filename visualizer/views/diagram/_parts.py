"""What stands at the ends of the wires: stations of the states, boxes of the gates, sums, and the chips that choose."""

from __future__ import annotations

from dataclasses import dataclass

from visualizer.language import tr, translated
from visualizer.scene import gatesigns, numbers, wires
from visualizer.scene.labels import Box, Labels
from visualizer.scene.picture import (
    LEGEND,
    Choice,
    Flight,
    Focus,
    Group,
    Look,
    Mark,
    Path,
    Rect,
    Run,
    Text,
    grouped,
    plain,
)
from visualizer.scene.type import width
from visualizer.views.diagram._plan import Plan
from visualizer.views.diagram._scene import Scene, chosen_said, units_said
from visualizer.views.diagram._ways import chip as chip_half


def ink_of(value: float) -> str:
    """The token of words that are a value."""
    return "negative-text" if value < 0 else "positive-text"


@dataclass(frozen=True)
class Station:
    """A state on its way from step to step."""

    label: tuple[Run, ...]
    short: tuple[Run, ...]
    value: float
    most: float
    """What its bar reaches to at most."""
    focus: Focus | None
    tick: float | None = None
    known: bool = True
    result: bool = False
    """Whether it is what the step makes."""
    gradient: bool = False
    flight: Flight | None = None
    """While it slides on to the next step: what it carries."""
    worded: bool = True
    """Whether its name and its number are written; in a room it passes over the signs of gates without them."""


def station(what: Station, left: float, middle: float, wide: float, high: float, opacity: float = 1.0) -> list[Mark]:
    """A state as a card: its name, its number, and a bar."""
    top = middle - high / 2
    lit = what.result and what.known
    marks: list[Mark] = [Rect(left, top, wide, high, "tint" if lit else "raised", "accent" if lit else "rule", 1.5,
                              radius=8, focus=what.focus, opacity=opacity, holds=what.flight)]
    tall = high >= 56
    size = 18 if wide >= 90 and high >= 68 else 15 if high >= 44 else 13
    label = what.label if width(what.label, 12) <= wide - 16 else what.short
    if what.worded:
        marks.append(Text(left + 9, top + (18 if high >= 68 else 15), label, 12, 400, "ink-2", opacity=opacity))
    base = top + (min(40.0, high - 19) if tall else high - 6)
    if not what.known:
        return [*marks, Rect(left + 9, base - 14, wide - 18, high - (base - 14 - top) - 8, "hatch", opacity=opacity)]
    said = numbers.significant(what.value, 3) if what.gradient else numbers.number(what.value)
    if width(said, size, 600) > wide - 12:
        said, size = numbers.significant(what.value, 2), 12
    if width(said, size, 600) > wide - 8:
        said, size = numbers.power(what.value, 0), 11
    if what.worded:
        marks.append(Text(left + wide - (4 if wide < 70 else 9), base, plain(said), size, 600,
                          "gradient-text" if what.gradient else ink_of(what.value), "end", opacity=opacity))
    if tall:
        bar = left + 9, top + high - 14, wide - 18, 6
        marks += gatesigns.level(*bar, abs(what.value) / what.most if what.most else 0.0, ink="gradient-mark",
                                 opacity=opacity) if what.gradient else \
            gatesigns.balance(*bar, what.value, what.most, tick=what.tick, opacity=opacity)
    return marks


def gate_box(sc: Scene, key: str, share: float) -> list[Mark]:
    """The box of a gate or a sum: W x, U h₋ and b as bars about zero, what they make, and how open it is.

    They grow with the share of their stretch; their numbers are printed when they have come.
    """
    plan, part = sc.plan, sc.shown.family.quantities[key]
    wide, high = plan.box
    middle = plan.x(key)
    left, top = middle - wide / 2, plan.boxes
    focus = sc.focus(key)
    marks: list[Mark] = [Rect(left, top, wide, high, "raised", "rule", 1.5, radius=8, focus=focus)]
    size = min(gatesigns.SIGN, max(16.0, wide * 0.17))
    if part.sign:
        marks += gatesigns.sign(key, left + 8 + size * 0.58, top + 7 + size * 0.58, size)
    value, known = sc.value(key), share >= 1
    printed = numbers.number(value)
    marks += titled(sc, key)
    base = top + high - (18 if plan.full else 13)
    if plan.full:
        marks += _sums(sc, key, share, left, top + 11 + size, wide, base - 22)
    of_curve = "" if part.curve is None else part.curve.words.format("")[:-2]
    if known:
        marks.append(Text(left + wide - 10, base - 4, plain(printed), size_of(sc, printed), 600, "ink" if part.gate
                          else ink_of(value), "end"))
        made = (*([Run(f"{of_curve} ")] if of_curve else []), Run(numbers.number(sc.value(f"{key}.sum"))))
        if plan.full and of_curve and width(made, 12) + width(printed, 15, 600) + 26 <= wide:
            marks.append(Text(left + 10, base - 4, made, 12, 400, "ink-2"))
    bar = left + 10, top + high - 14, wide - 20, 6
    if share <= 0:
        return [*marks, Rect(*bar, "hatch")]
    tick = sc.tick(key) if known else None
    if part.gate:
        return marks + gatesigns.level(*bar, value * share, tick=tick)
    most = 1.0 if part.curve is not None else sc.full["line"]
    return marks + gatesigns.balance(*bar, value * share, most, tick=tick)


def size_of(sc: Scene, words: str) -> int:
    """Of the number of a box."""
    return 15 if sc.plan.full else next((size for size in (13, 12) if width(words, size, 600) <= sc.plan.box[0] - 14),
                                        11)


def titled(sc: Scene, key: str) -> list[Mark]:
    """The name of a gate beside its sign, if there is room for it."""
    plan, part = sc.plan, sc.shown.family.quantities[key]
    left, size = plan.x(key) - plan.box[0] / 2, min(gatesigns.SIGN, max(16.0, plan.box[0] * 0.17))
    start, end = left + (16 + size * 1.2 if part.sign else 10), left + plan.box[0] - 4
    title = translated(part.tab)
    return [Text(start, plan.boxes + 13 + size * 0.42, plain(title), 13, 600)] \
        if width(title, 13, 600) <= end - start else []


def _sums(sc: Scene, key: str, share: float, left: float, top: float, wide: float, bottom: float) -> list[Mark]:
    """The three sums that a gate is made of."""
    part = sc.shown.family.quantities[key]
    names = (("W x", "read"), (f"{sc.shown.family.quantities[part.under].symbol}·q" if part.under else "U h", "state"),
             ("b", "bias"))
    largest = max(1e-12, *(abs(sc.value(f"{key}.{name}")) for _, name in names))
    pitch = (bottom - top) / 3
    marks: list[Mark] = []
    said = [numbers.signed(sc.value(f"{key}.{name}")) for _, name in names]
    right = max(width(words, 12, 500) for words in said) + 12
    bar, room = left + 38, wide - 38 - right - 2
    for index, (symbol, name) in enumerate(names):
        y, value = top + pitch * index + pitch * 0.5, sc.value(f"{key}.{name}")
        marks.append(Text(left + 10, y + 4, (Run(symbol, italic=True),), 12, 400, "ink-2"))
        if share <= 0:
            continue
        reach = room / 2 * abs(value) / largest * share
        middle = bar + room / 2
        if room > 10 and reach > 0.05:
            marks.append(Rect(middle - reach if value < 0 else middle, y - 4.5, reach, 9, gatesigns.tone(value)))
        if room > 10:
            marks.append(Rect(middle - 0.5, y - 7, 1, 14, "rule"))
        if share >= 1:
            marks.append(Text(left + wide - 10, y + 4, plain(said[index]), 12, 500, ink_of(value), "end"))
    marks.append(Rect(left + 10, bottom + 1, wide - 20, 1, "hair"))
    return marks


def added(x: float, y: float, radius: float, known: bool = True) -> list[Mark]:
    """A sum: a circle with a plus in it."""
    ink = "ink" if known else "rule"
    return [Rect(x - radius, y - radius, 2 * radius, 2 * radius, "raised", ink, 1.75, radius=radius),
            *wires.glyph(x, y, 1.0, radius * 0.35, ink)]


def chip(x: float, y: float, half: float, words: str, focus: Focus | None = None) -> list[Mark]:
    """A curve that a value goes through."""
    return [Rect(x - half, y - 14, 2 * half, 28, "raised", "ink", 1.5, radius=6, focus=focus),
            Text(x, y + 4.5, plain(words), 12, 500, "ink", "middle")]


def again(sc: Scene, y: float) -> list[Mark]:
    """What a GRU's reset gate multiplies, as a card on the second line: `U h + b`, or `q` where that is too long."""
    plan = sc.plan
    x, half = plan.x("again"), chip_half(plan) + 4
    said = (Run("U h", italic=True), Run(" + "), Run("b", italic=True))
    short = width(said, 12, 500) > 2 * half - 4
    return [Rect(x - half, plan.second - 19, 2 * half, 38, "raised", "ink", 1.5, radius=6, focus=sc.focus("new")),
            Text(x, y, (Run("q", italic=True),) if short else said, 12, 500, "ink", "middle")]


def lever(points: tuple[tuple[float, float], ...]) -> list[Mark]:
    """What turns a valve: a dotted rod from the box of its gate."""
    curve: list[tuple[float, float]] = [points[0]]
    for point in points[1:]:
        curve += [curve[-1], point, point]
    return [Path((tuple(curve),), stroke="ink-2", width=1.5, dashed=True)]


def choices(sc: Scene, layer: str) -> list[Mark]:
    """The two chips above the drawing: one unit, or all of them; and what thickness means."""
    plan = sc.plan
    if not plan.chips:
        return []
    back = sc.back is not None
    unit = tr("Unit {unit}").format(unit=chosen_said(sc))
    every = (tr("All {count} units, norm") if back else tr("Mean of {count} units")).format(count=units_said(sc))
    marks: list[Mark] = []
    x, top = 24.0, plan.chips - 20
    across = [width(words, 13, 600) + 24 for words in (unit, every)]
    marks.append(Rect(x - 2, top - 1, sum(across) + 8, 30, "sunk", radius=8))
    for words, wide, word in ((unit, across[0], "unit"), (every, across[1], "mean")):
        chosen = (word == "mean") == sc.pick.all
        focus = Focus(layer, (sc.step,)) if word == "mean" else Focus(layer, (sc.step, sc.pick.unit))
        if chosen:
            marks.append(Rect(x, top + 1, wide, 26, "raised", radius=6))
        marks.append(Rect(x, top + 1, wide, 26, focus=focus, holds=Choice("show", word), tip=words))
        marks.append(Text(x + wide / 2, top + 18.5, plain(words), 13, 600 if chosen else 500,
                          "ink" if chosen else "ink-2", "middle"))
        x += wide + 4
    marks = grouped(Group(tr("what is shown"), Focus(layer)), marks)
    return marks + grouped(LEGEND, _key(sc, x))


def _key(sc: Scene, x: float) -> list[Mark]:
    """What thickness means, and the thin line."""
    plan, look, back, units = sc.plan, sc.look, sc.back is not None, sc.shown.width
    marks: list[Mark] = []
    top = plan.chips - 20
    key = Labels((x + 14, top, look.size[0] - 16, top + 30))
    full = numbers.short(sc.full["line"])
    if not back and plan.family != "lstm":
        full = tr("{full} (before the tanh {sums})").format(full=full, sums=numbers.short(sc.full["sums"]))
    ways = (tr("thickness = size of the gradient, full bore = {full}"), tr("full bore = {full}")) if back else \
        (tr("thickness = size, full bore = {full}"), tr("full bore = {full}"))
    at = x + 20.0
    swatches = ("gradient-mark",) if back else ("positive-bar", "negative-bar")
    found = key.put([words.format(full=full) for words in ways],
                    [(at + 34 * len(swatches), plan.chips - 2, "start")], 12, 400, "ink-2")
    for index, ink in enumerate(swatches if found else ()):
        marks.append(Rect(at + 32 * index, plan.chips - 11, 26, 9, ink))
        marks += [] if back else wires.glyph(at + 32 * index + 13, plan.chips - 6.5, -1.0 if index else 1.0, 3.0,
                                             "stage")
    marks += found
    if found:
        at = found[0].x + width(found[0].runs, 12) + 24
    thin = (tr("mean opening of the gate") if back else
            tr("the chosen unit") if sc.pick.all else tr("mean of {count} units").format(count=units))
    line = key.put(thin, [(at + 22, plan.chips - 2, "start")], 12, 400, "ink-2")
    if line:
        marks += [Rect(at, plan.chips - 7, 16, 1.75, "ink"), *line]
    return marks


def room(plan: Plan, look: Look) -> Labels:
    """Where words beside the wires may stand."""
    return Labels((4, plan.top - 6, look.size[0] - 4, plan.bottom), 3.0)


def keep_off(labels: Labels, *boxes: Box) -> None:
    """Places that words keep off."""
    labels.taken.extend(boxes)
