"""Networks that are larger than a screen, made of blocks; few channels, so that they are recorded in no time."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import visualizer
from visualizer.trace import Trace


class Residual(nn.Module):
    """A block of a ResNet: two convolutions, or three with a narrow one between (Bottleneck)."""

    def __init__(self, given: int, wide: int, stride: int = 1, narrow: bool = False) -> None:
        super().__init__()
        sizes = [(1, 1), (3, stride), (1, 1)] if narrow else [(3, stride), (3, 1)]
        out, read = 4 * wide if narrow else wide, given
        self.count = len(sizes)
        for number, (size, step) in enumerate(sizes, 1):
            made = out if number == len(sizes) else wide
            setattr(self, f"conv{number}", nn.Conv2d(read, made, size, step, size // 2, bias=False))
            setattr(self, f"bn{number}", nn.BatchNorm2d(made))
            read = made
        self.relu = nn.ReLU()
        self.downsample = nn.Sequential(nn.Conv2d(given, out, 1, stride, bias=False), nn.BatchNorm2d(out)) \
            if stride > 1 or given != out else None

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for number in range(1, self.count + 1):
            y = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(y))
            y = self.relu(y) if number < self.count else y
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, counts: tuple[int, ...], narrow: bool, wide: int = 4) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, wide, 7, 2, 3, bias=False), nn.BatchNorm2d(wide)
        self.relu, self.maxpool = nn.ReLU(), nn.MaxPool2d(3, 2, 1)
        given, self.stages = wide, len(counts)
        for stage, count in enumerate(counts):
            own = []
            for number in range(count):
                own.append(Residual(given, wide << stage, 2 if stage and not number else 1, narrow))
                given = (wide << stage) * (4 if narrow else 1)
            setattr(self, f"layer{stage + 1}", nn.Sequential(*own))
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(given, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.fc(torch.flatten(self.avgpool(x), 1))


def twice(given: int, made: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(given, made, 3, 1, 1), nn.BatchNorm2d(made), nn.ReLU(),
                         nn.Conv2d(made, made, 3, 1, 1), nn.BatchNorm2d(made), nn.ReLU())


class UNet(nn.Module):
    def __init__(self, wide: int = 4) -> None:
        super().__init__()
        self.inc = twice(1, wide)
        self.down = nn.ModuleList(nn.Sequential(nn.MaxPool2d(2), twice(wide << n, wide << n + 1)) for n in range(3))
        self.up = nn.ModuleList(nn.ConvTranspose2d(wide << n + 1, wide << n, 2, 2) for n in (2, 1, 0))
        self.dec = nn.ModuleList(twice(wide << n + 1, wide << n) for n in (2, 1, 0))
        self.outc = nn.Conv2d(wide, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        kept = [self.inc(x)]
        for down in self.down:
            kept.append(down(kept[-1]))
        x = kept.pop()
        for up, dec in zip(self.up, self.dec, strict=True):
            x = dec(torch.cat([kept.pop(), up(x)], 1))
        return self.outc(x)


class DenseLayer(nn.Module):
    def __init__(self, given: int, grown: int) -> None:
        super().__init__()
        self.norm, self.relu = nn.BatchNorm2d(given), nn.ReLU()
        self.conv = nn.Conv2d(given, grown, 3, 1, 1, bias=False)

    def forward(self, known: list[Tensor]) -> Tensor:
        return self.conv(self.relu(self.norm(torch.cat(known, 1))))


class DenseNet(nn.Module):
    def __init__(self, grown: int = 3, counts: tuple[int, ...] = (3, 3)) -> None:
        super().__init__()
        self.stem, given = nn.Conv2d(3, 6, 3, 2, 1), 6
        self.dense = nn.ModuleList()
        for count in counts:
            self.dense.append(nn.ModuleList(DenseLayer(given + grown * n, grown) for n in range(count)))
            given += grown * count
        self.fc = nn.Linear(given, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for group in self.dense:
            known = [x]
            for layer in group:
                known.append(layer(known))
            x = torch.cat(known, 1)
        return self.fc(x.mean((2, 3)))


class ConvNormReLU(nn.Module):
    def __init__(self, given: int, made: int, size: int) -> None:
        super().__init__()
        self.conv, self.bn = nn.Conv2d(given, made, size, padding=size // 2, bias=False), nn.BatchNorm2d(made)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class Inception(nn.Module):
    def __init__(self, given: int, wide: int) -> None:
        super().__init__()
        self.one = ConvNormReLU(given, wide, 1)
        self.three = nn.Sequential(ConvNormReLU(given, wide, 1), ConvNormReLU(wide, wide, 3))
        self.pooled = nn.Sequential(nn.MaxPool2d(3, 1, 1), ConvNormReLU(given, wide, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.one(x), self.three(x), self.pooled(x)], 1)


class Inceptions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.a, self.b, self.fc = ConvNormReLU(3, 6, 3), Inception(6, 3), Inception(9, 3), nn.Linear(9, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.b(self.a(self.stem(x))).mean((2, 3)))


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(30, 8)
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True), 6,
                                             enable_nested_tensor=False)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(self.embed(x)).mean(1))


def perceptron(count: int = 20) -> nn.Sequential:
    inner = [part for _ in range(count - 2) for part in (nn.Linear(24, 24), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 24), nn.ReLU(), *inner, nn.Linear(24, 10))


def pair(given: int, made: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(given, made, 3, 1, 1), nn.Tanh(), nn.BatchNorm2d(made))


class Nested(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Sequential(pair(1, 4), pair(4, 4), nn.MaxPool2d(2)),
                                  nn.Sequential(pair(4, 8), nn.Sequential(pair(8, 8), pair(8, 8))), nn.Flatten())
        self.head = nn.Linear(8 * 4 * 4, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x))


class Siamese(nn.Module):
    """One module that is called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(*(part for _ in range(4) for part in (nn.Linear(8, 8), nn.Tanh())))

    def forward(self, a: Tensor) -> Tensor:
        return self.net(a) - self.net(a.flip(1))


MADE = {
    "resnet18": lambda: (ResNet((2, 2, 2, 2), False), torch.randn(1, 3, 64, 64), 3),
    "resnet50": lambda: (ResNet((3, 4, 6, 3), True), torch.randn(1, 3, 64, 64), 3),
    "unet": lambda: (UNet(), torch.randn(1, 1, 32, 32), None),
    "densenet": lambda: (DenseNet(), torch.randn(1, 3, 32, 32), 3),
    "inception": lambda: (Inceptions(), torch.randn(1, 3, 24, 24), 3),
    "encoder": lambda: (Encoder(), torch.randint(0, 30, (1, 12)), 2),
    "perceptron": lambda: (perceptron(), torch.randn(1, 1, 8, 8), 3),
    "nested": lambda: (Nested(), torch.randn(1, 1, 8, 8), 3),
    "siamese": lambda: (Siamese(), torch.randn(1, 8), 3),
}
"""Name -> (model, input, target)."""


@cache
def made(name: str) -> tuple[nn.Module, Tensor, Trace]:
    """The model, its input, and its recording."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model, x, target = MADE[name]()
    return model.eval(), x, visualizer.capture(model.eval(), x, target)


def deep(name: str) -> Trace:
    return made(name)[2]
