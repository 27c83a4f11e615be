"""OLMo-core's saved configurations."""

import json

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import read, shrink

FILE = """
{
  "train_module": {
    "rank_microbatch_size": 16384,
    "optim": {
      "lr": 6e-4,
      "weight_decay": 0.1,
      "betas": [0.9, 0.95],
      "group_overrides": [{"params": ["embeddings.weight"], "opts": {"weight_decay": 0.0}}],
      "_CLASS_": "olmo_core.optim.adamw.SkipStepAdamWConfig"
    },
    "scheduler": {"warmup": 2000, "_CLASS_": "olmo_core.optim.scheduler.CosWithWarmup"}
  },
  "data_loader": {"global_batch_size": 8388608},
  "trainer": {"max_duration": {"value": 6500000000000, "unit": "tokens"}}
}
"""


def changed(section, **changes):
    whole = json.loads(FILE)
    part = whole[section] if section == "trainer" else whole["train_module"][section]
    part.update(changes)
    return json.dumps(whole)


def scheduler(name, **changes):
    kind = f"olmo_core.optim.scheduler.{name}"
    return changed("scheduler", _CLASS_=kind, **changes)


def test_a_saved_configuration_is_a_run(tmp_path):
    found = read(tmp_path, "config.json", FILE)
    assert (found.kind, found.convention, found.value) == ("olmo-core", "pytorch-adamw", "0.1")
    assert (found.run.examples_per_step, found.run.steps, found.unit) == (8388608, 774861, "tokens")
    assert found.schedule == "cosine:warmup=2000,ramp=one,final=0.1"
    assert shrink(found) == pytest.approx(6e-5)
    assert (found.exempt.mask, found.betas) == ("olmo", ("0.9", "0.95"))


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        (scheduler("LinearWithWarmup", alpha_f=0), "linear:warmup=2000,ramp=one"),
        (scheduler("CosWithWarmup", t_max=5000),
         "cosine:warmup=2000,ramp=one,length=5000,final=0.1"),
        (scheduler("ConstantWithWarmup", warmup_min_lr=6e-5),
         "constant:warmup=2000,ramp=one,start=0.1"),
        (scheduler("ConstantScheduler"), "constant"),
        (scheduler("WSD"), "wsd:warmup=2000,ramp=one,decay=10%,shape=linear"),
        (scheduler("WSD", decay_steps=50, decay_min_lr=6e-5),
         "wsd:warmup=2000,ramp=one,decay=50,shape=linear,final=0.1"),
        (scheduler("CosWithWarmup", warmup=16777216000, units="tokens"),
         "cosine:warmup=2000,ramp=one,final=0.1"),
        (scheduler("CosWithWarmup", warmup=None, warmup_fraction=0.05),
         "cosine:warmup=5%,ramp=one,final=0.1"),
        (scheduler("CosWithWarmup", warmup=None), "cosine:final=0.1"),
        (scheduler("PowerLR"), None),
    ],
)  # fmt: skip
def test_schedules(tmp_path, text, schedule):
    assert read(tmp_path, "config.json", text).schedule == schedule


@pytest.mark.parametrize(("unit", "steps", "epochs"), [("steps", 40, None), ("epochs", None, 40)])
def test_lengths(tmp_path, unit, steps, epochs):
    text = changed("trainer", max_duration={"value": 40, "unit": unit}, hard_stop={"value": 3})
    found = read(tmp_path, "config.json", text)
    assert (found.run.steps, found.run.epochs) == (steps, epochs)
    assert any("hard_stop" in note for note in found.notes)


def test_without_a_batch_tokens_have_no_steps(tmp_path):
    text = FILE.replace('{"global_batch_size": 8388608}', '{"seed": 1}')
    assert read(tmp_path, "config.json", text).run.steps is None
    text = text.replace('"warmup": 2000', '"warmup": 2000, "units": "tokens"')
    assert read(tmp_path, "config.json", text).schedule is None
    text = FILE.replace('"max_duration"', '"other"')
    assert read(tmp_path, "config.json", text).run.steps is None


