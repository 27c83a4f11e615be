"""WeNet's configurations, which look like ESPnet2's."""

import pytest

from tests.training.trainers.reading import quantity, read

FILE = """\
dataset_conf:
    batch_conf:
        batch_type: static
        batch_size: 16
grad_clip: 5
accum_grad: 4
max_epoch: 240
optim: adamw
optim_conf:
    lr: 0.002
    weight_decay: 1e-4
scheduler: warmuplr
scheduler_conf:
    warmup_steps: 25000
"""


def test_a_batch_is_of_each_device(tmp_path):
    found = read(tmp_path, "a.yaml", FILE, world_size="8")
    assert (found.kind, found.convention, found.value) == ("wenet", "pytorch-adamw", "1e-4")
    assert (found.run.examples_per_step, found.run.epochs) == (512, 240)
    assert found.schedule == "inverse-sqrt:warmup=25000,ramp=one"


@pytest.mark.parametrize("kind", ["dynamic", "bucket"])
def test_a_batch_by_lengths_has_no_size(tmp_path, kind):
    found = read(tmp_path, "a.yaml", FILE.replace("static", kind))
    assert found.run.examples_per_step is None
    assert kind in quantity(found, "batch_size").note


def test_modules_may_have_an_lr_of_their_own(tmp_path):
    text = FILE.replace("lr: 0.002", "lr: [1e-5, 0.001]\n    modules: [encoder]")
    found = read(tmp_path, "a.yaml", text)
    assert float(found.run.lr) == 0.001
    assert [(g.name, g.lr) for g in found.groups if g.lr] == [("encoder", "1e-05")]


def test_without_a_warm_up_the_schedule_is_none(tmp_path):
    assert read(tmp_path, "a.yaml", FILE.replace("25000", "0")).schedule is None
