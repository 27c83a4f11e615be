"""HiFi-GAN's config.json, and BigVGAN's."""

import json

import pytest

from tests.training.trainers.reading import origins, read, shrink

FILE = {
    "resblock": "1", "num_gpus": 0, "batch_size": 16, "learning_rate": 0.0002, "adam_b1": 0.8,
    "adam_b2": 0.99, "lr_decay": 0.999, "upsample_rates": [8, 8, 2, 2], "num_mels": 80,
}  # fmt: skip


def test_torch_s_own_decay_holds(tmp_path):
    found = read(tmp_path, "config.json", json.dumps(FILE))
    assert (found.kind, found.convention, found.value) == ("hifigan", "pytorch-adamw", "0.01")
    assert origins(found)["weight_decay"] == "default"
    assert (found.run.examples_per_step, found.run.epochs) == (16, 3100)
    assert (found.betas, found.exempt.mask) == (("0.8", "0.99"), "all")
    assert found.schedule == "exponential:gamma=0.999,every=1epochs,per=1epochs"
    assert shrink(found) == pytest.approx(2e-6)


def test_bigvgan_s_lr_falls_in_each_step(tmp_path):
    text = json.dumps(FILE | {"snake_logscale": True, "lr_decay": 0.9999996})
    found = read(tmp_path, "config.json", text)
    assert (found.schedule, found.run.epochs) == ("exponential:gamma=0.9999996", 100000)
    older = read(tmp_path, "b.json", json.dumps(FILE | {"snake_logscale": True}))
    assert older.schedule == "exponential:gamma=0.999,every=1epochs,per=1epochs"
