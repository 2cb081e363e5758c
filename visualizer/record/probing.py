"""probing: which sizes a module can run on, found out without numbers where that is possible.

What is found is a size that it runs on, not the one that it was trained with: many networks take any. So it is
proposed, and asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

Shape = tuple[int, ...]
Shapes = tuple[Shape, ...]
Tried = Callable[[Shapes], Any]
"""Shapes of the inputs -> what comes out, without numbers; raises what torch raises where they do not fit."""
FAULTS = (RuntimeError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, AssertionError)
"""What a module may raise when something does not fit."""
SIDES = (32, 28, 64, 224, 96, 128, 160, 256, 299, 48, 40, 36, 20, 16, 84, 100, 112, 192, 240, 288, 320, 384, 416, 512,
         640, 8, 12, 24)
OBLONG = ((32, 100), (32, 128), (32, 160), (32, 320), (48, 320), (64, 256), (80, 100), (80, 300), (64, 128), (128, 64),
          (40, 100), (40, 101), (64, 101), (128, 128), (129, 71), (80, 3000), (1, 28), (16, 80))
LONG = (16_000, 8_000, 1_000, 128, 100, 64, 256, 512, 1_024, 4_096, 32, 16, 140, 187, 48_000)
STEPS = (16, 28, 32, 100, 64, 10, 8, 1)
MOST_TRIED = 64


def without_numbers(module: nn.Module, dtypes: Sequence[torch.dtype]) -> Tried:
    """A way to try shapes on a module: on torch's meta device, and where something in it needs numbers, with zeros."""

    def tried(shapes: Shapes) -> Any:
        try:
            return _on_meta(module, shapes, dtypes)
        except FAULTS as error:
            if "meta" not in str(error).lower() and not isinstance(error, NotImplementedError):
                raise
        with torch.no_grad():
            return module(*(torch.zeros(shape, dtype=dtype) for shape, dtype in zip(shapes, dtypes, strict=True)))

    return tried


def _on_meta(module: nn.Module, shapes: Shapes, dtypes: Sequence[torch.dtype]) -> Any:
    held = {name: tensor.to("meta") for name, tensor in (*module.named_parameters(), *module.named_buffers())}
    given = tuple(torch.empty(shape, dtype=dtype, device="meta") for shape, dtype in zip(shapes, dtypes, strict=True))
    with torch.no_grad():
        return torch.func.functional_call(module, held, given)


def first_shape(made: Any) -> Shape:
    """The shape of the first tensor of what came out; () if it is none."""
    while isinstance(made, tuple | list | dict) and made:
        made = next(iter(made.values() if isinstance(made, dict) else made))
    return tuple(made.shape) if isinstance(made, Tensor) else ()


def fits(tried: Tried, shapes: Shapes) -> Shape | None:
    """The shape of the first answer to inputs of these shapes; None where it does not run on them."""
    try:
        return first_shape(tried(shapes))
    except FAULTS:
        return None


def proposed(module: nn.Module) -> tuple[tuple[Shape, torch.dtype], ...]:
    """Shapes, with their batch, and kinds of numbers that a module of one input might read, the likeliest first."""
    found = [(shape, dtype) for layer in _first_layers(module) for shape, dtype in _read_by(layer, module)]
    return tuple(dict.fromkeys(found))[:MOST_TRIED]


def _first_layers(module: nn.Module) -> list[nn.Module]:
    """The layers that may come first: the first with weights, as they were written down, and the first of any kind that
    settles a shape."""
    layers = [each for each in module.modules() if type(each) in _WEIGHED or isinstance(each, _SETTLES)]
    return layers[:1]


def _read_by(layer: nn.Module, module: nn.Module) -> Iterator[tuple[Shape, torch.dtype]]:
    """What a layer reads, if it is the first."""
    dtype = next((each.dtype for each in module.parameters() if each.is_floating_point()), torch.float32)
    if isinstance(layer, nn.Embedding | nn.EmbeddingBag):
        yield from (((1, steps), torch.int64) for steps in STEPS)
    elif isinstance(layer, nn.Conv2d):
        for rows, columns in _planes(layer, module):
            yield (1, layer.in_channels, rows, columns), dtype
    elif isinstance(layer, nn.Conv1d):
        if layer.in_channels == 1:
            yield from (((1, 1, long), dtype) for long in LONG)
            yield from (((1, long), dtype) for long in LONG)
        yield from (((1, layer.in_channels, steps), dtype) for steps in (100, 64, 128, 300, 1_000, *STEPS))
        yield from (((1, steps, layer.in_channels), dtype) for steps in (100, *STEPS))
    elif isinstance(layer, nn.Conv3d):
        yield from (((1, layer.in_channels, steps, side, side), dtype) for steps in (16, 8) for side in (32, 64, 112))
    elif isinstance(layer, nn.RNNBase | nn.RNNCellBase):
        steps = 1 if isinstance(layer, nn.RNNCellBase) else 16
        if steps > 1:
            yield (1, steps, layer.input_size), dtype  # type: ignore[arg-type]
            yield (steps, 1, layer.input_size), dtype  # type: ignore[arg-type]
        yield (1, layer.input_size), dtype  # type: ignore[arg-type]
    elif isinstance(layer, nn.Linear):
        wide = layer.in_features
        if wide == 784:
            yield (1, 1, 28, 28), dtype
        yield (1, wide), dtype
        for channels in (3, 1):
            side = round((wide / channels) ** 0.5)
            if side > 7 and side * side * channels == wide:
                yield (1, channels, side, side), dtype
        yield (1, 16, wide), dtype
    elif isinstance(layer, nn.BatchNorm2d | nn.BatchNorm1d):
        wide = layer.num_features
        yield from (((1, wide, *rest), dtype) for rest in ((), (100,), (32, 32), (28, 28)))


_WEIGHED = (nn.Linear, nn.Embedding, nn.EmbeddingBag, nn.BatchNorm1d, nn.BatchNorm2d)
_SETTLES = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.RNNBase, nn.RNNCellBase)


def _planes(layer: nn.Conv2d, module: nn.Module) -> Iterator[tuple[int, int]]:
    """Rows and columns, those first that such a first layer is mostly made for: steps of more than a pixel throw much
    away, so the pictures are large."""
    sides = list(SIDES)
    if max(layer.stride) > 1:
        sides.sort(key=lambda side: side != 224)
    elif layer.in_channels == 1:
        sides.sort(key=lambda side: side != 28)
    yield from ((side, side) for side in sides)
    yield from OBLONG
