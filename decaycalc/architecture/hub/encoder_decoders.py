"""T5, BART, their relatives and Whisper, with the tensor names of transformers.

Source: transformers/models/{t5,mt5,umt5,bart,mbart,pegasus,marian,m2m_100,led,whisper}/
modeling_*.py (v4.57.1) for rules, names and `_init_weights`; Raffel et al. 2019 (1910.10683),
Lewis et al. 2019 (1910.13461), Radford et al. 2022 (2212.04356).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from decaycalc.architecture.build import Builder, Start, Variance, normal
from decaycalc.architecture.hub.decoders import finish
from decaycalc.architecture.hub.encoders import QUERY_KEY_VALUE, begin
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Architecture

T5_HEADS = ("ForConditionalGeneration", "Model", "EncoderModel")
PEGASUS_HEADS = ("ForConditionalGeneration", "Model")
BART_HEADS = (*PEGASUS_HEADS, "ForSequenceClassification", "ForQuestionAnswering")
WHISPER_HEADS = ("ForConditionalGeneration", "Model")


def t5(fields: Fields, head: str) -> Architecture:
    """Return T5 (or its version 1.1, whose feed-forward layers are gated), mT5, umT5 or LongT5.

    Raises:
        UnreadableFileError: a decoder for an encoder, or a malformed field.
    """
    fields.require("is_decoder", value=False)
    kind = fields.text("model_type", "t5")
    factor = fields.number("initializer_factor", 1.0)
    part = Builder(Start(embedding=normal(factor), norm="rms"))
    width = fields.size("d_model", 512)
    vocabulary = fields.size("vocab_size", 32128 if _is_first(fields) else 250112)
    layers = fields.size("num_layers", 6 if _is_first(fields) else 8)
    part.embedding("shared", vocabulary, width)
    _t5_stack(part, "encoder", fields, layers, crossed=False)
    if head != "EncoderModel":
        decoder_layers = fields.size("num_decoder_layers", layers)
        _t5_stack(part, "decoder", fields, decoder_layers, crossed=True)
    tied = fields.flag("tie_word_embeddings", default=kind != "mt5")
    if head == "ForConditionalGeneration" and not tied:
        part.linear("lm_head", width, vocabulary, bias=False, rule=normal(factor))
    return part.done(fields.path, classes=vocabulary)


def _is_first(fields: Fields) -> bool:
    """Return whether the defaults are T5's own, not its multilingual relatives'."""
    return fields.text("model_type", "t5") in {"t5", "longt5"}


def _t5_stack(part: Builder, name: str, fields: Fields, layers: int, *, crossed: bool) -> None:
    width, factor = fields.size("d_model", 512), fields.number("initializer_factor", 1.0)
    every, attention = fields.text("model_type", "t5") == "umt5", "SelfAttention"
    if fields.text("model_type", "t5") == "longt5" and not crossed:
        attention = _long_attention(fields)
    for index in range(layers):
        block = f"{name}.block.{index}.layer"
        _t5_attention(part, f"{block}.0.{attention}", fields, table=index == 0 or every)
        part.norm(f"{block}.0.layer_norm", width, bias=False, gain=factor)
        if crossed:
            _t5_attention(part, f"{block}.1.EncDecAttention", fields, table=False)
            part.norm(f"{block}.1.layer_norm", width, bias=False, gain=factor)
        last = f"{block}.{2 if crossed else 1}"
        _t5_feed_forward(part, f"{last}.DenseReluDense", fields)
        part.norm(f"{last}.layer_norm", width, bias=False, gain=factor)
    part.norm(f"{name}.final_layer_norm", width, bias=False, gain=factor)


def _long_attention(fields: Fields) -> str:
    """Return what LongT5's encoder calls its attention.

    Raises:
        UnreadableFileError: a kind that there is not.
    """
    kinds = {"local": "LocalSelfAttention", "transient-global": "TransientGlobalSelfAttention"}
    kind = fields.text("encoder_attention_type", "local")
    if kind not in kinds:
        raise fields.wrong("encoder_attention_type", kind, "local or transient-global")
    return kinds[kind]


def _t5_attention(part: Builder, name: str, fields: Fields, *, table: bool) -> None:
    """Add the four projections; only the first block of a stack holds relative positions."""
    width, size = fields.size("d_model", 512), fields.size("d_kv", 64)
    heads = fields.size("num_heads", 8 if _is_first(fields) else 6)
    factor = fields.number("initializer_factor", 1.0)
    inner = heads * size
    by_width = normal(factor * width**-0.5)
    query = normal(factor * (width * size) ** -0.5)
    part.linear(f"{name}.q", width, inner, bias=False, rule=query)
    part.linear(f"{name}.k", width, inner, bias=False, rule=by_width)
    part.linear(f"{name}.v", width, inner, bias=False, rule=by_width)
    part.linear(f"{name}.o", inner, width, bias=False, rule=normal(factor * inner**-0.5))
    if table:
        buckets = fields.size("relative_attention_num_buckets", 32)
        positions = f"{name}.relative_attention_bias"
        part.positions(positions, buckets, heads, rule=by_width)
    if ".Transient" in name:
        if table:
            positions = f"{name}.global_relative_attention_bias"
            part.positions(positions, buckets, heads, rule=by_width)
        part.norm(f"{name}.global_input_layer_norm", width, bias=False, gain=factor)


def _t5_feed_forward(part: Builder, name: str, fields: Fields) -> None:
    width = fields.size("d_model", 512)
    hidden = fields.size("d_ff", 2048 if _is_first(fields) else 1024)
    factor = fields.number("initializer_factor", 1.0)
    usual = "relu" if _is_first(fields) else "gated-gelu"
    gated = fields.text("feed_forward_proj", usual).startswith("gated-")
    gated = fields.flag("is_gated_act", default=gated)
    for gate in ("wi_0", "wi_1") if gated else ("wi",):
        rule = normal(factor * width**-0.5)
        part.linear(f"{name}.{gate}", width, hidden, bias=False, rule=rule)
    part.linear(f"{name}.wo", hidden, width, bias=False, rule=normal(factor * hidden**-0.5))


def bart(fields: Fields, head: str) -> Architecture:
    """Return BART or one of its relatives; encoder, decoder and output share one table of words.

    Raises:
        UnreadableFileError: the tables are not shared, or a malformed field.
    """
    plan = PLANS[fields.text("model_type", "bart")]
    fields = fields.over(plan.usual)
    part, prefix = begin(fields, head, plan.prefix, field="init_std")
    width, vocabulary = fields.size("d_model", 1024), fields.size("vocab_size", plan.vocabulary)
    for name in ("tie_word_embeddings", "share_encoder_decoder_embeddings"):
        fields.require(name, value=True)
    fields.require("use_prompt", value=False)
    part.embedding(f"{prefix}shared", vocabulary, width, padding=True)
    for side in ("encoder", "decoder"):
        _bart_side(part, f"{prefix}{side}", fields, plan, width)
    if head == "ForSequenceClassification":
        part.linear("classification_head.dense", width, width)
        part.linear("classification_head.out_proj", width, fields.labels(usual=plan.labels))
        return part.done(fields.path, classes=fields.labels(usual=plan.labels))
    if head == "ForQuestionAnswering":
        part.linear("qa_outputs", width, 2)
        return part.done(fields.path, classes=None)
    return part.done(fields.path, classes=vocabulary)


def bart_decoder(fields: Fields, _head: str) -> Architecture:
    """Return the decoder of a relative of BART alone, which writes what an encoder has read.

    Raises:
        UnreadableFileError: a malformed field.
    """
    plan = PLANS[fields.text("model_type", "bart")]
    part, prefix = begin(fields, "", "model.decoder", field="init_std")
    width, vocabulary = fields.size("d_model", 1024), fields.size("vocab_size", plan.vocabulary)
    part.embedding(f"{prefix}.embed_tokens", vocabulary, width, padding=True)
    _bart_side(part, prefix, fields, plan, width)
    return finish(part, fields, "ForCausalLM", (width, vocabulary))


def _bart_side(part: Builder, name: str, fields: Fields, plan: "BartPlan", width: int) -> None:
    """Add the encoder or the decoder, whichever the name ends with, without its words."""
    side = name.rpartition(".")[2]
    if plan.positions:
        key = f"max_{side}_position_embeddings" if plan.far else "max_position_embeddings"
        usual = 16384 if plan.far and side == "encoder" else 1024
        places = fields.size(key, usual) + plan.offset
        # Sines and cosines have a mean square of one half.
        table = normal(0.5**0.5) if plan.sines else None
        part.positions(f"{name}.embed_positions", places, width, rule=table)
    hidden = fields.size(f"{side}_ffn_dim", 4096)
    for index in range(fields.size(f"{side}_layers", 12)):
        layer = f"{name}.layers.{index}"
        if plan.far and side == "encoder":
            _far_layer(part, layer, width, hidden)
        else:
            bart_layer(part, layer, width, hidden, reads=side == "decoder")
    part.norms(name, plan.norms, width)


def _far_layer(part: Builder, name: str, width: int, hidden: int) -> None:
    """Add a layer of LED's encoder, whose attention is Longformer's."""
    inputs = (*QUERY_KEY_VALUE, "query_global", "key_global", "value_global")
    part.linears(f"{name}.self_attn.longformer_self_attn", inputs, width, width)
    part.linear(f"{name}.self_attn.output", width, width)
    part.norm(f"{name}.self_attn_layer_norm", width)
    part.feed_forward(name, ("fc1", "fc2"), width, hidden)
    part.norm(f"{name}.final_layer_norm", width)


@dataclass(frozen=True, slots=True, kw_only=True)
class BartPlan:
    """How a relative of BART differs: its table of positions, and the norms of a whole side.

    `labels` are a classifier's classes where nothing is said, `usual` sizes that are not BART's;
    `far` is whether the encoder attends and has positions as Longformer.
    """

    vocabulary: int
    offset: int = 0
    positions: bool = True
    sines: bool = False
    norms: tuple[str, ...] = ("layer_norm",)
    labels: int = 2
    prefix: str = "model."
    far: bool = False
    usual: Mapping[str, int] = field(default_factory=dict)


PLANS = {
    "bart": BartPlan(vocabulary=50265, offset=2, norms=("layernorm_embedding",), labels=3),
    "mbart": BartPlan(vocabulary=50265, offset=2, norms=("layernorm_embedding", "layer_norm")),
    "pegasus": BartPlan(vocabulary=50265, sines=True),
    "marian": BartPlan(vocabulary=58101, sines=True, norms=()),
    "plbart": BartPlan(
        vocabulary=50005, offset=2, norms=("layernorm_embedding",),
        usual={"d_model": 768, "encoder_layers": 6, "decoder_layers": 6, "encoder_ffn_dim": 3072,
               "decoder_ffn_dim": 3072},
    ),
    "mvp": BartPlan(vocabulary=50267, offset=2, norms=("layernorm_embedding",)),
    "blenderbot": BartPlan(
        vocabulary=8008,
        usual={"d_model": 2560, "encoder_layers": 2, "decoder_layers": 24,
               "encoder_ffn_dim": 10240, "decoder_ffn_dim": 10240, "max_position_embeddings": 128},
    ),
    "blenderbot-small": BartPlan(
        vocabulary=50265, norms=("layernorm_embedding",),
        usual={"d_model": 512, "encoder_layers": 8, "decoder_layers": 8, "encoder_ffn_dim": 2048,
               "decoder_ffn_dim": 2048, "max_position_embeddings": 512},
    ),
    "led": BartPlan(
        vocabulary=50265, norms=("layernorm_embedding",), prefix="led.", far=True
    ),
    "m2m_100": BartPlan(vocabulary=128112, positions=False),
}  # fmt: skip


def bart_layer(
    part: Builder, name: str, width: int, hidden: int, *, reads: bool, key_bias: bool = True,
    seen: int = 0,
) -> None:  # fmt: skip
    """Add one of BART's layers, with attention to the encoder where it `reads` that.

    `seen` is the encoder's width where it is another one.
    """
    for attention in ("self_attn", "encoder_attn") if reads else ("self_attn",):
        n_in = (seen or width) if attention == "encoder_attn" else width
        part.linear(f"{name}.{attention}.k_proj", n_in, width, bias=key_bias)
        part.linear(f"{name}.{attention}.v_proj", n_in, width)
        part.linears(f"{name}.{attention}", ("q_proj", "out_proj"), width, width)
        part.norm(f"{name}.{attention}_layer_norm", width)
    part.feed_forward(name, ("fc1", "fc2"), width, hidden)
    part.norm(f"{name}.final_layer_norm", width)


def whisper(fields: Fields, head: str) -> Architecture:
    """Return Whisper; its encoder's positions are sines and cosines, stored but not trained."""
    part, prefix = begin(fields, head, "model.", field="init_std")
    width = fields.size("d_model", 384)
    vocabulary, decoder = fields.size("vocab_size", 51865), f"{prefix}decoder"
    whisper_encoder(part, f"{prefix}encoder", fields, positions=normal(0.5**0.5))
    part.embedding(f"{decoder}.embed_tokens", vocabulary, width, padding=True)
    part.positions(f"{decoder}.embed_positions", fields.size("max_target_positions", 448), width)
    whisper_layers(part, decoder, fields, width, reads=True)
    part.norm(f"{decoder}.layer_norm", width)
    tied = fields.flag("tie_word_embeddings", default=True)
    if head == "ForConditionalGeneration" and not tied:
        part.linear("proj_out", width, vocabulary, bias=False)
    return part.done(fields.path, classes=vocabulary)


