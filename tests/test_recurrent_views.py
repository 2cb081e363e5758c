"""Views of recurrent layers: the laws of all views, on networks that read text; and what they say is true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from tests.test_views import corners, seen
from visualizer import record
from visualizer.scene.picture import Focus, Image, Look, Picture, Text
from visualizer.scene.reading import BLOCKS, TABS, entropy, guesses, layers, opened, reading
from visualizer.scene.timeline import timeline
from visualizer.trace import Trace
from visualizer.views import View, all_views, find

NAMES = ("unrolled", "hidden_state", "gates", "trajectory", "step_outputs", "cell", "connectivity")
TEXT = "wherefore art thou"


@pytest.fixture(scope="module", params=["char_lstm", "char_gru", "char_rnn"])
def text(request: pytest.FixtureRequest) -> Trace:
    return record.with_study(record.pass_of(request.param, TEXT), "connectivity")


@pytest.fixture(scope="module")
def lstm() -> Trace:
    return record.record("char_lstm", TEXT)


@pytest.fixture(scope="module")
def long() -> Trace:
    return record.record("char_gru", (TEXT + " ") * 11)


def suiting(trace: Trace) -> Iterator[View]:
    for name in NAMES:
        if find(name).suits(trace):
            yield find(name)


def test_every_recurrent_network_suits_these_views(text: Trace) -> None:
    assert {view.name for view in suiting(text)} >= set(NAMES) - {"gates"}
    assert all(name in {view.name for view in all_views()} for name in NAMES)


@pytest.mark.parametrize("look", [Look((1104, 796)), Look((952, 656), "dark"), Look((1920, 1080), "projector", 1.25)])
def test_nothing_lies_outside_the_frame(text: Trace, look: Look) -> None:
    times = timeline(text)
    for view in suiting(text):
        for index in range(0, len(times.beats), 5):
            for moment in (times.settled(index), times.at(times.starts[index] + Fraction(1, 5))):
                picture = view.draw(text, moment, None, look)
                assert picture.caption.endswith("."), f"{view.name} {moment.address}"
                assert picture.table.rows
                for mark in picture:
                    if mark.opacity > 0.3:
                        assert all(-1 <= x <= look.size[0] + 1 and -1 <= y <= look.size[1] + 1
                                   for x, y in corners(mark)), f"{view.name} {moment.address}: {mark}"


def test_a_step_forward_and_back_gives_the_identical_picture(lstm: Trace) -> None:
    times = timeline(lstm)
    for view in suiting(lstm):
        for index in range(0, len(times.beats) - 1, 4):
            before = view.draw(lstm, times.settled(index), None, Look())
            view.draw(lstm, times.settled(index + 1), None, Look())
            assert view.draw(lstm, times.settled(index), None, Look()) == before


def test_columns_move_without_jumping(lstm: Trace) -> None:
    """The end of one step and the start of the next show the same tiles: states, gates and gradients."""
    times = timeline(lstm)
    for index in range(len(times.beats) - 1):
        end = find("unrolled").draw(lstm, times.settled(index), None, Look())
        start = find("unrolled").draw(lstm, times.at(times.starts[index + 1]), None, Look())
        tiles = tiles_of(end), tiles_of(start)
        assert tiles[0] == tiles[1], times.beats[index + 1].address


def tiles_of(picture: Picture) -> dict[str, int]:
    lines = seen(Picture(picture.size, tuple(mark for mark in picture if isinstance(mark, Image)), theme=picture.theme))
    return {line: count for line, count in lines.items() if "inner." not in line}


def test_the_lines_of_an_opened_cell_add_up_to_what_was_recorded(text: Trace) -> None:
    layer = layers(text)[0]
    shown = reading(text, layer.name)
    for step in (0, 1, 9, shown.steps - 1):
        for key in BLOCKS[shown.cell]:
            rows = opened(text, shown, key, step)
            total = rows[-2].values if rows[-2].words.startswith("= ") else sum(row.values for row in rows[:-1])
            squash = np.tanh if key in ("candidate", "new") else \
                (lambda a: a) if key == "preactivation" else (lambda a: 1 / (1 + np.exp(-a)))
            assert np.abs(squash(total) - rows[-1].values).max() < 1e-5, (key, step)
            assert np.abs(np.asarray(layer.inner[key][step]) - rows[-1].values).max() == 0
        if shown.cell != "rnn":
            last = opened(text, shown, TABS[shown.cell][-1][0], step)
            made = last[0].values * last[1].values if shown.cell == "lstm" else last[0].values + last[1].values
            assert np.abs(made - last[-1].values).max() < 1e-5


def test_the_sentence_names_the_likeliest_answer(text: Trace) -> None:
    answers = guesses(text)
    assert answers is not None
    name = layers(text)[0].name
    for step in (3, 10, 17):
        caption = find("unrolled").draw(text, timeline(text).find(f"{name}.forward[{step}]"), None, Look()).caption
        share = float(re.findall(r"with (\d+) %", caption)[0])
        assert abs(share - 100 * answers[step - 1].max()) <= 0.5 + 1e-9


def test_probabilities_and_entropy_are_those_of_the_logits(text: Trace) -> None:
    answers = guesses(text)
    assert answers is not None
    assert np.abs(answers.sum(axis=1) - 1).max() < 1e-12
    assert entropy(np.full(8, 1 / 8)) == pytest.approx(3.0)
    assert entropy(np.array([1.0, 0.0])) == 0


def test_a_long_text_is_a_strip_and_a_window(long: Trace) -> None:
    name = layers(long)[0].name
    picture = find("unrolled").draw(long, timeline(long).find(f"{name}.forward[120]"), None, Look())
    words = [mark.plain for mark in picture if isinstance(mark, Text)]
    assert any(word.startswith("all 209 steps") for word in words)
    assert sum(1 for _ in picture) < 800


def test_the_scale_of_the_state_never_changes(lstm: Trace) -> None:
    """Equal values have equal colours at every step: the map of step 5 is part of the map of step 15."""
    maps = []
    for step in (6, 16):
        picture = find("hidden_state").draw(lstm, timeline(lstm).find(f"lstm.forward[{step}]"), None, Look())
        maps.append(next(mark.values[0] for mark in picture if isinstance(mark, Image) and mark.transposed))
    assert np.array_equal(maps[0], maps[1][:, :maps[0].shape[1]])


def test_a_view_of_steps_refuses_a_network_without_steps() -> None:
    trace = record.record("mlp_mnist", "digit-2148")
    assert not find("unrolled").suits(trace)
    with pytest.raises(LookupError, match="no recurrent layer"):
        find("unrolled").draw(trace, timeline(trace).settled(0), Focus("fc1"), Look())
