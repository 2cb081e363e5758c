"""GIFT: the plain text that Moodle and others read, a question a block. What is said of an answer is its feedback."""

from __future__ import annotations

import re
from collections.abc import Sequence

from visualizer.quiz import Format, Item


def to_bytes(items: Sequence[Item], title: str) -> bytes:
    """The file in UTF-8; words are marked as plain, so that no sign of them is taken for markup."""
    blocks = [f"$CATEGORY: $course$/{title.replace('/', ' ')}"]
    for item in items:
        asked = "\n".join(filter(None, (item.text, item.question)))
        lines = [f"::{escaped(f'{item.name} {item.title}')}::[plain]{escaped(asked)}{{"]
        for answer in item.answers:
            said = item.reveal if answer.right else answer.said
            feedback = f"#{escaped(said)}" if said else ""
            lines.append(f"\t{'=' if answer.right else '~'}{escaped(answer.words)}{feedback}")
        blocks.append("\n".join((*lines, "}")))
    return ("\n\n".join(blocks) + "\n").encode()


def escaped(words: str) -> str:
    r"""Words in which nothing is a sign of the format: a backslash before each, and `\n` for a new line."""
    return re.sub(r"([\\~=#{}:])", r"\\\1", words).replace("\n", "\\n")


FORMAT = Format("gift", (".gift", ".txt"), "GIFT", to_bytes)
