"""Opening: the page on which a model file is opened, made of what is known of it and of what a person says.

Pure: an Opening is what the sheet stands at, `answered` and `turned` give the next one, `page` what is shown of it.
Neither Qt nor torch is loaded.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import answers, beside, inputs, manifest, registry
from visualizer.language import counted_as, english, numeral, tr, translated, typed
from visualizer.manifest import COLOURS, FITS, Input, Manifest
from visualizer.scene import modelpage, numbers
from visualizer.scene.modelpage import (
    ARCHITECTURE,
    ASKED,
    CHOICES,
    INPUT,
    LABELS,
    LONG,
    MENU,
    OPEN,
    STEPS,
    WORDS,
    Found,
    Opens,
    Page,
    Question,
)
from visualizer.scene.modelpage import Seen as Shown
from visualizer.survey import Row, Seen, Survey
from visualizer.trace import Refused

OWN = "own"
PRESETS = {"none": english("none"), "half": english("0.5 and 0.5"), "mnist": english("as MNIST"),
           "cifar": english("as CIFAR-10"), "imagenet": english("as ImageNet")}
"""What the presets of mean and divisor are called."""
SCALES = {"0 … 1": english("0 to 1"), "0 … 255": english("0 to 255"), "−1 … 1": english("−1 to 1")}
READ = {"image": english("pictures"), "text": english("text"), "sequence": english("sequences of numbers"),
        "tensor": english("arrays of numbers"), "audio": english("sounds")}
"""What a model can be said to read."""
WORDED = {"crop": english("cropped"), "squeeze": english("squeezed"), "pad": english("padded"), "grey": english("grey"),
          "channels first": english("channels first"), "channels last": english("channels last"),
          "batch first": english("batch first"), "time first": english("time first")}
OBJECTIVES = {"": english("what suits the answer"), "class": english("the right class"),
              "class of each item": english("the class of each item"), "next symbol": english("the next symbol"),
              "ctc": english("a string, by CTC"), "number": english("a number, by squares"),
              "numbers": english("numbers, by squares"), "picture": english("a picture, by squares"),
              "boxes": english("boxes"), "mask": english("a mask, pixel by pixel")}
LISTS: Mapping[str, str] = {"digits": english("Digits 0 to 9"), "letters": english("Letters a to z"),
                            "cifar": english("The ten of CIFAR-10"), "imagenet": english("The thousand of ImageNet")}
"""Labels that need no typing, as `beside.named` knows them."""
LINES, ALONE = "lines", "nothing"
"""How weights are wired where no file says it: by the lines that are shown, or not at all; the second is the kind of
input of what has none."""
MOST_FILES = 40
"""So many files in a folder are offered."""


@dataclass(frozen=True, eq=False)
class Opening:
    """What the sheet stands at."""

    survey: Survey
    said: Manifest = manifest.NOTHING
    """What the person says; the rest is proposed."""
    touched: frozenset[str] = frozenset()
    """The questions that were answered on the sheet."""
    here: int = 0
    """Of several inputs the one that is asked about."""
    folded: frozenset[int] = frozenset()
    chosen: int = -1
    step: str = ""
    busy: str = ""
    problem: str = ""
    """What went wrong that leaves the answers as they are."""
    refused: str = ""
    """Why the file cannot be opened with these answers."""
    own: frozenset[str] = frozenset()
    """The presets in whose place a person types numbers."""
    again: bool = False
    """Whether the model is open already, and what was said of it is edited."""


def is_clear(survey: Survey) -> bool:
    """Whether nothing is to be asked: the file says all, or it was said before."""
    if survey.why or (survey.runs and not survey.agreed):
        return False
    return bool(survey.kept) or not survey.asked


def begun(survey: Survey, again: bool = False) -> Opening:
    """The sheet of a file that was just looked at."""
    made = Opening(survey, said(survey), again=again)
    made = replace(made, folded=modelpage.usual_folds(found_of(survey.rows)))
    return replace(made, step=_first_step(made))


def said(survey: Survey) -> Manifest:
    """What was said of the file before; nothing where that cannot be read."""
    if not survey.kept:
        return manifest.NOTHING
    try:
        return manifest.read(Path(survey.kept))
    except Refused:
        return manifest.NOTHING


def surveyed(opening: Opening, survey: Survey) -> Opening:
    """The same with what the engine has found out meanwhile."""
    same = [row.name for row in survey.rows] == [row.name for row in opening.survey.rows]
    folded = opening.folded if same else modelpage.usual_folds(found_of(survey.rows))
    if survey.why and not survey.rows and opening.survey.rows:  # what was found stays seen while an answer is wrong
        survey = replace(survey, rows=opening.survey.rows, parameters=opening.survey.parameters,
                         outputs=opening.survey.outputs, labelled=opening.survey.labelled,
                         views=opening.survey.views, checks=opening.survey.checks)
    return replace(opening, survey=survey, folded=folded, chosen=opening.chosen if same else -1, busy="", problem="",
                   refused="")


def _first_step(opening: Opening) -> str:
    found = page(opening).progress
    return next((step for step in STEPS if found[step][0] in (ASKED, modelpage.WRONG)), OPEN)


# --- what a person does ----------------------------------------------------------------------------------------------

def answered(opening: Opening, name: str, word: Any) -> Opening:
    """Another answer to a question; Refused with one sentence where it cannot be understood."""
    touched = opening.touched | {name}
    if name.rpartition(".")[2] == "preset":
        if word == OWN:
            return replace(opening, own=opening.own | {name}, touched=touched, step=INPUT)
        opening = replace(opening, own=opening.own - {name})
    try:
        said = _said(opening, name, word)
        manifest.from_plain(said.plain())
    except (ValueError, SyntaxError) as error:
        why = str(error).partition("\n")[0].rstrip(".")
        raise Refused(tr("{answer} is no answer to that ({why}).").format(answer=repr(word)[:60], why=why)) from error
    return replace(opening, said=said, touched=touched, problem="", refused="",
                   step=next((each.step for each in questions(opening) if each.name == name), opening.step))


def _said(opening: Opening, name: str, word: Any) -> Manifest:
    told = opening.said
    owner, _, field = name.rpartition(".")
    if owner:
        before = told.inputs.get(owner, Input())
        return replace(told, inputs={**told.inputs, owner: replace(before, **_changes(field, word))})
    return replace(told, **_changes(field, word))


def _changes(field: str, word: Any) -> dict[str, Any]:
    if field == "way":
        return {"kind": ALONE if word == ALONE else "", "source": "" if word in (LINES, ALONE) else word}
    if field == "preset":
        mean, divisor = beside.PRESETS[word]
        return {"mean": mean or (0.0,), "divisor": divisor or (1.0,)}
    if field in ("mean", "divisor"):
        return {field: tuple(float(part) for part in re.split(r"[\s,;]+", typed(word).strip()) if part)}
    if field == "shape":
        return {"shape": shape_in(word)}
    if field == "alphabet":
        return {"alphabet": tuple(dict.fromkeys(word.replace("\\n", "\n").replace("\\t", "\t")))}
    if field == "rate":
        return {"rate": int(word)}
    if field == "arguments":
        return {"arguments": arguments_in(word)}
    if field == "blank":
        return {"settings": {"blank": int(word)}}
    return {field: tuple(word) if isinstance(word, list | tuple) else str(word)}


def shape_in(words: str) -> tuple[int | None, ...]:
    """`3 × 32 × 32`, `3, 32, 32`; `?` for an axis of any size. Raises ValueError."""
    parts = [part for part in re.split(r"[\s,;x×()\[\]]+", words.strip().lower()) if part]
    return tuple(None if part in ("?", "*", "any", "none", "…") else int(part) for part in parts)


def shape_words(shape: Sequence[int | None] | None) -> str:
    """The same, written."""
    return "" if shape is None else " × ".join("?" if size is None else str(size) for size in shape)


def arguments_in(words: str) -> dict[str, Any]:
    """`classes=10, wide=False` as plain values by name; nothing in it is run. Raises ValueError or SyntaxError."""
    call = ast.parse(f"f({words})", mode="eval").body
    if not isinstance(call, ast.Call) or call.args or any(each.arg is None for each in call.keywords):
        raise ValueError(tr("write name=value, with commas between them"))
    return {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}


def arguments_words(given: Mapping[str, Any]) -> str:
    """The same, written."""
    return ", ".join(f"{name}={value!r}" for name, value in given.items())


def proposed(opening: Opening) -> Opening:
    """The same with nothing said on the sheet: what was said before and what is proposed stands again."""
    return replace(opening, said=said(opening.survey), touched=frozenset(), own=frozenset(), problem="",
                   refused="")


def turned(opening: Opening, what: str, word: Any) -> Opening:
    """What is shown otherwise: a row that was clicked, a step, one of several inputs."""
    if what == "step":
        return replace(opening, step=word)
    if what == "input":
        return replace(opening, here=word)
    found = found_of(opening.survey.rows)
    if what == "row" and 0 <= word < len(found):
        folded = opening.folded ^ {word} if found[word].is_group else opening.folded
        return replace(opening, folded=folded, chosen=-1 if opening.chosen == word else word)
    return opening


# --- the questions ---------------------------------------------------------------------------------------------------

def questions(opening: Opening) -> tuple[Question, ...]:
    """What can be said of the file; those that it does not say are open."""
    survey = opening.survey
    found = [*_of_code(opening), *_of_weights(opening)]
    if survey.rows or survey.told.kind or survey.told.inputs:
        found += _of_input(opening)
        found += _of_answer(opening)
    asked = set(survey.asked)
    marked = []
    for each in found:
        parts = {"mean", "divisor"} if each.name.rpartition(".")[2] == "preset" else {each.name.rpartition(".")[2]}
        owner = each.name.rpartition(".")[0]
        names = {f"{owner}.{part}" if owner else part for part in parts}
        touched = each.name in opening.touched
        is_open = each.open or bool(names & asked) or touched
        marked.append(replace(each, open=is_open, answered=touched or (is_open and not names & asked
                                                                       and not each.open)))
    return tuple(marked)


def _of_code(opening: Opening) -> list[Question]:
    """The class in a program, its arguments, its weights."""
    survey, told = opening.survey, opening.survey.told
    if not survey.choices:
        return []
    name = opening.said.name or told.name or survey.choices[0].name
    chosen = next((each for each in survey.choices if each.name == name), survey.choices[0])
    found = [Question("name", tr("Model"), ARCHITECTURE, MENU, tuple((each.name, each.name) for each in survey.choices),
                      name, tip=tr("Which class, function or object of the file is the model"))]
    if chosen.arguments and not chosen.made:
        usual = ", ".join(f"{argument}={default}" if default else argument for argument, default in chosen.arguments)
        found.append(Question(
            "arguments", tr("Arguments"), ARCHITECTURE, LONG, chosen=arguments_words(opening.said.arguments
                                                                                    or told.arguments),
            open=any(not default for _, default in chosen.arguments) and "arguments" not in opening.touched,
            tip=tr("With what it is made: {usual}").format(usual=usual), beside=usual))
    weights = opening.said.weights or told.weights
    found.append(Question("weights", tr("Weights"), ARCHITECTURE, MENU,
                          (("", tr("those it is made with")), *_files(survey, _endings(), weights)), weights,
                          tip=tr("A file of weights in the same folder, or those that the program makes")))
    return found


def _of_weights(opening: Opening) -> list[Question]:
    """How weights without a wiring are wired: by the lines beside, by a Python file, or not at all."""
    survey, told, said = opening.survey, opening.survey.told, opening.said
    source = said.source or told.source
    if survey.runs or not (told.wiring or said.wiring or source or said.kind == ALONE or "wiring" in survey.asked):
        return []
    ways = ((LINES, tr("the lines beside this")), (ALONE, tr("nothing: the weights alone")),
            *_files(survey, (".py",), source))
    found = [Question("way", tr("Wired by"), ARCHITECTURE, MENU, ways,
                      source or (ALONE if said.kind == ALONE else LINES), "wiring" in survey.asked,
                      tip=tr("The lines, or a Python file in the same folder that holds the class, which is asked "
                             "before it runs; or the weights are only looked at"))]
    if told.trunk or "trunk" in survey.asked:
        found.append(Question("trunk", tr("Part"), ARCHITECTURE, WORDS, chosen=said.trunk or told.trunk,
                              tip=tr("Which part of the file is meant: a key, or how the names begin")))
    return found


def _endings() -> tuple[str, ...]:
    """Those of files that may hold weights: of all models but programs."""
    return tuple(set(registry.module("record.formats").suffixes()) - {".py"})


def _files(survey: Survey, endings: Sequence[str], chosen: str) -> tuple[tuple[str, str], ...]:
    """The files beside this one with one of these endings; the chosen one is always among them."""
    own = Path(survey.file)
    with suppress(OSError):
        found = sorted(path.name for path in own.parent.iterdir() if path.suffix.lower() in endings
                       and path.name != own.name and not path.name.startswith("."))
        return tuple((name, name) for name in dict.fromkeys((*([chosen] if chosen else []), *found[:MOST_FILES])))
    return ((chosen, chosen),) if chosen else ()


def _of_input(opening: Opening) -> list[Question]:
    survey = opening.survey
    names = tuple(survey.told.inputs)
    if names:
        owner = names[min(opening.here, len(names) - 1)]
        return [replace(each, name=f"{owner}.{each.name}") for each in _of_one(
            survey.told.inputs[owner], f"{owner}.preset" in opening.own, f"{owner}.alphabet" in survey.asked)]
    return _of_one(survey.told, "preset" in opening.own, "alphabet" in survey.asked)


def _fed(survey: Survey, place: int) -> Seen:
    return survey.seen[place] if place < len(survey.seen) else Seen()


def _of_one(told: Input, own: bool, spelled: bool) -> list[Question]:
    """What is asked of one input, after its kind; its `own` mean and divisor are typed; `spelled`: its numbers may be
    signs."""
    kinds = tuple((name, translated(title)) for name, title in READ.items())
    if not told.kind:
        kinds = (("", tr("as it seems")), *kinds)
    elif told.kind not in READ:
        kinds = ((told.kind, translated(inputs.offered({"kind": told.kind}).title)), *kinds)
    found = [Question("kind", tr("Reads"), INPUT, MENU, kinds, told.kind, tip=tr("What is given to it"))]
    if told.shape is not None:
        found.append(Question("shape", tr("Shape"), INPUT, WORDS, chosen=shape_words(told.shape),
                              tip=tr("Of one input, without the batch: 3 × 32 × 32; ? for an axis of any size")))
    shape = told.shape or ()
    if told.kind == "image":
        channels = _channels(told)
        found.append(_few("scale", tr("Pixel values"), SCALES, told.scale,
                          tr("What black and white are as numbers, before mean and divisor")))
        if channels != 1:
            found.append(_few("colours", tr("Channels"), {each: WORDED.get(each, each) for each in COLOURS
                                                         if (each == "grey") == (channels == 1) or not channels},
                              told.colours, tr("In which order the colours of a pixel come")))
        found.append(_few("fit", tr("Fit"), {each: WORDED[each] for each in FITS}, told.fit,
                          tr("How a picture of another shape is brought to this one: its edges cut off, squeezed, or "
                             "with a margin")))
        preset = OWN if own else _preset_of(told)
        found.append(_preset(told, channels, preset))
        if preset == OWN:
            found += [Question(name, title, INPUT, WORDS, chosen=" ".join(numbers.short(each) for each in values),
                               tip=tr("One number, or one for each channel"))
                      for name, title, values in (("mean", tr("Mean"), told.mean),
                                                  ("divisor", tr("Divisor"), told.divisor))]
        found.append(_few("layout", tr("Layout"), {each: WORDED[each] for each in ("channels first", "channels last")},
                          told.layout, tr("Whether the channels come before the rows or after the columns")))
    if told.kind == "text" or spelled or told.alphabet:
        found.append(Question("alphabet", tr("Alphabet"), INPUT, LONG, chosen="".join(
            {"\n": "\\n", "\t": "\\t"}.get(each, each) for each in told.alphabet),
            tip=tr("The signs that the numbers 0, 1, 2, … stand for, in their order; \\n is the end of a line")))
    if told.kind in ("sequence", "tensor") and len(shape) == 2:
        found.append(_few("layout", tr("Layout"), {"": english("as it seems"), **{
            each: WORDED[each] for each in ("batch first", "time first")}}, told.layout,
                          tr("Whether the samples come before the steps or after them")))
    elif told.kind == "audio":
        found.append(Question("rate", tr("Samples a second"), INPUT, WORDS, chosen=str(told.rate or ""),
                              tip=tr("How many numbers a second of the sound has")))
        found.append(_few("scale", tr("Values"), SCALES, told.scale, tr("What the loudest is as a number")))
    return found


def _few(name: str, title: str, words: Mapping[str, str], chosen: str, tip: str) -> Question:
    return Question(name, title, INPUT, CHOICES, tuple((word, translated(said)) for word, said in words.items()),
                    chosen, tip=tip)


def _channels(told: Input) -> int:
    """How many colours a picture has; 0 where that is not known."""
    shape = told.shape or ()
    if len(shape) == 2:
        return 1
    if len(shape) != 3:
        return 0
    return (shape[2] if told.layout == "channels last" else shape[0]) or 0


def _preset_of(told: Input) -> str:
    plain = not any(told.mean) and all(each == 1 for each in told.divisor)
    return "none" if plain else next((name for name, (mean, divisor) in beside.PRESETS.items()
                                      if (_near(mean, told.mean) and _near(divisor, told.divisor))), OWN)


def _near(one: Sequence[float], other: Sequence[float]) -> bool:
    return len(one) == len(other) and all(abs(a - b) < 5e-4 for a, b in zip(one, other, strict=True))


def _preset(told: Input, channels: int, chosen: str) -> Question:
    offered = tuple((name, translated(PRESETS.get(name, name))) for name, (mean, _) in beside.PRESETS.items()
                    if len(mean) <= 1 or channels in (0, 3) or name == chosen)
    numbers_ = "" if chosen in ("none", OWN) else "\n".join(" ".join(numeral(f"{each:.3f}") for each in values)
                                                         for values in (told.mean, told.divisor))
    return Question("preset", tr("Mean, divisor"), INPUT, MENU, (*offered, (OWN, tr("numbers of its own"))), chosen,
                    tip=tr("What is taken from each channel, and by what it is divided then"), beside=numbers_)


def _of_answer(opening: Opening) -> list[Question]:
    told = opening.survey.told
    kinds = tuple((each.name, translated(each.title)) for each in answers.kinds())
    found = [Question("answer", tr("It answers"), LABELS, MENU, (("", tr("as it seems")), *kinds), told.answer,
                      tip=tr("What the numbers that come out mean"))]
    if told.answer == "string":
        found.append(Question("blank", tr("Blank"), LABELS, WORDS, chosen=str(told.settings.get("blank", 0)),
                              tip=tr("Which of the outputs of CTC stands for nothing")))
    found.append(Question("objective", tr("Objective"), LABELS, MENU,
                          tuple((word, translated(title)) for word, title in OBJECTIVES.items()), told.objective,
                          tip=tr("What is differentiated: how far the answer is from the right one")))
    return found


# --- the page --------------------------------------------------------------------------------------------------------

def page(opening: Opening) -> Page:
    """All that the sheet says."""
    survey = opening.survey
    name = Path(survey.file).name
    found = found_of(survey.rows)
    operations = [row for row in survey.rows if not row.group]
    apart = [row for row in operations if not row.taken]
    waits = survey.runs and not survey.agreed
    blocked = opening.refused or ("" if waits else survey.why)
    problem = opening.problem or blocked
    lines = _lines(opening, problem)
    made = Page(
        name, sentence(survey), found, len(operations), survey.parameters, questions(opening), _reads(survey, opening),
        tuple(survey.told.inputs), opening.here,
        shown_of(_fed(survey, opening.here), _one(survey, opening.here)), _names(opening),
        _outputs(survey), _labelled(opening), "labels" in survey.asked and "labels" not in opening.touched,
        _apart(apart), lines,
        facts(survey), tuple((translated(each.words), each.passed) for each in survey.checks),
        tuple(Opens(translated(each.title), _share(each.words), each.opens) for each in survey.views),
        _cost(survey), _kept(opening), _badge(survey), waits, problem,
        *_act(opening, lines, bool(blocked)), opening.busy, opening.folded, opening.chosen, opening.step)
    return replace(made, progress=modelpage.progress_of(made, size_words(survey.size)))


def _act(opening: Opening, lines: Sequence[tuple[str, str, str]], wrong: bool) -> tuple[str, str, bool]:
    """What stands on the button, what it does, and whether it does that now."""
    survey = opening.survey
    rests = not opening.busy
    if survey.runs and not survey.agreed:
        return tr("Run this program"), modelpage.GO, rests
    mended = next((number for number, line in enumerate(lines, 1) if line[2]), 0)
    if wrong and mended:
        return tr("Go to line {number}").format(number=mended), modelpage.MEND, rests
    missing = _missing(opening)
    if wrong and missing and not survey.rows:
        return tr("Go to “{title}”").format(title=missing.title), modelpage.MEND, rests
    if wrong and opening.touched:
        return tr("Take what was proposed"), modelpage.PROPOSED, rests
    if wrong:
        return tr("Open another file"), modelpage.ANOTHER, rests
    return (tr("Record it anew") if opening.again else tr("Run it once and open")), modelpage.GO, rests


def _missing(opening: Opening) -> Question | None:
    """The first question that has no answer at all."""
    return next((each for each in questions(opening) if each.open and not each.answered and not each.chosen), None)


def found_of(rows: Sequence[Row]) -> tuple[Found, ...]:
    """The rows of the list; names without those of the groups that they lie in."""
    above: list[str] = []
    found = []
    for row in rows:
        del above[row.depth:]
        prefix = above[-1] + "." if above else ""
        name = row.name.removeprefix(prefix)
        found.append(Found(name, row.operation, row.shape, row.parameters, row.depth, row.group, row.taken))
        if row.group:
            above.append(row.name)
    return tuple(found)


def sentence(survey: Survey) -> str:
    """What it is, in counted numbers, with the markup of `picture.rich`."""
    name = _plain(Path(survey.file).name)
    if survey.runs and not survey.agreed:
        return tr("{name} is a program: it runs when you press, with all that you may do on this computer.").format(
            name=name)
    operations = [row for row in survey.rows if not row.group]
    if not operations:
        return tr("{name} was read; it has not run yet.").format(name=name)
    taken = sum(row.taken for row in operations)
    said = tr("{name} is {what}: {{{parameters}}} parameters in {count} operations, all of which can be taken "
              "apart.") if taken == len(operations) else \
        tr("{name} is {what}: {{{parameters}}} parameters in {count} operations; {taken} can be taken apart.")
    words = said.format(name=name, what=_what(operations), parameters=numbers.count(survey.parameters),
                        count=numbers.count(len(operations)), taken=numbers.count(taken))
    if survey.memory < HEAVY:
        return words
    held = numbers.count(survey.memory // 10**6)
    return " ".join((words, tr("A recording of it holds {size} MB.").format(size=held)))


HEAVY = 100 * 10**6
"""Bytes from which on it is said how much a recording takes."""


def _plain(words: str) -> str:
    """Words in which nothing is markup."""
    return re.sub(r"([\\*`{}_])", r"\\\1", words)


def _what(operations: Sequence[Row]) -> str:
    """What kind of network it is, by its operations in their order."""
    kinds = [row.kind.lower() for row in operations]
    convolves = any("conv" in kind for kind in kinds)
    recurrent = next((name for kind in kinds for name in ("lstm", "gru", "rnn") if kind.startswith(name)), "")
    if convolves and recurrent:
        return tr("a CNN that hands its columns to {cell}").format(cell=_cell(recurrent))
    if recurrent:
        return tr("a network around {cell}").format(cell=_cell(recurrent))
    if any("attention" in kind for kind in kinds):
        return tr("a network with attention")
    if convolves:
        return tr("a convolutional network")
    layers = sum(kind in ("linear", "addmm", "matmul", "gemm") for kind in kinds)
    return tr("a network of {count} linear layers").format(count=layers) if layers > 1 else tr("a network")


def _cell(name: str) -> str:
    return {"lstm": tr("an LSTM"), "gru": tr("a GRU"), "rnn": tr("an RNN")}[name]


def _share(words: str) -> str:
    """How much of a view opens: `10 / 12` are operations; any other words as they are."""
    part, _, whole = words.partition(" / ")
    return tr("{part} of {whole} operations").format(part=part, whole=whole) if whole.isdecimal() else translated(words)


def _one(survey: Survey, place: int) -> Input:
    """What is told of one of the inputs."""
    inside = tuple(survey.told.inputs.values())
    return inside[min(place, len(inside) - 1)] if inside else survey.told


def _reads(survey: Survey, opening: Opening) -> str:
    told = _one(survey, opening.here)
    if not told.kind:
        return ""
    one = translated(inputs.offered({"kind": told.kind}).one)
    return f"{one}, {shape_words(told.shape)}" if told.shape else one


def shown_of(seen: Seen, told: Input) -> tuple[Shown, ...]:
    """The pictures of an input on its way in: as it is given, as it is fed; each channel with its range; of a text the
    signs that its numbers stand for."""
    found = []
    if told.alphabet and seen.fed is not None and seen.fed.ndim == 1 and seen.fed.dtype.kind in "iu":
        signs = tuple(told.alphabet[number] if 0 <= number < len(told.alphabet) else "" for number in seen.fed.tolist())
        return (Shown(seen.title, seen.fed, tokens=signs),)
    given, fed = seen.given, seen.fed
    if given is not None and given.ndim in (2, 3) and given.size:
        pixels = given if given.ndim == 3 else np.repeat(given[..., None], 3, axis=2)
        if pixels.shape[-1] == 3:
            found.append(Shown(seen.title or tr("as it is given"), np.asarray(pixels, np.uint8)))
    if fed is None or not fed.size:
        return tuple(found)
    parts = _channels_of(fed, len(seen.ranges))
    for place, values in enumerate(parts[:4]):
        low, mean, high = seen.ranges[place] if place < len(seen.ranges) else _range(values)
        name = translated(seen.names[place]) if place < len(seen.names) else \
            tr("channel {number}").format(number=place) if len(parts) > 1 else shape_words(fed.shape)
        found.append(Shown(name, values, low, high, mean, True))
    return tuple(found)


def _channels_of(fed: NDArray[Any], channels: int) -> list[NDArray[Any]]:
    """What is drawn of it: each channel as a map, a table with its steps from left to right, a row of numbers."""
    array = np.nan_to_num(np.asarray(fed, np.float64))
    if array.ndim == 3 and array.shape[0] <= 4:
        return list(array)
    if array.ndim == 3 and array.shape[-1] <= 4 and channels > 1:
        return list(np.moveaxis(array, -1, 0))
    if array.ndim >= 3:
        return [array.reshape(-1, array.shape[-1])[:modelpage.TILE]]
    return [array.T if array.ndim == 2 else array.reshape(1, -1)]


def _range(values: NDArray[Any]) -> tuple[float, float, float]:
    return float(values.min()), float(values.mean()), float(values.max())


def _outputs(survey: Survey) -> int:
    """How many numbers come out, of which each may have a name."""
    alone = survey.outputs[0] if len(survey.outputs) == 1 else ()
    named = next((kind.names(alone) for kind in answers.kinds() if kind.name == survey.told.answer and kind.along), 0)
    classes = named or (alone[-1] if len(alone) == 1 else 0)
    return survey.labelled or len(survey.told.labels) or (classes if classes > 1 else 0)


def _names(opening: Opening) -> tuple[str, ...]:
    """The labels that were said on the sheet, fitting or not; else those that are known."""
    return opening.said.labels if "labels" in opening.touched else opening.survey.told.labels


def _labelled(opening: Opening) -> str:
    survey = opening.survey
    count = numbers.count(len(_names(opening)))
    if "labels" in opening.touched:
        return tr("{count} said here").format(count=count) if opening.said.labels else tr("numbers only")
    if survey.found:
        return tr("{count} from {file}").format(count=count, file=Path(survey.found).name)
    return tr("{count} are known").format(count=count) if survey.told.labels else ""


def _apart(rows: Sequence[Row]) -> tuple[tuple[str, str], ...]:
    """What is shown only, each kind of operation once."""
    kinds: dict[str, list[Row]] = {}
    for row in rows:
        kinds.setdefault(row.kind or row.name, []).append(row)
    return tuple((kind, found[0].operation or counted_as(
        len(found), tr("{count} time"), tr("{count} times")).format(count=len(found)))
                 for kind, found in kinds.items())


PATHS = ("Keep", "Swap", "Out")
"""Lines of a wiring that compute nothing: they say from where it goes on."""
LINE_AT = re.compile(r"\bline (\d{1,4})\b")


def _lines(opening: Opening, problem: str) -> tuple[tuple[str, str, str], ...]:
    """A wiring that is to be edited, with what each line gives, or what is wrong with it."""
    told = opening.said.wiring or opening.survey.told.wiring
    if not told or opening.said.source or opening.said.kind == ALONE:
        return ()
    wrong = LINE_AT.search(problem)
    at = int(wrong.group(1)) - 1 if wrong else -1
    rows = [row for row in opening.survey.rows if not row.group]
    places = [place for place, line in enumerate(told) if line.partition("(")[0].strip() not in PATHS]
    gives = {place: numbers.shape(row.shape) for place, row in zip(places, rows, strict=True)} \
        if len(rows) == len(places) and not problem else {}
    return tuple((line, gives.get(place, ""), problem if place == at else "") for place, line in enumerate(told))


def facts(survey: Survey) -> tuple[tuple[str, str], ...]:
    """What the file is, in a few rows."""
    found = [(tr("Format"), translated(survey.format)), (tr("Size"), counted_as(
        survey.size, tr("{count} byte"), tr("{count} bytes")).format(count=numbers.count(survey.size)))]
    if survey.entries:
        found.append((tr("Entries"), numbers.count(survey.entries)))
    if survey.hash:
        found.append((tr("SHA-256"), f"{survey.hash[:4]} {survey.hash[4:8]} {survey.hash[8:12]} …"))
    if survey.parameters:
        words = tr("{count} of {dtype}") if survey.dtype else "{count}"
        found.append((tr("Weights"), words.format(count=numbers.count(survey.parameters), dtype=survey.dtype)))
    return tuple(found)


def _cost(survey: Survey) -> str:
    if survey.runs and not survey.agreed:
        return tr("Its code is run in the engine, a process of its own: where it crashes or hangs, only that ends.")
    if not survey.adds:
        return tr("One forward and one backward pass.")
    return tr("One forward and one backward pass on one input: {count} multiply-adds.").format(
        count=large(survey.adds))


def large(count: int) -> str:
    """`3.4 million`, `1.2 billion`; a smaller number as it is."""
    for size, words in ((10 ** 9, tr("{count} billion")), (10 ** 6, tr("{count} million"))):
        if count >= size:
            return words.format(count=numeral(f"{count / size:.1f}"))
    return numbers.count(count)


def _kept(opening: Opening) -> str:
    survey = opening.survey
    if survey.runs and not survey.agreed:
        return tr("Your consent is remembered for exactly this file; another version is asked again.")
    if survey.kept:
        return tr("The weights are only read. Your answers are kept in {file}.").format(file=survey.kept)
    name = manifest.beside(survey.file).name
    return tr("The weights are only read. Your answers are kept beside the file ({file}), so you are asked once."
              ).format(file=name)


def _badge(survey: Survey) -> tuple[str, str]:
    if survey.runs and not survey.agreed:
        return tr("This file is a program"), tr("it runs when you press")
    if survey.runs:
        return tr("This program was run"), tr("you agreed to it")
    return tr("Nothing in this file was run"), tr("read as data, 0 lines of code")


def size_words(size: int) -> str:
    """`495 kB`, `3.2 MB`."""
    if size < 1000:
        return counted_as(size, tr("{count} byte"), tr("{count} bytes")).format(count=size)
    power = min(3, int(math.log10(size) // 3))
    number = size / 1000.0 ** power
    return numeral(f"{number:.{0 if number >= 100 else 1}f} {('', 'kB', 'MB', 'GB')[power]}")

