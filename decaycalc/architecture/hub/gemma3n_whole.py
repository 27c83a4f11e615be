"""Gemma 3n with what it sees and hears by: MobileNetV5 and a conformer.

How it starts is not told here. Source: transformers/models/gemma3n/configuration_gemma3n.py and
modeling_gemma3n.py (v4.57.1) for defaults, rules and names.
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.gemma3n import gemma3n
from decaycalc.architecture.hub.mobilenet_v5 import mobilenet_v5
from decaycalc.architecture.hub.multimodal import prefix_of
from decaycalc.architecture.hub.towers import UNTOLD
from decaycalc.architecture.tensors import Architecture, Role
from decaycalc.record import replace

_SEES = "mobilenetv5_300m_enc"


def gemma3n_whole(fields: Fields, head: str) -> Architecture:
    """Return Gemma 3n whole.

    Raises:
        UnreadableFileError: another tower than MobileNetV5, or a malformed field.
    """
    text, vision, audio = map(fields.part, ("text_config", "vision_config", "audio_config"))
    if vision.text("architecture", _SEES) != _SEES:
        raise vision.wrong("architecture", vision.values["architecture"], _SEES)
    part, prefix = Builder(replace(UNTOLD, norm="rms")), prefix_of(head)
    mobilenet_v5(part, f"{prefix}vision_tower.timm_model")
    whole = gemma3n(text, "ForCausalLM")
    inner = (each for each in whole.tensors if each.name.startswith("model."))
    own = tuple(replace(each, name=each.name.removeprefix("model.")) for each in inner)
    part.include(f"{prefix}language_model.", replace(whole, tensors=own))
    _hearing(part, f"{prefix}audio_tower", audio)
    width = text.size("hidden_size", 2048)
    for name, tower, usual in (("vision", vision, 2048), ("audio", audio, 1536)):
        _embedder(part, f"{prefix}embed_{name}", tower, (tower.size("hidden_size", usual), width))
    if head != "Model":
        part.tensors += (each for each in whole.tensors if not each.name.startswith("model."))
    return part.done(fields.path, classes=whole.n_classes)


def _embedder(part: Builder, name: str, tower: Fields, widths: tuple[int, int]) -> None:
    """Add a tower's own words, and what brings them and its outputs to the model's width."""
    n_in, n_out = widths
    part.embedding(f"{name}.embedding", tower.size("vocab_size", 128), n_in)
    part.norms(name, ("hard_embedding_norm", "soft_embedding_norm"), n_in, bias=False)
    part.linear(f"{name}.embedding_projection", n_in, n_out, bias=False)


def _hearing(part: Builder, name: str, fields: Fields) -> None:
    """Add the conformer, below it two convolutions over time and pitch."""
    width, heads = fields.size("hidden_size", 1536), fields.size("conf_num_attention_heads", 8)
    fields.require_divided(heads, width, name="conf_num_attention_heads")
    stem, n_in = f"{name}.subsample_conv_projection", 1
    pitches = fields.size("input_feat_size", 128)
    channels = fields.sizes("sscp_conv_channel_size", (128, 32))
    kernels, strides = _pairs(fields, "kernel", 3), _pairs(fields, "stride", 2)
    for index in range(2):
        n_out, kernel = channels[index], kernels[index]
        part.conv(f"{stem}.conv_{index}.conv", n_in, n_out, *kernel, bias=False)
        part.norm(f"{stem}.conv_{index}.norm", n_out, bias=False, kind="group")
        pitches = (pitches + 2 - kernel[1]) // strides[index][1] + 1
        n_in = n_out
    part.linear(f"{stem}.input_proj_linear", n_in * pitches, width, bias=False)
    for index in range(fields.size("conf_num_hidden_layers", 12)):
        layer = f"{name}.conformer.{index}"
        _feed_forward(part, f"{layer}.ffw_layer_start", width)
        _attention(part, f"{layer}.attention", width, heads)
        _convolution(part, f"{layer}.lconv1d", fields, width)
        _feed_forward(part, f"{layer}.ffw_layer_end", width)
        part.norm(f"{layer}.norm", width, bias=False)


def _pairs(fields: Fields, what: str, usual: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the two convolutions' kernels or strides over time and pitch.

    Raises:
        UnreadableFileError: they are not two pairs of sizes.
    """
    name = f"sscp_conv_{what}_size"
    given = fields.values.get(name)
    if given is None:
        return ((usual, usual),) * 2
    if not isinstance(given, list) or len(given) != 2:  # noqa: PLR2004  (convolutions)
        raise fields.wrong(name, given, "two pairs of sizes")
    one, other = (replace(fields, values={name: pair}).sizes(name, ()) for pair in given)
    if len(one) != 2 or len(other) != 2:  # noqa: PLR2004  (time and pitch)
        raise fields.wrong(name, given, "two pairs of sizes")
    return one, other


def _feed_forward(part: Builder, name: str, width: int) -> None:
    part.norm(f"{name}.pre_layer_norm", width, bias=False)
    part.feed_forward(name, ("ffw_layer_1", "ffw_layer_2"), width, 4 * width, bias=False)
    part.norm(f"{name}.post_layer_norm", width, bias=False)


def _attention(part: Builder, name: str, width: int, heads: int) -> None:
    part.norm(f"{name}.pre_attn_norm", width, bias=False)
    part.add(f"{name}.attn.per_dim_scale", max(1, width // heads), role=Role.OTHER)
    layers = ("relative_position_embedding.pos_proj", "q_proj", "k_proj", "v_proj")
    part.linears(f"{name}.attn", layers, width, width, bias=False)
    part.linear(f"{name}.post", width, width, bias=False)
    part.norm(f"{name}.post_norm", width, bias=False)


def _convolution(part: Builder, name: str, fields: Fields, width: int) -> None:
    kernel = fields.size("conf_conv_kernel_size", 5)
    part.norm(f"{name}.pre_layer_norm", width, bias=False)
    part.linear(f"{name}.linear_start", width, 2 * width, bias=False)
    label = f"{name}.depthwise_conv1d"
    part.conv(label, width, width, kernel, groups=width, line=True, bias=False)
    part.norm(f"{name}.conv_norm", width, bias=False)
    part.linear(f"{name}.linear_end", width, width, bias=False)
