"""Whatever becomes of a training file, it is read or refused in one line, and nothing is run.

DECAYCALC_FUZZ=100000 makes it long, with other files each time.
"""

import json
import re

import pytest

from decaycalc.errors import DecaycalcError
from decaycalc.inspection import inspect
from decaycalc.report import inspect as report
from decaycalc.report import text
from decaycalc.training.reading.recognise import trainers
from tests.fuzzing.cases import fuzzed
from tests.fuzzing.lines import PUBLISHED
from tests.fuzzing.running import answer, check_answer
from tests.fuzzing.sources import OF_TRAINERS, SEEDS, mutated

ALL = {**SEEDS, **OF_TRAINERS}
COMMANDS = (
    ("inspect", "{0}"), ("check", "{0}"), ("check", "{0}", "--format", "github"),
    ("check", "{0}", "{1}", "--format", "sarif"), ("check", "{0}", "--format", "junit"),
    ("check", "{0}", "--select", "DC1", "--fail-on", "note"), ("compare", "{0}", "{1}"),
    ("compare", "{1}", "{0}"), ("compare", "{0}", "{2}"), ("compare", "{0}", "{0}"),
    ("convert", "--recipe", "{0}", "--to", "keras-l2"), ("recipes", "{0}"),
    ("convert", "--recipe", "{0}", "--to", "hf-trainer", "--emit", "hf-trainer"),
    ("transfer", "--recipe", "{0}", "--to-batch-size", "512"), ("schedule", "--recipe", "{0}"),
    ("inspect", "{0}", "--world-size", "8", "-N", "1281167", "--epochs", "90", "--lr", "0.1"),
    ("inspect", "-"), ("check", "-"), ("compare", "-", "{1}"), ("inspect", "{0}", "--kind", "{3}"),
)  # fmt: skip
ENDINGS = ((), (), ("--json",), ("--json",), ("--format", "csv"), ("--format", "md"))


NUMBER = re.compile(r"(?<![\w.\-/+$])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w./%])")
# What stands for a value that only the run would tell, by the file's ending.
OPEN = {"py": "make()", "json": '"${OPEN}"', "toml": '"${OPEN}"'}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def empty(folder):
    for each in folder.iterdir():
        each.unlink()


@pytest.mark.parametrize("name", SEEDS)
def test_a_seed_is_read(folder, name):
    (folder / name).write_text(SEEDS[name])
    assert inspect(name).to_dict()["quantities"]


def test_nearly_every_trainer_has_a_seed(folder):
    kinds = set()
    for name, text_ in ALL.items():
        (folder / name).write_text(text_)
        try:
            kinds.add(inspect(name).training.kind)
        except DecaycalcError:  # a part of a file, which its test fills
            assert name in OF_TRAINERS
    assert len(kinds) >= 0.9 * len(trainers())


def quantities(name):
    return {each.name: (each.value, each.origin) for each in inspect(name).training.quantities}


@fuzzed(plain=150, share=0.2)
def test_a_value_that_only_the_run_would_tell_gives_no_other_quantity_a_number(rng, folder):
    empty(folder)
    name = rng.choice(list(ALL))
    path, source = folder / name, ALL[name]
    numbers = list(NUMBER.finditer(source))
    if not numbers:
        return
    number = rng.choice(numbers)
    found = []
    opened = OPEN.get(name.rpartition(".")[2], "${OPEN}")
    for each in (source, source[: number.start()] + opened + source[number.end() :]):
        path.write_text(each)
        try:
            found.append(quantities(name))
        except DecaycalcError:
            return
    before, after = found
    # One device is taken where none is told, and DC501 says so; B counts sequences where no length
    # is known.
    moved = {
        key: (before[key], value)
        for key, value in after.items()
        if key in before and value[0] not in {None, before[key][0]} and value[1] != "file"
    }
    if "world_size" not in moved:
        assert set(moved) <= {"examples_per_step"}, (source, number[0], moved)


@fuzzed(plain=500, share=0.6)
def test_whatever_a_file_holds_it_is_read_or_refused_and_never_run(rng, folder):
    empty(folder)
    name = rng.choice(list(ALL))
    path = folder / name
    path.write_bytes(mutated(rng, ALL[name]).encode("utf-8", "surrogateescape"))
    try:
        found = inspect(name)
    except DecaycalcError as error:
        assert "\n" not in str(error)  # noqa: PT017  (that nothing else is raised is the point)
        assert len(str(error)) < 1000  # noqa: PT017
    else:
        json.dumps(found.to_dict(), allow_nan=False)
        assert "file:" not in (found.training.schedule or "")
        if rng.random() < 0.2:  # tables take longer than all the rest
            assert "\x1b" not in text.to_text(report.tables(found), width=80, colour=False)
    assert [each.name for each in folder.iterdir()] == [name]


@fuzzed(plain=150, share=0.1)
def test_every_command_that_takes_a_file_answers_or_refuses_it(rng, folder):
    empty(folder)
    name, other = rng.choice(list(ALL)), rng.choice(list(SEEDS))
    (folder / other).write_text(SEEDS[other])
    data = mutated(rng, ALL[name]).encode("utf-8", "surrogateescape")
    (folder / name).write_bytes(data)
    kind = rng.choice(trainers()).kind
    pattern = [*rng.choice(COMMANDS), *rng.choice(ENDINGS)]
    words = [word.format(name, other, rng.choice(PUBLISHED), kind) for word in pattern]
    if words[-2:-1] == ["--format"] and words.count("--format") > 1:
        words = words[:-2]
    check_answer(words, answer(words, stdin=data), numbers=False)
    assert {each.name for each in folder.iterdir()} == {name, other}
