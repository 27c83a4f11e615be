"""Measure what optimizers leave of a weight without a gradient: `python measure.py` writes them.

It is for packages that fit no common environment: a key is measured where its package can be
imported, what stands in measured.json for the others stays. tests/conventions/test_measured.py
holds the records against the file.
"""

import json
import os
import sys
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("DEV", "PYTHON")
sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]

FILE = Path(__file__).parent / "measured.json"
LR, VALUE, STEPS = 0.0173, 0.037, 3
START = np.random.default_rng(7).normal(size=(4, 3)).astype("float32").astype(float)


def follow(optimizer, weight):
    """Return the weights after each step without a gradient."""
    import torch

    path = []
    for _ in range(STEPS):
        weight.grad = torch.zeros_like(weight)
        optimizer.step()
        path.append(weight.detach().numpy().astype(float).tolist())
    return path


def parameter():
    """Return the weights as torch's parameter."""
    import torch

    return torch.nn.Parameter(torch.tensor(START, dtype=torch.float32))


def of_class(module, name, **fixed):
    """Return the measurement of a class with torch's interface, made by its constructor."""

    def measure():
        weight = parameter()
        found = getattr(import_module(module), name)
        return follow(found([weight], lr=LR, weight_decay=VALUE, **fixed), weight)

    return measure


@cache
def mended():
    """Mend torchvision once."""
    from conftest import mend_torchvision

    mend_torchvision()


def of_trainer(name):
    """Return the measurement of what transformers' Trainer makes of an `optim`."""

    def measure():
        import torch

        mended()
        from transformers import Trainer, TrainingArguments

        model = torch.nn.Linear(3, 4)
        model.weight = parameter()
        arguments = TrainingArguments(
            output_dir="measured", optim=name, learning_rate=LR, weight_decay=VALUE,
            report_to=[], use_cpu=True,
        )  # fmt: skip
        trainer = Trainer(model=model, args=arguments)
        trainer.create_optimizer()
        return follow(trainer.optimizer, model.weight)

    return measure


def of_mup(name):
    """Return the measurement of mup's optimizer on a hidden matrix of four times the base width."""

    def measure():
        import mup
        import torch

        def network(width):
            layer = torch.nn.Linear(width, width, bias=False)
            return torch.nn.Sequential(layer)

        base, wide = network(2), network(4)
        mup.set_base_shapes(wide, base, delta=network(3), rescale_params=False)
        weight = wide[0].weight
        weight.data.copy_(torch.tensor(np.resize(START, (4, 4))))
        return follow(getattr(mup, name)(wide.parameters(), lr=LR, weight_decay=VALUE), weight)

    return measure


def of_unit_scaling(name):
    """Return the measurement of unit_scaling's optimizer on one of its own parameters."""

    def measure():
        import torch
        from unit_scaling.parameter import Parameter

        weight = Parameter(torch.tensor(START, dtype=torch.float32), "weight")
        found = getattr(import_module("unit_scaling.optim"), name)
        return follow(found([weight], lr=LR, weight_decay=VALUE), weight)

    return measure


def keras_micro_steps():
    """Return the weights after each update of three accumulated micro-steps."""
    import keras
    import torch

    variable = keras.Variable(START.astype("float32"))
    optimizer = keras.optimizers.SGD(LR, weight_decay=VALUE, gradient_accumulation_steps=3)
    optimizer.build([variable])
    path = []
    for _ in range(STEPS):
        for _ in range(3):
            optimizer.apply([torch.zeros(START.shape)], [variable])
        path.append(keras.ops.convert_to_numpy(variable).astype(float).tolist())
    return path


def tinygrad_muon():
    """Return the weights after each step of tinygrad's Muon."""
    from tinygrad import Tensor
    from tinygrad.nn import optim

    weight = Tensor(START.astype("float32")).is_param_()
    optimizer, path = optim.Muon([weight], lr=LR, weight_decay=VALUE), []
    for _ in range(STEPS):
        with Tensor.train():
            weight.grad = Tensor.zeros(*START.shape).contiguous()
            optimizer.step()
        path.append(weight.numpy().astype(float).tolist())
    return path


MEASURED = {
    **{
        f"hf-trainer-{key}": ("transformers", "5", of_trainer(name))
        for key, name in {
            "lion": "lion_32bit",
            "ademamix": "ademamix",
            "adamw-8bit": "adamw_bnb_8bit",
            "torchao": "adamw_torch_8bit",
            "sgd": "sgd",
            "adagrad": "adagrad",
            "rmsprop": "rmsprop",
        }.items()
    },
    **{
        f"torchao-{name.lower()}": ("torchao", "0", of_class("torchao.optim", name))
        for name in ("AdamW8bit", "AdamW4bit")
    },
    **{
        f"unit-scaling-{name.lower()}": ("unit-scaling", "0", of_unit_scaling(name))
        for name in ("AdamW", "SGD")
    },
    "mup-adamw": ("mup", "1", of_mup("MuAdamW")),
    "mup-sgd": ("mup", "1", of_mup("MuSGD")),
    **{
        f"adv-optm-{name.lower()}": ("adv_optm", "2", of_class("adv_optm", f"{name}_adv"))
        for name in ("AdamW", "Adopt", "Lion", "SignSGD", "SinkSGD")
    },
    **{
        f"adv-optm-{name.lower()}": (
            "adv_optm",
            "2",
            of_class("adv_optm", f"{name}_adv", use_muon=True),
        )
        for name in ("AdaMuon", "Muon")
    },
    "keras-sgd-micro-step": ("keras", "3.4.1", keras_micro_steps),
    "tinygrad-muon-0-13": ("tinygrad", "0.13.0", tinygrad_muon),
}
"""Key to package, the beginning of the release that it holds for, and the measurement."""


def main():
    """Measure what can be, and write the file."""
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    for key, (package, release, measure) in MEASURED.items():
        try:
            if not version(package).startswith(release):
                continue
            path = measure()
        except Exception as error:  # noqa: BLE001 - a package that is not there, or needs a GPU
            print(f"{key}: {type(error).__name__}: {str(error)[:80]}")
            continue
        start = np.resize(START, np.shape(path[0])).tolist()
        known[key] = {
            "release": f"{package} {version(package)}", "lr": LR, "value": VALUE,
            "w0": start, "w_after": path,
        }  # fmt: skip
    lines = (f" {json.dumps(key)}: {json.dumps(known[key])}" for key in sorted(known))
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
