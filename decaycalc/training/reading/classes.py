"""Optimizer classes by their path or name: the convention, and the class's own defaults.

Every default was read from the constructor of the library named beside it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from decaycalc.record import Record
from decaycalc.training.reading.optimizers import ADAM, SGD, UNDAMPENED_SGD, refused
from decaycalc.training.reading.settings import by_default
from decaycalc.training.reading.trainer import Optimizer
from decaycalc.training.record import Sourced


class Mode(Record):
    """What flags of a class's constructor make of its number where all are set so.

    `convention` is None where no record says it, for the `reason`.
    """

    flags: Mapping[str, bool]
    convention: str | None
    reason: str = ""


class OptimizerClass(Record):
    """One optimizer class: what its weight decay is, and what its constructor defaults to.

    Of `modes` the first whose flags are all set so takes the place of `convention`.
    """

    convention: str
    library: str
    weight_decay: str = "0"
    lr: str | None = "0.001"
    uses: tuple[str, ...] = ADAM
    modes: tuple[Mode, ...] = ()

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags of its constructor that decide what the number is."""
        return tuple(dict.fromkeys(name for mode in self.modes for name in mode.flags))

    def optimizer(self, flags: Mapping[str, bool] | None = None) -> Optimizer:
        """Return what the class makes of its number by the flags that are set."""
        given = (flags or {}).items()
        found = next((mode for mode in self.modes if mode.flags.items() <= given), None)
        if found is None:
            return Optimizer(convention=self.convention, uses=self.uses)
        if found.convention is None:
            said = ", ".join(f"{name} {str(value).lower()}" for name, value in found.flags.items())
            return refused(f"{said}: {found.reason}")
        return Optimizer(convention=found.convention, uses=self.uses)

    def default(self, name: str) -> Sourced | None:
        """Return the `weight_decay` or `lr` of its constructor, None where it has none."""
        value = {"weight_decay": self.weight_decay, "lr": self.lr}.get(name)
        return None if value is None else by_default(name, value, self.library)


def _of(library: str, **usual: Any) -> Callable[..., OptimizerClass]:
    """Return what makes the classes of a library; `usual` is what most of them have."""

    def made(convention: str, **changes: Any) -> OptimizerClass:
        return OptimizerClass(convention=convention, library=library, **{**usual, **changes})

    return made


def _when(convention: str, **flags: bool) -> tuple[Mode, ...]:
    """Return what a class is where its flags are set so."""
    return (Mode(flags=flags, convention=convention),)


def _refused(reason: str = "the penalty joins the gradient", **flags: bool) -> tuple[Mode, ...]:
    """Return that a class whose flags are set so is another, of which there is no record."""
    return (Mode(flags=flags, convention=None, reason=reason),)


def _decoupled(convention: str) -> tuple[Mode, ...]:
    """Return what a class is whose flag of torch's name decouples the decay."""
    return _when(convention, decoupled_weight_decay=True)


_torch, _bnb = _of("torch 2.13"), _of("bitsandbytes 0.49")
_apex, _deepspeed = _of("apex 25.09"), _of("deepspeed 0.19.8")
_optimi = _of("optimi 0.3", lr=None, modes=_when("optimi-decoupled", decouple_lr=True))
_flash = _of("flashoptim 0.1.4")
_dadaptation = _of("dadaptation 3.2", lr=None)

# Source: torch/optim/*.py of torch 2.13.0.
_OF_TORCH = {
    "sgd": _torch("pytorch-sgd", uses=SGD),
    "adam": _torch("pytorch-adam", modes=_decoupled("pytorch-adam-decoupled")),
    "adamw": _torch("pytorch-adamw", weight_decay="0.01"),
    "nadam": _torch("pytorch-nadam", lr="0.002", modes=_decoupled("pytorch-nadam-decoupled")),
    "radam": _torch("pytorch-radam", modes=_decoupled("pytorch-radam-decoupled")),
    "adamax": _torch("pytorch-adamax", lr="0.002"),
    "rmsprop": _torch("pytorch-rmsprop", lr="0.01", uses=("eps",)),
    "adagrad": _torch("pytorch-adagrad", lr="0.01", uses=()),
    "adadelta": _torch("pytorch-adadelta", lr="1.0", uses=()),
    "asgd": _torch("pytorch-asgd", lr="0.01", uses=()),
    "adafactor": _torch("pytorch-adafactor", lr="0.01", uses=()),
    "muon": _torch("pytorch-muon", weight_decay="0.1", uses=UNDAMPENED_SGD),
}  # fmt: skip

