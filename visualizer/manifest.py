"""Manifest: what a person has said of a model file that the file does not say of itself.

It is kept beside the file as `NAME.visualizer.json` and travels with it; where the folder cannot be written, in the
app's own folder under the hash of the file. It names that hash: of other bytes it says nothing. Anybody may have
written it, so it is read strictly; no code runs because of it.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

from visualizer import registry
from visualizer.language import numeral, tr
from visualizer.refused import Refused

SUFFIX = ".visualizer.json"
FORMAT = "visualizer-manifest-1"
FOLDER = "manifests"
"""In the app's own folder."""
MOST_BYTES = 4 << 20
"""Of a manifest: a vocabulary of 200,000 words fits."""
MOST_AXES, MOST_SIZE = 8, 1 << 31
MOST_NAMES, MOST_LETTERS = 262_144, 500
"""Labels or symbols of an alphabet, and letters of each."""
MOST_WIRES = 5_000
"""Lines of a wiring."""
MOST_CHANNELS = 4_096
DEEPEST = 6
"""Lists and mappings in one another, in arguments and settings."""
MOST_VALUES = 10_000
"""Plain values in arguments or settings, all in all."""
SCALES = ("0 … 1", "0 … 255", "−1 … 1")
LAYOUTS = ("channels first", "channels last", "batch first", "time first")
COLOURS = ("RGB", "BGR", "grey")
FITS = ("crop", "squeeze", "pad")
RESAMPLES = ("bilinear", "bicubic", "nearest", "lanczos")
HASH = re.compile(r"[0-9a-f]{64}")
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_ ]{0,40}")
NAME = re.compile(r"[A-Za-z_]\w{0,100}(\.[A-Za-z_]\w{0,100}){0,8}")
_NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Input:
    """What was said of one input; empty for what was not."""

    kind: str = ""
    """A kind of input: image, text, sequence, tensor, audio, several."""
    shape: tuple[int | None, ...] | None = None
    """Without the batch; None for an axis of any size."""
    dtype: str = ""
    """`float32`, `int64`, …"""
    layout: str = ""
    """`channels first` or `channels last` of a picture, `batch first` or `time first` of a sequence."""
    scale: str = ""
    """What the values of a pixel or a sound run over: one of SCALES."""
    colours: str = ""
    fit: str = ""
    """How a picture of another shape is brought to this one: cut, squeezed, or with a margin."""
    mean: tuple[float, ...] = ()
    """Taken from each channel after it was scaled; one number, or one a channel."""
    divisor: tuple[float, ...] = ()
    """By which it is then divided."""
    crop: float = 0.0
    """Of a picture that is cut: the share of its shorter side that is left, as `crop_pct` of timm; 0 for all."""
    resample: str = ""
    """How its pixels are made from others, one of RESAMPLES."""
    alphabet: tuple[str, ...] = ()
    """The symbols that the numbers 0, 1, 2, … stand for, in a model that reads text."""
    rate: int = 0
    """Samples a second of a sound."""


@dataclass(frozen=True)
class Manifest(Input):
    """What was said of a model file; empty for what was not."""

    hash: str = ""
    """sha256 of the file that it is about."""
    inputs: Mapping[str, Input] = field(default_factory=lambda: _NONE, hash=False)
    """Of a model that reads several: what was said of each, by name."""
    labels: tuple[str, ...] = ()
    answer: str = ""
    """A kind of answer."""
    settings: Mapping[str, Any] = field(default_factory=lambda: _NONE, hash=False)
    """Of the answer: `{"blank": 0}`."""
    objective: str = ""
    """What a card calls it in its `objective`."""
    name: str = ""
    """Of code: the class, the function or the object that is the model."""
    arguments: Mapping[str, Any] = field(default_factory=lambda: _NONE, hash=False)
    """With which it is called, plain values by name."""
    weights: str = ""
    """Of code: the file of weights beside it."""
    source: str = ""
    """Of weights: the Python file beside them whose class they belong to."""
    wiring: tuple[str, ...] = ()
    """Of weights: what is computed with them, a line a step: `Conv2d(3, 16, kernel_size=3, padding=1)`, `ReLU()`."""
    trunk: str = ""
    """Of weights: the key in a checkpoint, or the beginning of the names, that is meant."""

    def plain(self) -> dict[str, Any]:
        """Lists and mappings of what was said, as JSON writes them; `from_plain` gives an equal Manifest back."""
        return _plain(self)


NOTHING = Manifest()


@dataclass(frozen=True)
class Kept:
    """What was found for a model file."""

    manifest: Manifest = NOTHING
    where: Path | None = None
    """The file that says it; None where nothing is kept."""
    why: str = ""
    """Why something that lies there is not believed, in one sentence."""


# --- where it is kept -----------------------------------------------------------------------------------------------

def beside(path: str | Path) -> Path:
    """Where the manifest of a model file lies when it travels with it."""
    path = Path(path)
    return path.with_name(path.name + SUFFIX)


_supposed: dict[Path, Manifest] = {}


