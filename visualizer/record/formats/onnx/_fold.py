"""A graph made simpler before it runs: what follows from constants is computed once, and steps that exporters have
taken apart are put together again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from visualizer.record.formats.onnx._graph import Graph, Node, Program, reads_of
from visualizer.record.formats.onnx._run import MOST_MADE, Run
from visualizer.record.formats.onnx.operators.recurrent import mode

BY_CHANCE = frozenset({"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli"})
MOVES = frozenset({"Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Cast", "Identity", "DequantizeLinear"})
"""What leaves a weight what it is."""
LINEAR, RECURRENT = "visualizer.Linear", "visualizer.Recurrent"


@dataclass(eq=False)
class Folded:
    """A model whose constants are known."""

    graph: Graph
    known: dict[str, Tensor]
    """What is the same in every run, by name."""
    origin: dict[str, str] = field(default_factory=dict)
    """What a constant was called in the file that it is another form of."""


def folded(program: Program) -> Folded:
    """The program with its constants computed; raises TooLarge where these would take too much."""
    found = Folded(program.graph, dict(program.tensors), {name: name for name in program.tensors})
    run = Run({}, {}, dict(found.known), set(found.known), most=MOST_MADE)
    same: dict[str, str] = {}
    graph = _constants(program.graph, found, run, same)
    found.graph = _renamed_ends(graph, same)
    found.graph = _put_together(found.graph, found)
    return found


# --- constants ------------------------------------------------------------------------------------------------------

def _constants(graph: Graph, found: Folded, run: Run, same: dict[str, str]) -> Graph:
    nodes: list[Node] = []
    for node in graph.nodes:
        _constant(node, nodes, found, run, same)
    return Graph(graph.inputs, tuple(same.get(name, name) for name in graph.outputs), tuple(nodes))


def _constant(node: Node, nodes: list[Node], found: Folded, run: Run, same: dict[str, str]) -> None:
    """Keep a step, or what it makes; `same` learns which names stand for what other names stand for already."""
    node = replace(node, given=tuple(same.get(name, name) for name in node.given))
    if (node.op == "Identity" or (node.op == "Dropout" and len([name for name in node.made if name]) == 1)) \
            and node.given:
        same[node.made[0]] = node.given[0]
        return
    if node.op == "If" and node.given[0] in found.known:
        branch: Graph = node.said["then_branch" if bool(found.known[node.given[0]].any()) else "else_branch"]
        for each in branch.nodes:
            _constant(each, nodes, found, run, same)
        same.update({name: same.get(out, out) for name, out in zip(node.made, branch.outputs, strict=True)})
        return
    if node.graphs:
        nodes.append(replace(node, said={key: _constants(each, found, run, same) if isinstance(each, Graph) else each
                                         for key, each in node.said.items()}))
        return
    if node.op in BY_CHANCE or not all(name in found.known for name in node.given if name):
        nodes.append(node)
        return
    run.step(node)
    made = [run.env[name] for name in node.made if name]
    if not all(isinstance(each, Tensor) for each in made):
        nodes.append(node)
        return
    found.known.update({name: run.env[name] for name in node.made if name})
    if node.op == "Constant" and "onstant" not in node.made[0]:
        found.origin[node.made[0]] = node.made[0]
    if node.op in MOVES and node.given and node.given[0] in found.origin:
        found.origin[node.made[0]] = found.origin[node.given[0]]


def _renamed_ends(graph: Graph, same: Mapping[str, str]) -> Graph:
    return Graph(graph.inputs, tuple(same.get(name, name) for name in graph.outputs), graph.nodes)


# --- put together again ---------------------------------------------------------------------------------------------

def _put_together(graph: Graph, found: Folded) -> Graph:
    """Each graph by itself."""
    nodes: Sequence[Node] = [replace(node, said={key: _put_together(each, found) if isinstance(each, Graph) else each
                                                 for key, each in node.said.items()}) if node.graphs else node
                             for node in graph.nodes]
    for pattern in PATTERNS:
        nodes = pattern(nodes, _Uses(nodes, graph.outputs), found)
    return Graph(graph.inputs, graph.outputs, tuple(nodes))


class _Uses:
    """Who makes and who reads each name of a graph."""

    def __init__(self, nodes: Sequence[Node], outputs: Sequence[str]) -> None:
        self.maker = {name: node for node in nodes for name in node.made if name}
        self.count = Counter(name for node in nodes for name in (*node.given, *_deep(node)) if name)
        self.count.update(outputs)
        self.readers: dict[str, list[Node]] = {}
        for node in nodes:
            for name in reads_of(node):
                self.readers.setdefault(name, []).append(node)

    def only(self, name: str, op: str) -> Node | None:
        """The step of this kind that makes a name which is read once."""
        node = self.maker.get(name)
        return node if node is not None and node.op == op and self.count[name] == 1 else None

    def reader(self, name: str, *ops: str) -> Node | None:
        """The one step that reads a name, if it is of one of these kinds."""
        found = self.readers.get(name, [])
        return found[0] if len(found) == 1 and self.count[name] == 1 and found[0].op in ops else None


def _deep(node: Node) -> Iterator[str]:
    for graph in node.graphs:
        yield from graph.outputs
        for each in graph.nodes:
            yield from each.given
            yield from _deep(each)


def _replaced(nodes: Sequence[Node], instead: Mapping[int, Node | None]) -> list[Node]:
    """The steps with others in the places of some, by id."""
    return [found for node in nodes if (found := instead.get(id(node), node)) is not None]


def _linear(nodes: Sequence[Node], uses: _Uses, found: Folded) -> list[Node]:
    """A product with a constant matrix, and a constant that is added to each of its columns."""
    instead: dict[int, Node | None] = {}
    for node in nodes:
        weight = _matrix(node, found)
        if weight is None:
            continue
        width = found.known[weight].shape[0]
        if node.op == "Gemm":
            bias = node.given[2] if len(node.given) > 2 else ""
            if bias and (bias not in found.known or found.known[bias].numel() != width):
                continue
            instead[id(node)] = replace(node, op=LINEAR, given=(node.given[0], weight, *_row(bias, found)), said={})
            continue
        more = uses.reader(node.made[0], "Add")
        other = "" if more is None else next((name for name in more.given if name != node.made[0]), "")
        if more is not None and other in found.known and found.known[other].numel() == width \
                and found.known[other].dim() >= 1 and found.known[other].shape[-1] == width \
                and found.known[other].dim() <= 2:
            instead[id(node)] = None
            instead[id(more)] = replace(node, op=LINEAR, name=node.name, given=(node.given[0], weight,
                                                                             *_row(other, found)),
                                        made=more.made, said={}, path=more.path or node.path)
        else:
            instead[id(node)] = replace(node, op=LINEAR, given=(node.given[0], weight), said={})
    return _replaced(nodes, instead)


def _matrix(node: Node, found: Folded) -> str | None:
    """The name of the constant matrix, turned so that each row makes one number."""
    if node.op not in ("MatMul", "Gemm") or node.given[1] not in found.known or node.given[0] in found.known:
        return None
    if node.op == "Gemm" and (node.get("transA", 0) or node.get("alpha", 1.0) != 1 or (
            len(node.given) > 2 and node.get("beta", 1.0) != 1)):
        return None
    weight = found.known[node.given[1]]
    if weight.dim() != 2 or not weight.is_floating_point():
        return None
    if node.op == "Gemm" and node.get("transB", 0):
        return node.given[1]
    name = f"{node.given[1]}.turned"
    if name not in found.known:
        found.known[name] = weight.t().contiguous()
        found.origin[name] = found.origin.get(node.given[1], "")
    return name


def _row(name: str, found: Folded) -> tuple[str, ...]:
    """A bias as one row."""
    if not name:
        return ()
    if found.known[name].dim() == 1:
        return (name,)
    flat = f"{name}.row"
    found.known[flat] = found.known[name].reshape(-1)
    found.origin[flat] = found.origin.get(name, "")
    return (flat,)


def _silu(nodes: Sequence[Node], uses: _Uses, found: Folded) -> list[Node]:
    """x · σ(x)."""
    instead: dict[int, Node | None] = {}
    for node in nodes:
        if node.op != "Mul" or len(node.given) != 2:
            continue
        for x, curve in (node.given, node.given[::-1]):
            inner = uses.only(curve, "Sigmoid")
            if inner is not None and inner.given[0] == x:
                instead[id(inner)] = None
                instead[id(node)] = replace(node, op="Swish", given=(x,), said={})
    return _replaced(nodes, instead)


def _number(name: str, found: Folded) -> float | None:
    held = found.known.get(name)
    return float(held) if held is not None and held.numel() == 1 and held.is_floating_point() else None


def _hardswish(nodes: Sequence[Node], uses: _Uses, found: Folded) -> list[Node]:
    """x · clip(x + 3, 0, 6) / 6, as frameworks write it that have no name for it."""
    instead: dict[int, Node | None] = {}
    for node in nodes:
        if node.op != "Div" or _number(node.given[1], found) != 6:
            continue
        product = uses.only(node.given[0], "Mul")
        if product is None:
            continue
        for x, curve in (product.given, product.given[::-1]):
            clip = uses.only(curve, "Clip")
            added = None if clip is None else uses.only(clip.given[0], "Add")
            if clip is None or added is None or x not in added.given:
                continue
            low, high = ([_number(name, found) for name in clip.given[1:]] + [None, None])[:2] \
                if len(clip.given) > 1 else (clip.get("min"), clip.get("max"))
            other = next((name for name in added.given if name != x), "")
            if (low, high, _number(other, found)) == (0, 6, 3):
                instead |= {id(each): None for each in (product, clip, added)}
                instead[id(node)] = replace(node, op="HardSwish", given=(x,), said={})
    return _replaced(nodes, instead)


def _gelu(nodes: Sequence[Node], uses: _Uses, found: Folded) -> list[Node]:
    """x · ½ · (1 + erf(x / √2)), in the orders in which exporters write it."""
    instead: dict[int, Node | None] = {}
    for node in nodes:
        if node.op != "Erf":
            continue
        inner = uses.maker.get(node.given[0])
        if inner is None or uses.count[node.given[0]] != 1:
            continue
        factor = _number(inner.given[1], found) if len(inner.given) > 1 else None
        if factor is None or not ((inner.op == "Div" and abs(factor - 2 ** 0.5) < 1e-4)
                                  or (inner.op == "Mul" and abs(factor - 0.5 ** 0.5) < 1e-4)):
            continue
        x = inner.given[0]
        added = uses.reader(node.made[0], "Add")
        if added is None or not any(_number(name, found) == 1 for name in added.given):
            continue
        last, seen, steps = added, [], [inner, node, added]
        for _ in range(2):
            after = uses.reader(last.made[0], "Mul")
            if after is None:
                break
            steps.append(after)
            seen.append(next(name for name in after.given if name != last.made[0]))
            last = after
        halves = [name for name in seen if _number(name, found) == 0.5]
        rest = [name for name in seen if name not in halves]
        if rest == [x] and len(halves) == 1:
            ends = steps
        else:
            half = uses.maker.get(rest[0]) if len(rest) == 1 and not halves else None
            if half is None or half.op != "Mul" or uses.count[rest[0]] != 1 or x not in half.given \
                    or not any(_number(name, found) == 0.5 for name in half.given):
                continue
            ends = [*steps, half]
        instead |= {id(each): None for each in ends}
        instead[id(last)] = replace(last, op="Gelu", given=(x,), said={})
    return _replaced(nodes, instead)


def _layer_norm(nodes: Sequence[Node], uses: _Uses, found: Folded) -> list[Node]:
    """(x − mean) / √(mean of squares + ε) · w + b, along the last axis."""
    instead: dict[int, Node | None] = {}
    for node in nodes:
        if node.op != "ReduceMean" or not _last_axis(node, found):
            continue
        x = node.given[0]
        middle = next((each for each in uses.readers.get(node.made[0], ()) if each.op == "Sub"
                       and each.given == (x, node.made[0])), None)
        if middle is None or uses.count[node.made[0]] != 1:
            continue
        square = next((each for each in uses.readers.get(middle.made[0], ()) if (
            each.op == "Pow" and _number(each.given[1], found) == 2) or (
            each.op == "Mul" and set(each.given) == {middle.made[0]})), None)
        spread = None if square is None else uses.reader(square.made[0], "ReduceMean")
        if square is None or spread is None or not _last_axis(spread, found):
            continue
        added = uses.reader(spread.made[0], "Add")
        root = None if added is None else uses.reader(added.made[0], "Sqrt")
        whole = None if root is None else uses.reader(root.made[0], "Div")
        if added is None or root is None or whole is None or whole.given != (middle.made[0], root.made[0]) \
                or uses.count[middle.made[0]] != 2 + (square.op == "Mul"):
            continue
        eps = next((number for name in added.given if (number := _number(name, found)) is not None), None)
        scaled = uses.reader(whole.made[0], "Mul")
        moved = None if scaled is None else uses.reader(scaled.made[0], "Add")
        if eps is None or scaled is None or moved is None:
            continue
        weight = next((name for name in scaled.given if name in found.known), "")
        bias = next((name for name in moved.given if name in found.known), "")
        if not weight or not bias or not (found.known[weight].dim() == found.known[bias].dim() == 1):
            continue
        instead |= {id(each): None for each in (node, middle, square, spread, added, root, whole, scaled)}
        instead[id(moved)] = replace(moved, op="LayerNormalization", given=(x, weight, bias),
                                     said={"axis": -1, "epsilon": eps})
    return _replaced(nodes, instead)


def _last_axis(node: Node, found: Folded) -> bool:
    axes = node.get("axes")
    if axes is None and len(node.given) > 1 and node.given[1] in found.known:
        axes = found.known[node.given[1]].reshape(-1).tolist()
    return axes is not None and list(axes) == [-1] and bool(node.get("keepdims", 1))


def _layers(nodes: Sequence[Node], uses: _Uses, found: Folded) -> list[Node]:
    """LSTM, GRU and RNN with constant weights as layers of torch, which hand on (step, sample, unit): so the steps that
    take ONNX's axis of directions away again fall out."""
    instead: dict[int, Node | None] = {}
    for node in nodes:
        given = (*node.given, "", "", "", "", "")[:8]
        if node.op not in ("LSTM", "GRU", "RNN") or not mode(node) or node.get("layout", 0) or given[7] \
                or not all(name in found.known for name in given[1:3]) \
                or (given[3] and given[3] not in found.known) or given[0] in found.known:
            continue
        sides = found.known[given[1]].shape[0]
        output = node.made[0] if node.made else ""
        last = _without_sides(output, sides, uses, found, instead) if output else None
        said = {**node.said, "kind": node.op, "flat": last is not None}
        made = (last, *node.made[1:]) if last is not None else node.made
        instead[id(node)] = replace(node, op=RECURRENT, said=said, made=made)
    return _replaced(nodes, instead)


