"""The opened pixel: the values of the last maps there, what each adds to each score, and how scores become chances."""

from __future__ import annotations

import numpy as np

from visualizer.language import tr
from visualizer.said import said
from visualizer.scene import colour, numbers
from visualizer.scene.boxes import Box
from visualizer.scene.labels import fitting
from visualizer.scene.picture import Focus, Group, Look, Mark, Rect, Scale, Term, Text, grouped, plain
from visualizer.scene.timeline import Moment
from visualizer.scene.type import elide, width
from visualizer.views.segment._answer import filled, scored
from visualizer.views.segment._plan import ROW, Layout
from visualizer.views.segment._seen import Pixel, Seen, products, read_by

MOST_MAPS, LEAST_CELL, MOST_CELL = 12, 44.0, 62.0
NAMES, NUMBER = 92.0, 70.0
"""Widths of the names at the left, and of each of bias, score, power and chance."""


def draw(one: Seen, moment: Moment, pixel: Pixel, place: Layout, look: Look) -> list[Mark]:
    """The table; nothing where there is no room for it."""
    box = place.opened
    if box is None:
        return []
    at = one.said(pixel)
    y = box.top
    marks: list[Mark] = [Rect(box.left - 24, y - 4, look.size[0], 1, "hair"),
                         Text(box.left, y + 16, plain(tr("Pixel ({at}) opened").format(at=at)), 13, 600)]
    source = read_by(one)
    chosen = () if source is None else _chosen(one, place, pixel, box)
    rest = 0 if source is None else len(source.output) - len(chosen)
    cells = len(chosen) + (rest > 0)
    wide = min(MOST_CELL, (box.width - NAMES - 4 * NUMBER - 120) / cells) if cells else 0.0
    x = box.left + NAMES
    about = "" if source is None else tr("the maps of {layer} there, weighed once for each class").format(
        layer=source.name)
    if about and width(about, 12) < box.width - 260:
        marks.append(Text(box.left + 24 + width(tr("Pixel ({at}) opened").format(at="00, 00"), 13, 600), y + 16,
                          plain(about), 12, 400, "ink-2"))
    first = y + 26
    if source is not None:
        marks += _values(one, moment, pixel, chosen, rest, x, first, wide, box)
    right = x + cells * wide + 8
    if one.scores:
        powers = () if one.alone else (tr("e^(z − max)"),)
        for number, words in enumerate((tr("bias") if cells else "", tr("score"), *powers, tr("probability"))):
            heading = fitting((words, "p"), NUMBER - 6, 11)
            marks.append(Text(right + (number + 1) * NUMBER - 8, first + 16, plain(heading), 11, 400, "ink-2", "end"))
    for number, row in enumerate(place.rows):
        marks += _row(one, moment, pixel, row, chosen, rest, (x, first + (number + 1) * ROW, wide, right), box)
    return grouped(Group(tr("opened pixel"), Focus(one.source), cells=True), marks)


