"""padded: how far the last state of a recurrent network is off when a short input is padded in its batch."""

import torch
from torch import nn

from visualizer.claims import Number
from visualizer.record.measures import Data, Measure, as_mean

SEEDS, SHORT, LONG, READS, UNITS = 20, 10, 30, 8, 32
"""Networks that are tried; steps of the short and of the long input; numbers a step, units."""


def _run(data: Data, how: str) -> Number:
    """Mean over seeds of ‖h(padded) − h(alone)‖ / ‖h(alone)‖; `packed` tells the network the lengths."""
    if how not in ("padded", "packed"):
        raise ValueError(f"{how} is neither padded nor packed")
    errors = []
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        for seed in range(SEEDS):
            torch.manual_seed(seed)
            net = nn.RNN(READS, UNITS, batch_first=True)
            short, long = torch.randn(SHORT, READS), torch.randn(LONG, READS)
            batch = nn.utils.rnn.pad_sequence([long, short], batch_first=True)
            alone = net(short[None])[1][0, 0]
            given = nn.utils.rnn.pack_padded_sequence(batch, torch.tensor([LONG, SHORT]), batch_first=True) \
                if how == "packed" else batch
            errors.append(float(torch.linalg.vector_norm(net(given)[1][0, 1] - alone)
                                / torch.linalg.vector_norm(alone)))
    return as_mean(torch.tensor(errors, dtype=torch.float64).numpy())


MEASURE = Measure("padded", "padded padded|packed", "how far the last state is off when a short input is padded to the "
                  "length of a long one", _run)
