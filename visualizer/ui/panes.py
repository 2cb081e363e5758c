"""Panes: top bar, rail, stage, inspector and transport, where each stands, and what one tells the others."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from visualizer import sight, views
from visualizer.language import english, tr
from visualizer.scene import state as does
from visualizer.scene.picture import Focus
from visualizer.scene.state import State
from visualizer.scene.subject import NUMBER
from visualizer.ui import style, words
from visualizer.ui.canvas import EMPTY
from visualizer.ui.empty import Empty
from visualizer.ui.inspector import Inspector
from visualizer.ui.levels import standing, to_level
from visualizer.ui.message import Message
from visualizer.ui.rail import Rail
from visualizer.ui.shell import COMPACT_BELOW, INSPECTOR, NARROW, NARROW_BELOW, TOP, WIDE
from visualizer.ui.stage import Stage
from visualizer.ui.store import Store
from visualizer.ui.topbar import TopBar
from visualizer.ui.transport import Transport
from visualizer.ui.tuning import Tuning
from visualizer.views import View

if TYPE_CHECKING:
    from visualizer.engine.client import Engine
    from visualizer.ui.counting import Counting, CurvePane
    from visualizer.ui.lessonline import LessonLine
    from visualizer.ui.lessonpanel import LessonPanel, QuestionBar
    from visualizer.ui.lessonwriting import LessonWriting, WritingPanel
    from visualizer.ui.start import Start
    from visualizer.ui.teaching import Teaching
    from visualizer.ui.what_if import WhatIf

BAR, CURVES = 48, 204
"""Heights of the bar of what is done to the input, and of the curves under the stage."""
ROW = 14
"""Pixels: middles of what stands in one row are no further apart than that."""
WRITER = 320
"""Pixels: width of what a lesson is written on."""
LEAST_WIDE = 896
"""Pixels: no stage is narrower; beside the words of a lesson the inspector gives way, then these lie over it."""
LEAST_STAGE = 480
"""Pixels: where the curves would leave the stage less, they come only when they are asked for."""
LEAST_TAUGHT = 320
"""Pixels: where the line of a lesson's steps would leave the stage less, it is not seen."""


COMPARE = View("compare", english("Compare"), english("Several networks on one input, in step."),
               lambda trace: True, lambda trace, moment, focus, look: EMPTY, order=40, group=views.WHOLE,
               tries=english("Press play; click a network to stand in it, a pixel to find it in all of them."))
"""What the tab says that shows several places as one comparison: no view, and not found among them."""


