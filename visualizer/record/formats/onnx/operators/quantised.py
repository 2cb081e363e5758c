"""From numbers of few bits to numbers, and back. What computes with few bits itself is not read."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from visualizer.record.formats.onnx._types import DTYPES
from visualizer.record.formats.onnx.operators._table import Said, operator


def _beside(x: Tensor, given: Any, how: Said) -> Any:
    """A scale, or one for each place along an axis or for each block, in a shape that fits."""
    if not isinstance(given, Tensor) or given.dim() == 0 or given.numel() == 1:
        return given.reshape(()) if isinstance(given, Tensor) else given
    axis = how.get("axis", 1) % x.dim()
    if given.dim() == 1:
        return given.reshape([-1 if each == axis else 1 for each in range(x.dim())])
    block = how.get("block_size", 0) or -(-x.shape[axis] // given.shape[axis])
    return given.repeat_interleave(block, axis).narrow(axis, 0, x.shape[axis])


@operator("DequantizeLinear", "com.microsoft.DequantizeLinear")
def _dequantise(how: Said, x: Tensor, scale: Tensor, zero: Tensor | None = None) -> Tensor:
    made = x.to(scale.dtype)
    if zero is not None and not _is_zero(zero):
        made = torch.sub(made, _beside(x, zero.to(scale.dtype), how))
    return torch.mul(made, _beside(x, scale, how))


def _is_zero(x: Tensor) -> bool:
    with torch._C.DisableTorchFunction():
        return x.device.type != "meta" and not bool(x.any())


@operator("QuantizeLinear", "com.microsoft.QuantizeLinear")
def _quantise(how: Said, x: Tensor, scale: Tensor, zero: Tensor | None = None) -> Tensor:
    code = how.get("output_dtype", 0)
    dtype = DTYPES[code] if code else torch.uint8 if zero is None else zero.dtype
    low, high = torch.iinfo(dtype).min, torch.iinfo(dtype).max
    made = torch.round(torch.div(x, _beside(x, scale, how)))
    if zero is not None and not _is_zero(zero):
        made = torch.add(made, _beside(x, zero.to(made.dtype), how))
    return torch.clamp(made, low, high).to(dtype)
