"""`.onnx`: a graph and its numbers in one protobuf. Parsed by the package `onnx`, and run by torch, step by step, so
that gradients flow. Nothing of a file is run, and no other file is read but the numbers that lie beside it."""

from __future__ import annotations

from pathlib import Path

from visualizer import unpack
from visualizer.language import english, few, tr, translated
from visualizer.manifest import NOTHING, Manifest
from visualizer.record.catalog import Opened
from visualizer.record.formats.onnx import _wire
from visualizer.trace import Refused

SUFFIXES = (".onnx",)
TITLE = "ONNX model"
NAMED = 12
"""So many unknown operators are named one by one."""
FROM_PYTHON = english("record the model that it was made of from Python, "
                      "visualizer.capture(model, x).save('mine.trace'), and mine.trace opens here")


def is_one(path: Path) -> bool:
    """Whether it is a protobuf with a graph in it; found out without the package `onnx`."""
    return _wire.is_model(path)


def open_file(path: Path, told: Manifest = NOTHING) -> Opened:
    """The model, ready to run, with what it says of its inputs; raises Refused."""
    from visualizer.record.formats.onnx import _file, _graph, _inputs
    from visualizer.record.formats.onnx._module import Model
    from visualizer.record.formats.onnx.operators import TooLarge

    room = _file.Room(path)
    try:
        proto = _file.parsed(path)
        program = _graph.program(proto, room)
        del proto
        module = Model(program).eval()
    except _graph.Unsupported as error:
        raise Refused(tr("{file} uses what is not known here: {names}; {instead}.").format(
            file=path.name, names=few(error.names, NAMED), instead=translated(FROM_PYTHON))) from None
    except unpack.TooMuch as error:
        raise Refused(tr("{file} is larger than there is room for ({error}); open a smaller network."
                         ).format(file=path.name, error=error)) from error
    except TooLarge as error:
        raise Refused(tr("{name}: {why}").format(name=path.name, why=error)) from error
    except (_file.Odd, LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError,
            AssertionError, RecursionError, OSError) as error:
        why = str(error).strip().partition("\n")[0].rstrip(".")[:200] or type(error).__name__
        raise Refused(tr("{file} is damaged, or no ONNX model ({why}); save or download it again."
                         ).format(file=path.name, why=why)) from error
    return _inputs.opened(path, module, told, halves=room.halves)
