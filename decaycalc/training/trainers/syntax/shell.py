"""Shell scripts and command lines: variables expanded, the training command's flags as a tree."""

import re
from collections.abc import Iterator
from fractions import Fraction

from decaycalc.errors import UnreadableFileError
from decaycalc.record import Record, replace
from decaycalc.training.reading.numbers import decimal_text
from decaycalc.training.trainers.syntax.arithmetic import calculate
from decaycalc.training.trainers.syntax.conditions import Condition, truth_of
from decaycalc.training.trainers.syntax.shell_words import (
    Part,
    PartKind,
    Word,
    read_parts,
    read_script,
    split_value,
)
from decaycalc.training.trainers.syntax.tree import Entries, Items, Node, Scalar

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\+?)=(.*)", re.DOTALL)
_REFERENCE = re.compile(r"(#?)([A-Za-z_]\w*|[0-9@*#?])(\[[^\]]*\])?(?::?([-=])(.*))?", re.DOTALL)
_FLAG = re.compile(r"-{1,2}[A-Za-z]")
_OVERRIDE = re.compile(r"\+{0,2}([A-Za-z_][\w.]*)=(.*)", re.DOTALL)
_PREFIXES = frozenset(
    {"export", "local", "declare", "readonly", "set", "then", "do", "else", "time", "exec",
     "nohup", "env", "if", "elif", "while", "until", "sudo"}
)  # fmt: skip
# What these are given is shown, tested or a file's name: it is not run.
_NOT_RUN = frozenset({"echo", "printf", "[", "[[", "test", "mkdir", "ls", "rm", "cp", "mv"})
_MOST_CONDITIONS = 500
_LEAVES = frozenset({"exit", "return", "continue", "break"})
_DEEPEST = 3  # commands within commands
_LONGEST = 100_000  # characters that a variable may grow to


class Typed(Record):
    """One expanded word; `open` names what in it cannot be known without running the script."""

    text: str
    line: int
    open: str = ""


class Command(Record):
    """One command line of a script: its words, the variables then set, and directives."""

    words: tuple[Typed, ...]
    variables: tuple[tuple[str, str], ...]
    directives: tuple[str, ...]

    @property
    def line(self) -> int:
        """The line on which it begins."""
        return self.words[0].line


def read_commands(text: str, name: str) -> tuple[Command, ...]:
    """Return the command lines of a script that give a flag to a program.

    Raises:
        UnreadableFileError: the script cannot be read, or has no such command.
    """
    script = read_script(text, name)
    shell = _Shell(script.variables)
    commands = []
    for words in _run(shell, script.statements, name):
        idle = words and words[0].text in _NOT_RUN
        if not idle and any(_tells(word.text) for word in words[1:]):
            variables = tuple((key, " ".join(value)) for key, value in shell.variables.items())
            commands.append(
                Command(words=tuple(words), variables=variables, directives=script.directives)
            )
    if not commands:
        raise UnreadableFileError(name, "it holds no command with options")
    return tuple(commands)


def _tells(word: str) -> bool:
    """Return whether a word is a flag, a file of settings or Hydra's `a.b=1`: some take no more."""
    override = _OVERRIDE.fullmatch(word)
    sets = override is not None and "." in override[1]
    return sets or _FLAG.match(word) is not None or word.endswith((".yaml", ".yml", ".json"))


def _run(
    shell: "_Shell", statements: tuple[tuple[Word, ...], ...], name: str, depth: int = 0
) -> Iterator[list[Typed]]:
    """Yield the words of each statement's command, and of those within `eval` and `bash -c`."""
    for statement in statements:
        shell.branch(statement)
        if shell.followed > _MOST_CONDITIONS:
            raise UnreadableFileError(name, f"it has more than {_MOST_CONDITIONS} conditions")
        if not shell.is_live:
            continue
        inner = shell.evaluated(statement)
        words = [] if inner else shell.run(statement)
        inner = inner or _of_another_shell(words)
        if not inner or depth > _DEEPEST:
            yield words
            continue
        line = statement[0].line
        for found in _run(shell, read_script(inner, name).statements, name, depth + 1):
            yield [replace(word, line=line) for word in found]


