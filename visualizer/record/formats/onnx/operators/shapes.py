"""What moves numbers and changes none: shapes, slices, places; and what makes numbers out of shapes."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from visualizer.language import tr
from visualizer.record.formats.onnx._types import DTYPES, of_type
from visualizer.record.formats.onnx.operators._table import Said, listed, operator, room, told


@operator("Shape", shape_alone=True)
def _shape(how: Said, x: Tensor) -> Tensor:
    return torch.tensor(list(x.shape)[how.get("start", 0):how.get("end", None)], dtype=torch.int64)


@operator("Size", shape_alone=True)
def _size(how: Said, x: Tensor) -> Tensor:
    return torch.tensor(x.numel(), dtype=torch.int64)


@operator("Constant")
def _constant(how: Said) -> Tensor:
    for name, dtype in (("value", None), ("value_float", torch.float32), ("value_floats", torch.float32),
                        ("value_int", torch.int64), ("value_ints", torch.int64)):
        if name in how.said:
            return how.said[name] if dtype is None else torch.tensor(how.said[name], dtype=dtype)
    raise ValueError(tr("a constant in it has no value that is read"))


@operator("Reshape", told=(1,))
def _reshape(how: Said, x: Tensor, sizes: Any) -> Tensor:
    sizes = listed(sizes)
    if not how.get("allowzero", 0):
        sizes = [x.shape[axis] if size == 0 else size for axis, size in enumerate(sizes)]
    if list(x.shape) == sizes:
        return x
    known = [size for size in sizes if size != -1]
    if -1 in sizes and sizes.count(-1) == 1 and x.numel():
        rest = x.numel() // max(1, torch.Size(known).numel())
        flat = [rest if size == -1 else size for size in sizes]
        if list(x.shape) == flat:
            return x
    if x.dim() > 2 and x.numel() and len(sizes) == 2 and sizes[0] == x.shape[0] and \
            sizes[1] in (-1, x.numel() // x.shape[0]):
        return torch.flatten(x, 1)
    return x.reshape(sizes)


@operator("Flatten")
def _flatten(how: Said, x: Tensor) -> Tensor:
    axis = how.get("axis", 1)
    axis += x.dim() if axis < 0 else 0
    if axis == 1 and x.dim() > 1:
        return torch.flatten(x, 1) if x.dim() > 2 else x
    return x.reshape(torch.Size(x.shape[:axis]).numel(), -1 if x.numel() else torch.Size(x.shape[axis:]).numel())


@operator("Squeeze", told=(1,))
def _squeeze(how: Said, x: Tensor, axes: Any = None) -> Tensor:
    axes = how.get("axes", axes)
    if axes is None:
        return x.squeeze()
    wrong = [axis for axis in listed(axes) if x.shape[axis] != 1]
    if wrong:
        raise ValueError(tr("axis {axis} of {shape} is not 1").format(axis=wrong[0], shape=tuple(x.shape)))
    return x.squeeze(tuple(listed(axes))) if len(listed(axes)) > 1 else x.squeeze(listed(axes)[0])


@operator("Unsqueeze", told=(1,))
def _unsqueeze(how: Said, x: Tensor, axes: Any = None) -> Tensor:
    axes = listed(how.get("axes", axes))
    for axis in sorted(axis % (x.dim() + len(axes)) for axis in axes):
        x = x.unsqueeze(axis)
    return x


@operator("Transpose")
def _transpose(how: Said, x: Tensor) -> Tensor:
    order = list(how.get("perm", range(x.dim() - 1, -1, -1)))
    if order == list(range(x.dim())):
        return x
    moved = [axis for axis, each in enumerate(order) if axis != each]
    return x.transpose(*moved) if len(moved) == 2 else x.permute(order)


@operator("Concat")
def _concat(how: Said, *xs: Tensor) -> Tensor:
    return torch.cat(xs, how.get("axis", 1)) if len(xs) > 1 else xs[0]


@operator("Split", told=(1,))
def _split(how: Said, x: Tensor, sizes: Any = None) -> tuple[Tensor, ...]:
    axis = how.get("axis", 0)
    sizes = how.get("split", sizes)
    if sizes is None:
        parts = how.get("num_outputs", len(how.made))
        each = -(-x.shape[axis] // parts)
        sizes = [each] * (parts - 1)
        sizes.append(x.shape[axis] - sum(sizes))
    made: tuple[Tensor, ...] = torch.split(x, list(sizes), axis)
    return made


@operator("Slice", told=(1, 2, 3, 4))
def _slice(how: Said, x: Tensor, starts: Any = None, ends: Any = None, axes: Any = None, steps: Any = None) -> Tensor:
    starts, ends = listed(how.get("starts", starts)), listed(how.get("ends", ends))
    axes = how.get("axes", axes)
    axes = list(range(len(starts))) if axes is None else listed(axes)
    steps = [1] * len(starts) if steps is None else listed(steps)
    places = [slice(None)] * x.dim()
    turned = []
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        axis, size = axis % x.dim(), x.shape[axis]
        first, last, step = slice(start, end if step > 0 or end >= -size else None, step).indices(size)
        if step > 0:
            places[axis] = slice(first, max(first, last), step)
            continue
        taken = range(first, last, step)
        turned.append(axis)
        places[axis] = slice(taken[-1], taken[0] + 1, -step) if len(taken) else slice(0, 0)
    if all(place.start in (None, 0) and place.stop in (None, size) and place.step in (None, 1)
           for place, size in zip(places, x.shape, strict=True)):
        return torch.flip(x, turned) if turned else x
    places = [slice(None) if (place.start, place.stop, place.step) == (0, size, 1) else
              slice(place.start or None, None if place.stop == size else place.stop,
                    None if place.step == 1 else place.step) for place, size in zip(places, x.shape, strict=True)]
    while places and places[-1] == slice(None):
        places.pop()
    made = x[tuple(places)]
    return torch.flip(made, turned) if turned else made


def _inside(places: Tensor, size: int) -> Tensor:
    """Places counted from the end are counted from the beginning."""
    if places.device.type != "meta":
        with torch._C.DisableTorchFunction():  # looking for them is no step of the model
            if bool((places < 0).any()):
                return torch.where(places < 0, places + size, places).long()
    return places if places.dtype == torch.int64 else places.long()


@operator("Gather")
def _gather(how: Said, x: Tensor, places: Tensor) -> Tensor:
    axis = how.get("axis", 0) % x.dim()
    if places.dim() == 0 and not isinstance(x, torch.nn.Parameter):
        if places.device.type == "meta":
            return torch.index_select(x, axis, places.reshape(1)).squeeze(axis)
        return x[(*(slice(None),) * axis, told(places))]  # `x[:, 3]`, as models write it
    places = _inside(places, x.shape[axis])
    if axis == 0 and x.dim() == 2 and isinstance(x, torch.nn.Parameter):
        return F.embedding(places, x)
    if places.dim() == 1:
        return torch.index_select(x, axis, places)
    room([*x.shape[:axis], *places.shape, *x.shape[axis + 1:]])
    return x[(*(slice(None),) * axis, places)]


@operator("GatherElements")
def _gather_elements(how: Said, x: Tensor, places: Tensor) -> Tensor:
    axis = how.get("axis", 0) % x.dim()
    return torch.gather(x, axis, _inside(places, x.shape[axis]))


def _where_to(places: Tensor, x: Tensor, batch: int = 0) -> tuple[Tensor, ...]:
    """The last axis of the places says one place for each axis, from `batch` on."""
    found: list[Tensor] = []
    for axis in range(batch):
        shape = [1] * (places.dim() - 1)
        shape[axis] = x.shape[axis]
        found.append(torch.arange(x.shape[axis], device=x.device).reshape(shape))
    found += [_inside(places[..., axis], x.shape[batch + axis]) for axis in range(places.shape[-1])]
    return tuple(found)


@operator("GatherND")
def _gather_nd(how: Said, x: Tensor, places: Tensor) -> Tensor:
    return x[_where_to(places, x, how.get("batch_dims", 0))]


@operator("ScatterND")
def _scatter_nd(how: Said, x: Tensor, places: Tensor, values: Tensor) -> Tensor:
    to = _where_to(places, x)
    reduced = how.get("reduction", "none")
    if reduced in ("none", "add"):
        return torch.index_put(x, to, values, reduced == "add")
    flat = torch.arange(x.numel(), device=x.device).reshape(x.shape)[to].flatten()
    return x.flatten().scatter_reduce(0, flat, values.flatten(), _REDUCED[reduced]).reshape(x.shape)


_REDUCED = {"add": "sum", "mul": "prod", "max": "amax", "min": "amin"}


@operator("ScatterElements", "Scatter")
def _scatter(how: Said, x: Tensor, places: Tensor, values: Tensor) -> Tensor:
    axis = how.get("axis", 0) % x.dim()
    places, reduced = _inside(places, x.shape[axis]), how.get("reduction", "none")
    if reduced == "none":
        return torch.scatter(x, axis, places, values)
    if reduced == "add":
        return torch.scatter_add(x, axis, places, values)
    return torch.scatter_reduce(x, axis, places, values, _REDUCED[reduced])


@operator("Expand", told=(1,))
def _expand(how: Said, x: Tensor, sizes: Any) -> Tensor:
    sizes = list(torch.broadcast_shapes(x.shape, tuple(listed(sizes))))
    room(sizes, x.element_size())
    return x if sizes == list(x.shape) else x.expand(sizes)


@operator("Tile", told=(1,))
def _tile(how: Said, x: Tensor, repeats: Any) -> Tensor:
    repeats = listed(repeats)
    room([size * times for size, times in zip(x.shape, repeats, strict=True)], x.element_size())
    return x if all(times == 1 for times in repeats) else x.repeat(repeats)


@operator("Pad", told=(1, 2, 3))
def _pad(how: Said, x: Tensor, pads: Any = None, value: Any = None, axes: Any = None) -> Tensor:
    pads = listed(how.get("pads", pads))
    value = how.get("value", 0.0 if value is None else value)
    axes = list(range(x.dim())) if axes is None else [axis % x.dim() for axis in listed(axes)]
    around = {axis: (pads[place], pads[place + len(axes)]) for place, axis in enumerate(axes)}
    room([size + sum(around.get(axis, (0, 0))) for axis, size in enumerate(x.shape)], x.element_size())
    if not any(map(any, around.values())):
        return x
    mode = how.get("mode", "constant")
    if mode == "constant":
        first = min(axis for axis, each in around.items() if any(each))
        flat = [each for axis in range(x.dim() - 1, first - 1, -1) for each in around.get(axis, (0, 0))]
        (value,) = listed(value)
        return F.pad(x, flat, "constant", value if x.is_floating_point() else int(value))
    sides = [axis for axis, each in around.items() if any(each)]
    several = x.dim() - min(sides)
    if mode in ("reflect", "edge") and x.is_floating_point() and several <= 3 and several < x.dim() <= several + 2 \
            and all(min(each) >= 0 for each in around.values()) \
            and (mode == "edge" or all(max(each) < x.shape[axis] for axis, each in around.items())):
        flat = [each for axis in range(x.dim() - 1, min(sides) - 1, -1) for each in around.get(axis, (0, 0))]
        return F.pad(x, flat, {"reflect": "reflect", "edge": "replicate"}[mode])
    for axis in sides:
        with torch._C.DisableTorchFunction():  # which places these are is no step of the model
            places = _mirrored(x.shape[axis], *around[axis], mode).to(x.device)
        x = torch.index_select(x, axis, places)
    return x


def _mirrored(size: int, before: int, after: int, mode: str) -> Tensor:
    """Which places stand along one axis, once it is padded."""
    places = torch.arange(-before, size + after)
    if mode == "edge":
        return places.clamp(0, size - 1)
    if mode == "wrap":
        return places % size
    turn = max(1, 2 * (size - 1))
    places = places % turn
    return torch.where(places < size, places, turn - places)


@operator("ConstantOfShape", told=(0,))
def _constant_of_shape(how: Said, sizes: Any) -> Tensor:
    value = how.get("value")
    value = torch.zeros(1) if value is None else value
    return torch.full(room(listed(sizes), 8), value.flatten()[0].item(), dtype=value.dtype)


@operator("Range")
def _range(how: Any, first: Tensor, end: Tensor, by: Tensor) -> Tensor:
    start, last, step = (listed(told(each))[0] for each in (first, end, by))
    (count,) = room([max(0, math.ceil((last - start) / step))], 8)
    return torch.add(torch.mul(torch.arange(count, dtype=first.dtype), step), start)


@operator("OneHot", told=(1,))
def _one_hot(how: Said, x: Tensor, depth: Any, values: Tensor) -> Tensor:
    (depth,) = listed(depth)
    axis, depth = how.get("axis", -1), int(depth)
    room([*x.shape, depth])
    axis += x.dim() + 1 if axis < 0 else 0
    places = x.long()
    classes = torch.arange(depth, device=x.device).reshape([-1 if each == axis else 1 for each in range(x.dim() + 1)])
    inside = torch.eq(torch.where(places < 0, places + depth, places).unsqueeze(axis), classes)
    return torch.where(inside, values[1], values[0])


@operator("EyeLike")
def _eye(how: Said, x: Tensor) -> Tensor:
    dtype = of_type(how.get("dtype")) if "dtype" in how.said else x.dtype
    rows, columns = x.shape
    room([rows, columns], 8)
    return torch.diag_embed(torch.ones(max(rows, columns) + abs(how.get("k", 0)), dtype=torch.float32),
                            how.get("k", 0))[:rows, :columns].to(dtype).to(x.device)


@operator("NonZero")
def _non_zero(how: Said, x: Tensor) -> Tensor:
    return torch.nonzero(x).t()


@operator("Compress")
def _compress(how: Said, x: Tensor, chosen: Tensor) -> Tensor:
    axis = how.get("axis")
    x = x.flatten() if axis is None else x
    return torch.index_select(x, axis or 0, torch.nonzero(chosen).flatten())


@operator("Trilu", told=(1,))
def _trilu(how: Said, x: Tensor, diagonal: Any = 0) -> Tensor:
    (diagonal,) = listed(0 if diagonal is None else diagonal)
    return (torch.triu if how.get("upper", 1) else torch.tril)(x, diagonal)


@operator("ReverseSequence", told=(1,))
def _reverse(how: Said, x: Tensor, lengths: Any) -> Tensor:
    batch, time = how.get("batch_axis", 1), how.get("time_axis", 0)
    if len(set(lengths)) == 1 and lengths[0] == x.shape[time]:
        return torch.flip(x, [time])
    rows = []
    for place, length in enumerate(lengths):
        row = x.narrow(batch, place, 1)
        rows.append(torch.cat([torch.flip(row.narrow(time, 0, length), [time]),
                               row.narrow(time, length, x.shape[time] - length)], time))
    return torch.cat(rows, batch)


@operator("DepthToSpace")
def _depth_to_space(how: Said, x: Tensor) -> Tensor:
    size = how.get("blocksize")
    if how.get("mode", "DCR") == "CRD":
        return F.pixel_shuffle(x, size)
    batch, channels, height, width = x.shape
    parts = x.reshape(batch, size, size, channels // size ** 2, height, width).permute(0, 3, 4, 1, 5, 2)
    return parts.reshape(batch, channels // size ** 2, height * size, width * size)


@operator("SpaceToDepth")
def _space_to_depth(how: Said, x: Tensor) -> Tensor:
    size = how.get("blocksize")
    if how.get("mode", "DCR") == "CRD":
        return F.pixel_unshuffle(x, size)
    batch, channels, height, width = x.shape
    parts = x.reshape(batch, channels, height // size, size, width // size, size).permute(0, 3, 5, 1, 2, 4)
    return parts.reshape(batch, channels * size ** 2, height // size, width // size)


@operator("TopK", told=(1,))
def _topk(how: Said, x: Tensor, count: Any = None) -> Any:
    (count,) = listed(how.get("k", count))
    axis, largest = how.get("axis", -1), bool(how.get("largest", 1))
    if x.is_floating_point() and not (len(how.made) > 1 and how.made[1]):
        return (torch.topk(x, count, axis, largest).values,)
    values, places = torch.sort(x, stable=True, dim=axis, descending=largest)  # of equal ones the first
    return values.narrow(axis, 0, count), places.narrow(axis, 0, count)


@operator("Unique")
def _unique(how: Said, x: Tensor) -> tuple[Tensor, ...]:
    axis = how.get("axis")
    flat = x.flatten() if axis is None else x
    values, inverse, counts = torch.unique(flat, sorted=True, return_inverse=True, return_counts=True, dim=axis or 0)
    size = flat.shape[axis or 0]
    first = torch.full((len(counts),), size).scatter_reduce(0, inverse.flatten(), torch.arange(size), "amin")
    if not how.get("sorted", 1):
        order = torch.argsort(first)
        back = torch.argsort(order)
        values, first, counts, inverse = values.index_select(axis or 0, order), first[order], counts[order], \
            back[inverse]
    return values, first, inverse.flatten(), counts


@operator("Cast")
def _cast(how: Said, x: Tensor) -> Tensor:
    return _as_type(x, of_type(how.get("to")))


@operator("CastLike")
def _cast_like(how: Said, x: Tensor, like: Tensor) -> Tensor:
    return _as_type(x, like.dtype)


def _as_type(x: Tensor, dtype: torch.dtype) -> Tensor:
    return x if x.dtype == dtype else x.to(dtype)


@operator("BitCast")
def _bit_cast(how: Said, x: Tensor) -> Tensor:
    dtype = DTYPES[how.get("to")]
    return x.contiguous().view(dtype)


@operator("CenterCropPad", told=(1,))
def _center(how: Said, x: Tensor, sizes: Any) -> Tensor:
    axes = [axis % x.dim() for axis in how.get("axes", range(x.dim()))]
    room([dict(zip(axes, sizes, strict=True)).get(axis, size) for axis, size in enumerate(x.shape)])
    for axis, size in zip(axes, sizes, strict=True):
        spare = x.shape[axis] - size
        if spare > 0:
            x = x.narrow(axis, spare // 2, size)
        elif spare < 0:
            before = -spare // 2
            around = [0, 0] * (x.dim() - 1 - axis) + [before, -spare - before]
            x = F.pad(x, around)
    return x


@operator("TensorScatter")
def _tensor_scatter(how: Said, past: Tensor, update: Tensor, begins: Tensor | None = None) -> Tensor:
    axis = how.get("axis", -2) % past.dim()
    size, count = past.shape[axis], update.shape[axis]
    starts = torch.zeros(past.shape[0], dtype=torch.int64) if begins is None else begins.long()
    places = starts[:, None] + torch.arange(count)
    places = places % size if how.get("mode", "linear") == "circular" else places
    shape = [1] * past.dim()
    shape[0], shape[axis] = past.shape[0], count
    return past.scatter(axis, places.reshape(shape).expand(update.shape), update)


@operator("SequenceEmpty")
def _empty(how: Said) -> list[Tensor]:
    return []


@operator("SequenceConstruct")
def _construct(how: Said, *xs: Tensor) -> list[Tensor]:
    return list(xs)


@operator("SequenceInsert", told=(2,))
def _insert(how: Said, xs: list[Tensor], x: Tensor, place: Any = None) -> list[Tensor]:
    (place,) = listed(len(xs) if place is None else place)
    made = list(xs)
    made.insert(place, x)
    return made


@operator("SequenceErase", told=(1,))
def _erase(how: Said, xs: list[Tensor], place: Any = -1) -> list[Tensor]:
    (place,) = listed(-1 if place is None else place)
    made = list(xs)
    made.pop(place)
    return made


@operator("SequenceAt", told=(1,))
def _at(how: Said, xs: list[Tensor], place: Any) -> Tensor:
    return xs[listed(place)[0]]


@operator("SequenceLength", shape_alone=True)
def _length(how: Said, xs: list[Tensor]) -> Tensor:
    return torch.tensor(len(xs), dtype=torch.int64)


@operator("SplitToSequence", told=(1,))
def _split_to(how: Said, x: Tensor, sizes: Any = None) -> list[Tensor]:
    axis = how.get("axis", 0)
    made = list(torch.split(x, 1 if sizes is None else sizes, axis))
    return [each.squeeze(axis) for each in made] if sizes is None and not how.get("keepdims", 1) else made


@operator("ConcatFromSequence")
def _concat_from(how: Said, xs: list[Tensor]) -> Tensor:
    return (torch.stack if how.get("new_axis", 0) else torch.cat)(xs, how.get("axis"))


@operator("Optional", "OptionalGetElement")
def _optional(how: Said, x: Any = None) -> Any:
    return x


@operator("OptionalHasElement")
def _has(how: Said, x: Any = None) -> Tensor:
    return torch.tensor(x is not None)
