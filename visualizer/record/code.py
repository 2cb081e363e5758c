"""The network that ran as a plain file of PyTorch: its layers, the way through them, and its weights beside it.

Where torch.fx can follow the model's own `forward`, its layers stay what they are, `nn.Conv2d(…)`, and inputs of other
sizes can be read, too. Else, and for files of other programs, the operators are written out that torch.export sees for
the input at hand. Both are run here once: what does not answer to the last bit as the network does is refused.
"""

from __future__ import annotations

import builtins
import inspect
import io
import keyword
import logging
import math
import operator
import re
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.fx.experimental.symbolic_shapes
from torch import Tensor, fx, nn
from torch.fx.graph import CodeGen

from visualizer.language import tr
from visualizer.record.studies import Pass
from visualizer.trace import Refused

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence
    from pathlib import Path

TAKES = {"inf": "from math import inf", "nan": "from math import nan", "device": "from torch import device"}
"""What the code may name beside `torch`, and where it comes from."""
INDENT = " " * 8
HEAD = 1 << 16
"""Bytes of a file that are read to know it again."""
SOFTWARE = "written by Visualizer"
"""By this both files are known again: others of the same name are never overwritten."""


@dataclass(frozen=True, eq=False)
class Code:
    """A file of Python, and the numbers that it loads."""

    text: str
    tensors: Mapping[str, Tensor]
    by_layers: bool
    """Whether its layers are those of the model, else its operators are written out for inputs of one size."""

    def weights(self) -> bytes:
        """The numbers as a file of safetensors."""
        from safetensors.torch import save

        return bytes(save(dict(self.tensors), metadata={"format": "pt", "software": SOFTWARE}))


class _Unknown(Exception):
    """Something in a graph that has no plain words; the text names it."""


def code(made: Pass) -> Code:
    """The network of a recording as plain code.

    Raises Refused with one sentence where an operation is not known, or the code would answer otherwise.
    """
    inputs = _given(made)
    with torch.no_grad(), _as_recorded(), _silence():
        wanted = _flat(made.model(*inputs))
        for by_layers, trace in ((True, _by_layers), (False, _by_operators)):
            try:
                graph = trace(made.model, inputs)
                text, tensors = _file(made, _layers(graph), _way(graph)), _tensors(graph)
                answers = _flat(_run(text, tensors)(*inputs))
            except _Unknown as error:
                why = tr("{what} has no plain form here").format(what=error)
            except torch.fx.experimental.symbolic_shapes.GuardOnDataDependentSymNode:
                why = tr("which operations it makes depends on the numbers that it reads")
            except Exception as error:  # whatever a model does while it is followed
                why = (str(error).strip() or type(error).__name__).partition("\n")[0].rstrip(".")[:160]
            else:
                if _same(answers, wanted):
                    return Code(text, tensors, by_layers)
                why = tr("the code does not answer to the last bit as the network does")
    name = made.opened.title if made.opened is not None else made.trace.title
    raise Refused(tr("{model} cannot be written as plain code ({why}); use the Python that it was made by instead."
                     ).format(model=name, why=why))


def refuse_others(paths: Iterable[Path]) -> None:
    """Raises Refused with one sentence where a file is there that was not written here."""
    for path in paths:
        if path.exists() and SOFTWARE.encode() not in _beginning(path):
            raise Refused(tr("{name} is there already and was not written by Visualizer; choose another name.").format(
                name=path.name))


def _beginning(path: Path) -> bytes:
    """The words above a file of code, or those before the numbers of one of weights."""
    with path.open("rb") as file:
        return file.read(HEAD)


