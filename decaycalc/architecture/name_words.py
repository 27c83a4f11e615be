"""What the words in a tensor's name say of it, whatever framework wrote it.

Source: the parameter names of timm 1.0.31, torchvision 0.28, transformers 4.57.1, peft 0.17
(tuners/lora), diffusers (models/lora.py), Flax and Keras layers, state-spaces/mamba.
"""

import re
from functools import lru_cache

from decaycalc.architecture.tensors import split_name

GAIN_LEAVES = ("gamma", "scale", "g", "gain")
SHIFT_LEAVES = ("bias", "b", "beta", "shift", "offset")
_TOKEN = re.compile(
    r"(?:cls|class|reg|register|dist|distillation|mask|query|latent|prompt|null)_?tokens?(?:_?\d)?"
    r"|class_embedding|cls|latents?|query_embed|(?:pixel|patch)_pos"
)
_POSITION = re.compile(
    r"\w*pos(?:ition(?:al)?)?_?emb\w*|posemb\w*|\w*embed_positions?|wpe|\w*position_bias\w*"
    r"|rel_pos\w*|rel_embeddings|relative_\w+|attention_biases|(?:height|width)_rel|patch_pos"
    r"|pixel_pos|\w*position_embedding\w*|pos_block|cpb_mlp|logit_scale|positions?"
)
_ADAPTER = re.compile(r"lora_(?:embedding_)?(?:a|b|down|up)|lora", re.IGNORECASE)
_SECOND_FACTOR = re.compile(r"lora_(?:embedding_)?(?:b|up)", re.IGNORECASE)
_LN = re.compile(r"ln(?:[_\d].*)?|.*layer_?norm.*|.*layrnorm.*|.*_ln")
_BATCH = re.compile(r"bn(?:[_\d].*)?|.*batch_?norm.*|.*_bn|norm_bn")
_GROUP = re.compile(r"gn(?:[_\d].*)?|.*group_?norm.*")
_RMS = re.compile(r".*rms_?norm.*")


# A tensor's name is asked half a dozen questions in turn; of 100,000 tensors that saves a second.
@lru_cache(maxsize=16)
def parts_of(name: str) -> tuple[str, ...]:
    """Return what stands between the separators of a name, in lower case."""
    return tuple(name.lower().replace("/", ".").removesuffix(":0").split("."))


def is_shift(name: str) -> bool:
    """Return whether the last part of a name is that of a bias or a norm's shift."""
    leaf = parts_of(name)[-1]
    return leaf in SHIFT_LEAVES or leaf.endswith(("bias", "beta"))


def is_token(name: str) -> bool:
    """Return whether a tensor is a learned token: class, register, mask, query."""
    return _TOKEN.fullmatch(parts_of(name)[-1]) is not None


def is_position(name: str) -> bool:
    """Return whether a tensor is a table of positions, absolute or relative."""
    return any(_POSITION.fullmatch(part) for part in parts_of(name)[-3:])


def is_adapter(name: str) -> bool:
    """Return whether a tensor is a factor of a low-rank update (LoRA)."""
    return "lora" in name.lower() and any(_ADAPTER.fullmatch(part) for part in parts_of(name))


def is_second_factor(name: str) -> bool:
    """Return whether a tensor is the factor of a low-rank update that starts at zero."""
    parts = parts_of(name)
    numbered = any(_SECOND_FACTOR.fullmatch(part) for part in parts)
    return numbered or ("lora" in parts and "up" in parts)


def is_state_space(name: str) -> bool:
    """Return whether a tensor is a state-space model's own: A, D, or the step's bias."""
    leaf = split_name(name)[1]
    return leaf in {"A_log", "A_logs", "D", "Ds", "dt_bias"}


def norm_kind(layer: str) -> str:
    """Return layer, batch, group or rms as the name of a normalisation says; else nothing.

    >>> norm_kind("h.0.ln_1"), norm_kind("layer1.0.bn1"), norm_kind("norm")
    ('layer', 'batch', '')
    """
    last = parts_of(layer)[-1]
    for kind, pattern in (("rms", _RMS), ("layer", _LN), ("batch", _BATCH), ("group", _GROUP)):
        if pattern.fullmatch(last):
            return kind
    return ""


def is_norm_name(layer: str) -> bool:
    """Return whether a layer is called a normalisation.

    >>> is_norm_name("blocks.0.norm1"), is_norm_name("norm_head.linear")
    (True, False)
    """
    return bool(norm_kind(layer)) or "norm" in parts_of(layer)[-1]


def is_gain_name(name: str) -> bool:
    """Return whether a name is that of a normalisation's gain, whatever its shape."""
    return parts_of(name)[-1] in GAIN_LEAVES or (is_norm_name(split_name(name)[0]))