def _of_another_shell(words: list[Typed]) -> str:
    """Return the text of `bash -c TEXT`, also behind a launcher; empty where there is none."""
    for at, word in enumerate(words[:-2]):
        shell = word.text.rpartition("/")[2] in {"bash", "sh"}
        flag = words[at + 1].text
        if shell and flag[:1] == "-" and flag.endswith("c"):
            return words[at + 2].text
    return ""


def flags_tree(words: tuple[Typed, ...]) -> Entries:
    """Return a program's flags as a tree: `--a-b 1` is `a_b`; `a.b=1` is an override of `a.b`."""
    entries: dict[str, Node] = {}
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if _FLAG.match(word.text):
            values = []
            # --optimizer_args a=1 b=2: what follows is the flag's own, not an override.
            takes_pairs = word.text.endswith("args")
            while at < len(words) and not _FLAG.match(words[at].text):
                if not takes_pairs and _OVERRIDE.fullmatch(words[at].text):
                    break
                values.append(words[at])
                at += 1
            name, equals, value = word.text.partition("=")
            if equals:
                values = [Typed(text=value, line=word.line, open=word.open), *values][:1]
            entries[name.lstrip("-").replace("-", "_")] = _value(values, word.line)
        elif override := _OVERRIDE.fullmatch(word.text):
            text = None if word.open else override[2]
            entries[override[1]] = Scalar(text=text, line=word.line, open=word.open)
    return Entries(entries=entries)


def _value(values: list[Typed], line: int) -> Node:
    """Return a flag's value: true where none follows, a list of several."""
    nodes = [
        Scalar(text=None if value.open else value.text, line=line, open=value.open)
        for value in values
    ]
    if not nodes:
        return Scalar(text="true", line=line)
    return nodes[0] if len(nodes) == 1 else Items(items=tuple(nodes), line=line)


