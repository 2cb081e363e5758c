"""Kept: what the app remembers from one start to the next, in the folder that the system has for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from PySide6.QtCore import QLockFile

from visualizer.registry import STATE_FOLDER as FOLDER
from visualizer.registry import state_folder as folder
from visualizer.registry import write_whole

__all__ = ["FOLDER", "MOST_BYTES", "change", "folder", "remember", "remembered"]

MOST_BYTES = 1 << 20
"""Longer settings are none of ours."""
LONGEST = 500
"""Milliseconds that one app waits for another."""


def remembered(name: str) -> dict[str, Any]:
    """The settings of that name as plain values; none if nothing was kept, or it cannot be read."""
    return _of(_kept(folder() / "settings.json"), name)


def remember(name: str, values: dict[str, Any]) -> None:
    """Keep settings for the next time, all of that name; where that is not possible they are forgotten, and nothing
    else happens."""
    change(name, lambda _: values)


def change(name: str, made: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Keep what is made of the settings of that name as they are now; of two apps one waits for the other, so that
    neither loses what the other keeps. `made` is called once, whether it can be kept or not."""
    path = folder() / "settings.json"
    lock = QLockFile(str(path.with_suffix(".lock")))
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
    held = lock.tryLock(LONGEST)
    try:
        kept = _kept(path)
        known = _of(kept, name)
        new = made(dict(known))
        if new != known:
            with suppress(OSError, ValueError, RecursionError):
                write_whole(path, json.dumps({**kept, name: new}, indent=1).encode())
    finally:
        if held:
            lock.unlock()


def _kept(path: Path) -> dict[str, Any]:
    """All settings that are kept; what cannot be read is as if nothing was."""
    with suppress(OSError, ValueError, RecursionError):
        if path.is_file() and path.stat().st_size <= MOST_BYTES:
            found = json.loads(path.read_text("utf-8"))
            return found if isinstance(found, dict) else {}
    return {}


def _of(kept: dict[str, Any], name: str) -> dict[str, Any]:
    found = kept.get(name)
    return dict(found) if isinstance(found, dict) else {}
