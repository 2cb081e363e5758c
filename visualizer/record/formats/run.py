"""`.run`: a training, as `visualizer train` writes it: the network of it with the weights at which it stands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from visualizer.manifest import NOTHING, Manifest
from visualizer.record.catalog import Opened
from visualizer.train import kept

SUFFIXES = (kept.SUFFIX,)
TITLE = "training"


def is_one(path: Path) -> bool:
    """Whether its header says so."""
    return kept.is_one(path)


def open_file(path: Path, told: Manifest = NOTHING) -> Opened:
    """The network of a training, with its last weights; raises Refused."""
    from visualizer.record.training.weights import opened_at

    run = kept.of_file(str(path))
    opened = opened_at(run, run.checkpoints[-1], str(path))
    reads = {**opened.card.get("input", {}), **({"first": run.sample} if run.sample else {})}
    return replace(opened, card={**opened.card, "input": reads, "view": "training"})
