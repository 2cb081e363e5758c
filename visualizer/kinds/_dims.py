"""Dimensions as a torch call names them, with the batch axis counted, as axes of arrays that have none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from visualizer.language import tr
from visualizer.trace import Layer


def axis_of(settings: Mapping[str, Any], dim: int, count: int) -> int | None:
    """The axis that `dim` means in an array of `count` axes without the batch; None if it is the batch axis."""
    batch = settings.get("batch", 0)
    full = count + (batch is not None)
    if not -full <= dim < full:
        raise LookupError(tr("There is no axis {dim} among {full}.").format(dim=dim, full=full))
    dim %= full
    if batch is None:
        return dim
    return None if dim == batch else dim - (dim > batch)


def axes_of(settings: Mapping[str, Any], dims: Any, count: int) -> tuple[int, ...]:
    """The same for several dims, the batch axis left out; None or nothing at all means every axis."""
    if dims is None or dims == ():
        return tuple(range(count))
    found = (axis_of(settings, int(dim), count) for dim in (dims if isinstance(dims, tuple | list) else (dims,)))
    return tuple(sorted(axis for axis in found if axis is not None))


def full_shape(settings: Mapping[str, Any], source: Layer) -> tuple[int, ...]:
    """The shape as the torch call saw it, with a batch of one where it had one."""
    batch = settings.get("batch", 0)
    return source.shape if batch is None else (*source.shape[:batch], 1, *source.shape[batch:])


def batch_of(settings: Mapping[str, Any], which: int) -> int | None:
    """Which axis of one of its inputs was the batch when the call was made; None if it had none."""
    batches = settings.get("batches")
    found: int | None = settings.get("batch", 0) if batches is None else batches[which]
    return found


def dim_of(settings: Mapping[str, Any]) -> Any:
    """The setting `dim`, which torch also takes as `axis`."""
    return settings.get("dim", settings.get("axis"))


def tuple_of(value: Any) -> tuple[Any, ...]:
    """A setting that may be one number or several."""
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def longest_names(settings: Mapping[str, Any], inputs: tuple[tuple[str, ...], ...],
                  shape: tuple[int, ...]) -> tuple[str, ...]:
    """The names of the first input that has as many axes as the output, real names first."""
    fitting = [names for names in inputs if len(names) == len(shape)]
    fitting.sort(key=lambda names: any(name.startswith("axis") for name in names))
    return fitting[0] if fitting else tuple(f"axis{number}" for number in range(len(shape)))


def same_but_ones(one_shape: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether two shapes are the same but for axes of size 1, as those of a sample and of a constant beside it are."""
    return [size for size in one_shape if size > 1] == [size for size in other if size > 1]
