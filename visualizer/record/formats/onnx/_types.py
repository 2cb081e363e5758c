"""Types of numbers, by the codes that stand for them in a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from visualizer.language import tr

FLOAT, FLOAT16, BFLOAT16, STRING = 1, 10, 16, 8
DTYPES: Mapping[int, torch.dtype] = {
    1: torch.float32, 2: torch.uint8, 3: torch.int8, 4: torch.uint16, 5: torch.int16, 6: torch.int32, 7: torch.int64,
    9: torch.bool, 10: torch.float16, 11: torch.float64, 12: torch.uint32, 13: torch.uint64, 14: torch.complex64,
    15: torch.complex128, 16: torch.bfloat16}
NAMES: Mapping[int, str] = {
    8: "text", 17: "float8e4m3fn", 18: "float8e4m3fnuz", 19: "float8e5m2", 20: "float8e5m2fnuz", 21: "uint4",
    22: "int4", 23: "float4e2m1", 24: "float8e8m0", 25: "uint2", 26: "int2"}
"""Those that are not read."""
WIDER: Mapping[torch.dtype, torch.dtype] = {torch.float16: torch.float32, torch.bfloat16: torch.float32}
"""What is computed in twice the bits: processors have no units for halves, and onnxruntime does the same."""


def of_type(code: Any) -> torch.dtype:
    """In which type numbers of one are computed; raises TypeError for one that is not read."""
    if code not in DTYPES:
        raise TypeError(tr("numbers of the type {type} are not read").format(type=NAMES.get(code, code)))
    return WIDER.get(DTYPES[code], DTYPES[code])
