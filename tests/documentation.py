"""Markdown pages whose console blocks and numbers are run, compared and renewed.

A page is tested by `failures(text, folder)` and brought up to date by

    python -m tests.documentation --renew README.md decaycalc/guide/*.md

(without `--renew` it only compares). What counts in a page:

- a ```console block: lines `$ command` (going on after a backslash at the line's end), each
  followed by what it prints, first stdout, then stderr. `$ echo $?` shows the status. A line `...`
  stands for any lines, ` ...` at the end of a line for the rest of it.
- a block whose fence names a file, ```csv runs.csv: it is written before the blocks that follow are
  run, in a folder of the page's own.
- a number followed by a comment, `0.0002<!-- decaycalc convert ... --value -->`: the command's
  output, rounded to as many digits as the page shows.
- a number followed by `<!-- = A / B -->` or `<!-- = A * B -->`, A and B from the page's blocks.
- any other number of the text: it must occur in one of the page's console blocks.
"""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from decaycalc.cli.main import main as run_program

ROOT = Path(__file__).parent.parent
NUMBER = re.compile(r"(?<![\w./-])\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?(?![\w])")
MARK = re.compile(
    r"(?P<number>\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?)"
    r"<!-- (?P<command>(?:decaycalc|=) [^>]*?) -->"
)
REFERENCE = re.compile(
    r"arXiv:? ?\d{4}\.\d{4,5}|^\*\*\d+\. "
    r"|(?:section|equation|figure|table|algorithm|line|page|issue) #?\d[\d.]*"
    r"|\b(?:19|20)\d\d\b|^\s*\d+\. |https?://\S+",
    re.MULTILINE | re.IGNORECASE,
)
SMALL = {0.0, 1.0, 2.0}  # words rather than results: "two runs", "1/2", "x^2"
SHELL_SIGNS = re.compile(r"[|<>;&$`*]")


@dataclass
class Command:
    """One command of a console block: its source lines, its text and what is printed below it."""

    lines: list[str]
    text: str
    expected: list[str]


def split(text: str) -> list[tuple[str, list[str]]]:
    """Return the page in pieces: (fence's info or None as '', lines), prose and fences in turn."""
    pieces: list[tuple[str, list[str]]] = [("", [])]
    for line in text.split("\n"):
        fence = line.startswith("```")
        if fence and not pieces[-1][0]:
            pieces.append((line[3:].strip() or "plain", [line]))
        elif fence:
            pieces[-1][1].append(line)
            pieces.append(("", []))
        else:
            pieces[-1][1].append(line)
    return pieces


def parse_console(lines: list[str]) -> list[Command]:
    """Return the commands of a console block, given without its fence lines."""
    commands: list[Command] = []
    for line in lines:
        if commands and commands[-1].lines[-1].endswith("\\") and not commands[-1].expected:
            commands[-1].lines.append(line)
            commands[-1].text = commands[-1].text[:-1] + line.removeprefix("> ").strip()
        elif line.startswith("$ "):
            commands.append(Command([line], line[2:], []))
        else:
            assert commands, f"a console block begins with a command, not with {line!r}"
            commands[-1].expected.append(line)
    return commands


