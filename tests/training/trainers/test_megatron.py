"""Megatron-LM's flags."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import read, shrink

FILE = """\
#!/bin/bash
GLOBAL_BATCH=512
ARGS=(
    --micro-batch-size 4
    --global-batch-size $GLOBAL_BATCH
    --train-iters 100000
    --lr-decay-iters 90000   # the rest at the minimum
    --weight-decay 0.1
    --adam-beta1 0.9
    --adam-beta2 0.95
    --lr 3.0e-4
    --min-lr 3.0e-5
    --lr-decay-style cosine
    --lr-warmup-fraction .01
)
torchrun --nproc_per_node 8 --nnodes 2 pretrain_gpt.py --seq-length 2048 ${ARGS[@]}
"""


def changed(*pairs):
    text = FILE
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def test_a_script_s_flags_are_a_run(tmp_path):
    found = read(tmp_path, "run.sh", FILE)
    assert (found.kind, found.convention, found.value) == ("megatron", "megatron-adam", "0.1")
    assert (found.run.examples_per_step, found.run.total_steps) == (512, 100_000)
    assert found.schedule == "cosine:warmup=900,length=90000,final=0.1"
    assert found.unit == "sequences of 2048 tokens"
    assert shrink(found) == pytest.approx(3e-5)
    assert "1-D tensors" in found.exempt.rule


def test_without_a_whole_batch_the_devices_multiply_the_micro_batch(tmp_path):
    text = changed(("    --global-batch-size $GLOBAL_BATCH\n", ""), ("--seq-length 2048", ""))
    found = read(tmp_path, "run.sh", text)
    assert (found.run.examples_per_step, found.unit) == (64, "sequences")


def test_a_whole_batch_that_is_open_is_not_made_of_the_devices(tmp_path):
    found = read(tmp_path, "run.sh", changed(("GLOBAL_BATCH=512\n", "")))
    assert found.run.examples_per_step is None
    assert "global_batch_size" in found.missing


def test_a_batch_that_is_given_takes_the_place_of_the_whole_one(tmp_path):
    assert read(tmp_path, "run.sh", FILE, batch_size="2").run.examples_per_step == 32


@pytest.mark.parametrize(
    ("pairs", "schedule"),
    [
        ([("style cosine", "style constant")], "constant:warmup=900"),
        ([("style cosine", "style linear"), ("--lr-decay-iters 90000", "")],
         "linear:warmup=1000,final=0.1"),
        ([("style cosine", "style inverse-square-root")],
         "inverse-sqrt:warmup=900,floor=0.1,until=90000 + constant:value=0.1"),
        ([("style cosine", "style inverse-square-root"), ("--lr-decay-iters 90000", "")],
         "inverse-sqrt:warmup=1000,floor=0.1"),
        ([("style cosine", "style inverse-square-root"), ("--lr-warmup-fraction .01", "")], None),
        # A share of the decay's length, not of the run's.
        ([("--lr-decay-iters 90000", "--lr-decay-iters 333"), ("fraction .01", "fraction 0.05")],
         "cosine:warmup=17,length=333,final=0.1"),
        ([("style cosine", "style WSD --lr-wsd-decay-iters 9000")],
         "wsd:warmup=900,length=90000,decay=9000,final=0.1,shape=exponential"),
        ([("style cosine", "style WSD")], None),
        ([("style cosine",
           "style WSD --lr-wsd-decay-iters 9000 --lr-wsd-decay-style minus_sqrt")],
         "wsd:warmup=900,length=90000,decay=9000,final=0.1,shape=1-sqrt"),
        ([("fraction .01", "iters 500 --lr-warmup-init 3e-5")],
         "cosine:warmup=500,start=0.1,length=90000,final=0.1"),
        ([("fraction .01", "iters 0")], "cosine:length=90000,final=0.1"),
        ([("fraction .01", "fraction .000001")], "cosine:length=90000,final=0.1"),
    ],
)  # fmt: skip
def test_schedules(tmp_path, pairs, schedule):
    assert read(tmp_path, "run.sh", changed(*pairs)).schedule == schedule


def test_samples_are_counted_in_steps(tmp_path):
    text = changed(
        ("--train-iters 100000", "--train-samples 5120000"),
        ("--lr-decay-iters 90000", "--lr-decay-samples 512000 --lr-warmup-samples 51200"),
        ("    --lr-warmup-fraction .01\n", ""),
    )
    found = read(tmp_path, "run.sh", text)
    assert found.run.total_steps == 10_000
    assert found.schedule == "cosine:warmup=100,length=1000,final=0.1"
    lost = text.replace("    --global-batch-size $GLOBAL_BATCH\n", "").replace(
        "--micro-batch-size 4", "--micro-batch-size $1"
    )
    assert read(tmp_path, "b.sh", lost).run.total_steps is None


def test_a_length_that_is_open_leaves_the_schedule_open(tmp_path):
    text = changed(("--train-iters 100000", "--train-iters $1"), ("--lr-decay-iters 90000", ""))
    assert read(tmp_path, "run.sh", text).schedule is None


@pytest.mark.parametrize("style", ["linear", "cosine"])
def test_increments_of_weight_decay_are_a_schedule_of_its_own(tmp_path, style):
    more = f"--weight-decay-incr-style {style} --start-weight-decay 0.02 --end-weight-decay 0.2"
    found = read(tmp_path, "run.sh", changed(("--weight-decay 0.1", more)))
    assert (found.value, found.decay_schedule) == ("0.2", f"{style}:initial=0.1,final=1")
    assert any("from 0.02 to 0.2" in note for note in found.notes)


def test_a_decay_of_zero_from_start_to_end_is_zero(tmp_path):
    flags = "--weight-decay-incr-style linear --start-weight-decay 0 --end-weight-decay 0"
    made = read(tmp_path, "run.sh", changed(("--lr 3.0e-4", f"--lr 3.0e-4 {flags}")))
    assert (made.value, made.decay_schedule) == ("0", None)


def test_a_growing_batch_takes_more_steps(tmp_path):
    grown = "--lr 3.0e-4 --rampup-batch-size 256 128 51200"
    text = changed(
        ("--train-iters 100000", "--train-samples 5120000"), ("--lr-decay-iters 90000", ""),
        ("--lr 3.0e-4", grown),
    )  # fmt: skip
    made = read(tmp_path, "run.sh", text)
    # 100 steps of 256, 67 of 384 to pass 51,200 samples, then what is left by 512, cut off.
    n_steps = 167 + (5_120_000 - 100 * 256 - 67 * 384) // 512
    assert (made.run.total_steps, made.schedule) == (n_steps, None)
    told = "lr follows the samples; the growth takes 167 steps and not 100"
    assert any(told in note for note in made.notes)
    short = text.replace("5120000", "50000")
    assert read(tmp_path, "run.sh", short).run.total_steps is None


@pytest.mark.parametrize("given", [
    "32 32", "32 33 100", "512 32 100", "32 0 100", "32 32 x", "-32 32 100", "32 32 -1",
])  # fmt: skip
def test_a_growth_that_megatron_refuses_is_told_without_figures(tmp_path, given):
    text = changed(("--lr 3.0e-4", f"--lr 3.0e-4 --rampup-batch-size {given}"))
    made = read(tmp_path, "run.sh", text)
    assert any(note.endswith("follows the samples") for note in made.notes)


@pytest.mark.parametrize(
    ("name", "convention"),
    [
        ("sgd", "megatron-sgd"),
        ("lion", "megatron-lion"),
        ("muon", "megatron-muon"),
        ("dist_muon", "megatron-muon"),
        ("x", None),
    ],
)
def test_other_optimizers(tmp_path, name, convention):
    text = changed(("--lr 3.0e-4", f"--lr 3.0e-4 --optimizer {name}"))
    found = read(tmp_path, "run.sh", text)
    assert found.convention == convention
    assert (found.value is None) == (convention is None)


@pytest.mark.parametrize(
    "flag",
    ["--apply-wd-to-qk-layernorm", "--no-weight-decay-cond-type apply_wd_to_qk_layernorm"],
)
def test_norms_of_queries_may_decay(tmp_path, flag):
    text = changed(("--lr 3.0e-4", f"--lr 3.0e-4 {flag}"))
    assert "queries and keys" in read(tmp_path, "run.sh", text).exempt.rule


@pytest.mark.parametrize(
    ("flags", "batch"),
    [("", 64), ("--tensor-model-parallel-size 2", 32), ("--pipeline-model-parallel-size 3", None)],
)
def test_without_a_whole_batch_the_data_parallel_devices_count(tmp_path, flags, batch):
    text = changed(
        ("    --global-batch-size $GLOBAL_BATCH\n", ""), ("--seq-length", f"{flags} --x")
    )
    assert read(tmp_path, "run.sh", text).run.examples_per_step == batch


def test_without_a_launcher_there_is_one_device(tmp_path):
    text = changed(
        ("    --global-batch-size $GLOBAL_BATCH\n", ""),
        ("torchrun --nproc_per_node 8 --nnodes 2", "python"),
    )
    assert read(tmp_path, "run.sh", text).run.examples_per_step == 4


def test_a_second_lr_is_told(tmp_path):
    made = read(tmp_path, "run.sh", changed(("--seq-length", "--decoupled-lr 1e-2 --seq-length")))
    assert any("an lr of their own" in note for note in made.notes)


def test_an_unknown_style_has_no_schedule_whatever_it_says_of_another(tmp_path):
    text = changed(("cosine", "WSD\n    --lr-wsd-decay-style linear --lr-wsd-decay-iters 5000"))
    schedule = "wsd:warmup=900,length=90000,decay=5000,final=0.1,shape=linear"
    assert read(tmp_path, "run.sh", text).schedule == schedule
    other = text.replace("WSD", "staircase")
    assert read(tmp_path, "run.sh", other).schedule is None


def test_tokens_end_the_run_and_bound_the_schedule(tmp_path):
    """Source: Megatron-DeepSpeed 4efb479d megatron/training.py, optimizer_param_scheduler.py."""
    text = (
        "deepspeed pretrain_gpt.py --micro-batch-size 2 --global-batch-size 64 --seq-length 1000"
        " --train-samples 640000 --train-tokens 256000000 --lr 1e-3 --lr-decay-style cosine"
        " --lr-decay-tokens 128000000 --lr-warmup-tokens 6400000"
    )
    found = read(tmp_path, "run.sh", text)
    assert found.run.steps == 4000
    assert found.schedule == "cosine:warmup=100,length=2000"
    fewer = read(tmp_path, "b.sh", text.replace("640000 ", "64000 "))
    assert fewer.run.steps == 1000


CURRICULUM = '{"curriculum_learning": {"enabled": true}, "train_micro_batch_size_per_gpu": 4}'


@pytest.mark.parametrize(
    ("flags", "is_told"),
    [
        ("--data-efficiency-curriculum-learning", True),
        ("--random-ltd", True),
        ("--deepspeed_config ds.json", True),
        ("--deepspeed_config plain.json", False),
        ("--deepspeed_config elsewhere.json", False),
    ],
)
def test_a_curriculum_leaves_open_what_is_counted_in_tokens(tmp_path, flags, is_told):
    (tmp_path / "ds.json").write_text(CURRICULUM)
    (tmp_path / "plain.json").write_text(CURRICULUM.replace("true", "false"))
    own = f"{flags} --train-tokens 104857600 --lr-decay-tokens 104857600 --seq-length"
    text = changed(("--lr-decay-iters 90000", ""), ("--seq-length", own))
    text = text.replace("    --lr-warmup-fraction .01\n", "")
    made = read(tmp_path, "run.sh", text)
    assert (made.run.total_steps, made.schedule is None) == (None if is_told else 100, is_told)
    assert any("tokens of a step grow" in note for note in made.notes) == is_told


def test_a_curriculum_beside_a_length_in_steps_is_told(tmp_path):
    made = read(tmp_path, "run.sh", changed(("--seq-length", "--random-ltd --seq-length")))
    assert (made.run.steps, made.schedule is None) == (100_000, False)
    assert any("random_ltd: the tokens of a step grow" in note for note in made.notes)


def test_an_experiment_of_primus_is_not_its_flags_alone(tmp_path):
    text = (
        "modules:\n  pre_trainer:\n    overrides: {lr: 1e-4, weight_decay: 0.1}\n"
        "micro_batch_size: 1\ntrain_iters: 10\n"
    )
    with pytest.raises(UnreadableFileError, match="not enough of any trainer's own keys"):
        read(tmp_path, "a.yaml", text)


def test_an_old_warmup_leaves_the_schedule_open(tmp_path):
    text = "python pretrain_gpt.py --micro-batch-size 4 --train-iters 100 --lr 1e-4"
    assert read(tmp_path, "a.sh", f"{text} --lr-decay-style cosine\n").schedule == "cosine"
    made = read(tmp_path, "b.sh", f"{text} --lr-decay-style cosine --warmup .01\n")
    assert made.schedule is None


@pytest.mark.parametrize("flag", ["warmup-iters 9", "inspect-iters 9", "resume-dataloader"])
def test_other_loops_with_some_of_megatron_s_names_are_not_it(tmp_path, flag):
    text = "python finetune.py --batch-size 16 --train-iters 100 --lr 1e-4 --lr-decay-style cosine"
    assert read(tmp_path, "a.sh", text).kind == "megatron"
    with pytest.raises(UnreadableFileError):
        read(tmp_path, "b.sh", f"{text} --{flag}")
