"""The sign that the engine's process answers: a frame every second from a thread of its own, whatever else it does.

It begins before anything is loaded and needs nothing but the standard library, so that a process that hangs while it
loads is known, too.
"""

from __future__ import annotations

import json
import os
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from threading import Event, Lock, Thread
from typing import BinaryIO

MARK, HEAD = b"VIZ1", struct.Struct(">4sIQ")
"""How a frame begins: the mark, the length of its JSON, the length of the rest."""
ALIVE = "alive"
EVERY = 1.0
"""Seconds from one sign to the next."""

_WORDS = json.dumps({"kind": ALIVE, "id": 0, "name": "", "lane": "", "language": "", "value": None,
                     "sizes": []}).encode()
FRAME = HEAD.pack(MARK, len(_WORDS), 0) + _WORDS


@dataclass(frozen=True, eq=False)
class Streams:
    """The two pipes to the window, and who may write to the one just now."""

    reader: BinaryIO
    writer: BinaryIO
    lock: Lock = field(default_factory=Lock)


@cache
def begin() -> Streams:
    """Take the two pipes under numbers of their own, and give signs of life from now on. Asked again, the same.

    A model that prints or asks for input then cannot disturb the messages: what it prints goes to stderr, and there is
    nothing for it to read. On Windows this also keeps libraries that look at stdin while they load from waiting for
    the listening thread.
    """
    reader, writer = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # no stderr: a window without a console
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
    os.close(nothing)
    streams = Streams(os.fdopen(reader, "rb", buffering=0), os.fdopen(writer, "wb", buffering=0))
    Thread(target=_give_signs, args=(streams,), daemon=True).start()
    return streams


def _give_signs(streams: Streams) -> None:
    pause = Event()
    with suppress(OSError, ValueError):  # the window is no more
        while True:
            with streams.lock:
                streams.writer.write(FRAME)
            pause.wait(EVERY)
