"""LLaVA, PaliGemma, Idefics 3, Gemma 3, Qwen's VL 2 to 3 and Qwen3.5: language models that see.

Source: transformers/models/{llava,llava_next,paligemma,idefics3,gemma3,qwen2_vl,qwen2_5_vl,
qwen3_vl}/configuration_*.py and modeling_*.py (v4.57.1), and those of qwen3_5 and qwen3_5_moe
(v5.24.0), for defaults, rules and names.
"""

from collections.abc import Callable
from functools import partial

from decaycalc.architecture.build import Builder
from decaycalc.architecture.hub import hybrids
from decaycalc.architecture.hub.encoders import start
from decaycalc.architecture.hub.fields import Fields
from decaycalc.architecture.hub.llama_families import FAMILIES
from decaycalc.architecture.hub.llamas import relative
from decaycalc.architecture.hub.towers import (
    UNTOLD,
    clip_vision,
    idefics_vision,
    siglip2_vision,
    siglip_vision,
)
from decaycalc.architecture.tensors import Architecture, Role
from decaycalc.record import replace

HEADS = ("ForConditionalGeneration", "Model")
_EYES = {"clip_vision_model": clip_vision, "siglip_vision_model": siglip_vision,
         "siglip2_vision_model": siglip2_vision}  # fmt: skip
# What LLaVA looks with where nothing is said: CLIP's large tower.
_LLAVA_EYES = {"model_type": "clip_vision_model", "hidden_size": 1024, "intermediate_size": 4096,
               "patch_size": 14, "image_size": 336, "num_hidden_layers": 24,
               "num_attention_heads": 16}  # fmt: skip


# What LLaVA-OneVision looks with: SigLIP's.
_ONE_VISION_EYES = {"model_type": "siglip_vision_model", "hidden_size": 1152, "patch_size": 14,
                    "intermediate_size": 4304, "num_hidden_layers": 26, "image_size": 384,
                    "vision_use_head": False}  # fmt: skip
# PaliGemma's two parts where nothing is said.
_PALI_EYES = {"intermediate_size": 4096, "hidden_size": 1152, "patch_size": 14, "image_size": 224,
              "num_hidden_layers": 27, "num_attention_heads": 16,
              "vision_use_head": False}  # fmt: skip
_PALI_TEXT = {"model_type": "gemma", "hidden_size": 2048, "num_hidden_layers": 18,
              "intermediate_size": 16384, "num_attention_heads": 8, "num_key_value_heads": 1,
              "vocab_size": 257152}  # fmt: skip


def with_language_model(
    part: Builder, fields: Fields, text: Fields, head: str, kind: str, *,
    name: str = "language_model",
) -> Architecture:  # fmt: skip
    """Add the language model, and its output layer unless that is tied; return the whole model.

    Raises:
        UnreadableFileError: a language model that is not known here.
    """
    language_width(text, kind)  # it refuses one that is not known
    build = hybrids.kin if kind in hybrids.FAMILIES else relative
    whole = build(text, "ForCausalLM", kind)
    inner = f"{prefix_of(head)}{name}."
    for tensor in whole.tensors:
        own = tensor.name.removeprefix("model.")
        if own != tensor.name:
            part.include(inner, replace(whole, tensors=(replace(tensor, name=own),)))
        elif head != "Model":
            part.include("", replace(whole, tensors=(tensor,)))
    return part.done(fields.path, classes=whole.n_classes)


def language_width(text: Fields, kind: str) -> int:
    """Return the width of a language model of that kind.

    Raises:
        UnreadableFileError: one that is not known here.
    """
    families = FAMILIES if kind in FAMILIES else hybrids.FAMILIES
    if kind not in families:
        raise text.wrong("model_type", kind, f"one of {', '.join(FAMILIES)}")
    return text.size("hidden_size", families[kind].width)


def prefix_of(head: str) -> str:
    """Return what stands before the names of a model's parts."""
    return "" if head == "Model" else "model."


def seeing(fields: Fields, usual: str) -> Architecture:
    """Return the tower that sees.

    Raises:
        UnreadableFileError: one that is not known here.
    """
    kind = fields.text("model_type", usual)
    if kind not in _EYES:
        raise fields.wrong("model_type", kind, f"one of {', '.join(_EYES)}")
    return _EYES[kind](fields, "Model")


