"""The command line: what each command does, its exit status, and one sentence for every way to fail."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from visualizer import cli, inputs, registry, trace
from visualizer.cli import DONE, NOT_DONE, REFUSED, WRONG_USAGE, main
from visualizer.inputs import _digits
from visualizer.scene.state import changed
from visualizer.trace import Layer, Sample, Trace

FIXTURES = Path(__file__).parent / "fixtures"
MODEL = "digits_cnn"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default model on its default digit."""
    path = tmp_path_factory.mktemp("recorded") / "digits.trace"
    assert main(["record", MODEL, "-o", str(path)]) == DONE
    return path


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]):
    """said(arguments): (status, stdout, stderr); what goes to stderr is one sentence, never a traceback."""

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        if status == DONE:  # a warning may be given, about letters on paper or weights that changed
            assert err == "" or "letters" in err or "weights" in err
        if status != DONE or err:
            assert err.count("\n") == 1, err
            assert err.endswith(".\n"), err
            assert "Traceback" not in err
        return status, out, err

    return run


# --- record ---------------------------------------------------------------------------------------------------------

def test_record_saves_a_trace_that_opens_without_torch(recorded: Path) -> None:
    opened = trace.load(recorded)
    assert opened.model == MODEL
    assert opened.sample == Sample("digit-2148", "Digit 2148", 4)
    assert opened.has_backward


def test_the_same_command_twice_gives_the_same_bytes(recorded: Path, tmp_path: Path) -> None:
    assert main(["record", MODEL, "-o", str(tmp_path / "again.trace")]) == DONE
    assert (tmp_path / "again.trace").read_bytes() == recorded.read_bytes()


def test_record_says_what_it_made_and_nothing_else(said, tmp_path: Path) -> None:
    status, out, err = said("record", MODEL, "-o", tmp_path / "a.trace")
    opened = trace.load(tmp_path / "a.trace")
    assert (status, err) == (DONE, "")
    assert out == (f"{tmp_path / 'a.trace'}: {len(opened.layers)} layers, 22,090 parameters, "
                   f"cross entropy {opened.objective.value:.6g}\n")


def test_record_takes_a_sample_a_target_and_a_precision(said, tmp_path: Path) -> None:
    status, *_ = said("record", MODEL, "--input", "digit-3", "--target", 7, "--dtype", "float64", "-o",
                      tmp_path / "a.trace")
    opened = trace.load(tmp_path / "a.trace")
    assert status == DONE
    assert (opened.sample.name, opened.sample.label) == ("digit-3", 0)
    assert opened.objective.target == 7
    assert opened.dtype == "float64"
    assert opened["conv1"].output.dtype == np.float64
    probability = opened.answer.output[7]
    assert opened.objective.value == pytest.approx(-np.log(probability), rel=1e-12)


def test_record_reads_an_image_file(said, tmp_path: Path) -> None:
    pixels = inputs.raw("digit-2148")
    Image.fromarray(pixels).save(tmp_path / "four.png")
    said("record", MODEL, "--input", tmp_path / "four.png", "--target", 4, "-o", tmp_path / "a.trace")
    assert np.array_equal(trace.load(tmp_path / "a.trace").layers[0].output[0], np.float32(pixels) / np.float32(255))


def test_record_reads_what_is_typed(said, tmp_path: Path) -> None:
    status, out, err = said("record", "char_rnn", "--input", "to be or not", "-o", tmp_path / "a.trace")
    opened = trace.load(tmp_path / "a.trace")
    assert (status, err) == (DONE, "")
    assert opened.sample.steps == tuple("to be or not")
    assert f"cross entropy {opened.objective.value:.6g}" in out
    (tmp_path / "b.txt").write_text("to be or not\n")
    assert said("record", "char_rnn", "--input", tmp_path / "b.txt", "-o", tmp_path / "b.trace")[0] == DONE
    assert trace.load(tmp_path / "b.trace").objective == opened.objective


def test_before_training_is_recorded_drawn_and_listed_with_numbers(said, tmp_path: Path, without_before) -> None:
    out = tmp_path / "before.trace"
    status, words, _ = said("record", "adding_gru", "--untrained", "--check", "-o", out)
    assert status == DONE
    assert "mean squared error" in words
    assert trace.load(out).title == "Adding GRU, before training"
    status, _, err = said("shot", out, "--untrained", "-o", tmp_path / "a.png")
    assert (status, "so --untrained changes nothing in it" in err) == (WRONG_USAGE, True)

    assert said("shot", "adding_gru", "--untrained", "-o", tmp_path / "a.png")[0] == DONE
    state = json.loads(registry.module("export").state_in(tmp_path / "a.png"))
    assert state["places"][0]["recipe"]["edits"] == ["untrained"]
    assert said("shot", tmp_path / "a.png", "-o", tmp_path / "again.png")[0] == DONE
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "a.png").read_bytes()
    _, words, _ = said("shot", "adding_gru", "--view", "network", "--at", "loss.forward", "-o", tmp_path / "loss.png")
    assert "The loss is the square of how far the answer" in words
    assert "is off the wanted 0.67" in words
    assert said("shot", "adding_gru", "-o", tmp_path / "trained.png")[0] == DONE
    assert (tmp_path / "trained.png").read_bytes() != (tmp_path / "a.png").read_bytes()
    assert said("shot", tmp_path / "trained.png", "--untrained", "-o", tmp_path / "b.png")[0] == DONE
    assert (tmp_path / "b.png").read_bytes() == (tmp_path / "a.png").read_bytes()

    for more, name in (((), "after"), (("--untrained",), "before")):
        assert said("data", "adding_gru", *more, "--layer", "gru", "-o", tmp_path / f"{name}.npz")[0] == DONE
    before, after = np.load(tmp_path / "before.npz"), np.load(tmp_path / "after.npz")
    assert not np.array_equal(before["gru.output"], after["gru.output"])
    without_before("mlp_mnist")
    status, _, err = said("record", "mlp_mnist", "--untrained", "-o", out)
    assert (status, "from before training are not bundled" in err) == (REFUSED, True)


