"""RT-DETR's YAML."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import read, shrink

BASE = """
use_ema: True
ema: {type: ModelEMA, decay: 0.9999}
epoches: 72
clip_max_norm: 0.1
optimizer:
  type: AdamW
  lr: 0.5
  betas: [0.9, 0.99]
lr_scheduler:
  type: MultiStepLR
  milestones: [1000]
  gamma: 0.1
lr_warmup_scheduler:
  type: LinearWarmup
  warmup_duration: 2000
train_dataloader:
  total_batch_size: 16
"""
FILE = """
__include__: ['./base.yml', './gone.yml']
output_dir: ./output
optimizer:
  type: AdamW
  params:
    -
      params: '^(?=.*backbone)(?!.*norm).*$'
      lr: 0.00001
    -
      params: '^(?=.*(?:encoder|decoder))(?=.*(?:norm|bn)).*$'
      weight_decay: 0.
  lr: 0.0001
  weight_decay: 0.0002
"""


def test_a_file_is_laid_over_what_it_includes(tmp_path):
    (tmp_path / "base.yml").write_text(BASE)
    found = read(tmp_path, "a.yml", FILE)
    assert (found.kind, found.convention, found.value) == ("rt-detr", "pytorch-adamw", "0.0002")
    assert (found.run.examples_per_step, found.run.epochs) == (16, 72)
    assert (found.betas, found.schedule) == (("0.9", "0.99"), "constant:warmup=2000,ramp=one")
    assert shrink(found) == pytest.approx(2e-8)
    rest, norms, backbone = found.groups
    assert (rest.name, norms.weight_decay) == ("decayed", "0")
    assert (backbone.selector, backbone.lr) == ("^(?=.*backbone)(?!.*norm).*$", "1e-05")
    assert "encoder|decoder" in found.exempt.rule
    assert any("gone.yml is not here" in note for note in found.notes)


@pytest.mark.parametrize(
    ("old", "new", "schedule"),
    [
        ("[1000]", "[40, 60]", None),
        ("LinearWarmup", "Other", None),
        ("MultiStepLR", "CosineAnnealingLR", None),
        ("[1000]", "['${A}']", None),
        ("use_ema: True", "lrsheduler: flatcosine", None),
    ],
)
def test_what_has_no_schedule(tmp_path, old, new, schedule):
    assert read(tmp_path, "a.yml", BASE.replace(old, new)).schedule == schedule


def test_without_a_warm_up_the_steps_are_in_epochs(tmp_path):
    text = BASE.replace("lr_warmup_scheduler", "other").replace("[1000]", "[40, 60]")
    found = read(tmp_path, "a.yml", text.replace("total_batch_size", "batch_size"), world_size="2")
    assert (found.schedule, found.run.examples_per_step) == ("step:at=40/60epochs,gamma=0.1", 32)
    assert (found.value, found.exempt.mask) == ("0.01", "all")
    assert read(tmp_path, "a.yml", BASE.replace("AdamW", "Own")).convention is None


def test_d_fine_spells_epochs(tmp_path):
    found = read(tmp_path, "a.yml", BASE.replace("epoches", "epochs"))
    assert (found.kind, found.run.epochs) == ("rt-detr", 72)


def test_deim_s_network_is_no_run(tmp_path):
    text = "task: detection\nmodel: DEIM\nlrsheduler: flatcosine\nlr_gamma: 1\nflat_epoch: 29\n"
    with pytest.raises(UnreadableFileError, match="not enough of any"):
        read(tmp_path, "a.yml", text)
