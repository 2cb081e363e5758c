"""Sight: what is looked at, resolved once. The one door between a place and its picture.

A place says what a person has chosen: a view, an address, a focus, a look; much of it may be left open, or fit another
recording than the one at hand. `sight` gives the pure answer to what is looked at then, and `picture` draws it. The
stage, the inspector, the audience, a figure, a film, a picture on the command line and from Python all ask here, so
that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

import numpy as np

from visualizer import answers, edits, lab, registry, titles, views
from visualizer.edits import trained, update
from visualizer.language import speaking, tr
from visualizer.scene import figures, numbers
from visualizer.scene import state as does
from visualizer.scene.picture import TITLE, Focus, Look, Mark, Picture, Rect, Text, grouped
from visualizer.scene.recipe import Recipe, is_of_run, reeled
from visualizer.scene.reel import Reel, title_of
from visualizer.scene.state import State, called_now, inner_address
from visualizer.scene.subject import NUMBER, step_of, subject
from visualizer.scene.timeline import FORWARD, UPDATE, Moment, Timeline
from visualizer.trace import OF_RUN, ONE_UPDATE, Trace, remembered
from visualizer.train import in_force, kept, taken_apart, words_of
from visualizer.train import seen as training
from visualizer.train.recordings import of_recordings
from visualizer.views import View


class Standpoint(Protocol):
    """Where one stands in a recording: a Place, the active place of a State, or a film."""

    @property
    def view(self) -> str:
        """Name of a view."""

    @property
    def at(self) -> str:
        """Address of a moment; empty where none has been chosen."""

    @property
    def focus(self) -> Focus | None:
        """What has been chosen."""

    @property
    def look(self) -> Look:
        """How it is looked at."""

    @property
    def reel(self) -> tuple[str, ...]:
        """What the recordings are called through which one goes; none for a single one."""


TRAINING = "training"
"""The view of a training."""
Recorded = Trace | tuple[Trace, ...]
"""What there is to be seen from a place: one recording, or those of its reel, that of its own recipe the last."""


@dataclass(frozen=True)
class Sight:
    """What is looked at: nothing in it is open any more."""

    view: View
    moment: Moment
    focus: Focus | None
    """What has been chosen, as far as this recording has it."""
    subject: Focus
    """What the moment is about: what has been chosen, or what the view chooses where nothing has."""
    look: Look
    """With the knobs that the view has, and no others."""


def sight(trace: Trace, place: Standpoint, moment: Moment | None = None, size: tuple[int, int] | None = None) -> Sight:
    """What is looked at from a place in a recording; at another `moment` than its own, or in another `size`.

    A view that has nothing to show of the recording gives way to the first that has.
    """
    view = suiting(place.view, trace)
    focus = existing(trace, place.focus)
    if moment is None:
        moment = moment_of(trace, place)
    size = size or place.look.size
    look = replace(place.look, size=size, widest=place.look.widest if size == place.look.size else 0,
                   knobs=own_knobs(view, place.look))
    return Sight(view, moment, focus, subject(trace, moment, focus, view.wants), look)


def picture(trace: Trace, seen: Sight) -> Picture:
    """What is seen."""
    return views.picture(seen.view, trace, seen.moment, seen.focus, seen.look)


def seen(found: Recorded, place: Standpoint, moment: Moment | None = None, size: tuple[int, int] | None = None,
         look: Callable[[Look], Look] = lambda look: look) -> Picture:
    """The picture of a place: what the stage shows, a film, and a file; `look` changes how it is looked at, at last."""
    def one(trace: Trace, moment: Moment | None, size: tuple[int, int] | None) -> Picture:
        it = sight(trace, place, moment, size)
        return picture(trace, replace(it, look=look(it.look)))

    found = as_seen(found, place)
    if isinstance(found, Trace):
        return one(found, moment, size)
    with speaking(place.look.language):
        size = size or place.look.size
        scale = look(replace(place.look, size=size)).text_scale
        return reel(found, place).picture(one, moment or moment_of(found, place), size, scale)


def input_words(trace: Trace, place: int, count: int) -> str:
    """`input 12 of 400, labelled 4, answered 9`; a `place` of 0 is that of an input which is in no list, and is called
    what it is where there is none."""
    words = tr("input {number} of {count}") if place else tr("an input beside the list of {count}")
    said = [words.format(number=numbers.count(place), count=numbers.count(count))] if count else \
        [titles.of(trace.sample)]
    label, answer = trace.sample.label, answers.short(trace)
    if label is not None:
        said.append(tr("labelled {label}").format(label=trace.labels[label] if label < len(trace.labels) else label))
    if answer:
        said.append(tr("answered {answer}").format(answer=answer))
    return ", ".join(said)


def aside(trace: Trace, seen: Sight) -> Picture:
    """The small picture that stands beside it, of a view that has one."""
    return views.beside(seen.view, trace, seen.moment, seen.focus, seen.look)


def rail(trace: Trace, seen: Sight) -> Picture:
    """What a view offers in the rail, of one that has such a picture."""
    assert seen.view.rail is not None
    return seen.view.rail(trace, seen.moment, seen.focus, seen.look)


def page(trace: Trace, seen: Sight) -> Picture | None:
    """What the view itself has to say in the inspector; None where it leaves that to the facts about the subject."""
    if seen.view.page is None:
        return None
    return seen.view.page(trace, seen.moment, seen.focus, replace(seen.look, text_scale=1.0))


def times(found: Recorded, place: Standpoint) -> Timeline:
    """The beats of a recording at the pace of the place's view, and the moment that is shown until one is chosen; or
    those of a reel."""
    found = as_seen(found, place)
    if not isinstance(found, Trace):
        return reel(found, place).times
    trace = found
    view = suiting(place.view, trace)
    look = replace(place.look, knobs=own_knobs(view, place.look))
    return _times(trace, view, existing(trace, place.focus), look)


def moment_of(found: Recorded, place: Standpoint) -> Moment:
    """The moment at which a place stands; an address of another recording falls back to the telling one. A single
    recording of a reel is looked at where all of them are."""
    found = as_seen(found, place)
    known = times(found, place)
    at = inner_address(place.at, place.reel) if isinstance(found, Trace) else place.at
    return (known.nearest(at) if at else None) or known.telling


def reel(found: tuple[Trace, ...], place: Standpoint) -> Reel:
    """The recordings of a place one after the other, at the moment at which they are looked at; Refused where they are
    not of one network."""
    with speaking(place.look.language):
        titles = tuple(map(title_of, place.reel))
    return _reel(found, place.reel, moment_of(found[-1], place), titles)


def nearest(found: Recorded, place: Standpoint) -> Trace:
    """The recording at which a place stands, or the one that is the nearest to it in a reel."""
    found = as_seen(found, place)
    return found if isinstance(found, Trace) else found[reel(found, place).nearest(moment_of(found, place))]


def own(found: Recorded) -> Trace:
    """The recording of a place's own recipe."""
    return found if isinstance(found, Trace) else found[-1]


