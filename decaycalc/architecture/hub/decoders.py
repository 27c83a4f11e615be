"""Causal language models, with the tensor names of transformers.

Source: transformers/models/{gpt2,gpt_neox,opt,llama,mistral,mixtral,qwen2,qwen3,gemma,gemma2,phi3}/
modeling_*.py (v4.57.1) for rules, names and `_init_weights`.
"""

from math import sqrt

from decaycalc.architecture.build import Builder, Start, normal, zero
from decaycalc.architecture.hub.encoders import start
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Architecture, Role
from decaycalc.record import Record

GPT2_HEADS = ("LMHeadModel", "Model", "ForSequenceClassification", "ForTokenClassification")
CAUSAL_HEADS = ("ForCausalLM", "Model", "ForSequenceClassification", "ForTokenClassification")


def _classifier(part: Builder, fields: Fields, head: str, width: int, *, dense: str) -> int | None:
    """Add a classifier's head, if it is one; return its number of classes."""
    if head == "ForSequenceClassification":
        part.linear("score", width, fields.labels(), bias=False)
    elif head == "ForTokenClassification":
        part.linear(dense, width, fields.labels())
    else:
        return None
    return fields.labels()


def gpt2(fields: Fields, head: str) -> Architecture:
    """Return GPT-2; its dense layers hold `(n_in, n_out)`, residual ones start smaller.

    Residual projections start with a standard deviation of initializer_range/sqrt(2 n_layer).
    Source: Radford et al. 2019, section 2.3.
    """
    std = fields.number("initializer_range", 0.02)
    part = Builder(start(fields))
    prefix = "" if head == "Model" else "transformer."
    width, layers = fields.size("n_embd", 768), fields.size("n_layer", 12)
    vocabulary = fields.size("vocab_size", 50257)
    part.embedding(f"{prefix}wte", vocabulary, width)
    part.embedding(f"{prefix}wpe", fields.size("n_positions", 1024), width, role=Role.POSITION)
    inner = fields.size("n_inner", 4 * width)
    for index in range(layers):
        _gpt2_layer(part, f"{prefix}h.{index}", (width, inner), std / sqrt(2 * layers))
    part.norm(f"{prefix}ln_f", width)
    if head == "LMHeadModel" and not fields.flag("tie_word_embeddings", default=True):
        part.linear("lm_head", width, vocabulary, bias=False)
    classes = _classifier(part, fields, head, width, dense="classifier")
    return part.done(fields.path, classes=classes or vocabulary)


def _gpt2_layer(part: Builder, name: str, widths: tuple[int, int], residual_std: float) -> None:
    width, inner = widths
    residual = normal(residual_std)
    part.norm(f"{name}.ln_1", width)
    part.linear(f"{name}.attn.c_attn", width, 3 * width, transposed=True)
    part.linear(f"{name}.attn.c_proj", width, width, transposed=True, rule=residual)
    part.norm(f"{name}.ln_2", width)
    part.linear(f"{name}.mlp.c_fc", width, inner, transposed=True)
    part.linear(f"{name}.mlp.c_proj", inner, width, transposed=True, rule=residual)


def gpt_neox(fields: Fields, head: str) -> Architecture:
    """Return GPT-NeoX (Pythia's architecture); its output layer is not tied by default."""
    part = Builder(start(fields))
    prefix = "" if head == "Model" else "gpt_neox."
    width, hidden = fields.size("hidden_size", 6144), fields.size("intermediate_size", 24576)
    vocabulary = fields.size("vocab_size", 50432)
    bias = fields.flag("attention_bias", default=True)
    part.embedding(f"{prefix}embed_in", vocabulary, width)
    for index in range(fields.size("num_hidden_layers", 44)):
        name = f"{prefix}layers.{index}"
        part.norm(f"{name}.input_layernorm", width)
        part.norm(f"{name}.post_attention_layernorm", width)
        part.linear(f"{name}.attention.query_key_value", width, 3 * width, bias=bias)
        part.linear(f"{name}.attention.dense", width, width, bias=bias)
        part.linear(f"{name}.mlp.dense_h_to_4h", width, hidden)
        part.linear(f"{name}.mlp.dense_4h_to_h", hidden, width)
    part.norm(f"{prefix}final_layer_norm", width)
    if head == "ForCausalLM" and not fields.flag("tie_word_embeddings", default=False):
        part.linear("embed_out", width, vocabulary, bias=False)
    classes = _classifier(part, fields, head, width, dense="classifier")
    return part.done(fields.path, classes=classes or vocabulary)


