"""Where everything of the diagram stands: a drawing of 1104 × 480 that is drawn narrower and flatter where there is
less room; letters keep their size, and what they say becomes less."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from visualizer.scene import gatesigns
from visualizer.scene.columns import lanes_height
from visualizer.scene.picture import Look
from visualizer.scene.projector import begins
from visualizer.scene.reading import Reading
from visualizer.scene.type import width

DRAWN = (1104.0, 478.0)
"""The size that the drawing is laid out for."""
FLAT = 412.0
"""Its height where boxes show their level alone."""
LEAST_BOX, LEAST_TALL = 92.0, 0.78
"""Boxes narrower than this, or drawn flatter, show a gate's level alone."""
ROWS = {"lstm": ("cell", "forget", "input", "output_gate", "hidden"), "gru": ("update", "reset", "new", "hidden"),
        "rnn": ("hidden",)}
"""What the strip shows of each step, from top to bottom."""
BACK_ROWS = {"lstm": ("cell", "hidden", "keeps", "slopes"), "gru": ("hidden", "keeps", "slopes"),
             "rnn": ("hidden", "slopes")}
"""The same on the way back."""
X = {"lstm": {"forget": 220.0, "candidate": 360.0, "input": 508.0, "plus": 590.0, "branch": 652.0, "tanh": 703.0,
              "output_gate": 752.0},
     "gru": {"update": 220.0, "again": 303.0, "reset": 384.0, "new": 526.0, "mix": 630.0, "plus": 708.0},
     "rnn": {"preactivation": 380.0, "tanh": 600.0}}
"""The middles of what a cell has, from left to right."""
STATION, RIGHT, ANSWERS = (18.0, 124.0), (808.0, 914.0), (940.0, 1088.0)
LABELS = 132.0
"""Where the strip begins."""


@dataclass(frozen=True)
class Strip:
    """The unrolled steps below."""

    top: float
    first: int
    count: int
    x: float
    pitch: float
    tile: float
    words: float
    words_high: float
    expects: float
    """Top of the row of answers; 0 where there is none."""
    rows: tuple[tuple[str, float], ...]
    row_high: float
    bottom: float

    def left(self, step: float) -> float:
        return self.x + (step - self.first) * self.pitch


