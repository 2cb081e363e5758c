"""What is drawn by chance."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from visualizer.record.formats.onnx._types import of_type
from visualizer.record.formats.onnx.operators._table import Said, operator, room


def _drawn(how: Any, sizes: list[int], dtype: torch.dtype, device: torch.device) -> Tensor:
    if "Normal" in how.op:
        return torch.add(torch.mul(torch.randn(sizes, dtype=dtype, device=device), how.get("scale", 1.0)),
                         how.get("mean", 0.0))
    low, high = how.get("low", 0.0), how.get("high", 1.0)
    return torch.add(torch.mul(torch.rand(sizes, dtype=dtype, device=device), high - low), low)


@operator("RandomNormalLike", "RandomUniformLike")
def _like(how: Any, x: Tensor) -> Tensor:
    return _drawn(how, list(x.shape), of_type(how.get("dtype")) if "dtype" in how.said else x.dtype, x.device)


@operator("RandomNormal", "RandomUniform")
def _shaped(how: Any) -> Tensor:
    return _drawn(how, room(how.get("shape")), of_type(how.get("dtype", 1)), torch.device("cpu"))


@operator("Bernoulli")
def _bernoulli(how: Said, x: Tensor) -> Tensor:
    return torch.bernoulli(x).to(of_type(how.get("dtype")) if "dtype" in how.said else x.dtype)
