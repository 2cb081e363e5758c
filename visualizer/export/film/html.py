"""HTML: one page that works by itself, in which the beats are stepped through, scrubbed and pointed at.

It holds the marks of the pictures and the numbers of the recording, and a script of ours that draws them. Nothing is
fetched: what the page may do is said at its head, and its script and its style are known by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING

from visualizer import registry, sight, titles
from visualizer.export import MOST_STATE
from visualizer.export.film import Film, FilmFormat, Told
from visualizer.language import speaking, tr, translated
from visualizer.scene import numbers

if TYPE_CHECKING:
    from visualizer.export.film._page import Holds

MOST = 5_000_000
"""Bytes; a page that is larger even at its shortest is written all the same."""
MANY, VERY_MANY = 40, 400
"""From so many beats on one frame in between is the most, and none."""
LARGE = 1 << 14
"""Numbers of an array, from which on the shortest page leaves them out."""
LONGEST = 120
"""Characters of an input's title."""
_STATE = re.compile(rb'<script type="text/plain" id="visualizer-state">([A-Za-z0-9+/=\s]*)</script>')


def to_bytes(film: Film, told: Told = lambda done, of: None) -> bytes:
    """The whole page; the same film gives the same bytes."""
    from visualizer import paint
    from visualizer.export.film._page import packed

    paint.ensure_app()
    with speaking(film.look.language):
        page = b""
        for holds in shorter(film):
            page = _page(film, *packed(film, holds, told))
            if len(page) <= MOST:
                break
        return page


def shorter(film: Film) -> list[Holds]:
    """What a page may hold, the next where it would be too large."""
    from visualizer.export.film._page import Holds

    found = [Holds(3), Holds(1), Holds(0), Holds(0, terms=False), Holds(0, terms=False, most=LARGE)]
    beats = len(film.times.beats)
    return found[(beats > MANY) + (beats > VERY_MANY):]


def state(data: bytes) -> str | None:
    """The State in one of our pages."""
    found = _STATE.search(data[:4 * MOST_STATE]) if data.startswith(b"<!DOCTYPE html>") else None
    if found is None:
        return None
    try:
        return base64.b64decode(found[1], validate=True).decode() or None
    except ValueError:
        return None


def _page(film: Film, packed: bytes, size: int, caption: str) -> bytes:
    script, style = (registry.folder("assets") / "page" / name for name in ("page.js", "page.css"))
    code, dress = script.read_bytes().decode(), style.read_bytes().decode()
    title, about = _about(film)
    names = {"title": title, "about": about, "caption": caption, "back": tr("Back"), "next": tr("Next"),
             "play": tr("Play"), "scrub": tr("Beat"), "theme": tr("Light or dark"), "larger": tr("Larger"),
             "table": tr("The same numbers as a table"), "how": _how(film),
             "blocked": tr("This page draws its picture with a script of its own, which fetches nothing; allow it.")}
    said = {name: html.escape(words) for name, words in names.items()}
    allowed = f"default-src 'none'; script-src {_hash(code)}; style-src {_hash(dress)}; base-uri 'none'; " \
              "form-action 'none'"
    way_back = base64.b64encode(film.state_json.encode()).decode()
    kept = f'<script type="text/plain" id="visualizer-state">{way_back}</script>\n' if way_back else ""
    language = film.look.language or "en"
    return f"""<!DOCTYPE html>
<html lang="{html.escape(language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{allowed}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="Software" content="Visualizer">
<title>{said["title"]}</title>
{kept}<style>{dress}</style>
</head>
<body>
<header>
<h1>{said["title"]}</h1>
<p id="about">{said["about"]}</p>
<button id="theme" type="button">{said["theme"]}</button>
</header>
<noscript><p>{said["blocked"]}</p></noscript>
<main>
<div id="frame"><canvas id="picture" role="img" tabindex="0"></canvas></div>
<nav aria-label="{said["scrub"]}">
<button id="back" type="button" aria-keyshortcuts="ArrowLeft">← {said["back"]}</button>
<button id="play" type="button" aria-keyshortcuts="Space">{said["play"]}</button>
<button id="next" type="button" aria-keyshortcuts="ArrowRight">{said["next"]} →</button>
<input id="scrub" type="range" min="0" value="0" step="1" aria-label="{said["scrub"]}">
<output id="place" for="scrub"></output>
<button id="larger" type="button" aria-pressed="false" hidden>{said["larger"]}</button>
</nav>
<p id="caption" aria-live="polite">{said["caption"]}</p>
<p id="legend"></p>
<p id="how">{said["how"]}</p>
<details id="table"><summary>{said["table"]}</summary><table id="rows"></table></details>
</main>
<div id="tip" role="tooltip" hidden></div>
<script type="text/plain" id="data" data-size="{size}">{base64.b64encode(packed).decode()}</script>
<script>{code}</script>
</body>
</html>
""".encode()


def _about(film: Film) -> tuple[str, str]:
    """What the page is called, and what is seen on it for whoever does not know the app: the view, the input, how
    large the network is."""
    traces = [reader.trace for reader in film.readers] or [sight.own(each) for each in film.recordings] or [film.trace]
    names = list(dict.fromkeys(trace.title or trace.model for trace in traces))
    inputs = list(dict.fromkeys(titles.of(trace.sample) for trace in traces))
    said = [translated(sight.suiting(film.view, film.trace).sentence)]
    if len(inputs) == 1 and film.over is None:
        said.append(tr("Input: {input}.").format(input=shorten(inputs[0], LONGEST, placeholder="…")))
    if len(names) == 1 and film.trace.parameters:
        said.append(f"{numbers.parameters(film.trace.parameters)}.")
    return " · ".join(names), " ".join(said)


def _how(film: Film) -> str:
    """How the page is used."""
    from visualizer.export.film._page import is_of_one

    said = tr("Step with ← and →, play with Space, or drag the slider.")
    return " ".join((said, tr("Point at a part of the picture to read its number; click a beat or a step in it to go "
                              "there."))) if is_of_one(film) else said


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _write(film: Film, path: Path, told: Told) -> None:
    registry.write_whole(path, to_bytes(film, told))


FILM = FilmFormat("html", (".html",), "HTML page", _write, state, stepped=True)
