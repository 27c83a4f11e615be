"""Audio Spectrogram Transformer and VideoMAE: ViT's layers over pieces of sound and of films.

Source: transformers/models/{audio_spectrogram_transformer,videomae}/configuration_*.py and
modeling_*.py (v4.57.1) for defaults, rules, names and `_init_weights`; Gong et al. 2021
(2104.01778), Tong et al. 2022 (2203.12602).
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.encoders import begin
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.images import vit_layer, vit_layers
from decaycalc.architecture.tensors import Architecture, Role

AST_HEADS = ("ForAudioClassification", "Model")
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
