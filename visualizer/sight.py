"""Sight: what is looked at, resolved once. The one door between a place and its picture.

A place says what a person has chosen: a view, an address, a focus, a look; much of it may be left open, or fit another
recording than the one at hand. `sight` gives the pure answer to what is looked at then, and `picture` draws it. The
stage, the inspector, the audience, a figure, a film, a picture on the command line and from Python all ask here, so
that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Protocol

from visualizer import views
from visualizer.scene import figures
from visualizer.scene.picture import Focus, Look, Mark, Picture, Rect, Text
from visualizer.scene.subject import NUMBER, step_of, subject
from visualizer.scene.timeline import FORWARD, Moment, Timeline, timeline
from visualizer.trace import Trace, remembered
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
    look = replace(place.look, size=size or place.look.size, knobs=own_knobs(view, place.look))
    return Sight(view, moment, focus, subject(trace, moment, focus, view.wants), look)


def picture(trace: Trace, seen: Sight) -> Picture:
    """What is seen."""
    return views.picture(seen.view, trace, seen.moment, seen.focus, seen.look)


def seen(trace: Trace, place: Standpoint, moment: Moment | None = None, size: tuple[int, int] | None = None) -> Picture:
    """The picture of a place: what the stage shows, a film, and a file."""
    return picture(trace, sight(trace, place, moment, size))


def aside(trace: Trace, seen: Sight) -> Picture:
    """The small picture that stands beside it, of a view that has one."""
    return views.beside(seen.view, trace, seen.moment, seen.focus, seen.look)


def page(trace: Trace, seen: Sight) -> Picture | None:
    """What the view itself has to say in the inspector; None where it leaves that to the facts about the subject."""
    if seen.view.page is None:
        return None
    return seen.view.page(trace, seen.moment, seen.focus, replace(seen.look, text_scale=1.0))


def times(trace: Trace, place: Standpoint) -> Timeline:
    """The beats of a recording at the pace of the place's view, and the moment that is shown until one is chosen."""
    view = suiting(place.view, trace)
    look = replace(place.look, knobs=own_knobs(view, place.look))
    return _times(trace, view, existing(trace, place.focus), look)


def moment_of(trace: Trace, place: Standpoint) -> Moment:
    """The moment at which a place stands; an address of another recording falls back to the telling one."""
    known = times(trace, place)
    try:
        return known.find(place.at) if place.at else known.telling
    except LookupError:
        return known.telling


# --- several places -------------------------------------------------------------------------------------------------

def joined(traces: Sequence[Trace], places: Sequence[Standpoint], active: int) -> tuple[Moment, ...]:
    """A moment of each place: that of the active one, and of every other the same beat if it has that, else the one at
    the same share of its way."""
    lead = times(traces[active], places[active])
    here = moment_of(traces[active], places[active])
    share = lead.second_of(here) / lead.seconds if lead.seconds else Fraction(0)
    return tuple(here if index == active else _at_share(times(trace, place), here.address, share)
                 for index, (trace, place) in enumerate(zip(traces, places, strict=True)))


def _at_share(known: Timeline, address: str, share: Fraction) -> Moment:
    try:
        return known.find(address)
    except LookupError:
        return known.at(known.seconds * share)


def across(count: int) -> int:
    """How many places stand beside each other in one row."""
    return count if count <= 3 else -(-count // 2) if count <= 6 else 4


def within(count: int, size: tuple[int, int]) -> tuple[tuple[float, float, int, int], ...]:
    """Where each of so many places stands in a picture: left, top, width, height without its heading."""
    columns = across(count)
    rows = -(-count // columns)
    wide = int((size[0] - figures.GAP * (columns - 1)) // columns)
    high = int((size[1] - figures.GAP * (rows - 1)) // rows - figures.LETTER)
    return tuple(((index % columns) * (wide + figures.GAP),
                  (index // columns) * (high + figures.LETTER + figures.GAP) + figures.LETTER, wide, high)
                 for index in range(count))


def beside(traces: Sequence[Trace], places: Sequence[Standpoint], active: int, size: tuple[int, int]) -> Picture:
    """Several places as one picture, at one time: what is pointed at lies in the active one."""
    boxes = within(len(places), size)
    drawn = [seen(trace, place, moment, (wide, high)) for (trace, place, moment, (_, _, wide, high))
             in zip(traces, places, joined(traces, places, active), boxes, strict=True)]
    titles = [title_of(trace) for trace in traces]
    found = figures.panels([picture if index == active else unfocused(picture)
                            for index, picture in enumerate(drawn)], across(len(places)), titles)
    x, y = boxes[active][:2]
    frame = Rect(x, y - figures.LETTER, 4, figures.LETTER - 2, "accent")
    return replace(found, size=size, still=(*found.still, frame), caption=found.caption, table=drawn[active].table)


def title_of(trace: Trace) -> str:
    """What a recording is of, in a few words."""
    return f"{trace.title or trace.model}, {trace.sample.title or trace.sample.name}"


def unfocused(picture: Picture) -> Picture:
    """The same, with nothing in it to point at."""
    def plain(mark: Mark) -> Mark:
        return replace(mark, focus=None, group=None) if isinstance(mark, Text) else \
            replace(mark, focus=None, group=None, holds=None)

    return replace(picture, still=tuple(map(plain, picture.still)), moving=tuple(map(plain, picture.moving)))


# --- what of a place a recording has --------------------------------------------------------------------------------

def suiting(name: str, trace: Trace) -> View:
    """The view of that name if it has anything to show of this recording, else the first that has."""
    found = [view for view in views.all_views() if view.suits(trace)]
    return next((view for view in found if view.name == name), found[0])


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
    if focus.part not in arrays:
        return Focus(focus.layer)
    shape = arrays[focus.part].shape
    inside = len(focus.cell) <= len(shape) and all(0 <= i < n for i, n in zip(focus.cell, shape, strict=False))
    return focus if inside else replace(focus, cell=())


# --- time -----------------------------------------------------------------------------------------------------------

@remembered(16)
def _times(trace: Trace, view: View, focus: Focus | None, look: Look) -> Timeline:
    plain, pace = timeline(trace), view.pace
    return plain.paced(None if pace is None else lambda moment: pace(trace, moment, focus, look.laid_out),
                       _first_sight(trace, view, focus, plain))


def _first_sight(trace: Trace, view: View, focus: Focus | None, plain: Timeline) -> str:
    """The beat of what has been chosen; without a choice the one at which the view has most to tell."""
    if focus is not None:
        found = plain.of(focus.layer, FORWARD, step_of(trace, focus))
        if found is not None:
            return found.address
    return "" if view.telling is None else view.telling(trace, plain)
