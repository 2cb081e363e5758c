"""Segments, near: says of each pixel to which digit it belongs, and sees 16 × 16 pixels around it.

A digit is 20 pixels high. Who sees a curve of it, and no more, cannot tell whether it belongs to a 2, a 3 or an 8, or
is a shred. With as many weights, laid further apart, its twin with dilation sees 32 × 32; the U-Net sees 84 × 84:

    image      1 x 64 x 64
    down0     16 x 64 x 64    3 x 3 kernels
    down1     24 x 32 x 32    half as high and wide, then three convolutions of 3 x 3
    up0       16 x 64 x 64    each point becomes 2 x 2, beside it lies down0, one convolution of 1 x 1
    head      11 x 64 x 64    one logit for each class, of each pixel

15,003 parameters: 14,608 in the convolutions, 208 in the norms, 187 in the head.
Measured on 300 scenes of test digits: a mean IoU of 0.420 over the ten digits, and 96.8 % of the pixels right.
"""

from __future__ import annotations

import sys
from pathlib import Path

from torch import nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
import _segments
from _mnist import publish
from _segments import Flat, fit, measure, prepare  # noqa: F401

TITLE = "Segments, near"
GROUP = _segments.GROUP
INPUT = _segments.INPUT
OBJECTIVE = _segments.OBJECTIVE
LABELS = _segments.LABELS
ANSWER = _segments.ANSWER
DATA = _segments.DATA
DILATIONS = (1, 1, 1)


def build() -> nn.Module:
    """A new network with random weights."""
    return Flat(DILATIONS)


# The recipe: the same number of steps for the two that differ in their dilation only.
SEED, BATCH, RATE, STEPS = 0, 16, 8e-3, 1000
RECIPE = (
    f"AdamW with a weight decay of 0.001, {STEPS} steps of {BATCH} new scenes of training digits of MNIST, learning "
    f"rate rising to {RATE} and falling to 0 (one cycle), cross entropy of all pixels, seed {SEED}, one thread."
)


def train(data_dir: str | Path, stop: int = STEPS) -> nn.Module:
    """Follow the recipe, all of it or its first `stop` steps."""
    return fit(build, data_dir, seed=SEED, batch=BATCH, rate=RATE, steps=STEPS, stop=stop)


def evaluate(model: nn.Module, data_dir: str | Path) -> dict[str, float]:
    """How well the pixels of 300 scenes of test digits are told apart."""
    return measure(model, data_dir)


if __name__ == "__main__":
    publish(sys.modules[__name__], float16_costs_at_most=0.001, before=True)
