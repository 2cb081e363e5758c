"""The maps of a score, with those of random weights: a column a method, or a row."""


from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer import inputs
from visualizer.kinds import attribution, units
from visualizer.kinds.attribution import FAILS
from visualizer.language import tr, translated
from visualizer.said import found, said, unplaced
from visualizer.scene import colour, fed, numbers
from visualizer.scene.boxes import Box
from visualizer.scene.labels import fitting
from visualizer.scene.picture import (
    Choice,
    Focus,
    Group,
    Image,
    Look,
    Mark,
    Rect,
    Scale,
    Text,
    grouped,
    plain,
)
from visualizer.scene.type import width, wrap
from visualizer.views.explain._seen import ANSWERS, BEATS, NAMES, Seen

WAVE = 30.0
"""So high is the wave over a map of its spectrogram, with the gap below it."""


def columns(seen: Seen, look: Look, box: Box) -> list[Mark]:
    """A column a method: its map, what it adds up to, and its map of random weights."""
    notes = look.mode.notes
    names = 74.0 if notes else 0.0
    pitch = (box.width - names) / len(seen.shown)
    high, wide = seen.ends.places
    strip = 30.0 if notes else 0.0
    heard = units.stretches(seen.trace)
    sound = WAVE if heard is not None else 0.0
    room = box.height - 36 - sound - 20 - strip - 12 - (20 if notes else 0)
    cell, small = _cells((pitch - 16) / wide, room / high, look)
    top = box.top + 36 + sound
    marks: list[Mark] = []
    if notes:
        marks += [Text(box.left + names - 14, top + 20, plain(tr("trained")), 13, 600, "ink", "end"),
                  Text(box.left + names - 14, top + 36, plain(tr("this net")), 12, 400, "ink-2", "end")]
    below = top + cell * high + 20
    control = below + strip + 8
    for number, method in enumerate(seen.shown):
        x = box.left + names + number * pitch
        marks += grouped(Group(translated(NAMES[method])), [
            *_heading(seen, look, method, x, box.top + 13, pitch - 12),
            *([] if heard is None else _wave(seen, heard[0], Box(x, top - sound, x + cell * wide, top - 4), cell)),
            *tile(seen, method, x, top, cell, look), *_size_and_sum(seen, look, method, x, below - 6, cell * wide),
            *tile(seen, method, x, control, small, look, True),
            *_control(seen, look, method, x + small * wide + 8, control, pitch - small * wide - 14,
                      small * high)])
    if notes:
        marks += _completeness(seen, look, Box(box.left + names, below + 4, box.right, below + strip))
        marks += [Text(box.left + names - 14, control + 20, plain(tr("control")), 13, 600, "ink", "end"),
                  *(Text(box.left + names - 14, control + 36 + 15 * place, line, 12, 400, "ink-2", "end")
                    for place, line in enumerate(wrap(plain(tr("random weights")), 12, names - 16, 400)[:3])),
                  Text(box.left + names, control + small * high + 17, plain(_why_ink(seen, box.width - names)), 12, 400,
                       "ink-2", max_width=box.width - names)]
    return marks


def _wave(seen: Seen, middles: tuple[float, float], box: Box, cell: float) -> list[Mark]:
    """The wave over a map of its spectrogram, on the same axis: over the middle of each step the middle of the stretch
    from which that was made."""
    layer = seen.trace.layers[0]
    first, last = middles
    apart = (last - first) / max(1, seen.ends.places[1] - 1)
    values = np.asarray(layer.output, np.float64)
    return grouped(Group(tr("the sound")), [
        Rect(box.left, box.top, box.width, box.height, "sunk", radius=2, focus=Focus(layer.name),
             tip=tr("the sound, over the steps of the map")),
        *fed.wave(values, (first - apart / 2, last + apart / 2 - 1), box)])


