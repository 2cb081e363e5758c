"""The inspector: what the selected thing is, as a page, as a table, as zoomable charts; and the badge below them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRectF, Qt, Signal
from PySide6.QtGui import QAccessible, QFocusEvent, QKeyEvent, QMouseEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from visualizer import reasons, sight
from visualizer.kinds import Report
from visualizer.language import tr
from visualizer.scene import numbers
from visualizer.scene.picture import Focus, Picture, Spot
from visualizer.scene.state import State
from visualizer.scene.subject import NUMBER, array, there
from visualizer.trace import Array, Trace
from visualizer.ui import faults, icons, style, words
from visualizer.ui.buttons import Segment, Segments, keeps, note_focus
from visualizer.ui.canvas import EMPTY, Canvas
from visualizer.ui.page import WIDTH, page, unknown
from visualizer.ui.store import Store
from visualizer.ui.tableview import Cells, TableView
from visualizer.ui.walking import same_numbers

BADGE, STATUS, TABS = 56, 17, 36
SPOKEN = 20
"""Facts that are told of a page at once; all of them stand in its table."""
MOST_CELLS = 200_000
"""A table of more cells than this shows their beginning, and says so."""


class Inspector(QWidget):
    """The right-hand side of the window."""

    heard_as = QAccessible.Role.Grouping
    hovered = Signal(object)
    clicked = Signal(object)

    def __init__(self, store: Store, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.store = store
        self.drawer = False
        """It lies over the stage, and so needs an edge."""
        self.status = ""
        """A few words about live computing."""
        self._drawn: tuple[object, ...] = ()
        self.page = Page(store)
        self.page.hovered.connect(self.hovered)
        self.page.clicked.connect(self.clicked)
        self.scroller = QScrollArea(self)
        self.scroller.setWidget(self.page)
        self.scroller.setFrameShape(QFrame.Shape.NoFrame)
        self.scroller.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroller.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.scroller.setStyleSheet(style.scroll_sheet())
        self.table: ValueTable | None = None
        self.charts: QWidget | None = None
        self.tabs = Segments([Segment(title) for title in (tr("Facts"), tr("Values"), tr("Plots"))], self)
        self.setAccessibleName(tr("Details"))
        self.tabs.setAccessibleName(tr("Details as"))
        for button, tip in zip(self.tabs.buttons, (tr("What it is, in numbers and small pictures"),
                                                   tr("Its values as a table that can be copied"),
                                                   tr("Zoomable histogram and profile")), strict=True):
            style.name(button, button.text(), tip)
        self.tabs.choose(0)
        self.tabs.chosen.connect(self._turn)
        self.badge = Badge(store, self)
        self._turn(0)
        store.changed.connect(self._changed)
        store.trace_changed.connect(self.refresh)
        store.study_grew.connect(lambda beats: self.refresh() if beats else None)

    def refresh(self) -> None:
        """Write the page anew if anything on it has changed."""
        trace, seen, between = self.store.near, self.store.sight, self.store.between
        if trace is None or seen is None or not self.isVisible():
            self._drawn = ()
            if trace is None:
                self.page.show_picture(EMPTY)
            return
        moment, look = seen.moment, replace(seen.look, size=(0, 0))
        waits = between or not there(trace, moment, seen.subject)
        wanted = (id(trace), moment.beat, waits, moment.opens, seen.focus,
                  seen.subject, look, self.tab, seen.view, between)
        if wanted == self._drawn:
            return
        self._drawn = wanted
        self._show(0 if waits else self.tab)
        if between:
            self.page.show_page(unknown(seen.look))
        elif self.tab == 0 or waits:
            told = sight.page(trace, seen)
            self.page.show_page(told or page(trace, moment, seen.subject, seen.look, seen.view.wants == NUMBER))
        elif self.tab == 1 and self.table is not None:
            self.table.show_values(trace, seen.subject, moment.backward)
        elif self.charts is not None:
            self.charts.show_values(trace, seen.subject, moment.backward)  # type: ignore[attr-defined]

    @property
    def tab(self) -> int:
        return next((number for number, button in enumerate(self.tabs.buttons) if button.isChecked()), 0)

    def dress(self) -> None:
        """What Qt's own widgets have to be told after the theme changed."""
        self._drawn = ()
        self.scroller.setStyleSheet(style.scroll_sheet())
        if self.table is not None:
            self.table.setStyleSheet(style.table_sheet())
        if self.charts is not None:
            self.charts.dress()  # type: ignore[attr-defined]
        self.refresh()

    def say(self, status: str) -> None:
        """A few words under the badge."""
        self.status = status
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place()

    def showEvent(self, event: Any) -> None:
        self.refresh()

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            painter.fillRect(self.rect(), style.color("window"))
            if self.drawer:
                painter.fillRect(QRectF(0, 0, 1, self.height()), style.color("rule"))
            style.write(painter, self.status, 24, self.height() - 5, "ink-2", size=11, weight=400, width=240)

    def _place(self) -> None:
        high = self.height() - STATUS - BADGE
        self.badge.setGeometry(16, high, self.width() - 24, BADGE)
        high -= TABS + 12
        self.tabs.setGeometry(16, high, self.width() - 24, TABS)
        high -= 8
        self.scroller.setGeometry(0, 0, self.width(), high)
        if self.table is not None:
            self.table.setGeometry(16, 12, self.width() - 24, high - 12)
        if self.charts is not None:
            self.charts.setGeometry(16, 12, self.width() - 24, high - 12)

    def _turn(self, number: int) -> None:
        if number == 1 and self.table is None:
            self.table = ValueTable(self)
            self.table.setStyleSheet(style.table_sheet())
            self._place()
        if number == 2 and self.charts is None:
            from visualizer.ui.charts import Charts  # brings pyqtgraph, which is only imported when it is wanted

            self.charts = Charts(self)
            self._place()
        self._show(number)
        self.refresh()

    def _show(self, number: int) -> None:
        """The page, the table, or the charts; the page instead of the others, too, while there are no numbers."""
        for place, part in enumerate((self.scroller, self.table, self.charts)):
            if part is not None:
                part.setVisible(place == number)

    def _changed(self, old: State, new: State) -> None:
        self.refresh()


