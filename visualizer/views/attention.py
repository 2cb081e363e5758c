"""Attention: how much each step takes from each place, as a matrix that fills row by row, and one row as ribbons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from visualizer.kinds.attention import Attention, attentions, scored
from visualizer.language import english, in_quotes, single, tr
from visualizer.said import said, unplaced
from visualizer.scene import colour, numbers, parts, ribbons
from visualizer.scene.attending import beat_of, came_back, come, grid, named, place_words, step_words
from visualizer.scene.boxes import Box, whole
from visualizer.scene.lanes import lanes
from visualizer.scene.parts import body
from visualizer.scene.picture import (
    Choice,
    Focus,
    Group,
    Image,
    Look,
    Mark,
    Picture,
    Rect,
    Scale,
    Table,
    Text,
    grouped,
    literal,
    plain,
    unmarked,
)
from visualizer.scene.projector import begins
from visualizer.scene.timeline import FORWARD, PASSED, Moment, Pace, Timeline, ease, own_pace
from visualizer.scene.type import width
from visualizer.trace import Trace, remembered
from visualizer.views import WHOLE, View

TOP, LINE, GAP = 104.0, 16.0, 8.0
LEFT_SHARE = 0.52
"""Of the width: the matrix; the opened row has the rest."""
LARGEST, PERCENTS, FULL = 64.0, 36.0, 46.0
"""Pixels: a cell at most; from which width on shares stand in their cells; a ribbon of a share of 1."""
MOST_ROWS, MOST_NAMES, MOST_HEADS = 4, 6, 8
LISTED = 8
"""So many of the places of a row are named where not all have room."""
HEAD = "head"


@dataclass(frozen=True)
class Grid:
    """Where the cells of a matrix stand."""

    x: float
    y: float
    cell: tuple[float, float]

    def at(self, step: int, place: int) -> tuple[float, float]:
        return self.x + place * self.cell[0], self.y + step * self.cell[1]


@dataclass(frozen=True, eq=False)
class Scene:
    """What is shown of one attention at a moment."""

    trace: Trace
    attention: Attention
    head: int
    step: int | None
    """The row that is opened; None where nothing has been looked at yet."""
    come: np.ndarray
    back: np.ndarray
    backward: bool
    place_names: tuple[str, ...]
    step_names: tuple[str, ...]
    named: np.ndarray
    look: Look

    def share(self, step: int, place: int, digits: int = 0) -> str:
        """A share in per cent."""
        value = float(self.attention.weights[self.head, step, place])
        return said(numbers.percent(value, digits), "value", self.attention.rows[step].layer,
                    self.attention.cell(self.trace, self.head, step, place))

    def focus(self, step: int, place: int) -> Focus:
        return Focus(self.attention.rows[step].layer, self.attention.cell(self.trace, self.head, step, place))


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The matrix as far as it has come, and the row of the moment."""
    sc = scene_of(trace, moment, focus, look)
    told = _sentence(sc)
    box = body(look, begins(look, TOP)).inset(0, 0, 0, 10)
    middle = box.left + box.width * LEFT_SHARE
    marks = parts.sentence(look, told)
    if look.mode.notes:
        marks += _names(trace, sc)
    left = Box(box.left, box.top, middle - 24, box.bottom)
    right = Box(middle + 8, box.top, box.right, box.bottom)
    marks += grouped(Group(tr("attention"), Focus(sc.attention.rows[0].layer)), _matrix(sc, left))
    marks += grouped(Group(tr("one step")), _opened(sc, right))
    lane_still, lane_moving = lanes(trace, moment, look)
    return Picture(look.size, tuple(lane_still), (*marks, *lane_moving), look.theme,
                   caption=unmarked(told), table=_table(sc))


