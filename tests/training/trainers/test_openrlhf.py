"""OpenRLHF's flags, of the newer form and of the older."""

import pytest

from tests.training.trainers.reading import origins, read, shrink

FILE = (
    "deepspeed --module openrlhf.cli.train_dpo --train.batch_size 64 --train.max_epochs 2"
    " --adam.weight_decay 0.1 --adam.lr 2e-6 --adam.betas 0.9 0.98\n"
)


def test_the_newer_form(tmp_path):
    found = read(tmp_path, "run.sh", FILE)
    assert (found.kind, found.convention, found.value) == ("openrlhf", "deepspeed-adam", "0.1")
    assert (found.run.examples_per_step, found.run.epochs) == (64, 2)
    assert (found.schedule, found.betas) == ("cosine:warmup=3%,final=0.1", ("0.9", "0.98"))
    assert shrink(found) == pytest.approx(2e-7)


def test_the_older_form_and_a_default_lr(tmp_path):
    text = "deepspeed --module openrlhf.cli.train_sft --train_batch_size 256 --l2 0.01"
    found = read(tmp_path, "run.sh", text)
    assert (found.value, float(found.run.lr), origins(found)["lr"]) == ("0.01", 5e-6, "default")
    other = read(tmp_path, "b.sh", "python mine.py --train_batch_size 4", kind="openrlhf")
    assert other.run.lr is None


@pytest.mark.parametrize(
    ("flags", "schedule", "convention"),
    [
        ("--lr_scheduler linear", "linear:warmup=3%", "deepspeed-adam"),
        ("--lr_scheduler constant", "constant", "deepspeed-adam"),
        ("--lr_scheduler constant_with_warmup", "constant:warmup=3%", "deepspeed-adam"),
        ("--lr_scheduler other --optim muon", None, None),
    ],
)
def test_schedules(tmp_path, flags, schedule, convention):
    found = read(tmp_path, "run.sh", f"{FILE[:-1]} {flags}")
    assert (found.schedule, found.convention) == (schedule, convention)


def test_older_betas_and_the_epochs_of_each_program(tmp_path):
    text = "deepspeed --module openrlhf.cli.train_sft --adam_betas 0.8 0.97"
    found = read(tmp_path, "run.sh", text)
    assert (found.betas, found.run.epochs, origins(found)["epochs"]) == (
        ("0.8", "0.97"),
        2,
        "default",
    )
    assert read(tmp_path, "b.sh", text.replace("sft", "rm")).run.epochs == 1
