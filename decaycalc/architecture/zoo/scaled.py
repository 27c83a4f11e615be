"""Convolutional families whose members follow from a few numbers: MnasNet, ShuffleNet v2, RegNet.

Source: torchvision/models/{mnasnet,shufflenetv2,regnet}.py (v0.28) for rules, names and
initialisers; Tan et al. 2018 (1807.11626), Ma et al. 2018 (1807.11164), Radosavovic et al. 2020
(2003.13678).
"""

from itertools import groupby
from math import log

from decaycalc.architecture.build import Builder, Start, he_out, normal, zero
from decaycalc.architecture.tensors import Architecture
from decaycalc.architecture.zoo.mobile import round_channels

MNASNET = {"0_5": 0.5, "0_75": 0.75, "1_0": 1.0, "1_3": 1.3}
"""Width of all layers but the last."""
# Outputs, kernel, expansion, repeats of MnasNet-B1's stages.
_MNASNET_STAGES = (
    (24, 3, 3, 3),
    (40, 5, 3, 3),
    (80, 5, 6, 3),
    (96, 3, 6, 2),
    (192, 5, 6, 4),
    (320, 3, 6, 1),
)
SHUFFLENET_V2 = {
    # outputs of the three stages and of the last convolution
    "x0_5": (48, 96, 192, 1024),
    "x1_0": (116, 232, 464, 1024),
    "x1_5": (176, 352, 704, 1024),
    "x2_0": (244, 488, 976, 2048),
}
_SHUFFLENET_REPEATS = (4, 8, 4)
REGNET = {
    # depth, first width, slope, step in log space, group width; y has squeeze-and-excitation
    "y_400mf": (16, 48, 27.89, 2.09, 8),
    "y_800mf": (14, 56, 38.84, 2.4, 16),
    "y_1_6gf": (27, 48, 20.71, 2.65, 24),
    "y_3_2gf": (21, 80, 42.63, 2.66, 24),
    "y_8gf": (17, 192, 76.82, 2.19, 56),
    "y_16gf": (18, 200, 106.23, 2.48, 112),
    "y_32gf": (20, 232, 115.89, 2.53, 232),
    "y_128gf": (27, 456, 160.83, 2.52, 264),
    "x_400mf": (22, 24, 24.48, 2.54, 16),
    "x_800mf": (16, 56, 35.73, 2.28, 16),
    "x_1_6gf": (18, 80, 34.01, 2.25, 24),
    "x_3_2gf": (25, 88, 26.31, 2.25, 48),
    "x_8gf": (23, 80, 49.56, 2.88, 120),
    "x_16gf": (22, 216, 55.59, 2.1, 128),
    "x_32gf": (23, 320, 69.86, 2.0, 168),
}
_STEM = 32
_ROUND_UP = 0.9  # below nine tenths of it a rounded width goes up: torchvision _make_divisible


def _by_outputs(_fan_in: int, fan_out: int) -> float:
    """Return 1/fan_out (`kaiming_uniform_`, mode fan_out, of a sigmoid)."""
    return 1 / fan_out


def mnasnet(size: str, classes: int) -> Architecture:
    """Return MnasNet-B1 of a width."""
    width = MNASNET[size]
    part = Builder(Start(conv=he_out, linear=_by_outputs, linear_bias=zero, norm="batch"))
    first, n_in = round_channels(32 * width), round_channels(16 * width)
    part.conv_norm("layers", 3, first, 3)
    part.conv_norm("layers", first, first, 3, groups=first, layers=("3", "4"))
    part.conv_norm("layers", first, n_in, 1, layers=("6", "7"))
    for stage, (outputs, kernel, expansion, repeats) in enumerate(_MNASNET_STAGES, start=8):
        n_out = round_channels(outputs * width)
        for index in range(repeats):
            name, hidden = f"layers.{stage}.{index}.layers", n_in * expansion
            part.conv_norm(name, n_in, hidden, 1)
            part.conv_norm(name, hidden, hidden, kernel, groups=hidden, layers=("3", "4"))
            part.conv_norm(name, hidden, n_out, 1, layers=("6", "7"))
            n_in = n_out
    part.conv_norm("layers", n_in, 1280, 1, layers=("14", "15"))
    part.linear("classifier.1", 1280, classes)
    return part.done(f"mnasnet{size}", classes=classes)


