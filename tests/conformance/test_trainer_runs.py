"""The real optimizer and scheduler built from a file, step by step what `inspect` says of it."""

import json
import logging
import sys
from argparse import Namespace
from importlib.metadata import version
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import yaml

from decaycalc.conventions.run import Run
from decaycalc.inspection import inspect
from decaycalc.schedule import parse_schedule

torch = pytest.importorskip("torch")
SIZE, PER_EPOCH = 320, 20  # examples, and the steps that a B of 16 makes of them


def share_of_the_warmup():
    """Return the name under which the Trainer's release takes the warm-up as a share of the run."""
    release = version("transformers") if find_spec("transformers") else "5"
    return "warmup_ratio" if release.startswith("4.") else "warmup_steps"


SHARE = share_of_the_warmup()


def lrs(training):
    """Return lr at every step of a run, as its schedule's text has it."""
    total = int(training.run.total_steps)
    schedule = parse_schedule(
        training.schedule, total_steps=total, steps_per_epoch=training.run.steps_per_epoch
    )
    return float(training.run.lr) * schedule.multiplier(np.arange(total, dtype=float))


def expected(inspection):
    """Return lr and decay of each group that `inspect` tells, by the group's name."""
    return {each.group.name: (each.lr, each.weight_decay) for each in inspection.groups}


def lay(optimizer, step, total):
    """Return lr of the first group at every step; the decays of all groups stay what they are."""
    decays = [group["weight_decay"] for group in optimizer.param_groups]
    found = []
    for done in range(1, total + 1):
        lr = {float(group["lr"]) for group in optimizer.param_groups}
        assert len(lr) == 1
        found.append(lr.pop())
        optimizer.step()
        step(done)
    assert [group["weight_decay"] for group in optimizer.param_groups] == decays
    return np.array(found)


def shares_left(optimizer):
    """Return what a step without gradients leaves of each group's first weight."""
    weights = [group["params"][0] for group in optimizer.param_groups]
    for group in optimizer.param_groups:
        for weight in group["params"]:
            weight.grad = torch.zeros_like(weight)
    with torch.no_grad():
        for weight in weights:
            weight.fill_(1.0)
    optimizer.step()
    return [weight.detach().flatten()[0].item() for weight in weights]


HF = [
    {"lr_scheduler_type": "linear", "warmup_steps": 10},
    {"lr_scheduler_type": "cosine", SHARE: 0.1},
    {"lr_scheduler_type": "constant"},
    {"lr_scheduler_type": "constant_with_warmup", "warmup_steps": 7},
    {"lr_scheduler_type": "polynomial", "lr_scheduler_kwargs": {"power": 2.0, "lr_end": 1e-5}},
    {"lr_scheduler_type": "inverse_sqrt", "warmup_steps": 5},
    {"lr_scheduler_type": "cosine_with_restarts", "lr_scheduler_kwargs": {"num_cycles": 2}},
    {"lr_scheduler_type": "cosine_with_min_lr", "lr_scheduler_kwargs": {"min_lr_rate": 0.1}},
    {
        "lr_scheduler_type": "warmup_stable_decay",
        "warmup_steps": 5,
        "lr_scheduler_kwargs": {"num_decay_steps": 20, "min_lr_ratio": 0.1},
    },
    {
        "lr_scheduler_type": "cosine_warmup_with_min_lr",
        "warmup_steps": 10,
        "lr_scheduler_kwargs": {"min_lr_rate": 0.1},
    },
    {"lr_scheduler_type": "linear", "optim": "sgd"},
    {"lr_scheduler_type": "linear", "optim": "adagrad"},
]