# --- the updates of a training --------------------------------------------------------------------------------------

def shows_updates(view: str) -> bool:
    """Whether the time of a view is that of a training, update by update."""
    return training.STUDY in views.find(view).studies


def gathered(found: tuple[Trace, ...]) -> tuple[Trace, ...]:
    """Recordings of one network at several updates, each with what all of them tell of its training; as they are where
    they are not those of one network, or are only two."""
    shapes = {each.shapes for each in found}
    if len(found) < 3 or len(shapes) > 1 or any(training.STUDY in each.studies for each in found):
        return found
    arrays = of_recordings(found)
    return tuple(replace(each, studies={**each.studies, training.STUDY: arrays}) for each in found)


def as_seen(found: Recorded, place: Standpoint) -> Recorded:
    """What a view sees of a place: the view of a training sees all recordings of it at once, as one."""
    if isinstance(found, tuple) and shows_updates(place.view) and training.STUDY in found[-1].studies:
        return found[-1]
    return found


def along_run(state: State, trace: Trace, moment: Moment) -> State:
    """From the view of a training to the one that a State asks for, with the updates as its time: it shows the network
    as it was at the update where one stands, of which `trace` holds the run. As it is where there is none."""
    held = trace.studies.get(training.STUDY)
    if held is None or len(held["kept"]) < 2:
        return state
    names = state.reel or tuple(str(int(step)) for step in held["kept"])
    name = names[min(reached(moment), len(names) - 1)]
    plain = times(trace, replace(state.place, at="", reel=()))
    ends = [beat for beat in plain.beats if beat.direction == FORWARD]
    told = plain.telling.beat if plain.first_sight or not ends else ends[-1]
    if state.reel:
        return does.changed(state, at=f"{name}:{told.address}", playing=False)
    run, said = training.words_of(dict(held)), trace.facts.get(OF_RUN, {})
    apart = views.find(TRAINING).apart
    weight = apart(trace, state.look) if apart is not None and views.find(state.view).wants == NUMBER else None
    longer = None if said.get("file") else kept.stored(run.model)
    stored = set() if longer is None else {each.step for each in longer.checkpoints}
    known = said.get("file") or (longer is not None and longer.course == run.course and not run.data
                                 and stored.issuperset(map(int, names)))
    course = "" if known else words_of(run.course)
    if weight is not None and trace.model in registry.models():
        words = update.words_for(int(name) + 1, weight[0], course, run.data)
        optimiser = in_force(run.course, int(name)).optimiser
        return does.one_update(state, words, Focus("gradient", taken_apart.cell_in_maps(held, *weight)),
                               f"{taken_apart.FIRST_MADE[optimiser]}.forward")
    return does.along_run(state, names, trained.words_for(int(name), course, run.data), told.address)


