"""Sound: what is looked at is heard, as tones or as the sound that it is; what one says oneself is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from visualizer.language import tr
from visualizer.ui.commands import Command, Desk, Family

if TYPE_CHECKING:
    from visualizer.ui.sounding import Sounding
    from visualizer.ui.tones import Tones


class Sounds(Desk, Protocol):
    """What can be heard."""

    @property
    def sounding(self) -> Sounding:
        """Loudspeaker and microphone; they come when they are asked for."""

    @property
    def tones(self) -> Tones:
        """The numbers that are looked at, as tones."""


def family() -> Family:
    return Family(tr("Sound"), 47, (
        Command("hear-it", tr("Hear it"), ("Shift+J",),
                tr("What is looked at as one curve of tones, a state, a gradient or a running sum: pitch = value, "
                   "loudness = size"), lambda desk: desk.tones.play()),
        Command("hear-beats", tr("Hear each beat"), ("Shift+N",),
                tr("A tone for each beat while it steps or plays, or no more: pitch = value, loudness = size"),
                lambda desk: desk.tones.toggle()),
        Command("hear", tr("Hear the part at the cursor"), ("Shift+H",),
                tr("Of a model that reads sounds: a fifth of a second around the step, or all of it"),
                lambda desk: desk.sounding.play(True)),
        Command("hear-all", tr("Hear the sound"), ("Ctrl+H",),
                tr("All of the sound, as the network is given it"), lambda desk: desk.sounding.play(False)),
        Command("sound", tr("Sound while it plays"), ("Shift+S",),
                tr("Hear the sound along while its steps play, or no more"), lambda desk: desk.sounding.toggle()),
        Command("record", tr("Record"), ("Shift+R",),
                tr("Record with the microphone what the network is to hear; again ends it"),
                lambda desk: desk.sounding.record()),
    ))
