"""proposing: what could be wired so, from the names and shapes of weights alone.

A list of lines of `wiring`, in the order of the file, or in the one in which each layer can read what the one before
it makes. What has no weights is guessed: ReLU between layers, pooling so that the numbers fit. Residual networks are
wired as their names say (He and others 2015, in the names of torchvision). Nobody knows whether it was so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from weakref import WeakKeyDictionary

from torch import Tensor

from visualizer.record.wiring import CUBES, GATES, LENGTHS, SIDES, Group, Odd, Takes, Wired, groups, parse, takes

MOST_GROUPS, MOST_CHAINED, MOST_BEGUN = 600, 120, 16
"""Of more layers nobody proposes a wiring, or another order than that of the file; so many beginnings are tried."""
EMBEDS = re.compile(r"emb|wte|wpe|lookup|vocab|token", re.I)
NORMS = re.compile(r"norm|rms|ln[0-9_.]|ln$", re.I)
KEPT = "(kept)"
"""Stands among the names of convolutions where what is halved is kept beside."""
BESIDE = ("BatchNorm", "Norm", "RMSNorm", "PReLU")
"""What changes no width: norms, and an activation that learns."""
RECTIFIES = re.compile(r"prelu|act|relu", re.I)
SPREADS = re.compile(r"trans|deconv|upconv|up[0-9_.]|unpool|dec", re.I)


@dataclass(frozen=True, eq=False)
class Proposal:
    """A wiring that runs, and what of the file it leaves out."""

    model: Wired
    takes: Takes

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(map(str, self.model.lines))


def propose(weights: Mapping[str, Tensor]) -> Proposal | None:
    """A wiring that runs with these weights; None where none was found that holds two thirds of their numbers and half
    of their layers."""
    found = groups(weights)
    if not found or len(found) > MOST_GROUPS:
        return None
    least = sum(group.numbers for group in found) * 2 / 3
    many = sum(max((each.ndim for each in group.tensors.values()), default=0) > 1 for group in found) / 2
    for lines in _lists(found):
        try:
            model = Wired(parse(lines), weights).eval()
            used = [group for group in found if group.name in model.paths]
            if sum(group.numbers for group in used) >= least and len(used) >= many:
                return Proposal(model, takes(model))
        except Odd:
            continue
    return None


def _lists(found: Sequence[Group]) -> Iterator[list[str]]:
    residual = _residual(found)
    if residual is not None:
        yield residual
    seen: list[list[str]] = []
    for order in (list(found), _natural(found), _by_words(found), _chained(found), _chained(_natural(found))):
        names = [group.name for group in order]
        lines = [] if names in seen else _sequence(order)
        seen.append(names)
        if lines:
            yield lines


def _natural(found: Sequence[Group]) -> list[Group]:
    return sorted(found, key=lambda group: _parts(group.name))


WORDS = ("stem|inc|first|input", "enc|down|contract", "mid|bottle|bridge|center", "dec|up|expan",
         "out|head|last|final|fc")
"""What the parts of a network are called that lie behind one another, the first ones first."""


def _by_words(found: Sequence[Group]) -> list[Group]:
    def rank(group: Group) -> int:
        return next((place for place, words in enumerate(WORDS) if re.match(f".*?({words})", group.name, re.I)), 2)

    return sorted(_natural(found), key=rank)


def _parts(name: str) -> list[tuple[int, str]]:
    """For sorting: 2 before 10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", name)]


# --- one layer ------------------------------------------------------------------------------------------------------

_KINDS: WeakKeyDictionary[Group, str] = WeakKeyDictionary()
"""What was found out; it goes with the weights."""


def kind(group: Group) -> str:
    """What torch would call a layer of these tensors; empty where they are none."""
    if group not in _KINDS:
        _KINDS[group] = _kind(group)
    return _KINDS[group]


