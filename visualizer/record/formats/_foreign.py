"""What other programs write, recognised by what it holds: not opened, and told how it becomes a file that opens.

Each recogniser reads a few bytes, and gives one sentence with one line between backticks that can be copied and run,
where there is one. Nothing is unpacked or unpickled, and torch is not needed. Adding a format is adding a function to
the list at the end.
"""

from __future__ import annotations

import io
import mmap
import re
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from visualizer import unpack
from visualizer.language import english, few, tr, translated
from visualizer.record.formats import _pickles

ENDINGS = (".h5", ".hdf5", ".keras", ".pb", ".tflite", ".onnx", ".ort", ".pkl", ".pickle", ".joblib", ".mlmodel",
           ".gguf", ".ggml", ".param", ".caffemodel", ".prototxt", ".pdmodel", ".pdiparams", ".pdparams", ".mar",
           ".jit", ".ptl", ".engine", ".params", ".msgpack", ".so", ".dll", ".dylib")
"""Endings of models, beside those that open: what has one of them and is a page or a pointer was meant to be a model.
"""
HEAD = 4096
DAMAGED = (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError)
"""What Python makes of a zip that is none."""
MOST_LOOKED = 256 << 20
"""Bytes of a file that are searched for a word."""


def what(path: Path) -> str:
    """What the file is, and how it becomes one that opens, in one sentence; empty where nobody here knows it."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
        seen = Seen(path, head, path.stat().st_size)
        return next(filter(None, (known(seen) for known in KNOWN)), "")
    except (OSError, ValueError, EOFError):
        return ""


def folder(path: Path) -> str:
    """The same of a folder; empty for one that nobody knows."""
    with suppress(OSError):
        names = {each.name for _, each in zip(range(1000), path.iterdir(), strict=False)}
        line = _named(path)
        if "saved_model.pb" in names:
            return tr("{name} is a SavedModel of TensorFlow, which is not read; turn it into ONNX: `{line}`.").format(
                name=path.name, line=f"python -m tf2onnx.convert --saved-model {line} --output {line}.onnx")
        if "Manifest.json" in names and "Data" in names:
            return _of_core_ml(path)
        inside = sorted(name for name in names if name.endswith((".safetensors", ".onnx", ".pt2", ".pt", ".pth")))
        if len(inside) == 1:
            return tr("{name} is a folder with one model in it; open the file itself: `{line}`.").format(
                name=path.name, line=f"visualizer {line}/{_named(Path(inside[0]))}")
    return ""


def otherwise(path: Path) -> str:
    """What a file with the ending of a model is that is no model; empty where nobody knows."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    title, suffix = next(((title, suffix) for begins, title, suffix in PICTURES if re.match(begins, head, re.S)),
                         ("", ""))
    if title:
        return tr("{name} is {what}, whatever its name says; name it so: `{line}`.").format(
            name=path.name, what=translated(title), line=f"mv {_named(path)} {_named(path.with_suffix(suffix))}")
    return ""


@dataclass(frozen=True, eq=False)
class Seen:
    """The first look at a file."""

    path: Path
    head: bytes
    size: int

    @property
    def name(self) -> str:
        return self.path.name

    @cached_property
    def members(self) -> tuple[str, ...]:
        """Names of what is in a zip; none if it is no zip, or damaged."""
        with suppress(*DAMAGED):
            if self.head[:2] == b"PK":
                with unpack.opened(self.path, 4 << 20) as archive:
                    return tuple(archive.namelist())
        return ()

    @cached_property
    def inside(self) -> frozenset[str]:
        """The same without the folder that all of it lies in."""
        return frozenset(name.partition("/")[2] for name in self.members)

    def says(self, word: bytes) -> bool:
        """Whether these bytes stand anywhere in it."""
        if not 0 < self.size <= MOST_LOOKED:
            return False
        with self.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            return whole.find(word) >= 0

    @property
    def meant(self) -> bool:
        """Whether its name says that it is a model."""
        from visualizer.record import formats

        return self.path.suffix.lower() in (*ENDINGS, *formats.suffixes())


