"""Model formats, one file each, found by walking this folder. What a file says of itself needs no torch.

`SUFFIXES`: endings of its files, in small letters. `TITLE`: what such a file is called, after "a ".
`is_one(path) -> bool`: whether a file is one by what it holds, whatever its name; may be left out.
`open_file(path, told) -> Opened`: opens it, with what a person says of it that it does not say itself; torch is
imported in here.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from types import ModuleType

from visualizer import registry


def suffixes() -> tuple[str, ...]:
    """The endings of every file that may be a model, sorted."""
    return tuple(sorted({suffix for form in registry.modules("record.formats") for suffix in form.SUFFIXES}))


def find(path: Path) -> ModuleType | None:
    """The format of a file: the one that recognises what it holds, else the one that its ending names, else None."""
    forms = registry.modules("record.formats")
    return holding(path) or next((form for form in forms if path.suffix.lower() in form.SUFFIXES), None)


def refused(path: Path) -> str:
    """What a file or a folder is that does not open, and how it becomes one that does, in one sentence; empty where
    nobody knows it, or it opens."""
    from visualizer.record.formats import _foreign as foreign

    found = foreign.folder(path) if path.is_dir() else foreign.what(path)
    if not found and path.is_file() and path.suffix.lower() in (*suffixes(), *foreign.ENDINGS) and not holding(path):
        found = foreign.otherwise(path)
    return found


def holding(path: Path) -> ModuleType | None:
    """The format that recognises what a file holds, whatever its name; None if none does."""
    with suppress(OSError):
        for form in registry.modules("record.formats"):
            if hasattr(form, "is_one") and form.is_one(path):
                return form
    return None