class Session:
    """Runs the commands of one page, one after the other, in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.status = folder, 0

    def run(self, command: str) -> list[str]:
        """Return the lines that a command prints."""
        if command.strip() == "echo $?":
            return [str(self.status)]
        in_process = command.startswith("decaycalc") and not SHELL_SIGNS.search(command)
        text = self._call(command) if in_process else self._shell(command)
        lines = text.rstrip("\n").split("\n")
        return [] if lines == [""] else lines

    def _call(self, command: str) -> str:
        """Run decaycalc in this process, as if piped."""
        old = (sys.stdin, dict(os.environ))
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in "oe")
        sys.stdin = io.TextIOWrapper(io.BytesIO(b""))
        for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR"):
            os.environ.pop(name, None)
        try:
            with (
                contextlib.chdir(self.folder),
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
            ):
                self.status = run_program(shlex.split(command)[1:])
        finally:
            sys.stdin = old[0]
            os.environ.update(old[1])
        for stream in (out, err):
            stream.flush()
        return "".join(stream.buffer.getvalue().decode() for stream in (out, err))

    def _shell(self, command: str) -> str:
        """Run a line that needs a shell."""
        names = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        script = f'decaycalc() {{ "{sys.executable}" -m decaycalc "$@"; }}\n{command}'
        done = subprocess.run(
            ["/bin/sh", "-c", script], cwd=self.folder, env=names, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        self.status = done.returncode
        return done.stdout


def matches(expected: list[str], actual: list[str]) -> bool:
    """Return whether the lines agree, `...` standing for any."""
    pattern = "\n".join(_line_pattern(line) for line in expected)
    # An elision takes its line's break with it, so that it may stand for no line at all.
    pattern = pattern.replace("\0\n", "(?:.*\n)*").replace("\n\0", "(?:\n.*)*")
    return re.fullmatch(pattern.replace("\0", "(?s:.*)"), "\n".join(actual)) is not None


def _line_pattern(line: str) -> str:
    """Return a regular expression for a line, `\\0` for one that stands for any lines."""
    if line.strip() == "...":
        return "\0"
    return re.escape(line[:-4]) + ".*" if line.endswith(" ...") else re.escape(line)


def elided(expected: list[str], actual: list[str]) -> list[str]:
    """Return what is printed now with the elisions of the page.

    Between two elisions the first and the last line say where to cut; where they are not found the
    page gets everything that is printed.
    """
    chunks = _chunks(expected)
    if len(chunks) == 1:
        return actual
    out: list[str] = []
    start = 0
    for place, chunk in enumerate(chunks):
        if place:
            out.append("...")
        if not chunk:
            continue
        ends = [_find(line, actual, start) for line in (chunk[0], chunk[-1])]
        if None in ends:
            return actual
        out += chunk if chunk[0].endswith(" ...") else actual[ends[0] : ends[1] + 1]
        start = ends[1] + 1
    return out


def _chunks(lines: list[str]) -> list[list[str]]:
    """Return the lines between the elisions."""
    chunks: list[list[str]] = [[]]
    for line in lines:
        if line.strip() == "...":
            chunks.append([])
        else:
            chunks[-1].append(line)
    return chunks


def _find(line: str, lines: list[str], start: int) -> int | None:
    """Return the place of a line, or of one that begins with the same words, from `start` on."""
    head = line.removesuffix(" ...").split("  ")[0] if line.strip() else line
    for place in range(start, len(lines)):
        if lines[place] == line or (head.strip() and lines[place].startswith(head)):
            return place
    return None


def trimmed(lines: list[str]) -> list[str]:
    """Return the lines without empty ones at the end."""
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines


def renewed(text: str, folder: Path) -> tuple[str, list[str]]:
    """Return the page with what its commands print now, and what was wrong before."""
    session, wrong, out = Session(folder), [], []
    for info, lines in split(text):
        words = info.split()
        if words[:1] == ["console"]:
            lines = [lines[0], *_renewed_console(lines[1:-1], session, wrong), lines[-1]]  # noqa: PLW2901
        elif len(words) > 1 and "." in words[1]:
            (folder / words[1]).write_text("\n".join(lines[1:-1]) + "\n", encoding="utf-8")
        elif not words:
            lines = _renewed_marks("\n".join(lines), session, wrong).split("\n")  # noqa: PLW2901
        out += lines
    return "\n".join(out), wrong


def _renewed_console(lines: list[str], session: Session, wrong: list[str]) -> list[str]:
    """Return a console block's lines with what the commands print now."""
    out: list[str] = []
    commands = parse_console(lines)
    for command in commands:
        actual = session.run(command.text)
        expected = trimmed(command.expected)
        blank = command.expected[len(expected) :] if command is not commands[-1] else []
        if not matches(expected, actual):
            parts = [f"$ {command.text}", "-- expected", *expected, "-- printed", *actual]
            wrong.append("\n".join(parts))
            expected = elided(expected, actual)
        out += [*command.lines, *expected, *blank]
    return out


