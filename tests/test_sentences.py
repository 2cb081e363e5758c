"""Every number that a person reads in a caption, tip, heading or card, or inside a picture, is true: worked out again
from the recording.

A number that is read is made with `visualizer.said`, which tells what it claims to be; `tests/quantities.py` works that
out with numpy alone. While a test listens, the words carry where each claim stands, so that a number that carries none
of its own fails, be there another like it or not.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from tests import (  # noqa: F401  (their quantities are known once they are there)
    quantities_of_attention,
    quantities_of_boxes,
    quantities_of_layers,
    quantities_of_reach,
    quantities_of_sound,
    quantities_of_steps,
    quantities_of_studies,
    quantities_of_terms,
)
from tests import recorded as bundled
from tests.networks import NETWORKS
from tests.quantities import NUMBER, agrees, read, worked_out
from visualizer.export import draw
from visualizer.record import capture, pass_of, study, with_study
from visualizer.said import Said, listening, places, said, tick, unplaced
from visualizer.scene.picture import Focus, Look, Picture, Text, unmarked
from visualizer.scene.timeline import BACKWARD, FORWARD, timeline
from visualizer.trace import Refused, Trace, forget
from visualizer.views import all_views

torch.set_num_threads(1)

BUNDLED = ("digits_cnn", "rows_lstm", "surname_gru", "char_rnn", "crnn_strip", "deep_residual")
OTHERS = tuple(name for name in sorted(NETWORKS))[::9]
"""Of the small architectures, one in nine: with the bundled ones some forty networks."""
DRAWN = ("network", "unrolled", "cell", "gates", "hidden_state", "trajectory", "step_outputs", "feature_maps",
         "filters", "saturation", "over", "connectivity", "jacobian", "bptt",
         "microscope", "gradient_flow", "attention")
"""Views whose pictures are read to the last number; of the others captions, headings and tips."""
STUDIED = ("saturation", "over", "connectivity", "jacobian", "bptt", "reach", "waiting")
"""Views of a study, which is measured first."""
FIELDS = ("digits_cnn", "rows_lstm", "surname_gru")
"""Networks whose receptive fields the oracle knows, and what of them waits."""
MORE_INPUTS = {"digits_cnn": ("digit-3", "digit-2148", "digit-9"), "surname_gru": ("Denk", "Denk 2 7")}
RECORDED = ("gradient_flow",)
"""Views of a study that show what was recorded until it is measured."""
VIEWS = tuple(view.name for view in all_views() if not view.studies or view.name in (*STUDIED, *RECORDED))


@pytest.mark.matrix(spine=("digits_cnn-network", "surname_gru-unrolled", "gru_plain-saturation"), sample=12, each=False)
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", [*BUNDLED, *OTHERS])
def test_every_number_that_is_read_is_true(name: str, view: str) -> None:
    trace = studied(name, view)
    known = next(each for each in all_views() if each.name == view)
    if not known.suits(trace):
        pytest.skip(f"{view} does not show {name}")
    for moment in moments(trace):
        forget(trace)  # what is kept would not be said again
        with listening(placing=True) as heard:
            texts = texts_of(draw(trace, view, moment), view in DRAWN) + page_of(trace, view, moment)
        wrong = [claim for claim in heard if not true(trace, claim)]
        assert not wrong, (moment, [(claim, worked_out(trace, claim)) for claim in wrong[:3]])
        bare = unclaimed(trace, texts, heard)
        assert not bare, (moment, bare[:3])


@pytest.mark.parametrize("view", VIEWS)
def test_a_number_that_is_off_by_two_in_its_last_digit_and_one_nobody_speaks_for_are_found(view: str) -> None:
    known = next(each for each in all_views() if each.name == view)
    shown = next((name for name in BUNDLED if known.suits(recorded(name))), None)
    if shown is None:
        pytest.skip(f"{view} shows no bundled network")
    trace = studied(shown, view)
    for moment in moments(trace)[1::3]:
        forget(trace)
        with listening(placing=True) as heard:
            texts = texts_of(draw(trace, view, moment), view in DRAWN) + page_of(trace, view, moment)
        for claim in set(heard):
            assert true(trace, claim)
            assert not true(trace, claim._replace(text=another(claim.text))), claim
        if any(NUMBER.search(claim.text) for claim in heard):
            assert unclaimed(trace, [unplaced(text) for text in texts], [])


def test_every_quantity_is_worked_out_and_a_false_claim_is_found() -> None:
    trace = recorded("digits_cnn")
    right = Said("1,728", "how many", "conv2")
    assert true(trace, right)
    assert not true(trace, right._replace(text="1,727"))
    assert not true(trace, right._replace(layer="conv1"))
    value = float(trace["fc2"].output[3])
    assert true(trace, Said(f"{value:.2f}", "value", "fc2", (3,)))
    assert not true(trace, Said(f"{value + 0.02:.2f}", "value", "fc2", (3,)))
    with listening(placing=True) as heard:
        told = f"conv2 has {said('1,728', 'how many', 'conv2')} numbers"
    assert heard == [right]
    assert unplaced(told) == "conv2 has 1,728 numbers"
    assert not unclaimed(trace, [told], heard)
    for bare in (f"{told}, 12 of them large", f"{told}, or 1,728", told.replace("has ", "has −"), f"{told[:-8]} %",
                 f"{told[:-8]}0 of them"):
        assert unclaimed(trace, [bare], heard), bare
    assert not true(trace, Said("10⁻²", "tick", array="0.001 in 0.0 … 1.0"))
    with listening() as heard:
        tick("5", 5, 0, 4)
    with pytest.raises(AssertionError):
        true(trace, heard[0])
    with pytest.raises(KeyError):
        true(trace, right._replace(quantity="a guess"))


def test_what_a_step_reads_is_quoted_letter_by_letter_and_be_it_the_number_of_the_step() -> None:
    trace = recorded("surname_gru")
    told = replace(trace, sample=replace(trace.sample, steps=("1", "{b}", "_x_", "`", "\\\\", "**", "7")))
    for step, word in enumerate(told.sample.steps, 1):
        for view in ("gates", "cell", "hidden_state", "diagram"):
            assert f"tep {step}, “{word}”" in draw(told, view, f"gru.forward[{step}]").caption, view
        assert f"“{word}”" in draw(told, "trajectory", f"gru.forward[{step}]").caption
    bare = replace(trace, sample=replace(trace.sample, steps=()))
    assert "“7”" not in draw(bare, "gates", "gru.forward[7]").caption


def test_a_decoder_as_long_as_its_encoder_does_not_read_the_words_of_it() -> None:
    class Translates(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.decoder = (torch.nn.GRU(3, 4, batch_first=True) for _ in range(2))

        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return self.decoder(y, self.encoder(x)[1])[0]

    torch.manual_seed(1)
    trace = capture(Translates(), (torch.randn(1, 4, 3), torch.randn(1, 4, 3)))
    told = replace(trace, sample=replace(trace.sample, steps=("one", "two", "three", "four")))
    assert "“two”" in draw(told, "gates", "encoder.forward[2]").caption
    assert "“" not in draw(told, "gates", "decoder.forward[2]").caption
    start, first = np.abs(trace["encoder"].output[-1] - trace["decoder"].output[0]).mean(), "decoder.forward[1]"
    assert f"move by {start:.2f} on average" in draw(trace, "hidden_state", first).caption  # from where it starts


def test_a_projected_state_has_no_number_that_is_a_unit_s_own() -> None:
    trace = recorded("lstm_projection")
    came = np.linalg.norm(trace["recurrent"].inner_gradients["hidden"][2].astype(np.float64))
    for unit in (0, 5):
        focus = Focus("recurrent", (2, unit), "inner.forget")
        assert f"arrives with {came:.3g}" in draw(trace, "diagram", "recurrent.backward[3]@0.4", focus).caption


def test_answers_of_another_layer_than_the_one_that_runs_are_those_of_its_own_steps() -> None:
    for name in ("gru_encoder_decoder", "decoder_encoder_argmax"):
        trace = recorded(name)
        assert "has read nothing yet" in draw(trace, "step_outputs", "encoder.forward[4]").caption
        assert "After step " in draw(trace, "step_outputs", "encoder.backward[4]").caption


@pytest.mark.parametrize(("text", "number", "half"), [
    ("1,728", 1728, 0.5), ("−0.0123", -0.0123, 0.00005), ("1.18 × 10⁻²²", 1.18e-22, 5e-25), ("36 %", 0.36, 0.005),
    ("5", 5, 0.5), ("six", 6, 0)])
def test_a_number_in_words_is_read_with_the_precision_that_it_is_written_in(text, number, half) -> None:
    assert read(text) == pytest.approx((number, half))


# --- what is read -----------------------------------------------------------------------------------------------------

@cache
def recorded(name: str) -> Trace:
    if name in BUNDLED:
        return bundled.recorded(name)
    made = NETWORKS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, x, target = made()
        try:
            return capture(model, x, target, **made.capture)
        except Exception as error:
            pytest.skip(f"{name} is not recorded: {error}")


@cache
def studied(name: str, view: str) -> Trace:
    """With what the view needs beside the recording; of models of one's own that takes their module."""
    trace = recorded(name)
    if view not in STUDIED:
        return trace
    if name not in BUNDLED:
        if view in ("reach", "waiting"):
            pytest.skip(f"the oracle knows no fields of {name}")
        return measured(name, view, trace)
    if view in ("reach", "waiting") and name not in FIELDS:
        pytest.skip(f"the oracle knows no fields of {name}")
    known = next(each for each in all_views() if each.name == view)
    return with_study(replace(pass_of(name, trace.sample.name), others=MORE_INPUTS.get(name, ())), *known.studies)