def suppose(path: str | Path, manifest: Manifest) -> None:
    """Say something of a model file for as long as this process runs, whatever is kept."""
    _supposed[Path(path).resolve()] = from_plain(manifest.plain())


def suppose_nothing() -> None:
    """Take back all of that."""
    _supposed.clear()


def of(path: str | Path) -> Manifest:
    """What was said of a model file; an empty one where nothing is kept that can be believed."""
    return found(path).manifest


def found(path: str | Path) -> Kept:
    """The same, with where it is kept, or why it is not believed."""
    path = Path(path)
    if _supposed and (said := _supposed.get(path.resolve())) is not None:
        return Kept(said)
    why = ""
    for place in (_own(path), beside(path)):
        if place is None or not _is_file(place):
            continue
        try:
            read_ = read(place)
        except Refused as error:
            why = str(error)
            continue
        if read_.hash == digest(path):
            return Kept(read_, place)
        why = tr("{name} is about another version of {file}, so it is not used; say again what is not known.").format(
            name=place.name, file=path.name)
    return Kept(why=why)


def keep(path: str | Path, manifest: Manifest) -> Path:
    """Keep it beside the file, or where that cannot be written in the app's own folder; tells where. Raises
    registry.NotWritten where neither can be."""
    path = Path(path)
    manifest = replace(manifest, hash=digest(path))
    from_plain(manifest.plain())  # what could not be read again is not written
    data = json.dumps({"format": FORMAT, **manifest.plain()}, ensure_ascii=False, indent=1).encode() + b"\n"
    own = _own(path, there=False)
    near = beside(path)
    try:
        if near.is_symlink():
            raise PermissionError(near)  # whoever made the link would choose what is written over
        kept = registry.write_whole(near, data)
    except OSError as error:
        if own is None:
            raise registry.NotWritten(near, error) from error
        with suppress(OSError):
            own.parent.mkdir(parents=True, exist_ok=True)
        return registry.write_whole(own, data)
    if own is not None:
        with suppress(OSError):
            own.unlink(missing_ok=True)
    return kept


def forget(path: str | Path) -> None:
    """Throw away what was said of a model file, wherever it is kept; OSError where that cannot be done."""
    for place in (_own(Path(path)), beside(path)):
        if place is not None:
            place.unlink(missing_ok=True)


def digest(path: str | Path) -> str:
    """sha256 of a file; OSError where it cannot be read."""
    about = Path(path).stat()
    return _digest(Path(path).resolve(), about.st_size, about.st_mtime_ns)


