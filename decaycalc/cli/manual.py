"""The manual page, made from the commands' help: `python -m decaycalc.cli.manual > decaycalc.1`."""

import sys

import click

from decaycalc import __version__
from decaycalc.cli import COMMANDS
from decaycalc.cli.group import program
from decaycalc.cli.headings import grouped

_STATUS = (
    ("0", "done"),
    ("1", "sound input without an answer: no equivalent, a check failed, rows failed"),
    ("2", "bad usage or input"),
    ("130", "interrupted"),
)
_FILES = (
    ("pyproject.toml", "the table [tool.decaycalc], options' defaults for a project"),
    ("~/.config/decaycalc/config.toml", "the same for a user"),
)
_ENVIRONMENT = (
    ("DECAYCALC_OPTION", "the default of an option, DECAYCALC_BATCH_SIZE of --batch-size"),
    ("NO_COLOR, FORCE_COLOR", "no escapes at all; escapes without a terminal"),
    ("COLUMNS", "the width of tables"),
)


def page() -> str:
    """Return the manual page in roff."""
    parts = [
        f'.TH DECAYCALC 1 "" "decaycalc {__version__}" "User Commands"',
        ".SH NAME\ndecaycalc \\- weight decay, converted between frameworks",
        ".SH SYNOPSIS\n.B decaycalc\n.I COMMAND\n[options]",
        f".SH DESCRIPTION\n{_text(program.help or '')}",
        ".SH COMMANDS",
        *(_command(name, text) for name, text in COMMANDS.items()),
        _section("EXIT STATUS", _STATUS),
        _section("ENVIRONMENT", _ENVIRONMENT),
        _section("FILES", _FILES),
    ]
    return "\n".join(parts) + "\n"


def _command(name: str, text: str) -> str:
    """Return the section of one command."""
    try:
        command = program.get_command(click.Context(program), name)
    except ModuleNotFoundError:
        command = None
    head = f".SS decaycalc {name}"
    if command is None:
        return f"{head}\n{_text(text)}"
    above = click.Context(program, **program.context_settings)
    context = click.Context(command, above, info_name=name, max_content_width=100)
    options = "\n".join(
        f".PP\n.B {heading}\n{_options(members, context)}"
        for heading, members in grouped(command.get_params(context))
    )
    examples = "\n".join(map(_text, getattr(command, "examples", ())))
    shown = f"\n.PP\n.nf\n{examples}\n.fi" if examples else ""
    return f"{head}\n{_text(command.help or text)}{shown}\n{options}"


def _options(options: list[click.Option], context: click.Context) -> str:
    found = (option.get_help_record(context) for option in options)
    records = (record for record in found if record is not None)
    return "\n".join(f".TP\n{_text(flags)}\n{_text(help_)}" for flags, help_ in records)


def _section(title: str, pairs: tuple[tuple[str, str], ...]) -> str:
    return f".SH {title}\n" + "\n".join(f".TP\n{_text(a)}\n{_text(b)}" for a, b in pairs)


def _text(text: str) -> str:
    """Return a text whose characters mean themselves to roff."""
    lines = text.replace("\b", "").replace("\\", "\\e").replace("-", "\\-").split("\n")
    stripped = (line.strip() for line in lines)
    safe = (f"\\&{line}" if line.startswith((".", "'")) else line for line in stripped)
    return "\n".join(line or ".PP" for line in safe) if text else "\\&"


if __name__ == "__main__":
    sys.stdout.write(page())
