"""MaxDiffusion, whose names are MaxText's and diffusers'."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """
run_name: a
learning_rate: 1.e-4
scale_lr: False
max_train_steps: 2000
per_device_batch_size: 2
warmup_steps_fraction: 0.1
learning_rate_schedule_steps: -1
adam_b1: 0.9
adam_weight_decay: 1.e-2
"""


def test_a_file_is_a_constant_lr_behind_a_warm_up(tmp_path):
    found = read(tmp_path, "a.yml", FILE)
    assert (found.kind, found.convention, found.value) == ("maxdiffusion", "optax-adamw", "1.e-2")
    assert (found.schedule, found.run.steps) == ("constant:warmup=200", 2000)
    assert found.run.examples_per_step == 2
    assert shrink(found) == pytest.approx(1e-6)
    assert read(tmp_path, "b.yml", FILE.replace("n: 0.1", "n: 0.0")).schedule == "constant"
    own = FILE.replace("_steps: -1", "_steps: 500")
    assert read(tmp_path, "c.yml", own).schedule == "constant:warmup=50"
    open_ended = read(tmp_path, "d.yml", FILE.replace("steps: 2000", "steps: -1"))
    assert (open_ended.schedule, open_ended.run.steps) == (None, None)


def test_the_lr_is_scaled_where_that_is_asked_for(tmp_path):
    scaled = FILE.replace("False", "True")
    found = read(tmp_path, "a.yml", scaled, world_size="4")
    assert float(found.run.lr) == 8e-4
    lost = read(tmp_path, "b.yml", scaled.replace("batch_size: 2", "batch_size: ???"))
    assert lost.run.lr is None
    assert any("scale_lr multiplies" in note for note in lost.notes)
    assert float(read(tmp_path, "c.yml", scaled, lr="3e-4").run.lr) == 3e-4
