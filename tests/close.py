"""Close: how far two ways to one number may lie apart, from what the number is made of.

Another processor adds up in another order and rounds elsewhere (wider registers, a product and a sum in one), so what
it computes is the same up to rounding and no further. A tolerance is therefore never a bare `1e-6`: it follows the
precision, how many terms are added up on the way, and how large they are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

SLACK = 8.0
"""Both sides round, products as well as sums, and not every walk is an average one."""


def allowed(size: float, terms: int, dtype: DTypeLike = np.float32) -> float:
    """The largest difference that rounding explains between two sums of `terms` terms.

    Roundings are as often up as down, so they grow with the root of their number. `size` is the largest value met on
    the way: where large terms cancel, that of the terms and not of what is left. Along a chain (layers, steps) terms
    are counted along all of it.
    """
    return float(SLACK * np.finfo(dtype).eps * np.sqrt(max(terms, 1)) * size)


def assert_close(found: ArrayLike, wanted: ArrayLike, terms: int, size: float | None = None,
                 dtype: DTypeLike = np.float32, what: str = "") -> None:
    """Both are the same numbers, computed in `dtype` from so many terms; `size` is their largest unless it is given."""
    found, wanted = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
    finite = np.abs(wanted[np.isfinite(wanted)])
    most = float(finite.max(initial=0.0)) if size is None else size
    np.testing.assert_allclose(found, wanted, rtol=0, atol=allowed(most, terms, dtype), err_msg=what)
