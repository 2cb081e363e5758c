"""Losses that weigh every number of the answer on its own: distances, margins, divergences; added or averaged.

Formulas: as torch documents them; Huber 1964, Kullback and Leibler 1951.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from visualizer.kinds._elementwise import Operation, kind_of
from visualizer.language import english

Settings = Mapping[str, Any]
_PAIR = ("input", "target")
_CALL = "input target size_average reduce reduction"


def _smooth(edge: str) -> tuple[Any, Any]:
    """A square near 0, a line further out; the two forms differ in what they divide by."""
    def value(a: Any, b: Any, s: Settings) -> Any:
        d, wide = np.abs(np.asarray(a) - b), float(s.get(edge, 1.0))
        if wide == 0:
            return d
        return np.where(d < wide, 0.5 * d * d, wide * (d - 0.5 * wide)) / (wide if edge == "beta" else 1.0)

    def slopes(a: Any, b: Any, s: Settings) -> tuple[Any, Any]:
        d, wide = np.asarray(a) - b, float(s.get(edge, 1.0))
        if wide == 0:
            return np.sign(d), -np.sign(d)
        found = np.where(np.abs(d) < wide, d, wide * np.sign(d)) / (wide if edge == "beta" else 1.0)
        return found, -found

    return value, slopes


def _divergence(x: Any, t: Any, s: Settings) -> Any:
    x, t = np.asarray(x, dtype=np.float64), np.asarray(t, dtype=np.float64)
    if s.get("log_target"):
        return np.exp(t) * (t - x)
    return np.where(t > 0, t * (np.log(np.where(t > 0, t, 1.0)) - x), 0.0)


def _divergence_slopes(x: Any, t: Any, s: Settings) -> tuple[Any, Any]:
    x, t = np.asarray(x, dtype=np.float64), np.asarray(t, dtype=np.float64)
    if s.get("log_target"):
        return -np.exp(t), np.exp(t) * (t - x + 1)
    return -t, np.where(t > 0, np.log(np.where(t > 0, t, 1.0)) + 1 - x, 0.0)


def _counts(x: Any, t: Any, s: Settings) -> Any:
    x, t = np.asarray(x, dtype=np.float64), np.asarray(t, dtype=np.float64)
    found = np.exp(x) - t * x if s.get("log_input", True) else x - t * np.log(x + s.get("eps", 1e-8))
    if s.get("full"):
        large = np.where(t > 1, t, 1.0)
        found = found + np.where(t > 1, large * np.log(large) - large + 0.5 * np.log(2 * np.pi * large), 0.0)
    return found


def _counts_slopes(x: Any, t: Any, s: Settings) -> tuple[Any, Any]:
    x, t = np.asarray(x, dtype=np.float64), np.asarray(t, dtype=np.float64)
    stirling: Any = 0.0
    if s.get("full"):
        large = np.where(t > 1, t, 1.0)
        stirling = np.where(t > 1, np.log(large) + 0.5 / large, 0.0)
    if s.get("log_input", True):
        return np.exp(x) - t, stirling - x
    return 1 - t / (x + s.get("eps", 1e-8)), stirling - np.log(x + s.get("eps", 1e-8))


def _hinge(x: Any, y: Any, s: Settings) -> Any:
    margin = float(s.get("margin", 1.0))
    return np.where(np.asarray(y) == 1, x, np.maximum(0, margin - np.asarray(x)))


def _hinge_slopes(x: Any, y: Any, s: Settings) -> tuple[Any, Any]:
    margin = float(s.get("margin", 1.0))
    return np.where(np.asarray(y) == 1, 1.0, -1.0 * (np.asarray(x) < margin)), 0.0


def _ranking(a: Any, b: Any, y: Any, s: Settings) -> Any:
    return np.maximum(0, -np.asarray(y) * (np.asarray(a) - b) + float(s.get("margin", 0.0)))


def _ranking_slopes(a: Any, b: Any, y: Any, s: Settings) -> tuple[Any, Any, Any]:
    off = 1.0 * (-np.asarray(y) * (np.asarray(a) - b) + float(s.get("margin", 0.0)) >= 0)
    return -off * np.asarray(y), off * np.asarray(y), -off * (np.asarray(a) - b)


def _soft(x: Any, y: Any, s: Settings) -> Any:
    return np.logaddexp(0, -np.asarray(y) * x)


def _soft_slopes(x: Any, y: Any, s: Settings) -> tuple[Any, Any]:
    share = 1 / (1 + np.exp(np.asarray(y, dtype=np.float64) * x))
    return -y * share, -x * share


def _yes_no(z: Any, t: Any, w: Any, p: Any, s: Settings) -> Any:
    return w * (p * t * np.logaddexp(0, -np.asarray(z)) + (1 - np.asarray(t)) * np.logaddexp(0, z))


def _yes_no_slopes(z: Any, t: Any, w: Any, p: Any, s: Settings) -> tuple[Any, ...]:
    share = 1 / (1 + np.exp(-np.asarray(z, dtype=np.float64)))
    yes, no = np.logaddexp(0, -np.asarray(z)), np.logaddexp(0, z)
    return (w * ((1 - np.asarray(t)) * share - p * np.asarray(t) * (1 - share)), w * (p * yes - no),
            p * t * yes + (1 - np.asarray(t)) * no, w * t * yes)


def _chances(p: Any, t: Any, w: Any, s: Settings) -> Any:
    return -w * (t * np.maximum(np.log(p), -100) + (1 - np.asarray(t)) * np.maximum(np.log1p(-np.asarray(p)), -100))


def _chances_slopes(p: Any, t: Any, w: Any, s: Settings) -> tuple[Any, ...]:
    p, t = np.asarray(p, dtype=np.float64), np.asarray(t)
    return w * (p - t) / np.maximum(p * (1 - p), 1e-12), w * (np.log1p(-p) - np.log(p)), \
        -(t * np.log(p) + (1 - t) * np.log1p(-p))


_near, _near_slopes = _smooth("beta")
_huber, _huber_slopes = _smooth("delta")
_LOSS: Mapping[str, Any] = {"reduced": True, "role": "loss", "label": "numbers"}
COSTS = (
    Operation("l1_loss", english("mean absolute error"), {"l1_loss": _CALL}, "",
              english("The loss is how far {a} is off {b}: {loss}."), lambda a, b, s: np.abs(np.asarray(a) - b),
              lambda a, b, s: (np.sign(np.asarray(a) - b), -np.sign(np.asarray(a) - b)), _PAIR,
              formula="L = Σ |y − target| / n", **_LOSS),
    Operation("smooth_l1_loss", english("smooth absolute error"), {"smooth_l1_loss": f"{_CALL} beta"}, "",
              english("The loss is how far {a} is off {b}, its square where that is little: {loss}."), _near,
              _near_slopes, _PAIR, formula=english("L = Σ (½·d² / β if |d| < β, else |d| − ½·β) / n"), **_LOSS),
    Operation("huber_loss", english("Huber loss"), {"huber_loss": "input target reduction delta"}, "",
              english("The loss is how far {a} is off {b}, its square where that is little: {loss}."), _huber,
              _huber_slopes, _PAIR, formula=english("L = Σ (½·d² if |d| < δ, else δ·(|d| − ½·δ)) / n"), **_LOSS),
    Operation("kl_div", english("divergence"), {"kl_div": f"{_CALL} log_target"}, "",
              english("The loss is how far the shares whose logarithms are {a} are from those of {b}: {loss}."),
              _divergence, _divergence_slopes, _PAIR, formula="L = Σ t·(ln t − x)", **_LOSS),
    Operation("poisson_nll_loss", english("loss of counts"),
              {"poisson_nll_loss": "input target log_input full size_average eps reduce reduction"}, "",
              english("The loss is −ln of how likely the counts {b} are where {a} is expected: {loss}."), _counts,
              _counts_slopes, _PAIR, formula="L = Σ (eˣ − t·x) / n", **_LOSS),
    Operation("hinge_embedding_loss", english("hinge loss"),
              {"hinge_embedding_loss": "input target margin size_average reduce reduction"}, "",
              english("The loss is {a} where {b} says alike, else what it lacks to a margin: {loss}."), _hinge,
              _hinge_slopes, _PAIR, formula=english("L = x if alike, else max(0, margin − x)"), **_LOSS),
    Operation("margin_ranking_loss", english("ranking loss"),
              {"margin_ranking_loss": "input1 input2 target margin size_average reduce reduction"}, "",
              english("The loss is how far {a} and {b} are from the order that {c} wants: {loss}."), _ranking,
              _ranking_slopes, ("input1", "input2", "target"), formula="L = max(0, −t·(a − b) + margin)", **_LOSS),
    Operation("soft_margin_loss", english("soft margin loss"), {"soft_margin_loss": _CALL}, "",
              english("The loss is the smaller, the further {a} is on the side that {b} says: {loss}."), _soft,
              _soft_slopes, _PAIR, formula="L = Σ ln(1 + e⁻ᵗˣ) / n", **_LOSS),
    Operation("weighed_binary_cross_entropy_with_logits", english("binary cross entropy of logits"),
              {f"binary_cross_entropy_with_logits({names})":
               "input target weight size_average reduce reduction pos_weight" for names in
               ("input,target,weight", "input,target,pos_weight", "input,target,pos_weight,weight")}, "",
              english("The loss is −ln of the chance given to what is right, yes or no, each number weighed: {loss}."),
              _yes_no, _yes_no_slopes, ("input", "target", "weight", "pos_weight"), {"weight": 1.0, "pos_weight": 1.0},
              "L = −Σ w·(p·t·ln σ(z) + (1 − t)·ln(1 − σ(z)))", **_LOSS),
    Operation("weighed_binary_cross_entropy", english("binary cross entropy"),
              {"binary_cross_entropy(input,target,weight)": _CALL.replace("target", "target weight")}, "",
              english("The loss is −ln of the chance given to what is right, yes or no, each number weighed: {loss}."),
              _chances, _chances_slopes, ("input", "target", "weight"), {},
              "L = −Σ w·(t·ln p + (1 − t)·ln(1 − p)) / n", **_LOSS),
)
KINDS = tuple(map(kind_of, COSTS))
