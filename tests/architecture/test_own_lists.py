import pytest

from decaycalc.architecture.guess import guess_tensors
from decaycalc.architecture.masks import decayed, notes_on
from decaycalc.architecture.restacking import from_names
from decaycalc.architecture.zoo import find_model
from decaycalc.errors import UndecidableError


def exempt(mask, *shapes):
    net = from_names("net", guess_tensors(shapes))
    marks = zip(net.tensors, decayed(net, mask=mask), strict=True)
    return {tensor.name for tensor, mark in marks if not mark}


@pytest.mark.parametrize("name", ["vit-base", "deit-small-distilled", "swin-tiny", "vit_b_16"])
def test_a_dump_of_a_model_is_exempt_in_the_same_places_as_the_model(name):
    net = find_model(name)
    dump = from_names("dump", guess_tensors((t.name, t.shape) for t in net.tensors))
    assert decayed(dump, mask="timm") == decayed(net, mask="timm")


def test_what_timms_models_list_is_told_from_names():
    assert exempt(
        "timm", ("cls_token", (1, 1, 8)), ("reg_token", (1, 4, 8)), ("pos_embed", (1, 9, 8)),
        ("blocks.0.attn.relative_position_bias_table", (9, 2)), ("patch_embed.proj.weight", (8, 3)),
        ("layers.0.blocks.0.attn.cpb_mlp.0.weight", (8, 2)), ("head.weight", (8, 8)),
        ("rope.freqs", (2, 12, 6, 32)), ("stages.0.blocks.0.attn.attention_biases", (3, 49)),
    ) == {
        "rope.freqs", "stages.0.blocks.0.attn.attention_biases",
        "cls_token", "reg_token", "pos_embed", "blocks.0.attn.relative_position_bias_table",
        "layers.0.blocks.0.attn.cpb_mlp.0.weight",
    }  # fmt: skip


def test_a_list_is_told_from_names_with_slashes_too():
    assert exempt(
        "timm", ("pos_block/0/proj/0/weight", (8, 1, 3, 3)), ("patch_embeds/0/proj/weight", (8, 3)),
        ("blocks/0/0/attn/qkv/weight", (24, 8)),
    ) == {"pos_block/0/proj/0/weight"}  # fmt: skip
    with pytest.raises(UndecidableError, match="'tower/pos_embed' may be in it"):
        exempt("timm", ("tower/pos_embed", (1, 9, 8)))


def test_models_without_a_list_exempt_nothing_more():
    assert exempt(
        "timm", ("vit.embeddings.cls_token", (1, 1, 8)), ("transformer.wpe.weight", (9, 8)),
        ("vit.embeddings.position_embeddings", (1, 9, 8)), ("class_token", (1, 1, 8)),
        ("levit.encoder.stages.0.layers.0.module.attention_biases", (4, 196)),
        ("layers.0.mlp.experts.gate_up_proj_bias", (32, 5760)),
        ("blocks.0.layers.0.layers.grid_attention.attn_layer.1.relative_position_bias_table",
         (169, 2)),
    ) == set()  # fmt: skip


@pytest.mark.parametrize(
    "name", ["net.my_pos_embedding", "encoder.cls_token", "tower.query_tokens"]
)
def test_what_a_list_of_an_unknown_model_may_hold_is_refused(name):
    with pytest.raises(UndecidableError, match="own list is not known from names"):
        exempt("timm", (name, (1, 4, 8)), ("fc.weight", (8, 8)))


VIT = {
    "pos_embed": (1, 9, 8), "patch_embed.proj.weight": (8, 3, 4, 4), "norm.weight": (8,),
    "blocks.0.norm1.weight": (8,), "blocks.0.attn.qkv.weight": (24, 8),
}  # fmt: skip
SWIN = {
    "patch_embed.proj.weight": (8, 3, 4, 4), "norm.weight": (8,), "head.weight": (10, 16),
    "layers.0.blocks.0.attn.relative_position_bias_table": (169, 3),
}  # fmt: skip


@pytest.mark.parametrize(
    ("whose", "names", "shown"),
    [
        ("SAM 2", {**VIT, "blocks.0.mlp.layers.0.weight": (32, 8)}, "blocks.0.mlp.layers.0.weight"),
        ("SAM", {**VIT, "blocks.0.mlp.lin1.weight": (32, 8)}, "blocks.0.mlp.lin1.weight"),
        ("MMPretrain", {**VIT, "layers.0.ffn.layers.0.0.weight": (32, 8),
                        "patch_embed.projection.weight": (8, 3, 4, 4)}, "patch_embed.projection"),
        ("detectron2's MViT", {**VIT, "scale2_norm.weight": (8,)}, "scale2_norm.weight"),
        ("Swin's own", {**SWIN, "layers.0.downsample.reduction.weight": (16, 32)},
         "layers.0.downsample.reduction.weight"),
        ("detectron2's ViT", {name: VIT[name] for name in VIT if name != "norm.weight"},
         "do not end with their blocks"),
    ],
)  # fmt: skip
def test_models_of_others_that_are_named_as_timms_are_refused(whose, names, shown):
    with pytest.raises(UndecidableError, match=rf"own list is not known.*{shown}"):
        exempt("timm", *names.items())
    assert exempt("no-1d", *names.items()), whose


