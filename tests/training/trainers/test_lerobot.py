"""LeRobot's configurations: the file's own optimizer, else the policy's preset."""

import pytest

from tests.training.trainers.reading import origins, read, shrink

FILE = """{
  "dataset": {"repo_id": "a/b"}, "policy": {"type": "pi0"}, "batch_size": 16, "steps": 60000,
  "optimizer": {"type": "adamw", "lr": 5e-5, "weight_decay": 0.02, "betas": [0.9, 0.98]},
  "scheduler": {"type": "cosine_decay_with_warmup", "num_warmup_steps": 500,
                "num_decay_steps": 40000, "decay_lr": 5e-6}
}
"""
FLAGS = "lerobot-train --dataset.repo_id=a/b --policy.type="


def test_a_whole_configuration(tmp_path):
    found = read(tmp_path, "train_config.json", FILE)
    assert (found.kind, found.convention, found.value) == ("lerobot", "pytorch-adamw", "0.02")
    assert (found.run.examples_per_step, found.run.steps) == (16, 60000)
    assert found.schedule == "cosine:warmup=500,ramp=inner,length=40000,final=0.1,over=run"
    assert (found.betas, shrink(found)) == (("0.9", "0.98"), pytest.approx(1e-6))


@pytest.mark.parametrize(
    ("policy", "convention", "value", "schedule"),
    [
        ("act", "pytorch-adamw", "1e-4", "constant"),
        ("diffusion", "pytorch-adam", "1e-6", "cosine:warmup=500"),
        ("vqbet", "pytorch-adam", "1e-6", None),
        ("smolvla --steps=15000", "pytorch-adamw", "1e-10",
         "cosine:warmup=500,ramp=inner,final=0.025,over=run"),
        ("pi0_fast", "pytorch-adamw", "0.01",
         "cosine:warmup=1000,ramp=inner,length=30000,final=0.1,over=run"),
        ("wall_x", "pytorch-adamw", "0.01", "cosine:warmup=1000,ramp=inner,final=0.05,over=run"),
        ("vla_jepa", "pytorch-adamw", "1e-10",
         "cosine:warmup=1000,ramp=inner,length=30000,final=0.025,over=run"),
        ("eo1", "pytorch-adamw", "0.1",
         "cosine:warmup=900,ramp=inner,length=30000,over=run"),
        ("other", None, None, None),
    ],
)  # fmt: skip
def test_the_presets_of_policies(tmp_path, policy, convention, value, schedule):
    found = read(tmp_path, "run.sh", f"{FLAGS}{policy}")
    assert (found.convention, found.value, found.schedule) == (convention, value, schedule)
    if policy == "act":
        assert (found.groups[-1].name, found.groups[-1].lr) == ("backbone", "1e-5")
        assert origins(found)["weight_decay"] == "default"


@pytest.mark.parametrize(
    ("scheduler", "schedule"),
    [
        ('{"type": "constant_with_warmup", "num_warmup_steps": 9}', "constant:warmup=9"),
        ('{"type": "cosine_annealing_with_warmup", "num_warmup_steps": 9}', "cosine:warmup=9"),
        ('{"type": "cosine_decay_with_warmup", "num_decay_steps": 0}', None),
        ("null", "constant"),
    ],
)
def test_schedulers_of_a_file(tmp_path, scheduler, schedule):
    at = FILE.index('"scheduler": ') + len('"scheduler": ')
    text = f"{FILE[:at]}{scheduler}}}"
    assert read(tmp_path, "a.json", text).schedule == schedule


def test_an_optimizer_without_numbers_has_its_own(tmp_path):
    text = FILE.replace('"adamw", "lr": 5e-5, "weight_decay": 0.02', '"sgd", "lr": 0.1')
    found = read(tmp_path, "a.json", text)
    assert (found.convention, found.value) == ("pytorch-sgd", "0")


def test_vqbet_gives_its_quantizer_numbers_of_its_own(tmp_path):
    found = read(tmp_path, "run.sh", f"{FLAGS}vqbet --policy.optimizer_vqvae_lr=2e-3")
    group = found.groups[-1]
    assert (group.name, group.lr, group.weight_decay) == ("vqvae", "2e-3", "1e-4")
    assert found.exempt.rule.startswith("biases, LayerNorm")


def test_a_launcher_may_ask_which_the_program_is(tmp_path):
    text = FLAGS.replace(
        "lerobot-train", "accelerate launch --num_processes=2 $(which lerobot-train)"
    )
    assert read(tmp_path, "run.sh", f"{text}act").run.examples_per_step == 16


def test_a_section_without_numbers_has_the_defaults_of_its_class(tmp_path):
    at = FILE.index('"optimizer": ')
    bare = (
        FILE[:at]
        + """"optimizer": {"type": "adam"},
        "scheduler": {"type": "constant_with_warmup"}}"""
    )
    found = read(tmp_path, "a.json", bare)
    assert (float(found.run.lr), found.value, found.betas) == (1e-3, "0", ("0.9", "0.999"))
    assert found.schedule == "constant:warmup=1000"


def test_a_command_cannot_overrule_the_preset(tmp_path):
    flags = f"{FLAGS}act --optimizer.type=adam --optimizer.weight_decay=0.1"
    found = read(tmp_path, "run.sh", flags)
    assert (found.convention, found.value) == (None, None)
    assert any("preset takes the place" in note for note in found.notes)
    free = read(tmp_path, "b.sh", f"{flags} --use_policy_training_preset=false")
    assert (free.convention, free.value) == ("pytorch-adam", "0.1")
