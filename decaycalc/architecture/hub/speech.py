"""wav2vec 2.0, HuBERT and WavLM, with the tensor names of transformers.

Source: transformers/models/{wav2vec2,hubert,wavlm}/modeling_*.py (v4.57.1) for rules, names and
`_init_weights`; Baevski et al. 2020 (2006.11477), Hsu et al. 2021 (2106.07447), Chen et al. 2021
(2110.13900).
"""

from decaycalc.architecture.build import (
    UNIT,
    Builder,
    Start,
    he_in,
    normal,
    torch_uniform,
    unknown,
    zero,
)
from decaycalc.architecture.hub.encoders import KEY_VALUE_QUERY_OUT
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.tensors import Architecture, Role

HUBERT_HEADS = ("ForCTC", "Model", "ForSequenceClassification")
WAV2VEC2_HEADS = (*HUBERT_HEADS, "ForPreTraining", "ForAudioFrameClassification")
# What uniform numbers from 0 to 1 are: their mean and their variance.
_UNIFORM = (0.5, 1 / 12)
_GATE = 8  # outputs of WavLM's gate of relative positions


def wav2vec2(fields: Fields, head: str) -> Architecture:
    """Return wav2vec 2.0, HuBERT or WavLM, as `model_type` says.

    Raises:
        UnreadableFileError: adapters below a head that has none, or another part that is not known
            here.
    """
    _refuse_parts(fields, head)
    rule = normal(fields.number("initializer_range", 0.02))
    part = Builder(Start(conv=he_in, linear=rule, linear_bias=zero, embedding=unknown))
    width = fields.size("hidden_size", 768)
    layers = fields.size("num_hidden_layers", 12)
    classified = head.endswith("Classification")
    if classified and fields.flag("use_weighted_layer_sum", default=False):
        part.add("layer_weights", layers + 1, role=Role.OTHER, mean=1 / (layers + 1))
    kind = fields.text("model_type", "wav2vec2")
    prefix = "" if head == "Model" else f"{kind.replace('-', '_')}."
    features = add_features(part, prefix, fields, width)
    encoder = f"{prefix}encoder"
    if kind == "data2vec-audio":
        _stacked_positions(part, f"{encoder}.pos_conv_embed", fields, width)
    else:
        add_positions(part, f"{encoder}.pos_conv_embed.conv", fields, width)
    part.norm(f"{encoder}.layer_norm", width)
    for index in range(layers):
        _layer(part, f"{encoder}.layers.{index}", fields, width, first=index == 0)
    if fields.flag("add_adapter", default=False):
        width = _adapter(part, f"{prefix}adapter", fields, width)
    return part.done(fields.path, classes=_head(part, fields, head, (width, features)))


_ADAPTED = frozenset({"wav2vec2", "data2vec-audio"})  # types that convolutions may follow


def _refuse_parts(fields: Fields, head: str) -> None:
    fields.require("conv_pos_batch_norm", value=False)
    kind = fields.text("model_type", "wav2vec2")
    if kind not in _ADAPTED or head not in {"Model", "ForCTC"}:
        fields.require("add_adapter", value=False)


def _adapter(part: Builder, name: str, fields: Fields, width: int) -> int:
    """Add convolutions that shorten what the encoder has heard; return what they end with."""
    out, kernel = fields.size("output_hidden_size", width), fields.size("adapter_kernel_size", 3)
    if out != width:
        part.linear(f"{name}.proj", width, out)
        part.norm(f"{name}.proj_layer_norm", out)
    for index in range(fields.size("num_adapter_layers", 3)):
        part.conv(f"{name}.layers.{index}.conv", out, 2 * out, kernel, line=True)
    return out


def add_features(
    part: Builder, prefix: str, fields: Fields, width: int, *, extractor: str = "feature_extractor"
) -> int:
    """Add what turns a wave into vectors; return the width of its last layer."""
    if fields.number("mask_time_prob", 0.05) or fields.number("mask_feature_prob", 0.0):
        mean, variance = _UNIFORM
        name = f"{prefix}masked_spec_embed"
        part.add(name, width, role=Role.OTHER, mean=mean, variance=variance)
    widths = fields.sizes("conv_dim", (512,) * 7)
    kernels = fields.sizes("conv_kernel", (10, 3, 3, 3, 3, 2, 2))
    if len(kernels) != len(widths):
        raise fields.wrong("conv_kernel", list(kernels), "as many as conv_dim")
    bias, n_in = fields.flag("conv_bias", default=False), 1
    usual = "layer" if fields.text("model_type", "") == "data2vec-audio" else "group"
    every = fields.text("feat_extract_norm", usual) == "layer"
    for index, (n_out, kernel) in enumerate(zip(widths, kernels, strict=True)):
        name = f"{prefix}{extractor}.conv_layers.{index}"
        part.conv(f"{name}.conv", n_in, n_out, kernel, bias=bias, line=True)
        if every or index == 0:
            part.norm(f"{name}.layer_norm", n_out)
        n_in = n_out
    projection = f"{prefix}feature_projection"
    if fields.flag("feat_proj_layer_norm", default=True):
        part.norm(f"{projection}.layer_norm", n_in)
    is_hubert = fields.text("model_type", "wav2vec2") == "hubert"
    rule = None if is_hubert else torch_uniform
    part.linear(f"{projection}.projection", n_in, width, rule=rule, bias_rule=rule)
    return n_in


