"""Forwards: what is read meets the last state at the gates; valves turn; the memory flows through them and is added to.

Nothing is drawn before it has been computed: a pipe is empty, a card hatched.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from visualizer.kinds._steps import changed
from visualizer.language import numeral, tr
from visualizer.scene import colour, gatesigns, numbers, parts, wires
from visualizer.scene.labels import Labels
from visualizer.scene.picture import Flight, Focus, Group, Image, Mark, Points, Rect, Run, Scale, Text, grouped, plain
from visualizer.scene.reading import blank_of, foretells, label
from visualizer.scene.sofar import so_far
from visualizer.scene.type import width
from visualizer.scene.wires import Flow
from visualizer.trace import Trace
from visualizer.views.diagram._parts import (
    Station,
    added,
    again,
    chip,
    gate_box,
    ink_of,
    keep_off,
    lever,
    room,
    station,
)
from visualizer.views.diagram._plan import Plan
from visualizer.views.diagram._scene import Scene, indexed
from visualizer.views.diagram._ways import bores, half_valve, plus, ways
from visualizer.views.diagram._ways import chip as chip_half

SIGNS, ARROWS = (0.25, 0.62), (0.45, 0.85)


def draw(sc: Scene, answers: np.ndarray | None, known: range) -> list[Mark]:
    """The whole cell at one step, and the answers after it where all that they hang on is known."""
    plan, layer = sc.plan, sc.shown.layer.name
    going = 1.0 - min(1.0, 2 * sc.when.slide)
    wires_of = Group(tr("wires"), Focus(layer))
    marks: list[Mark] = [mark for way in bores(plan) for mark in wires.bore(way, plan.bore)]
    flows = {"lstm": _lstm, "gru": _gru, "rnn": _rnn}[plan.family](sc) if sc.when.step >= 0 else []
    marks += parts.faded(flows, going)
    marks = grouped(wires_of, [*marks, *joints(sc)])
    marks += _gates(sc, going)
    marks += grouped(Group(tr("states"), Focus(layer)), _states(sc, going))
    marks += grouped(Group(tr("what is read"), Focus(layer, (sc.step,))), _read(sc, going))
    marks += grouped(wires_of, parts.faded(_said(sc), going if sc.when.step >= 0 else 0.0))
    if answers is not None:
        marks += grouped(Group(tr("answer"), Focus(layer, (sc.step,))), _answer(sc, answers, going, sc.step in known))
    elif sc.look.mode.notes:
        marks += grouped(Group(tr("answer"), Focus(layer, (sc.step,))), _goes_on(sc, going, sc.step in known))
    return marks


def _flow(sc: Scene, name: str, key: str, focus: Focus, target: Focus, share: float, scale: str = "line",
          value: float | None = None, signs: Sequence[float] = SIGNS, arrows: Sequence[float] = ()) -> list[Mark]:
    """What flows along one way: as thick as it is large, in the colour of its sign."""
    if share <= 0:
        return []
    value = sc.value(key) if value is None else value
    flight = Flight(focus, target, value, min(1.0, share))
    what = Flow(max(sc.thick(value, scale), 1.0 if value else 0.0), gatesigns.tone(value), value, focus,
                tip=f"{_name(key)} {sc.worded(numbers.significant(value), key)}", flight=flight)
    return wires.flow(ways(sc.plan)[name], what, sc.look, share, signs, arrows) if value else []


def joints(sc: Scene) -> list[Mark]:
    """Where ways meet, and the curves that values go through."""
    plan = sc.plan
    if plan.family == "rnn":
        curve = sc.shown.family.quantities["hidden"].curve
        words = "tanh" if curve is None else curve.words.format("")[:-2] if curve.name == "tanh" else curve.name
        return chip(plan.x("tanh"), plan.memory, chip_half(plan), words, sc.focus("hidden"))
    key, place = ("hidden", "tanh") if plan.family == "lstm" else ("new", "new")
    radius, line = plus(plan), plan.memory
    marks = added(plan.x("plus"), line, radius)
    return marks + chip(plan.x(place), plan.second, chip_half(plan), "tanh", sc.focus(key))


def _name(key: str) -> str:
    return {"cell_before": "c₋", "hidden_before": "h₋", "kept": tr("kept"), "added": tr("added"), "cell": "c",
            "shown": tr("shown"), "hidden": "h", "candidate": "g", "opened": "tanh c",
            "hidden_new": "U h₋ + b", "new.state": "r·(U h₋ + b)",
            "new.fed": "W x + b", "new": "n", "preactivation": "a"}.get(key, key)


def _open_said(sc: Scene, key: str, other: bool) -> str:
    """How open a valve is; the `other` one of an update gate is open as far as that is shut."""
    return sc.worded(numbers.number(1 - sc.value(key)), "open to the new") if other else sc.number(key)


def _lstm(sc: Scene) -> list[Mark]:
    keep, add, show = sc.done("keep"), sc.done("add"), sc.done("show")
    cell, hidden = sc.focus("cell"), sc.focus("hidden")
    marks: list[Mark] = []
    if not (sc.started and sc.value("cell_before") == 0):
        before = sc.focus("cell", before=True)
        marks += _flow(sc, "before", "cell_before", before, before, keep * 2.5, arrows=(0.7,))
        marks += _flow(sc, "kept", "kept", before, cell, (keep - 0.4) / 0.6, arrows=ARROWS)
    new = sc.focus("candidate")
    marks += _flow(sc, "candidate", "candidate", new, new, add / 0.3)
    marks += _flow(sc, "added", "added", sc.focus("input"), cell, (add - 0.3) / 0.25, signs=(0.3,))
    marks += _flow(sc, "after", "cell", cell, cell, (add - 0.55) / 0.45, arrows=(0.5,), signs=(0.75,))
    marks += _flow(sc, "down", "cell", cell, cell, show * 2.5, signs=(0.4,))
    marks += _flow(sc, "opened", "opened", cell, hidden, (show - 0.4) / 0.2, signs=())
    marks += _flow(sc, "shown", "shown", sc.focus("output_gate"), hidden, (show - 0.6) / 0.4, signs=())
    return marks


def _gru(sc: Scene) -> list[Mark]:
    reset, keep, mix = sc.done("keep"), sc.done("add"), sc.done("show")
    hidden, new = sc.focus("hidden"), sc.focus("new")
    marks: list[Mark] = []
    first = sc.started and not np.any(sc.forward.arrays["hidden_before"][sc.step])
    marks += _flow(sc, "again", "hidden_new", new, new, reset * 4, "sums", signs=(0.5,))
    marks += _flow(sc, "reset", "new.state", new, new, (reset - 0.25) / 0.25, "sums", signs=(0.5,))
    marks += _flow(sc, "read", "new.fed", new, new, (reset - 0.4) / 0.2, "sums", signs=())
    if not first:
        before = sc.focus("hidden", before=True)
        marks += _flow(sc, "before", "hidden_before", before, before, keep * 2.5, arrows=(0.7,))
        marks += _flow(sc, "kept", "kept", before, hidden, (keep - 0.4) / 0.6, arrows=ARROWS)
    marks += _flow(sc, "new", "new", new, new, (reset - 0.7) / 0.3, signs=(0.5,))
    marks += _flow(sc, "added", "added", new, hidden, mix / 0.6, signs=(0.25,))
    marks += _flow(sc, "after", "hidden", hidden, hidden, (mix - 0.6) / 0.4, arrows=(0.25,), signs=(0.65,))
    return marks


def _rnn(sc: Scene) -> list[Mark]:
    keep, add = sc.done("keep"), sc.done("add")
    total, hidden = sc.focus("preactivation"), sc.focus("hidden")
    return [*_flow(sc, "sum", "preactivation", total, total, keep, "sums"),
            *_flow(sc, "after", "hidden", hidden, hidden, add)]


# --- gates ------------------------------------------------------------------------------------------------------------

def _gates(sc: Scene, going: float) -> list[Mark]:
    """The boxes, and the valves that they turn."""
    plan, layer = sc.plan, sc.shown.layer.name
    marks: list[Mark] = []
    for key, valves in VALVES[plan.family].items():
        share = sc.forward_share(key)
        own = Group(sc.named(key), Focus(layer, (sc.step,), f"inner.{key}"))
        found: list[Mark] = []
        for place, line, other in valves:
            x, y = plan.x(place), plan.memory if line == "memory" else plan.second
            if key == "update" and other:
                turn = plan.memory + 40 * plan.tall, plan.x("update")
                found += lever(((turn[1], turn[0]), (x, turn[0]), (x, y - gatesigns.TALL * plan.bore / 88)))
            elif place == key:
                found += lever(((x, plan.boxes), (x, y + gatesigns.TALL * plan.bore / 88)))
            found += _valve(sc, key, x, y, share, other, going)
        found += gate_box(sc, key, share) if going >= 1 else parts.faded(gate_box(sc, key, share), going) + \
            parts.faded(_empty_box(sc, key), 1.0 - going)
        marks += grouped(own, found)
    return marks


VALVES: dict[str, dict[str, tuple[tuple[str, str, bool], ...]]] = {
    "lstm": {"forget": (("forget", "memory", False),), "candidate": (), "input": (("input", "second", False),),
             "output_gate": (("output_gate", "second", False),)},
    "gru": {"update": (("update", "memory", False), ("mix", "second", True)),
            "reset": (("reset", "second", False),), "new": ()},
    "rnn": {"preactivation": ()},
}
"""By gate: where its valves are, on which line, and whether what they let through is what is missing to 1."""
INTO = {"forget": ("cell_before", "line"), "input": ("candidate", "line"), "output_gate": ("opened", "line"),
        "update": ("hidden_before", "line"), "mix": ("new", "line"), "reset": ("hidden_new", "sums")}
"""What comes to each valve, and on which scale it is drawn."""


def _empty_box(sc: Scene, key: str) -> list[Mark]:
    return gate_box(sc, key, 0.0)


def _valve(sc: Scene, key: str, x: float, y: float, share: float, other: bool, going: float) -> list[Mark]:
    """A valve, turned as far as its gate has opened: from shut, all gates together. It shuts as the step goes on."""
    plan, place = sc.plan, "mix" if other else key
    value = 1 - sc.value(key) if other else sc.value(key)
    tick = 1 - sc.tick(key) if other else sc.tick(key)
    came, scale = INTO[place]
    flowing = sc.flows(place) and going >= 1
    incoming = sc.value(came)
    opened = value * share * (1 - sc.when.slide)
    share = share if going >= 1 else 0.0
    marks = gatesigns.valve(
        x, y, opened, bore=plan.bore, came=sc.thick(incoming, scale) if flowing else 0.0,
        ink=gatesigns.tone(incoming) if flowing and incoming else "", tick=tick if share >= 1 else None,
        focus=sc.focus(key), tip=f"{sc.named(key)}: {_open_said(sc, key, other)}" if share >= 1 else sc.named(key))
    high = gatesigns.TALL * plan.bore / gatesigns.BORE
    size = min(gatesigns.SIGN, max(16.0, 20 * plan.tall))
    up = y - high / 2 - size * 0.58 - 3
    words = f"× {numbers.number(value)}"
    beside = width(words, 14, 600)
    marks += gatesigns.sign(key, x, up, size)
    if share < 1 or (not plan.full and beside > 56):
        return marks
    if place == ("output_gate" if plan.full else "input"):
        marks.append(Text(x - size * 0.6 - 6, up + 5, plain(words), 14 if plan.full else 13, 600, "ink", "end"))
    else:
        if not other:
            marks.append(Text(x + size * 0.6 + 6, up + 5, plain(words), 14 if plan.full else 13, 600))
        elif plan.full:
            marks.append(Text(x - beside * 0.2, y + high / 2 + 16, plain(
                tr("× (1 − z) = {value}").format(value=numbers.number(value))), 12, 600))
    return marks


# --- states -----------------------------------------------------------------------------------------------------------

def _states(sc: Scene, going: float) -> list[Mark]:
    """The states before the step at the left, those after it at the right; they change places as the step goes on."""
    plan, when = sc.plan, sc.when
    left, wide = plan.station(False)
    right, _ = plan.station(True)
    step = max(0, when.step)
    number = step + 1
    earlier = number + 1 if sc.shown.reverse else number - 1
    second = plan.second if plan.family == "lstm" else plan.memory
    low = plan.low_station if plan.family != "gru" else plan.memory
    marks = _wiring(sc, going)
    if when.step < 0:
        first = when.coming if when.coming >= 0 else (sc.shown.steps - 1 if sc.shown.reverse else 0)
        number = first + 1
        earlier = number + 1 if sc.shown.reverse else number - 1
    places = [("hidden", left, low, right, second)]
    if plan.family == "lstm":
        places.insert(0, ("cell", left, plan.memory, right, plan.memory))
    for key, x, y, end, target in places:
        after = "shown" if key == "hidden" and plan.family == "lstm" else key
        known = sc.known(key) if when.step >= 0 else False
        most = 1.0 if key == "hidden" and sc.shown.squashed else sc.full["line"]
        coming = _station(sc, key, after, number, most, known, True)
        before = _station(sc, key, f"{key}_before", earlier, most, True, False)
        if when.step >= 0 and when.slide > 0:
            at = end + (x - end) * when.slide
            across = target + (y - target) * when.slide
            marks += station(before, x, y, wide, plan.station_high, going) if going > 0 else []
            marks += station(_station(sc, key, after, number, most, False, True, 1), end, target, wide,
                             plan.station_high, when.slide)
            marks += station(_station(sc, key, after, number, most, True, when.slide < 1, 0,
                                      Flight(sc.focus(key), sc.focus(key), sc.value(after), when.slide)), at, across,
                             wide, plan.station_high)
            continue
        marks += station(before, x, y, wide, plan.station_high)
        marks += station(coming, end, target, wide, plan.station_high)
    return marks


def _station(sc: Scene, key: str, name: str, number: int, most: float, known: bool, result: bool, later: int = 0,
             flight: Flight | None = None) -> Station:
    """The memory or the state of one step."""
    symbol = "c" if key == "cell" else "h"
    number += (-later if sc.shown.reverse else later)
    word = tr("memory") if key == "cell" else tr("state")
    if name.endswith("_before") and changed(sc.shown.layer, key) and number:
        word, symbol = tr("changed memory") if key == "cell" else tr("changed state"), symbol + "′"
    short = indexed(symbol, number)
    value = sc.value(name) if sc.when.step >= 0 or name.endswith("_before") else 0.0
    if sc.shown.projected and key == "hidden":  # its own numbers are others than those of the units
        word, symbol = (tr("mean state"), "h") if name.endswith("_before") else (tr("before projection"), "y")
        short = indexed(symbol, number)
        value = sc.forward.mean(name, sc.step) if name.endswith("_before") else value
    focus = None if name.endswith("_before") and sc.started else sc.focus(key, before=name.endswith("_before"))
    return Station((Run(f"{word} "), *short), short, value, most, focus,
                   sc.tick(name) if not flight and known and not (sc.shown.projected and name == "hidden_before")
                   else None, known, result, flight=flight,
                   worded=flight is None or flight.share >= 1 or sc.look.mode.notes)


def _wiring(sc: Scene, going: float) -> list[Mark]:
    """The thin wires: the old state and what is read to the gates, and what goes on to the next step."""
    plan, token = sc.plan, sc.done("token")
    left, wide = plan.station(False)
    right, _ = plan.station(True)
    low = plan.low_station if plan.family != "gru" else plan.memory
    start = left + wide * 0.5
    keys = list(VALVES[plan.family])
    ends = sorted(plan.x(key) for key in keys)
    bus, foot = plan.bus, low + plan.station_high / 2
    runs = max(0.0, (token - 0.5) / 0.5) if sc.when.step >= 0 else 0.0
    whole = ((start, foot), (start, bus), (ends[-1], bus))
    marks = wires.arrow(whole, "rule", 1.5, head=0)
    for end in ends:
        marks += wires.arrow(((end, bus), (end, plan.boxes + plan.box[1])), "rule", 1.5)
    if plan.family == "gru":
        x = plan.x("again")
        marks += wires.arrow(((x, bus), (x, plan.second + 19)), "rule", 1.5)
    fed = STATION_LEFT * plan.wide + plan.token_high + 52 * plan.wide
    marks += wires.arrow(((fed, plan.token + plan.token_high * 0.25), (fed, bus)), "rule", 1.5, head=0)
    live: list[Mark] = []
    live += wires.arrow(((fed, plan.token + plan.token_high * 0.25), (fed, bus)), "ink-2", 2.0, runs, head=0)
    for place, piece in enumerate(pieces := _pieces(whole, ends)):
        live += wires.arrow(piece, "ink-2", 2.0, runs * len(pieces) - place, head=0)
    if runs >= 1:
        for end in ends:
            live += wires.arrow(((end, bus), (end, plan.boxes + plan.box[1])), "ink-2", 2.0)
        if plan.family == "gru":
            live += wires.arrow(((x, bus), (x, plan.second + 19)), "ink-2", 2.0)
    marks += parts.faded(live, going)
    if plan.family == "gru":
        value = sc.value("hidden_new")
        known = sc.when.step >= 0 and sc.done("keep") > 0 and going >= 1
        marks += again(sc, plan.second - (3 if known else -4))
        if known:
            marks.append(Text(x, plan.second + 13, plain(numbers.number(value)), 12, 600, ink_of(value), "middle"))
    if not sc.look.mode.notes:
        return marks
    shown = sc.done("show") >= 1 and going >= 1
    ink = "ink-2" if shown else "rule"
    last = plan.answer_box[0] - 6
    after = sc.step if sc.shown.reverse else sc.step + 2
    if 1 <= after <= sc.shown.steps:
        marks += wires.arrow(((right + wide, plan.memory), (plan.width - 14, plan.memory)), ink, 1.5)
        words = tr("to step {step}").format(step=after)
        if plan.width - 20 - right - wide > width(words, 12) + 20:
            marks.append(Text(plan.width - 16, plan.memory - 8, plain(words), 12, 400, "ink-2", "end"))
    state = plan.second if plan.family == "lstm" else plan.memory
    if plan.family == "lstm":
        marks += wires.arrow(((right + wide, state), (last, state)), ink, 1.5)
    else:
        turn, out = right + wide * 0.5, goes_out(plan)
        marks += wires.arrow(((turn, state + plan.station_high / 2), (turn, out), (last, out)), ink, 1.5)
    return marks


def goes_out(plan: Plan) -> float:
    """Height at which a state leaves the drawing, for what reads it."""
    return plan.second if plan.family == "lstm" else plan.memory + plan.station_high / 2 + 40


def _pieces(whole: Points, taps: list[float]) -> list[Points]:
    """The bus in stretches, from tap to tap: what runs along it fills one after the other."""
    start, corner, _ = whole
    stops = [corner[0], *(x for x in taps if x > corner[0])]
    return [(start, corner), *(((a, corner[1]), (b, corner[1])) for a, b in pairwise(stops))]


# --- what is read -----------------------------------------------------------------------------------------------------

def _read(sc: Scene, going: float) -> list[Mark]:
    """The token drops in; what it is turned into runs to the bus."""
    plan, token = sc.plan, sc.done("token") if sc.when.step >= 0 else 0.0
    left, high, y = STATION_LEFT * plan.wide, plan.token_high, plan.token
    word = sc.shown.words[sc.step] if sc.shown.words else ""
    wide = max(high, min(90.0, width(word, 15, 600, mono=len(word) <= 2) + 16))
    step = Focus(sc.shown.layer.name, (sc.step,))
    landed = 1 - (1 - min(1.0, token * 2)) ** 2
    marks: list[Mark] = [Rect(left, y, wide, high, "hatch", "rule", 1, radius=6)]
    values = sc.read_values()
    x, end = left + wide + 26, plan.x(sorted(VALVES[plan.family], key=plan.x)[0]) + plan.box[0] / 2 + 60
    end = min(end, plan.width * 0.42)
    if token > 0:
        drop: list[Mark] = [
                Rect(left, y - 24 * (1 - landed), wide, high, "accent-fill", radius=6, focus=step,
                     holds=Flight(Focus(sc.trace.layers[0].name, ()), step, float(sc.step), landed),
                     opacity=min(1.0, 3 * landed)),
                Text(left + wide / 2, y - 24 * (1 - landed) + high / 2 + 5.5, plain(word), 15 if len(word) < 4 else 12,
                     600, "on-accent", "middle", wide - 6, mono=len(word) <= 2, opacity=min(1.0, 3 * landed))]
        marks += parts.faded(drop, going)
    if len(values) > 1 and end - x > 60:
        each = (end - x) / len(values)
        seen = max(0.0, (token - 0.4) / 0.4)
        count = round(len(values) * min(1.0, seen))
        top = colour.largest(values) or 1.0
        marks.append(Rect(x, y + high * 0.25, end - x, high * 0.5, "hatch", "tile-border", 1))
        marks += wires.arrow(((left + wide + 4, y + high / 2), (x - 4, y + high / 2)),
                             "ink-2" if token > 0 and going >= 1 else "rule", 1.5)
        if count:
            scale = Scale("activation", tr("values"), tr("what is read"), -top, top)
            marks += parts.faded([Image(x, y + high * 0.25, (each, high * 0.5),
                                        colour.signed(values[:count], top)[None, None].copy(), "activation",
                                        border="tile-border", focus=step, indices=(-1,), scale=scale)], going)
        words = tr("{count} values, ±{top}").format(count=numbers.count(len(values)), top=numbers.significant(top, 2))
        if count == len(values) and end + 12 + width(words, 12) < plan.x_beats - 10:
            marks += parts.faded([Text(end + 12, y + high / 2 + 4, plain(words), 12, 400, "ink-2")], going)
    return marks


STATION_LEFT = 18.0


# --- words beside the wires -------------------------------------------------------------------------------------------

def _said(sc: Scene) -> list[Mark]:
    """The numbers of what flows, each in a free place beside its pipe, when it has come."""
    plan = sc.plan
    if not plan.full:
        return []
    labels = room(plan, sc.look)
    _occupied(sc, labels)
    half = plan.bore / 2
    marks: list[Mark] = []
    y, second = plan.memory, plan.second
    for key, words, done, spots in SAID[plan.family]:
        if sc.done(done) < 1:
            continue
        value = sc.value(key)
        x, dy = spots
        base = (y if dy < 0 else second) + (-half - 7 if dy < 0 else half + 15)
        text = f"{words}{numbers.number(value)}"
        marks += labels.put(text, [(plan.x_of(x), base, "middle"), (plan.x_of(x), base + (0 if dy < 0 else 14),
                                                                   "middle")], 13, 600, ink_of(value))
    return marks


SAID: dict[str, tuple[tuple[str, str, str, tuple[float, int]], ...]] = {
    "lstm": (("kept", "f·c₋ = ", "keep", (410.0, -1)), ("cell", "c = ", "add", (745.0, -1)),
             ("added", "i·g = ", "add", (570.0, 1)), ("candidate", "", "add", (440.0, 1)),
             ("opened", "", "show", (703.0, 1))),
    "gru": (("kept", "z·h₋ = ", "add", (410.0, -1)), ("new", "", "keep", (580.0, 1)),
            ("added", "(1 − z)·n = ", "show", (775.0, 1)), ("new.state", "", "keep", (450.0, 1))),
    "rnn": (("preactivation", "a = ", "keep", (480.0, -1)), ("hidden", "h = ", "add", (720.0, -1))),
}
"""What is written beside which pipe, when, and where: x in the drawing, above the line or below the second one."""


def _occupied(sc: Scene, labels: Labels) -> None:
    """Stations, valves and their words, and all other pipes keep their places."""
    plan = sc.plan
    high, half = gatesigns.TALL * plan.bore / gatesigns.BORE, half_valve(plan)
    for valves in VALVES[plan.family].values():
        for place, line, _ in valves:
            x, y = plan.x(place), plan.memory if line == "memory" else plan.second
            keep_off(labels, (x - half - 60, y - high / 2 - 32, x + half + 60, y - high / 2),
                     (x - half, y - high / 2, x + half, y + high / 2))
            if place == "mix":
                keep_off(labels, (x - 60, y + high / 2, x + 90, y + high / 2 + 22))
    for right in (False, True):
        left, wide = plan.station(right)
        keep_off(labels, (left, plan.memory - plan.station_high / 2, left + wide,
                          plan.memory + plan.station_high / 2))
        if right and plan.family == "lstm":
            keep_off(labels, (left, plan.second - plan.station_high / 2, left + wide,
                              plan.second + plan.station_high / 2))
    for way in bores(plan):
        for (ax, ay), (bx, by) in pairwise(way):
            aside, along = (plan.bore / 2, 0.0) if ax == bx else (0.0, plan.bore / 2)
            keep_off(labels, (min(ax, bx) - aside, min(ay, by) - along, max(ax, bx) + aside, max(ay, by) + along))


# --- the answer -------------------------------------------------------------------------------------------------------

def _answer(sc: Scene, answers: np.ndarray, going: float, known: bool) -> list[Mark]:
    """The likeliest answers after the step, as bars that grow when they are known."""
    plan = sc.plan
    left, top, right, bottom = plan.answer_box
    row, share = answers[sc.step], sc.done("answer") if sc.when.step >= 0 and known else 0.0
    title = tr("expects next") if foretells(sc.trace) else tr("says")
    marks: list[Mark] = [Text(left, top + 10, plain(title), 13 if plan.full else 12, 600, "ink",
                              max_width=right - left)]
    order = np.argsort(-row, kind="stable")[:8]
    longest = max(width(_label(sc.trace, int(index)), 13, 600, mono=True) for index in order) + 8
    stacked = longest > (right - left) * 0.42
    pitch = (24.0 if plan.full else 19.0) + 14 * stacked
    order = order[:max(1, int((bottom - top - 24) / pitch))]
    names = [_label(sc.trace, int(index)) for index in order]
    share_words = [numeral(f"{100 * float(row[index]):.1f} %") for index in order]
    wide = max(width(words, 12, 600) for words in share_words)
    across = 0.0 if stacked else longest
    track = right - left - across - wide - 8
    for place, index in enumerate(order):
        y = top + 26 + pitch * place
        best, value = place == 0, float(row[index])
        if share <= 0:
            marks.append(Rect(left, y + 2, right - left, pitch - 10, "hatch"))
            continue
        grown = 1 - (1 - share) ** 2
        found: list[Mark] = []
        found.append(Text(left, y + 12, plain(names[place]), 13, 600 if best else 500, "ink",
                          max_width=right - left if stacked else across - 4, mono=True))
        bar, high = y + 3 + 15 * stacked, pitch - 14 - 15 * stacked
        if track > 12:
            found += [Rect(left + across, bar, track, high, "sunk", radius=2),
                      Rect(left + across, bar, max(0.5, track * value * grown), high,
                           "accent" if best else "ink-2", radius=2, focus=sc.answer_focus(int(index)))]
        if share >= 1:
            found.append(Text(right, y + 12 + 14 * stacked, plain(share_words[place]), 12, 600 if best else 400, "ink",
                              "end"))
        marks += parts.faded(found, going)
        if going < 1:
            marks += parts.faded([Rect(left, y + 2, right - left, pitch - 10, "hatch")], 1 - going)
    return marks


def _goes_on(sc: Scene, going: float, known: bool) -> list[Mark]:
    """Where the state goes: the number that is the answer, or the layer that reads it."""
    left, top, right, _ = sc.plan.answer_box
    y, found = goes_out(sc.plan), so_far(sc.trace, sc.shown)
    if found is None:
        reader = next((each.name for each in sc.trace.readers(sc.shown.layer.name)), "")
        words = tr("to {layer}").format(layer=reader)
        return [Text(left, y + 4.5, plain(words), 12, 400, "ink-2", max_width=right - left)] if reader else []
    title = Text(left, min(top + 10, y - 14), plain(tr("says") if found.own else tr("would say")), 13, 600, "ink",
                 max_width=right - left)
    if not known or sc.when.step < 0 or sc.done("answer") < 1:
        return [title, Rect(left, y - 9, 60, 18, "hatch")]
    value = Text(left, y + 6, plain(numbers.number(float(found.values[sc.step].ravel()[0]))), 15, 600, "accent-ink")
    return [title, *parts.faded([value], going)]


def _label(trace: Trace, index: int) -> str:
    return tr("blank") if index == blank_of(trace) else label(trace, index)
