"""Recurrences that a model steps through by itself: cells in loops, and gates written by hand."""

from __future__ import annotations

import torch
from torch import nn

from tests.networks import Does, network, sequence, tokens


@network()
def cells_rnn():
    def forward(m, x):
        h = torch.zeros(1, 4)
        for step in range(x.shape[1]):
            h = m.cell(x[:, step], h)
        return m.last(h)

    return Does(forward, cell=nn.RNNCell(3, 4), last=nn.Linear(4, 3)), sequence(5, 3), 1


@network()
def cells_rnn_relu_without_bias():
    def forward(m, x):
        h = None
        for read in x.unbind(dim=1):
            h = m.cell(read, h)
        return m.last(h)

    return Does(forward, cell=nn.RNNCell(3, 4, bias=False, nonlinearity="relu"), last=nn.Linear(4, 3)), \
        sequence(5, 3), 1


@network()
def cells_gru():
    def forward(m, x):
        h, made = x.new_zeros(1, 4), []
        for step in range(x.shape[1]):
            h = m.cell(x[:, step], h)
            made.append(m.last(h))
        return torch.stack(made, dim=1)

    return Does(forward, cell=nn.GRUCell(3, 4), last=nn.Linear(4, 3)), sequence(5, 3), [0, 2, 1, 1, 0]


@network()
def cells_lstm():
    def forward(m, x):
        h, c = torch.zeros(1, 4), torch.zeros(1, 4)
        for step in range(x.shape[1]):
            h, c = m.cell(x[:, step], (h, c))
        return m.last(h)

    return Does(forward, cell=nn.LSTMCell(3, 4), last=nn.Linear(4, 3)), sequence(5, 3), 1


@network()
def cells_lstm_time_first():
    def forward(m, line):
        state = None
        for step in range(len(line)):
            state = m.cell(line[step], state)
        return m.last(state[0])

    return Does(forward, cell=nn.LSTMCell(3, 4), last=nn.Linear(4, 3)), torch.randn(5, 1, 3), 1


@network()
def cells_lstm_unbatched():
    def forward(m, x):
        h, c = torch.zeros(4), torch.zeros(4)
        for read in x:
            h, c = m.cell(read, (h, c))
        return m.last(h)

    return Does(forward, cell=nn.LSTMCell(3, 4), last=nn.Linear(4, 3)), torch.randn(5, 3), None


@network()
def cells_gru_answer_each_step_but_one_counts():
    """What came to the earlier states from outside is 0."""
    def forward(m, x):
        h, made = torch.zeros(1, 4), []
        for step in range(x.shape[1]):
            h = m.cell(x[:, step], h)
            made.append(m.last(h))
        return torch.stack(made, dim=1)

    return Does(forward, cell=nn.GRUCell(3, 4), last=nn.Linear(4, 2)), sequence(6, 3), [-100, -100, -100, -100, -100, 1]


@network()
def cells_lstm_two_levels():
    def forward(m, x):
        h1 = c1 = h2 = c2 = torch.zeros(1, 4)
        for step in range(x.shape[1]):
            h1, c1 = m.first(x[:, step], (h1, c1))
            h2, c2 = m.second(h1, (h2, c2))
        return m.last(h2)

    return Does(forward, first=nn.LSTMCell(3, 4), second=nn.LSTMCell(4, 4), last=nn.Linear(4, 3)), sequence(5, 3), 1


@network()
def cells_gru_two_levels():
    def forward(m, x):
        states = [torch.zeros(1, 4) for _ in m.cells]
        for read in x.unbind(1):
            for level, cell in enumerate(m.cells):
                read = states[level] = cell(read, states[level])
        return m.last(states[-1])

    return Does(forward, cells=nn.ModuleList([nn.GRUCell(3, 4), nn.GRUCell(4, 4)]), last=nn.Linear(4, 3)), \
        sequence(5, 3), 0


@network()
def cells_in_both_directions():
    def forward(m, x):
        there, back = torch.zeros(1, 4), torch.zeros(1, 4)
        for step in range(x.shape[1]):
            there = m.there(x[:, step], there)
            back = m.back(x[:, -1 - step], back)
        return m.last(torch.cat([there, back], dim=1))

    return Does(forward, there=nn.GRUCell(3, 4), back=nn.GRUCell(3, 4), last=nn.Linear(8, 3)), sequence(5, 3), 1


@network()
def cells_lstm_layer_norm_between():
    def forward(m, x):
        h, c = torch.zeros(1, 4), torch.zeros(1, 4)
        for step in range(x.shape[1]):
            h, c = m.cell(x[:, step], (m.norm(h), c))
        return m.last(h)

    return Does(forward, cell=nn.LSTMCell(3, 4), norm=nn.LayerNorm(4), last=nn.Linear(4, 3)), sequence(4, 3), 1


