"""Shell scripts and command lines: variables expanded, the training command's flags as a tree."""

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice

from decaycalc.errors import UnreadableFileError
from decaycalc.record import Record, replace
from decaycalc.training.trainers.syntax.conditions import Condition, matches, truth_of
from decaycalc.training.trainers.syntax.shell_variables import (
    ASSIGNMENT,
    ELEMENT,
    ShellVariables,
    Typed,
    open_reason,
)
from decaycalc.training.trainers.syntax.shell_words import PartKind, Word, read_script
from decaycalc.training.trainers.syntax.tree import Entries, Items, Node, Scalar

_FLAG = re.compile(r"-{1,2}[A-Za-z]")
_OVERRIDE = re.compile(r"\+{0,2}([A-Za-z_][\w.]*)=(.*)", re.DOTALL)
_PREFIXES = frozenset(
    {"export", "local", "declare", "typeset", "readonly", "set", "then", "do", "else", "time",
     "exec", "nohup", "env", "if", "elif", "while", "until", "sudo"}
)  # fmt: skip
_DECLARES = frozenset({"export", "local", "declare", "typeset", "readonly"})
# What these are given is shown, tested or a file's name: it is not run.
_NOT_RUN = frozenset({"echo", "printf", "[", "[[", "test", "mkdir", "ls", "rm", "cp", "mv"})
_MOST_CONDITIONS = 500
_LEADS = frozenset({"then", "else", "do", "{"})
_LOOPS = frozenset({"for", "while", "until"})
_NAME = re.compile(r"[A-Za-z_]\w*")
_LEAVES = frozenset({"exit", "return", "continue", "break"})
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
    shell = _Shell(script.variables)
    commands = []
    for words in _run(shell, script.statements, name):
        idle = words and words[0].text in _NOT_RUN
        if not idle and any(_tells(word.text) for word in words[1:]):
            variables = tuple((key, " ".join(value)) for key, value in shell.scope.known.items())
            commands.append(
                ShellCommand(words=tuple(words), variables=variables, directives=script.directives)
            )
    if not commands:
        raise UnreadableFileError(name, "it holds no command with options")
    return tuple(commands)


def read_assigned(text: str, name: str) -> Entries:
    """Return the variables that a file of nothing but assignments sets, a `config.env`.

    Raises:
        UnreadableFileError: the text cannot be read, or does more.
    """
    script = read_script(text, name)
    shell = _Shell(script.variables)
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


