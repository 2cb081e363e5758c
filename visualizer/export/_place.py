"""Where a picture stands on a page or an image of another shape: as large as it can be, in the middle."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter

from visualizer import paint
from visualizer.export import MM, Options
from visualizer.scene import colour
from visualizer.scene.picture import Picture


def placed(picture: Picture, painter: QPainter, width: float, height: float, transparent: bool) -> None:
    """Paint a picture fitted into `width` × `height`, its background over all of it."""
    if not transparent:
        red, green, blue, _ = colour.resolve(picture.theme, picture.background)
        painter.fillRect(QRectF(0, 0, width, height), QColor(red, green, blue))
    scale = min(width / picture.size[0], height / picture.size[1])
    painter.translate((width - picture.size[0] * scale) / 2, (height - picture.size[1] * scale) / 2)
    painter.scale(scale, scale)
    paint.paint(picture, painter, transparent=True)


def paper(picture: Picture, options: Options) -> tuple[float, float]:
    """Width and height of the page in millimetres."""
    if options.mm:
        return options.mm
    width, height = picture.size
    return width * options.scale * MM / 96, height * options.scale * MM / 96
