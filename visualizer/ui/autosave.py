"""Autosave: where one stands is written down as one works, and offered again after a crash.

Each window has a file of its own, with a lock beside it that tells whether its program still runs: several windows
leave each other's alone, and what a crash left behind is known by a lock whose owner is gone.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from PySide6.QtCore import QLockFile, QObject, Signal

from visualizer.language import tr
from visualizer.registry import write_whole
from visualizer.scene import session
from visualizer.scene.state import State
from visualizer.ui import kept
from visualizer.ui.commands import key_for
from visualizer.ui.player import Player
from visualizer.ui.store import Store

PAUSE = 1.0
"""Seconds from a change until it is written down, so that nothing is written while something moves."""
TOLD = "told"
"""Under this name it is kept which of them somebody has been told of."""
MOST_LEFT = 8
"""So many sessions that were left behind are kept, the newest."""
ASIDE = "aside"
"""A folder among them for those that cannot be opened."""


class Autosave(QObject):
    """Follows the store."""

    said = Signal(str)
    """One sentence, once, if nothing can be written down."""

    def __init__(self, store: Store, player: Player, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.store, self.player = store, player
        self.path: Path | None = None
        """The file of this window; None until there is something to write down."""
        self._lock: QLockFile | None = None
        self._complained = self._closed = False
        store.changed.connect(self._changed)

    def left_behind(self) -> tuple[Path, ...]:
        """Sessions of windows whose program is gone, the newest first; the oldest of too many are thrown away."""
        found: list[Path] = []
        with suppress(OSError):
            files = sorted(_folder().glob("*.session"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
            found = [path for path in files if path != self.path and _abandoned(path)]
        for path in found[MOST_LEFT:]:
            forget(path)
        return tuple(found[:MOST_LEFT])

    def news(self) -> bool:
        """Whether a session was left behind that nobody has been told of yet; asking is telling."""
        left, new = [path.name for path in self.left_behind()], list[str]()

        def told(known: dict[str, Any]) -> dict[str, Any]:
            before = known.get("sessions")
            new.extend(name for name in left if not isinstance(before, list) or name not in before)
            return {"sessions": left} if left or before else known

        kept.change(TOLD, told)
        return bool(new)

    def write(self) -> None:
        """Write down where one stands now, unless it moves."""
        if self.store.state.playing:
            self.player.later(self, PAUSE, self.write)
            return
        try:
            if self.path is None:
                self.path = _folder() / f"{uuid4().hex}.session"
                self._lock = _lock(self.path)
                self._lock.tryLock(0)
            write_whole(self.path, session.state_bytes(self.store.state, self.store.trace))
        except OSError as error:
            if not self._complained:
                self._complained = True
                self.said.emit(tr("Your session is not kept while you work ({why}); save it yourself with {key}.")
                               .format(why=error.strerror or error, key=key_for("save")))

    def keep_last(self) -> None:
        """Write down where one stands for a start that asks for it."""
        with suppress(OSError):
            write_whole(last_file(), session.state_bytes(self.store.state, self.store.trace))

    def close(self) -> None:
        """A clean end: there is nothing to offer again."""
        self._closed = True
        self.player.never(self)
        if self._lock is not None:
            self._lock.unlock()
        if self.path is not None:
            forget(self.path)

    def _changed(self, old: State, new: State) -> None:
        if not self._closed:
            self.player.later(self, PAUSE, self.write)


def forget(path: Path) -> None:
    """Throw a session away, and its lock."""
    for file in (path, _lock_of(path)):
        with suppress(OSError):
            file.unlink(missing_ok=True)


def put_aside(path: Path) -> Path:
    """Keep a session that cannot be opened where it is not offered again; where it lies then."""
    aside = path.parent / ASIDE / path.name
    with suppress(OSError):
        aside.parent.mkdir(exist_ok=True)
        path.replace(aside)
        _lock_of(path).unlink(missing_ok=True)
        kept_aside = sorted(aside.parent.glob("*.session"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
        for old in kept_aside[MOST_LEFT:]:
            old.unlink()
    return aside


def last_file() -> Path:
    """What says where the last window stood that was closed as it should be."""
    return kept.folder() / "last.session"


def _folder() -> Path:
    path = kept.folder() / "sessions"
    path.mkdir(exist_ok=True)
    return path


def _lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _lock(path: Path) -> QLockFile:
    lock = QLockFile(str(_lock_of(path)))
    lock.setStaleLockTime(0)  # held as long as its owner lives, however long that is
    return lock


def _abandoned(path: Path) -> bool:
    """Whether the program that wrote a session is gone: its lock can be had."""
    lock = _lock(path)
    if not lock.tryLock(0):
        return False
    lock.unlock()
    return True
