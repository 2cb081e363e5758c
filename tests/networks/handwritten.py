"""Gates written by hand in more ways than with linear layers: parameters, one product for all, blends."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from tests.networks import Does, network, sequence

UNITS, READ = 4, 3


def weights(*shape):
    return nn.Parameter(torch.randn(*shape) / 2)


def steps_of(step, memory=False):
    """A model that goes through a sequence with `step(m, x, h)`, or `step(m, x, h, c)` -> (h, c)."""
    def forward(m, x):
        h = c = torch.zeros(1, UNITS)
        for read in x.unbind(1):
            if memory:
                h, c = step(m, read, h, c)
            else:
                h = step(m, read, h)
        return m.last(h)

    return lambda **parts: (Does(forward, last=nn.Linear(UNITS, 3), **parts), sequence(4, READ), 1)


@network()
def hand_written_rnn_parameters():
    made = steps_of(lambda m, x, h: torch.tanh(x @ m.W + h @ m.U + m.b))
    return made(W=weights(READ, UNITS), U=weights(UNITS, UNITS), b=weights(UNITS))


@network()
def hand_written_rnn_einsum():
    made = steps_of(lambda m, x, h: torch.tanh(torch.einsum("bi,hi->bh", x, m.W) + torch.einsum("bi,hi->bh", h, m.U)))
    return made(W=weights(UNITS, READ), U=weights(UNITS, UNITS))


@network()
def hand_written_rnn_addmm():
    made = steps_of(lambda m, x, h: torch.addmm(torch.addmm(m.b, x, m.W.t()), h, m.U).relu())
    return made(W=weights(UNITS, READ), U=weights(UNITS, UNITS), b=weights(UNITS))


@network()
def hand_written_rnn_reads_all_first():
    """What is read is weighed for all steps at once."""
    def forward(m, x):
        h, read = torch.zeros(1, UNITS), m.W(x)
        for step in range(x.shape[1]):
            h = torch.tanh(read[:, step] + m.U(h))
        return m.last(h)

    return Does(forward, W=nn.Linear(READ, UNITS), U=nn.Linear(UNITS, UNITS, bias=False), last=nn.Linear(UNITS, 3)), \
        sequence(4, READ), 1


@network()
def hand_written_rnn_baddbmm():
    def forward(m, x):
        h = torch.zeros(1, 1, UNITS)
        for step in range(x.shape[1]):
            h = torch.tanh(torch.baddbmm(m.b, x[:, step:step + 1], m.W) + torch.bmm(h, m.U))
        return m.last(h[:, 0])

    return Does(forward, W=weights(1, READ, UNITS), U=weights(1, UNITS, UNITS), b=weights(1, 1, UNITS),
                last=nn.Linear(UNITS, 3)), sequence(4, READ), 1


@network()
def hand_written_lstm_one_product():
    """One matrix, stored transposed, and one sigmoid for three gates, cut out of what it made."""
    def step(m, x, h, c):
        a = torch.addmm(m.b, torch.cat([h, x], 1), m.W.t())
        gates, g = torch.sigmoid(a[:, :3 * UNITS]), torch.tanh(a[:, 3 * UNITS:])
        c = gates[:, UNITS:2 * UNITS] * c + gates[:, :UNITS] * g
        return gates[:, 2 * UNITS:] * torch.tanh(c), c

    return steps_of(step, True)(W=weights(4 * UNITS, UNITS + READ), b=weights(4 * UNITS))


@network()
def hand_written_lstm_modules():
    """Squashed by modules, gates from a view, the memory from one call."""
    def step(m, x, h, c):
        i, f, g, o = (F.linear(x, m.W, m.b) + F.linear(h, m.U)).view(1, 4, UNITS).unbind(1)
        c = torch.addcmul(m.gate(f) * c, m.gate(i), m.squash(g))
        return m.gate(o) * m.squash(c), c

    return steps_of(step, True)(W=weights(4 * UNITS, READ), U=weights(4 * UNITS, UNITS), b=weights(4 * UNITS),
                                gate=nn.Sigmoid(), squash=nn.Tanh())


def gru(mix):
    def step(m, x, h):
        (ar, az, an), (br, bz, bn) = (x @ m.W + m.b).split(UNITS, 1), (h @ m.U + m.c).split(UNITS, 1)
        r, z = torch.sigmoid(ar + br), torch.sigmoid(az + bz)
        return mix(torch.tanh(an + r * bn), h, z)

    return steps_of(step)(W=weights(READ, 3 * UNITS), U=weights(UNITS, 3 * UNITS), b=weights(3 * UNITS),
                          c=weights(3 * UNITS))


@network()
def hand_written_gru_lerp():
    return gru(torch.lerp)


@network()
def hand_written_gru_keeps_and_moves():
    return gru(lambda n, h, z: n + z * (h - n))


@network()
def hand_written_gru_moves_by_the_rest():
    return gru(lambda n, h, z: h + (1 - z) * (n - h))


@network()
def hand_written_gru_swapped():
    """As another paper has it: z is the share of the new."""
    return gru(lambda n, h, z: (1 - z) * h + z * n)


@network()
def hand_written_lstm_coupled():
    """What is forgotten makes room for as much of the new."""
    def step(m, x, h, c):
        f, g, o = (x @ m.W + h @ m.U + m.b).chunk(3, 1)
        c = torch.lerp(g.tanh(), c, f.sigmoid())
        return o.sigmoid() * c.tanh(), c

    return steps_of(step, True)(W=weights(READ, 3 * UNITS), U=weights(UNITS, 3 * UNITS), b=weights(3 * UNITS))


@network()
def hand_written_lstm_softsign():
    def step(m, x, h, c):
        i, f, g, o = (x @ m.W + h @ m.U + m.b).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * F.softsign(g)
        return o.sigmoid() * c.tanh(), c

    return steps_of(step, True)(W=weights(READ, 4 * UNITS), U=weights(UNITS, 4 * UNITS), b=weights(4 * UNITS))
