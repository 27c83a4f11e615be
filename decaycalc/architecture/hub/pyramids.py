"""Swin and ConvNeXt, both versions of each, with the tensor names of transformers.

Source: transformers/models/{swin,swinv2,convnext,convnextv2}/modeling_*.py (v4.57.1) for rules,
names and `_init_weights`.
"""

from collections.abc import Callable

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.encoders import QUERY_KEY_VALUE, begin
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.images import image_head
from decaycalc.architecture.tensors import Architecture, Role

_BIAS_MLP = 512  # hidden units of the network that gives Swin V2's relative biases


def swin(fields: Fields, head: str) -> Architecture:
    """Return Swin; relative positions and absolute ones start at zero."""
    return _windows(fields, head, "swin.", _swin_block, merged=4)


def donut_swin(fields: Fields, head: str) -> Architecture:
    """Return the Swin that Donut and Nougat read pages by, which ends without a norm."""
    return _windows(fields, head, "", _swin_block, merged=4, normed=False)


def swinv2(fields: Fields, head: str) -> Architecture:
    """Return Swin V2, whose relative biases a small network gives."""
    return _windows(fields, head, "swinv2.", _swinv2_block, merged=2)


def _windows(
    fields: Fields, head: str, prefix: str,
    add_block: Callable[[Builder, str, Fields, int, int], None], *, merged: int,
    normed: bool = True,
) -> Architecture:  # fmt: skip
    """Return a Swin of these blocks, whose norm of merged patches is `merged` times as wide."""
    part, prefix = begin(fields, head, prefix)
    width, (patch, places) = fields.size("embed_dim", 96), fields.patches(patch=4)
    depths, heads = fields.sizes("depths", (2, 2, 6, 2)), fields.sizes("num_heads", (3, 6, 12, 24))
    if len(heads) < len(depths):
        raise fields.wrong("num_heads", list(heads), "as many as depths")
    table = f"{prefix}embeddings"
    if fields.flag("use_absolute_embeddings", default=False):
        part.add(f"{table}.position_embeddings", 1, places + 1, width, role=Role.POSITION)
    channels = fields.size("num_channels", 3)
    part.conv(f"{table}.patch_embeddings.projection", channels, width, patch)
    part.norm(f"{table}.norm", width)
    for stage, repeats in enumerate(depths):
        name = f"{prefix}encoder.layers.{stage}"
        for index in range(repeats):
            add_block(part, f"{name}.blocks.{index}", fields, width, heads[stage])
        if stage < len(depths) - 1:
            part.linear(f"{name}.downsample.reduction", 4 * width, 2 * width, bias=False)
            part.norm(f"{name}.downsample.norm", merged * width)
            width *= 2
    if normed:
        part.norm(f"{prefix}layernorm", width)
    return part.done(fields.path, classes=image_head(part, fields, head, width))


def _swin_block(part: Builder, name: str, fields: Fields, width: int, heads: int) -> None:
    bias = fields.flag("qkv_bias", default=True)
    offsets = (2 * fields.side("window_size", 7) - 1) ** 2
    hidden = int(width * fields.number("mlp_ratio", 4.0))
    part.norm(f"{name}.layernorm_before", width)
    attention = f"{name}.attention.self"
    part.add(f"{attention}.relative_position_bias_table", offsets, heads, role=Role.POSITION)
    part.linears(attention, QUERY_KEY_VALUE, width, width, bias=bias)
    part.linear(f"{name}.attention.output.dense", width, width)
    part.norm(f"{name}.layernorm_after", width)
    part.feed_forward(name, ("intermediate.dense", "output.dense"), width, hidden)


def _swinv2_block(part: Builder, name: str, fields: Fields, width: int, heads: int) -> None:
    bias, attention = fields.flag("qkv_bias", default=True), f"{name}.attention.self"
    part.add(f"{attention}.logit_scale", heads, 1, 1, role=Role.OTHER, variance=None)
    mlp = f"{attention}.continuous_position_bias_mlp"
    part.linear(f"{mlp}.0", 2, _BIAS_MLP)
    part.linear(f"{mlp}.2", _BIAS_MLP, heads, bias=False)
    for projection in QUERY_KEY_VALUE:
        part.linear(f"{attention}.{projection}", width, width, bias=bias and projection != "key")
    part.linear(f"{name}.attention.output.dense", width, width)
    part.norm(f"{name}.layernorm_before", width)
    hidden = int(width * fields.number("mlp_ratio", 4.0))
    part.feed_forward(name, ("intermediate.dense", "output.dense"), width, hidden)
    part.norm(f"{name}.layernorm_after", width)


def convnext(fields: Fields, head: str) -> Architecture:
    """Return ConvNeXt; its layer scale has one dimension."""
    return _stages(fields, head, "convnext.", _convnext_block)


def convnextv2(fields: Fields, head: str) -> Architecture:
    """Return ConvNeXt V2, whose responses are normalised over a whole picture."""
    return _stages(fields, head, "convnextv2.", _convnextv2_block)


def _stages(
    fields: Fields, head: str, prefix: str, add_block: Callable[[Builder, str, Fields, int], None]
) -> Architecture:
    """Return a ConvNeXt of these blocks."""
    part, prefix = begin(fields, head, prefix)
    widths = fields.sizes("hidden_sizes", (96, 192, 384, 768))
    depths = fields.sizes("depths", (3, 3, 9, 3))
    if len(widths) < len(depths):
        raise fields.wrong("hidden_sizes", list(widths), "as many as depths")
    if fields.size("num_stages", len(depths), least=0) != len(depths):
        raise fields.wrong("num_stages", fields.values["num_stages"], "as many as depths")
    channels, patch = fields.size("num_channels", 3), fields.side("patch_size", 4)
    part.conv(f"{prefix}embeddings.patch_embeddings", channels, widths[0], patch)
    part.norm(f"{prefix}embeddings.layernorm", widths[0])
    for stage, repeats in enumerate(depths):
        name, width = f"{prefix}encoder.stages.{stage}", widths[stage]
        if stage:
            part.norm(f"{name}.downsampling_layer.0", widths[stage - 1])
            part.conv(f"{name}.downsampling_layer.1", widths[stage - 1], width, 2)
        for index in range(repeats):
            add_block(part, f"{name}.layers.{index}", fields, width)
    part.norm(f"{prefix}layernorm", widths[-1])
    return part.done(fields.path, classes=image_head(part, fields, head, widths[-1]))


def _convnext_block(part: Builder, name: str, fields: Fields, width: int) -> None:
    scale = fields.number("layer_scale_init_value", 1e-6)
    if scale > 0:
        part.add(f"{name}.layer_scale_parameter", width, role=Role.OTHER, mean=scale)
    part.conv(f"{name}.dwconv", width, width, 7, groups=width)
    part.norm(f"{name}.layernorm", width)
    part.feed_forward(name, ("pwconv1", "pwconv2"), width, 4 * width)


def _convnextv2_block(part: Builder, name: str, _: Fields, width: int) -> None:
    part.conv(f"{name}.dwconv", width, width, 7, groups=width)
    part.norm(f"{name}.layernorm", width)
    part.linear(f"{name}.pwconv1", width, 4 * width)
    for leaf in ("weight", "bias"):
        part.add(f"{name}.grn.{leaf}", 1, 1, 1, 4 * width, role=Role.NORM, norm_kind="response")
    part.linear(f"{name}.pwconv2", 4 * width, width)