@pytest.mark.parametrize("settings", HF, ids=lambda each: each["lr_scheduler_type"])
def test_the_trainer_runs_as_its_file_is_read(tmp_path, settings):
    transformers = pytest.importorskip("transformers")
    given = {
        "per_device_train_batch_size": 8,
        "gradient_accumulation_steps": 2,
        "learning_rate": 2.0e-3,
        "weight_decay": 0.1,
        "num_train_epochs": 4,
        **settings,
    }
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump(given), encoding="utf-8")
    said = inspect(str(path), run=Run(dataset_size=SIZE, world_size=1))
    small = {"n_layer": 1, "n_head": 1, "n_embd": 8, "vocab_size": 16, "n_positions": 8}
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(**small))
    arguments = transformers.TrainingArguments(
        str(tmp_path / "out"), report_to=[], use_cpu=True, **given
    )
    trainer = transformers.Trainer(model=model, args=arguments)
    total = int(said.training.run.total_steps)
    assert total == 4 * PER_EPOCH
    trainer.create_optimizer_and_scheduler(num_training_steps=total)
    optimizer = trainer.optimizer
    decayed, exempt = optimizer.param_groups
    groups = expected(said)
    assert groups["decayed"] == (2e-3, decayed["weight_decay"])
    assert groups["exempt"] == (2e-3, exempt["weight_decay"])
    names = {id(weight): name for name, weight in model.named_parameters()}
    assert all(
        "bias" in names[id(weight)] or ".ln_" in names[id(weight)] for weight in exempt["params"]
    )
    schedule = trainer.lr_scheduler
    found = lay(optimizer, lambda _: schedule.step(), total)
    assert np.allclose(found, lrs(said.training), rtol=1e-9, atol=1e-15)
    for group in optimizer.param_groups:
        group["lr"] = 2e-3
    if given.get("optim", "sgd") == "sgd":
        left = shares_left(optimizer)
        assert left == pytest.approx([1 - said.figures.shrink, 1], rel=1e-6)


TIMM = [
    {"warmup_epochs": 2},
    {"warmup_epochs": 2, "warmup_prefix": True, "sched_on_updates": True},
    {"warmup_epochs": 0, "min_lr": 1e-5, "sched_on_updates": True},
    {"warmup_epochs": 1, "min_lr": 1e-5, "cooldown_epochs": 2},
    {"sched": "step", "decay_epochs": 2, "decay_rate": 0.5, "warmup_epochs": 0},
    {"sched": "multistep", "decay_milestones": [3, 5], "warmup_epochs": 0},
    {"sched": "poly", "decay_rate": 2.0, "warmup_epochs": 1},
    {"opt": "sgd", "warmup_epochs": 2, "sched_on_updates": True},
]


