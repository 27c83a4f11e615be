"""Published models by their configurations: totals of the classes of transformers 4.57.1."""

import pytest

from decaycalc.architecture.hub import build_config
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Role
from decaycalc.errors import UnreadableFileError


def built(kind, label="", **values):
    named = {"architectures": [label]} if label else {}
    return build_config(Fields(path="config.json", values={"model_type": kind, **named, **values}))


COUNTS = {
    "microsoft/deberta-base": (139_244_121, "deberta", "DebertaForMaskedLM", {
        "relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_biased_input": False,
        "max_relative_positions": -1}),
    "facebook/esm2_t6_8M_UR50D": (7_512_474, "esm", "EsmForMaskedLM", {
        "hidden_size": 320, "intermediate_size": 1280, "num_attention_heads": 20,
        "num_hidden_layers": 6, "pad_token_id": 1, "position_embedding_type": "rotary"}),
    "microsoft/layoutlmv3-base": (125_326_976, "layoutlmv3", "LayoutLMv3Model", {
        "max_position_embeddings": 514, "type_vocab_size": 1}),
    "microsoft/layoutlm-base-uncased": (113_250_618, "layoutlm", "LayoutLMForMaskedLM", {}),
    "nghuyong/ernie-3.0-base-zh": (117_986_368, "ernie", "ErnieForMaskedLM", {
        "vocab_size": 40000, "max_position_embeddings": 2048, "type_vocab_size": 4,
        "use_task_id": True}),
    "facebook/data2vec-text-base": (124_697_433, "data2vec-text", "Data2VecTextForMaskedLM", {
        "vocab_size": 50265, "max_position_embeddings": 514, "type_vocab_size": 1}),
    "deepseek-ai/DeepSeek-V2-Lite": (15_706_484_224, "deepseek_v2", "DeepseekV2ForCausalLM", {
        "vocab_size": 102400, "hidden_size": 2048, "intermediate_size": 10944,
        "num_hidden_layers": 27, "num_attention_heads": 16, "first_k_dense_replace": 1,
        "q_lora_rank": None, "moe_intermediate_size": 1408}),
    "moonshotai/Kimi-K2-Instruct": (1_026_408_209_408, "kimi_k2", "DeepseekV3ForCausalLM", {
        "hidden_size": 7168, "intermediate_size": 18432, "moe_intermediate_size": 2048,
        "first_k_dense_replace": 1, "n_routed_experts": 384, "num_attention_heads": 64,
        "num_hidden_layers": 61, "vocab_size": 163840}),
    "zai-org/GLM-4.5-Air": (106_852_245_504, "glm4_moe", "Glm4MoeForCausalLM", {
        "attention_bias": True, "head_dim": 128}),
    "allenai/Olmo-3-7B": (7_298_011_136, "olmo3", "Olmo3ForCausalLM", {"vocab_size": 100278}),
    "allenai/OLMoE-1B-7B": (6_919_161_856, "olmoe", "OlmoeForCausalLM", {
        "intermediate_size": 1024}),
    "baidu/ERNIE-4.5-0.3B": (360_748_032, "ernie4_5", "Ernie4_5ForCausalLM", {}),
    "kyutai/helium-1-2b": (2_023_868_416, "helium", "HeliumForCausalLM", {
        "vocab_size": 64000, "hidden_size": 2048, "intermediate_size": 8192,
        "num_hidden_layers": 28, "num_attention_heads": 16, "num_key_value_heads": 8}),
    "arcee-ai/AFM-4.5B": (4_619_184_640, "arcee", "ArceeForCausalLM", {
        "vocab_size": 128004, "num_attention_heads": 20, "num_key_value_heads": 4,
        "num_hidden_layers": 36, "head_dim": 128}),
    "facebook/detr-resnet-50": (41_524_768, "detr", "DetrForObjectDetection", {"num_labels": 91}),
    "microsoft/table-transformer-detection": (28_799_431, "table-transformer",
        "TableTransformerForObjectDetection", {"backbone": "resnet18", "num_queries": 15,
        "num_labels": 2}),
    "hustvl/yolos-tiny": (6_488_736, "yolos", "YolosForObjectDetection", {"hidden_size": 192,
        "intermediate_size": 768, "num_attention_heads": 3, "image_size": [800, 1333],
        "use_mid_position_embeddings": False, "num_labels": 91}),
    "facebook/sam-vit-base": (93_735_472, "sam", "SamModel", {}),
    "facebook/sam-vit-huge": (641_090_608, "sam", "SamModel", {"vision_config": {"hidden_size":
        1280, "num_hidden_layers": 32, "num_attention_heads": 16, "global_attn_indexes": [7, 15,
        23, 31], "mlp_dim": 5120}}),
    "Salesforce/blip-image-captioning-base": (223_971_644, "blip", "BlipForConditionalGeneration",
        {"text_config": {"num_attention_heads": 12}}),
    "Salesforce/blip2-opt-2.7b": (3_744_761_856, "blip-2", "Blip2ForConditionalGeneration",
        {"text_config": {"model_type": "opt", "hidden_size": 2560, "num_hidden_layers": 32,
        "ffn_dim": 10240, "num_attention_heads": 32, "word_embed_proj_dim": 2560, "vocab_size":
        50304}}),
    "MIT/ast-finetuned-audioset-10-10-0.4593": (86_594_063, "audio-spectrogram-transformer",
        "ASTForAudioClassification", {"num_labels": 527}),
    "MCG-NJU/videomae-base": (94_209_408, "videomae", "VideoMAEForPreTraining", {}),
    "RWKV/rwkv-4-169m-pile": (169_342_464, "rwkv", "RwkvForCausalLM", {"hidden_size": 768,
        "num_hidden_layers": 12}),
    "google/paligemma-3b-pt-224": (2_923_466_480, "paligemma",
        "PaliGemmaForConditionalGeneration", {"projection_dim": 2048, "text_config":
        {"model_type": "gemma", "hidden_size": 2048, "intermediate_size": 16384,
        "num_attention_heads": 8, "num_hidden_layers": 18, "num_key_value_heads": 1, "vocab_size":
        257216}, "vision_config": {"model_type": "siglip_vision_model", "hidden_size": 1152,
        "intermediate_size": 4304, "num_hidden_layers": 27, "num_attention_heads": 16,
        "patch_size": 14, "projection_dim": 2048, "vision_use_head": False}}),
    "llava-hf/llava-v1.6-mistral-7b-hf": (7_566_747_648, "llava_next",
        "LlavaNextForConditionalGeneration", {"text_config": {"model_type": "mistral",
        "vocab_size": 32064}, "vision_config": {"model_type": "clip_vision_model", "hidden_size":
        1024, "intermediate_size": 4096, "image_size": 336, "patch_size": 14, "num_hidden_layers":
        24, "num_attention_heads": 16}}),
    "openai-community/openai-gpt": (116_534_784, "openai-gpt", "OpenAIGPTLMHeadModel", {}),
    "bigcode/starcoder": (15_517_456_384, "gpt_bigcode", "GPTBigCodeForCausalLM", {"vocab_size":
        49152, "n_positions": 8192, "n_embd": 6144, "n_layer": 40, "n_head": 48, "n_inner":
        24576}),
    "Salesforce/codegen-350M-mono": (356_712_448, "codegen", "CodeGenForCausalLM", {"vocab_size":
        51200, "n_embd": 1024, "n_layer": 20}),
    "google/siglip2-base-patch16-naflex": (375_234_050, "siglip2", "Siglip2Model", {"text_config":
        {"vocab_size": 256000}}),
    "google/t5gemma-2b-2b-ul2": (5_596_853_760, "t5gemma", "T5GemmaForConditionalGeneration", {}),
    "LiheYoung/depth-anything-small-hf": (24_785_089, "depth_anything",
        "DepthAnythingForDepthEstimation", {"backbone_config": {"model_type": "dinov2",
        "hidden_size": 384, "image_size": 518, "num_attention_heads": 6, "patch_size": 14,
        "out_indices": [9, 10, 11, 12]}}),
    "HuggingFaceTB/SmolVLM-256M-Instruct": (256_484_928, "smolvlm",
        "SmolVLMForConditionalGeneration", {"scale_factor": 4, "text_config": {"model_type":
        "llama", "vocab_size": 49280, "hidden_size": 576, "intermediate_size": 1536,
        "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3,
        "pad_token_id": 2}, "vision_config": {"hidden_size": 768, "num_attention_heads": 12,
        "image_size": 512, "patch_size": 16}}),
    "facebook/bart-large-mnli": (407_344_131, "bart", "BartForSequenceClassification", {
        "encoder_layers": 12, "decoder_layers": 12}),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTS)
