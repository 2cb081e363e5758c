"""Files that somebody made to do harm, or that were damaged on their way: 350, of every kind that opens.

`written(folder, names)` writes them one after the other. Whoever opens one says one
sentence, in under five seconds and half a gigabyte, runs nothing that lies in it, and shows no traceback. A file that
would run something writes `MARK`.
"""

from __future__ import annotations

import io
import json
import math
import pickle
import random
import struct
import wave
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests" / "fixtures"
MARK = "visualizer-was-run"
Made = Iterator[tuple[str, Callable[[], bytes]]]
"""Names, and what makes the contents: to be called before the next one is asked for."""


def listed() -> list[str]:
    """The names of all."""
    return [name for name, _ in _named()]


def written(folder: Path, wanted: Iterable[str]) -> Iterator[Path]:
    """Those of these names, one after the other; each is gone when the next one is asked for."""
    names = set(wanted)
    for name, content in _named():
        if name in names:
            path = folder / name
            path.write_bytes(content())
            yield path
            path.unlink(missing_ok=True)


def _named() -> Made:
    for kind in KINDS:
        for number, (name, content) in enumerate(kind()):
            yield f"{kind.__name__}_{number:02d}_{name}", content


# --- damaged copies of real files -----------------------------------------------------------------------------------

REAL = ("tests/fixtures/version-1/small-cnn.trace", "tests/fixtures/version-1/with-recording.session",
        "tests/fixtures/version-1/bare.session", "tests/fixtures/version-1/laboratory.pdf",
        "tests/fixtures/version-1/answers.apng", "tests/fixtures/version-1/strip.webp",
        "tests/fixtures/version-1/cliff.webm", "tests/fixtures/version-1/own-weights.safetensors")


