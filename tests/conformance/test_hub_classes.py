"""Networks of the hub against the classes of transformers: names, shapes, order, fresh weights."""

import json
from copy import deepcopy
from pathlib import Path

import pytest
from fresh import check_start, ours, shapes_of

from decaycalc.architecture.hub import MODEL_TYPES, SECOND_NAMES, build_config
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.llama_families import FAMILIES
from decaycalc.architecture.masks import decayed
from decaycalc.architecture.readers import read_architecture
from decaycalc.architecture.zoo import find_model
from decaycalc.architecture.zoo.hub_models import CONFIGS

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

WHISPER_HEADS = ("encoder_attention_heads", "decoder_attention_heads")


def real_config(name):
    values = dict(CONFIGS[name])
    kind, heads = values.pop("model_type"), values.pop("architectures", None)
    # Heads do not change these models' tensors, but must divide the width.
    heads_fields = {"gpt2": ("n_head",), "whisper": WHISPER_HEADS}.get(kind, ())
    width = values.get("n_embd", values.get("d_model", 0))
    values.update(dict.fromkeys(heads_fields, width // 64))
    config = transformers.AutoConfig.for_model(kind, **values)
    label, _, known = MODEL_TYPES[kind]
    return config, (heads or [label + known[0]])[0]


def made(label, config):
    """Return a model, without memory for its weights where its class allows that."""
    try:
        with torch.device("meta"):
            return getattr(transformers, label)(config)
    except NotImplementedError:  # an activation's own numbers (Apertus)
        return getattr(transformers, label)(config)


@pytest.mark.parametrize("name", CONFIGS)
def test_hub_models_have_our_tensors(name):
    config, label = real_config(name)
    model = made(label, config)
    model.tie_weights()
    assert ours(find_model(name)) == shapes_of(model)


SMALL = {
    "hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "n_embd": 48, "n_layer": 2, "n_head": 4, "n_layers": 2, "n_heads": 4, "dim": 48, "d_model": 48,
    "num_layers": 2, "vocab_size": 600, "pad_token_id": 0, "encoder_layers": 1, "decoder_layers": 1,
    "ffn_dim": 96, "word_embed_proj_dim": 48, "embedding_size": 24,
}  # fmt: skip
SPEECH = {
    "conv_dim": [16, 24],
    "conv_stride": [2, 2],
    "conv_kernel": [3, 2],
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 4,
}
TOWER = {
    "hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "image_size": 64, "patch_size": 16,
}  # fmt: skip
SPOKEN = {
    "vocab_size": 600,
    "hidden_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 96,
    "head_dim": 16,
}
DELTA = {"num_key_value_heads": 2, "head_dim": 16, "linear_num_value_heads": 4,
         "linear_num_key_heads": 2, "linear_key_head_dim": 8, "linear_value_head_dim": 12,
         "layer_types": ["full_attention", "linear_attention"]}  # fmt: skip
SEEN = {"depth": 1, "hidden_size": 32, "intermediate_size": 40, "num_heads": 4,
        "out_hidden_size": 48}  # fmt: skip
STAGES = {"model_type": "swin", "embed_dim": 24, "depths": [1, 2, 1, 1], "num_heads": [2] * 4,
          "out_features": ["stage1", "stage2", "stage3", "stage4"]}  # fmt: skip
RESNET = {"model_type": "resnet", "embedding_size": 8, "hidden_sizes": [16, 24, 32, 40],
          "depths": [1] * 4, "out_features": STAGES["out_features"]}  # fmt: skip
DETR = {
    "use_pretrained_backbone": False, "d_model": 32, "encoder_attention_heads": 4,
    "decoder_attention_heads": 4, "encoder_ffn_dim": 40, "decoder_ffn_dim": 48, "num_queries": 5,
    "backbone": "resnet18",
}  # fmt: skip
RT_DETR = {
    "d_model": 64, "encoder_hidden_dim": 64, "encoder_attention_heads": 4, "num_queries": 5,
    "decoder_attention_heads": 4, "encoder_ffn_dim": 40, "decoder_ffn_dim": 48,
    "decoder_in_channels": [64] * 3, "encoder_in_channels": [24, 32, 40], "backbone_config": {
        "model_type": "rt_detr_resnet", "embedding_size": 16, "depths": [1, 2, 1, 1],
        "hidden_sizes": [16, 24, 32, 40], "out_features": STAGES["out_features"][1:]},
}  # fmt: skip
DIFFERENT = {
    "wav2vec2": {**SPEECH, "feat_extract_norm": "layer", "do_stable_layer_norm": True,
                 "conv_bias": True, "use_weighted_layer_sum": True},
    "hubert": {**SPEECH, "feat_proj_layer_norm": False, "mask_time_prob": 0.0},
    "wavlm": SPEECH,
    "resnet": {"embedding_size": 8, "hidden_sizes": [16, 32], "depths": [2, 1],
               "downsample_in_first_stage": True},
    "convnextv2": {"depths": [1, 2], "hidden_sizes": [16, 32], "num_stages": 2},
    "swinv2": {"embed_dim": 24, "depths": [1, 2], "num_heads": [2, 4], "hidden_size": None,
               "use_absolute_embeddings": True},
    "segformer": {
        "num_encoder_blocks": 2, "depths": [1, 2], "hidden_sizes": [16, 32], "sr_ratios": [2, 1],
        "patch_sizes": [7, 3], "strides": [4, 2], "mlp_ratios": [2, 3],
        "num_attention_heads": [1, 2], "decoder_hidden_size": 12,
    },
    "vit_mae": {"decoder_hidden_size": 24, "decoder_num_attention_heads": 2,
                "decoder_num_hidden_layers": 1, "decoder_intermediate_size": 40},
    "longformer": {"attention_window": [4, 4]},
    "big_bird": {"use_bias": False},
    "mobilebert": {"hidden_size": 64, "intra_bottleneck_size": 32, "true_hidden_size": 32,
                   "num_feedforward_networks": 2},
    "phimoe": {"num_local_experts": 3, "num_key_value_heads": 2, "attention_bias": True,
               "lm_head_bias": True},
    "llava": {"text_config": {"model_type": "mistral", **SPOKEN}, "vision_feature_layer": [-2, -1],
              "vision_config": {"model_type": "clip_vision_model", **TOWER}},
    "siglip2": {"text_config": TOWER, "vision_config": {**TOWER, "num_patches": 9}},
    "t5gemma": {"encoder": {**SPOKEN, "num_hidden_layers": 1},
                "decoder": {**SPOKEN, "hidden_size": 24, "attention_bias": True}},
    "depth_anything": {
        "backbone_config": {"model_type": "dinov2", "out_indices": [1, 2], **TOWER},
        "reassemble_hidden_size": 48, "reassemble_factors": [2, 0.5], "neck_hidden_sizes": [4, 6],
        "fusion_hidden_size": 8, "head_hidden_size": 6},
    "idefics3": {"text_config": {"model_type": "llama", "pad_token_id": 0, **SPOKEN},
                 "vision_config": TOWER},
    "smolvlm": {"text_config": {"model_type": "llama", "pad_token_id": 0, **SPOKEN},
                "vision_config": TOWER, "scale_factor": 4},
    "llava_next": {"text_config": {"model_type": "mistral", **SPOKEN},
                   "vision_config": {"model_type": "clip_vision_model", **TOWER}},
    "paligemma": {"text_config": {"model_type": "gemma2", **SPOKEN}, "projection_dim": 48,
                  "vision_config": {"model_type": "siglip_vision_model", "projection_dim": 48,
                                    "vision_use_head": False, **TOWER}},
    "blip": {"text_config": {**SPOKEN, "hidden_size": 24}, "vision_config": TOWER},
    "blip-2": {"text_config": {"model_type": "t5", "d_model": 24, "d_ff": 32, "num_layers": 1,
                               "num_heads": 2, "d_kv": 12, "vocab_size": 600},
               "vision_config": TOWER,
               "qformer_config": {"hidden_size": 24, "num_hidden_layers": 3,
                                  "num_attention_heads": 2, "intermediate_size": 32}},
    "detr": {"use_pretrained_backbone": False, "d_model": 16, "encoder_layers": 1,
             "encoder_ffn_dim": 24, "decoder_layers": 2, "decoder_ffn_dim": 32, "num_queries": 5},
    "table-transformer": {
        "use_pretrained_backbone": False, "d_model": 16, "encoder_layers": 1, "encoder_ffn_dim": 24,
        "decoder_layers": 1, "decoder_ffn_dim": 32, "num_queries": 5, "backbone": "resnet18"},
    "yolos": {"image_size": [64, 36], "num_detection_tokens": 5},
    "sam": {
        "vision_config": {
            "hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4, "image_size": 64,
            "output_channels": 16, "global_attn_indexes": [1], "window_size": 2, "mlp_ratio": 2.0},
        "prompt_encoder_config": {"hidden_size": 16, "image_size": 64, "mask_input_channels": 8},
        "mask_decoder_config": {"hidden_size": 16, "mlp_dim": 24, "num_attention_heads": 2,
                                "iou_head_depth": 4, "iou_head_hidden_dim": 12}},
    "audio-spectrogram-transformer": {"max_length": 40, "num_mel_bins": 30},
    "videomae": {"image_size": 32, "num_frames": 4, "decoder_hidden_size": 24,
                 "decoder_num_attention_heads": 2, "decoder_num_hidden_layers": 1,
                 "decoder_intermediate_size": 40},
    "gemma3n_text": {
        "vocab_size_per_layer_input": 500, "hidden_size_per_layer_input": 16, "laurel_rank": 8,
        "num_kv_shared_layers": 0, "head_dim": 12, "intermediate_size": [96, 40],
        "activation_sparsity_pattern": [0.0, 0.0], "altup_num_inputs": 3,
        "layer_types": ["sliding_attention", "full_attention"]},
    "conditional_detr": DETR, "deformable_detr": DETR, "rt_detr": RT_DETR, "rt_detr_v2": RT_DETR,
    "unispeech-sat": SPEECH, "data2vec-audio": {**SPEECH, "conv_pos_kernel_size": 5},
    "wav2vec2-bert": {"add_adapter": False},
    "llava_onevision": {
        "text_config": {"model_type": "qwen2", **SPOKEN},
        "vision_config": {"model_type": "siglip_vision_model", "vision_use_head": False, **TOWER}},
    "gemma3n": {
        "text_config": {"num_kv_shared_layers": 0, "activation_sparsity_pattern": [0.0, 0.0],
                        "layer_types": ["sliding_attention", "full_attention"],
                        "vocab_size_per_layer_input": 500, **SPOKEN},
        "audio_config": {"hidden_size": 48, "conf_num_attention_heads": 4, "input_feat_size": 40,
                         "conf_num_hidden_layers": 1, "sscp_conv_channel_size": [12, 8],
                         "sscp_conv_kernel_size": [[3, 5], [3, 3]], "vocab_size": 16,
                         "sscp_conv_stride_size": [[2, 2], [1, 3]]}},
    "mistral3": {"text_config": {"model_type": "mistral", **SPOKEN},
                 "vision_config": {"model_type": "pixtral", **TOWER},
                 "vision_feature_layer": [-2, -1], "multimodal_projector_bias": True},
    "llama4": {
        "text_config": {"num_local_experts": 2, "intermediate_size_mlp": 32, "pad_token_id": 0,
                        **SPOKEN},
        "vision_config": {"projector_input_dim": 24, "projector_output_dim": 28,
                          "vision_output_dim": 28, **TOWER}},
    "qwen3_vl_moe": {
        "text_config": {"num_experts": 3, "moe_intermediate_size": 20, "mlp_only_layers": [0],
                        "rope_scaling": {"rope_type": "default", "mrope_section": [2, 3, 3]},
                        **SPOKEN},
        "vision_config": {"depth": 1, "hidden_size": 32, "intermediate_size": 40,
                          "out_hidden_size": 48, "num_heads": 4, "num_position_embeddings": 16,
                          "deepstack_visual_indexes": [0]}},
    "ernie4_5_moe": {"moe_num_experts": 3, "moe_intermediate_size": 20, "num_hidden_layers": 3,
                     "moe_layer_start_index": 1, "moe_layer_end_index": 1},
    "ministral": {"num_key_value_heads": 2, "head_dim": 12,
                  "layer_types": ["sliding_attention", "full_attention"]},
    "vaultgemma": {"head_dim": 12, "num_key_value_heads": 2},
    "flex_olmo": {"num_experts": 3, "num_key_value_heads": 2},
    "nemotron": {"num_key_value_heads": 2, "attention_bias": True, "head_dim": 12},
    "dots1": {"n_routed_experts": 3, "n_shared_experts": 2, "moe_intermediate_size": 20,
              "num_key_value_heads": 2, "first_k_dense_replace": 1},
    "hunyuan_v1_dense": {"num_key_value_heads": 2, "head_dim": 12},
    # What transformers 5 came with.
    "ministral3": {"num_key_value_heads": 2, "head_dim": 12},
    "cwm": {"num_key_value_heads": 2, "head_dim": 12, "mlp_bias": True},
    "minimax_m2": {"num_key_value_heads": 2, "head_dim": 12, "num_local_experts": 3},
    "apertus": {"num_key_value_heads": 2, "attention_bias": True},
    "lfm2_moe": {"num_key_value_heads": 2, "num_experts": 3, "moe_intermediate_size": 24,
                 "num_dense_layers": 1, "layer_types": ["conv", "full_attention"]},
    "qwen3_5_text": DELTA, "qwen3_5_moe_text": {**DELTA, "num_experts": 3},
    "qwen3_5": {"text_config": {**SPOKEN, **DELTA}, "vision_config": SEEN},
    "qwen3_5_moe": {"text_config": {**SPOKEN, **DELTA, "num_experts": 3}, "vision_config": SEEN},
    "gemma4_text": {
        "num_key_value_heads": 2, "head_dim": 12, "num_hidden_layers": 4, "global_head_dim": 20,
        "num_kv_shared_layers": 2, "use_double_wide_mlp": True, "hidden_size_per_layer_input": 8,
        "vocab_size_per_layer_input": 50, "enable_moe_block": True, "num_experts": 3,
        "top_k_experts": 1, "moe_intermediate_size": 24,
        "layer_types": ["full_attention", "sliding_attention"] * 2},
    "xglm": {"d_model": 48, "attention_heads": 4},
    "granitemoe": {"num_local_experts": 3, "num_key_value_heads": 2},
    "granitemoeshared": {"num_local_experts": 3, "num_key_value_heads": 2,
                         "shared_intermediate_size": 24},
    "qwen3_next": {
        "num_experts": 3, "head_dim": 16, "moe_intermediate_size": 20, "num_key_value_heads": 2,
        "layer_types": ["full_attention", "linear_attention"], "linear_num_value_heads": 4,
        "linear_num_key_heads": 2, "linear_key_head_dim": 8, "linear_value_head_dim": 12},
    "speecht5": {**SPEECH, "encoder_attention_heads": 4, "encoder_ffn_dim": 64,
                 "decoder_attention_heads": 4, "decoder_ffn_dim": 56, "num_mel_bins": 40,
                 "speech_decoder_prenet_units": 20, "speech_decoder_postnet_units": 24},
    "mask2former": {
        "backbone_config": STAGES, "feature_size": 32, "hidden_dim": 64, "mask_feature_size": 32,
        "num_attention_heads": 4, "encoder_feedforward_dim": 40, "dim_feedforward": 56,
        "decoder_layers": 3, "num_queries": 5},
    "maskformer": {
        "backbone_config": STAGES, "fpn_feature_size": 32, "mask_feature_size": 24,
        "decoder_config": {"model_type": "detr", "decoder_layers": 1, "d_model": 64,
                           "num_queries": 5, "decoder_ffn_dim": 40}},
    "jamba": {"attn_layer_offset": 1, "attn_layer_period": 2, "num_experts": 3,
              "mamba_dt_rank": 5, "use_mamba_kernels": False, "num_key_value_heads": 2},
    "bamba": {"attn_layer_indices": [1], "mamba_n_heads": 12, "mamba_d_state": 16,
              "num_key_value_heads": 2},
    "granitemoehybrid": {
        "layer_types": ["attention", "mamba"], "num_local_experts": 3, "attention_bias": True,
        "shared_intermediate_size": 40, "mamba_n_heads": 12, "mamba_d_state": 16},
    "falcon_h1": {"mamba_d_ssm": 64, "mamba_n_heads": 8, "mamba_d_state": 16,
                  "num_key_value_heads": 2, "projectors_bias": True, "mamba_rms_norm": True},
    "lfm2": {"full_attn_idxs": [1], "num_key_value_heads": 2, "conv_bias": True},
    "minimax": {"num_local_experts": 3, "num_key_value_heads": 2, "head_dim": 16},
    "rwkv": {"attention_hidden_size": 24, "intermediate_size": 40},
    "gemma3": {"text_config": SPOKEN, "mm_tokens_per_image": 4,
               "vision_config": {"vision_use_head": False, **TOWER}},
    "qwen2_vl": {"text_config": SPOKEN, "vision_config": {
        "depth": 2, "embed_dim": 32, "hidden_size": 48, "num_heads": 4, "mlp_ratio": 2}},
    "qwen2_5_vl": {"text_config": SPOKEN, "vision_config": {
        "depth": 2, "hidden_size": 32, "intermediate_size": 40, "out_hidden_size": 48,
        "num_heads": 4}},
    "qwen3_vl": {
        "text_config": {**SPOKEN, "attention_bias": True, "rope_scaling": {
            "rope_type": "default", "mrope_section": [2, 3, 3]}},
        "vision_config": {"depth": 3, "hidden_size": 32, "intermediate_size": 40,
                          "out_hidden_size": 48, "num_heads": 4, "num_position_embeddings": 16,
                          "deepstack_visual_indexes": [0, 1]},
    },

    "mistral": {"num_key_value_heads": 2}, "mixtral": {"num_key_value_heads": 2},
    "qwen2": {"num_key_value_heads": 2}, "qwen3": {"num_key_value_heads": 2},
    "phi3": {"num_key_value_heads": 2}, "gemma": {"num_key_value_heads": 1},
    "gemma2": {"num_key_value_heads": 2}, "llama": {"attention_bias": True, "mlp_bias": True},
    "swin": {"embed_dim": 24, "depths": [1, 2], "num_heads": [2, 4], "num_hidden_layers": None},
    "convnext": {"depths": [1, 2], "hidden_sizes": [16, 32], "num_stages": 2},
    "whisper": {"encoder_attention_heads": 4, "decoder_attention_heads": 4},
    "t5": {"feed_forward_proj": "gated-gelu", "num_heads": 4},
    "umt5": {"num_decoder_layers": 1, "num_heads": 4}, "mt5": {"num_heads": 4},
    "gpt_neo": {"attention_types": [[["global", "local"], 1]]},
    "mamba2": {"num_heads": 12, "head_dim": 8, "state_size": 8, "n_groups": 2},
    "qwen2_moe": {"num_experts": 3, "moe_intermediate_size": 8, "num_key_value_heads": 2},
    "qwen3_moe": {
        "num_experts": 3, "moe_intermediate_size": 8, "mlp_only_layers": [0],
        "num_key_value_heads": 2, "num_hidden_layers": 3, "decoder_sparse_step": 2,
    },
    "deepseek_v3": {
        "n_routed_experts": 3, "moe_intermediate_size": 8, "first_k_dense_replace": 1,
        "q_lora_rank": 12, "kv_lora_rank": 8, "qk_rope_head_dim": 4, "qk_nope_head_dim": 8,
        "v_head_dim": 6, "num_key_value_heads": 4, "n_group": 1, "topk_group": 1,
        "num_experts_per_tok": 2, "attention_bias": True, "n_shared_experts": 2,
    },
    "deepseek_v2": {
        "n_routed_experts": 3, "moe_intermediate_size": 8, "first_k_dense_replace": 1,
        "q_lora_rank": 12, "kv_lora_rank": 8, "qk_rope_head_dim": 4, "qk_nope_head_dim": 8,
        "v_head_dim": 6, "num_experts_per_tok": 2, "n_shared_experts": 2,
    },
    "glm4_moe": {
        "n_routed_experts": 3, "moe_intermediate_size": 8, "num_key_value_heads": 2,
        "num_experts_per_tok": 2, "use_qk_norm": True, "attention_bias": True,
    },
    "olmoe": {"num_experts": 3, "num_key_value_heads": 2}, "olmo3": {"num_key_value_heads": 2},
    "exaone4": {"num_key_value_heads": 2}, "ernie4_5": {"head_dim": 12},
    "seed_oss": {"num_key_value_heads": 2, "head_dim": 12}, "arcee": {"mlp_bias": True},
    "helium": {"num_key_value_heads": 2, "head_dim": 12, "attention_bias": True},
    "ernie": {"use_task_id": True},
    "layoutlm": {"max_2d_position_embeddings": 20},
    "layoutlmv3": {"coordinate_size": 8, "shape_size": 8, "input_size": 32, "num_labels": 12,
                   "max_2d_position_embeddings": 20},
    "esm": {"emb_layer_norm_before": True, "position_embedding_type": "rotary"},
    "deberta": {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "type_vocab_size": 2,
                "embedding_size": 24, "pooler_hidden_size": 48},
    "gpt_oss": {"num_local_experts": 3, "head_dim": 12, "num_key_value_heads": 2},
    "llama4_text": {
        "num_local_experts": 3, "head_dim": 12, "num_key_value_heads": 2,
        "intermediate_size_mlp": 32, "interleave_moe_layer_step": 2,
    },
    "glm": {"num_key_value_heads": 2, "head_dim": 12},
    "glm4": {"num_key_value_heads": 2, "head_dim": 12},
    "gemma3_text": {"num_key_value_heads": 2, "head_dim": 12},
    "smollm3": {"num_key_value_heads": 2}, "starcoder2": {"num_key_value_heads": 2},
    "stablelm": {"num_key_value_heads": 2, "use_qkv_bias": True, "use_parallel_residual": True},
    "falcon": {"new_decoder_architecture": True, "num_kv_heads": 2, "bias": True},
    "deberta-v2": {
        "relative_attention": True, "position_buckets": 16, "norm_rel_ebd": "layer_norm",
        "pos_att_type": ["p2c", "c2p"], "type_vocab_size": 2, "conv_kernel_size": 3,
        "pooler_hidden_size": 48,
    },
    "clip": {"text_config": TOWER, "vision_config": TOWER},
    "siglip": {"text_config": TOWER, "vision_config": TOWER},
    "dinov2": {"use_swiglu_ffn": True, "use_mask_token": False},
    "dinov3_vit": {"use_gated_mlp": True, "num_register_tokens": 2},
    "beit": {"use_relative_position_bias": True, "use_mask_token": True,
             "use_absolute_position_embeddings": True, "use_mean_pooling": False},
}  # fmt: skip
# What the installed release knows: Nomic BERT came with transformers 5.
# Kimi K2's own configuration is no part of any: it is DeepSeek-V3's, by another name.
KINDS = [kind for kind in MODEL_TYPES if kind in transformers.CONFIG_MAPPING]
# What published files call a class that has another name now.
RENAMED = {"Qwen2_5OmniModel"}
HEADS = [(kind, MODEL_TYPES[kind][0] + head) for kind in KINDS for head in MODEL_TYPES[kind][2]
         if MODEL_TYPES[kind][0] + head not in RENAMED]  # fmt: skip


STORED = Path(__file__).parent.parent / "architecture" / "hub" / "variants.json"
VARIANTS = [each for each in json.loads(STORED.read_text(encoding="utf-8"))
            if each["config"]["model_type"] in KINDS]  # fmt: skip
# The first stored variation of each type, for those that are not told of above.
FIRST = {each["config"]["model_type"]: each["config"] for each in reversed(VARIANTS)}


def small_config(kind):
    if kind in FIRST and kind not in DIFFERENT:
        return transformers.AutoConfig.for_model(**deepcopy(FIRST[kind]))
    known = vars(transformers.AutoConfig.for_model(kind))
    values = {key: value for key, value in SMALL.items() if key in known}
    values.update(deepcopy(DIFFERENT.get(kind, {})))  # some classes take their parts apart
    return transformers.AutoConfig.for_model(
        kind, **{k: v for k, v in values.items() if v is not None}
    )


@pytest.mark.parametrize(("kind", "label"), HEADS)
def test_a_saved_configuration_describes_its_class(tmp_path, kind, label):
    config = small_config(kind)
    config.architectures = [label]
    model = made(label, config)
    model.tie_weights()
    config.save_pretrained(tmp_path)
    assert ours(read_architecture(str(tmp_path / "config.json"))) == shapes_of(model)


# Keys that a class reads in another way than its relatives do, or not at all.
UNUSUAL = {"mlp_bias": True, "qkv_bias": False, "head_dim": 12, "attention_bias": True}
VARIED = [
    *((kind, UNUSUAL) for kind in FAMILIES if kind in KINDS),
    *((kind, {"tie_word_embeddings": tied}) for kind in ("phi", "gptj", "codegen", "falcon", "t5")
      for tied in (True, False)),
    ("falcon", {"parallel_attn": False, "new_decoder_architecture": True}),
    ("falcon", {"parallel_attn": False, "new_decoder_architecture": False}),
    ("falcon", {"num_ln_in_parallel_attn": 2, "new_decoder_architecture": False}),
    ("phi", {"head_dim": 8}), ("starcoder2", {"head_dim": 8}), ("stablelm", {"head_dim": 8}),
    ("beit", {"use_shared_relative_position_bias": True}), ("t5", {"is_gated_act": False}),
    ("t5gemma", {"vocab_size": 601, "tie_word_embeddings": False}),
    ("detr", {"backbone_kwargs": {"in_chans": 1, "out_indices": [1, 2, 3, 4]}}),
    *((kind, {"backbone_config": RESNET}) for kind in ("mask2former", "maskformer")),
    ("mask2former", {"feature_strides": [4, 8, 16, 32], "common_stride": 8}),
    ("qwen3_next", {"layer_types": None, "full_attention_interval": 2, "attention_bias": True}),
    *((kind, {"tie_word_embeddings": True}) for kind in ("qwen3_5", "lfm2_moe")
      if kind in KINDS),
    ("qwen3_next", {"num_experts": 0}), ("persimmon", {"qk_layernorm": False}),
    ("speecht5", {"tie_word_embeddings": False, "mask_time_prob": 0.0}),
    ("blip", {"vision_config": {"qkv_bias": False, **TOWER}}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "changes"), VARIED)
def test_a_varied_configuration_is_read_as_its_class_reads_it(tmp_path, kind, changes):
    name, _, heads = MODEL_TYPES[kind]
    values = json.loads(small_config(kind).to_json_string(use_diff=False)) | changes
    check_read(tmp_path, {**values, "architectures": [name + heads[0]]})


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant["class"])
def test_a_stored_variation_is_read_as_its_class_reads_it(tmp_path, variant):
    check_read(tmp_path, {**variant["config"], "architectures": [variant["class"]]})


@pytest.mark.parametrize("kind", [kind for kind in SECOND_NAMES if kind not in {"xlnet", "lfm2"}])
def test_the_second_names_of_fields_are_read(tmp_path, kind):
    name, _, heads = MODEL_TYPES[kind]
    values = json.loads(small_config(kind).to_json_string(use_diff=False))
    said = {"hidden_size": 96, "head_dim": 8, "num_attention_heads": 3, "num_hidden_layers": 2}
    values |= {second: said.get(second, 40) for second in SECOND_NAMES[kind]}
    check_read(tmp_path, {**values, "architectures": [name + heads[0]]})


def check_read(folder, values):
    (folder / "config.json").write_text(json.dumps(values))
    config = transformers.AutoConfig.from_pretrained(folder)
    model = made(values["architectures"][0], config)
    model.tie_weights()
    assert ours(read_architecture(str(folder / "config.json"))) == shapes_of(model)


@pytest.mark.parametrize("kind", KINDS)
def test_fresh_hub_weights_are_as_large_as_expected(kind):
    torch.manual_seed(0)
    config = small_config(kind)
    name, _, heads = MODEL_TYPES[kind]
    label = name + heads[0]
    values = {**json.loads(config.to_json_string()), "architectures": [label]}
    net = build_config(Fields(path="config.json", values=values))
    check_start(net, getattr(transformers, label)(config))


def test_the_trainer_exempts_what_our_mask_does():
    pt_utils = pytest.importorskip("transformers.trainer_pt_utils")
    patterns = [r"bias", r"layernorm", r"rmsnorm", r"(?:^|\.)norm(?:$|\.)", r"_norm(?:$|\.)"]
    for kind in KINDS:
        config = small_config(kind)
        name, _, heads = MODEL_TYPES[kind]
        label = name + heads[0]
        model = made(label, config)
        model.tie_weights()
        kept = set(pt_utils.get_parameter_names(model, [torch.nn.LayerNorm], patterns))
        kept &= {name for name, _ in model.named_parameters()}
        values = {**json.loads(config.to_json_string()), "architectures": [label]}
        net = build_config(Fields(path="config.json", values=values))
        marks = zip(net.tensors, decayed(net, mask="hf"), strict=True)
        assert {tensor.name for tensor, mark in marks if mark} == kept, kind
