"""CLIP, SigLIP 1 and 2, DINOv2, DINOv3, BEiT: vision transformers, some with a text tower.

Source: transformers/models/{clip,siglip,siglip2,idefics3,dinov2,dinov2_with_registers,dinov3_vit,
beit}/modeling_*.py (v4.57.1) for rules and names. How CLIP and SigLIP start depends on depth in
ways not told here.
"""

from collections.abc import Callable

from decaycalc.architecture.build import Builder, Start, unknown, zero
from decaycalc.architecture.hub.encoders import KEY_VALUE_QUERY_OUT, QUERY_KEY_VALUE, begin, start
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.images import image_head
from decaycalc.architecture.tensors import Architecture, Role
from decaycalc.record import replace

CLIP_HEADS = ("Model", "ForImageClassification")
TOWER_HEADS = ("Model", "ModelWithProjection")
DINO_HEADS = ("ForImageClassification", "Model")
UNTOLD = Start(
    conv=unknown, conv_bias=zero, linear=unknown, linear_bias=zero, embedding=unknown, norm="layer"
)


def clip(fields: Fields, head: str) -> Architecture:
    """Return CLIP: both towers and their projections into one space, or a classifier of images."""
    part = Builder(UNTOLD)
    text, vision = fields.part("text_config"), fields.part("vision_config")
    if head != "Model":
        width = _clip_vision(part, vision)
        return part.done(fields.path, classes=image_head(part, fields, head, width))
    shared = fields.size("projection_dim", 512)
    part.add("logit_scale", role=Role.OTHER, mean=fields.number("logit_scale_init_value", 2.6592))
    text_width = _clip_text(part, text)
    vision_width = _clip_vision(part, vision)
    part.linear("visual_projection", vision_width, shared, bias=False)
    part.linear("text_projection", text_width, shared, bias=False)
    return part.done(fields.path, classes=None)


def clip_text(fields: Fields, head: str) -> Architecture:
    """Return CLIP's text tower alone, maybe with its projection."""
    return _alone(fields, head, _clip_text, "text_projection")


def clip_vision(fields: Fields, head: str) -> Architecture:
    """Return CLIP's vision tower alone, maybe with its projection."""
    return _alone(fields, head, _clip_vision, "visual_projection")


def _alone(
    fields: Fields, head: str, add_tower: Callable[[Builder, Fields], int], projection: str
) -> Architecture:
    part = Builder(UNTOLD)
    width = add_tower(part, fields)
    if head != "Model":
        part.linear(projection, width, fields.size("projection_dim", 512), bias=False)
    return part.done(fields.path, classes=None)


def text_tower(
    part: Builder, fields: Fields, usual: tuple[int, int, int, int],
    add_layer: Callable[[Builder, str, int, int], None],
) -> int:  # fmt: skip
    """Add a text tower of these layers, return its width.

    `usual` are width, hidden width, vocabulary and positions where the configuration is silent.
    """
    width, hidden = fields.size("hidden_size", usual[0]), fields.size("intermediate_size", usual[1])
    table, vocabulary = "text_model.embeddings", fields.size("vocab_size", usual[2])
    part.embedding(f"{table}.token_embedding", vocabulary, width)
    positions = fields.size("max_position_embeddings", usual[3])
    part.positions(f"{table}.position_embedding", positions, width)
    for index in range(fields.size("num_hidden_layers", 12)):
        add_layer(part, f"text_model.encoder.layers.{index}", width, hidden)
    part.norm("text_model.final_layer_norm", width)
    return width


def _clip_text(part: Builder, fields: Fields) -> int:
    return text_tower(part, fields, (512, 2048, 49408, 77), clip_layer)


def _clip_vision(part: Builder, fields: Fields) -> int:
    return vision_tower(part, fields)


def vision_tower(
    part: Builder,
    fields: Fields,
    *,
    patch: int = 32,
    image: int = 224,
    first: str = "pre_layrnorm",
) -> int:
    """Add CLIP's vision tower, whose `first` norm its class misspells; return its width."""
    width, hidden = fields.size("hidden_size", 768), fields.size("intermediate_size", 3072)
    (patch, places), table = fields.patches(patch=patch, image=image), "vision_model.embeddings"
    channels = fields.size("num_channels", 3)
    part.add(f"{table}.class_embedding", width, role=Role.OTHER, variance=None)
    part.conv(f"{table}.patch_embedding", channels, width, patch, bias=False)
    part.positions(f"{table}.position_embedding", places + 1, width)
    part.norm(f"vision_model.{first}", width)
    for index in range(fields.size("num_hidden_layers", 12)):
        clip_layer(part, f"vision_model.encoder.layers.{index}", width, hidden)
    part.norm("vision_model.post_layernorm", width)
    return width


