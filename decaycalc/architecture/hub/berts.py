"""ERNIE, data2vec, LayoutLM, LayoutLMv3, ESM and DeBERTa 1: BERT's layers in other surroundings.

Source: transformers/models/{ernie,data2vec,layoutlm,layoutlmv3,esm,deberta}/modeling_*.py (v4.57.1)
for rules, names and `_init_weights`; Xu et al. 2019 (1912.13318), Huang et al. 2022 (2204.08387),
Lin et al. 2022 (doi 10.1126/science.ade2574), He et al. 2020 (2006.03654).
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.encoders import (
    TASKS,
    begin,
    bert,
    bert_layer,
    bert_outputs,
    roberta,
    roberta_head,
    simple_head,
    word_head,
)
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.modern import (
    deberta_embeddings,
    deberta_outputs,
    position_kinds,
    relative_reach,
)
from decaycalc.architecture.tensors import Architecture, Role

LAYOUTLM_HEADS = ("Model", "ForMaskedLM", *TASKS)
LAYOUTLMV3_HEADS = ("Model", *TASKS)
ESM_HEADS = ("Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification")


def ernie(fields: Fields, head: str) -> Architecture:
    """Return ERNIE: BERT, with a table of tasks where `use_task_id` asks for it."""
    tasks = fields.flag("use_task_id", default=False)
    n_tasks = fields.size("task_type_vocab_size", 3) if tasks else 0
    return bert(fields, head, name="ernie", n_tasks=n_tasks)


def data2vec_text(fields: Fields, head: str) -> Architecture:
    """Return data2vec's text model: RoBERTa, where nothing is said with BERT's vocabulary."""
    return roberta(fields, head, vocabulary=30522, name="data2vec_text")


def _places(part: Builder, table: str, fields: Fields, widths: tuple[int, int]) -> None:
    """Add the tables of where a word stands on the page, `x` and `y`, and how large it is."""
    rows = fields.size("max_2d_position_embeddings", 1024)
    for axis, width in zip("xyhw", (widths[0], widths[0], widths[1], widths[1]), strict=True):
        name = f"{table}.{axis}_position_embeddings"
        part.positions(name, rows, width)


def layoutlm(fields: Fields, head: str) -> Architecture:
    """Return LayoutLM, which knows where each word stands on the page."""
    part, prefix = begin(fields, head, "layoutlm.")
    width, table = fields.size("hidden_size", 768), f"{prefix}embeddings"
    vocabulary, hidden = fields.size("vocab_size", 30522), fields.size("intermediate_size", 3072)
    part.embedding(f"{table}.word_embeddings", vocabulary, width, padding=True)
    positions = fields.size("max_position_embeddings", 512)
    part.positions(f"{table}.position_embeddings", positions, width)
    _places(part, table, fields, (width, width))
    part.embedding(f"{table}.token_type_embeddings", fields.size("type_vocab_size", 2), width)
    part.norm(f"{table}.LayerNorm", width)
    for index in range(fields.size("num_hidden_layers", 12)):
        bert_layer(part, f"{prefix}encoder.layer.{index}", width, hidden)
    part.linear(f"{prefix}pooler.dense", width, width)
    if head != "ForMaskedLM":
        return part.done(fields.path, classes=simple_head(part, fields, head, width))
    word_head(part, fields, (width, width, vocabulary))
    return part.done(fields.path, classes=vocabulary)


def layoutlmv3(fields: Fields, head: str) -> Architecture:
    """Return LayoutLMv3, which sees the page beside its words.

    Raises:
        UnreadableFileError: a model without text or without a page, or a malformed field.
    """
    for name in ("text_embed", "visual_embed"):
        fields.require(name, value=True)
    part, prefix = begin(fields, head, "layoutlmv3.")
    width = fields.size("hidden_size", 768)
    _layoutlmv3_inputs(part, prefix, fields, width)
    hidden, heads = fields.size("intermediate_size", 3072), fields.size("num_attention_heads", 12)
    for index in range(fields.size("num_hidden_layers", 12)):
        bert_layer(part, f"{prefix}encoder.layer.{index}", width, hidden)
    if fields.flag("has_relative_attention_bias", default=True):
        bins = fields.size("rel_pos_bins", 32)
        part.linear(f"{prefix}encoder.rel_pos_bias", bins, heads, bias=False)
    if fields.flag("has_spatial_attention_bias", default=True):
        for axis in "xy":
            bins = fields.size("rel_2d_pos_bins", 64)
            part.linear(f"{prefix}encoder.rel_pos_{axis}_bias", bins, heads, bias=False)
    if head == "Model":
        return part.done(fields.path, classes=None)
    classes = fields.labels()
    name = "qa_outputs" if head == "ForQuestionAnswering" else "classifier"
    if head == "ForTokenClassification" and classes < _FEW:
        part.linear(name, width, classes)
    else:
        part.linear(f"{name}.dense", width, width)
        part.linear(f"{name}.out_proj", width, classes)
    return part.done(fields.path, classes=classes)


# A classifier of tokens has a hidden layer from this many classes on.
_FEW = 10


def _layoutlmv3_inputs(part: Builder, prefix: str, fields: Fields, width: int) -> None:
    """Add the page's patches and the words' tables, in the order of registration."""
    patch, image = fields.side("patch_size", 16), fields.side("input_size", 224)
    part.add(f"{prefix}cls_token", 1, 1, width, role=Role.OTHER)
    places = (image // patch) ** 2 + 1
    part.add(f"{prefix}pos_embed", 1, places, width, role=Role.POSITION)
    table = f"{prefix}embeddings"
    vocabulary = fields.size("vocab_size", 50265)
    part.embedding(f"{table}.word_embeddings", vocabulary, width, padding=True)
    part.embedding(f"{table}.token_type_embeddings", fields.size("type_vocab_size", 2), width)
    part.norm(f"{table}.LayerNorm", width)
    positions = fields.size("max_position_embeddings", 512)
    name = f"{table}.position_embeddings"
    part.positions(name, positions, width, padding=True)
    _places(
        part, table, fields, (fields.size("coordinate_size", 128), fields.size("shape_size", 128))
    )
    part.conv(f"{prefix}patch_embed.proj", fields.size("num_channels", 3), width, patch)
    part.norm(f"{prefix}LayerNorm", width)
    part.norm(f"{prefix}norm", width)


def esm(fields: Fields, head: str) -> Architecture:
    """Return ESM, the language model of proteins.

    Raises:
        UnreadableFileError: a folding model, no size of the vocabulary, or a malformed field.
    """
    fields.require("is_folding_model", value=False)
    part, prefix = begin(fields, head, "esm.")
    width = fields.size("hidden_size", 768)
    vocabulary, hidden = fields.size("vocab_size", 33), fields.size("intermediate_size", 3072)
    layers, heads = fields.size("num_hidden_layers", 12), fields.size("num_attention_heads", 12)
    padding, table = "pad_token_id" in fields, f"{prefix}embeddings"
    part.embedding(f"{table}.word_embeddings", vocabulary, width, padding=padding)
    if fields.flag("emb_layer_norm_before", default=False):
        part.norm(f"{table}.layer_norm", width)
    if fields.text("position_embedding_type", "absolute") == "absolute":
        rows, name = fields.size("max_position_embeddings", 1026), f"{table}.position_embeddings"
        part.positions(name, rows, width, padding=padding)
    for index in range(layers):
        name = f"{prefix}encoder.layer.{index}"
        bert_layer(part, name, width, hidden, norms=("attention.LayerNorm", "LayerNorm"))
    part.norm(f"{prefix}encoder.emb_layer_norm_after", width)
    if head == "Model":
        part.linear(f"{prefix}pooler.dense", width, width)
    part.linear(f"{prefix}contact_head.regression", layers * heads, 1)
    return roberta_head(part, fields, head, (width, vocabulary))


def deberta(fields: Fields, head: str) -> Architecture:
    """Return DeBERTa 1, whose queries, keys and values come from one layer.

    Raises:
        UnreadableFileError: a part that is not known here, or a malformed field.
    """
    for name, known in (("tie_word_embeddings", True), ("legacy", True), ("talking_head", False)):
        fields.require(name, value=known)
    part, prefix = begin(fields, head, "deberta.")
    width, vocabulary = fields.size("hidden_size", 768), fields.size("vocab_size", 50265)
    narrow = fields.size("embedding_size", width)
    deberta_embeddings(part, f"{prefix}embeddings", fields, (width, narrow, vocabulary))
    for index in range(fields.size("num_hidden_layers", 12)):
        _deberta_layer(part, f"{prefix}encoder.layer.{index}", fields, width)
    if fields.flag("relative_attention", default=False):
        part.positions(f"{prefix}encoder.rel_embeddings", 2 * relative_reach(fields), width)
    return deberta_outputs(part, fields, head, (width, narrow, vocabulary))


def _deberta_layer(part: Builder, name: str, fields: Fields, width: int) -> None:
    attention, hidden = f"{name}.attention.self", fields.size("intermediate_size", 3072)
    for bias in ("q_bias", "v_bias"):
        part.add(f"{attention}.{bias}", width, role=Role.BIAS)
    part.linear(f"{attention}.in_proj", width, 3 * width, bias=False)
    if fields.flag("relative_attention", default=False):
        kinds = position_kinds(fields)
        if "c2p" in kinds:
            part.linear(f"{attention}.pos_proj", width, width, bias=False)
        if "p2c" in kinds:
            part.linear(f"{attention}.pos_q_proj", width, width)
    bert_outputs(part, name, width, hidden)
