"""Keras' optimizer as JSON, alone and in a .keras archive."""

import json
from zipfile import ZipFile

import pytest

from decaycalc.errors import UnreadableFileError
from decaycalc.training.source import read_training
from decaycalc.training.trainers.syntax import document
from tests.training.trainers.reading import read, shrink

ADAMW = {"learning_rate": 0.001, "weight_decay": 0.004, "gradient_accumulation_steps": None}


def optimizer(name="AdamW", **config):
    return {"class_name": name, "config": {**ADAMW, **config}}


def schedule(name, **config):
    return {"class_name": name, "config": {"initial_learning_rate": 0.1, **config}}


def test_an_optimizer_is_read(tmp_path):
    made = read(tmp_path, "o.json", json.dumps(optimizer()))
    assert (made.kind, made.convention, made.value) == ("keras", "keras-adamw", "0.004")
    assert shrink(made) == pytest.approx(4e-6)
    assert made.schedule == "constant"
    assert {"batch_size", "epochs"} <= set(made.missing)
    assert any("exclude_from_weight_decay" in note for note in made.notes)


def test_null_decays_nothing(tmp_path):
    made = read(tmp_path, "o.json", json.dumps(optimizer("Adam", weight_decay=None)))
    assert made.value == "0"
    assert any("null" in note for note in made.notes)
    assert read(tmp_path, "o.json", json.dumps(optimizer("Magic"))).refusal


@pytest.mark.parametrize(
    ("rate", "text", "lr"),
    [
        (schedule("CosineDecay", decay_steps=1000, alpha=0.1), "cosine:length=1000,final=0.1", 0.1),
        (
            schedule("CosineDecay", decay_steps=1000, warmup_target=1.0, warmup_steps=100),
            "cosine:warmup=100,start=0.1,length=1100",
            1.0,
        ),
        (
            schedule("PolynomialDecay", decay_steps=9, power=2.0, end_learning_rate=0.01),
            "polynomial:power=2,length=9,final=0.1",
            0.1,
        ),
        (
            schedule("ExponentialDecay", decay_steps=9, decay_rate=0.5, staircase=True),
            "step:gamma=0.5,every=9",
            0.1,
        ),
        (
            schedule("ExponentialDecay", decay_steps=9, decay_rate=0.5),
            "exponential:gamma=0.5,every=9",
            0.1,
        ),
        (schedule("PiecewiseConstantDecay", decay_steps=9), None, 0.1),
        (schedule("Mine"), None, 0.1),
        ({"class_name": "Mine", "config": {"a": 1}}, None, None),
    ],
)
def test_a_schedule_object_is_a_schedule(tmp_path, rate, text, lr):
    if lr is None:
        with pytest.raises(UnreadableFileError, match="is not a number"):
            read(tmp_path, "o.json", json.dumps(optimizer(learning_rate=rate)))
        return
    made = read(tmp_path, "o.json", json.dumps(optimizer(learning_rate=rate)))
    assert (made.schedule, float(made.run.lr)) == (text, lr)


def model(l2="L2", value=0.0005, **config):
    regularizer = {"class_name": l2, "config": {"l2": value}}
    layers = [
        {"config": {"kernel_regularizer": None}},
        {"config": {"kernel_regularizer": regularizer}},
    ]
    return {
        "config": {"layers": layers},
        "compile_config": {"optimizer": optimizer("SGD", momentum=0.9, **config)},
    }


def test_an_archive_holds_its_optimizer_and_its_l2(tmp_path):
    path = tmp_path / "model.keras"
    with ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(model(weight_decay=None)))
    made = read_training(str(path))
    assert (made.convention, made.value) == ("keras-l2", "0.0005")
    whole = read(tmp_path, "config.json", json.dumps(model()))
    assert (whole.convention, whole.run.momentum * 10) == ("keras-sgd", 9)


@pytest.mark.parametrize("changes", [{"l2": "L1"}, {"value": None}])
def test_another_regularizer_is_no_l2(tmp_path, changes):
    text = json.dumps(model(weight_decay=None, **changes))
    assert read(tmp_path, "config.json", text).convention == "keras-sgd"


