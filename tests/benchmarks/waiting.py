"""What waiting costs: a recurrent layer of fewer multiply-adds than a convolution takes longer, step after step."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from tests.benchmarks import Measured, Row
from visualizer import kinds
from visualizer.record import capture

STEPS, CHANNELS, KERNEL = 4096, 64, 3
FEW = 64
"""Steps over which multiply-adds are counted: they are as many at each."""


def one_after_the_other() -> Iterator[Row]:
    """A plain pass of `nn.RNN` against one of `nn.Conv1d`, which has half as many multiply-adds again."""
    torch.manual_seed(0)
    rnn = nn.RNN(CHANNELS, CHANNELS, batch_first=True).eval()
    conv = nn.Conv1d(CHANNELS, CHANNELS, KERNEL, padding=KERNEL // 2).eval()
    macs = [kinds.macs(capture(module, x, objective="none")) for module, x in (
        (rnn, torch.randn(1, FEW, CHANNELS)), (conv, torch.randn(1, CHANNELS, FEW)))]
    assert macs[0] < macs[1], macs
    yield Row(f"Conv1d over {STEPS} steps, {macs[1] / macs[0]:.1f} times the multiply-adds of an RNN",
              _pass(conv, torch.randn(1, CHANNELS, STEPS)), _pass(rnn, torch.randn(1, STEPS, CHANNELS)),
              "nn.RNN over as many steps", 3.0, at_least=True, repeat=3)


def _pass(module: nn.Module, x: torch.Tensor) -> Measured:
    def run() -> None:
        with torch.no_grad():
            module(x)

    return run
