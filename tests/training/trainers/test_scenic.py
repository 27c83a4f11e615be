"""Scenic's configurations in Python."""

import pytest

from tests.training.trainers.reading import read, shrink

FILE = """\
import ml_collections
SIZE = 100_000

def get_config():
  config = ml_collections.ConfigDict()
  config.trainer_name = 'classification'
  config.num_training_epochs = 10
  config.batch_size = 100
  steps_per_epoch = SIZE // config.batch_size
  total_steps = config.num_training_epochs * steps_per_epoch
  config.optimizer = 'adam'
  config.optimizer_configs = ml_collections.ConfigDict()
  config.optimizer_configs.beta2 = 0.99
  config.optimizer_configs.weight_decay = 0.1
  config.lr_configs = ml_collections.ConfigDict()
  config.lr_configs.learning_rate_schedule = 'compound'
  config.lr_configs.factors = 'constant * cosine_decay * linear_warmup'
  config.lr_configs.warmup_steps = 500
  config.lr_configs.steps_per_cycle = total_steps
  config.lr_configs.base_learning_rate = 1e-3
  return config
"""
LINEAR = """\
linear_warmup * linear_decay'
  config.lr_configs.warmup_alpha = 0.2
  config.lr_configs.total_steps = total_steps"""
PIECES = """\
piecewise_constant'
  config.lr_configs.decay_events = [4000, 8000]
  config.lr_configs.decay_factors = [0.5, 0.1]"""
CYCLE = "  config.lr_configs.steps_per_cycle = total_steps\n"


def test_an_adam_with_a_weight_decay_is_adamw(tmp_path):
    found = read(tmp_path, "a.py", FILE)
    assert (found.kind, found.convention, found.value) == ("scenic", "optax-adamw", "0.1")
    assert (found.run.examples_per_step, found.run.epochs) == (100, 10)
    assert (found.schedule, found.betas) == ("cosine:warmup=500,length=10000", ("0.9", "0.99"))
    assert shrink(found) == pytest.approx(1e-4)
    assert found.exempt.mask == "all"
    skips = "  config.optimizer_configs.skip_scale_and_bias_regularization = True\n  return"
    assert read(tmp_path, "b.py", FILE.replace("  return", skips)).exempt.mask == "no-1d"


@pytest.mark.parametrize(
    ("name", "more", "sgd"),
    [
        ("momentum", "", (0.9, None)),
        ("momentum", "optimizer_configs.momentum = 0.8", (0.8, None)),
        ("nesterov", "optimizer_configs.momentum = 0.8", (0.8, True)),
        ("momentum", "l2_decay_factor = 0.0", (0.9, None)),
        ("momentum", "l2_decay_factor = 1e-4", None),
        ("adafactor", "", None),
    ],
)
def test_optimizers(tmp_path, name, more, sgd):
    text = FILE.replace("'adam'", f"'{name}'")
    text = text.replace("  return", f"  config.{more}\n  return") if more else text
    found = read(tmp_path, "a.py", text)
    assert found.convention == ("optax-sgd" if sgd else None)
    if sgd:
        assert (float(found.run.momentum), found.run.nesterov) == sgd


def test_the_newer_adam_takes_no_weight_decay(tmp_path):
    text = FILE.replace("  config.optimizer = 'adam'\n", "")
    text = text.replace("  return", "  config.optimizer_configs.optimizer = 'adam'\n  return")
    assert "does not start" in read(tmp_path, "a.py", text).refusal


@pytest.mark.parametrize(
    ("old", "new", "schedule"),
    [
        (CYCLE, CYCLE + "  config.lr_configs.alpha = 0.1\n  config.num_training_steps = 10_000\n",
         "cosine:warmup=500,final=0.1"),
        (CYCLE, CYCLE + "  config.lr_configs.total_steps = 20_000\n", None),
        ("cosine_decay * linear_warmup", "cosine_decay", None),
        ("cosine_decay * linear_warmup", "linear_warmup", "constant:warmup=500"),
        ("cosine_decay * linear_warmup'", LINEAR, "linear:warmup=500,start=0.2,length=10000"),
        ("cosine_decay", "linear_decay", None),
        ("cosine_decay * linear_warmup'", LINEAR.replace("linear_warmup * ", ""), None),
        ("cosine_decay * linear_warmup'", LINEAR + "\n  config.lr_configs.end_learning_rate = 1e-5",
         None),
        ("cosine_decay", "rsqrt_decay", "inverse-sqrt:warmup=500,timescale=10000"),
        ("cosine_decay * linear_warmup", "rsqrt_decay", None),
        ("cosine_decay * linear_warmup'", PIECES, "step:at=4001/8001,gamma=0.5/0.2"),
        ("cosine_decay", "piecewise_constant", None),
        ("cosine_decay", "decay_every", None),
        ("'compound'", "'other'", None),
        ("  config.lr_configs.learning_rate_schedule = 'compound'\n", "", None),
    ],
)  # fmt: skip
def test_schedules(tmp_path, old, new, schedule):
    assert read(tmp_path, "a.py", FILE.replace(old, new)).schedule == schedule


def test_an_lr_alone_stays(tmp_path):
    start, end = FILE.index("  config.lr_configs.learning"), FILE.index("  config.lr_configs.base")
    assert read(tmp_path, "a.py", FILE[:start] + FILE[end:]).schedule == "constant"


def test_groups_of_a_project_are_said(tmp_path):
    text = FILE.replace("  return", "  config.optimizer_configs.layerwise_decay = 0.7\n  return")
    assert any("layerwise_decay" in note for note in read(tmp_path, "a.py", text).notes)
