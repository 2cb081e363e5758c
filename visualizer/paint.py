"""Paint: the only place where marks become pixels. Anything Qt can paint on will do: a window, an image, SVG, PDF.

A map grid is one image, composed in numpy at the resolution of the device and drawn once, however many maps there are.
On paper, where an image would be smoothed or compressed, its cells are rectangles.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import cache, lru_cache
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QFontMetricsF,
    QGuiApplication,
    QImage,
    QPaintDevice,
    QPaintEngine,
    QPainter,
    QPainterPath,
    QPen,
    QPolygonF,
    QTransform,
)

from visualizer import registry
from visualizer.language import reads_leftwards, tr
from visualizer.scene import colour
from visualizer.scene import type as letters
from visualizer.scene.picture import SENTENCE, Image, Line, Mark, Path, Picture, Points, Rect, Run, Text

Pixels = NDArray[np.uint32]
"""0xAARRGGBB; colours multiplied by their opacity, as Qt's premultiplied format has it."""

Recolour = Callable[[NDArray[Any]], Pixels]

MOST_CELLS = 4_000
"""More cells than this in one mark are drawn as an image on paper, too."""
MOST_KEPT = 1 << 25
"""A still part of more pixels than this (128 MB) is not kept as an image: it is zoomed far beyond any screen."""
MOST_SHARP = 5_000_000
"""Pixels, a 4K screen has more: so large a picture is drawn at half of its resolution while it moves."""
LARGEST_CELL = 100
"""Device pixels; a framed cell larger than this is drawn each time: none of a picture with hundreds of them is."""
FIRM = 2.5
"""So many times as opaque are lines and words in themes of high contrast, where they are translucent."""
DASHES = {"thin": (4.0, 3.0), "thick": (7.0, 4.0)}
"""Pixels drawn and left out; thick from 2 pixels on."""
PIECE = 16
"""Strokes of a long line that are drawn at a time: Qt takes as long for each as there are others in the same path."""


def paint(picture: Picture, painter: QPainter, *, transparent: bool = False) -> None:
    """Draw a picture: its background, unless `transparent`, then its marks in their order."""
    if not transparent:
        painter.fillRect(QRectF(0, 0, *picture.size), _color(picture.theme, picture.background))
    paint_marks(picture, picture.theme, painter)


def paint_marks(marks: Iterable[Mark], theme: str, painter: QPainter) -> None:
    """Draw marks in their order, in the colours of a theme; what lies outside the clip is left out."""
    hints = QPainter.RenderHint
    painter.setRenderHints(hints.Antialiasing | hints.TextAntialiasing | hints.LosslessImageRendering)
    on = _surface(painter, theme)
    for mark in marks:
        if mark.opacity > 0:
            _DRAW[type(mark)](mark, on)


def render(picture: Picture, scale: float = 1.0, *, transparent: bool = False) -> QImage:
    """The picture as an image of `scale` times its size; the image owns its pixels."""
    ensure_app()
    width, height = (max(1, round(length * scale)) for length in picture.size)
    formats = QImage.Format
    image = QImage(width, height, formats.Format_ARGB32_Premultiplied if transparent else formats.Format_RGB32)
    if image.isNull():
        raise MemoryError(tr("an image of {width} × {height} pixels is too large; choose a smaller scale"
                             ).format(width=width, height=height))
    image.fill(0)
    with painting(image) as painter:
        painter.scale(scale, scale)
        paint(picture, painter, transparent=transparent)
    return image


class Stills:
    """Keeps the still part of the last picture as an image, so that a frame costs only what moves.

    The sentence is no part of that image: it counts along within a beat, and nothing lies over it or under it.
    """

    def __init__(self) -> None:
        self._picture: Picture | None = None
        self._place: tuple[float, ...] = ()
        self._image = QImage()
        self._half: tuple[Stills, QImage] | None = None
        """What keeps the still part of what moves on a very large screen, and the image it is drawn in."""

    def paint(self, picture: Picture, painter: QPainter, moves: bool = False) -> None:
        """Draw a picture, its still part from the image if that is still true; where it `moves` and is very large, at
        half of its resolution: four times the pixels, and the same time for each frame."""
        matrix = painter.deviceTransform()
        place = (matrix.m11(), matrix.m22(), matrix.dx() % 1, matrix.dy() % 1)
        pixels = picture.size[0] * matrix.m11() * picture.size[1] * matrix.m22()
        if not _has_pixels(painter) or pixels > MOST_KEPT:
            paint(picture, painter)
            return
        if moves and pixels > MOST_SHARP:
            self._paint_halved(picture, painter, matrix)
            return
        if self._picture is None or place != self._place or not same_still(self._picture, picture):
            self._image = self._render(picture, place)
            self._place = place
        self._picture = picture
        with _in_device_pixels(painter, math.floor(matrix.dx()), math.floor(matrix.dy())):
            painter.drawImage(0, 0, self._image)
        paint_marks(chain(filter(_is_said, picture.still), picture.moving), picture.theme, painter)

    def _paint_halved(self, picture: Picture, painter: QPainter, matrix: QTransform) -> None:
        """Into an image of half the size, each pixel of which is then four."""
        across, down = matrix.m11() / 2, matrix.m22() / 2
        wide, high = math.ceil(picture.size[0] * across), math.ceil(picture.size[1] * down)
        if self._half is None or (self._half[1].width(), self._half[1].height()) != (wide, high):
            self._half = Stills(), QImage(wide, high, QImage.Format.Format_RGB32)
        stills, image = self._half
        with painting(image) as half:
            half.scale(across, down)
            stills.paint(picture, half)
        with _in_device_pixels(painter, math.floor(matrix.dx()), math.floor(matrix.dy())):
            painter.drawImage(QRectF(0, 0, 2 * wide, 2 * high), image)

    @staticmethod
    def _render(picture: Picture, place: tuple[float, ...]) -> QImage:
        across, down, dx, dy = place
        image = QImage(math.ceil(picture.size[0] * across + dx), math.ceil(picture.size[1] * down + dy),
                       QImage.Format.Format_RGB32)
        image.fill(_color(picture.theme, picture.background))
        with painting(image) as painter:
            painter.setTransform(QTransform(across, 0, 0, down, dx, dy))
            paint(replace(picture, still=_without_words(picture), moving=()), painter)
        return image