def _named(path: Path) -> str:
    """A name as it may stand in a line for a terminal or for Python: one of plain letters as it is."""
    return path.name if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*", path.name) else f"model{path.suffix}" \
        if re.fullmatch(r"(\.[a-z0-9]+)?", path.suffix) else "model"


# --- not the file that was meant ------------------------------------------------------------------------------------

def _pointer(seen: Seen) -> str:
    if seen.head.startswith(b"version https://git-lfs"):
        return tr("{name} is only a pointer left by git-lfs, not the file itself; fetch it: `{line}`.").format(
            name=seen.name, line=f"git lfs pull --include={_named(seen.path)}")
    if re.match(rb"(/|\.\./|\.git/)?[./a-zA-Z0-9]{0,80}annex/objects/", seen.head[:200]):
        return tr("{name} is only a pointer left by git-annex, not the file itself; fetch it: `{line}`.").format(
            name=seen.name, line=f"git annex get {_named(seen.path)}")
    return ""


def _answer_of_a_server(seen: Seen) -> str:
    """A page, or an error in the words of a server, in the place of a download."""
    head = seen.head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not seen.meant or head[:1] not in (b"<", b"{", b"["):
        return ""
    words = head.decode("utf-8", "replace")
    if head[:60].lower().startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        title = re.search(r"<title[^>]*>([^<]{1,80})", words, re.I)
        told = f" (“{' '.join(title[1].split())}”)" if title else ""
        return tr("{name} is a web page{title}, not a model; download the file itself, from an address that ends "
                  "in its name and not in a page about it.").format(name=seen.name, title=told)
    if head.startswith(b"<"):
        message = re.search(r"<(?:Message|Code|Error)>([^<]{1,80})", words)
        if message or head.startswith(b"<?xml"):
            told = f" (“{message[1]}”)" if message else ""
            return tr("{name} is an answer of a server{message}, not a model; download it again, signed in where that "
                      "is needed.").format(name=seen.name, message=told)
        return ""
    message = re.search(r'"(?:error|message|detail)"\s*:\s*"([^"]{1,80})', words)
    if message and seen.size < 1 << 16:
        return tr("{name} is an answer of a server{message}, not a model; download it again, signed in where that is "
                  "needed.").format(name=seen.name, message=f" (“{message[1]}”)")
    return ""


def _nothing(seen: Seen) -> str:
    if seen.size == 0:
        return tr("{name} is empty; save or download it again.").format(name=seen.name) if seen.meant else ""
    if seen.meant and not seen.head.strip(b"\0") and seen.size < MOST_LOOKED:
        with seen.path.open("rb") as file:
            if not any(any(part) for part in iter(lambda: file.read(1 << 20), b"")):
                return tr("{name} holds nothing but zeros, as a download leaves that was broken off; download it "
                          "again.").format(name=seen.name)
    return ""


def _cut_off(seen: Seen) -> str:
    """A zip without its end, weights shorter than their header says."""
    if seen.head[:4] == b"PK\3\4" and not seen.members:
        with suppress(*DAMAGED):
            unpack.opened(seen.path, 4 << 20).close()
            return ""
        with seen.path.open("rb") as file:
            file.seek(max(0, seen.size - (1 << 16) - 22))
            ended = b"PK\5\6" in file.read()
        if not ended:
            return tr("{name} is cut off: of a zip of which {size} bytes are here the end is missing; save or download "
                      "it again.").format(name=seen.name, size=f"{seen.size:,}")
    if seen.head[8:9] == b"{" and 2 <= (length := int.from_bytes(seen.head[:8], "little")) < 100 << 20 \
            and seen.head[9:10] in (b'"', b"}", b" ", b"\n"):
        whole = 8 + length + _reaches(seen, length)
        if seen.size < whole:
            return tr("{name} is cut off: its header promises {whole} bytes, and {size} are here; save or download it "
                      "again.").format(name=seen.name, whole=f"{whole:,}", size=f"{seen.size:,}")
    return ""


