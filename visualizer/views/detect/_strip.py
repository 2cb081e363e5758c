"""Below: one map of each layer, then the boxes, those that are sure, and what is in each that is kept; and the lanes of
the beats, of how much one value sees, and of how many boxes there are."""

from __future__ import annotations

import math

import numpy as np

from visualizer.answers import label
from visualizer.kinds import reach
from visualizer.language import counted_as, tr
from visualizer.said import axis, said
from visualizer.scene import numbers, parts
from visualizer.scene.channels import GRADIENT, ranked
from visualizer.scene.columns import short_name
from visualizer.scene.picture import (
    BEAT,
    LANE,
    Focus,
    Group,
    Image,
    Line,
    Look,
    Mark,
    Rect,
    Run,
    Stop,
    Text,
    grouped,
    plain,
)
from visualizer.scene.timeline import FORWARD, Moment, Timeline, ease
from visualizer.scene.type import elide, width
from visualizer.trace import Trace
from visualizer.views.detect import _scene
from visualizer.views.detect._plan import Plan, Station, neighbours, x_of
from visualizer.views.detect._state import DECODE, SUPPRESS, THRESHOLD, Detection, Now, come, returned

DOT = 4.5


def draw(trace: Trace, found: Detection, moment: Moment, seen: Now, place: Plan, look: Look) -> list[Mark]:
    """The tiles, and what each is of; what has not been computed yet is hatched."""
    if place.strip is None:
        return []
    marks: list[Mark] = [Line(((0, place.strip - 26), (look.size[0], place.strip - 26)), "hair")]
    for station in place.stations:
        marks += grouped(Group(station.layers[-1], Focus(station.layers[-1])),
                         _station(trace, station, moment, place, look))
    top, tile, name = place.strip, place.tile, found.held.name
    for doing, words, share, count in (
            (DECODE, tr("decode"), seen.decoded, len(found.every)),
            (THRESHOLD, "> " + said(numbers.number(found.least, 2), "factor", array=repr(found.least)), seen.passed,
             len(found.likely))):
        x = place.x[f"{name}.{doing}"] - tile / 2
        if width(plain(words), 12) <= tile + 4:  # the caption says it, too
            marks.append(Text(x, top - 8, plain(words), 12, 400, "ink"))
        current = moment.beat.doing == doing
        if share <= 0:
            marks.append(Rect(x, top, tile, tile, "hatch"))
            continue
        quantity, asked = ("boxes proposed", "") if doing == DECODE else ("boxes above a threshold", repr(found.least))
        marks += _boxes(found, place, x, top, tile, doing == THRESHOLD, share)
        marks.append(Rect(x - 2, top - 2, tile + 4, tile + 4, "", "accent" if current else "", 2, radius=3,
                          focus=Focus(name, array=BEAT), holds=Stop(f"{name}.{doing}", glides=False)))
        if share >= 1:
            counted = said(numbers.count(count), quantity, name, array=asked)
            below = counted_as(count, tr("{count} box"), tr("{count} boxes")).format(count=counted)
            marks.append(Text(x, top + tile + 17, plain(below if width(below, 12) <= tile + 4 else counted), 12, 400,
                              "ink-2"))
    return marks + _steps(trace, found, moment, seen, place) + _cost(trace, moment, place)


def _station(trace: Trace, station: Station, moment: Moment, place: Plan, look: Look) -> list[Mark]:
    """The map of the last layer that has come, over the one before it."""
    last = trace[station.layers[-1]]
    assert place.strip is not None
    rows, columns = last.shape[-2:]
    tile, top = place.tile, place.strip
    cell = tile / max(rows, columns)
    x = place.x[f"{last.name}.{FORWARD}"] - tile / 2
    left, upper = x + (tile - cell * columns) / 2, top + (tile - cell * rows) / 2
    shown = [(name, come(trace, moment, name)) for name in station.layers]
    back = [(name, returned(trace, moment, name)) for name in reversed(station.layers)]
    backward = any(share > 0 for _, share in back)
    marks: list[Mark] = []
    there = [each for each in (back if backward else shown) if each[1] > 0]
    if not there or (there[-1][1] < 1 and len(there) == 1):
        marks.append(Rect(left, upper, cell * columns, cell * rows, "hatch"))
    if backward and there[0][1] < 1:
        marks.append(_map(trace, last.name, station, look, False, left, upper, cell, 1.0))
    for name, share in there[-2:]:
        marks.append(_map(trace, name, station, look, backward, left, upper, cell, ease(share)))
    here = moment.beat.layer in station.layers and not moment.beat.doing
    name = moment.beat.layer if here else station.layers[0]
    if here:
        marks.append(Rect(x - 2, top - 2, tile + 4, tile + 4, "", "gradient-mark" if moment.backward else "accent", 2,
                          radius=3))
    room = tile + 6
    words = elide(short_name(name), 12, room, 600 if here else 400, mono=True)
    marks.append(Text(x, top - 8, (Run(words, mono=True),), 12, 600 if here else 400,
                      "accent-ink" if here and not moment.backward else "gradient-text" if here else "ink", mono=True,
                      focus=Focus(name)))
    size = "²" if rows == columns else ""
    sides = said(numbers.count(rows), *axis(last, 1)) + size if size else \
        f"{said(numbers.count(rows), *axis(last, 1))} × {said(numbers.count(columns), *axis(last, 2))}"
    counted = said(numbers.count(last.shape[0]), *axis(last, 0))
    for below in (tr("{one} of {count}, {sides}"), "{sides}"):
        told = below.format(one=said("1", "one"), count=counted, sides=sides) if last.shape[0] > 1 else sides
        if width(told, 12) <= room:
            marks.append(Text(x, top + tile + 17, plain(told), 12, 400, "ink-2"))
            break
    return marks


