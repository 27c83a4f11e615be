"""GPT 1, GPT-BigCode and CodeGen: causal models that name their tensors as GPT-2 does.

Source: transformers/models/{openai,gpt_bigcode,codegen}/configuration_*.py and modeling_*.py
(v4.57.1) for defaults, rules, names and `_init_weights`; Li et al. 2023 (2305.06161), Nijkamp et
al. 2022 (2203.13474).
"""

from math import sqrt

from decaycalc.architecture.build import normal
from decaycalc.architecture.hub.decoders import CAUSAL_HEADS, finish
from decaycalc.architecture.hub.encoders import begin, tied_output
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Architecture

GPT1_HEADS = ("LMHeadModel", "Model", "ForSequenceClassification")
CODEGEN_HEADS = CAUSAL_HEADS[:2]


def gpt1(fields: Fields, head: str) -> Architecture:
    """Return GPT 1, whose norms follow the layers; its dense layers hold `(n_in, n_out)`."""
    part, prefix = begin(fields, head, "transformer.")
    width, vocabulary = fields.size("n_embd", 768), fields.size("vocab_size", 40478)
    part.embedding(f"{prefix}tokens_embed", vocabulary, width)
    part.positions(f"{prefix}positions_embed", fields.size("n_positions", 512), width)
    for index in range(fields.size("n_layer", 12)):
        name = f"{prefix}h.{index}"
        part.linear(f"{name}.attn.c_attn", width, 3 * width, transposed=True)
        part.linear(f"{name}.attn.c_proj", width, width, transposed=True)
        part.norm(f"{name}.ln_1", width)
        part.linear(f"{name}.mlp.c_fc", width, 4 * width, transposed=True)
        part.linear(f"{name}.mlp.c_proj", 4 * width, width, transposed=True)
        part.norm(f"{name}.ln_2", width)
    return finish(part, fields, head, (width, vocabulary))


def gpt_bigcode(fields: Fields, head: str) -> Architecture:
    """Return GPT-BigCode (StarCoder), whose heads may share one key and one value."""
    std = fields.number("initializer_range", 0.02)
    part, prefix = begin(fields, head, "transformer.")
    width, vocabulary = fields.size("n_embd", 768), fields.size("vocab_size", 50257)
    inner, layers = fields.size("n_inner", 4 * width), fields.size("n_layer", 12)
    shared = fields.flag("multi_query", default=True)
    kept = max(1, width // fields.size("n_head", 12)) if shared else width
    residual = normal(std / sqrt(2 * layers))
    part.embedding(f"{prefix}wte", vocabulary, width)
    part.positions(f"{prefix}wpe", fields.size("n_positions", 1024), width)
    for index in range(layers):
        name = f"{prefix}h.{index}"
        part.norm(f"{name}.ln_1", width)
        part.linear(f"{name}.attn.c_attn", width, width + 2 * kept)
        part.linear(f"{name}.attn.c_proj", width, width, rule=residual)
        part.norm(f"{name}.ln_2", width)
        part.linear(f"{name}.mlp.c_fc", width, inner)
        part.linear(f"{name}.mlp.c_proj", inner, width, rule=residual)
    part.norm(f"{prefix}ln_f", width)
    return finish(part, fields, head, (width, vocabulary), dense="classifier")


def codegen(fields: Fields, head: str) -> Architecture:
    """Return CodeGen, whose attention and feed-forward layers stand side by side."""
    part, prefix = begin(fields, head, "transformer.")
    width, vocabulary = fields.size("n_embd", 4096), fields.size("vocab_size", 50400)
    inner = fields.size("n_inner", 4 * width)
    part.embedding(f"{prefix}wte", vocabulary, width)
    for index in range(fields.size("n_layer", 28)):
        name = f"{prefix}h.{index}"
        part.norm(f"{name}.ln_1", width)
        part.linear(f"{name}.attn.qkv_proj", width, 3 * width, bias=False)
        part.linear(f"{name}.attn.out_proj", width, width, bias=False)
        part.feed_forward(f"{name}.mlp", ("fc_in", "fc_out"), width, inner)
    part.norm(f"{prefix}ln_f", width)
    if head != "Model":
        tied_output(part, fields, "lm_head", (width, vocabulary), tied=False)
    return part.done(fields.path, classes=vocabulary)
