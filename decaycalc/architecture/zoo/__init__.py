"""Models by name, built from their architecture's rules.

torchvision's models bear torchvision's names; `vit-large`, `deit-tiny`, `swin-tiny`,
`convnext-tiny` and what torchvision has not (`resnet50d`, `mobilenetv3_large_100`) are timm's; the
others are the hub's. Case, hyphens and underscores do not matter. `torchvision/`, `timm/` and
`keras/` before a name ask for that library's tensors.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache, partial

from decaycalc.architecture.inline import NICKNAMES
from decaycalc.architecture.tensors import Architecture
from decaycalc.architecture.zoo import (
    detection,
    families,
    keras,
    maxvit,
    mobile,
    plain,
    residual,
    scaled,
    scenes,
    timm,
    timm_mobile,
    timm_resnet,
    timm_vit,
    vision,
)
from decaycalc.architecture.zoo.families import IMAGENET
from decaycalc.architecture.zoo.hub_models import ALIASES, CONFIGS
from decaycalc.architecture.zoo.nanogpt import nanogpt
from decaycalc.errors import MOST_SUGGESTIONS
from decaycalc.record import replace

Build = Callable[[], Architecture]


def _hub(name: str) -> Architecture:
    # Imported here: the hub's builders are only needed for its models.
    from decaycalc.architecture.hub import build_config  # noqa: PLC0415
    from decaycalc.architecture.hub.fields import Fields  # noqa: PLC0415

    return build_config(Fields(path=name, values=CONFIGS[name]))


def _plain() -> dict[str, Build]:
    models: dict[str, Build] = {
        "alexnet": partial(plain.alexnet, IMAGENET),
        "googlenet": partial(plain.googlenet, IMAGENET, auxiliary=True),
        "googlenet_noaux": partial(plain.googlenet, IMAGENET, auxiliary=False),
        "inception_v3": partial(plain.inception_v3, IMAGENET, auxiliary=True),
        "inception_v3_noaux": partial(plain.inception_v3, IMAGENET, auxiliary=False),
    }
    for depth in plain.VGG_STAGES:
        models[f"vgg{depth}"] = partial(plain.vgg, depth, IMAGENET, batch_norm=False)
        models[f"vgg{depth}_bn"] = partial(plain.vgg, depth, IMAGENET, batch_norm=True)
    for version in ("1_0", "1_1"):
        models[f"squeezenet{version}"] = partial(plain.squeezenet, version, IMAGENET)
    return models


def _residual() -> dict[str, Build]:
    models: dict[str, Build] = {}
    for depth in residual.RESNET_STAGES:
        name = f"resnet{depth}"
        models[name] = partial(residual.resnet, depth, IMAGENET, name=name)
    wide = {"wide_resnet50_2": (50, 1, 128), "wide_resnet101_2": (101, 1, 128)}
    grouped = {
        "resnext50_32x4d": (50, 32, 4),
        "resnext101_32x8d": (101, 32, 8),
        "resnext101_64x4d": (101, 64, 4),
    }
    for name, (depth, groups, width) in {**wide, **grouped}.items():
        models[name] = partial(
            residual.resnet, depth, IMAGENET, name=name, groups=groups, width=width
        )
    for depth in residual.DENSENET:
        models[f"densenet{depth}"] = partial(residual.densenet, depth, IMAGENET)
    return models


# What stands before a size, what builds that size, and the sizes.
_Sized = tuple[tuple[str, Callable[[str, int], Architecture], Iterable[str]], ...]
_SIZED: _Sized = (
    ("mobilenet_v3_", mobile.mobilenet_v3, mobile.MOBILENET_V3),
    ("efficientnet_", mobile.efficientnet, mobile.EFFICIENTNET_SCALES),
    ("efficientnet_v2_", mobile.efficientnet_v2, mobile.EFFICIENTNET_V2),
    ("mnasnet", scaled.mnasnet, scaled.MNASNET),
    ("shufflenet_v2_", scaled.shufflenet_v2, scaled.SHUFFLENET_V2),
    ("regnet_", scaled.regnet, scaled.REGNET),
    ("vit_", vision.vit, vision.VIT),
    ("swin_", vision.swin, vision.SWIN_SIZES),
    ("maxvit_", maxvit.maxvit, maxvit.MAXVIT),
    ("torchvision/convnext_", vision.convnext, vision.CONVNEXT),
)
_TIMM_SIZED: _Sized = (
    ("convnext_", timm.convnext, timm.CONVNEXT | timm.SMALL_CONVNEXT),
    ("convnextv2_", timm.convnext_v2, timm.CONVNEXT_V2),
)


def _of_sizes(rows: _Sized) -> dict[str, Build]:
    return {
        f"{start}{size}": partial(build, size, IMAGENET)
        for start, build, sizes in rows
        for size in sizes
    }


_NANOGPT = {
    # width, layers
    "nanogpt": (768, 12),
    "nanogpt-medium": (1024, 24),
    "nanogpt-large": (1280, 36),
    "nanogpt-xl": (1600, 48),
}
_TORCHVISION: dict[str, Build] = {
    **_plain(),
    "mobilenet_v2": partial(mobile.mobilenet_v2, IMAGENET),
    **_of_sizes(_SIZED),
    **{name: partial(detection.detector, name) for name in detection.DETECTORS},
    "ssd300_vgg16": detection.ssd300,
    **{name: partial(scenes.segmenter, name) for name in scenes.SEGMENTERS},
    **{name: partial(scenes.film_resnet, name) for name in scenes.FILM_RESNETS},
    "s3d": scenes.s3d,
    **{f"swin3d_{size}": partial(scenes.swin3d, size) for size in vision.SWIN},
}
_TIMM: dict[str, Build] = {
    **_of_sizes(_TIMM_SIZED),
    **{name: partial(timm_resnet.resnet, name, IMAGENET) for name in timm_resnet.NAMES},
    **{name: partial(timm_vit.vit, name) for name in timm_vit.NAMES},
    **{
        f"timm/{name}" if name in timm_mobile.SHARED else name: partial(
            timm_mobile.mobile, name, IMAGENET
        )
        for name in timm_mobile.MEMBERS
    },
    **{
        f"timm/vgg{depth}{'_bn' if norms else ''}": partial(
            plain.timm_vgg, depth, IMAGENET, batch_norm=norms
        )
        for depth in plain.VGG_STAGES
        for norms in (False, True)
    },
    "timm/inception_v3": partial(plain.inception_v3, IMAGENET, auxiliary=False),
}
_BOTH = _residual()
_KERAS: dict[str, Build] = {
    f"keras/{name.lower()}": partial(keras.network, name) for name in keras.NAMES
}
MODELS: dict[str, Build] = {
    **_TORCHVISION,
    **_TIMM,
    **_BOTH,
    **_KERAS,
    "lenet-300-100": partial(plain.lenet_300_100, 10),
    "lenet-5": partial(plain.lenet_5, 10),
    **{name: partial(nanogpt, *sizes, name=name) for name, sizes in _NANOGPT.items()},
    **{name: partial(_hub, name) for name in CONFIGS},
}
# The networks that a library has, by what stands before a name to ask for its tensors.
_LIBRARIES = {"torchvision/": _TORCHVISION | _BOTH, "timm/": _TIMM | _BOTH, "keras/": _KERAS}
OTHER_NAMES = {
    **ALIASES,
    **{name.replace("1.1", "1_1"): name for name in CONFIGS if name.startswith("t5-v1.1")},
    **{
        name.replace("_6gf", ".6gf").replace("3_2gf", "3.2gf"): name
        for name in MODELS
        if name.endswith(("_6gf", "_2gf"))
    },
    **{f"mnasnet{size.replace('_', '.')}": f"mnasnet{size}" for size in scaled.MNASNET},
    "784-300-100-10": "lenet-300-100",
    "lenet": "lenet-5",
    "lenet5-caffe": "lenet-5",
    "squeezenet1.0": "squeezenet1_0",
    "squeezenet1.1": "squeezenet1_1",
    "squeezenet": "squeezenet1_0",
    "inception": "inception_v3",
    **{f"{name}.lvd142m": name for name in timm_vit.NAMES if name.endswith("dinov2")},
    **NICKNAMES,
    **{f"convnext-{size[0]}": f"convnext_{size}" for size in ("tiny", "small", "base", "large")},
    "wrn-50-2": "wide_resnet50_2",
    "wrn-101-2": "wide_resnet101_2",
}
# Publishers' prefixes that may stand before a name, as on the hub.
PUBLISHERS = (
    "torchvision/",
    "timm/",
    "keras/",
    "google/",
    "google-bert/",
    "google-t5/",
    "facebookai/",
    "facebook/",
    "microsoft/",
    "distilbert/",
    "albert/",
    "openai-community/",
    "openai/",
    "eleutherai/",
    "meta-llama/",
    "meta-",
    "huggyllama/",
    "codellama/",
    "nousresearch/",
    "unsloth/",
    "lmsys/",
    "mistralai/",
    "huggingfaceh4/",
    "tinyllama/",
    "qwen/",
    "deepseek-ai/",
    "huggingfacetb/",
    "allenai/",
    "01-ai/",
    "bigscience/",
    "bigcode/",
    "tiiuae/",
    "mosaicml/",
    "stabilityai/",
    "state-spaces/",
    "rwkv/",
    "answerdotai/",
    "sentence-transformers/",
    "baai/",
)
# What a model was trained on further, after its size: `-7b-instruct-v0.3`.
_STAGES = re.compile(
    r"(?:(?<=\d[bm])|(?<=mini|nemo))(?:-(?:deduped|hf|instruct|chat|it|base|pt|2507))+(?=-|$)"
)


def squash(name: str) -> str:
    """Return the name without what does not matter in it.

    >>> squash("Wide_ResNet-50-2")
    'wideresnet502'
    """
    return name.lower().translate(_DROPPED)


_DROPPED = str.maketrans("", "", "-_ ")


def _spaced(name: str) -> str:
    """Return the name with one kind of separator, in capitals, which `squash` leaves none of.

    It comes first: without its separators regnet_x_1_6gf would be regnet_x_16gf.
    """
    return name.upper().replace("-", "_").replace(" ", "_")


@cache
def _index() -> dict[str, str]:
    names = {squash(name): name for name in sorted(MODELS, key=len, reverse=True)}
    names.update({squash(alias): name for alias, name in OTHER_NAMES.items()})
    return names | {_spaced(name): name for name in MODELS}


def find_model(name: str) -> Architecture | None:
    """Return the model of that name; None if there is none.

    >>> find_model("ResNet-50").n_parameters
    25557032

    Raises:
        InvalidValueError: a family's member that cannot exist, as a network of depth 7.
    """
    net, text = _find(name), name.strip().lower()
    # A tag of ImageNet's classes is of no network that has others, or none.
    is_another = net is not None and _without_tag(text) != text and net.n_classes != IMAGENET
    return None if is_another else net


def _find(name: str) -> Architecture | None:
    index, text = _index(), name.strip().lower()
    library = next((each for each in _LIBRARIES if text.startswith(each)), "")
    models = _LIBRARIES.get(library, MODELS)
    for reading in _readings(text):
        known = index.get(_spaced(reading)) or index.get(squash(reading))
        if known in models:
            net = MODELS[known]()
            notes = () if known in _KERAS else keras.notes_on(name.strip())
            return replace(net, notes=(*net.notes, *notes)) if notes else net
        member = families.find_member(reading) if library in {"", "timm/"} else None
        if member is not None:
            return member
    return None


def _readings(name: str) -> tuple[str, ...]:
    """Return the name, then without its publisher and without the words that change nothing.

    Of timm's tags, which say what a model was trained on, those of ImageNet's 1000 classes are one;
    they tell that timm's tensors are meant, and so does a spelling that only timm has.
    """
    bare = name
    for publisher in PUBLISHERS:
        bare = bare.removeprefix(publisher)
    short = _without_tag(bare)
    theirs = f"timm/{short}"
    own = (theirs,) if short != bare or (theirs in _TIMM and short not in MODELS) else ()
    return tuple(dict.fromkeys((*own, name, bare, _STAGES.sub("", short))))


def _without_tag(name: str) -> str:
    """Return the name without timm's tag of what it was trained on, if it ends on ImageNet-1k."""
    model, _, tag = name.rpartition(".")
    return model if model and tag.endswith("in1k") else name


def known_names() -> tuple[str, ...]:
    """Return the names of all models but the parametrised families' and the aliases."""
    return (*MODELS, *families.EXAMPLES)


def likely_names(text: str) -> tuple[str, ...]:
    """Return the shortest known names that begin with a text: a family that lacks its size.

    >>> likely_names("llama")
    ('llama-7b', 'llama-13b', 'llama-30b')
    """
    start = squash(text)
    members = [name for name in known_names() if start and squash(name).startswith(start)]
    return tuple(sorted(members, key=len)[:MOST_SUGGESTIONS])
