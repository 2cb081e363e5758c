"""alone: weights of which nobody knows the wiring, seen as they are.

Each tensor is a layer of its own that nothing feeds: its numbers, and what they do to lengths. The singular values of a
matrix, or of kernels with all that one output reads in a row, say by how much it stretches its input along its main
directions; of a list of numbers the numbers in order of size are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from visualizer.record.wiring import Nested

MOST_TENSORS = 600
MOST_PRODUCTS = 1 << 31
"""Rows by columns by the smaller of both, of all matrices: as long as that is not spent, singular values are computed,
and then of each row its length. It takes some three seconds."""


class Held(nn.Module):
    """The tensors of one name."""

    def __init__(self) -> None:
        super().__init__()
        self.ways: dict[str, Callable[[Tensor], Tensor]] = {}
        """How each of them is seen."""

    def forward(self) -> tuple[Tensor, ...]:
        return tuple(way(self._parameters[name]) for name, way in self.ways.items())  # type: ignore[arg-type]


class Alone(nn.Module):
    """All tensors of a file, or the largest of very many, each by itself; what is fed in is not read."""

    paths: list[str]
    """Where they lie."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.__dict__["paths"] = []  # names of weights are anybody's: none of them may stand in its way
        whole = [(name, tensor) for name, tensor in tensors.items() if tensor.numel() and not tensor.is_complex()]
        if len(whole) > MOST_TENSORS:
            whole = sorted(whole, key=lambda each: -each[1].numel())[:MOST_TENSORS]
        left = MOST_PRODUCTS
        for name, tensor in whole:
            head, _, own = name.rpartition(".")
            path = head or name
            held = self._at(path)
            own = own if head and own not in dir(held) else "weight"
            numbers = tensor.detach().float().reshape(tensor.shape or (1,))
            held._parameters[own] = nn.Parameter(numbers, requires_grad=False)
            held.ways[own] = _way(numbers, left)
            left -= _products(numbers) if held.ways[own] is _stretches else 0

    def _at(self, path: str) -> Held:
        at: nn.Module = self
        *above, last = path.split(".")
        for part in above:
            at = at._modules.setdefault(part, Nested())  # type: ignore[assignment]
        found = at._modules.get(last)
        if not isinstance(found, Held):
            made = Held()
            made._modules.update({} if found is None else found._modules)
            found = at._modules[last] = made
            self.paths.append(path)
        return found

    def forward(self, x: Tensor) -> Any:
        made = [each for path in self.paths for each in self._at(path)()]
        return made[0] if len(made) == 1 else tuple(made)


def _products(tensor: Tensor) -> int:
    rows = len(tensor)
    return tensor.numel() * min(rows, tensor.numel() // rows)


def _way(tensor: Tensor, left: int) -> Callable[[Tensor], Tensor]:
    """How a tensor is seen: numbers in order, singular values, or lengths of rows where those would take too long."""
    if tensor.ndim == 1:
        return _in_order
    able = _products(tensor) <= left and bool(torch.isfinite(tensor).all())
    return _stretches if able else _lengths


def _in_order(numbers: Tensor) -> Tensor:
    return torch.sort(numbers).values


def _stretches(tensor: Tensor) -> Tensor:
    return torch.linalg.svdvals(_rows(tensor))


def _lengths(tensor: Tensor) -> Tensor:
    return torch.linalg.vector_norm(_rows(tensor), dim=1)


def _rows(tensor: Tensor) -> Tensor:
    return tensor if tensor.ndim == 2 else torch.flatten(tensor, 1)
