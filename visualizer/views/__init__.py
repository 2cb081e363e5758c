"""Views: pure functions from (trace, moment, focus, look) to a Picture. One file, one view.

Each file names its view in `VIEW`; the window's tabs, the command line, the lessons and the tests find it there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import TypeVar

from visualizer import registry
from visualizer.language import english, speaking, tr
from visualizer.scene import projector
from visualizer.scene.chains import stepped, stepwise
from visualizer.scene.picture import Focus, Look, Picture
from visualizer.scene.state import called_now
from visualizer.scene.stillness import still
from visualizer.scene.subject import CHANNEL
from visualizer.scene.timeline import Added, Beat, Moment, Pace, Timeline, timeline
from visualizer.trace import Cell, Trace

AT = "at"
"""What a digit turns in a view where it goes to a moment: to its address, or with none back to where one stood."""
Made = TypeVar("Made", Picture, Picture | None)
DRAG, ALL = "drag", "all"
"""How numbers are set by hand in a view."""
WHOLE, STEPS, GRADIENTS, PARTS = (english("The network"), english("Step by step"), english("Gradients"),
                                  english("Maps and weights"))
"""What views stand together as. Groups come in the order of their first views."""


@dataclass(frozen=True)
class View:
    """One way of looking at a trace. Whatever it draws has its words in the language of the Look."""

    name: str
    title: str
    """What its tab says."""
    sentence: str
    """What it shows, for menus and tooltips."""
    suits: Callable[[Trace], bool]
    """Whether it has anything to show of this trace."""
    draw: Callable[[Trace, Moment, Focus | None, Look], Picture]
    """The picture at a text scale of 1; `picture` scales it."""
    wants: str = CHANNEL
    """What it is about: a `channel`, or one `number`; `scene.subject` finds it."""
    telling: Callable[[Trace, Timeline], str] | None = None
    """Address of the moment at which it has most to tell, where nobody has chosen one; the first beat without it."""
    pace: Callable[[Trace, Moment, Focus | None, Look], Pace] | None = None
    """How long a beat, given settled, takes in it, and in how many terms it goes; the timeline's own without it."""
    sums: Callable[[Trace, Moment, Focus | None, Look], tuple[Added, ...]] | None = None
    """What the terms of a beat, given settled, come to one after the other; None where it adds nothing up."""
    after: Callable[[Trace, Look], tuple[Beat, ...]] | None = None
    """What it shows being done with an answer once the network has given it, as beats more: each has a `doing`. They
    may hang on the knobs, so that others come when one is turned. Every other view shows that answer meanwhile."""
    order: int = 50
    """Place among the tabs of its group, smallest first."""
    group: str = PARTS
    """What it stands together with."""
    tries: str = ""
    """What to try in it, one sentence."""
    aside: Callable[[Trace, Moment, Focus | None, Look], Picture] | None = None
    """A small picture that stands beside the stage, where the window has room for it."""
    rail: Callable[[Trace, Moment, Focus | None, Look], Picture] | None = None
    """What it offers to choose from, in place of the models and inputs in the rail, which become icons above it."""
    refuses: Callable[[Trace, str, str], str] | None = None
    """What is wrong with a word that was typed in the rail for a knob, one sentence; nothing where it will do."""
    page: Callable[[Trace, Moment, Focus | None, Look], Picture | None] | None = None
    """What the inspector says in place of the facts about the focus; None where it has nothing of its own to say."""
    tip: Callable[[Trace, Moment, Focus, Look], str] | None = None
    """What it says of the place that is pointed at, beside what is read there; nothing where it has nothing to say."""
    continuous: bool = True
    """Whether one beat moves into the next; False where each beat is a page of its own."""
    knobs: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Settings it understands, each with the words it takes, the first being the default; without any it takes every
    word, as the name of a gate that only some networks have."""
    glides: tuple[str, ...] = ()
    """Those of them that are numbers: what lies between their words is a picture, too, and the window moves through."""
    studies: tuple[str, ...] = ()
    """What it shows beyond the recording itself: names of files in `record/studies`, measured when it is looked at."""
    at_once: tuple[str, ...] = ()
    """Those of its studies that come with a recording of an edited network, since it shows nothing without them."""
    carries: tuple[str, ...] = ()
    """Those whose last result stands there after an edit, until the next has come."""
    of_network: tuple[str, ...] = ()
    """Those of its studies that are the same whatever is fed in: measured once for a network."""
    words: Callable[[Look], str] | None = None
    """What these are asked for by how it is looked at, in words of their own; nothing for the usual."""
    asks: Callable[[Trace | None, Focus | None, Look], tuple[str, ...]] | None = None
    """Its studies, of those named, that it shows as it is looked at, each with its words behind a colon; all of them,
    in the same `words`, without it."""
    worded: tuple[str, ...] = ()
    """Those that are asked for in these words; all where none are named."""
    instead: Callable[[Trace], tuple[Beat, ...]] | None = None
    """Its own beats, where it shows another time than that in which the network computes: updates."""
    digit: Callable[[Trace, int], tuple[str, str] | None] | None = None
    """Which knob a digit key turns in it, and to which word; None where the digit means nothing here."""
    tunes: str = ""
    """How numbers of the network can be set by hand in it: by a `drag`; or by `all`, a drag, a click and typing, and
    the input's too; empty for not at all."""
    apart: Callable[[Trace, Look], tuple[str, Cell] | None] | None = None
    """Of a view of a training: which of torch's parameters the microscope takes apart from there, and which number of
    it; None where there is none."""
    by_step: bool = False
    """Whether it draws a recurrent layer over its steps; so does every view of the group that goes step by step."""

    def __post_init__(self) -> None:
        if self.by_step or self.group == STEPS:
            object.__setattr__(self, "suits", stepwise(self.suits))
        for name in ("draw", "aside", "rail", "page"):
            if (draws := getattr(self, name)) is not None:
                draws = stepped(draws) if self.by_step or self.group == STEPS else draws
                object.__setattr__(self, name, _in_its_language(_without_travel(draws, self.pace, self.beats)))

    def beats(self, trace: Trace, look: Look) -> Timeline:
        """The beats of a recording, and those that this view has after them; or those that it has instead."""
        if self.instead is not None:
            return Timeline(self.instead(trace))
        return timeline(trace) if self.after is None else timeline(trace).extended(self.after(trace, look))

    def takes(self, name: str, word: str) -> bool:
        """Whether a knob can be turned to that word."""
        found = dict(self.knobs).get(name)
        return found is not None and (not found or word in found or (name in self.glides and _between(word, found)))

    def measured(self, look: Look, trace: Trace | None = None, focus: Focus | None = None) -> tuple[str, ...]:
        """What it shows beyond the recording, as it is looked at: names of studies, with the words behind a colon."""
        own = replace(look, knobs=tuple((name, word) for name, word in look.knobs if self.takes(name, word)))
        if self.asks is not None:
            return self.asks(trace, focus, own)
        words = "" if self.words is None else self.words(own)
        return tuple(f"{name}:{words}" if words and name in (self.worded or self.studies) else name
                     for name in self.studies)


