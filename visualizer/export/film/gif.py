"""GIF: one palette for the whole film, taken from the tables of its theme, and no dithering: flat colours stay flat.

Of each frame only what differs from the one before is kept. The pixels are packed by Pillow.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from visualizer.export import MOST_STATE
from visualizer.export.film import Film, FilmFormat, Pixels, in_file
from visualizer.export.film._changes import changes
from visualizer.language import numeral, tr
from visualizer.scene import colour

CLEAR = 255
"""The entry that leaves the pixel as it was."""
FASTEST = 50
"""Frames a second. Times are counted in 1/100 s, and viewers slow down whatever stands for less than two of them."""
LARGEST = 65_535
MARK = b"visualizer-state "
SHARES = {"activation": 4, "weight": 5, "gradient": 6, "pixel": 8}
"""One entry in so many of each table is in the palette."""
BLENDS = {"ink": 10, "ink-2": 6, "accent": 4, "accent-ink": 4, "gradient-text": 3}
"""How many steps between the ground and the colours of text: the edges of letters."""


def encode(file: BinaryIO, film: Film, frames: Iterator[Pixels]) -> None:
    """Write the frames as they come; the film runs for ever, and carries its State in a comment."""
    from PIL import GifImagePlugin, Image

    width, height = film.size
    palette, nearest = tables(film.look.theme)
    file.write(b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0) + palette.tobytes())
    file.write(b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0")
    if film.state_json:
        file.write(b"!\xfe" + _blocks(MARK + film.state_json.encode()))
    canvas = np.full((height, width), CLEAR, np.uint8)
    number = 0
    for change in changes(frames):
        entries = nearest.take(_cells(change.pixels))
        rows, columns = entries.shape
        shown = canvas[change.top:change.top + rows, change.left:change.left + columns]
        new = (change.pixels != 0) & (entries != shown)
        np.copyto(shown, entries, where=new)
        entries[~new] = CLEAR
        hundredths = _hundredths(number + change.frames, film) - _hundredths(number, film)
        number += change.frames
        image = Image.fromarray(entries)
        for place, part in enumerate(_stretches(hundredths)):
            if place:  # what stands longer than can be said at once
                image = Image.new("L", (1, 1), CLEAR)
            for data in GifImagePlugin.getdata(image, (change.left, change.top), duration=10 * part, disposal=1,
                                               transparency=CLEAR, interlace=0):
                file.write(data)
    file.write(b";")


def state(data: bytes) -> str | None:
    """The State in a comment; blocks are stepped over."""
    if data[:6] not in (b"GIF87a", b"GIF89a") or len(data) < 13:
        return None
    at = 13 + _table_length(data[10])
    while at + 2 <= len(data):
        kind, label = data[at], data[at + 1]
        if kind == 0x21:
            words, at = _joined(data, at + 2)
            if label == 0xFE and words.startswith(MARK) and at <= len(data):  # a cut one holds half a State
                return words.removeprefix(MARK).decode("utf-8", "replace")
        elif kind == 0x2C and at + 10 <= len(data):
            _, at = _joined(data, at + 11 + _table_length(data[at + 9]))
        else:
            return None
    return None


@cache
def tables(theme: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(256, 3) colours of a theme, and the entry nearest to each of 64 × 64 × 64 colours."""
    found = colour.theme(theme)
    ground = np.array(colour.resolve(theme, "stage")[:3], np.float64)
    listed = [colour.resolve(theme, token)[:3] for token in found.tokens if colour.resolve(theme, token)[3] == 255]
    for token, steps in BLENDS.items():
        text = np.array(colour.resolve(theme, token)[:3])
        listed += [tuple(np.rint(ground + (text - ground) * step / (steps + 1)).astype(int))
                   for step in range(1, steps + 1)]
    for name, share in SHARES.items():
        table = found.palettes[name]
        listed += [tuple(int(part) for part in entry) for entry in (*table[1::share], *table[-1:])]
    kept = list(dict.fromkeys(tuple(map(int, entry)) for entry in listed))[:CLEAR]
    palette = np.zeros((256, 3), np.uint8)
    palette[:len(kept)] = kept
    colours = palette[:len(kept)].astype(np.float32)
    middles = np.arange(64, dtype=np.float32) * 4 + 1.5
    nearest = np.empty((64, 64, 64), np.uint8)
    for red in range(64):
        cells = np.stack(np.meshgrid(middles[red], middles, middles, indexing="ij"), -1).reshape(-1, 3)
        away = (colours ** 2).sum(1) - 2 * cells @ colours.T
        nearest[red] = away.argmin(1).reshape(64, 64)
    nearest[tuple((palette[len(kept) - 1::-1] >> 2).T)] = np.arange(len(kept))[::-1]  # the first listed wins its cell
    return palette, nearest.reshape(-1)


def refuses(film: Film) -> str:
    """Why a film cannot be a GIF."""
    if film.fps > FASTEST:
        return tr("A GIF shows at most {most} frames a second; choose {most} or fewer.").format(most=FASTEST)
    if max(film.size) > LARGEST:
        return tr("A GIF is at most {most} pixels wide and high; choose a smaller size.").format(
            most=numeral(f"{LARGEST:,}"))
    return ""


def _cells(pixels: Pixels) -> NDArray[Any]:
    """Which of the 64 × 64 × 64 colours each pixel is."""
    return (pixels >> 6 & 0x3F000) | (pixels >> 4 & 0xFC0) | (pixels >> 2 & 0x3F)


def _hundredths(frame: int, film: Film) -> int:
    """When a frame starts, in 1/100 s: rounded once, so that the film never runs late."""
    return round(frame * 100 / film.fps)


def _stretches(hundredths: int) -> list[int]:
    """A time in parts that a GIF can count."""
    return [LARGEST] * (hundredths // LARGEST) + [hundredths % LARGEST]


def _blocks(data: bytes) -> bytes:
    """Data as sub-blocks of up to 255 bytes, and the empty one that ends them."""
    parts = (data[at:at + 255] for at in range(0, len(data), 255))
    return b"".join(bytes((len(part),)) + part for part in parts) + b"\0"


def _joined(data: bytes, at: int) -> tuple[bytes, int]:
    """What stands in the sub-blocks from here on, as far as a State could be long, and where they end."""
    found, length = [], 0
    while at < len(data) and data[at]:
        if length <= MOST_STATE:
            found.append(data[at + 1:at + 1 + data[at]])
            length += data[at]
        at += 1 + data[at]
    return b"".join(found), at + 1


def _table_length(flags: int) -> int:
    """Bytes of a colour table, as its flags say."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


FILM = FilmFormat("gif", (".gif",), "Animated GIF", in_file(encode), state, refuses)