@network()
def cells_lstm_layer_norm_on_memory():
    def forward(m, x):
        h, c = torch.zeros(1, 4), torch.zeros(1, 4)
        for step in range(x.shape[1]):
            h, c = m.cell(x[:, step], (h, c))
            c = m.norm(c)
        return m.last(torch.cat([h, c], 1))

    return Does(forward, cell=nn.LSTMCell(3, 4), norm=nn.LayerNorm(4), last=nn.Linear(8, 3)), sequence(4, 3), 1


@network()
def cells_rnn_layer_norm_answers_each_step():
    def forward(m, x):
        h, made = torch.zeros(1, 4), []
        for read in x.unbind(1):
            h = m.norm(m.cell(read, h))
            made.append(m.last(h))
        return torch.stack(made, 1)

    return Does(forward, cell=nn.RNNCell(3, 4), norm=nn.LayerNorm(4), last=nn.Linear(4, 3)), sequence(4, 3), \
        [0, 2, 1, 1]


@network(training=True)
def cells_gru_dropout_between_awake():
    def forward(m, x):
        h = torch.zeros(1, 6)
        for read in x.unbind(1):
            h = m.drop(m.cell(read, h))
        return m.last(h)

    return Does(forward, cell=nn.GRUCell(3, 6), drop=nn.Dropout(0.4), last=nn.Linear(6, 3)), sequence(5, 3), 1


@network()
def cells_gru_residual_state():
    """What a step makes is added to the state."""
    def forward(m, x):
        h = torch.zeros(1, 4)
        for read in x.unbind(1):
            h = h + m.cell(read, h)
        return m.last(h)

    return Does(forward, cell=nn.GRUCell(3, 4), last=nn.Linear(4, 3)), sequence(4, 3), 2


@network()
def cells_lstm_zoneout():
    """Krueger's, as it is when it is not learning: a share of each state stays as it was."""
    def forward(m, x):
        h, c = torch.zeros(1, 4), torch.zeros(1, 4)
        for read in x.unbind(1):
            new_h, new_c = m.cell(read, (h, c))
            h, c = 0.1 * h + 0.9 * new_h, 0.3 * c + 0.7 * new_c
        return m.last(h)

    return Does(forward, cell=nn.LSTMCell(3, 4), last=nn.Linear(4, 3)), sequence(4, 3), 2


@network(training=True)
def cells_gru_zoneout_awake():
    def forward(m, x):
        h = torch.zeros(1, 6)
        for read in x.unbind(1):
            stays = torch.bernoulli(torch.full_like(h, 0.3))
            h = stays * h + (1 - stays) * m.cell(read, h)
        return m.last(h)

    return Does(forward, cell=nn.GRUCell(3, 6), last=nn.Linear(6, 3)), sequence(4, 3), 2


@network(capture={"labels": tuple("abcdefg")})
def decoder_gru_one_step_a_call():
    """A layer of torch that is handed one word at a time, and a vocabulary."""
    def forward(m, source):
        _, h = m.encoder(m.embedding(source))
        word, made = torch.zeros(1, 1, dtype=torch.long), []
        for _ in range(3):
            out, h = m.decoder(torch.relu(m.embedding(word)), h)
            made.append(m.words(out[:, 0]))
            word = made[-1].argmax(dim=-1, keepdim=True)
        return torch.stack(made, dim=1)

    return Does(forward, embedding=nn.Embedding(7, 3), encoder=nn.GRU(3, 4, batch_first=True),
                decoder=nn.GRU(3, 4, batch_first=True), words=nn.Linear(4, 7)), tokens(5, 7), [1, 2, 3]


@network(capture={"labels": tuple("abcdef")})
def decoder_lstm_two_levels_one_step_a_call():
    def forward(m, h):
        state, word, made = (h, torch.zeros_like(h)), torch.full((1, 1), 2), []
        for _ in range(3):
            out, state = m.decoder(m.embedding(word), state)
            made.append(m.words(out))
            word = made[-1].argmax(-1)
        return torch.cat(made, 1)

    return Does(forward, decoder=nn.LSTM(3, 4, 2, batch_first=True), embedding=nn.Embedding(6, 3),
                words=nn.Linear(4, 6)), torch.randn(2, 1, 4), None


