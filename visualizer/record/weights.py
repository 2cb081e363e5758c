"""The weights of a model as read-only arrays, copied again only when a bit of them has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn
from torch.jit import ScriptModule

from visualizer.trace import Array

T = TypeVar("T")
COMPILED = "_orig_mod"
"""Where torch.compile keeps the module that it was given; its parts are called as they are in that."""
DEEPEST = 4
"""So many lists and dicts in one another are looked into for parts of a model."""
OF_TORCH = frozenset(vars(nn.Module()))
"""Attributes that every module has."""


@dataclass(frozen=True, eq=False)
class Hashed:
    """Arrays by name, and their sha256 once somebody asks: to hash them takes longer than a small network runs."""

    arrays: Mapping[str, Array]

    @cached_property
    def digest(self) -> str:
        return hash_of(self.arrays)


class Hashes(Mapping[str, str]):
    """What a recording was made from -> its sha256."""

    def __init__(self, **made_from: Hashed) -> None:
        self._made_from = made_from

    def __getitem__(self, name: str) -> str:
        return self._made_from[name].digest

    def __iter__(self) -> Iterator[str]:
        return iter(self._made_from)

    def __len__(self) -> int:
        return len(self._made_from)


class Known(NamedTuple):
    """A parameter or buffer, as found before the model runs."""

    path: str
    tensor: Tensor
    learns: bool
    version: int
    array: Array
    """Its numbers in that version, read-only."""


@dataclass(frozen=True, eq=False)
class Weights:
    """The parts of a model and what they hold, as found before it runs."""

    modules: tuple[tuple[str, nn.Module], ...]
    """Path and module, from the model itself on."""
    known: Mapping[int, Known]
    """Every parameter and every buffer once, under its first path, by its id."""
    held: Hashed
    """The arrays of all of them."""

    def restore_buffers(self) -> None:
        """Put back what a run has done to running statistics and other buffers, values and objects."""
        for module, name, buffer in self.buffers:
            module._buffers[name] = buffer
            array = self.known[id(buffer)].array
            if not _same_bits(array, seen_by_numpy(buffer)):
                with torch.no_grad():
                    buffer.resize_(array.shape).copy_(torch.tensor(array))

    @cached_property
    def buffers(self) -> list[tuple[nn.Module, str, Tensor]]:
        """Every place that holds a buffer: module, name, and what is there."""
        return [(module, name, buffer) for _, module in self.modules
                if not isinstance(module, ScriptModule) and module._buffers
                for name, buffer in module._buffers.items() if buffer is not None]


def weights_of(model: nn.Module) -> Weights:
    """The weights as they are now; the very same arrays as in the last recording if no bit differs.

    Comparing bytes is many times faster than copying and hashing them, and unlike a version number it also notices
    what is written through `.data`.
    """
    modules = modules_of(model)
    named = _named(modules)
    now = {path: seen_by_numpy(tensor) for path, tensor, _ in named}
    held = _KEPT.get(model, NOTHING_HELD)
    if list(held.arrays) != list(now) or not all(map(_same_bits, held.arrays.values(), now.values())):
        held = _KEPT[model] = Hashed({path: _comparable(array) for path, array in now.items()})
    known = {id(tensor): Known(path, tensor, learns, tensor._version, array)
             for (path, tensor, learns), array in zip(named, held.arrays.values(), strict=True)}
    found = Weights(modules, known, held)
    found.buffers  # noqa: B018  looked up now, while the model is as found
    return found


def modules_of(model: nn.Module) -> tuple[tuple[str, nn.Module], ...]:
    """As `named_modules` tells them, a module that stands in two places once; without a generator for each. Behind them
    those that are kept in a plain list or dict, which torch does not know of."""
    found: dict[int, tuple[str, nn.Module]] = {}
    _walk("", model, found)
    beside = dict(found)
    while beside:
        more: dict[int, tuple[str, nn.Module]] = {}
        for path, module in beside.values():
            for name, part in _beside(module, nn.Module):
                if id(part) not in found:
                    _walk(f"{path}.{name}" if path else name, part, found, more)
        beside = more
    return tuple(found.values())


def _walk(path: str, module: nn.Module, *found: dict[int, tuple[str, nn.Module]]) -> None:
    waiting = [(path, module)]
    while waiting:
        path, module = waiting.pop()
        if id(module) not in found[0]:
            for each in found:
                each[id(module)] = path, module
            if module._modules:
                waiting += [(path if name == COMPILED else f"{path}.{name}" if path else name, part)
                            for name, part in reversed(module._modules.items()) if part is not None]


def _beside(module: nn.Module, of: type[T]) -> Iterator[tuple[str, T]]:
    """What a module keeps in its plain attributes, directly or in lists, tuples and dicts."""
    for name, value in vars(module).items():
        if name in OF_TORCH or name == "_flat_weights":
            continue
        yield from _held(value, of, name)


def _held(value: Any, of: type[T], name: str, depth: int = 0) -> Iterator[tuple[str, T]]:
    if isinstance(value, of):
        yield name, value
    elif isinstance(value, list | tuple | dict) and depth < DEEPEST:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from _held(item, of, f"{name}.{key}", depth + 1)


def _named(modules: tuple[tuple[str, nn.Module], ...]) -> list[tuple[str, Tensor, bool]]:
    """As `named_parameters` and `named_buffers` tell them, and which of the two it was; in one walk for all."""
    parameters, buffers = list[tuple[str, str, Tensor, bool]](), list[tuple[str, str, Tensor, bool]]()
    for path, module in modules:
        if isinstance(module, ScriptModule):  # its tables lie in compiled code
            parameters += [(path, name, tensor, True) for name, tensor in module.named_parameters(recurse=False)]
            buffers += [(path, name, tensor, False) for name, tensor in module.named_buffers(recurse=False)]
            continue
        if module._parameters:
            parameters += [(path, name, tensor, True) for name, tensor in module._parameters.items()
                           if tensor is not None]
        if module._buffers:
            buffers += [(path, name, tensor, False) for name, tensor in module._buffers.items() if tensor is not None]
        parameters += [(path, name, tensor, True) for name, tensor in _beside(module, Tensor)
                       if tensor.requires_grad and tensor.is_leaf]
    seen: set[int] = set()
    return [(f"{path}.{name}" if path else name, tensor, learns) for path, name, tensor, learns in parameters + buffers
            if not (id(tensor) in seen or seen.add(id(tensor)))]  # type: ignore[func-returns-value]


def unregistered(model: nn.Module, weights: Weights) -> list[str]:
    """Names of the weights that learn and that `model.parameters()` leaves out."""
    registered = {id(tensor) for tensor in model.parameters()}
    return [known.path for name, known in weights.known.items() if known.learns and name not in registered]


def hash_of(arrays: Mapping[str, Array]) -> str:
    """sha256 over names, types, shapes and bytes, in the order of the mapping."""
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {_type_name(array.dtype)} {array.shape}\n".encode())
        digest.update(np.asarray(array, order="C").data)
    return digest.hexdigest()


_type_name = cache(str)


def to_numpy(tensor: Tensor) -> Array:
    """A read-only copy of the numbers, C-contiguous; types that numpy lacks become float32."""
    array = seen_by_numpy(tensor).copy()
    array.setflags(write=False)
    return array


def seen_by_numpy(tensor: Tensor) -> Array:
    """The numbers themselves where numpy can look at them, else a copy that it can. Complex ones are two real ones,
    along a last axis of their own."""
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor.resolve_conj())
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    elif tensor.dtype not in AS_THEY_ARE:
        tensor = tensor.dequantize() if tensor.is_quantized else tensor.float()
    array: Array = tensor.numpy(force=True)
    return array


AS_THEY_ARE = frozenset({
    torch.float32, torch.float64, torch.float16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8,
    torch.bool,
})
"""Types that numpy has too."""

NOTHING_HELD = Hashed({})
_KEPT: WeakKeyDictionary[nn.Module, Hashed] = WeakKeyDictionary()
"""What each model held when it was recorded last."""


def _comparable(array: Array) -> Array:
    """A read-only copy whose memory is a bytearray: the one type that Python compares with any memory as it lies."""
    kept: Array = np.ndarray(array.shape, array.dtype, bytearray(np.asarray(array, order="C").data))
    kept.setflags(write=False)
    return kept


def _same_bits(kept: Array, other: Array) -> bool:
    """Whether a `_comparable` array has the bytes of another."""
    if kept.shape != other.shape or kept.dtype != other.dtype:
        return False
    return kept.base == memoryview(other) or (not other.flags.c_contiguous and kept.base == memoryview(other.copy()))
