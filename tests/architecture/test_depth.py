import pytest

from decaycalc.architecture.depth import layer_numbers
from decaycalc.architecture.zoo import find_model
from decaycalc.errors import UndecidableError


def numbers(*names):
    return layer_numbers(names)


# The highest layer: that of the head, or of the last block where there is none. Blocks and stem
# counted in the papers' tables.
@pytest.mark.parametrize(
    ("name", "top"),
    [
        ("resnet18", 9), ("resnet50", 17), ("resnet101", 34), ("convnext_tiny", 19),
        ("torchvision/convnext_tiny", 19), ("swin-tiny", 13), ("swin_t", 13), ("swin_v2_t", 13),
        ("vit-base", 13), ("vit_b_16", 13), ("deit-small-distilled", 13), ("efficientnet_b0", 17),
        ("efficientnet_v2_s", 41), ("mobilenet_v2", 18), ("mobilenet_v3_large", 17),
        ("regnet_y_400mf", 17), ("densenet121", 59), ("vgg11", 8), ("bert-base", 13),
        ("gpt2", 12), ("llama-3-8b", 33), ("lenet-300-100", 2), ("nanogpt", 12),
    ],
)  # fmt: skip
def test_a_networks_layers_are_its_blocks_between_stem_and_head(name, top):
    net = find_model(name)
    layers = layer_numbers(tuple(tensor.name for tensor in net.tensors))
    assert set(layers) == set(range(top + 1))


def test_a_stages_downsampling_goes_with_the_block_after_it():
    assert numbers(
        "stem.0.weight", "stages.0.blocks.0.conv_dw.weight", "stages.1.downsample.0.weight",
        "stages.1.blocks.0.norm.weight", "head.fc.weight",
    ) == (0, 1, 2, 2, 3)  # fmt: skip
    assert numbers(
        "swin.embeddings.norm.weight", "swin.encoder.layers.0.blocks.0.x.weight",
        "swin.encoder.layers.0.downsample.norm.weight", "swin.encoder.layers.1.blocks.0.x.weight",
        "swin.layernorm.weight", "classifier.weight",
    ) == (0, 1, 2, 2, 2, 3)  # fmt: skip


@pytest.mark.parametrize("chunk", ["", "0."])
def test_dinov2_counts_its_tokens_to_the_stem_and_its_norm_to_the_head(chunk):
    block = f"blocks.{chunk}"
    assert numbers(
        "cls_token", "register_tokens", "storage_tokens", "mask_token", "patch_embed.proj.weight",
        f"{block}0.ls1.gamma", f"{block}1.ls1.gamma", "norm.weight",
    ) == (0, 0, 0, 0, 0, 1, 2, 3)  # fmt: skip


def test_what_wrappers_put_before_names_does_not_matter():
    bare = ("conv1.weight", "layer1.0.conv1.weight", "layer2.0.conv1.weight", "fc.weight")
    assert layer_numbers(tuple(f"module._orig_mod.{name}" for name in bare)) == (0, 1, 2, 3)


def test_a_transformer_of_one_stack_is_read_whatever_its_names_begin_with():
    assert numbers(
        "text.embeddings.word_embeddings.weight", "text.encoder.layer.0.x.weight",
        "text.encoder.layer.1.x.weight", "text.layernorm.weight", "text.pooler.dense.weight",
    ) == (0, 1, 2, 2, 3)  # fmt: skip


@pytest.mark.parametrize(
    "names",
    [
        ("conv.weight", "linear.weight"),
        # Swin's own code, which ends a stage with the downsampling.
        (
            "patch_embed.proj.weight",
            "layers.0.blocks.0.mlp.fc1.weight",
            "layers.0.downsample.norm.weight",
            "layers.1.blocks.0.mlp.fc1.weight",
        ),
        # timm's PoolFormer, whose layers timm counts by numbers of tensors.
        ("stem.conv.weight", "stages.0.blocks.0.norm1.weight", "stages.1.downsample.conv.weight"),
        ("encoder.block.0.x.weight", "decoder.block.0.x.weight"),
        ("layers.0.blocks.0.x.weight", "layers.0.blocks.1.x.weight"),
        ("blocks.0.x.weight", "merger.weight"),
        ("blocks.0.x.weight", "other_head.layers.0.weight"),
        ("t5.block.0.x.weight", "unrelated.norm.weight"),
    ],
)
def test_names_that_do_not_tell_the_depth_are_refused(names):
    with pytest.raises(UndecidableError, match="depth of layers is not known"):
        layer_numbers(names)