def _map(trace: Trace, name: str, station: Station, look: Look, backward: bool, x: float, y: float, cell: float,
         share: float) -> Mark:
    layer = trace[name]
    scale = parts.scale_of(trace, layer, look, backward)
    if layer.is_input and layer.shape[0] == 3 and not backward:
        shades, palette, index = _scene.shades(layer), "pixel", -1
        return Image(x, y, (cell, cell), shades, palette, focus=Focus(name), indices=(0,), blends=3, rows_shown=share,
                     scale=scale)
    index = ranked(trace[station.layers[-1]], GRADIENT)[0] if backward else station.channel
    values, palette = parts.entries_of_map(trace, layer, look, backward, index)
    return Image(x, y, (cell, cell), np.ascontiguousarray(values)[None], palette, focus=Focus(name), indices=(index,),
                 rows_shown=share, scale=scale)


def _boxes(found: Detection, place: Plan, x: float, y: float, tile: float, likely: bool, share: float) -> list[Mark]:
    """Boxes as small as the tile."""
    scene = place.scene
    factor = tile / max(scene.width, scene.height)
    x, y = x + (tile - scene.width * factor) / 2, y + (tile - scene.height * factor) / 2
    marks: list[Mark] = [Rect(x, y, scene.width * factor, scene.height * factor, "", "tile-border")]
    chosen = found.likely if likely else sorted(found.every, key=lambda each: -each.score)
    for each in chosen[:_scene.MOST_DRAWN]:
        box = _scene.corners(each.box, place)
        if box is not None:
            small = ((box[0] - scene.left) * factor + x, (box[1] - scene.top) * factor + y,
                     (box[2] - scene.left) * factor + x, (box[3] - scene.top) * factor + y)
            marks.append(_scene.outline(small, "ink" if likely else "ink-2", 1, opacity=share))
    return marks


def _steps(trace: Trace, found: Detection, moment: Moment, seen: Now, place: Plan) -> list[Mark]:
    """What lies in each box that is kept, and how many go for it."""
    assert place.strip is not None
    first, last = place.rounds
    name, top = found.held.name, place.strip
    if last < first:
        return []
    side = min(place.tile, place.apart - 6)
    x = place.x[f"{name}.{SUPPRESS}[{first}]"] - side / 2
    marks: list[Mark] = [Text(x, top - 8, (Run(SUPPRESS, mono=True),), 12, 600 if seen.current else 400,
                              "accent-ink" if seen.current else "ink", mono=True)]
    if (first, last) != (1, found.beats):
        marks.append(Text(x + 34, top - 8, plain(tr("{first}–{last} of {count}").format(
            first=said(str(first), "step of suppression", name, (first - 1,), array=found.asked),
            last=said(str(last), "step of suppression", name, (last - 1,), array=found.asked),
            count=said(str(found.beats), "steps of suppression", name, array=found.asked))), 12, 400, "ink-2"))
    for number in range(first, last + 1):
        middle = place.x[f"{name}.{SUPPRESS}[{number}]"]
        x, y = middle - side / 2, top + (place.tile - side) / 2
        current = seen.current and number == seen.beat
        if number > seen.beat or (current and seen.share < 0.2):
            marks.append(Rect(x, y, side, side, "hatch"))
            continue
        each = found.likely[found.of_beat(number)[0].kept]
        marks += parts.faded(_scene.crop(trace, found, each, x, y, side), ease(min(1.0, seen.share * 2))
                             if current else 1.0)
        marks.append(Rect(x - 2, y - 2, side + 4, side + 4, "", "accent" if current else "", 2, radius=3,
                          focus=Focus(name, array=BEAT), holds=Stop(f"{name}.{SUPPRESS}[{number}]", glides=False)))
        if current and seen.share < 1:
            continue
        gone = sum(len(step.dropped) for step in found.of_beat(number))
        held = "" if each.label is None else said(label(found.answer, each.label), "label of a box", name,
                                                  (each.label,))
        dropped = said(numbers.number(-gone, 0), "boxes dropped in a beat", name, (number - 1,), array=found.asked)
        words = next((words for words in (f"{held} {dropped}" if gone else held, held or dropped)
                      if width(words, 12) <= place.apart - 2), "")
        marks.append(Text(middle, top + place.tile + 17, plain(words), 12, 600 if current else 400,
                          "accent-ink" if current else "ink-2", "middle"))
    return marks


