"""Where numbers come from: the only part that imports torch, when it is first asked for something.

A model and an input become a Trace.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from visualizer.record.cards import describe
    from visualizer.record.catalog import Opened, open_model
    from visualizer.record.own_step import recording
    from visualizer.record.run import pass_of, record
    from visualizer.record.studies import Pass, measure, study, with_study
    from visualizer.record.tracing import capture
    from visualizer.record.watching import watch

__all__ = ["Opened", "Pass", "capture", "describe", "measure", "open_model", "pass_of", "record", "recording", "study",
           "watch", "with_study"]
_WHERE = {"capture": "tracing", "describe": "cards", "Opened": "catalog", "open_model": "catalog", "pass_of": "run",
          "record": "run", "recording": "own_step", "Pass": "studies", "measure": "studies", "study": "studies",
          "watch": "watching", "with_study": "studies"}


def __getattr__(name: str) -> Any:
    """A name of this package comes with its file, and that with torch: the suffixes of `formats` are known without."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = found
    return found
