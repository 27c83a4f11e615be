"""MaskFormer and Mask2Former: queries that cut a picture into masks.

Source: transformers/models/{maskformer,mask2former}/configuration_*.py and modeling_*.py (v4.57.1)
for defaults, rules and names; Cheng et al. 2021 (2107.06278, 2112.01527). How they start is not
told here.
"""

from itertools import pairwise

from decaycalc.architecture.build import Builder, Start, unknown
from decaycalc.architecture.hub.backbones import (
    bare,
    chosen_stages,
    require_known,
    stage_widths,
)
from decaycalc.architecture.hub.encoder_decoders import bart_layer
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Architecture, Role
from decaycalc.record import replace

MASKFORMER_HEADS = ("ForInstanceSegmentation", "Model")
MASK2FORMER_HEADS = ("ForUniversalSegmentation", "Model")
UNTOLD_BIASES = Start(
    conv=unknown, conv_bias=unknown, linear=unknown, linear_bias=unknown, embedding=unknown
)
_STAGES = ["stage1", "stage2", "stage3", "stage4"]
# The Swins that they see by where nothing is said.
_BASE = {"model_type": "swin", "embed_dim": 128, "depths": [2, 2, 18, 2], "window_size": 12,
         "num_heads": [4, 8, 16, 32], "out_features": _STAGES}  # fmt: skip
_SMALL = {"model_type": "swin", "embed_dim": 96, "depths": [2, 2, 18, 2],
          "num_heads": [3, 6, 12, 24], "out_features": _STAGES}  # fmt: skip
_LEVELS = 3  # of the pyramid, which the deformable encoder and the decoder read


def _seeing(fields: Fields, usual: dict[str, object]) -> Fields:
    """Return the fields of the backbone.

    Raises:
        UnreadableFileError: it is told by its name alone, or is not known here.
    """
    if fields.values.get("backbone") is not None:
        raise fields.wrong("backbone", fields.values["backbone"], "a backbone_config")
    below = fields.part("backbone_config")
    below = below if "backbone_config" in fields else replace(below, values=usual)
    require_known(below)
    return below


def maskformer(fields: Fields, head: str) -> Architecture:
    """Return MaskFormer: a backbone, a pyramid of convolutions, and DETR's decoder.

    Raises:
        UnreadableFileError: a backbone that is not known here, or a malformed field.
    """
    part, prefix = Builder(UNTOLD_BIASES), "" if head == "Model" else "model."
    below, level = _seeing(fields, _BASE), f"{prefix}pixel_level_module"
    widths = stage_widths(below)
    if require_known(below) == "swin":
        part.include(f"{level}.encoder.model.", bare(below))
        for stage, width in enumerate(widths):
            part.norm(f"{level}.encoder.hidden_states_norms.{stage}", width)
    else:
        part.include(f"{level}.encoder.", bare(below))
    told = [widths[stage] for stage in chosen_stages(below)]
    narrow, mask = fields.size("fpn_feature_size", 256), fields.size("mask_feature_size", 256)
    _pyramid(part, f"{level}.decoder", told, (narrow, mask))
    decoder = fields.part("decoder_config")
    width, module = decoder.size("d_model", 256), f"{prefix}transformer_module"
    part.positions(f"{module}.queries_embedder", decoder.size("num_queries", 100), width)
    if told[-1] != width:
        part.conv(f"{module}.input_projection", told[-1], width, 1)
    hidden = decoder.size("decoder_ffn_dim", 2048)
    for index in range(decoder.size("decoder_layers", 6)):
        bart_layer(part, f"{module}.decoder.layers.{index}", width, hidden, reads=True)
    part.norm(f"{module}.decoder.layernorm", width)
    if head == "Model":
        return part.done(fields.path, classes=None)
    part.linear("class_predictor", width, fields.labels() + 1)
    _embedder(part, "mask_embedder", (width, width, width, mask))
    return part.done(fields.path, classes=fields.labels())


def _pyramid(part: Builder, name: str, widths: list[int], sizes: tuple[int, int]) -> None:
    """Add a pyramid of features over the stages, the deepest first, and its masks."""
    narrow, mask = sizes
    _normed(part, f"{name}.fpn.stem", (widths[-1], narrow, 3))
    for index, width in enumerate(reversed(widths[:-1])):
        _normed(part, f"{name}.fpn.layers.{index}.proj", (width, narrow, 1))
        _normed(part, f"{name}.fpn.layers.{index}.block", (narrow, narrow, 3))
    part.conv(f"{name}.mask_projection", narrow, mask, 3)


def _normed(part: Builder, name: str, sizes: tuple[int, int, int], *, bias: bool = False) -> None:
    """Add a convolution and its norm over groups."""
    n_in, n_out, kernel = sizes
    part.conv(f"{name}.0", n_in, n_out, kernel, bias=bias)
    part.norm(f"{name}.1", n_out, kind="group")


def _embedder(part: Builder, name: str, widths: tuple[int, ...]) -> None:
    for index, (n_in, n_out) in enumerate(pairwise(widths)):
        part.linear(f"{name}.{index}.0", n_in, n_out)


