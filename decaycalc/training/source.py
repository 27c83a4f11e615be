"""source: what a user names a run by, a published one or a file, to a Training."""

import re
from collections.abc import Mapping
from pathlib import Path

from decaycalc.errors import ContradictionError, UnreadableFileError
from decaycalc.files.text import STDIN
from decaycalc.record import replace
from decaycalc.training.published.index import find, find_published
from decaycalc.training.published.training import training_of
from decaycalc.training.reading.program import program_of, script_of, why_other
from decaycalc.training.reading.read import read
from decaycalc.training.reading.recognise import find_trainer, fitting, recognise, require_kind
from decaycalc.training.reading.settings import texts_of
from decaycalc.training.reading.trainer import Trainer
from decaycalc.training.record import Training
from decaycalc.training.trainers.syntax.document import (
    ENDINGS,
    Document,
    is_archive,
    read_documents,
    read_text,
)
from decaycalc.training.trainers.syntax.sniffing import Syntax
from decaycalc.training.trainers.syntax.tree import leaves

_CALLABLE = re.compile(r"[^\W\d][\w.]*:[^\W\d][\w.]*")
_CHOSEN = re.compile(r"(.+):(\d{1,4})")
_SHOWN = 60  # characters of a program that are shown


def is_file(name: str) -> bool:
    """Return whether a name means a file: `-`, a path, a known ending, or one that is there.

    A folder does, too: that it is one is said when it is read.

    >>> is_file("solver.prototxt"), is_file("-"), is_file("."), is_file("resnet-50-he")
    (True, True, True, False)
    """
    looks_so = name == "-" or "/" in name or "\\" in name or name.lower().endswith(ENDINGS)
    return looks_so or _exists(name) or (_CHOSEN.fullmatch(name) is not None)


def is_there(name: str) -> bool:
    """Return whether there is a file of that name."""
    return _exists(name) and Path(name).is_file()


def _exists(name: str) -> bool:
    try:
        return name != "" and Path(name).exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def load(name: str, *, given: Mapping[str, str] | None = None, kind: str | None = None) -> Training:
    """Return a published run of that name, or the run of a training file.

    A name that a file in the working directory has too is the published run's: write ./NAME.

    Raises:
        UnknownNameError: no run is called so, and no file is.
        UnreadableFileError: a file that is no training configuration.
        ContradictionError: a kind given for a published run.
    """
    recipe = find_published(name) if kind is None else None
    if recipe is not None:
        return training_of(recipe)
    if is_file(name):
        return read_training(name, given=given, kind=kind)
    code = "; code is read by inspect --live" if _CALLABLE.fullmatch(name) else ""
    find(name, hint=f"(nor is it a file; 'decaycalc recipes' lists the published runs{code})")
    raise ContradictionError(f"{name!r} is a published run, no file: it has no kind")


def read_training(
    name: str, *, given: Mapping[str, str] | None = None, kind: str | None = None
) -> Training:
    """Return the run that a trainer's file describes; `-` is standard input.

    `given` quantities, by decaycalc's names, take the place of the file's, and what depends on
    them follows. `kind` is the trainer; without it the file's own keys decide. `FILE:2` is the
    second command line of a script.

    Raises:
        UnreadableFileError: no file, or one that no trainer writes, or plainly another one.
        UnknownNameError: a kind that there is not.
        MissingExtraError: YAML without PyYAML.
    """
    trainer = None if kind is None else find_trainer(kind)
    path, at = _place(name)
    documents = read_documents(path)
    if at is None:
        document = _the_one(documents, trainer)
    elif 1 <= at <= len(documents):
        document = documents[at - 1]
    else:
        raise UnreadableFileError(path, _no_such(documents, at))
    known = fitting(document) if trainer is None else (trainer,)
    is_of_command = document.syntax is not Syntax.PYTHON
    if document.absent and (not known or (is_of_command and known[0].config_is_settings)):
        raise UnreadableFileError(path, document.absent)
    if trainer is None:
        return _by_its_keys(document, given)
    require_kind(document, trainer)
    return read(document, trainer, given, program_of(document, trainer))


def _no_such(documents: tuple[Document, ...], at: int) -> str:
    """Return why there is no document `FILE:at`, and what there is."""
    unit = "optimizer" if documents[0].syntax is Syntax.PYTHON else "command"
    last = len(documents)
    if last == 1:
        return f"':{at}' counts its {unit}s, and it has one: leave it out"
    return f"':{at}' counts its {unit}s, of which it has {last}"


def _by_its_keys(document: Document, given: Mapping[str, str] | None) -> Training:
    """Return the run of a file by the trainer whose keys it has, else by the program it starts.

    Raises:
        UnreadableFileError: neither is known, or the program is plainly not that trainer's;
            `--kind` reads it all the same.
    """
    reason = program = None
    if fitting(document):
        trainer = recognise(document)
        program = program_of(document, trainer)
        reason = None if program is None else why_other(program, trainer)
        if not reason:
            return read(document, trainer, given, program)
    made = script_of(document)
    if made is not None:
        return read(made, recognise(made), given)
    if reason:
        raise UnreadableFileError(document.name, f"{reason}; --kind {trainer.kind} reads it so")
    return read(document, recognise(document), given)


def _place(name: str) -> tuple[str, int | None]:
    """Return the file that a name means, and which of its command lines `FILE:2` says."""
    match = None if is_there(name) else _CHOSEN.fullmatch(name)
    if match is not None and is_there(match[1]):
        return match[1], int(match[2])
    return name, None


def source_text(name: str) -> str:
    """Return the text of a source's file; empty where there is none that can be read once more."""
    path, _ = _place(name)
    is_kept = path == STDIN or is_there(path)
    return read_text(path) if is_kept and not is_archive(path) else ""


def _are_alike(documents: list[Document]) -> bool:
    """Return whether commands give the same flags, one on this machine and one by a scheduler."""
    flags = [
        sorted((path, texts_of(node)) for path, node in leaves(each.root)) for each in documents
    ]
    return all(each == flags[0] for each in flags[1:])


def _first_of(document: Document, count: int) -> Document:
    """Return a document, with a note where it is one of several optimizers that are alike."""
    if count == 1 or document.syntax is not Syntax.PYTHON:
        return document
    note = f"it makes {count} optimizers with the same settings, of which this is the first"
    return replace(document, note="; ".join(filter(None, (document.note, note))))


def _the_one(documents: tuple[Document, ...], trainer: Trainer | None) -> Document:
    """Return the only document, or the only command line of a script that a trainer knows.

    Raises:
        UnreadableFileError: a script with several.
    """
    if len(documents) == 1:
        return documents[0]
    known = [at for at, document in enumerate(documents) if trainer or fitting(document)]
    if len(known) == 1 or (known and _are_alike([documents[at] for at in known])):
        return _first_of(documents[known[0]], len(known))
    name, is_python = documents[0].name, documents[0].syntax is Syntax.PYTHON
    if not known:  # the complaint is about the command with most to say
        return max(documents, key=lambda each: len(each.root.entries))
    programs = {at: " ".join(documents[at].program.split())[:_SHOWN] for at in known[:8]}
    choices = ", ".join(f"{name}:{at + 1} ({program})" for at, program in programs.items())
    made = "makes several optimizers" if is_python else "holds several training commands"
    raise UnreadableFileError(name, f"it {made}: give one of {choices}")
