"""Quantities of what studies measured, worked out from their arrays with numpy alone: the part of tests/quantities.py
about shares, quantiles, ranks and decays.

The arrays themselves are compared with torch where they are measured, in test_gradient_studies and test_connectivity.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.quantities import array, layer_of, norm, quantity, steps, whole_array, words
from tests.quantities_of_steps import BOUNDS, _label, _reverse
from visualizer.trace import Trace

EPSILON = 2.0 ** -52
WINDOWS = (1, 2, 5, 10, 20, 50)
BOUNDS |= {"a state is gone": 0.001, "next to nothing": 0.01}

quantity("minus the value")(lambda trace, said: -float(array(trace, said)))
quantity("root mean square")(lambda trace, said: norm(array(trace, said)) / np.sqrt(array(trace, said).size))
quantity("steps of a window")(lambda trace, said: WINDOWS[said.cell[0]])


def _class_map(trace: Trace, said: Any) -> np.ndarray:
    """(channel, row, column): each number of the maps times its slope, `averaged` over the places where said."""
    return np.asarray(trace[said.layer].output, np.float64) * _slopes(trace, said)


def _slopes(trace: Trace, said: Any) -> np.ndarray:
    slopes = np.asarray(trace.studies["places"]["slopes"])[said.step]
    return slopes.mean((1, 2))[:, None, None] + 0 * slopes if said.array == "averaged" else slopes


quantity("sum of a class map")(lambda trace, said: _class_map(trace, said).sum())
quantity("place of a class map")(lambda trace, said: _class_map(trace, said)[:, said.cell[0], said.cell[1]].sum())
quantity("number of a class map")(lambda trace, said: _class_map(trace, said)[said.cell])
quantity("slope of a class map")(lambda trace, said: _slopes(trace, said)[said.cell])
quantity("places of maps")(lambda trace, said: trace[said.layer].output[0].size)
quantity("others of a class map")(lambda trace, said: len(trace[said.layer].output) - said.cell[0])


@quantity("rest of a class map")
def rest_of_a_class_map(trace: Trace, said: Any) -> float:
    """What the places do not give of the score: that of the layer whose shares the answer is."""
    answer = next(each for each in trace.answers if each.kind == "classes")
    scores = trace[trace[answer.layer].reads[0]] if trace[answer.layer].kind == "softmax" else trace[answer.layer]
    return float(scores.output[said.cell[0]]) - _class_map(trace, said).sum()


@quantity("others of a class map at a place")
def others_at_a_place(trace: Trace, said: Any) -> float:
    count, row, column = said.cell
    here = _class_map(trace, said)[:, row, column]
    return here[np.argsort(-np.abs(here), kind="stable")[count:]].sum()


quantity("updates")(lambda trace, said: said.step)
quantity("part of the loss")(  # the factor is told where others tell their layer
    lambda trace, said: float(said.layer) * float(trace.studies[said.array]["parts"][said.cell]))
quantity("how many shades")(lambda trace, said: trace.studies[said.array]["pixels"][0].size)


@quantity("end of the colours")
def end_of_the_colours(trace: Trace, said: Any) -> float:
    """The largest number of the Gram matrices of the style and of the content."""
    study = trace.studies[said.array]
    return float(max(study[f"wanted/{said.layer}"].max(), study[f"gram/{said.layer}"][0].max()))


@quantity("end of the axis")
def end_of_the_axis(trace: Trace, said: Any) -> float:
    """The same, and of the result after so many updates."""
    return max(end_of_the_colours(trace, said), float(trace.studies[said.array][f"gram/{said.layer}"][said.step].max()))


@quantity("how many steps before the last")
def before_the_last(trace: Trace, said: Any) -> float:
    layer = layer_of(trace, said.layer)
    return said.step if _reverse(layer) else steps(trace, said.layer) - 1 - said.step


# --- what an answer hangs on ------------------------------------------------------------------------------------------

@words("label chosen")
def label_chosen(trace: Trace, said: Any) -> str:
    return _label(trace, int(array(trace, said)))


@quantity("number of an answer")
def number_of_an_answer(trace: Trace, said: Any) -> float:
    assert 0 <= said.cell[0] < len(whole_array(trace, said))
    return said.cell[0] + 1


@quantity("steps known to an answer")
def known(trace: Trace, said: Any) -> float:
    """Where no answer knows of a later step, those up to its own."""
    found = whole_array(trace, said)
    alone = found.shape[0] == found.shape[1] and not np.triu(found, 1).any()
    return said.cell[0] + 1 if alone else found.shape[1]


@quantity("rank correlation")
def rank_correlation(trace: Trace, said: Any) -> float:
    """Spearman's: of the ranks, those that are alike sharing the mean of theirs."""
    count, study = int(known(trace, said)), trace.studies["connectivity"]
    ranks = []
    for values in (study["gradient"], np.abs(study["change"])):
        row = np.asarray(values, np.float64)[said.cell[0], :count]
        ranks.append([((row < value).sum() + (row <= value).sum() + 1) / 2 for value in row])
    one, other = (np.asarray(each) - np.mean(each) for each in ranks)
    return float((one * other).sum() / np.sqrt((one * one).sum() * (other * other).sum()))


# --- step by step through time ----------------------------------------------------------------------------------------

