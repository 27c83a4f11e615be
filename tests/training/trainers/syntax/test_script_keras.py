"""Keras in a plain Python script, as the JSON that Keras would save of it."""

import pytest

from decaycalc.errors import UnreadableFileError
from tests.training.trainers.reading import quantity, read, shrink

HEAD = """\
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers, regularizers
from tensorflow.keras.optimizers import SGD, schedules
WD = 1e-4
"""
PENALISED = "layers.Dense(10, kernel_regularizer=regularizers.l2(WD))\n"


def script(folder, *lines):
    return read(folder, "train.py", HEAD + "\n".join(lines) + "\n")


def test_a_penalty_of_the_layers_and_what_trains_it(tmp_path):
    lines = (PENALISED, "model.compile(optimizer=SGD(0.01, momentum=0.9, nesterov=True))",
             "model.fit(x, y, batch_size=128, epochs=20)")  # fmt: skip
    found = script(tmp_path, *lines)
    assert (found.kind, found.convention, found.value) == ("keras", "keras-l2", "1e-4")
    assert (float(found.run.lr), float(found.run.momentum), found.run.nesterov) == (0.01, 0.9, True)
    assert (found.run.batch_size, found.run.epochs, found.schedule) == (128, 20, "constant")
    assert found.run.optimizer == "sgd"
    assert shrink(found) == pytest.approx(2 * 1e-4 * 0.01 / 0.1)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("loss = loss + 1e-4 * tf.nn.l2_loss(w)", "a penalty of its own"),
        ("o = tfa.optimizers.LAMB(learning_rate=1)", "known here: tfa.optimizers.LAMB"),
        ("layers.Embedding(2, 3, embeddings_regularizer='l2')", "not read: 'l2' (line 8)"),
        ("layers.Dense(2, 'relu', True, 'zeros', 'zeros', regularizers.l2(WD))",
         "not read: regularizers.l2(WD) (line 8)"),
        ("layers.Dense(2, bias_regularizer=None)", "the optimizer decays nothing"),
    ],
)  # fmt: skip
def test_what_is_not_of_keras_is_said(tmp_path, line, said):
    found = script(tmp_path, "import tensorflow_addons as tfa", "o = SGD(0.1)", line)
    assert (found.value, any(said in note for note in found.notes)) == ("0", True)


@pytest.mark.parametrize(
    "line",
    [
        "opt.learning_rate = 0.5",
        "model.optimizer.lr.assign(0.5)",
        "K.set_value(m.optimizer.lr, 1)",
    ],
)
def test_an_lr_that_a_script_sets_leaves_the_schedule_open(tmp_path, line):
    lines = ("opt = SGD(0.1)", "config.lr = 3", "x.assign(opt.lr)")
    assert script(tmp_path, *lines, line).schedule is None
    assert script(tmp_path, *lines).schedule == "constant"


def test_a_penalty_beside_a_decay_of_the_optimizer_is_said(tmp_path):
    made = "o = keras.optimizers.AdamW(0.1, weight_decay=0.2)"
    found = script(tmp_path, PENALISED, made)
    assert (found.value, found.notes) == ("0.2", ("layers have L2 of 1e-4 too, which is not read",))
    found = script(tmp_path, PENALISED.replace("WD", "f(x)"), made)
    assert found.notes[0] == "layers have L2 of a number that is not told too, which is not read"


def test_a_penalty_of_some_of_several_models_is_open(tmp_path):
    lines = (PENALISED, "a.compile(optimizer=SGD(0.1), loss='mse')", "b.compile(loss='mse')")
    found = script(tmp_path, *lines)
    assert (found.convention, found.value) == ("keras-l2", None)
    assert script(tmp_path, *lines[:2], "re.compile('a')").value == "1e-4"


@pytest.mark.parametrize(
    ("made", "convention", "value", "lr"),
    [
        ("SGD()", "keras-sgd", "0", 0.01),
        ("keras.optimizers.AdamW()", "keras-adamw", "0.004", 0.001),
        ("tf.keras.optimizers.AdamW(1e-4, 0.05)", "keras-adamw", "0.05", 1e-4),
        ("keras.optimizers.Adam(lr=3e-4)", "keras-adam", "0", 3e-4),
        ("tf.keras.optimizers.legacy.SGD(0.1, weight_decay=1e-3)", "keras-sgd", "1e-3", 0.1),
        ("SGD(weight_decay=None)", "keras-sgd", "0", 0.01),
        ("SGD(weight_decay=make())", "keras-sgd", None, 0.01),
        ("SGD(lr=make())", "keras-sgd", "0", None),
    ],
)
def test_an_optimizer_and_the_defaults_of_its_class(tmp_path, made, convention, value, lr):
    found = script(tmp_path, f"optimizer = {made}")
    assert (found.convention, found.value) == (convention, value)
    assert found.run.lr is None if lr is None else float(found.run.lr) == lr
    assert ("weight_decay" in found.missing) == (value is None)


