"""Networks of depthwise convolutions: MobileNet v2 and v3, EfficientNet v1 and v2.

Source: torchvision/models/{mobilenetv2,mobilenetv3,efficientnet}.py (v0.28) for rules, names and
initialisers; Sandler et al. 2018 (1801.04381), Howard et al. 2019 (1905.02244), Tan & Le 2019
(1905.11946) and 2021 (2104.00298).
"""

from math import ceil

from decaycalc.architecture.build import Builder, Start, he_out, normal, zero
from decaycalc.architecture.tensors import Architecture

SMALL = Start(conv=he_out, conv_bias=zero, linear=normal(0.01), linear_bias=zero, norm="batch")
ROUND_UP = 0.9  # below nine tenths of it a rounded width goes up: torchvision _make_divisible

MOBILENET_V2 = (
    # expansion, outputs, repeats
    (1, 16, 1),
    (6, 24, 2),
    (6, 32, 3),
    (6, 64, 4),
    (6, 96, 3),
    (6, 160, 3),
    (6, 320, 1),
)
MOBILENET_V3 = {
    # kernel, expanded, outputs, squeeze-and-excitation; then the size of the last hidden layer
    "large": (
        (
            (3, 16, 16, False),
            (3, 64, 24, False),
            (3, 72, 24, False),
            (5, 72, 40, True),
            (5, 120, 40, True),
            (5, 120, 40, True),
            (3, 240, 80, False),
            (3, 200, 80, False),
            (3, 184, 80, False),
            (3, 184, 80, False),
            (3, 480, 112, True),
            (3, 672, 112, True),
            (5, 672, 160, True),
            (5, 960, 160, True),
            (5, 960, 160, True),
        ),
        1280,
    ),
    "small": (
        (
            (3, 16, 16, True),
            (3, 72, 24, False),
            (3, 88, 24, False),
            (5, 96, 40, True),
            (5, 240, 40, True),
            (5, 240, 40, True),
            (5, 120, 48, True),
            (5, 144, 48, True),
            (5, 288, 96, True),
            (5, 576, 96, True),
            (5, 576, 96, True),
        ),
        1024,
    ),
}
# Expansion, kernel, outputs, repeats of the stages of EfficientNet-B0.
EFFICIENTNET = (
    (1, 3, 16, 1),
    (6, 3, 24, 2),
    (6, 5, 40, 2),
    (6, 3, 80, 3),
    (6, 5, 112, 3),
    (6, 5, 192, 4),
    (6, 3, 320, 1),
)
EFFICIENTNET_SCALES = {
    # width, depth
    "b0": (1.0, 1.0),
    "b1": (1.0, 1.1),
    "b2": (1.1, 1.2),
    "b3": (1.2, 1.4),
    "b4": (1.4, 1.8),
    "b5": (1.6, 2.2),
    "b6": (1.8, 2.6),
    "b7": (2.0, 3.1),
}
# Fused or not, expansion, outputs, repeats; every kernel is 3.
EFFICIENTNET_V2 = {
    "s": (
        (True, 1, 24, 2),
        (True, 4, 48, 4),
        (True, 4, 64, 4),
        (False, 4, 128, 6),
        (False, 6, 160, 9),
        (False, 6, 256, 15),
    ),
    "m": (
        (True, 1, 24, 3),
        (True, 4, 48, 5),
        (True, 4, 80, 5),
        (False, 4, 160, 7),
        (False, 6, 176, 14),
        (False, 6, 304, 18),
        (False, 6, 512, 5),
    ),
    "l": (
        (True, 1, 32, 4),
        (True, 4, 64, 7),
        (True, 4, 96, 7),
        (False, 4, 192, 10),
        (False, 6, 224, 19),
        (False, 6, 384, 25),
        (False, 6, 640, 7),
    ),
}


def round_channels(channels: float) -> int:
    """Return the nearest multiple of 8, of at least nine tenths of `channels`.

    >>> round_channels(38.4)
    40
    """
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded if rounded >= ROUND_UP * channels else rounded + 8


def _squeeze_excite(part: Builder, name: str, channels: int, squeezed: int) -> None:
    part.conv(f"{name}.fc1", channels, squeezed, 1)
    part.conv(f"{name}.fc2", squeezed, channels, 1)


def mobilenet_v2(classes: int) -> Architecture:
    """Return MobileNet v2."""
    part = Builder(SMALL)
    n_in = part.conv_norm("features.0", 3, 32, 3)
    index = 1
    for expansion, n_out, repeats in MOBILENET_V2:
        for _ in range(repeats):
            _inverted_residual(part, f"features.{index}.conv", n_in, n_out, expansion)
            n_in, index = n_out, index + 1
    last = part.conv_norm(f"features.{index}", n_in, 1280, 1)
    part.linear("classifier.1", last, classes)
    return part.done("mobilenet_v2", classes=classes)


