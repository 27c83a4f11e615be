"""Gemma 4 with the towers that it sees and hears by.

How they start is not told here. Source: transformers/models/gemma4/configuration_gemma4.py and
modeling_gemma4.py (v5.24.0) for defaults, rules and names.
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.gemma4 import NORMS, add_language_model
from decaycalc.architecture.hub.multimodal import HEADS, prefix_of
from decaycalc.architecture.hub.towers import UNTOLD
from decaycalc.architecture.tensors import Architecture, Role
from decaycalc.record import replace

__all__ = ["HEADS", "gemma4_whole"]
_POSITIONS = 10 * 1024  # along each axis


def gemma4_whole(fields: Fields, head: str) -> Architecture:
    """Return Gemma 4; a tower whose part of the configuration is null is not there.

    Raises:
        UnreadableFileError: a malformed field.
    """
    part, prefix = Builder(replace(UNTOLD, norm="rms")), prefix_of(head)
    text = fields.part("text_config")
    vision, audio = fields.part("vision_config"), fields.part("audio_config")
    sees, hears = "vision_config" in fields, "audio_config" in fields
    if sees:
        _eyes(part, f"{prefix}vision_tower", vision)
    width, vocabulary = add_language_model(part, f"{prefix}language_model.", text)
    if hears:
        _ears(part, f"{prefix}audio_tower", audio)
    seen, heard = vision.size("hidden_size", 768), audio.size("output_proj_dims", 1536)
    for name, there, n_in in (("embed_vision", sees, seen), ("embed_audio", hears, heard)):
        if there:
            part.linear(f"{prefix}{name}.embedding_projection", n_in, width, bias=False)
    if head != "Model" and not fields.flag("tie_word_embeddings", default=True):
        part.linear("lm_head", width, vocabulary, bias=False)
    return part.done(fields.path, classes=vocabulary)


def _eyes(part: Builder, name: str, fields: Fields) -> None:
    width, hidden = fields.size("hidden_size", 768), fields.size("intermediate_size", 3072)
    heads, kept = fields.size("num_attention_heads", 12), fields.size("num_key_value_heads", 12)
    size, patch = fields.size("head_dim", 64), fields.size("patch_size", 16)
    rows = fields.size("position_embedding_size", _POSITIONS)
    table = f"{name}.patch_embedder"
    part.add(f"{table}.position_embedding_table", 2, rows, width, role=Role.POSITION, variance=None)
    part.linear(f"{table}.input_proj", 3 * patch**2, width, bias=False)
    for index in range(fields.size("num_hidden_layers", 16)):
        layer = f"{name}.encoder.layers.{index}"
        attention = f"{layer}.self_attn"
        for projection, number in (("q_proj", heads), ("k_proj", kept), ("v_proj", kept)):
            part.linear(f"{attention}.{projection}.linear", width, number * size, bias=False)
        part.linear(f"{attention}.o_proj.linear", heads * size, width, bias=False)
        part.norms(attention, ("q_norm", "k_norm"), size, bias=False)
        for projection in ("gate_proj", "up_proj"):
            part.linear(f"{layer}.mlp.{projection}.linear", width, hidden, bias=False)
        part.linear(f"{layer}.mlp.down_proj.linear", hidden, width, bias=False)
        part.norms(layer, NORMS, width, bias=False)


def _ears(part: Builder, name: str, fields: Fields) -> None:
    """Add the tower of sounds: two convolutions over time and pitch, and Conformer's layers."""
    width, n_in = fields.size("hidden_size", 1024), 1
    channels = fields.sizes("subsampling_conv_channels", (128, 32))
    if len(channels) != 2:  # noqa: PLR2004  (convolutions)
        raise fields.wrong("subsampling_conv_channels", list(channels), "two sizes")
    first = f"{name}.subsample_conv_projection"
    for index, n_out in enumerate(channels):
        part.conv(f"{first}.layer{index}.conv", n_in, n_out, 3, bias=False)
        part.norm(f"{first}.layer{index}.norm", n_out, bias=False)
        n_in = n_out
    merged = channels[0] // 4 * channels[1]
    part.linear(f"{first}.input_proj_linear", merged, width, bias=False)
    for index in range(fields.size("num_hidden_layers", 12)):
        _ear(part, f"{name}.layers.{index}", fields, width)
    part.linear(f"{name}.output_proj", width, fields.size("output_proj_dims", 1536))


def _ear(part: Builder, name: str, fields: Fields, width: int) -> None:
    """Add one of Conformer's layers."""
    for number in (1, 2):
        layer = f"{name}.feed_forward{number}"
        names = ("ffw_layer_1.linear", "ffw_layer_2.linear")
        part.feed_forward(layer, names, width, 4 * width, bias=False)
        part.norms(layer, ("pre_layer_norm", "post_layer_norm"), width, bias=False)
    heads, attention = fields.size("num_attention_heads", 8), f"{name}.self_attn"
    fields.require_divided(heads, width)
    part.add(f"{attention}.per_dim_scale", max(1, width // heads), role=Role.OTHER, variance=None)
    layers = ("q_proj.linear", "k_proj.linear", "v_proj.linear", "post.linear", "relative_k_proj")
    part.linears(attention, layers, width, width, bias=False)
    convolution = f"{name}.lconv1d"
    part.linear(f"{convolution}.linear_start.linear", width, 2 * width, bias=False)
    part.linear(f"{convolution}.linear_end.linear", width, width, bias=False)
    kernel, label = fields.size("conv_kernel_size", 5), f"{convolution}.depthwise_conv1d"
    part.conv(label, width, width, kernel, groups=width, line=True, bias=False)
    part.norms(convolution, ("pre_layer_norm", "conv_norm"), width, bias=False)
    part.norms(name, ("norm_pre_attn", "norm_post_attn", "norm_out"), width, bias=False)
