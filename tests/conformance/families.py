"""Families of optimizers that one factory makes, one entry of data each."""

from steppers import (
    Stepper,
    aligned,
    from_module,
    momentum_of,
    optax_alias,
    optax_loop,
    optax_momentum,
    paddle_loop,
    timm_optimizer,
    tinygrad_loop,
    torch_loop,
)

LOOSE = 1e-6  # factored second moments and Newton-Schulz iterations run in float32 or below
FLOAT32 = 1e-4


def made(package, make, *, tolerance=1e-12, **more):
    """Return a stepper."""
    return Stepper(package=package, make=make, tolerance=tolerance, **more)


# What timm's factory calls each record that is not named after it.
TIMM_NAMES = {"cautious-adamw": "cadamw"}
TIMM = """
    adam adamax nadam radam rmsprop adagrad adadelta radamw laprop adanw lambc lambw lars
    adopt adoptw adabelief mars muon adamuon madgrad madgradw novograd novogradw
    rmsproptf rmsproptfw cautious-adamw
""".split()  # noqa: SIM905 - a list of names reads better so
TIMM_PLAIN = {"rmsprop", "rmsproptf", "rmsproptfw", "lars", "muon", "adamuon"}
"""Those that timm's factory hands its default momentum of .9 to."""
TIMM_LOOSE = {"novograd", "nadam", "kron", "kronw", "muon", "adamuon"}
TIMM_CLASSES = {
    "sgdw": ("SGDW", {}, True),
    "sgdw-corrected": ("SGDW", {"corrected_weight_decay": True}, True),
    "lion-corrected": ("Lion", {"corrected_weight_decay": True}, False),
    "nadamw-corrected": ("NAdamW", {"corrected_weight_decay": True}, False),
    "laprop-corrected": ("LaProp", {"corrected_weight_decay": True}, False),
    "adafactorbv-unscaled": ("AdafactorBigVision", {"unscaled_wd": True}, False),
    "adafactorbv-corrected": ("AdafactorBigVision", {"corrected_weight_decay": True}, False),
    "adafactorbv-unscaled-corrected": (
        "AdafactorBigVision",
        {"unscaled_wd": True, "corrected_weight_decay": True},
        False,
    ),
}


def timm_class(name, fixed, *, momentum):
    """Return `make` for a class of timm.optim."""

    def build(parameters, value, run, lr):
        settings = {**fixed, **momentum_of(run, *(("momentum",) if momentum else ()))}
        return from_module("timm.optim", name, **settings)(parameters, value, run, lr)

    return torch_loop(build)


def timm_steppers():
    """Return the steppers of timm."""
    found = {
        f"timm-{name}": made(
            "timm",
            timm_optimizer(
                TIMM_NAMES.get(name, name), **({"momentum": 0.0} if name in TIMM_PLAIN else {})
            ),
            tolerance=LOOSE if name in TIMM_LOOSE else 1e-12,
        )
        for name in TIMM
    }
    for name, (kind, fixed, momentum) in TIMM_CLASSES.items():
        make = timm_class(kind, fixed, momentum=momentum)
        tolerance = LOOSE if "Adafactor" in kind else 1e-12
        found[f"timm-{name}"] = made("timm", make, tolerance=tolerance, momentum=momentum)
    return found


PYTORCH_OPTIMIZER = """
    AdaBelief AdaBound AdaGC Adalite AdaMod AdaNorm AdaPNM AdaTAM Ano AvaGrad BCOS CAME DiffGrad
    EmoFact EmoLynx EmoNavi EXAdam Grams Kate Kron Lamb LaProp MARS PNM SGDSaI SignSGD
    SimplifiedAdEMAMix StableAdamW StableSPAM TAM Tiger AdamW Lion SGDW AdamP Adan SOAP
    ADOPT AdEMAMix RACS SCION Fira GaLore
""".split()  # noqa: SIM905 - a list of names reads better so
PYTORCH_OPTIMIZER_FIXED = {
    "adafactor": ("AdaFactor", {"scale_parameter": False, "relative_step": False}),
}
PYTORCH_OPTIMIZER_LOOSE = {"Kron", "SCION", "SOAP", "GaLore", "Fira", "CAME", "RACS", "EmoFact"}


