"""Measure what optimizers leave of a weight: `python measure.py` writes measured.json.

It is for packages that fit no common environment: a key is measured where its package can be
imported, what stands in the file for the others stays. tests/conventions/test_measured.py holds
the records against it. A key is measured without a gradient; also along one where the record's
rule says the direction; with and without its number along one where no rule says it, up to the
first step that the number changes, whose direction is what it does without; and where a penalty
joins the gradient of such a direction, against the same optimizer without its number along
g + λ·w. A measurement says by attributes of its own that it `needs_gradient`, that it has an
`own_gradient` of a network that it trains, and what it measures `beside`.
"""

import json
import os
import sys
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from inspect import signature
from pathlib import Path
from subprocess import run

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("DEV", "PYTHON")
sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]

from decaycalc.conventions.catalogue import find  # noqa: E402 - from this folder's repository

FILE = Path(__file__).parent / "measured.json"
LR, VALUE, STEPS = 0.0173, 0.037, 3
START = np.random.default_rng(7).normal(size=(4, 3)).astype("float32").astype(float)


NOISE = np.random.default_rng(3).normal(size=(STEPS, *START.shape))


def follow(optimizer, weight, gradients=None):
    """Return the weights after each step; gradients are functions of step and weights."""
    import torch

    path = []
    for step in range(STEPS):
        w = weight.detach().numpy().astype(float)
        found = 0 * w if gradients is None else gradients(step, w)
        weight.grad = torch.tensor(found, dtype=weight.dtype)
        optimizer.step()
        path.append(weight.detach().numpy().astype(float).tolist())
    return path


def centered(gradients=None, value=VALUE):
    """Return the weights after each step of adv_optm's AdamW with a centre, exact in its store."""
    weight = parameter()
    found = import_module("adv_optm").AdamW_adv
    return follow(
        found([weight], lr=LR, centered_wd=value, centered_wd_mode="full"), weight, gradients
    )


def parameter(shape=(4, 3)):
    """Return the weights as torch's parameter."""
    import torch

    return torch.nn.Parameter(torch.tensor(START.reshape(shape), dtype=torch.float32))


def of_class(module, name, *, shape=(4, 3), **fixed):
    """Return the measurement of a class with torch's interface, made by its constructor."""

    def measure(gradients=None, value=VALUE):
        weight = parameter(shape)
        found = getattr(import_module(module), name)
        return follow(found([weight], lr=LR, weight_decay=value, **fixed), weight, gradients)

    measure.names = {"d": fixed["d0"]} if "d0" in fixed else {}
    return measure


def with_a_graph(module, name):
    """Return the measurement of an optimizer that differentiates the gradient once more."""

    def measure(gradients=None, value=VALUE):
        mended()
        weight = parameter()
        optimizer = getattr(import_module(module), name)([weight], lr=LR, weight_decay=value)
        step = optimizer.step

        def stepped():
            found, weight.grad = weight.grad, None
            beside = weight - weight.detach()  # a curvature of 1 that adds no gradient
            (weight * found + beside**2 / 2).sum().backward(create_graph=True)
            step()

        optimizer.step = stepped
        return follow(optimizer, weight, gradients)

    return measure


@cache
def mended():
    """Mend torchvision once."""
    from conftest import mend_torchvision

    mend_torchvision()


def of_trainer(name):
    """Return the measurement of what transformers' Trainer makes of an `optim`."""

    def measure(gradients=None, value=VALUE):
        import torch

        mended()
        from transformers import Trainer, TrainingArguments

        model = torch.nn.Linear(3, 4)
        model.weight = parameter()
        arguments = TrainingArguments(
            output_dir="measured", optim=name, learning_rate=LR, weight_decay=value,
            report_to=[], use_cpu=True,
        )  # fmt: skip
        trainer = Trainer(model=model, args=arguments)
        trainer.create_optimizer()
        return follow(trainer.optimizer, model.weight, gradients)

    return measure


