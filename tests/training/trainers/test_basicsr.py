"""BasicSR's YAML, and those of its forks."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """
num_gpu: 4
datasets:
  train: {batch_size_per_gpu: 8}
network_g: {type: EDSR}
train:
  optim_g: {type: AdamW, lr: !!float 2e-4, weight_decay: !!float 1e-3, betas: [0.9, 0.99]}
  scheduler: {type: MultiStepLR, milestones: [200, 300], gamma: 0.5}
  total_iter: 400
  warmup_iter: -1
"""
STEPS = "{type: MultiStepLR, milestones: [200, 300], gamma: 0.5}"


def test_a_step_is_of_all_gpus(tmp_path):
    found = read(tmp_path, "a.yml", FILE)
    assert (found.kind, found.convention, found.value) == ("basicsr", "pytorch-adamw", "1e-3")
    assert (found.run.examples_per_step, found.run.steps) == (32, 400)
    assert (found.schedule, found.betas) == ("step:at=200/300,gamma=0.5", ("0.9", "0.99"))
    assert shrink(found) == pytest.approx(2e-7)
    assert found.exempt.mask == "all"


@pytest.mark.parametrize(
    ("scheduler", "warmup", "schedule"),
    [
        (STEPS.replace("}", ", restarts: [0, 100], restart_weights: [1, 1]}"), "-1", None),
        (STEPS.replace("[200, 300]", "[]"), "-1", None),
        ("{type: CosineAnnealingRestartLR, periods: [400], restart_weights: [1], eta_min: 2e-6}",
         "-1", "cosine:final=0.01"),
        ("{type: CosineAnnealingRestartLR, periods: [500], eta_min: 2e-6}", "20",
         "cosine:final=0.01,length=500,over=run,warmup=20,ramp=one"),
        ("{type: CosineAnnealingRestartLR, periods: [200, 200], restart_weights: [1, 0.5]}", "-1",
         None),
        ("{type: CosineAnnealingRestartCyclicLR, periods: [100, 300], eta_mins: [2e-4, 2e-6]}",
         "-1", "constant:until=100+cosine:final=0.01"),
        ("{type: CosineAnnealingRestartCyclicLR, periods: [100, 300], eta_mins: [2e-4, 2e-6]}",
         "9", None),
        ("{type: TrueCosineAnnealingLR, T_max: 400, eta_min: 2e-7}", "-1", "cosine:final=0.001"),
        ("{type: TrueCosineAnnealingLR, T_max: 200}", "-1", "cosine:length=200,after=mirror"),
        ("{type: TrueCosineAnnealingLR, T_max: 400}", "5", None),
        ("{type: VibrateLR}", "-1", None),
    ],
)  # fmt: skip
def test_schedules(tmp_path, scheduler, warmup, schedule):
    text = FILE.replace(STEPS, scheduler).replace("warmup_iter: -1", f"warmup_iter: {warmup}")
    assert read(tmp_path, "a.yml", text).schedule == schedule


def test_steps_start_from_the_last_lr_of_the_warm_up(tmp_path):
    text = FILE.replace("warmup_iter: -1", "warmup_iter: 20")
    found = read(tmp_path, "a.yml", text)
    assert float(found.run.lr) == pytest.approx(1.9e-4)
    assert found.schedule == "step:at=200/300,gamma=0.5,warmup=19,ramp=one"
    assert read(tmp_path, "b.yml", text.replace("!!float 2e-4", "'${LR}'")).run.lr is None


def test_stages_of_batches_and_a_discriminator_are_said(tmp_path):
    text = FILE.replace("{batch_size_per_gpu: 8}", "{mini_batch_sizes: [8, 4]}")
    found = read(tmp_path, "a.yml", text + "  optim_d: {type: Adam, lr: 1e-4}\n")
    assert found.run.batch_size is None
    assert any("changes over the run" in note for note in found.notes)
    assert any("train.optim_d" in note for note in found.notes)
