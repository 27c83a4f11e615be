"""Longformer, BigBird, XLNet, MobileBERT and Nomic BERT, with the tensor names of transformers.

Source: transformers/models/{longformer,big_bird,xlnet,mobilebert}/modeling_*.py (v4.57.1) and
nomic_bert/modeling_nomic_bert.py (v5.24.0) for rules, names and `_init_weights`.
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.encoders import (
    QUERY_KEY_VALUE,
    begin,
    bert_layer,
    bert_tables,
    classified,
    roberta_head,
    simple_head,
    start,
    tied_output,
    word_head,
)
from decaycalc.architecture.hub.experts import add_gated
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Architecture, Role

_TASKS = ("ForSequenceClassification", "ForMultipleChoice", "ForTokenClassification")
LONGFORMER_HEADS = ("ForMaskedLM", "Model", *_TASKS, "ForQuestionAnswering")
BIG_BIRD_HEADS = ("ForPreTraining", "Model", "ForMaskedLM", "ForCausalLM", *_TASKS)
XLNET_HEADS = ("LMHeadModel", "Model", *_TASKS)
MOBILEBERT_HEADS = (
    "ForPreTraining", "Model", "ForMaskedLM", *_TASKS, "ForNextSentencePrediction",
    "ForQuestionAnswering",
)  # fmt: skip
NOMIC_HEADS = ("Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification")


def longformer(fields: Fields, head: str) -> Architecture:
    """Return Longformer: RoBERTa with projections of their own for tokens that see all others."""
    part, prefix = begin(fields, head, "longformer.")
    width, vocabulary = fields.size("hidden_size", 768), fields.size("vocab_size", 30522)
    hidden, table = fields.size("intermediate_size", 3072), f"{prefix}embeddings"
    part.embedding(f"{table}.word_embeddings", vocabulary, width, padding=True)
    part.embedding(f"{table}.token_type_embeddings", fields.size("type_vocab_size", 2), width)
    part.norm(f"{table}.LayerNorm", width)
    positions = fields.size("max_position_embeddings", 512)
    part.positions(f"{table}.position_embeddings", positions, width, padding=True)
    inputs = (*QUERY_KEY_VALUE, "query_global", "key_global", "value_global")
    for index in range(fields.size("num_hidden_layers", 12)):
        bert_layer(part, f"{prefix}encoder.layer.{index}", width, hidden, inputs=inputs)
    if head in {"Model", "ForMultipleChoice"}:
        part.linear(f"{prefix}pooler.dense", width, width)
    return roberta_head(part, fields, head, (width, vocabulary))


def big_bird(fields: Fields, head: str) -> Architecture:
    """Return BigBird, BERT's plan with attention to blocks; its prefix is BERT's too."""
    part, prefix = begin(fields, head, "bert.")
    width, vocabulary = fields.size("hidden_size", 768), fields.size("vocab_size", 50358)
    hidden, bias = fields.size("intermediate_size", 3072), fields.flag("use_bias", default=True)
    bert_tables(part, fields, f"{prefix}embeddings", (width, vocabulary), positions=4096)
    for index in range(fields.size("num_hidden_layers", 12)):
        bert_layer(part, f"{prefix}encoder.layer.{index}", width, hidden, bias=bias)
    part.linear(f"{prefix}pooler", width, width)
    if head in {"ForPreTraining", "ForMaskedLM", "ForCausalLM"}:
        word_head(part, fields, (width, width, vocabulary))
        if head == "ForPreTraining":
            part.linear("cls.seq_relationship", width, 2)
        return part.done(fields.path, classes=vocabulary)
    return part.done(fields.path, classes=classified(part, fields, head, width))


def xlnet(fields: Fields, head: str) -> Architecture:
    """Return XLNet, whose projections hold a matrix for each head.

    Raises:
        UnreadableFileError: a summary without its projection, or a malformed field.
    """
    rule = start(fields)
    part = Builder(rule)
    prefix = "" if head == "Model" else "transformer."
    width, vocabulary = fields.size("d_model", 1024), fields.size("vocab_size", 32000)
    variance = rule.embedding(1, 1)
    part.add(f"{prefix}mask_emb", 1, 1, width, role=Role.OTHER, variance=variance)
    part.embedding(f"{prefix}word_embedding", vocabulary, width)
    for index in range(fields.size("n_layer", 24)):
        _xlnet_layer(part, f"{prefix}layer.{index}", fields, width)
    if head == "LMHeadModel":
        tied_output(part, fields, "lm_loss", (width, vocabulary))
        return part.done(fields.path, classes=vocabulary)
    if head in {"ForSequenceClassification", "ForMultipleChoice"}:
        fields.require("summary_use_proj", value=True)
        outputs = 1 if head == "ForMultipleChoice" else fields.labels()
        part.linear("sequence_summary.summary", width, width)
        part.linear("logits_proj", width, outputs)
        return part.done(fields.path, classes=outputs)
    return part.done(fields.path, classes=simple_head(part, fields, head, width))


def _xlnet_layer(part: Builder, name: str, fields: Fields, width: int) -> None:
    heads, hidden = fields.size("n_head", 16), fields.size("d_inner", 4096)
    size, attention = max(1, width // heads), f"{name}.rel_attn"
    variance = fields.number("initializer_range", 0.02) ** 2
    for matrix in ("q", "k", "v", "o", "r"):
        fans = (width, heads * size)
        part.add(f"{attention}.{matrix}", width, heads, size, fans=fans, variance=variance)
    for bias in ("r_r_bias", "r_s_bias", "r_w_bias"):
        part.add(f"{attention}.{bias}", heads, size, role=Role.BIAS, variance=variance)
    part.add(f"{attention}.seg_embed", 2, heads, size, role=Role.EMBEDDING, variance=variance)
    part.norm(f"{attention}.layer_norm", width)
    part.norm(f"{name}.ff.layer_norm", width)
    part.feed_forward(f"{name}.ff", ("layer_1", "layer_2"), width, hidden)


_MOBILE = {"trigram_input": True, "use_bottleneck": True, "key_query_shared_bottleneck": True,
           "use_bottleneck_attention": False}  # fmt: skip


def mobilebert(fields: Fields, head: str) -> Architecture:
    """Return MobileBERT, narrow layers between wide ones.

    Raises:
        UnreadableFileError: a plan other than the published one's, or a malformed field.
    """
    for name, usual in _MOBILE.items():
        fields.require(name, value=usual)
    if fields.text("normalization_type", "no_norm") != "no_norm":
        raise fields.wrong("normalization_type", fields.values["normalization_type"], "no_norm")
    part, prefix = begin(fields, head, "mobilebert.")
    table = f"{prefix}embeddings"
    width, vocabulary = fields.size("hidden_size", 512), fields.size("vocab_size", 30522)
    small = fields.size("embedding_size", 128)
    part.embedding(f"{table}.word_embeddings", vocabulary, small, padding=True)
    positions = fields.size("max_position_embeddings", 512)
    part.positions(f"{table}.position_embeddings", positions, width)
    part.embedding(f"{table}.token_type_embeddings", fields.size("type_vocab_size", 2), width)
    part.linear(f"{table}.embedding_transformation", 3 * small, width)
    _scaled(part, f"{table}.LayerNorm", width)
    for index in range(fields.size("num_hidden_layers", 24)):
        _mobile_layer(part, f"{prefix}encoder.layer.{index}", fields, width)
    unpooled = {"ForMaskedLM", "ForTokenClassification", "ForQuestionAnswering"}
    if head not in unpooled and fields.flag("classifier_activation", default=True):
        part.linear(f"{prefix}pooler.dense", width, width)
    if head in {"ForPreTraining", "ForMaskedLM"}:
        _mobile_words(part, fields, (width, small, vocabulary))
    if head in {"ForPreTraining", "ForNextSentencePrediction"}:
        part.linear("cls.seq_relationship", width, 2)
    classes = vocabulary if head in {"ForPreTraining", "ForMaskedLM"} else None
    return part.done(fields.path, classes=simple_head(part, fields, head, width) or classes)


def _scaled(part: Builder, name: str, width: int) -> None:
    """Add a gain and a shift that stand in a norm's place, the shift first."""
    part.add(f"{name}.bias", width, role=Role.NORM)
    part.add(f"{name}.weight", width, role=Role.NORM, mean=1.0)


