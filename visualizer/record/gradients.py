"""Gradients of the laboratory: how much of it is left so many steps before the loss, or so many layers below it.

Cells that are not trained, on random input, with several seeds at once: arrays are (seed, step, unit), and the gradient
goes back through time in closed form, in float64 unless a Lab asks to see what float32 loses. Formulas of the cells are
torch's (two biases; r of a GRU after the product, and z keeps). Deep networks are left to torch's autograd.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from visualizer.decay import below, decay
from visualizer.kinds import gates
from visualizer.kinds.curves import CURVES, OF_SIGMOID, sigmoid
from visualizer.lab import BATCH, CHANNELS, CLASSES, FEATURES, IMAGES, SEEDS, SIDE, UNITS, WIDTH, Lab, knob
from visualizer.size import norms

Values = NDArray[np.floating]
Weights = Mapping[str, Values]

CELLS = ("rnn", "gru", "lstm")
LAGS = (1, 2, 3, 4, 6, 8, 12, 16)
"""Steps for which the product of Jacobians is measured."""
BOUNDS = 12
"""Steps, evenly spread, whose Jacobian's largest singular value is averaged."""


# --- what is drawn --------------------------------------------------------------------------------------------------

def generator(seed: int, purpose: int) -> torch.Generator:
    """Random numbers of one seed for one purpose: what is drawn for one never changes what is drawn for another."""
    made = torch.Generator()
    made.manual_seed(1000 * purpose + seed)
    return made


def seeds(draw: float = 0) -> range:
    """The seeds of one random draw: no two draws share one."""
    return range(SEEDS * int(draw), SEEDS * (int(draw) + 1))


@lru_cache(maxsize=8)
def recurrent_matrices(family: str, draw: float = 0) -> tuple[Values, Values]:
    """(seed, unit, unit) of spectral radius 1, and the largest singular value of each.

    `gaussian` and `positive` (its absolute values) are rescaled by the size of their largest eigenvalue; `orthogonal`
    is the Q of a QR decomposition.
    """
    if family == "identity":
        return np.broadcast_to(np.eye(UNITS), (SEEDS, UNITS, UNITS)), np.ones(SEEDS)
    drawn = _normal(1, draw, UNITS, UNITS)
    if family == "orthogonal":
        parts = [np.linalg.qr(one) for one in drawn]
        return np.stack([q * np.sign(np.diag(r)) for q, r in parts]), np.ones(SEEDS)
    drawn = np.abs(drawn) if family == "positive" else drawn
    radii = np.array([np.abs(np.linalg.eigvals(one)).max() for one in drawn])
    scaled = drawn / radii[:, None, None]
    return scaled, np.linalg.svd(scaled, compute_uv=False)[:, 0]


@lru_cache(maxsize=8)
def _normal(purpose: int, draw: float, *shape: int) -> Values:
    """(seed, …) numbers of mean 0 and standard deviation 1."""
    return np.stack([torch.randn(*shape, generator=generator(seed, purpose), dtype=torch.float64).numpy()
                     for seed in seeds(draw)])


@lru_cache(maxsize=4)
def _torch_weights(cell: str, draw: float) -> dict[str, Values]:
    """PyTorch's own initial weights, U(±1/√units) for all of them: (seed, …)."""
    rows = len(gates.FAMILIES[cell].rows) * UNITS
    shapes = {"weight_ih": (rows, FEATURES), "weight_hh": (rows, UNITS), "bias_ih": (rows,), "bias_hh": (rows,)}
    made: dict[str, list[Values]] = {name: [] for name in shapes}
    for seed in seeds(draw):
        numbers = generator(seed, {"gru": 2, "lstm": 3}[cell])
        for name, shape in shapes.items():
            uniform = torch.rand(*shape, generator=numbers, dtype=torch.float64).numpy()
            made[name].append((2 * uniform - 1) / math.sqrt(UNITS))
    return {name: np.stack(found) for name, found in made.items()}


