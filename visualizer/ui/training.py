"""Training: has the engine train a network while one looks on, and keeps every film of it that was made.

What is seen is a branch (`train.branch`), named in the State: a knob that is turned makes another one from the cursor
on, and undo leads back to the one before. The films themselves are no part of the State; one that is not at hand any
more is made once more, to the same numbers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from visualizer import inputs
from visualizer.engine.client import Engine
from visualizer.language import tr
from visualizer.scene import numbers
from visualizer.scene import state as does
from visualizer.scene.state import State, changed, turned
from visualizer.trace import Arrays
from visualizer.train import (
    EXPLODED,
    FIRST,
    NOT_A_NUMBER,
    Knobs,
    Named,
    Run,
    knobs_from,
    news_from,
    plain_course,
    run_from,
    seen,
    sentence,
)
from visualizer.train.branch import Branch, branch_of
from visualizer.train.kept import can_be_trained
from visualizer.ui.store import Store

VIEW = "training"
MARK = "branch"
"""Of the arrays: of which branch they are, where they were laid beside a recording from here."""
COURSE, BEHIND, PINNED = "course", "behind", "pinned"
"""Knobs of the view: the branch that is seen, the one before it, and the one that is kept behind whatever comes."""
MOST_FILMS = 8
"""So many films are at hand, those that were seen last."""
TOLD = (EXPLODED, NOT_A_NUMBER)
"""What is said in a sentence as soon as it happens; the rest stands in the view and on its page."""


@dataclass(frozen=True, eq=False)
class Film:
    """A branch as far as it has come."""

    branch: Branch
    sample: str
    """The input to which it tells the answers."""
    arrays: Arrays

    @cached_property
    def last(self) -> int:
        """Updates that were made."""
        return seen.last_of(self.arrays)

    @cached_property
    def run(self) -> Run:
        """What it says in words."""
        return seen.words_of(self.arrays)


@dataclass(frozen=True)
class Request:
    """What the engine is asked for."""

    number: int
    word: str
    """Of the branch."""
    sample: str
    upto: int
    """0: it only tells what there is."""
    whole: bool
    """Whether it tells all from the first update on."""


class Training(QObject):
    """Stands between the store and the engine."""

    changed = Signal()
    """Something that stands beside the stage."""
    advanced = Signal()
    """Nothing there but how far it is."""
    said = Signal(str, bool)
    """One sentence, and whether undo helps."""

    def __init__(self, store: Store, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.store, self.engine = store, engine
        self.films: dict[str, Film] = {}
        self.under_way: Request | None = None
        self.share = 0.0
        """How far the updates are made once more that are known already; 1 where it goes on."""
        self._taught: dict[str, tuple[Knobs, tuple[str, ...], int]] = {}
        """Of networks: the knobs of their short recipe, those that they have something for, and its updates."""
        self._asked: dict[int, str] = {}
        self._in_vain: set[tuple[str, str]] = set()
        store.changed.connect(self._follow)
        store.trace_changed.connect(lambda trace: self.show())
        engine.progress.connect(self._went_on)
        engine.answered.connect(self._answered)
        engine.refused.connect(self._refused)
        engine.failed.connect(self._refused)
        engine.ready.connect(lambda versions: self.show())

    # --- what is seen ---

    @property
    def on(self) -> bool:
        """Whether a training is looked at."""
        state = self.store.state
        return bool(state.view == VIEW and not state.in_lab and not state.compare and can_be_trained(state.model))

    @property
    def running(self) -> bool:
        """Whether updates are being made."""
        return self.under_way is not None and self.under_way.upto > 0

    @property
    def film(self) -> Film | None:
        """What is looked at; None while it is not at hand."""
        branch, state, trace = self.branch, self.store.state, self.store.trace
        if branch is not None:
            return self.films.get(branch.word)
        held = None if trace is None or self.store.waiting else trace.studies.get(seen.STUDY)
        if held is None or not held:
            return None
        if MARK not in held:  # as it was measured
            own = Branch(state.model, seen.words_of(held).course, 0, 0)
            if (known := self.films.get(own.word)) is None or known.arrays is not held:
                self._keep(Film(own, trace.sample.name, held))
            return self.films[own.word]
        return self.films.get(self._opened().get(state.model, ""))

    @property
    def branch(self) -> Branch | None:
        """The branch that is looked at; None for the film on which the network opens."""
        state = self.store.state
        return branch_of(state.look.knob(COURSE, ""), state.model)

    @property
    def step(self) -> int:
        """Updates behind the cursor."""
        film, moment = self.film, self.store.moment
        return 0 if film is None or moment is None else min(film.last, moment.beat.number or 0)

    @property
    def knobs(self) -> Knobs:
        """Those with which the next update from the cursor on is made."""
        film, branch = self.film, self.branch
        branch = branch if film is None else film.branch
        return self.taught[0] if branch is None else branch.knobs(self.step)

    @property
    def taught(self) -> tuple[Knobs, tuple[str, ...], int]:
        """The knobs of the short recipe, those that act on the network, and how many updates it makes."""
        film = self.films.get(self._opened().get(self.store.state.model, ""))
        known = Knobs() if film is None else film.branch.knobs(0)
        return self._taught.get(self.store.state.model, (known, (), 1000))

    @property
    def status(self) -> str:
        """Where the training is, in a few words."""
        film = self.film
        if film is None:
            return tr("Being read …")
        if not self.running:
            return tr("{count} updates were made.").format(count=numbers.count(film.last))
        if self.share < 1:
            return tr("What is known already is made again: {share}").format(share=numbers.percent(self.share, 0))
        assert self.under_way is not None
        return tr("Update {count} of {goal}").format(count=numbers.count(film.last),
                                                     goal=numbers.count(self.under_way.upto))

    def tells(self, study: str, state: State) -> bool:
        """Whether a study is told from here, not measured: that of a branch."""
        return study == seen.STUDY and branch_of(state.look.knob(COURSE, ""), state.model) is not None

    def show(self) -> None:
        """Lay the film that is looked at beside the recording that is shown, and ask for it where it is not there."""
        state, trace = self.store.state, self.store.trace
        if not self.on or trace is None or self.store.waiting:
            return
        self._learn(state.model)
        film, branch = self.film, self.branch
        self._lay_anew()
        sample = self._sample()
        if branch is not None and (film is None or film.sample != sample) and not self._is_asked(branch, sample) \
                and (branch.word, sample) not in self._in_vain:
            goes_on = self.under_way.upto if self.under_way is not None and self.under_way.word == branch.word else 0
            self._request(branch, goes_on, 0)
        self.changed.emit()

    # --- what can be done ---

    def turn(self, name: str, word: str, undoable: bool) -> None:
        """One knob at another word, from the cursor on."""
        film = self.film
        now = self.branch if film is None else film.branch
        if now is None or knobs_from({name: word}, self.knobs) == self.knobs:
            return
        self._stop()
        step = 0 if name in FIRST else self.step
        drags = now.number > 0 and (film is None or film.last <= now.since == step)
        branch = now.turned(step, {name: word})
        branch = replace(branch, number=now.number) if drags else branch
        if name not in FIRST and film is not None:
            self._keep(Film(branch, film.sample, seen.until(film.arrays, branch.since, self._words(film, branch))))
        self._go(branch, self.store.state.look.knob(BEHIND, "") if drags else now.word, undoable)

    def train(self, updates: int = 0) -> None:
        """Go on from the cursor to the end of the recipe, or so many updates; what came behind the cursor is made once
        more."""
        film = self.film
        if film is None:
            return
        self._stop()
        step, length = self.step, self.taught[2]
        if film.run.stopped and step == int(film.arrays["kept"][-1]):
            self.said.emit(tr("The training ended at update {count}, where a number was none; go back, and take a "
                              "smaller learning rate.").format(count=numbers.count(film.last)), True)
            return
        if step < film.last or film.branch.number == 0:
            branch = film.branch.again(step)
            self._keep(Film(branch, film.sample, seen.until(film.arrays, step, self._words(film, branch))))
            self._go(branch, film.branch.word if step < film.last else "", True)
        film = self.film
        if film is not None:
            self._request(film.branch, step + updates if updates else length * (step // length + 1), film.last)

    def pause(self) -> None:
        """Stop here; what was made stays."""
        film, ran = self.film, self.running
        self._stop()
        if ran and film is not None:
            self._request(film.branch, 0, film.last)  # and have the weights where it stands
        self.changed.emit()

    def train_or_pause(self) -> None:
        """The other one of both."""
        if self.running:
            self.pause()
        else:
            self.train()

    def anew(self) -> None:
        """Back before the first update, with the knobs that hold at the cursor."""
        film = self.film
        if film is None:
            return
        self._stop()
        branch = Branch(film.branch.model, ((0, self.knobs),), 0, film.branch.number + 1)
        self._keep(Film(branch, film.sample, seen.until(film.arrays, 0, self._words(film, branch))))
        self._go(branch, film.branch.word if film.last else "", True)

    def pin(self) -> None:
        """Keep the curves of this film behind whatever comes; or let them go."""
        film, now = self.film, self.store.state.look.knob(PINNED, "")
        if film is not None:
            self.store.apply(lambda state: turned(state, PINNED, "" if now else film.branch.word))

    @property
    def pinned(self) -> bool:
        """Whether a film is kept behind."""
        return bool(self.store.state.look.knob(PINNED, ""))

    # --- how it is done ---

    def _go(self, branch: Branch, before: str, undoable: bool) -> None:
        """Look at a branch, the one before behind it, where it parts from that."""
        trace = self.store.trace
        name = "" if trace is None else trace.layers[0].name
        at = f"{name}.update[{branch.since}]" if branch.since else f"{name}.update"

        def there(state: State) -> State:
            return changed(turned(turned(state, COURSE, branch.word), BEHIND, before), at=at, playing=False)

        self.store.apply(there, undoable)

    def _follow(self, old: State, new: State) -> None:
        if old.model != new.model:
            self._stop()
        knobs = [state.look.knob(name, "") for state in (old, new) for name in (COURSE, BEHIND, PINNED)]
        if knobs[:3] != knobs[3:] and self.under_way is not None and self.under_way.word != knobs[3]:
            self._stop()
        if knobs[:3] != knobs[3:] or (old.view, old.model, old.compare) != (new.view, new.model, new.compare):
            self.show()
        if old.at != new.at:
            self.changed.emit()

    def _lay_anew(self) -> None:
        """Lay the film, with those behind it, beside the recording, if it does not lie there."""
        state, trace, film = self.store.state, self.store.trace, self.film
        if not self.on or trace is None or self.store.waiting or film is None:
            return
        before, arrays = trace.studies.get(seen.STUDY), self._shown_of(film)
        if before is not None and before.keys() == arrays.keys() and all(
                before[name] is arrays[name] for name in arrays):
            return
        grows = before is not None and bytes(before["run"]) == bytes(arrays["run"]) and MARK in before \
            and np.array_equal(before["kept"], arrays["kept"][:len(before["kept"])])
        at_end = before is not None and self.under_way is not None and self.store.moment is not None \
            and self.store.moment.beat.number == int(before["kept"][-1])
        self.store.set_study(seen.STUDY, arrays, state, more=grows)
        last = self.store.timeline.beats[-1].address
        if at_end and last != state.at:  # whoever stood where the training was goes along
            self.store.apply(lambda state: changed(state, at=last), undoable=False)

    def _shown_of(self, film: Film) -> Arrays:
        """The arrays of a film with those of the others that are seen behind it, and how far it is to go."""
        look, model = self.store.state.look, film.branch.model
        arrays = film.arrays
        if film.branch.number == 0 and not look.knob(PINNED, ""):
            return arrays
        goal = max(int(arrays["goal"]), self.under_way.upto if self.under_way is not None
                   and self.under_way.word == film.branch.word else 0)
        key = id(arrays), look.knob(BEHIND, ""), look.knob(PINNED, ""), goal
        if self._made[0] != key:
            arrays = {**arrays, "goal": np.array(goal), MARK: np.frombuffer(film.branch.word.encode(), np.uint8)}
            arrays["goal"].setflags(write=False)
            for name in (BEHIND, PINNED):
                other = branch_of(look.knob(name, ""), model)
                held = None if other is None or other.word == film.branch.word else self.films.get(other.word)
                arrays = seen.beside(arrays, name, None if held is None else held.arrays,
                                     film.branch.since if name == BEHIND else 0)
            self._made = key, film, arrays
        return self._made[2]

    _made: tuple[tuple[Any, ...], Film | None, Arrays] = (), None, {}
    """What was laid beside the recording last, and of what: the same is not laid there twice."""

    def _keep(self, film: Film) -> None:
        """Have a film at hand; those that were seen first go, but for those that stand behind."""
        self.films.pop(film.branch.word, None)
        self.films[film.branch.word] = film
        look = self.store.state.look
        needed = {look.knob(name, "") for name in (COURSE, BEHIND, PINNED)} | {film.branch.word}
        needed |= set(self._opened().values())
        beside = [word for word in self.films if word not in needed]
        for word in beside[:max(0, len(beside) - MOST_FILMS)]:
            del self.films[word]

    def _opened(self) -> dict[str, str]:
        """Of each network the film on which it opens."""
        return {film.branch.model: word for word, film in self.films.items() if film.branch.number == 0}

    def _words(self, film: Film, branch: Branch) -> Run:
        return replace(film.run, course=branch.course)

    def _sample(self) -> str:
        """The input to which answers are told; the network's own where it is drawn or anything is done to it."""
        state = self.store.state
        return "" if state.sample == inputs.DRAWN or does.given(state) else state.sample

    def _learn(self, model: str) -> None:
        """Ask once what can be turned."""
        if model not in self._taught and model not in self._asked.values():
            self._asked[self.engine.request("trainable", lane="trainable", model=model)] = model

    def _is_asked(self, branch: Branch, sample: str) -> bool:
        asked = self.under_way
        return asked is not None and (asked.word, asked.sample) == (branch.word, sample)

    def _request(self, branch: Branch, upto: int, known: int) -> None:
        """Have the engine go on with a branch, or tell what there is of it."""
        sample, film = self._sample(), self.films.get(branch.word)
        again = film is not None and upto > 0 and film.last == branch.since == known
        number = self.engine.request("train", lane="train", model=branch.model, course=plain_course(branch.course),
                                     upto=upto, sample=sample, known=known, again=again)
        whole = known == 0 and (film is None or film.sample != sample or film.last > 0)
        self.under_way, self.share = Request(number, branch.word, sample, upto, whole), float(film is not None)
        self.show()

    def _stop(self) -> None:
        """Want no more updates."""
        if self.under_way is not None:
            self.engine.cancel(self.under_way.number)
            self.under_way = None

    # --- what the engine says ---

    def _went_on(self, number: int, share: float, words: str) -> None:
        asked = self.under_way
        if asked is None or number != asked.number or not words:
            return
        plain, film = json.loads(words), self.films.get(asked.word)
        branch = branch_of(asked.word, self.store.state.model)
        if branch is None:
            return
        run = run_from(plain) if "model" in plain else None
        if run is not None and (film is None or asked.whole):
            arrays, named = seen.arrays(run), run.named if film is None else ()
        elif film is not None:
            news = news_from(plain)
            arrays, named = seen.grown(film.arrays, *news), news[2]
        else:
            return
        goes_on = film is None or seen.last_of(arrays) > film.last
        self.share = 1.0 if goes_on else share
        if does.given(self.store.state) or self.store.state.sample == inputs.DRAWN:
            arrays = {**arrays, "answered": np.zeros(0), "answer": np.zeros((0, 0))}
        self._keep(Film(branch, asked.sample, arrays))
        if film is None:
            self.show()
        self._lay_anew()
        self.advanced.emit()
        for each in named:
            self._name(each)

    def _name(self, each: Named) -> None:
        if each.what in TOLD:
            self.said.emit(sentence(each), True)

    def _answered(self, number: int, name: str, answer: Any) -> None:
        if number in self._asked:
            model = self._asked.pop(number)
            self._taught[model] = knobs_from(answer["knobs"]), tuple(answer["offers"]), int(answer["updates"])
            self.changed.emit()
        elif self.under_way is not None and number == self.under_way.number:
            self.under_way = None
            self.show()

    def _refused(self, number: int, sentence: str) -> None:
        if number in self._asked:
            self._taught[self._asked.pop(number)] = Knobs(), (), 1000
        elif self.under_way is not None and number == self.under_way.number:
            self._in_vain.add((self.under_way.word, self.under_way.sample))
            self.under_way = None
            self.said.emit(sentence, False)
        self.show()
