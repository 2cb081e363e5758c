"""Shakespeare RNN: reads plays by Shakespeare character by character, and after each says what comes next.

The plainest memory there is: the new hidden state is tanh of the character and of the old hidden state, each weighed by
a matrix. The same two matrices serve at every step, however long the text:

    ids         steps           each character as its place in the alphabet of 65
    embedding   steps x 32      a learned point for each character
    rnn         steps x 128     hidden state after each character
    fc          steps x 65      one logit for each character that may come next

31,201 parameters: 2,080 + 20,736 + 8,385. Measured: 1.675 nats per character on the last tenth of the text, which it
never saw (4.17 would be a guess among 65).
"""

from __future__ import annotations

import sys
from pathlib import Path

from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
import _live
import _shakespeare
from _recipe import publish
from _text import encode, strangers

TITLE = "Shakespeare RNN"
INPUT = _shakespeare.INPUT
OBJECTIVE = _shakespeare.OBJECTIVE
LABELS = tuple(_shakespeare.ALPHABET)
DATA = _shakespeare.DATA


class CharRNN(nn.Module):
    """Characters (N, steps) to logits of the next character (N, steps, 65)."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(65, 32)
        self.rnn = nn.RNN(32, 128, batch_first=True)
        self.fc = nn.Linear(128, 65)

    def forward(self, ids: Tensor) -> Tensor:
        return self.read(ids)[0]

    def read(self, ids: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Read on from a state (None: an empty one), and give the state back."""
        hidden, state = self.rnn(self.embedding(ids), state)
        return self.fc(hidden), state


def build() -> nn.Module:
    """A new network with random weights."""
    return CharRNN()


def prepare(text: str) -> Tensor:
    """A text as input (1, characters); raises ValueError if it is empty or has a character the model does not know."""
    return encode(text, _shakespeare.ALPHABET)


def unknown(text: str) -> tuple[str, ...]:
    """The characters of a text that the model does not know."""
    return strangers(text, _shakespeare.ALPHABET)


SEED, BATCH, LENGTH, RATE, STEPS = 0, 64, 64, 3e-3, 7350
RECIPE = (
    f"AdamW, {STEPS} steps of {BATCH} streams of {LENGTH} characters, the state carried on in seven of eight, "
    f"learning rate rising to {RATE} and falling to 0 (one cycle), gradient clipped at 1, cross entropy of the next "
    f"character, seed {SEED}, one thread; the first nine tenths of the text."
)


# The live recipe: 1.78 nats for each of 20,000 held-out characters, in 16 s of one core.
live = _live.Live(_live.characters, updates=1200, batch=32, rate=0.004, clip=1.0, loss=1.9, right=0.45)


def train(data_dir: str | Path, stop: int = STEPS) -> nn.Module:
    """Follow the recipe, all of it or its first `stop` steps."""
    text, _ = _shakespeare.parts(data_dir)
    return _shakespeare.fit(
        build, prepare, text, seed=SEED, batch=BATCH, length=LENGTH, rate=RATE, steps=STEPS, stop=stop
    )


def evaluate(model: nn.Module, data_dir: str | Path) -> dict[str, float]:
    """Nats per character on the last tenth of the text, which the model never saw."""
    _, held_out = _shakespeare.parts(data_dir)
    return _shakespeare.measure(model, prepare(held_out))


if __name__ == "__main__":
    publish(sys.modules[__name__], _shakespeare.DATA_LICENCE, float16_costs_at_most=0.005, before=True)
