"""Pictures: what lies under a point, and the text that tests compare."""

from __future__ import annotations

import numpy as np
import pytest

from visualizer.scene.picture import Focus, Image, Line, Picture, Rect, Text, rich, unmarked


def grid(**changes: object) -> Image:
    values = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    return Image(10, 20, (5, 5), values, pitch=(30, 0), columns=2, focus=Focus("conv1"), **changes)  # type: ignore[arg-type]


def test_a_tile_answers_with_its_channel_row_and_column() -> None:
    picture = Picture((100, 100), (grid(),))
    assert picture.hit(10, 20) == Focus("conv1", (0, 0, 0))
    assert picture.hit(29.9, 34.9) == Focus("conv1", (0, 2, 3))
    assert picture.hit(40, 20) == Focus("conv1", (1, 0, 0))


@pytest.mark.parametrize("point", [(9.9, 20), (35, 20), (10, 35.1), (70, 20), (10, 19)])
def test_between_and_beyond_the_tiles_there_is_nothing(point: tuple[float, float]) -> None:
    assert Picture((100, 100), (grid(),)).hit(*point) is None


@pytest.mark.parametrize(("point", "cell"), [
    ((12, 22), (0, 0, 0)), ((9, 20), (0, 0, 0)), ((34, 22), (0, 0, 3)), ((36, 22), (1, 0, 0)), ((12, 38), (0, 2, 0)),
    ((62, 33), (1, 2, 3)), ((70, 20), None), ((12, 50), None), ((2, 20), None)])
def test_in_a_gap_beside_tiles_the_nearest_one_is_meant_and_farther_off_none(point: tuple[float, float],
                                                                             cell: tuple[int, ...] | None) -> None:
    found = Picture((100, 100), (grid(),)).near(*point)
    assert found == (None if cell is None else Focus("conv1", cell))


@pytest.mark.parametrize("cell", [(5, 0), (0, 5), (0, 0)])
def test_tiles_that_a_low_stage_leaves_no_height_are_under_no_point(cell: tuple[float, float]) -> None:
    flat = Image(10, 20, cell, np.zeros((2, 3, 4), np.uint8), columns=2, focus=Focus("conv1"))
    below = Rect(0, 0, 50, 50, focus=Focus("below"))
    picture = Picture((100, 100), (below, flat))
    assert picture.hit(12, 20) == picture.near(12, 20) == Focus("below")
    assert picture.near(60, 60) is None


def test_tiles_may_show_chosen_channels() -> None:
    assert Picture((100, 100), (grid(indices=(7, 3)),)).hit(41, 21) == Focus("conv1", (3, 0, 0))


def test_the_mark_on_top_answers_and_marks_without_focus_do_not() -> None:
    over = Rect(0, 0, 50, 50, focus=Focus("over"))
    blind = Rect(0, 0, 100, 100, "ink")
    assert Picture((100, 100), (grid(),), (over, blind)).hit(12, 22) == Focus("over")


def test_a_line_is_hit_near_it_only() -> None:
    picture = Picture((100, 100), (Line(((0, 0), (50, 50)), focus=Focus("edge")),))
    assert picture.hit(25, 27) == Focus("edge")
    assert picture.hit(25, 40) is None


def test_equal_marks_dump_alike_and_one_changed_value_shows() -> None:
    changed = np.arange(24, dtype=np.uint8).reshape(2, 3, 4).copy()
    changed[1, 2, 3] += 1
    one, same = Picture((9, 9), (grid(),)), Picture((9, 9), (grid(),))
    other = Picture((9, 9), (Image(10, 20, (5, 5), changed, pitch=(30, 0), columns=2, focus=Focus("conv1")),))
    assert one == same
    assert one.dump() == same.dump()
    assert one != other
    assert one.dump() != other.dump()


def test_markup_becomes_runs_and_can_be_taken_off() -> None:
    runs = rich("Channel **7** of `conv2`: {5.21}, _W x_ and a_b")
    assert [(run.text, run.weight, run.mono, run.italic, run.color) for run in runs if run.text.strip(" :,ofand")] == [
        ("Channel ", 0, False, False, ""), ("7", 600, False, False, ""), ("conv2", 0, True, False, ""),
        ("5.21", 600, False, False, "accent-ink"), ("W x", 0, False, True, ""), (" and a_b", 0, False, False, "")]
    assert unmarked("{5.21} of `relu_1`") == "5.21 of relu_1"


def test_a_text_is_one_mark_whatever_its_runs() -> None:
    assert Text(0, 0, rich("a **b** c")).plain == "a b c"
