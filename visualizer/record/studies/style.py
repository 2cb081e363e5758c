"""The pixels of one picture changed, update by update, until a network finds in it the texture of another.

The network stays as it is. Its first layers, as the recording holds them, look at larger pictures than it reads; the
gradient of how far their Gram matrices are from those of the style, and the maps from those of the content, is taken
back to the pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from visualizer import kinds, registry
from visualizer.inputs import Given, _digits, suffix_of
from visualizer.inputs.image import SUFFIXES
from visualizer.kinds import texture
from visualizer.kinds.texture import OWN, PICTURES, SIDE, UPDATES
from visualizer.language import tr
from visualizer.record.studies import Pass, Study, Work
from visualizer.trace import Array, Layer, Refused, Trace

RATE = 0.04
"""How much the first update may change a pixel, 0 to 1; less and less from then on."""
NEAR = 1e-3
"""How exactly the colours that are read must follow from those of the picture."""


def run(again: Pass) -> Work:
    """`pixels` (update, 3, row, column), 0 to 1, before the first and after each update; `style` (3, row, column);
    `scaled` (2, 3): what is read is a factor times a shade, and an addend. For each compared layer `gram/NAME` (update,
    channel, channel) and `wanted/NAME` (channel, channel). `parts` (update, 4 + layer): the whole loss, how far the
    maps of the content are off, the Gram matrices on average, how rough the picture is, and each Gram matrix.
    `gradient` (update, row, column): the norm over the colours of ∂ loss / ∂ pixel, and `norms` (update,) of all of it.
    """
    wish, layers = texture.wish(again.words), texture.trunk(again.trace)
    names = [layer.name for layer in texture.compared(again.trace)]
    factor, addend = _scaled(again)
    content, style = (_shades(word, again.given) for word in (wish.content, wish.style))

    def seen(pixels: Tensor) -> dict[str, Tensor]:
        return _maps(layers, names, pixels * torch.tensor(factor)[:, None, None] + torch.tensor(addend)[:, None, None])

    with torch.no_grad():
        wanted = {name: _gram(found) for name, found in seen(style).items()}
        shown = seen(content)[names[-1]]
    pixels = content.clone().requires_grad_()
    optimiser = torch.optim.Adam([pixels], lr=RATE)
    frames, parts, sizes, norms = [], [], [], []
    grams: dict[str, list[Array]] = {name: [] for name in names}
    for number in range(UPDATES + 1):
        yield number / UPDATES, "pixels"
        optimiser.param_groups[0]["lr"] = RATE * (1 - number / (UPDATES + 1))
        found = seen(pixels)
        made = {name: _gram(found[name]) for name in names}
        off = torch.stack([_apart(made[name], wanted[name]) for name in names])
        moved, rough = _apart(found[names[-1]], shown), _rough(pixels)
        whole = wish.weight * off.mean() + wish.keep * moved + wish.smooth * rough
        optimiser.zero_grad()
        whole.backward(inputs=[pixels])
        assert pixels.grad is not None
        back = pixels.grad.double()
        frames.append(pixels.detach().clone().numpy())
        parts.append([float(value) for value in torch.stack([whole, moved, off.mean(), rough, *off]).detach()])
        sizes.append(back.square().sum(0).sqrt().float().numpy())
        norms.append(float(back.square().sum().sqrt()))
        for name in names:
            grams[name].append(made[name].detach().numpy())
        if number < UPDATES:
            optimiser.step()
            with torch.no_grad():
                pixels.clamp_(0, 1)
    return {"pixels": np.stack(frames), "style": style.numpy(), "scaled": np.stack([factor, addend]),
            "parts": np.array(parts), "gradient": np.stack(sizes), "norms": np.array(norms),
            **{f"gram/{name}": np.stack(found) for name, found in grams.items()},
            **{f"wanted/{name}": found.numpy() for name, found in wanted.items()}}


def _maps(layers: Sequence[Layer], names: Sequence[str], values: Tensor) -> dict[str, Tensor]:
    found, values = {}, values[None]
    for layer in layers:
        values = _done(layer, values)
        if layer.name in names:
            found[layer.name] = values[0].flatten(1)
    return found


def _done(layer: Layer, values: Tensor) -> Tensor:
    """One layer of the trunk, as torch does it."""
    weights = {name: torch.from_numpy(np.array(array)) for name, array in layer.weights.items()}
    said = layer.settings
    if kinds.role(layer) == "weighted":
        return functional.conv2d(values, weights["weight"], weights.get("bias"), said.get("stride", 1),
                                 said.get("padding", 0), said.get("dilation", 1), int(said.get("groups", 1)))
    if kinds.role(layer) == "norm":
        return functional.batch_norm(values, weights["running_mean"], weights["running_var"], weights.get("weight"),
                                     weights.get("bias"), False, 0.0, float(said.get("eps", 1e-5)))
    if kinds.role(layer) == "largest":
        return functional.max_pool2d(values, said["kernel_size"], said.get("stride") or said["kernel_size"],
                                     said.get("padding", 0), said.get("dilation", 1))
    return functional.relu(values)


def _gram(found: Tensor) -> Tensor:
    return found @ found.T / found.shape[1]


def _apart(found: Tensor, wanted: Tensor) -> Tensor:
    """As a share of the second; where that is 0, as of dead maps, as it is."""
    size = torch.linalg.vector_norm(wanted)
    return torch.linalg.vector_norm(found - wanted) / (size if size > 0 else 1.0)


def _rough(pixels: Tensor) -> Tensor:
    """The mean of the squares by which neighbours differ, down and across."""
    down, across = pixels.diff(dim=1), pixels.diff(dim=2)
    return down.square().mean() + across.square().mean()


# --- pictures ---------------------------------------------------------------------------------------------------------

def _shades(word: str, given: Given | None) -> Tensor:
    """One of the photographs, or the middle square of the picture that is open: (3, row, column), 0 to 1."""
    if word in PICTURES:
        whole = _digits.colours(registry.folder("assets") / "style" / "photographs.png", True)
        left = SIDE * PICTURES.index(word)
        square = whole[:, left:left + SIDE]
    elif word == OWN and given is not None:
        name = given.sample.name
        whole = _digits.colours(Path(name), True) if suffix_of(name) in SUFFIXES else np.asarray(given.raw)
        side = min(whole.shape[:2])
        top, left = ((size - side) // 2 for size in whole.shape[:2])
        square = np.ascontiguousarray(whole[top:top + side, left:left + side])
    else:
        raise Refused(tr("There is no picture {word}; choose one of {words}.").format(
            word=repr(word), words=", ".join((*PICTURES, OWN))))
    shades = _digits.resized(np.rint(square).astype(np.uint8), SIDE, SIDE) / 255
    return torch.tensor(np.ascontiguousarray(shades.transpose(2, 0, 1)), dtype=torch.float32)


def _scaled(again: Pass) -> tuple[Array, Array]:
    """(factor, addend) of each colour: how what is read follows from the shades 0 to 1 of the picture, told from the
    two. Raises Refused."""
    read = again.trace.layers[0].output
    raw = None if again.given is None else np.asarray(again.given.raw)
    if raw is None or raw.dtype != np.uint8 or raw.ndim != 3 or raw.transpose(2, 0, 1).shape != read.shape:
        raise Refused(tr("How this model reads colours is not known; open a picture with it."))
    found = []
    for channel in range(3):
        shades = raw[..., channel].astype(np.float64).ravel() / 255
        values = read[channel].astype(np.float64).ravel()
        spread = shades.std()
        factor = float(np.mean((shades - shades.mean()) * values)) / spread ** 2 if spread > 0 else np.nan
        addend = float(values.mean() - factor * shades.mean())
        if not np.allclose(factor * shades + addend, values, atol=NEAR * max(1.0, float(np.abs(values).max()))):
            raise Refused(tr("How this model reads colours cannot be told from this picture; choose another one, "
                             "without edits."))
        found.append((factor, addend))
    return np.array(found, np.float32).T


def suits(trace: Trace) -> bool:
    """Whether it begins with convolutions of a picture in colour."""
    return bool(texture.trunk(trace))


STUDY = Study(texture.STUDY, "the pixels as they take on a style", suits, run)
