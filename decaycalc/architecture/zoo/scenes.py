"""torchvision's networks for pixels and for films: DeepLab v3, FCN, LR-ASPP; R3D, MC3, R(2+1)D.

S3D and Swin 3D as well. A segmenter is what its builder makes: on weights of ImageNet, without the
auxiliary classifier.

Source: torchvision/models/segmentation/{deeplabv3,fcn,lraspp}.py and video/{resnet,s3d,
swin_transformer}.py (v0.28). How a segmenter's weights start is not told here.
"""

from decaycalc.architecture.build import Builder, Start, he_out, normal, torch_uniform, zero
from decaycalc.architecture.tensors import Architecture, Role
from decaycalc.architecture.zoo import mobile, residual
from decaycalc.architecture.zoo.detection import UNTOLD, bodied
from decaycalc.architecture.zoo.plain import GOOGLENET_BLOCKS
from decaycalc.architecture.zoo.vision import STD, SWIN
from decaycalc.record import replace

PIXEL_CLASSES = 21  # Pascal VOC's, the background among them
FILM_CLASSES = 400  # of Kinetics
SEGMENTERS = (
    "deeplabv3_resnet50", "deeplabv3_resnet101", "deeplabv3_mobilenet_v3_large", "fcn_resnet50",
    "fcn_resnet101", "lraspp_mobilenet_v3_large",
)  # fmt: skip
FILM_RESNETS = ("r3d_18", "mc3_18", "r2plus1d_18")


def segmenter(name: str) -> Architecture:
    """Return one of `SEGMENTERS`."""
    head, _, body = name.partition("_")
    part = Builder(UNTOLD)
    if body.startswith("resnet"):
        width = 2048
        net = residual.resnet(int(body.removeprefix("resnet")), 1, name=body)
    else:
        width, net = 960, mobile.mobilenet_v3("large", 1)
    part.tensors += bodied(net, "backbone.", cut="features.")
    if head == "lraspp":
        part.conv_norm("classifier.cbr", width, 128, 1)
        part.conv("classifier.scale.1", width, 128, 1, bias=False)
        part.conv("classifier.low_classifier", 40, PIXEL_CLASSES, 1)
        part.conv("classifier.high_classifier", 128, PIXEL_CLASSES, 1)
        return part.done(name, classes=PIXEL_CLASSES)
    (_fcn if head == "fcn" else _deeplab)(part, width)
    note = "without the auxiliary classifier, which aux_loss=True adds"
    return replace(part.done(name, classes=PIXEL_CLASSES), notes=(note,))


