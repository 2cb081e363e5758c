"""What the engine can be asked for: `REQUESTS`, name -> function of the arguments.

Arguments and answers are what `protocol` can carry: plain values, bytes, arrays, Traces, Reports. Refused becomes a
refusal, any other exception a failure. A long request is a generator that yields (share done, words) and returns its
answer; it draws random numbers from generators of its own, for other requests run between its steps.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

import numpy as np

import visualizer
from visualizer import registry
from visualizer.trace import Refused

MOST_OPEN = 4
"""So many models stay open, the last ones used."""


def hello() -> dict[str, str]:
    """Load torch, and say which versions of everything will do the work."""
    try:
        import_module("visualizer.record")
    except ImportError as error:
        raise Refused(f"torch cannot be loaded ({error}), so nothing is recorded; run visualizer doctor.") from error
    return {"visualizer": visualizer.__version__, "python": python_version(),
            **{name: version(name) for name in ("torch", "numpy")}}


def record(model: str, sample: str = "", pixels: Any = None, target: int | None = None, objective: str = "loss",
           dtype: str | None = None) -> dict[str, Any]:
    """Record one sample through one model: `{"trace": Trace, "report": Report}`.

    `pixels` is a drawing, white on black: 28 x 28 bytes, or an array of any size.
    """
    if isinstance(pixels, bytes):
        if len(pixels) != 28 * 28:
            raise Refused(f"A drawing of {len(pixels)} bytes is not 28 × 28; send an array if it has another size.")
        pixels = np.frombuffer(pixels, np.uint8).reshape(28, 28)
    recorder = import_module("visualizer.record")
    trace = recorder.record(_opened(model), sample, pixels=pixels, target=target, objective=objective, dtype=dtype)
    return {"trace": trace, "report": trace.check()}


REQUESTS: dict[str, Callable[..., Any]] = {"hello": hello, "record": record}


_open: dict[tuple[str, str], Any] = {}


def _opened(model: str) -> Any:
    """The model, opened once for as long as its file has the same bytes: another sample then takes milliseconds."""
    key = model, _hash_of(model)
    found = _open.pop(key, None) or import_module("visualizer.record").open_model(model)
    _open[key] = found  # again, as the last one used
    while len(_open) > MOST_OPEN:
        del _open[next(iter(_open))]
    return found


def _hash_of(model: str) -> str:
    """sha256 of the weights or the model file; empty where there is none, which opening it will refuse."""
    path = registry.folder("models") / f"{model}.safetensors" if model in registry.models() else Path(model)
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
