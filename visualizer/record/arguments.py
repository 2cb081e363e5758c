"""What a model is called with: positions, keywords, and the tensors in nested lists, tuples, mappings and dataclasses.

Whatever holds numbers (numpy, PIL, pandas) becomes a tensor; words, flags and single numbers beside tensors stay what
they are, and so does the shape in which tensors are handed over.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from visualizer.language import tr
from visualizer.trace import Refused

Turn = Callable[[str, Tensor], Tensor]
"""(name, tensor) -> what stands in its place."""


@dataclass(frozen=True, eq=False)
class Arguments:
    """`model(*positions, **keywords)`."""

    positions: tuple[Any, ...]
    keywords: Mapping[str, Any]

    def turned(self, turn: Turn) -> Arguments:
        """The same with other tensors: `turn` is asked once for each, in the order in which they are handed over."""
        return Arguments(tuple(_turned(item, turn, "") for item in self.positions),
                         {name: _turned(item, turn, name) for name, item in self.keywords.items()})

    def one(self, sample: int, axis: int = 0) -> Arguments:
        """The same for one sample of a batch, which stays a batch of one. The samples are counted along `axis` of the
        first tensor; of every other that has so many along this axis, or along another, it is that one. Raises Refused
        where there is no such sample."""
        first = next((tensor for _, tensor in self.tensors), None)
        if first is None or not -first.ndim <= axis < first.ndim:
            raise Refused(tr("There is no axis {axis} in what the model reads along which samples could be counted; "
                             "name the axis of its batch.").format(axis=axis))
        count = first.shape[axis]
        if not -count <= sample < count:
            raise Refused(tr("There is no sample {sample}; the model was given {count}, 0 to {last}."
                             ).format(sample=sample, count=count, last=count - 1))

        def alone(name: str, tensor: Tensor) -> Tensor:
            usual = axis % tensor.ndim if tensor.ndim > axis else 0
            along = next((each for each in (usual, *range(tensor.ndim)) if tensor.ndim and tensor.shape[each] == count),
                         None)
            return tensor if along is None else tensor.narrow(along, sample % count, 1)

        return self.turned(alone)

    @property
    def tensors(self) -> list[tuple[str, Tensor]]:
        """Every tensor with its key or field, which is empty where only its position tells it from others."""
        found: list[tuple[str, Tensor]] = []

        def keep(name: str, tensor: Tensor) -> Tensor:
            found.append((name, tensor))
            return tensor

        self.turned(keep)
        return found


def arguments(model: nn.Module, x: Any, keywords: Mapping[str, Any] | None = None) -> Arguments:
    """What `model` is called with for `x`.

    A mapping is taken for keywords where the model's `forward` has arguments of these names, and else for one argument;
    a tuple or a list for several arguments where it takes so many, and else for one. Raises Refused, with the arguments
    that there are, where neither fits.
    """
    named = {str(name): _read(item) for name, item in (keywords or {}).items()}
    found = next((made for made in _ways(x, named) if _fits(model, made)), None)
    if found is None:
        raise Refused(tr("{type} takes {taken}, which does not go with what was given; give a tuple in this order, or "
                         "a dict by these names.").format(type=type(model).__name__, taken=_taken(model)))
    if not found.tensors:
        raise Refused(tr("There is no tensor and no array in what the model is given, so there is nothing to follow; "
                         "give one, with a batch axis of size 1."))
    return found


def converted(given: Arguments, dtype: torch.dtype) -> Arguments:
    """With floating tensors of another precision."""
    return given.turned(lambda name, tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor)


@dataclass(frozen=True, eq=False)
class Cast:
    """Another type of numbers in which a model may take what it did not take as it was."""

    given: Arguments
    was: torch.dtype
    into: torch.dtype

    @property
    def keeps(self) -> bool:
        """Whether nothing but precision can change by it: between floating types, and to larger whole numbers."""
        return self.was.is_floating_point == self.into.is_floating_point


def casts(given: Arguments, weights: torch.dtype) -> Iterator[Cast]:
    """What could be tried where a model did not run: floating numbers in the precision of its weights, whole ones as
    int64, as an index has to be; then the one as the other."""
    def cast(floating: bool, into: torch.dtype) -> Iterator[Cast]:
        found = [tensor.dtype for _, tensor in given.tensors
                 if tensor.is_floating_point() is floating and tensor.dtype != into and not tensor.is_complex()]
        if found:
            yield Cast(given.turned(lambda name, tensor: tensor.to(into) if tensor.dtype in found else tensor),
                       found[0], into)

    yield from cast(True, weights)
    yield from cast(False, torch.int64)
    yield from cast(False, weights)
    yield from cast(True, torch.int64)


# --- how it is handed over ------------------------------------------------------------------------------------------

def _ways(x: Any, named: Mapping[str, Any]) -> Iterator[Arguments]:
    """All that `x` can mean, what it means most often first."""
    if isinstance(x, Mapping):
        if not named and all(isinstance(name, str) for name in x):
            yield Arguments((), {name: _read(item) for name, item in x.items()})
        yield Arguments((_read(x),), named)
        return
    if isinstance(x, tuple | list) and not hasattr(x, "_fields") and not _is_numbers(x):
        yield Arguments(tuple(_array(item) if _is_numbers(item) else _read(item) for item in x), named)
        yield Arguments((_read(x),), named)
        return
    if x is None:
        yield Arguments((), named)
    yield Arguments((_array(x) if _is_numbers(x) or isinstance(x, bool | int | float) else _read(x),), named)


def _fits(model: nn.Module, made: Arguments) -> bool:
    try:
        inspect.signature(model.forward).bind(*made.positions, **made.keywords)
    except TypeError:
        return False
    except ValueError:  # nothing is known of it
        return True
    return True


def _taken(model: nn.Module) -> str:
    names = [name if each.default is each.empty else tr("{name} (or nothing)").format(name=name)
             for name, each in inspect.signature(model.forward).parameters.items()]
    return ", ".join(names) or tr("no input")


# --- numbers --------------------------------------------------------------------------------------------------------

def _read(value: Any) -> Any:
    """The same with a tensor for everything that holds numbers."""
    if isinstance(value, Tensor):
        return _checked(value.detach())
    if isinstance(value, str | bytes | bool | int | float | None):
        return value
    if isinstance(value, Mapping):
        return {key: _read(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return _same(value, (_read(item) for item in value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(value, **{field.name: _read(getattr(value, field.name))
                                             for field in dataclasses.fields(value) if field.init})
    return _array(value) if hasattr(value, "__array__") else value


def _array(value: Any) -> Tensor:
    """An array of numbers as torch can have it, whatever the order of its bytes and the direction of its strides."""
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise Refused(tr("What is given is no array of numbers; give rows of one length.")) from error
    if array.dtype.kind not in "fiubc":
        raise Refused(tr("What is given is an array of {dtype}, not of numbers; turn it into numbers as in training."
                         ).format(dtype=array.dtype))
    if array.dtype == np.longdouble and array.itemsize > np.dtype(np.float64).itemsize:
        array = array.astype(np.float64)
    if isinstance(value, list | tuple | float) and array.dtype == np.float64:
        return torch.as_tensor(value, dtype=torch.get_default_dtype())
    return torch.from_numpy(np.ascontiguousarray(array, array.dtype.newbyteorder("=")).reshape(array.shape).copy())


def _checked(tensor: Tensor) -> Tensor:
    if tensor.is_meta:
        raise Refused(tr("The input is on the meta device and has no numbers; make it on the device of the model."))
    if tensor.is_nested:
        raise Refused(tr("The input is a nested tensor; give one sample as a plain tensor, such as x[0][None]."))
    return tensor


def _is_numbers(value: Any) -> bool:
    """Whether it is a list of plain numbers, or of such lists."""
    return isinstance(value, tuple | list) and bool(value) and all(
        isinstance(item, bool | int | float) or _is_numbers(item) for item in value)


# --- nested things --------------------------------------------------------------------------------------------------

def _turned(value: Any, turn: Turn, name: str) -> Any:
    if isinstance(value, Tensor):
        return turn(name, value)
    if isinstance(value, Mapping):
        return {key: _turned(item, turn, _joined(name, key)) for key, item in value.items()}
    if isinstance(value, tuple | list):
        names = getattr(value, "_fields", ("",) * len(value))
        return _same(value, (_turned(item, turn, _joined(name, key)) for key, item in zip(names, value, strict=True)))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(value, **{field.name: _turned(getattr(value, field.name), turn,
                                                                 _joined(name, field.name))
                                             for field in dataclasses.fields(value) if field.init})
    return value


def _same(value: tuple[Any, ...] | list[Any], items: Iterable[Any]) -> Any:
    """Another tuple or list of the same type; a packed sequence is a tuple of names, too."""
    if hasattr(value, "_fields"):
        return type(value)(*items)
    return list(items) if isinstance(value, list) else tuple(items)


def _joined(name: str, key: Any) -> str:
    return f"{name}.{key}" if name and key else name or str(key)
