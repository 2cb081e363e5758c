"""Quantities of pictures that are made of points, worked out from the recording and its studies with numpy alone.

The arrays themselves are compared with torch in test_generate.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.quantities import array, quantity, words
from visualizer.trace import Trace

NEAR, MOVED, STEP = 30, 0.01, 0.1


def point(trace: Trace) -> np.ndarray:
    """What the decoder reads: of the layers of as many numbers as a sample has, the last that something else reads."""
    size = trace.studies["points"]["places"].shape[1]
    picture = trace[trace.answers[0].layer]
    found = [layer for layer in trace if layer.shape == (size,)
             and trace.places[layer.name] < trace.places[picture.name]
             and any(each.kind == "linear" and each.shape != (size,) for each in trace.readers(layer.name))]
    return np.asarray(found[-1].output, np.float64)


def distances(trace: Trace) -> np.ndarray:
    """From the point to each sample; the sample that is the point itself is left out."""
    apart = np.linalg.norm(trace.studies["points"]["places"] - point(trace), axis=1)
    return np.where(apart < 1e-4, np.inf, apart)


@quantity("how far the nearest sample is")
def nearest(trace: Trace, said: Any) -> float:
    return float(distances(trace).min())


@quantity("samples that are near")
def near(trace: Trace, said: Any) -> float:
    return min(NEAR, len(distances(trace)))


@quantity("label of a sample")
def label(trace: Trace, said: Any) -> float:
    assert said.cell[0] in trace.studies["points"]["labels"]
    return said.cell[0]


@words("name of a sample")
def name(trace: Trace, said: Any) -> str:
    return bytes(trace.studies["points"]["words"]).decode().split("\0")[said.cell[0]]


@quantity("samples of a label that are near")
def of_a_label(trace: Trace, said: Any) -> float:
    order = np.argsort(distances(trace), kind="stable")[:NEAR]
    return int((trace.studies["points"]["labels"][order] == said.cell[0]).sum())


def change(trace: Trace, axis: int) -> np.ndarray:
    return trace.studies["latent"]["moved"][axis] - np.asarray(trace[trace.answers[0].layer].output, np.float64)


quantity("change of a pixel")(lambda trace, said: float(change(trace, said.cell[0])[said.cell[1:]]))
quantity("change foretold")(lambda trace, said: STEP * float(trace.studies["latent"]["slopes"][said.cell]))
quantity("pixels that move")(lambda trace, said: int((np.abs(change(trace, said.cell[0])) > MOVED).sum()))
quantity("squared error of a picture")(lambda trace, said: float(np.mean(
    (trace.layers[0].output.astype(np.float64) - trace[said.layer].output) ** 2)))


@quantity("nats of a region")
def nats(trace: Trace, said: Any) -> float:
    """Of one axis or of all: of two normal distributions, log of their widths, widths and distance."""
    settings = trace.answers[0].settings
    mean, width = (np.asarray(trace[settings[key]].output, np.float64) for key in ("latent", "spread"))
    sigma = np.sqrt(np.exp(width))
    each = -np.log(sigma) + (sigma ** 2 + mean ** 2) / 2 - 0.5
    return float(each[said.cell].sum())


quantity("width of a region")(lambda trace, said: float(np.sqrt(np.exp(array(trace, said)))))


@quantity("noise of a point")
def noise(trace: Trace, said: Any) -> float:
    settings = trace.answers[0].settings
    mean, width = (np.asarray(trace[settings[key]].output, np.float64) for key in ("latent", "spread"))
    return float(((point(trace) - mean) / np.sqrt(np.exp(width)))[said.cell])


@quantity("maps of a column shown")
def shown(trace: Trace, said: Any) -> float:
    assert 0 < said.cell[0] <= trace[said.layer].shape[0]
    return said.cell[0]
