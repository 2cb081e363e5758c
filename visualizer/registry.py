"""Finds things: the modules of a folder, and the files in models/ and assets/, from a wheel or from a checkout."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from itertools import count
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from visualizer.language import tr

PACKAGE = Path(__file__).resolve().parent
STATE_FOLDER = "VISUALIZER_STATE"
"""An environment variable that names another folder for what the app remembers."""
MOST_HEADER = 16 << 20
"""A safetensors header that is longer than this is not read."""
_AS_JSON = ("answer", "input", "labels", "objective", "parameters", "quality")


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
    """Names of the bundled models, those whose weights have been made, in the order in which they are offered.

    First those that read a picture at once, then those that read it row by row, then one kind of input after the
    other; within that by title. Those that belong to a group of experiments come last, group by group.
    """
    found = (weights(path.stem) for path in files("models", "*.py"))
    return tuple(path.stem for path in sorted((path for path in found if path.exists()), key=_rank))


def is_bundled(name: str) -> bool:
    """Whether a model of that name comes with the app, without a look at the others."""
    plain = bool(name) and not name.startswith("_") and not {*name} & {"/", "\\", "\0"} and len(name) < 200
    return plain and weights(name).is_file() and weights(name).with_suffix(".py").is_file()


def weights(model: str, untrained: bool = False) -> Path:
    """The file with the weights of a bundled model, or with those from before training, which not every model has."""
    return folder("models") / f"{model}{'.before' if untrained else ''}.safetensors"


def weights_beside(code: Path) -> Path:
    """The file of weights that belongs to a file of code."""
    return code.with_suffix(".safetensors")


def with_before() -> tuple[str, ...]:
    """Names of the bundled models that come with their weights from before training, too."""
    return tuple(name for name in models() if weights(name, untrained=True).is_file())


def card(model: str | Path) -> dict[str, Any]:
    """What a bundled model (by name) or a safetensors file (by path) says about itself, read without its tensors.

    `title`, `parameters`, `input`, `labels`, `recipe`, `quality`, …; an empty dict if the file carries no card. Raises
    LookupError if there is no such file, ValueError if it is damaged; one sentence each.
    """
    bundled = weights(str(model))
    path = bundled if isinstance(model, str) and bundled.with_suffix(".py").is_file() and bundled.is_file() \
        else Path(model)
    if not path.is_file():
        raise LookupError(tr("There is no model {name!r}; there are {known}."
                             ).format(name=model, known=", ".join(models())))
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if not 2 <= size <= min(MOST_HEADER, path.stat().st_size - 8):
            raise ValueError(f"{path.name} is no safetensors file, or a damaged one; save the weights again.")
        try:
            header = json.loads(file.read(size))
        except (ValueError, RecursionError):
            header = None
    written = header.get("__metadata__", {}) if isinstance(header, dict) else None
    if not isinstance(written, dict) or not all(isinstance(word, str) for word in written.values()):
        raise ValueError(f"{path.name} has a header that cannot be read; save the weights again.")
    return {name: _plain(word) if name in _AS_JSON else word for name, word in written.items()}


def _rank(path: Path) -> tuple[Any, ...]:
    """Where a bundled model stands among the others; one whose card cannot be read comes last."""
    return _rank_of(path, path.stat().st_mtime_ns)


@cache
def _rank_of(path: Path, changed: int) -> tuple[Any, ...]:
    try:
        written = card(path)
    except ValueError:
        written = {}
    said = written.get("input")
    kind, manner = (said.get("kind", ""), said.get("reads", "")) if isinstance(said, dict) else ("", "")
    offered = [each.name for each in module("inputs").kinds()]
    group = str(written.get("group", ""))
    return (bool(group), group, not kind, offered.index(kind) if kind in offered else len(offered), kind, manner,
            str(written.get("title", "")), path.stem)


def module(name: str) -> ModuleType:
    """`visualizer.<name>`, imported when asked for: the way for a lower layer to reach a higher one knowingly."""
    return import_module(f"visualizer.{name}")


class NotWritten(OSError):
    """A file that could not be written; its text is one sentence that says why and what to do."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(error.errno, error.strerror or str(error))
        elsewhere = "nothing can be written there; choose a folder of your own"
        why = {
            errno.ENOSPC: "the disk is full; make room, or choose another place",
            errno.EDQUOT: "the disk is full; make room, or choose another place",
            errno.EACCES: elsewhere, errno.EPERM: elsewhere, errno.EROFS: elsewhere,
            errno.ENOENT: "there is no such folder; make it first, or choose another",
            errno.EISDIR: "there is a folder of that name; choose another name",
            errno.ENAMETOOLONG: "its name is too long; choose a shorter one",
        }.get(error.errno or 0, f"{error.strerror or error}; choose another place")
        self.sentence = f"{path.name} was not written: {why}."

    def __str__(self) -> str:
        return self.sentence


