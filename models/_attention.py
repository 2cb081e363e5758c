"""What the recipes share that turn one row of symbols into another: the two networks, training, reading and measuring.

An encoder reads the symbols from both sides. A decoder then speaks symbol after symbol, each time told the one before.
With attention it may begin with nothing: at each symbol it compares its state with what the encoder found at each
place, and the shares that come of it weigh what it takes from there (Luong, Pham and Manning 2015, global attention,
"dot"). Without attention the encoder's last two states are all that it is given.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
from _recipe import descend, one_thread, seeded

UNKNOWN = -100
"""The target of a step that does not count: torch leaves it out of the loss."""
Pairs = Sequence[tuple[Sequence[int], Sequence[int]]]
"""What is read and what is to be spoken, as places in the two lists of symbols, without begin and end."""


class Decoder(nn.Module):
    """What the two networks share: a list of `spoken` symbols, of which the last is the end; behind them stands the one
    to begin with."""

    def __init__(self, read: int, spoken: int, embedded: int, hidden: int, longest: int) -> None:
        super().__init__()
        self.end, self.begin, self.longest = spoken - 1, spoken, longest
        self.source = nn.Embedding(read, embedded)
        self.encoder = nn.GRU(embedded, hidden // 2, batch_first=True, bidirectional=True)
        self.target = nn.Embedding(spoken + 1, embedded)
        self.decoder = nn.GRU(embedded, hidden, batch_first=True)

    def forward(self, ids: Tensor, told: Tensor | None = None) -> Tensor:
        """Symbols (N, places) to logits of what is spoken (N, steps, symbols).

        `told` (N, steps) are the symbols that the decoder is told were spoken before each step, the first of them the
        one to begin with. Without it each step is told what was likeliest at the one before, until the end is.
        """
        memory, state = self.read(ids)
        if told is not None:
            return self.speak(told, memory, state)[0]
        last, steps = ids.new_full((len(ids), 1), self.begin), []
        ended = torch.zeros_like(last, dtype=torch.bool)
        while len(steps) < self.longest and not ended.all():
            logits, state = self.speak(last, memory, state)
            steps.append(logits)
            last = logits.argmax(2)
            ended = ended | (last == self.end)
        return torch.cat(steps, 1)

    def read(self, ids: Tensor) -> tuple[Tensor, Tensor | None]:
        """What the encoder found at each place (N, places, hidden), and the state in which the decoder begins."""
        raise NotImplementedError

    def speak(self, told: Tensor, memory: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """Logits (N, steps, symbols), and the state of the decoder after the last step."""
        raise NotImplementedError


class Attention(Decoder):
    """Encoder and decoder with attention between them; the decoder begins empty, or with the encoder's last states."""

    def __init__(
        self, read: int, spoken: int, embedded: int, hidden: int, longest: int, *, empty: bool = True
    ) -> None:
        super().__init__(read, spoken, embedded, hidden, longest)
        self.empty = empty
        self.query = nn.Linear(hidden, hidden, bias=False)
        self.attention = nn.Softmax(dim=2)
        self.mix = nn.Linear(2 * hidden, hidden)
        self.tanh = nn.Tanh()
        self.fc = nn.Linear(hidden, spoken)

    def read(self, ids: Tensor) -> tuple[Tensor, Tensor | None]:
        memory, last = self.encoder(self.source(ids))
        return memory, None if self.empty else torch.cat([last[0], last[1]], 1)[None]

    def speak(self, told: Tensor, memory: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        hidden, state = self.decoder(self.target(told), state)
        scores = torch.matmul(self.query(hidden), memory.transpose(1, 2)) / math.sqrt(memory.shape[2])
        context = torch.matmul(self.attention(scores), memory)
        return self.fc(self.tanh(self.mix(torch.cat([context, hidden], 2)))), state


class Bottleneck(Decoder):
    """Encoder and decoder without attention: the encoder's last state of either direction is all that is handed on."""

    def __init__(self, read: int, spoken: int, embedded: int, hidden: int, longest: int) -> None:
        super().__init__(read, spoken, embedded, hidden, longest)
        self.fc = nn.Linear(hidden, spoken)

    def read(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        memory, last = self.encoder(self.source(ids))
        return memory, torch.cat([last[0], last[1]], 1)[None]

    def speak(self, told: Tensor, memory: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        hidden, state = self.decoder(self.target(told), state)
        return self.fc(hidden), state


def by_length(pairs: Pairs) -> dict[int, list[int]]:
    """Which of the pairs read so many symbols."""
    found: dict[int, list[int]] = {}
    for place, (read, _) in enumerate(pairs):
        found.setdefault(len(read), []).append(place)
    return dict(sorted(found.items()))


def taught(model: Decoder, pairs: Pairs) -> tuple[Tensor, Tensor, Tensor]:
    """Pairs that read equally many symbols as ids (N, places), what the decoder is told and what it should speak
    (N, steps); steps behind the end do not count."""
    steps = 1 + max(len(spoken) for _, spoken in pairs)
    told = torch.full((len(pairs), steps), model.end)
    wanted = torch.full((len(pairs), steps), UNKNOWN)
    told[:, 0] = model.begin
    for row, (_, spoken) in enumerate(pairs):
        told[row, 1 : 1 + len(spoken)] = torch.tensor(spoken)
        wanted[row, : 1 + len(spoken)] = torch.tensor([*spoken, model.end])
    return torch.tensor([read for read, _ in pairs]), told, wanted


def fit(
    new: Callable[[], Decoder],
    pairs: Pairs,
    *,
    seed: int,
    batch: int,
    rate: float,
    steps: int,
    stop: int,
    smoothing: float = 0.0,
    decay: float = 0.01,
) -> nn.Module:
    """Train a new model with AdamW on the cross entropy of each spoken symbol and the end, told the right ones before.

    All pairs of a batch read equally many symbols, so nothing is filled up; a length is drawn as often as there are
    pairs of it. The seed decides the first weights and the batches.
    """
    lengths = by_length(pairs)
    chance = np.random.default_rng(seed)
    shares = np.array([len(places) for places in lengths.values()]) / len(pairs)
    listed = list(lengths.values())

    def losses() -> Iterator[Tensor]:
        while True:
            places = listed[chance.choice(len(listed), p=shares)]
            chosen = chance.choice(places, min(batch, len(places)), replace=False)
            ids, told, wanted = taught(model, [pairs[place] for place in chosen])
            yield nn.functional.cross_entropy(model(ids, told).flatten(0, 1), wanted.flatten(),
                                              label_smoothing=smoothing)

    with seeded(seed):
        model = new().train()
        descend(model, losses(), rate=rate, steps=steps, stop=stop, clip=1.0, decay=decay)
    return model.eval()


def spoken(model: nn.Module, pairs: Pairs, size: int = 500) -> list[list[int]]:
    """What the model speaks when each step is told what it spoke before, up to the end, for each pair."""
    found: list[list[int]] = [[] for _ in pairs]
    with one_thread(), torch.inference_mode():
        for places in by_length(pairs).values():
            for first in range(0, len(places), size):
                part = places[first : first + size]
                best = model(torch.tensor([pairs[place][0] for place in part])).argmax(2).tolist()
                for place, row in zip(part, best, strict=True):
                    found[place] = row[: row.index(model.end)] if model.end in row else row
    return found


def told_right(model: nn.Module, pairs: Pairs, size: int = 500) -> tuple[float, float]:
    """When each step is told the right symbols before it: the share of steps that are right, and nats per step."""
    steps = right = nats = 0.0
    with one_thread(), torch.inference_mode():
        for places in by_length(pairs).values():
            for first in range(0, len(places), size):
                ids, told, wanted = taught(model, [pairs[place] for place in places[first : first + size]])
                logits = model(ids, told)
                known = wanted != UNKNOWN
                steps, right = steps + int(known.sum()), right + int(((logits.argmax(2) == wanted) & known).sum())
                nats += float(nn.functional.cross_entropy(logits.flatten(0, 1).double(), wanted.flatten(),
                                                          reduction="sum"))
    return right / steps, nats / steps
