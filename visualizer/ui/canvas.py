"""A widget that shows a Picture: paints it, finds what lies under the pointer, lights it, says what it is."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from visualizer import glossary, paint
from visualizer.scene.outline import CELL, STRETCH, Branch, outline
from visualizer.scene.picture import (
    BEAT,
    LEGEND,
    SENTENCE,
    Focus,
    Group,
    Image,
    Mark,
    Picture,
    Rect,
    Spot,
    Text,
    box_of,
    place_in,
)
from visualizer.ui import faults, style, words
from visualizer.ui.heard import Heard, Told, speak, tell, told_stretch

EMPTY = Picture((1, 1), ())
LEFT, NO_BUTTON = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
LIT_IN, LIT_OUT = 0.15, 0.1
"""Seconds in which an outline comes and goes."""
MOST_ZOOM = 16.0
AROUND = 12
"""Pixels around what is brought into view."""
SHORT = 40
"""Characters of a label; of what is longer only the words around the pointer are explained."""
SINGLE_CELL = 8.0
"""Pixels; smaller cells are lit with their whole tile, the pixel is said by the tooltip."""


class Canvas(QWidget):
    """Shows one Picture at a zoom."""

    heard_as = QAccessible.Role.Chart
    hovered = Signal(object)
    """The Focus under the pointer, or None."""
    clicked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        speak()
        self.heard: Heard | None = None
        """Who speaks for the parts of the picture, once somebody has asked."""
        self.picture = EMPTY
        self.zoom = 1.0
        self.corner = QPointF(0, 0)
        """Where the picture's top left corner stands in the widget."""
        self.lit: Focus | None = None
        self.glide: Callable[..., None] | None = None
        """The player's; without it everything is cut."""
        self._strengths: dict[Focus, float] = {}
        """How much of each outline is seen, those that go included."""
        self.stills = paint.Stills()
        self.moves = False
        """It shows one frame after the other: on a very large screen each at half of its resolution."""
        self.setMouseTracking(True)

    def show_picture(self, picture: Picture) -> None:
        """Show another picture; of the same still part, only what moves is painted again."""
        self.picture = picture
        self.setAccessibleDescription(picture.caption)
        self.update()
        if not self.moves and self.standing is picture:
            tell(self)

    @property
    def standing(self) -> Picture:
        """What is shown, or will be when all that moves has come to its end."""
        return self.picture

    def set_moving(self, moves: bool) -> None:
        """Whether one frame follows the other from now on; what rests is drawn anew, as sharp as the screen."""
        sharper, self.moves = self.moves and not moves, moves
        if sharper and self.width() * self.height() * self.devicePixelRatioF() ** 2 > paint.MOST_SHARP:
            self.update()

    def light(self, focus: Focus | None) -> None:
        """Outline everything in the picture that stands for the same thing."""
        if focus == self.lit:
            return
        gone, self.lit = self.lit, focus
        for one, lasts, away in ((gone, LIT_OUT, True), (focus, LIT_IN, False)):
            if one is not None:
                self._fade(one, lasts, away)

    def _fade(self, focus: Focus, lasts: float, away: bool) -> None:
        start = self._strengths.get(focus, 0.0)

        def show(share: float) -> None:
            eased = 1 - (1 - share) ** 2
            self._strengths[focus] = start * (1 - eased) if away else start + (1 - start) * eased
            if away and share == 1:
                del self._strengths[focus]
            self.update()

        if self.glide is None:
            show(1.0)
        else:
            self.glide((self, focus), lasts, show)

    def alike(self, focus: Focus) -> tuple[Focus, ...]:
        """Whatever is the same thing; whoever knows the trace overrides this."""
        return (focus,)

    def sizeHint(self) -> QSize:
        return QSize(*self.picture.size)

    def zoom_by(self, factor: float, around: QPointF | None = None) -> None:
        """Enlarge around a point of the widget (its middle); never smaller than whole."""
        around = around or QPointF(self.width() / 2, self.height() / 2)
        zoom = min(max(self.zoom * factor, 1.0), MOST_ZOOM)
        self.corner = around - (around - self.corner) * (zoom / self.zoom)
        self.zoom = zoom
        self.keep_inside()

    def zoom_on(self, factor: float) -> None:
        """Enlarge what one looks at: around the middle."""
        self.zoom_by(factor)

    def reset_zoom(self) -> None:
        """The whole picture again."""
        self.zoom, self.corner = 1.0, QPointF(0, 0)
        self.update()

    @property
    def roams(self) -> bool:
        """Whether more of the picture is there than is seen: it can be moved then."""
        wide, high = self.picture.size
        return self.zoom > 1 or wide > self.width() or high > self.height()

    def move_on(self, right: int, down: int) -> None:
        """See what lies further to the right or further down, a quarter of what is seen at a time."""
        self.corner -= QPointF(right * self.width() / 4, down * self.height() / 4)
        self.keep_inside()

    def keep_inside(self) -> None:
        """No empty margin beyond the picture's edges."""
        wide, high = self.picture.size
        least_x, least_y = self.width() - max(wide, self.width()) * self.zoom, \
            self.height() - max(high, self.height()) * self.zoom
        self.corner = QPointF(min(0.0, max(least_x, self.corner.x())), min(0.0, max(least_y, self.corner.y())))
        self.update()

    def bring_into_view(self, place: QRectF) -> None:
        """Move the picture until a place of it is seen, as far as it fits."""
        at, room = QRectF(self.corner + place.topLeft() * self.zoom, place.size() * self.zoom), QRectF(self.rect())
        right, down = (max(0.0, end - most) if end > most else min(0.0, start) for start, end, most in (
            (at.left() - AROUND, at.right() + AROUND, room.width()),
            (at.top() - AROUND, at.bottom() + AROUND, room.height())))
        if self.roams and (right or down):
            self.corner -= QPointF(right, down)
            self.keep_inside()

    def to_picture(self, point: QPointF) -> tuple[float, float]:
        """A point of the widget in pixels of the picture."""
        at = (point - self.corner) / self.zoom
        return at.x(), at.y()

    def focus_at(self, point: QPointF) -> Focus | None:
        """What lies under a point of the widget, or so near that it is meant."""
        return self.picture.near(*self.to_picture(point))

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            self.draw(painter)

    def draw(self, painter: QPainter) -> None:
        """The picture, and what is lit. Enlarged, only what is seen is painted, as sharp as ever."""
        with paint.saved(painter):
            painter.translate(self.corner)
            painter.scale(self.zoom, self.zoom)
            if self.zoom == 1:
                self.stills.paint(self.picture, painter, self.moves)
            else:
                paint.paint(self.picture, painter)
        self.draw_lit(painter)

    def draw_lit(self, painter: QPainter) -> None:
        """A line of the accent, with a halo of the ground, around each place of what is hovered."""
        with paint.saved(painter):
            for focus, strength in self._strengths.items():
                if focus.array != BEAT:
                    painter.setOpacity(strength)
                    for place in {tuple(place.getRect()): place for one in self.alike(focus)
                                  for place in places(self.picture, one)}.values():
                        self.outline(painter, place, 1.75)

    def outline(self, painter: QPainter, place: QRectF, distance: float, width: float = 1.5) -> None:
        """A line of the accent around a place of the picture, at a distance in pixels of the widget, with a halo."""
        around = QRectF(self.corner.x() + place.x() * self.zoom, self.corner.y() + place.y() * self.zoom,
                        place.width() * self.zoom, place.height() * self.zoom).adjusted(-distance, -distance, distance,
                                                                                        distance)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for token, wide in ((self.picture.background, width + 2.5), ("accent", width)):
            painter.setPen(QPen(style.color(token), wide, Qt.PenStyle.SolidLine, Qt.PenCapStyle.SquareCap,
                                Qt.PenJoinStyle.MiterJoin))
            painter.drawRect(around)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not event.buttons():
            self.hovered.emit(self.focus_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self.hovered.emit(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(self.focus_at(event.position()))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            words = self.tip_at(QPointF(event.pos()))
            if words:
                QToolTip.showText(event.globalPos(), words, self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def tip_at(self, point: QPointF) -> str:
        """What the tooltip says there: of the thing, and what the words mean that stand there."""
        meant = glossary.explained(words_at(self.picture, *self.to_picture(point)))
        return "\n\n".join(said for said in (self.thing_at(point), meant) if said)

    def thing_at(self, point: QPointF) -> str:
        """What lies there; the mark's own words, or nothing."""
        at = self.to_picture(point)
        found, spot = self.picture.mark_at(*at), self.picture.spot_at(*at)
        if found is None or spot is None:
            group = self.picture.group_at(*at)
            return "" if group is None else self.describe_group(group)
        return (found[0].tip if isinstance(found[0], Rect) else "") or self.describe(spot)

    def describe(self, spot: Spot) -> str:
        """Words for a cell of the picture; whoever knows the trace overrides this."""
        return spot.focus.layer

    def describe_group(self, group: Group) -> str:
        """Words for a part of the picture that leads nowhere: its sentence in full, the meaning of its colours."""
        if group == SENTENCE:
            return self.picture.caption
        if group == LEGEND:
            return "\n".join(words.scale(scale) for scale in self.picture.scales)
        return words.group(group)

    # --- what a screen reader hears ---

    def heard_source(self) -> object:
        """The picture; while one frame follows the other, that of the last one that was asked for."""
        return self.heard.source if self.moves and self.heard is not None and self.heard.source else self.standing

    def heard_parts(self) -> tuple[Branch, ...]:
        """The groups, maps and cells of the picture."""
        return outline(self.standing)

    def heard_told(self, part: Branch) -> Told:
        """What the tooltip says of a part, and its number."""
        if part.what == STRETCH:
            return told_stretch(self.heard_told, part)
        said = part.said or (self.describe(part.spot) if part.spot is not None else "")
        name, _, more = said.partition("\n")
        if not name:
            name = words.group(part.group) if part.spot is None and part.group is not None else \
                part.spot.focus.layer if part.spot is not None else ""
        return Told(name, more.replace("\n", ", "),
                    self.number_of(part.spot) if part.what == CELL and part.spot is not None else None)

    def heard_place(self, part: Branch) -> QRect:
        """Where it is seen."""
        left, top, wide, high = part.place
        return QRectF(self.corner.x() + left * self.zoom, self.corner.y() + top * self.zoom, wide * self.zoom,
                      high * self.zoom).toAlignedRect()

    def heard_chosen(self, part: Branch) -> bool:
        """Whether it is lit."""
        return part.spot is not None and part.spot.focus == self.lit

    def heard_reached(self) -> tuple[float, float] | None:
        """The keyboard does not walk in a picture; where it does overrides this."""
        return None

    def heard_press(self, part: Branch) -> None:
        """As a click in its middle."""
        at = QPointF(self.heard_place(part).center())
        for kind, held in ((QEvent.Type.MouseButtonPress, LEFT), (QEvent.Type.MouseButtonRelease, NO_BUTTON)):
            QApplication.sendEvent(self, QMouseEvent(kind, at, self.mapToGlobal(at), LEFT, held,
                                                     Qt.KeyboardModifier.NoModifier))

    def heard_reach(self, part: Branch) -> None:
        """The keyboard comes to the picture, and what is meant lights up."""
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.hovered.emit(None if part.spot is None else part.spot.focus)

    def number_of(self, spot: Spot) -> float | None:
        """The number of a cell; whoever knows the trace overrides this."""
        return None


def words_at(picture: Picture, x: float, y: float) -> str:
    """The words that stand under a point: those of a label, or of a sentence the ones around the point."""
    for mark in reversed((*picture.still, *picture.moving)):
        if isinstance(mark, Text):
            left, top, wide, high = box_of(mark)
            if left <= x < left + wide and top <= y < top + high:
                said = "".join(run.text for run in mark.runs)
                return said if len(said) <= SHORT else _around(said, (x - left) / wide)
    return ""


def _around(said: str, share: float) -> str:
    """The word at that share of a line, and its neighbours: `of the forget gate is`."""
    at = round(share * len(said))
    first = said.rfind(" ", 0, max(0, said.rfind(" ", 0, at)))
    last = said.find(" ", said.find(" ", at) + 1)
    return said[first + 1:last if last > at else None]


def places(picture: Picture, focus: Focus) -> list[QRectF]:
    """Where a picture shows a thing: the tile, the cell in it, the bar, the row of a list."""
    found: list[QRectF] = []
    for mark in picture:
        if mark.focus is None or mark.focus.layer != focus.layer or mark.focus.array != focus.array:
            continue
        place = _place_in(mark, focus)
        if place is not None:
            found.append(place)
    return found


def _place_in(mark: Mark, focus: Focus) -> QRectF | None:
    assert mark.focus is not None
    if isinstance(mark, Image):
        found = place_in(mark, focus, SINGLE_CELL)
        return None if found is None else QRectF(*found)
    if isinstance(mark, Rect) and mark.focus.cell and _same(mark.focus, focus):
        return QRectF(mark.x, mark.y, mark.width, mark.height)
    return None


def _same(one: Focus, other: Focus) -> bool:
    return one.cell == other.cell
