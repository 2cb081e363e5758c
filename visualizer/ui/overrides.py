"""Overrides: what of ours Qt calls by its name may raise, and the window stays.

Before Python 3.12 an exception that C raised, an index out of range or a StopIteration, is no object until somebody
catches it; PySide 6.11 takes it for one where an override lets it through, and the process ends without a word. One
that has been caught and raised again is an object.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from shiboken6 import Shiboken

CAUGHT_ANYWAY = (3, 12)


def hold() -> None:
    """From now on every class that is derived from one of Qt has its overrides caught."""
    if sys.version_info < CAUGHT_ANYWAY:
        Shiboken.Object.__init_subclass__ = classmethod(_derived)  # type: ignore[assignment, attr-defined]


def _derived(cls: type) -> None:
    for name, thing in list(vars(cls).items()):
        if inspect.isfunction(thing) and not name.startswith("_") and _is_of_qt(cls, name):
            setattr(cls, name, _caught(thing))


def _is_of_qt(cls: type, name: str) -> bool:
    return any(name in vars(base) for base in cls.__mro__[1:] if base.__module__.startswith("PySide6"))


def _caught(override: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(override)
    def called(*given: Any, **named: Any) -> Any:
        try:
            return override(*given, **named)
        except BaseException:
            raise

    return called
