"""torchvision's transformers and ConvNeXt, with its tensor names.

Source: torchvision/models/{vision_transformer,swin_transformer,convnext}.py (v0.28) for rules,
names and initialisers; Dosovitskiy et al. 2020 (2010.11929), Liu et al. 2021 (2103.14030) and
2022 (2111.09883, 2201.03545).
"""

from math import log

from decaycalc.architecture.build import (
    Builder,
    Start,
    glorot,
    lecun,
    normal,
    torch_uniform,
    zero,
)
from decaycalc.architecture.tensors import Architecture, Role

VIT = {
    # patch, layers, width, hidden width
    "b_16": (16, 12, 768, 3072),
    "b_32": (32, 12, 768, 3072),
    "l_16": (16, 24, 1024, 4096),
    "l_32": (32, 24, 1024, 4096),
    "h_14": (14, 32, 1280, 5120),
}
SWIN = {
    # width, depths, heads
    "t": (96, (2, 2, 6, 2), (3, 6, 12, 24)),
    "s": (96, (2, 2, 18, 2), (3, 6, 12, 24)),
    "b": (128, (2, 2, 18, 2), (4, 8, 16, 32)),
}
SWIN_SIZES = tuple(version + size for size in SWIN for version in ("", "v2_"))
CONVNEXT = {
    # widths, depths
    "tiny": ((96, 192, 384, 768), (3, 3, 9, 3)),
    "small": ((96, 192, 384, 768), (3, 3, 27, 3)),
    "base": ((128, 256, 512, 1024), (3, 3, 27, 3)),
    "large": ((192, 384, 768, 1536), (3, 3, 27, 3)),
}
STD = normal(0.02)
TINY = normal(1e-6)
LAYER_SCALE = 1e-6


def vit(size: str, classes: int, *, image: int = 224) -> Architecture:
    """Return a vision transformer for square images of `image` pixels a side."""
    patch, layers, width, hidden = VIT[size]
    part = Builder(Start(conv=lecun, conv_bias=zero, linear=glorot, linear_bias=zero))
    part.add("class_token", 1, 1, width, role=Role.OTHER)
    part.conv("conv_proj", 3, width, patch)
    positions = (image // patch) ** 2 + 1
    variance = 0.02**2
    part.add("encoder.pos_embedding", 1, positions, width, role=Role.POSITION, variance=variance)
    for index in range(layers):
        _vit_layer(part, f"encoder.layers.encoder_layer_{index}", width, hidden)
    part.norm("encoder.ln", width)
    part.linear("heads.head", width, classes, rule=zero)
    return part.done(f"vit_{size}", classes=classes)


def _vit_layer(part: Builder, name: str, width: int, hidden: int) -> None:
    part.norm(f"{name}.ln_1", width)
    fans = (width, 3 * width)
    attention = f"{name}.self_attention"
    part.add(f"{attention}.in_proj_weight", 3 * width, width, fans=fans, variance=glorot(*fans))
    part.add(f"{attention}.in_proj_bias", 3 * width, role=Role.BIAS, fans=fans)
    part.linear(f"{attention}.out_proj", width, width, rule=torch_uniform)
    part.norm(f"{name}.ln_2", width)
    part.linear(f"{name}.mlp.0", width, hidden, bias_rule=TINY)
    part.linear(f"{name}.mlp.3", hidden, width, bias_rule=TINY)


def swin(size: str, classes: int) -> Architecture:
    """Return a Swin transformer with windows of 7x7, or of its second version, `v2_t`, with 8x8."""
    second = size.startswith("v2_")
    width, depths, heads = SWIN[size.removeprefix("v2_")]
    part = Builder(Start(conv=torch_uniform, linear=STD, linear_bias=zero))
    part.conv("features.0.0", 3, width, 4)
    part.norm("features.0.2", width)
    for stage, (repeats, n_heads) in enumerate(zip(depths, heads, strict=True)):
        for index in range(repeats):
            name = f"features.{2 * stage + 1}.{index}"
            _swin_block(part, name, width, n_heads, second=second)
        if stage < len(depths) - 1:
            merge = f"features.{2 * stage + 2}"
            part.linear(f"{merge}.reduction", 4 * width, 2 * width, bias=False)
            part.norm(f"{merge}.norm", 2 * width if second else 4 * width)
            width *= 2
    part.norm("norm", width)
    part.linear("head", width, classes)
    return part.done(f"swin_{size}", classes=classes)


def _swin_block(part: Builder, name: str, width: int, heads: int, *, second: bool) -> None:
    part.norm(f"{name}.norm1", width)
    if second:
        scale = f"{name}.attn.logit_scale"
        part.add(scale, heads, 1, 1, role=Role.OTHER, mean=log(10.0))
    else:
        table = f"{name}.attn.relative_position_bias_table"
        part.add(table, 13 * 13, heads, role=Role.POSITION, variance=0.02**2)
    part.linear(f"{name}.attn.qkv", width, 3 * width)
    part.linear(f"{name}.attn.proj", width, width)
    if second:
        part.linear(f"{name}.attn.cpb_mlp.0", 2, 512)
        part.linear(f"{name}.attn.cpb_mlp.2", 512, heads, bias=False)
    part.norm(f"{name}.norm2", width)
    part.feed_forward(f"{name}.mlp", ("0", "3"), width, 4 * width)


def convnext(size: str, classes: int) -> Architecture:
    """Return ConvNeXt with torchvision's names; its layer scale has three dimensions."""
    widths, depths = CONVNEXT[size]
    part = Builder(Start(conv=STD, conv_bias=zero, linear=STD, linear_bias=zero))
    part.conv("features.0.0", 3, widths[0], 4)
    part.norm("features.0.1", widths[0])
    for stage, (width, repeats) in enumerate(zip(widths, depths, strict=True)):
        for index in range(repeats):
            _convnext_block(part, f"features.{2 * stage + 1}.{index}", width)
        if stage < len(widths) - 1:
            part.norm(f"features.{2 * stage + 2}.0", width)
            part.conv(f"features.{2 * stage + 2}.1", width, widths[stage + 1], 2)
    part.norm("classifier.0", widths[-1])
    part.linear("classifier.2", widths[-1], classes)
    return part.done(f"torchvision/convnext_{size}", classes=classes)


def _convnext_block(part: Builder, name: str, width: int) -> None:
    part.add(f"{name}.layer_scale", width, 1, 1, role=Role.OTHER, mean=LAYER_SCALE)
    part.conv(f"{name}.block.0", width, width, 7, groups=width)
    part.norm(f"{name}.block.2", width)
    part.feed_forward(f"{name}.block", ("3", "5"), width, 4 * width)
