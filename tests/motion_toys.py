"""Small untrained networks in which numbers are moved, joined, added, spread, looked up and attended to."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from visualizer import record
from visualizer.trace import Trace

CLASSES = ("a", "b", "c")


def picture(*shape: int) -> Tensor:
    """Numbers that are different from each other, most of them not 0."""
    count = int(torch.tensor(shape).prod())
    return (torch.sin(torch.arange(count, dtype=torch.float32) * 1.7) * 3).reshape(1, *shape)


class Through(nn.Module):
    """Any function of a picture, and a head that makes three numbers of what comes out."""

    def __init__(self, does: Callable[[Any, Tensor], Tensor], **parts: nn.Module) -> None:
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)
        self.does = does
        self.fc = nn.LazyLinear(3)

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.fc(self.does(self, x).flatten(1))
        return answer


def captured(model: nn.Module, x: Tensor, spread: float = 0.6, **known: Any) -> Trace:
    """Recorded with weights that are the same each time."""
    torch.manual_seed(3)
    with torch.no_grad():
        model(x)
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * (spread / max(1.0, parameter[0].numel() ** 0.5)))
    return record.capture(model.eval(), x, target=1, name="small", title="Small", labels=CLASSES, **known)


def _residual(self: Any, x: Tensor) -> Tensor:
    first = self.conv1(x)
    return torch.relu(first + self.conv2(torch.relu(first)))


def _joined(self: Any, x: Tensor) -> Tensor:
    return torch.cat([self.conv1(x), self.conv2(x)], 1)


def _unet(self: Any, x: Tensor) -> Tensor:
    fine = torch.relu(self.down(x))
    coarse = torch.relu(self.deep(functional.max_pool2d(fine, 2)))
    return torch.relu(self.up(torch.cat([fine, functional.interpolate(coarse, scale_factor=2)], 1)))


def _gated(self: Any, x: Tensor) -> Tensor:
    maps = self.conv1(x)
    return maps * torch.sigmoid(self.squeeze(maps.mean((2, 3))))[:, :, None, None]


def _cut(self: Any, x: Tensor) -> Tensor:
    maps = functional.pad(self.conv1(x), (1, 2, 1, 1))
    one, other = maps.chunk(2, 1)
    return torch.cat([one[:, :, 1:5, 2:6], other[:, :, 0:4, 0:4]], 1)


class Attends(nn.Module):
    """A table of words, attention of each to all, and the last step's answer."""

    def __init__(self, heads: int = 0) -> None:
        super().__init__()
        self.words = nn.Embedding(12, 8)
        self.keys, self.queries = nn.Linear(8, 8), nn.Linear(8, 8)
        self.fc = nn.Linear(8, 3)

    def forward(self, tokens: Tensor) -> Tensor:
        e = self.words(tokens)
        scores = self.queries(e) @ self.keys(e).transpose(1, 2) / 8 ** 0.5
        answer: Tensor = self.fc((torch.softmax(scores, -1) @ e)[:, -1])
        return answer


class Heads(nn.Module):
    """Two heads, each of which sees only what came before; a mean over the steps answers."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.keys, self.fc = nn.Embedding(12, 6), nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, tokens: Tensor) -> Tensor:
        e = self.words(tokens)
        heads, keys = (x.reshape(1, -1, 2, 3).transpose(1, 2) for x in (e, self.keys(e)))
        shares = torch.softmax(heads @ keys.transpose(2, 3) * 0.3, -1)
        answer: Tensor = self.fc((shares @ heads).transpose(1, 2).reshape(1, -1, 6).mean(1))
        return answer


class Looks(nn.Module):
    """PyTorch's own attention in one call."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(12, 8)
        self.fc = nn.Linear(8, 3)

    def forward(self, tokens: Tensor) -> Tensor:
        e = self.words(tokens)
        answer: Tensor = self.fc(functional.scaled_dot_product_attention(e, e, e)[:, -1])
        return answer


class Reads(nn.Module):
    """Letters, a table, a signal with several bands, a GRU."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(12, 6)
        self.conv = nn.Conv1d(6, 4, 3, padding=1)
        self.fc = nn.Linear(4, 3)

    def forward(self, tokens: Tensor) -> Tensor:
        bands = torch.relu(self.conv(self.words(tokens).transpose(1, 2)))
        answer: Tensor = self.fc(bands.mean(2))
        return answer


class Tags(nn.Module):
    """The same dense layers at every step, a class for each step, and the loss of all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(12, 6)
        self.hidden, self.classes = nn.Linear(6, 5), nn.Linear(5, 4)

    def forward(self, tokens: Tensor) -> Tensor:
        scores = self.classes(torch.tanh(self.hidden(self.words(tokens))))
        wanted = torch.tensor([[0, 1, 2, -100, 3, 1, 0]])
        return functional.nll_loss(torch.log_softmax(scores, -1).transpose(1, 2), wanted)


class Segments(nn.Module):
    """A class for each pixel; its loss, of all pixels together or of each."""

    def __init__(self, reduction: str = "mean", squares: bool = False) -> None:
        super().__init__()
        self.conv, self.reduction, self.squares = nn.Conv2d(1, 3, 3, padding=1), reduction, squares

    def forward(self, x: Tensor) -> Tensor:
        maps = self.conv(x)
        if self.squares:
            return functional.mse_loss(torch.softmax(maps, 1), (maps > 0).float().detach())
        return functional.cross_entropy(maps, (x[:, 0] > 0).long() + (x[:, 0] > 1).long(), reduction=self.reduction)


