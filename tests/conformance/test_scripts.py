"""Plain Python scripts: what their text was read as beside what torch makes when they run.

Each is run for a few epochs over a data set of eight examples; the lr of every step is noted.
"""

import numpy as np
import pytest

import decaycalc
from decaycalc.algebra.quantity import exact
from decaycalc.schedule import parse_schedule
from decaycalc.training.source import read_training

torch = pytest.importorskip("torch")

HEAD = """\
import argparse
import torch
from torch import nn, optim
from torch.optim import *
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--wd", "--weight-decay", type=float, default=5e-4, dest="weight_decay")
parser.add_argument("--opt", default="sgd")
parser.add_argument("--epochs", type=int, default=6)
args, _ = parser.parse_known_args([])
data = TensorDataset(torch.ones(8, 3), torch.ones(8, 1))
loader = DataLoader(data, batch_size=2)
model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 1))
"""
EACH_EPOCH = """
seen = []
for epoch in range(args.epochs):
    for x, y in loader:
        optimizer.zero_grad()
        (model(x) - y).pow(2).mean().backward()
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
    scheduler.step()
"""
EACH_STEP = EACH_EPOCH.replace("    scheduler.step()", "        scheduler.step()")
SGD = "optimizer = optim.SGD(model.parameters(), args.lr, momentum=0.9, weight_decay=1e-3)\n"
OPTIMIZERS = {
    "sgd": SGD,
    "nesterov": "optimizer = SGD(model.parameters(), 0.05, 0.8, 0, 1e-4, True)\n",
    "adam": "optimizer = Adam(model.parameters(), 1e-3, (0.9, 0.95), 1e-8, 1e-5)\n",
    "adamw by default": "optimizer = torch.optim.AdamW(params=model.parameters(), lr=3e-4)\n",
    "rmsprop": "optimizer = RMSprop(model.parameters(), 1e-3, 0.9, 1e-8, 1e-4, 0.9)\n",
    "adagrad": "optimizer = Adagrad(model.parameters(), 1e-2, 0, 1e-4)\n",
    "options": "o = dict(lr=0.2, momentum=0.5)\noptimizer = SGD(model.parameters(), **o)\n",
    "by name": (
        "if args.opt == 'sgd':\n    optimizer = SGD(model.parameters(), lr=args.lr)\n"
        "else:\n    optimizer = Adam(model.parameters(), lr=args.lr)\n"
    ),
    "groups": (
        "free = ['bias', '1.weight']\nnamed = list(model.named_parameters())\ngroups = [\n"
        "    {'params': [p for n, p in named if not any(f in n for f in free)]},\n"
        "    {'params': [p for n, p in named if any(f in n for f in free)], 'weight_decay': 0.0},\n"
        "]\noptimizer = AdamW(groups, lr=1e-3, weight_decay=0.05)\n"
    ),
    "groups of their own": (
        "optimizer = Adam([dict(params=model[0].parameters(), weight_decay=5e-4),\n"
        "                  dict(params=model[2].parameters(), lr=0.5)], lr=1e-2)\n"
    ),
    "in a function": (
        "def make(lr, wd=1e-2):\n    return AdamW(model.parameters(), lr=lr, weight_decay=wd)\n"
        "optimizer = make(args.lr / 4)\n"
    ),
    "in a class": (
        "class Run:\n    def __init__(self, args):\n        self.args = args\n"
        "        self.optimizer = SGD(model.parameters(), lr=self.args.lr,\n"
        "                             weight_decay=self.args.weight_decay)\n"
        "optimizer = Run(args).optimizer\n"
    ),
}
PLAIN = EACH_EPOCH.replace("    scheduler.step()\n", "")