# Source: bitsandbytes/optim/*.py.
_OF_BITSANDBYTES = {
    "adamw": _bnb("bitsandbytes-adamw", weight_decay="0.01"),
    "adam": _bnb("bitsandbytes-adam"),
    "lion": _bnb("bitsandbytes-lion", lr="0.0001", uses=("beta1", "beta2")),
    "sgd": _bnb("bitsandbytes-sgd", lr=None, uses=SGD),
    "rmsprop": _bnb("bitsandbytes-rmsprop", lr="0.01", uses=()),
    "adagrad": _bnb("bitsandbytes-adagrad", lr="0.01", uses=()),
    "lamb": _bnb("bitsandbytes-lamb"),
    "lars": _bnb("bitsandbytes-lars", lr=None, uses=SGD),
    "ademamix": _bnb("bitsandbytes-ademamix", weight_decay="0.01"),
}
_BNB_ALIASES = {"pagedadamw": "adamw", "pagedadam": "adam", "pagedlion": "lion",
                "pagedademamix": "ademamix"}  # fmt: skip

_OTHERS = {
    "lion_pytorch.lion": _of("lion-pytorch 0.2.3")(
        "lion-pytorch", lr="0.0001", uses=("beta1", "beta2"),
        modes=_decoupled("lion-pytorch-decoupled"),
    ),
    "transformers.adafactor": _of("transformers 5.24.0")(
        "hf-adafactor-relative", lr=None, uses=(),
        modes=_when("hf-adafactor", relative_step=False, scale_parameter=False)
        + _refused("lr is times the weights' RMS but for scale_parameter false",
                   relative_step=False),
    ),
    "transformers.adamw": _of("transformers 4.40.2")(
        "hf-adamw-legacy", uses=("beta1", "beta2")
    ),
    "apex.fusedadam": _apex("apex-fused-adam", modes=_refused(adam_w_mode=False)),
    "apex.fusedlamb": _apex("apex-fused-lamb", weight_decay="0.01"),
    "apex.fusedsgd": _apex("apex-fused-sgd", lr=None, uses=SGD),
    "apex.fusednovograd": _apex("apex-fused-novograd"),
    "deepspeed.fusedadam": _deepspeed("deepspeed-adam", modes=_refused(adam_w_mode=False)),
    "deepspeed.deepspeedcpuadam": _deepspeed("deepspeed-adam",
                                                modes=_refused(adamw_mode=False)),
    "deepspeed.fusedlion": _deepspeed("deepspeed-lion", uses=("beta1", "beta2")),
    # TransformerEngine's is apex's with the same update: adam_w_mode is true by default.
    "transformer_engine.fusedadam": _of("TransformerEngine 04912bf0")(
        "apex-fused-adam", modes=_refused(adam_w_mode=False)
    ),
    "flashoptim.flashadamw": _flash("flashoptim-adamw", weight_decay="0.01",
                                    modes=_when("flashoptim-adamw-decouple-lr", decouple_lr=True)),
    "prodigyopt.prodigy": _of("prodigyopt 1.1.2")(
        "prodigy", lr="1.0", modes=_refused(decouple=False)
    ),
    "torchao.adamw": _of("torchao 0.14")("pytorch-adamw", weight_decay="0.01"),
    "optimi.adamw": _optimi("optimi-adamw", weight_decay="0.01"),
    "optimi.adam": _optimi("optimi-adam", modes=_when("optimi-decoupled", decouple_lr=True)
                           + _when("optimi-adamw", decouple_wd=True)),
    "optimi.stableadamw": _optimi("optimi-stableadamw", weight_decay="0.01"),
    "optimi.sgd": _optimi("optimi-sgd", uses=SGD,
                          modes=_when("optimi-sgd-decoupled", decouple_lr=True)
                          + _refused("SGD's decay is decoupled", decouple_wd=True)),
    "optimi.lion": _optimi(
        "optimi-lion", uses=("beta1", "beta2"),
        modes=_when("optimi-lion-decoupled", decouple_lr=True),
    ),
}  # fmt: skip
# Source: dadaptation/dadapt_*.py (dadaptation 3.2).
_OTHERS |= {
    "dadaptation.dadaptadam": _dadaptation(
        "dadaptation", modes=_when("dadaptation-decoupled", decouple=True)
    ),
    "dadaptation.dadaptadan": _dadaptation("dadaptation-decoupled", weight_decay="0.02"),
    "dadaptation.dadaptadanip": _dadaptation("dadaptation-decoupled", weight_decay="0.02"),
    "dadaptation.dadaptlion": _dadaptation("dadaptation-decoupled", uses=("beta1", "beta2")),
}
_BY_PREFIX = {
    "schedulefree": ("schedule-free", "schedulefree 1.4.1"),
    "dadaptation": ("dadaptation", "dadaptation 3.2"),
}
# Source: optax 0.2.8 _src/alias.py; a chain by the links that decay and step.
_of_optax = _of("optax 0.2.8", lr=None, uses=())
_OPTAX = {
    "adamw": _of_optax("optax-adamw", weight_decay="0.0001"),
    "nadamw": _of_optax("optax-nadamw", weight_decay="0.0001"),
    "adamaxw": _of_optax("optax-adamaxw", weight_decay="0.0001"),
    "lion": _of_optax("optax-lion", weight_decay="0.001"),
    "lamb": _of_optax("optax-lamb"),
    "lars": _of_optax("optax-lars"),
    "novograd": _of_optax("optax-novograd"),
    "adan": _of_optax("optax-adan"),
    "adam": _of_optax("optax-adam-l2"),
    "sgd": _of_optax("optax-sgd", uses=UNDAMPENED_SGD),
    "chain(add_decayed_weights, adam)": _of_optax("optax-adam-l2"),
    "chain(add_decayed_weights, sgd)": _of_optax("optax-sgd", uses=UNDAMPENED_SGD),
    "chain(sgd, add_decayed_weights)": _of_optax("optax-decay-after-sgd"),
    "chain(scale_by_adam, scale_by_learning_rate)": _of_optax("optax-adam-l2"),
    "chain(add_decayed_weights, scale_by_adam, scale_by_learning_rate)": _of_optax("optax-adam-l2"),
    "chain(scale_by_adam, add_decayed_weights, scale_by_learning_rate)": _of_optax("optax-adamw"),
    "chain(scale_by_lion, add_decayed_weights, scale_by_learning_rate)": _of_optax("optax-lion"),
    "chain(trace, scale_by_learning_rate)": _of_optax("optax-sgd", uses=UNDAMPENED_SGD),
    "chain(add_decayed_weights, trace, scale_by_learning_rate)": _of_optax(
        "optax-sgd", uses=UNDAMPENED_SGD
    ),
    "chain(trace, add_decayed_weights, scale_by_learning_rate)": _of_optax(
        "optax-sgdw", uses=UNDAMPENED_SGD
    ),
}
# Every flag that decides what some class's number is.
FLAGS = tuple(dict.fromkeys(
    name for table in (_OF_TORCH, _OTHERS) for found in table.values() for name in found.flags
))  # fmt: skip
_PADDLE = {
    "sgd": "paddle-sgd", "momentum": "paddle-momentum", "adam": "paddle-adam",
    "adamw": "paddle-adamw", "adamax": "paddle-adamax", "adagrad": "paddle-adagrad",
    "adadelta": "paddle-adadelta", "rmsprop": "paddle-rmsprop", "nadam": "paddle-nadam",
    "radam": "paddle-radam", "lamb": "paddle-lamb", "asgd": "paddle-asgd",
}  # fmt: skip


