"""Lab: the settings of the gradient laboratory as one frozen value; each knob with its range, words and default.

Three experiments. `time`: an RNN, a GRU and an LSTM read the same random sequence, and the gradient of a loss goes back
through their steps. `depth`: a deep network, and the gradient goes down through its layers. `cliff`: the one-unit
recurrent network of Pascanu, Mikolov and Bengio (2013), and a ball that rolls on its error surface.

A Lab says what is to be measured; `record.gradients` measures it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, cast

from visualizer.language import english, kept_by_language, numeral, tr, translated
from visualizer.trace import Refused

NAME = "lab"
"""What stands in the place of a model's name."""
TITLE = english("Gradient laboratory")
READS = english("random numbers")
"""In place of a kind of sample: nothing can be chosen."""
UNITS, FEATURES, SEEDS = 64, 1, 5
"""Of every cell: units, numbers read a step; and how often everything is drawn anew."""
WIDTH, BATCH, CLASSES = 64, 128, 10
"""Of the deep network: units a layer, inputs at once, classes of the random labels."""
CHANNELS, SIDE, IMAGES = 16, 8, 16
"""Of the deep network of convolutions: channels, pixels a side, images at once."""
EXPERIMENTS = ("time", "depth", "cliff")


@dataclass(frozen=True)
class Knob:
    """One setting: either one of a few words, or a number in a range."""

    name: str
    title: str
    experiment: str
    """The experiment it belongs to; empty for all."""
    default: str | float
    words: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0
    """The finest change that a slider makes; numbers in between are taken from the command line."""
    off: str = ""
    """What the lowest value is called, where it turns the thing off."""
    about: str = ""
    """One sentence for tooltips."""
    note: str = ""
    """A few words that stand under it."""

    @property
    def whole(self) -> bool:
        return self.step >= 1 and self.step == int(self.step)

    def read(self, word: str) -> str | float:
        """The value of a word; Refused with one sentence if it has none."""
        if self.words:
            if word not in self.words:
                raise Refused(tr("{knob} cannot be {word}; choose one of {words}.").format(
                    knob=self.name, word=repr(word), words=", ".join(self.words)))
            return word
        if self.off and word == self.off:
            return self.low
        try:
            value = float(word)
        except ValueError:
            value = math.nan
        if not self.low <= value <= self.high or (self.whole and value != int(value)):
            refused = tr("{knob} cannot be {word}; give a whole number from {low} to {high}.") if self.whole else \
                tr("{knob} cannot be {word}; give a number from {low} to {high}.")
            raise Refused(refused.format(knob=self.name, word=repr(word), low=numeral(f"{self.low:g}"),
                                         high=numeral(f"{self.high:g}")))
        return value

    def write(self, value: str | float) -> str:
        """The word of a value: `read` gives it back."""
        return value if isinstance(value, str) else f"{value:.6g}"


def _knob(title: str, default: str | float, experiment: str, about: str, *, words: tuple[str, ...] = (),
          span: tuple[float, float, float] = (0.0, 0.0, 0.0), off: str = "", note: str = "") -> Any:
    """A field of Lab that knows its knob."""
    return field(default=default, metadata={"title": title, "experiment": experiment, "about": about, "words": words,
                                            "span": span, "off": off, "note": note})