def same_still(one: Picture, other: Picture) -> bool:
    """Whether the still parts of two pictures look the same, but for the sentence."""
    if (one.size, one.theme, one.background) != (other.size, other.theme, other.background):
        return False
    if one.still is other.still:
        return True
    mine, others = _without_words(one), _without_words(other)
    return len(mine) == len(others) and all(map(_same, mine, others))


def _is_said(mark: Mark) -> bool:
    return mark.group == SENTENCE and isinstance(mark, Text)


def _without_words(picture: Picture) -> tuple[Mark, ...]:
    return tuple(mark for mark in picture.still if not _is_said(mark))


@contextmanager
def painting(device: QPaintDevice) -> Iterator[QPainter]:
    """A painter that has ended when the block is left, also by an error: else Qt would outlive its device."""
    painter = QPainter(device)
    try:
        yield painter
    finally:
        painter.end()


@contextmanager
def saved(painter: QPainter) -> Iterator[None]:
    """What is set on a painter inside the block is as it was before when that is left, also by an error."""
    painter.save()
    try:
        yield
    finally:
        painter.restore()


def ensure_app() -> QGuiApplication:
    """The running Qt application, or a new one that needs no screen; the bundled fonts are loaded."""
    app = QGuiApplication.instance()
    if app is None:
        has_screen = sys.platform in ("win32", "darwin") or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
        if not has_screen:
            os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        app = _own_app()
    load_fonts()
    assert isinstance(app, QGuiApplication)
    return app


@cache
def _own_app() -> QGuiApplication:
    """Kept for good: Qt ends with its application."""
    return QGuiApplication(sys.argv[:1])


@cache
def load_fonts() -> tuple[str, ...]:
    """Give Qt the bundled fonts, once; returns their families."""
    families: dict[str, None] = {}
    for path in registry.files("assets", "fonts/*.[ot]tf"):
        number = QFontDatabase.addApplicationFont(str(path))
        families |= dict.fromkeys(QFontDatabase.applicationFontFamilies(number))
    return tuple(families)


@cache
def font(size: int, style: letters.Face, *, tabular: bool = True) -> QFont:
    """A bundled face at `size` whole pixels, unhinted and without ligatures: what is written is what is seen."""
    load_fonts()  # a font that is asked for before them would stay another one for good
    family, weight, italic = style
    made = QFont(list(dict.fromkeys((family, letters.TEXT, letters.MONO, letters.LAST))))  # QFont() would be a copy of
    # the application's own font, with the spacing of its letters: another one in the window than in a file
    made.setPixelSize(size)
    made.setWeight(QFont.Weight(weight))
    made.setItalic(italic)
    made.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    if letters.spacing(size, style):
        made.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, letters.spacing(size, style))
    for tag, value in (("tnum", int(tabular)), ("liga", 0), ("calt", 0)):
        made.setFeature(QFont.Tag(tag), value)
    return made


# --- what is painted on ---------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class _Surface:
    """Where marks are drawn: a painter, the theme, and how picture pixels become device pixels."""

    painter: QPainter
    theme: str
    matrix: QTransform
    vector: bool
    """SVG, PDF: nothing is snapped to pixels, and cells are rectangles."""
    pdf: bool
    visible: tuple[int, int, int, int]
    """Left, top, right, bottom in device pixels."""
    top: float
    bottom: float
    """The same top and bottom in picture pixels, for leaving out what is not seen."""


def _surface(painter: QPainter, theme: str) -> _Surface:
    matrix = painter.deviceTransform()
    if not _has_pixels(painter):
        pdf = painter.paintEngine().type() == QPaintEngine.Type.Pdf
        return _Surface(painter, theme, matrix, True, pdf, (-(1 << 20), -(1 << 20), 1 << 20, 1 << 20),
                        -math.inf, math.inf)
    device = painter.device()
    seen = _device_view(painter).mapRect(QRectF(0, 0, device.width(), device.height()))
    if painter.hasClipping():
        seen &= matrix.mapRect(painter.clipBoundingRect())
    visible = (math.floor(seen.left()), math.floor(seen.top()), math.ceil(seen.right()), math.ceil(seen.bottom()))
    return _Surface(painter, theme, matrix, False, False, visible, (visible[1] - matrix.dy()) / matrix.m22(),
                    (visible[3] - matrix.dy()) / matrix.m22())


