"""Saving: what is shown becomes a file, or one sentence says why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from visualizer.language import tr
from visualizer.registry import NotWritten
from visualizer.scene.state import State, changed
from visualizer.trace import Refused
from visualizer.ui.page import WALK, looked_at
from visualizer.ui.stage import own_knobs, suiting
from visualizer.ui.store import Store

if TYPE_CHECKING:
    from visualizer.export import Panel


def saved(path: str, save: Callable[[Path], object]) -> str:
    """Save, and say so; or say in one sentence why not. A sentence that `save` answers is added."""
    try:
        note = save(Path(path))
    except (Refused, LookupError, ValueError, OSError, MemoryError) as error:
        said = tr("{name} was not saved: {why}").format(name=Path(path).name, why=error)
        return str(error) if isinstance(error, NotWritten) else said
    said = tr("Saved as {name}.").format(name=Path(path).name)
    return f"{said} {note}" if isinstance(note, str) and note else said


def pictured(store: Store) -> State:
    """The State as far as the picture depends on it: in the microscope with its number, and no other view's knobs;
    notes stay with the speaker."""
    trace, moment, state = store.trace, store.moment, store.state
    state = replace(state, notes=(), strokes=state.strokes if state.inked else ())
    if trace is None or moment is None:
        return state
    view = suiting(state.view, trace)
    look = replace(state.look, knobs=tuple(sorted(own_knobs(view, state.look))))
    focus = looked_at(trace, moment, state) if state.view == WALK else state.focus
    return changed(state, look=look, focus=focus, view=view.name)


def panel(store: Store, size: tuple[int, int]) -> Panel:
    """What the stage shows in so many pixels, as it stands in a figure."""
    from visualizer.export import Panel  # not before the window is seen

    assert store.trace is not None
    state = pictured(store)
    return Panel(store.trace, changed(state, look=replace(state.look, size=size)))


def file_name(state: State) -> str:
    """What a file is called that shows where one stands."""
    name = f"{Path(state.model).stem}-{state.at or 'input'}"
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)
