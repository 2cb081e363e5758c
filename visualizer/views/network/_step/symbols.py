"""What is read: the sequence on top, the symbol of the step as it drops in, and what it is turned into."""

from __future__ import annotations

import numpy as np

from visualizer import kinds
from visualizer.language import counted_as, english, tr
from visualizer.motions._marks import along, wire
from visualizer.said import axis, said
from visualizer.scene import colour, numbers, parts, step_inputs, steps, wires
from visualizer.scene.labels import cut
from visualizer.scene.picture import (
    Flight,
    Focus,
    Group,
    Image,
    Mark,
    Path,
    Rect,
    Run,
    Scale,
    Stop,
    Text,
    grouped,
    plain,
)
from visualizer.scene.reading import number_said, read_said, step_said
from visualizer.scene.type import width
from visualizer.views.network._step.scene import Scene


def strip(sc: Scene) -> list[Mark]:
    """All steps: what was read, the one that is being read filled, those to come hatched."""
    place, now = sc.plan.strip, sc.step
    addresses = steps.stops(sc.trace, sc.shown, sc.moment.beat.direction)
    bars = sc.plan.source is not None and sc.plan.source.kind == "numbers"
    numbered = sc.plan.roomy and (bars or not all(word[-1:].isdigit() for word in sc.shown.words))
    marks: list[Mark] = []
    if sc.look.mode.lanes:
        marks.append(Text(place.x - 14, place.top + place.high / 2 + 4.5, plain(tr("reads")), 12, 600, "ink", "end"))
    there = set(sc.seen) | ({now} if sc.when.step >= 0 else set()) if sc.back is None else set(range(sc.shown.steps))
    for step in range(sc.shown.steps):
        seen = place.seen(step)
        if seen <= 0:
            continue
        x = place.left(step)
        passed = min(1.0, max(0.0, (sc.when.slide - 0.3) / 0.4))
        lit = passed if step == sc.when.coming else 1.0 - passed if step == now and sc.when.step >= 0 else 0.0
        ground = "sunk" if step in there else "hatch"
        if ground == "hatch":
            marks.append(Rect(x, place.top, place.tile, place.high, "stage", "rule", 1, inside=True, radius=5,
                              opacity=seen))
        focus = Focus(sc.layer.name, (step,))
        marks.append(Rect(x, place.top, place.tile, place.high, ground, "rule" if ground == "hatch" else "", 1,
                          inside=True, radius=5, opacity=seen, focus=focus,
                          holds=Stop(addresses.addresses[step]) if addresses is not None else None))
        if lit > 0:
            marks.append(Rect(x, place.top, place.tile, place.high, "gradient-mark" if sc.back is not None else
                              "accent-fill", radius=5, opacity=seen * lit, focus=focus))
        marks += parts.faded(_in_tile(sc, step, x, False), seen * (1 - lit)) + \
            parts.faded(_in_tile(sc, step, x, True), seen * lit)
        if numbered:
            marks.append(Text(x + place.tile / 2, place.top + place.high + 14, plain(step_said(sc.shown, step)), 11,
                              400, "ink-2", "middle", opacity=seen))
    return grouped(Group(tr("all steps"), Focus(sc.layer.name)), marks)


def on_the_tile(sc: Scene) -> str:
    """In which ink a word stands on the tile of the step that is read, or that the gradient has come to."""
    return "on-accent" if sc.back is None else colour.ink_on("gradient-mark", sc.look.theme)


def _in_tile(sc: Scene, step: int, x: float, lit: bool) -> list[Mark]:
    """The symbol of a step, or the numbers that it reads."""
    place, source = sc.plan.strip, sc.plan.source
    if source is not None and source.kind == "numbers" and source.values.shape[1] <= 6 and not lit:
        return step_inputs.bars(source, range(step, step + 1), x + 4, place.top + 3, place.tile - 8, place.high - 6,
                                place.pitch, sc.layer.name)
    word, ways = read_said(sc.shown, step), (sc.shown.words[step], number_said(sc.shown, step))
    mono, ink = len(ways[0]) < 3, on_the_tile(sc) if lit else "ink"
    size = next((size for size in (15.0, 13.0, 12.0, 11.0) if width(word, size, 600, mono) <= place.tile - 4), 0.0)
    if not size:
        word, size = ways[1], 11.0
        if width(word, size, 600) > place.tile - 2:
            return [Text(x + place.tile / 2, place.top + place.high / 2 + 4, plain(word), size, 600,
                         ink, "middle", max_width=place.tile - 4)] \
                if cut((Run(word),), place.tile - 4, size, 600) else []
    return [Text(x + place.tile / 2, place.top + place.high / 2 + size * 0.35, plain(word), size, 600, ink, "middle",
                 mono=mono)]


