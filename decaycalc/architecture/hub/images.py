"""ViT, DeiT, Swin and ConvNeXt, with the tensor names of transformers.

Source: transformers/models/{vit,deit,swin,convnext}/modeling_*.py (v4.57.1) for rules, names and
`_init_weights`.
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.encoders import start
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Architecture, Role

IMAGE_HEADS = ("Model", "ForImageClassification")
DEIT_HEADS = (*IMAGE_HEADS, "ForImageClassificationWithTeacher")


def image_head(part: Builder, fields: Fields, head: str, width: int) -> int | None:
    """Add the classifiers of the head; return the number of classes, if it has any."""
    names = {
        "ForImageClassification": ("classifier",),
        "ForImageClassificationWithTeacher": ("cls_classifier", "distillation_classifier"),
    }.get(head, ())
    for name in names:
        part.linear(name, width, fields.labels())
    return fields.labels() if names else None


def vit(fields: Fields, head: str) -> Architecture:
    """Return ViT, or DeiT with its second token, as `model_type` says."""
    deit = fields.text("model_type", "vit") == "deit"
    part = Builder(start(fields))
    prefix = "" if head == "Model" else "deit." if deit else "vit."
    width, hidden = fields.size("hidden_size", 768), fields.size("intermediate_size", 3072)
    patch = fields.side("patch_size", 16)
    tokens = ("cls_token", "distillation_token") if deit else ("cls_token",)
    variance = 0.0 if deit else fields.number("initializer_range", 0.02) ** 2
    table = f"{prefix}embeddings"
    for token in tokens:
        part.add(f"{table}.{token}", 1, 1, width, role=Role.OTHER, variance=variance)
    positions = (fields.side("image_size", 224) // patch) ** 2 + len(tokens)
    part.add(
        f"{table}.position_embeddings", 1, positions, width, role=Role.POSITION, variance=variance
    )
    part.conv(f"{table}.patch_embeddings.projection", fields.size("num_channels", 3), width, patch)
    bias = fields.flag("qkv_bias", default=True)
    for index in range(fields.size("num_hidden_layers", 12)):
        vit_layer(part, f"{prefix}encoder.layer.{index}", width, hidden, bias=bias)
    part.norm(f"{prefix}layernorm", width)
    if head == "Model":
        part.linear("pooler.dense", width, fields.size("pooler_output_size", width))
    return part.done(fields.path, classes=image_head(part, fields, head, width))


def vit_layer(part: Builder, name: str, width: int, hidden: int, *, bias: bool) -> None:
    """Add one of ViT's layers; `bias` is that of queries, keys and values."""
    for projection in ("query", "key", "value"):
        part.linear(f"{name}.attention.attention.{projection}", width, width, bias=bias)
    part.linear(f"{name}.attention.output.dense", width, width)
    part.linear(f"{name}.intermediate.dense", width, hidden)
    part.linear(f"{name}.output.dense", hidden, width)
    part.norm(f"{name}.layernorm_before", width)
    part.norm(f"{name}.layernorm_after", width)


def swin(fields: Fields, head: str) -> Architecture:
    """Return Swin; relative positions and absolute ones start at zero."""
    part = Builder(start(fields))
    prefix = "" if head == "Model" else "swin."
    width, patch = fields.size("embed_dim", 96), fields.side("patch_size", 4)
    depths = fields.sizes("depths", (2, 2, 6, 2))
    heads = fields.sizes("num_heads", (3, 6, 12, 24))
    if len(heads) < len(depths):
        raise fields.wrong("num_heads", list(heads), "as many as depths")
    table = f"{prefix}embeddings"
    if fields.flag("use_absolute_embeddings", default=False):
        patches = (fields.side("image_size", 224) // patch) ** 2 + 1
        part.add(f"{table}.position_embeddings", 1, patches, width, role=Role.POSITION)
    channels = fields.size("num_channels", 3)
    part.conv(f"{table}.patch_embeddings.projection", channels, width, patch)
    part.norm(f"{table}.norm", width)
    for stage, repeats in enumerate(depths):
        layers = f"{prefix}encoder.layers.{stage}"
        for index in range(repeats):
            _swin_block(part, f"{layers}.blocks.{index}", fields, width, heads[stage])
        if stage < len(depths) - 1:
            part.linear(f"{layers}.downsample.reduction", 4 * width, 2 * width, bias=False)
            part.norm(f"{layers}.downsample.norm", 4 * width)
            width *= 2
    part.norm(f"{prefix}layernorm", width)
    return part.done(fields.path, classes=image_head(part, fields, head, width))


def _swin_block(part: Builder, name: str, fields: Fields, width: int, heads: int) -> None:
    bias = fields.flag("qkv_bias", default=True)
    offsets = (2 * fields.side("window_size", 7) - 1) ** 2
    hidden = int(width * fields.number("mlp_ratio", 4.0))
    part.norm(f"{name}.layernorm_before", width)
    attention = f"{name}.attention.self"
    part.add(f"{attention}.relative_position_bias_table", offsets, heads, role=Role.POSITION)
    for projection in ("query", "key", "value"):
        part.linear(f"{attention}.{projection}", width, width, bias=bias)
    part.linear(f"{name}.attention.output.dense", width, width)
    part.norm(f"{name}.layernorm_after", width)
    part.linear(f"{name}.intermediate.dense", width, hidden)
    part.linear(f"{name}.output.dense", hidden, width)


def convnext(fields: Fields, head: str) -> Architecture:
    """Return ConvNeXt; its layer scale has one dimension."""
    part = Builder(start(fields))
    prefix = "" if head == "Model" else "convnext."
    widths = fields.sizes("hidden_sizes", (96, 192, 384, 768))
    depths = fields.sizes("depths", (3, 3, 9, 3))
    if len(widths) < len(depths):
        raise fields.wrong("hidden_sizes", list(widths), "as many as depths")
    scale = fields.number("layer_scale_init_value", 1e-6)
    channels, patch = fields.size("num_channels", 3), fields.side("patch_size", 4)
    part.conv(f"{prefix}embeddings.patch_embeddings", channels, widths[0], patch)
    part.norm(f"{prefix}embeddings.layernorm", widths[0])
    for stage, repeats in enumerate(depths):
        name, width = f"{prefix}encoder.stages.{stage}", widths[stage]
        if stage:
            part.norm(f"{name}.downsampling_layer.0", widths[stage - 1])
            part.conv(f"{name}.downsampling_layer.1", widths[stage - 1], width, 2)
        for index in range(repeats):
            _convnext_block(part, f"{name}.layers.{index}", width, scale)
    last = widths[len(depths) - 1]
    part.norm(f"{prefix}layernorm", last)
    return part.done(fields.path, classes=image_head(part, fields, head, last))


def _convnext_block(part: Builder, name: str, width: int, scale: float) -> None:
    if scale > 0:
        part.add(f"{name}.layer_scale_parameter", width, role=Role.OTHER, mean=scale)
    part.conv(f"{name}.dwconv", width, width, 7, groups=width)
    part.norm(f"{name}.layernorm", width)
    part.linear(f"{name}.pwconv1", width, 4 * width)
    part.linear(f"{name}.pwconv2", 4 * width, width)
