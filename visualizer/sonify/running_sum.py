"""The running sum of one number, term by term, where the view adds them."""

from __future__ import annotations

from visualizer.language import english, tr
from visualizer.scene import colour
from visualizer.scene.picture import Scale
from visualizer.scene.timeline import Moment
from visualizer.sight import Sight
from visualizer.sonify import Audible, Heard
from visualizer.trace import Refused, Trace


def words(trace: Trace, seen: Sight) -> str:
    """Of which number; Refused in a view that adds nothing up."""
    if seen.view.sums is None:
        raise Refused(tr("A running sum is heard in the microscope; choose that view."))
    about = seen.subject
    cell = ", ".join(map(str, about.cell))
    return tr("The running sum of {number}, term by term").format(
        number=f"{'∂L/∂' if seen.moment.backward else ''}{about.layer}{f' ({cell})' if cell else ''}")


def heard(trace: Trace, seen: Sight, moment: Moment) -> tuple[Heard, ...]:
    """What the terms of a beat have come to after each of them."""
    if seen.view.sums is None:
        return ()
    found: list[Heard] = []
    for each in seen.view.sums(trace, moment, seen.focus, seen.look.laid_out):
        top = colour.largest(each.totals) or 1.0
        scale = Scale("activation", english("values"), "", -top, top)
        found += [Heard(each.stretch.phase(done), total, scale) for done, total in enumerate(each.totals, 1)]
    return tuple(found)


AUDIBLE = Audible("sum", english("Sum"), words, heard, order=10, in_beat=True,
                  fits=lambda trace, seen: seen.view.sums is not None)
