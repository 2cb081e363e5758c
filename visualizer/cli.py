"""The command line: `visualizer`, or `python -m visualizer`.

Each command is a function from its parsed arguments to an exit status. Whatever is heavy is imported where it is
needed: the window is seen before numpy is loaded, help, `list` and a saved trace need no torch, and only what paints
needs Qt. Results go to stdout, everything else to stderr.
"""

from __future__ import annotations

import os

# Before numpy and torch are loaded. One thread is enough for small networks, never waits for a busy core, and numpy
# then loads in about half the time.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import math
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import visualizer
from visualizer import registry, told

if TYPE_CHECKING:
    from visualizer.card import Card
    from visualizer.export.film import Film
    from visualizer.over import Inputs, Over
    from visualizer.scene.picture import Focus, Look
    from visualizer.scene.state import Place, State
    from visualizer.scene.timeline import Moment, Timeline
    from visualizer.sight import Recorded
    from visualizer.trace import Trace

DONE, WRONG_USAGE, REFUSED, NOT_DONE, INTERRUPTED = 0, 2, 3, 4, 130
"""Exit statuses. 130 is what a shell expects of a program stopped by Ctrl-C."""
FEW = 12
"""So many of each are listed where everything is."""
LEAST, MOST = 64, 20_000
"""Pixels of a side."""
MOST_PIXELS = 200_000_000
"""A larger PNG is not begun: four bytes a pixel, held several times over."""