def test_record_composes_a_strip(said, tmp_path: Path) -> None:
    assert said("record", "crnn_strip", "--input", "strip:4 0 7", "-o", tmp_path / "a.trace")[0] == DONE
    opened = trace.load(tmp_path / "a.trace")
    assert opened.sample.name == "strip:4 0 7"
    assert opened["loss"].settings["target"] == (4, 0, 7)


def test_record_checks_the_numbers_against_numpy(said, tmp_path: Path) -> None:
    status, out, _ = said("record", MODEL, "--check", "-o", tmp_path / "a.trace")
    assert status == DONE
    assert " arrays agree with their recomputation in 64 bits; " in out.splitlines()[-2]
    assert "executed operations are explained (100.0 %)." in out.splitlines()[-2]
    assert out.splitlines()[-1].startswith("The largest difference is ")


def test_record_fails_when_a_number_is_not_the_sum_of_its_terms(said, tmp_path: Path, monkeypatch) -> None:
    """Nobody can see a wrong number in a file of thousands; --check must."""
    from visualizer import record

    honest = record.record

    def wrong(*arguments, **options) -> Trace:
        made = honest(*arguments, **options)
        layers = [item if item.name != "conv2" else _with_output(item, item.output * np.float32(1.01))
                  for item in made]
        return Trace(made.model, tuple(layers), objective=made.objective, labels=made.labels)

    monkeypatch.setattr(record, "record", wrong)
    status, _, err = said("record", MODEL, "--check", "-o", tmp_path / "a.trace")
    assert status == NOT_DONE
    assert "do not trust it" in err


@pytest.mark.parametrize(("arguments", "status", "words"), [
    (["record", "no_such_model"], WRONG_USAGE, "no_such_model"),
    (["record", "missing.safetensors"], REFUSED, "missing.safetensors"),
    (["record", "missing.trace"], REFUSED, "missing.trace"),
    (["record", "lab"], WRONG_USAGE, "is no model"),
    (["record", str(FIXTURES / "version-1.png")], WRONG_USAGE, "is no model"),
    (["record", str(FIXTURES / "version-1" / "small-cnn.trace")], WRONG_USAGE, "is no model"),
    (["record", MODEL, "--input", "no-such-digit"], WRONG_USAGE, "no-such-digit"),
    (["record", MODEL, "--input", "missing.png"], REFUSED, "missing.png"),
    (["record", MODEL, "--input", "sea-change"], REFUSED, "reads pictures of one digit"),
    (["record", "char_rnn", "--input", "digit-2148"], REFUSED, "reads text"),
    (["record", "char_rnn", "--input", "a#b"], REFUSED, "does not know '#'"),
    (["record", "char_rnn", "--target", "3"], REFUSED, "no target can be chosen"),
    (["record", "crnn_strip", "--input", "strip:4 x"], REFUSED, "strip:4 0 7"),
    (["record", MODEL, "--target", "99"], REFUSED, "99"),
    (["record", MODEL, "--target", "four"], WRONG_USAGE, "four"),
    (["record", MODEL, "--dtype", "float16"], WRONG_USAGE, "float16"),
])
def test_record_refuses(said, tmp_path: Path, arguments, status: int, words: str) -> None:
    found, out, err = said(*arguments, "-o", tmp_path / "a.trace")
    assert (found, out) == (status, ""), err
    assert words in err
    assert list(tmp_path.iterdir()) == []


def test_damaged_files_are_refused_by_name(said, tmp_path: Path) -> None:
    junk = {"weights.safetensors": b"\xff" * 100, "weights.pt": b"PK\x03\x04 cut off", "digit.png": b"\x89PNG\r\n no"}
    for name, data in junk.items():
        (tmp_path / name).write_bytes(data)
    for arguments in (["record", tmp_path / "weights.safetensors"], ["record", tmp_path / "weights.pt"],
                      ["record", MODEL, "--input", tmp_path / "digit.png"]):
        status, _, err = said(*arguments, "-o", tmp_path / "a.trace")
        assert status == REFUSED
        assert Path(arguments[-1]).name in err
    assert not (tmp_path / "a.trace").exists()