def _mobile_words(part: Builder, fields: Fields, sizes: tuple[int, int, int]) -> None:
    """Add the output over words: the table of words, and a further one for the other widths."""
    width, small, vocabulary = sizes
    name = "cls.predictions"
    part.add(f"{name}.bias", vocabulary, role=Role.BIAS)
    part.linear(f"{name}.transform.dense", width, width)
    part.norm(f"{name}.transform.LayerNorm", width)
    part.linear(f"{name}.dense", vocabulary, max(0, width - small), bias=False)
    if not fields.flag("tie_word_embeddings", default=True):
        part.linear(f"{name}.decoder", small, vocabulary, bias=False)


def _mobile_layer(part: Builder, name: str, fields: Fields, width: int) -> None:
    narrow = fields.size("intra_bottleneck_size", 128)
    fields.require_divided(fields.size("num_attention_heads", 4), narrow)
    hidden = fields.size("intermediate_size", 512)
    for projection, n_in in (("query", narrow), ("key", narrow), ("value", width)):
        part.linear(f"{name}.attention.self.{projection}", n_in, narrow)
    _shrunk(part, f"{name}.attention.output", narrow, narrow)
    part.linear(f"{name}.intermediate.dense", narrow, hidden)
    _shrunk(part, f"{name}.output", hidden, narrow)
    _shrunk(part, f"{name}.output.bottleneck", narrow, width)
    for entry in ("input", "attention"):
        _shrunk(part, f"{name}.bottleneck.{entry}", width, narrow)
    for index in range(fields.size("num_feedforward_networks", 4) - 1):
        part.linear(f"{name}.ffn.{index}.intermediate.dense", narrow, hidden)
        _shrunk(part, f"{name}.ffn.{index}.output", hidden, narrow)


