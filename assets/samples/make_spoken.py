"""Make sounds_digits.json, sounds_strings.json and their WAV files: spoken digits, for the models that listen.

    python make_spoken.py DATA_DIR      (the folder that holds fsdd/fsdd_8khz.npz)

All takes are of the test set. Two takes of each digit, by one speaker after the other; and six strings of two to four
takes, one of each speaker, laid one after the other with a fixed seed, in the way in which the model is measured.
"""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import _samples
import numpy as np
import spoken_digits
import spoken_strings
from _sounds import DATA_LICENCE, RATE, TESTED, takes

SEED = 3


def digits(data_dir: Path) -> tuple[list[np.ndarray], list[dict[str, Any]]]:
    """Twenty takes as they were recorded, and what is said in each."""
    sounds, spoken, speakers, numbers = takes(data_dir)
    names = np.unique(speakers)
    chosen, samples = [], []
    for place in range(20):
        digit, name = place // 2, names[place % len(names)]
        found = np.flatnonzero((spoken == digit) & (speakers == name) & (numbers < TESTED))
        one = int(found[np.argsort(numbers[found])][place % TESTED])
        chosen.append(sounds[one])
        samples.append({"name": f"spoken-{digit}-{name}", "file": f"sounds/spoken-{digit}-{name}.wav", "label": digit,
                        "speaker": str(name), "take": int(numbers[one])})
    return chosen, samples


def strings(data_dir: Path) -> tuple[list[np.ndarray], list[dict[str, Any]]]:
    """Six strings, and the digits of each."""
    sounds, spoken, speakers, numbers = takes(data_dir)
    chance, chosen, samples = np.random.default_rng(SEED), [], []
    for place, name in enumerate(np.unique(speakers)):
        own = chance.choice(np.flatnonzero((speakers == name) & (numbers < TESTED)), 2 + place % 3)
        made = spoken_strings.string([sounds[i] for i in own], chance)
        chosen.append(made * min(1.0, 0.9 / float(np.abs(made).max())))  # a file holds no more than 1
        said = [int(spoken[i]) for i in own]
        spelled = "".join(map(str, said))
        samples.append({"name": f"spoken-{spelled}-{name}", "file": f"sounds/spoken-{spelled}-{name}.wav",
                        "label": said, "speaker": str(name)})
    return chosen, samples


def write_wav(path: Path, sound: np.ndarray) -> None:
    """A sound, −1 to 1, as a file of 16 bits."""
    path.parent.mkdir(exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.rint(np.clip(sound, -1, 32767 / 32768) * 32768).astype("<i2").tobytes())


def main() -> None:
    data_dir = _samples.data_dir(__doc__)
    for name, title, recipe, choose in (("sounds_digits", "Spoken digits", spoken_digits, digits),
                                        ("sounds_strings", "Spoken strings of digits", spoken_strings, strings)):
        sounds, samples = choose(data_dir)
        for sound, sample in zip(sounds, samples, strict=True):
            write_wav(_samples.HERE / sample["file"], sound)
        _samples.write(name, {"kind": "audio", "title": title, "for": recipe.INPUT["samples"], "licence": DATA_LICENCE},
                       samples)


if __name__ == "__main__":
    main()
