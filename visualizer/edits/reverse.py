"""reverse: what is read last comes first."""

from visualizer.edits import INPUT, STEPS, Edit, Matter, of_knobs
from visualizer.language import english, tr
from visualizer.trace import Array


def reversed_(matter: Matter) -> Array:
    """The same rows, steps or symbols from the last to the first."""
    return matter.ordered(range(matter.pieces - 1, -1, -1))


EDIT = Edit("reverse", english("Reverse"), INPUT, "reverse", english("what is read last comes first"), of_knobs(),
            lambda: tr("backwards"), needs=STEPS, does=reversed_, order=11)
