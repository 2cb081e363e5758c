"""Quantities of operations and answers, worked out from the recording with numpy alone: the part of
tests/quantities.py about what a layer makes of what it reads, which classes, boxes and symbols come out, and what a
gradient meets on its way back.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tests.quantities import _named, array, gradient, layer_of, norm, quantity, words
from visualizer.trace import Layer, Trace

CONSTANTS = {
    "relu6": (0, 6, 0), "relu": (0,), "threshold": (0,), "hardtanh": (0,), "sigmoid": (0, 1), "hardsigmoid": (0, 1),
    "tanh": (-1, 1), "softsign": (-1, 1), "erf": (-1, 1), "softmax": (1,), "reciprocal": (1,), "log2": (2,),
    "log10": (10,), "dropout": (0,), "alpha_dropout": (0,), "prelu": (0,), "batch_norm": (0, 1), "layer_norm": (0, 1),
    "group_norm": (0, 1), "instance_norm": (0, 1), "rms_norm": (1,), "squeeze": (1,), "unsqueeze": (1,),
    "expand": (1,), "expand_as": (1,), "broadcast_to": (1,), "softshrink": (0, 0), "hardshrink": (0,),
    "count_nonzero": (0,),
    "normalize": (1,), "one_hot": (1,), "tril": (0,), "triu": (0,), "weight_norm": (1,)}
"""The numbers that belong to an operation, whatever it reads, in the order in which its sentence has them."""
STANDARD = {"alpha": 1, "beta": 1, "value": 1, "exponent": 1, "min_val": -1, "max_val": 1, "p": 0.5,
            "padding_value": 0}
"""PyTorch's own values of settings that nobody gave."""
SEEN = {" ": "␣", "\n": "↵", "\t": "⇥"}
STEEPEST = {"sigmoid": 0.25}


def _inputs(trace: Trace, said: Any) -> list[Layer]:
    return [layer_of(trace, name) for name in layer_of(trace, said.layer).reads]


def _values(layer: Layer) -> np.ndarray:
    return np.asarray(layer.output, np.float64)


def _finite(trace: Trace, said: Any) -> np.ndarray:
    values = array(trace, said)
    return values[np.isfinite(values)]


@words("precision")
def precision(trace: Trace, said: Any) -> str:
    return str(layer_of(trace, said.layer).output.dtype)


# --- what is in an array ----------------------------------------------------------------------------------------------

quantity("smallest that is finite")(lambda trace, said: float(_finite(trace, said).min()))
quantity("largest that is finite")(lambda trace, said: float(_finite(trace, said).max()))
quantity("how many are not finite")(lambda trace, said: int((~np.isfinite(array(trace, said))).sum()))
quantity("share not above 0")(lambda trace, said: float((array(trace, said) <= 0).mean()))
quantity("mean size")(lambda trace, said: float(np.abs(array(trace, said)).mean()))
quantity("how many are read")(lambda trace, said: len(layer_of(trace, said.layer).reads))
quantity("how many rows")(lambda trace, said: int(np.prod(layer_of(trace, said.layer).shape[:-1])))
quantity("numbers for each")(
    lambda trace, said: _inputs(trace, said)[0].output.size / layer_of(trace, said.layer).output.size)
quantity("numbers over axes")(
    lambda trace, said: int(np.prod([layer_of(trace, said.layer).shape[axis] for axis in said.cell])))
quantity("how many fewer")(
    lambda trace, said: len(_inputs(trace, said)[0].output) - len(layer_of(trace, said.layer).output))
quantity("how many more")(
    lambda trace, said: len(layer_of(trace, said.layer).output) - len(_inputs(trace, said)[0].output))


def place(values: np.ndarray, axis: int) -> int:
    """Where along an axis the first of the largest stands."""
    return int(np.unravel_index(int(np.argmax(values)), values.shape)[axis])


quantity("place of the largest")(lambda trace, said: place(_whole(trace, said), said.cell[0]))
quantity("place of the largest gradient")(
    lambda trace, said: place(np.abs(gradient(trace, said._replace(cell=()))), said.cell[0]))


def _whole(trace: Trace, said: Any) -> np.ndarray:
    return array(trace, said._replace(cell=()))


@quantity("step of the largest gradient")
def loudest_step(trace: Trace, said: Any) -> float:
    """Counted from 1."""
    return 1 + int(np.argmax([norm(row) for row in gradient(trace, said)]))


