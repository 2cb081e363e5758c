"""The stage: the card that holds the picture. Looks, points, zooms, scrubs; everything it does is a change of State."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal  # noqa: TID251 spares frames, moves nothing
from PySide6.QtGui import (
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from visualizer import comparison, latent, paint, sight, views
from visualizer.comparison import Pointed, Reader, lanes
from visualizer.comparison.path import at_share
from visualizer.edits import PLANE
from visualizer.language import tr, translated
from visualizer.scene import state as does
from visualizer.scene.accuracy import strength_at
from visualizer.scene.outline import Branch
from visualizer.scene.passage import crossed, pace
from visualizer.scene.picture import (
    BEAT,
    GHOST,
    LANE,
    Choice,
    Focus,
    Image,
    Look,
    Opens,
    Picture,
    Rect,
    Run,
    Spot,
    Stop,
    Stops,
    Text,
    Toggles,
    ToInput,
    ToPoint,
)
from visualizer.scene.recipe import ModelRecipe, Recipe
from visualizer.scene.reel import STRIP, Crossing
from visualizer.scene.state import State, changed
from visualizer.scene.subject import CHANNEL, NUMBER, is_number, subject
from visualizer.scene.timeline import BACKWARD, FORWARD, Moment, Timeline, ease, uneased
from visualizer.sight import Recorded, Sight
from visualizer.trace import Trace
from visualizer.ui import faults, style, walking, words
from visualizer.ui.buttons import keeps, note_focus
from visualizer.ui.canvas import EMPTY, Canvas, places
from visualizer.ui.heard import announce, tell, tell_reached
from visualizer.ui.levels import block_toggled, closed_block, is_closed, out
from visualizer.ui.store import Store
from visualizer.views.surgery import offers

if TYPE_CHECKING:
    from visualizer.ui.what_if import WhatIf

RADIUS = 10.0
LEAST = 740, 536
"""Pixels at a text scale of 1 in which every view can be laid out."""
LEVEL = 0.35
"""Seconds in which the level changes."""
GROWS = 100
"""Milliseconds: what only grows is drawn no more often; a frame that somebody asks for meanwhile shows it, too."""
SPARED = 8
"""So many times as long as it takes to draw, at least, until what grows is drawn again."""
DRAG = 4.0
"""A press that moves less than this is a click."""


Key = Qt.Key
ARROW_WAYS = {Key.Key_Left: (-1, 0), Key.Key_Right: (1, 0), Key.Key_Up: (0, -1), Key.Key_Down: (0, 1)}
"""(to the right, downwards) of each arrow key."""
ENTER = (Key.Key_Return, Key.Key_Enter)


Origin = tuple[object, Recipe | None, str]
"""The shapes of a recording, what made it, and the view that it is seen in."""


@dataclass(frozen=True, eq=False)
class Turn:
    """A change of level: the card of a number grows out of a tile, or shrinks back into it; without a tile one fades
    into the other."""

    around: QImage
    """The picture that the tile stands in."""
    number: QImage
    tile: QRectF | None
    inwards: bool
    share: float = 0.0


def draw_turn(painter: QPainter, turn: Turn, whole: QRectF) -> None:
    """One frame of a change of level."""
    grown = ease(turn.share if turn.inwards else 1 - turn.share)
    painter.drawImage(whole, turn.around)
    if turn.tile is None:
        painter.setOpacity(grown)
        painter.drawImage(whole, turn.number)
        painter.setOpacity(1.0)
        return
    tile = turn.tile
    card = QRectF(tile.x() + (whole.x() - tile.x()) * grown, tile.y() + (whole.y() - tile.y()) * grown,
                  tile.width() + (whole.width() - tile.width()) * grown,
                  tile.height() + (whole.height() - tile.height()) * grown)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.setOpacity(min(1.0, grown * 4))
    painter.drawImage(card, turn.number)
    painter.setOpacity(1.0)
    painter.setPen(QPen(style.color("accent"), 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(card)


class Stage(Canvas):
    """Shows the view of the State. The picture is made anew only when trace, moment, focus or look have changed."""

    deeper = Signal()
    """Double click or Enter: one level in."""
    widest = 1 << 20
    """Pixels: the narrowest stage of all larger windows."""
    part, spot = -1, 0
    """Where the keyboard walks within the picture: which part, which cell of it; −1: on the picture as a whole."""

    def __init__(self, store: Store, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.store = store
        self.veiled = False
        """Another recording is on its way: the old picture stays, veiled."""
        self._pixel: Pointed | None = None
        """While networks are compared: what is under the pointer, to be found in all of them."""
        self._drawn: tuple[Any, ...] | None = None
        self._input: Origin | None = None
        self._parts: tuple[Picture, tuple[walking.Walked, ...]] = EMPTY, ()
        self._turn: Turn | None = None
        """While the level changes: both pictures, and how far it has come."""
        self._crossing: Crossing | None = None
        """While one goes from one input to the next: both pictures."""
        self._between: dict[str, float] = {}
        """Knobs on their way from one number to another, and how far they have come."""
        self.opened_in: Callable[[], str] = str
        """The view in which the number was chosen that the microscope takes apart."""
        self._kept: tuple[Focus | None, Focus] | None = None
        """While the pointer tries out places: the focus that was chosen, and the one that is tried."""
        self._press: QPointF | None = None
        self._pressed: tuple[QPointF, Focus | None] | None = None
        self._on_block = ""
        """The closed block on which was pressed."""
        """Where the last press was and what lay there: its click may lay the picture out anew before a second one."""
        self._dragging = ""
        self._knob = ""
        """Which one is turned while the mouse drags along its choices."""
        self.bar: WhatIf | None = None
        """Where it is shown, a drag on the input moves it."""
        self._dragged_from = "", 1.0, 1.0
        """While the input is dragged: how it was done at the press, and the size of its pixels in the picture."""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr("Stage"))
        self.hovered.connect(self.light)
        self.hovered.connect(self.point)
        store.changed.connect(self._changed)
        store.trace_changed.connect(self.refresh)
        store.beside_changed.connect(self.refresh)
        self._grows = QTimer(self)
        self._grows.setSingleShot(True)
        self._grows.setInterval(GROWS)
        self._grows.timeout.connect(self.refresh)
        store.study_grew.connect(lambda beats: None if self._grows.isActive() else self._grows.start())

    # --- the picture ---

    def refresh(self) -> None:
        """Make the picture anew if anything that it shows has changed."""
        store = self.store
        found, trace, seen = store.recorded, store.near, store.sight
        if found is None or trace is None or seen is None or not self.isVisible():
            self._drawn = None
            self.show_picture(EMPTY)
            return
        knobs, view = dict(seen.look.knobs), seen.view
        knobs |= {name: f"{number:.4g}" for name, number in self._between.items() if name in view.glides}
        if self.veiled and store.waiting and FAINT in dict(view.knobs):
            knobs[FAINT] = "faint"
        seen = replace(seen, look=replace(seen.look, size=self.room(), knobs=tuple(knobs.items())))
        state, several, readers = store.state, store.beside, store.readers
        if readers:
            self._show_comparison(readers, seen.moment)
            return
        self._pixel = None
        whole = several or (() if isinstance(found, Trace) else (found,))
        others = (*(id(trace) for recorded in whole for trace in each(recorded)), state.places, state.active) \
            if whole else ()
        if self._drawn != (id(trace), seen, others):
            began = time.monotonic()  # noqa: TID251 shows nothing: it spares frames
            before, was, from_input = self.standing, self._drawn, self._input
            self._drawn, self._input = (id(trace), seen, others), (trace.shapes, store.shown, state.view)
            self.show_picture(joined(whole, state, seen.look.size) if whole else drawn(trace, seen))
            self.setAccessibleName(tr("Stage: {view}").format(view=view.title))
            taken = time.monotonic() - began  # noqa: TID251 as above
            self._grows.setInterval(max(GROWS, round(1000 * SPARED * taken)))
            if self._grows.isActive():
                self._grows.start()  # what has grown is seen already
            self._turn, crossing = None, self._crossing
            self._crossing = None
            if crossing is not None and from_input == self._input and was is not None and was[1] == seen:
                self._crossing = replace(crossing, other=self.picture)  # the same, with more known of it
            elif before.size == self.picture.size and is_another_input(from_input, self._input):
                self._cross(before, from_input)
            if was is not None and was[0] == id(trace) and not whole and was[1].view.wants != view.wants:
                self._change_level(before, inwards=view.wants == NUMBER)

    def room(self) -> tuple[int, int]:
        """The size that a picture is drawn in: that of the stage; larger, and moved, where words are so large that not
        every view could be laid out in it."""
        scale = self.store.state.look.text_scale
        least = (round(length * scale) for length in LEAST) if scale > 1 else (0, 0)
        wide, high = map(max, (self.width(), self.height()), least)
        return wide, high

    def show_picture(self, picture: Picture) -> None:
        """Another one; the keyboard stays within its parts."""
        self.picture = picture
        self._stay_within_parts()
        super().show_picture(picture)

    def _show_comparison(self, readers: tuple[Reader, ...], moment: Moment) -> None:
        """Several networks as one picture."""
        state, look = self.store.state, replace(self.store.state.look, size=self.room())
        wanted = readers, moment, look, state.active, state.compare, state.alone, state.focus, self._pixel
        if self._drawn != wanted:
            self._drawn, self._input, self._turn, self._crossing = wanted, None, None, None
            self.show_picture(compared(readers, state, look, moment, self._pixel))
            self.setAccessibleName(tr("Stage: {view}").format(view=tr("Compare")))

    @property
    def standing(self) -> Picture:
        """What is shown, or will be when all that moves has come to its end."""
        return self.picture if self._crossing is None else self._crossing.other

    def _cross(self, before: Picture, from_input: Origin | None) -> None:
        """From the picture of one input to that of the next: every value goes over."""
        seconds = pace(self.store.state.sample)[0]
        if self.glide is None or from_input is None or before is EMPTY or not self.isVisible() or not seconds:
            return
        assert self._input is not None
        self._crossing = Crossing(before, self.picture, from_input[0] == self._input[0])
        speed = self.store.state.speed if self.store.state.stepping else 1.0
        self.glide((self, "input"), float(seconds) / speed, self._show_crossing, False)

    def _show_crossing(self, share: float) -> None:
        if self._crossing is None:
            return
        if share == 1:
            whole, self._crossing = self._crossing.other, None
            self.show_picture(whole)
        else:
            self.show_picture(crossed(self._crossing, share))

    def _glide_knobs(self, old: State, new: State) -> None:
        """A knob that is a number goes over to its new one, from wherever it stands now."""
        trace = self.store.trace
        if trace is None or self.glide is None or not self.isVisible():
            return
        view = sight.suiting(new.view, trace)
        for name in view.glides:
            start, end = (float(dict(sight.own_knobs(view, state.look)).get(name, dict(view.knobs)[name][0]))
                          for state in (old, new))
            if start != end and old.view == new.view:
                self._glide_knob(name, self._between.get(name, start), end)

    def _glide_knob(self, name: str, start: float, end: float) -> None:
        def show(share: float) -> None:
            self._between[name] = start + (end - start) * ease(share)
            if share == 1:
                del self._between[name]
            self.refresh()

        assert self.glide is not None
        self.glide((self, name), LEVEL, show)

    def _change_level(self, before: Picture, inwards: bool) -> None:
        """Between the network and one number: the card of the number grows out of the tile that it stands in."""
        trace, moment = self.store.trace, self.store.moment
        if self.glide is None or not self.isVisible() or self.zoom != 1 or before.size != self.picture.size \
                or trace is None or moment is None:
            return
        still = self.store.state.look.reduced_motion
        around, number = (before, self.picture) if inwards else (self.picture, before)
        about = subject(trace, moment, self.store.state.focus, NUMBER if inwards else CHANNEL)
        tile = tile_of(around, about)
        if tile is None and not still:
            return
        scale = self.devicePixelRatioF()
        self._turn = Turn(paint.render(around, scale), paint.render(number, scale), None if still else tile, inwards)
        self.glide((self, "level"), LEVEL, self._show_turn, not still)

    def _show_turn(self, share: float) -> None:
        if self._turn is not None:
            self._turn = replace(self._turn, share=share) if share < 1 else None
            self.update()

    def heard_value(self) -> str:
        """Where one stands, in words: the cell that the keyboard has reached, or the beat and what it is about."""
        trace, seen, moment = self.store.near, self.store.sight, self.store.moment
        if trace is None or seen is None or moment is None:
            return ""
        if self.part >= 0:
            return walking.spoken(trace, self.parts()[self.part], self.spot, seen.moment.backward)
        return ", ".join((words.beat(moment.index + 1, len(self.store.timeline.beats)),
                          words.place(trace, seen.subject)))

    def number_of(self, spot: Spot) -> float | None:
        trace, seen = self.store.near, self.store.sight
        if trace is None or seen is None or self.store.between:
            return None
        moment = seen.moment
        if readers := self.store.readers:
            index = self._network_at(*spot.place[:2])
            if index is not None:
                trace, moment = readers[index].trace, self.store.moments[index]
        return words.number(trace, moment, replace(spot, focus=sound(trace, spot.focus)))

    def heard_chosen(self, part: Branch) -> bool:
        """Whether it is what one looks at."""
        return part.spot is not None and part.spot.focus == self.store.state.focus

    def heard_reached(self) -> tuple[float, float] | None:
        """The cell that the keyboard has walked to; in a view of many what one looks at."""
        if self.part >= 0:
            left, top, wide, high = self.parts()[self.part].spots[self.spot].place
            return left + wide / 2, top + high / 2
        chosen = self.store.state.focus
        found = places(self.standing, chosen) if chosen is not None and self._about() is None else []
        return None if not found else (found[0].center().x(), found[0].center().y())

    def heard_reach(self, part: Branch) -> None:
        """Walk there, where the keyboard walks."""
        super().heard_reach(part)
        for number, walked in enumerate(self.parts()):
            for spot, found in enumerate(walked.spots):
                if part.spot is not None and (found.focus, found.place) == (part.spot.focus, part.spot.place):
                    self._walk_to(number, spot)

    def describe(self, spot: Spot) -> str:
        """The tooltip of what lies under the pointer; nothing was computed between two recordings of a reel."""
        trace, seen = self.store.near, self.store.sight
        if trace is None or seen is None or self.store.between or self._crossing is not None:
            return ""
        if spot.focus.array == BEAT:
            return words.beat_tip(trace, spot.focus.layer, seen.moment.backward)
        moment = seen.moment
        if readers := self.store.readers:
            index = self._network_at(*spot.place[:2])
            if index is not None:
                trace, moment = readers[index].trace, self.store.moments[index]
            if spot.focus.layer not in trace:
                return ""
        spot = replace(spot, focus=sound(trace, spot.focus))
        usual = words.waiting(trace, moment, spot.focus) or walking.spot_tip(trace, spot, moment.backward)
        own = "" if seen.view.tip is None or readers else seen.view.tip(trace, moment, spot.focus, seen.look)
        return f"{usual}\n{own}" if own else usual

    def focus_at(self, point: QPointF) -> Focus | None:
        """What lies under a point, as far as its layer has such a cell."""
        found, trace = super().focus_at(point), self.store.trace
        return found if found is None or trace is None else sound(trace, found)

    def place_at(self, point: QPointF) -> int | None:
        """Which of several places lies under a point."""
        several, (x, y) = self.store.beside, self.to_picture(point)
        if self.store.readers:
            return self._network_at(x, y)
        scale = self.store.state.look.text_scale
        boxes = sight.within(len(several), self.picture.size, scale) if several else ()
        return next((index for index, (left, top, wide, high) in enumerate(boxes)
                     if left <= x < left + wide and top <= y < top + high), None)

    def _on_curves(self, point: QPointF) -> bool:
        """Whether it lies on the curves of a comparison: it is then done that strongly which the curves grow by."""
        state, readers = self.store.state, self.store.readers
        curves = [reader.curve for reader in readers if reader.curve is not None]
        placed = comparison.layout(readers, replace(state.look, size=self.picture.size), state.alone).curves \
            if curves else None
        x, y = (at / state.look.text_scale for at in self.to_picture(point))
        if placed is None or self.bar is None or not self.bar.chosen \
                or not placed.left <= x <= placed.right or not placed.top <= y <= placed.bottom:
            return False
        strength = strength_at(curves, (placed.left, placed.top + 8, placed.width, placed.height - 8), x)
        if strength != abs(self.bar.strength):
            self.bar.set_strength(strength)
        return True

    def _network_at(self, x: float, y: float) -> int | None:
        """Which of the networks that are compared stands at a point of the picture: in its column, or with its line."""
        state, readers = self.store.state, self.store.readers
        scale, look = state.look.text_scale, replace(state.look, size=self.picture.size)
        placed = comparison.layout(readers, look, state.alone)
        return next((place.index for place in placed.places if place.index >= 0
                     and place.box.left <= x / scale < place.box.right
                     and place.box.top <= y / scale < place.box.bottom), None)

    def alike(self, focus: Focus) -> tuple[Focus, ...]:
        return (focus,) if self.store.trace is None else walking.same_numbers(self.store.trace, focus)

    def _changed(self, old: State, new: State) -> None:
        if self._kept is not None and new.focus != self._kept[1]:
            self._kept = None
        self._glide_knobs(old, new)
        self.set_moving(new.playing or self._dragging in ("scrub", "reel"))
        if old.look.text_scale != new.look.text_scale:
            self._take_room()
        self.refresh()
        if old.look.text_scale != new.look.text_scale:
            self.keep_inside()
        if old.playing and not self.moves:
            tell(self)  # nothing was told as long as it played
        if old.focus != new.focus and self.part < 0 and self.hasFocus():
            tell_reached(self)
        if not new.playing and (old.at != new.at or old.view != new.view or old.focus != new.focus):
            self._announce()
        if old.view != new.view:
            self.reset_zoom()

    def _announce(self) -> None:
        """Say to a screen reader what is seen, or the cell that was reached."""
        announce(self, self.heard_value() if self.part >= 0 else self.picture.caption)

    # --- zoom ---

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom_by(1.25 ** (event.angleDelta().y() / 120), event.position())
        elif self.roams:
            self.corner += QPointF(event.angleDelta()) / 2
            self.keep_inside()
        else:
            event.ignore()
            return
        event.accept()

    # --- pointing ---

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self._press, self._pressed = event.position(), (event.position(), self.focus_at(event.position()))
        self._dragging = ""
        self._on_block = self._block_at(self._pressed[1])
        self.store.end_gesture()
        if event.button() == Qt.MouseButton.MiddleButton:
            self._dragging = "pan"
            return
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if self._on_curves(event.position()):
            self._dragging = "strength"
            return
        if (place := self.place_at(event.position())) not in (None, self.store.state.active):
            self.store.apply(lambda state: does.to_place(state, place or 0))
            self._press = None
            return
        pressed = self.picture.mark_at(*self.to_picture(event.position()))
        if self._on_strip(event.position()):
            self._dragging = "reel"
            self._scrub_reel(event.position())
        elif pressed is not None and isinstance(pressed[0].holds, Choice):
            self._dragging = "choice"
            self._choose(event.position(), pressed[0].holds.knob)
        elif pressed is not None and isinstance(pressed[0].holds, Opens):
            self._open(pressed[0].holds)
        elif pressed is not None and isinstance(pressed[0].holds, Toggles):
            self._toggle(pressed[0].holds, bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier), pressed[1])
        elif pressed is not None and isinstance(pressed[0].holds, ToPoint):
            self._dragging = "plane"
            self._to_point(event.position())
        elif pressed is not None and pressed[1].array == BEAT:
            leads = pressed[0].holds
            self._dragging = "input" if isinstance(leads, ToInput) else "scrub"
            if isinstance(leads, ToInput):
                self.store.apply(lambda state: does.still_at(state, leads.word))
            self._go_to_stop(leads)
            if self.store.readers:
                self._scrub_ways(self.to_picture(event.position())[0])

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if not event.buttons():
            super().mouseMoveEvent(event)
            self._point_at_pixel(event.position())
            self._look_ahead(event.position())
            self.setCursor(self._cursor_at(event.position()))
            return
        if self._press is None:
            return
        moved = event.position() - self._press
        if not self._dragging and moved.manhattanLength() > DRAG:
            self._dragging = self._drag_of(self._press)
        if self._dragging == "pan":
            self.corner += moved
            self._press = event.position()
            self.keep_inside()
        elif self._dragging == "reel":
            self._scrub_reel(event.position())
        elif self._dragging == "scrub":
            self._scrub(self.to_picture(event.position())[0], self.to_picture(self._press)[1])
        elif self._dragging == "strength":
            self._on_curves(event.position())
        elif self._dragging == "plane":
            self._to_point(event.position())
        elif self._dragging == "choice":
            self._choose(QPointF(event.position().x(), self._press.y()))
        elif self._dragging == "shift":
            self._drag_input(event.position())
        elif self._dragging == "mark":
            self._mark(self.focus_at(event.position()))

    def _point_at_pixel(self, point: QPointF) -> None:
        """While networks are compared: what is under the pointer is marked in all of them."""
        readers = self.store.readers
        if not readers:
            return
        found = self.focus_at(point)
        first = readers[self.store.state.active].trace.layers[0]
        index = self._network_at(*self.to_picture(point))
        pointed = None
        if found is None or found.array != "output" or not found.cell:
            pass
        elif index is None and found.layer == first.name and first.has("row", "column") \
                and len(found.cell) == first.output.ndim:
            pointed = Pointed(found.cell[-2:])
        elif index is not None and found.layer in readers[index].trace:
            pointed = Pointed(found.cell, index)
        if pointed != self._pixel:
            self._pixel = pointed
            self.refresh()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        press, self._press = self._press, None
        if event.button() == Qt.MouseButton.LeftButton and press is not None and not self._dragging:
            self._click(self.focus_at(event.position()))
        self._dragging = ""
        self.set_moving(self.store.state.playing)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """One level in; a number that lies under the mouse is the one that opens."""
        at, trace, before, self._press = event.position(), self.store.trace, self._pressed, None
        if self.store.readers:
            if event.button() == Qt.MouseButton.LeftButton and self.place_at(at) is not None:
                self.store.apply(lambda state: does.apart(state, "network"))
            return
        if self._on_block and event.button() == Qt.MouseButton.LeftButton:
            self._open_block(self._on_block)
            return
        near = before is not None and (before[0] - at).manhattanLength() <= QApplication.startDragDistance()
        focus = before[1] if near and before is not None else self.focus_at(at)
        if event.button() == Qt.MouseButton.LeftButton and focus is not None and focus.array != BEAT:
            if trace is not None and self._about() is None and focus.layer in trace and is_number(trace, focus):
                self._select(focus)
            self.deeper.emit()

    def _block_at(self, focus: Focus | None) -> str:
        """The closed block that a part of the picture is."""
        trace, moment = self.store.trace, self.store.moment
        if focus is None or trace is None or moment is None or focus.array == BEAT:
            return ""
        return closed_block(self.store.state, trace, moment, focus.layer)

    def _open_block(self, name: str) -> None:
        """Open a closed block, if the first click has not by going there."""
        trace, moment = self.store.trace, self.store.moment
        if trace is not None and moment is not None and is_closed(self.store.state, trace, moment, name):
            self.store.apply(lambda state: block_toggled(state, trace, moment, name))

    def _open(self, more: Opens) -> None:
        """Go to the view that shows more of what was clicked, if the recording has it."""
        trace = self.store.trace
        if trace is not None and any(view.name == more.view for view in sight.suited(trace)):
            self.store.apply(lambda state: does.changed(state, view=more.view))
            self._press = None

    def _toggle(self, wanted: Toggles, alone: bool, focus: Focus) -> None:
        """Do or take back the edit that lies there, and look at what it is done to."""
        word = wanted.only if alone and wanted.only else wanted.edit
        trace = self.store.trace
        self.store.apply(lambda state: offers.seen(changed(does.switched(state, word, wanted.instead),
                                                           focus=focus if focus.cell else state.focus), trace))
        self._press = None

    def _click(self, focus: Focus | None) -> None:
        """Select what lies there, one level down at a time; on nothing, go one level up."""
        trace = self.store.trace
        if trace is None:
            return
        if self.store.readers:
            if focus is not None and focus.layer in trace and focus.array != BEAT:
                self.store.update(focus=sound(trace, focus))
            return
        if focus is None:
            names, seen = tuple(view.name for view in sight.suited(trace)), self.store.sight
            self.store.apply(lambda state: state if seen is None else out(state, trace, seen, names, self.opened_in()))
        elif self._about() is not None:
            self.pick(focus)
        else:
            self._select(level_for(trace, self.store.state.focus, focus))

    def _select(self, focus: Focus) -> None:
        trace, times = self.store.trace, self.store.timeline
        assert trace is not None
        self.store.apply(lambda state: does.select(replace(state, playing=False), trace, times, focus))

    # --- pointing at places ---

    def point(self, focus: Focus | None) -> None:
        """The pointer or the keyboard has come to a cell of the microscope, here or beside the stage: another place of
        the layer that is looked at is tried out as long as it stays there; `pick` keeps it."""
        trace, about, state = self.store.trace, self._about(), self.store.state
        if trace is None or about is None or state.playing:
            return
        if focus is not None and walking.is_place(trace, about, focus):
            chosen = state.focus if self._kept is None else self._kept[0]
            if focus != state.focus:
                self.store.apply(lambda state: changed(state, focus=focus), undoable=False)
            self._kept = chosen, focus
        elif self._kept is not None:
            self._let_go()

    def pick(self, focus: Focus) -> None:
        """Look at that number: it becomes the subject of the microscope."""
        trace = self.store.trace
        if trace is None or not is_number(trace, focus):
            return
        if self._kept is not None:
            self._let_go()
        self._select(focus)

    def _let_go(self) -> None:
        """Back to the place that was chosen."""
        assert self._kept is not None
        chosen, self._kept = self._kept[0], None
        self.store.apply(lambda state: changed(state, focus=chosen), undoable=False)

    def _drag_of(self, press: QPointF) -> str:
        """What a drag that began there does: it scrubs the lane of the steps, moves the marked pixel of the selected
        tile, or the enlarged view."""
        selected, trace, start = self.store.state.focus, self.store.trace, self.focus_at(press)
        pressed = self.picture.mark_at(*self.to_picture(press))
        if pressed is not None and pressed[0].holds is not None and pressed[0].group == LANE:
            return "scrub"
        if start is not None and trace is not None and self._takes_hold(press, start, trace):
            return "shift"
        if start is not None and trace is not None and start.array == "output" and selected is not None \
                and start.layer == selected.layer and start.cell[:1] == selected.cell[:1] and len(start.cell) > 1:
            return "mark"
        return "pan" if self.roams else "nothing"

    def _takes_hold(self, press: QPointF, start: Focus, trace: Trace) -> bool:
        """Whether a drag from there moves the input: it lies on a picture that is fed in, and the bar is shown."""
        pressed = self.picture.mark_at(*self.to_picture(press))
        held = self.bar is not None and self.bar.isVisible() and self.bar.grain is not None \
            and self.bar.grain.has(PLANE) and not self.store.waiting
        if not held or pressed is None or not isinstance(pressed[0], Image) or start.layer not in trace \
                or not trace[start.layer].is_input or trace[start.layer].axes[-2:] != ("row", "column"):
            return False
        assert self.bar is not None
        wide, high = pressed[0].cell
        self._dragged_from = self.bar.dragged(), wide * pressed[0].pooled, high * pressed[0].pooled
        return True

    def _drag_input(self, point: QPointF) -> None:
        """The input as far from where it was as the pointer is from the press, in whole pixels of it."""
        if self.bar is None or self._press is None:
            return
        start, wide, high = self._dragged_from
        (x, y), (from_x, from_y) = self.to_picture(point), self.to_picture(self._press)
        self.bar.drag(start, round((x - from_x) / wide), round((y - from_y) / high))

    def _plane(self) -> Rect | None:
        """The plane of points in the picture, if there is one."""
        return next((mark for mark in self.picture.still if isinstance(mark, Rect)
                     and isinstance(mark.holds, ToPoint)), None)

    def _point_at(self, point: QPointF) -> tuple[float, ...]:
        """The point of which a picture is made at a place of the plane; nothing where there is no plane."""
        mark = self._plane()
        if mark is None or not isinstance(mark.holds, ToPoint):
            return ()
        x, y = self.to_picture(point)
        return mark.holds.at((x - mark.x) / mark.width, (y - mark.y) / mark.height)

    def _choose(self, point: QPointF, knob: str = "") -> None:
        """The choice that lies there; while one drags along a line of them, only another of the same knob."""
        self._knob = knob or self._knob
        found = self.picture.mark_at(*self.to_picture(point))
        chosen = None if found is None else found[0].holds if isinstance(found[0], Rect) else None
        if isinstance(chosen, Choice) and chosen.knob == self._knob:
            knob, word = chosen.knob, chosen.word
            self.store.apply(lambda state: does.turned(state, knob, word), gesture=knob)

    def _to_point(self, point: QPointF) -> None:
        """The picture of the point that lies there."""
        found = self._point_at(point)
        if found:
            word = latent.words_of([round(value, 2) for value in found])
            self._show_ghost("")
            self.store.apply(lambda state: does.still_at(state, word), gesture="point")

    def _look_ahead(self, point: QPointF) -> None:
        """While the pointer is over a plane of points, the picture that lies there is shown."""
        mark, (x, y) = self._plane(), self.to_picture(point)
        over_it = mark is not None and mark.x <= x < mark.x + mark.width and mark.y <= y < mark.y + mark.height
        word = ""
        if over_it and mark is not None and isinstance(mark.holds, ToPoint):
            found = self._point_at(point)
            word = ",".join(f"{found[axis]:.1f}" for axis in mark.holds.axes)
        self._show_ghost(word)

    def _show_ghost(self, word: str) -> None:
        if word != self.store.state.look.knob(GHOST, ""):
            self.store.apply(lambda state: does.turned(state, GHOST, word), undoable=False)

    def leaveEvent(self, event: QEvent) -> None:
        self._show_ghost("")
        super().leaveEvent(event)

    def _mark(self, focus: Focus | None) -> None:
        selected, trace = self.store.state.focus, self.store.trace
        if focus is None or selected is None or trace is None or focus.layer != selected.layer \
                or focus.cell[:1] != selected.cell[:1] or len(focus.cell) != trace[focus.layer].output.ndim:
            return
        self.store.apply(lambda state: changed(state, focus=focus), gesture="mark")

    def _cursor_at(self, point: QPointF) -> Qt.CursorShape:
        focus = self.focus_at(point)
        if focus is None:
            return Qt.CursorShape.OpenHandCursor if self.roams else Qt.CursorShape.ArrowCursor
        return Qt.CursorShape.PointingHandCursor

    # --- scrubbing the lanes ---

    def _go_to_stop(self, stop: object) -> None:
        if isinstance(stop, Stop):
            times = self.store.timeline
            target = (times.within or times).find(stop.address)
            self.store.apply(lambda state: does.go(replace(state, playing=False), target), gesture="scrub")

    def _scrub(self, x: float, y: float) -> None:
        """The moment at which the cursor of the lane at y stands at x; it travels from one beat to the next."""
        seen, times = self.store.sight, self.store.timeline
        if seen is None:
            return
        if self.store.readers:
            self._scrub_ways(x)
            return
        target = moment_at(self.picture, times.within or times, seen.moment, x, y)
        if target is not None:
            self.store.apply(lambda state: does.go(replace(state, playing=False), target), gesture="scrub")

    def _scrub_ways(self, x: float) -> None:
        """All networks to the share of their way that stands at x."""
        state, readers = self.store.state, self.store.readers
        placed = comparison.layout(readers, replace(state.look, size=self.picture.size), state.alone)
        backward = self.store.moments[state.active].backward
        share = lanes.share_at(placed, x / state.look.text_scale, backward)
        target = at_share(readers[state.active].trace, BACKWARD if backward else FORWARD, share)
        self.store.apply(lambda state: does.go(replace(state, playing=False), target), gesture="scrub")

    def _on_strip(self, point: QPointF) -> bool:
        """Whether it lies on the strip of a reel below the picture."""
        return isinstance(self.store.recorded, tuple) and not self.store.beside \
            and self.to_picture(point)[1] > self.picture.size[1] - STRIP * self.store.state.look.text_scale

    def _scrub_reel(self, point: QPointF) -> None:
        """The moment of the reel that lies there."""
        found, scale = self.store.recorded, self.store.state.look.text_scale
        if isinstance(found, tuple):
            reel = sight.reel(found, self.store.state)
            target = reel.at(self.to_picture(point)[0] / scale, self.picture.size[0] / scale)
            self.store.apply(lambda state: does.go(replace(state, playing=False), target), gesture="scrub")

    # --- walking by keys ---

    def parts(self) -> tuple[walking.Walked, ...]:
        """What Tab reaches within the picture: the parts of the microscope."""
        about = self._about()
        if about is None:
            return ()
        if self._parts[0] is not self.picture:
            self._parts = self.picture, walking.parts(self.picture)
        return self._parts[1]

    def _about(self) -> Focus | None:
        """The one number that the view takes apart; None in a view of many."""
        seen = self.store.sight
        return seen.subject if seen is not None and seen.view.wants == NUMBER else None

    def leave_parts(self) -> bool:
        """From a part back to the picture as a whole; False if one was there already."""
        if self.part < 0:
            return False
        self._walk_to(-1, 0)
        return True

    def focusNextPrevChild(self, forwards: bool) -> bool:
        """Tab goes from part to part, and out of the stage after the last one."""
        part = self.part + (1 if forwards else -1)
        if -1 <= part < len(self.parts()):
            self._enter_part(part)
            return True
        self._walk_to(-1, 0)
        return super().focusNextPrevChild(forwards)

    def _enter_part(self, part: int) -> None:
        """Begin at the number that is looked at if it stands there, else at the first cell."""
        about, spot = self._about(), 0
        if part >= 0 and about is not None:
            spot = next((number for number, found in enumerate(self.parts()[part].spots) if found.focus == about), 0)
        self._walk_to(part, spot)

    def _walk_to(self, part: int, spot: int) -> None:
        self.part, self.spot = part, spot
        focus = self.parts()[part].spots[spot].focus if part >= 0 else None
        self.hovered.emit(focus)
        self.update()
        if part >= 0:
            for place in (self.parts()[part].place, self.parts()[part].spots[spot].place):
                self.bring_into_view(QRectF(*place))
            tell_reached(self)

    def _stay_within_parts(self) -> None:
        """Another picture has other parts."""
        if self.part < 0:
            return
        found = self.parts()
        self.part = min(self.part, len(found) - 1)
        self.spot = min(self.spot, len(found[self.part].spots) - 1) if found else 0

    def _walk_by_key(self, key: Qt.Key) -> None:
        """An arrow goes to the next cell, Enter opens the cell: it becomes the subject."""
        part = self.parts()[self.part]
        if key in ARROW_WAYS:
            self._walk_to(self.part, walking.beside(part, self.spot, *ARROW_WAYS[key]))
        else:
            self.pick(part.spots[self.spot].focus)

    def _draw_parts(self, painter: QPainter) -> None:
        """The ring around the part that has the keyboard, and around its cell."""
        found = self.parts() if self.part >= 0 else ()
        if found:
            part = found[self.part]
            with paint.saved(painter):
                self.outline(painter, QRectF(*part.place), 7, 2)
                self.outline(painter, QRectF(*part.spots[self.spot].place), 2, 2.5)

    # --- keys and frame ---

    def event(self, event: QEvent) -> bool:
        """Arrows and Enter belong to the part that has the keyboard."""
        with_shift = isinstance(event, QKeyEvent) and event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        return (self.part >= 0 and not with_shift and keeps(event, (*ARROW_WAYS, *ENTER))) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Plus, minus and nought zoom; arrows and Enter walk in a part; every other key is a command of the window."""
        key = Qt.Key(event.key())
        if self.part >= 0 and (key in ARROW_WAYS or key in ENTER):
            self._walk_by_key(key)
        elif event.key() in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_by(1.25)
        elif event.key() == Qt.Key.Key_Minus:
            self.zoom_by(0.8)
        elif event.key() == Qt.Key.Key_0:
            self.reset_zoom()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)
        if event.reason() == Qt.FocusReason.BacktabFocusReason and self.parts():
            self._enter_part(len(self.parts()) - 1)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        if event.reason() != Qt.FocusReason.ActiveWindowFocusReason:
            self.leave_parts()

    def showEvent(self, event: QShowEvent) -> None:
        self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._take_room()
        self.refresh()
        self.keep_inside()

    def _take_room(self) -> None:
        """What is drawn from now on has the size that there is room for."""
        size = self.room()
        look = {"size": size, "widest": self.widest if self.widest < size[0] else 0}
        self.store.apply(lambda state: changed(state, look=replace(state.look, **look)), undoable=False)

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            if self.picture is EMPTY:
                painter.fillRect(self.rect(), style.color("stage"))
            elif self._turn is not None:
                draw_turn(painter, self._turn, QRectF(self.rect()))
            else:
                self.draw(painter)
                self._draw_parts(painter)
            if self.veiled:
                self._veil(painter, pale=not self.picture_is_faint())
            self._frame(painter)

    def picture_is_faint(self) -> bool:
        """Whether the view itself shows that what it draws is about to be replaced."""
        trace = self.store.trace
        return trace is not None and FAINT in dict(sight.suiting(self.store.state.view, trace).knobs)

    def _veil(self, painter: QPainter, pale: bool) -> None:
        if pale:
            veil = style.color("stage")
            veil.setAlphaF(0.4)
            painter.fillRect(self.rect(), veil)
        painter.fillRect(QRectF(0, 0, self.width(), 2), style.color("accent"))

    def _frame(self, painter: QPainter) -> None:
        """Round the card's corners, and draw its hairline."""
        whole = QRectF(self.rect())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(corners(self.width(), self.height()), style.color("window"))
        painter.setPen(QPen(style.color("hair"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(whole.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS - 0.5, RADIUS - 0.5)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self.update()


# --- pure helpers ---------------------------------------------------------------------------------------------------

def is_another_input(one: Origin | None, other: Origin | None) -> bool:
    """Whether both are one network, done the same to, seen in one view, over two inputs."""
    if one is None or other is None or one[2] != other[2] or one[1] == other[1]:
        return False
    return isinstance(one[1], ModelRecipe) and isinstance(other[1], ModelRecipe) \
        and replace(one[1], inputs=other[1].inputs) == other[1]


def sound(trace: Trace, focus: Focus) -> Focus:
    """The focus, or as much of it as its layer has axes: tiles may be drawn with more, a step as a column of units."""
    if focus.layer not in trace or focus.array not in ("output", BEAT) \
            or len(focus.cell) <= trace[focus.layer].output.ndim:
        return focus
    return replace(focus, cell=focus.cell[:1])


def tile_of(picture: Picture, about: Focus) -> QRectF | None:
    """Where a picture shows the channel of a number, or the number itself, or its layer's first mark."""
    for focus in (Focus(about.layer, about.cell[:1]), about):
        found = places(picture, focus) if about.cell else []
        if found:
            return found[0]
    mark = next((mark for mark in picture if isinstance(mark, Image) and mark.focus is not None
                 and mark.focus.layer == about.layer), None)
    return None if mark is None else QRectF(mark.x, mark.y, *mark.tile_size)


@lru_cache(maxsize=4)
def corners(width: int, height: int) -> QPainterPath:
    """What of a rectangle lies outside its rounded corners."""
    outside, card = QPainterPath(), QPainterPath()
    outside.addRect(0, 0, width, height)
    card.addRoundedRect(QRectF(0, 0, width, height), RADIUS, RADIUS)
    return outside.subtracted(card)


def drawn(trace: Trace, seen: Sight) -> Picture:
    """What is seen; where the view fails, one sentence in its place: Qt ends the app if a paint raises."""
    return _or_said(lambda: sight.picture(trace, seen), translated(seen.view.title), seen.look.size, seen.look.theme)


def joined(found: Sequence[Recorded], state: State, size: tuple[int, int], moment: Moment | None = None,
           look: Callable[[Look], Look] = lambda look: look) -> Picture:
    """All places of the State beside each other, or its reel; at another `moment` than its own."""
    return _or_said(lambda: sight.beside(found, state.places, state.active, size, moment, look) if len(found) > 1 else
                    sight.seen(found[0], state, moment, size, look),
                    translated(views.find(state.view).title), size, state.look.theme)


def compared(readers: tuple[Reader, ...], state: State, look: Look, moment: Moment,
             pixel: Pointed | None = None) -> Picture:
    """The networks that a State compares, at a moment of the active one."""
    def draw() -> Picture:
        return comparison.seen(readers, state.active, moment, look, state.compare, state.alone, state.focus, pixel)

    return _or_said(draw, tr("Compare"), look.size, look.theme)


def each(found: Recorded) -> tuple[Trace, ...]:
    """The recordings that are seen from a place."""
    return (found,) if isinstance(found, Trace) else found


def _or_said(draw: Callable[[], Picture], view: str, size: tuple[int, int], theme: str) -> Picture:
    try:
        return draw()
    except Exception:
        sys.excepthook(*sys.exc_info())
        said = tr("{view} cannot draw this recording; choose another view, or another input.").format(view=view)
        return Picture(size, (Text(24, 40, (Run(said),), 15, 500, max_width=size[0] - 48),), theme=theme, caption=said)


FAINT = "curves"
"""The knob of views that draw what is about to be replaced faintly by themselves."""


def level_for(trace: Trace, selected: Focus | None, hit: Focus) -> Focus:
    """What a click on `hit` selects: first the channel, and a pixel only in a channel that is selected already."""
    if hit.array != "output" or hit.layer not in trace:
        return hit
    axes = trace[hit.layer].axes
    if len(hit.cell) < 3 or axes[-2:] != ("row", "column"):
        return hit
    channel = replace(hit, cell=hit.cell[:-2])
    inside = selected is not None and selected.layer == hit.layer and selected.cell[:len(channel.cell)] == channel.cell
    return hit if inside else channel


def moment_at(picture: Picture, times: Timeline, moment: Moment, x: float, y: float) -> Moment | None:
    """The moment at which the cursor of the lanes stands at `x`, in the direction of `moment`.

    Of two lines, one of beats and one of steps, that at `y` is meant, or the nearer one. Between two stops the cursor
    comes, eased, from the one before, or stands at the nearer one.
    """
    places = [(max(top - y, y - bottom, 0.0), at, target, glides)
              for at, (top, bottom), target, glides in _stops(picture, times)]
    nearest = min((away for away, _, _, _ in places), default=0.0)
    reached = sorted(((at, target, glides) for away, at, target, glides in places if away == nearest),
                     key=lambda stop: stop[0], reverse=moment.backward)
    if not reached:
        return None
    ahead = next((index for index, (at, _, _) in enumerate(reached) if (at <= x if moment.backward else at >= x)), None)
    if ahead is None or ahead == 0:
        return reached[-1 if ahead is None else 0][1]
    (start, before, _), (end, target, glides) = reached[ahead - 1], reached[ahead]
    share = (x - start) / (end - start)
    if not glides:
        return target if share >= 0.5 else before
    return replace(target, phase=uneased(share)) if share < 1 else target


def _stops(picture: Picture, times: Timeline) -> Iterator[tuple[float, tuple[float, float], Moment, bool]]:
    """(x, top and bottom, moment, whether the cursor glides there) of every place on the lanes of a picture."""
    for mark in picture:
        if isinstance(mark, Rect) and isinstance(mark.holds, Stop):
            target = times.find(mark.holds.address)
            yield mark.x + mark.width / 2, (mark.y, mark.y + mark.height), target, mark.holds.glides
        elif isinstance(mark, Image) and isinstance(mark.holds, Stops):
            for tile, address in enumerate(mark.holds.addresses):
                (left, top), (wide, high) = mark.tile_origin(tile), mark.tile_size
                yield left + wide / 2, (top, top + high), times.find(address), mark.holds.glides