@dataclass(frozen=True)
class Lab:
    """One setting of every knob."""

    experiment: str = _knob(english("Experiment"), "time", "",
                            english("Through time, down through layers, or over a cliff."),
                            words=EXPERIMENTS)

    gain: float = _knob(english("Spectral radius ρ"), 0.9, "time",
                        english("Size of the largest eigenvalue of the RNN's recurrent matrix."), span=(0.0, 2.0, 0.01))
    matrix: str = _knob(english("Matrix W_hh"), "gaussian", "time",
                        english("How the RNN's recurrent matrix is drawn before it is scaled."),
                        words=("gaussian", "orthogonal", "identity", "positive"))
    cell: str = _knob(english("RNN nonlinearity"), "tanh", "time",
                      english("What the RNN makes of its sums; GRU and LSTM keep theirs."),
                      words=("tanh", "relu", "linear", "sigmoid"))
    input: float = _knob(english("Input scale"), 1.0, "time",
                         english("Standard deviation of what is read; of the RNN it is that of what reaches each "
                                 "unit."),
                         span=(0.0, 2.0, 0.05), note=english("standard deviation"))
    bias: float = _knob(english("Gate bias"), 2.0, "time",
                        english("Sum of both biases of the GRU's update gate and the LSTM's forget gate."),
                        span=(-2.0, 5.0, 0.1),
                        note=english("GRU update, LSTM forget gate"))
    steps: float = _knob(english("Sequence length"), 60, "time", english("Steps from the first to the loss."),
                         span=(10, 200, 1))
    loss: str = _knob(english("Loss"), "end", "time", english("At the last step alone, or at every step."),
                      words=("end", "every"))
    clip: float = _knob(english("Clip the gradient at"), 0.0, "time",
                        english("The gradient of all weights of a cell is rescaled to at most this norm."),
                        span=(0.0, 10.0, 0.1), off="off")
    precision: str = _knob(english("Precision"), "float64", "time", english("float32 shows what it loses."),
                           words=("float64", "float32"))
    draw: float = _knob(english("Random draw"), 0, "time", english("Another number draws all weights and inputs anew."),
                        span=(0, 99, 1))

    activation: str = _knob(english("Activation"), "relu", "depth", english("What follows every layer."),
                            words=("sigmoid", "tanh", "relu"))
    init: str = _knob(english("Initial weights"), "default", "depth",
                      english("PyTorch's own, Xavier, He, or orthogonal."),
                      words=("default", "xavier", "he", "orthogonal"))
    norm: str = _knob(english("Normalisation"), "none", "depth", english("Between the weights and the activation."),
                      words=("none", "batch", "layer"))
    residual: str = _knob(english("Skip connections"), "off", "depth", english("Every layer is added to what it read."),
                          words=("off", "on"))
    layers: float = _knob(english("Layers"), 20, "depth", english("Hidden layers from the input to the loss."),
                          span=(2, 50, 1))
    net: str = _knob(english("Network"), "mlp", "depth", english("Dense layers, or convolutions."),
                     words=("mlp", "cnn"))

    weight: float = _knob(english("Start at w"), 4.9, "cliff",
                          english("Where the ball is dropped: the recurrent weight."),
                          span=(3.0, 6.0, 0.05))
    shift: float = _knob(english("Start at b"), -2.5, "cliff", english("Where the ball is dropped: the bias."),
                         span=(-4.0, 0.0, 0.05))
    rate: float = _knob(english("Learning rate"), 0.2, "cliff", english("How far a step goes for a gradient of 1."),
                        span=(0.01, 1.0, 0.01))
    limit: float = _knob(english("Clip the norm at"), 0.5, "cliff",
                         english("The second ball's gradient is rescaled to at most this norm."),
                         span=(0.05, 5.0, 0.05))
    drops: float = _knob(english("Steps of the ball"), 40, "cliff", english("Steps of gradient descent."),
                         span=(10, 200, 1))

    def words(self) -> dict[str, str]:
        """Every knob of its experiment as a word: `from_knobs` gives an equal Lab back."""
        return {knob.name: knob.write(getattr(self, knob.name)) for knob in knobs()
                if knob.experiment in ("", self.experiment)}

    def turned(self, **values: str | float) -> Lab:
        """The same with some knobs turned."""
        return replace(self, **values)  # type: ignore[arg-type]


@kept_by_language()
def knobs() -> tuple[Knob, ...]:
    """Every knob, in the order in which they are shown; its title and what is said of it in the language spoken."""
    return knobs_of(Lab)


