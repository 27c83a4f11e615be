"""Gemma 3n's language model: four streams of a layer's width, and a table of words for each layer.

How it starts is not told here. Source: transformers/models/gemma3n/configuration_*.py and
modeling_*.py (v4.57.1) for defaults, rules and names.
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.decoders import finish
from decaycalc.architecture.hub.experts import add_gated
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.towers import UNTOLD
from decaycalc.architecture.tensors import Architecture, Role
from decaycalc.record import replace

HEADS = ("ForCausalLM", "TextModel")
_NORMS = ("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm",
          "post_feedforward_layernorm")  # fmt: skip


def gemma3n(fields: Fields, head: str) -> Architecture:
    """Return Gemma 3n without what it sees and hears by.

    Raises:
        UnreadableFileError: a malformed field.
    """
    part, prefix = Builder(replace(UNTOLD, norm="rms")), "" if head == "TextModel" else "model."
    width, vocabulary = fields.size("hidden_size", 2048), fields.size("vocab_size", 262_400)
    layers, own = fields.size("num_hidden_layers", 35), _own_width(fields)
    part.embedding(f"{prefix}embed_tokens", vocabulary, width)
    for index in range(layers):
        _layer(part, f"{prefix}layers.{index}", fields, (width, _hidden(fields, index)))
    part.norm(f"{prefix}norm", width, bias=False)
    rows = fields.size("vocab_size_per_layer_input", 262_144)
    part.embedding(f"{prefix}embed_tokens_per_layer", rows, layers * own)
    part.linear(f"{prefix}per_layer_model_projection", width, layers * own, bias=False)
    part.norm(f"{prefix}per_layer_projection_norm", own, bias=False)
    for projections in ("altup_projections", "altup_unembed_projections"):
        for stream in range(fields.size("altup_num_inputs", 4) - 1):
            part.linear(f"{prefix}{projections}.{stream}", width, width, bias=False)
    return finish(part, fields, head, (width, vocabulary))


def _own_width(fields: Fields) -> int:
    """Return the width of each layer's own words."""
    return fields.size("hidden_size_per_layer_input", 256)


def _hidden(fields: Fields, index: int) -> int:
    """Return a layer's hidden width, which may be told for each."""
    if not isinstance(fields.values.get("intermediate_size"), list):
        return fields.size("intermediate_size", 16_384)
    listed = fields.sizes("intermediate_size", ())
    if len(listed) <= index:
        raise fields.wrong("intermediate_size", list(listed), "a width for each layer")
    return listed[index]


def _layer(part: Builder, name: str, fields: Fields, widths: tuple[int, int]) -> None:
    width, hidden = widths
    _attention(part, f"{name}.self_attn", fields, width)
    add_gated(part, f"{name}.mlp", width, hidden, bias=False)
    part.norms(name, _NORMS, width, bias=False)
    streams, mixer = fields.size("altup_num_inputs", 4), f"{name}.altup"
    part.add(f"{mixer}.correct_output_scale", width, role=Role.OTHER)
    part.linear(f"{mixer}.correction_coefs", streams, streams, bias=False)
    part.linear(f"{mixer}.prediction_coefs", streams, streams**2, bias=False)
    part.linear(f"{mixer}.modality_router", width, streams, bias=False)
    part.norm(f"{mixer}.router_norm", width, bias=False)
    rank = fields.size("laurel_rank", 64)
    part.feed_forward(f"{name}.laurel", ("linear_left", "linear_right"), width, rank, bias=False)
    part.norm(f"{name}.laurel.post_laurel_norm", width, bias=False)
    part.linear(f"{name}.per_layer_input_gate", width, _own_width(fields), bias=False)
    part.linear(f"{name}.per_layer_projection", _own_width(fields), width, bias=False)
    part.norm(f"{name}.post_per_layer_input_norm", width, bias=False)


def _attention(part: Builder, name: str, fields: Fields, width: int) -> None:
    heads, kept = fields.size("num_attention_heads", 8), fields.size("num_key_value_heads", 2)
    size, bias = fields.size("head_dim", 256), fields.flag("attention_bias", default=False)
    for projection, number in (("q", heads), ("k", kept), ("v", kept)):
        part.linear(f"{name}.{projection}_proj", width, number * size, bias=bias)
    part.linear(f"{name}.o_proj", heads * size, width, bias=bias)
    part.norms(name, ("q_norm", "k_norm"), size, bias=False)