# --- shot -----------------------------------------------------------------------------------------------------------

def test_shot_draws_in_the_size_that_is_asked_for(said, recorded: Path, tmp_path: Path) -> None:
    status, out, err = said("shot", recorded, "--size", "1200x800", "--scale", "2", "-o", tmp_path / "a.png")
    assert (status, err) == (DONE, "")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (2400, 1600)
        assert len(picture.convert("RGB").getcolors(1 << 22)) > 100, "blank"
    caption = out.strip().removeprefix(f"{tmp_path / 'a.png'}: ")
    assert caption.endswith(".")


def test_shot_on_paper_has_the_size_in_millimetres(said, recorded: Path, tmp_path: Path) -> None:
    """89 mm at 300 dots an inch are 1051 pixels."""
    said("shot", recorded, "--mm", "89x60", "--dpi", "300", "-o", tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (round(89 / 25.4 * 300), round(60 / 25.4 * 300))
    _, _, err = said("shot", recorded, "--mm", "89x60", "-o", tmp_path / "a.svg")
    assert 'width="89mm" height="60mm"' in (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "make the figure" in err


def test_a_width_alone_keeps_the_shape_of_the_picture_and_adds_its_bars(said, recorded: Path, tmp_path: Path) -> None:
    _, _, err = said("shot", recorded, "--view", "filters", "--mm", "183", "-o", tmp_path / "a.svg")
    assert err == ""
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert 'width="183mm"' in text
    assert "Weights of conv1" in text
    said("shot", recorded, "--view", "filters", "--mm", "183", "--no-bars", "-o", tmp_path / "b.svg")
    assert "Weights of conv1" not in (tmp_path / "b.svg").read_text(encoding="utf-8")
    said("shot", recorded, "--view", "filters", "-o", tmp_path / "c.svg")
    plain = (tmp_path / "c.svg").read_text(encoding="utf-8")
    assert "Weights of conv1" not in plain
    assert "Weights, one scale for all of conv1" in plain


def test_several_views_are_one_figure_with_letters(said, recorded: Path, tmp_path: Path) -> None:
    _, out, _ = said("shot", recorded, "--view", "filters,feature_maps", "--at", "conv2.forward", "-o",
                     tmp_path / "a.svg")
    assert ": a, conv2 has" in out
    assert " b, " in out
    said("shot", recorded, "--panel", "filters@conv2.forward", "--panel", "feature_maps@conv2.forward", "-o",
         tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert ">a</text>" in text
    assert ">b</text>" in text


def test_panels_have_their_own_moments_and_foci(said, recorded: Path, tmp_path: Path) -> None:
    said("shot", recorded, "--panel", "network@conv2.forward:conv2:7", "--panel", "network@conv2.backward@0.5",
         "--panel", "filters:conv1:3", "--caption", "-o", tmp_path / "a.pdf")
    panels = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["panels"]
    assert [panel["panel"] for panel in panels] == ["a", "b", "c"]
    assert [panel["view"] for panel in panels] == ["network", "network", "filters"]
    assert [panel["address"] for panel in panels][:2] == ["conv2.forward", "conv2.backward@0.5"]
    assert panels[0]["focus"] == {"layer": "conv2", "cell": [7], "part": "output"}
    assert panels[1]["focus"] is None
    assert panels[2]["focus"]["cell"] == [3]
    assert "a, Channel 7 of conv2" in (tmp_path / "a.txt").read_text(encoding="utf-8")


def test_a_knob_of_one_panel_is_given_to_that_one(said, recorded: Path, tmp_path: Path) -> None:
    status, _, err = said("shot", recorded, "--view", "feature_maps,microscope", "--set", "ranking=max", "--caption",
                          "-o", tmp_path / "a.svg")
    assert status == DONE, err
    panels = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))["panels"]
    assert [panel["knobs"] for panel in panels] == [{"ranking": "max"}, {}]


def test_shot_writes_svg_and_pdf(said, recorded: Path, tmp_path: Path) -> None:
    for name, head in (("a.svg", b"<?xml"), ("a.pdf", b"%PDF")):
        assert said("shot", recorded, "-o", tmp_path / name)[0] == DONE
        assert (tmp_path / name).read_bytes().startswith(head)


def test_moments_views_themes_and_focus_change_the_picture(said, recorded: Path, tmp_path: Path) -> None:
    seen = {}
    for name, arguments in {
        "plain": [], "at": ["--at", "conv2.forward"], "middle": ["--at", "conv2.forward@0.5"],
        "backward": ["--backward"], "focus": ["--at", "conv2.forward", "--focus", "conv2:7"],
        "theme": ["--theme", "dark"], "view": ["--view", "filters", "--at", "conv2.forward"],
        "scope": ["--at", "conv2.forward", "--set", "scope=network"],
    }.items():
        status, _, err = said("shot", recorded, *arguments, "-o", tmp_path / f"{name}.png")
        assert status == DONE, err
        seen[name] = (tmp_path / f"{name}.png").read_bytes()
    assert len(set(seen.values())) == len(seen)


def test_the_same_shot_twice_gives_the_same_bytes(said, recorded: Path, tmp_path: Path) -> None:
    for suffix in ("png", "svg", "pdf"):
        for name in ("a", "b"):
            said("shot", recorded, "--at", "conv2.forward", "-o", tmp_path / f"{name}.{suffix}")
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes(), suffix


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_a_picture_is_a_thing_that_can_be_drawn_again(said, tmp_path: Path, suffix: str) -> None:
    """It carries its State: model, sample, view, moment, focus, look."""
    one, other = tmp_path / f"one.{suffix}", tmp_path / f"other.{suffix}"
    said("shot", MODEL, "--input", "digit-3", "--at", "conv2.backward", "--focus", "conv2:3", "--theme", "dark",
         "--size", "1200x800", "-o", one)
    status, _, err = said("shot", one, "-o", other)
    assert status == DONE, err
    assert one.read_bytes() == other.read_bytes()


def test_a_picture_of_what_a_state_cannot_say_carries_none(said, tmp_path: Path) -> None:
    """A target of one's own is no part of the State: better no way back than one to another place."""
    said("shot", MODEL, "--target", "9", "-o", tmp_path / "a.png")
    status, _, err = said("shot", tmp_path / "a.png", "-o", tmp_path / "b.png")
    assert status == REFUSED
    assert "does not say what it shows" in err


def test_a_session_can_be_drawn(said, tmp_path: Path) -> None:
    from visualizer.scene.state import State, to_json

    (tmp_path / "a.session").write_text(to_json(changed(State(), at="conv1.forward")), encoding="utf-8")
    said("shot", tmp_path / "a.session", "-o", tmp_path / "a.png")
    said("shot", MODEL, "--at", "conv1.forward", "-o", tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_session_with_its_recording_needs_no_model(said, recorded: Path, tmp_path: Path) -> None:
    from visualizer.scene import session
    from visualizer.scene.state import State

    opened = trace.load(recorded)
    state = changed(State(), model="/gone/mine.safetensors", sample=opened.sample.name, at="conv1.forward")
    (tmp_path / "a.session").write_bytes(session.to_bytes(state, opened))
    status, _, err = said("shot", tmp_path / "a.session", "-o", tmp_path / "a.svg")
    assert (status, err) == (DONE, "")
    (tmp_path / "b.session").write_bytes(session.to_bytes(state))
    status, _, err = said("shot", tmp_path / "b.session", "-o", tmp_path / "b.svg")
    assert status == REFUSED
    assert "/gone/mine.safetensors" in err


def test_weights_that_changed_since_are_said(said, tmp_path: Path) -> None:
    from visualizer.scene.state import State, to_json

    (tmp_path / "a.session").write_text(to_json(changed(State(), at="conv1.forward"), "0" * 64), encoding="utf-8")
    status, _, err = said("shot", tmp_path / "a.session", "-o", tmp_path / "a.svg")
    assert status == DONE
    assert "The weights of Digits CNN are not those" in err


def test_a_drawing_in_a_picture_is_recorded_again(said, tmp_path: Path) -> None:
    from visualizer.scene.state import State, packed, to_json

    ink = np.zeros((112, 112), np.uint8)
    ink[20:95, 50:62] = 255
    drawn = changed(State(), sample="drawn", drawing=packed(ink), at="conv1.forward")
    (tmp_path / "a.session").write_text(to_json(drawn), encoding="utf-8")
    said("data", tmp_path / "a.session", "--layer", "input", "-o", tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as arrays:
        np.testing.assert_array_equal(arrays["input.output"][0] * 255, _digits.centre_digit(ink))
    status, _, err = said("shot", tmp_path / "a.session", "-o", tmp_path / "a.svg")
    assert (status, err) == (DONE, "")
    assert said("shot", tmp_path / "a.svg", "-o", tmp_path / "b.svg")[0] == DONE
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_backward_is_where_the_backward_pass_ends(said, recorded: Path, tmp_path: Path) -> None:
    from visualizer.scene.timeline import timeline

    last = timeline(trace.load(recorded)).beats[-1]
    assert last.direction == "backward"
    for focus, address in (([], last.address), (["--focus", "conv2:3"], "conv2.backward")):
        said("shot", recorded, "--backward", *focus, "-o", tmp_path / "a.png")
        said("shot", recorded, "--at", address, *focus, "-o", tmp_path / "b.png")
        assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_gate_of_one_unit_is_a_shot_forwards_and_backwards(said, tmp_path: Path) -> None:
    shot = ("shot", "char_lstm", "--input", "wherefore art thou", "--view", "microscope", "--focus",
            "lstm:11,29/inner.forget")
    status, out, err = said(*shot, "--at", "lstm.forward[12].forget", "-o", tmp_path / "a.svg")
    assert (status, err) == (DONE, "")
    assert "The forget gate of unit 29 at step 12" in out
    for name, when in (("b", ["--backward"]), ("c", ["--at", "lstm.backward[12].forget"])):
        _, out, _ = said(*shot, *when, "-o", tmp_path / f"{name}.svg")
        assert "forget gate, of unit 29 at step 12" in out
    status, _, err = said(*shot[:-1], "lstm:11,128/inner.forget", "-o", tmp_path / "d.svg")
    assert (status, "0…127" in err) == (WRONG_USAGE, True)


@pytest.mark.parametrize(("arguments", "words"), [
    (["--view", "nonsense"], "nonsense"),
    (["--theme", "sepia"], "sepia"),
    (["--at", "conv9.forward"], "conv9"),
    (["--at", "conv2.forward@7"], "phase"),
    (["--at", "conv2.forward", "--backward"], "not allowed with"),
    (["--focus", "conv9"], "conv9"),
    (["--focus", "conv2:99"], "99"),
    (["--focus", "conv2:a,b"], "a,b"),
    (["--set", "nonsense=1"], "nonsense"),
    (["--set", "nonsense"], "nonsense"),
    (["--set", "scope=galaxy"], "galaxy"),
    (["--set", "signs=perhaps"], "perhaps"),
    (["--set", "text_scale=huge"], "huge"),
    (["--size", "0x100"], "0x100"),
    (["--size", "wide"], "wide"),
    (["--scale", "0"], "0"),
    (["--scale", "nan"], "nan"),
    (["--scale", "1000"], "pixels are too many"),
    (["--mm", "89x60", "--dpi", "100000"], "pixels are too many"),
    (["--mm", "89x60", "--scale", "2"], "--dpi"),
    (["--mm", "0"], "millimetres"),
    (["--mm", "wide"], "millimetres"),
    (["--mm", "89x-3"], "millimetres"),
    (["--panel", "nonsense"], "nonsense"),
    (["--panel", "network@conv9.forward"], "conv9"),
    (["--panel", "network:conv2:99"], "99"),
    (["--panel", "network", "--view", "filters"], "not by both"),
    (["--input", "digit-3"], "--input"),
    (["--target", "3"], "--target"),
])
def test_shot_says_what_cannot_be(said, recorded: Path, tmp_path: Path, arguments, words: str) -> None:
    status, out, err = said("shot", recorded, *arguments, "-o", tmp_path / "a.png")
    assert (status, out) == (WRONG_USAGE, ""), err
    assert words in err
    assert list(tmp_path.iterdir()) == []


def test_backward_through_what_has_no_gradient_is_wrong_usage(said, tmp_path: Path) -> None:
    layer = Layer("input", "input", ("class",), {}, (), np.array([1.0, 2.0], dtype=np.float32))
    Trace("forward only", (layer,)).save(tmp_path / "forward.trace")
    status, _, err = said("shot", tmp_path / "forward.trace", "--backward", "-o", tmp_path / "a.png")
    assert status == WRONG_USAGE
    assert "No gradient came back" in err


@pytest.mark.parametrize(("name", "data"), [
    ("a.trace", b"no zip"), ("a.trace", b"PK\x05\x06" + b"\0" * 18), ("a.png", b"no picture"),
    ("a.session", b"[1, 2"), ("a.session", b'{"version": 999}'), ("a.session", b"\xff\xfe\x00"), ("a.svg", b"<svg/>"),
    ("a.pdf", b"%PDF-1.7"), ("a.onnx", b"\x08\x07"), ("a.safetensors", b""),
])
def test_things_that_are_damaged_or_something_else_are_refused(said, tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    status, _, err = said("shot", tmp_path / name, "-o", tmp_path / "out.png")
    assert status == REFUSED, err
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize("name", ["a.trace", "a.session", "a.png", "a.svg", "a.pdf", "a.safetensors", "a.pt"])
def test_things_that_are_missing_are_refused(said, tmp_path: Path, name: str) -> None:
    status, _, err = said("shot", tmp_path / name, "-o", tmp_path / "out.png")
    assert status == REFUSED
    assert name in err


# --- data -----------------------------------------------------------------------------------------------------------

def test_npz_holds_every_array_under_its_name(said, recorded: Path, tmp_path: Path) -> None:
    said("data", recorded, "-o", tmp_path / "a.npz")
    opened = trace.load(recorded)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as arrays:
        assert np.array_equal(arrays["conv1.output"], opened["conv1"].output)
        assert np.array_equal(arrays["conv1.gradient"], opened["conv1"].gradient)
        assert np.array_equal(arrays["conv2.weights.weight"], opened["conv2"].weights["weight"])
        assert np.array_equal(arrays["conv2.weight_gradients.bias"], opened["conv2"].weight_gradients["bias"])
        assert {name.partition(".")[0] for name in arrays} == {layer.name.partition(".")[0] for layer in opened}


def test_npz_of_one_layer_holds_that_layer(said, recorded: Path, tmp_path: Path) -> None:
    said("data", recorded, "--layer", "fc2", "-o", tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as arrays:
        assert sorted(arrays) == ["fc2.gradient", "fc2.output", "fc2.weight_gradients.bias",
                                  "fc2.weight_gradients.weight", "fc2.weights.bias", "fc2.weights.weight"]


def test_csv_of_a_layer_reads_back_as_the_same_numbers(said, recorded: Path, tmp_path: Path) -> None:
    said("data", recorded, "--layer", "conv2", "-o", tmp_path / "a.csv")
    layer = trace.load(recorded)["conv2"]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text(encoding="utf-8"))))
    assert list(rows[0]) == ["channel", "row", "column", "value", "gradient"]
    assert len(rows) == layer.output.size
    for column, array in (("value", layer.output), ("gradient", layer.gradient)):
        assert np.array_equal(np.array([float(row[column]) for row in rows], array.dtype), array.ravel())


def test_json_of_a_layer_reads_back_as_the_same_numbers(said, recorded: Path, tmp_path: Path) -> None:
    said("data", recorded, "--layer", "conv2", "-o", tmp_path / "a.json")
    plain = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    layer = trace.load(recorded)["conv2"]
    assert (plain["kind"], plain["axes"], plain["shape"]) == ("conv2d", ["channel", "row", "column"], [12, 12, 12])
    assert np.array_equal(np.array(plain["arrays"]["output"], np.float32), layer.output)


def test_the_table_of_a_view_is_what_the_picture_carries(said, recorded: Path, tmp_path: Path) -> None:
    from visualizer import export

    picture = export.draw(trace.load(recorded), "network", "conv2.forward", "conv2:7")
    for suffix in ("csv", "json"):
        said("data", recorded, "--view", "network", "--at", "conv2.forward", "--focus", "conv2:7", "-o",
             tmp_path / f"a.{suffix}")
    rows = list(csv.reader(io.StringIO((tmp_path / "a.csv").read_text(encoding="utf-8"))))
    assert rows == [list(picture.table.columns), *([str(value) for value in row] for row in picture.table.rows)]
    plain = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert (plain["caption"], plain["columns"]) == (picture.caption, list(picture.table.columns))
    assert plain["rows"] == [list(row) for row in picture.table.rows]


def test_numbers_that_are_none_survive(tmp_path: Path, said) -> None:
    values = np.array([1.5, np.nan, np.inf, -np.inf], np.float32)
    layer = Layer("input", "input", ("unit",), {}, (), values)
    Trace("strange", (layer,)).save(tmp_path / "strange.trace")
    for suffix in ("csv", "json"):
        said("data", tmp_path / "strange.trace", "--layer", "input", "-o", tmp_path / f"a.{suffix}")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text())))
    assert np.array_equal(np.array([float(row["value"]) for row in rows], np.float32), values, equal_nan=True)
    assert json.loads((tmp_path / "a.json").read_text())["arrays"]["output"] == [1.5, "nan", "inf", "-inf"]


