"""What every recipe shares: seeded training, batches, one thread, and writing the weights with their card."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import process_time
from types import ModuleType

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Random numbers from `seed` on, and one thread: the same seed gives the same bits on the same kind of processor.

    The random numbers of whoever calls are left as they were.
    """
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@contextmanager
def one_thread() -> Iterator[None]:
    """One torch thread: sums are then always added in the same order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def descend(
    model: nn.Module,
    losses: Iterable[Tensor],
    *,
    rate: float,
    steps: int,
    stop: int,
    clip: float | None = None,
    decay: float = 0.01,
    channels_last: bool = False,
) -> None:
    """Take one step of AdamW for each loss, until step `stop`.

    The learning rate rises to `rate` in the first fifth of `steps` and then falls to nothing. A gradient longer than
    `clip` is shortened to it. With `channels_last` the numbers of a picture lie pixel by pixel meanwhile, not map by
    map: convolutions with few maps take two thirds of the time, and round otherwise. `losses` is drawn from one at a
    time, so each loss is that of the weights of its moment.
    """
    if channels_last:
        model.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=decay)
    learning_rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=rate, total_steps=steps, pct_start=0.2)
    for _, loss in zip(range(stop), losses, strict=False):
        optimiser.zero_grad()
        loss.backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimiser.step()
        learning_rate.step()
    if channels_last:
        model.to(memory_format=torch.contiguous_format)


def batches(count: int, size: int) -> Iterator[np.ndarray]:
    """Indices of one batch after the other, without end: every epoch deals all samples in a new random order."""
    while True:
        yield from torch.randperm(count).numpy()[: count - count % size].reshape(-1, size)


def publish(
    recipe: ModuleType,
    licence: str,
    float16_costs_at_most: float | None = None,
    before: bool = False,
    drawn: bool = False,
) -> None:
    """Train, measure, and write the weights beside the recipe's own file, with a card that says what they are.

    With `float16_costs_at_most` the weights are rounded to float16 if no figure of the measured quality moves further
    than that; the card then says so, and its quality is that of the rounded weights. With `before` the first weights,
    those before training, are written too, as `<name>.before.safetensors`: measured and rounded like the trained ones.
    With `drawn`, for a large network, only their card is: whoever opens it draws them from the seed once more.
    """
    ask = argparse.ArgumentParser(description=recipe.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("data_dir", type=Path, help=f"the folder that holds the data ({recipe.DATA})")
    ask.add_argument("--before", action="store_true", help="write the weights before training only")
    asked = ask.parse_args()
    source = Path(recipe.__file__)

    if not asked.before:
        start = process_time()
        model = recipe.train(asked.data_dir)
        print(f"{source.stem}: trained in {process_time() - start:.0f} s of processor time")
        card = card_of(recipe, licence)
        write_measured(recipe, model, card, asked.data_dir, float16_costs_at_most, source.with_suffix(".safetensors"))
    if before or drawn:
        card = card_of(recipe, licence) | {
            "title": f"{recipe.TITLE}, before training",
            "recipe": f"Not trained: the first weights of the recipe, drawn with seed {recipe.SEED}.",
            "trained": "no",
        }
        target = source.with_suffix(".before.safetensors")
        if drawn:
            write_drawn(recipe, card, asked.data_dir, target)
        else:
            write_measured(recipe, untrained(recipe), card, asked.data_dir, float16_costs_at_most, target)


def untrained(recipe: ModuleType) -> nn.Module:
    """The network with the weights from which the recipe sets out."""
    with seeded(recipe.SEED):
        return recipe.build().eval()


def card_of(recipe: ModuleType, licence: str) -> dict[str, str]:
    """What is known of the weights before they are measured."""
    card = {
        "format": "visualizer-model-1",
        "model": Path(recipe.__file__).stem,
        "title": recipe.TITLE,
        "parameters": str(sum(weight.numel() for weight in recipe.build().parameters())),
        "input": json.dumps(recipe.INPUT),
        "labels": json.dumps(recipe.LABELS),
        "recipe": recipe.RECIPE,
        "data": recipe.DATA,
        "data_licence": licence,
        "torch_version": torch.__version__,
    }
    if hasattr(recipe, "OBJECTIVE"):
        card["objective"] = json.dumps(recipe.OBJECTIVE)
    if hasattr(recipe, "ANSWER"):
        card["answer"] = json.dumps(recipe.ANSWER)
    if hasattr(recipe, "GROUP"):
        card["group"] = recipe.GROUP
    return card


def write_measured(
    recipe: ModuleType, model: nn.Module, card: dict[str, str], data_dir: Path, costs: float | None, target: Path
) -> None:
    """Measure a model and write its weights, rounded to float16 if that moves no figure further than `costs`."""
    quality = recipe.evaluate(model, data_dir)
    weights = {name: weight.clone() for name, weight in model.state_dict().items()}  # which rounding would change
    if costs is not None:
        rounded = {name: weight.half() if weight.is_floating_point() else weight for name, weight in weights.items()}
        model.load_state_dict(rounded)
        moved = recipe.evaluate(model, data_dir)
        print(f"{target.stem}: {quality} as float32, {moved} as float16")
        cheap = all(abs(moved[name] - quality[name]) <= costs for name in quality)
        weights, quality = (rounded, moved) if cheap else (weights, quality)
        card["weights"] = "float16" if cheap else "float32"
    card["quality"] = json.dumps(quality)
    content = weights_file(weights, card)
    write_whole(target, content)
    print(f"{target.stem}: {quality}, sha256 {hashlib.sha256(content).hexdigest()}")


def write_runs(recipe: ModuleType, runs: Iterable[tuple[str, nn.Module, dict[str, float]]], licence: str) -> None:
    """Write what came of a recipe with other seeds and settings beside its weights, as `<name>.runs.safetensors`.

    Each run has a key, `T20.seed1`, which its weights carry before their names, float16. `runs` in the card says of
    each key what was measured of the rounded weights.
    """
    start = process_time()
    weights, measured = {}, {}
    for key, model, facts in runs:
        weights |= {f"{key}.{name}": weight.half() for name, weight in model.state_dict().items()}
        measured[key] = facts
        print(f"{Path(recipe.__file__).stem} {key}: {facts}", flush=True)
    card = card_of(recipe, licence) | {"runs": json.dumps(measured), "weights": "float16"}
    write_whole(Path(recipe.__file__).with_suffix(".runs.safetensors"), weights_file(weights, card))
    print(f"{Path(recipe.__file__).stem}: runs in {process_time() - start:.0f} s of processor time")


def write_drawn(recipe: ModuleType, card: dict[str, str], data_dir: Path, target: Path) -> None:
    """Measure the network from which a recipe sets out, and write its card alone: the seed tells the weights."""
    card |= {"quality": json.dumps(recipe.evaluate(untrained(recipe), data_dir)), "weights": "drawn"}
    write_whole(target, weights_file({}, card))
    print(f"{target.stem}: {card['quality']}")


def weights_file(weights: dict[str, Tensor], card: dict[str, str]) -> bytes:
    """A safetensors file as bytes, its header sorted by name: the library alone writes the card in random order."""
    content = save(weights, metadata=card)
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8:end]), sort_keys=True).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + content[end:]


def write_whole(path: Path, content: bytes) -> None:
    """Write beside the target and rename, so that a reader sees the old file or the new one, never a half."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.chmod(0o644)
    part.replace(path)
