"""Words of a shell script: statements of words, each word its parts, unexpanded; nothing is run."""

import re

from decaycalc.errors import UnreadableFileError
from decaycalc.record import Record
from decaycalc.training.trainers.syntax.heredocs import without_heredocs
from decaycalc.training.trainers.syntax.shell_parts import (
    SUBSHELL,
    SUBSHELL_END,
    Part,
    PartKind,
    Word,
)
from decaycalc.training.trainers.syntax.shell_pieces import Pieces
from decaycalc.training.trainers.syntax.slurm import variables_of

_MOST_WORDS = 50_000
_ENDS = frozenset(";\n|&")
_LINE_ENDS = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)+")
_TEST = re.compile(r"[ \t]*(?:!\s+)?(?:\[\[?|test|true|false)\s")
_LEAVES = re.compile(r"[ \t]*(?:exit|return)\b")
_TESTS = frozenset({"[", "[[", "test", "((", "true", "false"})
_BRACES = {"{": 1, "}": -1, SUBSHELL: 1, SUBSHELL_END: -1}
_HEADS = frozenset({"if", "elif", "while", "until"})
_NO_SUBSHELL = re.compile(r"\(\(|\(\s*\)")  # arithmetic, or the brackets of a function
_LEADS = frozenset({"then", "else", "do", "{", "!"})
# Commands that are run for their answer; any other is taken to succeed.
_ASKS = frozenset({"grep", "egrep", "command", "which", "type", "hash"})


class Script(Record):
    """A script's statements, and its scheduler's directives (`#SBATCH --nodes=2`) as words."""

    statements: tuple[tuple[Word, ...], ...]
    directives: tuple[str, ...]

    @property
    def variables(self) -> dict[str, list[str]]:
        """The variables that the scheduler sets from the directives: nodes, tasks, GPUs a node."""
        return variables_of(self.directives)


def read_script(text: str, name: str) -> Script:
    """Return a script's statements.

    Raises:
        UnreadableFileError: a quote or bracket without its end, or too many words.
    """
    return _Lexer(without_heredocs(text), name).read()


def read_parts(text: str) -> tuple[Part, ...]:
    """Return the parts of a text that stands within `${NAME:-...}`; none where it is no word."""
    quoted = text.replace('"', '\\"')
    try:
        return tuple(_Lexer(f'"{quoted}"', "").double_quoted())
    except UnreadableFileError:
        return ()


