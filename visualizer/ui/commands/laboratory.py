"""Laboratory: where knobs are turned until gradients vanish or explode."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from visualizer.language import tr
from visualizer.scene import state as does
from visualizer.ui.commands import Command, Desk, Family, pure

if TYPE_CHECKING:
    from visualizer.ui.training import Training


class Experiments(Desk, Protocol):
    """What goes through a range by itself."""

    def sweep(self) -> None:
        """Have the knob that was turned last go through its range."""


class Trains(Desk, Protocol):
    """A desk at which something may be trained."""

    @property
    def training(self) -> Training | None:
        """What has it trained, once the engine is there."""


def family() -> Family:
    return Family(tr("Laboratory"), 70, (
        Command("laboratory", tr("Gradient laboratory"), ("G",),
                tr("Turn knobs and watch gradients vanish or explode"), pure(does.enter_lab),
                icon="laboratory", is_on=lambda desk: desk.store.state.in_lab, starts=True),
        Command("pin", tr("Compare A and B"), ("Ctrl+P",),
                tr("In the laboratory and the view Training: keep these curves behind the next ones, or let them go"),
                pin),
        Command("sweep", tr("Sweep the knob"), ("Shift+K",),
                tr("In the laboratory: the knob that was turned last through its whole range; again to stop"),
                lambda desk: desk.sweep()),
    ))


def pin(desk: Trains) -> None:
    """Keep the curves of the laboratory, or of a training, behind what comes next; nothing elsewhere."""
    if desk.store.state.in_lab:
        desk.store.apply(does.pin_lab)
    elif desk.training is not None and desk.training.on:
        desk.training.pin()
