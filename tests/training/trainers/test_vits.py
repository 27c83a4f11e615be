"""VITS' config.json and its kin's, which say nothing of a weight decay."""

import json

import pytest

from tests.training.trainers.reading import origins, read, shrink

FILE = {
    "train": {
        "epochs": 10000, "learning_rate": 0.0002, "betas": [0.8, 0.99], "eps": 1e-09,
        "batch_size": 6, "lr_decay": 0.999875, "segment_size": 10240, "init_lr_ratio": 1,
        "warmup_epochs": 0, "c_mel": 45, "c_kl": 1.0,
    },
    "data": {"sampling_rate": 44100},
    "model": {"resblock": "1"},
}  # fmt: skip


def _read(folder, train=None, model=None, **given):
    changed = FILE | {"train": FILE["train"] | (train or {}), "model": model or FILE["model"]}
    return read(folder, "config.json", json.dumps(changed), **given)


def test_torch_s_own_decay_holds(tmp_path):
    found = _read(tmp_path, world_size="2")
    assert (found.kind, found.convention, found.value) == ("vits", "pytorch-adamw", "0.01")
    assert origins(found)["weight_decay"] == "default"
    assert (found.run.examples_per_step, found.run.epochs) == (12, 10000)
    assert (found.betas, found.eps) == (("0.8", "0.99"), "1e-09")
    assert found.schedule == "exponential:gamma=0.999875,every=1epochs,per=1epochs"
    assert (shrink(found), found.exempt.mask) == (pytest.approx(2e-6), "all")


def test_a_warm_up_has_no_text(tmp_path):
    assert _read(tmp_path, {"warmup_epochs": 5}).schedule is None


def test_what_else_decides_is_said(tmp_path):
    found = _read(tmp_path, {"text_low_lr_rate": 0.4}, {"spk_embed_dim": 109})
    assert any("-bs and -te" in note for note in found.notes)
    assert any("text_low_lr_rate" in note for note in found.notes)
