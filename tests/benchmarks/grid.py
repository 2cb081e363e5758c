"""Feature maps: many small images at once, with new numbers in every frame, from float32 to pixels on a widget."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from itertools import cycle

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

from tests.benchmarks import Row, Skipped
from visualizer import paint
from visualizer.scene import colour
from visualizer.scene.picture import Image, Picture

Frames = list[NDArray[np.float32]]
MAPS = ((64, 28), (512, 14), (1000, 7))
SCREENS = {"1080p": (1920, 1080), "4K": (3840, 2160)}


def against_blit() -> Iterator[Row]:
    """One packed picture of all maps against drawing one ready image of the same size."""
    for name, size in SCREENS.items():
        for count, side in MAPS:
            yield Row(f"{count:,} maps of {side} × {side}, {name}", _ours(count, side, size), _blit(size),
                      "one full-size blit", 4.0, repeat=5)


def number_of_maps() -> Iterator[Row]:
    """The cost follows the pixels drawn, not the number of maps."""
    for name, size in SCREENS.items():
        yield Row(f"1,000 maps of 7 × 7, {name}", _ours(1000, 7, size), _ours(64, 28, size), "64 maps of 28 × 28", 1.5,
                  repeat=5)


def against_pyqtgraph() -> Iterator[Row]:
    """How much faster than one pyqtgraph item for each map, bare in one scene, or each in a view box of its own."""
    for count, side in MAPS:
        for boxes, way in ((False, "one bare pyqtgraph ImageItem a map"), (True, "one pyqtgraph ViewBox a map")):
            yield Row(f"{count:,} maps of {side} × {side}, 1080p", _ours(count, side, SCREENS["1080p"]),
                      _pyqtgraph(count, side, SCREENS["1080p"], boxes), way, 20.0, at_least=True, repeat=3)


def against_matplotlib() -> Iterator[Row | Skipped]:
    """How much faster than a matplotlib grid of imshows."""
    if importlib.util.find_spec("matplotlib") is None:
        yield Skipped("64 maps of 28 × 28, 1080p", "matplotlib is not installed")
        return
    yield Row("64 maps of 28 × 28, 1080p", _ours(64, 28, SCREENS["1080p"]), _matplotlib(64, 28, SCREENS["1080p"]),
              "a matplotlib grid of imshows", 20.0, at_least=True)


class _Widget(QWidget):
    """Paints itself by one function, at once when asked."""

    def __init__(self, size: tuple[int, int], draw: Callable[[QPainter], None]) -> None:
        _app()
        super().__init__()
        self.draw = draw
        self.resize(*size)
        self.show()
        QApplication.processEvents()

    def paintEvent(self, event: QPaintEvent) -> None:
        with paint.painting(self) as painter:
            self.draw(painter)


def _ours(count: int, side: int, size: tuple[int, int]) -> Callable[[], None]:
    across, cell = _fit(count, side, size)
    frames = cycle(_frames(count, side))
    values = next(frames)

    def draw(painter: QPainter) -> None:
        entries = colour.signed(values, float(np.abs(values).max()))
        maps = Image(0, 0, (cell, cell), entries, columns=across, pitch=(side * cell + 2, side * cell + 2), border="")
        paint.paint(Picture(size, (maps,)), painter)

    widget = _Widget(size, draw)

    def frame() -> None:
        nonlocal values
        values = next(frames)
        widget.repaint()

    return frame


def _blit(size: tuple[int, int]) -> Callable[[], None]:
    image = QImage(*size, QImage.Format.Format_RGB32)
    image.fill(0x336699)
    return _Widget(size, lambda painter: painter.drawImage(0, 0, image)).repaint


def _pyqtgraph(count: int, side: int, size: tuple[int, int], boxes: bool) -> Callable[[], None]:
    _app()
    import pyqtgraph as pg

    across, cell = _fit(count, side, size)
    table = colour.theme("light").palettes["activation"]
    view = pg.GraphicsLayoutWidget() if boxes else pg.GraphicsView()
    view.resize(*size)
    items = []
    for number in range(count):
        item = pg.ImageItem(axisOrder="row-major")
        item.setLookupTable(table)
        row, column = divmod(number, across)
        if boxes:
            view.addViewBox(row, column, lockAspect=True).addItem(item)
        else:
            item.setPos(column * (side * cell + 2), row * (side * cell + 2))
            item.setScale(cell)
            view.addItem(item)
        items.append(item)
    frames = cycle(_frames(count, side))
    view.show()
    QApplication.processEvents()

    def frame() -> None:
        values = next(frames)
        largest = float(np.abs(values).max())
        for item, value in zip(items, values, strict=True):
            item.setImage(value, levels=(-largest, largest))
        view.viewport().repaint()

    return frame


def _matplotlib(count: int, side: int, size: tuple[int, int]) -> Callable[[], None]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    across, _ = _fit(count, side, size)
    figure = Figure(figsize=(size[0] / 100, size[1] / 100), dpi=100)
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots(-(-count // across), across).ravel()
    frames = cycle(_frames(count, side))
    shown = []
    for place, value in zip(axes, next(frames), strict=False):
        place.set_axis_off()
        shown.append(place.imshow(value, cmap="RdBu", vmin=-3, vmax=3, interpolation="nearest"))

    def frame() -> None:
        for image, value in zip(shown, next(frames), strict=True):
            image.set_data(value)
        canvas.draw()

    return frame


def _frames(count: int, side: int) -> Frames:
    """Eight frames of values, the same in every run."""
    random = np.random.default_rng(0)
    return [random.standard_normal((count, side, side)).astype(np.float32) for _ in range(8)]


def _fit(count: int, side: int, size: tuple[int, int]) -> tuple[int, int]:
    """Maps a row, and whole pixels a value, the most that fit."""
    def cell(across: int) -> int:
        down = -(-count // across)
        return int(min((size[0] / across - 2) // side, (size[1] / down - 2) // side))

    across = max(range(1, count + 1), key=cell)
    return across, cell(across)


def _app() -> QApplication:
    app = QApplication.instance() or QApplication([])
    paint.load_fonts()
    return app  # type: ignore[return-value]
