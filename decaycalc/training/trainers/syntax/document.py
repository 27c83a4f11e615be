"""Document: a training file parsed by whichever syntax its content has."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from decaycalc.errors import UnreadableFileError
from decaycalc.files.text import STDIN, check_kind, decode, name_of
from decaycalc.files.text import read_text as text_of
from decaycalc.record import Record, replace
from decaycalc.training.trainers.syntax.sniffing import OF_ENDINGS, Syntax, sniff
from decaycalc.training.trainers.syntax.tree import (
    Entries,
    Node,
    Scalar,
    check_size,
    find,
    from_file,
    joined,
)

# A hand-written configuration is a few kilobytes; ten megabytes hold any generated network.
LARGEST_FILE = 10_000_000


_PARSERS = {
    Syntax.JSON: ("data", "parse_json"),
    Syntax.TOML: ("data", "parse_toml"),
    Syntax.YAML: ("yaml_events", "parse_yaml"),
    Syntax.PYTHON: ("python_text", "parse_python"),
    Syntax.PROTOTEXT: ("prototext", "parse_prototext_tree"),
    Syntax.SECTIONS: ("sections", "parse_sections"),
    Syntax.INI: ("sections", "parse_ini"),
}

_ARCHIVE = ".keras"
_OF_DEFAULTS = "base.yml"  # MaxText's, which its defaults are read in
_MOST_ABOVE = 6  # folders between a script and the place where it is run
_CONFIGS = "configs"
ENDINGS = (*OF_ENDINGS, _ARCHIVE)


class Document(Record):
    """One parsed training file, or one command line of a script.

    `name` is what the user typed; `folder` is where neighbours may lie, None for a pipe.
    `program`, `devices`, `launcher_file` and `settings_file` are what a command line tells beside
    its flags; `absent` is why nothing else in it says the run: a settings' file that is not there,
    an optimizer that is not known. `text` is that of a Python
    file that speaks of what its bases hold, which are known only where it lies. `note` is what to
    know of how it was read.
    """

    name: str
    syntax: Syntax
    root: Entries
    folder: Path | None = None
    program: str = ""
    devices: Scalar | None = None
    launcher_file: str = ""
    settings_file: Scalar | None = None
    absent: str = ""
    text: str = ""
    note: str = ""

    def neighbour(self, name: str) -> "Document | None":
        """Return the file of that name beside this one; None where it is not there or not read.

        Only a regular file by a relative name counts, and only where `_reach` says: who wrote this
        file need not be who reads it.
        """
        place = self.place(name)
        if place is None:
            return None
        try:
            return read_documents(str(place), streams=False)[0]
        except (UnreadableFileError, OSError, ValueError, RuntimeError):
            return None

    def place(self, name: str) -> Path | None:
        """Return where a file of that relative name would lie, None where that is out of reach."""
        if self.folder is None or Path(name).is_absolute():
            return None
        try:
            folder = self.folder.resolve()
            place = (folder / name).resolve()
        except (OSError, ValueError, RuntimeError):  # a name no file can have
            return None
        return place if place.is_relative_to(self.reach) else None

    @property
    def reach(self) -> Path:
        """The folder within which its neighbours lie."""
        return _reach((self.folder or Path()).resolve())

    def named(self, name: str) -> "Document | None":
        """Return the file that a script names, from its own folder or one above: where it is run.

        None where there is none within reach.
        """
        found = (self.neighbour(each) for each in seen_from_above(name))
        return next((each for each in found if each is not None), None)

    def made_by(self, text: str) -> "Document | None":
        """Return what the text of the script that a command runs makes of the command's flags.

        None where it makes no optimizer that is known, or several that differ.

        Raises:
            UnreadableFileError: it is not Python.
        """
        found = _scripts(text, self.program, self.root)
        if not found or any(each.root != found[0].root for each in found):
            return None
        root, note = from_file(found[0].root, self.program), f"{self.program} was read, not run"
        own = {"name": self.name, "folder": self.folder, "devices": self.devices}
        return replace(found[0], root=root, note=note, **own)


def seen_from_above(name: str) -> Iterator[str]:
    """Yield a relative name as it is from a script's own folder, and from those above."""
    return ("../" * above + name for above in range(_MOST_ABOVE))


def _reach(folder: Path) -> Path:
    """Return the folder that a file's neighbours may lie in.

    That is the repository; without one the outermost `configs` (mmaction2's files name
    `../../_base_/...` in it), else the parent folder.
    """
    above = (folder, *folder.parents)
    repositories = [each for each in above if (each / ".git").exists()]
    configs = [each for each in above if each.name == _CONFIGS]
    return next(iter((*repositories[:1], *configs[-1:])), folder.parent)


