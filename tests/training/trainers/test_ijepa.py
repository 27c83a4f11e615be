"""I-JEPA's files: lengths in epochs or of `ipe` steps, λ on a cosine of its own."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import origins, read, shrink

FILE = """\
nodes: 2
tasks_per_node: 4
data:
  batch_size: 16
meta:
  pred_depth: 6
optimization:
  epochs: 20
  ipe_scale: 1.0
  lr: 0.001
  start_lr: 0.0002
  final_lr: 1.0e-05
  warmup: 2
  weight_decay: 0.05
  final_weight_decay: 0.25
"""


def test_a_file_is_read_with_both_schedules(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("ijepa", "pytorch-adamw", "0.05")
    assert (found.run.examples_per_step, found.run.epochs, found.run.steps) == (128, 20, None)
    assert found.schedule == "cosine:warmup=2epochs,ramp=one,start=0.2,final=0.01"
    assert found.decay_schedule == "cosine:final=5"
    assert shrink(found) == pytest.approx(5e-5)
    assert (origins(found)["world_size"], origins(found)["beta1"]) == ("derived", "default")


def test_a_length_of_steps_and_a_longer_schedule(tmp_path):
    text = FILE.replace("ipe_scale: 1.0", "ipe_scale: 1.5\n  ipe: 100").replace("nodes: 2\n", "")
    found = read(tmp_path, "a.yaml", text)
    assert (found.run.steps, found.run.examples_per_step) == (2000, 16)
    assert found.schedule == "cosine:warmup=200,ramp=one,start=0.2,length=3000,final=0.01"
    assert found.decay_schedule == "cosine:final=5,length=3000"


@pytest.mark.parametrize(
    ("old", "new", "schedule"),
    [
        ("  warmup: 2", "  warmup: 0", "cosine:final=0.01"),
        ("  warmup: 2", "  warmup: 2\n  is_anneal: true", "linear:final=0.01"),
        ("  final_lr: 1.0e-05", "  final_lr: 0", "cosine:warmup=2epochs,ramp=one,start=0.2"),
    ],
)
def test_schedules(tmp_path, old, new, schedule):
    assert read(tmp_path, "a.yaml", FILE.replace(old, new)).schedule == schedule


def test_betas_of_v_jepa(tmp_path):
    text = FILE + "  betas: [0.9, 0.98]\n  eps: 1.0e-7\n"
    found = read(tmp_path, "a.yaml", text)
    assert (found.betas, found.not_used) == (("0.9", "0.98"), ())


def test_msn_s_file_is_another_s(tmp_path):
    with pytest.raises(UnreadableFileError, match="not enough of any trainer's own keys"):
        read(tmp_path, "a.yaml", f"{FILE}criterion:\n  num_proto: 64\n")