class Panes(QWidget):
    """The frame of 1600 x 900, and what gives way in narrower windows."""

    placed = Signal()
    """Whatever stands over the panes may have to move."""

    def __init__(self, store: Store, run: Callable[[str], None], parent: QWidget) -> None:
        """`run` does the command of a name."""
        super().__init__(parent)
        self.store = store
        self.top = TopBar(run, self)
        self.rail = Rail(store, self)
        self.message = Message(self)
        self.stage = Stage(store, self)
        self.inspector = Inspector(store, self)
        self.inspector.badge.opened.connect(lambda: run("checked"))
        self.transport = Transport(store, run, self)
        self.transport.steps = lambda: self.stage.picture.steps
        self.transport.stretch = lambda: self.stage.picture.stretch
        self.empty = Empty(run, self)
        self._order: list[QWidget] = []
        """In which Tab goes."""
        self.drawer_open = False
        """In a narrow window: the inspector lies over the stage."""
        self.starting = False
        """Whether the start screen lies in the place of everything but the top bar."""
        self.engine: Engine | None = None
        self.bar_open: bool | None = None
        """Whether the bar of what is done to the input is shown; None: while something is done to it."""
        self.curves_open: bool | None = None
        """The same of the curves under the stage; None: while there is room."""
        self._path_shown: tuple[object, ...] = ()
        self.teaching: Teaching | None = None
        """The lesson that is open, once there was one."""
        self.lesson: LessonPanel | None = None
        self.question: QuestionBar | None = None
        self.line: LessonLine | None = None
        self.writer: WritingPanel | None = None
        """On which a lesson is written, once one is."""
        self._run = run
        self._connect(run)

    @cached_property
    def start(self) -> Start:
        """The start screen; it comes when it is asked for."""
        from visualizer.ui.start import Start

        made = Start(self._run, self)
        made.hide()
        self.top.field.textEdited.connect(made.search)
        self.top.field.left.connect(self._leave_field)
        return made

    @cached_property
    def bar(self) -> WhatIf:
        """The bar of what is done to the input; it comes when it is asked for."""
        from visualizer.ui.what_if import WhatIf

        made = WhatIf(self.store, self)
        made.said.connect(self.say)
        made.closed.connect(self.toggle_bar)
        made.used.connect(self._keep_bar)
        made.curves_wanted.connect(self.toggle_curves)
        made.hide()
        self.stage.bar = made
        return made

    @cached_property
    def counting(self) -> Counting:
        """What has right answers counted."""
        from visualizer.ui.counting import Counting

        made = Counting(self.store, self.bar, self)
        if self.engine is not None:
            made.attach(self.engine)
        return made

    def teach(self, teaching: Teaching) -> None:
        """From now on there are lessons: their words beside the stage, their questions over it."""
        from visualizer.ui.lessonline import LessonLine
        from visualizer.ui.lessonpanel import LessonPanel, QuestionBar

        self.teaching = teaching
        self.lesson, self.question = LessonPanel(teaching, self._run, self), QuestionBar(teaching, self)
        self.line = LessonLine(teaching, self)
        self.lesson.folded_changed.connect(self.place)
        teaching.changed.connect(self._taught)
        self._taught()

    def write(self, writing: LessonWriting) -> None:
        """From now on lessons are written: the step that is edited stands beside the stage."""
        from visualizer.ui.lessonwriting import WritingPanel

        self.writer = WritingPanel(writing, self._run, self)
        writing.changed.connect(self.place)

    @property
    def writes(self) -> bool:
        """Whether a lesson is written, and seen: not while it is tried."""
        return self.writer is not None and self.writer.writer.on and not self.taught and not self.starting

    def _taught(self) -> None:
        self._path_shown = ()
        self.show_path()
        self.place()

    @property
    def taught(self) -> bool:
        """Whether a lesson is open, and seen."""
        return self.teaching is not None and self.teaching.on and not self.starting

    def leaves(self, *what: str) -> bool:
        """Whether any of that can be changed now: a step of a lesson leaves some to whoever learns."""
        return self.teaching is None or any(map(self.teaching.leaves, what))

    def attach(self, engine: Engine) -> None:
        """From now on there is somebody who counts right answers."""
        self.engine = engine
        if "counting" in vars(self):
            self.counting.attach(engine)

    @cached_property
    def curves(self) -> CurvePane:
        """Right answers by strength, under the stage."""
        from visualizer.ui.counting import CurvePane

        made = CurvePane(self.counting, self)
        made.closed.connect(self.toggle_curves)
        made.hide()
        return made

    @property
    def barred(self) -> bool:
        """Whether the bar is shown."""
        if self.starting or self.store.trace is None or self.bar_open is False or not self.leaves("what-if"):
            return False
        if not self.bar_open and (not does.given(self.store.state) or self.rail.operating):
            return False
        return self.bar.grain is not None

    def toggle_bar(self) -> None:
        """Show the bar of what is done to the input, or put it away."""
        self.bar_open = not self.barred
        if self.bar_open and not self.barred:
            self.say(tr("The input that is looked at cannot be changed; open a network that runs here."))
        self.place()

    def _keep_bar(self) -> None:
        self.bar_open = True

    def toggle_curves(self) -> None:
        """Show right answers by strength under the stage, or put them away."""
        if not self.barred:
            self.toggle_bar()
        self.curves_open = not self._counted()
        self.place()

    def _counted(self) -> bool:
        """Whether the curves are shown."""
        if not self.barred:
            return False
        if self.curves_open is not None:
            return self.curves_open
        room = self.transport.y() - TOP - BAR - CURVES
        return room >= LEAST_STAGE and bool(self.bar.chosen) and not self.store.state.compare

    def show_start(self, starting: bool, back: str = "") -> None:
        """The start screen in the place of what is looked at, or that again. `back`: what can be gone back to."""
        self.starting = starting
        self._path_shown = ()
        self.top.field.clear()
        self.top.show_start(starting)
        self.show_trace()
        if starting:
            self.start.search("")
            self.start.refresh(back)

    def _leave_field(self, key: int) -> None:
        """Down: to the first of what was found; Enter: open it."""
        cards = self.start.page.cards
        if cards and key == Qt.Key.Key_Down:
            cards[0].setFocus(Qt.FocusReason.TabFocusReason)
        elif cards and self.start.page.searching:
            cards[0].click()

    def show_path(self) -> None:
        """Where one is: the crumbs, and which of the views."""
        trace, seen = self.store.trace, self.store.sight
        if self.starting:
            self.top.show_path(((tr("Start"), None),))
            return
        if trace is None or seen is None:
            self._path_shown = ()
            self.top.show_path(())
            self.top.show_views((), "")
            return
        shown = (id(trace), standing(seen), seen.view, self.store.state.compare)
        if shown != self._path_shown:
            self._path_shown = shown
            comparing = bool(self.store.state.compare)
            self.top.show_path(((tr("Compare"), None), *words.path(trace, standing(seen))) if comparing else
                               words.path(trace, standing(seen)))
            found = sight.suited(trace)
            whole = sum(view.group == COMPARE.group and view.order < COMPARE.order for view in found)
            compares = [] if self.store.state.in_lab else [COMPARE]
            offered = [*found[:whole], *compares, *found[whole:]] if self.leaves("view") else []
            self.top.show_views(offered, COMPARE.name if comparing else seen.view.name)

    def show_trace(self) -> None:
        """The stage; or what it says while nothing is open."""
        self.empty.setVisible(self.store.trace is None and not self.starting)
        self.stage.setVisible(self.store.trace is not None and not self.starting)
        for pane in (self.rail, self.transport):
            pane.setVisible(not self.starting)
        if self.starting or "start" in vars(self):
            self.start.setVisible(self.starting)
        self.show_path()
        self.place()

    def say(self, sentence: str, action: str = "", act: Callable[[], None] | None = None) -> None:
        """One sentence over the foot of the stage, and what can be done about it; nothing takes it away again."""
        self.message.show_words(sentence, action, act)
        self.message.place(self.stage.geometry())

    def dress(self) -> None:
        """What style sheets have to be told after the theme changed."""
        self.rail.dress()
        self.top.field.dress()
        if "start" in vars(self):
            self.start.dress()
        self.inspector.dress()
        if self.lesson is not None:
            self.lesson.dress()
        if self.writer is not None:
            self.writer.dress()
        if "bar" in vars(self):
            self.bar.show_state()

    # --- the keyboard ---

    def next_pane(self) -> None:
        """The keyboard goes to the next pane, in the order in which Tab comes to them."""
        panes = self.in_order()
        here = next((number for number, pane in enumerate(panes)
                     if pane is self.focusWidget() or pane.isAncestorOf(self.focusWidget() or self)), -1)
        for by in range(1, len(panes) + 1):
            target = _first_reachable(panes[(here + by) % len(panes)])
            if target is not None:
                target.setFocus(Qt.FocusReason.ShortcutFocusReason)
                return

    def in_order(self) -> list[QWidget]:
        """The panes that are seen in the order of reading: the top bar; from the left the words of a lesson and the
        rail; the stage with what lies over, on and under it; the details; the time."""
        if self.starting:
            panes: list[QWidget | None] = [self.top, self.start.rail, self.start.scroller, self.message]
        else:
            known = vars(self)
            panes = [self.top, self.lesson, self.writer, self.rail, self.question, known.get("bar"), self.stage,
                     self.empty, *self._laid_over(), self.message, known.get("curves"), self.line, self.inspector,
                     self.transport]
        return [pane for pane in panes if pane is not None and pane.isVisible()]

    def _laid_over(self) -> list[QWidget]:
        """What is laid over the stage by others, such as what can be tried at the end of the first look."""
        own = [*(pane for pane in vars(self).values() if isinstance(pane, QWidget))]
        return [pane for pane in self.children() if isinstance(pane, QWidget) and pane not in own]

    def focusNextPrevChild(self, forwards: bool) -> bool:
        """Tab goes through everything as it stands now."""
        self.order_tabs()
        return super().focusNextPrevChild(forwards)

    def order_tabs(self) -> None:
        """From pane to pane, and in each row by row."""
        order = [child for pane in self.in_order() for child in _reachable(pane)]
        if order != self._order:
            self._order = order
            for one, other in pairwise(order):
                QWidget.setTabOrder(one, other)

    # --- geometry ---

    def toggle_details(self) -> None:
        """In a narrow window: slide the inspector over the stage, or away."""
        if self._has_drawer():
            self.drawer_open = not self.drawer_open
            self.place()

    def close_details(self) -> bool:
        """Slide the inspector away; False if it did not lie over the stage."""
        lay = self.drawer_open and self._has_drawer()
        if lay:
            self.toggle_details()
        return lay

    def _has_drawer(self) -> bool:
        """Whether the inspector lies over the stage, because there is no room for it beside that."""
        beside = self._lesson_wide() if self.taught else WRITER + NARROW if self.writes else 0
        crowded = beside > 0 and self.width() - beside - INSPECTOR < LEAST_WIDE
        return self.width() < COMPACT_BELOW or bool(self.store.state.compare) or crowded

    def _lesson_wide(self) -> int:
        """What the words of a lesson take of the width."""
        from visualizer.ui.lessonpanel import STRIP
        from visualizer.ui.lessonpanel import WIDE as PANEL

        return PANEL if self.width() - PANEL - 8 >= LEAST_WIDE else STRIP

    def place(self) -> None:
        """Where each of them stands."""
        width, height = self.width(), self.height()
        narrow, compact = width < NARROW_BELOW, width < COMPACT_BELOW
        comparing = bool(self.store.state.compare) and not self.starting
        left = NARROW if narrow or comparing else WIDE
        self.transport.inputs.left = self.leaves("input")
        bottom = self.transport.sizeHint().height()
        middle = height - TOP - bottom
        taught, detached = self.taught, self._has_drawer() and not self.starting
        right = 8 if compact or detached else INSPECTOR
        style.put(self.top, 0, 0, width, TOP)
        self.top.set_width(narrow, compact, detached and (taught or self.writes))
        railed = not taught or self.leaves("input", "model", "knobs", "edit")
        words = self._lesson_wide() if taught else 0
        left = words + (NARROW if railed else 0) if taught else left
        self.rail.setVisible(railed and not self.starting)
        style.put(self.rail, words, TOP, left - words, middle)
        self.rail.set_narrow(narrow or comparing or taught)
        style.put(self.transport, 0, height - bottom, width, bottom)
        self.transport.set_compact(compact)
        self.transport.setEnabled(self.leaves("time"))
        self._place_lesson(middle)
        if self.writer is not None:
            self.writer.setVisible(self.writes)
            style.put(self.writer, 0, TOP, WRITER, middle)
            self.writer.raise_()
        if self.writes:
            style.put(self.rail, WRITER, TOP, NARROW, middle)
            self.rail.set_narrow(True)
            left = WRITER + NARROW
        stage = self._over_line(self._below_bar(self._below_question(QRect(left, TOP, width - left - right, middle))))
        self.stage.widest = widest_pair(width)
        style.put(self.stage, *stage.getRect())
        style.put(self.empty, *stage.getRect())
        drawer = detached and self.drawer_open
        self.inspector.drawer = drawer
        self.inspector.setVisible((not detached or drawer) and not self.starting)
        style.put(self.inspector, width - INSPECTOR, TOP, INSPECTOR, middle)
        self.inspector.raise_()
        if self.lesson is not None:
            self.lesson.raise_()
        if self.starting:
            style.put(self.start, 0, TOP, width, height - TOP)
        self.message.place(stage)
        self.placed.emit()

    def _below_question(self, whole: QRect) -> QRect:
        """The question of a lesson over the stage, and what it leaves for that."""
        if self.question is None:
            return whole
        asked = self.taught and self.question.asked
        self.question.setVisible(asked)
        if not asked:
            return whole
        left = whole.x() if self.lesson is None else max(whole.x(), self.lesson.width())
        high = self.question.fit(whole.right() + 1 - left)
        style.put(self.question, left, whole.y(), whole.right() + 1 - left, high)
        return whole.adjusted(0, high, 0, 0)

    def _over_line(self, whole: QRect) -> QRect:
        """The line of steps under the stage, where that stays high enough, and what it leaves."""
        if self.line is None:
            return whole
        left = whole.x() if self.lesson is None else max(whole.x(), self.lesson.width())
        wide = whole.right() + 1 - left
        high = self.line.fit(wide)
        seen = self.taught and whole.height() - high >= LEAST_TAUGHT
        self.line.setVisible(seen)
        style.put(self.line, left, whole.bottom() + 1 - high, wide, high)
        return whole.adjusted(0, 0, 0, -high if seen else 0)

    def _place_lesson(self, middle: int) -> None:
        """The words of a lesson beside the stage; over it where there is no room, whole or folded to a strip."""
        if self.lesson is None:
            return
        from visualizer.ui.lessonpanel import STRIP
        from visualizer.ui.lessonpanel import WIDE as PANEL

        self.lesson.lies_over = self._lesson_wide() == STRIP
        wide = STRIP if self.lesson.lies_over and self.lesson.folded else PANEL
        self.lesson.setVisible(self.taught)
        style.put(self.lesson, 0, TOP, wide, middle)

    def _below_bar(self, whole: QRect) -> QRect:
        """Bar and curves, each in its place, and what they leave for the stage."""
        barred = self.barred
        if barred or "bar" in vars(self):
            self.bar.setVisible(barred)
        if not barred:
            if "curves" in vars(self):
                self.curves.hide()
            if "counting" in vars(self):
                self.counting.turn(False)
            return whole
        style.put(self.bar, whole.x(), whole.y(), whole.width(), BAR)
        counted = self._counted()
        if counted or "curves" in vars(self):
            self.curves.setVisible(counted)
        wanted = counted or bool(self.store.state.compare)
        if (wanted or "counting" in vars(self)) and wanted != self.counting.on:
            self.counting.turn(wanted)
        if counted:
            style.put(self.curves, whole.x(), whole.bottom() + 1 - CURVES, whole.width(), CURVES)
        return whole.adjusted(0, BAR, 0, -CURVES if counted else 0)

    def middle(self) -> QRect:
        """What lies between top bar and transport, in pixels of the window."""
        return QRect(self.x(), self.y() + TOP, self.width(), self.transport.y() - TOP)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.place()

    # --- what one tells the others ---

    def _connect(self, run: Callable[[str], None]) -> None:
        self.top.view_chosen.connect(self._turn_to)
        self.top.crumb_chosen.connect(self._select)
        self.rail.open_wanted.connect(lambda: run("open"))
        self.rail.knobs.compare_wanted.connect(lambda: run("pin"))
        self.rail.knobs.sweep_wanted.connect(lambda: run("sweep"))
        self.rail.edits.undo_wanted.connect(lambda: run("undo"))
        self.rail.edits.redo_wanted.connect(lambda: run("redo"))
        self.rail.edits.said.connect(self.say)
        self.store.card_changed.connect(self.place)
        self.store.changed.connect(self._edited)
        self.stage.deeper.connect(lambda: run("in"))
        self.stage.hovered.connect(self._light)
        self.inspector.hovered.connect(self._light)
        self.inspector.clicked.connect(self._pick)
        self.tuning = [Tuning(canvas, self.store, self.say) for canvas in (self.stage, self.inspector.page)]
        self.rail.aside.hovered.connect(self._light)
        self.rail.aside.hovered.connect(self.stage.point)
        self.rail.aside.clicked.connect(self._pick)

    def _turn_to(self, name: str) -> None:
        """Another tab: a view, or several networks in one picture."""
        if name == COMPARE.name:
            if not self.store.state.compare:
                self._run("compare")
            self._path_shown = ()  # where nothing can be compared, the tab of the view is the chosen one again
            self.show_path()
        else:
            self.store.apply(lambda state: does.apart(state, name))

    def _select(self, focus: Focus | None) -> None:
        """A crumb was clicked: go to its level."""
        trace = self.store.trace
        if trace is not None and not self.starting:
            names = tuple(view.name for view in sight.suited(trace))
            self.store.apply(lambda state: to_level(state, trace, self.store.timeline, focus, names))

    def _pick(self, focus: Focus | None) -> None:
        """A row of the inspector, or a cell beside the stage, was clicked."""
        seen = self.store.sight
        if focus is None or seen is None:
            return
        if seen.view.wants == NUMBER:
            self.stage.pick(focus)
        else:
            self._select(focus)

    def _edited(self, old: State, new: State) -> None:
        """The bar comes with what is done to the input, and goes with it; a comparison has other places for all."""
        if old.compare != new.compare:
            self.place()
        if does.given(old) != does.given(new) or old.model != new.model:
            if not does.given(new) and self.bar_open is False:
                self.bar_open = None
            self.place()

    def _light(self, focus: Focus | None) -> None:
        """The same thing lights up wherever it is shown."""
        self.stage.light(focus)
        self.inspector.page.light(focus)
        self.rail.aside.light(focus)


