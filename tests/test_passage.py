"""From input to input: every value goes over, no number is printed on the way, and a film goes through a list."""

import re
from dataclasses import replace
from fractions import Fraction

import pytest

from visualizer import cli, sight
from visualizer.record.run import record
from visualizer.scene.passage import MOVE, STAND, Passage, crossed
from visualizer.scene.picture import SENTENCE, Image, Look, Rect, Text
from visualizer.scene.reel import Crossing
from visualizer.scene.state import State, changed
from visualizer.scene.timeline import REST, ease, timeline

SIZE = (1104, 796)
STEPS = [("digits_cnn", "digit-2148", "digit-3", "network", "conv2.forward"),
         ("digits_cnn", "digit-2148", "digit-7", "network", "softmax.forward"),
         ("digits_cnn", "digit-2148", "digit-7", "feature_maps", "conv2.backward"),
         ("rows_lstm", "digit-3", "digit-7", "unrolled", "lstm.forward[20]"),
         ("rows_lstm", "digit-3", "digit-7", "gates", "lstm.forward[20]"),
         ("surname_gru", "Vuković", "Cornelisse", "unrolled", ""),
         ("adding_gru", "sum-1", "sum-2", "hidden_state", "")]


def ends(model, one, other, view, at):
    """The pictures of two inputs, and whether their recordings are of one shape."""
    state = changed(State(), model=model, view=view, at=at, look=Look(size=SIZE))
    traces = [record(model, name) for name in (one, other)]
    return *(sight.seen(trace, state) for trace in traces), traces[0].shapes == traces[1].shapes


@pytest.fixture(scope="module", params=STEPS, ids=lambda step: f"{step[0]}-{step[3]}-{step[4]}")
def step(request):
    return ends(*request.param)


def texts(picture):
    return [mark for mark in picture if isinstance(mark, Text)]


def test_on_the_way_no_number_is_printed_that_is_not_there_at_both_ends(step):
    one, other, alike = step
    both = {mark.plain for mark in texts(one)} & {mark.plain for mark in texts(other)}
    numbers = [set(re.findall(r"(?<!\w)\d+(?:[.,]\d+)*", " ".join(m.plain for m in texts(end) if m.group == SENTENCE)))
               for end in (one, other)]
    for phase in (0.05, 0.4, 0.6, 0.95):
        between = crossed(Crossing(one, other, alike), phase)
        for mark in texts(between):
            if mark.group == SENTENCE:
                assert set(re.findall(r"(?<!\w)\d+(?:[.,]\d+)*", mark.plain)) <= numbers[0] & numbers[1]
            else:
                assert not re.search(r"\d", mark.plain) or mark.plain in both
                assert not re.fullmatch(r"[−+]?\d+\.\d+( %)?", mark.plain), "though it is the same at both"
        assert not between.table.rows
        assert "goes over evenly" in between.caption


def test_the_sentence_changes_at_the_half(step):
    one, other, alike = step
    crossing = Crossing(one, other, alike)
    for phase, near in ((0.1, one), (0.49, one), (0.51, other), (0.9, other)):
        said, wanted = ([re.sub(r"[\d.,…]+", "", mark.plain) for mark in texts(picture) if mark.group == SENTENCE]
                        for picture in (crossed(crossing, phase), near))
        assert said == wanted


def test_the_way_back_is_the_same_frames_backwards(step):
    one, other, alike = step
    for share in (0.2, 0.45):
        there = Crossing(one, other, alike).picture(share, "said").dump().splitlines()
        back = Crossing(other, one, alike).picture(1 - share, "said").dump().splitlines()
        assert sorted(there) == sorted(back)


def test_near_its_ends_the_way_is_as_they_are(step):
    """No jump: right after the start all that is no number has the opacity, size and place that it had."""
    one, other, alike = step
    crossing = Crossing(one, other, alike)
    for share, end in ((1e-6, one), (1 - 1e-6, other)):
        kept = [line for line in _lines(crossing.picture(share, "")) if not line.startswith("text")]
        gone = set(_lines(end)) - set(kept)
        assert all(line.startswith("text") for line in gone)


def _lines(picture):
    """A mark a line, lengths and opacities as whole hundredths."""
    def rounded(mark):
        changes = {name: round(getattr(mark, name), 2) for name in ("x", "y", "width", "height", "opacity")
                   if isinstance(getattr(mark, name, None), float)}
        return replace(mark, **changes)

    pictures = replace(picture, still=tuple(map(rounded, picture.still)), moving=tuple(map(rounded, picture.moving)))
    return [re.sub(r"(\d+\.\d\d)\d+", r"\1", line) for line in pictures.dump().splitlines()
            if line[:4] in ("imag", "rect", "text")]


def test_maps_and_bars_go_over_in_the_middle_of_both():
    one, other, _ = ends(*STEPS[1])
    half = Crossing(one, other).picture(0.5, "")
    maps = [next(mark for mark in picture if isinstance(mark, Image) and mark.focus is not None
                 and mark.focus.layer == "conv1").values.astype(int) for picture in (one, half, other)]
    assert abs(maps[1] - (maps[0] + maps[2]) / 2).max() <= 0.5
    before, halfway, after = ({round(mark.y): mark.width for mark in picture if isinstance(mark, Rect)
                               and mark.group is not None and mark.group.name == "softmax" and mark.focus is None
                               and mark.fill in ("accent-fill", "ink-2")} for picture in (one, half, other))
    assert set(halfway) == set(before) | set(after)
    for y, width in halfway.items():
        assert width == pytest.approx((before.get(y, 0) + after.get(y, 0)) / 2)