Entry = dict[str, Any]
"""One thing listed: `name`, `about`, and whatever else a program may want to know."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 2 wrong usage, 3 the file was refused, 4 not done."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    _with_somewhere_to_write()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal without a letter shows ?, rather than an error
    try:
        chosen = parser().parse_args(_opened(given))
        for folder in chosen.lessons:
            registry.module("lesson.shelf").look_in(folder)
        status = int(chosen.run(chosen))
        sys.stdout.flush()
        return status
    except SystemExit as leaving:  # argparse, after --help and --version
        return int(leaving.code or DONE)
    except BrokenPipeError:  # `visualizer list samples | head`: whoever reads has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        return _fail("Stopped; nothing was written.", INTERRUPTED)
    except Exception as error:
        if "--debug" in given:
            raise
        return _explain(error)
    finally:
        for name in ("manifest", "consent", "lesson.shelf"):
            if f"{visualizer.__name__}.{name}" in sys.modules:
                registry.module(name).suppose_nothing()  # it was said in this command alone


def _with_somewhere_to_write() -> None:
    """Where the caller has closed stdout or stderr (`visualizer list >&-`), what goes there goes nowhere: it is neither
    an error, nor may the next file that is opened get the number of it."""
    if None in (sys.stdin, sys.stdout, sys.stderr):
        while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(number)
        sys.stdin = sys.stdin or open(0)  # noqa: SIM115
        sys.stdout = sys.stdout or open(1, "w")  # noqa: SIM115
        sys.stderr = sys.stderr or open(2, "w")  # noqa: SIM115


def _opened(words: list[str]) -> list[str]:
    """`mine.trace` alone is `open mine.trace`: the first word, where it is no command but a file or a network."""
    first = next((index for index, word in enumerate(words) if not word.startswith("-")
                  and words[index - 1:index] != ["--lessons"]), len(words))
    if first == len(words) or words[first] in COMMANDS:
        return words
    word = words[first]
    is_thing = registry.is_bundled(word) or word == "lab" or bool(Path(word).suffix) or os.path.exists(word)
    return [*words[:first], "open", *words[first:]] if is_thing else words


def _explain(error: Exception) -> int:
    """One sentence on stderr, and the exit status that goes with it."""
    from visualizer.trace import Refused

    if isinstance(error, Refused):
        return _fail(error, REFUSED)
    if isinstance(error, Usage):
        return _fail(error, WRONG_USAGE)
    if isinstance(error, NotDone):
        return _fail(error, NOT_DONE)
    if isinstance(error, LookupError) and error.args and str(error.args[0]).endswith("."):
        return _fail(error.args[0], WRONG_USAGE)  # the nouns' own words for a name or a cell that does not exist
    if isinstance(error, registry.NotWritten):
        return _fail(error, NOT_DONE)
    if isinstance(error, MemoryError):
        return _fail("This needs more memory than there is; choose a smaller size or a smaller model.", NOT_DONE)
    what = f"{type(error).__name__}: {error}".rstrip(": .")
    return _fail(f"It could not be done ({what}); run it again with --debug to see where.", NOT_DONE)


class Usage(Exception):
    """A command that does not say what is wanted; one sentence."""


class NotDone(Exception):
    """Something outside the program stands in the way; one sentence that says what to do."""


# --- the grammar ----------------------------------------------------------------------------------------------------

COMMANDS = ("open", "list", "survey", "record", "check", "shot", "film", "page", "code", "train", "compare", "curve",
            "data", "claims", "lesson", "doctor")
THING = ("a bundled model, a model file, a .trace, a folder of these, a session, a picture or a film saved by the app, "
         "an image for the default model, or lab, the gradient laboratory")


def parser() -> argparse.ArgumentParser:
    """The whole grammar of the command line."""
    top = _Parser(prog="visualizer", description="Opens a small neural network and animates everything it computes, "
                  "forwards and backwards. Without a command: the app, on its start screen.",
                  epilog="Exit status: 0 done, 2 wrong usage, 3 the file was refused, 4 it could not be done.")
    top.add_argument("--version", action="version", version=f"visualizer {visualizer.__version__}")
    top.add_argument("--debug", action="store_true", help="show where an error came from")
    top.add_argument("--last", action="store_true", help="the app, where it was closed the last time")
    top.add_argument("--lessons", action="append", default=[], metavar="DIR",
                     help="also find the lessons of this folder")
    top.set_defaults(run=_open, thing=None)
    commands = top.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)

    def command(name: str, run: Callable[[argparse.Namespace], int], what: str) -> argparse.ArgumentParser:
        assert name in COMMANDS
        made = commands.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
        made.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        made.add_argument("--lessons", action="append", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        made.set_defaults(run=run, command=name)
        return made

    it = command("open", _open, "open something in the app")
    it.add_argument("thing", metavar="THING", help=THING)

    it = command("list", _list, "list what there is")
    it.add_argument("what", nargs="?", choices=_LISTED, metavar="WHAT",
                    help=f"{', '.join(_LISTED)}; everything when left out")
    it.add_argument("--json", action="store_true", help="as JSON, for programs")

    it = command("survey", _survey, "tell what a model file holds, what is proposed for what it does not say, and what "
                 "it is to be asked")
    it.add_argument("thing", metavar="FILE", help="a model file of your own")
    told.options(it)
    it.add_argument("--json", action="store_true", help="as JSON, for programs")

    it = command("record", _record, "run a model once, forwards and backwards, and save every number as a .trace")
    it.add_argument("thing", metavar="MODEL", help="a bundled model or a model file")
    _what_goes_in(it)
    it.add_argument("--check", action="store_true", help="recompute every layer in numpy and compare it with torch")
    it.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.trace")

    it = command("check", _check_thing, "recompute every layer in numpy and tell, array by array, how far torch is off")
    it.add_argument("thing", metavar="THING", help=THING)
    _what_goes_in(it)
    it.add_argument("--json", action="store_true", help="as JSON, for programs")

    it = command("shot", _shot, "draw one picture into a file")
    it.add_argument("thing", metavar="THING", help=THING)
    _what_goes_in(it)
    _what_is_seen(it)
    it.add_argument("--over", default="", metavar="inputs[:…]", help="which inputs the view over shows side by side")
    it.add_argument("--theme", help="a theme of `visualizer list themes`")
    it.add_argument("--language", type=_language, metavar="CODE", help="the language of its words: en, de, …")
    it.add_argument("--size", type=_size, metavar="WxH", help="pixels to lay the picture out in (default 1104x796)")
    it.add_argument("--scale", type=_positive, metavar="N", help="pixels of the file per laid-out pixel")
    it.add_argument("--mm", type=_paper, metavar="W[xH]", help="size on paper in millimetres, 89 and 183 being the "
                    "columns of a journal: letters come out at 5 to 7 pt, with the colour bars below")
    it.add_argument("--dpi", type=_positive, metavar="N", help="pixels per inch on paper (with --mm; 300)")
    it.add_argument("--transparent", action="store_true", help="leave the ground of the picture clear")
    it.add_argument("--panel", action="append", default=[], metavar="VIEW[@ADDRESS][:FOCUS]",
                    help="one panel of a figure with letters; give it several times, or several views to --view")
    it.add_argument("--bars", action=argparse.BooleanOptionalAction,
                    help="colour bars with label, range and zero below the picture (with --mm and panels: on)")
    it.add_argument("--caption", action="store_true",
                    help="also write OUT.txt and OUT.json: what it shows, and everything it was made from")
    it.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.png|svg|pdf")

    it = command("film", _film, "write an animation as a film, or as a folder of pictures with a storyboard")
    _stretch(it)
    _over_inputs(it)
    it.add_argument("--at", metavar="ADDRESS", help="with --over: the moment at which every input is looked at")
    _how_it_is_seen(it)
    it.add_argument("--fps", type=_ratio, default=30, metavar="N", help="frames a second (30)")
    it.add_argument("--speed", type=_ratio, default=1, metavar="N", help="2: twice as fast, 0.5: half as fast (1)")
    it.add_argument("--sound", default="", metavar="state|gradient|…",
                    help="hear its numbers: pitch = value, loudness = size; beside a file without sound as a .wav")
    it.add_argument("--theme", help="a theme of `visualizer list themes`")
    it.add_argument("--language", type=_language, metavar="CODE", help="the language of its words: en, de, …")
    it.add_argument("--size", type=_size, metavar="WxH", help="pixels to lay the pictures out in (default 1104x796)")
    it.add_argument("--scale", type=_positive, default=1.0, metavar="N", help="pixels of the film per laid-out pixel")
    it.add_argument("--json", action="store_true", help="progress and result as lines of JSON, for programs")
    it.add_argument("--numbers", type=Path, action="append", metavar="FILE.trace",
                    help=argparse.SUPPRESS)  # what the window shows, of each place, in a reel of each recording
    it.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.mp4|webm|gif|webp|apng|FOLDER/")
    it.set_defaults(backward=False)

    it = command("page", _film, "write one HTML page in which a recording is stepped through, scrubbed and pointed at")
    _stretch(it)
    it.add_argument("--at", metavar="ADDRESS", help=argparse.SUPPRESS)
    _how_it_is_seen(it)
    it.add_argument("--theme", help="a theme of `visualizer list themes`; the page has a dark one beside it")
    it.add_argument("--language", type=_language, metavar="CODE", help="the language of its words: en, de, …")
    it.add_argument("--size", type=_size, metavar="WxH", help="pixels to lay the pictures out in (default 1104x796)")
    it.add_argument("--json", action="store_true", help="progress and result as lines of JSON, for programs")
    it.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.html")
    it.set_defaults(backward=False, over="", fps=30, speed=1, scale=1.0, sound="", numbers=None)

    it = command("code", _code, "write the network as a plain file of PyTorch, with its weights beside it")
    it.add_argument("thing", metavar="MODEL", help="a bundled model or a model file")
    _what_goes_in(it)
    it.add_argument("--json", action="store_true", help="as JSON, for programs")
    it.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.py")

    it = command("train", _train, "train a bundled network anew, and write the recordings of its checkpoints into a "
                 "folder that opens as a film")
    it.add_argument("thing", metavar="NAME", help="a bundled network with a short training of its own")
    it.add_argument("--set", type=_knobs, action="append", default=[], dest="knobs", metavar="KNOB=VALUE,…",
                    help="optimiser, rate, batch, init, activation, norm, clip, forget, seed: rate=0.01,optimiser=sgd")
    it.add_argument("--updates", type=_count, metavar="N", help="so many updates (those of its short training)")
    it.add_argument("--data", type=Path, metavar="DIR", help="on all training data that lie in this folder, instead of "
                    "those that come with the app")
    it.add_argument("--input", default="", metavar="SAMPLE", help="the input that is recorded at every checkpoint")
    it.add_argument("--resume", action="store_true", help="go on with the training in the folder, up to N updates")
    it.add_argument("--json", action="store_true", help="progress and result as lines of JSON, for programs")
    it.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER/")

    it = command("compare", _compare, "two to four networks on one input: a picture, a film, or the table of what they "
                 "cost")
    it.add_argument("things", nargs="+", metavar="MODEL", help="bundled models, model files or .trace files; "
                    "before:MODEL with the weights from before training, MODEL+unit_off:conv2:7 or MODEL+shift:3 for "
                    "one that something is done to; one alone with several --input")
    it.add_argument("--input", action="append", default=[], metavar="FILE|SAMPLE|TEXT", help="what all of them read; "
                    "several times for one each")
    it.add_argument("--what-if", action="append", default=[], dest="what_if", metavar="NAME=…", help="what is done to "
                    "the input, of `visualizer list edits`: shift=4,4; several times for several")
    it.add_argument("--at", type=_share, default=1.0, metavar="SHARE", help="how much of its way each has gone: 0.55 "
                    "or 55%% (all of it)")
    it.add_argument("--backward", action="store_true", help="on the way back")
    it.add_argument("--sync", choices=("share", "beat", "step"), default="share",
                    help="what they have in common at one time (the share of their way)")
    it.add_argument("--alone", type=int, default=0, metavar="N", help="one of them large")
    it.add_argument("--quick", action="store_true", help="measure neither times nor right answers")
    it.add_argument("--fps", type=_ratio, default=30, metavar="N", help="frames a second of a film (30)")
    it.add_argument("--speed", type=_ratio, default=1, metavar="N", help="2: twice as fast, 0.5: half as fast (1)")
    it.add_argument("--theme", default="light", help="a theme of `visualizer list themes`")
    it.add_argument("--language", type=_language, default="", metavar="CODE", help="the language of its words")
    it.add_argument("--size", type=_size, default=(1568, 796), metavar="WxH", help="pixels (1568x796)")
    it.add_argument("--scale", type=_positive, default=1.0, metavar="N", help="pixels of the file per laid-out pixel")
    it.add_argument("--json", action="store_true", help="progress of a film as lines of JSON, for programs")
    it.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.png|svg|pdf|mp4|gif|csv|json")

    it = command("curve", _curve, "count right answers by the strength of what is done to the input, for up to four "
                 "networks")
    it.add_argument("things", nargs="+", metavar="MODEL", help="bundled models or model files, up to four")
    it.add_argument("--what-if", action="append", default=[], dest="what_if", metavar="NAME=…", help="what is done to "
                    "each input, of `visualizer list edits`: shift=4,4; of several the last one grows")
    it.add_argument("--edit", action="append", default=[], dest="edits", metavar="NAME:…", help="what is done to the "
                    "networks: untrained, unit_off:conv2:7")
    it.add_argument("--data", default="", metavar="DIR", help="over all test inputs that lie in this folder, or "
                    "over a folder or a list of inputs, instead of those that come with the app")
    it.add_argument("--whole", action="store_true", help="in a picture only inputs that lose nothing over their frame")
    it.add_argument("--json", action="store_true", help="as JSON, for programs")
    it.add_argument("-o", "--output", type=Path, metavar="OUT.png|svg|pdf|csv|json")

    it = command("data", _data, "save numbers: arrays of the layers, or the table of a view")
    it.add_argument("thing", metavar="THING", help=THING)
    _what_goes_in(it)
    _what_is_seen(it)
    it.add_argument("--layer", metavar="L", help="only this layer, all its numbers")
    it.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.npz|csv|json",
                    help="npz: arrays, named conv1.output, conv1.gradient, conv1.weights.weight, …; csv and json: the "
                         "table of the view, or with --layer one row a cell (csv), nested lists (json)")

    it = command("claims", _claims, "measure what sentences of the article come to, beside what is expected")
    it.add_argument("names", nargs="*", metavar="NAME", help="claims of `visualizer list claims`; all when left out")
    it.add_argument("--data", type=Path, metavar="DIR", help="on all test inputs that lie in this folder, instead of "
                    "those that come with the app")
    it.add_argument("--json", action="store_true", help="as JSON, for programs")

    _lesson_commands(command("lesson", _lesson, "check, print or export what is taught step by step"))

    it = command("doctor", _doctor, "tell what is installed, what would fail, and how to mend it")
    it.add_argument("--json", action="store_true", help="as JSON, for programs")
    return top


def _lesson_commands(it: argparse.ArgumentParser) -> None:
    inside = it.add_subparsers(title="what to do", metavar="WHAT", dest="what", parser_class=_Parser, required=True)

    def command(name: str, run: Callable[[argparse.Namespace], int], what: str) -> argparse.ArgumentParser:
        made = inside.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
        for option in ("--debug", "--lessons"):
            made.add_argument(option, default=argparse.SUPPRESS, help=argparse.SUPPRESS,
                              action="store_true" if option == "--debug" else "append")
        made.set_defaults(run=run)
        return made

    to = command("list", _lesson_list, "list the lessons, and say what is wrong with files that are none")
    to.add_argument("--json", action="store_true", help="as JSON, for programs")
    to = command("check", _lesson_check, "say line by line what is wrong with a lesson, show all that it shows and "
                 "measure all that it tells")
    to.add_argument("names", nargs="*", metavar="FILE|NAME", help="files, or lessons of `visualizer list lessons`; all "
                    "when left out")
    to.add_argument("--quick", action="store_true", help="only read it: nothing is shown or measured")
    to.add_argument("--json", action="store_true", help="as JSON, for programs")
    to = command("measures", _lesson_measures, "list what a lesson can measure, and how that is written")
    to.add_argument("--json", action="store_true", help="as JSON, for programs")
    to = command("export", _lesson_export, "write the questions of lessons for a learning platform")
    to.add_argument("names", nargs="+", metavar="NAME|FILE", help="lessons; quiz is one of ten questions")
    to.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.gift|zip|csv", help="GIFT, a package of "
                    "QTI 2.1, or a table")
    to = command("film", _lesson_film, "film a lesson, slide by slide, with its sentences as captions beside the file")
    to.add_argument("name", metavar="NAME|FILE", help="a lesson of `visualizer list lessons`")
    to.add_argument("--size", type=_size, default=(1920, 1080), metavar="WxH", help="pixels (1920x1080)")
    to.add_argument("--speed", type=_ratio, default=1, metavar="N", help="2 is twice as fast as it is taught (1)")
    to.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.mp4|webm|gif|…", help="the captions are "
                    "OUT.vtt beside it")
    to = command("print", _lesson_print, "print a lesson as a handout, its questions without answers")
    to.add_argument("names", nargs="+", metavar="NAME|FILE", help="lessons of `visualizer list lessons`")
    to.add_argument("--answers", action="store_true", help="with the answers, on pages of their own at the end")
    to.add_argument("--paper", choices=("a4", "letter"), default="a4", help="its size (a4)")
    to.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.pdf")


def _what_goes_in(it: argparse.ArgumentParser) -> None:
    it.add_argument("--input", metavar="FILE|SAMPLE|TEXT", action=_Several,
                    help="a file, a sample of `visualizer list samples`, a text for a model that reads text, or "
                         "\"strip:4 0 7\" for one that reads strips; NAME=FILE, several times, for one of several "
                         "inputs")
    it.add_argument("--target", type=_wanted, metavar="N|0.5|1,0,2|FILE", help="what should be answered: a class, a "
                    "number with a point, a list, or a file of numbers (.npy, .csv, .txt)")
    it.add_argument("--objective", metavar="WORD", help="what flows back: loss, none, a loss by name (mse, mae, bce, "
                    "cross_entropy), or a number of the answer, such as logit:4, logit:4@7, box:2.width, sum, mean, "
                    "pixel:3,4, value:7; sum:mask of the output mask")
    it.add_argument("--output-name", metavar="NAME", help="the one of several outputs that is asked about, by its key, "
                    "field or number")
    it.add_argument("--untrained", action="store_true", default=None,
                    help="with the weights from before training; the same as --edit untrained")
    it.add_argument("--edit", action="append", default=[], dest="edits", metavar="NAME:…",
                    help="what is done to the model or the input first, of `visualizer list edits`: unit_off:conv2:7, "
                         "shift:3,0; several times for several")
    it.add_argument("--what-if", action="append", default=[], dest="what_if", metavar="NAME=…",
                    help="what is done to the input, of `visualizer list edits`: shift=3, shift=3,0, rotate=30, "
                         "reverse; several times for several; the same as --edit shift:3,0")
    it.add_argument("--dtype", choices=("float32", "float64"), help="precision to compute in")
    told.options(it)


def _what_is_seen(it: argparse.ArgumentParser) -> None:
    it.add_argument("--view", metavar="V", help="a view of `visualizer list views`")
    when = it.add_mutually_exclusive_group()
    when.add_argument("--at", metavar="ADDRESS", help="the moment: conv2.forward, conv2.forward@0.5, conv2.backward")
    when.add_argument("--backward", action="store_true", help="the end of the backward pass, or of the focused layer's")
    _how_it_is_seen(it)


def _how_it_is_seen(it: argparse.ArgumentParser) -> None:
    it.add_argument("--reel", default="", metavar="before,after|updates",
                    help="from the weights before training to the trained ones, at the moment that --at or --from "
                         "names: conv2.forward, or after:conv2.forward@0.5 for the middle of the way; updates goes "
                         "through the checkpoints of a training, that of a folder or one that comes with the app; a "
                         "folder of recordings or model files is such a reel by itself")
    it.add_argument("--focus", metavar="LAYER:i,j,…", help="what is looked at: conv2, conv2:7, conv2:7,3,5")
    it.add_argument("--set", type=_knobs, action="append", default=[], dest="knobs", metavar="KNOB=VALUE,…",
                    help="settings of the view")


def _stretch(it: argparse.ArgumentParser) -> None:
    """What is shown beat by beat, in which view, from where to where."""
    it.add_argument("thing", metavar="THING", help=THING)
    _what_goes_in(it)
    it.add_argument("--view", metavar="V", help="a view of `visualizer list views`")
    it.add_argument("--from", dest="first", default="", metavar="ADDRESS", help="begin with this beat (the very first)")
    it.add_argument("--to", dest="last", default="", metavar="ADDRESS", help="end with this beat (the very last)")


def _over_inputs(it: argparse.ArgumentParser) -> None:
    it.add_argument("--over", default="", metavar="inputs[:…]",
                    help="go through inputs: inputs for all bundled ones, inputs:wrong, inputs:unsure, inputs:class=4, "
                         "inputs:excite=conv2:7, inputs:FOLDER, inputs:FILE with one a line or a row; of a network "
                         "that makes pictures of points a walk, inputs:line=digit-3,digit-7 or inputs:circle=1.5; "
                         "with --from and --to their numbers")


class _Several(argparse.Action):
    """What is given several times, as one: `left=a.png; right=b.png`."""

    def __call__(self, parser: argparse.ArgumentParser, chosen: argparse.Namespace, value: Any,
                 option: str | None = None) -> None:
        before = getattr(chosen, self.dest)
        setattr(chosen, self.dest, value if before is None else f"{before}; {value}")


class _Parser(argparse.ArgumentParser):
    """argparse, except that an error is one sentence and main decides how to leave."""

    def error(self, message: str) -> NoReturn:
        message = message.rstrip(".")
        raise Usage(f"{message[0].upper()}{message[1:]}; `{self.prog} --help` shows what can be said.")


def _heard(chosen: argparse.Namespace) -> None:
    """Take what the command says of a model file for true, and keep it if that is wished."""
    from visualizer import consent, manifest

    heard = told.said(chosen)
    if heard is None:
        return
    path, said = heard
    if (program := told.agreed(chosen)) is not None and program.is_file():
        consent.suppose(program)
    chosen.thing = str(path)
    manifest.suppose(path, said)
    if chosen.keep:
        print(f"{manifest.keep(path, said)}: what was said of {path.name}", file=sys.stderr)


def _given(chosen: argparse.Namespace) -> str | None:
    """The word for the input, with the shape that it is to have where that is a part of it."""
    word: str | None = chosen.input
    if chosen.shape is None:
        return word
    known = _card(chosen.thing)
    takes = known is not None and "usual" in known.facts
    return f"shape:{chosen.shape}; {word or ''}".rstrip("; ") if takes else word


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().replace("×", "x").partition("x")
    if not all(side.isdecimal() and len(side) < 6 and LEAST <= int(side) <= MOST for side in (width, height)):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no size; write width x height, from {LEAST} to {MOST:,} "
                                         "pixels, for example 1600x900")
    return int(width), int(height)


def _paper(text: str) -> tuple[float, float | None]:
    width, cross, height = text.lower().replace("×", "x").partition("x")
    try:
        found = float(width), float(height) if cross else None
    except ValueError:
        found = 0.0, None
    if not all(length is None or 1 <= length <= 5_000 for length in found):
        raise argparse.ArgumentTypeError(f"{text!r} is no size on paper; write millimetres, for example 89 or 89x60")
    return found


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return value


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > 9 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number of updates; write a whole number from 1 on")
    return int(text)


def _ratio(text: str) -> Fraction:
    """`30`, `29.97` or `30000/1001`, exactly."""
    try:
        value = Fraction(text) if re.fullmatch(r"[0-9./]{1,24}", text) else Fraction(0)  # 1e99999999 takes minutes
    except (ValueError, ZeroDivisionError):
        value = Fraction(0)
    if not Fraction(1, 100) <= value <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0.01 to 1000")
    return value.limit_denominator(10_000)


def _language(text: str) -> str:
    from visualizer import language

    try:
        return language.chosen(text)
    except LookupError as error:
        raise argparse.ArgumentTypeError(str(error.args[0]).rstrip(".")) from error


def _wanted(text: str) -> Any:
    """A class, a number, a list of them, or the numbers of a file."""
    from visualizer.trace import Refused

    inputs = registry.module("inputs")
    try:
        return inputs.target_in(text)
    except Refused as error:
        if Path(text).suffix.lower() in inputs.OF_NUMBERS:  # a file that is refused
            raise
        raise argparse.ArgumentTypeError(str(error).rstrip(".")) from error


def _knobs(text: str) -> tuple[tuple[str, str], ...]:
    pairs = tuple(part.partition("=")[::2] for part in text.split(","))
    if not all(knob and value for knob, value in pairs):
        raise argparse.ArgumentTypeError(f"{text!r} sets nothing; write for example ranking=mean")
    return pairs


# --- the commands ---------------------------------------------------------------------------------------------------

def _open(chosen: argparse.Namespace) -> int:
    """The app: what was named, where it was last, or its start screen. It says itself where no window can open."""
    thing = None if chosen.thing is None else told.split(chosen.thing)[0]  # the window asks which class, and whether
    return int(registry.module("app").main(thing, last=chosen.last and thing is None) or DONE)


def _list(chosen: argparse.Namespace) -> int:
    """What there is: one thing a line, or JSON for programs."""
    found = {what: _LISTED[what]() for what in ([chosen.what] if chosen.what else _LISTED)}
    if chosen.json:
        _say(json.dumps(found[chosen.what] if chosen.what else found, indent=1, ensure_ascii=False))
        return DONE
    for what, entries in found.items():
        if not chosen.what:
            _say(f"{what}:" if entries else f"{what}: none yet")
        widest = max((len(entry["name"]) for entry in entries), default=0)
        for entry in entries if chosen.what else entries[:FEW]:
            _say(f"{'' if chosen.what else '  '}{entry['name']:<{widest}}  {entry['about']}".rstrip())
        if not chosen.what and len(entries) > FEW:
            _say(f"  … and {len(entries) - FEW} more: visualizer list {what}")
    return DONE


def _survey(chosen: argparse.Namespace) -> int:
    """The operations of a model file, its input as it is taken, and what of that nobody has said."""
    from visualizer import survey

    _heard(chosen)
    if not Path(chosen.thing).is_file():
        raise Usage(f"There is no file {chosen.thing}; name a model file of your own.")
    with _working(f"looking at {chosen.thing}"):
        found = _torch("record.survey").survey(chosen.thing)
    if chosen.json:
        _say(json.dumps(survey.without_arrays(found), indent=1, ensure_ascii=False))
    else:
        for line in survey.lines(found):
            _say(line)
    return DONE if not found.why else REFUSED


def _record(chosen: argparse.Namespace) -> int:
    """Run the model and save the trace; with --check, say how far numpy's numbers are from torch's."""
    from visualizer import door
    from visualizer.trace import SUFFIX

    _writable(chosen.output, (SUFFIX,))
    _heard(chosen)
    found = door.recognise(chosen.thing)
    if found.what not in (door.BUNDLED, door.MODEL):
        raise Usage(f"{chosen.thing} is no model; name one of `visualizer list models`, or a model file.")
    opened = door.open_(found, cards=_card, sample=_given(chosen), edits=_done_to(chosen))
    trace = _recorded(_aimed(opened.state, chosen), chosen)
    trace.save(chosen.output)
    flowed = f", {trace.objective.kind.replace('_', ' ')} {trace.objective.value:.6g}" if trace.has_backward else ""
    _say(f"{chosen.output}: {len(trace.layers)} layers, {trace.parameters:,} parameters{flowed}")
    if chosen.check:
        _check(trace)
    return DONE


def _check_thing(chosen: argparse.Namespace) -> int:
    """What was compared with what, array by array; status 4 if anything differs by more than is allowed."""
    from visualizer.scene import verdict

    _, trace = _state_and_trace(chosen)
    report = trace.check()
    if chosen.json:
        _say(json.dumps(verdict.plain(trace, report), indent=1, ensure_ascii=False))
        return DONE if report.passed else NOT_DONE
    rows = [verdict.headings(), *((*line[:6], line.verdict) for line in verdict.lines(trace, report))]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1, 3, 4, 5)]
    for layer, what, against, compared, error, allowed, said in rows:
        kept = (text.ljust(width) for text, width in zip((layer, what, compared, error, allowed), widths, strict=True))
        _say("  ".join((*kept, said.ljust(12), against)).rstrip())
    _say(verdict.summary(report))
    return DONE if report.passed else NOT_DONE


def _shot(chosen: argparse.Namespace) -> int:
    """One picture of one moment."""
    from visualizer.scene.state import changed

    export = _headless("export")
    _writable(chosen.output, tuple(suffix for form in export.formats() for suffix in form.suffixes))
    if chosen.mm and chosen.scale:
        raise Usage("There is no --scale with --mm, which fixes the size on paper; set the pixels with --dpi.")
    state, trace = _state_and_trace(chosen)
    look = _seen_as(state.look, chosen, chosen.size or state.look.size)
    panels = _panels(chosen)
    found = _recordings(state, trace, chosen)
    states = [_meant(export, changed(state, look=look), found, chosen, *panel) for panel in panels]
    for state in states:
        found = _all_studied(found, state, chosen)
    if len(states[0].places) > 1 and not states[0].compare:
        states = [_everywhere(state, *panel, chosen) for state, panel in zip(states, panels, strict=True)]
    shown = [export.Panel(found, state) for state in states]
    trace = shown[0].trace
    if states[0].compare:
        readers = registry.module("comparison").received(states[0], _saved_comparison(states[0], trace, chosen))
        shown = [export.Panel(readers[state.active].trace, state, readers=readers) for state in states]
    elif len(states[0].places) > 1 and len(panels) == 1:
        shown = _beside(export, states[0], found, chosen)
    elif len(states[0].places) > 1:
        shown = [export.Panel(found, state, tuple(_from_every_place(state, found, chosen))) for state in states]
    bars = bool(chosen.mm or len(panels) > 1) if chosen.bars is None else chosen.bars
    made = export.compose(shown, mm=chosen.mm, size=chosen.size, bars=bars)
    mm = made.mm if chosen.mm else None
    _fits_in_memory(chosen, made.picture.size, mm)
    with export.captioned(chosen.output, shown, bars) if chosen.caption else nullcontext():
        export.save(made.picture, chosen.output, state_json=_way_back(states[0], trace, chosen),
                    scale=chosen.scale or 1, dpi=chosen.dpi, mm=mm, transparent=chosen.transparent)
    _say(f"{chosen.output}: {made.picture.caption}")
    if mm and made.complaint:
        print(made.complaint, file=sys.stderr)
    return DONE


def _everywhere(state: State, view: str | None, at: str | None, focused: str | None,
                chosen: argparse.Namespace) -> State:
    """What the command says of a panel, said of every place and not of the active one alone."""
    here = state.place
    said: dict[str, Any] = {"view": here.view} if view else {}
    said |= {"focus": here.focus} if focused or chosen.focus else {}

    def so(place: Place) -> Place:
        turned = dict(place.look.knobs) | (dict(here.look.knobs) if chosen.knobs else {})
        return replace(place, **said, look=replace(place.look, knobs=tuple(sorted(turned.items()))))

    return replace(state, places=tuple(here if place is here else so(place) for place in state.places))


def _beside(export: Any, state: State, trace: Recorded, chosen: argparse.Namespace) -> list[Any]:
    """Every place of a State as a panel, at the time of the active one."""
    from visualizer.scene.state import changed, to_place

    sight = registry.module("sight")
    others = [to_place(state, index) for index in range(len(state.places))]
    found = _from_every_place(state, trace, chosen)
    moments = sight.joined(found, state.places, state.active)
    return [export.Panel(recorded, changed(other, at=moment.address))
            for recorded, other, moment in zip(found, others, moments, strict=True)]


def _from_every_place(state: State, own: Recorded, chosen: argparse.Namespace) -> list[Recorded]:
    """What is seen from each place of a State, from the active one `own`."""
    from visualizer.scene.state import to_place

    others = [to_place(state, index) for index in range(len(state.places))]
    return [own if index == state.active else
            _all_studied(_recordings(other, _numbers_of(other, chosen), chosen), other, chosen)
            for index, other in enumerate(others)]


def _recordings(state: State, trace: Trace, chosen: argparse.Namespace) -> Recorded:
    """The recording of the State's recipe, or all those of its reel."""
    from visualizer import sight
    from visualizer.scene.recipe import is_of_run, reeled
    from visualizer.scene.state import changed

    if not state.reel:
        return trace
    found = tuple(trace if recipe == state.recipe else _numbers_of(changed(state, recipe=recipe, reel=()), chosen)
                  for recipe in reeled(state.recipe, state.reel))
    return found if is_of_run(state.reel) else sight.gathered(found)


