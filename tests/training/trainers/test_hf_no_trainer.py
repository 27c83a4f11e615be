"""transformers' examples without its Trainer."""

import pytest

from tests.training.trainers.reading import read, shrink

FLAGS = (
    "--model_name_or_path gpt2 --per_device_train_batch_size 8 --weight_decay 0.1 --output_dir x"
)
FILE = f"accelerate launch --num_processes 4 \\\n run_clm_no_trainer.py {FLAGS}"


def test_an_example_s_defaults_hold(tmp_path):
    found = read(tmp_path, "a.sh", FILE)
    assert (found.kind, found.convention, found.value) == ("hf-no-trainer", "pytorch-adamw", "0.1")
    assert (found.run.examples_per_step, found.run.epochs) == (32, 3)
    assert found.schedule == "linear"
    assert shrink(found) == pytest.approx(5e-6)
    assert "ln_1" in found.exempt.rule


@pytest.mark.parametrize(
    ("flags", "schedule", "steps"),
    [
        ("--num_warmup_steps 100 --lr_scheduler_type cosine", "cosine:warmup=100", None),
        ("--num_warmup_steps 100 --lr_scheduler_type constant", "constant", None),
        ("--max_train_steps 500", "linear", 500),
    ],
)
def test_flags_change_it(tmp_path, flags, schedule, steps):
    found = read(tmp_path, "a.sh", f"{FILE} {flags}")
    assert (found.schedule, found.run.steps) == (schedule, steps)


def test_a_program_made_from_them_has_an_lr_of_its_own(tmp_path):
    found = read(tmp_path, "a.sh", f"python my.py {FLAGS} --num_warmup_steps 5 --max_train_steps 9")
    assert (found.kind, found.run.lr, found.schedule) == ("hf-no-trainer", None, None)
    assert {"lr", "scheduler"} <= set(found.missing)
    assert any("AdamW with their groups is taken" in note for note in found.notes)
    flags = f"{FLAGS} --num_warmup_steps 5 --lr_scheduler_type cosine --num_train_epochs 2"
    found = read(tmp_path, "b.sh", f"python my.py {flags} --learning_rate 1e-5")
    assert (found.schedule, found.run.epochs) == ("cosine:warmup=5", 2)
