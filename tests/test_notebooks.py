"""The notebook that comes with the app: it runs from its first cell to its last, and is kept without what came out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from visualizer import registry

(BOOK,) = registry.files("assets", "notebooks/*.ipynb")


def test_it_is_kept_without_outputs() -> None:
    book = json.loads(BOOK.read_text(encoding="utf-8"))
    for cell in book["cells"]:
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
    assert "widgets" not in book["metadata"]


@pytest.mark.filterwarnings("ignore")  # those of Jupyter's own clients
def test_it_runs_and_shows_what_it_says(tmp_path: Path) -> None:
    for package in ("nbclient", "nbformat", "ipykernel", "pandas"):
        pytest.importorskip(package, reason=f"{package} is missing; pip install -e '.[test]'")
    import nbclient
    import nbformat

    book = nbformat.read(BOOK, as_version=4)
    nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    pages = [output["data"]["text/html"] for output in shown if "text/html" in output.get("data", {})]
    pictures = [page for page in pages if "<img" in page]
    assert len(pictures) == 3, "a recording, a picture, a step"
    assert all(len(re.search(r'<img alt="([^"]*)"', page)[1]) > 20 for page in pictures)
    assert any("<th>conv</th>" in page for page in pages), "the frame"
    said = "".join(output["text"] for output in shown if output.output_type == "stream")
    assert said.startswith("There is no screen here to open a window on; copy Bars.trace")
    assert {path.name for path in tmp_path.iterdir()} == {"bars", "bars.svg", "Bars.trace"}
    assert len(list((tmp_path / "bars").iterdir())) == 5
    (worst,) = [float(output["data"]["text/plain"]) for output in shown
                if re.fullmatch(r"\d\.\d+e-\d+", output.get("data", {}).get("text/plain", ""))]
    assert worst < 1e-5