@pytest.mark.parametrize(
    ("name", "convention", "value"),
    [("LionConfig", "lion-pytorch", "0"), ("AdamConfig", "pytorch-adam", "0"),
     ("AdamWConfig", "pytorch-adamw", "0.01"), ("MuonConfig", None, None)],
)  # fmt: skip
def test_optimizers_and_their_own_defaults(tmp_path, name, convention, value):
    text = changed("optim", _CLASS_=f"olmo_core.optim.{name}").replace('"weight_decay": 0.1,', "")
    found = read(tmp_path, "config.json", text)
    assert (found.convention, found.value) == (convention, value)


def test_groups_are_by_names(tmp_path):
    overrides = [
        {"params": ["*.bias"], "opts": {"lr": 1e-3, "weight_decay": "x"}},
        {"params": ["a", "b"], "opts": {"weight_decay": 0}}, "c",
    ]  # fmt: skip
    found = read(tmp_path, "config.json", changed("optim", group_overrides=overrides))
    assert [(g.name, g.lr) for g in found.groups if g.lr] == [("*.bias", "0.001")]
    assert (found.exempt.rule, found.exempt.mask) == ("names like a, b", None)
    bare = read(tmp_path, "b.json", changed("optim", group_overrides=[]))
    assert bare.exempt.mask == "all"


SCRIPT = """
from functools import partial
from olmo_core.optim import AdamWConfig, CosWithWarmup, OptimGroupOverride
from olmo_core.train import Duration, TrainerConfig
LENGTH = 2048
BATCH = 256 * LENGTH

def build_train_module_config(common):
    rank_microbatch_size = 2 * LENGTH
    common.seed = 1
    return TransformerTrainModuleConfig(
        rank_microbatch_size=rank_microbatch_size,
        optim=AdamWConfig(lr=3e-4, weight_decay=0.05, betas=(0.9, 0.95), group_overrides=[
            OptimGroupOverride(params=["embeddings.weight"], opts=dict(weight_decay=0.0))]),
        scheduler=CosWithWarmup(units=SchedulerUnits.steps, warmup=100),
    )

def build_trainer_config(common):
    return TrainerConfig(save_folder=common.folder, max_duration=Duration.tokens(int(1e9)))

if __name__ == "__main__":
    main(config_builder=partial(build_config, global_batch_size=BATCH))
"""


def test_a_script_is_the_configuration_that_it_makes(tmp_path):
    found = read(tmp_path, "train.py", SCRIPT)
    assert (found.kind, found.convention, found.value) == ("olmo-core", "pytorch-adamw", "0.05")
    assert (found.run.examples_per_step, found.run.steps) == (524288, 1908)
    assert found.schedule == "cosine:warmup=100,ramp=one,final=0.1"
    assert (found.exempt.mask, found.betas) == ("olmo", ("0.9", "0.95"))
    assert shrink(found) == pytest.approx(1.5e-5)


def test_a_data_loader_of_its_own_has_the_batch(tmp_path):
    loader = "    size = 4 * LENGTH\n    loader = NumpyDataLoaderConfig(global_batch_size=size)\n"
    text = SCRIPT.replace("    return TrainerConfig", f"{loader}    return TrainerConfig")
    assert read(tmp_path, "a.py", text).run.examples_per_step == 8192
    open_ended = text.replace("size = 4 * LENGTH", "size = opts.batch")
    assert read(tmp_path, "b.py", open_ended).run.examples_per_step == 524288
    two = open_ended.replace("main(", "other(global_batch_size=4)\n    main(")
    assert read(tmp_path, "c.py", two).run.examples_per_step is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "    return TrainerConfig",
            "    config.optim.lr = 1\n    return TrainerConfig",
            "changes lr",
        ),
        ("def build_trainer", "OTHER = TrainerConfig(a=1)\ndef build_trainer", "makes several of"),
    ],
)
def test_a_script_that_makes_it_otherwise_is_refused(tmp_path, old, new, message):
    with pytest.raises(UnreadableFileError, match=message):
        read(tmp_path, "a.py", SCRIPT.replace(old, new))