def test_data_says_what_cannot_be(said, recorded: Path, tmp_path: Path) -> None:
    assert said("data", recorded, "--layer", "conv9", "-o", tmp_path / "a.npz")[0] == WRONG_USAGE
    assert said("data", recorded, "-o", tmp_path / "a.xlsx")[0] == WRONG_USAGE
    assert said("data", tmp_path / "missing.trace", "-o", tmp_path / "a.npz")[0] == REFUSED


# --- where results go -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("command", "good", "bad"), [
    ("record", "a.trace", "a.zip"), ("shot", "a.png", "a.jpg"), ("data", "a.npz", "a.txt")])
def test_every_output_is_checked_before_the_work(said, recorded: Path, tmp_path: Path, monkeypatch, command: str,
                                                 good: str, bad: str) -> None:
    thing = MODEL if command == "record" else recorded
    monkeypatch.setattr(cli, "_recorded", lambda *_: pytest.fail("the work began"))
    monkeypatch.setattr("visualizer.trace.load", lambda *_: pytest.fail("the work began"))
    status, _, err = said(command, thing, "-o", tmp_path / bad)
    assert status == WRONG_USAGE
    assert Path(bad).name in err
    assert said(command, thing, "-o", tmp_path / "nowhere" / good)[0] == NOT_DONE
    (tmp_path / good).mkdir()
    assert said(command, thing, "-o", tmp_path / good)[0] == NOT_DONE


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_not_ones_own_is_named(said, recorded: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(stat.S_IRUSR | stat.S_IXUSR)
    status, _, err = said("shot", recorded, "-o", locked / "a.png")
    assert status == NOT_DONE
    assert str(locked) in err


def test_a_disk_that_fills_up_leaves_the_old_file_whole(said, recorded: Path, tmp_path: Path, monkeypatch) -> None:
    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:10])
        raise OSError(28, "No space left on device")

    for command, name in (("shot", "a.png"), ("shot", "a.svg"), ("shot", "a.pdf"), ("data", "a.npz"),
                          ("record", "a.trace")):
        (tmp_path / name).write_bytes(b"old")
        with monkeypatch.context() as patched:
            patched.setattr(Path, "write_bytes", full)
            status, _, err = said(command, MODEL if command == "record" else recorded, "-o", tmp_path / name)
        assert status == NOT_DONE
        assert "the disk is full; make room" in err
        assert [path.name for path in tmp_path.iterdir()] == [name]
        assert (tmp_path / name).read_bytes() == b"old"
        (tmp_path / name).unlink()