def _has_pixels(painter: QPainter) -> bool:
    """Whether it draws on pixels, unturned; not on SVG, PDF or a recording."""
    matrix = painter.deviceTransform()
    straight = matrix.m12() == 0 == matrix.m21() and matrix.m11() > 0 and matrix.m22() > 0
    return straight and painter.paintEngine().type() in (QPaintEngine.Type.Raster, QPaintEngine.Type.OpenGL2)


def _device_view(painter: QPainter) -> QTransform:
    """From the coordinates without any transform that was set, to device pixels: a window's place and its ratio."""
    return painter.worldTransform().inverted()[0] * painter.deviceTransform()


@contextmanager
def _in_device_pixels(painter: QPainter, left: int, top: int) -> Iterator[None]:
    """Device pixels with the origin at (left, top), whatever scale is set: there an image is copied as it is."""
    world = painter.worldTransform()
    painter.setWorldTransform(QTransform.fromTranslate(left, top) * _device_view(painter).inverted()[0])
    try:
        yield
    finally:
        painter.setWorldTransform(world)


@lru_cache(maxsize=4096)
def _color(theme: str, name: str, opacity: float = 1.0) -> QColor:
    red, green, blue, alpha = colour.resolve(theme, name)
    return QColor(red, green, blue, round(alpha * opacity))


def _drawn(theme: str, name: str, opacity: float) -> QColor:
    """Of a line or a word: in a theme of high contrast none is faint, though what comes and goes still does so."""
    return _color(theme, name, min(1.0, FIRM * opacity) if colour.is_strong(theme) else opacity)


@lru_cache(maxsize=4096)
def _pen(theme: str, name: str, width: float, dashed: bool, opacity: float) -> QPen:
    pen = QPen(_drawn(theme, name, opacity), width)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    if dashed:
        pen.setDashPattern([length / width for length in _pattern(width)])
    return pen


def _pattern(width: float) -> tuple[float, float]:
    return DASHES["thick" if width >= 2 else "thin"]


# --- lines, rectangles, curves --------------------------------------------------------------------------------------

def _draw_line(mark: Line, on: _Surface) -> None:
    points = mark.points
    heights = [y for _, y in points]
    if len(points) < 2 or min(heights) - mark.width > on.bottom or max(heights) + mark.width < on.top:
        return
    width = _whole(mark.width, on)
    if len(points) == 2:
        (x1, y1), (x2, y2) = points
        if x1 == x2:
            x1 = x2 = _on_pixels(x1, mark.width, on.matrix.m11(), on.matrix.dx(), on)
        elif y1 == y2:
            y1 = y2 = _on_pixels(y1, mark.width, on.matrix.m22(), on.matrix.dy(), on)
        if (x1 == x2) != (y1 == y2) and not mark.dashed and not on.vector:  # filled: a tenth of the time of a stroke
            area = QRectF(min(x1, x2), min(y1, y2), abs(x2 - x1), abs(y2 - y1))
            aside, along = (width / 2, 0.0) if x1 == x2 else (0.0, width / 2)
            on.painter.fillRect(area.adjusted(-aside, -along, aside, along), _drawn(on.theme, mark.color, mark.opacity))
            return
        points = ((x1, y1), (x2, y2))
    long = len(points) > 2 * PIECE and not on.vector
    on.painter.setPen(_pen(on.theme, mark.color, width, mark.dashed and not long, mark.opacity))
    if long and mark.dashed:
        on.painter.drawLines(_dashed(points, *_pattern(width)))
        return
    pieces = (points,)
    if long and mark.opacity == 1:  # each begins with the last stroke of the one before, so that corners are whole
        pieces = tuple(points[max(0, at - 1):at + PIECE + 1] for at in range(0, len(points) - 1, PIECE))
    for piece in pieces:
        on.painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in piece]))


@lru_cache(maxsize=16)
def _dashed(points: Points, long: float, gap: float) -> list[QLineF]:
    """The dashes of a polyline by the way along it, straight stroke by straight stroke."""
    places = np.array(points)
    ways = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(places, axis=0).T))])
    starts = np.arange(0.0, ways[-1], long + gap)
    ends = np.minimum(starts + long, ways[-1])
    cuts = np.sort(np.concatenate([starts, ends, ways]))
    middles = (cuts[1:] + cuts[:-1]) / 2
    drawn = (middles % (long + gap) < long) & (cuts[1:] > cuts[:-1])
    xs, ys = (np.interp(cuts, ways, places[:, axis]) for axis in (0, 1))
    return [QLineF(*stroke) for stroke in np.stack([xs[:-1], ys[:-1], xs[1:], ys[1:]], 1)[drawn].tolist()]


def _draw_rect(mark: Rect, on: _Surface) -> None:
    if mark.y - mark.stroke_width > on.bottom or mark.y + mark.height + mark.stroke_width < on.top:
        return
    if mark.inside and mark.radius and mark.stroke and mark.fill != "hatch" and not on.vector:
        _draw_cell(mark, on)
    else:
        _draw_area(mark, on)


def _draw_cell(mark: Rect, on: _Surface) -> None:
    """A framed cell with round corners, of which pictures hold hundreds alike: drawn once, then copied.

    The copy is drawn at the same place between the device's pixels, so it is the same to the pixel.
    """
    matrix = on.matrix
    scale, dx, dy = matrix.m11(), matrix.dx(), matrix.dy()
    if scale != matrix.m22() or mark.width * scale > LARGEST_CELL or mark.height * scale > LARGEST_CELL:
        _draw_area(mark, on)
        return
    x, y = mark.x * scale + dx, mark.y * scale + dy
    left, top = math.floor(x), math.floor(y)
    cell = _cell(mark.width, mark.height, mark.fill, mark.stroke, mark.stroke_width, mark.radius, mark.dashed,
                 mark.opacity, on.theme, scale, round(x - left, 4), round(y - top, 4))
    on.painter.drawImage(QPointF((left - dx) / scale, (top - dy) / scale), cell)


