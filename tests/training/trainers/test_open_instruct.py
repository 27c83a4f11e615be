"""open-instruct's scripts, whose defaults and exemptions are none of the Trainer's."""

import pytest

from tests.training.trainers.reading import quantity, read, shrink

FLAGS = (
    "--model_name_or_path m --use_flash_attn --per_device_train_batch_size 1"
    " --gradient_accumulation_steps 2 --learning_rate 5e-06 --weight_decay 0.1 --with_tracking"
    " --dataset_mixer_list a 1.0"
)
SFT = f"accelerate launch --num_processes 8 \\\n open_instruct/finetune.py {FLAGS}"
DPO = SFT.replace("finetune.py", "dpo_tune_cache.py")
YAML = (
    "model_name_or_path: m\ndataset_mixer:\n  a: 1.0\nuse_slow_tokenizer: true\n"
    "per_device_train_batch_size: 4\nlearning_rate: 5.0e-06\nweight_decay: 0.1\n"
    "checkpointing_steps: epoch\n"
)


def test_a_script_s_own_defaults_hold(tmp_path):
    found = read(tmp_path, "a.sh", SFT)
    assert (found.kind, found.convention, found.value) == ("open-instruct", "pytorch-adamw", "0.1")
    assert (found.run.examples_per_step, found.run.epochs) == (16, 2)
    assert found.schedule == "linear:warmup=3%"
    assert shrink(found) == pytest.approx(5e-7)
    assert "norm.weight" in found.exempt.rule
    other = read(tmp_path, "b.sh", DPO)
    assert (other.run.epochs, other.schedule) == (1, "linear:warmup=10%")


@pytest.mark.parametrize(
    ("flags", "convention", "schedule", "batch"),
    [
        ("--use_qlora", "bitsandbytes-adamw", "linear:warmup=3%", 16),
        ("--dpo_use_paged_optimizer", "bitsandbytes-adamw", "linear:warmup=3%", 16),
        ("--final_lr_ratio 0.1", "pytorch-adamw", "linear:warmup=3%,final=0.1", 16),
        ("--lr_scheduler_type cosine", "pytorch-adamw", "cosine:warmup=3%", 16),
        ("--lr_scheduler_type constant", "pytorch-adamw", "constant", 16),
        ("--sequence_parallel_size 4", "pytorch-adamw", "linear:warmup=3%", 4),
    ],
)
def test_flags_change_it(tmp_path, flags, convention, schedule, batch):
    found = read(tmp_path, "a.sh", f"{SFT} {flags}")
    assert (found.convention, found.schedule) == (convention, schedule)
    assert found.run.examples_per_step == batch


def test_a_file_alone_does_not_tell_the_script_s_defaults(tmp_path):
    found = read(tmp_path, "a.yaml", YAML)
    assert (found.kind, found.schedule, found.run.epochs) == ("open-instruct", None, None)
    assert "own" in quantity(found, "warmup_ratio").note
    whole = read(tmp_path, "b.yaml", f"{YAML}warmup_ratio: 0.03\nnum_train_epochs: 2\n")
    assert (whole.schedule, whole.run.epochs) == ("linear:warmup=3%", 2)


def test_rollouts_have_no_batch_of_a_device(tmp_path):
    flags = f"{FLAGS} --num_unique_prompts_rollout 32 --total_episodes 1000 --num_epochs 1"
    found = read(tmp_path, "a.sh", f"python open_instruct/grpo_fast.py {flags} --exp_name a")
    assert (found.kind, found.run.examples_per_step, found.run.epochs) == (
        "open-instruct", None, None,
    )  # fmt: skip
    assert "rolled out" in quantity(found, "batch_size").note


def test_a_mixture_of_the_trainer_s_own_files_is_none_of_its(tmp_path):
    text = f"{YAML}dataset_splits: [train]\nnum_train_epochs: 1\n"
    assert read(tmp_path, "a.yaml", text).kind == "hf-trainer"


def test_what_a_client_submits_is_the_command(tmp_path):
    text = f"python mason.py --cluster a --num_nodes 2 --gpus 8 -- {SFT}"
    found = read(tmp_path, "a.sh", text)
    assert (found.kind, found.run.examples_per_step, found.run.epochs) == ("open-instruct", 16, 2)


def test_its_scripts_on_olmo_core_are_refused(tmp_path):
    found = read(tmp_path, "a.sh", SFT.replace("finetune.py", "dpo.py"))
    assert (found.kind, found.convention) == ("open-instruct", None)
