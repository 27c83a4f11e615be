"""Causal language models of plans of their own: BLOOM, MPT, GPT-J, GPT-Neo, Falcon, Phi and others.

Source: transformers/models/{bloom,mpt,gptj,gpt_neo,falcon,phi,starcoder2,stablelm}/modeling_*.py
(v4.57.1) for rules, names and `_init_weights`.
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.decoders import finish
from decaycalc.architecture.hub.encoders import KEY_VALUE_QUERY_OUT, begin
from decaycalc.architecture.hub.experts import add_gated
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Architecture

FALCON_WIDTH = 4  # the hidden width over the model's, as FalconConfig has it


def bloom(fields: Fields, head: str) -> Architecture:
    """Return BLOOM, whose positions enter attention as biases that are not trained."""
    part, prefix = begin(fields, head, "transformer.")
    width = fields.size("hidden_size", fields.size("n_embed", 64))
    vocabulary = fields.size("vocab_size", 250880)
    part.embedding(f"{prefix}word_embeddings", vocabulary, width)
    part.norm(f"{prefix}word_embeddings_layernorm", width)
    for index in range(fields.size("n_layer", fields.size("num_hidden_layers", 2))):
        name = f"{prefix}h.{index}"
        part.norm(f"{name}.input_layernorm", width)
        part.linear(f"{name}.self_attention.query_key_value", width, 3 * width)
        part.linear(f"{name}.self_attention.dense", width, width)
        part.norm(f"{name}.post_attention_layernorm", width)
        part.feed_forward(f"{name}.mlp", ("dense_h_to_4h", "dense_4h_to_h"), width, 4 * width)
    part.norm(f"{prefix}ln_f", width)
    return finish(part, fields, head, (width, vocabulary))


def mpt(fields: Fields, head: str) -> Architecture:
    """Return MPT, which has no biases, in its norms neither."""
    part, prefix = begin(fields, head, "transformer.")
    width, vocabulary = fields.size("d_model", 2048), fields.size("vocab_size", 50368)
    part.embedding(f"{prefix}wte", vocabulary, width)
    for index in range(fields.size("n_layers", 24)):
        name = f"{prefix}blocks.{index}"
        part.norm(f"{name}.norm_1", width, bias=False)
        part.linear(f"{name}.attn.Wqkv", width, 3 * width, bias=False)
        part.linear(f"{name}.attn.out_proj", width, width, bias=False)
        part.norm(f"{name}.norm_2", width, bias=False)
        part.feed_forward(f"{name}.ffn", ("up_proj", "down_proj"), width, 4 * width, bias=False)
    part.norm(f"{prefix}norm_f", width, bias=False)
    return finish(part, fields, head, (width, vocabulary))


def gptj(fields: Fields, head: str) -> Architecture:
    """Return GPT-J, whose output layer has a bias."""
    part, prefix = begin(fields, head, "transformer.")
    width, vocabulary = fields.size("n_embd", 4096), fields.size("vocab_size", 50400)
    inner = fields.size("n_inner", 4 * width)
    part.embedding(f"{prefix}wte", vocabulary, width)
    for index in range(fields.size("n_layer", 28)):
        name = f"{prefix}h.{index}"
        part.norm(f"{name}.ln_1", width)
        part.linears(f"{name}.attn", KEY_VALUE_QUERY_OUT, width, width, bias=False)
        part.feed_forward(f"{name}.mlp", ("fc_in", "fc_out"), width, inner)
    part.norm(f"{prefix}ln_f", width)
    return finish(part, fields, head, (width, vocabulary), tied=False, bias=True)


def gpt_neo(fields: Fields, head: str) -> Architecture:
    """Return GPT-Neo."""
    part, prefix = begin(fields, head, "transformer.")
    width, vocabulary = fields.size("hidden_size", 2048), fields.size("vocab_size", 50257)
    inner = fields.size("intermediate_size", 4 * width)
    part.embedding(f"{prefix}wte", vocabulary, width)
    part.positions(f"{prefix}wpe", fields.size("max_position_embeddings", 2048), width)
    for index in range(fields.size("num_layers", 24)):
        name = f"{prefix}h.{index}"
        part.norm(f"{name}.ln_1", width)
        part.linears(
            f"{name}.attn.attention", ("k_proj", "v_proj", "q_proj"), width, width, bias=False
        )
        part.linear(f"{name}.attn.attention.out_proj", width, width)
        part.norm(f"{name}.ln_2", width)
        part.feed_forward(f"{name}.mlp", ("c_fc", "c_proj"), width, inner)
    part.norm(f"{prefix}ln_f", width)
    return finish(part, fields, head, (width, vocabulary))


def falcon(fields: Fields, head: str) -> Architecture:
    """Return Falcon; its newer plan has grouped keys and a norm for each side of a layer."""
    part, prefix = begin(fields, head, "transformer.")
    width, vocabulary = fields.size("hidden_size", 4544), fields.size("vocab_size", 65024)
    part.embedding(f"{prefix}word_embeddings", vocabulary, width)
    for index in range(fields.size("num_hidden_layers", 32)):
        _falcon_layer(part, f"{prefix}h.{index}", fields, width)
    part.norm(f"{prefix}ln_f", width)
    return finish(part, fields, head, (width, vocabulary))


def _falcon_layer(part: Builder, name: str, fields: Fields, width: int) -> None:
    new = fields.flag("new_decoder_architecture", default=False)
    bias = fields.flag("bias", default=False)
    hidden = fields.size("ffn_hidden_size", FALCON_WIDTH * width)
    outputs = _falcon_outputs(fields, width, new=new)
    part.linear(f"{name}.self_attention.query_key_value", width, outputs, bias=bias)
    part.linear(f"{name}.self_attention.dense", width, width, bias=bias)
    part.feed_forward(f"{name}.mlp", ("dense_h_to_4h", "dense_4h_to_h"), width, hidden, bias=bias)
    norms: tuple[str, ...] = ("input_layernorm",)
    if not fields.flag("parallel_attn", default=True):
        norms = ("post_attention_layernorm", "input_layernorm")
    elif fields.size("num_ln_in_parallel_attn", 2 if new else 1) == 2:  # noqa: PLR2004  (as there)
        norms = ("ln_attn", "ln_mlp")
    part.norms(name, norms, width)


def _falcon_outputs(fields: Fields, width: int, *, new: bool) -> int:
    """Return the outputs of queries, keys and values together."""
    heads = fields.size("num_attention_heads", 71)
    size = max(1, width // heads)
    if new:
        return (fields.size("num_kv_heads", heads) * 2 + heads) * size
    return width + 2 * size if fields.flag("multi_query", default=True) else 3 * width


def phi(fields: Fields, head: str) -> Architecture:
    """Return Phi 1 and 2: one norm a layer, biases everywhere.

    Raises:
        UnreadableFileError: norms of queries and keys, or a malformed field.
    """
    fields.require("qk_layernorm", value=False)
    part, prefix = begin(fields, head, "model.")
    width, hidden = fields.size("hidden_size", 2048), fields.size("intermediate_size", 8192)
    vocabulary = fields.size("vocab_size", 51200)
    part.embedding(f"{prefix}embed_tokens", vocabulary, width, padding="pad_token_id" in fields)
    for index in range(fields.size("num_hidden_layers", 24)):
        name = f"{prefix}layers.{index}"
        grouped(part, f"{name}.self_attn", fields, width, out="dense", bias=(True, True))
        part.feed_forward(f"{name}.mlp", ("fc1", "fc2"), width, hidden)
        part.norm(f"{name}.input_layernorm", width)
    part.norm(f"{prefix}final_layernorm", width)
    return finish(part, fields, head, (width, vocabulary), tied=False, bias=True)


def grouped(
    part: Builder, name: str, fields: Fields, width: int, *, out: str, bias: tuple[bool, bool],
    heads: tuple[int, int] = (32, 0), reads_head_size: bool = True,
) -> None:  # fmt: skip
    """Add attention with grouped keys; `bias` is that of its inputs and of its output."""
    n_heads = fields.size("num_attention_heads", heads[0])
    kv_heads = fields.size("num_key_value_heads", heads[1] or n_heads)
    size = max(1, width // n_heads)
    size = fields.size("head_dim", size) if reads_head_size else size
    for projection, number in (("q_proj", n_heads), ("k_proj", kv_heads), ("v_proj", kv_heads)):
        part.linear(f"{name}.{projection}", width, number * size, bias=bias[0])
    part.linear(f"{name}.{out}", n_heads * size, width, bias=bias[1])


def starcoder2(fields: Fields, head: str) -> Architecture:
    """Return StarCoder 2."""
    bias = fields.flag("use_bias", default=True)
    part, prefix = begin(fields, head, "model.", std=0.018042)
    width, hidden = fields.size("hidden_size", 3072), fields.size("intermediate_size", 12288)
    vocabulary = fields.size("vocab_size", 49152)
    part.embedding(f"{prefix}embed_tokens", vocabulary, width, padding="pad_token_id" in fields)
    for index in range(fields.size("num_hidden_layers", 30)):
        name, heads = f"{prefix}layers.{index}", (24, 2)
        grouped(part, f"{name}.self_attn", fields, width, out="o_proj", bias=(bias, bias),
                 heads=heads)  # fmt: skip
        part.feed_forward(f"{name}.mlp", ("c_fc", "c_proj"), width, hidden, bias=bias)
        part.norms(name, ("input_layernorm", "post_attention_layernorm"), width)
    part.norm(f"{prefix}norm", width)
    return finish(part, fields, head, (width, vocabulary))


def stablelm(fields: Fields, head: str) -> Architecture:
    """Return StableLM.

    Raises:
        UnreadableFileError: norms of queries and keys, or a malformed field.
    """
    fields.require("qk_layernorm", value=False)
    bias = fields.flag("use_qkv_bias", default=False)
    part, prefix = begin(fields, head, "model.")
    width, hidden = fields.size("hidden_size", 2560), fields.size("intermediate_size", 6912)
    vocabulary = fields.size("vocab_size", 50304)
    part.embedding(f"{prefix}embed_tokens", vocabulary, width, padding="pad_token_id" in fields)
    for index in range(fields.size("num_hidden_layers", 32)):
        name = f"{prefix}layers.{index}"
        grouped(part, f"{name}.self_attn", fields, width, out="o_proj", bias=(bias, False),
                heads=(32, 32), reads_head_size=False)  # fmt: skip
        add_gated(part, f"{name}.mlp", width, hidden, bias=False)
        part.norm(f"{name}.input_layernorm", width)
        if not fields.flag("use_parallel_residual", default=False):
            part.norm(f"{name}.post_attention_layernorm", width)
    part.norm(f"{prefix}norm", width)
    return finish(part, fields, head, (width, vocabulary), tied=False)
