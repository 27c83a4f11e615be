"""What random scripts leave of their variables, as they are read and as bash leaves them."""

import shutil
import subprocess

import pytest

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
