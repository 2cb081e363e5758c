"""shuffle_rows: what is read at a time, rows, frames, steps or letters, in another order."""

from visualizer.edits import DIE, INPUT, LETTERS, Edit, Matter, of_knobs
from visualizer.edits._chosen import knobs, mixed, share
from visualizer.language import english, numeral, tr
from visualizer.trace import Array


def _said(part: float, seed: int) -> str:
    return tr("order shuffled") if part == 1 else tr("order shuffled to {share} %").format(
        share=numeral(f"{100 * part:g}"))


def shuffled(matter: Matter, part: float, seed: int) -> Array:
    """Each input in an order of its own."""
    return matter.ordered(mixed(matter.pieces, part, matter.chance(seed)))


EDIT = Edit("shuffle_rows", english("Shuffle {many}"), INPUT, "shuffle_rows:SHARE,SEED",
            english("what is read at a time, rows, steps or letters, in another order"), of_knobs(*knobs()), _said,
            needs=LETTERS, does=shuffled, strength=share(), beside=DIE, order=9)
