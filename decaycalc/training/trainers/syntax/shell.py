"""Shell scripts and command lines: variables expanded, the training command's flags as a tree."""

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice

from decaycalc.errors import UnreadableFileError
from decaycalc.record import Record, replace
from decaycalc.training.trainers.syntax.conditions import Condition
from decaycalc.training.trainers.syntax.shell_course import MOST_CONDITIONS, Shell
from decaycalc.training.trainers.syntax.shell_functions import Definition, Statements, definition
from decaycalc.training.trainers.syntax.shell_variables import Typed, open_reason
from decaycalc.training.trainers.syntax.shell_words import read_script
from decaycalc.training.trainers.syntax.tree import Entries, Items, Node, Scalar

_FLAG = re.compile(r"-{1,2}[A-Za-z]")
_OVERRIDE = re.compile(r"\+{0,2}([A-Za-z_][\w.]*)=(.*)", re.DOTALL)
# A key of yacs' configurations, which is given with its value behind it: SOLVER.BASE_LR 0.01.
_YACS = re.compile(r"[A-Z][A-Z0-9_]*(?:\.[A-Z0-9_]+)+")
# One of no section is known by its place: behind another, or behind what these flags take.
_YACS_TOP = re.compile(r"[A-Z][A-Z0-9_]+")
_BEFORE_YACS = {"--cfg": 1, "--config-file": 1, "--opts": 0}
# What these are given is shown, tested or a file's name: it is not run.
_NOT_RUN = frozenset({"echo", "printf", "[", "[[", "test", "mkdir", "ls", "rm", "cp", "mv"})
_MOST_STATEMENTS = 20_000  # with those of functions, as often as they are called
_DEEPEST = 3  # commands within commands


class ShellCommand(Record):
    """One command line of a script: its words, the variables then set, and directives."""

    words: tuple[Typed, ...]
    variables: tuple[tuple[str, str], ...]
    directives: tuple[str, ...]

    @property
    def line(self) -> int:
        """The line on which it begins."""
        return self.words[0].line


def read_commands(text: str, name: str) -> tuple[ShellCommand, ...]:
    """Return the command lines of a script that give a flag to a program.

    Raises:
        UnreadableFileError: the script cannot be read, or has no such command.
    """
    script = read_script(text, name)
    reader = _Reader(Shell(script.variables), name)
    commands = [
        ShellCommand(words=tuple(words), variables=variables, directives=script.directives)
        for words, variables in reader.commands(script.statements)
        if words[0].text not in _NOT_RUN and any(_tells(word.text) for word in words[1:])
    ]
    if not commands:
        raise UnreadableFileError(name, "it holds no command with options")
    return tuple(commands)


def read_assigned(text: str, name: str) -> Entries:
    """Return the variables that a file of nothing but assignments sets, a `config.env`.

    Raises:
        UnreadableFileError: the text cannot be read, or does more.
    """
    script = read_script(text, name)
    shell = Shell(script.variables)
    lines: dict[str, int] = {}
    for statement in script.statements:
        if shell.run(statement):
            raise UnreadableFileError(name, f"line {statement[0].line}: it is no assignment")
        lines |= {key: statement[0].line for key in shell.scope.known if key not in lines}
    return Entries(
        entries={
            key: _value([Typed(text=value, line=lines[key], open=open_reason(value))], lines[key])
            for key, value in ((key, " ".join(words)) for key, words in shell.scope.known.items())
            if key in lines
        }
    )


def _tells(word: str) -> bool:
    """Return whether a word is a flag, a file of settings or Hydra's `a.b=1`: some take no more."""
    override = _OVERRIDE.fullmatch(word)
    sets = override is not None and "." in override[1]
    return sets or _FLAG.match(word) is not None or word.endswith((".yaml", ".yml", ".json"))


