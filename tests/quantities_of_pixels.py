"""What is said of an answer with a class for each pixel, worked out pixel by pixel with numpy alone; fields by the
formula of Araujo and others (2019), walked back layer by layer through both arms of a U."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests import quantities_of_words  # noqa: F401  (what a card tells of quality)
from tests.quantities import layer_of, quantity, whole_array, words
from tests.quantities_of_reach import pair
from visualizer.trace import Answer, Trace

MOST, FEW = 6, 5
"""So many classes have all a row; of more these many."""


def answer_of(trace: Trace) -> Answer:
    return next(each for each in trace.answers if trace[each.layer].axes[-2:] == ("row", "column"))


def chances(trace: Trace, said: Any) -> np.ndarray:
    """(class, row, column): none and it for a mask."""
    found = np.asarray(whole_array(trace, said._replace(array=said.array)), np.float64)
    answer = answer_of(trace)
    if answer.kind == "mask":
        one = found if found.ndim == 2 else found[int(answer.settings.get("channel", 0))]
        p = one if answer.settings.get("score") != "logit" and layer_of(trace, said.layer).name == answer.layer else \
            1 / (1 + np.exp(-one))
        return np.stack([1 - p, p])
    if found.min() >= 0 and np.allclose(found.sum(0), 1, atol=1e-3):
        return found
    with np.errstate(over="raise"):
        return np.exp(found - np.logaddexp.reduce(found, axis=0))


def given(trace: Trace, said: Any) -> np.ndarray:
    found, answer = chances(trace, said), answer_of(trace)
    if answer.kind == "mask":
        return (found[1] > float(answer.settings.get("threshold", 0.5))).astype(int)
    return np.array([[int(max(range(len(found)), key=lambda index: found[index, row, column]))
                      for column in range(found.shape[2])] for row in range(found.shape[1])])


def truth(trace: Trace) -> np.ndarray:
    answer = answer_of(trace)
    found = np.asarray(answer.truth).reshape(trace[answer.layer].shape[-2:])
    return (found > 0.5).astype(int) if answer.kind == "mask" else found.astype(int)


def ground(trace: Trace) -> int | None:
    answer = answer_of(trace)
    return 0 if answer.kind == "mask" else answer.settings.get("ground")


@words("name of a class")
def name(trace: Trace, said: Any) -> str:
    answer, index = answer_of(trace), said.cell[0]
    if answer.kind == "mask":
        return ("outside", answer.labels[-1] if answer.labels else "inside")[index]
    return answer.labels[index] if index < len(answer.labels) else str(index)


def of_class(trace: Trace, said: Any, index: int) -> tuple[int, int]:
    """(shared pixels, pixels of either)."""
    one, other = given(trace, said) == index, truth(trace) == index
    known = truth(trace) != -100
    return int((one & other & known).sum()), int(((one | other) & known).sum())


@quantity("IoU of a class")
def overlap(trace: Trace, said: Any) -> float:
    shared, either = of_class(trace, said, said.cell[0])
    return shared / either


@quantity("mean IoU")
def mean(trace: Trace, said: Any) -> float:
    pairs = [of_class(trace, said, index) for index in range(len(chances(trace, said))) if index != ground(trace)]
    return float(np.mean([shared / either for shared, either in pairs if either]))


quantity("right pixels")(lambda trace, said: int((given(trace, said) == truth(trace)).sum()))
quantity("known pixels")(lambda trace, said: int((truth(trace) != -100).sum()))
quantity("pixels that are not the ground")(lambda trace, said: int((given(trace, said) != (ground(trace) or 0)).sum()))
quantity("pixels of a class")(lambda trace, said: int((given(trace, said) == said.cell[0]).sum()))
quantity("how many given a class")(lambda trace, said: int((given(trace, said) == said.cell[0]).sum()))
quantity("how many given another class")(lambda trace, said: int((given(trace, said) != said.cell[0]).sum()))
quantity("how many other classes")(lambda trace, said: len(set(given(trace, said).ravel().tolist())) - 1)
quantity("threshold of a mask")(lambda trace, said: float(answer_of(trace).settings.get("threshold", 0.5)))


def row(trace: Trace, said: Any) -> np.ndarray:
    """(row, column) of the class of a row; of a mask of it."""
    found = chances(trace, said)
    return found[1] if answer_of(trace).kind == "mask" else found[said.cell[0]]


quantity("chance of a class")(lambda trace, said: float(row(trace, said)[said.cell[1:]]))


@quantity("chance of what is taken")
def likely(trace: Trace, said: Any) -> float:
    return float(chances(trace, said)[given(trace, said)[said.cell]][said.cell])


@quantity("chance of the other classes")
def rest(trace: Trace, said: Any) -> float:
    return float(np.sort(chances(trace, said)[:, said.cell[0], said.cell[1]])[:-FEW].sum())


@quantity("classes without a row")
def without(trace: Trace, said: Any) -> float:
    count = len(chances(trace, said))
    return count - FEW if count > MOST else 0


@quantity("score")
def score(trace: Trace, said: Any) -> float:
    found, answer = np.asarray(whole_array(trace, said), np.float64), answer_of(trace)
    if answer.kind == "mask":
        return float((found if found.ndim == 2 else found[int(answer.settings.get("channel", 0))])[said.cell[1:]])
    return float(found[said.cell])


@quantity("power")
def power(trace: Trace, said: Any) -> float:
    line = np.asarray(whole_array(trace, said), np.float64)[:, said.cell[1], said.cell[2]]
    return float(np.exp(line[said.cell[0]]) / np.exp(line.max()))


@quantity("entropy in bits")
def entropy(trace: Trace, said: Any) -> float:
    p = chances(trace, said)[:, said.cell[0], said.cell[1]]
    return float(sum(-each * np.log(each) / np.log(2) for each in p if each > 0))


quantity("largest entropy in bits")(lambda trace, said: float(np.log2(len(chances(trace, said)))))


def product(trace: Trace, said: Any, index: int, channel: int, pixel: tuple[int, ...]) -> float:
    layer = layer_of(trace, said.layer)
    read = layer.reads[0]
    study = f"studies skips {read}" if said.array and read in trace.studies["skips"] else ""
    maps = whole_array(trace, said._replace(layer=read, array=study))
    index = int(answer_of(trace).settings.get("channel", 0)) if answer_of(trace).kind == "mask" else index
    return float(np.float64(layer.weights["weight"][index, channel, 0, 0]) * np.float64(maps[(channel, *pixel)]))


quantity("product")(lambda trace, said: product(trace, said, said.cell[0], said.cell[1], said.cell[2:]))


@quantity("products of the other maps")
def other_products(trace: Trace, said: Any) -> float:
    index, line, column, *seen = said.cell
    count = layer_of(trace, said.layer).weights["weight"].shape[1]
    return sum(product(trace, said, index, channel, (line, column)) for channel in range(count) if channel not in seen)


@quantity("maps without a column")
def no_column(trace: Trace, said: Any) -> float:
    return len(layer_of(trace, said.layer).output) - said.cell[0]


@quantity("maps that are shown")
def shown(trace: Trace, said: Any) -> float:
    assert 0 < said.cell[0] <= len(layer_of(trace, said.layer).output)
    return said.cell[0]


def of_a_skip(trace: Trace, said: Any) -> list[int]:
    layer = layer_of(trace, said.layer)
    return [len(trace[read].output) for read in layer.reads]


@quantity("maps of a skip")
def leaping(trace: Trace, said: Any) -> float:
    """Those that were made first."""
    layer = layer_of(trace, said.layer)
    return len(trace[min(layer.reads, key=lambda read: trace.places[read])].output)


quantity("maps beside a skip")(lambda trace, said: sum(of_a_skip(trace, said)) - leaping(trace, said))


# --- how far a number sees --------------------------------------------------------------------------------------------

def spans(trace: Trace, layer: str, place: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """First and last row and column of the input, padding included."""
    own = trace[layer]
    if own.is_input:
        return place
    met = []
    for read in own.reads:
        high = trace[read].shape[-2:]
        if own.kind in ("conv2d", "max_pool2d", "avg_pool2d"):
            weight = own.weights.get("weight")
            kernel = pair(own.settings["kernel_size"]) if weight is None else weight.shape[-2:]
            stride, padding, apart = (pair(own.settings.get(key) or (kernel if key == "stride" else usual))
                                      for key, usual in (("stride", 1), ("padding", 0), ("dilation", 1)))
            before = [(low * s - p, last * s - p + (k - 1) * d) for (low, last), k, s, p, d in
                      zip(place, kernel, stride, padding, apart, strict=True)]
        elif own.kind == "upsample":
            before = [(low * old // new, last * old // new) for (low, last), old, new in
                      zip(place, high, own.shape[-2:], strict=True)]
        else:
            assert own.kind in ("relu", "batch_norm", "cat", "sigmoid", "softmax"), own.kind
            before = place
        met.append(spans(trace, read, before))
    return [(min(found[axis][0] for found in met), max(found[axis][1] for found in met)) for axis in range(2)]


def field(trace: Trace, said: Any, axis: int, clip: bool) -> int:
    layer = layer_of(trace, said.layer)
    pixel = said.cell or tuple(size // 2 for size in layer.shape[-2:])
    low, high = spans(trace, said.layer, [(at, at) for at in pixel])[axis]
    size = trace.layers[0].shape[-2:][axis]
    return min(size - 1, high) - max(0, low) + 1 if clip else high - low + 1


quantity("rows that a pixel sees")(lambda trace, said: field(trace, said, 0, True))
quantity("columns that a pixel sees")(lambda trace, said: field(trace, said, 1, True))
quantity("rows that a number sees")(lambda trace, said: field(trace, said, 0, False))
quantity("columns that a number sees")(lambda trace, said: field(trace, said, 1, False))


@quantity("most rows that a pixel sees")
def most_rows(trace: Trace, said: Any) -> float:
    rows = layer_of(trace, said.layer).shape[-2]
    return max(field(trace, said._replace(cell=(row, row)), 0, False) for row in range(rows))


@quantity("largest norm over the channels")
def largest_norm(trace: Trace, said: Any) -> float:
    found = np.asarray(layer_of(trace, said.layer).gradient, np.float64)
    return float(np.linalg.norm(found.reshape(-1, *found.shape[-2:]), axis=0).max())


@quantity("largest of what a pixel hangs on")
def hangs(trace: Trace, said: Any) -> float:
    held = trace.studies["field"]
    place = [tuple(each) for each in held["pixels"].tolist()].index(said.cell)
    return float(held["gradient"][place].max())
