"""What the phrase models share: made-up verdicts in which the order of the words matters, and the measure.

"The plot is not good but rather dull" blames, "the plot is not rather dull but good" praises, and both have the same
words in them. A phrase has one of four forms, each as often as the others, and X and Y are a word of praise and a word
of blame in one order or the other:

    not X but Y       as Y says
    X and not Y       as X says
    not X             the contrary of what X says
    Y and Y           as both say

Before a word may stand "very", "really" or "rather". Of all pairs of a word of praise and a word of blame one in
five is kept from training and asked for in the measure, so that no answer was learned by heart.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
import _sentences
from _recipe import one_thread
from _text import strangers

DATA = "no file: the recipe makes its phrases up itself"
DATA_LICENCE = "none needed: the phrases are made up"
GROUP = _sentences.GROUP
LABELS = ("negative", "positive")
PRAISE = ("good", "warm", "funny", "clever", "lovely", "moving", "fresh", "honest", "gripping", "fine")
BLAME = ("bad", "dull", "cold", "silly", "ugly", "empty", "stale", "false", "tiring", "poor")
ABOUT = ("film", "plot", "story", "music", "cast", "ending", "script", "dialogue")
DEGREES = ("", "", "very", "really", "rather")
WORDS = ("<unknown>", "the", "this", "is", "was", "not", "but", "and", "very", "really", "rather", *ABOUT, *PRAISE,
         *BLAME)
PLACE = {word: place for place, word in enumerate(WORDS)}
SPLIT = r"[^\W_]+"
INPUT = {
    "kind": "sentence",
    "shape": [None],
    "prepare": "in small letters, cut into words, each as its place in the list of words, from 0; place 0 stands for "
    "every other word; at least one word",
    "lower": True,
    "split": SPLIT,
    "words": list(WORDS),
    "unknown": 0,
    "samples": "phrases",
}
FORMS = ("not X but Y", "X and not Y", "not X", "Y and Y")
SEED, BATCH, RATE, STEPS = 0, 64, 1e-2, 500
LEARNED, LEARNED_SEED = 8000, 0
MEASURED, MEASURED_SEED = 2000, 1
RECIPE = (
    f"AdamW, {STEPS} steps of {BATCH} of {LEARNED} phrases, learning rate rising to {RATE} and falling to 0 (one "
    f"cycle), gradient clipped at 1, cross entropy, seed {SEED}, one thread; one pair of words in five held out."
)


def phrase(chance: np.random.Generator, held_out: bool) -> tuple[str, int, str]:
    """A phrase, its label and its form; its pair of words is one of those held out, or one of the others."""
    while True:
        praise, blame = chance.integers(len(PRAISE)), chance.integers(len(BLAME))
        if ((praise + 2 * blame) % 5 == 0) == held_out:
            break
    first, second = chance.permutation([PRAISE[praise], BLAME[blame]]).tolist()
    form = FORMS[chance.integers(len(FORMS))]
    x, y = (f"{chance.choice(DEGREES)} {word}" for word in (first, second))
    if form == "Y and Y":
        x = f"{chance.choice(DEGREES)} {chance.choice(PRAISE if second in PRAISE else BLAME)}"
    begins = f"{chance.choice(['the', 'this'])} {chance.choice(ABOUT)} {chance.choice(['is', 'was'])}"
    said, praises = {
        "not X but Y": (f"not {x} but {y}", second in PRAISE),
        "X and not Y": (f"{x} and not {y}", first in PRAISE),
        "not X": (f"not {x}", first not in PRAISE),
        "Y and Y": (f"{x} and {y}", second in PRAISE),
    }[form]
    return " ".join(f"{begins} {said}".split()), int(praises), form


@cache
def phrases(count: int, seed: int, held_out: bool) -> tuple[tuple[str, int, str], ...]:
    """So many phrases, with their labels and forms."""
    chance = np.random.default_rng(seed)
    return tuple(phrase(chance, held_out) for _ in range(count))


def split(text: str) -> list[str]:
    """The words of a text in small letters; marks are left out."""
    return re.findall(SPLIT, text.lower())


def prepare(text: str) -> Tensor:
    """A phrase as input (1, words); raises ValueError if there is no word in it."""
    words = split(text)
    if not words:
        raise ValueError("Type at least one word.")
    return torch.tensor([[PLACE.get(word, 0) for word in words]])


def unknown(text: str) -> tuple[str, ...]:
    """The words of a phrase that the model does not know; it reads all of them as the same <unknown>."""
    return strangers(split(text), PLACE)


def fit(
    new: Callable[[], nn.Module], verdicts: _sentences.Verdicts = _sentences.of_whole, stop: int = STEPS
) -> nn.Module:
    """Train a new model on phrases; `_sentences.fit` says how."""
    learned = phrases(LEARNED, LEARNED_SEED, held_out=False)
    return _sentences.fit(new, [prepare(text)[0] for text, _, _ in learned], [label for _, label, _ in learned],
                          verdicts, seed=SEED, batch=BATCH, rate=RATE, steps=STEPS, stop=stop)


def measure(model: nn.Module) -> dict[str, float]:
    """Share of 2,000 phrases with held-out pairs of words that are answered rightly, and that of each form."""
    asked = phrases(MEASURED, MEASURED_SEED, held_out=True)
    model.eval()
    with one_thread(), torch.inference_mode():
        right = [int(model(prepare(text)).reshape(-1, 2)[-1].argmax()) == label for text, label, _ in asked]
    forms = {form: [one for one, (_, _, of) in zip(right, asked, strict=True) if of == form] for form in FORMS}
    return {"test accuracy": sum(right) / len(asked), "of": len(asked),
            **{f"test accuracy, {form}": sum(found) / len(found) for form, found in forms.items()}}