def damaged() -> Made:
    """Cut off, with bits turned, with zeros inside, twice in a row, with another ending: ten of each real file."""
    draw = random.Random(0)
    for real in REAL:
        whole, path = (ROOT / real).read_bytes(), Path(real)
        ways: list[Callable[[bytes], bytes]] = [
            lambda data: data[:len(data) // 2], lambda data: data[:-1], lambda data: data[:9],
            lambda data: data[len(data) // 3:], lambda data: data + data, lambda data: b"",
            lambda data: _turned(data, draw, 1), lambda data: _turned(data, draw, 40),
            lambda data: data[:100] + bytes(200) + data[300:], lambda data: data.replace(b"0", b"9", 30)]
        for number, way in enumerate(ways):
            yield f"{number}{path.suffix}", lambda: way(whole)


def _turned(data: bytes, draw: random.Random, count: int) -> bytes:
    found = bytearray(data)
    for _ in range(count):
        found[draw.randrange(len(found))] ^= 1 << draw.randrange(8)
    return bytes(found)


# --- recordings -----------------------------------------------------------------------------------------------------

def packed(header: object, arrays: bytes = b"", method: int = zipfile.ZIP_DEFLATED, **more: bytes) -> bytes:
    """A zip as a recording is one."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return zipped({"trace.json": text, "arrays.safetensors": arrays or safe({}), **more}, method)


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def safe(about: dict, body: bytes = b"", length: int | None = None) -> bytes:
    text = json.dumps(about).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def header_of(name: str = "small-cnn.trace") -> dict:
    with zipfile.ZipFile(FIXTURES / "version-1" / name) as archive:
        return json.loads(archive.read("trace.json"))


def arrays_of(name: str = "small-cnn.trace") -> bytes:
    with zipfile.ZipFile(FIXTURES / "version-1" / name) as archive:
        return archive.read("arrays.safetensors")


def layer(name: str, reads: list[str], kind: str = "relu") -> dict:
    return {"name": name, "kind": kind, "axes": ["unit"], "settings": {}, "reads": reads, "why": "", "output": "a",
            "weights": {}, "weight_gradients": {}, "inner": {}, "inner_gradients": {}}


def chain(count: int, joined: int = 1, kind: str = "relu") -> bytes:
    """So many layers, each of which reads those before it."""
    one = safe({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, bytes(8))
    layers = [layer(f"l{index}", [f"l{before}" for before in range(max(0, index - joined), index)],
                    kind if index else "input") for index in range(count)]
    return packed({**header_of(), "layers": layers, "fed": [], "answers": [], "studies": {}}, one)


def bomb_zeros() -> bytes:
    """Numbers that are all zero: 3 GB of them in 3 MB; written by hand, without ever being in memory."""
    about = json.dumps({"a": {"dtype": "F32", "shape": [1 << 28], "data_offsets": [0, 1 << 30]}}).encode()
    arrays = _deflated_again(struct.pack("<Q", len(about)) + about, bytes(1 << 22), 256, b"")
    return _raw_zip([("trace.json", *_deflated(b"{}")), ("arrays.safetensors", *arrays)])


def bomb_words() -> bytes:
    """1.5 GB of JSON in 1.5 MB."""
    text = _deflated_again(b"[", b"[]," * (1 << 20), 480, b"0]")
    return _raw_zip([("trace.json", *text), ("arrays.safetensors", *_deflated(safe({})))])


def _deflated(data: bytes) -> tuple[bytes, int, int]:
    maker = zlib.compressobj(9, zlib.DEFLATED, -15)
    return maker.compress(data) + maker.flush(), len(data), zlib.crc32(data)


def _deflated_again(first: bytes, part: bytes, count: int, last: bytes) -> tuple[bytes, int, int]:
    """The same of `first + count * part + last`, of which `part` is packed once."""
    def block(data: bytes) -> bytes:
        maker = zlib.compressobj(9, zlib.DEFLATED, -15)
        return maker.compress(data) + maker.flush(zlib.Z_FULL_FLUSH)  # nothing refers to what came before

    check = zlib.crc32(first)
    for _ in range(count):
        check = zlib.crc32(part, check)
    ended, length, _ = _deflated(last)
    return block(first) + block(part) * count + ended, len(first) + count * len(part) + length, zlib.crc32(last, check)


def _raw_zip(members: list[tuple[str, bytes, int, int]], said: int | None = None) -> bytes:
    """A zip of packed members, with sizes as they are said to be."""
    found, listed = b"", b""
    for name, body, size, check in members:
        size = size if said is None else said
        local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 8, 0, 33, check, len(body), size, len(name), 0)
        listed += struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 8, 0, 33, check, len(body), size, len(name), 0, 0, 0,
                              0, 0, len(found)) + name.encode()
        found += local + name.encode() + body
    return found + listed + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, len(members), len(members), len(listed),
                                        len(found), 0)


def many_members(count: int, name: str = "trace.json") -> bytes:
    """A zip that lists so many members, all of them empty."""
    entry = [struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 33, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0)
             + name.encode()]
    listed = b"".join(entry * count)
    return listed + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, min(count, 65535), min(count, 65535), len(listed), 0, 0)


def recordings() -> Made:
    good, arrays = header_of(), arrays_of()
    first = good["layers"][0]
    yield "zeros.trace", lambda: bomb_zeros()
    yield "words.trace", lambda: bomb_words()
    yield "members.trace", lambda: many_members(300_000)
    yield "members-inside.trace", lambda: zipped({f"m{index}": b"" for index in range(5000)})
    yield "chain.trace", lambda: chain(19_999)
    yield "long-chain.trace", lambda: chain(4_999)
    yield "views.trace", lambda: chain(3_000, 1, "view")
    yield "joined.trace", lambda: chain(1_500, 400)
    yield "labels.trace", lambda: packed({**good, "labels": ["x" * 20_000_000]}, arrays)
    yield "many-labels.trace", lambda: packed({**good, "labels": ["x"] * 2_000_000}, arrays)
    yield "long-name.trace", lambda: packed({**good, "model": "m" * 1_000_000}, arrays)
    yield "deep.trace", lambda: packed(b"[" * 3_000_000 + b"]" * 3_000_000)
    yield "deep-settings.trace", \
        lambda: packed(json.dumps(good).replace('"settings": {}', '"settings": {"a": ' + "[" * 900
                                                                 + "]" * 900 + "}", 1).encode(), arrays)
    yield "number.trace", \
        lambda: packed(json.dumps(good).encode().replace(b'"seed": 0', b'"seed": ' + b"9" * 100_000), arrays)
    yield "nan.trace", lambda: packed({**good, "seed": float("nan")}, arrays)
    yield "infinite.trace", lambda: packed({**good, "objective": {**good["objective"], "value": float("inf")}}, arrays)
    yield "shape.trace", \
        lambda: packed(good, safe({"a": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 4]}}, b"1234"))
    yield "negative.trace", \
        lambda: packed(good, safe({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [4, 0]}}, b"1234"))
    yield "outside.trace", lambda: packed(good, safe({"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 36]}}))
    yield "list.trace", lambda: packed(good, safe({}, length=1 << 60))
    yield "listed.trace", lambda: packed(good, safe({f"a{index}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
                                             for index in range(200_000)}))
    yield "dims.trace", \
        lambda: packed(good, safe({"a": {"dtype": "F32", "shape": [1] * 100, "data_offsets": [0, 4]}}, b"1234"))
    yield "dtype.trace", \
        lambda: packed(good, safe({"a": {"dtype": "O", "shape": [1], "data_offsets": [0, 8]}}, bytes(8)))
    yield "object.trace", lambda: packed(good, safe({"a": [1]}))
    yield "missing.trace", lambda: packed(good)
    yield "itself.trace", lambda: packed({**good, "layers": [{**first, "reads": [first["name"]]}]}, arrays)
    yield "twice.trace", lambda: packed({**good, "layers": [first, first]}, arrays)
    yield "unknown.trace", lambda: packed({**good, "layers": [{**first, "reads": ["nobody"]}]}, arrays)
    yield "axes.trace", lambda: packed({**good, "layers": [{**first, "axes": ["row"] * 9}]}, arrays)
    yield "words-for-lists.trace", lambda: packed({**good, "labels": "abc"}, arrays)
    yield "null.trace", lambda: packed(dict.fromkeys(good), arrays)
    yield "none.trace", lambda: packed([], arrays)
    yield "format.trace", lambda: packed({**good, "format": "visualizer-trace-99"}, arrays)
    yield "bzip2.trace", lambda: packed(good, arrays, zipfile.ZIP_BZIP2)
    yield "lzma.trace", lambda: packed(good, arrays, zipfile.ZIP_LZMA)
    yield "lies.trace", lambda: _raw_zip([("trace.json", *_deflated(b"0" * 1_000_000)), ("arrays.safetensors",
                                                                              *_deflated(safe({})))], 10)
    yield "slip.trace", lambda: zipped({"../../trace.json": b"{}", "/etc/passwd": b""})
    yield "empty.trace", lambda: b""
    yield "head.trace", lambda: b"PK\5\6" + bytes(18)
    yield "text.trace", lambda: b"hello"
    for number, kind in enumerate(("lstm", "conv2d", "softmax", "max_pool2d", "embedding", "cross_entropy", "linear",
                                   "batch_norm", "attention", "ctc_loss")):
        yield f"kind{number}.trace", lambda: packed({**good, "layers": [{**entry, "kind": kind if entry["reads"] else
                                                                 entry["kind"]} for entry in good["layers"]]}, arrays)


# --- sessions -------------------------------------------------------------------------------------------------------

def sessions() -> Made:
    state = json.loads((FIXTURES / "version-1" / "bare.session").read_text("utf-8")) \
        if not (FIXTURES / "version-1" / "bare.session").read_bytes().startswith(b"PK") else {"version": 1}
    now = {"version": 2, "places": [{"recipe": {"model": "digits_cnn"}, "view": "network"}]}

    def place(**changes: object) -> bytes:
        return json.dumps({**now, "places": [{**now["places"][0], **changes}]}).encode()

    yield "view.session", lambda: place(view="nothing")
    yield "theme.session", lambda: place(look={"theme": "nothing"})
    yield "size.session", lambda: place(look={"size": [10 ** 9, 1]})
    yield "scale.session", lambda: place(look={"text_scale": 1e300})
    yield "knobs.session", lambda: place(look={"knobs": [["a"]]})
    yield "many-knobs.session", lambda: place(look={"knobs": [["k", "w"]] * 50_000})
    yield "focus.session", lambda: place(focus={"layer": "conv1", "cell": [10 ** 30, -1]})
    yield "focus-array.session", lambda: place(focus={"layer": "conv1", "cell": [0], "array": "__class__"})
    yield "at.session", lambda: place(at="conv1.forward@1e999")
    yield "long-at.session", lambda: place(at="x" * 900_000)
    yield "model.session", lambda: place(recipe={"model": "../../../../etc/passwd"})
    yield "device.session", lambda: place(recipe={"model": "/dev/zero"})
    yield "null.session", lambda: place(recipe={"model": "a\0b"})
    yield "sample.session", lambda: place(recipe={"model": "digits_cnn", "inputs": ["/dev/zero"]})
    yield "python.session", lambda: place(recipe={"model": f"__import__('os').system('touch {MARK}')"})
    yield "places.session", lambda: json.dumps({**now, "places": now["places"] * 10_000}).encode()
    yield "no-places.session", lambda: json.dumps({**now, "places": []}).encode()
    yield "active.session", lambda: json.dumps({**now, "active": 7}).encode()
    yield "version.session", lambda: json.dumps({**now, "version": 10 ** 40}).encode()
    yield "old.session", lambda: json.dumps({**state, "version": -1}).encode()
    yield "speed.session", lambda: json.dumps({**now, "speed": 1e308}).encode()
    yield "strokes.session", lambda: json.dumps({**now, "strokes": [["a", [[float("nan"), 1]]]]}).encode()
    yield "pad.session", lambda: json.dumps({**now, "pad": "9999999x9999999:abc"}).encode()
    yield "reel.session", lambda: place(reel=["a/b", "c"])
    yield "over.session", lambda: place(over="inputs:" + "a" * 5000)
    yield "deep.session", lambda: b'{"version":' + b"[" * 400_000
    yield "nan.session", lambda: b"NaN"
    yield "bytes.session", lambda: bytes(range(256)) * 20
    yield "large.session", lambda: b" " * (2 << 20)
    yield "zip.session", lambda: zipped({"session.json": place(), "other": b""})
    yield "bomb.session", lambda: zipped({"session.json": place(), "recording.trace": bytes(300_000_000)})
    yield "trace-in-it.session", lambda: zipped({"session.json": place(), "recording.trace": b"no"})
    yield "members.session", lambda: many_members(200_000, "session.json")


# --- weights --------------------------------------------------------------------------------------------------------

class Runs:
    """Something that runs where it is unpickled without care."""

    def __reduce__(self) -> tuple[object, ...]:
        import os

        return os.system, (f"touch {MARK}",)


def weights() -> Made:
    evil = pickle.dumps({"conv1.weight": Runs()})
    yield "plain.pt", lambda: evil
    yield "zip.pt", lambda: zipped({"a/data.pkl": evil, "a/version": b"3"}, zipfile.ZIP_STORED)
    yield "packed.pt", lambda: zipped({"a/data.pkl": evil, "a/version": b"3"})
    yield "script.pt", \
        lambda: zipped({"a/data.pkl": evil, "a/constants.pkl": evil, "a/code/x.py": b"1"}, zipfile.ZIP_STORED)
    yield "members.pt", lambda: many_members(400_000, "a/data.pkl")
    yield "parts.pt", lambda: zipped({f"a/data/{index}": b"" for index in range(21_000)} | {"a/data.pkl": evil},
                             zipfile.ZIP_STORED)
    yield "tar.pt", lambda: b"x" * 257 + b"ustar" + bytes(600)
    yield "cut.pth", lambda: evil[:20]
    yield "empty.pth", lambda: b""
    yield "global.pt", \
        lambda: zipped({"a/data.pkl": b"cbuiltins\neval\n(S'1'\ntR.", "a/version": b"3"}, zipfile.ZIP_STORED)
    yield "deep.pt", lambda: zipped({"a/data.pkl": b"(" * 500_000 + b".", "a/version": b"3"}, zipfile.ZIP_STORED)
    yield "lfs.pt", lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    yield "html.pt", lambda: b"<!DOCTYPE html><html>404</html>"
    yield "head.safetensors", lambda: struct.pack("<Q", 1 << 62) + b"{"
    yield "short.safetensors", lambda: struct.pack("<Q", 2) + b"{}"
    yield "shape.safetensors", \
        lambda: safe({"w": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 4]}}, bytes(4))
    yield "outside.safetensors", lambda: safe({"w": {"dtype": "F32", "shape": [9], "data_offsets": [0, 36]}})
    yield "overlap.safetensors", lambda: safe({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
                                       "v": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(4))
    yield "names.safetensors", lambda: safe({f"w{index}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
                                     for index in range(100_000)})
    yield "meta.safetensors", lambda: safe({"__metadata__": {"model": "x" * 1_000_000}})
    yield "card.safetensors", lambda: safe({"__metadata__": {"model": "digits_cnn", "labels": "[" * 100_000}})
    yield "evil-name.safetensors", lambda: safe({"__metadata__": {"model": "../../evil"}})
    yield "list.safetensors", lambda: struct.pack("<Q", 4) + b"[1] "
    # of torch before 1.6: pickles one behind the other, and the numbers after them
    yield "old.pth", lambda: old_file(old_tensor(4), b"]q\0X\1\0\0\x000q\1a.", bytes(16))
    yield "old-claims.pth", lambda: old_file(old_tensor(1 << 40))
    yield "old-large.pth", lambda: old_file(old_tensor((1 << 31) - 1))
    yield "old-many.pth", lambda: old_file(b"}" + b"".join(
        b"X" + struct.pack("<I", len(name)) + name + old_tensor(900_000, name) + b"s"
        for name in (str(number).encode() for number in range(3000))))
    yield "old-repeats.pth", lambda: old_file(old_tensor(4, sizes=(1 << 20, 1 << 20), strides=(0, 0)),
                                               b"]q\0X\1\0\0\x000q\1a.", bytes(16))
    yield "old-runs.pth", lambda: old_file(evil[2:-1])
    yield "old-runs-later.pth", lambda: old_file(old_tensor(4), evil[2:])
    yield "old-runs-first.pth", lambda: OLD + evil + old_file(old_tensor(4))[len(OLD):]
    yield "old-steps.pth", lambda: old_file(b"(" * 9_000_000)
    yield "old-global.pth", lambda: old_file(b"cbuiltins\neval\n(S'1'\ntR")
    yield "old-module.pth", lambda: old_file(b"(X\6\0\0\0modulecbuiltins\nset\nX\1\0\0\0aX\1\0\0\0btQ")
    yield "old-hidden.pth", lambda: old_file(b"N(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\x000X\3\0\0\0cpu"
                                             b"\x8a\6\0\0\0\0\0\1q\x09N0h\x09NtQ")
    yield "old-number.pth", lambda: old_file(b"\x8b" + struct.pack("<i", 50_000_000) + b"\xff" * 50_000_000)
    yield "old-words.pth", lambda: old_file(b"I" + b"9" * 5_000_000 + b"\n")
    yield "old-tar.pth", lambda: b"storages".ljust(257, b"\0") + b"ustar" + bytes(600)
    yield "inside-itself.pth", lambda: old_file(b"}q\1X\1\0\0\0ah\1s")
    yield "many-ways.pth", lambda: old_file(b"}q\0" + b"".join(
        b"}X\1\0\0\0ah" + bytes([place]) + b"sX\1\0\0\0bh" + bytes([place]) + b"sq" + bytes([place + 1])
        for place in range(60)))
    yield "steps.pt", lambda: zipped({"a/data.pkl": b"\x80\x02" + b"(" * 30_000_000 + b".", "a/version": b"3"},
                                     zipfile.ZIP_STORED)
    # arrays of numpy
    yield "packed.npz", lambda: zipped({"a.npy": npy((1 << 27,)) + bytes(1 << 29)})
    yield "claims.npz", lambda: zipped({"a.npy": npy((1 << 40,)) + bytes(64)})
    yield "wide.npz", lambda: zipped({"a.npy": npy((1,) * 60) + bytes(64)})
    yield "objects.npz", lambda: zipped({"a.npy": npy((1,), "|O") + evil})
    yield "fields.npz", lambda: zipped({"a.npy": b"\x93NUMPY\1\0\x60\0" + (
        b"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}".ljust(95) + b"\n") + bytes(4)})
    yield "header.npz", lambda: zipped({"a.npy": b"\x93NUMPY\1\0\xff\xff" + b"(" * 65_535})
    yield "code.npz", lambda: zipped({"a.npy": b"\x93NUMPY\1\0\x60\0" + (
        f"__import__('os').system('touch {MARK}')".encode().ljust(95) + b"\n")})
    yield "negative.npz", lambda: zipped({"a.npy": npy((-4, -4)) + bytes(64)})
    yield "many.npz", lambda: zipped({f"a{index}.npy": npy((1,)) + bytes(4) for index in range(30_000)})
    yield "alike.npz", lambda: zipped({f"a{index}.npy": npy((4, 4)) + bytes(64) for index in range(500)})
    # names and shapes that a wiring is proposed from
    for number, names in enumerate((
            ("forward.weight", "training.bias", "_modules.weight", "__class__.weight"), (".", "..", ".weight", "a..b"),
            ("a" * 60_000 + ".weight",), (".".join("a" * 900) + ".weight",), ("lines.weight", "paths.weight"),
            ("a.weight", "a.b.weight", "a.b.c.weight"), ("\u202e.weight", "a\nb.weight", "a`b.weight"))):
        yield f"names{number}.safetensors", lambda names=names: safe(
            {name: {"dtype": "F32", "shape": [2, 2], "data_offsets": [16 * place, 16 * place + 16]}
             for place, name in enumerate(names)}, bytes(16 * len(names)))
    yield "rows.safetensors", lambda: safe(
        {f"a{place}.weight": {"dtype": "F32", "shape": [4, 4, 3, 3], "data_offsets": [576 * place, 576 * place + 576]}
         for place in range(590)}, bytes(576 * 590))
    yield "wide.safetensors", lambda: safe(
        {f"a{place}.weight": {"dtype": "F32", "shape": [1 << 20, 1, 1, 1],
                              "data_offsets": [place << 22, (place + 1) << 22]} for place in range(3)}, bytes(3 << 22))
    yield "maps.safetensors", lambda: safe(
        {"conv1.weight": {"dtype": "F32", "shape": [1 << 18, 3, 5, 5], "data_offsets": [0, 75 << 20]}}, bytes(75 << 20))
    yield "levels.safetensors", lambda: safe(
        {f"a.{kind}_l{level}": {"dtype": "F32", "shape": [4, 1], "data_offsets": [16 * place, 16 * place + 16]}
         for place, (kind, level) in enumerate((kind, level) for level in (*range(300), 99_999_999)
                                               for kind in ("weight_ih", "weight_hh"))}, bytes(16 * 602))
    yield "keras.h5", lambda: b"\x89HDF\r\n\x1a\n" + bytes(100)
    yield "model.onnx", lambda: b"\x08\x07" + bytes(50)
    yield "model.pkl", lambda: evil
    yield "model.py", lambda: f"import os; os.system('touch {MARK}')".encode()


OLD = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."


def old_file(held: bytes, keys: bytes = b"].", numbers: bytes = b"") -> bytes:
    """A file of torch before 1.6: a number, its version, of which machine; what it holds, which numbers follow."""
    return OLD + b"\x80\x02M\xe9\x03." + b"\x80\x02}." + b"\x80\x02" + held + b"." + b"\x80\x02" + keys + (
        struct.pack("<q", len(numbers) // 4) + numbers if numbers else b"")


def old_tensor(count: int, key: bytes = b"0", sizes: tuple[int, ...] = (4,), strides: tuple[int, ...] = (1,)) -> bytes:
    """The steps that make a tensor of a piece of storage of so many numbers."""
    def whole(number: int) -> bytes:
        return b"J" + struct.pack("<i", number) if number < 1 << 31 else b"\x8a\x08" + struct.pack("<q", number)

    return (b"ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\nX"
            + struct.pack("<I", len(key)) + key + b"X\3\0\0\0cpu" + whole(count) + b"NtQK\0("
            + b"".join(map(whole, sizes)) + b"t(" + b"".join(map(whole, strides))
            + b"t\x89ccollections\nOrderedDict\n)RtR")


def npy(shape: tuple[int, ...], kind: str = "<f4") -> bytes:
    """The header of an array of numpy."""
    words = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(words) + 1) + words + b"\n"


# --- programs of torch.export ---------------------------------------------------------------------------------------

def exported_words(steps: list[dict] | None = None, **more: object) -> dict:
    """A program of one convolution, as torch.export writes it, by hand: these tests go without torch."""
    def tensor(name: str) -> dict:
        return {"as_tensor": {"name": name}}

    def meta(*sizes: int) -> dict:
        strides = [math.prod(sizes[place + 1:]) for place in range(len(sizes))]
        return {"dtype": 7, "sizes": [{"as_int": size} for size in sizes], "requires_grad": False, "layout": 7,
                "device": {"type": "cpu", "index": None}, "strides": [{"as_int": each} for each in strides],
                "storage_offset": {"as_int": 0}}

    convolve = step("torch.ops.aten.conv2d.default", "made", input=tensor("x"), weight=tensor("w"))
    graph = {"inputs": [tensor("w"), tensor("x")], "outputs": [tensor("made")],
             "nodes": [convolve] if steps is None else steps,
             "tensor_values": {"x": meta(1, 1, 9, 9), "w": meta(2, 1, 3, 3), "made": meta(1, 2, 7, 7)},
             "sym_int_values": {}, "sym_bool_values": {}, "sym_float_values": {}, "custom_obj_values": {},
             "is_single_tensor_return": False}
    signature = {"input_specs": [{"parameter": {"arg": {"name": "w"}, "parameter_name": "conv.weight"}},
                                 {"user_input": {"arg": tensor("x")}}],
                 "output_specs": [{"user_output": {"arg": tensor("made")}}]}
    return {"graph_module": {"graph": graph, "signature": signature, "module_call_graph": [], "metadata": {}},
            "opset_version": {"aten": 10}, "range_constraints": {}, "schema_version": {"major": 8, "minor": 20},
            "torch_version": "2.13.0", "verifiers": [], "guards_code": [], **more}


def step(target: str, made: str, **given: object) -> dict:
    return {"target": target, "inputs": [{"name": name, "arg": each, "kind": 1} for name, each in given.items()],
            "outputs": [{"as_tensor": {"name": made}}],
            "metadata": {"nn_module_stack": "L__self__,,Net;L__self___conv,conv,torch.nn.modules.conv.Conv2d"}}


def weight(raw: int = 72, **changes: object) -> tuple[dict, bytes]:
    """The list of weights, and the bytes of the only one."""
    meta = exported_words()["graph_module"]["graph"]["tensor_values"]["w"]
    told = {"path_name": "weight_0", "is_param": True, "use_pickle": False,
            "tensor_meta": {**meta, **changes.pop("meta", {})}, **changes}  # type: ignore[dict-item]
    return {"config": {"conv.weight": told}}, bytes(raw)


def archived(words: object, listed: object = None, raw: bytes = b"", method: int = zipfile.ZIP_STORED,
             without: str = "", **more: bytes) -> bytes:
    """The zip of torch.export.save."""
    usual, numbers = weight()
    members = {"m/archive_format": b"pt2", "m/archive_version": b"0", "m/byteorder": b"little",
               "m/models/model.json": words if isinstance(words, bytes) else json.dumps(words).encode(),
               "m/data/weights/model_weights_config.json": json.dumps(listed or usual).encode(),
               "m/data/weights/weight_0": raw or numbers,
               "m/data/constants/model_constants_config.json": b'{"config": {}}',
               **{f"m/{name.replace('__', '/')}": content for name, content in more.items()}}
    return zipped({name: content for name, content in members.items() if not without or without not in name}, method)


ANSWER = '[{"as_tensor": {"name": "made"}}]'


def exported() -> Made:
    def named(name: str) -> dict:
        return {"as_tensor": {"name": name}}

    def aten(name: str, made: str, **given: object) -> dict:
        return step(f"torch.ops.aten.{name}", made, **given)

    def ints(*sizes: int) -> dict:
        return {"as_ints": list(sizes)}

    def program(*steps: dict, **more: object) -> bytes:
        return archived(exported_words(list(steps), **more))

    def lying(raw: int = 72, **changes: object) -> bytes:
        return archived(exported_words(), *weight(raw, **changes))

    def sizes(*numbers: object) -> dict:
        return {"meta": {"sizes": [{"as_int": each} for each in numbers]}}

    def bent(old: str, new: str) -> bytes:
        return archived(json.dumps(exported_words()).replace(old, new, 1).encode())

    evil = pickle.dumps(Runs())
    code = f"__import__('os').system('touch {MARK}')"
    yield "whole.pt2", lambda: archived(exported_words())
    # counts that are wrong
    yield "no-steps.pt2", lambda: program()
    yield "no-models.pt2", lambda: archived(exported_words(), without="models/")
    yield "two-models.pt2", lambda: archived(exported_words(), models__other_json=b"{}", **{"models__two.json": b"{}"})
    yield "no-outputs.pt2", lambda: bent(f'"outputs": {ANSWER}, "nodes"', '"outputs": [], "nodes"')
    yield "more-outputs.pt2", lambda: bent(
        f'"outputs": {ANSWER}, "metadata"',
        '"outputs": [{"as_tensors": [{"name": "made"}, {"name": "b"}]}], "metadata"')
    yield "many-steps.pt2", lambda: program(*[aten("relu.default", f"r{place}", self=named("x"))
                                              for place in range(40_000)])
    yield "long.pt2", lambda: program(*[aten("relu.default", "made", self=named("x")) for _ in range(9_000)])
    yield "long-of-sines.pt2", lambda: program(*[aten("sin.default", "made", self=named("x")) for _ in range(3_900)])
    yield "not-made.pt2", lambda: program(aten("relu.default", "other", self=named("x")))
    yield "not-there.pt2", lambda: program(aten("relu.default", "made",
                                                self=named("nobody")))
    yield "nothing-read.pt2", lambda: program(aten("relu.default", "made"))
    yield "values.pt2", lambda: archived({**exported_words(), "range_constraints": {
        f"s{place}": {"min_val": 0, "max_val": 9} for place in range(200_000)}})
    # shapes that lie
    yield "shape.pt2", lambda: lying(**sizes(1 << 30, 1, 3, 3))
    yield "shape-40.pt2", lambda: lying(**sizes(1 << 40, 1 << 40, 3, 3))
    yield "negative.pt2", lambda: lying(**sizes(-2, 1, 3, 3))
    yield "words-for-sizes.pt2", lambda: lying(**sizes("2", "1", "3", "3"))
    yield "true-sizes.pt2", lambda: lying(**sizes(True, True, True, True))
    yield "strides-of-0.pt2", lambda: lying(meta={"strides": [{"as_int": 0}] * 4,
                                                  "sizes": [{"as_int": 100_000}] * 2 + [{"as_int": 3}] * 2})
    yield "strides-outside.pt2", lambda: lying(meta={"strides": [{"as_int": 1 << 30}] * 4})
    yield "offset.pt2", lambda: lying(meta={"storage_offset": {"as_int": 1 << 39}})
    yield "offset-before.pt2", lambda: lying(meta={"storage_offset": {"as_int": -9}})
    yield "expression.pt2", lambda: lying(meta={"sizes": [{"as_expr": {"expr_str": code, "hint": None}}] * 4})
    yield "axes.pt2", lambda: lying(meta={"sizes": [{"as_int": 1}] * 70, "strides": [{"as_int": 1}] * 70})
    yield "other-shape.pt2", lambda: lying(**sizes(1, 2, 3, 3))
    yield "half-a-number.pt2", lambda: lying(71)
    yield "type.pt2", lambda: lying(meta={"dtype": 99})
    yield "sparse.pt2", lambda: lying(meta={"layout": 1})
    yield "no-numbers.pt2", lambda: archived(exported_words(), without="weight_0")
    yield "no-list.pt2", lambda: archived(exported_words(), without="weights_config")
    yield "list.pt2", lambda: archived(exported_words(), {"config": [1]})
    yield "up.pt2", lambda: lying(path_name="../models/model.json")
    yield "other-input.pt2", lambda: bent('{"as_int": 9}, {"as_int": 9}', '{"as_int": 2}, {"as_int": 2}')
    yield "huge-input.pt2", lambda: bent('{"as_int": 9}, {"as_int": 9}', '{"as_int": 2000000}, {"as_int": 2000000}')
    # what would be made of them
    yield "full.pt2", lambda: program(aten("full.default", "made", size=ints(1 << 40),
                                           fill_value={"as_float": 0.0}))
    yield "zeros.pt2", lambda: program(aten("zeros.default", "made", size=ints(1 << 20, 1 << 14)))
    yield "expand.pt2", lambda: program(aten("expand.default", "large", self=named("x"),
                                             size=ints(99_999, 1, 9, 9)),
                                        aten("clone.default", "made", self=named("large")))
    yield "repeat.pt2", lambda: program(aten("repeat.default", "made", self=named("x"), repeats=ints(9999, 9999, 1, 1)))
    yield "pad.pt2", lambda: program(aten("constant_pad_nd.default", "made", self=named("x"),
                                          pad=ints(1 << 30, 1 << 30)))
    yield "arange.pt2", lambda: program(aten("arange.default", "made", end={"as_int": 1 << 40}))
    yield "doubled.pt2", lambda: program(aten("relu.default", "a0", self=named("x")), *[
        aten("cat.default", f"a{place + 1}", tensors={"as_tensors": [{"name": f"a{place}"}] * 2})
        for place in range(60)], aten("relu.default", "made", self=named("a60")))
    yield "outer.pt2", lambda: program(
        aten("arange.default", "line", end={"as_int": 1 << 22}),
        aten("outer.default", "made", self=named("line"),
             vec2=named("line")))
    yield "resize.pt2", lambda: program(aten("upsample_nearest2d.vec", "made", input=named("x"),
                                             output_size=ints(1 << 20, 1 << 20), scale_factors={"as_none": True}))
    yield "behind-a-mask.pt2", lambda: program(
        aten("gt.Scalar", "mask", self=named("x"), other={"as_float": 0.0}),
        aten("masked_select.default", "some", self=named("x"), mask=named("mask")),
        aten("zeros.default", "made", size=ints(1 << 20, 1 << 14)))
    yield "sizes.pt2", lambda: program(*[
        {**step("_operator.mul", "", a={"as_int": 1 << 40}, b={"as_int": 1 << 40} if not place else
                {"as_sym_int": {"as_name": f"n{place - 1}"}}),
         "outputs": [{"as_sym_int": {"as_name": f"n{place}"}}]} for place in range(200)],
        aten("relu.default", "made", self=named("x")))
    # what would run
    for number, target in enumerate((
            "torch.ops.aten.from_file.default", "torch.ops.aten._foobar", "torch.ops.prim.Print.default",
            "torch.ops.aten.__class__", "torch.ops.aten.conv2d.__call__", "torch.load", "os.system", "_operator.pow",
            "_operator.attrgetter", "builtins.eval", "torch.ops.higher_order.cond", "torch.hub.load",
            "torch.ops.aten.set_.source_Tensor", "torch.ops.aten.resize_.default",
            "torch.ops.aten.relu.default.__self__", "torch.ops.profiler._record_function_enter", code)):
        yield f"target{number}.pt2", lambda target=target: program(step(target, "made", self=named("x")))
    yield "pickled-weight.pt2", lambda: archived(exported_words(), weight(use_pickle=True)[0], evil)
    yield "weights-pt.pt2", lambda: archived(exported_words(), without="weights_config",
                                              **{"data__weights__model.pt": evil})
    yield "sample.pt2", lambda: archived(exported_words(), **{"data__sample_inputs__model.pt": evil})
    yield "sample-zip.pt2", lambda: archived(exported_words(), **{"data__sample_inputs__model.pt": zipped(
        {"a/data.pkl": evil, "a/data/0": bytes(324), "a/data/1": bytes(9)}, zipfile.ZIP_STORED)})
    yield "sample-bomb.pt2", lambda: archived(exported_words(), **{"data__sample_inputs__model.pt": zipped(
        {"a/data.pkl": evil, "a/data/0": bytes(100_000_000)})})
    yield "guards.pt2", lambda: archived(exported_words(guards_code=[code], verifiers=[code]))
    yield "constant.pt2", lambda: archived(exported_words(), **{
        "data__constants__custom_obj_0": evil, "data__constants__model_constants_config.json": json.dumps(
            {"config": {"thing": {"path_name": "custom_obj_0", "is_param": False, "use_pickle": True,
                                  "tensor_meta": None}}}).encode()})
    yield "machine-code.pt2", lambda: archived(exported_words(), **{"data__aotinductor__model__a.so": b"\x7fELF"})
    yield "old.pt2", lambda: zipped({"serialized_exported_program.json": b"{}", "serialized_state_dict.pt": evil,
                                     "version": b"5.1"})
    yield "names.pt2", lambda: bent("conv,torch.nn", f"{code},torch.nn")
    yield "forward.pt2", lambda: bent('L__self___conv,conv,', 'L__self___conv,forward.__class__._modules,')
    yield "weight-name.pt2", lambda: archived(
        json.dumps(exported_words()).replace("conv.weight", "forward.__dict__").encode(),
        {"config": {"forward.__dict__": weight()[0]["config"]["conv.weight"]}})
    yield "string.pt2", lambda: program(aten("conv2d.default", "made", input=named("x"), weight={"as_string": code}))
    # what is nested, huge, of another kind
    yield "deep.pt2", lambda: archived(b"[" * 2_000_000)
    yield "deep-argument.pt2", lambda: bent('{"as_tensor": {"name": "x"}}, "kind"',
                                            '{"a":' * 900 + "1" + "}" * 900 + ', "kind"')
    yield "deep-graphs.pt2", lambda: program(_inside(60))
    yield "deep-modules.pt2", lambda: bent("L__self___conv,conv,", ";".join(
        f"L{place},{'a.' * 30}a{place}," for place in range(500)) + ";L,conv,")
    yield "deep-tree.pt2", lambda: archived(json.dumps(exported_words()).replace('"module_call_graph": []', json.dumps(
        {"module_call_graph": [{"fqn": "", "signature": {"out_spec": "[1," * 5000 + "]" * 5000}}]})[1:-1]).encode())
    yield "bomb.pt2", lambda: archived(b"[" + b"1," * 100_000_000 + b"1]", method=zipfile.ZIP_DEFLATED)
    yield "packed-weight.pt2", lambda: archived(exported_words(), *weight(300_000_000), method=zipfile.ZIP_DEFLATED)
    yield "members.pt2", lambda: many_members(400_000, "m/models/model.json")
    yield "big-number.pt2", lambda: bent('"minor": 20', '"minor": ' + "9" * 100_000)
    yield "not-a-number.pt2", lambda: program(aten("mul.Tensor", "made", self=named("x"),
                                                   other={"as_float": "Bad"}))
    yield "null.pt2", lambda: archived(dict.fromkeys(exported_words()))
    yield "bytes.pt2", lambda: archived(bytes(range(256)))
    yield "version.pt2", lambda: archived(exported_words(schema_version={"major": 99, "minor": 0}))
    yield "order.pt2", lambda: archived(exported_words(), byteorder=b"big")
    yield "cut.pt2", lambda: archived(exported_words())[:-40]
    yield "turned.pt2", lambda: _turned(archived(exported_words()), random.Random(3), 30)
    yield "empty.pt2", lambda: b""
    yield "html.pt2", lambda: b"<!DOCTYPE html><html>404</html>"


def _inside(depth: int) -> dict:
    """A graph in a graph in a graph."""
    graph = exported_words([_inside(depth - 1)] if depth else None)["graph_module"]["graph"]
    return {**step("torch.ops.higher_order.wrap_with_set_grad_enabled", "made", enabled={"as_bool": True}),
            "inputs": [{"name": "", "arg": {"as_bool": True}, "kind": 1},
                       {"name": "", "arg": {"as_graph": {"name": "inner", "graph": graph}}, "kind": 1},
                       {"name": "", "arg": {"as_tensor": {"name": "w"}}, "kind": 1},
                       {"name": "", "arg": {"as_tensor": {"name": "x"}}, "kind": 1}]}


# --- models of ONNX -------------------------------------------------------------------------------------------------

def field(number: int, content: bytes | int) -> bytes:
    """One field of a protobuf."""
    if isinstance(content, int):
        return _varint(number << 3) + _varint(content)
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def onnx_node(op: str, given: tuple[str, ...], made: tuple[str, ...] = ("y",), attributes: bytes = b"",
              domain: str = "") -> bytes:
    return field(1, b"".join(field(1, each.encode()) for each in given)
                 + b"".join(field(2, each.encode()) for each in made) + field(4, op.encode()) + attributes
                 + (field(7, domain.encode()) if domain else b""))


def onnx_tensor(name: str, sizes: tuple[int, ...], raw: bytes, code: int = 1, more: bytes = b"") -> bytes:
    return field(5, b"".join(field(1, size) for size in sizes) + field(2, code) + field(8, name.encode())
                 + (field(9, raw) if raw else b"") + more)


def onnx_value(number: int, name: str, sizes: tuple[int, ...] = (), code: int = 1) -> bytes:
    shape = b"".join(field(1, field(1, size)) for size in sizes)
    return field(number, field(1, name.encode()) + field(2, field(1, field(1, code) + field(2, shape))))


def onnx_model(*graph: bytes, opset: int = 17, more: bytes = b"", sizes: tuple[int, ...] = (1, 4)) -> bytes:
    return field(1, 8) + field(8, field(2, opset)) + field(7, b"".join(graph) + field(2, b"net")
                                                         + onnx_value(11, "x", sizes) + onnx_value(12, "y")) + more


def models() -> Made:
    relu = onnx_node("Relu", ("x",))

    def integers(name: str, *numbers: int) -> bytes:
        return onnx_tensor(name, (len(numbers),), struct.pack(f"<{len(numbers)}q", *numbers), 7)

    def said(name: str, number: int) -> bytes:
        return field(5, field(1, name.encode()) + field(3, number) + field(20, 2))

    def inside(depth: int) -> bytes:
        graph = field(2, b"g") + onnx_value(12, "z")
        for _ in range(depth):
            graph = onnx_node("If", ("x",), ("z",), field(5, field(1, b"then_branch") + field(6, graph) + field(20, 5)))
        return graph

    def beside(where: str) -> bytes:
        told = b"".join(field(13, field(1, key.encode()) + field(2, value.encode())) for key, value in
                        (("location", where), ("offset", "0"), ("length", "16"), ("__class__", "x"), ("info", "y")))
        return onnx_model(onnx_node("Add", ("x", "w")), onnx_tensor("w", (4,), b"", 1, told + field(14, 1)))

    def endless(*steps: bytes, ends: tuple[str, str] = ("go", "k")) -> bytes:
        """A loop that goes on for ever."""
        body = field(2, b"b") + b"".join(steps) + \
            onnx_value(11, "i", (), 7) + onnx_value(11, "on", (), 9) + onnx_value(11, "h", (4,)) + \
            onnx_value(12, ends[0], (), 9) + onnx_value(12, ends[1])
        return onnx_node("Loop", ("", "", "x"), ("y",), field(5, field(1, b"body") + field(6, body) + field(20, 5)))

    squares = [onnx_node("Mul", (f"h{place}", f"t{place}"), (f"h{place + 1}",)) + onnx_node(
        "Transpose", (f"h{place}",), (f"t{place}",)) for place in range(30)]
    yield "whole.onnx", lambda: onnx_model(relu)
    yield "no-nodes.onnx", lambda: onnx_model()
    yield "cut.onnx", lambda: onnx_model(relu)[:-9]
    yield "cut-in-weights.onnx", lambda: onnx_model(onnx_node("Add", ("x", "w")),
                                                    onnx_tensor("w", (4,), bytes(16)))[:60]
    yield "many-nodes.onnx", lambda: onnx_model(*[onnx_node("Relu", (f"h{place}",), (f"h{place + 1}",))
                                                  for place in range(40_000)])
    yield "empty-nodes.onnx", lambda: onnx_model(b"\x0a\x00" * 4_000_000)
    yield "empty-attributes.onnx", lambda: onnx_model(onnx_node("Relu", ("x",), ("y",), b"\x2a\x00" * 4_000_000))
    yield "many-words.onnx", lambda: onnx_model(relu, more=field(14, field(1, b"k") + field(2, bytes(60 << 20))))
    yield "circle.onnx", lambda: onnx_model(onnx_node("Add", ("x", "b"), ("a",)), onnx_node("Neg", ("a",), ("b",)),
                                            onnx_node("Relu", ("b",)))
    yield "never-made.onnx", lambda: onnx_model(onnx_node("Add", ("x", "nothing")))
    yield "deep.onnx", lambda: onnx_model(inside(60))
    yield "shape-lies.onnx", lambda: onnx_model(onnx_node("Add", ("x", "w")), onnx_tensor("w", (1 << 40,), bytes(16)))
    yield "shape-of-zeros.onnx", lambda: onnx_model(onnx_node("Add", ("x", "w")), onnx_tensor("w", (0, 1 << 62), b""))
    yield "negative-shape.onnx", lambda: onnx_model(onnx_node("Add", ("x", "w")), onnx_tensor(
        "w", ((1 << 64) - 4,), bytes(16)))
    yield "wide-input.onnx", lambda: onnx_model(relu, sizes=(1 << 20, 1 << 20))
    yield "expands.onnx", lambda: onnx_model(onnx_node("Expand", ("x", "s")), integers("s", 1 << 20, 1 << 20))
    yield "constant-of-shape.onnx", lambda: onnx_model(
        onnx_node("ConstantOfShape", ("s",), ("c",)), onnx_node("Add", ("x", "c")), integers("s", 1 << 40, 4))
    yield "tiles.onnx", lambda: onnx_model(onnx_node("Tile", ("x", "s")), integers("s", 1 << 30, 1))
    yield "range.onnx", lambda: onnx_model(
        onnx_node("Range", ("a", "b", "c"), ("r",)), onnx_node("Gather", ("x", "r")), integers("a", 0),
        integers("b", 1 << 50), integers("c", 1))
    yield "pads.onnx", lambda: onnx_model(onnx_node("Pad", ("x", "s")), integers("s", 0, 1 << 40, 0, 1 << 40))
    yield "resizes.onnx", lambda: onnx_model(
        onnx_node("Resize", ("x", "", "s")), onnx_tensor("s", (4,), struct.pack("<4f", 1, 1, 1e9, 1e9)),
        sizes=(1, 1, 8, 8))
    yield "squares.onnx", lambda: onnx_model(onnx_node("Identity", ("x",), ("h0",)), *squares,
                                             onnx_node("Relu", ("h30",)), sizes=(1, 4096))
    yield "outer.onnx", lambda: onnx_model(onnx_node("Transpose", ("w",), ("t",)), onnx_node("Mul", ("w", "t"), ("m",)),
                                           onnx_node("ReduceSum", ("m",), ("r",)), onnx_node("Add", ("x", "r")),
                                           onnx_tensor("w", (1, 200_000), bytes(800_000)))
    yield "endless.onnx", lambda: onnx_model(endless(onnx_node("Identity", ("on",), ("go",)),
                                                     onnx_node("Neg", ("h",), ("k",))))
    yield "empty-endless.onnx", lambda: onnx_model(endless(ends=("on", "h")))
    yield "outside.onnx", lambda: beside("../../../etc/passwd")
    yield "missing.onnx", lambda: beside("weights.data")
    yield "device.onnx", lambda: beside("/dev/zero")
    yield "own-operator.onnx", lambda: onnx_model(onnx_node("PyOp", ("x",), domain="ai.onnx.contrib"))
    yield "our-operator.onnx", lambda: onnx_model(onnx_node("Recurrent", ("x",), domain="visualizer"))
    yield "wrong-arguments.onnx", lambda: onnx_model(onnx_node("Conv", ("x",)))
    yield "wrong-attribute.onnx", lambda: onnx_model(onnx_node("Concat", ("x", "x"), ("y",), said("axis", 99)))
    yield "old.onnx", lambda: onnx_model(relu, opset=1)
    yield "later.onnx", lambda: onnx_model(relu, opset=9_999)
    yield "no-input.onnx", lambda: onnx_model(onnx_node("Identity", ("w",)), onnx_tensor("w", (4,), bytes(16)))


# --- pictures, sounds, texts, tables --------------------------------------------------------------------------------

def picture(kind: str, size: tuple[int, int], mode: str = "L", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, kind, **options)
    return buffer.getvalue()


def png(width: int, height: int, depth: int = 8, colour: int = 0, body: bytes = b"", more: bytes = b"") -> bytes:
    """A PNG whose head says how large it is, whatever lies in it."""
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">2I5B", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + more + chunk(b"IDAT", zlib.compress(body, 9)) + chunk(b"IEND",
                                                                                                            b"")


def text_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def pictures() -> Made:
    draw = random.Random(1)
    yield "62-megapixels-16.png", lambda: png(8000, 7800, 16, 0, bytes(2 * 8000 * 7800 + 7800))
    yield "rgba.png", lambda: png(7000, 6000, 8, 6, bytes(4 * 7000 * 6000 + 6000))
    yield "says-large.png", lambda: png(1 << 30, 1 << 30)
    yield "says-more.png", lambda: png(60_000, 1_000)
    yield "wide.png", lambda: png(1_000_000, 1, 8, 0, bytes(1_000_001))
    yield "nothing.png", lambda: png(0, 0)
    yield "one.png", lambda: picture("PNG", (1, 1))
    yield "cut.png", lambda: png(300, 300, 8, 0, bytes(10))
    yield "state.png", lambda: png(9, 9, 8, 0, bytes(90), text_chunk(b"zTXt", b"Visualizer-State\0\0" + zlib.compress(
        bytes(200_000_000), 9)))
    yield "words.png", lambda: png(9, 9, 8, 0, bytes(90), text_chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(
        bytes(100_000_000), 9)))
    yield "chunks.png", lambda: png(9, 9, 8, 0, bytes(90), text_chunk(b"tEXt", b"a\0b") * 200_000)
    for kind, suffix in (("PNG", "png"), ("JPEG", "jpg"), ("BMP", "bmp"), ("GIF", "gif"), ("WEBP", "webp"),
                         ("TIFF", "tif"), ("PPM", "pgm")):
        whole = picture(kind, (60, 50))
        yield f"cut-{kind}.{suffix}", lambda: whole[:len(whole) // 2]
        yield f"turned-{kind}.{suffix}", lambda: _turned(whole, draw, 12)
        yield f"empty-{kind}.{suffix}", lambda: b""
        yield f"blank-{kind}.{suffix}", lambda: whole
    yield "frames.gif", \
        lambda: picture("GIF", (40, 40), save_all=True, append_images=[Image.new("L", (40, 40), index % 256)
                                                                               for index in range(300)])
    yield "loop.tif", lambda: b"II*\0\x08\0\0\0\0\0\x08\0\0\0" + bytes(40)
    yield "text.png", lambda: b"this is no picture"
    yield "pixels.ppm", lambda: b"P6 60000 60000 255\n"
    yield "plain.ppm", lambda: b"P3 9 9 255\n" + b"999999999 " * 300
    yield "svg.png", lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    yield "entities.svg", lambda: b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        f'<!ENTITY b{index} "{"&a;" * 10 if not index else f"&b{index - 1};" * 10}">'.encode() for index in range(12)
    ) + b"]><svg><metadata>&b11;</metadata></svg>"
    yield "file.svg", lambda: b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>'


def sounds() -> Made:
    def sound(rate: int, count: int, width: int = 2, channels: int = 1) -> bytes:
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(width)
            file.setframerate(rate)
            file.writeframesraw(bytes(count * width * channels))
        return buffer.getvalue()

    good = sound(8000, 1000)
    yield "long.wav", lambda: sound(8000, 30_000_000)
    yield "fast.wav", lambda: sound(1_000_000_000, 100)
    yield "slow.wav", lambda: sound(1, 100_000)
    yield "channels.wav", lambda: sound(8000, 100, 2, 30_000)
    yield "cut.wav", lambda: good[:30]
    yield "says-more.wav", lambda: good[:40] + b"\xff\xff\xff\x7f" + good[44:]
    yield "no-rate.wav", lambda: good[:24] + bytes(4) + good[28:]
    yield "float.wav", lambda: good[:20] + b"\3\0" + good[22:]
    yield "text.wav", lambda: b"RIFF"


def texts() -> Made:
    yield "long.txt", lambda: b"a" * 60_000_000
    yield "lines.txt", lambda: b"\n" * 5_000_000
    yield "bytes.txt", lambda: bytes(range(128, 256)) * 100
    yield "null.txt", lambda: b"a\0b"
    yield "empty.txt", lambda: b""
    yield "signs.txt", lambda: ("\u202e" * 5000 + "\ufeff").encode()
    yield "combining.txt", lambda: ("a" + "\u0301" * 9000).encode()
    yield "numbers.csv", lambda: b"1," * 20_000_000
    yield "rows.csv", lambda: b"1,2\n" * 5_000_000
    yield "columns.csv", lambda: b",".join([b"1"] * 500_000) + b"\n"
    yield "huge.csv", lambda: b"1e999999999,2\n3,4\n"
    yield "words.csv", lambda: b"a,b\nc,d\n"
    yield "quotes.csv", lambda: b'"' * 200_001
    yield "formula.csv", lambda: b"=cmd|' /C calc'!A0,1\n"
    yield "nan.csv", lambda: b"nan,inf\n-inf,1\n"
    yield "digits.csv", lambda: b"9" * 2_000_000 + b",1\n"


def films() -> Made:
    for name, head in (("a.mp4", b"\0\0\0\x18ftypisom"), ("a.webm", b"\x1a\x45\xdf\xa3"), ("a.gif", b"GIF89a"),
                       ("a.webp", b"RIFF\xff\xff\xff\x7fWEBP"), ("a.apng", b"\x89PNG\r\n\x1a\n"),
                       ("a.pdf", b"%PDF-1.7"), ("a.svg", b"<svg>")):
        yield f"empty-{name}", lambda: head
        yield f"zeros-{name}", lambda: head + bytes(100_000)
        yield f"ones-{name}", lambda: head + b"\xff" * 100_000
    yield "boxes.mp4", lambda: b"\0\0\0\x08free" * 400_000
    yield "deep.mp4", lambda: b"".join(struct.pack(">I", 8 * (2000 - index)) + b"moov" for index in range(2000))
    yield "streams.pdf", lambda: b"%PDF-1.7\n" + b"1 0 obj <</Length 9>> stream\n" * 20_000
    yield "strings.pdf", lambda: b"%PDF-1.7\n" + b"(" * 300_000
    yield "comments.svg", lambda: b"<svg>" + b"<!--" * 300_000
    yield "tags.svg", lambda: b"<g>" * 200_000


def names() -> Made:
    """Files whose name is the trouble, and kinds of files that nobody opens."""
    whole = (FIXTURES / "version-1" / "small-cnn.trace").read_bytes()
    yield "as-png.png", lambda: whole
    yield "as-pt.pt", lambda: whole
    yield "as-csv.csv", lambda: whole
    yield "no-ending", lambda: whole
    yield "%s%n{x}$(touch a);.trace", lambda: whole
    yield "\u202etxt.trace", lambda: whole
    yield "a b'c\"d.trace", lambda: b"no"
    yield "x" * 200 + ".trace", lambda: whole
    yield "program.exe", lambda: b"MZ" + bytes(100)
    yield "archive.zip", lambda: zipped({"a": b"b"})
    yield "weights.npz", lambda: zipped({"a.npy": b"\x93NUMPY"})
    yield "weights.npy", lambda: b"\x93NUMPY\1\0v\0" + pickle.dumps(Runs())


KINDS: tuple[Callable[[], Made], ...] = (damaged, recordings, sessions, weights, exported, models, pictures, sounds,
                                         texts, films, names)