TOKENS = torch.tensor([[3, 1, 4, 1, 5, 9, 2]])
STEPS = ("the", "cat", "saw", "cat", "and", "purred", "loud")


def _read(model: nn.Module) -> Trace:
    from visualizer.trace import Sample

    return captured(model, TOKENS, 2.5, sample=Sample("words", "the cat saw cat and purred loud", steps=STEPS))


def _alone(model: nn.Module, x: Tensor, spread: float = 1.5) -> Trace:
    """A network whose answer is its loss."""
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * (spread / max(1.0, parameter[0].numel() ** 0.5)))
    return record.capture(model.eval(), x, objective="logit:0", name="small", title="Small")


def _in_order(self: Any, x: Tensor) -> Tensor:
    """Numbers that win and are sorted."""
    maps = self.conv(x)
    return torch.cat([maps.topk(2, 1)[0].sort(3)[0].cummax(2)[0], maps.max(1, keepdim=True)[0]], 1)


def _put(self: Any, x: Tensor) -> Tensor:
    """Numbers that are put into places."""
    maps = self.conv(x) * 1
    maps[:, :2, 0] = maps[:, :2, 1] * 2
    maps[:, 0].mul_(2)
    return maps


def _chosen(self: Any, x: Tensor) -> Tensor:
    """Numbers that are compared, chosen, masked, limited and put together place by place."""
    maps = self.conv(x)
    one, other = maps.chunk(2, 1)
    taken = torch.where(one > other, one, other * 0.5).masked_fill(one > 2, 0.25)
    return torch.minimum(taken, one.exp()) + torch.lerp(one, other, 0.3) + (one.abs() + 1) ** other.tanh()


NETS: dict[str, Callable[[], Trace]] = {
    "residual": cache(lambda: captured(Through(_residual, conv1=nn.Conv2d(2, 3, 3, padding=1),
                                               conv2=nn.Conv2d(3, 3, 3, padding=1)), picture(2, 6, 6))),
    "joined": cache(lambda: captured(Through(_joined, conv1=nn.Conv2d(2, 3, 3), conv2=nn.Conv2d(2, 2, 3)),
                                     picture(2, 7, 7))),
    "unet": cache(lambda: captured(Through(_unet, down=nn.Conv2d(1, 4, 3, padding=1),
                                           deep=nn.Conv2d(4, 4, 3, padding=1), up=nn.Conv2d(8, 4, 3, padding=1)),
                                   picture(1, 8, 8))),
    "gated": cache(lambda: captured(Through(_gated, conv1=nn.Conv2d(1, 4, 3), squeeze=nn.Linear(4, 4)),
                                    picture(1, 7, 7))),
    "cut": cache(lambda: captured(Through(_cut, conv1=nn.Conv2d(1, 4, 3)), picture(1, 7, 7))),
    "transposed": cache(lambda: captured(Through(lambda self, x: torch.relu(self.up(x)),
                                                 up=nn.ConvTranspose2d(3, 2, 3, 2)), picture(3, 4, 4))),
    "shuffled": cache(lambda: captured(Through(lambda self, x: functional.pixel_shuffle(self.conv(x), 2),
                                               conv=nn.Conv2d(1, 8, 3)), picture(1, 6, 6))),
    "turned": cache(lambda: captured(Through(lambda self, x: self.conv(x).permute(0, 3, 1, 2).flatten(2)[:, 2:5],
                                             conv=nn.Conv2d(1, 3, 3)), picture(1, 6, 8))),
    "in order": cache(lambda: captured(Through(_in_order, conv=nn.Conv2d(1, 4, 3)), picture(1, 6, 7))),
    "put": cache(lambda: captured(Through(_put, conv=nn.Conv2d(1, 4, 3)), picture(1, 6, 7))),
    "chosen": cache(lambda: captured(Through(_chosen, conv=nn.Conv2d(1, 4, 3)), picture(1, 6, 7))),
    "signal": cache(lambda: captured(Through(lambda self, x: torch.relu(self.conv(x)).mean(2),
                                             conv=nn.Conv1d(1, 8, 9, 2)), picture(1, 300))),
    "attends": cache(lambda: _read(Attends())),
    "tags": cache(lambda: _alone(Tags(), TOKENS, 2.0)),
    "pixels": cache(lambda: _alone(Segments(), picture(1, 5, 6))),
    "each": cache(lambda: _alone(Segments("none"), picture(1, 4, 5))),
    "squares": cache(lambda: _alone(Segments(squares=True), picture(1, 4, 4))),
    "added": cache(lambda: captured(Through(
        lambda self, x: torch.addmm(x[0, 0], torch.relu(x[0, 0]), torch.tanh(x[0, 1]), beta=2.0, alpha=0.5)[None]),
        picture(2, 5, 5))),
    "heads": cache(lambda: _read(Heads())),
    "looks": cache(lambda: _read(Looks())),
    "reads": cache(lambda: _read(Reads())),
}
