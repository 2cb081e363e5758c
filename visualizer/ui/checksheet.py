"""The check sheet: what was recomputed and how far off it is, array by array."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from visualizer.kinds import Report
from visualizer.language import tr
from visualizer.scene import verdict
from visualizer.scene.type import plain_lines
from visualizer.trace import Trace
from visualizer.ui import icons, style
from visualizer.ui.sheet import TOP, Sheet

ROW, HEAD, LINE = 26, 64, 18
"""Heights of a row, of what stands above the first one, and of each further line of a reason."""
SHARES = (0.15, 0.19, 0.29, 0.11, 0.10, 0.08, 0.08)
"""Of the width, for each column."""


class CheckSheet(Sheet):
    """Opened by the badge."""

    def __init__(self, trace: Trace, report: Report, parent: QWidget) -> None:
        super().__init__(tr("What was checked"), parent)
        self.lines = verdict.lines(trace, report)
        self.summary = verdict.summary(report)
        self.setAccessibleDescription("; ".join((self.summary, *(
            f"{line.layer}, {line.what}: {line.verdict}, {line.error}" for line in self.lines))))

    @property
    def columns(self) -> list[tuple[float, float]]:
        """Left edge and width of each."""
        room, x, found = self.width() - 48.0, 24.0, []
        for share in SHARES:
            found.append((x, share * room - 12))
            x += share * room
        return found

    def whole(self) -> float:
        return TOP + HEAD + sum(self._high(line) for line in self.lines)

    def _reason(self, line: verdict.Line) -> tuple[str, ...]:
        """What stands in the column `compared with`; a reason goes on over the columns of numbers."""
        (_, wide), (end, last) = self.columns[2], self.columns[5]
        return plain_lines(line.against, 13, wide if line.agrees is not None else end + last - self.columns[2][0], 400)

    def _high(self, line: verdict.Line) -> float:
        return ROW + LINE * (len(self._reason(line)) - 1)

    def draw(self, painter: QPainter, y: float) -> None:
        style.write(painter, self.summary, 24, y + 8, "ink-2", size=13, weight=500, width=self.width() - 48)
        for (x, wide), heading in zip(self.columns, verdict.headings(), strict=True):
            style.write(painter, heading, x, y + 44, "accent-ink", size=13, weight=600, width=wide)
        y += HEAD
        for line in self.lines:
            high = self._high(line)
            if -high < y < self.height():
                self._row(painter, line, y)
            y += high

    def _row(self, painter: QPainter, line: verdict.Line, y: float) -> None:
        if line.agrees is False:
            style.fill(painter, QRectF(16, y - 1, self.width() - 32, self._high(line)), "alarm", 6)
        ink = "ink" if line.agrees is False else "ink-2"
        words = (line.layer, line.what, None, line.compared, line.error, line.allowed, line.verdict)
        for number, ((x, wide), said) in enumerate(zip(self.columns, words, strict=True)):
            if said is None:
                for place, each in enumerate(self._reason(line)):
                    style.write(painter, each, x, y + 16 + LINE * place, ink, size=13, weight=400)
            elif number == len(words) - 1 and line.agrees is not None:
                icons.draw(painter, "tick" if line.agrees else "cross", QRectF(x, y + 6, 12, 12), style.color("ink"), 2)
                style.write(painter, said, x + 18, y + 16, "ink", size=13, weight=500, width=wide - 18)
            elif line.agrees is not None or number in (0, 1, 6):
                style.write(painter, said, x, y + 16, "ink" if number == 0 else ink, size=13,
                            weight=600 if number == 0 else 400, width=wide)