def _fcn(part: Builder, width: int) -> None:
    part.conv_norm("classifier", width, width // 4, 3)
    part.conv("classifier.4", width // 4, PIXEL_CLASSES, 1)


def _deeplab(part: Builder, width: int) -> None:
    """Add the pyramid of dilated convolutions and the classifier of pixels."""
    for index, kernel in enumerate((1, 3, 3, 3)):
        part.conv_norm(f"classifier.0.convs.{index}", width, 256, kernel)
    part.conv_norm("classifier.0.convs.4", width, 256, 1, layers=("1", "2"))
    part.conv_norm("classifier.0.project", 5 * 256, 256, 1)
    part.conv_norm("classifier", 256, 256, 3, layers=("1", "2"))
    part.conv("classifier.4", 256, PIXEL_CLASSES, 1)


def film_resnet(name: str) -> Architecture:
    """Return a residual network of 18 layers over films: `r3d_18`, `mc3_18` or `r2plus1d_18`.

    MC3's later stages look at one frame at a time; R(2+1)D's convolutions are a square and a line.
    """
    small = normal(0.01)
    part = Builder(Start(conv=he_out, linear=small, linear_bias=zero, norm="batch"))
    if name.startswith("r2"):
        part.conv_norm("stem", 3, 45, 1, 7, 7)
        part.conv_norm("stem", 45, 64, 3, 1, 1, layers=("3", "4"))
    else:
        part.conv_norm("stem", 3, 64, 3, 7, 7)
    n_in = 64
    for stage in range(1, 5):
        n_out = 32 * 2**stage
        for index in range(2):
            block = f"layer{stage}.{index}"
            _film_convolution(part, f"{block}.conv1", name, stage, (n_in, n_in, n_out))
            _film_convolution(part, f"{block}.conv2", name, stage, (n_in, n_out, n_out))
            if n_in != n_out:
                part.conv_norm(f"{block}.downsample", n_in, n_out, 1, 1, 1)
            n_in = n_out
    part.linear("fc", 512, FILM_CLASSES)
    return part.done(name, classes=FILM_CLASSES)


def _film_convolution(
    part: Builder, name: str, kind: str, stage: int, widths: tuple[int, int, int]
) -> None:
    """Add a convolution and its norm; `widths` are the block's inputs, its own, and its outputs."""
    block, n_in, n_out = widths
    if not kind.startswith("r2"):
        frames = 1 if kind.startswith("mc") and stage > 1 else 3
        part.conv_norm(name, n_in, n_out, frames, 3, 3)
        return
    middle = block * n_out * 27 // (block * 9 + 3 * n_out)
    part.conv_norm(f"{name}.0", n_in, middle, 1, 3, 3)
    part.conv(f"{name}.0.3", middle, n_out, 3, 1, 1, bias=False)
    part.norm(f"{name}.1", n_out)


def s3d(name: str = "s3d") -> Architecture:
    """Return S3D: GoogLeNet over films, its kernels a square and a line."""
    part = Builder(Start(norm="batch"))
    _separable(part, "features.0", 3, 64, 7)
    part.conv_norm("features.2", 64, 64, 1, 1, 1)
    _separable(part, "features.3", 64, 192, 3)
    n_in, index = 192, 5
    for block, *widths in GOOGLENET_BLOCKS:
        index += block in {"4a", "5a"}  # a pooling before it
        n_in = _film_inception(part, f"features.{index}", n_in, *widths)
        index += 1
    part.conv("classifier.1", 1024, FILM_CLASSES, 1, 1, 1)
    return part.done(name, classes=FILM_CLASSES)


def _separable(part: Builder, name: str, n_in: int, n_out: int, kernel: int) -> None:
    part.conv_norm(f"{name}.0", n_in, n_out, 1, kernel, kernel)
    part.conv_norm(f"{name}.1", n_out, n_out, kernel, 1, 1)


def _film_inception(part: Builder, name: str, n_in: int, *widths: int) -> int:
    """Add one block of four branches; return its number of outputs."""
    one, three_in, three, five_in, five, pooled = widths
    part.conv_norm(f"{name}.branch0", n_in, one, 1, 1, 1)
    for branch, inner, n_out in (("branch1", three_in, three), ("branch2", five_in, five)):
        part.conv_norm(f"{name}.{branch}.0", n_in, inner, 1, 1, 1)
        _separable(part, f"{name}.{branch}.1", inner, n_out, 3)
    part.conv_norm(f"{name}.branch3.1", n_in, pooled, 1, 1, 1)
    return one + three + five + pooled


def swin3d(size: str) -> Architecture:
    """Return Swin over films, with windows of 8 frames of 7x7 patches."""
    width, depths, heads = SWIN[size]
    part = Builder(Start(conv=torch_uniform, linear=STD, linear_bias=zero))
    part.conv("patch_embed.proj", 3, width, 2, 4, 4)
    part.norm("patch_embed.norm", width)
    for stage, (repeats, n_heads) in enumerate(zip(depths, heads, strict=True)):
        for index in range(repeats):
            _film_window(part, f"features.{2 * stage}.{index}", width, n_heads)
        if stage < len(depths) - 1:
            merge = f"features.{2 * stage + 1}"
            part.linear(f"{merge}.reduction", 4 * width, 2 * width, bias=False)
            part.norm(f"{merge}.norm", 4 * width)
            width *= 2
    part.norm("norm", width)
    part.linear("head", width, FILM_CLASSES)
    return part.done(f"swin3d_{size}", classes=FILM_CLASSES)


def _film_window(part: Builder, name: str, width: int, heads: int) -> None:
    part.norm(f"{name}.norm1", width)
    table = f"{name}.attn.relative_position_bias_table"
    part.add(table, 15 * 13 * 13, heads, role=Role.POSITION, variance=0.02**2)
    part.linear(f"{name}.attn.qkv", width, 3 * width)
    part.linear(f"{name}.attn.proj", width, width)
    part.norm(f"{name}.norm2", width)
    part.feed_forward(f"{name}.mlp", ("0", "3"), width, 4 * width)
