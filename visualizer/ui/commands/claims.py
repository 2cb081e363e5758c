"""Claims: the sentences of the article, put to the test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from PySide6.QtWidgets import QWidget

from visualizer.claims import Claim
from visualizer.language import tr, translated
from visualizer.scene import claimpage
from visualizer.ui.claimsheet import ClaimSheet
from visualizer.ui.commands import Command, Desk, Family
from visualizer.ui.cover import Cover

if TYPE_CHECKING:
    from visualizer.engine.client import Engine


class Claims(Desk, Protocol):
    """What has an engine to measure with, and room for a page over it."""

    cover: Cover
    engine: Engine | None

    def leave_start(self) -> None:
        """To what is looked at."""

    def go_astray(self) -> None:
        """A lesson leaves it to what is opened now."""


def family() -> Family:
    return Family(tr("Places"), 68, (
        Command("claims", tr("Claims of the article"), ("F3",),
                tr("Each sentence of the article with its verdict, and the numbers that decide it"), toggle_claims,
                starts=True),
    ))


def toggle_claims(desk: Claims) -> None:
    """Show or hide them."""
    def made(below: QWidget) -> ClaimSheet:
        sheet = ClaimSheet(desk.store.state.look, lambda: desk.engine, below)
        sheet.wanted.connect(lambda claim: see(desk, claim))
        sheet.said.connect(desk.say)
        return sheet

    desk.cover.toggle(ClaimSheet, made)


def see(desk: Claims, claim: Claim) -> None:
    """Its networks beside each other."""
    desk.leave_start()
    desk.go_astray()
    desk.store.apply(lambda state: claimpage.demonstrated(state, claim))
    said = tr("This is about “{title}”. {correction}").format(title=translated(claim.title),
                                                            correction=translated(claim.correction))
    desk.say(said, tr("Back to the claim"), lambda: toggle_claims(desk))
