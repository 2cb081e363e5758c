"""occlude: a square patch of a picture, or a stretch of steps, with nothing in it."""

from visualizer.edits import INPUT, NUMBERS, PATCH, PLANE, Edit, Knob, Matter, Strength, of_knobs
from visualizer.language import english, tr
from visualizer.trace import Array

MOST = 10_000


def _said(size: int, right: int, down: int) -> str:
    if not right and not down:
        return tr("{size} covered in the middle").format(size=size)
    return tr("{size} covered at {right}, {down} from the middle").format(size=size, right=f"{right:+d}",
                                                                          down=f"{down:+d}")


def occluded(matter: Matter, size: int, right: int, down: int) -> Array:
    """The patch lies that far to the right and down of the middle, as much of it as lies within."""
    plane = matter.grain.has(PLANE)
    if down and not plane:
        raise ValueError(tr("steps have one direction only; write occlude:SIZE,STEPS"))
    found = matter.array.copy()
    patch = [slice(None)] * found.ndim
    for name, away in (("column", right), ("row", down)) if plane else ((matter.grain.along, right),):
        patch[matter.axis(name)] = covered(found.shape[matter.axis(name)], size, away)
    found[tuple(patch)] = matter.grain.empty
    return found


def covered(length: int, size: int, away: int) -> slice:
    """Which places along an axis of that length."""
    start = (length - size) // 2 + away
    return slice(max(start, 0), max(start + size, 0))


EDIT = Edit("occlude", english("Cover"), INPUT, "occlude:SIZE,RIGHT,DOWN",
            english("a patch with nothing in it, so far from the middle"),
            of_knobs(Knob("SIZE", None, 0, MOST), Knob("RIGHT", 0, -MOST, MOST), Knob("DOWN", 0, -MOST, MOST)), _said,
            needs=NUMBERS, does=occluded,
            strength=Strength(english("size"), "px", tuple(map(float, range(0, 17, 2))), 8,
                              at=lambda arguments, strength: (round(strength), *arguments[1:])),
            beside=PATCH, order=6)