@contextmanager
def _as_recorded() -> Iterator[None]:
    """A recording keeps gradients, and then torch takes no shorter way through attention."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _run(text: str, tensors: Mapping[str, Tensor]) -> nn.Module:
    """The network of a file that was just written, with its weights."""
    there: dict[str, Any] = {"__file__": "network.py"}
    exec(compile(text, "network.py", "exec"), there)
    network = there["Network"]()
    network.load_state_dict(tensors)
    return network.eval()  # type: ignore[no-any-return]


@contextmanager
def _silence() -> Iterator[None]:
    """What torch says while it follows a network in vain is no word for whoever asked."""
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        before = logging.root.manager.disable
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(before)


def _given(made: Pass) -> tuple[Any, ...]:
    if made.keywords:
        raise Refused(tr("What its decoder is told cannot be written as plain code; take back that edit."))
    return made.inputs if isinstance(made.inputs, tuple) else (made.inputs,)


# --- the graph ------------------------------------------------------------------------------------------------------

class _Layers(fx.Tracer):
    """Stops at the layers of torch; whatever else a model is made of is followed inside."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return type(m).__module__.startswith("torch.nn.") and not isinstance(m, nn.Sequential | nn.ModuleList)


def _by_layers(module: nn.Module, inputs: Sequence[Any]) -> fx.GraphModule:
    tracer, names = _Layers(), list(inspect.signature(module.forward).parameters.items())
    left = {name: each.default for name, each in names[len(inputs):] if each.default is not inspect.Parameter.empty}
    graph = tracer.trace(module, left)
    return _plain(fx.GraphModule(tracer.root, graph), left)


def _by_operators(module: nn.Module, inputs: Sequence[Any]) -> fx.GraphModule:
    return _plain(torch.export.export(module, tuple(inputs), strict=False).module(check_guards=False))


def _plain(graph: Any, without: Container[str] = ()) -> fx.GraphModule:
    """The graph with flat inputs and outputs, without checks, types, and inputs that have a value of their own."""
    for node in list(graph.graph.nodes):
        node.type = None
        checks = node.op == "call_module" and node.target == "_guards_fn"
        given = node.op == "placeholder" and not node.users and str(node.target) in without
        if checks or given:
            graph.graph.erase_node(node)
    graph.graph.set_codegen(CodeGen())
    graph.graph.eliminate_dead_code()
    graph.recompile()
    return graph  # type: ignore[no-any-return]


def _layers(graph: fx.GraphModule) -> list[str]:
    """The lines that make the layers and the weights that the graph names."""
    lines: list[str] = []
    there: set[str] = set()
    for name in _named(graph):
        *above, last = name.split(".")
        for depth in range(1, len(above) + 1):
            inside = ".".join(above[:depth])
            if inside not in there:
                there.add(inside)
                lines.append(_put(inside, "nn.Module()"))
        found = graph.get_submodule(".".join(above))
        it = getattr(found, last)
        if isinstance(it, nn.Module):
            lines.append(_put(name, _constructor(it)))
            continue
        empty = f"torch.empty({tuple(it.shape)}{'' if it.dtype == torch.float32 else f', dtype={it.dtype}'})"
        owner = _reached("self", above)
        lines.append(f'{owner}.register_parameter("{last}", nn.Parameter({empty}))' if isinstance(it, nn.Parameter)
                     and it.is_floating_point() else f'{owner}.register_buffer("{last}", {empty})')
    return lines


def _named(graph: fx.GraphModule) -> list[str]:
    """What the nodes name, each once, in their order."""
    return list(dict.fromkeys(str(node.target) for node in graph.graph.nodes
                              if node.op in ("call_module", "get_attr")))


def _put(name: str, made: str) -> str:
    *above, last = name.split(".")
    if not re.fullmatch(r"\w+", last):
        raise _Unknown(tr("the name {name}").format(name=repr(last)))
    owner = _reached("self", above)
    plain = last.isidentifier() and not keyword.iskeyword(last)
    return f"{owner}.{last} = {made}" if plain else f'{owner}.add_module("{last}", {made})'


def _reached(start: str, names: Sequence[str]) -> str:
    for name in names:
        if not re.fullmatch(r"\w+", name):
            raise _Unknown(tr("the name {name}").format(name=repr(name)))
        plain = name.isidentifier() and not keyword.iskeyword(name)
        start = f"{start}.{name}" if plain else f'getattr({start}, "{name}")'
    return start


