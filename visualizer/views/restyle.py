"""Style: the pixels of one picture as they take on the texture of another, update by update; what of it counts, each
two maps of a layer together, and how far it is still off."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer.kinds import texture
from visualizer.kinds.texture import OWN, PICTURES, STUDY, UPDATES, Wish
from visualizer.language import english, numeral, tr
from visualizer.said import Claim, claimed, found, said, unplaced
from visualizer.scene import colour, logchart, numbers, parts
from visualizer.scene.boxes import Box, whole
from visualizer.scene.picture import (
    LANE,
    Choice,
    Focus,
    Group,
    Image,
    Line,
    Look,
    Mark,
    Path,
    Picture,
    Points,
    Rect,
    Scale,
    Stop,
    Table,
    Text,
    grouped,
    plain,
    unmarked,
)
from visualizer.scene.projector import begins
from visualizer.scene.timeline import Beat, Moment, Timeline
from visualizer.scene.type import width, wrap
from visualizer.trace import Arrays, Layer, Trace, remembered
from visualizer.views import PARTS, View

TOP, GAP, HEAD, FOOT = 70.0, 24.0, 20.0, 18.0
LEFT = 24.0
UPDATE = "update"
FRAMES = 20
"""Updates from one picture of the film strip to the next."""
DECADES = 1e3
"""Below the largest gradient by so much, and a pixel has no colour."""
WHOLE, CONTENT, STYLE, ROUGH, EACH = range(5)
"""The columns of what a run measured."""
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Run:
    """What was measured, at one update."""

    trace: Trace
    name: str
    """Of the study."""
    arrays: Arrays
    now: int
    """How many updates lie behind."""
    layer: Layer
    """Whose maps are looked at."""
    number: int
    """Which of the compared layers it is."""
    pair: tuple[int, int]
    """Which two maps."""

    def of(self, key: str, *cell: int) -> Claim:
        return found("value", self.name, key, *cell)

    def number_of(self, update: int, digits: int = 2) -> str:
        """The number of the two maps after so many updates; of −1 that of the style."""
        one, other = self.pair
        key, at = (f"wanted/{self.layer.name}", ()) if update < 0 else (f"gram/{self.layer.name}", (update,))
        value = (self.wanted if update < 0 else self.gram[update])[one, other]
        return claimed(numbers.significant(float(value), digits), (self.of(key, *at, one, other),))

    @property
    def wish(self) -> Wish:
        return texture.wish(self.name.partition(":")[2])

    @property
    def gram(self) -> NDArray[np.float32]:
        return np.asarray(self.arrays[f"gram/{self.layer.name}"])

    @property
    def wanted(self) -> NDArray[np.float32]:
        return np.asarray(self.arrays[f"wanted/{self.layer.name}"])


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The picture after so many updates, and what is looked at in it."""
    run = _run(trace, moment, look)
    now = 0 if run is None else run.now
    told = _sentence(run) if run is not None else tr(
        "The pixels of one picture will be changed until the network finds the texture of another in it; that is being "
        "computed.")
    size = _sizes(look)
    marks = parts.sentence(look, told)
    still: list[Mark] = []
    y = begins(look, TOP)
    marks += grouped(Group(tr("result")), _pictures(run, look, size, y))
    y += HEAD + size.picture + FOOT + size.gap
    kept, moving = _grams(run, trace, look, size, y)
    whole_of = Group(tr("Gram matrix"))
    still, marks = still + grouped(whole_of, kept), marks + grouped(whole_of, moving)
    y += HEAD + size.gram + FOOT + size.gap
    marks += _strip(run, now, trace, look, size, y)
    y += size.frame + 22 + size.gap
    kept, moving = _lanes(run, trace, now, look, size, y)
    still, marks = still + kept, marks + moving
    return Picture(look.size, tuple(still), tuple(marks), look.theme, caption=unmarked(told),
                   table=_asked(look) if run is None else _table(run.trace, run.name))


def updates_at(moment: Moment) -> int:
    """How many updates lie behind a moment: the one that is on its way has not come yet."""
    number = moment.beat.number if moment.beat.doing == UPDATE else 0
    return min(UPDATES, number if moment.phase == 1 else max(0, number - 1))


