"""Project files, assertions and own conventions of any types: one line, and a status that is ours.

DECAYCALC_FUZZ=100000 makes it long.
"""

import json
import os
import re

import pytest

from decaycalc.checks import RULES_OF_SOURCES
from decaycalc.cli.command import all_options
from tests.fuzzing.cases import fuzzed
from tests.fuzzing.drawing import WORDS, anything, as_lines, text, toml_leaf
from tests.fuzzing.lines import line
from tests.fuzzing.running import NAMES, answer, check_answer

OPTIONS = all_options()
FIELDS = ("value", "from", "to", "equals", "min", "max", "rtol", "quantity", "recipes", "name",
          *OPTIONS)  # fmt: skip
RECORD = {
    "key": "my-adamw", "title": "t", "parameter": "wd", "shrink": "lr*wd/2", "source": "s",
    "coupling": "decoupled", "optimizer": "adam",
    "update": "w = w*(1 - lr*wd/2); w = w - lr*adam(g)",
}  # fmt: skip
OF_RECORDS = (*RECORD, "aliases", "defaults", "refinements", "default", "refusal", "strength",
              "buffer", "compounds", "follows", "loss", "loss_unit", "loss_kinds", "common",
              "exempt", "trap", "since", "proximal", "group", "x")  # fmt: skip
OWN_MATHS = ("lr*wd/2", "wd", "lr^2*wd", "lr*wd/0", "wd^(1/2)", "lr*wd/(", "batch_size*wd",
             "2^9999", "1e400*wd", "wd/(1-momentum)", "w = w - lr*g - wd*w", "w = w/0", "x",
             "")  # fmt: skip
TRAINING = "opt: adamw\nlr: 1e-3\nepochs: 3\nweight_decay: 0.05\nsched: cosine\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def value(rng):
    return anything(rng, toml_leaf)


def changes(rng, names, most):
    return {rng.choice(names): value(rng) for _ in range(rng.randrange(most + 1))}


@fuzzed(plain=60, share=0.05)
def test_no_project_file_breaks_the_program_or_has_a_file_written(rng, folder):
    (folder / "a.yaml").write_text(TRAINING)
    names = OPTIONS if rng.random() < 0.9 else (text(rng),)
    rules = changes(rng, sorted(RULES_OF_SOURCES), 1)
    parts = [f"[tool.decaycalc]\n{as_lines(changes(rng, names, 2))}"]
    if rng.random() < 0.3:
        command = rng.choice(("convert", "arch", "check", "inspect", "x"))
        parts.append(f"[tool.decaycalc.{command}]\n{as_lines({**changes(rng, names, 2), **rules})}")
    elif rules:
        parts.append(f"[tool.decaycalc.check]\n{as_lines(rules)}")
    (folder / "pyproject.toml").write_text("".join(parts))
    before = sorted(os.listdir())  # noqa: PTH208
    words = rng.choice((["convert", "1", "--from", "caffe"], ["check", "a.yaml"], ["arch", "4-3-2"],
                        ["inspect", "a.yaml"], ["schema"], ["check", "pyproject.toml"],
                        ["suggest", "--lr", "0.1"], ["compare", "a.yaml", "a.yaml"], ["recipes"],
                        ["transfer", "0.1", "--from", "pytorch-adamw"], ["convert", "--help"],
                        ["schedule", "0.1", "--from", "caffe", "--lr", "1", "--steps", "9"],
                        ["conventions", "caffe"], ["verify", "1", "--steps", "2"]))  # fmt: skip
    more = rng.choice(([], ["--json"], ["--show-config"] if words[0] == "convert" else []))
    words += [] if words[0] == "schema" else more
    answered = answer(words)
    if all(word not in parts[-1] + parts[0] for word in ("nan", "inf")):
        check_answer([*words, "--output"], answered)
    assert answered[0] in {0, 1, 2}
    if not {"schema", "--help", "--show-config"} & {*words}:
        reads = re.search(r'schedule" = "(file:|constant:until)', "".join(parts))
        assert answered[0] == 2 or not reads
    assert sorted(os.listdir()) == before  # noqa: PTH208
    if words[0] == "schema" or words[-1] == "--help":
        assert answered[0] == 0