# --- list, doctor, help ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("what", ["models", "samples", "inputs", "answers", "views", "lessons", "formats", "themes",
                                "edits"])
def test_list_tells_people_and_programs_the_same(said, what: str) -> None:
    status, words, _ = said("list", what)
    assert status == DONE
    entries = json.loads(said("list", what, "--json")[1])
    for line, entry in zip(words.splitlines(), entries, strict=True):
        assert line.startswith(f"{entry['name']} ")
    assert all(entry["about"] for entry in entries)
    if what == "models":
        assert [entry["name"] for entry in entries] == list(registry.models())
        assert entries[0]["name"] == "digits_cnn"
        grouped = ["group" in entry for entry in entries]
        assert grouped == sorted(grouped)  # those for experiments come last, and say for which
        assert all(f"({entry['group']})" in entry["about"] for entry in entries if "group" in entry)
        kinds = [entry["input"]["kind"] for entry in entries if "group" not in entry]
        assert [kind for kind, before in zip(kinds, [None, *kinds], strict=False) if kind != before] == [
            "image", "audio", "name", "sentence", "sequence", "strip", "text", "pictures", "video"]
    if what == "samples":
        with_samples = {kind.name for kind in inputs.kinds() if inputs.all_samples(kind.name)}
        assert {entry["kind"] for entry in entries} == with_samples