def of_mup(name):
    """Return the measurement of mup's optimizer on a hidden matrix of four times the base width."""

    def measure(gradients=None, value=VALUE):
        import mup
        import torch

        def network(width):
            layer = torch.nn.Linear(width, width, bias=False)
            return torch.nn.Sequential(layer)

        base, wide = network(2), network(4)
        mup.set_base_shapes(wide, base, delta=network(3), rescale_params=False)
        weight = wide[0].weight
        weight.data.copy_(torch.tensor(np.resize(START, (4, 4))))
        optimizer = getattr(mup, name)(wide.parameters(), lr=LR, weight_decay=value)
        return follow(optimizer, weight, gradients)

    measure.factor = 2.0  # the width's multiplier, which λ is times
    return measure


def of_unit_scaling(name):
    """Return the measurement of unit_scaling's optimizer on one of its own parameters."""

    def measure(gradients=None, value=VALUE):
        import torch
        from unit_scaling.parameter import Parameter

        weight = Parameter(torch.tensor(START, dtype=torch.float32), "weight")
        found = getattr(import_module("unit_scaling.optim"), name)
        return follow(found([weight], lr=LR, weight_decay=value), weight, gradients)

    own = LR / 3**0.5  # over the root of the fan-in, for a weight of three columns
    measure.names = {"lr": own, "lr_peak": own}
    return measure


def keras_micro_steps(gradients=None):
    """Return the weights after each update of three accumulated micro-steps."""
    import keras
    import torch
    from measure_frameworks import walked

    variable = keras.Variable(START.astype("float32"))
    optimizer = keras.optimizers.SGD(LR, weight_decay=VALUE, gradient_accumulation_steps=3)
    optimizer.build([variable])

    def step(gradient):
        for _ in range(3):
            optimizer.apply([torch.tensor(gradient)], [variable])

    return walked(step, lambda: keras.ops.convert_to_numpy(variable).astype(float))(gradients)


def tinygrad_muon(gradients=None, value=VALUE):
    """Return the weights after each step of tinygrad's Muon."""
    from measure_frameworks import walked
    from tinygrad import Tensor
    from tinygrad.nn import optim

    weight = Tensor(START.astype("float32")).is_param_()
    optimizer = optim.Muon([weight], lr=LR, weight_decay=value)

    def step(gradient):
        with Tensor.train():
            weight.grad = Tensor(gradient).contiguous()
            optimizer.step()

    return walked(step, lambda: weight.numpy().astype(float))(gradients)


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
    "adv-optm-prodigy": ("adv_optm", "2", of_class("adv_optm", "Prodigy_adv", d0=0.1)),
    "torchao-adamwfp8": ("torchao", "0", of_class("torchao.optim", "AdamWFp8")),
    "torchao-adam8bit": ("torchao", "0", of_class("torchao.optim", "Adam8bit")),
    "mup-adam": ("mup", "1", of_mup("MuAdam")),
    "dadaptation-decoupled": (
        "dadaptation",
        "",
        of_class("dadaptation", "DAdaptAdam", decouple=True, d0=0.1, use_bias_correction=False),
    ),
    **{
        f"heavyball-{key}": ("heavyball", "3", of_class("heavyball", name, compile_step=False))
        for key, name in {
            "kl-soap": "KLSOAP",
            "kl-shampoo": "KLShampoo",
            "hyperball-adamw": "HyperBallAdamW",
            "schedule-free-adamw": "SFAdamW",
        }.items()
    },
    "timm-adahessian": ("timm", "1", with_a_graph("timm.optim", "Adahessian")),
    "torch-optimizer-adahessian": (
        "torch-optimizer",
        "0",
        with_a_graph("torch_optimizer", "Adahessian"),
    ),
    "prodigy": ("prodigyopt", "1", of_class("prodigyopt", "Prodigy", d0=0.1)),
    "pytorch-optimizer-prodigy": (
        "pytorch_optimizer",
        "4",
        of_class("pytorch_optimizer", "Prodigy", d0=0.1),
    ),
    "pytorch-optimizer-dadaptadan": (
        "pytorch_optimizer",
        "4",
        of_class("pytorch_optimizer", "DAdaptAdan", d0=0.1, weight_decouple=True),
    ),
    "prodigy-plus": (
        "prodigy-plus-schedule-free",
        "2",
        of_class("prodigyplus.prodigy_plus_schedulefree", "ProdigyPlusScheduleFree", d0=0.1),
    ),
    "adv-optm-adamw-cautious": (
        "adv_optm",
        "2",
        of_class("adv_optm", "AdamW_adv", cautious_wd=True),
    ),
    "adv-optm-adamw-centered": ("adv_optm", "2", centered),
    "pytorch-optimizer-asgd": ("pytorch_optimizer", "4", of_class("pytorch_optimizer", "ASGD")),
    "pytorch-optimizer-splus": (
        "pytorch_optimizer",
        "4",
        of_class("pytorch_optimizer", "SPlus", shape=12),
    ),
    "keras-sgd-micro-step": ("keras", "3.4.1", keras_micro_steps),
    "tinygrad-muon-0-13": ("tinygrad", "0.13.0", tinygrad_muon),
}
"""Key to package, the beginning of the release that it holds for, and the measurement."""


