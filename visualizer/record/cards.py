"""cards: what an opened model says of itself, before it has run."""

from __future__ import annotations

from pathlib import Path

from visualizer import card, registry
from visualizer.card import Card
from visualizer.record.catalog import Opened, open_model
from visualizer.record.weights import weights_of


def describe(model: str | Path) -> Card:
    """The Card of a bundled model or of a model file; raises what `open_model` raises."""
    return card_of(open_model(model), str(model))


def card_of(opened: Opened, model: str) -> Card:
    """The Card of an opened model, which a State calls `model`."""
    words = {"parameters": sum(tensor.numel() for tensor in opened.module.parameters()), **opened.card,
             "labels": opened.labels}
    named = model in registry.models()
    return card.of_words(model, words, title=opened.title,
                         before=named and registry.weights(model, untrained=True).is_file(),
                         architecture=model if named else str(opened.card.get("architecture", "")),
                         weights=weights_of(opened.module).held.digest)
