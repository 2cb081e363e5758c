"""Icons, drawn as paths in a box of 20 x 20: crisp at every scale, coloured by the theme, no image files."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

BOX = 20.0
"""Side of the box that every path is drawn in."""


def draw(painter: QPainter, name: str, place: QRectF, color: QColor, width: float = 1.5) -> None:
    """Draw an icon, scaled to fit and centred in `place`; its lines are `width` pixels wide. Raises KeyError."""
    path, filled = ICONS[name]()
    scale = min(place.width(), place.height()) / BOX
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(place.center().x() - BOX * scale / 2, place.center().y() - BOX * scale / 2)
    painter.scale(scale, scale)
    if filled:
        painter.fillPath(path, color)
    else:
        painter.strokePath(path, QPen(color, width / scale, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap,
                                      Qt.PenJoinStyle.RoundJoin))
    painter.restore()


def draw_mark(painter: QPainter, place: QRectF, accent: QColor, strong: QColor) -> None:
    """The mark of the app: a small map of 4 x 4 cells that is stronger along one stroke."""
    side = place.width() / 4
    painter.save()
    for row, weights in enumerate(MARK):
        for column, weight in enumerate(weights):
            color = QColor(strong if weight == 3 else accent)
            color.setAlphaF((0.3, 0.55, 1.0, 1.0)[weight])
            painter.fillRect(QRectF(place.x() + column * side, place.y() + row * side, side - 1, side - 1), color)
    painter.restore()


MARK = ((3, 2, 1, 0), (2, 3, 2, 1), (1, 2, 3, 2), (0, 1, 2, 3))

Drawn = tuple[QPainterPath, bool]


def _lines(*strokes: tuple[tuple[float, float], ...], closed: bool = False) -> QPainterPath:
    path = QPainterPath()
    for stroke in strokes:
        path.moveTo(*stroke[0])
        for point in stroke[1:]:
            path.lineTo(*point)
        if closed:
            path.closeSubpath()
    return path


@cache
def _present() -> Drawn:
    path = _lines(((10, 14.5), (10, 17)), ((6.5, 17), (13.5, 17)))
    path.addRoundedRect(QRectF(2.5, 3.5, 15, 11), 1.5, 1.5)
    return path, False


@cache
def _export() -> Drawn:
    return _lines(((10, 12.5), (10, 2.5)), ((6.5, 6), (10, 2.5), (13.5, 6)),
                  ((3, 11), (3, 17), (17, 17), (17, 11))), False


@cache
def _pencil() -> Drawn:
    return _lines(((3.5, 16.5), (4.5, 12.5), (13.5, 3.5), (16.5, 6.5), (7.5, 15.5), (3.5, 16.5)),
                  ((11.5, 5.5), (14.5, 8.5))), False


@cache
def _folder() -> Drawn:
    return _lines(((2.5, 16), (2.5, 4.5), (8, 4.5), (10, 7), (17.5, 7), (17.5, 16)), closed=True), False


@cache
def _first() -> Drawn:
    return _lines(((9.5, 4.5), (4, 10), (9.5, 15.5)), ((15.5, 4.5), (10, 10), (15.5, 15.5))), False


@cache
def _last() -> Drawn:
    return _lines(((4.5, 4.5), (10, 10), (4.5, 15.5)), ((10.5, 4.5), (16, 10), (10.5, 15.5))), False


@cache
def _previous() -> Drawn:
    path = _lines(((16, 3.5), (16, 16.5), (7, 10)), closed=True)
    path.addRect(QRectF(4, 3.5, 2.2, 13))
    return path, True


@cache
def _next() -> Drawn:
    path = _lines(((4, 3.5), (4, 16.5), (13, 10)), closed=True)
    path.addRect(QRectF(13.8, 3.5, 2.2, 13))
    return path, True


@cache
def _play() -> Drawn:
    return _lines(((5.5, 3), (5.5, 17), (17, 10)), closed=True), True


@cache
def _play_back() -> Drawn:
    return _lines(((14.5, 3), (14.5, 17), (3, 10)), closed=True), True


@cache
def _pause() -> Drawn:
    path = QPainterPath()
    path.addRect(QRectF(4.5, 3.5, 4, 13))
    path.addRect(QRectF(11.5, 3.5, 4, 13))
    return path, True


@cache
def _forward() -> Drawn:
    return _lines(((2.5, 10), (17.5, 10)), ((13.5, 6.5), (17.5, 10), (13.5, 13.5))), False


@cache
def _backward() -> Drawn:
    return _lines(((17.5, 10), (2.5, 10)), ((6.5, 6.5), (2.5, 10), (6.5, 13.5))), False


@cache
def _chevron() -> Drawn:
    return _lines(((7.5, 5), (12.5, 10), (7.5, 15))), False


@cache
def _down() -> Drawn:
    return _lines(((5, 7.5), (10, 12.5), (15, 7.5))), False


@cache
def _tick() -> Drawn:
    return _lines(((4.5, 10.5), (8.5, 14.5), (15.5, 6))), False


@cache
def _cross() -> Drawn:
    return _lines(((5, 5), (15, 15)), ((15, 5), (5, 15))), False


@cache
def _models() -> Drawn:
    path = QPainterPath()
    for row in range(3):
        for column in range(3):
            path.addRect(QRectF(3 + 5 * column, 3 + 5 * row, 4, 4))
    return path, True


@cache
def _options() -> Drawn:
    path = _lines(((2.5, 6.5), (9.5, 6.5)), ((14.5, 6.5), (17.5, 6.5)), ((2.5, 13.5), (5.5, 13.5)),
                  ((10.5, 13.5), (17.5, 13.5)))
    path.addEllipse(QRectF(9.5, 4, 5, 5))
    path.addEllipse(QRectF(5.5, 11, 5, 5))
    return path, False


@cache
def _eraser() -> Drawn:
    return _lines(((3, 12), (11, 4), (17, 10), (10, 17), (8, 17), (3, 12)), ((7, 8), (13, 14)),
                  ((10, 17), (17, 17))), False


@cache
def _home() -> Drawn:
    return _lines(((3, 10), (10, 3), (17, 10)), ((5, 8.5), (5, 16.5), (15, 16.5), (15, 8.5))), False


@cache
def _search() -> Drawn:
    path = _lines(((12.4, 12.4), (17, 17)))
    path.addEllipse(QRectF(3, 3, 11, 11))
    return path, False


@cache
def _lens() -> Drawn:
    path = _lines(((12.4, 12.4), (17, 17)), ((5.6, 8.5), (11.4, 8.5)), ((8.5, 5.6), (8.5, 11.4)))
    path.addEllipse(QRectF(3, 3, 11, 11))
    return path, False


@cache
def _laboratory() -> Drawn:
    return _lines(((7.5, 2.5), (7.5, 8), (3.5, 15.5), (5, 17.5), (15, 17.5), (16.5, 15.5), (12.5, 8), (12.5, 2.5)),
                  ((6, 2.5), (14, 2.5)), ((5.6, 12), (14.4, 12))), False


@cache
def _untrained() -> Drawn:
    path = QPainterPath()
    for x, y, side in ((3, 3, 4), (9, 2, 2), (14, 4, 3), (2, 10, 2), (7, 8, 5), (15, 10, 2), (4, 15, 3), (11, 15, 2),
                       (15, 15, 3)):
        path.addRect(QRectF(x, y, side, side))
    return path, True


@cache
def _fold() -> Drawn:
    return _lines(((2.5, 5), (2.5, 15)), ((17.5, 5), (17.5, 15)), ((4.5, 10), (8.5, 10)), ((6.5, 8), (8.5, 10),
                  (6.5, 12)), ((15.5, 10), (11.5, 10)), ((13.5, 8), (11.5, 10), (13.5, 12))), False


@cache
def _theme() -> Drawn:
    path = QPainterPath()
    path.addEllipse(QRectF(3, 3, 14, 14))
    half = QPainterPath()
    half.moveTo(10, 4.8)
    half.arcTo(QRectF(4.8, 4.8, 10.4, 10.4), 90, -180)
    half.closeSubpath()
    return path.subtracted(half), True


@cache
def _film() -> Drawn:
    path = _lines(((2.5, 4), (17.5, 4), (17.5, 16), (2.5, 16)), closed=True)
    path.addPath(_lines(((6, 4), (6, 16)), ((14, 4), (14, 16)), ((2.5, 10), (6, 10)), ((14, 10), (17.5, 10))))
    return path, False


@cache
def _die() -> Drawn:
    path = QPainterPath()
    path.addRoundedRect(QRectF(3, 3, 14, 14), 3, 3)
    for x, y in ((7, 7), (13, 7), (10, 10), (7, 13), (13, 13)):
        path.addEllipse(QRectF(x - 0.6, y - 0.6, 1.2, 1.2))
    return path, False


@cache
def _microphone() -> Drawn:
    path = _lines(((10, 15), (10, 18)), ((6.5, 18), (13.5, 18)))
    path.addRoundedRect(QRectF(7.25, 2, 5.5, 9.5), 2.75, 2.75)
    path.moveTo(4.5, 9.5)
    path.cubicTo(4.5, 16.8, 15.5, 16.8, 15.5, 9.5)
    return path, False


@cache
def _camera() -> Drawn:
    path = _lines(((2, 6), (6, 6), (7.5, 3.5), (12.5, 3.5), (14, 6), (18, 6), (18, 16), (2, 16)), closed=True)
    path.addEllipse(QRectF(6.75, 7.5, 6.5, 6.5))
    return path, False


ICONS: dict[str, Callable[[], Drawn]] = {
    "present": _present, "export": _export, "pencil": _pencil, "folder": _folder, "first": _first, "last": _last,
    "previous": _previous, "next": _next, "play": _play, "play-back": _play_back, "pause": _pause,
    "forward": _forward, "backward": _backward, "chevron": _chevron, "down": _down, "tick": _tick, "cross": _cross,
    "die": _die, "models": _models, "eraser": _eraser, "options": _options, "search": _search, "home": _home,
    "lens": _lens,
    "laboratory": _laboratory, "untrained": _untrained, "fold": _fold, "theme": _theme, "film": _film,
    "microphone": _microphone, "camera": _camera,
}