@network(capture={"labels": tuple("abcdef")})
def decoder_gru_one_hot():
    """What was answered is read as a row of zeros with a single 1."""
    def forward(m, x):
        h, word, made = torch.tanh(m.start(x)), torch.zeros(1, dtype=torch.long), []
        for _ in range(4):
            h = m.cell(nn.functional.one_hot(word, 6).float(), h)
            made.append(m.words(h))
            word = made[-1].argmax(dim=1)
        return torch.stack(made, dim=1)

    return Does(forward, start=nn.Linear(5, 4), cell=nn.GRUCell(6, 4), words=nn.Linear(4, 6)), torch.randn(1, 5), \
        [1, 2, 3, 0]


@network()
def decoder_gru_argmax():
    """Each step reads the word that was chosen before."""
    def forward(m, x):
        h, word, made = torch.tanh(m.start(x)), torch.zeros(1, dtype=torch.long), []
        for _ in range(4):
            h = m.cell(m.embedding(word), h)
            made.append(m.words(h))
            word = made[-1].argmax(dim=1)
        return torch.stack(made, dim=1)

    return Does(forward, start=nn.Linear(5, 4), cell=nn.GRUCell(3, 4), embedding=nn.Embedding(6, 3),
                words=nn.Linear(4, 6)), torch.randn(1, 5), [1, 2, 3, 0]


@network()
def decoder_lstm_argmax():
    def forward(m, h):
        c, word, made = torch.zeros_like(h), torch.zeros(1, dtype=torch.long), []
        for _ in range(3):
            h, c = m.cell(m.embedding(word), (h, c))
            made.append(m.words(h))
            word = made[-1].argmax(1)
        return torch.stack(made, 1)

    return Does(forward, cell=nn.LSTMCell(3, 4), embedding=nn.Embedding(5, 3), words=nn.Linear(4, 5)), \
        torch.randn(1, 4), None


@network()
def decoder_encoder_argmax():
    def forward(m, source):
        _, h = m.encoder(m.embedding(source))
        h, word, made = h[0], source[:, -1], []
        for _ in range(3):
            h = m.decoder(m.embedding(word), h)
            made.append(m.words(h))
            word = made[-1].argmax(dim=-1)
        return torch.stack(made, dim=1)

    return Does(forward, embedding=nn.Embedding(7, 3), encoder=nn.GRU(3, 4, batch_first=True),
                decoder=nn.GRUCell(3, 4), words=nn.Linear(4, 7)), tokens(5, 7), [1, 2, 3]


@network()
def decoder_feeds_back_its_answer():
    """A forecast: each step reads the number that was answered before."""
    def forward(m, x):
        h, c = torch.zeros(1, 4), torch.zeros(1, 4)
        for step in range(x.shape[1]):
            h, c = m.cell(x[:, step], (h, c))
        made = [m.last(h)]
        for _ in range(3):
            h, c = m.cell(made[-1], (h, c))
            made.append(m.last(h))
        return torch.cat(made, dim=1)

    return Does(forward, cell=nn.LSTMCell(1, 4), last=nn.Linear(4, 1)), sequence(5, 1), None


@network()
def hand_written_rnn():
    def forward(m, x):
        h = torch.zeros(1, 4)
        for step in range(x.shape[1]):
            h = torch.tanh(m.w(x[:, step]) + m.u(h))
        return m.last(h)

    return Does(forward, w=nn.Linear(3, 4), u=nn.Linear(4, 4, bias=False), last=nn.Linear(4, 3)), sequence(5, 3), 1


@network()
def hand_written_rnn_joined_input():
    def forward(m, words):
        h = torch.zeros(1, 4)
        for step in range(words.shape[1]):
            h = torch.tanh(m.both(torch.cat([m.embedding(words[:, step]), h], dim=1)))
        return m.last(h)

    return Does(forward, embedding=nn.Embedding(9, 3), both=nn.Linear(7, 4), last=nn.Linear(4, 3)), tokens(5, 9), 1


@network()
def hand_written_lstm():
    def forward(m, x):
        h = c = torch.zeros(1, 4)
        for step in range(x.shape[1]):
            i, f, g, o = (m.w(x[:, step]) + m.u(h)).chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return m.last(h)

    return Does(forward, w=nn.Linear(3, 16), u=nn.Linear(4, 16), last=nn.Linear(4, 3)), sequence(4, 3), 1


@network()
def hand_written_lstm_gate_by_gate():
    def forward(m, x):
        h = c = torch.zeros(1, 3)
        for read in x.unbind(1):
            both = torch.cat([read, h], dim=1)
            forget, enter, leave = m.f(both).sigmoid(), m.i(both).sigmoid(), m.o(both).sigmoid()
            c = forget * c + enter * m.g(both).tanh()
            h = leave * c.tanh()
        return m.last(h)

    return Does(forward, last=nn.Linear(3, 2), **{gate: nn.Linear(5, 3) for gate in "figo"}), sequence(4, 2), 1


