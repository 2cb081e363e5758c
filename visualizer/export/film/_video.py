"""Video through PyAV, which is optional: one encoder thread and no random numbers, so that bytes are the same twice.

Colours are those of ITU-R BT.709 and said to be so: left unsaid, players guess, and red and blue come out wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import cache
from importlib import import_module
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from visualizer.export.film import Film, Pixels
from visualizer.export.film._sound import RATE, track

BT709 = 1
"""Matrix, primaries and transfer of ITU-R BT.709 (ITU-T H.273)."""
LIMITED = 1
"""Luma from 16 to 235, as every player expects."""
CHUNK = 1 << 14
"""So many samples are handed to the encoder at once."""
INSTALL = "pip install 'av>=18'"


def encoder(container: str, codec: str, options: Mapping[str, str],
            audio: str) -> Callable[[BinaryIO, Film, Iterator[Any]], None]:
    """How `converted` frames are written into a container of FFmpeg's with one of its encoders, and the sound with
    another, where there is one."""
    def encode(file: BinaryIO, film: Film, frames: Iterator[Any]) -> None:
        try:
            written(file, film, frames)
        except import_module("av").error.FFmpegError as error:
            raise _first(error) from error

    def written(file: BinaryIO, film: Film, frames: Iterator[Any]) -> None:
        av = import_module("av")
        with av.open(file, "w", format=container, options={"fflags": "+bitexact"}) as out:
            if film.state_json:
                out.metadata["comment"] = film.state_json
            stream = out.add_stream(codec, rate=film.fps, options=dict(options))
            context = stream.codec_context
            (context.width, context.height), context.pix_fmt = film.size, "yuv420p"
            context.thread_count, context.gop_size = 1, max(1, round(film.key_seconds * film.fps))
            context.flags |= import_module("av.codec.context").Flags.bitexact
            context.colorspace = context.color_primaries = context.color_trc = BT709
            context.color_range = LIMITED
            heard = track(film)
            if heard is not None:
                _with_sound(av, out, audio, heard)
            for number, frame in enumerate(frames):
                frame.pts, frame.time_base = number, 1 / film.fps
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    return encode


def _with_sound(av: Any, out: Any, codec: str, heard: NDArray[np.float32]) -> None:
    """All of the sound, before the first frame: the container lays both beside each other."""
    stream = out.add_stream(codec, rate=RATE)
    stream.codec_context.layout = "mono"
    stream.codec_context.flags |= import_module("av.codec.context").Flags.bitexact
    kind = stream.codec_context.codec.audio_formats[0].name
    for first in range(0, len(heard), CHUNK):
        part = heard[first:first + CHUNK][None]
        values = part if kind.startswith("flt") else np.rint(part * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(values, format=kind, layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))


def converted(frames: Iterator[Pixels]) -> Iterator[Any]:
    """Frames of a luma and two chroma planes of half the size; the very same one where nothing has changed."""
    av, scaling = import_module("av"), import_module("av.video.reformatter")
    reformatter, shown, frame = scaling.VideoReformatter(), None, None
    for pixels in frames:
        if pixels is not shown:
            shown, (rows, columns) = pixels, pixels.shape
            whole = av.VideoFrame.from_ndarray(pixels.view(np.uint8).reshape(rows, columns, 4), format="bgra")
            frame = reformatter.reformat(whole, format="yuv420p", dst_colorspace=scaling.Colorspace.ITU709,
                                         src_color_range=scaling.ColorRange.JPEG,
                                         dst_color_range=scaling.ColorRange.MPEG)
        yield frame


@cache
def missing() -> str:
    """Why no video can be made here; empty where PyAV is installed."""
    try:
        import_module("av")
    except ImportError:
        return f"Video needs PyAV, which is not installed; run: {INSTALL}, or choose .gif, .apng or .webp."
    return ""


def _first(error: BaseException) -> BaseException:
    """What went wrong first: the file, say, of which FFmpeg only knows that it did not take what it was given."""
    while error.__context__ is not None:
        error = error.__context__
    return error
