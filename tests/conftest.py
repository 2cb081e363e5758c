"""What all tests share: no screen is needed, and pictures and texts are compared with the ones kept in tests/golden."""

import os
import tempfile

os.environ["QT_QPA_PLATFORM"] = "offscreen"
# One thread, as in the engine: two of them on a busy machine wait for each other, up to a hundred times longer.
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
os.environ["VISUALIZER_STATE"] = tempfile.mkdtemp(prefix="visualizer-tests-")

from pathlib import Path

import numpy as np
import pytest

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew instead of comparing")


@pytest.fixture(scope="session", autouse=True)
def one_application(qapp):
    """Qt knows one application a process: it must be the kind that windows need, whichever test comes first."""
    return qapp


@pytest.fixture
def golden_text(request):
    """golden_text(name, text): the text equals tests/golden/<name>.txt."""

    def compare(name, text):
        path = GOLDEN / f"{name}.txt"
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        assert path.exists(), f"there is no {path.name}; run with --update-golden and look at what it writes"
        assert text == path.read_text(encoding="utf-8")

    return compare


@pytest.fixture
def golden_image(request):
    """golden_image(name, pixels): (height, width, 3) bytes look like tests/golden/<name>.png."""
    from PIL import Image

    def compare(name, pixels):
        path = GOLDEN / f"{name}.png"
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(pixels).save(path)
            return
        assert path.exists(), f"there is no {path.name}; run with --update-golden and look at what it writes"
        with Image.open(path) as image:
            golden = np.array(image.convert("RGB"))
        complaint = looks_different(golden, pixels)
        assert not complaint, f"{path.name}: {complaint}"

    return compare


BLOCK = 12
"""Pixels on a side of the blocks in which edges are judged, so that one wrong word cannot hide in a large picture."""


def looks_different(golden, pixels, flat=2, edge=0.12):
    """What a person would see between two pictures, in a few words; empty if nothing.

    Inside flat areas no pixel may differ by more than `flat` levels. Along edges, where letters and slanted lines are
    smoothed and another version of Qt may smooth otherwise, the difference in each block may be the share `edge` of
    the contrast there: a faint line counts as much as a strong one.
    """
    if golden.shape != pixels.shape:
        return f"it is {pixels.shape[1]} × {pixels.shape[0]}, not {golden.shape[1]} × {golden.shape[0]}"
    difference = np.abs(golden.astype(int) - pixels.astype(int)).max(axis=-1)
    contrast = _contrast(golden)
    edges = contrast > 8
    wrong = ~edges & (difference > flat)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        return f"{np.count_nonzero(wrong)} pixels differ where nothing should be, the first at ({column}, {row})"
    share = _blocks(np.where(edges, difference, 0)) / np.maximum(_blocks(np.where(edges, contrast, 0)), 100)
    if share.max() > edge:
        row, column = np.unravel_index(share.argmax(), share.shape)
        return f"edges differ by {share.max():.0%} of their contrast around ({column * BLOCK}, {row * BLOCK})"
    return ""


def _contrast(pixels):
    """How far the colours in the 3 × 3 pixels around each pixel lie apart: 0 in flat areas."""
    padded = np.pad(pixels.astype(int), ((1, 1), (1, 1), (0, 0)), mode="edge")
    height, width = pixels.shape[:2]
    around = np.stack([padded[dy:dy + height, dx:dx + width] for dy in range(3) for dx in range(3)])
    return (around.max(axis=0) - around.min(axis=0)).max(axis=-1)


def _blocks(values):
    """Sums over blocks of BLOCK × BLOCK pixels."""
    height, width = values.shape
    padded = np.pad(values, ((0, -height % BLOCK), (0, -width % BLOCK)))
    return padded.reshape(padded.shape[0] // BLOCK, BLOCK, padded.shape[1] // BLOCK, BLOCK).sum(axis=(1, 3))
