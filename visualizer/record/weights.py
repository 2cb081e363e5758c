"""The weights of a model as read-only arrays, copied again only when a bit of them has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from visualizer.trace import Array


@dataclass(frozen=True, eq=False)
class Weights:
    """Parameters and buffers by their path in the model."""

    arrays: Mapping[str, Array]
    digest: str
    """sha256 over all of them."""


def weights_of(model: nn.Module) -> Weights:
    """The weights as they are now; the very same arrays as in the last recording if no bit differs.

    Comparing bytes is many times faster than copying and hashing them, and unlike a version number it also notices
    what is written through `.data`.
    """
    now = {path: seen_by_numpy(tensor) for path, tensor in named_weights(model)}
    kept = _KEPT.get(model)
    if kept is None or kept.arrays.keys() != now.keys() or \
            not all(_same_bits(kept.arrays[path], array) for path, array in now.items()):
        kept = Weights({path: _copied(array) for path, array in now.items()}, hash_of(now))
        _KEPT[model] = kept
    return kept


def named_weights(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Every parameter and every buffer once, under its first path."""
    yield from model.named_parameters()
    yield from model.named_buffers()


def hash_of(arrays: Mapping[str, Array]) -> str:
    """sha256 over names, types, shapes and bytes, in the order of the mapping."""
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(np.asarray(array, order="C").data)
    return digest.hexdigest()


def to_numpy(tensor: Tensor) -> Array:
    """A copy of the numbers, C-contiguous; types that numpy lacks become float32."""
    return np.array(seen_by_numpy(tensor), order="C")


def seen_by_numpy(tensor: Tensor) -> Array:
    """The numbers themselves where numpy can look at them, else a copy that it can."""
    tensor = tensor.detach()
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.dtype not in AS_THEY_ARE:
        tensor = tensor.float()
    array: Array = tensor.numpy(force=True)
    return array


AS_THEY_ARE = frozenset({
    torch.float32, torch.float64, torch.float16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8,
    torch.bool, torch.complex64, torch.complex128,
})
"""Types that numpy has too."""

_KEPT: WeakKeyDictionary[nn.Module, Weights] = WeakKeyDictionary()


def _same_bits(one: Array, other: Array) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype and np.array_equal(
        one.reshape(-1).view(np.uint8), np.asarray(other, order="C").reshape(-1).view(np.uint8))


def _copied(array: Array) -> Array:
    array = np.array(array, order="C")
    array.flags.writeable = False
    return array
