"""boxes: how many boxes a network proposes for a picture, and how many of them are left."""

from visualizer import registry
from visualizer.claims import Number
from visualizer.record.measures import Data, Measure, answered
from visualizer.record.run import record

WHAT = ("proposed", "likely", "kept", "right")


def _run(data: Data, what: str, model: str, sample: str, *done: str) -> Number:
    """`proposed`, `likely` ones of these, those that are `kept`, or how many there are by right."""
    if what not in WHAT:
        raise ValueError(f"{what} is none of {', '.join(WHAT)}")
    boxes = registry.module("answers.boxes")  # which also draws, so that it is looked up by its name
    answer, values = answered(record(model, sample, objective="none", edits=done), "boxes")
    if what == "right":
        matched = boxes.matched(answer, boxes.found(answer, values))
        if matched is None:
            raise ValueError(f"of {sample} the right boxes are not known")
        return Number(float(len(matched)))
    every = boxes.proposed(answer, values)
    least = boxes.likely(every, boxes.threshold(answer))
    return Number(float(len({"proposed": every, "likely": least, "kept": boxes.found(answer, values)}[what])))


MEASURE = Measure("boxes", "boxes proposed|likely|kept|right MODEL SAMPLE [EDIT …]", "how many boxes a network "
                  "proposes for a picture, finds likely and keeps, or how many are right", _run)