def test_timms_swin_and_vit_are_none_of_them():
    swin = {**SWIN, "layers.1.downsample.reduction.weight": (16, 32)}
    assert "layers.0.blocks.0.attn.relative_position_bias_table" in exempt("timm", *swin.items())
    wrapped = {f"module.{name}": shape for name, shape in VIT.items()}
    assert "module.pos_embed" in exempt("timm", *wrapped.items())


def test_what_rests_on_timms_names_says_so():
    net = from_names("net", guess_tensors(VIT.items()))
    (note,) = notes_on(net, mask="timm")
    assert note.startswith("read as a model of timm, whose own list (no_weight_decay) exempts pos_")
    assert notes_on(net, mask="no-1d") == notes_on(net) == ()
    unlisted = from_names("net", guess_tensors([("fc.weight", (8, 8))]))
    assert notes_on(unlisted, mask="timm") == ()
    assert notes_on(find_model("vit-base"), mask="timm") == ()


OWN = {
    "iBOT's": ({**VIT, "cls_token": (1, 1, 8), "masked_embed": (1, 8)}, "", set()),
    "iBOT's, wrapped": ({"backbone.pos_embed": (1, 9, 8), "backbone.masked_embed": (1, 8),
                         "head.last_layer.weight_v": (99, 8)}, "", set()),
    "DINO's": ({**{f"backbone.{name}": shape for name, shape in VIT.items()},
                "backbone.cls_token": (1, 1, 8), "head.mlp.0.weight": (16, 8),
                "head.last_layer.parametrizations.weight.original0": (99, 1),
                "head.last_layer.parametrizations.weight.original1": (99, 8)}, "", set()),
    "BEiT's": ({**VIT, "cls_token": (1, 1, 8), "mask_token": (1, 1, 8), "lm_head.weight": (99, 8),
                "rel_pos_bias.relative_position_bias_table": (169, 3)}, "pos_embed and cls_token",
               {"cls_token", "pos_embed"}),
}  # fmt: skip


@pytest.mark.parametrize("whose", OWN)
def test_what_others_train_under_timms_names_is_told_by_what_they_hold_besides(whose):
    names, listed, left_alone = OWN[whose]
    flat = {name for name, shape in names.items() if len(shape) == 1}
    assert exempt("timm", *names.items()) == flat | left_alone
    (note,) = notes_on(from_names("net", guess_tensors(names.items())), mask="timm")
    assert note.startswith(f"read as {whose.partition(',')[0]} own vision transformer")
    assert note.endswith(f"exempts {listed or 'nothing'}")


def test_the_trainers_mask_needs_the_kind_of_each_norm():
    assert exempt(
        "hf", ("stem.bn.weight", (8,)), ("stem.bn.bias", (8,)), ("h.ln_1.weight", (8,)),
        ("h.ln_1.bias", (8,)), ("layer1.0.bn1.weight", (8,)),
        ("layer1.0.downsample.1.weight", (8,)), ("gn1.weight", (8,)),
        ("final_norm.weight", (8,)),
    ) == {"stem.bn.bias", "h.ln_1.weight", "h.ln_1.bias", "final_norm.weight"}  # fmt: skip
    with pytest.raises(UndecidableError, match=r"'features.0.1.weight' is a LayerNorm"):
        exempt("hf", ("features.0.1.weight", (8,)))
    with pytest.raises(UndecidableError, match=r"'vision_tower.ln_pre.weight' is a LayerNorm"):
        exempt("hf", ("vision_tower.ln_pre.weight", (8,)))  # Pixtral's is an RMS norm


def test_stored_statistics_tell_a_batch_norm():
    shapes = (("features.0.1.weight", (8,)), ("features.0.1.running_mean", (8,)))
    assert exempt("hf", *shapes) == set()


def test_a_dump_of_timms_vit_decays_as_its_optimizer_has_it():
    net = find_model("vit-base")
    dump = from_names("dump", guess_tensors((t.name, t.shape) for t in net.tensors))
    marks = zip(dump.tensors, decayed(dump, mask="timm"), strict=True)
    assert sum(tensor.n_weights for tensor, mark in marks if mark) == 86_292_480
