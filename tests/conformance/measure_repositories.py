"""What measure.py measures of optimizers that their authors released alone."""

import os
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

from measure_sources import LR, followed, loaded, of_file

_META = "facebookresearch/optimizers"


def packaged(module, name, **fixed):
    """Return the measurement of a class in a package of its own."""

    def build(weights, value):
        found = getattr(import_module(module), name)
        return found(weights, lr=LR, weight_decay=value, **fixed)

    return followed(build)


def adam_mini(weights, value):
    """Return Adam-mini on a matrix that it takes for one of a feed-forward layer."""
    named = [("layers.0.mlp.weight", weights[0])]
    return import_module("adam_mini").Adam_mini(named, lr=LR, weight_decay=value, dim=4, n_heads=2)


def moonlight(weights, value):
    """Return Moonlight's Muon, without what its script downloads and logs by."""
    from measure import mended

    mended()  # it imports transformers
    stand_ins = {"loguru": {"logger": None}, "datasets": {"load_dataset": None}}
    module = loaded("MoonshotAI/Moonlight", "examples/toy_train.py", **stand_ins)
    return module.Muon(lr=LR, wd=value, muon_params=weights)


def c_optim(weights, value):
    """Return C-Optim's AdamW, whose file is one of a package."""
    folder = ModuleType("c_optim")
    folder.__path__ = [str(Path(os.environ["DECAYCALC_SOURCES"]) / "kyleliang919/C-Optim")]
    sys.modules.setdefault("c_optim", folder)
    return import_module("c_optim.c_adamw").AdamW(weights, lr=LR, weight_decay=value)


def averaged(weights, value):
    """Return GPA's AdamW in training mode."""
    sys.path.append(str(Path(os.environ["DECAYCALC_SOURCES"]) / _META))
    optimizer = import_module("gpa.gpa_adamw").GPAAdamW(weights, lr=LR, weight_decay=value)
    optimizer.train()
    return optimizer


def shampoo(kind):
    """Return the maker of Meta's DistributedShampoo with one type of decay, on one device.

    Its own epsilon leaves the inverse roots to rounding.
    """

    def build(weights, value):
        sys.path.append(str(Path(os.environ["DECAYCALC_SOURCES"]) / _META))
        module = import_module("distributed_shampoo")
        how = getattr(module.WeightDecayType, kind)
        return module.DistributedShampoo(
            weights, lr=LR, weight_decay=value, weight_decay_type=how, epsilon=1e-4
        )

    return build


REPOSITORIES = {
    "gpa-adamw": (_META, "f606606", followed(averaged)),
    **{
        f"meta-shampoo{key}": (_META, "f606606", followed(shampoo(kind)))
        for key, kind in {
            "": "DECOUPLED",
            "-l2": "L2",
            "-corrected": "CORRECTED",
            "-independent": "INDEPENDENT",
        }.items()
    },
    "came-pytorch": ("came-pytorch", "0", packaged("came_pytorch", "CAME")),
    "adabelief-pytorch": ("adabelief-pytorch", "0", packaged("adabelief_pytorch", "AdaBelief")),
    "adam-mini": ("adam-mini", "1", followed(adam_mini)),
    "galore-torch": ("galore-torch", "1", packaged("galore_torch", "GaLoreAdamW")),
    "apollo-torch": ("apollo-torch", "1", packaged("apollo_torch", "APOLLOAdamW")),
    "kron-torch": (
        "evanatyourservice/kron_torch",
        "884427c",
        of_file("evanatyourservice/kron_torch", "kron_torch/kron.py", "Kron"),
    ),
    "soap-vyas": ("nikhilvyas/SOAP", "a1e5535", of_file("nikhilvyas/SOAP", "soap.py", "SOAP")),
    "sophia-liu": (
        "Liuhong99/Sophia",
        "a7e1572",
        of_file("Liuhong99/Sophia", "sophia.py", "SophiaG"),
    ),
    "ademamix-apple": (
        "apple/ml-ademamix",
        "c3d73c0",
        of_file("apple/ml-ademamix", "pytorch/ademamix.py", "AdEMAMix"),
    ),
    "moonlight-muon": ("MoonshotAI/Moonlight", "c2ad5b2", followed(moonlight)),
    "mars-yuan": (
        "AGI-Arena/MARS",
        "4831e28",
        of_file("AGI-Arena/MARS", "MARS/optimizers/mars.py", "MARS"),
    ),
    "adopt-taniguchi": (
        "iShohei220/adopt",
        "6468572",
        of_file("iShohei220/adopt", "src/adopt/adopt.py", "ADOPT"),
    ),
    "adopt-taniguchi-decoupled": (
        "iShohei220/adopt",
        "6468572",
        of_file("iShohei220/adopt", "src/adopt/adopt.py", "ADOPT", decouple=True),
    ),
    "c-optim-adamw": ("kyleliang919/C-Optim", "2c0517c", followed(c_optim)),
    "c-optim-lion": (
        "kyleliang919/C-Optim",
        "2c0517c",
        of_file("kyleliang919/C-Optim", "c_lion.py", "Lion"),
    ),
}
"""Key to package or repository, the beginning of its release or commit, and the measurement."""