def beats(trace: Trace) -> tuple[Beat, ...]:
    """What is read before the first update, and after each."""
    return tuple(_beat(trace, number) for number in range(UPDATES + 1))


def _beat(trace: Trace, number: int) -> Beat:
    return Beat(trace.layers[0].name, doing=UPDATE, number=number, quick=True,
                words=english("the weights stay, the pixels move"))


def wish_of(look: Look) -> Wish:
    """What the knobs ask for."""
    usual = Wish()
    return Wish(look.knob("content", usual.content), look.knob("style", usual.style),
                float(look.knob("keep", str(usual.keep))), float(look.knob("weight", str(usual.weight))),
                float(look.knob("smooth", str(usual.smooth))))


def _run(trace: Trace, moment: Moment, look: Look) -> Run | None:
    words = wish_of(look).words
    name = f"{STUDY}:{words}" if words else STUDY
    arrays = trace.studies.get(name)
    if not arrays:
        return None
    layers = texture.compared(trace)
    number = min(int(look.knob("layer", "1")), len(layers)) - 1
    layer = layers[number]
    pair = _pair(look.knob("pair", ""), np.asarray(arrays[f"gram/{layer.name}"][0]),
                 np.asarray(arrays[f"wanted/{layer.name}"]))
    return Run(trace, name, arrays, updates_at(moment), layer, number, pair)


def _pair(word: str, content: NDArray[np.float32], wanted: NDArray[np.float32]) -> tuple[int, int]:
    """The two maps that were chosen; else those whose number has furthest to go."""
    one, _, other = word.partition(",")
    if one.isdecimal() and other.isdecimal() and max(int(one), int(other)) < len(wanted):
        return int(one), int(other)
    far = np.abs(content - wanted)
    np.fill_diagonal(far, 0)
    first, second = np.unravel_index(int(far.argmax()), far.shape)
    return int(first), int(second)