@lru_cache(maxsize=1024)
def _cell(width: float, height: float, fill: str, stroke: str, stroke_width: float, radius: float, dashed: bool,
          opacity: float, theme: str, scale: float, dx: float, dy: float) -> QImage:
    mark = Rect(0, 0, width, height, fill, stroke, stroke_width, True, radius, dashed, opacity=opacity)
    wide, high = math.ceil(width * scale + dx) + 1, math.ceil(height * scale + dy) + 1
    image = QImage(wide, high, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    with painting(image) as painter:
        painter.translate(dx, dy)
        painter.scale(scale, scale)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _draw_area(mark, _surface(painter, theme))
    image.setDevicePixelRatio(scale)
    return image


def _draw_area(mark: Rect, on: _Surface) -> None:
    painter = on.painter
    area = QRectF(mark.x, mark.y, mark.width, mark.height)
    if mark.fill == "hatch":
        painter.save()
        if not on.vector:
            painter.setClipRect(area, Qt.ClipOperation.IntersectClip)
        _hatch([area], on, mark.opacity)
        painter.restore()
    elif mark.fill:
        if mark.radius:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_color(on.theme, mark.fill, mark.opacity))
            painter.drawRoundedRect(area, mark.radius, mark.radius)
        else:
            painter.fillRect(area, _color(on.theme, mark.fill, mark.opacity))
    if mark.stroke:
        width, radius = _whole(mark.stroke_width, on), mark.radius
        if mark.inside:
            half = width / 2
            area = _snapped(area, on).adjusted(half, half, -half, -half)
            radius = max(0.0, radius - half)
        if not (radius or mark.dashed or on.vector):
            _fill_frame(area, width, _color(on.theme, mark.stroke, mark.opacity), painter)
            return
        painter.setPen(_pen(on.theme, mark.stroke, width, mark.dashed, mark.opacity))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(area, radius, radius)


def _fill_frame(area: QRectF, width: float, tint: QColor, painter: QPainter) -> None:
    """The outline of a rectangle as four filled ones: exact to the pixel where a stroke is smoothed, and faster."""
    half = width / 2
    outer = area.adjusted(-half, -half, half, half)
    inner_height = max(0.0, outer.height() - 2 * width)
    for strip in (QRectF(outer.left(), outer.top(), outer.width(), width),
                  QRectF(outer.left(), outer.bottom() - width, outer.width(), width),
                  QRectF(outer.left(), outer.top() + width, width, inner_height),
                  QRectF(outer.right() - width, outer.top() + width, width, inner_height)):
        painter.fillRect(strip, tint)


def _draw_path(mark: Path, on: _Surface) -> None:
    if mark.fill:
        together, _ = _outlines(mark.curves, True)
        on.painter.fillPath(together, _color(on.theme, mark.fill, mark.opacity))
    if not mark.stroke:
        return
    if not on.vector and not mark.dashed and (dashes := _dashes(mark.curves, mark.width)):
        tint = _drawn(on.theme, mark.stroke, mark.opacity)
        for dash in dashes:
            on.painter.fillRect(dash, tint)
        return
    together, one_by_one = _outlines(mark.curves, bool(mark.fill))
    pen = _pen(on.theme, mark.stroke, mark.width, mark.dashed, mark.opacity)
    # Qt takes ten times as long for a hundred wide curves in one path as for the same curves one by one.
    thin = mark.width * on.matrix.m11() <= 1
    for path in (together,) if on.vector or thin else one_by_one:
        on.painter.strokePath(path, pen)


@lru_cache(maxsize=64)
def _dashes(curves: tuple[Points, ...], width: float) -> tuple[QRectF, ...]:
    """Level strokes as the rectangles that they fill: the minuses of a thousand cells are ten times as fast so. None
    where anything else is among the curves."""
    if any(len(curve) != 4 or len({y for _, y in curve}) > 1 for curve in curves):
        return ()
    return tuple(QRectF(curve[0][0], curve[0][1] - width / 2, curve[3][0] - curve[0][0], width) for curve in curves)


@lru_cache(maxsize=64)
def _outlines(curves: tuple[Points, ...], closed: bool) -> tuple[QPainterPath, tuple[QPainterPath, ...]]:
    """All curves as one path, and each as its own."""
    together, one_by_one = QPainterPath(), []
    for curve in curves:
        path = QPainterPath(QPointF(*curve[0]))
        for at in range(1, len(curve) - 2, 3):
            path.cubicTo(*curve[at], *curve[at + 1], *curve[at + 2])
        if closed:
            path.closeSubpath()
        one_by_one.append(path)
        together.addPath(path)
    return together, tuple(one_by_one)


def _whole(width: float, on: _Surface) -> float:
    """A whole width as whole device pixels, at least one: 1 at scale 1.25 is one pixel, not one and a veil."""
    if on.vector or width % 1:
        return width
    scale = on.matrix.m11()
    return max(1, round(width * scale)) / scale


