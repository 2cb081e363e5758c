"""Saving: what is shown becomes a file, or one sentence says why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from visualizer import sight
from visualizer.language import ENGLISH, tr
from visualizer.registry import NotWritten
from visualizer.scene.picture import Picture
from visualizer.scene.state import State, changed, to_place
from visualizer.scene.subject import NUMBER
from visualizer.trace import Refused
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
    """The State as far as a film depends on it: without other views' knobs; notes stay with the speaker."""
    seen, state = store.sight, store.state
    state = replace(state, notes=(), strokes=state.strokes if state.inked else ())
    if seen is None:
        return state
    return changed(state, look=replace(seen.look, knobs=tuple(sorted(seen.look.knobs))), view=seen.view.name)


def pinned(store: Store) -> State:
    """The same as far as a picture depends on it, which stays at its moment: in the microscope with its number."""
    seen, state = store.sight, pictured(store)
    return changed(state, focus=seen.subject) if seen is not None and seen.view.wants == NUMBER else state


def for_programs(store: Store) -> Picture | None:
    """What is shown, in English: the numbers of it that leave the window are read by programs. None without one."""
    seen, trace = store.sight, store.trace
    if seen is None or trace is None:
        return None
    if store.readers:
        state = changed(store.state, look=replace(store.state.look, language=ENGLISH))
        return panel(store, state.look.size).draw(state.look.size)
    return sight.picture(trace, replace(seen, look=replace(seen.look, language=ENGLISH)))


def panel(store: Store, size: tuple[int, int]) -> Panel:
    """What the stage shows in so many pixels, as it stands in a figure."""
    from visualizer.export import Panel  # not before the window is seen

    assert store.trace is not None
    if readers := store.readers:
        state = changed(store.state, look=replace(store.state.look, size=size), notes=())
        return Panel(readers[state.active].trace, state, readers=readers)
    state = pinned(store)
    return Panel(store.recorded or store.trace, changed(state, look=replace(state.look, size=size)))


def beside(store: Store) -> list[Panel]:
    """Every place as a panel of its own, at the time of the active one; none where there is only one."""
    from visualizer.export import Panel

    several, state = () if store.readers else store.beside, pictured(store)
    moments = sight.joined(several, state.places, state.active) if several else ()
    return [Panel(trace, changed(to_place(state, index), at=moment.address))
            for index, (trace, moment) in enumerate(zip(several, moments, strict=True))]


def file_name(state: State) -> str:
    """What a file is called that shows where one stands."""
    name = f"{Path(state.model).stem}-{state.at or 'input'}"
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)
