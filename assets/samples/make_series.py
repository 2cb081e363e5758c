"""Make series_sunspots.json and series_elnino.json: the whole series, and each as it was told at an earlier time.

    python make_series.py DATA_DIR

The sun's spots of each year since 1700, and the monthly temperature of the sea that tells El Niño, as their sources
give them. The last quarter of each was held out from training.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import _samples

LICENCE = "NOAA, public domain; from the Python package statsmodels 0.15.0"
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def sunspots(data_dir: Path) -> list[dict[str, Any]]:
    """From 1700 to 2008, and the end of it alone."""
    with (data_dir / "timeseries" / "sunspots_yearly.csv").open(newline="", encoding="utf-8") as file:
        rows = [(str(int(float(row["YEAR"]))), float(row["SUNACTIVITY"])) for row in csv.DictReader(file)]
    return [_series("sunspots", "Sunspots", rows), _series("sunspots-since-1850", "Sunspots", rows[150:])]


def elnino(data_dir: Path) -> list[dict[str, Any]]:
    """From January 1950 to December 2010, and the end of it alone."""
    with (data_dir / "timeseries" / "elnino_sst_monthly.csv").open(newline="", encoding="utf-8") as file:
        rows = [(f"{int(float(row['YEAR']))}-{number:02d}", float(row[month]))
                for row in csv.DictReader(file) for number, month in enumerate(MONTHS, 1)]
    return [_series("elnino", "El Niño", rows), _series("elnino-since-1990", "El Niño", rows[480:])]


def _series(name: str, title: str, rows: list[tuple[str, float]]) -> dict[str, Any]:
    times, numbers = zip(*rows, strict=True)
    return {"name": name, "title": f"{title}, {times[0]} to {times[-1]}", "times": list(times),
            "numbers": [[number] for number in numbers]}


def main() -> None:
    folder = _samples.data_dir(__doc__)
    for name, title, samples in (("sunspots", "Sunspots of each year", sunspots(folder)),
                                 ("elnino", "Temperature of the sea, month by month", elnino(folder))):
        about = {"kind": "sequence", "for": name, "title": title, "licence": LICENCE}
        _samples.write(f"series_{name}", about, samples)


if __name__ == "__main__":
    main()
