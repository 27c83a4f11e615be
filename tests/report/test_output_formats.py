import json
import os
import stat
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import decaycalc
from decaycalc.cli.main import main

WORDS = ["convert", "1e-3", "--from", "mean-l2", "--lr", "0.1", "-a", "784-300-10"]
ROOT = str(Path(decaycalc.__file__).parent.parent)


def command(*words, stdout=subprocess.PIPE, **environment):
    """Run the program in a process of its own."""
    kept = {
        name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS"}
    }
    return subprocess.run(
        [sys.executable, "-m", "decaycalc", *words], stdout=stdout, stderr=subprocess.PIPE,
        text=True, check=False, env={**kept, "PYTHONPATH": ROOT, **environment}, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("extension", "start"),
    [
        ("json", "{\n"), ("jsonl", '{"from"'), ("csv", "from,"), ("md", "mean-l2  lam = 0.001"),
        ("html", "<!DOCTYPE html>"), ("svg", "<svg"), ("txt", "mean-l2  lam"),
        ("TXT", "mean-l2  lam"),
    ],
)  # fmt: skip
def test_a_file_has_the_format_of_its_extension(extension, start, tmp_path, capsys):
    target = tmp_path / f"out.{extension}"
    assert main([*WORDS, "-o", str(target)]) == 0
    assert capsys.readouterr().out == ""
    text = target.read_text(encoding="utf-8")
    assert text.startswith(start)
    assert "\x1b" not in text
    if extension == "svg":
        ET.fromstring(text)  # noqa: S314  (our own output)


def test_the_format_asked_for_beats_the_extension(tmp_path):
    target = tmp_path / "out.txt"
    assert main([*WORDS, "-o", str(target), "--json"]) == 0
    assert json.loads(target.read_text())["schema"] == "decaycalc.convert"


def test_a_dash_is_standard_output(capsys):
    assert main([*WORDS, "-o", "-", "--format", "csv"]) == 0
    assert capsys.readouterr().out.startswith("from,")


@pytest.mark.parametrize("name", ["out.xyz", "out", ".json"])
def test_an_extension_that_names_no_format_is_refused(name, tmp_path, capsys):
    assert main([*WORDS, "-o", str(tmp_path / name)]) == 2
    assert "must end in one of" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_new_file_has_the_umask_s_permissions_and_an_old_one_keeps_its_own(tmp_path):
    target = tmp_path / "out.json"
    before = os.umask(0o027)
    try:
        main([*WORDS, "-o", str(target)])
        assert stat.S_IMODE(target.stat().st_mode) == 0o640
        target.chmod(0o600)
        main([*WORDS, "-o", str(target)])
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
    finally:
        os.umask(before)
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


def test_a_link_s_target_is_written_and_the_link_stays(tmp_path):
    target, link = tmp_path / "real.json", tmp_path / "link.json"
    link.symlink_to(target)
    assert main([*WORDS, "-o", str(link)]) == 0
    assert link.is_symlink()
    assert json.loads(target.read_text())


def test_a_folder_or_a_missing_one_is_refused_in_one_line(tmp_path, capsys):
    (tmp_path / "folder.json").mkdir()
    for name in ("folder.json", "missing/out.json"):
        assert main([*WORDS, "-o", str(tmp_path / name)]) == 2
        out, err = capsys.readouterr()
        assert "cannot write" in err
        assert len(err.splitlines()) == 1
        assert out == ""


def test_a_named_pipe_is_written_as_it_is(tmp_path):
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    read = []
    thread = threading.Thread(target=lambda: read.append(pipe.read_text()))
    thread.start()
    assert main([*WORDS, "-o", str(pipe)]) == 0
    thread.join()
    assert json.loads(read[0])


full_disk = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


