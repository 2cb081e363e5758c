"""Sounds: spectra and windows."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from visualizer.language import tr
from visualizer.record.formats.onnx._types import of_type
from visualizer.record.formats.onnx.operators._table import Said, listed, operator, room


@operator("STFT", told=(1, 3))
def _stft(how: Said, x: Tensor, hop: Any, window: Tensor | None = None, length: Any = None) -> Tensor:
    """(sample, place) -> (sample, frame, frequency, real and imaginary)."""
    x = x.squeeze(-1) if x.dim() == 3 and x.shape[-1] == 1 else x
    if x.dim() != 2:
        raise TypeError(tr("STFT of complex numbers is not read"))
    size = listed(length)[0] if length is not None else window.shape[0]  # type: ignore[union-attr]
    whole = bool(how.get("onesided", 1))
    made = torch.stft(x, size, listed(hop)[0], size if window is None else window.shape[0],
                      torch.ones(size, dtype=x.dtype, device=x.device) if window is None else window, center=False,
                      onesided=whole, return_complex=True)
    return torch.view_as_real(made).transpose(1, 2)


@operator("DFT", told=(1, 2))
def _dft(how: Said, x: Tensor, length: Any = None, axis: Any = None) -> Tensor:
    axis = how.get("axis", -2 if how.version >= 20 else 1) if axis is None else listed(axis)[0]
    axis %= x.dim()
    size = None if length is None else listed(length)[0]
    room([*x.shape[:axis], size or 1, *x.shape[axis + 1:]], 8)
    whole, back = bool(how.get("onesided", 0)), bool(how.get("inverse", 0))
    if back and whole:  # from half a spectrum to real numbers
        return torch.fft.irfft(torch.view_as_complex(x.contiguous()), size, axis).unsqueeze(-1)
    if x.shape[-1] == 2:
        found = (torch.fft.ifft if back else torch.fft.fft)(torch.view_as_complex(x.contiguous()), size, axis)
        if whole:
            found = found.narrow(axis, 0, found.shape[axis] // 2 + 1)
    elif whole:
        found = torch.fft.rfft(x.squeeze(-1), size, axis)
    else:
        found = (torch.fft.ifft if back else torch.fft.fft)(x.squeeze(-1), size, axis)
    return torch.view_as_real(found)


def _window(factors: tuple[float, ...]) -> Any:
    def made(how: Said, size: Any) -> Tensor:
        (count,) = room(listed(size), 8)
        across = count if how.get("periodic", 1) else count - 1
        at = torch.arange(count, dtype=torch.float64) * (2 * math.pi / max(1, across))
        found = sum(factor * torch.cos(at * place) for place, factor in enumerate(factors))
        assert isinstance(found, Tensor)
        return found.to(of_type(how.get("output_datatype", 1)))

    return made


operator("HannWindow", told=(0,))(_window((0.5, -0.5)))
operator("HammingWindow", told=(0,))(_window((25 / 46, -21 / 46)))
operator("BlackmanWindow", told=(0,))(_window((0.42, -0.5, 0.08)))


@operator("MelWeightMatrix", told=(0, 1, 2, 3, 4))
def _mel(how: Said, bins: Any, length: Any, rate: Any, low: Any, high: Any) -> Tensor:
    """Triangles that are evenly spaced on the scale 2595·log10(1 + f / 700)."""
    bins, length, rate, low, high = (listed(each)[0] for each in (bins, length, rate, low, high))
    rows = length // 2 + 1
    room([rows, bins], 8)
    first, last = (2595 * math.log10(1 + each / 700) for each in (low, high))
    edges = [first + place * (last - first) / (bins + 2) for place in range(bins + 2)]
    places = [int((length + 1) * (700 * (10 ** (each / 2595) - 1)) // rate) for each in edges]
    made = torch.zeros(rows, bins, dtype=torch.float64)
    for column in range(bins):
        left, middle, right = places[column:column + 3]
        if middle == left:
            made[middle, column] = 1
        else:
            for row in range(left, middle + 1):
                made[row, column] = (row - left) / (middle - left)
        if right != middle:
            for row in range(middle, right):
                made[row, column] = (right - row) / (right - middle)
    return made.to(of_type(how.get("output_datatype", 1)))
