"""`.py`: a network as the code that makes it. The one format that is a program: it runs when it is opened, so that a
person has to agree first, for exactly this file. What is in it is found out without running it."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout, suppress
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visualizer import consent, manifest
from visualizer.language import counted_as, few, tr
from visualizer.manifest import NOTHING, Manifest
from visualizer.record.catalog import Opened
from visualizer.survey import Class
from visualizer.trace import Refused

if TYPE_CHECKING:
    from torch import Tensor, nn

SUFFIXES = (".py",)
TITLE = "Python file"
MOST_BYTES = 4 << 20
MOST_CHOICES = 64
SEED = 0
"""Of weights that the code draws by chance."""
MAKERS = ("build", "build_model", "create_model", "get_model", "make_model", "make_net", "model", "net")
"""Names of functions that give a network, where no annotation says so."""


def is_one(path: Path) -> bool:
    """Whether it is a text with the ending of one; nothing but its ending says that a text is Python."""
    if path.suffix.lower() not in SUFFIXES:
        return False
    with path.open("rb") as file:
        head = file.read(4096)
    return b"\0" not in head and not head.lstrip()[:9].lower().startswith((b"<!doctype", b"<html"))


def open_file(path: Path, told: Manifest = NOTHING) -> Opened:
    """The network that its code makes, run on what it is told or on a size that fits; raises Refused, also for
    whatever the code does instead."""
    from visualizer.record import intake

    choices = choices_in(path)
    if not consent.given(path):
        raise Refused(tr("{file} is a program, which runs when it is opened; agree to that in the window, or name the "
                         "class: visualizer record {file}:{name}."
                         ).format(file=path.name, name=told.name or choices[0].name))
    module, notes, asked = _made(path, told, choices)
    opened = intake.opened(path, f"{told.name or choices[0].name} of {path.name}", module, None, told,
                           why=tr("write the shapes of its inputs into the manifest"))
    return _with(opened, told.name or choices[0].name, asked, notes)


def _with(opened: Opened, name: str, asked: tuple[str, ...], notes: tuple[str, ...]) -> Opened:
    from dataclasses import replace

    return replace(opened, told=replace(opened.told, name=name), asked=(*asked, *opened.asked), notes=notes)


# --- what is in it, without running it ------------------------------------------------------------------------------

def choices_in(path: Path) -> tuple[Class, ...]:
    """What can be the model: what is one already, classes that no other is made of, the others, and functions that give
    one. Raises Refused where there is nothing of the kind, or it is no Python."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise Refused(tr("{file} is larger than {most} MB; open the file with the network alone."
                             ).format(file=path.name, most=MOST_BYTES >> 20))
        tree = ast.parse(path.read_bytes(), path.name)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = tr(" in line {line}").format(line=error.lineno) \
            if isinstance(error, SyntaxError) and error.lineno else ""
        why = (error.msg if isinstance(error, SyntaxError) else str(error)) or type(error).__name__
        raise Refused(tr("{file} is no Python that can be read ({why}{where}); mend it, and open it again."
                         ).format(file=path.name, why=why[:100].rstrip("."), where=where)) from None
    except OSError as error:
        raise Refused(tr("{file} cannot be read ({why}); check the file."
                         ).format(file=path.name, why=error.strerror)) from error
    defined = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    layers = _layers_of(tree)
    nets = [name for name in defined if _is_net(name, defined, layers)]
    inside = {word for name in nets for word in _names_in(defined[name]) if word != name}
    there = [Class(target.id, made=True) for node in tree.body if isinstance(node, ast.Assign)
             for target in node.targets if isinstance(target, ast.Name) and _is_made(node.value, nets, layers)]
    classes = [Class(name, _arguments(name, defined))
               for name in sorted(nets, key=lambda name: (name in inside, -defined[name].lineno))]
    makers = [Class(node.name, _signature(node.args, 0)) for node in tree.body if isinstance(node, ast.FunctionDef)
              and (node.name in MAKERS or "Module" in (ast.unparse(node.returns) if node.returns else ""))]
    found = (*there, *classes, *makers)[:MOST_CHOICES]
    if not found:
        raise Refused(tr("{file} defines no network: there is no class of nn.Module in it; open the file that defines "
                         "one.").format(file=path.name))
    return found


