"""The graph of a model: from its protobuf to steps in their order, each with all it needs. Functions that a model
brings along are written out; every name stands for one thing, also in the graphs inside."""

from __future__ import annotations

import heapq
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from visualizer.language import numeral, tr
from visualizer.record.formats.onnx._file import Odd, Room, tensor
from visualizer.record.formats.onnx._types import DTYPES, NAMES, WIDER
from visualizer.record.formats.onnx.operators import CONTROL, TABLE
from visualizer.trace import Refused
from visualizer.unpack import TooMuch

OLDEST, LATEST = 7, 28
"""Versions of the set of operators: before 7 arithmetic was told otherwise, and later ones nobody has written yet."""
MOST_NODES, MOST_DEEP = 20_000, 12
MAIN = ("", "ai.onnx")
QUOTED = re.compile(r"'([^']*)'")
BRANCH = re.compile(r"^(F\d+_+)?If_\d+_(then|else)_branch_*(Inline_\d+_*)?")
"""What exporters put before the names of steps that stood in a branch, or in a function."""
SCOPES = "pkg.torch.onnx.name_scopes"
CLASSES = "pkg.torch.onnx.class_hierarchy"
"""Where torch's newer exporter keeps the modules that a step stands in, and their classes."""


@dataclass(frozen=True, eq=False)
class Node:
    """One step."""

    op: str
    """`Conv`; of other sets than ONNX's own `com.microsoft.Gelu`."""
    name: str
    given: tuple[str, ...]
    """Names of what it reads, empty where something is left out."""
    made: tuple[str, ...]
    said: Mapping[str, Any]
    """Attributes: plain values, lists of them, a tensor, a Graph."""
    version: int
    path: tuple[str, ...] = ()
    """The modules that it stands in, from the outermost."""

    def get(self, name: str, default: Any = None) -> Any:
        """One of its attributes."""
        return self.said.get(name, default)

    @property
    def graphs(self) -> tuple[Graph, ...]:
        """What it may run."""
        return tuple(each for each in self.said.values() if isinstance(each, Graph))


@dataclass(frozen=True, eq=False)
class Graph:
    """Steps, and what goes in and comes out."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Input:
    """One tensor that is given to the model, as the file says it."""

    name: str
    dtype: torch.dtype
    sizes: tuple[int | None, ...]
    """None for an axis of any size."""
    called: tuple[str, ...] = ()
    """What the file calls each axis; empty where it does not."""


@dataclass(frozen=True, eq=False)
class Program:
    """A whole model."""

    graph: Graph
    inputs: tuple[Input, ...]
    tensors: Mapping[str, Tensor]
    """Numbers by the names that they have in the graph, those of the graphs inside, too."""
    types: tuple[torch.dtype | None, ...]
    """Of what comes out, as far as it is said."""
    classes: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    """Of what class the module at a path was, where the file says so."""
    about: Mapping[str, str] = field(default_factory=dict)
    """What whoever made the model wrote into it: `metadata_props`."""


class Unsupported(Exception):
    """What is not known here: all of it."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = tuple(sorted(dict.fromkeys(names)))


def program(proto: Any, room: Room) -> Program:
    """The model that a protobuf describes; raises Odd, Refused, and Unsupported with everything that is not known."""
    versions = {each.domain: each.version for each in proto.opset_import}
    version = next((versions[name] for name in MAIN if name in versions), LATEST)
    if not OLDEST <= version <= LATEST:
        raise Refused(tr("{file} is written for version {version} of ONNX's operators, and {oldest} to {latest} are "
                         "read; convert it: onnx.version_converter.convert_version(model, 17)."
                         ).format(file=room.path.name, version=version, oldest=OLDEST, latest=LATEST))
    functions = {(each.domain, each.name): each for each in proto.functions}
    reader = _Reader(room, versions, version, functions)
    names: dict[str, str] = {}
    graph = reader.graph(proto.graph, names, 0, outermost=True)
    held = {names[each.name] for each in proto.graph.initializer}
    inputs = tuple(_input(each, room) for each in proto.graph.input if names[each.name] not in held)
    if room.unknown:
        raise Unsupported(room.unknown)
    types = tuple(_dtype(each.type) for each in proto.graph.output)
    about = {each.key[:200]: each.value[:100_000] for each in proto.metadata_props}
    kept = Graph(tuple(each.name for each in inputs), graph.outputs, graph.nodes)
    return Program(_ordered(kept, set(reader.tensors)), inputs, reader.tensors, types, reader.classes, about)