def weights_of(cell: str, lab: Lab) -> dict[str, Values]:
    """The weights of a cell, (seed, …). Of the RNN W_hh is scaled to the gain and W_ih drives each unit with the scale
    of the input; GRU and LSTM have PyTorch's, with the bias of the keep or forget gate as the Lab says."""
    if cell == "rnn":
        return {"weight_ih": _normal(4, lab.draw, UNITS, FEATURES) / math.sqrt(FEATURES),
                "weight_hh": lab.gain * recurrent_matrices(lab.matrix, lab.draw)[0]}
    made, one = {name: array.copy() for name, array in _torch_weights(cell, lab.draw).items()}, gates.FAMILIES[cell]
    block = one.block(one.kept[0])
    kept = slice(block * UNITS, (block + 1) * UNITS)
    made["bias_ih"][:, kept], made["bias_hh"][:, kept] = lab.bias, 0.0
    return made


def given(lab: Lab) -> tuple[Values, Values]:
    """What is read, (seed, step, feature), and the read-out vectors, (seed, unit): a longer sequence begins with the
    same numbers."""
    longest = int(knob("steps").high)
    read = _normal(5, lab.draw, longest, FEATURES)[:, :int(lab.steps)] * lab.input
    return read, _normal(6, lab.draw, UNITS) / math.sqrt(UNITS)


# --- forwards and back through time ---------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Ran:
    """One kind of cell over its sequence, forwards and back, for all seeds."""

    cell: str
    weights: Weights
    read: Values
    """(seed, step, feature)."""
    readout: Values
    """(seed, unit): v."""
    inner: Mapping[str, Values]
    """(seed, step, unit): gates and states."""
    back: Mapping[str, Values]
    """(seed, step, unit): dL/d of them, and of the sums before their nonlinearity."""
    answers: Values
    """(seed, step): v·h_t; the loss is half of (v·h − 1)², at the end or at every step."""
    direct: Values
    """(seed, step): dL/d each answer; zero where there is no loss."""

    @property
    def loss(self) -> Values:
        """(seed,)."""
        with np.errstate(over="ignore"):
            found: Values = 0.5 * np.square(self.direct, dtype=np.float64).sum(axis=1)
        return found

    @cached_property
    def weight_gradients(self) -> Weights:
        """dL/d each weight, (seed, …): what reached each sum times what the weight met there, over all steps."""
        one = gates.FAMILIES[self.cell]
        at_read, at_state = (np.concatenate([self.back[key] for key in keys], axis=2)
                             for keys in (one.at_read, one.at_hidden))
        before = np.swapaxes(_shifted(np.swapaxes(self.inner["hidden"], 0, 1)), 0, 1)
        with np.errstate(all="ignore"):
            found = {"weight_ih": np.swapaxes(at_read, 1, 2) @ self.read,
                     "weight_hh": np.swapaxes(at_state, 1, 2) @ before}
            if "bias_ih" in self.weights:
                found |= {"bias_ih": at_read.sum(axis=1), "bias_hh": at_state.sum(axis=1)}
        return found

    def to_input(self) -> Values:
        """dL/dx_t, (seed, step, feature)."""
        at_read = np.concatenate([self.back[key] for key in gates.FAMILIES[self.cell].at_read], axis=2)
        with np.errstate(all="ignore"):
            found: Values = at_read @ self.weights["weight_ih"]
        return found


def run(cell: str, lab: Lab) -> Ran:
    """One kind of cell over the sequence of a Lab, forwards and back; at once if none of its own knobs has moved."""
    usual = Lab()
    alike = {"bias": usual.bias} if cell == "rnn" else {"gain": usual.gain, "matrix": usual.matrix, "cell": usual.cell}
    return _run(cell, lab.turned(clip=usual.clip, **alike))