def _on_pixels(middle: float, width: float, scale: float, offset: float, on: _Surface) -> float:
    """The middle of an upright or level line, moved so that its edges lie between device pixels."""
    if on.vector or width % 1:
        return middle
    thick = max(1, round(width * scale))
    return (math.floor(middle * scale + offset - thick / 2 + 0.5) + thick / 2 - offset) / scale


def _snapped(area: QRectF, on: _Surface) -> QRectF:
    """The same area with its edges between device pixels."""
    if on.vector:
        return area
    matrix = on.matrix
    left, right = (math.floor(x * matrix.m11() + matrix.dx() + 0.5) for x in (area.left(), area.right()))
    top, bottom = (math.floor(y * matrix.m22() + matrix.dy() + 0.5) for y in (area.top(), area.bottom()))
    return QRectF((left - matrix.dx()) / matrix.m11(), (top - matrix.dy()) / matrix.m22(),
                  (right - left) / matrix.m11(), (bottom - top) / matrix.m22())


def _hatch(areas: Iterable[QRectF], on: _Surface, opacity: float) -> None:
    """Lines at 45° that end at the edges of each area; they hang together from area to area."""
    theme = colour.theme(on.theme)
    apart = theme.hatch_pitch * math.sqrt(2)
    # On paper nothing is clipped, so a line is so short that its corners do not stick out; on pixels it is clipped.
    short = theme.hatch_width / 2 / math.sqrt(2) if on.vector else -theme.hatch_width
    lines = []
    for area in areas:
        left, top, right, bottom = area.left(), area.top(), area.right(), area.bottom()
        first, last = math.ceil((left + top) / apart), math.floor((right + bottom) / apart)
        for at in (number * apart for number in range(first, last + 1)):
            x1, x2 = max(left, at - bottom) + short, min(right, at - top) - short
            if x2 > x1:
                lines.append(QLineF(x1, at - x1, x2, at - x2))
    on.painter.setPen(_pen(on.theme, "hatch", theme.hatch_width, False, opacity))
    on.painter.drawLines(lines)


# --- words ----------------------------------------------------------------------------------------------------------

def _draw_text(mark: Text, on: _Surface) -> None:
    if mark.y - 1.2 * mark.size > on.bottom or mark.y + 0.5 * mark.size < on.top:
        return
    painter = on.painter
    painter.setLayoutDirection(Qt.LayoutDirection.RightToLeft if reads_leftwards(mark.plain) else
                               Qt.LayoutDirection.LeftToRight)
    for piece in laid_out(mark):
        painter.setPen(_drawn(on.theme, piece.color, mark.opacity))
        x, y = mark.x + piece.x, mark.y + piece.y
        if piece.scale != 1:
            painter.save()
            painter.translate(x, y)
            painter.scale(piece.scale, piece.scale)
            x = y = 0
        if on.pdf:
            painter.setFont(font(piece.size, piece.style, tabular=False))
            for along, words in _spelled(piece.text, piece.size, piece.style):
                painter.drawText(QPointF(x + along, y), words)
        else:
            painter.setFont(font(piece.size, piece.style))
            painter.drawText(QPointF(x, y), piece.text)
        if piece.scale != 1:
            painter.restore()


@dataclass(frozen=True)
class Piece:
    """A run, placed: `x` and `y` from the anchor, a font of whole pixels and the scale to its true size."""

    x: float
    y: float
    text: str
    size: int
    style: letters.Face
    scale: float
    color: str


@lru_cache(maxsize=8192)
def laid_out(mark: Text) -> tuple[Piece, ...]:
    """The runs of a text, cut where it is too long, each at its place."""
    runs = [run for run in mark.runs if run.text]
    widths = [_measured(run, mark) for run in runs]
    if mark.max_width and sum(widths) > mark.max_width:
        runs = _elided(runs, widths, mark)
        widths = [_measured(run, mark) for run in runs]
    if len(runs) > 1 and reads_leftwards(mark.plain):
        runs, widths = runs[::-1], widths[::-1]
    x = -sum(widths) * {"start": 0.0, "middle": 0.5, "end": 1.0}[mark.anchor]
    pieces = []
    for run, width in zip(runs, widths, strict=True):
        size, whole, style = _style(run, mark)
        pieces.append(Piece(x, letters.SHIFTS.get(run.shift, 0) * mark.size, run.text, whole, style,
                             1 if size == whole else size / whole, run.color or mark.color))
        x += width
    return tuple(pieces)


@cache
def outline(text: str, style: letters.Face) -> tuple[float, QPainterPath]:
    """How far letters that hang together reach at a size of 1,000 pixels, and the outline of their ink."""
    made = QFont(font(1000, style))
    made.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, 0)
    path = QPainterPath()
    path.addText(0, 0, made, text)
    return QFontMetricsF(made).horizontalAdvance(text), path


@lru_cache(maxsize=8192)
def _spelled(text: str, size: int, style: letters.Face) -> tuple[tuple[float, str], ...]:
    """A run for PDF: figures one by one in the middle of their tabular width.

    Qt names the tabular glyphs by codes of the font's own in a PDF, and a number copied out of it would be garbage; so
    it gets the plain glyphs, at the places of the tabular ones.
    """
    plain = QFontMetricsF(font(size, style, tabular=False))
    spelled: list[tuple[float, str]] = []
    open_end = False
    for index, letter in enumerate(text):
        spare = advance(letter, size, style) - plain.horizontalAdvance(letter)
        if abs(spare) < 0.01 and open_end:
            spelled[-1] = (spelled[-1][0], spelled[-1][1] + letter)
        else:
            spelled.append((advance(text[:index], size, style) + spare / 2, letter))
        open_end = abs(spare) < 0.01
    return tuple(spelled)


