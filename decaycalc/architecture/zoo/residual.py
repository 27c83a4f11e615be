"""Residual and densely connected networks, for ImageNet and for CIFAR.

Source: torchvision/models/{resnet,densenet}.py (v0.28) for rules, names and initialisers;
Zagoruyko & Komodakis 2016 (1605.07146) for wide residual networks, names as in the public PyTorch
port (xternalz/WideResNet-pytorch, wideresnet.py); He et al. 2015 (1512.03385), section 4.2, for
the residual networks of 6n+2 layers.
"""

from decaycalc.architecture.build import Builder, Start, he_in, he_out, torch_uniform, zero
from decaycalc.architecture.tensors import Architecture

RESNET_STAGES = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
DENSENET = {
    # blocks, growth rate, filters of the first layer
    121: ((6, 12, 24, 16), 32, 64),
    161: ((6, 12, 36, 24), 48, 96),
    169: ((6, 12, 32, 32), 32, 64),
    201: ((6, 12, 48, 32), 32, 64),
}
LEAST_BOTTLENECK = 50  # shallower ResNets have blocks of two convolutions
RESIDUAL = Start(conv=he_out, norm="batch")


def resnet(
    depth: int,
    classes: int,
    *,
    name: str,
    groups: int = 1,
    width: int = 64,
    small_images: bool = False,
) -> Architecture:
    """Return a residual network, ResNeXt (`groups`) or wide ResNet (`width` a group of 64).

    `small_images` has the 3x3 first layer that CIFAR's networks use in place of 7x7.
    """
    part = Builder(RESIDUAL)
    part.conv("conv1", 3, 64, 3 if small_images else 7, bias=False)
    part.norm("bn1", 64)
    n_in = 64
    for stage, repeats in enumerate(RESNET_STAGES[depth]):
        planes = 64 * 2**stage
        for index in range(repeats):
            block = f"layer{stage + 1}.{index}"
            if depth < LEAST_BOTTLENECK:
                n_in = _basic(part, block, n_in, planes, shortcut=index == 0 and stage > 0)
            else:
                inner = planes * width // 64 * groups
                first = index == 0
                n_in = _bottleneck(
                    part, block, n_in, planes, inner=inner, groups=groups, shortcut=first
                )
    part.linear("fc", n_in, classes)
    return part.done(name, classes=classes)


def _basic(part: Builder, name: str, n_in: int, n_out: int, *, shortcut: bool) -> int:
    """Add a block of two 3x3 convolutions; return its number of outputs."""
    part.conv_norm(name, n_in, n_out, 3, layers=("conv1", "bn1"))
    part.conv_norm(name, n_out, n_out, 3, layers=("conv2", "bn2"))
    if shortcut:
        part.conv_norm(f"{name}.downsample", n_in, n_out, 1)
    return n_out


def _bottleneck(
    part: Builder, name: str, n_in: int, planes: int, *, inner: int, groups: int, shortcut: bool
) -> int:
    """Add a block of 1x1, 3x3 and 1x1 convolutions; return its number of outputs."""
    n_out = 4 * planes
    part.conv_norm(name, n_in, inner, 1, layers=("conv1", "bn1"))
    part.conv_norm(name, inner, inner, 3, groups=groups, layers=("conv2", "bn2"))
    part.conv_norm(name, inner, n_out, 1, layers=("conv3", "bn3"))
    if shortcut:
        part.conv_norm(f"{name}.downsample", n_in, n_out, 1)
    return n_out


def resnet_6n2(depth: int, classes: int) -> Architecture:
    """Return the CIFAR residual network of 6n+2 layers, with shortcuts that hold no weights."""
    part = Builder(Start(conv=he_in, linear=he_in, norm="batch"))
    part.conv("conv1", 3, 16, 3, bias=False)
    part.norm("bn1", 16)
    n_in = 16
    for stage, width in enumerate((16, 32, 64), start=1):
        for index in range((depth - 2) // 6):
            n_in = _basic(part, f"layer{stage}.{index}", n_in, width, shortcut=False)
    part.linear("linear", 64, classes)
    return part.done(f"resnet{depth}", classes=classes)


def wide_resnet(depth: int, factor: int, classes: int) -> Architecture:
    """Return WRN-depth-factor for CIFAR: norm before convolution, three stages of (depth-4)/6."""
    part = Builder(Start(conv=he_out, linear_bias=zero, norm="batch"))
    part.conv("conv1", 3, 16, 3, bias=False)
    n_in = 16
    for stage, base in enumerate((16, 32, 64), start=1):
        n_out = base * factor
        for index in range((depth - 4) // 6):
            _preactivated(part, f"block{stage}.layer.{index}", n_in, n_out)
            n_in = n_out
    part.norm("bn1", n_in)
    part.linear("fc", n_in, classes)
    return part.done(f"wrn-{depth}-{factor}", classes=classes)


def _preactivated(part: Builder, name: str, n_in: int, n_out: int) -> None:
    """Add a block whose norms stand before its two 3x3 convolutions."""
    part.norm(f"{name}.bn1", n_in)
    part.conv(f"{name}.conv1", n_in, n_out, 3, bias=False)
    part.norm(f"{name}.bn2", n_out)
    part.conv(f"{name}.conv2", n_out, n_out, 3, bias=False)
    if n_in != n_out:
        part.conv(f"{name}.convShortcut", n_in, n_out, 1, bias=False)


def densenet(depth: int, classes: int) -> Architecture:
    """Return DenseNet-BC of 121, 161, 169 or 201 layers (Huang et al. 2016, 1608.06993)."""
    blocks, growth, n_in = DENSENET[depth]
    part = Builder(Start(conv=he_in, linear=torch_uniform, linear_bias=zero, norm="batch"))
    part.conv_norm("features", 3, n_in, 7, layers=("conv0", "norm0"))
    for number, repeats in enumerate(blocks, start=1):
        for index in range(1, repeats + 1):
            layer = f"features.denseblock{number}.denselayer{index}"
            part.norm(f"{layer}.norm1", n_in)
            part.conv(f"{layer}.conv1", n_in, 4 * growth, 1, bias=False)
            part.norm(f"{layer}.norm2", 4 * growth)
            part.conv(f"{layer}.conv2", 4 * growth, growth, 3, bias=False)
            n_in += growth
        if number < len(blocks):
            part.norm(f"features.transition{number}.norm", n_in)
            part.conv(f"features.transition{number}.conv", n_in, n_in // 2, 1, bias=False)
            n_in //= 2
    part.norm("features.norm5", n_in)
    part.linear("classifier", n_in, classes)
    return part.done(f"densenet{depth}", classes=classes)
