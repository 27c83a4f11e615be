"""Which tensors decay: the rules that people and frameworks use.

Source: timm/optim/_param_groups.py; transformers/trainer.py, `get_decay_parameter_names`; fastai
Learner `wd_bn_bias`; karpathy/nanoGPT model.py; Megatron-LM core/optimizer; flax examples/imagenet;
mxnet/optimizer (names); lasagne/regularization.py; allenai/OLMo (embeddings exempt); open_clip
main.py; ultralytics engine/trainer.py, build_optimizer; detectron2 solver/build.py (norms alone).
"""

from collections.abc import Callable

from decaycalc.architecture.tensors import Architecture, Role, Tensor
from decaycalc.errors import UndecidableError, UnknownNameError

# Which tensors decay where nobody says it.
DEFAULT_MASK = "no-1d"
MaskRule = Callable[[Tensor], bool]
"""Whether a tensor decays."""


def decayed(architecture: Architecture, *, mask: str | None = None) -> tuple[bool, ...]:
    """Return for each tensor whether it decays; empty for a bare count, which decays whole.

    `mask` is one of `RULES` (all, no-bias, no-1d, no-bias-norm, no-embedding, timm, hf, ...), or a
    framework or one of its conventions, for what it does unasked (`keras`, `pytorch-adamw`); None
    is no-1d.

    Raises:
        UnknownNameError: no such mask.
        UndecidableError: a tensor that the mask treats as names and shapes do not tell.
    """
    name = find_mask(mask)
    rule, listed = RULES[name], _listed(architecture) if name == "timm" else ()
    return tuple(rule(tensor) and tensor.name not in listed for tensor in architecture.tensors)


def _listed(architecture: Architecture) -> frozenset[str]:
    """Return the tensors that the model's own list exempts."""
    if architecture.undecayed is not None:
        return frozenset(architecture.undecayed)
    # Imported here: only networks from files need it.
    from decaycalc.architecture.own_lists import listed_by_timm  # noqa: PLC0415

    return frozenset(listed_by_timm(architecture.tensors))


def notes_on(architecture: Architecture, *, mask: str | None = None) -> tuple[str, ...]:
    """Return the network's notes, and what the mask takes for granted of a network from a file.

    Raises:
        UnknownNameError: no such mask.
        UndecidableError: a tensor that the mask treats as names and shapes do not tell.
    """
    if architecture.undecayed is not None or find_mask(mask) != "timm":
        return architecture.notes
    from decaycalc.architecture import own_lists  # noqa: PLC0415  (as below)

    return (*architecture.notes, *own_lists.notes_on(architecture.tensors))


def find_mask(mask: str | None) -> str:
    """Return the name in `RULES` of a mask, a framework or a convention; None is the default.

    >>> find_mask("no-1d"), find_mask("pytorch-adamw"), find_mask("yolov5")
    ('no-1d', 'all', 'no-bias-norm')

    Raises:
        UnknownNameError: none of these.
    """
    if mask is None:
        return DEFAULT_MASK
    if mask in RULES:
        return mask
    framework = FRAMEWORKS.get(mask) or FRAMEWORKS.get(mask.partition("-")[0])
    if framework is None:
        known = (*RULES, *FRAMEWORKS)
        raise UnknownNameError("decay mask", mask, known, hint=f"(one of {', '.join(RULES)})")
    return framework


def _is_no_bias(tensor: Tensor) -> bool:
    return tensor.role is not Role.BIAS and not tensor.name.endswith(("bias", "beta"))


def _is_no_1d(tensor: Tensor) -> bool:
    return len(tensor.layer_shape) > 1 and not tensor.name.endswith("bias")


def _is_timm(tensor: Tensor) -> bool:
    """Exempt by timm's and Megatron's test: one dimension, or a name that ends in `.bias`.

    What ends so without a separator decays: `gate_up_proj_bias` of experts has two dimensions.
    """
    return len(tensor.layer_shape) > 1 and tensor.leaf != "bias"


def _is_no_bias_norm(tensor: Tensor) -> bool:
    return _is_no_bias(tensor) and tensor.role is not Role.NORM


def _is_open_clip(tensor: Tensor) -> bool:
    spared = any(word in tensor.name for word in ("bn", "ln", "bias", "logit_scale"))
    return len(tensor.layer_shape) > 1 and not spared


def _is_ultralytics(tensor: Tensor) -> bool:
    spared = "bias" in tensor.name or "logit_scale" in tensor.name
    return _is_no_bias_norm(tensor) and not spared


def _is_no_embedding(tensor: Tensor) -> bool:
    table = tensor.role is Role.POSITION and tensor.leaf in {"weight", "embedding", "embeddings"}
    return _is_no_1d(tensor) and tensor.role is not Role.EMBEDDING and not table


def _is_hugging_face(tensor: Tensor) -> bool:
    r"""Exempt the Trainer's names, and every LayerNorm; batch norm's gain decays.

    Its pattern is `bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)` on lower case.
    """
    name = tensor.name.lower()
    if "bias" in name or "layernorm" in name or "rmsnorm" in name:
        return False
    if any(part == "norm" or part.endswith("_norm") for part in name.split(".")):
        return False
    return not (tensor.role is Role.NORM and _is_layer_norm(tensor))


def _is_layer_norm(tensor: Tensor) -> bool:
    """Return whether a norm is a LayerNorm, by its kind.

    Raises:
        UndecidableError: it is not known.
    """
    if not tensor.norm_kind:
        raise UndecidableError(
            f"whether {tensor.name[:80]!r} is a LayerNorm is not known from its name, and the "
            "Trainer decays other norms; choose another --decay-mask or --no-decay REGEX"
        )
    return tensor.norm_kind == "layer"


RULES: dict[str, MaskRule] = {
    "all": lambda _: True,
    "no-bias": _is_no_bias,
    "no-1d": _is_no_1d,
    "no-norm": lambda tensor: tensor.role is not Role.NORM,
    "no-bias-norm": _is_no_bias_norm,
    "no-embedding": _is_no_embedding,
    "timm": _is_timm,
    "hf": _is_hugging_face,
    "matrices": lambda tensor: len(tensor.layer_shape) > 1,
    "olmo": lambda tensor: tensor.role is not Role.EMBEDDING,
    "open-clip": _is_open_clip,
    "ultralytics": _is_ultralytics,
}
# What each framework exempts unasked.
_DECAY_ALL = (
    "pytorch", "keras", "tf", "tfa", "optax", "paddle", "mlx", "tinygrad", "caffe", "matconvnet",
    "torch7", "chainer", "composer", "mmengine", "haiku",
)  # fmt: skip
_EXEMPT_NORMS = ("fastai", "darknet", "yolov5", "lasagne", "theano", "bert")
FRAMEWORKS = {
    **dict.fromkeys(_DECAY_ALL, "all"),
    "big": "no-1d",
    "flax": "matrices",
    "nanogpt": "matrices",
    "megatron": "no-1d",
    **dict.fromkeys(_EXEMPT_NORMS, "no-bias-norm"),
    "sklearn": "no-bias",
    "mxnet": "no-bias",
}