def _all_studied(found: Recorded, state: State, chosen: argparse.Namespace) -> Recorded:
    """The same with what the view shows beyond them."""
    from visualizer.scene.recipe import reeled
    from visualizer.scene.state import changed

    if not isinstance(found, tuple):
        return _studied(found, state.view, state, chosen)
    return tuple(_studied(trace, state.view, changed(state, recipe=recipe, reel=()), chosen)
                 for trace, recipe in zip(found, reeled(state.recipe, state.reel), strict=True))


def _numbers_of(state: State, chosen: argparse.Namespace) -> Trace:
    """The recording of a place that was saved."""
    from visualizer import door
    from visualizer.trace import load

    if state.in_lab:
        return _laboratory(state, chosen, fresh=False)[1]
    return load(state.model) if door.is_recording(state.model) else _recorded(state, chosen)


def _compare(chosen: argparse.Namespace) -> int:
    """Several networks on one input: one moment as a picture, all of the way as a film, what they cost as a table."""
    from visualizer import comparison, data
    from visualizer.comparison import path
    from visualizer.scene import colour
    from visualizer.scene.picture import Look
    from visualizer.scene.timeline import BACKWARD, FORWARD

    export, films = _headless("export"), _headless("export.film")
    pictures = tuple(suffix for form in export.formats() for suffix in form.suffixes)
    moving = tuple(suffix for form in films.formats() for suffix in form.suffixes)
    suffix, tables = _suffix(chosen.output), (".csv", ".json")
    _writable(chosen.output, (*pictures, *moving, *tables))
    colour.theme(chosen.theme)
    _torch("record")
    with _working("recording"):
        readers = comparison.read([_thing(thing) for thing in chosen.things], chosen.input,
                                  _what_if(chosen), measure=not chosen.quick)
    if not 0 <= chosen.alone <= len(readers):
        raise Usage(f"--alone is a number from 1 to {len(readers)}, one for each network.")
    look = Look(size=chosen.size, theme=chosen.theme, language=chosen.language)
    moment = path.at_share(readers[0].trace, BACKWARD if chosen.backward else FORWARD, chosen.at)
    if suffix in moving and suffix not in pictures:
        form, traces = films.find(chosen.output), [reader.trace for reader in readers]
        if missing := form.missing():
            raise NotDone(missing)
        lead = path.longest(traces) if chosen.sync == "beat" else 0
        start, end = films.whole(comparison.times(traces, lead)) if chosen.backward else \
            films.forward(comparison.times(traces, lead))
        film = films.Film(traces[lead], look=look, start=start, end=end, fps=Fraction(chosen.fps),
                          speed=Fraction(chosen.speed), scale=chosen.scale, active=lead, readers=readers,
                          sync=chosen.sync, alone=chosen.alone)
        return _written(films, form, film, chosen)
    picture = comparison.seen(readers, 0, moment, look, chosen.sync, chosen.alone)
    if suffix in tables:
        made = data.to_bytes(suffix, readers[0].trace, picture, None)
        registry.write_whole(chosen.output, made)
        _say(f"{chosen.output}: {len(made):,} bytes")
        return DONE
    export.save(picture, chosen.output, scale=chosen.scale)
    _say(f"{chosen.output}: {picture.caption}")
    return DONE


