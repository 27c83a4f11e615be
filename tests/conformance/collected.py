"""Steppers of the optimizer collections: pytorch_optimizer, torch_optimizer, timm and others.

`COLLECTED` steps in test_collected.py. `COUPLED` holds optimizers whose penalty joins the gradient
while their direction is not simulated: test_coupling.py steps those against themselves.
"""

from importlib.util import find_spec

import numpy as np
from steppers import (
    Stepper,
    from_module,
    mlx_loop,
    momentum_of,
    optax_alias,
    optax_loop,
    timm_optimizer,
    tinygrad_loop,
    torch_loop,
)

LOOSE = 1e-6
FLOAT32 = 1e-4
KOZISTR, NOVAK, DADAPT = "pytorch_optimizer", "torch_optimizer", "dadaptation"


def made(package, build, *, tolerance=1e-12, dtype="float64", **more):
    """Return a stepper of a class with torch's interface."""
    return Stepper(
        package=package, make=torch_loop(build, dtype=dtype), tolerance=tolerance, **more
    )


def with_momentum(module, name):
    """Return the builder of a class that takes the run's momentum."""

    def build(parameters, value, run, lr):
        settings = momentum_of(run, "momentum")
        return from_module(module, name, **settings)(parameters, value, run, lr)

    return build


def in_a_muon_group(name):
    """Return the builder of one of pytorch_optimizer's Muons, all of whose tensors are matrices."""

    def build(parameters, value, run, lr):
        group = {"params": parameters, "use_muon": True, "weight_decay": value, "lr": lr}
        return from_module(KOZISTR, name)([group], value, run, lr)

    return build


def with_curvature(module, name):
    """Return the builder of an optimizer that is handed the diagonal of the Hessian."""

    def build(parameters, value, run, lr):
        import torch

        optimizer = from_module(module, name)(parameters, value, run, lr)
        step, ones = optimizer.step, [torch.ones_like(each) for each in parameters]
        optimizer.step = lambda: step(hessian=ones)
        return optimizer

    return build


def of_a_model(parameters, value, run, lr):
    """Return pytorch_optimizer's AdamMini on a model of one weight."""
    import torch

    model = torch.nn.Module()
    model.weight = parameters[0]
    return from_module(KOZISTR, "AdamMini")(model, value, run, lr)


def of_a_pair(parameters, value, run, lr):
    """Return pytorch_optimizer's LoRARite on a factor; its partner, which turns it, stays put."""
    import torch

    left = parameters[0]
    fixed = left.detach().T.clone()
    right = torch.nn.Parameter(fixed.clone())
    optimizer = from_module(KOZISTR, "LoRARite")([left, right], value, run, lr)
    whole = optimizer.step

    def step():
        right.grad = torch.zeros_like(right)
        whole()
        right.data.copy_(fixed)

    optimizer.step = step
    return optimizer


def of_one_process(parameters, value, run, lr):
    """Return pytorch_optimizer's DeMo in a group of one process."""
    import torch.distributed as dist

    if not dist.is_initialized():
        dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    return from_module(KOZISTR, "DeMo")(parameters, value, run, lr)


def without_noise(parameters, value, run, lr):
    """Return the third of BSAM's steps, which the noise of the first two does not enter."""
    optimizer = from_module(KOZISTR, "BSAM", num_data=1)(parameters, value, run, lr)

    def step():
        for group in optimizer.param_groups:
            optimizer.init_group(group)
        optimizer.third_step()

    optimizer.step = step
    return optimizer


KOZISTR_CLASSES = {
    "decoupled": ("SGDW", {}),
    "adamp-fixed": ("AdamP", {"fixed_decay": True}),
    "sgdp-fixed": ("SGDP", {"fixed_decay": True}),
    "adan-decoupled": ("Adan", {"weight_decouple": True}),
    "adamax-decoupled": ("AdaMax", {"weight_decouple": True}),
    "adopt-decoupled": ("ADOPT", {"weight_decouple": True}),
    "adadelta": ("AdaDelta", {}),
    "aggmo": ("AggMo", {"betas": (0.0, 0.9, 0.99)}),
    "madgrad": ("MADGRAD", {}),
    "madgrad-decoupled": ("MADGRAD", {"weight_decouple": True}),
    "padam": ("PAdam", {}),
    "qhadam": ("QHAdam", {}),
    "accsgd": ("AccSGD", {}),
    "novograd": ("NovoGrad", {}),
    "lars": ("LARS", {}),
    "apollo": ("APOLLO", {}),
    "focus": ("FOCUS", {}),
    "grokfastadamw": ("GrokFastAdamW", {}),
    "scionlight": ("SCIONLight", {}),
    "yogi": ("Yogi", {"initial_accumulator": 0.0}),
    "radam": ("RAdam", {}),
    "adamwsn": ("AdamWSN", {}),
    "alice": ("Alice", {}),
    "conda": ("Conda", {}),
    "dash": ("DASH", {}),
    "spam": ("SPAM", {}),
    "spectralsphere": ("SpectralSphere", {}),
    "vsgd": ("VSGD", {}),
    "adamc": ("AdamC", {}),
    "adams": ("AdamS", {}),
    "ranger": ("Ranger", {}),
    "adamax": ("AdaMax", {}),
    "schedulefree": ("ScheduleFreeAdamW", {}),
    "scalableshampoo": ("ScalableShampoo", {}),
    "prodigy": ("Prodigy", {}),
    "dadaptadan": ("DAdaptAdan", {}),
    "sara": ("SaRA", {"threshold": 1e9}),
}
KOZISTR_MUONS = ("Muon", "AdaMuon", "AdaGO", "NorMuon")