def read_documents(name: str, *, streams: bool = True) -> tuple[Document, ...]:
    """Return what a file holds: one document, or one for each command line of a script.

    `-` is standard input; without `streams` neither that nor a pipe is read.

    Raises:
        UnreadableFileError: no regular file, too large, not UTF-8, or of no syntax known here.
        MissingExtraError: YAML without PyYAML.
    """
    text = read_text(name, streams=streams)
    kept = None if name == STDIN else Path(name)
    folder, ending = (kept.parent, kept.suffix.lower()) if kept else (None, "")
    called = name_of(name)
    candidates = sniff(text, ending)
    failure: UnreadableFileError | None = None
    for syntax in candidates:
        try:
            documents = _parse(syntax, text, called)
        except UnreadableFileError as error:
            failure = failure or error
        else:
            return tuple(_placed(document, folder) for document in documents)
    raise failure or UnreadableFileError(called, "it is empty")


def _placed(document: Document, folder: Path | None) -> Document:
    """Return a document in its folder, with the devices of the launcher's own file there.

    Source: accelerate 1.x, `accelerate launch --config_file`: num_processes is of all machines.
    """
    placed = _on_its_settings(replace(document, folder=folder))
    if document.devices is not None or not document.launcher_file:
        return placed
    beside = placed.named(document.launcher_file)
    node = None if beside is None else find(beside.root, "num_processes")
    if beside is None or not isinstance(node, Scalar):
        return placed
    # Imported here: most files are no scripts.
    from decaycalc.training.trainers.syntax.launchers import of_accelerate  # noqa: PLC0415

    text = of_accelerate(beside.root, "parallelism_config.")
    if text is None:
        return placed
    return replace(placed, devices=replace(node, text=text, file=document.launcher_file))


def _on_its_settings(document: Document) -> Document:
    """Return a command line laid over the file that it takes its settings from."""
    name = document.settings_file
    if name is None:
        return document
    beside = None if name.open or not name.text else document.named(name.text)
    if beside is None and (name.text or "").rpartition("/")[2] == _OF_DEFAULTS:
        return document
    if beside is None:
        reason = name.open or f"{(name.text or '')[:80]!r} is not here"
        return replace(document, absent=f"it takes its settings from a file: {reason}")
    own = {key: node for key, node in document.root.entries.items() if node is not name}
    under = from_file(beside.root, (name.text or "").rpartition("/")[2])
    for key, node in own.items():
        under = joined(under, _nested(under, key, node))
    return replace(document, root=under)


def _nested(under: Entries, key: str, node: Node) -> Entries:
    """Return what a flag sets as a tree: `optimizer.lr` lies in a section that the file has."""
    head, dot, rest = key.partition(".")
    section = under.entries.get(head)
    inner = _nested(section, rest, node) if dot and isinstance(section, Entries) else None
    return Entries(entries={key: node} if inner is None else {head: inner})


def _parse(syntax: Syntax, text: str, name: str) -> tuple[Document, ...]:
    """Return the documents of a text in one syntax; only the parser that is needed is imported."""
    if syntax is Syntax.SHELL:
        return _commands(text, name)
    if syntax is Syntax.PYTHON and (made := _returned(text, name) or _scripts(text, name)):
        return made
    is_made = syntax is Syntax.PYTHON and "olmo_core" in text and "TrainModuleConfig(" in text
    module, function = ("python_made", "parse_made") if is_made else _PARSERS[syntax]
    package = __name__.rpartition(".")[0]
    parse: Callable[[str, str], Entries] = getattr(import_module(f"{package}.{module}"), function)
    root = parse(text, name)
    if not root.entries:
        raise UnreadableFileError(name, "it sets nothing")
    check_size(root, name)
    if syntax is Syntax.JSON and (made := _of_notebook(root, text, name)):
        return made
    kept = text if syntax is Syntax.PYTHON and _speaks_of_bases(text) else ""
    why = _unknown_in(text, name) if syntax is Syntax.PYTHON else ""
    return (Document(name=name, syntax=syntax, root=_unwrapped(root), text=kept, absent=why),)


def _unknown_in(text: str, name: str) -> str:
    """Return which unknown optimizer a Python script makes, empty where it makes none."""
    # Imported here: most files are not Python.
    from decaycalc.training.trainers.syntax.script import unknown_in  # noqa: PLC0415

    return unknown_in(text, name)


def _speaks_of_bases(text: str) -> bool:
    return "_base_." in text or "read_base" in text


def _returned(text: str, name: str) -> tuple[Document, ...]:
    """Return one document for each function of a Python file that returns a configuration."""
    # Imported here: most files are not Python.
    from decaycalc.training.trainers.syntax.python_text import (  # noqa: PLC0415
        RETURNED,
        parse_returned,
    )

    if f"{RETURNED}(" not in text:
        return ()
    found = parse_returned(text, name)
    for root in found.values():
        check_size(root, name)
    return tuple(
        Document(name=name, syntax=Syntax.PYTHON, root=root, program=function)
        for function, root in found.items()
    )


