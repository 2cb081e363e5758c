"""Thumbs: inputs as small pictures, and what they are called."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPen

from visualizer import inputs, titles
from visualizer.language import tr
from visualizer.scene import colour
from visualizer.trace import Sample, Trace, remembered
from visualizer.ui import style

THUMB = 42


def draw_thumb(painter: QPainter, image: QImage | None, place: QRectF, chosen: bool) -> None:
    """One picture in its tile, framed if it is the input."""
    painter.fillRect(place, style.color("stage"))
    if image is not None:
        scale = min((place.width() - 4) / image.width(), (place.height() - 4) / image.height())
        inside = QRectF(0, 0, image.width() * scale, image.height() * scale)
        inside.moveCenter(place.center())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(inside, image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(style.color("accent" if chosen else "hair"), 2 if chosen else 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    inset = 1.0 if chosen else 0.5
    painter.drawRoundedRect(place.adjusted(inset, inset, -inset, -inset), 3, 3)


@cache
def thumb(name: str, theme: str) -> QImage | None:
    """A sample in the pixel palette of the theme; None if it is no image."""
    entries = inputs.picture(name)
    return None if entries is None else in_pixels(entries, theme)


@remembered(4)
def input_thumb(trace: Trace, theme: str) -> QImage | None:
    """What was fed in, if its kind has a picture of it."""
    first = trace.layers[0]
    if first.axes != ("channel", "row", "column"):
        entries = inputs.offered({"kind": trace.fed[0].kind} if trace.fed else {}).thumbnail(first.output)
        return None if entries is None else in_pixels(entries, theme)
    values = first.output.astype(np.float64)
    values = np.moveaxis(values, 0, -1) if len(values) == 3 else values.mean(axis=0)
    return in_pixels(colour.unit(values, *colour.reach(values)), theme)


def in_pixels(entries: NDArray[np.uint8], theme: str) -> QImage:
    """(rows, columns) entries of the pixel palette as an image, or (rows, columns, 3) red, green and blue; what is no
    number is black."""
    if entries.ndim == 3:
        shades = np.ascontiguousarray(np.where(entries == colour.UNKNOWN, 0, entries).astype(np.uint8))
        rows, columns = shades.shape[:2]
        return QImage(shades.data, columns, rows, 3 * columns, QImage.Format.Format_RGB888).copy()
    table = colour.theme(theme).palettes["pixel"].astype(np.uint32)
    packed = 0xFF000000 | table[:, 0] << 16 | table[:, 1] << 8 | table[:, 2]
    colours = np.ascontiguousarray(packed[np.where(entries == colour.UNKNOWN, 0, entries)])
    height, width = colours.shape
    return QImage(colours.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()


def sample_words(sample: Sample) -> str:
    """`Digit 2148, labelled 4`."""
    title = tr("Drawn by hand") if sample.name == inputs.DRAWN else titles.of(sample)
    if sample.label is None:
        return title
    return tr("{title}, labelled {label}").format(title=title, label=sample.label)
