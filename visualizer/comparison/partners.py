"""Partners: which networks are compared with one, where nobody has chosen others."""

from __future__ import annotations

from dataclasses import replace

from visualizer import edits, registry
from visualizer.scene.recipe import ModelRecipe, Recipe
from visualizer.scene.state import MOST_COMPARED
from visualizer.trace import UNTRAINED

READERS = (("lenet_mnist", "digits_cnn"), ("rows_lstm", "rows_gru", "rows_rnn"), ("mlp_mnist",))
"""Ways to read a digit: all windows at once, row by row, all pixels without any order; the first of each is taken where
the one at hand is none of them."""


def partners(recipe: Recipe, kind: str) -> tuple[Recipe, ...]:
    """The recipes beside one that reads such a kind of input: other ways to read the same; else the others of its
    family that read the same samples; else itself before training."""
    if not isinstance(recipe, ModelRecipe):
        return ()
    own = _reads(recipe.model)[1] if recipe.model in registry.models() else ""
    models = [name for name in registry.models() if _reads(name) == (kind, own) and name != recipe.model]
    family = recipe.model.partition("_")[0]
    found = [name for name in models if name.partition("_")[0] == family]
    ways = all(group[0] in (*models, recipe.model) for group in READERS)
    if ways and (not found or any(recipe.model in group for group in READERS)):
        found = [group[0] for group in READERS if recipe.model not in group]
    others = [replace(recipe, model=name, edits=_of_input(recipe)) for name in found[:MOST_COMPARED - 1]]
    if not others and recipe.model in registry.with_before() and UNTRAINED not in recipe.edits:
        others = [replace(recipe, edits=(UNTRAINED, *recipe.edits))]
    return tuple(others)


def _reads(model: str) -> tuple[str, str]:
    """The kind of input that a bundled model reads, and which of its samples; empty for the usual ones."""
    said = registry.card(model).get("input")
    return (str(said.get("kind", "")), str(said.get("samples", ""))) if isinstance(said, dict) else ("", "")


def _of_input(recipe: ModelRecipe) -> tuple[str, ...]:
    """What is done to its input, which the others get, too."""
    return tuple(words for words in recipe.edits if edits.of((words,), edits.INPUT))
