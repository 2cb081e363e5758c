"""Branch: which training is seen, as one word: of which network, with which knobs from which update on.

A knob that is turned, and a training that is begun anew, make another branch; going back in what was chosen goes back
to the branch before.
"""

from __future__ import annotations

from dataclasses import dataclass

from visualizer.trace import Refused
from visualizer.train import Course, Knobs, course_said, in_force, turned, words_of


@dataclass(frozen=True)
class Branch:
    """One training of a network, and where it parts from the one before."""

    model: str
    course: Course
    since: int = 0
    """After so many updates it parts from the one that was seen before it."""
    number: int = 1
    """Counts up, so that what is made once more with the same knobs is another branch."""

    @property
    def word(self) -> str:
        """All of it in one word of a Look; `branch_of` gives an equal one back."""
        return f"{self.model}#{self.number}+{self.since} {words_of(self.course)}"

    def knobs(self, step: int) -> Knobs:
        """Those with which the update after `step` updates is made."""
        return in_force(self.course, step)

    def turned(self, step: int, words: dict[str, str]) -> Branch:
        """The same up to `step` updates and then with some knobs turned; a knob that acts before the first update
        alone begins at 0."""
        course = turned(self.course, step, words)
        return Branch(self.model, course, step if len(course) > 1 else 0, self.number + 1)

    def again(self, step: int) -> Branch:
        """The same up to `step` updates, from where it is made once more."""
        return Branch(self.model, tuple(each for each in self.course if each[0] <= step), step, self.number + 1)


def branch_of(word: str, model: str) -> Branch | None:
    """The branch of a network that `word` wrote; None for no word, that of another network, and what is none."""
    name, _, course = word.partition(" ")
    known, _, counted = name.rpartition("#")
    if not word or known != model:
        return None
    try:
        number, since = map(int, counted.split("+"))
        return Branch(model, course_said(course), since, number)
    except (ValueError, Refused):
        return None
