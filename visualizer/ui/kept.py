"""Kept: what the app remembers from one start to the next, in the folder that the system has for it."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from visualizer.registry import write_whole

FOLDER = "VISUALIZER_STATE"
"""An environment variable that names another folder."""
MOST_BYTES = 1 << 20
"""Longer settings are none of ours."""


def folder() -> Path:
    """Where it is kept; made if it is not there. Raises OSError where it cannot be made."""
    chosen = os.environ.get(FOLDER)
    if chosen:
        path = Path(chosen)
    else:
        import platformdirs

        path = Path(platformdirs.user_state_dir("visualizer", appauthor=False))
    path.mkdir(parents=True, exist_ok=True)
    return path


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
