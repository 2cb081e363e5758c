"""The microscope in recurrent layers: every gate and state has its card, both ways, and it is true."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from tests.test_kinds_recurrent import CASES, trace_of
from tests.test_views import SIZES, corners, overlapping
from visualizer import export, kinds, record
from visualizer.export import parse_focus
from visualizer.kinds import recurrent
from visualizer.scene.picture import Focus, Image, Look, Picture, Rect, Text
from visualizer.scene.timeline import BACKWARD, FORWARD, timeline
from visualizer.trace import Layer, Trace
from visualizer.views import find
from visualizer.views import picture as picture_of

BUNDLED = {"char_rnn": "wherefore art thou", "char_lstm": "wherefore art thou", "char_gru": "wherefore art thou",
           "rows_rnn": "digit-2148", "rows_lstm": "digit-2148", "rows_gru": "digit-2148", "surname_gru": "Rossi",
           "sentiment_gru": "a gripping movie", "crnn_strip": "strip:4 0 7"}
KNOBS = ("arrives", "hands")


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
    step = focus.cell[0] + 1 if "step" in trace[focus.layer].axes and not focus.array.startswith("inner.init") else None
    moment = timeline(trace).of(focus.layer, way, step)
    assert moment is not None
    return picture_of(find("microscope"), trace, moment, focus, look or Look())


def numbers_inside(trace: Trace, steps: int) -> Iterator[tuple[str, Focus, float, tuple[Look, ...]]]:
    """(way, focus, recorded number, looks) of every gate and state, at the first, a middle and the last step, or at the
    middle one."""
    for layer in timed(trace):
        for way, arrays in ((FORWARD, layer.inner), (BACKWARD, layer.inner_gradients)):
            if way == BACKWARD and layer.gradient is None:
                continue
            for key, values in arrays.items():
                places = sorted({0, len(values) // 2, len(values) - 1} if steps == 3 else {len(values) // 2})
                for step in places:
                    unit = int(np.argmax(np.abs(values[step])))
                    looks = KNOBS if way == BACKWARD else ("auto",)
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
    over = overlapping([mark for mark in picture if isinstance(mark, Text)])
    assert not over, f"{name}: {over[0]}"
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


def results(picture: Picture) -> list[float]:
    """What the table's terms make, one number for each layer that reads it; empty where nothing is taken apart, and of
    a card that hands on."""
    return [float(row[5]) for row in picture.table.rows if row[1] == "result"]


def check(trace: Trace, steps: int, looks: dict[str, Look]) -> int:
    count = 0
    for way, focus, value, knobs in numbers_inside(trace, steps):
        for size, frame in looks.items():
            for knob in knobs:
                picture = card(trace, focus, way, Look(frame.size, frame.theme, frame.text_scale, knobs=knob.knobs))
                name = f"{size} {way} {focus} {knob.knobs}"
                lawful(name, picture)
                assert says(picture.caption, value), f"{name}: {picture.caption} of {value}"
                if found := results(picture):
                    scale = 1.0 if way == FORWARD else max(abs(value), 1e-6)
                    assert sum(found) == pytest.approx(value, abs=2e-4 * scale), name
                count += 1
    return count


@pytest.mark.matrix(spine=("lstm", "gru", "rnn"), sample=3, each=False)
@pytest.mark.parametrize("case", CASES)
def test_every_gate_and_state_has_a_card_both_ways_that_keeps_the_laws(case: str) -> None:
    assert check(trace_of(case), 3, {"window": SIZES["window"]}) > 10


@pytest.mark.matrix(sample=3, each=False)
def test_so_has_every_bundled_recurrent_network_in_every_window(bundled: Trace) -> None:
    assert check(bundled, 1, SIZES) >= 30


# --- what a card shows ------------------------------------------------------------------------------------------------

def test_the_terms_of_a_gate_are_all_its_products_and_both_biases(lstm: Trace) -> None:
    focus = Focus("lstm", (11, 29), "inner.forget")
    picture = card(lstm, focus)
    layer, row = lstm["lstm"], 128 + 29
    x, h = lstm["embedding"].output[11].astype(np.float64), layer.inner["hidden"][10].astype(np.float64)
    products = [float(line[5]) for line in picture.table.rows if str(line[2]).startswith("(")]
    expected = [*(layer.weights["weight_ih"][row] * x), *(layer.weights["weight_hh"][row] * h)]
    assert products == pytest.approx(expected)
    total = sum(expected) + layer.weights["bias_ih"][row] + layer.weights["bias_hh"][row]
    assert 1 / (1 + np.exp(-total)) == pytest.approx(float(layer.inner["forget"][11, 29]), abs=1e-6)
    said = [mark.plain for mark in picture if isinstance(mark, Text)]
    assert {"a, the sum", "σ(a) = f", "b of W x", "b of U h₋"} <= set(said)


@pytest.mark.matrix(spine=("lstm",), sample=2, each=False)
@pytest.mark.parametrize("case", ["lstm", "gru", "rnn", "lstm, both ways", "gru, both ways", "rnn, relu", "lstm cell"])
def test_the_shares_of_all_steps_add_up_to_the_gradient_of_a_weight_that_autograd_gave(case: str) -> None:
    trace = trace_of(case)
    for layer in timed(trace)[:2]:  # of two directions, both
        gates = [key for key in layer.inner if key in recurrent.family(layer).keys]
        for name in ("weight_ih", "weight_hh"):
            total = np.zeros(layer.weights[name].shape)
            for key in gates:
                for step, unit in np.ndindex(layer.inner[key].shape):
                    picture = card(trace, Focus(layer.name, (step, unit), f"inner.{key}"), BACKWARD,
                                   Look(knobs=(("card", "hands"),)))
                    for row in picture.table.rows:
                        if row[1] == f"{layer.name}/{name}":
                            total[tuple(int(i) for i in str(row[2])[1:-1].split(", "))] += float(row[5])
            assert total == pytest.approx(layer.weight_gradients[name], abs=1e-12), (layer.name, name)


def test_what_the_gates_of_a_step_hand_back_is_the_gradient_of_what_it_read() -> None:
    """Of one feature of x: from every unit of every gate; autograd says how much that is."""
    trace = trace_of("lstm")
    total = 0.0
    for key in ("input", "forget", "candidate", "output_gate"):
        for unit in range(5):
            picture = card(trace, Focus("rnn", (2, unit), f"inner.{key}"), BACKWARD, Look(knobs=(("card", "hands"),)))
            total += sum(float(row[5]) for row in picture.table.rows if (row[1], row[2]) == ("input", "(2, 1)"))
    gradient = trace["input"].gradient
    assert gradient is not None
    assert total == pytest.approx(float(gradient[2, 1]), abs=1e-12)


@pytest.mark.parametrize("case", ["lstm", "gru", "rnn", "lstm, both ways"])
def test_what_a_state_hands_on_arrives_where_it_says(case: str) -> None:
    """Each share is a term of the gradient it names, and the memory's are all of it."""
    trace = trace_of(case)
    for layer in timed(trace):
        for key in [key for key in ("hidden", "cell") if key in layer.inner]:
            for step in range(len(layer.inner[key])):
                picture = card(trace, Focus(layer.name, (step, 1), f"inner.{key}"), BACKWARD,
                               Look(knobs=(("card", "hands"),)))
                g = float(layer.inner_gradients[key][step, 1])
                for row in picture.table.rows:
                    assert float(row[4]) == g
                    there = parse_focus(trace, f"{layer.name}:{str(row[2])[1:-1].replace(' ', '')}"
                                        f"/{str(row[1]).partition('/')[2] or 'output'}")
                    assert there is not None
                    part = there.array.removeprefix("inner.").replace("output", "hidden", 1) \
                        if there.array == "output" else there.array.removeprefix("inner.")
                    terms = kinds.inner_backward_terms(trace, layer.name, part, *there.cell)
                    products = [product for taps in terms.taps for product in taps.products]
                    assert min(abs(product - float(row[5])) for product in products) < 1e-12


