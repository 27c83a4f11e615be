"""PaddleOCR's YAML, whose optimizers are PaddleClas' and whose falls are as long as the run."""

import pytest

from tests.training.trainers.reading import origins, read, shrink

FILE = """
Global: {epoch_num: 75, character_dict_path: d.txt}
Optimizer:
  name: Momentum
  momentum: 0.9
  lr: {name: Cosine, learning_rate: 0.02, warmup_epoch: 5}
  regularizer: {name: L2, factor: 3.0e-05}
Architecture: {algorithm: DB}
PostProcess: {name: DBPostProcess}
Train:
  loader: {batch_size_per_card: 16, drop_last: true}
"""
LR = "{name: Cosine, learning_rate: 0.02, warmup_epoch: 5}"


def test_a_fall_behind_a_warm_up_is_cut_off(tmp_path):
    found = read(tmp_path, "a.yml", FILE, world_size="4")
    assert (found.kind, found.convention, found.value) == (
        "paddleocr", "paddle-momentum", "3.0e-05",
    )  # fmt: skip
    assert (found.run.examples_per_step, found.run.epochs) == (64, 75)
    assert found.schedule == "cosine:warmup=5epochs,length=80epochs"
    assert (found.run.drop_last, found.exempt.mask) == (True, "all")
    assert shrink(found) == pytest.approx(6e-6)


@pytest.mark.parametrize(
    ("lr", "schedule"),
    [
        ("{name: Cosine, learning_rate: 0.02}", "cosine"),
        ("{name: Linear, learning_rate: 0.02, end_lr: 0.002}", "linear:final=0.1"),
        ("{name: Linear, learning_rate: 0.02, power: 2, warmup_epoch: 5}",
         "polynomial:power=2,warmup=5epochs,length=80epochs"),
        ("{name: Const, learning_rate: 0.02, warmup_epoch: 5}", "constant:warmup=5epochs"),
        ("{learning_rate: 0.02}", "constant"),
        ("{name: DecayLearningRate, learning_rate: 0.02}", "polynomial:power=0.9"),
        ("{name: Piecewise, decay_epochs: [30], values: [0.02, 0.002], warmup_epoch: 5}",
         "step:at=35epochs,gamma=0.1,warmup=5epochs"),
        ("{name: Piecewise, decay_epochs: [30], values: [0.02, 0.002], learning_rate: 1}", None),
        ("{name: MultiStepDecay, milestones: [30], gamma: 0.5, learning_rate: 0.02}",
         "step:at=30epochs,gamma=0.5"),
        ("{name: TwoStepCosine, learning_rate: 0.02}", None),
    ],
)  # fmt: skip
def test_schedules(tmp_path, lr, schedule):
    assert read(tmp_path, "a.yml", FILE.replace(LR, lr)).schedule == schedule


def test_without_epochs_a_fall_has_no_text(tmp_path):
    assert read(tmp_path, "a.yml", FILE.replace("epoch_num: 75, ", "")).schedule is None


def test_adamw_has_its_own_decay(tmp_path):
    text = FILE.replace("Momentum", "AdamW\n  one_dim_param_no_weight_decay: true")
    text = text.replace("  regularizer: {name: L2, factor: 3.0e-05}\n", "")
    found = read(tmp_path, "a.yml", text)
    assert (found.convention, found.value) == ("paddle-adamw", "0.01")
    assert found.exempt.mask == "matrices"
    assert origins(found)["weight_decay"] == "default"


def test_what_decays_otherwise_is_said(tmp_path):
    text = FILE + "  sampler: {name: MultiScaleSampler, first_bs: 64}\n"
    text = text.replace("{algorithm: DB}", "{algorithm: DB, Head: {name: CTCHead}}")
    notes = read(tmp_path, "a.yml", text).notes
    assert any("fc_decay" in note for note in notes)
    assert any("images' scale" in note for note in notes)
