"""Every `optim` of Hugging Face's Trainer: its file as `inspect` reads it, and the real optimizer.

The Trainer of transformers 5 builds them; the zoo is compared with release 4, so `.ci/run` installs
requirements_trainer.txt after that and runs the Trainer's files once more.
"""

import json
from importlib.metadata import version

import numpy as np
import pytest

from decaycalc.conventions.catalogue import find
from decaycalc.conventions.run import Run
from decaycalc.inspection import inspect
from decaycalc.verification.rules.rule import State, parse_rule

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers", minversion="5")

from transformers.training_args import OptimizerNames  # noqa: E402 - after its release is known

LR, VALUE, STEPS = 0.0173, 0.037, 6
START = np.random.default_rng(7).normal(size=(4, 3))
OPTIMS = [each.value for each in OptimizerNames]
NEED = {
    "adamw_torch_xla": "an XLA device",
    "adamw_torch_npu_fused": "an NPU",
    "adamw_anyprecision": "torchdistx, which is on no registry",
    "galore_adamw_8bit": "a GPU",
    "galore_adamw_8bit_layerwise": "a GPU",
    "adalomo": "a GPU for its state",
    "galore_adafactor_layerwise": "scale_parameter=False, which this release forgets here",
}
"""What cannot be executed here, and what it lacks; everything else must be."""
REFUSED = {
    "galore": "hf-trainer-galore",
    "apollo": "hf-trainer-apollo",
    "lomo": "hf-trainer-lomo",
    "adalomo": "hf-trainer-lomo",
}
"""The records of what is not passed on, by what `optim` begins with."""
DIRECTIONS = {"adamw_torch", "adamw_torch_fused", "sgd", "adagrad", "rmsprop", "lion_32bit"}
"""Those whose step is simulated along gradients too; the others decay beside it."""
FLOAT32 = 2e-5


def said_of(optim, folder):
    """Return what `inspect` says of a file with that optimizer."""
    given = {
        "per_device_train_batch_size": 8, "num_train_epochs": 1, "learning_rate": LR,
        "weight_decay": VALUE, "optim": optim,
    }  # fmt: skip
    path = folder / "run.json"
    path.write_text(json.dumps(given), encoding="utf-8")
    return inspect(str(path), run=Run(dataset_size=64, world_size=1)).training


def two_tensors():
    """Return a model of one matrix and one bias."""
    model = torch.nn.Linear(3, 4)
    model.weight.data.copy_(torch.tensor(START))
    model.bias.data.fill_(1.0)
    return model


def trainer_of(optim, model, folder):
    """Return the Trainer with its optimizer."""
    more = {"optim_target_modules": "all-linear"} if "layerwise" in optim else {}
    if optim.startswith(("galore", "apollo")):
        more = {"optim_target_modules": "all-linear", "optim_args": "rank=2"}
    arguments = transformers.TrainingArguments(
        output_dir=str(folder), optim=optim, learning_rate=LR, weight_decay=VALUE, report_to=[],
        use_cpu=True, max_grad_norm=0.0, **more,
    )  # fmt: skip
    trainer = transformers.Trainer(model=torch.nn.Sequential(model), args=arguments)
    trainer.create_optimizer()
    return trainer


def follow(optimizer, model, gradients):
    """Return matrix and bias after each step along the gradients of the matrix."""
    if hasattr(optimizer, "train"):
        optimizer.train()
    path = []
    for gradient in gradients:
        loss = (model.weight * torch.tensor(gradient).float()).sum() + 0 * model.bias.sum()
        if hasattr(optimizer, "fused_backward"):
            optimizer.fused_backward(loss, LR)
        else:
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        path.append((model.weight.detach().numpy().copy(), model.bias.detach().numpy().copy()))
    return path


def predicted(training, gradients):
    """Return the matrix after each step by the record's rule; without one it stays in place."""
    if training.convention is None:
        return [START] * len(gradients)
    record = find(training.convention)
    rule, state, w, path = parse_rule(record.update), State(), START, []
    names = {
        "lr": LR, "lr_peak": LR, "loss_scale": 1.0, "beta1": 0.9, "beta2": 0.999,
        record.parameter: float(training.value),
    }  # fmt: skip
    for gradient in gradients:
        w = rule.step(state, w, gradient, names=names)
        path.append(w)
    return path


@pytest.mark.parametrize("optim", OPTIMS)
@pytest.mark.parametrize("scale", [0.0, 1.0], ids=["free", "driven"])
def test_every_optim_decays_as_its_file_is_read(optim, scale, tmp_path, record):
    training = said_of(optim, tmp_path)
    assert training.convention or training.refusal
    if optim in NEED:
        pytest.skip(f"needs {NEED[optim]}")
    if scale and optim not in DIRECTIONS:
        pytest.skip("its direction is not simulated")
    gradients = scale * np.random.default_rng(3).normal(size=(STEPS, *START.shape))
    model = two_tensors()
    path = follow(trainer_of(optim, model, tmp_path).optimizer, model, gradients)
    expected = predicted(training, gradients)
    difference = max(
        np.abs(ours - weight).max() / np.abs(weight).max()
        for ours, (weight, _) in zip(expected, path, strict=True)
    )
    record("transformers", difference, training.convention or REFUSED[optim.partition("_")[0]])
    assert difference <= FLOAT32
    assert all(np.array_equal(bias, np.ones(4)) for _, bias in path)


def test_the_refused_ones_are_those_that_are_not_passed_on(tmp_path):
    refused = {optim for optim in OPTIMS if said_of(optim, tmp_path).convention is None}
    assert refused == {optim for optim in OPTIMS if optim.partition("_")[0] in REFUSED}


@pytest.mark.parametrize(
    ("optim", "key"),
    [("grokadamw", "grokadamw"), ("schedule_free_radam", "hf-trainer-schedule-free-radam")],
)
def test_an_optimizer_of_its_own_has_its_own_record(optim, key, tmp_path):
    assert said_of(optim, tmp_path).convention == key


def test_schedule_free_by_the_trainer_is_the_packages_own(record):
    ours, package = find("hf-trainer-schedule-free"), find("schedule-free")
    record("transformers", 0.0, ours.key)
    assert ours.update == package.update


def test_the_release_is_that_of_the_readers_table():
    from decaycalc.training.trainers.hf_trainer import VERSION

    assert f"transformers {version('transformers')}" == VERSION