@lru_cache(maxsize=9)
def _run(cell: str, lab: Lab) -> Ran:
    kind = np.float32 if lab.precision == "float32" else np.float64
    weights = {name: np.ascontiguousarray(array, kind) for name, array in weights_of(cell, lab).items()}
    read, readout = (array.astype(kind) for array in given(lab))
    with np.errstate(all="ignore"):  # overflow is a result here, and is shown
        one, recurrent, bias = gates.family(cell, lab.cell), weights["weight_hh"], weights.get("bias_hh")
        s = gates.run(one, _by_step(_driven(weights, read)), recurrent, bias)
        inner = _by_seed(**s)
        answers = np.einsum("sth,sh->st", inner["hidden"], readout)
        direct = answers - kind(1)
        if lab.loss == "end":
            direct[:, :-1] = 0
        came = direct[:, :, None] * readout[:, None]
        s |= {f"{state.key}_before": _shifted(s[state.key]) for state in one.states}
        if "cell" in s:
            s["opened"] = np.tanh(s["cell"])
        back = gates.flow(one, s, recurrent, gates.Came(_by_step(came)))
    return Ran(cell, weights, read, readout, inner, _by_seed(**back), answers, direct)


def _driven(weights: Weights, read: Values) -> Values:
    """(seed, step, rows): W x + b, for all steps at once."""
    sums: Values = read @ np.swapaxes(weights["weight_ih"], 1, 2)
    return sums + weights["bias_ih"][:, None] if "bias_ih" in weights else sums


def _by_step(array: Values) -> Values:
    """(step, seed, …), contiguous: a step is then one short piece of memory."""
    return np.ascontiguousarray(np.swapaxes(array, 0, 1))


def _by_seed(**arrays: Values) -> dict[str, Values]:
    return {name: np.ascontiguousarray(np.swapaxes(array, 0, 1)) for name, array in arrays.items()}


def _shifted(states: Values) -> Values:
    """(step, …): the state before every step."""
    return np.concatenate([np.zeros_like(states[:1]), states[:-1]])


# --- what is measured of it -----------------------------------------------------------------------------------------

def measure(lab: Lab) -> dict[str, Values]:
    """All curves and figures of a Lab, by name; whatever does not exist is NaN."""
    return {"time": lambda: time_study(lab, {cell: run(cell, lab) for cell in CELLS}),
            "depth": lambda: depth_study(lab), "cliff": lambda: cliff_study(lab)}[lab.experiment]()


def time_study(lab: Lab, ran: Mapping[str, Ran]) -> dict[str, Values]:
    """Gradient by steps back from the loss of every cell: of h of RNN and GRU, of c of the LSTM, and of (h, c).

    `rnn.seeds` (seed, step) relative to the last step, `rnn.mean` the geometric mean, `rnn.kept` the factor of each
    step, `rnn.fit` half-life, factor, R², first and last step of the fit, …
    """
    found: dict[str, Values] = {}
    for cell, one in ran.items():
        norms = sizes(one.back["cell" if cell == "lstm" else "hidden"])[:, ::-1]
        found |= {f"{cell}.{name}": value for name, value in curves(norms).items()}
        found |= {f"{cell}.weight_norm": whole_norm(one.weight_gradients),
                  f"{cell}.saturated": np.float64(_saturated(cell, one, lab.cell))}
    both = np.concatenate([ran["lstm"].back["hidden"], ran["lstm"].back["cell"]], axis=2)
    found |= {f"lstm_state.{name}": value for name, value in curves(sizes(both)[:, ::-1]).items()}
    found |= {"lstm.gate": np.float64(ran["lstm"].inner["forget"].mean()),
              "gru.gate": np.float64(ran["gru"].inner["update"].mean())}
    return found | _about_matrix(lab, ran["rnn"])


