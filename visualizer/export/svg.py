"""SVG: a drawing that other programs can edit. Words stay words, cells are rectangles, sizes are millimetres."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

from visualizer.export import MOST_STATE, Format, Options, _xml
from visualizer.scene import colour
from visualizer.scene import type as letters
from visualizer.scene.picture import Picture

ID = "visualizer-state"

STYLE = """<style>
text { white-space: pre; font-variant-numeric: tabular-nums; font-variant-ligatures: none; font-kerning: normal }
image { image-rendering: pixelated }
</style>
"""


def to_bytes(picture: Picture, options: Options) -> bytes:
    """The file; its caption is the description, its State stands in the metadata."""
    from PySide6.QtCore import QBuffer, QRectF, QSize
    from PySide6.QtGui import QColor
    from PySide6.QtSvg import QSvgGenerator

    from visualizer import paint
    from visualizer.export._place import paper

    paint.ensure_app()
    millimetres = paper(picture, options)
    left, top, width, height = frame = _frame(picture, millimetres)
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(QSize(round(width), round(height)))
    generator.setViewBox(QRectF(*frame))
    with paint.painting(generator) as painter:
        if not options.transparent:
            red, green, blue, _ = colour.resolve(picture.theme, picture.background)
            painter.fillRect(QRectF(left, top, width, height), QColor(red, green, blue))
        paint.paint(picture, painter, transparent=True)
    return _tidied(bytes(buffer.data().data()).decode(), picture, options, millimetres, frame).encode()


def state(data: bytes) -> str | None:
    """The State in the metadata of one of our files."""
    if b"<svg" not in data[:4096]:
        return None
    found = _xml.text_of(data, lambda name, attributes: attributes.get("id") == ID, MOST_STATE)
    return found or None


def _frame(picture: Picture, millimetres: tuple[float, float]) -> tuple[float, float, float, float]:
    """Left, top, width and height of the page in pixels of the picture, which is as large as fits, in the middle."""
    scale = min(length / side for length, side in zip(millimetres, picture.size, strict=True))
    width, height = (round(length / scale, 4) for length in millimetres)
    return (picture.size[0] - width) / 2, (picture.size[1] - height) / 2, width, height


def _tidied(text: str, picture: Picture, options: Options, millimetres: tuple[float, float],
            frame: tuple[float, float, float, float]) -> str:
    """What Qt wrote, without what it repeats for every mark, and with what it cannot say."""
    body = text[text.index("<g fill"):]
    body = re.sub(r'\nfont-family="[^"]*" font-size="[^"]*" font-weight="[^"]*" font-style="[^"]*" \n>', ">", body)
    body = body.replace(' transform="matrix(1,0,0,1,0,0)"', "").replace(' vector-effect="none"', "")
    body = body.replace(' fill-opacity="1"', "").replace(' stroke-opacity="1"', "").replace(' xml:space="preserve"', "")
    body = re.sub(r"<g [^>]*>\s*</g>\s*", "", body)
    body = re.sub(r"\s*\n\s*>", ">", body)
    body = re.sub(r"\n\n+", "\n", body)
    body = body.replace('stroke="black"', 'stroke="none"', 1)
    body = re.sub(r'<g (fill="#\w+"(?: fill-opacity="[^"]*")?) stroke="none">\s*<rect ([^>]*/>)\s*</g>',
                  r"<rect \1 \2", body)
    body = re.sub(r'font-family="([^"]*)" font-size="([^"]*)"', _with_fallback, body)
    box = " ".join(f"{length:.7g}" for length in frame)
    head = ['<?xml version="1.0" encoding="UTF-8"?>',
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1" '
            f'width="{millimetres[0]:.6g}mm" height="{millimetres[1]:.6g}mm" viewBox="{box}" role="img" '
            'xml:space="preserve">',
            "<title>Visualizer</title>"]
    if picture.caption:
        head.append(f"<desc>{escape(_xml.printable(picture.caption))}</desc>")
    if options.state_json:
        head.append(f'<metadata id="{ID}">{escape(_xml.printable(options.state_json))}</metadata>')
    return "\n".join(head) + "\n" + STYLE + body


def _with_fallback(match: re.Match[str]) -> str:
    families, size = match[1].split(","), float(match[2])
    last = "monospace" if families[0] == letters.MONO else "sans-serif"
    quoted = ", ".join(f"'{family}'" for family in families)
    closer = letters.spacing(size, (families[0], 400, False))
    spacing = f' letter-spacing="{closer:.3g}"' if closer else ""
    return f'font-family="{quoted}, {last}" font-size="{match[2]}"{spacing}'


FORMAT = Format("svg", (".svg",), "SVG drawing", to_bytes, state)