def _kind(group: Group) -> str:
    if "weight_ih_l0" in group.tensors:
        return _recurrent(group)[0]
    shape = group.shape()
    if any(not tensor.is_floating_point() for tensor in group.tensors.values()) or 0 in shape \
            or not set(group.tensors) <= {"weight", "bias", "running_mean", "running_var"}:
        return ""
    if "running_mean" in group.tensors:
        return "BatchNorm"
    if len(shape) == 2:
        return "Embedding" if EMBEDS.search(group.name) and "bias" not in group.tensors else "Linear"
    if len(shape) in (3, 4, 5):
        return "Conv"
    if len(shape) == 1 and "bias" in group.tensors:
        return "Norm"
    if len(shape) != 1 or not re.search(f"{RECTIFIES.pattern}|{NORMS.pattern}|(^|[.])[0-9]+$", group.name, re.I):
        return ""
    return "RMSNorm" if NORMS.search(group.name) else "PReLU"


def _recurrent(group: Group) -> tuple[str, int, int, int, bool]:
    """Kind, what it reads, its units, how many lie on one another, and whether it reads both ways; an empty kind where
    the shapes are those of none."""
    into, again = group.shape("weight_ih_l0"), group.shape("weight_hh_l0")
    projected = group.shape("weight_hr_l0")
    units = projected[1] if len(projected) == 2 else again[1] if len(again) == 2 else 0
    if len(into) != 2 or not units or again[0] % units or into[0] != again[0]:
        return "", 0, 0, 0, False
    found = next((name for name, gates in GATES.items() if gates == again[0] // units), "")
    levels = 1 + max(int(match[1]) for name in group.tensors if (match := re.search(r"_l([0-9]+)", name)))
    return found, into[1], units, levels, any(name.endswith("_reverse") for name in group.tensors)


# --- one after the other --------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Flow:
    """What one layer hands to the next."""

    what: str = "start"
    """`start`, `ids`, `steps`, `vector`, or `maps1`, `maps2`, `maps3` with so many axes."""
    width: int = 0

    @property
    def maps(self) -> int:
        return int(self.what[4:]) if self.what.startswith("maps") else 0


@dataclass
class Draft:
    """A list of lines on its way."""

    pools: Mapping[str, bool]
    """Of the convolutions, behind which the maps are halved."""
    same: bool
    """Whether kernels of odd size keep the size of the maps."""
    lines: list[str] = field(default_factory=list)
    flow: Flow = Flow()
    before: tuple[Flow, int] | None = None
    """The flow that the last layer with weights read, and the place of its line: where heads part."""
    bends: bool = False
    """Whether an activation stands still out."""
    halves: str = ""
    """The convolution whose maps are to be halved before the next layer."""
    heads: bool = False
    last: str = ""
    """Whose weights the last layer has."""
    kept: list[int] = field(default_factory=list)
    """How wide the maps are that were kept beside, to stand by those that come back to their size."""


def _sequence(found: Sequence[Group]) -> list[str]:
    """Lines that put each layer behind the one before; none where their widths do not fit."""
    able = [group for group in found if kind(group)]
    convolutions = [group for group in able if kind(group) == "Conv"]
    flat = _flattened(able)
    for same, pools in _poolings(able, convolutions, flat):
        made = Draft(pools, same)
        if all(_put(made, group, able, place) for place, group in enumerate(able)):
            if made.heads:
                made.lines.append("Out()")
            return made.lines if made.flow.what != "start" else []
        return []
    return []


def _put(made: Draft, group: Group, able: Sequence[Group], place: int) -> bool:
    """Add the lines of one layer; False where it cannot read what is there."""
    what = kind(group)
    if what in BESIDE:
        return _put_beside(made, group, what, able, place)
    if made.kept and what == "Conv" and made.flow.maps and group.shape()[1] == made.flow.width + made.kept[-1]:
        made.flow = replace(made.flow, width=made.flow.width + made.kept.pop())
        made.lines.append("Concat(1)")
        made.bends = False
    if _width(made.flow, group) is None:
        if made.before is None or _width(made.before[0], group) is None or what not in ("Linear", "Conv"):
            return False
        flow, at = made.before  # one more head on what the last one read
        if not made.heads:
            made.lines.insert(at, "Keep()")
        made.heads, made.flow, made.bends, made.halves = True, flow, False, ""
        made.lines.append("Out()")
    if made.bends and not _follows(made.last, group.name):
        made.lines.append("ReLU()")
    if made.halves and made.flow.maps:
        if made.pools.get(KEPT):
            made.lines.append("Keep()")
            made.kept.append(made.flow.width)
        made.lines.append(f"MaxPool{made.flow.maps}d({'(2, 1)' if made.flow.maps == 2 and _tall(able) else 2})")
    made.bends, made.halves = False, ""
    made.last = group.name
    {"Linear": _linear, "Conv": _convolution, "Embedding": _embedding}.get(what, _cells)(made, group, able, place)
    return True


def _put_beside(made: Draft, group: Group, what: str, able: Sequence[Group], place: int) -> bool:
    """A norm, or an activation that learns."""
    width = group.shape()[0] if group.shape() else group.shape("running_mean")[0]
    flow = made.flow
    if flow.what == "start" and what == "BatchNorm" and place + 1 < len(able):
        axes = len(able[place + 1].shape()) - 2
        flow = Flow(f"maps{axes}" if axes > 0 else "vector", width)
    if (width != flow.width and not (what == "PReLU" and width == 1)) or flow.what in ("start", "ids"):
        return False
    if what == "RMSNorm" and flow.maps:
        return False
    if what == "PReLU":
        made.lines.append(f"{group.name}: PReLU({width})")
        made.bends = False
    elif what == "BatchNorm":
        affine = "" if "weight" in group.tensors else ", affine=False"
        made.lines += _across(flow, f"{group.name}: BatchNorm{flow.maps or 1}d({width}{affine})")
    elif flow.maps:
        made.lines.append(f"{group.name}: GroupNorm({32 if width % 32 == 0 and width > 32 else 1}, {width})")
    else:
        made.lines.append(f"{group.name}: {'RMSNorm' if what == 'RMSNorm' else 'LayerNorm'}({width})")
    made.flow, made.last = flow, group.name
    return True


def _follows(last: str, name: str) -> bool:
    """Whether two layers stand side by side in an nn.Sequential, which numbers what has no weights, too."""
    one, two = re.fullmatch(r"(.*?)([0-9]+)", last), re.fullmatch(r"(.*?)([0-9]+)", name)
    return one is not None and two is not None and one[1] == two[1] and one[1][-1:] in ("", ".") and \
        int(two[2]) == int(one[2]) + 1


def _across(flow: Flow, line: str) -> list[str]:
    return ["Transpose(1, 2)", line, "Transpose(1, 2)"] if flow.what == "steps" else [line]


def _width(flow: Flow, group: Group) -> int | None:
    """What a layer would read of this flow: 1 where it is as wide, more where numbers are put side by side, in how many
    groups a convolution parts its channels; None where it cannot."""
    what, shape = kind(group), group.shape()
    if what == "Embedding":
        return 1 if flow.what == "start" else None
    if what in GATES:
        reads = _recurrent(group)[1]
        if flow.what == "start" or (flow.what in ("steps", "maps1") and flow.width == reads):
            return 1
        return reads // flow.width if flow.what == "maps2" and reads % flow.width == 0 else None
    if what == "Linear":
        if flow.what == "start" or (flow.what != "ids" and flow.width == shape[1]):
            return 1
        return shape[1] // flow.width if flow.maps and shape[1] % flow.width == 0 else None
    if what != "Conv":
        return None
    axes = len(shape) - 2
    if flow.what == "start" or (flow.width == shape[1] and (flow.maps == axes or (axes == 1 and flow.what == "steps"))):
        return 1
    if _spreads(flow, group):
        return 1
    if flow.maps == axes and flow.width % shape[1] == 0 and shape[0] % (flow.width // shape[1]) == 0 \
            and (shape[1] == 1 or flow.width // shape[1] in (2, 4, 8, 16, 32, 64)):
        return flow.width // shape[1]
    unfolded = flow.what == "vector" and any(flow.width == wide * _square(flow.width // wide) ** 2
                                             for wide in shape[:2] if axes == 2 and flow.width % wide == 0)
    return 1 if unfolded else None


def _spreads(flow: Flow, group: Group) -> bool:
    """Whether it must be a transposed convolution, or may be one and is called so."""
    shape = group.shape()
    wide = flow.width == shape[0] and flow.maps == len(shape) - 2
    return wide and (bool(SPREADS.search(group.name)) or (flow.width != shape[1] and shape[-1] > 1)) and \
        ("bias" not in group.tensors or group.shape("bias") == (shape[1],))


def _square(number: int) -> int:
    side = int(number ** 0.5)
    return side if side * side == number else 0


def _cube(number: int) -> int:
    side = round(number ** (1 / 3))
    return side if side ** 3 == number else 0


def _linear(made: Draft, group: Group, able: Sequence[Group], place: int) -> None:
    wide, reads = group.shape()
    flow = made.flow
    if flow.what == "start":
        side = _square(reads) or _square(reads // 3 if reads % 3 == 0 else 0)
        if side in SIDES and side >= 28:
            made.lines.append("Flatten()")
    elif flow.maps:
        inside = reads // flow.width
        if made.pools.get("", False) or inside == 1:  # nothing that was tried ends in maps of this size
            side = _square(inside) if flow.maps < 3 else _cube(inside)
            flat = (inside, *(1,) * (flow.maps - 1))
            shaped = inside if flow.maps == 1 else side if side and not _tall(able) else flat
            made.lines.append(f"AdaptiveAvgPool{flow.maps}d({shaped})")
        made.lines.append("Flatten()")
    elif flow.what == "steps":
        first = next((each for each in able if kind(each) == "Embedding"), None)
        if kind(able[place - 1]) == "Embedding":
            made.lines.append("Mean(1)")
        elif first is None or first.shape()[0] != wide:
            made.lines.append("Last()")
    told = "" if "bias" in group.tensors else ", bias=False"
    made.before = (replace(flow, what="vector", width=reads), len(made.lines))
    made.lines.append(f"{group.name}: Linear({reads}, {wide}{told})")
    stays = flow.what == "steps" and "Last()" not in made.lines[-2:] and "Mean(1)" not in made.lines[-2:]
    made.flow, made.bends = Flow("steps" if stays else "vector", wide), True
    if stays:
        made.before = (Flow("steps", reads), len(made.lines) - 1)


def _convolution(made: Draft, group: Group, able: Sequence[Group], place: int) -> None:
    shape, flow = group.shape(), made.flow
    axes = len(shape) - 2
    told = "" if "bias" in group.tensors else ", bias=False"
    if flow.what == "steps":
        made.lines.append("Transpose(1, 2)")
    if flow.what == "vector":
        wide = next(wide for wide in (*shape[:2],) if flow.width % wide == 0 and _square(flow.width // wide))
        side = _square(flow.width // wide)
        made.lines.append(f"Unflatten(1, ({wide}, {side}, {side}))")
        flow = Flow("maps2", wide)
    kernel = shape[2:]
    made.before = (Flow(f"maps{axes}", flow.width or shape[1]), len(made.lines))
    if _spreads(flow, group):
        size = kernel[0]
        how = {4: "stride=2, padding=1", 3: "stride=2, padding=1, output_padding=1"}.get(size, f"stride={max(1, size)}")
        made.lines.append(f"{group.name}: ConvTranspose{axes}d({shape[0]}, {shape[1]}, {_said(kernel)}, {how}{told})")
        made.flow, made.bends = Flow(f"maps{axes}", shape[1]), True
        return
    parts = 1 if flow.what in ("start", "steps") else flow.width // shape[1]
    reads = shape[1] * max(1, parts)
    stride, padding = _steps(group, made.same, place == 0)
    more = "".join(f", {name}={_said(value)}" for name, value, usual in (
        ("stride", stride, 1), ("padding", padding, 0)) if any(each != usual for each in value))
    more += f", groups={parts}" if parts > 1 else ""
    made.lines.append(f"{group.name}: Conv{axes}d({reads}, {shape[0]}, kernel_size={_said(kernel)}{more}{told})")
    made.flow, made.bends = Flow(f"maps{axes}", shape[0]), True
    made.halves = group.name if made.pools.get(group.name) else ""


def _steps(group: Group, same: bool, first: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Stride and padding: large first kernels of pictures go in large steps, as those of AlexNet and ResNet do."""
    kernel = group.shape()[2:]
    large = {7: 2, 11: 4}.get(kernel[0], 1) if first and len(kernel) == 2 and len(set(kernel)) == 1 else 1
    if first and (len(kernel) == 1 or kernel[1:] == (1,)):
        large = 4 if kernel[0] >= 256 else 2 if kernel[0] >= 32 else 1  # of sounds
        return (large, *(1,) * (len(kernel) - 1)), tuple(size // 2 if same and size > 1 else 0 for size in kernel)
    padding = tuple(size // 2 if same and (size % 2 or size > 8) else 0 for size in kernel)
    if large == 4:
        padding = (2, 2)
    return (large,) * len(kernel), padding


def _said(sizes: Sequence[int]) -> str:
    return str(sizes[0]) if len(set(sizes)) == 1 else str(tuple(sizes))


def _embedding(made: Draft, group: Group, able: Sequence[Group], place: int) -> None:
    count, wide = group.shape()
    made.lines.append(f"{group.name}: Embedding({count}, {wide})")
    made.flow = Flow("steps", wide)


def _cells(made: Draft, group: Group, able: Sequence[Group], place: int) -> None:
    """LSTM, GRU or RNN."""
    what, reads, units, levels, both = _recurrent(group)
    if made.flow.what == "maps2":
        made.lines += [f"AdaptiveAvgPool2d(({reads // made.flow.width}, None))", "Columns()"]
    elif made.flow.what == "maps1":
        made.lines.append("Transpose(1, 2)")
    more = f", num_layers={levels}" if levels > 1 else ""
    more += ", bidirectional=True" if both else ""
    more += "" if "bias_ih_l0" in group.tensors else ", bias=False"
    projected = group.shape("weight_hr_l0")
    more += f", proj_size={projected[0]}" if projected else ""
    made.lines.append(f"{group.name}: {what}({reads}, {units}{more}, batch_first=True)")
    made.flow = Flow("steps", (projected[0] if projected else units) * (2 if both else 1))


# --- where maps are halved ------------------------------------------------------------------------------------------

def _tall(able: Sequence[Group]) -> bool:
    """Whether all kernels are columns: one axis, written as two."""
    shapes = [group.shape() for group in able if len(group.shape()) == 4]
    return bool(shapes) and all(shape[3] == 1 < shape[2] for shape in shapes)


def _flattened(able: Sequence[Group]) -> tuple[Group, Group] | None:
    """The last convolution and the dense layer behind it, where one reads the maps of the other."""
    weighed = [group for group in able if kind(group) in ("Conv", "Linear", *GATES)]
    return next(((one, other) for one, other in pairwise(weighed)
                 if kind(one) == "Conv" and kind(other) == "Linear"), None)


def _poolings(able: Sequence[Group], convolutions: Sequence[Group],
              flat: tuple[Group, Group] | None) -> Iterator[tuple[bool, Mapping[str, bool]]]:
    """Whether maps keep their size, and which are halved, so that a picture of a usual size ends in as many numbers as
    the dense layer reads; under the empty name, whether its size has to be forced."""
    names = [group.name for group in convolutions]
    told = _gaps(able)
    if flat is None or flat[1].shape()[1] % flat[0].shape()[0]:
        yield True, _there_and_back(convolutions) or told or dict.fromkeys(names, False)
        return
    inside = flat[1].shape()[1] // flat[0].shape()[0]
    axes = len(flat[0].shape()) - 2
    side = _square(inside) if axes < 3 else _cube(inside)
    ways = [told] if told else [_way(convolutions, way) for way in ("each", "last", "grows", "not last", "none")]
    if axes > 1 and side > 1 and not _tall(able):
        grey = convolutions[0].shape()[1] == 1
        sides = CUBES if axes == 3 else SIDES if grey else (*SIDES[1:4], SIDES[0], *SIDES[4:])
        for begins in sides:
            for pools in ways:
                for same in (True, False):
                    if _ends(convolutions, pools, same, begins) == side:
                        yield same, pools
                        return
    if axes == 1 or (axes == 2 and _tall(able)):
        for begins in (1024, *LENGTHS):
            for pools in ways:
                if inside > 1 and _ends(convolutions, pools, True, begins) == inside:
                    yield True, pools
                    return
    lasts = _ends(convolutions, ways[0], True, 224) > 0
    pools = ways[0] if axes < 3 and lasts and not _tall(able) and (inside > 1 or told) else _way(convolutions, "none")
    yield True, {**pools, "": True}


def _there_and_back(convolutions: Sequence[Group]) -> dict[str, bool]:
    """Where the maps are halved of a network that doubles them as often later (U-Net, Ronneberger and others 2015):
    where their number grows, the last times before the first doubling; nothing where it is none."""
    doubling = [place for place, (one, two) in enumerate(pairwise(convolutions), 1)
                if two.shape()[0] == one.shape()[0] and two.shape()[1] < two.shape()[0] and two.shape()[-1] in (2, 4)]
    if not doubling:
        return {}
    there = convolutions[:doubling[0]]
    grows = [one.name for one, two in pairwise(there) if two.shape()[0] > one.shape()[0]][-len(doubling):]
    return {group.name: group.name in grows for group in convolutions} | {KEPT: True} if len(grows) == len(doubling) \
        else {}


def _way(convolutions: Sequence[Group], way: str) -> dict[str, bool]:
    last = convolutions[-1]
    found = {}
    for place, group in enumerate(convolutions):
        behind = convolutions[place + 1] if group is not last else None
        found[group.name] = {"each": True, "last": group is last, "not last": group is not last, "none": False,
                             "grows": behind is None or behind.shape()[0] > group.shape()[0]}[way]
    return found


def _ends(convolutions: Sequence[Group], pools: Mapping[str, bool], same: bool, side: int) -> int:
    """How large maps are in the end that set out from a picture of this side."""
    for place, group in enumerate(convolutions):
        size = group.shape()[2]
        stride, padding = _steps(group, same, place == 0)
        side = (side + 2 * padding[0] - size) // stride[0] + 1
        side = side // 2 if pools.get(group.name) else side
        if side < 1:
            return 0
    return side


def _gaps(able: Sequence[Group]) -> dict[str, bool]:
    """Of convolutions that are numbered as in nn.Sequential, behind which more than a ReLU was left out; nothing where
    they are not numbered so."""
    found: dict[str, bool] = {}
    for place, group in enumerate(able):
        if kind(group) != "Conv":
            continue
        own = re.fullmatch(r"(.*?\.?)([0-9]+)", group.name)
        behind = next((each for each in able[place + 1:] if kind(each) not in BESIDE), None)
        norms = sum(kind(each) in BESIDE for each in able[place + 1:]
                    [:able.index(behind) - place - 1 if behind else None])
        if own is None or (own[1] and not own[1].endswith(".")):
            return {}
        other = re.fullmatch(r"(.*?\.?)([0-9]+)", behind.name) if behind is not None else None
        if other is None or other[1] != own[1]:
            found[group.name] = True  # the last of its kind: VGG and AlexNet halve there, too
            continue
        hidden = int(other[2]) - int(own[2]) - 1 - norms
        found[group.name] = hidden >= (3 if behind is not None and kind(behind) == "Linear" else 2)
    consecutive = all(int(two.rpartition(".")[2]) - int(one.rpartition(".")[2]) == 1 for one, two in pairwise(found))
    return {} if len(found) > 1 and consecutive else found


# --- which one reads which ------------------------------------------------------------------------------------------

def _chained(found: Sequence[Group]) -> list[Group]:
    """The longest row of layers of which each can read what the one before makes, by numbers; a norm stands behind the
    layer that bears its number."""
    able = [group for group in found if kind(group)]
    if len(able) > MOST_CHAINED:
        return []
    best: list[Group] = []
    for begins in _beginnings(able):
        row = [begins]
        made = Draft({}, True)
        _put(made, begins, row, 0)
        left = [group for group in able if group is not begins]
        while left:
            ready = [group for group in left if _fits_behind(made.flow, group)]
            if not ready:
                break
            chosen = min(ready, key=lambda group: (_rank(row[-1], group), found.index(group)))
            if not _put(made, chosen, [*row, chosen], len(row)):
                break
            row.append(chosen)
            left.remove(chosen)
        if len(row) > len(best):
            best = row
    return best


def _beginnings(able: Sequence[Group]) -> list[Group]:
    """Where a row may begin: with what reads as much as nothing answers, and with the first ones by name."""
    weighed = [group for group in able if kind(group) not in BESIDE]
    made = {group.shape()[0] for group in weighed if group.shape()}
    first = [group for group in weighed if kind(group) == "Embedding" or (
        group.shape() and group.shape()[1] not in made)]
    return list(dict.fromkeys([*first[:MOST_BEGUN // 2], *weighed[:MOST_BEGUN // 2]]))


def _fits_behind(flow: Flow, group: Group) -> bool:
    if kind(group) in BESIDE:
        width = group.shape()[0] if group.shape() else group.shape("running_mean")[0]
        return width == flow.width
    wide = _width(flow, group)
    return wide == 1 or (wide is not None and kind(group) != "Conv")


def _rank(last: Group, group: Group) -> int:
    """How well a layer stands behind another: a norm of the same number first, then what is no dense layer."""
    beside = kind(group) in BESIDE
    alike = re.findall(r"[0-9]+", last.name) == re.findall(r"[0-9]+", group.name)
    if beside:
        return 0 if alike else 3
    return 2 if kind(group) == "Linear" else 1


# --- residual networks ----------------------------------------------------------------------------------------------

BLOCK = re.compile(r"(?P<block>.*layer(?P<level>[0-9]+)\.(?P<number>[0-9]+))\.(?P<own>conv|bn|downsample\.|shortcut\.)"
                   r"(?P<place>[0-9])")


def _residual(found: Sequence[Group]) -> list[str] | None:
    """Lines of a network whose names are those of torchvision's ResNet: conv1, bn1, layerN.M.convK, downsample, fc."""
    blocks: dict[tuple[int, int], dict[str, Group]] = {}
    others: dict[str, Group] = {}
    for group in found:
        told = BLOCK.fullmatch(group.name)
        if told is None:
            others[group.name.rpartition(".")[2]] = group
            continue
        own = told["own"].rstrip(".").replace("shortcut", "downsample")
        blocks.setdefault((int(told["level"]), int(told["number"])), {})[f"{own}{told['place']}"] = group
    stem, norm = others.get("conv1"), others.get("bn1")
    if not blocks or stem is None or kind(stem) != "Conv" or any("conv1" not in each for each in blocks.values()):
        return None
    large = stem.shape()[2] >= 7
    lines = [_convolve(stem, stem.shape()[1], 2 if large else 1), *_norm(norm), "ReLU()",
             *(["MaxPool2d(3, stride=2, padding=1)"] if large else [])]
    width = stem.shape()[0]
    for (level, number), block in sorted(blocks.items()):
        made = _block(block, width, 2 if level > min(blocks)[0] and number == 0 else 1)
        if made is None:
            return None
        lines += made[0]
        width = made[1]
    dense = next((others[name] for name in ("fc", "linear", "classifier", "head") if name in others
                  and kind(others[name]) == "Linear" and others[name].shape()[1] == width), None)
    lines += ["AdaptiveAvgPool2d(1)", "Flatten()"]
    if dense is not None:
        told = "" if "bias" in dense.tensors else ", bias=False"
        lines.append(f"{dense.name}: Linear({width}, {dense.shape()[0]}{told})")
    return lines


def _block(block: Mapping[str, Group], width: int, stride: int) -> tuple[list[str], int] | None:
    """The lines of one block and how wide it answers; None where its shapes do not fit."""
    count = sum(name.startswith("conv") for name in block)
    at = 2 if count == 3 else 1
    around = block.get("downsample0")
    if around is None and stride > 1:
        return None  # how its channels are filled up stands in no weight
    lines, reads = ["Keep()"], width
    for place in range(1, count + 1):
        group = block.get(f"conv{place}")
        if group is None or kind(group) != "Conv" or reads % group.shape()[1]:
            return None
        lines += [_convolve(group, reads, stride if place == at else 1), *_norm(block.get(f"bn{place}"))]
        lines += ["ReLU()"] if place < count else []
        reads = group.shape()[0]
    if around is not None:
        lines += ["Swap()", _convolve(around, width, stride), *_norm(block.get("downsample1"))]
    return [*lines, "Add()", "ReLU()"], reads


def _convolve(group: Group, reads: int, stride: int) -> str:
    wide, each, *kernel = group.shape()
    more = f", stride={stride}" if stride > 1 else ""
    more += f", padding={kernel[0] // 2}" if kernel[0] > 1 else ""
    more += f", groups={reads // each}" if reads > each else ""
    more += "" if "bias" in group.tensors else ", bias=False"
    return f"{group.name}: Conv2d({reads}, {wide}, kernel_size={kernel[0]}{more})"


def _norm(group: Group | None) -> list[str]:
    return [] if group is None else [f"{group.name}: BatchNorm2d({group.shape('running_mean')[0]})"]
