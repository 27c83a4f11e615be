"""Whatever becomes of a training file, it is read or refused in one line, and nothing is run.

DECAYCALC_FUZZ=100000 makes it long, with other files each time.
"""

import json
import os
import random

import pytest

from decaycalc.errors import DecaycalcError
from decaycalc.inspection import inspect
from decaycalc.report import inspect as report
from decaycalc.report import text

N_FILES = int(os.environ.get("DECAYCALC_FUZZ", "0"))

SEEDS = {
    "train.yaml": (
        "per_device_train_batch_size: 4\nnum_train_epochs: 3\nlearning_rate: 2.0e-4\n"
        "weight_decay: 0.1\nlr_scheduler_type: cosine\nwarmup_ratio: 0.03\noptim: adamw_torch\n"
    ),
    "run.sh": (
        "#!/bin/bash\nLR=2e-5\nARGS=(--weight_decay 0.05 --num_train_epochs $((1 + 1)))\n"
        "torchrun --nproc_per_node 4 train.py --learning_rate ${LR} \\\n"
        '  --per_device_train_batch_size 2 "${ARGS[@]}"\n'
    ),
    "ds.json": json.dumps(
        {
            "train_batch_size": 256,
            "optimizer": {"type": "Adam", "params": {"lr": 3e-4, "weight_decay": 0.1}},
            "scheduler": {"type": "WarmupDecayLR", "params": {"total_num_steps": 10000}},
            "zero_optimization": {"stage": 2},
        },
        indent=1,
    ),
    "args.yaml": (
        "task: detect\nmode: train\nepochs: 20\nbatch: 24\noptimizer: auto\nlr0: 0.01\nlrf: 0.01\n"
        "momentum: 0.937\nweight_decay: 0.0005\nwarmup_epochs: 3.0\nnbs: 64\n"
    ),
    "timm.yaml": "opt: adamw\nlr: 1e-3\nepochs: 100\nwarmup_epochs: 20\nweight_decay: 0.05\n",
    "config.py": (
        "base_lr = 1e-4 * 2\noptim_wrapper = dict(optimizer=dict(type='AdamW', lr=base_lr))\n"
        "param_scheduler = [dict(type='MultiStepLR', milestones=[16, 22])]\n"
        "train_cfg = dict(max_epochs=24)\n"
    ),
    "gpt.py": "max_iters = 600 * 10\nblock_size = 8\nlearning_rate = 6e-4\nweight_decay = 1e-1\n",
    "solver.prototxt": 'base_lr: 0.01\nlr_policy: "step"\ngamma: 0.1\nstepsize: 10\nmax_iter: 45\n',
    "yolo.cfg": "[net]\nbatch=64\nlearning_rate=0.001\nmax_batches=500\npolicy=steps\nsteps=4,5\n",
    "kohya.toml": (
        '[a]\npretrained_model_name_or_path = "x"\noptimizer_type = "AdamW8bit"\n'
        'optimizer_args = ["weight_decay=0.05"]\n[b]\ntrain_batch_size = 2\n'
    ),
    "sgd.yaml": (
        "SOLVER:\n  IMS_PER_BATCH: 32\n  BASE_LR: 0.04\n  STEPS: (300, 400)\n  MAX_ITER: 450\n"
    ),
}
PIECES = (
    "null", "~", "nan", "inf", "-1", "0", "1e400", "5e-324", "9" * 400, "0x" + "f" * 5000, "[", "]",
    "{", "}", "\0", "${", "$((", "'", '"', "\\\n", "&a", "*a", "<<: *a", "!!python/object/apply:os",
    "!new:x", "[" * 3000, "(" * 300, "1+" * 990 + "1", "-" * 1500 + "1", "auto", "1/3", "1_000",
    "#", "=", ":", ",", "é", "\x1b]0;x\x07", "&b [*b, *b]", "<<EOF\n", "|", "%", "a: " * 50,
    "__import__('pathlib').Path('canary').touch()", "true", "1e308", "99999999999999999999999",
)  # fmt: skip


def cut(rng, whole):
    return whole[: rng.randrange(len(whole) + 1)] or " "


