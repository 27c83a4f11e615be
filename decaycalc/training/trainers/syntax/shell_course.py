"""The course of a shell script: its variables, branches, subshells and functions, as it is read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from decaycalc.training.trainers.syntax.conditions import Condition, matches, truth_of
from decaycalc.training.trainers.syntax.shell_functions import Definition
from decaycalc.training.trainers.syntax.shell_parts import (
    SUBSHELL,
    SUBSHELL_END,
    Part,
    PartKind,
    Word,
)
from decaycalc.training.trainers.syntax.shell_statements import (
    braced,
    carried,
    is_case,
    unredirected,
)
from decaycalc.training.trainers.syntax.shell_variables import (
    ASSIGNMENT,
    ELEMENT,
    ShellVariables,
    Typed,
)

_FLAG = re.compile(r"-{1,2}[A-Za-z]")
_PREFIXES = frozenset(
    {"export", "local", "declare", "typeset", "readonly", "set", "then", "do", "else", "time",
     "exec", "nohup", "env", "if", "elif", "while", "until", "sudo"}
)  # fmt: skip
_DECLARES = frozenset({"export", "local", "declare", "typeset", "readonly"})
_LOCAL = frozenset({"local", "declare", "typeset"})
MOST_CONDITIONS = 500
_LEADS = frozenset({"then", "else", "do", "{"})
_LOOPS = frozenset({"for", "while", "until"})
_NAME = re.compile(r"[A-Za-z_]\w*")
_VARIABLE = re.compile(r"[A-Za-z_]\w*|\d+|#")
_LEAVES = frozenset({"exit", "return", "continue", "break"})


@dataclass(slots=True, kw_only=True, eq=False)
class Frame:
    """A function that runs, or a subshell, and how many conditions were open before it.

    `known` are a subshell's variables before it, None for a function; `own` what a function's own
    had, None for nothing; `ends` are the variables at a `return` that may not be come to.
    """

    conditions: int
    known: dict[str, list[str]] | None = None
    own: dict[str, list[str] | None] = field(default_factory=dict)
    ends: list[dict[str, list[str]]] = field(default_factory=list)


class Shell:
    """How far a script has run: the variables that it has set, and the branch that it is in."""

    def __init__(self, variables: dict[str, list[str]]) -> None:
        self.scope = ShellVariables(variables)
        self.conditions: list[Condition] = []
        self.followed = 0  # conditions that were read
        self.ahead: Iterator[tuple[Word, ...]] = iter(())  # the statements that follow
        self.functions: dict[str, tuple[Definition, ...]] = {}  # several where a branch is open
        self.called: set[str] = set()
        self.frames: list[Frame] = []
        # A `return` or `exit` that nothing depends on.
        self.has_returned = self.has_exited = False
        self.assumed = False  # whether the last test took a variable to be empty
        self.own: dict[str, list[str]] = {}  # what is set for the one command, `LR=1 python ...`

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
            before = dict(self.scope.known)
            self.conditions.append(Condition(before=before, truth=truth, assumed=self.assumed))
        elif word in {"elif", "else", "fi", "done"} and self.conditions:
            self.next_branch(word, statement)
        elif word in _LOOPS and len(statement) > 1:
            self.loop(statement)
        elif word in _LEAVES:
            self.leave(word)
        elif word == SUBSHELL:
            self.enter()
        elif word == SUBSHELL_END:
            self.end_subshell()
        if word in _LEADS and len(statement) > 1:
            self.branch(statement[1:])

    def enter(self) -> None:
        """Begin a subshell: what it sets is forgotten at its end."""
        frame = Frame(conditions=len(self.conditions), known=dict(self.scope.known))
        self.frames.append(frame)

    def end_subshell(self) -> None:
        """End a subshell."""
        before = self.frames[-1].known if self.frames else None
        if before is not None:
            self.scope.known = before
            self.frames.pop()

    def leave(self, word: str) -> None:
        """End what a `return`, `exit`, `break` or `continue` ends.

        An `exit` upon what the caller sets, `[ $# -lt 2 ]`, ends nothing: those who train set it.
        """
        frame = self.frames[-1] if self.frames else None
        above = self.conditions[0 if frame is None else frame.conditions :]
        in_function = frame is not None and frame.known is None
        if word == "exit" and all(each.known is None for each in self.frames):
            is_certain = all(each.is_sure and not each.assumed for each in self.conditions)
            self.has_exited, self.has_returned = is_certain, in_function and not above
            above = [] if is_certain else self.conditions
        elif word == "return" and in_function and all(each.is_sure for each in above):
            self.has_returned = True
            return
        if above:
            above[-1].leaves = not above[-1].is_loop
            if word == "return" and frame is not None and self.is_live:
                frame.ends.append(dict(self.scope.known))

    @property
    def has_left(self) -> bool:
        """Whether nothing that follows is run."""
        return self.has_returned or self.has_exited

    def call(self, words: list[Typed]) -> Frame:
        """Begin a function with the words that it is given."""
        self.scope.bind(words)
        self.frames.append(Frame(conditions=len(self.conditions)))
        return self.frames[-1]

    def end_call(self, frame: Frame) -> None:
        """End a function: its own variables have what they had before, and `$1` is nothing."""
        del self.conditions[frame.conditions :], self.frames[self.frames.index(frame) :]
        if frame.ends:
            ends = Condition(
                before={}, truth=None, settled=True, ends=[*frame.ends, self.scope.known]
            )
            self.scope.known = ends.joined()
        for name, words in frame.own.items():
            self.scope.known.pop(name, None)
            self.scope.known |= {} if words is None else {name: words}
        self.scope.unbind()
        self.has_returned = False

    def define(self, found: Definition) -> None:
        """Keep a function; where the branch is open, beside those of its name before."""
        is_sure = all(condition.is_sure for condition in self.conditions)
        before = () if is_sure else self.functions.get(found.name, ())
        self.functions[found.name] = (*before, found)

    def within_case(self, statement: tuple[Word, ...]) -> tuple[Word, ...]:
        """Return what a statement holds beside the heads of a `case`, following those."""
        if statement[0].plain in _LEADS and is_case(statement[1:]):
            self.branch(statement[:1])
            statement = statement[1:]
        if is_case(statement):
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
        return self.within_case(rest) if rest and self.followed <= MOST_CONDITIONS else rest

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
        condition.assumed = condition.assumed or (word == "elif" and self.assumed)
        self.scope.known = condition.turn(truth=truth)

    def loop(self, statement: tuple[Word, ...]) -> None:
        """Set the variable of a loop over one word; over several it is open.

        So is what a turn of those takes from the one before: `A+=x`. A `while` that does not begin
        is passed over: `while [ $# -ge 1 ]` reads arguments.
        """
        self.followed += 1
        kind, name, before = statement[0].plain, statement[1].plain, dict(self.scope.known)
        begins = kind != "while" or self.truth(statement[1:]) is not False
        values: list[str] = []
        if kind == "for":
            texts = [typed.text for word in statement[3:] for typed in self.scope.expand(word)]
            values = [value for text in texts for value in braced(text)]
            begins = bool(values) or [word.plain for word in statement[2:3]] != ["in"]
            if begins:
                self.scope.known[name] = values if len(values) == 1 else [f"${name}"]
        self.conditions.append(Condition(before=before, truth=begins, is_loop=True))
        if len(values) != 1 or "$" in values[0]:
            names, moves = carried(self.with_functions(self.ahead))
            self.scope.known |= {each: [f"${each}"] for each in names}
            if moves:
                self.scope.forget()

    def with_functions(self, ahead: Iterator[tuple[Word, ...]]) -> Iterator[tuple[Word, ...]]:
        """Yield statements, and those of the functions that are called in them."""
        seen: set[str] = set()
        waiting = [ahead]
        while waiting:
            statement = next(waiting[-1], None)
            if statement is None:
                waiting.pop()
                continue
            yield statement
            called = {word.plain for word in statement} & self.functions.keys() - seen
            seen |= called
            waiting += [iter(found.body) for name in called for found in self.functions[name]]

    def truth(self, words: tuple[Word, ...]) -> bool | None:
        """Return whether a test holds, None where that is not known.

        A variable that the script sets nowhere is taken to be empty, as by `${NAME:-default}`.
        """
        self.assumed = False
        return truth_of([self.tested(word) for word in words])

    def tested(self, word: Word) -> str:
        """Return a word of a test, empty for a variable that is not set."""
        parts = [part for part in word.parts if part.kind is not PartKind.TEXT or part.text]
        text = self.scope.joined(word.parts)
        alone = len(parts) == 1 and parts[0].kind is PartKind.VARIABLE
        self.assumed = self.assumed or any(self.is_caller_s(part) for part in parts)
        if alone and parts[0].text == "#" and "#" not in self.scope.known:
            return "0"
        is_unset = alone and parts[0].text not in self.scope.known
        return "" if is_unset and text == f"${parts[0].text}" else text

    def is_caller_s(self, part: Part) -> bool:
        """Return whether a part of a word is a variable that the script sets to nothing."""
        name = _VARIABLE.match(part.text) if part.kind is PartKind.VARIABLE else None
        return name is not None and not any(self.scope.known.get(name[0], ()))

    def run(self, statement: tuple[Word, ...]) -> list[Typed]:
        """Take a statement's assignments and return its command's words, none if it has none.

        What stands before a command is set for it alone, and not yet when its words are expanded.
        """
        before, at = dict(self.scope.known), 0
        is_declared, names = False, list[str]()
        self.own = {}
        while at < len(statement):
            word = statement[at]
            match = ASSIGNMENT.match(word.plain)
            if match:
                names.append(match[1])
                at = self.scope.assign(statement, at, match)
            elif element := ELEMENT.match(self.scope.joined(word.parts)):
                self.scope.assign_element(element)
                at += 1
            elif word.plain == "set" and [each.plain for each in statement[at + 1 : at + 2]] == [
                "--"
            ]:
                self.scope.bind(
                    [typed for each in statement[at + 2 :] for typed in self.scope.expand(each)]
                )
                return []
            elif word.plain in _DECLARES:
                is_declared, at = True, self.declared(statement, at)
            elif (
                is_declared
                or word.plain in _PREFIXES
                or word.plain in {"{", "!", "(", SUBSHELL, SUBSHELL_END}
            ):
                at += 1
            else:
                break
        if at >= len(statement):
            return []
        self.own = {name: self.scope.known.get(name, []) for name in names}
        self.scope.known = before
        return self.builtin(statement[at:])

    def builtin(self, command: tuple[Word, ...]) -> list[Typed]:
        """Return a command's words, having followed `unset` and `shift`."""
        if command[0].plain == "unset":
            for word in command[1:]:
                self.scope.known.pop(self.scope.joined(word.parts), None)
        if command[0].plain == "shift":
            self.scope.shift(self.scope.joined(command[1].parts) if command[1:] else "1")
        return [typed for word in unredirected(command) for typed in self.scope.expand(word)]

    def declared(self, statement: tuple[Word, ...], at: int) -> int:
        """Take the flags of `declare -A NAME`; return where what it declares begins."""
        kind, at = statement[at].plain, at + 1
        has_keys = False
        while at < len(statement) and _FLAG.match(flag := statement[at].plain):
            has_keys = has_keys or "A" in flag
            at += 1
        names = [word.plain.partition("=")[0].rstrip("+") for word in statement[at:]]
        if has_keys:
            self.scope.keyed |= set(names)
        frame = next((each for each in reversed(self.frames) if each.known is None), None)
        if frame is not None and kind in _LOCAL:
            self.take_own(frame, names)
            bare = [word.plain for word in statement[at:] if _NAME.fullmatch(word.plain)]
            self.scope.known |= {name: [] for name in bare}
        return at

    def take_own(self, frame: Frame, names: list[str]) -> None:
        """Keep what variables had that become a function's own; upon an open test that is open."""
        is_sure = all(each.is_sure for each in self.conditions[frame.conditions :])
        for name in names:
            before = self.scope.known.get(name) if is_sure else [f"${name}"]
            frame.own.setdefault(name, before)

    def evaluated(self, statement: tuple[Word, ...]) -> str:
        """Return the text that a statement gives to `eval`, empty where it does not."""
        if statement[0].plain != "eval":
            return ""
        return " ".join(self.scope.joined(word.parts) for word in statement[1:])
