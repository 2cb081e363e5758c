"""What passes between the window and the engine: messages of plain data, framed so that nothing is ever unpickled.

A frame is a fixed head, then JSON, then the raw bytes of whatever is not JSON:

    b"VIZ1" | length of the JSON (4 bytes) | length of the rest (8 bytes) | JSON | bytes, arrays and traces in a row

In the JSON a value that is not plain stands as {"$": what it is, "at": its number among `sizes`}. The numbers of a
large trace lie in a file, as `shared` says. The reader trusts nothing: lengths are checked before anything is read,
arrays hold numbers only, a trace is opened as any file would be.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

import numpy as np

from visualizer.engine import shared
from visualizer.engine.alive import ALIVE, HEAD, MARK
from visualizer.kinds import Report
from visualizer.language import ENGLISH
from visualizer.trace import MOST_BYTES, Trace, from_bytes, together

REQUEST, CANCEL = "request", "cancel"
STARTED, ADVANCED, PROGRESS = "started", "advanced", "progress"
ENDS = ANSWERED, REFUSED, FAILED, CANCELLED = "answered", "refused", "failed", "cancelled"

MOST_JSON = 64 << 20
"""A frame whose JSON is longer than this many bytes is not read."""

_KINDS = (REQUEST, CANCEL, STARTED, ADVANCED, PROGRESS, ALIVE, *ENDS)
_NUMBERS = "biuf"
"""dtype kinds an array may have: booleans, integers, floats."""


class Told(str):
    """Words of progress that are news, not a state: each of them is told, however soon after the last."""

    __slots__ = ()


class Broken(Exception):
    """The other side sent something that is no message; the connection cannot be used any more."""


@dataclass(frozen=True)
class Message:
    """One message. The window sends requests and cancels; the engine answers with the same id.

    Of each request that it takes up, the engine says that it has started, and then how it ended: answered, refused,
    failed or cancelled. Of requests that were pointless before their turn it says nothing.
    """

    kind: str
    id: int
    name: str = ""
    """Of a request: which one."""
    lane: str = ""
    """Of a request: a newer one in the same lane makes it pointless."""
    value: Any = None
    """Plain values, bytes, arrays, Traces and Reports: the arguments of a request, an answer, `[share done, words]`
    for progress, the layer that it has come to for advanced, one sentence for refused and failed."""
    language: str = ENGLISH
    """Of a request: that in which its sentences are said; no number and no recording depends on it."""


@dataclass(frozen=True, eq=False)
class Connection:
    """Two byte streams. Reading is done by one thread; writing by any that holds the lock."""

    reader: BinaryIO
    writer: BinaryIO
    _lock: Lock = field(default_factory=Lock, repr=False)
    folder: Path | None = None
    """Of a window: where the engine puts the numbers of large recordings."""

    def send(self, message: Message) -> None:
        """Write one message; raises TypeError or ValueError if it cannot cross, OSError if the other side is gone."""
        self.write(pack(message))

    def write(self, frame: Iterable[bytes]) -> None:
        """Write what `pack` made."""
        with self._lock:
            for piece in frame:
                _write_all(self.writer, piece)
            self.writer.flush()

    def receive(self) -> Message | None:
        """Wait for the next message; None when the other side closed. Raises Broken."""
        frame = self.frame()
        return None if frame is None else unpack(*frame, self.folder)

    def frame(self) -> tuple[bytes, bytes] | None:
        """The same, still packed."""
        head = _read_all(self.reader, HEAD.size, may_end=True)
        if head is None:
            return None
        mark, words, rest = HEAD.unpack(head)
        if mark != MARK:
            raise Broken(f"a message begins with {mark!r}")
        if words > MOST_JSON or rest > MOST_BYTES:
            raise Broken(f"a message of {words + rest:,} bytes is longer than any should be")
        return _read_all(self.reader, words), _read_all(self.reader, rest)


def pack(message: Message) -> list[bytes]:
    """A message as the pieces of its frame, in order. Raises TypeError for a value that cannot cross."""
    pieces: list[bytes] = []
    value = _plain(message.value, pieces)
    words = json.dumps({"kind": message.kind, "id": message.id, "name": message.name, "lane": message.lane,
                        "language": message.language, "value": value,
                        "sizes": [len(piece) for piece in pieces]}).encode()
    rest = sum(map(len, pieces))
    if len(words) > MOST_JSON or rest > MOST_BYTES:
        raise ValueError(f"a message of {len(words) + rest:,} bytes is longer than may be sent")
    return [HEAD.pack(MARK, len(words), rest), words, *pieces]


def unpack(words: bytes, rest: bytes, folder: Path | None = None) -> Message:
    """The message of a frame; `folder` is where large recordings lie. Raises Broken for anything that `pack` does not
    write."""
    try:
        plain = json.loads(words)
        sizes, pieces = plain["sizes"], []
        if any(type(size) is not int or size < 0 for size in sizes) or sum(sizes) != len(rest):
            raise ValueError("the lengths do not add up")
        view, start = memoryview(rest).toreadonly(), 0
        for size in sizes:
            pieces.append(view[start:start + size])
            start += size
        kind, number = plain["kind"], plain["id"]
        said = plain["name"], plain["lane"], plain["language"]
        if kind not in _KINDS or type(number) is not int or not all(isinstance(word, str) for word in said):
            raise ValueError("the kind, the id, the name, the lane or the language is none")
        name, lane, language = said
        return Message(kind, number, name, lane, _rich(plain["value"], pieces, folder), language)
    except Exception as error:
        raise Broken(f"a message cannot be read ({error})") from error


# --- values ---------------------------------------------------------------------------------------------------------

def _plain(value: Any, pieces: list[bytes]) -> Any:
    """The value as JSON knows it, whatever else there is being put among the pieces."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return [_plain(item, pieces) for item in value]
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) and key != "$" for key in value):
            raise TypeError("the keys of a mapping in a message are words other than $")
        return {key: _plain(item, pieces) for key, item in value.items()}
    if isinstance(value, Report):
        fields = {name: getattr(value, name) for name in Report.__dataclass_fields__}
        return {"$": "report", "fields": _plain(fields, pieces)}
    about: dict[str, Any] = {"at": len(pieces)}
    if isinstance(value, bytes):
        pieces.append(value)
        return {"$": "bytes", **about}
    if isinstance(value, Trace) and (held := shared.offered(value)) is not None:
        name, size, header = held
        pieces.append(json.dumps(header).encode())
        return {"$": "large trace", "file": name, "size": size, **about}
    if isinstance(value, Trace):
        pieces.append(value.to_bytes(compress=False))
        return {"$": "trace", **about}
    if isinstance(value, np.ndarray) and value.dtype.kind in _NUMBERS:
        pieces.append(value.astype(value.dtype.newbyteorder("<"), copy=False).tobytes())
        return {"$": "array", "dtype": value.dtype.newbyteorder("<").str, "shape": list(value.shape), **about}
    raise TypeError(f"a {type(value).__name__} cannot cross between the window and the engine")


