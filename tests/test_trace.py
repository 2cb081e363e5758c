"""Trace: what goes in comes out, opening needs no torch, and every damaged or hostile file is refused in a sentence."""

from __future__ import annotations

import io
import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save as save_arrays

from visualizer import unpack
from visualizer.trace import Layer, Objective, Refused, Sample, Trace, from_bytes, load

ROOT = Path(__file__).resolve().parent.parent
WEIGHT = np.arange(6, dtype=np.float32).reshape(2, 3)


def small() -> Trace:
    """Two dense layers that share a weight, with everything a trace can hold."""
    x = Layer("input", "input", ("unit",), {}, (), np.array([1, 2, 3], np.float32), np.array([0.5, 0, -1], np.float32))
    one = Layer("fc", "linear", ("unit",), {"stride": (1, 2), "mode": "x", "none": None}, ("input",),
                WEIGHT @ x.output, np.array([1, 2], np.float32), {"weight": WEIGHT}, {"weight": WEIGHT * 2})
    two = Layer("fc#2", "linear", ("step", "unit"), {"deep": ((1, "a"), (2.5,))}, ("input", "fc"),
                np.array([[np.nan, np.inf]], np.float32), None, {"weight": one.weights["weight"]}, {},
                {"forget": np.ones((1, 2))}, {"forget": np.zeros((1, 2))}, why="It is not reached.")
    loss = Layer("loss", "cross_entropy", (), {"target": 1}, ("fc",), np.array(0.25), np.array(1.0))
    return Trace("small", (x, one, two, loss), "A small one", Sample("s", "S", 1), Objective("cross_entropy", 1, 0.25),
                 ("no", "yes"), "float32", 3, {"python": "3"}, {"weights": "ab"}, {"quality": {"of": 10}}, ("a note.",))


# --- round trip -----------------------------------------------------------------------------------------------------

def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    before = small()
    after = load(before.save(tmp_path / "a.trace"))
    assert after.to_bytes() == before.to_bytes()
    assert after.digest == before.digest
    for name in ("model", "title", "sample", "objective", "labels", "dtype", "seed", "facts", "notes"):
        assert getattr(after, name) == getattr(before, name), name
    for one, other in zip(before, after, strict=True):
        assert (one.name, one.kind, one.axes, one.reads, one.why) == (other.name, other.kind, other.axes, other.reads,
                                                                      other.why)
        assert dict(one.settings) == dict(other.settings)
        assert np.array_equal(one.output, other.output, equal_nan=True)
        assert one.output.dtype == other.output.dtype
        assert one.output.shape == other.output.shape
        assert (one.gradient is None) == (other.gradient is None)
        for group in ("weights", "weight_gradients", "inner", "inner_gradients"):
            assert getattr(one, group).keys() == getattr(other, group).keys()


def test_layers_that_share_a_weight_still_share_it_when_loaded() -> None:
    before = small()
    after = from_bytes(before.to_bytes())
    assert after["fc"].weights["weight"] is after["fc#2"].weights["weight"]
    assert after.parameters == before.parameters == 6


def test_running_statistics_are_no_parameters() -> None:
    ones = np.ones(3, np.float32)
    weights = {"weight": ones, "bias": ones * 2, "running_mean": ones * 3, "running_var": ones * 4}
    norm = Layer("norm", "batch_norm", ("channel",), {}, (), ones, weights=weights)
    assert norm.parameters == Trace("m", (norm,)).parameters == 6
    both = {"weight": ones, "bias": ones}
    blur = Layer("blur", "conv2d", ("channel",), {"fixed": ("weight",)}, (), ones, weights=both)
    assert blur.parameters == 3


def test_nothing_in_it_can_be_written_to() -> None:
    for trace in (small(), from_bytes(small().to_bytes())):
        for layer in trace:
            arrays = [layer.output, layer.gradient, *layer.weights.values(), *layer.weight_gradients.values(),
                      *layer.inner.values()]
            assert not any(array.flags.writeable for array in arrays if array is not None)
            with pytest.raises(TypeError):
                layer.settings["new"] = 1
    mine = np.ones(3)
    layer = Layer("a", "input", ("unit",), {}, (), mine)
    mine[0] = 5
    assert layer.output[0] == 1


