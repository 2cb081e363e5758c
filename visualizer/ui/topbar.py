"""The top bar: the mark with the menu, where one is, the views, Present and Export."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QWidget

from visualizer.language import tr, translated
from visualizer.scene.picture import Focus
from visualizer.ui import faults, icons, style
from visualizer.ui.buttons import MARGINS, Button, Segment, Segments, note_focus
from visualizer.ui.commands import Command, Desk, commands, key_for, keyed
from visualizer.views import View

Crumb = tuple[str, Focus | None]
PATH = 0.185
"""Share of the window's width that the path has, however long it is: no step and no choice moves the tabs."""
LEAST_PATH = 200
WORDS_FROM, OPTIONS_FROM = 1500, 1700
"""Pixels; in narrower windows the buttons of the top bar are icons, *Options* the first of them."""
GROUP = 9
"""Pixels between two groups of tabs."""


class TopBar(QWidget):
    """One row along the top of the window."""

    heard_as = QAccessible.Role.ToolBar

    view_chosen = Signal(str)
    crumb_chosen = Signal(object)
    menu_wanted = Signal(object)
    """Where the menu should open, in global pixels."""
    options_wanted = Signal(object)
    """The same for the options of the view."""
    export_wanted = Signal(object)
    """The same for what can be saved: a picture, a film, numbers."""

    def __init__(self, run: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.views: Sequence[View] = ()
        self.narrow, self.compact, self.detached = False, False, False
        self.chosen = ""
        """Name of the view that is shown."""
        self.mark = MarkButton(self)
        self.mark.clicked.connect(lambda: self.menu_wanted.emit(self.mark.mapToGlobal(QPoint(0, self.mark.height()))))
        self.crumbs = Crumbs(self)
        self.crumbs.chosen.connect(self.crumb_chosen)
        self.starting = False
        """Whether the start screen is shown: no views, but a field to search in."""
        self.field = SearchField(self)
        self.field.hide()
        self.tabs = Tabs(self)
        self.tabs.setAccessibleName(tr("View"))
        self.tabs.chosen.connect(lambda number: self.view_chosen.emit(self.views[number].name))
        self.tabs.more.clicked.connect(lambda: self._view_menu(self.tabs.more, self.tabs.behind()))
        self.view_button = ViewButton(self)
        self.view_button.clicked.connect(lambda: self._view_menu(self.view_button, range(len(self.views))))
        self.options = Button(tr("Options"), "options", "flat", self)
        self.options.clicked.connect(lambda: self.options_wanted.emit(self.options.mapToGlobal(
            QPoint(0, self.options.height() + 4))))
        self.tools = {command.name: ToolButton(command, run, self) for command in commands() if command.icon}
        """A button for every command that has a picture."""
        self.present = Button(tr("Present"), "present", "flat", self)
        self.present.clicked.connect(lambda: run("present"))
        self.details = Button(tr("Details"), "", "raised", self)
        self.details.clicked.connect(lambda: run("details"))
        self.export = Button(tr("Export"), "export", "flat", self)
        self.export.clicked.connect(lambda: self.export_wanted.emit(self.export.mapToGlobal(
            QPoint(0, self.export.height() + 4))))
        for button in (self.mark, self.options, self.export, self.view_button):
            button.pops = True
        self.setAccessibleName(tr("Top bar"))
        style.name(self.mark, tr("Menu"), tr("Everything that can be done ({key} for a menu bar)").format(
            key=key_for("menu")))
        style.name(self.options, tr("Options"), tr("Settings of this view"))
        style.name(self.present, tr("Present"), keyed(tr("Full screen for a room"), "present"))
        style.name(self.details, tr("Details"), keyed(tr("Show or hide the inspector"), "details"))
        style.name(self.export, tr("Export"),
                   tr("Save what you see as a picture ({picture}), its film ({film}), or its numbers ({data})").format(
                       picture=key_for("export"), film=key_for("film"), data=key_for("export-data")))

    def show_views(self, views: Sequence[View], chosen: str) -> None:
        """Offer these views, one of them chosen."""
        if [view.name for view in views] != [view.name for view in self.views]:
            self.views = tuple(views)
            segments = [Segment(tr_view(view)) for view in views]
            for segment, view in zip(segments, views, strict=True):
                style.name(segment, segment.text(), view_line(view))
            self.tabs.set_segments(segments)
            self.tabs.ends = tuple(number for number, (one, other) in enumerate(pairwise(views))
                                   if one.group != other.group)
        self.options.setEnabled(False)
        self.chosen = chosen
        for number, view in enumerate(self.views):
            if view.name == chosen:
                self.options.setEnabled(bool(view.knobs))
                self.tabs.choose(number)
                self.view_button.setText(tr_view(view))
                style.name(self.view_button, tr("View: {title}").format(title=tr_view(view)), view_line(view))
        self._place()

    def show_path(self, crumbs: Sequence[Crumb]) -> None:
        """Where one is."""
        self.crumbs.show_path(crumbs)
        self._place()

    def show_start(self, starting: bool) -> None:
        """The start screen has come, or gone."""
        self.starting = starting
        self.field.setVisible(starting)
        for button in (self.present, self.export):
            button.setEnabled(not starting)
        self._place()

    def show_tools(self, desk: Desk) -> None:
        """Which of the buttons do anything here, and what is turned on."""
        for tool in self.tools.values():
            tool.show_at(desk, self.starting)

    def set_width(self, narrow: bool, compact: bool, detached: bool = False) -> None:
        """`narrow`: the rail is icons; `compact`: tabs are a menu, buttons icons; `detached`: the inspector is a drawer
        all the same."""
        self.narrow, self.compact, self.detached = narrow, compact, compact or detached
        short = self.width() < WORDS_FROM
        self.present.setText("" if short else tr("Present"))
        self.export.setText("" if short else tr("Export"))
        self.options.setText("" if self.width() < OPTIONS_FROM else tr("Options"))
        self.mark.setText("" if narrow else tr("Visualizer"))
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The window's own ground shows through."""

    def _place(self) -> None:
        style.put(self.mark, 8, 6, self.mark.sizeHint().width(), 36)
        right = self.width() - 8
        for button in (self.export, self.present, self.options):
            wide = button.sizeHint().width() if button.text() else 36
            right -= wide
            style.put(button, right, 8, wide, 32)
            right -= 4
        for tool in reversed(self.tools.values()):
            right -= ToolButton.SIDE
            style.put(tool, right, 8, ToolButton.SIDE, 32)
        right -= 8
        self.details.setVisible(self.detached and not self.starting)
        if self.details.isVisibleTo(self):
            wide = self.details.sizeHint().width()
            right -= wide + 4
            style.put(self.details, right, 8, wide, 32)
        if self.starting:
            self.tabs.hide()
            self.view_button.hide()
            left = right - 8 - min(SearchField.WIDEST, right - 8 - self._crumbs_left() - 80)
            style.put(self.field, left, 7, right - 8 - left, 34)
            style.put(self.crumbs, self._crumbs_left() - 8, 8, max(0, left - 16 - self._crumbs_left()), 32)
            return
        left = self._crumbs_left() + max(LEAST_PATH, round(PATH * self.width()))
        tabs_menu = self.compact or not self.tabs.fit(right - 12 - left)
        self.tabs.setVisible(not tabs_menu and bool(self.views))
        self.view_button.setVisible(tabs_menu and bool(self.views))
        if tabs_menu:
            wide = max(120, *(self.view_button.wide(tr_view(view)) for view in self.views), 0)
            left = right - 12 - wide
            style.put(self.view_button, left, 8, wide, 32)
        else:
            style.put(self.tabs, left, 6, self.tabs.sizeHint().width(), 36)
        style.put(self.crumbs, self._crumbs_left() - 8, 8, left - 16 - self._crumbs_left(), 32)

    def _crumbs_left(self) -> int:
        return 72 if self.narrow else 232

    def _view_menu(self, under: QWidget, numbers: Sequence[int]) -> None:
        """Those of the views to choose from."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        group = ""
        for view in (self.views[number] for number in numbers):
            if view.group != group:
                group = view.group
                menu.addSection(translated(group))
            action = menu.addAction(tr_view(view))
            action.setCheckable(True)
            action.setChecked(view.name == self.chosen)
            action.setToolTip(view_line(view))
            action.setStatusTip(view_line(view))
            action.triggered.connect(lambda checked=False, name=view.name: self.view_chosen.emit(name))
        menu.popup(under.mapToGlobal(QPoint(0, under.height() + 4)))


class Tabs(Segments):
    """The views as tabs, group by group: as many of the first ones as there is room for, and the rest behind the last
    tab, which says which of them is shown. None ever moves."""

    heard_as, each_heard_as = QAccessible.Role.PageTabList, QAccessible.Role.PageTab

    def __init__(self, parent: QWidget) -> None:
        self.more = MoreTab()
        self.ends: tuple[int, ...] = ()
        """The last ones of their groups."""
        super().__init__((), parent)
        self.more.setParent(self)
        self._name_more("")

    def set_segments(self, segments: Sequence[Segment]) -> None:
        """Replace them; all are shown until the room is known."""
        self.shown = tuple(range(len(segments)))
        self.ends = ()
        self.more.widest = max((segment.sizeHint().width() for segment in segments), default=0)
        super().set_segments(segments)

    def choose(self, number: int) -> None:
        """Show one as chosen; one that has no tab on the last of them."""
        super().choose(number)
        self.more.chosen = number in self.behind()
        self._name_more(self.buttons[number].text() if self.more.chosen else "")

    def fit(self, room: int) -> bool:
        """Show what fits into so many pixels; answers False if not one tab does."""
        widths = [button.sizeHint().width() + (GROUP if number in self.ends else 0)
                  for number, button in enumerate(self.buttons)]
        self.shown = fitting(widths, self.more.sizeHint().width(), room - MARGINS)
        for number, button in enumerate(self.buttons):
            button.setVisible(number in self.shown)
        self.more.setVisible(bool(self.behind()))
        chosen = next((number for number, button in enumerate(self.buttons) if button.isChecked()), -1)
        if chosen >= 0:
            self.choose(chosen)
        self._place()
        return bool(self.shown)

    def behind(self) -> tuple[int, ...]:
        """The numbers of those that are not shown."""
        return tuple(number for number in range(len(self.buttons)) if number not in self.shown)

    def row(self) -> list[Segment]:
        return [self.buttons[number] for number in self.shown] + ([self.more] if self.behind() else [])

    def after(self, place: int) -> int:
        return GROUP if place in self.ends else 0

    def _name_more(self, chosen: str) -> None:
        """What the last tab says: the view that is shown, where that is one behind it."""
        self.more.setText(chosen or tr("More"))
        style.name(self.more, tr("More views: {title}").format(title=chosen) if chosen else tr("More views"),
                   tr("The views that there is no room for; {next} and {previous} go through all of them").format(
                       next=key_for("next-view"), previous=key_for("previous-view")))
        self.more.update()


class MoreTab(Segment):
    """The last tab: it opens a menu instead of being chosen, and is as wide as the longest name that it may show."""

    ARROW = 12
    """Pixels that its arrow takes more than the room beside the words."""

    def __init__(self) -> None:
        super().__init__(tr("More"), "down", icon_after=True)
        self.pops = True
        self.setCheckable(False)
        self.chosen, self.widest = False, 0

    def sizeHint(self) -> QSize:
        return QSize(self.widest + self.ARROW, 32)

    def is_chosen(self) -> bool:
        return self.chosen


def fitting(widths: Sequence[int], more: int, room: int) -> tuple[int, ...]:
    """Which of the tabs fit into `room`: all, or the first ones beside a last tab `more` wide."""
    if sum(widths) <= room:
        return tuple(range(len(widths)))
    return next((tuple(range(count)) for count in range(len(widths) - 1, 0, -1) if sum(widths[:count]) + more <= room),
                ())


class MarkButton(Button):
    """The mark and the name; a click opens the menu."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(tr("Visualizer"), "", "flat", parent, size=15, weight=600)

    def sizeHint(self) -> QSize:
        return QSize(40 + (round(style.text_width(self.text(), 15, 600)) + 14 if self.text() else 0), 36)

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            self.draw_ground(painter, QRectF(self.rect()))
            icons.draw_mark(painter, QRectF(10, 8, 20, 20), style.color("accent"), style.color("accent-fill"))
            if self.text():
                style.write(painter, self.text(), 38, 23.5, size=15, weight=600)


FIELD = """
QLineEdit {{ background: {ground}; color: {ink}; border: 1px solid {rule}; border-radius: 8px; padding: 0 10px;
             selection-background-color: {tint}; selection-color: {ink}; }}
QLineEdit:focus {{ border: 2px solid {accent}; padding: 0 9px; }}
"""


class SearchField(QLineEdit):
    """Where words are typed to find something by."""

    WIDEST = 520
    left = Signal(int)
    """A key that leads out of it, to what was found."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setPlaceholderText(tr("Search networks, inputs, lessons, views and questions"))
        self.setClearButtonEnabled(True)
        style.name(self, tr("Search"), keyed(tr("Find a network, an input, a view or a question by its words"),
                                             "search"))
        self.dress()

    def dress(self) -> None:
        """What style sheets have to be told after the theme changed."""
        self.setFont(style.font(13, 500))
        names = {name: style.color(token).name() for name, token in (
            ("ground", "raised"), ("ink", "ink"), ("rule", "border"), ("accent", "accent"), ("tint", "tint"))}
        self.setStyleSheet(FIELD.format(**names))

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.left.emit(event.key())
        else:
            super().keyPressEvent(event)


class ToolButton(Button):
    """The picture of a command; tinted while what it turns on is on."""

    SIDE = 32

    def __init__(self, command: Command, run: Callable[[str], None], parent: QWidget) -> None:
        super().__init__("", command.icon, "flat", parent)
        self.command, self.is_on = command, False
        self.clicked.connect(lambda: run(command.name))
        style.name(self, command.title, keyed(f"{command.title}: {command.tip}", command.name))

    def show_at(self, desk: Desk, starting: bool = False) -> None:
        """Whether it does anything at this desk, and whether it is on."""
        can = self.command.can is None or self.command.can(desk)
        self.setEnabled(self.command.starts if starting else can)
        is_on = self.command.is_on is not None and self.command.is_on(desk)
        if is_on != self.is_on:
            self.is_on = is_on
            self.update()

    def draw_ground(self, painter: QPainter, place: QRectF) -> None:
        if self.is_on and self.isEnabled():
            style.fill(painter, place.adjusted(1, 1, -1, -1), "tint", 8)
        else:
            super().draw_ground(painter, place)

    def ink(self) -> str:
        return "accent-ink" if self.is_on and self.isEnabled() else super().ink()


class ViewButton(Button):
    """The name of the view and an arrow: the tabs where there is no room for them."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("", "", "raised", parent)

    def sizeHint(self) -> QSize:
        return QSize(self.wide(self.text()), 32)

    @staticmethod
    def wide(words: str) -> int:
        """Pixels that it takes with these words."""
        return round(style.text_width(words, weight=600)) + 52

    def paintEvent(self, event: QPaintEvent) -> None:
        place = QRectF(self.rect())
        with faults.painting(self) as painter:
            style.fill(painter, place, "sunk", 8)
            style.write(painter, self.text(), 14, 20.7, weight=600)
            icons.draw(painter, "down", QRectF(place.width() - 26, 9, 14, 14), style.color("ink-2"))


class Crumbs(QWidget):
    """The path from the model down to what is looked at; what does not fit is left out from the second crumb on."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.path: Sequence[Crumb] = ()
        self.buttons: list[CrumbButton] = []
        style.name(self, tr("Path"))

    def show_path(self, crumbs: Sequence[Crumb]) -> None:
        """A button for each."""
        if tuple(crumbs) == tuple(self.path):
            return
        self.path = tuple(crumbs)
        for old in self.buttons:
            old.hide()
            old.deleteLater()
        self.buttons = [CrumbButton(words, number == len(crumbs) - 1, number == 0, self)
                        for number, (words, _) in enumerate(crumbs)]
        for button, (words, focus) in zip(self.buttons, crumbs, strict=True):
            button.clicked.connect(lambda checked=False, focus=focus: self.chosen.emit(focus))
            style.name(button, words, tr("Go to {place}").format(place=words))
            button.show()
        self._place()

    def whole(self) -> int:
        """How wide the path is with nothing left out."""
        return sum(CrumbButton.wide(words, number == len(self.path) - 1, number == 0)
                   for number, (words, _) in enumerate(self.path))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place()

    def _place(self) -> None:
        for number, button in enumerate(self.buttons):
            button.first = number == 0
        widths = [button.sizeHint().width() for button in self.buttons]
        hidden: set[int] = set()
        for number in [*range(1, len(widths) - 1), 0]:
            if sum(wide for place, wide in enumerate(widths) if place not in hidden) > self.width():
                hidden.add(number)
        x = 0
        for number, button in enumerate(self.buttons):
            button.setVisible(number not in hidden)
            if number in hidden:
                continue
            button.first = x == 0
            style.put(button, x, 0, min(button.sizeHint().width(), max(28, self.width() - x)), self.height())
            x += button.width()


class CrumbButton(Button):
    """One crumb, with the arrow before it."""

    ARROW = 18

    def __init__(self, words: str, last: bool, first: bool, parent: QWidget) -> None:
        super().__init__(words, "", "flat", parent)
        self.last, self.first = last, first
        self.weight = 600 if last else 500

    @classmethod
    def wide(cls, words: str, last: bool, first: bool) -> int:
        """Pixels that it takes with all its words."""
        text = round(style.text_width(words, 13, 600 if last else 500) + 0.5)
        return max(28, text + 16 + (0 if first else cls.ARROW))

    def sizeHint(self) -> QSize:
        return QSize(self.wide(self.text(), self.last, self.first), 32)

    def paintEvent(self, event: QPaintEvent) -> None:
        place = QRectF(self.rect())
        left = 0.0 if self.first else float(self.ARROW)
        with faults.painting(self) as painter:
            if not self.first:
                icons.draw(painter, "chevron", QRectF(2, place.center().y() - 6, 12, 12), style.color("rule"))
            if self.underMouse():
                style.fill(painter, place.adjusted(left, 2, 0, -2), "sunk", 6)
            style.write(painter, self.text(), left + 8, place.center().y() + 4.7, "ink" if self.last else "ink-2",
                        weight=self.weight, width=place.width() - left - 8)


def view_line(view: View) -> str:
    """What a view shows, and what to try in it."""
    return f"{translated(view.sentence)} {translated(view.tries)}".strip()


def tr_view(view: View) -> str:
    """The title of a view, which its file says in English."""
    return translated(view.title)
