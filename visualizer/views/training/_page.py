"""The page beside the film: before, now and best with their weights, how large a step is beside its weights, and how
far the weights of each layer have come."""

from __future__ import annotations

import re

import numpy as np

from visualizer.language import numeral, tr
from visualizer.said import Claim, claimed, said
from visualizer.scene import colour, numbers
from visualizer.scene.picture import Focus, Image, Line, Look, Mark, Picture, Rect, Scale, Table, Text, plain
from visualizer.scene.type import elide, width, wrap
from visualizer.size import norm
from visualizer.trace import Trace
from visualizer.train import seen, sentence
from visualizer.train.about import about
from visualizer.views.training._run import Film, by_checkpoints, tiles, words_of

WIDE, LEFT, RIGHT = 280, 24.0, 264.0
BAND = (3e-4, 3e-3)
"""Between which a step is usual, as a part of the size of its weights: a rule of thumb."""
LOW, HIGH, MOST_WAY = 1e-5, 1e-1, 1e4
NUMBER = re.compile(r"(?<!\w)\d[\d,]*(?:\.\d+)?(?:e[-+]\d+)?(?: %)?")


def page(film: Film, look: Look) -> Picture:
    """The page at the cursor."""
    title = tr("Update {step}").format(step=said(numbers.count(film.now), "updates", step=film.now))
    marks: list[Mark] = [Text(LEFT, 27, plain(title), 16, 600)]
    if film.run.about:
        y = 34.0
        for line in wrap(about(film.run.about, _counted), 12, RIGHT - LEFT, 400)[:3]:
            y += 16
            marks.append(Text(LEFT, y, plain(line), 12, 400, "ink-2"))
    else:
        y = 40.0
    y += 26
    for name, place in ((tr("before"), 0), (tr("now"), film.place), (tr("best"), film.best)):
        y = _moment(film, marks, name, place, y, look)
    y = _steps(film, marks, y + 14)
    y = _far(film, marks, y + 14)
    for line in _wrong(film):
        for part in wrap(line, 12, RIGHT - LEFT, 400):
            y += 17
            marks.append(Text(LEFT, y, plain(part), 12, 400))
        y += 6
    return Picture((WIDE, round(y + 16)), tuple(marks), (), look.theme, "window", caption=title, table=_table(film))


def _counted(word: str) -> str:
    """A number of the data, which claims no more than itself."""
    return said(numeral(word), "factor", array=repr(float(word.replace(",", ""))))


def _moment(film: Film, marks: list[Mark], name: str, place: int, y: float, look: Look) -> float:
    """One of the three, with its weights; the baseline of the next."""
    shown = tiles(film.trace)
    step = int(film.kept[place])
    words = film.percent("held_right", place) if film.classes else film.number("held_loss", place)
    now = name == tr("now")
    ink = "accent-ink" if now else "ink"
    marks += [Text(LEFT, y, plain(name), 13, 600, ink),
              Text(LEFT + max(72.0, width(name, 13, 600) + 10), y, plain(tr("update {step}").format(step=said(
                  numbers.count(step), "updates", step=step))), 12, 400, "ink-2"),
              Text(RIGHT, y, plain(words), 13, 600, ink, "end")]
    below = y + 6
    if shown is not None:
        count = min(6, len(shown.names))
        side = min(32.0, (RIGHT - LEFT) / count - 6)
        high, wide = shown.values.shape[-2:]
        cell = side / max(high, wide)
        marks.append(Image(LEFT, y + 8, (cell, cell), colour.signed(shown.values[place][:count], shown.top), "weight",
                           count, (side + 6, 0), indices=(-1,) * count,
                           scale=Scale("weight", tr("weights"), shown.layer, -shown.top, shown.top)))
        below = y + 8 + cell * high
    marks.append(Rect(LEFT - 8, y - 16, RIGHT - LEFT + 16, below - y + 24, focus=Focus(film.trace.layers[0].name),
                      holds=film.stops[place]))
    return below + 30