def _chosen(one: Seen, place: Layout, pixel: Pixel, box: Box) -> tuple[int, ...]:
    """The maps that have a column: all, or those that add most to the seen classes."""
    source = read_by(one)
    assert source is not None
    count = len(source.output)
    fits = max(2, min(MOST_MAPS, int((box.width - NAMES - 4 * NUMBER - 120) // LEAST_CELL)))
    if count <= fits:
        return tuple(range(count))
    sizes = np.max([np.abs(products(one, row, pixel)) for row in place.rows], axis=0)
    return tuple(sorted(np.argsort(-sizes, kind="stable")[:fits - 1].tolist()))


def _values(one: Seen, moment: Moment, pixel: Pixel, chosen: tuple[int, ...], rest: int, x: float, y: float,
            wide: float, box: Box) -> list[Mark]:
    """The values of the maps at the pixel."""
    source = read_by(one)
    assert source is not None
    there = moment.backward or one.trace.places[source.name] < one.trace.places[moment.beat.layer] or (
        source.name == moment.beat.layer and moment.phase == 1)
    marks: list[Mark] = [Text(x - 10, y + 16, plain(elide(source.name, 12, NAMES - 10, 600, True)), 12, 600, "ink",
                              "end", mono=True)]
    values = one.values(source.name)[:, pixel[0], pixel[1]].astype(np.float64)
    top = float(np.abs(one.values(source.name)).max()) or 1.0
    array = f"studies skips {source.name}" if one.changed(source.name) else ""
    for number, index in enumerate(chosen):
        left = x + number * wide
        if not there:
            marks.append(Rect(left, y, wide - 4, ROW - 4, "hatch", radius=3))
            continue
        fill = f"activation-pale:{int(colour.signed(values[index], top))}"
        words = said(numbers.brief(float(values[index]), 2), "value", source.name, (index, *pixel), array=array)
        marks += [Rect(left, y, wide - 4, ROW - 4, fill, "tile-border", 1, radius=3,
                       focus=Focus(source.name, (index, *pixel)),
                       scale=Scale("activation", "values", source.name, -top, top)),
                  Text(left + wide / 2 - 2, y + 14, plain(words), 12, 500, "ink", "middle", max_width=wide - 6)]
    if rest:
        words = numbers.others(rest, said(str(rest), "maps without a column", source.name, (len(chosen),)))
        marks.append(Text(x + len(chosen) * wide + wide / 2 - 2, y + 14, plain(words), 11, 400, "ink-2", "middle",
                          max_width=wide))
    return marks


def _row(one: Seen, moment: Moment, pixel: Pixel, row: int, chosen: tuple[int, ...], rest: int,
         at: tuple[float, float, float, float], box: Box) -> list[Mark]:
    """What the maps add to the score of one class, and what becomes of it."""
    x, y, wide, right = at
    best = int(one.given[pixel]) == row + one.alone and filled(one, moment) == 1
    label = said(one.row_label(row), "name of a class", one.answer.layer, (row + one.alone,))
    ink = "accent-ink" if best else "ink"
    marks: list[Mark] = [Rect(box.left - 8, y - 2, box.width + 16, ROW, "tint", radius=4)] if best else []
    marks.append(Text(x - 10, y + 14, plain(elide(label, 12, NAMES - 10, 600)), 12, 600, ink, "end"))
    there, source = scored(one, moment), read_by(one)
    if source is not None:
        found = products(one, row, pixel)
        every = np.stack([products(one, each, pixel) for each in (row,)])
        top = float(max(np.abs(every).max(), *(np.abs(products(one, each, pixel)).max()
                                               for each in one.rows(pixel)))) or 1.0
        weight = one.trace[one.scores].weights["weight"]
        index = row if one.channel is None else max(0, one.channel)
        values = one.values(source.name)[:, pixel[0], pixel[1]]
        target = Focus(one.scores, one.cell(row, pixel))
        for number, channel in enumerate(chosen):
            left = x + number * wide
            if there < 1:
                marks.append(Rect(left, y, wide - 4, ROW - 4, "hatch", radius=3))
                continue
            fill = f"activation-pale:{int(colour.signed(found[channel], top))}"
            words = said(numbers.brief(float(found[channel]), 2, True), *one.claim("product", (row, channel, *pixel)))
            marks += [Rect(left, y, wide - 4, ROW - 4, fill, "tile-border", 1, radius=3, focus=target,
                           scale=Scale("activation", "products", one.scores, -top, top),
                           holds=Term(target, Focus(source.name, (channel, *pixel)), float(values[channel]),
                                      float(weight[index, channel, 0, 0]))),
                      Text(left + wide / 2 - 2, y + 14, plain(words), 12, 500, "ink", "middle", max_width=wide - 6)]
        if rest and there == 1:
            others = [each for each in range(len(found)) if each not in chosen]
            words = said(numbers.brief(float(found[others].sum()), 2, True), *one.claim(
                "products of the other maps", (row, *pixel, *chosen)))
            marks.append(Text(x + len(chosen) * wide + wide / 2 - 2, y + 14, plain(words), 12, 500, "ink", "middle",
                              max_width=wide))
    return marks + _made(one, moment, pixel, row, right, y, box, best)


def _made(one: Seen, moment: Moment, pixel: Pixel, row: int, x: float, y: float, box: Box, best: bool) -> list[Mark]:
    """Bias, score, power and chance of one class; the chance as a bar, too."""
    marks: list[Mark] = []
    cell = (row, *pixel)

    def number(place: int, words: str, ink: str, weight: int = 400) -> None:
        marks.append(Text(x + (place + 1) * NUMBER - 8, y + 14, plain(words), 12, weight, ink, "end"))

    share = 3 - one.alone
    if one.scores and one.scored is not None and scored(one, moment) == 1:
        layer = one.trace[one.scores]
        index = row if one.channel is None else max(0, one.channel)
        if read_by(one) is not None and "bias" in layer.weights:
            bias = float(layer.weights["bias"][index])
            number(0, said(numbers.signed(bias, 2), "value", layer.name, (index,), array="weights.bias"),
                   "ink-2")
        score = float(one.scored[row][pixel])
        number(1, said(numbers.signed(score, 2), *one.claim("score", cell)), "ink", 600)
    elif one.scores:
        marks.append(Rect(x + 8, y, share * NUMBER - 16, ROW - 4, "hatch", radius=3))
    if filled(one, moment) < 1:
        marks.append(Rect(x + share * NUMBER, y, box.right - x - share * NUMBER, ROW - 4, "hatch", radius=3))
        return marks
    if not one.alone and one.scored is not None:
        line = one.scored[:, pixel[0], pixel[1]]
        number(2, said(numbers.number(float(np.exp(line[row] - line.max())), 3), *one.claim("power", cell)), "ink")
    chance = float(one.chances[row][pixel])
    number(share, said(numbers.percent(chance, 1), *one.claim("chance of a class", cell)),
           "accent-ink" if best else "ink", 600)
    left = x + (share + 1) * NUMBER + 8
    track = box.right - left
    if track > 20:
        marks.append(Rect(left, y + 3, track, ROW - 10, "sunk", radius=2))
        if chance * track >= 0.5:
            marks.append(Rect(left, y + 3, track * chance, ROW - 10, "accent-fill" if best else "ink-2", radius=2))
    return marks
