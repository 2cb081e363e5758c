"""A picture: one channel or three, as an autoencoder or a denoiser answers."""

from __future__ import annotations

import re

import numpy as np

from visualizer import latent
from visualizer.answers import AnswerKind, Axes, Scalar, Score, Values, Where, maps_of, picked, place_of
from visualizer.language import english, tr
from visualizer.said import lengths, said
from visualizer.scene import colour, numbers
from visualizer.scene.picture import Focus, Image, Look, Mark, Scale
from visualizer.trace import Answer, Trace

WISH = re.compile(r"pixel:(\d{1,9},\d{1,9}(?:,\d{1,9})?)")


def suits(axes: Axes, shape: tuple[int, ...], operation: str, labels: int) -> bool:
    """Rows and columns, of one channel or three."""
    return axes[-2:] == ("row", "column") and (len(shape) == 2 or (len(shape) == 3 and shape[0] in (1, 3)))


def sentence(trace: Trace, answer: Answer) -> str:
    """How large, from where to where, and how near to the truth."""
    values = trace[answer.layer].output.astype(np.float64)
    found = score(trace, answer)
    words = tr("The network answers a picture of {{{size}}} pixels, from {low} to {high}; the squared difference from "
               "the right one is {apart} on average.") if found else \
        tr("The network answers a picture of {{{size}}} pixels, from {low} to {high}.")
    return words.format(size=lengths(trace[answer.layer], values.ndim - 2),
                        low=said(numbers.number(float(values.min()), 3), "smallest", answer.layer),
                        high=said(numbers.number(float(values.max()), 3), "largest", answer.layer),
                        apart=said(numbers.number(found[0][1], 3), "squared difference from the right one",
                                   answer.layer) if found else "")


def score(trace: Trace, answer: Answer) -> Score:
    """How far it is from the right picture; an autoencoder's is its input."""
    values = trace[answer.layer].output.astype(np.float64)
    found = _of_its_region(trace, answer)
    truth = trace.layers[0].output if answer.settings.get("truth") == "input" else answer.truth
    if truth is None or truth.size != values.size:
        return found
    squares = float(np.mean((values - truth.astype(np.float64).reshape(values.shape)) ** 2))
    noise: Score = ((tr("peak signal to noise, dB"), float(-10 * np.log10(squares))),) if squares > 0 else ()
    return ((tr("mean squared difference"), squares), *noise, *found)


def _of_its_region(trace: Trace, answer: Answer) -> Score:
    """How far the region of the picture is from the middle, where a model says which layers tell."""
    held = latent.region(trace, answer)
    return () if held is None else ((tr("Kullback-Leibler divergence, nats"),
                                     float(latent.nats(held[0].output, held[1].output).sum())),)


def draw(trace: Trace, answer: Answer, place: Where, look: Look) -> list[Mark]:
    """Its pixels on their own range; colours where there are three channels."""
    values = maps_of(trace, answer)
    low, high = colour.reach(values)
    shades = colour.unit(values, low, high)
    stack = np.moveaxis(shades, 0, -1)[None] if len(shades) == 3 else shades[:1]
    x, y, wide, high_ = place
    rows, columns = values.shape[-2:]
    return [Image(x, y, (wide / columns, high_ / rows), np.ascontiguousarray(stack), "pixel", border="tile-border",
                  focus=Focus(answer.layer), indices=(-1,), scale=Scale("pixel", "pixels", answer.layer, low, high))]


def proportion(trace: Trace, answer: Answer) -> float:
    """Its rows for its columns."""
    rows, columns = trace[answer.layer].shape[-2:]
    return rows / columns


def scalar(answer: Answer, values: Values, words: str) -> Scalar | None:
    """`pixel:3,4`, `pixel:2,3,4` of a channel, `sum`, or `logit:7`."""
    if words == "sum":
        return Scalar(words)
    match = WISH.fullmatch(words)
    if match is None:
        return picked(answer, values, words)
    if match[1].count(",") == 1 and values.ndim == 3:
        cell = place_of(match, values.shape[1:], english("pixel"))
        return Scalar(words, tuple(((channel, *cell), 1.0) for channel in range(len(values))))
    return Scalar(words, ((place_of(match, values.shape, english("pixel")), 1.0),))


def wishes(answer: Answer, values: Values) -> tuple[str, ...]:
    """The brightest pixel; of a model with regions how far its region is, and the whole of what it learns by."""
    if not values.size:
        return ()
    brightest = np.unravel_index(int(np.argmax(values)), values.shape)
    region = ("kl", "elbo") if {"latent", "spread"} <= {*answer.settings} else ()
    return f"pixel:{','.join(str(int(index)) for index in brightest)}", *region, "sum"


def back_from(objective: str) -> str:
    """What is sent back, in words: a loss, what a region costs; empty for a number of the picture."""
    return {"mean_squared_error": tr("the squared error"), "kl": tr("how far the region is from the middle"),
            "elbo": tr("the whole of what it learns by")}.get(objective, "")


ANSWER = AnswerKind(english("picture"), english("a picture"), suits, sentence, draw, proportion, score, scalar, wishes,
                    loss="squares", asks=("picture",), order=4)