def _train(chosen: argparse.Namespace) -> int:
    """A network trained anew: the recordings of its checkpoints, and what was measured."""
    from visualizer import train

    made, folders = _torch("record.training"), _torch("record.training.folder")
    words = dict(pair for given in chosen.knobs for pair in given)
    data = "" if chosen.data is None else str(chosen.data)
    if chosen.resume and (words or data or chosen.input):
        raise Usage("A training goes on with its own knobs, data and input; leave --set, --data and --input out.")
    if chosen.resume:
        run, learner = folders.taken_up(chosen.output)
        if run.model != chosen.thing:
            raise Usage(f"The training in {chosen.output} is one of {run.model}; name that network.")
    else:
        knobs, _ = made.taught(chosen.thing)
        run, learner = folders.started(chosen.output, chosen.thing, train.course_of(words, knobs), sample=chosen.input,
                                       data=data)
    upto = chosen.updates or made.taught(chosen.thing)[1]
    if run.step >= upto:
        raise Usage(f"The training in {chosen.output} has made {run.step:,} updates already; ask for more with "
                    "--updates.")
    print(f"{run.model}: {run.about}", file=sys.stderr)
    try:
        with _progress(f"training {run.model}", chosen.json, "updates") as told:
            for grown in folders.written(chosen.output, run, learner, upto):
                run = grown
                told(run.step, upto)
    except registry.NotWritten as error:
        kept = "The training is kept up to the checkpoint before; --resume goes on from there."
        raise NotDone(f"{error} {kept}") from error
    except KeyboardInterrupt:
        return _fail(f"Stopped at update {run.step:,}; the training is kept up to update "
                     f"{run.checkpoints[-1].step:,}, and --resume goes on from there.", INTERRUPTED)
    return _trained(run, chosen)


def _trained(run: Any, chosen: argparse.Namespace) -> int:
    from visualizer import train

    first, last, best = run.checkpoints[0], run.checkpoints[-1], run.best
    said = [train.sentence(each) for each in run.named]
    if chosen.json:
        _say(json.dumps({"folder": str(chosen.output), "updates": run.step, "checkpoints": len(run.checkpoints),
                         "held_loss": _known(last.held_loss), "held_right": _known(last.held_right), "best": best.step,
                         "said": said}))
        return DONE
    right = "" if math.isnan(last.held_right) else \
        f", right answers {100 * first.held_right:.1f} % to {100 * last.held_right:.1f} %"
    _say(f"{chosen.output}: {run.step:,} updates, {len(run.checkpoints)} checkpoints; held-out loss "
         f"{first.held_loss:.4g} to {last.held_loss:.4g}{right}; best at {best.step:,}")
    for sentence in said:
        _say(f"  {sentence}")
    return DONE


def _known(value: float) -> float | None:
    """A number for JSON, which has none that is no number."""
    return value if math.isfinite(value) else None


