"""Depth Anything 1 and 2, and DPT: DINOv2 or ViT below a pyramid of convolutions.

Source: transformers/models/{depth_anything,dpt}/configuration_*.py and modeling_*.py (v4.57.1) for
defaults, rules and names; Yang et al. 2024 (2401.10891), Ranftl et al. 2021 (2103.13413). How they
start is not told here.
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.images import vit_layers
from decaycalc.architecture.hub.towers import UNTOLD, dinov2
from decaycalc.architecture.tensors import Architecture, Role
from decaycalc.record import replace

HEADS = ("ForDepthEstimation",)
DPT_HEADS = (*HEADS, "Model", "ForSemanticSegmentation")
_FACTORS = (4, 2, 1, 0.5)
_BACKBONE = {"model_type": "dinov2", "hidden_size": 384, "image_size": 518}


def depth_anything(fields: Fields, _head: str) -> Architecture:
    """Return Depth Anything.

    Raises:
        UnreadableFileError: a backbone other than DINOv2, or a malformed field.
    """
    below = fields.part("backbone_config", _BACKBONE)
    if below.text("model_type", "dinov2") != "dinov2":
        raise below.wrong("model_type", below.values["model_type"], "dinov2")
    part = Builder(UNTOLD)
    part.include("backbone.", dinov2(below, "Model"))
    stages = fields.sizes("neck_hidden_sizes", (48, 96, 192, 384))
    out = fields.size("fusion_hidden_size", 64)
    _reassemble(part, fields, stages, fields.size("reassemble_hidden_size", 384))
    _fuse(part, stages, out, norms=False, bias=True)
    half, head = max(1, out // 2), fields.size("head_hidden_size", 32)
    part.conv("head.conv1", out, half, 3)
    part.conv("head.conv2", half, head, 3)
    part.conv("head.conv3", head, 1, 1)
    return part.done(fields.path, classes=None)


def dpt(fields: Fields, head: str) -> Architecture:
    """Return DPT on its own vision transformer.

    Raises:
        UnreadableFileError: another backbone, a hybrid one, or a malformed field.
    """
    fields.require("is_hybrid", value=False)
    for name in ("backbone_config", "backbone"):
        if name in fields:
            raise fields.wrong(name, fields.values[name], "null")
    part, prefix = Builder(UNTOLD), "" if head == "Model" else "dpt."
    width, (patch, places) = fields.size("hidden_size", 768), fields.patches(patch=16, image=384)
    fields.require_divided(fields.size("num_attention_heads", 12), width)
    table = f"{prefix}embeddings"
    part.add(f"{table}.cls_token", 1, 1, width, role=Role.OTHER, variance=None)
    positions = f"{table}.position_embeddings"
    part.add(positions, 1, places + 1, width, role=Role.POSITION, variance=None)
    part.conv(f"{table}.patch_embeddings.projection", fields.size("num_channels", 3), width, patch)
    vit_layers(part, fields, prefix, width)
    if head == "Model":
        part.linear("pooler.dense", width, fields.size("pooler_output_size", width))
        return part.done(fields.path, classes=None)
    stages = fields.sizes("neck_hidden_sizes", (96, 192, 384, 768))
    _reassemble(part, fields, stages, width)
    readout = fields.text("readout_type", "project")
    for index in range(len(stages) if readout == "project" else 0):
        part.linear(f"neck.reassemble_stage.readout_projects.{index}.0", 2 * width, width)
    return _dpt_heads(part, fields, head, stages)


def _dpt_heads(part: Builder, fields: Fields, head: str, stages: tuple[int, ...]) -> Architecture:
    """Add what joins the stages, and the head above it."""
    out = fields.size("fusion_hidden_size", 256)
    norms = fields.flag("use_batch_norm_in_fusion_residual", default=False)
    bias = fields.flag("use_bias_in_fusion_residual", default=not norms)
    _fuse(part, stages, out, norms=norms, bias=bias)
    if head == "ForSemanticSegmentation":
        both = fields.flag("use_auxiliary_head", default=True)
        for name in ("head", "auxiliary_head")[: 1 + both]:
            part.conv(f"{name}.head.0", out, out, 3, bias=False)
            part.norm(f"{name}.head.1", out, kind="batch")
            part.conv(f"{name}.head.4", out, fields.labels(), 1)
        return part.done(fields.path, classes=fields.labels())
    if fields.flag("add_projection", default=False):
        part.conv("head.projection", 256, 256, 3)
    half = max(1, out // 2)
    part.conv("head.head.0", out, half, 3)
    part.conv("head.head.2", half, 32, 3)
    part.conv("head.head.4", 32, 1, 1)
    return part.done(fields.path, classes=None)


def _fuse(part: Builder, stages: tuple[int, ...], out: int, *, norms: bool, bias: bool) -> None:
    """Add what brings the stages to one width and joins them."""
    for index, channels in enumerate(stages):
        part.conv(f"neck.convs.{index}", channels, out, 3, bias=False)
    for index in range(len(stages)):
        layer = f"neck.fusion_stage.layers.{index}"
        part.conv(f"{layer}.projection", out, out, 1)
        for block in ("residual_layer1", "residual_layer2"):
            for conv in ("convolution1", "convolution2"):
                part.conv(f"{layer}.{block}.{conv}", out, out, 3, bias=bias)
            for norm in ("batch_norm1", "batch_norm2")[: 2 * norms]:
                part.norm(f"{layer}.{block}.{norm}", out, kind="batch")


def _reassemble(part: Builder, fields: Fields, stages: tuple[int, ...], n_in: int) -> None:
    """Add what resizes each stage's pictures."""
    given = _factors(fields)
    if len(given) != len(stages):
        raise fields.wrong("reassemble_factors", list(given), "as many as neck_hidden_sizes")
    for index, (channels, factor) in enumerate(zip(stages, given, strict=True)):
        layer = f"neck.reassemble_stage.layers.{index}"
        part.conv(f"{layer}.projection", n_in, channels, 1)
        if factor > 1:
            side = int(factor)
            fans, name = (channels * side**2, channels * side**2), f"{layer}.resize"
            part.add(f"{name}.weight", channels, channels, side, side, fans=fans, variance=None)
            part.add(f"{name}.bias", channels, role=Role.BIAS, fans=fans)
        elif factor < 1:
            part.conv(f"{layer}.resize", channels, channels, 3)


def _factors(fields: Fields) -> tuple[float, ...]:
    """Return by what each stage is resized."""
    given = fields.values.get("reassemble_factors")
    if given is None:
        return _FACTORS
    if not isinstance(given, list):
        raise fields.wrong("reassemble_factors", given, "a list of factors")
    named = (replace(fields, values={"reassemble_factors": each}) for each in given)
    return tuple(each.number("reassemble_factors", 1) for each in named)
