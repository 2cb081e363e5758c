"""Kept: what the app remembers from one start to the next, in the folder that the system has for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
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
    with suppress(OSError, ValueError, RecursionError):
        path = folder() / "settings.json"
        if path.is_file() and path.stat().st_size <= MOST_BYTES:
            found = json.loads(path.read_text("utf-8"))
            if isinstance(found, dict) and isinstance(found.get(name), dict):
                return dict(found[name])
    return {}


def remember(name: str, values: dict[str, Any]) -> None:
    """Keep settings for the next time; where that is not possible they are forgotten, and nothing else happens."""
    change(name, lambda _: values)


def change(name: str, made: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Keep what is made of the settings of that name as they are now; of two apps one waits for the other, so that
    neither loses what the other keeps."""
    with suppress(OSError, ValueError, RecursionError):
        path = folder() / "settings.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = QLockFile(str(path.with_suffix(".lock")))
        held = lock.tryLock(LONGEST)
        try:
            kept = json.loads(path.read_text("utf-8")) if path.is_file() and path.stat().st_size <= MOST_BYTES else {}
            kept = kept if isinstance(kept, dict) else {}
            known = kept.get(name)
            write_whole(path, json.dumps({**kept, name: made(dict(known) if isinstance(known, dict) else {})},
                                         indent=1).encode())
        finally:
            if held:
                lock.unlock()
