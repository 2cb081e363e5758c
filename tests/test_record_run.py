"""Recording by name: every bundled model with the inputs of its kind, and whatever can be typed or brought instead."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from tests.sources import EACH
from visualizer import inputs, registry
from visualizer.inputs import Given
from visualizer.record import open_model, record
from visualizer.record.catalog import Opened
from visualizer.trace import Refused, Trace, from_bytes

torch.set_num_threads(1)
MODELS = {name: open_model(name) for name in registry.models()}
STEPWISE = [name for name in MODELS if "objective" in registry.card(name)]
CHARACTERS = [name for name in MODELS if registry.card(name)["input"]["kind"] == "text"]
NUMBERS = [name for name in MODELS if registry.card(name).get("objective", {}).get("kind") == "number"]
PLAIN = [name for name in MODELS
         if registry.card(name).get("objective", {}).get("kind", "class") in ("class", "next symbol", "number", "ctc")]
"""Those whose loss stands here once more; that of the others stands in the tests of what they are for."""

UNNAMED = ("photos_cnn",)
"""Those among whose samples are some that belong to no class."""


def assert_one_sentence(error: BaseException) -> None:
    words = str(error)
    assert words.endswith(".")
    assert ". " not in words
    assert "\n" not in words


def few(name: str) -> list[str]:
    """Three samples of the kind that a model reads: the first, the middle one, the last."""
    reads = registry.card(name)["input"]
    found = inputs.all_samples(reads["kind"], reads)
    return [found[0].name, found[len(found) // 2].name, found[-1].name]


def plain_loss(opened: Opened, given: Given, logits: Tensor) -> Tensor:
    """The loss that the card asks for, written once more with torch alone."""
    asks = opened.card.get("objective", {"kind": "class"})
    if asks["kind"] == "class":
        last = logits[:, -1] if logits.ndim == 3 else logits
        return F.cross_entropy(last, torch.tensor([given.sample.label]))
    if asks["kind"] == "next symbol":
        wanted = opened.prepare(given.raw + given.following)[0, 1:]
        return F.cross_entropy(logits[0, :len(wanted)], wanted)
    if asks["kind"] == "number":  # the sum of what is marked
        return F.mse_loss(logits, torch.tensor([[float((given.raw[:, 0] * given.raw[:, 1]).sum())]]))
    assert asks["kind"] == "ctc"
    logarithms = logits.log_softmax(2).transpose(0, 1)
    return F.ctc_loss(logarithms, torch.tensor([given.digits]), torch.tensor([len(logarithms)]),
                      torch.tensor([len(given.digits)]), blank=asks["blank"], reduction=asks["reduction"])


def answers(trace: Trace) -> np.ndarray:
    """The logits, what the closing softmax reads; or the number that is answered."""
    return trace.inputs(trace["softmax" if "softmax" in trace else "loss"])[0].output


# --- every bundled model --------------------------------------------------------------------------------------------

@pytest.mark.matrix(spine=EACH, sample=4, each=False)
@pytest.mark.parametrize("name", PLAIN)
def test_recordings_have_the_very_numbers_of_plain_torch(name: str) -> None:
    """Loss, logits, and the gradient of every weight, with no difference at all."""
    opened = MODELS[name]
    for sample in few(name):
        given = inputs.given(sample, opened.card["input"]["kind"])
        if given.sample.label is None and name in UNNAMED:
            continue  # nobody said what it shows
        trace = record(opened, sample)
        opened.module.zero_grad()
        logits = opened.module(opened.prepare(given.raw))
        loss = plain_loss(opened, given, logits)
        loss.backward()
        assert trace.objective.value == loss.item() == float(trace["loss"].output)
        assert np.array_equal(answers(trace), logits[0].detach().numpy())
        if name not in NUMBERS:
            shown = np.exp(logits[0].detach().double().log_softmax(-1).numpy())
            np.testing.assert_allclose(trace["softmax"].output, shown, atol=1e-6)
        for path, parameter in opened.module.named_parameters():
            found = [layer.weight_gradients.get(key) for layer in trace for key, values in layer.weights.items()
                     if values.shape == parameter.shape and np.array_equal(values, parameter.detach().numpy())]
            assert len(found) == 1, path
            assert (found[0] is None) == (not parameter.requires_grad), path  # kernels that no training changes
            assert found[0] is None or np.array_equal(found[0], parameter.grad.numpy()), path
        opened.module.zero_grad()


@pytest.mark.matrix(spine=EACH, sample=4, each=False)
@pytest.mark.parametrize("name", registry.models())
def test_every_number_agrees_with_its_own_terms(name: str) -> None:
    for sample in few(name):
        trace = record(MODELS[name], sample)
        report = trace.check()
        assert report.passed, (sample, report.worst)
        assert report.unverified == {}
        given = ("input", "constant", "parameter")
        assert set(report.errors) == {layer.name for layer in trace if layer.kind not in given}


@pytest.mark.matrix(spine=EACH, sample=4, each=False)
@pytest.mark.parametrize("name", registry.models())
def test_every_sample_of_its_kind_is_read(name: str) -> None:
    """Only forwards, so that all of them take no time; and what is drawn as a step has its words."""
    reads = registry.card(name)["input"]
    kind = reads["kind"]
    for sample in inputs.all_samples(kind, reads)[:60]:
        trace = record(MODELS[name], sample.name, objective="none")
        given = inputs.given(sample.name, kind)
        assert (trace.sample.name, trace.sample.title, trace.sample.label) == (sample.name, sample.title, sample.label)
        steps = trace.sample.steps
        if kind == "text":
            assert "".join(steps) == given.raw
        elif kind == "name":
            assert "".join(steps) == given.raw.lower()
        elif kind == "sentence":
            assert len(steps) == trace["input"].shape[0]
            assert len(steps) == len(answers(trace)) or registry.card(name)["objective"]["output"] == ["class"] or \
                registry.card(name)["objective"]["kind"] == "spoken"
            assert all(word in given.raw for word in steps)
        elif kind == "strip":
            assert steps == tuple(str(frame) for frame in range(1, 1 + given.raw.shape[1] // 4))
        elif "symbols" in reads:
            assert sample.title.endswith(f": {''.join(steps)}")
        elif kind == "sequence" and reads.get("columns") != ["number", "marked"]:
            assert len(steps) == len(given.raw)
        elif kind == "sequence":
            assert [float(word) for word in steps] == given.raw[:, 0].tolist()
            assert [word.startswith("+") for word in steps] == given.raw[:, 1].astype(bool).tolist()
        elif kind == "audio":  # seconds, one after the other
            times = [float(word.removesuffix(" s")) for word in steps]
            assert times == sorted(times)
            assert times[-1] <= trace.layers[0].output.size / 8000
        elif kind in ("pictures", "video"):
            word = "frame " if kind == "video" else ""
            assert steps == tuple(f"{word}{number}" for number in range(1, 1 + len(steps)))
        else:
            blank = ("blank",) * (40 if name.startswith("wait_") else 0)
            by_row = name in STEPWISE and registry.card(name)["objective"]["kind"] == "class"
            assert steps == ((*(f"row {row}" for row in range(28)), *blank) if by_row else ())


@pytest.mark.matrix(spine=EACH, sample=4, each=False)
@pytest.mark.parametrize("name", registry.models())
def test_the_same_recording_has_the_same_bytes_and_opens_again(name: str) -> None:
    once = record(MODELS[name]).to_bytes()
    assert once == record(open_model(name)).to_bytes()
    again = from_bytes(once)
    assert again.sample == record(MODELS[name]).sample
    assert again.to_bytes() == once


@pytest.mark.parametrize("name", registry.models())
def test_facts_say_what_goes_in_and_what_is_asked_but_list_no_thousand_words(name: str) -> None:
    trace, card = record(MODELS[name], objective="none"), registry.card(name)
    assert trace.facts.get("objective") == card.get("objective")
    assert trace.facts["quality"] == card["quality"]
    reads = dict(trace.facts["input"])
    if "words" in card["input"]:
        assert reads.pop("vocabulary") == len(card["input"]["words"]) == (
            39 if "phrase" in name else 30 if "numbers" in name else 6744)
    assert reads == {key: value for key, value in card["input"].items() if key != "words"}
    assert len(json.dumps(dict(trace.facts))) < 4000


@pytest.mark.parametrize("name", STEPWISE)
def test_recurrent_layers_have_steps_and_what_the_steps_read_has_words(name: str) -> None:
    trace = record(MODELS[name])
    recurrent = [layer for layer in trace if layer.kind in ("rnn", "gru", "lstm")]
    found = {path: part for path, part in MODELS[name].module.named_modules() if isinstance(part, nn.RNNBase)}
    assert bool(found) != any(word in name for word in ("_bag", "_conv", "_cnn", "_vae", "scene_"))
    assert list(dict.fromkeys(layer.name.partition("#")[0] for layer in recurrent)) == [  # a decoder comes again
        own for path, part in found.items()
        for own in ((f"{path}.l0", f"{path}.l0.reverse") if part.bidirectional else (path,))]
    for layer in recurrent:
        assert layer.axes == ("step", "unit")
        assert len(layer.inner["hidden"]) == len(layer.inner_gradients["hidden"])
        assert len(layer.inner["hidden"]) == len(trace.sample.steps) or layer.name.startswith(("decoder", "lstm"))
    if "loss" in trace and len(trace.inputs(trace["loss"])[0].axes) == 2:
        assert trace["softmax"].axes == ("step", "class")


@pytest.mark.parametrize("name", CHARACTERS)
def test_a_passage_is_measured_on_what_follows_it_to_the_last_character(name: str) -> None:
    trace = record(MODELS[name], "five-fathom")
    alphabet = MODELS[name].card["input"]["alphabet"]
    text = inputs.raw("five-fathom")
    assert trace["loss"].settings["target"] == tuple(alphabet.index(symbol) for symbol in text[1:] + "\n")
    assert trace["loss"].settings["steps"] == tuple(range(len(text)))
    assert trace.objective.target is None
    assert trace["softmax"].axes[-1] == "class"


@pytest.mark.parametrize("name", CHARACTERS)
def test_what_one_character_costs_can_be_asked_alone(name: str) -> None:
    """Its gradient reaches back to the first character, and not one step forwards."""
    text = inputs.raw("five-fathom")
    trace = record(MODELS[name], "five-fathom", objective="loss@12")
    wanted = MODELS[name].card["input"]["alphabet"].index(text[13])
    assert trace.objective.target == wanted
    assert trace.objective.value == pytest.approx(-np.log(trace["softmax"].output[12, wanted]), rel=1e-5)
    norms = np.linalg.norm(trace["embedding"].gradient, axis=1)
    assert (norms[:13] > 0).all()
    assert not norms[13:].any()
    assert record(MODELS[name], "five-fathom", objective="logit:3@12").objective.target == 3
    with pytest.raises(Refused, match="follow step 4 is not known") as caught:
        record(MODELS[name], "to be", objective="loss@4")
    assert_one_sentence(caught.value)


def test_a_verdict_is_asked_of_the_last_word() -> None:
    trace = record("sentiment_gru", "sentence-2")
    last = len(trace.sample.steps) - 1
    assert trace["loss"].settings["steps"] == (last,)
    assert trace["loss"].settings["target"][last] == trace.objective.target == trace.sample.label == 1
    assert not np.asarray(trace.inputs(trace["loss"])[0].gradient)[:last].any()
    middle = record("sentiment_gru", "sentence-2", objective="loss@3")
    shares = middle["softmax"].output[3]
    assert middle.objective.value == pytest.approx(-np.log(shares[1]), rel=1e-5)
    assert record("sentiment_gru", "sentence-2", target=0).objective.target == 0


# --- what is typed --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", CHARACTERS)
def test_typed_text_is_read_character_by_character(name: str) -> None:
    trace = record(MODELS[name], "to be or not")
    assert trace.sample.name == "text:to be or not"
    assert trace.sample.title == "“to be or not”"
    assert trace.sample.steps == tuple("to be or not")
    assert trace["loss"].settings["target"][-1] == -100
    assert trace["loss"].settings["steps"] == tuple(range(11))
    logits = torch.tensor(answers(trace))
    wanted = MODELS[name].prepare("o be or not")[0]
    assert trace.objective.value == pytest.approx(F.cross_entropy(logits[:-1], wanted).item(), rel=1e-6)
    assert record(MODELS[name], trace.sample.name).digest == trace.digest


@pytest.mark.parametrize("name", CHARACTERS)
def test_one_character_is_enough_though_nothing_is_known_to_follow_it(name: str) -> None:
    trace = record(MODELS[name], "Q")
    assert answers(trace).shape == (1, 65)
    assert trace.objective.kind == "logit"
    assert trace.objective.value == answers(trace).max()
    assert trace.objective.target == answers(trace).argmax()


def test_a_long_text_is_read_and_a_longer_one_refused() -> None:
    trace = record("char_rnn", ("To be, or not to be: that is the question.\n" * 50)[:2000], objective="none")
    assert answers(trace).shape == (2000, 65)
    with pytest.raises(Refused, match="10,001 characters, more than 10,000") as caught:
        record("char_rnn", "a" * 10_001)
    assert_one_sentence(caught.value)


def test_a_text_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("To be,\nor not\n")
    trace = record("char_lstm", path)
    assert trace.sample.name == str(path)
    assert trace.sample.steps == tuple("To be,\nor not")
    assert trace.objective.value == record("char_lstm", "To be,\nor not").objective.value


@pytest.mark.parametrize(("model", "typed", "words"), [
    ("char_lstm", "Où est 7?", "does not know 'ù' '7'; write the text without"),
    ("char_lstm", "text:", "Type at least one character"),
    ("surname_gru", "Nguyễn", "does not know 'ễ'"),
    ("sentiment_gru", "-- .", "Type at least one word"),
    ("sentiment_gru", "text:", "Type at least one word"),
    ("char_rnn", "digit-2148", "Shakespeare RNN reads text, and digit-2148 is a picture"),
    ("digits_cnn", "sea-change", "Digits CNN reads pictures of one digit, and sea-change is a text"),
    ("crnn_strip", "digit-3", "CRNN reads strips of digits, and digit-3 is a picture"),
    ("rows_gru", "strip:4 0", "Rows GRU reads pictures of one digit, and that is a strip"),
])
def test_what_cannot_be_read_is_refused_in_one_sentence(model: str, typed: str, words: str) -> None:
    with pytest.raises(Refused) as caught:
        record(MODELS[model], typed)
    assert words in str(caught.value)
    assert_one_sentence(caught.value)


def test_unknown_words_are_read_as_one_and_named() -> None:
    trace = record("sentiment_gru", "A zyzzyva of a FILM, a zyzzyva")
    assert trace.sample.steps == ("a", "zyzzyva", "of", "a", "film", "a", "zyzzyva")
    assert trace["input"].output.tolist()[1] == trace["input"].output.tolist()[6] == 0
    assert trace.notes == (
        "Sentiment GRU does not know “zyzzyva”; it reads it as its one word for all that is unknown.",)
    two, = record("sentiment_gru", "zyzzyva quux film").notes
    assert two.startswith("Sentiment GRU does not know “zyzzyva”, “quux”; it reads each of them as its one")
    assert record("sentiment_gru", "a good film").notes == ()
    assert trace.objective.kind == "logit"
    assert trace.inputs(trace["logit"])[0].output[6].max() == trace.objective.value


def test_a_typed_name_is_asked_after_when_its_language_is_given() -> None:
    assert record("surname_gru", "Duarte").objective.kind == "logit"
    known = record("surname_gru", "Duarte", target=12)
    assert known.objective.kind == "cross_entropy"
    assert known.objective.value == pytest.approx(-np.log(known["softmax"].output[12]), rel=1e-5)


def test_what_stands_in_the_input_cannot_be_overruled_by_a_target() -> None:
    for name in ("char_gru", "crnn_strip", "adding_gru"):
        with pytest.raises(Refused, match="no target can be chosen") as caught:
            record(MODELS[name], target=3)
        assert_one_sentence(caught.value)


# --- strips, drawings, tables ---------------------------------------------------------------------------------------

def test_a_strip_is_composed_of_digits() -> None:
    trace = record("crnn_strip", "strip:4 0 7")
    assert trace["loss"].settings == {"target": (4, 0, 7), "blank": 10, "reduction": "sum"}
    assert trace["input"].shape == (1, 32, 160)
    best = answers(trace).argmax(1)
    assert [k for k, before in zip(best, [10, *best], strict=False) if k not in (before, 10)] == [4, 0, 7]


def test_strips_from_a_file_or_a_hand_are_read_without_a_target(tmp_path: Path) -> None:
    Image.fromarray(inputs.raw("strip-5")).save(tmp_path / "strip.png")
    opened, own = record("crnn_strip", tmp_path / "strip.png"), record("crnn_strip", "strip-5")
    assert np.array_equal(answers(opened), answers(own))
    assert opened.objective.kind == "logit"
    drawn = record("crnn_strip", pixels=inputs.raw("strip-5"))
    assert np.array_equal(answers(drawn), answers(own))
    assert (drawn.sample.name, len(drawn.sample.steps)) == ("drawn", 40)


@pytest.mark.parametrize("name", [name for name in STEPWISE if name.startswith("rows_")])
def test_a_drawing_is_read_row_by_row(name: str) -> None:
    ink = np.zeros((100, 60), np.uint8)
    ink[10:90, 28:34] = 255
    trace = record(MODELS[name], pixels=ink)
    assert len(trace.sample.steps) == 28
    assert trace.objective.kind == "logit"
    with pytest.raises(Refused, match="a drawing is a picture"):
        record("char_gru", pixels=ink)


@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_asked_of_a_sequence_is_the_sum_of_its_marked_values(name: str, tmp_path: Path) -> None:
    trace = record(MODELS[name], "sum-1")
    assert trace.sample.title == "Sum 1: 0.43 + 0.24"
    assert trace["loss"].kind == trace.objective.kind.replace("mean_squared_error", "mse_loss") == "mse_loss"
    assert trace["loss"].settings["target"] == pytest.approx(0.67)
    assert trace.objective.target is None
    answer = float(answers(trace).item())
    assert trace.objective.value == pytest.approx((answer - 0.67) ** 2, rel=1e-4)
    path = tmp_path / "mine.csv"
    path.write_text("value,mark\n0.25,0\n0.5,1\n0.125,0\n1,1\n")
    own = record(MODELS[name], path)
    assert own["loss"].settings["target"] == 1.5
    assert own.sample.steps == ("0.25", "+0.5", "0.125", "+1")
    assert record(MODELS[name], "sum-1", objective="logit:0").objective.value == pytest.approx(answer)
    for wish, words in (("loss@3", "gives one answer, not one a step"), ("logit:4", "use logit:0 to logit:0")):
        with pytest.raises(Refused, match=words) as caught:
            record(MODELS[name], "sum-1", objective=wish)
        assert_one_sentence(caught.value)


@pytest.mark.parametrize("name", registry.with_before())
def test_a_recording_from_before_training_says_so_and_is_as_exact(name: str) -> None:
    trace = record(name, edits=("untrained",))
    assert trace.title == f"{MODELS[name].title}, before training"
    assert trace.facts["trained"] == "no"
    assert trace.facts["quality"] != record(MODELS[name], objective="none").facts["quality"]
    assert trace.check().passed


def test_training_is_what_lets_the_gradient_through() -> None:
    """dL/dh of the first step to that of the last, in float64: the plain network never gets there, the others do."""
    kept = {}
    for name, done in ((name, done) for name in NUMBERS for done in ((), ("untrained",))):
        trace = record(name, "sum-1", dtype="float64", edits=done)
        norms = np.linalg.norm(trace[name.partition("_")[2]].inner_gradients["hidden"], axis=1)
        kept[name, bool(done)] = norms[0] / norms[-1]
    for name in NUMBERS:
        assert kept[name, True] < 1e-8
    assert kept["adding_lstm", False] > 1e-4
    assert kept["adding_gru", False] > 1e-4
    assert kept["adding_rnn", False] < 1e-8


def test_an_unknown_edit_is_refused() -> None:
    with pytest.raises(Refused, match="There is no edit 'layer1'") as caught:
        record("rows_rnn", edits=("layer1:0=0",))
    assert_one_sentence(caught.value)


class Sums(nn.Module):
    """(N, step, feature) -> (N, 2)."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x.sum(1))


def test_a_table_of_numbers_is_read_by_a_model_of_sequences(tmp_path: Path) -> None:
    path = tmp_path / "walk.csv"
    path.write_text("x,y,z\n1,2,3\n4,5,6\n")
    opened = Opened("sums", "Sums", Sums().eval(), {"input": {"kind": "sequence", "shape": [None, 3]}}, ("a", "b"),
                    lambda table: torch.tensor(table, dtype=torch.float32)[None])
    trace = record(opened, path)
    assert trace["input"].output.tolist() == [[1, 2, 3], [4, 5, 6]]
    path.write_text("x,y,z\n1,2\n")
    with pytest.raises(Refused, match="where the model reads 3") as caught:
        record(opened, path)
    assert_one_sentence(caught.value)
    with pytest.raises(Refused, match="Sums cannot be run on an input of the shape") as caught:
        record(opened)  # the first sample of its kind has two numbers a step
    assert_one_sentence(caught.value)
