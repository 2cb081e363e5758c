"""XML of files that strangers may have written: read by a parser that follows nothing and expands nothing."""

from __future__ import annotations

from collections.abc import Callable
from xml.parsers import expat


def text_of(data: bytes, wanted: Callable[[str, dict[str, str]], bool], most: int) -> str | None:
    """The text of the first element that is wanted; None if there is none, or the XML is damaged or hostile.

    A document type is refused: entities can be declared only there. Text longer than `most` is refused.
    """
    found: list[str] = []
    depth = length = 0
    done = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        if depth or (not done and wanted(name, attributes)):
            depth += 1

    def end(name: str) -> None:
        nonlocal depth, done
        if depth:
            depth -= 1
            done = not depth

    def words(text: str) -> None:
        nonlocal length
        if depth:
            found.append(text)
            length += len(text)
            if length > most:
                raise _Refused

    def refuse(*_: object) -> None:
        raise _Refused

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, words
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, _Refused, ValueError):
        return None
    return "".join(found) if done else None


def printable(text: str) -> str:
    """The text without the control characters that XML does not allow."""
    return "".join(letter for letter in text if letter in "\t\n\r" or letter >= " ")


class _Refused(Exception):
    """It declares a document type, or says too much."""
