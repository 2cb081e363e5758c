"""Networks: small architectures of many kinds, on which recordings, explanations and views are measured.

`NETWORKS["conv_dilated"]()` gives `(model, x, target)`: new each time, with the same numbers whatever ran before it,
and one sample. `x` is what `visualizer.capture` takes: a tensor, a tuple of several inputs, a dict of them (by keyword
where `forward` has arguments of these names, else handed over whole); `target` is None where the largest number of
the answer is what is differentiated.

Adding one is writing one function in a file of this folder, one file a family:

    @network()
    def conv_dilated():
        return Does(lambda m, x: m.conv(x).flatten(1), conv=nn.Conv2d(1, 2, 3, dilation=2)), image(1, 8), 3
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from typing import Any
from zlib import crc32

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Made = tuple[nn.Module, Any, Any]


@dataclass(frozen=True)
class Network:
    """One architecture with an input, and what plain torch needs to differentiate it."""

    name: str
    family: str
    """The file that it stands in."""
    make: Callable[[], Made]
    capture: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of `visualizer.capture`."""
    loss: Callable[[Any, Any], Tensor] | None = None
    """(all that the model handed back, target) -> the number that is differentiated; `usual_loss` without it."""
    as_made: bool = False
    """Whether the weights stay as the function left them. Else each is moved a little, so that none is all zeros or
    ones and every parameter can be told from the others by its numbers."""
    training: bool = False
    """Whether it runs as while learning: dropout drops, batch norm measures."""

    def __call__(self) -> Made:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(crc32(self.name.encode()))
            model, x, target = self.make()
            if not self.as_made:
                with torch.no_grad():
                    for parameter in model.parameters():
                        parameter.add_(0.1 * torch.randn_like(parameter))
        return model.train(self.training), x, target

    def objective(self, returned: Any, target: Any) -> Tensor:
        return (self.loss or usual_loss)(returned, target)


NETWORKS: dict[str, Network] = {}


def network(**more: Any) -> Callable[[Callable[[], Made]], Network]:
    """Put what a function makes among the networks, under its name; `more` are fields of Network."""
    def added(make: Callable[[], Made]) -> Network:
        name = make.__name__
        assert name not in NETWORKS, f"two networks are called {name}"
        NETWORKS[name] = Network(name, make.__module__.rpartition(".")[2], make, **more)
        return NETWORKS[name]

    return added


class Does(nn.Module):
    """Parts, and what is done with them: `Does(lambda m, x: m.fc(x).relu(), fc=nn.Linear(3, 2))`."""

    def __init__(self, does: Callable[..., Any], **parts: Any) -> None:
        super().__init__()
        self.does = does
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *given: Any) -> Any:
        return self.does(self, *given)


def run(model: nn.Module, x: Any) -> Any:
    """Hand a network what it is fed, as `visualizer.capture` does."""
    if isinstance(x, tuple):
        return model(*x)
    if isinstance(x, dict) and x.keys() <= inspect.signature(model.forward).parameters.keys():
        return model(**x)
    return model(x)


def usual_loss(returned: Any, target: Any) -> Tensor:
    """Of the first tensor handed back: its cross entropy against a class, or against one at each step; the square of
    how far it is from a number; without a target its largest number."""
    answer = floating(returned)[0]
    if target is None:
        return answer.flatten()[int(answer.detach().argmax())]
    if isinstance(target, float):
        return (answer - target).square().mean()
    if isinstance(target, int):
        return F.cross_entropy(answer.reshape(1, -1), torch.tensor([target]))
    return F.cross_entropy(answer.reshape(len(target), -1), torch.tensor(target))


def floating(value: Any) -> list[Tensor]:
    return [tensor for tensor in tensors_in(value) if tensor.is_floating_point()]


def tensors_in(value: Any) -> list[Tensor]:
    """Every tensor in nested tuples, lists, dicts and dataclasses."""
    if isinstance(value, Tensor):
        return [value]
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, tuple | list) else \
        [getattr(value, name) for name in getattr(value, "__dataclass_fields__", ())]
    return [tensor for item in inside for tensor in tensors_in(item)]


def image(channels: int, size: int) -> Tensor:
    return torch.randn(1, channels, size, size)


def sequence(steps: int, units: int) -> Tensor:
    """Batch first."""
    return torch.randn(1, steps, units)


def tokens(steps: int, words: int) -> Tensor:
    return torch.randint(words, (1, steps))


for _found in iter_modules(__path__):
    import_module(f"{__name__}.{_found.name}")