def _rich(plain: Any, pieces: list[memoryview], folder: Path | None) -> Any:
    """The value that `_plain` was given, tuples having become lists. Arrays cannot be written to."""
    if isinstance(plain, list):
        return [_rich(item, pieces, folder) for item in plain]
    if not isinstance(plain, dict):
        return plain
    if "$" not in plain:
        return {key: _rich(item, pieces, folder) for key, item in plain.items()}
    what = plain["$"]
    if what == "report":
        return Report(**plain["fields"])
    data = pieces[plain["at"]]
    if what == "bytes":
        return bytes(data)
    if what == "trace":
        return from_bytes(bytes(data))
    if what == "large trace" and folder is not None and type(plain["size"]) is int:
        return together(json.loads(bytes(data)), shared.taken(folder, plain["file"], plain["size"]))
    if what == "array":
        dtype, shape = np.dtype(plain["dtype"]), tuple(plain["shape"])
        if dtype.kind not in _NUMBERS or math.prod(shape) * dtype.itemsize != len(data):
            raise ValueError(f"an array of {plain['dtype']} {shape} does not fit its {len(data)} bytes")
        return np.frombuffer(data, dtype).reshape(shape)
    raise ValueError(f"there is no value of the kind {what!r}")


# --- streams --------------------------------------------------------------------------------------------------------

def _write_all(stream: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[stream.write(view):]


def _read_all(stream: BinaryIO, count: int, may_end: bool = False) -> Any:
    """Exactly `count` bytes; None if the stream ends before the first and `may_end`."""
    data = bytearray(count)
    view, have = memoryview(data), 0
    while have < count:
        got = stream.readinto(view[have:])  # type: ignore[attr-defined]
        if not got:
            if may_end and not have:
                return None
            raise Broken("the other side stopped in the middle of a message")
        have += got
    return data
