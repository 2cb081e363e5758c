"""Sessions and pictures open where they were saved, however old; hostile ones are refused in one sentence."""

from __future__ import annotations

import io
import json
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from tests.toys import toy
from visualizer import export
from visualizer.scene import session
from visualizer.scene.picture import Focus, Look
from visualizer.scene.session import Session
from visualizer.scene.state import State, changed, from_json, packed, to_json, unpacked
from visualizer.trace import Refused

FIXTURES = Path(__file__).parent / "fixtures"
OLD = changed(State(), view="microscope", at="fc2.forward@0.5", focus=Focus("fc2", (7,)),
            look=Look(size=(620, 420), theme="dark", scope="network"))
"""Where the files in tests/fixtures were saved. They were written once and are never renewed."""
HERE = changed(State(), model="toy", sample="two", view="microscope", at="conv.forward@0.25",
               focus=Focus("conv", (1, 2, 3)))


def refusal(path) -> str:
    with pytest.raises(Refused) as caught:
        session.read(path)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def a_zip(path: Path, *members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


# --- files of older versions ----------------------------------------------------------------------------------------

def test_a_session_of_the_first_version_opens():
    found = session.read(FIXTURES / "version-1.session")
    assert (found.state, found.trace, found.weights) == (OLD, None, "")


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_a_picture_of_the_first_version_opens(suffix):
    words = export.state_in(FIXTURES / f"version-1.{suffix}")
    assert words is not None
    assert from_json(words) == OLD
    assert session.of_json(words).weights == ""


def test_a_session_in_the_form_of_this_version_opens_with_its_numbers():
    found = session.read(FIXTURES / "version-1-carried.session")
    assert found.state == HERE
    assert found.trace is not None
    np.testing.assert_array_equal(found.trace["conv"].output, toy()["conv"].output)
    np.testing.assert_array_equal(found.trace["conv"].gradient, toy()["conv"].gradient)


# --- there and back -------------------------------------------------------------------------------------------------

def test_a_session_carries_its_recording_to_the_byte(tmp_path):
    path = tmp_path / "a.session"
    path.write_bytes(session.to_bytes(HERE, toy()))
    found = session.read(path)
    assert (found.state, found.weights) == (HERE, toy().hashes["weights"])
    assert found.trace.digest == toy().digest
    assert session.to_bytes(HERE, toy()) == session.to_bytes(HERE, toy())


def test_a_session_without_a_recording_is_small_and_says_so(tmp_path):
    path = tmp_path / "a.session"
    path.write_bytes(session.to_bytes(HERE))
    assert path.stat().st_size < 2000
    assert session.read(path).trace is None


def test_a_drawing_travels_in_the_state(tmp_path):
    ink = np.zeros((112, 112), np.uint8)
    ink[20:90, 50:60] = 200
    state = changed(HERE, sample="drawn", drawing=packed(ink))
    np.testing.assert_array_equal(unpacked(from_json(to_json(state)).drawing), ink)
    assert len(state.drawing) < 400
    path = export.save(export.draw(toy(), at="conv.forward"), tmp_path / "a.png", state_json=to_json(state))
    np.testing.assert_array_equal(unpacked(from_json(export.state_in(path)).drawing), ink)


@pytest.mark.parametrize("drawing", ["", "x", "2x2:", "0x5:", "9999x9999:abc", "2x2:???", "-1x2:abc",
                                     packed(np.ones((3, 3), np.uint8)).replace("3x3", "4x4"),
                                     packed(np.ones((200, 200), np.uint8)).replace("200x200", "2x2")])
def test_what_is_no_drawing_is_refused(drawing):
    with pytest.raises(Refused):
        unpacked(drawing)


# --- other weights, other places ------------------------------------------------------------------------------------

def test_a_model_file_that_is_missing_is_named():
    found = session.of_json(to_json(changed(HERE, model="/gone/mine.safetensors"), "ab" * 32))
    sentence = session.lacking(found, model_known=False)
    assert "/gone/mine.safetensors" in sentence
    assert "abababab" in sentence
    assert session.lacking(found, model_known=True) == ""
    assert session.lacking(Session(HERE, toy()), model_known=False) == ""


def test_weights_that_are_others_now_are_noticed():
    digest = toy().hashes["weights"]
    assert session.other_weights(Session(HERE, None, digest), toy()) == ""
    assert session.other_weights(Session(HERE, None, ""), toy()) == ""
    sentence = session.other_weights(Session(HERE, None, "0" * 64), toy())
    assert "not those" in sentence
    assert digest[:12] in sentence


# --- bad input ------------------------------------------------------------------------------------------------------

def test_a_newer_version_is_one_sentence(tmp_path):
    newer = json.loads(to_json(HERE)) | {"version": 99}
    (tmp_path / "a.session").write_text(json.dumps(newer))
    assert "newer" in refusal(tmp_path / "a.session")
    a_zip(tmp_path / "b.session", ("session.json", json.dumps(newer).encode()), ("something new", b"1"))
    assert "newer" in refusal(tmp_path / "b.session")


@pytest.mark.parametrize("members", [
    (("other.json", b"{}"),),
    (("session.json", to_json(HERE).encode()), ("../../evil", b"x")),
    (("session.json", to_json(HERE).encode()), ("recording.trace", b"no trace")),
    (("session.json", b"\xff\xfe"),),
    (("session.json", b"[" * 100_000),),
])
def test_a_zip_that_is_no_session_is_refused(members, tmp_path):
    refusal(a_zip(tmp_path / "a.session", *members))


def test_a_member_given_twice_is_refused(tmp_path):
    path = tmp_path / "a.session"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("session.json", to_json(HERE))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("session.json", to_json(HERE))
    refusal(path)


def test_what_would_unpack_to_far_more_than_it_is_is_refused(tmp_path):
    path = a_zip(tmp_path / "a.session", ("session.json", to_json(HERE).encode()),
                 ("recording.trace", bytes(8 << 20)))
    assert path.stat().st_size < 20_000
    assert "unpack" in refusal(path)
    refusal(a_zip(tmp_path / "b.session", ("session.json", b" " * (2 << 20))))


def test_damage_anywhere_is_one_sentence_or_nothing_worse(tmp_path):
    whole = session.to_bytes(HERE, toy())
    rng = np.random.default_rng(3)
    path = tmp_path / "a.session"
    for cut in rng.integers(0, len(whole), 30):
        path.write_bytes(whole[:cut])
        refusal(path)
    for _ in range(40):
        changed = bytearray(whole)
        for at in rng.integers(0, len(whole), 8):
            changed[at] = rng.integers(0, 256)
        path.write_bytes(bytes(changed))
        with suppress(Refused):  # and nothing else
            session.read(path)


@pytest.mark.parametrize("change", [
    {"at": 5}, {"look": {"size": [1]}}, {"look": {"size": [0, 5]}}, {"view": None},
    {"look": {"text_scale": 1e9}}, {"look": {"knobs": [["a"]]}}, {"look": {"knobs": 3}}, {"focus": {"layer": 3}},
    {"focus": {"layer": "conv", "cell": ["x"]}}, {"look": "big"}, {"look": {"size": [1e300, 1]}},
])
def test_a_place_with_values_of_another_kind_is_refused(change):
    """In the first version the fields of the one place were those of the State."""
    plain = json.loads(to_json(HERE))
    plain["places"][0] |= change
    for text in (json.dumps(plain), json.dumps({"version": 1} | change)):
        with pytest.raises(Refused, match="cannot be read"):
            from_json(text)


@pytest.mark.parametrize("change", [
    {"speed": "fast"}, {"playing": "yes"}, {"speed": 0}, {"places": []}, {"active": 1}, {"active": -1},
    {"active": True},
    {"places": [{}] * 9}, {"places": 3}, {"places": [3]}, {"left": [{"kind": "dream"}]}, {"left": ["lab"]},
    {"places": [{"recipe": {"kind": "model", "model": 3}}]}, {"places": [{"recipe": {"kind": "model", "edits": [1]}}]},
    {"places": [{"recipe": {"kind": "model", "edits": "untrained"}}]}, {"places": [{"recipe": {}}]},
    {"places": [{"recipe": {"kind": "lab", "knobs": [["gain"]]}}]}, {"places": [{"recipe": "lab"}]},
])
def test_a_state_with_values_of_another_kind_is_refused(change):
    with pytest.raises(Refused, match="cannot be read"):
        from_json(json.dumps(json.loads(to_json(HERE)) | change))


@pytest.mark.parametrize("change", [
    {"model": 3}, {"sample": None}, {"drawing": 1}, {"objective": []}, {"interventions": [1]}, {"interventions": "no"},
    {"model": "lab", "look": {"knobs": [["gain", 1]]}}, {"interventions": None},
])
def test_a_first_state_with_values_of_another_kind_is_refused(change):
    with pytest.raises(Refused, match="cannot be read"):
        from_json(json.dumps({"version": 1} | change))


def test_long_files_are_not_read(tmp_path):
    path = tmp_path / "a.session"
    path.write_bytes(b"{" + b" " * (2 << 20))
    assert "too long" in refusal(path)
    assert "no file" in refusal(tmp_path / "none.session")


def test_reading_follows_no_names_out_of_the_file(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("session.json", to_json(HERE))
        archive.writestr("recording.trace/../../x", b"")
    (tmp_path / "a.session").write_bytes(buffer.getvalue())
    refusal(tmp_path / "a.session")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.session"]
