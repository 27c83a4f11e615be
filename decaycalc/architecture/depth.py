"""Which layer a tensor stands in, told from the names of its network: what layer decay counts by.

Layers are counted as timm does: the stem is the lowest; each block is a layer, a stage's
downsampling goes with the block after it and a final norm with the block before it; what follows
(a head) is the layer above all, which keeps lr whole. DINOv2's and DINOv3's own code takes the
final norm for a head. A network whose names are of no known family is refused: a depth that is
counted wrongly multiplies lr by the wrong power.

Source: timm 1.0.31, models/_manipulate.py (`group_with_matcher`), the `group_matcher` of each of
its models, and optim/_param_groups.py (`param_groups_layer_decay`); Bao et al. 2021 (2106.08254);
facebookresearch/dinov2 dinov2/utils/param_groups.py (`get_vit_lr_decay_rate`).
"""

import re
from dataclasses import dataclass

from decaycalc.errors import UndecidableError

# Ends of a place: the layer before it, and the one after it, take its tensors in.
PREVIOUS, NEXT = 10**9, 10**9 + 1
HEAD = (2,)
# What wrappers put before each name: data parallelism, compilation, exponential averages.
WRAPPERS = ("module.", "_orig_mod.", "model.", "backbone.", "params.", "ema_model.")

