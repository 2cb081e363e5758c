"""Answers, targets and numbers that are easily got wrong."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from tests.networks import Does, floating, image, network, sequence, tokens


@network()
def returns_its_input():
    return nn.Identity(), torch.randn(1, 5), None


@network()
def returns_its_input_unless():
    """A layer that is skipped."""
    return Does(lambda m, x: x, fc=nn.Linear(5, 5)), torch.randn(1, 5), None


@network()
def scalar_answer():
    return Does(lambda m, x: torch.tanh(m.first(x)).square().sum(), first=nn.Linear(5, 4)), torch.randn(1, 5), None


@network()
def one_number():
    return nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 1)), torch.randn(1, 5), None


@network()
def target_one_number():
    return nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 1)), torch.randn(1, 5), 0.5


@network(capture={"answer": "numbers"}, loss=lambda returned, target: F.mse_loss(returned, torch.tensor(target)))
def target_several_numbers():
    return nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)), torch.randn(1, 5), \
        np.array([[0.5, -1, 2]], np.float32)


@network(loss=lambda returned, target: F.binary_cross_entropy_with_logits(returned, torch.tensor([[float(target)]])))
def target_binary():
    """A logit for yes, and a target of 1: binary cross entropy."""
    return nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 1)), torch.randn(1, 5), 1


@network(loss=lambda returned, target: F.binary_cross_entropy(returned, torch.tensor([[float(target)]])))
def target_binary_share():
    return nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 1), nn.Sigmoid()), torch.randn(1, 5), 0


@network(capture={"answer": {"kind": "mask", "score": "logit"}},
         loss=lambda returned, target: F.binary_cross_entropy_with_logits(
             returned, torch.as_tensor(target).reshape(returned.shape)))
def target_mask():
    return nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 1, 1)), image(1, 6), \
        np.eye(6, dtype=np.float32)


@network(loss=lambda returned, target: F.cross_entropy(returned, torch.as_tensor(target)[None]))
def target_class_of_each_place():
    return nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 4, 1)), image(1, 5), \
        np.arange(25).reshape(5, 5) % 4


@network()
def target_class_of_numpy():
    return nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3)), torch.randn(1, 5), 2


@network()
def target_class_of_some_steps():
    return Does(lambda m, x: m.last(m.gru(x)[0]), gru=nn.GRU(3, 4, batch_first=True), last=nn.Linear(4, 3)), \
        sequence(5, 3), [-100, 1, -100, 2, 0]


@network(capture={"asks": {"kind": "ctc", "blank": 0}}, loss=lambda returned, target: F.ctc_loss(
    floating(returned)[0].reshape(-1, 1, 5).log_softmax(-1), torch.tensor([target]), (8,), (len(target),)))
def target_spelled():
    return Does(lambda m, x: m.last(m.lstm(x)[0]), lstm=nn.LSTM(3, 4, bidirectional=True, batch_first=True),
                last=nn.Linear(8, 5)), sequence(8, 3), [2, 2, 4]


@network()
def shares_answered_in_logarithms():
    return nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3), nn.LogSoftmax(dim=1)), torch.randn(1, 5), \
        None


@network()
def shares_inside_only():
    """A softmax that is no answer."""
    return Does(lambda m, x: m.last(m.look(x).softmax(1) * x), look=nn.Linear(5, 5), last=nn.Linear(5, 2)), \
        torch.randn(1, 5), None


@network()
def chances_of_several_labels():
    return nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 4), nn.Sigmoid()), torch.randn(1, 5), None


@network(as_made=True)
def dead_relus():
    model = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3))
    with torch.no_grad():
        model[0].bias.fill_(-100)
    return model, torch.randn(1, 5), 1


@network(as_made=True)
def vanishing_sigmoids():
    """Gradients of a norm below 1e-26."""
    layers = [part for _ in range(24) for part in (nn.Linear(4, 4), nn.Sigmoid())]
    model = nn.Sequential(*layers, nn.Linear(4, 3))
    with torch.no_grad():
        for index in range(0, 48, 2):
            model[index].weight.mul_(0.4)
    return model, torch.randn(1, 4), 1


@network(as_made=True)
def vanishing_rnn():
    rnn = nn.RNN(2, 3, batch_first=True)
    with torch.no_grad():
        rnn.weight_hh_l0.mul_(0.15)
    return Does(lambda m, x: m.last(m.rnn(x)[0][:, -1]), rnn=rnn, last=nn.Linear(3, 2)), sequence(30, 2), 1


@network(as_made=True)
def exploding_rnn():
    rnn = nn.RNN(2, 3, nonlinearity="relu", batch_first=True)
    with torch.no_grad():
        rnn.weight_hh_l0.copy_(3 * torch.eye(3))
    return Does(lambda m, x: m.last(m.rnn(x)[0][:, -1]), rnn=rnn, last=nn.Linear(3, 2)), sequence(20, 2), 1


@network()
def zero_gradient():
    """Multiplied by 0 at last."""
    return Does(lambda m, x: m.last(torch.tanh(m.first(x))) * 0.0, first=nn.Linear(5, 4), last=nn.Linear(4, 3)), \
        torch.randn(1, 5), None


@network()
def unused_layer():
    return Does(lambda m, x: (m.unused(x), m.last(torch.relu(m.first(x))))[1], first=nn.Linear(5, 4),
                unused=nn.Linear(5, 4), last=nn.Linear(4, 3)), torch.randn(1, 5), 1


@network(as_made=True)
def infinity_inside():
    return Does(lambda m, x: m.last(torch.log(torch.relu(m.first(x))).clamp(min=-5)), first=nn.Linear(5, 6),
                last=nn.Linear(6, 3)), torch.randn(1, 5), 1


@network()
def infinity_answered():
    return Does(lambda m, x: torch.exp(m.first(x) * 1000), first=nn.Linear(5, 3)), torch.randn(1, 5), None


@network()
def nan_inside():
    return Does(lambda m, x: m.last(torch.sqrt(m.first(x))), first=nn.Linear(5, 6), last=nn.Linear(6, 3)), \
        torch.randn(1, 5), 1


@network()
def nan_in_convolutions():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(18, 3)), \
        image(1, 5).index_fill(3, torch.tensor([2]), float("nan")), 1


@network()
def nan_gradient_only():
    """The root of 0 is 0; its slope times 0 is not a number."""
    return Does(lambda m, x: m.last(torch.sqrt((x - x.detach()) * m.first(x).abs()) * 0 + m.first(x)),
                first=nn.Linear(5, 5), last=nn.Linear(5, 3)), torch.randn(1, 5), 1


@network()
def infinity_in_lstm():
    return Does(lambda m, x: m.last(m.lstm(x)[0][:, -1]), lstm=nn.LSTM(2, 3, batch_first=True),
                last=nn.Linear(3, 2)), sequence(4, 2).index_fill(1, torch.tensor([1]), float("inf")), 1


@network()
def very_large_numbers():
    return Does(lambda m, x: m.last(m.first(x * 1e18)) * 1e-12, first=nn.Linear(5, 6), last=nn.Linear(6, 3)), \
        torch.randn(1, 5), None


@network()
def ties_in_pools():
    """Windows with several largest numbers."""
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3)), \
        torch.ones(1, 1, 6, 6), 1


@network()
def one_step():
    return Does(lambda m, x: m.last(m.lstm(x)[0][:, -1]), lstm=nn.LSTM(2, 3, batch_first=True),
                last=nn.Linear(3, 2)), sequence(1, 2), 1


@network()
def one_unit():
    return Does(lambda m, x: m.last(m.gru(x)[0][:, -1]), gru=nn.GRU(1, 1, batch_first=True),
                last=nn.Linear(1, 2)), sequence(4, 1), 1


@network()
def one_pixel():
    return nn.Sequential(nn.Conv2d(1, 3, 1), nn.ReLU(), nn.Flatten(), nn.Linear(3, 2)), image(1, 1), 1


@network()
def long_vector():
    return nn.Sequential(nn.Unflatten(1, (1, 600)), nn.Conv1d(1, 3, 64, stride=32), nn.ReLU(), nn.Flatten(),
                         nn.Linear(51, 4)), torch.randn(1, 600), 1


@network()
def names_that_repeat():
    """A module called many times in a loop, and functions beside it."""
    def forward(m, x):
        for _ in range(4):
            x = F.relu(m.fc(x)) + F.relu(x)
        return m.last(x)

    return Does(forward, fc=nn.Linear(4, 4), last=nn.Linear(4, 3)), torch.randn(1, 4), 1


@network()
def loop_whose_length_depends():
    """Goes on until what is left is small."""
    def forward(m, x):
        count = 0
        while float(x.detach().norm()) > 0.4 and count < 6:
            x = torch.tanh(m.fc(x)) * 0.6
            count += 1
        return m.last(x)

    return Does(forward, fc=nn.Linear(4, 4), last=nn.Linear(4, 3)), torch.randn(1, 4), 1


@network()
def way_that_is_chosen():
    def forward(m, x):
        return m.last(m.left(x) if x.sum() > 0 else m.right(x))

    return Does(forward, left=nn.Linear(4, 3), right=nn.Linear(4, 3), last=nn.Linear(3, 2)), torch.randn(1, 4), 1


@network()
def words_twice():
    """The same words by two tables, with one table twice."""
    def forward(m, words):
        return m.last(m.one(words).mean(1) * m.other(words).amax(1) + m.one(words.flip(1))[:, 0])

    return Does(forward, one=nn.Embedding(6, 3), other=nn.Embedding(6, 3), last=nn.Linear(3, 2)), tokens(4, 6), 1


@network(training=True)
def noise_inside():
    return Does(lambda m, x: m.last(torch.relu(m.first(x) + 0.1 * torch.randn(1, 6))), first=nn.Linear(5, 6),
                last=nn.Linear(6, 3)), torch.randn(1, 5), 1


@network(training=True)
def gumbel_choice():
    return Does(lambda m, x: m.last(F.gumbel_softmax(m.first(x), tau=0.8)), first=nn.Linear(5, 6),
                last=nn.Linear(6, 3)), torch.randn(1, 5), 1
