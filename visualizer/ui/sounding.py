"""Sounding: the sound that is looked at is heard, and one's own is recorded, through Qt's multimedia.

Nothing of it is loaded before a person asks to hear or to record. Whatever is missing is one sentence.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QBuffer, QByteArray, QObject, Signal

from visualizer import registry, sonify
from visualizer.inputs import audio
from visualizer.language import numeral, tr
from visualizer.scene.sound import Sound, sound_of
from visualizer.ui import devices
from visualizer.ui.store import Store

AROUND = 0.1
"""Seconds before and after the cursor that are heard of the part under it."""
FADES = 0.005
"""Seconds in which a part grows loud and faint, so that its ends do not click."""
LOUD = 0.8
"""How loud the loudest of a sound is heard: 1 is all that a loudspeaker can."""
QUIET = 1e-3
"""What is nowhere louder was not heard: 60 dB below the loudest that there is."""
USUAL, AROUND_A_WORD = 3.0, 1.5
"""Seconds that are recorded; and so much more than a model takes where it takes a stretch of one length."""
FOLDER = "recordings"
"""In the app's own folder."""
SLOWEST, FASTEST = 0.5, 2.0
"""Speeds at which the sound is heard along."""
Values = NDArray[np.floating]


class Sounding(QObject):
    """Loudspeaker and microphone of one window."""

    said = Signal(str)
    recorded = Signal(str)
    """The file of what was recorded."""

    def __init__(self, store: Store, parent: QObject) -> None:
        super().__init__(parent)
        self.store = store
        self.on = False
        """Whether what plays is heard along."""
        self._sink: Any = None
        self._source: Any = None
        self._buffer = QBuffer(self)
        self._taken = QByteArray()
        self._step = -1
        """The step from which it is heard along; −1 while nothing is."""
        store.changed.connect(self._follow)

    # --- to hear ---

    def play(self, part: bool) -> None:
        """Hear the part under the cursor, or all of it where there is no cursor or `part` is not wanted."""
        sound = self._sound()
        if sound is None:
            self.said.emit(tr("There is no sound here: open a model that reads sounds."))
            return
        if not sound.rate:
            self.said.emit(tr("Nobody says how many numbers of this sound make a second, so it cannot be played."))
            return
        here = self._here(sound) if part else None
        around = AROUND * sound.rate
        first, last = (0.0, len(sound.wave)) if here is None else (here - around, here + around)
        self._start(sound, first, last)

    def toggle(self) -> None:
        """From now on the sound is heard while its steps play, or no more."""
        if not self.on and not self.ready():
            return
        self.on = not self.on
        self.said.emit(tr("While it plays step by step, the sound is heard along.") if self.on else
                       tr("It plays without the sound."))
        if not self.on:
            self.stop()

    def ready(self) -> bool:
        """Whether there is a loudspeaker; False, with one sentence said, where there is none."""
        try:
            devices.usual(devices.SPEAKER)
        except devices.NoDevice as error:
            self.said.emit(str(error))
            return False
        return True

    def stop(self) -> None:
        """Silence."""
        self._step = -1
        if self._sink is not None:
            self._sink.stop()
            self._sink = None
            self._buffer.close()

    def _sound(self) -> Sound | None:
        return None if self.store.trace is None else sound_of(self.store.trace)

    def _here(self, sound: Sound) -> float | None:
        """The sample in the middle of the step that is looked at."""
        moment = self.store.moment
        clock = None if moment is None else sound.clocks.get(moment.beat.layer)
        if moment is None or clock is None or moment.beat.step is None:
            return None
        return clock.middle(moment.beat.step - 1)

    def _start(self, sound: Sound, first: float, last: float, speed: float = 1.0) -> None:
        self.on = self.hear(cut(sound.wave, sound.rate, first, last), round(sound.rate * speed)) and self.on

    def hear(self, heard: Values, rate: int) -> bool:
        """Samples, in place of what was heard before; False, with one sentence said, where there is no loudspeaker."""
        self.stop()
        try:
            device, media = devices.usual(devices.SPEAKER), devices.multimedia()
        except devices.NoDevice as error:
            self.said.emit(str(error))
            return False
        form = _format(media, device, rate)
        if form.sampleRate() != rate:
            heard = audio.resampled(heard, rate, form.sampleRate())
        self._buffer.setData(QByteArray(packed(heard, form.channelCount(), form.sampleFormat().name)))
        self._buffer.open(QBuffer.OpenModeFlag.ReadOnly)
        self._sink = media.QAudioSink(device, form, self)
        self._sink.start(self._buffer)
        return True

    def _follow(self) -> None:
        """While steps play at the speed of the sound, it is heard from the step on at which they began."""
        sound, state, moment = self._sound() if self.on else None, self.store.state, self.store.moment
        here = None if sound is None or moment is None or moment.backward or not state.playing else self._here(sound)
        if sound is None or here is None or not sound.rate or not SLOWEST <= float(state.speed) <= FASTEST or \
                self.store.timeline.pace(moment.index).seconds * sound.rate > 2 * sound.clocks[moment.beat.layer].hop:
            if self._step >= 0:
                self.stop()
            return
        step = int(moment.beat.step or 0)
        if self._step < 0 or not self._step <= step <= self._step + 3:  # begun, or put elsewhere by somebody
            hop = sound.clocks[moment.beat.layer].hop
            self._start(sound, here + (moment.phase - 0.5) * hop, len(sound.wave), float(state.speed))
        self._step = step

    # --- to record ---

    def record(self) -> None:
        """Record as long as the model listens, or a few seconds; again ends it."""
        if self._source is not None:
            self._ended()
            return
        sound = self._sound()
        if sound is None:
            self.said.emit(tr("There is nothing to record for: open a model that reads sounds."))
            return
        devices.reach(devices.MICROPHONE, self, self._listen, self.said.emit)

    def _listen(self, device: Any) -> None:
        self.stop()
        media = devices.multimedia()
        form = _format(media, device, 16_000)
        self._source = media.QAudioSource(device, form, self)
        opened = self._source.start()
        if opened is None:
            self._source = None
            self.said.emit(tr("The microphone cannot be opened: another app may be using it. Close that and try "
                              "again."))
            return
        self._taken = QByteArray()
        self._form = form.sampleRate(), form.channelCount(), form.sampleFormat().name
        wanted = self._wanted()
        seconds = USUAL if wanted is None else wanted + AROUND_A_WORD
        opened.readyRead.connect(lambda source=self._source: self._take(source, opened.readAll(), seconds))
        self.said.emit(tr("Speak now: {seconds} s are recorded.").format(seconds=numeral(f"{seconds:g}")))

    def _take(self, source: Any, data: QByteArray, seconds: float) -> None:
        """What the microphone hands over, until so many seconds have come."""
        if source is not self._source:
            return
        self._taken.append(data)
        rate, channels, kind = self._form
        if self._taken.size() >= seconds * rate * channels * np.dtype(WIDTHS[kind][0]).itemsize:
            self._ended()

    def _wanted(self) -> float | None:
        """How many seconds the model takes, where it takes so many and no others."""
        trace, sound = self.store.trace, self._sound()
        shape = trace.facts.get("input", {}).get("shape") if trace is not None else None
        if sound is None or not sound.rate or not shape or not isinstance(shape[-1], int):
            return None
        return float(shape[-1] / sound.rate)

    def _ended(self) -> None:
        source, self._source = self._source, None
        source.stop()
        rate, channels, kind = self._form
        sound = unpacked(bytes(self._taken.data()), channels, kind)
        if not len(sound) or float(np.abs(sound).max()) < QUIET:
            self.said.emit(tr("Nothing was heard: there is no sound above −60 dB. Check that the microphone is on, and "
                              "try again."))
            return
        wanted = self._wanted()
        kept = sound if wanted is None else loudest(sound, round(wanted * rate))
        try:
            path = write(kept, rate)
        except OSError as error:
            why = str(error.strerror or error).rstrip(".")
            self.said.emit(tr("What was recorded cannot be kept ({why}).").format(why=why))
            return
        self.recorded.emit(str(path))


