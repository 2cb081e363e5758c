"""The page of the inspector: its numbers are those of plain numpy over the recording, its words are those it shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from tests.recorded import recorded
from tests.test_kinds_recurrent import trace_of
from tests.test_layout import MODELS, ZEROS, faults, recording
from tests.toys import toy
from visualizer import kinds, registry
from visualizer.language import speak, spoken
from visualizer.scene import numbers
from visualizer.scene import type as letters
from visualizer.scene.picture import Focus, Image, Look, Text
from visualizer.scene.subject import CHANNEL, NUMBER, strongest, subject, there
from visualizer.scene.timeline import Beat, Moment, timeline
from visualizer.trace import Layer, Trace, load
from visualizer.ui import page as pages
from visualizer.ui import words
from visualizer.ui.page import RIGHT, WIDTH, gradient_fates
from visualizer.views import find, picture


@pytest.fixture(scope="module")
def digits():
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


def page(trace, moment, focus, look, large=False):
    """The page of what a view that wants one number, or many, is about."""
    return pages.page(trace, moment, subject(trace, moment, focus, NUMBER if large else CHANNEL), look, large)


def facts(trace, address, focus, **look):
    """What the page says, as a table; and the page."""
    made = page(trace, timeline(trace).find(address), focus, Look(**look))
    return dict(made.table.rows), made


def number(words):
    """The number that was written."""
    return float(words.replace("−", "-").replace(",", "").replace(" %", "").replace("+", ""))


def test_a_channel_has_its_own_extremes(digits):
    values = digits["conv2"].output[7].astype(np.float64)
    said, _ = facts(digits, "conv2.forward", Focus("conv2", (7,)))
    assert number(said["max"]) == pytest.approx(values.max(), abs=0.005)
    assert number(said["mean"]) == pytest.approx(values.mean(), abs=0.005)
    assert number(said["min"]) == pytest.approx(values.min(), abs=0.005)
    assert number(said["At or below zero: ReLU cuts it"]) == pytest.approx(100 * np.mean(values <= 0), abs=0.5)
    assert said["Weights + bias"] == "54 + 1", "3 x 3 kernels over 6 maps"
    assert number(said["Bias"]) == pytest.approx(digits["conv2"].weights["bias"][7], abs=0.0005)
    assert not [what for what in said if "radient" in what], "it comes on the way back"
    said, _ = facts(digits, "conv2.backward", Focus("conv2", (7,)))
    assert number(said["norm"]) == pytest.approx(np.linalg.norm(digits["conv2"].gradient[7]), rel=0.005)


def test_a_layer_counts_all_its_parameters_and_multiplications(digits):
    said, _ = facts(digits, "fc1.forward", Focus("fc1"))
    assert said["Weights + bias"] == "20,736 + 48"
    assert said["Multiply-adds"] == "20,736"
    said, _ = facts(digits, "conv2.forward", Focus("conv2"))
    assert said["Multiply-adds"] == f"{12 * 12 * 12 * 54:,}"


def test_on_the_way_back_it_is_the_gradient_that_is_described(digits):
    gradient = digits["conv2"].gradient[7].astype(np.float64)
    said, _ = facts(digits, "conv2.backward", Focus("conv2", (7,)))
    assert number(said["largest"]) == pytest.approx(gradient.ravel()[np.abs(gradient).argmax()], abs=0.0005)
    assert number(said["non-zero"]) == np.count_nonzero(gradient)
    assert number(said["norm"]) == pytest.approx(np.linalg.norm(gradient), rel=0.005)
    for name in ("conv1", "conv2", "fc1", "fc2"):
        whole = np.concatenate([array.ravel() for array in digits[name].weight_gradients.values()])
        assert said[f"∥∂L/∂w∥ {name}"] == pytest.approx(np.linalg.norm(whole.astype(np.float64)))


def test_where_gradients_went_is_counted_from_the_recording_and_adds_up(digits):
    """The winners of a 2 x 2 pooling are found anew here, from the values alone."""
    fates = gradient_fates(digits, Focus("conv2", (7,)))
    counts = {words: count for words, count, _ in fates}
    assert sum(counts.values()) == 144
    blocks = digits["relu2"].output[7].reshape(6, 2, 6, 2).swapaxes(1, 2).reshape(36, 4)
    winners = np.zeros((36, 4), bool)
    winners[np.arange(36), blocks.argmax(1)] = True
    winners = winners.reshape(6, 6, 2, 2).swapaxes(1, 2).reshape(12, 12)
    passed = winners & (digits["conv2"].output[7] > 0)
    assert counts["carried on to pool1"] == passed.sum()
    assert counts["stopped by ReLU"] == (winners & ~passed).sum()
    assert counts["not the winner in max-pool"] == (~winners).sum() == 108


def test_nothing_is_said_about_fates_where_no_relu_or_pooling_follows(digits):
    assert gradient_fates(digits, Focus("fc2")) == []


def test_a_pixel_is_taken_apart_into_terms_that_add_up(digits):
    cell = strongest(digits["conv2"], False, (7,))
    said, made = facts(digits, "conv2.forward", Focus("conv2", cell))
    kernel = digits["conv2"].weights["weight"][7].astype(np.float64)
    _, row, column = cell
    window = digits["pool1"].output[:, row:row + 3, column:column + 3].astype(np.float64)
    products = window * kernel
    assert number(said["Sum of 54 products"]) == pytest.approx(products.sum(), abs=0.0005)
    assert number(said["Exactly zero terms"]) == np.count_nonzero(products == 0)
    assert number(said["After ReLU"]) == pytest.approx(max(0, products.sum() + kernel.dtype.type(
        digits["conv2"].weights["bias"][7])), abs=0.005)
    listed = [value for where, value in made.table.rows if str(where).startswith("ch ")]
    assert listed[0] == pytest.approx(products.ravel()[np.abs(products).argmax()])
    assert [abs(value) for value in listed] == sorted((abs(value) for value in listed), reverse=True)
    rest = next(value for what, value in made.table.rows if str(what).endswith("smaller terms"))
    assert sum(listed) + number(rest) == pytest.approx(products.sum(), abs=0.006)


def test_a_gradient_is_taken_apart_into_what_its_readers_hand_back(digits):
    cell = strongest(digits["pool1"], True)
    said, _ = facts(digits, "pool1.backward", Focus("pool1", cell))
    assert said["conv2"] == pytest.approx(float(digits["pool1"].gradient[cell]), rel=1e-4)


def test_nan_and_infinity_are_counted_and_hatched(digits):
    output = digits["conv2"].output.copy()
    output[7, 0, :3] = np.nan, np.inf, -np.inf
    layers = tuple(replace(layer, output=output) if layer.name == "conv2" else layer for layer in digits.layers)
    said, made = facts(replace(digits, layers=layers), "conv2.forward", Focus("conv2", (7,)))
    assert said["NaN or infinite, hatched"] == "3"
    hatched = [mark.hatched for mark in made.still if isinstance(mark, Image) and mark.hatched is not None]
    assert [int(mask.sum()) for mask in hatched] == [3]
    assert sum(isinstance(mark, Text) and mark.plain == "!" for mark in made.still) == 3
    assert np.isfinite(number(said["max"]))


def test_a_layer_without_gradient_says_why():
    first = Layer("input", "input", ("unit",), {}, (), np.ones(3, np.float32))
    trace = Trace("m", (first,))
    made = page(trace, Moment(Beat("input", "backward")), Focus("input"), Look())
    assert any("No gradient came back" in mark.plain for mark in made.still if isinstance(mark, Text))


def test_without_a_focus_it_is_about_the_strongest_channel_of_the_beat(digits):
    about = subject(digits, timeline(digits).find("conv2.forward"), None)
    assert about == Focus("conv2", (int(np.unravel_index(digits["conv2"].output.argmax(), (12, 12, 12))[0]),))


def test_one_channel_keeps_its_number_through_conv_relu_and_pool(digits):
    about = subject(digits, timeline(digits).find("pool2.forward"), Focus("conv2", (7, 3, 5)))
    assert about == Focus("pool2", (7,))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("focus", [None, "layer", "first", "cell"])
def test_no_words_are_wider_than_the_page_anywhere(digits, theme, focus):
    """Measured with the widths of the bundled fonts; what carries its own limit is elided by the painter."""
    for beat in timeline(digits).beats:
        layer = digits[beat.layer]
        cell = {"first": (0,) * min(1, layer.output.ndim), "cell": (0,) * layer.output.ndim}.get(focus, ())
        looked_at = None if focus is None else Focus(beat.layer, cell)
        made = page(digits, timeline(digits).find(beat.address), looked_at, Look(theme=theme))
        assert made.size[0] == WIDTH
        for mark in made.still:
            if isinstance(mark, Text):
                wide = letters.width(mark.runs, mark.size, mark.weight, mark.mono, mark.display)
                wide = min(wide, mark.max_width) if mark.max_width else wide
                left = mark.x - {"start": 0, "middle": wide / 2, "end": wide}[mark.anchor]
                assert left >= 20, (beat.address, mark.plain)
                assert left + wide <= RIGHT + 14, (beat.address, mark.plain)
                assert 0 < mark.y < made.size[1]


def test_every_number_of_a_page_is_finite_or_named(digits):
    for beat in timeline(digits).beats:
        made = page(digits, timeline(digits).find(beat.address), None, Look())
        for mark in made.still:
            if isinstance(mark, Text):
                assert not re.search(r"\bnan\b|\binf\b", mark.plain), (beat.address, mark.plain)


def test_a_step_shows_what_the_network_answers_there_and_how_undecided_it_is():
    logits = np.array([[2.0, 0.5, -1.0], [0.0, 0.0, 0.0]])
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    states = np.tanh(np.array([[0.3, -0.2], [0.9, 0.1]]))
    weights = {"weight_ih": np.ones((2, 1)), "weight_hh": np.ones((2, 2)), "bias_ih": np.zeros(2),
               "bias_hh": np.zeros(2)}
    layers = (Layer("input", "input", ("step", "feature"), {}, (), np.zeros((2, 1))),
              Layer("rnn", "rnn", ("step", "unit"), {}, ("input",), states, weights=weights, inner={"hidden": states}),
              Layer("softmax", "softmax", ("step", "class"), {"dim": -1}, ("rnn",), chances))
    trace = Trace("toy", layers, labels=("a", " ", "c"))
    for step, bits in ((1, float(-np.sum(chances[0] * np.log2(chances[0])))), (2, np.log2(3))):
        said, made = facts(trace, f"rnn.forward[{step}]", None)
        assert any(mark.plain == f"entropy {bits:.2f} bits" for mark in made.still if isinstance(mark, Text))
        assert number(said["a"]) == pytest.approx(100 * chances[step - 1, 0], abs=0.05)
        assert number(said["␣"]) == pytest.approx(100 * chances[step - 1, 1], abs=0.05)
        assert said["Weights + bias"] == "6 + 4", "of the whole layer: a step has none of its own"


def test_a_gate_of_one_unit_has_its_gradient_its_neighbours_and_its_terms():
    trace = trace_of("lstm")
    layer, values = trace["rnn"], trace["rnn"].inner["forget"]
    moment, focus = timeline(trace).find("rnn.forward[3]"), Focus("rnn", (2, 1), "inner.forget")
    made = page(trace, moment, focus, Look(), large=True)
    said = {str(row[0]): row[1] for row in made.table.rows}
    assert made.caption == "rnn step 3, forget gate, unit 1"
    assert said["forget gate"] == values[2, 1]
    for what, value in (("One step before", values[1, 1]), ("Unit 0", values[2, 0]), ("Unit 2", values[2, 2])):
        assert said[what] == numbers.significant(float(value), 4), what
    assert "One step after" not in said, "it has not been read"
    terms = kinds.inner_terms(trace, "rnn", "forget", 2, 1)
    listed = sorted(float(row[1]) for row in made.table.rows if str(row[0]).startswith(("x ", "h ")))
    assert listed == pytest.approx(sorted(float(product) for taps in terms.taps for product in taps.products))
    assert any(f"step 3 the forget gate keeps {100 * values[2, 1]:.0f} %" in mark.plain for mark in made.still
               if isinstance(mark, Text))
    back = page(trace, timeline(trace).find("rnn.backward[3]"), focus, Look(), large=True)
    said, gradients = {str(row[0]): row[1] for row in back.table.rows}, layer.inner_gradients["forget"]
    assert said["∂L/∂forget gate"] == gradients[2, 1]
    assert said["Its value f"] == numbers.significant(float(values[2, 1]), 4)
    assert said["One step after"] == numbers.significant(float(gradients[3, 1]), 4)
    assert "One step before" not in said, "its gradient has not come"


def test_a_focus_of_another_recording_is_none():
    """While another recording is on its way, the State may already name cells that the one at hand does not have."""
    trace = toy()
    first = timeline(trace).settled(0)
    assert subject(trace, first, Focus("input", (0, 3, 5, 1))).cell == subject(trace, first, None).cell
    assert len(subject(trace, first, Focus("input", (0, 3, 500)), NUMBER).cell) == trace["input"].output.ndim


# --- the law of layout, in the inspector ------------------------------------------------------------------------------

def parts_of(layer: Layer) -> Iterator[Focus]:
    """The layer, its weights, gates and states: each as a whole, one row of it, and its last number."""
    arrays = {"output": layer.output, **layer.weights, **{f"inner.{key}": found for key, found in layer.inner.items()}}
    for part, found in arrays.items():
        cells = {(), *((found.shape[0] // 2,) for _ in found.shape[:1]), tuple(length - 1 for length in found.shape)}
        yield from (Focus(layer.name, cell, part) for cell in sorted(cells))


@pytest.mark.matrix(spine=("deep_relu", "digits_cnn", "crnn_strip-de", "char_lstm"), sample=6, each=False)
@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("model", [model for model in MODELS if model != "lab-cliff"])
def test_no_word_of_the_inspector_is_elided_and_no_two_meet(model, language, some):
    """It is never narrower than WIDTH."""
    trace = recording(model)
    times, before = timeline(trace), spoken()
    wanted = [(layer.name, direction) for layer in trace.layers for direction in ("forward", "backward")
              if times.of(layer.name, direction) is not None]
    try:
        speak(language)
        for name, direction in some(wanted, spine=(wanted[-1],), sample=24, each=False):
            moment = times.of(name, direction)
            for about in parts_of(trace[name]):
                for large in (False, True):
                    told = f"{direction} {about} {large}"
                    made = pages.page(trace, moment, about, Look(language=language), large)
                    assert not (found := list(faults(made, 1.0))), f"{told}: {found[:3]}"
                    for mark in made:
                        if isinstance(mark, Text) and mark.max_width and not mark.display:
                            wide = letters.width(mark.runs, mark.size, mark.weight, mark.mono)
                            assert wide <= mark.max_width + 0.01, f"{told}: {mark.plain}"
    finally:
        speak(before)


def test_a_gradient_that_is_nearly_nothing_is_never_said_to_be_nothing(digits):
    """The same network with gradients of 1e-9 of what they are: every number of every page says how small it is."""
    small = tuple(replace(layer, gradient=None if layer.gradient is None else layer.gradient * np.float32(1e-9),
                          weight_gradients={name: found * np.float32(1e-9)
                                            for name, found in layer.weight_gradients.items()})
                  for layer in digits.layers)
    trace = replace(digits, layers=small)
    for name in ("conv1", "relu2", "fc1", "fc2"):
        layer = trace[name]
        for cell in ((), (3,), strongest(layer, True)):
            made = pages.page(trace, timeline(trace).find(f"{name}.backward"), Focus(name, cell), Look())
            assert not list(faults(made, 1.0))
            written = [mark.plain for mark in made if isinstance(mark, Text)]
            assert any("10⁻" in words for words in written)
            assert not any(ZEROS.search(words) for words in written)


def test_numbers_of_symbols_have_no_mean_and_no_histogram() -> None:
    """Number 61 is no larger a letter than number 43: what was read is listed, symbol by symbol."""
    trace = recorded("char_lstm", "text:wherefore art thou")
    for focus in (Focus("input"), Focus("input", (3,))):
        drawn = pages.page(trace, timeline(trace).settled(0), focus, Look())
        said = [mark.plain for mark in drawn if isinstance(mark, Text)]
        assert not {"mean", "max", "min"} & set(said)
        assert not [one for one in said if one.startswith("All ")]
        assert "“r”" in said or (not focus.cell and "“e”" in said)
    assert "number" in words.tip(trace, Focus("input", (3,)), False)
    assert "from" not in words.tip(trace, Focus("input"), False)
    assert "“r”" in picture(find("microscope"), trace, timeline(trace).settled(0), Focus("input", (3,)), Look()).caption


@pytest.mark.parametrize("large", [False, True])
def test_nothing_is_told_of_a_layer_before_it_is_computed(large: bool) -> None:
    trace = recorded("digits_cnn")
    times = timeline(trace)
    for address in ("conv2.forward", "pool1.backward"):
        done, coming = times.find(address), times.find(f"{address}@0.5")
        about = Focus(done.beat.layer, (0, 0, 0) if large else ())
        assert len(pages.page(trace, done, about, Look(), large).table.rows) > (0 if large else 2)
        assert not pages.page(trace, coming, about, Look(), large).table.rows


@pytest.mark.parametrize(("at", "focus", "known"), [
    ("conv2.forward", Focus("conv1", (0,)), True), ("conv2.forward", Focus("relu2"), False),
    ("conv2.forward@0.9", Focus("conv2", (0, 1, 1)), False), ("conv2.forward", Focus("conv2", (0, 1, 1)), True),
    ("conv2.forward@0.1", Focus("fc2", (0,), "weight"), True), ("conv2.backward", Focus("fc2", (0,), "weight"), True),
    ("conv2.backward@0.5", Focus("conv2", (0,), "weight"), False), ("conv2.backward", Focus("conv1"), False),
    ("conv2.backward", Focus("conv2"), True), ("conv1.backward", Focus("input"), False),
    ("conv1.forward@0", Focus("input"), True)])
def test_what_is_there_at_a_moment(at: str, focus: Focus, known: bool) -> None:
    trace = recorded("digits_cnn")
    moment = timeline(trace).find(at)
    assert there(trace, moment, focus) is known
    assert bool(words.waiting(trace, moment, focus)) is not known


@pytest.mark.parametrize(("at", "focus", "known"), [
    ("lstm.l0.forward[9]", Focus("lstm.l0", (8,)), True), ("lstm.l0.forward[9]@0.5", Focus("lstm.l0", (8,)), False),
    ("lstm.l0.forward[9]@0.5", Focus("lstm.l0", (7,)), True), ("lstm.l0.forward[9]", Focus("lstm.l0", (9,)), False),
    ("lstm.l0.forward[9].forget", Focus("lstm.l0", (8,), "inner.forget"), True),
    ("lstm.l0.forward[9].forget@0.5", Focus("lstm.l0", (8, 3), "inner.forget"), False),
    ("lstm.l0.forward[9].forget", Focus("lstm.l0", (8, 3), "inner.cell"), False),
    ("lstm.l0.forward[9]", Focus("lstm.l0"), False), ("lstm.l0.forward[40]", Focus("lstm.l0"), True),
    ("lstm.l0.reverse.forward[9]", Focus("lstm.l0.reverse", (8,)), True),
    ("lstm.l0.reverse.forward[9]", Focus("lstm.l0.reverse", (7,)), False),
    ("lstm.l0.reverse.forward[9]", Focus("lstm.l0.reverse", (30,)), True),
    ("lstm.l0.backward[9]", Focus("lstm.l0", (8,)), True), ("lstm.l0.backward[9]", Focus("lstm.l0", (7,)), False),
    ("lstm.l0.backward[9]", Focus("lstm.l0", (1, 1), "weight_hh"), False),
    ("lstm.l0.backward[1]", Focus("lstm.l0", (1, 1), "weight_hh"), True)])
def test_what_is_there_of_a_layer_that_hides_time(at: str, focus: Focus, known: bool) -> None:
    trace = recorded("crnn_strip")
    assert there(trace, timeline(trace).find(at), focus) is known