@network()
def hand_written_lstm_peepholes():
    def forward(m, x):
        h = c = torch.zeros(1, 3)
        for read in x.unbind(1):
            i, f, g, o = (m.w(read) + m.u(h)).split(3, dim=1)
            f, i = torch.sigmoid(f + m.pf * c), torch.sigmoid(i + m.pi * c)
            c = f * c + i * torch.tanh(g)
            h = torch.sigmoid(o + m.po * c) * torch.tanh(c)
        return m.last(h)

    return Does(forward, w=nn.Linear(2, 12), u=nn.Linear(3, 12), last=nn.Linear(3, 2),
                **{gate: nn.Parameter(torch.randn(3)) for gate in ("pf", "pi", "po")}), sequence(4, 2), 1


@network()
def hand_written_gru():
    """As torch has it: the reset gate after the product."""
    def forward(m, x):
        h = torch.zeros(1, 4)
        for step in range(x.shape[1]):
            xr, xz, xn = m.w(x[:, step]).chunk(3, 1)
            hr, hz, hn = m.u(h).chunk(3, 1)
            r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
            h = (1 - z) * torch.tanh(xn + r * hn) + z * h
        return m.last(h)

    return Does(forward, w=nn.Linear(3, 12), u=nn.Linear(4, 12), last=nn.Linear(4, 3)), sequence(4, 3), 1


@network()
def hand_written_gru_reset_before():
    """As its paper has it: the reset gate before the product."""
    def forward(m, x):
        h = torch.zeros(1, 4)
        for step in range(x.shape[1]):
            both = torch.cat([x[:, step], h], 1)
            r, z = m.r(both).sigmoid(), m.z(both).sigmoid()
            h = z * h + (1 - z) * m.n(torch.cat([x[:, step], r * h], 1)).tanh()
        return m.last(h)

    return Does(forward, last=nn.Linear(4, 3), **{gate: nn.Linear(7, 4) for gate in "rzn"}), sequence(4, 3), 1


@network()
def hand_written_minimal_gated_unit():
    def forward(m, x):
        h = torch.zeros(1, 4)
        for step in range(x.shape[1]):
            f = torch.sigmoid(m.wf(x[:, step]) + m.uf(h))
            h = (1 - f) * h + f * torch.tanh(m.wh(x[:, step]) + m.uh(f * h))
        return m.last(h)

    return Does(forward, last=nn.Linear(4, 3), wf=nn.Linear(3, 4), uf=nn.Linear(4, 4), wh=nn.Linear(3, 4),
                uh=nn.Linear(4, 4)), sequence(4, 3), 1


@network()
def hand_written_state_space():
    """Linear inside, h = a h + B x."""
    def forward(m, x):
        h, decay, made = torch.zeros(1, 5), torch.exp(-torch.exp(m.log_decay)), []
        for step in range(x.shape[1]):
            h = decay * h + m.enter(x[:, step])
            made.append(m.leave(h) + m.skip * x[:, step])
        return torch.stack(made, 1)

    return Does(forward, log_decay=nn.Parameter(torch.randn(5)), enter=nn.Linear(2, 5, bias=False),
                leave=nn.Linear(5, 2, bias=False), skip=nn.Parameter(torch.randn(2))), sequence(5, 2), None


@network()
def hand_written_convolutional_lstm():
    def forward(m, film):
        h = c = torch.zeros(1, 2, 4, 4)
        for picture in film.unbind(1):
            i, f, g, o = m.gates(torch.cat([picture, h], 1)).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
        return m.last(h.flatten(1))

    return Does(forward, gates=nn.Conv2d(3, 8, 3, padding=1), last=nn.Linear(32, 2)), torch.randn(1, 3, 1, 4, 4), 1


@network()
def stacked_memory_reads():
    """A recurrence that looks its memory up at each step."""
    def forward(m, x):
        h = torch.zeros(1, 4)
        for step in range(x.shape[1]):
            shares = torch.softmax(h @ m.keys.t(), dim=-1)
            h = m.cell(torch.cat([x[:, step], shares @ m.values], dim=1), h)
        return m.last(h)

    return Does(forward, keys=nn.Parameter(torch.randn(5, 4)), values=nn.Parameter(torch.randn(5, 2)),
                cell=nn.GRUCell(5, 4), last=nn.Linear(4, 3)), sequence(4, 3), 0
