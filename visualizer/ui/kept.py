"""Kept: what the app remembers from one start to the next, in the folder that the system has for it."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from visualizer.registry import STATE_FOLDER as FOLDER
from visualizer.registry import state_folder as folder
from visualizer.registry import write_whole

__all__ = ["FOLDER", "MOST_BYTES", "folder", "remember", "remembered"]

MOST_BYTES = 1 << 20
"""Longer settings are none of ours."""


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
    with suppress(OSError, ValueError, RecursionError):
        path = folder() / "settings.json"
        kept = json.loads(path.read_text("utf-8")) if path.is_file() and path.stat().st_size <= MOST_BYTES else {}
        write_whole(path, json.dumps({**(kept if isinstance(kept, dict) else {}), name: values}, indent=1).encode())
