"""wiring: a list of lines, each a layer in torch's own words, becomes a network with the weights of a file in it.

    conv1: Conv2d(1, 6, kernel_size=5, padding=2)
    ReLU()
    Flatten()
    Linear(4704, 10)

Before the colon stands whose weights they are; without it a line takes the next ones that fit. One layer feeds the
next. Where a path goes around others, `Keep()` remembers what is there, `Swap()` goes on from what was remembered, and
`Add()`, `Multiply()` or `Concat(1)` joins the two; `Out()` makes it one of several answers and goes back to what was
remembered. Lines come from files that anybody may have written: they are read as literals, and nothing is evaluated.
"""

from __future__ import annotations

import ast
import inspect
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from math import prod
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from visualizer.language import numeral, tr
from visualizer.record import shaping

MOST_LINES, MOST_LETTERS, MOST_WHOLE, MOST_LISTED = 2_000, 400, 1 << 24, 6
"""Of a list, of a line, of a number in it, and of numbers in one pair of brackets."""
LAYERS = frozenset(
    [f"{kind}{axes}d" for kind in ("Conv", "ConvTranspose", "BatchNorm", "InstanceNorm", "MaxPool", "AvgPool",
                                   "AdaptiveAvgPool", "AdaptiveMaxPool", "ZeroPad", "ConstantPad", "CircularPad",
                                   "ReflectionPad", "ReplicationPad") for axes in (1, 2, 3)]
    + ["Linear", "Embedding", "LSTM", "GRU", "RNN", "GroupNorm", "LayerNorm", "RMSNorm", "LocalResponseNorm", "PReLU",
       "ReLU", "ReLU6", "LeakyReLU", "ELU", "SELU", "CELU", "GELU", "SiLU", "Mish", "Sigmoid", "Tanh", "Tanhshrink",
       "Softplus", "Softsign", "Softmax", "LogSoftmax", "LogSigmoid", "Hardtanh", "Hardswish", "Hardsigmoid", "GLU",
       "Flatten", "Unflatten", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "Identity", "Upsample", "PixelShuffle",
       "PixelUnshuffle", "ChannelShuffle"])
"""Of torch.nn: what a line may name, beside the functions below."""
RECURRENT = ("LSTM", "GRU", "RNN")
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
CELL = re.compile(r"(weight|bias)_(ih|hh|hr)_l[0-9]+(_reverse)?")
USUAL = ("weight", "bias", "running_mean", "running_var")


class Odd(ValueError):
    """A line that cannot be what was meant; its text is a sentence without its end."""


# --- what torch has as functions ------------------------------------------------------------------------------

def _dim(line: Line) -> int:
    """The axis that a line says, the one of channels where it says none."""
    number = next(iter((*line.given, *(value for _, value in line.named))), 1)
    return number if type(number) is int else 1


FUNCTIONS: Mapping[str, Any] = {
    "Transpose": lambda x, first=1, second=2: x.transpose(first, second),
    "Squeeze": lambda x, dim=1: x.squeeze(dim),
    "Unsqueeze": lambda x, dim=1: x.unsqueeze(dim),
    "Last": lambda x, dim=1: x.select(dim, -1),
    "Mean": lambda x, dim=1: x.mean(dim),
    "Sum": lambda x, dim=1: x.sum(dim),
    "Max": lambda x, dim=1: x.amax(dim),
    "Columns": lambda x: x.flatten(1, 2).transpose(1, 2),
    "Normalize": lambda x, dim=1: nn.functional.normalize(x, dim=dim),
}
"""What has no weights and is no module of torch: `Last()` is the last step of a sequence, `Columns()` makes each
column of maps a step."""
PATHS = ("Keep", "Swap", "Add", "Multiply", "Concat", "Out")
"""What belongs to paths that go around others."""


