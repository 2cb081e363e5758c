"""Why this answer: how much each place of the input counts for a score, by several methods side by side; the same of
random weights, how far the methods agree, and what is left of the answer when the places that count most are erased."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer import answers
from visualizer.kinds import attribution
from visualizer.kinds.attribution import BLUR, FAILS, LOGIT, MEAN, METHODS, NOTHING, PROBABILITY, STUDY, Ends, Wish
from visualizer.language import english, tr, translated
from visualizer.said import found, said, tick, unplaced
from visualizer.scene import colour, logchart, numbers, parts
from visualizer.scene.boxes import Box, split
from visualizer.scene.labels import fitting
from visualizer.scene.picture import (
    Choice,
    Focus,
    Group,
    Image,
    Line,
    Look,
    Mark,
    Picture,
    Rect,
    Scale,
    Table,
    Text,
    grouped,
    plain,
    unmarked,
)
from visualizer.scene.projector import begins
from visualizer.scene.timeline import Beat, Moment, Timeline
from visualizer.scene.type import width, wrap
from visualizer.trace import Arrays, Trace, remembered
from visualizer.views import GRADIENTS, View

TOP, LEFT, GAP = 74.0, 24.0, 24.0
WALK, BEATS = "walk", 64
"""The beats of the path from the baseline to the input, and of the window that walks over it."""
NAMES = {"gradient": english("Gradient"), "times_input": english("Gradient × input"),
         "integrated": english("Integrated"), "smooth": english("SmoothGrad"), "grad_cam": english("Grad-CAM"),
         "guided": english("Guided"), "deeplift": english("DeepLIFT"), "occlusion": english("Occlusion"),
         "left_out": english("Left out")}
SHORT = {"gradient": english("g"), "times_input": english("g×x"), "integrated": english("int"), "smooth": english("SG"),
         "grad_cam": english("CAM"), "guided": english("gui"), "deeplift": english("DL"), "occlusion": english("occ"),
         "left_out": english("out")}
"""What stands over a column of the agreement."""
ANSWERS = {
    "gradient": english("If I change this place a little?"),
    "times_input": english("How much does this place give, if all were a straight line?"),
    "integrated": english("What made it this answer and not that of the baseline?"),
    "smooth": english("If I change this place a little, whatever the noise?"),
    "grad_cam": english("Where, roughly?"),
    "guided": english("Which lines does it see? It shows them whatever the answer is: with other weights behind them "
                      "it changes little."),
    "deeplift": english("How does this answer differ from that of the baseline?"),
    "occlusion": english("What if this window were gone?"),
    "left_out": english("What if this place were gone?")}
FIRST = ("integrated", "gradient", "grad_cam", "times_input", "occlusion", "left_out", "smooth", "deeplift", "guided")
"""Those that get a column, as far as there is room."""
RANDOM = "random"
MARKED = 2
"""Which of the numbers of erased places the sentence is about."""
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Seen:
    """What was measured, and what of it is looked at."""

    trace: Trace
    ends: Ends
    name: str
    """Of the study."""
    arrays: Arrays
    wish: Wish
    method: str
    shown: tuple[str, ...]
    """The methods that have a column."""
    now: int
    """How many beats of the walk lie behind."""
    place: tuple[int, ...] | None
    """The one that is marked."""
    inserts: bool

    def map(self, method: str, control: bool = False) -> Values:
        """A map as it is at this beat: the one that is walked through is filled up to there."""
        key = f"{'control' if control else 'maps'}/{method}"
        values = np.asarray(self.arrays[key], np.float64)
        if control or method != self.method or self.now >= BEATS:
            return values
        if method == "integrated":
            return np.asarray(self.arrays["path"][self.frame], np.float64)
        return values

    @property
    def methods(self) -> tuple[str, ...]:
        return tuple(method for method in METHODS if f"maps/{method}" in self.arrays)

    @property
    def frame(self) -> int:
        """Which of the maps of the path."""
        return round(self.now / BEATS * (len(self.arrays["path_at"]) - 1))

    @property
    def windows(self) -> int:
        """How many windows have been hidden."""
        return round(self.now / BEATS * np.asarray(self.arrays["windows"]).size)

    @property
    def ink(self) -> NDArray[np.bool_]:
        return np.asarray(self.arrays["ink"])

    @property
    def counts(self) -> list[int]:
        return [int(count) for count in self.arrays["counts"]]

    @property
    def label(self) -> str:
        """What is explained: a class, or the answer."""
        return self.named("class") if self.ends.chooses else tr("the answer")

    def named(self, key: str) -> str:
        """What the class of a number that was measured is called."""
        return self.value(class_name(self.trace, int(self.arrays[key])), key, quantity="label chosen")

    def value(self, words: str, key: str, *cell: int, quantity: str = "value") -> str:
        return said(words, *found(quantity, self.name, key, *cell))

    def chance(self, value: float, key: str, *cell: int) -> str:
        """A probability, or the number that is answered."""
        return self.value(numbers.percent(value) if self.ends.chooses else numbers.number(value), key, *cell)

    def likeness(self, method: str) -> tuple[float | None, float | None]:
        """With the map of random weights: of sizes everywhere, and with signs inside the ink."""
        one, other = self.arrays[f"maps/{method}"], self.arrays.get(f"control/{method}")
        if other is None:
            return None, None
        return attribution.likeness_everywhere(one, other), attribution.likeness(one, other, self.ink)


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The maps of a score, their control, their agreement and their test."""
    seen = _seen(trace, moment, focus, look)
    if seen is None:
        return logchart.unmeasured(look, tr("Why this answer"), tr("How much each place counts for a score"))
    if not seen.arrays:
        return logchart.unmeasured(look, tr("Why this answer"), "", tr("None of the methods suits this network."))
    told = _sentence(seen)
    box = Box(LEFT, begins(look, TOP), look.size[0] - LEFT, look.size[1] - 12)
    marks = list(parts.sentence(look, told))
    upper, lower = split(box, "top", box.height * (0.56 if look.mode.charts else 0.97), 14)
    flat = len(seen.ends.places) == 1
    marks += _rows(seen, look, upper) if flat else _columns(seen, look, upper)
    if look.mode.charts:
        marks.append(Line(((0, lower.top - 7), (look.size[0], lower.top - 7)), "hair"))
        left, right = split(lower, "left", min(400.0, lower.width * 0.42), GAP)
        marks += grouped(Group(tr("agreement")), _agreement(seen, look, left))
        marks += grouped(Group(tr("test of the maps")), _test(seen, look, right))
    return Picture(look.size, (), tuple(marks), look.theme, caption=unmarked(told), table=_table(seen))


