"""A model as a module of torch: the tree of modules that its steps name, run step by step.

Each step runs inside the modules that it stands in, so that a recording calls its layers as the model's own author did,
and what its weights are for is seen by their names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from visualizer.record.formats._modules import LAYERS, Inside, sized
from visualizer.record.formats.onnx._fold import LINEAR, RECURRENT, Folded, every, folded
from visualizer.record.formats.onnx._graph import Graph, Node, Program, branched, inside_of
from visualizer.record.formats.onnx._run import Run, Scope
from visualizer.record.formats.onnx.operators import TABLE
from visualizer.record.formats.onnx.operators.recurrent import mode, torch_weights

ROLES: Mapping[str, tuple[str, ...]] = {
    "Conv": ("", "weight", "bias"), "ConvTranspose": ("", "weight", "bias"), LINEAR: ("", "weight", "bias"),
    "com.microsoft.FusedConv": ("", "weight", "bias"), "Gemm": ("", "weight", "bias"), "MatMul": ("weight", "weight"),
    "BatchNormalization": ("", "weight", "bias", "running_mean", "running_var"),
    "InstanceNormalization": ("", "weight", "bias"), "LayerNormalization": ("", "weight", "bias"),
    "GroupNormalization": ("", "weight", "bias"), "RMSNormalization": ("", "weight"), "PRelu": ("", "weight"),
    "Gather": ("weight",), "com.microsoft.SkipLayerNormalization": ("", "", "weight", "bias", "bias_added"),
    "LSTM": ("", "weight_ih", "weight_hh", "bias"), "GRU": ("", "weight_ih", "weight_hh", "bias"),
    "RNN": ("", "weight_ih", "weight_hh", "bias")}
"""What each of the weights of an operator is, by its place; empty where it is no weight."""
BUFFERS = frozenset({"running_mean", "running_var"})


@dataclass(frozen=True)
class Place:
    """Where a weight is kept."""

    path: tuple[str, ...]
    name: str


@dataclass(eq=False)
class Plan:
    """What a model does, beside the modules that it consists of."""

    program: Program
    graph: Graph
    scopes: dict[Graph, tuple[Node | Scope, ...]] = field(default_factory=dict)
    constants: dict[str, Tensor] = field(default_factory=dict)
    """Plain numbers: shapes, factors, tables of whole numbers."""
    modules: dict[tuple[str, ...], nn.Module] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    """Names in the graph -> where the weight is kept."""
    most: int | None = None
    """Bytes that a run may make, where it has to be watched."""


class Model(nn.Module):
    """The whole model."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        found = folded(program)
        self.plan = Plan(program, found.graph)
        self._built(found)

    def forward(self, *given: Any) -> Any:
        plan = self.plan
        run = Run(plan.modules, plan.scopes, {**plan.constants, **self.weights()}, set(plan.constants), plan.most)
        run.env.update(zip([each.name for each in plan.program.inputs], given, strict=True))
        try:
            run.every(plan.scopes[plan.graph])
            made = [self._typed(run.env[name], dtype) for name, dtype in
                    zip(plan.graph.outputs, plan.program.types, strict=True)]
        except (ValueError, LookupError, AttributeError, ArithmeticError, AssertionError) as error:
            raise TypeError(str(error)) from error  # arguments that no function of torch was written for
        return made[0] if len(made) == 1 else tuple(made)

    def weights(self) -> dict[str, Tensor]:
        """Every parameter and buffer by its name in the graph."""
        found: dict[str, Tensor] = {}
        for name, place in self.plan.places.items():
            module = self._at(place.path)
            held = module._parameters.get(place.name)
            kept = module._buffers.get(place.name) if held is None else held
            assert kept is not None
            found[name] = kept
        return found

    def _typed(self, made: Any, dtype: torch.dtype | None) -> Any:
        """What comes out in the type that the file says, where that is of whole numbers."""
        if isinstance(made, Tensor) and dtype is not None and not dtype.is_floating_point and made.dtype != dtype:
            return made.to(dtype)
        return made

    # --- the tree of modules ---

    def _at(self, path: tuple[str, ...]) -> nn.Module:
        """The module at a path, with all above it."""
        if not path:
            return self
        if path not in self.plan.modules:
            self.plan.modules[path] = self._at(path[:-1])._modules[path[-1]] = Inside()
        return self.plan.modules[path]

    def _built(self, found: Folded) -> None:
        """Give each weight a place, and each step the modules that it stands in."""
        builder = _Builder(self, found)
        graph = builder.graph(found.graph)
        self.plan.graph = graph
        for each in (graph, *(inner for node in every(graph) for inner in node.graphs)):
            self.plan.scopes[each] = _scopes(each.nodes, 0, frozenset(self.plan.places))
        read = {name for node in every(graph) for name in node.given} | set(graph.outputs)
        read |= {name for node in every(graph) for inner in node.graphs for name in inner.outputs}
        self.plan.constants = {name: value for name, value in found.known.items()
                               if name in read and name not in self.plan.places}
        for node in every(graph):
            self._at(node.path)
        for path, module in self.plan.modules.items():
            if isinstance(module, Inside):
                module.called = self.plan.program.classes.get(path, "")
        for module in self.plan.modules.values():
            if isinstance(module, nn.RNNBase):
                sized(module)


