"""DINOv2's files: most of what holds stands in its defaults; lr is scaled by a square root."""

import pytest

from tests.training.trainers.reading import origins, read, shrink

FILE = """\
train:
  batch_size_per_gpu: 32
  OFFICIAL_EPOCH_LENGTH: 1000
teacher:
  momentum_teacher: 0.99
optim:
  epochs: 50
  base_lr: 2.0e-03
  weight_decay_end: 0.2
  warmup_epochs: 5
  min_lr: 1.0e-05
  layerwise_decay: 1.0
"""


def test_a_file_is_laid_over_the_defaults(tmp_path):
    found = read(tmp_path, "a.yaml", FILE, world_size="8")
    assert (found.kind, found.convention, found.value) == ("dinov2", "pytorch-adamw", "0.04")
    assert (float(found.run.lr), found.run.steps) == (0.001, 50_000)
    assert found.run.examples_per_step == 256
    assert (found.schedule, found.decay_schedule) == (
        "cosine:warmup=5000,final=0.01",
        "cosine:final=5",
    )
    assert shrink(found) == pytest.approx(4e-5)
    assert (origins(found)["weight_decay"], origins(found)["lr"]) == ("default", "derived")
    patch = found.groups[-1]
    assert (patch.name, patch.lr_mult, patch.decay_mult) == ("patch_embed", "0.2", "1")


def test_a_short_file_is_told_and_its_blocks_fall(tmp_path):
    text = "train:\n  batch_size_per_gpu: 64\nibot:\n  separate_head: true\n"
    found = read(tmp_path, "a.yaml", text)
    assert (float(found.run.lr), found.run.steps) == (0.001, 125_000)
    assert any("layerwise_decay 0.9" in note for note in found.notes)
    flat = read(tmp_path, "b.yaml", f"{text}optim:\n  patch_embed_lr_mult: 1\n")
    assert [group.name for group in flat.groups] == ["decayed", "exempt"]


def test_what_is_open_stays_open(tmp_path):
    text = FILE.replace("32", "???").replace("epochs: 50", "epochs: ???")
    found = read(tmp_path, "a.yaml", text)
    assert (found.run.lr, found.run.steps) == (None, None)
