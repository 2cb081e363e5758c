"""`.pt`, `.pth`, `.ckpt`, `.bin`: raw tensors and a pickle, which is read by torch's weights-only loader and no other.

Since version 1.6 torch.save writes a zip; before, it wrote pickles one behind the other, and the numbers after them.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visualizer import unpack
from visualizer.language import few, numeral, tr
from visualizer.manifest import NOTHING, Manifest
from visualizer.record.catalog import MOST_BYTES, Opened
from visualizer.record.formats import _foreign, _pickles
from visualizer.trace import Refused

if TYPE_CHECKING:
    from torch import Tensor

SUFFIXES = (".pt", ".pth", ".ckpt", ".bin")
TITLE = "PyTorch state dict"
MOST_MEMBERS, MOST_LISTED = 20_000, 4 << 20
MOST_PICKLE = 64 << 20
"""Bytes of the pickle in a zip."""
SAVE = "torch.save(model.state_dict(), 'weights.pt')"
OLD = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""How a file of torch before 1.6 begins: the pickle of a number."""
SCALARS = ("numpy._core.multiarray.scalar", "numpy.core.multiarray.scalar", "numpy.dtype")
"""What a number of numpy is made with: checkpoints mostly keep a loss so."""


def is_one(path: Path) -> bool:
    """Whether it is a zip with the pickle of torch.save in it, or begins as the older files do."""
    with path.open("rb") as file:
        if file.read(len(OLD)) == OLD:
            return True
    try:
        with unpack.opened(path, MOST_LISTED) as archive:
            return any(name.partition("/")[2] == "data.pkl" for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError):
        return False


def open_file(path: Path, told: Manifest = NOTHING) -> Opened:
    """The weights of `path` in the network that they fit; raises Refused."""
    from visualizer.record.fitting import attach

    return attach(tensors(path), path, told)


def tensors(path: Path) -> Mapping[Any, Any]:
    """What the file holds: names and tensors, in as many mappings as it was saved with; raises Refused."""
    import torch

    from visualizer.record.fitting import tensors_in

    with path.open("rb") as file:
        old = file.read(len(OLD)) == OLD
    try:
        pickled = _old(path) if old else _zip(path)
    except _pickles.Odd as error:
        raise Refused(tr("{file} cannot be read as weights ({error}); save it again with {save}."
                         ).format(file=path.name, error=error, save=SAVE)) from None
    wanted = [name for name in pickled.names if name not in _allowed()]
    if wanted:
        raise Refused(_would_run(path, wanted))
    if pickled.odd:
        raise Refused(tr("{file} names its numbers otherwise than torch.save does; save it again with {save}."
                         ).format(file=path.name, save=SAVE))
    if pickled.stored > path.stat().st_size:
        raise Refused(tr("{file} claims {stored} numbers in {size} bytes; save it again with {save}.").format(
                         file=path.name, stored=numeral(f"{pickled.stored:,}"),
                         size=numeral(f"{path.stat().st_size:,}"), save=SAVE))
    try:
        with torch.serialization.safe_globals(_scalars()):
            loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever torch raises on a hostile file, its own advice is to load it unsafely
        raise Refused(tr("{file} cannot be read as weights; save it again with {save}."
                         ).format(file=path.name, save=SAVE)) from error
    if not isinstance(loaded, Mapping):
        raise Refused(tr("{file} holds a {type}, not a state dict; save it again with {save}."
                         ).format(file=path.name, type=type(loaded).__name__, save=SAVE))
    for tensor in tensors_in(loaded):
        _check_tensor(tensor, path)
    return loaded


def _would_run(path: Path, wanted: list[str]) -> str:
    """What is said of a file that keeps more than numbers: a whole model, or a checkpoint with objects in it."""
    listed = few(wanted)
    module = _foreign.class_of_module(wanted)
    if module:
        return _foreign.pickled_module(path, module, listed)
    return tr("{file} keeps Python objects beside its weights (wants: {listed}), and opening it would run code from "
              "the file; where it was made, save the weights alone: {save}."
              ).format(file=path.name, listed=listed, save=SAVE)


