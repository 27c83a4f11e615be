import io
import os
import stat
import subprocess
import sys
from importlib import import_module

import click
import pytest

from decaycalc.cli.flags import flag_of, way_out
from decaycalc.cli.group import program as commands
from decaycalc.cli.screen import colour
from decaycalc.cli.streams import prepare_streams
from decaycalc.errors import UnreadableFileError
from decaycalc.files.writing import write_whole

LINE = ("convert", "0.001", "--from", "mean-l2", "--to", "keras-l2", "-B", "128", "-N", "60000")
START = {
    "json": '{\n  "schema"', "jsonl": '{"from": ', "csv": "from,", "md": "l2 = 0.001",
    "txt": "l2 = 0.001", "html": "<!DOCTYPE html>", "svg": "<svg",
}  # fmt: skip


@pytest.mark.parametrize("extension", START)
def test_a_files_extension_names_its_format(run, tmp_path, extension):
    path = tmp_path / f"out.{extension}"
    ran = run(*LINE, "-o", path)
    assert (ran.status, ran.out) == (0, "")
    text = path.read_text(encoding="utf-8")
    assert START[extension] in text
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_format_given_beats_the_extension(run, tmp_path):
    path = tmp_path / "out.txt"
    run(*LINE, "--json", "-o", path)
    assert path.read_text(encoding="utf-8").startswith("{")


def test_a_dash_is_stdout(run):
    assert run(*LINE, "-o", "-").out == run(*LINE).out != ""


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("old")
    write_whole(str(path), "new λ")
    assert path.read_text(encoding="utf-8") == "new λ"
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.txt"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    write_whole(str(tmp_path / "link.txt"), "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


def test_a_device_is_written_as_it_is():
    write_whole("/dev/null", "gone")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)  # noqa: PTH116  (a device)


def test_a_folder_in_the_files_place_is_named(tmp_path):
    with pytest.raises(UnreadableFileError, match="Is a directory"):
        write_whole(str(tmp_path), "x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("environment", "terminal", "wanted"),
    [
        ({}, True, True), ({}, False, False), ({"TERM": "dumb"}, True, False),
        ({"NO_COLOR": "1"}, True, False), ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True), ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
    ],
)  # fmt: skip
def test_no_color_beats_force_color_beats_the_terminal(monkeypatch, environment, terminal, wanted):
    monkeypatch.delenv("TERM", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert colour(terminal=terminal) is wanted


def test_escapes_come_only_when_they_are_wanted(run, monkeypatch):
    assert "\x1b" not in run(*LINE).out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1m" in run(*LINE).out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run(*LINE).out


def test_the_width_given_beats_columns(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert max(map(len, run(*LINE, "--width", "50").out.splitlines())) <= 50


def test_a_terminals_width_is_taken_where_there_is_one(run, monkeypatch):
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((50, 20)))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert max(map(len, run(*LINE).out.splitlines())) <= 50


def test_formulas_are_written_in_utf8_whatever_the_locale(monkeypatch):
    done = subprocess.run(
        [sys.executable, "-m", "decaycalc", "convert", "1", "--from", "mean-l2"],
        capture_output=True, env={**os.environ, "PYTHONIOENCODING": "ascii"}, check=True,
    )  # fmt: skip
    assert "λ" in done.stdout.decode("utf-8")
    stream = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    monkeypatch.setattr(sys, "stdout", stream)
    prepare_streams()
    assert stream.encoding == "utf-8"


def test_a_reader_that_goes_away_is_no_traceback():
    command = f"{sys.executable} -m decaycalc convert 1 --from mean-l2 --all | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("mean-l2  lam = 1")
    assert "Traceback" not in done.stderr


def test_an_interrupted_program_says_so(run, monkeypatch):
    def interrupt(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr(import_module("decaycalc.cli.convert").command, "callback", interrupt)
    ran = run("convert")
    assert (ran.status, ran.out, ran.err.strip()) == (130, "", "interrupted")


def test_flags_are_named_for_what_is_missing():
    assert way_out(("lr", "dataset_size")) == "give --lr and -N"
    assert way_out(("n_weights", "n_layers")) == "give --arch"
    assert flag_of("keep_probability") == "--set keep_probability=NUMBER"


@pytest.mark.parametrize("words", [("--help",), ("convert", "--help"), ("--version",)])
def test_help_and_version_are_results_on_stdout(run, words):
    ran = run(*words)
    assert ran.status == 0
    assert ran.out
    assert ran.err == ""


def test_a_command_is_loaded_by_name_alone():
    group = commands
    context = click.Context(group)
    assert group.list_commands(context)[0] == "convert"
    assert group.get_command(context, "no-such-command") is None
    assert group.get_command(context, "convert").name == "convert"


def test_a_full_disk_under_clicks_own_output_is_a_complaint(run, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(commands, "main", full)
    ran = run("--help")
    assert (ran.status, ran.err) == (
        2,
        "error: cannot write 'stdout': No space left on device\n",
    )