def add_positions(part: Builder, name: str, fields: Fields, width: int) -> None:
    """Add the convolution that tells positions, its weight as magnitudes and directions."""
    kernel = fields.size("num_conv_pos_embeddings", 128)
    grouped = max(1, width // fields.size("num_conv_pos_embedding_groups", 16))
    fans, weight = (grouped * kernel, width * kernel), f"{name}.parametrizations.weight"
    part.add(f"{name}.bias", width, role=Role.BIAS, fans=fans, variance=None)
    part.add(f"{weight}.original0", 1, 1, kernel, role=Role.OTHER, variance=None)
    part.add(f"{weight}.original1", width, grouped, kernel, fans=fans, variance=None)


def _stacked_positions(part: Builder, name: str, fields: Fields, width: int) -> None:
    """Add data2vec's convolutions that tell positions, one after another."""
    kernel, groups = (
        fields.size("conv_pos_kernel_size", 19),
        fields.size("num_conv_pos_embedding_groups", 16),
    )
    for index in range(fields.size("num_conv_pos_embeddings", 5)):
        label = f"{name}.layers.{index}.conv"
        part.conv(label, width, width, kernel, groups=groups, line=True)


def _layer(part: Builder, name: str, fields: Fields, width: int, *, first: bool) -> None:
    hidden, attention = fields.size("intermediate_size", 3072), f"{name}.attention"
    heads, gated = fields.size("num_attention_heads", 12), fields.text("model_type", "") == "wavlm"
    if gated:
        part.add(f"{attention}.gru_rel_pos_const", 1, heads, 1, 1, role=Role.OTHER, mean=1.0)
    part.linears(attention, KEY_VALUE_QUERY_OUT, width, width)
    if gated:
        part.linear(f"{attention}.gru_rel_pos_linear", max(1, width // heads), _GATE)
        if first:
            table, buckets = f"{attention}.rel_attn_embed", fields.size("num_buckets", 320)
            part.positions(table, buckets, heads)
    part.norm(f"{name}.layer_norm", width)
    part.feed_forward(f"{name}.feed_forward", ("intermediate_dense", "output_dense"), width, hidden)
    part.norm(f"{name}.final_layer_norm", width)
    stable = fields.flag("do_stable_layer_norm", default=False)
    if stable and fields.text("model_type", "wav2vec2") in _WITH_ADAPTERS:
        narrow = fields.size_or_none("adapter_attn_dim")
        if narrow:
            part.norm(f"{name}.adapter_layer.norm", width)
            part.feed_forward(f"{name}.adapter_layer", ("linear_1", "linear_2"), width, narrow)


# Types whose layers may each end in an adapter, as those of MMS do for each language.
_WITH_ADAPTERS = frozenset({"wav2vec2", "hubert", "unispeech-sat", "unispeech"})


def _head(part: Builder, fields: Fields, head: str, widths: tuple[int, int]) -> int | None:
    """Add the head; return its number of classes."""
    width, features = widths
    if head == "ForCTC":
        characters = fields.size("vocab_size", 32)
        part.linear("lm_head", width, characters)
        return characters
    if head == "ForSequenceClassification":
        narrow = fields.size("classifier_proj_size", 256)
        part.linear("projector", width, narrow)
        part.linear("classifier", narrow, fields.labels())
        return fields.labels()
    if head == "ForAudioFrameClassification":
        part.linear("classifier", width, fields.labels())
        return fields.labels()
    if head == "ForPreTraining":
        _quantizer(part, fields, width, features)
    return None


def _quantizer(part: Builder, fields: Fields, width: int, features: int) -> None:
    """Add the books of codes, and the projections that compare them with what is predicted."""
    groups, size = fields.size("num_codevector_groups", 2), fields.size("codevector_dim", 256)
    codes, shared = (
        groups * fields.size("num_codevectors_per_group", 320),
        fields.size("proj_codevector_dim", 256),
    )
    mean, variance = _UNIFORM
    shape = (1, codes, max(1, size // groups))
    part.add("quantizer.codevectors", *shape, role=Role.OTHER, mean=mean, variance=variance)
    part.linear("quantizer.weight_proj", features, codes, rule=UNIT)
    for name, n_in in (("project_hid", width), ("project_q", size)):
        part.linear(name, n_in, shared, rule=torch_uniform, bias_rule=torch_uniform)
