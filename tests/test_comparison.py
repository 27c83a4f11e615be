"""compare: ratios and the factors that multiply to them, by hand."""

import json
from math import cos, pi, prod

import pytest

import decaycalc
from decaycalc import Run
from decaycalc.comparison import compare
from decaycalc.inspection import inspect

NANO = """\
learning_rate = 6e-4
weight_decay = 1e-1
batch_size = 12
block_size = 1024
gradient_accumulation_steps = 40
max_iters = 1000
lr_decay_iters = 1000
warmup_iters = 100
min_lr = 6e-5
"""
TRAINER = """\
learning_rate: 3.0e-4
weight_decay: 0.05
lr_scheduler_type: cosine
warmup_steps: 100
max_steps: 2000
per_device_train_batch_size: 12
gradient_accumulation_steps: 40
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "train.py").write_text(NANO, encoding="utf-8")
    (tmp_path / "run.yaml").write_text(TRAINER, encoding="utf-8")
    return str(tmp_path / "train.py"), str(tmp_path / "run.yaml")


def test_the_factors_multiply_to_the_ratio(files):
    found = compare(*files)
    rows = {row.name: row for row in found.rows}
    assert rows["shrink"].ratio == pytest.approx(0.25)
    step = [each for each in found.factors if each.of == "step"]
    assert {each.name: each.factor for each in step} == pytest.approx(
        {"weight decay": 0.5, "lr": 0.5}
    )
    whole = prod(each.factor for each in found.factors)
    assert whole == pytest.approx(rows["sum_shrink"].ratio)
    assert {each.name for each in found.factors if each.of == "sum"} == {
        "steps", "mean of the schedule",
    }  # fmt: skip
    assert "times less off a weight over the run" in found.verdict


def test_one_run_in_two_trainers_differs_by_their_warm_ups_alone(files, tmp_path):
    (tmp_path / "train.py").write_text(NANO.replace("min_lr = 6e-5", "min_lr = 0.0"))
    same = TRAINER.replace("3.0e-4", "6e-4").replace("0.05", "0.1").replace("2000", "1000")
    (tmp_path / "run.yaml").write_text(same)
    found = compare(*files)
    rows = {row.name: row for row in found.rows}
    assert (rows["shrink"].ratio, rows["steps"].ratio) == (1, 1)
    # nanoGPT warms up by (t + 1)/101, the Trainer by t/100; the cosine after it is the same.
    fall = sum(0.5 * (1 + cos(pi * step / 900)) for step in range(900))
    first, second = (6e-5 * (warming + fall) for warming in (100 * 101 / 2 / 101, 99 / 2))
    assert rows["sum_shrink"].values == pytest.approx((first, second), rel=1e-12)
    (factor,) = found.factors
    assert (factor.of, factor.factor) == ("sum", pytest.approx(second / first, rel=1e-12))
    assert found.verdict == "the second takes 0.1 % less off a weight over the run than the first"


def test_momentum_and_what_conventions_multiply_by_are_factors():
    found = compare("resnet-50-he", "alexnet-2012")
    assert found.sides[0].training.source == "resnet-50-he"
    ratio = {row.name: row for row in found.rows}["shrink"].ratio
    assert prod(each.factor for each in found.factors if each.of == "step") == pytest.approx(ratio)


def test_two_runs_of_the_same_decay_are_said_to_be():
    same = compare("resnet-50-goyal-256", "resnet-50-goyal-256")
    assert same.factors == ()
    assert "as much off a weight over the run as the first" in same.verdict


def fine_tune(tmp_path, name, *, decay, steps):
    text = TRAINER.replace("0.05", decay).replace("2000", str(steps))
    (tmp_path / name).write_text(text, encoding="utf-8")
    return str(tmp_path / name)


def test_decays_that_sum_up_to_next_to_nothing_cannot_be_told_apart(tmp_path):
    one = fine_tune(tmp_path, "a.yaml", decay="0.05", steps=300)
    none = fine_tune(tmp_path, "b.yaml", decay="0", steps=300)
    assert compare(one, none).verdict.startswith("indistinguishable by decay")


def test_a_run_without_decay_is_compared_by_words(tmp_path):
    one = fine_tune(tmp_path, "a.yaml", decay="0.5", steps=30_000)
    none = fine_tune(tmp_path, "b.yaml", decay="0", steps=30_000)
    assert compare(one, none).verdict == "the second takes nothing off a weight over the run"
    assert "cannot be compared" in compare(none, one).verdict


def test_a_side_may_be_an_inspection_and_a_momentum_next_to_one(files):
    found = compare(inspect(files[0]), files[1])
    assert found.sides[0].training.kind == "nanogpt"


def test_the_command_says_the_verdict_first(files, run):
    done = run("compare", *files)
    assert done.status == 0
    assert done.out.startswith("the second takes")
    assert " why " in done.out
    document = json.loads(run("compare", *files, "--json").out)
    assert document["verdict"] in done.out
    assert [row["name"] for row in document["groups"]] == ["decayed", "exempt"]
    assert run("compare", *files, "--format", "csv").out.startswith("name,first,second,ratio")


def test_a_single_group_and_no_factor_are_left_out(run, tmp_path):
    text = "[optimizer]\nlr = 4e-4\n[lr_scheduler]\nwarmup_steps = 2\n[model]\nflavor = 'a'\n"
    (tmp_path / "a.toml").write_text(text, encoding="utf-8")
    path = str(tmp_path / "a.toml")
    done = run("compare", path, path)
    assert " why " not in done.out
    assert "group, decay per step" not in done.out


def test_what_is_given_holds_for_both_sides(tmp_path):
    epochs = "num_train_epochs: 2\n"
    for name in ("one", "other"):
        text = TRAINER.replace("max_steps: 2000\n", epochs)
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        epochs = "num_train_epochs: 6\n"
    files = str(tmp_path / "one.yaml"), str(tmp_path / "other.yaml")
    assert {row.name: row for row in compare(*files).rows}["steps"].values == (None, None)
    found = compare(*files, run=Run(dataset_size=4800))
    steps = {row.name: row for row in found.rows}["steps"]
    assert (steps.values, steps.ratio) == ((20, 60), 3)
    assert decaycalc.compare(*files, dataset_size=4800).to_dict() == found.to_dict()


def test_batches_of_tokens_and_of_examples_have_no_ratio(files):
    batch = {row.name: row for row in compare(*files).rows}["examples_per_step"]
    assert batch.values == (12 * 1024 * 40, 12 * 40)
    assert (batch.units, batch.ratio) == (("tokens", "examples"), None)


def test_a_decay_s_own_schedule_is_a_row_and_momentum_is_one_where_it_means_something():
    found = {row.name: row.values for row in compare("dinov2-vit-l-14", "deit-b").rows}
    assert found["decay_schedule"] == ("cosine:final=5", None)
    assert found["momentum"] == (None, None)
    found = {row.name: row.values for row in compare("deit-b", "resnet-50-he").rows}
    assert found["momentum"] == (None, 0.9)
