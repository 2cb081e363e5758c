"""The start screen: what to play first, questions and networks as cards, and whatever is searched. Nothing moves by
itself, and no number on it is not counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QEnterEvent,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from visualizer import paint, start
from visualizer.language import in_quotes, tr, translated
from visualizer.scene import numbers
from visualizer.scene.overture import overture
from visualizer.scene.picture import Look, Picture
from visualizer.scene.timeline import FORWARD, timeline
from visualizer.scene.type import plain_lines
from visualizer.start import NETWORKS, StartCard
from visualizer.trace import Trace
from visualizer.ui import faults, icons, recent, style, teaching
from visualizer.ui.buttons import ARROWS, Button, keeps
from visualizer.ui.commands import find, key_for, keyed
from visualizer.ui.gallery import BEATS, Gallery
from visualizer.ui.shell import BOTTOM, COMPACT_BELOW, WIDE
from visualizer.ui.shipped import shipped_trace
from visualizer.ui.thumbs import draw_thumb, thumb

Key = Qt.Key
EDGE, GUTTER = 24, 16
HERO, HEADING = 216, 34
CARD, PICTURE = QSize(200, 222), 132
"""Smallest width and the height of a card, and the height of its picture."""
MOST_FOUND = 60
"""So many of what was searched are shown."""
MOST_RECENT = 5
UNCOVERS = 1.2
"""Seconds in which the strip of the first card uncovers under the pointer."""
BEAT = 0.6
"""Seconds that each beat of a card stands under the pointer."""


@dataclass(frozen=True)
class Placed:
    """Where the cards of a page stand."""

    headings: tuple[tuple[str, int, int, int], ...]
    """(group, x, y, width)."""
    cards: tuple[QRect, ...]
    high: int


def arranged(groups: Sequence[str], wide: int, top: int) -> Placed:
    """Cards in rows, those of a group beside each other under their heading; a group that does not fit into what is
    left of a row begins the next one. `groups` names the group of each card."""
    columns = max(1, (wide + GUTTER) // (CARD.width() + GUTTER))
    each = (wide - GUTTER * (columns - 1)) // columns
    headings: list[tuple[str, int, int, int]] = []
    cards: list[QRect] = []
    column, row, continued = 0, top, False
    for number, group in enumerate(groups):
        begins = number == 0 or groups[number - 1] != group
        if begins:
            count = sum(other == group for other in groups)
            if column and (continued or column + min(count, columns) > columns):
                column, row = 0, row + HEADING + CARD.height()
            continued = False
            headings.append((group, column * (each + GUTTER), row, min(count, columns - column) * (each + GUTTER)
                             - GUTTER))
        elif column == columns:
            column, row, continued = 0, row + GUTTER + CARD.height(), True
        cards.append(QRect(column * (each + GUTTER), row + HEADING, each, CARD.height()))
        column += 1
        if column == columns and number + 1 < len(groups) and groups[number + 1] != group:
            column, row, continued = 0, row + HEADING + CARD.height(), False
    return Placed(tuple(headings), tuple(cards), (cards[-1].bottom() + 1 if cards else top) + EDGE)


class Start(QWidget):
    """Lies in the place of rail, stage, inspector and transport while nothing is looked at."""

    heard_as = QAccessible.Role.Grouping

    chosen = Signal(object)
    """A card."""
    played = Signal()
    """The first card."""
    file_chosen = Signal(str)
    """A file that was opened before."""
    back_wanted = Signal()
    """To the picture that was left."""

    def __init__(self, run: Callable[[str], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.run = run
        self.gallery = Gallery(self)
        self.glide: Callable[..., None] | None = None
        """The clock by which something moves under the pointer."""
        self.back = ""
        """What was left for the start screen; empty where nothing was."""
        self.page = Page(self)
        self.scroller = QScrollArea(self)
        self.scroller.setWidget(self.page)
        self.scroller.setFrameShape(QFrame.Shape.NoFrame)
        self.scroller.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroller.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rail = StartRail(self)
        self.gallery.made.connect(lambda name: self.page.update_card(name))
        self.scroller.verticalScrollBar().valueChanged.connect(lambda: self.page.wish())
        style.name(self, tr("Start screen"))
        self.dress()

    def dress(self) -> None:
        """What style sheets have to be told after the theme changed."""
        self.scroller.setStyleSheet(style.scroll_sheet())
        self.page.repicture()

    def search(self, words: str) -> None:
        """Show what is found in the place of the cards; nothing wanted: the cards again."""
        self.page.show_found(words)
        self.scroller.verticalScrollBar().setValue(0)

    def take_keyboard(self) -> None:
        """Enter plays."""
        self.page.play.setFocus(Qt.FocusReason.OtherFocusReason)

    def refresh(self, back: str) -> None:
        """Come up: what was opened meanwhile is offered, and the way back."""
        self.back = back
        self.rail.refresh()
        self.page.wish()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        narrow = self.width() < COMPACT_BELOW
        self.rail.setVisible(not narrow)
        left = 16 if narrow else WIDE
        self.rail.setGeometry(0, 0, WIDE, self.height() - BOTTOM)
        card = QRect(left, 0, self.width() - left - 16, self.height() - BOTTOM)
        self.scroller.setGeometry(card.adjusted(1, 8, -1, -8))
        self.page.fit(self.scroller.width())

    def paintEvent(self, event: QPaintEvent) -> None:
        left = 16 if self.width() < COMPACT_BELOW else WIDE
        with faults.painting(self) as painter:
            painter.fillRect(self.rect(), style.color("window"))
            style.fill(painter, QRectF(left, 0, self.width() - left - 16, self.height() - BOTTOM), "stage", 10, "hair")
            base = self.height() - BOTTOM / 2 + 4.7
            style.write(painter, hints(), left + 16, base, "ink-2", weight=400)
            if self.width() >= 1280:
                style.write(painter, tr("Everything runs on this computer, without a network connection"),
                            self.width() - 16, base, "ink-2", weight=400, anchor="end")


def hints() -> str:
    """What the keys do here."""
    return "   ·   ".join((tr("Enter plays"), tr("arrow keys walk the cards"),
                           tr("{key} searches").format(key=key_for("search")),
                           tr("{key} explains keys and words").format(key=key_for("keys"))))


# --- the page of cards ----------------------------------------------------------------------------------------------

class Page(QWidget):
    """The sentence, the first card, and the others group by group; or what was searched."""

    def __init__(self, parent: Start) -> None:
        super().__init__(parent)
        self.start = parent
        self.hero = start.hero()
        self.trace: Trace | None = None
        self.play = PlayButton(self)
        self.play.clicked.connect(parent.played)
        self.draw = Button(tr("or draw your own digit"), "", "link", self)
        self.draw.clicked.connect(lambda: parent.run("draw"))
        style.name(self.draw, tr("Draw your own digit"), keyed(find("draw").tip, "draw"))
        self.strip = Strip(self)
        self.cards: list[CardButton] = []
        self.stepped: CardButton | None = None
        """That which was pointed at last, by the mouse or by the keyboard, as long as it is."""
        self.waits = False
        """Whether its beats are still being made."""
        self.placed = Placed((), (), 0)
        self.words, self.kind, self.left_out = "", "", 0
        self.show_cards()

    @property
    def searching(self) -> bool:
        """Whether what was searched stands in the place of the first card and the groups."""
        return bool(self.words.strip()) or bool(self.kind)

    def show_cards(self) -> None:
        """The questions, then the main networks."""
        self.words = self.kind = ""
        self._show((card for card in (*start.questions(), *start.networks()) if not card.aside), 0)

    def show_found(self, words: str) -> None:
        """What has all these words in it."""
        if not words.strip():
            self.show_cards()
            return
        self.words, self.kind = words, ""
        found = start.searched(words, start.everything())
        self._show(found[:MOST_FOUND], len(found))

    def show_kind(self, kind: str) -> None:
        """All there are of a kind."""
        self.words, self.kind = "", kind
        found = [card for card in start.everything() if card.kind == kind]
        self._show(found[:MOST_FOUND], len(found))

    def _show(self, cards: Iterable[StartCard], found: int) -> None:
        self.start.gallery.forget_wishes()
        cards = list(cards)
        groups = list(dict.fromkeys(card.group for card in cards))
        cards.sort(key=lambda card: groups.index(card.group))
        self.stepped, self.waits = None, False
        for old in self.cards:
            old.hide()
            old.deleteLater()
        self.cards = [CardButton(card, self) for card in cards]
        for button in self.cards:
            button.clicked.connect(partial(self.start.chosen.emit, button.card))
            button.show()
        self.left_out = max(0, found - len(self.cards))
        self.found = found
        for widget in (self.play, self.draw, self.strip):
            widget.setVisible(not self.searching)
        self.fit(self.width())
        self.wish()

    def fit(self, wide: int) -> None:
        """Another width: place everything anew."""
        inner = wide - 2 * EDGE
        if inner < CARD.width():
            return
        self.trace = self.trace or shipped_trace(self.hero.state)
        top = 58 if self.searching else 58 + HERO + 24
        groups = [translated(button.card.group) for button in self.cards]
        self.placed = arranged(groups, inner, top)
        for button, place in zip(self.cards, self.placed.cards, strict=True):
            button.setGeometry(place.translated(EDGE, 0))
        self.play.setGeometry(EDGE + 28, 58 + 124, 214, 56)
        self.draw.setGeometry(EDGE + 28, 58 + 183, self.draw.sizeHint().width(), 28)
        left = EDGE + 28 + 320
        self.strip.setGeometry(left, 58 + 8, max(120, wide - EDGE - 24 - left), HERO - 14)
        self.strip.setVisible(not self.searching and wide - left > 300 and self.trace is not None)
        self.resize(wide, self.placed.high)
        self.update()

    def wish(self) -> None:
        """Have the pictures made of those cards that are seen, from the top down, then of the others."""
        if not self.isVisible():
            return
        seen = self.visibleRegion().boundingRect()
        self.start.gallery.forget_wishes()
        for button in sorted(self.cards, key=lambda each: not each.geometry().intersects(seen)):
            if button.geometry().intersects(seen) or not self.searching:
                button.look_for_picture()
        if self.waits and self.stepped is not None:
            self.start.gallery.beats(self.stepped.card, self.stepped.place())
        self.start.gallery.go_on()

    def update_card(self, name: str) -> None:
        """A picture has come."""
        for button in self.cards:
            if button.card.name == name:
                button.look_for_picture()
                if self.waits and button is self.stepped and self.start.gallery.beats(button.card, button.place()):
                    self.step_through(button)

    def step_through(self, button: CardButton) -> None:
        """Show the beats of a card one after the other, as soon as they are there; nothing with reduced motion."""
        if self.stepped is not None and self.stepped is not button:
            self.stand(self.stepped)
        if self.start.glide is not None and button.image is not None:
            self.stepped = button
            self.start.glide(self, BEATS * BEAT, self._step)

    def stand(self, button: CardButton) -> None:
        """The picture of a card, as it was."""
        if self.stepped is button and self.start.glide is not None:
            button.show_beat(None)
            self.stepped, self.waits = None, False
            self.start.glide(self, 0, self._step)

    def _step(self, share: float) -> None:
        if self.stepped is None or (self.waits and 0 < share < 1):
            return
        found = self.start.gallery.beats(self.stepped.card, self.stepped.place()) if share < 1 else ()
        self.stepped.show_beat(found[int(share * BEATS)] if found else None)
        if share == 0:
            self.waits = not found
            self.start.gallery.go_on()

    def repicture(self) -> None:
        """Another theme is worn: other pictures."""
        self.strip.repicture()
        for button in self.cards:
            button.image = button.beat = None
        self.wish()

    def showEvent(self, event: QEvent) -> None:  # type: ignore[override]
        self.wish()

    def walk(self, here: QWidget, across: int, down: int) -> None:
        """The keyboard to the card beside, above or below."""
        spots: list[Button] = [*([] if self.searching else [self.play]), *self.cards]
        centre = here.geometry().center()
        best, least = None, float("inf")
        for other in spots:
            way = other.geometry().center() - centre
            ahead = way.x() * across + way.y() * down
            aside = abs(way.x() * down) + abs(way.y() * across)
            if other is here or ahead <= 4 or (across and abs(way.y()) > CARD.height() // 2):
                continue
            if ahead + 3 * aside < least:
                best, least = other, ahead + 3 * aside
        if best is not None:
            best.setFocus(Qt.FocusReason.TabFocusReason)
            self.start.scroller.ensureWidgetVisible(best, 0, HEADING + 8)

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            self._write_sentence(painter)
            if not self.searching:
                self._draw_hero(painter)
            for group, x, y, wide in self.placed.headings:
                used = style.write(painter, group, EDGE + x, y + 20, "ink-2", weight=600, width=wide)
                if used + 10 < wide:
                    painter.fillRect(QRectF(EDGE + x + used + 10, y + 15, wide - used - 10, 1), style.color("hair"))

    def _write_sentence(self, painter: QPainter) -> None:
        x = float(EDGE)
        for words, token in self.sentence():
            x += style.write(painter, words, x, 38, token, size=17, weight=600 if token != "ink" else 500,
                             width=self.width() - x - EDGE)

    def sentence(self) -> list[tuple[str, str]]:
        """(words, token): how many networks there are, or how many were found."""
        if self.searching:
            what = in_quotes(self.words.strip()) if self.words.strip() else translated(self.kind)
            if not self.found:
                return [(tr("Nothing is called {what}; try a network, a digit or a question.").format(what=what),
                         "ink")]
            said = tr("{what}: {count} found.") if not self.left_out else \
                tr("{what}: {count} found; the first {shown} of them. Type more to narrow it down.")
            return [(said.format(what=what, count=numbers.count(self.found), shown=len(self.cards)), "ink")]
        count = dict(start.counts()).get(NETWORKS, 0)
        before, _, after = tr("Open a small network and watch every number it computes: {networks} are ready, or bring "
                              "your own.").partition("{networks}")
        return [(before, "ink"), (tr("{count} networks").format(count=count), "accent-ink"), (after, "ink")]

    def _draw_hero(self, painter: QPainter) -> None:
        """The ground of the first card, its title and two lines."""
        style.fill(painter, QRectF(EDGE, 58, self.width() - 2 * EDGE, HERO), "sunk", 10)
        style.write(painter, translated(self.hero.title), EDGE + 28, 58 + 46, size=24, weight=600)
        for number, line in enumerate(plain_lines(self.about(), 14, 300, 400)[:3]):
            style.write(painter, line, EDGE + 28, 58 + 70 + 19 * number, "ink-2", size=14, weight=400)

    def about(self) -> str:
        """What is played, in counted numbers."""
        trace = self.trace
        if trace is None:
            return ""
        beats = sum(beat.direction == FORWARD for beat in timeline(trace).beats)
        return tr("From {pixels} pixels to one answer in {beats} beats, {weights} weights, all of them to be opened.") \
            .format(pixels=numbers.count(trace.layers[0].output.size), beats=beats,
                    weights=numbers.count(trace.parameters))


class Strip(QWidget):
    """The forward pass that is played first, as one strip; under the pointer it uncovers once, from left to right."""

    heard_as = QAccessible.Role.Graphic

    def __init__(self, page: Page) -> None:
        super().__init__(page)
        self.page = page
        self.share = 1.0
        self._picture: Picture | None = None
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def repicture(self) -> None:
        self._picture = None
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._picture = None

    def enterEvent(self, event: QEvent) -> None:  # type: ignore[override]
        if self.page.start.glide is not None:
            self.page.start.glide(self, UNCOVERS, self._uncover)

    def mouseReleaseEvent(self, event: QEvent) -> None:  # type: ignore[override]
        self.page.start.played.emit()

    def _uncover(self, share: float) -> None:
        self.share = share
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.page.trace is None:
            return
        if self._picture is None:
            look = Look((self.width(), self.height()), style.theme_name())
            self._picture = overture(self.page.trace, self.page.hero.columns, look)
            style.name(self, self._picture.caption)
        with faults.painting(self) as painter:
            painter.setClipRect(QRectF(0, 0, self.width() * self.share, self.height()))
            paint.paint(self._picture, painter, transparent=True)


class CardButton(Button):
    """One card: its picture, its title, one line. Under the pointer, or when the keyboard comes, the picture steps once
    through the beats that lead to it."""

    def __init__(self, card: StartCard, page: Page) -> None:
        super().__init__(translated(card.title), "", "card", page)
        self.card, self.page = card, page
        self.image: QImage | None = None
        self.beat: QImage | None = None
        """What is shown in its place, on the way to it."""
        self.progress = teaching.how_far(card.lesson) if card.lesson else None
        """Of a lesson that was begun, how far one came in it."""
        style.name(self, ", ".join(filter(None, (translated(card.title), translated(card.line), self.reached()))))

    def sizeHint(self) -> QSize:
        return CARD

    def reached(self) -> str:
        """`step 4 of 8`, `Done`; empty for what is no lesson, or was never begun."""
        if self.progress is None:
            return ""
        it, at = self.progress
        return tr("Done") if at.ended else tr("step {number} of {count}").format(
            number=at.step + 1, count=len(it.steps))

    def event(self, event: QEvent) -> bool:
        return keeps(event, ARROWS) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        walk_or(self, self.page, event, super().keyPressEvent)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() is not Qt.FocusReason.ActiveWindowFocusReason:
            self.page.step_through(self)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.page.stand(self)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.page.step_through(self)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.page.stand(self)

    def place(self) -> QSize:
        """That of its picture."""
        return QSize(self.width(), PICTURE)

    def show_beat(self, beat: QImage | None) -> None:
        """A picture in the place of its own; None: its own."""
        if beat is not self.beat:
            self.beat = beat
            self.update()

    def look_for_picture(self) -> None:
        """Take it if it is there, else wish for it."""
        if self.image is None and self.card.sample is None:
            self.image = self.page.start.gallery.picture(self.card, self.place())
            if self.image is not None:
                self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        whole = QRectF(self.rect())
        lit = self.underMouse() or self.hasFocus()
        with faults.painting(self) as painter:
            style.fill(painter, whole, "raised", 10, "hair")
            self._draw_picture(painter, QRectF(1, 1, whole.width() - 2, PICTURE))
            y = PICTURE + 26.0
            for line in plain_lines(self.text(), 14, whole.width() - 24, 600)[:2]:
                style.write(painter, line, 12, y, size=14, weight=600, width=whole.width() - 24)
                y += 19
            y += 1
            for line in plain_lines(translated(self.card.line), 12, whole.width() - 24, 400)[:2]:
                if y < whole.height() - 6:
                    style.write(painter, line, 12, y, "ink-2", size=12, weight=400, width=whole.width() - 20)
                y += 16
            if self.progress is not None:
                it, at = self.progress
                share = 1.0 if at.ended else (at.step + 1) / len(it.steps)
                painter.fillRect(QRectF(1, PICTURE - 3, whole.width() - 2, 4), style.color("sunk"))
                painter.fillRect(QRectF(1, PICTURE - 3, (whole.width() - 2) * share, 4), style.color("accent"))
                style.write(painter, self.reached(), 12, whole.height() - 10, "accent-ink", size=12, weight=600,
                            width=whole.width() - 24)
            if lit:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.setPen(QPen(style.color("accent"), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(whole.adjusted(1, 1, -1, -1), 9, 9)

    def _draw_picture(self, painter: QPainter, place: QRectF) -> None:
        """The picture; what is not drawn yet is hatched, a command shows its icon."""
        style.fill(painter, place.adjusted(0, 0, 0, 0), "stage" if self.card.state is not None else "sunk", 9)
        painter.fillRect(QRectF(place.x(), place.bottom(), place.width(), 1), style.color("hair"))
        if self.card.does:
            name = {"draw": "pencil", "open": "folder"}.get(self.card.does, find(self.card.does).icon or "play")
            icons.draw(painter, name, QRectF(place.center().x() - 20, place.center().y() - 20, 40, 40),
                       style.color("accent"), 2)
        elif self.card.sample is not None:
            image = thumb(self.card.sample.name, style.theme_name())
            if image is not None:
                draw_thumb(painter, image, place.adjusted(46, 18, -46, -18), False)
            else:
                lines = plain_lines(in_quotes(start.sample_title(self.card.sample)), 14, place.width() - 32, 500)[:4]
                for number, line in enumerate(lines):
                    style.write(painter, line, place.center().x(), place.center().y() + 5
                                + 20 * (number - (len(lines) - 1) / 2), size=14, anchor="middle")
        elif self.image is None:
            style.hatch(painter, place.adjusted(12, 12, -12, -12), 4)
        else:
            image = self.beat or self.image
            size = image.size() / 2
            at = QRectF(place.center().x() - size.width() / 2, place.center().y() - size.height() / 2, size.width(),
                        size.height())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(at, image)


class PlayButton(Button):
    """The only filled button."""

    def __init__(self, page: Page) -> None:
        super().__init__(tr("Play"), "play", "primary", page)
        self.page = page
        style.name(self, tr("Play"), tr("Watch the first 20 seconds; nothing moves before that"))

    def sizeHint(self) -> QSize:
        return QSize(214, 56)

    def event(self, event: QEvent) -> bool:
        return keeps(event, ARROWS) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        walk_or(self, self.page, event, super().keyPressEvent)

    def paintEvent(self, event: QPaintEvent) -> None:
        place = QRectF(self.rect())
        with faults.painting(self) as painter:
            style.fill(painter, place, "accent" if self.underMouse() else "accent-fill", 8)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(style.color("on-accent"))
            painter.drawEllipse(QRectF(16, 11, 34, 34))
            icons.draw(painter, "play", QRectF(24, 18, 20, 20), style.color("accent-fill"))
            style.write(painter, self.text(), 62, 26, "on-accent", size=16, weight=600, width=self.width() - 70)
            style.write(painter, tr("the first 20 seconds"), 62, 43, "on-accent", size=12, weight=500,
                        width=self.width() - 70)


def walk_or(button: Button, page: Page, event: QKeyEvent, otherwise: Callable[[QKeyEvent], None]) -> None:
    """An arrow walks from card to card; any other key is the button's."""
    ways = {Key.Key_Left: (-1, 0), Key.Key_Right: (1, 0), Key.Key_Up: (0, -1), Key.Key_Down: (0, 1)}
    if Key(event.key()) in ways:
        page.walk(button, *ways[Key(event.key())])
    else:
        otherwise(event)


