"""BERT, RoBERTa, XLM-RoBERTa and DistilBERT, with the tensor names of transformers.

Source: transformers/models/{bert,roberta,distilbert}/modeling_*.py (v4.57.1) for rules, names and
`_init_weights` (normal of `initializer_range`, biases 0, the padding row 0); Devlin et al. 2018
(1810.04805), Liu et al. 2019 (1907.11692), Sanh et al. 2019 (1910.01108).
"""

from decaycalc.architecture.build import Builder, Start, normal, zero
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Architecture, Role

# What follows a text's layers, in the order in which transformers has the classes.
_ANSWERS = ("ForTokenClassification", "ForQuestionAnswering")
TASKS = ("ForSequenceClassification", *_ANSWERS)
TASKS_AND_CHOICE = ("ForSequenceClassification", "ForMultipleChoice", *_ANSWERS)
_PRETRAINED = ("Model", "ForPreTraining", "ForMaskedLM")
_PAIRS = ("ForSequenceClassification", "ForNextSentencePrediction", "ForMultipleChoice", *_ANSWERS)
BERT_HEADS = (*_PRETRAINED, "LMHeadModel", *_PAIRS)
ERNIE_HEADS = (*_PRETRAINED, "ForCausalLM", *_PAIRS)
ROBERTA_HEADS = ("Model", "ForMaskedLM", "ForCausalLM", *TASKS_AND_CHOICE)
DISTILBERT_HEADS = ("Model", "ForMaskedLM", *TASKS_AND_CHOICE)
# The layers of attention, as BERT names three of them and BART all four.
QUERY_KEY_VALUE = ("query", "key", "value")
KEY_VALUE_QUERY_OUT = ("k_proj", "v_proj", "q_proj", "out_proj")
# Heads that read every token and so leave the pooler out.
_CAUSAL = {"LMHeadModel", "ForCausalLM"}
_UNPOOLED_BERT = {"ForMaskedLM", "ForTokenClassification", "ForQuestionAnswering"} | _CAUSAL
_UNPOOLED_ROBERTA = _UNPOOLED_BERT | {"ForSequenceClassification"}


def start(
    fields: Fields, *, norm: str = "layer", std: float = 0.02, field: str = "initializer_range"
) -> Start:
    """Return a start of the deviation that `field` tells, or of `std`, and of biases of 0."""
    rule = normal(fields.number(field, std))
    return Start(
        conv=rule, conv_bias=zero, linear=rule, linear_bias=zero, embedding=rule, norm=norm
    )


def begin(
    fields: Fields, head: str, prefix: str, *, std: float = 0.02, field: str = "initializer_range"
) -> tuple[Builder, str]:
    """Return a builder of `start`, and the prefix of names, which a bare model lacks."""
    return Builder(start(fields, std=std, field=field)), "" if head == "Model" else prefix


def bert(fields: Fields, head: str, *, name: str = "bert", n_tasks: int = 0) -> Architecture:
    """Return BERT with the given head; `Model` is encoder and pooler.

    `name` is what stands before the encoder's tensors beside a head, `n_tasks` the rows of a table
    of tasks (ERNIE's).
    """
    part = Builder(start(fields))
    width, vocabulary = _encoder(
        part,
        fields,
        prefix="" if head == "Model" else f"{name}.",
        pooled=head not in _UNPOOLED_BERT,
        vocabulary=30522,
        padded_positions=False,
        n_tasks=n_tasks,
    )
    classes = None
    if head in {"ForPreTraining", "ForMaskedLM"} | _CAUSAL:
        classes = vocabulary
        word_head(part, fields, (width, width, vocabulary))
    if head in {"ForPreTraining", "ForNextSentencePrediction"}:
        part.linear("cls.seq_relationship", width, 2)
    classes = simple_head(part, fields, head, width) or classes
    return part.done(fields.path, classes=classes)


def word_head(
    part: Builder,
    fields: Fields,
    sizes: tuple[int, int, int],
    *,
    name: str = "cls.predictions",
    parts: tuple[str, str] = ("transform.dense", "transform.LayerNorm"),
) -> None:
    """Add a head over words: a dense layer, its norm, and the output unless it is the words' table.

    `sizes` are the width, the table's own and the vocabulary's.
    """
    width, narrow, vocabulary = sizes
    dense, norm = parts
    part.add(f"{name}.bias", vocabulary, role=Role.BIAS)
    part.linear(f"{name}.{dense}", width, narrow)
    part.norm(f"{name}.{norm}", narrow)
    if not fields.flag("tie_word_embeddings", default=True):
        part.linear(f"{name}.decoder", narrow, vocabulary, bias=False)


