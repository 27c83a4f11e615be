"""MobileNetV5's encoder of 300 million weights, by which Gemma 3n sees, with timm's names.

How it starts is not told here. Source: timm 1.0.31 timm/models/mobilenetv5.py
(`mobilenetv5_300m_enc`) and _efficientnet_blocks.py, attention2d.py for rules and names.
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.tensors import Role

STEM, OUT = 64, 2048
# Stages of inverted bottlenecks: their width, how much wider they are within, and the kernels that
# each begins with and has within, 0 where it has none.
_SECOND = (256, ((6, 3, 5), (4, 5, 0), (4, 3, 0), (4, 5, 0), (4, 3, 0)))
_THIRD = (640, ((6, 5, 5), *(((4, 5, 0),) * 7), (1, 0, 0)))
_FOURTH = (1280, ((6, 5, 5),))
# Then attention and a layer within each in turn: how often, the queries' width, the keys', and
# whether keys and values are of a picture half as large.
_THIRD_ATTENTION, _FOURTH_ATTENTION = (14, 768, 64, True), (19, 1536, 96, False)


def mobilenet_v5(part: Builder, name: str) -> None:
    """Add the encoder under a prefix."""
    part.conv(f"{name}.conv_stem.conv", 3, STEM, 3)
    _norm(part, f"{name}.conv_stem.bn", STEM)
    width = _edges(part, f"{name}.blocks.0", STEM)
    stages = ((_SECOND, None), (_THIRD, _THIRD_ATTENTION), (_FOURTH, _FOURTH_ATTENTION))
    for number, ((out, blocks), attention) in enumerate(stages, start=1):
        stage = f"{name}.blocks.{number}"
        for index, block in enumerate(blocks):
            _bottleneck(part, f"{stage}.{index}", (width, out), block)
            width = out
        for turn in range(0 if attention is None else attention[0]):
            first = len(blocks) + 2 * turn
            _attention(part, f"{stage}.{first}", width, attention or (0, 0, 0, False))
            _bottleneck(part, f"{stage}.{first + 1}", (width, width), (2, 0, 0))
    seen = _THIRD[0] + width
    _pointwise(part, f"{name}.msfa.ffn.pw_exp", seen, 2 * seen)
    _pointwise(part, f"{name}.msfa.ffn.pw_proj", 2 * seen, OUT)
    _norm(part, f"{name}.msfa.norm", OUT)


def _norm(part: Builder, name: str, width: int) -> None:
    part.norm(name, width, bias=False, kind="rms")


def _edges(part: Builder, name: str, width: int) -> int:
    """Add the first stage, whose blocks widen by whole convolutions; return its width."""
    out = 2 * width
    for index in range(3):
        block, inner = f"{name}.{index}", 4 * width
        part.conv(f"{block}.conv_exp", width, inner, 3, bias=False)
        _norm(part, f"{block}.bn1", inner)
        part.conv(f"{block}.conv_pwl", inner, out, 1, bias=False)
        _norm(part, f"{block}.bn2", out)
        width = out
    return width


def _bottleneck(
    part: Builder, name: str, widths: tuple[int, int], block: tuple[int, int, int]
) -> None:
    """Add a universal inverted bottleneck, its outputs scaled."""
    width, out = widths
    wider, begins, within = block
    inner = wider * width
    if begins:
        _depthwise(part, f"{name}.dw_start", width, begins)
    _pointwise(part, f"{name}.pw_exp", width, inner)
    if within:
        _depthwise(part, f"{name}.dw_mid", inner, within)
    _pointwise(part, f"{name}.pw_proj", inner, out)
    part.add(f"{name}.layer_scale.gamma", out, role=Role.OTHER, variance=None)


def _depthwise(part: Builder, name: str, width: int, kernel: int) -> None:
    part.conv(f"{name}.conv", width, width, kernel, groups=width, bias=False)
    _norm(part, f"{name}.bn", width)


def _pointwise(part: Builder, name: str, n_in: int, n_out: int) -> None:
    part.conv(f"{name}.conv", n_in, n_out, 1, bias=False)
    _norm(part, f"{name}.bn", n_out)


def _attention(part: Builder, name: str, width: int, attention: tuple[int, int, int, bool]) -> None:
    """Add attention of many queries to one key, its outputs scaled."""
    _, queries, kept, halved = attention
    _norm(part, f"{name}.norm", width)
    part.conv(f"{name}.attn.query.proj", width, queries, 1, bias=False)
    for layer in ("key", "value"):
        if halved:
            part.conv(f"{name}.attn.{layer}.down_conv", width, width, 3, groups=width, bias=False)
            _norm(part, f"{name}.attn.{layer}.norm", width)
        part.conv(f"{name}.attn.{layer}.proj", width, kept, 1, bias=False)
    part.conv(f"{name}.attn.output.proj", queries, width, 1, bias=False)
    part.add(f"{name}.layer_scale.gamma", width, role=Role.OTHER, variance=None)
