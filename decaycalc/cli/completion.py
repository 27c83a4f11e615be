"""`decaycalc completion`: click's completion script for bash, zsh or fish."""

import click

from decaycalc.cli.command import Command
from decaycalc.cli.output import write_to_stdout

SHELLS = ("bash", "zsh", "fish")


@click.command(
    "completion",
    cls=Command,
    examples=(
        'eval "$(decaycalc completion bash)"    # in ~/.bashrc',
        'eval "$(decaycalc completion zsh)"     # in ~/.zshrc, after compinit',
        "decaycalc completion fish > ~/.config/fish/completions/decaycalc.fish",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the completion script of SHELL: commands, options and the names that they take."""
    write_to_stdout(script(shell) + "\n")


def script(shell: str) -> str:
    """Return the script, which asks the program itself for the words that fit."""
    from click.shell_completion import ShellComplete, get_completion_class

    from decaycalc.cli.group import program

    completer: type[ShellComplete] | None = get_completion_class(shell)
    assert completer is not None  # noqa: S101  (click knows the three shells)
    return completer(program, {}, "decaycalc", "_DECAYCALC_COMPLETE").source()