def _reaches(seen: Seen, length: int) -> int:
    """How far the numbers reach behind the header of a file of weights, as that says."""
    with seen.path.open("rb") as file:
        file.seek(8)
        header = file.read(min(length, 16 << 20))
    ends = [int(end) for end in re.findall(rb'"data_offsets"\s*:\s*\[\s*[0-9]{1,18}\s*,\s*([0-9]{1,18})', header)]
    return max(ends, default=0)


# --- what packs others ----------------------------------------------------------------------------------------------

OPENED = ("data.pkl", "trace.json", "session.json", "config.json", "archive_format",
          "serialized_exported_program.json")
"""What stands in a zip that is a file by itself."""
PACKED = ((rb"\x1f\x8b", "gzip", "gunzip -k {name}"), (rb"BZh[1-9]", "bzip2", "bunzip2 -k {name}"),
          (rb"\xfd7zXZ\0", "xz", "unxz -k {name}"), (rb"\x28\xb5\x2f\xfd", "zstd", "unzstd {name}"),
          (rb"\x04\x22\x4d\x18", "lz4", "unlz4 {name}"),
          (rb"7z\xbc\xaf\x27\x1c", "7z", "7z x {name}"), (rb"Rar!\x1a\x07", "rar", "unrar x {name}"),
          (rb".{257}ustar", "tar", "tar -xf {name}"))


def _packed(seen: Seen) -> str:
    kind, line = next(((kind, line) for begins, kind, line in PACKED if re.match(begins, seen.head, re.S)), ("", ""))
    if not kind:
        models = [name for name in seen.members if Path(name).suffix in (".onnx", ".pt2", ".safetensors", ".pt", ".pth",
                                                                         ".h5", ".keras", ".tflite", ".pb", ".trace")]
        known = any(name.rpartition("/")[2] in OPENED for name in seen.members)
        if not models or known:
            return ""
        kind, line = "zip", "unzip {name}"
    if kind in ("gzip", "bzip2", "xz", "zstd") and seen.path.name.endswith((".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")):
        line = "tar -xf {name}"
    return tr("{name} is packed ({kind}), and what is in it opens; unpack it: `{line}`.").format(
        name=seen.name, kind=kind, line=line.format(name=_named(seen.path)))


# --- PyTorch --------------------------------------------------------------------------------------------------------

def export_line(path: Path) -> str:
    """What makes a file of a module of torch that opens; `model` and `x` are at hand where it was made."""
    return f"torch.export.save(torch.export.export(model.eval(), (x,)), {_named(path.with_suffix('.pt2'))!r})"


def class_of_module(wanted: list[str]) -> str:
    """The class of a whole model that was pickled, told from what its pickle would import; empty where it is no model.
    """
    if not any(name.startswith("torch.nn.") and ".parameter." not in name for name in wanted):
        return ""
    own = [name for name in wanted if not name.startswith(("torch.", "collections.", "builtins.", "__builtin__.",
                                                           "numpy.", "functools.", "_codecs.", "copyreg."))]
    return (own or [name for name in wanted if name.startswith("torch.nn.")])[0]


def pickled_module(path: Path, module: str, listed: str) -> str:
    """What is said of a whole model that was pickled."""
    return tr("{name} contains a pickled Python object, a whole {own} (wants: {wanted}), and opening it would run code "
              "from the file; where model is that {own} and x one input of it, export it: `{line}`, or record it if it "
              "cannot be exported: visualizer.capture(model, x).save('mine.trace').").format(
        name=path.name, own=module.rpartition(".")[2], wanted=listed, line=export_line(path))


def _script(seen: Seen) -> str:
    if "constants.pkl" not in seen.inside and not any(name.startswith("code/") for name in seen.inside):
        return ""
    if "data.pkl" not in seen.inside and "bytecode.pkl" not in seen.inside:
        return ""
    own = _class_of_script(seen)
    return tr("{name} is TorchScript{own}, which PyTorch has deprecated and which hides its layers; where model is the "
              "one that it was made of and x one input of it, export that: `{line}`.").format(
        name=seen.name, own=f" ({own})" if own else "", line=export_line(seen.path))


