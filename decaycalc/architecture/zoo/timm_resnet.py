"""timm's ResNets, whose names spell their rules: `seresnext50d_32x4d`, `ecaresnet26t`.

Source: timm/models/resnet.py, layers/squeeze_excite.py and layers/eca.py (v1.0.31).
"""

import re
from math import log2

from decaycalc.architecture.build import Builder, Start, he_out, torch_uniform
from decaycalc.architecture.tensors import Architecture
from decaycalc.record import Record

# Residual blocks of each stage; the ones below 18 and those of BASIC have no bottleneck.
STAGES = {
    10: (1, 1, 1, 1), 14: (1, 1, 1, 1), 18: (2, 2, 2, 2), 26: (2, 2, 2, 2), 34: (3, 4, 6, 3),
    50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3), 200: (3, 24, 36, 3),
    269: (3, 30, 48, 8), 270: (4, 29, 53, 4), 350: (4, 36, 72, 4), 420: (4, 44, 87, 4),
}  # fmt: skip
BASIC = (10, 18, 34)
NAMES = (
    "resnet10t", "resnet14t", "resnet18d", "resnet26", "resnet26d", "resnet26t", "resnet34d",
    "resnet50c", "resnet50d", "resnet50s", "resnet50t", "resnet101c", "resnet101d", "resnet101s",
    "resnet152c", "resnet152d", "resnet152s", "resnet200", "resnet200d", "resnetaa34d",
    "resnetaa50", "resnetaa50d", "resnetaa101d", "resnetblur18", "resnetblur50", "resnetblur50d",
    "resnetblur101d", "resnetrs50", "resnetrs101", "resnetrs152", "resnetrs200", "resnetrs270",
    "resnetrs350", "resnetrs420", "resnext50d_32x4d", "resnext101_32x4d", "resnext101_32x16d",
    "resnext101_32x32d", "seresnet18", "seresnet34", "seresnet50", "seresnet50t", "seresnet101",
    "seresnet152", "seresnet152d", "seresnet200d", "seresnet269d", "seresnetaa50d",
    "seresnext26d_32x4d", "seresnext26t_32x4d", "seresnext50_32x4d", "seresnext101_32x4d",
    "seresnext101_32x8d", "seresnext101_64x4d", "seresnext101d_32x8d", "seresnextaa101d_32x8d",
    "ecaresnet26t", "ecaresnet50d", "ecaresnet50t", "ecaresnet101d", "ecaresnet200d",
    "ecaresnet269d", "ecaresnext26t_32x4d", "ecaresnext50t_32x4d",
)  # fmt: skip
_NAME = re.compile(r"(se|eca|)resne[x]?t(rs|)(?:aa|blur)?(\d+)([cdst]?)(?:_(\d+)x(\d+)d)?")
START = Start(conv=he_out, linear=torch_uniform, linear_bias=torch_uniform, norm="batch")


class _Rules(Record):
    """What the parts of a name say: attention, stem, and the size of the groups."""

    attention: str
    scaled: bool
    depth: int
    stem: str
    groups: int
    width: int

    @property
    def pooled(self) -> bool:
        """Whether a shortcut is pooled before its convolution."""
        return self.stem in {"d", "t"}

    @property
    def expansion(self) -> int:
        """Return how many times a block's width its outputs are."""
        return 1 if self.depth in BASIC else 4

    @property
    def reduction(self) -> int:
        """Return how many times fewer channels a squeeze has."""
        return 4 if self.scaled else 16


def _rules(name: str) -> _Rules:
    match = _NAME.fullmatch(name)
    if match is None:  # pragma: no cover - the names are those above
        raise ValueError(name)
    attention, scaled, depth, stem, groups, width = match.groups()
    return _Rules(
        attention="se" if scaled else attention,
        scaled=bool(scaled),
        depth=int(depth),
        stem="d" if scaled else stem,
        groups=int(groups or 1),
        width=int(width or 64),
    )


def resnet(name: str, classes: int) -> Architecture:
    """Return the ResNet that one of `NAMES` spells."""
    rules, part = _rules(name), Builder(START)
    inputs = _stem(part, rules)
    for stage, repeats in enumerate(STAGES[rules.depth]):
        planes = 64 * 2**stage
        for index in range(repeats):
            block = f"layer{stage + 1}.{index}"
            first = index == 0 and (stage > 0 or inputs != planes * rules.expansion)
            _block(part, block, rules, (inputs, planes), shortcut=first)
            inputs = planes * rules.expansion
    part.linear("fc", inputs, classes)
    return part.done(name, classes=classes)


def _stem(part: Builder, rules: _Rules) -> int:
    """Add one convolution of 7x7 or three of 3x3; return the outputs."""
    if not rules.stem:
        part.conv("conv1", 3, 64, 7, bias=False)
        part.norm("bn1", 64)
        return 64
    width = 64 if rules.stem == "s" else 32
    first = 24 if rules.stem == "t" else width
    part.conv_norm("conv1", 3, first, 3)
    part.conv_norm("conv1", first, width, 3, layers=("3", "4"))
    part.conv("conv1.6", width, 2 * width, 3, bias=False)
    part.norm("bn1", 2 * width)
    if rules.scaled:
        part.conv_norm("maxpool", 2 * width, 2 * width, 3)
    return 2 * width


def _block(
    part: Builder, name: str, rules: _Rules, sizes: tuple[int, int], *, shortcut: bool
) -> None:
    """Add two convolutions, or three with the bottleneck; the last norm starts at 0."""
    inputs, planes = sizes
    outputs = planes * rules.expansion
    width = planes * rules.width // 64 * rules.groups
    plan = [(inputs, planes, 3, 1), (planes, outputs, 3, 1)]
    if rules.expansion > 1:
        plan = [(inputs, width, 1, 1), (width, width, 3, rules.groups), (width, outputs, 1, 1)]
    for index, (n_in, n_out, kernel, groups) in enumerate(plan, start=1):
        part.conv(f"{name}.conv{index}", n_in, n_out, kernel, groups=groups, bias=False)
        part.norm(f"{name}.bn{index}", n_out, gain=float(index < len(plan)))
    _attention(part, name, rules, outputs)
    if shortcut:
        layers = ("1", "2") if rules.pooled else ("0", "1")
        part.conv_norm(f"{name}.downsample", inputs, outputs, 1, layers=layers)


def _attention(part: Builder, name: str, rules: _Rules, channels: int) -> None:
    """Add a squeeze and excitation, or ECA's kernel, which grows with the channels."""
    if rules.attention == "se":
        narrow = max(8, (channels // rules.reduction + 4) // 8 * 8)
        part.conv(f"{name}.se.fc1", channels, narrow, 1)
        part.conv(f"{name}.se.fc2", narrow, channels, 1)
    elif rules.attention == "eca":
        reach = int((log2(channels) + 1) / 2)
        kernel = max(reach + 1 - reach % 2, 3)
        part.conv(f"{name}.se.conv", 1, 1, kernel, bias=False, line=True, rule=torch_uniform)