def shufflenet_v2(size: str, classes: int) -> Architecture:
    """Return ShuffleNet v2, started as torch starts its layers."""
    *stages, last = SHUFFLENET_V2[size]
    part = Builder(Start(norm="batch"))
    n_in = 24
    part.conv_norm("conv1", 3, n_in, 3)
    for stage, (n_out, repeats) in enumerate(zip(stages, _SHUFFLENET_REPEATS, strict=True), 2):
        for index in range(repeats):
            name, half = f"stage{stage}.{index}", n_out // 2
            if not index:
                part.conv_norm(f"{name}.branch1", n_in, n_in, 3, groups=n_in)
                part.conv_norm(f"{name}.branch1", n_in, half, 1, layers=("2", "3"))
            branch = f"{name}.branch2"
            part.conv_norm(branch, half if index else n_in, half, 1)
            part.conv_norm(branch, half, half, 3, groups=half, layers=("3", "4"))
            part.conv_norm(branch, half, half, 1, layers=("5", "6"))
        n_in = n_out
    part.conv_norm("conv5", n_in, last, 1)
    part.linear("fc", last, classes)
    return part.done(f"shufflenet_v2_{size}", classes=classes)


def regnet(size: str, classes: int) -> Architecture:
    """Return RegNet, `x_400mf` to `x_32gf`; `y_400mf` to `y_128gf` squeeze and excite."""
    part = Builder(Start(conv=he_out, linear=normal(0.01), linear_bias=zero, norm="batch"))
    n_in = _STEM
    part.conv_norm("stem", 3, n_in, 3)
    for stage, (n_out, depth, group) in enumerate(_regnet_stages(size), start=1):
        for index in range(depth):
            name = f"trunk_output.block{stage}.block{stage}-{index}"
            if not index:
                part.conv_norm(f"{name}.proj", n_in, n_out, 1)
            squeezed = round(n_in / 4) if size.startswith("y") else 0
            _regnet_block(part, f"{name}.f", (n_in, n_out), group, squeezed)
            n_in = n_out
    part.linear("fc", n_in, classes)
    return part.done(f"regnet_{size}", classes=classes)


def _regnet_stages(size: str) -> list[tuple[int, int, int]]:
    """Return width, depth and group width of each stage.

    The widths rise linearly, are rounded to powers of the step, then to multiples of 8, and in
    each stage to a multiple of its group's.
    """
    depth, first, slope, step, group = REGNET[size]
    powers = (round(log((first + slope * index) / first) / log(step)) for index in range(depth))
    widths = [round(first * step**power / 8) * 8 for power in powers]
    runs = ((width, len(list(same))) for width, same in groupby(widths))
    return [(_fitted(width, min(group, width)), n, min(group, width)) for width, n in runs]


def _fitted(width: int, group: int) -> int:
    """Return the nearest multiple of a group's width, of at least nine tenths of the width."""
    rounded = max(group, int(width + group / 2) // group * group)
    return rounded if rounded >= _ROUND_UP * width else rounded + group


def _regnet_block(
    part: Builder, name: str, widths: tuple[int, int], group: int, squeezed: int
) -> None:
    """Add convolutions of 1x1, 3x3 in groups, squeeze-and-excitation and 1x1."""
    n_in, n_out = widths
    part.conv_norm(f"{name}.a", n_in, n_out, 1)
    part.conv_norm(f"{name}.b", n_out, n_out, 3, groups=n_out // group)
    if squeezed:
        part.conv(f"{name}.se.fc1", n_out, squeezed, 1)
        part.conv(f"{name}.se.fc2", squeezed, n_out, 1)
    part.conv_norm(f"{name}.c", n_out, n_out, 1)
