"""Reels: from one recording to the next; numbers at both ends, and none in between."""

import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from tests.toys import deep, toy
from visualizer import cli, sight
from visualizer.scene.picture import Image, Rect, Text
from visualizer.scene.reel import FADE, HOLD, STRIP, Reel, between
from visualizer.scene.state import State, changed
from visualizer.scene.timeline import timeline
from visualizer.trace import Refused

SIZE = (900, 600)


def other():
    """The same network with other numbers."""
    return replace(toy(), layers=tuple(replace(layer, output=np.flip(layer.output) * 0.5) for layer in toy()))


def reel():
    return Reel((toy(), other()), ("before", "after"), timeline(toy()).find("conv.forward"), ("before it", "after it"))


def seen(trace, moment, size):
    return sight.seen(trace, changed(State(), view="network"), moment, size)


def test_a_beat_for_each_recording_with_an_address_that_is_found_again():
    times = reel().times
    assert [beat.address for beat in times.beats] == ["before:conv.forward", "after:conv.forward"]
    assert times.seconds == 2 * (FADE + HOLD)
    half = times.at(FADE + HOLD + FADE / 2)
    assert (half.address, half.index) == ("after:conv.forward@0.5", 1)
    assert times.find(half.address) == half
    assert times.second_of(half) == FADE + HOLD + FADE / 2
    assert [reel().nearest(times.find(f"after:conv.forward@{share}")) for share in (0, 0.4, 0.6, 1)] == [0, 0, 1, 1]


def test_where_a_recording_is_reached_its_picture_stands_as_it_is():
    inside = SIZE[0], SIZE[1] - STRIP
    for index, trace in enumerate((toy(), other())):
        whole, alone = reel().picture(seen, reel().times.settled(index), SIZE), seen(trace, reel().moment, inside)
        assert whole.size == SIZE
        assert whole.still[:len(alone.still)] == alone.still
        assert (whole.moving, whole.caption, whole.table) == (alone.moving, alone.caption, alone.table)
    start = reel().picture(seen, reel().times.find("after:conv.forward@0"), SIZE)
    assert start.caption == seen(toy(), reel().moment, inside).caption


def test_in_between_no_number_is_shown_that_is_not_that_of_both():
    inside = SIZE[0], SIZE[1] - STRIP
    one, two = (seen(trace, reel().moment, inside) for trace in (toy(), other()))
    both = set.intersection(*({mark.plain for mark in end if isinstance(mark, Text)} for end in (one, two)))
    for share in (0.1, 0.5, 0.9):
        picture = reel().picture(seen, reel().times.find(f"after:conv.forward@{share}"), SIZE)
        words = [mark.plain for mark in picture if isinstance(mark, Text) and mark.y < SIZE[1] - STRIP]
        assert all(said in both for said in words if re.search(r"\d", said))
        assert picture.caption.startswith(f"Between before it and after it, {share:.0%}".replace("%", " %"))
        assert not picture.table.rows
        assert any("interpolated" in mark.plain for mark in picture if isinstance(mark, Text))


def test_colours_and_lengths_go_over_evenly():
    one, two = np.zeros((1, 2, 2), np.uint8) + 10, np.zeros((1, 2, 2), np.uint8) + 110
    pictures = [replace(seen(toy(), reel().moment, SIZE), moving=(), still=(
        Image(0, 0, (5, 5), values), Rect(0, 0, wide, 4), Text(3, 3, ()), Rect(9, 9, 9, 9, tip=str(wide))))
        for values, wide in ((one, 10), (two, 30))]
    quarter = between(*pictures, 0.25, "said").still
    assert (quarter[0].values == 35).all()
    assert quarter[1].width == 15
    assert [mark.values.max() for mark in between(*pictures, 0.75, "").still[:1]] == [85]


def test_recordings_of_two_networks_make_no_reel():
    with pytest.raises(Refused, match="other layers"):
        Reel((toy(), deep()), ("a", "b"), timeline(toy()).settled(0))
    for names in (("a",), ("a", "a")):
        with pytest.raises(Refused, match="two or more"):
            Reel((toy(), other())[:len(names)], names, timeline(toy()).settled(0))


def test_before_and_after_training_is_a_film(tmp_path, capsys):
    path = tmp_path / "frames"
    wanted = ["film", "rows_rnn", "--reel", "before,after", "--from", "rnn.forward[20]", "--view", "hidden_state",
              "--fps", "1"]
    assert cli.main([*wanted, "-o", str(path)]) == cli.DONE
    assert len(list(path.glob("0*.png"))) == 6
    capsys.readouterr()
    for bad in ("before", "before,before", "before,later"):
        wanted[3] = bad
        assert cli.main([*wanted, "-o", str(path)]) == cli.WRONG_USAGE
        assert "write --reel before,after" in capsys.readouterr().err
    assert Fraction(2) == FADE
