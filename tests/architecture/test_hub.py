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
SWINS = {"swin", "swinv2", "donut-swin"}
# The parts that some models must be told.
_WRITER = {"model_type": "gpt2", "n_embd": 24, "n_layer": 1, "add_cross_attention": True}
PARTS = {
    "vision-encoder-decoder": {"encoder": {"model_type": "vit"}, "decoder": _WRITER},
    "speech-encoder-decoder": {"encoder": {"model_type": "hubert"}, "decoder": _WRITER},
    "encoder-decoder": {"encoder": {"model_type": "bert"}, "decoder": _WRITER},
    "qwen3_omni_moe": {"talker_config": {"text_config": {"shared_expert_intermediate_size": 32}}},
    "internvl_chat": {"llm_config": {"architectures": ["Qwen2ForCausalLM"]}},
    "data2vec-audio": {"num_conv_pos_embedding_groups": 8},
    "vilt": {"num_images": 2},
}
SWIN = {"depths": [1, 1], "num_heads": [2, 4], "embed_dim": 8}


def config(kind, **others):
    own = {key: value for key, value in SMALL.items() if not (kind in SWINS and key in SWIN)}
    parts = PARTS.get(kind, {})
    return Fields(path="config.json", values={"model_type": kind, **own, **parts, **others})


@pytest.mark.parametrize(("kind", "head", "name"), EVERY_HEAD)
def test_every_head_of_every_model_builds(kind, head, name):
    extra = SWIN if kind in SWINS else {}
    net = build_config(config(kind, architectures=[name], **extra))
    assert net.n_parameters > 0
    assert len({tensor.name for tensor in net.tensors}) == len(net.tensors)
    if "Classification" in head:
        labels = {"0": "a", "1": "b", "2": "c"}
        labelled = build_config(config(kind, architectures=[name], id2label=labels, **extra))
        assert labelled.n_classes == 3


