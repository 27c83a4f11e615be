"""ModernBERT, DeBERTa (versions 2 and 3) and MPNet.

Source: transformers/models/{modernbert,deberta_v2,mpnet}/modeling_*.py (v4.57.1) for rules, names
and `_init_weights`; Warner et al. 2024 (2412.13663), He et al. 2021 (2111.09543), Song et al. 2020
(2004.09297).
"""

from decaycalc.architecture.build import Builder, Start, unknown, zero
from decaycalc.architecture.hub.encoders import (
    TASKS,
    begin,
    bert_outputs,
    roberta_head,
    simple_head,
    word_head,
)
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Architecture, Role

MODERNBERT_HEADS = DEBERTA_HEADS = ("ForMaskedLM", "Model", *TASKS)
MPNET_HEADS = ("Model", "ForMaskedLM", *TASKS)


def modernbert(fields: Fields, head: str) -> Architecture:
    """Return ModernBERT; its first layer has no norm before attention, as the embeddings have one.

    Its truncated normal start is not told.
    """
    part = Builder(Start(conv=unknown, linear=unknown, linear_bias=zero, embedding=unknown))
    prefix = "" if head == "Model" else "model."
    width, vocabulary = fields.size("hidden_size", 768), fields.size("vocab_size", 50368)
    bias = fields.flag("norm_bias", default=False)
    part.embedding(f"{prefix}embeddings.tok_embeddings", vocabulary, width)
    part.norm(f"{prefix}embeddings.norm", width, bias=bias)
    for index in range(fields.size("num_hidden_layers", 22)):
        name = f"{prefix}layers.{index}"
        if index:
            part.norm(f"{name}.attn_norm", width, bias=bias)
        _modernbert_layer(part, name, fields, width)
    part.norm(f"{prefix}final_norm", width, bias=bias)
    if head == "Model":
        return part.done(fields.path, classes=None)
    dense_bias = fields.flag("classifier_bias", default=False)
    part.linear("head.dense", width, width, bias=dense_bias)
    part.norm("head.norm", width, bias=bias)
    return part.done(fields.path, classes=_modernbert_head(part, fields, head, (width, vocabulary)))


def _modernbert_layer(part: Builder, name: str, fields: Fields, width: int) -> None:
    hidden = fields.size("intermediate_size", 1152)
    bias = fields.flag("attention_bias", default=False)
    part.linear(f"{name}.attn.Wqkv", width, 3 * width, bias=bias)
    part.linear(f"{name}.attn.Wo", width, width, bias=bias)
    part.norm(f"{name}.mlp_norm", width, bias=fields.flag("norm_bias", default=False))
    bias = fields.flag("mlp_bias", default=False)
    part.linear(f"{name}.mlp.Wi", width, 2 * hidden, bias=bias)
    part.linear(f"{name}.mlp.Wo", hidden, width, bias=bias)


def _modernbert_head(
    part: Builder, fields: Fields, head: str, sizes: tuple[int, int]
) -> int | None:
    """Add what follows the head's dense layer; return the number of classes."""
    width, vocabulary = sizes
    if head != "ForMaskedLM":
        part.linear("classifier", width, fields.labels())
        return None if head == "ForQuestionAnswering" else fields.labels()
    bias = fields.flag("decoder_bias", default=True)
    if not fields.flag("tie_word_embeddings", default=True):
        part.linear("decoder", width, vocabulary, bias=bias)
    elif bias:
        part.add("decoder.bias", vocabulary, role=Role.BIAS)
    return vocabulary


def deberta(fields: Fields, head: str) -> Architecture:
    """Return DeBERTa 2 or 3, whose attention reads relative positions from a shared table.

    Raises:
        UnreadableFileError: a part that is not known here, or a malformed field.
    """
    for name in ("tie_word_embeddings", "legacy"):
        fields.require(name, value=True)
    part, prefix = begin(fields, head, "deberta.")
    width, vocabulary = fields.size("hidden_size", 1536), fields.size("vocab_size", 128100)
    narrow = fields.size("embedding_size", width)
    deberta_embeddings(part, f"{prefix}embeddings", fields, (width, narrow, vocabulary))
    for index in range(fields.size("num_hidden_layers", 24)):
        _deberta_layer(part, f"{prefix}encoder.layer.{index}", fields, width)
    _deberta_positions(part, f"{prefix}encoder", fields, width)
    return deberta_outputs(part, fields, head, (width, narrow, vocabulary))


def deberta_outputs(
    part: Builder, fields: Fields, head: str, sizes: tuple[int, int, int]
) -> Architecture:
    """Add DeBERTa's head and return the model; `sizes` are those of its tables."""
    width, _, vocabulary = sizes
    if head == "ForMaskedLM":
        word_head(part, fields, sizes)
        return part.done(fields.path, classes=vocabulary)
    if head == "ForSequenceClassification":
        pooled = fields.size("pooler_hidden_size", width)
        part.linear("pooler.dense", pooled, pooled)
    return part.done(fields.path, classes=simple_head(part, fields, head, width))


