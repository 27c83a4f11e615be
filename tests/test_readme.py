"""The README: short, its console blocks are run and compared, every command is shown somewhere."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from decaycalc import guide
from decaycalc.cli import COMMANDS
from decaycalc.cli.group import program
from tests import documentation

README = Path(__file__).parent.parent / "README.md"


def test_every_console_block_prints_what_it_shows():
    with TemporaryDirectory() as folder:
        _, wrong = documentation.renewed(README.read_text(), Path(folder))
    assert wrong == []


def test_it_takes_two_minutes():
    text = README.read_text()
    assert len(text.encode()) <= 8000
    assert len(text.splitlines()) <= 120


def test_every_page_that_it_names_is_there():
    for path in re.findall(r"\]\(([^)]+)\)", README.read_text()):
        assert (README.parent / path).is_file(), path


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_shown_and_has_help(name):
    pages = README.read_text() + "".join(map(guide.page, guide.TOPICS))
    assert re.search(rf"decaycalc {name}\b", pages)
    command = program.get_command(None, name)
    assert command.help
    options = [each for each in command.params if each.param_type_name == "option"]
    assert all(option.help for option in options)


def commands_of_the_tasks():
    rows = re.findall(r"^\| [^|]+ \| `(decaycalc [^`]+)` \|$", README.read_text(), re.MULTILINE)
    return [row for row in rows if "check" not in row]


@pytest.mark.parametrize("line", commands_of_the_tasks())
def test_every_task_of_the_table_is_done_by_its_command(run, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("run.sh").write_text(
        "torchrun --nproc_per_node 2 run_clm.py --learning_rate 5e-5 --weight_decay 0.01 "
        "--per_device_train_batch_size 8 --num_train_epochs 3 --output_dir out\n"
    )
    done = run(*line.split()[1:])
    assert (done.status, done.err.count("error")) == (0, 0)