def token(sc: Scene) -> list[Mark]:
    """The line along which the symbol drops while the states before it make room, the place where it lands, and the
    column that it is turned into."""
    x, y, wide, high = sc.plan.token
    back, when = sc.back is not None, sc.when
    marks: list[Mark] = []
    rows = sc.plan.source is not None and sc.plan.source.kind == "rows"
    if rows and sc.plan.source is not None:
        marks += _picture(sc, sc.plan.source)
    else:
        marks += parts.faded([Rect(x, y, wide, high, "hatch", "rule", 1, inside=True, radius=6)],
                             1.0 if when.step < 0 else when.slide)
    if when.step >= 0:
        landed = [] if rows else [*_way(sc, sc.step, back), *_symbol(sc, sc.step, 1.0)]
        marks += parts.faded([*landed, *_turned(sc, 1.0 if back else sc.done("token"), back)], sc.going)
    if when.coming >= 0 and not rows and not back:
        marks += _symbol(sc, when.coming, when.slide)
    return grouped(Group(tr("what is read"), Focus(sc.layer.name, (sc.step,))), marks)


def _path(sc: Scene, step: int) -> list[tuple[float, float]]:
    place, (x, y, wide, _) = sc.plan.strip, sc.plan.token
    start = place.left(step) + place.tile / 2
    foot = place.top + place.high + (17 if sc.plan.roomy else 2)
    turn = foot + 10
    return [(start, foot), (start, turn), (x + wide / 2, turn), (x + wide / 2, y - 5)]


def _way(sc: Scene, step: int, back: bool) -> list[Mark]:
    if not sc.look.mode.lanes:
        return []
    way = _path(sc, step)
    marks: list[Mark] = [wire(way, "gradient-mark" if back else "accent", 1.5)]
    return marks if back else marks + wires.arrow((way[-2], way[-1]), "accent", 1.5)


def _picture(sc: Scene, source: step_inputs.StepInputs) -> list[Mark]:
    """The picture, as far as its rows have been read."""
    x, y, wide, _ = sc.plan.token
    begun = sc.when.step >= 0 and (sc.back is not None or sc.done("token") > 0)
    columns = source.values.shape[1 if source.upright else 0]
    done = len(sc.seen) + (begun and sc.step not in sc.seen)
    return step_inputs.whole(source, x, y, wide / columns, sc.shown.steps if sc.back is not None else done,
                             sc.step if begun and sc.going > 0 else -1, [])


def _symbol(sc: Scene, step: int, dropped: float) -> list[Mark]:
    """The symbol of a step on its way, or landed in its tile."""
    x, y, wide, high = sc.plan.token
    at = along(tuple(_path(sc, step)), dropped) if sc.look.mode.lanes else (x + wide / 2, y - 5)
    first = sc.trace.layers[0]
    middle = at[0] + (x + wide / 2 - at[0]) * (dropped >= 1), at[1] if dropped < 1 else y + high / 2
    side = wide if dropped >= 1 else min(wide, sc.plan.strip.high) * (0.75 + 0.25 * dropped)
    left, top = middle[0] - side / 2, middle[1] - side / 2
    back = sc.back is not None
    marks: list[Mark] = []
    flight = None
    if first.output.ndim == 1 and step < len(first.output) and not back:
        about = Focus(first.name, (step,))
        marks.append(Rect(x, y, wide, high, radius=6, focus=about))
        flight = Flight(about, about, float(first.output[step]), dropped) if dropped < 1 else None
    marks.append(Rect(left, top, side, side, "sunk" if back else "accent-fill", radius=6, holds=flight))
    source = sc.plan.source
    if source is not None and source.kind == "numbers" and dropped >= 1 and source.values.shape[1] <= 6:
        marks[-1] = Rect(left, top, side, side, "sunk", "accent", 2, radius=6)
        marks += step_inputs.bars(source, range(step, step + 1), left + 6, top + 5, side - 12, side - 10,
                                  side, sc.layer.name)
        values = ", ".join(said(numbers.number(float(value)), "value", first.name, (step, place))
                           for place, value in enumerate(source.values[step]))
        under = sc.look.mode.notes and width(values, 12, 500) <= min(sc.plan.read[0] - 6, 2 * (x + wide / 2 - 4))
        return marks + ([Text(x + wide / 2, y + high + 18, plain(values), 12, 500, "ink", "middle")] if under else [])
    word = read_said(sc.shown, step)
    mono = len(sc.shown.words[step]) < 3
    size = next((size for size in (20.0, 15.0, 13.0, 12.0) if width(word, size, 600, mono) <= side - 4), 11.0)
    ink = "ink" if back else "on-accent"
    if width(word, size, 600, mono) <= side - 2:
        marks.append(Text(middle[0], middle[1] + size * 0.35, plain(word), size, 600, ink, "middle", mono=mono))
    elif dropped >= 1:
        marks.append(Text(max(x, 8.0), y - 10 if back else y + high + 18, plain(word), 12, 600, "ink",
                          max_width=sc.plan.read[0] - 14))
        return marks
    if dropped >= 1 and sc.look.mode.notes and first.output.ndim == 1:
        marks += _numbered(sc, step, x + wide / 2, y + high)
    return marks


