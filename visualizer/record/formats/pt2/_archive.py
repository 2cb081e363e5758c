"""The archive of torch.export: a zip of JSON and raw numbers. Every size is judged before anything of it is made."""

from __future__ import annotations

import json
import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from visualizer import unpack
from visualizer.language import english, few, numeral, tr, translated
from visualizer.record.catalog import MOST_BYTES
from visualizer.trace import Refused

SAVE = "torch.export.save(torch.export.export(model.eval(), (x,)), 'model.pt2')"
MOST_MEMBERS, MOST_LISTED = 20_000, 4 << 20
MOST_AXES = 12
MAJOR = 8
"""Of the schema, which torch raises where an older reader would misread a file (torch/_export/serde/schema.py)."""
DTYPES: Mapping[int, torch.dtype] = {
    1: torch.uint8, 2: torch.int8, 3: torch.int16, 4: torch.int32, 5: torch.int64, 6: torch.float16, 7: torch.float32,
    8: torch.float64, 9: torch.complex32, 10: torch.complex64, 11: torch.complex128, 12: torch.bool, 13: torch.bfloat16,
    28: torch.uint16, 34: torch.uint32, 35: torch.uint64}
"""Numbers that stand for types of numbers in the schema; those of eight bits are not read."""
RAW = re.compile(r"(weight|tensor)_[0-9]{1,9}")
Words = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Held:
    """What an archive holds of one model."""

    words: Words
    """The exported program, as its JSON says it."""
    tensors: Mapping[str, Tensor]
    """Parameters, buffers and constants by their names."""
    learns: Mapping[str, bool]
    """The names of the parameters, and whether they have a gradient."""


KINDS = {"weights": english("weights"), "constants": english("constants")}
"""What a program holds."""


class Odd(ValueError):
    """It is not as torch.export writes it; the text says what."""


def read(path: Path) -> Held:
    """The one model of an archive; raises Refused, Odd where it is damaged or lies, and unpack.TooMuch."""
    try:
        with unpack.opened(path, MOST_LISTED) as archive:
            return _held(archive, path)
    except RecursionError as error:
        raise Odd(tr("its lists stand too deep in one another")) from error
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, UnicodeDecodeError,
            json.JSONDecodeError) as error:
        raise Odd(str(error) or type(error).__name__) from error


def _held(archive: zipfile.ZipFile, path: Path) -> Held:
    infos = archive.infolist()
    if "serialized_exported_program.json" in archive.namelist():
        raise Refused(tr("{file} was written by torch before {version}, with its weights in a pickle; export it again "
                         "with a newer one: {save}.").format(file=path.name, version="2.8", save=SAVE))
    if len(infos) > MOST_MEMBERS or sum(info.file_size for info in infos) > MOST_BYTES:
        raise Refused(tr("{file} would unpack to more than {most} MB or {parts} parts; open a smaller network."
                         ).format(file=path.name, most=MOST_BYTES >> 20, parts=numeral(f"{MOST_MEMBERS:,}")))
    inside = {info.filename.partition("/")[2]: info for info in infos}
    if len(inside) != len(infos):
        raise Odd(tr("two of its parts have one name"))
    if any(name.startswith("data/aotinductor/") for name in inside):
        raise Refused(tr("{file} holds machine code (AOTInductor), and opening it would run that; save the program "
                         "that it was made of: {save}.").format(file=path.name, save=SAVE))
    models = [name for name in inside if name.startswith("models/") and name.endswith(".json")]
    if len(models) != 1:
        raise Refused(tr("{file} holds {count} models, and one is opened at a time; save it alone: {save}."
                         ).format(file=path.name, count=len(models), save=SAVE))
    if "byteorder" in inside and unpack.read(archive, inside["byteorder"], 16).strip() != b"little":
        raise Refused(tr("{file} was written on a machine with another order of bytes; export it again: {save}."
                         ).format(file=path.name, save=SAVE))
    name = models[0].removeprefix("models/").removesuffix(".json")
    words = _json(archive, inside, models[0])
    version = words.get("schema_version")
    major = version.get("major") if isinstance(version, dict) else None
    if major != MAJOR:
        raise Refused(tr("{file} has version {major} of torch's format, and {known} is read; export it again with "
                         "torch {newer} or newer: {save}."
                         ).format(file=path.name, major=str(major)[:9], known=MAJOR, newer="2.8", save=SAVE))
    tensors: dict[str, Tensor] = {}
    learns: dict[str, bool] = {}
    for kind, told in (("weights", f"data/weights/{name}"), ("constants", f"data/constants/{name}")):
        if f"{told}.pt" in inside:
            raise Refused(tr("{file} keeps its {kind} in a pickle, as torch did before {version}; export it again with "
                             "a newer one: {save}.").format(file=path.name, kind=translated(KINDS[kind]), version="2.9",
                                                          save=SAVE))
        found, able = _tensors(archive, inside, told, kind, path)
        tensors.update(found)
        learns.update(able)
    return Held(words, tensors, learns)


