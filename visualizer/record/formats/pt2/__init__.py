"""`.pt2`: a program of torch.export: a graph in JSON, and raw numbers. Read without pickle, and without torch's own
loader, which runs what lies in such a file."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from visualizer import unpack
from visualizer.language import few, tr
from visualizer.manifest import NOTHING, Manifest
from visualizer.record.catalog import Opened
from visualizer.trace import Refused

if TYPE_CHECKING:
    from visualizer.record.formats.pt2._module import Exported

SUFFIXES = (".pt2",)
TITLE = "program of torch.export"
MOST_MADE = 1 << 30
"""Bytes of all that one run makes: as much as a recording may hold."""
NAMED = 12
"""So many unknown operators are named one by one."""


def is_one(path: Path) -> bool:
    """Whether it is a zip with what torch.export writes into it, or with machine code made of that."""
    try:
        with path.open("rb") as file:
            if file.read(2) != b"PK":
                return False
        with unpack.opened(path, 4 << 20) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError):
        return False
    inside = {name.partition("/")[2] for name in names}
    return "archive_format" in inside or "serialized_exported_program.json" in names \
        or any(name.startswith(("models/", "data/aotinductor/")) for name in inside)


def open_file(path: Path, told: Manifest = NOTHING) -> Opened:
    """The program, ready to run, with what it says of its inputs; raises Refused."""
    from visualizer.record.formats.pt2 import _archive, _graph
    from visualizer.record.formats.pt2._module import Exported

    try:
        held = _archive.read(path)
        program = _graph.program(held.words)
        missing = [name for name in program.held.values() if name not in held.tensors]
        if missing:
            raise _archive.Odd(tr("the numbers of {name} are missing").format(name=missing[0][:60]))
        module = Exported(program, held.tensors, held.learns).eval()
    except _graph.Unsupported as error:
        raise Refused(tr("{file} uses what is not known here: {names}; record the model from Python, "
                         "visualizer.capture(model, x).save('mine.trace'), and mine.trace opens here."
                         ).format(file=path.name, names=few(error.names, NAMED))) from None
    except unpack.TooMuch as error:
        raise Refused(tr("{file} is larger than there is room for ({error}); open a smaller network."
                         ).format(file=path.name, error=error)) from error
    except (_archive.Odd, LookupError, TypeError, ValueError, AttributeError, OverflowError, RuntimeError,
            AssertionError) as error:
        why = str(error).strip().partition("\n")[0].rstrip(".")[:200] or type(error).__name__
        raise Refused(tr("{file} is damaged, or was not written by torch.export ({why}); export it again: {save}."
                         ).format(file=path.name, why=why, save=_archive.SAVE)) from error
    return _opened(path, module, told)


def _opened(path: Path, module: Exported, told: Manifest) -> Opened:
    from visualizer.record import intake
    from visualizer.record.formats.pt2 import _archive
    from visualizer.record.formats.pt2._module import shapes_of

    declared = [intake.Declared(each.name, tuple(each.sizes), tuple(each.free), each.dtype,
                                [str(path.absolute()), place, str(each.dtype).removeprefix("torch."), [*each.sizes],
                                 [*each.strides]])
                for place, each in enumerate(module.plan.program.inputs)]
    module.plan.most = MOST_MADE  # until it is known that it makes less
    opened = intake.opened(path, f"{path.stem}, exported", module, declared, told,
                           lambda shapes: shapes_of(module, shapes, MOST_MADE),
                           why=tr("export it again: {save}").format(save=_archive.SAVE), guard=True)
    if opened.tried:
        module.plan.most = None
    return opened