@pytest.mark.parametrize(
    ("kind", "changes", "told"),
    [
        ("wav2vec2-bert", {"position_embeddings_type": "relative"}, "relative_key, rotary"),
        (
            "wav2vec2-bert",
            {"architectures": ["Wav2Vec2BertForCTC"], "vocab_size": None},
            "for ForCTC",
        ),
        ("dpt", {"backbone_config": {"model_type": "swinv2"}}, "expected null"),
        ("dpt", {"is_hybrid": True}, "is_hybrid is True"),
        (
            "vilt",
            {"architectures": ["ViltForImagesAndTextClassification"], "num_images": None},
            "num_images is -1",
        ),
        ("rt_detr", {"backbone": "resnet50d"}, "a backbone_config"),
        ("rt_detr", {"backbone_config": {"model_type": "resnet"}}, "expected rt_detr_resnet"),
        ("rt_detr", {"freeze_backbone_batch_norms": False}, "expected true"),
        ("deformable_detr", {"two_stage": True}, "two_stage is True"),
        ("conditional_detr", {"position_embedding_type": "learned"}, "expected sine"),
        ("deformable_detr", {"backbone_kwargs": {"out_indices": [3, 4]}}, r"expected \[2, 3, 4\]"),
        ("albert", {"num_attention_heads": 5}, "a divisor of the width 24"),
        (
            "speecht5",
            {"architectures": ["SpeechT5ForSpeechToText"], "num_feat_extract_layers": 2},
            "as many as conv_dim",
        ),
        ("florence2", {"text_config": {"model_type": "t5"}}, "expected bart or florence2_language"),
        ("florence2", {"vision_config": {"depths": [1]}}, "as many as embed_dim"),
        ("florence2", {"vision_config": {"patch_prenorm": [1]}}, "a list of true and false"),
        ("gemma4", {"audio_config": {"subsampling_conv_channels": [8]}}, "expected two sizes"),
        ("internvl", {"downsample_ratio": 0}, "a number above 0"),
        ("internvl", {"vision_config": {"norm_type": "batch"}}, "expected layer_norm or rms_norm"),
        ("internvl_chat", {"use_llm_lora": 8}, "use_llm_lora is 8, expected 0"),
        ("mllama", {"vision_config": {"max_num_tiles": 2}}, "expected a list of pairs"),
        (
            "qwen2_5_omni",
            {"token2wav_config": {"bigvgan_config": {"upsample_rates": [5, 3]}}},
            "expected 2 sizes",
        ),
        (
            "qwen2_5_omni",
            {"token2wav_config": {"bigvgan_config": {"resblock_dilation_sizes": []}}},
            "resblock_kernel_sizes is .*, expected 0 sizes",
        ),
        (
            "qwen2_5_omni",
            {"token2wav_config": {"dit_config": {"enc_channels": [8, 8]}}},
            "as many as enc_channels",
        ),
        ("longt5", {"encoder_attention_type": "global"}, "expected local or transient-global"),
        ("internvl_chat", {"vision_config": {"use_moe": True}}, "use_moe is True, expected false"),
        ("vivit", {"tubelet_size": [2, 16]}, "expected three sizes"),
        ("timesformer", {"attention_type": "time"}, "one of divided_space_time"),
        ("mvp", {"use_prompt": True}, "use_prompt is True, expected false"),
        ("llava", {"text_config": {"model_type": "gpt2"}}, "model_type is 'gpt2', expected one"),
        ("colpali", {"vlm_config": {"model_type": "llava"}}, "one of paligemma"),
        ("qwen2_audio", {"text_config": {"model_type": "gpt2"}}, "model_type is 'gpt2'"),
        (
            "vision-encoder-decoder",
            {"decoder": {"model_type": "gpt2", "n_embd": 24, "cross_attention_hidden_size": 7}},
            "expected the encoder's 768",
        ),
        ("gemma3n", {"vision_config": {"architecture": "resnet50"}}, "expected mobilenetv5_300m"),
        ("gemma3n", {"audio_config": {"conf_num_attention_heads": 7}}, "a divisor of the width"),
        ("llama4", {"vision_config": {"num_attention_heads": 5}}, "a divisor of the width 768"),
        ("maskformer", {"backbone_config": {"out_indices": [0, 9]}}, "numbers from 1 to 4"),
        ("gemma3n", {"audio_config": {"sscp_conv_kernel_size": 3}}, "two pairs of sizes"),
        ("gemma3n", {"audio_config": {"sscp_conv_stride_size": [[2], [2, 2]]}}, "two pairs"),
        ("gemma4_text", {"enable_moe_block": True}, "num_experts is None"),
        ("mask2former", {"backbone": "resnet50"}, "expected a backbone_config"),
        ("mask2former", {"backbone_config": {"model_type": "vit"}}, "one of swin"),
        ("maskformer", {"backbone_config": {"out_features": ["stage9"]}}, "some of stage1"),
        ("qwen3_5_text", {"layer_types": ["full_attention"]}, "a kind for each layer"),
    ],
)
def test_a_part_that_is_not_known_is_refused(kind, changes, told):
    with pytest.raises(UnreadableFileError, match=told):
        build_config(config(kind, **changes))


def test_gemma_4_tells_of_a_layer_by_itself_or_by_its_kind():
    kinds = ["sliding_attention", "full_attention"]
    more = {"layer_types": kinds, "head_dim": 12, "attention_k_eq_v": True}
    own = {"1": {"head_dim": 20, "num_key_value_heads": 1}}
    by_kind = config("gemma4_text", **more, global_head_dim=20, num_global_key_value_heads=1)
    by_layer = config("gemma4_text", **more, per_layer_config=own)
    assert build_config(by_kind).tensors == build_config(by_layer).tensors


def test_the_stages_of_a_backbone_may_be_told_by_number_or_by_name():
    by_name, by_number, last = (
        build_config(config("maskformer", backbone_config={"depths": [1] * 4, **told}))
        for told in ({"out_features": ["stage2", "stage4"]}, {"out_indices": [2, 4]}, {})
    )
    assert by_name.tensors == by_number.tensors
    assert by_name.n_parameters > last.n_parameters