def measured(name: str, view: str, trace: Trace) -> Trace:
    """The study of a small network, over its own input alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model, x, _ = NETWORKS[name]()
        try:
            return study(trace, model, x, view)
        except Refused as refused:
            pytest.skip(f"{view} of {name}: {refused}")


def moments(trace: Trace) -> list[str]:
    """The first, a middle and the last beat of either way."""
    beats = timeline(trace).beats
    return [way[place].address for direction in (FORWARD, BACKWARD)
            if (way := [beat for beat in beats if beat.direction == direction])
            for place in sorted({0, len(way) // 2, len(way) - 1})]


def texts_of(picture: Picture, drawn: bool) -> list[str]:
    """The caption, the headings of the table, and every tip; with `drawn` all words in the picture, too, without those
    that are no more than the name of what they stand beside."""
    tips = {tip for mark in picture if (tip := getattr(mark, "tip", ""))}
    words = {mark.plain for mark in picture if isinstance(mark, Text)
             and not (mark.focus is not None and mark.plain == mark.focus.layer)
             and not all(run.mono or mark.mono for run in mark.runs)} if drawn else set()
    return [picture.caption, *map(str, picture.table.columns), *sorted(tips), *sorted(words)]


def page_of(trace: Trace, view: str, moment: str) -> list[str]:
    """What the view itself puts into the inspector."""
    known = next(each for each in all_views() if each.name == view)
    page = None if known.page is None else known.page(trace, timeline(trace).find(moment), None, Look())
    return [] if page is None else [page.caption, *(mark.plain for mark in page if isinstance(mark, Text))]


def another(text: str) -> str:
    """The same words with a last digit that is two more, or less; other words where there is no digit."""
    if re.fullmatch("10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", text):
        return f"{text}¹"
    if text.startswith("≈"):
        return "≈" + another(text[1:])
    digits = [place for place, letter in enumerate(text.partition(" × ")[0]) if letter in "0123456789"]
    if not digits or not NUMBER.fullmatch(text):
        return f"{text} 1"
    last = int(text[digits[-1]])
    return f"{text[:digits[-1]]}{last + 2 if last < 8 else last - 2}{text[digits[-1] + 1:]}"


def true(trace: Trace, claim: Said) -> bool:
    with np.errstate(all="ignore"):
        return agrees(trace, claim)


def unclaimed(trace: Trace, texts: list[str], heard: list[Said]) -> list[str]:
    """Texts in which a number carries no claim of its own and belongs to no name, or in which a sign, a digit or a
    percent stands outside the claim that it belongs to."""
    every = sorted({*(layer.name for layer in trace), *modules(trace), trace.sample.title, trace.sample.name,
                    trace.title, trace.model,
                    *(axis for layer in trace for axis in layer.axes if NUMBER.search(axis)),
                    *(label for label in trace.labels if not NUMBER.fullmatch(label))} - {""}, key=len, reverse=True)
    names, numbers = ([name for name in every if bool(NUMBER.fullmatch(name)) == bare] for bare in (False, True))
    found = []
    for text in texts:
        words, claims = places(text, heard)
        rest = list(words)
        for start, end, claim in claims:
            assert words[start:end] == claim.text or words[start:end].endswith("…"), (words, claim)
            rest[start:end] = HERE * (end - start)
        left = re.sub(f"{HERE}+", HERE, "".join(rest))
        for name in (*names, *numbers):
            left = re.sub(rf"(?<![\w.,−]){re.escape(name)}(?:…[\w.#]+)?(?:(?=[²³])|(?!\w|[.,]\d))", "", left)
        left = EQUATION.sub("", left)
        if NUMBER.search(left) or TORN.search(left):
            found.append(left)
    return found


def modules(trace: Trace) -> set[str]:
    """The modules that layers stand in, and the last parts of their names and of those of layers, as far as these are
    more than a number."""
    paths = [layer.name.split(".") for layer in trace]
    found = {".".join(path[start:end]) for path in paths for end in range(1, len(path) + 1) for start in (0, end - 1)}
    return {name for name in found if not NUMBER.fullmatch(name)}


HERE = "\0"
TORN = re.compile(rf"(?:^|[\s(=×])[+−]{HERE}|{HERE} ?%|{HERE}[.,]?\d|\d[.,]?{HERE}")
"""What belongs to a number and stands outside its claim."""
EQUATION = re.compile(r"\(?1 − _?[a-z]\b")
"""`(1 − z) ⊙ n`: a one of PyTorch's equations."""


