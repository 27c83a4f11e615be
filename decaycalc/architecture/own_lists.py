"""Which tensors a model's own list exempts, told from names: timm's `no_weight_decay`.

A model of timm names tokens, positions and relative biases that must not decay; torchvision's and
transformers' models have no such list. What looks like one of these tensors, in a model of unknown
names, is refused: SAM's, SAM 2's, detectron2's and Swin's own code call them as timm does, and list
nothing or other names. While they are trained, DINO's, iBOT's and BEiT's own vision transformers
hold a tensor that tells them (`OWN`); without it they differ from timm's in no name, and `notes_on`
says what is taken for granted.

Source: timm 1.0.31, `no_weight_decay` of each of its models, and optim/_optim_factory.py;
facebookresearch/sam2 modeling/backbones/hieradet.py, segment-anything modeling/image_encoder.py,
detectron2 modeling/backbone/{vit,swin,mvit}.py, microsoft/Swin-Transformer models/;
facebookresearch/dino vision_transformer.py and bytedance/ibot models/vision_transformer.py, which
have no list; microsoft/unilm beit/modeling_pretrain.py.
"""

import re
from dataclasses import dataclass

from decaycalc.architecture.name_words import is_position, is_token, parts_of
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
# What modules are called in the models of timm that list something, without digits.
_MODULES = re.compile(
    r"_orig_mod|aggregate|attn|attn_block|attn_downsample|attn_grid|attn_in|attn_out|"
    r"attn_out_proj|attn_pool|attns|aux_head|backbone|blocks|blocks_token_only|bn|"
    r"cls_attn_blocks|conv|conv_block|conv_dw|conv_kxk|conv_list|conv_pw|conv_x|"
    r"cpb_mlp|cpe|crpe|down|down_proj|downsample|dw|dws|embeds|encoder|expand|"
    r"factoratt_crpe|fc|fc_g|fc_norm|fc_x|ffn|ffns|fusion|gate_proj|global_block|"
    r"head|head_dist|in_norm|in_proj|input_proj|k|k_norm|k_proj|kv|layer|layers|"
    r"levels|linear|ln|local|local_conv|local_mp|ls|m|merger|mid|mixer|mlp|mlp_in|"
    r"mlp_out_proj|module|neck|network|norm|norm_in|norm_k|norm_mlp|norm_mlp_in|"
    r"norm_out|norm_pre|norm_proj|norm_q|norm_v|o_proj|out_proj|parallel_blocks|"
    r"patch_embed|patch_embeds|patchmerge|pixel_embed|pool|pool_k|pool_q|pool_v|"
    r"pos_block|pos_embed|pos_proj|post_network|pre_logits|pre_norm|proj|proj_l|"
    r"proj_w|projs|pw|q|q_norm|q_proj|qk|qkv|qkvs|reduction|rel_pos|rel_pos_bias|"
    r"res|revert_projs|rope|se|se_early|serial_blocks|shortcut|shortcut_proj_attn|"
    r"shortcut_proj_mlp|sr|stages|stem|stride_conv|sub_norm|talking_head|token_mixer|"
    r"token_projection|transformer_encoder|transformers|up_proj|v|v_local|v_proj|w|wk|"
    r"wq|wv"
)
# Modules of these names that stand where none of timm's does: SAM 2's perceptrons, and the
# downsampling at the end of a stage, as Swin's own code and timm's first releases have it.
_MISPLACED = re.compile(r"(?:.*\.)?(?:blocks\.\d+\.mlp\.layers|layers\.0\.downsample)\.")
# No vision transformer of timm with a table of positions ends without a norm, a neck or a head.
_HEADLESS = frozenset({"blocks", "patch_embed", "pos_embed"})
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnModel:
    """A model that names like timm's belong to as well: what tells it, and what it lists.

    All of `signs` must stand among the names, behind what wraps a model.
    """

    title: str
    signs: tuple[str, ...]
    listed: tuple[str, ...] = ()


