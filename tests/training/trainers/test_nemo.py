"""NeMo's YAML, of Megatron models and of speech models."""

import pytest

from tests.training.trainers.reading import read, shrink

MEGATRON = """\
trainer:
  devices: 8
  num_nodes: 2
  max_steps: 100000
  accumulate_grad_batches: 1
model:
  micro_batch_size: 4
  global_batch_size: 256
  optim:
    name: distributed_fused_adam
    lr: 2e-4
    weight_decay: 0.1
    betas: [0.9, 0.98]
    sched:
      name: CosineAnnealing
      warmup_steps: 500
      constant_steps: 5000
      min_lr: 2e-5
"""
SPEECH = """\
trainer:
  devices: -1
  max_epochs: 100
  max_steps: -1
model:
  train_ds:
    batch_size: 16
  optim:
    name: adam
    lr: 1e-3
    sched:
      name: {sched}
      warmup_ratio: 0.1
"""


def test_a_megatron_model_has_a_global_batch(tmp_path):
    made = read(tmp_path, "c.yaml", MEGATRON)
    assert (made.kind, made.convention, made.value) == ("nemo", "apex-fused-adam", "0.1")
    assert (made.run.examples_per_step, made.run.steps) == (256, 100000)
    assert made.schedule == "cosine:length=95000,final=0.1,warmup=500"
    assert (made.exempt.rule, made.unit) == ("norms and biases", "sequences")
    assert shrink(made) == pytest.approx(2e-5)


def test_norms_decay_where_that_is_asked_for(tmp_path):
    text = MEGATRON.replace("    lr: 2e-4", "    lr: 2e-4\n    do_layer_norm_weight_decay: true")
    assert read(tmp_path, "c.yaml", text).exempt.rule == "biases"


@pytest.mark.parametrize(
    ("sched", "schedule"),
    [
        ("CosineAnnealing", "cosine:warmup=10%"),
        ("WarmupPolicy", "constant:warmup=10%"),
        ("NoamAnnealing", None),
        ("null", "constant"),
    ],
)
def test_a_speech_model_counts_a_device(tmp_path, sched, schedule):
    made = read(tmp_path, "c.yaml", SPEECH.format(sched=sched), world_size="4")
    assert (made.convention, made.value, made.run.examples_per_step) == ("pytorch-adam", "0", 64)
    assert made.schedule == schedule
    assert made.exempt.rule == "nothing"


@pytest.mark.parametrize(("name", "key"), [("novograd", "apex-fused-novograd"), ("magic", None)])
def test_other_names_have_a_convention_or_none(tmp_path, name, key):
    text = SPEECH.format(sched="null").replace("adam", name)
    assert read(tmp_path, "c.yaml", text).convention == key


def test_without_a_warmup_there_is_none(tmp_path):
    text = SPEECH.format(sched="CosineAnnealing").replace("      warmup_ratio: 0.1\n", "")
    assert read(tmp_path, "c.yaml", text).schedule == "cosine"


def test_a_run_shorter_than_its_constant_phase_has_no_cosine(tmp_path):
    text = MEGATRON.replace("max_steps: 100000", "max_steps: 50")
    assert read(tmp_path, "a.yaml", text).schedule is None
