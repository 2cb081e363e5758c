"""`.pt` and `.pth`: a zip of raw tensors and one pickle, which is read by torch's weights-only loader and no other."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visualizer import unpack
from visualizer.manifest import NOTHING, Manifest
from visualizer.record.catalog import FROM_PYTHON, MOST_BYTES, Opened, attach
from visualizer.trace import Refused

if TYPE_CHECKING:
    from torch import Tensor

SUFFIXES = (".pt", ".pth")
TITLE = "PyTorch state dict"
MOST_MEMBERS, MOST_LISTED = 20_000, 4 << 20
SAVE = "torch.save(model.state_dict(), 'weights.pt')"


def is_one(path: Path) -> bool:
    """Whether it is a zip with the pickle of torch.save in it."""
    try:
        with unpack.opened(path, MOST_LISTED) as archive:
            return any(name.partition("/")[2] == "data.pkl" for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError):
        return False


def open_file(path: Path, told: Manifest = NOTHING) -> Opened:
    """The weights of `path` in the bundled network that they fit; raises Refused."""
    import torch

    from visualizer.record.calls import tensors_in

    _check_zip(path)
    wanted = _wanted_classes(path)
    if wanted:
        raise Refused(f"{path.name} contains a pickled Python object (wants: {', '.join(wanted[:3])}), and opening it "
                      f"would run code from the file; {FROM_PYTHON} (weights of a bundled network: {SAVE}).")
    try:
        loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever torch raises on a hostile file, its own advice is to load it unsafely
        raise Refused(f"{path.name} cannot be read as weights; save it again with {SAVE}.") from error
    if not isinstance(loaded, Mapping):
        raise Refused(f"{path.name} holds a {type(loaded).__name__}, not a state dict; save it again with {SAVE}.")
    for tensor in tensors_in(loaded):
        _check_tensor(tensor, path)
    return attach(loaded, path)


def _check_zip(path: Path) -> None:
    try:
        with unpack.opened(path, MOST_LISTED) as archive:
            members = archive.infolist()
    except unpack.TooMuch:
        raise Refused(f"{path.name} lists more parts than {MOST_MEMBERS:,}; open a smaller network.") from None
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError):
        with path.open("rb") as file:
            start = file.read(4)
        if start[:2] == b"PK":
            raise Refused(f"{path.name} is cut off or damaged; save or download it again.") from None
        raise Refused(f"{path.name} is no zip, as torch.save has written since version 1.6; weights of a bundled "
                      f"network are saved again with {SAVE}, and {FROM_PYTHON}.") from None
    inside = [member.filename.partition("/")[2] or member.filename for member in members]
    if len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > MOST_BYTES:
        raise Refused(f"{path.name} would unpack to more than {MOST_BYTES >> 20} MB or {MOST_MEMBERS:,} parts; open a "
                      "smaller network.")
    if "constants.pkl" in inside or any(name.startswith("code/") for name in inside):
        raise Refused(f"{path.name} is TorchScript, which PyTorch has deprecated and which hides its layers; "
                      f"{FROM_PYTHON}.")
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise Refused(f"{path.name} is a compressed zip, which torch.save never writes; save it again with {SAVE}.")
    if "data.pkl" not in inside:
        raise Refused(f"{path.name} is a zip, but not one of torch.save; save the weights with {SAVE}.")


def _wanted_classes(path: Path) -> list[str]:
    """Python names that the pickle would import, beyond those which are plain data; nothing is run to find them."""
    import torch

    try:
        return sorted(torch.serialization.get_unsafe_globals_in_checkpoint(path))
    except Exception as error:
        raise Refused(f"{path.name} cannot be read as weights; save it again with {SAVE}.") from error


def _check_tensor(tensor: Tensor, path: Path) -> None:
    """A tiny file may claim a huge tensor by repeating one number; the numbers must really be there."""
    import torch

    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_complex():
        raise Refused(f"{path.name} holds a tensor that is sparse, quantized or complex; save plain weights.")
    stored = tensor.untyped_storage().nbytes()
    if tensor.numel() * tensor.element_size() > stored:
        raise Refused(f"{path.name} holds a tensor of {tensor.numel():,} numbers in {stored:,} bytes; save the weights "
                      "again after .contiguous().")
