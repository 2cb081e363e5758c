"""The bytes of a protobuf, measured before anything is made of them: what they would unpack to, and whether they are a
model at all. Needs neither torch nor the package `onnx`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from visualizer.language import numeral, tr
from visualizer.unpack import TooMuch

MODEL: Mapping[int, int] = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
"""Fields of a model -> the kind of what stands there: 0 a number, 2 bytes."""
GRAPH = 7
INSIDE: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 14: "words", 25: "function", 8: "words"},
    "graph": {1: "node", 5: "tensor", 11: "value", 12: "value", 13: "value", 14: "words", 15: "sparse", 16: "words"},
    "function": {7: "node", 11: "attribute", 12: "value", 14: "words"},
    "node": {5: "attribute", 9: "words"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"}}
"""Kinds of messages -> their fields that are messages, and of which kind."""
NUMBERS: Mapping[int, int] = {4: 1, 5: 4, 6: 1, 7: 8, 9: 1, 10: 1, 11: 8}
"""Fields of a tensor with numbers -> how many bytes one of theirs may take at most once it is read."""
MOST_NODES, MOST_PARTS, MOST_WORDS, MOST_DEEP = 20_000, 300_000, 24 << 20, 16
MOST_NUMBERS = 512 << 20


@dataclass(eq=False)
class Spent:
    """What has been found so far."""

    nodes: int = 0
    pieces: int = 0
    words: int = 0
    numbers: int = 0


def measured(data: bytes) -> Spent:
    """How much the bytes hold; raises TooMuch, and ValueError where they are no protobuf."""
    spent = Spent()
    _measure(memoryview(data), "model", spent, 0)
    return spent


def _measure(data: memoryview, kind: str, spent: Spent, depth: int) -> None:
    if depth > MOST_DEEP:
        raise TooMuch(tr("its graphs stand too deep in one another"))
    inside = INSIDE.get(kind, {})
    for field, wire, start, end in _fields(data):
        spent.pieces += 1
        if kind == "tensor" and field in NUMBERS:
            spent.numbers += (end - start) * NUMBERS[field]
        elif wire == 2 and field in inside:
            spent.nodes += inside[field] == "node"
            _measure(data[start:end], inside[field], spent, depth + 1)
        else:
            spent.words += end - start
        if spent.nodes > MOST_NODES:
            raise TooMuch(tr("it has more than {most} steps").format(most=numeral(f"{MOST_NODES:,}")))
        if spent.pieces > MOST_PARTS:
            raise TooMuch(tr("it has more than {most} parts").format(most=numeral(f"{MOST_PARTS:,}")))
        if spent.words > MOST_WORDS:
            raise TooMuch(tr("it has more than {most} MB beside its numbers").format(most=MOST_WORDS >> 20))
        if spent.numbers > MOST_NUMBERS:
            raise TooMuch(tr("it has more than {most} MB of numbers").format(most=MOST_NUMBERS >> 20))


def _fields(data: memoryview) -> Iterator[tuple[int, int, int, int]]:
    """Number, kind, and where it begins and ends, of each field of a message."""
    at, size = 0, len(data)
    while at < size:
        key, at = _varint(data, at)
        field, wire = key >> 3, key & 7
        start = at
        if wire == 0:
            _, at = _varint(data, at)
        elif wire == 2:
            length, at = _varint(data, at)
            start, at = at, at + length
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise ValueError(tr("it is no protobuf"))
        if at > size or field == 0:
            raise ValueError(tr("it is cut off, or no protobuf"))
        yield field, wire, start, at


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    found = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError(tr("it is cut off, or no protobuf"))
        byte = data[at]
        found |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return found, at


def is_model(path: Path) -> bool:
    """Whether a file has the fields of a model, and a graph that begins as one."""
    size = path.stat().st_size
    seen: set[int] = set()
    with path.open("rb") as file:
        for _ in range(2_000):
            head = _head(file)
            if head is None:
                break
            field, wire, length = head
            if MODEL.get(field) != wire or (not seen and field not in (1, 2, 7, 8)):
                return False
            seen.add(field)
            if wire == 2:
                if field == GRAPH and length and file.read(1) not in GRAPH_BEGINS:
                    return False
                at = file.tell() + length - (field == GRAPH and length > 0)
                if at > size:  # cut off
                    return field == GRAPH and 1 in seen
                file.seek(at)
        else:
            return False
    return GRAPH in seen and bool(seen & {1, 8})


GRAPH_BEGINS = {bytes([field << 3 | 2]) for field in (1, 2, 5, 10, 11, 12, 13)}


def _head(file: IO[bytes]) -> tuple[int, int, int] | None:
    """Number, kind and length (or value) of the next field; None at the end, and where there is none."""
    try:
        key = _number(file)
        return None if key is None else (key >> 3, key & 7, _number(file) or 0 if key & 7 in (0, 2) else 0)
    except ValueError:
        return (0, 7, 0)


def _number(file: IO[bytes]) -> int | None:
    found = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            if shift:
                raise ValueError(tr("it is cut off"))
            return None
        found |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return found
    raise ValueError(tr("it is no protobuf"))
