"""Layers as vision trainers' own scripts count them for their layer-wise decay of lr.

Each counts from the stem, 0, to the head, which keeps lr whole; `depth` counts as timm does.

Source: unilm 768a3c8 beit/optim_factory.py (get_num_layer_for_vit), which VideoMAE 14ef8d8 and mae
efb2a80 util/lr_decay.py have copied; ConvNeXt 048efce and ConvNeXt-V2 8865aaa optim_factory.py;
Swin-Transformer f82860b optimizer.py (get_swin_layer).
"""

import re
from collections.abc import Callable, Mapping, Sequence

from decaycalc.architecture.depth import layer_numbers, unknown_depth, unwrapped
from decaycalc.errors import UndecidableError

_BLOCK = re.compile(r"blocks\.(\d+)\.")
_INPUTS = re.compile(r"(?:(?:cls|mask)_token|pos_embed)$|patch_embed")
# ConvNeXt's own names, then timm's; a stage's downsampling stands before its blocks in both.
_STEM = re.compile(r"downsample_layers\.0\.|stem\.")
_DOWN = re.compile(r"downsample_layers\.(\d+)\.|stages\.(\d+)\.downsample\.")
_CONV_BLOCK = re.compile(r"stages\.(\d+)\.(?:blocks\.)?(\d+)\.")
_SWIN_BLOCK = re.compile(r"layers\.(\d+)\.blocks\.(\d+)\.")
_SWIN_DOWN = re.compile(r"layers\.(\d+)\.downsample\.")
_PER_GROUP = 3  # blocks of ConvNeXt's third stage, of whose depths the script has 27 in mind
_LAST_GROUP = 12


def layers_of(names: tuple[str, ...], counting: str) -> tuple[int, ...]:
    """Return each tensor's layer by a way of counting, a key of `COUNTINGS`.

    >>> layers_of(("patch_embed.proj.weight", "blocks.0.mlp.fc1.weight", "norm.weight"), "beit")
    (0, 1, 2)

    Raises:
        UndecidableError: names from which that script could not tell them.
    """
    return COUNTINGS[counting](names)


def _vision_transformer(names: tuple[str, ...]) -> tuple[int, ...]:
    """Return BEiT's layers: a final norm, and a bias of all blocks' positions, are the head's."""
    bare = unwrapped(names)
    blocks = [_BLOCK.match(name) for name in bare]
    if not any(blocks) or not any(name.startswith("patch_embed") for name in bare):
        raise _not_those_of("a vision transformer")
    head = max(int(found[1][:9]) for found in blocks if found) + 2
    return tuple(
        int(found[1][:9]) + 1 if found else 0 if _INPUTS.match(name) else head
        for name, found in zip(bare, blocks, strict=True)
    )


def _convnext_groups(names: tuple[str, ...]) -> tuple[int, ...]:
    """Return ConvNeXt's twelve groups, and the head as the thirteenth."""
    return tuple(_group(stage, block) for stage, block in _stages(names))


def _group(stage: int, block: int | None) -> int:
    """Return a group; a stage's downsampling has no block, the head's stage is 4."""
    if stage < 0 or stage > 3:  # noqa: PLR2004  (four stages)
        return 0 if stage < 0 else _LAST_GROUP + 1
    if stage == 3:  # noqa: PLR2004
        return _LAST_GROUP
    return stage + 1 if stage < 2 or block is None else 3 + block // _PER_GROUP  # noqa: PLR2004


def _convnext_blocks(names: tuple[str, ...]) -> tuple[int, ...]:
    """Return ConvNeXt V2's layers: one a block, with what leads to it; the stem is the first's."""
    places = _stages(names)
    blocks = [0] * 4
    for stage, block in places:
        if block is not None:
            blocks[stage] = max(blocks[stage], block + 1)
    head = sum(blocks) + 1
    return tuple(
        head if stage > 3 else sum(blocks[: max(stage, 0)]) + (block or 0) + 1  # noqa: PLR2004
        for stage, block in places
    )


def _stages(names: tuple[str, ...]) -> Sequence[tuple[int, int | None]]:
    """Return the stage and the block of each tensor of a ConvNeXt: stage -1 the stem, 4 the head.

    Raises:
        UndecidableError: it is none of four stages.
    """
    bare = unwrapped(names)
    places = [_conv_place(name) for name in bare]
    if {stage for stage, _ in places} != {-1, 0, 1, 2, 3, 4}:
        raise _not_those_of("a ConvNeXt")
    return places


def _conv_place(name: str) -> tuple[int, int | None]:
    if _STEM.match(name):
        return -1, None
    if found := _DOWN.match(name):
        return int((found[1] or found[2])[:9]), None
    if found := _CONV_BLOCK.match(name):
        return int(found[1][:9]), int(found[2][:9])
    return 4, None


def _swin(names: tuple[str, ...]) -> tuple[int, ...]:
    """Return Swin's layers; a merging of patches goes with the blocks before it.

    In Swin's own code it ends its stage, in timm's since 0.8 it begins the next one. An absolute
    position embedding keeps lr whole: the script does not know it.
    """
    bare = unwrapped(names)
    found = [_SWIN_BLOCK.match(name) for name in bare]
    depths: dict[int, int] = {}
    for each in filter(None, found):
        stage, block = int(each[1][:9]), int(each[2][:9])
        depths[stage] = max(depths.get(stage, 0), block + 1)
    if not depths or not any(name.startswith("patch_embed") for name in bare):
        raise _not_those_of("a Swin")
    begins = not any(name.startswith("layers.0.downsample.") for name in bare)

    def before(stage: int) -> int:
        return sum(depth for at, depth in depths.items() if at < stage)

    def place(name: str, block: re.Match[str] | None) -> int:
        if block is not None:
            return before(int(block[1][:9])) + int(block[2][:9]) + 1
        if down := _SWIN_DOWN.match(name):
            return before(int(down[1][:9]) + (0 if begins else 1))
        inputs = name.startswith("patch_embed") or name == "mask_token"
        return 0 if inputs else sum(depths.values()) + 1

    return tuple(place(name, block) for name, block in zip(bare, found, strict=True))


def _not_those_of(title: str) -> UndecidableError:
    return unknown_depth(f"they are not those of {title}")


COUNTINGS: Mapping[str, Callable[[tuple[str, ...]], tuple[int, ...]]] = {
    "timm": layer_numbers,
    "beit": _vision_transformer,
    "convnext": _convnext_groups,
    "convnext-v2": _convnext_blocks,
    "swin": _swin,
}