def ends_of_run(state: State, trace: Trace) -> tuple[Recipe, ...]:
    """What is compared with the update of a training at which one stands in its reel: before the first one, and the
    best, as far as they are others."""
    held, here = trace.studies.get(training.STUDY), int(state.reel[does.reached_in(state)])
    if held is None:
        return ()
    losses = np.asarray(held["held_loss"], float)
    best = int(held["kept"][np.where(np.isfinite(losses), losses, np.inf).argmin()])
    steps = dict.fromkeys(step for step in (int(held["kept"][0]), best) if step != here)
    return reeled(state.recipe, map(str, steps))


def back_to_run(state: State, trace: Trace) -> State:
    """The same State in the view of the training, at the update where one stands in its reel."""
    place = does.reached_in(state)
    held = trace.studies.get(training.STUDY)
    step = int(state.reel[place]) if is_of_run(state.reel) else 0 if held is None else int(held["kept"][place])
    at = f"{trace.layers[0].name}.{UPDATE}" + (f"[{step}]" if step else "")
    if not is_of_run(state.reel):
        return does.changed(state, at=at, playing=False)
    return does.changed(does.off_run(state), reel=(), at=at, playing=False)


def back_from_update(state: State, trace: Trace | None) -> State:
    """The same State in the view of the training, before the update that was taken apart; `trace` is the recording of
    the network that was opened, if it is at hand."""
    step = next(int(arguments[0]) - 1 for edit, arguments in edits.of(state.edits, edits.WEIGHTS)
                if edit.name == ONE_UPDATE)
    at = f"{trace.layers[0].name}.{UPDATE}" + (f"[{step}]" if step else "") if trace is not None else ""
    return does.changed(does.off_run(state), focus=None, at=at, playing=False)


def reached(moment: Moment) -> int:
    """Which checkpoint of a training was reached last; nothing lies between two."""
    return moment.index if moment.phase == 1 else max(0, moment.index - 1)


# --- several places -------------------------------------------------------------------------------------------------

def joined(found: Sequence[Recorded], places: Sequence[Standpoint], active: int,
           moment: Moment | None = None) -> tuple[Moment, ...]:
    """A moment of each place: that of the active one, and of every other the same beat if it has that, else the one at
    the same share of its way. The active one may stand at another `moment` than its own."""
    lead = times(found[active], places[active])
    here = moment or moment_of(found[active], places[active])
    share = lead.second_of(here) / lead.seconds if lead.seconds else Fraction(0)
    return tuple(here if index == active else _at_share(times(trace, place), here.address, share)
                 for index, (trace, place) in enumerate(zip(found, places, strict=True)))


def _at_share(known: Timeline, address: str, share: Fraction) -> Moment:
    try:
        return known.find(address)
    except LookupError:
        return known.at(known.seconds * share)


