"""What the recipes share that read sentences of words, fill them up to batches and ask for one verdict each."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
from _recipe import batches, descend, one_thread, seeded

GROUP = "word order"
OBJECTIVE = {
    "kind": "class",
    "loss": "cross entropy",
    "output": ["class"],
    "at": "last step",
    "words": "Of the whole sentence the model is asked whether it praises: the loss is −log of the probability that it "
    "gave to the right answer.",
}
Verdicts = Callable[[nn.Module, Tensor, Tensor], Tensor]
"""(model, ids (N, longest), 1 where words stand (N, longest)) to logits (N, 2)."""


def of_whole(model: nn.Module, ids: Tensor, there: Tensor) -> Tensor:
    """The one answer of a model that reads a sentence at once, and is told where words stand."""
    return model(ids, there)


def after_last(model: nn.Module, ids: Tensor, there: Tensor) -> Tensor:
    """The answer after the last true word of a model that answers after each."""
    return model(ids)[torch.arange(len(ids)), there.sum(1).long() - 1]


def fit(
    new: Callable[[], nn.Module],
    read: Sequence[Tensor],
    labels: Sequence[int],
    verdicts: Verdicts = of_whole,
    *,
    seed: int,
    batch: int,
    rate: float,
    steps: int,
    stop: int,
    decay: float = 0.01,
    forgotten: float = 0.0,
) -> nn.Module:
    """Train a new model with AdamW on the cross entropy of its verdicts; `_recipe.descend` says how.

    Sentences (words,) of a batch are filled up to the longest with zeros. Of all words the share `forgotten` is read as
    word 0, others each time. The seed decides the first weights, the order of the sentences and what is forgotten.
    """
    wanted = torch.tensor(labels)

    def losses() -> Iterator[Tensor]:
        for chosen in batches(len(read), batch):
            ids = nn.utils.rnn.pad_sequence([read[i] for i in chosen], batch_first=True)
            there = nn.utils.rnn.pad_sequence([torch.ones(len(read[i])) for i in chosen], batch_first=True)
            if forgotten:
                ids = ids * (torch.rand(ids.shape) >= forgotten)
            yield nn.functional.cross_entropy(verdicts(model, ids, there), wanted[chosen])

    with seeded(seed):
        model = new().train()
        descend(model, losses(), rate=rate, steps=steps, stop=stop, clip=1.0, decay=decay)
    return model.eval()


def accuracy(model: nn.Module, read: Sequence[Tensor], labels: Sequence[int]) -> float:
    """Share of sentences (words,) whose label is the answer, the last one of a model that answers after each word."""
    model.eval()
    with one_thread(), torch.inference_mode():
        answers = [int(model(ids[None]).reshape(-1, 2)[-1].argmax()) for ids in read]
    return sum(answer == label for answer, label in zip(answers, labels, strict=True)) / len(labels)