def test_the_same_trace_gives_the_same_bytes_and_another_gives_others() -> None:
    assert small().to_bytes() == small().to_bytes()
    changed = small()
    layers = (*changed.layers[:-1], Layer("loss", "cross_entropy", (), {"target": 1}, ("fc",), np.array(0.26)))
    assert Trace("small", layers).digest != Trace("small", small().layers).digest


def test_a_trace_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = small().save(tmp_path / "a.trace")
    before = path.read_bytes()
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        Trace("other", small().layers).save(path)
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["a.trace"]


def test_opening_a_trace_imports_no_torch_and_no_qt(tmp_path: Path) -> None:
    path = ROOT / "assets" / "traces" / "digits_cnn.trace"
    code = (f"import sys, visualizer; t = visualizer.load({str(path)!r}); t.check(); t.digest\n"
            "print([name for name in ('torch', 'PySide6', 'PIL') if name in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- the noun -------------------------------------------------------------------------------------------------------

def test_readers_and_inputs_are_found_by_name() -> None:
    trace = small()
    assert [layer.name for layer in trace.inputs(trace["fc#2"])] == ["input", "fc"]
    assert [layer.name for layer in trace.readers("input")] == ["fc", "fc#2"]
    assert "fc" in trace
    assert "nothing" not in trace
    with pytest.raises(KeyError, match="there are input, fc, fc#2, loss"):
        trace["nothing"]


def test_two_layers_of_one_name_and_reads_of_what_is_not_there_are_errors() -> None:
    x = small()["input"]
    with pytest.raises(ValueError, match="two layers are named 'input'"):
        Trace("m", (x, x))
    with pytest.raises(ValueError, match="reads 'later', which does not stand before it"):
        Trace("m", (Layer("a", "relu", ("unit",), {}, ("later",), x.output), x))


# --- hostile files --------------------------------------------------------------------------------------------------

def packed(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def parts() -> tuple[dict, bytes]:
    with zipfile.ZipFile(io.BytesIO(small().to_bytes())) as archive:
        return json.loads(archive.read("trace.json")), archive.read("arrays.safetensors")


def with_header(change) -> bytes:
    header, arrays = parts()
    header = change(header) or header
    return packed({"trace.json": json.dumps(header).encode(), "arrays.safetensors": arrays})


def with_arrays(arrays: bytes) -> bytes:
    return packed({"trace.json": json.dumps(parts()[0]).encode(), "arrays.safetensors": arrays})


def layer(index: int, **changes):
    return lambda header: header["layers"][index].update(changes)


def lying_shape() -> bytes:
    arrays = parts()[1]
    end = 8 + int.from_bytes(arrays[:8], "little")
    table = json.loads(arrays[8:end])
    next(iter(table.values()))["shape"] = [10**6, 10**6]
    changed = json.dumps(table).encode()
    return with_arrays(len(changed).to_bytes(8, "little") + changed + arrays[end:])


def lying_size() -> bytes:
    """A zip that says it unpacks to 3 GiB."""
    data = bytearray(small().to_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24:at + 28] = (3 << 30).to_bytes(4, "little")
    return bytes(data)


def bomb() -> bytes:
    """200 MB of nothing where the table of contents should be."""
    return with_arrays((100 << 20).to_bytes(8, "little") + b" " * (200 << 20))


class Planted:
    def __reduce__(self):
        return (Path.touch, (Path("planted"),))


HOSTILE = {
    "empty": lambda: b"",
    "random": lambda: bytes(range(256)) * 9,
    "a web page": lambda: b"<!DOCTYPE html><html></html>",
    "truncated": lambda: small().to_bytes()[:900],
    "its last byte missing": lambda: small().to_bytes()[:-1],
    "a flipped byte": lambda: small().to_bytes()[:700] + b"\xff" + small().to_bytes()[701:],
    "a pickle": lambda: pickle.dumps(Planted()),
    "a pickle inside": lambda: packed({"trace.json": b"{}", "arrays.safetensors": pickle.dumps(Planted())}),
    "an array file that may pickle": lambda: packed({"trace.npy": b"", "arrays.npy": b""}),
    "one member too many": lambda: packed({"trace.json": b"{}", "arrays.safetensors": b"", "../../evil": b""}),
    "one member twice": lambda: doubled(),
    "another zip": lambda: packed({"word/document.xml": b""}),
    "a size that lies": lying_size,
    "a bomb": bomb,
    "a shape that lies": lying_shape,
    "no arrays": lambda: with_arrays(b""),
    "other arrays": lambda: with_arrays(save_arrays({"a": WEIGHT})),
    "a newer format": lambda: with_header(lambda h: h.update(format="visualizer-trace-9")),
    "a list for a header": lambda: with_header(lambda h: [h]),
    "no layers": lambda: with_header(lambda h: h.pop("layers") and None),
    "too many layers": lambda: with_header(lambda h: h.update(layers=h["layers"] * 9_000)),
    "nested too deep": lambda: packed({"trace.json": b"[" * 200_000, "arrays.safetensors": parts()[1]}),
    "words for layers": lambda: with_header(lambda h: h.update(layers=["input"])),
    "reads what is not there": lambda: with_header(layer(1, reads=["nothing"])),
    "reads itself": lambda: with_header(layer(1, reads=["fc"])),
    "two of one name": lambda: with_header(layer(1, name="input")),
    "a number for a name": lambda: with_header(layer(1, name=5)),
    "a number for a kind": lambda: with_header(layer(1, kind=None)),
    "numbers for axes": lambda: with_header(layer(1, axes=[7])),
    "a word for axes": lambda: with_header(layer(1, axes="u")),
    "too few axes": lambda: with_header(layer(2, axes=["unit"])),
    "an array that is not there": lambda: with_header(layer(1, output="9.output")),
    "a gradient of another shape": lambda: with_header(layer(1, gradient="0.output")),
    "a weight gradient of another shape": lambda: with_header(layer(1, weight_gradients={"weight": "0.output"})),
    "a gradient of no weight": lambda: with_header(layer(1, weight_gradients={"other": "0.output"})),
    "a sample with more fields": lambda: with_header(lambda h: h["sample"].update(run="rm")),
    "a word for a label": lambda: with_header(lambda h: h["sample"].update(label="four")),
    "a word for a loss": lambda: with_header(lambda h: h["objective"].update(value="low")),
    "a number for a title": lambda: with_header(lambda h: h.update(title=3)),
    "numbers for labels": lambda: with_header(lambda h: h.update(labels=[1, 2])),
    "a list for facts": lambda: with_header(lambda h: h.update(facts=[1])),
}


def doubled() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("trace.json", b"{}")
        archive.writestr("arrays.safetensors", b"")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("trace.json", b"{}")
    return buffer.getvalue()


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused_in_one_sentence(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "some.trace"
    path.write_bytes(HOSTILE[what]())
    with pytest.raises(Refused) as caught:
        load(path)
    words = str(caught.value)
    assert words.endswith(".")
    assert ". " not in words
    assert "\n" not in words
    assert "record" in words
    assert not (tmp_path / "planted").exists()


def test_a_missing_file_and_a_folder_are_refused_in_one_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "none.trace", tmp_path):
        with pytest.raises(Refused, match="There is no file"):
            load(path)


def test_a_file_larger_than_any_trace_is_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = small().save(tmp_path / "a.trace")
    monkeypatch.setattr(unpack, "MOST_NUMBERS", 100)
    whole = zipfile.ZipFile.read
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda archive, info: whole(archive, info) if "json" in info.filename
                        else pytest.fail("its numbers were read"))
    with pytest.raises(Refused, match="record a smaller"):
        load(path)
