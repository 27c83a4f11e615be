"""Gemma 4's language model: layers of two widths of heads, some without keys of their own.

How it starts is not told here. Source: transformers/models/gemma4/configuration_gemma4.py and
modeling_gemma4.py (v5.24.0) for defaults, rules and names.
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.decoders import finish
from decaycalc.architecture.hub.experts import add_gated, whole_experts
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.towers import UNTOLD
from decaycalc.architecture.tensors import Architecture, Role
from decaycalc.record import replace

HEADS = ("ForCausalLM", "TextModel")
_EVERY = 6  # layers, of which the last one attends to everything
NORMS = ("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm",
          "post_feedforward_layernorm")  # fmt: skip
_OF_EXPERTS = ("post_feedforward_layernorm_1", "post_feedforward_layernorm_2",
               "pre_feedforward_layernorm_2")  # fmt: skip


def gemma4(fields: Fields, head: str) -> Architecture:
    """Return Gemma 4 without what it sees and hears by.

    Raises:
        UnreadableFileError: a malformed field.
    """
    part, prefix = Builder(replace(UNTOLD, norm="rms")), "" if head == "TextModel" else "model."
    return finish(part, fields, head, add_language_model(part, prefix, fields))


def add_language_model(part: Builder, prefix: str, fields: Fields) -> tuple[int, int]:
    """Add the language model without its output layer; return its width and its vocabulary."""
    width, vocabulary = fields.size("hidden_size", 2304), fields.size("vocab_size", 262_144)
    layers = fields.size("num_hidden_layers", 30)
    own = fields.size("hidden_size_per_layer_input", 256, least=0)
    part.embedding(f"{prefix}embed_tokens", vocabulary, width)
    for index in range(layers):
        _layer(part, f"{prefix}layers.{index}", fields, (index, width, own))
    part.norm(f"{prefix}norm", width, bias=False)
    if own:
        rows = fields.size("vocab_size_per_layer_input", 262_144)
        part.embedding(f"{prefix}embed_tokens_per_layer", rows, layers * own)
        part.linear(f"{prefix}per_layer_model_projection", width, layers * own, bias=False)
        part.norm(f"{prefix}per_layer_projection_norm", own, bias=False)
    return width, vocabulary


def _layer(part: Builder, name: str, fields: Fields, sizes: tuple[int, int, int]) -> None:
    index, width, own = sizes
    layers, shared = (
        fields.size("num_hidden_layers", 30),
        fields.size("num_kv_shared_layers", 0, least=0),
    )
    reads = index >= layers - shared  # the keys of a layer below
    _attention(part, f"{name}.self_attn", fields, (index, width), reads=reads)
    doubled = reads and fields.flag("use_double_wide_mlp", default=False)
    hidden = fields.size("intermediate_size", 9216) * (2 if doubled else 1)
    add_gated(part, f"{name}.mlp", width, hidden, bias=False)
    part.norms(name, NORMS, width, bias=False)
    if own:
        part.linear(f"{name}.per_layer_input_gate", width, own, bias=False)
        part.linear(f"{name}.per_layer_projection", own, width, bias=False)
        part.norm(f"{name}.post_per_layer_input_norm", width, bias=False)
    if fields.flag("enable_moe_block", default=False):
        _mixture(part, name, fields, width)


def _mixture(part: Builder, name: str, fields: Fields, width: int) -> None:
    """Add the experts beside a layer's own; how many there are, and how wide, must be told."""
    for field in ("num_experts", "moe_intermediate_size"):
        if field not in fields:
            raise fields.wrong(field, None, "a whole number, as enable_moe_block is true")
    count, inner = fields.size("num_experts", 1), fields.size("moe_intermediate_size", 1)
    part.add(f"{name}.router.scale", width, role=Role.OTHER, mean=1.0)
    part.add(f"{name}.router.per_expert_scale", count, role=Role.OTHER, mean=1.0)
    part.linear(f"{name}.router.proj", width, count, bias=False)
    whole_experts(part, f"{name}.experts", (count, width, inner))
    part.norms(name, _OF_EXPERTS, width, bias=False)


def _attention(
    part: Builder, name: str, fields: Fields, place: tuple[int, int], *, reads: bool
) -> None:
    index, width = place
    heads, bias = (
        fields.size("num_attention_heads", 8),
        fields.flag("attention_bias", default=False),
    )
    size, kept, whole = _sizes(fields, index)
    part.linear(f"{name}.q_proj", width, heads * size, bias=bias)
    part.norm(f"{name}.q_norm", size, bias=False)
    if not reads:
        part.norm(f"{name}.k_norm", size, bias=False)
        equal = whole and fields.flag("attention_k_eq_v", default=False)
        for projection in ("k_proj",) if equal else ("k_proj", "v_proj"):
            part.linear(f"{name}.{projection}", width, kept * size, bias=bias)
    part.linear(f"{name}.o_proj", heads * size, width, bias=bias)


def _sizes(fields: Fields, index: int) -> tuple[int, int, bool]:
    """Return the size of a layer's heads, how many keys it has, and whether it attends to all."""
    is_last = index == fields.size("num_hidden_layers", 30) - 1
    usual = (index + 1) % _EVERY == 0
    whole = is_last or fields.names_layer(index, "full_attention", usual=usual)
    size, kept = fields.size("head_dim", 256), fields.size("num_key_value_heads", 4)
    told = fields.part("per_layer_config")
    if "per_layer_config" in fields:
        own = next((key for key in told.values if key.isdecimal() and int(key) == index), "")
        layer = told.part(own)
        size, kept = layer.size("head_dim", size), layer.size("num_key_value_heads", kept)
    elif whole:
        size = fields.size("global_head_dim", 512)
        if fields.flag("attention_k_eq_v", default=False):
            kept = fields.size("num_global_key_value_heads", kept)
    return size, kept, whole
