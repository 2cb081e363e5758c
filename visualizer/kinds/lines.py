"""What is made of a whole line of numbers: the largest, the order, products, norms, spreads, distances."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.kinds import Kind
from visualizer.kinds._dims import dim_of
from visualizer.kinds._lines import FEW, SAME, Line, at, kind_of, last_axis, one_axis
from visualizer.language import english

Settings = Mapping[str, Any]
Numbers = NDArray[Any]
"""A line, what it becomes, places in it, or slopes."""


# --- one of the line, or several, by size ---------------------------------------------------------------------------

def _ordered(x: Numbers, s: Settings) -> Numbers:
    """The places of a line from the smallest to the largest number; equal ones in their order."""
    found: Numbers = np.argsort(-x if s.get("descending") else x, kind="stable")
    return found


def _top(x: Numbers, s: Settings) -> Numbers:
    order: Numbers = np.argsort(-x if s.get("largest", True) else x, kind="stable")
    return order[:int(s["k"])]


def _first_largest(x: Numbers, s: Settings) -> Numbers:
    return np.array([np.argmax(x)])


def _first_smallest(x: Numbers, s: Settings) -> Numbers:
    return np.array([np.argmin(x)])


def _middle(x: Numbers, s: Settings) -> Numbers:
    """Of an even number of them the lower."""
    return np.argsort(x, kind="stable")[(len(x) - 1) // 2:][:1]


def _kth(x: Numbers, s: Settings) -> Numbers:
    return np.argsort(x, kind="stable")[int(s["k"]) - 1:][:1]


def _running(largest: bool) -> Callable[[Numbers, Settings], Numbers]:
    """Of equal ones the last, as torch does."""
    def places(x: Numbers, s: Settings) -> Numbers:
        best = np.maximum.accumulate(x) if largest else np.minimum.accumulate(x)
        found: Numbers = np.maximum.accumulate(np.where(x == best, np.arange(len(x)), -1))
        return found
    return places


def _picked(wins: Callable[[Numbers, Settings], Numbers], part: int = 0) -> dict[str, Any]:
    """What is picked from a line, or where it stood: which is the second output of such a call."""
    def value(x: Numbers, s: Settings) -> Numbers:
        places = wins(x, s)
        return places if s.get("part", part) == 1 else x[places]

    def slopes(which: int, x: Numbers, s: Settings) -> Numbers:
        places = wins(x, s)
        if s.get("part", part) == 1:
            return np.zeros((len(places), len(x)))
        return np.stack([at(int(place), len(x)) for place in places])

    return {"value": value, "slopes": slopes, "wins": wins}


def _shared(best: Callable[[Numbers], float]) -> Callable[..., Numbers]:
    """The gradient is shared by all that are equal, where no `dim` is named or all are asked about."""
    def slopes(which: int, x: Numbers, s: Settings) -> Numbers:
        ties = x == best(x)
        return np.array([ties / ties.sum()])
    return slopes


def _extreme(largest: bool) -> dict[str, Any]:
    """Along one `dim` the gradient goes to the first of equals, else it is shared."""
    wins = _first_largest if largest else _first_smallest
    first, shared = _picked(wins), _shared(np.max if largest else np.min)

    def slopes(which: int, x: Numbers, s: Settings) -> Numbers:
        found: Numbers = (shared if dim_of(s) is None else first["slopes"])(which, x, s)
        return found

    return {**first, "slopes": slopes}


def _spread_slopes(root: bool) -> Callable[..., Numbers]:
    def slopes(which: int, x: Numbers, s: Settings) -> Numbers:
        centred = x - x.mean()
        if s.get("part") == 1:
            return np.full((1, len(x)), 1 / len(x))
        share = 2 * centred / (len(x) - _correction(s))
        return np.array([share / (2 * np.sqrt(_variance(x, s))) if root else share])
    return slopes


def _variance(x: Numbers, s: Settings) -> float:
    return float(((x - x.mean()) ** 2).sum() / (len(x) - _correction(s)))


def _correction(s: Settings) -> float:
    correction = s.get("correction")
    return float(s.get("unbiased", True)) if correction is None else float(correction)


def _spread(root: bool) -> Callable[..., Numbers]:
    def value(x: Numbers, s: Settings) -> Numbers:
        if s.get("part") == 1:
            return np.array([x.mean()])
        return np.array([np.sqrt(_variance(x, s)) if root else _variance(x, s)])
    return value


# --- norms and distances --------------------------------------------------------------------------------------------

def _norm(x: Numbers, p: float) -> float:
    if np.isinf(p):
        return float(np.abs(x).max() if p > 0 else np.abs(x).min())
    if p == 0:
        return float(np.count_nonzero(x))
    return float((np.abs(x) ** p).sum() ** (1 / p))


def _norm_slopes(x: Numbers, p: float) -> Numbers:
    """∂‖x‖/∂x; 0 where the norm is 0."""
    size = _norm(x, p)
    if np.isinf(p):
        ties = np.abs(x) == size
        return np.asarray(np.sign(x) * ties / ties.sum())
    if p == 0 or size == 0:
        return np.zeros(len(x))
    return np.asarray(np.sign(x) * np.abs(x) ** (p - 1) / size ** (p - 1))


def _order(s: Settings) -> float:
    """Which norm: `ord`, or `p`; 2 unless another is named."""
    for name in ("ord", "p"):
        if s.get(name) is not None:
            return 2.0 if s[name] == "fro" else float(s[name])
    return 2.0


def _distance(x: Numbers, y: Numbers, s: Settings) -> Numbers:
    return np.array([_norm(x - y, _order(s))])


def _distance_slopes(which: int, x: Numbers, y: Numbers, s: Settings) -> Numbers:
    return ((-1.0 if which else 1.0) * _norm_slopes(x - y, _order(s)))[None]


def _near(x: Numbers, y: Numbers, s: Settings) -> Numbers:
    return np.array([_norm(x - y + s.get("eps", 1e-6), _order(s))])


def _near_slopes(which: int, x: Numbers, y: Numbers, s: Settings) -> Numbers:
    return ((-1.0 if which else 1.0) * _norm_slopes(x - y + s.get("eps", 1e-6), _order(s)))[None]


def _cosine(x: Numbers, y: Numbers, s: Settings) -> Numbers:
    a, b = (max(_norm(one, 2), s.get("eps", 1e-8)) for one in (x, y))
    return np.array([x @ y / (a * b)])


def _cosine_slopes(which: int, x: Numbers, y: Numbers, s: Settings) -> Numbers:
    own, other = (y, x) if which else (x, y)
    size, far = _norm(own, 2), max(_norm(other, 2), s.get("eps", 1e-8))
    if size <= s.get("eps", 1e-8):
        return np.array([other / (s.get("eps", 1e-8) * far)])
    return np.array([other / (size * far) - (own @ other) * own / (size ** 3 * far)])


def _normed(v: Numbers, g: Numbers, s: Settings) -> Numbers:
    return g * v / _norm(v, 2)


def _normed_slopes(which: int, v: Numbers, g: Numbers, s: Settings) -> Numbers:
    size = _norm(v, 2)
    if which:
        return np.diag(v / size)
    return np.diag(g / size) - np.outer(g * v, v) / size ** 3


def _all_but(s: Settings, count: int) -> tuple[int, ...]:
    """A weight is normed over all axes but one."""
    return tuple(axis for axis in range(count) if axis != int(s.get("dim", 0)) % count)


def _crossed(which: int, x: Numbers, y: Numbers, s: Settings) -> Numbers:
    other = x if which else y
    found = np.array([[0, other[2], -other[1]], [-other[2], 0, other[0]], [other[1], -other[0], 0]])
    return -found if which else found


# --- products, sums on the way, shares -------------------------------------------------------------------------------

def _others(which: int, x: Numbers, s: Settings) -> Numbers:
    """What all others make together."""
    return np.array([[np.prod(np.delete(x, i)) for i in range(len(x))]])


def _running_products(which: int, x: Numbers, s: Settings) -> Numbers:
    return np.array([[np.prod(np.delete(x[:j + 1], i)) if i <= j else 0.0 for i in range(len(x))]
                     for j in range(len(x))])


def _log_sum(x: Numbers, s: Settings) -> Numbers:
    top = x.max() if np.isfinite(x.max()) else 0.0
    return np.array([top + np.log(np.exp(x - top).sum())])


def _log_sum_slopes(which: int, x: Numbers, s: Settings) -> Numbers:
    return np.array([np.exp(x - _log_sum(x, s))])


def _running_log_sums(x: Numbers, s: Settings) -> Numbers:
    found: Numbers = np.logaddexp.accumulate(x)
    return found


def _running_log_slopes(which: int, x: Numbers, s: Settings) -> Numbers:
    found: Numbers = np.tril(np.exp(x[None] - _running_log_sums(x, s)[:, None]))
    return found


def _steps_between(which: int, x: Numbers, s: Settings) -> Numbers:
    found = np.eye(len(x))
    for _ in range(int(s.get("n", 1))):
        found = np.diff(found, axis=0)
    return found


def _gated(x: Numbers, s: Settings) -> Numbers:
    first, gate = np.split(x, 2)
    return np.asarray(first / (1 + np.exp(-gate)))


def _gated_slopes(which: int, x: Numbers, s: Settings) -> Numbers:
    first, gate = np.split(x, 2)
    share = 1 / (1 + np.exp(-gate))
    return np.concatenate([np.diag(share), np.diag(first * share * (1 - share))], axis=1)


_DIM, _TOP = "input dim keepdim", english("to the winner of each line")
LINES = (
    Line("max", english("maximum"), {"max": _DIM}, english("Each number is the largest of {line} of {source}: {before} "
         "becomes {after}."), formula="y = max x", **_extreme(True), back=_TOP,
         back_formula=english("∂L/∂x = ∂L/∂y·[x won]")),
    Line("min", english("minimum"), {"min": _DIM}, english("Each number is the smallest of {line} of {source}: "
         "{before} becomes {after}."), formula="y = min x", **_extreme(False), back=_TOP,
         back_formula=english("∂L/∂x = ∂L/∂y·[x won]")),
    Line("amax", english("maximum"), {"amax": _DIM}, english("Each number is the largest of {line} of {source}: "
         "{before} becomes {after}."), formula="y = max x", **_picked(_first_largest) | {"slopes": _shared(np.max)},
         back=_TOP, back_formula=english("∂L/∂x = ∂L/∂y·[x won]")),
    Line("amin", english("minimum"), {"amin": _DIM}, english("Each number is the smallest of {line} of {source}: "
         "{before} becomes {after}."), formula="y = min x", **_picked(_first_smallest) | {"slopes": _shared(np.min)},
         back=_TOP, back_formula=english("∂L/∂x = ∂L/∂y·[x won]")),
    Line("argmax", english("place of the largest"), {"argmax": _DIM}, english("Each number says where the largest of "
         "{line} of {source} stands: {before} becomes {after}."), formula=english("y = the i of the largest xᵢ"),
         **_picked(_first_largest, 1)),
    Line("argmin", english("place of the smallest"), {"argmin": _DIM}, english("Each number says where the smallest "
         "of {line} of {source} stands: {before} becomes {after}."), formula=english("y = the i of the smallest xᵢ"),
         **_picked(_first_smallest, 1)),
    Line("topk", english("the largest few"), {"topk": "input k dim largest sorted"},
         english("The winners among {line} of {source} are chosen, in order: {before} becomes {after}."),
         formula=english("y = the largest few of x"), makes=FEW, dims=last_axis, **_picked(_top), back=_TOP,
         back_formula=english("∂L/∂x = ∂L/∂y·[x won]")),
    Line("sort", english("sorting"), {"sort": "input dim descending stable"},
         english("{line} of {source} are brought in order of size: values lie {spread}."),
         formula=english("y = x in order of size"), makes=SAME, dims=last_axis, **_picked(_ordered),
         back_formula=english("∂L/∂x = ∂L/∂y where x went")),
    Line("argsort", english("order by size"), {"argsort": "input dim descending stable"},
         english("Each number says where the next in order of size stands among {line} of {source}."),
         formula=english("y = the places of x in order of size"), makes=SAME, dims=last_axis, **_picked(_ordered, 1)),
    Line("median", english("median"), {"median": _DIM}, english("Each number is the one in the middle of {line} of "
         "{source}, by size: {before} becomes {after}."), formula=english("y = the x in the middle"),
         **_picked(_middle), back=_TOP, back_formula=english("∂L/∂x = ∂L/∂y·[x won]")),
    Line("kthvalue", english("one by its rank"), {"kthvalue": "input k dim keepdim"},
         english("One of {line} of {source} is picked by its rank: {before} becomes {after}."),
         formula=english("y = the x of rank k"), dims=last_axis, **_picked(_kth), back=_TOP,
         back_formula=english("∂L/∂x = ∂L/∂y·[x won]")),
    Line("cummax", english("running maximum"), {"cummax": "input dim"},
         english("Each number is the largest so far along {line} of {source}: values lie {spread}."),
         formula="yᵢ = max(x₁ … xᵢ)", makes=SAME, **_picked(_running(True)), back=_TOP),
    Line("cummin", english("running minimum"), {"cummin": "input dim"},
         english("Each number is the smallest so far along {line} of {source}: values lie {spread}."),
         formula="yᵢ = min(x₁ … xᵢ)", makes=SAME, **_picked(_running(False)), back=_TOP),
    Line("var", english("variance"), {"var": "input dim unbiased keepdim", "var_mean": "input dim unbiased keepdim"},
         english("Each number is the variance of {line} of {source}: {before} becomes {after}."), _spread(False),
         _spread_slopes(False), "y = Σ (x − μ)² / (n − 1)", back_formula="∂L/∂x = ∂L/∂y·2·(x − μ) / (n − 1)"),
    Line("std", english("standard deviation"),
         {"std": "input dim unbiased keepdim", "std_mean": "input dim unbiased keepdim"},
         english("Each number is the standard deviation of {line} of {source}: {before} becomes {after}."),
         _spread(True), _spread_slopes(True), "y = √(Σ (x − μ)² / (n − 1))",
         back_formula="∂L/∂x = ∂L/∂y·(x − μ) / ((n − 1)·y)"),
    Line("vector_norm", english("norm"),
         {**dict.fromkeys(("linalg_vector_norm", "linalg_norm"), "input ord dim keepdim dtype")},
         english("Each number is the length of {line} of {source}: {before} becomes {after}."),
         lambda x, s: np.array([_norm(x, _order(s))]),
         lambda which, x, s: _norm_slopes(x, _order(s))[None], "y = (Σ |x|ᵖ)^(1/p)",
         back_formula=english("∂L/∂x = ∂L/∂y·x·|x|ᵖ⁻² / yᵖ⁻¹")),
    Line("pairwise_distance", english("distance"), {"pairwise_distance": "input other p eps keepdim"},
         english("Each number is the distance between {line} of {source}: {after} in all."), _near, _near_slopes,
         "y = ‖a − b + ε‖", dims=lambda s, count: (count - 1,)),
    Line("dist", english("distance"), {"dist": "input other p"},
         english("The one number is the distance between the {count} of {source}: values lie {spread}."), _distance,
         _distance_slopes, "y = ‖a − b‖"),
    Line("cdist", english("distances of pairs"), dict.fromkeys(("cdist", "_cdist_forward"), "input other p mode"),
         english("Each number is the distance between a row of one and a row of the other of {source}, {count} each: "
                 "{after} in all."), _distance, _distance_slopes, "y = ‖a − b‖", dims=lambda s, count: (count - 1,),
         pairs=True),
    Line("cosine_similarity", english("cosine"), {"cosine_similarity": "input other dim eps"},
         english("Each number is the cosine of the angle between {line} of {source}: values lie {spread}."), _cosine,
         _cosine_slopes, "y = a·b / (‖a‖·‖b‖)", dims=one_axis(1)),
    Line("weight_norm", english("weight norm"), {"_weight_norm": "v g dim", "_weight_norm_interface": "v g dim"},
         english("Each weight of {source} is a direction, brought to length 1, times a learned length: values lie "
                 "{spread}."), _normed, _normed_slopes, "w = g·v / ‖v‖", makes=SAME, dims=_all_but,
         back_formula=english("∂L/∂v = Σ ∂L/∂w·g·([i = j] − v·v / ‖v‖²) / ‖v‖")),
    Line("cross", english("cross product"), {"cross": "input other dim", "linalg_cross": "input other dim"},
         english("Each three numbers stand at right angles to those of {source}: values lie {spread}."),
         lambda x, y, s: np.cross(x, y), _crossed, "y = a × b", makes=SAME, dims=last_axis),
    Line("any", english("any of them"), {"any": _DIM}, english("Each place says whether any of {line} of {source} "
         "holds."), lambda x, s: np.array([float((x != 0).any())]), lambda which, x, s: np.zeros((1, len(x))),
         english("y = whether any x holds")),
    Line("all", english("all of them"), {"all": _DIM}, english("Each place says whether all of {line} of {source} "
         "hold."), lambda x, s: np.array([float((x != 0).all())]), lambda which, x, s: np.zeros((1, len(x))),
         english("y = whether every x holds")),
    Line("count_nonzero", english("count"), {"count_nonzero": "input dim"},
         english("Each number says how many of {line} of {source} are not 0."),
         lambda x, s: np.array([float(np.count_nonzero(x))]), lambda which, x, s: np.zeros((1, len(x))),
         english("y = how many x are not 0")),
    Line("prod", english("product"), {"prod": "input dim keepdim"},
         english("Each number is the product of {line} of {source}: {before} becomes {after}."),
         lambda x, s: np.array([np.prod(x)]), _others, "y = Π x",
         back_formula=english("∂L/∂xᵢ = ∂L/∂y·Π of all others")),
    Line("cumprod", english("running product"), {"cumprod": "input dim"},
         english("Each number is the product of all so far along {line} of {source}: values lie {spread}."),
         lambda x, s: np.cumprod(x), _running_products, "yᵢ = x₁·…·xᵢ", makes=SAME),
    Line("cumsum", english("running sum"), {"cumsum": "input dim"},
         english("Each number is the sum of all so far along {line} of {source}: values lie {spread}."),
         lambda x, s: np.cumsum(x), lambda which, x, s: np.tri(len(x)), "yᵢ = x₁ + … + xᵢ", makes=SAME, sums=True,
         back_formula="∂L/∂xᵢ = ∂L/∂yᵢ + … + ∂L/∂yₙ"),
    Line("diff", english("differences"), {"diff": "input n dim"},
         english("Each number is the step to the next along {line} of {source}: values lie {spread}."),
         lambda x, s: np.diff(x, int(s.get("n", 1))), _steps_between, "yᵢ = xᵢ₊₁ − xᵢ", makes=FEW, dims=last_axis,
         sums=True),
    Line("logsumexp", english("log-sum-exp"), {"logsumexp": _DIM},
         english("Each number is the logarithm of the sum of the exponentials of {line} of {source}: {before} becomes "
                 "{after}."), _log_sum, _log_sum_slopes, "y = ln Σ eˣ", back_formula="∂L/∂x = ∂L/∂y·eˣ / Σ eˣ"),
    Line("logcumsumexp", english("running log-sum-exp"), {"logcumsumexp": "input dim"},
         english("Each number is the logarithm of the sum of all exponentials so far along {line} of {source}: values "
                 "lie {spread}."), _running_log_sums, _running_log_slopes, "yᵢ = ln(eˣ¹ + … + eˣⁱ)", makes=SAME),
    Line("glu", english("gated linear unit"), {"glu": "input dim"},
         english("One half of {line} of {source} is let through by the sigmoid of the other: {before} becomes "
                 "{after}."), _gated, _gated_slopes, "y = a·σ(b)", makes=FEW, dims=last_axis),
)


KINDS: tuple[Kind, ...] = tuple(map(kind_of, LINES))
