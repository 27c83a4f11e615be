"""Llama and its relatives: causal language models of one plan.

Source: transformers/models/*/modeling_*.py (v4.57.1) of the model types in llama_families.py, for
rules, names and `_init_weights`.
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.decoders import finish
from decaycalc.architecture.hub.encoders import start
from decaycalc.architecture.hub.experts import (
    add_experts,
    add_gated,
    compressed_attention,
    sparse_layers,
)
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.llama_families import FAMILIES, Family, HeadNorms
from decaycalc.architecture.tensors import Architecture, Role
from decaycalc.record import replace


def llama(fields: Fields, head: str) -> Architecture:
    """Return Llama or one of its relatives, as `model_type` says.

    Raises:
        UnreadableFileError: a malformed field, or a part that is not known here.
    """
    return relative(fields, head, fields.text("model_type", "llama"))


def kimi(fields: Fields, head: str) -> Architecture:
    """Return Kimi K2, which is DeepSeek-V3 by another name (its file names that class).

    Raises:
        UnreadableFileError: a malformed field.
    """
    return relative(fields, head, "deepseek_v3")


def relative(fields: Fields, head: str, kind: str) -> Architecture:
    """Return the relative of Llama of that kind, a key of `FAMILIES`.

    Raises:
        UnreadableFileError: a malformed field, or a part that is not known here.
    """
    family = FAMILIES[kind]
    for name in family.refused:
        fields.require(name, value=False)
    fields = replace(fields, values={**family.ranks, **fields.values})
    part = Builder(start(fields, norm=family.norm, std=family.std))
    prefix = "" if head in {"Model", "TextModel"} else "model."
    width = fields.size("hidden_size", family.width)
    vocabulary = fields.size("vocab_size", family.vocabulary)
    padding = "pad_token_id" in fields or ("pad_token_id" not in fields.values and family.padded)
    part.embedding(f"{prefix}embed_tokens", vocabulary, width, padding=padding)
    layers = fields.size("num_hidden_layers", family.layers)
    sparse = sparse_layers(fields, family.experts, layers)
    for index in range(layers):
        name = f"{prefix}layers.{index}"
        _attention(part, f"{name}.self_attn", fields, family, width)
        _feed_forward(part, name, fields, family, sparse=index in sparse)
        part.norms(name, family.norms, width, bias=family.norm_bias, gain=family.gain)
    if family.final_norm:
        part.norm(f"{prefix}norm", width, bias=family.norm_bias, gain=family.gain)
    bias = bool(family.head_bias) and fields.flag(family.head_bias, default=False)
    return finish(part, fields, head, (width, vocabulary), tied=family.tied, bias=bias)


def _attention(part: Builder, name: str, fields: Fields, family: Family, width: int) -> None:
    heads = fields.size("num_attention_heads", family.heads)
    if family.compressed:
        compressed_attention(part, name, fields, width, heads)
        return
    kv_heads = fields.size_or_rest("num_key_value_heads", family.kv_heads, rest=heads)
    size = max(1, width // heads)
    if family.reads_head_size:
        size = fields.size_or_rest("head_dim", family.head_size, rest=size)
    if family.fused:
        part.linear(f"{name}.o_proj", heads * size, width, bias=False)
        part.linear(f"{name}.qkv_proj", width, (heads + 2 * kv_heads) * size, bias=False)
        return
    bias = family.bias
    if family.biases:
        bias = fields.flag(family.biases, default=bias)
    if family.sinks:
        variance = fields.number("initializer_range", 0.02) ** 2
        part.add(f"{name}.sinks", heads, role=Role.OTHER, variance=variance)
    for projection, number in (("q_proj", heads), ("k_proj", kv_heads), ("v_proj", kv_heads)):
        part.linear(f"{name}.{projection}", width, number * size, bias=bias)
    read = width if family.square_output else heads * size
    part.linear(f"{name}.o_proj", read, width, bias=bias and family.out_bias)
    if family.inner_norms:
        part.norm(f"{name}.attn_sub_norm", width, bias=False)
    told = bool(family.normed) and fields.flag(family.normed, default=False)
    if told or family.head_norms is not HeadNorms.NONE:
        whole = family.head_norms is HeadNorms.WHOLE
        for norm, number in zip(family.head_norm_names, (heads, kv_heads), strict=True):
            part.norm(f"{name}.{norm}", number * size if whole else size, bias=False,
                      gain=family.gain)  # fmt: skip


def _feed_forward(
    part: Builder, name: str, fields: Fields, family: Family, *, sparse: bool
) -> None:
    width, experts = fields.size("hidden_size", family.width), family.experts
    hidden = fields.size("intermediate_size", family.hidden)
    bias = family.dense_bias and fields.flag("mlp_bias", default=False)
    if experts is not None and sparse:
        label = f"{name}.{experts.name}"
        add_experts(part, label, fields, experts, (width, hidden), bias=bias)
        return
    if family.fused_gate:
        part.linear(f"{name}.mlp.gate_up_proj", width, 2 * hidden, bias=False)
        part.linear(f"{name}.mlp.down_proj", hidden, width, bias=False)
        return
    layer = "mlp"
    if experts is not None and experts.name == "feed_forward":
        layer = experts.name
        hidden = fields.size_or_rest("intermediate_size_mlp", 16384, rest=hidden)
    if family.gated:
        add_gated(part, f"{name}.{layer}", width, hidden, bias=bias)
        if family.inner_norms:
            part.norm(f"{name}.{layer}.ffn_sub_norm", hidden, bias=False)
        return
    part.feed_forward(f"{name}.{layer}", ("up_proj", "down_proj"), width, hidden, bias=bias)
    for shape in ("alpha_p", "alpha_n") if family.learned_activation else ():
        part.add(f"{name}.{layer}.act_fn.{shape}", 1, role=Role.OTHER, variance=None)
