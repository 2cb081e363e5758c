"""Attention, and positions turned into rotations, as one operator; here their steps."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from visualizer.record.formats.onnx._types import of_type
from visualizer.record.formats.onnx.operators._table import Said, operator


@operator("RotaryEmbedding")
def _rotated(how: Said, x: Tensor, cos: Tensor, sin: Tensor, places: Tensor | None = None) -> Tensor:
    flat = x.dim() == 3
    if flat:
        samples, steps, units = x.shape
        heads = how.get("num_heads")
        x = x.reshape(samples, steps, heads, units // heads)
    else:
        x = x.transpose(1, 2)
    size = how.get("rotary_embedding_dim", 0) or x.shape[-1]
    turned, kept = x[..., :size], x[..., size:]
    cos, sin = (each[places.long()] if places is not None else each for each in (cos, sin))
    cos, sin = (each[..., :size // 2].unsqueeze(2) for each in (cos, sin))
    if how.get("interleaved", 0):
        one, other = turned[..., 0::2], turned[..., 1::2]
    else:
        one, other = torch.chunk(turned, 2, -1)
    real, imaginary = cos * one - sin * other, sin * one + cos * other
    if how.get("interleaved", 0):
        turned = torch.stack([real, imaginary], -1).flatten(-2)
    else:
        turned = torch.cat([real, imaginary], -1)
    made = torch.cat([turned, kept], -1) if kept.shape[-1] else turned
    return made.reshape(made.shape[0], made.shape[1], -1) if flat else made.transpose(1, 2)


@operator("Attention")
def _attention(how: Said, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None,
               past_key: Tensor | None = None, past_value: Tensor | None = None, lengths: Tensor | None = None) -> Any:
    flat = query.dim() == 3
    if flat:
        query, key, value = (_heads(x, how.get(f"{which}_num_heads")) for x, which in
                             ((query, "q"), (key, "kv"), (value, "kv")))
    if past_key is not None and past_value is not None:
        key, value = torch.cat([past_key, key], 2), torch.cat([past_value, value], 2)
    present = key, value
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    scale = how.get("scale") or 1 / math.sqrt(query.shape[-1])
    rooted = math.sqrt(scale)
    scores = torch.matmul(torch.mul(query, rooted), torch.mul(key, rooted).transpose(-1, -2))
    raw = scores
    if how.get("softcap", 0.0):
        scores = torch.mul(torch.tanh(torch.div(scores, how.get("softcap"))), how.get("softcap"))
    capped, bias = scores, _bias(how, scores, mask, lengths, 0 if past_key is None else past_key.shape[2])
    scores = scores if bias is None else torch.add(scores, bias)
    precision = how.get("softmax_precision")
    shares = torch.softmax(scores if precision is None else scores.to(of_type(precision)), -1).to(value.dtype)
    if bias is not None and _hides_all(bias):
        shares = torch.nan_to_num(shares)
    made = torch.matmul(shares, value)
    if flat:
        made = made.transpose(1, 2).reshape(made.shape[0], made.shape[2], -1)
    shown = (raw, capped, scores, shares)[how.get("qk_matmul_output_mode", 0)]
    return (made, *present, shown)[:len(how.made)] if len(how.made) > 1 else made


def _hides_all(bias: Tensor) -> bool:
    with torch._C.DisableTorchFunction():
        return bias.device.type != "meta" and bool(torch.isneginf(bias).all(-1).any())


def _heads(x: Tensor, heads: int) -> Tensor:
    samples, steps, units = x.shape
    return x.reshape(samples, steps, heads, units // heads).transpose(1, 2)


def _bias(how: Said, scores: Tensor, mask: Tensor | None, lengths: Tensor | None, past: int) -> Tensor | None:
    """What is added to the scores: −∞ where nothing may be seen."""
    steps, whole = scores.shape[-2:]
    found = None
    if mask is not None:
        if mask.dtype == torch.bool:
            mask = _hidden(~mask, scores)
        if mask.shape[-1] < whole:
            mask = torch.nn.functional.pad(mask, (0, whole - mask.shape[-1]), value=-torch.inf)
        found = mask
    key = torch.arange(whole, device=scores.device)
    offset = torch.tensor(past, device=scores.device) if lengths is None or past else \
        (lengths - steps)[:, None, None, None]
    query = torch.arange(steps, device=scores.device)[:, None] + offset
    beyond = [key > query] if how.get("is_causal", 0) else []
    left, right = how.get("left_window_size", -1), how.get("right_window_size", -1)
    beyond += [key < query - left] if left >= 0 else []
    beyond += [key > query + right] if right >= 0 else []
    beyond += [] if lengths is None else [key[None, :] >= lengths[:, None, None, None]]
    for each in beyond:
        found = _hidden(each, scores) if found is None else found + _hidden(each, scores)
    return found


def _hidden(places: Tensor, scores: Tensor) -> Tensor:
    return torch.zeros(places.shape, dtype=scores.dtype, device=scores.device).masked_fill(places, -torch.inf)
