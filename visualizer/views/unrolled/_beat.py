"""The beat of a step among its columns: the token drops in, the last state slides along into the step; on the way back
the gradient hops from column to column, and each hop prints what it keeps."""

from __future__ import annotations

import numpy as np

from visualizer.said import said
from visualizer.scene import numbers
from visualizer.scene.picture import Flight, Focus, Image, Look, Mark, Rect, Text, plain
from visualizer.scene.timeline import Moment, ease, in_beat
from visualizer.scene.type import width
from visualizer.size import norm
from visualizer.trace import Trace
from visualizer.views.unrolled._columns import gradient_scale, gradient_shades, shades, state_scale
from visualizer.views.unrolled._plan import Plan, Track

FAINT = 0.55
"""How much of a state is seen on its way: what it came from still stands in its own column."""


def beat(trace: Trace, plan: Plan, moment: Moment, look: Look) -> list[Mark]:
    """What is on its way in the step of the beat; nothing while columns fold, or where nobody is told to look."""
    track = plan.track
    if plan.moved > 0 or not in_beat(track.shown.layer, moment) or moment.beat.step is None:
        return []
    if moment.backward:
        return [*_hop(plan, track), *_kept(plan, track, look)]
    return [*_dropping(trace, plan, track), *_sliding(plan, track)]


def _dropping(trace: Trace, plan: Plan, track: Track) -> list[Mark]:
    """What is read falls from its box into the state's column."""
    share = plan.beat.of("token")
    if not 0 < share < 1 or plan.source is not None:
        return []
    step = plan.reached - 1
    x, y = plan.open_x(step), plan.inputs_y + 32
    fallen = y + (track.hidden - 22 - y) * ease(share)
    side = min(20.0, plan.tile)
    word = track.shown.words[step]
    seen = min(1.0, 4 * share, 4 * (1 - share))
    source, target = Focus(trace.layers[0].name, (step,)), Focus(track.shown.layer.name, (step,))
    number = float(np.asarray(trace.layers[0].output).reshape(len(track.shown.words), -1)[step, 0]) \
        if trace.layers[0].output.size % len(track.shown.words) == 0 else float(step)
    marks: list[Mark] = [Rect(x + (plan.tile - side) / 2, fallen, side, side, "accent-fill", radius=5, opacity=seen,
                              holds=Flight(source, target, number, ease(share)))]
    if width(word, 12, 600, mono=True) <= side - 4:
        marks.append(Text(x + plan.tile / 2, fallen + side / 2 + 4.5, plain(word), 12, 600, "on-accent", "middle",
                          mono=True, opacity=seen))
    return marks


def _sliding(plan: Plan, track: Track) -> list[Mark]:
    """The last state goes over into the column of the step, where it is read with what dropped in."""
    share = plan.beat.of("token")
    before = plan.reached if track.shown.reverse else plan.reached - 2
    if not 0 < share < 1 or not 0 <= before < track.shown.steps:
        return []
    entries = shades(track.shown, track.order, track.per_row)
    return _moving(plan, track, before, plan.reached - 1, share, entries, False)


def _hop(plan: Plan, track: Track) -> list[Mark]:
    """The gradient of the step that came before on this way goes over into this one."""
    share = plan.beat.of("arrive")
    before = plan.reached - 2 if track.shown.reverse else plan.reached
    entries = gradient_shades(track.shown, track.order, track.per_row)
    if not 0 < share < 1 or not 0 <= before < track.shown.steps or entries is None:
        return []
    return _moving(plan, track, before, plan.reached - 1, share, entries, True)


def _moving(plan: Plan, track: Track, before: int, step: int, share: float, entries: np.ndarray,
            backward: bool) -> list[Mark]:
    """A column on its way to the one beside it; it fades in and out."""
    x = plan.open_x(before) + (plan.open_x(step) - plan.open_x(before)) * ease(share)
    name = track.shown.layer.name
    size = norm(track.shown.gradients[before] if backward and track.shown.gradients is not None
                                else track.shown.states[before])
    scale = gradient_scale(f"{name}.hidden", track.shown.gradients) \
        if backward and track.shown.gradients is not None else state_scale(track.shown)
    return [Image(x, track.hidden, (plan.tile, track.cell), np.ascontiguousarray(entries[before][None, :, None]),
                  "gradient" if backward else "activation", border="accent" if not backward else "gradient-mark",
                  opacity=FAINT * min(1.0, 5 * share, 5 * (1 - share)), indices=(before,), scale=scale,
                  holds=Flight(Focus(name, (before,)), Focus(name, (step,)), size, ease(share), backward))]


def _kept(plan: Plan, track: Track, look: Look) -> list[Mark]:
    """Above each state that the gradient has reached: what the hop into it kept of its size, as measured."""
    shown = track.shown
    if shown.gradients is None or not track.weights or not look.mode.notes:
        return []
    own = shown.layer.inner_gradients.get("hidden_direct")
    marks: list[Mark] = []
    for step in plan.window:
        before = step - 1 if shown.reverse else step + 1
        if step >= shown.steps or not 0 <= before < shown.steps or track.arrived.of(step) < 1:
            continue
        came = norm(shown.gradients[before])
        passed = shown.gradients[step] - (0 if own is None else np.asarray(own[step], np.float64))
        if not came > 0:
            continue
        share = said(numbers.number(norm(passed) / came), "share of the gradient of a state that is handed to the next",
                     shown.layer.name, step=step)
        words = f"× {share}"
        if width(words, 11, 600) <= plan.pitch - 2:
            marks.append(Text(plan.open_x(step) + plan.tile / 2, track.hidden - 6, plain(words), 11, 600,
                              "gradient-text", "middle"))
    return marks
