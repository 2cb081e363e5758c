"""shuffle_words: the words of a text in another order."""

import numpy as np

from visualizer.edits import DIE, INPUT, WORDS, Edit, Matter, of_knobs
from visualizer.edits._chosen import knobs, mixed, share
from visualizer.language import english, numeral, tr
from visualizer.trace import Array


def _said(part: float, seed: int) -> str:
    return tr("words shuffled") if part == 1 else tr("{share} % of the words shuffled").format(
        share=numeral(f"{100 * part:g}"))


def shuffled(matter: Matter, part: float, seed: int) -> Array:
    """Each text in an order of its own."""
    words = matter.array.tolist()
    if matter.grain.letters:
        words = "".join(words).split(" ")
    if len(words) < 2:
        raise ValueError(tr("it has one word only"))
    order = mixed(len(words), part, matter.chance(seed))
    mixed_words = [words[place] for place in order]
    return np.array([*" ".join(mixed_words)] if matter.grain.letters else mixed_words, object)


EDIT = Edit("shuffle_words", english("Shuffle words"), INPUT, "shuffle_words:SHARE,SEED",
            english("the words of a text in another order"), of_knobs(*knobs()), _said, needs=WORDS, does=shuffled,
            strength=share(), beside=DIE, order=10)
