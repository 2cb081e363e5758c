"""Attribution: what a study of it is asked for, and what its maps are compared by, in numpy alone.

The methods: gradient (Simonyan et al. 2013), gradient × input, integrated gradients (Sundararajan et al. 2017),
SmoothGrad (Smilkov et al. 2017), Grad-CAM (Selvaraju et al. 2017), guided backpropagation (Springenberg et al. 2015),
DeepLIFT with the rescale rule (Shrikumar et al. 2017), occlusion (Zeiler and Fergus 2014), and each place left out. The
control with random weights is that of Adebayo et al. (2018).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds.ranks import rank_correlation
from visualizer.language import tr
from visualizer.trace import Layer, Refused, Trace, remembered

STUDY = "explain"
METHODS = ("gradient", "times_input", "integrated", "smooth", "grad_cam", "guided", "deeplift", "occlusion", "left_out")
"""In the order of the columns."""
COMPLETE = ("integrated", "deeplift")
"""Those whose map adds up to the score, less that of the baseline."""
LOGIT, PROBABILITY = "logit", "probability"
NOTHING, MEAN, BLUR = "nothing", "mean", "blur"
FAILS = 0.5
"""A map that agrees with that of random weights by more than this, inside the ink, fails the control."""
FEWEST_INK, MOST_INK = 8, 0.8
"""Places that differ from a baseline of nothing are the ink, if there are so many, and no more than such a share."""
MOST_NUMBERS, MOST_STEPS = 20_000, 400
"""Of larger inputs, and of longer ones that are read step by step, nothing is measured."""
MOST_OUT = 1_100
"""So many places are left out one by one, and so many windows hidden; of more places none is, and windows lie apart."""
DRAWS = 50
"""So many orders by chance stand beside those of the maps."""
ERASED = (0, 5, 10, 20, 30, 40)
"""So many places are erased, of an input that has more than twice as many."""
NUMBERED = ("tokens", "number", "numbers")
"""Answers of which the last is explained, where they are not one class."""
RESCALED = frozenset({"relu", "sigmoid", "tanh", "leaky_relu", "elu", "gelu", "silu", "softplus", "hardtanh", "relu6"})
EXACT = RESCALED | frozenset({
    "conv1d", "conv2d", "linear", "max_pool1d", "max_pool2d", "avg_pool1d", "avg_pool2d", "adaptive_avg_pool2d", "mean",
    "flatten", "reshape", "view", "squeeze", "unsqueeze", "transpose", "permute", "batch_norm", "dropout", "embedding",
    "identity", "sum", "getitem", "input", "softmax", "cross_entropy", "log_softmax", "nll_loss", "logit", "add", "cat",
    "mse_loss", "log", "constant"})
"""Behind these operations alone the rescale rule of DeepLIFT loses nothing."""
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Wish:
    """What is explained, and how."""

    number: int = -1
    """Which class; −1 for the one that is answered."""
    contrast: bool = False
    """Whether its score is taken less that of the runner-up."""
    score: str = LOGIT
    baseline: str = NOTHING
    path: int = 64
    """How many steps it has from the baseline to the input."""
    window: int = 5
    """Of occlusion, in places each way."""

    @property
    def words(self) -> str:
        """As a study is asked for it; nothing for the usual."""
        return "" if self == Wish() else ",".join((str(self.number), str(int(self.contrast)), self.score, self.baseline,
                                                   str(self.path), str(self.window)))


def wish(words: str) -> Wish:
    """What the words ask for; raises Refused."""
    if not words:
        return Wish()
    said = words.split(",")
    try:
        number, contrast, score, baseline, path, window = said
        found = Wish(int(number), bool(int(contrast)), score, baseline, int(path), int(window))
    except ValueError:
        found = replace(Wish(), score="")
    if found.score not in (LOGIT, PROBABILITY) or found.baseline not in (NOTHING, MEAN, BLUR) \
            or not 2 <= found.path <= 512 or not 1 <= found.window <= 15:
        raise Refused(tr("An explanation is asked for as {form}, such as {example}, not as {words}.").format(
            form="class,contrast,score,baseline,path,window", example="4,0,logit,nothing,64,5", words=repr(words)))
    return found


@dataclass(frozen=True, eq=False)
class Ends:
    """From which numbers to which scores it goes."""

    read: Layer
    """Whose numbers the maps are of: what was fed in, the vectors of its symbols, or the spectrogram made of it."""
    scores: Layer
    """What the model hands back: (class,), (step, class), of which the last step counts, or numbers, the last one."""
    probable: bool
    """Whether its scores are probabilities already."""
    chooses: bool
    """Whether there are classes to choose from."""
    behind: tuple[Layer, ...]
    """All that is computed after `read`."""

    @property
    def symbols(self) -> bool:
        """Whether symbols are read, each as a vector."""
        return self.read.kind == "embedding"

    @property
    def axes(self) -> tuple[int, ...]:
        """Which axes of `read` tell the places."""
        if "step" in self.read.axes and not self.read.has("axis0"):
            return (self.read.axes.index("step"),)
        return self.read.output.ndim - 2, self.read.output.ndim - 1

    @property
    def places(self) -> tuple[int, ...]:
        """(row, column) or (step,): the shape of a map."""
        return tuple(self.read.shape[axis] for axis in self.axes)

    @property
    def convolution(self) -> Layer | None:
        """The last convolution, whose maps Grad-CAM weighs."""
        found = [layer for layer in self.behind if layer.kind in ("conv1d", "conv2d")]
        return found[-1] if found and found[-1].output.ndim == len(self.places) + 1 else None

    @property
    def rescalable(self) -> bool:
        """Whether DeepLIFT is exact here."""
        return all(layer.kind in EXACT for layer in self.behind)


@remembered(8)
def ends(trace: Trace) -> Ends | None:
    """Where attribution begins and ends in a recording; None where it has nothing to say."""
    answer = next((each for each in trace.answers if each.chooses or each.kind in NUMBERED), None)
    fed = [layer for layer in trace if layer.is_input]
    if answer is None or answer.layer not in trace or len(fed) != 1 or "lab" in trace.studies:
        return None
    scores = trace[answer.returned] if answer.returned in trace else trace[answer.layer]
    read = _read(trace, fed[0])
    chooses = answer.along is not None
    if read is None or read.output.size > MOST_NUMBERS or not scores.output.size \
            or (chooses and scores.shape[-1] < 2):
        return None
    behind = tuple(layer for layer in trace.layers[trace.places[read.name] + 1:trace.places[scores.name] + 1])
    found = Ends(read, scores, kinds.shares(scores), chooses, behind)
    stepwise = len(found.places) == 1
    return None if (stepwise and found.places[0] > MOST_STEPS) or min(found.places) < 2 else found


def _read(trace: Trace, fed: Layer) -> Layer | None:
    vectors = [layer for layer in trace.readers(fed.name) if layer.kind == "embedding"]
    if vectors:
        return vectors[0] if vectors[0].axes == ("step", "unit") else None
    if fed.axes == ("unit",):
        convolution = next((layer for layer in trace if layer.kind == "conv2d"), None)
        return None if convolution is None or not convolution.reads else trace[convolution.reads[0]]
    known = fed.axes in (("channel", "row", "column"), ("row", "column"), ("step", "unit"), ("channel", "step"))
    return fed if known and np.issubdtype(fed.output.dtype, np.floating) else None


def chosen(wish: Wish, scores: Layer) -> tuple[int, int]:
    """(class, the one that it is compared with, else −1): the likeliest, and the runner-up."""
    last = np.asarray(scores.output, np.float64).reshape(-1, scores.shape[-1] if scores.output.ndim else 1)[-1]
    number = wish.number if 0 <= wish.number < len(last) else int(last.argmax())
    if not wish.contrast or len(last) < 2:
        return number, -1
    others = last.copy()
    others[number] = -np.inf
    return number, int(others.argmax())


def ink(apart: Values) -> NDArray[np.bool_]:
    """Places at which the input is apart from a blank one; all of them where it is so nearly everywhere."""
    found = apart > 0
    return found if FEWEST_INK <= found.sum() <= MOST_INK * found.size else np.ones_like(found)


def likeness(one: Values, other: Values, ink: NDArray[np.bool_]) -> float | None:
    """Rank correlation of two maps inside the ink, with their signs; None where one of them is the same everywhere."""
    return rank_correlation(np.asarray(one)[ink], np.asarray(other)[ink])


def likeness_everywhere(one: Values, other: Values) -> float | None:
    """The same of their sizes at all places: with signs the zeros of an empty background would stand between them."""
    return rank_correlation(np.abs(one).ravel(), np.abs(other).ravel())


def counts(places: int) -> tuple[int, ...]:
    """How many places are erased one after the other."""
    if places > 2 * ERASED[-1]:
        return ERASED
    return tuple(dict.fromkeys(int(count) for count in np.rint(np.linspace(0, places, 6))))