def rows(seen: Seen, look: Look, box: Box) -> list[Mark]:
    """A row a method, for what is read step by step: its map over the steps, with their words; and the control."""
    notes = look.mode.notes
    names, beside = 132.0, 120.0 if notes else 0.0
    count = seen.ends.places[0]
    cell = min(80.0, (box.width - names - beside - 14) / count)
    words = seen.trace.sample.steps if len(seen.trace.sample.steps) == count else ()
    head = 20.0 if words and cell >= 11 else 4.0
    strip = 34.0 if notes else 0.0
    each = min(84.0, (box.height - head - strip - (18 if notes else 0)) / len(seen.shown))
    tall = max(8.0, each * 0.44)
    marks: list[Mark] = []
    if head > 4:
        for step, word in enumerate(words):
            marks.append(Text(box.left + names + (step + 0.5) * cell, box.top + 13, plain(said(
                word, "word of the sample", step=step)), 12, 500, "ink",
                              "middle", max_width=cell - 1))
    for number, method in enumerate(seen.shown):
        y = box.top + head + number * each
        wide = cell * count
        marks += grouped(Group(translated(NAMES[method])), [
            *_heading(seen, look, method, box.left, y + 14, names - 10),
            *tile(seen, method, box.left + names, y, cell, look, tall=tall),
            *tile(seen, method, box.left + names, y + tall + 4, cell, look, True, tall=max(4.0, tall * 0.45)),
            *_control(seen, look, method, box.left + names + wide + 10, y, beside, each)])
    if notes:
        y = box.top + head + len(seen.shown) * each
        marks += _completeness(seen, look, Box(box.left, y, box.right, y + strip - 8))
        marks.append(Text(box.left, y + strip + 6, plain(_why_ink(seen, box.width)), 12, 400, "ink-2",
                          max_width=box.width))
    return marks


def _cells(widest: float, highest: float, look: Look) -> tuple[float, float]:
    """Cells of a map, and of that of random weights below it: as large as can be while this has half of the size."""
    cell = max(1.0, whole_pixels(min(widest, highest / 1.5), look))
    return cell, max(0.5, whole_pixels(min(widest * 0.62, highest - cell), look))


def whole_pixels(length: float, look: Look) -> float:
    """So many whole pixels, or a part of one that goes into it."""
    pixel = look.pixel
    return max(1, int(length / pixel + 1e-9)) * pixel if length >= pixel else length


def _heading(seen: Seen, look: Look, method: str, x: float, y: float, room: float) -> list[Mark]:
    chosen, fails = method == seen.method, _fails(seen, method)
    name = translated(NAMES[method])
    marks: list[Mark] = [Rect(x - 6, y - 14, room + 6, 20, "tint" if chosen else "", radius=4,
                              tip=translated(ANSWERS[method]), holds=Choice("method", method),
                              focus=Focus(seen.ends.read.name))]
    marks.append(Text(x, y, plain(name), 13, 600, "accent-ink" if chosen else "ink", max_width=room))
    if fails and look.mode.notes:
        words = tr("fails the control")
        wide = min(room, width(words, 11, 600) + 10)
        marks += [Rect(x - 4, y + 4, wide, 15, "alarm", radius=3),
                  Text(x + 1, y + 15.5, plain(words), 11, 600, colour.ink_on("alarm", look.theme), max_width=wide)]
    elif look.mode.notes and len(seen.ends.places) == 2:
        marks.append(Text(x, y + 16, plain(_what(seen, method, room)), 12, 400, "ink-2", max_width=room))
    return marks


def _fails(seen: Seen, method: str) -> bool:
    inside = seen.likeness(method)[1]
    return inside is not None and inside > FAILS


def _what(seen: Seen, method: str, room: float) -> str:
    """In a few words what a map is of."""
    size = int(np.asarray(seen.arrays["window"])[0])
    convolution = seen.ends.convolution
    said_size = seen.value(str(size), "window", 0)
    words = {"gradient": (tr("slope of the score"),), "times_input": (tr("slope times value"),),
             "integrated": (tr("mean slope on the path"), tr("mean slope")),
             "smooth": (tr("mean slope under noise"), tr("under noise")),
             "grad_cam": (tr("{layer} maps, weighed").format(layer="" if convolution is None else convolution.name),),
             "guided": (tr("positive slopes alone"), tr("positive slopes")),
             "deeplift": (tr("against the baseline"),),
             "occlusion": (tr("score lost, {size} × {size} hidden").format(size=said_size), tr("score lost, hidden")),
             "left_out": (tr("score lost, one place gone"), tr("score lost"))}[method]
    return fitting(words, room, 12) or words[-1]


