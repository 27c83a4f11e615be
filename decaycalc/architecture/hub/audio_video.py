"""Audio Spectrogram Transformer, VideoMAE, ViViT, TimeSformer: ViT's layers over sound and films.

Source: transformers/models/{audio_spectrogram_transformer,videomae,vivit,timesformer}/
configuration_*.py and modeling_*.py (v4.57.1) for defaults, rules, names and `_init_weights`; Gong
et al. 2021 (2104.01778), Tong et al. 2022 (2203.12602).
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.encoders import begin
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.images import vit_layer, vit_layers
from decaycalc.architecture.tensors import Architecture, Role

AST_HEADS = ("ForAudioClassification", "Model")
FILM_HEADS = ("ForVideoClassification", "Model")
VIDEOMAE_HEADS = ("ForVideoClassification", "Model", "ForPreTraining")


def ast(fields: Fields, head: str) -> Architecture:
    """Return the Audio Spectrogram Transformer, whose patches overlap."""
    part, prefix = begin(fields, head, "audio_spectrogram_transformer.")
    width = fields.size("hidden_size", 768)
    patch, table = fields.side("patch_size", 16), f"{prefix}embeddings"
    high = (fields.size("num_mel_bins", 128) - patch) // fields.size("frequency_stride", 10) + 1
    long = (fields.size("max_length", 1024) - patch) // fields.size("time_stride", 10) + 1
    for token in ("cls_token", "distillation_token"):
        part.add(f"{table}.{token}", 1, 1, width, role=Role.OTHER)
    part.add(f"{table}.position_embeddings", 1, high * long + 2, width, role=Role.POSITION)
    part.conv(f"{table}.patch_embeddings.projection", 1, width, patch)
    vit_layers(part, fields, prefix, width)
    if head == "Model":
        return part.done(fields.path, classes=None)
    part.norm("classifier.layernorm", width)
    part.linear("classifier.dense", width, fields.labels())
    return part.done(fields.path, classes=fields.labels())


def videomae(fields: Fields, head: str) -> Architecture:
    """Return VideoMAE, whose positions are sines."""
    part, prefix = begin(fields, head, "videomae.")
    width = fields.size("hidden_size", 768)
    patch, frames = fields.side("patch_size", 16), fields.size("tubelet_size", 2)
    channels, pooled = fields.size("num_channels", 3), fields.flag("use_mean_pooling", default=True)
    if head == "ForPreTraining":
        narrow = fields.size("decoder_hidden_size", 384)
        part.add("mask_token", 1, 1, narrow, role=Role.OTHER)
    name = f"{prefix}embeddings.patch_embeddings.projection"
    part.conv(name, channels, width, frames, patch, patch)
    bias = fields.flag("qkv_bias", default=True)
    hidden = fields.size("intermediate_size", 3072)
    for index in range(fields.size("num_hidden_layers", 12)):
        _videomae_layer(part, f"{prefix}encoder.layer.{index}", (width, hidden), bias=bias)
    if not pooled:
        part.norm(f"{prefix}layernorm", width)
    if head == "Model":
        return part.done(fields.path, classes=None)
    if head == "ForVideoClassification":
        if pooled:
            part.norm("fc_norm", width)
        part.linear("classifier", width, fields.labels())
        return part.done(fields.path, classes=fields.labels())
    part.linear("encoder_to_decoder", width, narrow, bias=False)
    hidden = fields.size("decoder_intermediate_size", 1536)
    for index in range(fields.size("decoder_num_hidden_layers", 4)):
        _videomae_layer(part, f"decoder.decoder_layers.{index}", (narrow, hidden), bias=bias)
    part.norm("decoder.norm", narrow)
    part.linear("decoder.head", narrow, channels * frames * patch**2)
    return part.done(fields.path, classes=None)


def _videomae_layer(part: Builder, name: str, widths: tuple[int, int], *, bias: bool) -> None:
    """Add a layer of ViT's whose queries and values have a bias of its own, its keys none."""
    if bias:
        for shift in ("q_bias", "v_bias"):
            part.add(f"{name}.attention.attention.{shift}", widths[0], role=Role.BIAS)
    vit_layer(part, name, *widths, bias=False)


