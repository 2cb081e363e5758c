"""The graph of an exported program: from its JSON to the steps that are run, each with all it needs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import torch

from visualizer.language import english, numeral, tr, translated
from visualizer.record.formats.pt2 import _operators
from visualizer.record.formats.pt2._archive import DTYPES, Odd, Words
from visualizer.unpack import TooMuch

MOST_NODES = 4_000
MOST_DEEP = 4
"""Graphs in one another: of `torch.no_grad`, of `autocast`."""
NAME = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+){0,31}")
"""A path of modules."""
Env = dict[str, Any]
"""What every name of a graph stands for, as it runs."""


INSIDE = frozenset({"torch.ops.higher_order.wrap_with_set_grad_enabled", "torch.ops.higher_order.wrap_with_autocast"})
"""Steps that run a graph of their own: what stands under `torch.no_grad` and `torch.autocast`."""


class Ref(NamedTuple):
    """What another step made, by its name."""

    name: str


class Caller(NamedTuple):
    """Which call of which module a step belongs to."""

    path: str
    call: str
    """`L__self___l`, `L__self___l@1`: told apart where a module is called again."""
    made: str = ""
    """The class of the module, without where that stands: `Bottleneck`."""


@dataclass(frozen=True, eq=False)
class Node:
    """One operator with its arguments."""

    target: str
    does: Callable[..., Any]
    given: tuple[Any, ...]
    named: Mapping[str, Any]
    made: tuple[Any, ...]
    """For each output its name, a tuple of names, or None."""
    callers: tuple[Caller, ...]
    """From the model itself, which is left out, to the innermost module."""
    source: str = ""
    """File and line of the model's own code that asked for it."""
    stays: bool = False
    """Whether it makes what has the shape and the type of the first that it reads."""
    begins: bool = False
    """Whether it can make a tensor out of nothing, and would have to be told where."""


@dataclass(frozen=True, eq=False)
class Graph:
    """Steps in their order, and what goes in and comes out."""

    inputs: tuple[str, ...]
    outputs: tuple[Any, ...]
    nodes: tuple[Node, ...]
    shapes: Mapping[str, Words] = field(repr=False)
    """What the file says of each tensor; believed by nobody."""


@dataclass(frozen=True)
class Input:
    """One tensor that is given to the model, as the file says it."""

    name: str
    dtype: torch.dtype
    sizes: tuple[int, ...]
    """As it was exported."""
    strides: tuple[int, ...]
    free: frozenset[int]
    """Axes of any size."""


@dataclass(frozen=True, eq=False)
class Program:
    """A whole model, still without its numbers."""

    graph: Graph
    held: Mapping[str, str]
    """Names in the graph -> parameter, buffer or constant."""
    constants: Mapping[str, Any]
    """Names in the graph -> plain values that were given when it was exported."""
    inputs: tuple[Input, ...]
    outputs: tuple[Any, ...]
    shaped: Any
    """How what comes out is put together: the tree of `module_call_graph`, or None."""