def clip_layer(part: Builder, name: str, width: int, hidden: int) -> None:
    """Add one of CLIP's layers."""
    part.linears(f"{name}.self_attn", KEY_VALUE_QUERY_OUT, width, width)
    part.norm(f"{name}.layer_norm1", width)
    part.feed_forward(f"{name}.mlp", ("fc1", "fc2"), width, hidden)
    part.norm(f"{name}.layer_norm2", width)


def siglip(fields: Fields, head: str) -> Architecture:
    """Return SigLIP: both towers, the vision tower's pooled by attention; or a classifier."""
    part, vision = Builder(UNTOLD), fields.part("vision_config")
    if head != "Model":
        _siglip_vision(part, vision)
        width = vision.size("hidden_size", 768)
        return part.done(fields.path, classes=image_head(part, fields, head, width))
    _siglip_text(part, fields.part("text_config"))
    _siglip_vision(part, vision)
    return part.done(fields.path, classes=None)


def siglip2(fields: Fields, _head: str) -> Architecture:
    """Return SigLIP 2 of any resolution, whose patches come flat."""
    part = Builder(UNTOLD)
    _siglip_text(part, fields.part("text_config"))
    part.include("", siglip2_vision(fields.part("vision_config"), "Model"))
    return part.done(fields.path, classes=None)


def siglip2_vision(vision: Fields, _head: str) -> Architecture:
    """Return SigLIP 2's vision tower alone."""
    part, name = Builder(UNTOLD), "vision_model"
    width, patch = vision.size("hidden_size", 768), vision.size("patch_size", 16)
    n_in = vision.size("num_channels", 3) * patch**2
    part.linear(f"{name}.embeddings.patch_embedding", n_in, width)
    part.positions(f"{name}.embeddings.position_embedding", vision.size("num_patches", 256), width)
    _siglip_body(part, name, vision)
    return part.done(vision.path, classes=None)


def idefics_vision(fields: Fields, _head: str) -> Architecture:
    """Return the tower that Idefics 3 and SmolVLM see by."""
    part = Builder(UNTOLD)
    width, hidden = fields.size("hidden_size", 1152), fields.size("intermediate_size", 3072)
    patch, places = fields.patches(patch=32)
    part.conv("embeddings.patch_embedding", fields.size("num_channels", 3), width, patch)
    part.positions("embeddings.position_embedding", places, width)
    for index in range(fields.size("num_hidden_layers", 12)):
        clip_layer(part, f"encoder.layers.{index}", width, hidden)
    part.norm("post_layernorm", width)
    return part.done(fields.path, classes=None)


def siglip_vision(fields: Fields, _head: str) -> Architecture:
    """Return SigLIP's vision tower alone."""
    part = Builder(UNTOLD)
    _siglip_vision(part, fields)
    return part.done(fields.path, classes=None)


def _siglip_text(part: Builder, fields: Fields) -> None:
    """Add what compares the towers, and the text tower."""
    part.add("logit_scale", 1, role=Role.OTHER, variance=None)
    part.add("logit_bias", 1, role=Role.BIAS, variance=None)
    width = text_tower(part, fields, (768, 3072, 32000, 64), _siglip_layer)
    part.linear("text_model.head", width, fields.size("projection_size", width))


def _siglip_vision(part: Builder, fields: Fields) -> None:
    width = fields.size("hidden_size", 768)
    (patch, places), table = fields.patches(patch=16), "vision_model.embeddings"
    part.conv(f"{table}.patch_embedding", fields.size("num_channels", 3), width, patch)
    part.positions(f"{table}.position_embedding", places, width)
    _siglip_body(part, "vision_model", fields)


