"""Absence: that a layer has no gradient, and why, in one sentence.

Recordings say why in whole sentences, or nothing where nobody knows; here it stands within another sentence.
"""

from __future__ import annotations

from visualizer.language import tr
from visualizer.reasons import told


def unreached(name: str, why: str) -> str:
    """`No gradient reaches conv1: Its weights are frozen.`; `why` is what its recording says, if it says anything."""
    return tr("No gradient reaches {layer}: {why}.").format(layer=name, why=why_not(why))


def why_not(why: str) -> str:
    """Why none reaches it, in words that end without a full stop."""
    return clause(why) or tr("nothing that the loss depends on goes through it")


def timeless(name: str, why: str) -> str:
    """The same of one that has no gradient through time."""
    return tr("{layer} has no gradient through time: {why}.").format(
        layer=name, why=clause(why) or tr("nothing flowed back to it"))


def clause(sentence: str) -> str:
    """What a recording says, in the language that is spoken, without its full stop, to stand within another."""
    return told(sentence).rstrip(".")
