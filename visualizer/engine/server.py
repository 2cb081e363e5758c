"""The child's side of the engine: take a request, run it, answer; one at a time, and never outlive the window.

A request is a function found in `requests`. A short one returns its answer. A long one is a generator: each `yield`
tells how far it is, and between two yields it can be cancelled and short requests are answered, so that a person who
trains a network can go on looking at numbers.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from inspect import isgenerator
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeAlias, cast

from visualizer import advance
from visualizer.engine import alive, shared
from visualizer.engine.protocol import (
    ADVANCED,
    ANSWERED,
    CANCEL,
    CANCELLED,
    FAILED,
    PROGRESS,
    REFUSED,
    STARTED,
    Broken,
    Connection,
    Message,
    Told,
)
from visualizer.engine.requests import REQUESTS
from visualizer.language import speaking, tr
from visualizer.trace import Refused

_Work: TypeAlias = Generator[tuple[float, str], None, Any]

TELL = 0.05
"""Progress is told at most once in so many seconds, however fast the work is."""


def main(folder: str = "") -> None:
    """What the child process runs. It ends at once when the window closes its pipe or is no more; the `folder` for the
    numbers of large recordings, which only the two of them know, goes with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches the window, which ends its engine
    _offer_to_the_memory_killer()
    try:
        streams = alive.begin()
        shared.write_into(Path(folder) if folder else None)
        serve(Connection(streams.reader, streams.writer, streams.lock), closed=lambda: _leave(folder))
    finally:
        _leave(folder)


def _leave(folder: str) -> None:
    """End at once: taking torch apart would cost half a second."""
    shared.remove(Path(folder) if folder else None)
    os._exit(0)


def serve(connection: Connection, requests: Mapping[str, Callable[..., Any]] = REQUESTS,
          closed: Callable[[], Any] = lambda: None) -> None:
    """Answer requests until the other side closes; `closed` is then called from the listening thread, even while a
    request runs.

    Requests are taken in their order, but skipped when they were cancelled or a newer one came in their lane.
    """
    arrived: SimpleQueue[Message | None] = SimpleQueue()
    wishes = _Wishes()
    Thread(target=_listen, args=(connection, arrived, wishes, closed), daemon=True).start()
    running: deque[_Run] = deque()
    while True:
        try:
            message = arrived.get(block=not running)
        except Empty:
            running.rotate(-1)
            if not _step(connection, running[-1], wishes):
                running.pop()
            continue
        if message is None:
            return
        if wishes.still(message):
            work = _start(connection, message, requests)
            if work is not None:
                running.append(_Run(message, work))


@dataclass
class _Run:
    """A long request under way."""

    message: Message
    work: _Work
    told: float = -1.0


@dataclass
class _Wishes:
    """Which requests are still wanted. Written by the listening thread, read between pieces of work."""

    newest: dict[str, int] = field(default_factory=dict)
    cancelled: set[int] = field(default_factory=set)

    def still(self, message: Message) -> bool:
        return message.id not in self.cancelled and self.newest[message.lane] == message.id


def _listen(connection: Connection, arrived: SimpleQueue[Message | None], wishes: _Wishes,
            closed: Callable[[], Any]) -> None:
    with suppress(Broken, OSError):
        while (message := connection.receive()) is not None:
            if message.kind == CANCEL:
                wishes.cancelled.add(message.id)
            else:
                wishes.newest[message.lane] = message.id
                arrived.put(message)
    closed()
    arrived.put(None)


def _start(connection: Connection, message: Message,
           requests: Mapping[str, Callable[..., Any]]) -> _Work | None:
    """Run a short request to its end; of a long one return what goes on piece by piece."""
    connection.send(Message(STARTED, message.id))
    try:
        if message.name not in requests:
            raise Refused(f"The engine knows no request {message.name!r}; it knows {', '.join(requests)}.")
        with speaking(message.language), advance.told(_told(connection, message)):
            value = requests[message.name](**message.value)
    except Exception as error:
        _tell_error(connection, message, error)
        return None
    if isgenerator(value):
        return cast(_Work, value)
    _answer(connection, message, value)
    return None


def _step(connection: Connection, run: _Run, wishes: _Wishes) -> bool:
    """One step of a long request; whether it goes on."""
    message = run.message
    try:
        if not wishes.still(message):
            run.work.close()
            connection.send(Message(CANCELLED, message.id))
            return False
        with speaking(message.language), advance.told(_told(connection, message)):
            share, words = next(run.work)
    except StopIteration as end:
        _answer(connection, message, end.value)
        return False
    except Exception as error:
        _tell_error(connection, message, error)
        return False
    now = time.monotonic()  # noqa: TID251 nothing is shown by it: it only spares the window messages
    if now - run.told >= TELL or isinstance(words, Told):
        run.told = now
        connection.send(Message(PROGRESS, message.id, value=[float(share), str(words)]))
    return True


def _told(connection: Connection, message: Message) -> advance.Heard:
    """What tells the window to which layer a request has come, at most once in `TELL` seconds."""
    told = -1.0

    def heard(place: str) -> None:
        nonlocal told
        now = time.monotonic()  # noqa: TID251 as below
        if now - told >= TELL:
            told = now
            connection.send(Message(ADVANCED, message.id, value=place))

    return heard


def _answer(connection: Connection, message: Message, value: Any) -> None:
    try:
        connection.send(Message(ANSWERED, message.id, value=value))
    except (TypeError, ValueError) as error:  # not what may cross, or too long
        _tell_error(connection, message, error)


def _tell_error(connection: Connection, message: Message, error: Exception) -> None:
    """One sentence for the window; for errors that nobody foresaw the full story goes to stderr.

    A LookupError of its own, not one of its subclasses, is how the nouns say that a name is unknown.
    """
    if isinstance(error, Refused) or type(error) is LookupError:
        connection.send(Message(REFUSED, message.id, value=str(error)))
        return
    traceback.print_exception(error, file=sys.stderr)
    with speaking(message.language):
        words = _failure(error)
    connection.send(Message(FAILED, message.id, value=words))


def _failure(error: Exception) -> str:
    """One sentence for an error that nobody foresaw."""
    if isinstance(error, MemoryError):
        return tr("This needs more memory than there is; choose a smaller model or a smaller input.")
    first = next(iter(str(error).splitlines()), "")
    return tr("This could not be done ({error}); choose another model or input, and report it if it comes "
              "again.").format(error=f"{type(error).__name__}{': ' if first else ''}{first}")


def _offer_to_the_memory_killer() -> None:
    """Where memory runs out, Linux shall end this process, not the window with the user's work."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("900")