def pytorch_optimizer_steppers():
    """Return the steppers of pytorch_optimizer."""
    package = "pytorch_optimizer"
    found = {}
    for name in PYTORCH_OPTIMIZER:
        make = torch_loop(from_module(package, name))
        tolerance = LOOSE if name in PYTORCH_OPTIMIZER_LOOSE else 1e-12
        found[f"pytorch-optimizer-{name.lower()}"] = made(package, make, tolerance=tolerance)
    for key, (name, fixed) in PYTORCH_OPTIMIZER_FIXED.items():
        make = torch_loop(from_module(package, name, **fixed))
        found[f"pytorch-optimizer-{key}"] = made(package, make, tolerance=LOOSE)
    return found


def torch_optimizer_steppers():
    """Return the steppers of torch_optimizer."""
    package = "torch-optimizer"
    fixed = {"Adafactor": {"scale_parameter": False, "relative_step": False}}
    names = [
        "AdaMod",
        "RAdam",
        "AdamP",
        "Adafactor",
        "Yogi",
        "AggMo",
        "Lamb",
        "LARS",
        "NovoGrad",
    ]
    return {
        f"torch-optimizer-{name.lower()}": made(
            package,
            torch_loop(from_module("torch_optimizer", name, **fixed.get(name, {}))),
            tolerance=LOOSE if name in {"Adafactor", "NovoGrad", "RAdam"} else 1e-12,
        )
        for name in names
    }


def optimi_loop(name, *, momentum=False, decouple=False):
    """Return `make` for an optimi optimizer."""

    def build(parameters, value, run, lr):
        import optimi

        settings = momentum_of(run, "momentum", "dampening") if momentum else {}
        settings["dampening"] = bool(settings.pop("dampening", 0))
        if not momentum:
            settings.pop("dampening")
        if decouple:
            settings |= {"decouple_lr": True, "max_lr": lr}
        found = getattr(optimi, name)
        settings |= aligned(found, run)
        return found(parameters, lr=lr, weight_decay=value, **settings)

    return torch_loop(build)


def optimi_steppers():
    """Return the steppers of optimi."""
    package = "torch-optimi"
    return {
        "optimi-decoupled": made(package, optimi_loop("AdamW", decouple=True)),
        "optimi-sgd-decoupled": made(
            package, optimi_loop("SGD", momentum=True, decouple=True), momentum=True
        ),
        "optimi-lion-decoupled": made(package, optimi_loop("Lion", decouple=True)),
        "optimi-adamw": made(package, optimi_loop("AdamW")),
        "optimi-adam": made(package, optimi_loop("Adam")),
        "optimi-sgd": made(package, optimi_loop("SGD", momentum=True), momentum=True),
        "optimi-lion": made(package, optimi_loop("Lion")),
        "optimi-stableadamw": made(package, optimi_loop("StableAdamW")),
        "optimi-adan": made(package, optimi_loop("Adan")),
    }


def fastai_loop(name, *, momentum=False, **fixed):
    """Return `make` for a fastai optimizer; its decay is decoupled unless told otherwise."""

    def make(value, run, start, lrs):
        import torch
        from fastai import optimizer as fastai

        weights = torch.nn.Parameter(torch.tensor(start))
        found = getattr(fastai, name)
        settings = {"mom": float(run.get("momentum", 0))} if momentum else aligned(found, run)
        optimizer = found([weights], lr=float(lrs[0]), wd=value, **settings, **fixed)
        schedule = iter(lrs)

        def step(gradient, placed=None):
            if placed is not None:
                weights.data.copy_(torch.tensor(placed))
            optimizer.set_hyper("lr", float(next(schedule)))
            weights.grad = torch.tensor(gradient)
            optimizer.step()
            return weights.detach().numpy().copy()

        return step

    return make