class Unsupported(Exception):
    """Operators that are not known here: all of them."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = tuple(sorted(dict.fromkeys(names)))


def value(told: Any, env: Env) -> Any:
    """An argument as it is when a step runs."""
    if type(told) is Ref:
        return env[told.name]
    if type(told) is list:
        return [value(each, env) for each in told]
    return told


def keep(names: tuple[Any, ...], made: Any, env: Env) -> None:
    """Give what a step made to its names."""
    several = made if len(names) > 1 else (made,)
    if len(names) > len(several):
        raise TypeError(tr("{count} results, where the file names {names}"
                           ).format(count=len(several), names=len(names)))
    for name, each in zip(names, several, strict=False):
        if type(name) is tuple:
            if len(name) != len(each):
                raise TypeError(tr("{count} results, where the file names {names}"
                                   ).format(count=len(each), names=len(name)))
            env.update(zip(name, each, strict=True))
        elif name is not None:
            env[name] = each


def program(words: Words) -> Program:
    """The model that the JSON describes; raises Odd, and Unsupported with every operator that is not known."""
    module = _dict(words.get("graph_module"), english("the graph"))
    unknown: list[str] = []
    signature = _dict(module.get("signature"), english("the signature"))
    graph = _graph(_dict(module.get("graph"), english("the graph")), unknown, 0)
    held: dict[str, str] = {}
    constants: dict[str, Any] = {}
    given: list[str] = []
    for spec in _list(signature.get("input_specs"), english("the inputs")):
        kind, about = _union(spec)
        if kind in ("parameter", "buffer", "tensor_constant"):
            held[_name(about.get("arg"))] = _text(about.get(f"{kind}_name"))
        elif kind == "constant_input":
            constants[_text(about.get("name"))] = _argument(about.get("value"), unknown, 0)
        elif kind == "user_input":
            argument = _argument(about.get("arg"), unknown, 0)
            if type(argument) is not Ref:
                continue  # a plain value stands in the graph already
            given.append(argument.name)
        else:
            unknown.append(tr("inputs of the kind {kind}").format(kind=kind))
    outputs = [_argument(about.get("arg"), unknown, 0)
               for spec in _list(signature.get("output_specs"), english("the outputs"))
               for kind, about in [_union(spec)] if kind == "user_output"]
    if unknown:
        raise Unsupported(unknown)
    _in_order(graph, {*held, *constants, *given}, outputs)
    graph = _with_linear(graph, held)
    return Program(graph, held, constants, tuple(_input(name, graph.shapes) for name in given), tuple(outputs),
                   _tree(module.get("module_call_graph")))


# --- steps ----------------------------------------------------------------------------------------------------------

def _graph(words: Words, unknown: list[str], depth: int) -> Graph:
    if depth > MOST_DEEP:
        raise Odd(tr("its graphs stand too deep in one another"))
    nodes = _list(words.get("nodes"), english("the steps"))
    if len(nodes) > MOST_NODES:
        raise TooMuch(tr("it has {count} steps, more than {most}"
                         ).format(count=numeral(f"{len(nodes):,}"), most=numeral(f"{MOST_NODES:,}")))
    inputs = tuple(argument.name for each in _list(words.get("inputs"), english("the inputs"))
                   if type(argument := _argument(each, unknown, depth)) is Ref)
    read = frozenset(_named_in((*[each.get("inputs") for each in nodes if isinstance(each, dict)],
                                words.get("outputs"))))
    made = [node for each in nodes if (node := _node(_dict(each, english("a step")), unknown, depth, read)) is not None]
    outputs = tuple(_argument(each, unknown, depth) for each in _list(words.get("outputs"), english("the outputs")))
    return Graph(inputs, outputs, tuple(made), _dict(words.get("tensor_values"), english("the shapes")))


def _node(words: Words, unknown: list[str], depth: int, read: frozenset[str]) -> Node | None:
    target = _text(words.get("target"))
    callers, source = _callers(words.get("metadata"))
    told = [(str(each.get("name"))[:100], _argument(each.get("arg"), unknown, depth), each.get("kind"))
            for each in map(_input_of, _list(words.get("inputs"), english("what a step reads")))]
    made = tuple(name if type(name := _made(each)) is not str or name in read else None
                 for each in _list(words.get("outputs"), english("what a step makes")))
    if target in INSIDE:
        return Node(target, _never, tuple(argument for _, argument, _ in told), {}, made, callers, source)
    alone = made[:1] != (None,) and sum(each is not None for each in made) == 1
    found = _operators.function(target, alone)
    if found is None:
        unknown.append(target.removeprefix("torch.ops.")[:80])
        return None
    does, names, begins = found
    made = made[:1] if alone and does in _operators.FIRST_ALONE.values() else made
    if not names:
        return Node(target, does, tuple(argument for _, argument, _ in told), {}, made, callers, source)
    known = {name: argument for name, argument, _ in told if name not in _operators.NO_MATTER}
    given = []
    for name in names:
        if name not in known:
            break
        given.append(known.pop(name))
    if "self" in known or ("input" in known and names[0] == "self"):
        raise Odd(tr("{target} lacks what it reads").format(target=target[:60]))
    return Node(target, does, tuple(given), known, made, callers, source, _operators.stays(target), begins)


def _with_linear(graph: Graph, held: Mapping[str, str]) -> Graph:
    """The graph with `linear` where it has been taken apart: a weight turned over, then x·Wᵀ, and a bias added."""
    turned = {node.made[0]: node.given[0] for node in graph.nodes if _turns(node) and node.given[0].name in held}
    nodes = [_as_linear(node, turned, graph.shapes) for node in graph.nodes]
    read = {each.name for node in nodes for each in _refs((*node.given, *node.named.values()))}
    read |= {each.name for each in _refs(graph.outputs)}
    return replace(graph, nodes=tuple(node for node in nodes if node.made[:1] == () or node.made[0] not in turned
                                      or node.made[0] in read))


def _turns(node: Node) -> bool:
    """Whether it swaps the two axes of a matrix, as torch writes it once it has taken steps apart; a model writes
    `W.t()` or `W.T`."""
    return node.target == "torch.ops.aten.permute.default" and len(node.given) == 2 and node.given[1] == [1, 0] \
        and type(node.given[0]) is Ref


def _as_linear(node: Node, turned: Mapping[str, Ref], shapes: Mapping[str, Words]) -> Node:
    bias, given = (None, node.given) if node.target.endswith("aten.mm.default") else (node.given[:1], node.given[1:])
    if node.target not in ("torch.ops.aten.mm.default", "torch.ops.aten.addmm.default") or node.named \
            or len(given) != 2 or type(given[1]) is not Ref or given[1].name not in turned:
        return node
    if bias is not None and (type(bias[0]) is not Ref or len(shapes.get(bias[0].name, {}).get("sizes", ())) != 1):
        return node
    found = _operators.function("torch.ops.aten.linear.default")
    assert found is not None
    return replace(node, target="torch.ops.aten.linear.default", does=found[0],
                   given=(given[0], turned[given[1].name], *(bias or ())))


def _refs(values: Sequence[Any]) -> Iterator[Ref]:
    """All names among arguments, those that a graph inside reads by its own arguments included."""
    for each in values:
        if type(each) is Ref:
            yield each
        elif type(each) is list:
            yield from _refs(each)


def _never(*given: Any) -> Any:
    raise TypeError(tr("a graph inside a graph is run by the module"))


def _in_order(graph: Graph, known: set[str], outputs: Sequence[Any]) -> None:
    """Odd where something is read before it is made."""
    for node in graph.nodes:
        _known((*node.given, *node.named.values()), known)
        for each in node.given:
            if type(each) is Graph:
                _in_order(each, set(each.inputs), each.outputs)
        for name in node.made:
            known.update(name if type(name) is tuple else (name,))
    _known(outputs, known)


def _known(values: Sequence[Any], known: set[str]) -> None:
    for each in _refs(values):
        if each.name not in known:
            raise Odd(tr("{name} is read, and never made").format(name=each.name[:60]))


def _input_of(words: Any) -> Words:
    return _dict(words, english("what a step reads"))


def _made(words: Any) -> Any:
    """The name, or the names, of one output."""
    kind, about = _union(words)
    if kind == "as_tensor":
        return _text(about.get("name"))
    if kind == "as_tensors":
        return tuple(_text(each.get("name")) for each in map(_input_of, about))
    if kind in ("as_sym_int", "as_sym_bool", "as_sym_float"):
        return _text(about["as_name"]) if isinstance(about, dict) and "as_name" in about else None
    if kind in ("as_optional_tensor", "as_optional_tensors"):
        return tuple(map(_made, about)) if isinstance(about, list) else _made(about)
    return None


def _named_in(words: Any) -> Iterator[str]:
    """Every name that stands among arguments."""
    waiting = [words]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            yield from (each for key in ("name", "as_name") if isinstance(each := found.get(key), str))
            waiting.extend(found.values())
        elif isinstance(found, list | tuple):
            waiting.extend(found)


def _callers(metadata: Any) -> tuple[tuple[Caller, ...], str]:
    """The modules that a step stands in, and the line of the model's own code that asked for it."""
    if not isinstance(metadata, dict):
        return (), ""
    found = []
    for each in str(metadata.get("nn_module_stack", ""))[:20_000].split(";"):
        parts = each.split(",")
        path = parts[1] if len(parts) > 1 else ""
        if NAME.fullmatch(path):
            made = parts[2].rpartition(".")[2][:60] if len(parts) > 2 else ""
            found.append(Caller(path, parts[0], made if made.isidentifier() else ""))
    return tuple(found), _source(str(metadata.get("stack_trace", ""))[:20_000])


