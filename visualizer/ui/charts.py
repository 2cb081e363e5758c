"""Zoomable charts of the selected values: a histogram and a profile. Only this file brings pyqtgraph."""

from __future__ import annotations

import numpy as np
import pyqtgraph
from PySide6.QtWidgets import QVBoxLayout, QWidget

from visualizer.language import tr
from visualizer.scene.picture import Focus
from visualizer.scene.reading import symbols_in
from visualizer.scene.subject import array
from visualizer.trace import Trace
from visualizer.ui import style, words

pyqtgraph.setConfigOptions(imageAxisOrder="row-major", antialias=True)

BINS = 60


class Charts(QWidget):
    """Two plots, one above the other; the wheel zooms, a drag moves, a double click shows everything."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.histogram, self.profile = Plot(self), Plot(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.histogram)
        layout.addWidget(self.profile)
        self.dress()

    def dress(self) -> None:
        """The colours of the theme."""
        for plot in (self.histogram, self.profile):
            plot.dress()

    def show_values(self, trace: Trace, about: Focus, backward: bool) -> None:
        """The distribution of the selected values, and the values in their order."""
        values = array(trace[about.layer], about, backward)
        found = np.zeros(0) if values is None else np.asarray(values[about.cell], dtype=np.float64).ravel()
        if symbols_in(trace, about.layer) and not backward:
            found = np.zeros(0)  # numbers of symbols are not distributed
        known = found[np.isfinite(found)]
        name = words.quantity(about, backward)
        place = words.place(trace, about)
        counts, edges = np.histogram(known, BINS) if known.size else (np.zeros(1), np.zeros(2))
        self.histogram.show_bars(edges, counts, tr("Histogram"), name)
        self.histogram.setAccessibleName(tr("Histogram of {place}").format(place=place))
        self.profile.show_line(np.where(np.isfinite(found), found, np.nan), tr("Profile, in reading order"), name)
        self.profile.setAccessibleName(tr("Profile of {place}").format(place=place))


class Axis(pyqtgraph.AxisItem):
    """An axis whose numbers have a true minus."""

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [words.replace("-", "−") for words in super().tickStrings(values, scale, spacing)]


class Plot(pyqtgraph.PlotWidget):
    """One plot in the type and the colours of the window."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, axisItems={side: Axis(side) for side in ("left", "bottom")})
        self.setMenuEnabled(False)
        self.hideButtons()
        self.getPlotItem().showGrid(False, False)
        self.curve = self.plot()
        self.bars: pyqtgraph.BarGraphItem | None = None

    def dress(self) -> None:
        """The colours of the theme."""
        self.setBackground(style.color("stage"))
        for side in ("left", "bottom"):
            axis = self.getAxis(side)
            axis.setPen(style.color("rule"))
            axis.setTextPen(style.color("ink-2"))
            axis.setTickFont(style.font(11, 400))
        self.curve.setPen(style.color("ink"), width=1.5)
        self.curve.setBrush(style.color("positive-bar"))

    def mouseDoubleClickEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        self.autoRange()

    def show_bars(self, edges: np.ndarray, counts: np.ndarray, title: str, across: str) -> None:
        """A histogram, the part below zero and the part above in their own colours."""
        if self.bars is not None:
            self.removeItem(self.bars)
        middles = (edges[:-1] + edges[1:]) / 2
        brushes = [style.color("negative-bar" if middle < 0 else "positive-bar") for middle in middles]
        self.bars = pyqtgraph.BarGraphItem(x0=edges[:-1], x1=edges[1:], height=counts, brushes=brushes, pen=None)
        self.addItem(self.bars)
        self._name(title, across)

    def show_line(self, values: np.ndarray, title: str, upwards: str) -> None:
        """Values in their order."""
        self.curve.setData(np.arange(len(values)), values, connect="finite")
        self._name(title, tr("index"))
        self.setLabel("left", upwards)

    def _name(self, title: str, across: str) -> None:
        self.setTitle(title, color=style.color("ink").name(), size="13px", bold=True)
        self.setLabel("bottom", across)
        self.autoRange()