def _siglip_body(part: Builder, name: str, fields: Fields) -> None:
    """Add the layers above the patches, and the pooling by attention if there is one."""
    width, hidden = fields.size("hidden_size", 768), fields.size("intermediate_size", 3072)
    for index in range(fields.size("num_hidden_layers", 12)):
        _siglip_layer(part, f"{name}.encoder.layers.{index}", width, hidden)
    part.norm(f"{name}.post_layernorm", width)
    if not fields.flag("vision_use_head", default=True):
        return
    pool, fans = f"{name}.head", (width, 3 * width)
    part.add(f"{pool}.probe", 1, 1, width, role=Role.OTHER, variance=None)
    part.add(f"{pool}.attention.in_proj_weight", 3 * width, width, fans=fans, variance=None)
    part.add(f"{pool}.attention.in_proj_bias", 3 * width, role=Role.BIAS, fans=fans)
    part.linear(f"{pool}.attention.out_proj", width, width)
    part.norm(f"{pool}.layernorm", width)
    part.feed_forward(f"{pool}.mlp", ("fc1", "fc2"), width, hidden)


def _siglip_layer(part: Builder, name: str, width: int, hidden: int) -> None:
    part.norm(f"{name}.layer_norm1", width)
    part.linears(f"{name}.self_attn", KEY_VALUE_QUERY_OUT, width, width)
    part.norm(f"{name}.layer_norm2", width)
    part.feed_forward(f"{name}.mlp", ("fc1", "fc2"), width, hidden)


def dinov2(fields: Fields, head: str) -> Architecture:
    """Return DINOv2, with register tokens where the model type says so."""
    registers = fields.text("model_type", "") == "dinov2_with_registers"
    kind = "dinov2_with_registers" if registers else "dinov2"
    part = Builder(_untold_tables(fields))
    prefix = "" if head == "Model" else f"{kind}."
    width = fields.size("hidden_size", 768)
    patch, places = fields.patches(patch=16 if registers else 14)
    table = f"{prefix}embeddings"
    part.add(f"{table}.cls_token", 1, 1, width, role=Role.OTHER, variance=None)
    if registers or fields.flag("use_mask_token", default=True):
        part.add(f"{table}.mask_token", 1, width, role=Role.OTHER)
    if registers:
        tokens = fields.size("num_register_tokens", 4, least=0)
        part.add(f"{table}.register_tokens", 1, tokens, width, role=Role.OTHER, variance=None)
    label = f"{table}.position_embeddings"
    part.add(label, 1, places + 1, width, role=Role.POSITION, variance=None)
    channels = fields.size("num_channels", 3)
    part.conv(f"{table}.patch_embeddings.projection", channels, width, patch)
    for index in range(fields.size("num_hidden_layers", 12)):
        _dinov2_layer(part, f"{prefix}encoder.layer.{index}", fields, width)
    part.norm(f"{prefix}layernorm", width)
    return part.done(fields.path, classes=image_head(part, fields, head, 2 * width))


def _untold_tables(fields: Fields) -> Start:
    """Return the usual start, but for what truncated normals give."""
    usual = start(fields)
    return replace(UNTOLD, embedding=usual.embedding)


