"""`decaycalc completion`: scripts for bash, zsh and fish.

The scripts hold the names themselves, so that completing starts no Python.
"""

from typing import TYPE_CHECKING

import click

from decaycalc.cli.command import Command
from decaycalc.cli.output import write_to_stdout

if TYPE_CHECKING:
    from decaycalc.cli.words import Option, Words

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
    write_to_stdout({"bash": bash, "zsh": zsh, "fish": fish}[shell]())


def _places(words: "Words") -> dict[str, list[str]]:
    """Return the flags of a command by what follows them."""
    places: dict[str, list[str]] = {}
    for option in words.options:
        if option.values is not None:
            places.setdefault(option.values, []).extend(option.flags)
    return places


def _variable(values: str) -> str:
    """Return the words of a list as a shell text, `$list` or the words themselves."""
    return values[1:] if values.startswith("=") else f"$_decaycalc_{values}"


def _lists() -> str:
    """Return the lists as shell variables."""
    from decaycalc.cli.words import lists

    return "".join(f"_decaycalc_{name}='{' '.join(names)}'\n" for name, names in lists().items())


def bash() -> str:
    """Return the script for bash."""
    from decaycalc.cli.words import commands

    after, at = [], []
    for words in commands():
        for values, flags in _places(words).items():
            pattern = "|".join(f'"{words.name} {flag}"' for flag in flags)
            after.append(f"    {pattern}) {_bash_reply(values)}; return;;\n")
        flags_ = " ".join(flag for option in words.options for flag in option.flags)
        at.append(f'    "{words.name} "-*) {_bash_reply("=" + flags_)};;\n')
        at.append(f'    "{words.name} "*) {_bash_reply(words.argument)};;\n')
    names = " ".join(words.name for words in commands())
    return _BASH.format(lists=_lists(), names=names, after="".join(after), at="".join(at))


def _bash_reply(values: str) -> str:
    if values == "files":
        return 'COMPREPLY=($(compgen -f -- "$cur"))'
    return f'COMPREPLY=($(compgen -W "{_variable(values)}" -- "$cur"))'


_BASH = """\
{lists}_decaycalc() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}
  local command=${{COMP_WORDS[1]}}
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{names} --help --version" -- "$cur")); return
  fi
  case "$command $prev" in
{after}  esac
  case "$command $cur" in
{at}  esac
}}
complete -F _decaycalc decaycalc
"""


def zsh() -> str:
    """Return the script for zsh."""
    from decaycalc.cli.words import commands

    after, at = [], []
    for words in commands():
        for values, flags in _places(words).items():
            pattern = "|".join(f'"{words.name} {flag}"' for flag in flags)
            after.append(f"    ({pattern}) {_zsh_reply(values)}; return;;\n")
        options = " ".join(
            _quoted(f"{flag}:{option.help}") for option in words.options for flag in option.flags
        )
        at.append(f'    ("{words.name} "-*) found=({options}); _describe option found;;\n')
        at.append(f'    ("{words.name} "*) {_zsh_reply(words.argument)};;\n')
    names = " ".join(_quoted(f"{words.name}:{words.help}") for words in commands())
    return _ZSH.format(lists=_lists(), names=names, after="".join(after), at="".join(at))


def _zsh_reply(values: str) -> str:
    return "_files" if values == "files" else f'compadd -- ${{=:-"{_variable(values)}"}}'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


_ZSH = """\
#compdef decaycalc
{lists}_decaycalc() {{
  local -a found
  if (( CURRENT == 2 )); then
    found=({names}); _describe command found; return
  fi
  case "$words[2] $words[CURRENT-1]" in
{after}  esac
  case "$words[2] $words[CURRENT]" in
{at}  esac
}}
compdef _decaycalc decaycalc
"""


def fish() -> str:
    """Return the script for fish."""
    from decaycalc.cli.words import commands, lists

    lines = ["complete -c decaycalc -f"]
    lines += [f"set -g _decaycalc_{name} {' '.join(names)}" for name, names in lists().items()]
    for words in commands():
        lines.append(
            f"complete -c decaycalc -n __fish_use_subcommand -a {words.name} "
            f"-d {_quoted_for_fish(words.help)}"
        )
        place = f"complete -c decaycalc -n '__fish_seen_subcommand_from {words.name}'"
        lines.append(f"{place}{_fish_values(words.argument)}")
        lines += [f"{place}{_fish_option(option)}" for option in words.options]
    return "\n".join(lines) + "\n"


def _fish_option(option: "Option") -> str:
    flags = "".join(
        f" -l {flag[2:]}" if flag.startswith("--") else f" -s {flag[1:]}" for flag in option.flags
    )
    values = "" if option.values is None else f" -r{_fish_values(option.values)}"
    return f"{flags}{values} -d {_quoted_for_fish(option.help)}"


def _fish_values(values: str) -> str:
    if values == "files":
        return " -F"
    return f' -a "{_variable(values)}"'


def _quoted_for_fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
