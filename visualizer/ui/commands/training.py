"""Training: a network is trained while one looks on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from visualizer.language import tr
from visualizer.ui.commands import Act, Command, Desk, Family
from visualizer.ui.commands.views import turn

if TYPE_CHECKING:
    from collections.abc import Callable

    from visualizer.ui.training import Training


class Trains(Desk, Protocol):
    """A desk at which something is trained."""

    @property
    def training(self) -> Training | None:
        """What has it trained, once the engine is there."""


def family() -> Family:
    return Family(tr("Training"), 72, (
        Command("train", tr("Train from here"), ("Ctrl+G",),
                tr("In the view Training: go on from the cursor, or stop there"),
                _do(lambda training: training.train_or_pause())),
        Command("one-update", tr("One update"), ("Ctrl+U",),
                tr("In the view Training: make one update, and stop"), _do(lambda training: training.train(1))),
        Command("train-anew", tr("Start anew"), ("Ctrl+Shift+G",),
                tr("In the view Training: back before the first update, with the knobs as they are"),
                _do(lambda training: training.anew())),
        Command("axis", tr("Updates on a log axis or evenly"), ("Ctrl+L",),
                tr("In the view Training: the first updates far apart, or all of them evenly"), turn("axis")),
    ))


def _do(what: Callable[[Training], None]) -> Act:
    def act(desk: Trains) -> None:
        training = desk.training
        if training is None or not training.on:
            desk.say(tr("Nothing is trained here; go to the view Training of a network that comes with the app."))
        else:
            what(training)
    return act
