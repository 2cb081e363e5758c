"""Films: a stretch of the timeline as a file. One file of this folder, one format; each is found by its `FILM`.

Frame i is what the view draws of `timeline.at(start + i / fps * speed)`, painted as everything else is: exact, and the
same bytes twice. A film is written as it is drawn, two or three frames are in memory at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Event
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from visualizer import comparison, registry, sight, sonify
from visualizer.comparison import Reader
from visualizer.language import numeral, speaking, tr
from visualizer.registry import NotWritten
from visualizer.scene.passage import Passage
from visualizer.scene.picture import Focus, Look, Picture
from visualizer.scene.state import Place, State
from visualizer.scene.timeline import FORWARD, REST, Moment, Timeline
from visualizer.trace import Refused, Trace

if TYPE_CHECKING:
    from visualizer import paint

Pixels = NDArray[np.uint32]
"""(rows, columns): 0xFFRRGGBB. The very same array again where nothing has changed since the frame before."""
Told = Callable[[int, int], None]
"""Told how many frames are done, and of how many."""
MOST_FRAMES = 50_000
MOST_PIXELS = 1 << 25
"""In one frame: more than 8K."""
KEY_SECONDS = 2
"""A video has a whole picture at least so often, for players that jump."""
AHEAD = 2
"""So many frames are drawn ahead of the one that is being encoded."""


@dataclass(frozen=True, eq=False)
class Film:
    """A stretch of the timeline of a trace, and how it is seen."""

    trace: Trace
    view: str = "network"
    focus: Focus | None = None
    look: Look = field(default_factory=Look)
    start: Fraction = Fraction(0)
    """The second of the timeline that the first frame shows."""
    end: Fraction | None = None
    """The second that is reached last, and stands until the film is over; the end of the timeline when left out."""
    fps: Fraction = Fraction(30)
    speed: Fraction = Fraction(1)
    """Seconds of the timeline in a second of the film."""
    scale: float = 1.0
    """Pixels of the film for each pixel that is laid out."""
    state_json: str = ""
    """Where the app opens it again: at its first moment."""
    at: str = ""
    """Every frame has a moment of its own; in a reel, the one at which its recordings are looked at."""
    reel: tuple[str, ...] = ()
    """What the recordings are called that a reel goes through."""
    recordings: tuple[sight.Recorded, ...] = ()
    """What is seen from each place, where there are several, or one with a reel; else the trace alone."""
    places: tuple[Place, ...] = ()
    """Those that stand beside each other, where there are several."""
    over: Passage | None = None
    """The inputs that it goes through, at one moment, where that is not the time of one recording."""
    active: int = 0
    """Which of them is the one that the trace, the view, the focus and the look are of."""
    readers: tuple[Reader, ...] = ()
    """Networks that are compared, the active one among them, where that is what is seen."""
    sync: str = comparison.SHARE
    """What they have in common at one time."""
    alone: int = 0
    """Which of them is seen alone, counted from 1."""

    sound: str = ""
    """What is heard with it, one of `sonify.audibles`; empty for the sound that the network reads, where there is one.
    """

    @cached_property
    def count(self) -> int:
        """How many frames: all the way, and a rest on the last moment."""
        way = (self.last - self.start) / self.speed * self.fps
        return max(math.floor(way) + 2 if way % 1 else math.floor(way) + 1,
                   math.ceil(way + REST / self.speed * self.fps))

    @property
    def seconds(self) -> Fraction:
        """How long it runs."""
        return self.count / self.fps

    @property
    def key_seconds(self) -> int:
        """Seconds from one whole picture of a video to the next."""
        return KEY_SECONDS

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of a frame in pixels."""
        width, height = (max(1, round(length * self.scale)) for length in self.look.size)
        return width, height

    @cached_property
    def last(self) -> Fraction:
        """The second of the timeline that is reached last."""
        return whole(self.times)[1] if self.end is None else self.end

    def moment(self, frame: int) -> Moment:
        """What frame `frame` shows, as it plays in the window. At the last second it is the end of the beat before, not
        the beginning of the next one."""
        second = min(self.start + frame / self.fps * self.speed, self.last)
        moment = self.times.at(second)
        if second == self.last > self.start and moment.phase == 0 and moment.index > 0:
            return self.times.settled(moment.index - 1)
        return moment

    def address(self, frame: int) -> str:
        """Where one stands in what a frame shows."""
        return self.moment(frame).address

    def picture(self, frame: int) -> Picture:
        """The same as a picture."""
        return self.drawn(self.moment(frame))

    def drawn(self, moment: Moment) -> Picture:
        """The picture of any moment of its timeline."""
        if self.over is not None:
            with speaking(self.look.language):
                return self.over.picture(moment, self.look.size, self.look.text_scale)
        if self.readers:
            return comparison.seen(self.readers, self.active, moment, self.look, self.sync, self.alone, self.focus)
        if len(self.places) > 1:
            return sight.beside(self.recordings, self.places, self.active, self.look.size, moment)
        return sight.seen(self.recorded, self, moment)

    @cached_property
    def melody(self) -> sonify.Melody:
        """What is heard with it: each tone with the frame that first shows its number. Refused where there is none."""
        with speaking(self.look.language):
            seen = sight.sight(self.trace, self, self.times.at(self.start))
            return replace(sonify.melody(sonify.find(self.sound), self.trace, seen, self.times, self.last - self.start,
                                         self.speed), seconds=float(self.seconds))

    @property
    def recorded(self) -> sight.Recorded:
        """What is seen from the active place."""
        return self.recordings[self.active] if self.recordings else self.trace

    @cached_property
    def times(self) -> Timeline:
        """The beats of the trace, at the pace of the view: the same as in the window; or those of the reel, or one for
        each input."""
        if self.readers:
            return comparison.times([reader.trace for reader in self.readers], self.active)
        return self.over.times if self.over is not None else sight.times(self.recorded, self)


