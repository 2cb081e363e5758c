"""nn.RNN, nn.GRU and nn.LSTM in every wiring."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from tests.networks import Does, network, sequence, tokens


def _last_step(recurrent, width, classes=3):
    """A recurrent layer, batch first, whose last step is classified."""
    return Does(lambda m, x: m.last(m.recurrent(x)[0][:, -1]), recurrent=recurrent, last=nn.Linear(width, classes))


@network()
def rnn_plain():
    return _last_step(nn.RNN(3, 5, batch_first=True), 5), sequence(6, 3), 1


@network()
def rnn_relu():
    return _last_step(nn.RNN(3, 5, nonlinearity="relu", batch_first=True), 5), sequence(6, 3), 1


@network()
def rnn_no_bias():
    return _last_step(nn.RNN(3, 5, bias=False, batch_first=True), 5), sequence(6, 3), 1


@network()
def rnn_stacked_bidirectional():
    return _last_step(nn.RNN(3, 4, 2, bidirectional=True, batch_first=True), 8), sequence(5, 3), 1


@network()
def gru_plain():
    return _last_step(nn.GRU(3, 5, batch_first=True), 5), sequence(6, 3), 1


@network()
def gru_stacked():
    return _last_step(nn.GRU(3, 5, 3, batch_first=True), 5), sequence(6, 3), 1


@network()
def gru_bidirectional():
    return _last_step(nn.GRU(3, 4, bidirectional=True, batch_first=True), 8), sequence(6, 3), 1


@network()
def gru_stacked_bidirectional():
    return _last_step(nn.GRU(3, 4, 2, bidirectional=True, batch_first=True), 8), sequence(6, 3), 1


@network()
def gru_no_bias_time_first():
    return Does(lambda m, x: m.last(m.gru(x)[0][-1]), gru=nn.GRU(3, 4, bias=False), last=nn.Linear(4, 3)), \
        torch.randn(6, 1, 3), 1


@network()
def gru_unbatched():
    return Does(lambda m, x: m.last(m.gru(x)[1][0]), gru=nn.GRU(3, 4), last=nn.Linear(4, 3)), torch.randn(5, 3), None


@network()
def lstm_plain():
    return _last_step(nn.LSTM(3, 5, batch_first=True), 5), sequence(6, 3), 1


@network()
def lstm_stacked():
    return _last_step(nn.LSTM(3, 5, 2, batch_first=True), 5), sequence(6, 3), 1


@network()
def lstm_bidirectional():
    return _last_step(nn.LSTM(3, 4, bidirectional=True, batch_first=True), 8), sequence(6, 3), 1


@network()
def lstm_stacked_bidirectional():
    return _last_step(nn.LSTM(3, 4, 3, bidirectional=True, batch_first=True), 8), sequence(5, 3), 1


@network()
def lstm_unbatched():
    return nn.LSTM(5, 5), torch.randn(3, 5), None


@network()
def lstm_time_first():
    return Does(lambda m, x: m.last(m.lstm(x)[0][-1]), lstm=nn.LSTM(3, 4), last=nn.Linear(4, 3)), \
        torch.randn(6, 1, 3), 1


@network()
def lstm_time_first_after_a_layer():
    return Does(lambda m, x: m.last(m.lstm(torch.tanh(m.first(x)))[0][-1]), first=nn.Linear(3, 4),
                lstm=nn.LSTM(4, 4), last=nn.Linear(4, 3)), torch.randn(6, 1, 3), 1


@network()
def lstm_time_first_words():
    return Does(lambda m, x: m.last(m.lstm(m.embedding(x))[0][-1]), embedding=nn.Embedding(9, 3),
                lstm=nn.LSTM(3, 4), last=nn.Linear(4, 3)), torch.randint(9, (6, 1)), 1


@network()
def lstm_projection():
    return _last_step(nn.LSTM(3, 6, proj_size=3, batch_first=True), 3), sequence(5, 3), 1


@network()
def lstm_projection_stacked_bidirectional():
    return _last_step(nn.LSTM(3, 5, 2, proj_size=2, bidirectional=True, batch_first=True), 4), sequence(4, 3), 1


@network()
def lstm_dropout_between_levels():
    return _last_step(nn.LSTM(3, 4, 2, dropout=0.4, batch_first=True), 4), sequence(5, 3), 1


@network(training=True)
def gru_dropout_between_levels_awake():
    return _last_step(nn.GRU(3, 4, 2, dropout=0.4, batch_first=True), 4), sequence(5, 3), 1


@network()
def lstm_learned_start():
    def forward(m, x):
        return m.last(m.lstm(x, (m.h, m.c))[0][:, -1])

    return Does(forward, lstm=nn.LSTM(3, 4, batch_first=True), h=nn.Parameter(torch.randn(1, 1, 4)),
                c=nn.Parameter(torch.randn(1, 1, 4)), last=nn.Linear(4, 3)), sequence(5, 3), 1


@network()
def lstm_start_from_image():
    """A caption: the state starts from what was seen."""
    def forward(m, seen, words):
        start = torch.tanh(m.see(seen)).unsqueeze(0)
        return m.words(m.lstm(m.embedding(words), (start, torch.zeros_like(start)))[0])

    return Does(forward, see=nn.Linear(6, 4), embedding=nn.Embedding(7, 3), lstm=nn.LSTM(3, 4, batch_first=True),
                words=nn.Linear(4, 7)), (torch.randn(1, 6), tokens(4, 7)), [1, 4, 2, 6]


@network()
def gru_encoder_decoder():
    def forward(m, source, wanted):
        _, state = m.encoder(m.embedding(source))
        return m.words(m.decoder(m.embedding(wanted), state)[0])

    return Does(forward, embedding=nn.Embedding(8, 3), encoder=nn.GRU(3, 4, batch_first=True),
                decoder=nn.GRU(3, 4, batch_first=True), words=nn.Linear(4, 8)), (tokens(5, 8), tokens(3, 8)), [1, 2, 3]


@network()
def lstm_encoder_decoder_stacked():
    def forward(m, source, wanted):
        _, states = m.encoder(source)
        return m.last(m.decoder(wanted, states)[0])

    return Does(forward, encoder=nn.LSTM(3, 4, 2, batch_first=True), decoder=nn.LSTM(2, 4, 2, batch_first=True),
                last=nn.Linear(4, 2)), (sequence(5, 3), sequence(3, 2)), None


@network()
def lstm_weight_normed():
    lstm = nn.LSTM(3, 4, batch_first=True)
    parametrizations.weight_norm(lstm, "weight_hh_l0")
    return _last_step(lstm, 4), sequence(5, 3), 1


@network()
def gru_spectral_normed():
    gru = nn.GRU(3, 4, batch_first=True)
    parametrizations.spectral_norm(gru, "weight_hh_l0")
    return _last_step(gru, 4), sequence(5, 3), 1


@network()
def rnn_orthogonal():
    rnn = nn.RNN(3, 4, batch_first=True)
    parametrizations.orthogonal(rnn, "weight_hh_l0")
    return _last_step(rnn, 4), sequence(5, 3), 1


@network()
def lstm_packed():
    def forward(m, x):
        packed, (state, _) = m.lstm(pack_padded_sequence(x, torch.tensor([4]), batch_first=True))
        made, _ = pad_packed_sequence(packed, batch_first=True, total_length=6)
        return m.last(torch.cat([state[-1], made.sum(dim=1)], dim=1))

    return Does(forward, lstm=nn.LSTM(3, 4, batch_first=True), last=nn.Linear(8, 3)), sequence(6, 3), 1


@network()
def gru_packed_bidirectional():
    def forward(m, x):
        _, state = m.gru(pack_padded_sequence(x, torch.tensor([5]), batch_first=True, enforce_sorted=False))
        return m.last(torch.cat([state[0], state[1]], dim=1))

    return Does(forward, gru=nn.GRU(3, 4, bidirectional=True, batch_first=True), last=nn.Linear(8, 3)), \
        sequence(6, 3), 1


@network()
def rnn_twice_over_the_same():
    """One module read two sequences."""
    def forward(m, one, other):
        return m.last(m.rnn(one)[1][0] - m.rnn(other)[1][0])

    return Does(forward, rnn=nn.RNN(3, 4, batch_first=True), last=nn.Linear(4, 2)), (sequence(4, 3), sequence(5, 3)), 1


@network()
def gru_one_level_at_a_time():
    def forward(m, x):
        for level, norm in zip(m.levels, m.norms, strict=True):
            x = norm(x + level(x)[0])
        return m.last(x.mean(dim=1))

    return Does(forward, levels=nn.ModuleList(nn.GRU(4, 4, batch_first=True) for _ in range(2)),
                norms=nn.ModuleList(nn.LayerNorm(4) for _ in range(2)), last=nn.Linear(4, 3)), sequence(5, 4), 0


@network()
def lstm_character_model():
    return Does(lambda m, x: m.last(m.lstm(m.embedding(x))[0]), embedding=nn.Embedding(9, 4),
                lstm=nn.LSTM(4, 6, batch_first=True), last=nn.Linear(6, 9)), tokens(7, 9), [3, 1, 4, 1, 5, 2, 6]


@network()
def lstm_both_states_answered():
    def forward(m, x):
        made, (h, c) = m.lstm(x)
        return m.last(h[-1] + c[-1]), made

    return Does(forward, lstm=nn.LSTM(3, 4, batch_first=True), last=nn.Linear(4, 3)), sequence(5, 3), 1


@network()
def convolutions_before_lstm():
    def forward(m, x):
        maps = F.max_pool2d(m.conv(x).relu(), (2, 1))
        return m.last(m.lstm(maps.permute(0, 3, 1, 2).flatten(2))[0])

    return Does(forward, conv=nn.Conv2d(1, 2, 3, padding=1), lstm=nn.LSTM(6, 4, bidirectional=True, batch_first=True),
                last=nn.Linear(8, 3)), torch.randn(1, 1, 6, 7), None


@network()
def convolutional_gru_one_step_a_picture():
    """A film: each picture goes through the same convolutions."""
    def forward(m, film):
        seen = m.conv(film[0]).relu().mean(dim=(2, 3)).unsqueeze(0)
        return m.last(m.gru(seen)[1][0])

    return Does(forward, conv=nn.Conv2d(1, 3, 3), gru=nn.GRU(3, 4, batch_first=True), last=nn.Linear(4, 3)), \
        torch.randn(1, 4, 1, 5, 5), 1
