"""Coqui TTS' config.json."""

import json

import pytest

from tests.training.trainers.reading import read, shrink

FILE = {
    "run_eval": True, "target_loss": None, "print_step": 25, "dashboard_logger": "tensorboard",
    "epochs": 1000, "batch_size": 32, "scheduler_after_epoch": True, "optimizer": "AdamW",
    "optimizer_params": {"betas": [0.8, 0.99], "eps": 1e-09, "weight_decay": 0.02}, "lr": 0.001,
    "lr_gen": 0.0002, "lr_disc": 0.0003, "lr_scheduler_gen": "ExponentialLR",
    "lr_scheduler_gen_params": {"gamma": 0.999875, "last_epoch": -1}, "lr_scheduler": None,
}  # fmt: skip
NOAM = {"lr_gen": None, "lr_disc": None, "lr_scheduler_gen": None, "lr_scheduler": "NoamLR",
        "lr_scheduler_params": {"warmup_steps": 4000}, "optimizer": "RAdam"}  # fmt: skip


def _read(folder, **changes):
    return read(folder, "config.json", json.dumps(FILE | changes))


def test_a_generator_has_an_lr_of_its_own(tmp_path):
    found = _read(tmp_path)
    assert (found.kind, found.convention, found.value) == ("coqui-tts", "pytorch-adamw", "0.02")
    assert (found.run.examples_per_step, found.run.epochs) == (32, 1000)
    assert found.schedule == "exponential:gamma=0.999875,every=1epochs,per=1epochs"
    assert (found.betas, found.exempt.mask) == (("0.8", "0.99"), "all")
    assert shrink(found) == pytest.approx(4e-6)
    assert any("lr_disc" in note for note in found.notes)


@pytest.mark.parametrize(
    ("changes", "schedule"),
    [
        ({"scheduler_after_epoch": False}, "inverse-sqrt:warmup=4000"),
        ({}, "inverse-sqrt:warmup=4000epochs,per=1epochs"),
        ({"lr_scheduler_params": {}}, None),
        ({"lr_scheduler": None}, "constant"),
        ({"lr_scheduler": "StepwiseGradualLR"}, None),
    ],
)
def test_schedules_of_one_optimizer(tmp_path, changes, schedule):
    found = _read(tmp_path, **(NOAM | changes))
    assert (found.convention, found.schedule) == ("pytorch-radam-decoupled", schedule)
    assert float(found.run.lr) == 0.001


def test_only_weights_may_decay(tmp_path):
    found = _read(tmp_path, optimizer_wd_only_on_weights=True)
    assert found.exempt.rule == "norms, biases and embeddings"
    bare = {key: value for key, value in FILE.items() if key != "scheduler_after_epoch"}
    kept = read(tmp_path, "b.json", json.dumps(bare))
    assert kept.schedule.endswith("per=1epochs")
