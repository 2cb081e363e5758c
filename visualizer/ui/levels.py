"""Levels: from the whole network into one number and out again, and from one unit to the one beside it."""

from __future__ import annotations

from dataclasses import replace

from visualizer import sight
from visualizer.scene import blocks
from visualizer.scene import state as does
from visualizer.scene.picture import Focus
from visualizer.scene.state import State, changed
from visualizer.scene.subject import NUMBER, array, is_inner, is_number, one_number, strongest, subject
from visualizer.scene.timeline import Moment, Timeline
from visualizer.sight import Sight
from visualizer.trace import Trace
from visualizer.ui import words

UNROLLED = "unrolled"
"""The view of all steps of a recurrent layer, if there is one."""


def beside(state: State, trace: Trace, moment: Moment, by: int) -> State:
    """The channel, unit or class before or after; where there are steps, the unit at the same step."""
    about = sight.sight(trace, state, moment).subject
    layer = trace[about.layer]
    inner = array(layer, about, moment.backward) if is_inner(about) else None
    if (inner is None and (layer.axes[:1] != ("step",) or layer.output.ndim != 2)) or not about.cell:
        return does.neighbour(changed(state, focus=about), trace, by)
    values = layer.output if inner is None else inner
    here = about.cell[1] if len(about.cell) == 2 else one_number(layer, about, moment.backward).cell[1] - by
    unit = min(max(here + by, 0), values.shape[1] - 1)
    return changed(state, focus=replace(about, cell=(about.cell[0], unit)))


def with_pixel(state: State, trace: Trace, moment: Moment) -> State:
    """The focus down to one cell: the marked one, if there is no other."""
    about = subject(trace, moment, state.focus)
    if about.array != "output":
        return state
    return changed(state, focus=replace(about, cell=strongest(trace[about.layer], moment.backward, about.cell)))


def into(state: State, trace: Trace, moment: Moment, views: frozenset[str]) -> State:
    """One level in: the layer, its step or its strongest channel, its strongest pixel, and that one taken apart.

    From a channel it goes straight to its strongest pixel under the microscope, if there is that view. A closed block
    opens first.
    """
    if name := closed_block(state, trace, moment, moment.beat.layer if state.focus is None else state.focus.layer):
        return block_toggled(state, trace, moment, name)
    if state.focus is None:
        return changed(state, focus=Focus(moment.beat.layer))
    about = subject(trace, moment, state.focus)
    layer = trace[about.layer]
    if is_inner(about) and about.cell:
        state = changed(state, focus=one_number(layer, about, moment.backward))
        return changed(state, view=sight.microscope(views) or state.view)
    if about.array != "output" or not layer.shape:
        return state
    if not state.focus.cell or not about.cell:
        return changed(state, focus=Focus(about.layer, about.cell[:1] or strongest(layer, moment.backward)[:1]))
    state = with_pixel(state, trace, moment)
    return changed(state, view=sight.microscope(views) or state.view)


def to_level(state: State, trace: Trace, times: Timeline, focus: Focus | None, views: tuple[str, ...]) -> State:
    """The level of a crumb: what it names, seen in the first view if it is more than the one number under the
    microscope."""
    number = focus is not None and focus.layer in trace and is_number(trace, focus)
    if _in_microscope(state, views) and not number:
        state = changed(state, view=_around(state.focus, views))
    return does.select(replace(state, playing=False), trace, times, focus)


def standing(seen: Sight) -> Focus | None:
    """Where one stands among the levels: as deep as what has been chosen, in the layer of the beat; None at the top."""
    if seen.view.wants == NUMBER:
        return seen.subject
    if seen.focus is None:
        return None
    about = replace(seen.subject, cell=seen.subject.cell[:len(seen.focus.cell)])
    return about if about.cell or not (about.array == "output" or is_inner(about)) else Focus(about.layer)


def out(state: State, trace: Trace, seen: Sight, views: tuple[str, ...], back: str = "") -> State:
    """One level out: from the number taken apart to what it is one of, in the view that it was opened in, `back`, if
    that shows its layer, or in the first; then step by step to the whole network. What the path does not name is no
    level."""
    state = changed(state, focus=standing(seen))
    if _in_microscope(state, views):
        there = changed(state, view=back) if back in views and back != state.view else state
        stands = standing(sight.sight(trace, there))
        same = stands is not None and state.focus is not None and stands.layer == state.focus.layer
        state = there if there is not state and same else changed(state, view=_around(state.focus, views))
    here = words.path(trace, state.focus)
    while state.focus is not None and words.path(trace, state.focus) == here:
        state = does.up(state)
    return state


def has_blocks(state: State, trace: Trace) -> bool:
    """Whether the view shows blocks that open and close, and there are some."""
    return blocks.KNOB in dict(sight.suiting(state.view, trace).knobs) and blocks.any_of(trace)


def closed_block(state: State, trace: Trace, moment: Moment, layer: str) -> str:
    """The closed block in which a layer is seen; empty where it is seen itself."""
    if layer not in trace or not has_blocks(state, trace):
        return ""
    return blocks.closed_at(trace, state.look, moment, layer)


def is_closed(state: State, trace: Trace, moment: Moment, name: str) -> bool:
    """Whether the closed block of that name is still closed."""
    fold = blocks.fold_at(trace, moment, state.look)
    return fold is not None and any(block.name == name for block in fold.closed.values())


def block_toggled(state: State, trace: Trace, moment: Moment, name: str) -> State:
    """With a closed block open, or an open one closed."""
    place = blocks.places(trace)[moment.beat.layer]
    return does.turned(state, blocks.KNOB, blocks.toggled(trace, state.look, place, name).word)


def block_closed(state: State, trace: Trace, moment: Moment) -> State | None:
    """With the innermost open block round the moment closed; None where nothing has been chosen but the network, and
    there is none."""
    if state.focus is not None or not has_blocks(state, trace):
        return None
    name = blocks.open_around(trace, state.look, moment)
    return block_toggled(state, trace, moment, name) if name else None


def at_top(state: State, views: tuple[str, ...]) -> bool:
    """Whether nothing lies above but the start screen."""
    return state.focus is None and not _in_microscope(state, views)


def _in_microscope(state: State, views: tuple[str, ...]) -> bool:
    """Whether one number is looked at that can be seen among others, too."""
    return bool(views) and state.view == sight.microscope(views) and state.view != views[0]


def _around(focus: Focus | None, views: tuple[str, ...]) -> str:
    """The view that a number is seen in among others: gates and states among their steps, all else in the first."""
    inner = focus is not None and is_inner(focus)
    return UNROLLED if inner and UNROLLED in views else views[0]
