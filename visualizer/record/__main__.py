"""Make the recordings that are shipped: `python -m visualizer.record assets/traces`."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from visualizer.record import record

SHIPPED = (("digits_cnn", "digit-2148"),)
"""Model and sample of each recording; the window opens on the first."""


def main() -> None:
    """Record each with one thread, so that the same machine gives the same bytes, and save it as MODEL.trace."""
    if len(sys.argv) != 2:
        raise SystemExit(f"{(__doc__ or '').strip()}")
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for model, sample in SHIPPED:
        print(record(model, sample).save(folder / f"{model}.trace"))


if __name__ == "__main__":
    main()
