"""Spoken digits: hears one digit, and after every 40 milliseconds says which it may be.

The sound becomes a spectrogram, frequencies over time, by a layer that learns nothing. Convolutions look for patterns
in it, a recurrent network goes through them in the order in which they were heard, and its answer becomes surer as the
word goes on:

    sound          8,000             one second, 8,000 numbers
    spectrogram    40 x 98           40 bands of frequencies, one column every 10 ms
    conv1          32 x 49           kernels over 5 columns and all bands, stride 2
    conv2          48 x 25           stride 2
    conv3          48 x 25
    gru            25 x 48           hidden state after each of 25 steps
    fc             25 x 10           one logit for each digit, after each step

35,978 parameters: 21,120 in the convolutions, 256 in the norms, 14,112 in the GRU, 490 in the last layer.
Measured: PLACEHOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
import _sounds
from _recipe import batches, descend, one_thread, publish, seeded, write_runs
from _sounds import Spectrogram, faster, loud, masked, takes

TITLE = "Spoken digits"
LENGTH = 8000
INPUT = {
    "kind": "audio",
    "shape": [LENGTH],
    "prepare": "mono, 8,000 Hz, as loud as every other (root mean square 0.1), one second: silence is added behind "
    "what is shorter, what is longer is cut off",
    "rate": _sounds.RATE,
    "samples": "spoken",
    "spectrogram": {"layer": "spectrogram", "hop": _sounds.HOP, "window": _sounds.WINDOW, "bands": _sounds.BANDS,
                    "from": _sounds.LOWEST, "to": _sounds.HIGHEST, "scale": "mel"},
    "samples_per_step": 4 * _sounds.HOP,
}
OBJECTIVE = {
    "kind": "class",
    "loss": "cross entropy",
    "output": ["step", "class"],
    "at": "last step",
    "words": "At the end of the sound the model is asked which digit it was: the loss is −log of the probability that "
    "it gave to the right one.",
}
LABELS = tuple("0123456789")
DATA = _sounds.DATA


class SpokenDigits(nn.Module):
    """Sounds (N, samples) to logits after each step (N, steps, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.spectrogram = Spectrogram()
        self.conv1 = nn.Conv1d(_sounds.BANDS, 32, kernel_size=5, stride=2, padding=2)
        self.norm1 = nn.BatchNorm1d(32)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv1d(32, 48, kernel_size=5, stride=2, padding=2)
        self.norm2 = nn.BatchNorm1d(48)
        self.relu2 = nn.ReLU()
        self.conv3 = nn.Conv1d(48, 48, kernel_size=3, padding=1)
        self.norm3 = nn.BatchNorm1d(48)
        self.relu3 = nn.ReLU()
        self.dropout = nn.Dropout(0.3)
        self.gru = nn.GRU(48, 48, batch_first=True)
        self.fc = nn.Linear(48, 10)

    def forward(self, sound: Tensor) -> Tensor:
        return self.listen(self.spectrogram(sound))

    def listen(self, seen: Tensor) -> Tensor:
        """What is answered to spectrograms (N, 40, frames)."""
        x = self.relu1(self.norm1(self.conv1(seen)))
        x = self.relu2(self.norm2(self.conv2(x)))
        x = self.dropout(self.relu3(self.norm3(self.conv3(x))))
        hidden, _ = self.gru(x.transpose(1, 2))
        return self.fc(self.dropout(hidden))


def build() -> nn.Module:
    """A new network with random weights."""
    return SpokenDigits()


def prepare(sound: np.ndarray) -> Tensor:
    """A sound (samples,), mono, 8,000 Hz, as input (1, 8000): as loud as every other and one second long."""
    return torch.tensor(second(np.asarray(sound, np.float32)))[None]


def second(sound: np.ndarray, before: int = 0) -> np.ndarray:
    """One second of it, with so much silence before it, and silence behind."""
    made = np.zeros(LENGTH, np.float32)
    heard = loud(sound[: LENGTH - before])
    made[before : before + len(heard)] = heard
    return made


SEED, BATCH, RATE, STEPS = 0, 32, 4e-3, 1200
LEFT_OUT = "george"
RECIPE = (
    f"AdamW with a weight decay of 0.02, {STEPS} steps of {BATCH} takes of the training set, played at 0.85 to 1.18 of "
    "their speed, later by up to 0.3 s, with noise, and with stripes of the spectrogram left out, learning rate rising "
    f"to {RATE} and falling to 0 (one cycle), gradient clipped at 2, cross entropy at the last step, seed {SEED}, one "
    "thread."
)


def train(data_dir: str | Path, stop: int = STEPS, without: str = "") -> nn.Module:
    """Follow the recipe, all of it or its first `stop` steps; without the takes of one speaker, if one is named."""
    sounds, wanted, speakers, numbers = takes(data_dir)
    known = np.flatnonzero((numbers >= _sounds.TESTED) & (speakers != without))
    chance = np.random.default_rng(SEED)

    def disturbed(sound: np.ndarray) -> np.ndarray:
        moved = faster(sound, chance.uniform(0.85, 1.18))
        made = second(moved, int(chance.integers(min(2400, max(1, LENGTH - len(moved))))))
        return made + chance.uniform(0, 0.01) * chance.standard_normal(LENGTH, np.float32)

    def losses() -> Iterator[Tensor]:
        for chosen in batches(len(known), BATCH):
            heard = torch.tensor(np.stack([disturbed(sounds[i]) for i in known[chosen]]), dtype=torch.float32)
            seen = masked(model.spectrogram(heard), 6, 10, chance)
            yield nn.functional.cross_entropy(model.listen(seen)[:, -1], torch.tensor(wanted[known[chosen]]))

    with seeded(SEED):
        model = build().train()
        descend(model, losses(), rate=RATE, steps=STEPS, stop=stop, clip=2.0, decay=0.02)
    return model.eval()


def evaluate(model: nn.Module, data_dir: str | Path) -> dict[str, float]:
    """Share of the 300 takes of the test set, by the six speakers of the training, that are answered rightly."""
    return measure(model, data_dir, "")


def measure(model: nn.Module, data_dir: str | Path, speaker: str) -> dict[str, float]:
    """Share of takes that are answered rightly: of the test set, or all takes of one speaker."""
    sounds, wanted, speakers, numbers = takes(data_dir)
    asked = np.flatnonzero(speakers == speaker if speaker else numbers < _sounds.TESTED)
    model.eval()
    with one_thread(), torch.inference_mode():
        right = [int(model(prepare(sounds[i]))[0, -1].argmax()) == wanted[i] for i in asked]
    return {"test accuracy": float(np.mean(right)), "of": len(asked)}


def left_out(data_dir: str | Path) -> Iterator[tuple[str, nn.Module, dict[str, float]]]:
    """The same recipe without one speaker, and the share of his takes that are then answered rightly."""
    model = train(data_dir, without=LEFT_OUT)
    model.load_state_dict({name: weight.half() if weight.is_floating_point() else weight
                           for name, weight in model.state_dict().items()})
    yield f"without-{LEFT_OUT}", model, measure(model, data_dir, LEFT_OUT)


if __name__ == "__main__":
    publish(sys.modules[__name__], _sounds.DATA_LICENCE, float16_costs_at_most=0.001, before=True)
    if "--before" not in sys.argv:
        write_runs(sys.modules[__name__], left_out(sys.argv[1]), _sounds.DATA_LICENCE)
