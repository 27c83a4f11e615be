"""Depth Anything 1 and 2: DINOv2 below a pyramid of convolutions.

Source: transformers/models/depth_anything/configuration_*.py and modeling_*.py (v4.57.1) for
defaults, rules and names; Yang et al. 2024 (2401.10891). How they start is not told here.
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.towers import UNTOLD, dinov2
from decaycalc.architecture.tensors import Architecture, Role
from decaycalc.record import replace

HEADS = ("ForDepthEstimation",)
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
    _reassemble(part, fields)
    stages = fields.sizes("neck_hidden_sizes", (48, 96, 192, 384))
    out = fields.size("fusion_hidden_size", 64)
    for index, channels in enumerate(stages):
        part.conv(f"neck.convs.{index}", channels, out, 3, bias=False)
    for index in range(len(stages)):
        layer = f"neck.fusion_stage.layers.{index}"
        part.conv(f"{layer}.projection", out, out, 1)
        for block in ("residual_layer1", "residual_layer2"):
            for conv in ("convolution1", "convolution2"):
                part.conv(f"{layer}.{block}.{conv}", out, out, 3)
    half, head = max(1, out // 2), fields.size("head_hidden_size", 32)
    part.conv("head.conv1", out, half, 3)
    part.conv("head.conv2", half, head, 3)
    part.conv("head.conv3", head, 1, 1)
    return part.done(fields.path, classes=None)


def _reassemble(part: Builder, fields: Fields) -> None:
    """Add what resizes each stage's pictures."""
    stages, given = fields.sizes("neck_hidden_sizes", (48, 96, 192, 384)), _factors(fields)
    if len(given) != len(stages):
        raise fields.wrong("reassemble_factors", list(given), "as many as neck_hidden_sizes")
    n_in = fields.size("reassemble_hidden_size", 384)
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
