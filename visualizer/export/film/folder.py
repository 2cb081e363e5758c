"""A folder of numbered PNGs, for programs that cut films, with a storyboard sheet as PNG and PDF.

Each frame is written whole and never again: a film that was stopped goes on where it was. `film.json` says which film
the folder holds, so that frames of two films are never mixed.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zlib
from pathlib import Path

import visualizer
from visualizer import export, registry
from visualizer.export import png
from visualizer.export.film import Film, FilmFormat, Pixels, Told, painted
from visualizer.export.film._changes import rgba
from visualizer.export.film._storyboard import sheet
from visualizer.language import tr
from visualizer.scene.state import changed, from_json, to_json
from visualizer.trace import Refused, Trace

MANIFEST = "film.json"
STORYBOARD = "storyboard"
LEVEL = 6


def write(film: Film, path: Path, told: Told) -> None:
    """Every frame that is not there yet, then the storyboard. Refused where the folder holds anything else."""
    from visualizer import paint

    key = fingerprint(film)
    _claim(film, path, key)
    stills, before, data = paint.Stills(), None, b""
    for number in range(film.count):
        target = path / name(number, film)
        if not is_whole(target, key):
            moment = film.moment(number)
            if moment != before:
                before, picture = moment, film.picture(number)
                data = _frame(painted(picture, film, stills), picture.caption, _state(film, number), key)
            registry.write_whole(target, data)
        told(number + 1, film.count)
    board = sheet(film)
    export.save(board, path / f"{STORYBOARD}.png", state_json=film.state_json, scale=2)
    export.save(board, path / f"{STORYBOARD}.pdf", state_json=film.state_json)


def name(number: int, film: Film) -> str:
    """`0001.png`: counted from 1, with as many figures as the last one has, at least four."""
    return f"{number + 1:0{max(4, len(str(film.count)))}}.png"


def fingerprint(film: Film) -> str:
    """sha256 over all that decides what the frames show."""
    beside = tuple(trace.digest for found in film.recordings for trace in ((found,) if isinstance(found, Trace) else
                                                                           found))
    more = (film.reel, film.at, film.places, film.active, *beside) if beside else ()
    more = more if film.over is None else (*more, film.over.first, *film.over.words)
    said = (*more, film.trace.digest, film.view, repr(film.focus), repr(film.look), film.start, film.last, film.fps,
            film.speed, film.scale, film.state_json, visualizer.__version__)
    return hashlib.sha256("\n".join(map(str, said)).encode()).hexdigest()


def is_whole(path: Path, key: str) -> bool:
    """Whether a frame of the film with that fingerprint lies there, undamaged to its last byte."""
    try:
        data = path.read_bytes()
    except OSError:
        return False
    at, ours = 8, False
    while data.startswith(b"\x89PNG\r\n\x1a\n") and at + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if data[at + 8 + length:at + 12 + length] != struct.pack(">I", zlib.crc32(body, zlib.crc32(kind))):
            return False
        ours = ours or (kind == b"tEXt" and body == b"visualizer-film\0" + key.encode())
        at += 12 + length
        if kind == b"IEND":
            return ours and at == len(data)
    return False


def _claim(film: Film, path: Path, key: str) -> None:
    """Make the folder, or make sure that it is empty or holds the beginning of this very film."""
    manifest = path / MANIFEST
    if path.is_file():
        raise Refused(tr("{path} is a file; choose another name for the folder, or give the film an ending."
                         ).format(path=path))
    if path.is_dir() and any(path.iterdir()):
        try:
            held = json.loads(manifest.read_text("utf-8")).get("film")
        except (OSError, ValueError, AttributeError):
            raise Refused(tr("{path} is a folder with other things in it; choose a new or an empty one."
                             ).format(path=path)) from None
        if held != key:
            raise Refused(tr("{path} holds another film; choose a new or an empty folder.").format(path=path))
        return
    path.mkdir(exist_ok=True)
    told = {"film": key, "frames": film.count, "fps": float(film.fps), "seconds": float(film.seconds),
            "size": list(film.size), "model": film.trace.model, "sample": film.trace.sample.name, "view": film.view,
            "from": film.moment(0).address, "to": film.moment(film.count - 1).address, "speed": float(film.speed)}
    registry.write_whole(manifest, (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode())


def _state(film: Film, number: int) -> str:
    """The State that leads to this very frame."""
    if not film.state_json:
        return ""
    if film.over is not None:
        return to_json(changed(from_json(film.state_json), sample=film.over.word_at(film.moment(number))))
    return to_json(changed(from_json(film.state_json), at=film.address(number)))


def _frame(pixels: Pixels, caption: str, state_json: str, key: str) -> bytes:
    """The file of one frame; Pillow packs it."""
    from PIL import Image, PngImagePlugin

    text = PngImagePlugin.PngInfo()
    text.add_text("visualizer-film", key)
    for field, words in (("Description", caption), ("Software", "Visualizer"), (png.KEY, state_json)):
        if words:
            text.add_itxt(field, words)
    buffer = io.BytesIO()
    Image.fromarray(rgba(pixels)[..., :3].copy()).save(buffer, "PNG", pnginfo=text, compress_level=LEVEL)
    return buffer.getvalue()


FILM = FilmFormat("folder", (), "Numbered pictures", write)