def test_florence_2_has_the_same_layers_by_its_own_names():
    sizes = {"depths": [1, 2], "dim_embed": [16, 32], "embed_dim": [16, 32], "patch_size": [7, 3]}
    words = {"d_model": 24, "encoder_layers": 1, "decoder_layers": 1, "vocab_size": 50}
    own, native = (
        build_config(config("florence2", vision_config=sizes,
                            text_config={"model_type": kind, **words}))
        for kind in ("florence2_language", "bart")
    )  # fmt: skip
    assert own.tensors[0].name == "image_projection"
    assert own.n_parameters == native.n_parameters
    names = {tensor.name for tensor in own.tensors}
    block = "vision_tower.blocks.1.1.channel_block"
    layers = ("conv2.fn.dw.weight", "channel_attn.norm.weight", "channel_attn.fn.qkv.weight",
              "ffn.norm.bias", "ffn.fn.net.fc2.bias")  # fmt: skip
    assert {f"{block}.{layer}" for layer in layers} <= names
    spoken = [each for each in own.tensors if each.name.startswith("language_model.")]
    heard = [each for each in native.tensors if each.name.startswith("model.language_model.")]
    assert [each.shape for each in spoken] == [each.shape for each in heard]


def test_maskformer_needs_no_projection_to_a_width_that_it_has():
    below = {"model_type": "swin", "embed_dim": 32, "depths": [1, 1]}
    kept = config("maskformer", backbone_config=below, decoder_config={"d_model": 64})
    names = {tensor.name for tensor in build_config(kept).tensors}
    assert "model.transformer_module.input_projection.weight" not in names
    assert "model.pixel_level_module.decoder.fpn.layers.0.proj.0.weight" not in names


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
        ("longformer", {}, 96 * 24),
        ("big_bird", {}, 96 * 24),
        ("xlnet", {}, 96 * 24),
        ("nomic_bert", {"architectures": ["NomicBertForMaskedLM"]}, 96 * 24),
        ("mobilebert", {"hidden_size": 24, "embedding_size": 12}, 96 * 12),
        ("mpt", {}, 96 * 24),
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
    plain, tabled = (
        build_config(config("swinv2", use_absolute_embeddings=flag, **SWIN))
        for flag in (False, True)
    )
    assert tabled.n_parameters - plain.n_parameters == (56**2 + 1) * 8
    usual = build_config(config("hubert"))
    bare = build_config(config("hubert", mask_time_prob=0, feat_proj_layer_norm=False))
    assert usual.n_parameters - bare.n_parameters == 24 + 2 * 512
    label = ["HubertForSequenceClassification"]
    summed = build_config(config("hubert", architectures=label, use_weighted_layer_sum=True))
    assert (summed.tensors[0].name, summed.tensors[0].shape) == ("layer_weights", (3,))


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
    long = build_config(config("vit", image_size=[32, 64], patch_size=8))
    assert long.n_parameters - single.n_parameters == 16 * 24
    with pytest.raises(UnreadableFileError, match="equal sides"):
        build_config(config("vit", patch_size=[8, 16]))


