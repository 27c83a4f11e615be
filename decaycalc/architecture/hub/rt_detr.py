"""RT-DETR 1 and 2: a ResNet, an encoder of its deepest stage, and a deformable decoder.

How they start is not told here; the backbone's batch norms are frozen: buffers. Source:
transformers/models/{rt_detr,rt_detr_v2}/configuration_*.py and modeling_*.py (v4.57.1) for
defaults, rules and names; Zhao et al. 2023 (2304.08069).
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.backbones import read_stages
from decaycalc.architecture.hub.detectors import dense_layers
from decaycalc.architecture.hub.encoder_decoders import bart_layer
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.segmenters import UNTOLD_BIASES, deformable
from decaycalc.architecture.tensors import Architecture

_WIDTHS = (256, 512, 1024, 2048)  # of the backbone's stages
_BLOCKS = 3  # of each layer of the pyramids


def rt_detr(fields: Fields, head: str) -> Architecture:
    """Return RT-DETR.

    Raises:
        UnreadableFileError: a backbone other than its own ResNet, or one that is not frozen.
    """
    _require_its_own(fields)
    part, prefix = Builder(UNTOLD_BIASES), "" if head == "Model" else "model."
    width, inner = fields.size("d_model", 256), fields.size("encoder_hidden_dim", 256)
    below = fields.part("backbone_config", {"out_indices": [2, 3, 4]})
    _resnet(part, f"{prefix}backbone.model", below)
    widths = below.sizes("hidden_sizes", _WIDTHS)
    for index, stage in enumerate(read_stages(below, len(widths))):
        sizes = (widths[stage], inner, 1)
        _normed(part, f"{prefix}encoder_input_proj.{index}", ("0", "1"), sizes)
    levels = len(fields.sizes("encoder_in_channels", (512, 1024, 2048)))
    _encoder(part, f"{prefix}encoder", fields, (inner, levels))
    labels, queries = fields.labels(), fields.size("num_queries", 300)
    if fields.size("num_denoising", 100, least=0):
        part.embedding(f"{prefix}denoising_class_embed", labels + 1, width)
    if fields.flag("learn_initial_query", default=False):
        part.positions(f"{prefix}weight_embedding", queries, width)
    part.linear(f"{prefix}enc_output.0", width, width)
    part.norm(f"{prefix}enc_output.1", width)
    part.linear(f"{prefix}enc_score_head", width, labels)
    boxes = (width, width, width, 4)
    dense_layers(part, f"{prefix}enc_bbox_head", boxes)
    _levels(part, f"{prefix}decoder_input_proj", fields, width)
    decoder, layers = f"{prefix}decoder", fields.size("decoder_layers", 6)
    for index in range(layers):
        _decoder_layer(part, f"{decoder}.layers.{index}", fields, width)
    dense_layers(part, f"{decoder}.query_pos_head", (4, 2 * width, width))
    if head == "Model":
        return part.done(fields.path, classes=None)
    for index in range(layers):
        part.linear(f"{decoder}.class_embed.{index}", width, labels)
    for index in range(layers):
        dense_layers(part, f"{decoder}.bbox_embed.{index}", boxes)
    return part.done(fields.path, classes=labels)


def _require_its_own(fields: Fields) -> None:
    fields.require("freeze_backbone_batch_norms", value=True)
    below = fields.part("backbone_config")
    kind = below.text("model_type", "rt_detr_resnet")
    if kind != "rt_detr_resnet":
        raise below.wrong("model_type", kind, "rt_detr_resnet")
    if fields.values.get("backbone") is not None:
        raise fields.wrong("backbone", fields.values["backbone"], "a backbone_config")


def _levels(part: Builder, name: str, fields: Fields, width: int) -> None:
    """Add what brings each level to the decoder's width; further ones are of the deepest."""
    read = fields.sizes("decoder_in_channels", (256, 256, 256))
    for index in range(max(len(read), fields.size("num_feature_levels", 3))):
        n_in = read[index] if index < len(read) else read[-1] if index == len(read) else width
        sizes = (n_in, width, 1 if index < len(read) else 3)
        _normed(part, f"{name}.{index}", ("0", "1"), sizes)


def _normed(part: Builder, name: str, labels: tuple[str, str], sizes: tuple[int, int, int]) -> None:
    """Add a convolution and its batch norm, of these names."""
    n_in, n_out, kernel = sizes
    part.conv(f"{name}.{labels[0]}", n_in, n_out, kernel, bias=False)
    part.norm(f"{name}.{labels[1]}", n_out, kind="batch")


