"""CSV: a table, a question a row, for whoever has a tool of their own."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from visualizer.lesson import MOST_ANSWERS
from visualizer.quiz import Format, Item

NUMBERS = range(1, MOST_ANSWERS + 1)
COLUMNS = ("lesson", "step", "language", "title", "text", "question", *(f"answer {number}" for number in NUMBERS),
           "right", *(f"misconception {number}" for number in NUMBERS), "reveal")


def to_bytes(items: Sequence[Item], title: str) -> bytes:
    """The file in UTF-8, its columns named in the first row; `right` is the number of the right answer."""
    buffer = io.StringIO()
    table = csv.writer(buffer)
    table.writerow(COLUMNS)
    for item in items:
        missing = [""] * (MOST_ANSWERS - len(item.answers))
        said = ("" if answer.right else answer.said for answer in item.answers)
        table.writerow((item.lesson, item.number, item.language, item.title, item.text, item.question,
                        *(answer.words for answer in item.answers), *missing, item.right, *said, *missing, item.reveal))
    return buffer.getvalue().encode()


FORMAT = Format("csv", (".csv",), "CSV", to_bytes)
