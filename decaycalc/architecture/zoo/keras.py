"""Networks of keras.applications, by the names of their variables: `conv1_conv/kernel`.

Its ResNets have biases that torchvision's lack. What numbers its layers as they are made
(Inception, NASNet, Xception) is not here.

Source: keras/src/applications/{resnet,resnet_v2,vgg16,vgg19,densenet,mobilenet,mobilenet_v2,
mobilenet_v3,efficientnet,efficientnet_v2}.py (v3.15.1) for rules, names and initialisers, and
keras/src/initializers/random_initializers.py, `compute_fans`.
"""

from collections.abc import Callable
from functools import partial
from math import ceil

from decaycalc.architecture.build import Builder, Start, Variance, glorot, he_out
from decaycalc.architecture.tensors import Architecture, Role
from decaycalc.architecture.zoo import mobile, plain, residual
from decaycalc.architecture.zoo.families import IMAGENET

# Fused or not, expansion, outputs, repeats: EfficientNet v2's B0, which B1 to B3 scale.
_V2_BASE = (
    (True, 1, 16, 1), (True, 4, 32, 2), (True, 4, 48, 2), (False, 4, 96, 3), (False, 6, 112, 5),
    (False, 6, 192, 8),
)  # fmt: skip
_MOBILENET = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)


class _Layers(Builder):
    """Collects tensors as Keras stores them: `(height, width, inputs, outputs)`."""

    def __init__(self, conv: Variance = glorot, linear: Variance = glorot) -> None:
        super().__init__(Start(conv=conv, linear=linear))

    def kernel(self, name: str, n_in: int, n_out: int, size: int, *, bias: bool = False) -> None:
        """Add a convolution, without a bias unless told otherwise."""
        fans = (n_in * size * size, n_out * size * size)
        shape = (size, size, n_in, n_out)
        self.add(f"{name}/kernel", *shape, fans=fans, variance=self.start.conv(*fans))
        if bias:
            self.add(f"{name}/bias", n_out, role=Role.BIAS, fans=fans)

    def depthwise(self, name: str, width: int, size: int) -> None:
        """Add a kernel for each channel, whose fans Keras counts from its shape."""
        place = size * size
        variance = self.start.conv(width * place, place)
        fans = (place, width * place)
        self.add(f"{name}/kernel", size, size, width, 1, fans=fans, variance=variance)

    def batch(self, name: str, width: int) -> None:
        """Add a batch norm."""
        self.add(f"{name}/gamma", width, role=Role.NORM, mean=1.0, norm_kind="batch")
        self.add(f"{name}/beta", width, role=Role.NORM, norm_kind="batch")

    def dense(self, name: str, n_in: int, n_out: int) -> None:
        """Add a dense layer."""
        fans = (n_in, n_out)
        self.add(f"{name}/kernel", *fans, fans=fans, variance=self.start.linear(*fans))
        self.add(f"{name}/bias", n_out, role=Role.BIAS, fans=fans)

    def ended(self, name: str) -> Architecture:
        """Return the network of ImageNet's classes."""
        return self.done(f"keras/{name}", classes=IMAGENET)


def _resnet(name: str, depth: int) -> Architecture:
    part = _Layers()
    part.kernel("conv1_conv", 3, 64, 7, bias=True)
    part.batch("conv1_bn", 64)
    n_in = 64
    for stage, repeats in enumerate(residual.RESNET_STAGES[depth]):
        width = 64 * 2**stage
        for index in range(repeats):
            block = f"conv{stage + 2}_block{index + 1}"
            for layer, inputs, size in (("1", n_in, 1), ("2", width, 3)):
                part.kernel(f"{block}_{layer}_conv", inputs, width, size, bias=True)
                part.batch(f"{block}_{layer}_bn", width)
            last = (("0", n_in), ("3", width))[1 if index else 0 :]
            for layer, inputs in last:
                part.kernel(f"{block}_{layer}_conv", inputs, 4 * width, 1, bias=True)
            for layer, _ in last:
                part.batch(f"{block}_{layer}_bn", 4 * width)
            n_in = 4 * width
    part.dense("predictions", n_in, IMAGENET)
    return part.ended(name)


def _resnet_v2(name: str, depth: int) -> Architecture:
    part = _Layers()
    part.kernel("conv1_conv", 3, 64, 7, bias=True)
    n_in = 64
    for stage, repeats in enumerate(residual.RESNET_STAGES[depth]):
        width = 64 * 2**stage
        for index in range(repeats):
            block = f"conv{stage + 2}_block{index + 1}"
            part.batch(f"{block}_preact_bn", n_in)
            for layer, inputs, size in (("1", n_in, 1), ("2", width, 3)):
                part.kernel(f"{block}_{layer}_conv", inputs, width, size)
                part.batch(f"{block}_{layer}_bn", width)
            if not index:
                part.kernel(f"{block}_0_conv", n_in, 4 * width, 1, bias=True)
            part.kernel(f"{block}_3_conv", width, 4 * width, 1, bias=True)
            n_in = 4 * width
    part.batch("post_bn", n_in)
    part.dense("predictions", n_in, IMAGENET)
    return part.ended(name)