@dataclass(eq=False)
class _Builder:
    """Where everything goes, while it is found out."""

    model: Model
    found: Folded
    made: dict[int, nn.Parameter | Tensor] = field(default_factory=dict)
    number: dict[str, int] = field(default_factory=dict)
    layers: dict[tuple[str, ...], int] = field(default_factory=dict)

    def graph(self, graph: Graph) -> Graph:
        for node in every(graph):
            if node.op == RECURRENT and node.path:
                self.layers[node.path] = self.layers.get(node.path, 0) + 1
        return self._graph(graph)

    def _graph(self, graph: Graph) -> Graph:
        return Graph(graph.inputs, graph.outputs, tuple(self.node(node) for node in graph.nodes))

    def node(self, node: Node) -> Node:
        """The step as it runs, with the path of its module."""
        said = {key: self._graph(each) if isinstance(each, Graph) else each for key, each in node.said.items()}
        if node.op == RECURRENT:
            return self.recurrent(node)
        held = [(place, name) for place, name in enumerate(node.given) if name and self.is_weight(node, place, name)]
        path = self.path(node, held) if held else node.path
        for place, name in held:
            self.keep(node, path, place, name)
        return Node(node.op, node.name, node.given, node.made, said, node.version, path)

    def is_weight(self, node: Node, place: int, name: str) -> bool:
        """Whether a constant is something that could be learned: numbers with a fraction, and more than a factor."""
        value = self.found.known.get(name)
        if value is None or not (value.is_floating_point() or value.is_complex()) or not value.numel() or node.graphs:
            return False
        operator = TABLE.get(node.op)
        if operator is None or place in operator.told or operator.shape_alone:
            return False
        if place < len(ROLES.get(node.op, ())) and ROLES[node.op][place]:
            return True
        return value.numel() > 1 or (value.dim() > 0 and "." in self.found.origin.get(name, "")
                                     and not self.found.origin[name].startswith(("/", "onnx::")))

    def path(self, node: Node, held: Sequence[tuple[int, str]]) -> tuple[str, ...]:
        """The module that has the weights of a step: which their names say, or its own."""
        if all(name in self.model.plan.places for _, name in held):
            return self.model.plan.places[held[0][1]].path  # called again
        if node.op in ROLES:
            for _, name in held:
                named = _module_of(self.found.origin.get(name, ""))
                if named and not (node.path and _beside(named, node.path)):
                    return self.free(named, node, held)
        if node.path:
            return self.free(node.path, node, held)
        if node.op not in ROLES:
            return ()
        own = "".join(each if each.isalnum() else "_" for each in node.name)[-60:].strip("_")
        if not own or "/" in node.name:
            short = node.op.rpartition(".")[2].lower()
            self.number[short] = self.number.get(short, 0) + 1
            own = f"{short}{self.number[short]}"
        return self.free((own,), node, held)

    def free(self, path: tuple[str, ...], node: Node, held: Sequence[tuple[int, str]]) -> tuple[str, ...]:
        """The path, or one inside it where it has such weights already."""
        taken = self.taken(path)
        wanted = {self.role(node, place, name) for place, name in held if name not in self.model.plan.places}
        if node.op not in ROLES or not wanted & taken:
            return path
        short = node.op.rpartition(".")[2].lower()
        number = 2
        while self.taken((*path, f"{short}{number}")) or (*path, f"{short}{number}") in self.model.plan.modules:
            number += 1
        return (*path, f"{short}{number}")

    def taken(self, path: tuple[str, ...]) -> set[str]:
        module: Any = self.model if not path else self.model.plan.modules.get(path)
        return set() if module is None else {*module._parameters, *module._buffers}

    def role(self, node: Node, place: int, name: str) -> str:
        roles = ROLES.get(node.op, ())
        if place < len(roles) and roles[place]:
            return roles[place]
        origin = self.found.origin.get(name, "")
        last = origin.rpartition(".")[2] if _module_of(origin) or origin.isidentifier() else ""
        return last if last.isidentifier() and len(last) < 60 else "value"

    def keep(self, node: Node, path: tuple[str, ...], place: int, name: str) -> None:
        """Put a weight into the module at a path, once."""
        if name in self.model.plan.places:
            return
        module, role = self.model._at(path), self.role(node, place, name)
        last, number = role, 1
        while last in module._parameters or last in module._buffers or last in module._modules or \
                (not path and hasattr(module, last)):
            number += 1
            last = f"{role}{number}"
        value = self.found.known[name]
        if role in BUFFERS:
            module._buffers[last] = value
        else:
            module._parameters[last] = self._parameter(value)
        self.model.plan.places[name] = Place(path, last)

    def _parameter(self, value: Tensor) -> nn.Parameter:
        found = self.made.setdefault(id(value), nn.Parameter(value))
        assert isinstance(found, nn.Parameter)
        return found

    def recurrent(self, node: Node) -> Node:
        """A layer of torch with the weights of the step."""
        how = Node(node.said["kind"], node.name, node.given, node.made, node.said, node.version)
        weights = torch_weights(how, *(self.found.known[name] for name in node.given[1:3]),
                                self.found.known[node.given[3]] if len(node.given) > 3 and node.given[3] else None)
        kind = node.said["kind"]
        base = node.path or (self._own(node, kind),)
        path = base
        if self.layers.get(node.path, 0) > 1 or base in self.model.plan.modules:
            number = 0
            while (*base, f"l{number}") in self.model.plan.modules:
                number += 1
            path = (*base, f"l{number}")
        more = {"nonlinearity": mode(how)[4:].lower()} if kind == "RNN" else {}
        layer = LAYERS[kind](2, 2, bidirectional=node.get("direction", "forward") == "bidirectional", device="meta",
                             **more)
        self.model._at(path[:-1])._modules[path[-1]] = layer
        self.model.plan.modules[path] = layer
        names = []
        for name, value in weights.items():
            layer._parameters[name] = nn.Parameter(value)
            key = f"{'.'.join(path)}.{name}"
            self.model.plan.places[key] = Place(path, name)
            names.append(key)
        given = (*node.given, "", "", "", "")
        return Node(RECURRENT, node.name, (node.given[0], given[4], given[5], given[6], *names), node.made,
                    {**node.said, "how": how}, node.version, path)

    def _own(self, node: Node, kind: str) -> str:
        self.number[kind] = self.number.get(kind, 0) + 1
        return kind.lower() if self.number[kind] == 1 else f"{kind.lower()}{self.number[kind]}"