def fastai_steppers():
    """Return the steppers of fastai."""
    plain = {
        "fastai": "Adam",
        "fastai-radam": "RAdam",
        "fastai-qhadam": "QHAdam",
        "fastai-larc": "Larc",
        "fastai-lamb": "Lamb",
    }
    found = {key: made("fastai", fastai_loop(name)) for key, name in plain.items()}
    sgd = fastai_loop("SGD", momentum=True)
    l2 = fastai_loop("SGD", momentum=True, decouple_wd=False)
    return found | {
        "fastai-sgd": made("fastai", sgd, momentum=True),
        "fastai-sgd-l2": made("fastai", l2, momentum=True),
        "fastai-adam-l2": made("fastai", fastai_loop("Adam", decouple_wd=False)),
        "fastai-rmsprop": made("fastai", fastai_loop("RMSProp", mom=0.0)),
    }


def bitsandbytes_steppers():
    """Return the steppers of bitsandbytes on the CPU, in float32."""
    names = {"lion": "Lion", "rmsprop": "RMSprop", "adagrad": "Adagrad", "ademamix": "AdEMAMix"}
    return {
        f"bitsandbytes-{key}": made(
            "bitsandbytes",
            torch_loop(from_module("bitsandbytes.optim", name), dtype="float32"),
            tolerance=FLOAT32,
        )
        for key, name in names.items()
    }


def paddle_steppers():
    """Return the steppers of Paddle."""
    names = {
        "adamax": ("Adamax", {}),
        "adagrad": ("Adagrad", {}),
        "adadelta": ("Adadelta", {}),
        "rmsprop": ("RMSProp", {}),
        "nadam": ("NAdam", {}),
        "radam": ("RAdam", {}),
        "asgd": ("ASGD", {"batch_num": 1}),
    }
    return {
        f"paddle-{key}": made("paddlepaddle", paddle_loop(name, **fixed), tolerance=1e-4)
        for key, (name, fixed) in names.items()
    }


def tinygrad_steppers():
    """Return the steppers of tinygrad."""
    names = {"lamb": "LAMB"}
    return {
        f"tinygrad-{key}": made("tinygrad", tinygrad_loop(name), tolerance=FLOAT32)
        for key, name in names.items()
    }


OPTAX = {
    "optax-simplified-ademamix": "simplified_ademamix",
    "optax-galore": "galore",
    "optax-acprop": "acprop",
    "optax-adadelta": "adadelta",
    "optax-madgrad": "madgrad",
    "optax-novograd": "novograd",
}


def optax_steppers():
    """Return the steppers of optax that are not written out one by one."""
    found = {key: made("optax", optax_alias(name), tolerance=LOOSE) for key, name in OPTAX.items()}
    found["optax-adam-l2"] = made(
        "optax",
        optax_loop(
            lambda optax, value, run, lr: optax.chain(
                optax.add_decayed_weights(value), optax.adam(lr, **aligned(optax.adam, run))
            )
        ),
        tolerance=1e-9,
    )
    found["optax-sgdw"] = made(
        "optax",
        optax_loop(
            lambda optax, value, run, lr: optax.chain(
                optax.trace(float(run.get("momentum", 0)), bool(run.get("nesterov", 0))),
                optax.add_decayed_weights(value),
                optax.scale_by_learning_rate(lr),
            )
        ),
        momentum=True,
        nesterov=True,
    )
    found["optax-decay-after-sgd"] = made(
        "optax",
        optax_loop(
            lambda optax, value, run, lr: optax.chain(
                optax_momentum(optax, run, lr), optax.add_decayed_weights(value)
            )
        ),
        momentum=True,
        nesterov=True,
    )
    return found


FAMILIES = {
    **timm_steppers(),
    **pytorch_optimizer_steppers(),
    **torch_optimizer_steppers(),
    **optimi_steppers(),
    **fastai_steppers(),
    **bitsandbytes_steppers(),
    **paddle_steppers(),
    **tinygrad_steppers(),
    **optax_steppers(),
}
