"""diffusion-pipe's TOML."""

import pytest

from tests.training.trainers.reading import origins, read, shrink

FILE = """
output_dir = "a"
epochs = 100
micro_batch_size_per_gpu = 2
pipeline_stages = 2
gradient_accumulation_steps = 4
warmup_steps = 100
[model]
type = "hunyuan-video"
[optimizer]
type = "adamw_optimi"
lr = 2e-5
betas = [0.9, 0.99]
weight_decay = 0.05
"""


def test_stages_share_a_micro_batch(tmp_path):
    found = read(tmp_path, "a.toml", FILE, world_size="4")
    assert (found.kind, found.convention, found.value) == ("diffusion-pipe", "optimi-adamw", "0.05")
    assert (found.run.examples_per_step, found.run.epochs) == (32, 100)
    assert (found.schedule, found.betas) == ("constant:warmup=100,start=0.01", ("0.9", "0.99"))
    assert (shrink(found), found.exempt.mask) == (pytest.approx(1e-6), "no-1d")


@pytest.mark.parametrize(
    ("old", "new", "schedule"),
    [
        ("epochs", 'lr_scheduler = "linear"\nepochs', None),
        ("warmup_steps = 100", 'lr_scheduler = "linear"', "linear"),
        ("warmup_steps = 100", 'lr_scheduler = "cosine"', "cosine:final=0.05"),
        ("warmup_steps = 100", 'lr_scheduler = "other"', None),
        ("warmup_steps = 100", "", "constant"),
        ("epochs", "force_constant_lr = 1e-5\nepochs", "constant"),
    ],
)
def test_schedules(tmp_path, old, new, schedule):
    assert read(tmp_path, "a.toml", FILE.replace(old, new)).schedule == schedule


@pytest.mark.parametrize(
    ("name", "convention"),
    [("AdamW8bitKahan", "bitsandbytes-adamw"), ("adamw", "pytorch-adamw"), ("automagic", None)],
)
def test_optimizers(tmp_path, name, convention):
    text = FILE.replace("adamw_optimi", name).replace("weight_decay = 0.05\n", "")
    found = read(tmp_path, "a.toml", text)
    assert found.convention == convention
    if convention:
        assert (found.value, origins(found)["weight_decay"]) == ("0.01", "default")
    decoupled = read(tmp_path, "b.toml", FILE + "decouple_lr = true\n")
    assert decoupled.convention == "optimi-decoupled"


def test_what_has_no_one_number_is_open(tmp_path):
    sizes = "[[512, 4], [1024, 1]]\nimage_micro_batch_size_per_gpu = 4\n"
    text = FILE.replace("per_gpu = 2\n", f"per_gpu = {sizes}")
    found = read(tmp_path, "a.toml", text + "beta2_half_life = 1000\n")
    assert (found.run.batch_size, found.betas) == (None, None)
    assert any("from resolution to resolution" in note for note in found.notes)
    assert any("batches of images" in note for note in found.notes)
    released = read(tmp_path, "b.toml", FILE + "gradient_release = true\n")
    assert (released.value, "once for each micro-batch" in released.refusal) == (None, True)
