"""What the three character models share: the text, training with a state that is carried on, and the measure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from _recipe import descend, one_thread, seeded
from torch import Tensor, nn

DATA = "tinyshakespeare/input.txt"
DATA_LICENCE = "plays by William Shakespeare, public domain; collected as Tiny Shakespeare by Andrej Karpathy, MIT"
ALPHABET = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
INPUT = {
    "kind": "text",
    "shape": [None],
    "prepare": "each character as its place in the alphabet, from 0; any number of characters, at least one",
    "alphabet": ALPHABET,
}
OBJECTIVE = {
    "kind": "next symbol",
    "loss": "cross entropy",
    "output": ["step", "class"],
    "at": "every step",
    "reduction": "mean",
    "words": "After each character the model is asked for the next one: the loss is −log of the probability it gave to "
    "the character that really came, averaged over all steps whose next character is known.",
}
HELD_OUT, FRESH = 0.1, 0.125


def parts(data_dir: str | Path) -> tuple[str, str]:
    """The text in two parts: the first nine tenths to learn from, and the rest, on which the models are measured."""
    text = (Path(data_dir) / DATA).read_text(encoding="utf-8")
    cut = len(text) - round(len(text) * HELD_OUT)
    return text[:cut], text[cut:]


def fit(
    new: Callable[[], nn.Module],
    prepare: Callable[[str], Tensor],
    text: str,
    *,
    seed: int,
    batch: int,
    length: int,
    rate: float,
    steps: int,
    stop: int,
) -> nn.Module:
    """Train a new model to name the next character.

    The text is cut into `batch` long streams that are read side by side, `length` characters at each training step.
    The state goes on from step to step, the gradient does not: back-propagation through time, truncated. Before each
    step one stream in eight, drawn at random, loses its state: a text that somebody types starts from nothing, too.
    (Without that, a long text is foreseen as well, but the first characters of a short one much worse.)
    """

    def losses() -> Iterator[Tensor]:
        while True:
            state = None
            for start in range(0, streams.shape[1] - length, length):
                logits, state = model.read(streams[:, start : start + length], state)
                kept = (torch.rand(batch, 1) >= FRESH).float()
                state = tuple(part.detach() * kept for part in state) if type(state) is tuple else state.detach() * kept
                wanted = streams[:, start + 1 : start + length + 1]
                yield nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten())

    streams = cut(prepare(text), batch)
    with seeded(seed):
        model = new().train()
        descend(model, losses(), rate=rate, steps=steps, stop=stop, clip=1.0)
    return model.eval()


def measure(model: nn.Module, ids: Tensor, pieces: int = 64) -> dict[str, float]:
    """Mean cross entropy of the next character, in nats; 4.17 for a model that knows nothing of 65 characters.

    The text is read as `pieces` streams side by side, each from an empty state: much faster than as one stream.
    """
    streams = cut(ids, pieces)
    wanted = streams[:, 1:].flatten()
    with one_thread(), torch.inference_mode():
        logits = model(streams[:, :-1])
        nats = nn.functional.cross_entropy(logits.flatten(0, 1).double(), wanted)
    return {"nats per character": float(nats), "of": len(wanted)}


def cut(ids: Tensor, pieces: int) -> Tensor:
    """One long line (1, length) as equal stretches (pieces, length // pieces); the odd end is left out."""
    length = ids.shape[1] // pieces
    return ids[0, : pieces * length].reshape(pieces, length)
