"""So far: what a network answers after each step of a recurrent layer, whether it says so itself or would if it had to
stop there.

A network that answers once, after the last step, has the same weights behind every state; they are applied to each,
and count only where they give the recorded answer at the step that the network took.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from visualizer import kinds
from visualizer.said import Claim
from visualizer.scene.reading import Reading, Values, answering, guesses
from visualizer.trace import Layer, Trace, remembered

CLOSE = 1e-4
"""How near the recorded answer what is computed must come, in float32."""


@dataclass(frozen=True, eq=False)
class SoFar:
    """Answers after every step."""

    values: Values
    """(step, answer): probabilities of classes, or numbers."""
    shares: bool
    own: bool
    """Whether the network itself gives them at every step."""


def claim(trace: Trace, shown: Reading, answers: SoFar | None, what: str, index: int, step: int) -> Claim:
    """What is said of an answer after a step: the model's own, or what it would be if that were the last."""
    own = answering(trace) if answers is not None and answers.own else None
    return (what, own.name, (index,), step, "") if own is not None else \
        (f"{what} if stopped", shown.layer.name, (index,), step, "")


@remembered(16)
def so_far(trace: Trace, shown: Reading) -> SoFar | None:
    """The answers after each step of a layer; None where they hang on more than its state."""
    found = guesses(trace)
    if found is not None:
        return SoFar(found, True, True) if len(found) == shown.total else None
    values, layer = shown.states, shown.layer
    while (reader := _only_reader(trace, layer)) is not None:
        role, kind = kinds.role(reader), kinds.of(reader)
        if role == "weighted" and "weight" in reader.weights and reader.weights["weight"].ndim == 2 and \
                reader.weights["weight"].shape[1] == values.shape[1]:
            weight = np.asarray(reader.weights["weight"], np.float64)
            values = values @ weight.T + np.asarray(reader.weights.get("bias", 0.0), np.float64)
        elif kinds.shares(reader):
            values = np.exp(values - values.max(axis=1, keepdims=True))
            values = values / values.sum(axis=1, keepdims=True)
        elif kind is not None and kind.curve is not None:
            values = np.asarray(kind.curve.value(values))
        elif reader.weights or len(reader.reads) != 1 or reader.output.size % values.shape[1]:
            return None  # else it may hand on what it reads: whether it did, the recorded answer tells
        layer = reader
    answer = next((answer for answer in trace.answers if answer.layer == layer.name), None)
    chosen = answer is not None and len(answer.labels) == layer.output.size
    if answer is None or not (chosen or answer.kind in ("number", "numbers")) or layer is shown.layer:
        return None
    recorded = np.asarray(layer.output, np.float64).ravel()
    if recorded.shape != values.shape[1:] or not any(
            np.allclose(values[step], recorded, atol=CLOSE, rtol=CLOSE) for step in (-1, 0)):
        return None
    return SoFar(values, chosen and kinds.shares(layer), False)


def _only_reader(trace: Trace, layer: Layer) -> Layer | None:
    """The one layer that reads another, the loss and what compares it aside; None at the answer."""
    found = [reader for reader in trace.readers(layer.name) if reader.output.ndim and kinds.role(reader) != "loss"]
    return found[0] if len(found) == 1 else None