# --- the rail -------------------------------------------------------------------------------------------------------

class StartRail(QWidget):
    """Where to drop a file, what was opened last, the way back, and how many there are of everything."""

    def __init__(self, parent: Start) -> None:
        super().__init__(parent)
        self.start = parent
        self.open = Button(tr("Open a file"), "folder", "raised", self)
        self.open.clicked.connect(lambda: parent.run("open"))
        style.name(self.open, tr("Open a file"), keyed(find("open").tip, "open"))
        self.rows: list[RailRow] = []
        self.titles: list[tuple[str, int]] = []

    def refresh(self) -> None:
        """Offer what there is now."""
        for old in self.rows:
            old.hide()
            old.deleteLater()
        self.rows, self.titles = [], []
        y = 190
        if self.start.back:
            y = self._section(y, tr("Go on"), [RailRow(self.start.back, tr("where you were"), self,
                                                       lambda: self.start.back_wanted.emit())])
        files = [path for path in recent.files() if path.exists()][:MOST_RECENT]
        if files:
            y = self._section(y, tr("Recent"), [
                RailRow(path.name, _folder(path), self, partial(self.start.file_chosen.emit, str(path)))
                for path in files])
        if (begun := teaching.begun()) is not None:
            it, at = begun
            said = tr("step {number} of {count}").format(number=at.step + 1, count=len(it.steps))
            y = self._section(y, tr("Continue the lesson"), [LessonRow(it.title, said, self,
                                                                       lambda: self.start.run("lesson-continue"),
                                                                       (at.step, len(it.steps)))])
        self._section(y, tr("Everything, as lists"), [
            RailRow(translated(what), "", self, partial(self.start.page.show_kind, what), numbers.count(count))
            for what, count in start.counts()])
        self.update()

    def _section(self, y: int, title: str, rows: list[RailRow]) -> int:
        self.titles.append((title, y + 18))
        y += 30
        for row in rows:
            row.setGeometry(8, y, 200, row.sizeHint().height())
            row.setVisible(y + row.height() < self.height())
            y += row.height() + 2
            self.rows.append(row)
        return y + 18

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.open.setGeometry(48, 104, 120, 32)
        self.refresh()

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            pen = QPen(style.color("rule"), 1.5)
            pen.setStyle(Qt.PenStyle.DashLine)
            painter.setPen(pen)
            painter.setBrush(style.color("stage"))
            painter.drawRoundedRect(QRectF(16.5, 8.5, 184, 150), 8, 8)
            icons.draw(painter, "export", QRectF(100, 22, 18, 18), style.color("accent"))
            style.write(painter, tr("Drop a model or an input"), 108, 66, weight=600, anchor="middle", width=176)
            style.write(painter, tr("anywhere in this window"), 108, 86, "ink-2", size=12, weight=400, anchor="middle",
                        width=176)
            for title, y in self.titles:
                style.write(painter, title, 16, y, "ink-2", weight=600)


