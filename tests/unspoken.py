"""What a person may read and nobody translates yet: `python -m tests.unspoken [folder or file …]` lists it.

A string counts if it has two words, or one that begins with a capital, and stands neither inside `tr`, `english` or
`translated` nor where only programs or programmers read it: in a docstring, in an error that is no refusal, as a key,
in a comparison.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.sources import nodes
from visualizer.kinds import all_kinds

PACKAGE = Path(__file__).resolve().parent.parent / "visualizer"
SPOKEN = {"tr", "english", "translated"}
UNREAD = {"ValueError", "TypeError", "KeyError", "IndexError", "AttributeError", "RuntimeError", "NotImplementedError",
          "SystemExit", "Broken", "ArgumentTypeError", "Usage", "NotDone", "TypeVar", "ParamSpec", "module", "modules",
          "getattr", "setattr", "import_module", "compile", "fullmatch", "match", "search", "color", "fill",
          "setStyleSheet", "font", "encode", "open"}
"""Calls whose words are not read in a picture or a window."""
READ = re.compile(r"[A-Za-z]{2,}[,;:]? [a-z(]|^[A-Z][a-z]{2,}")
SYMBOLS = {"tanh", "min", "max", "mean", "target", "low", "high", "way"}
"""A formula has no other words."""
ARGUMENTS = "\n".join(f"{call} {names}" for kind in all_kinds() for call, names in kind.calls.items())
"""Of torch's calls: kinds name them, and nobody reads them."""


def unspoken(source: str) -> Iterator[tuple[int, str]]:
    """(line, words) of a file, in order; a string that is put together, as it is written there."""
    tree = ast.parse(source)
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    strings = [node for node in ast.walk(tree) if isinstance(node, ast.Constant | ast.JoinedStr)]
    for node in sorted(strings, key=lambda node: (node.lineno, node.col_offset)):
        if isinstance(node, ast.JoinedStr):
            pieces = [piece.value for piece in node.values if isinstance(piece, ast.Constant)]
            words = ast.get_source_segment(source, node) or ""
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) \
                and not isinstance(above.get(node), ast.JoinedStr):
            pieces, words = [node.value], node.value
        else:
            continue
        if any(READ.search(piece) and not _is_symbols(piece) for piece in pieces) and not _is_unread(node, above):
            yield node.lineno, words


def refusals(tree: Iterable[ast.AST]) -> Iterator[tuple[int, str]]:
    """(line, words) of what is raised for a person to read, and said in English alone."""
    for node in tree:
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args \
                and getattr(node.exc.func, "id", getattr(node.exc.func, "attr", "")) not in UNREAD \
                and isinstance(node.exc.args[0], ast.Constant | ast.JoinedStr) \
                and any(READ.search(str(piece.value)) for piece in ast.walk(node.exc.args[0])
                        if isinstance(piece, ast.Constant)):
            yield node.lineno, ast.unparse(node.exc.args[0])


def spoken(path: Path) -> Iterator[str]:
    """The words of a file that somebody can translate: every literal `tr("…")` and `english("…")`."""
    for node in nodes(path):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("tr", "english"):
            yield from (words.value for words in node.args if isinstance(words, ast.Constant))


def _is_symbols(words: str) -> bool:
    """Whether it is a formula, or arguments of a call of torch."""
    return words.strip() in ARGUMENTS or not set(re.findall(r"[A-Za-z]{3,}", words)) - SYMBOLS


def _is_unread(node: ast.AST, above: dict[ast.AST, ast.AST]) -> bool:
    parent = above.get(node)
    if isinstance(parent, ast.Expr):
        return True  # a docstring
    while parent is not None and not isinstance(parent, ast.FunctionDef | ast.ClassDef):
        called = parent.func if isinstance(parent, ast.Call) else None
        if getattr(called, "id", getattr(called, "attr", "")) in SPOKEN | UNREAD \
                or isinstance(parent, ast.Compare | ast.Assert | ast.Subscript | ast.arg) \
                or (isinstance(parent, ast.AnnAssign) and node is parent.annotation):
            return True
        node, parent = parent, above.get(parent)
    return isinstance(parent, ast.FunctionDef) and node is parent.returns


def main(given: list[str]) -> None:
    """Print them, and how many there are."""
    count = 0
    for place in given or ["ui", "views", "scene", "kinds", "data.py", "export"]:
        root = PACKAGE / place
        for path in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
            for line, words in unspoken(path.read_text(encoding="utf-8")):
                count += 1
                print(f"{path.relative_to(PACKAGE)}:{line}: {words!r}")
    print(f"{count} in all", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
