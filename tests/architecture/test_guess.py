from math import log

import pytest

from decaycalc.architecture.guess import guess_tensors
from decaycalc.architecture.initialisers import initialise
from decaycalc.architecture.name_words import is_second_factor, is_token, norm_kind
from decaycalc.architecture.restacking import from_names
from decaycalc.architecture.tensors import Role


def guess(name, *shape):
    return guess_tensors([(name, shape)])[0]


@pytest.mark.parametrize(
    ("name", "shape", "role"),
    [
        ("cls_token", (1, 1, 768), Role.OTHER),
        ("embeddings.register_tokens", (1, 4, 768), Role.OTHER),
        ("vision_model.embeddings.class_embedding", (768,), Role.OTHER),
        ("pos_embed", (1, 197, 768), Role.POSITION),
        ("encoder.pos_embedding", (1, 197, 768), Role.POSITION),
        ("embeddings.position_embeddings.weight", (512, 768), Role.POSITION),
        ("decoder.embed_positions.weight", (512, 768), Role.POSITION),
        ("layers.0.blocks.0.attn.relative_position_bias_table", (169, 3), Role.POSITION),
        ("blocks.0.attn.rel_pos_h", (27, 64), Role.POSITION),
        ("block.0.layer.0.SelfAttention.relative_attention_bias.weight", (32, 8), Role.POSITION),
        ("stages.0.attn.attention_biases", (8, 49), Role.POSITION),
        ("stages.0.blocks.0.gamma", (96,), Role.OTHER),
        ("blocks.0.ls1.gamma", (768,), Role.OTHER),
        ("bn/gamma", (96,), Role.NORM),
        ("batch_normalization_203/beta", (32,), Role.NORM),
        ("params/blocks/LayerNorm_0/scale", (96,), Role.NORM),
        ("stages.0.blocks.0.layer_scale1.scale", (96,), Role.OTHER),
        ("encoder.layers.0.self_attn_layer_scale.scale", (512,), Role.OTHER),
        ("dense_stages.0.0.dense_block0.gamma", (64,), Role.OTHER),
        ("memory_fuser.layers.0.scale", (256,), Role.OTHER),
        ("stages.0.blocks.0.mlp.act.scale", (1,), Role.OTHER),
        ("layers.0.mixer.A_log", (5120, 16), Role.OTHER),
        ("layers.0.mixer.D", (5120,), Role.OTHER),
        ("layers.0.mixer.dt_bias", (80,), Role.OTHER),
        ("h.0.q_proj.lora_A.default.weight", (8, 768), Role.ADAPTER),
        ("h.0.q_proj.lora_B.weight", (768, 8), Role.ADAPTER),
        ("attn.to_q_lora.down.weight", (8, 320), Role.WEIGHT),
        ("attn.to_q.lora.down.weight", (8, 320), Role.ADAPTER),
        ("attn.lora_up.weight", (320, 8), Role.ADAPTER),
        ("embed_out.weight", (50304, 512), Role.WEIGHT),
        ("pos_embed.proj.weight", (1152, 4, 2, 2), Role.WEIGHT),
        ("tokens.cond_embeds_mapper.weight", (1536, 1024), Role.WEIGHT),
        ("res_blocks.0.channelwise_norm.gamma", (1, 1, 1, 3072), Role.NORM),
        ("res_blocks.0.channelwise_norm.beta", (1, 1, 1, 3072), Role.NORM),
        ("token_type_embeddings.weight", (2, 768), Role.EMBEDDING),
        ("emb.weight", (50277, 768), Role.EMBEDDING),
        ("tok_emb.weight", (2501, 128), Role.EMBEDDING),
        ("shared.weight", (32128, 512), Role.EMBEDDING),
        ("decoder.embed_tokens.3.weight", (2049, 1024), Role.EMBEDDING),
        ("layers.0.mlp.shared_expert_gate.weight", (1, 2048), Role.WEIGHT),
        ("entity_embeddings.entity_embedding_dense.weight", (768, 256), Role.WEIGHT),
        ("params/wte/embedding", (50257, 768), Role.EMBEDDING),
        ("fc.bias", (10,), Role.BIAS),
        ("mlp.experts.gate_up_proj_bias", (8, 64), Role.BIAS),
    ],
)
def test_a_name_tells_what_a_tensor_is(name, shape, role):
    assert guess(name, *shape).role is role


def test_a_dense_layer_called_an_embedding_is_told_by_its_bias():
    weight, bias = guess_tensors([("vision_embed_tokens.weight", (4096, 2700)),
                                  ("vision_embed_tokens.bias", (4096,))])  # fmt: skip
    assert (weight.role, bias.role) == (Role.WEIGHT, Role.BIAS)
    assert weight.sum_of_squares == pytest.approx(4096 * 2)


def test_a_dense_layer_called_a_norm_is_told_by_its_matrix():
    _, bias = guess_tensors([("norm_head.weight", (5, 4)), ("norm_head.bias", (5,))])
    assert bias.role is Role.BIAS


def test_a_low_rank_update_starts_at_zero():
    first, second = guess_tensors(
        [("q.lora_A.default.weight", (8, 768)), ("q.lora_B.default.weight", (1024, 8))]
    )
    assert first.sum_of_squares == pytest.approx(8 / 3)
    assert second.sum_of_squares == 0
    for init in ("he", "normal:0.02", "torch"):
        started = initialise(from_names("net", (first, second)), init=init)
        assert started.tensors[0].sum_of_squares == pytest.approx(8 / 3)
        assert started.tensors[1].sum_of_squares == 0
    assert is_second_factor("x.lora.up.weight")
    assert not is_second_factor("x.lora.down.weight")


def test_a_state_space_model_starts_as_its_authors_have_it():
    table = guess("layers.0.mixer.A_log", 5, 3)
    assert table.sum_of_squares == pytest.approx(5 * (log(2) ** 2 + log(3) ** 2))
    assert guess("layers.0.mixer.D", 7).sum_of_squares == 7
    assert guess("layers.0.mixer.dt_bias", 7).sum_of_squares is None
    assert guess("layers.0.mixer.A_log", 5, 0).sum_of_squares is None
    assert guess("layers.0.mixer.A_log", 5).sum_of_squares is None


def test_experts_in_one_tensor_have_no_fans_that_names_would_tell():
    assert guess("mlp.experts.gate_up_proj", 8, 64, 256).sum_of_squares is None
    assert guess("mlp.experts.up.kernel", 8, 64, 256).fan_in == 8 * 64


def test_the_kind_of_a_norm_is_told_by_its_name():
    kinds = [norm_kind(name) for name in ("a.ln_f", "bn1", "x.gn", "RMSNorm_0", "LayerNorm_1", "n")]
    assert kinds == ["layer", "batch", "group", "rms", "layer", ""]
    assert is_token("decoder/mask_token")


def test_kernels_of_heads_have_no_fans_that_names_would_tell():
    # Flax's DenseGeneral counts 8 inputs, Keras's initialisers 8 · 2 of the same kernel.
    shapes = [
        ("attn/query/kernel", (8, 2, 4)),
        ("attn/out/kernel", (2, 4, 8)),
        ("q/kernel", (8, 8)),
    ]
    heads, out, plain = guess_tensors(shapes)
    assert (heads.fan_in, heads.init_variance) == (None, None)
    assert (out.fan_in, plain.fan_in) == (8, 8)
