"""Gallery: the small pictures on the cards of the start screen, drawn by the views themselves from real recordings.

Each is made once and kept from one start to the next. What it needs is recorded by the engine, one card after the
other, those that are seen first; until then a card is hatched. The beats that lead to what a card shows are made when
somebody points at it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QImage

import visualizer
from visualizer import comparison, paint, registry, sight, start, views
from visualizer.scene.picture import LANE, LEGEND, SENTENCE, TITLE, Picture, Text
from visualizer.scene.recipe import LabRecipe, ModelRecipe, Recipe
from visualizer.scene.state import State, changed, to_json
from visualizer.scene.subject import NUMBER
from visualizer.scene.timeline import Moment
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
BEATS = 6
"""So many pictures lead to the one that a card shows."""
LEAST_LETTERS = 10.0
"""Words that would come out smaller than this are left out: nobody could read them."""
ASIDE = (LANE, LEGEND, SENTENCE, TITLE)
"""Parts of a picture that are not on its small one."""
OVERVIEW = (("lens", "off"),)
"""How knobs stand where a card does not turn them."""
MARGIN = 6
"""Pixels around what a picture shows."""
MOST_KEPT = 800
"""So many pictures stay in the folder, those that were made last."""
MOST_BYTES = 32 << 20
"""What pictures may take in memory: more than is seen of them in one size and theme of a large screen."""
Key = tuple[str, str, tuple[int, int], int]
"""Name of a card, theme, size, and which of its beats; 0 is the picture that stands."""


class Gallery(QObject):
    """Makes the pictures of cards, one at a time."""

    made = Signal(str)
    """The name of a card whose picture is there now."""
    next = Signal()
    """It is heard after what waits to be heard: between two pictures come whoever clicks and types."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.engine: Engine | None = None
        self._pictures: dict[Key, QImage] = {}
        self._wanted: dict[Key, StartCard] = {}
        """In the order in which they are made: the newest wish for several that are seen comes first."""
        self._in_vain: set[Key] = set()
        self._goes_on = False
        """Whether the next one is about to be made."""
        self.next.connect(self._go_on, Qt.ConnectionType.QueuedConnection)
        self._cuts: dict[State, QRect] = {}
        """What of a picture is drawn on, so that its beats are cut alike."""
        self._traces: dict[Recipe, Trace] = {}
        self._asked: dict[int, tuple[Recipe, str, Key]] = {}

    def attach(self, engine: Engine) -> None:
        """From now on there is somebody who records."""
        self.engine = engine
        engine.answered.connect(self._answered)
        engine.failed.connect(self._failed)
        self._go_on()

    def picture(self, card: StartCard, size: QSize, beat: int = 0) -> QImage | None:
        """The picture of a card in the theme that is worn, or one of its beats, from 1 on; None while it is not there,
        then `made` says when it is."""
        key = card.name, style.theme_name(), size.toTuple(), beat
        if key in self._pictures:
            self._pictures[key] = found = self._pictures.pop(key)  # the one that was seen last, now
            return found
        if card.state is None or key in self._in_vain:
            return None
        with suppress(OSError):
            path = self._path(card, key)
            if path.is_file() and not (found := QImage(str(path))).isNull():
                self._keep(key, found)
                return found
        self._wanted.setdefault(key, card)
        return None

    def beats(self, card: StartCard, size: QSize) -> tuple[QImage, ...]:
        """The pictures that lead to that of a card; none until all are there, and they are made before all others."""
        others, self._wanted = self._wanted, {}
        found = [self.picture(card, size, beat) for beat in range(1, BEATS + 1)]
        self._wanted |= {key: each for key, each in others.items() if key not in self._wanted}
        return tuple(each for each in found if each is not None) if None not in found else ()

    def forget_wishes(self) -> None:
        """What was wanted is not seen any more; nor is what it was to be made of needed."""
        self._wanted.clear()
        if not self._asked:
            self._traces, self._cuts = {}, {}

    def go_on(self) -> None:
        """Begin with what is wanted, unless one is about to be made."""
        if not self._goes_on:
            self._go_on()

    # --- one after the other ---

    def _go_on(self) -> None:
        """Make the next one whose recordings are there, and ask for those of the first that lacks any."""
        self._goes_on = False
        for key in [each for each in self._wanted if each in self._in_vain]:
            del self._wanted[key]
        for key, card in self._wanted.items():
            if self._has_all(key, card):
                self._finish(key, card)
                self._goes_on = True
                self.next.emit()
                return
        if not self._wanted and not self._asked:
            self._traces, self._cuts = {}, {}

    def _has_all(self, key: Key, card: StartCard) -> bool:
        """Whether all recordings of a picture are there; else what it lacks is asked for, if nothing else is."""
        assert card.state is not None
        for recipe in start.recipes(card.state):
            trace = self._traces.get(recipe) or shipped_trace(_alone(recipe))
            if trace is None:
                return self._ask(key, recipe, "")
            self._traces[recipe] = trace
            for place in card.state.places:
                for study in views.find(place.view).studies if recipe == place.recipe else ():
                    if study not in trace.studies and isinstance(recipe, ModelRecipe):
                        return self._ask(key, recipe, study)
        return True

    def _ask(self, key: Key, recipe: Recipe, study: str) -> bool:
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
        self._asked = {number: (recipe, study, key)}
        return False

    def _answered(self, number: int, name: str, answer: Any) -> None:
        if number not in self._asked:
            return
        recipe, study, _ = self._asked.pop(number)
        if study:
            trace = self._traces[recipe]
            self._traces[recipe] = replace(trace, studies={**trace.studies, study: answer["arrays"]})
        else:
            self._traces[recipe] = answer["trace"]
        self._go_on()

    def _failed(self, number: int, sentence: str) -> None:
        if number in self._asked:
            self._in_vain.add(self._asked.pop(number)[2])
            self._go_on()

    def _finish(self, key: Key, card: StartCard) -> None:
        """Draw it, keep it, say that it is there."""
        self._wanted.pop(key, None)
        image = self._draw(card, QSize(*key[2]), key[3])
        if image is None:
            self._in_vain.add(key)
            return
        self._keep(key, image)
        with suppress(OSError):
            path = self._path(card, key)
            path.parent.mkdir(exist_ok=True)
            image.save(str(path))
            for old in sorted(path.parent.glob("*.png"), key=lambda each: each.stat().st_mtime_ns)[:-MOST_KEPT]:
                old.unlink(missing_ok=True)
        self.made.emit(card.name)

    def _keep(self, key: Key, image: QImage) -> None:
        """Have a picture at hand; those of a size that the window no longer has go first."""
        self._pictures[key] = image
        taken = sum(each.sizeInBytes() for each in self._pictures.values())
        while taken > MOST_BYTES and len(self._pictures) > 1:
            taken -= self._pictures.pop(next(iter(self._pictures))).sizeInBytes()

    def _draw(self, card: StartCard, size: QSize, beat: int) -> QImage | None:
        assert card.state is not None
        try:
            picture = whole(card.state, self._traces)
            if beat == 0:
                return small(picture, card.crop, size)
            if card.state not in self._cuts:
                self._cuts[card.state] = _inked(_cropped(picture, card.crop, size, 1.0))
            at = way(card.state, self._traces)[beat - 1]
            return _scaled(_cropped(whole(card.state, self._traces, at.address), card.crop, size, 1.0)
                           .copy(self._cuts[card.state]), size)
        except Exception:  # a view that fails here says so on the stage, where it can be mended
            return None

    def _path(self, card: StartCard, key: Key) -> Path:
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


