"""Whole training loops: Hugging Face's Trainer and Keras' fit train a small model of their own.

The gradients are those that the framework computed (Trainer) or a linear model's, written out
(Keras); what becomes of the weights is the records'.
"""

import json

import numpy as np
import pytest

from decaycalc.architecture.masks import decayed
from decaycalc.architecture.readers import read_architecture
from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.conversion.convert import convert
from decaycalc.verification.rules.rule import State, parse_rule

N_EXAMPLES, BATCH, LR, EPOCHS = 21, 8, 0.02, 4
STEPS_PER_EPOCH = 3
RANDOM = np.random.default_rng(19)
INPUTS = RANDOM.normal(size=(N_EXAMPLES, 4))
TARGETS = INPUTS @ RANDOM.normal(size=(4, 2)) + RANDOM.normal(size=(N_EXAMPLES, 2))
START = RANDOM.normal(size=(4, 2))


def difference_of(expected, path):
    """Return the largest difference, relative to the largest weight."""
    return float(np.abs(np.array(expected) - np.array(path)).max() / np.abs(path).max())


class Ruled:
    """One tensor that a record's rule steps."""

    def __init__(self, key, value, weights, **names):
        """Start at some weights; `names` are the run's settings."""
        record = find(key)
        self.rule, self.state = parse_rule(record.update), State()
        self.weights, self.names = weights, {**names, record.parameter: value}

    def step(self, gradient, lr):
        """Return the weights after a step."""
        names = {**self.names, "lr": lr, "lr_peak": LR}
        self.weights = self.rule.step(self.state, self.weights, gradient, names=names)
        return self.weights


# ------------------------------------------------------------------------- Hugging Face's Trainer


def two_layers():
    """Return a model of two layers, norms of three names, and a bare scale, in float64."""
    import torch

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = torch.nn.Linear(4, 6)
            self.norm = torch.nn.LayerNorm(6)
            self.bn1 = torch.nn.BatchNorm1d(6)
            self.gate = torch.nn.Parameter(torch.ones(6))
            self.second = torch.nn.Linear(6, 2)

        def forward(self, inputs, labels):
            hidden = self.bn1(self.norm(self.first(inputs))) * self.gate
            found = self.second(torch.tanh(hidden))
            return {"loss": (found - labels).square().mean(), "logits": found}

    torch.manual_seed(3)
    return Model().double()


def train(model, folder, **settings):
    """Train by the Trainer and return each step's gradients and the weights after it."""
    import torch
    import transformers

    gradients, weights = [], []

    class Watch(transformers.TrainerCallback):
        def on_pre_optimizer_step(self, *_, **__):
            gradients.append({n: p.grad.numpy().copy() for n, p in model.named_parameters()})

        def on_optimizer_step(self, *_, **__):
            weights.append({n: p.detach().numpy().copy() for n, p in model.named_parameters()})

    arguments = transformers.TrainingArguments(
        output_dir=str(folder), per_device_train_batch_size=BATCH, num_train_epochs=EPOCHS,
        learning_rate=LR, max_grad_norm=0, use_cpu=True, report_to=[], save_strategy="no",
        disable_tqdm=True, logging_strategy="no", **settings,
    )  # fmt: skip
    rows = [
        {"inputs": torch.tensor(x), "labels": torch.tensor(y)}
        for x, y in zip(INPUTS, TARGETS, strict=True)
    ]
    trainer = transformers.Trainer(
        model=model, args=arguments, train_dataset=rows, callbacks=[Watch()]
    )
    trainer.train()
    return gradients, weights


def decayed_names(model, folder):
    """Return the names that our rule for the Trainer decays, from names and shapes alone."""
    shapes = {name: list(weight.shape) for name, weight in model.named_parameters()}
    (folder / "shapes.json").write_text(json.dumps(shapes))
    net = read_architecture(str(folder / "shapes.json"))
    marks = decayed(net, mask="hf")
    return {tensor.name for tensor, mark in zip(net.tensors, marks, strict=True) if mark}


TRAINERS = {
    "constant lr": {"lr_scheduler_type": "constant"},
    "linear": {"lr_scheduler_type": "linear"},
    "cosine with accumulation": {
        "lr_scheduler_type": "cosine",
        "gradient_accumulation_steps": 2,
    },
}


