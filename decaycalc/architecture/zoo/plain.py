"""Networks without shortcuts: LeNet, AlexNet, VGG, SqueezeNet, GoogLeNet, Inception v3.

Source: torchvision/models/{alexnet,vgg,squeezenet,googlenet,inception}.py (v0.28) for rules, names
and initialisers; Caffe examples/mnist/lenet_train_test.prototxt for LeNet-5.
"""

from decaycalc.architecture.build import (
    Builder,
    Start,
    Variance,
    he_in,
    he_out,
    lecun,
    normal,
    zero,
)
from decaycalc.architecture.inline import parse_inline
from decaycalc.architecture.tensors import Architecture

VGG_STAGES = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
VGG_WIDTHS = (64, 128, 256, 512, 512)


def lenet_300_100(classes: int) -> Architecture:
    """Return the dense network 784-300-100-classes (LeCun 1998)."""
    return parse_inline(f"784-300-100-{classes}")


def lenet_5(classes: int) -> Architecture:
    """Return Caffe's LeNet-5: 20 and 50 filters of 5x5, 500 hidden units, no padding."""
    part = Builder(Start(conv=lecun, linear=lecun, conv_bias=zero, linear_bias=zero, norm="batch"))
    part.conv("conv1", 1, 20, 5)
    part.conv("conv2", 20, 50, 5)
    part.linear("ip1", 800, 500)
    part.linear("ip2", 500, classes)
    return part.done("lenet-5", classes=classes)


def alexnet(classes: int) -> Architecture:
    """Return AlexNet with one tower (Krizhevsky 2014, arXiv 1404.5997)."""
    part = Builder()
    widths = (
        (0, 3, 64, 11),
        (3, 64, 192, 5),
        (6, 192, 384, 3),
        (8, 384, 256, 3),
        (10, 256, 256, 3),
    )
    for index, n_in, n_out, kernel in widths:
        part.conv(f"features.{index}", n_in, n_out, kernel)
    part.linear("classifier.1", 256 * 36, 4096)
    part.linear("classifier.4", 4096, 4096)
    part.linear("classifier.6", 4096, classes)
    return part.done("alexnet", classes=classes)


def vgg(depth: int, classes: int, *, batch_norm: bool) -> Architecture:
    """Return VGG of 11, 13, 16 or 19 layers (Simonyan & Zisserman 2014)."""
    part = _vgg_features(depth, batch_norm=batch_norm)
    part.linear("classifier.0", 512 * 49, 4096)
    part.linear("classifier.3", 4096, 4096)
    part.linear("classifier.6", 4096, classes)
    return part.done(f"vgg{depth}{'_bn' if batch_norm else ''}", classes=classes)


def timm_vgg(depth: int, classes: int, *, batch_norm: bool) -> Architecture:
    """Return VGG as timm has it, its dense layers before the last one as convolutions.

    Source: timm/models/vgg.py (v1.0.31).
    """
    part = _vgg_features(depth, batch_norm=batch_norm)
    part.conv("pre_logits.fc1", 512, 4096, 7)
    part.conv("pre_logits.fc2", 4096, 4096, 1)
    part.linear("head.fc", 4096, classes)
    return part.done(f"timm/vgg{depth}{'_bn' if batch_norm else ''}", classes=classes)


def _vgg_features(depth: int, *, batch_norm: bool) -> Builder:
    """Return what collects VGG's tensors, with its convolutions of 3x3."""
    small = normal(0.01)
    part = Builder(Start(conv=he_out, conv_bias=zero, linear=small, linear_bias=zero, norm="batch"))
    n_in, index = 3, 0
    for repeats, width in zip(VGG_STAGES[depth], VGG_WIDTHS, strict=True):
        for _ in range(repeats):
            part.conv(f"features.{index}", n_in, width, 3)
            if batch_norm:
                part.norm(f"features.{index + 1}", width)
            n_in, index = width, index + 2 + batch_norm
        index += 1
    return part


