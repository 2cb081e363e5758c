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
BOUNDS |= {"a state is gone": 0.001}

quantity("minus the value")(lambda trace, said: -float(array(trace, said)))
quantity("root mean square")(lambda trace, said: norm(array(trace, said)) / np.sqrt(array(trace, said).size))
quantity("steps of a window")(lambda trace, said: WINDOWS[said.cell[0]])


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