# --- steps ----------------------------------------------------------------------------------------------------------

@dataclass(eq=False)
class _Reader:
    """What is known of a model while it is read."""

    room: Room
    versions: Mapping[str, int]
    version: int
    functions: Mapping[tuple[str, str], Any]
    tensors: dict[str, Tensor] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    classes: dict[tuple[str, ...], str] = field(default_factory=dict)
    count: int = 0

    def graph(self, proto: Any, names: dict[str, str], depth: int, attributes: Mapping[str, Any] | None = None,
              outermost: bool = False) -> Graph:
        """`names` are those of the graphs around, and learns those that stand in this one."""
        if depth > MOST_DEEP:
            raise Odd(tr("its graphs stand too deep in one another"))
        for each in proto.initializer:
            made = tensor(each, self.room)
            name = self.fresh(each.name, names)
            if made is not None:
                self.tensors[name] = made
        if proto.sparse_initializer:
            self.room.unknown.append(tr("sparse weights"))
        for each in proto.input:
            if not (outermost and each.name in names):
                self.fresh(each.name, names)
        nodes = self.nodes(proto.node, names, depth, attributes or {})
        return Graph(tuple(names[each.name] for each in proto.input),
                     tuple(self.known(each.name, names) for each in proto.output), nodes)

    def nodes(self, protos: Iterable[Any], names: dict[str, str], depth: int, attributes: Mapping[str, Any],
              around: tuple[str, ...] = (), versions: Mapping[str, int] | None = None) -> tuple[Node, ...]:
        found: list[Node] = []
        for proto in protos:  # first all names, so that the order may be another
            for each in proto.output:
                if each:
                    self.fresh(each, names)
        for proto in protos:
            self.count += 1
            if self.count > MOST_NODES:
                raise TooMuch(tr("it has more than {most} steps").format(most=numeral(f"{MOST_NODES:,}")))
            found += self.node(proto, names, depth, attributes, around, versions or self.versions)
        return tuple(found)

    def node(self, proto: Any, names: dict[str, str], depth: int, attributes: Mapping[str, Any],
             around: tuple[str, ...], versions: Mapping[str, int]) -> Sequence[Node]:
        """One step, or all those of a function that it calls."""
        said = self.said(proto, names, depth, attributes)
        given = tuple(self.known(each, names) if each else "" for each in proto.input)
        while given and not given[-1]:
            given = given[:-1]
        made = tuple(names[each] if each else "" for each in proto.output)
        path = (*around, *_path(proto))
        self.classes.update(_classes(proto))
        function = self.functions.get((proto.domain, proto.op_type))
        if function is not None:
            return self.written_out(function, said, given, made, depth, path or around)
        op = proto.op_type if proto.domain in MAIN else f"{proto.domain}.{proto.op_type}"[:80]
        if (op not in TABLE and op not in CONTROL) or op.startswith("visualizer."):
            self.room.unknown.append(op[:80])
        self.room.unknown += [f"{op} to {NAMES.get(said[name], said[name])}" for name in ("to", "output_dtype")
                              if said.get(name, 0) and said[name] not in DTYPES]
        version = next((versions[name] for name in MAIN if name in versions), self.version)
        return (Node(op, proto.name[:400], given, made, said, version, path),)

    def written_out(self, function: Any, said: Mapping[str, Any], given: tuple[str, ...], made: tuple[str, ...],
                    depth: int, path: tuple[str, ...]) -> tuple[Node, ...]:
        """The steps of a function, with what one call of it gives and wants in the places of its names."""
        if depth > MOST_DEEP:
            raise Odd(tr("its functions call one another too deep"))
        names = {name: given[place] if place < len(given) else "" for place, name in enumerate(function.input)}
        attributes = {each.name: self.value(each, {}, depth + 1, {}) for each in function.attribute_proto} | dict(said)
        versions = {each.domain: each.version for each in function.opset_import}
        nodes = self.nodes(function.node, names, depth + 1, attributes, path, versions)
        ends = {self.known(name, names): out for name, out in zip(function.output, made, strict=False) if out}
        return (*nodes, *(Node("Identity", "", (name,), (out,), {}, self.version, path) for name, out in ends.items()))

    def said(self, proto: Any, names: dict[str, str], depth: int, attributes: Mapping[str, Any]) -> dict[str, Any]:
        found = {}
        for each in proto.attribute:
            if each.ref_attr_name:
                if each.ref_attr_name in attributes:
                    found[each.name] = attributes[each.ref_attr_name]
                continue
            value = self.value(each, names, depth, attributes)
            if value is not None:
                found[each.name] = value
        return found

    def value(self, proto: Any, names: dict[str, str], depth: int, attributes: Mapping[str, Any]) -> Any:
        """An attribute as a plain value."""
        kind = proto.type
        if kind == proto.TENSOR:
            return tensor(proto.t, self.room)
        if kind == proto.GRAPH:
            return self.graph(proto.g, dict(names), depth + 1, attributes)
        if kind in (proto.STRING, proto.STRINGS):
            words = [each.decode("utf-8", "replace")[:100_000] for each in
                     ([proto.s] if kind == proto.STRING else proto.strings)]
            return words[0] if kind == proto.STRING else words
        if kind in (proto.SPARSE_TENSOR, proto.SPARSE_TENSORS, proto.TENSORS, proto.GRAPHS):
            self.room.unknown.append(tr("lists of tensors or graphs as settings"))
            return None
        plain = {proto.FLOAT: lambda: float(proto.f), proto.INT: lambda: int(proto.i),
                 proto.FLOATS: lambda: list(proto.floats), proto.INTS: lambda: list(proto.ints)}
        return plain[kind]() if kind in plain else None

    def fresh(self, name: str, names: dict[str, str]) -> str:
        """A name that stands for nothing else yet."""
        made, number = name, 1
        if not 0 < len(name) <= 1000:
            raise Odd(tr("a name in it is none"))
        while made in self.used:
            number += 1
            made = f"{name}#{number}"
            if number > 1000:
                raise Odd(tr("{name} is made again and again").format(name=name[:60]))
        self.used.add(made)
        names[name] = made
        return made

    def known(self, name: str, names: Mapping[str, str]) -> str:
        if name not in names:
            raise Odd(tr("{name} is read, and never made").format(name=name[:60]))
        return names[name]


