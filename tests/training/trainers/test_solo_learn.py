"""solo-learn's YAML."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """
method: mae
backbone: {name: vit_base}
method_kwargs: {mask_ratio: 0.75}
optimizer:
  name: adamw
  batch_size: 64
  lr: 2.0e-4
  classifier_lr: 2.0e-4
  weight_decay: 0.05
  exclude_bias_n_norm_wd: True
scheduler: {name: warmup_cosine, warmup_epochs: 40, min_lr: 1.0e-6, warmup_start_lr: 0.0}
max_epochs: 400
devices: [0, 1, 2, 3, 4, 5, 6, 7]
"""
COSINE = "{name: warmup_cosine, warmup_epochs: 40, min_lr: 1.0e-6, warmup_start_lr: 0.0}"


def test_an_lr_is_for_256_examples(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("solo-learn", "pytorch-adamw", "0.05")
    assert (found.run.examples_per_step, float(found.run.lr)) == (512, pytest.approx(4e-4))
    assert found.schedule == "cosine:warmup=40epochs,final=0.0025"
    assert (shrink(found), found.exempt.mask) == (pytest.approx(2e-5), "matrices")
    assert any("classifier_lr" in note for note in found.notes)


@pytest.mark.parametrize(
    ("scheduler", "schedule"),
    [
        ("{name: warmup_cosine}", "cosine:warmup=10epochs,start=0.075"),
        ("{name: warmup_cosine, warmup_epochs: 0}", "cosine"),
        ("{name: warmup_cosine, interval: epoch}", None),
        ("{name: step, lr_decay_steps: [60, 80]}", "step:at=60/80epochs,gamma=0.1"),
        ("{name: step}", None),
        ("{name: none}", "constant"),
        ("{name: reduce}", None),
    ],
)
def test_schedules(tmp_path, scheduler, schedule):
    assert read(tmp_path, "a.yaml", FILE.replace(COSINE, scheduler)).schedule == schedule


def test_lars_has_no_number_and_momentum_is_the_file_s(tmp_path):
    assert "norms" in read(tmp_path, "a.yaml", FILE.replace("adamw", "lars")).refusal
    text = FILE.replace("adamw", "sgd\n  kwargs: {momentum: 0.9}")
    text = text.replace("_wd: True", "_wd: False").replace("devices: [0, 1, 2, 3, 4, 5, 6, 7]", "")
    found = read(tmp_path, "b.yaml", text)
    assert (found.convention, float(found.run.momentum)) == ("pytorch-sgd", 0.9)
    assert (found.exempt.mask, found.run.examples_per_step) == ("all", 64)
    alone = read(tmp_path, "c.yaml", text + "devices: 3\n")
    assert alone.run.examples_per_step == 64
