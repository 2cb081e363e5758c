"""What the view says: the sentence, the table, and what the inspector tells of one pixel."""

from __future__ import annotations

import numpy as np

from visualizer import latent
from visualizer.answers.picture import back_from
from visualizer.language import tr
from visualizer.said import constants, said
from visualizer.scene import numbers
from visualizer.scene.picture import Table
from visualizer.scene.timeline import Moment
from visualizer.trace import Trace, remembered
from visualizer.views.generate._made import STEP, Aim, Made, around, computed
from visualizer.views.generate._plane import axis_words

FEW = 3
"""So many numbers of a point are said in a sentence."""


def sentence(trace: Trace, made: Made, moment: Moment, aim: Aim | None) -> str:
    """What is made of what, and what changes most; or where a point lies of which it learned nothing."""
    if moment.backward:
        return _back(trace, made)
    if computed(trace, moment, made.z) < 1:
        return tr("The picture is read; where in the plane it lies is not known yet.")
    if computed(trace, moment, made.picture) < 1:
        return tr("From {point} the picture grows, layer by layer.").format(point=_point(made))
    pixels = said(numbers.count(made.picture.output.size), "how many", made.picture.name)
    near = around(made)
    if near is not None and near.far:
        far = said(numbers.number(near.nearest), "how far the nearest sample is")
        return tr("{point} makes {pixels} pixels, but no sample lies there: the nearest is {{{far}}} away, farther "
                  "than any is from its neighbour. What is drawn there was never learned.").format(
            point=_point(made), pixels=pixels, far=far)
    if not made.given:
        return _read(trace, made, pixels)
    grown = tr("The {count} numbers {point} grow into {pixels} pixels.").format(
        count=said(str(len(made.point)), "how many", made.z.name), point=_point(made), pixels=pixels)
    return f"{grown} {_most(made, aim)}" if aim is not None else grown


def _point(made: Made) -> str:
    words = [said(numbers.number(float(value)), "value", made.z.name, (axis,))
             for axis, value in enumerate(made.point[:FEW] if len(made.point) > FEW + 1 else made.point)]
    return f"{{({', '.join(words)}{', …' if len(words) < len(made.point) else ''})}}"


def _read(trace: Trace, made: Made, pixels: str) -> str:
    """A picture that was read and made again: how far off it is, and how far its region is from the middle."""
    given = trace.layers[0]
    told = tr("{given} pixels become {count} numbers, {point}, and these a picture again").format(
        given=said(numbers.count(given.output.size), "how many", given.name),
        count=said(str(len(made.point)), "how many", made.z.name), point=_point(made))
    ends = []
    if given.output.size == made.picture.output.size:
        off = float(np.mean((given.output.ravel().astype(np.float64) - made.picture.output.ravel()) ** 2))
        ends.append(tr("mean squared error {off}").format(
            off=said(numbers.significant(off), "squared error of a picture", made.picture.name)))
    if made.region is not None:
        nats = float(latent.nats(made.region[0].output, made.region[1].output).sum())
        ends.append(tr("KL divergence {nats} nats").format(
            nats=said(numbers.significant(nats), "nats of a region", made.region[0].name)))
    return f"{told}: {', '.join(ends)}." if ends else f"{told}."


def _most(made: Made, aim: Aim) -> str:
    row, column = place(made, aim)
    return tr("Moving {axis} by {step} changes the pixel in row {row}, column {column} by {{{change}}}.").format(
        axis=axis_words(aim.axis), step=constants(f"{STEP:g}"), row=row, column=column, change=_measured(made, aim))


def place(made: Made, aim: Aim) -> tuple[str, str]:
    """Row and column of a pixel."""
    rank = len(aim.cell)
    row, column = (said(str(aim.cell[axis]), "index", made.picture.name, aim.cell[:axis + 1])
                   for axis in range(rank - 2, rank))
    return row, column


def _measured(made: Made, aim: Aim) -> str:
    change = float(made.study["moved"][(aim.axis, *aim.cell)]) - float(made.picture.output[aim.cell])
    return said(numbers.signed(change, 3), "change of a pixel", made.picture.name, (aim.axis, *aim.cell))


def _back(trace: Trace, made: Made) -> str:
    if not trace.has_backward:
        return tr("Nothing was sent back.")
    asked = back_from(trace.objective.kind) or tr("one number of the picture")
    if made.picture.gradient is None:
        return tr("On the way back: how much each value would change what is asked about, {asked}. It does not hang on "
                  "the picture, so nothing comes back through the layers that make it.").format(asked=asked)
    return tr("On the way back: how much each value would change what is asked about, {asked}. At the left: how much "
              "each pixel changes with each number of the point.").format(asked=asked)


@remembered(4)
def table(trace: Trace, made: Made) -> Table:
    """One row a number of the point."""
    rows = []
    for axis, value in enumerate(made.point.tolist()):
        slopes = made.study.get("slopes")
        size = float(np.sqrt((np.asarray(slopes[axis], np.float64) ** 2).sum())) if slopes is not None else np.nan
        back = float(made.z.gradient[axis]) if made.z.gradient is not None else np.nan
        region = (np.nan, np.nan, np.nan) if made.region is None else (
            float(made.region[0].output[axis]), float(np.exp(np.float64(made.region[1].output[axis]) / 2)),
            float(latent.nats(made.region[0].output[axis], made.region[1].output[axis])))
        rows.append((axis + 1, value, size, back, *region))
    return Table((tr("axis"), tr("value"), tr("size of ∂ picture"), tr("gradient"), tr("middle"), tr("spread"),
                  tr("nats")), tuple(rows))


def facts(made: Made, aim: Aim | None) -> list[tuple[str, str]]:
    """(what, how much) of the pixel that is looked at."""
    if aim is None:
        return []
    key = made.held("slopes")
    slope = float(made.study["slopes"][(aim.axis, *aim.cell)])
    moved = np.abs(np.asarray(made.study["moved"][aim.axis]) - made.picture.output) > 0.01
    step, (row, column) = constants(f"{STEP:g}"), place(made, aim)
    return [
        (tr("pixel in row {row}, column {column}").format(row=row, column=column),
         said(numbers.number(float(made.picture.output[aim.cell]), 3), "value", made.picture.name, aim.cell)),
        (f"∂ pixel / ∂ {axis_words(aim.axis)}", said(numbers.signed(slope), "value", array=key,
                                                    cell=(aim.axis, *aim.cell))),
        (tr("a step of {step} predicts").format(step=step),
         said(numbers.signed(slope * STEP, 3), "change foretold", made.picture.name, (aim.axis, *aim.cell))),
        (tr("a step of {step} measures").format(step=step), _measured(made, aim)),
        (tr("pixels that move by more than {least}").format(least=constants("0.01")),
         tr("{count} of {all}").format(count=said(numbers.count(int(moved.sum())), "pixels that move",
                                                  made.picture.name, (aim.axis,)),
                                       all=said(numbers.count(moved.size), "how many", made.picture.name)))]