@quantity("step of the least mean")
def quietest_step(trace: Trace, said: Any) -> float:
    return 1 + int(np.argmin(array(trace, said).mean(axis=1)))


@quantity("step of the state")
def state_step(trace: Trace, said: Any) -> float:
    """The step whose state this is, counted from 1: the last that was read."""
    source = _inputs(trace, said)[0]
    own = _values(layer_of(trace, said.layer)).ravel()
    states = np.asarray(source.inner[layer_of(trace, said.layer).settings["state"]], np.float64)
    same = [step for step, row in enumerate(states) if row.shape == own.shape and np.allclose(row, own, atol=1e-6)]
    return 1 + (same[-1] if same else 0 if source.settings.get("reverse") else len(states) - 1)


@quantity("step inside")
def step_inside(trace: Trace, said: Any) -> float:
    """A step of a gate or state, counted from 1."""
    assert 0 <= said.step < len(_named(layer_of(trace, said.layer), said.array)), said
    return said.step + 1


@quantity("constant of the curve")
def of_curve(trace: Trace, said: Any) -> float:
    """What a rectifier makes of all below it."""
    assert layer_of(trace, said.layer).settings["nonlinearity"] == "relu"
    return 0


# --- operations -------------------------------------------------------------------------------------------------------

@quantity("constant of the operation")
def constant(trace: Trace, said: Any) -> float:
    """The number at a place among those that belong to it; what a curve says of itself holds of its numbers, too."""
    layer = layer_of(trace, said.layer)
    known = CONSTANTS[layer.kind]
    if layer.kind in ("sigmoid", "tanh", "hardsigmoid", "softsign", "erf"):
        finite = layer.output[np.isfinite(layer.output)]
        assert finite.size == 0 or known[0] <= finite.min() <= finite.max() <= known[1]
    return known[said.cell[0]]


@quantity("plain operand")
def operand(trace: Trace, said: Any) -> float:
    found = layer_of(trace, said.layer).settings.get(said.array)
    return float(STANDARD[said.array] if found is None else complex(str(found).strip("()")).real)


@quantity("imaginary part of a plain operand")
def imaginary(trace: Trace, said: Any) -> float:
    return complex(str(layer_of(trace, said.layer).settings[said.array]).strip("()")).imag


@quantity("products in each sum")
def products(trace: Trace, said: Any) -> float:
    """Of each letter that is summed over the length, where the call has an equation; else rows times columns."""
    return _products(layer_of(trace, said.layer), _inputs(trace, said))


def _products(layer: Layer, read: list[Layer]) -> int:
    equation = layer.settings.get("equation")
    if isinstance(equation, str):
        left, right = equation.replace(" ", "").split("->")
        sizes = {letter: size for letters, source in zip(left.split(","), read, strict=True)
                 for letter, size in zip(letters[::-1], (1, *source.shape)[::-1], strict=False)}
        return int(np.prod([size for letter, size in sizes.items() if letter not in right]))
    return read[-2].shape[-1] if len(read) > 1 else read[0].shape[-1]


@quantity("numbers normalised together")
def together(trace: Trace, said: Any) -> float:
    layer = layer_of(trace, said.layer)
    size = layer.output.size
    if layer.kind == "group_norm":
        return size // int(layer.settings["num_groups"])
    if layer.kind in ("layer_norm", "rms_norm"):
        given = layer.settings.get("normalized_shape")
        return int(np.prod(given)) if given is not None else layer.weights["weight"].size
    return size // layer.shape[0]


@quantity("stretch of what is kept")
def stretch(trace: Trace, said: Any) -> float:
    p = float(layer_of(trace, said.layer).settings.get("p", STANDARD["p"]))
    return 1 / (1 - p) if p < 1 else 0.0


@quantity("how many were dropped")
def dropped(trace: Trace, said: Any) -> float:
    return int(((layer_of(trace, said.layer).output == 0) & (_inputs(trace, said)[0].output != 0)).sum())


@quantity("what is made of the rest")
def rest(trace: Trace, said: Any) -> float:
    """What a rectifier makes of all that is not above zero: one number for all of it."""
    own, read = array(trace, said), _values(_inputs(trace, said)[0])[said.cell]
    made = np.unique(own[read <= 0])
    assert len(made) <= 1, said
    return float(made[0]) if len(made) else 0.0


# --- losses -----------------------------------------------------------------------------------------------------------