def kozistr():
    """Return the steppers of pytorch_optimizer."""
    found = {
        key: made(
            KOZISTR,
            from_module(KOZISTR, name, **fixed),
            tolerance=LOOSE if name == "QHAdam" else 1e-12,  # it counts in float32
        )
        for key, (name, fixed) in KOZISTR_CLASSES.items()
    }
    found |= {
        name.lower(): made(KOZISTR, in_a_muon_group(name), tolerance=LOOSE)
        for name in KOZISTR_MUONS
    }
    found |= {
        name.lower(): made(KOZISTR, with_curvature(KOZISTR, name))
        for name in ("AdaHessian", "SophiaH")
    }
    found |= {
        name.lower(): made(KOZISTR, with_momentum(KOZISTR, name), momentum=True)
        for name in ("PID", "QHM", "SGDP")
    }
    found["adammini"] = made(KOZISTR, of_a_model)
    found["lorarite"] = made(KOZISTR, of_a_pair)
    found["demo"] = made(KOZISTR, of_one_process)
    found["bsam"] = made(KOZISTR, without_noise)
    found |= {
        name.lower(): made(KOZISTR, from_module(KOZISTR, name), tolerance=FLOAT32, dtype="float32")
        for name in ("FAdam", "FlashAdamW")
    }
    return {f"pytorch-optimizer-{key}": stepper for key, stepper in found.items()}


def novak():
    """Return the steppers of torch_optimizer."""
    package = "torch-optimizer"
    found = {
        name.lower(): made(package, from_module(NOVAK, name))
        for name in ("AccSGD", "MADGRAD", "QHAdam", "AdaBelief", "DiffGrad", "AdaBound")
    }
    found |= {
        name.lower(): made(package, with_momentum(NOVAK, name), momentum=True)
        for name in ("PID", "QHM", "SGDP")
    }
    return {f"torch-optimizer-{key}": stepper for key, stepper in found.items()}


TIMM = """
    adamwlegacy nadamlegacy radamlegacy adoptc lambcd novogradc rmsproptfc cadafactor cadafactorbv
    cadafactorbvc cadamc cadamp cadan cadanw cadopt cadoptw cadoptc clamb clambw claprop clion
    clionc cmars cnadamw cnadamc csgdw csgdc
""".split()  # noqa: SIM905 - a list of names reads better so
TIMM_LOOSE = {"radamlegacy", "novogradc", "cadafactor", "cadafactorbv", "cadafactorbvc"}


TIMM_PLAIN = {"rmsproptfc"}
"""Those that timm's factory hands its default momentum of .9 to."""


def timm():
    """Return the steppers of timm."""
    return {
        f"timm-{name}": Stepper(
            package="timm",
            make=timm_optimizer(name, **({"momentum": 0.0} if name in TIMM_PLAIN else {})),
            tolerance=LOOSE if name in TIMM_LOOSE else 1e-12,
        )
        for name in TIMM
    }


HEAVYBALL = {
    "nadam-decoupled": ("NAdam", {"decoupled_weight_decay": True}),
    **{
        key: (name, {"precond_init_scale": 0.1})
        for key, name in {
            "psgd-kron": "PSGDKron",
            "psgd-lra": "PSGDLRA",
            "psgd-pro": "PSGDPRO",
            "qsgd": "QSGD",
            "lather": "LATHER",
        }.items()
    },
    **{
        key: (name, {})
        for key, name in {
            "adamw": "AdamW",
            "sgd": "SGD",
            "laprop": "LaProp",
            "ademamix": "AdEMAMix",
            "rmsprop": "RMSprop",
            "muon": "Muon",
            "unscaled-adamw": "UnscaledAdamW",
            "muon-adamw": "MuonAdamW",
            "signlaprop": "SignLaProp",
            "adamc": "AdamC",
            "nadam": "NAdam",
            "laprop-ortho": "LaPropOrtho",
            "ortho-laprop": "OrthoLaProp",
            "muon-laprop": "MuonLaProp",
            "msam-laprop": "MSAMLaProp",
            "soap": "SOAP",
            "soap-nadam": "SOAPNAdam",
            "soap-ademamix": "SOAPAdEMAMix",
            "solp": "SOLP",
            "suds-adamw": "SUDSAdamW",
            "adopt": "ADOPT",
        }.items()
    },
}


