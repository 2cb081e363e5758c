"""Survey: what is known of a model file before it is opened, for the sheet on which a person says the rest.

Plain values and arrays only: it crosses from the engine to the window. `record.survey` makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import manifest
from visualizer.manifest import Manifest


@dataclass(frozen=True)
class Row:
    """One operation, or the name of a module above those that are in it."""

    name: str
    """Path of the module, or what a recording calls the operation."""
    kind: str = ""
    """A kind of operation, as in a recording; empty for a module that only groups others."""
    operation: str = ""
    """In a few words: `3 × 3 by 2, 16 → 32`."""
    shape: tuple[int, ...] = ()
    """What it gives, without the batch."""
    axes: tuple[str, ...] = ()
    parameters: int = 0
    adds: int = 0
    """Multiply-adds of one input."""
    depth: int = 0
    """In how many modules it lies that have a row of their own above it."""
    group: bool = False
    """Whether it only stands above others."""
    taken: bool = True
    """Whether it can be taken apart; else its values and its gradient are shown, and no terms."""


@dataclass(frozen=True)
class Seen:
    """One input as a person gives it and as the model sees it."""

    title: str = ""
    given: NDArray[Any] | None = None
    """As it is given: pixels (row, column) or (row, column, colour) uint8, or None for what is no picture."""
    fed: NDArray[Any] | None = None
    """As the model sees it, without the batch; None where nothing can be fed in."""
    names: tuple[str, ...] = ()
    """What its channels are called, where they have names."""
    ranges: tuple[tuple[float, float, float], ...] = ()
    """Smallest value, mean and largest of each channel; of all values where it has none."""
    why: str = ""
    """Why nothing is seen, in one sentence."""


@dataclass(frozen=True)
class Opens:
    """Something that the app shows, and whether it does so of this model."""

    view: str
    title: str
    opens: bool
    words: str = ""
    """How much of it, or why not."""


@dataclass(frozen=True)
class Check:
    """Something that was looked at before anything was believed."""

    words: str
    passed: bool = True


@dataclass(frozen=True)
class Class:
    """Something in a Python file that can be the model."""

    name: str
    arguments: tuple[tuple[str, str], ...] = ()
    """Name of each argument of its constructor, and its default as it is written; empty where it has none."""
    made: bool = False
    """Whether it is there already, so that nothing is called."""


@dataclass(frozen=True)
class Survey:
    """What is known of a model file."""

    file: str
    """Its path."""
    title: str = ""
    """In one sentence, with the markup of `picture.rich`."""
    format: str = ""
    size: int = 0
    """Bytes."""
    hash: str = ""
    """sha256 of it."""
    entries: int = 0
    """Parts in an archive, or tensors; 0 where it is one piece."""
    runs: bool = False
    """Whether it is a program, which runs when the model is opened."""
    agreed: bool = False
    """Whether a person has agreed to run it."""
    rows: tuple[Row, ...] = ()
    parameters: int = 0
    adds: int = 0
    """Multiply-adds of one pass forwards over one input."""
    memory: int = 0
    """Bytes of all numbers of a recording of one input, gradients included; 0 where that is not known."""
    dtype: str = ""
    told: Manifest = field(default_factory=Manifest)
    """What is taken for true: what was said, and for the rest what is proposed."""
    asked: tuple[str, ...] = ()
    """Names of the fields of `told` that the file does not say and nobody has said, so that they are only proposed;
    those of one of several inputs with its name before: `image.scale`."""
    outputs: tuple[tuple[int, ...], ...] = ()
    """Shape of each answer, without the batch."""
    labelled: int = 0
    """How many labels the answer needs; 0 where it has none."""
    found: str = ""
    """The file beside it from which the labels come; empty where they come from nowhere, or were said."""
    presets: str = ""
    """The file beside it from which mean, divisor and size come."""
    kept: str = ""
    """Where what was said is kept; empty where nothing is."""
    seen: tuple[Seen, ...] = ()
    """One for each input."""
    views: tuple[Opens, ...] = ()
    checks: tuple[Check, ...] = ()
    whole: tuple[str, ...] = ()
    """Kinds of operations that are not taken apart, by name."""
    choices: tuple[Class, ...] = ()
    """Of a Python file: what in it can be the model."""
    notes: tuple[str, ...] = ()
    """Whatever else a person should know, a sentence each."""
    why: str = ""
    """Why it cannot be run as it is told, in one sentence; empty where it can."""

    def plain(self) -> dict[str, Any]:
        """As it crosses between processes; `from_plain` gives an equal Survey back, but for its arrays."""
        made = {item.name: getattr(self, item.name) for item in fields(self)}
        made |= {name: [asdict(each) for each in made[name]] for name in _LISTS}
        return {**made, "told": self.told.plain()}


def without_arrays(found: Survey) -> dict[str, Any]:
    """As JSON writes it: what is seen of an input by its ranges alone."""
    return {**found.plain(), "seen": [{name: value for name, value in asdict(each).items()
                                       if name not in ("given", "fed")} for each in found.seen]}


def lines(found: Survey) -> list[str]:
    """As text: its operations, then what it reads and answers; what is only proposed has a question mark."""
    rows = [(f"{'  ' * row.depth}{row.name}", row.operation or row.kind, " × ".join(map(str, row.shape)),
             f"{row.parameters:,}" if row.parameters else "", "" if row.taken else "shown only") for row in found.rows]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    if found.runs and not found.agreed:
        return [f"{found.title} is a program, and nothing in it has run; it can be recorded as:",
                *(f"  {Path(found.file).name}:{each.name}" + ("" if each.made else "(" + ", ".join(
                    f"{name}={usual}" if usual else name for name, usual in each.arguments) + ")")
                  for each in found.choices)]
    made = [found.title, *("  ".join((row[0].ljust(widths[0]), row[1].ljust(widths[1]), row[2].rjust(widths[2]),
                                      row[3].rjust(widths[3]), row[4])).rstrip() for row in rows),
            f"{found.parameters:,} parameters, {found.adds:,} multiply-adds" +
            (f", {max(1, found.memory >> 20):,} MiB a recording" if found.memory else "")]
    for name, value in found.told.plain().items():
        if name not in ("hash", "labels", "alphabet"):
            asked = " ?" if name in found.asked else ""
            made.append(f"{name}: {', '.join(map(_word, value)) if isinstance(value, list) else _word(value)}{asked}")
    made.append(f"labels: {', '.join(found.told.labels[:12]) or 'none'}" +
                (f", … {len(found.told.labels):,}" if len(found.told.labels) > 12 else "") +
                (f" ({found.found})" if found.found else "") + (" ?" if "labels" in found.asked else ""))
    for name in ("mean", "alphabet"):
        if name in found.asked:
            made.append(f"{name}: none ?")
    for seen in found.seen:
        made += [f"{seen.title or 'input'}: {name or 'all numbers'} {low:.4g} to {high:.4g}, mean {mean:.4g}"
                 for name, (low, mean, high) in zip(seen.names or ("",) * len(seen.ranges), seen.ranges, strict=False)]
    return [*made, *found.notes, *([found.why] if found.why else [])]


def _word(value: Any) -> str:
    return "any" if value is None else str(value)


_LISTS: Mapping[str, Any] = {"rows": Row, "seen": Seen, "views": Opens, "checks": Check, "choices": Class}


def from_plain(plain: Mapping[str, Any]) -> Survey:
    """The Survey that `plain` wrote; tuples may have become lists on the way."""
    known: dict[str, Any] = {item.name: plain[item.name] for item in fields(Survey) if item.name in plain}
    known["told"] = manifest.from_plain(known.get("told", {}))
    for name, made in _LISTS.items():
        known[name] = tuple(made(**{key: _tuples(value) for key, value in each.items()})
                            for each in known.get(name, ()))
    return Survey(**{key: _tuples(value) for key, value in known.items()})


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value


def ranges(array: NDArray[Any], axis: int | None) -> tuple[tuple[float, float, float], ...]:
    """Smallest value, mean and largest of each channel along an axis, or of all values."""
    parts = [array] if axis is None else np.moveaxis(array, axis, 0)
    return tuple((float(each.min()), float(each.mean(dtype=np.float64)), float(each.max())) for each in parts
                 if each.size)