def tied_output(
    part: Builder, fields: Fields, name: str, sizes: tuple[int, int], *, tied: bool = True
) -> None:
    """Add an output of a width over a vocabulary; of one that is tied to the words, its bias."""
    width, vocabulary = sizes
    if fields.flag("tie_word_embeddings", default=tied):
        part.add(f"{name}.bias", vocabulary, role=Role.BIAS)
    else:
        part.linear(name, width, vocabulary)


def roberta_head(part: Builder, fields: Fields, head: str, sizes: tuple[int, int]) -> Architecture:
    """Add RoBERTa's head above a width, over words or `classified`'s; return the model."""
    width, vocabulary = sizes
    if head not in {"ForMaskedLM", "ForCausalLM"}:
        return part.done(fields.path, classes=classified(part, fields, head, width))
    words = (width, width, vocabulary)
    word_head(part, fields, words, name="lm_head", parts=("dense", "layer_norm"))
    return part.done(fields.path, classes=vocabulary)


def classified(part: Builder, fields: Fields, head: str, width: int) -> int | None:
    """Add a head; sequences are classified through a dense layer. Return its classes."""
    if head != "ForSequenceClassification":
        return simple_head(part, fields, head, width)
    part.linear("classifier.dense", width, width)
    part.linear("classifier.out_proj", width, fields.labels())
    return fields.labels()


def simple_head(part: Builder, fields: Fields, head: str, width: int) -> int | None:
    """Add the heads of one dense layer; return the number of classes, if it has any."""
    if head in {"ForSequenceClassification", "ForTokenClassification"}:
        part.linear("classifier", width, fields.labels())
        return fields.labels()
    if head == "ForMultipleChoice":
        part.linear("classifier", width, 1)
    if head == "ForQuestionAnswering":
        part.linear("qa_outputs", width, fields.labels())
    return None


def xlm_roberta(fields: Fields, head: str) -> Architecture:
    """Return XLM-RoBERTa: RoBERTa, where nothing is said with BERT's vocabulary."""
    return roberta(fields, head, vocabulary=30522)


def roberta(
    fields: Fields, head: str, *, vocabulary: int = 50265, name: str = "roberta"
) -> Architecture:
    """Return RoBERTa with the given head; `Model` is encoder and pooler."""
    part = Builder(start(fields))
    width, vocabulary = _encoder(
        part,
        fields,
        prefix="" if head == "Model" else f"{name}.",
        pooled=head not in _UNPOOLED_ROBERTA,
        vocabulary=vocabulary,
        padded_positions=True,
    )
    return roberta_head(part, fields, head, (width, vocabulary))


def _encoder(
    part: Builder,
    fields: Fields,
    *,
    prefix: str,
    pooled: bool,
    vocabulary: int,
    padded_positions: bool,
    n_tasks: int = 0,
) -> tuple[int, int]:
    """Add embeddings, layers and pooler; return the width and the size of the vocabulary."""
    vocabulary = fields.size("vocab_size", vocabulary)
    width = fields.size("hidden_size", 768)
    hidden = fields.size("intermediate_size", 3072)
    table = f"{prefix}embeddings"
    bert_tables(
        part, fields, table, (width, vocabulary), padded_positions=padded_positions, n_tasks=n_tasks
    )
    reads = reads_another(fields)
    for index in range(fields.size("num_hidden_layers", 12)):
        bert_layer(part, f"{prefix}encoder.layer.{index}", width, hidden, reads=reads)
    if pooled:
        part.linear(f"{prefix}pooler.dense", width, width)
    return width, vocabulary


def reads_another(fields: Fields) -> bool:
    """Return whether the layers attend to another model's output too, as a decoder's may.

    Raises:
        UnreadableFileError: they do though this is no decoder, which the class refuses.
    """
    reads = fields.flag("add_cross_attention", default=False)
    if reads:
        fields.require("is_decoder", value=True)
        if "is_decoder" not in fields:
            raise fields.wrong("is_decoder", None, "true, as add_cross_attention is")
    return reads