def _curve(chosen: argparse.Namespace) -> int:
    """Right answers by strength, as a table, as data or as a picture."""
    from visualizer import curve, edits

    pictures = tuple(suffix for form in _headless("export").formats() for suffix in form.suffixes) \
        if chosen.output is not None else ()
    if chosen.output is not None:
        _writable(chosen.output, (*pictures, ".csv", ".json"))
    if len(chosen.things) > 4:
        raise Usage("Up to four networks stand in one chart; name fewer.")
    words = (*chosen.edits, *map(edits.what_if, chosen.what_if))
    for word in words:
        edits.parse(word)
    made, found = _torch("record.curves"), []
    for thing in chosen.things:
        with _working(f"counting {thing}"):
            opened = _torch("record.run").opened_with(thing, words)
            found.append(_ended(made.remembering(opened, words, made.data_of(opened, chosen.data))))
    rows = [row for each in found for row in curve.rows(each)]
    if chosen.output is not None and _suffix(chosen.output) in pictures:
        _headless("export").save(registry.module("scene.accuracy").picture(found, chosen.whole), chosen.output)
    elif chosen.output is not None:
        text = json.dumps([each.plain() for each in found], indent=1) if _suffix(chosen.output) == ".json" else \
            "\n".join(",".join(map(str, row)) for row in (curve.COLUMNS, *rows))
        registry.write_whole(chosen.output, f"{text}\n".encode())
    if chosen.json:
        _say(json.dumps([each.plain() for each in found], indent=1, ensure_ascii=False))
        return DONE
    for each in found:
        _say(f"{each.title}: right answers among {each.data}, {', '.join(each.edits)}")
        for point in each.points:
            whole = f", {100 * point.whole[0]:.1f} % of the {point.whole_of:,} that stay whole" if point.cut else ""
            _say(f"  {point.strength:<5g} {100 * point.share:5.1f} % ± {100 * point.error:.1f}{whole}")
        if each.why:
            _say(f"  {each.why}")
    return DONE


def _thing(thing: str) -> str | Trace:
    """A network by its name, or the recording that a file holds."""
    from visualizer import door
    from visualizer.trace import load

    return load(thing) if door.is_recording(thing) else thing


def _what_if(chosen: argparse.Namespace) -> tuple[str, ...]:
    """`shift=4,4` as edits are written, `shift:4,4`."""
    from visualizer import edits

    found = tuple(word.replace("=", ":", 1) for word in chosen.what_if)
    for words in found:
        if edits.parse(words)[0].applies_to != edits.INPUT:
            raise Usage(f"{words!r} is nothing that is done to an input; `visualizer list edits` says what is.")
    return found