def state_folder() -> Path:
    """Where the app keeps what it remembers from one start to the next, in the place that the system has for it; made
    if it is not there. Raises OSError where it cannot be made."""
    chosen = os.environ.get(STATE_FOLDER)
    if chosen:
        path = Path(chosen)
    else:
        import platformdirs

        path = Path(platformdirs.user_state_dir("visualizer", appauthor=False))
    path.mkdir(parents=True, exist_ok=True)
    return path


def has_state_folder() -> bool:
    """Whether another folder than the system's was named for that."""
    return bool(os.environ.get(STATE_FOLDER))


def taken(folder: str, stem: str, suffix: str) -> Path:
    """A file for what a person takes with a camera or a microphone, in a folder of what the app keeps, with the next
    number that is free: `taken-3.png`. Raises OSError where the folder cannot be made."""
    path = state_folder() / folder
    path.mkdir(exist_ok=True)
    return next(free for number in count(1) if not (free := path / f"{stem}-{number}{suffix}").exists())


def write_whole(path: Path, data: bytes) -> Path:
    """Write beside the target and rename, so that the old file stays whole until the new one is.

    Raises NotWritten, and leaves what was there, if it cannot be done.
    """
    with whole(path) as beside:
        beside.write_bytes(data)
    return path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Where to write what becomes `path` when the block is left; nothing stays of it after an error, and what a process
    that was killed has left there is gone.

    A file that is there keeps who may read it, and a link leads where it led; a new file is as the person wants new
    files to be.
    """
    path = path.resolve() if path.is_symlink() else path
    sweep(path.parent, PART)
    beside = path.with_name(f".{path.name[-MOST_NAME:]}-{os.getpid()}.part")
    try:
        yield beside
        try:
            mode = path.stat().st_mode & 0o777
        except OSError:
            mode = 0o666 & ~_umask()
        beside.chmod(mode)
        beside.replace(path)
    except NotWritten:  # of another file, that was to be written with this one
        raise
    except OSError as error:
        raise NotWritten(path, error) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


PART = re.compile(r"\..+-([0-9]+)\.part")
"""What a file is called while it is written, and by which process."""
MOST_NAME = 100
"""Letters of a name in that of its part, the last ones with its ending: together they shall not be too long."""


def sweep(folder: Path, name: re.Pattern[str]) -> None:
    """Throw away what processes have left in a folder that were killed before they could: files and folders of such a
    name, in which the number of the process stands."""
    with suppress(OSError):
        for entry in os.scandir(folder):
            found = name.fullmatch(entry.name)
            if found is not None and not _runs(int(found[1])):
                with suppress(OSError):
                    shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)


def _runs(process: int) -> bool:
    """Whether a process of that number runs; where that cannot be asked, it is believed."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def _umask() -> int:
    """What the person keeps from others in new files; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _plain(word: str) -> Any:
    """What a card writes as JSON, because safetensors keeps words only; as it stands if it is none."""
    try:
        return json.loads(word)
    except (ValueError, RecursionError):
        return word