def heavyball():
    """Return the steppers of heavyball, where it is installed: it compiles each one anew."""
    if find_spec("heavyball") is None:
        return {}
    return {
        f"heavyball-{key}": made(
            "heavyball",
            from_module("heavyball", name, compile_step=False, **fixed),
            tolerance=FLOAT32,
            dtype="float32",
        )
        for key, (name, fixed) in HEAVYBALL.items()
    }


def thinc_loop(**fixed):
    """Return `make` for thinc's optimizer, spaCy's."""

    def make(value, run, start, lrs):
        from thinc.api import Optimizer

        settings = {"grad_clip": 0.0, "use_averages": False, "eps": run.get("eps", 1e-8), **fixed}
        optimizer = Optimizer(float(lrs[0]), L2=value, **settings)
        weights, schedule = np.array(start, dtype=np.float32), iter(lrs)

        def step(gradient, placed=None):
            nonlocal weights
            if placed is not None:
                weights = np.array(placed, dtype=np.float32)
            optimizer.learn_rate = float(next(schedule))
            weights, _ = optimizer((0, "w"), weights, np.array(gradient, dtype=np.float32))
            return weights.astype(float)

        return step

    return make


def relative_adafactor(parameters, value, _run, _lr):
    """Return transformers' Adafactor, which takes its lr from the step."""
    from transformers.optimization import Adafactor

    return Adafactor(parameters, lr=None, weight_decay=value)


def others():
    """Return the steppers of single packages."""
    lars = from_module("bitsandbytes.optim", "PytorchLARS", momentum=0.9)
    return {
        "bitsandbytes-lars": made("bitsandbytes", lars, tolerance=FLOAT32, dtype="float32"),
        "bitsandbytes-lamb": made(
            "bitsandbytes",
            from_module("bitsandbytes.optim", "LAMB"),
            tolerance=FLOAT32,
            dtype="float32",
        ),
        "hf-adafactor-relative": made("transformers", relative_adafactor),
        "prodigy": made("prodigyopt", from_module("prodigyopt", "Prodigy")),
        "tinygrad-lars": Stepper(
            package="tinygrad", make=tinygrad_loop("LARS", momentum=True), tolerance=FLOAT32
        ),
        "tinygrad-muon": Stepper(package="tinygrad", make=tinygrad_loop("Muon"), tolerance=FLOAT32),
        "mlx-muon": Stepper(package="mlx", make=mlx_loop("Muon"), tolerance=FLOAT32),
        "optax-lars": Stepper(
            package="optax", make=optax_alias("lars", momentum=0.0), tolerance=LOOSE
        ),
        "optax-dog": Stepper(
            package="optax",
            make=optax_loop(lambda optax, value, _, lr: optax.contrib.dog(lr, weight_decay=value)),
            tolerance=LOOSE,
        ),
        "optax-cocob": Stepper(
            package="optax",
            make=optax_loop(
                lambda optax, value, _, lr: optax.contrib.cocob(lr, weight_decay=value)
            ),
            tolerance=LOOSE,
        ),
        "thinc-adam": Stepper(package="thinc", make=thinc_loop(), tolerance=FLOAT32),
        "thinc-adam-l2": Stepper(
            package="thinc", make=thinc_loop(L2_is_weight_decay=False), tolerance=FLOAT32
        ),
    }


COLLECTED = {**kozistr(), **novak(), **timm(), **heavyball(), **others()}

COUPLED = {
    "pytorch-optimizer-coupled": made(
        KOZISTR, from_module(KOZISTR, "AdaBelief", weight_decouple=False)
    ),
    **{
        f"pytorch-optimizer-{name.lower()}": made(KOZISTR, from_module(KOZISTR, name))
        for name in """
            AdaSmooth Adai AdamG Aida ApolloDQN DualAdam ROSE SWATS Shampoo DAdaptAdam
            """.split()  # noqa: SIM905 - a list of names reads better so
    },
    **{
        f"torch-optimizer-{name.lower()}": made("torch-optimizer", from_module(NOVAK, name))
        for name in ("Apollo", "RangerQH", "SWATS", "Shampoo")
    },
    "timm-crmsproptf": Stepper(package="timm", make=timm_optimizer("crmsproptf", momentum=0.0)),
    **(
        {"dadaptation": made(DADAPT, from_module(DADAPT, "DAdaptAdam"))}
        if find_spec(DADAPT)
        else {}
    ),
}
