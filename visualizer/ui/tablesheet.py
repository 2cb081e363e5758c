"""The table sheet: each picture that is seen as a table of the same numbers, to be walked through, heard and copied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, Qt, Signal
from PySide6.QtGui import QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from visualizer.language import tr, translated
from visualizer.scene import numbers
from visualizer.scene.picture import Picture, Table
from visualizer.scene.type import plain_lines
from visualizer.ui import faults, style
from visualizer.ui.buttons import Button, Segment, Segments
from visualizer.ui.commands import key_for
from visualizer.ui.cover import tab_round
from visualizer.ui.tableview import Cells, TableView

EDGE, HEAD, LINE, FOOT = 24, 68, 20, 16
"""Pixels: left and right, the row of buttons, a line of the sentence, and below the table."""
WIDEST = 320
"""Pixels of a column."""
MEASURED = 500
"""Rows that say how wide a column is."""
Index = QModelIndex | QPersistentModelIndex


class Rows(Cells):
    """The table of a picture."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self.table = table

    def show(self, table: Table) -> None:
        """Another table."""
        self.beginResetModel()
        self.table = table
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 Qt's own
        return 0 if parent.isValid() else len(self.table.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 Qt's own
        return 0 if parent.isValid() else len(self.table.columns)

    def exact(self, row: int, column: int) -> str:
        return str(self.table.rows[row][column])

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        cell = self.table.rows[index.row()][index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return numbers.significant(cell, 6) if isinstance(cell, float) else str(cell)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignLeft if isinstance(cell, str) else Qt.AlignmentFlag.AlignRight
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return translated(self.table.columns[section]) if orientation == Qt.Orientation.Horizontal else section + 1


class TableSheet(QWidget):
    """Over the whole window, until Esc or its key."""

    closed = Signal()

    def __init__(self, pictures: Sequence[tuple[str, Picture]], parent: QWidget) -> None:
        """`pictures`: what each is called, and itself."""
        super().__init__(parent)
        self.pictures = pictures
        self.shown = pictures[0][1]
        self.which = Segments([Segment(name) for name, _ in pictures], self)
        self.which.setAccessibleName(tr("Picture as a table"))
        self.which.chosen.connect(self.show_number)
        self.done = Button(tr("Close"), "", "raised", self)
        self.done.clicked.connect(self.closed)
        style.name(self.done, tr("Close"), tr("Back to the picture ({key})").format(key=key_for("out")))
        self.rows = Rows(self.shown.table)
        self.table = TableView(self.rows, tr("Picture as a table"), self)
        self.table.setStyleSheet(style.table_sheet())
        self.table.verticalHeader().setFixedWidth(56)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFocusProxy(self.table)
        style.name(self, tr("Picture as a table"))
        self.show_number(0)

    def show_number(self, number: int) -> None:
        """The table of one of the pictures."""
        self.shown = self.pictures[number][1]
        self.which.choose(number)
        self.rows.show(self.shown.table)
        for column, name in enumerate(self.shown.table.columns):
            said = [translated(name), *(str(self.rows.data(self.rows.index(row, column)))
                                        for row in range(min(MEASURED, self.rows.rowCount())))]
            wide = max(style.text_width(words, 12, 500) for words in said)
            self.table.setColumnWidth(column, round(min(WIDEST, wide + 24)))
        self.table.setAccessibleDescription(self.shown.caption)
        if self.shown.table.rows:
            self.table.setCurrentIndex(self.rows.index(0, 0))
            self.table.clearSelection()
        self._place()
        self.update()

    def _lines(self) -> tuple[str, ...]:
        return plain_lines(self.shown.caption, 13, self.width() - 2 * EDGE, 500)

    def _place(self) -> None:
        wide = self.done.sizeHint().width()
        self.done.setGeometry(self.width() - EDGE - wide, 16, wide, 32)
        self.which.setGeometry(QRect(EDGE, 14, self.which.sizeHint().width(), 36))
        top = HEAD + LINE * len(self._lines()) + 8
        self.table.setGeometry(EDGE, top, self.width() - 2 * EDGE, max(0, self.height() - top - FOOT))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self.table.setStyleSheet(style.table_sheet())

    def focusNextPrevChild(self, forwards: bool) -> bool:
        stops = [stop for stop in (self.table, *self.which.buttons, self.done)
                 if stop.isVisible() and stop.focusPolicy() & Qt.FocusPolicy.TabFocus]
        if stops:  # none while it is put away
            tab_round(stops, self.window().focusWidget(), forwards)
        return bool(stops)

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            painter.fillRect(self.rect(), style.color("window"))
            for number, line in enumerate(self._lines()):
                style.write(painter, line, EDGE, HEAD + 12 + LINE * number, weight=500)