def test_a_click_on_a_term_leads_to_the_number_it_read(lstm: Trace) -> None:
    """Hidden state of the step before, feature of x, gates inside the memory, memory of the step before."""
    def leads(picture: Picture) -> set[Focus]:
        found = {mark.focus for mark in picture if isinstance(mark, Rect) and mark.focus is not None}
        for mark in picture:
            if isinstance(mark, Image) and mark.focus is not None:
                found |= {Focus(mark.focus.layer, (*mark.focus.cell, index), mark.focus.array)
                          for index in mark.indices}
        return found

    gate = leads(card(lstm, Focus("lstm", (11, 29), "inner.forget")))
    assert {Focus("lstm", (10, unit)) for unit in range(128)} <= gate
    assert {Focus("embedding", (11, unit)) for unit in range(32)} <= gate
    memory = leads(card(lstm, Focus("lstm", (11, 29), "inner.cell")))
    assert {Focus("lstm", (11, 29), f"inner.{key}") for key in ("forget", "input", "candidate")} <= memory
    assert Focus("lstm", (10, 29), "inner.cell") in memory
    state = leads(card(lstm, Focus("lstm", (11, 29))))
    assert {Focus("lstm", (11, 29), f"inner.{key}") for key in ("output_gate", "cell")} <= state
    first = leads(card(lstm, Focus("lstm", (0, 29), "inner.forget")))
    assert not any(focus.layer == "lstm" and focus.array == "output" and focus.cell[0] < 0 for focus in first)


