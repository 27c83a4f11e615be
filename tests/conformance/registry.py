"""Which real optimizer stands behind which convention."""

from families import FAMILIES
from remaining import REMAINING
from steppers import (
    Stepper,
    bitsandbytes_sgd,
    composer_adamw,
    composer_sgdw,
    from_module,
    keras_optimizer,
    keras_penalty,
    mlx_loop,
    optax_alias,
    optax_loop,
    optax_momentum,
    paddle_loop,
    penalised,
    summed_squares,
    timm_optimizer,
    timm_sgd,
    tinygrad_loop,
    torch_loop,
    torch_optimizer,
    torch_sgd,
)

# What a library's own precision leaves: Keras, MXNet and Paddle keep lr in float32, optax its
# step count, others compute in float32 altogether.
FLOAT32_LR = 3e-6
FLOAT32 = 1e-4


def by_hand(scale):
    """Return the stepper of a penalty that the user writes into the loss, trained by torch."""
    return Stepper(
        package="torch",
        make=summed_squares(scale),
        momentum=True,
        dampening=True,
        nesterov=True,
    )


def torch_directed(name, **fixed):
    """Return the stepper of a torch optimizer whose direction is simulated."""
    return Stepper(package="torch", make=torch_optimizer(name, **fixed))


def keras(name, *, momentum=False, **fixed):
    """Return the stepper of a Keras optimizer."""
    return Stepper(
        package="keras",
        make=keras_optimizer(name, momentum=momentum, **fixed),
        tolerance=FLOAT32_LR,
        momentum=momentum,
        nesterov=momentum,
    )


def other(package, make, *, tolerance=1e-12, **more):
    """Return the stepper of any other package."""
    return Stepper(package=package, make=make, tolerance=tolerance, **more)


def torch_like(package, module, name, *, tolerance=1e-12, dtype="float64", **fixed):
    """Return the stepper of a class with torch's interface."""
    make = torch_loop(from_module(module, name, **fixed), dtype=dtype)
    return other(package, make, tolerance=tolerance)


