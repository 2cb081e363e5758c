"""weight: one number of a weight, a bias or a kernel, set."""

from visualizer.edits import MODEL, Edit
from visualizer.edits.cuts import Put, number
from visualizer.language import numeral, tr


def words_for(parameter: str, place: tuple[int, ...], value: float) -> str:
    """As it stands in a recipe."""
    return f"weight:{parameter}:{','.join(map(str, place))}={value:.9g}"


def _read(words: str) -> tuple[str, tuple[int, ...], float]:
    where, _, value = words.partition("=")
    parameter, _, place = where.rpartition(":")
    parts = place.split(",")
    if not parameter or len(parts) > 6 or not all(part.isdecimal() and len(part) < 10 for part in parts):
        raise ValueError(words)
    return parameter, tuple(map(int, parts)), number(value)


def _said(parameter: str, place: tuple[int, ...], value: float) -> str:
    return tr("{weight} at ({place}) = {value}").format(weight=parameter, place=", ".join(map(str, place)),
                                                        value=numeral(f"{value:g}"))


EDIT = Edit("weight", "Weight set", MODEL, "weight:PARAMETER:PLACE=VALUE",
            "a number in a weight, bias or kernel: weight:conv2.weight:7,0,1,2=0.5", _read, _said, cuts=Put)