def whole(state: State, traces: dict[Recipe, Trace], at: str = "") -> Picture:
    """What the stage would show of a place, as a whole and not through the lens; at another address than its own."""
    theme = style.theme_name()
    state = start.entered(changed(State(), look=replace(State().look, size=DRAWN, theme=theme)), state)
    state = replace(state, places=tuple(replace(place, look=replace(place.look, knobs=(*OVERVIEW, *place.look.knobs)))
                                        for place in state.places))
    if at:
        state = changed(state, at=at)
    found = [_recorded(state, number, traces) for number in range(len(state.places))]
    if state.compare:
        readers = comparison.readers_of(state, [sight.own(each) for each in found], {})
        return comparison.seen(readers, state.active, comparison.moment_of(readers, state),
                               replace(state.look, size=DRAWN), state.compare)
    return sight.beside(found, state.places, state.active, DRAWN) if len(found) > 1 else \
        sight.seen(found[0], state, size=DRAWN)


def _recorded(state: State, number: int, traces: dict[Recipe, Trace]) -> Recorded:
    """What there is to be seen of one of its places."""
    place = state.places[number]
    several = tuple(traces[recipe] for recipe in start.recipes(replace(state, places=(place,), active=0)))
    return several if place.reel else several[0]


def way(state: State, traces: dict[Recipe, Trace]) -> tuple[Moment, ...]:
    """So many moments as a card has beats, on the way to the one that it shows; of the whole pass where too few come
    before, and within its own beat where one number is taken apart."""
    found = _recorded(state, state.active, traces)
    times, here = sight.times(found, state.place), sight.moment_of(found, state.place)
    if views.find(state.place.view).wants == NUMBER:
        return tuple(replace(here, phase=(step + 1) / BEATS) for step in range(BEATS))
    beats = [index for index, beat in enumerate(times.beats) if beat.direction == here.beat.direction]
    before = [index for index in beats if index <= here.index]
    return tuple(times.settled(index) for index in _spread(before if len(before) >= BEATS else beats))


