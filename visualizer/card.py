"""Card: what a model says of itself: what it reads and answers, how large and how good it is, how it is seen first.

Of a bundled model its file says so; of any other the engine's `describe`, once, from the opened model; of a recording
the recording itself. Nobody guesses from a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from visualizer import registry
from visualizer.trace import Trace


@dataclass(frozen=True)
class Intake:
    """One input of a model."""

    kind: str = ""
    """The kind of input; empty where the model does not say."""
    shape: tuple[int | None, ...] = ()
    """Without the batch; None where any length will do."""
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Whatever else the model says of it, as it says it: its alphabet, its words, how it cuts a text."""


@dataclass(frozen=True)
class Card:
    """What is known of a model before it has run. Plain values only: it crosses from the engine to the window."""

    model: str
    """What a State says: the name of a bundled model, or the path of a file."""
    title: str = ""
    intakes: tuple[Intake, ...] = ()
    """Its inputs, in the order in which it takes them; none where it does not say."""
    step: str = ""
    """What one of its steps is called; empty if it reads everything at once."""
    labels: tuple[str, ...] = ()
    answers: str = "classes"
    """The kind of its answer, as far as it is said before it has run."""
    parameters: int = 0
    quality: Mapping[str, Any] = field(default_factory=dict, hash=False)
    view: str = "network"
    """The view in which it is seen first."""
    samples: tuple[str, ...] = ()
    """Names of the bundled inputs that fit, the one it is opened on first."""
    takes_others: bool = True
    """Whether another input can be given to it; a recording has its own."""
    before: bool = False
    """Whether its weights from before training are there, too."""
    group: str = ""
    """The experiments that it belongs to, under which the choosers fold it away; empty for a main one."""
    architecture: str = ""
    """The bundled network whose weights these are; its own name if it is bundled."""
    weights: str = field(default="", compare=False)
    """sha256 of its weights; empty where nobody has read them yet."""

    @property
    def kind(self) -> str:
        """The kind of its first input; empty where it does not say."""
        return self.intakes[0].kind if self.intakes else ""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What it says of its first input."""
        return self.intakes[0].facts if self.intakes else {}

    def plain(self) -> dict[str, Any]:
        """Lists and mappings, as they cross between processes; `from_plain` gives an equal Card back."""
        return asdict(self)


def from_plain(plain: Mapping[str, Any]) -> Card:
    """The Card that `plain` wrote; tuples may have become lists on the way."""
    known = {item.name: plain[item.name] for item in fields(Card) if item.name in plain}
    known["intakes"] = tuple(Intake(str(each["kind"]), tuple(each["shape"]), dict(each["facts"]))
                             for each in known.get("intakes", ()))
    known |= {name: tuple(known[name]) for name in ("labels", "samples") if name in known}
    return Card(**known)


def of_words(model: str, words: Mapping[str, Any], *, title: str = "", **known: Any) -> Card:
    """The Card of what a file or a recipe says: `input`, `labels`, `objective`, `quality`, … as in `models/*.py`."""
    said = words.get("input")
    said = said if isinstance(said, Mapping) else {}
    offered = registry.module("inputs").offered(said)
    intakes = (Intake(offered.name, tuple(said.get("shape", ())), dict(said)),) if said else ()
    asks = words.get("objective")
    quality = words.get("quality")
    found = {"labels": tuple(words.get("labels") or ()), "group": str(words.get("group", "")),
             "parameters": int(words.get("parameters", 0)),
             "quality": dict(quality) if isinstance(quality, Mapping) else {},
             "answers": _answers(words.get("answer"), asks)}
    step = offered.step_of(said) if said else offered.step
    told = words.get("answer")
    told = told if isinstance(told, Mapping) else {}
    answered = next((each.view for each in registry.module("answers").kinds()
                     if each.name == found["answers"] and each.opens(told, said)), "")
    return Card(model, title or str(words.get("title", model)), intakes, **{
        **found, "step": step, "view": answered or (offered.view if step or offered.whole else Card.view),
        "samples": fitting(intakes[0].kind if intakes else "", said), **known})


def _answers(said: Any, asks: Any) -> str:
    """The kind of answer that a card names in its `answer`, or asks for in its `objective`."""
    if said:
        return str(said.get("kind", "")) if isinstance(said, Mapping) else str(said)
    kinds = registry.module("answers")
    found = kinds.asked(str(asks.get("kind"))) if isinstance(asks, Mapping) and asks.get("kind") else kinds.kinds()[0]
    return "" if found is None else str(found.name)


def bundled(name: str, untrained: bool = False) -> Card:
    """The Card of a bundled model, trained or with the weights from before, from the header of its file; raises
    LookupError or ValueError with one sentence."""
    path = registry.weights(name, untrained)
    try:
        changed = path.stat().st_mtime_ns
    except (OSError, ValueError):  # there is none, which `registry.card` says
        changed = 0
    return _bundled(name, untrained, path, changed)


@lru_cache(256)
def _bundled(name: str, untrained: bool, path: Path, changed: int) -> Card:
    """The same of the file as it was then."""
    return of_words(name, registry.card(path if untrained else name),
                    before=registry.weights(name, untrained=True).is_file(), architecture=name)


def of_trace(trace: Trace, model: str = "") -> Card:
    """The Card of what made a recording, as far as that says it; nothing else than its own input can be given."""
    facts = {"labels": trace.labels, "parameters": trace.parameters, **trace.facts}
    return of_words(model or trace.model, facts, title=trace.title or trace.model, samples=(),
                    takes_others=False,
                    architecture=str(trace.facts.get("architecture", "")),
                    weights=str(trace.hashes.get("weights", "")))


def fitting(kind: str, said: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the bundled samples of a kind of input, those of a model that says so much of its input."""
    found: tuple[str, ...] = registry.module("inputs").samples(kind, said).words
    return (str(said["first"]), *found) if said.get("first") else found