def _without_sides(output: str, sides: int, uses: _Uses, found: Folded, instead: dict[int, Node | None]) -> str | None:
    """The name behind the steps that join the directions; None where there are none."""
    squeezed = uses.reader(output, "Squeeze")
    if squeezed is not None and sides == 1:
        axes = squeezed.get("axes") or (found.known[squeezed.given[1]].reshape(-1).tolist()
                                        if len(squeezed.given) > 1 and squeezed.given[1] in found.known else None)
        if axes == [1]:
            instead[id(squeezed)] = None
            return squeezed.made[0]
    turned = uses.reader(output, "Transpose")
    joined = None if turned is None or list(turned.get("perm", [])) != [0, 2, 1, 3] else \
        uses.reader(turned.made[0], "Reshape")
    if turned is not None and joined is not None:  # from (step, sample, side · unit) it changes nothing
        flat = f"{output}.flat"
        instead[id(turned)] = None
        instead[id(joined)] = replace(joined, given=(flat, joined.given[1]))
        return flat
    return None


@dataclass(frozen=True, eq=False)
class _Chain:
    """The steps of a recurrent layer that were written out one by one."""

    read: Node
    """The product with the whole input."""
    again: Node
    """The product with the state before, the same in each step but the first, which begins with zeros."""
    nodes: tuple[Node, ...]
    """All that the layer takes the place of."""