@quantity("class aimed at")
def aim(trace: Trace, said: Any) -> float:
    return _aims(trace, said)[0][1]


@quantity("place aimed at")
def aimed_place(trace: Trace, said: Any) -> float:
    return _aims(trace, said)[0][0]


quantity("how many aims")(lambda trace, said: len(_aims(trace, said)))
quantity("worst share given to an aim")(lambda trace, said: float(np.exp(_shares(trace, said).min())))
quantity("place of the worst aim")(lambda trace, said: _aims(trace, said)[int(np.argmin(_shares(trace, said)))][0])


@quantity("share given to the target")
def share_given(trace: Trace, said: Any) -> float:
    """What the loss is the logarithm of; the logits say the same as far as the precision of the loss goes."""
    loss, logarithm = float(layer_of(trace, said.layer).output), float(_shares(trace, said)[0])
    return float(np.exp(-loss)) if abs(loss + logarithm) <= 2 ** -7 * abs(loss) else float(np.exp(logarithm))


def _aims(trace: Trace, said: Any) -> list[tuple[int, int]]:
    """(place, class) each: of one line of classes, or of several lines with an aim each."""
    layer = layer_of(trace, said.layer)
    target = layer.settings.get("target")
    target = _inputs(trace, said)[1].output.ravel().tolist() if target is None else target
    listed = [int(each) for each in np.ravel(target)]
    ignored = layer.settings.get("ignore_index", -100)
    return [(at, each) for at, each in enumerate(listed) if each != ignored]


def _shares(trace: Trace, said: Any) -> np.ndarray:
    """(aim,): logarithms of what was given to each; a cross entropy reads logits, a negative likelihood logarithms."""
    layer, values = layer_of(trace, said.layer), _values(_inputs(trace, said)[0])
    axis = _inputs(trace, said)[0].axes.index("class") if "class" in _inputs(trace, said)[0].axes else values.ndim - 1
    lines = np.moveaxis(values, axis, -1).reshape(-1, values.shape[axis])
    if layer.kind == "cross_entropy":
        top = lines.max(axis=1, keepdims=True)
        lines = lines - top - np.log(np.exp(lines - top).sum(axis=1, keepdims=True))
    return np.array([lines[at, each] for at, each in _aims(trace, said)])


@quantity("number wanted")
def wanted(trace: Trace, said: Any) -> float:
    return float(_wanted(trace, said).ravel()[0])


@quantity("how far off")
def off(trace: Trace, said: Any) -> float:
    """Of a loss the difference, of an answer its size."""
    layer = layer_of(trace, said.layer)
    if said.layer in {answer.layer for answer in trace.answers}:
        return abs(float(layer.output.ravel()[0]) - wanted(trace, said))
    return float(_inputs(trace, said)[0].output.ravel()[0]) - wanted(trace, said)


@quantity("how far off on average")
def off_on_average(trace: Trace, said: Any) -> float:
    return float(np.abs(_values(layer_of(trace, said.layer)).ravel() - _wanted(trace, said).ravel()).mean())


@quantity("squared difference from the right one")
def squared(trace: Trace, said: Any) -> float:
    return float(np.square(_values(layer_of(trace, said.layer)).ravel() - _wanted(trace, said).ravel()).mean())


def _wanted(trace: Trace, said: Any) -> np.ndarray:
    """What an answer should have been, or what a loss compares with."""
    answer = next((each for each in trace.answers if each.layer == said.layer), None)
    if answer is not None and answer.settings.get("truth") == "input":
        return _values(trace.layers[0])
    if answer is not None and answer.truth is not None:
        return np.asarray(answer.truth, np.float64)
    layer = layer_of(trace, said.layer) if answer is None else \
        next(each for each in trace.readers(said.layer) if "target" in each.settings)
    found = layer.settings.get("target")
    return np.asarray(layer_of(trace, layer.reads[1]).output if found is None else found, np.float64)


# --- over many inputs -------------------------------------------------------------------------------------------------

FLAT = {"tanh": (-0.9, 0.9), "sigmoid": (0.05, 0.95)}


def _written(trace: Trace, key: str) -> list[str]:
    return bytes(trace.studies["over"][key]).decode().split("\0")


@quantity("how many inputs")
def how_many_inputs(trace: Trace, said: Any) -> float:
    return len(_written(trace, "words")) if said.array == "over" else int(trace.studies[said.array]["inputs"])