@full_disk
@pytest.mark.parametrize(
    "words",
    [WORDS, [*WORDS, "--json"], ["--help"], ["convert", "--help"], ["--version"], ["schema"],
     ["--version", "--json"], ["completion", "bash"]],
)  # fmt: skip
def test_a_full_disk_is_told_in_one_line(words):
    with open("/dev/full", "w", encoding="utf-8") as full:  # noqa: PTH123
        done = command(*words, stdout=full)
    assert done.returncode == 2
    first, *more = done.stderr.splitlines()
    assert first == "error: cannot write 'stdout': No space left on device"
    assert len(more) == int("--json" in words)


@full_disk
def test_a_full_disk_behind_a_file_is_told_too(capsys):
    assert main([*WORDS, "-o", "/dev/full", "--json"]) == 2
    assert "No space left" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["conventions", "--json"], ["conventions"], ["recipes"]])
def test_a_reader_that_goes_away_ends_the_program_without_a_word(words):
    process = subprocess.Popen(
        [sys.executable, "-m", "decaycalc", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": ROOT},
    )  # fmt: skip
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) in {0, 1}


@pytest.mark.parametrize("format_", ["table", "md", "csv", "jsonl", "json"])
def test_no_color_leaves_no_escape_of_any_kind(format_):
    done = command(*WORDS, "--format", format_, NO_COLOR="1", FORCE_COLOR="1")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout


def test_force_color_colours_without_a_terminal():
    assert "\x1b" in command(*WORDS, FORCE_COLOR="1").stdout
    assert "\x1b" not in command(*WORDS).stdout


def test_the_width_is_the_flag_s_then_the_environment_s(run, monkeypatch):
    def widest(*words, columns):
        monkeypatch.setenv("COLUMNS", columns)
        return max(map(len, run(*WORDS, *words).out.splitlines()))

    natural = run(*WORDS).out
    assert "…" not in natural
    assert widest("--width", "60", columns="200") <= 60
    assert widest(columns="70") <= 70
    assert widest(columns="x") == max(map(len, natural.splitlines())) > 70


@pytest.mark.parametrize("width", ["0", "x", "-5", "1e3", "²"])
def test_a_width_that_is_none_is_refused(width, capsys):
    assert main([*WORDS, f"--width={width}"]) == 2
    assert "width" in capsys.readouterr().err


def test_quiet_keeps_stderr_empty(capsys):
    words = ["convert", "1e-4", "--from", "pytorch-adamw", "--lr", "1e-4", "--dtype", "bfloat16"]
    assert main(words) == 0
    assert "warning" in capsys.readouterr().err
    assert main([*words, "-q"]) == 0
    assert capsys.readouterr().err == ""


def test_two_formats_at_a_time_are_refused(capsys):
    assert main([*WORDS, "--json", "--format", "csv"]) == 2
    assert "one format at a time" in capsys.readouterr().err
    assert main(["conventions", "--format", "xml"]) == 2
    assert "xml" in capsys.readouterr().err


# Every exit status: the command line, the status, what stands on the last line of stderr.
STATUSES = [
    ("convert 5e-4 --from caffe --to keras-l2 --value", 0, ""),
    ("convert 1e-4 --from pytorch-adam --to pytorch-adamw", 1, "no equivalent"),
    ("convert 1e-4 --from l2-norm --to keras-l2", 1, "no equivalent"),
    ("convert 1e-4 --from caffe --to keras-l3", 2, "did you mean 'keras-l2'"),
    ("convert 1e-4 --from keras-l2 --to sklearn-logistic", 2, "give -N"),
    ("convert -1 --from caffe", 2, "must not be negative"),
    ("convert nan --from caffe", 2, "nan"),
    ("convert 1e400 --from caffe", 2, "1e400"),
    ("convert x --from caffe", 2, "not a number"),
    ("convert 1/0 --from caffe", 2, "zero"),
    ("convert 1e-4 --from caffe --lr 0", 2, "positive"),
    ("convert 1e-4 --from caffe -a 4-x-2", 2, "character 3"),
    ("convert 1e-4", 2, "--from"),
    ("convrt", 2, "did you mean 'convert'"),
    ("convert --nonsense", 2, "no such option"),
    ("convert 1 --from caffe --to keras-l2 --to mean-l2 --value", 2, "exactly one --to"),
    ("check no-such.toml", 2, "No such file"),
    ("schema nonsense", 2, "unknown schema"),
    ("completion tcsh", 2, "tcsh"),
    ("convert --input no-such.jsonl", 2, "No such file"),
    ("conventions nonsense", 2, "unknown convention"),
]