@dataclass(frozen=True)
class Line:
    """One line, read."""

    what: str
    given: tuple[Any, ...] = ()
    named: tuple[tuple[str, Any], ...] = ()
    name: str = ""
    """Whose weights they are; empty where that is not said."""

    def __str__(self) -> str:
        inside = ", ".join([*map(repr, self.given), *(f"{name}={value!r}" for name, value in self.named)])
        return f"{self.name + ': ' if self.name else ''}{self.what}({inside})"


# --- reading lines --------------------------------------------------------------------------------------------------

def parse(lines: Sequence[str]) -> tuple[Line, ...]:
    """The lines, read; raises Odd with the number of the one that is wrong. Empty ones are left out."""
    if len(lines) > MOST_LINES:
        raise Odd(tr("there are {count} lines, and {most} are read"
                     ).format(count=numeral(f"{len(lines):,}"), most=numeral(f"{MOST_LINES:,}")))
    found = []
    for number, line in enumerate(lines, 1):
        if not isinstance(line, str):
            raise Odd(tr("line {number} is no text").format(number=number))
        if line.strip():
            try:
                found.append(_line(line.strip()))
            except Odd as error:
                raise Odd(tr("line {number}, {line!r}: {why}"
                             ).format(number=number, line=line.strip()[:60], why=error)) from None
    if not any(each.what in LAYERS for each in found):
        raise Odd(tr("there is no layer in it"))
    return tuple(found)


def _line(text: str) -> Line:
    if len(text) > MOST_LETTERS:
        raise Odd(tr("it is longer than {most} letters").format(most=MOST_LETTERS))
    name, _, call = text.rpartition(": ") if ": " in text.partition("(")[0] else ("", "", text)
    try:
        tree = ast.parse(call.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Odd(tr("it is not written like Conv2d(3, 16, kernel_size=3)")) from None
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        raise Odd(tr("it is not written like Conv2d(3, 16, kernel_size=3)"))
    what = tree.func.id
    if what not in LAYERS and what not in FUNCTIONS and what not in PATHS:
        raise Odd(tr("there is no layer {what}").format(what=what[:40]))
    if any(word.arg is None for word in tree.keywords):
        raise Odd(tr("it is not written like Conv2d(3, 16, kernel_size=3)"))
    made = Line(what, tuple(_literal(each) for each in tree.args),
                tuple((str(word.arg), _literal(word.value)) for word in tree.keywords), name.strip())
    _arguments(made)
    return made


def _literal(tree: ast.expr) -> Any:
    """A number, a word, True, False, None, or a few whole numbers in brackets."""
    if isinstance(tree, ast.Tuple | ast.List):
        if len(tree.elts) > MOST_LISTED:
            raise Odd(tr("more than {most} numbers stand in one pair of brackets").format(most=MOST_LISTED))
        found = tuple(_literal(each) for each in tree.elts)
        if not all(type(each) is int or each is None for each in found):
            raise Odd(tr("only whole numbers stand in brackets"))
        return found
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub) and isinstance(tree.operand, ast.Constant) \
            and type(tree.operand.value) in (int, float):
        return -_literal(tree.operand)
    value = tree.value if isinstance(tree, ast.Constant) else ...
    if value is None or type(value) is bool or (type(value) in (int, float) and abs(value) <= MOST_WHOLE) \
            or (type(value) is str and len(value) <= 20):
        return value
    raise Odd(tr("only numbers and words are read between the brackets"))


def _arguments(line: Line) -> dict[str, Any]:
    """What is given to a layer, by name; Odd where it takes no such thing."""
    if line.what in PATHS:
        if len(line.given) + len(line.named) > 1 or (line.named and line.named[0][0] != "dim"):
            raise Odd(tr("{what} takes the axis and nothing else").format(what=line.what))
        return {}
    takes = _signature(line.what)
    named = dict(line.named)
    if len(named) != len(line.named) or {"device", "dtype", "return_indices"} & set(named):
        raise Odd(tr("{what} takes no such argument").format(what=line.what))
    try:
        bound = takes.bind(*line.given, **named)
    except TypeError as error:
        raise Odd(tr("{name}: {why}").format(name=line.what, why=error)) from None
    return {name: tuple(each) if isinstance(each, list) else each for name, each in bound.arguments.items()}


