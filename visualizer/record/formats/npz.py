"""`.npz`: arrays of numpy by name, in a zip. Of each only the header and raw numbers are read, and no pickle."""

from __future__ import annotations

import io
import zipfile
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from visualizer import unpack
from visualizer.language import numeral, tr
from visualizer.manifest import NOTHING, Manifest
from visualizer.record.catalog import Opened
from visualizer.trace import Refused

if TYPE_CHECKING:
    from torch import Tensor

SUFFIXES = (".npz",)
TITLE = "file of numpy arrays"
MOST_ARRAYS, MOST_LISTED = 10_000, 4 << 20
SAVE = "numpy.savez('weights.npz', **{name: tensor.numpy() for name, tensor in model.state_dict().items()})"


def is_one(path: Path) -> bool:
    """Whether it is a zip of nothing but arrays of numpy."""
    try:
        with path.open("rb") as file:
            if file.read(2) != b"PK":
                return False
        with unpack.opened(path, MOST_LISTED) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError):
        return False
    return bool(names) and all(name.endswith(".npy") for name in names)


def open_file(path: Path, told: Manifest = NOTHING) -> Opened:
    """The weights of `path` in the network that they fit; raises Refused."""
    from visualizer.record.fitting import attach

    return attach(tensors(path), path, told)


def tensors(path: Path) -> dict[str, Tensor]:
    """Its arrays of numbers by name; raises Refused."""
    try:
        with unpack.opened(path, MOST_LISTED) as archive:
            infos = archive.infolist()
            if len(infos) > MOST_ARRAYS or sum(info.file_size for info in infos) > unpack.MOST_NUMBERS:
                raise Refused(tr("{file} would unpack to more than {most} MB or {arrays} arrays; open a smaller "
                                 "network.").format(
                    file=path.name, most=unpack.MOST_NUMBERS >> 20, arrays=numeral(f"{MOST_ARRAYS:,}")))
            return {info.filename.removesuffix(".npy"): _tensor(unpack.read(archive, info, unpack.MOST_NUMBERS),
                                                                info.filename, path) for info in infos}
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, SyntaxError, RecursionError,
            MemoryError, OverflowError, TypeError) as error:
        why = str(error).partition("\n")[0].rstrip(".")[:100]
        raise Refused(tr("{file} is damaged, or is no file of numpy.savez ({why}); save it again with {save}."
                         ).format(file=path.name, why=why, save=SAVE)) from None


def _tensor(raw: bytes, name: str, path: Path) -> Tensor:
    import torch

    file = io.BytesIO(raw)
    version = np.lib.format.read_magic(file)
    read: Any = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if read is None:
        raise ValueError(tr("{name} is of version {version} of numpy's format").format(name=name[:60], version=version))
    shape, by_columns, dtype = read(file)
    if dtype.hasobject or dtype.names is not None:
        raise Refused(tr("{file} keeps {name} as Python objects, and opening them would run code from the file; save "
                         "plain numbers: {save}.").format(file=path.name, name=name[:60], save=SAVE))
    if dtype.kind not in "fiub" or dtype.itemsize > 8:
        raise Refused(tr("{file} holds {name} in numbers of the type {dtype}, which are not read; save plain weights: "
                         "{save}.").format(file=path.name, name=name[:60], dtype=dtype, save=SAVE))
    count = prod(shape)
    if min(shape, default=0) < 0 or file.tell() + count * dtype.itemsize > len(raw):
        raise ValueError(tr("{name} claims {count} numbers in {bytes} bytes").format(
            name=name[:60], count=numeral(f"{count:,}"), bytes=numeral(f"{len(raw):,}")))
    flat = np.frombuffer(raw, dtype, count, file.tell())
    array = flat.reshape(shape, order="F" if by_columns else "C")
    own = dtype.newbyteorder("=") if dtype.kind in "fi" or dtype.itemsize == 1 else np.dtype(np.int64)
    return torch.from_numpy(np.array(array, own, order="C"))
