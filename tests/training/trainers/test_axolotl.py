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
        ({"lr_scheduler": "one_cycle"}, {}, "one-cycle:rise=0.03"),
        ({"lr_scheduler": "one_cycle", "warmup_steps": "50"}, {}, None),
        ({"lr_scheduler": "one_cycle", "warmup_steps": "0", "max_steps": "90"}, {}, None),
        (
            {
                "lr_scheduler": "one_cycle",
                "warmup_steps": "50",
                "max_steps": "1000",
                "lr_scheduler_kwargs": "{div_factor: 10, three_phase: true}",
            },
            {},
            "one-cycle:rise=0.05,div=10,phases=3",
        ),
        (
            {
                "lr_scheduler": "one_cycle",
                "lr_scheduler_kwargs": "{pct_start: 0.4, anneal_strategy: linear}",
            },
            {},
            "one-cycle:rise=0.4,shape=linear",
        ),
        ({"lr_scheduler": "linear", "warmup_steps": "5"}, {}, "linear:warmup=5"),
        ({"lr_scheduler": "linear", "warmup_steps": "1"}, {}, "linear:warmup=2"),
        ({"jagged_restart_steps": "100"}, {}, None),
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


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"optimizer": "optimi_adamw"}, "; embeddings, lm_head and modules_to_save too"),
        ({"optimizer": "dion"}, "; embeddings, lm_head and modules_to_save too"),
        ({"optimizer": "muon", "dp_shard_size": "8"}, "; embeddings, lm_head"),
        ({"optimizer": "muon"}, "nothing"),
    ],
)
def test_its_own_optimizers_have_its_own_groups(tmp_path, changes, rule):
    assert rule in read(tmp_path, "lora.yml", with_lines(**changes)).exempt.rule


def test_a_deepspeed_file_s_optimizer_takes_every_tensor(tmp_path):
    section = '{"optimizer": {"type": "AdamW"}, "scheduler": {"type": "OneCycle"}}'
    (tmp_path / "ds.json").write_text(section)
    made = read(tmp_path, "lora.yml", with_lines(deepspeed="ds.json", embedding_lr="1e-5"))
    assert (made.exempt.rule, made.schedule) == ("nothing", None)
    assert any("sets the optimizer and the scheduler itself" in note for note in made.notes)


def test_lora_plus_leaves_the_decay_behind(tmp_path):
    made = read(tmp_path, "lora.yml", with_lines(loraplus_lr_ratio="16"))
    assert (made.value, shrink(made)) == ("0", 0)
    assert any("does not pass weight_decay to LoRA+" in note for note in made.notes)
    refused = read(tmp_path, "lora.yml", with_lines(loraplus_lr_ratio="16", optimizer="lomo"))
    assert refused.value is None


def test_groups_of_modules_have_their_own_lr(tmp_path):
    groups = "\n  - {name: qv, modules: [q_proj, v_proj], lr: 1e-5}\n  - {name: open}\n  - word"
    made = read(tmp_path, "lora.yml", with_lines(lr_groups=groups))
    own = made.groups[-1]
    assert (own.name, own.lr, own.selector) == ("qv", "1e-05", "names with q_proj or v_proj")
    assert len(made.groups) == 3


def test_dion_decays_matrices_by_its_own_lr(tmp_path):
    made = read(tmp_path, "lora.yml", with_lines(optimizer="dion", dion_lr="0.01"))
    assert shrink(made) == pytest.approx(1e-4)
    assert (made.groups[-1].name, made.groups[-1].lr) == ("AdamW", "1e-4")
    given = read(tmp_path, "lora.yml", with_lines(optimizer="dion", dion_lr="0.01"), lr="0.02")
    assert shrink(given) == pytest.approx(2e-4)


def test_devices_that_share_a_sequence_are_said_to_count_as_one(tmp_path):
    made = read(tmp_path, "lora.yml", with_lines(context_parallel_size="2"))
    assert any("all of them / 2 (context_parallel_size)" in note for note in made.notes)


def test_anchors_and_merge_keys_are_followed(tmp_path):
    text = f"defaults: &d\n  learning_rate: 3e-4\n  weight_decay: 0.2\n<<: *d\n{with_lines()}"
    text = text.replace("learning_rate: 1e-4\n", "").replace("weight_decay: 0.01\n", "")
    made = read(tmp_path, "lora.yml", text)
    assert (made.value, float(made.run.lr)) == ("0.2", 3e-4)
