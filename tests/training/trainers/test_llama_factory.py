"""LLaMA-Factory's files, against its trainer_utils.py."""

import pytest

from tests.training.trainers.reading import read, shrink

BASE = """\
model_name_or_path: acme/tiny-lm
stage: sft
finetuning_type: lora
per_device_train_batch_size: 1
gradient_accumulation_steps: 8
learning_rate: 1.0e-4
num_train_epochs: 3.0
lr_scheduler_type: cosine
warmup_ratio: 0.1
"""


def test_an_absent_weight_decay_is_the_trainers_zero(tmp_path):
    made = read(tmp_path, "sft.yaml", BASE)
    assert (made.kind, made.convention, made.value) == ("llama-factory", "hf-trainer", "0")
    assert (made.run.examples_per_step, made.schedule) == (8, "cosine:warmup=10%")
    assert shrink(made) == 0


@pytest.mark.parametrize(
    ("line", "convention", "exempt"),
    [
        ("use_muon: true", "muon-keller", "nothing"),
        ("use_adam_mini: true", "hf-trainer", "nothing"),
        ("use_galore: true", "hf-trainer", "LayerNorm modules and names with bias"),
    ],
)
def test_its_own_optimizers_pass_the_number_on(tmp_path, line, convention, exempt):
    made = read(tmp_path, "sft.yaml", f"{BASE}weight_decay: 0.1\n{line}\n")
    assert (made.convention, made.exempt.rule) == (convention, exempt)
    assert shrink(made) == pytest.approx(1e-5)


def test_lora_plus_gives_b_its_own_lr(tmp_path):
    made = read(tmp_path, "sft.yaml", f"{BASE}weight_decay: 0.1\nloraplus_lr_ratio: 16.0\n")
    assert made.groups[-1].lr_mult == "16.0"


@pytest.mark.parametrize(
    ("lines", "schedule"),
    [
        ("max_steps: 1000\nwarmup_steps: 100", "wsd:decay=600,shape=cosine,warmup=100"),
        (
            "max_steps: 1000\nlr_scheduler_kwargs: {min_lr_ratio: 0.1, decay_type: linear}",
            "wsd:decay=667,shape=linear,final=0.1",
        ),
        (
            "max_steps: 1000\nlr_scheduler_kwargs: {num_decay_steps: 250, decay_type: linear}",
            "wsd:decay=250,shape=linear",
        ),
        ("max_steps: 1000\nlr_scheduler_kwargs: {warmup_type: cosine}", None),
        ("max_steps: 100\nwarmup_steps: 100", None),
        ("warmup_steps: 100", None),
    ],
)
def test_a_stable_decay_without_its_length_takes_two_thirds(tmp_path, lines, schedule):
    text = BASE.replace("cosine", "warmup_stable_decay").replace("warmup_ratio: 0.1\n", "")
    assert read(tmp_path, "sft.yaml", f"{text}{lines}\n").schedule == schedule


@pytest.mark.parametrize("line", ["tensor_model_parallel_size: 4", "apply_rope_fusion: true"])
def test_its_megatron_mode_is_refused(tmp_path, line):
    made = read(tmp_path, "sft.yaml", f"{BASE}weight_decay: 0.1\n{line}\n")
    assert (made.convention, made.value) == (None, None)
    assert any(f"{line.partition(':')[0]}: this is its Megatron mode" in n for n in made.notes)


def test_a_fork_s_switch_is_named(tmp_path):
    text = (
        "stage: sft\nfinetuning_type: full\nnum_train_epochs: 1\nlearning_rate: 1e-5\n"
        "use_swanlab: true\nuse_sinkgd: {}\n"
    )
    found = read(tmp_path, "a.yaml", text.format("true"))
    assert any("use_sinkgd: a fork's own" in note for note in found.notes)
    assert not any("fork" in note for note in read(tmp_path, "b.yaml", text.format("false")).notes)
