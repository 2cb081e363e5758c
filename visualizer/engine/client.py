"""The window's side of the engine: start it, ask it, take its answers, and go on when it dies or hangs.

Two signs are waited for. The process answers: it says so every second, whatever it does. And the request advances: it
says to which layer it has come. What is counted are ticks of a timer here, never more than one for each: where the
whole machine is starved, the window's own ticks come late, and that is nobody's fault.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

from PySide6.QtCore import QCoreApplication, QObject, Qt, QTimer, Signal  # noqa: TID251 counts patience, shows nothing

from visualizer.engine import shared
from visualizer.engine.alive import ALIVE
from visualizer.engine.protocol import (
    ADVANCED,
    ANSWERED,
    CANCEL,
    ENDS,
    PROGRESS,
    REFUSED,
    REQUEST,
    STARTED,
    Broken,
    Connection,
    Message,
    pack,
    unpack,
)
from visualizer.language import spoken, tr

SILENT = 5.0
"""Seconds without an answer of the process after which it is ended and started again."""
SLOW = 10.0
"""Seconds without advance after which it is said that a request takes long, and offered to stop it."""
LIMIT = 60.0
"""Seconds without advance after which a request counts as hanging, unless it says otherwise."""
LOADING = 180.0
"""The same while torch loads: seconds on a warm machine, but a first start from a slow disk takes its time."""
TICK = 0.25
"""Seconds between two looks at the signs."""
LARGE = 1 << 16
"""Bytes in a tick; no signs are that long."""
MOST_RESTARTS = 3
WITHIN = 60.0
"""So many restarts within so many seconds; then the engine stays off until the next request after that."""

# A plain child process that talks over its stdin and stdout, rather than multiprocessing's spawn: it never imports the
# window's main module again (a notebook, a script, pytest, a console script), needs no named pipe and no semaphore
# whose tracker outlives it, and is started in a few milliseconds. It gets the window's own sys.path, so that it finds
# the same package, installed or in a checkout, and nothing in the current folder is imported by accident (-P).
_BOOT = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); " \
        "from visualizer.engine import alive; alive.begin(); from visualizer.engine.server import main; " \
        "main(*sys.argv[2:])"


class Engine(QObject):
    """The child process, as the window sees it. All signals are emitted in the thread of the window.

    Every request ends in exactly one `answered`, `refused` or `failed`, unless a newer request in its lane or a
    `cancel` made it pointless: then nothing is heard of it again.
    """

    ready = Signal(object)
    """Versions by name: torch is loaded, from now on a recording takes milliseconds."""
    answered = Signal(int, str, object)
    """(id, name of the request, answer)."""
    refused = Signal(int, str)
    """(id, one sentence that says what to do)."""
    failed = Signal(int, str)
    """(id, one sentence): it should have worked and did not."""
    progress = Signal(int, float, str)
    """(id, share done from 0 to 1, words)."""
    slow = Signal(int, float, float, str)
    """(id, seconds without advance, seconds at which it is ended, the layer it has come to): from `SLOW` seconds on,
    once a second."""
    died = Signal(str)
    """One sentence or two: the process ended, was ended or is of no use, and what becomes of it."""

    _came = Signal(int, object)
    """(which child, Message, or None at its end): from the reading thread to that of the window."""
    _failing = Signal(int, str)
    """`failed`, said later: whoever asks shall know the id before."""

    def __init__(self, parent: QObject | None = None, clock: Callable[[], float] | None = None) -> None:
        """`clock` answers seconds."""
        super().__init__(parent)
        self._clock = clock or time.monotonic  # noqa: TID251 nothing is shown by it
        self._child: _Child | None = None
        self._on = False
        self._children = self._last_id = self._hello = 0
        self._pending: dict[int, _Pending] = {}
        self._started: dict[int, _Running] = {}
        self._silent = self._ticked = 0.0
        """Seconds since the process has answered last, in ticks; and when the last tick was."""
        self._begun: set[int] = set()
        """What the last process had begun when it ended."""
        self._restarts: deque[float] = deque(maxlen=MOST_RESTARTS)
        self._patience = QTimer(self)
        self._patience.setInterval(round(1000 * TICK))
        self._patience.timeout.connect(self._look)
        self._came.connect(self._take, Qt.ConnectionType.QueuedConnection)
        self._failing.connect(self.failed, Qt.ConnectionType.QueuedConnection)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.stop)

    @property
    def pid(self) -> int | None:
        """Process id of the child, while there is one."""
        return None if self._child is None else self._child.process.pid

    def start(self) -> None:
        """Start the child, which begins to load torch. Returns at once; `ready` tells when that is done."""
        if self._child is None:
            self._spawn()

    def request(self, name: str, /, lane: str = "", limit: float = LIMIT, **arguments: Any) -> int:
        """Ask for something, starting the child if there is none; returns the id that its signals carry.

        The newest request of a lane wins, and by default each name is a lane: an answer to an older one never comes.
        `limit` is how many seconds may pass without progress. Raises TypeError if an argument is no plain data.
        """
        self._last_id += 1
        number, lane = self._last_id, lane or name
        asked = _Pending(name, lane, limit, pack(Message(REQUEST, number, name, lane, arguments, spoken())))
        self._pending = {other: pending for other, pending in self._pending.items() if pending.lane != lane}
        self._pending[number] = asked
        if self._child is not None:
            self._child.send(asked.frame)
        elif not self._on or self._may_restart():
            self._spawn()
        else:
            self._fail_pending(tr("The engine stopped too often and is off for now; try again in a minute."))
        return number

    def cancel(self, number: int) -> None:
        """Want no answer any more; a long request stops at its next step."""
        if self._pending.pop(number, None) is not None and self._child is not None:
            self._child.send(pack(Message(CANCEL, number)))

    def interrupt(self, number: int) -> None:
        """End what cannot be cancelled, because it does not come to its next step: `failed` follows, and the process
        starts anew."""
        if number in self._pending or number in self._started:
            self._end_child()
            if self._pending.pop(number, None) is not None:
                self._failing.emit(number, tr("It was stopped; choose a smaller model or a smaller input."))
            self._pending.pop(self._hello, None)
            self._spawn()

    def stop(self) -> None:
        """End the child at once; it holds nothing that needs saving. A later `start` or `request` starts a new one."""
        self._pending.clear()
        self._end_child()
        self._on = False

    # --- what comes from the child ----------------------------------------------------------------------------------

    def _take(self, child: int, message: Message | None) -> None:
        if self._child is None or child != self._child.number:
            return
        if message is None:
            closed_only = self._child.process.poll() is None
            ran_out = _out_of_memory() > self._child.killed_before
            status = self._end_child()
            self._ended(tr("The engine broke its connection off.") if closed_only else _how_it_ended(status, ran_out))
            return
        self._silent = 0.0
        if message.kind == ALIVE:
            return
        self._keep_patience(message)
        asked = self._pending.get(message.id)
        if asked is None:
            return
        if message.kind == STARTED or message.kind == ADVANCED:
            return
        if message.kind == PROGRESS:
            share, words = message.value
            self.progress.emit(message.id, share, words)
        else:
            del self._pending[message.id]
            self._tell(message, asked.name)

    def _tell(self, message: Message, name: str) -> None:
        """How a request ended. The greeting has a signal of its own."""
        if message.kind == ANSWERED:
            if message.id == self._hello:
                self.ready.emit(message.value)
            else:
                self.answered.emit(message.id, name, message.value)
        elif message.id == self._hello:
            self.died.emit(message.value)
        elif message.kind == REFUSED:
            self.refused.emit(message.id, message.value)
        else:
            self.failed.emit(message.id, message.value)

    def _keep_patience(self, message: Message) -> None:
        """Whatever comes from its work says that all of that advances: it does one thing at a time.

        A request that nobody wants any more can hang as well, so this counts what has started, not what is pending.
        """
        if message.kind == STARTED:
            asked = self._pending.get(message.id)
            self._started[message.id] = _Running(LIMIT if asked is None else asked.limit)
        elif message.kind in ENDS:
            self._started.pop(message.id, None)
        for running in self._started.values():
            running.still, running.said = 0.0, SLOW
        if message.id in self._started:
            self._started[message.id] = self._started.pop(message.id)  # the last one is the one under way
            if message.kind == ADVANCED:
                self._started[message.id].place = str(message.value)

    # --- when it dies -----------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """One tick: has the process answered, does the request advance?"""
        now = self._clock()
        passed, self._ticked = min(now - self._ticked, TICK), now
        child = self._child
        if child is None:
            return
        hands_over, loads = child.hands_over(), self._hello in self._pending and child.loads()
        self._silent = 0.0 if hands_over or loads else self._silent + passed
        if self._silent >= SILENT:
            self._end_child()
            self._ended(tr("The engine did not answer for {seconds} s and was ended.").format(seconds=f"{SILENT:g}"))
        elif self._started and not hands_over:
            number, running = next(reversed(self._started.items()))
            running.still += passed
            if running.still >= running.limit:
                self._hangs(number, running)
            elif running.still >= running.said and number in self._pending and number != self._hello:
                running.said += 1.0
                self.slow.emit(number, running.still, running.limit, running.place)

    def _hangs(self, number: int, running: _Running) -> None:
        self._end_child()
        asked = self._pending.pop(number, None)
        if asked is not None and number != self._hello:
            self._failing.emit(number, tr(
                "This took more than {seconds} s; choose a smaller model or a smaller input.").format(
                    seconds=f"{running.limit:g}"))
        self._ended(tr("The engine did not advance for {seconds} s and was ended.").format(
            seconds=f"{running.limit:g}"))

    def _ended(self, happened: str) -> None:
        """Start again and ask once more for what was lost; but not for what has now ended the engine twice: what it had
        begun, or where it had begun nothing, all that it was asked for."""
        self._pending.pop(self._hello, None)
        begun = self._begun & self._pending.keys() or set(self._pending)
        for number, asked in list(self._pending.items()):
            asked.lost += number in begun
            if asked.lost > 1:
                del self._pending[number]
                self._failing.emit(number, tr(
                    "The engine stopped twice while it did this; choose another model or input."))
        if not self._may_restart():
            self._fail_pending(tr("The engine is off, so this was not done; try again in a minute."))
            self.died.emit(tr("{happened} It was started {count} times within a minute, so now it stays off; try "
                              "another model or input in a minute.").format(happened=happened, count=MOST_RESTARTS))
        elif self._spawn():
            self.died.emit(tr("{happened} It was started again; your work is as it was.").format(happened=happened))

    def _may_restart(self) -> bool:
        """Count a restart, if it is allowed."""
        now = self._clock()
        if len(self._restarts) == MOST_RESTARTS and now - self._restarts[0] < WITHIN:
            return False
        self._restarts.append(now)
        return True

    def _spawn(self) -> bool:
        """Start a child, greet it, and send it all that is pending, oldest first."""
        self._on = True
        self._children += 1
        try:
            self._child = _Child(self._children, self._came.emit)
        except OSError as error:
            self._fail_pending(tr("The engine cannot be started; run visualizer doctor."))
            self.died.emit(tr("The engine cannot be started ({error}), so nothing can be recorded; run visualizer "
                              "doctor.").format(error=error))
            return False
        self._last_id += 1
        self._hello = self._last_id
        hello = _Pending("hello", "", LOADING,
                         pack(Message(REQUEST, self._hello, "hello", value={}, language=spoken())))
        self._pending = {self._hello: hello, **self._pending}
        for asked in self._pending.values():
            self._child.send(asked.frame)
        self._silent, self._ticked = 0.0, self._clock()
        self._patience.start()
        return True

    def _end_child(self) -> int | None:
        """The child's exit status, after making sure that it has ended."""
        child, self._child = self._child, None
        self._begun = set(self._started)
        self._started.clear()
        self._patience.stop()
        return None if child is None else child.end()

    def _fail_pending(self, sentence: str) -> None:
        for number in self._pending:
            self._failing.emit(number, sentence)
        self._pending.clear()


