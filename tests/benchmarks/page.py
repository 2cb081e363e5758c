"""What a page costs: its size against the 5 MB that it may have, writing it against drawing its frames alone, and
opening it in a browser against opening an empty page there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests import browser
from tests.benchmarks import Row, Skipped
from visualizer import registry
from visualizer.export import film as films
from visualizer.export.film import html
from visualizer.record import record
from visualizer.scene.picture import Look
from visualizer.trace import load

EMPTY = "<!DOCTYPE html><html data-ready='yes'><title>empty</title></html>"


def _films() -> tuple[tuple[str, films.Film], ...]:
    digits = load(registry.folder("assets") / "traces" / "digits_cnn.trace")
    return (("digit through the CNN", films.Film(digits, look=Look())),
            ("LSTM of 60 steps", films.Film(record("adding_lstm"), "unrolled", look=Look())))


def written() -> Iterator[Row]:
    """Bytes, and the time to write them."""
    for what, film in _films():
        between = html.shorter(film)[0].between

        def write(film: films.Film = film) -> None:
            html.to_bytes(film)

        def draw(film: films.Film = film, between: int = between) -> None:
            looks = [replace(film, look=replace(film.look, theme=theme)) for theme in ("light", "dark")]
            for index in range(len(film.times.beats)):
                for number in range(between + 1):
                    moment = replace(film.times.settled(index), phase=(number + 1) / (between + 1))
                    for each in looks:
                        each.drawn(moment)

        yield Row(f"{what}: size of the page", lambda film=film: len(html.to_bytes(film)) / 1e6,  # type: ignore[misc]
                  lambda: html.MOST / 1e6, "what it may have", 1.0, unit="MB")
        yield Row(f"{what}: write the page", write, draw, "the same frames drawn", 3.0)


def opened() -> Iterator[Row | Skipped]:
    """The time until a page can be stepped through."""
    if browser.CHROMIUM is None:
        yield Skipped("open a page in a browser", "Chromium is missing; .ci/run installs it as root")
        return
    with tempfile.TemporaryDirectory() as folder, browser.browser(Path(folder) / "profile") as seen:
        empty = Path(folder) / "empty.html"
        empty.write_text(EMPTY, "utf-8")
        for what, film in _films():
            page = Path(folder) / "page.html"
            page.write_bytes(html.to_bytes(film))

            def until_ready(path: Path) -> float:
                seen.open(path)
                return float(seen.run("performance.now()"))

            yield Row(f"{what}: open the page", lambda page=page: until_ready(page),  # type: ignore[misc]
                      lambda: until_ready(empty), "an empty page", 30.0)