def _layers_of(tree: ast.Module) -> set[str]:
    """By which names torch's own classes are called: `nn.Linear` stands as `nn`, `from torch.nn import Module` as
    `Module`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("torch", "lightning", "pytorch_light")):
            found |= {each.asname or each.name for each in node.names}
        elif isinstance(node, ast.Import):
            found |= {each.asname or each.name.partition(".")[0] for each in node.names
                      if each.name.startswith(("torch", "lightning", "pytorch_light"))}
    return found


def _is_net(name: str, defined: Mapping[str, ast.ClassDef], layers: set[str], depth: int = 0) -> bool:
    """Whether a class is one of nn.Module, as far as that can be told; of a class from elsewhere whether it says what
    it computes."""
    if depth > 20:
        return False
    bases = [ast.unparse(base) for base in defined[name].bases]
    if any(base in defined and base != name and _is_net(base, defined, layers, depth + 1) for base in bases):
        return True
    if any(base.partition(".")[0] in layers and base[-1:] != "." and base not in defined for base in bases):
        return not any(base.endswith(("Dataset", "Function", "Sampler", "Optimizer", "Enum")) for base in bases)
    return bool(bases) and any(isinstance(node, ast.FunctionDef) and node.name == "forward"
                               for node in defined[name].body)


def _names_in(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def _is_made(value: ast.expr, nets: list[str], layers: set[str]) -> bool:
    """`Net()`, `nn.Sequential(…)`, `Net().eval()`."""
    while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and isinstance(value.func.value,
                                                                                               ast.Call):
        value = value.func.value
    if not isinstance(value, ast.Call):
        return False
    called = ast.unparse(value.func)
    first, _, last = called.rpartition(".")
    return called in nets or (first.partition(".")[0] in layers and first.endswith("nn") and last[:1].isupper() and
                              not last.endswith("Loss"))


def _arguments(name: str, defined: Mapping[str, ast.ClassDef], depth: int = 0) -> tuple[tuple[str, str], ...]:
    """What the constructor of a class takes, its own or that of the class before it."""
    for node in defined[name].body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            return _signature(node.args, 1)
    for base in map(ast.unparse, defined[name].bases):
        if base in defined and base != name and depth < 20:
            return _arguments(base, defined, depth + 1)
    return ()


def _signature(given: ast.arguments, skipped: int) -> tuple[tuple[str, str], ...]:
    """Names with their defaults as they are written; "" for what has none."""
    plain = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(plain) - len(given.defaults)) + [*given.defaults]
    pairs = [*[*zip(plain, defaults, strict=True)][skipped:], *zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    return tuple((each.arg, "" if default is None else ast.unparse(default)[:200]) for each, default in pairs)


# --- running it -----------------------------------------------------------------------------------------------------

def _made(path: Path, told: Manifest, choices: tuple[Class, ...]) -> tuple[nn.Module, tuple[str, ...],
                                                                            tuple[str, ...]]:
    """The network, what should be known of it, and what nobody has said."""
    import torch
    from torch import nn

    name = told.name or choices[0].name
    chosen = next((each for each in choices if each.name == name), Class(name))
    asked = ("name",) if not told.name and len(choices) > 1 else ()
    missing = [argument for argument, default in chosen.arguments if not default and argument not in told.arguments]
    if missing:
        example = ", ".join(f'"{argument}": 1' for argument in missing)
        raise Refused(tr("{name} of {file} wants {missing}, for which there is no default; say it with --arguments "
                         "'{{{example}}}'."
                         ).format(name=name, file=path.name, missing=", ".join(missing), example=example))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        with _running(path, tr("while it was loaded")):
            found: Any = _loaded(path)
        with _running(path, tr("while {name} was made").format(name=name)):
            for part in name.split("."):
                if not hasattr(found, part):
                    raise Refused(counted_as(len(choices), tr("{file} has no {name}; there is {known}."),
                                             tr("{file} has no {name}; there are {known}.")).format(
                        file=path.name, name=name, known=", ".join(each.name for each in choices[:8])))
                found = getattr(found, part)
            if not isinstance(found, nn.Module):
                if not callable(found):
                    raise Refused(tr("{name} of {file} is a {type}, no network; name another."
                                     ).format(name=name, file=path.name, type=type(found).__name__))
                found = found(**told.arguments)
            if not isinstance(found, nn.Module):
                raise Refused(tr("{name} of {file} gives a {type}, no network of torch.nn; name another."
                                 ).format(name=name, file=path.name, type=type(found).__name__))
    _guard(found, path)
    if told.weights:
        _attach(found, path, told)
        return found.eval(), (), asked
    many = any(each.numel() for each in found.parameters())
    return found.eval(), ((f"No weights were named, so those of {path.name} are as its code draws them, with the seed "
                           f"{SEED}.",) if many else ()), asked


def _loaded(path: Path) -> Any:
    """The file as a module of its own, with those beside it to be imported; what it imports from there is read anew the
    next time, and nothing is written beside it."""
    folder, dotted = _package(path)
    known, words, writes = set(sys.modules), sys.argv, sys.dont_write_bytecode
    named = f"_visualizer_own.{manifest.digest(path)[:16]}"
    sys.path[:0] = [str(path.resolve().parent), str(folder)]
    sys.argv, sys.dont_write_bytecode = [str(path)], True
    try:
        if dotted:
            return importlib.import_module(dotted)
        spec = importlib.util.spec_from_file_location(named, path)
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[named] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.argv, sys.dont_write_bytecode = words, writes
        for each in (str(path.resolve().parent), str(folder)):
            with suppress(ValueError):
                sys.path.remove(each)
        for name in {*sys.modules} - known:
            own = getattr(sys.modules[name], "__file__", None)
            inside = isinstance(own, str) and Path(own).is_relative_to(folder)
            if name != named and (inside or (dotted and name.split(".")[0] == dotted.split(".")[0])):
                del sys.modules[name]


def _package(path: Path) -> tuple[Path, str]:
    """The folder above the package that a file belongs to, and its name in it, where it imports from there by dots;
    else its own folder and no name."""
    folder = path.resolve().parent
    dots = max((node.level for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.ImportFrom)),
               default=0)
    parts = [path.stem]
    while (len(parts) <= dots or (dots and (folder / "__init__.py").is_file())) and folder.parent != folder:
        parts.insert(0, folder.name)
        folder = folder.parent
    return folder, ".".join(parts) if dots else ""


@contextmanager
def _running(path: Path, when: str) -> Iterator[None]:
    """Whatever the code does other than to come back becomes one sentence; what it prints goes to stderr."""
    try:
        with redirect_stdout(sys.stderr):
            yield
    except (Refused, KeyboardInterrupt):
        raise
    except SystemExit:
        raise Refused(tr("{file} ended the program (sys.exit) {when}; put what shall not run then under if __name__ == "
                         "'__main__'.").format(file=path.name, when=when)) from None
    except ModuleNotFoundError as error:
        raise Refused(tr("{file} needs {package}, which is not installed here; install it, and open it again."
                         ).format(file=path.name, package=error.name)) from None
    except BaseException as error:
        raise Refused(tr("{file} stopped {when} ({error}{line}); mend it, and open it again."
                         ).format(file=path.name, when=when, error=_said(error), line=_line(error, path))) from None


def _said(error: BaseException) -> str:
    """Kind and first line of an exception, whose own words may fail, too."""
    try:
        words = " ".join(str(error).split("\n")[0].split())[:160].rstrip(".")
    except BaseException:
        words = ""
    return f"{type(error).__name__}: {words}" if words.isprintable() and words else type(error).__name__


def _line(error: BaseException, path: Path) -> str:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)
             if Path(frame.filename).name == path.name]
    return tr(", line {line}").format(line=lines[-1]) if lines else ""


def _guard(module: nn.Module, path: Path) -> None:
    """Have what its code does while it computes end as errors that whoever runs it expects: torch's own stay."""
    own: type[nn.Module] = type(module)
    forward: Callable[..., Any] = own.forward

    @wraps(forward)
    def guarded(self: Any, *given: Any, **named: Any) -> Any:
        try:
            with redirect_stdout(sys.stderr):
                return forward(self, *given, **named)
        except (RuntimeError, TypeError, Refused, KeyboardInterrupt, MemoryError):
            raise
        except SystemExit:
            raise Refused(tr("{file} ended the program (sys.exit) while it computed; mend it, and open it again."
                             ).format(file=path.name)) from None
        except BaseException as error:
            raise RuntimeError(f"{_said(error)}{_line(error, path)}") from error

    with suppress(TypeError):  # a class of C or with slots stays as it is
        module.__class__ = type(own.__name__, (own,), {"forward": guarded, "__module__": own.__module__,
                                                       "__qualname__": own.__qualname__})