def whisper_encoder(
    part: Builder, name: str, fields: Fields, *, positions: Variance | None = None
) -> None:
    """Add Whisper's encoder: convolutions over time, `positions` that are stored, and layers."""
    width = fields.size("d_model", 384)
    whisper_convolutions(part, name, fields, width)
    places = fields.size("max_source_positions", 1500)
    part.positions(f"{name}.embed_positions", places, width, rule=positions)
    whisper_layers(part, name, fields, width)
    part.norm(f"{name}.layer_norm", width)


def whisper_convolutions(part: Builder, name: str, fields: Fields, width: int) -> None:
    """Add the two convolutions over time that Whisper hears by."""
    part.conv(f"{name}.conv1", fields.size("num_mel_bins", 80), width, 3, line=True)
    part.conv(f"{name}.conv2", width, width, 3, line=True)


def whisper_layers(
    part: Builder, name: str, fields: Fields, width: int, *, reads: bool = False,
    key_bias: bool = False,
) -> None:  # fmt: skip
    """Add Whisper's layers, the decoder's where they `read` what the encoder has heard."""
    side = "decoder" if reads else "encoder"
    hidden = fields.size(f"{side}_ffn_dim", 1536)
    for index in range(fields.size(f"{side}_layers", 4)):
        layer = f"{name}.layers.{index}"
        bart_layer(part, layer, width, hidden, reads=reads, key_bias=key_bias)