def _unrolled(nodes: Sequence[Node], uses: _Uses, found: Folded) -> list[Node]:
    """A layer of h_t = tanh(W·x_t + b + U·h_(t−1) + c) whose steps were written out one by one, as torch's newer
    exporter does it: a recurrent layer again."""
    instead: dict[int, Node | None] = {}
    joined = {node.given[-1]: node for node in nodes if node.op == "Concat" and node.get("axis") == 0}
    for node in nodes:
        if node.op not in ("Tanh", "Relu") or id(node) in instead:
            continue
        end = joined.get(node.made[0])
        states = list(end.given) if end is not None else _states(node, uses)
        chain = _chain(states, 1 if end is not None else 0, uses, found) if len(states) > 1 else None
        if chain is None:
            continue
        weights = _as_recurrent(f"{node.made[0]}.layer", chain, found)
        said = {"kind": "RNN", "flat": True, "hidden_size": found.known[chain.again.given[1]].shape[0],
                "activations": [node.op]}
        instead |= {id(each): None for each in chain.nodes}
        instead[id(end or node)] = replace(end or node, op=RECURRENT, given=(chain.read.given[0], *weights), said=said,
                                           made=("" if end is None else end.made[0], node.made[0]), path=node.path)
    return _replaced(nodes, instead)