def _run(
    shell: "_Shell", statements: tuple[tuple[Word, ...], ...], name: str, depth: int = 0
) -> Iterator[list[Typed]]:
    """Yield the words of each statement's command, and of those within `eval` and `bash -c`."""
    for at, whole in enumerate(statements):
        shell.ahead = islice(statements, at + 1, None)
        statement = shell.within_case(whole)
        if statement:
            shell.branch(statement)
        if shell.followed > _MOST_CONDITIONS:
            raise UnreadableFileError(name, f"it has more than {_MOST_CONDITIONS} conditions")
        if not statement or not shell.is_live:
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
            text = None if word.open or override[2] == "null" else override[2]
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
    """How far a script has run: the variables that it has set, and the branch that it is in."""

    def __init__(self, variables: dict[str, list[str]]) -> None:
        self.scope = ShellVariables(variables)
        self.conditions: list[Condition] = []
        self.followed = 0  # conditions that were read
        self.ahead: Iterator[tuple[Word, ...]] = iter(())  # the statements that follow

    @property
    def is_live(self) -> bool:
        """Whether what is being read stands in no branch that is known not to be taken."""
        return all(condition.truth is not False for condition in self.conditions)

    def branch(self, statement: tuple[Word, ...]) -> None:
        """Follow the script's own course: `if`, `for` and what ends them."""
        word = statement[0].plain
        if word == "if":
            self.followed += 1
            truth = self.truth(statement[1:])
            self.conditions.append(Condition(before=dict(self.scope.known), truth=truth))
        elif word in {"elif", "else", "fi", "done"} and self.conditions:
            self.next_branch(word, statement)
        elif word in _LOOPS and len(statement) > 1:
            self.loop(statement)
        elif word in _LEAVES and self.conditions:
            self.conditions[-1].leaves = not self.conditions[-1].is_loop
        if word in _LEADS and len(statement) > 1:
            self.branch(statement[1:])

    def within_case(self, statement: tuple[Word, ...]) -> tuple[Word, ...]:
        """Return what a statement holds beside the heads of a `case`, following those."""
        if statement[0].plain in _LEADS and _is_case(statement[1:]):
            self.branch(statement[:1])
            statement = statement[1:]
        if _is_case(statement):
            self.begin_case(statement[1])
            statement = statement[3:]
        top = self.conditions[-1] if self.conditions else None
        if top is None or not top.is_case or not statement:
            return statement
        if statement[0].plain in {";;", "esac"}:
            return self.end_of_case(top, closes=statement[0].plain == "esac")
        if top.heads is None:
            return statement
        rest = self.head_of_case(top, statement)
        return self.within_case(rest) if rest and self.followed <= _MOST_CONDITIONS else rest

    def begin_case(self, subject: Word) -> None:
        """Begin a `case` of a word, none of whose branches is read yet."""
        self.followed += 1
        text = self.scope.joined(subject.parts)
        word = None if "$" in text else text
        before = dict(self.scope.known)
        case = Condition(before=before, truth=False, is_case=True, word=word, heads=[])
        self.conditions.append(case)

    def head_of_case(self, case: Condition, statement: tuple[Word, ...]) -> tuple[Word, ...]:
        """Read patterns, `7b | 13b )`; return what follows them, nothing where they go on."""
        heads = case.heads or []
        for at, word in enumerate(statement):
            if word.plain == ")":
                case.heads = None
                self.scope.known = case.turn(truth=matches(case.word, heads))
                return statement[at + 1 :]
            if word.plain != "(" and (heads or at or word.plain != "in"):
                heads.append(self.scope.joined(word.parts))
        case.heads = heads
        return ()

    def end_of_case(self, case: Condition, *, closes: bool) -> tuple[Word, ...]:
        """End a branch of a `case`, and the whole where it closes."""
        if case.heads is None:
            case.close(self.scope.known)
        case.heads, case.truth = [], False
        self.scope.known = dict(case.before)
        if closes:
            self.scope.known = self.conditions.pop().joined()
        return ()

    def next_branch(self, word: str, statement: tuple[Word, ...]) -> None:
        """End a branch of the innermost `if`, and begin the next or go on behind it."""
        condition = self.conditions[-1]
        condition.close(self.scope.known)
        if word in {"fi", "done"}:
            self.scope.known = self.conditions.pop().joined()
            return
        self.scope.known = dict(condition.before)  # the branch before was not taken
        truth = True if word == "else" else self.truth(statement[1:])
        self.scope.known = condition.turn(truth=truth)

    def loop(self, statement: tuple[Word, ...]) -> None:
        """Set the variable of a loop over one word; over several it is open.

        So is what a turn of those takes from the one before: `A+=x`. A `while` that does not begin
        is passed over: `while [ $# -ge 1 ]` reads arguments.
        """
        self.followed += 1
        kind, name, before = statement[0].plain, statement[1].plain, dict(self.scope.known)
        begins = kind != "while" or self.truth(statement[1:]) is not False
        self.conditions.append(Condition(before=before, truth=begins, is_loop=True))
        values: list[str] = []
        if kind == "for":
            texts = [typed.text for word in statement[3:] for typed in self.scope.expand(word)]
            values = [value for text in texts for value in _braced(text)]
            self.scope.known[name] = values if len(values) == 1 else [f"${name}"]
        if len(values) != 1 or "$" in values[0]:
            self.scope.known |= {each: [f"${each}"] for each in _carried(self.ahead)}

    def truth(self, words: tuple[Word, ...]) -> bool | None:
        """Return whether a test holds, None where that is not known.

        A variable that the script sets nowhere is taken to be empty, as by `${NAME:-default}`.
        """
        return truth_of([self.tested(word) for word in words])

    def tested(self, word: Word) -> str:
        """Return a word of a test, empty for a variable that is not set."""
        parts = [part for part in word.parts if part.kind is not PartKind.TEXT or part.text]
        text = self.scope.joined(word.parts)
        alone = len(parts) == 1 and parts[0].kind is PartKind.VARIABLE
        if alone and parts[0].text == "#":
            return "0"
        is_unset = alone and parts[0].text not in self.scope.known
        return "" if is_unset and text == f"${parts[0].text}" else text

    def run(self, statement: tuple[Word, ...]) -> list[Typed]:
        """Take a statement's assignments and return its command's words, none if it has none."""
        at = 0
        while at < len(statement):
            word = statement[at]
            match = ASSIGNMENT.match(word.plain)
            if match:
                at = self.scope.assign(statement, at, match)
            elif element := ELEMENT.match(self.scope.joined(word.parts)):
                self.scope.assign_element(element)
                at += 1
            elif word.plain in _PREFIXES or word.plain in {"(", "{", "!"}:
                at = self.declared(statement, at) if word.plain in _DECLARES else at + 1
            else:
                break
        if at < len(statement) and statement[at].plain == "unset":
            for word in statement[at + 1 :]:
                self.scope.known.pop(self.scope.joined(word.parts), None)
        return [typed for word in statement[at:] for typed in self.scope.expand(word)]

    def declared(self, statement: tuple[Word, ...], at: int) -> int:
        """Take the flags of `declare -A NAME`; return where what it declares begins."""
        at += 1
        has_keys = False
        while at < len(statement) and _FLAG.match(flag := statement[at].plain):
            has_keys = has_keys or "A" in flag
            at += 1
        if has_keys:
            self.scope.keyed |= {word.plain.partition("=")[0] for word in statement[at:]}
        return at

    def evaluated(self, statement: tuple[Word, ...]) -> str:
        """Return the text that a statement gives to `eval`, empty where it does not."""
        if statement[0].plain != "eval":
            return ""
        return " ".join(self.scope.joined(word.parts) for word in statement[1:])


