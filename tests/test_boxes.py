"""Boxes: the pieces of a box tile it, keep their gaps and their order, and are never less than nothing."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from visualizer.scene.boxes import Box, columns, rows, split

LENGTHS = some.floats(0, 2000)
BOXES = some.builds(Box, some.floats(-100, 100), some.floats(-100, 100), some.floats(-100, 2000),
                    some.floats(-100, 2000))
SIZES = some.lists(some.none() | LENGTHS, min_size=1, max_size=6)
GAPS = some.floats(0, 200)


def ends(box: Box, down: bool) -> tuple[float, float]:
    return (box.top, box.bottom) if down else (box.left, box.right)


@pytest.mark.parametrize("down", [True, False])
@settings(max_examples=40)
@given(box=BOXES, sizes=SIZES, gap=GAPS)
def test_pieces_stand_in_order_within_the_box(down: bool, box: Box, sizes: list[float | None], gap: float) -> None:
    pieces = (rows if down else columns)(box, sizes, gap)
    assert len(pieces) == len(sizes)
    at, last = ends(box, down)
    for piece in pieces:
        low, high = ends(piece, down)
        assert at - 1e-6 <= low <= high <= last + 1e-6
        assert ends(piece, not down) == ends(box, not down)
        at = high


@pytest.mark.parametrize("down", [True, False])
@settings(max_examples=40)
@given(box=BOXES, sizes=SIZES, gap=GAPS)
def test_what_fits_has_its_size_and_its_gap_and_shares_are_equal(down: bool, box: Box, sizes: list[float | None],
                                                                gap: float) -> None:
    low, high = ends(box, down)
    wanted = sum(size for size in sizes if size is not None) + gap * (len(sizes) - 1)
    pieces = [ends(piece, down) for piece in (rows if down else columns)(box, sizes, gap)]
    shares = [end - start for (start, end), size in zip(pieces, sizes, strict=True) if size is None]
    assert shares == pytest.approx([shares[0]] * len(shares) if shares else [], abs=1e-6)
    fits = wanted <= high - low
    for (start, end), size in zip(pieces, sizes, strict=True):
        if size is not None:
            assert end - start == pytest.approx(size if fits else size * (high - low) / wanted, abs=1e-6)
    for (_, end), (start, _) in pairwise(pieces):
        assert start - end == pytest.approx(gap if fits else gap * (high - low) / wanted, abs=1e-6)
    if shares or not fits:  # then nothing is left over
        assert pieces[-1][1] == pytest.approx(high, abs=1e-6)


@settings(max_examples=40)
@given(box=BOXES, edge=some.sampled_from(["left", "top", "right", "bottom"]), size=LENGTHS, gap=GAPS)
def test_a_strip_lies_along_its_edge_and_the_rest_opposite(box: Box, edge: str, size: float, gap: float) -> None:
    strip, rest = split(box, edge, size, gap)
    across = edge in ("left", "right")
    assert getattr(strip, edge) == pytest.approx(getattr(box, edge), abs=1e-6)
    far = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}[edge]
    if size + gap > 0:
        assert getattr(rest, far) == pytest.approx(getattr(box, far), abs=1e-6)
    together = strip.width + rest.width if across else strip.height + rest.height
    assert together <= (box.width if across else box.height) + 1e-6


@settings(max_examples=40)
@given(box=BOXES, margin=LENGTHS, other=LENGTHS)
def test_margins_leave_something_inside_the_box_or_nothing(box: Box, margin: float, other: float) -> None:
    inner = box.inset(margin, other)
    assert box.left <= inner.left <= inner.right <= box.right
    assert box.top <= inner.top <= inner.bottom <= box.bottom
    assert inner.width == pytest.approx(max(0.0, box.width - 2 * margin), abs=1e-6)
    assert inner.height == pytest.approx(max(0.0, box.height - 2 * other), abs=1e-6)
    assert box.inset(0) == box


def test_margins_of_each_side() -> None:
    assert Box(0, 0, 100, 50).inset(10, 5, 20, 15) == Box(10, 5, 80, 35)
    assert Box(0, 0, 100, 50).middle == (50, 25)
    assert rows(Box(0, 0, 9, 100), (20, None, None), 10) == (Box(0, 0, 9, 20), Box(0, 30, 9, 60), Box(0, 70, 9, 100))
