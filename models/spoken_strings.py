"""Spoken strings: hears two to four digits, one after the other, without being told where one ends.

Convolutions look for patterns in the spectrogram; a recurrent network reads them forwards, another backwards; 25 times
a second the last layer names a digit or "blank". Reading is then two rules (connectionist temporal classification,
CTC): merge what repeats, drop the blanks. The speakers are those of the training:

    sound          samples           8,000 numbers a second
    spectrogram    40 x frames       40 bands of frequencies, one column every 10 ms
    conv1          48 x frames / 2   kernels over 5 columns and all bands, stride 2
    conv2          48 x frames / 4   stride 2
    gru            steps x 96        48 numbers from the left, 48 from the right
    fc             steps x 11        ten digits and the blank

50,699 parameters: 21,216 in the convolutions, 192 in the norms, 28,224 in the GRU, 1,067 in the last layer.
Measured: 2.7 % of the digits are left out, put in or changed, 92.1 % of 1,200 strings are heard wholly right: strings
of takes of the test set, by the six speakers of the training. How it hears a stranger was not measured.
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
from _recipe import descend, one_thread, publish, seeded
from _sounds import Spectrogram, faster, loud, masked, takes
from crnn_strip import spell

TITLE = "Spoken strings"
BLANK = 10
LEAST = 4 * _sounds.HOP + _sounds.WINDOW
INPUT = {
    "kind": "audio",
    "shape": [None],
    "prepare": "mono, 8,000 Hz, as loud as every other (root mean square 0.1); at least 65 ms",
    "rate": _sounds.RATE,
    "samples": "spoken strings",
    "spectrogram": {"layer": "spectrogram", "hop": _sounds.HOP, "window": _sounds.WINDOW, "bands": _sounds.BANDS,
                    "from": _sounds.LOWEST, "to": _sounds.HIGHEST, "scale": "mel"},
    "samples_per_step": 4 * _sounds.HOP,
}
OBJECTIVE = {
    "kind": "ctc",
    "loss": "ctc",
    "output": ["step", "class"],
    "at": "every step",
    "blank": BLANK,
    "reduction": "sum",
    "words": "The loss is −log of the probability that the steps spell the right digits, summed over all the ways to "
    "lay digits, repeats and blanks along them.",
}
LABELS = (*"0123456789", "blank")
DATA = _sounds.DATA


class SpokenStrings(nn.Module):
    """Sounds (N, samples) to logits (N, steps, 11), 25 steps a second; class 10 is the blank."""

    def __init__(self) -> None:
        super().__init__()
        self.spectrogram = Spectrogram()
        self.conv1 = nn.Conv1d(_sounds.BANDS, 48, kernel_size=5, stride=2, padding=2)
        self.norm1 = nn.BatchNorm1d(48)
        self.relu1 = nn.ReLU()
        self.dropout1 = nn.Dropout(0.1)
        self.conv2 = nn.Conv1d(48, 48, kernel_size=5, stride=2, padding=2)
        self.norm2 = nn.BatchNorm1d(48)
        self.relu2 = nn.ReLU()
        self.dropout2 = nn.Dropout(0.2)
        self.gru = nn.GRU(48, 48, batch_first=True, bidirectional=True)
        self.dropout3 = nn.Dropout(0.2)
        self.fc = nn.Linear(96, 11)

    def forward(self, sound: Tensor) -> Tensor:
        return self.listen(self.spectrogram(sound))

    def listen(self, seen: Tensor) -> Tensor:
        """What is answered to spectrograms (N, 40, frames)."""
        x = self.dropout1(self.relu1(self.norm1(self.conv1(seen))))
        x = self.dropout2(self.relu2(self.norm2(self.conv2(x))))
        hidden, _ = self.gru(x.transpose(1, 2))
        return self.fc(self.dropout3(hidden))


def build() -> nn.Module:
    """A new network with random weights."""
    return SpokenStrings()


def prepare(sound: np.ndarray) -> Tensor:
    """A sound (samples,), mono, 8,000 Hz, as input (1, samples), as loud as every other; at least 65 ms of it."""
    heard = loud(np.asarray(sound, np.float32))
    return torch.tensor(np.pad(heard, (0, max(0, LEAST - len(heard)))))[None]


def string(sounds: list[np.ndarray], chance: np.random.Generator) -> np.ndarray:
    """Takes one after the other, each cut at one second and as loud as every other, pauses of 30 to 200 ms between
    them, and noise."""
    parts = [np.zeros(int(chance.integers(200, 1200)), np.float32)]
    for sound in sounds:
        parts += [loud(sound[: _sounds.RATE]), np.zeros(int(chance.integers(240, 1600)), np.float32)]
    whole = np.concatenate(parts)
    return whole + chance.uniform(0.002, 0.01) * chance.standard_normal(len(whole), np.float32)


def strings(data_dir: str | Path, count: int, chance: np.random.Generator) -> list[tuple[np.ndarray, list[int]]]:
    """Random strings of two to four takes of the test set, all of one speaker, and the digits of each."""
    sounds, wanted, speakers, numbers = takes(data_dir)
    found = []
    for _ in range(count):
        own = np.flatnonzero((speakers == chance.choice(np.unique(speakers))) & (numbers < _sounds.TESTED))
        chosen = chance.choice(own, int(chance.integers(2, 5)))
        found.append((string([sounds[i] for i in chosen], chance), wanted[chosen].tolist()))
    return found


SEED, BATCH, RATE, STEPS = 0, 16, 4e-3, 2400
RECIPE = (
    f"AdamW, {STEPS} steps of {BATCH} new strings of two to four takes of the training set, all of one speaker, played "
    "at 0.85 to 1.18 of their speed, with noise and with stripes of the spectrogram left out, learning rate rising to "
    f"{RATE} and falling to 0 (one cycle), gradient clipped at 2, CTC loss, seed {SEED}, one thread."
)


def train(data_dir: str | Path, stop: int = STEPS) -> nn.Module:
    """Follow the recipe, all of it or its first `stop` steps. Strings of a batch are filled up with silence."""
    sounds, wanted, speakers, numbers = takes(data_dir)
    known = [np.flatnonzero((speakers == name) & (numbers >= _sounds.TESTED)) for name in np.unique(speakers)]
    chance = np.random.default_rng(SEED)

    def one() -> tuple[np.ndarray, list[int]]:
        own = known[chance.integers(len(known))]
        chosen = chance.choice(own, int(chance.integers(2, 5)))
        speed = chance.uniform(0.85, 1.18)
        heard = [faster(sounds[i], speed * chance.uniform(0.95, 1.05)) for i in chosen]
        return string(heard, chance), wanted[chosen].tolist()

    def losses() -> Iterator[Tensor]:
        while True:
            drawn = [one() for _ in range(BATCH)]
            longest = max(len(sound) for sound, _ in drawn)
            quiet = [0.004 * chance.standard_normal(longest, np.float32) for _ in drawn]
            for row, (sound, _) in zip(quiet, drawn, strict=True):
                row[: len(sound)] = sound
            heard = torch.tensor(np.stack([loud(row) for row in quiet]), dtype=torch.float32)
            logits = model.listen(masked(model.spectrogram(heard), 6, 7, chance))
            steps = torch.full((BATCH,), logits.shape[1])
            lengths = torch.tensor([len(digits) for _, digits in drawn])
            spelled = torch.tensor([digit for _, digits in drawn for digit in digits])
            yield nn.functional.ctc_loss(logits.log_softmax(2).transpose(0, 1), spelled, steps, lengths, blank=BLANK)

    with seeded(SEED):
        model = build().train()
        descend(model, losses(), rate=RATE, steps=STEPS, stop=stop, clip=2.0)
    return model.eval()


def evaluate(model: nn.Module, data_dir: str | Path) -> dict[str, float]:
    """Digits that are left out, put in or changed, for each digit that was spoken, in 1,200 random strings of takes of
    the test set; and the share of strings that are heard wholly right."""
    asked = strings(data_dir, 1200, np.random.default_rng(1))
    model.eval()
    with one_thread(), torch.inference_mode():
        heard = [spell(model(prepare(sound))[0], BLANK) for sound, _ in asked]
    wrong = sum(apart(one, digits) for one, (_, digits) in zip(heard, asked, strict=True))
    return {
        "digit errors": wrong / sum(len(digits) for _, digits in asked),
        "strings wholly right": sum(one == digits for one, (_, digits) in zip(heard, asked, strict=True)) / len(asked),
        "of": len(asked),
    }


def apart(one: list[int], other: list[int]) -> int:
    """How many symbols have to be left out, put in or changed to make one of the other (Levenshtein 1966)."""
    row = list(range(len(other) + 1))
    for left, symbol in enumerate(one, 1):
        above, row[0] = row[0], left
        for place, wanted in enumerate(other, 1):
            above, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, above + (symbol != wanted))
    return row[-1]


if __name__ == "__main__":
    publish(sys.modules[__name__], _sounds.DATA_LICENCE, float16_costs_at_most=0.001, before=True)
