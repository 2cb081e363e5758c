"""Running a graph, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from math import inf
from typing import Any

import torch
from torch import Tensor, nn

from visualizer.language import numeral, tr
from visualizer.record.formats.onnx._graph import Graph, Node
from visualizer.record.formats.onnx.operators import TABLE, Operator, TooLarge
from visualizer.record.formats.onnx.operators._table import told

MOST_STEPS = 12_000
"""So many steps may one run have, those of loops counted each time."""
MOST_MADE = 1 << 30
"""Bytes of all that one run makes: as much as a recording may hold."""
FEW = 64
"""A constant of so few numbers makes nothing large by one step."""


@dataclass(frozen=True)
class Scope:
    """The steps of one call of a module, one after the other, and the calls of others among them."""

    path: tuple[str, ...]
    held: tuple[Node | Scope, ...]


@dataclass(eq=False)
class Run:
    """One run: what the names stand for so far."""

    modules: Mapping[tuple[str, ...], nn.Module]
    scopes: Mapping[Graph, Sequence[Node | Scope]]
    """The steps of each graph inside, by the modules that they stand in."""
    env: dict[str, Any]
    plain: set[str] = field(default_factory=set)
    """Names of what follows from shapes and constants alone: it is computed aside, and is no step of the model."""
    most: int | None = None
    """Bytes that may still be made, where that has to be watched."""
    only_shapes: bool = False
    """Whether all tensors but the plain ones are without numbers, on torch's meta device."""
    ran: int = 0

    def every(self, steps: Sequence[Node | Scope]) -> None:
        """One after the other, each inside the module that it belongs to."""
        for step in steps:
            if isinstance(step, Scope):
                self.modules[step.path](self, step.held)
            else:
                self.step(step)

    def step(self, node: Node) -> None:
        """Compute it, and keep what it made under its names."""
        self.count(1)
        if node.graphs:
            return self.inside(node)
        operator = TABLE[node.op]
        given = [self.env[name] if name else None for name in node.given]
        aside = operator.shape_alone or all(name in self.plain for name in node.given if name)
        with torch._C.DisableTorchFunction() if aside else nullcontext(), torch.no_grad() if aside else nullcontext():
            arguments = self.arguments(node, operator, given, aside)
            if self.most is not None and not operator.shape_alone:
                self.look(node, operator, arguments, aside)
            made = operator.does(node, *arguments)
        if self.only_shapes and not aside and self.most is not None:
            self.spend(made)
        self.keep(node.made, made if isinstance(made, tuple) else (made,), aside)

    def count(self, steps: float, ahead: bool = False) -> None:
        """So many steps more; `ahead`: they are not done yet, and are counted again when they are."""
        if self.ran + steps > MOST_STEPS:
            raise TooLarge(tr("a loop in it has more than {most} steps; choose a smaller input or a smaller network."
                              ).format(most=numeral(f"{MOST_STEPS:,}")))
        self.ran += 0 if ahead else int(steps)

    def arguments(self, node: Node, operator: Operator, given: Sequence[Any], aside: bool) -> list[Any]:
        """What an operator is given: plain numbers where it wants these, tensors without numbers where only shapes are
        asked for."""
        found: list[Any] = []
        most = max((each.dim() for each in given if isinstance(each, Tensor)), default=0)
        for place, (name, each) in enumerate(zip(node.given, given, strict=True)):
            if not isinstance(each, Tensor) or (operator.shape_alone and not aside):
                found.append(each)
            elif place in operator.told:
                found.append(told(each))
            elif operator.numbers and not aside and name in self.plain and each.numel() == 1 and each.dim() <= most \
                    and any(isinstance(other, Tensor) and other.dim() >= each.dim() and one not in self.plain
                            for one, other in zip(node.given, given, strict=True)):
                with torch._C.DisableTorchFunction():  # looking at it is no step of the model
                    found.append(each.item())
            elif self.only_shapes and not aside:
                found.append(each.to("meta"))
            else:
                found.append(each)
        return found

    def look(self, node: Node, operator: Operator, arguments: Sequence[Any], aside: bool) -> None:
        """Find out how much a step is going to make before it does."""
        if self.only_shapes and not aside:
            return  # it makes nothing
        if aside and all(not isinstance(each, Tensor) or each.numel() <= FEW for each in arguments):
            return
        with torch._C.DisableTorchFunction(), torch.no_grad(), suppress(NotImplementedError, RuntimeError, TypeError):
            self.spend(operator.does(node, *map(_as_meta, arguments)))

    def spend(self, made: Any) -> None:
        assert self.most is not None
        self.most -= bytes_of(made)
        if self.most < 0:
            raise TooLarge(tr("it would make more numbers than there is room for; choose a smaller input or a smaller "
                              "network."))

    def keep(self, names: Sequence[str], made: Sequence[Any], plain: bool) -> None:
        """Give what was made to its names."""
        for name, each in zip(names, made, strict=False):
            if name:
                self.env[name] = each
                (self.plain.add if plain else self.plain.discard)(name)

    # --- graphs inside ---

    def inside(self, node: Node) -> None:
        """A step that runs a graph of its own."""
        {"If": self.chosen, "Loop": self.loop, "Scan": self.scan, "SequenceMap": self.mapped}[node.op](node)

    def graph(self, graph: Graph, given: Sequence[tuple[Any, bool]] = ()) -> list[tuple[Any, bool]]:
        """What comes out of a graph, and whether it is plain."""
        if len(given) != len(graph.inputs):
            raise TypeError(tr("a graph inside takes {wanted} values, and is given {count}"
                               ).format(wanted=len(graph.inputs), count=len(given)))
        for name, (value, plain) in zip(graph.inputs, given, strict=True):
            self.keep((name,), (value,), plain)
        if not graph.nodes:
            self.count(1)  # else a loop of nothing would have no end
        self.every(self.scopes[graph])
        return [(self.env[name], name in self.plain) for name in graph.outputs]

    def ends(self, node: Node, found: Sequence[tuple[Any, bool]]) -> None:
        for name, (value, plain) in zip(node.made, found, strict=False):
            self.keep((name,), (value,), plain)

    def value(self, name: str) -> tuple[Any, bool]:
        return self.env[name], name in self.plain

    def chosen(self, node: Node) -> None:
        chosen = told(self.env[node.given[0]])
        yes = chosen[0] if isinstance(chosen, list) else chosen
        self.ends(node, self.graph(node.said["then_branch" if yes else "else_branch"]))

    def loop(self, node: Node) -> None:
        most = self.env[node.given[0]] if node.given and node.given[0] else None
        runs = self.env[node.given[1]] if len(node.given) > 1 and node.given[1] else None
        times = None if most is None else int(told(most.reshape(())))
        running = True if runs is None else bool(told(runs.reshape(())))
        carried = [self.value(name) if name else (None, True) for name in node.given[2:]]
        body: Graph = node.said["body"]
        gathered: list[list[tuple[Any, bool]]] = []
        number = 0
        if running and self.goes_on(body):
            self.count((inf if times is None else times) * max(1, len(body.nodes)), ahead=True)
        while running and (times is None or number < times):
            with torch._C.DisableTorchFunction():
                counted = (torch.tensor(number), True), (torch.tensor(True), True)
            found = self.graph(body, [*counted, *carried])
            running = bool(told(found[0][0].reshape(())))
            carried, rest = found[1:1 + len(carried)], found[1 + len(carried):]
            gathered.append(rest)
            number += 1
        columns = len(body.outputs) - 1 - len(carried)
        self.ends(node, [*carried, *(self.stacked([row[place] for row in gathered]) for place in range(columns))])

    def goes_on(self, body: Graph) -> bool:
        """Whether a loop never ends by itself: its body hands on the condition that it was given, or a constant."""
        maker = {name: node for node in body.nodes for name in node.made}
        name = body.outputs[0]
        while name in maker and maker[name].op in ("Identity", "Cast"):
            name = maker[name].given[0]
        if name in maker or name in body.inputs:
            return name == body.inputs[1]
        return name in self.plain and bool(told(self.env[name].reshape(())))

    def stacked(self, rows: Sequence[tuple[Any, bool]], axis: int = 0) -> tuple[Any, bool]:
        """What each round of a loop made, one behind the other."""
        if not rows:
            return torch.zeros(0), True
        plain = all(each for _, each in rows)
        with torch._C.DisableTorchFunction() if plain else nullcontext():
            return torch.stack([value for value, _ in rows], axis), plain

    def scan(self, node: Node) -> None:
        if node.version < 9:
            raise TypeError(tr("Scan before version 9 is not read"))
        body: Graph = node.said["body"]
        count = node.get("num_scan_inputs")
        values = [self.value(name) for name in node.given]
        states, read = values[:len(values) - count], values[len(values) - count:]
        axes = node.get("scan_input_axes") or [0] * count
        ways = node.get("scan_input_directions") or [0] * count
        steps = read[0][0].shape[axes[0]]
        rows: list[list[tuple[Any, bool]]] = []
        self.count(steps * len(body.nodes), ahead=True)
        for step in range(steps):
            parts = []
            for (value, plain), axis, way in zip(read, axes, ways, strict=True):
                with torch._C.DisableTorchFunction() if plain else nullcontext():
                    parts.append((value.select(axis, value.shape[axis] - 1 - step if way else step), plain))
            found = self.graph(body, [*states, *parts])
            states = found[:len(states)]
            rows.append(found[len(states):])
        columns = len(body.outputs) - len(states)
        places = node.get("scan_output_axes") or [0] * columns
        turned = node.get("scan_output_directions") or [0] * columns
        self.ends(node, [*states, *(self.stacked([row[place] for row in (rows[::-1] if turned[place] else rows)],
                                                 places[place]) for place in range(columns))])

    def mapped(self, node: Node) -> None:
        first, *more = [self.value(name) for name in node.given]
        rows = []
        for place, each in enumerate(first[0]):
            beside = [(value[place], plain) if isinstance(value, list) else (value, plain) for value, plain in more]
            rows.append(self.graph(node.said["body"], [(each, first[1]), *beside]))
        self.ends(node, [([row[place][0] for row in rows], all(row[place][1] for row in rows))
                         for place in range(len(node.made))])


def _as_meta(given: Any) -> Any:
    if isinstance(given, Tensor):
        return given.detach().to("meta")
    return [_as_meta(each) for each in given] if isinstance(given, list) and given and isinstance(given[0], Tensor) \
        else given


def bytes_of(made: Any) -> int:
    """How much memory tensors take."""
    if isinstance(made, Tensor):
        return made.numel() * made.element_size()
    return sum(map(bytes_of, made)) if isinstance(made, tuple | list) else 0
