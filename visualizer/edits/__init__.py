"""Edits: what is done to a network or to its input before it is recorded. One file, one edit; found by its `EDIT`.

An edit is a few words in a recipe, `unit_off:conv2:7`, so that it is saved, undone and asked for like everything else.
A file says what it does to an array or to a unit; `record.edits` has it done, to whatever module that is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from visualizer import registry
from visualizer.trace import Array

WEIGHTS, MODEL, INPUT = "weights", "model", "input"
"""What an edit applies to: which weights a network starts with, how it computes, what it is given."""

Arguments = tuple[Any, ...]


@dataclass(frozen=True)
class Edit:
    """One thing that can be done."""

    name: str
    title: str
    applies_to: str
    """`weights`, `model` or `input`."""
    form: str
    """How it is written: `unit_off:LAYER:UNIT`."""
    about: str
    """One sentence for lists and tooltips."""
    read: Callable[[str], Arguments]
    """What stands behind its name, taken apart; ValueError if it cannot be."""
    said: Callable[..., str]
    """Its arguments -> a few words behind the name of what was edited: `unit 7 of conv2 off`."""
    scales: Callable[..., tuple[str, int, float]] | None = None
    """Of a model: its arguments -> a layer, one channel or unit of it, and what that is multiplied by."""
    of_array: Callable[..., Array] | None = None
    """Of an input: (array, whether it is steps, *arguments) -> the input that is given instead; ValueError with one
    sentence if it has no such thing."""


def all_edits() -> tuple[Edit, ...]:
    """Every edit found in this folder, by name."""
    found = (getattr(module, "EDIT", None) for module in registry.modules("edits"))
    return tuple(sorted((edit for edit in found if isinstance(edit, Edit)), key=lambda edit: edit.name))


def parse(words: str) -> tuple[Edit, Arguments]:
    """The edit that these words ask for, and with what; raises LookupError with one sentence."""
    name, _, rest = words.partition(":")
    for edit in all_edits():
        if edit.name == name:
            try:
                return edit, edit.read(rest)
            except ValueError:
                raise LookupError(f"The edit {words!r} cannot be read; write {edit.form}.") from None
    raise LookupError(f"There is no edit {name!r}; choose one of {', '.join(edit.form for edit in all_edits())}.")


def of(words: Iterable[str], *applies_to: str) -> tuple[tuple[Edit, Arguments], ...]:
    """Those of the edits that apply to such a thing, in their order; raises LookupError with one sentence."""
    return tuple(found for found in map(parse, words) if found[0].applies_to in applies_to)


def said(words: Iterable[str], *applies_to: str) -> str:
    """What was done, in a few words: `before training, unit 7 of conv2 off`; empty for nothing."""
    return ", ".join(edit.said(*arguments) for edit, arguments in
                     of(words, *(applies_to or (WEIGHTS, MODEL, INPUT))))
