"""verl's supervised fine-tuning, by overrides."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = (
    "torchrun --nproc_per_node=8 -m verl.trainer.fsdp_sft_trainer data.train_batch_size=64"
    " model.partial_pretrain=a optim.lr=1e-4 trainer.total_epochs=3\n"
)


def test_a_command_is_read(tmp_path):
    found = read(tmp_path, "run.sh", FILE)
    assert (found.kind, found.convention, found.value) == ("verl-sft", "pytorch-adamw", "0.01")
    assert (found.run.examples_per_step, found.run.epochs) == (64, 3)
    assert found.schedule == "cosine:warmup=10%"
    assert shrink(found) == pytest.approx(1e-6)


def test_other_schedules(tmp_path):
    bare = read(tmp_path, "a.sh", f"{FILE[:-1]} optim.lr_warmup_steps_ratio=0")
    assert bare.schedule == "cosine"
    assert read(tmp_path, "b.sh", f"{FILE[:-1]} optim.lr_scheduler=wsd").schedule is None


@pytest.mark.parametrize(
    ("flags", "convention"),
    [
        ("optim.optimizer=AdamW8bit optim.optimizer_impl=bitsandbytes.optim", "bitsandbytes-adamw"),
        ("optim.optimizer=SGD", None),
    ],
)
def test_another_optimizer(tmp_path, flags, convention):
    assert read(tmp_path, "a.sh", f"{FILE[:-1]} {flags}").convention == convention
