"""Which tensors a model's own list exempts, told from names: timm's `no_weight_decay`.

A model of timm names tokens, positions and relative biases that must not decay; torchvision's and
transformers' models have no such list. What looks like one of these tensors, in a model of unknown
names, is refused.

Source: timm 1.0.31, `no_weight_decay` of each of its models, and optim/_optim_factory.py.
"""

import re

from decaycalc.architecture.name_words import is_position, is_token
from decaycalc.architecture.tensors import Tensor
from decaycalc.errors import UndecidableError

_LISTED = re.compile(
    r"(?:module\.|_orig_mod\.)*(?:"
    r"(?:embeds\.)?(?:cls|dist|reg)_token(?:_?\d)?$"
    r"|(?:embeds\.|encoder\.|levels\.\d+\.)?pos_embed(?:_[01]|_window)?$"
    r"|(?:patch|pixel)_pos$"
    r"|(?!(?:\w+\.)?encoder\.).*\.attention_biases$|rope\.freqs$"
    r"|(?:blocks|layers|stages|rel_pos_bias)\.(?!.*(?:attention\.self|attn_layer)).*relative_position_"
    r"bias_table$"
    r"|rel_pos_bias\.relative_position_bias_table$"
    r"|layers\..*\.(?:cpb_mlp\..*weight|logit_scale)$"
    r"|stages\..*\.rel_pos\.mlp\..*weight$"
    r"|stages\.\d+\.blocks\.\d+\.attn\.rel_pos_[hw]$"
    r"|pos_block\.\d+\.proj\..*weight$"
    r"|pos_embed\.token_projection\.weight$"
    r"|(?:encoder\.)?patch_embed\.position_embedding_table$"
    r"|patch_embed\.backbone\.pos_embed$"
    r")"
)
# Of models that are known, and list nothing or not these.
_UNLISTED = re.compile(
    r"(?:module\.|_orig_mod\.)*(?:"
    r"class_token$|encoder\.pos_embedding$|features\.\d+\.\d+\.attn\.|.*attn_layer\."  # torchvision
    r"|(?:\w+\.)*embeddings\.|.*attention\.self\.|.*relative_attention_bias\."  # transformers
    r"|(?:\w+\.)?encoder\..*\.attention_biases$"
    r"|(?:\w+\.)*(?:wpe|embed_positions|position_embeddings?|embed_position)\.weight$"
    r"|(?:\w+\.)*class_embedding$|(?:\w+\.)*rel_embeddings\."
    r"|stages\.\d+\.\d+\.|pos_embed[123]$|pos_embed_win$|.*\.pos_emb\."  # the rest is timm's
    r"|blocks\.\d+\.attn\.rel_pos_[hw]$|.*\.(?:height|width)_rel$|.*\.rope\.|.*attn_pool\.latent$"
    r")"
)


def listed_by_timm(tensors: tuple[Tensor, ...]) -> tuple[str, ...]:
    """Return the tensors that the model's own list exempts, as timm would ask it.

    Raises:
        UndecidableError: a tensor that such a list may hold, in a model of unknown names.
    """
    listed = tuple(tensor.name for tensor in tensors if _LISTED.match(tensor.name))
    for tensor in tensors:
        if _may_be_listed(tensor) and not _LISTED.match(tensor.name):
            raise UndecidableError(
                f"the model's own list is not known from names: {tensor.name[:80]!r} may be in it "
                "(timm's no_weight_decay); say it with --decay-mask no-1d and --no-decay REGEX"
            )
    return listed


def _may_be_listed(tensor: Tensor) -> bool:
    """Return whether a tensor is of a kind that lists hold, and of no model that is known."""
    name = tensor.name
    if len(tensor.layer_shape) <= 1 or name.endswith(".bias") or _UNLISTED.match(name):
        return False
    return is_position(name) or is_token(name)
