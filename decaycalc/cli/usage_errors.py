"""usage_error: what click says of a command line, in one line and with the way out."""

from collections.abc import Sequence

import click

from decaycalc.errors import UnknownNameError, UsageError

_BEFORE_COMMAND = "; options stand behind a command: decaycalc convert 1e-4 --from KEY"
_HYPHENS = "-\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}"  # editors make dashes of two hyphens


def usage_error(error: click.ClickException, words: Sequence[str]) -> UsageError:
    """Return click's complaint as one of ours, in one line."""
    if isinstance(error, click.NoSuchOption):
        for word in words:
            if word.startswith("-") and _is_number(word) and not _is_number(error.option_name[:1]):
                return UsageError(f"VALUE {word} must not be negative")
        option = _as_typed(error.option_name, words)
        return UsageError(f"no such option {option!r}{_way_out(error, option)}")
    text = " ".join(error.format_message().split()).rstrip(".")
    return UsageError(f"{text[:1].lower()}{text[1:]}{_usage(error, text)}")


def _as_typed(option: str, words: Sequence[str]) -> str:
    """Return an unknown option whole: of `-lr`, letters behind one hyphen, click sees `-l`."""
    if option.startswith("--"):
        return option
    alike = (word.partition("=")[0] for word in words if word.startswith(option))
    return next(alike, option)


def _usage(error: click.ClickException, text: str) -> str:
    """Return a command's arguments where one is missing or too many, else nothing.

    An argument too many that is an option's name, or begins with one, is answered with the option.
    """
    of_arguments = type(error) is click.UsageError or isinstance(error, click.MissingParameter)
    context = getattr(error, "ctx", None)
    if not of_arguments or context is None:
        return ""
    extra = text.partition("argument")[2].partition("(")[2].rstrip(")")
    word, known = extra.partition(" ")[0], _options_of(context.command)
    name, is_set, value = word.partition("=")
    option = _known(name.lstrip(_HYPHENS), known) if name else ""
    if option:
        return f"; write {option} {value}" if is_set else f"; options begin with hyphens: {option}"
    if "--from" in known and _is_convention(word):
        return f"; write --from {word}"
    pieces = context.command.collect_usage_pieces(context)
    return f"; usage: {' '.join([context.command_path, *pieces])}"


def _is_convention(name: str) -> bool:
    from decaycalc.conventions.catalogue import find

    try:
        find(name)
    except UnknownNameError:
        return False
    return True


def _known(name: str, known: Sequence[str]) -> str:
    """Return a command's option by its name or a trainer's, empty where it has none such."""
    from decaycalc.cli.foreign_flags import ours

    names = f"--{name.replace('_', '-')}", ours(name).partition(" ")[0].rstrip(",")
    return next((option for option in names if option in known), "")


def _way_out(error: click.NoSuchOption, option: str) -> str:
    """Return what to give for an unknown option, empty where nothing is near.

    What a trainer calls an option is answered with ours, where the command has it or another one is
    named; so is what `--set` gives.
    """
    from decaycalc.cli.foreign_flags import ours
    from decaycalc.conventions.runs import EXTRA_FIELDS

    if error.ctx is not None and isinstance(error.ctx.command, click.Group):
        near = [each for each in error.possibilities or () if each[:4] == error.option_name[:4]]
        return _did_you_mean(near) or _BEFORE_COMMAND
    name = option.lstrip("-").replace("-", "_")
    known = () if error.ctx is None else _options_of(error.ctx.command)
    spelt = f"--{name.replace('_', '-')}"
    if spelt in known:
        return f"; give {spelt}"
    if name in EXTRA_FIELDS and "--set" in known:
        return f"; give --set {name}=NUMBER"
    there = _known(name.removeprefix("to_"), known).replace("--", "--to-", 1)
    if name.startswith("to_") and there in known:
        return f"; give {there}"
    meant = ours(option)
    flag = meant.partition(" ")[0].rstrip(",")
    if flag in known or (meant and (not flag.startswith("-") or "(of " in meant)):
        return f"; give {meant}"
    others = [each for each in error.possibilities or () if each != "--help" or name[:1] == "h"]
    return _did_you_mean(others)


def _did_you_mean(names: Sequence[str]) -> str:
    return f"; did you mean {' or '.join(map(repr, names))}?" if names else ""


def _options_of(command: click.Command) -> tuple[str, ...]:
    """Return the names that a command's options have."""
    return tuple(name for option in command.params for name in option.opts)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
