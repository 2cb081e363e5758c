"""What all tests share: no screen is needed, and pictures and texts are compared with the ones kept in tests/golden."""

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew instead of comparing")


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