def test_list_without_a_word_lists_everything(said) -> None:
    _, words, _ = said("list")
    everything = json.loads(said("list", "--json")[1])
    assert list(everything) == ["models", "samples", "inputs", "answers", "views", "claims", "lessons", "formats",
                                "themes", "languages", "edits"]
    for what, entries in everything.items():
        assert f"{what}:" in words
        assert all(f"\n  {entry['name']}" in words for entry in entries[:cli.FEW])


def test_doctor_finds_this_installation_whole(said, monkeypatch) -> None:
    status, out, _ = said("doctor")
    assert status == DONE, out
    findings = json.loads(said("doctor", "--json")[1])
    assert {finding["about"] for finding in findings} >= {"Python", "PySide6", "torch", "numpy", "fonts", "display"}
    assert all(finding["found"] for finding in findings)


@pytest.mark.parametrize(("package", "version", "python", "words"), [
    ("PySide6-Essentials", "6.12.0", (3, 11, 7), "<6.12"), ("torch", "2.9.1", (3, 12, 1), "torch>=2.10"),
    ("torch", "2.14.0", (3, 12, 1), "torch>=2.10")])
def test_doctor_knows_what_does_not_fit(monkeypatch, package: str, version: str, python, words: str) -> None:
    from visualizer import doctor

    honest = doctor.metadata.version
    monkeypatch.setattr(doctor.metadata, "version", lambda name: version if name == package else honest(name))
    monkeypatch.setattr(doctor.sys, "version_info", python)
    (finding,) = [found for found in doctor.examine() if package.startswith(found.about)]
    assert finding.state != doctor.OK
    assert words in finding.mend


