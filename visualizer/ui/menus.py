"""Menus: one action a command, in the menu bar and in the menu of the mark; its shortcut works in the whole window."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from visualizer import answers, door, inputs, latent, over, sight
from visualizer.language import languages, tr, translated
from visualizer.scene import colour, numbers
from visualizer.scene import state as does
from visualizer.scene.state import changed
from visualizer.trace import TOLD, Refused, Trace
from visualizer.ui import recent, scale, style, system, words
from visualizer.ui.commands import Command
from visualizer.ui.commands.edits import can_be_told
from visualizer.ui.store import Store
from visualizer.ui.system import SYSTEM

MOST_WISHES = 12
"""So many numbers of one answer are offered; the command line takes any."""


class Menus:
    """The menus of a window; `bar` is a widget of it, hidden until it is asked for."""

    def __init__(self, store: Store, commands: Iterable[Command], run: Callable[[str], None],
                 open_path: Callable[[str], None], window: QWidget) -> None:
        """`run` does the command of a name, `open_path` opens a file."""
        self.store, self.window, self.open_path = store, window, open_path
        self.commands, self.run = tuple(commands), run
        self.bar = QMenuBar(window)
        self.bar.hide()
        self.actions: dict[str, QAction] = {}
        """By the names of their commands."""

    def fill(self) -> None:
        """Make them: the first paint does without."""
        self.bar.setFont(style.font(13, 500))
        self.all = QMenu(self.window)
        menus: dict[str, QMenu] = {}
        for command in self.commands:
            if command.menu not in menus:
                menus[command.menu] = self.bar.addMenu(command.menu)
                menus[command.menu].setToolTipsVisible(True)
                self.all.addMenu(menus[command.menu])
            self.actions[command.name] = action = self._action(command)
            menus[command.menu].addAction(action)
            self.window.addAction(action)
        view = menus[next(command.menu for command in self.commands if command.name == "theme")]
        self.options, self.themes, self.contrast, self.motion, self.scales, self.languages = (
            view.addMenu(title) for title in (tr("Options of this view"), tr("Theme"), tr("Contrast"), tr("Motion"),
                                              tr("Size of everything"), tr("Language")))
        self.scales.aboutToShow.connect(self._fill_scales)
        self.options.aboutToShow.connect(lambda: self.fill_options(self.options))
        self.themes.aboutToShow.connect(self._fill_themes)
        self.contrast.aboutToShow.connect(lambda: self._fill_wishes(
            self.contrast, "contrast", tr("Always high"), tr("Always as usual")))
        self.motion.aboutToShow.connect(lambda: self._fill_wishes(
            self.motion, "motion", tr("Always less"), tr("Always all of it")))
        self.languages.aboutToShow.connect(self._fill_languages)
        self.objectives = menus[next(command.menu for command in self.commands if command.name == "reverse")] \
            .addMenu(tr("What is sent back"))
        self.objectives.aboutToShow.connect(lambda: self.fill_objectives(self.objectives))
        self.exports = menus[next(command.menu for command in self.commands if command.name == "film")]
        files = menus[next(command.menu for command in self.commands if command.name == "open")]
        self.recent = QMenu(tr("Open recent"), files)
        self.recent.setToolTipsVisible(True)
        self.recent.aboutToShow.connect(lambda: self.fill_recent(self.recent))
        files.insertMenu(files.actions()[files.actions().index(self.actions["open"]) + 1], self.recent)

    def fill_recent(self, menu: QMenu) -> None:
        """The files that were opened last, by their names; those that are gone cannot be chosen."""
        menu.clear()
        for path in recent.files():
            action = menu.addAction(path.name.replace("&", "&&"))
            action.setToolTip(str(path))
            action.setEnabled(path.exists())
            action.triggered.connect(lambda checked=False, path=path: self.open_path(str(path)))
        if menu.isEmpty():
            menu.addAction(tr("No file was opened yet")).setEnabled(False)
        else:
            menu.addSeparator()
            menu.addAction(tr("Forget these")).triggered.connect(lambda: recent.forget())

    def fill_options(self, menu: QMenu) -> None:
        """The knobs of the view, each with its words to choose one from."""
        menu.clear()
        trace, look = self.store.trace, self.store.state.look
        view = None if trace is None else sight.suiting(self.store.state.view, trace)
        knobs = () if view is None else tuple((name, found) for name, found in view.knobs if len(found) > 1)
        for name, found in knobs:
            menu.addSection(words.knob(name))
            chosen = dict(sight.own_knobs(view, look)).get(name, found[0])  # type: ignore[arg-type]
            choices(menu, [(word, words.knob_word(name, word)) for word in found], chosen,
                    lambda word, name=name: self.store.apply(lambda state: does.turned(state, name, word)))
        if taught := can_be_told(self.store.card):
            menu.addSection(tr("What it is told before each symbol"))
            choices(menu, [("", tr("Its own last one")), (TOLD, tr("The right one"))],
                    TOLD if TOLD in self.store.state.edits else "", lambda word: self.store.apply(
                        lambda state: state if (TOLD in state.edits) == bool(word) else does.told(state)))
        if not knobs and not taught:
            menu.addAction(tr("This view has none")).setEnabled(False)

    def fill_objectives(self, menu: QMenu) -> None:
        """The loss, and the numbers of each answer that can be sent back in its place, in the words of the command
        line."""
        menu.clear()
        trace = self.store.trace
        found = {} if trace is None or not door.can_run(self.store.state.model) else self._wishes(trace)
        now = self.store.state.objective
        if found:
            listed = dict.fromkeys(("loss", *found, now))
            choices(menu, [(wish, tr("The loss") if wish == "loss" else found.get(wish) or wish) for wish in listed],
                    now, self._send_back)
            menu.addSeparator()
            menu.addAction(tr("Another …")).triggered.connect(lambda: self._send_back(self.window.ask_for_words(
                tr("What is sent back"),
                tr("loss, mse, mae, bce, cross_entropy, sum, mean, logit:4, logit:4@7; sum:mask of the output mask"),
                now)))
            menu.addAction(tr("Target …")).triggered.connect(self._aim)
            if self.store.state.label:
                menu.addAction(tr("The target of the input itself")).triggered.connect(
                    lambda: self.store.update(label="", playing=False))
        else:
            menu.addAction(tr("Nothing else can be sent back here")).setEnabled(False)

    def _wishes(self, trace: Trace) -> dict[str, str]:
        """What can be sent back of each answer, and how that is said: first what the number is that is looked at."""
        focus, listed = self.store.state.focus, dict[str, str]()
        for answer in trace.answers:
            kind = answers.of(answer)
            if kind is None:
                continue
            layer = trace[answer.layer]
            there = focus is not None and focus.layer in (answer.layer, answer.returned) and \
                len(focus.cell) == layer.output.ndim
            chosen = kind.pointed(answer, focus.cell) if there and focus is not None else ""
            for wish in (*([chosen] if chosen else []), *kind.wishes(answer, layer.output)[:MOST_WISHES]):
                listed[wish] = kind.called(trace, answer, wish)
        return listed

    def _send_back(self, wish: str) -> None:
        if wish:
            self.store.update(objective=wish, playing=False)

    def _aim(self) -> None:
        """Ask what should be answered, and say in one sentence where that is nothing that could be."""
        trace, state = self.store.trace, self.store.state
        if trace is None:
            return
        typed = self.window.ask_for_words(tr("What should be answered"), fitting_targets(trace), state.label)
        if not typed:
            return
        labels = trace.answers[0].labels or trace.labels if trace.answers else trace.labels
        try:
            found = inputs.target_in(typed, labels)
        except Refused as error:
            self.window.say(str(error))
            return
        self.store.update(label=str(found) if typed in labels else typed, playing=False)

    def fill_inputs(self, menu: QMenu) -> None:
        """Which inputs can be stepped through; what cannot be is grey, and says why."""
        menu.clear()
        menu.setToolTipsVisible(True)
        asked, known, card = over.parse(self.store.state.over), self.store.inputs, self.store.card
        whole = inputs.samples(card.kind, card.facts) if not asked.source else known
        unit, labels = self._unit(), card.labels if answers.kind(card.answers).along == () else ()
        for pick, said, of in ((over.ALL, tr("All"), ""), (over.WRONG, tr("Answered wrong"), ""),
                               (over.UNSURE, tr("Least sure first"), ""),
                               (over.EXCITE, tr("Those that excite {unit} most").format(unit=unit) if unit else
                                tr("Those that excite the chosen unit most"), unit)):
            why = tr("Choose a channel or a unit first.") if pick == over.EXCITE and not unit else \
                over.why_not(pick, whole, labels) if whole is not None else ""
            self._offer(menu, said, replace(asked, pick=pick, of=of), why)
        classes = menu.addMenu(tr("One class"))
        why = over.why_not(over.CLASS, whole, labels) if whole is not None else ""
        classes.setEnabled(not why)
        classes.menuAction().setToolTip(why or tr("Those with one label"))
        there = set() if whole is None else set(whole.labels)
        for number, name in enumerate(labels):
            if number in there or known is not whole:
                self._offer(classes, name, replace(asked, pick=over.CLASS, of=name), "")
        menu.addSeparator()
        trace = self.store.trace
        if trace is not None and latent.answer_of(trace) is not None:
            self._offer(menu, tr("A walk around the middle of the plane"), over.Over(pick=over.CIRCLE), "")
            menu.addAction(tr("A walk from one input to another …")).triggered.connect(self._walk)
            menu.addSeparator()
        menu.addAction(tr("The files of a folder …")).triggered.connect(
            lambda: self._from(self.window.ask_for_folder(tr("Inputs in a folder"))))
        menu.addAction(tr("The lines of a text, the rows of a table …")).triggered.connect(
            lambda: self._from(self.window.ask_for_file(
                tr("Inputs in a file"),
                f"{tr('Texts and tables')} ({' '.join(f'*{suffix}' for suffix in inputs.LISTS)})")))
        if asked.source:
            menu.addAction(tr("The bundled inputs again")).triggered.connect(lambda: self._step_over(over.Over()))

    def _offer(self, menu: QMenu, said: str, asked: over.Over, why: str) -> None:
        """One of the choices of inputs, ticked if it is chosen."""
        action = menu.addAction(said)
        action.setCheckable(True)
        action.setChecked(asked.words == self.store.state.over)
        action.setEnabled(not why)
        action.setToolTip(why or said)
        action.triggered.connect(lambda checked=False: self._step_over(asked))

    def _unit(self) -> str:
        """The unit that is chosen, or that the moment is about, as `inputs:excite=` names it; empty for none."""
        seen, trace = self.store.sight, self.store.trace
        return "" if seen is None or trace is None else does.unit_words(self.store.state.focus or seen.subject, trace)

    def _walk(self) -> None:
        """Ask between which two inputs, and step through the points on the line between theirs."""
        ends = inputs.samples(self.store.card.kind, self.store.card.facts).words[:2]
        typed = self.window.ask_for_words(tr("A walk from one input to another"), tr("Two inputs, with a comma between "
                                          "them"), ",".join(ends))
        if typed:
            self._step_over(over.Over(pick=over.LINE, of=typed.replace(" ", "")))

    def _from(self, path: str) -> None:
        if path:
            self._step_over(over.Over(path))

    def _step_over(self, asked: over.Over) -> None:
        self.store.apply(lambda state: does.over_inputs(state, asked.words))

    def _fill_themes(self) -> None:
        """Every theme that has a file, each with as much contrast as there is now."""
        self.themes.clear()
        now = self.store.state.look.theme
        choices(self.themes, [(name, translated(colour.theme(name).title)) for name in colour.names()
                              if not colour.is_strong(name)], colour.strong(now, False),
                lambda name: self._look(theme=colour.strong(name, colour.is_strong(now))))

    def _fill_wishes(self, menu: QMenu, what: str, always: str, never: str) -> None:
        """As the system asks, or one or the other whatever it asks."""
        menu.clear()
        choices(menu, [(SYSTEM, tr("As the system asks")), (system.ALWAYS, always), (system.NEVER, never)],
                system.choice(what), lambda choice: self.window.choose(what, choice))

    def _fill_scales(self) -> None:
        """As large as the system wants words, or another size whatever it wants."""
        self.scales.clear()
        listed = {SYSTEM: tr("As the system asks"), **{f"{size:g}": numbers.percent(size, 0) for size in scale.SCALES}}
        chosen = scale.choice()
        choices(self.scales, listed.items(), chosen if isinstance(chosen, str) else f"{chosen:g}",
                lambda word: self.window.rescale(chosen=word if word == SYSTEM else float(word)))

    def _fill_languages(self) -> None:
        """Every language that has a table, by its own name."""
        self.languages.clear()
        choices(self.languages, languages().items(), self.store.state.look.language,
                lambda code: self._look(language=code))

    def _look(self, **changes: str) -> None:
        self.store.apply(lambda state: changed(state, look=replace(state.look, **changes)))

    def pop(self, at: QPoint) -> None:
        """Everything that can be done, at a point of the screen."""
        self.all.popup(at)

    def pop_exports(self, at: QPoint) -> None:
        """What can be saved: a picture, a figure, numbers, a film; at a point of the screen, within it."""
        self.exports.popup(at)

    def pop_options(self, at: QPoint) -> None:
        """The knobs of the view, at a point of the screen."""
        menu = QMenu(self.window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.fill_options(menu)
        menu.popup(at)

    def pop_inputs(self, at: QPoint, below: bool = False) -> None:
        """Which inputs are stepped through, above a point of the screen or below it."""
        menu = QMenu(self.window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.fill_inputs(menu)
        menu.popup(at if below else QPoint(at.x(), at.y() - menu.sizeHint().height()))

    def _action(self, command: Command) -> QAction:
        action = QAction(command.title, self.window)
        action.setShortcuts([QKeySequence(key) for key in command.keys])
        action.setToolTip(command.tip)
        action.setStatusTip(command.tip)
        action.triggered.connect(lambda checked=False: self.run(command.name))
        return action


def choices(menu: QMenu, words: Iterable[tuple[str, str]], chosen: str, choose: Callable[[str], None]) -> None:
    """One of several, ticked in a menu: (what is chosen, what it is called)."""
    group = QActionGroup(menu)
    for word, said in words:
        action = menu.addAction(said)
        action.setCheckable(True)
        action.setChecked(word == chosen)
        group.addAction(action)
        action.triggered.connect(lambda checked=False, word=word: choose(word))


def fitting_targets(trace: Trace) -> str:
    """One sentence on what fits as a target: by what the network answers, and how many numbers that is."""
    answer = next(iter(trace.answers), None)
    shape = () if answer is None else trace[answer.layer].shape
    if answer is not None and answers.kind(answer.kind).chosen:
        said = tr("A class from 0 to {last}, by its number or its label.").format(last=numbers.count(shape[-1] - 1))
    elif len(shape) > 1 and trace[answer.layer].axes[0] in ("step", "part"):
        said = tr("A class, or a list with one class for each of {count} steps: 1,0,2.").format(
            count=numbers.count(shape[0]))
    elif math.prod(shape) == 1:
        said = tr("One number: 0.5.")
    else:
        said = tr("{shape} numbers, as a list or in a file (.npy, .csv, .txt).").format(shape=numbers.shape(shape))
    return said
