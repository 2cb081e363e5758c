"""The weights of a model as read-only arrays, copied again only when a bit of them has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from visualizer.trace import Array


@dataclass(frozen=True, eq=False)
class Weights:
    """The parts of a model and what they hold, as found before it runs."""

    modules: tuple[tuple[str, nn.Module], ...]
    """Path and module, from the model itself on."""
    named: tuple[tuple[str, Tensor], ...]
    """Every parameter and every buffer once, under its first path."""
    buffers: tuple[tuple[nn.Module, str, Tensor], ...]
    """Every place that holds a buffer: module, name, and what is there."""
    arrays: Mapping[str, Array]
    """What `named` holds, as read-only arrays."""
    digest: str
    """sha256 over all of them."""

    def restore_buffers(self) -> None:
        """Put back what a run has done to running statistics and other buffers, values and objects."""
        if not self.buffers:
            return
        found = {id(tensor): self.arrays[path] for path, tensor in self.named}
        for module, name, buffer in self.buffers:
            module._buffers[name] = buffer
            array = found[id(buffer)]
            if not _same_bits(array, seen_by_numpy(buffer)):
                with torch.no_grad():
                    buffer.resize_(array.shape).copy_(torch.tensor(array))


def weights_of(model: nn.Module) -> Weights:
    """The weights as they are now; the very same arrays as in the last recording if no bit differs.

    Comparing bytes is many times faster than copying and hashing them, and unlike a version number it also notices
    what is written through `.data`.
    """
    modules = _modules(model)
    buffers = tuple([(module, name, tensor) for _, module in modules
                     for name, tensor in module._buffers.items() if tensor is not None])
    named = _named(modules)
    now = {path: seen_by_numpy(tensor) for path, tensor in named}
    arrays, digest = _KEPT.get(model, ({}, ""))
    if list(arrays) != list(now) or not all(map(_same_bits, arrays.values(), now.values())):
        arrays, digest = {path: _comparable(array) for path, array in now.items()}, hash_of(now)
        _KEPT[model] = arrays, digest
    return Weights(modules, named, buffers, arrays, digest)


def _modules(model: nn.Module) -> tuple[tuple[str, nn.Module], ...]:
    """As `named_modules` tells them, a module that stands in two places once; without a generator for each."""
    found: dict[int, tuple[str, nn.Module]] = {}
    waiting = [("", model)]
    while waiting:
        path, module = waiting.pop()
        if id(module) not in found:
            found[id(module)] = path, module
            waiting += [(f"{path}.{name}" if path else name, part)
                        for name, part in reversed(module._modules.items()) if part is not None]
    return tuple(found.values())


def _named(modules: tuple[tuple[str, nn.Module], ...]) -> tuple[tuple[str, Tensor], ...]:
    """As `named_parameters` and `named_buffers` tell them, from one walk instead of one for each."""
    found: dict[int, tuple[str, Tensor]] = {}
    for tensors in ([(path, module._parameters) for path, module in modules if module._parameters],
                    [(path, module._buffers) for path, module in modules if module._buffers]):
        for path, group in tensors:
            for name, tensor in group.items():
                if tensor is not None and id(tensor) not in found:
                    found[id(tensor)] = f"{path}.{name}" if path else name, tensor
    return tuple(found.values())


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
    """The numbers themselves where numpy can look at them, else a copy that it can."""
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    elif tensor.dtype not in AS_THEY_ARE:
        tensor = tensor.dequantize() if tensor.is_quantized else tensor.float()
    array: Array = tensor.numpy(force=True)
    return array


AS_THEY_ARE = frozenset({
    torch.float32, torch.float64, torch.float16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8,
    torch.bool, torch.complex64, torch.complex128,
})
"""Types that numpy has too."""

_KEPT: WeakKeyDictionary[nn.Module, tuple[Mapping[str, Array], str]] = WeakKeyDictionary()
"""For each model the last arrays and their digest."""


def _comparable(array: Array) -> Array:
    """A read-only copy whose memory is a bytearray: the one type that Python compares with any memory as it lies."""
    kept: Array = np.ndarray(array.shape, array.dtype, bytearray(array.tobytes()))
    kept.setflags(write=False)
    return kept


def _same_bits(kept: Array, other: Array) -> bool:
    """Whether a `_comparable` array has the bytes of another."""
    if kept.shape != other.shape or kept.dtype != other.dtype:
        return False
    return kept.base == memoryview(other if other.flags.c_contiguous else other.copy())