class _Reader:
    """Reads a script's commands in the order in which they are run, functions where called."""

    def __init__(self, shell: Shell, name: str) -> None:
        self.shell, self.name = shell, name
        self.count = 0

    def commands(
        self, statements: Statements
    ) -> Iterator[tuple[list[Typed], tuple[tuple[str, str], ...]]]:
        """Yield the words of each command with the variables set then.

        What stands in a function that is never called comes last: another script may call it.
        """
        for words in self.run(statements):
            known = self.shell.scope.known | self.shell.own
            yield words, tuple((key, " ".join(value)) for key, value in known.items())
        for name, found in tuple(self.shell.functions.items()):
            if name not in self.shell.called:
                self.shell.has_returned = self.shell.has_exited = False
                for words in self.run(found[-1].body, 1):
                    yield words, ()

    def run(self, statements: Statements, depth: int = 0) -> Iterator[list[Typed]]:
        """Yield the words of each statement's command, and of those within `eval` and `bash -c`."""
        shell, at = self.shell, 0
        while at < len(statements) and not shell.has_left:
            self.count_one()
            whole, at = statements[at], at + 1
            shell.ahead = islice(statements, at, None)
            statement = shell.within_case(whole)
            found = definition(statement, statements, at) if statement else None
            if found is not None:
                at = found.end
                if shell.is_live:
                    shell.define(found)
                continue
            if statement:
                shell.branch(statement)
            if statement and shell.is_live and not shell.has_left:
                inner = shell.evaluated(statement)
                words = [] if inner else shell.run(statement)
                yield from self.command(words, inner, statement[0].line, depth)

    def count_one(self) -> None:
        """Count a statement.

        Raises:
            UnreadableFileError: they are more, or more depend on tests, than any script has.
        """
        self.count += 1
        if self.shell.followed > MOST_CONDITIONS:
            raise UnreadableFileError(self.name, f"it has more than {MOST_CONDITIONS} conditions")
        if self.count > _MOST_STATEMENTS:
            raise UnreadableFileError(self.name, f"it runs more than {_MOST_STATEMENTS} statements")

    def command(
        self, words: list[Typed], inner: str, line: int, depth: int
    ) -> Iterator[list[Typed]]:
        """Yield a command's words, or those of the commands that it stands for."""
        shell, quoted = self.shell, _of_another_shell(words)
        text = inner or quoted
        bodies = shell.functions.get(words[0].text, ()) if words else ()
        if depth > _DEEPEST or not (text or bodies):
            if words:
                yield words
            return
        own, before = shell.own, dict(shell.scope.known)
        shell.scope.known |= own
        if bodies:
            yield from self.call(bodies, words, depth)
        else:
            for found in self.run(read_script(text, self.name).statements, depth + 1):
                yield [replace(word, line=line) for word in found]
        if quoted:  # a shell of its own
            shell.scope.known = before
        for name in own:
            shell.scope.known.pop(name, None)
        shell.scope.known |= {name: before[name] for name in own if name in before}

    def call(
        self, bodies: tuple[Definition, ...], words: list[Typed], depth: int
    ) -> Iterator[list[Typed]]:
        """Yield the commands of a function that is called; of several, which one is open."""
        shell = self.shell
        shell.called.add(words[0].text)
        outer, either = shell.scope.unbind(), Condition(before=dict(shell.scope.known), truth=None)
        for found in bodies:
            shell.scope.known = dict(either.before)
            frame = shell.call(words[1:])
            yield from self.run(found.body, depth + 1)
            shell.end_call(frame)
            if not found.is_subshell:
                either.ends.append(dict(shell.scope.known))
        either.settled = all(not found.is_subshell for found in bodies)
        shell.scope.known = either.joined() | outer


def _of_another_shell(words: list[Typed]) -> str:
    """Return the text of `bash -c TEXT`, also behind a launcher; empty where there is none."""
    for at, word in enumerate(words[:-2]):
        shell = word.text.rpartition("/")[2] in {"bash", "sh"}
        flag = words[at + 1].text
        if shell and flag[:1] == "-" and flag.endswith("c"):
            return words[at + 2].text
    return ""


def flags_tree(words: tuple[Typed, ...]) -> Entries:
    """Return a program's flags as a tree: `--a-b 1` is `a_b`; `a.b=1` and `A.B 1` are overrides."""
    entries: dict[str, Node] = {}
    at, in_pairs = 0, False
    while at < len(words):
        word = words[at]
        at += 1
        if _FLAG.match(word.text):
            values: list[Typed] = []
            # --optimizer_args a=1 b=2: what follows is the flag's own, not an override.
            takes_pairs = word.text.endswith("args")
            while at < len(words) and not _FLAG.match(words[at].text):
                if not takes_pairs and _overrides(words[at].text):
                    break
                if len(values) == _BEFORE_YACS.get(word.text) and _is_top(words[at]):
                    in_pairs = True
                    break
                values.append(words[at])
                at += 1
            name, equals, value = word.text.partition("=")
            if equals:
                values = [Typed(text=value, line=word.line, open=word.open), *values][:1]
            entries[name.lstrip("-").replace("-", "_")] = _value(values, word.line)
        elif override := _OVERRIDE.fullmatch(word.text):
            text = None if word.open or override[2] == "null" else override[2]
            entries[override[1]] = Scalar(text=text, line=word.line, open=word.open)
        elif at < len(words) and (_YACS.fullmatch(word.text) or (in_pairs and _is_top(word))):
            entries[word.text] = _value([words[at]], word.line)
            at, in_pairs = at + 1, True
    return Entries(entries=entries)


def _is_top(word: Typed) -> bool:
    return _YACS_TOP.fullmatch(word.text) is not None


def _overrides(word: str) -> bool:
    """Return whether a word begins an override: `a.b=1`, or `A.B` with its value behind it."""
    return _OVERRIDE.fullmatch(word) is not None or _YACS.fullmatch(word) is not None


def _value(values: list[Typed], line: int) -> Node:
    """Return a flag's value: true where none follows, a list of several."""
    nodes = [
        Scalar(text=None if value.open else value.text, line=line, open=value.open)
        for value in values
    ]
    if not nodes:
        return Scalar(text="true", line=line)
    return nodes[0] if len(nodes) == 1 else Items(items=tuple(nodes), line=line)


def as_number(text: str) -> Fraction | None:
    """Return a count of devices as a number, None for `auto`, `gpu` or a range."""
    return Fraction(text) if text.isascii() and text.isdecimal() and len(text) < 7 else None  # noqa: PLR2004