@pytest.mark.parametrize(("words", "status", "last"), STATUSES)
def test_every_exit_status_has_its_last_line(words, status, last, capsys):
    assert main(words.split()) == status
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    if status:
        assert out == ""
        assert last in err.splitlines()[-1]
        assert err.splitlines()[-1].startswith("error: ")


def test_an_interrupt_has_its_status(monkeypatch, capsys):
    import decaycalc.cli.output as output_module

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(output_module, "show", interrupted)
    assert main(["convert", "5e-4", "--from", "caffe", "--to", "keras-l2"]) == 130
    assert capsys.readouterr().err.strip() == "interrupted"


def test_records_show_themselves_in_notebooks_and_consoles():
    from rich.console import Console

    setting = decaycalc.Run(lr=0.1)
    for record in (
        decaycalc.convert(1e-3, source="mean-l2", target="keras-l2", run=setting),
        decaycalc.answer(1e-3, source="mean-l2", run=setting),
        decaycalc.catalogue.find("keras-l2"),
        setting,
        decaycalc.convert([1e-3, 2e-3], source="mean-l2", target="keras-l2"),
        setting.loss or decaycalc.answer(1e-3, source="mean-l2", run=setting).decay,
        decaycalc.catalogue.find("keras-l2").monomial or setting,
    ):
        if hasattr(record, "_repr_html_"):
            assert record._repr_html_().startswith('<div class="decaycalc">\n<style>')
            console = Console(width=100, force_terminal=False)
            with console.capture() as captured:
                console.print(record)
            assert len(captured.get().splitlines()) > 2


def test_results_print_as_their_commands_do(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    for result, words in (
        (decaycalc.compare("resnet-50-he", "deit-b"), ["compare", "resnet-50-he", "deit-b"]),
        (decaycalc.inspect("deit-b"), ["inspect", "deit-b"]),
        (
            decaycalc.transfer(0.1, source="pytorch-adamw", lr=3e-4, batch_size=8, to_batch_size=9),
            ["transfer", "0.1", "--from", "pytorch-adamw", "--lr", "3e-4", "-B", "8",
             "--to-batch-size", "9"],
        ),
    ):  # fmt: skip
        assert main([*words, "--width", "100"]) == 0
        assert f"{result}\n" == capsys.readouterr().out
    answer = str(decaycalc.answer("1e-4", source="pytorch-sgd", lr=0.1))
    assert answer.startswith("pytorch-sgd  weight_decay = 0.0001\nlr 0.1")
    assert max(map(len, answer.splitlines())) <= 100


def test_results_show_themselves_in_notebooks_as_their_commands_do():
    run = {"lr": "2e-4", "steps": 1000}
    compared = decaycalc.compare("resnet-50-he", "resnet-50-goyal-8k")
    for result, text in (
        (compared, compared.verdict),
        (decaycalc.suggest(rules=["short-run"], **run), "short-run"),
        (decaycalc.inspect("resnet-50-he"), "decay per step"),
        (decaycalc.verify("1e-4", source="caffe", target="keras-l2", lr="0.1"), "holds"),
    ):
        assert text in result._repr_html_()


def test_each_note_is_one_part_of_the_text_that_screens_cut_at_semicolons():
    for record in decaycalc.catalogue.conventions():
        assert "; " not in (record.estimate or ""), record.key