def _source(lines: str) -> str:
    """`net.py:41` of the innermost line that is not torch's own."""
    found = re.findall(r'File "([^"\n]*)", line ([0-9]+)', lines)
    own = [(name.replace("\\", "/"), line) for name, line in found]
    own = [(name, line) for name, line in own if "/torch/" not in name]
    return f"{own[-1][0].rpartition('/')[2][:60]}:{own[-1][1][:9]}" if own else ""


# --- arguments ------------------------------------------------------------------------------------------------------

def _argument(words: Any, unknown: list[str], depth: int) -> Any:
    """A plain value, a Ref, a list of these, or a Graph."""
    kind, about = _union(words)
    if kind == "as_none":
        return None
    if kind == "as_tensor":
        return Ref(_name(about))
    if kind == "as_tensors":
        return [Ref(_name(each)) for each in _list(about, english("tensors"))]
    if kind in ("as_optional_tensors", "as_sym_ints", "as_sym_floats", "as_sym_bools"):
        return [_size(each, unknown, depth) for each in _list(about, english("values"))]
    if kind in ("as_optional_tensor", "as_sym_int", "as_sym_float", "as_sym_bool"):
        return _size(about, unknown, depth)
    if kind in PLAIN_KINDS:
        return _plain(about, PLAIN_KINDS[kind])
    if kind in LISTED_KINDS:
        return [_plain(each, LISTED_KINDS[kind]) for each in _list(about, english("values"))]
    if kind == "as_scalar_type" and about in DTYPES:
        return DTYPES[about]
    if kind in ("as_device", "as_layout", "as_memory_format"):
        return None
    if kind == "as_complex" and isinstance(about, dict):
        return complex(_plain(about.get("real"), (float, int)), _plain(about.get("imag"), (float, int)))
    if kind == "as_graph" and isinstance(about, dict):
        return _graph(_dict(about.get("graph"), english("a graph")), unknown, depth + 1)
    unknown.append(tr("values of the kind {kind}").format(kind=kind[:40]))
    return None


