"""fitting: whose weights are these? A file of names and numbers finds the network that it belongs to.

First a bundled network of these names and sizes; then one that is wired alike and of other sizes, which are read from
the shapes; then a wiring that was said or is proposed; and where there is none, the weights are seen alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from math import prod
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from visualizer import registry
from visualizer.inputs.nothing import INPUT as NO_INPUT
from visualizer.language import tr
from visualizer.manifest import NOTHING, Manifest
from visualizer.record import intake
from visualizer.record.alone import Alone
from visualizer.record.catalog import Opened, source_of
from visualizer.record.probing import Shapes, Tried
from visualizer.record.proposing import Proposal, propose
from visualizer.record.wiring import (
    GATES,
    LENGTHS,
    SIDES,
    STEPS_USUAL,
    Group,
    Odd,
    Takes,
    Wired,
    groups,
    parse,
    shape_of,
    takes,
)
from visualizer.trace import Refused

USUAL_KEYS = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights", "params", "module")
"""Under which checkpoints mostly keep their weights; any other key is looked into behind these."""
DEEPEST = 4
"""So many mappings in one another are looked into."""
MOST_LOOKED = 10_000
"""So many mappings are looked into, all in all."""
MOST_MADE = 1 << 26
"""Numbers of the largest maps that are made while sizes are tried."""
GUESSED = "wiring guessed from names and shapes"


def attach(weights: Mapping[str, Any], path: Path, told: Manifest = NOTHING, model: str = "") -> Opened:
    """The network of a file of weights: `model` where they fit several bundled ones; Refused if it holds none, or does
    not fit the wiring that was said."""
    found = _meant(weights, told.trunk)
    if not found:
        raise Refused(tr("{file} holds no state dict; save one with torch.save(model.state_dict(), 'weights.pt')."
                         ).format(file=path.name))
    if told.kind == NO_INPUT.name:  # as somebody chose who knows better than to guess
        return _alone(found[0][1], path)
    if told.wiring:
        return _wired_as_said(found, path, told)
    spelled = [(key, tensors) for key, held in found for tensors in _spelled(held)]
    names = sorted(registry.models(), key=lambda name: name != model)
    for name in names:
        fitting = [(key, tensors) for key, tensors in spelled if _fit(_shapes_of(name), tensors)]
        if fitting:
            key, tensors = fitting[0]
            module = source_of(name).build()
            module.load_state_dict(tensors)
            which = f"weights {key!r}" if len(fitting) > 1 else "weights"
            return _as_bundled(name, module, path, f"{source_of(name).TITLE}, {which} of {path.name}")
    for _, tensors in spelled:
        opened = _of_other_sizes(names, tensors, path, told)
        if opened is not None:
            return opened
    for key, held in found:
        *_, tensors = _spelled(held)
        proposal = propose(tensors)
        if proposal is not None:
            return _as_proposed(proposal, path, told, key if len(found) > 1 else "")
    return _alone(found[0][1], path)


def spellings(weights: Mapping[Any, Any], trunk: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Every mapping of names to tensors in a file, with the key that it lies under, as it is and without what wrappers
    put before the names."""
    return [(key, tensors) for key, held in _meant(weights, trunk) for tensors in _spelled(held)]


def _meant(weights: Mapping[Any, Any], trunk: str) -> list[tuple[str, dict[str, Any]]]:
    found = list(_state_dicts(weights))
    if trunk:
        return [(key, tensors) for key, tensors in found if key == trunk] or _inside(found, trunk)
    return found


# --- the tensors of a file ------------------------------------------------------------------------------------------

