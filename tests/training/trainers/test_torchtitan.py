"""torchtitan's TOML configurations."""

import pytest

from decaycalc.errors import UnreadableFileError
from decaycalc.training.source import read_training
from tests.training.trainers.reading import read, shrink

FILE = """\
[model]
name = "llama3"
flavor = "debugmodel"

[optimizer]
name = "AdamW"
lr = 4e-4

[lr_scheduler]
warmup_steps = 200
decay_ratio = 0.2
decay_type = "sqrt"
min_lr_factor = 0.1

[training]
local_batch_size = 4
global_batch_size = 256
seq_len = 2048
steps = 5000

[parallelism]
data_parallel_replicate_degree = 1
data_parallel_shard_degree = 8
"""


@pytest.mark.parametrize(
    ("old", "new", "schedule"),
    [
        ("warmup_steps = 200", "warmup_steps = 9000", "constant:warmup=5000,ramp=one"),
        ("decay_ratio = 0.2", "decay_ratio = 0.0", "constant:warmup=200,ramp=one"),
    ],
)
def test_without_room_for_a_decay_lr_stays(tmp_path, old, new, schedule):
    assert read(tmp_path, "a.toml", FILE.replace(old, new)).schedule == schedule


def test_flame_accumulates_gradients(tmp_path):
    """Source: fla-org/flame e11e7be flame/train.py."""
    text = (
        "[model]\nflavor = 'x'\n[optimizer]\nlr = 1e-3\n[training]\nbatch_size = 4\n"
        "seq_len = 512\ngradient_accumulation_steps = 8\nsteps = 100\n[job]\ndump_folder = 'e'\n"
    )
    found = read(tmp_path, "a.toml", text)
    assert (found.kind, found.run.examples_per_step) == ("torchtitan", 16_384)


def test_a_configuration_counts_tokens(tmp_path):
    found = read(tmp_path, "a.toml", FILE)
    assert (found.kind, found.convention, found.value) == ("torchtitan", "torchtitan", "0.1")
    assert (found.run.examples_per_step, found.unit) == (524_288, "tokens")
    assert found.schedule == "wsd:warmup=200,ramp=one,decay=1000,final=0.1,shape=1-sqrt"
    assert shrink(found) == pytest.approx(4e-5)
    assert found.exempt.rule == "nothing"


def test_without_a_whole_batch_the_devices_multiply_it(tmp_path):
    text = FILE.replace("global_batch_size = 256", "global_batch_size = -1")
    assert read(tmp_path, "a.toml", text).run.examples_per_step == 4 * 8 * 2048
    auto = text.replace("shard_degree = 8", "shard_degree = -1")
    found = read(tmp_path, "b.toml", auto)
    assert found.run.examples_per_step == 4 * 2048
    assert any("number of devices" in note for note in found.whole_notes)


@pytest.mark.parametrize(
    ("changes", "schedule"),
    [
        ({"decay_ratio = 0.2\n": "", '"sqrt"': '"cosine"'},
         "cosine:warmup=200,ramp=one,final=0.1"),
        ({"decay_ratio = 0.2\n": ""},
         "wsd:warmup=200,ramp=one,decay=4800,final=0.1,shape=1-sqrt"),
        ({'"sqrt"': '"other"'}, None),
    ],
)  # fmt: skip
def test_schedules(tmp_path, changes, schedule):
    text = FILE
    for old, new in changes.items():
        text = text.replace(old, new)
    assert read(tmp_path, "a.toml", text).schedule == schedule


def test_adam_is_coupled_and_another_optimizer_has_no_number(tmp_path):
    assert read(tmp_path, "a.toml", FILE.replace("AdamW", "Adam")).convention == "pytorch-adam"
    assert read(tmp_path, "b.toml", FILE.replace("AdamW", "Mine")).value is None


REGISTRY = """\
from torchtitan.trainer import Trainer


def small() -> Trainer.Config:
    return Trainer.Config(
        optimizer=default_adamw(lr=4e-4, betas=(0.8, 0.9)),
        lr_scheduler=LRSchedulersContainer.Config(warmup_steps=20, decay_ratio=0.2),
        training=TrainingConfig(num_tokens_per_microbatch_per_dp_rank=4 * 1024, steps=500),
    )


def helper():
    return small


def longer() -> Trainer.Config:
    config = small()
    config.training.steps = 1000
    config.optimizer.weight_decay = 0.02
    config.training.num_tokens_per_train_step = 65536
    return config
"""


def test_each_function_of_a_registry_is_a_run(tmp_path):
    path = tmp_path / "config_registry.py"
    path.write_text(REGISTRY, encoding="utf-8")
    with pytest.raises(UnreadableFileError, match=r"py:1 \(small\), .*py:2 \(longer\)"):
        read_training(str(path))
    first = read_training(f"{path}:1", given={"world_size": "8"})
    second = read_training(f"{path}:2")
    assert (first.kind, first.convention, first.value) == ("torchtitan", "torchtitan", "0.1")
    assert (first.betas, first.run.examples_per_step) == (("0.8", "0.9"), 4 * 1024 * 8)
    assert first.schedule == "wsd:warmup=20,ramp=one,decay=100,shape=linear"
    assert shrink(first) == pytest.approx(4e-5)
    assert (second.value, second.run.steps) == ("0.02", 1000)
    assert second.run.examples_per_step == 65_536


def test_a_registry_of_one_run_needs_no_choice(tmp_path):
    text = REGISTRY[: REGISTRY.index("def helper")].replace("lr_scheduler=LR", "other=LR")
    found = read(tmp_path, "a.py", text)
    assert found.schedule == "linear:warmup=200,ramp=one"
    opened = read(tmp_path, "b.py", text.replace("4e-4", "rate()"))
    assert opened.run.given("lr") is None


def test_an_early_file_is_told_by_little(tmp_path):
    text = (
        '[model]\nflavor = "8B"\n[optimizer]\nlr = 1e-3\n'
        "[training]\nbatch_size = 4\nseq_len = 1024\nwarmup_steps = 100\nsteps = 1000\n"
    )
    found = read(tmp_path, "a.toml", text)
    assert (found.kind, found.run.examples_per_step, found.value) == ("torchtitan", 4096, "0.1")
    assert found.schedule.startswith("linear:warmup=100,ramp=one")