class _Lexer(Pieces):
    def __init__(self, text: str, name: str) -> None:
        super().__init__(text, name)
        self.count = 0
        self.statements: list[tuple[Word, ...]] = []
        self.words: list[Word] = []
        self.directives: list[str] = []
        self.is_short = False  # within the test of `[ A ] && [ B ] && C`
        self.groups: list[int] = []  # of each `[ A ] &&` that is open, the `{` that are
        self.depth = 0  # open parentheses: an array runs over line ends
        self.shells: list[int] = []  # of each open subshell, how many groups were open before
        self.heads: list[bool] = []  # of each `case` that is open, whether a pattern comes next

    def read(self) -> Script:
        """Read to the end."""
        while self.at < len(self.text):
            self.step()
        self.end_statement()
        for _ in self.groups:
            self.keyword("fi")
        return Script(statements=tuple(self.statements), directives=tuple(self.directives))

    def step(self) -> None:
        """Read a blank, a comment, a separator or a word."""
        character = self.text[self.at]
        if self.text.startswith("\\\n", self.at):
            self.at, self.line = self.at + 2, self.line + 1
        elif character == "#":
            self.comment()
        elif character in _ENDS and not self.redirects():
            self.separator(character)
        elif character.isspace():
            self.at += 1
        elif character in "()":
            self.bracket(character)
        else:
            self.word()

    def redirects(self) -> bool:
        """Return whether an ampersand is one of `2>&1` or `&>`, and begins no other command."""
        before, after = self.text[self.at - 1 : self.at], self.text[self.at + 1 : self.at + 2]
        return self.text[self.at] == "&" and (before in {">", "<"} or after == ">")

    def comment(self) -> None:
        """Step over a comment; keep a scheduler's directive."""
        end = self.text.find("\n", self.at)
        end = len(self.text) if end < 0 else end
        words = self.text[self.at : end].split()
        if words and words[0] == "#SBATCH":
            self.directives += words[1:]
        self.at = end

    def separator(self, character: str) -> None:
        """End the statement, unless a line ends within an array.

        `[ A ] && B || C` is read as `if [ A ]; then B; else C; fi`, which it says in short.
        """
        sign = self.text[self.at : self.at + 2]
        self.at += 1
        if character == "\n":
            self.line += 1
            if self.depth:
                return
        if sign in {"&&", "||"}:
            self.at += 1
            self.skip_line_ends()
            self.conditional(sign)
        else:
            self.end_statement()
            if character in "\n;" and self.groups[-1:] == [0]:
                self.groups.pop()
                self.keyword("fi")
            if sign == ";;" and not self.depth:  # a branch of a `case` ends
                self.at += 1
                self.keyword(";;")
                self.heads[-1:] = [True] * len(self.heads[-1:])

    def skip_line_ends(self) -> None:
        """Step to what follows a sign, which may stand on the next line."""
        match = _LINE_ENDS.match(self.text, self.at)
        if match is not None:
            self.line += match[0].count("\n")
            self.at = match.end()

    def conditional(self, sign: str) -> None:
        """End a statement upon which the next one depends, or go on with its test."""
        at, first = self.command()
        words = [word.plain for word in self.words]
        if words.count("[[") > words.count("]]"):  # [[ A && B ]]
            self.words.append(self.named(sign))
        elif self.is_upon_test(words[:1]):
            self.end_statement()
            if sign == "||":
                self.keyword("else")
        elif first in _TESTS and not self.is_short:
            self.words.insert(at - (words[at - 1 : at] == ["!"]), self.named("if"))
            self.is_short = True
            self.test(sign)
        elif first in _HEADS:
            self.test(sign)
        else:
            self.end_statement()
            if first and (first in _ASKS or sign == "||" or _LEAVES.match(self.text, self.at)):
                self.statements.append((self.named("if"), self.named("?")))
                self.guard(sign)

    def is_upon_test(self, first: list[str]) -> bool:
        """Return whether what ends is run upon a test: one statement, or a group that closes."""
        is_last = self.groups[-1:] == [1] and first in (["}"], [SUBSHELL_END])
        return is_last or (
            self.groups[-1:] == [0] and not self.is_short and first not in (["{"], [SUBSHELL])
        )

    def command(self) -> tuple[int, str]:
        """Return where the command of the statement begins, and its first word, `((` as one."""
        words = [word.plain for word in self.words]
        at = _behind_leads(words, _behind_head(words))
        if words[at : at + 2] == ["(", "("]:
            return at, "(("
        if ")" in words and not (_TESTS | _HEADS) & set(words[: words.index(")")]):
            # 7b) and (7b) of a `case`, or f() of a function.
            at = _behind_leads(words, len(words) - words[::-1].index(")"))
        return at, "".join(words[at : at + 1])

    def test(self, sign: str) -> None:
        """Go on with a test where another one follows the sign, else end it."""
        if _TEST.match(self.text, self.at):
            self.words.append(self.named(sign))
            return
        is_short = self.is_short
        if not is_short:  # what follows belongs to the test
            self.words.append(self.named(sign))
        self.end_statement()
        if is_short:
            self.guard(sign)

    def guard(self, sign: str) -> None:
        """Begin what is run upon a test, to the end of the line or of the group."""
        self.groups.append(0)
        if sign == "||":
            self.keyword("else")

    def keyword(self, text: str) -> None:
        """Add a statement that the script says in short."""
        self.statements.append((self.named(text),))

    def named(self, text: str) -> Word:
        """Return a word that the script does not spell."""
        return Word(parts=(Part(kind=PartKind.TEXT, text=text),), line=self.line)

    def end_statement(self) -> None:
        """Keep the statement if it has words."""
        first = self.words[0].plain if self.words else ""
        if self.groups and first in _BRACES:
            self.groups[-1] = max(self.groups[-1] + _BRACES[first], 0)
        if self.words:
            self.statements.append(tuple(self.words))
        if first == "esac":
            self.heads[-1:] = []
        self.words, self.is_short = [], False

    def bracket(self, character: str) -> None:
        """Read a parenthesis as a word; one that begins a subshell is a statement of its own."""
        if character == ")" and [word.plain for word in self.words] == ["esac"]:
            self.end_statement()
        within_head = self.heads[-1:] == [True]
        if character == "(" and self.begins_subshell() and not within_head:
            self.end_statement()
            self.words = [self.named(SUBSHELL)]
            self.end_statement()
            self.shells.append(len(self.groups))
            self.at += 1
            return
        if character == ")" and self.shells and not self.depth and not within_head:
            self.closes()
            return
        self.depth = max(self.depth + (1 if character == "(" else -1), 0)
        self.add((Part(kind=PartKind.TEXT, text=character, quoted=True),), self.line)
        self.at += 1
        if character == ")" and within_head and not self.depth:  # a pattern of a `case` ends
            self.heads[-1] = False
            self.end_statement()

    def closes(self) -> None:
        """End a subshell with what depends on a test in it."""
        self.end_statement()
        for _ in self.groups[self.shells.pop() :]:
            self.groups.pop()
            self.keyword("fi")
        self.words = [self.named(SUBSHELL_END)]
        self.at += 1

    def begins_subshell(self) -> bool:
        """Return whether a parenthesis stands where a command does, or begins a function's body."""
        words = [word.plain for word in self.words]
        before = words[_behind_head(words) :]
        is_first = all(word in _LEADS | _HEADS | {"time"} for word in before)
        is_other = _NO_SUBSHELL.match(self.text, self.at) is not None
        return is_first and not self.depth and not is_other

    def add(self, parts: tuple[Part, ...], line: int) -> None:
        """Add a word."""
        self.count += 1
        if self.count > _MOST_WORDS:
            raise self.fail(f"more than {_MOST_WORDS} words")
        self.words.append(Word(parts=parts, line=line))
        if self.words[-1].plain == "in" and self.is_of_case():
            self.heads.append(True)

    def is_of_case(self) -> bool:
        """Return whether the `in` that was read is that of a `case`."""
        words = [word.plain for word in self.words]
        before = self.statements[-1] if self.statements and words == ["in"] else ()
        return words[-3:-2] == ["case"] or "case" in [word.plain for word in before]

    def word(self) -> None:
        """Read a word to the next blank or separator."""
        parts: list[Part] = []
        line = self.line
        while self.at < len(self.text):
            character = self.text[self.at]
            if self.text.startswith("\\\n", self.at):
                self.at, self.line = self.at + 2, self.line + 1
                continue
            ends = character in _ENDS and not self.redirects()
            if character.isspace() or ends or character in "()":
                break
            parts += self.piece(character)
        self.add(tuple(parts), line)

    def piece(self, character: str) -> list[Part]:
        """Read one piece of a word: quoted, a dollar, an escape or plain text."""
        if character == "'":
            return [self.single_quoted()]
        if character == '"':
            return self.double_quoted()
        if self.text.startswith("$'", self.at):
            self.at += 1
            return [self.escaped()]
        if character in "$`":
            return [self.dollar(quoted=False)]
        if character == "\\":
            text = self.text[self.at + 1 : self.at + 2]
            self.at += 2
            return [Part(kind=PartKind.TEXT, text=text, quoted=True)]
        start = self.at
        if self.redirects():
            self.at += 1
        stops = "'\"$`\\()" + "".join(_ENDS)
        while self.at < len(self.text):
            if self.text[self.at] in stops or self.text[self.at].isspace():
                break
            self.at += 1
        return [Part(kind=PartKind.TEXT, text=self.text[start : self.at])]


def _behind_head(words: list[str]) -> int:
    """Return where the words begin that are no function's head: `f ( )`, `function f`, or both."""
    at = 2 if words[:1] == ["function"] else 0
    if words[max(at, 1) : max(at, 1) + 2] == ["(", ")"]:
        at = max(at, 1) + 2
    return at


def _behind_leads(words: list[str], at: int) -> int:
    """Return where the words begin that none of `then`, `{` and their like is."""
    while words[at : at + 1] and words[at] in _LEADS:
        at += 1
    return at
