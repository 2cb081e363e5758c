"""What the digit recipes share: reading MNIST, the training loop, counting right answers, writing the weights."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from types import ModuleType

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

DATA_LICENCE = "MNIST by Yann LeCun and Corinna Cortes, derived from NIST data, CC BY-SA 3.0"
Prepare = Callable[[np.ndarray], Tensor]


def digits(file: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Read one part of MNIST, `train` (60,000) or `test` (10,000).

    Images (N, 28, 28) uint8, 0 background and 255 stroke; labels (N,) uint8.
    """
    with np.load(file) as arrays:
        return arrays[f"x_{part}"], arrays[f"y_{part}"]


def fit(
    new: Callable[[], nn.Module],
    prepare: Prepare,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    seed: int,
    batch: int,
    rate: float,
    steps: int,
    stop: int,
) -> nn.Module:
    """Train a new model with AdamW on the cross entropy.

    The learning rate rises to `rate` in the first fifth of the steps and then falls to nothing; training ends after
    step `stop`. The seed decides the first weights and the order of the images: on one thread, and the same kind of
    processor, the same seed gives the same bits.
    """
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = new().train()
        optimiser = torch.optim.AdamW(model.parameters())
        learning_rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=rate, total_steps=steps, pct_start=0.2)
        for _, chosen in zip(range(stop), batches(len(images), batch), strict=False):
            logits = model(prepare(images[chosen]))
            loss = nn.functional.cross_entropy(logits, torch.tensor(labels[chosen], dtype=torch.long))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            learning_rate.step()
    return model.eval()


def batches(count: int, size: int) -> Iterator[np.ndarray]:
    """Indices of one batch after the other, without end: every epoch deals all images in a new random order."""
    while True:
        yield from torch.randperm(count).numpy()[: count - count % size].reshape(-1, size)


def accuracy(model: nn.Module, prepare: Prepare, images: np.ndarray, labels: np.ndarray) -> float:
    """Share of images whose largest logit is the one of their label."""
    model.eval()
    with one_thread(), torch.inference_mode():
        answers = [model(prepare(images[i : i + 500])).argmax(1).numpy() for i in range(0, len(images), 500)]
    return float((np.concatenate(answers) == labels).mean())


@contextmanager
def one_thread() -> Iterator[None]:
    """One torch thread: sums are then always added in the same order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def publish(recipe: ModuleType) -> None:
    """Train, measure, and write the weights beside the recipe's own file, with a card that says what they are."""
    ask = argparse.ArgumentParser(description=recipe.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("data_dir", type=Path, help=f"the folder that holds {recipe.DATA}")
    data_dir = ask.parse_args().data_dir
    source = Path(recipe.__file__)

    start = perf_counter()
    model = recipe.train(data_dir)
    seconds = perf_counter() - start
    quality = recipe.evaluate(model, data_dir)
    card = {
        "format": "visualizer-model-1",
        "model": source.stem,
        "title": recipe.TITLE,
        "parameters": str(sum(weight.numel() for weight in model.parameters())),
        "input": json.dumps(recipe.INPUT),
        "labels": json.dumps(recipe.LABELS),
        "recipe": recipe.RECIPE,
        "quality": json.dumps(quality),
        "data": recipe.DATA,
        "data_licence": DATA_LICENCE,
        "torch_version": torch.__version__,
    }
    content = weights_file(model.state_dict(), card)
    write_whole(source.with_suffix(".safetensors"), content)
    print(f"{source.stem}: {quality}, trained in {seconds:.0f} s, sha256 {hashlib.sha256(content).hexdigest()}")


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
