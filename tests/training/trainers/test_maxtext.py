"""MaxText's YAML configurations."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """\
base_config: "base.yml"
run_name: "demo"
steps: 1000
learning_rate: 1.e-3
adam_weight_decay: 0.05
per_device_batch_size: 4.0
max_target_length: 1024
gradient_accumulation_steps: 2
"""


def test_a_configuration_lies_over_base_yml(tmp_path):
    found = read(tmp_path, "a.yml", FILE)
    assert (found.kind, found.convention, found.value) == ("maxtext", "maxtext-adamw", "0.05")
    assert (found.run.examples_per_step, found.run.total_steps) == (8, 1000)
    assert found.unit == "sequences of 1024 tokens"
    assert found.schedule == "cosine:warmup=100,final=0.1"
    assert shrink(found) == pytest.approx(5e-5)
    assert found.exempt.rule == "nothing"


@pytest.mark.parametrize(
    ("more", "schedule"),
    [
        ("lr_schedule_type: wsd", "wsd:warmup=100,decay=100,final=0.1"),
        ("learning_rate_schedule_steps: 500", "cosine:warmup=50,length=500,final=0.1"),
        ("lr_schedule_type: other", None),
    ],
)
def test_schedules(tmp_path, more, schedule):
    assert read(tmp_path, "a.yml", f"{FILE}{more}\n").schedule == schedule


def test_masks_and_other_optimizers(tmp_path):
    masked = read(tmp_path, "a.yml", FILE + "adamw_mask: ['.*scale']\n")
    assert masked.exempt.rule == "names that match .*scale"
    assert read(tmp_path, "b.yml", FILE + "opt_type: sgd\n").value is None
