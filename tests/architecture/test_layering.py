"""Layers as vision trainers' scripts count them: worked out by hand from each script."""

import pytest

from decaycalc.architecture.layering import COUNTINGS, layers_of
from decaycalc.errors import UndecidableError

VIT = (
    "cls_token", "pos_embed", "patch_embed.proj.weight", "blocks.0.attn.qkv.weight",
    "blocks.1.norm1.bias", "norm.weight", "rel_pos_bias.relative_position_bias_table",
    "head.weight",
)  # fmt: skip


def test_a_vision_transformer_s_final_norm_is_the_head_s():
    assert layers_of(VIT, "beit") == (0, 0, 0, 1, 2, 3, 3, 3)
    wrapped = tuple(f"module.{name}" for name in VIT)
    assert layers_of(wrapped, "beit") == layers_of(VIT, "beit")


# Third stages of 7 blocks: groups of three in it; the last stage is group 12 whatever its depth.
OWN = (
    "downsample_layers.0.0.weight", "stages.0.0.dwconv.weight", "stages.0.1.gamma",
    "downsample_layers.1.1.weight", "stages.1.0.dwconv.weight", "downsample_layers.2.1.weight",
    "stages.2.2.dwconv.weight", "stages.2.6.dwconv.weight", "downsample_layers.3.0.weight",
    "stages.3.0.dwconv.weight", "norm.weight", "head.weight",
)  # fmt: skip
TIMM = (
    "stem.0.weight", "stages.0.blocks.0.conv_dw.weight", "stages.0.blocks.1.gamma",
    "stages.1.downsample.1.weight", "stages.1.blocks.0.conv_dw.weight",
    "stages.2.downsample.1.weight", "stages.2.blocks.2.conv_dw.weight",
    "stages.2.blocks.6.conv_dw.weight", "stages.3.downsample.0.weight",
    "stages.3.blocks.0.conv_dw.weight", "head.norm.weight", "head.fc.weight",
)  # fmt: skip


@pytest.mark.parametrize("names", [OWN, TIMM])
def test_convnext_counts_twelve_groups_or_each_block(names):
    assert layers_of(names, "convnext") == (0, 1, 1, 2, 2, 3, 3, 5, 12, 12, 13, 13)
    # Depths 2, 1, 7, 1: the stem goes with the first block, the head is layer 12.
    assert layers_of(names, "convnext-v2") == (1, 1, 2, 3, 3, 4, 6, 10, 11, 11, 12, 12)


def test_swin_s_merging_goes_with_the_blocks_before_it():
    blocks = (
        "mask_token", "absolute_pos_embed", "patch_embed.proj.weight",
        "layers.0.blocks.1.mlp.fc1.weight", "layers.1.blocks.0.mlp.fc1.weight", "norm.bias",
    )  # fmt: skip
    own = (*blocks, "layers.0.downsample.norm.weight")
    timm = (*blocks, "layers.1.downsample.norm.weight")
    assert layers_of(own, "swin") == layers_of(timm, "swin") == (0, 4, 0, 2, 3, 4, 2)


def test_timm_s_way_is_the_one_of_depth():
    assert layers_of(VIT[:6], "timm") == (0, 0, 0, 1, 2, 2)


@pytest.mark.parametrize("counting", sorted(COUNTINGS.keys() - {"timm"}))
@pytest.mark.parametrize(
    "names", [("fc1.weight",), ("blocks.0.a.weight",), ("layers.0.blocks.0.a",), ("stem.0.weight",)]
)
def test_names_of_another_network_are_refused(counting, names):
    with pytest.raises(UndecidableError, match="they are not those of a"):
        layers_of(names, counting)