def tile(seen: Seen, method: str, x: float, y: float, cell: float, look: Look, control: bool = False,
          tall: float = 0.0) -> list[Mark]:
    key = f"control/{method}"
    if control and key not in seen.arrays:
        return []
    values = seen.map(method, control)
    top = colour.largest(seen.arrays[key] if control else seen.arrays[f"maps/{method}"]) or 1.0
    rows = np.atleast_2d(values)
    high = tall or cell
    entries = colour.signed(rows, top)
    hatched = None
    walking = not control and method == seen.method == "occlusion" and seen.now < BEATS
    if walking:
        hatched = ~_covered(seen)
        entries = np.where(hatched, 128, entries).astype(np.uint8)
    scale = Scale("activation", tr("share of the score"), seen.ends.read.name, -top, top)
    spectral = not seen.ends.read.is_input and rows.shape[0] > 1
    if spectral:  # low notes below
        entries, hatched = entries[::-1], None if hatched is None else hatched[::-1]
    focus = None if spectral else Focus(seen.ends.read.name)
    wide, down = rows.shape[1] * cell, rows.shape[0] * high
    marks: list[Mark] = [Image(x, y, (cell, high), entries[None], "activation",
                               indices=(0,) if rows.shape[0] > 1 else (-1,), focus=focus, scale=scale,
                               hatched=None if hatched is None else np.atleast_2d(hatched)[None], border="tile-border")]
    if walking:
        marks += _window(seen, x, y, cell, high, spectral)
    if not control and method == seen.method:
        marks.append(Rect(x - 3, y - 3, wide + 6, down + 6, "", "accent", 2, radius=3))
    if seen.place is not None and not control:
        row, column = seen.place if len(seen.place) == 2 else (0, seen.place[0])
        row = rows.shape[0] - 1 - row if spectral else row
        if row < rows.shape[0] and column < rows.shape[1]:
            marks.append(Rect(x + column * cell - 1, y + row * high - 1, cell + 2, high + 2, "", "ink", 1.5))
    return marks


def _covered(seen: Seen) -> NDArray[np.bool_]:
    """The places that some window has hidden so far."""
    windows = np.asarray(seen.arrays["windows"])
    found = np.zeros(seen.ends.places, np.bool_)
    for number, at in enumerate(np.ndindex(*windows.shape)):
        if number >= seen.windows:
            break
        found[_of_window(seen, at)] = True
    return found


def _of_window(seen: Seen, at: tuple[int, ...]) -> tuple[slice, ...]:
    size, apart = (int(number) for number in seen.arrays["window"])
    return tuple(slice(each * apart, min(side, each * apart + size))
                 for each, side in zip(at, seen.ends.places, strict=True))


def _window(seen: Seen, x: float, y: float, cell: float, high: float, from_below: bool) -> list[Mark]:
    """Where the window is now."""
    windows = np.asarray(seen.arrays["windows"])
    at = np.unravel_index(min(seen.windows, windows.size - 1), windows.shape)
    spans = _of_window(seen, tuple(int(each) for each in at))
    rows, columns = spans if len(spans) == 2 else (slice(0, 1), spans[0])
    top = seen.ends.places[0] - rows.stop if from_below else rows.start
    return [Rect(x + columns.start * cell, y + top * high, (columns.stop - columns.start) * cell,
                 (rows.stop - rows.start) * high, "", "accent", 2)]


def _size_and_sum(seen: Seen, look: Look, method: str, x: float, y: float, wide: float) -> list[Mark]:
    if not look.mode.notes:
        return []
    key, values = f"maps/{method}", seen.arrays[f"maps/{method}"]
    marks: list[Mark] = []
    room = wide
    if method in (*attribution.COMPLETE, "times_input"):
        total, claim = sum_now(seen, method)
        words = tr("sum {sum}").format(sum=said(numbers.number(total), *claim))
        room -= width(unplaced(words), 12, 600) + 8
        marks.append(Text(x + wide, y, plain(words), 12, 600, "ink", "end"))
    size = seen.value(numbers.significant(colour.largest(values), 2), key, quantity="largest size")
    ways = (tr("up to {size}").format(size=size), size)
    fits = fitting(ways, room, 12)
    return [*marks, Text(x, y, plain(fits), 12, 400, "ink-2")] if fits else marks


def sum_now(seen: Seen, method: str) -> tuple[float, tuple[str, str, tuple[int, ...], int | None, str]]:
    if method == seen.method == "integrated" and seen.now < BEATS:
        at = int(np.asarray(seen.arrays["path_at"])[seen.frame])
        return float(np.asarray(seen.arrays["path_sums"])[at]), found("value", seen.name, "path_sums", at)
    return float(np.asarray(seen.arrays[f"maps/{method}"]).sum()), found("sum of a map", seen.name, f"maps/{method}")


