"""Consent: which Python files a person has agreed to run, by their hashes. It is kept in the app's own folder alone,
never beside a file: whoever sends a file cannot send the consent with it."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from visualizer import manifest, registry

NAME = "consent.json"
MOST_BYTES, MOST = 1 << 20, 2_000
"""Of the file, and of the hashes in it: the newest stay."""

_supposed: set[str] = set()


def suppose(path: str | Path) -> None:
    """Agree for as long as this process runs: the person has written the name of what is to be run."""
    _supposed.add(manifest.digest(path))


def suppose_nothing() -> None:
    """Take back all of that."""
    _supposed.clear()


def give(path: str | Path) -> None:
    """Remember that a person agrees to run exactly this file; raises OSError where that cannot be kept."""
    kept = [each for each in _kept() if each != manifest.digest(path)]
    words = json.dumps([*kept, manifest.digest(path)][-MOST:], indent=1)
    registry.write_whole(registry.state_folder() / NAME, words.encode())


def given(path: str | Path) -> bool:
    """Whether a person agrees to run this file as it is now."""
    try:
        return manifest.digest(path) in _supposed or manifest.digest(path) in _kept()
    except OSError:
        return False


def _kept() -> list[str]:
    with suppress(OSError, ValueError, RecursionError):
        path = registry.state_folder() / NAME
        if path.is_file() and path.stat().st_size <= MOST_BYTES:
            found = json.loads(path.read_text("utf-8"))
            return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []
    return []