def multiplier_of(name, step, n_steps):
    """Return the schedule's multiplier at a step from 0."""
    if name == "constant lr":
        return 1.0
    left = 1 - step / n_steps
    return left if name == "linear" else (1 - np.cos(np.pi * left)) / 2


@pytest.mark.parametrize("weight_decay", [0.0, 0.4])
@pytest.mark.parametrize("name", TRAINERS)
def test_the_trainer_decays_by_the_rule_what_the_names_rule_says(
    name, weight_decay, record, tmp_path
):
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    model = two_layers()
    wanted = decayed_names(model, tmp_path)
    assert wanted == {"first.weight", "bn1.weight", "gate", "second.weight"}
    ours = {
        key: Ruled(
            "hf-trainer", weight_decay if key in wanted else 0.0, weight.detach().numpy().copy()
        )
        for key, weight in model.named_parameters()
    }
    settings = {**TRAINERS[name], "weight_decay": weight_decay}
    gradients, path = train(model, tmp_path, **settings)
    n_steps = len(path)
    assert n_steps == EPOCHS * (2 if "accumulation" in name else STEPS_PER_EPOCH)
    for step, (found, weights) in enumerate(zip(gradients, path, strict=True)):
        lr = LR * multiplier_of(name, step, n_steps)
        for key, ruled in ours.items():
            difference = difference_of(ruled.step(found[key], lr), weights[key])
            record("transformers", difference, "hf-trainer")
            assert difference <= 1e-12


# ------------------------------------------------------------------------------------ Keras' fit


def fit(optimizer, regularizer=None):
    """Return kernel and bias after each batch of Keras' own loop, the last of an epoch short."""
    import keras

    layer = keras.layers.Dense(2, kernel_regularizer=regularizer, dtype="float64")
    model = keras.Sequential([keras.Input((4,), dtype="float64"), layer])
    layer.kernel.assign(START)
    model.compile(optimizer=optimizer, loss="mse")
    path = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda *_, **__: path.append(
            [keras.ops.convert_to_numpy(weight).astype(float) for weight in model.weights[:2]]
        )
    )
    model.fit(
        INPUTS, TARGETS, batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0,
        callbacks=[watch],
    )  # fmt: skip
    assert len(path) == EPOCHS * STEPS_PER_EPOCH
    return path


def follow(path, kernel, bias, lrs):
    """Return the largest difference of the rules' steps along the fit's own batches."""
    weights, free, differences = START, np.zeros(2), []
    batches = [range(at, min(at + BATCH, N_EXAMPLES)) for at in range(0, N_EXAMPLES, BATCH)]
    for rows, (w, b), lr in zip(batches * EPOCHS, path, lrs, strict=True):
        slopes = (INPUTS[rows] @ weights + free - TARGETS[rows]) / len(rows)  # 2 outputs
        weights, free = kernel.step(INPUTS[rows].T @ slopes, lr), bias.step(slopes.sum(axis=0), lr)
        differences.append(difference_of(np.vstack([weights, free]), np.vstack([w, b])))
    return max(differences)


N_STEPS = EPOCHS * STEPS_PER_EPOCH
CONSTANT = np.full(N_STEPS, LR)
COSINE = LR * (1 + np.cos(np.pi * np.arange(N_STEPS) / N_STEPS)) / 2
MOMENTA = {
    "plain": {},
    "momentum": {"momentum": 0.9},
    "nesterov": {"momentum": 0.9, "nesterov": True},
}


def keras_lr(lrs):
    """Return a Keras learning rate: the number, or its cosine schedule."""
    import keras

    if lrs is CONSTANT:
        return LR
    return keras.optimizers.schedules.CosineDecay(LR, N_STEPS)


@pytest.mark.parametrize("lrs", [CONSTANT, COSINE], ids=["constant", "cosine"])
@pytest.mark.parametrize("name", MOMENTA)
def test_keras_fits_a_regularised_layer_as_the_rule_says(name, lrs, record):
    keras = pytest.importorskip("keras")
    settings = MOMENTA[name]
    sgd = keras.optimizers.SGD(keras_lr(lrs), **settings)
    path = fit(sgd, keras.regularizers.L2(0.05))
    # Keras keeps the lr inside the buffer: the converted number for Caffe trains in step.
    found = convert("0.05", source="keras-l2", target="caffe", run=Run(lr=LR, **settings))
    caffe = {"weight_decay": float(found.value), **settings}
    kernel = Ruled("caffe", caffe.pop("weight_decay"), START, **caffe)
    bias = Ruled("caffe", 0.0, np.zeros(2), **caffe)
    difference = follow(path, kernel, bias, lrs)
    record("keras", difference, "keras-l2")
    assert difference <= 3e-6


