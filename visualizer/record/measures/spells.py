"""spells: the loss of a label over frames of equal probabilities, summed over all ways to spell it (CTC)."""

import torch

from visualizer.claims import Number
from visualizer.record.measures import Data, Measure

BLANK = 0


def _run(data: Data, label: str, frames: str) -> Number:
    """−log of the probability of a label in so many frames, in each of which the blank and the letters of the label are
    equally likely."""
    letters = sorted({*label})
    steps, classes = int(frames), len(letters) + 1
    each = torch.full((steps, 1, classes), 1 / classes, dtype=torch.float64).log()
    wanted = torch.tensor([[letters.index(letter) + 1 for letter in label]])
    loss = torch.nn.functional.ctc_loss(each, wanted, torch.tensor([steps]), torch.tensor([len(label)]), BLANK, "sum")
    return Number(float(loss))


MEASURE = Measure("spells", "spells LABEL FRAMES", "the CTC loss of a label over frames in which the blank and its "
                  "letters are equally likely", _run)
