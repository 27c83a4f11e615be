import pytest

from decaycalc.architecture.hub import MODEL_TYPES, build_config
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Role
from decaycalc.errors import DecaycalcError, InvalidValueError, UnreadableFileError

EVERY_HEAD = [
    (kind, head, name + head) for kind, (name, _, heads) in MODEL_TYPES.items() for head in heads
]
SMALL = {
    "vocab_size": 96, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4,
    "intermediate_size": 48, "n_embd": 24, "n_layer": 2, "n_layers": 2, "dim": 24, "hidden_dim": 48,
    "d_model": 24, "d_ff": 48, "num_layers": 2, "num_heads": 2, "d_kv": 12,
}  # fmt: skip
SWIN = {"depths": [1, 1], "num_heads": [2, 4], "embed_dim": 8}


def config(kind, **others):
    own = {key: value for key, value in SMALL.items() if not (kind == "swin" and key in SWIN)}
    return Fields(path="config.json", values={"model_type": kind, **own, **others})


@pytest.mark.parametrize(("kind", "head", "name"), EVERY_HEAD)
def test_every_head_of_every_model_builds(kind, head, name):
    extra = SWIN if kind == "swin" else {}
    net = build_config(config(kind, architectures=[name], **extra))
    assert net.n_parameters > 0
    assert len({tensor.name for tensor in net.tensors}) == len(net.tensors)
    labelled = build_config(
        config(kind, architectures=[name], id2label={"0": "a", "1": "b", "2": "c"}, **extra)
    )
    if "Classification" in head:
        assert labelled.n_classes == 3


def test_without_a_class_the_plain_model_is_built():
    names = [tensor.name for tensor in build_config(config("bert")).tensors]
    assert names[0] == "embeddings.word_embeddings.weight"
    assert names[-1] == "pooler.dense.bias"


@pytest.mark.parametrize(
    ("kind", "others", "extra"),
    [
        ("bert", {"architectures": ["BertForMaskedLM"]}, 96 * 24),
        ("roberta", {"architectures": ["RobertaForMaskedLM"]}, 96 * 24),
        ("distilbert", {"architectures": ["DistilBertForMaskedLM"]}, 96 * 24),
        ("xlm-roberta", {"architectures": ["XLMRobertaForMaskedLM"]}, 96 * 24),
        ("electra", {"architectures": ["ElectraForMaskedLM"], "embedding_size": 12}, 96 * 12),
        ("albert", {"architectures": ["AlbertForMaskedLM"], "embedding_size": 12}, 96 * 12),
        ("gpt2", {}, 96 * 24),
        ("opt", {}, 96 * 24),
        ("t5", {}, 96 * 24),
        ("whisper", {"d_model": 24}, 96 * 24),
        ("gemma", {}, 96 * 24),
    ],
)
def test_an_untied_output_layer_counts_once_more(kind, others, extra):
    tied = build_config(config(kind, **others))
    untied = build_config(config(kind, tie_word_embeddings=False, **others))
    assert untied.n_parameters - tied.n_parameters == extra


def test_a_tied_output_layer_is_counted_once():
    untied = build_config(config("llama"))
    tied = build_config(config("llama", tie_word_embeddings=True))
    neox = build_config(config("gpt_neox", tie_word_embeddings=True, attention_bias=False))
    assert untied.n_parameters - tied.n_parameters == 96 * 24
    assert neox.tensors[-1].name.endswith("final_layer_norm.bias")


def test_options_of_models_change_their_tensors():
    names = {
        tensor.name
        for fields in (
            config("llama", attention_bias=True, mlp_bias=True),
            config("t5", feed_forward_proj="gated-gelu"),
            config("opt", word_embed_proj_dim=12, do_layer_norm_before=False),
            config("swin", use_absolute_embeddings=True, qkv_bias=False, **SWIN),
        )
        for tensor in build_config(fields).tensors
    }
    assert "model.layers.0.mlp.down_proj.bias" in names
    assert "decoder.block.1.layer.2.DenseReluDense.wi_1.weight" in names
    assert "model.decoder.project_in.weight" in names
    assert "embeddings.position_embeddings" in names


