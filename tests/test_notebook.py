"""From Python: what a notebook shows of a recording and of a picture, the frame of its layers, and the app on both."""

from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import visualizer
from tests.recorded import recorded
from visualizer import data, language, notebook
from visualizer.scene.picture import Picture, Table
from visualizer.trace import Refused, Trace


class Page(HTMLParser):
    """What stands in a page: its tags with their attributes, and its words; fails where tags do not close."""

    ALONE = ("img",)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attributes) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in self.ALONE:
            self._open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self._open.pop() == tag

    def handle_data(self, words) -> None:
        self.words.append(words)

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


@pytest.fixture(scope="module")
def trace() -> Trace:
    return recorded("digits_cnn")


def test_a_recording_shows_its_first_picture_and_every_layer(trace: Trace) -> None:
    bundle = trace._repr_mimebundle_()
    assert {*bundle} == {"text/html", "image/png", "text/plain"}
    page = Page(bundle["text/html"])
    (image,) = [attributes for tag, attributes in page.tags if tag == "img"]
    assert image["alt"] == visualizer.draw(trace).caption
    assert page.count("tr") == 1 + len(trace.layers)
    for layer in trace:
        assert layer.name in page.words
        assert re.search(rf"^{re.escape(layer.name)} .*{' × '.join(map(str, layer.shape))}", bundle["text/plain"], re.M)
    assert trace._repr_mimebundle_() == bundle, "the same recording shows itself the same"


def test_a_picture_shows_itself_with_its_sentence_and_its_table(trace: Trace) -> None:
    picture = visualizer.draw(trace, view="gradient_flow")
    bundle = picture._repr_mimebundle_()
    assert {*bundle} == {"text/html", "image/svg+xml", "image/png", "text/plain"}
    assert bundle["image/png"].startswith(b"\x89PNG")
    assert bundle["image/svg+xml"].startswith("<?xml")
    assert bundle["text/plain"].endswith(picture.caption)
    page = Page(bundle["text/html"])
    assert page.count("tr") == 1 + min(len(picture.table.rows), notebook.MOST_ROWS)
    assert picture.caption in page.words
    assert len(json.dumps({name: str(shown) for name, shown in bundle.items()})) < 8 * notebook.MOST_PNG


def test_only_what_is_asked_for_is_made(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook, "_pixels", lambda picture: pytest.fail("nobody asked for pixels"))
    assert {*trace._repr_mimebundle_(include=["text/plain"])} == {"text/plain"}
    picture = visualizer.draw(trace)
    assert {*picture._repr_mimebundle_(exclude=["text/html", "image/png", "image/svg+xml"])} == {"text/plain"}


def test_what_a_file_calls_its_layers_is_no_markup() -> None:
    rows = tuple((f"<b>{number}</b>", number) for number in range(notebook.MOST_ROWS + 3))
    picture = Picture((40, 30), (), caption='<script>"&', table=Table(("<i>", "n"), rows))
    page = Page(picture._repr_mimebundle_()["text/html"])
    assert page.count("script") == page.count("b") == page.count("i") == 0
    assert '<script>"&' in page.words
    assert "… and 3 rows more." in page.words
    assert page.count("tr") == 1 + notebook.MOST_ROWS


def test_it_speaks_the_language_that_is_spoken(trace: Trace) -> None:
    with language.speaking("de"):
        assert "Schicht" in trace._repr_mimebundle_(include=["text/plain"])["text/plain"]


def test_a_large_drawing_is_left_to_its_pixels(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook, "MOST_SVG", 10)
    assert "image/svg+xml" not in visualizer.draw(trace)._repr_mimebundle_()


# --- the frame ------------------------------------------------------------------------------------------------------

def test_the_frame_has_the_numbers_of_every_layer(trace: Trace) -> None:
    pytest.importorskip("pandas", reason="pandas is missing; pip install -e '.[test]'")
    frame = trace.frame()
    assert list(frame.index) == [layer.name for layer in trace]
    assert list(frame.columns) == list(data.COLUMNS[1:])
    for layer in trace:
        row = frame.loc[layer.name]
        assert row["shape"] == layer.shape
        assert row["parameters"] == sum(array.size for array in layer.learned.values())
        assert row["min"] == layer.output.min()
        assert row["max"] == layer.output.max()
        assert row["mean"] == pytest.approx(layer.output.astype(np.float64).mean(), rel=1e-12)
        if layer.gradient is not None:
            assert row["gradient"] == pytest.approx(float(np.sqrt((layer.gradient.astype(np.float64) ** 2).sum())))
        else:
            assert np.isnan(row["gradient"])
    assert frame["parameters"].sum() == trace.parameters


def test_without_pandas_one_sentence_says_what_to_install(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(Refused, match=r"^[^.]+; install it with `pip install pandas`\.$"):
        trace.frame()


# --- the app --------------------------------------------------------------------------------------------------------

@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What would be started where there is a screen."""
    found: list[list[str]] = []
    monkeypatch.setattr("subprocess.Popen", lambda words, **options: found.append(words))
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    return found


def test_the_app_opens_on_a_model_recorded_here(started: list[list[str]]) -> None:
    import torch

    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    visualizer.show(model, torch.ones(1, 3), target=1, labels=("no", "yes"), name="mine", seed=3)
    ((*words, path),) = started
    assert words == [sys.executable, "-m", "visualizer", "open"]
    shown = visualizer.load(path)
    assert (shown.model, shown.labels, shown.objective.target, shown.seed) == ("mine", ("no", "yes"), 1, 3)


def test_the_app_opens_on_a_recording_and_on_what_has_a_name(trace: Trace, started, tmp_path: Path) -> None:
    visualizer.show(trace, path=tmp_path / "kept.trace")
    visualizer.show("digits_cnn")
    visualizer.show(tmp_path)
    assert [words[-1] for words in started] == [str(tmp_path / "kept.trace"), "digits_cnn", str(tmp_path)]
    assert visualizer.load(tmp_path / "kept.trace").digest == trace.digest


@pytest.mark.parametrize("platform", ["", "offscreen"])
def test_without_a_screen_one_sentence_says_how_to_carry_it(trace: Trace, platform: str, tmp_path: Path, capsys,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QT_QPA_PLATFORM", platform)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("subprocess.Popen", lambda *given, **options: pytest.fail("nobody would see that window"))
    assert visualizer.show(trace) is None
    assert visualizer.show(trace) is None
    assert {path.name for path in tmp_path.iterdir()} == {"digits_cnn.trace", "digits_cnn-2.trace"}
    first, second = capsys.readouterr().out.splitlines()
    assert first == ("There is no screen here to open a window on; copy digits_cnn.trace to a computer with one, and "
                     "open it there with `visualizer open digits_cnn.trace`.")
    assert "digits_cnn-2.trace" in second
