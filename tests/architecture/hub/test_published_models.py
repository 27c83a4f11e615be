"""Published models by their configurations: totals of the classes of transformers 4.57.1."""

import pytest

from decaycalc.architecture.hub import build_config
from decaycalc.architecture.hub.fields import Fields
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
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTS)
def test_a_published_model_has_as_many_weights_as_its_class(name):
    total, kind, label, values = COUNTS[name]
    assert built(kind, label, **values).n_parameters == total


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
    ],
)  # fmt: skip
def test_options_change_a_model_by_what_they_add(kind, label, one, other, difference):
    more, less = (built(kind, label, **SMALL, **each) for each in (one, other))
    assert more.n_parameters - less.n_parameters == difference


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("esm", {"is_folding_model": True}, "is_folding_model is True, expected false"),
        ("layoutlmv3", {"visual_embed": False}, "visual_embed is False, expected true"),
        ("deberta", {"talking_head": True}, "talking_head is True, expected false"),
        ("deberta", {"relative_attention": True, "pos_att_type": 3}, "kinds such as p2c"),
        ("ernie4_5", {"use_bias": True}, "use_bias is True, expected false"),
    ],
)
def test_a_part_that_is_not_known_is_refused(kind, values, words):
    with pytest.raises(UnreadableFileError, match=words):
        built(kind, **SMALL, **values)
