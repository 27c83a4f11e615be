"""Conditional DETR and Deformable DETR, whose queries know where they look.

How they start is not told here. Source: transformers/models/{conditional_detr,deformable_detr}/
configuration_*.py and modeling_*.py (v4.57.1) for defaults, rules and names; Meng et al. 2021
(2108.06152), Zhu et al. 2020 (2010.04159).
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.detectors import dense_layers, timm_resnet
from decaycalc.architecture.hub.encoder_decoders import bart_layer
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.segmenters import UNTOLD_BIASES, deformable
from decaycalc.architecture.tensors import Architecture, Role

_OF_SELF = ("sa_qcontent_proj", "sa_qpos_proj", "sa_kcontent_proj", "sa_kpos_proj", "sa_v_proj")
_READ = (2, 3, 4)  # stages that a deformable encoder reads
_DEEPEST = 3  # stages of the backbone that several levels are made of


def _backbone(part: Builder, prefix: str, fields: Fields) -> int:
    """Add the backbone; return the width that it ends with.

    Raises:
        UnreadableFileError: it is not timm's ResNet, or positions are learned.
    """
    fields.require("use_timm_backbone", value=True)
    if fields.text("position_embedding_type", "sine") != "sine":
        raise fields.wrong("position_embedding_type", "learned", "sine")
    read = fields.part("backbone_kwargs").whole_numbers("out_indices")
    several = fields.text("model_type", "") == "deformable_detr"
    if several and read and read != _READ[0 if fields.size("num_feature_levels", 4) > 1 else -1 :]:
        raise fields.wrong("out_indices", list(read), f"{list(_READ)}, or 4 for one level")
    return timm_resnet(part, f"{prefix}backbone.conv_encoder.model", fields)


def conditional_detr(fields: Fields, head: str) -> Architecture:
    """Return Conditional DETR.

    Raises:
        UnreadableFileError: a backbone that is not known here, or a malformed field.
    """
    part, prefix = Builder(UNTOLD_BIASES), "" if head == "Model" else "model."
    width = fields.size("d_model", 256)
    part.conv(f"{prefix}input_projection", _backbone(part, prefix, fields), width, 1)
    part.positions(f"{prefix}query_position_embeddings", fields.size("num_queries", 300), width)
    hidden = fields.size("encoder_ffn_dim", 2048)
    for index in range(fields.size("encoder_layers", 6)):
        bart_layer(part, f"{prefix}encoder.layers.{index}", width, hidden, reads=False)
    for index in range(fields.size("decoder_layers", 6)):
        _conditional_layer(part, f"{prefix}decoder.layers.{index}", fields, first=index == 0)
    part.norm(f"{prefix}decoder.layernorm", width)
    dense_layers(part, f"{prefix}decoder.query_scale", (width, width, width))
    dense_layers(part, f"{prefix}decoder.ref_point_head", (width, width, 2))
    if head == "Model":
        return part.done(fields.path, classes=None)
    part.linear("class_labels_classifier", width, fields.labels())
    dense_layers(part, "bbox_predictor", (width, width, width, 4))
    return part.done(fields.path, classes=fields.labels())


def _conditional_layer(part: Builder, name: str, fields: Fields, *, first: bool) -> None:
    """Add a layer whose contents and positions are projected apart; in the first all are."""
    width, hidden = fields.size("d_model", 256), fields.size("decoder_ffn_dim", 2048)
    part.linears(name, (*_OF_SELF, "self_attn.out_proj"), width, width)
    part.norm(f"{name}.self_attn_layer_norm", width)
    positions = ("ca_qpos_proj",) if first else ()
    layers = ("ca_qcontent_proj", *positions, "ca_kcontent_proj", "ca_kpos_proj", "ca_v_proj")
    last = ("ca_qpos_sine_proj", "encoder_attn.out_proj")
    part.linears(name, (*layers, *last), width, width)
    part.norm(f"{name}.encoder_attn_layer_norm", width)
    part.feed_forward(name, ("fc1", "fc2"), width, hidden)
    part.norm(f"{name}.final_layer_norm", width)


def deformable_detr(fields: Fields, head: str) -> Architecture:
    """Return Deformable DETR of one stage, its boxes refined in each layer or not.

    Raises:
        UnreadableFileError: two stages, a backbone that is not known here, or a malformed field.
    """
    fields.require("two_stage", value=False)
    part, prefix = Builder(UNTOLD_BIASES), "" if head == "Model" else "model."
    width, levels = fields.size("d_model", 256), fields.size("num_feature_levels", 4)
    part.add(f"{prefix}level_embed", levels, width, role=Role.POSITION, variance=None)
    deepest = _backbone(part, prefix, fields)
    _levels(part, f"{prefix}input_proj", (deepest, width, levels))
    part.positions(f"{prefix}query_position_embeddings", fields.size("num_queries", 300), 2 * width)
    for tower in ("encoder", "decoder"):
        for index in range(fields.size(f"{tower}_layers", 6)):
            _deformable_layer(part, f"{prefix}{tower}.layers.{index}", fields, tower)
    refined = fields.flag("with_box_refine", default=False)
    heads = fields.size("decoder_layers", 6) if refined else 1
    boxes = (width, width, width, 4)
    if head != "Model" and refined:
        for index in range(heads):
            dense_layers(part, f"{prefix}decoder.bbox_embed.{index}", boxes)
    part.linear(f"{prefix}reference_points", width, 2)
    if head == "Model":
        return part.done(fields.path, classes=None)
    for index in range(heads):
        part.linear(f"class_embed.{index}", width, fields.labels())
    if not refined:
        dense_layers(part, "bbox_embed.0", boxes)
    return part.done(fields.path, classes=fields.labels())


def _levels(part: Builder, name: str, sizes: tuple[int, int, int]) -> None:
    """Add what brings the backbone's stages to one width, and makes coarser levels of the last."""
    deepest, width, levels = sizes
    read = _DEEPEST if levels > 1 else 1
    widths = [deepest // 2 ** (read - 1 - index) for index in range(read)]
    plan = [(n_in, 1) for n_in in widths]
    plan += [(deepest if index == 0 else width, 3) for index in range(levels - read)]
    for index, (n_in, kernel) in enumerate(plan):
        part.conv(f"{name}.{index}.0", n_in, width, kernel)
        part.norm(f"{name}.{index}.1", width, kind="group")


def _deformable_layer(part: Builder, name: str, fields: Fields, tower: str) -> None:
    width, levels = fields.size("d_model", 256), fields.size("num_feature_levels", 4)
    heads, points = (
        fields.size(f"{tower}_attention_heads", 8),
        fields.size(f"{tower}_n_points", 4),
    )
    attention = "self_attn"
    if tower == "decoder":
        part.linears(f"{name}.self_attn", ("k_proj", "v_proj", "q_proj", "out_proj"), width, width)
        part.norm(f"{name}.self_attn_layer_norm", width)
        attention = "encoder_attn"
    deformable(part, f"{name}.{attention}", width, heads * levels * points)
    part.norm(f"{name}.{attention}_layer_norm", width)
    part.feed_forward(name, ("fc1", "fc2"), width, fields.size(f"{tower}_ffn_dim", 1024))
    part.norm(f"{name}.final_layer_norm", width)