@cache
def _signature(what: str) -> inspect.Signature:
    if what in FUNCTIONS:
        found = inspect.signature(FUNCTIONS[what])
        return found.replace(parameters=list(found.parameters.values())[1:])
    if what in RECURRENT:
        usual = {"num_layers": 1, "nonlinearity": "tanh", "bias": True, "batch_first": True, "dropout": 0.0,
                 "bidirectional": False, "proj_size": 0}
        names = ("input_size", "hidden_size", *(name for name in usual if (name != "nonlinearity" or what == "RNN")
                                                and (name != "proj_size" or what == "LSTM")))
        return inspect.Signature([inspect.Parameter(
            name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=usual.get(name, inspect.Parameter.empty))
            for name in names])
    found = inspect.signature(getattr(nn, what).__init__)
    return found.replace(parameters=[each for name, each in found.parameters.items() if name != "self"])


# --- weights by whose they are --------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Group:
    """The tensors of one layer."""

    name: str
    """As the file calls it, without what names the tensor."""
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    """By torch's own names: `weight`, `bias`, `running_mean`, `weight_ih_l0`, …"""

    def shape(self, name: str = "weight") -> tuple[int, ...]:
        """Of one of its tensors; none where there is no such."""
        found = self.tensors.get(name)
        return () if found is None else tuple(found.shape)

    @property
    def numbers(self) -> int:
        return sum(tensor.numel() for tensor in self.tensors.values())


_OTHERS = {"w": "weight", "b": "bias", "W": "weight", "B": "bias", "gamma": "weight", "beta": "bias", "emb": "weight",
           "moving_mean": "running_mean", "moving_variance": "running_var"}
"""What tensors are called elsewhere, and by torch."""
_GATED = re.compile(r"(?P<group>.*?)[._/]?(?P<kind>w|b|weight|bias)_?(?P<which>ih|hh|hr)"
                    r"(?P<rest>(_l[0-9]+)?(_reverse)?)")
_PLAIN = re.compile(r"(?P<group>.+?)[./_](?P<own>weight|bias|running_mean|running_var|w|b|W|B|gamma|beta|emb|"
                    r"moving_mean|moving_variance)")


def groups(weights: Mapping[str, Tensor]) -> tuple[Group, ...]:
    """The layers whose tensors these are, in the order of the file; a weight that was kept as length and direction
    is multiplied out. Counts of batches are left out."""
    found: dict[str, dict[str, Tensor]] = {}
    for name, tensor in weights.items():
        if name.endswith("num_batches_tracked"):
            continue
        group, own = _told(name)
        found.setdefault(group, {})[own] = tensor
    return tuple(Group(name or "layer", _multiplied(tensors)) for name, tensors in found.items())


def _told(name: str) -> tuple[str, str]:
    """Of a tensor, whose it is and which one: `net.0.weight` is the `weight` of `net.0`, `enc_w_ih` the
    `weight_ih_l0` of `enc`."""
    gated = _GATED.fullmatch(name)
    if gated is not None:
        rest = gated["rest"]
        rest = rest if rest.startswith("_l") else f"_l0{rest}"
        return gated["group"], f"{'weight' if gated['kind'][0] == 'w' else 'bias'}_{gated['which']}{rest}"
    parted = re.fullmatch(r"(?P<group>.+)\.parametrizations\.weight\.original(?P<which>[01])", name)
    if parted is not None:
        return parted["group"], "weight_g" if parted["which"] == "0" else "weight_v"
    if name in USUAL:
        return "layer", name  # of a single one
    head, dot, last = name.rpartition(".")
    if dot and last in ("weight", "bias", "running_mean", "running_var", "weight_g", "weight_v"):
        return head, last
    plain = _PLAIN.fullmatch(name)
    if plain is None:
        return (head, last) if dot else (name, "itself")
    own = plain["own"]
    # emb stands for the table itself, and what it belongs to has other weights
    return (name if own == "emb" else plain["group"]), _OTHERS.get(own, own)