def _cost(trace: Trace, moment: Moment, place: Plan) -> list[Mark]:
    """What the comparison with the truth came to."""
    if not place.costs or place.strip is None:
        return []
    last = trace[place.costs[-1]]
    x = place.last + 10
    here = moment.beat.layer in place.costs
    ink = "gradient-text" if here and moment.backward else "accent-ink" if here else "ink"
    title = elide(last.name, 12, place.tile + 6, mono=True)
    marks: list[Mark] = [Text(x, place.strip - 8, (Run(title, mono=True),), 12, 600 if here else 400, ink, mono=True,
                              focus=Focus(last.name))]
    if come(trace, moment, last.name) < 1 or last.output.ndim:
        return [*marks, Rect(x, place.strip, place.tile, place.tile, "hatch")]
    ways = [numbers.significant(float(last.output), digits) for digits in (3, 2, 1)]
    words = said(next((each for each in ways if width(each, 13, 600) <= place.tile), ways[-1]), "value", last.name)
    return [*marks, Rect(x, place.strip, place.tile, place.tile, "sunk", focus=Focus(last.name)),
            Text(x + place.tile / 2, place.strip + place.tile / 2 + 5, plain(words), 13, 600, "ink", "middle",
                 max_width=place.tile)]


# --- lanes ------------------------------------------------------------------------------------------------------------

def lanes(trace: Trace, found: Detection, moment: Moment, times: Timeline, seen: Now, place: Plan,
          look: Look) -> tuple[list[Mark], list[Mark]]:
    """(still, moving): the line of beats, and under it how much one value sees, and how many boxes there are."""
    row = parts.lane_rows(look)
    forward = tuple(beat.address for beat in times.beats if beat.direction == FORWARD)
    xs = {address: x_of(place, address, forward) for address in forward}
    left, right = min(xs.values()), max(xs.values())
    ink = "gradient-mark" if moment.backward else "accent"
    still: list[Mark] = [Line(((0, row.top), (look.size[0], row.top)), "hair"),
                         Line(((left, row.beats), (right, row.beats)), "rule", 2)]
    if look.mode.lanes:
        still.append(Text(10, row.beats + 4, plain(tr("beats")), 11, 500, "ink-2"))
    at = _cursor(trace, moment, times, xs)
    moving: list[Mark] = []
    start = right if moment.backward else left
    if abs(start - at) > 0.5:
        moving.append(Line(((start, row.beats), (at, row.beats)), ink, 2))
    stops = _stops(trace, moment, times, xs)
    reaches = max(3.0, min(12.0, neighbours(list(xs.values())) / 2))
    for x, address, layer in stops:
        done = x >= at - 0.5 if moment.backward else x <= at + 0.5
        if reaches >= 3:
            size = DOT if address in place.x and _ends(place, address) else 2.5
            moving.append(Rect(x - size, row.beats - size, 2 * size, 2 * size, ink if done else "stage",
                               ink if done else "rule", 1.5, radius=size))
        still.append(Rect(x - reaches, row.top + 2, 2 * reaches, row.beats - row.top + 10,
                          focus=Focus(layer, array=BEAT), holds=Stop(address)))
    moving += parts.ring(at, row.beats, "accent")
    if look.mode.lanes:
        moving += _rows(trace, found, moment, seen, place, row)
    return grouped(LANE, still), grouped(LANE, moving)