def _constructor(module: nn.Module) -> str:
    """`nn.Conv2d(1, 6, kernel_size=(5, 5))`: a call that makes such a layer, tried."""
    kind = type(module)
    if getattr(nn, kind.__name__, None) is not kind:
        raise _Unknown(tr("the layer {kind}").format(kind=kind.__name__))
    given, words = dict[str, Any](), list[str]()
    for place, (name, parameter) in enumerate(list(inspect.signature(kind.__init__).parameters.items())[1:]):
        if name in ("args", "kwargs"):
            given, words = _recurrent(module) if isinstance(module, nn.RNNBase) else (given, words)
            break
        if name in ("device", "dtype") or not hasattr(module, name):
            continue
        value = getattr(module, name)
        if name == "bias" or (isinstance(value, Tensor) and name.startswith("_") is False and value.ndim):
            value = value is not None
        if parameter.default is not inspect.Parameter.empty and (value == parameter.default or (
                isinstance(value, tuple) and value and {*value} == {parameter.default})):
            continue
        given[name] = value
        words.append(_literal(value) if place < 2 and len(words) == place else f"{name}={_literal(value)}")
    again = kind(**given)
    shapes, wanted = ({name: tuple(each.shape) for name, each in it.state_dict().items()} for it in (again, module))
    if shapes != wanted or repr(again) != repr(module):
        raise _Unknown(tr("the layer {kind}").format(kind=kind.__name__))
    kinds = {each.dtype for each in module.parameters() if each.is_floating_point()} - {torch.float32}
    return f"nn.{kind.__name__}({', '.join(words)}){''.join(f'.to({each})' for each in kinds)}"


def _recurrent(module: nn.RNNBase) -> tuple[dict[str, Any], list[str]]:
    """Recurrent layers take their settings by name."""
    usual = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0, "bidirectional": False,
             "proj_size": 0, "nonlinearity": "tanh"}
    settings = {name: getattr(module, name) for name, standard in usual.items()
                if hasattr(module, name) and getattr(module, name) != standard}
    given = {"input_size": module.input_size, "hidden_size": module.hidden_size, **settings}
    return given, [str(module.input_size), str(module.hidden_size),
                   *(f"{name}={_literal(value)}" for name, value in settings.items())]


def _literal(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_literal, value))}{',' * (len(value) == 1)})"
    if value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
        return repr(value)
    raise _Unknown(tr("the setting {value}").format(value=repr(value)))


# --- words ----------------------------------------------------------------------------------------------------------

def _way(graph: fx.GraphModule) -> tuple[str, list[str]]:
    """The names of what is read, and the lines from it to the answer."""
    for node in graph.graph.nodes:
        if node.op == "call_function" and not _is_known(node.target):
            raise _Unknown(tr("the operation {name}").format(name=getattr(node.target, "__name__", node.target)))
    written = graph.graph.python_code("self")
    known = {"torch", *TAKES, *dir(builtins)}
    if strange := sorted(name for name in written.globals if name not in known
                         and re.search(rf"\b{name}\b", written.src)):
        raise _Unknown(tr("the operation {name}").format(name=strange[0]))
    head, _, body = written.src.partition("\n")
    while "def forward(" not in head:
        head, _, body = body.partition("\n")
    given = re.sub(r"\s*:\s*\w[\w.]*", "", head[head.index("(") + 1:head.rindex(")")].removeprefix("self")).lstrip(", ")
    lines = [_cut(re.sub(r";\s+.*= None$", "", line)) for line in textwrap.dedent(body).splitlines() if line.strip()]
    return given, [line for line in lines if not line.startswith("#")]