def curves(norms: Values) -> dict[str, Values]:
    """What is told of norms (seed, steps back), the loss first: relative to it, their geometric mean, what each step
    keeps, the fit, where less than one in a hundred is left, where they leave the range, how many are exactly 0."""
    with np.errstate(all="ignore"):
        relative = norms / norms[:, :1]
        mean = np.exp(np.log(relative).mean(axis=0))
        kept = mean[1:] / mean[:-1]
    finite = np.isfinite(relative).all(axis=0)
    beyond = math.nan if finite.all() else float(np.argmin(finite))
    small = below(mean)
    return {"seeds": relative, "mean": mean, "kept": kept, "at_loss": norms[:, 0], "fit": fit(mean),
            "one_percent": np.float64(math.nan if small is None else small), "beyond": np.float64(beyond),
            "zeros": np.float64(np.count_nonzero(mean == 0))}


def fit(mean: Values) -> Values:
    """Half-life, factor a step, R², first and last step of the line that `decay` lays through a curve; NaN where there
    is none."""
    line = decay(mean)
    return np.full(5, math.nan) if line is None else \
        np.array([line.half_life, line.factor, line.fit, line.since, line.until])


def sizes(array: Values) -> Values:
    """∥·∥ over the last axis."""
    found: Values = norms(array)
    return found


def whole_norm(arrays: Mapping[str, Values]) -> Values:
    """(seed,): the norm of all weight gradients of a cell together."""
    return sizes(np.stack([sizes(array.reshape(len(array), -1)) for array in arrays.values()], axis=1))


def _saturated(cell: str, one: Ran, nonlinearity: str) -> float:
    """Share of values in the flat part of what made them; of a ReLU those that are off."""
    if cell == "rnn":
        flat = CURVES[nonlinearity].flat
        return 0.0 if flat is None else flat.share(one.inner["hidden"])
    return float(np.mean([OF_SIGMOID.share(one.inner[gate.key]) for gate in gates.FAMILIES[cell].gates]))


def _about_matrix(lab: Lab, one: Ran) -> dict[str, Values]:
    """Spectral radius and largest singular value of W_hh, the mean slope, the mean norm of the Jacobians, the largest
    norm of their product over a few steps; and the largest Lyapunov exponent of the first seed's steps."""
    singular = lab.gain * float(recurrent_matrices(lab.matrix, lab.draw)[1].mean())
    with np.errstate(all="ignore"):
        slopes = CURVES[lab.cell].slope(one.inner["hidden"])
        some = np.unique(np.linspace(0, slopes.shape[1] - 1, BOUNDS).round().astype(int))
        bound, peak, lag, exponent = math.nan, math.nan, math.nan, math.nan
        if np.isfinite(slopes).all():
            jacobians = slopes[0, some, :, None] * one.weights["weight_hh"][0]
            bound = float(largest_singular(jacobians).mean())
            peak, lag = _product_peak(one, slopes)
            exponent = _exponent(slopes[0], np.asarray(one.weights["weight_hh"][0], np.float64))
    return {"rnn.radius": np.float64(lab.gain), "rnn.singular": np.float64(singular), "rnn.bound": np.float64(bound),
            "rnn.slope": np.float64(slopes.mean()), "rnn.peak": np.float64(peak), "rnn.peak_lag": np.float64(lag),
            "rnn.exponent": np.float64(exponent)}


def _product_peak(one: Ran, slopes: Values) -> tuple[float, float]:
    """Largest norm of J_T … J_{T−lag+1} over a few lags, and that lag; of the first seed."""
    product, products, lags = np.eye(UNITS), [], []
    for lag in range(1, min(LAGS[-1], slopes.shape[1]) + 1):
        product = product @ (slopes[0, -lag, :, None] * one.weights["weight_hh"][0])
        if lag in LAGS and np.isfinite(product).all():
            products.append(product)
            lags.append(lag)
    if not products:
        return 0.0, 0.0
    found = largest_singular(np.stack(products))
    return float(found.max()), float(lags[int(found.argmax())])


