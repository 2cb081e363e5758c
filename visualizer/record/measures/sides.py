"""sides: whether a stack of convolutions and a mean over its maps can tell on which side of a picture a dot lies."""

import torch
from torch import nn

from visualizer.claims import Number
from visualizer.record.measures import Data, Measure, as_share

SIDE, LAYERS, CHANNELS, SEED = 16, 8, 16, 0


def _run(data: Data, padding: str) -> Number:
    """Share of the right answers of a read-out that least squares fit to half of all places of the dot, over the other
    half. The convolutions keep their random weights: what tells the places apart comes from the padding alone."""
    if padding not in ("zeros", "circular"):
        raise ValueError(f"{padding} is neither zeros nor circular")
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(SEED)
        layers: list[nn.Module] = []
        for number in range(LAYERS):
            conv = nn.Conv2d(CHANNELS if number else 1, CHANNELS, 3, padding=1, padding_mode=padding).double()
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            layers += [conv, nn.ReLU()]
        dots = torch.eye(SIDE * SIDE, dtype=torch.float64).view(-1, 1, SIDE, SIDE)
        means = nn.Sequential(*layers)(dots).mean((2, 3))
        order = torch.randperm(SIDE * SIDE)
        right = torch.arange(SIDE * SIDE) % SIDE >= SIDE // 2
        seen, new = order[::2], order[1::2]
        known = torch.cat([means - means[seen].mean(0), torch.ones(len(means), 1, dtype=torch.float64)], 1)
        spread = known[seen, :-1].std(0)
        known[:, :-1] /= torch.where(spread > 1e-9, spread, torch.ones_like(spread))
        known[:, :-1] *= (spread > 1e-9)
        weights = torch.linalg.lstsq(known[seen], torch.where(right[seen], 1.0, -1.0).double()[:, None],
                                     driver="gelsd").solution
        return as_share(((known[new] @ weights)[:, 0] > 0).eq(right[new]).numpy())


MEASURE = Measure("sides", "sides zeros|circular", "share of dots of which a stack of random convolutions tells on "
                  "which side of the picture they lie", _run)