def _vgg(name: str, depth: int) -> Architecture:
    part, n_in = _Layers(), 3
    stages = zip(plain.VGG_STAGES[depth], plain.VGG_WIDTHS, strict=True)
    for stage, (repeats, width) in enumerate(stages, start=1):
        for index in range(1, repeats + 1):
            part.kernel(f"block{stage}_conv{index}", n_in, width, 3, bias=True)
            n_in = width
    part.dense("fc1", 49 * n_in, 4096)
    part.dense("fc2", 4096, 4096)
    part.dense("predictions", 4096, IMAGENET)
    return part.ended(name)


def _densenet(name: str, depth: int) -> Architecture:
    blocks, growth, n_in = residual.DENSENET[depth]
    part = _Layers()
    part.kernel("conv1_conv", 3, n_in, 7)
    part.batch("conv1_bn", n_in)
    for stage, repeats in enumerate(blocks, start=2):
        for index in range(1, repeats + 1):
            block = f"conv{stage}_block{index}"
            part.batch(f"{block}_0_bn", n_in)
            part.kernel(f"{block}_1_conv", n_in, 4 * growth, 1)
            part.batch(f"{block}_1_bn", 4 * growth)
            part.kernel(f"{block}_2_conv", 4 * growth, growth, 3)
            n_in += growth
        if stage <= len(blocks):
            part.batch(f"pool{stage}_bn", n_in)
            part.kernel(f"pool{stage}_conv", n_in, n_in // 2, 1)
            n_in //= 2
    part.batch("bn", n_in)
    part.dense("predictions", n_in, IMAGENET)
    return part.ended(name)


def _mobilenet(name: str) -> Architecture:
    part, n_in = _Layers(), 32
    part.kernel("conv1", 3, n_in, 3)
    part.batch("conv1_bn", n_in)
    for index, n_out in enumerate(_MOBILENET, start=1):
        part.depthwise(f"conv_dw_{index}", n_in, 3)
        part.batch(f"conv_dw_{index}_bn", n_in)
        part.kernel(f"conv_pw_{index}", n_in, n_out, 1)
        part.batch(f"conv_pw_{index}_bn", n_out)
        n_in = n_out
    part.kernel("conv_preds", n_in, IMAGENET, 1, bias=True)
    return part.ended(name)


def _mobilenet_v2(name: str) -> Architecture:
    part, n_in, index = _Layers(), 32, 0
    part.kernel("Conv1", 3, n_in, 3)
    part.batch("bn_Conv1", n_in)
    for expansion, n_out, repeats in mobile.MOBILENET_V2:
        for _ in range(repeats):
            block = f"block_{index}" if index else "expanded_conv"
            inner = n_in * expansion
            if index:
                part.kernel(f"{block}_expand", n_in, inner, 1)
                part.batch(f"{block}_expand_BN", inner)
            part.depthwise(f"{block}_depthwise", inner, 3)
            part.batch(f"{block}_depthwise_BN", inner)
            part.kernel(f"{block}_project", inner, n_out, 1)
            part.batch(f"{block}_project_BN", n_out)
            n_in, index = n_out, index + 1
    part.kernel("Conv_1", n_in, 1280, 1)
    part.batch("Conv_1_bn", 1280)
    part.dense("predictions", 1280, IMAGENET)
    return part.ended(name)


def _mobilenet_v3(name: str, size: str) -> Architecture:
    blocks, hidden = mobile.MOBILENET_V3[size]
    part, n_in = _Layers(), 16
    part.kernel("conv", 3, n_in, 3)
    part.batch("conv_bn", n_in)
    for index, (kernel, inner, n_out, excited) in enumerate(blocks):
        block = f"expanded_conv_{index}" if index else "expanded_conv"
        if index:
            part.kernel(f"{block}_expand", n_in, inner, 1)
            part.batch(f"{block}_expand_bn", inner)
        part.depthwise(f"{block}_depthwise", inner, kernel)
        part.batch(f"{block}_depthwise_bn", inner)
        if excited:
            narrow = mobile.round_channels(inner / 4)
            part.kernel(f"{block}_squeeze_excite_conv", inner, narrow, 1, bias=True)
            part.kernel(f"{block}_squeeze_excite_conv_1", narrow, inner, 1, bias=True)
        part.kernel(f"{block}_project", inner, n_out, 1)
        part.batch(f"{block}_project_bn", n_out)
        n_in = n_out
    part.kernel("conv_1", n_in, 6 * n_in, 1)
    part.batch("conv_1_bn", 6 * n_in)
    part.kernel("conv_2", 6 * n_in, hidden, 1, bias=True)
    part.kernel("logits", hidden, IMAGENET, 1, bias=True)
    return part.ended(name)


def _inverted(
    part: _Layers, name: str, widths: tuple[int, int, int], kernel: int, *, fused: bool, wise: str
) -> int:
    """Add expansion, depthwise convolution (`wise`), squeeze and projection; return the outputs."""
    n_in, inner, n_out = widths
    if inner != n_in:
        part.kernel(f"{name}expand_conv", n_in, inner, kernel if fused else 1)
        part.batch(f"{name}expand_bn", inner)
    if not fused:
        part.depthwise(f"{name}{wise}", inner, kernel)
        part.batch(f"{name}bn", inner)
        narrow = max(1, n_in // 4)
        part.kernel(f"{name}se_reduce", inner, narrow, 1, bias=True)
        part.kernel(f"{name}se_expand", narrow, inner, 1, bias=True)
    part.kernel(f"{name}project_conv", inner, n_out, kernel if fused and inner == n_in else 1)
    part.batch(f"{name}project_bn", n_out)
    return n_out


Stage = tuple[bool, int, int, int, int]
"""A row of blocks: fused or not, expansion, kernel, outputs, repeats."""


def _efficient(name: str, ends: tuple[int, int], stages: list[Stage], *, wise: str) -> Architecture:
    """Return the network of these stages; `ends` are the outputs of its stem and of its top."""
    part = _Layers(he_out, mobile.head_by_outputs)
    n_in, top = ends
    part.kernel("stem_conv", 3, n_in, 3)
    part.batch("stem_bn", n_in)
    for stage, (fused, expansion, kernel, n_out, repeats) in enumerate(stages, start=1):
        for index in range(repeats):
            block = f"block{stage}{chr(ord('a') + index)}_"
            widths = (n_in, n_in * expansion, n_out)
            n_in = _inverted(part, block, widths, kernel, fused=fused, wise=wise)
    part.kernel("top_conv", n_in, top, 1)
    part.batch("top_bn", top)
    part.dense("predictions", top, IMAGENET)
    return part.ended(name)


def _efficientnet(name: str, size: str) -> Architecture:
    width, depth = mobile.EFFICIENTNET_SCALES[size]
    stages = [
        (False, expansion, kernel, mobile.round_channels(outputs * width), ceil(repeats * depth))
        for expansion, kernel, outputs, repeats in mobile.EFFICIENTNET
    ]
    ends = (mobile.round_channels(32 * width), mobile.round_channels(1280 * width))
    return _efficient(name, ends, stages, wise="dwconv")


def _efficientnet_v2(name: str, size: str) -> Architecture:
    known = mobile.EFFICIENTNET_V2.get(size)
    width, depth = (1.0, 1.0) if known else mobile.EFFICIENTNET_SCALES[size]
    stages = [
        (fused, expansion, 3, _nearest(outputs * width), ceil(repeats * depth))
        for fused, expansion, outputs, repeats in known or _V2_BASE
    ]
    stem = known[0][2] if known else _nearest(32 * width)
    return _efficient(name, (stem, _nearest(1280 * width)), stages, wise="dwconv2")


def _nearest(channels: float) -> int:
    return max(8, int(channels + 4) // 8 * 8)


def _models() -> dict[str, Callable[[str], Architecture]]:
    rules: dict[str, Callable[[str], Architecture]] = {
        "MobileNet": _mobilenet,
        "MobileNetV2": _mobilenet_v2,
        "MobileNetV3Large": partial(_mobilenet_v3, size="large"),
        "MobileNetV3Small": partial(_mobilenet_v3, size="small"),
    }
    for depth in (50, 101, 152):
        rules[f"ResNet{depth}"] = partial(_resnet, depth=depth)
        rules[f"ResNet{depth}V2"] = partial(_resnet_v2, depth=depth)
    for depth in (16, 19):
        rules[f"VGG{depth}"] = partial(_vgg, depth=depth)
    for depth in (121, 169, 201):
        rules[f"DenseNet{depth}"] = partial(_densenet, depth=depth)
    for size in mobile.EFFICIENTNET_SCALES:
        rules[f"EfficientNet{size.upper()}"] = partial(_efficientnet, size=size)
    for size in ("b0", "b1", "b2", "b3", *mobile.EFFICIENTNET_V2):
        rules[f"EfficientNetV2{size.upper()}"] = partial(_efficientnet_v2, size=size)
    return rules


_RULES = _models()
NAMES = tuple(_RULES)


def network(name: str) -> Architecture:
    """Return the network of `NAMES`."""
    return _RULES[name](name)


# The trained weights of those that torchvision spells alike where they are other ones.
_COUNTS = {
    "ResNet50": "25,583,592", "ResNet101": "44,601,832", "ResNet152": "60,268,520",
    "InceptionV3": "23,817,352",
}  # fmt: skip


def notes_on(spelling: str) -> tuple[str, ...]:
    """Return a line for a name that is spelt as Keras spells it but stands for another library's.

    >>> notes_on("ResNet50")
    ("this is not Keras' ResNet50, which has 25,583,592 trained weights: keras/ResNet50",)
    """
    if spelling not in {*NAMES, *_COUNTS}:
        return ()
    other = f"{_COUNTS[spelling]} trained weights" if spelling in _COUNTS else "other tensor names"
    own = f": keras/{spelling}" if spelling in NAMES else ""
    return (f"this is not Keras' {spelling}, which has {other}{own}",)
