"""`.onnx`: a graph and its numbers in one protobuf. Parsed by the package `onnx`, run by torch."""

from __future__ import annotations

from pathlib import Path

SUFFIXES = (".onnx",)
TITLE = "ONNX model"