def _states(last: Node, uses: _Uses) -> list[str]:
    """The hidden states that lead to a last one, from the first on."""
    found = [last.made[0]]
    while len(found) < 10_000:
        added = uses.only(uses.maker[found[0]].given[0], "Add")
        before = next((each for name in (added.given if added else ()) if (each := uses.only(name, LINEAR))), None)
        maker = None if before is None else uses.maker.get(before.given[0])
        if maker is None or maker.op != last.op:
            break
        found.insert(0, maker.made[0])
    return found


def _chain(states: Sequence[str], joined: int, uses: _Uses, found: Folded) -> _Chain | None:
    """The steps that make these hidden states, each of which is read by the next, and once more where they are joined;
    None where they are not the steps of one layer that begins with zeros."""
    steps = list[Node]()
    read = again = None
    begins = ""
    for place, name in enumerate(states):
        curve = uses.maker.get(name)
        added = None if curve is None or curve.op != uses.maker[states[0]].op else uses.only(curve.given[0], "Add")
        if curve is None or added is None or (place < len(states) - 1 and uses.count[name] != 1 + joined):
            return None
        taken = [one for each in added.given if (one := _taken(each, uses, found))]
        rest = [each for each in added.given if _taken(each, uses, found) is None]
        source = uses.maker.get(taken[0][0]) if taken else None
        if len(rest) != 1 or source is None or taken[0][1] != place or source.op != LINEAR or len(source.given) != 3 \
                or (read is not None and source is not read):
            return None
        read = source
        steps += [curve, added, *taken[0][2]]
        if place == 0:
            begins = rest[0]
            continue
        product = uses.only(rest[0], LINEAR)
        if product is None or product.given[0] != states[place - 1] or len(product.given) != 3 \
                or (again is not None and product.given[1:] != again.given[1:]):
            return None
        again = again or product
        steps.append(product)
    if read is None or again is None or begins not in found.known or uses.count[read.made[0]] != len(states):
        return None
    first, bias = found.known[begins], found.known[again.given[2]]
    if first.shape[-1] != bias.shape[-1] or not bool((first == bias).all()):
        return None
    return _Chain(read, again, (*steps, read))