def run(text):
    """Return the names of a script of ours once it has run."""
    names = {"__name__": "__main__"}
    exec(compile(text, "train.py", "exec"), names)  # noqa: S102  (the text above)
    return names


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_is_what_torch_makes(tmp_path, name):
    text = HEAD + OPTIMIZERS[name] + PLAIN
    (tmp_path / "train.py").write_text(text)
    read, names = read_training(str(tmp_path / "train.py")), run(text)
    live = decaycalc.inspect(names["optimizer"], names["model"]).training
    assert read.convention == live.convention
    lives = {(float(exact(each.lr)), float(exact(each.weight_decay))) for each in live.groups}
    value, lr = float(exact(read.value)), float(read.run.lr)
    reads = {
        (
            lr if each.lr is None else float(exact(each.lr)),
            value if each.weight_decay is None else float(exact(each.weight_decay)),
        )
        for each in read.groups
    }
    assert lives <= reads
    group = names["optimizer"].param_groups[0]
    for quantity in ("momentum", "dampening"):
        said = getattr(read.run, quantity)
        assert said is None or float(said) == group.get(quantity, 0)
    assert bool(read.run.nesterov) == bool(group.get("nesterov"))
    assert float(read.run.examples_per_step) == names["loader"].batch_size
    assert float(read.run.epochs) * len(names["loader"]) == len(names["seen"])


SEQUENCE = (
    "lr_scheduler.SequentialLR(optimizer, [optim.lr_scheduler.{}, optim.lr_scheduler.{}], [{}])"
)
SCHEDULERS = [
    ("lr_scheduler.StepLR(optimizer, 2)", EACH_EPOCH),
    ("lr_scheduler.MultiStepLR(optimizer, [2, 5], 0.5)", EACH_EPOCH),
    ("lr_scheduler.ExponentialLR(optimizer, gamma=0.9)", EACH_EPOCH),
    ("lr_scheduler.CosineAnnealingLR(optimizer, args.epochs)", EACH_EPOCH),
    ("lr_scheduler.CosineAnnealingLR(optimizer, T_max=10, eta_min=1e-3)", EACH_STEP),
    ("lr_scheduler.CosineAnnealingLR(optimizer, args.epochs * len(loader))", EACH_STEP),
    ("lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 2, 2)", EACH_EPOCH),
    ("lr_scheduler.LinearLR(optimizer, 0.5, 1.0, total_iters=4)", EACH_EPOCH),
    ("lr_scheduler.PolynomialLR(optimizer, 24, power=2)", EACH_STEP),
    ("lr_scheduler.OneCycleLR(optimizer, 0.4, epochs=args.epochs, steps_per_epoch=len(loader))",
     EACH_STEP),
    ("lr_scheduler.OneCycleLR(optimizer, max_lr=0.4, total_steps=24)", EACH_STEP),
    *((SEQUENCE.format(ramp, main, begins), loop)
      for ramp, main, begins, loop in (
          ("LinearLR(optimizer, 0.1, total_iters=2)", "CosineAnnealingLR(optimizer, 4)", 2,
           EACH_EPOCH),
          ("LinearLR(optimizer, 0.1, 0.9, 2)", "CosineAnnealingLR(optimizer, args.epochs)", 2,
           EACH_EPOCH),
          ("LinearLR(optimizer, 0.5, total_iters=7)", "CosineAnnealingLR(optimizer, 9)", 7,
           EACH_STEP),
          ("ConstantLR(optimizer, 0.2, 3)", "StepLR(optimizer, 2)", 3, EACH_EPOCH),
          ("LinearLR(optimizer, 0.5, total_iters=3)", "ExponentialLR(optimizer, 0.9)", 3,
           EACH_STEP),
      )),
]  # fmt: skip
WARMED = [
    "get_scheduler('linear', optimizer, 3, args.epochs * len(loader))",
    "get_scheduler('cosine', optimizer=optimizer, num_warmup_steps=2, num_training_steps=30)",
    "get_linear_schedule_with_warmup(optimizer, 0, 24)",
    "get_cosine_schedule_with_warmup(optimizer, num_warmup_steps=4, num_training_steps=24)",
    "get_constant_schedule_with_warmup(optimizer, 5)",
]