def _steps(film: Film, marks: list[Mark], y: float) -> float:
    """How far the last step went in each layer, as a part of the size of its weights."""
    marks.append(Text(LEFT, y, plain(tr("Step of the weights / their size")), 12, 600))
    left, right = LEFT + 62, RIGHT - 52

    def x(value: float) -> float:
        share = (np.log10(max(value, LOW)) - np.log10(LOW)) / (np.log10(HIGH) - np.log10(LOW))
        return float(left + (right - left) * min(1.0, share))

    count, at = len(film.run.layers), film.update
    marks.append(Rect(x(BAND[0]), y + 8, x(BAND[1]) - x(BAND[0]), 18.0 * count, "sunk"))
    for row, layer in enumerate(film.run.layers):
        level = y + 22 + 18 * row
        marks.append(Text(LEFT, level, plain(elide(layer, 12, 58)), 12, 400))
        marks.append(Line(((left, level - 4), (right, level - 4)), "rule"))
        moved, size = (film.value(key, at, row) if at >= 0 else np.nan for key in ("moved", "weights"))
        if np.isfinite(moved) and size > 0:
            ratio = moved / size
            marks += [Rect(x(ratio) - 4, level - 8, 8, 8, "ink-2", radius=4),
                      Text(RIGHT, level, plain(said(numbers.significant(ratio, 1), "step of weights", cell=(at, row))),
                           12, 600, "ink", "end")]
    y += 22 + 18 * count
    marks.append(Text(LEFT, y + 2, plain(tr("shaded: a usual step, a rule of thumb")), 11, 400, "ink-2"))
    return y + 16


def _far(film: Film, marks: list[Mark], y: float) -> float:
    """‖W now − W at first‖ / ‖W at first‖ of each layer, and at the end."""
    marks.append(Text(LEFT, y, plain(tr("How far the weights have come")), 12, 600))
    left, right = LEFT + 62, RIGHT - 52
    ways = far(film)
    top = max(2.0, float(np.nanmax(ways)) if ways.size else 2.0)
    for row, layer in enumerate(film.run.layers):
        level = y + 22 + 18 * row
        here, end = float(ways[film.place, row]), float(ways[-1, row])
        marks += [Text(LEFT, level, plain(elide(layer, 12, 58)), 12, 400),
                  Rect(left, level - 9, right - left, 8, "sunk"),
                  Rect(left, level - 9, (right - left) * here / top, 8, "ink-2"),
                  Rect(left + (right - left) * end / top - 1, level - 11, 2, 12, "accent"),
                  Text(RIGHT, level, plain(said(
                      numbers.number(here) if here < MOST_WAY else numbers.power(here, 1), "way of weights", layer,
                      (film.place,))), 12, 600, "ink", "end")]
    y += 22 + 18 * len(film.run.layers)
    marks.append(Text(LEFT, y + 2, plain(tr("change / first size; the line is the end")), 11, 400, "ink-2"))
    return y + 16


def far(film: Film) -> np.ndarray:
    """(checkpoint, layer)."""
    return _ways(film.trace)


@by_checkpoints
def _ways(trace: Trace) -> np.ndarray:
    held, made = trace.studies[seen.STUDY], []
    count = len(held["kept"])
    for layer in words_of(trace).layers:
        arrays = [np.asarray(array, float).reshape(count, -1) for name, array in held.items()
                  if name.startswith(f"weights/{layer}.")]
        whole = np.concatenate(arrays, 1) if arrays else np.zeros((count, 1))
        first = norm(whole[0]) or 1.0
        made.append([norm(each - whole[0]) / first for each in whole])
    return np.array(made).T.reshape(count, -1)


def _wrong(film: Film) -> list[str]:
    """What went wrong up to the cursor, one sentence each."""
    return [_told(sentence(each), ("updates", "", (), each.step, ""), film.claim("named", place, 1))
            for place, each in enumerate(film.run.named) if film.has_begun(each)]


def _told(words: str, *claims: Claim) -> str:
    """Words whose numbers claim one thing after the other; what is beyond the claims claims no more than itself."""
    left = list(claims)

    def tell(found: re.Match[str]) -> str:
        if left:
            return claimed(found[0], (left.pop(0),))
        return said(found[0], "factor", array=repr(float(found[0].replace(",", ""))))

    return NUMBER.sub(tell, words)


def _table(film: Film) -> Table:
    ways, at = far(film), film.update
    return Table((tr("layer"), tr("step / size"), tr("way / first size")), tuple(
        (layer, film.value("moved", at, row) / film.value("weights", at, row)
         if at >= 0 and film.value("weights", at, row) else "–", float(ways[film.place, row]))
        for row, layer in enumerate(film.run.layers)))
