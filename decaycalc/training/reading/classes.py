"""Optimizer classes by their path or name: the convention, and the class's own defaults.

Every default was read from the constructor of the library named beside it.
"""

from decaycalc.record import Record
from decaycalc.training.reading.optimizers import ADAM, SGD, UNDAMPENED_SGD
from decaycalc.training.reading.settings import by_default
from decaycalc.training.reading.trainer import Optimizer
from decaycalc.training.record import Sourced


class OptimizerClass(Record):
    """One optimizer class: what its weight decay is, and what its constructor defaults to.

    `decoupled` is the convention where a flag of the class (`flag`) turns the decay decoupled.
    """

    convention: str
    library: str
    weight_decay: str = "0"
    lr: str | None = "0.001"
    uses: tuple[str, ...] = ADAM
    flag: str = ""
    decoupled: str = ""

    def optimizer(self, *, decoupled: bool = False) -> Optimizer:
        """Return what the class makes of its number; `decoupled` is the value of its flag."""
        key = self.decoupled if decoupled and self.decoupled else self.convention
        return Optimizer(convention=key, uses=self.uses)

    def default(self, name: str) -> Sourced | None:
        """Return the `weight_decay` or `lr` of its constructor, None where it has none."""
        value = self.weight_decay if name == "weight_decay" else self.lr
        return None if value is None else by_default(name, value, self.library)


_TORCH = "torch 2.13"
_BNB = "bitsandbytes 0.49"
_APEX = "apex 25.09"
_DEEPSPEED = "deepspeed 0.19.8"


def _torch(convention: str, **changes: str | tuple[str, ...] | None) -> OptimizerClass:
    return OptimizerClass(convention=convention, library=_TORCH, **changes)  # type: ignore[arg-type]


def _bnb(convention: str, **changes: str | tuple[str, ...] | None) -> OptimizerClass:
    return OptimizerClass(convention=convention, library=_BNB, **changes)  # type: ignore[arg-type]


_DECOUPLED_FLAG = "decoupled_weight_decay"

# Source: torch/optim/*.py of torch 2.13.0.
_OF_TORCH = {
    "sgd": _torch("pytorch-sgd", uses=SGD),
    "adam": _torch("pytorch-adam", flag=_DECOUPLED_FLAG, decoupled="pytorch-adam-decoupled"),
    "adamw": _torch("pytorch-adamw", weight_decay="0.01"),
    "nadam": _torch("pytorch-nadam", lr="0.002", flag=_DECOUPLED_FLAG,
                    decoupled="pytorch-nadam-decoupled"),
    "radam": _torch("pytorch-radam", flag=_DECOUPLED_FLAG, decoupled="pytorch-radam-decoupled"),
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
    "lion_pytorch.lion": OptimizerClass(
        convention="lion-pytorch", library="lion-pytorch 0.2.3", lr="0.0001",
        uses=("beta1", "beta2"), flag="decoupled_weight_decay", decoupled="lion-pytorch-decoupled",
    ),
    "transformers.adafactor": OptimizerClass(
        convention="hf-adafactor-relative", library="transformers 5.24.0", lr=None, uses=(),
        flag="not relative_step", decoupled="hf-adafactor",
    ),
    "apex.fusedadam": OptimizerClass(convention="apex-fused-adam", library=_APEX),
    "apex.fusedlamb": OptimizerClass(
        convention="apex-fused-lamb", library=_APEX, weight_decay="0.01"
    ),
    "apex.fusedsgd": OptimizerClass(convention="apex-fused-sgd", library=_APEX, lr=None, uses=SGD),
    "apex.fusednovograd": OptimizerClass(convention="apex-fused-novograd", library=_APEX),
    "deepspeed.fusedadam": OptimizerClass(convention="deepspeed-adam", library=_DEEPSPEED),
    "deepspeed.deepspeedcpuadam": OptimizerClass(convention="deepspeed-adam", library=_DEEPSPEED),
    "deepspeed.fusedlion": OptimizerClass(
        convention="deepspeed-lion", library=_DEEPSPEED, uses=("beta1", "beta2")
    ),
    "prodigyopt.prodigy": OptimizerClass(
        convention="prodigy", library="prodigyopt 1.1.2", lr="1.0"
    ),
    "torchao.adamw": OptimizerClass(
        convention="pytorch-adamw", library="torchao 0.14", weight_decay="0.01"
    ),
    "optimi.adamw": OptimizerClass(
        convention="optimi-adamw", library="optimi 0.3", weight_decay="0.01", lr=None,
        flag="decouple_lr", decoupled="optimi-decoupled",
    ),
    "optimi.adam": OptimizerClass(
        convention="optimi-adam", library="optimi 0.3", lr=None,
        flag="decouple_lr", decoupled="optimi-decoupled",
    ),
    "optimi.stableadamw": OptimizerClass(
        convention="optimi-stableadamw", library="optimi 0.3", weight_decay="0.01", lr=None,
        flag="decouple_lr", decoupled="optimi-decoupled",
    ),
    "optimi.sgd": OptimizerClass(
        convention="optimi-sgd", library="optimi 0.3", lr=None, uses=SGD,
        flag="decouple_lr", decoupled="optimi-sgd-decoupled",
    ),
    "optimi.lion": OptimizerClass(
        convention="optimi-lion", library="optimi 0.3", lr=None, uses=("beta1", "beta2"),
        flag="decouple_lr", decoupled="optimi-lion-decoupled",
    ),
}  # fmt: skip
_BY_PREFIX = {
    "schedulefree": ("schedule-free", "schedulefree 1.4.1"),
    "dadaptation": ("dadaptation", "dadaptation 3.2"),
}
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
        key = _PADDLE.get(word)
        decay = "0.01" if word in {"adamw", "lamb"} else "0"
        return key and OptimizerClass(convention=key, library="paddle 3", weight_decay=decay)  # type: ignore[return-value]
    if root in _BY_PREFIX:
        key, version = _BY_PREFIX[root]
        return OptimizerClass(convention=key, library=version, lr=None)
    if root == "torchao":
        word = word.lstrip("_").removesuffix("8bit").removesuffix("4bit").removesuffix("fp8")
    return _OTHERS.get(f"{root}.{word}")