def page(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture | None:
    """What the inspector says: the number that is opened, and all others of its matrix, style against result."""
    run = _run(trace, moment, look)
    if run is None:
        return None
    one, other = run.pair
    title = tr("{layer}: maps {one} and {other}").format(layer=run.layer.name, one=one, other=other)
    marks: list[Mark] = [Text(24, 27, plain(title), 16, 600, max_width=240)]
    why = tr("How strong the two maps are at the same place, averaged over all places. Where they are is forgotten: "
             "that is why it is style.")
    y = 34.0
    for line in wrap(plain(why), 13, 240, 400):
        y += 19.5
        marks.append(Text(24, y, line, 13, 400, "ink-2"))
    rows = [(tr("in the result"), run.number_of(run.now, 3)), (tr("in the style"), run.number_of(-1, 3)),
            (tr("in the content"), run.number_of(0, 3))]
    y += 14
    for name, words in rows:
        y += 22
        marks += [Text(24, y, plain(name), 13, 400, "ink-2"), Text(264, y, plain(words), 13, 600, "ink", "end")]
    y += 38
    marks.append(Text(24, y, plain(tr("All pairs: style against result")), 13, 600))
    side, top = 200.0, y + 16
    marks += _scatter(run, 44, top, side)
    y = top + side + 40
    for words in (tr("rings: the content; on the line: equal"), *_settings(run)):
        marks.append(Text(24, y, plain(words), 12, 400, "ink-2", max_width=240))
        y += 18
    return Picture((280, round(y + 10)), tuple(marks), (), look.theme, "window", caption=title,
                   table=Table((tr("what"), tr("value")), tuple((name, unplaced(words)) for name, words in rows)))


def _settings(run: Run) -> tuple[str, ...]:
    """Of what there is how much, in words."""
    pixels = np.asarray(run.arrays["pixels"])
    return (tr("{pixels} numbers of pixels change").format(
        pixels=said(numeral(f"{pixels[0].size:,}"), "how many shades", array=run.name)),)


def _scatter(run: Run, x: float, y: float, side: float) -> list[Mark]:
    """Each pair of maps as a dot: across what the style has, upwards what the result has; rings for the content."""
    upper = np.triu_indices(len(run.wanted))
    wanted, now, first = run.wanted[upper], run.gram[run.now][upper], run.gram[0][upper]
    most = max(float(wanted.max()), float(now.max()), float(first.max())) or 1.0
    marks: list[Mark] = [Rect(x, y, side, side, "stage", "hair"), Line(((x, y + side), (x + side, y)), "rule", 1.25)]

    def dots(values: NDArray[np.float32], size: float) -> tuple[Points, ...]:
        places = zip((x + wanted / most * side).tolist(), (y + side - values / most * side).tolist(), strict=True)
        return tuple(parts.polygon(((a - size, b), (a, b - size), (a + size, b), (a, b + size))) for a, b in places)

    marks += [Path(dots(first, 2.6), "rule", 1), Path(dots(now, 2.2), fill="ink-2"),
              Text(x, y + side + 15, plain(said("0", "factor", array="0.0")), 11, 400, "ink-2"),
              Text(x + side, y + side + 15, plain(said(numbers.significant(most, 2), "end of the axis", array=run.name,
                                                       layer=run.layer.name, step=run.now)), 11, 400, "ink-2", "end"),
              Text(x + side / 2, y + side + 15, plain(tr("style")), 12, 600, "ink", "middle"),
              Text(x + 6, y + 15, plain(tr("result")), 12, 600, "ink")]
    return marks


# --- sizes ------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Sizes:
    """Lengths of what is drawn."""

    picture: float
    gram: float
    map: float
    frame: float
    pitch: float
    """From one picture of the strip to the next."""
    gap: float
    lanes: float
    beside: float
    """Room for the numbers beside a matrix."""
    left: float
    """Where the strip begins."""


def _sizes(look: Look) -> Sizes:
    wide, high = look.size
    lanes = (96.0 if high >= 700 else 74.0) if look.mode.lanes else 20.0
    gap = 12.0 if high >= 700 else 6.0
    count = UPDATES // FRAMES + 1
    left = 84.0 if wide >= 900 else 78.0
    pitch = (wide - left - LEFT) / count
    frame = math.floor(min(pitch - 6, (high - 200) * (0.15 if look.mode.lanes else 0.2)))
    beside = 84.0 if wide >= 900 else 66.0
    room = high - begins(look, TOP) - lanes - 2 * (HEAD + FOOT) - frame - 22 - 4 * gap
    side = whole(min((wide - 2 * LEFT - 3 * GAP - 150) / 4, room * 0.56) / texture.SIDE, look.pixel / 2)
    picture = side * texture.SIDE or 48.0
    small = max(26.0, (wide - 2 * LEFT) * 0.07)
    gram = min(room - picture, (wide - 2 * LEFT - 3 * beside - 3 * small - 120) / 3)
    return Sizes(picture, max(40.0, gram), min(small, (gram - 8) / 2), frame, pitch, gap, lanes, beside, left)


# --- the pictures -----------------------------------------------------------------------------------------------------

def _pictures(run: Run | None, look: Look, size: Sizes, y: float) -> list[Mark]:
    """Content, style, result and the gradient of its pixels; and of what the loss consists."""
    step, top = size.picture + GAP, y + HEAD
    marks: list[Mark] = []
    titles = (tr("content"), tr("style"), tr("result"), tr("gradient"))
    for number, title in enumerate(titles):
        x = LEFT + number * step
        marks.append(Text(x, y + 13, plain(title), 13, 600, "accent-ink" if number == 2 else "ink",
                          max_width=size.picture))
        if run is None:
            marks.append(Rect(x, top, size.picture, size.picture, "hatch"))
    if run is None:
        return marks
    focus = Focus(run.trace.layers[0].name)
    shown = (run.arrays["pixels"][0], run.arrays["style"], run.arrays["pixels"][run.now])
    for number, shades in enumerate(shown):
        x = LEFT + number * step
        marks += grouped(Group(titles[number]), [_in_colour(shades, x, top, size.picture, focus)])
    x = LEFT + 2 * step
    marks.append(Rect(x - 3, top - 3, size.picture + 6, size.picture + 6, "", "accent", 2, radius=3))
    x += step
    largest = float(np.asarray(run.arrays["gradient"]).max()) or 1.0
    back = np.asarray(run.arrays["gradient"][run.now])
    marks += grouped(Group(titles[3]), [Image(
        x, top, (size.picture / texture.SIDE,) * 2, colour.magnitude(back, largest / DECADES, largest)[None],
        "gradient", indices=(-1,), focus=focus,
        scale=Scale("gradient", tr("size of the gradient"), focus.layer, largest / DECADES, largest, log=True))])
    marks.append(Line(((x - 5, top + size.picture / 2), (x - GAP + 9, top + size.picture / 2)), "gradient-mark", 1.75))
    marks.append(Line(((x - GAP + 13, top + size.picture / 2 - 4), (x - GAP + 8, top + size.picture / 2),
                       (x - GAP + 13, top + size.picture / 2 + 4)), "gradient-mark", 1.75))
    if look.mode.notes:
        below = top + size.picture + 14
        for number, words in enumerate((tr("what stays"), tr("what counts"), tr(
                "{count} updates").format(count=said(str(run.now), "updates", step=run.now)), tr(
                "up to {most}, log").format(most=claimed(numbers.significant(float(back.max()), 2), (
                    found("largest", run.name, "gradient", run.now),))))):
            marks.append(Text(LEFT + number * step, below, plain(words), 11, 400, "ink-2", max_width=size.picture))
    return marks + _loss(run, look, x + size.picture + GAP, look.size[0] - LEFT, y, size)


def _in_colour(shades: NDArray[np.float32], x: float, y: float, side: float, focus: Focus | None = None,
               opacity: float = 1.0) -> Image:
    cell = side / shades.shape[-1]
    return Image(x, y, (cell, cell), _bytes(shades), indices=(-1,), focus=focus, opacity=opacity)


def _bytes(shades: NDArray[np.float32]) -> Bytes:
    made: Bytes = np.rint(255 * np.asarray(shades)).astype(np.uint8).transpose(1, 2, 0)[None]
    return np.ascontiguousarray(made)


def _loss(run: Run, look: Look, x: float, right: float, y: float, size: Sizes) -> list[Mark]:
    """The parts of the loss with what each is multiplied by, as bars on one scale."""
    wish, values = run.wish, np.asarray(run.arrays["parts"])[run.now]
    rows = [(tr("content"), wish.keep, float(values[CONTENT]), CONTENT)]
    layers = texture.compared(run.trace)
    rows += [(f"Gram {layer.name}", wish.weight / len(layers), float(values[EACH + number]), EACH + number)
             for number, layer in enumerate(layers)]
    rows.append((tr("roughness"), wish.smooth, float(values[ROUGH]), ROUGH))
    top = max(1e-9, max(factor * value for _, factor, value, _ in rows))
    each = min(36.0, (size.picture + HEAD - 24) / len(rows))
    marks: list[Mark] = [Text(x, y + 13, plain(tr("loss now")), 13, 600),
                         Text(right, y + 13, plain(claimed(numbers.number(float(values[WHOLE]), 3), (
                             run.of("parts", run.now, WHOLE),))), 13, 600, "ink", "end")]
    at = y + 26
    for name, factor, value, column in rows:
        part = numbers.number(factor * value, 3)
        marks += [Text(x, at + 9, plain(name), 12 if each >= 24 else 11, 400, max_width=(right - x) - 92),
                  Text(right - 46, at + 9, plain(numeral(f"× {factor:.2g}")), 11, 400, "ink-2", "end"),
                  Text(right, at + 9, plain(said(part, "part of the loss", array=run.name, cell=(run.now, column),
                                                 layer=f"{factor!r}")), 12 if each >= 24 else 11, 600, "ink", "end")]
        if each >= 21:
            marks += [Rect(x, at + 13, right - x, 4, "sunk", radius=2),
                      Rect(x, at + 13, (right - x) * factor * value / top, 4, "ink-2", radius=2)]
        at += each
    return marks


# --- Gram matrices ----------------------------------------------------------------------------------------------------

def _grams(run: Run | None, trace: Trace, look: Look, size: Sizes, y: float) -> tuple[list[Mark], list[Mark]]:
    """(still, moving): those of content, style and result, with one number marked; and that one opened."""
    layers = texture.compared(trace)
    if run is None:
        step = size.gram + size.beside
        return [], [Rect(LEFT + number * step, y + HEAD, size.gram, size.gram, "hatch") for number in range(3)]
    count, (one, other) = len(run.wanted), run.pair
    cell = whole(size.gram / count, look.pixel) or size.gram / count
    side, step, focus = cell * count, size.gram + size.beside, Focus(run.layer.name)
    top = max(float(run.wanted.max()), float(run.gram[0].max())) or 1.0
    scale = Scale("activation", tr("Gram matrix"), run.layer.name, -top, top)
    still: list[Mark] = []
    marks: list[Mark] = []
    x = LEFT
    for number, layer in enumerate(layers):
        words = layer.name
        wide = width(words, 12, 600) + 14
        if number == run.number:
            marks.append(Rect(x, y - 2, wide, 18, "tint", radius=4))
        marks += [Text(x + 7, y + 11.5, plain(words), 12, 600 if number == run.number else 400,
                       "accent-ink" if number == run.number else "ink-2", mono=False),
                  Rect(x, y - 2, wide, 18, focus=Focus(layer.name), tip=tr("the Gram matrices of {layer}").format(
                      layer=layer.name), holds=Choice("layer", str(number + 1)))]
        x += wide + 4
    if look.mode.notes:
        marks.append(Text(x + 8, y + 11.5, plain(tr(
            "{count} × {count} pairs of maps; colours end at {most}").format(count=said(
                str(count), "length of axis", run.layer.name, (0,)), most=said(
                    numbers.significant(top, 2), "end of the colours", array=run.name, layer=run.layer.name))), 11,
            400, "ink-2", max_width=look.size[0] - x - 24))
    shown = ((tr("content"), run.gram[0], 0), (tr("style"), run.wanted, -1), (tr("result"), run.gram[run.now], run.now))
    for place, (title, values, at) in enumerate(shown):
        x, now = LEFT + place * step, place == 2
        drawn: list[Mark] = [Image(x, y + HEAD, (cell, cell), colour.signed(np.minimum(values, top), top)[None],
                                   "activation", indices=(-1,), scale=scale),
                             Rect(x + other * cell - 1, y + HEAD + one * cell - 1, cell + 2, cell + 2, "", "accent",
                                  2)]
        ink = "accent-ink" if now else "ink"
        beside = x + side + 8
        drawn += [Text(beside, y + HEAD + 12, plain(title), 12, 600, ink),
                  Text(beside, y + HEAD + 30, plain(f"({one}, {other})"), 11, 400, "ink-2"),
                  Text(beside, y + HEAD + 45, plain(run.number_of(at)), 13, 600, ink)]
        if at >= 0 and size.gram >= 80:
            off = float(np.asarray(run.arrays["parts"])[at, EACH + run.number])
            drawn += [Text(beside, y + HEAD + 66, plain(tr("off the style")), 11, 400, "ink-2",
                           max_width=size.beside - 10),
                      Text(beside, y + HEAD + 81, plain(claimed(numbers.percent(off), (
                          run.of("parts", at, EACH + run.number),))), 13, 600, ink)]
        marks += grouped(Group(tr("Gram matrix of the {what}").format(what=title), focus), drawn)
        still += _cells(run.layer, x, y + HEAD, cell, count)
    return still, marks + _opened(run, look, size, LEFT + 3 * step, y)


@remembered(12)
def _cells(layer: Layer, x: float, y: float, cell: float, count: int) -> tuple[Mark, ...]:
    """What a click on a number of a matrix opens."""
    focus = Focus(layer.name)
    return tuple(Rect(x + column * cell, y + row * cell, cell, cell, focus=focus,
                      holds=Choice("pair", f"{row},{column}"),
                      tip=tr("maps {one} and {other}").format(one=row, other=column))
                 for row in range(count) for column in range(count))


def _opened(run: Run, look: Look, size: Sizes, x: float, y: float) -> list[Mark]:
    """One number of the matrices: two maps, their product, and its mean; of the style and of the result."""
    one, other = run.pair
    marks: list[Mark] = [Text(x, y + 11.5, plain(tr("({one}, {other}): two maps, one number").format(
        one=one, other=other)), 12, 600, max_width=look.size[0] - LEFT - x)]
    side, gap = size.map, 20.0
    rows = ((tr("style"), -1), (tr("result"), run.now))
    seen = [_maps(run.trace, run.name, at, run.layer.name) for _, at in rows]
    largest = max(float(maps[list(run.pair)].max()) for maps in seen) or 1.0
    for number, ((title, at), maps) in enumerate(zip(rows, seen, strict=True)):
        top = y + HEAD + number * (side + 8)
        product = maps[one] * maps[other]
        tiles = (maps[one], maps[other], product)
        ends = (largest, largest, largest ** 2)
        for place, (tile, end) in enumerate(zip(tiles, ends, strict=True)):
            left = x + place * (side + gap)
            name = tr("product") if place == 2 else tr("map {number}").format(number=run.pair[place])
            marks += grouped(Group(f"{title}, {name}"), [Image(
                left, top, (side / tile.shape[1], side / tile.shape[0]), colour.signed(tile, end)[None], "activation",
                indices=(-1,), scale=Scale("activation", name, run.layer.name, -end, end))])
            if place:
                marks.append(Text(left - gap / 2, top + side / 2 + 5, plain("×" if place == 1 else "="), 14, 400,
                                  "ink-2", "middle"))
        left = x + 3 * (side + gap) - gap + 8
        marks += [Text(left, top + side / 2 - 3, plain(tr("mean, {what}").format(what=title)), 11, 400, "ink-2",
                       max_width=look.size[0] - LEFT - left),
                  Text(left, top + side / 2 + 14, plain(run.number_of(at)), 14, 600,
                       "accent-ink" if number else "ink")]
    below = y + HEAD + 2 * (side + 8) + 6
    if look.mode.notes and below < y + HEAD + size.gram + FOOT:
        for place, words in enumerate((tr("map {number}").format(number=one), tr("map {number}").format(number=other),
                                       tr("product"))):
            marks.append(Text(x + place * (side + gap), below, plain(words), 11, 400, "ink-2"))
    return marks


@remembered(6)
def _maps(trace: Trace, study: str, update: int, layer: str) -> NDArray[np.float32]:
    """What a compared layer makes of the picture after so many updates; −1 stands for that of the style."""
    arrays = trace.studies[study]
    shades = arrays["style"] if update < 0 else arrays["pixels"][update]
    factor, addend = np.asarray(arrays["scaled"])[:, :, None, None]
    return texture.maps(trace, np.asarray(shades) * factor + addend, layer)[layer]


# --- the strip and the lanes ------------------------------------------------------------------------------------------

def _x(size: Sizes, update: float) -> float:
    """Where an update stands."""
    return size.left + size.pitch * (update / FRAMES + 0.5)


def _strip(run: Run | None, now: int, trace: Trace, look: Look, size: Sizes, y: float) -> list[Mark]:
    """The result every so many updates; what has not come yet is hatched."""
    name = trace.layers[0].name
    marks: list[Mark] = [Text(size.left - 4, y + 14, plain(tr("result")), 13, 600, "ink", "end")] if look.mode.notes \
        else []
    for update in range(0, UPDATES + 1, FRAMES):
        x = _x(size, update) - size.frame / 2
        stop = Stop(_beat(trace, update).address, glides=False)
        if run is None or update > now:
            marks.append(Rect(x, y, size.frame, size.frame, "hatch", focus=Focus(name), holds=stop))
        else:
            marks.append(_in_colour(_smaller(run.trace, run.name, update), x, y, size.frame))
            marks.append(Rect(x, y, size.frame, size.frame, focus=Focus(name), holds=stop))
        if update <= now < update + FRAMES:
            marks.append(Rect(x - 2, y - 2, size.frame + 4, size.frame + 4, "", "accent", 2, radius=2))
        chosen = update == now
        marks.append(Text(x + size.frame / 2, y + size.frame + 15, plain(said(str(update), "updates", step=update)),
                          11, 700 if chosen else 400, "accent-ink" if chosen else "ink-2", "middle"))
    return grouped(Group(tr("film strip")), marks)


@remembered(24)
def _smaller(trace: Trace, study: str, update: int) -> NDArray[np.float32]:
    """Half as many pixels each way, each the mean of four."""
    shades = np.asarray(trace.studies[study]["pixels"][update])
    return np.asarray(shades.reshape(3, texture.SIDE // 2, 2, texture.SIDE // 2, 2).mean((2, 4)))


def _lanes(run: Run | None, trace: Trace, now: int, look: Look, size: Sizes, y: float) -> tuple[list[Mark], list[Mark]]:
    """(still, moving): the updates, the parts of the loss on a log axis, the gradient."""
    name, bottom = trace.layers[0].name, look.size[1] - 8
    start, end, cursor = _x(size, 0), _x(size, UPDATES), _x(size, now)
    line = y + 6
    marks: list[Mark] = [Line(((start, line), (end, line)), "rule", 1.5),
                         Line(((start, line), (cursor, line)), "accent", 1.5)]
    for update in range(0, UPDATES + 1, FRAMES // 2):
        big = 5 if update % FRAMES == 0 else 3
        done = update <= now
        marks.append(Rect(_x(size, update) - big / 1.4, line - big / 1.4, big * 1.4, big * 1.4,
                          "accent" if done else "stage", "accent" if done else "rule", 1.25, radius=big,
                          focus=Focus(name), holds=Stop(_beat(trace, update).address)))
    marks += parts.ring(cursor, line, "accent")
    if not look.mode.lanes:
        return [], grouped(LANE, marks)
    marks += [Line(((0, y - 4), (look.size[0], y - 4)), "hair"),
              Text(start - 12, line + 4, plain(tr("updates")), 12, 600, "ink", "end")]
    bars = max(14.0, (bottom - line - 14) * 0.3)
    chart = Box(start, line + 12, end, bottom - bars - 4)
    marks.append(Line(((cursor, line + 8), (cursor, bottom)), "accent", 1, dashed=True))
    if now < UPDATES or run is None:
        marks.append(Rect(cursor + 1, chart.top, end - cursor - 1, chart.height, "hatch"))
    still: list[Mark] = [Text(start - 12, chart.top + 12, plain(tr("loss parts")), 12, 600, "ink", "end"),
                         Text(start - 12, chart.top + 26, plain(tr("log")), 11, 400, "ink-2", "end")]
    if run is None:
        return grouped(LANE, still), grouped(LANE, marks)
    own = np.asarray(run.arrays["parts"])
    axis = logchart.axis(own[1:, [CONTENT, STYLE, ROUGH]], chart.top, chart.bottom)
    for other_name, arrays in trace.studies.items():
        if other_name != run.name and other_name.partition(":")[0] == STUDY and arrays:
            marks += [Line(_curve(np.asarray(arrays["parts"])[:, column], axis, size, UPDATES), "ink-2", 1,
                           dashed=column == CONTENT, opacity=0.3) for column in (CONTENT, STYLE)]
    labels = []
    for column, title, wide, dashed in ((CONTENT, tr("content"), 1.25, True), (STYLE, tr("style"), 2.0, False),
                                        (ROUGH, tr("roughness"), 0.75, False)):
        marks.append(Line(_curve(own[:, column], axis, size, now), "ink", wide, dashed=dashed))
        labels.append((axis.y(float(own[now, column])), title, float(own[now, column]), column))
    beside, anchor = (cursor + 8, "start") if now < UPDATES * 0.8 else (cursor - 8, "end")
    level = -math.inf
    for high, title, value, column in sorted(labels):
        level = max(high + 4, level + 12, chart.top + 8)
        words = f"{title} {claimed(numbers.significant(value, 2), (run.of('parts', now, column),))}"
        if level < bottom - bars + 4:
            wide = width(f"{title} {numbers.significant(value, 2)}", 11, 600)
            marks += [Rect(beside - 3 if anchor == "start" else beside - wide - 3, level - 10, wide + 6, 13, "stage",
                           radius=3, opacity=0.85),
                      Text(beside, level, plain(words), 11, 600, "ink", anchor)]
    norms = np.asarray(run.arrays["norms"])
    most, floor = float(norms.max()) or 1.0, bottom
    tall = [(update, float(norms[update]) / most * bars) for update in range(now + 1)]
    pitch = size.pitch / FRAMES
    marks += [_bar(_x(size, update), floor, max(1.0, pitch - 1), high) for update, high in tall if high > 0.25]
    still.append(Text(start - 12, bottom - bars / 2 + 4, plain(tr("gradient")), 12, 600, "ink", "end"))
    marks.append(Text(end + 6 if now > UPDATES * 0.8 else cursor + 8, bottom - 2, plain(claimed(
        numbers.significant(float(norms[now]), 2), (run.of("norms", now),))), 11, 600, "gradient-text",
        max_width=60))
    return grouped(LANE, still), grouped(LANE, marks)


def _bar(x: float, bottom: float, wide: float, high: float) -> Mark:
    """One bar of the gradient."""
    return Rect(x - wide / 2, bottom - high, wide, high, "gradient-mark")


def _curve(values: NDArray[np.float64], axis: logchart.Axis, size: Sizes, now: int) -> tuple[tuple[float, float], ...]:
    points = tuple((_x(size, update), axis.y(max(float(values[update]), axis.floor))) for update in range(now + 1))
    return points if len(points) > 1 else (*points, (points[0][0] + 0.5, points[0][1]))


# --- words ------------------------------------------------------------------------------------------------------------

def _sentence(run: Run) -> str:
    measured = np.asarray(run.arrays["parts"])

    def share(update: int, column: int) -> str:
        return claimed(numbers.percent(float(measured[update, column])), (run.of("parts", update, column),))

    if run.now == 0:
        return tr("Before the first update the picture is the content itself; its Gram matrices are {{{off}}} off the "
                  "style's.").format(off=share(0, STYLE))
    return tr("After {now} of {all} updates the Gram matrices are {{{off}}} off the style's, from {first}; the maps of "
              "the content are {moved} off.").format(
        now=said(str(run.now), "updates", step=run.now), all=said(str(UPDATES), "updates", step=UPDATES),
        off=share(run.now, STYLE), first=share(0, STYLE), moved=share(run.now, CONTENT))


def _asked(look: Look) -> Table:
    """What a run is asked for, before it is measured."""
    wish = wish_of(look)
    return Table((tr("what"), tr("value")), ((tr("content"), wish.content), (tr("style"), wish.style)))


@remembered(4)
def _table(trace: Trace, study: str) -> Table:
    """One row an update."""
    arrays = trace.studies[study]
    measured, norms = np.asarray(arrays["parts"]), np.asarray(arrays["norms"])
    names = tuple(layer.name for layer in texture.compared(trace))
    rows = tuple((update, *(float(value) for value in measured[update]), float(norms[update]))
                 for update in range(len(measured)))
    return Table((tr("update"), tr("loss"), tr("content"), tr("style"), tr("roughness"),
                  *(f"Gram {name}" for name in names), tr("gradient")), rows)


def _telling(trace: Trace, times: Timeline) -> str:
    """Where most of it is done."""
    return _beat(trace, 80).address


VIEW = View(
    "restyle", english("Restyle"), english("A picture takes on the texture of another: its pixels are changed, the "
                                         "network stays."),
    suits=lambda trace: "lab" not in trace.studies and bool(texture.trunk(trace)), draw=draw, telling=_telling,
    order=60, group=PARTS, page=page, continuous=False, studies=(STUDY,),
    words=lambda look: wish_of(look).words, instead=beats,
    knobs=(("content", (*PICTURES, OWN)), ("style", ("coffee", "chelsea", "astronaut", "rocket", OWN)),
           ("keep", ("0.2", "0", "0.05", "1")), ("weight", ("1", "0.3", "3")), ("smooth", ("0", "1", "5")),
           ("layer", ("1", "2", "3", "4")), ("pair", ())),
    tries=english("Take the network before its training: texture needs none of it."),
)