def knobs_of(settings: type[Any]) -> tuple[Knob, ...]:
    """The knobs that turn the fields of a frozen dataclass such as Lab, in their order, in the language spoken."""
    found = []
    for item in fields(settings):
        about = item.metadata
        low, high, step = about["span"]
        found.append(Knob(item.name, translated(about["title"]), about["experiment"], cast(str | float, item.default),
                          about["words"], low, high, step, about["off"], translated(about["about"]),
                          translated(about["note"])))
    return tuple(found)


def knob(name: str) -> Knob:
    """The knob of that name; raises LookupError with one sentence."""
    for found in knobs():
        if found.name == name:
            return found
    raise LookupError(tr("The laboratory has no knob {name!r}; it has {known}."
                         ).format(name=name, known=", ".join(it.name for it in knobs())))


def from_knobs(words: Mapping[str, str] | Iterable[tuple[str, str]]) -> Lab:
    """The Lab of some words, `{"gain": "0.9", "cell": "tanh"}`; every other knob stands at its default.

    A knob of another experiment than the one named chooses its experiment, if none is named. Raises LookupError for an
    unknown knob and Refused for a bad word, one sentence each.
    """
    given = dict(words)
    values = {name: knob(name).read(word) for name, word in given.items()}
    if "experiment" not in given:
        meant = {knob(name).experiment for name in given} - {""}
        if len(meant) > 1:
            raise Refused(tr("{knobs} belong to different experiments; name one with experiment={experiments}.").format(
                knobs=", ".join(given), experiments="|".join(EXPERIMENTS)))
        values["experiment"] = meant.pop() if meant else EXPERIMENTS[0]
    return Lab(**values)  # type: ignore[arg-type]


VIEWS = {"time": "gradient_flow", "depth": "gradient_flow", "cliff": "landscape"}


def view_of(lab: Lab) -> str:
    """The view that shows its experiment."""
    return VIEWS[lab.experiment]


def start_of(lab: Lab) -> str:
    """Address of the moment at which it opens: the gradient has come all the way back."""
    return {"time": "rnn.backward[1]", "depth": "layer1.backward", "cliff": ""}[lab.experiment]


# --- a setting to compare with --------------------------------------------------------------------------------------

AGAINST = "against"
"""Name of the knob that holds a pinned setting: all its words in one."""


def turned(words: Mapping[str, str]) -> str:
    """The knobs that do not stand at their defaults, in a few words: `Spectral radius ρ 1.5`; empty if all do."""
    experiment = words.get("experiment", "")
    found = [f"{about.title} {words[about.name]}" for about in knobs() if about.name in words
             and about.experiment in ("", experiment) and words[about.name] != about.write(about.default)]
    return ", ".join(found)


def pinned(lab: Lab) -> str:
    """A Lab as one word, such as `experiment:time gain:0.9`."""
    return " ".join(f"{name}:{word}" for name, word in lab.words().items())


def from_pinned(word: str) -> Lab:
    """The Lab that `pinned` wrote; Refused with one sentence if it is none."""
    pairs = [part.partition(":")[::2] for part in word.split()]
    if not pairs or not all(name and value for name, value in pairs):
        raise Refused(tr("{knob} cannot be {word}; write the knobs to compare with as name:value, with spaces between "
                         "them.").format(knob=AGAINST, word=repr(word)))
    try:
        return from_knobs(pairs)
    except LookupError as error:
        raise Refused(str(error.args[0])) from error


def of_look(words: Mapping[str, str] | Iterable[tuple[str, str]]) -> tuple[Lab, Lab | None]:
    """What the knobs of a Look ask for: the Lab, and the one pinned beside it, if there is one.

    Knobs that are a view's own are left aside.
    """
    given = dict(words)
    known = {found.name for found in knobs()}
    lab = from_knobs({name: word for name, word in given.items() if name in known})
    return lab, from_pinned(given[AGAINST]) if given.get(AGAINST) else None


def names() -> frozenset[str]:
    """Names of everything in a Look that is the laboratory's."""
    return frozenset(found.name for found in knobs()) | {AGAINST}
