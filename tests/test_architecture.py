"""Directions: who may import what, where torch and Qt begin, where the only clock is, and what lies where."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources import nodes, tree

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "visualizer"
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "_data" not in path.parts)
TOP_LEVEL = {"README.md", "LICENSE", "pyproject.toml", "visualizer", "models", "assets", "tests"}


def test_the_import_contracts_of_pyproject_hold() -> None:
    lint = shutil.which("lint-imports", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if lint is None:
        pytest.skip("import-linter is not installed; pip install -e '.[test]' brings it")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_types_of_every_floor_below_paint_are_checked() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    (floors,) = [each["layers"] for each in tools["importlinter"]["contracts"] if each["type"] == "layers"]
    below = {name.strip() for floor in floors[floors.index("paint") + 1:] for name in floor.split("|")}
    checked = {Path(name).with_suffix("").name for name in tools["mypy"]["files"]}
    assert below - checked == set()


@pytest.mark.parametrize("doing", [
    "import visualizer",
    "import visualizer; visualizer.load(trace)",
    "from visualizer.cli import main; main(['--help'])",
    "from visualizer.cli import main; main(['list', 'models'])",
    "from visualizer import registry, views, kinds; kinds.all_kinds(); views.all_views()",
    "from visualizer.record import formats; formats.suffixes()",
    "from visualizer import export; print(export.state_in(trace))",
    "from visualizer.lesson import shelf; assert shelf.shelf().lessons",
    "from visualizer import door; door.open_(door.recognise(trace)); door.open_(door.recognise('char_gru'))",
], ids=["import", "opening a trace", "help", "list", "kinds and views", "endings of model files", "a State in a file",
        "lessons", "the door"])
def test_neither_torch_nor_qt_is_imported_by(doing: str, tmp_path: Path) -> None:
    trace = tmp_path / "small.trace"
    _small_trace().save(trace)
    code = (f"import sys; trace = {str(trace)!r}\ntry:\n    {doing}\nexcept SystemExit: pass\n"
            "print('found', [name for name in ('torch', 'PySide6', 'pyqtgraph', 'matplotlib') if name in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "found []", done.stdout


def test_torch_is_imported_only_in_record() -> None:
    found = {_place(path) for path in SOURCES for name in _imports(path) if name.split(".")[0] == "torch"}
    assert {place for place in found if not place.startswith("record/")} == set()


def test_qt_is_imported_only_where_things_are_seen() -> None:
    found = {_place(path) for path in SOURCES for name in _imports(path)
             if name.split(".")[0] in ("PySide6", "shiboken6", "pyqtgraph")}
    seen = re.compile(r"paint\.py|app\.py|(export|ui)/.*|engine/client\.py")
    assert {place for place in found if not seen.fullmatch(place)} == set()


def test_a_view_imports_no_other_view() -> None:
    """What views share stands in files with a leading underscore, which are not views."""
    public = re.compile(r"visualizer\.views\.[a-z]")
    found = {(_place(path), name) for path in (PACKAGE / "views").glob("*.py") if path.name != "__init__.py"
             for name in _imports(path) if public.match(name) and name.split(".")[2] + ".py" != path.name}
    shared = {(place, name) for place, name in found
              if not (PACKAGE / "views" / (name.split(".")[2] + ".py")).exists()}  # a name of the package itself
    assert found - shared == set()


def test_models_are_plain_pytorch_and_never_import_visualizer() -> None:
    found = {path.name for path in (ROOT / "models").rglob("*.py")
             for name in _imports(path) if name.split(".")[0] in ("visualizer", "PySide6")}
    assert found == set()


def test_the_only_clock_is_the_player() -> None:
    """The lint rule TID251 is set aside by name in the player alone; elsewhere line by line, with a reason."""
    bare = re.compile(r"#\s*noqa:\s*TID251\s*$")
    found = [f"{_place(path)}:{number}" for path in SOURCES
             for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if bare.search(line)]
    assert found == [], "say why after `# noqa: TID251`, in words"


def test_nothing_is_put_together_inside_tr() -> None:
    """A translation is found by its exact words, so tr() takes one literal string; fill it in afterwards."""
    found = []
    for path in SOURCES:
        for node in nodes(path):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            place = {"tr": 0, "english": 0, "translate": 1}.get(called)
            if called == "translate" and not _is_qt_translate(node):
                continue
            if place is None or len(node.args) <= place:
                continue
            words = node.args[place]
            if not (isinstance(words, ast.Constant) and isinstance(words.value, str)):
                found.append(f"{_place(path)}:{node.lineno}")
    assert found == []


def test_nothing_is_translated_while_files_are_loaded() -> None:
    """What is said then stays in the language that was spoken then: `english("…")` waits, and so does a function."""
    found = []
    for path in SOURCES:
        waiting: list[ast.AST] = [tree(path)]
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("tr", "translated"):
                found.append(f"{_place(path)}:{node.lineno}")
            if not isinstance(node, ast.FunctionDef | ast.Lambda):
                waiting.extend(ast.iter_child_nodes(node))
    assert found == []


def test_the_top_level_holds_only_the_fixed_names() -> None:
    names = {name.partition("/")[0] for name in _project_files()}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


def test_no_generated_file_is_part_of_the_project() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("only a clone tells what is generated from what is kept")
    generated = re.compile(r"(^|/)(__pycache__|\.venv|dist|build|[^/]*\.egg-info)/|\.(pyc|part)$")
    assert [name for name in _project_files() if generated.search(name)] == []


def test_every_module_says_what_it_is_for() -> None:
    found = []
    for path in SOURCES:
        if tree(path).body and not ast.get_docstring(tree(path)):
            found.append(_place(path))
    assert found == []


@pytest.mark.parametrize("folder", ["kinds", "views", "export", "export/film", "record/formats", "ui/commands"])
def test_no_list_of_names_stands_beside_a_folder_that_is_walked(folder: str) -> None:
    """Adding a kind, a view or a format is one file: its package never imports its own files by name."""
    package = PACKAGE / folder / "__init__.py"
    if not package.exists():
        pytest.skip(f"{folder} is not there yet")
    names = {path.stem for path in package.parent.glob("*.py") if not path.name.startswith("_")}
    dotted = "visualizer." + folder.replace("/", ".")
    imported = {name.removeprefix(dotted + ".").partition(".")[0] for name in _imports(package)
                if name.startswith(dotted + ".")}
    assert imported & names == set()


OWN_ENDINGS = re.compile(r"record/formats/.*|inputs/.*|export/.*|trace\.py|scene/session\.py|train/kept\.py")
"""Files that say the ending of their own kind of file."""


def test_endings_of_files_are_listed_only_where_such_files_are_read_or_written() -> None:
    """Whoever opens files asks the door, which walks these folders: one format more is one file."""
    from visualizer import door

    twice = {".py", ".npz"}  # our own recipes are Python, and numbers are written as they are read
    known, models, found = set(door.endings()) - twice, set(dict(door.kinds())["Models"]) - twice, set()
    for path in SOURCES:
        if OWN_ENDINGS.fullmatch(_place(path)):
            continue
        for node in nodes(path):
            listed = set(_words_of(node)) & known
            if len(listed) > 1 or listed & models:
                found.add((_place(path), *sorted(listed)))
    assert found <= {("registry.py", ".safetensors")}, "only bundled weights go by their ending"


def _words_of(node: ast.AST) -> list[str]:
    """The words of a list, those of a pattern for files, or the one word of a string."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return [each.value for each in node.elts if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.findall(r"\*(\.\w+)", node.value) or [node.value]
    return []


