"""What the recipes share that translate numbers: the words of a number in English and in German, and the split.

The words are those of the Python package num2words 0.5.14, from which they were checked, 0 to 999,999, in both
languages: in English without its "and", hyphens and commas; in German cut into the words it is made of. They differ in
one thing: 101000 is "einhundert·ein·tausend" as it should be, where the package writes "einhunderteinstausend".
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
import _attention
from _attention import Decoder
from _text import strangers

DATA = "no file: the words of a number follow from a rule"
DATA_LICENCE = "none needed: the words of numbers, checked against the Python package num2words 0.5.14"
UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
         "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
EINER = ("null", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf",
         "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn", "neunzehn")
ZEHNER = ("zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig")
WORDS = (*UNITS, *TENS, "hundred", "thousand")
LABELS = (*EINER, *ZEHNER, "eins", "und", "hundert", "tausend", "(end)")
MOST = 1_000_000
LONGEST = 18
"""German words of a number at most, with the end and some more."""
SPLIT = r"[a-z]+"
INPUT = {
    "kind": "sentence",
    "shape": [None],
    "prepare": "in small letters, without \"and\", cut into words, each as its place in the list of words, from 0",
    "lower": True,
    "replace": {" and ": " "},
    "split": SPLIT,
    "words": list(WORDS),
    "reads": "whole",
    "samples": "numbers",
}
OBJECTIVE = {
    "kind": "spoken",
    "loss": "cross entropy",
    "output": ["step", "class"],
    "at": "every step",
    "reduction": "mean",
    "words": "At each step the model is asked for the next German word, and at last for the end: the loss is −log of "
    "the probability that it gave to the right one, averaged over all steps.",
}
ANSWER = {"kind": "spoken", "end": len(LABELS) - 1, "begin": len(LABELS), "joined": ""}
POOL, ASKED, ROUND_OFF = 4000, 2000, 0.5


def english(number: int) -> list[str]:
    """The words of a number from 0 to 999,999: `four hundred ninety seven`."""
    thousands, rest = divmod(number, 1000)
    words = [*_english_below(thousands), "thousand"] if thousands else []
    return [*words, *(_english_below(rest) if rest or not thousands else [])]


def _english_below(number: int) -> list[str]:
    hundreds, rest = divmod(number, 100)
    words = [UNITS[hundreds], "hundred"] if hundreds else []
    if rest >= 20:
        return [*words, TENS[rest // 10 - 2], *([UNITS[rest % 10]] if rest % 10 else [])]
    return [*words, UNITS[rest]] if rest or not hundreds else words


def german(number: int) -> list[str]:
    """What a number from 0 to 999,999 is made of: `vier hundert sieben und neunzig`; the one comes before the ten."""
    thousands, rest = divmod(number, 1000)
    words = [*_german_below(thousands), "tausend"] if thousands else []
    words += _german_below(rest) if rest or not thousands else []
    return [*words[:-1], "eins"] if words[-1] == "ein" else words


def _german_below(number: int) -> list[str]:
    hundreds, rest = divmod(number, 100)
    words = [EINER[hundreds], "hundert"] if hundreds else []
    if rest >= 20:
        one = [EINER[rest % 10], "und"] if rest % 10 else []
        return [*words, *one, ZEHNER[rest // 10 - 2]]
    return [*words, EINER[rest]] if rest or not hundreds else words


def is_held_out(number: int) -> bool:
    """One number in twenty from 21 on, round ones as well, by a hash: the training never sees it."""
    return number > 20 and number * 2_654_435_761 % 2**32 < 2**32 // 20


def pair(number: int) -> tuple[list[int], list[int]]:
    """The words as places in the two lists."""
    return [WORDS.index(word) for word in english(number)], [LABELS.index(word) for word in german(number)]


def draw(count: int, chance: np.random.Generator, held_out: bool, round_off: float = 0.0) -> list[int]:
    """Different numbers of one to six digits, as many of one digit as of two; all short ones are soon there.

    The share `round_off` of them has each digit with a chance of one half replaced by 0.
    """
    found: dict[int, None] = {}
    while len(found) < count:
        length = int(chance.choice([1, 2, 3, 3, 4, 5, 6, 6]))
        digits = chance.integers(10, size=length)
        if round_off and chance.random() < round_off:
            digits = digits * (chance.random(length) < 0.5)
        number = int("".join(map(str, digits)))
        if is_held_out(number) == held_out:
            found[number] = None
    return list(found)


def round_numbers() -> list[int]:
    """The held-out tens below 10,000, hundreds below 100,000, and thousands."""
    numbers = {*range(0, 10_000, 10), *range(0, 100_000, 100), *range(0, MOST, 1000)}
    return sorted(number for number in numbers if is_held_out(number))


def fit(new: Callable[[], Decoder], *, seed: int, batch: int, rate: float, steps: int, stop: int) -> nn.Module:
    """Train a new model on 4,000 numbers, many of them round, told the right words before each."""
    numbers = draw(POOL, np.random.default_rng(seed), held_out=False, round_off=ROUND_OFF)
    known = [pair(number) for number in numbers]
    return _attention.fit(new, known, seed=seed, batch=batch, rate=rate, steps=steps, stop=stop)


def measure(model: nn.Module) -> dict[str, float]:
    """Shares of held-out numbers, 2,000 of one to six digits and the round ones, that are translated wholly right; and
    of the words of the 2,000 those that are right where they stand, when the model is told what it said itself and when
    it is told the right words."""
    model.eval()
    asked = [pair(number) for number in draw(ASKED, np.random.default_rng(1), held_out=True)]
    whole, words = _right(model, asked)
    return {
        "wholly right": whole,
        "of": ASKED,
        "round numbers wholly right": _right(model, [pair(number) for number in round_numbers()])[0],
        "words right, told its own": words,
        "words right, told the right ones": _attention.told_right(model, asked)[0],
    }


def _right(model: nn.Module, pairs: list[tuple[list[int], list[int]]]) -> tuple[float, float]:
    """Shares of the pairs that are spoken wholly right, and of the symbols, with the end."""
    end = LABELS.index("(end)")
    said = [([*one, end], [*wanted, end])
            for one, (_, wanted) in zip(_attention.spoken(model, pairs), pairs, strict=True)]
    hits = sum(a == b for one, wanted in said for a, b in zip(one, wanted, strict=False))
    return sum(one == wanted for one, wanted in said) / len(pairs), hits / sum(len(wanted) for _, wanted in said)


def cut(text: str) -> list[str]:
    """The words of a text, in small letters, without "and"."""
    return [word for word in text.lower().replace("-", " ").replace(",", " ").split() if word != "and"]


def prepare(text: str) -> Tensor:
    """English number words as input (1, words); raises ValueError for no word and for words that are none of its
    thirty."""
    words = cut(text)
    if not words:
        raise ValueError("Write a number from zero to 999,999 in English words.")
    missing = strangers(words, WORDS)
    if missing:
        raise ValueError(f"This model does not know {' '.join(map(repr, missing))}; write a number in English words.")
    return torch.tensor([[WORDS.index(word) for word in words]])


def unknown(text: str) -> tuple[str, ...]:
    """The words of a text that the model does not know."""
    return strangers(cut(text), WORDS)


def wanted(text: str) -> list[int] | None:
    """What should be spoken for a number in words, with the end; None for words that are no number."""
    number = value(cut(text))
    return None if number is None else [*pair(number)[1], LABELS.index("(end)")]


def value(words: list[str]) -> int | None:
    """The number that English words name; None if they name none."""
    place = {word: number for number, word in enumerate(UNITS)}
    place |= {word: 10 * number for number, word in enumerate(TENS, 2)}
    total = part = 0
    for word in words:
        if word == "thousand":
            total, part = total + 1000 * part, 0
        elif word == "hundred":
            part *= 100
        elif word in place:
            part += place[word]
        else:
            return None
    return total + part if total + part < MOST and words == english(total + part) else None