def test_layers_nested_without_end_are_bounded(tmp_path):
    deep = {"kernel_regularizer": None}
    for _ in range(60):
        deep = {"a": deep}
    whole = model(weight_decay=None)
    whole["config"] = deep
    assert read(tmp_path, "c.json", json.dumps(whole)).convention == "keras-sgd"


def test_what_is_no_archive_is_refused(tmp_path, monkeypatch):
    (tmp_path / "a.keras").write_bytes(b"nothing")
    with pytest.raises(UnreadableFileError, match=r"not a \.keras archive"):
        read_training(str(tmp_path / "a.keras"))
    with ZipFile(tmp_path / "b.keras", "w") as archive:
        archive.writestr("config.json", " " * 300)
    monkeypatch.setattr(document, "LARGEST_FILE", 200)
    with pytest.raises(UnreadableFileError, match="larger than"):
        read_training(str(tmp_path / "b.keras"))


def test_a_penalty_that_adam_trains_decays_nothing(tmp_path):
    whole = model(weight_decay=None)
    whole["compile_config"]["optimizer"]["class_name"] = "Adam"
    made = read(tmp_path, "c.json", json.dumps(whole))
    assert (made.convention, made.run.optimizer) == ("keras-l2", "adam")
    whole["compile_config"]["optimizer"]["class_name"] = "Mine"
    assert read(tmp_path, "d.json", json.dumps(whole)).run.optimizer is None
    sgd = read(tmp_path, "e.json", json.dumps(model(weight_decay=None)))
    assert (sgd.run.optimizer, sgd.run.momentum * 10) == ("sgd", 9)


def test_the_older_l1l2_is_read_and_layers_that_differ_are_told(tmp_path):
    whole = model(weight_decay=None, l2="L1L2")
    assert read(tmp_path, "c.json", json.dumps(whole)).value == "0.0005"
    more = {"kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.01}}}
    whole["config"]["layers"].append({"class_name": "Dense", "config": more})
    assert "layers have L2 of 0.0005, 0.01" in read(tmp_path, "d.json", json.dumps(whole)).notes


@pytest.mark.parametrize(
    ("name", "config", "schedule"),
    [
        ("PiecewiseConstantDecay", {"boundaries": [9, 19], "values": [1, 0.5, 0.1]},
         "step:at=10/20,gamma=0.5/0.2"),
        ("PiecewiseConstantDecay", {"boundaries": [9], "values": [1, 0.5, 0.1]}, None),
        ("InverseTimeDecay", {"decay_steps": 100, "decay_rate": 0.5}, "inverse:gamma=0.005"),
        ("InverseTimeDecay", {"decay_steps": 9, "decay_rate": 0.5, "staircase": True}, None),
        ("CosineDecayRestarts", {"first_decay_steps": 9, "t_mul": 2.0, "m_mul": 0.5, "alpha": 0.0},
         "cosine-restarts:period=9,growth=2,gamma=0.5"),
        ("CosineDecayRestarts", {"first_decay_steps": 9, "t_mul": 2.0, "m_mul": 0.5, "alpha": 0.1},
         None),
        ("CosineDecayRestarts", {"t_mul": 2.0, "m_mul": 0.5, "alpha": 0.0}, None),
        ("CosineDecay", {"decay_steps": None}, None),
        ("PolynomialDecay", {"decay_steps": 9, "cycle": True}, None),
    ],
)  # fmt: skip
def test_schedule_objects(tmp_path, name, config, schedule):
    rate = {"class_name": name, "config": {"initial_learning_rate": 1.0, **config}}
    whole = {"class_name": "AdamW", "config": {"learning_rate": rate, "weight_decay": 0.01}}
    assert read(tmp_path, "a.json", json.dumps(whole)).schedule == schedule


def test_the_older_decay_of_the_lr_is_read(tmp_path):
    config = {"learning_rate": 0.01, "decay": 1e-4, "weight_decay": 0.01}
    text = json.dumps({"class_name": "SGD", "config": config})
    assert read(tmp_path, "a.json", text).schedule == "inverse:gamma=0.0001"
