"""wav2vec 2.0 over a conformer (Wav2Vec2-BERT), with or without an adapter above.

Source: transformers/models/wav2vec2_bert/configuration_*.py and modeling_*.py (v4.57.1) for
defaults, rules, names and `_init_weights`; Seamless Communication 2023 (2312.05187), section 3.2.
"""

from decaycalc.architecture.build import (
    Builder,
    Start,
    he_in,
    normal,
    torch_uniform,
    unknown,
    zero,
)
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Architecture, Role

HEADS = ("Model", "ForCTC", "ForSequenceClassification")
_UNIFORM = (0.5, 1 / 12)  # mean and variance of uniform numbers from 0 to 1
_POSITIONS = {"relative_key", "rotary", None}


def wav2vec2_bert(fields: Fields, head: str) -> Architecture:
    """Return Wav2Vec2-BERT.

    Raises:
        UnreadableFileError: positions that are not known here, or no words to write.
    """
    rule = normal(fields.number("initializer_range", 0.02))
    start = Start(conv=he_in, conv_bias=torch_uniform, linear=rule, linear_bias=zero,
                  embedding=unknown)  # fmt: skip
    part, prefix = Builder(start), "" if head == "Model" else "wav2vec2_bert."
    width, layers = fields.size("hidden_size", 1024), fields.size("num_hidden_layers", 24)
    classified = head == "ForSequenceClassification"
    if classified and fields.flag("use_weighted_layer_sum", default=False):
        part.add("layer_weights", layers + 1, role=Role.OTHER, mean=1 / (layers + 1))
    mean, variance = _UNIFORM
    if fields.number("mask_time_prob", 0.05) or fields.number("mask_feature_prob", 0.0):
        name = f"{prefix}masked_spec_embed"
        part.add(name, width, role=Role.OTHER, mean=mean, variance=variance)
    n_in = fields.size("feature_projection_input_dim", 160)
    part.norm(f"{prefix}feature_projection.layer_norm", n_in)
    part.linear(f"{prefix}feature_projection.projection", n_in, width, rule=torch_uniform,
                bias_rule=torch_uniform)  # fmt: skip
    for index in range(layers):
        _layer(part, f"{prefix}encoder.layers.{index}", fields, width)
    out = width
    if fields.flag("add_adapter", default=False):
        out = _adapter(part, prefix, fields, width)
    return _finished(part, fields, head, out)


def _finished(part: Builder, fields: Fields, head: str, width: int) -> Architecture:
    classes = None
    if head == "ForCTC":
        if "vocab_size" not in fields:
            raise fields.wrong("vocab_size", None, "a whole number, for ForCTC")
        classes = fields.size("vocab_size", 1)
        part.linear("lm_head", width, classes)
    elif head == "ForSequenceClassification":
        classes, narrow = fields.labels(), fields.size("classifier_proj_size", 768)
        part.linear("projector", width, narrow)
        part.linear("classifier", narrow, classes)
    return part.done(fields.path, classes=classes)


def _layer(part: Builder, name: str, fields: Fields, width: int) -> None:
    hidden, kernel = (
        fields.size("intermediate_size", 4096),
        fields.size("conv_depthwise_kernel_size", 31),
    )
    part.norm(f"{name}.ffn1_layer_norm", width)
    part.feed_forward(f"{name}.ffn1", _DENSE, width, hidden)
    part.norm(f"{name}.self_attn_layer_norm", width)
    _attention(part, f"{name}.self_attn", fields, width, positions=True)
    conv = f"{name}.conv_module"
    part.norm(f"{conv}.layer_norm", width)
    part.conv(f"{conv}.pointwise_conv1", width, 2 * width, 1, line=True, bias=False)
    label = f"{conv}.depthwise_conv"
    part.conv(label, width, width, kernel, groups=width, line=True, bias=False)
    part.norm(f"{conv}.depthwise_layer_norm", width)
    part.conv(f"{conv}.pointwise_conv2", width, width, 1, line=True, bias=False)
    part.norm(f"{name}.ffn2_layer_norm", width)
    part.feed_forward(f"{name}.ffn2", _DENSE, width, hidden)
    part.norm(f"{name}.final_layer_norm", width)


_DENSE = ("intermediate_dense", "output_dense")


def _attention(part: Builder, name: str, fields: Fields, width: int, *, positions: bool) -> None:
    part.linears(name, ("linear_q", "linear_k", "linear_v", "linear_out"), width, width)
    kind = fields.values.get("position_embeddings_type", "relative_key")
    if kind not in _POSITIONS:
        raise fields.wrong("position_embeddings_type", kind, "relative_key, rotary or null")
    if positions and kind == "relative_key":
        left, right = (
            fields.size("left_max_position_embeddings", 64),
            fields.size("right_max_position_embeddings", 8),
        )
        size = max(1, width // fields.size("num_attention_heads", 16))
        table = f"{name}.distance_embedding"
        part.positions(table, left + right + 1, size)


def _adapter(part: Builder, prefix: str, fields: Fields, width: int) -> int:
    """Add what shortens the sequence; return its width."""
    out, name = fields.size("output_hidden_size", width), f"{prefix}adapter"
    if out != width:
        part.linear(f"{name}.proj", width, out)
        part.norm(f"{name}.proj_layer_norm", out)
    kernel = fields.size("adapter_kernel_size", 3)
    for index in range(fields.size("num_adapter_layers", 1)):
        layer = f"{name}.layers.{index}"
        for norm, conv in (("residual_layer_norm", "residual_conv"),
                           ("self_attn_layer_norm", "self_attn_conv")):  # fmt: skip
            part.norm(f"{layer}.{norm}", out)
            part.conv(f"{layer}.{conv}", out, 2 * out, kernel, line=True)
        _attention(part, f"{layer}.self_attn", fields, out, positions=False)
        part.norm(f"{layer}.ffn_layer_norm", out)
        part.feed_forward(f"{layer}.ffn", _DENSE, out, fields.size("intermediate_size", 4096))
    if fields.flag("use_intermediate_ffn_before_adapter", default=False):
        hidden = fields.size("intermediate_size", 4096)
        part.feed_forward(f"{prefix}intermediate_ffn", _DENSE, width, hidden)
    return out
