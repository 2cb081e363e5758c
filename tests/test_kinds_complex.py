"""Complex numbers: both parts are recorded, explained both ways, and never taken for a real number."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from visualizer import kinds, record
from visualizer.export import draw
from visualizer.trace import PART

torch.set_num_threads(1)


class Does(nn.Module):
    def __init__(self, does, **parts):
        super().__init__()
        self.does = does
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.does(self, x)


def real(z):
    """One real number of each kind from complex ones, with both parts in it."""
    return z.real.flatten(1) * 0.7 + z.imag.flatten(1).sin()


def pair(x):
    half = x.shape[-1] // 2
    return torch.complex(x[..., :half], x[..., half:])


COVERS = {
    "magnitude", "angle", "real_part", "imaginary_part", "conjugate", "complex_mul", "complex_add", "complex_sub",
    "complex", "view_as_real", "fft_fft", "fft_fft2", "fft_fftn", "fft_rfft", "fft_rfft2", "fft_rfftn", "fft_ifft",
    "fft_ifft2", "fft_ifftn", "fft_irfft", "fft_irfft2", "fft_irfftn", "stft",
}
WINDOW = torch.hann_window(6, dtype=torch.float64)
CASES = {
    "fft": lambda m, x: real(torch.fft.fft(x)), "fft longer": lambda m, x: real(torch.fft.fft(x, 11)),
    "fft shorter": lambda m, x: real(torch.fft.fft(x, 5)), "fft of complex": lambda m, x: real(torch.fft.fft(pair(x))),
    "fft ortho": lambda m, x: real(torch.fft.fft(x, norm="ortho")),
    "fft forward": lambda m, x: real(torch.fft.fft(x, norm="forward")),
    "ifft": lambda m, x: real(torch.fft.ifft(pair(x))), "ifft of real": lambda m, x: real(torch.fft.ifft(x)),
    "rfft": lambda m, x: real(torch.fft.rfft(x)), "rfft dim": lambda m, x: real(torch.fft.rfft(x, dim=1)),
    "irfft even": lambda m, x: torch.fft.irfft(torch.fft.rfft(x) * 1.5),
    "irfft odd": lambda m, x: torch.fft.irfft(torch.fft.rfft(x), n=7),
    "irfft ortho": lambda m, x: torch.fft.irfft(torch.fft.rfft(x, norm="ortho"), norm="ortho"),
    "fft2": lambda m, x: real(torch.fft.fft2(x)), "rfft2": lambda m, x: real(torch.fft.rfft2(x)),
    "irfft2": lambda m, x: torch.fft.irfft2(torch.fft.rfft2(x), s=(3, 8)).flatten(1),
    "fftn": lambda m, x: real(torch.fft.fftn(x, dim=(1, 2))),
    "ifftn": lambda m, x: real(torch.fft.ifftn(x, dim=(1, 2))),
    "irfftn": lambda m, x: torch.fft.irfftn(torch.fft.rfftn(x, dim=(1, 2)), dim=(1, 2)).flatten(1),
    "rfftn": lambda m, x: real(torch.fft.rfftn(x, dim=(1, 2))), "ifft2": lambda m, x: real(torch.fft.ifft2(pair(x))),
    "abs": lambda m, x: pair(x).abs(), "angle": lambda m, x: pair(x).angle(), "conj": lambda m, x: real(pair(x).conj()),
    "mul": lambda m, x: real(pair(x) * torch.fft.fft(x[..., :4])),
    "mul number": lambda m, x: real(pair(x) * (2 - 0.5j)),
    "mul weights": lambda m, x: real(torch.fft.rfft(x) * m.filter), "mul real": lambda m, x: real(pair(x) * x[..., :4]),
    "add": lambda m, x: real(pair(x) + torch.fft.fft(x[..., :4])), "add number": lambda m, x: real(pair(x) + (1 + 2j)),
    "add twice": lambda m, x: real(torch.add(pair(x), torch.fft.fft(x[..., :4]), alpha=2)),
    "add thrice a number": lambda m, x: real(torch.add(pair(x), 1 - 2j, alpha=3)),
    "sub": lambda m, x: real(pair(x) - torch.fft.fft(x[..., :4])),
    "sub thrice": lambda m, x: real(torch.sub(pair(x), torch.fft.fft(x[..., :4]), alpha=3)),
    "sub from number": lambda m, x: real((1 + 2j) - pair(x)),
    "rsub": lambda m, x: real(torch.rsub(pair(x), torch.fft.fft(x[..., :4]), alpha=2)),
    "sub from real": lambda m, x: real(x[..., :4] - pair(x)),
    "view": lambda m, x: torch.view_as_real(pair(x)).flatten(1),
    "view back": lambda m, x: real(torch.view_as_complex(x.reshape(1, -1, 2))),
    "stft": lambda m, x: real(torch.stft(x.flatten(1), 6, 2, window=WINDOW, return_complex=True)),
    "stft bare": lambda m, x: real(torch.stft(
        x.flatten(1), 8, 3, window=torch.ones(8).double(), return_complex=True, center=False)),
    "stft short window": lambda m, x: real(torch.stft(
        x.flatten(1), 8, 3, 6, WINDOW, pad_mode="constant", normalized=True, return_complex=True)),
    "spectrogram": lambda m, x: torch.stft(x.flatten(1), 6, 2, window=m.window, return_complex=True).abs().flatten(1),
}


@pytest.mark.parametrize("name", CASES)
def test_every_number_is_explained_both_ways_and_gradients_are_torchs(name: str) -> None:
    torch.manual_seed(0)
    model = Does(lambda m, x: CASES[name](m, x).flatten(1), filter=nn.Parameter(torch.randn(5, dtype=torch.complex128)),
                 window=nn.Parameter(WINDOW.clone())).double()
    x = torch.randn(1, 3, 8, dtype=torch.float64)
    trace = record.capture(model, x, objective="logit:1")
    assert not [(layer.name, layer.why) for layer in trace if layer.unexplained]
    report = trace.check()
    assert report.passed, report.disagreeing
    assert not {name: why for name, why in report.unverified.items() if "constant" not in why}
    given = x.clone().requires_grad_()
    model(given)[0, 1].backward()
    np.testing.assert_allclose(trace["input"].gradient, given.grad[0], atol=1e-12)
    if name == "mul weights":
        mul = next(layer for layer in trace if layer.kind == "complex_mul")
        parameter = next(layer for layer in trace if layer.kind == "parameter")
        np.testing.assert_allclose(parameter.gradient, torch.view_as_real(model.filter.grad), atol=1e-12)
        assert mul.axes[-1] == PART


def test_all_of_them_are_among_the_cases() -> None:
    met = set()
    for does in CASES.values():
        model = Does(lambda m, x, does=does: does(m, x).flatten(1), filter=nn.Parameter(torch.randn(
            5, dtype=torch.complex128)), window=nn.Parameter(WINDOW.clone()))
        met |= {layer.kind for layer in record.capture(model, torch.randn(1, 3, 8).double(), objective="none")}
    assert COVERS <= met


def test_the_gradient_of_a_part_is_that_of_a_real_number() -> None:
    """By finite differences, which know nothing of complex numbers."""
    torch.manual_seed(1)
    parts = np.random.RandomState(0).randn(4, 2)

    def loss(values: np.ndarray) -> float:
        z = torch.view_as_complex(torch.tensor(values))
        return float((torch.fft.fft(z).abs() ** 1.5).sum())

    trace = record.capture(Does(lambda m, x: (torch.fft.fft(torch.view_as_complex(x)).abs() ** 1.5).sum(-1, True)),
                           torch.tensor(parts)[None], objective="logit:0")
    spectrum = next(layer for layer in trace if layer.kind == "view_as_real")
    for cell in np.ndindex(4, 2):
        step = np.zeros((4, 2))
        step[cell] = 1e-6
        slope = (loss(parts + step) - loss(parts - step)) / 2e-6
        assert spectrum.gradient[cell] == pytest.approx(slope, rel=1e-6)


def test_what_nobody_explains_of_complex_numbers_is_unexplained_and_not_wrong() -> None:
    torch.manual_seed(0)
    model = Does(lambda m, x: torch.fft.rfft(x).roll(1, -1).abs() + torch.exp(1j * x).abs()[..., :5])
    trace = record.capture(model, torch.randn(1, 8), objective="logit:1")
    report = trace.check()
    assert report.passed
    assert "roll" in {layer.settings.get("call") for layer in trace if layer.unexplained}
    assert not trace["abs"].unexplained


def test_a_caption_tells_the_part_that_it_speaks_of() -> None:
    torch.manual_seed(0)
    trace = record.capture(Does(lambda m, x: torch.fft.rfft(x).abs()), torch.randn(1, 8), objective="logit:1")
    layer = next(layer for layer in trace if layer.kind == "fft_rfft")
    assert layer.axes == ("unit", PART)
    for part in (0, 1):
        terms = kinds.terms(trace, layer.name, (2, part))
        assert terms.result == pytest.approx(float(layer.output[2, part]), rel=1e-6)
        assert draw(trace, "walk", f"{layer.name}.forward", focus=f"{layer.name}:2,{part}").caption