def deberta_embeddings(
    part: Builder, name: str, fields: Fields, sizes: tuple[int, int, int]
) -> None:
    """Add DeBERTa's tables; `sizes` are the width, the tables' own and the vocabulary's."""
    width, narrow, vocabulary = sizes
    part.embedding(f"{name}.word_embeddings", vocabulary, narrow, padding=True)
    if fields.flag("position_biased_input", default=True):
        positions = fields.size("max_position_embeddings", 512)
        part.positions(f"{name}.position_embeddings", positions, narrow)
    types = fields.size("type_vocab_size", 0, least=0)
    if types:
        part.embedding(f"{name}.token_type_embeddings", types, narrow)
    if narrow != width:
        part.linear(f"{name}.embed_proj", narrow, width, bias=False)
    part.norm(f"{name}.LayerNorm", width)


def position_kinds(fields: Fields) -> str | list[object]:
    """Return what holds the names of the kinds of relative attention, `c2p` and `p2c`.

    Raises:
        UnreadableFileError: neither a text nor a list.
    """
    kinds = fields.values.get("pos_att_type") or ""
    if not isinstance(kinds, str | list):
        raise fields.wrong("pos_att_type", kinds, "kinds such as p2c|c2p")
    return kinds


def relative_reach(fields: Fields) -> int:
    """Return how many positions ahead are told apart: those of a sentence where none are told.

    Raises:
        UnreadableFileError: a malformed field.
    """
    reach = fields.size_or_none("max_relative_positions")
    return reach or fields.size("max_position_embeddings", 512)


def _deberta_layer(part: Builder, name: str, fields: Fields, width: int) -> None:
    """Add one layer; without a shared key, positions have projections of their own."""
    hidden = fields.size("intermediate_size", 6144)
    attention = f"{name}.attention.self"
    part.linears(attention, ("query_proj", "key_proj", "value_proj"), width, width)
    own = not fields.flag("share_att_key", default=False)
    if own and fields.flag("relative_attention", default=False):
        kinds = position_kinds(fields)
        if "c2p" in kinds:
            part.linear(f"{attention}.pos_key_proj", width, width)
        if "p2c" in kinds:
            part.linear(f"{attention}.pos_query_proj", width, width)
    bert_outputs(part, name, width, hidden)


def _deberta_positions(part: Builder, name: str, fields: Fields, width: int) -> None:
    """Add the shared table of relative positions, its norm, and the convolution beside layer 1."""
    if fields.flag("relative_attention", default=False):
        reach = fields.size_or_none("position_buckets") or relative_reach(fields)
        part.positions(f"{name}.rel_embeddings", 2 * reach, width)
    if "layer_norm" in fields.text("norm_rel_ebd", "none"):
        part.norm(f"{name}.LayerNorm", width)
    kernel = fields.size("conv_kernel_size", 0, least=0)
    if kernel:
        groups = fields.size("conv_groups", 1)
        part.conv(f"{name}.conv.conv", width, width, kernel, groups=groups, line=True, rule=unknown)
        part.norm(f"{name}.conv.LayerNorm", width)


def mpnet(fields: Fields, head: str) -> Architecture:
    """Return MPNet, whose encoder shares one table of relative positions."""
    part, prefix = begin(fields, head, "mpnet.")
    width, hidden = fields.size("hidden_size", 768), fields.size("intermediate_size", 3072)
    vocabulary, table = fields.size("vocab_size", 30527), f"{prefix}embeddings"
    part.embedding(f"{table}.word_embeddings", vocabulary, width, padding=True)
    positions = fields.size("max_position_embeddings", 512)
    part.positions(f"{table}.position_embeddings", positions, width, padding=True)
    part.norm(f"{table}.LayerNorm", width)
    for index in range(fields.size("num_hidden_layers", 12)):
        _mpnet_layer(part, f"{prefix}encoder.layer.{index}", width, hidden)
    buckets = fields.size("relative_attention_num_buckets", 32)
    heads = fields.size("num_attention_heads", 12)
    positions_table = f"{prefix}encoder.relative_attention_bias"
    part.positions(positions_table, buckets, heads)
    if head == "Model":
        part.linear("pooler.dense", width, width)
    return roberta_head(part, fields, head, (width, vocabulary))


def _mpnet_layer(part: Builder, name: str, width: int, hidden: int) -> None:
    part.linears(f"{name}.attention.attn", ("q", "k", "v", "o"), width, width)
    part.norm(f"{name}.attention.LayerNorm", width)
    part.feed_forward(name, ("intermediate.dense", "output.dense"), width, hidden)
    part.norm(f"{name}.output.LayerNorm", width)
