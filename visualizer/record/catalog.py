"""open_model: a name or a file becomes a network that can be run, without running code hidden in a file.

Bundled models are a Python file in `models/` and the weights beside it. Other files are opened by the formats of
`formats/`; weights without wiring are matched against the bundled networks.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from visualizer import manifest, registry
from visualizer.manifest import Manifest
from visualizer.record import formats
from visualizer.trace import Refused

if TYPE_CHECKING:
    from torch import Tensor, nn

MOST_BYTES = 512 << 20
"""A file of weights that is larger, or would unpack to more, is refused."""
FROM_PYTHON = ("where the model was made, from Python, visualizer.capture(model, x).save('mine.trace') records any "
               "model, and mine.trace opens here")
USUAL_KEYS = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights", "params", "module")
"""Under which checkpoints mostly keep their weights; any other key is looked into behind these."""
DEEPEST = 4
"""So many mappings in one another are looked into."""


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


def open_model(name_or_path: str | Path, untrained: bool = False, told: Manifest | None = None) -> Opened:
    """Open a bundled model by name, trained or with the weights it set out from, or a model file by path.

    `told` is what a person says of the file that it does not say of itself; None for what is kept of it.

    Raises LookupError for an unknown name, Refused for a file that is missing, damaged, hostile, or not understood, and
    where no weights from before training are bundled.
    """
    if str(name_or_path) in registry.models():
        return _bundled(str(name_or_path), untrained)
    path = Path(name_or_path)
    if untrained and path.exists():
        raise Refused(f"{path.name} holds one set of weights, and only bundled models come with those from before "
                      f"training; name one of {', '.join(registry.with_before())}.")
    form = formats.find(path)
    if form is None:
        if path.exists():
            raise Refused(f"{path.name} is no model file that is understood ({', '.join(formats.suffixes())}); "
                          f"{FROM_PYTHON}.")
        raise LookupError(f"There is no model {str(name_or_path)!r}; name one of {', '.join(registry.models())}, or a "
                          "model file.")
    _sniff(path)
    opened: Opened = form.open_file(path, manifest.of(path) if told is None else told)
    return opened


def attach(weights: Mapping[str, Any], path: Path, model: str = "") -> Opened:
    """Put weights into the bundled network that they fit, into `model` where they fit several; Refused if there is
    none."""
    found = list(_state_dicts(weights))
    if not found:
        raise Refused(f"{path.name} holds no state dict; save one with torch.save(model.state_dict(), 'weights.pt').")
    spelled = [(key, tensors) for key, held in found for tensors in _spelled(held)]
    for name in sorted(registry.models(), key=lambda name: name != model):
        source = source_of(name)
        module = source.build()
        fitting = [(key, tensors) for key, tensors in spelled if _fit(module.state_dict(), tensors)]
        if fitting:
            key, tensors = fitting[0]
            module.load_state_dict(tensors)
            card = {"input": source.INPUT, "labels": source.LABELS, "architecture": name}
            card |= {name.lower(): getattr(source, name) for name in ("OBJECTIVE", "ANSWER") if hasattr(source, name)}
            which = f"weights {key!r}" if len(fitting) > 1 else "weights"
            return Opened(path.stem, f"{source.TITLE}, {which} of {path.name}", module.eval(), card,
                          tuple(source.LABELS), source.prepare, getattr(source, "unknown", None),
                          getattr(source, "wanted", None))
    tensors = found[0][1]
    numbers = sum(tensor.numel() for tensor in tensors.values())
    held = "1 tensor" if len(tensors) == 1 else f"{len(tensors)} tensors"
    raise Refused(f"{path.name} holds weights only ({held}, {numbers:,} numbers, no wiring), and they fit none of the "
                  f"{len(registry.models())} networks that come with the app; {FROM_PYTHON}.")


def _bundled(name: str, untrained: bool) -> Opened:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = registry.weights(name, untrained)
    if untrained and not path.is_file():
        raise Refused(f"The weights of {name} from before training are not bundled; they are for "
                      f"{', '.join(registry.with_before())}.")
    source = source_of(name)
    try:
        card = registry.card(path)
        module: nn.Module = _drawn(source) if card.get("weights") == "drawn" else source.build()
        if card.get("weights") != "drawn":
            module.load_state_dict(load_file(path))
    except (SafetensorError, ValueError, RuntimeError, OSError) as error:
        raise Refused(f"The weights of {name} are damaged; make them again with `python models/{name}.py DATA_DIR`, or "
                      "install Visualizer again.") from error
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


def _state_dicts(held: Mapping[Any, Any], key: str = "", depth: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping of names to tensors in a checkpoint, with the key that it lies under; the usual ones first."""
    from torch import Tensor

    tensors = {str(name): value for name, value in held.items() if isinstance(value, Tensor)}
    inside = {name: value for name, value in held.items() if isinstance(value, Mapping)}
    if tensors and len(tensors) + len(inside) == len(held):
        yield key, tensors
    if depth == DEEPEST:
        return
    rank = {name: number for number, name in enumerate(USUAL_KEYS)}
    for name in sorted(inside, key=lambda name: rank.get(name, len(rank))):
        yield from _state_dicts(inside[name], f"{key}.{name}" if key else str(name), depth + 1)


def _spelled(tensors: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The same tensors with their names as they are, then without what wrappers put before every one of them: `module.`
    of DataParallel, `_orig_mod.` of torch.compile, `model.` of Lightning; beside an average stands how many it is of.
    """
    tensors = {name: tensor for name, tensor in tensors.items() if name != "n_averaged"}
    while tensors:
        yield tensors
        first = {name.partition(".")[0] for name in tensors}
        if len(first) > 1 or not all("." in name for name in tensors):
            return
        tensors = {name.partition(".")[2]: tensor for name, tensor in tensors.items()}


def _fit(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> bool:
    return expected.keys() == found.keys() and all(
        found[name].shape == tensor.shape and found[name].is_floating_point() == tensor.is_floating_point()
        for name, tensor in expected.items())


def _sniff(path: Path) -> None:
    """Name what a file is when it is not what its suffix says; torch's own words mislead here."""
    if not path.is_file():
        raise Refused(f"There is no file {path}; check the name.")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise Refused(f"{path.name} is larger than {MOST_BYTES >> 20} MB; open a smaller network.")
    if size == 0:
        raise Refused(f"{path.name} is empty; save or download it again.")
    with path.open("rb") as file:
        head = file.read(512)
    if head.startswith(b"version https://git-lfs"):
        raise Refused(f"{path.name} is only a pointer left by git-lfs, not the weights; run `git lfs pull` and open it "
                      "again.")
    if head.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise Refused(f"{path.name} is a web page, not a model; download the file itself, not the page about it.")