def mask2former(fields: Fields, head: str) -> Architecture:
    """Return Mask2Former: a backbone, a deformable encoder of its pixels, and a masked decoder.

    Raises:
        UnreadableFileError: a backbone that is not known here, or a malformed field.
    """
    part, prefix = Builder(UNTOLD_BIASES), "" if head == "Model" else "model."
    below, level = _seeing(fields, _SMALL), f"{prefix}pixel_level_module"
    widths, stages, network = stage_widths(below), chosen_stages(below), bare(below)
    if require_known(below) == "swin":
        kept = tuple(each for each in network.tensors if not each.name.startswith("layernorm."))
        part.include(f"{level}.encoder.", replace(network, tensors=kept))
        for stage in stages:
            part.norm(f"{level}.encoder.hidden_states_norms.stage{stage + 1}", widths[stage])
    else:
        part.include(f"{level}.encoder.", network)
    _pixels(part, f"{level}.decoder", fields, [widths[stage] for stage in stages])
    width, module = fields.size("hidden_dim", 256), f"{prefix}transformer_module"
    for table in ("queries_embedder", "queries_features"):
        part.embedding(f"{module}.{table}", fields.size("num_queries", 100), width)
    _masked_decoder(part, f"{module}.decoder", fields, width)
    part.positions(f"{module}.level_embed", _LEVELS, width)
    if head == "Model":
        return part.done(fields.path, classes=None)
    part.linear("class_predictor", width, fields.labels() + 1)
    return part.done(fields.path, classes=fields.labels())


def _pixels(part: Builder, name: str, fields: Fields, widths: list[int]) -> None:
    """Add what encodes the pixels: three levels, and those above them that are finer."""
    size, mask = fields.size("feature_size", 256), fields.size("mask_feature_size", 256)
    part.add(f"{name}.level_embed", _LEVELS, size, role=Role.POSITION, variance=None)
    for level, width in enumerate(reversed(widths[-_LEVELS:])):
        _normed(part, f"{name}.input_projections.{level}", (width, size, 1), bias=True)
    heads, hidden = (
        fields.size("num_attention_heads", 8),
        fields.size("encoder_feedforward_dim", 1024),
    )
    for index in range(fields.size("encoder_layers", 6)):
        layer = f"{name}.encoder.layers.{index}"
        deformable(part, f"{layer}.self_attn", size, heads * _LEVELS * _POINTS)
        part.norm(f"{layer}.self_attn_layer_norm", size)
        part.feed_forward(layer, ("fc1", "fc2"), size, hidden)
        part.norm(f"{layer}.final_layer_norm", size)
    part.conv(f"{name}.mask_projection", size, mask, 1)
    for level, width in enumerate(widths[: _finer(fields)], start=1):
        _normed(part, f"{name}.adapter_{level}", (width, size, 1))
        _normed(part, f"{name}.layer_{level}", (size, size, 3))


_POINTS = 4  # that each head looks at on each level


def deformable(part: Builder, name: str, width: int, n_points: int) -> None:
    """Add attention to few points of a picture, `n_points` of all heads and levels together."""
    part.linear(f"{name}.sampling_offsets", width, 2 * n_points)
    part.linear(f"{name}.attention_weights", width, n_points)
    part.linears(name, ("value_proj", "output_proj"), width, width)


def _finer(fields: Fields) -> int:
    """Return how many levels are finer than the three, by powers of 2 of their strides."""
    strides = fields.sizes("feature_strides", (4, 8, 16, 32))
    common = fields.size("common_stride", 4)
    return max(0, (min(strides[-_LEVELS:]) // common).bit_length() - 1)


def _masked_decoder(part: Builder, name: str, fields: Fields, width: int) -> None:
    hidden = fields.size("dim_feedforward", 2048)
    for index in range(fields.size("decoder_layers", 10) - 1):
        layer = f"{name}.layers.{index}"
        part.linears(f"{layer}.self_attn", ("k_proj", "v_proj", "q_proj", "out_proj"), width, width)
        part.norm(f"{layer}.self_attn_layer_norm", width)
        stacked_attention(part, f"{layer}.cross_attn", width)
        part.norm(f"{layer}.cross_attn_layer_norm", width)
        part.feed_forward(layer, ("fc1", "fc2"), width, hidden)
        part.norm(f"{layer}.final_layer_norm", width)
    part.norm(f"{name}.layernorm", width)
    mask = fields.size("mask_feature_size", 256)
    _embedder(part, f"{name}.mask_predictor.mask_embedder", (width, width, width, mask))


def stacked_attention(part: Builder, name: str, width: int) -> None:
    """Add torch's own attention, its queries, keys and values in one tensor."""
    fans = (width, 3 * width)
    part.add(f"{name}.in_proj_weight", 3 * width, width, fans=fans, variance=None)
    part.add(f"{name}.in_proj_bias", 3 * width, role=Role.BIAS, fans=fans, variance=None)
    part.linear(f"{name}.out_proj", width, width)
