"""The weights of a model as read-only arrays, copied again only when a bit of them has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
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
    arrays: Mapping[str, Array]
    """The same as read-only arrays."""
    digest: str
    """sha256 over all of them."""

    def restore_buffers(self) -> None:
        """Put back what a run has done to running statistics and other buffers, values and objects."""
        found = {id(tensor): self.arrays[path] for path, tensor in self.named}
        with torch.no_grad():
            for module, name, buffer in self._buffers:
                module._buffers[name] = buffer
                array = found[id(buffer)]
                if not _same_bits(array, seen_by_numpy(buffer)):
                    buffer.resize_(array.shape).copy_(torch.tensor(array))

    @cached_property
    def _buffers(self) -> list[tuple[nn.Module, str, Tensor]]:
        return [(module, name, buffer) for _, module in self.modules
                for name, buffer in module._buffers.items() if buffer is not None]


def weights_of(model: nn.Module) -> Weights:
    """The weights as they are now; the very same arrays as in the last recording if no bit differs.

    Comparing bytes is many times faster than copying and hashing them, and unlike a version number it also notices
    what is written through `.data`.
    """
    modules = tuple(model.named_modules())
    named = _named(modules)
    now = {path: seen_by_numpy(tensor) for path, tensor in named}
    arrays, digest = _KEPT.get(model, ({}, ""))
    if arrays.keys() != now.keys() or not all(_same_bits(arrays[path], array) for path, array in now.items()):
        arrays, digest = {path: _copied(array) for path, array in now.items()}, hash_of(now)
        _KEPT[model] = arrays, digest
    found = Weights(modules, named, arrays, digest)
    found._buffers  # noqa: B018  looked up now, while the model is as found
    return found


def _named(modules: tuple[tuple[str, nn.Module], ...]) -> tuple[tuple[str, Tensor], ...]:
    """As `named_parameters` and `named_buffers` tell them, in one walk instead of one for each call."""
    seen: set[int] = set()
    found = []
    for group in ("_parameters", "_buffers"):
        for path, module in modules:
            for name, tensor in getattr(module, group).items():
                if tensor is not None and id(tensor) not in seen:
                    seen.add(id(tensor))
                    found.append((f"{path}.{name}" if path else name, tensor))
    return tuple(found)


def hash_of(arrays: Mapping[str, Array]) -> str:
    """sha256 over names, types, shapes and bytes, in the order of the mapping."""
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(np.asarray(array, order="C").data)
    return digest.hexdigest()


def to_numpy(tensor: Tensor) -> Array:
    """A read-only copy of the numbers, C-contiguous; types that numpy lacks become float32."""
    return _copied(seen_by_numpy(tensor))


def seen_by_numpy(tensor: Tensor) -> Array:
    """The numbers themselves where numpy can look at them, else a copy that it can."""
    tensor = tensor.detach()
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


def _same_bits(one: Array, other: Array) -> bool:
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    if one.nbytes < 1 << 16:
        return one.tobytes() == other.tobytes()  # small arrays: many times faster than numpy
    flat = np.asarray(other, order="C").reshape(-1)
    return np.array_equal(one.reshape(-1).view(np.uint8), flat.view(np.uint8))


def _copied(array: Array) -> Array:
    array = np.array(array, order="C")
    array.flags.writeable = False
    return array
