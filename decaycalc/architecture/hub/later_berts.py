"""RoFormer, RemBERT, Megatron-BERT, XLM-RoBERTa-XL, LiLT and TAPAS, by transformers' names.

Source: transformers/models/{roformer,rembert,megatron_bert,xlm_roberta_xl,lilt,tapas}/
configuration_*.py and modeling_*.py (v4.57.1) for defaults, rules, names and `_init_weights`.
"""

from decaycalc.architecture.build import Builder, normal
from decaycalc.architecture.hub.encoders import (
    QUERY_KEY_VALUE,
    begin,
    bert_layer,
    bert_tables,
    classified,
    roberta_head,
    simple_head,
    word_head,
)
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Architecture, Role

_ANSWERS = ("ForTokenClassification", "ForQuestionAnswering")
HEADS = ("ForMaskedLM", "Model", "ForSequenceClassification", *_ANSWERS)
LILT_HEADS = ("ForTokenClassification", "Model", "ForSequenceClassification",
              "ForQuestionAnswering")  # fmt: skip
TAPAS_HEADS = ("ForQuestionAnswering", "Model", "ForSequenceClassification", "ForMaskedLM")
_POOLED = frozenset({"Model", "ForSequenceClassification"})


def roformer(fields: Fields, head: str) -> Architecture:
    """Return RoFormer, which turns queries and keys by their places and may have narrow words.

    Raises:
        UnreadableFileError: a malformed field.
    """
    part, prefix = begin(fields, head, "roformer.")
    width, vocabulary = fields.size("hidden_size", 768), fields.size("vocab_size", 50000)
    narrow, table = fields.size("embedding_size", width), f"{prefix}embeddings"
    part.embedding(f"{table}.word_embeddings", vocabulary, narrow, padding=True)
    part.embedding(f"{table}.token_type_embeddings", fields.size("type_vocab_size", 2), narrow)
    part.norm(f"{table}.LayerNorm", narrow)
    if narrow != width:
        part.linear(f"{prefix}embeddings_project", narrow, width)
    heads, places = (
        fields.size("num_attention_heads", 12),
        fields.size("max_position_embeddings", 1536),
    )
    fields.require_divided(heads, width)
    # Sines and cosines have a mean square of one half.
    sines = normal(0.5**0.5)
    part.positions(f"{prefix}encoder.embed_positions", places, max(1, width // heads), rule=sines)
    _layers(part, prefix, fields, width)
    if head == "ForMaskedLM":
        word_head(part, fields, (width, narrow, vocabulary))
        return part.done(fields.path, classes=vocabulary)
    if head == "ForQuestionAnswering":  # two whatever the number of labels is
        part.linear("qa_outputs", width, 2)
        return part.done(fields.path, classes=None)
    return part.done(fields.path, classes=classified(part, fields, head, width))


def _layers(part: Builder, prefix: str, fields: Fields, width: int) -> None:
    hidden = fields.size("intermediate_size", 3072)
    for index in range(fields.size("num_hidden_layers", 12)):
        bert_layer(part, f"{prefix}encoder.layer.{index}", width, hidden)


def rembert(fields: Fields, head: str) -> Architecture:
    """Return RemBERT, whose words have two widths, one that it reads and one that it writes.

    Raises:
        UnreadableFileError: an output that is tied, or a malformed field.
    """
    fields.require("tie_word_embeddings", value=False)
    fields = fields.over({"intermediate_size": 4608, "num_hidden_layers": 32})
    part, prefix = begin(fields, head, "rembert.")
    width, vocabulary = fields.size("hidden_size", 1152), fields.size("vocab_size", 250300)
    narrow = fields.size("input_embedding_size", 256)
    bert_tables(part, fields, f"{prefix}embeddings", (narrow, vocabulary))
    part.linear(f"{prefix}encoder.embedding_hidden_mapping_in", narrow, width)
    _layers(part, prefix, fields, width)
    if head in _POOLED:
        part.linear(f"{prefix}pooler.dense", width, width)
    if head == "ForMaskedLM":
        written = fields.size("output_embedding_size", 1664)
        part.linear("cls.predictions.dense", width, written)
        part.linear("cls.predictions.decoder", written, vocabulary)
        part.norm("cls.predictions.LayerNorm", written)
        return part.done(fields.path, classes=vocabulary)
    return part.done(fields.path, classes=simple_head(part, fields, head, width))


def megatron_bert(fields: Fields, head: str) -> Architecture:
    """Return Megatron's BERT, whose layers normalise what they read.

    Raises:
        UnreadableFileError: a malformed field.
    """
    part, prefix = begin(fields, head, "bert.")
    width, vocabulary = fields.size("hidden_size", 1024), fields.size("vocab_size", 29056)
    table, places = f"{prefix}embeddings", fields.size("max_position_embeddings", 512)
    part.embedding(f"{table}.word_embeddings", vocabulary, width, padding=True)
    part.positions(f"{table}.position_embeddings", places, width)
    part.embedding(f"{table}.token_type_embeddings", fields.size("type_vocab_size", 2), width)
    hidden = fields.size("intermediate_size", 4096)
    for index in range(fields.size("num_hidden_layers", 24)):
        layer = f"{prefix}encoder.layer.{index}"
        _attention(part, layer, width, norm="ln")
        part.norm(f"{layer}.ln", width)
        part.feed_forward(layer, ("intermediate.dense", "output.dense"), width, hidden)
    part.norm(f"{prefix}encoder.ln", width)
    if head in _POOLED:
        part.linear(f"{prefix}pooler.dense", width, width)
    if head == "ForMaskedLM":
        word_head(part, fields, (width, width, vocabulary))
        return part.done(fields.path, classes=vocabulary)
    return part.done(fields.path, classes=simple_head(part, fields, head, width))


def _attention(part: Builder, layer: str, width: int, *, norm: str) -> None:
    """Add attention behind its norm."""
    part.norm(f"{layer}.attention.{norm}", width)
    part.linears(f"{layer}.attention.self", QUERY_KEY_VALUE, width, width)
    part.linear(f"{layer}.attention.output.dense", width, width)


def xlm_roberta_xl(fields: Fields, head: str) -> Architecture:
    """Return XLM-RoBERTa-XL, whose layers normalise what they read.

    Raises:
        UnreadableFileError: a malformed field.
    """
    part, prefix = begin(fields, head, "roberta.")
    width, vocabulary = fields.size("hidden_size", 2560), fields.size("vocab_size", 250880)
    table, places = f"{prefix}embeddings", fields.size("max_position_embeddings", 514)
    part.embedding(f"{table}.word_embeddings", vocabulary, width, padding=True)
    part.positions(f"{table}.position_embeddings", places, width, padding=True)
    part.embedding(f"{table}.token_type_embeddings", fields.size("type_vocab_size", 1), width)
    hidden = fields.size("intermediate_size", 10240)
    for index in range(fields.size("num_hidden_layers", 36)):
        layer = f"{prefix}encoder.layer.{index}"
        _attention(part, layer, width, norm="self_attn_layer_norm")
        part.feed_forward(layer, ("intermediate.dense", "output.dense"), width, hidden)
        part.norm(f"{layer}.LayerNorm", width)
    part.norm(f"{prefix}encoder.LayerNorm", width)
    if head == "Model":
        part.linear(f"{prefix}pooler.dense", width, width)
    return roberta_head(part, fields, head, (width, vocabulary))


def lilt(fields: Fields, head: str) -> Architecture:
    """Return LiLT, which runs a narrow stream of places on a page beside the one of words.

    Raises:
        UnreadableFileError: a malformed field.
    """
    part, prefix = begin(fields, head, "lilt.")
    width, vocabulary = fields.size("hidden_size", 768), fields.size("vocab_size", 30522)
    ratio = fields.size("channel_shrink_ratio", 4)
    narrow, hidden = max(1, width // ratio), fields.size("intermediate_size", 3072)
    sizes = (width, vocabulary)
    bert_tables(part, fields, f"{prefix}embeddings", sizes, padded_positions=True)
    table, places = f"{prefix}layout_embeddings", fields.size("max_2d_position_embeddings", 1024)
    for axis in "xyhw":
        part.positions(f"{table}.{axis}_position_embeddings", places, max(1, width // 6))
    rows = fields.size("max_position_embeddings", 512)
    part.positions(f"{table}.box_position_embeddings", rows, narrow, padding=True)
    part.linear(f"{table}.box_linear_embeddings", width // 6 * 6, narrow)
    part.norm(f"{table}.LayerNorm", narrow)
    for index in range(fields.size("num_hidden_layers", 12)):
        layer = f"{prefix}encoder.layer.{index}"
        _two_streams(part, layer, (width, hidden), (narrow, max(1, hidden // ratio)))
    if head == "Model":
        part.linear(f"{prefix}pooler.dense", width, width)
    return part.done(fields.path, classes=classified(part, fields, head, width))


def _two_streams(
    part: Builder, layer: str, words: tuple[int, int], places: tuple[int, int]
) -> None:
    """Add a layer of LiLT; each stream has its width and its hidden width."""
    streams, inner = (("", words), ("layout_", places)), f"{layer}.attention.self"
    for name, (width, _hidden) in streams:
        part.linears(inner, tuple(name + each for each in QUERY_KEY_VALUE), width, width)
    for name, (width, _hidden) in streams:
        part.linear(f"{layer}.attention.{name}output.dense", width, width)
        part.norm(f"{layer}.attention.{name}output.LayerNorm", width)
    for name, (width, hidden) in streams:
        layers = (f"{name}intermediate.dense", f"{name}output.dense")
        part.feed_forward(layer, layers, width, hidden)
        part.norm(f"{layer}.{name}output.LayerNorm", width)


_TABLES = (3, 256, 256, 2, 256, 256, 10)  # rows of TAPAS's tables of cells


def tapas(fields: Fields, head: str) -> Architecture:
    """Return TAPAS, which reads a table by a table of embeddings for each kind of place.

    Raises:
        UnreadableFileError: a malformed field.
    """
    part, prefix = begin(fields, head, "tapas.")
    width, vocabulary = fields.size("hidden_size", 768), fields.size("vocab_size", 30522)
    answers, operations = (
        head == "ForQuestionAnswering",
        fields.size("num_aggregation_labels", 0, least=0),
    )
    if answers:
        _cells(part, fields, width)
    table, places = f"{prefix}embeddings", fields.size("max_position_embeddings", 1024)
    part.embedding(f"{table}.word_embeddings", vocabulary, width, padding=True)
    part.positions(f"{table}.position_embeddings", places, width)
    for index, rows in enumerate(fields.sizes("type_vocab_sizes", _TABLES)):
        part.embedding(f"{table}.token_type_embeddings_{index}", rows, width)
    part.norm(f"{table}.LayerNorm", width)
    _layers(part, prefix, fields, width)
    if head != "ForMaskedLM":
        part.linear(f"{prefix}pooler.dense", width, width)
    if answers and operations:
        part.linear("aggregation_classifier", width, operations)
    if head == "ForMaskedLM":
        word_head(part, fields, (width, width, vocabulary))
        return part.done(fields.path, classes=vocabulary)
    if head == "ForSequenceClassification":
        part.linear("classifier", width, fields.labels())
        return part.done(fields.path, classes=fields.labels())
    return part.done(fields.path, classes=None)


def _cells(part: Builder, fields: Fields, width: int) -> None:
    """Add what chooses cells and columns; the class's own weights come before its parts."""
    zero = fields.flag("init_cell_selection_weights_to_zero", default=False)
    variance = 0.0 if zero else fields.number("initializer_range", 0.02) ** 2
    for kind in ("output_weights", "column_output_weights"):
        part.add(kind, width, fans=(width, 1), variance=variance)
    for kind in ("output_bias", "column_output_bias"):
        part.add(kind, role=Role.BIAS)