def across(count: int) -> int:
    """How many places stand beside each other in one row."""
    return count if count <= 3 else -(-count // 2) if count <= 6 else 4


def within(count: int, size: tuple[int, int], scale: float = 1.0) -> tuple[tuple[float, float, int, int], ...]:
    """Where each of so many places stands in a picture: left, top, width, height without its heading."""
    head = round(figures.LETTER * scale)
    columns = across(count)
    rows = -(-count // columns)
    wide = int((size[0] - figures.GAP * (columns - 1)) // columns)
    high = int((size[1] - figures.GAP * (rows - 1)) // rows - head)
    return tuple(((index % columns) * (wide + figures.GAP),
                  (index // columns) * (high + head + figures.GAP) + head, wide, high)
                 for index in range(count))


def beside(recorded: Sequence[Recorded], places: Sequence[Standpoint], active: int, size: tuple[int, int],
           moment: Moment | None = None, look: Callable[[Look], Look] = lambda look: look) -> Picture:
    """Several places as one picture, at one time: what is pointed at lies in the active one."""
    wide, high = within(len(places), size)[0][2:]
    scale = look(replace(places[active].look, size=(wide, high))).text_scale
    boxes = within(len(places), size, scale)
    drawn = [seen(trace, place, moment, (wide, high), look) for (trace, place, moment, (_, _, wide, high))
             in zip(recorded, places, joined(recorded, places, active, moment), boxes, strict=True)]
    titles = [heading_of(own(trace)) for trace in recorded]
    found = figures.panels([picture if index == active else unfocused(picture)
                            for index, picture in enumerate(drawn)], across(len(places)), titles, scale)
    x, y = boxes[active][:2]
    head = round(figures.LETTER * scale)
    frame = Rect(x, y - head, 4 * scale, head - 2, "accent")
    still = (*found.still, *grouped(TITLE, (frame,)))
    return replace(found, size=size, still=still, caption=found.caption, table=drawn[active].table)


def heading_of(trace: Trace) -> str:
    """What a recording is of, in a few words; of the laboratory which knobs are turned."""
    turned = lab.turned(trace.facts.get("lab", {}))
    return f"{trace.title or trace.model}, {turned or titles.of(trace.sample)}"


def unfocused(picture: Picture) -> Picture:
    """The same, with nothing in it to point at."""
    def plain(mark: Mark) -> Mark:
        return replace(mark, focus=None, group=None) if isinstance(mark, Text) else \
            replace(mark, focus=None, group=None, holds=None)

    return replace(picture, still=tuple(map(plain, picture.still)), moving=tuple(map(plain, picture.moving)))


# --- what of a place a recording has --------------------------------------------------------------------------------

@remembered(4)
def suited(trace: Trace) -> tuple[View, ...]:
    """The views that have something to show of a recording, in the order of the tabs."""
    return tuple(view for view in views.all_views() if view.suits(trace))


def suiting(name: str, trace: Trace) -> View:
    """The view of that name if it has anything to show of this recording, else the first that has."""
    found = suited(trace)
    return next((view for view in found if view.name == called_now(name)), found[0])


def microscope(names: Iterable[str]) -> str:
    """The first of these views that takes one number apart; empty if none does."""
    return next((name for name in names if views.find(name).wants == NUMBER), "")


def own_knobs(view: View, look: Look) -> tuple[tuple[str, str], ...]:
    """The knobs that are turned, as far as this view has them: another one may call its own by the same name."""
    return tuple((name, word) for name, word in look.knobs if view.takes(name, word))


def existing(trace: Trace, focus: Focus | None) -> Focus | None:
    """The focus, or as much of it as exists: its layer without a cell outside it, or nothing."""
    if focus is None or focus.layer not in trace:
        return None
    layer = trace[focus.layer]
    arrays = {"output": layer.output, "gradient": layer.output, **layer.weights,
              **{f"inner.{key}": array for key, array in layer.inner.items()},
              **{f"inner.{key}": array for key, array in layer.inner_gradients.items() if key not in layer.inner},
              **{f"inner_gradients.{key}": array for key, array in layer.inner_gradients.items()}}
    if focus.array not in arrays:
        return Focus(focus.layer)
    shape = arrays[focus.array].shape
    inside = len(focus.cell) <= len(shape) and all(0 <= i < n for i, n in zip(focus.cell, shape, strict=False))
    return focus if inside else replace(focus, cell=())


# --- time -----------------------------------------------------------------------------------------------------------

@remembered(16)
def _reel(found: tuple[Trace, ...], names: tuple[str, ...], moment: Moment, titles: tuple[str, ...]) -> Reel:
    return Reel(found, names, moment, titles)


@remembered(16)
def _times(trace: Trace, view: View, focus: Focus | None, look: Look) -> Timeline:
    plain, pace = view.beats(trace, look), view.pace
    return plain.paced(None if pace is None else lambda moment: pace(trace, moment, focus, look.laid_out),
                       _first_sight(trace, view, focus, plain))


def _first_sight(trace: Trace, view: View, focus: Focus | None, plain: Timeline) -> str:
    """The beat of what has been chosen; without a choice, and where the view has a time of its own, the one at which
    it has most to tell."""
    if focus is not None and view.instead is None:
        found = plain.of(focus.layer, FORWARD, step_of(trace, focus))
        if found is not None:
            return found.address
    return "" if view.telling is None else view.telling(trace, plain)
