"""Qwen2-Audio, Voxtral, and the thinkers of Qwen2.5-Omni and Qwen3-Omni: language models that hear.

How their towers start is not told here. Source: transformers/models/{qwen2_audio,voxtral,
qwen2_5_omni,qwen3_omni_moe}/configuration_*.py and modeling_*.py (v4.57.1) for defaults, rules and
names.
"""

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub.encoder_decoders import (
    whisper_convolutions,
    whisper_encoder,
    whisper_layers,
)
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.llama_families import FAMILIES
from decaycalc.architecture.hub.llamas import relative
from decaycalc.architecture.hub.multimodal import (
    deep_levels,
    merged_width,
    merger,
    qwen3_blocks,
    qwen25_vision,
)
from decaycalc.architecture.hub.towers import UNTOLD
from decaycalc.architecture.tensors import Architecture
from decaycalc.record import replace

HEADS = ("ForConditionalGeneration",)
# What a tower of Whisper's kind has where nothing is said.
_EARS = {"d_model": 1280, "encoder_layers": 32, "encoder_ffn_dim": 5120, "num_mel_bins": 128}
# Voxtral's names of them.
_VOXTRAL = {"hidden_size": "d_model", "num_hidden_layers": "encoder_layers",
            "intermediate_size": "encoder_ffn_dim"}  # fmt: skip
_VOXTRAL_TEXT = {"model_type": "llama", "vocab_size": 131072, "hidden_size": 3072,
                 "intermediate_size": 8192, "num_hidden_layers": 30, "num_key_value_heads": 8,
                 "head_dim": 128}  # fmt: skip


def hearing(fields: Fields, _head: str) -> Architecture:
    """Return Qwen2-Audio or Voxtral: Whisper's encoder, dense layers, and a relative of Llama.

    Raises:
        UnreadableFileError: a language model that is not known here, or a malformed field.
    """
    newer = fields.text("model_type", "qwen2_audio") == "voxtral"
    text = fields.part("text_config").over(_VOXTRAL_TEXT if newer else {"model_type": "qwen2"})
    ears = fields.part("audio_config").renamed(_VOXTRAL if newer else {}).over(_EARS)
    kind = text.text("model_type", "llama" if newer else "qwen2")
    if kind not in FAMILIES:
        raise text.wrong("model_type", kind, f"one of {', '.join(FAMILIES)}")
    part = Builder(UNTOLD)
    whisper_encoder(part, "audio_tower", ears)
    whole, heard = relative(text, "ForCausalLM", kind), ears.size("d_model", 0)
    width = whole.tensors[0].shape[1]
    if newer:
        part.include("language_model.", whole)
        read = ears.size("encoder_ffn_dim", 0)  # frames are stacked up to it
        part.linear("multi_modal_projector.linear_1", read, width, bias=False)
        part.linear("multi_modal_projector.linear_2", width, width, bias=False)
    else:
        part.linear("multi_modal_projector.linear", heard, width)
        part.include("language_model.", whole)
    return part.done(fields.path, classes=whole.n_classes)


def thinker(fields: Fields, _head: str) -> Architecture:
    """Return the part of Qwen-Omni that reads, sees and hears, and writes.

    Raises:
        UnreadableFileError: a malformed field.
    """
    part, text = Builder(UNTOLD), fields.part("text_config")
    ears, vision = fields.part("audio_config").over(_EARS), fields.part("vision_config")
    newer = fields.text("model_type", "") == "qwen3_omni_moe_thinker"
    if newer:
        _ears3(part, "audio_tower", ears)
        _eyes3(part, "visual", vision)
    else:
        _ears25(part, "audio_tower", ears)
        part.start = replace(UNTOLD, norm="rms")
        qwen25_vision(part, "visual", vision, apart=True)
    kind = "qwen3_omni_moe_text" if newer else "qwen2_5_omni_text"
    whole = relative(text, "ForCausalLM", kind)
    part.include("", whole)
    return part.done(fields.path, classes=whole.n_classes)


def _ears25(part: Builder, name: str, fields: Fields) -> None:
    """Add Qwen2.5-Omni's tower of sounds, whose positions are no parameters."""
    width, out = fields.size("d_model", 1280), fields.size("output_dim", 3584)
    whisper_convolutions(part, name, fields, width)
    part.embedding(f"{name}.audio_bos_eos_token", 2, out)
    whisper_layers(part, name, fields, width)
    part.norm(f"{name}.ln_post", width)
    part.linear(f"{name}.proj", width, out)


def _ears3(part: Builder, name: str, fields: Fields) -> None:
    """Add Qwen3-Omni's tower of sounds, which halves time and pitch three times."""
    width, narrow = fields.size("d_model", 1280), fields.size("downsample_hidden_size", 480)
    whisper_layers(part, name, fields, width, key_bias=True)
    part.norm(f"{name}.ln_post", width)
    high, n_in = fields.size("num_mel_bins", 128), 1
    for number in (1, 2, 3):
        part.conv(f"{name}.conv2d{number}", n_in, narrow, 3)
        high, n_in = (high + 1) // 2, narrow
    part.linear(f"{name}.conv_out", narrow * high, width, bias=False)
    part.linear(f"{name}.proj1", width, width)
    part.linear(f"{name}.proj2", width, fields.size("output_dim", 3584))


def _eyes3(part: Builder, name: str, fields: Fields) -> None:
    """Add Qwen3-Omni's tower of pictures, whose deep mergers come first."""
    out = fields.size("out_hidden_size", 3584)
    merged = merged_width(fields, fields.size("hidden_size", 1152))
    for index in range(deep_levels(fields)):
        label = f"{name}.merger_list.{index}"
        part.norm(f"{label}.ln_q", merged)
        part.linear(f"{label}.mlp.0", merged, merged)
        part.linear(f"{label}.mlp.2", merged, out)
    width = qwen3_blocks(part, name, fields)
    merger(part, f"{name}.merger", fields, (width, out), bias=True)