def _inverted_residual(part: Builder, name: str, n_in: int, n_out: int, expansion: int) -> None:
    hidden, place = n_in * expansion, 0
    if expansion > 1:
        part.conv_norm(f"{name}.0", n_in, hidden, 1)
        place = 1
    part.conv_norm(f"{name}.{place}", hidden, hidden, 3, groups=hidden)
    layers = (f"{place + 1}", f"{place + 2}")
    part.conv_norm(name, hidden, n_out, 1, layers=layers)


def mobilenet_v3(size: str, classes: int) -> Architecture:
    """Return MobileNet v3, `large` or `small`."""
    blocks, hidden = MOBILENET_V3[size]
    part = Builder(SMALL)
    n_in = part.conv_norm("features.0", 3, 16, 3)
    for index, (kernel, expanded, n_out, excited) in enumerate(blocks, start=1):
        squeezed = round_channels(expanded // 4) if excited else 0
        name = f"features.{index}.block"
        n_in = _mobile_block(part, name, (n_in, expanded, n_out), kernel, squeezed)
    last = part.conv_norm(f"features.{len(blocks) + 1}", n_in, 6 * n_in, 1)
    part.linear("classifier.0", last, hidden)
    part.linear("classifier.3", hidden, classes)
    return part.done(f"mobilenet_v3_{size}", classes=classes)


def _mobile_block(
    part: Builder, name: str, widths: tuple[int, int, int], kernel: int, squeezed: int
) -> int:
    """Add expansion, depthwise convolution, squeeze-and-excitation and projection."""
    n_in, expanded, n_out = widths
    place = 0
    if expanded != n_in:
        part.conv_norm(f"{name}.0", n_in, expanded, 1)
        place = 1
    part.conv_norm(f"{name}.{place}", expanded, expanded, kernel, groups=expanded)
    if squeezed:
        place += 1
        _squeeze_excite(part, f"{name}.{place}", expanded, squeezed)
    return part.conv_norm(f"{name}.{place + 1}", expanded, n_out, 1)


def head_by_outputs(_fan_in: int, fan_out: int) -> float:
    """Return 1/(3 fan_out), EfficientNet's uniform start of bound 1/sqrt(outputs)."""
    return 1 / (3 * fan_out)


EFFICIENT = Start(
    conv=he_out, conv_bias=zero, linear=head_by_outputs, linear_bias=zero, norm="batch"
)


def efficientnet(size: str, classes: int) -> Architecture:
    """Return EfficientNet `b0` to `b7`."""
    width, depth = EFFICIENTNET_SCALES[size]
    part = Builder(EFFICIENT)
    n_in = part.conv_norm("features.0", 3, round_channels(32 * width), 3)
    for stage, (expansion, kernel, outputs, repeats) in enumerate(EFFICIENTNET, start=1):
        n_out = round_channels(outputs * width)
        for index in range(ceil(repeats * depth)):
            name = f"features.{stage}.{index}.block"
            widths = (n_in, round_channels(n_in * expansion), n_out)
            n_in = _mobile_block(part, name, widths, kernel, max(1, n_in // 4))
    last = part.conv_norm(f"features.{len(EFFICIENTNET) + 1}", n_in, 4 * n_in, 1)
    part.linear("classifier.1", last, classes)
    return part.done(f"efficientnet_{size}", classes=classes)


def efficientnet_v2(size: str, classes: int) -> Architecture:
    """Return EfficientNet v2, `s`, `m` or `l`."""
    stages = EFFICIENTNET_V2[size]
    part = Builder(EFFICIENT)
    n_in = part.conv_norm("features.0", 3, stages[0][2], 3)
    for stage, (fused, expansion, n_out, repeats) in enumerate(stages, start=1):
        for index in range(repeats):
            name = f"features.{stage}.{index}.block"
            widths = (n_in, n_in * expansion, n_out)
            if fused:
                n_in = _fused_block(part, name, *widths)
            else:
                n_in = _mobile_block(part, name, widths, 3, n_in // 4)
    last = part.conv_norm(f"features.{len(stages) + 1}", n_in, 1280, 1)
    part.linear("classifier.1", last, classes)
    return part.done(f"efficientnet_v2_{size}", classes=classes)


def _fused_block(part: Builder, name: str, n_in: int, expanded: int, n_out: int) -> int:
    """Add one 3x3 convolution, or a 3x3 expansion and a 1x1 projection."""
    if expanded == n_in:
        return part.conv_norm(f"{name}.0", n_in, n_out, 3)
    part.conv_norm(f"{name}.0", n_in, expanded, 3)
    return part.conv_norm(f"{name}.1", expanded, n_out, 1)