def _exponent(slopes: Values, recurrent: Values) -> float:
    """The largest Lyapunov exponent over the steps that there are, the first quarter of them passed by: one direction
    is carried through diag(φ′) W_hh, and the mean logarithm of its growth is told; −∞ where nothing is left of it."""
    direction = torch.randn(UNITS, generator=generator(0, 7), dtype=torch.float64).numpy()
    direction /= math.sqrt(float(direction @ direction))
    total, passed = 0.0, len(slopes) // 4
    for number, slope in enumerate(slopes):
        direction = slope * (recurrent @ direction)
        grown = math.sqrt(float(direction @ direction))
        if grown == 0:
            return -math.inf
        direction /= grown
        total += math.log(grown) if number >= passed else 0.0
    return total / (len(slopes) - passed)


def largest_singular(matrices: Values) -> Values:
    """(matrix,): the largest singular value of each, as the root of the largest eigenvalue of A Aᵀ; an SVD of all of
    them takes twice as long; NaN where a number is none."""
    matrices = np.asarray(matrices, np.float64)
    known = np.isfinite(matrices).all(axis=(1, 2))
    if not known.all():
        found = np.full(len(matrices), np.nan)
        found[known] = largest_singular(matrices[known]) if known.any() else []
        return found
    top = np.abs(matrices).max(axis=(1, 2), keepdims=True)
    scaled = matrices / np.where(top > 0, top, 1)
    sizes: Values = np.sqrt(np.linalg.eigvalsh(scaled @ np.swapaxes(scaled, 1, 2))[:, -1].clip(0)) * top[:, 0, 0]
    return sizes


def lyapunov(jacobians: Iterator[Values], units: int, count: int = 1, discard: int = 200) -> Values:
    """The largest `count` Lyapunov exponents of a product of Jacobians, by QR at every step (Benettin et al. 1980).

    exp of the first is the factor a step in the long run. `discard` steps pass before it is measured.
    """
    start = torch.randn(units, count, generator=generator(0, 7), dtype=torch.float64).numpy()
    frame, _ = np.linalg.qr(start)
    total, kept = np.zeros(count), 0
    for number, jacobian in enumerate(jacobians):
        frame, grown = np.linalg.qr(jacobian @ frame)
        if number >= discard:
            total += np.log(np.abs(np.diag(grown)))
            kept += 1
    return total / max(1, kept)


def jacobians_of(lab: Lab, steps: int, seed: int = 0) -> Iterator[Values]:
    """diag(φ′(a_t)) W_hh of the RNN of a Lab, step by step, under input of its own."""
    weights = {name: array[seed] for name, array in weights_of("rnn", lab).items()}
    read = torch.randn(steps, FEATURES, generator=generator(seed, 8), dtype=torch.float64).numpy() * lab.input
    curve = CURVES[lab.cell]
    state = torch.randn(UNITS, generator=generator(seed, 9), dtype=torch.float64).numpy() * 0.1
    for now in read:
        state = curve.value(weights["weight_ih"] @ now + weights["weight_hh"] @ state)
        yield curve.slope(state)[:, None] * weights["weight_hh"]


# --- a knob swept ---------------------------------------------------------------------------------------------------

def sweep(lab: Lab, name: str, count: int = 21) -> Iterator[tuple[float, Values]]:
    """(value, factors of RNN, GRU and LSTM a step; or of a deep network's ∂L/∂h alone) over the range of a knob."""
    about = knob(name)
    spread = np.linspace(about.low, about.high, count)
    for value in np.unique(spread.round()) if about.whole else spread:
        turned = lab.turned(**{name: float(value)})
        if lab.experiment == "time":
            factors = [fit(curves(sizes(run(cell, turned).back["cell" if cell == "lstm" else "hidden"])[:, ::-1])
                           ["mean"])[1] for cell in CELLS]
        else:
            factors = [float(depth_study(turned)["hidden.factor"])]
        yield float(value), np.array(factors)


# --- depth ----------------------------------------------------------------------------------------------------------