def _braced(text: str) -> list[str]:
    """Return the words that braces make, `{5,10}` or `{1..3}`; an empty one of a list drops out."""
    inner = text[1:-1]
    if text[:1] != "{" or text[-1:] != "}" or "{" in inner:
        return [text]
    return [part for part in re.split(r",|\.\.", inner) if part]


def _carried(ahead: Iterator[tuple[Word, ...]]) -> set[str]:
    """Return the variables that a loop's body both reads and sets."""
    depth, sets, reads = 1, set[str](), set[str]()
    for statement in ahead:
        plain = [word.plain for word in statement]
        heads = [
            at
            for at, word in enumerate(plain)
            if word in _LOOPS and (not at or plain[at - 1] in _LEADS | {")"})
        ]
        depth += len(heads) - (plain[0] == "done")
        sets |= {name for at in heads if plain[at] == "for" for name in plain[at + 1 : at + 2]}
        if not depth:
            break
        for word in statement:
            match = ASSIGNMENT.match(word.plain)
            if match:
                sets.add(match[1])
                reads |= {match[1]} if match[2] else set()
            texts = (part.text for part in word.parts if part.kind is not PartKind.TEXT)
            reads |= {name for text in texts for name in _NAME.findall(text)}
    return sets & reads


def _is_case(statement: tuple[Word, ...]) -> bool:
    """Return whether a statement begins a `case`, whose `in` may stand on the next line."""
    plain = [word.plain for word in statement[:3]]
    return len(statement) > 1 and plain[0] == "case" and plain[2:] in (["in"], [])


def as_number(text: str) -> Fraction | None:
    """Return a count of devices as a number, None for `auto`, `gpu` or a range."""
    return Fraction(text) if text.isascii() and text.isdecimal() and len(text) < 7 else None  # noqa: PLR2004
