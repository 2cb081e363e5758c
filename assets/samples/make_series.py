"""Make series_sunspots.json and series_elnino.json: the whole series, its later part, and what was held out.

    python make_series.py DATA_DIR

The sun's spots of each year since 1700, and the monthly temperature of the sea that tells El Niño, as their sources
give them. Titles say until when the models learned: the last quarter of each is held out.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import _samples
import numpy as np
from _series import DATA_LICENCE, known

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def sunspots(data_dir: Path) -> list[dict[str, Any]]:
    """From 1700 to 2008."""
    with (data_dir / "timeseries" / "sunspots_yearly.csv").open(newline="", encoding="utf-8") as file:
        rows = [(str(int(float(row["YEAR"]))), float(row["SUNACTIVITY"])) for row in csv.DictReader(file)]
    return _parts("sunspots", "Sunspots", rows, 150)


def elnino(data_dir: Path) -> list[dict[str, Any]]:
    """From January 1950 to December 2010."""
    with (data_dir / "timeseries" / "elnino_sst_monthly.csv").open(newline="", encoding="utf-8") as file:
        rows = [(f"{int(float(row['YEAR']))}-{number:02d}", float(row[month]))
                for row in csv.DictReader(file) for number, month in enumerate(MONTHS, 1)]
    return _parts("elnino", "El Niño", rows, 480)


def _parts(name: str, title: str, rows: list[tuple[str, float]], first: int) -> list[dict[str, Any]]:
    """The whole, what follows the first so many values, and what is held out alone."""
    learned = len(known(np.array([number for _, number in rows])))
    made = []
    for start in (0, first, learned):
        times, numbers = zip(*rows[start:], strict=True)
        until = f", learned to {rows[learned - 1][0]}" if start < learned else ", held out"
        made.append({"name": f"{name}-since-{times[0].partition('-')[0]}" if start else name,
                     "title": f"{title}, {times[0]} to {times[-1]}{until}", "times": list(times),
                     "numbers": [[number] for number in numbers]})
    return made


def main() -> None:
    folder = _samples.data_dir(__doc__)
    for name, title, choose in (("sunspots", "Sunspots of each year", sunspots),
                                ("elnino", "Temperature of the sea, month by month", elnino)):
        about = {"kind": "sequence", "for": name, "title": title, "licence": DATA_LICENCE}
        _samples.write(f"series_{name}", about, choose(folder))


if __name__ == "__main__":
    main()
