"""Style: the theme's tokens as Qt colours, palette and fonts. One app wears one theme at a time."""

from __future__ import annotations

from functools import cache
from weakref import WeakKeyDictionary

from PySide6.QtCore import QEvent, QLocale, QObject, QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QHelpEvent, QPainter, QPainterPath, QPalette, QPen
from PySide6.QtWidgets import QApplication, QStyle, QToolTip, QWidget

from visualizer import glossary, language, paint
from visualizer.scene import colour
from visualizer.scene import type as letters

Role = QPalette.ColorRole
ROLES = {
    Role.Window: "window", Role.WindowText: "ink", Role.Base: "stage", Role.AlternateBase: "sunk", Role.Text: "ink",
    Role.Button: "raised", Role.ButtonText: "ink", Role.BrightText: "negative-text", Role.ToolTipBase: "raised",
    Role.ToolTipText: "ink", Role.PlaceholderText: "ink-2", Role.Highlight: "tint", Role.HighlightedText: "accent-ink",
    Role.Link: "accent-ink", Role.Accent: "accent", Role.Light: "raised", Role.Midlight: "hair", Role.Mid: "rule",
    Role.Dark: "rule", Role.Shadow: "hair",
}
"""Which token each part of Qt's own widgets (menus, tables, dialogs) wears."""

SCROLL = """
QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {rule}; border-radius: 3px; margin: 2px; min-height: 28px; min-width: 28px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""


TABLE = """
QTableView {{ background: {stage}; color: {ink}; gridline-color: {hair}; border: 1px solid {hair};
              selection-background-color: {tint}; selection-color: {accent}; }}
QHeaderView, QHeaderView::section, QTableCornerButton::section {{ background: {window}; color: {quiet}; border: none;
              padding: 0 6px; }}
""" + SCROLL


def wear(app: QApplication, theme: str) -> None:
    """Give the whole app the colours of a theme; every widget is told and draws itself anew."""
    app.setProperty("theme", theme)
    dressed = palette(theme)
    app.setPalette(dressed)
    QToolTip.setPalette(dressed)
    for widget in app.allWidgets():
        widget.update()


def theme_name() -> str:
    """The theme that the app wears."""
    app = QApplication.instance()
    return str(app.property("theme") or "light") if app else "light"


def is_dark() -> bool:
    """Whether the theme that is worn is a dark one: its ink is lighter than its ground."""
    return color("ink").lightness() > color("stage").lightness()


def color(token: str, theme: str = "") -> QColor:
    """A token of the theme that is worn; a new QColor that may be changed."""
    return QColor(*colour.resolve(theme or theme_name(), token))


def palette(theme: str) -> QPalette:
    """Qt's palette in the tokens of a theme."""
    made = QPalette()
    for role, token in ROLES.items():
        made.setColor(role, color(token, theme))
    for role in (Role.WindowText, Role.Text, Role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, color("rule", theme))
    return made


def scroll_sheet() -> str:
    """Thin scroll bars in the colours of the theme."""
    return SCROLL.format(rule=color("rule").name())


def table_sheet() -> str:
    """A table in the colours of the theme."""
    names = {"stage": "stage", "ink": "ink", "hair": "hair", "tint": "tint", "accent": "accent-ink", "window": "window",
             "quiet": "ink-2", "rule": "rule"}
    return TABLE.format(**{name: color(token).name() for name, token in names.items()})


def font(size: int = 13, weight: int = 500, mono: bool = False) -> QFont:
    """A bundled font of that many pixels."""
    return QFont(paint.font(size, letters.face(weight, mono=mono)))


@cache
def _metrics(size: int, weight: int, mono: bool) -> QFontMetricsF:
    return QFontMetricsF(font(size, weight, mono))


def text_width(text: str, size: int = 13, weight: int = 500, mono: bool = False) -> float:
    """Width of a line in pixels."""
    return _metrics(size, weight, mono).horizontalAdvance(text)