def opt(fields: Fields, head: str) -> Architecture:
    """Return OPT; its table of positions has two rows more than positions."""
    rule = normal(fields.number("init_std", 0.02))
    part = Builder(Start(linear=rule, linear_bias=zero, embedding=rule))
    prefix = "decoder" if head == "Model" else "model.decoder"
    width = fields.size("hidden_size", 768)
    narrow = fields.size("word_embed_proj_dim", width)
    vocabulary = fields.size("vocab_size", 50272)
    affine = fields.flag("layer_norm_elementwise_affine", default=True)
    part.embedding(f"{prefix}.embed_tokens", vocabulary, narrow, padding=True)
    positions = fields.size("max_position_embeddings", 2048) + 2
    part.embedding(f"{prefix}.embed_positions", positions, width, role=Role.POSITION)
    if narrow != width:
        part.linear(f"{prefix}.project_out", width, narrow, bias=False)
        part.linear(f"{prefix}.project_in", narrow, width, bias=False)
    last = fields.flag("do_layer_norm_before", default=True)
    if affine and last and not fields.flag("_remove_final_layer_norm", default=False):
        part.norm(f"{prefix}.final_layer_norm", width)
    for index in range(fields.size("num_hidden_layers", 12)):
        _opt_layer(part, f"{prefix}.layers.{index}", fields, width, affine=affine)
    if head == "ForCausalLM" and not fields.flag("tie_word_embeddings", default=True):
        part.linear("lm_head", narrow, vocabulary, bias=False)
    classes = _classifier(part, fields, head, narrow, dense="classifier")
    return part.done(fields.path, classes=classes or vocabulary)


def _opt_layer(part: Builder, name: str, fields: Fields, width: int, *, affine: bool) -> None:
    bias = fields.flag("enable_bias", default=True)
    hidden = fields.size("ffn_dim", 3072)
    for projection in ("k_proj", "v_proj", "q_proj", "out_proj"):
        part.linear(f"{name}.self_attn.{projection}", width, width, bias=bias)
    if affine:
        part.norm(f"{name}.self_attn_layer_norm", width)
    part.linear(f"{name}.fc1", width, hidden, bias=bias)
    part.linear(f"{name}.fc2", hidden, width, bias=bias)
    if affine:
        part.norm(f"{name}.final_layer_norm", width)


class Family(Record):
    """How a relative of Llama differs: its defaults, biases, norms and feed-forward layers.

    `kv_heads` and `head_size` of 0 follow from the number of heads. `gain` is what norms start
    at: Gemma adds 1 to it in use.
    """

    vocabulary: int
    width: int
    hidden: int
    layers: int
    heads: int = 32
    kv_heads: int = 0
    head_size: int = 0
    qkv_bias: bool = False
    reads_bias: bool = False
    head_norms: bool = False
    fused: bool = False
    experts: int = 0
    sandwich: bool = False
    gain: float = 1.0
    tied: bool = False


FAMILIES = {
    "llama": Family(vocabulary=32000, width=4096, hidden=11008, layers=32, reads_bias=True),
    "mistral": Family(vocabulary=32000, width=4096, hidden=14336, layers=32, kv_heads=8),
    "mixtral": Family(vocabulary=32000, width=4096, hidden=14336, layers=32, kv_heads=8, experts=8),
    "qwen2": Family(vocabulary=151936, width=4096, hidden=22016, layers=32, qkv_bias=True),
    "qwen3": Family(
        vocabulary=151936,
        width=4096,
        hidden=22016,
        layers=32,
        head_size=128,
        head_norms=True,
        reads_bias=True,
    ),
    "gemma": Family(
        vocabulary=256000,
        width=3072,
        hidden=24576,
        layers=28,
        heads=16,
        head_size=256,
        reads_bias=True,
        gain=0.0,
        tied=True,
    ),
    "gemma2": Family(
        vocabulary=256000,
        width=2304,
        hidden=9216,
        layers=26,
        heads=8,
        kv_heads=4,
        head_size=256,
        reads_bias=True,
        sandwich=True,
        gain=0.0,
        tied=True,
    ),
    "phi3": Family(vocabulary=32064, width=3072, hidden=8192, layers=32, fused=True),
}


