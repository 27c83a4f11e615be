"""nanotron's YAML configurations."""

import pytest

from decaycalc.errors import DecaycalcError
from tests.training.trainers.reading import read, shrink

FILE = """\
optimizer:
  learning_rate_scheduler:
    learning_rate: 0.0005
    lr_decay_starting_step: null
    lr_decay_steps: null
    lr_decay_style: cosine
    lr_warmup_steps: 500
    lr_warmup_style: linear
    min_decay_lr: 5.0e-05
  optimizer_factory:
    adam_beta1: 0.9
    adam_beta2: 0.95
    adam_eps: 1.0e-08
    name: adamW
  weight_decay: 0.1
  weight_decay_exclude_named_params: [".*norm.*"]
parallelism:
  dp: 8
tokens:
  batch_accumulation_per_replica: 4
  micro_batch_size: 2
  sequence_length: 1024
  train_steps: 20000
"""


def test_the_devices_stand_in_the_file(tmp_path):
    found = read(tmp_path, "a.yaml", FILE)
    assert (found.kind, found.convention, found.value) == ("nanotron", "pytorch-adamw", "0.1")
    assert (found.run.examples_per_step, found.unit) == (65_536, "tokens")
    assert found.schedule == "cosine:warmup=500,final=0.1"
    assert found.run.total_steps == 20_000
    assert shrink(found) == pytest.approx(5e-5)
    assert found.exempt.rule == "names that match .*norm.*"


@pytest.mark.parametrize(
    ("changes", "schedule"),
    [
        ({"lr_decay_starting_step: null": "lr_decay_starting_step: 10000"},
         "wsd:warmup=500,length=19500,decay=9500,final=0.1,shape=cosine"),
        ({"lr_decay_steps: null": "lr_decay_steps: 1000"},
         "cosine:warmup=500,length=1500,final=0.1"),
        ({"style: cosine": "style: 1-sqrt"},
         "wsd:warmup=500,decay=19500,final=0.1,shape=1-sqrt"),
        ({"min_decay_lr: 5.0e-05": "min_decay_lr: null"}, "constant:warmup=500"),
        ({"warmup_style: linear": "warmup_style: constant"},
         "wsd:decay=19500,final=0.1,shape=cosine"),
        ({"warmup_style: linear": "warmup_style: other"}, None),
        ({"style: cosine": "style: other"}, None),
    ],
)  # fmt: skip
def test_the_decay_may_begin_later_and_then_loses_the_warm_up_once_more(
    tmp_path, changes, schedule
):
    text = FILE
    for old, new in changes.items():
        text = text.replace(old, new)
    assert read(tmp_path, "a.yaml", text).schedule == schedule


def test_everything_decays_unless_patterns_exempt_it(tmp_path):
    text = FILE.replace('[".*norm.*"]', "[]")
    assert read(tmp_path, "a.yaml", text).exempt.rule == "nothing"


def test_sgd_has_no_momentum_and_another_optimizer_no_number(tmp_path):
    assert read(tmp_path, "a.yaml", FILE.replace("adamW", "sgd")).convention == "pytorch-sgd"
    assert read(tmp_path, "b.yaml", FILE.replace("adamW", "other")).value is None


def test_a_wrong_type_is_one_line(tmp_path):
    with pytest.raises(DecaycalcError, match="'many' is not a number"):
        read(tmp_path, "a.yaml", FILE.replace("train_steps: 20000", "train_steps: many"))


def test_older_files_name_no_factory_and_python_ones_call_it(tmp_path):
    older = FILE.replace("  optimizer_factory:\n", "").replace("    name: adamW\n", "")
    for name in ("adam_beta1", "adam_beta2", "adam_eps"):
        older = older.replace(f"    {name}", f"  {name}")
    found = read(tmp_path, "old.yaml", older.replace("adam_eps: 1.0e-08", "adam_eps: 1.0e-07"))
    assert (found.convention, found.betas, found.eps) == ("pytorch-adamw", ("0.9", "0.95"), "1e-07")
    called = (
        "rate = Args(learning_rate=1e-3, lr_warmup_steps=10)\n"
        "optimizer = Args(weight_decay=0.1, learning_rate_scheduler=rate,\n"
        "                 optimizer_factory=SGDOptimizerArgs(zero=1))\n"
        "tokens = Args(sequence_length=8, train_steps=100, micro_batch_size=2)\n"
        "parallelism = Args(dp=2)\n"
    )
    found = read(tmp_path, "run.py", called)
    assert (found.kind, found.convention, found.value) == ("nanotron", "pytorch-sgd", "0.1")


def test_an_optimizer_without_a_convention_is_named(tmp_path):
    made = read(tmp_path, "a.yaml", FILE.replace("adamW", "muonish"))
    assert made.refusal == "optimizer 'muonish' has no convention here"


def test_mup_is_said_to_scale_the_lr_of_each_layer(tmp_path):
    text = FILE + "model:\n  init_method:\n    use_mup: true\n"
    assert any("fan_out / fan_in" in note for note in read(tmp_path, "a.yaml", text).notes)