def _reachable(pane: QWidget) -> list[QWidget]:
    """Everything in a pane that Tab reaches, row by row; what lies in one frame stays together, wherever it is scrolled
    to."""
    blocks = [(child.geometry(), found) for child in pane.children()
              if isinstance(child, QWidget) and not child.isWindow() and not child.isHidden()
              and (found := _reachable(child))]
    rows: list[list[tuple[QRect, list[QWidget]]]] = []
    for block in sorted(blocks, key=lambda block: block[0].center().y()):
        if rows and block[0].center().y() - rows[-1][0][0].center().y() < ROW:
            rows[-1].append(block)
        else:
            rows.append([block])
    own = [pane] if pane.focusPolicy() & Qt.FocusPolicy.TabFocus else []
    return own + [child for row in rows for _, found in sorted(row, key=lambda block: block[0].x()) for child in found]


def _first_reachable(pane: QWidget) -> QWidget | None:
    return next((child for child in _reachable(pane) if child.isVisible() and child.isEnabled()), None)


def widest_pair(width: int) -> int:
    """For a window of a width, the narrowest stage of all larger ones: they have a pane more, so that it may be
    narrower than its own."""
    docked = [(COMPACT_BELOW, COMPACT_BELOW - NARROW - INSPECTOR), (NARROW_BELOW, NARROW_BELOW - WIDE - INSPECTOR)]
    return min([stage for begins, stage in docked if width < begins], default=1 << 20)
