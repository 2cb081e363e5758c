"""Animated PNG: every pixel exactly as painted. Of each frame only the rectangle is kept that has changed.

The chunks are those of the PNG specification, third edition (W3C, 2025): acTL, fcTL, fdAT.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from fractions import Fraction
from typing import BinaryIO

import numpy as np

from visualizer.export import png
from visualizer.export.film import Film, FilmFormat, Pixels, in_file
from visualizer.export.film._changes import changes, rgba

LEVEL = 6
OVER = 1
"""A frame is laid over the one before, which shows where it is clear."""


def encode(file: BinaryIO, film: Film, frames: Iterator[Pixels]) -> None:
    """Write the frames as they come; the number of them is filled in at the end."""
    width, height = film.size
    file.write(b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)))
    counted_at = file.tell()
    file.write(_chunk(b"acTL", struct.pack(">II", 0, 0)))
    if film.state_json:
        file.write(_chunk(b"iTXt", png.KEY.encode() + b"\0\0\0\0\0" + film.state_json.encode()))
    sequence = count = 0
    for change in changes(frames):
        rows, columns = change.pixels.shape
        stands = (change.frames / film.fps).limit_denominator(1000)
        if stands.numerator > 0xFFFF:
            stands = Fraction(min(round(stands), 0xFFFF))
        file.write(_chunk(b"fcTL", struct.pack(">IIIIIHHBB", sequence, columns, rows, change.left, change.top,
                                               stands.numerator, stands.denominator, 0, OVER)))
        data = _packed(change.pixels)
        sequence += 1
        if count:
            data = struct.pack(">I", sequence) + data
            sequence += 1
        file.write(_chunk(b"fdAT" if count else b"IDAT", data))
        count += 1
    file.write(_chunk(b"IEND", b""))
    file.seek(counted_at)
    file.write(_chunk(b"acTL", struct.pack(">II", count, 0)))


def _packed(pixels: Pixels) -> bytes:
    """Red, green, blue, opacity row by row, each row after a 0: as it is. Flat colours pack best without a filter."""
    rows, columns = pixels.shape
    lines = np.zeros((rows, 1 + 4 * columns), np.uint8)
    lines[:, 1:] = rgba(pixels).reshape(rows, -1)
    return zlib.compress(lines.data, LEVEL)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))


FILM = FilmFormat("apng", (".apng",), "Animated PNG", in_file(encode), png.state)