@pytest.mark.parametrize(
    ("rate", "schedule", "lr"),
    [
        ("schedules.CosineDecay(0.1, 1000)", "cosine:length=1000", 0.1),
        ("schedules.ExponentialDecay(0.1, 9, 0.5, True)", "step:gamma=0.5,every=9", 0.1),
        ("schedules.PolynomialDecay(0.1, 9)", "polynomial:power=1,length=9,final=0.001", 0.1),
        ("schedules.CosineDecayRestarts(0.1, 50)",
         "cosine-restarts:period=50,growth=2,gamma=1", 0.1),
        ("schedules.PiecewiseConstantDecay([9, 19], [1.0, 0.1, 0.01])",
         "step:at=10/20,gamma=0.1/0.1", 1.0),
        ("schedules.CosineDecay(0.1, n)", None, 0.1),
        ("schedules.MyDecay(0.1)", None, None),
    ],
)  # fmt: skip
def test_a_schedule_object(tmp_path, rate, schedule, lr):
    found = script(tmp_path, f"rate = {rate}", "optimizer = SGD(rate)")
    assert found.schedule == schedule
    assert found.run.lr is None if lr is None else float(found.run.lr) == lr


@pytest.mark.parametrize("name", ["LearningRateScheduler", "ReduceLROnPlateau"])
def test_a_callback_sets_the_lr(tmp_path, name):
    line = f"model.fit(x, callbacks=[keras.callbacks.{name}(f)])"
    assert script(tmp_path, "optimizer = SGD()", line).schedule is None


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("regularizers.L2(5e-4)", "5e-4"), ("tf.keras.regularizers.l2(l2=5e-4)", "5e-4"),
        ("keras.regularizers.l2(l=5e-4)", "5e-4"), ("regularizers.l2()", "0.01"),
        ("'l2'", "0.01"), ("regularizers.l1_l2(0.1, 0.3)", "0.3"),
        ("regularizers.L1L2(l1=0.1)", "0"), ("penalty", "0.2"),
        ("None", "0"), ("make()", None), ("regularizers.l2(make())", None),
    ],
)  # fmt: skip
def test_a_regularizer(tmp_path, given, value):
    lines = ("l2 = regularizers.l2", "penalty = l2(0.2)", "optimizer = SGD()",
             f"layers.Dense(10, activation='relu', kernel_regularizer={given})")  # fmt: skip
    found = script(tmp_path, *lines)
    assert found.value == value
    assert found.convention == ("keras-sgd" if value == "0" else "keras-l2")
    if value is None:
        assert quantity(found, "value").note.startswith("kernel_regularizer:")


@pytest.mark.parametrize(
    ("fits", "batch", "epochs"),
    [
        ("model.fit(x, y, 32, 5)", 32, 5),
        ("model.fit(x, epochs=5)\nmodel.fit(x, epochs=9)", None, None),
        ("model.fit_generator(g, epochs=7)", None, 7),
        ("model.fit(x)", None, None),
    ],
)
def test_how_a_model_is_fitted(tmp_path, fits, batch, epochs):
    run = script(tmp_path, "optimizer = SGD()", fits).run
    assert (run.batch_size, run.epochs) == (batch, epochs)


def test_an_optimizer_by_its_name(tmp_path):
    found = script(tmp_path, PENALISED, "model.compile('AdamW', loss='mse')")
    assert (found.convention, found.value, float(found.run.lr)) == ("keras-l2", "1e-4", 0.001)
    with pytest.raises(UnreadableFileError):
        script(tmp_path, "model.compile(optimizer=make())")
    with pytest.raises(UnreadableFileError):
        read(tmp_path, "train.py", "x = 1\nmodel.compile('adam')  # no keras\n")


def test_what_is_left_out_and_the_flags_are_said(tmp_path):
    lines = ("import argparse", "p = argparse.ArgumentParser()",
             "p.add_argument('--lr', default=1)", "a = p.parse_args()",
             "optimizer = keras.optimizers.AdamW(a.lr)",
             "optimizer.exclude_from_weight_decay(var_names=['bias'])")  # fmt: skip
    found = script(tmp_path, *lines)
    assert found.exempt.rule == "not told: what exclude_from_weight_decay names (line 11)"
    assert "the script's own flags hold at their defaults: --lr" in found.notes