class Page(Canvas):
    """The page, in a frame that scrolls."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(tr("Facts"))

    def show_page(self, picture: Picture) -> None:
        """Another page; its size is the widget's."""
        self.resize(WIDTH, picture.size[1])
        self.show_picture(picture)
        facts = "; ".join(f"{what}: {', '.join(map(str, values))}" for what, *values in picture.table.rows[:SPOKEN])
        self.setAccessibleDescription(f"{picture.caption}. {facts}")

    def alike(self, focus: Focus) -> tuple[Focus, ...]:
        return (focus,) if self.store.trace is None else same_numbers(self.store.trace, focus)

    def describe(self, spot: Spot) -> str:
        trace, moment = self.store.near, self.store.moment
        if trace is None or moment is None:
            return ""
        return words.waiting(trace, moment, spot.focus) or words.tip(trace, spot.focus, moment.backward)

    def number_of(self, spot: Spot) -> float | None:
        trace, moment = self.store.near, self.store.moment
        return None if trace is None or moment is None else words.number(trace, moment, spot)

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.picture is not EMPTY:
            super().paintEvent(event)


class Badge(QWidget):
    """Whether the numbers were recomputed, and how far they are from that. Never absent; a click opens the table."""

    heard_as = QAccessible.Role.Button
    opened = Signal()

    def __init__(self, store: Store, parent: QWidget) -> None:
        super().__init__(parent)
        self.store = store
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        store.trace_changed.connect(self.show_report)
        store.report_changed.connect(self.show_report)
        self.show_report()

    def heard_pressed(self) -> None:
        """As a click."""
        self.opened.emit()

    def show_report(self) -> None:
        """Say what the report says."""
        title, detail = badge_words(self.store.trace, self.store.report)
        style.name(self, f"{title}: {detail}", badge_tip(self.store.report))
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.opened.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.opened.emit()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        return keeps(event, (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)) or super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        report = self.store.report
        title, detail = badge_words(self.store.trace, report)
        place = QRectF(self.rect())
        with faults.painting(self) as painter:
            if report is None:
                style.hatch(painter, QRectF(12, 19, 18, 18), 9)
                style.fill(painter, QRectF(12, 19, 18, 18), "", 9, "rule")
                style.fill(painter, place, "", 8, "hair")
            else:
                style.fill(painter, place, "tint" if report.passed else "alarm", 8)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(style.color("accent" if report.passed else "ink"))
                painter.drawEllipse(QRectF(12, 19, 18, 18))
                icons.draw(painter, "tick" if report.passed else "cross", QRectF(15, 22, 12, 12),
                           style.color("on-accent" if report.passed else "stage"), 2)
            ink = "ink" if report is None or not report.passed else "accent-ink"
            style.write(painter, title, 40, 25, ink, weight=600, width=place.width() - 52)
            style.write(painter, detail, 40, 43, "ink" if report is not None and not report.passed else "ink-2",
                        size=12, weight=500, width=place.width() - 52)


