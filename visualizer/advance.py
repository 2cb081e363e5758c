"""Advance: long work says which part of it is under way, to whoever waits for it. Nobody has to listen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Heard = Callable[[str], None]

_heard: list[Heard] = []


def at(place: str) -> None:
    """Work has come to a layer, or to another part that has a name."""
    if _heard:
        _heard[-1](place)


@contextmanager
def told(heard: Heard) -> Iterator[None]:
    """Inside the block `heard` is called with every place that work comes to."""
    _heard.append(heard)
    try:
        yield
    finally:
        _heard.pop()