def of_state(state: State, recordings: Sequence[sight.Recorded], start: Fraction, end: Fraction, fps: Fraction,
             speed: Fraction, scale: float, readers: Sequence[Reader] = ()) -> Film:
    """The film of what a State shows, its places beside each other; `recordings` are those of each place, `readers`
    their networks where they are compared."""
    if readers:
        return Film(readers[state.active].trace, state.view, state.focus, state.look, start, end, fps, speed, scale,
                    active=state.active, readers=tuple(readers), sync=state.compare, alone=state.alone)
    several = len(state.places) > 1
    recorded = recordings[state.active if several else 0]
    alone = not several and not state.reel
    return Film(sight.own(recorded), state.view, state.focus, state.look, start, end, fps, speed, scale,
                at=state.at if state.reel else "", reel=state.reel, recordings=() if alone else tuple(recordings),
                places=state.places if several else (), active=state.active)


@dataclass(frozen=True)
class FilmFormat:
    """One kind of file a film can be written as."""

    name: str
    suffixes: tuple[str, ...]
    """`.gif`; none for a folder."""
    title: str
    write: Callable[[Film, Path, Told], None]
    """The whole film; the same film gives the same bytes. An older file stays as it is until the new one is whole."""
    state: Callable[[bytes], str | None] = lambda data: None
    """The State inside such a file; None if it is another kind of file, damaged, or holds none."""
    refuses: Callable[[Film], str] = lambda film: ""
    """Why this film cannot be written so, in one sentence that says what to do; empty if it can."""
    sounds: bool = False
    """Whether such a file has a track of sound."""
    missing: Callable[[], str] = lambda: ""
    """What has to be installed first, in one sentence with the line that does it; empty if nothing."""
    even: bool = False
    """Whether width and height must be even."""
    stepped: bool = False
    """Whether it holds beats, each with its end, and plays no frames: how many a second is no matter."""


def formats() -> tuple[FilmFormat, ...]:
    """Every format found in this folder."""
    return tuple(module.FILM for module in registry.modules("export.film"))


def find(path: str | Path) -> FilmFormat:
    """The format that the ending names; a name without one is a folder. Raises LookupError with one sentence."""
    suffix = Path(path).suffix.lower()
    for item in formats():
        if suffix in item.suffixes or (not suffix and not item.suffixes) or (Path(path).is_dir() and not item.suffixes):
            return item
    known = ", ".join(suffix for item in formats() for suffix in item.suffixes)
    raise LookupError(tr("A film cannot be written as {suffix}; give it one of the endings {known}, or none for a "
                         "folder of pictures.").format(suffix=suffix, known=known))


def save(film: Film, path: str | Path, told: Told = lambda done, of: None) -> Path:
    """Write a film in the format that the ending names; what is heard with it beside it, where that has no sound.

    Raises LookupError for an unknown ending, Refused where the film cannot be made so, NotWritten where the disk is
    full or not to be written on.
    """
    path = Path(path)
    found = find(path)
    if why := refusal(film, found):
        raise Refused(why)
    if film.sound and not film.melody.tones:
        raise Refused(tr("Nothing becomes known in this stretch, so nothing is heard; film a longer one."))
    try:
        found.write(film, path, told)
        if film.sound and not found.sounds:
            sonify.save(sound_file(path), sonify.samples(film.melody))
    except NotWritten:
        raise
    except OSError as error:
        raise NotWritten(path, error) from error
    return path


def sound_file(path: Path) -> Path:
    """Where what is heard with a film is written that has no track of sound: beside a file, in a folder."""
    return path / "sound.wav" if path.is_dir() else path.with_suffix(".wav")


def refusal(film: Film, form: FilmFormat) -> str:
    """Why a film cannot be written in a format, in one sentence that says what to do; empty if it can."""
    width, height = film.size
    if film.count > MOST_FRAMES and not form.stepped:
        return tr("That are {count} frames, and {most} is the most; choose a shorter stretch, fewer frames a second or "
                  "a higher speed.").format(count=numeral(f"{film.count:,}"), most=numeral(f"{MOST_FRAMES:,}"))
    if width * height > MOST_PIXELS:
        return tr("{width} × {height} pixels are too many for a film; choose a smaller size.").format(
            width=numeral(f"{width:,}"), height=numeral(f"{height:,}"))
    if form.even and (width % 2 or height % 2):
        return tr("{form} needs an even width and height, not {width} × {height}; choose {even} × {high}.").format(
            form=form.title, width=width, height=height, even=width - width % 2, high=height - height % 2)
    return (unheard(film) if film.sound else "") or form.refuses(film)


