"""Hybrids of attention and recurrence, from Jamba to Qwen3-Next, and Granite 3's mixtures.

How they start is not told here but for Mamba's rates. Source: transformers/models/{jamba,bamba,
granitemoe,granitemoeshared,granitemoehybrid,falcon_h1,lfm2,minimax,qwen3_next}/configuration_*.py
and modeling_*.py (v4.57.1) for defaults, rules and names.
"""

from collections.abc import Callable
from dataclasses import dataclass

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.causal import grouped
from decaycalc.architecture.hub.decoders import finish
from decaycalc.architecture.hub.experts import (
    Experts,
    add_experts,
    add_gated,
    whole_experts,
)
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.qwen_hybrids import qwen3_5, qwen3_5_moe, qwen3_next
from decaycalc.architecture.hub.recurrent import mamba2_mixer, mamba_mixer
from decaycalc.architecture.hub.towers import UNTOLD
from decaycalc.architecture.tensors import Architecture
from decaycalc.record import replace

_NORMS = ("input_layernorm", "post_attention_layernorm")
_FEED_NORMS = ("input_layernorm", "pre_ff_layernorm")
# Mamba's own names of what hybrids call so.
_MAMBA = {"mamba_expand": "expand", "mamba_d_state": "state_size", "mamba_d_conv": "conv_kernel",
          "mamba_n_heads": "num_heads", "mamba_n_groups": "n_groups", "mamba_d_ssm": "inner_size",
          "mamba_dt_rank": "time_step_rank", "mamba_conv_bias": "use_conv_bias",
          "mamba_proj_bias": "use_bias"}  # fmt: skip
_MIXTRAL = Experts(count=8, count_field="num_local_experts", name="block_sparse_moe")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hybrid:
    """How a family builds a layer, the layer's index last, and what it is where nothing is said."""

    add_layer: Callable[[Builder, str, Fields, int], None]
    vocabulary: int
    width: int = 4096
    layers: int = 32
    gain: float = 1.0
    final_norm: str = "final_layernorm"
    tied: bool = False


def hybrid(fields: Fields, head: str) -> Architecture:
    """Return the hybrid that `model_type` names.

    Raises:
        UnreadableFileError: a malformed field.
    """
    return kin(fields, head, fields.text("model_type", "jamba"))


def kin(fields: Fields, head: str, kind: str) -> Architecture:
    """Return the hybrid of that kind, a key of `FAMILIES`.

    Raises:
        UnreadableFileError: a malformed field.
    """
    family, whole = FAMILIES[kind], head in {"Model", "TextModel"}
    part, prefix = Builder(replace(UNTOLD, norm="rms")), "" if whole else "model."
    width = fields.size("hidden_size", family.width)
    vocabulary = fields.size("vocab_size", family.vocabulary)
    part.embedding(f"{prefix}embed_tokens", vocabulary, width)
    told = replace(fields, values={**fields.values, "hidden_size": width})
    for index in range(fields.size("num_hidden_layers", family.layers)):
        family.add_layer(part, f"{prefix}layers.{index}", told, index)
    part.norm(f"{prefix}{family.final_norm}", width, bias=False, gain=family.gain)
    return finish(part, fields, head, (width, vocabulary), tied=family.tied)


def _biases(fields: Fields) -> tuple[bool, bool]:
    """Return whether attention and feed-forward layers have biases."""
    return fields.flag("attention_bias", default=False), fields.flag("mlp_bias", default=False)


def _mixer(fields: Fields, **usual: object) -> Fields:
    """Return the fields of a layer of Mamba, by its own names; `usual` are those not said."""
    said = {own: fields.values[name] for name, own in _MAMBA.items() if name in fields}
    return Fields(path=fields.path, values={**usual, **said})


def _jamba(part: Builder, name: str, fields: Fields, index: int) -> None:
    width, hidden = fields.size("hidden_size", 4096), fields.size("intermediate_size", 14336)
    offset = fields.size("attn_layer_offset", 4, least=0)
    if index % fields.size("attn_layer_period", 8) == offset:
        grouped(part, f"{name}.self_attn", fields, width, out="o_proj", bias=(False, False),
                heads=(32, 8), reads_head_size=False)  # fmt: skip
    else:
        mamba_mixer(part, f"{name}.mamba", _mixer(fields), width, normed=True)
    count, layer = fields.size("num_experts", 16), f"{name}.feed_forward"
    offset = fields.size("expert_layer_offset", 1, least=0)
    if index % fields.size("expert_layer_period", 2) != offset or count == 1:
        add_gated(part, layer, width, hidden, bias=False)
    else:
        part.linear(f"{layer}.router", width, count, bias=False)
        for expert in range(count):
            add_gated(part, f"{layer}.experts.{expert}", width, hidden, bias=False)
    part.norms(name, _FEED_NORMS, width, bias=False)


