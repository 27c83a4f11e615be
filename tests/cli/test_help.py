"""Help: one screen for `-h`, everything for `--help`, both under the same headings."""

from importlib import import_module

import click
import pytest

from decaycalc.cli import COMMANDS, manual
from decaycalc.cli.command import Command
from decaycalc.cli.headings import HEADINGS, OWN, grouped, heading_of

CONVERT = import_module("decaycalc.cli.convert").command


def page(run, monkeypatch, *words, columns=80):
    monkeypatch.setenv("COLUMNS", str(columns))
    ran = run(*words)
    assert (ran.status, ran.err) == (0, "")
    return ran.out.splitlines()


def headings_of(lines):
    return [line[:-1] for line in lines if line.endswith(":") and line[:1].strip()]


def test_one_screen_of_help_for_convert_has_at_most_46_rows(run, monkeypatch):
    lines = page(run, monkeypatch, "convert", "-h")
    assert len(lines) <= 46
    assert max(map(len, lines)) <= 80
    assert headings_of(lines) == ["Examples", *HEADINGS]
    assert lines[-1] == "-h is this page; --help has every option."


@pytest.mark.parametrize("name", COMMANDS)
def test_one_screen_is_no_longer_than_a_tall_terminal(run, monkeypatch, name):
    assert len(page(run, monkeypatch, name, "-h")) <= 50


def test_all_of_the_help_has_every_option_under_the_same_headings(run, monkeypatch):
    lines = page(run, monkeypatch, "convert", "--help")
    assert headings_of(lines) == ["Examples", *HEADINGS]
    text = "\n".join(lines)
    assert all(option.opts[-1] in text for option in CONVERT.params if option.name != "value")


def test_every_option_of_convert_has_its_heading():
    options = [option for option in CONVERT.params if isinstance(option, click.Option)]
    assert [option.name for option in options if heading_of(option) == OWN] == []


def test_no_flag_stands_under_two_headings():
    flags = [flag for group in HEADINGS.values() for flag in group]
    assert len(flags) == len(set(flags))


def test_few_options_are_all_shown():
    options = [click.Option(["--rare"]), click.Option(["--lr"])]
    assert [heading for heading, _ in grouped(options, brief=True)] == [OWN, "Your run"]
    many = [click.Option([f"--rare-{letter}"]) for letter in "abcdefghijklmnopqrstuvwxyz"]
    assert [heading for heading, _ in grouped([*options, *many], brief=True)] == ["Your run"]


def test_the_manual_has_the_same_groups():
    text = manual.page()
    for heading in HEADINGS:
        assert f".PP\n.B {heading}\n.TP" in text


def test_a_command_without_examples_has_plain_help():
    command = Command("plain", help="Do nothing.", callback=lambda: None)
    text = command.get_help(click.Context(command))
    assert "Do nothing." in text
    assert "Examples" not in text
