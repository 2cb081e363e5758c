"""open_model: a name or a file becomes a network that can be run, without running code hidden in a file.

Bundled models are a Python file in `models/` and the weights beside it. Other files are opened by the formats of
`formats/`; weights without wiring find theirs in `fitting`.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from visualizer import manifest, registry
from visualizer.language import english, tr, translated
from visualizer.manifest import Manifest
from visualizer.record import formats
from visualizer.trace import Refused

if TYPE_CHECKING:
    from torch import nn

MOST_BYTES = 512 << 20
"""A file of weights that is larger, or would unpack to more, is refused."""
FROM_PYTHON = english("where the model was made, from Python, visualizer.capture(model, x).save('mine.trace') records "
                      "any model, and mine.trace opens here")


@dataclass(frozen=True, eq=False)
class Opened:
    """A model that is ready to run."""

    name: str
    """Bundled name, or the stem of the file."""
    title: str
    module: nn.Module
    """In evaluation mode."""
    card: Mapping[str, Any] = field(default_factory=dict)
    """What the file says about the model: recipe, quality, input, objective."""
    labels: tuple[str, ...] = ()
    prepare: Callable[[Any], Any] | None = None
    """What is fed in, pixels (rows, columns) uint8 or a text, as the tensor that the model takes, or several of them as
    a tuple; ValueError with one
    sentence for a text that it cannot read. None if the file does not tell."""
    unknown: Callable[[str], tuple[str, ...]] | None = None
    """The symbols of a text that the model does not know."""
    wanted: Callable[[Any], float] | None = None
    """The number that should be answered to an input, for a model that answers with one."""
    told: Manifest = field(default_factory=Manifest)
    """What a person said of the file, and what is proposed for the rest."""
    asked: tuple[str, ...] = ()
    """Names of what is only proposed: neither the file says it, nor did anybody."""
    notes: tuple[str, ...] = ()
    """Whatever else a person should know of it, a sentence each."""
    tried: bool = False
    """Whether it is known, from a run without numbers, that it can be run on what it says it reads."""
    beside: tuple[str, str] = ("", "")
    """Names of the files beside it from which its labels come, and how an input is made ready; empty for none."""
    whole: Opened | None = None
    """The model of which it is a part: what makes pictures of points of what reads pictures, too."""
    uncut: Opened | None = None
    """The same before it was edited; None where it is as it was."""


def open_model(name_or_path: str | Path, untrained: bool = False, told: Manifest | None = None) -> Opened:
    """Open a bundled model by name, trained or with the weights it set out from, or a model file by path.

    `told` is what a person says of the file that it does not say of itself; None for what is kept of it.

    Raises LookupError for an unknown name, Refused for a file that is missing, damaged, hostile, or not understood, and
    where no weights from before training are bundled.
    """
    if registry.is_bundled(str(name_or_path)):
        return _bundled(str(name_or_path), untrained)
    path = Path(name_or_path)
    if untrained and path.exists():
        raise Refused(tr("{file} holds one set of weights, and only bundled models come with those from before "
                         "training; name one of {known}."
                         ).format(file=path.name, known=", ".join(registry.with_before())))
    if path.exists() and (why := formats.refused(path)):
        raise Refused(why)
    form = formats.find(path)
    if form is None:
        if path.exists():
            raise Refused(tr("{file} is no model file that is understood ({known}); {instead}.").format(
                file=path.name, known=", ".join(formats.suffixes()), instead=translated(FROM_PYTHON)))
        raise LookupError(tr("There is no model {name!r}; name one of {known}, or a model file."
                             ).format(name=str(name_or_path), known=", ".join(registry.models())))
    _measure(path)
    told = manifest.of(path) if told is None else told
    if told.source:
        return _of_source(path, told)
    opened: Opened = form.open_file(path, told)
    return opened


def _of_source(path: Path, told: Manifest) -> Opened:
    """The network of a Python file beside a file of weights, with these."""
    from visualizer.record.formats import python

    place = path.with_name(told.source)
    if not place.is_file():
        raise Refused(tr("{name} does not lie beside {file}; put it there."
                         ).format(name=told.source, file=path.name))
    opened = python.open_file(place, replace(told, source="", weights=path.name))
    return replace(opened, name=path.stem, told=replace(opened.told, source=told.source, weights=""))


def _bundled(name: str, untrained: bool) -> Opened:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = registry.weights(name, untrained)
    if untrained and not path.is_file():
        raise Refused(tr("The weights of {name} from before training are not bundled; they are for {known}."
                         ).format(name=name, known=", ".join(registry.with_before())))
    source = source_of(name)
    try:
        card = registry.card(path)
        module: nn.Module = _drawn(source) if card.get("weights") == "drawn" else source.build()
        if card.get("weights") != "drawn":
            module.load_state_dict(load_file(path))
    except (SafetensorError, ValueError, RuntimeError, OSError) as error:
        raise Refused(tr("The weights of {name} are damaged; make them again with `python models/{name}.py DATA_DIR`, "
                         "or install Visualizer again.").format(name=name)) from error
    return Opened(name, str(card.get("title", source.TITLE)), module.eval(), card, tuple(source.LABELS), source.prepare,
                  getattr(source, "unknown", None), getattr(source, "wanted", None))


def _drawn(source: ModuleType) -> nn.Module:
    """The network from which a recipe sets out: its first weights follow from its seed. The random numbers of whoever
    calls are left as they were."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(source.SEED)
        module: nn.Module = source.build()
    return module


@cache
def source_of(name: str) -> ModuleType:
    """The Python file of a bundled model, imported by its path: `models` is no package."""
    path = registry.folder("models") / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"_visualizer_models.{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _measure(path: Path) -> None:
    """Refuse what is not there, and what there is no room for."""
    if not path.is_file():
        raise Refused(tr("There is no file {path}; check the name.").format(path=path))
    if path.stat().st_size > MOST_BYTES:
        raise Refused(tr("{file} is larger than {most} MB; open a smaller network."
                         ).format(file=path.name, most=MOST_BYTES >> 20))