# --- what was false once ----------------------------------------------------------------------------------------------

@cache
def overlapping() -> Trace:
    """Windows of 3 × 3 that overlap and hang over the edge, over a picture with one peak."""
    x = torch.zeros(1, 1, 4, 4)
    x[0, 0, 1, 1], x[0, 0, 0, 0] = 3.0, 1.0
    return capture(torch.nn.Sequential(torch.nn.MaxPool2d(3, 1, 1), torch.nn.Flatten(), torch.nn.Linear(16, 2)),
                   x.requires_grad_(), 1)


def test_the_largest_of_a_window_over_the_edge_is_one_of_those_inside() -> None:
    picture = draw(overlapping(), "microscope", "0.forward", focus=Focus("0", (0, 0, 0)))
    assert picture.caption == "The largest of 4 numbers goes on: 3.00; the other 3 do not."


@pytest.mark.parametrize(("cell", "said"), [((0, 1, 1), "9 terms, handed back by 0"),
                                            ((0, 0, 0), "0 hands nothing back to it, because it won no window")])
def test_what_a_pool_hands_back_counts_the_windows_that_a_number_won(cell, said) -> None:
    assert said in draw(overlapping(), "microscope", "input.backward", focus=Focus("input", cell)).caption


def test_kernels_of_a_transposed_convolution_belong_to_the_channels_that_it_reads() -> None:
    torch.manual_seed(0)
    trace = capture(torch.nn.Sequential(torch.nn.ConvTranspose2d(3, 2, 2), torch.nn.Flatten(), torch.nn.Linear(18, 2)),
                    torch.randn(1, 3, 2, 2), 1)
    table = draw(trace, "filters", "0.forward").table
    assert table.columns[0] == "input channel"
    assert len(table.rows) == 3


def test_a_name_with_an_underscore_after_a_dot_stands_as_it_is() -> None:
    assert unmarked("Every number of 0._v passes, and _h_.") == "Every number of 0._v passes, and h."