def check_schedule(folder, text):
    """Compare the lr of every step with what the script was read as."""
    (folder / "train.py").write_text(text)
    read, names = read_training(str(folder / "train.py")), run(text)
    seen, per_epoch = names["seen"], len(names["loader"])
    assert read.schedule is not None
    schedule = parse_schedule(read.schedule, total_steps=len(seen), steps_per_epoch=per_epoch)
    peak = float(read.run.lr)
    ours = peak * schedule.multiplier(np.arange(len(seen), dtype=np.float64))
    assert np.abs(ours - seen).max() < 1e-9 * peak


@pytest.mark.parametrize(("made", "loop"), SCHEDULERS)
def test_a_scheduler_is_what_torch_makes(tmp_path, made, loop):
    check_schedule(tmp_path, f"{HEAD}{SGD}scheduler = optim.{made}\n{loop}")


@pytest.mark.parametrize("made", WARMED)
def test_a_scheduler_is_what_transformers_makes(tmp_path, made):
    pytest.importorskip("transformers")
    name = made.partition("(")[0]
    head = f"from transformers import {name}\n{HEAD}"
    check_schedule(tmp_path, f"{head}{SGD}scheduler = {made}\n{EACH_STEP}")


KERAS = """\
import keras
from keras import layers, regularizers
from keras.optimizers import SGD, Adam, schedules
model = keras.Sequential([keras.Input((3,)), layers.Dense(4, kernel_regularizer={penalty}),
                          layers.Dense(1)])
optimizer = {made}
model.compile(optimizer=optimizer, loss="mse")
"""


@pytest.mark.parametrize(
    "made",
    [
        "SGD(0.05, 0.9, True)", "SGD()", "Adam()", "keras.optimizers.AdamW()",
        "keras.optimizers.AdamW(1e-4, 0.05)", "keras.optimizers.Adam(weight_decay=1e-3)",
        "keras.optimizers.Lion(1e-4)", "keras.optimizers.Adagrad(weight_decay=0.1)",
        "keras.optimizers.Adadelta(weight_decay=0.1)", "keras.optimizers.RMSprop(weight_decay=0.1)",
    ],
)  # fmt: skip
def test_an_optimizer_is_what_keras_makes(tmp_path, made):
    pytest.importorskip("keras")
    text = KERAS.format(made=made, penalty=None)
    (tmp_path / "train.py").write_text(text)
    read, names = read_training(str(tmp_path / "train.py")), run(text)
    config = names["optimizer"].get_config()
    assert float(read.run.lr) == pytest.approx(config["learning_rate"], rel=1e-6)
    assert float(exact(read.value)) == (config["weight_decay"] or 0)
    assert float(read.run.momentum or 0) == config.get("momentum", 0)
    live = decaycalc.inspect(names["optimizer"], names["model"]).training
    assert read.convention == live.convention


@pytest.mark.parametrize(
    "penalty",
    ["regularizers.l2(5e-4)", "regularizers.L2()", "'l2'", "regularizers.l1_l2(0.1, 0.3)"],
)
def test_a_penalty_is_what_keras_makes(tmp_path, penalty):
    pytest.importorskip("keras")
    text = KERAS.format(made="SGD(0.1)", penalty=penalty)
    (tmp_path / "train.py").write_text(text)
    read, names = read_training(str(tmp_path / "train.py")), run(text)
    made = names["model"].layers[0].kernel_regularizer
    assert (read.convention, float(exact(read.value))) == ("keras-l2", float(made.l2))