def _shrunk(part: Builder, name: str, n_in: int, n_out: int) -> None:
    """Add a dense layer and what stands in its norm's place."""
    part.linear(f"{name}.dense", n_in, n_out)
    _scaled(part, f"{name}.LayerNorm", n_out)


def nomic_bert(fields: Fields, head: str) -> Architecture:
    """Return Nomic BERT; its file on the hub has GPT-2's names for the sizes."""
    part, prefix = begin(fields, head, "nomic_bert.")
    width = fields.size("hidden_size", fields.size("n_embd", 768))
    hidden = fields.size("intermediate_size", fields.size("n_inner", 3072))
    heads = fields.size("num_attention_heads", fields.size("n_head", 12))
    inner = heads * fields.size("head_dim", max(1, width // heads))
    vocabulary, table = fields.size("vocab_size", 30528), f"{prefix}embeddings"
    part.embedding(f"{table}.word_embeddings", vocabulary, width, padding=True)
    part.embedding(f"{table}.token_type_embeddings", fields.size("type_vocab_size", 2), width)
    part.norm(f"{table}.LayerNorm", width)
    if head == "ForSequenceClassification":
        part.linear(f"{prefix}pooler.dense", width, width)
    for index in range(fields.size("num_hidden_layers", fields.size("n_layer", 12))):
        name = f"{prefix}layers.{index}"
        part.norm(f"{name}.post_attention_layernorm", width)
        add_gated(part, f"{name}.mlp", width, hidden, bias=False)
        part.linears(f"{name}.self_attn", ("q_proj", "k_proj", "v_proj"), width, inner, bias=False)
        part.linear(f"{name}.self_attn.o_proj", inner, width, bias=False)
        part.norm(f"{name}.post_mlp_layernorm", width)
    if head == "ForMaskedLM":
        parts = "transform.dense", "transform.layer_norm"
        word_head(part, fields, (width, width, vocabulary), parts=parts)
        return part.done(fields.path, classes=vocabulary)
    return part.done(fields.path, classes=simple_head(part, fields, head, width))
