"""Models whose names hold numbers: `wrn-28-10`, `resnet56`, `vit-large-patch32-384`."""

from decaycalc.architecture.tensors import Architecture
from decaycalc.architecture.zoo import residual, timm
from decaycalc.errors import InvalidValueError

EXAMPLES = (
    "wrn-28-10",
    "wrn-16-8",
    "wrn-40-2",
    "resnet20",
    "resnet56",
    "resnet110",
    "resnet18-cifar",
    "resnet50-cifar100",
    *(f"vit-{size}" for size in timm.VIT),
    "vit-base-patch32-384",
    *(f"deit-{size}" for size in ("tiny", "small", "base")),
    "deit-base-distilled",
    *(f"swin-{size}" for size in timm.SWIN),
)
IMAGENET = 1000  # classes
CIFAR_CLASSES = {"cifar": 10, "cifar10": 10, "cifar100": 100}
SHORT_SIZES = {"ti": "tiny", "s": "small", "b": "base", "l": "large", "h": "huge", "g": "giant"}
LARGEST_DEPTH = 2000
LARGEST_FACTOR = 64
LARGEST_IMAGE = 4096
DEIT_SIZES = ("tiny", "small", "base")
SMALL_PATCH = 14  # of the ViTs from huge on, whose name may leave it out
WIDE_WINDOW = 12


def find_member(name: str) -> Architecture | None:
    """Return the member of a family that the name spells; None if it spells none.

    Raises:
        InvalidValueError: the family has no such member.
    """
    words = split_words(name)
    if not words:
        return None
    for rule in (_wide_resnet, _cifar_resnet, _vit, _deit, _swin):
        member = rule(words)
        if member is not None:
            return member
    return None


def split_words(name: str) -> list[str]:
    """Return the runs of letters and of digits in a name.

    >>> split_words("vit_large-patch32_384")
    ['vit', 'large', 'patch', '32', '384']
    """
    words: list[str] = []
    previous = ""
    for letter in name.lower():
        kind = "digit" if letter.isdecimal() else "letter" if letter.isalpha() else ""
        if kind and kind == previous:
            words[-1] += letter
        elif kind:
            words.append(letter)
        previous = kind
    return words


def _number(word: str, what: str, most: int) -> int:
    """Return the number that a word spells, checked to be at most `most`.

    Raises:
        InvalidValueError: it is 0 or larger.
    """
    value = int(word[:9])
    if not 1 <= value <= most or len(word) > len(str(most)):
        raise InvalidValueError(what, word[:20], f"must be from 1 to {most}")
    return value


def _cifar_classes(words: list[str]) -> int | None:
    """Return the classes that the words after the sizes ask for; None if they make no sense."""
    return CIFAR_CLASSES.get("".join(words)) if words else 10


def _wide_resnet(words: list[str]) -> Architecture | None:
    if words[:2] == ["wide", "resnet"]:
        words = ["wrn", *words[2:]]
    if words[0] not in {"wrn", "wideresnet"} or not _are_numbers(words[1:3], 2):
        return None
    classes = _cifar_classes(words[3:])
    if classes is None:
        return None
    depth = _number(words[1], "depth", LARGEST_DEPTH)
    factor = _number(words[2], "width factor", LARGEST_FACTOR)
    if depth % 6 != 4 or depth < 10:  # noqa: PLR2004 - three stages of (depth-4)/6 blocks
        raise InvalidValueError("depth of a wide ResNet", depth, "must be 6n+4: 10, 16, 22, 28, 40")
    return residual.wide_resnet(depth, factor, classes)


def _cifar_resnet(words: list[str]) -> Architecture | None:
    if words[0] != "resnet" or not _are_numbers(words[1:2], 1):
        return None
    classes = _cifar_classes(words[2:])
    depth = int(words[1][:9])
    if classes is None or depth > LARGEST_DEPTH:
        return None
    if depth in residual.RESNET_STAGES:
        name = f"resnet{depth}-cifar{classes}"
        return residual.resnet(depth, classes, name=name, small_images=True)
    return residual.resnet_6n2(depth, classes) if depth % 6 == 2 and depth > 2 else None  # noqa: PLR2004 - three stages of (depth-2)/6 blocks


def _are_numbers(words: list[str], count: int) -> bool:
    return len(words) == count and all(word.isdecimal() for word in words)


def _vit(words: list[str]) -> Architecture | None:
    size = SHORT_SIZES.get(words[1], words[1]) if len(words) > 1 else ""
    if words[0] != "vit" or size not in timm.VIT:
        return None
    small = size in {"huge", "giant", "gigantic"}
    sizes = _patch_and_image(words[2:], SMALL_PATCH if small else 16)
    if sizes is None:
        return None
    patch, image = sizes
    name = f"vit_{size}_patch{patch}_{image}"
    return timm.vit(size, IMAGENET, patch=patch, image=image, name=name)


def _patch_and_image(words: list[str], patch: int) -> tuple[int, int] | None:
    """Return patch and image side of `[patch] [P] [IMAGE]`; None for other words."""
    sizes = [word for word in words if word != "patch"]
    if not _are_numbers(sizes, len(sizes)) or len(sizes) > 2 or words.count("patch") > 1:  # noqa: PLR2004 - patch and image
        return None
    numbers = [_number(word, "image side", LARGEST_IMAGE) for word in sizes]
    if numbers and ("patch" in words or numbers[0] <= 64):  # noqa: PLR2004 - no image is as small
        patch = numbers.pop(0)
    image = numbers.pop(0) if numbers else 224
    if numbers:
        return None
    if image < patch:
        raise InvalidValueError("image side", image, f"must be at least the patch's, {patch}")
    return patch, image


def _deit(words: list[str]) -> Architecture | None:
    size = SHORT_SIZES.get(words[1], words[1]) if len(words) > 1 else ""
    if words[0] != "deit" or size not in DEIT_SIZES:
        return None
    distilled = "distilled" in words
    rest = [word for word in words[2:] if word != "distilled"]
    sizes = _patch_and_image(rest, 16)
    if sizes is None:
        return None
    patch, image = sizes
    middle = "_distilled" if distilled else ""
    name = f"deit_{size}{middle}_patch{patch}_{image}"
    return timm.vit(size, IMAGENET, patch=patch, image=image, name=name, distilled=distilled)


def _swin(words: list[str]) -> Architecture | None:
    if words[0] != "swin" or len(words) < 2 or words[1] not in timm.SWIN:  # noqa: PLR2004 - a size
        return None
    rest = list(words[2:])
    if rest[:2] == ["patch", "4"]:
        rest = rest[2:]
    window = 0
    if rest[:1] == ["window"] and _are_numbers(rest[1:2], 1):
        window = _number(rest[1], "window", 64)
        rest = rest[2:]
    if not _are_numbers(rest, len(rest)) or len(rest) > 1:
        return None
    image = _number(rest[0], "image side", LARGEST_IMAGE) if rest else 224
    window = window or (WIDE_WINDOW if image == 384 else 7)  # noqa: PLR2004 - timm's 384 models
    name = f"swin_{words[1]}_patch4_window{window}_{image}"
    return timm.swin(words[1], IMAGENET, window=window, name=name)