def test_whether_something_is_the_laboratory_is_asked_of_its_recipe_not_of_a_name() -> None:
    """The name is told apart where words come in: at the door, in files of the first version, in the list of models."""
    compared = re.compile(r"(==|!=)\s*lab\.NAME|model\s*(==|!=)\s*[\"']lab")
    found = {_place(path) for path in SOURCES if compared.search(path.read_text(encoding="utf-8"))}
    assert found <= {"door.py", "scene/recipe.py", "scene/state.py", "ui/rail.py"}


def test_the_dependencies_keep_out_the_broken_pair_of_qt_and_python() -> None:
    """PySide6 6.12.0 on Python 3.11 loses a reference to None on every void call and aborts."""
    words = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert '"PySide6-Essentials>=6.8,<6.12"' in words
    assert not re.search(r'"torch(vision|audio)', words)


def _imports(path: Path) -> Iterator[str]:
    """Every module a file imports, at its top, inside functions or for type checking, as full dotted names."""
    package = "visualizer." + ".".join(path.relative_to(PACKAGE).with_suffix("").parts[:-1]) \
        if path.is_relative_to(PACKAGE) else ""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package.rstrip(".")) \
                if node.level else node.module or ""
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _is_qt_translate(node: ast.Call) -> bool:
    """`QCoreApplication.translate(context, words)`, not a painter's `translate(x, y)` or a string's."""
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    return getattr(owner, "id", "") in ("QCoreApplication", "QApplication", "QGuiApplication")


