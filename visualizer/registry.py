"""Finds things: the modules of a folder, and the files in models/ and assets/, from a wheel or from a checkout."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

PACKAGE = Path(__file__).resolve().parent


@cache
def modules(package: str) -> tuple[ModuleType, ...]:
    """Import every file of `visualizer.<package>` whose name has no leading underscore, in alphabetical order."""
    parent = import_module(f"visualizer.{package}")
    names = sorted(found.name for found in iter_modules(parent.__path__) if not found.name.startswith("_"))
    return tuple(import_module(f"{parent.__name__}.{name}") for name in names)


def folder(name: str) -> Path:
    """The folder `models` or `assets`: inside the installed package, or beside it in a checkout."""
    inside = PACKAGE / "_data" / name
    beside = PACKAGE.parent / name
    return inside if inside.exists() else beside


def files(name: str, pattern: str) -> tuple[Path, ...]:
    """Files under `models` or `assets` that match, sorted by name; names with a leading underscore are private."""
    return tuple(sorted(path for path in folder(name).glob(pattern) if not path.name.startswith("_")))


def models() -> tuple[str, ...]:
    """Names of the bundled models, those whose weights have been made."""
    return tuple(path.stem for path in files("models", "*.py") if path.with_suffix(".safetensors").exists())


def module(name: str) -> ModuleType:
    """`visualizer.<name>`, imported when asked for: the way for a lower layer to reach a higher one knowingly."""
    return import_module(f"visualizer.{name}")


def write_whole(path: Path, data: bytes) -> Path:
    """Write beside the target and rename, so that the old file stays whole until the new one is."""
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(data)
        beside.chmod(0o644)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path
