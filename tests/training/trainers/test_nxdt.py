"""neuronx-distributed-training's YAML, which is NeMo's but for batches, groups and one schedule."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """
model_source: {source}
trainer: {{devices: 32, num_nodes: 4, max_epochs: -1, max_steps: 10000}}
distributed_strategy: {{tensor_model_parallel_size: 32, zero1: True}}
data: {{micro_batch_size: 1, global_batch_size: 1024}}
model:
  do_layer_norm_weight_decay: {norms}
  optim:
    name: {name}
    lr: 2.0e-4
    weight_decay: 0.1
    betas: [0.9, 0.95]
    sched: {{name: {sched}, warmup_steps: 100}}
"""


def _file(source="megatron", norms="False", name="adamw", sched="LinearAnnealingWithWarmUp"):
    return FILE.format(source=source, norms=norms, name=name, sched=sched)


def test_megatron_s_models_take_the_file_s_number(tmp_path):
    found = read(tmp_path, "a.yaml", _file())
    assert (found.kind, found.convention, found.value) == ("nxdt", "pytorch-adamw", "0.1")
    assert (found.run.examples_per_step, found.run.steps, found.unit) == (1024, 10000, "sequences")
    assert (found.schedule, found.betas) == ("linear:warmup=100", ("0.9", "0.95"))
    assert shrink(found) == pytest.approx(2e-5)


@pytest.mark.parametrize("name", ["adamw", "adamw_fp32OptState"])
def test_models_of_transformers_are_grouped_with_one_number(tmp_path, name):
    found = read(tmp_path, "a.yaml", _file("hf", "True", name))
    assert (found.convention, found.value) == ("pytorch-adamw", "0.01")
    assert shrink(found) == pytest.approx(2e-6)
    assert any("reaches no weight" in note for note in found.notes)


@pytest.mark.parametrize(
    ("source", "norms", "rule"),
    [
        ("hf", "True", "norms and biases"),
        ("hf", "False", "biases"),
        ("megatron", "True", "nothing"),
        ("megatron", "False", "norms and biases"),
    ],
)
def test_the_switch_of_norms_is_turned_round_for_models_of_transformers(
    tmp_path, source, norms, rule
):
    assert read(tmp_path, "a.yaml", _file(source, norms)).exempt.rule == rule


def test_nemo_s_schedules_run_over_the_trainer_s_steps(tmp_path):
    changed = "min_lr: 2.0e-5, max_steps: 9"
    text = _file(sched="CosineAnnealing").replace("warmup_steps: 100", changed)
    assert read(tmp_path, "a.yaml", text).schedule == "cosine:final=0.1"
    assert read(tmp_path, "b.yaml", _file("hf", name="sgd")).convention == "pytorch-sgd"
