"""What the files of the project say, each parsed once in a run of the tests; and which bundled models are main ones."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from visualizer import registry

MAIN = tuple(name for name in registry.models() if not registry.card(name).get("group"))
"""The bundled models that belong to no group of experiments."""
EACH = tuple({(card["input"]["kind"], card.get("objective", {}).get("kind")): name
              for name in reversed(MAIN) for card in [registry.card(name)]}.values())
"""One of them for each kind of input and of what is asked: where a test takes long, it runs with these, and with a
sample of the others."""


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Every part of a file of Python, outer ones first."""
    return tuple(ast.walk(tree(path)))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))
