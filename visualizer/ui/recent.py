"""Recent: the files that were opened last, the newest first, kept from one start to the next."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from visualizer.ui import kept

MOST = 10
"""So many are kept."""
NAME = "recent"


def files() -> tuple[Path, ...]:
    """The files that were opened last; some may be gone by now."""
    return _listed(kept.remembered(NAME))


def _listed(settings: dict[str, Any]) -> tuple[Path, ...]:
    found = settings.get("files")
    return tuple(Path(path) for path in found[:MOST] if isinstance(path, str)) if isinstance(found, list) else ()


def remember(path: str | Path) -> None:
    """Put a file in front of the others; not one that the app keeps for itself."""
    newest = Path(path).absolute()
    with suppress(OSError):
        if newest.is_relative_to(kept.folder().absolute()):
            return
    kept.change(NAME, lambda known: {"files": [
        str(each) for each in (newest, *(other for other in _listed(known) if other != newest))][:MOST]})


def forget() -> None:
    """Keep none of them."""
    kept.remember(NAME, {"files": []})
