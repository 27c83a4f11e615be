"""MaxViT: convolutions, attention in windows and attention on a grid, by turns.

Source: torchvision/models/maxvit.py (v0.28) for rules, names and initialisers; Tu et al. 2022
(2204.01697).
"""

from decaycalc.architecture.build import Builder, Start, normal, zero
from decaycalc.architecture.tensors import Architecture, Role

MAXVIT = {
    # widths, depths, width of a head, side of a window
    "t": ((64, 128, 256, 512), (2, 2, 5, 2), 32, 7),
}
_STEM = 64
_STD = 0.02
_START = Start(
    conv=normal(_STD), conv_bias=zero, linear=normal(_STD), linear_bias=zero, norm="layer"
)


def maxvit(size: str, classes: int) -> Architecture:
    """Return MaxViT, `t`."""
    widths, depths, head, window = MAXVIT[size]
    part = Builder(_START)
    part.conv("stem.0.0", 3, _STEM, 3, bias=False)
    part.norm("stem.0.1", _STEM, kind="batch")
    part.conv("stem.1.0", _STEM, _STEM, 3)
    n_in = _STEM
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        for index in range(depth):
            name = f"blocks.{stage}.layers.{index}.layers"
            _convolutions(part, f"{name}.MBconv", n_in, width, first=not index)
            for kind in ("window", "grid"):
                _attention(part, f"{name}.{kind}_attention", width, width // head, window)
            n_in = width
    part.norm("classifier.2", n_in)
    part.linear("classifier.3", n_in, n_in)
    part.linear("classifier.5", n_in, classes, bias=False)
    return part.done(f"maxvit_{size}", classes=classes)


def _convolutions(part: Builder, name: str, n_in: int, n_out: int, *, first: bool) -> None:
    """Add a mobile block: expansion by 4, depthwise convolution, squeeze-and-excitation."""
    hidden, squeezed = 4 * n_out, n_out // 4
    if first:
        part.conv(f"{name}.proj.1", n_in, n_out, 1)
    name += ".layers"
    part.norm(f"{name}.pre_norm", n_in, kind="batch")
    part.conv(f"{name}.conv_a.0", n_in, hidden, 1, bias=False)
    part.norm(f"{name}.conv_a.1", hidden, kind="batch")
    part.conv(f"{name}.conv_b.0", hidden, hidden, 3, groups=hidden, bias=False)
    part.norm(f"{name}.conv_b.1", hidden, kind="batch")
    part.conv(f"{name}.squeeze_excitation.fc1", hidden, squeezed, 1)
    part.conv(f"{name}.squeeze_excitation.fc2", squeezed, hidden, 1)
    part.conv(f"{name}.conv_c", hidden, n_out, 1)


def _attention(part: Builder, name: str, width: int, heads: int, window: int) -> None:
    """Add attention with a table of relative positions, and the dense layers behind it."""
    inner = f"{name}.attn_layer"
    part.norm(f"{inner}.0", width)
    places = (2 * window - 1) ** 2
    table = f"{inner}.1.relative_position_bias_table"
    part.add(table, places, heads, role=Role.POSITION, variance=_STD**2)
    part.linear(f"{inner}.1.to_qkv", width, 3 * width)
    part.linear(f"{inner}.1.merge", width, width)
    part.norm(f"{name}.mlp_layer.0", width)
    part.feed_forward(f"{name}.mlp_layer", ("1", "3"), width, 4 * width)
