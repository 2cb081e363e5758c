"""Type: how wide words are, without Qt, so that a view can lay them out; the painter draws the same faces.

The widths are the advance widths of the bundled fonts (assets/fonts/widths.json, made by make_widths.py beside it),
without hinting, so they grow in proportion to the size. Figures are tabular, except in Inter Display, which has no
such figures. Kerning is left out: a line is drawn a little narrower than measured here, if at all different.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import overload

from visualizer import registry
from visualizer.scene.picture import Run, Text, rich

Runs = tuple[Run, ...]
Words = str | Sequence[Run]
"""A str is taken letter by letter; runs carry their own weight, slant and shift."""
Face = tuple[str, int, bool]
"""Family, weight, italic: one font file."""

TEXT, DISPLAY, MONO = "Inter", "Inter Display", "JetBrains Mono"
LAST = "DejaVu Sans"
"""Where a character is looked for when neither Inter nor JetBrains Mono has it."""
LINE_HEIGHT = 1.5
SHIFT_SIZE = 0.72
"""Size of an index or a power, as a share of the text it hangs on."""
SHIFTS = {"sub": 0.2, "super": -0.36}
"""How far below the baseline an index or a power stands, as a share of the size."""
ELLIPSIS = "…"

_WEIGHTS = {(TEXT, False): (400, 500, 600, 700), (TEXT, True): (400, 500, 600), (DISPLAY, False): (500, 600),
            (MONO, False): (400, 500, 600)}


def width(words: Words, size: float, weight: int = 400, mono: bool = False, display: bool = False) -> float:
    """Width of one line in pixels; a text scale is part of `size`."""
    if isinstance(words, str):
        style = face(weight, mono=mono, display=display)
        return _ems(words, style) * size + len(words) * spacing(size, style)
    return sum(_run_width(run, size, weight, mono, display) for run in words)


def bounds(text: Text) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of a text as it is drawn: letters reach from 0.76 of the size above the baseline to 0.22
    below it."""
    wide = width(text.runs, text.size, text.weight, text.mono, text.display)
    if text.max_width:
        wide = min(wide, text.max_width)
    left = text.x - {"start": 0.0, "middle": wide / 2, "end": wide}[text.anchor]
    return left, text.y - text.size * 0.76, left + wide, text.y + text.size * 0.22


def fits(words: Words, size: float, max_width: float, weight: int = 400, mono: bool = False) -> bool:
    """Whether one line of these words is no wider than `max_width`."""
    return width(words, size, weight, mono) <= max_width


@overload
def wrap(words: str, size: float, max_width: float, weight: int = 400) -> tuple[str, ...]: ...
@overload
def wrap(words: Sequence[Run], size: float, max_width: float, weight: int = 400) -> tuple[Runs, ...]: ...
def wrap(words: Words, size: float, max_width: float, weight: int = 400) -> tuple[str, ...] | tuple[Runs, ...]:
    """The lines of a text: runs make lines of runs, a str with the markup of `picture.rich` makes such strs.

    A marked phrase that is broken is marked on both lines. A word wider than the line stands alone on its own.
    """
    if isinstance(words, str):
        return tuple(marked(line) for line in _lines(tuple(rich(words)), size, max_width, weight))
    return _lines(tuple(words), size, max_width, weight)


def plain_lines(words: str, size: float, max_width: float, weight: int = 400) -> tuple[str, ...]:
    """The lines of a text in which nothing is markup, such as one with the name `max_pool2d` in it."""
    return tuple("".join(run.text for run in line) for line in wrap((Run(words),), size, max_width, weight))


@lru_cache(maxsize=1024)
def _lines(words: Runs, size: float, max_width: float, weight: int) -> tuple[Runs, ...]:
    """Kept, for the same sentence is set again in every frame."""
    lines: list[list[Run]] = [[]]
    used = 0.0
    for word in _unbroken(_split_words(words)):
        line = lines[-1]
        wide = width(word, size, weight)
        space = [_space_between(line[-1], word[0])] if line else []
        gap = width(space, size, weight)
        if line and used + gap + wide > max_width:
            lines.append([*word])
            used = wide
        else:
            line += [*space, *word]
            used += gap + wide
    return tuple(_joined(line) for line in lines)


