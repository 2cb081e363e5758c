"""How an operator of ONNX is told: a function over torch, under the name that a file calls it by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol

import torch
from torch import Tensor

from visualizer.language import tr
from visualizer.trace import Refused

MOST_MADE = 256 << 20
"""Bytes that one step may make at most."""


class Said(Protocol):
    """What a file says of one step beside the tensors that it reads."""

    version: int
    """Of the set of operators."""
    made: tuple[str, ...]
    """The names of what it makes, empty where nobody reads it."""
    said: Mapping[str, Any]
    """Its attributes."""

    def get(self, name: str, default: Any = None) -> Any:
        """One of its attributes."""


@dataclass(frozen=True)
class Operator:
    """What stands for a name."""

    does: Callable[..., Any]
    """(what the file says, each tensor or None) -> what is made, a tuple where that is several."""
    told: frozenset[int] = frozenset()
    """Places of what it reads as plain numbers, or lists of them: shapes, axes, where to begin."""
    numbers: bool = False
    """Whether a constant of one number may stand as a number in it: `x / 6`."""
    shape_alone: bool = False
    """Whether it looks at nothing but shapes."""


TABLE: dict[str, Operator] = {}


def operator(*names: str, told: Iterable[int] = (), **more: bool) -> Callable[[Any], Any]:
    """Put a function among the operators, under each of these names."""
    def added(does: Any) -> Any:
        for name in names:
            assert name not in TABLE, f"two functions stand for {name}"
            TABLE[name] = Operator(does, frozenset(told), **more)
        return does

    return added


class TooLarge(Refused):
    """What it would make is more than there is room for."""


def room(sizes: Iterable[int], bytes_each: int = 4) -> list[int]:
    """The sizes, if there is room for so many numbers; raises TooLarge."""
    found = [int(size) for size in sizes]
    if any(size < 0 for size in found):
        raise ValueError(tr("a size is {size}").format(size=min(found)))
    if prod(found) * bytes_each > MOST_MADE:
        raise TooLarge(tr("one of its steps would make {shape} numbers, more than there is room for; choose a smaller "
                          "input or a smaller network.").format(shape=" × ".join(map(str, found))))
    return found


def told(x: Tensor) -> Any:
    """The numbers of a tensor as plain ones, or lists of them; TypeError where it has none, on torch's meta device."""
    if x.device.type == "meta":
        raise TypeError(tr("what it makes depends on the numbers that it reads"))
    with torch._C.DisableTorchFunction():  # looking at them is no step of the model
        return x.detach().tolist()


def listed(told: Any) -> list[Any]:
    """A list of one number where a plain number stands."""
    return list(told) if isinstance(told, list | tuple) else [told]
