"""ESPnet2's YAML configurations."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import read, shrink

FILE = """\
batch_type: folded
batch_size: 64
accum_grad: 2
max_epoch: 50
optim: adam
optim_conf:
    lr: 0.002
    weight_decay: 0.000001
scheduler: warmuplr
scheduler_conf:
    warmup_steps: 15000
"""


def test_the_batch_is_of_all_devices_and_adam_is_coupled(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention) == ("espnet", "pytorch-adam")
    assert float(found.value) == 1e-6
    assert (found.run.examples_per_step, float(found.run.epochs)) == (128, 50)
    assert found.schedule == "inverse-sqrt:warmup=15000,ramp=one"
    assert shrink(found) is None
    assert found.exempt.rule == "nothing"


def test_schedules_and_the_switch_of_the_exemption(tmp_path):
    head = FILE[: FILE.index("scheduler:")]
    found = read(tmp_path, "a.yaml", head + "exclude_weight_decay: true\n")
    assert found.schedule == "constant"
    assert found.exempt.rule == "biases, norms and embeddings"
    assert read(tmp_path, "b.yaml", FILE.replace("warmuplr", "other")).schedule is None


def test_a_batch_filled_up_to_bins_has_no_one_size(tmp_path):
    found = read(tmp_path, "a.yaml", FILE.replace("folded", "numel\nbatch_bins: 16000000"))
    assert (found.run.batch_size, found.run.grad_accum) == (None, 2)
    assert "batch_size" in found.missing
    given = read(tmp_path, "b.yaml", FILE.replace("folded", "numel"), batch_size="30")
    assert given.run.examples_per_step == 60


def test_a_run_of_paddle_s_names_is_not_espnet_s(tmp_path):
    text = "optim: adam\noptim_conf: {lr: 0.001}\naccum_grad: 1\nn_epoch: 240\n"
    with pytest.raises(UnreadableFileError):
        read(tmp_path, "a.yaml", text)
