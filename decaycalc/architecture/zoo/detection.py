"""torchvision's detectors, as its builders make them: on weights of ImageNet, or v2 from scratch.

A backbone with weights has its first layers frozen, and its batch norms too, as buffers.

Source: torchvision/models/detection/{backbone_utils,faster_rcnn,mask_rcnn,keypoint_rcnn,retinanet,
fcos,ssd}.py and ops/feature_pyramid_network.py (v0.28). How their weights start is not told here.
"""

from collections.abc import Iterable

from decaycalc.architecture.build import Builder, Start, unknown
from decaycalc.architecture.tensors import Architecture, Role, Tensor, untrained_notes
from decaycalc.architecture.zoo import mobile, plain, residual
from decaycalc.record import Record, alike, replace

CLASSES = 91  # of COCO, the background among them
WIDTH = 256  # of the pyramid
UNTOLD = Start(conv=unknown, conv_bias=unknown, linear=unknown, linear_bias=unknown, norm="batch")
_STEM = r"^backbone\.body\.(?:conv1|layer1)\."
_MOBILE_STEM = r"^backbone\.body\.[0-6]\."
_SSD_STEM = r"^backbone\.features\.[02]\."


def bodied(net: Architecture, prefix: str, *, cut: str = "", norms: bool = True) -> list[Tensor]:
    """Return a network's tensors without its classifier, under a prefix in place of `cut`."""
    kept = (each for each in net.tensors if not each.name.startswith(("fc.", "classifier.")))
    return [
        alike(each, name=prefix + each.name.removeprefix(cut), init_variance=None)
        for each in kept
        if norms or each.role is not Role.NORM
    ]


class Detector(Record):
    """A detector's parts: `pyramid` are the widths that it reads, `head` what stands on it.

    `scratch` is the second version's: trained norms in the backbone, and norms in the heads, in the
    pyramid unless there is `further`, its two coarser levels, the first one from so many channels.
    """

    head: str
    pyramid: tuple[int, ...] = (256, 512, 1024, 2048)
    scratch: bool = False
    further: int = 0
    anchors: int = 3
    classes: int = CLASSES


_THREE = (512, 1024, 2048)
DETECTORS = {
    "fasterrcnn_resnet50_fpn": Detector(head="boxes"),
    "fasterrcnn_resnet50_fpn_v2": Detector(head="boxes", scratch=True),
    "fasterrcnn_mobilenet_v3_large_fpn": Detector(head="boxes", pyramid=(160, 960), anchors=15),
    "fasterrcnn_mobilenet_v3_large_320_fpn": Detector(head="boxes", pyramid=(160, 960), anchors=15),
    "maskrcnn_resnet50_fpn": Detector(head="masks"),
    "maskrcnn_resnet50_fpn_v2": Detector(head="masks", scratch=True),
    "keypointrcnn_resnet50_fpn": Detector(head="keypoints", classes=2),
    "retinanet_resnet50_fpn": Detector(head="retina", pyramid=_THREE, further=WIDTH),
    "retinanet_resnet50_fpn_v2": Detector(
        head="retina", pyramid=_THREE, further=2048, scratch=True
    ),
    "fcos_resnet50_fpn": Detector(head="fcos", pyramid=_THREE, further=WIDTH),
}


def detector(name: str) -> Architecture:
    """Return the detector of `DETECTORS` of that name, with COCO's classes."""
    parts, part = DETECTORS[name], Builder(UNTOLD)
    small = "mobilenet" in name
    if small:
        body, stem = mobile.mobilenet_v3("large", 1), _MOBILE_STEM
    else:
        body, stem = residual.resnet(50, 1, name=name), _STEM
    part.tensors += bodied(body, "backbone.body.", cut="features.", norms=parts.scratch)
    norm = "batch" if parts.scratch and not parts.further else ""
    for rows, kernel in (("inner_blocks", 1), ("layer_blocks", 3)):
        for level, width in enumerate(parts.pyramid):
            place = f"backbone.fpn.{rows}.{level}"
            _layer(part, place, width if kernel == 1 else WIDTH, WIDTH, kernel, norm=norm)
    if parts.further:
        part.conv("backbone.fpn.extra_blocks.p6", parts.further, WIDTH, 3)
        part.conv("backbone.fpn.extra_blocks.p7", WIDTH, WIDTH, 3)
        _dense_head(part, parts)
    else:
        _two_stages(part, parts)
    net = part.done(name, classes=parts.classes)
    return net if parts.scratch else replace(net, notes=untrained_notes(net, stem))


def _layer(part: Builder, name: str, n_in: int, n_out: int, kernel: int, *, norm: str = "") -> None:
    """Add a convolution with a norm of that kind, or with a bias."""
    part.conv(f"{name}.0", n_in, n_out, kernel, bias=not norm)
    if norm:
        part.norm(f"{name}.1", n_out, kind=norm)