def _class_of_script(seen: Seen) -> str:
    """The class that the pickle of a script names first: `__torch__.models.LeNet`."""
    with suppress(*DAMAGED, StopIteration, _pickles.Odd), \
            unpack.opened(seen.path, 4 << 20) as archive:
        info = next(each for each in archive.infolist() if each.filename.partition("/")[2] == "data.pkl")
        names = _pickles.read(io.BytesIO(unpack.read(archive, info, 4 << 20)), strict=False).names
        return next(name for name in names if name.startswith("__torch__.")).rpartition(".")[2]
    return ""


def _package(seen: Seen) -> str:
    if ".data/extern_modules" not in seen.inside:
        return ""
    return tr("{name} is a torch.package, which brings its own code, and opening it would run that; where model is the "
              "one in it and x one input of it, export that: `{line}`.").format(
        name=seen.name, line=export_line(seen.path))


def _archive_to_serve(seen: Seen) -> str:
    if "MAR-INF/MANIFEST.json" not in seen.members:
        return ""
    return tr("{name} is an archive of TorchServe with the model in it; unpack it and open that: `{line}`.").format(
        name=seen.name, line=f"unzip {_named(seen.path)}")


def _machine_code(seen: Seen) -> str:
    begins = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
    if not seen.head.startswith(begins) and not (seen.head[:2] == b"MZ" and seen.meant):
        return ""
    return tr("{name} is machine code, such as AOTInductor makes of a model, and opening it would run it; where model "
              "is the one that it was made of and x one input of it, export that: `{line}`.").format(
        name=seen.name, line=export_line(seen.path))


def _bare_pickle(seen: Seen) -> str:
    """A pickle by itself, as pickle.dump and joblib write it."""
    if not re.match(rb"\x80[\x02-\x05]", seen.head):
        if not (seen.meant and re.match(rb"(\(?[dl]p0|c[a-z_.]+\n[A-Za-z_]+\n|ccopy_reg\n)", seen.head)):
            return ""
    elif seen.head.startswith(b"\x80\x02\x8a\nl\xfc\x9cF\xf9"):
        return ""  # of torch before 1.6
    names: tuple[str, ...] = ()
    with suppress(_pickles.Odd), seen.path.open("rb") as file:
        names = _pickles.read(io.BytesIO(file.read(16 << 20)), strict=False).names
    listed = few(names)
    module = class_of_module(list(names))
    if module:
        return pickled_module(seen.path, module, listed)
    if any(name.startswith(("sklearn.", "xgboost.", "lightgbm.", "catboost.")) for name in names):
        own = next(name for name in names if name.startswith(("sklearn.", "xgboost.", "lightgbm.", "catboost.")))
        return tr("{name} is a pickled {own}, no network of layers, and opening it would run code from the file; open "
                  "a neural network.").format(name=seen.name, own=own)
    return tr("{name} is a pickle{wanted}, and opening it would run code from the file; where its weights are at hand "
              "as tensors by name, save those: `{line}`.").format(
        name=seen.name, wanted=f" ({tr('wants: {names}').format(names=listed)})" if listed else "",
        line=f"torch.save(weights, {_named(seen.path.with_suffix('.pt'))!r})")


# --- Keras, TensorFlow ----------------------------------------------------------------------------------------------

def _keras_line(path: Path) -> str:
    return f"keras.models.load_model({_named(path)!r}).export({_named(path.with_suffix('.onnx'))!r}, format='onnx')"


