"""record: a model by name and an input by name become a Trace."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from visualizer import samples
from visualizer.record.capture import capture
from visualizer.record.catalog import Opened, open_model
from visualizer.trace import Array, Refused, Sample, Trace

FACTS = ("architecture", "data", "data_licence", "input", "quality", "recipe")
"""What of a model's card stays with the recording."""


def record(model: str | Path | Opened, sample: str | Path = "", *, pixels: Array | None = None,
           target: int | None = None, objective: str = "loss", dtype: str | None = None) -> Trace:
    """Run a model once over one input, forwards and backwards.

    `sample` is a bundled sample or an image file (the first bundled sample if it is left out). `pixels` are a drawing,
    white on black: (28, 28) as it is, or any other size, which is fitted and centred. The target is the sample's own
    label unless one is given. Raises Refused, or LookupError for an unknown name.
    """
    opened = model if isinstance(model, Opened) else open_model(model)
    if opened.prepare is None:
        raise Refused(f"{opened.title} does not tell how its input is made; from Python, visualizer.capture(model, x) "
                      "takes any.")
    given, image = _input(sample, pixels)
    x = opened.prepare(image)
    try:
        return capture(opened.module, x, given.label if target is None else target, dtype, name=opened.name,
                       title=opened.title, sample=given, labels=opened.labels, objective=objective,
                       facts={name: opened.card[name] for name in FACTS if name in opened.card})
    except (RuntimeError, TypeError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise Refused(f"{opened.title} cannot be run on an input of the shape {tuple(x.shape)} ({reason}); give it an "
                      "input of the shape that it was made for.") from error


def _input(sample: str | Path, pixels: Array | None) -> tuple[Sample, Array]:
    """What is fed in, and its picture (28, 28) uint8."""
    if pixels is not None:
        image = np.asarray(pixels)
        fits = image.shape == (samples.SIDE, samples.SIDE) and image.dtype == np.uint8
        return Sample(str(sample) or "drawn", "Drawn by hand"), image if fits else samples.centre_digit(image)
    name = str(sample) or samples.all_samples()[0].name
    try:
        return samples.find(name), samples.pixels(name)
    except LookupError:
        if Path(name).suffix:
            return samples.open_image(name)
        raise
