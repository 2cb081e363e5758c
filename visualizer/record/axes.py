"""What each axis of a recorded tensor means, its batch axis included."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from visualizer.language import tr
from visualizer.record.unroll import CELLS, FUSED
from visualizer.trace import PART, Refused

if TYPE_CHECKING:
    from torch import Tensor

    from visualizer.record.calls import Event

Axes = tuple[str, ...]
MAPS: Axes = ("channel", "row", "column")
BY_FIRST_READER = (
    (("lstm", "gru", "rnn_tanh", "rnn_relu"), ("step", "unit")),
)
"""Calls of no kind of their own that settle what the axes of one sample are; one axis more is the batch. A kind says
what it wants itself."""
TAKE_APART = ("__getitem__", "select", "unbind", "split", "chunk", "narrow", "tensor_split")
"""Calls that take an axis apart: a model that does so with the first one goes through it step by step."""
ITEM = "item"
"""What a set without an order holds side by side: nodes of a graph, points in space."""
OTHERWISE = {1: ("unit",), 2: ("batch", "unit"), 3: ("batch", "step", "unit"), 4: ("batch", *MAPS)}


def name(events: Iterable[Event]) -> None:
    """Name the axes of every Event that has no names yet, in the order in which they were made, and tell its settings
    which of those of its first input is the batch; Refused if several samples were given."""
    turned: Event | None = None
    for event in events:
        if event.axes is not None or event.kind_name == "input":
            continue  # an input waits for its first reader
        for read in event.reads:
            if read.axes is None:
                read.axes = of_input(read, event)
                turned = read if read.axes[:2] == ("step", "batch") else turned
        if turned is not None and event.call in FUSED and event.settings.get("batch_first") and event.output.ndim == 3 \
                and len(event.output) == len(turned.output) > 1:
            _one_sample(len(turned.output), 0)  # what looked like steps are the samples that it counts first
        event.axes = of(event)
        if event.reads and event.kind is not None and event.kind_name == event.kind.name:
            batches = [read.axes.index("batch") if "batch" in read.axes else None for read in event.reads]
            if batches[0] != 0:
                event.settings["batch"] = batches[0]
            if any(batch != batches[0] for batch in batches):
                event.settings["batches"] = tuple(batches)


def of(event: Event) -> Axes:
    """Names for the axes of what a call made: from its kind, else from what it read, else `axis0`, `axis1`, …; of
    complex numbers the last one is that of their parts."""
    return (*_of(event), PART) if event.complex else _of(event)


def _of(event: Event) -> Axes:
    """The same without the axis of the parts."""
    shape = event.shape
    if event.like is not None and event.like.axes is not None and _fits(_plain(event.like), shape):
        return _plain(event.like)
    if event.call == "rewritten" and _fits(_plain(event.reads[0]), shape):
        return _plain(event.reads[0])
    if event.named_by is not None:
        try:
            found = tuple(event.named_by.axes(event.settings, tuple([_plain(read) for read in event.reads]), shape))
        except (LookupError, TypeError, ValueError):
            found = ()
        if _fits(found, shape):
            return next((same for read in event.reads if (same := _plain(read))[:1] == (ITEM,) and read.shape == shape
                         and same[1:] == found[1:] and found[0] == "axis0"), found)  # a matrix mixes them
    return _recurrent(event) or _like_what_it_read(event) or unnamed(len(shape), batch=_leads_with_batch(event))


def _plain(event: Event) -> Axes:
    return (event.axes or ())[:-1] if event.complex else event.axes or ()


def of_input(event: Event, reader: Event | None) -> Axes:
    """Axes of the model's input, told from the call that reads it first; Refused if it holds several samples."""
    shape = event.shape
    found = _input_axes(event, reader)
    if "batch" in found and shape[found.index("batch")] != 1:
        found = _steps_first(found, shape, reader) or _items(found, event, reader) or found
        batch = found.index("batch") if "batch" in found else 0
        _one_sample(shape[batch] if "batch" in found else 1, batch)
    return (*found, PART) if event.complex else found


def _one_sample(size: int, axis: int) -> None:
    if size != 1:
        raise Refused(tr("The input holds {size} samples along its axis {axis}; one is recorded at a time, so give a "
                         "batch of one, such as x[:1].").format(size=size, axis=axis))