@pytest.mark.parametrize(
    ("kind", "others", "text"),
    [
        ("brt", {}, "did you mean 'bert'"),
        ("zzzz", {}, r"unknown model_type 'zzzz'; give its weights instead"),
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
        ("convnextv2", {"depths": [1, 1], "hidden_sizes": [8]}, "as many as depths"),
        ("swinv2", {"depths": [1, 1], "num_heads": [1]}, "as many as depths"),
        ("resnet", {"depths": [1, 1], "hidden_sizes": [8]}, "as many as depths"),
        ("resnet", {"layer_type": "wide"}, "basic or bottleneck"),
        ("segformer", {"sr_ratios": [1]}, "as many as num_encoder_blocks"),
        ("wavlm", {"add_adapter": True}, "add_adapter is True, expected false"),
        ("wav2vec2", {"conv_kernel": [1, 2]}, "as many as conv_dim"),
        ("hubert", {"conv_pos_batch_norm": True}, "expected false"),
        ("mobilebert", {"use_bottleneck": False}, "use_bottleneck is False, expected true"),
        ("mobilebert", {"normalization_type": "layer_norm"}, "expected no_norm"),
        (
            "xlnet",
            {"architectures": ["XLNetForMultipleChoice"], "summary_use_proj": False},
            "summary_use_proj is False, expected true",
        ),
        ("llava", {"text_config": {"model_type": "gpt2"}}, "model_type is 'gpt2', expected one of"),
        ("llava", {"vision_config": {"model_type": "pixtral"}}, "model_type is 'pixtral'"),
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


def test_a_part_past_all_bounds_is_refused(monkeypatch):
    monkeypatch.setattr("decaycalc.architecture.build.MOST_TENSORS", 60)
    text = {"num_hidden_layers": 3, "hidden_size": 8, "num_attention_heads": 2}
    with pytest.raises(InvalidValueError, match="goes past 60"):
        build_config(config("qwen2_vl", text_config=text, vision_config={"depth": 4}))


def test_a_class_that_is_named_in_the_language_model_counts():
    within = {"architectures": ["Qwen2VLModel"], "hidden_size": 24, "num_hidden_layers": 1}
    assert build_config(config("qwen2_vl", text_config=within)).class_name == "Qwen2VLModel"
    other = config("llava", text_config={**within, "architectures": ["LlamaForCausalLM"]})
    assert build_config(other).class_name == "LlavaForConditionalGeneration"


def test_older_files_hold_the_fields_of_the_language_model_beside_the_tower():
    flat = build_config(config("qwen2_vl", vision_config={"depth": 1}))
    text = {key: value for key, value in SMALL.items() if key != "vocab_size"}
    nested = build_config(
        Fields(path="c", values={"model_type": "qwen2_vl", "vision_config": {"depth": 1},
                                 "text_config": {**text, "vocab_size": 96}})
    )  # fmt: skip
    assert flat.tensors == nested.tensors


def test_what_llava_sees_by_where_nothing_is_said_is_clips_large_tower():
    net = build_config(config("llava", text_config={"num_hidden_layers": 1, "vocab_size": 96}))
    seen = [tensor for tensor in net.tensors if tensor.name.startswith("model.vision_tower")]
    assert sum(tensor.n_weights for tensor in seen) == 303_507_456  # of clip-vit-large-patch14-336


def test_a_resnet_of_pairs_of_convolutions_is_torchvisions():
    fields = {"layer_type": "basic", "hidden_sizes": [64, 128, 256, 512], "depths": [2, 2, 2, 2],
              "num_labels": 1000, "architectures": ["ResNetForImageClassification"]}  # fmt: skip
    net = build_config(Fields(path="c", values={"model_type": "resnet", **fields}))
    assert net.n_parameters == 11_689_512


def test_nomics_own_file_has_gpt2s_names():
    names = {"n_embd": 24, "n_inner": 40, "n_head": 4, "n_layer": 2, "vocab_size": 96}
    ours = {"hidden_size": 24, "intermediate_size": 40, "num_attention_heads": 4,
            "num_hidden_layers": 2, "vocab_size": 96}  # fmt: skip
    one, other = (
        build_config(Fields(path="c", values={"model_type": "nomic_bert", **fields}))
        for fields in (names, ours)
    )
    assert one.tensors == other.tensors


@pytest.mark.parametrize(
    ("kind", "others", "more"),
    [
        ("falcon", {"parallel_attn": False}, 2 * 2 * 24),
        ("falcon", {"multi_query": False}, 2 * 24 * (3 * 24 - 36)),
        ("falcon", {"new_decoder_architecture": True, "num_ln_in_parallel_attn": 1}, 2 * 24 * 36),
        ("falcon", {"new_decoder_architecture": True}, 2 * (24 * 36 + 2 * 24)),
        ("stablelm", {"use_parallel_residual": True}, -2 * 2 * 24),
        ("mamba", {"time_step_rank": "auto"}, 0),
        ("mamba", {"time_step_rank": 3}, 2 * 2 * 48),
        ("modernbert", {"tie_word_embeddings": False}, 96 * 24),
        ("modernbert", {"decoder_bias": False}, -96),
        ("mpnet", {"architectures": ["MPNetForMaskedLM"], "tie_word_embeddings": False}, None),
        ("deberta-v2", {"position_biased_input": False}, -512 * 24),
        ("deberta-v2", {"type_vocab_size": 2}, 2 * 24),
        ("deberta-v2", {"embedding_size": 12}, None),
        ("deberta-v2", {"relative_attention": True}, 2 * 512 * 24),
        ("deberta-v2", {"relative_attention": True, "position_buckets": 16}, 2 * 16 * 24),
        ("deberta-v2", {"relative_attention": True, "max_relative_positions": 8}, 2 * 8 * 24),
        ("deberta-v2", {"relative_attention": True, "pos_att_type": ["p2c", "c2p"]}, None),
        ("deberta-v2", {"conv_kernel_size": 3}, 3 * 24 * 24 + 24 + 2 * 24),
        ("deberta-v2", {"norm_rel_ebd": "layer_norm"}, 2 * 24),
        ("siglip", {"vision_config": {"vision_use_head": False}}, None),
        ("dinov2", {"use_swiglu_ffn": True}, None),
        ("dinov2", {"use_mask_token": False}, -24),
        ("dinov3_vit", {"use_gated_mlp": True}, 2 * (24 * 48 + 48)),
        ("beit", {"use_mask_token": True}, 24),
        ("beit", {"use_absolute_position_embeddings": True}, 197 * 24),
        ("beit", {"use_relative_position_bias": True}, 2 * 732 * 4),
        ("beit", {"use_shared_relative_position_bias": True}, 732 * 4),
        ("beit", {"use_mean_pooling": False}, 0),
        ("beit", {"layer_scale_init_value": 0}, -2 * 2 * 24),
        ("deepseek_v3", {"q_lora_rank": None, "n_routed_experts": 2}, None),
        ("deepseek_v3", {"first_k_dense_replace": 1, "n_routed_experts": 2}, None),
        ("llama4_text", {"interleave_moe_layer_step": 2}, None),
        ("llama4_text", {"moe_layers": [0]}, None),
        ("qwen3_moe", {"mlp_only_layers": [0]}, None),
        ("qwen3_moe", {"decoder_sparse_step": 2}, None),
        ("umt5", {}, 0),
    ],
)
def test_a_field_changes_what_it_says(kind, others, more):
    plain = {key: value for key, value in others.items() if key == "architectures"}
    found = build_config(config(kind, **others)).n_parameters
    usual = build_config(config(kind, **plain)).n_parameters
    assert found != usual if more is None else found - usual == more


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("cohere", "use_qk_norm", True), ("phi", "qk_layernorm", True),
        ("stablelm", "qk_layernorm", True), ("deberta-v2", "tie_word_embeddings", False),
        ("marian", "share_encoder_decoder_embeddings", False), ("clip", "text_config", []),
        ("deberta-v2", "pos_att_type", {"c2p": 1}), ("qwen3_moe", "mlp_only_layers", 3),
        ("qwen3_moe", "mlp_only_layers", [-1]), ("deberta-v2", "position_buckets", 10**12),
        ("deberta-v2", "max_relative_positions", "256"), ("deberta", "max_relative_positions", -2),
    ],
)  # fmt: skip
def test_what_is_not_known_of_a_model_is_refused(kind, field, value):
    with pytest.raises(UnreadableFileError, match=field):
        build_config(config(kind, relative_attention=True, **{field: value}))


def test_groups_that_do_not_share_a_convolutions_inputs_are_refused():
    values = {"model_type": "data2vec-audio", "hidden_size": 1, "num_conv_pos_embedding_groups": 16}
    with pytest.raises(InvalidValueError, match="groups 16 must divide the 1 inputs of"):
        build_config(Fields(path="config.json", values=values))


def test_sizes_beyond_all_measure_are_refused_or_left_untold_at_once():
    table = build_config(config("mamba", state_size=10**8)).tensors[2]
    assert (table.leaf, table.init_variance) == ("A_log", None)
    dense = {"mlp_only_layers": list(range(9999)), "num_hidden_layers": 10**9}
    with pytest.raises(InvalidValueError, match="goes past 100000"):
        build_config(config("qwen3_moe", **dense))
