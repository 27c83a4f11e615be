"""Levanter's YAML configurations."""

import pytest

from tests.training.trainers.reading import quantity, read, shrink

FILE = """\
data: !include data/own.yaml
model:
  type: gpt2
  seq_len: 512
trainer:
  mp: p=f32,c=bfloat16
  train_batch_size: 128
  num_train_steps: 10000
optimizer:
  learning_rate: 2E-3
  weight_decay: 0.05
"""


def with_optimizer(*lines):
    return FILE + "".join(f"  {line}\n" for line in lines)


def test_a_configuration_counts_all_devices(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("levanter", "optax-adamw", "0.05")
    assert (found.run.examples_per_step, found.unit) == (128, "sequences")
    assert found.betas == ("0.9", "0.95")
    assert found.schedule == "cosine:warmup=100,final=0.1"
    assert shrink(found) == pytest.approx(1e-4)
    assert found.exempt.rule == "LayerNorm, RMSNorm, Embedding and bias in the path"
    assert found.decay_schedule is None


@pytest.mark.parametrize(
    ("lines", "schedule"),
    [
        (["warmup: 0", "min_lr_ratio: 0"], "cosine:final=0"),
        (["warmup: 500", "lr_schedule: linear"], "linear:warmup=500,final=0.1"),
        (["lr_schedule: {type: linear}"], "linear:warmup=100,final=0.1"),
        (["lr_schedule: constant", "warmup: 0.02"], "constant:warmup=200"),
        (["decay: 0.2", "lr_schedule: linear"],
         "wsd:warmup=100,decay=2000,final=0.1,shape=linear"),
        (["decay: 9900"], "cosine:warmup=100,final=0.1"),
        (["lr_schedule: inv_sqrt"],
         "constant:warmup=100,until=10000 + inverse-sqrt:timescale=10000,floor=0.1"),
        (["lr_schedule: inv_sqrt", "decay: 0.5"], None),
        (["lr_schedule: inv"], "inverse:warmup=100,gamma=0.000909090909091,floor=0.1"),
        (["lr_schedule: inv", "decay: 200"],
         "constant:warmup=100,until=9800 + inverse:gamma=0.045,floor=0.1"),
        (["lr_schedule: inv", "min_lr_ratio: 0"], None),
        (["lr_schedule: spiral"], None),
        (["warmup_ratio: 0.05"], "cosine:warmup=500,final=0.1"),  # until 2024
        (["cooldown: 0.1"], None),
        (["cycles: 2"], None),
    ],
)  # fmt: skip
def test_schedules(tmp_path, lines, schedule):
    assert read(tmp_path, "a.yaml", with_optimizer(*lines)).schedule == schedule


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        (["weight_decay_modules: mlp"], "all but names that match mlp"),
        (["weight_decay_modules: [mlp, attn]", "default_weight_decay_mask: true"],
         "LayerNorm, RMSNorm, Embedding and bias in the path, unless they match mlp or attn"),
        (["default_weight_decay_mask: false"], "nothing"),
    ],
)  # fmt: skip
def test_what_does_not_decay(tmp_path, lines, rule):
    assert read(tmp_path, "a.yaml", with_optimizer(*lines)).exempt.rule == rule


def test_other_optimizers(tmp_path):
    bare = FILE.replace("  weight_decay: 0.05\n", "")
    muon = read(tmp_path, "a.yaml", f"{bare}  type: muon\n")
    assert (muon.convention, muon.value) == ("optax-muon", "0")
    assert read(tmp_path, "b.yaml", f"{bare}  type: sophia-h\n").value == "0.1"
    assert read(tmp_path, "c.yaml", f"{bare}  type: kron\n").convention is None


def test_adamc_s_decay_follows_lr_once_more(tmp_path):
    found = read(tmp_path, "a.yaml", with_optimizer("adamc_weight_decay: true"))
    assert found.decay_schedule == found.schedule == "cosine:warmup=100,final=0.1"
    off = read(tmp_path, "b.yaml", with_optimizer("adamc_weight_decay: false"))
    assert off.decay_schedule is None


@pytest.mark.parametrize("size", ["-1", "[{start: 0, value: 64}, {start: 9, value: 128}]"])
def test_a_batch_that_is_not_one_number_is_missing(tmp_path, size):
    found = read(tmp_path, "a.yaml", FILE.replace("size: 128", f"size: {size}"))
    assert found.run.examples_per_step is None
    assert "batch_size" in found.missing
    assert quantity(found, "batch_size").note


def test_without_a_length_it_is_the_trainer_s(tmp_path):
    found = read(tmp_path, "a.yaml", FILE.replace("  num_train_steps: 10000\n", ""))
    assert (found.run.steps, found.schedule) == (400_000, "cosine:warmup=4000,final=0.1")
    opened = read(tmp_path, "b.yaml", FILE.replace("10000", "???"))
    assert opened.schedule is None