def llava(fields: Fields, head: str) -> Architecture:
    """Return LLaVA, LLaVA-NeXT or OneVision: a tower, two dense layers, and a relative of Llama.

    Raises:
        UnreadableFileError: a part that is not known here, or a malformed field.
    """
    kind = fields.text("model_type", "llava")
    newer = kind == "llava_onevision"
    text = fields.part("text_config", {"model_type": "qwen2"} if newer else {})
    vision = fields.part("vision_config", _ONE_VISION_EYES if newer else _LLAVA_EYES)
    part, prefix = Builder(UNTOLD), prefix_of(head)
    if kind != "llava":
        width = text.size("hidden_size", FAMILIES["llama"].width)
        part.add(f"{prefix}image_newline", width, role=Role.OTHER, variance=None)
    part.include(f"{prefix}vision_tower.", seeing(vision, "clip_vision_model"))
    layers = fields.values.get("vision_feature_layer")
    n_in = vision.size("hidden_size", 768) * (len(layers) if isinstance(layers, list) else 1)
    kind = text.text("model_type", "llama")
    width = language_width(text, kind)
    bias = fields.flag("multimodal_projector_bias", default=True)
    for layer, wide in (("linear_1", n_in), ("linear_2", width)):
        part.linear(f"{prefix}multi_modal_projector.{layer}", wide, width, bias=bias)
    return with_language_model(part, fields, text, head, kind)


def paligemma(fields: Fields, head: str) -> Architecture:
    """Return PaliGemma: SigLIP's tower, one dense layer, and Gemma 1 or 2."""
    text, vision = fields.part("text_config", _PALI_TEXT), fields.part("vision_config", _PALI_EYES)
    part, prefix = Builder(UNTOLD), prefix_of(head)
    part.include(f"{prefix}vision_tower.", seeing(vision, "siglip_vision_model"))
    shared = fields.size("projection_dim", 2048)
    part.linear(f"{prefix}multi_modal_projector.linear", vision.size("hidden_size", 768), shared)
    return with_language_model(part, fields, text, head, text.text("model_type", "gemma"))


def idefics3(fields: Fields, head: str) -> Architecture:
    """Return Idefics 3 or SmolVLM: a tower, one dense layer over merged patches, and Llama."""
    text, vision = fields.part("text_config"), fields.part("vision_config")
    part, prefix = Builder(UNTOLD), prefix_of(head)
    part.include(f"{prefix}vision_model.", idefics_vision(vision, "Model"))
    merged = vision.size("hidden_size", 1152) * fields.size("scale_factor", 2) ** 2
    width = text.size("hidden_size", FAMILIES["llama"].width)
    part.linear(f"{prefix}connector.modality_projection.proj", merged, width, bias=False)
    kind = text.text("model_type", "llama")
    return with_language_model(part, fields, text, head, kind, name="text_model")


def gemma3(fields: Fields, head: str) -> Architecture:
    """Return Gemma 3 with the tower of SigLIP that it sees by."""
    text, vision = fields.part("text_config"), fields.part("vision_config")
    part, prefix = Builder(replace(UNTOLD, norm="rms")), prefix_of(head)
    part.include(f"{prefix}vision_tower.", seeing(vision, "siglip_vision_model"))
    seen, width = vision.size("hidden_size", 768), text.size("hidden_size", 2304)
    projector = f"{prefix}multi_modal_projector"
    weight = f"{projector}.mm_input_projection_weight"
    part.add(weight, seen, width, fans=(seen, width))
    part.norm(f"{projector}.mm_soft_emb_norm", seen, bias=False, gain=0.0)
    return with_language_model(part, fields, text, head, "gemma3_text")


def qwen_vl(fields: Fields, head: str) -> Architecture:
    """Return Qwen2-VL, Qwen2.5-VL, Qwen3-VL or Qwen3.5, the last two with experts or without.

    Files of the first two may hold the language model's fields beside `vision_config`.
    """
    kind = fields.text("model_type", "qwen2_vl")
    text = fields.part("text_config") if "text_config" in fields else fields
    if kind in _TIED_ABOVE:
        tied = fields.flag("tie_word_embeddings", default=False)
        text = replace(text, values={**text.values, "tie_word_embeddings": tied})
    vision = fields.part("vision_config")
    part = Builder(start(vision, norm="rms" if kind == "qwen2_5_vl" else "layer"))
    _QWEN_VISION[kind](part, f"{prefix_of(head)}visual", vision)
    family = _QWEN_TEXTS.get(kind, "qwen2_vl_text")
    return with_language_model(part, fields, text, head, family)


def add_patches(
    part: Builder, name: str, fields: Fields, width: int, *, patch: int, bias: bool
) -> None:
    """Add the convolution of patches over space and time."""
    side, times = fields.size("patch_size", patch), fields.size("temporal_patch_size", 2)
    channels = fields.size("in_channels", 3)
    part.conv(f"{name}.patch_embed.proj", channels, width, times, side, side, bias=bias)


def _qwen_attention(
    part: Builder, block: str, width: int, *, bias: bool, apart: bool = False
) -> None:
    part.norms(block, ("norm1", "norm2"), width, bias=bias)
    if apart:
        part.linears(f"{block}.attn", ("q", "k", "v"), width, width)
    else:
        part.linear(f"{block}.attn.qkv", width, 3 * width)
    part.linear(f"{block}.attn.proj", width, width)