def _ordered(graph: Graph, known: set[str]) -> Graph:
    """The graph, and those inside, without what nobody needs, each step behind all that it reads; Odd where there is no
    such order."""
    nodes = [node if not node.graphs else Node(
        node.op, node.name, node.given, node.made,
        {key: _ordered(each, known) if isinstance(each, Graph) else each for key, each in node.said.items()},
        node.version, node.path) for node in graph.nodes]
    maker = {name: place for place, node in enumerate(nodes) for name in node.made if name}
    reads = [{maker[name] for name in reads_of(node) if name in maker} for node in nodes]
    needed: set[int] = set()
    waiting = [maker[name] for name in graph.outputs if name in maker]
    while waiting:
        place = waiting.pop()
        if place not in needed:
            needed.add(place)
            waiting += reads[place]
    readers = defaultdict[int, list[int]](list)
    for place in needed:
        for read in reads[place]:
            readers[read].append(place)
    missing = {place: len(reads[place]) for place in needed}
    ready = [place for place in needed if not missing[place]]
    heapq.heapify(ready)
    found: list[Node] = []
    while ready:
        place = heapq.heappop(ready)
        found.append(nodes[place])
        for reader in readers[place]:
            missing[reader] -= 1
            if not missing[reader]:
                heapq.heappush(ready, reader)
    if len(found) < len(needed):
        raise Odd(tr("its steps read one another in a circle"))
    return Graph(graph.inputs, graph.outputs, tuple(found))