def _ends(place: Plan, address: str) -> bool:
    """Whether a beat is the one its tile stands for."""
    layer, _, what = address.rpartition(".")
    return what != FORWARD or any(station.layers[-1] == layer for station in place.stations)


def _stops(trace: Trace, moment: Moment, times: Timeline, xs: dict[str, float]) -> list[tuple[float, str, str]]:
    """(x, address, layer) of every beat of a direction, each place once."""
    found: dict[float, tuple[float, str, str]] = {}
    for beat in times.beats:
        forward = f"{beat.layer}.{FORWARD}"
        if beat.direction == moment.beat.direction and (beat.doing or forward in xs):
            x = xs[beat.address if not moment.backward else forward]
            found[x] = (x, beat.address, beat.layer)
    return list(found.values())


def _cursor(trace: Trace, moment: Moment, times: Timeline, xs: dict[str, float]) -> float:
    """Where the cursor is, on its way from the beat before."""
    def stands(index: int) -> float:
        beat = times.beats[index]
        return xs[beat.address if beat.direction == FORWARD else f"{beat.layer}.{FORWARD}"]

    here = stands(moment.index)
    if moment.index == 0:
        return here
    before = stands(moment.index - 1)
    return before + (here - before) * ease(moment.phase)


def _rows(trace: Trace, found: Detection, moment: Moment, seen: Now, place: Plan, row: parts.Lane) -> list[Mark]:
    high = row.zeros is not None
    sees, counts = row.beats + (38 if high else 32), row.beats + (70 if high else 60)
    backward, name = moment.backward, found.held.name
    marks: list[Mark] = [Text(10, sees + 4, plain(tr("one value sees")), 11, 500, "ink-2", max_width=92),
                         Text(10, counts + 4, plain(tr("gradient") if backward else tr("boxes")), 11, 500, "ink-2")]
    first = trace.layers[0]
    for station in place.stations:
        last = trace[station.layers[-1]]
        x = place.x[f"{last.name}.{FORWARD}"]
        if come(trace, moment, last.name) >= 1:
            wide = field(trace, last.name)
            if wide is not None:
                marks += _amount(x, sees, tr("{wide} px").format(wide=said(
                    str(wide), "receptive field", last.name, (1,))), wide / first.shape[-1], place)
        elif station.layers[0] != first.name:
            marks.append(Rect(x - 20, sees - 5, 40, 10, "hatch"))
        if backward and last.gradient is not None and returned(trace, moment, station.layers[0]) >= 1:
            norm = parts.norms(trace).get(station.layers[0], 0.0)
            marks.append(Text(x, counts + 4, plain(said(numbers.significant(norm, 2), "norm of gradient",
                                                        station.layers[0])), 11, 500, "gradient-text", "middle"))
    if backward:
        return marks
    proposed = len(found.every)
    told: list[tuple[str, int, bool, str, tuple[int, ...], str]] = [
            (f"{name}.{DECODE}", proposed, seen.decoded >= 1, "boxes proposed", (), ""),
            (f"{name}.{THRESHOLD}", len(found.likely), seen.passed >= 1, "boxes above a threshold", (),
             repr(found.least))]
    first_step, last_step = place.rounds
    for number in range(first_step, last_step + 1):
        there = number < seen.beat or (number == seen.beat and (seen.share >= 1 or not seen.current))
        told.append((f"{name}.{SUPPRESS}[{number}]", found.left(number), there, "boxes left", (number,), found.asked))
    for address, count, there, quantity, cell, asked in told:
        x = place.x[address]
        if there:
            marks += _amount(x, counts, said(numbers.count(count), quantity, name, cell, array=asked),
                             math.log1p(count) / math.log1p(proposed), place)
        else:
            marks.append(Rect(x - min(20.0, place.apart / 2 - 2), counts - 5, min(40.0, place.apart - 4), 10, "hatch"))
    return marks


def field(trace: Trace, name: str) -> int | None:
    """How many columns of the picture a number in the middle of a map sees, what lies outside it too."""
    layer = trace[name]
    box = reach.field(trace, name, tuple(length // 2 for length in layer.shape), trace.layers[0].name)
    return None if box is None else box[1][1] - box[1][0] + 1


def _amount(x: float, y: float, words: str, share: float, place: Plan) -> list[Mark]:
    """A number over a short bar."""
    long = min(40.0, place.apart - 6)
    return [Text(x, y + 2, plain(words), 11, 500, "ink", "middle"),
            Rect(x - long / 2, y + 8, long, 3, "sunk"),
            Rect(x - long / 2, y + 8, max(1.0, long * min(1.0, share)), 3, "ink-2")]