def _scripts(text: str, name: str, flags: Entries | None = None) -> tuple[Document, ...]:
    """Return one document for each optimizer that a Python script makes, told by some flags."""
    # Imported here: most files are not Python.
    from decaycalc.training.trainers.syntax.script import parse_script  # noqa: PLC0415

    found = parse_script(text, name, Entries() if flags is None else flags)
    for _, root in found:
        check_size(root, name)
    return tuple(
        Document(name=name, syntax=Syntax.PYTHON, root=root, program=made) for made, root in found
    )


def _of_notebook(root: Entries, text: str, name: str) -> tuple[Document, ...]:
    """Return one document for each optimizer that a notebook's cells make; none of other JSON."""
    # Imported here: most files are no notebooks.
    from decaycalc.training.trainers.syntax.notebook import (  # noqa: PLC0415
        LINES_COUNT,
        code_of,
        is_notebook,
    )

    if not is_notebook(root):
        return ()
    code, is_placed = code_of(root, text)
    found = _scripts(code, name)
    if not found:
        why = _unknown_in(code, name) or "it is a notebook that makes no optimizer known here"
        raise UnreadableFileError(name, why)
    note = "" if is_placed else LINES_COUNT
    return tuple(replace(document, note=note) for document in found)


def _commands(text: str, name: str) -> tuple[Document, ...]:
    """Return one document for each command line of a script."""
    # Imported here: most files are no scripts.
    from decaycalc.training.trainers.syntax.launchers import launch  # noqa: PLC0415
    from decaycalc.training.trainers.syntax.shell import (  # noqa: PLC0415
        read_assigned,
        read_commands,
    )

    if name.lower().endswith(".env"):
        return (Document(name=name, syntax=Syntax.SHELL, root=read_assigned(text, name)),)
    launched = [launch(command) for command in read_commands(text, name)]
    return tuple(
        Document(
            name=name,
            syntax=Syntax.SHELL,
            root=each.flags,
            program=each.program,
            devices=each.devices,
            launcher_file=each.config_file,
            settings_file=each.settings_file,
        )
        for each in launched
    )


def _unwrapped(root: Entries) -> Entries:
    """Return a Weights & Biases dump's settings without their wrapping, `key: {value: v}`.

    Source: wandb 0.19, files/config.yaml of a run.
    """
    marked = "_wandb" in root.entries or "wandb_version" in root.entries
    inner = {
        key: node.entries["value"]
        for key, node in root.entries.items()
        if isinstance(node, Entries) and node.entries.keys() <= {"desc", "value"} and node.entries
        if "value" in node.entries and key != "_wandb"
    }
    if inner and (marked or len(inner) == len(root.entries)):
        return Entries(entries=inner, line=root.line)
    return root


def read_text(name: str, *, streams: bool = True) -> str:
    """Return a training file's text; with `streams`, `-` is standard input and a pipe is read.

    Raises:
        UnreadableFileError: neither, too large, not UTF-8, or with a NUL.
    """
    if is_archive(name):
        return _archived(name)
    text = text_of(name, largest=LARGEST_FILE, streams=streams, stdin=streams)
    if "\0" in text:
        raise UnreadableFileError(name_of(name), "not a text: it holds a NUL")
    return text


def is_archive(name: str) -> bool:
    """Return whether a name is that of a .keras archive."""
    return name.lower().endswith(_ARCHIVE)


def _archived(name: str) -> str:
    """Return the config.json of a .keras archive.

    Raises:
        UnreadableFileError: no such archive, or a configuration that is too large.
    """
    # Imported here: most files are no archives.
    import zlib  # noqa: PLC0415
    from zipfile import BadZipFile, ZipFile  # noqa: PLC0415

    check_kind(name)
    broken = (OSError, KeyError, EOFError, BadZipFile, zlib.error)
    try:
        with ZipFile(name) as archive, archive.open("config.json") as stream:
            data = stream.read(LARGEST_FILE + 1)
    except (*broken, ValueError, NotImplementedError, RuntimeError):
        raise UnreadableFileError(name, "not a .keras archive with a config.json") from None
    if len(data) > LARGEST_FILE:
        raise UnreadableFileError(name, f"its config.json is larger than {LARGEST_FILE} bytes")
    return decode(data, name)


def scalar_text(root: Entries, path: str) -> str | None:
    """Return the text of the scalar at a path, None where there is no such scalar."""
    node = find(root, path)
    return node.text if isinstance(node, Scalar) else None