def reads_of(node: Node) -> set[str]:
    """All names that a step reads, those that only the graphs inside read, too."""
    found = {name for name in node.given if name}
    for graph in node.graphs:
        found |= _read_inside(graph)
    return found


def _read_inside(graph: Graph) -> set[str]:
    own = {*graph.inputs, *(name for node in graph.nodes for name in node.made)}
    read = {name for node in graph.nodes for name in reads_of(node)} | set(graph.outputs)
    return read - own


# --- where a step stands --------------------------------------------------------------------------------------------

def _path(proto: Any) -> tuple[str, ...]:
    """The modules that a step stands in: as torch's newer exporter writes it, else by the slashes in its name."""
    for each in proto.metadata_props:
        if each.key == SCOPES:
            scopes = QUOTED.findall(each.value[:4_000])
            return _parts(scopes[-2].split(".")) if len(scopes) > 1 else ()
    name = proto.name[:1_000].partition(";")[0]
    return inside_of(name)


def _classes(proto: Any) -> dict[tuple[str, ...], str]:
    """`Conv2d` of each module that a step stands in, where it is said."""
    told = {each.key: QUOTED.findall(each.value[:4_000]) for each in proto.metadata_props
            if each.key in (SCOPES, CLASSES)}
    return {path: name.rpartition(".")[2][:60] for scope, name in
            zip(told.get(SCOPES, [])[1:-1], told.get(CLASSES, [])[1:-1], strict=False)
            if (path := _parts(scope.split("."))) and name.rpartition(".")[2].isidentifier()}


def inside_of(name: str) -> tuple[str, ...]:
    """`/layer1/layer1.0/conv/Conv` stands in layer1, 0, conv: a part of a list repeats the name of the list."""
    if "/" not in name:
        return ()
    found: list[str] = []
    before = ""
    for each in name.strip("/").split("/")[:-1]:
        found += (each[len(before) + 1:] if before and each.startswith(f"{before}.") else each).split(".")
        before = each
    return _parts(found)


def _parts(names: Iterable[str]) -> tuple[str, ...]:
    found = (re.sub(r"[^A-Za-z0-9_]+", "_", each).strip("_")[:60] for name in names for each in branched(name))
    return tuple(each for each in found if each)[:24]


def branched(name: str) -> tuple[str, ...]:
    """`If_0_then_branch__Inline_0__encoder` as `then`, `encoder`."""
    match = BRANCH.match(name)
    return (name,) if match is None else (match[2], name[match.end():])


# --- what goes in ---------------------------------------------------------------------------------------------------

def _input(proto: Any, room: Room) -> Input:
    about = proto.type.tensor_type
    if not proto.type.HasField("tensor_type"):
        room.unknown.append(tr("inputs that are lists of tensors"))
    if about.elem_type not in DTYPES:
        room.unknown.append(tr("inputs of {type}").format(type=NAMES.get(about.elem_type, tr("no type"))))
        return Input(proto.name, torch.float32, ())
    dtype = DTYPES[about.elem_type]
    room.halves |= dtype in WIDER
    sizes = about.shape.dim
    if len(sizes) > 12:
        raise Odd(tr("{name} has {count} axes").format(name=proto.name[:60], count=len(sizes)))
    found = tuple(each.dim_value if 0 < each.dim_value < 1 << 31 else None for each in sizes)
    return Input(proto.name, WIDER.get(dtype, dtype), found, tuple(each.dim_param[:80] for each in sizes))


def _dtype(about: Any) -> torch.dtype | None:
    code = about.tensor_type.elem_type if about.HasField("tensor_type") else 0
    return WIDER.get(DTYPES[code], DTYPES[code]) if code in DTYPES else None