def _module_of(name: str) -> tuple[str, ...]:
    """The module that a weight is named after: `layer1.0.conv1.weight` stands in layer1, 0, conv1."""
    if not name or name.startswith(("/", "onnx::")):
        return ()
    if "/" in name:
        return inside_of(name.partition("/ReadVariableOp")[0] + "/") if "/ReadVariableOp" in name else ()
    parts = [each for part in name.split(".")[:-1] for each in branched(part) if each]
    return tuple(parts) if all(each.isidentifier() or each.isdigit() for each in parts) else ()


def _beside(named: Sequence[str], path: Sequence[str]) -> bool:
    """Whether a weight is named after a module outside the one that the step stands in, as tied ones are."""
    return tuple(named[:len(path)]) != tuple(path) and tuple(path[:len(named)]) != tuple(named) and \
        named[-1] != path[-1]


def _scopes(nodes: Sequence[Node], depth: int, weights: frozenset[str]) -> tuple[Node | Scope, ...]:
    """Steps that follow one another in the same call of a module stand together; a weight that comes again begins
    another call."""
    found: list[Node | Scope] = []
    first = 0
    while first < len(nodes):
        if len(nodes[first].path) <= depth:
            found.append(nodes[first])
            first += 1
            continue
        path, last = nodes[first].path[:depth + 1], first
        seen: set[str] = set()
        while last < len(nodes) and nodes[last].path[:depth + 1] == path:
            here = weights & set(nodes[last].given)
            if here & seen and all(len(node.path) == depth + 1 for node in nodes[first:last + 1]):
                break
            seen |= here
            last += 1
        found.append(Scope(path, _scopes(nodes[first:last], depth + 1, weights)))
        first = last
    return tuple(found)


# --- before it runs -------------------------------------------------------------------------------------------------

def shapes_of(model: Model, given: Sequence[Tensor], most: int) -> list[Any]:
    """What comes out of inputs like these, without numbers: nothing is computed but shapes, and no room is taken.
    Whole numbers that are given are read as they are: a rate, a length. Raises TooLarge where all that is made on the
    way would take more than `most` bytes, and what torch raises where the shapes do not fit."""
    plan = model.plan
    held = {name: weight.detach().to("meta") for name, weight in model.weights().items()}
    run = Run(_Nothing(), plan.scopes, {**plan.constants, **held}, set(plan.constants), most, only_shapes=True)
    with torch.no_grad():
        for each, one in zip(plan.program.inputs, given, strict=True):
            few = not one.is_floating_point() and one.numel() <= 8
            run.env[each.name] = one if few else one.to("meta")
            if few:
                run.plain.add(each.name)
        run.every(plan.scopes[plan.graph])
    return [run.env[name] for name in plan.graph.outputs]


class _Nothing(dict[tuple[str, ...], Any]):
    """In the place of modules where only shapes are asked for."""

    def __missing__(self, path: tuple[str, ...]) -> Any:
        return lambda run, steps: run.every(steps)