def merged_width(fields: Fields, width: int) -> int:
    """Return the width of patches that are merged into one."""
    return int(width * fields.size("spatial_merge_size", 2) ** 2)


def merger(
    part: Builder, name: str, fields: Fields, widths: tuple[int, int], *, bias: bool
) -> None:
    """Add Qwen2's merger of patches; `widths` are the tower's and the language model's."""
    width, out = widths
    merged = merged_width(fields, width)
    part.norm(f"{name}.ln_q", width, bias=bias)
    part.linear(f"{name}.mlp.0", merged, merged)
    part.linear(f"{name}.mlp.2", merged, out)


def _qwen2_vision(part: Builder, name: str, fields: Fields) -> None:
    width = fields.size("embed_dim", 1280)
    hidden = int(width * fields.number("mlp_ratio", 4))
    add_patches(part, name, fields, width, patch=14, bias=False)
    for index in range(fields.size("depth", 32)):
        block = f"{name}.blocks.{index}"
        _qwen_attention(part, block, width, bias=True)
        part.feed_forward(f"{block}.mlp", ("fc1", "fc2"), width, hidden)
    out = fields.size("hidden_size", 3584)
    merger(part, f"{name}.merger", fields, (width, out), bias=True)


def qwen25_vision(part: Builder, name: str, fields: Fields, *, apart: bool = False) -> None:
    """Add Qwen2.5's tower, whose queries, keys and values may be `apart`."""
    width, hidden = fields.size("hidden_size", 3584), fields.size("intermediate_size", 3420)
    add_patches(part, name, fields, width, patch=14, bias=False)
    for index in range(fields.size("depth", 32)):
        block = f"{name}.blocks.{index}"
        _qwen_attention(part, block, width, bias=False, apart=apart)
        part.linears(f"{block}.mlp", ("gate_proj", "up_proj"), width, hidden)
        part.linear(f"{block}.mlp.down_proj", hidden, width)
    out = fields.size("out_hidden_size", 3584)
    merger(part, f"{name}.merger", fields, (width, out), bias=False)


def _qwen3_vision(part: Builder, name: str, fields: Fields, *, deep: bool = True) -> None:
    """Add Qwen3's tower; a `deep` one hands pictures to the language model's lower layers too."""
    width = qwen3_blocks(part, name, fields)
    merged, out = merged_width(fields, width), fields.size("out_hidden_size", 3584)
    _qwen3_merger(part, f"{name}.merger", (width, merged, out))
    for index in range(deep_levels(fields) if deep else 0):
        _qwen3_merger(part, f"{name}.deepstack_merger_list.{index}", (merged, merged, out))


def qwen3_blocks(part: Builder, name: str, fields: Fields) -> int:
    """Add the patches and the blocks of Qwen3's tower, return its width."""
    width, hidden = fields.size("hidden_size", 1152), fields.size("intermediate_size", 4304)
    add_patches(part, name, fields, width, patch=16, bias=True)
    part.positions(f"{name}.pos_embed", fields.size("num_position_embeddings", 2304), width)
    for index in range(fields.size("depth", 27)):
        block = f"{name}.blocks.{index}"
        _qwen_attention(part, block, width, bias=True)
        part.feed_forward(f"{block}.mlp", ("linear_fc1", "linear_fc2"), width, hidden)
    return width


def deep_levels(fields: Fields) -> int:
    """Return to how many layers of the language model Qwen3's tower hands pictures."""
    given = fields.values.get("deepstack_visual_indexes")
    return len((8, 16, 24) if given is None else fields.whole_numbers("deepstack_visual_indexes"))


def _qwen3_merger(part: Builder, name: str, widths: tuple[int, int, int]) -> None:
    """Add Qwen3's merger; `widths` are its norm's, the merged patches' and the language model's."""
    normed, merged, out = widths
    part.norm(f"{name}.norm", normed)
    part.linear(f"{name}.linear_fc1", merged, merged)
    part.linear(f"{name}.linear_fc2", merged, out)


_plain_qwen3_vision = partial(_qwen3_vision, deep=False)
_QWEN_VISION: dict[str, Callable[[Builder, str, Fields], None]] = {
    "qwen2_vl": _qwen2_vision, "qwen2_5_vl": qwen25_vision, "qwen3_vl": _qwen3_vision,
    "qwen3_vl_moe": _qwen3_vision, "qwen3_5": _plain_qwen3_vision,
    "qwen3_5_moe": _plain_qwen3_vision,
}  # fmt: skip
# What transformers 5 came with: there the whole model's field says what is tied.
_TIED_ABOVE = frozenset({"qwen3_5", "qwen3_5_moe"})
_QWEN_TEXTS = {"qwen3_vl": "qwen3_vl_text", "qwen3_vl_moe": "qwen3_vl_moe_text",
               "qwen3_5": "qwen3_5_text", "qwen3_5_moe": "qwen3_5_moe_text"}  # fmt: skip
