"""Backwards: the same drawing with its arrows turned. Amber is as thick as the gradient is large; what each way keeps
of it is printed where it is lost, as measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from visualizer.kinds._steps import changed
from visualizer.language import tr
from visualizer.scene import colour, gatesigns, numbers, parts, wires
from visualizer.scene.labels import Labels
from visualizer.scene.picture import Flight, Focus, Group, Image, Mark, Rect, Run, Scale, Text, grouped, plain, rich
from visualizer.scene.type import width
from visualizer.scene.wires import Flow
from visualizer.size import norm
from visualizer.views.diagram._forward import STATION_LEFT, VALVES, joints
from visualizer.views.diagram._parts import Station, again, keep_off, lever, room, size_of, station, titled
from visualizer.views.diagram._scene import Scene
from visualizer.views.diagram._ways import bores, half_valve, plus, ways

INK = "gradient-mark"


def draw(sc: Scene) -> list[Mark]:
    """The whole cell at one step of the way back."""
    plan, layer = sc.plan, sc.shown.layer.name
    going = 1.0 - min(1.0, 2 * sc.when.slide)
    wires_of = Group(tr("wires"), Focus(layer))
    marks: list[Mark] = [mark for way in bores(plan) for mark in wires.bore(way, plan.bore)]
    if sc.back is not None and sc.when.step >= 0:
        flows = {"lstm": _lstm, "gru": _gru, "rnn": _rnn}[plan.family](sc)
        marks += parts.faded(flows, going)
    marks = grouped(wires_of, [*marks, *joints(sc)])
    if plan.family == "lstm":
        marks += grouped(wires_of, _small_plus(sc))
    marks += _gates(sc, going)
    marks += grouped(Group(tr("states"), Focus(layer)), _states(sc, going))
    marks += grouped(Group(tr("what is read"), Focus(layer, (sc.step,))), parts.faded(_read(sc), going))
    marks += grouped(Group(tr("what arrives"), Focus(layer, (sc.step,))), parts.faded(_arrivals(sc), going))
    return marks + grouped(wires_of, _said(sc))


def _small_plus(sc: Scene) -> list[Mark]:
    """Where what comes through the output meets what comes along the memory."""
    x, y, radius = sc.plan.x("branch"), sc.plan.memory, plus(sc.plan) * 0.75
    return [Rect(x - radius, y - radius, 2 * radius, 2 * radius, "raised", "ink", 1.5, radius=radius),
            *wires.glyph(x, y, 1.0, radius * 0.35, "ink")]


def _flow(sc: Scene, name: str, size: str, source: Focus, target: Focus, share: float,
          arrows: Sequence[float] = (), value: float | None = None) -> list[Mark]:
    """A gradient on its way, against the direction of the values."""
    if share <= 0:
        return []
    value = sc.size(size) if value is None else value
    if not value > 0:
        return []
    what = Flow(max(sc.thick(value), 1.0), INK, value, source, tip=f"∂L: {sc.sized(numbers.significant(value), size)}",
                flight=Flight(source, target, value, min(1.0, share), True), signed=False)
    return wires.flow(tuple(reversed(ways(sc.plan)[name])), what, sc.look, share, (), arrows)


def _lever_flow(sc: Scene, key: str, size: str, share: float, line: str = "second") -> list[Mark]:
    """What goes from a valve down to the box of its gate."""
    value = sc.size(size)
    if share <= 0 or not value > 0:
        return []
    plan = sc.plan
    x, half = plan.x(key), gatesigns.TALL * plan.bore / gatesigns.BORE / 2
    start = (plan.memory if line == "memory" else plan.second) + half
    focus = sc.focus(key)
    what = Flow(max(sc.thick(value), 1.0), INK, value, focus, tip=f"∂L/∂{sc.shown.family.quantities[key].symbol}: "
                f"{sc.size_said(size)}", flight=Flight(focus, focus, value, min(1.0, share), True),
                signed=False)
    return wires.flow(((x, start), (x, plan.boxes)), what, sc.look, share)


def _lstm(sc: Scene) -> list[Mark]:
    out, memory, gates = sc.done("output"), sc.done("memory"), sc.done("gates")
    arrive = sc.done("arrive")
    cell, hidden = sc.focus("cell"), sc.focus("hidden")
    before = sc.focus("cell", before=True)
    marks = _part_way(sc, "after", "cell_later", cell, cell, arrive, 0.0, _branch_share(sc))
    marks += _flow(sc, "shown", "hidden", hidden, hidden, out / 0.3)
    marks += _lever_flow(sc, "output_gate", "output_gate.arrives", (out - 0.3) / 0.4)
    marks += _flow(sc, "opened", "opens", hidden, cell, (out - 0.3) / 0.2)
    marks += _flow(sc, "down", "to_cell", hidden, cell, (out - 0.5) / 0.5)
    marks += _part_way(sc, "after", "cell", cell, cell, memory / 0.2, _branch_share(sc), 1.0)
    marks += _flow(sc, "kept", "cell", cell, cell, (memory - 0.2) / 0.4, (0.3, 0.7))
    marks += _flow(sc, "before", "kept", cell, before, (memory - 0.6) / 0.4, (0.5,))
    marks += _lever_flow(sc, "forget", "forget.arrives", (gates - 0.4) / 0.6, "memory")
    marks += _flow(sc, "added", "cell", cell, sc.focus("input"), gates / 0.4)
    marks += _lever_flow(sc, "input", "input.arrives", (gates - 0.4) / 0.6)
    marks += _flow(sc, "candidate", "candidate.arrives", cell, sc.focus("candidate"), (gates - 0.4) / 0.6)
    return marks


def _branch_share(sc: Scene) -> float:
    """Which share of the way from the right station to the sum lies before the branch."""
    (start, _), (end, _) = ways(sc.plan)["after"]
    return (end - sc.plan.x("branch")) / (end - start)


def _part_way(sc: Scene, name: str, size: str, source: Focus, target: Focus, share: float, first: float,
              last: float) -> list[Mark]:
    """A stretch of a level way, from one share of it to another, against its direction."""
    value = sc.size(size)
    if share <= 0 or not value > 0:
        return []
    (start, y), (end, _) = ways(sc.plan)[name]
    a, b = end + (start - end) * first, end + (start - end) * last
    what = Flow(max(sc.thick(value), 1.0), INK, value, source, tip=f"∂L/∂c: {sc.size_said(size)}",
                flight=Flight(source, target, value, min(1.0, share), True), signed=False)
    return wires.flow(((a, y), (b, y)), what, sc.look, share, (), (0.5,))


def _gru(sc: Scene) -> list[Mark]:
    out, memory, gates = sc.done("output"), sc.done("memory"), sc.done("gates")
    hidden, new = sc.focus("hidden"), sc.focus("new")
    before = sc.focus("hidden", before=True)
    marks = _flow(sc, "after", "hidden", hidden, hidden, out, (0.4,))
    marks += _flow(sc, "kept", "hidden", hidden, hidden, memory / 0.6, (0.3, 0.7))
    marks += _flow(sc, "before", "kept", hidden, before, (memory - 0.6) / 0.4, (0.5,))
    marks += _flow(sc, "added", "hidden", hidden, new, gates / 0.3)
    marks += _flow(sc, "new", "mixed", hidden, new, (gates - 0.3) / 0.2)
    marks += _flow(sc, "read", "sum", new, new, (gates - 0.5) / 0.2)
    marks += _flow(sc, "reset", "sum", new, sc.focus("reset"), (gates - 0.5) / 0.2)
    marks += _flow(sc, "again", "new.leaves", new, before, (gates - 0.7) / 0.3)
    marks += _lever_flow(sc, "reset", "reset.arrives", (gates - 0.7) / 0.3)
    marks += _lever_flow(sc, "update", "update.arrives", (gates - 0.4) / 0.6, "memory")
    return marks


def _rnn(sc: Scene) -> list[Mark]:
    total, hidden = sc.focus("preactivation"), sc.focus("hidden")
    return [*_flow(sc, "after", "hidden", hidden, hidden, sc.done("output")),
            *_flow(sc, "sum", "preactivation.leaves", hidden, total, sc.done("memory"))]


# --- gates ------------------------------------------------------------------------------------------------------------

KEPT = {"forget": ("kept", "cell", "memory"), "input": ("candidate.arrives", "cell", "gates"),
        "output_gate": ("opens", "hidden", "output"), "update": ("kept", "hidden", "memory"),
        "mix": ("mixed", "hidden", "gates"), "reset": ("new.leaves", "sum", "gates")}
"""By valve: what is left of which gradient, and when that is known."""


def _gates(sc: Scene, going: float) -> list[Mark]:
    plan, layer = sc.plan, sc.shown.layer.name
    live = sc.back is not None and sc.when.step >= 0
    marks: list[Mark] = []
    for key, valves in VALVES[plan.family].items():
        own = Group(sc.named(key), Focus(layer, (sc.step,), f"inner.{key}"))
        found: list[Mark] = []
        for place, line, other in valves:
            x, y = plan.x(place), plan.memory if line == "memory" else plan.second
            half = gatesigns.TALL * plan.bore / gatesigns.BORE / 2
            if key == "update" and other:
                turn = plan.memory + 40 * plan.tall
                found += lever(((plan.x("update"), turn), (x, turn), (x, y - half)))
            elif place == key and not live:
                found += lever(((x, plan.boxes), (x, y + half)))
            found += _valve(sc, key, place, x, y, live and going >= 1)
        box = _box(sc, key, live)
        found += box if going >= 1 else [*parts.faded(box, going), *parts.faded(_box(sc, key, False), 1 - going)]
        marks += grouped(own, found)
    return marks


def _valve(sc: Scene, key: str, place: str, x: float, y: float, live: bool) -> list[Mark]:
    """A valve as it stood: how open it is, what of the gradient it lets through, and how much that is."""
    plan = sc.plan
    value = sc.value(key)
    opening = 1 - value if place == "mix" else value
    over, under, when = KEPT[place]
    known = live and sc.done(when) >= 1
    came = sc.thick(sc.size(under)) if known else 0.0
    share = sc.back.kept(over, under, sc.step, sc.pick) if sc.back is not None and live else float("nan")
    pinch = share if np.isfinite(share) and known else opening
    mean = sc.forward.mean(key, sc.step)
    marks = gatesigns.valve(x, y, pinch, bore=plan.bore, came=came, ink=INK if came else "",
                            tick=1 - mean if place == "mix" else mean, focus=sc.focus(key),
                            tip=tr("{gate}, {value} open").format(gate=sc.named(key), value=sc.worded(
                                numbers.number(opening), "open to the new" if place == "mix" else key)))
    size = min(gatesigns.SIGN, max(16.0, 20 * plan.tall))
    up = y - gatesigns.TALL * plan.bore / gatesigns.BORE / 2 - size * 0.58 - 3
    marks += gatesigns.sign(key, x, up, size)
    if not known or not np.isfinite(share):
        return marks
    words = (tr("keeps × {share}") if place in ("forget", "update") and plan.full else "× {share}").format(
        share=numbers.number(share))
    ends = place == ("output_gate" if plan.full else "input")
    if not plan.full and width(words, 13, 600) > 56:
        return marks
    if place == "mix" and plan.family == "gru":
        return marks + ([Text(x, y + gatesigns.TALL * plan.bore / 88 + 16, plain(words), 13, 600, "gradient-text",
                              "middle")] if plan.full else [])
    return [*marks, Text(x - size * 0.6 - 6 if ends else x + size * 0.6 + 6, up + 5, plain(words),
                         14 if plan.full else 13, 600, "gradient-text", "end" if ends else "start")]


def _box(sc: Scene, key: str, live: bool) -> list[Mark]:
    """What arrives at a gate, its slope, what leaves it, and what of that goes to the state before."""
    plan, part = sc.plan, sc.shown.family.quantities[key]
    wide, high = plan.box
    left, top = plan.x(key) - wide / 2, plan.boxes
    size = min(gatesigns.SIGN, max(16.0, wide * 0.17))
    marks: list[Mark] = [Rect(left, top, wide, high, "raised", "rule", 1.5, radius=8, focus=sc.focus(key))]
    if part.sign:
        marks += gatesigns.sign(key, left + 8 + size * 0.58, top + 7 + size * 0.58, size)
    marks += titled(sc, key)
    back, bar = sc.back, (left + 10, top + high - 14, wide - 20, 6)
    arrived = "output" if key == "output_gate" else "gates" if plan.family != "rnn" else "memory"
    if back is None or not live or sc.done(arrived) < 1:
        return [*marks, Rect(*bar, "hatch")]
    slope = back.arrays[f"{key}.slope"][sc.step]
    own = float(slope.mean()) if sc.pick.all else float(slope[min(sc.pick.unit, len(slope) - 1)])
    curve = part.curve or sc.shown.family.quantities["hidden"].curve
    prime = "σ′" if part.gate else f"{curve.name}′" if curve is not None else "′"
    lines = [(tr("arrives"), numbers.significant(sc.size(f"{key}.arrives"), 2), "gradient-text"),
             (tr("slope {curve}").format(curve=prime), numbers.number(own), "ink")]
    weights = sc.done("weights")
    if weights > 0.4:
        lines.append((tr("leaves"), numbers.significant(sc.size(f"{key}.leaves"), 2), "gradient-text"))
    base = top + high - (18 if plan.full else 14)
    if plan.full:
        pitch = (base - 22 - (top + 11 + size)) / 3
        short = (tr("in"), prime, tr("out"))
        brief = any(width(words, 12) + width(value, 12, 600) + 24 > wide for words, value, _ in lines)
        for index, (words, value, ink) in enumerate(lines):
            words = short[index] if brief else words
            y = top + 11 + size + pitch * (index + 0.5) + 4
            number = width(value, 12, 600)
            if width(words, 12) + number + 24 <= wide:
                marks.append(Text(left + 10, y, plain(words), 12, 400, "ink-2"))
            marks.append(Text(left + wide - 10, y, plain(value), 12, 600, ink, "end"))
        marks.append(Rect(left + 10, base - 21, wide - 20, 1, "hair"))
    if weights < 1:
        return [*marks, Rect(*bar, "hatch")]
    to = norm(back.way(key, sc.step, sc.pick))
    said = numbers.significant(to, 2)
    if plan.full and width(f"to h₋ {said}", 15, 600) + 20 <= wide:
        marks.append(Text(left + 10, base - 3, rich(tr("to _h₋_")), 12, 400, "ink-2"))
    marks.append(Text(left + wide - 10, base - 3, plain(said), size_of(sc, said), 600, "gradient-text", "end"))
    return marks + gatesigns.level(*bar, to / sc.full["line"], ink=INK)


# --- states -----------------------------------------------------------------------------------------------------------

def _states(sc: Scene, going: float) -> list[Mark]:
    """The gradients of the states after the step at the right, where they arrive; of those before it at the left."""
    plan, when, back = sc.plan, sc.when, sc.back
    left, wide = plan.station(False)
    right, _ = plan.station(True)
    number = max(0, when.step) + 1
    earlier = number + 1 if sc.shown.reverse else number - 1
    second = plan.second if plan.family == "lstm" else plan.memory
    low = plan.low_station if plan.family != "gru" else plan.memory
    marks = _wiring(sc, going)
    places = [("hidden", left, low, right, second)]
    if plan.family == "lstm":
        places.insert(0, ("cell", left, plan.memory, right, plan.memory))
    for key, x, y, end, target in places:
        symbol = "c" if key == "cell" else "h"
        live = back is not None and when.step >= 0
        arrived = live and sc.done("arrive") >= 1
        passed = live and sc.done("memory" if key == "cell" else "pass") >= 1
        came = sc.size("cell_later" if key == "cell" else "hidden") if live else 0.0
        goes = sc.passed_on(key) if live else 0.0
        here = Station(_gradient_of(symbol, number, key), _gradient_of(symbol, number), came, sc.full["line"],
                       sc.focus(key), known=arrived, gradient=True)
        told = symbol + "′" if changed(sc.shown.layer, key) and earlier else symbol
        onwards = Station(_gradient_of(told, earlier, key), _gradient_of(told, earlier), goes, sc.full["line"],
                          None if sc.started else sc.focus(key, before=True), known=passed, gradient=True, result=True)
        if live and when.slide > 0 and when.coming >= 0 and passed:
            moving = Station(onwards.label, onwards.short, goes, onwards.most, onwards.focus, gradient=True,
                             result=when.slide < 1,
                             flight=Flight(sc.focus(key), sc.focus(key, before=True), goes, when.slide, True))
            empty = Station(onwards.label, onwards.short, 0.0, 1.0, None, known=False, gradient=True)
            marks += station(here, end, target, wide, plan.station_high, going) if going > 0 else []
            marks += station(empty, x, y, wide, plan.station_high, when.slide)
            marks += station(moving, x + (end - x) * when.slide, y + (target - y) * when.slide, wide,
                             plan.station_high)
            continue
        marks += station(here, end, target, wide, plan.station_high)
        marks += station(onwards, x, y, wide, plan.station_high)
    return marks


def _gradient_of(symbol: str, step: int, key: str = "") -> tuple[Run, ...]:
    """`∂L/∂c₁₀`, and of a memory that it is what comes from later."""
    words = (Run(tr(", later")),) if key == "cell" else ()
    return (Run("∂L/∂"), Run(symbol, italic=True), Run(str(step), shift="sub"), *words)


def _wiring(sc: Scene, going: float) -> list[Mark]:
    """The thin wires: from the boxes to the state before and to what was read."""
    plan = sc.plan
    left, wide = plan.station(False)
    low = plan.low_station if plan.family != "gru" else plan.memory
    start = left + wide * 0.5
    ends = sorted(plan.x(key) for key in VALVES[plan.family])
    foot, bus = low + plan.station_high / 2, plan.bus
    live = sc.back is not None and sc.when.step >= 0
    weights, passed = (sc.done("weights"), sc.done("pass")) if live else (0.0, 0.0)
    marks: list[Mark] = []
    way = ((ends[-1], bus), (start, bus), (start, foot))
    fed = STATION_LEFT * plan.wide + plan.token_high + 52 * plan.wide
    down = ((fed, bus), (fed, plan.token + plan.token_high * 0.25))
    for x in ends:
        marks += wires.arrow(((x, plan.boxes + plan.box[1]), (x, bus)), "rule", 1.5, head=0)
    marks += wires.arrow(way, "rule", 1.5)
    marks += wires.arrow(down, "rule", 1.5)
    found: list[Mark] = []
    for x in ends:
        found += wires.arrow(((x, plan.boxes + plan.box[1]), (x, bus)), INK, 2.0, max(0.0, (weights - 0.5) * 2))
    found += wires.arrow(way, INK, 2.0, passed)
    found += wires.arrow(down, INK, 2.0, max(0.0, passed * 2 - 1))
    if plan.family == "gru":
        x = plan.x("again")
        marks += wires.arrow(((x, plan.second + 17), (x, bus)), "rule", 1.5, head=0)
        found += wires.arrow(((x, plan.second + 17), (x, bus)), INK, 2.0, max(0.0, (weights - 0.5) * 2))
        marks += again(sc, plan.second + 4)
    return marks + parts.faded(found, going)


def _read(sc: Scene) -> list[Mark]:
    """What was read, and the gradient of each of its numbers when that has come."""
    plan = sc.plan
    left, high, y = STATION_LEFT * plan.wide, plan.token_high, plan.token
    word = sc.shown.words[sc.step]
    wide = max(high, min(90.0, width(word, 15, 600, mono=len(word) <= 2) + 16))
    step = Focus(sc.shown.layer.name, (sc.step,))
    marks: list[Mark] = [Rect(left, y, wide, high, "sunk", radius=6, focus=step),
                         Text(left + wide / 2, y + high / 2 + 5.5, plain(word), 15 if len(word) < 4 else 12, 600, "ink",
                              "middle", wide - 6, mono=len(word) <= 2)]
    if sc.back is None:
        return marks
    values = sc.back.arrays["read"][sc.step]
    x = left + wide + 26
    end = min(plan.x(sorted(VALVES[plan.family], key=plan.x)[0]) + plan.box[0] / 2 + 60, plan.width * 0.42)
    if end - x < 60:
        return marks
    if sc.when.step < 0 or sc.done("pass") < 1:
        return [*marks, Rect(x, y + high * 0.25, end - x, high * 0.5, "hatch", "tile-border", 1)]
    top = colour.largest(values) or 1.0
    scale = Scale("gradient", tr("size of the gradient"), tr("what is read"), top * 1e-3, top, log=True)
    marks.append(Image(x, y + high * 0.25, ((end - x) / len(values), high * 0.5),
                       colour.magnitude(values, top * 1e-3, top)[None, None].copy(), "gradient", focus=step,
                       indices=(-1,), scale=scale))
    marks += wires.arrow(((x - 4, y + high / 2), (left + wide + 4, y + high / 2)), INK, 1.5)
    words = (Run("∂L/∂"), Run("x", italic=True), Run(tr(": size {size}, largest {largest}").format(
        size=numbers.significant(norm(values), 2), largest=numbers.significant(top, 2))))
    if end + 12 + width(words, 12) < plan.x_beats - 10:
        marks.append(Text(end + 12, y + high / 2 + 4, words, 12, 400, "ink-2"))
    return marks


def _arrivals(sc: Scene) -> list[Mark]:
    """What arrives at the state: from its own answer, and from the next step; together they may partly cancel."""
    plan = sc.plan
    left, top, right, bottom = plan.answer_box
    if sc.when.step < 0 or right - left < 90 or bottom - top < 120:
        return []
    own, later = sc.size("own"), sc.size("later")
    after = sc.step if sc.shown.reverse else sc.step + 2
    lines = [(tr("own answer"), own)]
    if 1 <= after <= sc.shown.steps:
        lines.append((tr("h of step {step}").format(step=after), later))
    arrive = sc.done("arrive")
    marks: list[Mark] = [Text(left, top + 10, plain(tr("what arrives")), 13, 600, max_width=right - left)]
    y = top + 34
    for words, value in lines:
        if width(words, 12) + width(numbers.significant(value, 3), 12, 600) + 6 <= right - left:
            marks.append(Text(left, y, plain(words), 12, 400, "ink-2"))
        if arrive > 0:
            marks += gatesigns.level(left, y + 7, right - left, 6, value / sc.full["line"] * min(1.0, 2 * arrive),
                                     ink=INK)
        else:
            marks.append(Rect(left, y + 7, right - left, 6, "hatch"))
        if arrive >= 1:
            marks.append(Text(right, y, plain(numbers.significant(value, 3)), 12, 600, "gradient-text", "end"))
        y += 36
    if arrive >= 1 and len(lines) > 1:
        for words in (tr("together {size}").format(size=numbers.significant(sc.size("hidden"), 3)),
                      tr("they may partly cancel")):
            if width(words, 12) <= right - left:
                marks.append(Text(left, y, plain(words), 12, 400, "ink-2"))
            y += 17
    return marks


def _said(sc: Scene) -> list[Mark]:
    """The sizes of what flows, beside their pipes."""
    plan = sc.plan
    if not plan.full or sc.back is None or sc.when.step < 0 or sc.when.slide > 0:
        return []
    labels = room(plan, sc.look)
    _occupied(sc, labels)
    half, marks = plan.bore / 2, list[Mark]()
    if plan.family == "lstm" and sc.done("output") >= 1 and sc.size("opens") > 0:
        share = sc.size("to_cell") / sc.size("opens")
        marks += labels.put(f"tanh′ × {numbers.number(share)}", [(plan.x("output_gate") - half_valve(plan) - 5,
                                                                     plan.second + half + 15, "end")],
                            13, 600, "gradient-text")
    lines = {"lstm": (("cell", "∂L/∂c = ", "memory", 410.0, -1), ("cell_later", tr("later: "), "arrive", 745.0, -1),
                      ("candidate.arrives", "", "gates", 440.0, 1)),
             "gru": (("hidden", "∂L/∂h = ", "memory", 410.0, -1), ("mixed", "", "gates", 580.0, 1),
                     ("sum", "", "gates", 450.0, 1)),
             "rnn": (("hidden", "∂L/∂h = ", "output", 705.0, -1),
                     ("preactivation.leaves", "∂L/∂a = ", "memory", 480.0, -1))}[plan.family]
    for key, words, done, x, side in lines:
        if sc.done(done) >= 1 and sc.size(key) > 0:
            base = plan.memory - half - 7 if side < 0 else plan.second + half + 15
            marks += labels.put(f"{words}{numbers.significant(sc.size(key), 3)}",
                                [(plan.x_of(x), base, "middle"), (plan.x_of(x + 60), base, "middle"),
                                 (plan.x_of(x), base + 14 * side, "middle")], 13, 600,
                                "gradient-text")
    return marks


def _occupied(sc: Scene, labels: Labels) -> None:
    """Valves and stations keep their places."""
    plan = sc.plan
    high, half = gatesigns.TALL * plan.bore / gatesigns.BORE, half_valve(plan)
    for valves in VALVES[plan.family].values():
        for place, line, _ in valves:
            x, y = plan.x(place), plan.memory if line == "memory" else plan.second
            beside = 150 if place in ("forget", "update") else 80
            keep_off(labels, (x - half - 60, y - high / 2 - 32, x + beside, y - high / 2),
                     (x - half, y - high / 2, x + half, y + high / 2))
            if place == "mix":
                keep_off(labels, (x - 46, y + high / 2, x + 46, y + high / 2 + 22))
    for right in (False, True):
        left, wide = plan.station(right)
        keep_off(labels, (left, plan.memory - plan.station_high / 2, left + wide,
                          plan.memory + plan.station_high / 2))
