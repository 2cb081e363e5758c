"""PNG: pixels, at any scale or at a size on paper. The State and the caption stand in text chunks."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np

from visualizer.export import MM, MOST_STATE, Format, Options
from visualizer.language import tr
from visualizer.scene.picture import Picture
from visualizer.trace import Refused

KEY = "visualizer-state"
MOST_PIXELS = 1 << 28


def to_bytes(picture: Picture, options: Options) -> bytes:
    """The file; width and height are the picture's times the scale, or those of the paper at its dpi."""
    from PIL import Image, PngImagePlugin

    dpi = options.dpi or (300.0 if options.mm else 96.0 * options.scale)
    if options.mm:
        width, height = (max(1, round(length / MM * dpi)) for length in options.mm)
    else:
        width, height = (max(1, round(length * options.scale)) for length in picture.size)
    if width * height > MOST_PIXELS:
        raise Refused(tr("A picture of {width} × {height} pixels is too large; choose a smaller scale or fewer dpi."
                         ).format(width=width, height=height))
    pixels = _pixels(picture, width, height, options.transparent)
    text = PngImagePlugin.PngInfo()
    for key, words in (("Description", picture.caption), ("Software", "Visualizer"), (KEY, options.state_json)):
        if words:
            text.add_itxt(key, words, zip=False)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", pnginfo=text, dpi=(dpi, dpi), compress_level=6)
    return buffer.getvalue()


def state(data: bytes) -> str | None:
    """The State in the text chunks; chunks are stepped over, never unpacked beyond the size of a State."""
    at = 8
    while data.startswith(b"\x89PNG\r\n\x1a\n") and at + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind in (b"tEXt", b"zTXt", b"iTXt") and length <= MOST_STATE + 1024:
            body, checksum = data[at + 8:at + 8 + length], data[at + 8 + length:at + 12 + length]
            words = _words(kind, body) if checksum == struct.pack(">I", zlib.crc32(kind + body)) else None
            if words:
                return words
        at += 12 + length
    return None


def _pixels(picture: Picture, width: int, height: int, transparent: bool) -> np.ndarray:
    """(height, width, 3 or 4): red, green, blue and, if transparent, opacity."""
    from PySide6.QtGui import QImage

    from visualizer import paint
    from visualizer.export._place import placed

    paint.ensure_app()
    kinds = QImage.Format
    image = QImage(width, height, kinds.Format_ARGB32_Premultiplied if transparent else kinds.Format_RGB32)
    image.fill(0)
    with paint.painting(image) as painter:
        placed(picture, painter, width, height, transparent)
    image = image.convertToFormat(kinds.Format_RGBA8888)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(height, width, 4)
    return pixels.copy() if transparent else pixels[..., :3].copy()  # the image, and its memory, end here


def _words(kind: bytes, body: bytes) -> str | None:
    """The text of a chunk, if it is the State."""
    key, _, rest = body.partition(b"\0")
    if key != KEY.encode():
        return None
    try:
        if kind == b"tEXt":
            return rest.decode("latin-1")
        packed = kind == b"zTXt" or rest[:1] == b"\1"
        rest = rest[1:] if kind == b"zTXt" else rest[2:].split(b"\0", 2)[2]
        return _unpacked(rest).decode("latin-1" if kind == b"zTXt" else "utf-8") if packed else rest.decode("utf-8")
    except (ValueError, IndexError, zlib.error):
        return None


def _unpacked(data: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    words = unpacker.decompress(data, MOST_STATE)
    if unpacker.unconsumed_tail:
        raise ValueError("longer than any State")
    return words


FORMAT = Format("png", (".png",), "PNG picture", to_bytes, state)