@quantity("how many inputs are answered wrong")
def wrong(trace: Trace, said: Any) -> float:
    known = zip(trace.studies["over"]["labels"].tolist(), _written(trace, "answers"), strict=True)
    return sum(label >= 0 and answer != "" and answer != _label(trace, said, label) for label, answer in known)


@quantity("largest over inputs")
def largest_over(trace: Trace, said: Any) -> float:
    """Of one channel or unit; `step` says which axis of the layer it is one of."""
    values = np.asarray(trace.studies["over"][f"{said.layer}:{said.array}"], np.float64)
    values = np.take(values, said.cell[0], said.step + 1) if said.cell else values
    return float(np.nanmax(values))


@words("title of an input")
def title(trace: Trace, said: Any) -> str:
    return _written(trace, "titles")[said.cell[0]]


@quantity("how many dead units")
def dead(trace: Trace, said: Any) -> float:
    """Off everywhere for every input; and so for the one on the screen."""
    on = np.asarray(trace.studies["saturation"][f"{said.layer}:on"])
    own = layer_of(trace, said.layer).output
    assert not (own > 0).reshape(len(on), -1)[on == 0].any() or own.ndim == 2
    return int((on == 0).sum())


@quantity("how many units are counted")
def counted(trace: Trace, said: Any) -> float:
    return len(trace.studies["saturation"][f"{said.layer}:on"])


@quantity("share where a curve is flat")
def flat(trace: Trace, said: Any) -> float:
    """Of a rectifier what its units are not on, else what was counted over the batch, whose bins say it nearly."""
    name = f"{said.layer}/{said.array}" if said.array else said.layer
    measured = trace.studies["saturation"]
    if f"{name}:on" in measured:
        return 1 - float(np.mean(measured[f"{name}:on"]))
    return float(measured[f"{name}:share"])


@quantity("slope far from the middle")
def slope_far_out(trace: Trace, said: Any) -> float:
    """1 − tanh² and σ·(1 − σ) both go to 0 on either side."""
    return float(np.round(1 - np.tanh(20.0) ** 2, 6))


@quantity("where a curve is flat")
def flat_from(trace: Trace, said: Any) -> float:
    kind = layer_of(trace, said.layer).kind
    tanh = said.array in ("candidate", "new", "hidden", "preactivation", "cell") or (not said.array and kind == "tanh")
    return abs(FLAT["tanh" if tanh else "sigmoid"][said.cell[0]])


# --- symbols spelled along the steps (Graves and others 2006) ---------------------------------------------------------

@quantity("ways to spell it")
def ways(trace: Trace, said: Any) -> float:
    """Sequences of symbols and blanks, one a step, that are the target when repeats are merged and blanks left out."""
    return float(_passed(trace, said, lambda logarithms: np.zeros_like(logarithms), True))


@quantity("chance to spell it")
def chance_to_spell(trace: Trace, said: Any) -> float:
    return float(np.exp(_passed(trace, said, lambda logarithms: logarithms, False)))


@quantity("−ln of the chance to spell it")
def cost_to_spell(trace: Trace, said: Any) -> float:
    return -float(_passed(trace, said, lambda logarithms: logarithms, False))


def _passed(trace: Trace, said: Any, of: Any, counted: bool) -> float:
    """Forward over the target with blanks between: the sum over all ways, or its logarithm."""
    layer = layer_of(trace, said.layer)
    read = _values(_inputs(trace, said)[0])
    logarithms = of(read - np.log(np.exp(read - read.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True))
                    - read.max(axis=1, keepdims=True))
    blank = int(layer.settings.get("blank", 0))
    target = [blank]
    for symbol in np.ravel(layer.settings["target"]):
        target += [int(symbol), blank]
    rows = [np.full(len(target), -np.inf)]
    rows[0][:2] = logarithms[0, target[:2]]
    for step in logarithms[1:]:
        before = rows[-1]
        after = np.logaddexp(before, np.concatenate([[-np.inf], before[:-1]]))
        skips = np.array([at > 1 and symbol != blank and symbol != target[at - 2] for at, symbol in enumerate(target)])
        after = np.where(skips, np.logaddexp(after, np.concatenate([[-np.inf] * 2, before])[:len(target)]), after)
        rows.append(after + step[target])
    total = float(np.logaddexp(rows[-1][-1], rows[-1][-2]) if len(target) > 1 else rows[-1][-1])
    return float(np.exp(total)) if counted else total