def badge_words(trace: Trace | None, report: Report | None) -> tuple[str, str]:
    """Two short lines: the verdict, and how far it goes."""
    if trace is None or report is None:
        return tr("Not checked yet"), tr("nothing was recomputed")
    if not report.passed:
        return tr("Not verified"), tr("differs by {error}").format(error=numbers.power(report.worst))
    checked, missing = len(report.errors), len(report.unverified)
    if report.strange:
        return tr("Verified in float64"), tr("NaN or infinity in {n} layers").format(n=len(report.strange)) \
            if len(report.strange) > 1 else tr("NaN or infinity in {layer}").format(layer=report.strange[0])
    scope = tr("all layers") if not missing else tr("{n} of {all} layers").format(n=checked, all=checked + missing)
    return tr("Verified in float64"), tr("{scope}, max error {error}").format(
        scope=scope, error=numbers.power(report.worst))


def badge_tip(report: Report | None) -> str:
    """What was compared, or which layers were not."""
    if report is None:
        return tr("The recording has not been compared with a second computation yet.")
    if not report.passed:
        worst = max(report.disagreeing.items(), key=lambda item: _bad(item[1]))[0]
        told = tr("Layer {name} is farther from its recomputation than is allowed.").format(name=worst)
    elif report.unverified:
        told = "\n".join(f"{name}: {reasons.told(why)}" for name, why in list(report.unverified.items())[:2])
    else:
        told = tr("Values and gradients were recomputed in numpy with 64 bits\nand compared with what torch computed.")
    return told + "\n" + tr("A click opens the table of what was compared with what.")


def _bad(error: float) -> float:
    return error if error == error else float("inf")


# --- values as a table ----------------------------------------------------------------------------------------------

class Values(Cells):
    """A matrix, or a list of numbers with their places; cells are worked out when they are seen."""

    def __init__(self) -> None:
        super().__init__()
        self.values: Array = np.zeros((0, 0))
        self.rows: list[str] = []
        self.columns: list[str] = []

    def show(self, values: Array, rows: list[str], columns: list[str]) -> None:
        """(row, column) and a name for each."""
        self.beginResetModel()
        self.values, self.rows, self.columns = values, rows, columns
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008 Qt's own
        return 0 if parent.isValid() else self.values.shape[0]

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008 Qt's own
        return 0 if parent.isValid() else self.values.shape[1]

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return numbers.significant(float(self.values[index.row(), index.column()]), 4)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def exact(self, row: int, column: int) -> str:
        return repr(self.values[row, column].item())

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return (self.columns if orientation == Qt.Orientation.Horizontal else self.rows)[section]


class ValueTable(TableView):
    """The selected values."""

    def __init__(self, parent: QWidget) -> None:
        self.values = Values()
        super().__init__(self.values, tr("Values"), parent)
        self.horizontalHeader().setDefaultSectionSize(76)

    def show_values(self, trace: Trace, about: Focus, backward: bool) -> None:
        """The values of a channel as rows and columns, of anything else as a list."""
        values = array(trace[about.layer], about, backward)
        found = np.zeros((0, 0)) if values is None else np.asarray(values[about.cell])
        axes = trace[about.layer].axes if about.array == "output" else ()
        rest = axes[len(about.cell):]
        if found.ndim == 2:
            rows, columns = [str(n) for n in range(found.shape[0])], [str(n) for n in range(found.shape[1])]
            matrix = found
        else:
            shown = found.reshape(-1)[:MOST_CELLS]
            rows = [_index_words(int(n), found.shape, rest) for n in range(len(shown))]
            columns, matrix = [words.quantity(about, backward)], shown[:, None]
        self.values.show(matrix, rows, columns)
        longest = max((style.text_width(row, 12, 400) for row in rows[-1000:]), default=0)
        self.verticalHeader().setFixedWidth(round(longest) + 32)
        self.horizontalHeader().setDefaultSectionSize(76 if found.ndim == 2 else 130)
        self.setAccessibleDescription(words.place(trace, about))


def _index_words(number: int, shape: tuple[int, ...], axes: tuple[str, ...]) -> str:
    cell = np.unravel_index(number, shape) if shape else ()
    if len(cell) == 1 and axes:
        return words.one(axes[0], int(cell[0]))
    return ", ".join(str(int(index)) for index in cell)