def _state_dicts(held: Mapping[Any, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping of names to tensors in a checkpoint, with the key that it lies under; the usual ones first. What an
    optimiser remembers of weights is none."""
    seen: set[int] = set()

    def inside(held: Mapping[Any, Any], key: str, depth: int) -> Iterator[tuple[str, dict[str, Any]]]:
        if id(held) in seen or len(seen) > MOST_LOOKED:
            return
        seen.add(id(held))
        tensors = {str(name): value for name, value in held.items() if isinstance(value, Tensor)}
        deeper = {name: value for name, value in held.items() if isinstance(value, Mapping)}
        others = len(held) - len(tensors) - len(deeper)
        if tensors and not others and not _of_an_optimiser(key, tensors):
            yield key, tensors
        if depth == DEEPEST:
            return
        rank = {name: number for number, name in enumerate(USUAL_KEYS)}
        for name in sorted(deeper, key=lambda name: rank.get(name, len(rank)) if isinstance(name, str) else len(rank)):
            yield from inside(deeper[name], f"{key}.{name}" if key else str(name), depth + 1)

    yield from inside(held, "", 0)


def tensors_in(held: Any) -> Iterator[Tensor]:
    """Every tensor in nested mappings and lists, each once; what contains itself is looked into once."""
    seen: set[int] = set()
    left = [held]
    while left:
        each = left.pop()
        if isinstance(each, Tensor):
            if id(each) not in seen:
                seen.add(id(each))
                yield each
        elif isinstance(each, Mapping | list | tuple | set) and id(each) not in seen:
            seen.add(id(each))
            left += each.values() if isinstance(each, Mapping) else each


def _of_an_optimiser(key: str, tensors: Mapping[str, Any]) -> bool:
    return set(tensors) <= {"exp_avg", "exp_avg_sq", "max_exp_avg_sq", "step", "momentum_buffer", "square_avg", "sum",
                            "grad_avg", "acc_delta"}


def _spelled(tensors: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The same tensors with their names as they are, then without what wrappers put before every one of them: `module.`
    of DataParallel, `_orig_mod.` of torch.compile, `model.` of Lightning; beside an average stands how many it is of.
    """
    tensors = {name: tensor for name, tensor in tensors.items() if name != "n_averaged"}
    while tensors:
        yield tensors
        first = {name.partition(".")[0] for name in tensors}
        if len(first) > 1 or not all(name.count(".") > 1 for name in tensors):
            return
        tensors = {name.partition(".")[2]: tensor for name, tensor in tensors.items()}


def _inside(found: Sequence[tuple[str, dict[str, Any]]], trunk: str) -> list[tuple[str, dict[str, Any]]]:
    """Of each set of weights those whose names begin so, without that beginning."""
    begins = f"{trunk.rstrip('.')}."
    parts = [(key, {name.removeprefix(begins): tensor for name, tensor in tensors.items() if name.startswith(begins)})
             for key, tensors in found]
    return [(key, tensors) for key, tensors in parts if tensors]


def _fit(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> bool:
    return expected.keys() == found.keys() and all(
        found[name].shape == tensor.shape and found[name].is_floating_point() == tensor.is_floating_point()
        for name, tensor in expected.items())


# --- a bundled network ----------------------------------------------------------------------------------------------

@cache
def _shapes_of(name: str) -> Mapping[str, Tensor]:
    """The tensors of a bundled network, without numbers, as the header of its file tells them."""
    from safetensors import safe_open

    with safe_open(registry.weights(name), "pt") as file:
        kept = {key: file.get_slice(key) for key in list(file.keys())}
        return {key: torch.empty(part.get_shape(), dtype=torch.int64 if part.get_dtype()[0] in "IU" else torch.float32,
                                 device="meta") for key, part in kept.items()}


@cache
def _layers_of(name: str) -> tuple[tuple[str, frozenset[str], tuple[int, ...]], ...]:
    """Of each layer of a bundled network its name, what its tensors are called, and over how many axes its kernels
    reach, in the order in which it was built."""
    return _layers(groups(source_of(name).build().state_dict()))


def _layers(found: Sequence[Group]) -> tuple[tuple[str, frozenset[str], tuple[int, ...]], ...]:
    return tuple((group.name, frozenset(re.sub("_l[0-9]+", "_l0", own) for own in group.tensors),
                  (len(group.shape()), *group.shape()[2:])) for group in found)


def _as_bundled(name: str, module: nn.Module, path: Path, title: str, **more: Any) -> Opened:
    source = source_of(name)
    card = {"input": source.INPUT, "labels": source.LABELS, "architecture": name}
    card |= {name.lower(): getattr(source, name) for name in ("OBJECTIVE", "ANSWER") if hasattr(source, name)}
    return Opened(path.stem, title, module.eval(), {**card, **more}, tuple(source.LABELS), source.prepare,
                  getattr(source, "unknown", None), getattr(source, "wanted", None))


def _of_other_sizes(names: Sequence[str], tensors: Mapping[str, Tensor], path: Path, told: Manifest) -> Opened | None:
    """The bundled network that is wired as these weights are named, in their sizes; None where none is, or where
    several are that compute different numbers with them."""
    made: list[tuple[str, nn.Module, bool]] = []
    layers = _layers(groups(tensors))
    for alike in (True, False):  # of the same names; of others, in the same order
        for name in names:
            module = _sized(name, tensors, layers, alike)
            if module is not None:
                same = _ends(module) == _ends(source_of(name).build()) and _runs(module, source_of(name))
                if alike or same:
                    made.append((name, module, same))
        if made:
            break
    for same in (True, False):
        able = [(name, module) for name, module, ends in made if ends == same]
        if not able:
            continue
        name, module = able[0]
        source = source_of(name)
        title = f"{source.TITLE} of other sizes, weights of {path.name}"
        if same:
            reads = _read_by(module, source)
            if not all(_agree(module, other, reads) for _, other in able[1:]):
                return None
            opened = _as_bundled(name, module, path, title)
            return replace(opened, card={key: value for key, value in opened.card.items() if key != "architecture"})
        found = _reads(module)
        if found is None or any(_reads(other) != found or not _agree(module, other, found) for _, other in able[1:]):
            return None
        return _fed(path, title, module.eval(), found, told, (), partial(_run, module, found))
    return None


def _sized(name: str, tensors: Mapping[str, Tensor], layers: Sequence[tuple[str, frozenset[str], tuple[int, ...]]],
           named: bool) -> nn.Module | None:
    """A bundled network in the sizes of these weights, with them in it; None where it is another."""
    source = source_of(name)
    if hasattr(source, "like"):
        own = source.like({name: tuple(tensor.shape) for name, tensor in tensors.items()})
        if own is not None:
            assert isinstance(own, nn.Module)
            own.load_state_dict(dict(tensors))
            return own
    own_layers = _layers_of(name)
    if set(own_layers) != set(layers) if named else [each[1:] for each in own_layers] != [
            each[1:] for each in layers]:
        return None
    module: nn.Module = source.build()
    wanted, found = groups(module.state_dict()), groups(tensors)
    if not all(tensor.is_floating_point() for group in found
                                            for tensor in group.tensors.values()):
        return None
    if named:
        by_name = {group.name: group for group in found}
        found = tuple(by_name[group.name] for group in wanted)
    for want, have in zip(wanted, found, strict=True):
        if not _resize(module, want.name, have):
            return None
    return module


def _resize(module: nn.Module, path: str, have: Group) -> bool:
    """Put tensors of other sizes into one layer; False where they are those of another kind."""
    layer = module.get_submodule(path)
    shape = have.shape()
    if isinstance(layer, nn.RNNBase):
        return _resize_cells(module, path, layer, have)
    own = dict(layer.state_dict())
    own.pop("num_batches_tracked", None)
    if own.keys() != have.tensors.keys() or any(have.tensors[name].ndim != own[name].ndim for name in own):
        return False
    if "bias" in own and have.shape("bias") != shape[:1]:
        return False
    if isinstance(layer, nn.Linear):
        layer.out_features, layer.in_features = shape
    elif isinstance(layer, nn.Embedding):
        layer.num_embeddings, layer.embedding_dim = shape
    elif isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d) and layer.groups == 1:
        if shape[2:] != layer.kernel_size:
            return False
        layer.out_channels, layer.in_channels = shape[:2]
    elif isinstance(layer, nn.modules.batchnorm._BatchNorm):
        layer.num_features = shape[0]
    else:
        return False
    for name, tensor in have.tensors.items():
        if name in layer._parameters:
            layer._parameters[name] = nn.Parameter(tensor.float())
        else:
            layer._buffers[name] = tensor.float()
    return True


def _resize_cells(module: nn.Module, path: str, layer: nn.RNNBase, have: Group) -> bool:
    into, again = have.shape("weight_ih_l0"), have.shape("weight_hh_l0")
    gates = GATES[layer.mode.partition("_")[0]]
    if len(into) != 2 or len(again) != 2 or into[0] != gates * again[1] or again[0] != into[0]:
        return False
    levels = sum(name.startswith("weight_ih") and not name.endswith("_reverse") for name in have.tensors)
    if not 0 < levels <= 64:
        return False
    more = {"nonlinearity": layer.nonlinearity} if isinstance(layer, nn.RNN) else {}
    new = type(layer)(into[1], again[1], levels, batch_first=layer.batch_first, bidirectional=layer.bidirectional,
                      device="meta", **more)
    if {name: tuple(tensor.shape) for name, tensor in new.named_parameters()} != \
            {name: tuple(tensor.shape) for name, tensor in have.tensors.items()}:
        return False
    for name, tensor in have.tensors.items():
        new._parameters[name] = nn.Parameter(tensor.float())
    new._flat_weights = [new._parameters[each] for each in new._flat_weights_names]  # type: ignore[misc]
    above, _, last = path.rpartition(".")
    module.get_submodule(above)._modules[last] = new
    return True


def _leaves(module: nn.Module) -> list[nn.Module]:
    return [each for each in module.modules() if each._parameters and not list(each.children())]


def _ends(module: nn.Module) -> tuple[int, int]:
    """How much the first layer with weights reads, and how much the last one answers."""
    leaves = _leaves(module)
    first, last = leaves[0], leaves[-1]
    reads = next((getattr(first, name) for name in ("in_features", "in_channels", "input_size", "num_embeddings")
                  if hasattr(first, name)), 0)
    return int(reads), int(getattr(last, "out_features", getattr(last, "out_channels", 0)))


def _width_of(module: nn.Module) -> int:
    first = _leaves(module)[0]
    return int(first.num_embeddings) if isinstance(first, nn.Embedding) else 0


def _read_by(module: nn.Module, source: ModuleType) -> Takes:
    """What the network of a bundled source reads, as that says."""
    whole = isinstance(_leaves(module)[0], nn.Embedding)
    said = source.INPUT.get("shape", ())
    shape = (STEPS_USUAL,) if whole else tuple(
        (STEPS_USUAL if len(said) < 3 else LENGTHS[0]) if size is None else size for size in said)
    return Takes(shape, shape, whole, _width_of(module))


def _runs(module: nn.Module, source: ModuleType) -> bool:
    return _answer(module, _read_by(module, source)) is not None


def _agree(one: nn.Module, other: nn.Module, reads: Takes) -> bool:
    """Whether two networks answer the same to a wave of this shape."""
    a, b = _answer(one, reads), _answer(other, reads)
    return a is not None and b is not None and a.shape == b.shape and \
        bool(torch.allclose(a, b, 1e-5, 1e-6, equal_nan=True))


def _answer(module: nn.Module, reads: Takes) -> Tensor | None:
    """What comes out of a wave of this shape; None where it does not run on it."""
    widest = max((layer.out_channels for layer in _leaves(module) if hasattr(layer, "out_channels")), default=1)
    if widest * prod(reads.usual) > MOST_MADE:
        return None
    counted = torch.arange(prod(reads.usual)).reshape(1, *reads.usual)
    x = counted % max(1, reads.most) if reads.whole else torch.sin(counted.float() + 1)
    with suppress(RuntimeError, IndexError, ValueError, TypeError), torch.no_grad():
        made = module.eval()(x)
        return made if isinstance(made, Tensor) else None
    return None


def _run(module: nn.Module, reads: Takes, shapes: Shapes) -> Any:
    """What comes out of zeros of a shape; raises ValueError where there is no room to try."""
    widest = max((layer.out_channels for layer in _leaves(module) if hasattr(layer, "out_channels")), default=1)
    if widest * prod(shapes[0]) > MOST_MADE:
        raise ValueError(tr("it would make more than there is room for"))
    with torch.no_grad():
        return module(torch.zeros(shapes[0], dtype=torch.long if reads.whole else torch.float32))


def _reads(module: nn.Module) -> Takes | None:
    """What a bundled network of other sizes reads, found out by running it."""
    first = _leaves(module)[0]
    whole, most = isinstance(first, nn.Embedding), _width_of(module)
    for sizes, tried in _candidates(first):
        for usual in tried:
            found = Takes(sizes if len(tried) == 1 or whole else usual, usual, whole, most)
            if _answer(module, found) is not None:
                return found
    return None


def _candidates(first: nn.Module) -> Iterator[tuple[tuple[int | None, ...], list[tuple[int, ...]]]]:
    if isinstance(first, nn.Embedding):
        yield (None,), [(STEPS_USUAL,)]
    elif isinstance(first, nn.Linear):
        reads = first.in_features
        for channels in (1, 3, 2):
            side = int((reads // channels) ** 0.5)
            if side > 4 and channels * side * side == reads:
                yield (channels, side, side), [(channels, side, side)]
        yield (reads,), [(reads,)]
    elif isinstance(first, nn.RNNBase):
        yield (1, None, first.input_size), [(1, STEPS_USUAL, first.input_size)]
        yield (None, first.input_size), [(STEPS_USUAL, first.input_size)]
    elif isinstance(first, nn.Conv1d):
        yield (None, first.in_channels), [(LENGTHS[0], first.in_channels)]
    elif isinstance(first, nn.Conv2d):
        sides = SIDES if first.in_channels == 1 else (*SIDES[1:4], SIDES[0], *SIDES[4:])
        yield (first.in_channels, None, None), [(first.in_channels, side, side) for side in sides if side <= 224]


# --- a wiring -------------------------------------------------------------------------------------------------------

def _wired_as_said(found: Sequence[tuple[str, dict[str, Any]]], path: Path, told: Manifest) -> Opened:
    """The network of the lines that a person wrote or kept, with the first weights that go with them."""
    why = ""
    try:
        lines = parse(told.wiring)
    except Odd as error:
        raise Refused(tr("The wiring of {file} cannot be read ({error}); mend that line."
                         ).format(file=path.name, error=error)) from None
    for _, held in found:
        for tensors in _spelled(held):
            try:
                model = Wired(lines, tensors).eval()
                return _as_wired(model, _read_as_said(model, told), path, told, "wiring guessed by you", ())
            except Odd as error:
                why = why or str(error)
    raise Refused(tr("The wiring of {file} does not fit its weights ({why}); mend that line."
                     ).format(file=path.name, why=why))


def _read_as_said(model: Wired, told: Manifest) -> Takes:
    """What a wiring reads: a shape that it runs on, or the one that was said, where that is none of those."""
    try:
        found = takes(model)
    except Odd:
        if told.shape is None:
            raise
    else:
        if told.shape is None or (len(told.shape) == len(found.sizes) and all(
                own in (None, size) for own, size in zip(found.sizes, told.shape, strict=True))):
            return found
    usual = tuple(STEPS_USUAL if size is None else size for size in told.shape)
    whole = isinstance(_leaves(model)[0], nn.Embedding)
    shape_of(model, usual, whole)
    return Takes(told.shape, usual, whole, _width_of(model))


def _as_proposed(proposal: Proposal, path: Path, told: Manifest, key: str) -> Opened:
    if not key:
        return _as_wired(proposal.model, proposal.takes, path, told, GUESSED, ("wiring",))
    said = replace(told, trunk=told.trunk or key)
    return _as_wired(proposal.model, proposal.takes, path, said, f"weights {key!r}, {GUESSED}", (
        "wiring", *(() if told.trunk else ("trunk",))))


def _as_wired(model: Wired, reads: Takes, path: Path, told: Manifest, words: str, asked: tuple[str, ...]) -> Opened:
    lines = tuple(map(str, model.lines))

    def tried(shapes: Shapes) -> Any:
        made = shape_of(model, shapes[0][1:], reads.whole)
        return torch.empty(made[0] if made and isinstance(made[0], tuple) else made, device="meta")

    wiring = {"lines": list(lines), "guessed": bool(asked), "unused": list(model.unused[:60])}
    return _fed(path, f"{path.name}, {words}", model, reads, replace(told, wiring=lines), asked, tried, wiring=wiring)


def _fed(path: Path, title: str, model: nn.Module, reads: Takes, told: Manifest, asked: tuple[str, ...], tried: Tried,
         **facts: Any) -> Opened:
    """A network with what it reads, of which the sizes were found by trying."""
    free = tuple(axis + 1 for axis, size in enumerate(reads.sizes) if size is None)
    dtype = torch.long if reads.whole else torch.float32
    found = intake.opened(path, title, model, [intake.Declared("input", (1, *reads.usual), free, dtype)], told, tried,
                          guard=True, **facts)
    prepare = found.prepare
    assert prepare is not None

    def known(raw: Any) -> Any:
        made = prepare(raw)
        if reads.whole and made.numel() and not 0 <= int(made.min()) <= int(made.max()) < reads.most:
            raise ValueError(tr("whole numbers from 0 to {last} are read").format(last=reads.most - 1))
        return made

    shape = ("shape",) if told.shape is None else ()
    return replace(found, prepare=known, asked=tuple(dict.fromkeys((*asked, *shape, *found.asked))))


# --- weights alone --------------------------------------------------------------------------------------------------

def _alone(tensors: Mapping[str, Tensor], path: Path) -> Opened:
    """The weights as they are, each tensor by itself: there is no input to give, and nothing is differentiated."""
    model = Alone(tensors)
    numbers = sum(tensor.numel() for tensor in tensors.values())
    held = "1 tensor" if len(tensors) == 1 else f"{len(tensors)} tensors"
    if not model.paths:
        raise Refused(tr("{file} holds no numbers; save weights with torch.save(model.state_dict(), 'weights.pt')."
                         ).format(file=path.name))
    return Opened(path.stem, f"{path.name}, weights alone: {held}, {numbers:,} numbers, no wiring", model.eval(),
                  {"input": {"kind": NO_INPUT.name}, "alone": True}, (), lambda raw: torch.zeros(1, 1))