def vivit(fields: Fields, head: str) -> Architecture:
    """Return ViViT, whose patches reach over time.

    Raises:
        UnreadableFileError: a malformed field.
    """
    part, prefix = begin(fields, head, "vivit.")
    width, table = fields.size("hidden_size", 768), f"{prefix}embeddings"
    tube = fields.sizes("tubelet_size", (2, 16, 16))
    if len(tube) != 3:  # noqa: PLR2004  (time, height, width)
        raise fields.wrong("tubelet_size", list(tube), "three sizes")
    side, frames = fields.size("image_size", 224), fields.size("num_frames", 32)
    places = (side // tube[2]) * (side // tube[1]) * (frames // tube[0])
    part.add(f"{table}.cls_token", 1, 1, width, role=Role.OTHER)
    part.add(f"{table}.position_embeddings", 1, places + 1, width, role=Role.POSITION)
    part.conv(f"{table}.patch_embeddings.projection", fields.size("num_channels", 3), width, *tube)
    vit_layers(part, fields, prefix, width)
    if head == "Model":
        part.linear("pooler.dense", width, width)
        return part.done(fields.path, classes=None)
    part.linear("classifier", width, fields.labels())
    return part.done(fields.path, classes=fields.labels())


_ATTENTIONS = ("divided_space_time", "space_only", "joint_space_time")


def timesformer(fields: Fields, head: str) -> Architecture:
    """Return TimeSformer, which may attend to time and to space one after the other.

    Raises:
        UnreadableFileError: another kind of attention, or a malformed field.
    """
    kind = fields.text("attention_type", _ATTENTIONS[0])
    if kind not in _ATTENTIONS:
        raise fields.wrong("attention_type", kind, f"one of {', '.join(_ATTENTIONS)}")
    part, prefix = begin(fields, head, "timesformer.")
    width, table = fields.size("hidden_size", 768), f"{prefix}embeddings"
    patch, places = fields.patches(patch=16)
    small = fields.number("initializer_range", 0.02) ** 2
    part.add(f"{table}.cls_token", 1, 1, width, role=Role.OTHER, variance=small)
    label = f"{table}.position_embeddings"
    part.add(label, 1, places + 1, width, role=Role.POSITION, variance=small)
    if kind != "space_only":
        frames = fields.size("num_frames", 8)
        part.add(f"{table}.time_embeddings", 1, frames, width, role=Role.POSITION)
    part.conv(f"{table}.patch_embeddings.projection", fields.size("num_channels", 3), width, patch)
    for index in range(fields.size("num_hidden_layers", 12)):
        layer = f"{prefix}encoder.layer.{index}"
        _timesformer_layer(part, layer, fields, width, divided=kind == _ATTENTIONS[0])
    part.norm(f"{prefix}layernorm", width)
    if head == "Model":
        return part.done(fields.path, classes=None)
    part.linear("classifier", width, fields.labels())
    return part.done(fields.path, classes=fields.labels())


def _timesformer_layer(
    part: Builder, name: str, fields: Fields, width: int, *, divided: bool
) -> None:
    """Add a layer; one whose attention is `divided` attends to time by layers of its own."""
    bias, hidden = fields.flag("qkv_bias", default=True), fields.size("intermediate_size", 3072)
    part.linear(f"{name}.attention.attention.qkv", width, 3 * width, bias=bias)
    part.linear(f"{name}.attention.output.dense", width, width)
    part.feed_forward(name, ("intermediate.dense", "output.dense"), width, hidden)
    part.norms(name, ("layernorm_before", "layernorm_after"), width)
    if divided:
        part.norm(f"{name}.temporal_layernorm", width)
        part.linear(f"{name}.temporal_attention.attention.qkv", width, 3 * width, bias=bias)
        part.linear(f"{name}.temporal_attention.output.dense", width, width)
        part.linear(f"{name}.temporal_dense", width, width)
