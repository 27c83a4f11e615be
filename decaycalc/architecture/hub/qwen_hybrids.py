"""Qwen3-Next and Qwen3.5, whose layers attend or keep a state by the gated delta rule.

How they start is not told here but for norms and rates. Source: transformers/models/qwen3_next
(v4.57.1) and transformers/models/{qwen3_5,qwen3_5_moe} (v5.24.0), configuration_*.py and
modeling_*.py, for defaults, rules and names; Yang et al. 2024 (2412.06464).
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.experts import (
    Experts,
    add_experts,
    add_gated,
    sparse_layers,
    whole_experts,
)
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Role

_EXPERTS = Experts(count=512, hidden=512, shared=512, shared_name="shared_expert")


def qwen3_next(part: Builder, name: str, fields: Fields, index: int) -> None:
    """Add a layer of Qwen3-Next; every fourth attends, its queries with gates of their own."""
    width = fields.size("hidden_size", 2048)
    _mixer(part, name, fields, index, (width, 2), one=True)
    hidden, layers = fields.size("intermediate_size", 5632), fields.size("num_hidden_layers", 48)
    if index in sparse_layers(fields, _EXPERTS, layers):
        add_experts(part, f"{name}.mlp", fields, _EXPERTS, (width, hidden))
    else:
        add_gated(part, f"{name}.mlp", width, hidden, bias=False)
    _norms(part, name, width)


def qwen3_5(part: Builder, name: str, fields: Fields, index: int) -> None:
    """Add a layer of Qwen3.5."""
    width = fields.size("hidden_size", 4096)
    _mixer(part, name, fields, index, (width, 4), one=False)
    add_gated(part, f"{name}.mlp", width, fields.size("intermediate_size", 12288), bias=False)
    _norms(part, name, width)


def qwen3_5_moe(part: Builder, name: str, fields: Fields, index: int) -> None:
    """Add a layer of Qwen3.5's mixture, whose experts are kept in one tensor."""
    width = fields.size("hidden_size", 2048)
    _mixer(part, name, fields, index, (width, 2), one=False)
    count, inner = fields.size("num_experts", 256), fields.size("moe_intermediate_size", 512)
    part.linear(f"{name}.mlp.gate", width, count, bias=False)
    whole_experts(part, f"{name}.mlp.experts", (count, width, inner))
    shared = fields.size("shared_expert_intermediate_size", 512)
    add_gated(part, f"{name}.mlp.shared_expert", width, shared, bias=False)
    part.linear(f"{name}.mlp.shared_expert_gate", width, 1, bias=False)
    _norms(part, name, width)


def _norms(part: Builder, name: str, width: int) -> None:
    part.norms(name, ("input_layernorm", "post_attention_layernorm"), width, bias=False, gain=0.0)


def _mixer(
    part: Builder, name: str, fields: Fields, index: int, usual: tuple[int, int], *, one: bool
) -> None:
    """Add what mixes the words of a layer; `usual` are its width and the keys' heads by default.

    The projections of the delta rule are in `one` tensor, or apart and last.
    """
    width, kv_heads = usual
    every = fields.size("full_attention_interval", 4)
    if fields.names_layer(index, "full_attention", usual=(index + 1) % every == 0):
        _attention(part, f"{name}.self_attn", fields, width, kv_heads)
    else:
        _delta_net(part, f"{name}.linear_attn", fields, width, one=one)


def _attention(part: Builder, name: str, fields: Fields, width: int, kv_heads: int) -> None:
    heads, kept = (
        fields.size("num_attention_heads", 16),
        fields.size("num_key_value_heads", kv_heads),
    )
    size, bias = fields.size("head_dim", 256), fields.flag("attention_bias", default=False)
    for projection, number in (("q_proj", 2 * heads), ("k_proj", kept), ("v_proj", kept)):
        part.linear(f"{name}.{projection}", width, number * size, bias=bias)
    part.linear(f"{name}.o_proj", heads * size, width, bias=bias)
    part.norms(name, ("q_norm", "k_norm"), size, bias=False, gain=0.0)


def _delta_net(part: Builder, name: str, fields: Fields, width: int, *, one: bool) -> None:
    heads, size = (
        fields.size("linear_num_value_heads", 32),
        fields.size("linear_value_head_dim", 128),
    )
    keys = fields.size("linear_num_key_heads", 16) * fields.size("linear_key_head_dim", 128)
    values, kernel = heads * size, fields.size("linear_conv_kernel_dim", 4)
    mixed = 2 * keys + values
    part.add(f"{name}.dt_bias", heads, role=Role.OTHER, mean=1.0)
    part.add(f"{name}.A_log", heads, role=Role.OTHER, variance=None)
    part.conv(f"{name}.conv1d", mixed, mixed, kernel, groups=mixed, line=True, bias=False)
    if one:
        part.linear(f"{name}.in_proj_qkvz", width, mixed + values, bias=False)
        part.linear(f"{name}.in_proj_ba", width, 2 * heads, bias=False)
    part.norm(f"{name}.norm", size, bias=False)
    part.linear(f"{name}.out_proj", values, width, bias=False)
    if not one:
        part.linear(f"{name}.in_proj_qkv", width, mixed, bias=False)
        part.linear(f"{name}.in_proj_z", width, values, bias=False)
        part.linears(name, ("in_proj_b", "in_proj_a"), width, heads, bias=False)