def test_a_published_model_has_as_many_weights_as_its_class(name):
    total, kind, label, values = COUNTS[name]
    assert built(kind, label, **values).n_parameters == total


FEW_EXPERTS = {"n_routed_experts": 3, "moe_intermediate_size": 8, "first_k_dense_replace": 0}
SMALL = {"hidden_size": 24, "num_hidden_layers": 1, "vocab_size": 50, "intermediate_size": 32,
         "num_attention_heads": 2}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "label", "one", "other", "difference"),
    [
        ("esm", "", {"emb_layer_norm_before": True}, {}, 48),
        ("esm", "EsmForMaskedLM", {"tie_word_embeddings": False}, {}, 50 * 24),
        ("layoutlm", "LayoutLMForMaskedLM", {"tie_word_embeddings": False}, {}, 50 * 24),
        ("layoutlmv3", "", {}, {"has_relative_attention_bias": False}, 32 * 2),
        ("layoutlmv3", "", {}, {"has_spatial_attention_bias": False}, 2 * 64 * 2),
        ("layoutlmv3", "LayoutLMv3ForTokenClassification",
         {"num_labels": 12}, {"num_labels": 9}, 3 * 25 + 24 * 25),
        ("deberta", "", {"relative_attention": True}, {}, 2 * 512 * 24),
        ("deberta", "", {"relative_attention": True, "max_relative_positions": 8}, {}, 16 * 24),
        ("glm4_moe", "", {"use_qk_norm": True}, {}, 2 * 12),
        # SMALL's names are second names of theirs.
        ("openai-gpt", "", {"tie_word_embeddings": False}, {}, 50 * 24),
        ("gpt_bigcode", "", {"tie_word_embeddings": False}, {}, 50 * 24),
        ("gpt_bigcode", "", {"multi_query": False}, {}, 2 * 12 * 25),
        # An output layer that is tied keeps a bias of its own.
        ("codegen", "", {}, {"tie_word_embeddings": True}, 50 * 24),
        ("phi", "", {}, {"tie_word_embeddings": True}, 50 * 24),
        ("t5gemma", "", {"tie_word_embeddings": False}, {}, 0),  # its decoder ties them
        ("t5gemma", "", {"tie_word_embeddings": False, "decoder": {"tie_word_embeddings": False}},
         {"decoder": {"vocab_size": 7}}, 50 * 2304),
        ("falcon", "", {"num_ln_in_parallel_attn": 2}, {}, 48),
        ("deepseek_v2", "", {"mlp_bias": True, **FEW_EXPERTS}, FEW_EXPERTS, 3 * 40 + 56),
        ("qwen3", "", {"mlp_bias": True}, {}, 0),
        ("llama4_text", "", {"attention_bias": True}, {}, 0),
        ("qwen2", "", {"qkv_bias": False}, {}, 0),
        ("phimoe", "", {"head_dim": 4}, {}, 0),
        ("olmoe", "", {"head_dim": 4}, {}, 0),
        ("phi", "", {"head_dim": 16}, {}, 2 * 4 * (3 * 25 + 24)),
        ("helium", "", {"head_dim": 12}, {"head_dim": 6}, 6 * 24 * (2 + 20 + 20)),
        ("umt5", "", {}, {"is_gated_act": False}, 2 * 24 * 1024),
        ("detr", "", {}, {"backbone_kwargs": {"in_chans": 1}}, 2 * 64 * 49),
        ("blip", "", {"vision_config": {"qkv_bias": False}}, {}, 0),
        ("convnext", "ConvNextModel", {"depths": [1, 1]}, {"depths": [1, 1],
         "hidden_sizes": [96, 192, 7]}, 2 * (768 - 7)),
        ("yolos", "", {"image_size": [64, 32]}, {"image_size": [32, 32]}, 4 * 24),
        ("yolos", "YolosModel", {}, {"use_mid_position_embeddings": False}, 0),
        ("videomae", "", {"use_mean_pooling": False}, {}, 0),
        ("videomae", "VideoMAEModel", {"use_mean_pooling": False}, {}, 2 * 24),
        ("videomae", "VideoMAEModel", {}, {"qkv_bias": False}, 2 * 24),
        ("ernie4_5_moe", "", {"moe_layer_start_index": 0, "moe_num_experts": 2, **FEW_EXPERTS},
         {"moe_layer_start_index": 0, "moe_num_experts": 1, **FEW_EXPERTS}, 1 + 24 + 3 * 24 * 8),
        ("ernie4_5_moe", "", {"moe_layer_start_index": 0, "moe_layer_end_index": 3},
         {"moe_layer_start_index": 0}, 0),
        ("gemma3n_text", "", {"intermediate_size": [40]}, {}, 3 * 24 * 8),
        ("mistral3", "", {"vision_feature_layer": [-2, -1]}, {}, 1024 * 5120),
        ("mistral3", "", {"multimodal_projector_bias": True}, {}, 2 * 5120),
        ("jamba", "", {"num_experts": 2, "expert_layer_offset": 0},
         {"num_experts": 1, "expert_layer_offset": 0}, 2 * 24 + 3 * 24 * 32),
        ("jamba", "", {"attn_layer_offset": 0, "num_key_value_heads": 2},
         {"attn_layer_offset": 0, "num_key_value_heads": 1}, 2 * 12 * 24),
        ("granitemoehybrid", "", {"num_local_experts": 2}, {"num_local_experts": 0},
         2 * 3 * 24 * 32 + 2 * 24),
        ("granitemoehybrid", "", {"layer_types": ["attention"], "attention_bias": True},
         {"layer_types": ["attention"]}, 4 * 24),
        ("bamba", "", {"attn_layer_indices": [0], "num_key_value_heads": 2},
         {"attn_layer_indices": [0], "num_key_value_heads": 1}, 2 * 12 * 24),
        ("falcon_h1", "", {"mamba_rms_norm": True}, {}, 1024),
        ("falcon_h1", "", {"projectors_bias": True, "mamba_d_ssm": None, "mamba_n_heads": 2},
         {"mamba_d_ssm": None, "mamba_n_heads": 2}, 24),
        ("lfm2", "", {"block_auto_adjust_ff_dim": False}, {"block_multiple_of": 8}, 3 * 24 * 8),
        ("lfm2", "", {"block_auto_adjust_ff_dim": False},
         {"block_multiple_of": 1, "block_ffn_dim_multiplier": None}, 3 * 24 * 11),
        ("lfm2", "", {"full_attn_idxs": [], "conv_bias": True}, {"layer_types": ["conv"]},
         24 + 72 + 24),
        ("minimax", "", {"layer_types": ["linear_attention"], "num_key_value_heads": 2},
         {"num_key_value_heads": 2}, 2 * 12 + 24 * 24),
        ("rwkv", "", {}, {"tie_word_embeddings": True}, 50 * 24),
        ("sam", "", {"vision_config": {"window_size": 0}}, {}, 8 * 2 * 64 * (127 - 27)),
        ("sam", "", {}, {"vision_config": {"use_rel_pos": False}}, 2 * 64 * (8 * 27 + 4 * 127)),
        ("rt_detr", "", {}, {"backbone_config": {"out_features": ["stage4"]}},
         (512 + 1024 + 4) * 256),
        ("rt_detr", "", {"decoder_in_channels": [256] * 4}, {}, 258 * 24),
        ("detr", "", {}, {"backbone_kwargs": {"out_indices": [3]}},
         14_942_208 + 1024 * 24),
        ("segformer", "SegformerForImageClassification", {}, {"num_encoder_blocks": 4}, 0),
        ("sam", "", {}, {"vision_config": {"use_abs_pos": False}}, 64 * 64 * 768),
        ("blip", "", {}, {"text_config": {"is_decoder": False}}, 12 * (4 * 768 * 769 + 2 * 768)),
    ],
)  # fmt: skip
def test_options_change_a_model_by_what_they_add(kind, label, one, other, difference):
    more, less = (built(kind, label, **{**SMALL, **each}) for each in (one, other))
    assert more.n_parameters - less.n_parameters == difference


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("esm", {"is_folding_model": True}, "is_folding_model is True, expected false"),
        ("layoutlmv3", {"visual_embed": False}, "visual_embed is False, expected true"),
        ("deberta", {"talking_head": True}, "talking_head is True, expected false"),
        ("deberta", {"relative_attention": True, "pos_att_type": 3}, "kinds such as p2c"),
        ("blip", {"tie_word_embeddings": False}, "tie_word_embeddings is False, expected true"),
        ("blip-2", {"text_config": {"model_type": "gpt2"}}, "model_type is 'gpt2', expected one"),
        ("blip-2", {"qformer_config": {"use_qformer_text_input": True}}, "text_input is True"),
        ("detr", {"use_timm_backbone": False}, "use_timm_backbone is False, expected true"),
        ("detr", {"position_embedding_type": "learned"}, "is 'learned', expected sine"),
        ("t5gemma", {"is_encoder_decoder": False}, "is_encoder_decoder is False, expected true"),
        ("depth_anything", {"backbone_config": {"model_type": "swin"}}, "'swin', expected dinov2"),
        ("depth_anything", {"reassemble_factors": [4, 2]}, "as many as neck_hidden_sizes"),
        ("depth_anything", {"reassemble_factors": 4}, "expected a list of factors"),
        ("depth_anything", {"reassemble_factors": ["a"]}, "expected a number"),
        ("detr", {"backbone": "swin"}, "backbone is 'swin', expected one of resnet18"),
        ("roberta", {"position_embedding_type": "relative_key"}, "'relative_key', expected 'absol"),
        (
            "blip-2",
            {"qformer_config": {"position_embedding_type": "relative_key_query"}},
            "position_embedding_type is 'relative_key_query'",
        ),
        (
            "gemma3n_text",
            {"num_hidden_layers": 2, "intermediate_size": [8]},
            "a width for each layer",
        ),
        ("mistral3", {"vision_config": {"model_type": "siglip"}}, "'siglip', expected pixtral"),
        ("mistral3", {"text_config": {"model_type": "gpt2"}}, "model_type is 'gpt2', expected one"),
        ("lfm2", {"layer_types": "conv"}, "layer_types is 'conv', expected"),
        ("ernie4_5", {"use_bias": True}, "use_bias is True, expected false"),
        ("gptj", {"add_cross_attention": True}, "add_cross_attention is True, expected false"),
        ("bert", {"add_cross_attention": True}, "is_decoder is None, expected true, as add_cross"),
        ("t5", {"tie_encoder_decoder": True}, "tie_encoder_decoder is True, expected false"),
        ("t5", {"is_decoder": True}, "is_decoder is True, expected false"),
        ("deepseek_v3", {"qk_head_dim": 200}, "qk_head_dim is 200, expected 192, as its parts are"),
        ("glm4_moe_lite", {"mlp_layer_types": "sparse"}, "expected a kind for each layer"),
        ("deberta-v2", {"legacy": False}, "legacy is False, expected true"),
        ("convnext", {"num_stages": 3}, "num_stages is 3, expected as many as depths"),
    ],
)
def test_a_part_that_is_not_known_is_refused(kind, values, words):
    with pytest.raises(UnreadableFileError, match=words):
        built(kind, **{**SMALL, **values})


