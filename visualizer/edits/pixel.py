"""pixel: one pixel of a picture, set."""

from visualizer.edits import INPUT, PLANE, Edit, Grain, Knob, Matter, of_knobs
from visualizer.language import english, numeral, tr
from visualizer.trace import Array

MOST = 10_000


def _said(row: int, column: int, value: float) -> str:
    return tr("pixel ({row}, {column}) = {value}").format(row=row, column=column, value=numeral(f"{value:g}"))


def put(matter: Matter, row: int, column: int, value: float) -> Array:
    """The same value in each of its colours, no further than a pixel can go."""
    rows, columns = matter.axis("row"), matter.axis("column")
    if row >= matter.array.shape[rows] or column >= matter.array.shape[columns]:
        raise ValueError(tr("it has {rows} × {columns} pixels").format(rows=matter.array.shape[rows],
                                                                    columns=matter.array.shape[columns]))
    low, high = matter.grain.span or (-float("inf"), float("inf"))
    found = matter.array.copy()
    where: list[int | slice] = [slice(None)] * found.ndim
    where[rows], where[columns] = row, column
    found[tuple(where)] = min(max(value, low), high)
    return found


def _first(grain: Grain) -> tuple[int, int, float]:
    return 0, 0, 1.0 if grain.span is None else grain.span[1]


EDIT = Edit("pixel", english("Set a pixel"), INPUT, "pixel:ROW,COLUMN,VALUE", english("one pixel, counted from 0"),
            of_knobs(Knob("ROW", 0, 0, MOST), Knob("COLUMN", 0, 0, MOST), Knob("VALUE", 0, -1e6, 1e6, whole=False)),
            _said, needs=PLANE, does=put, first=_first, order=14)
