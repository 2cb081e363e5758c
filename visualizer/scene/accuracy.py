"""Accuracy: right answers against strength, drawn: a line for each network, with error bars, chance and a cursor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from visualizer import edits
from visualizer.curve import COLUMNS, Curve, Spot, between, rows
from visualizer.edits import Edit, Grain
from visualizer.language import numeral, tr, translated
from visualizer.scene import numbers
from visualizer.scene.picture import Line, Look, Mark, Picture, Rect, Table, Text, plain
from visualizer.scene.type import elide, width, wrap

Area = tuple[float, float, float, float]
"""x, y, width, height."""
BESIDE = 400
"""A chart that is wider has its legend beside it, a narrower one below."""
LEGEND, LINE, LINES = 240, 20, 3
LEAST = 48
"""Pixels: where a legend would leave a chart less, there is none."""
AXIS, UNDER = 46, 22
"""Room for the numbers left of it, and for those under it."""


@dataclass(frozen=True)
class Stroke:
    """How the line of one network is drawn."""

    color: str
    dashed: bool = False
    dots: str = ""
    """`open` or `filled`; empty for none."""


STROKES = (Stroke("series-lstm", dots="open"), Stroke("series-gru", dashed=True), Stroke("series-rnn"),
           Stroke("series-rnn", dashed=True, dots="filled"))


def stroke(index: int) -> Stroke:
    """How the network at that place among the others is drawn, here and wherever its line stands for it."""
    return STROKES[index % len(STROKES)]


def sample(index: int, x: float, y: float, wide: float = 24) -> list[Mark]:
    """A short piece of its line, for a legend or a table; y is where it runs."""
    how = stroke(index)
    marks: list[Mark] = [Line(((x, y), (x + wide, y)), how.color, 2, how.dashed)]
    return marks + _dot(how, x + wide / 2, y)


def curves_marks(curves: Sequence[Curve], area: Area, look: Look, cursor: float | None = None,
                 grain: Grain | None = None, whole: bool = False) -> list[Mark]:
    """Right answers by strength within an area, its title and its legend included.

    `curves` are of one edit, in the order of the networks; of one that still grows the rest is hatched. `cursor` is the
    strength of now; `grain` says what is counted along the axis. `whole`: only inputs that lose nothing over their
    frame, where any do.
    """
    if not curves:
        return []
    x, y, wide, _ = area
    edit, marks = edits.find(curves[0].grows), list[Mark]()
    title = _title(curves[0], edit, _among_whole(curves, whole))
    for number, line in enumerate(wrap(title, 12, wide, 600)[:LINES]):
        marks.append(Text(x, y + 12 + 16 * number, plain(line), 12, 600))
    left, top, right, bottom = plot(curves, area, whole)
    if bottom - top < 16:
        return marks
    marks += _frame(curves, edit, grain, (left, top, right, bottom), cursor)
    done = min((_until(curve) for curve in curves if not curve.complete), default=math.inf)
    if done < math.inf:
        start = left if done < 0 else _x(done, curves[0], left, right)
        marks.append(Rect(start, top, right - start, bottom - top, "hatch", opacity=0.5, tip=tr("being counted")))
    for number, curve in enumerate(curves):
        marks += _line(_spots(curve, whole), curve, stroke(number), (left, top, right, bottom), grain, edit)
    if cursor is not None:
        at = _x(min(max(cursor, 0.0), curves[0].strengths[-1]), curves[0], left, right)
        marks.append(Line(((at, top), (at, bottom)), "accent", 2))
    return marks + _legend(curves, area, (left, top, right, bottom), cursor, whole)


def picture(curves: Sequence[Curve], whole: bool = False, look: Look | None = None) -> Picture:
    """The curves alone, with a margin around them."""
    look = look or Look(size=(720, 300))
    area = (24.0, 24.0, look.size[0] - 48.0, look.size[1] - 48.0)
    said = "; ".join(f"{curve.title}: {', '.join(numbers.percent(point.share) for point in curve.points)}"
                     for curve in curves)
    return Picture(look.size, tuple(curves_marks(curves, area, look, whole=whole)), (), look.theme, caption=said,
                   table=Table(COLUMNS, tuple(row for curve in curves for row in rows(curve))))


def plot(curves: Sequence[Curve], area: Area, whole: bool = False) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of what is drawn in, within the area of `curves_marks`."""
    x, y, wide, high = area
    edit, whole = edits.find(curves[0].grows), _among_whole(curves, whole)
    lines = len(wrap(_title(curves[0], edit, whole), 12, wide, 600)[:LINES])
    beside = wide >= BESIDE
    below = 0 if beside or not _has_legend(curves, area, lines) else LINE * (len(curves) + 1)
    return x + AXIS, y + 16 * lines + 10, x + wide - (LEGEND if beside else 12), y + high - UNDER - below