PLAIN_KINDS: Mapping[str, tuple[type, ...]] = {"as_int": (int,), "as_float": (float, int, str), "as_bool": (bool,),
                                               "as_string": (str,)}
LISTED_KINDS: Mapping[str, tuple[type, ...]] = {"as_ints": (int,), "as_floats": (float, int, str),
                                                "as_bools": (bool,), "as_strings": (str,)}
NAMED_FLOATS = {"Infinity": float("inf"), "-Infinity": float("-inf"), "NaN": float("nan")}


def _plain(found: Any, types: tuple[type, ...]) -> Any:
    if type(found) not in types:
        raise Odd(tr("a value is {found!r}, which is of another type than it says").format(found=str(found)[:40]))
    if isinstance(found, str) and float in types:
        if found not in NAMED_FLOATS:
            raise Odd(tr("{found!r} is no number").format(found=found[:40]))
        return NAMED_FLOATS[found]
    if isinstance(found, str) and len(found) > 1000:
        raise Odd(tr("a word in it is longer than a page"))
    if type(found) is int and abs(found) >= 1 << 63:
        raise Odd(tr("a number in it is larger than any can be"))
    return found


def _size(words: Any, unknown: list[str], depth: int) -> Any:
    """A number, or the name of one; also a tensor, or nothing, of a list in which both stand."""
    kind, about = _union(words)
    if kind == "as_name":
        return Ref(_text(about))
    return _argument(words, unknown, depth)


