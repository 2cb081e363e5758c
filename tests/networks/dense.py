"""Perceptrons: layers of weighted sums, each activation, and how numbers go around them."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from tests.networks import Does, network

ACTIVATIONS = ("relu", "tanh", "sigmoid", "gelu", "silu", "elu", "selu", "celu", "leaky_relu", "softplus", "softsign",
               "mish", "hardtanh", "hardswish", "hardsigmoid", "logsigmoid", "relu6", "tanhshrink", "softshrink")


def _perceptron(*activations, classes=4):
    layers = []
    for index, activation in enumerate(activations):
        layers += [nn.Linear(6 if index == 0 else 8, 8), activation]
    return nn.Sequential(*layers, nn.Linear(8, classes)), torch.randn(1, 6), 2


@network()
def mlp_plain():
    return _perceptron(nn.ReLU(), nn.ReLU())


@network()
def mlp_smooth_activations():
    return _perceptron(nn.Tanh(), nn.Sigmoid(), nn.GELU(), nn.SiLU(), nn.ELU(), nn.SELU())


@network()
def mlp_hard_activations():
    return _perceptron(nn.Hardtanh(), nn.Hardswish(), nn.Hardsigmoid(), nn.ReLU6(), nn.LeakyReLU(0.2))


@network()
def mlp_soft_activations():
    return _perceptron(nn.Softplus(), nn.Softsign(), nn.Softshrink(0.1), nn.LogSigmoid(), nn.Mish(), nn.CELU())


@network()
def mlp_rare_activations():
    return _perceptron(nn.Tanhshrink(), nn.Hardshrink(0.1), nn.Threshold(0.05, 0.2), nn.GELU(approximate="tanh"),
                       nn.RReLU())


@network()
def mlp_prelu():
    return _perceptron(nn.PReLU(), nn.PReLU(8))


@network()
def mlp_every_functional_activation():
    def forward(m, x):
        h = m.first(x)
        for name in ACTIVATIONS:
            h = h + 0.3 * getattr(F, name)(h)
        return m.last(h)

    return Does(forward, first=nn.Linear(6, 5), last=nn.Linear(5, 3)), torch.randn(1, 6), 0


@network()
def mlp_glu():
    return Does(lambda m, x: m.last(F.glu(m.first(x), dim=-1)), first=nn.Linear(6, 10), last=nn.Linear(5, 3)), \
        torch.randn(1, 6), 1


@network()
def mlp_swiglu():
    return Does(lambda m, x: m.last(F.silu(m.gate(x)) * m.value(x)), gate=nn.Linear(6, 8, bias=False),
                value=nn.Linear(6, 8, bias=False), last=nn.Linear(8, 4, bias=False)), torch.randn(1, 6), 3


@network()
def mlp_maxout():
    return Does(lambda m, x: m.last(m.first(x).view(1, 5, 3).max(dim=2).values), first=nn.Linear(6, 15),
                last=nn.Linear(5, 3)), torch.randn(1, 6), 2


@network()
def mlp_highway():
    def forward(m, x):
        for gate, turn in zip(m.gates, m.turns, strict=True):
            open_ = torch.sigmoid(gate(x))
            x = open_ * F.relu(turn(x)) + (1 - open_) * x
        return m.last(x)

    return Does(forward, gates=nn.ModuleList(nn.Linear(6, 6) for _ in range(3)),
                turns=nn.ModuleList(nn.Linear(6, 6) for _ in range(3)), last=nn.Linear(6, 3)), torch.randn(1, 6), 0


@network()
def mlp_residual():
    def forward(m, x):
        for block in m.blocks:
            x = x + block(x)
        return m.last(x)

    return Does(forward, blocks=nn.ModuleList(nn.Sequential(nn.LayerNorm(6), nn.Linear(6, 9), nn.GELU(),
                                                            nn.Linear(9, 6)) for _ in range(3)),
                last=nn.Linear(6, 3)), torch.randn(1, 6), 1


@network()
def mlp_dense():
    def forward(m, x):
        for layer in m.layers:
            x = torch.cat([x, torch.relu(layer(x))], dim=1)
        return m.last(x)

    return Does(forward, layers=nn.ModuleList(nn.Linear(4 + 3 * index, 3) for index in range(3)),
                last=nn.Linear(13, 3)), torch.randn(1, 4), 2


@network()
def mlp_bilinear():
    return Does(lambda m, x: m.both(torch.tanh(m.one(x)), torch.tanh(m.other(x))), one=nn.Linear(5, 3),
                other=nn.Linear(5, 4), both=nn.Bilinear(3, 4, 2)), torch.randn(1, 5), 1


@network()
def mlp_dropout_asleep():
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3)), torch.randn(1, 6), 1


@network(training=True)
def mlp_dropout_awake():
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.5), nn.AlphaDropout(0.2), nn.Linear(8, 3)), \
        torch.randn(1, 6), 1


@network()
def mlp_batch_norm():
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    model[1].running_mean.normal_()
    model[1].running_var.uniform_(0.5, 2)
    return model, torch.randn(1, 6), 1


@network()
def mlp_rms_norm():
    return nn.Sequential(nn.Linear(6, 8), nn.RMSNorm(8), nn.SiLU(), nn.Linear(8, 3)), torch.randn(1, 6), 1


@network()
def mlp_own_rms_norm():
    def forward(m, x):
        h = m.first(x)
        h = h * torch.rsqrt(h.pow(2).mean(-1, keepdim=True) + 1e-6) * m.scale
        return m.last(h)

    return Does(forward, first=nn.Linear(6, 8), last=nn.Linear(8, 3), scale=nn.Parameter(torch.ones(8))), \
        torch.randn(1, 6), 0


@network()
def mlp_ends_in_softmax():
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3), nn.Softmax(dim=1)), torch.randn(1, 6), None


@network()
def mlp_shared_weights():
    return Does(lambda m, x: m.last(torch.tanh(m.twice(torch.tanh(m.twice(x))))), twice=nn.Linear(5, 5),
                last=nn.Linear(5, 3)), torch.randn(1, 5), 1


@network()
def mlp_tied_autoencoder():
    return Does(lambda m, x: F.linear(torch.tanh(F.linear(x, m.weight, m.in_)), m.weight.t(), m.out),
                weight=nn.Parameter(0.5 * torch.randn(3, 6)), in_=nn.Parameter(torch.randn(3)),
                out=nn.Parameter(torch.randn(6))), torch.randn(1, 6), None


@network()
def mlp_own_products():
    return Does(lambda m, x: torch.addmm(m.b, torch.relu(x @ m.v), m.w), v=nn.Parameter(torch.randn(5, 6)),
                w=nn.Parameter(torch.randn(6, 3)), b=nn.Parameter(torch.randn(3))), torch.randn(1, 5), 0


@network()
def mlp_in_place():
    def forward(m, x):
        h = m.first(x)
        h.add_(m.bias)
        h *= 2
        h.relu_()
        h = h * 1.5
        h[:, 0] = 0
        return m.last(h)

    return Does(forward, first=nn.Linear(5, 6), bias=nn.Parameter(torch.randn(6)), last=nn.Linear(6, 3)), \
        torch.randn(1, 5), 2


@network()
def mlp_layers_in_plain_list():
    layers = [nn.Linear(5, 6), nn.Linear(6, 3)]
    return Does(lambda m, x: m.layers[1](torch.relu(m.layers[0](x))), layers=layers), torch.randn(1, 5), 1


@network()
def mlp_identity_parts():
    return nn.Sequential(nn.Identity(), nn.Linear(5, 4), nn.Identity(), nn.ReLU(), nn.Linear(4, 3)), \
        torch.randn(1, 5), 1


@network()
def mlp_lazy():
    model = nn.Sequential(nn.LazyLinear(6), nn.ReLU(), nn.LazyLinear(3))
    model(torch.randn(1, 5))
    return model, torch.randn(1, 5), 1


@network()
def mlp_unbatched():
    return nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3)), torch.randn(5), None


@network()
def mlp_frozen_first_layer():
    model = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3))
    model[0].requires_grad_(False)
    return model, torch.randn(1, 5), 1


@network()
def mlp_film():
    def forward(m, x):
        scale, shift = m.condition(x[:, :3]).chunk(2, dim=1)
        return m.last(torch.relu(m.first(x[:, 3:]) * (1 + scale) + shift))

    return Does(forward, condition=nn.Linear(3, 12), first=nn.Linear(4, 6), last=nn.Linear(6, 3)), torch.randn(1, 7), 0


@network()
def mlp_mixture_of_experts():
    def forward(m, x):
        gates = m.router(x).softmax(dim=-1)
        answers = torch.stack([expert(x) for expert in m.experts], dim=1)
        return (gates.unsqueeze(-1) * answers).sum(dim=1)

    return Does(forward, router=nn.Linear(5, 3), experts=nn.ModuleList(nn.Sequential(nn.Linear(5, 4), nn.ReLU(),
                                                                                     nn.Linear(4, 3))
                                                                       for _ in range(3))), torch.randn(1, 5), 2


@network()
def mlp_sparse_mixture_of_experts():
    def forward(m, x):
        best, chosen = m.router(x).topk(2, dim=-1)
        shares = best.softmax(dim=-1)
        return sum(shares[:, place:place + 1] * m.experts[int(chosen[0, place])](x) for place in range(2))

    return Does(forward, router=nn.Linear(5, 4), experts=nn.ModuleList(nn.Linear(5, 3) for _ in range(4))), \
        torch.randn(1, 5), 2


@network()
def mlp_mixer():
    def forward(m, x):
        x = x + m.along(m.norm1(x).transpose(1, 2)).transpose(1, 2)
        x = x + m.across(m.norm2(x))
        return m.last(x.mean(dim=1))

    return Does(forward, norm1=nn.LayerNorm(4), norm2=nn.LayerNorm(4), last=nn.Linear(4, 3),
                along=nn.Sequential(nn.Linear(6, 5), nn.GELU(), nn.Linear(5, 6)),
                across=nn.Sequential(nn.Linear(4, 5), nn.GELU(), nn.Linear(5, 4))), torch.randn(1, 6, 4), 1


@network()
def mlp_radial_basis():
    return Does(lambda m, x: m.last(torch.exp(-(x.unsqueeze(1) - m.centres).square().sum(-1))),
                centres=nn.Parameter(torch.randn(5, 3)), last=nn.Linear(5, 2)), torch.randn(1, 3), 1


@network()
def mlp_fourier_features():
    def forward(m, x):
        angles = 2 * torch.pi * x @ m.waves
        return m.net(torch.cat([angles.sin(), angles.cos()], dim=-1))

    return Does(forward, waves=nn.Parameter(0.3 * torch.randn(2, 5)),
                net=nn.Sequential(nn.Linear(10, 6), nn.ReLU(), nn.Linear(6, 3))), torch.randn(1, 2), None
