"""Llama and its relatives: causal language models of one plan, told apart by a record each.

Source: transformers/models/*/configuration_*.py and modeling_*.py (v4.57.1) of the model types
below, for defaults, rules, names and `_init_weights`.
"""

from dataclasses import dataclass
from enum import StrEnum

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.decoders import finish
from decaycalc.architecture.hub.encoders import start
from decaycalc.architecture.hub.experts import (
    Experts,
    add_experts,
    add_gated,
    compressed_attention,
    sparse_layers,
)
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Architecture, Role


class HeadNorms(StrEnum):
    """What the norms of queries and keys are taken over: nothing, each head, or all heads."""

    NONE = "none"
    HEAD = "head"
    WHOLE = "whole"


INPUT, AFTER = "input_layernorm", "post_attention_layernorm"
SANDWICH = (INPUT, AFTER, "pre_feedforward_layernorm", "post_feedforward_layernorm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """How a relative of Llama differs: its defaults, biases, norms and feed-forward layers.

    `kv_heads` and `head_size` of 0 follow from the number of heads, as null in a file does; without
    `reads_head_size`, so does the latter whatever `head_dim` says. `gain` is what norms start at:
    Gemma adds 1 to it in use; `std` what matrices do. `biases` names the field that gives the
    projections biases, and `bias` its default; `out_bias` says whether the output projection
    follows it, `square_output` whether that reads the model's width whatever the heads hold,
    `dense_bias` whether the feed-forward layers read `mlp_bias`. `head_bias` names the field that
    gives the output layer one, `normed` the one that gives heads their norms.
    """

    vocabulary: int
    width: int
    hidden: int
    layers: int
    heads: int = 32
    kv_heads: int = 0
    head_size: int = 0
    reads_head_size: bool = True
    biases: str = ""
    bias: bool = False
    out_bias: bool = True
    square_output: bool = False
    dense_bias: bool = False
    head_norms: HeadNorms = HeadNorms.NONE
    head_norm_names: tuple[str, str] = ("q_norm", "k_norm")
    normed: str = ""
    gated: bool = True
    learned_activation: bool = False
    fused: bool = False
    fused_gate: bool = False
    experts: Experts | None = None
    compressed: bool = False
    sinks: bool = False
    norms: tuple[str, ...] = (INPUT, AFTER)
    norm: str = "rms"
    final_norm: bool = True
    gain: float = 1.0
    std: float = 0.02
    norm_bias: bool = False
    head_bias: str = ""
    tied: bool = False
    padded: bool = False
    refused: tuple[str, ...] = ()


READS = "attention_bias"
FAMILIES = {
    "llama": Family(vocabulary=32000, width=4096, hidden=11008, layers=32, biases=READS,
                    dense_bias=True),
    "mistral": Family(vocabulary=32000, width=4096, hidden=14336, layers=32, kv_heads=8),
    "ministral": Family(vocabulary=32000, width=4096, hidden=14336, layers=32, kv_heads=8),
    "mixtral": Family(
        vocabulary=32000, width=4096, hidden=14336, layers=32, kv_heads=8,
        experts=Experts(count=8, count_field="num_local_experts", name="block_sparse_moe"),
    ),
    "qwen2": Family(
        vocabulary=151936, width=4096, hidden=22016, layers=32, kv_heads=32, bias=True,
        out_bias=False,
    ),
    # The language models of Qwen2-VL and Qwen2.5-VL, and of Qwen3-VL.
    "qwen2_vl_text": Family(
        vocabulary=152064, width=8192, hidden=29568, layers=80, heads=64, kv_heads=8,
        bias=True, out_bias=False, reads_head_size=False,
    ),
    "qwen3_vl_text": Family(
        vocabulary=151936, width=4096, hidden=22016, layers=32, kv_heads=32, head_size=128,
        biases=READS, head_norms=HeadNorms.HEAD,
    ),
    # Those of Qwen2.5-Omni and Qwen3-Omni.
    "qwen2_5_omni_text": Family(
        vocabulary=152064, width=3584, hidden=18944, layers=28, heads=28, kv_heads=4,
        bias=True, out_bias=False,
    ),
    "qwen3_omni_moe_text": Family(
        vocabulary=3584, width=2048, hidden=18944, layers=28, heads=28, kv_heads=4,
        biases=READS, head_norms=HeadNorms.HEAD,
        experts=Experts(count=128, hidden=768),
    ),
    "phimoe": Family(
        vocabulary=32064, width=4096, hidden=6400, layers=32, kv_heads=8, biases=READS,
        norm="layer", norm_bias=True, head_bias="lm_head_bias", reads_head_size=False,
        experts=Experts(count=16, count_field="num_local_experts", name="block_sparse_moe"),
    ),
    "qwen2_moe": Family(
        vocabulary=151936, width=2048, hidden=5632, layers=24, heads=16, kv_heads=16,
        biases="qkv_bias", bias=True, out_bias=False,
        experts=Experts(count=60, hidden=1408, shared=5632, shared_name="shared_expert"),
    ),
    "qwen3": Family(
        vocabulary=151936, width=4096, hidden=22016, layers=32, kv_heads=32, head_size=128,
        biases=READS, head_norms=HeadNorms.HEAD,
    ),
    "qwen3_moe": Family(
        vocabulary=151936, width=2048, hidden=6144, layers=24, kv_heads=4, biases=READS,
        head_norms=HeadNorms.HEAD, experts=Experts(count=128, hidden=768),
    ),
    "qwen3_vl_moe_text": Family(
        vocabulary=151936, width=2048, hidden=5632, layers=24, heads=16, kv_heads=16, biases=READS,
        head_norms=HeadNorms.HEAD,
        experts=Experts(count=60, hidden=1408, whole=True, plain_router=True),
    ),
    "gemma": Family(
        vocabulary=256000, width=3072, hidden=24576, layers=28, heads=16, kv_heads=16,
        head_size=256, biases=READS, gain=0.0, tied=True, padded=True,
    ),
    "gemma2": Family(
        vocabulary=256000, width=2304, hidden=9216, layers=26, heads=8, kv_heads=4,
        head_size=256, biases=READS, norms=SANDWICH, gain=0.0, tied=True, padded=True,
    ),
    "vaultgemma": Family(
        vocabulary=256000, width=2304, hidden=9216, layers=26, heads=8, kv_heads=4, head_size=256,
        biases=READS, norms=(INPUT, "pre_feedforward_layernorm"), gain=0.0, tied=True, padded=True,
    ),
    "gemma3_text": Family(
        vocabulary=262208, width=2304, hidden=9216, layers=26, heads=8, kv_heads=4, head_size=256,
        biases=READS, head_norms=HeadNorms.HEAD, norms=SANDWICH, gain=0.0, tied=True, padded=True,
    ),
    # Ministral 3, CWM, MiniMax-M2 and Apertus after transformers 5.24.0.
    "ministral3": Family(vocabulary=131072, width=4096, hidden=14336, layers=34, kv_heads=8,
                         head_size=128, padded=True),
    "cwm": Family(vocabulary=128256, width=6144, hidden=21504, layers=64, heads=48, kv_heads=8,
                  head_size=128, dense_bias=True),
    "minimax_m2": Family(
        vocabulary=200064, width=3072, hidden=1536, layers=62, heads=48, kv_heads=8, head_size=128,
        head_norms=HeadNorms.WHOLE, experts=Experts(count=256, count_field="num_local_experts",
                                                    new=True),
    ),
    "apertus": Family(
        vocabulary=131072, width=4096, hidden=14336, layers=32, biases=READS, padded=True,
        gated=False, learned_activation=True, head_norms=HeadNorms.HEAD,
        norms=("attention_layernorm", "feedforward_layernorm"),
    ),
    "phi3": Family(vocabulary=32064, width=3072, hidden=8192, layers=32, fused=True,
                   fused_gate=True, padded=True),
    "deepseek_v3": Family(
        vocabulary=129280, width=7168, hidden=18432, layers=61, heads=128, compressed=True,
        biases=READS, experts=Experts(count=256, count_field="n_routed_experts", hidden=2048,
                                      shared=1, shared_name="shared_experts", router_last=True,
                                      dense_first=3),
    ),
    "deepseek_v2": Family(
        vocabulary=32000, width=4096, hidden=11008, layers=32, compressed=True, biases=READS,
        dense_bias=True,
        experts=Experts(count=64, count_field="n_routed_experts", hidden=1407, shared=2,
                        shared_name="shared_experts", router_last=True),
    ),
    "glm4_moe": Family(
        vocabulary=151552, width=4096, hidden=10944, layers=46, heads=96, kv_heads=8,
        biases=READS, out_bias=False, normed="use_qk_norm",
        experts=Experts(count=128, count_field="n_routed_experts", hidden=1408, shared=1,
                        shared_name="shared_experts", router_last=True, dense_first=1),
    ),
    "gpt_oss": Family(
        vocabulary=201088, width=2880, hidden=2880, layers=36, heads=64, kv_heads=8, head_size=64,
        biases=READS, bias=True, sinks=True,
        experts=Experts(count=128, count_field="num_local_experts", whole=True, bias=True),
    ),
    "llama4_text": Family(
        vocabulary=202048, width=5120, hidden=8192, layers=48, heads=40, kv_heads=8, head_size=128,
        experts=Experts(count=16, count_field="num_local_experts", whole=True,
                        name="feed_forward", shared=8192, shared_name="shared_expert"),
    ),
    "olmo": Family(vocabulary=50304, width=4096, hidden=11008, layers=32, biases=READS, norms=(),
                   final_norm=False, padded=True),
    "olmo2": Family(
        vocabulary=50304, width=4096, hidden=11008, layers=32, biases=READS,
        head_norms=HeadNorms.WHOLE, norms=(AFTER, "post_feedforward_layernorm"), padded=True,
    ),
    "olmo3": Family(
        vocabulary=50304, width=4096, hidden=11008, layers=32, biases=READS,
        head_norms=HeadNorms.WHOLE, norms=(AFTER, "post_feedforward_layernorm"), padded=True,
    ),
    "olmoe": Family(
        vocabulary=50304, width=2048, hidden=2048, layers=16, heads=16, biases=READS,
        reads_head_size=False,
        head_norms=HeadNorms.WHOLE, padded=True, experts=Experts(count=64),
    ),
    "flex_olmo": Family(
        vocabulary=100352, width=4096, hidden=11008, layers=32, biases=READS, padded=True,
        head_norms=HeadNorms.WHOLE, norms=(AFTER, "post_feedforward_layernorm"),
        experts=Experts(count=7),
    ),
    "nemotron": Family(
        vocabulary=256000, width=6144, hidden=24576, layers=32, heads=48, biases=READS,
        dense_bias=True, gated=False, norm="layer", norm_bias=True, std=0.0134,
    ),
    # The class counts no experts of its own: dots.llm1's numbers.
    "dots1": Family(
        vocabulary=152064, width=4608, hidden=10944, layers=62, kv_heads=32, biases=READS,
        head_norms=HeadNorms.HEAD,
        experts=Experts(count=128, count_field="n_routed_experts", hidden=1408, shared=2,
                        shared_name="shared_experts", router_last=True),
    ),
    "hunyuan_v1_dense": Family(
        vocabulary=290943, width=4096, hidden=11008, layers=32, biases=READS, padded=True,
        head_norms=HeadNorms.HEAD, head_norm_names=("query_layernorm", "key_layernorm"),
    ),
    "exaone4": Family(
        vocabulary=102400, width=4096, hidden=16384, layers=32, kv_heads=32,
        head_norms=HeadNorms.HEAD, norms=(AFTER, "post_feedforward_layernorm"),
    ),
    "ernie4_5": Family(
        vocabulary=103424, width=1024, hidden=3072, layers=18, heads=16, kv_heads=2, head_size=128,
        tied=True, padded=True, refused=("use_bias",),
    ),
    "ernie4_5_moe": Family(
        vocabulary=103424, width=2560, hidden=12288, layers=28, heads=20, kv_heads=4, tied=True,
        padded=True, refused=("use_bias",),
        experts=Experts(count=64, count_field="moe_num_experts", hidden=1536, shared=2,
                        shared_name="shared_experts", statistics=True),
    ),
    "seed_oss": Family(
        vocabulary=155136, width=4096, hidden=27648, layers=64, heads=80, kv_heads=8,
        head_size=128, biases=READS, bias=True, out_bias=False, dense_bias=True, padded=True,
        refused=("attention_out_bias",),
    ),
    "helium": Family(
        vocabulary=48000, width=2560, hidden=7040, layers=24, heads=20, kv_heads=20,
        head_size=128, biases=READS, out_bias=False, dense_bias=True, padded=True,
        square_output=True,
    ),
    "arcee": Family(vocabulary=32000, width=2560, hidden=18432, layers=32, biases=READS,
                    dense_bias=True, gated=False),
    "smollm3": Family(vocabulary=128256, width=2048, hidden=11008, layers=36, heads=16,
                      kv_heads=4, biases=READS, dense_bias=True, tied=True, padded=True),
    "granite": Family(vocabulary=32000, width=4096, hidden=11008, layers=32, biases=READS,
                      dense_bias=True),
    "cohere": Family(
        vocabulary=256000, width=8192, hidden=22528, layers=40, heads=64, biases=READS,
        norms=(INPUT,), norm="layer", tied=True, padded=True, refused=("use_qk_norm",),
    ),
    "cohere2": Family(
        vocabulary=256000, width=8192, hidden=22528, layers=40, heads=64, biases=READS,
        norms=(INPUT,), norm="layer", tied=True, padded=True,
    ),
    "glm4": Family(
        vocabulary=151552, width=4096, hidden=13696, layers=40, kv_heads=2, head_size=128,
        biases=READS, bias=True, out_bias=False, fused_gate=True, padded=True,
        norms=(INPUT, AFTER, "post_self_attn_layernorm", "post_mlp_layernorm"),
    ),
    "glm": Family(
        vocabulary=151552, width=4096, hidden=13696, layers=40, kv_heads=2, head_size=128,
        biases=READS, bias=True, out_bias=False, fused_gate=True, padded=True,
    ),
}  # fmt: skip


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
        return
    part.feed_forward(f"{name}.{layer}", ("up_proj", "down_proj"), width, hidden, bias=bias)
    for shape in ("alpha_p", "alpha_n") if family.learned_activation else ():
        part.add(f"{name}.{layer}.act_fn.{shape}", 1, role=Role.OTHER, variance=None)