def strewn(rng, whole):
    at = rng.randrange(len(whole) + 1)
    return whole[:at] + rng.choice(PIECES) + whole[at:]


def retyped(rng, whole):
    lines = whole.split("\n")
    at = rng.randrange(len(lines))
    mark = next((mark for mark in (": ", "=", " ") if mark in lines[at]), " ")
    lines[at] = f"{lines[at].partition(mark)[0]}{mark}{rng.choice(PIECES)}"
    return "\n".join(lines)


def doubled(rng, whole):
    lines = whole.split("\n")
    lines.insert(rng.randrange(len(lines)), rng.choice(lines))
    return "\n".join(lines)


def nested(rng, whole):
    lines = whole.split("\n")
    at = rng.randrange(len(lines))
    lines[at] = f"  {lines[at]}"
    return "\n".join(lines)


def mixed(rng, whole):
    lines = whole.split("\n")
    other = rng.choice(list(SEEDS.values())).split("\n")
    lines.insert(rng.randrange(len(lines)), rng.choice(other))
    return "\n".join(lines)


def shuffled(rng, whole):
    lines = whole.split("\n")
    rng.shuffle(lines)
    return "\n".join(lines)


WAYS = (cut, strewn, retyped, doubled, nested, mixed, shuffled)


def mutated(rng, whole):
    """Return a text changed in one to four of these ways."""
    for _ in range(rng.randint(1, 4)):
        whole = rng.choice(WAYS)(rng, whole)
    return whole


@pytest.mark.parametrize("name", SEEDS)
def test_a_seed_is_read(tmp_path, name):
    (tmp_path / name).write_text(SEEDS[name])
    assert inspect(str(tmp_path / name)).to_dict()["quantities"]


@pytest.mark.parametrize("name", SEEDS)
def test_whatever_a_file_holds_it_is_read_or_refused_and_never_run(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    rng = random.Random(None if N_FILES else name)  # noqa: S311  (a test's own)
    for _ in range(N_FILES // len(SEEDS) or 40):
        (tmp_path / name).write_bytes(mutated(rng, SEEDS[name]).encode())
        try:
            found = inspect(name)
        except DecaycalcError as error:
            assert "\n" not in str(error)  # noqa: PT017  (that nothing else is raised is the point)
            assert len(str(error)) < 1000  # noqa: PT017
        else:
            json.dumps(found.to_dict(), allow_nan=False)
            assert "\x1b" not in text.to_text(report.tables(found), width=80, colour=False)
    assert [path.name for path in tmp_path.iterdir()] == [name]


COMMANDS = (
    ("inspect", "{0}", "--json"), ("inspect", "{0}"), ("check", "{0}"), ("check", "{0}", "--json"),
    ("check", "{0}", "--format", "github"), ("compare", "{0}", "{1}", "--json"),
    ("compare", "{0}", "{1}"), ("convert", "--recipe", "{0}", "--to", "keras-l2", "--json"),
    ("recipes", "{0}", "--json"), ("transfer", "--recipe", "{0}", "--to-batch-size", "512"),
    ("schedule", "--recipe", "{0}", "--format", "csv"),
)  # fmt: skip


@pytest.mark.parametrize("name", SEEDS)
def test_every_command_that_takes_a_file_answers_or_refuses_it(tmp_path, monkeypatch, run, name):
    monkeypatch.chdir(tmp_path)
    rng = random.Random(None if N_FILES else f"run {name}")  # noqa: S311  (a test's own)
    other = rng.choice(list(SEEDS))
    for _ in range(N_FILES // 10 // len(SEEDS) or 6):
        (tmp_path / other).write_bytes(SEEDS[other].encode())
        (tmp_path / name).write_bytes(mutated(rng, SEEDS[name]).encode())
        words = [word.format(name, other) for word in rng.choice(COMMANDS)]
        done = run(*words)
        assert done.status in {0, 1, 2}
        assert "Traceback" not in done.err
        assert "\x1b" not in done.out + done.err
        if done.status == 0 and "--json" in words:
            json.loads(done.out, parse_constant=pytest.fail)
    assert {path.name for path in tmp_path.iterdir()} == {name, other}