def _cut(line: str) -> str:
    """`x[:, -1]` for `x[(slice(None, None, None), -1)]`."""
    whole = "slice(None, None, None)"
    found = re.fullmatch(r"(.*\w)\[\(((?:slice\(None, None, None\)|None|-?\d+|, |,)+)\)\]", line)
    return line if found is None else f"{found[1]}[{found[2].replace(whole, ':')}]"


def _is_known(target: Any) -> bool:
    """Whether it is a function of torch or of Python itself, that a file can name."""
    if isinstance(target, torch._ops.OpOverload):
        return target.namespace == "aten"
    home = getattr(target, "__module__", "") or ""
    return (home.startswith(("torch", "_operator", "builtins", "math")) and not isinstance(
        target, torch._ops.HigherOrderOperator)) or target in (operator.getitem, getattr)


def _file(made: Pass, layers: Sequence[str], way: tuple[str, list[str]]) -> str:
    given, lines = way
    extra = [line for name, line in TAKES.items() if any(re.search(rf"\b{name}\b", each) for each in lines)]
    inputs = "; ".join(" × ".join(map(str, each.shape)) for each in _given(made) if isinstance(each, Tensor))
    card = made.opened.card if made.opened is not None else {}
    prepared = dict(card.get("input") or {}).get("prepare", "") if isinstance(card.get("input"), dict) else ""
    title = made.opened.title if made.opened is not None else made.trace.title
    said = f"{title}: the network as plain PyTorch; its weights lie beside it.\n\n" \
           f"Ran on an input of {inputs}{f': {prepared}' if prepared else ''}.\nThis file was {SOFTWARE}."
    imports = sorted(["from pathlib import Path", *extra])
    body = "\n".join([
        f'"""{_in_docstring(said)}\n"""', "", *imports, "", "import torch", "from safetensors.torch import load_file",
        "from torch import nn", "", "", "class Network(nn.Module):", "    def __init__(self):",
        f"{INDENT}super().__init__()", *(INDENT + line for line in layers), "",
        f"    def forward(self{', ' + given if given else ''}):", *(INDENT + line for line in lines), "", "",
        "def load(path=Path(__file__).with_suffix(\".safetensors\")):",
        '    """The network with its weights, ready to run."""', "    network = Network()",
        "    network.load_state_dict(load_file(path))", "    return network.eval()", ""])
    return body


def _in_docstring(text: str) -> str:
    """Words between three quotation marks, whatever a model is called."""
    kept = "".join(letter for letter in text if letter.isprintable() or letter == "\n")
    whole = kept.replace("\\", "\\\\").replace('"', '\\"')
    return "\n".join(line for part in whole.splitlines() for line in (textwrap.wrap(part, 112) or [""]))


def _tensors(graph: fx.GraphModule) -> dict[str, Tensor]:
    """The numbers under the names that the code gives them; each by itself, as safetensors wants them."""
    found: dict[str, Tensor] = {}
    for name in _named(graph):
        *above, last = name.split(".")
        it = getattr(graph.get_submodule(".".join(above)), last)
        if isinstance(it, nn.Module):
            found |= {f"{name}.{key}": value for key, value in it.state_dict().items()}
        else:
            found[name] = it
    return {name: value.detach().clone().contiguous() for name, value in found.items()}


# --- answers --------------------------------------------------------------------------------------------------------

def _flat(made: Any) -> list[Tensor]:
    return list(_each(made))


def _each(made: Any) -> Iterator[Tensor]:
    if isinstance(made, Tensor):
        yield made
    elif isinstance(made, dict):
        for value in made.values():
            yield from _each(value)
    elif isinstance(made, tuple | list):
        for value in made:
            yield from _each(value)


def _same(ours: Sequence[Tensor], wanted: Sequence[Tensor]) -> bool:
    return len(ours) == len(wanted) and all(
        one.shape == other.shape and one.dtype == other.dtype and torch.equal(
            one.nan_to_num() if one.is_floating_point() else one,
            other.nan_to_num() if other.is_floating_point() else other)
        for one, other in zip(ours, wanted, strict=True))
