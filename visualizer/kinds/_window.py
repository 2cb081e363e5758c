"""Windows along one axis: which places a window reads, and which windows read a place.

Convolution and pooling go forwards through `places` and backwards through `readers`; a transposed convolution does the
same with input and output exchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from visualizer.kinds._taps import Cells


@dataclass(frozen=True)
class Axis:
    """One axis that a window slides along: window i reads the places i · stride − before + dilation · tap."""

    size: int
    """Places that there are to read."""
    windows: int
    """Windows that read them."""
    kernel: int
    stride: int = 1
    before: int = 0
    """Padding before place 0."""
    dilation: int = 1

    def __post_init__(self) -> None:
        if min(self.kernel, self.stride, self.dilation) < 1:
            raise ValueError("kernel, stride and dilation must be 1 or more")

    def places(self, window: int) -> Cells:
        """The places that a window reads, one a tap; padding lies below 0 or from `size` on."""
        return window * self.stride - self.before + self.dilation * np.arange(self.kernel)

    def readers(self, place: int) -> tuple[Cells, Cells]:
        """The windows that read a place, in rising order, and with which tap each does."""
        distances = place + self.before - self.dilation * np.arange(self.kernel)[::-1]
        windows = distances // self.stride
        reading = (distances % self.stride == 0) & (windows >= 0) & (windows < self.windows)
        return windows[reading], np.arange(self.kernel)[::-1][reading]

    def span(self, low: int, high: int) -> tuple[int, int]:
        """From the first to the last place that windows low … high read."""
        return low * self.stride - self.before, \
            high * self.stride - self.before + self.dilation * (self.kernel - 1)

    def readers_span(self, low: int, high: int) -> tuple[int, int]:
        """From the first to the last window that read a place from low to high, windows beyond the ends included.

        (0, −1) where no window reads any of them: a stride longer than the kernel leaps over places.
        """
        places = np.arange(low, high + 1)[:, None]
        distances = places + self.before - self.dilation * np.arange(self.kernel)
        windows = (distances // self.stride)[distances % self.stride == 0]
        return (int(windows.min()), int(windows.max())) if windows.size else (0, -1)


def each(value: Any, count: int) -> tuple[int, ...]:
    """A setting for each axis: `2` or `(2,)` means the same for all."""
    values = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else (value,)
    return tuple(int(item) for item in (values * count if len(values) == 1 else values))


def windows_of(size: int, kernel: int, stride: int, padding: int, dilation: int, ceil_mode: bool = False) -> int:
    """How many windows fit: ⌊(N + 2p − d(k − 1) − 1) / s⌋ + 1; with ⌈ ⌉ no window may start in the padding behind."""
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    if not ceil_mode:
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - 1 if (count - 1) * stride >= size + padding else count