def _renewed_marks(text: str, session: Session, wrong: list[str]) -> str:
    """Return prose with its marked numbers as their commands print them now."""

    def renew(found: re.Match[str]) -> str:
        shown, command = found["number"], found["command"]
        printed = [_computed(command)] if command.startswith("=") else session.run(command)
        new = as_shown(printed[0], shown) if len(printed) == 1 else "?"
        if new != shown:
            wrong.append(f"{found['command']}: the page says {shown}, the tool {printed}")
        return f"{new}<!-- {found['command']} -->"

    return MARK.sub(renew, text)


def _computed(sum_: str) -> str:
    """Return the value of `= A / B` or `= A * B`."""
    one, sign, other = sum_.removeprefix("=").split()
    return repr(_value(one) / _value(other) if sign == "/" else _value(one) * _value(other))


def as_shown(printed: str, shown: str) -> str:
    """Return a printed number with the digits, commas and exponent form that a page shows."""
    mantissa = shown.replace(",", "").partition("e")[0]
    digits = len(mantissa.replace(".", "").lstrip("0")) or 1
    value = float(f"{float(printed):.{digits - 1}e}")
    if "e" in shown:
        head, _, tail = f"{value:.{digits - 1}e}".partition("e")
        return f"{head}e{int(tail)}"
    decimals = len(mantissa.partition(".")[2])
    return f"{value:{',' if ',' in shown else ''}.{decimals}f}"


def stray_numbers(text: str) -> list[str]:
    """Return the numbers of the prose that are neither marked nor in a console block."""
    pieces = split(text)
    blocks = "\n".join("\n".join(lines) for info, lines in pieces if info)
    prose = "\n".join("\n".join(lines) for info, lines in pieces if not info)
    operands = [
        operand
        for found in MARK.finditer(prose)
        if found["command"].startswith("=")
        for operand in found["command"].split()[1::2]
    ]
    prose = " ".join([MARK.sub(" ", prose), *operands])
    prose = REFERENCE.sub(" ", re.sub(r"<!--.*?-->", " ", prose, flags=re.DOTALL))
    computed = {_value(found) for found in NUMBER.findall(blocks)} | SMALL
    return [found for found in NUMBER.findall(prose) if _value(found) not in computed]


def _value(text: str) -> float:
    return float(text.replace(",", ""))


def failures(text: str) -> list[str]:
    """Return what is wrong with a page: outputs that differ, numbers that nothing computes."""
    with TemporaryDirectory() as folder:
        wrong = renewed(text, Path(folder))[1]
    return [*wrong, *(f"nothing computes {number}" for number in stray_numbers(text))]


def main(arguments: list[str]) -> int:
    """Compare pages, or renew them with `--renew`; return 1 where something is wrong."""
    renewing = "--renew" in arguments
    status = 0
    for name in arguments:
        if name.startswith("--"):
            continue
        page = Path(name)
        text = page.read_text(encoding="utf-8")
        with TemporaryDirectory() as folder:
            new, wrong = renewed(text, Path(folder))
        problems = stray_numbers(new if renewing else text)
        problems = [f"nothing computes {number}" for number in problems]
        if renewing and new != text:
            page.write_text(new, encoding="utf-8")
            print(f"{name}: renewed {len(wrong)}")
            lost = text.count("\n...\n") - new.count("\n...\n")
            problems += [f"{lost} elisions are lost: their ends are no longer printed"] * (lost > 0)
        for problem in problems if renewing else [*wrong, *problems]:
            status = 1
            print(f"{name}: {problem}")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
