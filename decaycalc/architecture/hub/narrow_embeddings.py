"""ELECTRA and ALBERT: encoders whose embeddings may be narrower than their layers.

Source: transformers/models/{electra,albert}/modeling_*.py (v4.57.1) for rules, names and
`_init_weights`; Clark et al. 2020 (2003.10555), Lan et al. 2019 (1909.11942).
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.encoders import (
    TASKS,
    begin,
    bert_layer,
    bert_tables,
    classified,
    simple_head,
    tied_output,
)
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Architecture, Role

ELECTRA_HEADS = ("ForPreTraining", "Model", "ForMaskedLM", *TASKS)
ALBERT_HEADS = ("ForMaskedLM", "Model", "ForPreTraining", *TASKS)
_POOLED_ALBERT = {"Model", "ForPreTraining", "ForSequenceClassification"}


def _embeddings(part: Builder, fields: Fields, name: str, vocabulary: int) -> int:
    """Add the tables of words, positions and types; return their width."""
    narrow = fields.size("embedding_size", 128)
    bert_tables(part, fields, name, (narrow, vocabulary))
    return narrow


def electra(fields: Fields, head: str) -> Architecture:
    """Return ELECTRA; `ForPreTraining` is the discriminator, `ForMaskedLM` the generator."""
    part, prefix = begin(fields, head, "electra.")
    width, vocabulary = fields.size("hidden_size", 256), fields.size("vocab_size", 30522)
    fields.require_divided(fields.size("num_attention_heads", 4), width)
    narrow = _embeddings(part, fields, f"{prefix}embeddings", vocabulary)
    if narrow != width:
        part.linear(f"{prefix}embeddings_project", narrow, width)
    hidden = fields.size("intermediate_size", 1024)
    for index in range(fields.size("num_hidden_layers", 12)):
        bert_layer(part, f"{prefix}encoder.layer.{index}", width, hidden)
    if head == "ForPreTraining":
        part.linear("discriminator_predictions.dense", width, width)
        part.linear("discriminator_predictions.dense_prediction", width, 1)
        return part.done(fields.path, classes=2)
    if head == "ForMaskedLM":
        part.norm("generator_predictions.LayerNorm", narrow)
        part.linear("generator_predictions.dense", width, narrow)
        tied_output(part, fields, "generator_lm_head", (narrow, vocabulary))
        return part.done(fields.path, classes=vocabulary)
    return part.done(fields.path, classes=classified(part, fields, head, width))


def albert(fields: Fields, head: str) -> Architecture:
    """Return ALBERT, whose layers share one set of weights (or one each group)."""
    part, prefix = begin(fields, head, "albert.")
    width, vocabulary = fields.size("hidden_size", 4096), fields.size("vocab_size", 30000)
    fields.require_divided(fields.size("num_attention_heads", 64), width)
    narrow = _embeddings(part, fields, f"{prefix}embeddings", vocabulary)
    part.linear(f"{prefix}encoder.embedding_hidden_mapping_in", narrow, width)
    hidden = fields.size("intermediate_size", 16384)
    for group in range(fields.size("num_hidden_groups", 1)):
        for index in range(fields.size("inner_group_num", 1)):
            name = f"{prefix}encoder.albert_layer_groups.{group}.albert_layers.{index}"
            _albert_layer(part, name, width, hidden)
    if head in _POOLED_ALBERT:
        part.linear(f"{prefix}pooler", width, width)
    if head in {"ForMaskedLM", "ForPreTraining"}:
        _albert_predictions(part, fields, width, (narrow, vocabulary))
    if head == "ForPreTraining":
        part.linear("sop_classifier.classifier", width, fields.labels())
    classes = simple_head(part, fields, head, width)
    is_plain = head in {"Model", "ForQuestionAnswering"}
    return part.done(fields.path, classes=classes or (None if is_plain else vocabulary))


def _albert_layer(part: Builder, name: str, width: int, hidden: int) -> None:
    part.norm(f"{name}.full_layer_layer_norm", width)
    part.linears(f"{name}.attention", ("query", "key", "value", "dense"), width, width)
    part.norm(f"{name}.attention.LayerNorm", width)
    part.feed_forward(name, ("ffn", "ffn_output"), width, hidden)


def _albert_predictions(part: Builder, fields: Fields, width: int, sizes: tuple[int, int]) -> None:
    """Add the head that names masked words; its own bias comes first."""
    narrow, vocabulary = sizes
    part.add("predictions.bias", vocabulary, role=Role.BIAS)
    part.norm("predictions.LayerNorm", narrow)
    part.linear("predictions.dense", width, narrow)
    if not fields.flag("tie_word_embeddings", default=True):
        part.linear("predictions.decoder", narrow, vocabulary, bias=False)