class Deep(nn.Module):
    """The deep network of a Lab: per layer the weights, normalisation, activation and, if wanted, the skip."""

    def __init__(self, lab: Lab, seed: int) -> None:
        super().__init__()
        numbers = generator(seed, 11)
        self.depth, self.skips, self.flat = int(lab.layers), lab.residual == "on", lab.net == "mlp"
        for number in range(1, self.depth + 1):
            layer: nn.Module = nn.Linear(WIDTH, WIDTH) if self.flat else nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
            _start(layer, lab.init, lab.activation, numbers)
            self.add_module(f"layer{number}", layer)
            if lab.norm != "none":
                self.add_module(f"norm{number}", _norm(lab))
            self.add_module(f"act{number}", {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}[lab.activation]())
        self.read = nn.Linear(WIDTH if self.flat else CHANNELS, CLASSES)
        _start(self.read, "default", "linear", numbers)
        self.double()
        self.hidden: list[Tensor] = []
        """What came out of every layer in the last pass."""

    def forward(self, x: Tensor) -> Tensor:
        self.hidden = []
        for number in range(1, self.depth + 1):
            made: Tensor = self.get_submodule(f"layer{number}")(x)
            if hasattr(self, f"norm{number}"):
                made = self.get_submodule(f"norm{number}")(made)
            made = self.get_submodule(f"act{number}")(made)
            x = x + made if self.skips else made
            self.hidden.append(x)
        answer: Tensor = self.read(x if self.flat else x.mean(dim=(2, 3)))
        return answer


def _norm(lab: Lab) -> nn.Module:
    if lab.net == "mlp":
        return nn.BatchNorm1d(WIDTH) if lab.norm == "batch" else nn.LayerNorm(WIDTH)
    return nn.BatchNorm2d(CHANNELS) if lab.norm == "batch" else nn.GroupNorm(1, CHANNELS)


@torch.no_grad()
def _start(layer: nn.Module, init: str, activation: str, numbers: torch.Generator) -> None:
    """PyTorch's default U(±1/√fan_in) for weights and biases; or Xavier, He or orthogonal with biases of zero."""
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, Tensor)
    assert isinstance(bias, Tensor)
    fan = weight[0].numel()
    bias.zero_()
    if init == "default":
        for array in (weight, bias):
            array.uniform_(-1 / math.sqrt(fan), 1 / math.sqrt(fan), generator=numbers)
    elif init == "xavier":
        nn.init.xavier_uniform_(weight, generator=numbers)
    elif init == "he":
        nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=numbers)
    else:
        nn.init.orthogonal_(weight, nn.init.calculate_gain(activation), generator=numbers)


def deep_input(lab: Lab, seed: int) -> tuple[Tensor, Tensor]:
    """Random inputs of standard deviation 1, and random labels."""
    numbers = generator(seed, 12)
    shape = (BATCH, WIDTH) if lab.net == "mlp" else (IMAGES, CHANNELS, SIDE, SIDE)
    return (torch.randn(shape, generator=numbers, dtype=torch.float64),
            torch.randint(CLASSES, (shape[0],), generator=numbers))