def _two_stages(part: Builder, parts: Detector) -> None:
    """Add the proposals of regions and the heads on a region of 7x7, or 14x14 for its mask."""
    for index in range(1 + parts.scratch):
        _layer(part, f"rpn.head.conv.{index}", WIDTH, WIDTH, 3)
    part.conv("rpn.head.cls_logits", WIDTH, parts.anchors, 1)
    part.conv("rpn.head.bbox_pred", WIDTH, 4 * parts.anchors, 1)
    head = "roi_heads.box_head"
    if parts.scratch:
        _layers(part, head, norm="batch")
        part.linear(f"{head}.5", 49 * WIDTH, 1024)
    else:
        part.linear(f"{head}.fc6", 49 * WIDTH, 1024)
        part.linear(f"{head}.fc7", 1024, 1024)
    part.linear("roi_heads.box_predictor.cls_score", 1024, parts.classes)
    part.linear("roi_heads.box_predictor.bbox_pred", 1024, 4 * parts.classes)
    if parts.head == "masks":
        _layers(part, "roi_heads.mask_head", norm="batch" if parts.scratch else "")
        part.conv("roi_heads.mask_predictor.conv5_mask", WIDTH, WIDTH, 2)
        part.conv("roi_heads.mask_predictor.mask_fcn_logits", WIDTH, parts.classes, 1)
    if parts.head == "keypoints":
        for index in range(8):
            name = f"roi_heads.keypoint_head.{2 * index}"
            part.conv(name, 512 if index else WIDTH, 512, 3)
        lowest = "roi_heads.keypoint_predictor.kps_score_lowres"
        part.add(f"{lowest}.weight", 512, 17, 4, 4, variance=None)
        part.add(f"{lowest}.bias", 17, role=Role.BIAS, variance=None)


def _layers(part: Builder, name: str, *, norm: str) -> None:
    for index in range(4):
        _layer(part, f"{name}.{index}", WIDTH, WIDTH, 3, norm=norm)


def _dense_head(part: Builder, parts: Detector) -> None:
    """Add the heads that look at each place: RetinaNet's nine anchors, or FCOS's none."""
    retina = parts.head == "retina"
    anchors = 9 if retina else 1
    boxes = (("bbox_reg", 4 * anchors), ("bbox_ctrness", 1))
    for task, layers in (
        ("classification", (("cls_logits", anchors * parts.classes),)),
        ("regression", boxes[:1] if retina else boxes),
    ):
        name = f"head.{task}_head"
        if retina:
            _layers(part, f"{name}.conv", norm="group" if parts.scratch else "")
        else:
            for index in range(0, 12, 3):
                part.conv(f"{name}.conv.{index}", WIDTH, WIDTH, 3)
                part.norm(f"{name}.conv.{index + 1}", WIDTH, kind="group")
        for layer, width in layers:
            part.conv(f"{name}.{layer}", WIDTH, width, 3)


# The layers that SSD adds to VGG-16: name, inputs, outputs, kernel.
_SSD_EXTRA = (
    ("0.1", 512, 512, 3), ("0.3", 512, 512, 3), ("0.5", 512, 512, 3), ("0.7.1", 512, 1024, 3),
    ("0.7.3", 1024, 1024, 1), ("1.0", 1024, 256, 1), ("1.2", 256, 512, 3), ("2.0", 512, 128, 1),
    ("2.2", 128, 256, 3), ("3.0", 256, 128, 1), ("3.2", 128, 256, 3), ("4.0", 256, 128, 1),
    ("4.2", 128, 256, 3),
)  # fmt: skip
_SSD_LEVELS = ((512, 4), (1024, 6), (512, 6), (256, 6), (256, 4), (256, 4))  # width, anchors


def ssd300(name: str = "ssd300_vgg16") -> Architecture:
    """Return SSD of 300 pixels on VGG-16, whose first two layers are frozen."""
    part = Builder(UNTOLD)
    part.add("backbone.scale_weight", 512, role=Role.OTHER, variance=None)
    vgg = plain.vgg(16, 1, batch_norm=False)
    part.tensors += _until(bodied(vgg, "backbone."), "backbone.features.24.")
    for layer, *sizes in _SSD_EXTRA:
        part.conv(f"backbone.extra.{layer}", *sizes)
    for task, each in (("classification", CLASSES), ("regression", 4)):
        for level, (width, anchors) in enumerate(_SSD_LEVELS):
            part.conv(f"head.{task}_head.module_list.{level}", width, anchors * each, 3)
    net = part.done(name, classes=CLASSES)
    return replace(net, notes=untrained_notes(net, _SSD_STEM))


def _until(tensors: Iterable[Tensor], start: str) -> list[Tensor]:
    """Return the tensors before the first one whose name begins so."""
    found = list(tensors)
    stop = next(index for index, each in enumerate(found) if each.name.startswith(start))
    return found[:stop]