def _bamba(part: Builder, name: str, fields: Fields, index: int) -> None:
    width, hidden = fields.size("hidden_size", 4096), fields.size("intermediate_size", 14336)
    bias, dense_bias = _biases(fields)
    add_gated(part, f"{name}.feed_forward", width, hidden, bias=dense_bias)
    part.norms(name, _FEED_NORMS, width, bias=False)
    if index in fields.whole_numbers("attn_layer_indices"):
        grouped(part, f"{name}.self_attn", fields, width, out="o_proj", bias=(bias, bias),
                heads=(32, 8))  # fmt: skip
    else:
        mamba2_mixer(part, f"{name}.mamba", _mixer(fields, state_size=256, n_groups=1), width)


def _granite(part: Builder, name: str, fields: Fields, index: int) -> None:
    width = fields.size("hidden_size", 4096)
    if fields.size("num_local_experts", 8, least=0):
        _granite_experts(part, f"{name}.block_sparse_moe", fields, width)
    part.norms(name, _NORMS, width, bias=False)
    _granite_shared(part, name, fields, width, usual=1024)
    if fields.names_layer(index, "attention", usual=False):
        bias = fields.flag("attention_bias", default=False)
        grouped(part, f"{name}.self_attn", fields, width, out="o_proj", bias=(bias, bias),
                reads_head_size=False)  # fmt: skip
    else:
        mamba2_mixer(part, f"{name}.mamba", _mixer(fields, state_size=256, n_groups=1), width)


def _granite_experts(part: Builder, name: str, fields: Fields, width: int) -> None:
    count, hidden = fields.size("num_local_experts", 8), fields.size("intermediate_size", 11008)
    for layer, n_in, n_out in (("input", width, 2 * hidden), ("output", hidden, width)):
        label = f"{name}.{layer}_linear.weight"
        part.add(label, count, n_out, n_in, fans=(n_in, n_out), variance=None)
    part.linear(f"{name}.router.layer", width, count, bias=False)


def _granite_shared(part: Builder, name: str, fields: Fields, width: int, *, usual: int) -> None:
    shared = fields.size("shared_intermediate_size", usual, least=0)
    if shared:
        part.linear(f"{name}.shared_mlp.input_linear", width, 2 * shared, bias=False)
        part.linear(f"{name}.shared_mlp.output_linear", shared, width, bias=False)


def _granite_moe(part: Builder, name: str, fields: Fields, _index: int) -> None:
    """Add a layer of Granite 3's mixtures, which all attend."""
    width, bias = fields.size("hidden_size", 4096), fields.flag("attention_bias", default=False)
    grouped(part, f"{name}.self_attn", fields, width, out="o_proj", bias=(bias, bias),
            reads_head_size=False)  # fmt: skip
    _granite_experts(part, f"{name}.block_sparse_moe", fields, width)
    part.norms(name, _NORMS, width, bias=False)
    if fields.text("model_type", "") == "granitemoeshared":
        _granite_shared(part, name, fields, width, usual=0)


def _falcon(part: Builder, name: str, fields: Fields, _index: int) -> None:
    """Add a layer of Falcon-H1, which attends and runs Mamba 2 side by side."""
    width, hidden = fields.size("hidden_size", 4096), fields.size("intermediate_size", 14336)
    bias, dense_bias = _biases(fields)
    usual = {} if "mamba_d_ssm" in fields.values else {"inner_size": 1024}
    mixer = _mixer(fields, state_size=256, n_groups=1, **usual)
    add_gated(part, f"{name}.feed_forward", width, hidden, bias=dense_bias)
    first = len(part.tensors)
    mamba2_mixer(part, f"{name}.mamba", mixer, width,
                 normed=fields.flag("mamba_rms_norm", default=False),
                 out_bias=fields.flag("projectors_bias", default=False))  # fmt: skip
    # It starts the rates as it does weights.
    untold = [replace(each, init_variance=None, init_mean=0.0) for each in part.tensors[first:]]
    part.tensors[first:] = untold
    grouped(part, f"{name}.self_attn", fields, width, out="o_proj", bias=(bias, bias),
            heads=(32, 8))  # fmt: skip
    part.norms(name, _FEED_NORMS, width, bias=False)


