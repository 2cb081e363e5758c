"""A model in another precision for one pass: its weights, what it keeps beside them, and what it makes on its way.

Nothing is copied: the same modules run with other tensors in them, and have their own back afterwards. Many a model
makes zeros, or asks for float32 by name; while `Precision` is entered these come in the precision that was asked for.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.jit import ScriptModule
from torch.overrides import TorchFunctionMode, handle_torch_function

from visualizer.language import tr
from visualizer.record.weights import DEEPEST, OF_TORCH, modules_of
from visualizer.trace import Refused

OF_THEIR_OWN = frozenset({torch.float16, torch.bfloat16, torch.float32, torch.float64})
NAMED = frozenset({"float", "double", "half", "bfloat16"})
"""Calls that turn a tensor into a precision by their own name."""


class Precision(TorchFunctionMode):
    """While it is entered, every floating number that a call reads or is asked to make is of this precision."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype
        self._turned: dict[int, tuple[Tensor, int, Tensor]] = {}
        """id of a tensor of another precision -> it, its version, and its numbers in this one."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name in NAMED and len(args) == 1:
            return handle_torch_function(_cast(name, self.dtype), args, *args)
        if name not in ("__get__", "__set__", "requires_grad_"):
            with torch._C.DisableTorchFunction():  # looking at a tensor is no step of the model
                args, kwargs = self._instead(args), self._instead(kwargs)
        return func(*args, **kwargs)

    def _instead(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return value if value.dtype == self.dtype or value.dtype not in OF_THEIR_OWN else self._of(value)
        if isinstance(value, torch.dtype):
            return self.dtype if value in OF_THEIR_OWN else value
        if type(value) in (tuple, list):
            return type(value)(self._instead(item) for item in value)
        if type(value) is dict:
            return {key: self._instead(item) for key, item in value.items()}
        return value

    def _of(self, tensor: Tensor) -> Tensor:
        """A constant that the model keeps somewhere; the same one each time, while nobody writes to it."""
        own = isinstance(tensor, nn.Parameter)  # of an object that is no part of the model
        if tensor.requires_grad and not own:
            with torch._C._EnableTorchFunction():
                return tensor.to(self.dtype)
        kept = self._turned.get(id(tensor))
        if kept is None or kept[1] != tensor._version:
            made = tensor.detach().to(self.dtype)
            kept = self._turned[id(tensor)] = tensor, tensor._version, \
                nn.Parameter(made, tensor.requires_grad) if own else made
        return kept[2]


@cache
def _cast(name: str, dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    """A call that is recorded under that name, and turns a tensor into this precision."""
    def cast(tensor: Tensor) -> Tensor:
        return tensor.to(dtype)

    cast.__name__ = name
    return cast


@contextmanager
def in_precision(model: nn.Module, dtype: torch.dtype) -> Iterator[nn.Module]:
    """The model with every floating number in it of this precision, for as long as it lasts."""
    modules = [module for _, module in modules_of(model)]
    if any(isinstance(module, ScriptModule) for module in modules):
        yield _copied(model, dtype)
        return
    turned: dict[int, Tensor] = {}

    def other(tensor: Tensor) -> Tensor:
        """In this precision; what is no parameter is another tensor in any case, for it may be written to."""
        if not tensor.is_leaf or (isinstance(tensor, nn.Parameter) and tensor.dtype == dtype):
            return tensor
        if id(tensor) not in turned:
            made = tensor.detach().to(dtype) if tensor.is_floating_point() else tensor.detach()
            turned[id(tensor)] = nn.Parameter(made, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else \
                (made.clone() if made.dtype == tensor.dtype else made).requires_grad_(tensor.requires_grad)
        return turned[id(tensor)]

    before: list[tuple[dict[str, Any], dict[str, Any]]] = []
    try:
        for module in modules:
            for held in (module._parameters, module._buffers, module.__dict__):
                before.append((held, dict(held)))
                for name, value in tuple(held.items()):
                    if held is not module.__dict__ or name not in OF_TORCH:
                        held[name] = _instead(value, other)
        usual = torch.get_default_dtype()
        torch.set_default_dtype(dtype)
        try:
            yield model
        finally:
            torch.set_default_dtype(usual)
    finally:
        for held, was in before:
            held.clear()
            held.update(was)


def _instead(value: Any, other: Callable[[Tensor], Tensor], depth: int = 0) -> Any:
    """The same lists and dicts with other tensors in them; whatever holds none is itself."""
    if isinstance(value, Tensor):
        return other(value)
    if depth == DEEPEST or not isinstance(value, list | tuple | dict) or hasattr(value, "_fields"):
        return value
    items = value.values() if isinstance(value, dict) else value
    made = [_instead(item, other, depth + 1) for item in items]
    if all(one is item for one, item in zip(made, items, strict=True)):
        return value
    return dict(zip(value, made, strict=True)) if isinstance(value, dict) else type(value)(made)


def _copied(model: nn.Module, dtype: torch.dtype) -> nn.Module:
    try:
        return copy.deepcopy(model).to(dtype)
    except (RuntimeError, TypeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise Refused(tr("The model cannot be copied into another precision ({why}); leave dtype out, or convert the "
                         "model yourself.").format(why=reason)) from error