class _Shell:
    """The variables that a script has set so far; a variable is a list of words."""

    def __init__(self, variables: dict[str, list[str]]) -> None:
        self.variables = variables
        self.arrays: dict[str, list[Typed]] = {}  # the words of an array, with their own lines
        self.conditions: list[Condition] = []
        self.followed = 0  # conditions that were read
        self.cases = 0  # `case` within `case`: what is set there is open

    @property
    def is_live(self) -> bool:
        """Whether what is being read stands in no branch that is known not to be taken."""
        return all(condition.truth is not False for condition in self.conditions)

    def branch(self, statement: tuple[Word, ...]) -> None:
        """Follow the script's own course: `if`, `case`, `for` and what ends them."""
        word = statement[0].plain
        if word == "if":
            self.followed += 1
            truth = self.truth(statement[1:])
            self.conditions.append(Condition(before=dict(self.variables), truth=truth))
        elif word in {"elif", "else", "fi", "done"} and self.conditions:
            self.next_branch(word, statement)
        elif word in {"for", "while", "until"} and len(statement) > 1:
            self.loop(statement)
        elif word in {"case", "esac"}:
            self.cases += 1 if word == "case" else -1
        elif word in _LEAVES and self.conditions:
            self.conditions[-1].leaves = not self.conditions[-1].is_loop
        if word in {"then", "else", "do"} and len(statement) > 1:
            self.branch(statement[1:])

    def next_branch(self, word: str, statement: tuple[Word, ...]) -> None:
        """End a branch of the innermost `if`, and begin the next or go on behind it."""
        condition = self.conditions[-1]
        condition.close(self.variables)
        if word in {"fi", "done"}:
            self.variables = self.conditions.pop().joined()
            return
        truth = True if word == "else" else self.truth(statement[1:])
        self.variables = condition.turn(truth=truth)

    def loop(self, statement: tuple[Word, ...]) -> None:
        """Set the variable of a loop over one word; over several it is open.

        A `while` that does not begin is passed over: `while [ $# -ge 1 ]` reads arguments.
        """
        kind, name, before = statement[0].plain, statement[1].plain, dict(self.variables)
        begins = kind != "while" or self.truth(statement[1:]) is not False
        self.conditions.append(Condition(before=before, truth=begins, is_loop=True))
        if kind != "for":
            return
        values = [typed.text for word in statement[3:] for typed in self.expand(word)]
        self.variables[name] = values if len(values) == 1 else [f"${name}"]

    def truth(self, words: tuple[Word, ...]) -> bool | None:
        """Return whether a test holds, None where that is not known.

        A variable that the script sets nowhere is taken to be empty, as by `${NAME:-default}`.
        """
        return truth_of([self.tested(word) for word in words])

    def tested(self, word: Word) -> str:
        """Return a word of a test, empty for a variable that is not set."""
        parts = [part for part in word.parts if part.kind is not PartKind.TEXT or part.text]
        text = self.joined(word.parts)
        alone = len(parts) == 1 and parts[0].kind is PartKind.VARIABLE
        if alone and parts[0].text == "#":
            return "0"
        is_unset = alone and parts[0].text not in self.variables
        return "" if is_unset and text == f"${parts[0].text}" else text

    def run(self, statement: tuple[Word, ...]) -> list[Typed]:
        """Take a statement's assignments and return its command's words, none if it has none."""
        at = 0
        while at < len(statement):
            word = statement[at]
            match = _ASSIGNMENT.match(word.plain)
            if match:
                at = self.assign(statement, at, match)
            elif word.plain in _PREFIXES or word.plain in {"(", "{", "!"}:
                at += 1
            else:
                break
        if self.cases > 0:  # one of several branches sets it
            found = (_ASSIGNMENT.match(each.plain) for each in statement)
            self.variables |= {match[1]: [f"${match[1]}"] for match in found if match}
        return [typed for word in statement[at:] for typed in self.expand(word)]

    def evaluated(self, statement: tuple[Word, ...]) -> str:
        """Return the text that a statement gives to `eval`, empty where it does not."""
        if statement[0].plain != "eval":
            return ""
        return " ".join(self.joined(word.parts) for word in statement[1:])

    def assign(self, statement: tuple[Word, ...], at: int, match: re.Match[str]) -> int:
        """Set a variable or array; return where the statement goes on."""
        word, name = statement[at], match[1]
        is_array = not match[3] and len(word.parts) == 1 and _is_open(statement, at + 1)
        own: list[Typed] = []
        if is_array:
            at += 2
            while at < len(statement) and statement[at].plain != ")":
                own += self.expand(statement[at])
                at += 1
            values = [typed.text for typed in own]
        else:
            first = Part(kind=PartKind.TEXT, text=match[3], quoted=True)
            values = [self.joined((first, *word.parts[1:]))]
        if match[2]:
            old = self.variables.get(name, [])
            values = [*old, *values] if is_array else ["".join([*old, *values])]
        if sum(map(len, values)) <= _LONGEST:
            self.arrays[name] = [*self.arrays.get(name, []), *own] if match[2] else own
            self.variables[name] = values
        return at + 1

    def array(self, word: Word) -> list[Typed]:
        """Return an array's words where a word is one and no more, `"${NAME[@]}"`."""
        parts = [part for part in word.parts if part.kind is not PartKind.TEXT or part.text]
        if len(parts) != 1 or parts[0].kind is not PartKind.VARIABLE:
            return []
        name, mark, _ = parts[0].text.partition("[@]")
        words = self.arrays.get(name, []) if mark else []
        whole = [typed.text for typed in words] == self.variables.get(name)
        plain = parts[0].quoted or not any(len(split_value(typed.text)) != 1 for typed in words)
        return words if whole and plain else []

    def joined(self, parts: tuple[Part, ...]) -> str:
        """Return parts as one text; what is open stays as typed."""
        return "".join(" ".join(self.values(part)) for part in parts)

    def expand(self, word: Word) -> list[Typed]:
        """Return the words that a word expands to."""
        if words := self.array(word):
            return words
        texts: list[str] = [""]
        for part in word.parts:
            values = self.values(part)
            if part.kind is PartKind.VARIABLE and values != [f"${part.text}"]:
                if not part.quoted:
                    values = [piece for value in values for piece in split_value(value)]
                elif "@" not in part.text:
                    values = [" ".join(values)]
            texts[-1] += values[0] if values else ""
            texts += values[1:]
        quoted = any(part.quoted for part in word.parts)
        return [
            Typed(text=text, line=word.line, open=_open_reason(text))
            for text in texts
            if text or (quoted and len(texts) == 1 and not _has_array(word))
        ]

    def values(self, part: Part) -> list[str]:
        """Return what a part stands for, as words; an unknown one keeps its dollar."""
        if part.kind is PartKind.TEXT:
            return [part.text]
        if part.kind is PartKind.COMMAND:
            return [self.printed(part.text.strip())]
        if part.kind is PartKind.ARITHMETIC:
            number = calculate(part.text, self.number)
            return [f"$(({part.text}))" if number is None else decimal_text(number)]
        return self.variable(part.text)

    def printed(self, text: str) -> str:
        """Return what `$(expr 16 / $GPUS)` prints; any other command stays as typed."""
        name, _, rest = text.partition(" ")
        number = calculate(rest.replace("\\*", "*"), self.number) if name == "expr" else None
        return f"$({text})" if number is None else decimal_text(number)

    def variable(self, text: str) -> list[str]:
        """Return a variable's words: `NAME`, `NAME[@]`, `#NAME[@]`, `NAME:-default`.

        `NAME:=default` sets the variable too, as `: ${NAME:=default}` does at a script's top.
        """
        match = _REFERENCE.fullmatch(text)
        if match is None or (match[1] and not match[3]):
            return [f"${{{text}}}"]
        known = self.variables.get(match[2])
        if not known and match[5] is not None:
            return self.default(match[2], match[5], keeps=match[4] == "=")
        if known is None:
            return [f"${match[2]}"]
        if match[1]:
            return [str(len(known))]
        index = (match[3] or "[0]")[1:-1]
        if index in {"@", "*"}:
            return known
        return [known[int(index)]] if index.isdecimal() and int(index) < len(known) else [""]

    def default(self, name: str, text: str, *, keeps: bool) -> list[str]:
        """Return the default of a variable that is not set, itself expanded."""
        bare = text.strip("\"'")
        parts = read_parts(bare) if bare.count("${") <= _DEEPEST else ()
        value = self.joined(parts) if parts else bare
        if keeps and len(value) <= _LONGEST:
            self.variables[name] = [value]
        return [value]

    def number(self, name: str) -> str | None:
        """Return a variable's text for arithmetic, None where it is unknown."""
        known = self.variables.get(name)
        return known[0] if known else None


def _is_open(statement: tuple[Word, ...], at: int) -> bool:
    return at < len(statement) and statement[at].plain == "("


def _open_reason(text: str) -> str:
    """Return what a word waits for, empty where it is known."""
    return f"{text[:60]} is only known when the script runs" if "$" in text else ""


def _has_array(word: Word) -> bool:
    return any(part.kind is PartKind.VARIABLE and "@" in part.text for part in word.parts)


def as_number(text: str) -> Fraction | None:
    """Return a count of devices as a number, None for `auto`, `gpu` or a range."""
    return Fraction(text) if text.isascii() and text.isdecimal() and len(text) < 7 else None  # noqa: PLR2004