def _has_legend(curves: Sequence[Curve], area: Area, lines: int) -> bool:
    """Whether there is room for one under a narrow chart; else what is said of the lines elsewhere has to do."""
    return area[3] - 16 * lines - 10 - UNDER - LINE * (len(curves) + 1) >= LEAST


def strength_at(curves: Sequence[Curve], area: Area, x: float, whole: bool = False) -> float:
    """The nearest strength that was counted to a place on the chart: where a click leads."""
    left, _, right, _ = plot(curves, area, whole)
    strengths = curves[0].strengths
    wanted = strengths[-1] * (x - left) / max(1.0, right - left)
    return min(strengths, key=lambda strength: abs(strength - wanted))


def _among_whole(curves: Sequence[Curve], wanted: bool) -> bool:
    return wanted and any(curve.whole_shares for curve in curves)


def _title(curve: Curve, edit: Edit, whole: bool) -> str:
    if edit.strength is None:
        done = edit.said(*edits.parse(next(word for word in curve.edits if word.partition(":")[0] == edit.name))[1])
        return tr("Right answers among {data}, unchanged and {done}").format(data=curve.data, done=done)
    by = translated(edit.strength.title)
    if edit.beside == edits.PAD:
        done = direction(*edits.parse(next(word for word in curve.edits if word.partition(":")[0] == edit.name))[1])
        by = tr("{quantity} {direction}").format(quantity=by, direction=done)
    said = tr("Right answers among those of {data} that stay whole, by {quantity}") if whole else \
        tr("Right answers among {data}, by {quantity}")
    return said.format(data=curve.data, quantity=by)


def direction(right: int, down: int) -> str:
    """`right and down`."""
    across = tr("to the right") if right > 0 else tr("to the left") if right < 0 else ""
    along = tr("down") if down > 0 else tr("up") if down < 0 else ""
    return tr("{one} and {other}").format(one=across, other=along) if across and along else across or along


def _until(curve: Curve) -> float:
    return curve.points[-1].strength if curve.points else -1.0


def _x(strength: float, curve: Curve, left: float, right: float) -> float:
    return left + (right - left) * strength / (curve.strengths[-1] or 1)


def _frame(curves: Sequence[Curve], edit: Edit, grain: Grain | None, box: Area, cursor: float | None) -> list[Mark]:
    """Hairlines at 0, 50 and 100 %, chance, and the strengths under it; the one at the cursor stands out."""
    left, top, right, bottom = box
    marks: list[Mark] = []
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * (bottom - top)
        marks += [Line(((left, y), (right, y)), "hair" if share else "rule"),
                  Text(left - 8, y + 4, plain(numbers.percent(share, 0)), 11, 400, "ink-2", "end")]
    chance = max(curve.chance for curve in curves)
    if chance:
        y = bottom - chance * (bottom - top)
        marks += [Line(((left, y), (right, y)), "rule", 1, dashed=True)]
    strengths, unit = curves[0].strengths, edit.strength
    said = [tr("unchanged"), tr("changed")] if unit is None else [unit.said(strength, grain) for strength in strengths]
    every = max(1, math.ceil(max(width(word, 11) + 12 for word in said) * (len(said) - 1) / max(1.0, right - left)))
    for number, (strength, word) in enumerate(zip(strengths, said, strict=True)):
        here = cursor is not None and math.isclose(strength, cursor, abs_tol=1e-9)
        near = any(abs(other - number) < every and cursor is not None and math.isclose(at, cursor, abs_tol=1e-9)
                   for other, at in enumerate(strengths))
        if here or (number % every == 0 and not near):
            marks.append(Text(_x(strength, curves[0], left, right), bottom + 16, plain(word), 11, 600 if here else 400,
                              "accent-ink" if here else "ink-2", "middle"))
    return marks


