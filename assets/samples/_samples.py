"""What the makers of the samples share: where the recipes are, and how a list of samples is written."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent.parent / "models"))  # the recipes say what is held out from training


def data_dir(about: str | None) -> Path:
    """The folder of the data, asked for on the command line."""
    ask = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("data_dir", type=Path, help="the folder that holds the data of the recipes")
    return ask.parse_args().data_dir


def write(name: str, about: dict[str, Any], samples: list[dict[str, Any]]) -> None:
    """Write `name`.json: what the samples are, then one sample a line."""
    lines = [json.dumps(sample, ensure_ascii=False) for sample in samples]
    text = json.dumps(about, ensure_ascii=False)[:-1] + ', "samples": [\n  ' + ",\n  ".join(lines) + "\n]}\n"
    (HERE / f"{name}.json").write_text(text, encoding="utf-8", newline="\n")


def evenly(count: int, wanted: int) -> list[int]:
    """`wanted` places among `count`, each in the middle of its share."""
    return [(2 * k + 1) * count // (2 * wanted) for k in range(wanted)]
