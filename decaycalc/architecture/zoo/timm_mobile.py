"""timm's EfficientNets, MobileNets and MNASNets: a word for each row of blocks, as timm writes it.

`ir_r2_k3_e6_c24_se0.25` is two inverted residuals of 3x3 kernels, six times as wide within, of 24
channels, squeezed to a quarter of the inputs; `ds` is depthwise separable, `er` a fused (edge)
residual, `cn` a convolution alone.

Source: timm/models/{efficientnet,mobilenetv3,_efficientnet_builder,_efficientnet_blocks}.py and
layers/helpers.py (v1.0.31).
"""

from math import ceil

from decaycalc.architecture.build import Builder, Start, he_in, he_out, zero
from decaycalc.architecture.tensors import Architecture
from decaycalc.record import Record


def _outputs(_fan_in: int, fan_out: int) -> float:
    """Return 1/(3 fan_out): uniform of bound 1/sqrt(fan_out), as Google's classifiers start."""
    return 1 / (3 * fan_out)


START = Start(conv=he_out, conv_bias=zero, linear=_outputs, linear_bias=zero, norm="batch")


class Family(Record):
    """What the members of a family share: blocks, stem, the width before the classifier.

    `widened` is whether that width is scaled too (`least` is then its smallest), `kept` whether
    the stem and the depth of the first and the last stage are not scaled. `limit` is how much less
    a rounded number of channels may be; `squeezed` whether a squeeze is of the widened channels,
    rounded to eights, and the classifier's layer has a bias in place of a norm (MobileNet v3).
    """

    stages: str
    stem: int = 32
    features: int = 1280
    widened: bool = False
    least: int = 0
    kept: bool = False
    limit: float = 0.9
    squeezed: bool = False

    def channels(self, count: float, width: float) -> int:
        """Return a number of channels times the width, rounded to eights."""
        return _rounded(count * width, self.limit)


