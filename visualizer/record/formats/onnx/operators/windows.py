"""What looks through a window: convolutions, pooling, resizing, sampling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from visualizer.language import tr
from visualizer.record.formats.onnx.operators._table import Said, listed, operator, room

CONV = (F.conv1d, F.conv2d, F.conv3d)
TRANSPOSED = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)
LARGEST = (F.max_pool1d, F.max_pool2d, F.max_pool3d)
AVERAGE = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)


def _axes(x: Tensor) -> int:
    if not 3 <= x.dim() <= 5:
        raise TypeError(tr("a window over {count} axes is not read").format(count=x.dim() - 2))
    return x.dim() - 2


def _around(how: Said, x: Tensor, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
            ) -> list[tuple[int, int]]:
    """How much is added before and behind each axis."""
    auto = how.get("auto_pad", "NOTSET")
    if auto == "VALID":
        return [(0, 0)] * len(kernel)
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        found = []
        for size, width, step, apart in zip(x.shape[2:], kernel, stride, dilation, strict=True):
            whole = max(0, (-(-size // step) - 1) * step + (width - 1) * apart + 1 - size)
            less, more = whole // 2, whole - whole // 2
            found.append((less, more) if auto == "SAME_UPPER" else (more, less))
        return found
    pads = how.get("pads") or [0] * (2 * len(kernel))
    return list(zip(pads[:len(kernel)], pads[len(kernel):], strict=True))


def _padded(x: Tensor, around: Sequence[tuple[int, int]], value: float = 0.0) -> Tensor:
    room([*x.shape[:2], *[size + sum(each) for size, each in zip(x.shape[2:], around, strict=True)]])
    return F.pad(x, [each for pair in reversed(around) for each in pair], "constant", value)


def _even(around: Sequence[tuple[int, int]]) -> bool:
    return all(before == behind and before >= 0 for before, behind in around)


def _one(each: Sequence[int]) -> Any:
    """As models write it: 3 for 3 × 3."""
    return each[0] if len(set(each)) == 1 else tuple(each)


@operator("Conv")
def _conv(how: Said, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    axes = _axes(x)
    stride, dilation = how.get("strides") or [1] * axes, how.get("dilations") or [1] * axes
    around = _around(how, x, weight.shape[2:], stride, dilation)
    if not _even(around):
        x, around = _padded(x, around), [(0, 0)] * axes
    return CONV[axes - 1](x, weight, bias, _one(stride), _one([before for before, _ in around]), _one(dilation),
                          how.get("group", 1))


@operator("com.microsoft.FusedConv")
def _fused(how: Said, x: Tensor, weight: Tensor, bias: Tensor | None = None, more: Tensor | None = None) -> Tensor:
    made = _conv(how, x, weight, bias)
    made = made if more is None else torch.add(made, more)
    does, given = how.get("activation", ""), how.get("activation_params") or []
    known: Any = {"Relu": F.relu, "Sigmoid": torch.sigmoid, "Tanh": torch.tanh, "": lambda x: x,
                  "LeakyRelu": lambda x: F.leaky_relu(x, given[0]), "Clip": lambda x: F.hardtanh(x, *given),
                  "HardSigmoid": lambda x: F.hardtanh(torch.add(torch.mul(x, given[0]), given[1]), 0.0, 1.0)}
    return known[does](made)  # type: ignore[no-any-return]


@operator("ConvTranspose")
def _transposed(how: Said, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    axes = _axes(x)
    stride, dilation = how.get("strides") or [1] * axes, how.get("dilations") or [1] * axes
    more, kernel = how.get("output_padding") or [0] * axes, weight.shape[2:]
    full = [(size - 1) * step + apart * (width - 1) + 1 + extra for size, step, apart, width, extra in
            zip(x.shape[2:], stride, dilation, kernel, more, strict=True)]
    wanted, auto = how.get("output_shape"), how.get("auto_pad", "NOTSET")
    if wanted or auto.startswith("SAME"):
        wanted = list(wanted)[-axes:] if wanted else [size * step for size, step in
                                                      zip(x.shape[2:], stride, strict=True)]
        whole = [size - want for size, want in zip(full, wanted, strict=True)]
        around = [(0, each) if each < 0 else (each // 2, each - each // 2) if auto == "SAME_UPPER" else
                  (each - each // 2, each // 2) for each in whole]
    else:
        around = _around(how, x, kernel, stride, dilation)
    room([x.shape[0], weight.shape[1] * how.get("group", 1), *full])
    does, group = TRANSPOSED[axes - 1], how.get("group", 1)
    if _even(around) and all(extra < max(step, apart) for extra, step, apart in
                             zip(more, stride, dilation, strict=True)):
        return does(x, weight, bias, _one(stride), _one([before for before, _ in around]), _one(more), group,
                    _one(dilation))
    made = does(x, weight, bias, _one(stride), 0, 0, group, _one(dilation))
    lacking = [(0, extra) for extra in more]
    if any(more):
        made = _padded(made, lacking)
    if min(min(each) for each in around) < 0:
        return _padded(made, [(-before, -behind) for before, behind in around])
    return made[(..., *(slice(before or None, size - behind if behind else None)
                        for (before, behind), size in zip(around, made.shape[2:], strict=True)))]


# --- pooling --------------------------------------------------------------------------------------------------------

def _window(how: Said, x: Tensor) -> tuple[int, list[int], list[int], list[int], list[tuple[int, int]]]:
    axes, kernel = _axes(x), list(how.get("kernel_shape"))
    stride, dilation = how.get("strides") or [1] * axes, how.get("dilations") or [1] * axes
    return axes, kernel, list(stride), list(dilation), _around(how, x, kernel, stride, dilation)


def _beyond(x: Tensor, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int],
            around: Sequence[tuple[int, int]]) -> list[int]:
    """By how much the last window reaches past the end, where one more is begun; it has to begin before the end."""
    found = []
    for size, width, step, apart, (before, behind) in zip(x.shape[2:], kernel, stride, dilation, around, strict=True):
        reach = (width - 1) * apart + 1
        count = -(-(size + before + behind - reach) // step) + 1
        count -= (count - 1) * step >= size + before
        found.append(max(0, (count - 1) * step + reach - size - before - behind))
    return found


@operator("MaxPool")
def _max_pool(how: Said, x: Tensor) -> Any:
    axes, kernel, stride, dilation, around = _window(how, x)
    ceil, both = bool(how.get("ceil_mode", 0)), len(how.made) > 1 and bool(how.made[1])
    whole = x
    if not x.is_floating_point():
        made = _max_pool(how, x.double())
        return (made[0].to(x.dtype), made[1]) if both else made.to(x.dtype)
    if not _even(around) or any(before > width // 2 for (before, _), width in zip(around, kernel, strict=True)):
        if ceil:
            more = _beyond(x, kernel, stride, dilation, around)
            around = [(before, behind + extra) for (before, behind), extra in zip(around, more, strict=True)]
        x, ceil = _padded(x, around, -math.inf), False
        skipped, around = [before for before, _ in around], [(0, 0)] * axes
    else:
        skipped = [0] * axes
    padding = [before for before, _ in around]
    made = LARGEST[axes - 1](x, _one(kernel), _one(stride), _one(padding), _one(dilation), ceil, return_indices=both)
    if not both:
        return made
    values, places = made
    return values, _places(places, x, whole, skipped, how.get("storage_order", 0))


def _places(flat: Tensor, x: Tensor, whole: Tensor, skipped: Sequence[int], by_columns: int) -> Tensor:
    """Places of the largest as ONNX counts them: through all samples and channels, without what was added around."""
    sizes = list(whole.shape[2:])
    parts = []
    for size, before in zip(reversed(x.shape[2:]), reversed(skipped), strict=True):
        parts.append(flat % size - before)
        flat = torch.div(flat, size, rounding_mode="floor")
    parts = parts if not by_columns else parts[::-1]
    lengths = list(reversed(sizes)) if not by_columns else sizes
    made, step = torch.zeros_like(parts[0]), 1
    for part, size in zip(parts, lengths, strict=True):
        made, step = made + part * step, step * size
    first = torch.arange(whole.shape[0] * whole.shape[1]).reshape(whole.shape[0], whole.shape[1], *[1] * len(sizes))
    return made + first * step


@operator("MaxUnpool", told=(2,))
def _unpooled(how: Said, x: Tensor, places: Tensor, sizes: Any = None) -> Tensor:
    _, kernel, stride, _, around = _window(how, x)
    told = [(size - 1) * step - sum(each) + width for size, step, each, width in
            zip(x.shape[2:], stride, around, kernel, strict=True)]
    own = room([*x.shape[:2], *told])
    sizes = own if sizes is None else room(sizes)
    found = torch.zeros(torch.Size(own).numel(), dtype=x.dtype).scatter(0, places.flatten(), x.flatten()).reshape(own)
    return found if list(sizes) == own else _padded(found, [(0, size - has) for size, has in
                                                            zip(sizes[2:], own[2:], strict=True)])


@operator("AveragePool")
def _average(how: Said, x: Tensor) -> Tensor:
    axes, kernel, stride, dilation, around = _window(how, x)
    ceil, counted = bool(how.get("ceil_mode", 0)), bool(how.get("count_include_pad", 0))
    if _even(around) and set(dilation) == {1} and all(
            before <= width // 2 for (before, _), width in zip(around, kernel, strict=True)):
        return AVERAGE[axes - 1](x, _one(kernel), _one(stride), _one([before for before, _ in around]), ceil, counted)
    ones = torch.ones_like(x[:1, :1])
    ones = _padded(ones, around, 1.0 if counted else 0.0)
    x = _padded(x, around)
    if ceil:
        more = [(0, extra) for extra in _beyond(x, kernel, stride, dilation, [(0, 0)] * axes)]
        x, ones = _padded(x, more), _padded(ones, more)
    return torch.div(_summed(x, kernel, stride, dilation), _summed(ones, kernel, stride, dilation))


def _summed(x: Tensor, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> Tensor:
    """Σ over each window of each channel."""
    ones = torch.ones(1, 1, *kernel, dtype=x.dtype, device=x.device).expand(x.shape[1], 1, *kernel)
    return CONV[len(kernel) - 1](x, ones, None, _one(stride), 0, _one(dilation), x.shape[1])


@operator("LpPool")
def _lp_pool(how: Said, x: Tensor) -> Tensor:
    _, kernel, stride, dilation, around = _window(how, x)
    power = how.get("p", 2)
    if how.get("ceil_mode", 0):
        more = _beyond(x, kernel, stride, dilation, around)
        around = [(before, behind + extra) for (before, behind), extra in zip(around, more, strict=True)]
    raised = torch.pow(torch.abs(_padded(x, around) if any(map(any, around)) else x), power)
    return torch.pow(_summed(raised, kernel, stride, dilation), 1 / power)


@operator("GlobalAveragePool")
def _global_average(how: Said, x: Tensor) -> Tensor:
    does = (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)[_axes(x) - 1]
    return does(x, 1)  # type: ignore[no-any-return]


@operator("GlobalMaxPool")
def _global_max(how: Said, x: Tensor) -> Tensor:
    does = (F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d)[_axes(x) - 1]
    return does(x, 1)  # type: ignore[no-any-return]


@operator("GlobalLpPool")
def _global_lp(how: Said, x: Tensor) -> Tensor:
    power = how.get("p", 2)
    return torch.pow(torch.sum(torch.pow(torch.abs(x), power), list(range(2, x.dim())), True), 1 / power)


@operator("Col2Im", told=(1, 2))
def _col2im(how: Said, x: Tensor, sizes: Any, block: Any) -> Tensor:
    if len(sizes) != 2:
        raise TypeError(tr("Col2Im is read over two axes"))
    pads = how.get("pads") or [0] * 4
    stride, dilation = how.get("strides") or [1, 1], how.get("dilations") or [1, 1]
    room([x.shape[0], x.shape[1], sizes[0] + pads[0] + pads[2], sizes[1] + pads[1] + pads[3]])
    if pads[:2] == pads[2:]:
        return F.fold(x, tuple(sizes), tuple(block), tuple(dilation), tuple(pads[:2]), tuple(stride))
    whole = (sizes[0] + pads[0] + pads[2], sizes[1] + pads[1] + pads[3])
    made = F.fold(x, whole, tuple(block), tuple(dilation), 0, tuple(stride))
    return made[:, :, pads[0]:pads[0] + sizes[0], pads[1]:pads[1] + sizes[1]]


# --- resizing and sampling ------------------------------------------------------------------------------------------

@operator("Upsample", told=(1,))
def _upsample(how: Said, x: Tensor, scales: Any = None) -> Tensor:
    return _resized(x, how.get("scales", scales), None, how.get("mode", "nearest"), "asymmetric", "floor", {})


@operator("Resize", told=(1, 2, 3))
def _resize(how: Said, x: Tensor, region: Any = None, scales: Any = None, sizes: Any = None) -> Tensor:
    if how.version < 11:
        return _resized(x, region, None, how.get("mode", "nearest"), "asymmetric", "floor", {})
    axes = how.get("axes")
    scales, sizes = scales or None, sizes or None
    if axes is not None:
        axes = [axis % x.dim() for axis in axes]
        scales = None if scales is None else _on_all(scales, axes, [1.0] * x.dim())
        sizes = None if sizes is None else _on_all(sizes, axes, list(x.shape))
        region = _on_all(region[:len(axes)], axes, [0.0] * x.dim()) + _on_all(
            region[len(axes):], axes, [1.0] * x.dim()) if region else None
    policy = how.get("keep_aspect_ratio_policy", "stretch")
    if sizes is not None and policy != "stretch":
        over = range(x.dim()) if axes is None else axes
        found = (min if policy == "not_larger" else max)(sizes[axis] / x.shape[axis] for axis in over)
        scales = [found if axis in over else 1.0 for axis in range(x.dim())]
        sizes = [int(size * each + 0.5) for size, each in zip(x.shape, scales, strict=True)]
    return _resized(x, scales, sizes, how.get("mode", "nearest"),
                    how.get("coordinate_transformation_mode", "half_pixel"),
                    how.get("nearest_mode", "round_prefer_floor"),
                    {"region": region, "antialias": how.get("antialias", 0),
                     "outside": how.get("exclude_outside", 0), "a": how.get("cubic_coeff_a", -0.75),
                     "value": how.get("extrapolation_value", 0.0)})


def _on_all(told: Sequence[Any], axes: Sequence[int], otherwise: list[Any]) -> list[Any]:
    for axis, each in zip(axes, told, strict=True):
        otherwise[axis] = each
    return otherwise


def _resized(x: Tensor, scales: Any, sizes: Any, mode: str, where: str, rounds: str, more: dict[str, Any]) -> Tensor:
    if sizes is None:
        sizes = [math.floor(size * scale) for size, scale in zip(x.shape, scales, strict=True)]
        given = list(scales)
    else:
        given = [size / has for size, has in zip(sizes, x.shape, strict=True)] if scales is None else list(scales)
        scales = None if scales is None else scales
    room(sizes)
    if list(sizes) == list(x.shape) and where != "tf_crop_and_resize" and not any(
            each != 1 for each in given):
        return x
    plain = not more.get("antialias") and not more.get("outside") and where != "tf_crop_and_resize" \
        and 3 <= x.dim() <= 5 and list(sizes[:2]) == list(x.shape[:2]) and x.is_floating_point()
    whole = all(float(size * scale).is_integer() for size, scale in zip(x.shape[2:], given[2:], strict=True))
    exact = all(float(scale).is_integer() and scale >= 1 for scale in given[2:])
    how: dict[str, Any] = {"size": _one(sizes[2:])} if scales is None or not _same_sizes(x, sizes, scales) else \
        {"scale_factor": _one([float(each) for each in scales[2:]])}
    if plain and mode == "nearest" and ((where == "asymmetric" and rounds == "floor")
                                        or (exact and (where, rounds) in _EXACT)):
        return F.interpolate(x, mode="nearest", **how)
    if plain and mode == "linear" and where in ("half_pixel", "pytorch_half_pixel", "align_corners") and (
            where != "pytorch_half_pixel" or min(sizes[2:]) > 1) and (where != "align_corners" or whole):
        return F.interpolate(x, mode=("linear", "bilinear", "trilinear")[x.dim() - 3],
                             align_corners=where == "align_corners", **how)
    if plain and mode == "cubic" and x.dim() == 4 and (where == "half_pixel" or (where == "align_corners" and whole)) \
            and abs(more["a"] + 0.75) < 1e-6:
        return F.interpolate(x, mode="bicubic", align_corners=where == "align_corners", **how)
    for axis, (size, scale) in enumerate(zip(sizes, given, strict=True)):
        region = (more["region"][axis], more["region"][axis + x.dim()]) if more.get("region") and \
            where == "tf_crop_and_resize" else None
        if size != x.shape[axis] or scale != 1 or region:
            x = _along(x, axis, size, scale, mode, where, rounds, region, more)
    return x


_EXACT = {("half_pixel", "round_prefer_floor"), ("half_pixel", "round_prefer_ceil"),
          ("pytorch_half_pixel", "round_prefer_floor"), ("pytorch_half_pixel", "round_prefer_ceil"),
          ("half_pixel_symmetric", "round_prefer_floor"), ("half_pixel_symmetric", "round_prefer_ceil")}
"""Ways to count and to round that come to the same, where each number is repeated as often."""


def _same_sizes(x: Tensor, sizes: Sequence[int], scales: Sequence[float]) -> bool:
    return all(math.floor(size * float(scale)) == want for size, scale, want in
               zip(x.shape[2:], scales[2:], sizes[2:], strict=True))


def _along(x: Tensor, axis: int, size: int, scale: float, mode: str, where: str, rounds: str,
           region: tuple[float, float] | None, more: dict[str, Any]) -> Tensor:
    """One axis after the other: each number that is made is a sum of its neighbours."""
    has = x.shape[axis]
    places = _coordinates(size, has, scale, where, region)
    outside = (places < 0) | (places > has - 1) if region else None
    if mode == "nearest":
        rounded = {"floor": torch.floor, "ceil": torch.ceil,
                   "round_prefer_floor": lambda at: torch.ceil(at - 0.5),
                   "round_prefer_ceil": lambda at: torch.floor(at + 0.5)}[rounds](places)
        made = torch.index_select(x, axis, rounded.long().clamp(0, has - 1).to(x.device))
    else:
        room([size, has], 8)
        matrix = _shares(places, has, scale, mode, more).to(x.dtype).to(x.device)
        made = torch.tensordot(x, matrix, ([axis], [1])).movedim(-1, axis)
    if outside is None or not bool(outside.any()):
        return made
    shape = [1] * x.dim()
    shape[axis] = size
    return torch.where(outside.reshape(shape).to(x.device), torch.tensor(more["value"], dtype=x.dtype), made)


def _coordinates(size: int, has: int, scale: float, where: str, region: tuple[float, float] | None) -> Tensor:
    """Where each number that is made lies among those that are read."""
    at = torch.arange(size, dtype=torch.float64)
    whole = scale * has
    if where == "align_corners":
        return torch.zeros(1, dtype=torch.float64) if whole == 1 else at * ((has - 1) / (whole - 1))
    if where == "asymmetric":
        return at / scale
    if where == "tf_crop_and_resize":
        first, last = region or (0.0, 1.0)
        if size == 1:
            return torch.full((1,), 0.5 * (first + last) * (has - 1), dtype=torch.float64)
        return first * (has - 1) + at * ((last - first) * (has - 1) / (size - 1))
    if where == "pytorch_half_pixel" and size == 1:
        return torch.zeros(1, dtype=torch.float64) - 0.5
    if where == "half_pixel_symmetric":
        return has / 2 * (1 - size / whole) + (at + 0.5) / scale - 0.5
    return (at + 0.5) / scale - 0.5


def _shares(places: Tensor, has: int, scale: float, mode: str, more: dict[str, Any]) -> Tensor:
    """(made, read): with how much each neighbour goes in."""
    narrow = min(1.0, scale) if more.get("antialias") else 1.0
    reach = (1 if mode == "linear" else 2) / narrow
    at = torch.arange(-math.ceil(reach) - 1, has + math.ceil(reach) + 1, dtype=torch.float64)
    apart = (places[:, None] - at[None, :]).abs() * narrow
    if mode == "linear":
        found = (1 - apart).clamp(min=0)
    else:
        a = more["a"]
        near = ((a + 2) * apart - (a + 3)) * apart * apart + 1
        far = ((a * apart - 5 * a) * apart + 8 * a) * apart - 4 * a
        found = torch.where(apart <= 1, near, torch.where(apart < 2, far, torch.zeros_like(far)))
    inside = (at >= 0) & (at <= has - 1)
    if more.get("outside"):
        found = found * inside
    if more.get("antialias") or more.get("outside"):
        found = found / found.sum(1, keepdim=True)
    made = torch.zeros(len(places), has, dtype=torch.float64)
    return made.index_add(1, at.clamp(0, has - 1).long(), found)


@operator("GridSample")
def _grid_sample(how: Said, x: Tensor, grid: Tensor) -> Tensor:
    mode = {"linear": "bilinear", "cubic": "bicubic"}.get(how.get("mode", "linear"), how.get("mode", "linear"))
    return F.grid_sample(x, grid, mode, how.get("padding_mode", "zeros"), bool(how.get("align_corners", 0)))


@operator("AffineGrid", told=(1,))
def _affine_grid(how: Said, theta: Tensor, sizes: Any) -> Tensor:
    return F.affine_grid(theta, room(sizes), bool(how.get("align_corners", 0)))


@operator("NonMaxSuppression", told=(2, 3, 4))
def _suppressed(how: Said, boxes: Tensor, scores: Tensor, most: Any = None, overlap: Any = None,
                least: Any = None) -> Tensor:
    """Boxes by their score, those left out that lie on a better one. Looks at numbers, so that no gradient flows."""
    (most,), (overlap,), (least,) = (listed(0 if each is None else each) for each in (most, overlap, least))
    found: list[list[int]] = []
    with torch.no_grad():
        corners = boxes
        if how.get("center_point_box", 0):
            middle, half = boxes[..., :2], boxes[..., 2:] / 2
            corners = torch.cat([middle - half, middle + half], -1)
        low, high = torch.minimum(corners[..., :2], corners[..., 2:]), torch.maximum(corners[..., :2], corners[..., 2:])
        area = (high - low).prod(-1)
        for sample in range(scores.shape[0]):
            for label in range(scores.shape[1]):
                score = scores[sample, label]
                left = [place for place in torch.argsort(score, descending=True, stable=True).tolist()
                        if least == 0 or score[place] > least]
                kept: list[int] = []
                while left and len(kept) < most:
                    best = left.pop(0)
                    kept.append(best)
                    if not left:
                        break
                    rest = torch.tensor(left)
                    common = (torch.minimum(high[sample, rest], high[sample, best])
                              - torch.maximum(low[sample, rest], low[sample, best])).clamp(min=0).prod(-1)
                    over = common / (area[sample, rest] + area[sample, best] - common)
                    left = [place for place, one in zip(left, over.tolist(), strict=True) if one <= overlap]
                found += [[sample, label, place] for place in kept]
    return torch.tensor(found, dtype=torch.int64).reshape(-1, 3)


@operator("RoiAlign")
def _aligned(how: Said, x: Tensor, regions: Tensor, samples: Tensor) -> Tensor:
    """Bilinear samples on a grid inside each region, their mean or their largest."""
    height, width = how.get("output_height", 1), how.get("output_width", 1)
    scale, ratio = how.get("spatial_scale", 1.0), how.get("sampling_ratio", 0)
    half = 0.5 if how.get("coordinate_transformation_mode",
                          "half_pixel" if how.version >= 16 else "output_half_pixel") == "half_pixel" else 0.0
    made = []
    for region, sample in zip(regions, samples, strict=True):
        left, top, right, bottom = (float(each) * scale - half for each in region)
        wide, high = right - left, bottom - top
        if not half:
            wide, high = max(wide, 1.0), max(high, 1.0)
        rows, columns = (ratio or math.ceil(high / height)), (ratio or math.ceil(wide / width))
        room([x.shape[1], height * rows, width * columns])
        down = top + (torch.arange(height * rows) + 0.5) * (high / height / rows)
        along = left + (torch.arange(width * columns) + 0.5) * (wide / width / columns)
        grid, parts = x[int(sample)], []
        for axis, places in ((1, down), (2, along)):
            size = grid.shape[axis]
            inside = ((places >= -1) & (places <= size)).to(x.dtype)
            at = places.clamp(0, size - 1)
            low = at.floor().long()
            parts.append(((low, (1 - at + low) * inside), ((low + 1).clamp(max=size - 1), (at - low) * inside)))
        corners = torch.stack([grid.index_select(1, row).index_select(2, column) * one[:, None] * other[None, :]
                               for row, one in parts[0] for column, other in parts[1]])
        corners = corners.reshape(4, x.shape[1], height, rows, width, columns)
        made.append(corners.sum(0).mean((2, 4)) if how.get("mode", "avg") == "avg" else corners.amax((0, 3, 5)))
    return torch.stack(made)

