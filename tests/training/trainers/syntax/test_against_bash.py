"""What random scripts leave of their variables, as they are read and as bash leaves them."""

import shutil
import subprocess

import pytest

from decaycalc.errors import UnreadableFileError
from decaycalc.training.trainers.syntax.shell import read_commands
from tests.fuzzing.cases import fuzzed

NAMES, VALUES = "ABCD", ("1", "2", "3", "7b", "x")
BASH = shutil.which("bash")


class Writer:
    """Writes scripts whose variables are set from the start, and whose branches bash decides."""

    def __init__(self, rng):
        self.rng = rng

    def word(self):
        name, value = self.rng.choice(NAMES), self.rng.choice(VALUES)
        forms = (value, f"${name}", f'"${name}"', f"${{{name}}}", f"${{{name}:-{value}}}",
                 f"'{value}'", f"$((2 {self.rng.choice('+-*')} 3))")  # fmt: skip
        return self.rng.choice(forms)

    def quoted(self):
        return '"' + self.word().strip("'\"") + '"'

    def test(self):
        one, other = self.quoted(), self.quoted()
        sign, pattern = self.rng.choice(("=", "==", "!=")), self.rng.choice((*VALUES, "7*", "?"))
        numbers = " -gt ".join(self.rng.choices("123", k=2))
        forms = (f"[ {one} {sign} {other} ]", f"[[ {self.word()} {sign} {pattern} ]]",
                 f"[ -{self.rng.choice('zn')} {one} ]", f"! [ {one} = {other} ]", "true",
                 f"test {one} = {other}", f"[[ {one} = {other} && {other} != {one} ]]",
                 f"[ {one} = {other} -o {one} = 1 ]", f"[ {numbers} ]")  # fmt: skip
        return self.rng.choice(forms)

    def tests(self):
        made = self.test()
        while self.rng.random() < 0.3:
            made += self.rng.choice((" && ", " || ")) + self.test()
        return made

    def assignment(self):
        sign = "+=" if self.rng.random() < 0.15 else "="
        return f"{self.rng.choice(NAMES)}{sign}{self.word()}"

    def block(self, depth):
        count = self.rng.randint(1, 2)
        return self.rng.choice(("\n", "; ")).join(self.statement(depth + 1) for _ in range(count))

    def statement(self, depth=0):
        kind = self.rng.choice(("plain", "plain", "if", "short", "case", "for"))
        if depth > 2 or kind == "plain":
            return self.assignment()
        if kind == "if":
            more = f"\nelif {self.tests()}; then\n{self.block(depth)}" * self.rng.randint(0, 1)
            last = f"\nelse\n{self.block(depth)}" * self.rng.randint(0, 1)
            return f"if {self.tests()}; then {self.block(depth)}{more}{last}\nfi"
        if kind == "short":
            sign = self.rng.choice((" && ", " || ", " &&\n", " ||\n"))
            some = self.rng.choice((self.assignment(), f"{{ {self.block(depth)}; }}"))
            return self.tests() + sign + some
        if kind == "case":
            patterns = (self.rng.choice(("7b|1)", "(2|x)", "*)", "7*)")) for _ in range(2))
            arms = "".join(f"{each} {self.block(depth)} ;;\n" for each in patterns)
            return f"case {self.word()} in\n{arms}esac"
        words = " ".join(self.word() for _ in range(self.rng.randint(1, 2)))
        return f"for {self.rng.choice(NAMES)} in {words}; do\n{self.block(depth)}\ndone"