def _without_travel(draws: Callable[[Trace, Moment, Focus | None, Look], Made],
                    pace: Callable[[Trace, Moment, Focus | None, Look], Pace] | None,
                    beats: Callable[[Trace, Look], Timeline]) -> \
        Callable[[Trace, Moment, Focus | None, Look], Made]:
    @wraps(draws)
    def drawn(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Made:
        if not look.reduced_motion or moment.phase == 1:
            return draws(trace, moment, focus, look)
        return still(draws, pace, beats(trace, look), trace, moment, focus, look)

    return drawn


def _in_its_language(draws: Callable[[Trace, Moment, Focus | None, Look], Made]) -> \
        Callable[[Trace, Moment, Focus | None, Look], Made]:
    @wraps(draws)
    def drawn(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Made:
        with speaking(look.language):
            return draws(trace, moment, focus, look)

    return drawn


def _between(word: str, ends: tuple[str, ...]) -> bool:
    try:
        return min(map(float, ends)) <= float(word) <= max(map(float, ends))
    except ValueError:
        return False


def picture(view: View, trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The picture of a view in so many pixels: laid out at a text scale of 1, then scaled as a whole."""
    drawn = view.draw(trace, moment, focus, look.laid_out).scaled(look.text_scale, look.size)
    return projector.bold(drawn) if look.projector else drawn


def beside(view: View, trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The small picture of a view that stands beside the stage, scaled in the same way; the view must have one."""
    assert view.aside is not None
    return view.aside(trace, moment, focus, look.laid_out).scaled(look.text_scale, look.size)


def all_views() -> tuple[View, ...]:
    """Every view found in this folder, in the order of the tabs: group by group."""
    found = sorted((module.VIEW for module in registry.modules("views")), key=lambda view: view.order)
    groups = list(dict.fromkeys(view.group for view in found))
    return tuple(sorted(found, key=lambda view: groups.index(view.group)))


def by_words(study: str) -> bool:
    """Whether some view asks for a study in words, so that it is measured anew whenever a knob is turned."""
    name = study.partition(":")[0]
    return any((view.words or view.asks) is not None and name in (view.worded or view.studies) for view in all_views())


def find(name: str) -> View:
    """The view of that name, or of one that it had before; raises LookupError with one sentence."""
    for view in all_views():
        if view.name == called_now(name):
            return view
    raise LookupError(tr("There is no view {name!r}; choose one of {known}."
                         ).format(name=name, known=", ".join(view.name for view in all_views())))