def scene_of(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Scene:
    """Which attention, which head of it, and which step of it a picture is about."""
    found = attentions(trace)
    attention = _chosen(trace, found, moment, focus)
    shown, back = come(trace, attention, moment), came_back(trace, attention, moment)
    step = _step(trace, attention, focus, shown, back, moment)
    head = _head(trace, attention, focus, look)
    return Scene(trace, attention, head, step, shown, back, moment.backward, place_words(trace, attention),
                 step_words(trace, attention), named(trace, attention, moment), look)


def _chosen(trace: Trace, found: tuple[Attention, ...], moment: Moment, focus: Focus | None) -> Attention:
    """The one that is looked at, or that the beat computes; else the last that has begun, or the first."""
    for name in (None if focus is None else focus.layer, moment.beat.layer):
        for each in found:
            if name in each.layers or any(name == beat_of(trace, row.layer) for row in each.rows):
                return each
    begun = [each for each in found if (come(trace, each, moment) > 0).any()]
    if moment.backward:
        begun = [each for each in found if (came_back(trace, each, moment) > 0).any()][:1] or list(found)
    return begun[-1] if begun else found[0]


def _step(trace: Trace, attention: Attention, focus: Focus | None, shown: np.ndarray, back: np.ndarray,
          moment: Moment) -> int | None:
    if focus is not None and focus.layer in attention.layers:
        asked = attention.step_at(focus.layer, focus.cell, trace)
        if asked is not None and shown[asked] > 0:
            return asked
    if moment.backward:
        came = np.flatnonzero(back > 0)
        return int(came[0]) if came.size else attention.count - 1
    done = np.flatnonzero(shown > 0)
    return int(done[-1]) if done.size else None


def _head(trace: Trace, attention: Attention, focus: Focus | None, look: Look) -> int:
    """That of what is looked at, else the one that was chosen; heads count from 1."""
    if focus is not None and attention.heads > 1 and any(focus.layer == row.layer for row in attention.rows) \
            and len(focus.cell) == len(trace[focus.layer].shape):
        flat = int(np.ravel_multi_index(focus.cell, trace[focus.layer].shape))
        found = [head for head in range(attention.heads) if flat in attention.cells[head]]
        if found:
            return found[0]
    word = look.knob(HEAD, "1")
    return min(int(word), attention.heads) - 1 if word.isdecimal() and int(word) else 0


def pace(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Pace:
    """Only those layers take time of which something is seen: shares, what is added up by them, and what is said."""
    return own_pace(moment.beat) if moment.beat.layer in _shown(trace) else PASSED


@remembered(4)
def _shown(trace: Trace) -> frozenset[str]:
    found = attentions(trace)
    said_by = (name for answer in trace.answers if "end" in answer.settings for name, _ in scored(trace, answer))
    rows = (beat_of(trace, name) for each in found for row in each.rows for name in (row.layer, row.context))
    return frozenset((trace.layers[0].name, *said_by, *rows))


# --- the matrix -----------------------------------------------------------------------------------------------------

def _names(trace: Trace, sc: Scene) -> list[Mark]:
    """All attentions of the network by name, each to be chosen."""
    found = attentions(trace)
    x, y = 24.0, 86.0
    marks: list[Mark] = []
    for number, each in enumerate(found[:MOST_NAMES]):
        words = each.name.removesuffix(".softmax")
        if sum(other.name == each.name for other in found) > 1:
            words = f"{words} → {each.rows[0].context}"
        chosen = each is sc.attention
        if len(found) > 1:
            wide = width(words, 12, 600, mono=True) + 16
            if x + wide > sc.look.size[0] - 120 and number:
                break
            marks.append(Rect(x, y - 15, wide, 22, "tint" if chosen else "sunk", "accent" if chosen else "", 1,
                              radius=5, focus=Focus(each.rows[0].layer)))
            marks.append(Text(x + 8, y, plain(words), 12, 600, "accent-ink" if chosen else "ink-2", mono=True))
            x += wide + 6
        else:
            marks.append(Text(x, y, plain(words), 13, 600, "accent-ink", mono=True))
            x += width(words, 13, 600, mono=True) + 12
    left = len(found) - sum(isinstance(mark, Text) for mark in marks)
    if left > 0:
        marks.append(Text(x + 4, y, plain(tr("and {count} more").format(count=said(
            str(left), "attentions not named"))), 12, 400, "ink-2"))
    elif len(found) == 1:
        marks.append(Text(x, y, plain(tr("{steps} × {places} shares, each row adds up to one").format(
            steps=said(str(sc.attention.count), "steps of an attention", sc.attention.rows[0].layer),
            places=said(str(sc.attention.places), "places of an attention", sc.attention.rows[0].layer))), 12, 400,
            "ink-2"))
    return marks


def _matrix(sc: Scene, box: Box) -> list[Mark]:
    """Steps from top to bottom, places from left to right; what has not come is hatched."""
    attention, pixel = sc.attention, sc.look.pixel
    heads = 64.0 + GAP if attention.heads > 1 and box.height > 260 else 0.0
    called = [word if sc.named[step] and word != str(step + 1) else tr("step {step}").format(step=step + 1)
              for step, word in enumerate(sc.step_names)]
    gutter = min(110.0, max(width(word, 13, 600) for word in called) + 10)
    room = (box.width - gutter, box.height - 3 * LINE - heads - 18)
    side = [max(whole(min(LARGEST, have / count), pixel) or 0.0, 0.0) or have / count
            for have, count in zip(room, (attention.places, attention.count), strict=True)]
    cell = (side[0], min(side[1], side[0] if side[0] > 24 else max(side[0], 24.0)))
    grid = Grid(box.left + gutter, box.top + 3 * LINE, cell)
    wide, high = cell[0] * attention.places, cell[1] * attention.count
    marks: list[Mark] = [Rect(grid.x, grid.y, wide, high, "hatch")]
    marks += _cells(sc, grid)
    marks += _frames(sc, grid, wide)
    marks += _words_above(sc, grid) + _words_beside(sc, grid)
    marks.append(Rect(grid.x, grid.y, wide, high, "", "tile-border", 1))
    if heads:
        marks += _heads(sc, Box(box.left, min(grid.y + high + 14, box.bottom - heads + GAP), box.right, box.bottom))
    return marks


def _cells(sc: Scene, grid: Grid) -> list[Mark]:
    """Every share that has come; on the way back the gradients that have."""
    entries, palette, scale = _entries(sc, sc.head)
    marks: list[Mark] = []
    came = sc.back if sc.backward else sc.come
    one = Image(grid.x, grid.y, grid.cell, np.zeros((1, 1, 1), np.uint8), palette)
    for step in range(sc.attention.count):
        shown = round(came[step] * sc.attention.places) if not sc.backward else \
            (sc.attention.places if came[step] > 0 else 0)
        if not shown:
            continue
        x, y = grid.at(step, 0)
        layer = sc.attention.rows[step].layer
        plain_row = sc.trace[layer].shape == (1, sc.attention.places)
        marks.append(Image(x, y, grid.cell, np.ascontiguousarray(entries[None, step:step + 1, :shown]), one.palette,
                           border="", scale=scale, focus=Focus(layer) if plain_row else None,
                           indices=(-1,) if plain_row else ()))
        if not plain_row and sc.attention.count * sc.attention.places <= 400:
            marks += [Rect(*grid.at(step, place), *grid.cell, opacity=0.0, fill="stage", focus=sc.focus(step, place))
                      for place in range(shown)]
        if grid.cell[0] >= PERCENTS and grid.cell[1] >= 18 and not sc.backward:
            marks += [Text(x + (place + 0.5) * grid.cell[0], y + grid.cell[1] / 2 + 4, plain(sc.share(step, place)), 11,
                           500, colour.ink_on(f"{palette}:{int(entries[step, place])}", sc.look.theme), "middle")
                      for place in range(shown) if sc.attention.weights[sc.head, step, place] >= ribbons.FEWEST]
    return marks


def _entries(sc: Scene, head: int) -> tuple[np.ndarray, str, Scale]:
    layer = sc.trace[sc.attention.rows[0].layer]
    if sc.backward:
        back = sc.attention.gradients
        values = np.zeros(sc.attention.weights.shape[1:]) if back is None else back[head]
        found, palette = parts.entries_of(sc.trace, layer, sc.look, True, values)
        return found, palette, parts.gradient_scale(sc.trace)
    return colour.unit(sc.attention.weights[head]), "pixel", parts.scale_of(sc.trace, layer, sc.look, False)


def _frames(sc: Scene, grid: Grid, wide: float) -> list[Mark]:
    if sc.step is None:
        return []
    ink = "gradient-mark" if sc.backward else "accent"
    return [Rect(grid.x - 2, grid.y + sc.step * grid.cell[1] - 1, wide + 4, grid.cell[1] + 2, "", ink, 2, radius=2)]


def _words_above(sc: Scene, grid: Grid) -> list[Mark]:
    """What stands at each place, in up to three lines where one has no room; else that of the strongest."""
    pitch, words = grid.cell[0], sc.place_names
    mono = max(map(len, words)) == 1
    widest = max(width(word, 12, 600, mono=mono) for word in words) + 6
    lines = next((lines for lines in (1, 2, 3) if widest <= pitch * lines), 0)
    strong = set() if sc.step is None else {int(np.argmax(sc.attention.weights[sc.head, sc.step]))}
    marks: list[Mark] = []
    for place, word in enumerate(words):
        if not lines and place not in strong:
            continue
        x, y = grid.at(0, place)
        line = place % lines if lines else 0
        half = width(word, 12, 600, mono=mono) / 2
        x = min(max(x + pitch / 2, grid.x - 20 + half), grid.x + pitch * len(words) + 20 - half)
        marks.append(Text(x, y - 7 - LINE * line, plain(_place_said(sc, place)), 12, 600 if place in strong else 400,
                          "accent-ink" if place in strong else "ink-2", "middle", mono=mono))
    return marks


def _words_beside(sc: Scene, grid: Grid) -> list[Mark]:
    every = max(1, -(-13 // int(max(1, grid.cell[1]))))
    marks: list[Mark] = []
    for step in range(sc.attention.count):
        chosen = step == sc.step
        if (step % every and not chosen) or not (sc.come[step] > 0):
            continue
        if not chosen and sc.step is not None and every > 1 and abs(step - sc.step) < every:
            continue
        y = grid.y + (step + 0.5) * grid.cell[1] + 4.5
        marks.append(Text(grid.x - 8, y, plain(_step_said(sc, step)), 13, 600 if chosen else 400,
                          "accent-ink" if chosen else "ink-2", "end", max_width=104))
    return marks


def _heads(sc: Scene, box: Box) -> list[Mark]:
    """Every head as a small matrix; a click chooses it."""
    count = min(sc.attention.heads, MOST_HEADS)
    size = min(46.0, (box.width - 60) / count - 10)
    marks: list[Mark] = []
    x = box.left
    for head in range(count):
        entries, palette, _ = _entries(sc, head)
        came = sc.back if sc.backward else sc.come
        covered = np.broadcast_to((came <= 0)[None, :, None], (1, *entries.shape))
        cell = (size / entries.shape[1], size / entries.shape[0])
        chosen = head == sc.head
        marks += [Rect(x, box.top, size, size, "hatch"),
                  Image(x, box.top, cell, np.ascontiguousarray(entries[None]), palette, border="", covered=covered),
                  Rect(x - 2, box.top - 2, size + 4, size + 4, "", "accent" if chosen else "tile-border",
                       2 if chosen else 1, focus=Focus(sc.attention.rows[0].layer),
                       holds=Choice(HEAD, str(head + 1))),
                  Text(x + size / 2, box.top + size + 15, plain(tr("head {head}").format(head=said(
                      str(head + 1), "number of a head", sc.attention.rows[0].layer))), 11, 600 if chosen else 400,
                      "accent-ink" if chosen else "ink-2", "middle", max_width=size + 10)]
        x += size + 14
    if sc.attention.heads > count:
        marks.append(Text(x, box.top + size / 2 + 4, plain(tr("of {count}").format(count=said(
            str(sc.attention.heads), "heads of an attention", sc.attention.rows[0].layer))), 12, 400, "ink-2"))
    return marks


# --- one row --------------------------------------------------------------------------------------------------------

def _opened(sc: Scene, box: Box) -> list[Mark]:
    """The places of a row, what flows from each to its step, and what is added up there."""
    if sc.step is None:
        return parts.not_yet(box.left, box.top + 20, box.width, box.height - 40, tr("nothing is looked at yet"))
    step, shares = sc.step, sc.attention.weights[sc.head, sc.step].tolist()
    pitch = box.width / sc.attention.places
    xs = [box.left + (place + 0.5) * pitch for place in range(sc.attention.places)]
    maps = grid(sc.trace, sc.attention)
    top, bottom = box.top + 2 * LINE + 34, box.bottom - 86
    marks: list[Mark] = []
    ink = "gradient-mark" if sc.backward else "accent"
    if maps is None:
        marks += _places(sc, xs, pitch, box.top + 2 * LINE, shares)
    else:
        marks += (drawn := _map_of_shares(sc, box, maps, xs))
        top = drawn[0].y + drawn[0].tile_size[1] + 6
    come = float(sc.back[step]) if sc.backward else ease(min(1.0, float(sc.come[step])))
    full = min(FULL, box.width / 4)
    target = box.middle[0]
    foci = [sc.focus(step, place) for place in range(sc.attention.places)]
    marks += ribbons.ribbons(shares, xs, target, top, bottom, full, come, ink, foci, back=sc.backward)
    marks += _target(sc, target, bottom, box, step)
    return marks + (_others(sc, step, shares, box.right, bottom + 20, target + 70) if sc.look.mode.notes else [])


def _others(sc: Scene, step: int, shares: list[float], x: float, y: float, left: float) -> list[Mark]:
    """How many places have no ribbon, and what they have together, where there is room for it."""
    few, rest = ribbons.unseen(shares)
    known = {"count": said(str(few), "places without a ribbon", sc.attention.rows[step].layer, (step, sc.head)),
             "share": said(numbers.percent(rest, 0), "what they have together", sc.attention.rows[step].layer,
                           (step, sc.head))}
    forms = (tr("{count} others: {share} together"), tr("{count} others: {share}")) if not single(few) else \
        (tr("{count} other: {share}"),)
    words = next((words for words in forms
                  if width(unplaced(words.format(**known)), 12) <= x - left), "")
    return [Text(x, y, plain(words.format(**known)), 12, 400, "ink-2", "end")] if few and words else []


def _places(sc: Scene, xs: list[float], pitch: float, y: float, shares: list[float]) -> list[Mark]:
    assert sc.step is not None
    marks: list[Mark] = []
    mono = max(map(len, sc.place_names)) == 1
    strong = sorted(range(len(shares)), key=lambda place: -shares[place])
    fits = max(width(word, 12, 600, mono=mono) for word in sc.place_names) + 6 <= pitch
    taken: list[tuple[float, float]] = []
    for place in strong if not fits else range(len(shares)):
        word, x = sc.place_names[place], xs[place]
        wide = max(width(word, 12, 600, mono=mono), 30.0) + 6
        marks.append(Rect(x - max(1.0, pitch / 2 - 1.5), y + 8, max(2.0, pitch - 3), 22,
                          "tint" if shares[place] >= ribbons.FEWEST else "sunk", radius=min(4, pitch / 3),
                          focus=sc.focus(sc.step, place)))
        x = min(max(x, xs[0] - pitch / 2 + wide / 2), xs[-1] + pitch / 2 - wide / 2)
        if not fits and (len(taken) >= LISTED or any(x - wide / 2 < b and x + wide / 2 > a for a, b in taken)):
            continue
        taken.append((x - wide / 2, x + wide / 2))
        lit = shares[place] >= ribbons.FEWEST and sc.come[sc.step] > 0
        low = y + 23 if fits else y + 3
        marks.append(Text(x, low, plain(_place_said(sc, place)), 12, 600 if lit else 400,
                          "accent-ink" if lit else "ink-2", "middle", mono=mono))
        if lit and (pitch >= 34 or not fits):
            marks.append(Text(x, y - 2 if fits else y - 13, plain(sc.share(sc.step, place)), 11, 600, "ink", "middle"))
    return marks


def _map_of_shares(sc: Scene, box: Box, maps: tuple[int, int], xs: list[float]) -> list[Image]:
    """The shares where they lie on the maps; ribbons leave from under their columns."""
    assert sc.step is not None
    rows, columns = maps
    cell = whole(min(box.width * 0.6 / columns, (box.height * 0.42) / rows), sc.look.pixel) or 2.0
    left, top = box.middle[0] - cell * columns / 2, box.top
    entries, palette, scale = _entries(sc, sc.head)
    shown = entries[sc.step].reshape(1, rows, columns)
    for place in range(len(xs)):
        xs[place] = left + (place % columns + 0.5) * cell
    return [Image(left, top, (cell, cell), np.ascontiguousarray(shown), palette, scale=scale)]


def _target(sc: Scene, x: float, y: float, box: Box, step: int) -> list[Mark]:
    """The step, and under it what is added up."""
    word = sc.step_names[step] if sc.named[step] else tr("step {step}").format(step=step + 1)
    wide = max(64.0, width(word, 14, 600) + 24)
    ink = "gradient-mark" if sc.backward else "accent"
    marks: list[Mark] = [
        Rect(x - wide / 2, y, wide, 28, "tint" if not sc.backward else "sunk", ink, 1.5, radius=5,
             focus=Focus(sc.attention.rows[step].context)),
        Text(x, y + 19, plain(_step_said(sc, step)), 14, 600, "accent-ink" if not sc.backward else "gradient-text",
             "middle")]
    context = sc.attention.contexts[step]
    if context is None or sc.head >= len(context):
        return marks
    values = np.asarray(context[sc.head], np.float64)
    layer = sc.trace[sc.attention.rows[step].context]
    done = sc.come[step] >= 1
    cell = (min(10.0, (box.width - 20) / len(values)), 18.0)
    left = x - cell[0] * len(values) / 2
    if not done:
        marks.append(Rect(left, y + 42, cell[0] * len(values), 18, "hatch"))
    else:
        entries, palette = parts.entries_of(sc.trace, layer, sc.look, False, values)
        marks.append(Image(left, y + 42, cell, np.ascontiguousarray(entries.reshape(1, 1, -1)), palette,
                           scale=parts.value_scale(sc.trace, layer, sc.look)))
        marks.append(Rect(left, y + 42, cell[0] * len(values), 18, "stage", opacity=0.0, focus=Focus(layer.name)))
    if sc.look.mode.notes:
        marks.append(Text(x, y + 77, plain(tr("{layer}: the {values} numbers of each place, times its share, added up"
                                              ).format(layer=layer.name, values=said(
                                                  str(len(values)), "numbers added up", layer.name, (step,)))), 11, 400,
                          "ink-2", "middle", max_width=box.width))
    return marks


# --- words ----------------------------------------------------------------------------------------------------------

def _place_said(sc: Scene, place: int) -> str:
    return said(sc.place_names[place], "place of an attention", sc.attention.rows[0].layer, (place,))


def _step_said(sc: Scene, step: int) -> str:
    """What a step is called, or its number as long as that is not known."""
    if not sc.named[step] or sc.step_names[step] == str(step + 1):
        return tr("step {step}").format(step=said(str(step + 1), "steps of an attention so far",
                                                  sc.attention.rows[step].layer, (step,)))
    return said(sc.step_names[step], "step of an attention", sc.attention.rows[step].layer, (step,))


def _at(sc: Scene, step: int, within: bool = True) -> str:
    """`“sieben”`, `step 3`, as words with markup have it; at the start of a sentence `Step 3`."""
    words = literal(_step_said(sc, step))
    if sc.named[step] and sc.step_names[step] != str(step + 1):
        return in_quotes(words)
    return words if within else f"{words[:1].upper()}{words[1:]}"


def _sentence(sc: Scene) -> str:
    attention = sc.attention
    if sc.step is None:
        return tr("{name} has not looked at anything yet.").format(name=attention.name)
    shares = attention.weights[sc.head, sc.step]
    most = int(np.argmax(shares))
    known = {"step": _at(sc, sc.step, sc.backward or attention.heads > 1), "place": literal(_place_said(sc, most)),
             "share": sc.share(sc.step, most)}
    if sc.backward:
        if attention.gradients is None:
            return tr("No gradient came back through this attention.")
        return tr("On the way back each place gets of the gradient at {step} what it gave: “{place}” gets {{{share}}}."
                  ).format(**known)
    words = tr("{step} takes {{{share}}} of what it is given from “{place}”") if attention.heads == 1 else \
        tr("In head {head} {step} takes {{{share}}} of what it is given from “{place}”")
    told = words.format(head=said(str(sc.head + 1), "number of a head", attention.rows[0].layer), **known)
    second = int(np.argsort(shares)[-2])
    if shares[second] < ribbons.FEWEST:
        return f"{told}."
    return tr("{words}, and {share} from “{place}”.").format(
        words=told, share=sc.share(sc.step, second), place=literal(_place_said(sc, second)))


def _table(sc: Scene) -> Table:
    """A row for each step and place: what they are called, and the share."""
    head = sc.attention.weights[sc.head]
    return Table((tr("step"), tr("called"), tr("place"), tr("share")),
                 tuple((step + 1, sc.step_names[step], sc.place_names[place], float(head[step, place]))
                       for step in range(sc.attention.count) for place in range(sc.attention.places)))


def _telling(trace: Trace, times: Timeline) -> str:
    """All rows of the last attention are there."""
    beats = [beat_of(trace, row.layer) for each in attentions(trace) for row in each.rows]
    found = times.of(beats[-1], FORWARD)
    return "" if found is None else found.address


VIEW = View(
    "attention", english("Attention"), english("How much each step takes from each place, row by row."),
    suits=lambda trace: bool(attentions(trace)), draw=draw, telling=_telling, pace=pace, order=14, group=WHOLE,
    knobs=((HEAD, ()),),
    tries=english("Click a row, and see from which places it takes."),
)