@words("what is read")
def what_is_read(trace: Trace, said: Any) -> str:
    answer = next(each for each in trace.answers if each.layer == said.layer)
    path = layer_of(trace, said.layer).output.argmax(axis=-1).tolist()
    if answer.kind == "spoken":
        return _spoken(answer, path)
    blank = int(answer.settings.get("blank", 0))
    return " ".join(_label(trace, said, now) for before, now in zip([-1, *path], path, strict=False)
                    if now not in (before, blank))


def _spoken(answer: Any, path: list[int]) -> str:
    """Symbols up to the end."""
    end = answer.settings["end"]
    return str(answer.settings["joined"]).join(answer.labels[each] for each in path[:[*path, end].index(end)])


@words("what is written")
def what_is_written(trace: Trace, said: Any) -> str:
    spoken = next((each for each in trace.answers if each.layer == said.layer and each.kind == "spoken"), None)
    if spoken is not None and spoken.truth is not None:
        return _spoken(spoken, [int(each) for each in spoken.truth])
    loss = next((layer for layer in trace if layer.kind == "ctc_loss"), None)
    target = () if loss is None else np.ravel(loss.settings["target"])
    return " ".join(_label(trace, said, int(each)) for each in target)


# --- answers ----------------------------------------------------------------------------------------------------------

@words("label of the input")
def label_of_input(trace: Trace, said: Any) -> str:
    return _label(trace, said, trace.sample.label)


def _label(trace: Trace, said: Any, index: int) -> str:
    known = next((each.labels for each in trace.answers if each.layer == said.layer), trace.labels)
    return known[index] if index < len(known) else str(index)


@quantity("probability less gradient")
def less(trace: Trace, said: Any) -> float:
    """What is subtracted from a probability to make the gradient of its logit: 1 for the label, 0 for others. `array`
    names the layer of the probabilities. As exact as the difference of the two."""
    back = np.asarray(layer_of(trace, said.layer).gradient, np.float64).ravel()[said.cell[0]]
    if not np.isfinite(back):
        return float(said.cell[0] == trace.objective.target)
    return float(np.round(layer_of(trace, said.array).output.ravel()[said.cell[0]].astype(np.float64)
                          - back, 5))


@quantity("largest size of gradient elsewhere")
def elsewhere(trace: Trace, said: Any) -> float:
    found = np.abs(np.asarray(layer_of(trace, said.layer).gradient, np.float64))
    found[said.cell] = 0
    return float(found.max())


def _mask(trace: Trace, said: Any) -> np.ndarray:
    """(row, column): the pixels that are taken to belong to it."""
    settings = next(each for each in trace.answers if each.layer == said.layer).settings
    found = _values(layer_of(trace, said.layer))
    found = found if found.ndim == 2 else found[int(settings.get("channel", 0))]
    least = float(settings.get("threshold", 0.5))
    return found > (np.log(least / (1 - least)) if settings.get("score") == "logit" else least)


quantity("how many pixels")(lambda trace, said: _mask(trace, said).size)
quantity("how many pixels belong to it")(lambda trace, said: int(_mask(trace, said).sum()))


@quantity("overlap of the masks")
def overlap_of_masks(trace: Trace, said: Any) -> float:
    found = _mask(trace, said)
    truth = next(each for each in trace.answers if each.layer == said.layer).truth
    right = np.asarray(truth).reshape(found.shape) > 0.5
    return float((found & right).sum() / max(1, (found | right).sum())) if (found | right).any() else 1.0


# --- on the way back --------------------------------------------------------------------------------------------------

@words("words read")
def words_read(trace: Trace, said: Any) -> str:
    """Up to a step, the last 24 letters where there are more than 26."""
    read = trace.sample.steps
    text = ("" if all(len(word) == 1 for word in read) else " ").join(read[:said.step + 1]).replace("\n", "↵")
    return text if len(text) <= 26 else "…" + text[-24:]


@words("word of the sample")
def word_of_sample(trace: Trace, said: Any) -> str:
    return SEEN.get(trace.sample.steps[said.step], trace.sample.steps[said.step])


@quantity("how many gradients are stopped")
def stopped(trace: Trace, said: Any) -> float:
    """Of those that arrive at a rectifier: where it made 0 of what it read."""
    arrived = gradient(trace, said) != 0
    return int((arrived & (_values(_inputs(trace, said)[0])[said.cell] <= 0)).sum())