def test_embeddings_as_wide_as_the_layers_are_not_projected():
    for kind, layer in (("electra", "project"), ("albert", "hidden_mapping")):
        for width, projected in ((12, True), (24, kind == "albert")):
            net = build_config(config(kind, embedding_size=width))
            assert any(layer in tensor.name for tensor in net.tensors) == projected


def test_layers_that_share_their_weights_are_counted_once():
    shallow, deep = (build_config(config("albert", num_hidden_layers=n)) for n in (2, 12))
    assert shallow.tensors == deep.tensors
    grouped = build_config(config("albert", num_hidden_groups=2, inner_group_num=2))
    assert sum("ffn_output.weight" in tensor.name for tensor in grouped.tensors) == 4


def test_absent_parts_are_absent():
    plain = build_config(config("convnext", layer_scale_init_value=0))
    assert not any("layer_scale" in tensor.name for tensor in plain.tensors)
    flat = build_config(config("opt", layer_norm_elementwise_affine=False, enable_bias=False))
    assert {tensor.role for tensor in flat.tensors} == {
        Role.EMBEDDING, Role.POSITION, Role.WEIGHT,
    }  # fmt: skip
    sines = build_config(config("distilbert", sinusoidal_pos_embds=True))
    assert sines.tensors[1].init_variance == pytest.approx(0.5 * 511 / 512, rel=1e-2)


def test_square_sizes_may_come_as_pairs():
    pair = build_config(config("vit", image_size=[32, 32], patch_size=[8, 8]))
    single = build_config(config("vit", image_size=32, patch_size=8))
    assert pair.tensors == single.tensors
    with pytest.raises(UnreadableFileError, match="equal sides"):
        build_config(config("vit", image_size=[32, 64]))


@pytest.mark.parametrize(
    ("kind", "others", "text"),
    [
        ("brt", {}, "did you mean 'bert'"),
        ("zzzz", {}, "known are bert"),
        (7, {}, "expected a text"),
        ("bert", {"architectures": ["BertForSong"]}, "one of BertModel"),
        ("bert", {"architectures": "BertForSong"}, "one of BertModel"),
        ("bert", {"hidden_size": -1}, "a whole number from 1"),
        ("bert", {"hidden_size": 1.5}, "a whole number"),
        ("bert", {"hidden_size": True}, "a whole number"),
        ("bert", {"hidden_size": 10**12}, "a whole number from 1"),
        ("bert", {"initializer_range": "x"}, "a number"),
        ("bert", {"initializer_range": -0.1}, "a number of 0 or more"),
        ("bert", {"initializer_range": True}, "a number"),
        ("gpt2", {"tie_word_embeddings": 3}, "true or false"),
        ("bart", {"tie_word_embeddings": False}, "expected true"),
        ("swin", {"depths": []}, "a list of sizes"),
        ("swin", {"depths": [1, 1], "num_heads": [1]}, "as many as depths"),
        ("convnext", {"depths": [1, 1], "hidden_sizes": [8]}, "as many as depths"),
    ],
)
def test_a_malformed_configuration_is_refused(kind, others, text):
    with pytest.raises(UnreadableFileError, match=text):
        build_config(config(kind, **others))


def test_a_configuration_past_all_bounds_is_refused(monkeypatch):
    monkeypatch.setattr("decaycalc.architecture.build.MOST_TENSORS", 100)
    with pytest.raises(InvalidValueError, match="number of tensors"):
        build_config(config("bert", num_hidden_layers=10**9))
    with pytest.raises(DecaycalcError):
        build_config(config("bert", hidden_size=10**9, intermediate_size=10**9))
