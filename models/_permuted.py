"""What the permuted models share: one fixed order into which the pixels of every digit are put."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from torch import Tensor

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
from _mnist import PIXELS, grey

GROUP = "shuffled pixels"
ORDER = np.random.default_rng(0).permutation(28 * 28)
"""From which place of the picture each pixel of the shuffled one is taken, row by row."""
INPUT = {
    **PIXELS,
    "prepare": "grey 0..1, white stroke on black 0, the 784 pixels then put into one fixed random order, the same for "
    "all pictures: numpy.random.default_rng(0).permutation(784)",
}


def prepare(pixels: np.ndarray) -> Tensor:
    """Pixels (28, 28) or (N, 28, 28), 0 to 255, as input (N, 1, 28, 28), 0 to 1, in the fixed order."""
    return grey(pixels).flatten(1)[:, ORDER].reshape(-1, 1, 28, 28)