class RailRow(Button):
    """One line, or two, and a number at its right."""

    def __init__(self, words: str, below: str, parent: QWidget, act: Callable[[], None], count: str = "") -> None:
        super().__init__(words, "", "flat", parent)
        self.below, self.count = below, count
        style.name(self, ", ".join(part for part in (words, below, count) if part))
        self.clicked.connect(lambda checked=False: act())
        self.show()

    def sizeHint(self) -> QSize:
        return QSize(200, 46 if self.below else 30)

    def paintEvent(self, event: QPaintEvent) -> None:
        place = QRectF(self.rect())
        with faults.painting(self) as painter:
            self.draw_ground(painter, place)
            used = style.text_width(self.count, weight=600) + 8 if self.count else 0
            style.write(painter, self.text(), 8, 20, weight=600 if self.below else 500, width=184 - used)
            style.write(painter, self.below, 8, 37, "ink-2", size=12, weight=400, width=184)
            if self.count:
                style.write(painter, self.count, 192, 20, "ink-2", weight=600, anchor="end")


class LessonRow(RailRow):
    """A lesson that was begun: its title, and a dot for each of its steps, full up to where one stands."""

    def __init__(self, words: str, below: str, parent: QWidget, act: Callable[[], None], at: tuple[int, int]) -> None:
        super().__init__(words, below, parent, act)
        self.at = at
        style.name(self, ", ".join((words, below)), keyed(find("lesson-continue").tip, "lesson-continue"))

    def sizeHint(self) -> QSize:
        return QSize(200, 66)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        step, count = self.at
        pitch = min(14.0, 180 / max(1, count))
        with faults.painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for index in range(count):
                painter.setPen(QPen(style.color("accent" if index <= step else "rule"), 1.5))
                painter.setBrush(style.color("accent") if index <= step else Qt.BrushStyle.NoBrush)
                painter.drawEllipse(QRectF(9 + index * pitch, 48, min(8.0, pitch - 3), min(8.0, pitch - 3)))


def _folder(path: Path) -> str:
    return path.parent.name or str(path.parent)


def point_in(widget: QWidget, other: QWidget) -> QPoint:
    """Where a widget stands in another one."""
    return widget.mapTo(other, QPoint(0, 0))
