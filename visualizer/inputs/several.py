"""Several inputs at once, each of a kind of its own: `left=digit-2148; right=digit-11`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from visualizer import inputs
from visualizer.inputs import Facts, Given, InputKind
from visualizer.language import english, tr
from visualizer.trace import Refused, Sample

APART = "; "
"""What stands between two of them."""


def given(word: str, title: str, facts: Facts) -> Given:
    """`NAME=WORD; NAME=WORD`: each word means what it means to its own kind; one that is not named is its first sample.

    Raises Refused or LookupError with one sentence.
    """
    parts = parts_of(facts)
    said = _told(word, tuple(parts), title)
    found = {name: inputs.given(said.get(name, ""), str(part.get("kind", "")), f"{title} ({name})", part)
             for name, part in parts.items()}
    name = joined([f"{name}={each.sample.name}" for name, each in found.items()])
    shown = ", ".join(f"{name}: {each.sample.title or each.sample.name}" for name, each in found.items())
    label = next((each.sample.label for each in found.values() if len(found) == 1), None)
    return Given(Sample(name, shown, label), {name: each.raw for name, each in found.items()})


def parts_of(facts: Facts) -> Mapping[str, Mapping[str, Any]]:
    """What each of them is, in the order in which the model takes them."""
    parts = facts.get("inputs")
    if not isinstance(parts, Mapping) or not all(isinstance(part, Mapping) for part in parts.values()) or not parts:
        raise Refused(tr("The model's card names no inputs; write them there as `inputs`, a name and a kind for each."))
    return parts


def joined(words: Sequence[str]) -> str:
    """Several words as one, as `given` reads it."""
    return APART.join(words)


def _told(word: str, names: Sequence[str], title: str) -> dict[str, str]:
    """Name -> word. A word that names none is that of the first."""
    ahead = "|".join(map(re.escape, names))
    found: dict[str, str] = {}
    for part in re.split(rf";\s*(?=(?:{ahead})=)", word) if word else ():
        name, equals, rest = part.partition("=")
        if not equals or name.strip() not in names:
            name, rest = names[0], part
        if name.strip() in found:
            raise Refused(tr("{model} is given {name} twice; write each of {names} once.").format(
                model=title, name=name.strip(), names=", ".join(names)))
        found[name.strip()] = rest
    return found


def steps(facts: Facts, raw: Any, frames: int) -> tuple[str, ...]:
    """Those of the first that has steps."""
    for name, part in parts_of(facts).items():
        found = inputs.of(part).steps(part, raw[name], frames)
        if found:
            return found
    return ()


INPUT = InputKind("several", english("several inputs"), english("several inputs"), given=given, steps=steps, order=9)
