"""The recordings that come with the app, so that it opens at once, without torch."""

from __future__ import annotations

from visualizer import registry
from visualizer.scene.state import State
from visualizer.trace import Trace, load


def shipped_trace(state: State) -> Trace | None:
    """The shipped recording of this model with this input, if there is one."""
    if state.objective != "loss" or state.edits:
        return None
    for path in registry.files("assets", "traces/*.trace"):
        if path.stem.startswith(state.model):
            found = load(path)
            if (found.model, found.sample.name) == (state.model, state.sample):
                return found
    return None