# --- samples and bytes -----------------------------------------------------------------------------------------------

def cut(sound: Values, rate: int, first: float, last: float) -> Values:
    """A part of a sound, fading in and out, as loud as one likes to hear it however faint the sound is."""
    start, end = max(0, round(first)), min(len(sound), round(last))
    part = np.nan_to_num(sound[start:end])
    top = float(np.abs(np.nan_to_num(sound)).max(initial=0.0))
    fade = min(len(part) // 2, max(1, round(FADES * rate)))
    rising = np.ones(len(part))
    if fade:
        rising[:fade] = np.arange(fade) / fade
        rising[len(part) - fade:] = np.arange(fade)[::-1] / fade
    return part * rising * (LOUD / top if top > 0 else 0.0)


def loudest(sound: Values, long: int) -> Values:
    """The stretch of so many samples that is loudest; all of a shorter one."""
    if len(sound) <= long:
        return sound
    power = np.concatenate([[0.0], np.cumsum(sound ** 2)])
    first = int(np.argmax(power[long:] - power[:-long]))
    return sound[first:first + long]


WIDTHS: dict[str, tuple[str, float, float]] = {"UInt8": ("u1", 128, 128), "Int16": ("<i2", 32768, 0),
                                               "Int32": ("<i4", 2147483648, 0), "Float": ("<f4", 1, 0)}
"""(type, what 1 is, what 0 is) of the numbers of each format."""


def packed(sound: Values, channels: int, kind: str) -> bytes:
    """Samples −1 … 1 as the bytes of a format, the same in every channel."""
    width, one, zero = WIDTHS[kind]
    top = np.inf if kind == "Float" else one - 1
    values = np.clip(sound * one, -one, top) + zero
    values = values if kind == "Float" else np.rint(values)
    return np.repeat(values.astype(width), channels).tobytes()


def unpacked(data: bytes, channels: int, kind: str) -> Values:
    """The mean of the channels, −1 … 1."""
    width, one, zero = WIDTHS[kind]
    size = np.dtype(width).itemsize * channels
    values = np.frombuffer(data[:len(data) // size * size], width).astype(np.float64)
    return np.asarray(((values - zero) / one).reshape(-1, channels).mean(axis=1))


def write(sound: Values, rate: int) -> Path:
    """A recording as a WAV file in the app's own folder, with the next number that is free; raises OSError."""
    return sonify.save(registry.taken(FOLDER, "recorded", ".wav"), sound, rate)


def _format(media: Any, device: Any, rate: int) -> Any:
    """Whole numbers of 16 bits in one channel at that rate, or where a device does not take them what it likes best."""
    form = media.QAudioFormat()
    form.setSampleRate(rate)
    form.setChannelCount(1)
    form.setSampleFormat(media.QAudioFormat.SampleFormat.Int16)
    return form if device.isFormatSupported(form) else device.preferredFormat()