def _style(run: Run, mark: Text) -> tuple[float, int, letters.Face]:
    """The size, the whole pixels of the font that is scaled to it, and the face."""
    size = mark.size * (letters.SHIFT_SIZE if run.shift else 1)
    style = letters.face(run.weight or mark.weight, run.mono or mark.mono, mark.display, run.italic)
    return size, max(1, round(size)), style


def _measured(run: Run, mark: Text) -> float:
    size, whole, style = _style(run, mark)
    return advance(run.text, whole, style) * size / whole


@lru_cache(maxsize=8192)
def advance(text: str, size: int, style: letters.Face) -> float:
    """How far a run reaches at a size of whole pixels."""
    return QFontMetricsF(font(size, style)).horizontalAdvance(text)


def _elided(runs: list[Run], widths: list[float], mark: Text) -> list[Run]:
    """As much of the runs as fits, with … at the end."""
    kept: list[Run] = []
    room = mark.max_width
    for run, width in zip(runs, widths, strict=True):
        dots = replace(run, text=letters.ELLIPSIS)
        if width + _measured(dots, mark) > room:
            length = len(run.text)
            while length and _measured(replace(run, text=run.text[:length].rstrip() + letters.ELLIPSIS), mark) > room:
                length -= 1
            return [*kept, replace(run, text=run.text[:length].rstrip() + letters.ELLIPSIS)]
        kept.append(run)
        room -= width
    return kept


# --- maps -----------------------------------------------------------------------------------------------------------

def _draw_image(mark: Image, on: _Surface) -> None:
    if not mark.values.size:
        return
    if on.vector:
        _draw_cells(mark, on)
        return
    matrix = on.matrix
    pixels, left, top, opaque = compose(mark, on.theme, (matrix.m11(), matrix.m22()), (matrix.dx(), matrix.dy()),
                                        on.visible)
    if pixels.size:
        image = _as_image(pixels, opaque)
        on.painter.setOpacity(mark.opacity)
        if matrix.type() == QTransform.TransformationType.TxNone:
            on.painter.drawImage(left, top, image)
        else:
            with _in_device_pixels(on.painter, left, top):
                on.painter.drawImage(0, 0, image)
        on.painter.setOpacity(1)


def compose(mark: Image, theme: str, scale: tuple[float, float] = (1, 1), offset: tuple[float, float] = (0, 0),
            visible: tuple[int, int, int, int] = (0, 0, 1 << 20, 1 << 20)) -> tuple[Pixels, int, int, bool]:
    """All tiles of a mark at device resolution: (pixels, left, top, whether every pixel is opaque).

    A device pixel shows the value whose cell its middle lies in, so that every cell has sharp edges at any scale, and
    the same whole number of pixels where the scale allows it. Gaps between tiles are transparent.
    """
    x, y = _axes(mark, scale, offset, visible)
    if not (x.cell.size and y.cell.size):  # all of it lies beyond the edge
        return np.zeros((y.cell.size, x.cell.size), np.uint32), x.first, y.first, False
    values, plain, bordered = _colours(mark, theme)
    packed = _packed(values, y.tiles, x.tiles)
    if x.edge_cells.size or y.edge_cells.size:  # the stripes of edge rows stand below the others
        stripes = np.concatenate((plain(packed), bordered(packed[y.edge_cells])))[:, x.cell]
        stripes[:len(packed), x.edge] = bordered(packed[:, x.cell[x.edge]])
    else:
        stripes = plain(packed)[:, x.cell]
    pixels = np.take(stripes, y.stripe, axis=0)
    opaque = not (x.gaps or y.gaps) and len(values) == x.tiles * y.tiles and mark.covered is None
    if mark.hatched is not None and mark.hatched.any():
        opaque = False
        _hatch_pixels(pixels, mark, theme, scale, offset, x, y)
    return pixels, x.first, y.first, opaque


class _Axis(NamedTuple):
    """What the device pixels along one axis show. Cells are counted through all tiles; the last stands for a gap."""

    first: int
    """The first device pixel."""
    tiles: int
    cell: NDArray[np.intp]
    """Of each pixel, which cell."""
    edge: NDArray[np.bool_]
    """Of each pixel, whether it is under the tile's border."""
    edge_cells: NDArray[np.intp]
    """The cells that edge pixels show, each once."""
    stripe: NDArray[np.intp]
    """The same as `cell`, but for edge pixels counted on through `edge_cells`."""
    gaps: bool