def squeezenet(version: str, classes: int) -> Architecture:
    """Return SqueezeNet 1.0 or 1.1 (Iandola et al. 2016, arXiv 1602.07360)."""
    part = Builder(Start(conv=he_in, conv_bias=zero, norm="batch"))
    first = version == "1_0"
    part.conv("features.0", 3, 96 if first else 64, 7 if first else 3)
    places = (3, 4, 5, 7, 8, 9, 10, 12) if first else (3, 4, 6, 7, 9, 10, 11, 12)
    n_in = 96 if first else 64
    for place, squeeze in zip(places, (16, 16, 32, 32, 48, 48, 64, 64), strict=True):
        name = f"features.{place}"
        part.conv(f"{name}.squeeze", n_in, squeeze, 1)
        part.conv(f"{name}.expand1x1", squeeze, 4 * squeeze, 1)
        part.conv(f"{name}.expand3x3", squeeze, 4 * squeeze, 3)
        n_in = 8 * squeeze
    part.conv("classifier.1", 512, classes, 1, rule=normal(0.01))
    return part.done(f"squeezenet{version}", classes=classes)


def conv_norm(
    part: Builder, name: str, n_in: int, n_out: int, *kernel: int, rule: Variance | None = None
) -> int:
    """Add a convolution without bias and its batch norm; return the number of outputs."""
    return part.conv_norm(name, n_in, n_out, *kernel, layers=("conv", "bn"), rule=rule)


GOOGLENET_BLOCKS = (
    # name, 1x1, 3x3 reduced, 3x3, 5x5 reduced, 5x5, pooled
    ("3a", 64, 96, 128, 16, 32, 32),
    ("3b", 128, 128, 192, 32, 96, 64),
    ("4a", 192, 96, 208, 16, 48, 64),
    ("4b", 160, 112, 224, 24, 64, 64),
    ("4c", 128, 128, 256, 24, 64, 64),
    ("4d", 112, 144, 288, 32, 64, 64),
    ("4e", 256, 160, 320, 32, 128, 128),
    ("5a", 256, 160, 320, 32, 128, 128),
    ("5b", 384, 192, 384, 48, 128, 128),
)


def googlenet(classes: int, *, auxiliary: bool) -> Architecture:
    """Return GoogLeNet with batch norm; its 5x5 branches are 3x3, as in torchvision.

    Source: torchvision/models/googlenet.py; Szegedy et al. 2014, arXiv 1409.4842.
    """
    small = normal(0.01)
    part = Builder(Start(conv=small, linear=small, norm="batch"))
    conv_norm(part, "conv1", 3, 64, 7)
    conv_norm(part, "conv2", 64, 64, 1)
    n_in = conv_norm(part, "conv3", 64, 192, 3)
    for name, *widths in GOOGLENET_BLOCKS:
        n_in = _googlenet_block(part, f"inception{name}", n_in, *widths)
    if auxiliary:
        for name, width in (("aux1", 512), ("aux2", 528)):
            conv_norm(part, f"{name}.conv", width, 128, 1)
            part.linear(f"{name}.fc1", 2048, 1024)
            part.linear(f"{name}.fc2", 1024, classes)
    part.linear("fc", 1024, classes)
    return part.done("googlenet", classes=classes)


def _googlenet_block(part: Builder, name: str, n_in: int, *widths: int) -> int:
    """Add one block of four branches; return its number of outputs."""
    one, three_in, three, five_in, five, pooled = widths
    conv_norm(part, f"{name}.branch1", n_in, one, 1)
    conv_norm(part, f"{name}.branch2.0", n_in, three_in, 1)
    conv_norm(part, f"{name}.branch2.1", three_in, three, 3)
    conv_norm(part, f"{name}.branch3.0", n_in, five_in, 1)
    conv_norm(part, f"{name}.branch3.1", five_in, five, 3)
    conv_norm(part, f"{name}.branch4.1", n_in, pooled, 1)
    return one + three + five + pooled


Row = tuple[str, int, int, tuple[int, ...]]
"""One convolution of a block: branch, inputs (0 for the block's own), outputs, kernel."""

