"""The microscope in recurrent layers: every gate and state has its card, both ways, and it is true."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from tests.test_kinds_recurrent import CASES, trace_of
from tests.test_views import SIZES, box, corners
from visualizer import kinds, record
from visualizer.export import parse_focus
from visualizer.kinds import recurrent
from visualizer.scene.picture import Focus, Image, Look, Picture, Rect, Text
from visualizer.scene.timeline import BACKWARD, FORWARD, timeline
from visualizer.trace import Layer, Trace
from visualizer.views import find

BUNDLED = {"char_rnn": "wherefore art thou", "char_lstm": "wherefore art thou", "char_gru": "wherefore art thou",
           "rows_rnn": "digit-2148", "rows_lstm": "digit-2148", "rows_gru": "digit-2148", "surname_gru": "Rossi",
           "sentiment_gru": "a gripping movie", "crnn_strip": "strip:4 0 7"}
KNOBS = ("auto", "arrives", "hands")


@pytest.fixture(scope="module")
def lstm() -> Trace:
    return record.record("char_lstm", "wherefore art thou")


@pytest.fixture(scope="module", params=BUNDLED)
def bundled(request: pytest.FixtureRequest) -> Trace:
    name = request.param
    return record.record(name, BUNDLED[name])


def timed(trace: Trace) -> list[Layer]:
    return [layer for layer in trace if layer.inner]


def card(trace: Trace, focus: Focus, way: str = FORWARD, look: Look | None = None) -> Picture:
    step = focus.cell[0] + 1 if "step" in trace[focus.layer].axes and not focus.part.startswith("inner.init") else None
    moment = timeline(trace).of(focus.layer, way, step)
    assert moment is not None
    return find("walk").draw(trace, moment, focus, look or Look())


def numbers_inside(trace: Trace, steps: int) -> Iterator[tuple[str, Focus, float, tuple[Look, ...]]]:
    """(way, focus, recorded number, looks) of every gate and state, at the first, a middle and the last step."""
    for layer in timed(trace):
        for way, arrays in ((FORWARD, layer.inner), (BACKWARD, layer.inner_gradients)):
            if way == BACKWARD and layer.gradient is None:
                continue
            for key, values in arrays.items():
                places = sorted({0, len(values) // 2, len(values) - 1})[:steps]
                for step in places:
                    unit = int(np.argmax(np.abs(values[step])))
                    looks = KNOBS if way == BACKWARD else KNOBS[:1]
                    yield way, Focus(layer.name, (step, unit), f"inner.{key}"), float(values[step, unit]), tuple(
                        Look(knobs=(("card", word),)) for word in looks)


def lawful(name: str, picture: Picture) -> None:
    """Nothing outside, texts apart, one sentence, a table."""
    width, height = picture.size
    for mark in picture:
        for x, y in corners(mark):
            assert math.isfinite(x), f"{name}: {mark}"
            assert math.isfinite(y), f"{name}: {mark}"
            assert -1 <= x <= width + 1, f"{name}: x = {x:.1f} of {mark}"
            assert -1 <= y <= height + 1, f"{name}: y = {y:.1f} of {mark}"
    boxes = [(mark, box(mark)) for mark in picture if isinstance(mark, Text)]
    for index, (mark, (x0, y0, x1, y1)) in enumerate(boxes):
        for other, (u0, v0, u1, v1) in boxes[index + 1:]:
            apart = x1 <= u0 + 1 or u1 <= x0 + 1 or y1 <= v0 + 1 or v1 <= y0 + 1
            assert apart, f"{name}: {mark.plain!r} and {other.plain!r}"
    assert picture.caption.endswith("."), name
    assert "{" not in picture.caption, name
    assert picture.table.rows, name
    assert all(len(row) == len(picture.table.columns) for row in picture.table.rows), name


def says(caption: str, value: float) -> bool:
    """Whether a sentence holds the number, as far as its digits go."""
    found = re.findall(r"[−+]?\d[\d,]*\.?\d*(?: × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?", caption)
    superscripts = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    for words in found:
        bare, _, power = words.replace("−", "-").replace(",", "").partition(" × 10")
        digits = len(bare.partition(".")[2])
        scale = 10.0 ** int(power.translate(superscripts)) if power else 1.0
        if abs(float(bare) * scale - value) <= 0.51 * 10.0 ** -digits * scale + 1e-9 * abs(value):
            return True
    return False


def adds_to(picture: Picture, way: str) -> float:
    """What the table's terms make: its results added up."""
    return sum(float(row[5]) for row in picture.table.rows if row[1] in ("result", "value"))


def check(trace: Trace, steps: int, looks: dict[str, Look]) -> int:
    count = 0
    for way, focus, value, knobs in numbers_inside(trace, steps):
        for size, frame in looks.items():
            for knob in knobs:
                picture = card(trace, focus, way, Look(frame.size, frame.theme, frame.text_scale, knobs=knob.knobs))
                name = f"{size} {way} {focus} {knob.knobs}"
                lawful(name, picture)
                assert says(picture.caption, value), f"{name}: {picture.caption} of {value}"
                if "hands" not in picture.table.rows[0] and any(row[1] == "result" for row in picture.table.rows):
                    scale = max(1.0, abs(value)) if way == FORWARD else max(abs(value), 1e-6)
                    assert adds_to(picture, way) == pytest.approx(value, abs=2e-4 * scale), name
                count += 1
    return count


@pytest.mark.parametrize("case", CASES)
def test_every_gate_and_state_has_a_card_both_ways_that_keeps_the_laws(case: str) -> None:
    assert check(trace_of(case), 3, {"window": SIZES["window"]}) > 10


def test_so_has_every_bundled_recurrent_network_in_every_window(bundled: Trace) -> None:
    assert check(bundled, 2, SIZES) > 30
