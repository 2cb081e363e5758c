"""parameters: how many numbers a network or a layer learns; those that it uses at many places counted once."""

from torch import nn

from visualizer.claims import Number
from visualizer.record.measures import Data, Measure, opened

LAYERS = {"conv": nn.Conv2d, "dense": nn.Linear, "rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def _run(data: Data, what: str, *sizes: str) -> Number:
    if what in LAYERS:
        module: nn.Module = LAYERS[what](*map(int, sizes), device="meta")
    else:
        (layer,) = sizes or ("",)
        module = opened(what).module.get_submodule(layer)
    return Number(float(sum(parameter.numel() for parameter in module.parameters())))


MEASURE = Measure("parameters", "parameters MODEL [LAYER] or parameters conv|dense|rnn|lstm|gru SIZES …",
                  "how many numbers are learned", _run)
