"""A live class and its options to the catalogue's record."""

from types import SimpleNamespace

import pytest

from decaycalc.training.live.conventions import class_path, convention_of


def made(module, name, **attributes):
    """Return an object of a class that says it is a library's."""
    kind = type(name, (), {"__module__": module, "step": lambda _: None, **attributes})
    return kind()


def key(optimizer, **options):
    record = convention_of(optimizer, options)
    return None if record is None else record.key


@pytest.mark.parametrize(
    ("module", "name", "options", "expected"),
    [
        ("torch.optim.adamw", "AdamW", {}, "pytorch-adamw"),
        ("torch.optim.adam", "Adam", {"decoupled_weight_decay": False}, "pytorch-adam"),
        ("torch.optim.adam", "Adam", {"decoupled_weight_decay": True}, "pytorch-adam-decoupled"),
        ("transformers.optimization", "Adafactor", {"relative_step": True},
         "hf-adafactor-relative"),
        ("transformers.optimization", "Adafactor",
         {"relative_step": False, "scale_parameter": False}, "hf-adafactor"),
        ("transformers.optimization", "Adafactor",
         {"relative_step": False, "scale_parameter": True}, None),
        ("optimi.adam", "Adam", {"decouple_wd": True, "decouple_lr": False}, "optimi-adamw"),
        ("deepspeed.ops.adam", "DeepSpeedCPUAdam", {"adamw_mode": False}, None),
        ("lion_pytorch.lion_pytorch", "Lion", {}, "lion-pytorch"),
        ("keras.src.optimizers.adamw", "AdamW", {}, "keras-adamw"),
        ("optimi.sgd", "SGD", {"decouple_wd": True}, None),
        ("optimi.sgd", "SGD", {"decouple_wd": False}, "optimi-sgd"),
        ("optimi.adan", "Adan", {"decouple_lr": True}, None),
        ("pytorch_optimizer.optimizer.grokfast", "GrokFastAdamW", {},
         "pytorch-optimizer-decoupled"),
        ("pytorch_optimizer.optimizer.adamp", "AdamP", {"fixed_decay": True},
         "pytorch-optimizer-adamp-fixed"),
        ("pytorch_optimizer.optimizer.ranger", "Ranger", {"fixed_decay": True}, None),
        ("pytorch_optimizer.optimizer.lion", "Lion",
         {"fixed_decay": True, "weight_decouple": True}, "pytorch-optimizer-fixed"),
        ("pytorch_optimizer.optimizer.adamax", "AdaMax",
         {"fixed_decay": True, "weight_decouple": False}, "pytorch-optimizer-adamax"),
        ("pytorch_optimizer.optimizer.adafactor", "AdaFactor",
         {"scale_parameter": True, "relative_step": False}, None),
        ("torch_optimizer.adafactor", "Adafactor",
         {"scale_parameter": False, "relative_step": False}, "torch-optimizer-adafactor"),
        ("heavyball", "AdamW", {"cautious_weight_decay": False}, "heavyball-adamw"),
        ("heavyball", "AdamW", {"cautious_weight_decay": True}, None),
        ("torch_optimizer.qhm", "QHM", {"nu": 0.7}, "torch-optimizer-qhm"),
        ("torch_optimizer.qhm", "QHM", {"nu": 0.5}, None),
        ("torch_optimizer.pid", "PID", {"integral": 3.0, "derivative": 10.0}, None),
        ("timm.optim.lion", "Lion", {"caution": False}, "timm-lion"),
        ("timm.optim.lion", "Lion", {"caution": True}, "timm-clion"),
        ("timm.optim.sgdw", "SGDW", {"corrected_weight_decay": True}, "timm-sgdw-corrected"),
        ("timm.optim.adamw", "AdamWLegacy", {"caution": True}, "timm-cautious-adamw"),
        ("timm.optim.adopt", "Adopt", {"decoupled": True}, "timm-adoptw"),
        ("timm.optim.adopt", "Adopt", {"decoupled": False}, "timm-adopt"),
        ("timm.optim.kron", "Kron", {"decoupled_decay": False}, "timm-kron"),
        ("timm.optim.adabelief", "AdaBelief", {"decoupled_decay": True}, "timm-adabelief"),
        ("timm.optim.adabelief", "AdaBelief", {"decoupled_decay": False}, None),
        ("timm.optim.adan", "Adan", {"no_prox": False}, "timm-adan"),
        ("timm.optim.adan", "Adan", {"no_prox": True}, "timm-adanw"),
        ("timm.optim.lamb", "Lamb", {"trust_clip": True, "decoupled_decay": False}, "timm-lambc"),
        ("timm.optim.lamb", "Lamb", {"decoupled_decay": True, "corrected_weight_decay": True},
         "timm-lambcd"),
        ("timm.optim.lars", "Lars", {"trust_clip": True}, "timm-lars"),
        ("timm.optim.muon", "Muon", {"algo": "adamuon"}, "timm-adamuon"),
        ("timm.optim.adafactor_bv", "AdafactorBigVision", {"unscaled_wd": True},
         "timm-adafactorbv-unscaled"),
        ("timm.optim.adafactor_bv", "AdafactorBigVision",
         {"unscaled_wd": True, "corrected_weight_decay": True},
         "timm-adafactorbv-unscaled-corrected"),
        ("pytorch_optimizer.optimizer.lion", "Lion", {"weight_decouple": True},
         "pytorch-optimizer-lion"),
        ("pytorch_optimizer.optimizer.lion", "Lion", {"weight_decouple": False}, None),
        ("pytorch_optimizer.optimizer.lion", "Lion",
         {"weight_decouple": True, "fixed_decay": True}, "pytorch-optimizer-fixed"),
        ("schedulefree.adamw", "AdamWScheduleFree", {}, "schedule-free"),
        ("my_project.optim", "AdamW", {}, None),
        ("torch.optim.lbfgs", "LBFGS", {}, None),
    ],
)  # fmt: skip
def test_a_class_and_its_options_are_a_record(module, name, options, expected):
    assert key(made(module, name), **options) == expected


def test_an_option_that_the_object_keeps_counts_too():
    lion = made("lion_pytorch.lion_pytorch", "Lion", decoupled_wd=True)
    assert key(lion) == "lion-pytorch-decoupled"


def test_a_class_that_steps_as_its_parent_is_its_parent():
    parent = type("AdamW", (), {"__module__": "torch.optim.adamw", "step": lambda _: None})
    heir = type("Mine", (parent,), {"__module__": "train"})
    other = type("Mine", (parent,), {"__module__": "train", "step": lambda _: None})
    assert key(heir()) == "pytorch-adamw"
    assert key(other()) is None


def test_an_object_without_a_step_of_its_own_is_no_record():
    assert key(SimpleNamespace()) is None
    assert class_path(SimpleNamespace()) == "types.SimpleNamespace"