@lru_cache(64)
def _digest(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _own(path: Path, there: bool = True) -> Path | None:
    """Where it lies in the app's own folder; None if it has none, or, of what is `there`, no manifest at all."""
    try:
        folder = registry.state_folder() / FOLDER
        return None if there and not folder.is_dir() else folder / f"{digest(path)}.json"
    except OSError:
        return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


# --- reading what anybody may have written --------------------------------------------------------------------------

def read(path: Path) -> Manifest:
    """A manifest, whatever file it is about; raises Refused with one sentence."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ValueError(tr("it is larger than {most} MB").format(most=MOST_BYTES >> 20))
        plain = json.loads(data.decode("utf-8"), parse_constant=_no_number)
        if not isinstance(plain, dict) or plain.pop("format", None) != FORMAT:
            raise ValueError(tr("it does not say that its format is {format}").format(format=FORMAT))
        return from_plain(plain)
    except Refused:
        raise
    except (OSError, ValueError, RecursionError) as error:
        why = tr("too many lists in one another") if isinstance(error, RecursionError) else str(error)
        raise Refused(tr("{name} is not used ({why}); say again what is not known.").format(
            name=path.name, why=why.partition("\n")[0].rstrip(".")[:200])) from error


def from_plain(plain: Any) -> Manifest:
    """The Manifest that `plain` wrote; ValueError where a value is none that it can have."""
    return Manifest(**_checked(plain, Manifest))


def _plain(said: Input) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for item in fields(said):
        value = getattr(said, item.name)
        if value in ((), "", 0, None) or (isinstance(value, Mapping) and not value):
            continue
        if item.name == "inputs":
            value = {name: _plain(each) for name, each in value.items()}
        made[item.name] = list(value) if isinstance(value, tuple) else \
            dict(value) if isinstance(value, Mapping) else value
    if said.shape == ():
        made["shape"] = []
    return made


def _checked(plain: Any, of: type[Input]) -> dict[str, Any]:
    if not isinstance(plain, Mapping):
        raise ValueError(tr("it is no mapping"))
    known = {item.name for item in fields(of)}
    for name in plain:
        if name not in known:
            raise ValueError(tr("nobody knows what {name!r} means in it").format(name=str(name)[:40]))
    made = {}
    for name, value in plain.items():
        try:
            made[name] = _CHECKS[name](value)
        except (ValueError, TypeError, OverflowError) as error:
            raise ValueError(tr("{name!r} {why}").format(name=name, why=error)) from None
    return made


def _no_number(word: str) -> NoReturn:
    raise ValueError(tr("{name} is no number").format(name=word))


def _word(value: Any) -> str:
    if not isinstance(value, str) or not (value == "" or WORD.fullmatch(value)):
        raise ValueError(tr("is no plain word"))
    return value


def _one_of(*allowed: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value != "" and value not in allowed:
            raise ValueError(tr("is none of {known}").format(known=", ".join(allowed)))
        return str(value)
    return check


def _list(value: Any, most: int) -> list[Any]:
    if not isinstance(value, list | tuple) or len(value) > most:
        raise ValueError(tr("is no list of at most {most}").format(most=numeral(f"{most:,}")))
    return list(value)


def _is_int(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def _shape(value: Any) -> tuple[int | None, ...] | None:
    if value is None:
        return None
    sizes = _list(value, MOST_AXES)
    if not all(size is None or _is_int(size, 1, MOST_SIZE) for size in sizes):
        raise ValueError(tr("is no list of sizes"))
    return tuple(sizes)


def _numbers(value: Any) -> tuple[float, ...]:
    numbers = _list(value, MOST_CHANNELS)
    if not all(type(each) in (int, float) and math.isfinite(float(each)) for each in numbers):
        raise ValueError(tr("is no list of numbers"))
    return tuple(map(float, numbers))


def _share(value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise ValueError(tr("is no share, 0 … 1"))
    return float(value)


def _divisor(value: Any) -> tuple[float, ...]:
    found = _numbers(value)
    if any(abs(each) < 1e-30 for each in found):
        raise ValueError(tr("would divide by nothing"))
    return found


def _text(value: Any, most: int = MOST_LETTERS) -> str:
    """In one line that a terminal can be shown."""
    if not isinstance(value, str) or len(value) > most or not value.isprintable():
        raise ValueError(tr("is no text in one line"))
    return value


def _texts(value: Any, most: int = MOST_NAMES) -> tuple[str, ...]:
    return tuple(_text(each) for each in _list(value, most))


def _symbols(value: Any) -> tuple[str, ...]:
    """Line ends and tabs may be among them, and no symbol twice."""
    found = tuple(each if each in ("\n", "\t", "\r") else _text(each) for each in _list(value, MOST_NAMES))
    if len(set(found)) != len(found):
        raise ValueError(tr("has a symbol twice"))
    return found


def _beside(value: Any) -> str:
    """The name of a file in the same folder."""
    name = _text(value, 255)
    if name and (name in (".", "..") or {*name} & {*"/\\:"}):
        raise ValueError(tr("is no file in the same folder"))
    return name


def _hash(value: Any) -> str:
    if not isinstance(value, str) or not (value == "" or HASH.fullmatch(value)):
        raise ValueError(tr("is no sha256"))
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or not (value == "" or NAME.fullmatch(value)):
        raise ValueError(tr("is no name in Python"))
    return value


def _values(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(tr("is no mapping"))
    left = [MOST_VALUES]
    return {_key(name): _value(each, left) for name, each in value.items()}


def _key(value: Any) -> str:
    if value == "$":  # has a meaning of its own between the window and the engine
        raise ValueError(tr("has a name that is none"))
    return _text(value, 100)


def _value(value: Any, left: list[int], depth: int = 0) -> Any:
    left[0] -= 1
    if depth > DEEPEST or left[0] < 0:
        raise ValueError(tr("holds too much"))
    if isinstance(value, list | tuple):
        return [_value(each, left, depth + 1) for each in value]
    if isinstance(value, Mapping):
        return {_key(name): _value(each, left, depth + 1) for name, each in value.items()}
    if isinstance(value, str):
        return _text(value, 10_000)
    if value is None or isinstance(value, bool) or _is_int(value, -(1 << 63), (1 << 63) - 1) or \
            (isinstance(value, float) and math.isfinite(value)):
        return value
    raise ValueError(tr("holds what is no plain value"))


def _inputs(value: Any) -> Mapping[str, Input]:
    if not isinstance(value, Mapping) or len(value) > 64:
        raise ValueError(tr("is no mapping of inputs"))
    return {_key(name): Input(**_checked(each, Input)) for name, each in value.items()}


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "kind": _word, "shape": _shape, "dtype": _word, "layout": _one_of(*LAYOUTS), "scale": _one_of(*SCALES),
    "colours": _one_of(*COLOURS), "fit": _one_of(*FITS), "mean": _numbers, "divisor": _divisor,
    "crop": _share,
    "resample": _one_of(*RESAMPLES), "alphabet": _symbols,
    "rate": lambda value: value if _is_int(value, 0, 1_000_000) else _no_number(f"of {value!r:.20} a second"),
    "hash": _hash, "inputs": _inputs, "labels": _texts, "answer": _word, "settings": _values, "objective": _word,
    "name": _name, "arguments": _values, "weights": _beside, "source": _beside,
    "wiring": lambda value: _texts(value, MOST_WIRES), "trunk": _text,
}
