"""What the waiting models share: a digit read row by row, 40 blank rows behind it, and only then the question."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
from _mnist import ROWS, ROWS_OBJECTIVE

BLANK = 40
INPUT = {
    **ROWS,
    "shape": [1, 28 + BLANK, 28],
    "prepare": f"grey 0..1, white stroke on black 0; {BLANK} blank rows below the 28 of the picture",
    "blank": BLANK,
}
OBJECTIVE = {
    **ROWS_OBJECTIVE,
    "words": f"After the digit and {BLANK} blank rows the model is asked which digit it was: the loss is −log of the "
    "probability that it gave to the right one.",
}
# The recipe: the same for all waiting models, six epochs of the 60,000 training images, 468 batches each.
SEED, BATCH, RATE, STEPS = 0, 128, 2e-3, 2808
RECIPE = (
    f"AdamW, {STEPS} steps of {BATCH} training images of MNIST, {BLANK} blank rows behind each, learning rate rising "
    f"to {RATE} and falling to 0 (one cycle), gradient clipped at 1, cross entropy, seed {SEED}, one thread."
)


def prepare(pixels: np.ndarray) -> Tensor:
    """Pixels (28, 28) or (N, 28, 28), 0 to 255, as input (N, 1, 68, 28), 0 to 1; a blank row is 28 zeros."""
    rows = torch.tensor(pixels, dtype=torch.float32).reshape(-1, 1, 28, 28) / 255
    return torch.nn.functional.pad(rows, (0, 0, 0, BLANK))