@dataclass(frozen=True)
class Plan:
    """Places of one drawing."""

    family: str
    width: float
    top: float
    tall: float
    """Height of the drawing, as a share of the one it is laid out for."""
    wide: float
    chips: float
    """Baseline of the chips; 0 where there is no room for them."""
    strip: Strip | None
    answers: bool
    bottom: float

    @property
    def bore(self) -> float:
        return gatesigns.BORE * min(1.0, self.tall)

    def x(self, name: str) -> float:
        return X[self.family][name] * self.wide

    def x_of(self, drawn: float) -> float:
        """x of a place in the drawing as it is laid out."""
        return drawn * self.wide

    @property
    def x_beats(self) -> float:
        """Where the line of what happens in a step begins."""
        return 604.0 * self.wide

    @property
    def memory(self) -> float:
        """The straight line: the memory of an LSTM, the state of a GRU; in an RNN what its sum becomes."""
        return self.top + (128 if self.family == "rnn" else 64) * self.tall

    @property
    def second(self) -> float:
        """The line below it."""
        return self.memory + (44 if self.family == "rnn" else 108) * self.tall

    @property
    def boxes(self) -> float:
        """Top of the boxes of gates."""
        return self.second + (78 if self.full else 62) * self.tall

    @property
    def box(self) -> tuple[float, float]:
        """Width and height of one of them."""
        names = sorted(X[self.family][name] for name in X[self.family]
                       if name in ("forget", "candidate", "input", "output_gate", "update", "reset", "new",
                                   "preactivation"))
        gaps = [b - a for a, b in pairwise(names)] or [160.0]
        across = min(132.0, min(gaps) * self.wide - 8)
        return across, max(116.0, 138 * self.tall) if self.full else 88 * self.tall

    @property
    def full(self) -> bool:
        """Whether boxes show W x, U h and b, too."""
        return self.tall >= LEAST_TALL and self.wide * 140 - 8 >= LEAST_BOX

    @property
    def bus(self) -> float:
        return self.boxes + self.box[1] + 22 * self.tall

    @property
    def token(self) -> float:
        """Top of the token."""
        return self.bus + 17 * self.tall

    @property
    def token_high(self) -> float:
        return max(22.0, 34 * self.tall)

    def station(self, right: bool) -> tuple[float, float]:
        """Left and width of the stations at one side."""
        start, end = RIGHT if right else STATION
        return start * self.wide, (end - start) * self.wide

    @property
    def station_high(self) -> float:
        return max(40.0, 74 * self.tall)

    @property
    def low_station(self) -> float:
        """Middle of the state h₋ of an LSTM or RNN, beside the boxes."""
        return self.boxes + self.box[1] * 0.45

    @property
    def answer_box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the answers."""
        top = self.memory + self.station_high / 2 + 16
        return ANSWERS[0] * self.wide, top, self.width - 16, self.bus + self.token_high


def plan(shown: Reading, look: Look, now: int, answered: bool, backward: bool) -> Plan:
    """The places in a picture of this size."""
    family, wide = shown.family.name, look.size[0] / DRAWN[0]
    if not look.mode.lanes:
        top, bottom = begins(look, 58) + 4, look.size[1] - lanes_height(look) - 4
        return Plan(family, look.size[0], top, _tall(bottom - top, wide), wide, 0.0, None, True, bottom)
    chips = 86.0 if look.size[0] >= 800 else 84.0
    top = 98.0
    strip = _strip(shown, look, now, answered, backward)
    bottom = strip.top - 12
    return Plan(family, look.size[0], top, _tall(bottom - top, wide), wide, chips, strip, True, bottom)


def _tall(room: float, wide: float) -> float:
    """How tall the drawing is, as a share of the one it is laid out for."""
    whole = room / DRAWN[1]
    roomy = whole >= LEAST_TALL and wide * 140 - 8 >= LEAST_BOX
    return min(1.1, whole) if roomy else min(1.1 if wide * 140 - 8 < LEAST_BOX else LEAST_TALL - 0.01, room / FLAT)


def _strip(shown: Reading, look: Look, now: int, answered: bool, backward: bool) -> Strip:
    high = look.size[1]
    roomy = high >= 720
    keys = ROWS[shown.family.name]
    row = (26.0 if roomy else 19.0) if len(keys) > 2 else 34.0 if roomy else 24.0
    reads_high = 33.0 if roomy else 26.0
    says = (30.0 if roomy else 24.0) if answered else 0.0
    tall = 12 + reads_high + 8 + says + row * len(keys) + 8  # the same both ways: nothing moves when one turns round
    if backward:
        row, says = (says + row * len(keys)) / len(BACK_ROWS[shown.family.name]), 0.0
        row, keys = min(row, 40.0), BACK_ROWS[shown.family.name]
    top = high - tall
    room = look.size[0] - LABELS - 70
    pitch = min(46.0, room / shown.total)
    count = shown.total
    if pitch < 16:
        widest = max(width(word, 11, 600) for word in shown.words)
        count = max(4, int(room // max(34.0, min(48.0, widest + 9))))
        pitch = room / count
    first = min(max(0, now - count // 2), shown.total - count)
    reads = top + 12
    expects = reads + reads_high + 8 if says else 0.0
    y = reads + reads_high + 8 + says
    rows = tuple((key, y + index * row) for index, key in enumerate(keys))
    return Strip(top, first, count, LABELS, pitch, pitch - (6 if pitch > 24 else 2), reads, reads_high, expects, rows,
                 row - 6, high - 2)