@pytest.mark.parametrize("settings", TIMM, ids=str)
def test_timm_runs_as_its_args_are_read(tmp_path, settings):
    pytest.importorskip("timm")
    from timm.optim import create_optimizer_v2, optimizer_kwargs
    from timm.scheduler import create_scheduler_v2, scheduler_kwargs

    given = {
        "opt": "adamw", "lr": 2.0e-3, "weight_decay": 0.05, "momentum": 0.9, "batch_size": 16,
        "grad_accum_steps": 1, "epochs": 8, "sched": "cosine", "sched_on_updates": False,
        "warmup_lr": 1.0e-5, "warmup_prefix": False, "min_lr": 0.0, "cooldown_epochs": 0,
        "decay_rate": 0.1, "decay_epochs": 90, "decay_milestones": [90, 180], **settings,
    }  # fmt: skip
    path = tmp_path / "args.yaml"
    path.write_text(yaml.safe_dump(given), encoding="utf-8")
    said = inspect(str(path), run=Run(dataset_size=SIZE, world_size=1))
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.LayerNorm(3))
    arguments = Namespace(**given)
    optimizer = create_optimizer_v2(model, **optimizer_kwargs(arguments))
    schedule, epochs = create_scheduler_v2(
        optimizer, **scheduler_kwargs(arguments), updates_per_epoch=PER_EPOCH
    )
    total = int(said.training.run.total_steps)
    assert total == epochs * PER_EPOCH

    def step(done):
        schedule.step_update(done)
        if done % PER_EPOCH == 0:
            schedule.step(done // PER_EPOCH)

    groups = expected(said)
    decays = sorted({group["weight_decay"] for group in optimizer.param_groups})
    assert decays == sorted({decay for _, decay in groups.values()})
    assert {lr for lr, _ in groups.values()} == {2e-3}
    found = lay(optimizer, step, total)
    assert np.allclose(found, lrs(said.training), rtol=1e-9, atol=1e-15)


KERAS = [
    ("AdamW", None),
    ("Lion", None),
    ("SGD", None),
    ("AdamW", ("CosineDecay", {"decay_steps": 30, "alpha": 0.1})),
    ("AdamW", ("CosineDecay", {"decay_steps": 30, "warmup_target": 0.01, "warmup_steps": 8})),
    ("AdamW", ("PolynomialDecay", {"decay_steps": 25, "end_learning_rate": 1e-4, "power": 2.0})),
    ("AdamW", ("ExponentialDecay", {"decay_steps": 10, "decay_rate": 0.5, "staircase": True})),
    ("AdamW", ("ExponentialDecay", {"decay_steps": 10, "decay_rate": 0.5})),
]


@pytest.mark.parametrize(("name", "rate"), KERAS)
def test_keras_runs_as_its_optimizers_json_is_read(tmp_path, name, rate):
    keras = pytest.importorskip("keras")
    lr = 1e-3
    if rate is not None:
        lr = getattr(keras.optimizers.schedules, rate[0])(initial_learning_rate=1e-3, **rate[1])
    made = getattr(keras.optimizers, name)(learning_rate=lr, weight_decay=0.02)
    path = tmp_path / "optimizer.json"
    path.write_text(json.dumps(keras.optimizers.serialize(made)), encoding="utf-8")
    total = 50
    said = inspect(str(path), run=Run(steps=total, batch_size=16, dataset_size=SIZE))
    optimizer = keras.optimizers.deserialize(json.loads(path.read_text(encoding="utf-8")))
    weight = keras.Variable(np.ones((2, 2), dtype="float32"))
    optimizer.build([weight])
    steps = lrs(said.training)
    ((_, decay),) = expected(said).values()
    assert decay == 0.02
    for step in range(total):
        assert float(optimizer.learning_rate) == pytest.approx(steps[step], abs=2e-9)  # float32
        weight.assign(np.ones((2, 2), dtype="float32"))
        optimizer.apply([keras.ops.zeros((2, 2))], [weight])
        left = float(keras.ops.convert_to_numpy(weight)[0, 0])
        assert left == pytest.approx(1 - steps[step] * decay, abs=1e-7)


DEEPSPEED = [
    ("WarmupLR", {"warmup_num_steps": 20}),
    ("WarmupLR", {"warmup_num_steps": 20, "warmup_type": "linear", "warmup_min_lr": 1e-4}),
    ("WarmupDecayLR", {"warmup_num_steps": 20, "total_num_steps": 100}),
    ("WarmupDecayLR", {"warmup_num_steps": 1, "total_num_steps": 100, "warmup_min_lr": 1e-4}),
    ("WarmupCosineLR", {"warmup_num_steps": 20, "total_num_steps": 100}),
    (
        "WarmupCosineLR",
        {"warmup_num_steps": 20, "total_num_steps": 100, "warmup_type": "linear",
         "warmup_min_ratio": 0.2, "cos_min_ratio": 0.1},
    ),
]  # fmt: skip


@pytest.fixture
def deepspeed_schedulers(monkeypatch):
    """Return DeepSpeed's module of schedulers alone: the package itself asks for a launcher."""
    spec = find_spec("deepspeed")
    if spec is None or spec.origin is None:
        pytest.skip("deepspeed is not installed")
    for name in ("deepspeed", "deepspeed.utils"):
        stub = ModuleType(name)
        stub.logger = logging.getLogger(name)
        monkeypatch.setitem(sys.modules, name, stub)
    path = Path(spec.origin).parent / "runtime" / "lr_schedules.py"
    found = spec_from_file_location("lr_schedules", path)
    module = module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("name", "arguments"), DEEPSPEED)
def test_deepspeed_s_schedulers_run_as_their_file_is_read(
    tmp_path, deepspeed_schedulers, name, arguments
):
    lr = 1e-3
    whole = {
        "train_batch_size": 8,
        "optimizer": {"type": "AdamW", "params": {"lr": lr, "weight_decay": 0.1}},
        "scheduler": {"type": name, "params": arguments},
    }
    path = tmp_path / "ds.json"
    path.write_text(json.dumps(whole), encoding="utf-8")
    said = inspect(str(path), run=Run(steps=100))
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    schedule = getattr(deepspeed_schedulers, name)(optimizer, **arguments)
    found = lay(optimizer, lambda _: schedule.step(), 100)
    assert np.allclose(found, lrs(said.training), rtol=1e-9, atol=1e-15)
