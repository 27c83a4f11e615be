"""GraphGym's YAML, and GraphGPS'."""

import pytest

from tests.training.trainers.reading import origins, read, shrink

FILE = """
metric_best: mae
dataset: {format: PyG}
train: {batch_size: 32}
gnn: {dim_inner: 64, head: san_graph}
optim:
  optimizer: adamW
  weight_decay: 1e-5
  base_lr: 0.001
  max_epoch: 2000
  scheduler: cosine_with_warmup
  batch_accumulation: 2
"""


def test_schedules_move_once_an_epoch(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("graphgym", "pytorch-adamw", "1e-5")
    assert (found.run.examples_per_step, found.run.epochs) == (64, 2000)
    assert found.schedule == "cosine:warmup=50epochs,start=1e-06,per=1epochs"
    assert (shrink(found), found.exempt.mask) == (pytest.approx(1e-8), "all")


def test_what_a_file_leaves_out_decays(tmp_path):
    text = FILE[: FILE.index("  optimizer")] + "  base_lr: 0.001\n"
    found = read(tmp_path, "a.yaml", text)
    assert (found.convention, found.value, found.schedule) == (
        "pytorch-adam", "5e-4", "cosine:per=1epochs",
    )  # fmt: skip
    assert origins(found)["weight_decay"] == "default"


@pytest.mark.parametrize(
    ("scheduler", "schedule"),
    [
        ("None", "constant"),
        ("null", "constant"),
        ("step", "step:at=30/60/90epochs,gamma=0.1"),
        ("step\n  steps: []", None),
        ("step\n  steps: [a]", None),
        ("linear_with_warmup\n  num_warmup_epochs: 0", "linear:per=1epochs"),
        ("polynomial_with_warmup\n  num_warmup_epochs: 5",
         "linear:warmup=5epochs,final=0.0001,per=1epochs"),
        ("reduce_on_plateau", None),
    ],
)  # fmt: skip
def test_schedules(tmp_path, scheduler, schedule):
    text = FILE.replace("cosine_with_warmup", scheduler)
    assert read(tmp_path, "a.yaml", text).schedule == schedule