def write(painter: QPainter, text: str, x: float, baseline: float, token: str = "ink", *, size: int = 13,
          weight: int = 500, mono: bool = False, anchor: str = "start", width: float = 0) -> float:
    """One line of text by its baseline, elided to `width` if that is given; returns the width it took."""
    metrics, whole = _metrics(size, weight, mono), text
    if width:
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)
    if text != whole and isinstance(widget := painter.device(), QWidget):
        left = x - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
        _told_whole(widget, painter.worldTransform().mapRect(
            QRectF(left, baseline - metrics.ascent(), width, metrics.height())), whole)
    used = metrics.horizontalAdvance(text)
    painter.setFont(font(size, weight, mono))
    painter.setPen(color(token))
    painter.setLayoutDirection(direction_of(whole))
    painter.drawText(QRectF(x - {"start": 0.0, "middle": used / 2, "end": used}[anchor], baseline - metrics.ascent(),
                            used + 2, metrics.height()), Qt.AlignmentFlag.AlignLeft |
                     Qt.AlignmentFlag.AlignAbsolute | Qt.TextFlag.TextSingleLine, text)
    return used


class _Whole(QObject):
    """Says all of words that were cut, where the mouse rests on them, of a widget that has no tip of its own."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and isinstance(watched, QWidget) \
                and not watched.toolTip() and (words := cut_at(watched, event.pos())):
            QToolTip.showText(event.globalPos(), words, watched)
            return True
        return False


_whole = _Whole()
_cut: WeakKeyDictionary[QWidget, dict[tuple[int, int], tuple[QRectF, str]]] = WeakKeyDictionary()
"""Which words were cut where, as each widget was painted last."""


def _told_whole(widget: QWidget, place: QRectF, words: str) -> None:
    if widget not in _cut:
        widget.installEventFilter(_whole)
    _cut.setdefault(widget, {})[round(place.x()), round(place.y())] = place, words


def paints_anew(widget: QWidget) -> None:
    """A widget begins to paint: what was cut in it before is cut no more."""
    if widget in _cut:
        _cut[widget].clear()


def cut_at(widget: QWidget, place: QPoint) -> str:
    """All of the words that stand cut at a place of a widget; empty where none do."""
    return next((words for where, words in _cut.get(widget, {}).values() if where.contains(place)), "")


def fill(painter: QPainter, place: QRectF, token: str, radius: float = 0, line: str = "") -> None:
    """A rounded area, with a hairline inside its edge if `line` names a token."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(color(token) if token else Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(color(line), 1) if line else Qt.PenStyle.NoPen)
    painter.drawRoundedRect(place.adjusted(0.5, 0.5, -0.5, -0.5) if line else place, radius, radius)
    painter.restore()


def system_language() -> str:
    """The language that the person has chosen for the system, as far as it can be spoken here; else English."""
    return language.nearest(QLocale.system().uiLanguages())


def name(widget: QWidget, words: str, tip: str = "") -> None:
    """What a widget is called by a screen reader, and what its tooltip says: with what a word means that is in its
    name."""
    meant = glossary.explained(words, 1)
    widget.setAccessibleName(words)
    widget.setToolTip("\n\n".join(said for said in (tip, meant) if said))
    if tip:
        widget.setAccessibleDescription(tip)


def direction_of(words: str) -> Qt.LayoutDirection:
    """In which direction words are written, whatever surrounds them."""
    return Qt.LayoutDirection.RightToLeft if language.reads_leftwards(words) else Qt.LayoutDirection.LeftToRight


def put(widget: QWidget, x: int, y: int, wide: int, high: int) -> None:
    """Give a widget its place in what holds it, counted from where one begins to read: from the right in a language
    that is written leftwards."""
    place, holder = QRect(x, y, wide, high), widget.parentWidget()
    widget.setGeometry(QStyle.visualRect(widget.layoutDirection(), holder.rect(), place) if holder else place)


def turn(app: QApplication) -> None:
    """Lay the app out in the direction in which the language that is spoken is written. What a picture shows keeps its
    own: time and matrices go on to the right."""
    app.setLayoutDirection(Qt.LayoutDirection.RightToLeft if language.manner().leftwards else
                           Qt.LayoutDirection.LeftToRight)


def hatch(painter: QPainter, place: QRectF, radius: float = 0) -> None:
    """The pattern that means: no value here."""
    painter.save()
    clip = QPainterPath()
    clip.addRoundedRect(place, radius, radius)
    painter.setClipPath(clip)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(color("hatch"), 1))
    step = 5 * 2 ** 0.5
    x = place.left() - place.height()
    while x < place.right():
        painter.drawLine(QPointF(x, place.bottom()), QPointF(x + place.height(), place.top()))
        x += step
    painter.restore()