def _json(archive: zipfile.ZipFile, inside: Mapping[str, zipfile.ZipInfo], name: str) -> dict[str, Any]:
    if name not in inside:
        raise Odd(tr("{name} is missing").format(name=name))
    found = json.loads(unpack.read(archive, inside[name], unpack.MOST_WORDS))
    if not isinstance(found, dict):
        raise Odd(tr("{name} is no object").format(name=name))
    return found


# --- raw numbers ----------------------------------------------------------------------------------------------------

def _tensors(archive: zipfile.ZipFile, inside: Mapping[str, zipfile.ZipInfo], told: str, kind: str,
             path: Path) -> tuple[dict[str, Tensor], dict[str, bool]]:
    """Tensors by name, and which of them are parameters that learn, or are frozen. Names that share their bytes share
    one tensor."""
    config = _json(archive, inside, f"{told}_{kind}_config.json").get("config")
    if not isinstance(config, dict):
        raise Odd(tr("its {kind} are not listed").format(kind=translated(KINDS[kind])))
    if kind == "constants":
        config = {name: about for name, about in config.items()
                  if not (isinstance(about, dict) and str(about.get("path_name")).startswith(("custom_obj", "opaque")))}
    pickled = [name for name, about in config.items() if not isinstance(about, dict) or about.get("use_pickle")
               or not RAW.fullmatch(str(about.get("path_name")))]
    if pickled:
        raise Refused(tr("{file} keeps {names} as pickled objects, which could run code; export it again with plain "
                         "tensors as weights: {save}.").format(
            file=path.name, names=few([name[:60] for name in pickled]), save=SAVE))
    raw: dict[str, bytes] = {}
    made: dict[tuple[Any, ...], Tensor] = {}
    found: dict[str, Tensor] = {}
    learns: dict[str, bool] = {}
    spent = 0
    for name, about in config.items():
        member = f"data/{kind}/{about['path_name']}"
        if member not in inside:
            raise Odd(tr("the numbers of {name} are missing").format(name=name[:60]))
        if member not in raw:
            raw[member] = unpack.read(archive, inside[member], MOST_BYTES)
        dtype, sizes, strides, start = _meta(about.get("tensor_meta"), name)
        key = (member, dtype, sizes, strides, start)
        if key not in made:
            spent += prod(sizes) * dtype.itemsize
            if spent > unpack.MOST_NUMBERS:
                raise Refused(tr("{file} holds more than {most} MB of numbers; open a smaller network."
                                 ).format(file=path.name, most=unpack.MOST_NUMBERS >> 20))
            made[key] = _strided(raw[member], dtype, sizes, strides, start, name)
        found[name] = made[key]
        if about.get("is_param") is True:
            learns[name] = about["tensor_meta"].get("requires_grad") is not False
    return found, learns


def _meta(meta: Any, name: str) -> tuple[torch.dtype, tuple[int, ...], tuple[int, ...], int]:
    """Type, sizes, strides, and where it begins."""
    if not isinstance(meta, dict) or meta.get("dtype") not in DTYPES or meta.get("layout") != 7:
        raise Odd(tr("{name} is of a type or a layout that is not read").format(name=name[:60]))
    sizes, strides = (_whole(meta.get(what), name) for what in ("sizes", "strides"))
    (start,) = _whole([meta.get("storage_offset")], name)
    if len(sizes) != len(strides) or len(sizes) > MOST_AXES:
        raise Odd(tr("{name} has {sizes} sizes and {strides} strides"
                     ).format(name=name[:60], sizes=len(sizes), strides=len(strides)))
    return DTYPES[meta["dtype"]], sizes, strides, start


def _whole(listed: Any, name: str) -> tuple[int, ...]:
    found = [each.get("as_int") if isinstance(each, dict) else None for each in listed] \
        if isinstance(listed, list) else [None]
    if not all(type(number) is int and 0 <= number < 1 << 40 for number in found):
        raise Odd(tr("the shape of {name} is not told in whole numbers").format(name=name[:60]))
    return tuple(found)


def _strided(raw: bytes, dtype: torch.dtype, sizes: tuple[int, ...], strides: tuple[int, ...], start: int,
             name: str) -> Tensor:
    """A copy of the numbers that lie so in raw bytes; Odd where they reach outside, or would be repeated."""
    count = prod(sizes)
    last = start + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
    if count and (last + 1) * dtype.itemsize > len(raw):
        raise Odd(tr("{name} claims {count} numbers in {bytes} bytes"
                     ).format(name=name[:60], count=numeral(f"{count:,}"), bytes=numeral(f"{len(raw):,}")))
    if count * dtype.itemsize > len(raw):
        raise Odd(tr("{name} repeats its {bytes} bytes to {count} numbers"
                     ).format(name=name[:60], bytes=numeral(f"{len(raw):,}"), count=numeral(f"{count:,}")))
    if not count:
        return torch.empty(sizes, dtype=dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the bytes cannot be written to: they are copied
        whole = torch.frombuffer(raw, dtype=dtype, count=len(raw) // dtype.itemsize)
    return whole.as_strided(sizes, strides, start).clone()


