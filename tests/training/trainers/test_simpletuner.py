"""SimpleTuner's configurations."""

import json

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import quantity, read, shrink

FILE = """
{
  "data_backend_config": "config/data.json",
  "model_family": "flux",
  "model_type": "lora",
  "optimizer": "adamw_bf16",
  "learning_rate": 1e-4,
  "lr_scheduler": "polynomial",
  "lr_warmup_steps": 100,
  "train_batch_size": 2,
  "gradient_accumulation_steps": 3,
  "max_train_steps": 2000,
  "num_train_epochs": 0
}
"""
BASE = json.loads(FILE)


def changed(**changes):
    return json.dumps(BASE | changes)


def test_a_file_is_a_run(tmp_path):
    found = read(tmp_path, "config.json", FILE)
    assert (found.kind, found.convention, found.value) == ("simpletuner", "pytorch-adamw", "0.01")
    assert (found.run.examples_per_step, found.run.steps) == (6, 2000)
    assert found.schedule == "polynomial:power=0.8,final=0.004,warmup=100"
    assert shrink(found) == pytest.approx(1e-6)
    assert found.exempt.mask == "all"
    assert (found.betas, found.eps) == (("0.9", "0.999"), "1e-06")
    other = read(tmp_path, "c.json", changed(optimizer="optimi-adamw", optimizer_config="eps=1e-5"))
    assert (other.betas, other.eps) == (("0.9", "0.99"), "1e-05")
    assert read(tmp_path, "d.json", changed(optimizer="torch-adamw")).eps == "1e-08"


def test_keys_may_have_the_dashes_of_flags(tmp_path):
    text = json.dumps({f"--{key}": value for key, value in BASE.items()})
    assert read(tmp_path, "config.json", text).value == "0.01"


@pytest.mark.parametrize(
    ("changes", "convention", "value"),
    [
        ({"optimizer_config": "weight_decay=0.2,eps=1e-6"}, "pytorch-adamw", "0.2"),
        ({"optimizer": "optimi-adamw"}, "optimi-adamw", "0.0"),
        ({"optimizer": "optimi-adamw", "optimizer_config": "decouple_lr=true,weight_decay=0.1"},
         "optimi-decoupled", "0.1"),
        ({"optimizer": "bnb-adamw8bit-paged"}, "bitsandbytes-adamw", "0.01"),
        ({"optimizer": "torch-sgd"}, "pytorch-sgd", "0"),
        ({"optimizer": "adamw_schedulefree"}, "schedule-free", None),
        ({"optimizer": "prodigy"}, None, None),
    ],
)  # fmt: skip
def test_optimizers(tmp_path, changes, convention, value):
    found = read(tmp_path, "config.json", changed(**changes))
    assert (found.convention, found.value) == (convention, value)


@pytest.mark.parametrize(
    ("name", "schedule"),
    [
        ("constant", "constant"),
        ("constant_with_warmup", "constant:warmup=100"),
        ("linear", "linear:warmup=100"),
        ("sine", None),
        ("cosine", None),
    ],
)
def test_schedules(tmp_path, name, schedule):
    assert read(tmp_path, "config.json", changed(lr_scheduler=name)).schedule == schedule


def test_without_a_warm_up(tmp_path):
    text = changed(lr_warmup_steps=0, lr_end=0)
    assert read(tmp_path, "config.json", text).schedule == "polynomial:power=0.8"
    text = changed(lr_warmup_steps=0, lr_scheduler="linear")
    assert read(tmp_path, "config.json", text).schedule == "linear"


@pytest.mark.parametrize(("root", "lr"), [("false", "0.0006"), ("true", "0.000244948974278")])
def test_an_lr_may_be_scaled_by_the_batch(tmp_path, root, lr):
    text = changed(lr_scale="true", lr_scale_sqrt=root)
    assert quantity(read(tmp_path, "config.json", text), "lr").value == lr
    assert float(read(tmp_path, "config.json", text, lr="0.5").run.lr) == 0.5
    assert read(tmp_path, "c.json", changed(lr_scale=True, train_batch_size="???")).run.lr is None


def test_tensors_with_an_lr_of_their_own_are_told(tmp_path):
    made = read(tmp_path, "config.json", changed(text_encoder_lr=1e-5))
    assert any("text_encoder_lr" in note for note in made.notes)


ENV = """
# A run's settings.
export DATALOADER_CONFIG="config/data.json"
export MODEL_FAMILY=flux MODEL_TYPE=lora
export LEARNING_RATE=1e-4
export LR_SCHEDULE="constant"
export OPTIMIZER='torch-adamw'
export MAX_NUM_STEPS=2000 NUM_EPOCHS=0
export TRAIN_BATCH_SIZE=2
export GRADIENT_ACCUMULATION_STEPS=3
export TRAINING_NUM_PROCESSES=2
"""


def test_an_env_file_has_names_of_its_own(tmp_path):
    found = read(tmp_path, "config.env", ENV)
    assert (found.kind, found.convention, found.value) == ("simpletuner", "pytorch-adamw", "0.01")
    assert (found.run.examples_per_step, found.run.steps, found.schedule) == (12, 2000, "constant")
    assert quantity(found, "lr").line == 5
    extra = (
        'export TRAINER_EXTRA_ARGS="--optimizer_config=weight_decay=0.1 --lr_scheduler=cosine"\n'
    )
    found = read(tmp_path, "b.env", ENV + extra)
    assert (found.value, found.schedule) == ("0.1", None)
    found = read(tmp_path, "c.env", ENV + 'TRAINER_EXTRA_ARGS="$MINE"\n')
    assert found.value == "0.01"


def test_an_env_file_that_does_more_is_refused(tmp_path):
    with pytest.raises(UnreadableFileError, match="line 12: it is no assignment"):
        read(tmp_path, "config.env", f"{ENV}if true; then\nexport OPTIMIZER=lion\nfi\n")