@quantity("how many hand back")
def hand_back(trace: Trace, said: Any) -> float:
    return sum(reader.gradient is not None for reader in trace.readers(said.layer))


@quantity("how many times as long as what is handed to it")
def longer(trace: Trace, said: Any) -> float:
    handed, = (reader for reader in trace.readers(said.layer) if reader.gradient is not None)
    return norm(gradient(trace, said)) / norm(np.asarray(handed.gradient, np.float64))


@quantity("steepest slope")
def steepest(trace: Trace, said: Any) -> float:
    return STEEPEST.get(layer_of(trace, said.layer).kind, 1.0)


@quantity("mean slope")
def mean_slope(trace: Trace, said: Any) -> float:
    layer = layer_of(trace, said.layer)
    y = _values(layer)
    return float({"relu": y > 0, "tanh": 1 - y * y, "sigmoid": y * (1 - y)}[layer.kind].mean())


# --- terms ------------------------------------------------------------------------------------------------------------

quantity("how many terms but one")(lambda trace, said: how_many_terms(trace, said) - 1)


@quantity("how many terms")
def how_many_terms(trace: Trace, said: Any) -> float:
    """What one number of a layer is made of, by its operation."""
    layer, read = layer_of(trace, said.layer), _inputs(trace, said)
    if layer.kind in ("linear", "conv1d", "conv2d", "conv3d"):
        kernel = layer.weights["weight"].shape[1:]
        if layer.kind == "linear":
            return kernel[0]
        return int(np.prod(kernel))  # with zeros where it hangs over the edge
    if layer.kind.startswith("conv_transpose"):
        places = [sum((at + _setting(layer, "padding", axis, 0) - tap * _setting(layer, "dilation", axis, 1)) % (
            stride := _setting(layer, "stride", axis, 1)) == 0 and 0 <= (at + _setting(layer, "padding", axis, 0)
            - tap * _setting(layer, "dilation", axis, 1)) // stride < read[0].shape[1 + axis] for tap in range(taps))
            for axis, (at, taps) in enumerate(zip(said.cell[1:], layer.weights["weight"].shape[2:], strict=True))]
        return int(np.prod([read[0].shape[0] // int(layer.settings.get("groups", 1)), *places]))
    if layer.kind.startswith("avg_pool") and layer.settings.get("count_include_pad", True):
        return int(np.prod([_setting(layer, "kernel_size", axis, 1) for axis in range(layer.output.ndim - 1)]))
    if "pool" in layer.kind:
        return int(np.prod([len(_window(layer, axis, read[0].shape[1 + axis], said.cell[1 + axis]))
                            for axis in range(layer.output.ndim - 1)]))
    return TERMS[layer.kind](layer, read)


@quantity("how many terms handed back")
def terms_back(trace: Trace, said: Any) -> float:
    """From all that read it: numbers whose gradient has a part in that of one number."""
    layer = layer_of(trace, said.layer)
    count = 0
    for reader in trace.readers(said.layer):
        if reader.gradient is not None or reader.kind in ("cross_entropy", "ctc_loss"):
            count += _back_from(trace, reader, layer, said.cell)
    if "hidden" in layer.inner and layer.inner["hidden"].shape == layer.shape and layer.shape[0] > 1:
        other = said.cell[0] + (-1 if layer.settings.get("reverse") else 1)
        count += _inner_terms(layer) if 0 <= other < layer.shape[0] else 0
    return count


def _inner_terms(layer: Layer) -> int:
    return len(layer.weights["weight_hh"]) + (layer.kind.startswith("gru"))


def _back_from(trace: Trace, reader: Layer, layer: Layer, cell: tuple[int, ...]) -> int:
    if reader.kind == "linear":
        return len(reader.weights["weight"])
    if reader.kind in ("conv1d", "conv2d", "conv3d"):
        weight, found = reader.weights["weight"], len(reader.weights["weight"]) // int(reader.settings.get("groups", 1))
        for axis in range(weight.ndim - 2):
            stride, padding = _setting(reader, "stride", axis, 1), _setting(reader, "padding", axis, 0)
            dilation = _setting(reader, "dilation", axis, 1)
            found *= sum(out * stride - padding + tap * dilation == cell[1 + axis]
                         for out in range(reader.shape[1 + axis]) for tap in range(weight.shape[2 + axis]))
        return found
    if "weight_ih" in reader.weights:
        return len(reader.weights["weight_ih"])
    if reader.kind in ("cross_entropy", "ctc_loss"):
        return 2
    if reader.kind == "einsum":
        left, _ = reader.settings["equation"].replace(" ", "").split("->")
        sizes = {letter: size for letters, name in zip(left.split(","), reader.reads, strict=True)
                 for letter, size in zip(letters[::-1], trace[name].shape[::-1], strict=False)}
        own = left.split(",")[reader.reads.index(layer.name)]
        seen = {letter for letters in left.split(",") for letter in letters[len(letters) - len(sizes):]}
        return int(np.prod([sizes.get(letter, 1) for letter in seen - set(own)]))
    if reader.kind in ("matmul", "bmm"):
        first = reader.reads[0] == layer.name
        other = trace[reader.reads[1] if first else reader.reads[0]]
        return other.shape[-1 if first else -2] if other.output.ndim > 1 else 1
    if reader.kind in ("layer_norm", "rms_norm", "softmax", "log_softmax"):
        return layer.shape[-1]
    if reader.kind.startswith("fft_"):
        return reader.output.size
    if reader.kind.startswith(("max_pool", "adaptive_max_pool")):
        return _windows_won(reader, layer, cell)
    if reader.kind == "state":
        return int(np.allclose(layer.output[cell[0]].ravel(), reader.output.ravel()))
    if reader.kind.startswith("avg_pool"):
        return sum(all(place in _window(reader, axis, layer.shape[1 + axis], at) for axis, (place, at) in
                       enumerate(zip(cell[1:], out, strict=True))) for out in np.ndindex(reader.shape[1:]))
    if reader.kind.startswith("conv_transpose"):
        return int(np.prod([reader.weights["weight"].shape[1], *(
            sum(0 <= cell[1 + axis] * _setting(reader, "stride", axis, 1) - _setting(reader, "padding", axis, 0)
                + tap * _setting(reader, "dilation", axis, 1) < reader.shape[1 + axis] for tap in range(taps))
            for axis, taps in enumerate(reader.weights["weight"].shape[2:]))]))
    if reader.shape == layer.shape[1:]:  # one step of it
        return int(np.array_equal(reader.output, layer.output[cell[0]]))
    return max(1, reader.output.size // layer.output.size) if reader.kind in BROADCAST else 1


BROADCAST = frozenset({"add", "sub", "mul", "div", "pow", "maximum", "minimum", "where", "expand", "expand_as"})
"""Operations that read an array again and again along axes that it lacks."""


def _windows_won(reader: Layer, layer: Layer, cell: tuple[int, ...]) -> int:
    """Of the windows over a number those in which it is the first that is largest."""
    won, own = 0, _values(layer)[cell[0]]
    for out in np.ndindex(reader.shape[1:]):
        box = [_window(reader, axis, layer.shape[1 + axis], at) for axis, at in enumerate(out)]
        places = list(itertools.product(*box))
        won += places[int(np.argmax([own[place] for place in places]))] == cell[1:]
    return won


def _window(layer: Layer, axis: int, size: int, at: int) -> list[int]:
    """The places of a window along an axis that lie inside what it slides over."""
    if layer.kind.startswith("adaptive"):
        into = layer.shape[1 + axis]
        return list(range(at * size // into, -(-(at + 1) * size // into)))
    kernel = layer.weights["weight"].shape[2 + axis] if "weight" in layer.weights else \
        _setting(layer, "kernel_size", axis, 1)
    start = at * _setting(layer, "stride", axis, 1 if "weight" in layer.weights else kernel) \
        - _setting(layer, "padding", axis, 0)
    places = (start + tap * _setting(layer, "dilation", axis, 1) for tap in range(kernel))
    return [place for place in places if 0 <= place < size]


@quantity("how many products make a sum")
def products_of_a_gate(trace: Trace, said: Any) -> float:
    """A number for each that is read and each of the state."""
    layer = layer_of(trace, said.layer)
    if said.array == "hidden" and "weight_hr" in layer.weights:
        return layer.weights["weight_hr"].shape[1]
    return layer.weights["weight_ih"].shape[1] + layer.weights["weight_hh"].shape[1]


TERMS: dict[str, Any] = {
    "add": lambda layer, read: max(2, len(read)),
    "sub": lambda layer, read: max(2, len(read)),
    "sum": lambda layer, read: read[0].output.size // layer.output.size,
    "mean": lambda layer, read: read[0].output.size // layer.output.size,
    "matmul": lambda layer, read: read[0].shape[-1],
    "einsum": _products,
    "amax": lambda layer, read: read[0].output.size // layer.output.size,
    "max": lambda layer, read: read[0].output.size // layer.output.size,
}


def _setting(layer: Layer, name: str, axis: int, otherwise: int) -> int:
    found = layer.settings.get(name)
    found = otherwise if found is None or found == () else found
    found = found if isinstance(found, tuple | list) else (found,) * 3
    return int(found[axis if len(found) > 1 else 0])


# --- axes, headers and grids of inputs --------------------------------------------------------------------------------

@quantity("how many parameters")
def parameters(trace: Trace, said: Any) -> float:
    """What can learn: no running statistics, and none that were given."""
    layer = layer_of(trace, said.layer)
    given = layer.settings.get("fixed", ())
    return sum(array.size for name, array in layer.weights.items() if "running" not in name and name not in given)


quantity("how many maps")(lambda trace, said: int(np.prod(layer_of(trace, said.layer).shape[:-2])) if layer_of(
    trace, said.layer).output.ndim > 2 else layer_of(trace, said.layer).output.size)
quantity("how many values are counted")(lambda trace, said: float(trace.studies["saturation"][
    f"{said.layer}/{said.array}:values" if said.array else f"{said.layer}:values"]))
quantity("largest size over inputs")(lambda trace, said: _colours_over(trace, said)[1])
quantity("least that has a colour over inputs")(lambda trace, said: _colours_over(trace, said)[0])
quantity("least height")(lambda trace, said: 0.0 if np.nanmin(_over(trace, said)) >= 0 else
                         _colours_over(trace, said)[0])


def _colours_over(trace: Trace, said: Any) -> tuple[float, float]:
    """What colours go from and to: chances lie between 0 and 1, all else as far from 0 on either side."""
    top = float(np.nanmax(np.abs(_over(trace, said))))
    return (0.0, 1.0) if layer_of(trace, said.layer).kind == "softmax" else (-top, top)


def _over(trace: Trace, said: Any) -> np.ndarray:
    """Of one channel or unit over all inputs, or all of a layer."""
    values = np.asarray(trace.studies["over"][f"{said.layer}:{said.array}"], np.float64)
    return np.take(values, said.cell[0], said.step + 1) if said.cell else values


@words("label of one of the inputs")
def label_of_an_input(trace: Trace, said: Any) -> str:
    index = int(trace.studies["over"]["labels"][said.cell[0]])
    return trace.labels[index] if index < len(trace.labels) else str(index)


@words("answer to one of the inputs")
def answer_to_an_input(trace: Trace, said: Any) -> str:
    return _written(trace, "answers")[said.cell[0]]


quantity("slices of a map")(lambda trace, said: int(np.prod(layer_of(trace, said.layer).shape[1:-2])))


# --- blocks of layers -------------------------------------------------------------------------------------------------

def _stretch(trace: Trace, said: Any) -> list[Layer]:
    """The layers from the one that is named to the other one."""
    names = [layer.name for layer in trace.layers]
    return [*trace.layers][names.index(said.layer):names.index(said.array) + 1]


@quantity("parameters of a block")
def parameters_of_a_block(trace: Trace, said: Any) -> float:
    arrays = {id(array): array.size for layer in _stretch(trace, said) for name, array in layer.weights.items()
              if "running" not in name and name not in layer.settings.get("fixed", ())}
    return sum(arrays.values())


@quantity("how many layers of a block")
def layers_of_a_block(trace: Trace, said: Any) -> float:
    return len(_stretch(trace, said))


@quantity("beats of a block")
def beats_of_a_block(trace: Trace, said: Any) -> float:
    """Some layers that only lay numbers out share the beat of another one."""
    return sum("beside" not in layer.settings for layer in _stretch(trace, said))


@quantity("how many blocks that are alike")
def blocks_that_are_alike(trace: Trace, said: Any) -> float:
    """As many as names follow the path that all layers of the stretch share; where each layer has a name of its own
    there, as many as have weights."""
    paths = [layer.name.split(".") for layer in _stretch(trace, said)]
    shared = next(depth for depth in range(99) if len({tuple(path[:depth + 1]) for path in paths}) > 1)
    found = {path[shared] for path in paths}
    return len(found) if len(found) < len(paths) else sum("weight" in layer.weights for layer in _stretch(trace, said))