def _multiplied(tensors: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    length, along = tensors.get("weight_g"), tensors.get("weight_v")
    if length is None or along is None or length.ndim != along.ndim or not along.is_floating_point():
        return tensors
    axes = [axis for axis, size in enumerate(length.shape) if size == 1 and along.shape[axis] != 1]
    whole = along * (length / along.norm(dim=axes, keepdim=True)) if axes else along * length / along.abs()
    return {"weight": whole, **{name: each for name, each in tensors.items() if name not in ("weight_g", "weight_v")}}


# --- a network of lines ---------------------------------------------------------------------------------------------

class Nested(nn.Module):
    """What has layers inside and computes nothing itself."""


class Wired(nn.Module):
    """A network of lines, with its weights."""

    lines: tuple[Line, ...]
    """Each with the name of its weights."""
    paths: tuple[str, ...]
    """Of each line, where its module is; empty for a step."""
    unused: tuple[str, ...]
    """Names of the weights that no line takes."""

    def __init__(self, lines: Sequence[Line], weights: Mapping[str, Tensor]) -> None:
        """Raises Odd where weights are missing, or are of another shape than a line says."""
        super().__init__()
        kept = self.__dict__  # names of weights are anybody's: none of them may stand in the way of these
        named: list[Line] = []
        left = {group.name: group for group in groups(weights)}
        paths: list[str] = []
        counted: dict[str, int] = {}
        near = ""
        for number, line in enumerate(lines, 1):
            if line.what not in LAYERS:
                paths.append("")
                named.append(line)
                continue
            try:
                module = _module(line)
                group = _filled(module, line, left)
            except Odd as error:
                raise Odd(tr("line {number}, {line!r}: {why}"
                             ).format(number=number, line=str(line)[:80], why=error)) from None
            if group:
                path = group
                near = path.rpartition(".")[0]
            else:
                counted[line.what] = counted.get(line.what, 0) + 1
                path = f"{near + '.' if near else ''}{line.what.lower()}{counted[line.what]}"
            self._put(path, module)
            paths.append(path)
            named.append(replace(line, name=group))
        kept.update(lines=tuple(named), paths=tuple(paths), unused=tuple(left))

    def _put(self, path: str, module: nn.Module) -> None:
        at: nn.Module = self
        *above, last = path.split(".")
        for name in above:
            at = at._modules.setdefault(name, Nested())  # type: ignore[assignment]
        at._modules[last] = module

    def at(self, path: str) -> nn.Module:
        """The module at a path."""
        found: nn.Module = self
        for name in path.split("."):
            found = found._modules[name]  # type: ignore[assignment]
        return found

    def forward(self, x: Tensor) -> Any:
        kept: list[Tensor] = []
        answers: list[Tensor] = []
        for line, path in zip(self.lines, self.paths, strict=True):
            if path:
                made = self.at(path)(x)
                x = made[0] if line.what in RECURRENT else made
            elif line.what in FUNCTIONS:
                x = FUNCTIONS[line.what](x, **_arguments(line))
            elif line.what == "Keep":
                kept.append(x)
            else:
                x = _joined(line, x, kept, answers, _together)
        return tuple(answers) if answers else x


Held = TypeVar("Held")
"""What goes through the lines: numbers, or their shape alone."""


def _joined(line: Line, x: Held, kept: list[Held], answers: list[Held],
            together: Callable[[Line, Held, Held], Held]) -> Held:
    """What `Swap`, `Add`, `Multiply`, `Concat` and `Out` do; `together` makes one of what was kept and what is at hand.
    """
    if not kept:
        raise TypeError(tr("{what}() stands where nothing was kept").format(what=line.what))
    if line.what == "Out":
        answers.append(x)
        return kept[-1]
    other = kept.pop()
    if line.what == "Swap":
        kept.append(x)
        return other
    return together(line, other, x)


def _together(line: Line, other: Tensor, x: Tensor) -> Tensor:
    if line.what == "Concat":
        return torch.cat([other, x], _dim(line))
    return other + x if line.what == "Add" else other * x


@lru_cache(512)
def _bare(line: Line) -> nn.Module:
    """The module of a line, to be asked for shapes."""
    return _module(line)


def _module(line: Line) -> nn.Module:
    """The module of a line, without numbers; Odd where torch does not take what is given to it."""
    given = _arguments(line)
    if line.what in RECURRENT:
        given.setdefault("batch_first", True)
        if not 0 < given.get("num_layers", 1) <= 64:
            raise Odd(tr("1 to 64 layers stand on one another"))
    try:
        with torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of layers without numbers
            if line.what == "Embedding":  # torch draws its numbers, and would load its compiler for that
                given["_weight"] = torch.empty(given["num_embeddings"], given["embedding_dim"])
            made = getattr(nn, line.what)(**given)
    except (TypeError, ValueError, RuntimeError, AssertionError, ZeroDivisionError, OverflowError) as error:
        raise Odd(str(error).partition("\n")[0].rstrip(".")[:200] or type(error).__name__) from None
    assert isinstance(made, nn.Module)
    if any(each.numel() == 0 for each in made.parameters()):
        raise Odd(tr("it would have no numbers"))
    return made


def _filled(module: nn.Module, line: Line, left: dict[str, Group]) -> str:
    """Put the weights of a group into a module, and take the group away; its name, empty where it has no weights."""
    expected = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()
                if name != "num_batches_tracked"}
    if "num_batches_tracked" in module._buffers:
        module._buffers["num_batches_tracked"] = torch.zeros((), dtype=torch.long)
    if not expected:
        return ""
    if line.name:
        group = left.get(line.name)
        if group is None:
            raise Odd(tr("there are no weights {name!r} that are still free").format(name=line.name[:60]))
    else:
        group = next((each for each in left.values() if fits(expected, each)), None)
        if group is None:
            raise Odd(tr("no weights are left that fit, {shapes}").format(shapes=_shapes(expected)))
    if not fits(expected, group):
        raise Odd(tr("it would have {expected}, and the weights of {name} are {shapes}").format(
            expected=_shapes(expected), name=group.name[:60], shapes=_shapes(
                {name: tuple(tensor.shape) for name, tensor in group.tensors.items()})))
    for name in expected:
        tensor = group.tensors[name].detach()
        tensor = (tensor.float() if tensor.dtype != torch.float64 else tensor).contiguous()
        if name in module._parameters:
            module._parameters[name] = nn.Parameter(tensor)
        else:
            module._buffers[name] = tensor
    if isinstance(module, nn.RNNBase):
        module._flat_weights = [module._parameters[each] for each in module._flat_weights_names]  # type: ignore[misc]
    del left[group.name]
    return group.name