def _attach(module: nn.Module, path: Path, told: Manifest) -> None:
    """Put the weights of a file beside it into the network; Refused unless they are just those of it."""
    from visualizer.record import formats
    from visualizer.record.fitting import spellings

    place = path.with_name(told.weights)
    if not place.is_file():
        raise Refused(tr("{name} does not lie beside {file}; put it there."
                         ).format(name=told.weights, file=path.name))
    if why := formats.refused(place):
        raise Refused(why)
    form = formats.find(place)
    if form is None or not hasattr(form, "tensors"):
        raise Refused(tr("{weights} is no file of weights; name a state dict, saved with torch.save or safetensors."
                         ).format(weights=told.weights))
    wanted = module.state_dict()
    found = [tensors for _, tensors in spellings(form.tensors(place), told.trunk)]
    best = min(found, key=lambda tensors: len(wanted.keys() ^ tensors.keys()), default={})
    lacking = [name for name in wanted if name not in best]
    strange = [name for name in best if name not in wanted]
    others = [tr("{name} ({size} for {wanted})").format(
        name=name, size=_shape(best[name]), wanted=_shape(wanted[name])) for name in wanted
              if name in best and best[name].shape != wanted[name].shape]
    why = "; ".join(words.format(names=few(names)) for words, names in (
        (tr("missing {names}"), lacking), (tr("not known in it {names}"), strange),
        (tr("of another size {names}"), others)) if names)
    if why:
        raise Refused(tr("The weights of {weights} do not fit {name} of {file}: {why}; name those of this network, or "
                         "other --arguments.").format(
            weights=told.weights, name=told.name or tr("the network"), file=path.name, why=why))
    try:
        module.load_state_dict(best)
    except Exception as error:  # a network may load its weights in a way of its own
        raise Refused(tr("The weights of {weights} cannot be put into {file} ({error}); mend it, and open it again."
                         ).format(weights=told.weights, file=path.name, error=_said(error))) from None


def _shape(tensor: Tensor) -> str:
    return " × ".join(map(str, tensor.shape)) or "1"
