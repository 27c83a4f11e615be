"""program: the training program beside a file, by its text: whose loop it is, and its defaults.

Many programs share a trainer's flags and have a loop of their own, or are its forks with other
defaults. Where the program lies beside the script that starts it, its text tells; it is never run.
"""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from decaycalc.errors import UnreadableFileError
from decaycalc.record import Record
from decaycalc.training.reading.trainer import Trainer
from decaycalc.training.trainers.syntax.document import Document, read_text, seen_from_above
from decaycalc.training.trainers.syntax.sniffing import Syntax

if TYPE_CHECKING:
    from decaycalc.training.trainers.syntax.program_text import Declared, Program

_MOST_FILES = 24  # that a program's text is looked for in: its own and those that it imports
_MOST_ENTRIES = 500  # of a folder that a program is looked for in
_LARGEST = 1_500_000  # characters of all of them
_OPEN = re.compile(r".*[$`)}][^/]*/")
_OF_FLAGS = re.compile("arg|pars|opt|conf")  # modules that flags are likelier declared in
_SCRIPTS = (".sh", ".bash")
# What a loop of one's own calls.
_OF_A_LOOP = frozenset({"backward", "zero_grad", "minimize", "apply_gradients"})
# The words of a program's name by which it does something else than train, and by which it does.
_IDLE = frozenset(
    {"sample", "eval", "evaluate", "evaluation", "infer", "inference", "predict", "generate",
     "convert", "preprocess", "export"}
)  # fmt: skip
_TRAINS = frozenset({"train", "training", "finetune", "finetuning", "pretrain", "tune", "sft"})


class Beside(Record):
    """The program that a file is for: its own text's facts, and those of what it imports."""

    file: str
    files: tuple["Program", ...]
    declared: dict[str, "Declared"]

    def default(self, flag: str) -> "Declared | None":
        """Return what declares a flag for the run; a class of the program's own need not."""
        one = self.declared.get(flag)
        return None if one is None or one.by is one.by.CLASS else one

    def literal(self, name: str) -> tuple[str, str] | None:
        """Return a number that the one optimizer it makes is given, and the file; None if none."""
        made = [(each.file, arguments) for each in self.files for arguments in each.made]
        given = dict(made[0][1]).get(name) if len(made) == 1 else None
        return None if given is None else (given, made[0][0])

    @property
    def names(self) -> frozenset[str]:
        """All names that it uses."""
        return frozenset().union(*(each.names for each in self.files))


def trains(document: Document) -> bool:
    """Return whether a command's program trains, as far as its name tells."""
    name = document.program.rpartition("/")[2].lower()
    words = set(re.findall("[a-z]+", name.removesuffix(".py")))
    return not name.endswith(".py") or not words & _IDLE or bool(words & _TRAINS)


def program_of(document: Document, trainer: Trainer) -> Beside | None:
    """Return the program beside a script, or beside a settings file of a trainer that names one."""
    # Imported here: most files have no program beside them.
    from decaycalc.training.trainers.syntax.program_text import (  # noqa: PLC0415
        declared_in,
        read_program,
    )

    for name in _named(document, trainer):
        for place in _candidates(document, name):
            text = _text(place)
            program = None if text is None else read_program(text, name.rpartition("/")[2])
            if program is not None:
                files = (program, *_imported(document, place, program))
                return Beside(file=program.file, files=files, declared=declared_in(files))
    return None


def script_of(document: Document) -> Document | None:
    """Return what the program that a script starts makes by itself of the script's flags.

    None where it is not beside it, or makes no one optimizer.
    """
    if document.syntax is not Syntax.SHELL:
        return None
    places = (place for name in _started(document) for place in _candidates(document, name))
    text = next(filter(None, map(_text, places)), None)
    try:
        return None if text is None else document.made_by(text)
    except UnreadableFileError:
        return None


def _named(document: Document, trainer: Trainer) -> Iterator[str]:
    """Yield the names that a program may lie under."""
    if document.syntax is Syntax.SHELL:
        yield from _started(document)
    elif document.syntax is Syntax.PYTHON:
        yield from trainer.programs


def _started(document: Document) -> Iterator[str]:
    """Yield the names that the program may lie under which a script starts."""
    name = _OPEN.sub("", document.program).removeprefix("./")
    if name.endswith(_SCRIPTS):  # timm's distributed_train.sh hands its words on
        name = _started_by(document, name)
    if name.endswith(".py"):
        parts = name.split("/")
        # Where a script says a place on its author's machine, a part of that is here.
        tails = range(1, len(parts)) if name.startswith("/") else range(1)
        yield from ("/".join(parts[at:]) for at in tails)
    elif "." in name and "/" not in name:
        path = name.replace(".", "/")
        yield from (f"{path}.py", f"{path}/__main__.py", f"src/{path}.py")


