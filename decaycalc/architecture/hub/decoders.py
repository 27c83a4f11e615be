"""Causal language models, with the tensor names of transformers.

Source: transformers/models/{gpt2,gpt_neox,opt}/modeling_*.py (v4.57.1) for rules, names and
`_init_weights`.
"""

from math import sqrt

from decaycalc.architecture.build import Builder, normal
from decaycalc.architecture.hub.encoders import KEY_VALUE_QUERY_OUT, begin, start
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Architecture, Role

GPT2_HEADS = ("LMHeadModel", "Model", "ForSequenceClassification", "ForTokenClassification")
CAUSAL_HEADS = ("ForCausalLM", "Model", "ForSequenceClassification", "ForTokenClassification")
_WRITERS = frozenset({"ForCausalLM", "LMHeadModel"})


def finish(
    part: Builder, fields: Fields, head: str, sizes: tuple[int, int], *, tied: bool = True,
    output: str = "lm_head", bias: bool = False, dense: str = "score",
) -> Architecture:  # fmt: skip
    """Add the output layer, unless it is tied, or a classifier; return the model.

    `sizes` are the width and the vocabulary, `dense` is the name of a classifier of tokens.
    """
    width, vocabulary = sizes
    classes = vocabulary
    if head in _WRITERS and not fields.flag("tie_word_embeddings", default=tied):
        part.linear(output, width, vocabulary, bias=bias)
    elif head in _WRITERS and bias:
        start = part.start.linear_bias(width, vocabulary)
        part.add(f"{output}.bias", vocabulary, role=Role.BIAS, variance=start)
    elif head == "ForSequenceClassification":
        classes = fields.labels()
        part.linear("score", width, classes, bias=False)
    elif head == "ForTokenClassification":
        classes = fields.labels()
        part.linear(dense, width, classes)
    return part.done(fields.path, classes=classes)


def gpt2(fields: Fields, head: str) -> Architecture:
    """Return GPT-2; its dense layers hold `(n_in, n_out)`, residual ones start smaller.

    Residual projections start with a standard deviation of initializer_range/sqrt(2 n_layer).
    Source: Radford et al. 2019, section 2.3.
    """
    std = fields.number("initializer_range", 0.02)
    part, prefix = begin(fields, head, "transformer.")
    width, layers = fields.size("n_embd", 768), fields.size("n_layer", 12)
    vocabulary = fields.size("vocab_size", 50257)
    part.embedding(f"{prefix}wte", vocabulary, width)
    part.positions(f"{prefix}wpe", fields.size("n_positions", 1024), width)
    inner, residual = fields.size("n_inner", 4 * width), std / sqrt(2 * layers)
    reads = fields.flag("add_cross_attention", default=False)
    for index in range(layers):
        _gpt2_layer(part, f"{prefix}h.{index}", (width, inner), residual, reads=reads)
    part.norm(f"{prefix}ln_f", width)
    return finish(part, fields, head, (width, vocabulary), dense="classifier")


def _gpt2_layer(
    part: Builder, name: str, widths: tuple[int, int], residual_std: float, *, reads: bool
) -> None:
    """Add a layer, with attention to another model's output where it `reads` that."""
    width, inner = widths
    residual = normal(residual_std)
    part.norm(f"{name}.ln_1", width)
    part.linear(f"{name}.attn.c_attn", width, 3 * width, transposed=True)
    part.linear(f"{name}.attn.c_proj", width, width, transposed=True, rule=residual)
    part.norm(f"{name}.ln_2", width)
    if reads:
        other = f"{name}.crossattention"
        part.linear(f"{other}.c_attn", width, 2 * width, transposed=True)
        part.linear(f"{other}.q_attn", width, width, transposed=True)
        part.linear(f"{other}.c_proj", width, width, transposed=True, rule=residual)
        part.norm(f"{name}.ln_cross_attn", width)
    part.linear(f"{name}.mlp.c_fc", width, inner, transposed=True)
    part.linear(f"{name}.mlp.c_proj", inner, width, transposed=True, rule=residual)


def gpt_neox(fields: Fields, head: str) -> Architecture:
    """Return GPT-NeoX (Pythia's architecture); its output layer is not tied by default."""
    part, prefix = begin(fields, head, "gpt_neox.")
    width, hidden = fields.size("hidden_size", 6144), fields.size("intermediate_size", 24576)
    vocabulary = fields.size("vocab_size", 50432)
    bias = fields.flag("attention_bias", default=True)
    part.embedding(f"{prefix}embed_in", vocabulary, width)
    for index in range(fields.size("num_hidden_layers", 44)):
        name = f"{prefix}layers.{index}"
        part.norms(name, ("input_layernorm", "post_attention_layernorm"), width)
        part.linear(f"{name}.attention.query_key_value", width, 3 * width, bias=bias)
        part.linear(f"{name}.attention.dense", width, width, bias=bias)
        part.feed_forward(f"{name}.mlp", ("dense_h_to_4h", "dense_4h_to_h"), width, hidden)
    part.norm(f"{prefix}final_layer_norm", width)
    sizes = (width, vocabulary)
    return finish(part, fields, head, sizes, tied=False, output="embed_out", dense="classifier")


def opt(fields: Fields, head: str) -> Architecture:
    """Return OPT; its table of positions has two rows more than positions."""
    part = Builder(start(fields, field="init_std"))
    prefix = "decoder" if head == "Model" else "model.decoder"
    width = fields.size("hidden_size", 768)
    narrow = fields.size("word_embed_proj_dim", width)
    vocabulary = fields.size("vocab_size", 50272)
    affine = fields.flag("layer_norm_elementwise_affine", default=True)
    part.embedding(f"{prefix}.embed_tokens", vocabulary, narrow, padding=True)
    positions = fields.size("max_position_embeddings", 2048) + 2
    part.positions(f"{prefix}.embed_positions", positions, width)
    if narrow != width:
        part.feed_forward(prefix, ("project_out", "project_in"), width, narrow, bias=False)
    last = fields.flag("do_layer_norm_before", default=True)
    if affine and last and not fields.flag("_remove_final_layer_norm", default=False):
        part.norm(f"{prefix}.final_layer_norm", width)
    for index in range(fields.size("num_hidden_layers", 12)):
        _opt_layer(part, f"{prefix}.layers.{index}", fields, width, affine=affine)
    return finish(part, fields, head, (narrow, vocabulary), dense="classifier")


def _opt_layer(part: Builder, name: str, fields: Fields, width: int, *, affine: bool) -> None:
    bias = fields.flag("enable_bias", default=True)
    hidden = fields.size("ffn_dim", 3072)
    part.linears(f"{name}.self_attn", KEY_VALUE_QUERY_OUT, width, width, bias=bias)
    if affine:
        part.norm(f"{name}.self_attn_layer_norm", width)
    part.feed_forward(name, ("fc1", "fc2"), width, hidden, bias=bias)
    if affine:
        part.norm(f"{name}.final_layer_norm", width)