def class_name(trace: Trace, number: int) -> str:
    """What a class is called."""
    return answers.label(next(each for each in trace.answers if each.chooses or each.kind in attribution.NUMBERED),
                         number)


def wish_of(look: Look) -> Wish:
    """What the knobs ask for."""
    usual, word = Wish(), look.knob("class", "")
    return Wish(int(word) if word.isdecimal() else -1, look.knob("contrast", "off") == "on",
                look.knob("scored", usual.score), look.knob("baseline", usual.baseline),
                int(look.knob("path", str(usual.path))), int(look.knob("hidden", str(usual.window))))


def walk(trace: Trace) -> tuple[Beat, ...]:
    """From nothing to the whole map."""
    return tuple(_beat(trace, number) for number in range(BEATS + 1))


def _beat(trace: Trace, number: int) -> Beat:
    return Beat(trace.layers[0].name, doing=WALK, number=number, quick=True,
                words=english("from the baseline to the input"))


def _seen(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Seen | None:
    ends, wish = attribution.ends(trace), wish_of(look)
    words = wish.words
    name = f"{STUDY}:{words}" if words else STUDY
    if ends is None or name not in trace.studies:
        return None
    arrays = trace.studies[name]
    known = [method for method in METHODS if f"maps/{method}" in arrays]
    method = look.knob("method", "integrated")
    method = method if method in known else "integrated"
    long = len(ends.places) == 2 and ends.places[1] > 2 * ends.places[0]
    room = 3 if look.size[0] < 860 or not look.mode.charts or long else 5
    first = [each for each in FIRST if each in known and each != method][:room - 1]
    shown = tuple(each for each in METHODS if each == method or each in first)
    number = moment.beat.number if moment.beat.doing == WALK else BEATS
    inside = focus is not None and focus.layer == ends.read.name and len(focus.cell) >= len(ends.places)
    place = None
    if inside and focus is not None:
        place = focus.cell[-2:] if len(ends.places) == 2 else focus.cell[:1]
    return Seen(trace, ends, name, arrays, wish, method, shown, min(BEATS, number), place,
                look.knob("curve", "erase") == "insert")


# --- maps -------------------------------------------------------------------------------------------------------------

def _columns(seen: Seen, look: Look, box: Box) -> list[Mark]:
    """A column a method: its map, what it adds up to, and its map of random weights."""
    notes = look.mode.notes
    names = 74.0 if notes else 0.0
    pitch = (box.width - names) / len(seen.shown)
    high, wide = seen.ends.places
    strip = 30.0 if notes else 0.0
    room = box.height - 36 - 20 - strip - 12 - (20 if notes else 0)
    tall = room * (0.62 if notes else 0.66)
    cell = max(1.0, _whole(min((pitch - 16) / wide, tall / high), look))
    small = max(0.5, _whole(min((pitch - 16) * (0.6 if notes else 0.62) / wide, (room - cell * high) / high), look))
    top = box.top + 36
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
            *_tile(seen, method, x, top, cell, look), *_size_and_sum(seen, look, method, x, below - 6, cell * wide),
            *_tile(seen, method, x, control, small, look, True),
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


def _rows(seen: Seen, look: Look, box: Box) -> list[Mark]:
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
            *_tile(seen, method, box.left + names, y, cell, look, tall=tall),
            *_tile(seen, method, box.left + names, y + tall + 4, cell, look, True, tall=max(4.0, tall * 0.45)),
            *_control(seen, look, method, box.left + names + wide + 10, y, beside, each)])
    if notes:
        y = box.top + head + len(seen.shown) * each
        marks += _completeness(seen, look, Box(box.left, y, box.right, y + strip - 8))
        marks.append(Text(box.left, y + strip + 6, plain(_why_ink(seen, box.width)), 12, 400, "ink-2",
                          max_width=box.width))
    return marks


