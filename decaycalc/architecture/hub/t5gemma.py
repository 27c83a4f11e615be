"""T5Gemma: Gemma 2's layers in an encoder and a decoder.

Source: transformers/models/t5gemma/configuration_*.py and modeling_*.py (v4.57.1) for defaults,
rules and names; Zhang et al. 2025 (2504.06225).
"""

from decaycalc.architecture.build import Builder, unknown
from decaycalc.architecture.hub.encoders import start
from decaycalc.architecture.hub.experts import add_gated
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Architecture
from decaycalc.record import replace

HEADS = (
    "ForConditionalGeneration",
    "Model",
    "ForSequenceClassification",
    "ForTokenClassification",
)


def t5gemma(fields: Fields, head: str) -> Architecture:
    """Return T5Gemma, both towers with a table of words of their own.

    Raises:
        UnreadableFileError: an encoder alone, or a malformed field.
    """
    fields.require("is_encoder_decoder", value=True)
    part = Builder(replace(start(fields, norm="rms"), linear=unknown, embedding=unknown))
    prefix = "" if head == "Model" else "model."
    encoder, decoder = fields.part("encoder"), fields.part("decoder")
    read, width = encoder.size("hidden_size", 2304), decoder.size("hidden_size", 2304)
    # What the towers say of their vocabulary gives way to the model's.
    vocabulary = fields.size("vocab_size", 256000)
    _tower(part, f"{prefix}encoder", encoder, vocabulary, 0)
    _tower(part, f"{prefix}decoder", decoder, vocabulary, read)
    if head == "ForConditionalGeneration":
        tied = (each.flag("tie_word_embeddings", default=True) for each in (fields, decoder))
        if not any(tied):
            part.linear("lm_head.out_proj", width, vocabulary, bias=False)
        return part.done(fields.path, classes=vocabulary)
    if head == "Model":
        return part.done(fields.path, classes=None)
    part.linear("score.out_proj", width, fields.labels())
    return part.done(fields.path, classes=fields.labels())


def _tower(part: Builder, name: str, fields: Fields, vocabulary: int, read: int) -> None:
    """Add the encoder, or the decoder that reads one of the width `read`."""
    width, hidden = fields.size("hidden_size", 2304), fields.size("intermediate_size", 9216)
    part.embedding(f"{name}.embed_tokens", vocabulary, width)
    part.norm(f"{name}.norm", width, bias=False, gain=0.0)
    for index in range(fields.size("num_hidden_layers", 26)):
        layer = f"{name}.layers.{index}"
        _attention(part, f"{layer}.self_attn", fields, (width, width))
        _norms(part, layer, "self_attn", width)
        add_gated(part, f"{layer}.mlp", width, hidden, bias=False)
        _norms(part, layer, "feedforward", width)
        if read:
            _attention(part, f"{layer}.cross_attn", fields, (width, read))
            _norms(part, layer, "cross_attn", width)


def _norms(part: Builder, layer: str, around: str, width: int) -> None:
    for place in ("pre", "post"):
        part.norm(f"{layer}.{place}_{around}_layernorm", width, bias=False, gain=0.0)


def _attention(part: Builder, name: str, fields: Fields, widths: tuple[int, int]) -> None:
    """Add attention of layers of the first width to what has the second."""
    width, read = widths
    heads, kept = fields.size("num_attention_heads", 8), fields.size("num_key_value_heads", 4)
    size, bias = fields.size("head_dim", 256), fields.flag("attention_bias", default=False)
    for projection, n_in, number in (("q", width, heads), ("k", read, kept), ("v", read, kept)):
        part.linear(f"{name}.{projection}_proj", n_in, number * size, bias=bias)
    part.linear(f"{name}.o_proj", heads * size, width, bias=bias)
