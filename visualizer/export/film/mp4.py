"""MP4 with H.264: plays everywhere. The State stands in the comment of its metadata."""

from __future__ import annotations

import struct

from visualizer.export import MOST_STATE
from visualizer.export.film import FilmFormat, in_file
from visualizer.export.film._video import converted, encoder, missing

WAY = (b"moov", b"udta", b"meta", b"ilst", b"\xa9cmt", b"data")
"""The boxes, one in the other, down to the comment (ISO/IEC 14496-12, and the metadata of QuickTime)."""
BEFORE = {b"meta": 4, b"data": 8}
"""Bytes that stand in a box before what it holds: version and flags, kind and country."""


def state(data: bytes) -> str | None:
    """The State in the comment; boxes are stepped over."""
    if data[4:8] != b"ftyp":
        return None
    start, end = 0, len(data)
    for name in WAY:
        found = _box(data, name, start, end)
        if found is None:
            return None
        start, end = found
    return data[start:end].decode("utf-8", "replace") if end - start <= MOST_STATE else None


def _box(data: bytes, name: bytes, at: int, end: int) -> tuple[int, int] | None:
    """Where the first box of that name lies between two places: its inside."""
    while at + 8 <= end:
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        head = 8
        if length == 1 and at + 16 <= end:
            length, head = struct.unpack(">Q", data[at + 8:at + 16])[0], 16
        if length < head or at + length > end:
            return None
        if kind == name:
            inside = at + head + BEFORE.get(name, 0)
            return (inside, at + length) if inside <= at + length else None
        at += length
    return None


encode = encoder("mp4", "libx264", {"preset": "veryfast", "crf": "18"}, "aac")
FILM = FilmFormat("mp4", (".mp4",), "MP4 video", in_file(encode, converted), state, sounds=True, missing=missing,
                  even=True)
