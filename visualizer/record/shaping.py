"""shaping: which shape comes out of a layer, by arithmetic.

torch can tell the same on its meta device, and has to load its compiler for that, which takes seconds; the layers that
are met every day have a formula here, and only the others ask torch. Formulas: the pages of the layers in torch's own
documentation.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import nn

from visualizer.language import english, translated

Shape = tuple[int, ...]
SAME = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Sigmoid, nn.Tanh,
        nn.Tanhshrink, nn.Softplus, nn.Softsign, nn.LogSigmoid, nn.Hardtanh, nn.Hardswish, nn.Hardsigmoid, nn.Dropout,
        nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.Identity)
NUMBERS = english("{wanted} numbers are read, and {count} come")
CHANNELS = english("{wanted} channels are read, and {count} come")
AXES = english("{count} axes come, and {wanted} are read")


class Unfit(ValueError):
    """A layer cannot read this shape; its text says why."""


def after(module: nn.Module, shape: Shape) -> Shape:
    """The shape that comes out of a module, the axis of samples first in both; raises Unfit, or what torch raises."""
    if isinstance(module, SAME):
        return shape
    if isinstance(module, nn.Linear):
        _need(shape[-1] == module.in_features, NUMBERS, wanted=module.in_features, count=shape[-1])
        return (*shape[:-1], module.out_features)
    if isinstance(module, nn.modules.conv._ConvNd) and module.padding_mode == "zeros":
        return _convolved(module, shape)
    if isinstance(module, nn.modules.pooling._MaxPoolNd | nn.AvgPool1d | nn.AvgPool2d | nn.AvgPool3d):
        return _pooled(module, shape)
    if isinstance(module, nn.modules.pooling._AdaptiveAvgPoolNd | nn.modules.pooling._AdaptiveMaxPoolNd):
        return _adapted(module, shape)
    if isinstance(module, nn.modules.batchnorm._BatchNorm):
        axes = {1: (2, 3), 2: (4,), 3: (5,)}[int(type(module).__name__[-2])]
        _need(len(shape) in axes, AXES, count=len(shape), wanted=axes[-1])
        _need(shape[1] == module.num_features, CHANNELS, wanted=module.num_features, count=shape[1])
        return shape
    if isinstance(module, nn.LayerNorm):
        wanted = tuple(module.normalized_shape)
        _need(shape[-len(wanted):] == wanted, NUMBERS, wanted=wanted[-1], count=shape[-1])
        return shape
    if isinstance(module, nn.GroupNorm):
        _need(len(shape) > 1 and shape[1] == module.num_channels, CHANNELS, wanted=module.num_channels,
              count=shape[1] if len(shape) > 1 else 0)
        return shape
    if isinstance(module, nn.PReLU):
        _need(module.num_parameters in (1, shape[1] if len(shape) > 1 else 1),
              CHANNELS, wanted=module.num_parameters, count=shape[1] if len(shape) > 1 else 1)
        return shape
    if isinstance(module, nn.Embedding):
        return (*shape, module.embedding_dim)
    if isinstance(module, nn.RNNBase):
        _need(len(shape) == 3 and shape[2] == module.input_size,
              english("steps of {wanted} numbers are read, and {shape} come"), wanted=module.input_size,
              shape=" × ".join(map(str, shape[1:])))
        return (*shape[:2], (module.proj_size or module.hidden_size) * (2 if module.bidirectional else 1))
    if isinstance(module, nn.Flatten):
        first, last = _axis(module.start_dim, shape), _axis(module.end_dim, shape)
        _need(first <= last, english("it would end before it begins"))
        return (*shape[:first], prod(shape[first:last + 1]), *shape[last + 1:])
    return _by_torch(module, shape)


def _need(holds: bool, why: str, **facts: Any) -> None:
    if not holds:
        raise Unfit(translated(why).format(**facts))


def _axis(number: Any, shape: Shape) -> int:
    _need(type(number) is int and -len(shape) <= number < len(shape), english("there is no axis {number}"),
          number=number)
    return int(number) % len(shape)


def _sizes(value: Any, count: int) -> Sequence[Any]:
    found = (value,) * count if not isinstance(value, tuple | list) else tuple(value)
    return found * count if len(found) == 1 else found


def _convolved(module: Any, shape: Shape) -> Shape:
    count = len(module.kernel_size)
    _need(len(shape) == count + 2, AXES, count=len(shape), wanted=count + 2)
    _need(shape[1] == module.in_channels, CHANNELS, wanted=module.in_channels, count=shape[1])
    padding = module.padding
    if padding == "same":
        return (shape[0], module.out_channels, *shape[2:])
    padding = (0,) * count if padding == "valid" else padding
    made = []
    for size, kernel, stride, pad, dilation, more in zip(shape[2:], module.kernel_size, module.stride, padding,
                                                         module.dilation, module.output_padding, strict=True):
        reach = dilation * (kernel - 1)
        made.append((size - 1) * stride - 2 * pad + reach + more + 1 if module.transposed
                    else (size + 2 * pad - reach - 1) // stride + 1)
        _need(made[-1] > 0 and (module.transposed or size + 2 * pad > reach),
              english("a kernel of {kernel} does not fit into {size}"), kernel=kernel, size=size)
    return (shape[0], module.out_channels, *made)


def _pooled(module: Any, shape: Shape) -> Shape:
    count = int(type(module).__name__[-2])
    _need(len(shape) == count + 2, AXES, count=len(shape), wanted=count + 2)
    made = []
    kernels = _sizes(module.kernel_size, count)
    strides = kernels if module.stride is None else _sizes(module.stride, count)
    for size, kernel, stride, pad, dilation in zip(
            shape[2:], kernels, strides, _sizes(module.padding, count), _sizes(getattr(module, "dilation", 1), count),
            strict=True):
        _need(0 <= 2 * pad <= kernel and stride > 0, english("its padding is more than half of its window"))
        room = size + 2 * pad - dilation * (kernel - 1) - 1
        _need(room >= 0 or (module.ceil_mode and room + stride > 0),
              english("a window of {window} does not fit into {size}"), window=kernel, size=size)
        number = (room + (stride - 1 if module.ceil_mode else 0)) // stride + 1
        made.append(number - 1 if module.ceil_mode and (number - 1) * stride >= size + pad else number)
    _need(min(made) > 0, english("nothing is left of the maps"))
    return (*shape[:2], *made)


def _adapted(module: Any, shape: Shape) -> Shape:
    count = int(type(module).__name__[-2])
    _need(len(shape) == count + 2, AXES, count=len(shape), wanted=count + 2)
    wanted = _sizes(module.output_size, count)
    _need(all(size is None or size > 0 for size in wanted), english("nothing would be left of the maps"))
    return (*shape[:2], *(own if size is None else size for own, size in zip(shape[2:], wanted, strict=True)))


def _by_torch(module: nn.Module, shape: Shape) -> Shape:
    """The same from torch, without numbers."""
    with torch.no_grad():
        made = module.to("meta")(torch.empty(shape, device="meta"))
    return tuple(made.shape)