def _steps_first(found: Axes, shape: tuple[int, ...], reader: Event | None) -> Axes:
    """The axes of a sequence in torch's own layout, whose steps come first: its batch is the axis of size 1, or it has
    none and the model goes through its first axis. Nothing where they are samples."""
    if reader is not None and reader.call in FUSED:
        return ()  # it says where its batch is
    if found[:2] == ("batch", "step") and shape[1] == 1:
        return ("step", "batch", *found[2:])
    if found != ("batch", "unit") or reader is None or reader.call not in TAKE_APART:
        return ()
    made = reader.output.shape
    return ("step", "unit") if made == shape[1:] or (made[1:] == shape[1:] and made[0] < shape[0]) else ()


def _items(found: Axes, event: Event, reader: Event | None) -> Axes:
    """The axes of a set whose members are seen together, and of whole numbers that tell how these are joined. Nothing
    where each is a sample of its own, or where the operation itself says that they are: a convolution, an LSTM."""
    says_so = reader is not None and (reader.call in FUSED or len(_wanted(reader)) > 1)
    if found[0] != "batch" or says_so or event.whole is None or not event.whole():
        return ()
    return (ITEM, *found[1:]) if event.output.dtype.kind in "fc" else unnamed(len(found))


def unnamed(count: int, batch: bool = False) -> Axes:
    """`axis0`, `axis1`, …, after the batch if there is one."""
    names = tuple(f"axis{number}" for number in range(count - batch))
    return ("batch", *names) if batch else names


def of_constant(tensor: Tensor) -> Axes:
    """Axes of numbers that no call made."""
    return (*unnamed(tensor.ndim), PART) if tensor.is_complex() else unnamed(tensor.ndim)


def _input_axes(event: Event, reader: Event | None) -> Axes:
    count = len(event.shape)
    if reader is not None and reader.call in FUSED and count == 3 and reader.reads[0] is not event:
        return ("level", "batch", "unit")  # the state that it starts from
    for calls, names in (((), _wanted(reader)), *BY_FIRST_READER):
        if names and reader is not None and (not calls or reader.call in calls):
            if count == len(names):
                return names
            if count == len(names) + 1:
                last = reader.call not in ("lstm", "gru", "rnn_tanh", "rnn_relu") \
                    or reader.settings.get("batch_first", True)
                return ("batch", *names) if last else (names[0], "batch", *names[1:])
    if count == 2 and reader is not None and reader.call == "unsqueeze" and len(event.output) != 1:
        return ("step", "unit")  # as nn.LSTM does with a sequence that has no batch axis
    if event.output.dtype.kind in "iub" and count in (1, 2):
        return ("step",) if count == 1 else ("batch", "step")
    return OTHERWISE.get(count) or unnamed(count, batch=count > 0)


def _wanted(reader: Event | None) -> Axes:
    """What the kind of the first reader wants, even where it cannot explain this call of it."""
    return () if reader is None or reader.named_by is None else reader.named_by.wants


def _recurrent(event: Event) -> Axes:
    """A recurrent call tells where its batch is; its last states are one a level and direction."""
    if event.call in CELLS:
        found: Axes = ("batch", "unit")[-event.output.ndim:]
    elif event.call not in FUSED:
        return ()
    elif event.index:
        found = ("level", "batch", "unit")
    else:
        first = event.settings.get("batch_first")
        found = ("step", "unit") if first is None else ("batch", "step", "unit") if first else ("step", "batch", "unit")
    return found if _fits(found, event.output.shape) else ()


def _like_what_it_read(event: Event) -> Axes:
    """The same shape means the same; so does the same shape but for the last axis. Constants tell nothing."""
    shape = event.shape
    told = [read for read in event.reads if read.axes and read.kind_name not in ("constant", "parameter")]
    for same in (shape, shape[:-1]):
        for read in told:
            if len(read.shape) == len(shape) and read.shape[:len(same)] == same and _fits(_plain(read), shape):
                return _plain(read)
    return ()


def _leads_with_batch(event: Event) -> bool:
    shape = event.shape
    return bool(shape) and shape[0] == 1 and any(read.axes[:1] == ("batch",) for read in event.reads)


def _fits(found: Axes, shape: tuple[int, ...]) -> bool:
    """One name an axis, and a batch of one."""
    return len(found) == len(shape) and ("batch" not in found or not [
        size for axis, size in zip(found, shape, strict=True) if axis == "batch" and size != 1])
