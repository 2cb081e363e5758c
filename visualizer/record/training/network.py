"""The network that a training sets out with: as its file builds it, with the knobs that act before the first update."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from visualizer.language import tr
from visualizer.record.catalog import source_of
from visualizer.trace import Refused
from visualizer.train import OWN, OWN_BIAS, Knobs

CURVES = {"relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.Sigmoid)
RECURRENT = (nn.RNN, nn.LSTM, nn.GRU)
MEASURED = (*ACTIVATIONS, *RECURRENT)
"""Parts whose values are measured at every update."""


def drawn(model: str, knobs: Knobs, x: Tensor) -> nn.Module:
    """A network with its first weights, in training; `x` is one batch that it can read.

    The seed alone decides the weights; the random numbers of whoever calls are left as they were. Raises Refused with
    one sentence for a knob that the network has nothing for.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(knobs.seed))
        net: nn.Module = source_of(model).build()
        _draw_anew(net, knobs.init)
        if knobs.forget != OWN_BIAS:
            _set_forget_gates(net, knobs.forget)
        if knobs.activation != OWN:
            _put_curves(net, knobs.activation)
        if knobs.norm != "none":
            _put_norms(net, knobs.norm, x)
    return net.train()


def offered(model: str) -> tuple[str, ...]:
    """Names of the knobs that this network has something for."""
    net = source_of(model).build()
    parts = list(net.modules())
    curves = any(isinstance(part, (*ACTIVATIONS, nn.RNN)) for part in parts)
    flat = any(isinstance(part, ACTIVATIONS) for part in parts)
    gates = any(isinstance(part, nn.LSTM) for part in parts)
    return ("optimiser", "rate", "batch", "init", *(("activation",) if curves else ()), *(("norm",) if flat else ()),
            "clip", *(("forget",) if gates else ()), "seed")


def _draw_anew(net: nn.Module, init: str) -> None:
    """Every matrix and kernel from another distribution, a gate at a time; the biases stay as they are."""
    if init == OWN:
        return
    for part in net.modules():
        gates = {nn.LSTM: 4, nn.GRU: 3}.get(type(part), 1)
        for weight in part.parameters(recurse=False):
            if weight.ndim > 1 and not isinstance(part, nn.Embedding):
                for block in weight.detach().chunk(gates):
                    _draw(block, init)


def _draw(block: Tensor, init: str) -> None:
    if init == "xavier":
        nn.init.xavier_uniform_(block)
    elif init == "he":
        nn.init.kaiming_normal_(block, nonlinearity="relu")
    elif init == "orthogonal":
        nn.init.orthogonal_(block)
    else:
        nn.init.zeros_(block)


def _set_forget_gates(net: nn.Module, value: float) -> None:
    layers = [part for part in net.modules() if isinstance(part, nn.LSTM)]
    if not layers:
        raise Refused(tr("This network has no forget gate; leave the forget bias as it is, or train an LSTM."))
    for layer in layers:
        units = layer.hidden_size
        with torch.no_grad():  # in the order of torch: input, forget, candidate and output gate
            for name, bias in layer.named_parameters():
                if name.startswith("bias"):
                    bias[units:2 * units] = value if "_ih_" in name else 0.0


def _put_curves(net: nn.Module, curve: str) -> None:
    found = [(name, part) for name, part in net.named_modules() if isinstance(part, (*ACTIVATIONS, nn.RNN))]
    if not found:
        raise Refused(tr("This network has no activation that can be changed; leave it as it is."))
    for name, part in found:
        if not isinstance(part, nn.RNN):
            net.set_submodule(name, CURVES[curve]())
        elif curve in ("relu", "tanh"):
            part.nonlinearity, part.mode = curve, f"RNN_{curve.upper()}"
        else:
            raise Refused(tr("A recurrent layer of PyTorch computes with tanh or ReLU; choose one of these."))


def _put_norms(net: nn.Module, norm: str, x: Tensor) -> None:
    """In front of every activation one that brings its channels, or its row, to mean 0 and standard deviation 1."""
    shapes: dict[str, torch.Size] = {}
    names = {part: name for name, part in net.named_modules() if isinstance(part, ACTIVATIONS)}

    def noted(part: nn.Module, read: tuple[Tensor, ...], made: Tensor) -> None:
        shapes[names[part]] = read[0].shape

    hooks = [part.register_forward_hook(noted) for part in names]
    with torch.no_grad():
        net(x)
    for hook in hooks:
        hook.remove()
    if not shapes:
        raise Refused(tr("This network has no activation to normalise the numbers for; leave the normalisation out."))
    for name, shape in shapes.items():
        made: nn.Module = nn.LayerNorm(shape[1:]) if norm == "layer" else \
            nn.BatchNorm2d(shape[1]) if len(shape) == 4 else nn.BatchNorm1d(shape[1])
        net.set_submodule(name, nn.Sequential(made, net.get_submodule(name)))
