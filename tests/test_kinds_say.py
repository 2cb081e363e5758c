"""What a kind is stands in `kinds/`: no other file asks for one by its name, so a new kind is one file; it moves as its
role says, and `motions/`, where a way of moving says which kinds move so, is the one other place that may name them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from visualizer import kinds, registry

HERE = registry.PACKAGE
NAMES = {kind.name for kind in kinds.all_kinds()} | {"input", "unexplained"}
ASKS = ("startswith", "endswith", "removesuffix", "removeprefix", "get")
BELOW = "trace.py"
"""Stands below the kinds: of recordings from before answers had names it knows what they could end in."""


def files() -> list[Path]:
    return sorted(path for path in HERE.rglob("*.py") if path.relative_to(HERE).parts[0] not in ("kinds", "motions"))


def asked(source: str) -> list[str]:
    """Every place that compares `.kind` with names of kinds, written there or in a constant of the file."""
    tree = ast.parse(source)
    constants = {target.id: node.value for node in tree.body if isinstance(node, ast.Assign)
                 for target in node.targets if isinstance(target, ast.Name)}
    also = {target.id for node in ast.walk(tree) if isinstance(node, ast.Assign) for target, value in _pairs(node)
            if isinstance(target, ast.Name) and _is_kind(value)}
    return [f"line {node.lineno}: {ast.unparse(node)}" for node in ast.walk(tree)
            if isinstance(node, ast.expr) and _asks(node, constants, also)]


def _asks(node: ast.expr, constants: dict[str, ast.expr], also: set[str]) -> bool:
    def kind(one: ast.expr) -> bool:
        return _is_kind(one) or (isinstance(one, ast.Name) and one.id in also)

    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        return any(map(kind, sides)) and any(_names(side, constants) & NAMES for side in sides)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ASKS:
        return kind(node.func.value) or any(map(kind, node.args))
    return isinstance(node, ast.Subscript) and kind(node.slice)


def _pairs(node: ast.Assign) -> list[tuple[ast.expr, ast.expr]]:
    """Targets and what they are given, one by one where several are given at once."""
    target = node.targets[0]
    if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
        return list(zip(target.elts, node.value.elts, strict=False))
    return [(target, node.value)]


def _is_kind(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "kind"


def _names(node: ast.expr, constants: dict[str, ast.expr]) -> set[str]:
    if isinstance(node, ast.Name) and node.id in constants:
        node = constants[node.id]
    return {part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)}


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(HERE)))
def test_no_file_asks_for_a_kind_by_its_name(path: Path) -> None:
    found = asked(path.read_text(encoding="utf-8"))
    assert not found or path.name == BELOW


@pytest.mark.parametrize("source", [
    'if layer.kind == "relu": pass', 'NAMES = ("linear", "conv2d")\nx = reader.kind in NAMES',
    'y = "max_pool2d" != layer.kind', 'z = layer.kind.startswith("conv")', 'w = TOLD.get(layer.kind)',
    'v = TOLD[layer.kind]', 'values, kind = layer.output, layer.kind\ns = kind == "relu"',
    'u = any(trace[name].kind == "softmax" for name in trace)',
])
def test_a_file_that_asks_is_found(source: str) -> None:
    assert asked(source)


def test_what_kinds_say_is_of_the_words_that_there_are() -> None:
    for kind in kinds.all_kinds():
        assert kind.role in {"", *kinds.ROLES}, kind.name
        assert kind.slide in ("", "share", "curve"), kind.name
        assert kind.label in ("", "class", "numbers", "symbols"), kind.name
        assert not kind.label or kind.role == "loss", kind.name
        assert kind.slide != "curve" or kind.role == "curve", kind.name
        assert kind.curve is None or kind.role == "curve", kind.name
    assert {kind.role for kind in kinds.all_kinds()} == {"", *kinds.ROLES}, "no word that nothing is"


def test_gates_have_one_name_each() -> None:
    """A family names each of its parts differently, and parts of the same name do the same in every family."""
    from visualizer.kinds import gates

    for family in gates.FAMILIES.values():
        names = [family.quantities[key].name for key in family.shown]
        assert len(set(names)) == len(names)
        assert [family.quantities[key].tab.lower() for key in family.shown] == \
            [name.removesuffix(" gate") for name in names]
        assert {part.key for part in family.gates} <= set(family.shown)
    keys = {key: {family.quantities[key].name for family in gates.FAMILIES.values() if key in family.quantities}
            for family in gates.FAMILIES.values() for key in family.quantities}
    assert all(len(names) == 1 for names in keys.values())


def test_no_word_is_used_for_a_gate_but_its_name() -> None:
    """Names that were used beside the ones in the table."""
    for path in files() + sorted((HERE / "kinds").rglob("*.py")):
        text = path.read_text(encoding="utf-8").lower()
        for word in ("keep gate", "new gate", "cell gate"):
            assert word not in text, f"{path}: {word}"