def test_doctor_examines_on_when_one_thing_is_broken(monkeypatch) -> None:
    from visualizer import doctor

    def broken() -> doctor.Finding:
        raise OSError("libGL.so.1: cannot open shared object file")

    monkeypatch.setattr(doctor, "_qt", broken)
    findings = list(doctor.examine())
    assert [found.found for found in findings if found.about == "broken"] == [
        "OSError: libGL.so.1: cannot open shared object file"]
    assert findings[-1].about != "broken"


def test_help_and_version_are_results(said) -> None:
    status, out, _ = said("--help")
    assert status == DONE
    assert all(command in out for command in ("open", "list", "record", "shot", "film", "data", "doctor"))
    assert said("--version")[1].startswith("visualizer ")
    for command in ("open", "list", "record", "shot", "data", "doctor"):
        assert said(command, "--help")[0] == DONE


@pytest.mark.parametrize("arguments", [["nonsense"], ["list", "nonsense"], ["shot"], ["record", MODEL], ["--nonsense"],
                                       ["open"], ["data", MODEL]])
def test_what_is_not_understood_is_wrong_usage(said, arguments) -> None:
    status, out, err = said(*arguments)
    assert (status, out) == (WRONG_USAGE, "")
    assert "--help" in err


def test_debug_shows_where_an_error_came_from(tmp_path: Path) -> None:
    with pytest.raises(trace.Refused, match="missing"):
        main(["shot", str(tmp_path / "missing.trace"), "--debug", "-o", str(tmp_path / "a.png")])


def test_an_unforeseen_error_is_one_sentence_too(said, recorded: Path, tmp_path: Path, monkeypatch) -> None:
    def broken(path: object) -> Trace:
        raise ZeroDivisionError("float division\nby zero")

    monkeypatch.setattr("visualizer.trace.load", broken)
    status, _, err = said("shot", recorded, "-o", tmp_path / "a.png")
    assert status == NOT_DONE
    assert err == ("It could not be done (ZeroDivisionError: float division by zero); run it again with --debug to see "
                   "where.\n")


