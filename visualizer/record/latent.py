"""latent: the part of a network that makes a picture of a point, run by itself; points of pictures; points by chance.

A class says how by its names, as most do: a method `decode(point)` or a part `decoder`; a card or a manifest may name
another (`decoder`), and which layers are the middle and the logarithm of the variance (`latent`, `spread`).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from visualizer import latent
from visualizer.language import tr
from visualizer.record.catalog import Opened
from visualizer.trace import Array, Refused

DECODERS = ("decode", "decoder")


def settings_of(opened: Opened) -> Mapping[str, Any]:
    """What the card says of the answer."""
    found = opened.card.get("answer")
    return found if isinstance(found, Mapping) else {}


def decoder_of(opened: Opened) -> Opened:
    """The part of a model that makes a picture of a point, as a model of its own whose input is that; Refused where
    the model has none that is known."""
    if opened.whole is not None:
        return opened
    if (size := _reads_a_point(opened)) is not None:
        return _reading(opened, opened.module, size)
    name = _named(opened.module, settings_of(opened))
    if name is None:
        raise Refused(tr("{model} does not tell which part of it makes a picture of a point; give its class a method "
                         "decode(point), or name the part in its manifest, as the decoder of its answer."
                         ).format(model=opened.title))
    part = copy.copy(opened.module)
    part.__class__ = type(type(part).__name__, (type(part),), {  # it keeps its parts, and their names
        "forward": lambda self, point: getattr(self, name)(point)})
    return _reading(opened, part, size_of(opened))


def _reading(opened: Opened, module: nn.Module, size: int) -> Opened:
    card = {key: value for key, value in opened.card.items() if key != "objective"}
    answer = {key: value for key, value in settings_of(opened).items() if key != "truth"}
    card |= {"input": {"kind": "point", "shape": [size]}, "answer": {**answer, "kind": "picture"}}
    return replace(opened, module=module, card=card, prepare=lambda raw: torch.from_numpy(np.asarray(raw))[None],
                   unknown=None, wanted=None, whole=opened.whole or opened)


def _reads_a_point(opened: Opened) -> int | None:
    """How many numbers a model reads that is a decoder itself."""
    shape = opened.card.get("input", {}).get("shape", ())
    return shape[0] if len(shape) == 1 and isinstance(shape[0], int) and shape[0] <= latent.MOST else None


def _named(module: nn.Module, settings: Mapping[str, Any]) -> str | None:
    names = [str(settings["decoder"])] if "decoder" in settings else DECODERS
    return next((name for name in names if name.isidentifier() and callable(getattr(module, name, None))), None)


def size_of(opened: Opened) -> int:
    """How many numbers a point has; Refused where nothing tells."""
    with torch.no_grad():
        found = points_of(opened, opened.prepare(_any(opened))) if opened.prepare is not None else None
    if found is None:
        raise Refused(tr("{model} does not tell which layer holds its points; name it in its manifest, as the latent "
                         "of its answer.").format(model=opened.title))
    return found.shape[1]


def _any(opened: Opened) -> Any:
    from visualizer.record.run import given_of

    return given_of(opened, "").raw


def points_of(opened: Opened, x: Tensor) -> Array | None:
    """The points (N, axis) of pictures (N, …): what the layer gives that its card calls `latent`; None where it names
    none."""
    name = str(settings_of(opened).get("latent", ""))
    parts = dict(opened.module.named_modules())
    if not name or name not in parts:
        return None
    kept: list[Tensor] = []
    hook = parts[name].register_forward_hook(lambda part, given, made: kept.append(made.detach()))
    try:
        with torch.no_grad():
            opened.module(x)
    finally:
        hook.remove()
    return kept[-1].flatten(1).double().numpy() if kept else None


def decoding(module: nn.Module, settings: Mapping[str, Any], name: str, x: Any) -> Callable[[Tensor], Tensor] | None:
    """How pictures (N, …) are made of points (N, axis), by a model whose layer of that `name` holds the point of what
    it reads, `x`; None where nothing tells."""
    if name == "input":
        return module
    if (part := _named(module, settings)) is not None:
        return getattr(module, part)  # type: ignore[no-any-return]
    held = dict(module.named_modules()).get(name)
    if held is None:
        return None

    def decode(points: Tensor) -> Tensor:
        with _giving(held, points):
            return module(*(each.to(points.dtype).expand(len(points), *each.shape[1:]) for each in x))  # type: ignore[no-any-return]

    return decode


@contextmanager
def _giving(part: nn.Module, points: Tensor) -> Iterator[None]:
    """Have a part of a model give these numbers, whatever it reads."""
    hook = part.register_forward_hook(lambda part, given, made: points)
    try:
        yield
    finally:
        hook.remove()


def by_chance(module: nn.Module, settings: Mapping[str, Any], seed: int, title: str) -> nn.Module:
    """The same model, which makes its picture of a point of the region that it finds for the one it reads, and not of
    the middle: mean + e^(s / 2) · ε, ε drawn from the normal distribution by the seed (Kingma and Welling 2014)."""
    name, said = _named(module, settings), [str(settings.get(key, "")) for key in ("latent", "spread")]
    parts = dict(module.named_modules())
    if name is None or not all(word in parts and word for word in said):
        raise Refused(tr("{model} does not tell mean, logarithm of the variance and decoder of its regions, so no "
                         "point can be drawn from one; name them as latent, spread and decoder of its answer."
                         ).format(model=title))
    spread: list[Tensor] = []
    parts[said[1]].register_forward_hook(lambda part, given, made: spread.__setitem__(slice(None), [made]))

    def moved(point: Tensor) -> Tensor:
        if not spread:  # a point that somebody chose, of no region
            return point
        noise = torch.tensor(np.broadcast_to(latent.drawn(point.shape[-1], seed), point.shape), dtype=point.dtype)
        return point + torch.exp(spread.pop() / 2) * noise

    part, whole = parts.get(name), getattr(type(module), name, None)
    if part is not None:
        part.register_forward_pre_hook(lambda part, given: (moved(given[0]), *given[1:]))
    else:
        module.__class__ = type(type(module).__name__, (type(module),), {
            name: lambda self, point: whole(self, moved(point))})  # type: ignore[misc]
    return module
