"""timm's vision transformers of CLIP, of DINOv2 and with registers.

Source: timm/models/vision_transformer.py (v1.0.31) for rules, names, initialisers, image sides and
classes of the default checkpoint.
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.tensors import Architecture, Role
from decaycalc.architecture.zoo.families import IMAGENET
from decaycalc.architecture.zoo.timm import START
from decaycalc.record import Record

SIZES = {
    # width, layers; hidden layers are four times as wide
    "small": (384, 12),
    "medium": (512, 12),
    "mediumd": (512, 20),
    "betwixt": (640, 12),
    "base": (768, 12),
    "large": (1024, 24),
    "huge": (1280, 32),
}


class Kind(Record):
    """What a variant has; `scale` starts its layer scales, None for none.

    Where the patches' mean is classified (`pooled`) there is no class token, and the last norm
    stands after the mean. Positions of the other tokens are embedded too if `all_placed`.
    """

    classes: int = IMAGENET
    scale: float | None = None
    registers: int = 0
    pooled: bool = False
    all_placed: bool = True
    first_norm: bool = False


_CLIP = Kind(first_norm=True)
_DINO = Kind(classes=0, scale=1e-5)
_DINO_REGISTERS = Kind(classes=0, scale=1e-5, registers=4, all_placed=False)
_ONE = Kind(scale=1e-5, registers=1, pooled=True, all_placed=False)
_FOUR = Kind(scale=1e-5, registers=4, pooled=True, all_placed=False)
_BARE_FOUR = Kind(registers=4, pooled=True, all_placed=False)
# What stands after the patch, the kind, and size, patch and image of its members.
_MEMBERS: tuple[tuple[str, Kind, tuple[tuple[str, int, int], ...]], ...] = (
    (
        "clip_{}",
        _CLIP,
        (
            *(("base", 16, image) for image in (224, 384)),
            *(("base", 32, image) for image in (224, 384, 448)),
            *((size, 14, image) for size in ("large", "huge") for image in (224, 336)),
        ),
    ),
    ("dinov2", _DINO, tuple((size, 14, 518) for size in ("small", "base", "large"))),
    (
        "reg4_dinov2",
        _DINO_REGISTERS,
        tuple((size, 14, 518) for size in ("small", "base", "large")),
    ),
    ("reg1_gap_{}", _ONE, (("medium", 16, 256), ("betwixt", 16, 256))),
    (
        "reg4_gap_{}",
        _FOUR,
        (
            ("medium", 16, 256),
            *((size, 16, image) for size in ("mediumd", "betwixt") for image in (256, 384)),
        ),
    ),
    ("reg4_gap_{}", _BARE_FOUR, (("base", 16, 256),)),
)
NAMES = {
    f"vit_{size}_patch{patch}_{end.format(image)}": (kind, size, patch, image)
    for end, kind, members in _MEMBERS
    for size, patch, image in members
}


def vit(name: str) -> Architecture:
    """Return the network of one of `NAMES`, with the classes of its default checkpoint."""
    kind, size, patch, image = NAMES[name]
    width, layers = SIZES[size]
    part = Builder(START)
    _tokens(part, kind, width, (image // patch) ** 2)
    part.conv("patch_embed.proj", 3, width, patch, bias=not kind.first_norm)
    if kind.first_norm:
        part.norm("norm_pre", width)
    for index in range(layers):
        _block(part, f"blocks.{index}", width, kind.scale)
    part.norm("fc_norm" if kind.pooled else "norm", width)
    if kind.classes:
        part.linear("head", width, kind.classes)
    tokens = tuple(t.name for t in part.tensors if t.name.endswith(("_token", "pos_embed")))
    return part.done(name, classes=kind.classes or None, undecayed=tokens)


def _tokens(part: Builder, kind: Kind, width: int, patches: int) -> None:
    if not kind.pooled:
        part.add("cls_token", 1, 1, width, role=Role.OTHER, variance=1e-12)
    if kind.registers:
        part.add("reg_token", 1, kind.registers, width, role=Role.OTHER, variance=1e-12)
    others = kind.registers + (not kind.pooled) if kind.all_placed else 0
    part.add("pos_embed", 1, patches + others, width, role=Role.POSITION, variance=0.02**2)


def _block(part: Builder, name: str, width: int, scale: float | None) -> None:
    part.norm(f"{name}.norm1", width)
    part.linear(f"{name}.attn.qkv", width, 3 * width)
    part.linear(f"{name}.attn.proj", width, width)
    if scale:
        part.add(f"{name}.ls1.gamma", width, role=Role.OTHER, mean=scale)
    part.norm(f"{name}.norm2", width)
    part.feed_forward(f"{name}.mlp", ("fc1", "fc2"), width, 4 * width)
    if scale:
        part.add(f"{name}.ls2.gamma", width, role=Role.OTHER, mean=scale)