def _share(text: str) -> float:
    try:
        value = float(text.rstrip("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share; write for example 0.55 or 55%")
    return value


def _film(chosen: argparse.Namespace) -> int:
    """A stretch of the timeline, frame by frame. What was there before stays until the new film is whole."""
    from visualizer.scene import session
    from visualizer.scene.state import changed
    from visualizer.trace import load

    if chosen.at and not chosen.over:
        raise Usage("--at goes with --over, where it says at which moment every input is looked at; a film of one "
                    "input begins with --from.")
    films = _headless("export.film")
    form = films.find(chosen.output)
    if missing := form.missing():
        raise NotDone(missing)
    if chosen.command == "page" and not form.stepped:
        raise Usage(f"A page is one HTML file; call it {chosen.output.with_suffix('.html')}.")
    _writable(chosen.output, form.suffixes)
    if chosen.numbers is None:
        state, trace = _state_and_trace(chosen)
        found = _recordings(state, trace, chosen)
        if state.compare and not chosen.over:
            look = _seen_as(state.look, chosen, chosen.size or state.look.size)
            return _compared_film(films, form, changed(state, look=look), _saved_comparison(state, trace, chosen),
                                  chosen)
    else:
        state, given = session.read(chosen.thing).state, iter([load(path) for path in chosen.numbers])
        if state.compare:
            size = chosen.size or state.look.size
            return _compared_film(films, form, changed(state, look=_seen_as(state.look, chosen, size)), list(given),
                                  chosen)
        places = [tuple(next(given) for _ in place.reel) if place.reel else next(given) for place in state.places]
        found = places[state.active]
    size = chosen.size or tuple(length - length % 2 if form.even else length for length in state.look.size)
    look = _seen_as(state.look, chosen, size)
    if chosen.over:
        return _written(films, form, _over_film(films, changed(state, look=look), chosen), chosen)
    first = chosen.first
    if state.reel and first.partition(":")[0] not in state.reel:  # the moment at which its recordings are looked at
        chosen.at, first = first or None, ""
    state = _meant(_headless("export"), changed(state, look=look), found, chosen, chosen.view)
    if chosen.numbers is None:
        found = _all_studied(found, state, chosen)
        places = _from_every_place(state, found, chosen) if len(state.places) > 1 else [found]
    start, end = films.between(registry.module("sight").times(found, state), first, chosen.last)
    film = films.of_state(state, places, start, end, Fraction(chosen.fps), Fraction(chosen.speed), chosen.scale)
    film = replace(film, state_json=_way_back(changed(state, at=film.address(0)), film.trace, chosen))
    return _written(films, form, film, chosen)


def _compared_film(films: Any, form: Any, state: State, given: list[Trace], chosen: argparse.Namespace) -> int:
    """The film of a comparison, of recordings that were made elsewhere."""
    from visualizer import comparison

    readers = comparison.received(state, given)
    times = comparison.times([reader.trace for reader in readers], state.active)
    start, end = films.between(times, chosen.first, chosen.last)
    film = films.of_state(state, (), start, end, Fraction(chosen.fps), Fraction(chosen.speed), chosen.scale, readers)
    film = replace(film, state_json=_way_back(replace(state, playing=False), film.trace, chosen))
    return _written(films, form, film, chosen)


def _saved_comparison(state: State, trace: Trace, chosen: argparse.Namespace) -> list[Trace]:
    """The recordings of all places of a comparison that was saved, then those of inputs as they were."""
    from visualizer.scene.state import as_it_was, changed, to_place

    apart = [replace(to_place(state, index), compare="") for index in range(len(state.places))]
    own = [trace if index == state.active else _numbers_of(other, chosen) for index, other in enumerate(apart)]
    return [*own, *(_numbers_of(changed(other, recipe=as_it_was(other.recipe)), chosen) for other in apart
                    if as_it_was(other.recipe) != other.recipe)]


def _over_film(films: Any, state: State, chosen: argparse.Namespace) -> Film:
    """The film that goes through inputs at one moment; each is recorded when its frames are drawn."""
    from visualizer import over, sight
    from visualizer.scene.passage import Passage
    from visualizer.scene.state import changed

    if state.in_lab or state.reel or not _runs(state) or len(state.places) > 1:
        raise Usage("--over goes through the inputs of one model; name a bundled model or a model file.")
    asked = _asked_over(state, chosen)
    words = _listed(asked, state, chosen).words
    first, last = (_number_of(said, len(words), standard) for said, standard in ((chosen.first, 1),
                                                                                  (chosen.last, len(words))))
    if last < first:
        raise Usage(f"Input {last} comes before input {first}; choose one after it for --to.")
    own = changed(state, over=asked.words if asked != over.Over() else "")
    opened = _torch("record.run").opened_with(own.model, own.edits)
    kept: dict[int, tuple[State, Trace]] = {}

    def recorded(index: int) -> tuple[State, Trace]:
        if index not in kept:
            here = changed(own, sample=words[first - 1 + index])
            made = _torch("record").record(opened, here.sample, target=chosen.target, objective=own.objective,
                                           dtype=chosen.dtype, edits=own.edits)
            while len(kept) > 1:
                del kept[next(iter(kept))]
            kept[index] = here, _studied(made, own.view, here, chosen)
        return kept[index]

    start, trace = recorded(0)
    own = _meant(_headless("export"), start, trace, chosen, chosen.view)
    kept.clear()  # what its view shows has not been measured yet
    way = Passage(first, words[first - 1:last],
                  lambda index, size: sight.seen(recorded(index)[1], own, None, size),
                  lambda index: recorded(index)[1].shapes,
                  lambda index: sight.input_words(recorded(index)[1], first + index, len(words)),
                  sight.moment_of(trace, own).beat)
    film: Film = films.Film(trace, own.view, own.focus, own.look, fps=Fraction(chosen.fps),
                            speed=Fraction(chosen.speed), scale=chosen.scale, over=way)
    return replace(film, state_json=_way_back(own, trace, chosen))


def _asked_over(state: State, chosen: argparse.Namespace) -> Over:
    """What is stepped through, as it was said; the unit that excites is the one in the focus where none is named."""
    from visualizer import over
    from visualizer.trace import Refused

    try:
        asked = over.parse(chosen.over)
        if asked.pick == over.EXCITE and not asked.of and chosen.focus:
            asked = replace(asked, of=chosen.focus)
        if asked.pick == over.EXCITE:
            asked.unit  # noqa: B018  refused where there is none
        return asked
    except Refused as error:
        raise Usage(str(error)) from error


def _listed(asked: Over, state: State, chosen: argparse.Namespace) -> Inputs:
    """The inputs that are asked for; those that do not fit are named on stderr."""
    from visualizer import over

    with _working("reading the inputs"):
        opened = _torch("record.run").opened_with(state.model, state.edits)
        steps = _torch("record.over").listed(asked, opened, state.edits)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                found: Inputs = end.value
                break
    if said := over.about(found):
        print(said, file=sys.stderr)
    return found


def _number_of(said: str, count: int, standard: int) -> int:
    if not said:
        return standard
    if not said.isdecimal() or not 1 <= int(said) <= count:
        raise Usage(f"There is no input {said!r}; with --over, --from and --to are numbers from 1 to {count:,}.")
    return int(said)


def _runs(state: State) -> bool:
    """Whether other numbers can be had of its model."""
    from visualizer import door

    return door.can_run(state.model)


def _written(films: Any, form: Any, film: Film, chosen: argparse.Namespace) -> int:
    """Write a film, and tell how far it is."""
    film = replace(film, sound=getattr(chosen, "sound", ""))
    if why := films.refusal(film, form):
        raise Usage(why)
    try:
        with _stoppable() as heed, _progress(f"filming {film.trace.model}", chosen.json) as told:
            def heard(done: int, of: int) -> None:
                heed()
                told(done, of)

            films.save(film, chosen.output, heard)
    except KeyboardInterrupt:
        kept = "the same command goes on from there" if not form.suffixes else "nothing was written"
        return _fail(f"Stopped; {kept}.", INTERRUPTED)
    files = [chosen.output] if form.suffixes else [path for path in chosen.output.iterdir() if path.is_file()]
    size, length = sum(path.stat().st_size for path in files), float(film.seconds)
    tones = film.melody.caption if film.sound else ""
    if chosen.json:
        said = {"file": str(chosen.output), "bytes": size}
        said |= {} if form.stepped else {"frames": film.count, "seconds": length}
        _say(json.dumps(said | ({"heard": tones} if tones else {})))
    elif form.stepped:
        _say(f"{chosen.output}: {size:,} bytes")
    else:
        _say(f"{chosen.output}: {film.count:,} frames, {length:.1f} s, {size:,} bytes")
        if tones:
            _say(tones if form.sounds else f"{films.sound_file(chosen.output)}: {tones}")
    return DONE


def _reeled(state: State, chosen: argparse.Namespace) -> State:
    """The State with the reel that was asked for."""
    from visualizer.scene.recipe import TRAINING
    from visualizer.scene.state import changed
    from visualizer.trace import UNTRAINED

    if not (said := getattr(chosen, "reel", "")):
        return state
    if said == "updates" and not state.in_lab:
        return _through_updates(state)
    if state.in_lab or said != ",".join(TRAINING):
        raise Usage("A reel goes through the weights of a model; write --reel before,after or --reel updates, and with "
                    "--from or --at the moment at which they are looked at.")
    return changed(state, edits=tuple(edit for edit in state.edits if edit != UNTRAINED), reel=TRAINING)


def _through_updates(state: State) -> State:
    """The State with the checkpoints of its training one after the other; NotDone where it has none."""
    from visualizer.edits import trained
    from visualizer.scene.recipe import is_trained
    from visualizer.scene.state import along_run
    from visualizer.train import kept

    words = next((edit for edit in state.edits if is_trained(edit)), trained.words_for(0))
    course = words.partition(",")[2]
    run = kept.of_file(state.model) if state.model.endswith(kept.SUFFIX) else kept.stored(state.model)
    if course:
        raise Usage("A training of its own knobs is written first: visualizer train NAME -o run, then --reel updates.")
    if run is None or len(run.checkpoints) < 2:
        raise NotDone(f"No training of {state.model} comes with the app; write one with visualizer train {state.model} "
                      "-o run, and name that folder.")
    names = tuple(str(each.step) for each in run.checkpoints)
    return along_run(state, names, trained.moved(words, run.checkpoints[-1].step), "")


def _seen_as(look: Look, chosen: argparse.Namespace, size: tuple[int, int]) -> Look:
    """The Look of the State with what the command says of it."""
    language = look.language if chosen.language is None else chosen.language
    return replace(look, size=size, theme=chosen.theme or look.theme, language=language)


def _panels(chosen: argparse.Namespace) -> list[tuple[str | None, str | None, str | None]]:
    """(view, address, focus) of every panel, None where the command says it for all of them."""
    found: list[tuple[str | None, str | None, str | None]] = []
    for text in chosen.panel:
        view, at, rest = text.partition("@")
        view, colon, focus = (view, "", "") if at else text.partition(":")
        address, colon, focus = rest.partition(":") if at else ("", colon, focus)
        found.append((view or None, address or None, focus or None))
    if chosen.panel and chosen.view:
        raise Usage("Views are named by --view or by --panel, not by both; leave one of them out.")
    return found or [(view or None, None, None) for view in (chosen.view or "").split(",")]


def _data(chosen: argparse.Namespace) -> int:
    """Numbers into a file: arrays of the layers, or the table that belongs to a picture."""
    from visualizer import data
    from visualizer.scene.state import changed

    _writable(chosen.output, (".npz", ".csv", ".json"))
    suffix = _suffix(chosen.output)
    state, trace = _state_and_trace(chosen)
    if chosen.layer is not None and chosen.layer not in trace:
        raise LookupError(f"There is no layer {chosen.layer!r}; choose one of {', '.join(it.name for it in trace)}.")
    picture, found = None, _recordings(state, trace, chosen)
    if suffix != ".npz" and chosen.layer is None:
        export = _headless("export")
        state = changed(state, look=replace(state.look, language=""))  # data are English, whoever saved the picture
        state = _meant(export, state, found, chosen, chosen.view)
        panel = export.Panel(_all_studied(found, state, chosen), state)
        picture, trace = panel.draw(state.look.size), panel.trace
    made = data.to_bytes(suffix, trace, picture, chosen.layer)
    registry.write_whole(chosen.output, made)
    _say(f"{chosen.output}: {len(made):,} bytes")
    return DONE


def _code(chosen: argparse.Namespace) -> int:
    """The network that runs, as a file that needs torch and safetensors alone."""
    from visualizer import door

    _writable(chosen.output, (".py",))
    weights = registry.weights_beside(chosen.output)
    state, trace = _state_and_trace(chosen)
    if state.in_lab or door.is_recording(state.model):
        raise Usage("A recording holds numbers and no network; name a bundled model or a model file.")
    with _working("writing"):
        _torch("record.code").refuse_others((chosen.output, weights))
        made = _torch("record").pass_of(state.model, state.sample or trace.sample.name, target=_target(state, chosen),
                                        objective=state.objective, dtype=chosen.dtype, edits=state.edits, trace=trace)
        written = _torch("record.code").code(made)
        with registry.whole(weights) as beside:  # both files or neither
            beside.write_bytes(written.weights())
            registry.write_whole(chosen.output, written.text.encode())
    size = weights.stat().st_size
    if chosen.json:
        _say(json.dumps({"file": str(chosen.output), "weights": str(weights), "bytes": size,
                         "layers": written.by_layers}))
    else:
        how = "its own layers" if written.by_layers else "operators, for inputs of this size"
        _say(f"{chosen.output}: {how}; {weights}: {size:,} bytes")
    return DONE


def _claims(chosen: argparse.Namespace) -> int:
    """Each claim with its verdict, and its numbers as measured now beside the expected ones; status 4 if one of these
    is missed, or a verdict does not stand."""
    from visualizer import claims

    asked = [claims.find(name) for name in chosen.names] or claims.claims()
    measures = _torch("record.measures")
    stands, told = True, []
    for claim in asked:
        with _working(f"measuring {claim.name}"):
            found = measures.judge(claim.name, chosen.data)
        met = {each.name: wanted is None or wanted.met_by(found.numbers[each.name]) for each in claim.numbers
               for wanted in (each.expected(chosen.data is not None),)}
        stands = stands and all(met.values()) and not found.broken
        told.append(claims.plain(found, chosen.data is not None))
        if not chosen.json:
            _say("\n".join(claims.lines(found, chosen.data is not None)) + "\n")
    if chosen.json:
        _say(json.dumps(told, indent=1, ensure_ascii=False))
    elif not chosen.names:
        _say("\n".join(claims.CLOSING))
    return DONE if stands else NOT_DONE


def _lesson(chosen: argparse.Namespace) -> int:
    """argparse sees to it that one of those below is named."""
    raise AssertionError(chosen.what)


def _lesson_list(chosen: argparse.Namespace) -> int:
    """As `visualizer list lessons`, and where lessons of one's own are found."""
    chosen.what = "lessons"
    status = _list(chosen)
    if not chosen.json:
        print(f"Lessons of your own are found in {registry.module('lesson.shelf').own_folder()}, and in a folder that "
              "--lessons names.", file=sys.stderr)
    return status


def _lesson_check(chosen: argparse.Namespace) -> int:
    """Each problem with its file and line; status 3 if there is any."""
    from visualizer.lesson import shelf

    told: list[Entry] = []
    files = [Path(name) if Path(name).suffix else shelf.find(name).path for name in chosen.names]
    known = shelf.on_shelf(shelf.folders(), every=True)
    for path in files or [*(lesson.path for lesson in known.lessons), *(path for path, _ in known.refused)]:
        lesson, problems = shelf.of_file(path)
        if lesson is not None and not chosen.quick:
            with _working(f"trying {path.name}"):
                problems = registry.module("lesson.trial").problems(lesson, _lesson_recording, _torch(
                    "record.measures").usual)
        told.append({"file": str(path), "problems": [{"line": each.line, "words": each.words} for each in problems]})
        for each in () if chosen.json else problems:
            _say(f"{path.name}, {each}.")
        if not problems and lesson is not None and not chosen.json:
            _say(f"{path.name}: {len(lesson.steps)} steps, {len(lesson.questions)} questions, "
                 f"{len(lesson.quantities)} numbers; nothing is wrong with it.")
    if chosen.json:
        _say(json.dumps(told, indent=1, ensure_ascii=False))
    return REFUSED if any(each["problems"] for each in told) else DONE


def _lesson_measures(chosen: argparse.Namespace) -> int:
    """One measure a line."""
    found = [{"name": it.name, "form": it.form, "about": it.about}
             for it in _torch("record.measures").known().values()]
    if chosen.json:
        _say(json.dumps(found, indent=1, ensure_ascii=False))
    for each in () if chosen.json else found:
        _say(f"{each['form']}\n    {each['about']}")
    return DONE


def _lesson_recording(recipe: Any, view: str = "") -> Trace:
    """What a lesson shows, recorded in this process, with what a view shows beyond it."""
    from visualizer.scene.recipe import LabRecipe

    if isinstance(recipe, LabRecipe):
        return _torch("record.lab").record_lab(*recipe.settings)  # type: ignore[no-any-return]
    made = _torch("record").pass_of(recipe.model, recipe.sample, objective=recipe.objective, edits=recipe.edits)
    missing = registry.module("views").find(view).studies if view else ()
    trace: Trace = _torch("record").with_study(made, *missing) if missing else made.trace
    return trace


def _lesson_numbers(lessons: Sequence[Any]) -> dict[str, Any]:
    """What is measured in some lessons, by the words of the measures: no number is written that was not."""
    measure = _torch("record.measures").usual
    with _working("measuring"):
        return {words: measure(words) for words in dict.fromkeys(each.words for lesson in lessons
                                                                 for each in lesson.quantities)}


def _lesson_export(chosen: argparse.Namespace) -> int:
    """The questions of some lessons in one file."""
    from visualizer import quiz
    from visualizer.lesson import shelf

    quiz.find(chosen.output)
    _writable(chosen.output, tuple(suffix for form in quiz.formats() for suffix in form.suffixes))
    found = [shelf.find(name) for name in chosen.names]
    count = quiz.save(found, chosen.output, _lesson_numbers(found))
    _say(f"{chosen.output}: {count} questions")
    return DONE


def _lesson_print(chosen: argparse.Namespace) -> int:
    """A handout of each lesson, all in one file."""
    from visualizer.lesson import shelf

    handout = _headless("handout")
    _writable(chosen.output, (".pdf",))
    found = [shelf.find(name) for name in chosen.names]
    with _working("recording and laying out"):
        count = handout.save(found, chosen.output, _lesson_recording, paper=chosen.paper, answers=chosen.answers,
                             numbers=_lesson_numbers(found))
    _say(f"{chosen.output}: {count} pages")
    return DONE


def _lesson_film(chosen: argparse.Namespace) -> int:
    """A lesson as a film, and its sentences beside it."""
    from fractions import Fraction
    from functools import cache

    from visualizer.lesson import shelf

    films, lessonfilm = _headless("export.film"), registry.module("lessonfilm")
    form = films.find(chosen.output)
    if missing := form.missing():
        raise NotDone(missing)
    _writable(chosen.output, form.suffixes)
    found = shelf.find(chosen.name)
    made = lessonfilm.film(found, cache(_lesson_recording), _lesson_numbers([found]), chosen.size,
                           Fraction(chosen.speed))
    if why := films.refusal(made, form):
        raise Usage(why)
    with _progress(f"filming {found.title}", False) as told:
        path, beside = lessonfilm.write(made, chosen.output, told)
    _say(f"{path}: {len(made.slides)} slides, {float(made.seconds):.0f} s; captions in {beside.name}")
    return DONE


def _ended(work: Iterator[Any]) -> Any:
    """What a generator returns, run to its end."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def _doctor(chosen: argparse.Namespace) -> int:
    """Every finding on a line, what mends it below; status 4 if something does not work."""
    from visualizer import doctor

    findings = list(doctor.examine())
    if chosen.json:
        _say(json.dumps([asdict(finding) for finding in findings], indent=1))
    for finding in [] if chosen.json else findings:
        _say(f"{finding.state:<6}{finding.about:<13}{finding.found}")
        if finding.mend:
            _say(f"{'':<19}{finding.mend}")
    return NOT_DONE if any(finding.state == doctor.FAILS for finding in findings) else DONE


# --- what is listed -------------------------------------------------------------------------------------------------

def _models() -> list[Entry]:
    cards = ((name, registry.card(name)) for name in registry.models())
    return [{"name": name, "about": f"{card.get('title', name)}, {int(card.get('parameters', 0)):,} parameters"
             + (f" ({card['group']})" if card.get("group") else ""), **card} for name, card in cards]


def _samples() -> list[Entry]:
    inputs = registry.module("inputs")
    return [{"name": it.name, "about": it.title + ("" if it.label is None else f", labelled {it.label}"),
             "label": it.label, "kind": kind.name} for kind in inputs.kinds() for it in inputs.all_samples(kind.name)]


def _inputs() -> list[Entry]:
    return [{"name": it.name, "about": " ".join((it.title, *it.suffixes)), "suffixes": list(it.suffixes)}
            for it in registry.module("inputs").kinds()]


def _answers() -> list[Entry]:
    return [{"name": it.name, "about": it.title} for it in registry.module("answers").kinds()]


def _views() -> list[Entry]:
    return [{"name": it.name, "about": it.sentence, "title": it.title,
             "knobs": {knob: list(words) for knob, words in it.knobs}} for it in registry.module("views").all_views()]


def _edits() -> list[Entry]:
    return [{"name": it.name, "about": f"{it.about}: {it.form}", "title": it.titled(), "applies_to": it.applies_to,
             "form": it.form} for it in registry.module("edits").all_edits()]


def _claims_listed() -> list[Entry]:
    claims = registry.module("claims")
    return [{"name": it.name, "about": f"{it.row}, {it.title}: {claims.VERDICTS[it.verdict]}", "row": it.row,
             "title": it.title, "verdict": it.verdict} for it in claims.claims()]


def _lessons() -> list[Entry]:
    lesson, known = registry.module("lesson"), registry.module("lesson.shelf").shelf("")
    for sentence in known.sentences:
        print(sentence, file=sys.stderr)
    return [{"name": it.name,
             "about": f"{it.number}. {it.title}" if it.number else f"{lesson.TITLES[it.genre]}: {it.title}",
             "title": it.title, "kind": it.genre, "number": it.number, "language": it.language or "en", "goal": it.goal,
             "seconds": it.seconds, "steps": len(it.steps), "file": str(it.path)} for it in known.lessons]


def _formats() -> list[Entry]:
    pictures, films = _headless("export").formats(), _headless("export.film").formats()
    return [{"name": it.name, "about": f"{it.title} ({', '.join(it.suffixes) or 'a folder'})",
             "suffixes": list(it.suffixes)} for it in (*pictures, *films)]


def _themes() -> list[Entry]:
    colour = registry.module("scene.colour")
    return [{"name": name, "about": colour.theme(name).title} for name in colour.names()]


def _languages() -> list[Entry]:
    language = registry.module("language")
    return [{"name": code or "en", "about": title} for code, title in language.languages().items()]


_LISTED: dict[str, Callable[[], list[Entry]]] = {
    "models": _models, "samples": _samples, "inputs": _inputs, "answers": _answers, "views": _views,
    "claims": _claims_listed, "lessons": _lessons, "formats": _formats, "themes": _themes, "languages": _languages,
    "edits": _edits}


# --- from words to a picture ----------------------------------------------------------------------------------------

def _state_and_trace(chosen: argparse.Namespace) -> tuple[State, Trace]:
    """What THING stands for: where it was left, and its numbers."""
    from visualizer import door
    from visualizer.scene.session import other_weights
    from visualizer.trace import load

    _heard(chosen)
    found = door.recognise(chosen.thing)
    opened = door.open_(found, cards=_card, sample=_given(chosen), edits=_done_to(chosen) or None)
    if opened.said:
        print(opened.said, file=sys.stderr)
    state = _reeled(_aimed(opened.state, chosen), chosen)
    as_saved = all(getattr(chosen, name) is None for name in ("target", "dtype", "objective", "output_name"))
    if state.in_lab and (opened.trace is None or not as_saved or _turned(chosen)):
        return _laboratory(state, chosen, fresh=found.what == door.LABORATORY)
    if door.is_recording(state.model) and (found.saved is None or found.saved.trace is None):
        _changes_nothing(chosen)
    if opened.trace is not None and as_saved and state.recipe == opened.state.recipe:
        return state, opened.trace
    if door.is_recording(state.model):
        _changes_nothing(chosen)
        return state, load(state.model)
    trace = _recorded(state, chosen)
    if as_saved and (why := other_weights(opened, trace)):
        print(why, file=sys.stderr)
    return state, trace


def _aimed(state: State, chosen: argparse.Namespace) -> State:
    """The State with the objective that was asked for."""
    from visualizer.scene.state import changed

    objective = state.objective if chosen.objective is None else chosen.objective
    if chosen.output_name is not None:
        objective = f"{objective}:{chosen.output_name}"
    return state if objective == state.objective else changed(state, objective=objective)


def _changes_nothing(chosen: argparse.Namespace) -> None:
    """Usage where something is wished of numbers that are there already."""
    if given := [f"--{name.removesuffix('s').replace('_', '-')}"
                 for name in ("input", "target", "objective", "output_name", "dtype", "untrained", "edits", "what_if")
                 if getattr(chosen, name) not in (None, [])]:
        raise Usage(f"A trace is one finished recording, so {given[0]} changes nothing in it; name the model instead.")


def _card(model: str) -> Card | None:
    """What is known of a model; its file is opened where that has to be found out."""
    from visualizer import door

    known = door.card_of(model)
    if known is None and Path(model).is_file() and not door.is_recording(model):
        found: Card = _torch("record").describe(model)
        return found
    return known


def _done_to(chosen: argparse.Namespace) -> tuple[str, ...]:
    """The edits that were asked for."""
    from visualizer import edits
    from visualizer.trace import UNTRAINED

    wanted = dict.fromkeys([*((UNTRAINED,) if chosen.untrained else ()), *chosen.edits,
                            *map(edits.what_if, chosen.what_if)])
    for words in wanted:
        edits.parse(words)
    return tuple(wanted)


def _turned(chosen: argparse.Namespace) -> dict[str, str]:
    """The knobs of the laboratory among those that were set."""
    from visualizer import lab

    return {name: word for pairs in getattr(chosen, "knobs", ()) for name, word in pairs if name in lab.names()}


def _laboratory(state: State, chosen: argparse.Namespace, fresh: bool) -> tuple[State, Trace]:
    """The laboratory with its knobs turned: those of the State, then those that were set; `fresh`, as it opens."""
    from visualizer import lab
    from visualizer.scene.recipe import LabRecipe, lab_recipe
    from visualizer.scene.state import as_left, changed, enter_lab
    from visualizer.trace import Refused

    if given := [f"--{name.replace('_', '-')}" for name in ("input", "target", "objective", "output_name", "dtype")
                 if getattr(chosen, name) is not None]:
        raise Usage(f"The laboratory reads random numbers, so {given[0]} changes nothing in it; turn its knobs with "
                    "--set.")
    pairs = [pair for pairs in getattr(chosen, "knobs", ()) for pair in pairs]
    mine = {**as_left(state, LabRecipe).words, **_turned(chosen)}
    chosen.knobs = [tuple(pair for pair in pairs if pair[0] not in lab.names())]
    try:
        wanted, against = lab.of_look(mine)
    except Refused as error:
        raise Usage(str(error)) from error
    with _working("measuring"):
        trace = _torch("record.lab").record_lab(wanted, against)
    state = changed(state, recipe=lab_recipe(mine))
    return enter_lab(state) if fresh else state, trace


def _recorded(state: State, chosen: argparse.Namespace) -> Trace:
    """The model's numbers: the recording that is shipped, where it is the one that is asked for, or a new one."""
    from visualizer.trace import Refused, load

    shipped = registry.folder("assets") / "traces" / f"{state.model}.trace"
    if chosen.target is None and chosen.dtype is None and state.objective == "loss" \
            and not state.edits and shipped.is_file():
        ready = load(shipped)
        if state.sample in ("", ready.sample.name) and chosen.run is not _record:
            return ready
    pixels = None
    if state.sample == registry.module("inputs").DRAWN and chosen.input is None:
        if not state.drawing:
            raise Refused("This was made from a drawing, which the file does not carry; name an image with --input.")
        pixels = registry.module("scene.state").unpacked(state.drawing)
    with _working(f"recording {state.model}"):
        trace: Trace = _torch("record").record(state.model, state.sample, pixels=pixels, target=_target(state, chosen),
                                               objective=state.objective, dtype=chosen.dtype,
                                               edits=state.edits)
    return trace


def _target(state: State, chosen: argparse.Namespace) -> Any:
    """What was named as right, or the class that somebody has said the input to be."""
    return chosen.target if chosen.target is not None or not state.label or chosen.input is not None \
        else registry.module("inputs").target_in(state.label)


def _studied(trace: Trace, view: str, state: State, chosen: argparse.Namespace) -> Trace:
    """The recording with what the view shows beyond it; that of a file holds what it holds."""
    from visualizer import door

    given = dict(pair for pairs in getattr(chosen, "knobs", ()) for pair in pairs)
    look = replace(state.look, knobs=tuple({**dict(state.look.knobs), **given}.items()))
    wanted = registry.module("views").find(view).measured(look, trace, state.focus)
    missing = [name for name in wanted if name not in trace.studies]
    if not missing or state.in_lab or door.is_recording(state.model):
        return trace
    with _working("measuring"):
        record = _torch("record")
        again = record.pass_of(state.model, state.sample or trace.sample.name, target=_target(state, chosen),
                               objective=state.objective, dtype=chosen.dtype, edits=state.edits,
                               trace=trace)
        again = replace(again, others=_others(missing, state, trace, chosen))
        studied: Trace = record.with_study(again, *missing)
    return studied


def _others(studies: list[str], state: State, trace: Trace, chosen: argparse.Namespace) -> tuple[str, ...]:
    """The inputs beside which the recording is seen, where a study sees any and others than the bundled ones were
    asked for."""
    from visualizer import over

    said = getattr(chosen, "over", "") or state.over
    if over.STUDY not in studies or said == over.INPUTS:
        return ()
    chosen.over = said
    return _listed(_asked_over(state, chosen), state, chosen).around(state.sample or trace.sample.name)


def _check(trace: Trace) -> None:
    """Say how far the numbers are from their own terms; NotDone if they are not to be trusted."""
    from visualizer.scene import verdict

    report = trace.check()
    for name, why in report.unverified.items():
        _say(f"{name}: not checked, {why}")
    compared = [row for row in report.rows if row.error is not None]
    if not compared:
        raise NotDone("The trace was saved, but nothing in it could be checked; use it with care.")
    worst = max(compared, key=lambda row: (not row.agrees, (row.error or 0.0) / row.allowed))
    place = f"{verdict.what(worst.quantity)} of {worst.layer}"
    if not report.passed:
        raise NotDone(f"The trace was saved, but {place} is {worst.error:.3g} away from its own terms "
                      f"({worst.allowed:g} is allowed); do not trust it, and report the model.")
    _say(verdict.summary(report))
    _say(f"The largest difference is {worst.error:.3g}, in {place} ({worst.allowed:g} is allowed).")


def _meant(export: Any, state: State, recorded: Recorded, chosen: argparse.Namespace, view: str | None,
           at: str | None = None, focused: str | None = None) -> State:
    """The State that leads to the picture that was asked for, checked: it can be drawn."""
    from visualizer import sight
    from visualizer.scene.state import changed, go

    trace, look = sight.own(recorded), state.look
    focused, at = focused or chosen.focus, at or chosen.at
    focus = state.focus if focused is None else export.parse_focus(trace, focused)
    view = view or state.view
    found = registry.module("views").find(view)
    knobs = {name: word for name, word in look.knobs if found.takes(name, word)}  # the State may hold those of others
    given = dict(pair for pairs in chosen.knobs for pair in pairs)
    several = len(_panels(chosen)) > 1 if hasattr(chosen, "panel") else False
    known = dict(found.knobs)
    knobs |= {name: word for name, word in given.items() if not several or name in known or name in _LOOKS}
    looks = {name: _LOOKS[name](knobs.pop(name)) for name in tuple(knobs) if name in _LOOKS}
    plain = {name: getattr(look, name) for name in ("scope", "signs", "text_scale", "reduced_motion")} | looks
    export.check(trace, view, look.theme, knobs)
    look = replace(look, knobs=tuple(sorted(knobs.items())), **plain)
    times = sight.times(trace, changed(state, view=view, look=look))
    if at is not None and at.partition(":")[0] in state.reel:
        at = sight.times(recorded, changed(state, at=at, view=view, look=look)).find(at).address
    elif at is not None:
        at = times.find(at).address
    elif chosen.backward:
        at = _last_backward(trace, times, focus).address
    else:
        at = state.at
    state = changed(state, view=view, at=at, focus=focus, look=look)
    if state.reel and at and at.partition(":")[0] not in state.reel:
        state = go(changed(state, at=""), sight.moment_of(trace, state))
    return changed(state, at=sight.moment_of(recorded, state).address)


def _way_back(state: State, trace: Trace, chosen: argparse.Namespace) -> str:
    """What the picture carries so that it opens again as it is; nothing where a State cannot say it all."""
    if chosen.target is not None or chosen.dtype is not None:
        return ""
    from visualizer import door
    from visualizer.scene.state import changed, to_json

    weights = str(trace.hashes.get("weights", ""))
    itself = state.in_lab or door.is_recording(state.model)
    return to_json(state if itself else changed(state, sample=trace.sample.name), weights)


def _last_backward(trace: Trace, times: Timeline, focus: Focus | None) -> Moment:
    """The backward beat of the focused layer, or the one in which the backward pass ends."""
    from visualizer.scene.subject import step_of
    from visualizer.scene.timeline import BACKWARD

    found = times.settled(len(times.beats) - 1) if focus is None else \
        times.of(focus.layer, BACKWARD, step_of(trace, focus))
    if found is None or not found.backward:
        where = "anywhere in this recording" if focus is None else f"to {focus.layer}"
        raise Usage(f"No gradient came back {where}; choose another layer, or another --target.")
    return found


def _scope(word: str) -> str:
    if word not in ("unit", "layer", "network"):
        raise Usage(f"scope cannot be {word!r}; choose one of unit, layer, network.")
    return word


def _switch(name: str) -> Callable[[str], bool]:
    def read(word: str) -> bool:
        if word not in ("on", "off"):
            raise Usage(f"{name} cannot be {word!r}; choose on or off.")
        return word == "on"

    return read


def _text_scale(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if not 0.5 <= value <= 4:
        raise Usage(f"text_scale cannot be {word!r}; choose a number from 0.5 to 4.")
    return value


_LOOKS: dict[str, Callable[[str], Any]] = {
    "scope": _scope, "signs": _switch("signs"), "text_scale": _text_scale, "reduced_motion": _switch("reduced_motion")}
"""Knobs that every view has: fields of Look."""


def _fits_in_memory(chosen: argparse.Namespace, size: tuple[int, int], mm: tuple[float, float] | None) -> None:
    """Only where there are pixels to keep; MOST_PIXELS of four bytes are 800 MB."""
    if _suffix(chosen.output) != ".png":
        return
    if mm:
        per_mm = (chosen.dpi or 300) / 25.4
        width, height = (length * per_mm for length in mm)
    else:
        width, height = (length * (chosen.scale or 1) for length in size)
    if width * height > MOST_PIXELS:
        raise Usage(f"{width:,.0f} x {height:,.0f} pixels are too many; choose a smaller size, or write svg or pdf.")


# --- the world outside ----------------------------------------------------------------------------------------------

def _headless(module: str) -> Any:
    """A module that paints, in a program that shows no window: no screen is touched, even where there is one."""
    if sys.platform not in ("win32", "darwin"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    try:
        return registry.module(module)
    except ImportError as error:
        raise NotDone(f"Qt cannot be loaded ({error}); `visualizer doctor` says what is missing.") from error


def _torch(module: str) -> Any:
    """A part of `record`, which needs torch; NotDone with one sentence where that cannot be loaded."""
    try:
        registry.module("record.run")
        return registry.module(module)
    except ImportError as error:
        raise NotDone(f"torch cannot be loaded ({error}); `visualizer doctor` says how to mend it.") from error


def _writable(path: Path, suffixes: tuple[str, ...]) -> None:
    """Fail before the work rather than after it."""
    if suffixes and _suffix(path) not in suffixes:
        raise Usage(f"{path} has an ending that is not understood here; use one of {', '.join(suffixes)}.")
    if not path.parent.is_dir():
        raise NotDone(f"There is no folder {path.parent}; make it first, or choose another.")
    if path.is_dir() and suffixes:
        raise NotDone(f"{path} is a folder; choose another name.")
    if not os.access(path.parent, os.W_OK):
        raise NotDone(f"Nothing can be written in {path.parent}; choose a folder of your own.")


@contextmanager
def _working(what: str) -> Iterator[None]:
    """Tells a person at a terminal that something takes a moment; says nothing to a program."""
    seen = sys.stderr.isatty()
    if seen:
        print(f"{what} ...", end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        if seen:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


@contextmanager
def _progress(what: str, as_json: bool, of_what: str = "frames") -> Iterator[Callable[[int, int], None]]:
    """Something to tell how much is done: a bar for a person at a terminal, lines of JSON for a program that asks."""
    seen, shown = sys.stderr.isatty(), -1

    def told(done: int, of: int) -> None:
        nonlocal shown
        hundredths = 100 * done // of
        if hundredths == shown:
            return
        shown = hundredths
        if as_json:
            print(json.dumps({"done": done, "of": of}), flush=True)
        elif seen:
            bar = "█" * (hundredths // 4) + "░" * (25 - hundredths // 4)
            print(f"\r{what} {bar} {done:,} of {of:,} {of_what} ", end="", file=sys.stderr, flush=True)

    try:
        yield told
    finally:
        if seen and not as_json:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


@contextmanager
def _stoppable() -> Iterator[Callable[[], None]]:
    """A request to end is taken as Ctrl-C is, so that nothing half done is left.

    Yields what raises it again, asked now and then: the first one is lost where it comes in code that cannot raise.
    """
    asked: list[int] = []

    def stop(number: int, _: object) -> None:
        asked.append(number)
        raise KeyboardInterrupt

    def heed() -> None:
        if asked:
            raise KeyboardInterrupt

    try:
        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not in the main thread: whoever runs this there ends it otherwise
        yield heed
        return
    try:
        yield heed
    finally:
        for number, meant in before.items():
            signal.signal(number, meant)


def _say(text: str) -> None:
    print(text)


def _fail(error: object, status: int) -> int:
    print(" ".join(str(error).split()), file=sys.stderr)
    return status


def _suffix(thing: str | Path) -> str:
    return Path(thing).suffix.lower()
