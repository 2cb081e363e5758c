"""Measuring: what networks that are compared take in time, and how often they are right; asked for once for each."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject

from visualizer import costs, door
from visualizer.engine.client import Engine
from visualizer.scene.recipe import ModelRecipe
from visualizer.scene.state import State
from visualizer.ui.store import Store, network_of


class Measuring(QObject):
    """Stands between the store and the engine, beside the recorder."""

    def __init__(self, store: Store, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.store, self.engine = store, engine
        self._asked: tuple[int, tuple[ModelRecipe, ...]] = -1, ()
        """The request that is under way, and of which networks."""
        self._in_vain: set[tuple[ModelRecipe, ...]] = set()
        store.changed.connect(self._changed)
        store.trace_changed.connect(lambda trace: self.measure())
        store.beside_changed.connect(self.measure)
        engine.answered.connect(self._answered)
        engine.refused.connect(self._refused)
        engine.failed.connect(self._refused)

    def measure(self) -> None:
        """Ask for what the comparison at hand does not know yet, all of its networks in turn; not while it plays, for
        then the machine has something else to do."""
        readers, state = self.store.readers, self.store.state
        wanted = tuple(network_of(place.recipe) for place in state.places)
        models = tuple(recipe for recipe in wanted if isinstance(recipe, ModelRecipe) and door.can_run(recipe.model))
        known = all(self.store.measured_of(recipe) is not None for recipe in models)
        if not readers or state.playing or self.store.waiting or known or not models or models == self._asked[1] \
                or models in self._in_vain:
            return
        networks = [[recipe.model, list(recipe.edits)] for recipe in models]
        self._asked = self.engine.request("costs", networks=networks), models

    def _changed(self, old: State, new: State) -> None:
        if (old.compare, old.places, old.playing) != (new.compare, new.places, new.playing):
            if not new.compare and self._asked[0] >= 0:
                self.engine.cancel(self._asked[0])
                self._asked = -1, ()
            self.measure()

    def _answered(self, number: int, name: str, answer: Any) -> None:
        if number == self._asked[0]:
            models, self._asked = self._asked[1], (-1, ())
            found = [costs.from_plain(each) for each in answer["costs"]]
            self.store.set_measured(dict(zip(models, found, strict=True)))

    def _refused(self, number: int, sentence: str) -> None:
        if number == self._asked[0]:
            self._in_vain.add(self._asked[1])
            self._asked = -1, ()