def _resnet(part: Builder, name: str, fields: Fields) -> None:
    """Add the convolutions of its ResNet, whose shortcuts pool before they project."""
    n_in, half = fields.size("embedding_size", 64), fields.size("embedding_size", 64) // 2
    channels = fields.size("num_channels", 3)
    for index, (one, other) in enumerate(((channels, half), (half, half), (half, n_in))):
        part.conv(f"{name}.embedder.embedder.{index}.convolution", one, other, 3, bias=False)
    widths = fields.sizes("hidden_sizes", _WIDTHS)
    first = fields.flag("downsample_in_first_stage", default=False)
    for stage, depth in enumerate(fields.sizes("depths", (3, 4, 6, 3))[: len(widths)]):
        for index in range(depth):
            layer = f"{name}.encoder.stages.{stage}.layers.{index}"
            strided = index == 0 and (stage > 0 or first)
            _resnet_layer(part, layer, fields, (n_in, widths[stage]), (index == 0, strided))
            n_in = widths[stage]


def _resnet_layer(
    part: Builder, name: str, fields: Fields, widths: tuple[int, int], place: tuple[bool, bool]
) -> None:
    n_in, n_out = widths
    leads, strided = place
    basic = fields.text("layer_type", "bottleneck") == "basic"
    if (basic and leads) or (not basic and (n_in != n_out or strided)):
        pooled = n_in != n_out if basic else strided
        shortcut = f"{name}.shortcut.1" if pooled else f"{name}.shortcut"
        part.conv(f"{shortcut}.convolution", n_in, n_out, 1, bias=False)
    narrow = max(1, n_out // 4)
    plan = ((n_in, n_out, 3), (n_out, n_out, 3)) if basic else (
        (n_in, narrow, 1), (narrow, narrow, 3), (narrow, n_out, 1)
    )  # fmt: skip
    for index, (one, other, kernel) in enumerate(plan):
        part.conv(f"{name}.layer.{index}.convolution", one, other, kernel, bias=False)


def _encoder(part: Builder, name: str, fields: Fields, sizes: tuple[int, int]) -> None:
    """Add the encoder of the deepest stages, and the two pyramids over them."""
    width, stages = sizes
    hidden = fields.size("encoder_ffn_dim", 1024)
    for read in range(len(fields.sizes("encode_proj_layers", (2,)))):
        for index in range(fields.size("encoder_layers", 1)):
            layer = f"{name}.encoder.{read}.layers.{index}"
            bart_layer(part, layer, width, hidden, reads=False)
    for convs, blocks, kernel in (("lateral_convs", "fpn_blocks", 1),
                                  ("downsample_convs", "pan_blocks", 3)):  # fmt: skip
        for index in range(stages - 1):
            _normed(part, f"{name}.{convs}.{index}", _PAIR, (width, width, kernel))
        for index in range(stages - 1):
            _partial(part, f"{name}.{blocks}.{index}", fields, width)


_PAIR = ("conv", "norm")


def _partial(part: Builder, name: str, fields: Fields, width: int) -> None:
    """Add a layer of a pyramid, which passes one of its two halves through blocks."""
    inner = int(width * fields.number("hidden_expansion", 1.0))
    for conv in ("conv1", "conv2"):
        _normed(part, f"{name}.{conv}", _PAIR, (2 * width, inner, 1))
    for index in range(_BLOCKS):
        for conv, kernel in (("conv1", 3), ("conv2", 1)):
            block = f"{name}.bottlenecks.{index}.{conv}"
            _normed(part, block, _PAIR, (inner, inner, kernel))
    if inner != width:
        _normed(part, f"{name}.conv3", _PAIR, (inner, width, 1))


def _decoder_layer(part: Builder, name: str, fields: Fields, width: int) -> None:
    heads, points = fields.size("decoder_attention_heads", 8), fields.size("decoder_n_points", 4)
    levels = fields.size("num_feature_levels", 3)
    if fields.text("model_type", "") == "rt_detr_v2":
        levels = fields.size("decoder_n_levels", 3)
    part.linears(f"{name}.self_attn", ("k_proj", "v_proj", "q_proj", "out_proj"), width, width)
    part.norm(f"{name}.self_attn_layer_norm", width)
    deformable(part, f"{name}.encoder_attn", width, heads * levels * points)
    part.norm(f"{name}.encoder_attn_layer_norm", width)
    part.feed_forward(name, ("fc1", "fc2"), width, fields.size("decoder_ffn_dim", 1024))
    part.norm(f"{name}.final_layer_norm", width)
