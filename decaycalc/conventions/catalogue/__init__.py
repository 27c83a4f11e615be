"""The conventions as data, one module a family, and `find` by key or alias.

A family is imported when one of its conventions is asked for: the first word of a key, or its first
two, name it in `_FAMILY_OF`. What stands nowhere there is looked up in all families, so a new
record needs no entry.
"""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import chain

from decaycalc.conventions.record import Convention
from decaycalc.errors import UnknownNameError

FAMILIES = (
    "objectives",
    "pytorch",
    "keras",
    "jax",
    "statistics",
    "ecosystem",
    "timm",
    "pytorch_optimizer",
    "collections",
    "others",
    "languages",
    "classics",
    "papers",
)

_WITH_COMMON = (
    "objectives", "pytorch", "keras", "jax", "statistics", "ecosystem", "classics", "papers",
)  # fmt: skip

_FAMILY_OF = {
    "mean": "objectives",
    "sum": "objectives",
    "batch": "objectives",
    "layer": "objectives",
    "l2": "objectives",
    "pytorch": "pytorch",
    "torch": "pytorch",
    "keras": "keras",
    "tf": "keras",
    "tfa": "keras",
    "sonnet": "keras",
    "tflearn": "keras",
    "optax": "jax",
    "big": "jax",
    "flax": "jax",
    "haiku": "jax",
    "trax": "jax",
    "t5x": "jax",
    "praxis": "jax",
    "maxtext": "jax",
    "sklearn": "statistics",
    "statsmodels": "statistics",
    "glmnet": "statistics",
    "spark": "statistics",
    "liblinear": "statistics",
    "libsvm": "statistics",
    "vw": "statistics",
    "xgboost": "statistics",
    "lightgbm": "statistics",
    "catboost": "statistics",
    "surprise": "statistics",
    "libfm": "statistics",
    "implicit": "statistics",
    "hf": "ecosystem",
    "fastai": "ecosystem",
    "composer": "ecosystem",
    "bert": "ecosystem",
    "lion": "ecosystem",
    "google": "ecosystem",
    "bitsandbytes": "ecosystem",
    "llm": "ecosystem",
    "optimi": "ecosystem",
    "fairseq": "ecosystem",
    "apex": "ecosystem",
    "deepspeed": "ecosystem",
    "megatron": "ecosystem",
    "nanogpt": "ecosystem",
    "modded": "ecosystem",
    "muon": "ecosystem",
    "dion": "ecosystem",
    "mmengine": "ecosystem",
    "yolov5": "ecosystem",
    "detectron2": "ecosystem",
    "torchvision": "ecosystem",
    "open": "ecosystem",
    "schedule": "ecosystem",
    "prodigy": "ecosystem",
    "dadaptation": "ecosystem",
    "adan": "ecosystem",
    "colossalai": "ecosystem",
    "torchtitan": "ecosystem",
    "thinc": "ecosystem",
    "ultralytics": "ecosystem",
    "timm": "timm",
    "pytorch-optimizer": "pytorch_optimizer",
    "torch-optimizer": "collections",
    "heavyball": "collections",
    "paddle": "others",
    "mxnet": "others",
    "mlx": "others",
    "tinygrad": "others",
    "chainer": "others",
    "flux": "others",
    "dl4j": "others",
    "burn": "languages",
    "candle": "languages",
    "dfdx": "languages",
    "tch": "languages",
    "torchsharp": "languages",
    "mindspore": "languages",
    "oneflow": "languages",
    "jittor": "languages",
    "tfjs": "languages",
    "marian": "languages",
    "caffe": "classics",
    "darknet": "classics",
    "cuda": "classics",
    "matconvnet": "classics",
    "torch7": "classics",
    "theano": "classics",
    "lasagne": "classics",
    "convnetjs": "classics",
    "matlab": "classics",
    "dynet": "classics",
    "neon": "classics",
    "pylearn2": "classics",
    "kaldi": "classics",
    "h2o": "classics",
    "adamw": "papers",
    "ema": "papers",
    "sgdw": "papers",
    "intrinsic": "papers",
    "half": "papers",
    "prior": "papers",
    "gal": "papers",
}


@cache
def family(name: str) -> tuple[Convention, ...]:
    """Return the conventions of one family module, in their own order."""
    conventions: tuple[Convention, ...] = import_module(f"{__name__}.{name}").CONVENTIONS
    return conventions


@cache
def conventions() -> tuple[Convention, ...]:
    """Return every convention, family by family."""
    return tuple(convention for name in FAMILIES for convention in family(name))


@cache
def common() -> tuple[Convention, ...]:
    """Return the conventions that are shown unasked, from the families that have one."""
    return tuple(record for name in _WITH_COMMON for record in family(name) if record.common)


def _lazily() -> Iterator[Convention]:
    """Yield every convention, importing a family only when those before it are used up."""
    for name in FAMILIES:
        yield from family(name)


def _hint(name: str) -> str | None:
    """Return the family that probably holds a convention of that name."""
    words = name.split("-")
    return _FAMILY_OF.get("-".join(words[:2])) or _FAMILY_OF.get(words[0])


def find(name: str, *, extra: tuple[Convention, ...] = ()) -> Convention:
    """Return the convention of that key or alias; `extra` ones come before the catalogue's.

    Case does not matter, an underscore counts as a hyphen.

    Raises:
        UnknownNameError: no convention is called so; the error suggests the nearest names.
    """
    wanted = name.strip().lower().replace("_", "-")
    hint = _hint(wanted)
    for convention in chain(extra, family(hint) if hint else (), _lazily()):
        if wanted == convention.key or wanted in convention.aliases:
            return convention
    known = [known for c in (*extra, *conventions()) for known in (c.key, *c.aliases)]
    # An optimizer's bare name means a framework's own; the most used of them come first.
    likely = [
        convention.key for convention in conventions() if convention.key.endswith(f"-{wanted}")
    ]
    raise UnknownNameError(
        "convention", name, known, hint="('decaycalc conventions' lists them)", likely=likely
    )