Places = tuple[tuple[str, tuple[int, ...]], ...]
"""Patterns of names' beginnings, each with what follows the numbers in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """How a family names its tensors.

    `signs` must each begin some name, `absent` none. `stem` matches the lowest layer; `blocks` all
    between it and the head, placed by the numbers in them.
    """

    title: str
    signs: tuple[str, ...]
    stem: str
    blocks: Places
    absent: tuple[str, ...] = ()


_STAGES: Places = (
    (r"stages\.(\d+)\.(?:downsample|pos_emb)", (0,)),
    (r"stages\.(\d+)\.\w+\.(\d+)", ()),
    (r"norm_pre", (PREVIOUS,)),
)
# The first whose signs fit counts; timm's names first.
NAMINGS = (
    Naming(
        title="ResNet",
        signs=(r"layer1\.0\.", r"conv1\."),
        absent=(r"transition\d", r"stage\d"),
        stem=r"conv1|bn1|maxpool",
        blocks=((r"layer(\d+)\.(\d+)", ()),),
    ),
    Naming(
        title="ConvNeXt",
        signs=(r"stem", r"stages\.0\.blocks\.0\.", r"stages\.1\.downsample"),
        absent=(
            r"norm\.", r"conv_head", r"head\.(?:0|fc\.norm|bn)\.", r"stages\.\d+\.norm",
            r"stages\.\d+\.blocks\.\d+\.(?:(?:token_)?mixer|norm1)",
        ),
        stem=r"stem",
        blocks=_STAGES,
    ),
    Naming(
        title="Swin",
        signs=(r"patch_embed", r"layers\.0\.blocks\.0\."),
        absent=(r"layers\.0\.downsample",),  # Swin's own code, which counts in another way
        stem=r"absolute_pos_embed|patch_embed",
        blocks=(
            (r"layers\.(\d+)\.downsample", (0,)),
            (r"layers\.(\d+)\.\w+\.(\d+)", ()),
            (r"norm\.", (PREVIOUS,)),
        ),
    ),
    Naming(
        title="EfficientNet",
        signs=(r"conv_stem", r"blocks\.0\.0\.", r"bn2\."),
        stem=r"conv_stem|bn1",
        blocks=((r"blocks\.(\d+)\.(\d+)", ()), (r"conv_head|bn2", (PREVIOUS,))),
    ),
    Naming(
        title="MobileNet V3",
        signs=(r"conv_stem", r"blocks\.0\.0\.", r"conv_head\.bias"),
        absent=(r"blocks\.\d+\.\d+\.ghost",),
        stem=r"conv_stem|bn1",
        blocks=((r"blocks\.(\d+)\.(\d+)", ()),),
    ),
    Naming(
        title="DINOv2 and DINOv3",
        signs=(r"patch_embed", r"mask_token", r"blocks\.0\.(?:\d+\.)?ls1\."),
        stem=r"(?:cls|mask|register|storage)_tokens?$|pos_embed|patch_embed",
        blocks=((r"blocks\.(?:\d+\.)?(\d+)\.", ()),),  # a chunk's blocks count from the first
    ),
    Naming(
        title="vision transformer",
        signs=(r"patch_embed", r"blocks\.0\.(?:norm|attn|gamma|mlp|ls)"),
        absent=(r"(?:cls_attn_blocks|blocks_token_only|stages|network|merger|aligner|pixel_)",),
        stem=r"cls_token|dist_token|reg_token|pos_embed|patch_embed|norm_pre|rel_pos_bias",
        blocks=((r"blocks\.(\d+)", ()), (r"norm", (PREVIOUS,))),
    ),
    Naming(
        title="RegNet",
        signs=(r"stem", r"s1\.b1\."),
        stem=r"stem",
        blocks=((r"s(\d+)\.b(\d+)", ()),),
    ),
    Naming(
        title="DenseNet",
        signs=(r"features\.conv0", r"features\.denseblock1\.denselayer1\."),
        stem=r"features\.conv[012]|features\.norm[012]",
        blocks=(
            (r"features\.denseblock(\d+)\.denselayer(\d+)", ()),
            (r"features\.transition(\d+)", (PREVIOUS,)),
        ),
    ),
    Naming(
        title="torchvision's ConvNeXt",
        signs=(r"features\.1\.0\.layer_scale", r"features\.2\.1\.weight"),
        stem=r"features\.0\.",
        blocks=((r"features\.([246])\.", (NEXT,)), (r"features\.(\d+)\.(\d+)", ())),
    ),
    Naming(
        title="torchvision's Swin",
        signs=(r"features\.1\.0\.attn\.", r"features\.2\.reduction"),
        stem=r"features\.0\.",
        blocks=(
            (r"features\.([246])\.", (NEXT,)),
            (r"features\.(\d+)\.(\d+)", ()),
            (r"norm\.", (PREVIOUS,)),
        ),
    ),
    Naming(
        title="torchvision's EfficientNet",
        signs=(r"features\.1\.0\.block\.", r"features\.0\.0\.", r"classifier\.1\."),
        stem=r"features\.0\.",
        blocks=(
            (r"features\.(\d+)\.(\d+)\.block\.", ()),
            (r"features\.(\d+)\.", (PREVIOUS,)),
        ),
    ),
    Naming(
        title="torchvision's MobileNet V2",
        signs=(r"features\.1\.conv\.", r"classifier\.1\."),
        stem=r"features\.0\.",
        blocks=((r"features\.(\d+)\.conv\.", ()), (r"features\.(\d+)\.", (PREVIOUS,))),
    ),
    Naming(
        title="torchvision's MobileNet V3",
        signs=(r"features\.1\.block\.", r"classifier\.0\."),
        stem=r"features\.0\.",
        blocks=((r"features\.(\d+)\.", ()),),
    ),
    Naming(
        title="torchvision's vision transformer",
        signs=(r"class_token", r"encoder\.layers\.encoder_layer_0\."),
        stem=r"class_token|conv_proj|encoder\.pos_embedding",
        blocks=(
            (r"encoder\.layers\.encoder_layer_(\d+)", ()),
            (r"encoder\.ln\.", (PREVIOUS,)),
        ),
    ),
    Naming(
        title="torchvision's RegNet",
        signs=(r"stem\.", r"trunk_output\.block1\.block1-0\."),
        stem=r"stem\.",
        blocks=((r"trunk_output\.block(\d+)\.block\d+-(\d+)", ()),),
    ),
    Naming(
        title="VGG",
        signs=(r"features\.0\.(?:weight|bias)", r"features\.\d\d\.weight"),
        absent=(r"features\.\d+\.\w+\.", r"features\.[a-z]"),
        stem=r"features\.0\.",
        blocks=((r"features\.(\d+)\.", ()),),
    ),
    Naming(
        title="Hugging Face's Swin",
        signs=(r"(?:swin\.)?embeddings\.", r"(?:swin\.)?encoder\.layers\.0\.blocks\.0\."),
        stem=r"(?:swin\.)?embeddings\.",
        blocks=(
            (r"(?:swin\.)?encoder\.layers\.(\d+)\.downsample", (NEXT,)),
            (r"(?:swin\.)?encoder\.layers\.(\d+)\.blocks\.(\d+)", ()),
            (r"(?:swin\.)?layernorm\.", (PREVIOUS,)),
        ),
    ),
    Naming(
        title="Hugging Face's ConvNeXt and ResNet",
        signs=(
            r"(?:\w+\.)?embed(?:dings|der)\.",
            r"(?:\w+\.)?encoder\.stages\.0\.layers\.0\.",
        ),
        stem=r"(?:\w+\.)?embed(?:dings|der)\.",
        blocks=(
            (r"(?:\w+\.)?encoder\.stages\.(\d+)\.downsampling_layer", (0,)),
            (r"(?:\w+\.)?encoder\.stages\.(\d+)\.layers\.(\d+)", ()),
        ),
    ),
    Naming(
        title="plain layers", signs=(r"fc1\.",), absent=(r"(?!fc\d+\.)",),
        stem=r"$", blocks=((r"fc(\d+)\.", ()),),
    ),
)  # fmt: skip
# Transformers of one stack of blocks, whatever stands before it.
_WORDS = r"(?:blocks?|layers?|h|resblocks|transformer_blocks)"
_STACK = re.compile(rf"((?:\w+\.)*?{_WORDS})\.(\d+)\.(?!\d+\.)")
_WITHIN = re.compile(rf"(?:.*\.)?(?:{_WORDS}|stages?|levels?)\.\d+\.")
_INPUTS = re.compile(
    r"(?:\w+\.)*?(?:\w*embed\w*|wte|wpe|shared|(?:cls|class|reg|dist)_token|pos_emb\w*|patch_\w+"
    r"|class_embedding|ln_pre|pre_layrnorm|stem)(?:\.|$)"
)
_FINAL_NORM = re.compile(
    r"(?:norm|norm_f|ln_f|ln_post|final_layer_norm|final_layernorm|final_norm|layer_norm|layernorm"
    r"|post_layernorm)\.\w+$"
)
_HEADS = re.compile(
    r"(?:\w+\.)*?(?:\w*head\w*|classifier|score|fc|fc_norm|pooler|cls|qa_outputs|attn_pool|visual_"
    r"projection|output|lm_head|embed_out|pre_classifier|vocab_\w+)(?:\.|$)"
)


def layer_numbers(names: tuple[str, ...]) -> tuple[int, ...]:
    """Return each tensor's layer, counted from 0, the stem's.

    >>> layer_numbers(("conv1.weight", "layer1.0.conv1.weight", "layer1.1.conv1.weight", "fc.bias"))
    (0, 1, 2, 3)

    Raises:
        UndecidableError: names from which the layers cannot be told.
    """
    bare = unwrapped(names)
    naming = next((each for each in NAMINGS if _fits(each, bare)), None)
    places = _stacked_places(bare) if naming is None else [_place(name, naming) for name in bare]
    ranks = _ranks(set(places))
    return tuple(ranks[place] for place in places)


def unwrapped(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names as PyTorch separates them, without what stands before all of them."""
    bare = tuple(name.replace("/", ".") for name in names)
    found = True
    while found:
        found = False
        for wrapper in WRAPPERS:
            if all(name.startswith(wrapper) for name in bare):
                bare, found = tuple(name[len(wrapper) :] for name in bare), True
    return bare