def _whole(length: float, look: Look) -> float:
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


def _tile(seen: Seen, method: str, x: float, y: float, cell: float, look: Look, control: bool = False,
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
        total, claim = _sum_now(seen, method)
        words = tr("sum {sum}").format(sum=said(numbers.number(total), *claim))
        room -= width(unplaced(words), 12, 600) + 8
        marks.append(Text(x + wide, y, plain(words), 12, 600, "ink", "end"))
    size = seen.value(numbers.significant(colour.largest(values), 2), key, quantity="largest size")
    ways = (tr("up to {size}").format(size=size), size)
    fits = fitting(ways, room, 12)
    return [*marks, Text(x, y, plain(fits), 12, 400, "ink-2")] if fits else marks


def _sum_now(seen: Seen, method: str) -> tuple[float, tuple[str, str, tuple[int, ...], int | None, str]]:
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
    elif seen.trace.fed[0].kind == "image":
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
    total, claim = _sum_now(seen, method)
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


# --- agreement and test ---------------------------------------------------------------------------------------------

def _agreement(seen: Seen, look: Look, box: Box) -> list[Mark]:
    """Rank correlation of each two maps, inside the ink."""
    count = int(seen.ink.sum())
    title = tr("Agreement")
    about = tr("rank correlation, {count} places").format(count=seen.value(numbers.count(count), "ink",
                                                                          quantity="how many are true"))
    marks: list[Mark] = [Text(box.left, box.top + 13, plain(title), 13, 600),
                         Text(box.left + width(title, 13, 600) + 8, box.top + 13, plain(about), 12, 400, "ink-2",
                              max_width=box.width - width(title, 13, 600) - 8)]
    methods = seen.methods
    names = 104.0
    wide = (box.width - names) / len(methods)
    high = min(30.0, (box.height - 40) / len(methods))
    top = box.top + 40
    for row, one in enumerate(methods):
        y = top + row * high
        ink = "accent-ink" if one == seen.method else "ink"
        weight = 600 if one == seen.method else 400
        marks += [Text(box.left + names - 8, y + high / 2 + 4, plain(translated(NAMES[one])), 12, weight, ink, "end",
                       max_width=names - 10),
                  Text(box.left + names + (row + 0.5) * wide, top - 7, plain(translated(SHORT[one])), 11, weight, ink,
                       "middle", max_width=wide)]
        for column, other in enumerate(methods):
            x = box.left + names + column * wide
            value = None if one == other else attribution.likeness(
                seen.arrays[f"maps/{one}"], seen.arrays[f"maps/{other}"], seen.ink)
            fill = "sunk" if value is None else f"activation:{int(colour.signed(value * 0.75, 1.0))}"
            tip = "" if value is None else tr("{one} and {other} agree by {value}").format(
                one=translated(NAMES[one]), other=translated(NAMES[other]), value=_agree(seen, value, row, column))
            marks.append(Rect(x + 1, y + 1, wide - 2, high - 2, fill, radius=2, tip=tip,
                              focus=Focus(seen.ends.read.name), holds=Choice("method", one)))
            digits = next((digits for digits in (2, 1) if value is not None and high >= 14
                           and width(numbers.number(value, digits), 11, 600) <= wide - 3), 0)
            if value is not None and digits:
                marks.append(Text(x + wide / 2, y + high / 2 + 4, plain(_agree(seen, value, row, column, digits)), 11,
                                  600, colour.ink_on(fill, look.theme), "middle"))
    return marks


def _agree(seen: Seen, value: float, one: int, other: int, digits: int = 2) -> str:
    return said(numbers.number(value, digits), "agreement of maps", layer=seen.name, cell=(one, other))


def _test(seen: Seen, look: Look, box: Box) -> list[Mark]:
    """The chance as places are erased, or put into the baseline, those first that count most."""
    kind = "inserted" if seen.inserts else "deleted"
    title = tr("Test of the maps")
    about = (tr("put the highest-ranked places in, read the answer again"), tr("put in, read again")) if seen.inserts \
        else (tr("erase the highest-ranked places, read the answer again"), tr("erase, read again"))
    start = box.left + width(title, 13, 600) + 8
    marks: list[Mark] = [Text(box.left, box.top + 13, plain(title), 13, 600),
                         Text(start, box.top + 13, plain(fitting(about, box.right - start, 12) or about[-1]), 12, 400,
                              "ink-2", max_width=box.right - start)]
    keys = 204.0 if box.width >= 480 else 142.0
    chart = Box(box.left + 40, box.top + 30, box.right - keys, box.bottom - 22)
    if chart.width < 60 or chart.height < 40:
        return marks
    rows = (*seen.shown, RANDOM)
    curves = {name: np.asarray(seen.arrays[f"{kind}/{name}"], np.float64) for name in rows}
    low = 0.0 if seen.ends.chooses else min(float(curve.min()) for curve in curves.values())
    high = 1.0 if seen.ends.chooses else max(float(curve.max()) for curve in curves.values())
    span = (high - low) or 1.0
    last = seen.counts[-1] or 1
    marked = min(MARKED, len(seen.counts) - 1)
    for value in (low, (low + high) / 2, high):
        y = chart.bottom - (value - low) / span * chart.height
        words = numbers.percent(value, 0) if seen.ends.chooses else numbers.number(value, 1)
        marks += [Line(((chart.left, y), (chart.right, y)), "hair"),
                  Text(chart.left - 6, y + 4, plain(tick(words, value, low, high)), 11, 400, "ink-2", "end")]
    for place, count in enumerate(seen.counts):
        x = chart.left + count / last * chart.width
        marks.append(Text(x, chart.bottom + 16, plain(seen.value(str(count), "counts", place)), 11,
                          700 if place == marked else 400, "accent-ink" if place == marked else "ink-2", "middle"))
        if place == marked:
            marks.append(Line(((x, chart.top), (x, chart.bottom)), "accent", 1.5))
    order = sorted(rows, key=lambda name: (name == RANDOM, name != seen.method))
    for row, name in enumerate(order):
        ink, wide, dashed = _pen(row, name, seen)
        points = tuple((chart.left + count / last * chart.width, chart.bottom - (value - low) / span * chart.height)
                       for count, value in zip(seen.counts, curves[name], strict=True))
        marks.append(Line(points, ink, wide, dashed))
        y = chart.top + 14 + row * min(24.0, (chart.height - 10) / len(order))
        x = box.right - keys + 14
        mean = tr("chance, mean of {count}").format(count=said(str(attribution.DRAWS), "factor", array=repr(
            float(attribution.DRAWS))))
        ways = (mean, tr("chance")) if name == RANDOM else (translated(NAMES[name]),)
        label = fitting(ways, keys - 90, 12) or ways[-1]
        marks += [Line(((x, y - 4), (x + 18, y - 4)), ink, wide, dashed),
                  Text(x + 24, y, plain(label), 12, 600 if name == seen.method else 400, max_width=keys - 90),
                  Text(box.right, y, plain(seen.chance(float(curves[name][marked]), f"{kind}/{name}", marked)), 12, 600,
                       "accent-ink" if name == seen.method else "ink", "end")]
    return marks


def _pen(row: int, name: str, seen: Seen) -> tuple[str, float, bool]:
    if name == RANDOM:
        return "rule", 1.75, False
    if name == seen.method:
        return "ink", 2.25, False
    pens = (("gradient-mark", 1.75, False), ("positive-bar", 1.75, False), ("ink-2", 1.5, True),
            ("gradient-mark", 1.5, True))
    return pens[(row - 1) % len(pens)]


# --- words ------------------------------------------------------------------------------------------------------------

def _sentence(seen: Seen) -> str:
    name = translated(NAMES[seen.method])
    if seen.now < BEATS and seen.method == "occlusion":
        windows = np.asarray(seen.arrays["windows"])
        return tr("The window has stood at {now} of {all} places; what each takes off the score is kept.").format(
            now=said(numbers.count(seen.windows), "windows hidden", layer=seen.name, step=seen.now),
            all=seen.value(numbers.count(windows.size), "windows", quantity="how many in all"))
    if seen.now < BEATS:
        at = int(np.asarray(seen.arrays["path_at"])[seen.frame])
        total = float(np.asarray(seen.arrays["path_sums"])[at])
        return tr("Step {now} of {all} from the baseline to the input: integrated gradients have gathered {{{sum}}} of "
                  "{whole}.").format(
            now=seen.value(str(at), "path_at", seen.frame), all=seen.value(str(seen.wish.path), "path_at",
                                                                           quantity="largest"),
            sum=seen.value(numbers.number(total), "path_sums", at),
            whole=seen.value(numbers.number(float(np.asarray(seen.arrays["score"]) - np.asarray(seen.arrays["blank"]))),
                             "score", quantity="score less that of the baseline"))
    marked = min(MARKED, len(seen.counts) - 1)
    own, chance = (np.asarray(seen.arrays[f"deleted/{each}"], np.float64) for each in (seen.method, RANDOM))
    words = {"count": seen.value(str(seen.counts[marked]), "counts", marked), "name": name, "label": seen.label,
             "before": seen.chance(float(own[0]), f"deleted/{seen.method}", 0),
             "after": seen.chance(float(own[marked]), f"deleted/{seen.method}", marked),
             "random": seen.chance(float(chance[marked]), f"deleted/{RANDOM}", marked)}
    if seen.ends.chooses:
        return tr("Erase the {count} places that {name} ranks highest: p({label}) goes from {before} to {{{after}}}; "
                  "as many by chance leave {random}.").format(**words)
    return tr("Erase the {count} places that {name} ranks highest: the answer goes from {before} to {{{after}}}; as "
              "many by chance leave {random}.").format(**words)


def page(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture | None:
    """What the inspector says: the method, the place that is marked, and what all shares come to."""
    seen = _seen(trace, moment, focus, look)
    if seen is None or not seen.arrays:
        return None
    title = translated(NAMES[seen.method])
    marks: list[Mark] = [Text(24, 27, plain(title), 16, 600, max_width=240)]
    y = 34.0
    for line in wrap(plain(translated(ANSWERS[seen.method])), 13, 240, 400):
        y += 19.5
        marks.append(Text(24, y, line, 13, 400, "ink-2"))
    key, values = f"maps/{seen.method}", np.asarray(seen.arrays[f"maps/{seen.method}"], np.float64)
    rows = [(tr("explained"), seen.label if int(seen.arrays["against"]) < 0 else tr("{one} rather than {other}").format(
        one=seen.label, other=seen.named("against"))),
            (tr("for it"), seen.value(numbers.signed(float(values[values > 0].sum())), key,
                                      quantity="what is above 0 of a map")),
            (tr("against it"), seen.value(numbers.signed(float(values[values < 0].sum())), key,
                                          quantity="what is below 0 of a map")),
            (tr("sum"), seen.value(numbers.number(float(values.sum()), 3), key, quantity="sum of a map")),
            (tr("score less that of the baseline"), seen.value(
                numbers.number(float(np.asarray(seen.arrays["score"]) - np.asarray(seen.arrays["blank"])), 3), "score",
                quantity="score less that of the baseline"))]
    y += 14
    y = _facts(marks, rows, y)
    if seen.place is not None and all(at < side for at, side in zip(seen.place, seen.ends.places, strict=True)):
        y += 34
        marks.append(Text(24, y, plain(tr("The marked place")), 13, 600))
        y = _facts(marks, [(translated(NAMES[method]), seen.value(
            numbers.signed(float(np.asarray(seen.arrays[f"maps/{method}"])[seen.place]), 3), f"maps/{method}",
            *seen.place)) for method in seen.methods], y)
    y += 34
    marks.append(Text(24, y, plain(tr("Which one answers what")), 13, 600))
    for method in seen.methods:
        y += 24
        marks.append(Text(24, y, plain(translated(NAMES[method])), 12, 600))
        for line in wrap(plain(translated(ANSWERS[method])), 12, 240, 400):
            y += 16
            marks.append(Text(24, y, line, 12, 400, "ink-2"))
    return Picture((280, round(y + 14)), tuple(marks), (), look.theme, "window", caption=title,
                   table=Table((tr("what"), tr("value")), tuple((name, unplaced(words)) for name, words in rows)))


def _facts(marks: list[Mark], rows: list[tuple[str, str]], y: float) -> float:
    for name, words in rows:
        y += 22
        marks += [Text(24, y, plain(name), 13, 400, "ink-2", max_width=164),
                  Text(264, y, plain(words), 13, 600, "ink", "end", max_width=110)]
    return y


@remembered(4)
def _rows_of(trace: Trace, name: str) -> tuple[tuple[float | str, ...], ...]:
    """One row a place: its value by each method."""
    arrays = trace.studies[name]
    methods = [method for method in METHODS if f"maps/{method}" in arrays]
    maps = [np.asarray(arrays[f"maps/{method}"], np.float64) for method in methods]
    return tuple((*(int(at) for at in place), *(float(values[place]) for values in maps))
                 for place in np.ndindex(maps[0].shape))


def _table(seen: Seen) -> Table:
    heads = (tr("row"), tr("column")) if len(seen.ends.places) == 2 else (tr("step"),)
    return Table((*heads, *(translated(NAMES[method]) for method in seen.methods)), _rows_of(seen.trace, seen.name))


def _telling(trace: Trace, times: Timeline) -> str:
    """Where all is there."""
    return _beat(trace, BEATS).address


def digit(trace: Trace, number: int) -> tuple[str, str] | None:
    """Which knob a digit turns, and to which word: the class of that number."""
    ends = attribution.ends(trace)
    return ("class", str(number)) if ends is not None and ends.chooses and number < ends.scores.shape[-1] else None


VIEW = View(
    "explain", english("Why this answer"), english("How much each place of the input counts for an answer, by several "
                                                  "methods, with the control of random weights."),
    suits=lambda trace: attribution.ends(trace) is not None, draw=draw, telling=_telling, order=46, group=GRADIENTS,
    page=page, continuous=False, studies=(STUDY,), words=lambda look: wish_of(look).words, instead=walk, digit=digit,
    knobs=(("class", ()), ("contrast", ("off", "on")), ("scored", (LOGIT, PROBABILITY)),
           ("baseline", (NOTHING, MEAN, BLUR)), ("path", ("64", "16", "256")), ("hidden", ("5", "3", "7")),
           ("method", ("integrated", *(method for method in METHODS if method != "integrated"))),
           ("curve", ("erase", "insert"))),
    tries=english("Press the digit of another class: what speaks for that one?"),
)