def _spread(indices: Sequence[int]) -> Iterable[int]:
    """As many of them as a card has beats, evenly, the first and the last among them."""
    return (indices[round(step * (len(indices) - 1) / (BEATS - 1))] for step in range(BEATS))


def small(picture: Picture, crop: tuple[float, float, float, float], size: QSize) -> QImage:
    """What a crop has of a picture, in a small place: cut to what is drawn in it, scaled as a whole."""
    image = _cropped(picture, crop, size, FINEST)
    return _scaled(image.copy(_inked(image)), size)


def _cropped(picture: Picture, crop: tuple[float, float, float, float], size: QSize, fine: float) -> QImage:
    """A part of a picture, in so many pixels for each of its own, with the words that can be read in so small a
    place."""
    wide, high = picture.size
    left, top, right, bottom = crop
    cut = QRect(round(left * wide), round(top * high), round((right - left) * wide), round((bottom - top) * high))
    scale = min(size.width() / cut.width(), size.height() / cut.height())
    bare = replace(picture, still=_readable(picture.still, scale), moving=_readable(picture.moving, scale))
    return paint.render(bare, fine).copy(QRect(cut.topLeft() * fine, cut.size() * fine))


def _scaled(image: QImage, size: QSize) -> QImage:
    room = size * FINEST - QSize(MARGIN, MARGIN) * 2 * FINEST
    return image.scaled(room, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)


def _readable(marks: Iterable[Any], scale: float) -> tuple[Any, ...]:
    """Without words that come out too small, and without what tells the time and the colours."""
    return tuple(mark for mark in marks if mark.group not in ASIDE
                 and not (isinstance(mark, Text) and mark.size * scale < LEAST_LETTERS))


def _inked(image: QImage) -> QRect:
    """What of an image differs from its corner."""
    pixels = _pixels(image)
    drawn = pixels != pixels[0, 0]
    rows, columns = drawn.any(axis=1).nonzero()[0], drawn.any(axis=0).nonzero()[0]
    if not len(rows):
        return image.rect()
    return QRect(int(columns[0]), int(rows[0]), int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1)


def _pixels(image: QImage) -> NDArray[np.uint32]:
    """(row, column), each the colour in one number, without what its format leaves unused."""
    flat = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.bytesPerLine() // 4)
    return flat[:, :image.width()] & np.uint32(0x00FFFFFF)