class Caller(Writer):
    """Writes scripts of functions too, of subshells and of what is set for one command alone."""

    functions = ("f", "g", "h")

    def __init__(self, rng):
        super().__init__(rng)
        self.defined = []
        self.is_within = False

    def word(self):
        forms = ("$1", '"$2"', "${1:-x}", "$#", '"$*"', "${3-7b}")
        if self.is_within and self.rng.random() < 0.4:
            return self.rng.choice(forms)
        return super().word()

    def statement(self, depth=0):
        kind = self.rng.choice(("old", "old", "call", "call", "prefix", "subshell", "own"))
        own = self.own() if self.is_within and kind == "own" else ""
        if own:
            return own
        if kind == "call" and self.defined:
            return f"{self.before()}{self.rng.choice(self.defined)} {self.arguments()}"
        if kind == "prefix":
            return f"{self.before(always=True)}p --a {self.word()} {self.word()}"
        if kind == "subshell" and depth < 2:
            inside = self.block(depth)
            inside = f" {inside}" if inside[:1] == "(" else inside
            return self.rng.choice((f"({inside})", f"(\n{inside}\n)", f"true && ( {inside} )"))
        return super().statement(depth)

    def before(self, *, always=False):
        is_there = always or self.rng.random() < 0.3
        return f"{self.assignment().replace('+=', '=')} " if is_there else ""

    def arguments(self):
        words = [self.word() for _ in range(self.rng.randint(0, 3))]
        return " ".join([*words, *['"$@"'] * (self.is_within and self.rng.random() < 0.2)])

    def own(self):
        name = self.rng.choice(NAMES)
        forms = (f"local {name}={self.word()}", f"local {name}", "shift", "return 0",
                 '[ "$1" = 1 ] && return', f'set -- {self.word()} "$@"')  # fmt: skip
        return self.rng.choice(forms)

    def definitions(self):
        texts = []
        for name in self.functions:
            self.is_within = True
            body = "\n".join(self.statement(1) for _ in range(self.rng.randint(1, 3)))
            self.is_within = False
            head = self.rng.choice((f"{name}()", f"function {name}", f"function {name} ()"))
            forms = (f"{head} {{ {body}\n}}", f"{head}\n{{\n{body}\n}}", f"{head} ( {body}\n)")
            texts.append(self.rng.choice(forms))
            self.defined.append(name)
        return "\n".join(texts)


def commands_of_bash(script):
    """Return the words of each `p` that bash runs, and of what it leaves, `p --end ...`."""
    shim = "p() { printf 'p'; printf '\\037%s' \"$@\"; printf '\\036'; }"
    text = f"{shim}\n{script}"
    told = subprocess.run([BASH, "-c", text], capture_output=True, text=True, check=False)
    return [line.split("\x1f") for line in told.stdout.split("\x1e") if line]


def agree(mine, theirs):
    """Return whether a command of ours is bash's, but for what ours leaves open."""
    if any("$" in word for word in mine):
        return True
    return mine == theirs


def holds(ours, theirs):
    """Return whether bash's commands are among ours, in their order."""
    left = iter(ours)
    return all(any(agree(mine, each) for mine in left) for each in theirs)


@pytest.mark.skipif(BASH is None, reason="no bash")
@fuzzed(plain=80, share=0.02)
def test_functions_and_subshells_run_what_bash_runs(rng):
    writer = Caller(rng)
    lines = [writer.definitions(), *(writer.statement() for _ in range(3))]
    shown = "|".join(f"${name}" for name in NAMES)
    script = "A=1; B=2; C=3; D=7b\n" + "\n".join(lines) + f'\np --end "{shown}"\n'
    theirs = commands_of_bash(script)
    try:
        ours = [
            [word.text for word in command.words]
            for command in read_commands(script, "a.sh")
            if command.words[0].text == "p"
        ]
    except UnreadableFileError as error:
        assert "conditions" in str(error) or "statements" in str(error)  # noqa: PT017
        return
    ends = [
        next(at for at, each in enumerate(some) if each[:2] == ["p", "--end"])
        for some in (ours, theirs)
    ]
    mine, left = ours[ends[0]][2].split("|"), theirs[ends[1]][2].split("|")
    if len(mine) == len(left):
        pairs = dict(zip(NAMES, zip(mine, left, strict=True), strict=True))
        assert all("$" in a or a == b for a, b in pairs.values()), f"{pairs}\n{script}"
    # A loop's commands are read once, and those upon an open test need not be run.
    if " in " not in script:
        run, bash = ours[: ends[0]], theirs[: ends[1]]
        assert holds(run, bash), f"{run}\n{bash}\n{script}"
        is_plain = not any(sign in script for sign in ("[", "test "))
        assert not is_plain or len(run) == len(bash), f"{run}\n{bash}\n{script}"


@pytest.mark.skipif(BASH is None, reason="no bash")
@fuzzed(plain=60, share=0.02)
def test_a_variable_is_open_or_what_bash_leaves_of_it(rng):
    writer = Writer(rng)
    script = "A=1; B=2; C=3; D=7b\n" + "\n".join(writer.statement() for _ in range(2))
    shown = "|".join(f"${name}" for name in NAMES)
    told = subprocess.run(
        [BASH, "-c", f'{script}\necho "{shown}"'], capture_output=True, text=True, check=False
    )
    left = told.stdout.strip().rpartition("\n")[2].split("|")
    command = read_commands(f'{script}\np --a "{shown}"\n', "a.sh")[-1]
    read = command.words[-1].text.split("|")
    if len(read) == len(left) == len(NAMES):
        pairs = dict(zip(NAMES, zip(read, left, strict=True), strict=True))
        assert all("$" in ours or ours == theirs for ours, theirs in pairs.values()), (
            f"{pairs}\n{script}"
        )