def test_keras_and_torch_fit_one_regularised_layer(record):
    keras = pytest.importorskip("keras")
    torch = pytest.importorskip("torch")
    path = fit(keras.optimizers.SGD(LR, momentum=0.9), keras.regularizers.L2(0.05))
    run = Run(lr=LR, momentum="0.9")
    found = convert("0.05", source="keras-l2", target="pytorch-sgd", run=run)
    layer = torch.nn.Linear(4, 2, dtype=torch.float64)
    layer.weight.data, layer.bias.data = torch.tensor(START.T.copy()), torch.zeros(2).double()
    groups = [
        {"params": [layer.weight], "weight_decay": found.value},
        {"params": [layer.bias], "weight_decay": 0},
    ]
    optimizer = torch.optim.SGD(groups, lr=LR, momentum=0.9)
    inputs, targets = torch.tensor(INPUTS), torch.tensor(TARGETS)
    for step in range(N_STEPS):
        rows = slice(BATCH * (step % STEPS_PER_EPOCH), BATCH * (step % STEPS_PER_EPOCH + 1))
        optimizer.zero_grad()
        (layer(inputs[rows]) - targets[rows]).square().mean().backward()
        optimizer.step()
    difference = difference_of(layer.weight.detach().numpy().T, path[-1][0])
    record("keras", difference)
    assert difference <= 3e-6


DECAYING = {
    "keras-sgd": ("SGD", MOMENTA["plain"]),
    "keras-sgd with momentum": ("SGD", MOMENTA["momentum"]),
    "keras-adamw": ("AdamW", {}),
    "keras-adam": ("Adam", {}),
    "keras-lion": ("Lion", {}),
    "keras-rmsprop": ("RMSprop", {}),
}


@pytest.mark.parametrize("exempt", [False, True], ids=["all", "without the bias"])
@pytest.mark.parametrize("lrs", [CONSTANT, COSINE], ids=["constant", "cosine"])
@pytest.mark.parametrize("name", DECAYING)
def test_keras_fit_decays_by_its_optimizers_number(name, lrs, exempt, record):
    keras = pytest.importorskip("keras")
    kind, settings = DECAYING[name]
    key = name.partition(" ")[0]
    optimizer = getattr(keras.optimizers, kind)(keras_lr(lrs), weight_decay=0.3, **settings)
    if exempt:
        optimizer.exclude_from_weight_decay(var_names=["bias"])
    path = fit(optimizer)
    kernel = Ruled(key, 0.3, START, **settings)
    bias = Ruled(key, 0.0 if exempt else 0.3, np.zeros(2), **settings)
    difference = follow(path, kernel, bias, lrs)
    record("keras", difference, key)
    assert difference <= 3e-5


def test_keras_accumulates_gradients_and_decays_once_an_update(record):
    keras = pytest.importorskip("keras")
    optimizer = keras.optimizers.SGD(LR, weight_decay=0.3, gradient_accumulation_steps=3)
    path = fit(optimizer)
    found = [path[place][0] for place in range(2, N_STEPS, 3)]
    weights, free, expected = START, np.zeros(2), []
    kernel, bias = Ruled("keras-sgd", 0.3, START), Ruled("keras-sgd", 0.3, np.zeros(2))
    batches = [range(at, min(at + BATCH, N_EXAMPLES)) for at in range(0, N_EXAMPLES, BATCH)]
    for _ in range(EPOCHS):
        slopes = [(INPUTS[rows] @ weights + free - TARGETS[rows]) / len(rows) for rows in batches]
        pulls = [INPUTS[rows].T @ each for rows, each in zip(batches, slopes, strict=True)]
        weights = kernel.step(np.mean(pulls, axis=0), LR)
        free = bias.step(np.mean([each.sum(axis=0) for each in slopes], axis=0), LR)
        expected.append(weights)
    difference = difference_of(expected, found)
    record("keras", difference)
    assert difference <= 3e-6
