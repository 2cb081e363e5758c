"""The page of the inspector: what the selected thing is, its values, its distribution, its numbers, as a Picture.

Pure: the same arguments give the same page. Lengths are pixels; the page is as long as it needs to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from visualizer import answers, inputs, kinds, reasons
from visualizer.kinds import Taps, Terms, gates, recurrent
from visualizer.language import counted_as, tr, translated
from visualizer.scene import blocks, colour, gatesigns, numbers, parts
from visualizer.scene.labels import fitting
from visualizer.scene.picture import (
    Focus,
    Image,
    Line,
    Look,
    Mark,
    Path,
    Picture,
    Points,
    Rect,
    Run,
    Table,
    Text,
    plain,
)
from visualizer.scene.reading import own_words, symbol_words, symbols_in
from visualizer.scene.subject import array, is_inner, strongest, there
from visualizer.scene.timeline import Moment
from visualizer.scene.type import plain_lines, width
from visualizer.size import norm, norms
from visualizer.trace import Answer, Array, Cell, Layer, Trace
from visualizer.ui import words

WIDTH = 280
LEFT, RIGHT = 24.0, 264.0
SPAN = RIGHT - LEFT
MAP = 144.0
"""Largest side of the map of a channel, at most 12 px for a value."""
BINS = 30
GAP, LEAST_BAR = 6.0, 16.0
"""Pixels between what stands in one line, and of the shortest bar that says something."""
ROOM_OF_A_FACT = 160.0
"""Pixels for words at the right of a row, beside few at its left."""
MOST_SYMBOLS = 20
"""So many symbols of an input are listed."""
MOST_TERMS, MOST_LAYERS, MOST_KERNELS, MOST_CLASSES, MOST_ANSWERS = 11, 8, 6, 12, 6


def page(trace: Trace, moment: Moment, about: Focus, look: Look, large: bool = False) -> Picture:
    """Everything about the subject of a moment; `large`: its number is printed large instead of its map."""
    sheet = Writing()
    layer = trace[about.layer]
    values = array(layer, about, moment.backward)
    _heading(sheet, trace, about, moment.backward)
    if values is None:
        _say(sheet, reasons.told(layer.why) or tr("No gradient came back here: nothing that follows depends on it."))
    elif not there(trace, moment, about):
        _say(sheet, tr("Its numbers are on their way: they stand here when the last step is done.")
             if moment.beat.step is not None and moment.phase == 1 else
             tr("Its numbers are on their way: they stand here when the beat is done."))
    elif is_inner(about) and len(about.cell) == 2:
        _inner_number(sheet, trace, moment, about, values)
    elif about.array != "output":
        _weight(sheet, layer, about, values, look)
    elif len(about.cell) == values.ndim and symbols_in(trace, about.layer) and not moment.backward:
        sheet.large(str(int(values[about.cell])))
        sheet.fact(tr("stands for"), symbol_words(trace, about.layer, about.cell[0]).rpartition(", ")[0] or "–", 36)
    elif len(about.cell) == values.ndim:
        _number(sheet, trace, about, values, moment.backward, look, large)
    else:
        _values(sheet, trace, about, values, moment.backward, look)
    return Picture((WIDTH, round(sheet.y + 16)), tuple(sheet.marks), (), look.theme, "window",
                   caption=words.place(trace, about), table=Table(("what", "value"), tuple(sheet.rows)))


def unknown(look: Look) -> Picture:
    """What is told between two recordings of a reel."""
    sheet = Writing()
    _say(sheet, tr("In between nothing was computed: colours and lengths go over from one recording to the next. "
                   "Numbers stand at both ends."))
    return Picture((WIDTH, round(sheet.y + 16)), tuple(sheet.marks), (), look.theme, "window")


@dataclass
class Writing:
    """A page being written from the top down."""

    marks: list[Mark] = field(default_factory=list)
    rows: list[tuple[str | float | int, ...]] = field(default_factory=list)
    """The same facts as a table."""
    y: float = 0.0
    """Where the last line stands."""

    def title(self, text: str, right: str = "", gap: float = 38) -> None:
        """The title of a section, and quiet words at its right."""
        self.y += gap
        room = SPAN - (width(right, 12, 400) + 8 if right else 0)
        self.marks.append(Text(LEFT, self.y, plain(text), 13, 600, "ink-2", max_width=room))
        if right:
            self.marks.append(Text(RIGHT, self.y, plain(right), 12, 400, "ink-2", "end"))

    def fact(self, what: str, value: str, gap: float = 24) -> None:
        """One row: words at the left, a number at the right."""
        self.y += gap
        self.named(what, value, LEFT)
        self.rows.append((what, value))

    def named(self, what: str, value: str, left: float) -> None:
        """Words from `left` on, on as many lines as they need, and a number at the right of the first."""
        room = RIGHT - left - width(value, 13, 600) - 8
        self.marks.append(Text(RIGHT, self.y, plain(value), 13, 600, "ink", "end"))
        for number, line in enumerate(plain_lines(what, 13, room, 400)):
            self.y += 18 if number else 0
            self.marks.append(Text(left, self.y, plain(line), 13, 400, "ink-2", max_width=room))

    def large(self, said: str) -> None:
        """A number as large as it has room, at most 44 px."""
        self.y += 62
        size = min(44.0, int(44 * SPAN / width(said, 44, 600)))
        self.marks.append(Text(LEFT, self.y, plain(said), size, 600, "ink", display=True, max_width=SPAN))


# --- the heading ----------------------------------------------------------------------------------------------------

def _heading(sheet: Writing, trace: Trace, about: Focus, backward: bool) -> None:
    """Its name, and one sentence."""
    rest = words.below(trace, about)
    name = Run(about.layer, mono=True)
    one_line = width(about.layer, 16, 600, mono=True) + width("  " + rest, 16, 600) <= SPAN
    sheet.y = 27
    sheet.marks.append(Text(LEFT, 27, (name, Run("  " + rest)) if rest and one_line else (name,), 16, 600,
                            max_width=SPAN))
    for line in () if one_line else plain_lines(rest, 16, SPAN, 600):
        sheet.y += 22
        sheet.marks.append(Text(LEFT, sheet.y, plain(line), 16, 600, max_width=SPAN))
    if is_inner(about) and (not one_line or not rest or width(about.layer + "  " + rest, 16, 600) < SPAN - 40):
        sheet.marks += gatesigns.sign(about.array.removeprefix("inner."), RIGHT - 11, 21, 19)
    _say(sheet, _sentence(trace, about, backward))


def _say(sheet: Writing, text: str) -> None:
    """A few lines of quiet text."""
    for number, line in enumerate(plain_lines(text, 13, SPAN, 400)):
        sheet.y += 19.5 if number else 25
        sheet.marks.append(Text(LEFT, sheet.y, plain(line), 13, 400, "ink-2"))


def _sentence(trace: Trace, about: Focus, backward: bool) -> str:
    layer = trace[about.layer]
    if is_inner(about):
        return _inner_sentence(trace, about, backward)
    if about.array != "output":
        name = about.array.rpartition(".")[2]
        return tr("How much each of these would change the objective.") if backward else \
            tr("Numbers of {name}, learned in training.").format(name=name)
    if backward:
        count = _count(layer, about)
        if count == 1:
            return tr("How much this one number would change the objective.")
        return tr("How much each of its {count} outputs would change the objective.").format(
            count=numbers.count(count))
    said = kinds.sentence(trace, about.layer)
    if about.cell and layer.axes[0] == "step":
        symbols = own_words(trace)
        read = tr("Having read “{symbol}”. ").format(symbol=words.symbol(symbols[about.cell[0]])) \
            if len(symbols) == layer.shape[0] else ""
        return read + said
    if len(about.cell) == 1 and layer.output.ndim > 1 and layer.shape[0] > 1:
        if numbers.count(layer.shape[0]) in said:
            return said
        return tr("One of {channels}. {said}").format(channels=words.several(layer.axes[0], layer.shape[0]), said=said)
    return said


def _count(layer: Layer, about: Focus) -> int:
    """How many numbers a focus points to."""
    return int(np.prod(layer.shape[len(about.cell):], dtype=int))


# --- many numbers: a channel, a layer -------------------------------------------------------------------------------

def _values(sheet: Writing, trace: Trace, about: Focus, values: Array, backward: bool, look: Look) -> None:
    """The map, its largest and smallest, its distribution, what it owns."""
    layer = trace[about.layer]
    if symbols_in(trace, about.layer) and not backward:
        _symbols(sheet, trace, layer)
        return
    found = values[about.cell]
    facts = _gradient_stats(found) if backward else _value_stats(found)
    if found.ndim == 2:
        marked = strongest(layer, backward, about.cell)
        shown = numbers.signed(float(values[marked]), 3) if backward else numbers.number(float(values[marked]))
        facts.insert(1 if backward else len(facts), (tr("marked"), shown))
        _map(sheet, trace, about.cell, marked, about.layer, backward, look, facts)
    else:
        for what, value in facts:
            sheet.fact(what, value, 32 if (what, value) == facts[0] else 24)
    unknown = int(np.count_nonzero(~np.isfinite(found)))
    if unknown:
        sheet.fact(tr("NaN or infinite, hatched"), numbers.count(unknown), 30)
    if backward:
        _weight_gradient_sizes(sheet, trace)
        _where_gradients_went(sheet, trace, about)
        return
    if about.cell and layer.axes[0] == "step":
        _answers(sheet, trace, about.cell[0], layer.shape[0])
    chosen = answers.choosing(trace, layer)
    if chosen is not None and layer.shape[0] <= MOST_CLASSES:
        _classes(sheet, chosen, layer, found)
    else:
        _histogram(sheet, found)
    _facts(sheet, trace, about, found)
    held = answers.at(trace, about.layer)
    for number, (what, value) in enumerate(() if held is None else answers.score(trace, held)):
        sheet.fact(what, numbers.amount(value), 31 if number == 0 else 24)
    _kernels(sheet, layer, about, look)


def _symbols(sheet: Writing, trace: Trace, layer: Layer) -> None:
    """What was read, symbol by symbol, with the number that stands for each: they have no mean and no largest."""
    count = layer.output.size
    sheet.fact(tr("symbols"), numbers.count(count), 32)
    sheet.fact(tr("different ones"), numbers.count(len(np.unique(layer.output))))
    sheet.title(tr("Each symbol is a number"), gap=34)
    for index in range(min(count, MOST_SYMBOLS)):
        said, _, number = symbol_words(trace, layer.name, index).rpartition(", ")
        sheet.fact(said or tr("step {step}").format(step=index + 1), number)
    if count > MOST_SYMBOLS:
        sheet.fact(tr("{count} more").format(count=numbers.count(count - MOST_SYMBOLS)), "")


def _value_stats(found: Array) -> list[tuple[str, str]]:
    known = found[np.isfinite(found)].astype(np.float64)
    if not known.size:
        return []
    return [(what, numbers.number(float(value))) for what, value in
            ((tr("max"), known.max()), (tr("mean"), known.mean()), (tr("min"), known.min()))]


def _gradient_stats(found: Array) -> list[tuple[str, str]]:
    known = found[np.isfinite(found)].astype(np.float64).ravel()
    if not known.size:
        return []
    return [(tr("largest"), numbers.signed(float(known[np.argmax(np.abs(known))]), 3)),
            (tr("non-zero"), numbers.count(int(np.count_nonzero(known)))),
            (tr("norm"), numbers.significant(norm(known)))]


def _map(sheet: Writing, trace: Trace, head: Cell, marked: Cell, name: str, backward: bool, look: Look,
         facts: Sequence[tuple[str, str]]) -> None:
    """The map at up to 12 whole pixels a value, one pixel marked, and a few numbers beside it."""
    layer = trace[name]
    values = array(layer, Focus(name), backward)
    assert values is not None
    factor = -(-max(values[head].shape) // int(MAP))
    found = values[head][::factor, ::factor]
    cell = float(max(1, min(12, int(MAP // max(found.shape)))))
    entries, palette = parts.entries(trace, layer, look, backward)
    tile, hidden = np.ascontiguousarray(entries[head][::factor, ::factor]), colour.unknown(found)
    top = sheet.y + 27
    wide, high = found.shape[1] * cell, found.shape[0] * cell
    sheet.marks += [
        Image(LEFT, top, (cell, cell), tile[None], palette, hatched=hidden[None] if hidden.any() else None,
              focus=Focus(name, head) if factor == 1 else None, indices=(-1,), border=""),
        Rect(LEFT, top, wide, high, stroke="rule", inside=True),
    ]
    if cell >= 8 and (backward or look.signs):
        sheet.marks += _signs(found, LEFT, top, cell, look.theme, palette, tile, plus=backward)
    for row, column in np.argwhere(hidden)[:40] if cell >= 8 else ():
        sheet.marks.append(Text(LEFT + (float(column) + 0.5) * cell, top + (float(row) + 0.5) * cell + 4, plain("!"),
                                11, 700, "ink", "middle"))
    row, column = (index // factor for index in marked[-2:])
    sheet.marks.append(Rect(LEFT + column * cell - 1, top + row * cell - 1, cell + 2, cell + 2,
                            stroke="accent" if backward else "ink", stroke_width=2, inside=True))
    for number, (what, value) in enumerate(facts):
        x, y = LEFT + max(wide, MAP) + 20, top + 10 + 36 * number
        sheet.marks += [Text(x, y, plain(what), 12, 400, "ink-2", max_width=RIGHT - x),
                        Text(x, y + 17, plain(value), 14, 600, "ink", max_width=RIGHT + 12 - x)]
        sheet.rows.append((what, value))
    sheet.y = top + max(high, 36 * len(facts) - 10)
    if factor > 1:
        note = tr("every {n}th row and column").format(n=factor)
        sheet.y += 16
        sheet.marks.append(Text(LEFT, sheet.y, plain(note), 12, 400, "ink-2"))


def _signs(found: Array, x: float, y: float, cell: float, theme: str, palette: str, tile: Array,
           plus: bool) -> list[Mark]:
    """A minus on every negative cell, and a plus on every positive one if wanted: sign is never hue alone."""
    half = max(1.5, cell * 0.22)
    strokes: dict[str, list[Points]] = {}
    for row, column in np.argwhere((found < 0) | (plus & (found > 0))):
        ink = colour.ink_on(f"{palette}:{tile[row, column]}", theme)
        cx, cy = x + (column + 0.5) * cell, y + (row + 0.5) * cell
        lines = strokes.setdefault(ink, [])
        lines.append(((cx - half, cy), (cx - half, cy), (cx + half, cy), (cx + half, cy)))
        if found[row, column] > 0:
            lines.append(((cx, cy - half), (cx, cy - half), (cx, cy + half), (cx, cy + half)))
    return [Path(tuple(curves), stroke=ink, width=1.2) for ink, curves in strokes.items()]


def _histogram(sheet: Writing, found: Array) -> None:
    """How the values are distributed: split at zero, exact zeros a bar of their own."""
    known = found[np.isfinite(found)].astype(np.float64).ravel()
    sheet.title(tr("All {n} values").format(n=numbers.count(found.size)), gap=34)
    if not known.size:
        return
    edge = _round_up(colour.largest(known))
    zeros = int(np.count_nonzero(known == 0))
    counts, _ = np.histogram(known[known != 0], BINS, (-edge, edge))
    tallest = max(int(counts.max()), zeros, 1)
    top, bottom = sheet.y + 12, sheet.y + 76
    step = SPAN / BINS
    for index, count in enumerate(counts):
        if count:
            high = max(1.0, (bottom - top) * float(count) / tallest)
            token = "negative-bar" if index < BINS // 2 else "positive-bar"
            sheet.marks.append(Rect(LEFT + index * step + 0.5, bottom - high, step - 1, high, token))
        if count or index in (0, BINS - 1):
            low, end = (numbers.significant(share * edge, 2 if abs(share) == 1 else 3)
                        for share in (2 * index / BINS - 1, 2 * (index + 1) / BINS - 1))
            sheet.rows.append((tr("from {low} to {high}").format(low=low, high=end), int(count)))
    middle = (LEFT + RIGHT) / 2
    if zeros:
        high = max(1.0, (bottom - top) * zeros / tallest)
        sheet.rows.append((tr("exactly 0"), zeros))
        sheet.marks.append(Rect(middle - 2, bottom - high, 4, high, "ink-2",
                                tip=counted_as(
                                    zeros, tr("{n} value is exactly 0"), tr("{n} values are exactly 0")).format(
                                    n=numbers.count(zeros))))
    sheet.marks += [Line(((LEFT, bottom + 0.5), (RIGHT, bottom + 0.5)), "rule"),
                    Line(((middle, bottom), (middle, bottom + 5)), "ink-2"),
                    Text(LEFT, bottom + 18, plain(numbers.significant(-edge, 2)), 12, 400, "ink-2"),
                    Text(middle, bottom + 18, plain("0"), 12, 400, "ink-2", "middle"),
                    Text(RIGHT, bottom + 18, plain(numbers.significant(edge, 2)), 12, 400, "ink-2", "end")]
    sheet.y = bottom + 18


def _round_up(value: float) -> float:
    """The next half step of a power of ten: 6.02 -> 6.5."""
    if not value > 0:
        return 1.0
    step = 10 ** float(np.floor(np.log10(value))) / 2
    return float(np.ceil(round(value / step, 9)) * step)


def _classes(sheet: Writing, chosen: Answer, layer: Layer, found: Array) -> None:
    """One bar a class: probabilities from 0 to 1, other numbers around zero."""
    chances = kinds.shares(layer)
    sheet.title(tr("Probability of each class") if chances else tr("Each class"), gap=36)
    most = 1.0 if chances else colour.largest(found) or 1.0
    left, wide = LEFT + 28, 132.0
    zero = left if chances else left + wide / 2
    winner = int(np.argmax(found))
    for index, value in enumerate(found):
        sheet.y += 30 if index == 0 else 26
        weight = 600 if index == winner else 400
        label = answers.label(chosen, index)
        share = float(value) / most if np.isfinite(value) else 0.0
        length = share * (wide if chances else wide / 2)
        token = "accent" if index == winner else "ink-2" if chances else \
            "positive-bar" if value > 0 else "negative-bar"
        said = numbers.percent(float(value)) if chances else numbers.signed(float(value))
        sheet.marks += [
            Text(LEFT, sheet.y, plain(label), 13, weight, "ink" if index == winner else "ink-2", max_width=26),
            Rect(left, sheet.y - 12, wide, 16, "sunk", radius=3, focus=Focus(layer.name, (index,))),
            Rect(min(zero, zero + length), sheet.y - 12, abs(length), 16, token, radius=2),
            Text(RIGHT, sheet.y, plain(said), 13, weight, "ink" if index == winner else "ink-2", "end"),
        ]
        sheet.rows.append((label, said))
    sheet.y += 6


def _answers(sheet: Writing, trace: Trace, step: int, steps: int) -> None:
    """What the network answers at a step, the likeliest first, and how undecided it is: the entropy of its answer."""
    answer = answers.stepwise(trace, steps)
    if answer is None:
        return
    chances = trace[answer.layer].output[step].astype(np.float64)
    if not np.isfinite(chances).all():
        return
    bits = float(-np.sum(chances * np.log2(chances, where=chances > 0, out=np.zeros_like(chances))))
    said = trace.facts.get("input")
    sheet.title(inputs.offered(said).foretells() or tr("Its answer here"),
                tr("entropy {bits} bits").format(bits=numbers.number(bits)))
    left, wide = LEFT + 30, 130.0
    for place, index in enumerate(np.argsort(-chances, kind="stable")[:MOST_ANSWERS].tolist()):
        sheet.y += 28 if place else 30
        label = words.symbol(answers.label(answer, index))
        short, weight, ink = len(label) <= 2, 600 if place == 0 else 400, "ink" if place == 0 else "ink-2"
        x = left if short else left + 40
        said = numbers.percent(float(chances[index]))
        sheet.marks += [
            Text(LEFT, sheet.y, (Run(label, mono=short),), 14 if short else 13, 600, ink, max_width=x - LEFT - 6),
            Rect(x, sheet.y - 12, left + wide - x, 16, "sunk", radius=3, focus=Focus(answer.layer, (step, index))),
            Rect(x, sheet.y - 12, (left + wide - x) * float(chances[index]), 16, "ink-2" if place else "accent",
                 radius=2),
            Text(RIGHT, sheet.y, plain(said), 13, weight, ink, "end"),
        ]
        sheet.rows.append((label, said))
    sheet.y += 6


def _facts(sheet: Writing, trace: Trace, about: Focus, found: Array) -> None:
    """What can be counted about it."""
    layer = trace[about.layer]
    known = found[np.isfinite(found)]
    after = [kinds.switches(reader) for reader in trace.readers(about.layer)]
    first = 31.0
    if known.size and known.ndim and not layer.is_input and kinds.role(layer) != "shares":
        what = tr("At or below zero: ReLU cuts it") if after == [True] else \
            tr("Exactly zero") if kinds.switches(layer) else tr("At or below zero")
        share = np.count_nonzero(known == 0 if kinds.switches(layer) else known <= 0) / known.size
        sheet.fact(what, numbers.percent(float(share), 0), first)
        first = 24.0
    channel = about.cell[0] if about.cell and layer.axes[0] != "step" else None
    own = [array if channel is None else array[channel] for name, array in layer.weights.items()
           if name != "bias" and array.ndim > 1]
    bias = layer.weights.get("bias")
    if own:
        size = sum(int(array.size) for array in own)
        biases = (bias is not None) if channel is not None else \
            sum(int(array.size) for name, array in layer.weights.items() if name.startswith("bias"))
        sheet.fact(tr("Weights + bias"), f"{numbers.count(size)} + {numbers.count(biases)}", first)
        first = 24.0
    if bias is not None and channel is not None and channel < len(bias):
        sheet.fact(tr("Bias"), numbers.number(float(bias[channel]), 3), first)
        first = 24.0
    kind = kinds.of(layer)
    if kind is not None and channel is None:
        cost = kind.cost(layer, trace.inputs(layer))
        if cost.macs:
            sheet.fact(tr("Multiply-adds"), numbers.count(cost.macs), first)
            first = 24.0
    if channel is None and (inside := _stands_in(trace, layer)):
        sheet.fact(tr("Stands in"), inside, first)


def _stands_in(trace: Trace, layer: Layer) -> str:
    """The innermost module that holds a layer and others, with its class where that is known and there is room; empty
    where there is none, or its name is too long."""
    own = [block for block in blocks.around(trace, trace.places[layer.name]) if not block.alike
           and blocks.TO not in block.name]
    ways = [f"{own[-1].name}, {own[-1].made}", own[-1].name] if own and own[-1].made else [own[-1].name] if own else []
    return fitting(ways, ROOM_OF_A_FACT, 13, 600)


def _kernels(sheet: Writing, layer: Layer, about: Focus, look: Look) -> None:
    """The kernels of one channel, the largest six if there are more, on one scale with its range printed."""
    weight = layer.weights.get("weight")
    if weight is None or weight.ndim != 4 or not about.cell:
        return
    mine = weight[about.cell[0]]
    sizes = norms(mine.reshape(len(mine), -1), 1)
    shown = sorted(np.argsort(-sizes, kind="stable")[:MOST_KERNELS].tolist())
    title = tr("Its kernel") if len(mine) == 1 else tr("Its {n} kernels").format(n=len(mine)) \
        if len(mine) <= MOST_KERNELS else tr("Its {n} largest kernels of {all}").format(n=len(shown), all=len(mine))
    sheet.title(title)
    largest = colour.largest(mine) or 1.0
    entries = colour.signed(mine, largest)
    cell = float(max(1, int((48 if len(shown) == 1 else 36) // max(mine.shape[1:]))))
    top = sheet.y + 12
    for place, source in enumerate(shown):
        x = LEFT + 40 * place
        tile = np.ascontiguousarray(entries[source])
        sheet.marks.append(Image(x, top, (cell, cell), tile[None], "weight", indices=(-1,),
                                 focus=Focus(layer.name, (about.cell[0], source), "weight")))
        if cell >= 7:
            sheet.marks += _signs(mine[source], x, top, cell, look.theme, "weight", tile, plus=False)
        if len(mine) > 1:
            sheet.marks.append(Text(x + tile.shape[1] * cell / 2, top + tile.shape[0] * cell + 16, plain(str(source)),
                                    12, 400, "ink-2", "middle"))
    y = top + mine.shape[1] * cell + (29 if len(mine) > 1 else 14)
    ramp = np.arange(1, 256, dtype=np.uint8)[None, None]
    bound = numbers.number(largest)
    sheet.rows += [(tr("colours from"), numbers.number(-largest)), (tr("colours to"), bound)]
    sheet.marks += [
        Image(LEFT, y, (SPAN / 255, 8), ramp, "weight"),
        Text(LEFT, y + 21, plain(numbers.number(-largest)), 12, 400, "ink-2"),
        Text((LEFT + RIGHT) / 2, y + 21, plain(tr("0 weight")), 12, 400, "ink-2", "middle"),
        Text(RIGHT, y + 21, plain(bound), 12, 400, "ink-2", "end"),
    ]
    sheet.y = y + 21


# --- on the way back ------------------------------------------------------------------------------------------------

def _weight_gradient_sizes(sheet: Writing, trace: Trace) -> None:
    """∥∂L/∂w∥ of every layer that has weights, as bars on one scale."""
    sizes = {layer.name: norm([norm(array) for array in layer.weight_gradients.values()])
             for layer in trace.layers if layer.weight_gradients}
    if not sizes:
        return
    sheet.title(tr("Size of ∂L/∂w, by layer"), gap=36)
    shown = list(sizes)[:MOST_LAYERS]
    most = max((sizes[name] for name in shown if np.isfinite(sizes[name])), default=0.0) or 1.0
    said = {name: numbers.significant(sizes[name]) for name in shown}
    bar = LEFT + max(width(name, 13, 500, mono=True) for name in shown) + 8
    wide = RIGHT - max(width(words, 13, 600) for words in said.values()) - 8 - bar
    above = wide < LEAST_BAR  # names that leave no room for bars stand over them
    if above:
        bar, wide = LEFT, wide + bar - LEFT
    for number, name in enumerate(shown):
        sheet.y += 28 if number else 34
        value = sizes[name]
        share = value / most if np.isfinite(value) else 0.0
        sheet.marks.append(Text(LEFT, sheet.y, (Run(name, mono=True),), 13, 500, "ink", max_width=SPAN))
        sheet.y += 20 if above else 0
        sheet.marks += [
            Rect(bar, sheet.y - 12, wide, 16, "sunk", radius=3, focus=Focus(name)),
            Rect(bar, sheet.y - 12, wide * share, 16, "gradient-mark", radius=2),
            Text(RIGHT, sheet.y, plain(said[name]), 13, 600, "ink", "end"),
        ]
        sheet.rows.append((f"∥∂L/∂w∥ {name}", value))
    if len(sizes) > len(shown):
        more = counted_as(len(sizes) - len(shown), tr("and {n} more layer"), tr("and {n} more layers")).format(
            n=len(sizes) - len(shown))
        sheet.y += 24
        sheet.marks.append(Text(LEFT, sheet.y, plain(more), 12, 400, "ink-2"))


def _where_gradients_went(sheet: Writing, trace: Trace, about: Focus) -> None:
    """Why so few places of a channel carry gradient: what the ReLU and the max-pool after it let through."""
    parts_of = gradient_fates(trace, about)
    if not parts_of:
        return
    total = sum(count for _, count, _ in parts_of)
    sheet.title(tr("Where {n} gradients went").format(n=numbers.count(total)), gap=42)
    x, top = LEFT, sheet.y + 16
    for _, count, token in parts_of:
        wide = SPAN * count / total
        sheet.marks.append(Rect(x, top, max(0.0, wide - 2), 18, token, radius=2))
        x += wide
    sheet.y = top + 18
    for number, (what, count, token) in enumerate(parts_of):
        sheet.y += 24 if number else 22
        sheet.marks.append(Rect(LEFT, sheet.y - 10, 12, 12, token, radius=2))
        sheet.named(what, numbers.count(count), LEFT + 22)
        sheet.rows.append((what, count))


def gradient_fates(trace: Trace, about: Focus) -> list[tuple[str, int, str]]:
    """(words, how many places, token): carried on, stopped by ReLU, never came back through max-pool.

    Counted from the recorded gradients alone; nothing where no ReLU or max-pool follows directly.
    """
    layer = trace[about.layer]
    chain = [layer]
    while len(chain) < 3:
        readers = trace.readers(chain[-1].name)
        if len(readers) != 1 or readers[0].gradient is None or not kinds.loses(readers[0]):
            break
        chain.append(readers[0])
    if layer.gradient is None or len(chain) == 1:
        return []
    carried = layer.gradient[about.cell] != 0
    to = " ".join(layer.reads[:1]) or tr("the weights")
    fates = [(tr("carried on to {name}").format(name=to), int(np.count_nonzero(carried)), "gradient-mark")]
    arrived = np.ones_like(carried)
    if kinds.switches(chain[1]):
        gate = chain[1].gradient
        assert gate is not None
        arrived = gate[about.cell] != 0
        fates.append((tr("stopped by ReLU"), int(np.count_nonzero(arrived & ~carried)), "gradient-line"))
        lost = int(np.count_nonzero(~arrived & ~carried))
        pooled = len(chain) > 2 and kinds.role(chain[2]) == "largest"
        fates.append((tr("not the winner in max-pool") if pooled else tr("nothing came back"), lost, "rule"))
    else:
        fates.append((tr("not the winner in max-pool"), int(np.count_nonzero(~carried)), "rule"))
    return [fate for fate in fates if fate[1]]


# --- one number -----------------------------------------------------------------------------------------------------

def _number(sheet: Writing, trace: Trace, about: Focus, values: Array, backward: bool, look: Look, large: bool) -> None:
    """One number: large, in its map if it has one, and taken apart into its terms."""
    layer = trace[about.layer]
    value = float(values[about.cell])
    said = numbers.gradient(value) if backward else numbers.number(value, 2 if large else 3)
    sheet.rows.append((words.quantity(about, backward), value))
    if layer.axes[-2:] == ("row", "column") and not large:
        facts = [(tr("this pixel"), said), *(_gradient_stats if backward else _value_stats)(values[about.cell[:-2]])]
        _map(sheet, trace, about.cell[:-2], about.cell, about.layer, backward, look, facts)
    else:
        sheet.large(said)
    if backward:
        _handed_back(sheet, trace, about, value)
        return
    if kinds.of(layer) is None:  # the heading has said why
        return
    terms = kinds.terms(trace, about.layer, about.cell)
    _about_terms(sheet, trace, about, terms, value)
    _term_list(sheet, trace, terms)


def _inner_sentence(trace: Trace, about: Focus, backward: bool) -> str:
    """What a number of a gate or a state does, or many of them."""
    layer, key = trace[about.layer], about.array.removeprefix("inner.")
    if backward:
        return tr("How much this one number would change the objective.") if len(about.cell) == 2 else \
            tr("How much each of these would change the objective.")
    if len(about.cell) == 2 and key in layer.inner:
        return recurrent.inner_sentence(layer, trace.inputs(layer), key, *about.cell)
    return tr("Computed anew at every step, for every unit.")


def _inner_number(sheet: Writing, trace: Trace, moment: Moment, about: Focus, values: Array) -> None:
    """One number of a gate or state: large, its gradient or value, its neighbours, and what it was made from."""
    layer, key, (step, unit) = trace[about.layer], about.array.removeprefix("inner."), about.cell
    backward = moment.backward
    value = float(values[step, unit])
    said = numbers.gradient(value) if backward else numbers.significant(value, 4)
    sheet.rows.append((words.quantity(about, backward), value))
    sheet.large(said)
    made = array(layer, about, backward=False) if backward else None
    if made is not None:
        sheet.fact(tr("Its value {symbol}").format(symbol=gates.symbol(key)),
                   numbers.significant(float(made[step, unit]), 4), 36)
    for what, at in ((tr("One step before"), (step - 1, unit)), (tr("One step after"), (step + 1, unit)),
                     (tr("Unit {n}").format(n=unit - 1), (step, unit - 1)),
                     (tr("Unit {n}").format(n=unit + 1), (step, unit + 1))):
        if all(0 <= index < size for index, size in zip(at, values.shape, strict=True)) \
                and there(trace, moment, replace(about, cell=at)):
            sheet.fact(what, numbers.significant(float(values[at]), 4))
    try:
        found = (kinds.inner_backward_terms if backward else kinds.inner_terms)(trace, layer.name, key, step, unit)
    except LookupError:
        return
    for name, number in found.met[:4]:
        what = tr("Factor") if name == "slope" and not key.endswith("preactivation") else words.met_name(name)
        sheet.fact(what, numbers.significant(number, 4))
    sheet.fact(tr("Difference to torch"), numbers.power(abs(found.result - value)))
    _term_list(sheet, trace, found)


def _about_terms(sheet: Writing, trace: Trace, about: Focus, terms: Terms, value: float) -> None:
    """What the terms add up to, and how far that is from what torch computed."""
    products = np.concatenate([taps.products for taps in terms.taps]) if terms.taps else np.zeros(0)
    first = 36.0
    if terms.op == "sum" and products.size:
        sheet.fact(tr("Sum of {n} products").format(n=numbers.count(products.size)),
                   numbers.number(float(products.sum()), 3), first)
        if terms.bias is not None:
            sheet.fact(tr("Bias"), numbers.number(terms.bias, 3))
        sheet.fact(tr("Exactly zero terms"), numbers.count(int(np.count_nonzero(products == 0))))
        first = 24.0
    for name, number in terms.met[:4]:
        sheet.fact(translated(name), numbers.significant(number, 4), first)
        first = 24.0
    for reader in trace.readers(about.layer)[:1]:
        if kinds.switches(reader):
            sheet.fact(tr("After ReLU"), numbers.number(float(reader.output[about.cell])), first)
            first = 24.0
    sheet.fact(tr("Difference to torch"), numbers.power(abs(terms.result - value)), first)


def _term_list(sheet: Writing, trace: Trace, terms: Terms) -> None:
    """The largest terms, and all others as one line, so that the list adds up."""
    listed = [(taps, index) for taps in terms.taps for index in range(len(taps.values))]
    if len(listed) < 2:
        return
    value_of = (lambda taps, index: taps.values[index]) if terms.op == "max" else \
        (lambda taps, index: taps.products[index])
    listed.sort(key=lambda item: -abs(value_of(*item)) if terms.op != "max" else -value_of(*item))
    shown, others = listed[:MOST_TERMS], listed[MOST_TERMS:]
    adds = terms.op in ("sum", "gate")
    sheet.title(tr("Terms, largest first"), tr("input × weight") if adds else "")
    most = max(abs(value_of(*item)) for item in shown if np.isfinite(value_of(*item))) or 1.0
    several = len(terms.taps) > 1
    told = [_told(trace, taps, index, float(value_of(taps, index)), several, adds) for taps, index in shown]
    places, products, sums = (max(width(found, *style) for found in column) for column, style in zip(
        zip(*((one.where, one.product, one.said) for one in told), strict=True),
        ((12, 400), (12, 500), (13, 600)), strict=True))
    beside = places + GAP + products + GAP <= SPAN - LEAST_BAR - GAP - sums
    for number, one in enumerate(told):
        sheet.y += 24 if number and (beside or not adds) else 28
        _term_row(sheet, one, most, max(70.0, places + GAP) if beside else None, sums)
    if others:
        rest = float(sum(value_of(*item) for item in others))
        what = counted_as(len(others), tr("{count} smaller term"), tr("{count} smaller terms")).format(
            count=numbers.count(len(others)))
        sheet.fact(what, _contribution(rest) if adds else "")


@dataclass(frozen=True)
class Told:
    """A term in words: where it was read, what is multiplied there, what that adds; its value, and where it leads."""

    where: str
    product: str
    said: str
    value: float
    focus: Focus | None


def _told(trace: Trace, taps: Taps, index: int, value: float, several: bool, adds: bool) -> Told:
    inside = taps.inside is None or bool(taps.inside[index])
    where = tap_place(trace, taps, index) if inside else tr("padding")
    product = f"{numbers.number(float(taps.values[index]))} × {numbers.number(float(taps.weights[index]))}"
    return Told(f"{_array_symbol(taps)} {where}" if several else where, product if adds else "",
                _contribution(value) if adds else numbers.number(value), value,
                Focus(*kinds.place(trace, taps, index)) if inside else None)


def _term_row(sheet: Writing, term: Told, most: float, product: float | None, sums: float) -> None:
    """One term: its place, its product so far to the right of it (None: below it), a bar, and what it adds."""
    below = 18.0 if product is None and term.product else 0.0
    sheet.marks.append(Rect(LEFT - 8, sheet.y - 17, SPAN + 16, 24 + below, focus=term.focus))
    ink = "ink" if term.value == 0 else "positive-text" if term.value > 0 else "negative-text"
    sheet.marks += [Text(LEFT, sheet.y, plain(term.where), 12, 400, "ink-2", max_width=SPAN - sums - GAP),
                    Text(RIGHT, sheet.y, plain(term.said), 13, 600, ink, "end")]
    if term.product:
        sheet.marks.append(Text(LEFT + (product or 0.0), sheet.y + below, plain(term.product), 12, 500, "ink"))
    share = min(1.0, abs(term.value) / most) if np.isfinite(term.value) else 0.0
    end = RIGHT if below else RIGHT - sums - GAP
    longest = SPAN / 3 if below else min(28.0, end - LEFT - (product or 150.0) - width(term.product, 12, 500) - GAP)
    token = "positive-bar" if term.value > 0 else "negative-bar"
    sheet.marks.append(Rect(end - longest, sheet.y + below - 9, longest * share, 8, token))
    sheet.rows.append((term.where, term.value))
    sheet.y += below


def _array_symbol(taps: Taps) -> str:
    """Whose number a term is: of a gate or state its symbol, of what a step reads x, else the layer."""
    group, _, key = taps.array.partition(".")
    if group.startswith("inner"):
        return gates.symbol(key) if group == "inner" else f"∂L/∂{gates.symbol(key)}"
    return "x" if taps.weight == "weight_ih" else taps.source


def _contribution(value: float) -> str:
    return numbers.signed(value)


def tap_place(trace: Trace, taps: Taps, index: int) -> str:
    """Where a term was read: its place in the window if it has one, `ch 0 (1,2)`, else its place in the layer."""
    if len(taps.grid) == 3:
        _, row, column = (int(number) for number in np.unravel_index(index, taps.grid))
        return tr("ch {channel} ({row},{column})").format(channel=int(taps.cells[index][0]), row=row, column=column)
    cell = tuple(int(number) for number in taps.cells[index])
    if taps.source in trace and len(cell) == 1 and trace[taps.source].axes:
        return words.one(trace[taps.source].axes[0], cell[0])
    if taps.source in trace and len(cell) == 2 and trace[taps.source].axes[:1] == ("step",):
        return words.one("unit" if taps.array.startswith("inner") else trace[taps.source].axes[1], cell[1])
    return f"({', '.join(str(number) for number in cell)})"


def _handed_back(sheet: Writing, trace: Trace, about: Focus, value: float) -> None:
    """What each layer that read this number hands back; together they are its gradient."""
    handed = kinds.backward_terms(trace, about.layer, about.cell)
    if not handed:
        return
    sheet.title(tr("Handed back by"))
    for number, (name, terms) in enumerate(handed[:MOST_LAYERS]):
        sheet.y += 24 if number else 28
        back = numbers.gradient(terms.result)
        sheet.marks.append(Text(LEFT, sheet.y, (Run(name, mono=True),), 13, 500, "ink", max_width=SPAN))
        if width(name, 13, 500, mono=True) > SPAN - width(back, 13, 600) - GAP:
            sheet.y += 18  # a name that leaves no room for the number stands over it
        sheet.marks.append(Text(RIGHT, sheet.y, plain(back), 13, 600, "gradient-text", "end"))
        sheet.rows.append((name, terms.result))
    total = sum(terms.result for _, terms in handed)
    sheet.fact(tr("Difference to torch"), numbers.power(abs(total - value)))
    if len(handed) == 1:
        _term_list(sheet, trace, handed[0][1])
    _weight_gradient_sizes(sheet, trace)


# --- weights and inner states ---------------------------------------------------------------------------------------

def _weight(sheet: Writing, layer: Layer, about: Focus, values: Array, look: Look) -> None:
    """A kernel with its numbers printed, or the range of whatever array it is."""
    found = np.asarray(values[about.cell], dtype=np.float64)
    if found.ndim == 0:
        sheet.y += 52
        sheet.marks.append(Text(LEFT, sheet.y, plain(numbers.signed(float(found), 4)), 44, 600, display=True,
                                max_width=SPAN))
        return
    for number, (what, value) in enumerate(_value_stats(found)):
        sheet.fact(what, value, 24 if number else 32)
    if found.ndim == 2 and max(found.shape) <= 7:
        _printed(sheet, found, look)
    elif found.size > 1:
        _histogram(sheet, found)


def _printed(sheet: Writing, found: Array, look: Look) -> None:
    """A small grid with a number in every cell, on the pale part of the palette."""
    cell = min(44.0, SPAN // found.shape[1])
    entries = colour.signed(found, colour.largest(found) or 1.0)
    top = sheet.y + 24
    sheet.marks.append(Image(LEFT, top, (cell, 32), np.ascontiguousarray(entries)[None], "weight-pale", indices=(-1,)))
    for (row, column), value in np.ndenumerate(found):
        x, y = LEFT + (column + 0.5) * cell, top + row * 32 + 20.5
        sheet.marks.append(Text(x, y, plain(numbers.signed(float(value))), 13 if cell >= 44 else 11, 500, "ink",
                                "middle"))
    sheet.y = top + 32 * found.shape[0]
