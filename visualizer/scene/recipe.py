"""Recipe: what makes a recording, in plain words: a model and what goes into it, or a setting of the laboratory.

Two equal recipes make the same numbers, so a recording is kept, found and asked for by its recipe.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from visualizer import lab
from visualizer.edits import trained
from visualizer.trace import ONE_UPDATE, SUFFIX, TRAINED, UNTRAINED, Refused

BEFORE, AFTER = "before", "after"
TRAINING = (BEFORE, AFTER)
"""The reel of one network: from the weights before its training to the trained ones."""
DRAWN = "drawn"
"""The input that was drawn by hand: `drawn:112x112:…` carries the drawing, `drawn` alone has lost it."""


@dataclass(frozen=True)
class ModelRecipe:
    """A network run once over its inputs, forwards and backwards."""

    model: str = "digits_cnn"
    """Bundled name, or path of a file."""
    inputs: tuple[str, ...] = ("digit-2148",)
    """Each the name of a bundled sample, the path of a file, `text:…` as it was typed, or `drawn:…` as it was drawn;
    none for what the model reads first."""
    objective: str = "loss"
    """`loss` against the sample's label, or `logit:4`."""
    edits: tuple[str, ...] = ()
    """What is done to the network or its input first, in this order: `untrained`, `unit_off:conv2:7`, `shift:3,0`."""

    label: str = ""
    """What should be answered, as somebody has said who looked at the input: `4`, `0.5`, `1,0,2`, the path of a file
    of numbers; empty where nobody has, or the input says so itself."""

    @property
    def name(self) -> str:
        """What stands for it where one word must."""
        return self.model

    @property
    def sample(self) -> str:
        """The first input as one word, `drawn` for a drawing; empty for the model's own first sample."""
        first = self.inputs[0] if self.inputs else ""
        return DRAWN if first.startswith(f"{DRAWN}:") else first

    @property
    def drawing(self) -> str:
        """The drawing that is the input, as `state.packed` wrote it; empty where it is none."""
        first = self.inputs[0] if self.inputs else ""
        return first.removeprefix(f"{DRAWN}:") if first.startswith(f"{DRAWN}:") else ""


@dataclass(frozen=True)
class LabRecipe:
    """A setting of the gradient laboratory, and the one pinned beside it."""

    knobs: tuple[tuple[str, str], ...] = ()
    """Knobs by name that do not stand at their defaults; those of other experiments are kept for when one returns."""
    against: str = ""
    """The setting to compare with, as `lab.pinned` writes it; empty for none."""

    @property
    def name(self) -> str:
        return lab.NAME

    @property
    def words(self) -> dict[str, str]:
        """All of it as the engine and the command line say it: `{"gain": "0.9", "against": "experiment:time …"}`."""
        return dict(self.knobs) | ({lab.AGAINST: self.against} if self.against else {})

    @property
    def settings(self) -> tuple[lab.Lab, lab.Lab | None]:
        """The setting, and the one pinned beside it; defaults where its words are bad."""
        try:
            return lab.of_look(self.words)
        except (Refused, LookupError):
            return lab.Lab(), None


Recipe = ModelRecipe | LabRecipe
KINDS: dict[str, type[Recipe]] = {"model": ModelRecipe, "lab": LabRecipe}
"""How a saved recipe says which it is."""


def recipe_of(thing: str, sample: str = "", edits: Iterable[str] = ()) -> Recipe:
    """The recipe that a word on the command line or in a chooser stands for: a model by name or file, or `lab`."""
    return LabRecipe() if thing == lab.NAME else ModelRecipe(thing, (sample,) if sample else (), edits=tuple(edits))


def lab_recipe(words: Mapping[str, str] | Iterable[tuple[str, str]]) -> LabRecipe:
    """The laboratory with these words of its knobs, `against` among them; others are left aside."""
    given = {name: word for name, word in dict(words).items() if name in lab.names()}
    against = given.pop(lab.AGAINST, "")
    return LabRecipe(tuple(sorted(given.items())), against)


