"""Streams that are closed, and what a terminal would obey: never a traceback, never obeyed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from decaycalc.cli import main as main_module
from decaycalc.cli.main import main
from decaycalc.cli.streams import one_line, prepare_streams, require_stdin
from decaycalc.errors import UnreadableFileError

VALUE = "convert 1 --from caffe --to keras-l2 --value"


def shell(line):
    """Return status, stdout and stderr of a command line with redirections."""
    text = line.replace("decaycalc", f'"{sys.executable}" -m decaycalc')
    done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("line", "status", "out", "err"),
    [
        (f"decaycalc {VALUE} 2>&-", 0, "0.5\n", ""),
        (f"decaycalc {VALUE} <&-", 0, "0.5\n", ""),
        ("decaycalc convert --bogus 2>&-", 2, "", ""),
        (f"decaycalc {VALUE} >&-", 2, "", "error: cannot write 'stdout': not writable\n"),
        ("decaycalc --help >&-", 2, "", "error: cannot write 'stdout': not writable\n"),
        ("decaycalc guide >&-", 2, "", "error: cannot write 'stdout': not writable\n"),
        ("decaycalc convert --from caffe --to keras-l2 --input - <&-", 2, "",
         "error: cannot read 'stdin': it is closed\n"),
        ("decaycalc arch - <&-", 2, "", "error: cannot read 'stdin': it is closed\n"),
        ("decaycalc check - <&-", 2, "", "error: cannot read 'stdin': it is closed\n"),
        (f"decaycalc {VALUE} >&- 2>&- <&-", 2, "", ""),
    ],
)  # fmt: skip
def test_a_closed_stream_is_no_traceback_and_no_wrong_status(line, status, out, err):
    assert shell(line) == (status, out, err)


def test_the_streams_are_opened_where_there_are_none(monkeypatch):
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    prepare_streams()
    with pytest.raises(UnreadableFileError, match="closed"):
        require_stdin()
    with pytest.raises(OSError, match="closed"):
        sys.stdin.read()
    with pytest.raises(OSError, match="not writable"):
        sys.stdout.write("x")
    assert sys.stderr.write("x") == 1
    sys.stdout.close()
    sys.stderr.close()


def test_a_standard_input_that_is_there_is_taken():
    require_stdin()


def test_an_interrupt_while_the_program_loads_is_said():
    text = (
        "import sys, types\n"
        "class Interrupts:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'decaycalc.cli.main': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupts())\n"
        "from decaycalc.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_a_process_that_is_ended_while_it_writes_rows_leaves_nothing(tmp_path):
    command = [sys.executable, "-m", "decaycalc", "convert", "--from", "caffe", "--to", "keras-l2",
               "--input", "-", "--input-format", "jsonl", "-o", "out.jsonl"]  # fmt: skip
    process = subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE,
                               env={**os.environ, "PYTHONPATH": str(Path.cwd())})  # fmt: skip
    process.stdin.write(b'{"value": 1}\n' * 10_000)
    process.stdin.flush()
    until = time.monotonic() + 20
    while not any(tmp_path.iterdir()) and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 128 + signal.SIGTERM
    process.stdin.close()
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ["convert", "1", "2", "--from", "caffe", "\x1b]0;PWN\x07"],
        ["convert", "1", "--from", "caffe", "-a", "7-\x1b[2J\n-x"],
        ["convert", "1", "--from", "\x1b[2J"],
        ["convert", "1", "--from", "caffe", "--lr", "\x07"],
        ["\x1b[2J"],
        ["convert", "--\x1b[2J"],
    ],
)
def test_what_a_terminal_would_obey_is_escaped_in_errors(words, capsys):
    assert main(words) == 2
    error = capsys.readouterr().err
    assert all(c.isprintable() or c == "\n" for c in error)
    assert len(error.splitlines()) <= 3


def test_a_long_number_is_not_repeated_whole(capsys):
    assert main(["convert", "1", "--from", "caffe", "--lr", "x" * 5000, "--json"]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()[0]) < 300
    assert len(json.loads(error.splitlines()[-1])["error"]["message"]) < 300
    assert len(one_line("x" * 5000)) < 700


def test_a_caret_points_into_the_near_part_of_a_long_text(capsys):
    assert main(["convert", "1", "--from", "caffe", "-a", "784-" * 100 + "x"]) == 2
    line, caret, _ = capsys.readouterr().err.splitlines()
    assert len(line) <= 100
    assert line[caret.index("^")] == "x"


def test_a_package_that_is_not_installed_is_named(monkeypatch, capsys):
    def without(name):
        def call(*_):
            raise ModuleNotFoundError(name=name)

        monkeypatch.setattr(main_module, "_run", call)

    without("numpy")
    assert main(["schedule", "--list"]) == 2
    assert capsys.readouterr().err == (
        "error: the package 'numpy' is not installed; pip install numpy\n"
    )
    without("decaycalc.nothing")
    with pytest.raises(ModuleNotFoundError):
        main(["schedule", "--list"])


def test_a_version_that_is_not_known_is_null(monkeypatch, capsys):
    from importlib import metadata

    def version(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", version)
    assert main(["--version", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["numpy"] is None