STEPPERS = {
    **FAMILIES,
    **REMAINING,
    # Objectives, written out and differentiated by torch.
    "mean-l2": by_hand(lambda _: 1),
    "mean-half-l2": by_hand(lambda _: 0.5),
    "sum-l2": by_hand(lambda _: 1),
    "sum-half-l2": by_hand(lambda _: 0.5),
    "batch-sum-l2": by_hand(lambda _: 1),
    "batch-sum-half-l2": by_hand(lambda _: 0.5),
    "per-example-half-l2": by_hand(lambda run: 0.5 / run["dataset_size"]),
    "per-batch-half-l2": by_hand(lambda run: 0.5 / run["batch_size"]),
    "mean-over-weights-l2": Stepper(
        package="torch",
        make=penalised(lambda w, value, _run: value * (w**2).mean()),
        momentum=True,
        dampening=True,
        nesterov=True,
    ),
    "l2-norm": Stepper(package="torch", make=penalised(lambda w, value, _run: value * w.norm())),
    # PyTorch
    "pytorch-sgd": Stepper(
        package="torch", make=torch_loop(torch_sgd), momentum=True, dampening=True, nesterov=True
    ),
    "pytorch-adam": torch_directed("Adam"),
    "pytorch-adamw": torch_directed("AdamW"),
    "pytorch-adam-decoupled": torch_directed("Adam", decoupled_weight_decay=True),
    # It keeps a running product in float32.
    "pytorch-nadam": other("torch", torch_optimizer("NAdam"), tolerance=FLOAT32_LR),
    "pytorch-nadam-decoupled": other(
        "torch", torch_optimizer("NAdam", decoupled_weight_decay=True), tolerance=FLOAT32_LR
    ),
    "pytorch-radam": torch_directed("RAdam"),
    "pytorch-radam-decoupled": torch_directed("RAdam", decoupled_weight_decay=True),
    "pytorch-adamax": torch_directed("Adamax"),
    "pytorch-rmsprop": torch_directed("RMSprop"),
    "pytorch-adagrad": torch_directed("Adagrad"),
    "pytorch-adadelta": torch_directed("Adadelta"),
    "pytorch-adafactor": torch_directed("Adafactor"),
    "pytorch-asgd": other("torch", torch_optimizer("ASGD"), tolerance=FLOAT32_LR, scheduled=False),
    # It orthogonalises in bfloat16.
    "pytorch-muon": other("torch", torch_optimizer("Muon"), driven_tolerance=0.01),
    # Keras
    "keras-l2": Stepper(
        package="keras",
        make=penalised(keras_penalty),
        momentum=True,
        dampening=True,
        nesterov=True,
    ),
    "keras-sgd": keras("SGD", momentum=True),
    "keras-adam": keras("Adam"),
    "keras-adamw": keras("AdamW"),
    "keras-nadam": keras("Nadam"),
    "keras-adamax": keras("Adamax"),
    "keras-rmsprop": keras("RMSprop"),
    "keras-adagrad": keras("Adagrad"),
    "keras-adadelta": keras("Adadelta"),
    "keras-lion": keras("Lion"),
    "keras-adafactor": keras("Adafactor"),
    "keras-lamb": keras("Lamb"),
    "keras-muon": keras("Muon"),
    # optax
    "optax-adamw": other("optax", optax_alias("adamw"), tolerance=1e-9),
    "optax-sgd": other(
        "optax",
        optax_loop(
            lambda optax, value, run, lr: optax.chain(
                optax.add_decayed_weights(value), optax_momentum(optax, run, lr)
            )
        ),
        momentum=True,
        nesterov=True,
    ),
    "optax-decay-after-lr": other(
        "optax",
        optax_loop(
            lambda optax, value, run, lr: optax.chain(
                optax_momentum(optax, run, lr), optax.add_decayed_weights(-value)
            )
        ),
        momentum=True,
        nesterov=True,
    ),
    "optax-lion": other("optax", optax_alias("lion"), tolerance=1e-9),
    "optax-adafactor": other(
        "optax", optax_alias("adafactor", "weight_decay_rate"), tolerance=1e-6
    ),
    "optax-lamb": other("optax", optax_alias("lamb"), tolerance=1e-7),
    "optax-l2-loss": Stepper(
        package="optax",
        make=summed_squares(lambda _: 0.5),
        momentum=True,
        dampening=True,
        nesterov=True,
    ),
    "optax-nadamw": other("optax", optax_alias("nadamw"), tolerance=1e-9),
    "optax-adamaxw": other("optax", optax_alias("adamaxw"), tolerance=1e-9),
    "optax-ademamix": other("optax", optax_alias("ademamix"), tolerance=1e-9),
    "optax-adan": other("optax", optax_alias("adan"), tolerance=1e-8),
    "optax-muon": other("optax", optax_alias("muon"), tolerance=1e-6),
    # PyTorch's ecosystem
    "timm-adamw": other("timm", timm_optimizer("adamw")),
    "timm-sgd": other("timm", torch_loop(timm_sgd), momentum=True, nesterov=True),
    "timm-lamb": other("timm", timm_optimizer("lamb")),
    "timm-adan": other("timm", timm_optimizer("adan")),
    "timm-lion": other("timm", timm_optimizer("lion")),
    "timm-nadamw": other("timm", timm_optimizer("nadamw")),
    "timm-adamp": other("timm", timm_optimizer("adamp")),
    "timm-adafactor": other("timm", timm_optimizer("adafactor"), tolerance=1e-6),
    "timm-adafactorbv": other(
        "timm", timm_optimizer("adafactorbv"), tolerance=1e-6
    ),
    "timm-corrected": other("timm", timm_optimizer("adamc")),
    "lion-pytorch": torch_like("lion-pytorch", "lion_pytorch", "Lion"),
    "lion-pytorch-decoupled": torch_like(
        "lion-pytorch", "lion_pytorch", "Lion", decoupled_weight_decay=True
    ),
    "bitsandbytes-adam": torch_like(
        "bitsandbytes", "bitsandbytes.optim", "Adam", tolerance=FLOAT32,
        dtype="float32",
    ),
    "bitsandbytes-adamw": torch_like(
        "bitsandbytes", "bitsandbytes.optim", "AdamW", tolerance=FLOAT32,
        dtype="float32",
    ),
    "bitsandbytes-sgd": other(
        "bitsandbytes", torch_loop(bitsandbytes_sgd, dtype="float32"), tolerance=FLOAT32,
        momentum=True,
    ),
    "composer-adamw": other("mosaicml", torch_loop(composer_adamw)),
    "composer-sgdw": other(
        "mosaicml", torch_loop(composer_sgdw), momentum=True, dampening=True, nesterov=True
    ),
    "pytorch-optimizer-fixed": torch_like(
        "pytorch_optimizer", "pytorch_optimizer", "Lion", fixed_decay=True
    ),
    "torch-optimizer-sgdw": torch_like("torch-optimizer", "torch_optimizer", "SGDW"),
    "adan-pytorch": torch_like("adan-pytorch", "adan_pytorch", "Adan"),
    "hf-adafactor": torch_like(
        "transformers", "transformers.optimization", "Adafactor", tolerance=1e-6,
        relative_step=False, scale_parameter=False,
    ),
    # Others
    "mlx-sgd": other(
        "mlx", mlx_loop("SGD", momentum=True), tolerance=FLOAT32, momentum=True, dampening=True,
        nesterov=True,
    ),
    "mlx-adamw": other("mlx", mlx_loop("AdamW"), tolerance=FLOAT32),
    "mlx-lion": other("mlx", mlx_loop("Lion"), tolerance=FLOAT32),
    "mlx-adafactor": other(
        "mlx", mlx_loop("Adafactor", relative_step=False, scale_parameter=False), tolerance=FLOAT32
    ),
    "tinygrad-sgd": other(
        "tinygrad", tinygrad_loop("SGD", momentum=True), tolerance=FLOAT32, momentum=True,
        nesterov=True,
    ),
    "tinygrad-adamw": other("tinygrad", tinygrad_loop("AdamW"), tolerance=FLOAT32),
    "paddle-sgd": other("paddlepaddle", paddle_loop("SGD"), tolerance=1e-5),
    "paddle-momentum": other(
        "paddlepaddle", paddle_loop("Momentum", momentum=True), tolerance=1e-5, momentum=True,
        nesterov=True,
    ),
    "paddle-adam": other("paddlepaddle", paddle_loop("Adam"), tolerance=1e-5),
    "paddle-adamw": other("paddlepaddle", paddle_loop("AdamW"), tolerance=1e-5),
}  # fmt: skip