def _axes(mark: Image, scale: tuple[float, float], offset: tuple[float, float],
          visible: tuple[int, int, int, int]) -> tuple[_Axis, _Axis]:
    tiles, rows, columns = mark.values.shape[:3]
    across = min(mark.columns, tiles)
    thickness = max(1, round(scale[0])) if mark.border else 0
    x = _axis(mark.x, mark.stride[0], mark.cell[0], columns, across, scale[0], offset[0], visible[0], visible[2],
              thickness, 1.0)
    y = _axis(mark.y, mark.stride[1], mark.cell[1], rows, -(-tiles // across), scale[1], offset[1], visible[1],
              visible[3], thickness, mark.rows_shown)
    return x, y


@lru_cache(maxsize=512)
def _axis(start: float, step: float, cell: float, cells: int, tiles: int, scale: float, offset: float, low: int,
          high: int, thickness: int, shown: float) -> _Axis:
    size = cell * cells
    first = max(low, math.floor(start * scale + offset + 0.5))
    last = min(high, math.floor((start + step * (tiles - 1) + size) * scale + offset + 0.5))
    middles = (np.arange(first, max(first, last)) + 0.5 - offset) / scale - start + 1e-9
    tile = np.clip(np.floor(middles / step), 0, tiles - 1)
    within = middles - tile * step
    value = np.floor(within / cell)
    gap = (value < 0) | (value >= cells) | (within >= size * shown)
    index = np.where(gap, cells * tiles, tile * cells + value).astype(np.intp)
    edge = ~gap & ((within * scale < thickness) | ((size - within) * scale <= thickness + 1e-6))
    edge_cells, which = np.unique(index[edge], return_inverse=True)
    stripe = index.copy()
    stripe[edge] = cells * tiles + 1 + which
    return _Axis(first, tiles, index, edge, edge_cells, stripe, bool(gap.any()))


def _packed(tiles: NDArray[Any], down: int, across: int) -> NDArray[Any]:
    """(tile, row, column) -> one grid of all tiles side by side; a last row and column of GAP, GAP where none is."""
    count, rows, columns = tiles.shape
    grid = np.full((down * rows + 1, across * columns + 1), GAP, tiles.dtype)
    whole = count // across
    grid[:whole * rows, :-1] = (tiles[:whole * across].reshape(whole, across, rows, columns).swapaxes(1, 2)
                                .reshape(whole * rows, across * columns))
    if whole < down:
        rest = tiles[whole * across:]
        grid[whole * rows:-1, :len(rest) * columns] = rest.swapaxes(0, 1).reshape(rows, len(rest) * columns)
    return grid


GAP = 256
"""Stands for no cell: one past the last entry of a palette, and no opaque colour."""


def _colours(mark: Image, theme: str) -> tuple[NDArray[Any], Recolour, Recolour]:
    """What to pack, and how that becomes colours, in the open and under the tile's border."""
    if mark.values.ndim == 3:
        table, under = _table(theme, mark.palette, mark.border)
        return _without_covered(mark, mark.values.astype(np.uint16)), table.take, under.take

    def as_it_is(packed: NDArray[Any]) -> Pixels:
        return np.where(packed == GAP, 0, packed).astype(np.uint32)

    def under_border(packed: NDArray[Any]) -> Pixels:
        return np.where(packed == GAP, 0, _under(packed, theme, mark.border)).astype(np.uint32)

    return _without_covered(mark, _pack_rgb(mark.values)), as_it_is, under_border


def _without_covered(mark: Image, packed: NDArray[Any]) -> NDArray[Any]:
    if mark.covered is not None:
        packed[mark.covered] = GAP
    return packed


@lru_cache(maxsize=64)
def _table(theme: str, palette: str, border: str) -> tuple[Pixels, Pixels]:
    """257 colours: those of the palette and, for GAP, none; and the same under a border."""
    table = _pack_rgb(colour.theme(theme).palettes[palette])
    under = _under(table, theme, border) if border else table
    return np.append(table, np.uint32(0)), np.append(under, np.uint32(0))


def _pack_rgb(values: NDArray[np.uint8]) -> Pixels:
    red, green, blue = (values[..., axis].astype(np.uint32) for axis in range(3))
    return np.asarray(0xFF000000 | red << 16 | green << 8 | blue, np.uint32)


def _under(pixels: Pixels, theme: str, name: str) -> Pixels:
    """Opaque colours with a translucent one laid over them."""
    *over, alpha = colour.resolve(theme, name)
    mixed = [((pixels >> shift & 0xFF) * (255 - alpha) + part * alpha + 127) // 255
             for shift, part in zip((16, 8, 0), over, strict=True)]
    return np.asarray(0xFF000000 | mixed[0] << 16 | mixed[1] << 8 | mixed[2], np.uint32)


def _premultiplied(theme: str, name: str, coverage: NDArray[np.float64]) -> Pixels:
    """One colour at many opacities 0 … 1."""
    *parts, alpha = colour.resolve(theme, name)
    red, green, blue, opacity = (np.rint(part * coverage * alpha / 255).astype(np.uint32) for part in (*parts, 255))
    return np.asarray(opacity << 24 | red << 16 | green << 8 | blue, np.uint32)


def _hatch_pixels(pixels: Pixels, mark: Image, name: str, scale: tuple[float, float], offset: tuple[float, float],
                  across: _Axis, down: _Axis) -> None:
    """Put the same lines as `_hatch`, and the tile's border, where a cell has no value."""
    assert mark.hatched is not None
    grid = _packed(mark.hatched.astype(np.uint16), down.tiles, across.tiles) == 1
    missing = np.take(grid[:, across.cell], down.cell, axis=0)  # by whole rows: much faster than cell by cell
    lines = _hatch_lines(name, scale, (across.first - offset[0] + 0.5, down.first - offset[1] + 0.5), missing.shape)
    np.copyto(pixels, lines, where=missing)
    if mark.border:
        np.copyto(pixels, _premultiplied(name, mark.border, np.ones(1)),
                  where=missing & (across.edge | down.edge[:, None]))


def _hatch_lines(name: str, scale: tuple[float, float], start: tuple[float, float], shape: tuple[int, ...]) -> Pixels:
    """The hatching over a whole area of device pixels.

    Where both axes have one scale, a pixel's colour depends on x + y alone: each row is the row before, moved by one.
    """
    theme, (high, wide) = colour.theme(name), shape

    def shaded(along: NDArray[Any]) -> Pixels:
        away = along / math.sqrt(2) % theme.hatch_pitch
        away = np.minimum(away, theme.hatch_pitch - away)
        return _premultiplied(name, "hatch", np.clip((theme.hatch_width / 2 - away) * scale[0] + 0.5, 0, 1))

    if scale[0] == scale[1]:
        diagonal = shaded((np.arange(high + wide - 1) + start[0] + start[1]) / scale[0])
        return np.lib.stride_tricks.sliding_window_view(diagonal, wide)[:high]
    return shaded((np.arange(wide) + start[0]) / scale[0] + ((np.arange(high) + start[1]) / scale[1])[:, None])


def _as_image(pixels: Pixels, opaque: bool) -> QImage:
    """A QImage over these pixels; keep them as long as it is used."""
    height, width = pixels.shape
    kind = QImage.Format.Format_RGB32 if opaque else QImage.Format.Format_ARGB32_Premultiplied
    return QImage(pixels.data, width, height, 4 * width, kind)


def _draw_cells(mark: Image, on: _Surface) -> None:
    """On paper: rectangles, one for each stretch of equal colour in a row; an image only for very many cells."""
    values, plain, _ = _colours(mark, on.theme)
    inner = plain(values)
    tiles, rows, columns = inner.shape
    known = np.ones(inner.shape, bool) if mark.hatched is None else ~mark.hatched
    there = np.ones(inner.shape, bool) if mark.covered is None else ~mark.covered
    cell_width, cell_height = mark.cell
    shown = mark.rows_shown * rows * cell_height
    starts = np.ones(inner.shape, bool)
    starts[:, :, 1:] = (inner[:, :, 1:] != inner[:, :, :-1]) | (known[:, :, 1:] != known[:, :, :-1]) \
        | (there[:, :, 1:] != there[:, :, :-1])
    tile, row, column = np.nonzero(starts)
    drawn = (row * cell_height < shown) & there[tile, row, column]
    tile, row, column = tile[drawn], row[drawn], column[drawn]
    length = np.diff(np.append(np.flatnonzero(starts.reshape(-1)), inner.size))[drawn]
    if len(tile) > MOST_CELLS:
        _draw_enlarged(mark, on)
        return
    hatched: dict[tuple[int, int, int], list[QRectF]] = {}
    # Each rectangle reaches half a cell under the next one, so that no viewer shows a seam between them.
    under = 0.5 if mark.opacity == 1 and mark.covered is None else 0.0
    for k, r, c, n in zip(tile.tolist(), row.tolist(), column.tolist(), length.tolist(), strict=True):
        x, y = mark.tile_origin(k)
        right = min(c + n + under, columns) * cell_width
        bottom = min((r + 1 + under) * cell_height, rows * cell_height, shown)
        if known[k, r, c]:
            area = QRectF(x + c * cell_width, y + r * cell_height, right - c * cell_width, bottom - r * cell_height)
            tint = QColor.fromRgb(int(inner[k, r, c]))
            tint.setAlphaF(mark.opacity)
            on.painter.fillRect(area, tint)
            continue
        area = QRectF(x + c * cell_width, y + r * cell_height, n * cell_width,
                      min(cell_height, shown - r * cell_height))
        above = hatched.setdefault((k, c, n), [])
        if above and above[-1].bottom() == area.top():
            above[-1].setBottom(area.bottom())
        else:
            above.append(area)
    if hatched:
        _hatch(chain.from_iterable(hatched.values()), on, mark.opacity)
    if mark.border:
        for k in range(tiles):
            x, y = mark.tile_origin(k)
            _draw_rect(Rect(x, y, columns * cell_width, shown, stroke=mark.border, inside=True, opacity=mark.opacity),
                       on)


def _draw_enlarged(mark: Image, on: _Surface) -> None:
    """An image in which every value is a block of up to 16 pixels, so that smoothing does not reach its middle."""
    columns, tile_rows = min(mark.columns, len(mark.values)), -(-len(mark.values) // mark.columns)
    width = mark.stride[0] * (columns - 1) + mark.tile_size[0]
    height = mark.stride[1] * (tile_rows - 1) + mark.tile_size[1]
    factor = max(1.0, min(16 / min(mark.cell), 4096 / max(width, height)))
    at_zero = replace(mark, x=0.0, y=0.0)
    pixels, _, _, opaque = compose(at_zero, on.theme, (factor, factor))
    image = _as_image(pixels, opaque)
    on.painter.setOpacity(mark.opacity)
    on.painter.drawImage(QRectF(mark.x, mark.y, pixels.shape[1] / factor, pixels.shape[0] / factor), image)
    on.painter.setOpacity(1)


_DRAW: dict[type[Mark], Callable[[Any, _Surface], None]] = {
    Image: _draw_image, Rect: _draw_rect, Line: _draw_line, Path: _draw_path, Text: _draw_text,
}


def _same(one: Mark, other: Mark) -> bool:
    if one is other:
        return True
    if not isinstance(one, Image) or not isinstance(other, Image):
        return one == other
    return all(_same_value(getattr(one, part.name), getattr(other, part.name)) for part in fields(Image)
               if part.compare)


def _same_value(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one is other or np.array_equal(one, other)
    return one == other