def fits(expected: Mapping[str, tuple[int, ...]], group: Group) -> bool:
    """Whether a layer of these tensors could have those of a group, all of them."""
    return expected.keys() == group.tensors.keys() and all(
        tuple(group.tensors[name].shape) == shape and group.tensors[name].is_floating_point()
        for name, shape in expected.items())


def _shapes(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(tr("{name} of {shape}").format(name=name, shape=" × ".join(map(str, shape)) or "1")
                     for name, shape in list(shapes.items())[:6])


# --- what it takes --------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Takes:
    """An input that a network can read: found out by trying, without numbers."""

    sizes: tuple[int | None, ...]
    """Without the axis of the samples; None for what may be of any size."""
    usual: tuple[int, ...]
    """Sizes with which it runs."""
    whole: bool = False
    """Whether it reads whole numbers below `most`."""
    most: int = 0


SIDES = (28, 32, 64, 224, 24, 48, 96, 112, 128, 160, 192, 227, 256, 299, 320, 384, 512, 16, 12, 8, 20, 36, 40, 56, 60,
         80, 100)
"""Of pictures, the usual ones first: MNIST, CIFAR, Tiny ImageNet, ImageNet."""
CUBES = (16, 32, 64, 28, 24, 8, 48, 12, 10, 20, 96)
"""Of volumes."""
TRIED = (RuntimeError, TypeError, ValueError, IndexError, NotImplementedError)
"""What torch raises where shapes do not fit."""
LENGTHS = (64, 128, 256, 512, 1024, 2048, 4096, 8000, 16000, 16, 32, 100, 200)
STEPS_USUAL = 16
MOST_MADE = 1 << 28
"""Bytes of all that a network makes of an input that is proposed: with the gradients of that it is twice as much."""


def takes(model: Wired, most: int = MOST_MADE) -> Takes:
    """What a network of lines reads; raises Odd where it runs on nothing that was tried."""
    why = ""
    for sizes, tried, whole, below in _candidates(model):
        for usual in tried:
            try:
                shape_of(model, usual, whole, most)
            except TRIED as error:
                why = why or tr("{why} (tried on {shape})").format(why=error, shape=" × ".join(map(str, usual)))
                continue
            return Takes(_free(model, sizes, usual, whole, most), usual, whole, below)
    raise Odd(why or tr("its first layer does not say what it reads"))


def _candidates(model: Wired) -> Iterator[tuple[tuple[int | None, ...], list[tuple[int, ...]], bool, int]]:
    """What the first layer with weights could read, the axis of samples left out: sizes, and shapes to try."""
    first = next(((number, line) for number, line in enumerate(model.lines)
                  if model.paths[number] and any(True for _ in model.at(model.paths[number]).parameters())),
                 None)
    if first is None:
        return
    number = first[0]
    before = {each.what for each in model.lines[:number]}
    module = model.at(model.paths[number])
    if isinstance(module, nn.Embedding):
        yield (None,), [(STEPS_USUAL,), (64,), (256,)], True, module.num_embeddings
    elif isinstance(module, nn.RNNBase):
        features = module.input_size
        if "Squeeze" in before:
            yield (1, None, features), [(1, features, features), (1, STEPS_USUAL, features)], False, 0
        elif "Transpose" in before:
            yield (features, None), [(features, STEPS_USUAL)], False, 0
        yield (None, features), [(STEPS_USUAL, features)], False, 0
    elif isinstance(module, nn.Linear):
        features = module.in_features
        if "Flatten" in before:
            yield from (((channels, side, side), [(channels, side, side)], False, 0)
                        for channels in (1, 3, 2, 4) for side in (int((features // channels) ** 0.5),)
                        if channels * side * side == features and side > 4)
        yield (features,), [(features,)], False, 0
        yield (None, features), [(STEPS_USUAL, features)], False, 0
    elif isinstance(module, nn.Conv1d | nn.ConvTranspose1d):
        channels = module.in_channels
        if "Transpose" in before:
            yield (None, channels), [(length, channels) for length in LENGTHS], False, 0
        else:
            near = 4 * module.kernel_size[0]
            yield (channels, None), [(channels, length) for length in sorted(LENGTHS, key=lambda each: each < near)], \
                False, 0
    elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        channels = module.in_channels
        kernel = module.kernel_size
        if kernel[1] == 1 < kernel[0]:
            yield (channels, None, 1), [(channels, length, 1) for length in (1024, *LENGTHS)], False, 0
        large = max(module.stride) > 1  # what throws so much away at once was made for large pictures
        yield (channels, None, None), [(channels, side, side) for side in
                                       ((224,) if large else ()) + _sides(channels)], False, 0
        yield (channels, None, None), [(channels, 32, 128), (channels, 32, 100), (channels, 48, 320)], False, 0
    elif isinstance(module, nn.Conv3d | nn.ConvTranspose3d):
        channels = module.in_channels
        yield (channels, None, None, None), [(channels, side, side, side) for side in CUBES] + \
            [(channels, 16, side, side) for side in (112, 224)], False, 0
    elif isinstance(module, nn.modules.batchnorm._BatchNorm):
        yield (module.num_features,), [(module.num_features,)], False, 0
        yield (module.num_features, None, None), [(module.num_features, 32, 32)], False, 0
    elif isinstance(module, nn.LayerNorm):
        shape = tuple(module.normalized_shape)
        yield (None, *shape), [(STEPS_USUAL, *shape)], False, 0


def _sides(channels: int) -> tuple[int, ...]:
    """The usual sides of pictures: of grey ones those of digits first."""
    return SIDES if channels == 1 else (*SIDES[1:4], *SIDES[:1], *SIDES[4:])


def _free(model: Wired, sizes: tuple[int | None, ...], usual: tuple[int, ...], whole: bool,
          most: int) -> tuple[int | None, ...]:
    """Which of the sizes may really be any: those with which it still runs when they are a little larger, and twice as
    large; pooling leaves out a row that is one too many."""
    found: list[int | None] = list(sizes)
    for axis, size in enumerate(sizes):
        if size is None:
            for larger in (usual[axis] + (1 if usual[axis] < 16 else usual[axis] // 2), 2 * usual[axis]):
                try:
                    shape_of(model, (*usual[:axis], larger, *usual[axis + 1:]), whole, most)
                except TRIED:
                    found[axis] = usual[axis]
    return tuple(found)


def shape_of(model: Wired, sizes: tuple[int, ...], whole: bool = False, most: int = 1 << 30) -> Any:
    """The shape of what comes out of one sample of these sizes, or of each of several answers: nothing is computed.
    Raises Odd where they do not fit, or where all that is made on the way would take more than `most` bytes, or one
    step of it a quarter of them."""
    shape = (1, *sizes)
    spent = 0
    kept: list[tuple[int, ...]] = []
    answers: list[tuple[int, ...]] = []
    for number, (line, path) in enumerate(zip(model.lines, model.paths, strict=True), 1):
        try:
            if path:
                module = _bare(replace(line, name=""))
                if whole != isinstance(module, nn.Embedding):
                    raise shaping.Unfit(tr("whole numbers are read") if not whole else tr("whole numbers come"))
                whole = False
                shape = shaping.after(module, shape)
            elif line.what in FUNCTIONS:
                # one number that stands for all: torch's own rules for axes, and no room taken
                shape = tuple(FUNCTIONS[line.what](torch.zeros(()).expand(shape), **_arguments(line)).shape)
            elif line.what == "Keep":
                kept.append(shape)
            else:
                shape = _joined(line, shape, kept, answers, _shape_together)
        except TRIED as error:
            why = str(error).partition("\n")[0].rstrip(".")[:200]
            raise Odd(tr("line {number}, {line!r}: {why}"
                         ).format(number=number, line=str(line)[:80], why=why)) from None
        spent += prod(shape) * 4
        if spent > most or prod(shape) * 4 > most // 4:
            raise Odd(tr("line {number}, {line!r}: it would make more than there is room for"
                         ).format(number=number, line=str(line)[:80]))
    return tuple(answers) if answers else shape


def _shape_together(line: Line, other: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of what `_together` makes."""
    if line.what != "Concat":
        return tuple(torch.broadcast_shapes(other, shape))
    axis = _dim(line)
    if len(other) != len(shape) or not -len(shape) <= axis < len(shape) or any(
            one != two for place, (one, two) in enumerate(zip(other, shape, strict=True))
            if place != axis % len(shape)):
        raise TypeError(tr("{one} and {other} cannot stand side by side").format(
            one=" × ".join(map(str, other)), other=" × ".join(map(str, shape))))
    return tuple(size + (other[place] if place == axis % len(shape) else 0) for place, size in enumerate(shape))
