"""Which lessons there are: those that come with the app, those of the person's own folder, those of a folder that was
named. A file of the same name in a later one takes the place of an earlier one; a file with a problem is told, and
takes no other with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from visualizer import registry
from visualizer.language import spoken, tr
from visualizer.lesson import LESSON, QUIZ, TOUR, Lesson
from visualizer.lesson.reading import Problem, borrowed, parse, read, unlike
from visualizer.trace import Refused

FOLDER = "lessons"
MOST_FILES = 500
"""Of a folder."""

_named: list[Path] = []
"""The folders that were named for as long as this process runs."""


@dataclass(frozen=True)
class Shelf:
    """The lessons in the order in which they are offered, and what is wrong with the others."""

    lessons: tuple[Lesson, ...] = ()
    refused: tuple[tuple[Path, tuple[Problem, ...]], ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """One sentence for each file that is no lesson, with the line of what is wrong first."""
        return tuple(sentence(path, problems) for path, problems in self.refused)


def sentence(path: Path, problems: tuple[Problem, ...]) -> str:
    """What is wrong with a file, and how many more things are."""
    first = tr("{name}, {problem}.").format(name=path.name, problem=problems[0])
    if len(problems) == 1:
        return first
    return f"{first} " + tr("`visualizer lesson check {path}` tells {count} more.").format(
        path=path, count=len(problems) - 1)


def look_in(folder: str | Path) -> None:
    """Have the lessons of a folder found, too, for as long as this process runs; raises Refused where there is none."""
    path = Path(folder)
    if not path.is_dir():
        raise Refused(tr("There is no folder {path}; check the name.").format(path=path))
    _named.append(path.resolve())


def suppose_nothing() -> None:
    """Forget the folders that were named."""
    _named.clear()


def own_folder() -> Path:
    """The person's own lessons; it need not be there."""
    if registry.has_state_folder():
        return registry.state_folder() / FOLDER
    import platformdirs

    return Path(platformdirs.user_documents_dir()) / "Visualizer" / FOLDER


def folders() -> tuple[Path, ...]:
    """Where lessons are looked for: a later one counts before an earlier one."""
    return (registry.folder("assets") / FOLDER, own_folder(), *_named)


def shelf(language: str | None = None) -> Shelf:
    """All that there are, each in the language that is spoken, or another one, where it is there, else in English."""
    return on_shelf(folders(), spoken() if language is None else language)


def on_shelf(where: Iterable[Path], language: str = "", every: bool = False) -> Shelf:
    """The same of these folders. A file of another language is not read where the lesson is there without it; `every`:
    it is, for what is wrong with it."""
    files = [path for folder in where for path in _files(folder)]
    first = [path for path in files if every or _parts(path)[1] in ("", language)]
    found: dict[tuple[str, str], Lesson] = {}
    refused: dict[Path, tuple[Problem, ...]] = {}

    def take(path: Path) -> None:
        lesson, problems = _kept(path)
        if lesson is None:
            refused[path] = problems
        else:
            found[lesson.name, lesson.language] = lesson

    for path in first:
        take(path)
    there = {name for name, _ in found}
    for path in sorted({*files} - {*first}):
        if _parts(path)[0] not in there:
            take(path)
    others: dict[str, Lesson] = {}
    for (name, spoken_in), lesson in found.items():
        if name not in others or spoken_in == language or (not spoken_in and others[name].language != language):
            others[name] = lesson
    kept: list[Lesson] = []
    for lesson in others.values():
        whole, problems = borrowed(lesson, others)
        if whole is None:
            refused[lesson.path] = problems
        else:
            kept.append(whole)
    return Shelf(tuple(sorted(kept, key=_rank)), tuple(refused.items()))


def find(name: str) -> Lesson:
    """The lesson of that name or number, or of a file; raises LookupError or Refused with one sentence."""
    path = Path(name)
    if path.suffix == ".md" and path.is_file():
        lesson, problems = of_file(path)
        if lesson is None:
            raise Refused(sentence(path, problems))
        return lesson
    known = shelf()
    for file, problems in known.refused:  # first: whoever has changed a copy does not mean the one that is unchanged
        if _parts(file)[0] == name:
            raise Refused(sentence(file, problems))
    for lesson in known.lessons:
        if name in (lesson.name, str(lesson.number or lesson.name)):
            return lesson
    raise LookupError(tr("There is no lesson {name}; there are {known}.").format(
        name=repr(name), known=", ".join(lesson.name for lesson in known.lessons)))


def of_file(path: Path) -> tuple[Lesson | None, tuple[Problem, ...]]:
    """The lesson of one file, which may ask questions of those beside it and of all others; and what is wrong. One in
    another language differs in its words alone from the one beside it."""
    lesson, problems = read(path)
    own = path.with_name(f"{_parts(path)[0]}{path.suffix}")
    if lesson is not None and own != path and own.is_file():
        problems = unlike(path.read_text(encoding="utf-8-sig"), own.read_text(encoding="utf-8-sig"), own.name)
        lesson = None if problems else lesson
    if lesson is None or not any(step.borrowed[0] for step in lesson.steps):
        return lesson, problems
    beside = on_shelf((*folders(), path.resolve().parent), lesson.language)
    return borrowed(lesson, {each.name: each for each in beside.lessons if each.name != lesson.name})


def wrong_with(path: Path, text: str) -> tuple[Problem, ...]:
    """What would be wrong with a text in the file of a lesson, by itself and, where it is in another language, beside
    the lesson itself; raises OSError or ValueError where that cannot be read."""
    name, language = _parts(path)
    _, problems = parse(name, text, path, language)
    own = path.with_name(f"{name}{path.suffix}")
    if problems or not language or not own.is_file():
        return problems
    return unlike(text, own.read_text(encoding="utf-8-sig"), own.name)


def rewritten(path: Path, text: str) -> tuple[Problem, ...]:
    """The same, and what would be wrong then with those beside it in other languages."""
    name, language = _parts(path)
    problems = wrong_with(path, text)
    if problems or language:
        return problems
    others = (other for other in path.parent.glob(f"{name}.*{path.suffix}") if _parts(other)[0] == name)
    return next((found for other in sorted(others)
                 if (found := unlike(other.read_text(encoding="utf-8-sig"), text, path.name))), ())


def _parts(path: Path) -> tuple[str, str]:
    """The name of a lesson, and the language that the name of its file says; empty where it says none."""
    name, _, language = path.stem.partition(".")
    return name, language


def _files(folder: Path) -> list[Path]:
    try:
        found = sorted(path for path in folder.glob("*.md") if path.is_file() and not path.name.startswith(("_", ".")))
    except OSError:
        return []
    return found[:MOST_FILES]


def _kept(path: Path) -> tuple[Lesson | None, tuple[Problem, ...]]:
    try:
        about = path.stat()
        return _read(path, about.st_mtime_ns, about.st_size, spoken())
    except (OSError, Refused) as error:
        return None, (Problem(1, str(error).rstrip(".")),)


@lru_cache(256)
def _read(path: Path, changed: int, size: int, language: str) -> tuple[Lesson | None, tuple[Problem, ...]]:
    """The file as it was then; what is wrong with it is said in a language."""
    return read(path)


def _rank(lesson: Lesson) -> tuple[int, bool, int, int, str]:
    """Tours, the shortest first; those of the course in their order, then the others by title; at last what asks."""
    return ((TOUR, LESSON, QUIZ).index(lesson.genre), not lesson.number, lesson.number,
            lesson.seconds if lesson.genre == TOUR else 0, lesson.title)

