"""Meta Lingua's YAML configurations."""

import numpy as np
import pytest

from decaycalc.schedule import parse_schedule
from tests.training.trainers.reading import read, shrink

FILE = """\
name: made-up
steps: 10000
grad_acc_steps: 2
optim:
  lr: 2e-3
  weight_decay: 0.05
  warmup: 500
  lr_min_ratio: 0.01
distributed:
  fsdp_type: full_shard
data:
  batch_size: 4
  seq_len: 1024
"""


def test_a_configuration_counts_tokens(tmp_path):
    found = read(tmp_path, "a.yaml", FILE, world_size="8")
    assert (found.kind, found.convention, found.value) == ("lingua", "pytorch-adamw", "0.05")
    assert (found.run.examples_per_step, found.unit) == (4 * 2 * 8 * 1024, "tokens")
    assert found.schedule == "cosine:warmup=500,final=0.01"
    assert shrink(found) == pytest.approx(1e-4)
    assert found.exempt.rule == "nothing"


@pytest.mark.parametrize(
    ("lines", "schedule"),
    [
        ("scheduler: linear", "linear:warmup=500,final=0.01"),
        ("scheduler: constant", "constant"),
        ("scheduler: inv_sqrt", "inverse-sqrt:warmup=500,floor=0.01"),
        ("scheduler: inv_sqrt\n  exp_factor: 0.4", None),
        ("cycle_length: 0.5", None),
        ("cosine_theta: 2", None),
        ("scheduler: wsd\n  decay_fraction: 0", None),
        ("scheduler: unheard", None),
    ],
)
def test_schedules(tmp_path, lines, schedule):
    text = FILE.replace("  warmup", f"  {lines}\n  warmup")
    assert read(tmp_path, "a.yaml", text).schedule == schedule


def test_its_stable_phase_falls_as_one_over_a_line(tmp_path):
    text = FILE.replace("  warmup", "  scheduler: wsd\n  decay_fraction: 0.2\n  warmup")
    found = read(tmp_path, "a.yaml", text).schedule
    assert found == "constant:warmup=500,until=8000 + inverse:gamma=0.0495"
    laid = parse_schedule(found, total_steps=10_000).multiplier(np.array([250.0, 8000.0, 9000.0]))
    assert laid == pytest.approx([0.5, 1, 1 / (0.5 / 0.01 + 0.5)])


def test_the_replicas_that_the_file_has_in_mind_count(tmp_path):
    text = (
        "optim: {lr: 1e-3, lr_min_ratio: 0.1}\ndata: {batch_size: 4, seq_len: 1024, n_views: 2}\n"
        "distributed: {dp_replicate: 8, dp_shard: 2, fsdp_type: full_shard}\n"
    )
    assert read(tmp_path, "a.yaml", text).run.world_size == 16
    assert read(tmp_path, "b.yaml", text, world_size="4").run.world_size == 4
