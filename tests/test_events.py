"""The window under whatever a person does: 2,000 things at random from a seed; with --soak 20,000, and half an hour."""

from __future__ import annotations

import os

import pytest

from tests.events import MODELS, alive, megabytes, soak


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nothing_that_a_person_does_is_raised_as_a_fault(request, qapp, monkeypatch, tmp_path, qtlog):
    """Without an engine's answers it would be another window: the engine runs, too."""
    from visualizer import app as the_app

    monkeypatch.setenv("VISUALIZER_STATE", str(tmp_path))
    the_app.application()
    whole = request.config.getoption("--soak")
    count, models = (20_000, MODELS) if whole else (2_000, ("mlp_mnist", "adding_rnn", "lab"))
    before = alive()  # other tests hold some
    with qtlog.disabled():  # the plugin without a screen says what it cannot do
        soak(minutes=600, seed=request.config.getoption("--seed") or 1, most=count, models=models,
             hurry=not whole)
    assert not list(tmp_path.glob("faults*.log"))
    assert alive() - before <= 60


@pytest.mark.skipif(os.name != "posix", reason="memory is read from /proc")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_half_an_hour_takes_no_more_memory_than_the_first_minutes(request, qapp, monkeypatch, tmp_path, qtlog):
    """At most 5 % more than when it was warm."""
    if not request.config.getoption("--soak"):
        pytest.skip("half an hour; run it with --soak")
    from visualizer import app as the_app

    monkeypatch.setenv("VISUALIZER_STATE", str(tmp_path))
    the_app.application()
    with qtlog.disabled():
        warm, last = soak(minutes=30, seed=3)
    assert last <= 1.05 * warm, (warm, last, megabytes())
