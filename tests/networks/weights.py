"""Weights that are computed before they are used, and modules that are compiled."""

from __future__ import annotations

import warnings

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations, parametrize, prune
from torch.utils.checkpoint import checkpoint

from tests.networks import Does, image, network


@network()
def weights_normed():
    return nn.Sequential(parametrizations.weight_norm(nn.Linear(5, 6)), nn.ReLU(), nn.Linear(6, 3)), \
        torch.randn(1, 5), 1


@network()
def weights_normed_convolutions():
    return nn.Sequential(parametrizations.weight_norm(nn.Conv2d(1, 3, 3)), nn.ReLU(), nn.Flatten(),
                         nn.Linear(27, 3)), image(1, 5), 1


@network()
def weights_normed_the_old_way():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        normed = torch.nn.utils.weight_norm(nn.Conv1d(1, 3, 3))
    return nn.Sequential(normed, nn.ReLU(), nn.Flatten(), nn.Linear(12, 3)), torch.randn(1, 1, 6), 1


@network()
def weights_spectral_norm():
    return nn.Sequential(parametrizations.spectral_norm(nn.Linear(5, 6)), nn.ReLU(), nn.Linear(6, 3)), \
        torch.randn(1, 5), 1


@network()
def weights_spectral_norm_convolution():
    return nn.Sequential(parametrizations.spectral_norm(nn.Conv2d(1, 2, 3)), nn.LeakyReLU(0.2), nn.Flatten(),
                         nn.Linear(18, 1)), image(1, 5), None


@network()
def weights_orthogonal():
    return nn.Sequential(parametrizations.orthogonal(nn.Linear(4, 4)), nn.Tanh(), nn.Linear(4, 3)), \
        torch.randn(1, 4), 1


class _Symmetric(nn.Module):
    def forward(self, weight):
        return weight.triu() + weight.triu(1).transpose(-1, -2)


@network()
def weights_own_parametrization():
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 3))
    parametrize.register_parametrization(model[0], "weight", _Symmetric())
    return model, torch.randn(1, 4), 1


@network()
def weights_pruned():
    model = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3))
    prune.l1_unstructured(model[0], "weight", amount=0.5)
    prune.random_unstructured(model[2], "bias", amount=1)
    return model, torch.randn(1, 5), 1


@network()
def weights_pruned_channels():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(36, 3))
    prune.ln_structured(model[0], "weight", amount=2, n=2, dim=0)
    return model, image(1, 5), 1


@network()
def weights_standardised():
    def forward(m, x):
        weight = m.conv.weight
        weight = (weight - weight.mean(dim=(1, 2, 3), keepdim=True)) / (weight.std(dim=(1, 2, 3), keepdim=True) + 1e-5)
        return m.last(F.conv2d(x, weight, m.conv.bias).relu().flatten(1))

    return Does(forward, conv=nn.Conv2d(1, 2, 3), last=nn.Linear(18, 3)), image(1, 5), 1


@network()
def weights_low_rank_adapter():
    def forward(m, x):
        return m.last(torch.relu(F.linear(x, m.base.weight + 0.5 * m.up @ m.down, m.base.bias)))

    base = nn.Linear(5, 6)
    base.requires_grad_(False)
    return Does(forward, base=base, up=nn.Parameter(torch.randn(6, 2)), down=nn.Parameter(torch.randn(2, 5)),
                last=nn.Linear(6, 3)), torch.randn(1, 5), 1


@network()
def weights_rounded_straight_through():
    """Binary weights whose gradient goes as if they were not rounded."""
    def forward(m, x):
        weight = m.weight + (torch.sign(m.weight) - m.weight).detach()
        return m.last(F.hardtanh(F.linear(x, weight)))

    return Does(forward, weight=nn.Parameter(torch.randn(6, 5)), last=nn.Linear(6, 3)), torch.randn(1, 5), 1


@network()
def weights_of_two_uses():
    """A convolution's filters, forwards and transposed."""
    return Does(lambda m, x: F.conv_transpose2d(torch.relu(F.conv2d(x, m.kernel)), m.kernel),
                kernel=nn.Parameter(torch.randn(2, 1, 3, 3))), image(1, 5), None


class _Part(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 6)

    def forward(self, x):
        return torch.relu(self.fc(x)) + x


@network()
def piece_traced():
    return nn.Sequential(nn.Linear(5, 6), torch.jit.trace(_Part(), torch.randn(1, 6), check_trace=False),
                         nn.Linear(6, 3)), torch.randn(1, 5), 1


@network()
def piece_scripted():
    return nn.Sequential(nn.Linear(5, 6), torch.jit.script(_Part()), nn.Linear(6, 3)), torch.randn(1, 5), 1


@network()
def piece_compiled():
    return nn.Sequential(nn.Linear(5, 6), torch.compile(_Part(), backend="eager"), nn.Linear(6, 3)), \
        torch.randn(1, 5), 1


@network()
def whole_traced_by_fx():
    return torch.fx.symbolic_trace(nn.Sequential(nn.Linear(5, 6), nn.ReLU(), _Part(), nn.Linear(6, 3))), \
        torch.randn(1, 5), 1


class _Own(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0) ** 2

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * 2 * x.clamp(min=0)


@network()
def piece_own_autograd_function():
    return Does(lambda m, x: m.last(_Own.apply(m.first(x))), first=nn.Linear(5, 6), last=nn.Linear(6, 3)), \
        torch.randn(1, 5), 1


@network()
def piece_checkpointed():
    return Does(lambda m, x: m.last(checkpoint(m.middle, m.first(x), use_reentrant=False)), first=nn.Linear(5, 6),
                middle=_Part(), last=nn.Linear(6, 3)), torch.randn(1, 5), 1


@network()
def piece_mapped():
    """torch.vmap over the rows of what was read."""
    return Does(lambda m, x: m.last(torch.vmap(lambda row: torch.tanh(m.first(row)))(x).mean(1)),
                first=nn.Linear(3, 4), last=nn.Linear(4, 2)), torch.randn(1, 5, 3), 1