@pytest.mark.parametrize(
    ("kind", "values", "name", "rows"),
    [
        ("qwen2", {"num_attention_heads": 4}, "layers.0.self_attn.k_proj.weight", 32 * 12),
        ("stablelm", {"num_attention_heads": 4}, "layers.0.self_attn.k_proj.weight", 32 * 12),
        ("cohere2", {"num_attention_heads": 4}, "layers.0.self_attn.q_proj.weight", 48),
        ("mistral", {"num_key_value_heads": None}, "layers.0.self_attn.k_proj.weight", 48),
        ("gpt_oss", {"head_dim": None, "num_local_experts": 1},
         "layers.0.self_attn.q_proj.weight", 48),
        ("llama4_text", {"intermediate_size_mlp": None, "moe_layers": []},
         "layers.0.feed_forward.gate_proj.weight", 32),
        ("qwen3_moe", {"moe_intermediate_size": None, "num_experts": 1},
         "layers.0.mlp.experts.0.gate_proj.weight", 32),
        ("sam", {"mask_decoder_config": {"attention_downsample_rate": 4}},
         "layers.0.cross_attn_token_to_image.q_proj.weight", 128),
        ("sam", {"mask_decoder_config": {"attention_downsample_rate": 4}},
         "final_attn_token_to_image.q_proj.weight", 64),
    ],
)  # fmt: skip
def test_what_a_file_leaves_out_is_what_its_class_takes(kind, values, name, rows):
    made = built(kind, **{**SMALL, "hidden_size": 48, **values})
    (shape,) = {each.shape for each in made.tensors if each.name.endswith(name)}
    assert shape[0] == rows


def test_no_expert_is_shared_where_their_number_is_null():
    small = {**SMALL, "hidden_size": 48, "n_routed_experts": 2, "first_k_dense_replace": 0}
    names = [
        {each.name.rpartition(".layers.0.")[2] for each in built("deepseek_v2", **one).tensors}
        for one in (small, {**small, "n_shared_experts": None})
    ]
    assert {name.split(".")[1] for name in names[0] - names[1]} == {"shared_experts"}


def test_falcons_norms_follow_its_plan_and_beits_shared_positions_come_first():
    norms = [
        {t.name.rpartition(".")[0] for t in built("falcon", **SMALL, **plan).tensors if "h.0" in
         t.name and t.role is Role.NORM}
        for plan in ({"parallel_attn": False, "new_decoder_architecture": True},
                     {"new_decoder_architecture": True})
    ]  # fmt: skip
    assert [sorted(name.rpartition(".")[2] for name in each) for each in norms] == [
        ["input_layernorm", "post_attention_layernorm"], ["ln_attn", "ln_mlp"],
    ]  # fmt: skip
    names = [t.name for t in built("beit", **SMALL, use_shared_relative_position_bias=True).tensors]
    assert names.index("beit.encoder.relative_position_bias.relative_position_bias_table") == 3