def _hdf5(seen: Seen) -> str:
    if not seen.head.startswith(b"\x89HDF\r\n\x1a\n"):
        return ""
    if seen.says(b"model_config"):
        return tr("{name} is a model of Keras (HDF5), which is not read; turn it into ONNX where Keras is installed: "
                  "`{line}`.").format(name=seen.name, line=_keras_line(seen.path))
    return tr("{name} is HDF5 without the wiring of a model, as Keras keeps weights; load them into their model there "
              "and turn that into ONNX: `{line}`.").format(
        name=seen.name, line=f"model.export({_named(seen.path.with_suffix('.onnx'))!r}, format='onnx')")


def _keras(seen: Seen) -> str:
    if not {"config.json", "metadata.json"} <= set(seen.members) \
            or not any(name.startswith("model.weights") for name in seen.members):
        return ""
    return tr("{name} is a model of Keras, which is not read; turn it into ONNX where Keras is installed: `{line}`."
              ).format(name=seen.name, line=_keras_line(seen.path))


def _tensorflow(seen: Seen) -> str:
    """A SavedModel without its folder, a frozen graph, a checkpoint."""
    fields = _fields(seen.head)
    onnx = _named(seen.path.with_suffix(".onnx"))
    if seen.path.name == "saved_model.pb" and seen.head.startswith(b"\x08\x01\x12"):
        return tr("{name} belongs to a SavedModel of TensorFlow, which is not read; turn its folder into ONNX: "
                  "`{line}`.").format(name=seen.name,
                                      line="python -m tf2onnx.convert --saved-model . --output model.onnx")
    node = _fields(fields[0][2]) if fields and fields[0][:2] == (1, 2) else []
    if len(node) > 1 and node[0][:2] == (1, 2) and node[1][:2] == (2, 2) and \
            re.fullmatch(rb"[A-Z][A-Za-z0-9_]{2,40}", node[1][2]):
        return tr("{name} is a frozen graph of TensorFlow, which is not read; turn it into ONNX, with the names of its "
                  "inputs and outputs: `{line}`.").format(
            name=seen.name, line=f"python -m tf2onnx.convert --graphdef {_named(seen.path)} --inputs x:0 --outputs y:0 "
                                 f"--output {onnx}")
    if re.search(r"\.data-\d{5}-of-\d{5}$|\.index$", seen.path.name) and seen.path.with_name(re.sub(
            r"\.(data-\d{5}-of-\d{5}|index)$", ".index", seen.path.name)).is_file():
        return tr("{name} belongs to a checkpoint of TensorFlow, which is not read; load it into its model there and "
                  "turn that into ONNX: `{line}`.").format(
            name=seen.name, line="model.export('model.onnx', format='onnx')")
    return ""


