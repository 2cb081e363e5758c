"""A table on the screen: cells that the keyboard walks through, and that are copied with every digit they have."""

from __future__ import annotations

from PySide6.QtCore import QAbstractTableModel, QEvent, Qt
from PySide6.QtGui import QFocusEvent, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableView, QWidget

from visualizer.ui import style
from visualizer.ui.buttons import ARROWS, keeps, note_focus


class Cells(QAbstractTableModel):
    """What stands in a table."""

    def exact(self, row: int, column: int) -> str:
        """A cell with every digit it has."""
        raise NotImplementedError


class TableView(QTableView):
    """Ctrl+C copies what is marked, with tabs between; everything where nothing is."""

    def __init__(self, cells: Cells, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.cells = cells
        self.setModel(cells)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setFont(style.font(12, 500))
        for header in (self.verticalHeader(), self.horizontalHeader()):
            header.setFont(style.font(12, 400))
            header.setHighlightSections(False)
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.verticalHeader().setDefaultSectionSize(24)
        style.name(self, name)

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)
        super().focusInEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) \
                and event.matches(QKeySequence.StandardKey.Copy):
            event.accept()
            return True
        return keeps(event, (*ARROWS, Qt.Key.Key_Home, Qt.Key.Key_End)) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def copy(self) -> None:
        """The marked cells, or all of them, with every digit they have."""
        marked = self.selectionModel().selectedIndexes()
        rows = sorted({index.row() for index in marked}) or range(self.cells.rowCount())
        columns = sorted({index.column() for index in marked}) or range(self.cells.columnCount())
        QGuiApplication.clipboard().setText("\n".join(
            "\t".join(self.cells.exact(row, column) for column in columns) for row in rows))