def _input(name: str, shapes: Mapping[str, Words]) -> Input:
    """What the file says of a tensor that is given."""
    meta = _dict(shapes.get(name), tr("the shape of {name}").format(name=name[:40]))
    sizes, free = [], set()
    for axis, each in enumerate(_list(meta.get("sizes"), english("sizes"))):
        kind, about = _union(each)
        if kind == "as_expr":
            free.add(axis)
            hint = about.get("hint") if isinstance(about, dict) else None
            about = hint.get("as_int") if isinstance(hint, dict) else None
        sizes.append(about if type(about) is int and 0 < about < 1 << 31 else 1)
    strides = [each.get("as_int") if isinstance(each, dict) else None
               for each in _list(meta.get("strides"), english("strides"))]
    plain = all(type(each) is int and 0 <= each < 1 << 40 for each in strides) and len(strides) == len(sizes)
    if meta.get("dtype") not in DTYPES or len(sizes) > 12:
        raise Odd(tr("{name} is of a type of numbers that is not read").format(name=name[:40]))
    return Input(name, DTYPES[meta["dtype"]], tuple(sizes), tuple(strides) if plain else _packed(sizes),
                 frozenset(free))


def _packed(sizes: Sequence[int]) -> tuple[int, ...]:
    found, step = [], 1
    for size in reversed(sizes):
        found.append(step)
        step *= size
    return tuple(reversed(found))


def _tree(calls: Any) -> Any:
    """How what comes out is put together, as lists, tuples and dicts; None where that is not told."""
    try:
        spec = json.loads(next(each["signature"]["out_spec"] for each in calls if each["fqn"] == ""))
        return spec[1] if spec[0] == 1 else None
    except (StopIteration, LookupError, TypeError, ValueError, RecursionError):
        return None


def joined(tree: Any, parts: Sequence[Any]) -> Any:
    """What comes out, put together as the model did; one after the other where that is not told."""
    left = list(parts)

    def made(spec: Any, depth: int = 0) -> Any:
        if depth > 16:
            raise TypeError
        inside = spec["children_spec"]
        if spec["type"] is None:
            return left.pop(0)
        if spec["type"] == "builtins.dict":
            return {str(key): made(each, depth + 1)
                    for key, each in zip(json.loads(spec["context"]), inside, strict=True)}
        found = [made(each, depth + 1) for each in inside]
        if spec["type"] not in ("builtins.list", "builtins.tuple", "collections.namedtuple"):
            raise TypeError
        return found if spec["type"] == "builtins.list" else tuple(found)

    try:
        whole = made(tree)
    except (LookupError, TypeError, ValueError):
        left = [None]
    return whole if not left else parts[0] if len(parts) == 1 else tuple(parts)


# --- what JSON is ---------------------------------------------------------------------------------------------------

def _union(words: Any) -> tuple[str, Any]:
    """The one entry of an object that stands for one of several kinds."""
    if not isinstance(words, dict) or len(words) != 1:
        raise Odd(tr("a value in it is of no kind"))
    ((kind, about),) = words.items()
    return kind, about


def _dict(words: Any, what: str) -> dict[str, Any]:
    if not isinstance(words, dict):
        raise Odd(tr("{what} is missing").format(what=translated(what)))
    return words


def _list(words: Any, what: str) -> list[Any]:
    if not isinstance(words, list):
        raise Odd(tr("{what} are missing").format(what=translated(what)))
    return words


def _text(words: Any) -> str:
    if not isinstance(words, str) or not 0 < len(words) <= 1000:
        raise Odd(tr("a name in it is none"))
    return words


def _name(words: Any) -> str:
    return _text(words.get("name") if isinstance(words, dict) else None)
