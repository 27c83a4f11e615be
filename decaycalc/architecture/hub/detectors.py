"""DETR, Table Transformer, YOLOS and SAM: transformers that find and cut out objects.

Source: transformers/models/{detr,table_transformer,yolos,sam}/configuration_*.py and modeling_*.py
(v4.57.1) for defaults, rules and names; Carion et al. 2020 (2005.12872), Fang et al. 2021
(2106.00666), Kirillov et al. 2023 (2304.02643). The backbone's batch norms are frozen: buffers.
"""

from itertools import pairwise

from decaycalc.architecture.build import Builder, Start, normal, unknown, zero
from decaycalc.architecture.hub.encoder_decoders import bart_layer
from decaycalc.architecture.hub.encoders import begin
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.images import vit_layers
from decaycalc.architecture.hub.towers import UNTOLD
from decaycalc.architecture.tensors import Architecture, Role

HEADS = ("ForObjectDetection", "Model")
_WIDTHS = (64, 128, 256, 512)
# Blocks in each stage of timm's ResNets, and how often wider the last convolution of a block is.
_BACKBONES = {
    "resnet18": ((2, 2, 2, 2), 1), "resnet34": ((3, 4, 6, 3), 1),
    "resnet50": ((3, 4, 6, 3), 4), "resnet101": ((3, 4, 23, 3), 4),
}  # fmt: skip


def detr(fields: Fields, head: str) -> Architecture:
    """Return DETR or Table Transformer, whose encoder ends in a norm, as `model_type` says.

    Raises:
        UnreadableFileError: a backbone that is not timm's ResNet, learned positions, or a
            malformed field.
    """
    fields.require("use_timm_backbone", value=True)
    if fields.text("position_embedding_type", "sine") != "sine":
        raise fields.wrong("position_embedding_type", "learned", "sine")
    rule = normal(fields.number("init_std", 0.02))
    part = Builder(Start(conv=unknown, conv_bias=zero, linear=unknown, linear_bias=unknown,
                         embedding=rule))  # fmt: skip
    prefix, width = "" if head == "Model" else "model.", fields.size("d_model", 256)
    deepest = timm_resnet(part, f"{prefix}backbone.conv_encoder.model", fields)
    part.conv(f"{prefix}input_projection", deepest, width, 1)
    part.positions(f"{prefix}query_position_embeddings", fields.size("num_queries", 100), width)
    normed = fields.text("model_type", "detr") == "table-transformer"
    for tower in ("encoder", "decoder"):
        hidden = fields.size(f"{tower}_ffn_dim", 2048)
        for index in range(fields.size(f"{tower}_layers", 6)):
            layer = f"{prefix}{tower}.layers.{index}"
            bart_layer(part, layer, width, hidden, reads=tower == "decoder")
        if normed or tower == "decoder":
            part.norm(f"{prefix}{tower}.layernorm", width)
    if head == "Model":
        return part.done(fields.path, classes=None)
    part.linear("class_labels_classifier", width, fields.labels() + 1)
    dense_layers(part, "bbox_predictor", (width, width, width, 4))
    return part.done(fields.path, classes=fields.labels())


def timm_resnet(part: Builder, name: str, fields: Fields) -> int:
    """Add the convolutions of timm's ResNet; return the width that it ends with."""
    backbone = fields.text("backbone", "resnet50")
    if backbone not in _BACKBONES:
        raise fields.wrong("backbone", backbone, f"one of {', '.join(_BACKBONES)}")
    depths, wider = _BACKBONES[backbone]
    told = fields.part("backbone_kwargs")
    channels = told.size("in_chans", fields.size("num_channels", 3))
    # timm leaves out the stages that nobody reads; the stem is number 0.
    read = told.whole_numbers("out_indices") or (len(depths),)
    part.conv(f"{name}.conv1", channels, 64, 7, bias=False)
    n_in = 64
    for stage, (depth, width) in enumerate(
        zip(depths[: max(read)], _WIDTHS, strict=False), start=1
    ):
        for index in range(depth):
            block, n_out = f"{name}.layer{stage}.{index}", width * wider
            kernels = [(n_in, width, 3), (width, width, 3)]
            if wider > 1:
                kernels = [(n_in, width, 1), (width, width, 3), (width, n_out, 1)]
            for number, (one, other, side) in enumerate(kernels, start=1):
                part.conv(f"{block}.conv{number}", one, other, side, bias=False)
            if index == 0 and n_in != n_out:
                part.conv(f"{block}.downsample.0", n_in, n_out, 1, bias=False)
            n_in = n_out
    return n_in


