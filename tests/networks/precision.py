"""Numbers of other kinds: double, half, complex; and gradients that are switched off or taken twice."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from tests.networks import Does, image, network, sequence


@network()
def double_precision():
    return nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 3)).double(), torch.randn(1, 5).double(), 1


@network()
def double_precision_lstm():
    return Does(lambda m, x: m.last(m.lstm(x)[0][:, -1]), lstm=nn.LSTM(3, 4, batch_first=True),
                last=nn.Linear(4, 3)).double(), sequence(5, 3).double(), 1


@network()
def bfloat16_perceptron():
    return nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3)).bfloat16(), torch.randn(1, 5).bfloat16(), 1


@network()
def bfloat16_convolutions():
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(27, 3)).bfloat16(), \
        image(1, 5).bfloat16(), 1


@network()
def bfloat16_lstm():
    return Does(lambda m, x: m.last(m.lstm(x)[0][:, -1]), lstm=nn.LSTM(3, 4, batch_first=True),
                last=nn.Linear(4, 3)).bfloat16(), sequence(4, 3).bfloat16(), 1


@network()
def half_perceptron():
    return nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3)).half(), torch.randn(1, 5).half(), 1


@network()
def autocast_inside():
    def forward(m, x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            h = torch.relu(m.first(x))
            return m.last(h).float()

    return Does(forward, first=nn.Linear(5, 6), last=nn.Linear(6, 3)), torch.randn(1, 5), 1


@network()
def mixed_precision():
    def forward(m, x):
        h = torch.tanh(m.first(x)).double()
        return m.last((h - h.mean()).float()).to(torch.float64)

    return Does(forward, first=nn.Linear(5, 6), last=nn.Linear(6, 3)), torch.randn(1, 5), 1


@network()
def complex_spectrum():
    return Does(lambda m, x: m.last(torch.log1p(torch.fft.rfft(x).abs())), last=nn.Linear(5, 3)), torch.randn(1, 8), 1


@network()
def complex_short_time_spectrum():
    def forward(m, x):
        spectrum = torch.stft(x, 8, hop_length=4, window=m.window, return_complex=True)
        return m.last(spectrum.abs().pow(2).mean(dim=-1))

    return Does(forward, window=torch.hann_window(8), last=nn.Linear(5, 3)), torch.randn(1, 24), 1


@network()
def complex_mixing():
    """As FNet: the real part of a transform along both axes."""
    return Does(lambda m, x: m.last((x + torch.fft.fft2(x).real).mean(1)), last=nn.Linear(4, 3)), sequence(5, 4), 1


@network()
def complex_fourier_operator():
    """Filters for frequencies, and back."""
    def forward(m, x):
        waves = torch.fft.rfft(x)
        return m.last(torch.relu(torch.fft.irfft(waves * m.filter, n=8) + m.local(x)))

    return Does(forward, filter=nn.Parameter(torch.randn(5, dtype=torch.cfloat)), local=nn.Linear(8, 8),
                last=nn.Linear(8, 3)), torch.randn(1, 8), 1


@network()
def complex_weights():
    def forward(m, x):
        z = torch.complex(x[:, :3], x[:, 3:])
        z = z @ m.weight
        return torch.cat([z.real, z.imag], dim=1)

    return Does(forward, weight=nn.Parameter(torch.randn(3, 2, dtype=torch.cfloat))), torch.randn(1, 6), None


@network()
def differentiates_inside():
    """As physics-informed networks do."""
    def forward(m, x):
        u = m.net(x)
        (slope,) = torch.autograd.grad(u.sum(), x, create_graph=True)
        return torch.cat([u, slope], dim=1)

    return Does(forward, net=nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 1))), \
        torch.randn(1, 2).requires_grad_(), None


@network()
def energy_and_force():
    def forward(m, x):
        with torch.enable_grad():
            energy = m.net(x).square().sum()
            (force,) = torch.autograd.grad(energy, x, create_graph=True)
        return -force

    return Does(forward, net=nn.Sequential(nn.Linear(3, 5), nn.Softplus(), nn.Linear(5, 2))), \
        torch.randn(1, 3).requires_grad_(), None


@network()
def no_grad_inside():
    def forward(m, x):
        with torch.no_grad():
            seen = torch.relu(m.frozen(x))
        return m.last(seen)

    return Does(forward, frozen=nn.Linear(5, 6), last=nn.Linear(6, 3)), torch.randn(1, 5), 1


@network()
def inference_mode_inside():
    def forward(m, x):
        with torch.inference_mode():
            seen = torch.relu(m.frozen(x))
        return m.last(seen.clone())

    return Does(forward, frozen=nn.Linear(5, 6), last=nn.Linear(6, 3)), torch.randn(1, 5), 1


class _Predicts(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 3))

    @torch.inference_mode()
    def forward(self, x):
        return self.net(x)


@network()
def inference_mode_around():
    return _Predicts(), torch.randn(1, 5), 1


@network()
def detached_branch():
    def forward(m, x):
        h = torch.tanh(m.first(x))
        return m.last(h * torch.sigmoid(m.gate(h.detach())))

    return Does(forward, first=nn.Linear(5, 6), gate=nn.Linear(6, 6), last=nn.Linear(6, 3)), torch.randn(1, 5), 1


@network()
def whole_numbers_in():
    """Bytes of a picture, scaled inside."""
    return Does(lambda m, x: m.last(m.conv(x.float() / 255 - 0.5).relu().flatten(1)), conv=nn.Conv2d(1, 2, 3),
                last=nn.Linear(18, 3)), torch.randint(256, (1, 1, 5, 5), dtype=torch.uint8), 1


@network()
def one_hot_in():
    return Does(lambda m, x: m.last(torch.tanh(m.first(F.one_hot(x, 7).float())).sum(1)), first=nn.Linear(7, 4),
                last=nn.Linear(4, 3)), torch.randint(7, (1, 4)), 1