def depth_study(lab: Lab) -> dict[str, Values]:
    """By layers down from the loss: ∥∂L/∂h∥, ∥∂L/∂W∥, and the spread (standard deviation) of the activations.

    Each as `curves` tells it, and `hidden.factor`, (∥∂L/∂h₁∥ / ∥∂L/∂h_L∥) to the power 1/(L − 1).
    """
    gathered: dict[str, list[list[float]]] = {"hidden": [], "weight": [], "spread": []}
    flat: list[float] = []
    off: list[float] = []
    for seed in range(SEEDS):
        model = Deep(lab, seed)
        x, labels = deep_input(lab, seed)
        loss = functional.cross_entropy(model(x), labels)
        weights = [model.get_submodule(f"layer{number}").weight for number in range(1, model.depth + 1)]
        found = torch.autograd.grad(loss, [*model.hidden, *weights])  # type: ignore[list-item]
        norms = [float(sizes(one.detach().numpy().ravel())) for one in found]
        gathered["hidden"].append(norms[:model.depth])
        gathered["weight"].append(norms[model.depth:])
        gathered["spread"].append([float(one.detach().std()) for one in model.hidden])
        last = [one.detach().numpy() for one in model.hidden]
        flat.append(float(np.mean([_flat(one, lab.activation) for one in last])))
        off.append(float(np.mean([np.mean(np.all(one <= 0, axis=0)) for one in last])))
    study: dict[str, Values] = {}
    for name, norms_by_seed in gathered.items():
        told = curves(np.array(norms_by_seed)[:, ::-1])
        study |= {f"{name}.{key}": value for key, value in told.items()}
        with np.errstate(all="ignore"):
            factor = told["mean"][-1] ** (1 / (len(told["mean"]) - 1))
        study[f"{name}.factor"] = np.float64(factor)
    return study | {"hidden.saturated": np.float64(np.mean(flat)), "hidden.dead": np.float64(np.mean(off)),
                    "spread.last": np.exp(np.log(study["spread.at_loss"] + 1e-320).mean())}


def _flat(values: Values, activation: str) -> float:
    """Share of values in the flat part of their activation; of a ReLU those that are off."""
    flat = CURVES[activation].flat
    return 0.0 if flat is None else flat.share(values)


# --- the cliff ------------------------------------------------------------------------------------------------------

CLIFF_STEPS, CLIFF_START, CLIFF_AIM = 50, 0.5, 0.7
CLIFF_W, CLIFF_B = np.linspace(3, 6, 61), np.linspace(-4, 0, 81)
"""The grid on which the surface is measured: 0.05 in both directions."""


def cliff(w: Values, b: Values) -> tuple[Values, Values, Values]:
    """E, ∂E/∂w and ∂E/∂b of x_t = w σ(x_{t−1}) + b, x_0 = 0.5, E = (σ(x_50) − 0.7)² (Pascanu et al. 2013, fig. 6)."""
    x = np.full(np.broadcast(w, b).shape, CLIFF_START)
    by_w, by_b = np.zeros_like(x), np.zeros_like(x)
    for _ in range(CLIFF_STEPS):
        s = sigmoid(x)
        slope = w * s * (1 - s)
        by_w, by_b, x = s + slope * by_w, 1 + slope * by_b, w * s + b
    s = sigmoid(x)
    outer = 2 * (s - CLIFF_AIM) * s * (1 - s)
    return np.square(s - CLIFF_AIM), outer * by_w, outer * by_b


def cliff_study(lab: Lab) -> dict[str, Values]:
    """The surface on its grid, the size of its gradient, its steepest place; and the ways of two balls down it.

    `plain` and `clipped` (step, 6): w, b, E, size of the gradient, and the step that was taken, in w and b.
    """
    error, by_w, by_b = cliff(CLIFF_W[:, None], CLIFF_B[None])
    steep = np.hypot(by_w, by_b)
    at = np.unravel_index(int(steep.argmax()), steep.shape)
    return {"surface": error, "steepness": steep, "w": CLIFF_W, "b": CLIFF_B,
            "steepest": np.array([steep[at], CLIFF_W[at[0]], CLIFF_B[at[1]]]),
            "plain": descend(lab, math.inf), "clipped": descend(lab, lab.limit)}


def descend(lab: Lab, limit: float) -> Values:
    """Gradient descent from the start of a Lab; the gradient's norm is rescaled to at most `limit`."""
    here = np.array([lab.weight, lab.shift])
    rows = []
    for _ in range(int(lab.drops) + 1):
        with np.errstate(all="ignore"):
            error, by_w, by_b = (float(part) for part in cliff(here[0], here[1]))
        size = math.hypot(by_w, by_b)
        share = min(1.0, limit / size) if size > 0 else 1.0
        move = -lab.rate * share * np.array([by_w, by_b])
        rows.append([*here, error, size, *move])
        here = here + move
    return np.array(rows)