def dense_layers(part: Builder, name: str, widths: tuple[int, ...]) -> None:
    """Add dense layers one after another."""
    for index, (n_in, n_out) in enumerate(pairwise(widths)):
        part.linear(f"{name}.layers.{index}", n_in, n_out)


def yolos(fields: Fields, head: str) -> Architecture:
    """Return YOLOS: ViT with a token for each object, and maybe positions in each layer."""
    part, prefix = begin(fields, head, "vit.")
    width = fields.size("hidden_size", 768)
    patch, tokens = fields.size("patch_size", 16), fields.size("num_detection_tokens", 100)
    sides, table = fields.sizes("image_size", (512, 864)), f"{prefix}embeddings"
    places = (sides[0] // patch) * (sides[-1] // patch) + tokens + 1
    part.add(f"{table}.cls_token", 1, 1, width, role=Role.OTHER)
    part.add(f"{table}.detection_tokens", 1, tokens, width, role=Role.OTHER)
    part.add(f"{table}.position_embeddings", 1, places, width, role=Role.POSITION)
    part.conv(f"{table}.patch_embeddings.projection", fields.size("num_channels", 3), width, patch)
    if fields.flag("use_mid_position_embeddings", default=True):
        places = sides[0] * sides[-1] // patch**2 + tokens + 1
        name = f"{prefix}encoder.mid_position_embeddings"
        layers = fields.size("num_hidden_layers", 12)
        part.add(name, layers - 1, 1, places, width, role=Role.POSITION)
    vit_layers(part, fields, prefix, width)
    if head == "Model":
        part.linear("pooler.dense", width, width)
        return part.done(fields.path, classes=None)
    for name, n_out in (("class_labels_classifier", fields.labels() + 1), ("bbox_predictor", 4)):
        dense_layers(part, name, (width, width, width, n_out))
    return part.done(fields.path, classes=fields.labels())


def sam(fields: Fields, _head: str) -> Architecture:
    """Return SAM: a vision tower, an encoder of prompts and a decoder of masks."""
    part = Builder(UNTOLD)
    _sam_vision(part, "vision_encoder", fields.part("vision_config"))
    _sam_prompts(part, "prompt_encoder", fields.part("prompt_encoder_config"))
    _sam_masks(part, "mask_decoder", fields.part("mask_decoder_config"))
    return part.done(fields.path, classes=None)


def _sam_vision(part: Builder, name: str, fields: Fields) -> None:
    width, out = fields.size("hidden_size", 768), fields.size("output_channels", 256)
    patch = fields.side("patch_size", 16)
    side = fields.side("image_size", 1024) // patch
    if fields.flag("use_abs_pos", default=True):
        part.add(f"{name}.pos_embed", 1, side, side, width, role=Role.POSITION)
    part.conv(f"{name}.patch_embed.projection", fields.size("num_channels", 3), width, patch)
    heads, window = fields.size("num_attention_heads", 12), fields.size("window_size", 14, least=0)
    given = fields.values.get("global_attn_indexes")
    whole = (2, 5, 8, 11) if given is None else fields.whole_numbers("global_attn_indexes")
    hidden = fields.size("mlp_dim", int(width * fields.number("mlp_ratio", 4.0)))
    for index in range(fields.size("num_hidden_layers", 12)):
        layer = f"{name}.layers.{index}"
        part.norm(f"{layer}.layer_norm1", width)
        reach = side if index in whole or not window else window
        if fields.flag("use_rel_pos", default=True):
            for axis in "hw":
                table = f"{layer}.attn.rel_pos_{axis}"
                part.add(table, 2 * reach - 1, max(1, width // heads), role=Role.POSITION)
        part.linear(
            f"{layer}.attn.qkv", width, 3 * width, bias=fields.flag("qkv_bias", default=True)
        )
        part.linear(f"{layer}.attn.proj", width, width)
        part.norm(f"{layer}.layer_norm2", width)
        part.feed_forward(f"{layer}.mlp", ("lin1", "lin2"), width, hidden)
    for number, (n_in, kernel) in enumerate(((width, 1), (out, 3)), start=1):
        part.conv(f"{name}.neck.conv{number}", n_in, out, kernel, bias=False)
        part.norm(f"{name}.neck.layer_norm{number}", out)


def _sam_prompts(part: Builder, name: str, fields: Fields) -> None:
    width, channels = fields.size("hidden_size", 256), fields.size("mask_input_channels", 16)
    few, embed = max(1, channels // 4), f"{name}.mask_embed"
    for number, (n_in, n_out, kernel) in enumerate(
        ((1, few, 2), (few, channels, 2), (channels, width, 1)), start=1
    ):
        part.conv(f"{embed}.conv{number}", n_in, n_out, kernel)
    part.norm(f"{embed}.layer_norm1", few)
    part.norm(f"{embed}.layer_norm2", 4 * few)
    points = [f"point_embed.{index}" for index in range(fields.size("num_point_embeddings", 4))]
    for table in ("no_mask_embed", *points, "not_a_point_embed"):
        part.embedding(f"{name}.{table}", 1, width)


def _sam_masks(part: Builder, name: str, fields: Fields) -> None:
    width, masks = fields.size("hidden_size", 256), fields.size("num_multimask_outputs", 3) + 1
    narrow = max(1, width // fields.size("attention_downsample_rate", 2))  # of the last one alone
    part.embedding(f"{name}.iou_token", 1, width, role=Role.OTHER)
    part.embedding(f"{name}.mask_tokens", masks, width, role=Role.OTHER)
    hidden = fields.size("mlp_dim", 2048)
    for index in range(fields.size("num_hidden_layers", 2)):
        _sam_layer(part, f"{name}.transformer.layers.{index}", (width, max(1, width // 2), hidden))
    _sam_attention(part, f"{name}.transformer.final_attn_token_to_image", width, narrow)
    part.norm(f"{name}.transformer.layer_norm_final_attn", width)
    half, quarter = max(1, width // 4), max(1, width // 8)
    for number, (n_in, n_out) in enumerate(((width, half), (half, quarter)), start=1):
        conv = f"{name}.upscale_conv{number}"
        part.add(f"{conv}.weight", n_in, n_out, 2, 2, fans=(n_in * 4, n_out * 4), variance=None)
        part.add(f"{conv}.bias", n_out, role=Role.BIAS, variance=None)
    part.norm(f"{name}.upscale_layer_norm", half)
    for index in range(masks):
        _sam_head(part, f"{name}.output_hypernetworks_mlps.{index}", (width, width, quarter), 3)
    inner, depth = fields.size("iou_head_hidden_dim", 256), fields.size("iou_head_depth", 3)
    _sam_head(part, f"{name}.iou_prediction_head", (width, inner, masks), depth)


def _sam_layer(part: Builder, name: str, widths: tuple[int, int, int]) -> None:
    width, narrow, hidden = widths
    _sam_attention(part, f"{name}.self_attn", width, width)
    part.norm(f"{name}.layer_norm1", width)
    _sam_attention(part, f"{name}.cross_attn_token_to_image", width, narrow)
    part.norm(f"{name}.layer_norm2", width)
    part.feed_forward(f"{name}.mlp", ("lin1", "lin2"), width, hidden)
    part.norms(name, ("layer_norm3", "layer_norm4"), width)
    _sam_attention(part, f"{name}.cross_attn_image_to_token", width, narrow)


def _sam_attention(part: Builder, name: str, width: int, narrow: int) -> None:
    part.linears(name, ("q_proj", "k_proj", "v_proj"), width, narrow)
    part.linear(f"{name}.out_proj", narrow, width)


def _sam_head(part: Builder, name: str, widths: tuple[int, int, int], depth: int) -> None:
    """Add a head of `depth` layers; the first and the last are registered before those between."""
    width, inner, out = widths
    part.linear(f"{name}.proj_in", width, inner)
    part.linear(f"{name}.proj_out", inner, out)
    for index in range(depth - 2):
        part.linear(f"{name}.layers.{index}", inner, inner)
