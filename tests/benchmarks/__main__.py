"""Runs the benchmarks and prints a table: what, median, median of its floor, ratio, demanded ratio, met or not."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before any Qt import: measured without a screen
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import inspect
import json
import platform
import statistics
import sys
import time
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from tests.benchmarks import Benchmark, Measured, Row, Skipped
from visualizer.app import application

HERE = Path(__file__).parent


def main(arguments: list[str] | None = None) -> int:
    """Run the named benchmarks, or all; 0 if every demanded ratio is met, 1 if not."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help="files or functions: grid, capture, scene.steps; all when left out")
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds; the median counts (default 7)")
    parser.add_argument("--json", type=Path, help="write the rows there as well")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    chosen = parser.parse_args(arguments)

    found = benchmarks()
    names = [name for name in found if not chosen.names or any(_named(name, word) for word in chosen.names)]
    if chosen.list or not names:
        print("\n".join(found))
        return 0 if chosen.list else 2
    print(machine())
    application()  # the kind that windows need, before a picture makes the smaller one
    rows = []
    for name in names:
        print(f"\n{name}: {(found[name].__doc__ or '').strip().splitlines()[0]}", flush=True)
        for row in found[name]():
            rows.append(measure(name, row, chosen.rounds))
            print("  " + sentence(rows[-1]), flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")
    missed = [row for row in rows if row.get("met") is False]
    print(f"\n{len(rows)} rows, {sum(row.get('met') is True for row in rows)} met, {len(missed)} missed, "
          f"{sum('why' in row for row in rows)} not measured")
    return 1 if missed else 0


def benchmarks() -> dict[str, Benchmark]:
    """`file.function` of every benchmark in this folder, in the order in which they are written."""
    found = {}
    for file in sorted(module.name for module in iter_modules([str(HERE)]) if not module.name.startswith("_")):
        module = import_module(f"tests.benchmarks.{file}")
        for name, value in vars(module).items():
            if inspect.isgeneratorfunction(value) and value.__module__ == module.__name__:
                found[f"{file}.{name}"] = value
    return found


def measure(name: str, row: Row | Skipped, rounds: int) -> dict[str, object]:
    """Subject and floor in turns, the one that goes first changing each round; the median of the rounds' ratios."""
    if isinstance(row, Skipped):
        return {"benchmark": name, "what": row.what, "why": row.why}
    _once(row.floor)  # caches, lazy imports and first allocations are not what is asked about
    _once(row.subject)
    pairs = []
    for number in range(rounds):
        order = (row.subject, row.floor) if number % 2 else (row.floor, row.subject)
        taken = {id(measured): statistics.median(_once(measured) for _ in range(row.repeat)) for measured in order}
        pairs.append((taken[id(row.subject)], taken[id(row.floor)]))
    ratios = [floor / subject if row.at_least else subject / floor for subject, floor in pairs]
    ratio = statistics.median(ratios)
    return {
        "benchmark": name, "what": row.what, "floor_is": row.floor_is, "unit": row.unit, "rounds": rounds,
        "subject": statistics.median(subject for subject, _ in pairs),
        "floor": statistics.median(floor for _, floor in pairs),
        "ratio": ratio, "ratios": ratios, "demanded": row.demanded, "at_least": row.at_least,
        "met": ratio >= row.demanded if row.at_least else ratio <= row.demanded,
    }


def sentence(row: dict[str, object]) -> str:
    """One measured row as one line."""
    if "why" in row:
        return f"{row['what']}: not measured, {row['why']}"
    bound, verdict = "≥" if row["at_least"] else "≤", "met" if row["met"] else "MISSED"
    ratio = f"{row['ratio']:.2f} times {'faster than' if row['at_least'] else 'the cost of'} {row['floor_is']}"
    figures = f"{row['subject']:.4g} against {row['floor']:.4g} {row['unit']}"
    return f"{row['what']}: {ratio} ({figures}; demanded {bound} {row['demanded']:g}): {verdict}"


def machine() -> str:
    """What this ran on, in one line."""
    busy = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{busy}, Python "
            f"{platform.python_version()}, Qt platform {os.environ['QT_QPA_PLATFORM']}")


def _once(measured: Measured) -> float:
    """Milliseconds of the processor, unless it is measured inside: other programs on the machine then cost nothing."""
    start = time.process_time()
    figure = measured()
    return (time.process_time() - start) * 1000 if figure is None else figure


def _named(name: str, word: str) -> bool:
    return word in (name, name.partition(".")[0])


if __name__ == "__main__":
    sys.exit(main())