@pytest.mark.parametrize(
    "rate",
    [
        "CosineDecay(0.1, 20)", "CosineDecay(0.0, 20, 0.1, warmup_target=0.1, warmup_steps=5)",
        "ExponentialDecay(0.1, 7, 0.5)", "ExponentialDecay(0.1, 7, 0.5, True)",
        "PolynomialDecay(0.1, 20)", "PiecewiseConstantDecay([9, 19], [0.1, 0.01, 0.001])",
        "InverseTimeDecay(0.1, 3, 0.5)", "CosineDecayRestarts(0.1, 6)",
    ],
)  # fmt: skip
def test_a_schedule_is_what_keras_makes(tmp_path, rate):
    pytest.importorskip("keras")
    text = KERAS.format(made=f"SGD(schedules.{rate})", penalty=None)
    (tmp_path / "train.py").write_text(text)
    read, names = read_training(str(tmp_path / "train.py")), run(text)
    follow = names["optimizer"]._learning_rate
    seen = np.array([float(follow(step)) for step in range(30)])
    assert read.schedule is not None
    schedule = parse_schedule(read.schedule, total_steps=30)
    ours = float(read.run.lr) * schedule.multiplier(np.arange(30, dtype=np.float64))
    assert np.abs(ours - seen).max() < 1e-7


OPTAX = """\
import jax.numpy as jnp
import optax
params = {{"kernel": jnp.ones((3, 2))}}
rate = {rate}
tx = {made}
"""


@pytest.mark.parametrize(
    "made",
    [
        "optax.adamw(1e-3)", "optax.nadamw(1e-3)", "optax.adamaxw(1e-3)", "optax.lion(1e-3)",
        "optax.adamw(1e-3, 0.9, 0.95, 1e-8, 0.0, None, 0.1)", "optax.lamb(1e-3, weight_decay=0.1)",
        "optax.adan(1e-3, weight_decay=0.1)",
        "optax.lars(0.1, 1e-4)",
        "optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(1e-3, weight_decay=0.1))",
        "optax.chain(optax.add_decayed_weights(1e-4), optax.sgd(0.1, 0.9, True))",
        "optax.chain(optax.add_decayed_weights(1e-4), optax.adam(0.1))",
        ("optax.chain(optax.trace(0.9), optax.add_decayed_weights(1e-4),"
         " optax.scale_by_learning_rate(0.1))"),
    ],
)  # fmt: skip
def test_an_optimizer_is_what_optax_makes(tmp_path, made):
    pytest.importorskip("optax")
    text = OPTAX.format(made=made, rate=None)
    (tmp_path / "train.py").write_text(text)
    read, names = read_training(str(tmp_path / "train.py")), run(text)
    live = decaycalc.inspect(names["tx"], names["params"]).training
    assert read.convention == live.convention
    assert float(exact(read.value)) == pytest.approx(float(exact(live.value)), rel=1e-6)
    assert float(read.run.lr) == pytest.approx(float(live.run.lr), rel=1e-6)
    assert float(read.run.momentum or 0) == pytest.approx(float(live.run.momentum or 0), rel=1e-6)


@pytest.mark.parametrize(
    "rate",
    [
        "optax.constant_schedule(0.1)", "optax.cosine_decay_schedule(0.1, 20, 0.1)",
        "optax.warmup_cosine_decay_schedule(0.01, 0.1, 5, 20, 0.001)",
        "optax.warmup_cosine_decay_schedule(0.0, 0.1, 0, 20)",
        "optax.linear_schedule(0.1, 0.0, 20)",
    ],
)  # fmt: skip
def test_a_schedule_is_what_optax_makes(tmp_path, rate):
    pytest.importorskip("optax")
    text = OPTAX.format(made="optax.adamw(rate)", rate=rate)
    (tmp_path / "train.py").write_text(text)
    read, names = read_training(str(tmp_path / "train.py")), run(text)
    seen = np.array([float(names["rate"](step)) for step in range(30)])
    assert read.schedule is not None
    schedule = parse_schedule(read.schedule, total_steps=30)
    ours = float(read.run.lr) * schedule.multiplier(np.arange(30, dtype=np.float64))
    assert np.abs(ours - seen).max() < 1e-7
