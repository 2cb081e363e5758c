"""What can be done to a network, as the rail offers it: each kind of edit with the words that it begins with, or with
the reason why it makes no sense here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from visualizer import edits, kinds
from visualizer.edits.cuts import BENDS, ZERO, Added, Put, Replaced, Scaled
from visualizer.edits.weight import words_for
from visualizer.kinds.gates import family_of
from visualizer.language import tr
from visualizer.scene.picture import Focus
from visualizer.scene.state import State, changed, turned, unit_of
from visualizer.scene.telling import answered
from visualizer.scene.timeline import timeline
from visualizer.trace import Layer, Trace
from visualizer.views.surgery import _measured as measured

BY = "by"
"""The knob that says what stands in place of a channel that is switched off."""


@dataclass(frozen=True)
class Offer:
    """One kind of edit."""

    name: str
    title: str
    about: str
    """A few words under the title."""
    words: str
    """The edit as it would be done to what is chosen; it can be changed before. Empty where `lacks` says why not."""
    lacks: str = ""
    """For which networks it is, where it is none for this one."""


def offers(trace: Trace, focus: Focus | None) -> tuple[Offer, ...]:
    """All kinds of edits, for the channel or unit that is chosen, or the first there is."""
    layer, unit = chosen(trace, focus)
    gated = next((each for each in trace if (one := family_of(each)) is not None and one.kept[0]), None)
    forth = next((each for each in trace if family_of(each) is not None and each.axes[0] == "step"
                  and len(each.output) > 1 and not each.name.endswith(".reverse")
                  and f"{each.name}.reverse" not in trace), None)
    bent = next((each for each in trace if kinds.role(each) == "curve" and not each.inner and each.reads), None)
    of = next((each for each in trace if each.name == layer), None)
    dense = of if of is not None and _swappable(trace, of) else \
        next((each for each in trace if _swappable(trace, each)), None)
    weight = None if of is None else next((name for name in ("weight", "weight_ih") if name in of.weights), None)
    none = tr("for networks with channels or units")
    return (
        Offer("unit_off", tr("Channel off"), tr("or keep only this one"), f"unit_off:{layer}:{unit}" if layer else "",
              "" if layer else none),
        Offer("weight", tr("Weight"), tr("type it, or drag"),
              _weight(of, weight, unit) if of is not None and weight else "",
              "" if weight else tr("for layers with weights: choose another")),
        Offer("bias", tr("Bias"), tr("add or remove"), f"bias:{layer}:{unit}=1" if layer and not _steps(of) else "",
              "" if layer and not _steps(of) else tr("for convolutions and dense layers: choose one")),
        Offer("activation", tr("Activation"), tr("ReLU, leaky, none"),
              f"activation:{bent.name}={BENDS[0]}" if bent is not None else "",
              "" if bent is not None else tr("for networks with a ReLU, tanh or sigmoid between layers")),
        Offer("gate", tr("Gate"), tr("hold it open or shut"),
              f"gate_open:{gated.name}:{_gate(gated)}" if gated is not None else "",
              "" if gated is not None else tr("for networks with an LSTM or a GRU")),
        Offer("connection_off", tr("Connection"), tr("from one unit to another"),
              f"connection_off:{layer}:{unit},0" if of is not None and weight else "",
              "" if of is not None and weight else tr("for convolutions, dense and recurrent layers")),
        Offer("state_at", tr("State"), tr("another one after a step"),
              f"state_at:{forth.name}:{len(forth.output) // 2}={ZERO}" if forth is not None else "",
              "" if forth is not None else tr("for networks that go from step to step in one direction")),
        Offer("swapped", tr("Swap two channels"), tr("nothing should change"),
              "" if dense is None else f"swapped:{dense.name}:0,1",
              "" if dense is not None else tr("for convolutions and dense layers before another one")),
    )


def _steps(layer: Layer | None) -> bool:
    return layer is not None and family_of(layer) is not None


def _weight(layer: Layer, name: str, unit: int) -> str:
    held = layer.weights[name]
    place = (min(unit, held.shape[0] - 1), *(0 for _ in held.shape[1:]))
    return words_for(f"{layer.name}.{name}", place, float(held[place]))


def _gate(layer: Layer) -> str:
    """That which keeps what was there."""
    family = family_of(layer)
    return "" if family is None else family.kept[0]


def _swappable(trace: Trace, layer: Layer) -> bool:
    """Whether its units could change places: the next layer with weights reads them as they stand."""
    behind = next((each for each in trace.layers[trace.places[layer.name] + 1:] if each.weights), None)
    several = kinds.role(layer) == "weighted" and "step" not in layer.axes and layer.weights["weight"].shape[0] > 1
    return several and _learned(layer) and behind is not None and kinds.role(behind) in ("weighted", "norm")


def _learned(layer: Layer) -> bool:
    """Whether its weights are parameters of the network, so that they can be others."""
    return bool(layer.weights) and (bool(layer.weight_gradients) or layer.gradient is None)


def chosen(trace: Trace, focus: Focus | None) -> tuple[str, int]:
    """(layer with weights, unit) that is looked at; the first of the network where none is."""
    found = unit_of(focus, trace)
    if found is not None and (layer := measured.made_by(trace, found[0])):
        return layer, found[1]
    edited = next((place for word in reversed(measured.words(trace)) if (place := _unit_of(trace, word))), None)
    if edited is not None:
        return edited
    first = next((each for each in trace if _learned(each) and each.output.ndim
                  and kinds.role(each) != "table" and each.reads), None)
    return ("", 0) if first is None else (first.name, 0)


def _unit_of(trace: Trace, word: str) -> tuple[str, int] | None:
    """The channel or unit that an edit is done to; None for what is done to none alone."""
    edit, arguments = edits.parse(word)
    done = None if edit.cuts is None else edit.cuts(*arguments)
    if isinstance(done, Put) and done.place:
        layer, unit = done.parameter.rpartition(".")[0], done.place[0]
        if layer in trace and family_of(trace[layer]) is not None:
            unit %= trace[layer].output.shape[-1]
        return (layer, unit) if layer in trace else None
    if isinstance(done, Scaled | Added | Replaced) and done.layer in trace and done.unit is not None:
        return done.layer, done.unit
    return None


# --- done to the State ------------------------------------------------------------------------------------------------

def done(state: State, word: str, instead: str = "") -> State:
    """That edit, in the place of those of the same channel, weight, gate or pixel; an empty one takes away what is done
    to the same as `instead`. Raises LookupError for words that are no edit."""
    aim = target(word or instead)
    kept = [each for each in state.edits if target(each) != aim]
    at = next((place for place, each in enumerate(state.edits) if target(each) == aim), len(kept))
    return changed(state, edits=(*kept[:at], word, *kept[at:]) if word else tuple(kept))


def seen(state: State, trace: Trace | None) -> State:
    """At the moment at which the answer has come, so that all of what an edit does is seen; on the way back as it is.
    """
    if trace is None or state.view != "surgery" or ".backward" in state.at or state.playing:
        return state
    return changed(state, at=answered(trace, timeline(trace)))


def target(word: str) -> tuple[str, ...]:
    """What an edit is done to: two of the same target do not stand beside each other in a list."""
    edit, arguments = edits.parse(word)
    if edit.name in ("unit_off", "unit_scaled") or (edit.name == "replaced" and arguments[1] is not None):
        return "unit", *map(str, arguments[:2])
    if edit.name in ("gate_open", "gate_shut"):
        return "gate", *map(str, arguments)
    if edit.name in ("weight", "bias", "pixel", "state_at", "activation", "replaced"):
        return edit.name, *map(str, arguments[:-1])
    return (word,)


def volume(state: State, layer: str, unit: int) -> float:
    """How loud a channel or unit is: 1 as it is, 0 off."""
    for edit, arguments in edits.of(state.edits, edits.MODEL):
        if edit.name in ("unit_off", "unit_scaled") and arguments[:2] == (layer, unit):
            return 0.0 if edit.name == "unit_off" else float(arguments[2])
    return 1.0


def at_volume(state: State, layer: str, unit: int, factor: float) -> State:
    """A channel or unit so loud, 1 as it is."""
    off = f"unit_off:{layer}:{unit}"
    return done(state, "" if factor == 1 else off if factor == 0 else f"unit_scaled:{layer}:{unit}={factor:g}", off)


def off(layer: str, unit: int, by: str) -> str:
    """The edit by which a channel gives way to what stands in its place: zero, its mean, or that of an input."""
    return f"unit_off:{layer}:{unit}" if by in ("", ZERO) else f"replaced:{layer}:{unit}={by}"


def by(state: State, word: str) -> State:
    """Something else in the place of every channel that is off or replaced, and of those that will be."""
    state = turned(state, BY, word)
    for each in state.edits:
        edit, arguments = edits.parse(each)
        if edit.name == "unit_off" or (edit.name == "replaced" and arguments[1] is not None):
            state = done(state, off(arguments[0], arguments[1], word))
    return state


def without(state: State, word: str) -> State:
    """An edit gone, from what is done and from what is switched off."""
    kept = "|".join(each for each in state.look.knob("off", "").split("|") if each and each != word)
    return turned(changed(state, edits=tuple(each for each in state.edits if each != word)), "off", kept)


# --- numbers ----------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Number:
    """A number that can be set by hand: a weight, a bias, or a pixel of the input."""

    start: str
    """Its edit up to the value: `weight:conv1.weight:1,0,2,2=`, `pixel:3,4,`."""
    value: float
    span: float
    """How far it goes from one end of a drag of 100 pixels to the other: the largest of its kind."""

    def at(self, value: float) -> str:
        """The edit that sets it."""
        return f"{self.start}{value:.3g}"


def number_of(trace: Trace, focus: Focus | None) -> Number | None:
    """The weight that a focus is; None where it is none."""
    if focus is None or focus.layer not in trace or focus.array == "output" or focus.array.startswith("inner"):
        return None
    layer, name = trace[focus.layer], focus.array.rpartition(".")[2]
    held = layer.weights.get(name)
    if held is None or len(focus.cell) != held.ndim or name.startswith("running_"):
        return None
    parameter = layer.name if layer.kind == "parameter" else f"{layer.name}.{name}"
    finite = np.abs(held[np.isfinite(held)])
    return Number(f"weight:{parameter}:{','.join(str(int(each)) for each in focus.cell)}=", float(held[focus.cell]),
                  max(float(finite.max()) if finite.size else 1.0, 0.1))
