"""The verdict: what was recomputed, beside what torch recorded, array by array. One table for the window's badge, the
command line and programs."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from visualizer.kinds import Compared, Report
from visualizer.language import tr
from visualizer.reasons import told
from visualizer.scene import numbers
from visualizer.trace import Trace


class Line(NamedTuple):
    """One array as a row of words."""

    layer: str
    what: str
    against: str
    """What it was compared with; why it was not, where nothing was."""
    compared: str
    error: str
    allowed: str
    agrees: bool | None
    """None where nothing was compared."""

    @property
    def verdict(self) -> str:
        """In one word."""
        return tr("unverified") if self.agrees is None else tr("agrees") if self.agrees else tr("differs")


def headings() -> tuple[str, ...]:
    """Over the columns, in the order of a Line."""
    return (tr("layer"), tr("what"), tr("compared with"), tr("numbers"), tr("off by"), tr("allowed"), tr("verdict"))


def lines(trace: Trace, report: Report) -> list[Line]:
    """Every array that was to be compared, in the order of execution."""
    return [_line(trace, row) for row in report.rows]


def summary(report: Report) -> str:
    """How many arrays agree, how many could not be compared, and how much of what was executed is explained."""
    compared = [row for row in report.rows if row.error is not None]
    agree = sum(row.agrees for row in compared)
    explained, executed = report.explained
    told = tr("{agree} of {all} arrays agree with their recomputation in 64 bits").format(agree=agree,
                                                                                        all=len(compared))
    if missing := len(report.rows) - len(compared):
        told += tr("; {n} could not be compared").format(n=missing)
    if strange := report.strange:
        told += tr("; NaN or infinity stands in {layers}, as it has to").format(layers=_listed(strange))
    if executed:
        told += tr("; {n} of {all} executed operations are explained ({share})").format(
            n=explained, all=executed, share=numbers.percent(math.floor(1000 * explained / executed) / 1000))
    return f"{told}."


def plain(trace: Trace, report: Report) -> dict[str, Any]:
    """For programs: sizes as numbers, what is not finite as a word."""
    explained, executed = report.explained
    return {"model": trace.model, "sample": trace.sample.name, "dtype": trace.dtype, "passed": report.passed,
            "worst": _json(report.worst), "explained": explained, "executed": executed,
            "arrays": [{**row._asdict(), "error": _json(row.error), "agrees": None if row.error is None else row.agrees}
                       for row in report.rows],
            "unverified": dict(report.unverified)}


def _line(trace: Trace, row: Compared) -> Line:
    if row.error is None:
        return Line(row.layer, what(row.quantity), told(row.why), "0", "–", "–", None)
    compared = tr("all {n}").format(n=numbers.count(row.size)) if row.cells == row.size else tr(
        "{n} of {all}").format(n=numbers.count(row.cells), all=numbers.count(row.size))
    return Line(row.layer, what(row.quantity), _against(trace, row), compared, numbers.power(row.error),
                numbers.power(row.allowed, 0), row.agrees)


def what(quantity: str) -> str:
    """`values`, `∂L/∂a`, of gates and states `forget` and `∂L/∂ forget`, `∂L/∂ weight_hh`."""
    group, _, key = quantity.partition(".")
    if group == "output":
        return tr("values")
    if group == "gradient":
        return "∂L/∂a"
    if group == "inner":
        return key.replace("_", " ")
    return f"∂L/∂ {key.replace('_', ' ') if group == 'inner_gradients' else key}"


def _against(trace: Trace, row: Compared) -> str:
    if row.quantity == "output":
        sources = trace[row.layer].reads
        return tr("its terms, from {sources}").format(sources=_listed(sources)) if sources else tr("its terms")
    if row.quantity == "gradient":
        readers = [reader.name for reader in trace.readers(row.layer) if reader.gradient is not None]
        return tr("the sum of what {readers} hand back").format(readers=_listed(readers)) if len(readers) > 1 else \
            tr("what {reader} hands back").format(reader=readers[0]) if readers else tr("1, where the way back starts")
    if row.quantity.startswith("weight_gradients"):
        return tr("the sum over all places where it was used")
    return tr("its terms, step by step")


def _listed(names: tuple[str, ...] | list[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else tr("{names} and {n} more").format(names=shown, n=len(names) - 3)


def _json(error: float | None) -> float | str | None:
    return error if error is None or math.isfinite(error) else str(error)
