"""Gallery: the small pictures on the cards of the start screen, drawn by the views themselves from real recordings.

Each is made once and kept from one start to the next. What it needs is recorded by the engine, one card after the
other, those that are seen first; until then a card is hatched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QImage

import visualizer
from visualizer import paint, registry, sight, start, views
from visualizer.scene.picture import LANE, LEGEND, SENTENCE, TITLE, Picture, Text
from visualizer.scene.recipe import LabRecipe, ModelRecipe, Recipe
from visualizer.scene.state import State, changed, to_json
from visualizer.sight import Recorded
from visualizer.start import StartCard
from visualizer.trace import Trace
from visualizer.ui import kept, style
from visualizer.ui.shipped import shipped_trace

if TYPE_CHECKING:
    from visualizer.engine.client import Engine

DRAWN = (1104, 796)
"""Pixels in which a view draws what a card shows a small picture of."""
FINEST = 2.0
"""So many times the pixels of its place a picture has, for fine screens."""
LEAST_LETTERS = 10.0
"""Words that would come out smaller than this are left out: nobody could read them."""
ASIDE = (LANE, LEGEND, SENTENCE, TITLE)
"""Parts of a picture that are not on its small one."""
OVERVIEW = (("lens", "off"),)
"""How knobs stand where a card does not turn them."""
MARGIN = 6
"""Pixels around what a picture shows."""
MOST_KEPT = 400
"""So many pictures stay in the folder, those that were made last."""


class Gallery(QObject):
    """Makes the pictures of cards, one at a time."""

    made = Signal(str)
    """The name of a card whose picture is there now."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.engine: Engine | None = None
        self._pictures: dict[tuple[str, str, tuple[int, int]], QImage] = {}
        self._wanted: dict[tuple[str, str, tuple[int, int]], StartCard] = {}
        """In the order in which they are made: the newest wish for several that are seen comes first."""
        self._in_vain: set[str] = set()
        self._at: tuple[str, str, tuple[int, int]] | None = None
        """What is being made."""
        self._traces: dict[Recipe, Trace] = {}
        self._asked: dict[int, tuple[Recipe, str]] = {}

    def attach(self, engine: Engine) -> None:
        """From now on there is somebody who records."""
        self.engine = engine
        engine.answered.connect(self._answered)
        engine.failed.connect(self._failed)
        self._go_on()

    def picture(self, card: StartCard, size: QSize) -> QImage | None:
        """The picture of a card in the theme that is worn; None while it is not there, then `made` says when it is."""
        key = card.name, style.theme_name(), size.toTuple()
        if key in self._pictures:
            return self._pictures[key]
        if card.state is None or card.name in self._in_vain:
            return None
        with suppress(OSError):
            path = self._path(card, key)
            if path.is_file() and not (found := QImage(str(path))).isNull():
                self._pictures[key] = found
                return found
        self._wanted.setdefault(key, card)
        return None

    def forget_wishes(self) -> None:
        """What was wanted is not seen any more."""
        self._wanted.clear()

    def go_on(self) -> None:
        """Begin with what is wanted, if nothing is being made."""
        if self._at is None:
            self._go_on()

    # --- one after the other ---

    def _go_on(self) -> None:
        while self._wanted:
            key = next(iter(self._wanted))
            card = self._wanted[key]
            if card.name in self._in_vain:
                del self._wanted[key]
                continue
            self._at = key
            if not self._lacks(card):
                return
            self._finish(key, card)
        self._at, self._traces = None, {}

    def _lacks(self, card: StartCard) -> bool:
        """Ask for what the picture of a card still lacks; True if it lacks nothing or has to be left."""
        assert card.state is not None
        for recipe in start.recipes(card.state):
            trace = self._traces.get(recipe) or shipped_trace(_alone(recipe))
            if trace is None:
                return self._ask(recipe, "")
            self._traces[recipe] = trace
            for place in card.state.places:
                for study in views.find(place.view).studies if recipe == place.recipe else ():
                    if study not in trace.studies and isinstance(recipe, ModelRecipe):
                        return self._ask(recipe, study)
        return True

    def _ask(self, recipe: Recipe, study: str) -> bool:
        """False: it is on its way, or nobody is there to ask."""
        if self.engine is None or self._asked:
            return False
        if isinstance(recipe, LabRecipe):
            number = self.engine.request("lab", lane="card", words=recipe.words)
        else:
            wishes = {"model": recipe.model, "sample": recipe.sample, "objective": recipe.objective,
                      "edits": recipe.edits}
            number = self.engine.request("study", lane="card", name=study, **wishes) if study else \
                self.engine.request("record", lane="card", check=False, **wishes)
        self._asked = {number: (recipe, study)}
        return False

    def _answered(self, number: int, name: str, answer: Any) -> None:
        if number not in self._asked:
            return
        recipe, study = self._asked.pop(number)
        if study:
            trace = self._traces[recipe]
            self._traces[recipe] = replace(trace, studies={**trace.studies, study: answer["arrays"]})
        else:
            self._traces[recipe] = answer["trace"]
        self._go_on()

    def _failed(self, number: int, sentence: str) -> None:
        if number in self._asked:
            self._asked.pop(number)
            if self._at is not None:
                self._in_vain.add(self._at[0])
            self._go_on()

    def _finish(self, key: tuple[str, str, tuple[int, int]], card: StartCard) -> None:
        """Draw it, keep it, say that it is there."""
        self._wanted.pop(key, None)
        image = self._draw(card, QSize(*key[2]))
        if image is None:
            self._in_vain.add(card.name)
            return
        self._pictures[key] = image
        with suppress(OSError):
            path = self._path(card, key)
            path.parent.mkdir(exist_ok=True)
            image.save(str(path))
            for old in sorted(path.parent.glob("*.png"), key=lambda each: each.stat().st_mtime_ns)[:-MOST_KEPT]:
                old.unlink(missing_ok=True)
        self.made.emit(card.name)

    def _draw(self, card: StartCard, size: QSize) -> QImage | None:
        assert card.state is not None
        try:
            return small(whole(card.state, self._traces), card.crop, size)
        except Exception:  # a view that fails here says so on the stage, where it can be mended
            return None

    def _path(self, card: StartCard, key: tuple[str, str, tuple[int, int]]) -> Path:
        """Where it is kept: other weights, another version, theme or size is another picture."""
        assert card.state is not None
        marks = [visualizer.__version__, str(OVERVIEW), to_json(card.state), str(card.crop), *map(str, key)]
        for recipe in start.recipes(card.state):
            if isinstance(recipe, ModelRecipe):
                for untrained in (False, True):
                    path = registry.weights(recipe.model, untrained)
                    marks.append(str(path.stat().st_mtime_ns) if path.is_file() else "")
        return kept.folder() / "pictures" / f"{hashlib.sha256(' '.join(marks).encode()).hexdigest()[:32]}.png"


