"""WebM with VP9: free of patents, for web pages. The State stands in a tag."""

from __future__ import annotations

from visualizer.export import MOST_STATE
from visualizer.export.film import FilmFormat, in_file
from visualizer.export.film._video import converted, encoder, missing

SEGMENT, TAGS, TAG, SIMPLE_TAG = 0x18538067, 0x1254C367, 0x7373, 0x67C8
TAG_NAME, TAG_STRING = 0x45A3, 0x4487
"""Ids of elements (RFC 9559)."""
INSIDE = (SEGMENT, TAGS, TAG, SIMPLE_TAG)


def state(data: bytes) -> str | None:
    """The State in the tag `COMMENT`; elements are stepped over."""
    if data[:4] != b"\x1a\x45\xdf\xa3":
        return None
    at, name = 0, b""
    while at < len(data):
        kind, at = _number(data, at, whole=True)
        length, inside = _number(data, at)
        if kind is None or length is None:
            return None
        at = inside if kind in INSIDE else inside + length
        if kind == TAG_NAME and length < 64:
            name = data[inside:at]
        elif kind == TAG_STRING and name == b"COMMENT" and length <= MOST_STATE:
            return data[inside:at].decode("utf-8", "replace")
    return None


def _number(data: bytes, at: int, whole: bool = False) -> tuple[int | None, int]:
    """A number of up to eight bytes, and where it ends; `whole` keeps the bit that tells its length, as ids do.

    None where there is none.
    """
    length = 9 - data[at].bit_length() if at < len(data) and data[at] else 9
    if length > 8 or at + length > len(data):
        return None, len(data)
    number = int.from_bytes(data[at:at + length], "big")
    return (number if whole else number & (1 << 7 * length) - 1), at + length


encode = encoder("webm", "libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "crf": "20", "b": "0"}, "libopus")
FILM = FilmFormat("webm", (".webm",), "WebM video", in_file(encode, converted), state, sounds=True, missing=missing,
                  even=True)