@dataclass
class _Pending:
    """A request that has not ended yet, ready to be sent again."""

    name: str
    lane: str
    limit: float
    frame: list[bytes] = field(repr=False)
    lost: int = 0
    """How many processes have ended over it."""


@dataclass
class _Running:
    """A request that the process has begun."""

    limit: float
    still: float = 0.0
    """Seconds in which it has not advanced, in ticks."""
    said: float = SLOW
    """At how many it is said next that it takes long."""
    place: str = ""
    """The layer that it came to last."""


class _Child:
    """One child process, and two threads that move bytes between it and the window.

    Reading also unpacks (a Trace of 1 MB in about 1 ms), so that the window's thread only gets finished values.
    Writing has a thread because a pipe takes 64 kB and then waits for the reader, which may be busy loading torch.
    """

    def __init__(self, number: int, came: Callable[[int, Message | None], Any]) -> None:
        """Raises OSError if the process cannot be started."""
        self.number = number
        self._folder = shared.folder()
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-X", "faulthandler", "-c", _BOOT, json.dumps(sys.path),
             *([] if self._folder is None else [str(self._folder)])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env={**os.environ, **_ENVIRONMENT},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0))
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.killed_before = _out_of_memory()
        self._counted = _Counted(self.process.stdout)
        self._connection = Connection(self._counted, self.process.stdin, folder=self._folder)  # type: ignore[arg-type]
        self._unpacks, self._read_before, self._moved = False, 0, ()
        self._outbox: SimpleQueue[list[bytes] | None] = SimpleQueue()
        self._threads = (Thread(target=self._read, args=(came,), daemon=True), Thread(target=self._write, daemon=True))
        for thread in self._threads:
            thread.start()

    def send(self, frame: list[bytes]) -> None:
        self._outbox.put(frame)

    def hands_over(self) -> bool:
        """Whether a large answer comes just now, or is being unpacked here; asked once a tick."""
        before, self._read_before = self._read_before, self._counted.bytes
        return self._unpacks or self._read_before > before + LARGE

    def loads(self) -> bool:
        """Whether the process works or waits for the disk though it does not answer, as while torch is loaded; asked
        once a tick. Where the system does not tell, it is believed."""
        try:
            words = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return not sys.platform.startswith("linux")
        before, self._moved = self._moved, (words[11], words[12], words[9])  # time in it, in the system, pages read
        return words[0] == "D" or self._moved != before

    def end(self) -> int | None:
        """Kill it, if it still runs, and take its exit status, so that no zombie is left."""
        self.process.kill()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(2)
        self._outbox.put(None)
        for thread in self._threads:
            thread.join(1)
        shared.remove(self._folder)
        return self.process.returncode

    def _read(self, came: Callable[[int, Message | None], Any]) -> None:
        with self._connection.reader, suppress(RuntimeError):  # RuntimeError: the window is no more
            with suppress(Broken, OSError):
                while (frame := self._connection.frame()) is not None:
                    self._unpacks = True
                    message = unpack(*frame, self._folder)
                    self._unpacks = False
                    came(self.number, message)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(1)
            came(self.number, None)

    def _write(self) -> None:
        with self._connection.writer, suppress(OSError):
            while (frame := self._outbox.get()) is not None:
                self._connection.write(frame)