def test_ctrl_c_is_no_error_and_leaves_nothing(said, recorded: Path, tmp_path: Path, monkeypatch) -> None:
    def stopped(path: object) -> Trace:
        raise KeyboardInterrupt

    monkeypatch.setattr("visualizer.trace.load", stopped)
    assert said("shot", recorded, "-o", tmp_path / "a.png")[0] == 130
    assert list(tmp_path.iterdir()) == []


# --- the app --------------------------------------------------------------------------------------------------------

def test_no_command_and_open_start_the_app(said, monkeypatch) -> None:
    from visualizer import app

    opened = []
    monkeypatch.setattr(app, "main", lambda thing=None, last=False: opened.append((thing, last)) or 0)
    assert said()[0] == DONE
    assert said("open", "lenet_mnist")[0] == DONE
    assert said("--last")[0] == DONE
    assert opened == [(None, False), ("lenet_mnist", False), (None, True)]


def test_a_thing_alone_is_opened_and_a_command_that_there_is_not_is_none(said, monkeypatch, tmp_path: Path) -> None:
    from visualizer import app

    opened = []
    monkeypatch.setattr(app, "main", lambda thing=None, last=False: opened.append(thing) or 0)
    (tmp_path / "bare").write_bytes(b"")
    things = ["mine.trace", "lenet_mnist", "lab", str(tmp_path), str(tmp_path / "bare")]
    for thing in things:
        assert said(thing)[0] == DONE
    assert opened == things
    assert said("lsit")[0] == WRONG_USAGE
    assert opened == things


def test_without_a_display_the_app_says_so_instead_of_aborting(said, monkeypatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    status, _, err = said()
    assert status == NOT_DONE
    assert "no display" in err


# --- as a program ---------------------------------------------------------------------------------------------------

def test_the_program_draws_without_a_display_and_ends_with_the_status(recorded: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    root = Path(registry.PACKAGE).parent

    def visualizer(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-m", "visualizer", *arguments], cwd=root, env=environment, text=True,
                              capture_output=True, check=False)

    done = visualizer("shot", str(recorded), "-o", str(tmp_path / "a.png"))
    assert (done.returncode, done.stderr) == (DONE, "")
    assert (tmp_path / "a.png").exists()
    assert visualizer("shot", str(tmp_path / "missing.trace"), "-o", str(tmp_path / "b.png")).returncode == REFUSED
    assert visualizer("nonsense").returncode == WRONG_USAGE


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    root = Path(registry.PACKAGE).parent
    command = f"{sys.executable} -m visualizer list samples | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=root, text=True, capture_output=True, check=False)
    assert done.stderr == ""
    assert done.stdout.startswith("digit-")


def _with_output(layer: Layer, output: np.ndarray) -> Layer:
    from dataclasses import replace

    return replace(layer, output=output)


# --- what recurrent networks cannot read ------------------------------------------------------------------------------

@pytest.mark.parametrize(("given", "words"), [
    ("text:", "at least one character"), ("a" * 10_001, "10,001 characters, more than 10,000"),
    ("nan.csv", "reads text, and nan.csv is a table of numbers"), ("text:a§b", "§")])
def test_a_text_that_cannot_be_read_is_refused_in_one_sentence_and_leaves_nothing(
        said, given: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nan.csv").write_text("1,2\n3,nan\n")
    (tmp_path / "kept.trace").write_bytes(b"as it was")
    status, _, err = said("record", "char_gru", "--input", given, "-o", "kept.trace")
    assert status == REFUSED
    assert words in err
    assert (tmp_path / "kept.trace").read_bytes() == b"as it was"


def test_a_picture_between_unrolled_and_folded_is_drawn(said, tmp_path: Path) -> None:
    target = tmp_path / "half.svg"
    status, out, _ = said("shot", "char_rnn", "--input", "sea", "--view", "unrolled", "--at", "rnn.forward[2]",
                          "--set", "fold=0.5", "-o", target)
    assert (status, target.exists()) == (DONE, True)
    assert "expects" in out
    for word in ("1.5", "half", "nan"):
        status, _, err = said("shot", "char_rnn", "--input", "sea", "--view", "unrolled", "--set", f"fold={word}",
                              "-o", tmp_path / "no.svg")
        assert status != DONE
        assert "choose 0 to 1" in err


@pytest.mark.parametrize(("rows", "words"), [
    ("0.1,0\nnan,1\n", "'nan' in row 2, column 1"), ("0.1,0,3\n", "3 numbers in row 1, where the model reads 2"),
    ("", "holds no numbers"),
])
def test_a_table_that_cannot_be_read_is_one_sentence(said, tmp_path: Path, rows: str, words: str) -> None:
    table = tmp_path / "table.csv"
    table.write_text(rows)
    status, out, err = said("shot", "adding_rnn", "--input", table, "-o", tmp_path / "it.png")
    assert (status, out) == (REFUSED, "")
    assert words in err
    assert not (tmp_path / "it.png").exists()