_DOUBLE_3 = (
    ("branch3x3dbl_1", 0, 64, (1,)),
    ("branch3x3dbl_2", 64, 96, (3,)),
    ("branch3x3dbl_3", 96, 96, (3,)),
)
_BLOCK_A = (
    ("branch1x1", 0, 64, (1,)),
    ("branch5x5_1", 0, 48, (1,)),
    ("branch5x5_2", 48, 64, (5,)),
    *_DOUBLE_3,
)
_BLOCK_B = (("branch3x3", 0, 384, (3,)), *_DOUBLE_3)
_BLOCK_D = (
    ("branch3x3_1", 0, 192, (1,)),
    ("branch3x3_2", 192, 320, (3,)),
    ("branch7x7x3_1", 0, 192, (1,)),
    ("branch7x7x3_2", 192, 192, (1, 7)),
    ("branch7x7x3_3", 192, 192, (7, 1)),
    ("branch7x7x3_4", 192, 192, (3,)),
)
_BLOCK_E = (
    ("branch1x1", 0, 320, (1,)),
    ("branch3x3_1", 0, 384, (1,)),
    ("branch3x3_2a", 384, 384, (1, 3)),
    ("branch3x3_2b", 384, 384, (3, 1)),
    ("branch3x3dbl_1", 0, 448, (1,)),
    ("branch3x3dbl_2", 448, 384, (3,)),
    ("branch3x3dbl_3a", 384, 384, (1, 3)),
    ("branch3x3dbl_3b", 384, 384, (3, 1)),
    ("branch_pool", 0, 192, (1,)),
)


def _block_c(width: int) -> tuple[Row, ...]:
    """Return the rows of a block with factorised 7x7 branches of `width` filters."""
    return (
        ("branch1x1", 0, 192, (1,)),
        ("branch7x7_1", 0, width, (1,)),
        ("branch7x7_2", width, width, (1, 7)),
        ("branch7x7_3", width, 192, (7, 1)),
        ("branch7x7dbl_1", 0, width, (1,)),
        ("branch7x7dbl_2", width, width, (7, 1)),
        ("branch7x7dbl_3", width, width, (1, 7)),
        ("branch7x7dbl_4", width, width, (7, 1)),
        ("branch7x7dbl_5", width, 192, (1, 7)),
        ("branch_pool", 0, 192, (1,)),
    )


INCEPTION_STEM = (
    ("Conv2d_1a_3x3", 3, 32, 3),
    ("Conv2d_2a_3x3", 32, 32, 3),
    ("Conv2d_2b_3x3", 32, 64, 3),
    ("Conv2d_3b_1x1", 64, 80, 1),
    ("Conv2d_4a_3x3", 80, 192, 3),
)
INCEPTION_BLOCKS: tuple[tuple[str, int, tuple[Row, ...]], ...] = (
    ("Mixed_5b", 192, (*_BLOCK_A, ("branch_pool", 0, 32, (1,)))),
    ("Mixed_5c", 256, (*_BLOCK_A, ("branch_pool", 0, 64, (1,)))),
    ("Mixed_5d", 288, (*_BLOCK_A, ("branch_pool", 0, 64, (1,)))),
    ("Mixed_6a", 288, _BLOCK_B),
    ("Mixed_6b", 768, _block_c(128)),
    ("Mixed_6c", 768, _block_c(160)),
    ("Mixed_6d", 768, _block_c(160)),
    ("Mixed_6e", 768, _block_c(192)),
    ("AuxLogits", 768, ()),
    ("Mixed_7a", 768, _BLOCK_D),
    ("Mixed_7b", 1280, _BLOCK_E),
    ("Mixed_7c", 2048, _BLOCK_E),
)


def inception_v3(classes: int, *, auxiliary: bool) -> Architecture:
    """Return Inception v3, with its auxiliary head if asked (Szegedy et al. 2015, 1512.00567)."""
    wide = normal(0.1)
    part = Builder(Start(conv=wide, linear=wide, norm="batch"))
    for name, n_in, n_out, kernel in INCEPTION_STEM:
        conv_norm(part, name, n_in, n_out, kernel)
    for block, n_in, rows in INCEPTION_BLOCKS:
        for branch, inner, n_out, kernels in rows:
            conv_norm(part, f"{block}.{branch}", inner or n_in, n_out, *kernels)
        if auxiliary and not rows:
            conv_norm(part, f"{block}.conv0", n_in, 128, 1)
            conv_norm(part, f"{block}.conv1", 128, 768, 5)
            part.linear(f"{block}.fc", 768, classes, rule=normal(0.001))
    part.linear("fc", 2048, classes)
    return part.done("inception_v3", classes=classes)
