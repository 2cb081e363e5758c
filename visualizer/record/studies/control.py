"""What a caption owes to its picture: the same words before other pictures, and with a place of the picture gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from visualizer import inputs, titles
from visualizer.kinds.gaze import Gaze, gaze
from visualizer.over import SEPARATOR
from visualizer.record.run import edited, given_of, prepared, reads_of
from visualizer.record.studies import Pass, Study, Work
from visualizer.trace import TOLD, Array, Refused, Trace

OTHERS = 11
"""So many other pictures at most."""


def suits(trace: Trace) -> bool:
    """Whether it says words of a picture, looking at places of it."""
    seen = gaze(trace)
    return seen is not None and isinstance(seen.answer.settings.get("begin"), int)


def run(again: Pass) -> Work:
    """Of other pictures: `pictures` (picture, row, column), their `names` as UTF-8 with a sign between them, `chances`
    (picture, word) of the words that were said here when the network is told them there, and `own` (picture, word),
    the symbols that it says of each by itself, −1 behind its end. And `without` (place, word): the chances of the words
    here when all numbers of the last maps are 0 at a place, as if nothing was seen there.

    Nothing of a model that cannot be told words; no `without` where the maps are not what a part of the model gives.
    """
    seen = gaze(again.trace)
    if seen is None or TOLD not in signature(again.model.forward).parameters:
        return {}
    told, inputs_here = _told(again, seen), _called_with(again.inputs)
    found: dict[str, Array] = {}
    names: list[str] = []
    pictures, chances, own = [], [], []
    for share, name, x in _others(again):
        yield share, name
        with torch.no_grad():
            chances.append(_chances(again.model, x, told)[0])
            own.append(_upto(again.model(*x)[0].argmax(-1).tolist(), seen.end))
        pictures.append(np.asarray(x[0][0].double().mean(0).numpy()))
        names.append(name)
    if names:
        longest = max(map(len, own)) or 1
        found = {"pictures": np.stack(pictures), "chances": np.stack(chances)[:, range(len(seen.best)), seen.best],
                 "own": np.array([[*each, *[-1] * (longest - len(each))] for each in own], np.int64),
                 "names": np.frombuffer(SEPARATOR.join(names).encode(), np.uint8)}
    yield 0.9, "without each place"
    part = dict(again.model.named_modules()).get(seen.maps.name)
    if part is not None:
        x = tuple(each.expand(len(seen.shares[0]), *each.shape[1:]) for each in inputs_here)
        with torch.no_grad(), _blind(part, seen.grid):
            lost = _chances(again.model, x, told.expand(len(x[0]), -1))
        found["without"] = lost[:, range(len(seen.best)), seen.best]
    return found


def _told(again: Pass, seen: Gaze) -> Tensor:
    """(1, word): what the network is told before each word, as it was told it here."""
    given = (again.keywords or {}).get(TOLD)
    return given if isinstance(given, Tensor) else torch.tensor([[seen.answer.settings["begin"], *seen.best[:-1]]])


def _chances(model: nn.Module, x: tuple[Any, ...], told: Tensor) -> Array:
    """(picture, word, symbol): the probabilities of each word, told those before it."""
    return np.asarray(model(*x, **{TOLD: told}).double().softmax(-1).numpy())


def _others(again: Pass) -> Iterator[tuple[float, str, tuple[Tensor, ...]]]:
    """(share done, title, what the model is called with) of each other picture; those that do not fit are left out."""
    shape = _called_with(again.inputs)[0].shape
    if again.opened is None or again.opened.prepare is None or again.given is None:
        for number, x in enumerate(again.samples[:OTHERS]):
            found = _called_with(x)
            if isinstance(found[0], Tensor) and found[0].shape == shape:
                yield 0.9 * number / OTHERS, str(number + 1), found
        return
    said = reads_of(again.opened)
    words = again.others or inputs.samples(inputs.of(said).name, said).words
    words = [word for word in words if word != again.given.sample.name][:OTHERS]
    for number, word in enumerate(words):
        try:
            given = edited(given_of(again.opened, word), again.edits, again.opened)
            x = prepared(again.opened, given.raw)
        except (Refused, LookupError):
            continue
        found = _called_with(x)
        if found[0].shape == shape:
            yield 0.9 * number / len(words), titles.of(given.sample), found


def _called_with(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, tuple | list) else (x,)


def _upto(symbols: list[int], end: int) -> list[int]:
    return symbols[:symbols.index(end) + 1] if end in symbols else symbols


@contextmanager
def _blind(part: nn.Module, grid: tuple[int, int]) -> Iterator[None]:
    """While it lasts, of each picture of a batch one place of the maps is 0: of the first the first place."""
    def hook(module: nn.Module, given: Any, maps: Tensor) -> Tensor:
        seen = 1 - torch.eye(grid[0] * grid[1], dtype=maps.dtype).reshape(-1, 1, *grid)
        return maps * seen

    handle = part.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


STUDY = Study("control", "what a caption owes to its picture", suits, run)
