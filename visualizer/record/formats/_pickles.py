"""Pickles, read as lists of instructions and never run: which classes one would import, and how much it claims."""

from __future__ import annotations

import pickletools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from visualizer.language import numeral, tr

MOST_STEPS = 1_000_000
"""Of a pickle: a checkpoint of 7,000 tensors with the state of its optimiser takes as many, and a second."""
PUTS = ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE")
WORDS = ("BINUNICODE", "SHORT_BINUNICODE", "UNICODE", "BINUNICODE8", "SHORT_BINSTRING", "BINSTRING")
WHOLE = ("BININT", "BININT1", "BININT2", "LONG1")
TAIL = 12
"""So many steps of a pickle hold all that is said of one piece of storage."""


class Odd(ValueError):
    """It is no pickle, or is cut off; its text says what."""


@dataclass(frozen=True)
class Pickle:
    """What one pickle would do."""

    names: tuple[str, ...]
    """Of what it would import, `torch.nn.modules.linear.Linear`, in the order in which they come."""
    stored: int = 0
    """How many numbers the pieces of storage claim that it names, each once."""
    odd: bool = False
    """Whether it names such pieces otherwise than torch.save does, so that their size is not known."""


def read(file: IO[bytes], strict: bool = True) -> Pickle:
    """What the pickle would do that begins here; the file is left behind it. Raises Odd; where it is not `strict`, what
    can be told of one that is cut off or names its numbers in another way."""
    names: dict[str, None] = {}
    stored: dict[str, int] = {}
    words: list[str] = []
    near: deque[tuple[str, Any]] = deque(maxlen=TAIL)
    odd = False
    for name, value in _steps(file, strict):
        if name in PUTS or name in ("PROTO", "FRAME"):
            continue
        if name in WORDS:
            words = [*words[-1:], str(value)]
        if name in ("GLOBAL", "INST"):
            names[str(value).replace(" ", ".", 1)] = None
        elif name == "STACK_GLOBAL":
            names[".".join(words[-2:])] = None
        elif name in ("BINPERSID", "PERSID"):
            key, count = _storage(list(near))
            odd = odd or count is None
            stored[key] = max(count or 0, stored.get(key, 0))
        near.append((name, value))
    return Pickle(tuple(names), sum(stored.values()), odd)


def _steps(file: IO[bytes], strict: bool) -> Iterator[tuple[str, Any]]:
    try:
        for number, (step, value, _) in enumerate(pickletools.genops(file)):
            if number > MOST_STEPS:
                raise Odd(tr("it takes more than {most} steps").format(most=numeral(f"{MOST_STEPS:,}")))
            yield step.name, value
    except Odd:
        raise
    except Exception as error:  # whatever the list makes of bytes that are none
        if not strict:
            return
        raise Odd(str(error).partition("\n")[0][:100] or type(error).__name__) from None


def _storage(near: list[tuple[str, Any]]) -> tuple[str, int | None]:
    """Key and count of the storage that the last steps name, `('storage', class, key, place, count, view)`; no count
    where it is named otherwise."""
    names = [name for name, _ in near]
    place = len(near) - 2
    if place >= 0 and names[place] == "NONE":  # no view of a larger one
        place -= 1
    elif place >= 0 and names[place] in ("TUPLE", "TUPLE3"):
        place -= 4 if names[place] == "TUPLE3" else 5
    if names[-1:] != ["TUPLE"] or place < 2:
        return "", None
    count, key = near[place], near[place - 2]
    if count[0] not in WHOLE or type(count[1]) is not int or count[1] < 0 or key[0] not in WORDS:
        return "", None
    return str(key[1]), count[1]
