"""Visualizer opens a small neural network and animates everything it computes, forwards and backwards.

     model + input                                                                          eyes, files, tests
          |                                                                                        ^
       record ------> Trace ------> timeline.at(t) = Moment ------> view(...) = Picture ------> paint
     (torch, only     frozen        (the only notion of time)       (pure, numpy only)        (Qt starts here)
        here)         numbers

A model and an input make a Trace; a Trace and a Moment make a Picture; the window, a PNG, a film frame and a test all
look at the same Picture. Importing this package imports neither torch nor Qt: names load on first use.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as typing says it, which takes longer to load than all of this
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.1.0"

_HOME = {"capture": "visualizer.record", "study": "visualizer.record", "watch": "visualizer.record",
         "recording": "visualizer.record",
         "show": "visualizer.app", "compare": "visualizer.comparison", "judge": "visualizer.record.measures",
         "draw": "visualizer.export", "load": "visualizer.trace",
         "Trace": "visualizer.trace", "Layer": "visualizer.trace"}

__all__ = ["Layer", "Trace", "__version__", "capture", "compare", "draw", "judge", "load", "recording",
           "show", "study", "watch"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
