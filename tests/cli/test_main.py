"""The program's edges: no arguments, commands without examples, streams that cannot be written."""

import errno
import os
from importlib import import_module
from pathlib import Path

import click
import pytest

from decaycalc.cli import COMMANDS
from decaycalc.cli.command import Command, Spare
from decaycalc.cli.main import main
from decaycalc.cli.output import guarded_stdout
from decaycalc.errors import UnreadableFileError


def test_without_arguments_the_help_is_shown_and_the_status_is_2(capsys):
    assert main([]) == 2
    assert "Commands:" in capsys.readouterr().err


def test_a_command_without_examples_has_plain_help():
    command = Command("plain", help="Do nothing.", callback=lambda: None)
    text = command.get_help(click.Context(command))
    assert "Do nothing." in text
    assert "Examples" not in text


LINES = (
    (),
    ("1e-4",),
    ("1e-4", "--lr", "0.1", "--batch-size=8", "-N", "60000"),
    ("1e-4", "--lr", "--lr", "--nesterov", "-q"),
    ("1e-4", "--json", "--format", "csv"),
    ("--to-nesterov", "--loss", "mean", "-", "--explain"),
    ("1e-4", "--to", "caffe", "--to", "keras-l2", "--value", "--explain", "latex"),
    ("1e-4", "-qN60000"),
    ("1e-4", "-N60000", "--", "-q"),
    ("--no-such-option",),
    ("--lr",),
    ("1e-4", "2e-4", "3e-4", "4e-4"),
    ("--loss", "none"),
    ("--schedule", "cosine", "--steps", "10", "--momentum", "-1"),
    ("1e-4", "-h"),
)


def parsed(command, words, capsys):
    """Return what click makes of a line: the values and where they come from, or its complaint."""
    try:
        context = command.make_context("x", list(words))
    except click.exceptions.Exit as left:
        return left.exit_code, capsys.readouterr().out
    except click.ClickException as error:
        return type(error), error.format_message()
    names = sorted(context.params)
    return [(name, context.params[name], context.get_parameter_source(name)) for name in names]


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_options_that_are_left_out_of_parsing_change_nothing(name, words, capsys, monkeypatch):
    command = import_module(f"decaycalc.cli.{name}").command
    quick = parsed(command, words, capsys)
    monkeypatch.setattr(Command, "_left_out", lambda *_: set())
    assert quick == parsed(command, words, capsys)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_spare_option_knows_what_click_will_make_of_it(name):
    command = import_module(f"decaycalc.cli.{name}").command
    spares = [declared for declared in command._declared if isinstance(declared, Spare)]
    assert spares or name in {"completion", "guide", "schema"}
    for option in spares:
        made = option.made()
        assert made is option.made()
        assert (made.name, [*made.opts, *made.secondary_opts]) == (option.name, option.flags)
        assert not any((made.multiple, made.required, made.callback, made.envvar))


def test_most_options_are_left_out_of_parsing():
    command = import_module("decaycalc.cli.convert").command
    context = command.make_context("convert", ["1e-4", "--from", "caffe", "--lr", "0.1"])
    processed = {parameter.name for parameter in command.get_params(context)}
    assert {"value", "source", "lr", "help_wanted", "match"} <= processed
    assert len(processed) < len(command.params) / 3


def test_code_is_no_number(capsys):
    words = ("convert", "1e-4", "--from", "caffe", "--lr", "0.1", "--emit", "pytorch", "--value")
    assert main(list(words)) == 2
    assert "--value has no single number here" in capsys.readouterr().err


def test_a_reader_that_went_away_stays_a_broken_pipe():
    with pytest.raises(BrokenPipeError), guarded_stdout():
        raise BrokenPipeError


def test_a_full_disk_behind_stdout_is_said(monkeypatch):
    with Path(os.devnull).open("w", encoding="utf-8") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        with pytest.raises(UnreadableFileError, match="No space left"), guarded_stdout():
            raise OSError(errno.ENOSPC, "No space left on device")
        monkeypatch.undo()


@pytest.mark.parametrize(
    ("columns", "size", "width"),
    [
        ("72", None, 70),
        ("", None, 78),
        ("none", 90, 88),
        ("0", 300, 98),
        ("10", None, 50),
        ("", 0, 78),
    ],
)
def test_help_is_as_wide_as_click_would_make_it(columns, size, width, monkeypatch):
    def ask(*_):
        if size is None:
            raise OSError
        return os.terminal_size((size, 24))

    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(os, "get_terminal_size", ask)
    command = import_module("decaycalc.cli.convert").command
    ours = click.Context(command, **command.context_settings)
    page = command.get_help(ours)
    assert ours.terminal_width == width
    theirs = click.Context(command, **command.context_settings)
    assert page == click.Command.get_help(command, theirs)


def test_a_width_that_the_caller_wants_is_kept():
    command = import_module("decaycalc.cli.convert").command
    narrow = click.Context(command, terminal_width=60)
    page = command.get_help(narrow)
    assert narrow.terminal_width == 60
    assert page == click.Command.get_help(command, narrow)


def test_a_command_behind_two_dashes_is_found_by_the_group(capsys):
    assert main(["schema", "convert"]) == 0
    direct = capsys.readouterr()
    assert main(["--", "schema", "convert"]) == 0
    assert capsys.readouterr() == direct
    assert main(["--", "--schema"]) == 2
    assert "--schema" in capsys.readouterr().err