# --- moments within a step --------------------------------------------------------------------------------------------

def test_addresses_of_parts_lead_to_their_cards_forwards_and_backwards(lstm: Trace) -> None:
    times, walk = timeline(lstm), find("microscope")
    forget = walk.draw(lstm, times.find("lstm.forward[12].forget"), Focus("lstm", (11, 29)), Look())
    assert forget.caption == card(lstm, Focus("lstm", (11, 29), "inner.forget")).caption
    memory = walk.draw(lstm, times.find("lstm.backward[3].cell"), Focus("lstm", (2, 29)), Look())
    assert memory.caption == card(lstm, Focus("lstm", (2, 29), "inner.cell"), BACKWARD).caption
    assert says(memory.caption, float(lstm["lstm"].inner_gradients["cell"][2, 29]))
    whole = walk.draw(lstm, times.find("lstm.forward[12]"), Focus("lstm", (11, 29)), Look())
    assert says(whole.caption, float(lstm["lstm"].output[11, 29]))


@pytest.mark.parametrize("part", ["inner.forget", "inner.cell", "inner.output_gate"])
def test_a_part_fills_in_its_own_stretch_of_the_beat(lstm: Trace, part: str) -> None:
    moment = timeline(lstm).find("lstm.forward[12]")
    focus = Focus("lstm", (11, 29), part)
    whole = find("microscope").draw(lstm, moment, focus, Look())
    terms, = find("microscope").pace(lstm, moment, focus, Look()).stretches
    assert moment.beat.stretch(part.removeprefix("inner.")) == (terms.start, terms.end)
    counts = []
    for step in range(terms.terms + 1):
        phase = terms.start + step / terms.terms * (terms.end - terms.start)
        at = timeline(lstm).find(f"lstm.forward[12]@{phase:.12g}")
        counts.append(sum(1 for mark in find("microscope").draw(lstm, at, focus, Look()) if isinstance(mark, Text)))
    assert all(after >= before for before, after in pairwise(counts))
    assert counts[0] < counts[-1]
    assert sum(1 for mark in whole if isinstance(mark, Text)) == counts[-1]


def test_a_gate_outside_the_layer_says_what_is_inside(lstm: Trace) -> None:
    with pytest.raises(IndexError, match="0…127"):
        export.draw(lstm, "microscope", focus=Focus("lstm", (11, 128), "inner.forget"))


def test_a_gate_that_is_not_a_number_is_named() -> None:
    trace = trace_of("gru")
    broken = trace["rnn"].inner["update"].copy()
    broken[2, 1] = np.nan
    sick = replace(trace, layers=tuple(replace(layer, inner={**layer.inner, "update": broken}) if layer.name == "rnn"
                                       else layer for layer in trace.layers))
    picture = card(sick, Focus("rnn", (2, 1), "inner.update"))
    assert "not a finite number" in picture.caption
    lawful("nan", card(sick, Focus("rnn", (2, 1))))