def _lfm2(part: Builder, name: str, fields: Fields, index: int) -> None:
    width = fields.size("hidden_size", 2560)
    listed = fields.values.get("full_attn_idxs")
    usual = listed is None or index in fields.whole_numbers("full_attn_idxs")
    if fields.names_layer(index, "full_attention", usual=usual):
        attention = f"{name}.self_attn"
        grouped(part, attention, fields, width, out="out_proj", bias=(False, False), heads=(32, 8))
        size = fields.size("head_dim", max(1, width // fields.size("num_attention_heads", 32)))
        part.norms(attention, ("q_layernorm", "k_layernorm"), size, bias=False)
    else:
        bias, kernel = fields.flag("conv_bias", default=False), fields.size("conv_L_cache", 3)
        part.conv(f"{name}.conv.conv", width, width, kernel, groups=width, line=True, bias=bias)
        part.linear(f"{name}.conv.in_proj", width, 3 * width, bias=bias)
        part.linear(f"{name}.conv.out_proj", width, width, bias=bias)
    _lfm2_feed_forward(part, f"{name}.feed_forward", fields, width, index)
    part.norms(name, ("operator_norm", "ffn_norm"), width, bias=False)


def _lfm2_feed_forward(part: Builder, name: str, fields: Fields, width: int, index: int) -> None:
    """Add its feed-forward layers; above the dense ones those of LFM2-MoE are mixtures."""
    mixed = fields.text("model_type", "lfm2") == "lfm2_moe"
    if mixed and index >= fields.size("num_dense_layers", 2, least=0):
        count, inner = fields.size("num_experts", 32), fields.size("moe_intermediate_size", 1792)
        whole_experts(part, f"{name}.experts", (count, width, inner))
        part.linear(f"{name}.gate", width, count, bias=False)
        return
    hidden = fields.size("intermediate_size", 7168) if mixed else _lfm2_hidden(fields)
    part.linears(name, ("w1", "w3"), width, hidden, bias=False)
    part.linear(f"{name}.w2", hidden, width, bias=False)


def _lfm2_hidden(fields: Fields) -> int:
    """Return LFM2's hidden width: two thirds of the number told, up to a multiple."""
    hidden = fields.size("intermediate_size", 12288)
    if not fields.flag("block_auto_adjust_ff_dim", default=True):
        return hidden
    step, factor = fields.size("block_multiple_of", 256), 1.0
    if fields.values.get("block_ffn_dim_multiplier", 1.0) is not None:
        factor = fields.number("block_ffn_dim_multiplier", 1.0)
    return step * -(-int(factor * int(2 * hidden / 3)) // step)


def _minimax(part: Builder, name: str, fields: Fields, index: int) -> None:
    width, heads = fields.size("hidden_size", 4096), fields.size("num_attention_heads", 32)
    inner = heads * fields.size("head_dim", max(1, width // heads))
    attention = f"{name}.self_attn"
    if fields.names_layer(index, "full_attention", usual=index % 2 == 0):
        grouped(part, attention, fields, width, out="o_proj", bias=(False, False), heads=(32, 8))
    else:
        part.norm(f"{attention}.norm", inner, bias=False)
        part.linear(f"{attention}.qkv_proj", width, 3 * inner, bias=False)
        part.linear(f"{attention}.out_proj", inner, width, bias=False)
        part.linear(f"{attention}.output_gate", width, inner, bias=False)
    hidden = fields.size("intermediate_size", 14336)
    add_experts(part, f"{name}.block_sparse_moe", fields, _MIXTRAL, (width, hidden))
    part.norms(name, _NORMS, width, bias=False)


FAMILIES = {
    "jamba": Hybrid(add_layer=_jamba, vocabulary=65536),
    "bamba": Hybrid(add_layer=_bamba, vocabulary=128000),
    "granitemoehybrid": Hybrid(add_layer=_granite, vocabulary=32000, final_norm="norm"),
    "falcon_h1": Hybrid(add_layer=_falcon, vocabulary=128000),
    "lfm2": Hybrid(add_layer=_lfm2, vocabulary=65536, width=2560, final_norm="embedding_norm",
                   tied=True),
    "granitemoe": Hybrid(add_layer=_granite_moe, vocabulary=32000, final_norm="norm"),
    "granitemoeshared": Hybrid(add_layer=_granite_moe, vocabulary=32000, final_norm="norm"),
    "lfm2_moe": Hybrid(add_layer=_lfm2, vocabulary=65536, width=2048, final_norm="embedding_norm",
                       tied=True),
    "qwen3_next": Hybrid(add_layer=qwen3_next, vocabulary=151936, width=2048, final_norm="norm",
                         layers=48, gain=0.0),
    "qwen3_5_text": Hybrid(add_layer=qwen3_5, vocabulary=248320, final_norm="norm", gain=0.0),
    "qwen3_5_moe_text": Hybrid(add_layer=qwen3_5_moe, vocabulary=248320, width=2048, layers=40,
                               final_norm="norm", gain=0.0),
    "minimax": Hybrid(add_layer=_minimax, vocabulary=32000, final_norm="norm"),
}  # fmt: skip
