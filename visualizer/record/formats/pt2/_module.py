"""An exported program as a module of torch: the tree of modules that it was made of, run step by step.

Each step runs inside the modules that the file names for it, so that a recording calls its layers what it would call
those of the model itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from visualizer.language import tr
from visualizer.record.formats._modules import LAYERS, Inside, sized
from visualizer.record.formats.pt2._graph import (
    INSIDE,
    Caller,
    Env,
    Graph,
    Node,
    Program,
    Ref,
    joined,
    keep,
    value,
)
from visualizer.trace import Refused

RECURRENT = {"torch.ops.aten.lstm.input": ("LSTM", "LSTM"), "torch.ops.aten.gru.input": ("GRU", "GRU"),
             "torch.ops.aten.rnn_tanh.input": ("RNN", "RNN_TANH"), "torch.ops.aten.rnn_relu.input": ("RNN", "RNN_RELU")}


@dataclass(frozen=True, eq=False)
class Scope:
    """The steps of one call of a module, one after the other, and the calls of others among them."""

    path: str
    nodes: tuple[Node | Scope, ...]


@dataclass(eq=False)
class Run:
    """One run of a graph: what its names stand for so far."""

    modules: Mapping[str, nn.Module]
    env: Env
    most: int | None = None
    """Bytes that may still be made, where that could not be found out before."""
    only_shapes: bool = False
    """Whether all tensors are without numbers, on torch's meta device."""

    def every(self, nodes: Sequence[Node | Scope]) -> None:
        """One after the other, each inside the module that it belongs to."""
        for step in nodes:
            if isinstance(step, Scope):
                self.modules[step.path](self, step.nodes)
            else:
                self.step(step)

    def step(self, node: Node) -> Any:
        """Compute it, and keep what it made under its names."""
        given = [value(each, self.env) for each in node.given]
        if node.target in INSIDE:
            made = self.inside(node, *given)
        else:
            named = {name: value(each, self.env) for name, each in node.named.items()}
            if self.only_shapes and node.begins:
                named["device"] = "meta"
            if self.most is not None:
                self.spend(node, given, named)
            made = given[0] if self.only_shapes and node.stays else node.does(*given, **named)
        keep(node.made, made, self.env)
        return made

    def inside(self, node: Node, *given: Any) -> Any:
        """A graph that a step runs, as though its steps stood there."""
        place = next(place for place, each in enumerate(given) if isinstance(each, Graph))
        how, graph = given[:place], given[place]
        run = Run(self.modules, dict(zip(graph.inputs, given[place + 1:], strict=True)), self.most, self.only_shapes)
        with torch.set_grad_enabled(bool(how[0])) if len(how) == 1 else torch.autocast("cpu", how[1], bool(how[2])):
            run.every(_scopes(graph.nodes, len(node.callers)))
        self.most = run.most
        found = [value(each, run.env) for each in graph.outputs]
        return found[0] if len(node.made) == 1 and isinstance(node.made[0], str) else tuple(found)

    def spend(self, node: Node, given: Sequence[Any], named: Mapping[str, Any]) -> None:
        """Find out how much a step is going to make before it does."""
        assert self.most is not None
        with torch._C.DisableTorchFunction(), torch.no_grad(), suppress(NotImplementedError, RuntimeError):
            more = {"device": "meta"} if node.begins else {}  # looking is no step of the model
            made = node.does(*map(_as_meta, given), **{name: _as_meta(each) for name, each in named.items()}, **more)
            self.most -= _bytes(made)
        if self.most < 0:
            raise _too_large(node)


@dataclass(eq=False)
class Plan:
    """What an exported model does, beside the modules that it consists of."""

    program: Program
    nodes: tuple[Node | Scope, ...]
    modules: dict[str, nn.Module] = field(default_factory=dict)
    """Modules by their paths."""
    places: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Names in the graph -> path and name of the parameter or buffer."""
    most: int | None = None
    """Bytes that a run may make, where it has to be watched."""


class Exported(nn.Module):
    """The whole model."""

    def __init__(self, program: Program, tensors: Mapping[str, Tensor], learns: Mapping[str, bool]) -> None:
        super().__init__()
        self.plan = Plan(program, _scopes(program.graph.nodes, 0))
        kept: dict[int, nn.Parameter] = {}
        nodes = list(_every(program.graph))
        for node in nodes:
            self._recurrent(node)
        for caller in dict.fromkeys(caller for node in nodes for caller in node.callers):
            self._at(caller.path).called = caller.made  # type: ignore[assignment]
        for name, held in program.held.items():
            path, _, last = held.rpartition(".")
            tensor = tensors[held]
            if held in learns:
                able = learns[held] and (tensor.is_floating_point() or tensor.is_complex())
                self._at(path)._parameters[last] = kept.setdefault(id(tensor), nn.Parameter(tensor, able))
            else:
                self._at(path)._buffers[last] = tensor
            self.plan.places[name] = path, last
        for module in self.plan.modules.values():
            if isinstance(module, nn.RNNBase):
                sized(module)

    def forward(self, *given: Any) -> Any:
        plan = self.plan
        env: Env = dict(plan.program.constants)
        env.update((name, self.held(name)) for name in plan.places)
        env.update(zip([each.name for each in plan.program.inputs], given, strict=True))
        try:
            Run(plan.modules, env, plan.most).every(plan.nodes)
        except (ValueError, LookupError, AttributeError, ArithmeticError, AssertionError) as error:
            raise TypeError(str(error)) from error  # arguments that no function of torch was written for
        return joined(plan.program.shaped, [value(each, env) for each in plan.program.outputs])

    def held(self, name: str) -> Tensor:
        """The parameter or buffer that stands under a name in the graph."""
        path, last = self.plan.places[name]
        module = self._at(path)
        found = module._parameters[last] if last in module._parameters else module._buffers[last]
        assert found is not None
        return found

    def _at(self, path: str) -> nn.Module:
        """The module at a path, with all above it."""
        if not path:
            return self
        if path not in self.plan.modules:
            above, _, last = path.rpartition(".")
            self.plan.modules[path] = self._at(above)._modules[last] = Inside()
        return self.plan.modules[path]

    def _recurrent(self, node: Node) -> None:
        """Let the module of a recurrent step be one of torch's, where it has all of its weights."""
        made = recurrent(node, self.plan.program.held)
        if made is not None and made[0] not in self.plan.modules:
            path, layer = made
            above, _, last = path.rpartition(".")
            self.plan.modules[path] = self._at(above)._modules[last] = layer