def _fits(naming: Naming, names: tuple[str, ...]) -> bool:
    """Return whether names show all of a family's signs, and none that it lacks."""

    def begins(pattern: str) -> bool:
        """Return whether a name begins so."""
        matches = re.compile(pattern).match
        return any(matches(name) for name in names)

    return all(map(begins, naming.signs)) and not any(map(begins, naming.absent))


def _place(name: str, naming: Naming) -> tuple[int, ...]:
    """Return where a tensor stands: what sorts by depth."""
    if re.match(naming.stem, name):
        return (0,)
    for pattern, end in naming.blocks:
        found = re.match(pattern, name)
        if found:
            return (1, *(int(number[:9]) for number in found.groups()), *end)
    return HEAD


def _stacked_places(names: tuple[str, ...]) -> list[tuple[int, ...]]:
    """Return where the tensors of a transformer of one stack stand.

    Raises:
        UndecidableError: there is no stack or more than one, or a tensor may stand anywhere.
    """
    found = [_STACK.match(name) for name in names]
    stacks = {match.group(1) for match in found if match}
    if len(stacks) != 1:
        raise unknown_depth(" and ".join(sorted(stacks)[:3]) or "no block is numbered")
    stack = stacks.pop()
    return [
        _outside(name, stack) if match is None else _within(name, match)
        for name, match in zip(names, found, strict=True)
    ]


def unknown_depth(why: str) -> UndecidableError:
    """Return the refusal of a depth that names do not tell, with why."""
    return UndecidableError(
        f"the depth of layers is not known from these names ({why[:80]}); give "
        "--group 'REGEX:lr*FACTOR' instead of a layer decay"
    )


def _within(name: str, match: re.Match[str]) -> tuple[int, ...]:
    """Return the place of a block's tensor, which must not stand in a block of its own in it."""
    if _WITHIN.match(name[match.end() :]):
        raise unknown_depth(f"{name!r} is in a block of a block")
    return (1, int(match.group(2)[:9]))


def _outside(name: str, stack: str) -> tuple[int, ...]:
    """Return where a tensor outside of the stack stands: before it, at its end, or above it."""
    final = _FINAL_NORM.search(name)
    if final and stack.startswith(name[: final.start()]):
        return (1, PREVIOUS)
    if _HEADS.match(name) and not _WITHIN.match(name):
        return HEAD
    if _INPUTS.match(name):
        return (0,)
    raise unknown_depth(f"{name!r} may stand anywhere")


def _ranks(places: set[tuple[int, ...]]) -> dict[tuple[int, ...], int]:
    """Return the layer's number of each place; some go with the layer before or after them."""
    ranks: dict[tuple[int, ...], int] = {}
    rank, joins = -1, False
    for place in sorted(places):
        if not joins and (rank < 0 or place[-1] != PREVIOUS):
            rank += 1
        ranks[place] = rank
        joins = place[-1] == NEXT
    return ranks