OWN = (
    OwnModel(title="iBOT's own vision transformer", signs=("masked_embed",)),
    OwnModel(
        title="DINO's own vision transformer", signs=("cls_token", "head.last_layer.weight_v")
    ),
    OwnModel(
        title="BEiT's own vision transformer for masked pictures",
        signs=("cls_token", "patch_embed.proj.weight", "mask_token", "lm_head.weight"),
        listed=("pos_embed", "cls_token"),
    ),
)
_WRAPPED = re.compile(r"(?:module\.|_orig_mod\.|backbone\.)+")


def _bare(name: str) -> str:
    """Return a name without what wraps a model, as torch names weight norms in every release."""
    dotted = _WRAPPED.sub("", name.replace("/", "."), count=1)
    return dotted.replace("parametrizations.weight.original1", "weight_v")


def find_own(tensors: tuple[Tensor, ...]) -> OwnModel | None:
    """Return the model of `OWN` that tensors belong to; None if they belong to none."""
    names = {_bare(tensor.name) for tensor in tensors}
    return next((own for own in OWN if names.issuperset(own.signs)), None)


def listed_by_timm(tensors: tuple[Tensor, ...]) -> tuple[str, ...]:
    """Return the tensors that the model's own list exempts, as timm would ask it.

    Raises:
        UndecidableError: a tensor that such a list may hold, in a model of unknown names.
    """
    own = find_own(tensors)
    if own is not None:
        return tuple(each.name for each in tensors if _bare(each.name) in own.listed)
    names = {tensor.name: tensor.name.replace("/", ".") for tensor in tensors}
    listed = tuple(name for name, dotted in names.items() if _LISTED.match(dotted))
    for tensor in tensors:
        dotted = names[tensor.name]
        if _may_be_listed(tensor, dotted) and not _LISTED.match(dotted):
            raise _unknown_list(tensor.name)
    if listed:
        foreign = next((name for name, dotted in names.items() if _is_foreign(dotted)), None)
        if foreign is not None:
            raise _unknown_list(listed[0], f", for {foreign[:80]!r} is no name of timm's")
        if "pos_embed" in listed and {parts_of(name)[0] for name in names} <= _HEADLESS:
            raise _unknown_list("pos_embed", ", for timm's models do not end with their blocks")
    return listed


def _unknown_list(name: str, why: str = "") -> UndecidableError:
    return UndecidableError(
        f"the model's own list is not known from names: {name[:80]!r} may be in it (timm's "
        f"no_weight_decay){why}; say it with --decay-mask no-1d and --no-decay REGEX"
    )


def _is_foreign(name: str) -> bool:
    """Return whether a name is none of a model of timm's that lists something."""
    modules = (_DIGITS.sub("", part) for part in parts_of(name)[:-1])
    return any(word and not _MODULES.fullmatch(word) for word in modules) or bool(
        _MISPLACED.match(name)
    )


def notes_on(tensors: tuple[Tensor, ...]) -> tuple[str, ...]:
    """Return what is taken for granted of a file's tensors that a model's own list may exempt.

    Raises:
        UndecidableError: a tensor that such a list may hold, in a model of unknown names.
    """
    listed, own = listed_by_timm(tensors), find_own(tensors)
    if own is not None:
        said = f"exempts {' and '.join(own.listed)}" if own.listed else "exempts nothing"
        return (f"read as {own.title}, told by {own.signs[-1]}: its own list {said}",)
    return (_note_on(listed),) if listed else ()


def _note_on(listed: tuple[str, ...]) -> str:
    some = ", ".join(name[:60] for name in listed[:2]) + ", ..." * (len(listed) > 2)  # noqa: PLR2004
    return (
        f"read as a model of timm, whose own list (no_weight_decay) exempts {some}; a class of the "
        "same names with another list or none decays them (DINO's own code, BEiT's): say that with "
        "--decay-mask no-1d and --no-decay REGEX"
    )


def _may_be_listed(tensor: Tensor, name: str) -> bool:
    """Return whether a tensor is of a kind that lists hold, and of no model that is known."""
    if len(tensor.layer_shape) <= 1 or name.endswith(".bias") or _UNLISTED.match(name):
        return False
    return is_position(name) or is_token(name)