def _line(spots: Sequence[Spot], curve: Curve, how: Stroke, box: Area, grain: Grain | None, edit: Edit) -> list[Mark]:
    """The line from point to point, with a bar of one standard error up and down at each."""
    left, top, right, bottom = box
    known = [spot for spot in spots if not math.isnan(spot[1])]
    places = [(_x(strength, curve, left, right), bottom - share * (bottom - top)) for strength, share, _ in known]
    marks: list[Mark] = []
    for (at, y), (_, _, error) in zip(places, known, strict=True):
        reach = error * (bottom - top)
        if reach >= 0.5:
            marks.append(Line(((at, max(top, y - reach)), (at, min(bottom, y + reach))), how.color, 1, opacity=0.6))
    if len(places) > 1:
        marks.append(Line(tuple(places), how.color, 1.75, how.dashed))
    for (at, y), (strength, share, error) in zip(places, known, strict=True):
        marks += _dot(how, at, y) if how.dots or len(places) == 1 else []
        words = f"{numbers.percent(share)} ± {numeral(f'{100 * error:.1f}')}"
        where = "" if edit.strength is None else f"{edit.strength.said(strength, grain)}, "
        marks.append(Rect(at - 6, y - 6, 12, 12, tip=f"{curve.title}: {where}{words}"))
    return marks


def _spots(curve: Curve, whole: bool) -> Sequence[Spot]:
    return curve.whole_shares if whole and curve.whole_shares else curve.shares


def _dot(how: Stroke, x: float, y: float) -> list[Mark]:
    return [Rect(x - 3, y - 3, 6, 6, "stage" if how.dots == "open" else how.color, how.color, 1.5, radius=3)] \
        if how.dots else []


def _legend(curves: Sequence[Curve], area: Area, box: Area, cursor: float | None, whole: bool) -> list[Mark]:
    """What the lines are, with their shares at the cursor; how many inputs lose something there, and chance."""
    x, y, wide, high = area
    _, top, right, bottom = box
    beside = wide >= BESIDE
    if not beside and bottom > y + high - UNDER - LINE:
        return []
    start, line = (right + 16, top + 8) if beside else (x, y + high - LINE * (len(curves) + 1) + 14)
    room = x + wide - start
    marks: list[Mark] = []
    for number, curve in enumerate(curves):
        share, error = (math.nan, math.nan) if cursor is None else between(_spots(curve, whole), cursor)
        said = "" if math.isnan(share) else numbers.percent(share)
        if said and not math.isnan(error):
            said = f"{said} ± {numeral(f'{100 * error:.1f}')}"
        if curve.why and not curve.points:
            said = "–"
        marks += sample(number, start, line - 4)
        marks.append(Text(start + 32, line, plain(elide(curve.title, 12, room - 40 - width(said, 12, 600))), 12, 500))
        marks.append(Text(start + room, line, plain(said), 12, 600, anchor="end"))
        line += LINE
    point = None if cursor is None else curves[0].at(cursor)
    if point is not None and point.cut:
        lost = tr("{share} lose ink over the frame").format(share=numbers.percent(point.lost, 0))
        marks.append(Text(start, line, plain(lost), 11, 400, "ink-2", max_width=room))
    chance = max(curve.chance for curve in curves)
    if chance and beside:
        marks.append(Text(right + 8, bottom - chance * (bottom - top) + 4,
                          plain(tr("chance {share}").format(share=numbers.percent(chance, 0))), 11, 400, "ink-2"))
    return marks
