"""Points: a few numbers of which a network makes a picture, typed or drawn by chance."""

from __future__ import annotations

import re

import numpy as np

from visualizer import latent
from visualizer.inputs import Facts, Given, Grain, InputKind
from visualizer.language import ENGLISH, english, speaking, tr
from visualizer.scene import numbers
from visualizer.trace import Refused, Sample

NUMBER = re.compile(r"[+-]?(\d{1,6}(\.\d{0,9})?|\.\d{1,9})", re.ASCII)


def typed(words: str, facts: Facts) -> Given:
    """`0.21,-0.35`, or `seed=7`: drawn from the normal distribution around 0. Raises Refused with one sentence."""
    count = int(facts["shape"][0]) if facts.get("shape") else 0
    said = words.strip()
    if said.startswith(latent.SEED):
        seed = said.removeprefix(latent.SEED)
        if not count or not re.fullmatch(r"\d{1,9}", seed, re.ASCII):
            raise Refused(tr("The seed {seed} is no number from 0 to 999999999; write {example}.").format(
                seed=repr(seed[:20]), example=f"{latent.MARK}{latent.SEED}7"))
        point = latent.drawn(count, int(seed))
        return Given(Sample(f"{latent.MARK}{said}", english("Drawn by chance, seed {seed}").format(seed=seed)),
                     point.astype(np.float32))
    parts = [part.strip() for part in said.split(",")]
    example = latent.words_of((0.5,) * (count or 2))
    if not all(NUMBER.fullmatch(part) for part in parts):
        raise Refused(tr("{words} is no point; write numbers with a comma between them, such as {example}.").format(
            words=repr(said[:40]), example=example))
    if count and len(parts) != count:
        raise Refused(tr("A picture is made of {count} numbers here, and {given} were given; write {example}.").format(
            count=count, given=len(parts), example=example))
    point = np.array([float(part) for part in parts], np.float32)
    with speaking(ENGLISH):  # as files have it
        title = english("Point {numbers}").format(numbers=", ".join(numbers.number(float(value)) for value in point))
    return Given(Sample(f"{latent.MARK}{said}", title), point)


def given(word: str, title: str, facts: Facts) -> Given:
    """A point as it is written; nothing is the middle."""
    count = int(facts["shape"][0]) if facts.get("shape") else 1
    return typed(word.removeprefix(latent.MARK) or ",".join("0" * count), facts)


def grain(facts: Facts) -> Grain:
    """A few numbers, none of them beside another."""
    return Grain(("number",), "number", english("number"), english("numbers"))


INPUT = InputKind("point", english("points"), english("a point"), typed=typed, given=given, mark=latent.MARK,
                  whole=True, sign="z", view="generate", grain=grain, order=8)
