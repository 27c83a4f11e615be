"""How the relatives of Llama differ: a record each.

Source: transformers/models/*/configuration_*.py and modeling_*.py (v4.57.1) of these model types,
for defaults, rules and names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from decaycalc.architecture.hub.experts import Experts


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
    `dense_bias` whether the feed-forward layers read `mlp_bias`, `inner_norms` whether both
    normalise before their last projection. `ranks` are DeepSeek's sizes of a
    compressed attention that are not its own. `head_bias` names the field that
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
    ranks: Mapping[str, int] = field(default_factory=dict)
    sinks: bool = False
    inner_norms: bool = False
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
_GLM_EXPERTS = Experts(count=128, count_field="n_routed_experts", hidden=1408, shared=1,
                       shared_name="shared_experts", router_last=True, dense_first=1)  # fmt: skip
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
    # Those of their talkers, and of the codes that Qwen3-Omni's foretells.
    "qwen2_5_omni_talker": Family(
        vocabulary=8448, width=3584, hidden=18944, layers=28, heads=28, kv_heads=4, head_size=128,
        bias=True, out_bias=False,
    ),
    "qwen3_omni_moe_talker": Family(
        vocabulary=3072, width=1024, hidden=2048, layers=20, heads=16, kv_heads=2, biases=READS,
        head_norms=HeadNorms.HEAD,
        experts=Experts(count=128, hidden=384, shared_name="shared_expert"),
    ),
    "qwen3_omni_moe_codes": Family(
        vocabulary=2048, width=1024, hidden=3072, layers=5, heads=16, kv_heads=8, head_size=128,
        biases=READS, head_norms=HeadNorms.HEAD,
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
    "glm4_moe_lite": Family(
        vocabulary=154880, width=2048, hidden=10240, layers=47, heads=20, compressed=True,
        ranks={"q_lora_rank": 768, "qk_nope_head_dim": 192, "v_head_dim": 256}, padded=True,
        experts=Experts(count=64, count_field="n_routed_experts", hidden=1536, shared=1,
                        shared_name="shared_experts", router_last=True, new=True, listed=True),
    ),
    "solar_open": Family(
        vocabulary=196608, width=4096, hidden=1280, layers=48, heads=64, kv_heads=8, head_size=128,
        biases=READS, out_bias=False, padded=True,
        experts=Experts(count=128, count_field="n_routed_experts", hidden=1280, shared=1,
                        shared_name="shared_experts", router_last=True, new=True),
    ),
    "deepseek_v2": Family(
        vocabulary=32000, width=4096, hidden=11008, layers=32, compressed=True, biases=READS,
        dense_bias=True,
        experts=Experts(count=64, count_field="n_routed_experts", hidden=1407, shared=2,
                        shared_name="shared_experts", router_last=True),
    ),
    "glm4_moe": Family(
        vocabulary=151552, width=4096, hidden=10944, layers=46, heads=96, kv_heads=8,
        biases=READS, out_bias=False, normed="use_qk_norm", experts=_GLM_EXPERTS,
    ),
    "glm4v_moe_text": Family(
        vocabulary=151424, width=4096, hidden=10944, layers=46, heads=96, kv_heads=8,
        biases=READS, bias=True, out_bias=False, experts=_GLM_EXPERTS,
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
    "bitnet": Family(
        vocabulary=128256, width=2560, hidden=6912, layers=30, heads=20, kv_heads=5, biases=READS,
        inner_norms=True,
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
    "glm4v_text": Family(
        vocabulary=151552, width=4096, hidden=13696, layers=40, kv_heads=2, bias=True,
        out_bias=False, fused_gate=True, padded=True,
        norms=(INPUT, AFTER, "post_self_attn_layernorm", "post_mlp_layernorm"),
    ),
    "glm": Family(
        vocabulary=151552, width=4096, hidden=13696, layers=40, kv_heads=2, head_size=128,
        biases=READS, bias=True, out_bias=False, fused_gate=True, padded=True,
    ),
}  # fmt: skip