@quantity("share of the last steps")
def share_of_the_last(trace: Trace, said: Any) -> float:
    """Of the sum of all; `cell` is (how many,)."""
    norms, layer = whole_array(trace, said), layer_of(trace, said.array.split(" ", 2)[2].rpartition("/")[0])
    read = norms[::-1] if _reverse(layer) else norms
    return float(read[-said.cell[0]:].sum() / (norms.sum() or 1))


@quantity("so many steps")
def so_many(trace: Trace, said: Any) -> float:
    assert 0 < said.cell[0] <= len(whole_array(trace, said))
    return said.cell[0]


@quantity("step from which most came")
def most_came(trace: Trace, said: Any) -> float:
    """`cell` is (step,) at which it arrived."""
    return 1 + int(np.argmax(whole_array(trace, said)[:, said.cell[0]]))


@words("shares of singular values")
def fan(trace: Trace, said: Any) -> str:
    return "10, 25, 75, 90 %"


@quantity("median")
def median(trace: Trace, said: Any) -> float:
    return float(np.median(array(trace, said)))


@quantity("lag from which the median is rounding noise")
def noise(trace: Trace, said: Any) -> float:
    values = whole_array(trace, said)
    return int(np.argmax(np.median(values, axis=1) < EPSILON * values.max(axis=1)))


@quantity("lag at which a state is gone")
def gone(trace: Trace, said: Any) -> float:
    sizes = np.array([norm(row) for row in whole_array(trace, said)]) / np.sqrt(whole_array(trace, said).shape[1])
    return int(np.argmax(sizes < BOUNDS["a state is gone"]))


quantity("growth of an exponent")(lambda trace, said: float(np.exp(array(trace, said))))
quantity("half-life of an exponent")(lambda trace, said: float(-np.log(2) / array(trace, said)))


# --- how a gradient flows ---------------------------------------------------------------------------------------------

@quantity("share of one in another")
def share_in_another(trace: Trace, said: Any) -> float:
    values = whole_array(trace, said)
    return float(values[said.cell[0]] / values[said.cell[1]])


@quantity("how many hand back a size")
def hand_back_a_size(trace: Trace, said: Any) -> float:
    values, names = whole_array(trace, said), [layer.name for layer in trace]
    readers = trace.readers(names[said.cell[0]])
    return sum(not np.isnan(values[names.index(reader.name)]) and reader.output.ndim > 0 for reader in readers)


def _line(trace: Trace, said: Any) -> tuple[int, float, float]:
    """Of the logarithms of sizes by place: how many places it reaches over, its slope, and R²."""
    sizes = np.asarray(whole_array(trace, said), np.float64)[list(said.cell)][:60]
    places = np.flatnonzero(np.isfinite(sizes) & (sizes > 0))
    logs = np.log(sizes[places])
    x, y = places - places.mean(), logs - logs.mean()
    slope = float(x @ y / (x @ x))
    return int(places[-1] - places[0] + 1), slope, 1 - float(((y - slope * x) ** 2).sum() / ((y * y).sum() or 1))


quantity("places of a fit")(lambda trace, said: _line(trace, said)[0])
quantity("growth over places")(lambda trace, said: float(np.exp(_line(trace, said)[1])))
quantity("half-life over places")(lambda trace, said: -np.log(2) / _line(trace, said)[1])
quantity("fit over places")(lambda trace, said: _line(trace, said)[2])


def _lags(trace: Trace, said: Any) -> tuple[float, float]:
    """Slope and R² of the logarithms by lag, without the first ones, which have not yet turned into what lasts."""
    sizes = np.asarray(whole_array(trace, said), np.float64)[list(said.cell)]
    sizes = sizes / sizes[0]
    lags = np.arange(min(5, len(sizes) // 4), min(59, len(sizes) - 1) + 1)
    lags = lags[np.isfinite(sizes[lags]) & (sizes[lags] > 0)]
    x, y = lags - lags.mean(), np.log(sizes[lags]) - np.log(sizes[lags]).mean()
    slope = float(x @ y / (x @ x))
    return slope, 1 - float(((y - slope * x) ** 2).sum() / ((y * y).sum() or 1))


quantity("growth over lags")(lambda trace, said: float(np.exp(_lags(trace, said)[0])))
quantity("half-life over lags")(lambda trace, said: -np.log(2) / _lags(trace, said)[0])
quantity("fit over lags")(lambda trace, said: _lags(trace, said)[1])
quantity("share above zero inside")(lambda trace, said: float((array(trace, said) > 0).mean()))
quantity("share far inside")(lambda trace, said: float((np.abs(array(trace, said)) > 0.9).mean()))
quantity("share far out of a gate")(lambda trace, said: float(((array(trace, said) < 0.05) | (
    array(trace, said) > 0.95)).mean()))
words("precision of the sizes")(lambda trace, said: "float64" if "flow" in trace.studies else trace.dtype)


@quantity("lag of the last percent")
def last_percent(trace: Trace, said: Any) -> float:
    """From which on less than a hundredth of what entered is left."""
    sizes = np.asarray(whole_array(trace, said), np.float64)[list(said.cell)]
    above = np.flatnonzero(sizes >= 0.01 * sizes[0])
    return int(above[-1]) + 1 if len(above) else 0