def reeled(recipe: Recipe, names: Iterable[str]) -> tuple[Recipe, ...]:
    """What makes the recordings that a reel of these names goes through, in its order; the recipe itself is the last.

    `before` and `after` are one network with its weights from before training and with the trained ones; a number is a
    network after so many updates of its training; any other name is that of a file beside the one of the recipe: the
    recordings of a run, say.
    """
    return tuple(_station(recipe, name) for name in names) if isinstance(recipe, ModelRecipe) else ()


def _station(recipe: ModelRecipe, name: str) -> ModelRecipe:
    if name in TRAINING:
        others = tuple(edit for edit in recipe.edits if edit != UNTRAINED)
        return replace(recipe, edits=(*others, UNTRAINED) if name == BEFORE else others)
    if name.isdecimal():
        words = next((edit for edit in recipe.edits if is_trained(edit)), "")
        return replace(recipe, edits=(trained.moved(words, int(name)), *own_edits(recipe)))
    path = str(Path(recipe.model).with_name(name))
    if path == recipe.model:
        return recipe
    return ModelRecipe(path, ()) if path.endswith(SUFFIX) else replace(recipe, model=path)


def is_trained(edit: str) -> bool:
    """Whether an edit of a recipe says after how many updates the network is seen."""
    return edit.partition(":")[0] == TRAINED


def is_of_run(names: tuple[str, ...]) -> bool:
    """Whether a reel of these names goes through the checkpoints of a training: each is a number of updates."""
    return bool(names) and all(name.isdecimal() for name in names)


def opened_recipe(recipe: Recipe) -> Recipe:
    """A recipe without the updates at which its network is seen."""
    if isinstance(recipe, ModelRecipe) and is_in_training(recipe):
        return replace(recipe, edits=own_edits(recipe))
    return recipe


def is_of_update(edit: str) -> bool:
    """Whether an edit of a recipe asks for one update of a training."""
    return edit.partition(":")[0] == ONE_UPDATE


def is_in_training(recipe: Recipe) -> bool:
    """Whether a recipe is of a network after so many updates of a training, or of one of these."""
    return isinstance(recipe, ModelRecipe) and any(is_trained(edit) or is_of_update(edit) for edit in recipe.edits)


def own_edits(recipe: ModelRecipe) -> tuple[str, ...]:
    """What else is done to a network that is seen after so many updates."""
    return tuple(edit for edit in recipe.edits
                 if not is_trained(edit) and not is_of_update(edit) and edit != UNTRAINED)


def plain_of(recipe: Recipe) -> dict[str, Any]:
    """Plain words for a file; `from_plain` gives an equal recipe back."""
    kind = next(name for name, noun in KINDS.items() if isinstance(recipe, noun))
    return {"kind": kind, **{item.name: getattr(recipe, item.name) for item in fields(recipe)}}


MOST_OF_A_LABEL = 4096
"""Characters of what may be said to be right."""


def from_plain(plain: Mapping[str, Any]) -> Recipe:
    """The recipe that `plain_of` wrote, lists being tuples by now; TypeError or ValueError if it is none."""
    noun = KINDS.get(str(plain.get("kind")))
    if noun is None:
        raise ValueError(f"a recipe of the kind {str(plain.get('kind'))[:40]!r} is not known")
    found = noun(**{key: value for key, value in plain.items() if key in noun.__dataclass_fields__})
    for item in fields(found):
        value = getattr(found, item.name)
        words = all(isinstance(part, str) for part in value) if isinstance(value, tuple) else isinstance(value, str)
        if item.name == "knobs":
            words = all(isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(word, str) for word in pair)
                        for pair in value)
        if item.name == "label":
            words = words and len(value) <= MOST_OF_A_LABEL
        if isinstance(value, tuple) != isinstance(getattr(noun(), item.name), tuple) or not words:
            raise TypeError(f"{item.name} is {str(value)[:40]!r}")
    return found
