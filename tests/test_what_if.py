"""What if: what is done to an input, against torch and numpy doing the same by hand; nothing is nothing."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from visualizer import cli, edits, export, inputs, load
from visualizer.edits import Matter, blur, noise, occlude, rotate, scale
from visualizer.edits._sampled import outside
from visualizer.inputs import _words
from visualizer.record import capture, record
from visualizer.record.catalog import open_model
from visualizer.record.edits import salt
from visualizer.record.run import edited as edited_given
from visualizer.record.run import given_of, reads_of
from visualizer.scene import state as does
from visualizer.scene.state import Place, State, changed, from_json, to_json
from visualizer.trace import Refused

OF_INPUTS = [edit for edit in edits.all_edits() if edit.applies_to == edits.INPUT]
WORDS = {"shift": "shift:3,-1", "rotate": "rotate:30", "scale": "scale:-30", "noise": "noise:0.3,7",
         "blur": "blur:1.5", "occlude": "occlude:8,-3,2", "erase": "erase:0.3,7", "permute": "permute:1,7",
         "shuffle_rows": "shuffle_rows:1",
         "shuffle_words": "shuffle_words:1,3", "reverse": "reverse", "repeat": "repeat:2", "lengthen": "lengthen:50",
         "pad": "pad:4", "hold": "hold:2", "swap": "swap:2,18", "substitute": "substitute:2,e",
         "pixel": "pixel:3,4,200", "step_off": "step_off:2"}
INKED = ("image", "strip")
"""Kinds of which the first pieces are blank, and the 16th is not."""
MODELS = {"image": "digits_cnn", "strip": "crnn_strip", "sequence": "adding_gru", "text": "char_rnn",
          "name": "surname_gru", "sentence": "sentiment_gru"}


LACKING = {("sequence", "shift"), ("sequence", "occlude"), ("name", "shuffle_words"), ("name", "swap"),
           ("sentence", "swap"), ("sentence", "pad")}
"""Steps go one way only, the first name is one word of six letters, the first sentence has five words."""


def matter_of(kind, number=0):
    """A bundled sample of a kind, as an edit takes hold of it."""
    opened = open_model(MODELS[kind])
    raw = given_of(opened, inputs.all_samples(kind)[number].name).raw
    grain = inputs.kind(kind).grain(reads_of(opened))
    array = np.asarray(grain.cut(raw))
    return Matter(array, grain, salt(array)), raw


@pytest.mark.parametrize("edit", OF_INPUTS, ids=lambda edit: edit.name)
def test_an_edit_is_read_as_it_was_written(edit):
    read, arguments = edits.parse(WORDS[edit.name])
    assert read is edit
    assert edits.parse(edit.write(arguments)) == (edit, arguments)
    assert edit.said(*arguments)
    if edit.strength is not None:
        strength = edit.strength
        assert strength.curve[0] == 0
        assert list(strength.curve) == sorted(strength.curve)
        for value in (0.0, abs(strength.default), *strength.curve):
            there = edits.parse(edits.at(WORDS[edit.name], value))[1]
            assert strength.of(there) == pytest.approx(value)
            if value and edit.name != "shift":
                assert there[1:] == arguments[1:], "its place and its seed are kept"
        assert abs(strength.default) <= strength.curve[-1]


@pytest.mark.parametrize("words", [
    "noise:-1", "noise:nan", "noise:1e999", "noise:inf", "noise:0.1,-3", "noise:0.1,99999999999", "rotate:",
    "rotate:400", "rotate:٣", "erase:1.5", "repeat:999", "reverse:2", "swap:0,1", "swap:1", "substitute:1",
    "substitute:1,", "substitute:0,a", "substitute:1,\n", "shift:1.5", "pad:-1", "occlude:3,4,5,6",
    "lengthen:" + "9" * 400, "blur:0x10", "permute:1,2,3", "shift:" + "x" * 10_000, "scale:-100", "shuffle_rows"])
def test_words_that_cannot_be_read_are_one_short_sentence(words):
    with pytest.raises(LookupError, match=r"^The edit .* cannot be read; write .*\.$") as refused:
        edits.parse(words)
    assert len(str(refused.value)) < 200
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("kind", MODELS)
def test_every_edit_that_suits_a_kind_changes_it_and_none_of_no_strength_does(kind):
    opened = open_model(MODELS[kind])
    matter, raw = matter_of(kind)
    given = given_of(opened, inputs.all_samples(kind)[0].name)
    for edit in OF_INPUTS:
        words = "step_off:16" if edit.name == "step_off" and kind in INKED else WORDS[edit.name]
        if edit not in edits.fitting(matter.grain):
            assert edit.lacks(matter.grain)
            with pytest.raises(Refused, match=r"which the edit .* does not apply to: .*; take it away\.$"):
                edited_given(given, (words,), opened)
            continue
        if edit.strength is not None:
            none = edited_given(given, (edits.at(words, 0),), opened)
            assert none.raw is given.raw
        if (kind, edit.name) in LACKING:
            with pytest.raises(Refused, match=r"^The edit .* does not apply to this input: .*\.$"):
                edited_given(given, (words,), opened)
            continue
        once, again = (edited_given(given, (words,), opened) for _ in range(2))
        assert once.sample.title != given.sample.title
        assert type(once.raw) is type(raw)
        if isinstance(raw, str):
            assert once.raw == again.raw
            continue
        assert not np.array_equal(once.raw, raw)
        np.testing.assert_array_equal(once.raw, again.raw)
        assert once.raw.dtype == raw.dtype
        assert once.raw.ndim == raw.ndim


@pytest.mark.parametrize("kind", ["sentence", "name", "text"])
def test_a_text_taken_apart_and_joined_is_read_as_the_same(kind):
    facts = reads_of(open_model(MODELS[kind]))
    for sample in inputs.all_samples(kind):
        grain = inputs.kind(kind).grain(facts)
        raw = inputs.raw(sample.name)
        assert _words.symbols(facts, grain.join(grain.cut(raw))) == _words.symbols(facts, raw)


def test_every_kind_of_input_but_several_and_bare_arrays_says_what_it_is_made_of():
    for kind in inputs.kinds():
        assert (kind.grain({}) is None) == (kind.name in ("several", "tensor", "nothing"))


def test_a_sound_is_edited_by_what_its_kind_says():
    grain = inputs.kind("audio").grain({})
    sound = np.linspace(-1, 1, 50)
    assert {edit.name for edit in edits.fitting(grain)} >= {"shift", "noise", "reverse", "repeat", "erase"}
    assert "rotate" not in {edit.name for edit in edits.fitting(grain)}
    moved = edits.done(Matter(sound, grain), ("shift:10", "reverse"))
    np.testing.assert_array_equal(moved.array, np.concatenate([np.zeros(10), sound[:40]])[::-1])
    loud = edits.done(Matter(sound, grain), ("noise:5",)).array
    assert np.abs(loud).max() == 1


# --- against others -------------------------------------------------------------------------------------------------

def _by_torch(array, matrix):
    """The same by affine_grid and grid_sample; the matrix leads from a place in the new picture to one in the old."""
    theta = torch.tensor([[*matrix[0], 0], [*matrix[1], 0]], dtype=torch.float64)[None]
    x = torch.from_numpy(array.astype(np.float64))[None, None]
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)[0, 0].numpy()


@pytest.mark.parametrize("degrees", [10, -37.5, 90, 180])
def test_a_picture_is_turned_as_torch_turns_it(degrees):
    matter, _ = matter_of("image")
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    wanted = _by_torch(matter.array, ((cosine, sine), (-sine, cosine)))
    found = rotate.rotated(replace(matter, array=matter.array.astype(np.float64)), degrees)
    np.testing.assert_allclose(found, wanted, atol=1e-9)
    assert np.abs(rotate.rotated(matter, degrees) - wanted).max() <= 0.5 + 1e-9


def test_a_quarter_turn_goes_clockwise():
    matter, _ = matter_of("image")
    np.testing.assert_array_equal(rotate.rotated(matter, 90), np.rot90(matter.array, -1))


@pytest.mark.parametrize("percent", [-40, 25, 100])
def test_a_picture_is_scaled_as_torch_scales_it(percent):
    matter, _ = matter_of("image", 1)
    factor = 1 + percent / 100
    found = scale.scaled(replace(matter, array=matter.array.astype(np.float64)), percent)
    np.testing.assert_allclose(found, _by_torch(matter.array, ((1 / factor, 0), (0, 1 / factor))), atol=1e-9)


@pytest.mark.parametrize("sigma", [0.5, 1.75])
def test_a_picture_is_blurred_as_a_convolution_with_a_gaussian(sigma):
    matter, _ = matter_of("image", 2)
    reach = math.ceil(4 * sigma)
    bell = torch.exp(-torch.arange(-reach, reach + 1, dtype=torch.float64) ** 2 / (2 * sigma ** 2))
    bell /= bell.sum()
    kernel = (bell[:, None] * bell[None, :])[None, None]
    exact = matter.array.astype(np.float64)
    wanted = F.conv2d(torch.from_numpy(exact)[None, None], kernel, padding=reach)[0, 0].numpy()
    found = blur.blurred(replace(matter, array=exact), sigma)
    np.testing.assert_allclose(found, wanted, atol=1e-9)
    table, _ = matter_of("sequence")
    steps = torch.from_numpy(table.array.T.copy())[:, None]
    wanted = F.conv1d(steps, bell[None, None], padding=reach)[:, 0].numpy().T
    np.testing.assert_allclose(blur.blurred(table, sigma), wanted, atol=1e-9)


def test_noise_is_as_wide_as_it_says_and_each_input_has_its_own():
    grain = inputs.kind("image").grain({})
    grey = np.full((28, 28), 128, np.uint8)
    added = np.concatenate([noise.noisy(Matter(grey, grain, salt), 0.1, 0).ravel() for salt in range(20)]) - 128.0
    assert added.std() == pytest.approx(25.5, rel=0.02)
    assert abs(added.mean()) < 1
    assert not np.array_equal(noise.noisy(Matter(grey, grain, 1), 0.1, 0), noise.noisy(Matter(grey, grain, 2), 0.1, 0))


def test_a_permutation_is_one_for_all_and_a_shuffle_one_for_each():
    (one, _), (other, _) = matter_of("image", 0), matter_of("image", 1)
    numbered = np.arange(784).reshape(28, 28)

    def order(words, matter):
        """Where each number went, of a picture that has a number of its own at each pixel."""
        return edits.done(replace(matter, array=numbered), (words,)).array

    assert np.array_equal(order("permute:1,7", one), order("permute:1,7", other))
    assert not np.array_equal(order("permute:1,7", one), order("permute:1,8", one))
    assert sorted(order("permute:1,7", one).ravel()) == list(range(784))
    assert not np.array_equal(order("shuffle_rows:1", one), order("shuffle_rows:1", other))
    rows = order("shuffle_rows:0.5", one)[:, 0] // 28
    assert sorted(rows) == list(range(28))
    assert 0 < (rows != np.arange(28)).sum() <= 14


def test_more_erased_holds_what_less_erased():
    matter, _ = matter_of("image")
    ink = replace(matter, array=np.ones((28, 28), np.uint8))
    less, more = (edits.done(ink, (f"erase:{share},3",)).array for share in (0.25, 0.5))
    assert ((less == 0).sum(), (more == 0).sum()) == (196, 392)
    assert (more[less == 0] == 0).all()


def test_a_patch_lies_where_it_was_dragged():
    matter, _ = matter_of("image")
    ink = replace(matter, array=np.ones((28, 28), np.uint8))
    covered = np.argwhere(edits.done(ink, ("occlude:8,-5,2",)).array == 0)
    assert (covered.min(0).tolist(), covered.max(0).tolist()) == ([12, 5], [19, 12])
    assert occlude.covered(28, 8, -40) == slice(0, 0)


@pytest.mark.parametrize(("words", "wanted"), [
    ("reverse", "good not is film the"), ("swap:1,4", "not film is the good"),
    ("substitute:4,very", "the film is very good"),
    ("repeat:1", "the film is not good the film is not good"), ("erase:0.9", None),
    ("lengthen:100", "the the film film is is not not good good")])
def test_words_of_a_sentence(words, wanted):
    opened = open_model("sentiment_gru")
    raw = edited_given(given_of(opened, "text:The film is not good."), (words,), opened).raw
    assert raw == wanted if wanted else len(raw.split()) == 1


def test_words_of_a_text_of_letters_keep_their_letters():
    opened = open_model("char_rnn")
    raw = edited_given(given_of(opened, "text:to be or not"), ("shuffle_words:1,5",), opened).raw
    assert raw != "to be or not"
    assert sorted(raw.split(" ")) == ["be", "not", "or", "to"]
    assert edited_given(given_of(opened, "text:abc"), ("pad:2",), opened).raw == "abc  "
    with pytest.raises(Refused, match="one word only"):
        edited_given(given_of(opened, "text:abc"), ("shuffle_words:1",), opened)


def test_frames_of_a_strip_are_kept_whole():
    matter, raw = matter_of("strip")
    found = edits.done(matter, ("reverse",)).array
    np.testing.assert_array_equal(found[:, :4], raw[:, -4:])


def test_ink_that_leaves_the_frame_is_ink_that_is_gone():
    for words in ("shift:3,2", "shift:-4", "rotate:45", "scale:60"):
        edit, arguments = edits.parse(words)
        gone = edit.leaves((28, 28), inputs.kind("image").grain({}), *arguments)
        for number in range(0, 40, 4):
            matter, _ = matter_of("image", number)
            if edit.name == "shift":
                assert (matter.array[gone] > 0).any() == (edits.done(matter, (words,)).array.sum() < matter.array.sum())
    assert outside(28, 28, rotate.way(0)).sum() == 0
    assert outside(28, 28, rotate.way(90)).sum() == 0
    assert outside(28, 28, scale.way(100))[7:21, 7:21].sum() == 0
    assert outside(28, 28, scale.way(100)).sum() == 784 - 14 * 14


# --- where it is asked for ------------------------------------------------------------------------------------------

def test_one_what_if_for_all_places_and_undo_is_the_state_before():
    both = State((Place(), Place()), active=1)
    both = changed(both, edits=("untrained", "unit_off:conv2:7"))
    moved = does.edited(both, "rotate:30")
    assert moved.places[0].recipe.edits == ("rotate:30",)
    assert moved.places[1].recipe.edits == ("untrained", "unit_off:conv2:7", "rotate:30")
    turned = does.edited(does.shifted(moved, 2, 0), "rotate:-10")
    assert does.given(turned) == ("rotate:-10", "shift:2")
    assert does.what_if(turned, ()) == both
    assert does.edited(turned, "", "rotate") == does.shifted(both, 2, 0)
    assert from_json(to_json(turned)) == turned
    assert does.unedited(turned).places[0].recipe.edits == ()


def test_the_command_line_says_what_if(tmp_path, capsys):
    path, asked = tmp_path / "a.png", ["--what-if", "shift=3,0", "--what-if", "rotate=30"]
    assert cli.main(["shot", "digits_cnn", *asked, "-o", str(path)]) == cli.DONE
    assert from_json(export.state_in(path)).edits == ("shift:3", "rotate:30")
    trace = tmp_path / "a.trace"
    assert cli.main(["record", "digits_cnn", "--what-if", "noise=0.2,5", "-o", str(trace)]) == cli.DONE
    assert load(trace).sample.title.endswith("with 20 % noise")
    capsys.readouterr()
    for bad in ("shift", "shift=", "dropout=3", "unit_off=conv2:7", "rotate=x"):
        assert cli.main(["shot", "digits_cnn", "--what-if", bad, "-o", str(path)]) == cli.WRONG_USAGE
        assert capsys.readouterr().err.count("\n") == 1
    assert cli.main(["shot", str(trace), "--what-if", "shift=3", "-o", str(path)]) == cli.WRONG_USAGE
    assert "so --what-if changes nothing in it" in capsys.readouterr().err


def test_a_tensor_is_edited_from_python():
    opened = open_model("digits_cnn")
    x = opened.prepare(given_of(opened, "digit-7").raw)
    trace = capture(opened.module, x, edits=("shift=3,1", "noise:0.1"))
    moved = capture(opened.module, x, edits=("shift:3,1",))["input"].output
    np.testing.assert_array_equal(moved[0, 1:, 3:], x[0, 0, :-1, :-3].numpy())
    assert trace.sample.title == "shifted by +3, +1, with 10 % noise"
    steps = capture(torch.nn.Linear(2, 3), torch.arange(8.0).reshape(1, 4, 2), edits=("reverse",))["input"].output
    np.testing.assert_array_equal(steps, np.arange(8).reshape(4, 2)[::-1])
    table = torch.zeros(1, 4, 2)
    for bad, given in (("rotate:30", table), ("shift:1", (x, x)), ("unit_off:conv2:7", x), ("nothing", x)):
        with pytest.raises(Refused, match=r"\.$"):
            capture(opened.module, given, edits=(bad,))


def test_a_recording_is_of_the_edited_input_and_passes_its_check():
    opened, done = open_model("rows_lstm"), ("rotate:20", "erase:0.1,3")
    trace, given = record("rows_lstm", "digit-7", edits=done), edited_given(given_of(opened, "digit-7"), done, opened)
    np.testing.assert_allclose(trace["input"].output.reshape(28, 28), given.raw / 255, atol=1e-7)
    assert trace.check().passed
