"""Animated WebP, lossless: every pixel exactly as painted. Of each frame only the rectangle is kept that has changed.

Pillow packs each rectangle; the chunks around them are those of the WebP container specification (Google): VP8X, ANIM,
ANMF, and XMP for the State.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO
from xml.sax.saxutils import escape

from visualizer.export import MOST_STATE, _xml
from visualizer.export.film import Film, FilmFormat, Pixels, in_file
from visualizer.export.film._changes import changes, rgba
from visualizer.language import numeral, tr

LARGEST = 1 << 14
"""Pixels along one side that a frame may have."""
LONGEST = (1 << 24) - 1
"""Milliseconds that a frame may stand."""
ANIMATED, DESCRIBED, CLEAR = 0x02, 0x04, 0x10
NAMESPACE = "https://visualizer.invalid/state/1.0/"


def encode(file: BinaryIO, film: Film, frames: Iterator[Pixels]) -> None:
    """Write the frames as they come; the length of the file is filled in at the end."""
    width, height = film.size
    file.write(b"RIFF\0\0\0\0WEBP")
    flags = ANIMATED | CLEAR | (DESCRIBED if film.state_json else 0)
    file.write(_chunk(b"VP8X", struct.pack("<I", flags) + _three(width - 1) + _three(height - 1)))
    file.write(_chunk(b"ANIM", struct.pack("<IH", 0xFFFFFFFF, 0)))
    number = 0
    for change in changes(frames, grid=2):
        rows, columns = change.pixels.shape
        stands = _milliseconds(number + change.frames, film) - _milliseconds(number, film)
        number += change.frames
        head = b"".join(map(_three, (change.left // 2, change.top // 2, columns - 1, rows - 1, min(stands, LONGEST))))
        file.write(_chunk(b"ANMF", head + b"\0" + _packed(change.pixels)))  # 0: laid over the frame before
    if film.state_json:
        file.write(_chunk(b"XMP ", _metadata(film.state_json)))
    length = file.tell()
    file.seek(4)
    file.write(struct.pack("<I", length - 8))


def state(data: bytes) -> str | None:
    """The State in the XMP metadata; chunks are stepped over."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack("<4sI", data[at:at + 8])
        if kind == b"XMP " and length <= 2 * MOST_STATE:
            return _xml.text_of(data[at + 8:at + 8 + length], lambda name, _: name == "visualizer:state",
                                MOST_STATE) or None
        at += 8 + length + length % 2
    return None


def refuses(film: Film) -> str:
    """Why a film cannot be a WebP."""
    return tr("A WebP is at most {most} pixels wide and high; choose a smaller size.").format(
        most=numeral(f"{LARGEST:,}")) if max(film.size) > LARGEST else ""


def _packed(pixels: Pixels) -> bytes:
    """The chunk of one still WebP, without the file around it."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(rgba(pixels)).save(buffer, "WEBP", lossless=True, quality=20, method=1)
    data, at, kept = buffer.getvalue(), 12, b""
    while at < len(data):  # a still WebP may say more than a frame of an animation may
        length = 8 + int.from_bytes(data[at + 4:at + 8], "little")
        length += length % 2
        kept += data[at:at + length] if data[at:at + 4] in (b"VP8L", b"ALPH", b"VP8 ") else b""
        at += length
    return kept


def _metadata(state_json: str) -> bytes:
    return (f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            f'<rdf:Description rdf:about="" xmlns:visualizer="{NAMESPACE}"><visualizer:state>'
            f"{escape(_xml.printable(state_json))}</visualizer:state></rdf:Description></rdf:RDF></x:xmpmeta>").encode()


def _milliseconds(frame: int, film: Film) -> int:
    """When a frame starts: rounded once, so that the film never runs late."""
    return round(frame * 1000 / film.fps)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _three(number: int) -> bytes:
    """A number as three bytes."""
    return struct.pack("<I", number)[:3]


FILM = FilmFormat("webp", (".webp",), "Animated WebP", in_file(encode), state, refuses)
