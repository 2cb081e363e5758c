"""Make the sound for models that read waveforms: a tone that rises, from a formula.

    python make_sounds.py
"""

from __future__ import annotations

import wave

import numpy as np
from _samples import HERE, write

RATE, SECONDS, LOW, HIGH = 16_000, 1.0, 120.0, 2_400.0

if __name__ == "__main__":
    times = np.arange(int(RATE * SECONDS)) / RATE
    grows = np.log(HIGH / LOW) / SECONDS
    phase = 2 * np.pi * LOW * (np.exp(grows * times) - 1) / grows
    loud = 0.5 * np.sin(np.pi * times / SECONDS) ** 2
    sound = loud * (np.sin(phase) + 0.5 * np.sin(2 * phase) + 0.25 * np.sin(3 * phase)) / 1.75
    with wave.open(str(HERE / "rising-tone.wav"), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.rint(sound * 32767).astype("<i2").tobytes())
    write("sounds", {"kind": "audio", "title": "Sounds made by formulas", "licence": "MIT, as this project"},
          [{"name": "rising-tone", "file": "rising-tone.wav"}])