@fuzzed(plain=60, share=0.1)
def test_no_assertion_keeps_the_others_from_their_answer(rng, folder):
    sound = {"value": "0.1", "from": "caffe", "to": "keras-l2", "equals": "0.05"}
    tables = [{**sound, **changes(rng, FIELDS, 2)} for _ in range(rng.randrange(1, 3))]
    text_ = "".join(f"[c{at}]\n{as_lines(table)}" for at, table in enumerate(tables))
    (folder / "k.toml").write_text(f"{text_}[last]\n{as_lines(sound)}")
    format_ = rng.choice(("json", "json", "table", "csv", "md", "github", "junit", "sarif"))
    words = ["check", "k.toml", "--format", format_]
    status, out, err = answer(words)
    assert status in {0, 1, 2}
    assert "Traceback" not in err
    assert "\x1b" not in out + err
    if format_ == "json" and out:
        assert json.loads(out, parse_constant=pytest.fail)["checks"][-1]["passed"]
    else:
        assert out or (status == 2 and "error: " in err)


@fuzzed(plain=60, share=0.05)
def test_no_own_convention_breaks_the_program(rng, folder):
    change = changes(rng, OF_RECORDS, 2)
    if rng.random() < 0.5:
        change |= {rng.choice(("shrink", "strength", "update", "default")): rng.choice(OWN_MATHS)}
    (folder / "own.toml").write_text(f"[[convention]]\n{as_lines({**RECORD, **change})}")
    words = ["convert", "0.1", "--from", "my-adamw", "--lr", "1e-3", "--to", "pytorch-adamw"]
    words = rng.choice((words, words, ["conventions", "my-adamw"],
                        ["verify", "0.1", "--from", "my-adamw", "--to", "pytorch-adamw", "--lr",
                         "1e-3", "--steps", "2"]))  # fmt: skip
    more = rng.choice(([], ["--json"], ["--emit", "pytorch"] if words[0] == "convert" else []))
    status, out, err = answer([*words, "--conventions", "own.toml", *more])
    assert status in {0, 1, 2}
    assert "Traceback" not in err
    assert "\x1b" not in out + err


LINES = (
    "convert 1 --from caffe --to keras-l2 --value", "convert 1 --from x", "convert --input -",
    "check -", "inspect -", "compare - -", "arch -", "suggest", "schema", "completion bash",
    "--help", "--version", "recipes --json", "conventions caffe", "convert --bad", "probe x:y",
    "convert 1 --from caffe --arch -", "schedule --recipe - ", "guide", "--version --json",
)  # fmt: skip


@fuzzed(plain=60, share=0.05)
def test_no_closed_stream_breaks_the_program(rng):
    closed = [name for name in NAMES if rng.random() < 0.5] or [rng.choice(NAMES)]
    words = rng.choice(LINES).split() if rng.random() < 0.5 else line(rng)
    status, out, err = answer(words, closed)
    assert status in {0, 1, 2}
    assert "Traceback" not in out + err


@fuzzed(plain=60, share=0.05)
def test_no_schedule_table_breaks_the_program(rng, folder):
    ending = rng.choice(("csv", "json", "toml", "txt"))
    cells = ("0", "1", "10", "1e400", "nan", "-1", "x", "", "0.5", "9" * 400, *WORDS[:4])
    if ending == "csv":
        rows = [",".join(rng.choice(cells) for _ in range(rng.choice((2, 2, 2, 1, 3))))
                for _ in range(rng.randrange(5))]  # fmt: skip
        data = "\n".join([rng.choice(("step,multiplier", "step,lr", "0,1", "")), *rows])
    else:
        pairs = [[rng.choice((0, 1, 10, 1e308, 10**400, "x", None, -1, [])) for _ in range(2)]
                 for _ in range(rng.randrange(5))]  # fmt: skip
        data = json.dumps(rng.choice((pairs, {"steps": pairs}, [pairs], pairs[:1])))
    (folder / f"t.{ending}").write_text(data)
    words = ["schedule", "0.1", "--from", "pytorch-adamw", "--lr", "1e-3", "--steps", "20"]
    words += ["--schedule", f"file:t.{ending}", *rng.choice(([], ["--json"], ["--curve", "5"]))]
    check_answer(words, answer(words))