def llama(fields: Fields, head: str) -> Architecture:
    """Return Llama or one of its relatives, as `model_type` says."""
    family = FAMILIES[fields.text("model_type", "llama")]
    part = Builder(start(fields, norm="rms"))
    prefix = "" if head == "Model" else "model."
    width = fields.size("hidden_size", family.width)
    vocabulary = fields.size("vocab_size", family.vocabulary)
    part.embedding(f"{prefix}embed_tokens", vocabulary, width, padding=_has_padding(fields, family))
    for index in range(fields.size("num_hidden_layers", family.layers)):
        name = f"{prefix}layers.{index}"
        _attention(part, f"{name}.self_attn", fields, family, width)
        _feed_forward(part, name, fields, family, width)
        part.norm(f"{name}.input_layernorm", width, bias=False, gain=family.gain)
        part.norm(f"{name}.post_attention_layernorm", width, bias=False, gain=family.gain)
        if family.sandwich:
            part.norm(f"{name}.pre_feedforward_layernorm", width, bias=False, gain=family.gain)
            part.norm(f"{name}.post_feedforward_layernorm", width, bias=False, gain=family.gain)
    part.norm(f"{prefix}norm", width, bias=False, gain=family.gain)
    if head == "ForCausalLM" and not fields.flag("tie_word_embeddings", default=family.tied):
        part.linear("lm_head", width, vocabulary, bias=False)
    classes = _classifier(part, fields, head, width, dense="score")
    return part.done(fields.path, classes=classes or vocabulary)


def _has_padding(fields: Fields, family: Family) -> bool:
    """Return whether the embedding has a row of padding, which starts at zero."""
    return "pad_token_id" in fields or ("pad_token_id" not in fields.values and family.gain == 0)


def _attention(part: Builder, name: str, fields: Fields, family: Family, width: int) -> None:
    heads = fields.size("num_attention_heads", family.heads)
    kv_heads = fields.size("num_key_value_heads", family.kv_heads or heads)
    size = fields.size("head_dim", family.head_size or max(1, width // heads))
    bias = family.reads_bias and fields.flag("attention_bias", default=False)
    if family.fused:
        part.linear(f"{name}.o_proj", heads * size, width, bias=False)
        part.linear(f"{name}.qkv_proj", width, (heads + 2 * kv_heads) * size, bias=False)
        return
    outputs = (("q_proj", heads), ("k_proj", kv_heads), ("v_proj", kv_heads))
    for projection, number in outputs:
        part.linear(f"{name}.{projection}", width, number * size, bias=bias or family.qkv_bias)
    part.linear(f"{name}.o_proj", heads * size, width, bias=bias)
    if family.head_norms:
        part.norm(f"{name}.q_norm", size, bias=False)
        part.norm(f"{name}.k_norm", size, bias=False)


def _feed_forward(part: Builder, name: str, fields: Fields, family: Family, width: int) -> None:
    hidden = fields.size("intermediate_size", family.hidden)
    if family.experts:
        experts = fields.size("num_local_experts", family.experts)
        part.linear(f"{name}.block_sparse_moe.gate", width, experts, bias=False)
        for index in range(experts):
            expert = f"{name}.block_sparse_moe.experts.{index}"
            part.linear(f"{expert}.w1", width, hidden, bias=False)
            part.linear(f"{expert}.w2", hidden, width, bias=False)
            part.linear(f"{expert}.w3", width, hidden, bias=False)
        return
    bias = family.reads_bias and fields.flag("mlp_bias", default=False)
    if family.fused:
        part.linear(f"{name}.mlp.gate_up_proj", width, 2 * hidden, bias=False)
    else:
        part.linear(f"{name}.mlp.gate_proj", width, hidden, bias=bias)
        part.linear(f"{name}.mlp.up_proj", width, hidden, bias=bias)
    part.linear(f"{name}.mlp.down_proj", hidden, width, bias=bias)