def find_class(path: str, *, library: str = "torch") -> OptimizerClass | None:
    """Return the optimizer class of a dotted path or bare name; None where it is not known.

    The path's own library decides, `library` for a bare name (torch, bitsandbytes, paddle).

    >>> find_class("torch.optim.AdamW").weight_decay
    '0.01'
    >>> find_class("bitsandbytes.optim.PagedAdamW8bit").convention
    'bitsandbytes-adamw'
    """
    head, _, name = path.strip().rpartition(".")
    root = head.partition(".")[0].lower() or library
    word = name.lower()
    if root == "torch":
        return _OF_TORCH.get(word)
    if root in {"bitsandbytes", "bnb"}:
        bare = word.removesuffix("8bit").removesuffix("32bit").removesuffix("4bit")
        return _OF_BITSANDBYTES.get(_BNB_ALIASES.get(bare, bare))
    if root == "paddle":
        decay = "0.01" if word in {"adamw", "lamb"} else "0"
        return _of("paddle 3")(_PADDLE[word], weight_decay=decay) if word in _PADDLE else None
    if root == "optax":
        return _OPTAX.get(word)
    known = _OTHERS.get(f"{root}.{word}")
    if known is None and root in _BY_PREFIX:
        key, version = _BY_PREFIX[root]
        return _of(version)(key, lr=None)
    if root == "torchao":
        word = word.lstrip("_").removesuffix("8bit").removesuffix("4bit").removesuffix("fp8")
    return _OTHERS.get(f"{root}.{word}")