def noise(step, w):
    """Return the gradient of a step, for any shape of weights."""
    return np.resize(NOISE[step], w.shape)


def measurements(rule, measure):
    """Return what a record's rule can be held against, by its name in the file."""
    if rule.startswith("minimise "):
        strength = VALUE * getattr(measure, "factor", 1.0)
        by_hand = measure(lambda step, w: noise(step, w) + strength * w, 0.0)
        return {"w_after": measure(noise), "by_hand": by_hand}
    found = getattr(measure, "beside", dict)()
    if not getattr(measure, "needs_gradient", False):
        found["w_after"] = measure()
    if "gradients" not in signature(measure).parameters:
        return found
    if "unmodelled" in rule or getattr(measure, "own_gradient", False):
        return {**found, "apart": taken_apart(measure(noise), measure(noise, 0.0))}
    return {**found, "driven": measure(noise)}


def taken_apart(inside, outside):
    """Return the weights with and without a number, up to the first step where they differ."""
    differs = (step for step in range(STEPS) if inside[step] != outside[step])
    first = next(differs, 0) + 1
    return [inside[:first], outside[:first]]


def release_of(package):
    """Return a package's release, or the commit of a repository under DECAYCALC_SOURCES.

    What Python does not know is a package of npm, under NODE_PATH.
    """
    if "/" not in package or package.startswith("@"):
        try:
            return version(package)
        except PackageNotFoundError:
            file = Path(os.environ.get("NODE_PATH", ".")) / package / "package.json"
            return json.loads(file.read_text())["version"]
    folder = Path(os.environ["DECAYCALC_SOURCES"]) / package
    command = ["git", "-C", str(folder), "rev-parse", "--short=7", "HEAD"]
    return run(command, capture_output=True, check=True, text=True).stdout.strip()


def main(keys):
    """Measure what can be (of those keys, where some are given), and write the file."""
    from measure_elsewhere import ELSEWHERE
    from measure_frameworks import FRAMEWORKS
    from measure_jax import JAX_STACKS
    from measure_megatron import MEGATRON
    from measure_repositories import REPOSITORIES
    from measure_scripts import SCRIPTS
    from measure_sources import SOURCES
    from measure_stacks import STACKS

    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    kinds = (
        MEASURED, FRAMEWORKS, SOURCES, STACKS, JAX_STACKS, ELSEWHERE, SCRIPTS, MEGATRON,
        REPOSITORIES,
    )  # fmt: skip
    found = {key: case for kind in kinds for key, case in kind.items()}
    for key, (package, release, measure) in found.items():
        if keys and key not in keys:
            continue
        try:
            if not release_of(package).startswith(release):
                continue
            paths = measurements(find(key).update, measure)
        except Exception as error:  # noqa: BLE001 - a package that is not there, or needs a GPU
            print(f"{key}: {type(error).__name__}: {str(error)[:80]}")
            continue
        path = paths.get("w_after") or paths["apart"][0]
        start = np.resize(START, np.shape(path[0])).tolist()
        known[key] = {
            "release": f"{package} {release_of(package)}", "lr": LR,
            "value": getattr(measure, "value", VALUE),
            "names": getattr(measure, "names", {}), "w0": start, **paths,
        }  # fmt: skip
        print(f"{key}: measured")
    lines = (f" {json.dumps(key)}: {json.dumps(known[key])}" for key in sorted(known))
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
