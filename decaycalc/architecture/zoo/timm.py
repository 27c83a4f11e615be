"""Vision transformers, DeiT, Swin and ConvNeXt with timm's tensor names.

Source: timm/models/{vision_transformer,deit,swin_transformer,convnext}.py (v1.0.31) for rules,
names, initialisers and `no_weight_decay`.
"""

from decaycalc.architecture.build import Builder, Start, torch_uniform, zero
from decaycalc.architecture.tensors import Architecture, Role
from decaycalc.architecture.zoo import vision
from decaycalc.architecture.zoo.vision import LAYER_SCALE, STD

VIT = {
    # width, layers, hidden width
    "tiny": (192, 12, 768),
    "small": (384, 12, 1536),
    "base": (768, 12, 3072),
    "large": (1024, 24, 4096),
    "huge": (1280, 32, 5120),
    "giant": (1408, 40, 6144),
    "gigantic": (1664, 48, 8192),
}
SWIN = {
    # width, depths, heads
    "tiny": (96, (2, 2, 6, 2), (3, 6, 12, 24)),
    "small": (96, (2, 2, 18, 2), (3, 6, 12, 24)),
    "base": (128, (2, 2, 18, 2), (4, 8, 16, 32)),
    "large": (192, (2, 2, 18, 2), (6, 12, 24, 48)),
}
CONVNEXT = vision.CONVNEXT | {
    "xlarge": ((256, 512, 1024, 2048), (3, 3, 27, 3)),
    "xxlarge": ((384, 768, 1536, 3072), (3, 4, 30, 3)),
}
SMALL_CONVNEXT = {
    # widths, repeats; their blocks' dense layers are convolutions
    "atto": ((40, 80, 160, 320), (2, 2, 6, 2)),
    "femto": ((48, 96, 192, 384), (2, 2, 6, 2)),
    "pico": ((64, 128, 256, 512), (2, 2, 6, 2)),
    "nano": ((80, 160, 320, 640), (2, 2, 8, 2)),
}
CONVNEXT_V2 = {
    **{size: CONVNEXT[size] for size in ("tiny", "small", "base", "large")},
    "huge": ((352, 704, 1408, 2816), (3, 3, 27, 3)),
    **SMALL_CONVNEXT,
}
START = Start(conv=torch_uniform, linear=STD, linear_bias=zero)


def vit(
    size: str,
    classes: int,
    *,
    patch: int = 16,
    image: int = 224,
    name: str,
    distilled: bool = False,
) -> Architecture:
    """Return a vision transformer; `distilled` adds DeiT's second token and head."""
    width, layers, hidden = VIT[size]
    part = Builder(START)
    tokens = ("cls_token", "dist_token") if distilled else ("cls_token",)
    positions = (image // patch) ** 2 + len(tokens)
    small = 0.02**2
    part.add("cls_token", 1, 1, width, role=Role.OTHER, variance=1e-12)
    part.add("pos_embed", 1, positions, width, role=Role.POSITION, variance=small)
    if distilled:
        part.add("dist_token", 1, 1, width, role=Role.OTHER, variance=small)
    part.conv("patch_embed.proj", 3, width, patch)
    for index in range(layers):
        _block(part, f"blocks.{index}", width, hidden)
    part.norm("norm", width)
    part.linear("head", width, classes)
    if distilled:
        part.linear("head_dist", width, classes)
    return part.done(name, classes=classes, undecayed=("pos_embed", *tokens))


def _block(
    part: Builder, name: str, width: int, hidden: int, *, window: int = 0, heads: int = 0
) -> None:
    """Add attention and its two-layer network; a `window` brings a table of relative positions."""
    part.norm(f"{name}.norm1", width)
    if window:
        table = f"{name}.attn.relative_position_bias_table"
        offsets = (2 * window - 1) ** 2
        part.add(table, offsets, heads, role=Role.POSITION, variance=0.02**2)
    part.linear(f"{name}.attn.qkv", width, 3 * width)
    part.linear(f"{name}.attn.proj", width, width)
    part.norm(f"{name}.norm2", width)
    part.feed_forward(f"{name}.mlp", ("fc1", "fc2"), width, hidden)


def swin(size: str, classes: int, *, window: int = 7, name: str) -> Architecture:
    """Return a Swin transformer with windows of `window` patches of 4x4 pixels."""
    width, depths, heads = SWIN[size]
    part = Builder(START)
    part.conv("patch_embed.proj", 3, width, 4)
    part.norm("patch_embed.norm", width)
    for stage, (repeats, n_heads) in enumerate(zip(depths, heads, strict=True)):
        if stage:
            part.norm(f"layers.{stage}.downsample.norm", 4 * width)
            part.linear(f"layers.{stage}.downsample.reduction", 4 * width, 2 * width, bias=False)
            width *= 2
        for index in range(repeats):
            block = f"layers.{stage}.blocks.{index}"
            _block(part, block, width, 4 * width, window=window, heads=n_heads)
    part.norm("norm", width)
    part.linear("head.fc", width, classes)
    tables = tuple(t.name for t in part.tensors if t.role is Role.POSITION)
    return part.done(name, classes=classes, undecayed=tables)


def convnext(size: str, classes: int) -> Architecture:
    """Return ConvNeXt; its layer scale `gamma` has one dimension."""
    return _convnext(f"convnext_{size}", (CONVNEXT | SMALL_CONVNEXT)[size], size, classes)


def convnext_v2(size: str, classes: int) -> Architecture:
    """Return ConvNeXt V2: a normalisation of responses in place of the layer scale."""
    return _convnext(f"convnextv2_{size}", CONVNEXT_V2[size], size, classes)


def _convnext(
    name: str, sizes: tuple[tuple[int, ...], tuple[int, ...]], size: str, classes: int
) -> Architecture:
    """Return a ConvNeXt of these widths and repeats of its stages."""
    widths, depths = sizes
    part = Builder(Start(conv=STD, conv_bias=zero, linear=STD, linear_bias=zero))
    part.conv("stem.0", 3, widths[0], 4)
    part.norm("stem.1", widths[0])
    for stage, (width, repeats) in enumerate(zip(widths, depths, strict=True)):
        if stage:
            part.norm(f"stages.{stage}.downsample.0", widths[stage - 1])
            part.conv(f"stages.{stage}.downsample.1", widths[stage - 1], width, 2)
        for index in range(repeats):
            block = f"stages.{stage}.blocks.{index}"
            second = name.startswith("convnextv2")
            _convnext_block(part, block, width, small=size in SMALL_CONVNEXT, second=second)
    part.norm("head.norm", widths[-1])
    part.linear("head.fc", widths[-1], classes)
    return part.done(name, classes=classes)


def _convnext_block(part: Builder, name: str, width: int, *, small: bool, second: bool) -> None:
    if not second:
        part.add(f"{name}.gamma", width, role=Role.OTHER, mean=LAYER_SCALE)
    part.conv(f"{name}.conv_dw", width, width, 7, groups=width)
    part.norm(f"{name}.norm", width)
    for layer, n_in, n_out in (("fc1", width, 4 * width), ("fc2", 4 * width, width)):
        if layer == "fc2" and second:
            part.norm(f"{name}.mlp.grn", 4 * width, gain=0.0, kind="response")
        if small:
            part.conv(f"{name}.mlp.{layer}", n_in, n_out, 1)
        else:
            part.linear(f"{name}.mlp.{layer}", n_in, n_out)
