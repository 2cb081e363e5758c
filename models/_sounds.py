"""What the recipes share that listen: the spoken digits, the spectrogram as a layer, and what they are disturbed with.

The spectrogram is that of Davis and Mermelstein 1980 without its last step: stretches of 25 ms, one every 10 ms, each
under a Hann window; how strong each frequency is in it; 40 bands that are as wide as the ear tells tones apart
(O'Shaughnessy 1987: mel = 2595 log10(1 + f / 700)); and the logarithm of what is in each band.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere

DATA = "fsdd/fsdd_8khz.npz"
DATA_LICENCE = "Free Spoken Digit Dataset by Zohar Jackson and contributors, CC BY-SA 4.0"
RATE, WINDOW, HOP, BANDS = 8000, 200, 80, 40
"""Samples a second; of a stretch; from one to the next; bands."""
LOWEST, HIGHEST = 60.0, 3900.0
"""Hz."""
FAINT = 1e-2
"""Added before the logarithm: what is fainter than this is silence. Speech is up to a hundred times as strong."""
TESTED = 5
"""Of each digit and speaker the takes with the numbers 0 to 4 are held out, as the authors of the data say."""
Takes = list[np.ndarray]


class Spectrogram(nn.Module):
    """Sounds (N, samples) to spectrograms (N, 40, frames): logarithms of how strong 40 bands are, around 0 over the
    whole sound. Nothing in it is learned."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("waves", waves(), persistent=False)
        self.register_buffer("bands", bands(), persistent=False)

    def forward(self, sound: Tensor) -> Tensor:
        parts = nn.functional.conv1d(sound[:, None], self.waves, stride=HOP)
        squares = parts * parts  # of cosines, then of sines
        half = squares.shape[1] // 2
        power = squares[:, :half] + squares[:, half:]
        strong = torch.log(torch.matmul(self.bands, power) + FAINT)
        apart = strong - strong.mean((1, 2), keepdim=True)
        return apart / torch.sqrt((apart * apart).mean((1, 2), keepdim=True) + 1e-5)


def waves() -> Tensor:
    """Cosines and sines of 0 to 4,000 Hz in steps of 40 Hz, under the window: (202, 1, 200)."""
    time = np.arange(WINDOW)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * time / WINDOW)
    angle = 2 * np.pi * np.arange(WINDOW // 2 + 1)[:, None] * time / WINDOW
    return torch.tensor(np.concatenate([np.cos(angle), np.sin(angle)]) * window, dtype=torch.float32)[:, None]


def bands() -> Tensor:
    """How much each frequency counts in each band, (40, 101): triangles that overlap by half, each up to 1."""
    frequencies = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    corners = hertz(np.linspace(mel(LOWEST), mel(HIGHEST), BANDS + 2))
    low, middle, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising, falling = (frequencies - low) / (middle - low), (high - frequencies) / (high - middle)
    return torch.tensor(np.clip(np.minimum(rising, falling), 0, None), dtype=torch.float32)


def mel(hz: float | np.ndarray) -> np.ndarray:
    """Hz as mel."""
    return 2595 * np.log10(1 + np.asarray(hz) / 700)


def hertz(mels: np.ndarray) -> np.ndarray:
    """Mel as Hz."""
    return 700 * (10 ** (mels / 2595) - 1)


def takes(data_dir: str | Path) -> tuple[Takes, np.ndarray, np.ndarray, np.ndarray]:
    """All takes, −1 to 1 as recorded, with the digit, the speaker and the number of each."""
    with np.load(Path(data_dir) / DATA) as arrays:
        sound, length = arrays["audio"].astype(np.float32) / 32768, arrays["length"]
        ends = np.cumsum(length)
        return (
            [sound[end - count : end] for end, count in zip(ends, length, strict=True)],
            arrays["digit"].astype(np.int64),
            arrays["speaker"],
            arrays["index"],
        )


def loud(sound: np.ndarray) -> np.ndarray:
    """As loud as every other: the root of the mean of the squares becomes 0.1; silence stays silence."""
    root = float(np.sqrt(np.mean(sound.astype(np.float64) ** 2)))
    return (sound * (0.1 / root)).astype(np.float32) if root > 1e-6 else sound


def faster(sound: np.ndarray, factor: float) -> np.ndarray:
    """Played faster by a factor, and higher."""
    count = max(2, round(len(sound) / factor))
    return np.interp(np.linspace(0, len(sound) - 1, count), np.arange(len(sound)), sound).astype(np.float32)


def masked(spectrograms: Tensor, bands_: int, frames: int, chance: np.random.Generator) -> Tensor:
    """With two stripes of up to so many bands and two of up to so many frames set to 0, others in each (Park and others
    2019, SpecAugment)."""
    kept = torch.ones_like(spectrograms)
    for mask in kept:
        for _ in range(2):
            wide, long = int(chance.integers(bands_ + 1)), int(chance.integers(frames + 1))
            low, first = (int(chance.integers(max(1, size - room + 1)))
                          for size, room in ((mask.shape[0], wide), (mask.shape[1], long)))
            mask[low : low + wide] = 0
            mask[:, first : first + long] = 0
    return spectrograms * kept