def _control(seen: Seen, look: Look, method: str, x: float, y: float, room: float, tall: float) -> list[Mark]:
    """The likeness of the map with that of random weights."""
    if room < 34 or f"control/{method}" not in seen.arrays:
        return []
    everywhere, inside = seen.likeness(method)
    rows = [(tr("all"), everywhere, "likeness everywhere")]
    if not seen.ink.all():
        rows.append((tr("ink"), inside, "likeness in the ink"))
    else:
        rows = [(tr("with signs"), inside, "likeness in the ink")]
    marks: list[Mark] = []
    for number, (name, value, quantity) in enumerate(rows):
        words = "—" if value is None else seen.value(numbers.number(value), f"maps/{method}", quantity=quantity)
        loud = quantity == "likeness in the ink" and value is not None and value > FAILS
        beside = width(name, 12) + 6 if tall < 66 else 0.0
        high = y + 12 + number * (20 if beside else 36)
        at, under = (x + beside, high) if beside else (x, high + 17)
        if loud:
            marks.append(Rect(at - 3, under - 13, 40, 18, "alarm", radius=3))
        marks += [Text(x, high, plain(name), 12, 400, "ink-2", max_width=room),
                  Text(at, under, plain(words), 13, 600, colour.ink_on("alarm", look.theme) if loud else "ink")]
    return marks


def _why_ink(seen: Seen, room: float) -> str:
    ways: tuple[str, ...]
    if seen.ink.all():
        ways = (tr("Rank correlation with the map of random weights, 1 would be the same map: a method that comes near "
                   "it shows the input, not what was learned."),
                tr("Rank correlation with the map of random weights; 1 would be the same map."))
    elif (kind := inputs.fed_first(seen.trace)) is not None and kind.drawn is not None:
        ways = (tr("Rank correlation with random weights. Over all places, of sizes: an attribution map of a digit "
                   "partly just draws the digit, whatever the weights. So look inside the ink, with signs."),
                tr("Rank correlation. An attribution map of a digit partly just draws the digit: so look inside the "
                   "ink, with signs."),
                tr("A map of a digit partly just draws the digit: look inside the ink."))
    else:
        ways = (tr("Rank correlation with random weights. Over all places, of sizes: an attribution map partly just "
                   "draws what was read. So look where there is something, with signs."),
                tr("An attribution map partly just draws what was read: look where there is something."))
    one = tuple(way.replace("1 ", said("1", "factor", array="1.0") + " ", 1) if "1 " in way else way for way in ways)
    return fitting(one, room, 12) or one[-1]


def _completeness(seen: Seen, look: Look, box: Box) -> list[Mark]:
    """What the shares of the subject come to, beside the difference of the scores."""
    method = seen.method if seen.method in (*attribution.COMPLETE, "times_input") else "integrated"
    total, claim = sum_now(seen, method)
    score, blank = (float(np.asarray(seen.arrays[key])) for key in ("score", "blank"))
    words = {"name": translated(NAMES[method]), "sum": said(numbers.number(total, 3), *claim),
             "score": seen.value(numbers.number(score, 3), "score"),
             "blank": seen.value(numbers.number(blank, 3), "blank"),
             "apart": seen.value(numbers.number(score - blank, 3), "score", quantity="score less that of the baseline"),
             "gap": said(numbers.number(abs(total - score + blank), 3), "gap of completeness", array=claim[4],
                         cell=claim[2], layer=seen.name)}
    ways = (tr("Completeness: {name} sums to {sum}; score {score} less that of the baseline {blank} is {apart}: {gap} "
               "apart."), tr("{name} sums to {sum}; score {score} − {blank} = {apart}: {gap} apart."),
            tr("{name}: {sum} of {apart}, {gap} apart."))
    made = tuple(way.format(**words) for way in ways)
    line = fitting(made, box.width - 24, 12, 500) or made[-1]
    return grouped(Group(tr("completeness")), [
        Rect(box.left - 4, box.top, box.width + 4, box.height, "sunk", radius=6),
        Text(box.left + 8, box.top + box.height / 2 + 4.5, plain(line), 12, 500, max_width=box.width - 20)])
