"""Large networks as people bring them: a ResNet-50, a U-Net, a VGG-16, a net of depthwise convolutions, and the same in
small for tests that run every time. Their weights are drawn from a seed; `(model, x, target)` as in `tests.networks`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

Made = tuple[nn.Module, Tensor, int | None]


class Bottleneck(nn.Module):
    """1 × 1, 3 × 3, 1 × 1, added to what it reads (He et al. 2016)."""

    def __init__(self, reads: int, width: int, gives: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(reads, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, gives, 1, bias=False), nn.BatchNorm2d(gives)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None if reads == gives and stride == 1 else nn.Sequential(
            nn.Conv2d(reads, gives, 1, stride, bias=False), nn.BatchNorm2d(gives))

    def forward(self, x: Tensor) -> Tensor:
        made = self.relu(self.bn1(self.conv1(x)))
        made = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(made)))))
        made += x if self.downsample is None else self.downsample(x)
        return self.relu(made)


class ResNet(nn.Module):
    """A stem, stages of bottlenecks that double in width, the mean of each channel, one linear layer."""

    def __init__(self, blocks: Sequence[int], width: int, classes: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
        self.relu, self.maxpool = nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        reads = width
        for stage, count in enumerate(blocks):
            inside = width << stage
            made = [Bottleneck(reads if first else 4 * inside, inside, 4 * inside, 2 if first and stage else 1)
                    for first in (number == 0 for number in range(count))]
            setattr(self, f"layer{stage + 1}", nn.Sequential(*made))
            reads = 4 * inside
        self.stages = len(blocks)
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(reads, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        answer: Tensor = self.fc(torch.flatten(self.avgpool(x), 1))
        return answer


class UNet(nn.Module):
    """Down by pooling, up by transposed convolutions, and across by joining (Ronneberger et al. 2015)."""

    def __init__(self, width: int, depth: int, classes: int) -> None:
        super().__init__()
        widths = [width << level for level in range(depth + 1)]
        self.down = nn.ModuleList(_twice(reads, gives) for reads, gives in zip([3, *widths], widths, strict=False))
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * gives, gives, 2, 2) for gives in reversed(widths[:-1]))
        self.across = nn.ModuleList(_twice(2 * gives, gives) for gives in reversed(widths[:-1]))
        self.pool, self.head = nn.MaxPool2d(2), nn.Conv2d(width, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        kept = []
        for number, block in enumerate(self.down):
            x = block(self.pool(x) if number else x)
            kept.append(x)
        kept.pop()
        for up, block in zip(self.up, self.across, strict=True):
            x = block(torch.cat([kept.pop(), up(x)], 1))
        answer: Tensor = self.head(x)
        return answer


class Separable(nn.Module):
    """Widened by 1 × 1, depthwise 3 × 3, narrowed by 1 × 1, added where it fits (Sandler et al. 2018)."""

    def __init__(self, reads: int, gives: int, stride: int, widened: int = 6) -> None:
        super().__init__()
        width = reads * widened
        self.conv = nn.Sequential(
            nn.Conv2d(reads, width, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU6(inplace=True),
            nn.Conv2d(width, width, 3, stride, 1, groups=width, bias=False), nn.BatchNorm2d(width),
            nn.ReLU6(inplace=True), nn.Conv2d(width, gives, 1, bias=False), nn.BatchNorm2d(gives))
        self.adds = reads == gives and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = self.conv(x)
        return x + made if self.adds else made


def resnet50() -> Made:
    """25.6 M parameters, 176 layers."""
    return _made(lambda: ResNet((3, 4, 6, 3), 64, 1000), (3, 224, 224), 7)


def unet() -> Made:
    """31 M parameters, at 128 × 128."""
    return _made(lambda: UNet(64, 4, 2), (3, 128, 128), None)


def vgg16() -> Made:
    """138 M parameters, nine tenths of them in three linear layers."""
    def build() -> nn.Module:
        parts: list[nn.Module] = []
        reads = 3
        for gives in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0):
            parts += [nn.Conv2d(reads, gives, 3, padding=1), nn.ReLU(inplace=True)] if gives else [nn.MaxPool2d(2)]
            reads = gives or reads
        return nn.Sequential(*parts, nn.Flatten(), nn.Linear(512 * 7 * 7, 4096), nn.ReLU(inplace=True), nn.Dropout(),
                             nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(), nn.Linear(4096, 1000))

    return _made(build, (3, 224, 224), 7)


def mobile() -> Made:
    """3.5 M parameters, 155 layers."""
    def build() -> nn.Module:
        parts: list[nn.Module] = [nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6(inplace=True)]
        reads = 32
        for widened, gives, count, stride in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                              (6, 160, 3, 2), (6, 320, 1, 1)):
            for number in range(count):
                parts.append(Separable(reads, gives, 1 if number else stride, widened))
                reads = gives
        return nn.Sequential(*parts, nn.Conv2d(320, 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.ReLU6(inplace=True),
                             nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000))

    return _made(build, (3, 224, 224), 7)


def sixty() -> Made:
    """A ResNet of 60 layers at 32 × 32: what the large ones ask for, in milliseconds."""
    return _made(lambda: ResNet((2, 2, 1), 8, 10), (3, 32, 32), 3)


LARGE: dict[str, Callable[[], Made]] = {each.__name__: each for each in (resnet50, unet, vgg16, mobile)}


def _twice(reads: int, gives: int) -> nn.Sequential:
    return nn.Sequential(*(part for number in (reads, gives) for part in (
        nn.Conv2d(number, gives, 3, padding=1, bias=False), nn.BatchNorm2d(gives), nn.ReLU(inplace=True))))


def _made(build: Callable[[], nn.Module], shape: tuple[int, ...], target: int | None) -> Made:
    """The model with drawn weights and running statistics, in evaluation mode, and one sample."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(14)
        model = build().eval()
        for part in model.modules():
            if isinstance(part, nn.BatchNorm2d):
                nn.init.uniform_(part.running_var, 0.5, 1.5)
                nn.init.normal_(part.running_mean, 0.0, 0.2)
        return model, torch.randn(1, *shape), target
