"""What all tests share: no screen is needed, and pictures and texts are compared with the ones kept in tests/golden.

Large matrices. A test over many combinations says `@pytest.mark.matrix(spine=("digits_cnn", "rows_lstm-gates"),
sample=10)` above its `parametrize`. `pytest --all` runs every combination. Without it those run whose id has one of
the words of `spine` between its dashes, and of the others a sample: first so many that every value of every parameter
is there at least once, then up to `sample`. The sample is the same each time; `--seed 1` draws another. A test
that goes through its combinations itself takes the fixture: `for view, size in some(cases, spine=[…], sample=10)`. With
`each=False` the sample is no larger than it says, though some values are left out then: for combinations that each take
seconds. A combination named on the command line always runs.

Numbers that a processor computed are compared with `tests.close.assert_close`, which says why.
"""

import os
import tempfile

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.update(LANGUAGE="en", LC_ALL="C.UTF-8")  # whatever the person who runs them speaks
os.environ.update(DBUS_SESSION_BUS_ADDRESS="", XDG_CURRENT_DESKTOP="")  # and asks of the system
# One thread, as in the engine: two of them on a busy machine wait for each other, up to a hundred times longer.
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
# Processes that tests start would otherwise compile every file again, each of them for seconds.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ["VISUALIZER_STATE"] = tempfile.mkdtemp(prefix="visualizer-tests-")

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew instead of comparing")
    parser.addoption("--all", action="store_true", help="every combination of the large matrices, not a sample")
    parser.addoption("--soak", action="store_true", help="20,000 random events instead of 2,000, and half an hour")
    parser.addoption("--seed", type=int, default=0, help="draw another sample of the large matrices")


def pytest_configure(config):
    config.addinivalue_line("markers", "matrix(spine, sample, each): many combinations, of which `--all` runs all")


def pytest_collection_modifyitems(config, items):
    """Leave out what neither the spine nor the sample of its matrix has."""
    if config.getoption("--all"):
        return
    matrices, named = {}, [argument for argument in config.args if "[" in argument]
    for item in items:
        if item.get_closest_marker("matrix") and not any(argument.endswith(item.nodeid) for argument in named):
            matrices.setdefault((item.path, item.originalname), []).append(item)
    left_out = set()
    for (path, name), combinations in matrices.items():
        words = dict(combinations[0].get_closest_marker("matrix").kwargs)
        kept = chosen([item.callspec.id for item in combinations], **words,
                      seed=f"{config.getoption('--seed')} {path.name} {name}")
        left_out |= {item.nodeid for item, keep in zip(combinations, kept, strict=True) if not keep}
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in left_out])
        items[:] = [item for item in items if item.nodeid not in left_out]


@pytest.fixture
def some(request):
    """some(cases, spine=…, sample=…, each=…): those of these tuples that run; with `--all` every one."""

    def draw(cases, *, spine=(), sample=10, each=True):
        cases = list(cases)
        if request.config.getoption("--all"):
            return cases
        names = ["-".join(map(str, case)) for case in cases]
        kept = chosen(names, spine, sample, each, f"{request.config.getoption('--seed')} {request.node.name}")
        return [case for case, keep in zip(cases, kept, strict=True) if keep]

    return draw


def chosen(names, spine=(), sample=10, each=True, seed=""):
    """For each combination, `digits_cnn-walk-dark`, whether it is of the spine or in the sample."""
    kept = {name for name in names if any(f"-{word}-" in f"-{name}-" for word in spine)}
    seen = {word for name in kept for word in name.split("-")}
    others = sorted(set(names) - kept)
    Random(seed).shuffle(others)
    drawn = set()
    for name in others if each else ():
        if not seen.issuperset(name.split("-")):
            drawn.add(name)
            seen.update(name.split("-"))
    for name in others:
        if len(drawn) >= sample:
            break
        drawn.add(name)
    return [name in kept or name in drawn for name in names]


@pytest.fixture(scope="session", autouse=True)
def one_application(qapp):
    """Qt knows one application a process: it must be the kind that windows need, whichever test comes first."""
    return qapp


@pytest.fixture
def without_before(monkeypatch):
    """without_before(name): as if that bundled network came without its weights from before training."""
    from visualizer import door, registry

    weights, card_of = registry.weights, door.card_of

    def forget(name):
        without = replace(card_of(name), before=False)  # cards are kept: the true one is, before it is forgotten
        monkeypatch.setattr(registry, "weights", lambda model, untrained=False: weights(
            f"no {model}" if untrained and model == name else model, untrained))
        monkeypatch.setattr(door, "card_of", lambda model, untrained=False: without if model == name else card_of(
            model, untrained))

    return forget


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