def _dinov2_layer(part: Builder, name: str, fields: Fields, width: int) -> None:
    bias, scale = fields.flag("qkv_bias", default=True), fields.number("layerscale_value", 1.0)
    part.norm(f"{name}.norm1", width)
    part.linears(f"{name}.attention.attention", QUERY_KEY_VALUE, width, width, bias=bias)
    part.linear(f"{name}.attention.output.dense", width, width)
    part.add(f"{name}.layer_scale1.lambda1", width, role=Role.OTHER, mean=scale)
    part.norm(f"{name}.norm2", width)
    hidden = fields.size("mlp_ratio", 4) * width
    if fields.flag("use_swiglu_ffn", default=False):
        # Two thirds, rounded up to a multiple of eight, as in LLaMA.
        narrow = (hidden * 2 // 3 + 7) // 8 * 8
        part.linear(f"{name}.mlp.weights_in", width, 2 * narrow)
        part.linear(f"{name}.mlp.weights_out", narrow, width)
    else:
        part.feed_forward(f"{name}.mlp", ("fc1", "fc2"), width, hidden)
    part.add(f"{name}.layer_scale2.lambda1", width, role=Role.OTHER, mean=scale)


def dinov3(fields: Fields, _head: str) -> Architecture:
    """Return DINOv3's vision transformer, whose positions are rotations that are not trained."""
    part = Builder(_untold_tables(fields))
    width, hidden = fields.size("hidden_size", 384), fields.size("intermediate_size", 1536)
    tokens = fields.size("num_register_tokens", 0, least=0)
    part.add("embeddings.cls_token", 1, 1, width, role=Role.OTHER, variance=None)
    part.add("embeddings.mask_token", 1, 1, width, role=Role.OTHER)
    part.add("embeddings.register_tokens", 1, tokens, width, role=Role.OTHER, variance=None)
    channels, patch = fields.size("num_channels", 3), fields.side("patch_size", 16)
    part.conv("embeddings.patch_embeddings", channels, width, patch)
    for index in range(fields.size("num_hidden_layers", 12)):
        _dinov3_layer(part, f"layer.{index}", fields, (width, hidden))
    part.norm("norm", width)
    return part.done(fields.path, classes=None)


def _dinov3_layer(part: Builder, name: str, fields: Fields, widths: tuple[int, int]) -> None:
    width, hidden = widths
    scale, bias = fields.number("layerscale_value", 1.0), fields.flag("mlp_bias", default=True)
    part.norm(f"{name}.norm1", width)
    for projection, field, default in (
        ("k_proj", "key_bias", False), ("v_proj", "value_bias", True),
        ("q_proj", "query_bias", True), ("o_proj", "proj_bias", True),
    ):  # fmt: skip
        own = fields.flag(field, default=default)
        part.linear(f"{name}.attention.{projection}", width, width, bias=own)
    part.add(f"{name}.layer_scale1.lambda1", width, role=Role.OTHER, mean=scale)
    part.norm(f"{name}.norm2", width)
    gated = fields.flag("use_gated_mlp", default=False)
    for layer in ("gate_proj", "up_proj") if gated else ("up_proj",):
        part.linear(f"{name}.mlp.{layer}", width, hidden, bias=bias)
    part.linear(f"{name}.mlp.down_proj", hidden, width, bias=bias)
    part.add(f"{name}.layer_scale2.lambda1", width, role=Role.OTHER, mean=scale)


def beit(fields: Fields, head: str) -> Architecture:
    """Return BEiT or data2vec's, with positions relative, absolute or both.

    Raises:
        UnreadableFileError: a malformed field.
    """
    kind = fields.text("model_type", "beit")
    part, prefix = begin(fields, head, f"{kind.replace('-', '_')}.")
    width, table = fields.size("hidden_size", 768), f"{prefix}embeddings"
    patch, image = fields.side("patch_size", 16), fields.side("image_size", 224)
    side = image // patch
    part.add(f"{table}.cls_token", 1, 1, width, role=Role.OTHER)
    if fields.flag("use_mask_token", default=False):
        part.add(f"{table}.mask_token", 1, 1, width, role=Role.OTHER)
    if fields.flag("use_absolute_position_embeddings", default=False):
        part.add(f"{table}.position_embeddings", 1, side**2 + 1, width, role=Role.POSITION)
    channels = fields.size("num_channels", 3)
    part.conv(f"{table}.patch_embeddings.projection", channels, width, patch)
    if fields.flag("use_shared_relative_position_bias", default=False):
        _beit_positions(part, f"{prefix}encoder.relative_position_bias", fields, side)
    for index in range(fields.size("num_hidden_layers", 12)):
        _beit_layer(part, f"{prefix}encoder.layer.{index}", fields, (width, side))
    pooled = fields.flag("use_mean_pooling", default=True)
    part.norm(f"{prefix}pooler.layernorm" if pooled else f"{prefix}layernorm", width)
    return part.done(fields.path, classes=image_head(part, fields, head, width))


def _beit_positions(part: Builder, name: str, fields: Fields, side: int) -> None:
    heads = fields.size("num_attention_heads", 12)
    label = f"{name}.relative_position_bias_table"
    part.add(label, (2 * side - 1) ** 2 + 3, heads, role=Role.POSITION)


def _beit_layer(part: Builder, name: str, fields: Fields, sizes: tuple[int, int]) -> None:
    width, side = sizes
    hidden = fields.size("intermediate_size", 3072)
    scale = fields.number("layer_scale_init_value", 0.1)
    if scale > 0:
        part.add(f"{name}.lambda_1", width, role=Role.OTHER, mean=scale)
        part.add(f"{name}.lambda_2", width, role=Role.OTHER, mean=scale)
    attention = f"{name}.attention.attention"
    for projection in QUERY_KEY_VALUE:
        part.linear(f"{attention}.{projection}", width, width, bias=projection != "key")
    if fields.flag("use_relative_position_bias", default=False):
        _beit_positions(part, f"{attention}.relative_position_bias", fields, side)
    part.linear(f"{name}.attention.output.dense", width, width)
    part.linear(f"{name}.intermediate.dense", width, hidden)
    part.linear(f"{name}.output.dense", hidden, width)
    part.norms(name, ("layernorm_before", "layernorm_after"), width)
