"""What the text recipes share: symbols as numbers, and which symbols a model does not know."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def encode(text: str, alphabet: str) -> Tensor:
    """The place of each character in the alphabet, from 0, as a batch of one: (1, len(text)) int64.

    Raises ValueError for an empty text and for characters that the alphabet lacks.
    """
    if not text:
        raise ValueError("Type at least one character.")
    missing = strangers(text, alphabet)
    if missing:
        raise ValueError(f"This model does not know {' '.join(map(repr, missing))}; write the text without.")
    return torch.tensor([[alphabet.index(symbol) for symbol in text]])


def strangers(symbols: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """The symbols that are not among the known ones, each once, in the order in which they come."""
    return tuple(symbol for symbol in dict.fromkeys(symbols) if symbol not in known)