def _taken(name: str, uses: _Uses, found: Folded) -> tuple[str, int, list[Node]] | None:
    """From what a step of a sequence was taken, and which one: by a slice of one row, or by its place."""
    node = uses.maker.get(name)
    if node is None or uses.count[name] != 1:
        return None
    if node.op == "Gather" and node.get("axis", 0) == 0 and node.given[1] in found.known \
            and found.known[node.given[1]].numel() == 1:
        return node.given[0], int(found.known[node.given[1]]), [node]
    if node.op != "Squeeze":
        return None
    cut = uses.only(node.given[0], "Slice")
    told = [found.known[each].reshape(-1).tolist() for each in cut.given[1:4]] if cut is not None and \
        len(cut.given) >= 4 and all(each in found.known for each in cut.given[1:]) else []
    if cut is None or len(told) != 3 or told[2] != [0] or told[1][0] != told[0][0] + 1:
        return None
    return cut.given[0], told[0][0], [node, cut]


def _as_recurrent(name: str, chain: _Chain, found: Folded) -> tuple[str, ...]:
    """The names of the weights as ONNX has them in one step: W, R and B."""
    _, weight, bias = (found.known.get(each, torch.empty(0)) for each in chain.read.given)
    _, own, own_bias = (found.known.get(each, torch.empty(0)) for each in chain.again.given)
    made = {f"{name}.w": weight[None], f"{name}.r": own[None], f"{name}.b": torch.cat([bias, own_bias])[None]}
    found.known.update(made)
    return tuple(made)


Pattern = Callable[[Sequence[Node], _Uses, Folded], list[Node]]
PATTERNS: tuple[Pattern, ...] = (_layer_norm, _gelu, _hardswish, _silu, _linear, _unrolled, _layers)


def every(graph: Graph) -> Iterator[Node]:
    """Every step, those of the graphs inside, too."""
    for node in graph.nodes:
        yield node
        for each in node.graphs:
            yield from every(each)