# --- pure helpers ---------------------------------------------------------------------------------------------------

def _alone(recipe: Recipe) -> State:
    return changed(State(), recipe=recipe)


def whole(state: State, traces: dict[Recipe, Trace]) -> Picture:
    """What the stage would show of a place, as a whole and not through the lens."""
    theme = style.theme_name()
    state = start.entered(changed(State(), look=replace(State().look, size=DRAWN, theme=theme)), state)
    state = replace(state, places=tuple(replace(place, look=replace(place.look, knobs=(*OVERVIEW, *place.look.knobs)))
                                        for place in state.places))
    found: list[Recorded] = []
    for place in state.places:
        several = tuple(traces[recipe] for recipe in start.recipes(replace(state, places=(place,), active=0)))
        found.append(several if place.reel else several[0])
    return sight.beside(found, state.places, state.active, DRAWN) if len(found) > 1 else \
        sight.seen(found[0], state, size=DRAWN)


def small(picture: Picture, crop: tuple[float, float, float, float], size: QSize) -> QImage:
    """What a crop has of a picture, in a small place: cut to what is drawn in it, scaled as a whole."""
    wide, high = picture.size
    left, top, right, bottom = crop
    cut = QRect(round(left * wide), round(top * high), round((right - left) * wide), round((bottom - top) * high))
    scale = min(size.width() / cut.width(), size.height() / cut.height())
    bare = replace(picture, still=_readable(picture.still, scale), moving=_readable(picture.moving, scale))
    image = paint.render(bare, FINEST).copy(QRect(cut.topLeft() * FINEST, cut.size() * FINEST))
    image = image.copy(_inked(image))
    room = size * FINEST - QSize(MARGIN, MARGIN) * 2 * FINEST
    return image.scaled(room, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)


def _readable(marks: Iterable[Any], scale: float) -> tuple[Any, ...]:
    """Without words that come out too small, and without what tells the time and the colours."""
    return tuple(mark for mark in marks if mark.group not in ASIDE
                 and not (isinstance(mark, Text) and mark.size * scale < LEAST_LETTERS))


def _inked(image: QImage) -> QRect:
    """What of an image differs from its corner."""
    pixels = _pixels(image)
    drawn = (pixels != pixels[0, 0]).any(axis=-1)
    rows, columns = drawn.any(axis=1).nonzero()[0], drawn.any(axis=0).nonzero()[0]
    if not len(rows):
        return image.rect()
    return QRect(int(columns[0]), int(rows[0]), int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1)


def _pixels(image: QImage) -> NDArray[np.uint8]:
    """(row, column, colour), without a copy: the image must outlive it."""
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return flat[:, :4 * image.width()].reshape(image.height(), image.width(), 4)[..., :3]