def _rounded(count: float, limit: float = 0.9) -> int:
    near = max(8, int(count + 4) // 8 * 8)
    return near + 8 if near < limit * count else near


_B = """ds_r1_k3_c16_se0.25 | ir_r2_k3_e6_c24_se0.25 | ir_r2_k5_e6_c40_se0.25 |
ir_r3_k3_e6_c80_se0.25 | ir_r3_k5_e6_c112_se0.25 | ir_r4_k5_e6_c192_se0.25 |
ir_r1_k3_e6_c320_se0.25"""
_V2_BASE = """cn_r1_k3_c16 | er_r2_k3_e4_c32 | er_r2_k3_e4_c48 | ir_r3_k3_e4_c96_se0.25 |
ir_r5_k3_e6_c112_se0.25 | ir_r8_k3_e6_c192_se0.25"""
_V2_S = """cn_r2_k3_c24 | er_r4_k3_e4_c48 | er_r4_k3_e4_c64 | ir_r6_k3_e4_c128_se0.25 |
ir_r9_k3_e6_c160_se0.25 | ir_r15_k3_e6_c256_se0.25"""
_V2_M = """cn_r3_k3_c24 | er_r5_k3_e4_c48 | er_r5_k3_e4_c80 | ir_r7_k3_e4_c160_se0.25 |
ir_r14_k3_e6_c176_se0.25 | ir_r18_k3_e6_c304_se0.25 | ir_r5_k3_e6_c512_se0.25"""
_V2_L = """cn_r4_k3_c32 | er_r7_k3_e4_c64 | er_r7_k3_e4_c96 | ir_r10_k3_e4_c192_se0.25 |
ir_r19_k3_e6_c224_se0.25 | ir_r25_k3_e6_c384_se0.25 | ir_r7_k3_e6_c640_se0.25"""
_V2_XL = """cn_r4_k3_c32 | er_r8_k3_e4_c64 | er_r8_k3_e4_c96 | ir_r16_k3_e4_c192_se0.25 |
ir_r24_k3_e6_c256_se0.25 | ir_r32_k3_e6_c512_se0.25 | ir_r8_k3_e6_c640_se0.25"""
_MOBILE_V2 = """ds_r1_k3_c16 | ir_r2_k3_e6_c24 | ir_r3_k3_e6_c32 | ir_r4_k3_e6_c64 | ir_r3_k3_e6_c96
| ir_r3_k3_e6_c160 | ir_r1_k3_e6_c320"""
_MNAS = """ds_r1_k3_c16 | ir_r3_k3_e3_c24 | ir_r3_k5_e3_c40 | ir_r3_k5_e6_c80 | ir_r2_k3_e6_c96 |
ir_r4_k5_e6_c192 | ir_r1_k3_e6_c320"""
_SEMNAS = """ds_r1_k3_c16 | ir_r2_k3_e6_c24 | ir_r3_k5_e3_c40_se0.25 | ir_r4_k3_e6_c80 |
ir_r2_k3_e6_c112_se0.25 | ir_r3_k5_e6_c160_se0.25 | ir_r1_k3_e6_c320"""
_FBNET_C = """ir_r1_k3_e1_c16 | ir_r1_k3_e6_c24 ir_r2_k3_e1_c24 | ir_r1_k5_e6_c32 ir_r1_k5_e3_c32
ir_r1_k5_e6_c32 ir_r1_k3_e6_c32 | ir_r1_k5_e6_c64 ir_r1_k5_e3_c64 ir_r2_k5_e6_c64 | ir_r3_k5_e6_c112
ir_r1_k5_e3_c112 | ir_r4_k5_e6_c184 | ir_r1_k3_e6_c352"""
_V3_LARGE = """ds_r1_k3_c16 | ir_r1_k3_e4_c24 ir_r1_k3_e3_c24 | ir_r3_k5_e3_c40_se0.25 |
ir_r1_k3_e6_c80 ir_r1_k3_e2.5_c80 ir_r2_k3_e2.3_c80 | ir_r2_k3_e6_c112_se0.25 |
ir_r3_k5_e6_c160_se0.25 | cn_r1_k1_c960"""
_V3_SMALL = """ds_r1_k3_c16_se0.25 | ir_r1_k3_e4.5_c24 ir_r1_k3_e3.67_c24 | ir_r1_k5_e4_c40_se0.25
ir_r2_k5_e6_c40_se0.25 | ir_r2_k5_e3_c48_se0.25 | ir_r3_k5_e6_c96_se0.25 | cn_r1_k1_c576"""

_EFFICIENT = Family(stages=_B, widened=True)
_LITE = Family(stages=_B.replace("_se0.25", ""), kept=True)
_V2_TINY = Family(stages=_V2_BASE, widened=True, limit=0.0)
_V2_SMALL = Family(stages=_V2_S, stem=24, widened=True)
_V2_OWN = Family(
    stages=_V2_S.replace("cn_r2_k3_c24", "er_r2_k3_e1_c24").replace("c256", "c272"),
    stem=24,
    features=1792,
    widened=True,
)
_INVERTED = Family(stages=_MOBILE_V2, widened=True, least=1280)
_MNASNET, _SEMNASNET = Family(stages=_MNAS), Family(stages=_SEMNAS)
_LARGE_V3 = Family(stages=_V3_LARGE, stem=16, squeezed=True)
_SMALL_V3 = Family(stages=_V3_SMALL, stem=16, features=1024, squeezed=True)
_SCALES = {
    # width, depth
    "b0": (1.0, 1.0), "b1": (1.0, 1.1), "b2": (1.1, 1.2), "b3": (1.2, 1.4), "b4": (1.4, 1.8),
    "b5": (1.6, 2.2), "b6": (1.8, 2.6), "b7": (2.0, 3.1), "b8": (2.2, 3.6), "l2": (4.3, 5.3),
}  # fmt: skip
_LITE_SCALES = {f"lite{size}": _SCALES[f"b{size}"] for size in range(5)}
_WIDTHS = {"050": 0.5, "075": 0.75, "100": 1.0, "140": 1.4}

Member = tuple[Family, float, float]


def _members() -> dict[str, Member]:
    tf = {
        **{f"efficientnet_{size}": (_EFFICIENT, *scale) for size, scale in _SCALES.items()},
        **{f"efficientnet_{size}": (_LITE, *scale) for size, scale in _LITE_SCALES.items()},
        "efficientnetv2_s": (_V2_SMALL, 1.0, 1.0),
        "efficientnetv2_m": (Family(stages=_V2_M, stem=24), 1.0, 1.0),
        "efficientnetv2_l": (Family(stages=_V2_L), 1.0, 1.0),
        "efficientnetv2_xl": (Family(stages=_V2_XL), 1.0, 1.0),
        "mobilenetv3_large_075": (_LARGE_V3, 0.75, 1.0),
        "mobilenetv3_large_100": (_LARGE_V3, 1.0, 1.0),
        "mobilenetv3_small_075": (_SMALL_V3, 0.75, 1.0),
        "mobilenetv3_small_100": (_SMALL_V3, 1.0, 1.0),
    }
    return {
        **tf,
        **{f"tf_{name}": member for name, member in tf.items()},
        **{f"tf_efficientnetv2_b{size}": (_V2_TINY, *_SCALES[f"b{size}"]) for size in range(4)},
        "efficientnetv2_rw_t": (_V2_SMALL, 0.8, 0.9),
        "efficientnetv2_rw_s": (_V2_OWN, 1.0, 1.0),
        "mobilenetv3_small_050": (_SMALL_V3, 0.5, 1.0),
        "mobilenetv2_035": (_INVERTED, 0.35, 1.0),
        "mobilenetv2_110d": (Family(stages=_MOBILE_V2, kept=True), 1.1, 1.2),
        "mobilenetv2_120d": (Family(stages=_MOBILE_V2, kept=True), 1.2, 1.4),
        "fbnetc_100": (Family(stages=_FBNET_C, stem=16, features=1984), 1.0, 1.0),
        **{f"mobilenetv2_{size}": (_INVERTED, width, 1.0) for size, width in _WIDTHS.items()},
        **{f"mnasnet_{size}": (_MNASNET, width, 1.0) for size, width in _WIDTHS.items()},
        **{f"semnasnet_{size}": (_SEMNASNET, width, 1.0) for size, width in _WIDTHS.items()},
    }


MEMBERS = _members()
# torchvision has these by names that fall together with timm's.
SHARED = frozenset(
    {
        "mnasnet_075",
        *(f"efficientnet_b{size}" for size in range(8)),
        *(f"efficientnetv2_{size}" for size in "sml"),
    }
)


def mobile(name: str, classes: int) -> Architecture:
    """Return the network of `MEMBERS` that a name of timm's is."""
    family, width, depth = MEMBERS[name]
    part = Builder(START)
    fixed = family.kept or (family.squeezed and width < 0.75)  # noqa: PLR2004 - timm's own bound
    inputs = family.stem if fixed else family.channels(family.stem, width)
    part.conv("conv_stem", 3, inputs, 3, bias=False)
    part.norm("bn1", inputs)
    rows = [stage.split() for stage in family.stages.split("|")]
    for stage, words in enumerate(rows):
        first_or_last = family.kept and stage in {0, len(rows) - 1}
        inputs = _stage(part, family, words, (f"blocks.{stage}", inputs, width),
                        depth=1.0 if first_or_last else depth)  # fmt: skip
    features = family.features
    if family.widened:
        features = max(family.least, family.channels(features, width))
    part.conv("conv_head", inputs, features, 1, bias=family.squeezed)
    if not family.squeezed:
        part.norm("bn2", features)
    part.linear("classifier", features, classes)
    return part.done(name, classes=classes)


def _stage(
    part: Builder, family: Family, words: list[str], at: tuple[str, int, float], *, depth: float
) -> int:
    """Add the rows of blocks of a stage under a prefix; return the outputs."""
    prefix, inputs, width = at
    index = 0
    for word in words:
        kind, *fields = word.split("_")
        sizes = {field.rstrip("0123456789."): float(field.lstrip("rkecs")) for field in fields}
        outputs = family.channels(sizes["c"], width)
        for _ in range(ceil(sizes["r"] * depth)):
            _block(part, f"{prefix}.{index}", kind, sizes, (family, inputs, outputs))
            inputs, index = outputs, index + 1
    return inputs


def _block(
    part: Builder, name: str, kind: str, sizes: dict[str, float], at: tuple[Family, int, int]
) -> None:
    family, inputs, outputs = at
    kernel, widening = int(sizes["k"]), sizes.get("e", 1.0)
    inner = inputs if kind == "ds" else _rounded(inputs * widening)
    if kind == "cn":
        part.conv_norm(name, inputs, outputs, kernel, layers=("conv", "bn1"))
        return
    if kind == "er":
        part.conv_norm(name, inputs, inner, kernel, layers=("conv_exp", "bn1"))
        part.conv_norm(name, inner, outputs, 1, layers=("conv_pwl", "bn2"))
        return
    if kind == "ir":
        part.conv_norm(name, inputs, inner, 1, layers=("conv_pw", "bn1"))
    norms = ("bn1", "bn2") if kind == "ds" else ("bn2", "bn3")
    part.conv_norm(
        name, inner, inner, kernel, layers=("conv_dw", norms[0]), groups=inner, rule=he_in
    )
    if "se" in sizes:
        _squeeze(part, f"{name}.se", inner, sizes["se"] / widening, family)
    last = "conv_pw" if kind == "ds" else "conv_pwl"
    part.conv_norm(name, inner, outputs, 1, layers=(last, norms[1]))


def _squeeze(part: Builder, name: str, channels: int, ratio: float, family: Family) -> None:
    narrow = _rounded(channels * 0.25) if family.squeezed else round(channels * ratio)
    part.conv(f"{name}.conv_reduce", channels, narrow, 1)
    part.conv(f"{name}.conv_expand", narrow, channels, 1)
