"""MONAI's bundles, whose references and expressions are its own."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """
bundle_root: .
rate: 0.002
epochs: 50
network_def: {_target_: UNet}
optimizer: {_target_: torch.optim.AdamW, params: $@network.parameters(), lr: '@rate',
            weight_decay: 0.05}
lr_scheduler: {_target_: torch.optim.lr_scheduler.StepLR, optimizer: '@optimizer', step_size: 20}
train:
  dataloader: {_target_: DataLoader, batch_size: 2, num_workers: $4 if @x else 2}
  handlers:
    - {_target_: LrScheduleHandler, lr_scheduler: '@lr_scheduler', print_lr: true}
  trainer: {_target_: SupervisedTrainer, max_epochs: $@epochs, optimizer: '@optimizer'}
"""


def test_references_are_looked_up(tmp_path):
    found = read(tmp_path, "train.yaml", FILE, world_size="2")
    assert (found.kind, found.convention, found.value) == ("monai", "pytorch-adamw", "0.05")
    assert (found.run.examples_per_step, found.run.epochs) == (4, 50)
    assert found.schedule == "step:every=20epochs,gamma=0.1"
    assert shrink(found) == pytest.approx(1e-4)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("print_lr: true", "epoch_level: false"),
        ("LrScheduleHandler", "StatsHandler"),
    ],
)
def test_a_schedule_that_no_handler_steps_once_an_epoch_has_no_text(tmp_path, old, new):
    assert read(tmp_path, "train.yaml", FILE.replace(old, new)).schedule is None


def test_an_expression_is_open(tmp_path):
    text = FILE.replace("rate: 0.002", "rate: $1e-3 * 2").replace("$@epochs", "'@gone'")
    found = read(tmp_path, "train.yaml", text)
    assert (found.run.lr, found.run.epochs) == (None, None)
    assert any("only known when the bundle runs" in note for note in found.notes)
    deep = read(tmp_path, "b.yaml", FILE.replace("rate: 0.002", "rate: '@rate'"), lr="1")
    assert deep.value == "0.05"


def test_crops_are_said(tmp_path):
    text = FILE + "  transforms: [{_target_: RandCropByPosNegLabeld, num_samples: 4}]\n"
    assert any("as many crops" in note for note in read(tmp_path, "train.yaml", text).notes)
