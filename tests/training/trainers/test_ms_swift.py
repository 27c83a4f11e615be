"""ms-swift's `swift` and `megatron` commands, whose defaults are its own."""

import pytest

from tests.training.trainers.reading import origins, read, shrink

SWIFT = """\
NPROC_PER_NODE=4 \\
CUDA_VISIBLE_DEVICES=0,1,2,3 \\
swift sft \\
    --model a/b \\
    --tuner_type lora \\
    --num_train_epochs 2 \\
    --warmup_ratio 0.05
"""
MEGATRON = """\
CUDA_VISIBLE_DEVICES=0,1 \\
megatron sft \\
    --model a/b --micro_batch_size 2 --tensor_model_parallel_size 2 \\
    --lr 1e-5 --min_lr 1e-6 --num_train_epochs 1 --lr_warmup_fraction 0.05
"""


def test_its_own_defaults_hold(tmp_path):
    found = read(tmp_path, "a.sh", SWIFT)
    assert (found.kind, found.convention, found.value) == ("ms-swift", "hf-trainer", "0.1")
    assert (found.betas, found.run.epochs) == (("0.9", "0.95"), 2)
    assert found.schedule == "cosine:warmup=5%"
    assert shrink(found) == pytest.approx(1e-5)
    assert found.run.examples_per_step == 16
    assert origins(found)["grad_accum"] == "derived"


@pytest.mark.parametrize(
    ("old", "new", "lr", "size"),
    [
        ("lora", "full", 1e-5, 16),
        ("--tuner_type lora", "--learning_rate 1e-3", 1e-3, 16),
        ("NPROC_PER_NODE=4", "NPROC_PER_NODE=32", 1e-4, 32),
        ("NPROC_PER_NODE=4 \\\n", "", 1e-4, 16),
        ("--tuner_type lora", "--gradient_accumulation_steps 1", 1e-4, 4),
        ("--tuner_type lora", "--per_device_train_batch_size $SIZE", 1e-4, None),
    ],
)
def test_lr_and_accumulation_follow(tmp_path, old, new, lr, size):
    found = read(tmp_path, "a.sh", SWIFT.replace(old, new))
    assert float(found.run.lr) == lr
    assert found.run.examples_per_step == size


def test_without_a_known_number_of_processes_it_is_one_and_said(tmp_path):
    found = read(tmp_path, "a.sh", SWIFT.replace("NODE=4", "NODE=$N"))
    assert any("number of devices" in note for note in found.whole_notes)


def test_the_megatron_command(tmp_path):
    found = read(tmp_path, "a.sh", MEGATRON)
    assert (found.kind, found.convention, found.value) == ("megatron-swift", "megatron-adam", "0.1")
    assert (found.run.examples_per_step, found.run.epochs) == (16, 1)
    assert (found.betas, float(found.run.lr)) == (("0.9", "0.95"), 1e-5)
    bare = read(tmp_path, "b.sh", MEGATRON.replace("--lr 1e-5 ", ""))
    assert float(bare.run.lr) == 1e-4
    steps = read(tmp_path, "c.sh", MEGATRON.replace("--num_train_epochs 1", "--train_iters 500"))
    assert steps.schedule == "cosine:warmup=25,final=0.1"


@pytest.mark.parametrize(
    ("optimizer", "convention", "exempt"),
    [
        ("muon", "muon-keller", "nothing"),
        ("multimodal", "hf-trainer", "names with bias"),
        ("muonclip", None, "names with bias"),
    ],
)
def test_an_optimizer_of_its_own_rules(tmp_path, optimizer, convention, exempt):
    text = f"swift sft --model a --tuner_type full --optimizer {optimizer} --vit_lr 2e-6"
    found = read(tmp_path, "run.sh", text)
    assert found.convention == convention
    assert found.exempt.rule.startswith(exempt)
    assert (found.groups[-1].name, found.groups[-1].lr) == ("vit", "2e-06")


@pytest.mark.parametrize(
    "program",
    [
        "swift sft --external_plugins a/plug.py",
        "torchrun --nproc_per_node 4 swift/cli/sft.py",
        "accelerate launch --num_processes 4 /opt/ms-swift/swift/cli/rlhf.py",
        "python -m swift.cli.pt",
    ],
)
def test_its_command_is_told_however_it_is_launched(tmp_path, program):
    text = f"{program} --model a/b --learning_rate 1e-3 --num_train_epochs 2\n"
    found = read(tmp_path, "a.sh", text)
    assert (found.kind, found.value, float(found.run.lr)) == ("ms-swift", "0.1", 1e-3)
    assert found.schedule == "cosine"


def test_its_arguments_alone_are_told_by_the_tuner(tmp_path):
    text = "tuner_type: full\nnum_train_epochs: 2\nlr_scheduler_type: cosine\nmodel: a/b\n"
    found = read(tmp_path, "args.yaml", text)
    assert (found.kind, found.value, float(found.run.lr)) == ("ms-swift", "0.1", 1e-5)
    dump = read(tmp_path, "args.yaml", text + "global_world_size: 8\n")
    assert (dump.run.world_size, dump.run.grad_accum) == (8, 2)


@pytest.mark.parametrize(("more", "names"), [
    ("--lorap_lr_ratio 16", ["lora_B"]),
    ("--lorap_lr_ratio 16 --optimizer multimodal", []),
    ("--lorap_lr_ratio x", []),
])  # fmt: skip
def test_lora_plus_has_its_own_lr(tmp_path, more, names):
    found = read(tmp_path, "a.sh", SWIFT.replace("--tuner_type lora", more))
    assert [group.name for group in found.groups[2:]] == names


@pytest.mark.parametrize(
    ("more", "schedule"),
    [
        ("", "cosine:warmup=5%,final=0.1"),
        ("--lr_decay_style constant", "constant:warmup=5%"),
        ("--lr_decay_iters 100", "cosine:warmup=5,length=100,final=0.1"),
        ("--lr_decay_samples $N", None),
    ],
)
def test_megatron_s_schedule_follows_a_run_in_epochs(tmp_path, more, schedule):
    found = read(tmp_path, "a.sh", MEGATRON.rstrip() + f" {more}\n")
    assert found.schedule == schedule


def test_grpo_makes_up_for_the_devices_of_a_sequence(tmp_path):
    flags = (
        "--model a --tuner_type full --per_device_train_batch_size 4 --num_generations 32"
        " --gradient_accumulation_steps 8 --sequence_parallel_size 4 --learning_rate 1e-6"
    )
    grpo = read(tmp_path, "a.sh", f"NPROC_PER_NODE=8 swift rlhf --rlhf_type grpo {flags}\n")
    assert (grpo.run.examples_per_step, grpo.unit) == (8, "prompts of 32 completions")
    bare = flags.replace("--gradient_accumulation_steps 8", "")
    bare = read(tmp_path, "c.sh", f"NPROC_PER_NODE=8 swift rlhf --rlhf_type grpo {bare}\n")
    assert bare.run.examples_per_step == 1
    dpo = read(tmp_path, "b.sh", f"NPROC_PER_NODE=8 swift rlhf --rlhf_type dpo {flags}\n")
    assert (dpo.run.examples_per_step, dpo.unit) == (64, "examples")