def _numbered(sc: Scene, step: int, x: float, y: float) -> list[Mark]:
    """Which row of its table a symbol is."""
    first = sc.trace.layers[0]
    table = next((layer for layer in sc.trace.readers(first.name) if kinds.role(layer) == "table"), None)
    if table is None or step >= len(first.output):
        return []
    count = table.weights["weight"].shape[0] if "weight" in table.weights else 0
    number = said(numbers.count(int(first.output[step])), "value", first.name, (step,))
    lines = (tr("number {n}").format(n=number),
             tr("of {count}").format(count=said(numbers.count(count), *axis(table, 0, "weights.weight"))) if count
             else "")
    if x - max(width(line, 12) for line in lines) / 2 < 4:
        return []
    return [Text(x, y + 18 + 15 * place, plain(line), 12, 400, "ink-2", "middle")
            for place, line in enumerate(lines) if line]


def _turned(sc: Scene, share: float, back: bool) -> list[Mark]:
    """What the layer reads, as a column; on the way back its gradient."""
    plan = sc.plan
    x, wide = plan.read
    read = sc.trace.inputs(sc.layer)[0]
    values = sc.forward.read[sc.step]
    if back:
        assert sc.back is not None
        values, share = sc.back.arrays["read"][sc.step], sc.done("pass")
    count = len(values)
    cell = min(14.0, plan.rows * plan.cell / count)
    high = cell * count
    top = plan.top + (plan.rows * plan.cell - high) / 2
    marks: list[Mark] = []
    if plan.source is None or plan.source.kind == "numbers":
        ahead = plan.token[0] + plan.token[2] + 4
        middle = plan.token[1] + plan.token[3] / 2
        if x - ahead > 14:
            marks += wires.arrow(((ahead, middle), (x - 4, middle)), "rule" if share <= 0 else "gradient-mark" if back
                                  else "accent", 1.5)
    names = _named(sc, read.name, values, x + wide / 2, back)
    marks.append(Rect(x, top, wide, high, "hatch" if share < 1 else "", "tile-border", 1, inside=True))
    if share <= 0:
        return marks + names
    if back:
        largest = largest_back(sc)
        shades, palette = colour.magnitude(values, largest * parts.FLOOR, largest), "gradient"
        scale = Scale("gradient", english("size of the gradient"), read.name, largest * parts.FLOOR, largest, log=True)
    elif plan.source is not None and plan.source.kind == "rows":
        shades, palette, scale = step_inputs.shades(plan.source)[sc.step], "pixel", step_inputs.scale_of(plan.source)
    else:
        most = colour.largest(sc.forward.read) or 1.0
        shades, palette = colour.signed(values, most), "activation"
        scale = Scale("activation", english("values"), read.name, -most, most)
    marks.append(Rect(x, top, wide, high * share, "stage"))
    alone = not back or len(sc.trace.readers(read.name)) == 1
    marks.append(Image(x, top, (wide, cell), np.ascontiguousarray(shades[None, :, None]), palette, border="",
                       focus=Focus(read.name) if alone else None, indices=(sc.step,), rows=tuple(range(count)),
                       rows_shown=share, scale=scale))
    marks.append(Rect(x, top, wide, high, "", "rule", 1, inside=True))
    frame_x = plan.frame[0]
    marks += _wedge(x + wide + 1, top, top + high, frame_x - 1, plan.frame[1] + 8, plan.frame[1] + plan.frame[3] - 8)
    return marks + names


def largest_back(sc: Scene) -> float:
    """The top of the one scale of all gradients of the layer."""
    assert sc.back is not None
    arrays = sc.back.arrays
    return max((colour.largest(arrays[name]) for name in arrays
                if not name.endswith("slope")), default=0.0) or 1.0


def _wedge(x: float, top: float, bottom: float, end: float, end_top: float, end_bottom: float) -> list[Mark]:
    """That all of it goes to all of what follows."""
    corners = ((x, top), (end, end_top), (end, end_bottom), (x, bottom))
    return [Path((parts.polygon(corners),), fill="wedge")]


def _named(sc: Scene, name: str, values: np.ndarray, x: float, back: bool) -> list[Mark]:
    plan = sc.plan
    rim = plan.frame[0] - 5
    ways = [f"∂L/∂{name}" if back else name, name]
    title = next((way for way in ways if width(way, 12, 600, mono=True) <= rim - 4), name)
    long = min(width(title, 12, 600, mono=True), rim - 4)
    count = said(numbers.count(len(values)), "how many numbers a step reads", sc.layer.name)
    below = (counted_as(len(values), tr("{count} value"), tr("{count} values")).format(count=count), count)
    under = next((way for way in below if width(way, 12) <= rim - 4), "")
    marks: list[Mark] = [Text(max(4.0, min(x - long / 2, rim - long)), plan.heads, plain(title), 12, 600, "ink",
                              max_width=rim - 4, mono=True, focus=Focus(name))]
    if sc.look.mode.notes and under:
        long = width(under, 12)
        marks.append(Text(max(4.0, min(x - long / 2, rim - long)), plan.heads + 15, plain(under), 12, 400, "ink-2"))
    return marks