_NORMS = ("attention.output.LayerNorm", "output.LayerNorm")


def bert_tables(
    part: Builder, fields: Fields, name: str, sizes: tuple[int, int], *, positions: int = 512,
    padded_positions: bool = False, n_tasks: int = 0,
) -> None:  # fmt: skip
    """Add BERT's tables of words, positions and types (and tasks), and their norm.

    `sizes` are the width and the vocabulary, `positions` is how many hold where none are told.
    """
    width, vocabulary = sizes
    places = fields.size("max_position_embeddings", positions)
    part.embedding(f"{name}.word_embeddings", vocabulary, width, padding=True)
    part.positions(f"{name}.position_embeddings", places, width, padding=padded_positions)
    part.embedding(f"{name}.token_type_embeddings", fields.size("type_vocab_size", 2), width)
    if n_tasks:
        part.embedding(f"{name}.task_type_embeddings", n_tasks, width)
    part.norm(f"{name}.LayerNorm", width)


def bert_layer(
    part: Builder, name: str, width: int, hidden: int, *, norms: tuple[str, str] = _NORMS,
    inputs: tuple[str, ...] = QUERY_KEY_VALUE, bias: bool = True, reads: bool = False,
) -> None:  # fmt: skip
    """Add one of BERT's layers; `inputs` are what attention reads by, with a `bias` or without.

    Where it `reads` another model's output, attention to that follows its own.
    """
    part.linears(f"{name}.attention.self", inputs, width, width, bias=bias)
    bert_outputs(part, name, width, hidden, norms=norms, reads=reads)


def bert_outputs(
    part: Builder, name: str, width: int, hidden: int, *,
    norms: tuple[str, str] = _NORMS, reads: bool = False,
) -> None:  # fmt: skip
    """Add what follows attention in one of BERT's layers."""
    part.linear(f"{name}.attention.output.dense", width, width)
    part.norm(f"{name}.{norms[0]}", width)
    if reads:
        part.linears(f"{name}.crossattention.self", QUERY_KEY_VALUE, width, width)
        part.linear(f"{name}.crossattention.output.dense", width, width)
        part.norm(f"{name}.crossattention.output.LayerNorm", width)
    part.feed_forward(name, ("intermediate.dense", "output.dense"), width, hidden)
    part.norm(f"{name}.{norms[1]}", width)


def distilbert(fields: Fields, head: str) -> Architecture:
    """Return DistilBERT with the given head; `Model` is the encoder alone."""
    part, prefix = begin(fields, head, "distilbert.")
    width = fields.size("dim", 768)
    vocabulary = fields.size("vocab_size", 30522)
    table = f"{prefix}embeddings"
    part.embedding(f"{table}.word_embeddings", vocabulary, width, padding=True)
    positions = fields.size("max_position_embeddings", 512)
    # Sines and cosines have a mean square of one half.
    fixed = normal(0.5**0.5) if fields.flag("sinusoidal_pos_embds", default=False) else None
    part.positions(f"{table}.position_embeddings", positions, width, rule=fixed)
    part.norm(f"{table}.LayerNorm", width)
    for index in range(fields.size("n_layers", 6)):
        name = f"{prefix}transformer.layer.{index}"
        _distilbert_layer(part, name, width, fields.size("hidden_dim", 3072))
    classes = _distilbert_head(part, fields, head, (width, vocabulary))
    return part.done(fields.path, classes=classes)


def _distilbert_layer(part: Builder, name: str, width: int, hidden: int) -> None:
    part.linears(f"{name}.attention", ("q_lin", "k_lin", "v_lin", "out_lin"), width, width)
    part.norm(f"{name}.sa_layer_norm", width)
    part.feed_forward(f"{name}.ffn", ("lin1", "lin2"), width, hidden)
    part.norm(f"{name}.output_layer_norm", width)


def _distilbert_head(
    part: Builder, fields: Fields, head: str, sizes: tuple[int, int]
) -> int | None:
    """Add the head; return its number of classes."""
    width, vocabulary = sizes
    if head == "ForMaskedLM":
        part.linear("vocab_transform", width, width)
        part.norm("vocab_layer_norm", width)
        tied_output(part, fields, "vocab_projector", sizes)
        return vocabulary
    if head in {"ForSequenceClassification", "ForMultipleChoice"}:
        part.linear("pre_classifier", width, width)
    return simple_head(part, fields, head, width)