def elide(words: str, size: float, max_width: float, weight: int = 400, mono: bool = False) -> str:
    """The words themselves if they fit, else their beginning and `…`."""
    if fits(words, size, max_width, weight, mono):
        return words
    room = max_width - width(ELLIPSIS, size, weight, mono)
    kept = 0
    while kept < len(words) and width(words[:kept + 1], size, weight, mono) <= room:
        kept += 1
    return words[:kept].rstrip() + ELLIPSIS


def marked(runs: Iterable[Run]) -> str:
    """Markup that `picture.rich` reads as these runs, as far as it can say them: no shifts, one accent."""
    text = ""
    for run in runs:
        words = "".join(f"\\{letter}" if letter in "\\*`{}_" else letter for letter in run.text)
        words = f"`{words}`" if run.mono else words
        words = f"_{words}_" if run.italic else words
        if run.color:
            words = f"{{{words}}}" if run.weight else f"{{**{words}}}"
        elif run.weight:
            words = f"**{words}**"
        text += words
    return text


def face(weight: int = 400, mono: bool = False, display: bool = False, italic: bool = False) -> Face:
    """The bundled font file that is drawn for a style: the weight asked for, or the next heavier one there is."""
    family = MONO if mono else DISPLAY if display else TEXT
    italic = italic and family == TEXT
    weights = _WEIGHTS[family, italic]
    return family, next((known for known in weights if known >= weight), weights[-1]), italic


def spacing(size: float, style: Face) -> float:
    """Pixels added after each character: large display type stands closer, −0.2 at 26 pixels and −1 at 56."""
    if style[0] != DISPLAY:
        return 0.0
    return -min(max((size - 26) / 30 * 0.8 + 0.2, 0.0), size / 56)


def faces() -> tuple[Face, ...]:
    """Every face that is bundled."""
    return tuple((family, weight, italic) for (family, italic), weights in _WEIGHTS.items() for weight in weights)


def _run_width(run: Run, size: float, weight: int, mono: bool, display: bool) -> float:
    style = face(run.weight or weight, mono=run.mono or mono, display=display, italic=run.italic)
    size *= SHIFT_SIZE if run.shift else 1
    return _ems(run.text, style) * size + len(run.text) * spacing(size, style)


@lru_cache(maxsize=20_000)
def _ems(text: str, style: Face) -> float:
    known = _advances()[style]
    return sum(known[letter] if letter in known else _unknown_advance(letter) for letter in text)


def _unknown_advance(letter: str) -> float:
    """Ems of a character that no bundled font is sure to have: a system font draws it, or an empty box."""
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Mn", "Cf"):
        return 0.0  # accents, and signs that have no ink
    return 1.0 if unicodedata.east_asian_width(letter) in "WF" else 0.6


@cache
def _advances() -> dict[Face, dict[str, float]]:
    plain = json.loads((registry.folder("assets") / "fonts" / "widths.json").read_text("utf-8"))
    characters, per_em = plain["characters"], plain["per_em"]
    return {
        (entry["family"], entry["weight"], entry["italic"]):
            {letter: advance / per_em for letter, advance in zip(characters, entry["advances"], strict=True)}
        for entry in plain["faces"]
    }


def _split_words(runs: Iterable[Run]) -> Iterable[Runs]:
    """Words, each a few runs: a style may change inside a word."""
    word: list[Run] = []
    for run in runs:
        for index, piece in enumerate(run.text.split(" ")):
            if index and word:
                yield tuple(word)
                word = []
            if piece:
                word.append(replace(run, text=piece))
    if word:
        yield tuple(word)


def _unbroken(words: Iterable[Runs]) -> Iterable[Runs]:
    """The words, with `77.0 %` and `6 × 28` kept together as one."""
    together: Runs = ()
    for word in words:
        if together and (word[0].text[0] in "%×" or together[-1].text == "×"):
            together = (*together, _space_between(together[-1], word[0]), *word)
            continue
        if together:
            yield together
        together = word
    if together:
        yield together


def _space_between(before: Run, after: Run) -> Run:
    """A space in the style of both, if they agree, else in no style."""
    return replace(before, text=" ") if _style(before) == _style(after) else Run(" ")


def _style(run: Run) -> tuple[object, ...]:
    """All of a run but its words."""
    return run.weight, run.color, run.mono, run.italic, run.shift


def _joined(runs: Iterable[Run]) -> Runs:
    """Neighbours of one style as one run."""
    joined: list[Run] = []
    for run in runs:
        if joined and _style(joined[-1]) == _style(run):
            joined[-1] = replace(run, text=joined[-1].text + run.text)
        else:
            joined.append(run)
    return tuple(joined)