def _fields(raw: bytes) -> list[tuple[int, int, bytes]]:
    """The first fields of a message of protobuf, as number, type and bytes."""
    found: list[tuple[int, int, bytes]] = []
    at = 0
    with suppress(IndexError):
        while at < len(raw) and len(found) < 4:
            key, at = _varint(raw, at)
            if key & 7 == 0:
                value, at = _varint(raw, at)
                found.append((key >> 3, 0, value.to_bytes(10, "little")))
            elif key & 7 == 2:
                length, at = _varint(raw, at)
                found.append((key >> 3, 2, raw[at:at + length]))
                at += length
            else:
                break
    return found


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        byte = raw[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            break
    return value, at


def _lite(seen: Seen) -> str:
    if seen.head[4:8] == b"TFL3":
        return tr("{name} is a model of TensorFlow Lite, which is not read; turn it into ONNX: `{line}`.").format(
            name=seen.name, line=f"python -m tf2onnx.convert --tflite {_named(seen.path)} --output "
                                 f"{_named(seen.path.with_suffix('.onnx'))}")
    if seen.head[4:8] == b"ORTM":
        return tr("{name} is a model of ONNX Runtime for small devices, which is not read; open the .onnx that it was "
                  "made of.").format(name=seen.name)
    return ""


# --- others ---------------------------------------------------------------------------------------------------------

def _of_core_ml(path: Path) -> str:
    return tr("{name} is a model of Core ML, from which nothing leads back; where model is the one of torch that it "
              "was made of and x one input of it, export that: `{line}`.").format(
        name=path.name, line=export_line(path))


def _core_ml(seen: Seen) -> str:
    fields = _fields(seen.head)
    if len(fields) > 1 and fields[0][:2] == (1, 0) and fields[1][:2] == (2, 2) and fields[0][2][0] < 12 \
            and re.match(rb"\x0a.[\x00-\x7f]?\x0a", fields[1][2], re.S) and seen.path.name != "saved_model.pb" \
            and b"MetaGraph" not in seen.head and seen.path.suffix in (".mlmodel", ".bin", ".onnx", ".pt", ""):
        return _of_core_ml(seen.path)
    return ""


def _paddle(seen: Seen) -> str:
    fields = _fields(seen.head)
    block = _fields(fields[0][2]) if fields and fields[0][:2] == (1, 2) else []
    program = len(block) > 1 and block[0] == (1, 0, bytes(10)) and block[1][:2] == (2, 0) and block[1][2][:4] in (
        b"\xff" * 4,)
    weights = seen.head[:16] == bytes(16) and 0 < int.from_bytes(seen.head[16:20], "little") < 64 \
        and seen.head[20:21] == b"\x08"
    if not program and not weights:
        return ""
    stem = _named(Path(seen.path.stem))
    return tr("{name} is a model of PaddlePaddle, which is not read; turn it into ONNX: `{line}`.").format(
        name=seen.name, line=f"paddle2onnx --model_dir . --model_filename {stem}.pdmodel --params_filename "
                             f"{stem}.pdiparams --save_file {stem}.onnx")


def _language_model(seen: Seen) -> str:
    if not seen.head.startswith((b"GGUF", b"lmgg", b"tjgg", b"fmgg")):
        return ""
    return tr("{name} is a language model in packed numbers (GGUF), which are not read; open the .safetensors that it "
              "was made of.").format(name=seen.name)


def _of_phones(seen: Seen) -> str:
    """ncnn, Caffe."""
    words = seen.head[:400]
    caffe = re.match(rb"\s*(#[^\n]*\n\s*)*name\s*:\s*\"", words) and re.search(rb"\b(layers?|input)\s*[:{]", seen.head)
    fields = _fields(seen.head)
    weights = len(fields) > 1 and fields[0][:2] == (1, 2) and fields[1][:2] in ((100, 2), (2, 2)) and \
        seen.path.suffix == ".caffemodel"
    kind = "ncnn" if words.startswith(b"7767517\n") else "Caffe" if caffe or weights else ""
    if not kind:
        return ""
    return tr("{name} is a model of {kind}, which is not read; where model is the one of torch that it was made of and "
              "x one input of it, export that: `{line}`.").format(
        name=seen.name, kind=kind, line=export_line(seen.path))


PICTURES: tuple[tuple[bytes, str, str], ...] = (
    (rb"\x89PNG\r\n", english("a picture (PNG)"), ".png"), (rb"\xff\xd8\xff", english("a picture (JPEG)"), ".jpg"),
    (rb"GIF8", english("a picture (GIF)"), ".gif"), (rb"RIFF....WEBP", english("a picture (WebP)"), ".webp"),
    (rb"BM.{4}\0\0\0\0", english("a picture (BMP)"), ".bmp"), (rb"RIFF....WAVE", english("a sound (WAV)"), ".wav"),
    (rb"%PDF-", english("a PDF"), ".pdf"), (rb"\x93NUMPY", english("an array of numpy"), ".npy"),
    (rb"(import |from [a-z_.]+ import |#!.{0,40}python)", english("Python code"), ".py"))
"""How other things begin that are met under the name of a model, what they are, and their right ending."""

KNOWN: tuple[Callable[[Seen], str], ...] = (
    _pointer, _answer_of_a_server, _nothing, _archive_to_serve, _keras, _script, _package, _packed, _cut_off,
    _machine_code, _bare_pickle, _hdf5, _lite, _tensorflow, _core_ml, _paddle, _language_model, _of_phones)
"""One after the other, until one knows it."""