_ENVIRONMENT = {
    # One thread each, set before torch and numpy load: two of them on a busy two-core machine stall for 260 ms.
    "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",  # sets are walked in the same order each time
}


class _Counted:
    """A stream that knows how much was read from it."""

    def __init__(self, stream: Any) -> None:
        self._stream, self.bytes = stream, 0

    def readinto(self, view: memoryview) -> int:
        got: int = self._stream.readinto(view)
        self.bytes += got or 0
        return got

    def __enter__(self) -> _Counted:
        return self

    def __exit__(self, *error: object) -> None:
        self._stream.close()


def _out_of_memory() -> int:
    """How many processes the system has ended because memory ran out; 0 where it does not tell."""
    found = 0
    for path in ("/proc/vmstat", "/sys/fs/cgroup/memory.events"):
        with suppress(OSError, ValueError):
            found += sum(int(line.split()[1]) for line in Path(path).read_text().splitlines()
                         if line.startswith("oom_kill "))
    return found


def _how_it_ended(status: int | None, ran_out: bool) -> str:
    """One sentence from an exit status; on POSIX a negative one is the signal that ended the process. `ran_out`: the
    system has ended some process since because memory ran out."""
    if status is None or status >= 0:
        return tr("The engine stopped unexpectedly (exit status {status}).").format(status=status)
    with suppress(ValueError):
        name = signal.Signals(-status).name
        if name == "SIGKILL":
            return tr("The engine was ended by the system (SIGKILL), because memory ran out.") if ran_out else \
                tr("The engine was ended from outside (SIGKILL).")
        return tr("The engine crashed ({signal}).").format(signal=name)
    return tr("The engine crashed ({signal}).").format(signal=-status)
