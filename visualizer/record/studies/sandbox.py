"""A sandbox layer: a convolution on a map of now, with a kernel size, stride, padding and dilation of one's own."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from visualizer import kinds
from visualizer.language import english
from visualizer.record.studies import Pass, Study, Work
from visualizer.trace import Array, Layer, Trace

NO_MAP = english("This network reads nothing with rows and columns, so no kernel can be moved over it.")


def run(again: Pass) -> Work:
    """`read`, `kernel`, `out`: what the convolution reads (rows, columns), its kernel, and what it gives; `size` of
    that, zeros where torch refuses; `settings`; `layer`: whose map is read, as bytes. `why` alone where there is no
    map. Nothing while nobody looks at it."""
    if not again.words:
        return {}
    size, stride, padding, dilation = map(int, again.words.split(","))
    found = of_map(again.trace)
    if found is None:
        return {"why": np.frombuffer(NO_MAP.encode(), np.uint8)}
    layer, own = found
    yield 0.0, "a sandbox layer"
    read = np.asarray(layer.output, np.float32).reshape(-1, *layer.output.shape[-2:])
    read = read[np.abs(read).sum(axis=(1, 2)).argmax()]
    kernel = fitted(own, size)
    out = convolved(read, kernel, stride, padding, dilation)
    return {"read": read, "kernel": kernel, "out": out, "size": np.array(out.shape if out.size else (0, 0)),
            "settings": np.array([size, stride, padding, dilation]),
            "layer": np.frombuffer(layer.name.encode(), np.uint8)}


def convolved(read: Array, kernel: Array, stride: int, padding: int, dilation: int) -> Array:
    """What torch makes of it; empty where the kernel finds no place."""
    try:
        with torch.inference_mode():
            found = functional.conv2d(torch.from_numpy(np.array(read))[None, None],
                                      torch.from_numpy(np.array(kernel))[None, None], stride=stride,
                                      padding=padding, dilation=dilation)
    except RuntimeError:
        return np.zeros((0, 0), np.float32)
    return found[0, 0].numpy()


def of_map(trace: Trace) -> tuple[Layer, Array] | None:
    """The first map that a convolution reads, with the first kernel of it; else any map, with an edge for a kernel."""
    for layer in trace:
        if kinds.role(layer) == "weighted" and "weight" in layer.weights and layer.weights["weight"].ndim == 4 \
                and layer.reads:
            read = trace[layer.reads[0]]
            if read.output.ndim >= 2:
                return read, np.asarray(layer.weights["weight"][0, 0], np.float32)
    plane = next((layer for layer in trace if layer.axes[-2:] == ("row", "column")
                  and layer.output.ndim in (2, 3)), None)
    return None if plane is None else (plane, np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32))


def fitted(kernel: Array, size: int) -> Array:
    """The middle of a kernel, or the kernel with zeros around it."""
    found = np.zeros((size, size), np.float32)
    for row in range(size):
        for column in range(size):
            from_row, from_column = row + (kernel.shape[0] - size) // 2, column + (kernel.shape[1] - size) // 2
            if 0 <= from_row < kernel.shape[0] and 0 <= from_column < kernel.shape[1]:
                found[row, column] = kernel[from_row, from_column]
    return found


STUDY = Study("sandbox", "a convolution of one's own", lambda trace: True, run)
