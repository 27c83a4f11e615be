"""Steppers of what needs a word of its own: tensors of one dimension, modes, caution."""

from families import timm_class
from steppers import Stepper, from_module, keras_optimizer, optax_alias, timm_optimizer, torch_loop

FLOAT32_LR = 3e-6


def flattened(make):
    """Return `make` for the optimizer of a tensor of one dimension, shaped as ours outside."""

    def flat(value, run, start, lrs):
        take = make(value, run, start.ravel(), lrs)

        def step(gradient, placed=None):
            placed = None if placed is None else placed.ravel()
            return take(gradient.ravel(), placed).reshape(start.shape)

        return step

    return flat


def in_training_mode(parameters, value, run, lr):
    """Return schedulefree's AdamW, whose weights in training are those of the gradient."""
    optimizer = from_module("schedulefree", "AdamWScheduleFree")(parameters, value, run, lr)
    optimizer.train()
    return optimizer


def keras_adam_of_muon(value, run, start, lrs):
    """Return what Keras' Muon makes of a tensor that is no matrix."""
    fixed = {"adam_weight_decay": value}
    return keras_optimizer("Muon", **fixed)(0.0, run, start, lrs)


REMAINING = {
    "timm-sgdp": Stepper(package="timm", make=timm_class("SGDP", {}, momentum=True), momentum=True),
    "timm-csgdp": Stepper(
        package="timm", make=timm_class("SGDP", {"caution": True}, momentum=True), momentum=True
    ),
    "timm-kron": Stepper(package="timm", make=timm_optimizer("kron"), tolerance=1e-6),
    "timm-kronw": Stepper(package="timm", make=timm_optimizer("kronw"), tolerance=1e-6),
    "timm-kronc": Stepper(package="timm", make=timm_optimizer("kronc"), tolerance=1e-6),
    "keras-ftrl": Stepper(package="keras", make=keras_optimizer("Ftrl"), tolerance=FLOAT32_LR),
    # On the torch backend the z that it means to keep from before the step is the one after it.
    "keras-schedule-free-adamw": Stepper(
        package="keras",
        make=keras_optimizer("ScheduleFreeAdamW"),
        tolerance=FLOAT32_LR,
        driven_tolerance=0.02,
    ),
    "keras-muon-adam": Stepper(
        package="keras", make=flattened(keras_adam_of_muon), tolerance=FLOAT32_LR
    ),
    "optax-muon-adam": Stepper(
        package="optax", make=flattened(optax_alias("muon", "adam_weight_decay")), tolerance=1e-7
    ),
    "optax-schedule-free-adamw": Stepper(
        package="optax", make=optax_alias("schedule_free_adamw"), tolerance=1e-6
    ),
    "schedule-free": Stepper(package="schedulefree", make=torch_loop(in_training_mode)),
    "optimi-ranger": Stepper(
        package="torch-optimi", make=torch_loop(from_module("optimi", "Ranger"))
    ),
}