def recurrent(node: Node, held: Mapping[str, str]) -> tuple[str, nn.Module] | None:
    """Where a recurrent step has its weights, and torch's module for it, still without them; None where they lie
    otherwise than in such a module."""
    if node.target not in RECURRENT or len(node.given) != 9 or node.named:
        return None
    kind, mode = RECURRENT[node.target]
    _, _, weights, bias, levels, dropout, _, both, first = node.given
    names = [held.get(each.name, "") for each in weights if type(each) is Ref] if isinstance(weights, list) else []
    path = names[0].rpartition(".")[0] if names else ""
    if not path or type(levels) is not int or not 0 < levels <= 64 or not isinstance(dropout, float):
        return None
    more = {"nonlinearity": mode[4:].lower()} if kind == "RNN" else {}
    count = len(names) // (levels * (2 if both else 1))
    projected = {"proj_size": 1} if kind == "LSTM" and count > (4 if bias else 2) else {}
    layer = LAYERS[kind](2, 2, num_layers=levels, bias=bool(bias), batch_first=bool(first), dropout=dropout,
                         bidirectional=bool(both), device="meta", **more, **projected)
    return (path, layer) if names == [f"{path}.{each}" for each in layer._flat_weights_names] else None


def _every(graph: Graph) -> Iterator[Node]:
    """Every step, those of graphs inside graphs, too."""
    for node in graph.nodes:
        yield node
        for each in node.given:
            if isinstance(each, Graph):
                yield from _every(each)


def _scopes(nodes: Sequence[Node], depth: int) -> tuple[Node | Scope, ...]:
    """Steps that follow one another in the same call of a module stand together."""
    found: list[Node | Scope] = []
    first = 0
    while first < len(nodes):
        caller = _caller(nodes[first], depth)
        last = first + 1
        while caller is not None and last < len(nodes) and _caller(nodes[last], depth) == caller:
            last += 1
        inside = nodes[first:last]
        found.append(inside[0] if caller is None else Scope(caller.path, _scopes(inside, depth + 1)))
        first = last
    return tuple(found)


def _caller(node: Node, depth: int) -> Caller | None:
    return node.callers[depth] if depth < len(node.callers) else None


# --- before it runs -------------------------------------------------------------------------------------------------

class TooLarge(Refused):
    """What it would make is more than there is room for."""


def shapes_of(model: Exported, shapes: Sequence[tuple[int, ...]], most: int) -> Any:
    """What comes out of inputs of these shapes, without numbers: nothing is computed, and no room is taken. Raises
    TooLarge where all that is made on the way would take more than `most` bytes, and what torch raises where the
    shapes do not fit."""
    program = model.plan.program
    held = {name: model.held(name).detach().to("meta") for name in model.plan.places}
    run = Run(_Nothing(), dict(program.constants) | held, only_shapes=True)
    with torch.no_grad():
        for each, shape in zip(program.inputs, shapes, strict=True):
            run.env[each.name] = torch.empty(shape, dtype=each.dtype, device="meta")
        for node in program.graph.nodes:
            most -= _bytes(run.step(node))
            if most < 0:
                raise _too_large(node)
        return joined(program.shaped, [value(each, run.env) for each in program.outputs])


class _Nothing(dict[str, Any]):
    """In the place of modules where only shapes are asked for."""

    def __missing__(self, path: str) -> Any:
        return lambda run, nodes: run.every(nodes)


def _as_meta(given: Any) -> Any:
    if isinstance(given, Tensor):
        return given.detach().to("meta")
    return [_as_meta(each) for each in given] if isinstance(given, list) else given


def _bytes(made: Any) -> int:
    if isinstance(made, Tensor):
        return made.numel() * made.element_size()
    return sum(map(_bytes, made)) if isinstance(made, tuple | list) else 0


def _too_large(node: Node) -> TooLarge:
    return TooLarge(tr("{name} would make more than there is room for; choose a smaller input or a smaller network."
                       ).format(name=node.target.removeprefix("torch.ops.")))
