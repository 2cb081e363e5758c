"""quality: a number that the recipe of a network has measured on inputs that it never saw, kept beside its weights."""

from visualizer import card
from visualizer.claims import Number
from visualizer.record.measures import Data, Measure


def _run(data: Data, model: str, *words: str) -> Number:
    found = card.bundled(model).quality
    name = " ".join(words)
    if name == "of" or not isinstance(found.get(name), int | float):
        raise ValueError(f"of {model} are known {'; '.join(each for each in found if each != 'of')}")
    return Number(float(found[name]), of=int(found.get("of", 0)))


MEASURE = Measure("quality", "quality MODEL NAME", "a number that the recipe of a network measured on inputs that it "
                  "never saw, by its name: mean IoU", _run)
