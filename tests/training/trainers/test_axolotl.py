"""axolotl's files, against its schemas and builders."""

import pytest

from tests.training.trainers.reading import origins, read, shrink

BASE = """\
base_model: acme/tiny-lm
datasets:
  - path: acme/notes
    type: alpaca
sequence_len: 2048
sample_packing: true
micro_batch_size: 2
gradient_accumulation_steps: 4
num_epochs: 2
optimizer: adamw_bnb_8bit
lr_scheduler: cosine
learning_rate: 1e-4
weight_decay: 0.01
"""


def with_lines(**changes):
    lines = dict(line.split(": ", 1) for line in BASE.splitlines() if line[0] not in " d")
    lines |= changes
    return "".join(f"{key}: {value}\n" for key, value in lines.items() if value is not None)


def test_a_file_is_read_as_the_trainer_trains_it(tmp_path):
    made = read(tmp_path, "lora.yml", BASE)
    assert (made.kind, made.convention, made.value) == ("axolotl", "hf-trainer", "0.01")
    assert (made.run.examples_per_step, made.unit) == (8, "packs of 2048 tokens")
    assert made.schedule == "cosine:warmup=3%"
    assert shrink(made) == pytest.approx(1e-6)
    assert any("min(3 % of the steps, 100)" in note for note in made.notes)
    assert made.not_used == ()


@pytest.mark.parametrize(
    ("changes", "given", "schedule"),
    [
        ({"max_steps": "1000"}, {}, "cosine:warmup=30"),
        ({"max_steps": "10000"}, {}, "cosine:warmup=100"),
        ({"max_steps": "40"}, {}, "cosine:warmup=2"),
        ({"max_steps": "20"}, {}, "cosine"),
        ({}, {"dataset_size": "8000"}, "cosine:warmup=60"),
        ({"warmup_steps": "7"}, {}, "cosine:warmup=7"),
        ({"warmup_ratio": "0.1"}, {}, "cosine:warmup=10%"),
        ({"warmup_ratio": "0.1", "max_steps": "95"}, {}, "cosine:warmup=9"),
        ({"warmup_steps": "0", "cosine_min_lr_ratio": "0.1"}, {}, "cosine:final=0.1"),
        (
            {"warmup_steps": "0", "cosine_constant_lr_ratio": "0.8", "cosine_min_lr_ratio": "0.1"},
            {},
            "cosine:length=80%,final=0.1",
        ),
        (
            {"warmup_steps": "0", "cosine_constant_lr_ratio": "0", "cosine_min_lr_ratio": "0.1"},
            {},
            "cosine:final=0.1",
        ),
        (
            {"warmup_steps": "5", "lr_quadratic_warmup": "true", "cosine_min_lr_ratio": "0.1"},
            {},
            "cosine:warmup=5,warmup_power=2",
        ),
        ({"lr_scheduler": "rex"}, {}, None),
        ({"lr_scheduler": "one_cycle"}, {}, "one-cycle"),
        ({"lr_scheduler": "linear", "warmup_steps": "5"}, {}, "linear:warmup=5"),
    ],
)
def test_the_warmup_is_steps_or_a_share(tmp_path, changes, given, schedule):
    made = read(tmp_path, "lora.yml", with_lines(**changes), **given)
    assert made.schedule == schedule


@pytest.mark.parametrize(
    ("optimizer", "convention"),
    [
        ("optimi_adamw", "optimi-adamw"),
        ("came_pytorch", "pytorch-optimizer-came"),
        ("sgd", "pytorch-sgd"),
        ("sinkgd", None),
        ("lomo", None),
    ],
)
def test_optimizers_are_its_own_or_the_trainers(tmp_path, optimizer, convention):
    made = read(tmp_path, "lora.yml", with_lines(optimizer=optimizer))
    assert made.convention == convention
    assert (made.value is None) == (convention is None)


def test_a_device_s_batch_gives_the_accumulation(tmp_path):
    text = with_lines(gradient_accumulation_steps=None, batch_size="16", datasets="[]")
    made = read(tmp_path, "lora.yml", text)
    assert (made.run.grad_accum, origins(made)["grad_accum"]) == (8, "derived")
    alone = read(tmp_path, "lora.yml", with_lines(gradient_accumulation_steps=None))
    assert alone.run.grad_accum == 1


def test_groups_of_its_own_exempt_embeddings_too(tmp_path):
    made = read(tmp_path, "lora.yml", with_lines(embedding_lr="1e-5", sample_packing="false"))
    assert "embeddings" in made.exempt.rule
    assert made.unit == "examples"


def test_anchors_and_merge_keys_are_followed(tmp_path):
    text = f"defaults: &d\n  learning_rate: 3e-4\n  weight_decay: 0.2\n<<: *d\n{with_lines()}"
    text = text.replace("learning_rate: 1e-4\n", "").replace("weight_decay: 0.01\n", "")
    made = read(tmp_path, "lora.yml", text)
    assert (made.value, float(made.run.lr)) == ("0.2", 3e-4)
