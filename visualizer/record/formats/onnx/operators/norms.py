"""What brings numbers to a common mean and spread."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from visualizer.record.formats.onnx.operators._table import Said, operator


@operator("BatchNormalization")
def _batch(how: Said, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor) -> Any:
    eps = how.get("epsilon", 1e-5)
    if not how.get("training_mode", 0):
        return F.batch_norm(x, mean, variance, weight, bias, False, 0.0, eps)
    over = [axis for axis in range(x.dim()) if axis != 1]
    found, spread = torch.mean(x, over), torch.var(x, over, correction=0)
    keep = how.get("momentum", 0.9)
    made = F.batch_norm(x, None, None, weight, bias, True, 0.0, eps)
    return (made, mean * keep + found * (1 - keep), variance * keep + spread * (1 - keep))[:len(how.made)]


@operator("InstanceNormalization")
def _instance(how: Said, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return F.instance_norm(x, None, None, weight, bias, True, 0.0, how.get("epsilon", 1e-5))


@operator("LayerNormalization", "com.microsoft.LayerNormalization")
def _layer(how: Said, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Any:
    axis = how.get("axis", -1) % x.dim()
    sizes, eps = list(x.shape[axis:]), how.get("epsilon", 1e-5)
    fits = list(weight.shape) == sizes and (bias is None or list(bias.shape) == sizes)
    made = F.layer_norm(x, sizes, weight if fits else None, bias if fits else None, eps)
    if not fits:
        made = torch.mul(made, weight)
        made = made if bias is None else torch.add(made, bias)
    if len(how.made) == 1:
        return made
    over = list(range(axis, x.dim()))
    mean = torch.mean(x, over, keepdim=True)
    return (made, mean, torch.rsqrt(torch.var(x, over, correction=0, keepdim=True) + eps))[:len(how.made)]


@operator("com.microsoft.SkipLayerNormalization")
def _skip(how: Said, x: Tensor, skip: Tensor, weight: Tensor, bias: Tensor | None = None,
          more: Tensor | None = None) -> Any:
    whole = torch.add(x, skip)
    whole = whole if more is None else torch.add(whole, more)
    made = F.layer_norm(whole, list(weight.shape), weight, bias, how.get("epsilon", 1e-12))
    return made if len(how.made) < 4 else (made, None, None, whole)


@operator("RMSNormalization", "SimplifiedLayerNormalization", "com.microsoft.SimplifiedLayerNormalization")
def _root(how: Said, x: Tensor, weight: Tensor) -> Tensor:
    sizes = list(x.shape[how.get("axis", -1) % x.dim():])
    if list(weight.shape) == sizes:
        return F.rms_norm(x, sizes, weight, how.get("epsilon", 1e-5))
    return torch.mul(F.rms_norm(x, sizes, None, how.get("epsilon", 1e-5)), weight)


@operator("GroupNormalization")
def _group(how: Said, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    groups, eps = how.get("num_groups"), how.get("epsilon", 1e-5)
    if weight.numel() == x.shape[1]:
        return F.group_norm(x, groups, weight, bias, eps)
    each = x.shape[1] // groups  # opset 18: one for each group
    return F.group_norm(x, groups, weight.repeat_interleave(each), bias.repeat_interleave(each), eps)


@operator("MeanVarianceNormalization")
def _mean_variance(how: Said, x: Tensor) -> Tensor:
    over = list(how.get("axes", [0, 2, 3]))
    middle = torch.sub(x, torch.mean(x, over, keepdim=True))
    return torch.div(middle, torch.add(torch.sqrt(torch.mean(torch.square(middle), over, keepdim=True)), 1e-9))


@operator("LpNormalization")
def _length(how: Said, x: Tensor) -> Tensor:
    return F.normalize(x, float(how.get("p", 2)), how.get("axis", -1), 1e-12)


@operator("LRN")
def _local(how: Said, x: Tensor) -> Tensor:
    """Over neighbouring channels; torch's own pads so for odd sizes, and ONNX the same for even ones."""
    size = how.get("size")
    square = torch.square(x)
    before = (size - 1) // 2
    padded = F.pad(square.transpose(1, -1), (before, size - 1 - before)).transpose(1, -1)
    near = padded.unfold(1, size, 1).sum(-1)
    alpha, beta, bias = how.get("alpha", 1e-4), how.get("beta", 0.75), how.get("bias", 1.0)
    return torch.div(x, torch.pow(torch.add(torch.mul(near, alpha / size), bias), beta))