def test_a_frame_around_another_channel_fades_and_does_not_travel():
    """Nothing travels from input to input: the strongest channel of the next one is another one."""
    one, other, _ = ends(*STEPS[0])
    places = {(mark.x, mark.y) for end in (one, other) for mark in end
              if isinstance(mark, Rect) and not mark.fill and mark.stroke == "accent"}
    frames = [(mark.x, mark.y) for mark in Crossing(one, other).picture(0.3, "")
              if isinstance(mark, Rect) and not mark.fill and mark.stroke == "accent"]
    assert frames
    assert all(min(max(abs(x - a), abs(y - b)) for a, b in places) < 8 for x, y in frames)


def test_what_has_another_shape_fades_and_does_not_travel():
    one, other, alike = ends(*STEPS[5])
    assert not alike
    ahead = Crossing(one, other, alike).picture(0.25, "")
    places = {(mark.x, mark.y) for mark in texts(one)}
    assert all((mark.x, mark.y) in places for mark in texts(ahead))


# --- a passage ------------------------------------------------------------------------------------------------------

def passage(drawn):
    traces = [record("digits_cnn", name) for name in ("digit-2148", "digit-3", "digit-7")]
    state = changed(State(), view="network", at="conv1.forward")

    def seen(index, size):
        drawn.append(index)
        return sight.seen(traces[index], state, None, size)

    return Passage(12, ("a", "b", "c"), seen, lambda index: traces[index].shapes,
                   lambda index: sight.input_words(traces[index], 12 + index, 400),
                   sight.moment_of(traces[0], state).beat)


def test_a_passage_has_a_beat_for_each_input_and_draws_each_once():
    drawn = []
    way = passage(drawn)
    assert [beat.address for beat in way.times.beats] == [f"{number}:conv1.forward" for number in (12, 13, 14)]
    assert way.times.seconds == 2 * MOVE + 3 * STAND
    assert way.times.at(STAND + MOVE / 2).address == "13:conv1.forward@0.5"
    pictures = [way.picture(way.times.at(Fraction(tenth, 10)), SIZE) for tenth in range(26)]
    assert drawn == [0, 1, 2]
    said = [mark.plain for mark in texts(pictures[0])]
    assert "input 12 of 400, labelled 4, answered 4" in said
    assert any(mark.plain.startswith("on the way to the next input") for mark in texts(pictures[8]))


def test_a_film_shows_what_the_window_shows_between_two_inputs():
    way = passage([])
    moment = way.times.find("13:conv1.forward@0.25")
    inside = SIZE[0], SIZE[1] - 44
    one, other = (way.seen(index, inside) for index in (0, 1))
    shown = way.picture(moment, SIZE)
    assert shown.still[:len(Crossing(one, other).picture(ease(0.25), "").still)] == \
        crossed(Crossing(one, other), 0.25).still


def test_the_moment_of_a_shorter_input_is_its_last_step():
    times = timeline(record("surname_gru", "Denk"))
    layer = next(beat.layer for beat in times.beats if beat.step)
    assert times.nearest(f"{layer}.forward[99]") == times.find(f"{layer}.forward[4]")
    assert times.nearest(f"{layer}.forward[99].update") == times.find(f"{layer}.forward[4].update")
    assert times.nearest(f"{layer}.backward[99]@0.5") == times.find(f"{layer}.backward[4]@0.5")
    assert times.nearest("nothing.forward[3]") is None
    assert times.nearest(f"{layer}.forward[2]") == times.find(f"{layer}.forward[2]")


# --- on the command line --------------------------------------------------------------------------------------------

def test_a_film_goes_over_inputs(tmp_path, capsys):
    path = tmp_path / "frames"
    assert cli.main(["film", "digits_cnn", "--over", "inputs:wrong", "--at", "conv2.forward", "--from", "2", "--to",
                     "3", "--fps", "5", "--size", "640x480", "-o", str(path)]) == cli.DONE
    assert len(list(path.glob("0*.png"))) == round(5 * (STAND + MOVE + REST) + Fraction(1, 2))
    from visualizer import door

    saved = door.open_(door.recognise(next(path.glob("0001.png")))).state
    assert (saved.over, saved.at, saved.sample) == ("inputs:wrong", "conv2.forward", "digit-1414")
    assert door.open_(door.recognise(path / "0005.png")).state.sample == "digit-3985"


@pytest.mark.parametrize(("words", "status", "why"), [
    (["--at", "conv2.forward"], cli.WRONG_USAGE, "--at goes with --over"),
    (["--over", "outputs"], cli.WRONG_USAGE, "cannot be stepped through"),
    (["--over", "inputs:excite"], cli.WRONG_USAGE, "Which unit"),
    (["--over", "inputs:wrong", "--from", "conv2"], cli.WRONG_USAGE, "numbers from 1 to 6"),
    (["--over", "inputs:wrong", "--from", "5", "--to", "3"], cli.WRONG_USAGE, "comes before input 5"),
    (["--over", "inputs:class=77"], cli.REFUSED, "No input is labelled 77"),
    (["--over", "inputs", "--at", "conv9.forward"], cli.WRONG_USAGE, "There is no moment"),
    (["--over", "inputs:/nowhere"], cli.REFUSED, "There is no folder or file")])
def test_what_is_no_film_over_inputs_is_one_sentence(words, status, why, tmp_path, capsys):
    assert cli.main(["film", "digits_cnn", *words, "-o", str(tmp_path / "frames")]) == status
    said = capsys.readouterr().err
    assert why in said
    assert said.count("\n") == 1


def test_the_laboratory_has_no_inputs_to_go_over(tmp_path, capsys):
    assert cli.main(["film", "lab", "--over", "inputs", "-o", str(tmp_path / "frames")]) == cli.WRONG_USAGE
    assert "goes through the inputs of one model" in capsys.readouterr().err
