"""Make digits_cnn.run and adding_lstm.run: longer trainings whose checkpoints come with the app.

    python make_runs.py

The live recipe of each network, gone on with to 3,162 updates; 16 checkpoints evenly on a log axis, float16, and some
of the updates. The same bytes each time on the same kind of processor.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))  # the project that these files are part of

from visualizer import registry  # noqa: E402
from visualizer.record import training  # noqa: E402
from visualizer.train import kept  # noqa: E402

UPDATES, PER_TENFOLD, UPDATES_PER_TENFOLD = 3162, 4, 40
RUNS = {"digits_cnn": "digit-2148", "adding_lstm": ""}


def evenly(per_tenfold: int) -> frozenset[int]:
    """Numbers of updates, evenly on a log axis, and 0."""
    return frozenset({0, *(round(10 ** (place / per_tenfold)) for place in range(4 * per_tenfold))})


def main() -> None:
    for model, sample in RUNS.items():
        run, learner = training.begin(model, sample=sample)
        updates, checkpoints, named = [], list(run.checkpoints), []
        for news in training.advance(run, learner, UPDATES):
            updates += news.updates
            checkpoints += news.checkpoints
            named += news.named
        stays = evenly(PER_TENFOLD)
        run = replace(run, checkpoints=()).grown(updates, [each for each in checkpoints if each.step in stays], named)
        content = kept.to_bytes(kept.thinned(run, evenly(UPDATES_PER_TENFOLD)), half=True)
        registry.write_whole(HERE / f"{model}{kept.SUFFIX}", content)
        print(model, len(content), len(run.checkpoints), run.checkpoints[-1].held_loss, run.checkpoints[-1].held_right)


if __name__ == "__main__":
    main()