def _candidates(document: Document, name: str) -> Iterator[Path]:
    """Yield where a program may lie: in a script's folder or one above.

    Within a repository also in the one folder beside those that has it: `cd src` came before.
    """
    places = [document.place(each) for each in seen_from_above(name)]
    yield from (place for place in places if place is not None)
    if not (document.reach / ".git").exists():
        return
    for above in seen_from_above("."):
        folder = document.place(above)
        beside = [] if folder is None else _beside(folder, name)
        if len(beside) == 1:
            yield beside[0]


def _beside(folder: Path, name: str) -> list[Path]:
    """Return where a program lies in the folders within one."""
    try:
        found = (each / name for each in islice(folder.iterdir(), _MOST_ENTRIES))
        return [each for each in found if each.is_file()]
    except OSError:
        return []


def _started_by(document: Document, name: str) -> str:
    """Return the program that a script starts with the words it is given."""
    beside = document.named(name)
    return "" if beside is None or beside.syntax is not Syntax.SHELL else beside.program


def _text(place: Path) -> str | None:
    """Return a file's text, None where there is none that can be read."""
    try:
        return read_text(str(place), streams=False) if place.is_file() else None
    except (UnreadableFileError, OSError, ValueError):
        return None


def _imported(document: Document, place: Path, program: "Program") -> Iterator["Program"]:
    """Yield what a program imports from beside it, nearest first, and those files in turn."""
    # Imported here, as above.
    from decaycalc.training.trainers.syntax.program_text import read_program  # noqa: PLC0415

    reach, seen, size = document.reach, {place}, 0
    waiting = [(place, module) for module in program.imports]
    while waiting and len(seen) < _MOST_FILES and size < _LARGEST:
        waiting.sort(key=lambda each: _OF_FLAGS.search(each[1].rpartition(".")[2]) is None)
        source, module = waiting.pop(0)
        found = next((each for each in _places(source, module, reach) if each.is_file()), None)
        text = None if found is None or found in seen else _text(found)
        if found is None or text is None:
            continue
        seen.add(found)
        size += len(text)
        read = read_program(text, found.name)
        if read is not None:
            waiting += [(found, each) for each in read.imports]
            yield read


def _places(source: Path, module: str, reach: Path) -> Iterator[Path]:
    """Yield where a module that a file imports may lie, within reach."""
    bare = module.lstrip(".")
    dots = len(module) - len(bare)
    path = bare.replace(".", "/")
    above = source.parents[dots - 1 : dots] if dots else source.parents
    for folder in above:
        if not folder.is_relative_to(reach):
            return
        if path:
            yield folder / f"{path}.py"
        yield folder / path / "__init__.py"


def why_other(beside: Beside, trainer: Trainer) -> str:
    """Return why a program beside a file is not the trainer's, empty where nothing says so."""
    foreign = _foreign(beside, trainer)
    if foreign:
        flag, one = foreign
        return (
            f"its program {beside.file} takes --{flag} by {one.by.value} ({one.file}:{one.line}),"
            f" so it is not read as {trainer.title}'s"
        )
    names = beside.names
    if trainer.marks and names.isdisjoint(trainer.marks) and not names.isdisjoint(_OF_A_LOOP):
        return (
            f"its program {beside.file} has a loop of its own, which {trainer.title} does not run:"
            f" none of {', '.join(trainer.marks[:3])} is in it"
        )
    handed = next((each for each in beside.files if each.optimizers), None)
    if trainer.arguments and handed is not None:
        return (
            f"its program {beside.file} hands the Trainer an optimizer of its own"
            f" ({handed.file}:{handed.optimizers})"
        )
    return ""


def _foreign(beside: Beside, trainer: Trainer) -> tuple[str, "Declared"] | None:
    """Return a flag of the Trainer's arguments that a program declares by other means."""
    own = beside.files[0].file
    for flag in trainer.arguments:
        one = beside.declared.get(flag)
        # A tool that is imported may have a parser too: it counts where there are no arguments.
        counts = one is not None and (one.file == own or beside.names.isdisjoint(trainer.marks))
        if one is not None and counts and one.by.is_own:
            return flag, one
    return None


def overriding(beside: Beside) -> str:
    """Return a note on the method by which a program makes the Trainer's optimizer itself."""
    for each in beside.files:
        for name, line in each.overrides:
            return f"its program has a {name} of its own ({each.file}:{line}): not followed here"
    return ""