def _place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else path.name


def _project_files() -> list[str]:
    """What git tracks; in a copy without git, whatever lies there."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        return [path.name for path in ROOT.iterdir()]
    listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, capture_output=True,
                            text=True, check=True).stdout
    return [name for name in listed.split("\0") if name]


def _small_trace():
    import numpy as np

    from visualizer.trace import Layer, Trace

    layer = Layer("input", "input", ("class",), {}, (), np.array([1.0, 2.0], dtype=np.float32))
    return Trace("small", (layer,))


def test_the_parts_of_the_window_never_reach_into_it() -> None:
    """Nothing in ui imports the window but what joins it with the rest of the app, not even for its types; and no two
    files of ui need each other."""
    ui = {f"visualizer.ui.{path.relative_to(PACKAGE / 'ui').with_suffix('').as_posix().replace('/', '.')}"
          .removesuffix(".__init__"): path for path in (PACKAGE / "ui").rglob("*.py")}
    needs = {name: {found for found in _imports(path) if found in ui and found != name} for name, path in ui.items()}
    assert {name for name, found in needs.items() if "visualizer.ui.window" in found} == {"visualizer.ui.running"}
    while free := {name for name, found in needs.items() if not found & needs.keys()}:
        needs = {name: found for name, found in needs.items() if name not in free}
    assert needs == {}, "these go round in a circle"


def test_nothing_but_sight_asks_a_view_for_a_picture() -> None:
    """The stage, the inspector, figures, films and the command line cannot disagree: they have no other door."""
    asks = re.compile(r"\bviews\.(picture|beside)\(|\bview\.(draw|aside|page)\(")
    found = {_place(path) for path in SOURCES if asks.search(path.read_text(encoding="utf-8"))}
    assert found == {"sight.py", "views/__init__.py"}


def test_a_view_asks_what_may_be_shown_never_for_whom() -> None:
    """Except where a picture is made for an audience as a whole; and in what still lays its columns out for one."""
    whole = {"scene/picture.py", "scene/projector.py", "scene/parts.py", "views/__init__.py", "comparison/__init__.py"}
    still = {"views/gradient_flow/_lab.py",
             *(f"views/unrolled/{name}.py" for name in ("_around", "_columns", "_lane", "_plan"))}
    asks = re.compile(r"\b(look|self)\.projector\b")
    found = {_place(path) for path in SOURCES if asks.search(path.read_text(encoding="utf-8"))}
    assert found - still == whole


def test_what_a_moment_is_about_is_decided_in_one_file() -> None:
    decides = re.compile(r"^def (subject|strongest|one_number|looked_at|_subject_of)\b", re.MULTILINE)
    found = {_place(path) for path in SOURCES if decides.search(path.read_text(encoding="utf-8"))}
    assert found == {"scene/subject.py"}


OWNERS = {
    "card": {"card.py", "registry.py", "record/catalog.py", "ui/store.py"},
    "steps": {"lesson/__init__.py", "scene/steps.py", "scene/reading.py", "kinds/_steps.py", "record/objectives.py",
              "record/origins.py", "trace.py", "lab.py",
              *(f"inputs/{name}.py" for name in ("__init__", "_words", "image", "sequence", "several",
                                                 "videos", "audio"))},
    "reads": {"trace.py", "record/calls.py", "record/recurrent.py"},
    "part": {"ui/audience.py", "ui/presenter.py"},
    "parts": {"scene/parts.py", "scene/spotlight.py", "ui/stage.py", "ui/walking.py"},
}
"""Who may have a file, a class, a function or a field of that name: what is said of a model; steps of time, and those
of a lesson, which `State.step` counts; the layers that a layer reads; what one can point at in a picture."""


@pytest.mark.parametrize("word", OWNERS)
def test_one_word_means_one_thing(word: str) -> None:
    """What else such a word could mean has one of its own: a slide of the microscope, an act of a step, the array that
    a focus is on, numbers met on the way, the stride of tiles."""
    named = {_place(path) for path in SOURCES if path.stem == word}
    for path in SOURCES:
        names = {node.name for node in nodes(path) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        names |= {node.target.id for node in nodes(path)
                  if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)}
        if any(name.lower() == word for name in names):
            named.add(_place(path))
    assert named <= OWNERS[word]