def unheard(film: Film) -> str:
    """Why what is to be heard with a film cannot be, in one sentence; empty where it can."""
    if film.over is not None or film.readers or film.reel or len(film.places) > 1:
        return tr("What is heard follows the beats of one recording; film one network on one input.")
    try:
        with speaking(film.look.language):
            sonify.find(film.sound).words(film.trace, sight.sight(film.trace, film, film.times.at(film.start)))
    except (Refused, LookupError) as error:
        return str(error)
    return ""


# --- which stretch --------------------------------------------------------------------------------------------------

def whole(times: Timeline) -> tuple[Fraction, Fraction]:
    """From the very beginning to the end of the last beat, in seconds of the timeline."""
    return Fraction(0), times.second_of(times.settled(len(times.beats) - 1))


def forward(times: Timeline) -> tuple[Fraction, Fraction]:
    """The way forward alone."""
    last = max((moment for moment in map(times.settled, range(len(times.beats)))
                if moment.beat.direction == FORWARD), key=lambda moment: moment.index)
    return Fraction(0), times.second_of(last)


def backward(times: Timeline) -> tuple[Fraction, Fraction]:
    """The way back alone; nothing but the last beat where no gradient came back."""
    end = times.settled(len(times.beats) - 1)
    first = next((index for index, beat in enumerate(times.beats) if beat.direction != FORWARD), end.index)
    return times.starts[first], times.second_of(end)


def between(times: Timeline, first: str, last: str) -> tuple[Fraction, Fraction]:
    """From one address to another: from the start of the beat that it names to the end of the other one, or from and to
    exactly that moment where it names a phase (`conv2.forward@0.5`). An empty address is the end of the timeline there.

    Raises LookupError with one sentence.
    """
    start, end = whole(times)
    begins, ends = (times.find(address) if address else None for address in (first, last))
    if begins is not None:
        start = times.second_of(begins) if "@" in first or begins.phase < 1 else times.starts[begins.index]
    if ends is not None:
        end = times.second_of(ends)
    if end < start or (begins is not None and ends is not None and ends.index < begins.index):
        raise LookupError(tr("{last} comes before {first}; choose a moment after it for --to."
                             ).format(last=last or tr("The end"), first=first))
    return start, end


# --- frames ---------------------------------------------------------------------------------------------------------

def frames(film: Film) -> Iterator[Pixels]:
    """Every frame in its order, painted; what stands still within a beat is painted once."""
    from visualizer import paint

    stills, before, pixels = paint.Stills(), None, None
    for number in range(film.count):
        moment = film.moment(number)
        if pixels is None or moment != before:
            before, pixels = moment, painted(film.picture(number), film, stills)
        yield pixels


def painted(picture: Picture, film: Film, stills: paint.Stills) -> Pixels:
    """The pixels of one frame."""
    from PySide6.QtGui import QImage

    from visualizer import paint

    paint.ensure_app()
    width, height = film.size
    pixels = np.empty((height, width), np.uint32)
    image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)
    with paint.painting(image) as painter:
        painter.scale(film.scale, film.scale)
        stills.paint(picture, painter)
    return pixels


def in_file(encode: Callable[[BinaryIO, Film, Iterator[Any]], None],
            prepared: Callable[[Iterator[Pixels]], Iterator[Any]] = iter) -> Callable[[Film, Path, Told], None]:
    """How a format is written that is one file: beside its target while it grows, drawn and `prepared` in this thread,
    encoded in another."""
    def write(film: Film, path: Path, told: Told) -> None:
        with registry.whole(path) as beside, beside.open("wb") as file:
            _side_by_side(lambda taken: encode(file, film, taken), prepared(frames(film)),
                          lambda done: told(done, film.count))
    return write


def _side_by_side(work: Callable[[Iterator[Any]], None], made: Iterator[Any], told: Callable[[int], None]) -> None:
    """Let `work` take in another thread what is made in this one, and tell how much has been made.

    If either fails, or somebody interrupts, both end. Encoders leave Python alone for most of their time.
    """
    waiting: Queue[Any] = Queue(AHEAD)
    given_up = Event()

    def taken() -> Iterator[Any]:
        while (item := waiting.get()) is not None:
            if given_up.is_set():
                raise _GivenUp
            yield item

    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(work, taken())

        def hand_over(item: Any) -> None:
            while not job.done():
                with suppress(Full):
                    return waiting.put(item, timeout=0.1)
            return job.result()

        try:
            for done, item in enumerate(made, 1):
                hand_over(item)
                told(done)
            hand_over(None)
            job.result()
        except BaseException:
            given_up.set()
            with suppress(Empty):
                while True:
                    waiting.get_nowait()
            waiting.put(_GivenUp)
            raise


class _GivenUp(Exception):
    """Nobody wants the rest of the film."""
