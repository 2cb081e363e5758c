"""The file: parsed by the package `onnx`, and nothing else of that package is used. Every size is judged before
anything of it is made."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from visualizer import unpack
from visualizer.language import numeral, tr
from visualizer.record.formats.onnx import _wire
from visualizer.record.formats.onnx._types import BFLOAT16, DTYPES, FLOAT16, NAMES, STRING, WIDER
from visualizer.trace import Refused

INSTALL = "pip install 'visualizer[onnx]'"
MOST_AXES = 12
PLAIN_NAME = re.compile(r"[^/\\:\x00-\x1f]{1,200}")


class Odd(ValueError):
    """It is not as ONNX says it is; the text says what."""


@dataclass(eq=False)
class Room:
    """What may still be made of the numbers in a file, and where those lie that it keeps beside it."""

    path: Path
    bytes_left: int = unpack.MOST_NUMBERS
    halves: bool = False
    """Whether numbers of 16 bits were met: they are computed in 32."""
    unknown: list[str] = field(default_factory=list)
    """What is not read, by name."""


def parsed(path: Path) -> Any:
    """The model as the package `onnx` has it; raises Refused without it, Odd, and unpack.TooMuch."""
    try:
        from onnx import ModelProto
    except ImportError as error:
        raise Refused(tr("{file} is an ONNX model, and reading one needs a package more; run {install} and open it "
                         "again.").format(file=path.name, install=INSTALL)) from error
    data = path.read_bytes()
    try:
        _wire.measured(data)
        return ModelProto.FromString(data)
    except unpack.TooMuch:
        raise
    except Exception as error:  # protobuf's own, which has another class in each of its versions
        raise Odd(str(error).strip().partition("\n")[0] or tr("it is no protobuf")) from error


def tensor(proto: Any, room: Room) -> Tensor | None:
    """The numbers of a TensorProto, halves as whole ones; None where their type is not read, which `room` notes."""
    code, sizes, name = proto.data_type, tuple(proto.dims), proto.name[:60]
    if code not in DTYPES:
        room.unknown.append(tr("numbers of the type {type}").format(type=NAMES.get(code, code)) if code != STRING else
                            tr("texts as numbers"))
        return None
    dtype = DTYPES[code]
    if len(sizes) > MOST_AXES or any(size < 0 for size in sizes):
        raise Odd(tr("the shape of {name} is {sizes}").format(name=name, sizes=sizes[:MOST_AXES]))
    needed = prod(sizes) * dtype.itemsize
    room.bytes_left -= needed * (2 if dtype in WIDER else 1)
    if room.bytes_left < 0:
        raise unpack.TooMuch(tr("it holds more than {most} MB of numbers").format(most=unpack.MOST_NUMBERS >> 20))
    if proto.HasField("segment"):
        raise Odd(tr("{name} is kept in pieces").format(name=name))
    made = _outside(proto, room, needed, dtype) if proto.data_location == proto.EXTERNAL else \
        _raw(proto.raw_data, dtype, needed, name) if proto.HasField("raw_data") else _typed(proto, code, dtype, name)
    if made.numel() != prod(sizes):
        raise Odd(tr("{name} claims {claimed} numbers and has {count}"
                     ).format(name=name, claimed=numeral(f"{prod(sizes):,}"), count=numeral(f"{made.numel():,}")))
    made = made.reshape(sizes)
    if dtype in WIDER:
        room.halves = True
        return made.to(WIDER[dtype])
    return made


def _raw(data: bytes, dtype: torch.dtype, needed: int, name: str) -> Tensor:
    if len(data) != needed:
        raise Odd(tr("{name} claims {count} numbers in {bytes} bytes").format(
            name=name, count=numeral(f"{needed // dtype.itemsize:,}"), bytes=numeral(f"{len(data):,}")))
    if not needed:
        return torch.empty(0, dtype=dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the bytes cannot be written to: they are copied
        return torch.frombuffer(data, dtype=dtype).clone()


def _typed(proto: Any, code: int, dtype: torch.dtype, name: str) -> Tensor:
    """Numbers that stand one by one; those of few bits as whole numbers of 32."""
    if dtype in (torch.float32, torch.complex64):
        made = torch.tensor(list(proto.float_data), dtype=torch.float32)
    elif dtype in (torch.float64, torch.complex128):
        made = torch.tensor(list(proto.double_data), dtype=torch.float64)
    elif dtype == torch.int64:
        made = torch.tensor(list(proto.int64_data), dtype=torch.int64)
    elif dtype in (torch.uint32, torch.uint64):
        made = torch.tensor(list(proto.uint64_data), dtype=torch.uint64).to(dtype)
    elif code in (FLOAT16, BFLOAT16):
        bits = torch.tensor([each & 0xFFFF for each in proto.int32_data], dtype=torch.int32)
        made = bits.to(torch.uint16).view(dtype)
    else:
        made = torch.tensor(list(proto.int32_data), dtype=torch.int32).to(dtype)
    return torch.view_as_complex(made.reshape(-1, 2)) if dtype.is_complex else made


def _outside(proto: Any, room: Room, needed: int, dtype: torch.dtype) -> Tensor:
    """Numbers in a file beside the model; of what the model says of it, three words are read."""
    said = {each.key: each.value for each in proto.external_data[:16]}
    where, path = said.get("location", ""), room.path
    if not PLAIN_NAME.fullmatch(where) or where in (".", ".."):
        raise Refused(tr("{file} keeps its numbers in {where!r}, and only a file beside it is read; save the model as "
                         "one file: onnx.save(onnx.load('model.onnx'), 'whole.onnx')."
                         ).format(file=path.name, where=where[:80]))
    beside = path.parent / where
    if beside.is_symlink() or not beside.is_file():
        raise Refused(tr("The weights of {file} are in {where}, which is not beside it; put both files into one folder."
                         ).format(file=path.name, where=where))
    try:
        start = int(said.get("offset", "0") or 0)
        length = int(said.get("length", "") or needed)
    except ValueError as error:
        raise Odd(tr("where {name} begins in {where} is no number"
                     ).format(name=proto.name[:60], where=where)) from error
    if start < 0 or length != needed or start + length > beside.stat().st_size:
        raise Odd(tr("{name} claims {needed} bytes from {start} on in {where}, which has {size}").format(
            name=proto.name[:60], needed=numeral(f"{needed:,}"), start=numeral(f"{start:,}"), where=where,
            size=numeral(f"{beside.stat().st_size:,}")))
    with beside.open("rb") as file:
        file.seek(start)
        return _raw(file.read(length), dtype, needed, proto.name[:60])