def _zip(path: Path) -> _pickles.Pickle:
    """The pickle in a zip, all sizes checked; raises Refused and Odd."""
    try:
        with unpack.opened(path, MOST_LISTED) as archive:
            members = archive.infolist()
            _check(path, members)
            pickled = next(member for member in members if _inside(member) == "data.pkl")
            return _pickles.read(io.BytesIO(unpack.read(archive, pickled, MOST_PICKLE)))
    except unpack.TooMuch:
        raise Refused(tr("{file} lists more parts than {most}; open a smaller network."
                         ).format(file=path.name, most=numeral(f"{MOST_MEMBERS:,}"))) from None
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError):
        with path.open("rb") as file:
            if file.read(2) == b"PK":
                raise Refused(tr("{file} is cut off or damaged; save or download it again."
                                 ).format(file=path.name)) from None
        raise Refused(tr("{file} is nothing that torch.save writes; save it again with {save}."
                         ).format(file=path.name, save=SAVE)) from None


def _inside(member: zipfile.ZipInfo) -> str:
    """Its name without the folder that all of it lies in."""
    return member.filename.partition("/")[2] or member.filename


def _check(path: Path, members: list[zipfile.ZipInfo]) -> None:
    inside = [_inside(member) for member in members]
    if len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > MOST_BYTES:
        raise Refused(tr("{file} would unpack to more than {most} MB or {parts} parts; open a smaller network."
                         ).format(file=path.name, most=MOST_BYTES >> 20, parts=numeral(f"{MOST_MEMBERS:,}")))
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise Refused(tr("{file} is a compressed zip, which torch.save never writes; save it again with {save}."
                         ).format(file=path.name, save=SAVE))
    if "data.pkl" not in inside:
        raise Refused(tr("{file} is a zip, but not one of torch.save; save the weights with {save}."
                         ).format(file=path.name, save=SAVE))


def _old(path: Path) -> _pickles.Pickle:
    """The pickle of an older file, behind those that say how it was written; raises Odd."""
    with path.open("rb") as file:
        for _ in range(3):
            if _pickles.read(file).names:
                raise _pickles.Odd(tr("it does not begin as torch.save does"))
        found = _pickles.read(file)
        if _pickles.read(file).names:
            raise _pickles.Odd(tr("its list of numbers is none"))
    return found


def _allowed() -> frozenset[str]:
    """What torch's weights-only loader imports, and what makes a number of numpy."""
    from torch import _weights_only_unpickler as unpickler

    allowed = frozenset(unpickler._get_allowed_globals())
    return allowed | frozenset(SCALARS) | frozenset(f"numpy.dtypes.{kind}DType" for kind in (
        "Float64", "Float32", "Float16", "Int64", "Int32", "UInt8", "Bool"))


def _scalars() -> list[Any]:
    import numpy as np

    with suppress(ImportError, AttributeError):
        from numpy._core.multiarray import scalar

        return [scalar, (scalar, "numpy.core.multiarray.scalar"), np.dtype,
                *(type(np.dtype(kind)) for kind in ("f8", "f4", "f2", "i8", "i4", "u1", "?"))]
    return []


def _check_tensor(tensor: Tensor, path: Path) -> None:
    """A tiny file may claim a huge tensor by repeating one number; the numbers must really be there."""
    import torch

    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_complex():
        raise Refused(tr("{file} holds a tensor that is sparse, quantized or complex; save plain weights."
                         ).format(file=path.name))
    stored = tensor.untyped_storage().nbytes()
    if tensor.numel() * tensor.element_size() > stored:
        raise Refused(tr("{file} holds a tensor of {count} numbers in {stored} bytes; save the weights again after "
                         ".contiguous()."
                         ).format(file=path.name, count=numeral(f"{tensor.numel():,}"), stored=numeral(f"{stored:,}")))
