"""BioGPT and XGLM: causal models of fairseq's plan, and Persimmon.

Source: transformers/models/{biogpt,xglm,persimmon}/configuration_*.py and modeling_*.py (v4.57.1)
for defaults, rules, names and `_init_weights`; Luo et al. 2022 (2210.10341), Lin et al. 2021
(2112.10668).
"""

from decaycalc.architecture.hub.decoders import CAUSAL_HEADS, finish
from decaycalc.architecture.hub.encoder_decoders import bart_layer
from decaycalc.architecture.hub.encoders import begin
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Architecture

BIOGPT_HEADS = CAUSAL_HEADS
XGLM_HEADS = CAUSAL_HEADS[:2]


def biogpt(fields: Fields, head: str) -> Architecture:
    """Return BioGPT; its table of positions has two rows more than positions."""
    part, prefix = begin(fields, head, "biogpt.")
    width, hidden = fields.size("hidden_size", 1024), fields.size("intermediate_size", 4096)
    vocabulary = fields.size("vocab_size", 42384)
    part.embedding(f"{prefix}embed_tokens", vocabulary, width, padding=True)
    positions = fields.size("max_position_embeddings", 1024) + 2
    part.positions(f"{prefix}embed_positions", positions, width)
    for index in range(fields.size("num_hidden_layers", 24)):
        bart_layer(part, f"{prefix}layers.{index}", width, hidden, reads=False)
    part.norm(f"{prefix}layer_norm", width)
    sizes = (width, vocabulary)
    return finish(part, fields, head, sizes, output="output_projection", dense="classifier")


def xglm(fields: Fields, head: str) -> Architecture:
    """Return XGLM, whose positions are sines and cosines that are not trained."""
    part, prefix = begin(fields, head, "model.", field="init_std")
    width, hidden = fields.size("d_model", 1024), fields.size("ffn_dim", 4096)
    vocabulary = fields.size("vocab_size", 256008)
    part.embedding(f"{prefix}embed_tokens", vocabulary, width, padding=True)
    for index in range(fields.size("num_layers", 24)):
        bart_layer(part, f"{prefix}layers.{index}", width, hidden, reads=False)
    part.norm(f"{prefix}layer_norm", width)
    return finish(part, fields, head, (width, vocabulary))


def persimmon(fields: Fields, head: str) -> Architecture:
    """Return Persimmon, whose queries and keys have norms."""
    part, prefix = begin(fields, head, "model.")
    width, hidden = fields.size("hidden_size", 4096), fields.size("intermediate_size", 16384)
    vocabulary, heads = fields.size("vocab_size", 262144), fields.size("num_attention_heads", 64)
    part.embedding(f"{prefix}embed_tokens", vocabulary, width, padding="pad_token_id" in fields)
    normed = fields.flag("qk_layernorm", default=True)
    for index in range(fields.size("num_hidden_layers", 36)):
        name = f"{prefix}layers.{index}"
        part.linear(f"{name}.self_attn.query_key_value", width, 3 * width)
        part.linear(f"{name}.self_attn.dense", width, width)
        for norm in ("q_layernorm", "k_layernorm") if normed else ():
            part.norm(f"{name}.self_attn.{norm}", max(1, width // heads))
        part.feed_forward(f"{name}.mlp", ("dense_h_to_4h", "dense_4h_to_h"), width, hidden)
        part.norms(name, ("input_layernorm", "post_attention_layernorm"), width)
    part.norm(f"{prefix}final_layernorm", width)
    return finish(part, fields, head, (width, vocabulary), tied=False)
